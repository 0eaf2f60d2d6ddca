//! Whose a business number is: for licences by number, and for messages that know only the number they came to.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::calendar::month::Month;
use crate::count::contact::Identity;

/// A number of the WhatsApp Business API, spelt as the identity of a contact: all spellings of one number are
/// equal.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct BusinessNumber(String);

/// The text is no telephone number.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidNumber {
    /// Not 8 to 15 digits.
    #[error("'{0}' is no number: 8 to 15 digits with the country code, for example 5548999990820")]
    Shape(String),
    /// A spreadsheet took it for a quantity.
    #[error(
        "'{0}' is what a spreadsheet makes of a long number, and its last digits are lost: format the column as text, then write it again"
    )]
    Rounded(String),
}

impl BusinessNumber {
    /// The number behind the spelling in a message database; `None` where it is none.
    #[must_use]
    pub fn parse(spelling: &[u8]) -> Option<Self> {
        match Identity::parse(spelling)? {
            number @ Identity::Number(_) => Some(Self(number.to_string())),
            Identity::UserId(_) => None,
        }
    }
}

impl FromStr for BusinessNumber {
    type Err = InvalidNumber;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text.as_bytes()).ok_or_else(|| {
            let upper = text.to_ascii_uppercase();
            let exponent = upper.split_once("E+").map(|(_, exponent)| exponent);
            let rounded = exponent.is_some_and(|exponent| exponent.parse::<u8>().is_ok());
            if rounded {
                InvalidNumber::Rounded(text.to_owned())
            } else {
                InvalidNumber::Shape(text.to_owned())
            }
        })
    }
}

impl fmt::Display for BusinessNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for BusinessNumber {
    type Error = InvalidNumber;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<BusinessNumber> for String {
    fn from(number: BusinessNumber) -> Self {
        number.0
    }
}

/// In these months the number is this dealership's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NumberEntry {
    /// Which number.
    pub number: BusinessNumber,
    /// Whose it is.
    pub dealership_id: String,
    /// The first month.
    pub from_month: Month,
    /// The last month; `None` where it is to stay.
    pub to_month: Option<Month>,
}

impl NumberEntry {
    fn holds_in(&self, month: Month) -> bool {
        self.from_month <= month && self.to_month.is_none_or(|to| month <= to)
    }
}

/// Two entries of one number share a month.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overlap {
    /// The one that begins first.
    pub earlier: NumberEntry,
    /// The other one.
    pub later: NumberEntry,
}

/// All business numbers of the register: in each month a number is one dealership's at most.
#[derive(Debug, Clone, Default)]
pub struct Numbers(HashMap<BusinessNumber, Vec<NumberEntry>>);

impl Numbers {
    /// All entries, in any order.
    ///
    /// # Errors
    /// All pairs of neighbours that share a month.
    pub fn new(entries: impl IntoIterator<Item = NumberEntry>) -> Result<Self, Vec<Overlap>> {
        let mut numbers = Self::default();
        for entry in entries {
            numbers.0.entry(entry.number.clone()).or_default().push(entry);
        }
        let mut overlaps = Vec::new();
        for entries in numbers.0.values_mut() {
            entries.sort_by_key(|entry| entry.from_month);
            for pair in entries.windows(2) {
                if let [earlier, later] = pair
                    && earlier.holds_in(later.from_month)
                {
                    overlaps.push(Overlap { earlier: earlier.clone(), later: later.clone() });
                }
            }
        }
        if overlaps.is_empty() { Ok(numbers) } else { Err(overlaps) }
    }

    /// Whose the number is in this month.
    #[must_use]
    pub fn owner(&self, number: &BusinessNumber, month: Month) -> Option<&str> {
        let entries = self.0.get(number)?;
        let entry = entries.iter().find(|entry| entry.holds_in(month))?;
        Some(&entry.dealership_id)
    }

    /// The numbers that each dealership has in this month, in order.
    #[must_use]
    pub fn owned_in(&self, month: Month) -> BTreeMap<&str, Vec<BusinessNumber>> {
        let mut owned: BTreeMap<&str, Vec<BusinessNumber>> = BTreeMap::new();
        for entry in self.0.values().flatten().filter(|entry| entry.holds_in(month)) {
            owned.entry(&entry.dealership_id).or_default().push(entry.number.clone());
        }
        for numbers in owned.values_mut() {
            numbers.sort_unstable();
        }
        owned
    }

    /// All entries, by number and month.
    #[must_use]
    pub fn entries(&self) -> Vec<NumberEntry> {
        let mut entries: Vec<NumberEntry> = self.0.values().flatten().cloned().collect();
        entries.sort_by(|a, b| (&a.number, a.from_month).cmp(&(&b.number, b.from_month)));
        entries
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn entry(number: &str, id: &str, from: &str, to: &str) -> NumberEntry {
        NumberEntry {
            number: number.parse().unwrap(),
            dealership_id: id.to_owned(),
            from_month: from.parse().unwrap(),
            to_month: (!to.is_empty()).then(|| to.parse().unwrap()),
        }
    }

    #[rstest]
    #[case("554899990820", "2026-01", None)]
    #[case("554899990820", "2026-02", Some("d1"))]
    #[case("+55 (48) 9 9999-0820", "2026-06", Some("d1"))] // before Brazil's ninth digit and after it
    #[case("554899990820@c.us", "2026-07", None)]
    #[case("5548999990820", "2026-08", Some("d2"))]
    #[case("5548999990820", "2031-01", Some("d2"))]
    #[case("5548999990821", "2026-08", Some("d1"))]
    #[case("5548999990822", "2026-08", None)]
    fn is_of_one_dealership_in_a_month(
        #[case] number: &str,
        #[case] month: &str,
        #[case] owner: Option<&str>,
    ) {
        let numbers = Numbers::new([
            entry("5548999990820", "d2", "2026-08", ""),
            entry("+55 48 9999-0820", "d1", "2026-02", "2026-06"),
            entry("5548999990821", "d1", "2026-02", ""),
        ])
        .unwrap();
        let number = BusinessNumber::parse(number.as_bytes()).unwrap();
        assert_eq!(numbers.owner(&number, month.parse().unwrap()), owner);
        assert!(!numbers.is_empty());
        let own = numbers.owned_in(month.parse().unwrap());
        let has = own.get(owner.unwrap_or("d1")).is_some_and(|own| own.contains(&number));
        assert_eq!(has, owner.is_some());
        let owners: Vec<_> =
            numbers.entries().into_iter().map(|entry| entry.dealership_id).collect();
        assert_eq!(owners, ["d1", "d2", "d1"]);
    }

    #[rstest]
    #[case("", "2026-08", "")] // it has no end
    #[case("2026-08", "2026-08", "")] // the last month is its own
    #[case("2026-12", "2026-08", "2026-09")]
    #[case("2026-12", "2026-02", "2026-02")]
    fn months_that_two_share_are_refused(
        #[case] to: &str,
        #[case] next: &str,
        #[case] next_to: &str,
    ) {
        let entries = [
            entry("554899990820", "d1", "2026-02", to),
            entry("5548999990820", "d2", next, next_to),
        ];
        let overlaps = Numbers::new(entries.clone()).unwrap_err();
        let [earlier, later] = entries;
        assert_eq!(overlaps, [Overlap { earlier, later }]);
    }

    #[rstest]
    #[case("123", "8 to 15 digits")]
    #[case("BR.13491208655302741918", "8 to 15 digits")]
    #[case("", "8 to 15 digits")]
    #[case("5,549E+12", "a spreadsheet")]
    #[case("5.549e+12", "a spreadsheet")]
    fn refuses_what_is_no_number(#[case] text: &str, #[case] why: &str) {
        let refused = text.parse::<BusinessNumber>().unwrap_err().to_string();
        assert!(refused.contains(why), "{refused}");
    }
}
