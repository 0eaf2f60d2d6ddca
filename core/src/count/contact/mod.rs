//! The identity of a contact: which spellings are one person (spec §2 *Contact identity*).

pub(super) mod first;
mod number;
pub(super) mod second;

use std::fmt;

pub use self::number::Digits;
use self::number::is_brazilian_area;
use super::rules::CountingRules;

/// Whom a dealership exchanged messages with. Two spellings of one number have one identity.
///
/// ```
/// use fecha_core::count::contact::Identity;
/// // Before Brazil's ninth digit and after it: one contact.
/// let old = Identity::parse(b"whatsapp:+55 (48) 9999-0820").unwrap();
/// let new = Identity::parse(b"5548999990820:23@s.whatsapp.net").unwrap();
/// assert_eq!(old, new);
/// assert_eq!(old.to_string(), "5548999990820");
/// assert_eq!(Identity::parse(b"120363000000000000@g.us"), None);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Identity {
    /// 8 to 15 digits, with the country code.
    Number(Digits),
    /// A business-scoped user id, such as `BR.1349…`, or a LID: `2350…@lid`.
    UserId(Box<str>),
}

/// Who is behind a spelling.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Spelt {
    /// A person.
    Contact(Identity),
    /// A group, broadcast list or newsletter.
    Group,
    /// An empty value, or anything else that is neither 8 to 15 digits nor a user id.
    NoContact,
}

/// What a LID ends with.
const LID: &str = "@lid";

impl Identity {
    /// The identity behind a spelling by the newest rules, LIDs counted; `None` where it is no contact.
    ///
    /// Never panics, whatever the bytes. Idempotent: the text of an identity has that identity.
    #[must_use]
    pub fn parse(spelling: &[u8]) -> Option<Self> {
        match CountingRules::default().read(spelling) {
            Spelt::Contact(identity) => Some(identity),
            Spelt::Group | Spelt::NoContact => None,
        }
    }

    /// Whether it is an id that WhatsApp gives instead of a number where privacy asks for it.
    #[must_use]
    pub fn is_lid(&self) -> bool {
        matches!(self, Self::UserId(id) if id.ends_with(LID))
    }

    /// How people see it without learning it: `+55 48 9••••-0820` (design: no full number leaves a close).
    #[must_use]
    pub fn masked(&self) -> String {
        match self {
            Self::Number(_) => mask_number(&self.to_string()),
            Self::UserId(id) => {
                if let Some(own) = id.strip_suffix(LID) {
                    return format!("••••{}{LID}", last_four(own));
                }
                let (country, own) = id.split_at(3);
                format!("{country}••••{}", last_four(own))
            }
        }
    }
}

/// The end of an id that is long enough to hide the rest.
fn last_four(own: &str) -> &str {
    if own.len() >= 8 { &own[own.len() - 4..] } else { "" }
}

fn mask_number(digits: &str) -> String {
    let last = &digits[digits.len() - 4..];
    match digits.as_bytes() {
        [b'5', b'5', a, b, b'9', ..] if digits.len() == 13 && is_brazilian_area([*a, *b]) => {
            format!("+55 {} 9••••-{last}", &digits[2..4])
        }
        [b'5', b'5', a, b, ..] if digits.len() == 12 && is_brazilian_area([*a, *b]) => {
            format!("+55 {} ••••-{last}", &digits[2..4])
        }
        _ => format!("+{} ••••-{last}", &digits[..2]),
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(digits) => digits.fmt(f),
            Self::UserId(id) => f.write_str(id),
        }
    }
}

#[cfg(test)]
mod tests;
