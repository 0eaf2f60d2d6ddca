//! Dealerships that belong together: a group gets, beside their own invoices, one page that adds them up.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::invisible::is_invisible;

/// The longest name: it stands in a heading and in subjects of emails.
const LONGEST: usize = 60;

/// The name of a group, as its page prints it. Groups are one where their names are equal byte by byte; a dealership of
/// none has no name, where one may be meant there is an `Option`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct GroupName(String);

/// The text is no name of a group.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "'{0}' is no name of a group: write 1 to {LONGEST} letters, without a blank at either end, or nothing for none"
)]
pub struct InvalidGroupName(pub String);

impl GroupName {
    /// As it is printed.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for GroupName {
    type Err = InvalidGroupName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_plain = text == text.trim()
            && !text.is_empty()
            && text.chars().count() <= LONGEST
            && !text.chars().any(char::is_control)
            && !text.contains(is_invisible);
        if is_plain { Ok(Self(text.to_owned())) } else { Err(InvalidGroupName(text.to_owned())) }
    }
}

impl TryFrom<String> for GroupName {
    type Error = InvalidGroupName;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<GroupName> for String {
    fn from(name: GroupName) -> Self {
        name.0
    }
}

impl fmt::Display for GroupName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("Grupo Aurora", true)]
    #[case("", false)]
    #[case("Grupo ", false)]
    #[case("Gru\u{200b}po", false)]
    #[case("Gru\npo", false)]
    fn a_name_is_what_a_person_sees(#[case] text: &str, #[case] is_one: bool) {
        assert_eq!(text.parse::<GroupName>().is_ok(), is_one);
        let longest = "ã".repeat(LONGEST);
        assert!(longest.parse::<GroupName>().is_ok());
        assert!(format!("{longest}o").parse::<GroupName>().is_err());
    }
}
