//! Money: exact decimals, the only rounding and the only Brazilian formatting.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Neg, Sub};
use std::str::FromStr;

use rust_decimal::prelude::ToPrimitive;
use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Serialize};

/// An amount in reais, always a whole number of centavos.
///
/// `Display` prints the machine form `1192.27`; [`Money::brl`] the one for people.
///
/// ```
/// use fecha_core::price::money::Money;
/// let total: Money = "1192.27".parse().unwrap();
/// assert_eq!(total.brl(), "R$\u{a0}1.192,27");
/// assert_eq!(total.centavos(), 119_227);
/// ```
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(try_from = "String", into = "String")]
pub struct Money {
    centavos: i64,
}

/// The price of one unit in reais; may be finer than a centavo.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct UnitPrice(Decimal);

/// The text is no amount of money.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidMoney {
    /// Not a plain decimal number with a point.
    #[error(
        "'{0}' is no amount: write it with a point and without separators, for example \"1014.00\""
    )]
    NotANumber(String),
    /// Finer than a centavo where whole centavos are due.
    #[error("'{0}' is finer than a centavo")]
    TooFine(String),
    /// Below zero where only a price can stand.
    #[error("'{0}' is negative: a price is zero or more")]
    Negative(String),
    /// Beyond what the ledger can hold.
    #[error("'{0}' is too large")]
    TooLarge(String),
}

impl Money {
    /// R$ 0,00.
    pub const ZERO: Self = Self { centavos: 0 };

    /// The amount of this many centavos.
    #[must_use]
    pub const fn from_centavos(centavos: i64) -> Self {
        Self { centavos }
    }

    /// The amount in centavos, as the ledger stores it.
    #[must_use]
    pub const fn centavos(self) -> i64 {
        self.centavos
    }

    /// The amount in reais.
    #[must_use]
    pub fn reais(self) -> Decimal {
        Decimal::new(self.centavos, 2)
    }

    /// The only place where an amount is rounded: to centavos, half away from zero (spec §2 *Price*).
    ///
    /// `None` where the amount is beyond 92 quadrillion reais.
    #[must_use]
    pub fn rounded(reais: Decimal) -> Option<Self> {
        let rounded = reais.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero);
        let centavos = rounded.checked_mul(Decimal::ONE_HUNDRED)?.to_i64()?;
        Some(Self { centavos })
    }

    /// `R$ 1.192,27` with a no-break space, as Brazilians write it; a minus stands before `R$`.
    #[must_use]
    pub fn brl(self) -> String {
        let sign = if self.centavos < 0 { "-" } else { "" };
        format!("{sign}R$\u{a0}{}", decimal_comma(self.reais().abs()))
    }

    /// `1.192,27` without the currency.
    #[must_use]
    pub fn brl_bare(self) -> String {
        let sign = if self.centavos < 0 { "-" } else { "" };
        format!("{sign}{}", decimal_comma(self.reais().abs()))
    }
}

impl UnitPrice {
    /// Price times quantity, rounded to centavos once. `None` where the amount is too large.
    #[must_use]
    pub fn times(self, quantity: u64) -> Option<Money> {
        Money::rounded(self.0.checked_mul(Decimal::from(quantity))?)
    }

    /// `R$ 0,29`; at least two decimals, more where the price is finer.
    #[must_use]
    pub fn brl(self) -> String {
        format!("R$\u{a0}{}", decimal_comma(self.0))
    }

    /// The price in reais.
    #[must_use]
    pub fn reais(self) -> Decimal {
        self.0
    }
}

impl From<Money> for UnitPrice {
    fn from(money: Money) -> Self {
        Self(money.reais())
    }
}

/// A whole number with Brazilian thousands separators: `5.123`.
#[must_use]
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push('.');
        }
        text.push(digit);
    }
    text
}

/// A number of reais that is not negative, as Brazilians write it: `1.014,00`; more decimals than two
/// where it is finer than a centavo.
#[must_use]
pub fn decimal_comma(reais: Decimal) -> String {
    let text = format!("{:.*}", reais.normalize().scale().max(2) as usize, reais);
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, "00"));
    let whole = whole.parse().map_or_else(|_| whole.to_owned(), grouped);
    format!("{whole},{fraction}")
}

fn parse_decimal(text: &str) -> Result<Decimal, InvalidMoney> {
    let plain = |text: &str| {
        let unsigned = text.strip_prefix('-').unwrap_or(text);
        let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, "0"));
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        digits(whole) && digits(fraction)
    };
    if !plain(text) {
        return Err(InvalidMoney::NotANumber(text.to_owned()));
    }
    Decimal::from_str_exact(text).map_err(|_| InvalidMoney::TooLarge(text.to_owned()))
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{:.2}", self.reais()))
    }
}

impl fmt::Display for UnitPrice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl FromStr for Money {
    type Err = InvalidMoney;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let reais = parse_decimal(text)?;
        if reais.normalize().scale() > 2 {
            return Err(InvalidMoney::TooFine(text.to_owned()));
        }
        Self::rounded(reais).ok_or_else(|| InvalidMoney::TooLarge(text.to_owned()))
    }
}

impl FromStr for UnitPrice {
    type Err = InvalidMoney;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let reais = parse_decimal(text)?;
        if reais.is_sign_negative() && !reais.is_zero() {
            return Err(InvalidMoney::Negative(text.to_owned()));
        }
        if reais.normalize().scale() > 8 {
            return Err(InvalidMoney::TooFine(text.to_owned()));
        }
        Ok(Self(reais))
    }
}

impl TryFrom<String> for Money {
    type Error = InvalidMoney;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Money> for String {
    fn from(money: Money) -> Self {
        money.to_string()
    }
}

impl TryFrom<String> for UnitPrice {
    type Error = InvalidMoney;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<UnitPrice> for String {
    fn from(price: UnitPrice) -> Self {
        price.to_string()
    }
}

impl Add for Money {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { centavos: self.centavos + other.centavos }
    }
}

impl AddAssign for Money {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sub for Money {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self { centavos: self.centavos - other.centavos }
    }
}

impl Neg for Money {
    type Output = Self;

    fn neg(self) -> Self {
        Self { centavos: -self.centavos }
    }
}

impl Sum for Money {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, Add::add)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("0.00", "R$\u{a0}0,00")]
    #[case("0.05", "R$\u{a0}0,05")]
    #[case("999.99", "R$\u{a0}999,99")]
    #[case("1000.00", "R$\u{a0}1.000,00")]
    #[case("1234567.89", "R$\u{a0}1.234.567,89")]
    #[case("-120.00", "-R$\u{a0}120,00")]
    fn prints_as_brazilians_write_it(#[case] machine: &str, #[case] people: &str) {
        let money: Money = machine.parse().unwrap();
        assert_eq!(money.brl(), people);
        assert_eq!(money.to_string(), machine);
    }

    #[rstest]
    #[case("0.295", 1, "0.30")] // half goes away from zero
    #[case("0.294", 1, "0.29")]
    #[case("0.295", 3, "0.89")] // 0.885, rounded once, not line by line (0.90)
    #[case("0.29", 123, "35.67")]
    #[case("0.46", 310, "142.60")]
    #[case("0.29", 0, "0.00")]
    fn a_line_is_rounded_once(#[case] price: &str, #[case] quantity: u64, #[case] amount: &str) {
        let price: UnitPrice = price.parse().unwrap();
        assert_eq!(price.times(quantity).unwrap().to_string(), amount);
    }

    #[test]
    fn rounds_half_away_from_zero_on_both_sides() {
        let rounded = |text: &str| Money::rounded(text.parse().unwrap()).unwrap().to_string();
        assert_eq!(rounded("-0.005"), "-0.01");
        assert_eq!(rounded("0.005"), "0.01");
        assert_eq!(rounded("0.015"), "0.02");
        assert_eq!(rounded("0.025"), "0.03");
    }

    #[rstest]
    #[case("1.014,00")]
    #[case("R$ 10")]
    #[case("1e3")]
    #[case("")]
    #[case("-")]
    #[case("1.")]
    #[case(" 1.00")]
    fn refuses_what_is_no_amount(#[case] text: &str) {
        assert_eq!(text.parse::<Money>(), Err(InvalidMoney::NotANumber(text.to_owned())));
    }

    #[test]
    fn refuses_fractions_of_a_centavo_and_negative_prices() {
        assert_eq!("0.291".parse::<Money>(), Err(InvalidMoney::TooFine("0.291".into())));
        assert_eq!("-0.29".parse::<UnitPrice>(), Err(InvalidMoney::Negative("-0.29".into())));
        assert_eq!("0.291".parse::<UnitPrice>().unwrap().brl(), "R$\u{a0}0,291");
    }

    #[test]
    fn groups_thousands() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(5123), "5.123");
        assert_eq!(grouped(1_234_567), "1.234.567");
    }
}
