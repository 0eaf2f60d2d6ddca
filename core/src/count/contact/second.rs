//! Version 2 of the rules: spellings as connectors, spreadsheets and address books write them.

use super::number::{Digits, MAX_DIGITS, is_brazilian_area};
use super::{Identity, LID, Spelt};

/// Longer than what is left of any spelling of a person once blanks and marks are dropped.
const LONGEST: usize = 96;

/// Who is behind a spelling. `national`: Brazilian numbers may lack their country code.
pub(in crate::count) fn read(spelling: &[u8], national: bool) -> Spelt {
    let may_lack = national && matches!(spelling.len(), 10 | 11);
    if !(may_lack || spelling.starts_with(b"00"))
        && let Some(digits) = Digits::plain(spelling)
    {
        return Spelt::Contact(Identity::Number(digits));
    }
    let mut kept = [0; LONGEST];
    let Some(kept) = significant(spelling, &mut kept) else { return Spelt::NoContact };
    let kept = without_scheme(kept);
    if ["@g.us", "@broadcast", "@newsletter"].iter().any(|end| kept.ends_with(end)) {
        return Spelt::Group;
    }
    let identity = match kept.strip_suffix(LID) {
        Some(lid) => own_id(without_device(lid)),
        None => person(kept, national),
    };
    identity.map_or(Spelt::NoContact, Spelt::Contact)
}

/// What is left without blanks, invisible marks and what people write between digits; `None` for what
/// is no text, or too long for a person.
fn significant<'k>(spelling: &[u8], kept: &'k mut [u8; LONGEST]) -> Option<&'k str> {
    let (mut rest, mut length) = (spelling, 0);
    while let Some((&byte, after)) = rest.split_first() {
        // Nearly all are ASCII: those need no decoding.
        if byte.is_ascii() {
            if !is_dropped(byte.into()) {
                *kept.get_mut(length)? = byte;
                length += 1;
            }
            rest = after;
            continue;
        }
        let letter = first_letter(rest)?;
        if !is_dropped(letter) {
            letter.encode_utf8(kept.get_mut(length..length + letter.len_utf8())?);
            length += letter.len_utf8();
        }
        rest = &rest[letter.len_utf8()..];
    }
    std::str::from_utf8(kept.get(..length)?).ok()
}

fn first_letter(text: &[u8]) -> Option<char> {
    let most = &text[..text.len().min(4)];
    let valid = match std::str::from_utf8(most) {
        Ok(valid) => valid,
        Err(error) => std::str::from_utf8(&most[..error.valid_up_to()]).ok()?,
    };
    valid.chars().next()
}

fn is_dropped(letter: char) -> bool {
    letter.is_whitespace()
        || matches!(letter, '+' | '-' | '(' | ')')
        || matches!(letter, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}')
        || matches!(letter, '\u{2060}'..='\u{2069}' | '\u{feff}')
}

fn without_scheme(kept: &str) -> &str {
    let without = |scheme: &str| {
        let (head, rest) = kept.split_at_checked(scheme.len())?;
        head.eq_ignore_ascii_case(scheme).then_some(rest)
    };
    without("whatsapp:").or_else(|| without("tel:")).unwrap_or(kept)
}

/// A number, or an id that stands for one.
fn person(kept: &str, national: bool) -> Option<Identity> {
    let server =
        ["@s.whatsapp.net", "@c.us", "@hosted"].iter().find_map(|end| kept.strip_suffix(end));
    let bare = server.map_or(kept, without_device);
    // A number that was a float.
    let digits = bare.strip_suffix(".0").unwrap_or(bare);
    if is_digits(digits) { number(digits, national) } else { user_id(bare) }
}

/// Before the `@`: `5548999990820:23` is a device of that number, `….0:1` an agent's device.
fn without_device(user: &str) -> &str {
    let Some((before, _)) = user.split_once(':').filter(|(_, device)| is_digits(device)) else {
        return user;
    };
    before
        .split_once('.')
        .filter(|(_, agent)| is_digits(agent))
        .map_or(before, |(number, _)| number)
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn number(digits: &str, national: bool) -> Option<Identity> {
    // The international prefix: no country code begins with a zero.
    let mut digits = digits;
    while let Some(rest) = digits.strip_prefix("00") {
        digits = rest;
    }
    let mut with_country = [0; MAX_DIGITS];
    let digits = match digits.len() {
        length @ (10 | 11) if national && is_national(digits.as_bytes()) => {
            with_country[..2].copy_from_slice(b"55");
            with_country[2..length + 2].copy_from_slice(digits.as_bytes());
            &with_country[..length + 2]
        }
        _ => digits.as_bytes(),
    };
    Digits::of(digits).map(Identity::Number)
}

/// An area code and a number of eight digits, or of nine that begin with a 9.
fn is_national(digits: &[u8]) -> bool {
    match digits {
        [a, b, b'2'..=b'9', rest @ ..] if rest.len() == 7 => is_brazilian_area([*a, *b]),
        [a, b, b'9', rest @ ..] if rest.len() == 8 => is_brazilian_area([*a, *b]),
        _ => false,
    }
}

fn own_id(lid: &str) -> Option<Identity> {
    is_digits(lid).then(|| Identity::UserId(format!("{lid}{LID}").into_boxed_str()))
}

/// Two capital letters, a point, letters or digits; a parent's has `ENT.` behind the point.
fn user_id(bare: &str) -> Option<Identity> {
    let (country, own) = bare.split_once('.')?;
    let own = own.strip_prefix("ENT.").unwrap_or(own);
    let well_formed = country.len() == 2
        && country.bytes().all(|byte| byte.is_ascii_uppercase())
        && !own.is_empty()
        && own.bytes().all(|byte| byte.is_ascii_alphanumeric());
    well_formed.then(|| Identity::UserId(bare.into()))
}
