//! Brazilian postal codes (*CEP*).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A postal code: eight digits, shown as `95010-000`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PostalCode(u32);

/// The text is no postal code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPostalCode {
    /// Spreadsheets drop a leading zero.
    #[error(
        "'{0}' is no postal code (CEP): with seven digits it may have lost its leading zero: 0{0}?"
    )]
    LostZero(String),
    /// Anything else.
    #[error("'{0}' is no postal code (CEP): eight digits, as 95010-000")]
    NotOne(String),
}

impl FromStr for PostalCode {
    type Err = InvalidPostalCode;

    /// `95010-000`, `95010000` or `95.010-000`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits: String = text.chars().filter(char::is_ascii_digit).collect();
        let is_spelled = text.chars().all(|c| c.is_ascii_digit() || "-. ".contains(c));
        match (is_spelled, digits.len(), digits.parse()) {
            (true, 8, Ok(number)) => Ok(Self(number)),
            (true, 7, _) => Err(InvalidPostalCode::LostZero(text.to_owned())),
            _ => Err(InvalidPostalCode::NotOne(text.to_owned())),
        }
    }
}

impl fmt::Display for PostalCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:05}-{:03}", self.0 / 1000, self.0 % 1000)
    }
}

impl TryFrom<String> for PostalCode {
    type Error = InvalidPostalCode;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<PostalCode> for String {
    fn from(code: PostalCode) -> Self {
        code.to_string()
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("95010-000", "95010-000")]
    #[case("01310100", "01310-100")]
    #[case("01.310-100", "01310-100")]
    fn codes_are_shown_alike(#[case] text: &str, #[case] expected: &str) {
        let code: PostalCode = text.parse().unwrap();
        assert_eq!(code.to_string(), expected);
        assert_eq!(expected.parse::<PostalCode>().unwrap(), code);
    }

    #[rstest]
    #[case("1310100", "with seven digits it may have lost its leading zero: 01310100?")]
    #[case("9501000A", "eight digits, as 95010-000")]
    #[case("950100000", "eight digits")]
    #[case("", "eight digits")]
    fn others_are_refused(#[case] text: &str, #[case] why: &str) {
        let error = text.parse::<PostalCode>().unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
    }
}
