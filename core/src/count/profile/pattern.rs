//! What a spelling of a contact looks like, and what it is to fecha.

use serde::Serialize;

use crate::count::aliases::Aliases;
use crate::count::contact::{Identity, Spelt};
use crate::count::rules::CountingRules;

/// A shape of spellings. What shape it is never changes who it is: that is for the rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Pattern {
    /// Digits alone, with a country code.
    Number,
    /// A number as a WhatsApp address: `…@s.whatsapp.net`, `…@c.us`.
    Address,
    /// The same with a device: `…:23@s.whatsapp.net`.
    Device,
    /// A number with blanks, `+`, hyphens, brackets, `whatsapp:` and the like.
    Written,
    /// `00` before the country code.
    InternationalPrefix,
    /// 10 or 11 digits that are a Brazilian area code and number.
    NoCountryCode,
    /// More than 13 digits: longer than nearly any number, as long as a LID without its `@lid`.
    LongNumber,
    /// A business-scoped user id.
    UserId,
    /// `…@lid` whose number an alias knows.
    KnownLid,
    /// `…@lid` whose number nobody knows.
    Lid,
    /// `@g.us`, `@broadcast`, `@newsletter`.
    Group,
    /// Null, or nothing but blanks.
    Empty,
    /// A number as a spreadsheet writes it: `5.5489999908E+12`.
    Spreadsheet,
    /// Anything else.
    Other,
}

impl Pattern {
    pub(super) fn of(contact: Option<&[u8]>, rules: CountingRules, aliases: &Aliases) -> Self {
        let spelling = contact.unwrap_or_default().trim_ascii();
        if spelling.is_empty() {
            return Self::Empty;
        }
        let text = String::from_utf8_lossy(spelling);
        let identity = match rules.read(spelling) {
            Spelt::Group => return Self::Group,
            Spelt::NoContact => return Self::of_nobody(&text),
            Spelt::Contact(identity) => identity,
        };
        match &identity {
            Identity::UserId(_) if identity.is_lid() => {
                let is_known = !aliases.resolve(identity).is_lid();
                if is_known { Self::KnownLid } else { Self::Lid }
            }
            Identity::UserId(_) => Self::UserId,
            Identity::Number(digits) => Self::of_number(&text, &digits.to_string()),
        }
    }

    fn of_number(text: &str, digits: &str) -> Self {
        let national = CountingRules { national: true, ..CountingRules::default() };
        let is_plain = text.bytes().all(|byte| byte.is_ascii_digit());
        match text.split_once('@') {
            Some((user, _)) if user.contains(':') => Self::Device,
            Some(_) => Self::Address,
            None if text.trim_start_matches('+').starts_with("00") => Self::InternationalPrefix,
            None if digits.len() > 13 => Self::LongNumber,
            None if matches!(text.len(), 10 | 11) && is_plain => {
                let with_country = national.read(text.as_bytes());
                let Spelt::Contact(with_country) = with_country else { return Self::Number };
                if with_country.to_string() == text { Self::Number } else { Self::NoCountryCode }
            }
            None if is_plain => Self::Number,
            None => Self::Written,
        }
    }

    fn of_nobody(text: &str) -> Self {
        let is_digit = |c: char| c.is_ascii_digit();
        let is_number = text.starts_with(is_digit) && text.ends_with(is_digit);
        let exponent = text.split_once(['e', 'E']).map(|(_, exponent)| exponent);
        match exponent {
            Some(exponent)
                if is_number && exponent.trim_start_matches('+').chars().all(is_digit) =>
            {
                Self::Spreadsheet
            }
            _ if text.chars().filter(|c| is_digit(*c)).count() > 15
                && text.chars().all(|c| is_digit(c) || "+ -()".contains(c)) =>
            {
                Self::LongNumber
            }
            _ => Self::Other,
        }
    }

    /// What it looks like, for people.
    #[must_use]
    pub fn shown(self) -> &'static str {
        match self {
            Self::Number => "digits with a country code",
            Self::Address => "…@s.whatsapp.net, @c.us",
            Self::Device => "…:NN@s.whatsapp.net",
            Self::Written => "written with +, blanks, hyphens",
            Self::InternationalPrefix => "00…",
            Self::NoCountryCode => "no country code (10 or 11 digits)",
            Self::LongNumber => "more than 13 digits",
            Self::UserId => "user ids (BR.…)",
            Self::KnownLid => "…@lid, number known by an alias",
            Self::Lid => "…@lid",
            Self::Group => "@g.us, @broadcast, @newsletter",
            Self::Empty => "null or empty",
            Self::Spreadsheet => "a spreadsheet's 5.5E+12",
            Self::Other => "anything else",
        }
    }
}
