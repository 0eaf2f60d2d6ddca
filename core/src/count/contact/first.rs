//! Version 1 of the rules, as in 0.1: what was counted by them is compared by them.

use super::number::{Digits, MAX_DIGITS};
use super::{Identity, Spelt};

/// Groups are no contacts here, and nothing more.
pub(in crate::count) fn read(spelling: &[u8]) -> Spelt {
    identity(spelling).map_or(Spelt::NoContact, Spelt::Contact)
}

fn identity(spelling: &[u8]) -> Option<Identity> {
    if let Some(digits) = Digits::plain(spelling) {
        return Some(Identity::Number(digits));
    }
    let bare = strip_affixes(spelling.trim_ascii());
    let mut digits = [0_u8; MAX_DIGITS];
    let mut length = 0;
    let mut rest = bare;
    while let Some((&byte, after)) = rest.split_first() {
        rest = match byte {
            b'0'..=b'9' if length < MAX_DIGITS => {
                digits[length] = byte;
                length += 1;
                after
            }
            b'+' | b' ' | b'-' | b'(' | b')' => after,
            // A no-break space (UTF-8 C2 A0) is a space too: numbers copied from pages have it.
            0xC2 if after.first() == Some(&0xA0) => &after[1..],
            _ => return user_id(bare),
        };
    }
    Digits::of(&digits[..length]).map(Identity::Number)
}

fn strip_affixes(spelling: &[u8]) -> &[u8] {
    let bare = spelling.strip_prefix(b"whatsapp:").unwrap_or(spelling);
    [b"@s.whatsapp.net".as_slice(), b"@c.us"]
        .iter()
        .find_map(|suffix| bare.strip_suffix(*suffix))
        .unwrap_or(bare)
        .trim_ascii()
}

/// Two capital letters, a point, letters or digits; the characters dropped from numbers drop here too.
fn user_id(bare: &[u8]) -> Option<Identity> {
    let text = std::str::from_utf8(bare).ok()?;
    let id: String =
        text.chars().filter(|c| !matches!(c, '+' | ' ' | '\u{a0}' | '-' | '(' | ')')).collect();
    let (country, own) = id.split_once('.')?;
    let well_formed = country.len() == 2
        && country.bytes().all(|b| b.is_ascii_uppercase())
        && !own.is_empty()
        && own.bytes().all(|b| b.is_ascii_alphanumeric());
    well_formed.then(|| Identity::UserId(id.into_boxed_str()))
}
