//! What an outgoing message is to the prices: its kind, its category, by which number it went, and whether it is
//! billed at all.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::party::numbers::BusinessNumber;
use crate::price::category::Category;

/// The kind of an outgoing message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A template.
    Hsm,
    /// Any other.
    Session,
}

impl Kind {
    /// Its name in the relation, and in the configuration.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Hsm => "hsm",
            Self::Session => "session",
        }
    }
}

/// Whether a message has a price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Billing {
    /// It has.
    Billed,
    /// The source says that it is not billable, or its status is none of those that are priced: it counts its
    /// contact, and costs nothing.
    Unbilled,
}

/// Whether a value of the column `billable` says that a message is not: as databases spell it.
#[must_use]
pub fn is_unbilled(value: &[u8]) -> bool {
    let no: [&[u8]; 5] = [b"0", b"f", b"false", b"n", b"no"];
    no.iter().any(|no| value.eq_ignore_ascii_case(no))
}

/// What an outgoing message is to the prices.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Sending {
    /// Template or not.
    pub kind: Kind,
    /// `None` where the source names none, or the prices do not ask.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<Category>,
    /// One of the dealership's numbers of that month; `None` where it is none of them, or the prices do not ask.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<BusinessNumber>,
    /// Whether it has a price.
    pub billing: Billing,
}

/// How many messages were sent of each, none of them zero: of a dealership that is priced by category all that
/// were counted, of another one only HSM that are not billed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<Kept>", into = "Vec<Kept>")]
pub struct Sent(BTreeMap<Sending, u64>);

#[derive(Serialize, Deserialize)]
struct Kept {
    #[serde(flatten)]
    sending: Sending,
    messages: u64,
}

impl From<Vec<Kept>> for Sent {
    fn from(kept: Vec<Kept>) -> Self {
        kept.into_iter().map(|Kept { sending, messages }| (sending, messages)).collect()
    }
}

impl From<Sent> for Vec<Kept> {
    fn from(sent: Sent) -> Self {
        sent.0.into_iter().map(|(sending, messages)| Kept { sending, messages }).collect()
    }
}

impl FromIterator<(Sending, u64)> for Sent {
    fn from_iter<I: IntoIterator<Item = (Sending, u64)>>(all: I) -> Self {
        let mut sent = Self::NONE;
        for (sending, messages) in all.into_iter().filter(|(_, messages)| *messages > 0) {
            *sent.0.entry(sending).or_insert(0) += messages;
        }
        sent
    }
}

/// Nothing that is told apart.
static NONE: Sent = Sent::NONE;

impl Sent {
    /// Nothing that is told apart, as it is borrowed.
    #[must_use]
    pub fn none() -> &'static Self {
        &NONE
    }

    /// Nothing that is told apart.
    pub const NONE: Self = Self(BTreeMap::new());

    /// Whether nothing is told apart.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each with its messages, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&Sending, u64)> {
        self.0.iter().map(|(sending, messages)| (sending, *messages))
    }

    /// How many messages of a kind.
    #[must_use]
    pub fn of_kind(&self, kind: Kind) -> u64 {
        self.iter().filter(|(sending, _)| sending.kind == kind).map(|(_, messages)| messages).sum()
    }

    /// The same without the numbers by which they went: what a message itself says.
    #[must_use]
    pub fn without_numbers(&self) -> Self {
        let bare = |(sending, messages): (&Sending, u64)| {
            (Sending { number: None, ..sending.clone() }, messages)
        };
        self.iter().map(bare).collect()
    }
}
