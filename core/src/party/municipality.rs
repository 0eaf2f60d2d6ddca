//! Municipalities by their IBGE code, as tax documents name them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::register::BrazilianState;

/// The IBGE code of a municipality: seven digits, the first two of its state, the last one a check digit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Municipality(u32);

/// The text is no code of a municipality.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidMunicipality {
    /// Not seven digits, the first two of a state.
    #[error(
        "'{0}' is no IBGE code of a municipality: seven digits, for example 4305108 for Caxias do Sul"
    )]
    NotOne(String),
    /// The last digit does not fit the others.
    #[error(
        "'{0}' is no IBGE code of a municipality: its last digit would be {1}. Is it mistyped?"
    )]
    CheckDigit(String, u32),
    /// Of a city in another state.
    #[error("{0} is the IBGE code of a city in {1}, and the state is {2}")]
    OtherState(Municipality, BrazilianState, BrazilianState),
}

/// The first two digits of each state.
const STATES: [(u32, &str); 27] = [
    (11, "RO"),
    (12, "AC"),
    (13, "AM"),
    (14, "RR"),
    (15, "PA"),
    (16, "AP"),
    (17, "TO"),
    (21, "MA"),
    (22, "PI"),
    (23, "CE"),
    (24, "RN"),
    (25, "PB"),
    (26, "PE"),
    (27, "AL"),
    (28, "SE"),
    (29, "BA"),
    (31, "MG"),
    (32, "ES"),
    (33, "RJ"),
    (35, "SP"),
    (41, "PR"),
    (42, "SC"),
    (43, "RS"),
    (50, "MS"),
    (51, "MT"),
    (52, "GO"),
    (53, "DF"),
];

/// Codes that the IBGE gave with another check digit.
const GIVEN: [u32; 9] = [
    2_201_919, 2_201_988, 2_202_251, 2_611_533, 3_117_836, 3_152_131, 4_305_871, 5_203_939,
    5_203_962,
];

impl Municipality {
    /// The state that it lies in.
    #[must_use]
    pub fn state(self) -> Option<BrazilianState> {
        let (_, letters) = STATES.iter().find(|(prefix, _)| *prefix == self.0 / 100_000)?;
        letters.parse().ok()
    }

    /// The same, where it lies in this state.
    ///
    /// # Errors
    /// [`InvalidMunicipality::OtherState`].
    pub fn within(self, state: BrazilianState) -> Result<Self, InvalidMunicipality> {
        match self.state() {
            Some(its) if its != state => Err(InvalidMunicipality::OtherState(self, its, state)),
            _ => Ok(self),
        }
    }
}

/// Weights 1 and 2 in turn, the digits of each product added up.
fn check_digit(number: u32) -> u32 {
    let mut rest = number / 10;
    let mut sum = 0;
    for place in 0..6 {
        let product = (rest % 10) * if place % 2 == 0 { 2 } else { 1 };
        sum += product / 10 + product % 10;
        rest /= 10;
    }
    (10 - sum % 10) % 10
}

impl FromStr for Municipality {
    type Err = InvalidMunicipality;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let not_one = || InvalidMunicipality::NotOne(text.to_owned());
        let is_code = text.len() == 7 && text.bytes().all(|b| b.is_ascii_digit());
        let code = text.parse().ok().filter(|_| is_code).map(Self).ok_or_else(not_one)?;
        code.state().ok_or_else(not_one)?;
        let expected = check_digit(code.0);
        if code.0 % 10 == expected || GIVEN.contains(&code.0) {
            Ok(code)
        } else {
            Err(InvalidMunicipality::CheckDigit(text.to_owned(), expected))
        }
    }
}

impl fmt::Display for Municipality {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:07}", self.0)
    }
}

impl TryFrom<String> for Municipality {
    type Error = InvalidMunicipality;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Municipality> for String {
    fn from(code: Municipality) -> Self {
        code.to_string()
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("4305108", "RS")] // Caxias do Sul
    #[case("3550308", "SP")] // São Paulo
    #[case("4205407", "SC")] // Florianópolis
    #[case("3106200", "MG")] // Belo Horizonte
    #[case("1302603", "AM")] // Manaus
    #[case("2605459", "PE")] // Fernando de Noronha
    #[case("5300108", "DF")] // Brasília
    #[case("2201919", "PI")] // Bom Princípio do Piauí, whose digit is another
    fn codes_say_their_state(#[case] text: &str, #[case] state: &str) {
        let code: Municipality = text.parse().unwrap();
        assert_eq!(code.to_string(), text);
        assert_eq!(code.state().unwrap().to_string(), state);
        assert_eq!(code.within(state.parse().unwrap()), Ok(code));
        let error = code.within("AC".parse().unwrap()).unwrap_err().to_string();
        let words = format!("{text} is the IBGE code of a city in {state}, and the state is AC");
        assert_eq!(error, words);
    }

    #[rstest]
    #[case("4305109", "its last digit would be 8")]
    #[case("430510", "seven digits")]
    #[case("43051080", "seven digits")]
    #[case("9905108", "seven digits")]
    #[case("430510A", "seven digits")]
    #[case("", "seven digits")]
    fn others_are_refused(#[case] text: &str, #[case] why: &str) {
        let error = text.parse::<Municipality>().unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
    }
}
