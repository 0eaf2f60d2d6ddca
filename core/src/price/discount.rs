//! A discount that a contract grants: a part of what the price table comes to (spec §2 *Price lists*).

use std::fmt;
use std::str::FromStr;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::price::money::Money;

/// A percentage from 0 to 100 with two decimals, kept in hundredths of a percent.
///
/// ```
/// use fecha_core::price::discount::Discount;
/// let discount: Discount = "12.5".parse().unwrap();
/// assert_eq!(discount.to_string(), "12.50");
/// assert_eq!(discount.in_portuguese(), "12,5\u{a0}%");
/// assert_eq!(discount.of("1014.01".parse().unwrap()).to_string(), "126.75");
/// ```
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(try_from = "String", into = "String")]
pub struct Discount {
    hundredths: u16,
}

/// The text is no discount.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "'{0}' is no percentage of a discount: write 0 to 100 with two decimals at most and a point, for example 12.5"
)]
pub struct InvalidDiscount(pub String);

impl Discount {
    /// None at all.
    pub const NONE: Self = Self { hundredths: 0 };

    /// Whether nothing is granted.
    #[must_use]
    pub fn is_none(self) -> bool {
        self.hundredths == 0
    }

    /// What is granted on `sum`, above zero: rounded to centavos once, half away from zero.
    #[must_use]
    pub fn of(self, sum: Money) -> Money {
        // A part of an amount is no larger than the amount.
        let part = sum.reais() * Decimal::new(i64::from(self.hundredths), 4);
        Money::rounded(part).unwrap_or(sum)
    }

    /// `12,5 %`.
    #[must_use]
    pub fn in_portuguese(self) -> String {
        let text = Decimal::new(i64::from(self.hundredths), 2).normalize().to_string();
        format!("{}\u{a0}%", text.replace('.', ","))
    }
}

impl FromStr for Discount {
    type Err = InvalidDiscount;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let read = || {
            let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
            let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
            if !digits(whole) || !digits(decimals) || whole.len() > 3 || decimals.len() > 2 {
                return None;
            }
            let hundredths =
                whole.parse::<u16>().ok()? * 100 + format!("{decimals:0<2}").parse::<u16>().ok()?;
            (hundredths <= 10_000).then_some(Self { hundredths })
        };
        read().ok_or_else(|| InvalidDiscount(text.to_owned()))
    }
}

impl TryFrom<String> for Discount {
    type Error = InvalidDiscount;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Discount> for String {
    fn from(discount: Discount) -> Self {
        discount.to_string()
    }
}

impl fmt::Display for Discount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&Decimal::new(i64::from(self.hundredths), 2).to_string())
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("0", Some("0.00"))]
    #[case("10", Some("10.00"))]
    #[case("12.5", Some("12.50"))]
    #[case("0.05", Some("0.05"))]
    #[case("100.00", Some("100.00"))]
    #[case("100.01", None)]
    #[case("101", None)]
    #[case("12.345", None)] // may be a thousands point
    #[case("12,5", None)]
    #[case("-1", None)]
    #[case("+1", None)]
    #[case("10 %", None)]
    #[case("", None)]
    #[case(".5", None)]
    #[case("5.", None)]
    fn two_decimals_from_0_to_100(#[case] text: &str, #[case] expected: Option<&str>) {
        let discount = text.parse::<Discount>().ok().map(|discount| discount.to_string());
        assert_eq!(discount.as_deref(), expected);
    }

    #[rstest]
    #[case("10", "1192.27", "119.23")] // 119.227
    #[case("12.5", "0.04", "0.01")] // 0.005, half away from zero
    #[case("12.5", "0.03", "0.00")]
    #[case("100", "1192.27", "1192.27")]
    #[case("0", "1192.27", "0.00")]
    #[case("100", "92233720368547758.07", "92233720368547758.07")]
    fn a_part_of_the_sum_is_rounded_once(
        #[case] percent: &str,
        #[case] sum: &str,
        #[case] expected: &str,
    ) {
        let discount: Discount = percent.parse().unwrap();
        assert_eq!(discount.of(sum.parse().unwrap()).to_string(), expected);
    }
}
