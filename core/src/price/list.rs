//! Names of price lists: a negotiated price is a table like any other, under a name (spec §2 *Price lists*).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::party::invisible::is_invisible;

/// The longest name: it stands in a column of reports.
const LONGEST: usize = 60;

/// The name of a price list. The standard list has none: where one may be meant, there is an `Option`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ListName(String);

/// The text is no name of a price list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "'{0}' is no name of a price list: write 1 to {LONGEST} letters, without a blank at either end"
)]
pub struct InvalidListName(pub String);

impl FromStr for ListName {
    type Err = InvalidListName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_plain = text == text.trim()
            && !text.is_empty()
            && text.chars().count() <= LONGEST
            && !text.chars().any(char::is_control)
            && !text.contains(is_invisible);
        if is_plain { Ok(Self(text.to_owned())) } else { Err(InvalidListName(text.to_owned())) }
    }
}

impl TryFrom<String> for ListName {
    type Error = InvalidListName;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<ListName> for String {
    fn from(name: ListName) -> Self {
        name.0
    }
}

impl fmt::Display for ListName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("Rede Sul", true)]
    #[case("", false)]
    #[case(" Rede", false)]
    #[case("Rede\u{a0}", false)]
    #[case("Re\u{200b}de", false)]
    #[case("Re\nde", false)]
    fn a_name_is_what_a_person_sees(#[case] text: &str, #[case] is_one: bool) {
        assert_eq!(text.parse::<ListName>().is_ok(), is_one);
        let longest = "á".repeat(LONGEST);
        assert!(longest.parse::<ListName>().is_ok());
        assert!(format!("{longest}á").parse::<ListName>().is_err());
    }
}
