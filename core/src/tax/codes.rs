//! Codes and percentages as the layout takes them.

use std::fmt;
use std::str::FromStr;

use rust_decimal::Decimal;

/// A code of so many digits, zeros in front included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digits<const N: usize>([u8; N]);

/// The text is no such code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "'{text}' is no code of {digits} digits: write it in quotes, without points, zeros in front too"
)]
pub struct InvalidDigits {
    text: String,
    digits: usize,
}

impl<const N: usize> FromStr for Digits<N> {
    type Err = InvalidDigits;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.bytes().all(|b| b.is_ascii_digit()).then(|| text.as_bytes().try_into());
        let code = digits.and_then(Result::ok).map(Self);
        code.ok_or_else(|| InvalidDigits { text: text.to_owned(), digits: N })
    }
}

impl<const N: usize> fmt::Display for Digits<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|digit| fmt::Write::write_char(f, char::from(*digit)))
    }
}

/// A percentage from 0 to 100 with no or two decimals; prints with two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Percent(Decimal);

/// The text is no such percentage.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no percentage: 0 to 100, with a point and two decimals, for example \"2.00\"")]
pub struct InvalidPercent(String);

impl Percent {
    /// Whether it is less than so many.
    #[must_use]
    pub fn is_below(self, most: u32) -> bool {
        self.0 < Decimal::from(most)
    }
}

impl FromStr for Percent {
    type Err = InvalidPercent;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (whole, decimals) = text.split_once('.').unwrap_or((text, "00"));
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        let is_spelled = digits(whole) && digits(decimals) && decimals.len() == 2;
        let percent = text.parse::<Decimal>().ok().filter(|percent| *percent <= Decimal::from(100));
        percent.filter(|_| is_spelled).map(Self).ok_or_else(|| InvalidPercent(text.to_owned()))
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.2}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_keep_their_zeros() {
        assert_eq!("010301".parse::<Digits<6>>().unwrap().to_string(), "010301");
        for wrong in ["10301", "01.03.01", "0103012", "01030A", ""] {
            let error = wrong.parse::<Digits<6>>().unwrap_err().to_string();
            assert!(error.contains("no code of 6 digits"), "{error}");
        }
    }

    #[test]
    fn percentages_have_two_decimals() {
        let shown = |text: &str| text.parse::<Percent>().map(|percent| percent.to_string());
        assert_eq!(shown("2").unwrap(), "2.00");
        assert_eq!(shown("13.45").unwrap(), "13.45");
        assert_eq!(shown("100.00").unwrap(), "100.00");
        for wrong in ["100.01", "-1", "2,00", "2.5", "2.505", ".50", "2.", "", "1e1"] {
            assert!(shown(wrong).is_err(), "{wrong}");
        }
        assert!("9.99".parse::<Percent>().unwrap().is_below(10));
    }
}
