//! How a payment for several invoices goes over them.

use crate::bill::invoice::Number;
use crate::price::money::Money;

/// A part of a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    /// For which invoice.
    pub number: Number,
    /// Above zero.
    pub amount: Money,
}

/// Splits `amount` over invoices that stand, with what is open of each: oldest number first, each up to what is open; what
/// is left then goes to the last one, where it waits on that dealership's account. Invoices that get nothing are left out.
///
/// Empty where nothing stands, or `amount` is not above zero: then it is nobody's.
#[must_use]
pub fn split(amount: Money, standing: &[(Number, Money)]) -> Vec<Share> {
    let mut sorted = standing.to_vec();
    sorted.sort_by_key(|(number, _)| *number);
    let Some((last, _)) = sorted.last().copied() else { return Vec::new() };
    let mut left = amount.max(Money::ZERO);
    let mut shares = Vec::with_capacity(sorted.len());
    for (number, open) in sorted {
        let settles = left.min(open.max(Money::ZERO));
        left = left - settles;
        let amount = if number == last { settles + left } else { settles };
        if amount > Money::ZERO {
            shares.push(Share { number, amount });
        }
    }
    shares
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    fn number(sequence: u32) -> Number {
        Number { year: 2026, sequence }
    }

    fn shown(shares: &[Share]) -> String {
        let one = |share: &Share| format!("{} {}", share.number.sequence, share.amount);
        shares.iter().map(one).collect::<Vec<_>>().join(", ")
    }

    #[rstest]
    #[case("300.00", &[(1, 10_000), (2, 20_000)], "1 100.00, 2 200.00")]
    #[case("300.00", &[(2, 20_000), (1, 10_000)], "1 100.00, 2 200.00")] // whatever the order
    #[case("150.00", &[(1, 10_000), (2, 20_000)], "1 100.00, 2 50.00")]
    #[case("99.99", &[(1, 10_000), (2, 20_000)], "1 99.99")]
    #[case("300.01", &[(1, 10_000), (2, 20_000)], "1 100.00, 2 200.01")] // the rest waits on the last
    #[case("300.00", &[(1, 0), (2, 20_000)], "2 300.00")]
    #[case("300.00", &[(1, 20_000), (2, 0)], "1 200.00, 2 100.00")] // the last is paid: all of it waits
    #[case("5.00", &[(1, 0), (2, 0)], "2 5.00")]
    #[case("5.00", &[(7, 300)], "7 5.00")]
    #[case("5.00", &[], "")]
    #[case("0.00", &[(1, 10_000)], "")]
    #[case("-5.00", &[(1, 10_000)], "")]
    fn goes_oldest_number_first(
        #[case] amount: &str,
        #[case] standing: &[(u32, i64)],
        #[case] expected: &str,
    ) {
        let open = |(sequence, centavos): &(u32, i64)| {
            (number(*sequence), Money::from_centavos(*centavos))
        };
        let standing: Vec<(Number, Money)> = standing.iter().map(open).collect();
        assert_eq!(shown(&split(amount.parse().unwrap(), &standing)), expected);
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_none_but_the_last_gets_more_than_is_open(
            amount in 1_i64..2_000_000,
            open in proptest::collection::btree_map(1_u32..99, 0_i64..300_000, 1..20),
        ) {
            let amount = Money::from_centavos(amount);
            let standing: Vec<(Number, Money)> =
                open.iter().map(|(s, o)| (number(*s), Money::from_centavos(*o))).collect();
            let shares = split(amount, &standing);
            prop_assert_eq!(shares.iter().map(|share| share.amount).sum::<Money>(), amount);
            prop_assert!(shares.iter().all(|share| share.amount > Money::ZERO));
            prop_assert!(shares.is_sorted_by(|a, b| a.number < b.number));
            let last = standing.last().unwrap().0;
            let open_of = |number| standing.iter().find(|(n, _)| *n == number).unwrap().1;
            for share in shares.iter().filter(|share| share.number != last) {
                prop_assert!(share.amount <= open_of(share.number));
            }
            // Whoever gets something has every older one paid in full before it.
            for (older, younger) in standing.iter().zip(standing.iter().skip(1)) {
                let part = |number| shares.iter().find(|s| s.number == number).map(|s| s.amount);
                let paid = part(older.0).unwrap_or_default() >= older.1;
                prop_assert!(paid || part(younger.0).is_none());
            }
        }
    }
}
