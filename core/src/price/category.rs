//! Categories of messages, as Meta prices them: `marketing`, `utility`, `authentication`, `service`, and what
//! comes next.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The longest name; what is longer is cut.
const LONGEST: usize = 40;

/// A category, in one spelling: sources write `MARKETING` and `marketing`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Category(Box<str>);

/// The text is no category.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "'{0}' is no category: write 1 to {LONGEST} letters, digits, '_' or '-', for example marketing"
)]
pub struct InvalidCategory(pub String);

impl Category {
    /// What a source calls a category, whatever it writes: in lower case and without blanks around it; what is
    /// no letter, digit, `_` or `-` of ASCII is `_`, so that it can head a column of a file. `None` where
    /// nothing is written.
    #[must_use]
    pub fn of(spelling: &[u8]) -> Option<Self> {
        let trimmed = spelling.trim_ascii();
        let letter = |byte: &u8| match byte {
            byte if byte.is_ascii_alphanumeric() => char::from(byte.to_ascii_lowercase()),
            b'-' => '-',
            _ => '_',
        };
        let name: String = trimmed.iter().take(LONGEST).map(letter).collect();
        (!name.is_empty()).then(|| Self(name.into()))
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0
    }
}

impl FromStr for Category {
    type Err = InvalidCategory;

    /// As a person writes it: one that a source's spelling would be changed into is refused.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let category = Self::of(text.as_bytes());
        let is_plain = |of: &Self| of.name().eq_ignore_ascii_case(text.trim());
        category.filter(is_plain).ok_or_else(|| InvalidCategory(text.to_owned()))
    }
}

impl fmt::Display for Category {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl TryFrom<String> for Category {
    type Error = InvalidCategory;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Category> for String {
    fn from(category: Category) -> Self {
        category.0.into()
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("marketing", Some("marketing"))]
    #[case(" AUTHENTICATION_INTERNATIONAL ", Some("authentication_international"))]
    #[case("a,b\"c", Some("a_b_c"))]
    #[case("", None)]
    #[case("  ", None)]
    #[case(&"x".repeat(60), Some("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"))]
    fn a_source_may_spell_it_as_it_likes(#[case] spelling: &str, #[case] name: Option<&str>) {
        assert_eq!(Category::of(spelling.as_bytes()).as_ref().map(Category::name), name);
    }

    #[rstest]
    #[case("Marketing", true)]
    #[case("", false)]
    #[case("a,b", false)]
    #[case("serviço", false)]
    #[case(&"x".repeat(41), false)]
    fn a_person_writes_it_as_it_is(#[case] text: &str, #[case] is_one: bool) {
        assert_eq!(text.parse::<Category>().is_ok(), is_one);
    }
}
