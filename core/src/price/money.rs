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
    /// A point before three digits, as Brazilians separate thousands.
    #[error("'{0}' may be thousands or a fraction: write \"{thousands}.00\" if it is thousands, else no three decimals", thousands = .0.replace('.', ""))]
    Thousands(String),
    /// An amount is whole centavos, and shows that it is.
    #[error("'{0}' is no amount in centavos: it has two decimals or none, for example \"1014.00\"")]
    Decimals(String),
    /// Finer than any price of a unit.
    #[error("'{0}' is too fine for a price: it has at most four decimals, for example \"0.0625\"")]
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

/// The most decimals of a price of a unit.
const FINEST: usize = 4;

/// A decimal number with a point, as it was written.
struct Written<'a> {
    text: &'a str,
    /// `None` without a point.
    decimals: Option<&'a str>,
}

impl<'a> Written<'a> {
    /// No number that people write with a comma or with letters, and none that may mean a thousand times what
    /// it says.
    fn parse(text: &'a str) -> Result<Self, InvalidMoney> {
        let unsigned = text.strip_prefix('-').unwrap_or(text);
        let (whole, decimals) = match unsigned.split_once('.') {
            Some((whole, decimals)) => (whole, Some(decimals)),
            None => (unsigned, None),
        };
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        let grouped = unsigned.split('.').enumerate().all(|(index, group)| {
            digits(group) && if index == 0 { group.len() <= 3 } else { group.len() == 3 }
        });
        if grouped && decimals.is_some() && !whole.starts_with('0') {
            return Err(InvalidMoney::Thousands(text.to_owned()));
        }
        if !digits(whole) || !decimals.is_none_or(digits) {
            return Err(InvalidMoney::NotANumber(text.to_owned()));
        }
        Ok(Self { text, decimals })
    }

    fn scale(&self) -> usize {
        self.decimals.map_or(0, str::len)
    }

    fn value(&self) -> Result<Decimal, InvalidMoney> {
        Decimal::from_str_exact(self.text).map_err(|_| InvalidMoney::TooLarge(self.text.to_owned()))
    }
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

    /// No decimals or two.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let written = Written::parse(text)?;
        if !matches!(written.scale(), 0 | 2) {
            return Err(InvalidMoney::Decimals(text.to_owned()));
        }
        Self::rounded(written.value()?).ok_or_else(|| InvalidMoney::TooLarge(text.to_owned()))
    }
}

impl FromStr for UnitPrice {
    type Err = InvalidMoney;

    /// At most four decimals.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let written = Written::parse(text)?;
        if written.scale() > FINEST {
            return Err(InvalidMoney::TooFine(text.to_owned()));
        }
        let reais = written.value()?;
        if reais.is_sign_negative() && !reais.is_zero() {
            return Err(InvalidMoney::Negative(text.to_owned()));
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
    #[case("0,29")]
    #[case("1.014.00")]
    #[case("R$ 10")]
    #[case("1e3")]
    #[case("")]
    #[case("-")]
    #[case("1.")]
    #[case(" 1.00")]
    fn refuses_what_is_no_amount(#[case] text: &str) {
        assert_eq!(text.parse::<Money>(), Err(InvalidMoney::NotANumber(text.to_owned())));
    }

    // Seven reais and 38 centavos, or seven thousand three hundred and eighty: nobody is asked twice.
    #[rstest]
    #[case("7.380")]
    #[case("1.014")]
    #[case("50.000")]
    #[case("999.999")]
    #[case("1.234.567")]
    #[case("-1.200")]
    fn a_point_that_may_separate_thousands_is_refused(#[case] text: &str) {
        assert_eq!(text.parse::<Money>(), Err(InvalidMoney::Thousands(text.to_owned())));
        assert_eq!(text.parse::<UnitPrice>(), Err(InvalidMoney::Thousands(text.to_owned())));
    }

    #[rstest]
    #[case("0.5")]
    #[case("0.290")]
    #[case("0.291")]
    #[case("1014.000")]
    #[case("1014.0000")]
    fn an_amount_has_no_or_two_decimals(#[case] text: &str) {
        assert_eq!(text.parse::<Money>(), Err(InvalidMoney::Decimals(text.to_owned())));
        assert!(text.parse::<UnitPrice>().is_ok());
    }

    #[rstest]
    #[case("1014", "1014.00")]
    #[case("7380.00", "7380.00")]
    #[case("-120.00", "-120.00")]
    #[case("0007.38", "7.38")]
    fn an_amount_is_read(#[case] text: &str, #[case] amount: &str) {
        assert_eq!(text.parse::<Money>().unwrap().to_string(), amount);
    }

    #[rstest]
    #[case("29", "R$\u{a0}29,00")]
    #[case("0.3", "R$\u{a0}0,30")]
    #[case("0.29", "R$\u{a0}0,29")]
    #[case("0.291", "R$\u{a0}0,291")]
    #[case("0.0625", "R$\u{a0}0,0625")]
    #[case("1.2900", "R$\u{a0}1,29")]
    fn a_price_has_at_most_four_decimals(#[case] text: &str, #[case] people: &str) {
        assert_eq!(text.parse::<UnitPrice>().unwrap().brl(), people);
    }

    #[test]
    fn refuses_finer_and_negative_prices() {
        assert_eq!("0.29001".parse::<UnitPrice>(), Err(InvalidMoney::TooFine("0.29001".into())));
        assert_eq!("-0.29".parse::<UnitPrice>(), Err(InvalidMoney::Negative("-0.29".into())));
        assert_eq!("-0".parse::<UnitPrice>().unwrap().times(5), Some(Money::ZERO));
        for most in ["92233720368547758.08", "99999999999999999999999999999999"] {
            assert_eq!(most.parse::<Money>(), Err(InvalidMoney::TooLarge(most.into())));
        }
        assert!("92233720368547758.07".parse::<Money>().is_ok());
    }

    #[test]
    fn groups_thousands() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(5123), "5.123");
        assert_eq!(grouped(1_234_567), "1.234.567");
    }
}
