//! CNPJ, the Brazilian company tax id, numeric and alphanumeric (in force since July 2026).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A CNPJ with valid check digits. Prints as `11.222.333/0001-81`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Cnpj([u8; 14]);

/// The text is no CNPJ.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidCnpj {
    /// Not 12 letters or digits and 2 check digits.
    #[error(
        "'{0}' is no CNPJ: 12 letters or digits and 2 check digits, for example 11.222.333/0001-81"
    )]
    Shape(String),
    /// A spreadsheet took it for a quantity and dropped the zeros in front.
    #[error(
        "CNPJ '{text}' has lost zeros in front, as a spreadsheet drops them: {meant} would fit. Format the column as text and write it out"
    )]
    LostZeros {
        /// As it was given.
        text: String,
        /// With the zeros.
        meant: Cnpj,
    },
    /// A spreadsheet took it for a quantity and rounded it.
    #[error(
        "CNPJ '{0}' is what a spreadsheet makes of a long number, and its last digits are lost: format the column as text, then write it again"
    )]
    Rounded(String),
    /// The last two digits do not fit the others.
    #[error("the check digits of CNPJ '{text}' are wrong: {expected} would fit")]
    CheckDigits {
        /// As it was given.
        text: String,
        /// The two digits that would fit.
        expected: String,
    },
}

impl Cnpj {
    /// The 14 characters without punctuation.
    #[must_use]
    pub fn bare(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

/// Modulus 11 over the values "ASCII code − 48", weights 2 to 9 from the right (Receita Federal,
/// Nota Técnica COCAD/SUARA/RFB 49/2024).
fn check_digit(characters: &[u8]) -> u8 {
    let sum: u32 = characters
        .iter()
        .rev()
        .zip((2..=9_u32).cycle())
        .map(|(character, weight)| u32::from(character - b'0') * weight)
        .sum();
    let digit = match sum % 11 {
        0 | 1 => 0,
        rest => 11 - rest,
    };
    b'0' + u8::try_from(digit).unwrap_or_default()
}

/// What a spreadsheet did to a CNPJ that it took for a quantity; `None` where it was another.
fn spoilt(text: &str, bare: &[u8]) -> Option<InvalidCnpj> {
    let bare = std::str::from_utf8(bare).ok()?;
    if let Some((_, exponent)) = bare.split_once("E+") {
        exponent.parse::<u8>().ok()?;
        return Some(InvalidCnpj::Rounded(text.to_owned()));
    }
    // The first CNPJ of all is 191.
    if !(3..14).contains(&bare.len()) || !bare.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let meant = format!("{bare:0>14}").parse().ok()?;
    Some(InvalidCnpj::LostZeros { text: text.to_owned(), meant })
}

impl FromStr for Cnpj {
    type Err = InvalidCnpj;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let shape = || InvalidCnpj::Shape(text.to_owned());
        let bare: Vec<u8> = text
            .trim()
            .bytes()
            .filter(|b| !matches!(b, b'.' | b'/' | b'-' | b' '))
            .map(|b| b.to_ascii_uppercase())
            .collect();
        let characters: [u8; 14] = match bare.try_into() {
            Ok(characters) => characters,
            Err(bare) => return Err(spoilt(text, &bare).unwrap_or_else(shape)),
        };
        let well_formed = characters[..12].iter().all(u8::is_ascii_alphanumeric)
            && characters[12..].iter().all(u8::is_ascii_digit);
        if !well_formed || characters.iter().all(|c| *c == b'0') {
            return Err(shape());
        }
        let first = check_digit(&characters[..12]);
        let mut with_first = characters;
        with_first[12] = first;
        let second = check_digit(&with_first[..13]);
        if characters[12..] == [first, second] {
            Ok(Self(characters))
        } else {
            let expected = format!("{}{}", char::from(first), char::from(second));
            Err(InvalidCnpj::CheckDigits { text: text.to_owned(), expected })
        }
    }
}

impl fmt::Display for Cnpj {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let c = self.bare();
        write!(f, "{}.{}.{}/{}-{}", &c[..2], &c[2..5], &c[5..8], &c[8..12], &c[12..])
    }
}

impl TryFrom<String> for Cnpj {
    type Error = InvalidCnpj;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Cnpj> for String {
    fn from(cnpj: Cnpj) -> Self {
        cnpj.to_string()
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("11.222.333/0001-81", "11.222.333/0001-81")]
    #[case("11222333000181", "11.222.333/0001-81")]
    #[case("00.000.000/0001-91", "00.000.000/0001-91")] // Banco do Brasil
    #[case("33.000.167/0001-01", "33.000.167/0001-01")] // Petrobras
    #[case("12.ABC.345/01DE-35", "12.ABC.345/01DE-35")] // Receita Federal's example of the new form
    #[case("12abc34501de35", "12.ABC.345/01DE-35")]
    fn accepts(#[case] text: &str, #[case] printed: &str) {
        assert_eq!(text.parse::<Cnpj>().unwrap().to_string(), printed);
    }

    #[rstest]
    #[case("11.222.333/0001-82", "81")]
    #[case("12.ABC.345/01DE-36", "35")]
    fn names_the_digits_that_would_fit(#[case] text: &str, #[case] fits: &str) {
        let error = text.parse::<Cnpj>().unwrap_err();
        assert_eq!(
            error,
            InvalidCnpj::CheckDigits { text: text.to_owned(), expected: fits.to_owned() }
        );
    }

    #[test]
    fn what_a_spreadsheet_spoilt_is_said_and_not_guessed() {
        let said = |text: &str| text.parse::<Cnpj>().unwrap_err().to_string();
        insta::assert_snapshot!(said("7526557000100"), @"CNPJ '7526557000100' has lost zeros in front, as a spreadsheet drops them: 07.526.557/0001-00 would fit. Format the column as text and write it out");
        insta::assert_snapshot!(said("191"), @"CNPJ '191' has lost zeros in front, as a spreadsheet drops them: 00.000.000/0001-91 would fit. Format the column as text and write it out");
        insta::assert_snapshot!(said("7526557000101"), @"'7526557000101' is no CNPJ: 12 letters or digits and 2 check digits, for example 11.222.333/0001-81");
        insta::assert_snapshot!(said("1,12223E+13"), @"CNPJ '1,12223E+13' is what a spreadsheet makes of a long number, and its last digits are lost: format the column as text, then write it again");
    }

    #[rstest]
    #[case("")]
    #[case("1122233300018")]
    #[case("112223330001811")]
    #[case("11.222.333/0001-8A")]
    #[case("00000000000000")]
    #[case("11.222.333/000é-81")]
    fn refuses_other_shapes(#[case] text: &str) {
        assert_eq!(text.parse::<Cnpj>(), Err(InvalidCnpj::Shape(text.to_owned())));
    }
}
