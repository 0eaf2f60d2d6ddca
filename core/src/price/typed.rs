//! Amounts as a person in Brazil types them: `1.014,00`, `R$ 1014`, `0,29`.

use crate::bank::amount::amount;
use crate::price::money::{Money, UnitPrice};

/// The text is no amount, or may be two.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no amount: write it as 1.192,27 or 1192,27")]
pub struct NoAmount(pub String);

/// Reads an amount; it may be negative or zero.
///
/// # Errors
/// [`NoAmount`]; `1.192` and `1,192` too, which are either a thousand or a fraction of a centavo.
pub fn money(text: &str) -> Result<Money, NoAmount> {
    amount(text).map_err(|_| NoAmount(text.trim().to_owned()))
}

/// Reads a price for one, of at most four decimals, not below zero.
///
/// # Errors
/// [`NoAmount`].
pub fn unit_price(text: &str) -> Result<UnitPrice, NoAmount> {
    let bare = text.trim();
    let bare = bare.strip_prefix("R$").unwrap_or(bare).trim();
    let pointed = if bare.contains('.') { bare.to_owned() } else { bare.replacen(',', ".", 1) };
    pointed.parse().map_err(|_| NoAmount(text.trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("1.014,00", Some("1014.00"))]
    #[case(" R$ 1014,5 ", Some("1014.50"))]
    #[case("1014", Some("1014.00"))]
    #[case("-120,00", Some("-120.00"))]
    #[case("1.192", None)]
    #[case("7.380", None)]
    #[case("um", None)]
    #[case("", None)]
    fn amounts(#[case] text: &str, #[case] expected: Option<&str>) {
        assert_eq!(money(text).ok().map(|money| money.to_string()).as_deref(), expected);
    }

    #[rstest]
    #[case("0,29", Some("0.29"))]
    #[case("R$ 0,2895", Some("0.2895"))]
    #[case("0.46", Some("0.46"))]
    #[case("1", Some("1"))]
    #[case("0,28951", None)]
    #[case("-0,29", None)]
    #[case("1.014,00", None)]
    #[case("", None)]
    fn prices_for_one(#[case] text: &str, #[case] expected: Option<&str>) {
        assert_eq!(unit_price(text).ok().map(|price| price.to_string()).as_deref(), expected);
    }
}
