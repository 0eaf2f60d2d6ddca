use serde::Serialize;

use fecha_core::price::money::grouped;

/// How much of a package is used, as a bar and the words below it. A package that was passed is a shorter part
/// of its bar, so that 108 % never looks like 100 %.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Bar {
    /// Percent of the bar: used within the package.
    used: u64,
    /// Percent of the bar: above the package; zero where nothing is.
    over: u64,
    /// Percent of the bar: left of the package.
    free: u64,
    /// Below its beginning.
    left: String,
    /// Below its end.
    right: String,
}

impl Bar {
    pub fn of(uam: u64, package: u64) -> Self {
        /// What there is must be seen, however little.
        const LEAST: u64 = 2;
        let part = |of: u64, whole: u64| -> u64 {
            let percent = u128::from(of) * 100 / u128::from(whole.max(1));
            u64::try_from(percent).unwrap_or(100)
        };
        if uam > package {
            // Between the two is a gap of one percent, which is seen without colours too.
            let used = part(package, uam).clamp(LEAST, 99 - LEAST);
            return Self {
                used,
                over: 99 - used,
                free: 0,
                left: format!("{} do pacote", grouped(package)),
                right: format!("{} acima", grouped(uam - package)),
            };
        }
        let used = match (uam, package - uam) {
            (0, 1..) => 0,
            (_, 0) => 100,
            _ => part(uam, package).clamp(LEAST, 100 - LEAST),
        };
        let left = match package - uam {
            0 => "pacote todo usado".to_owned(),
            1 => "resta 1".to_owned(),
            left => format!("restam {}", grouped(left)),
        };
        Self {
            used,
            over: 0,
            free: 100 - used,
            left: format!("{} de {}", grouped(uam), grouped(package)),
            right: left,
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(0, 5000, [0, 0, 100])]
    #[case(1, 5000, [2, 0, 98])]
    #[case(4012, 5000, [80, 0, 20])]
    #[case(4999, 5000, [98, 0, 2])] // not as if nothing were left
    #[case(5000, 5000, [100, 0, 0])]
    #[case(5001, 5000, [97, 2, 0])]
    #[case(5412, 5000, [92, 7, 0])]
    #[case(50_000, 5000, [10, 89, 0])]
    #[case(u64::MAX, 5000, [2, 97, 0])]
    fn parts_of_the_bar(#[case] uam: u64, #[case] package: u64, #[case] expected: [u64; 3]) {
        let bar = Bar::of(uam, package);
        assert_eq!([bar.used, bar.over, bar.free], expected);
    }
}
