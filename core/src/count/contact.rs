//! The identity of a contact: which spellings are one person (spec §2 *Contact identity*).

use std::fmt;

/// Whom a dealership exchanged messages with. Two spellings of one number have one identity.
///
/// ```
/// use fecha_core::count::contact::Identity;
/// // Before Brazil's ninth digit and after it: one contact.
/// let old = Identity::parse(b"whatsapp:+55 (48) 9999-0820").unwrap();
/// let new = Identity::parse(b"5548999990820@s.whatsapp.net").unwrap();
/// assert_eq!(old, new);
/// assert_eq!(old.to_string(), "5548999990820");
/// assert_eq!(Identity::parse(b"120363000000000000@g.us"), None);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Identity {
    /// 8 to 15 digits, with the country code.
    Number(Digits),
    /// A business-scoped user id, such as `BR.1349…`.
    UserId(Box<str>),
}

/// 8 to 15 digits in eight bytes, leading zeros kept: a `1` stands before them.
///
/// A month can have ten million contacts, and a close holds them all; hence not a string.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digits(u64);

/// Longer than any spelling of a number with its prefix and suffix that anybody writes.
const MAX_DIGITS: usize = 15;

impl Identity {
    /// The identity behind the spelling in the message database; `None` where it is no contact: a
    /// group, an empty value, or anything that is neither 8 to 15 digits nor a user id.
    ///
    /// Never panics, whatever the bytes. Idempotent: the text of an identity has that identity.
    #[must_use]
    pub fn parse(spelling: &[u8]) -> Option<Self> {
        if let Some(value) = plain(spelling) {
            return Some(Self::Number(canonical(spelling, value)));
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
        number(&digits[..length])
    }

    /// How people see it without learning it: `+55 48 9••••-0820` (design: no full number leaves a close).
    #[must_use]
    pub fn masked(&self) -> String {
        match self {
            Self::Number(_) => mask_number(&self.to_string()),
            Self::UserId(id) => {
                let (country, own) = id.split_at(3);
                let shown = if own.len() >= 8 { &own[own.len() - 4..] } else { "" };
                format!("{country}••••{shown}")
            }
        }
    }
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

/// The value of 8 to 15 digits and nothing else, as most spellings are: all contacts of a month pass here.
fn plain(spelling: &[u8]) -> Option<u64> {
    let (head, tail) = spelling.split_last_chunk::<8>()?;
    if head.len() > MAX_DIGITS - 8 {
        return None;
    }
    let tail = eight(*tail)?;
    let mut value = 0;
    for byte in head {
        value = value * 10 + u64::from(byte.is_ascii_digit().then(|| byte - b'0')?);
    }
    Some(value * 100_000_000 + tail)
}

/// The value of eight digits, which lie side by side in one word: pairs of them are made one, three
/// times.
fn eight(digits: [u8; 8]) -> Option<u64> {
    const HIGH: u64 = 0xF0F0_F0F0_F0F0_F0F0;
    const ZEROS: u64 = 0x3030_3030_3030_3030;
    let word = u64::from_le_bytes(digits);
    // 0x30 to 0x3F, and still so with six added.
    let are_digits = word & HIGH == ZEROS && (word + 0x0606_0606_0606_0606) & HIGH == ZEROS;
    let ones = word & !HIGH;
    let pairs = (ones.wrapping_mul((10 << 8) + 1) >> 8) & 0x00FF_00FF_00FF_00FF;
    let fours = (pairs.wrapping_mul((100 << 16) + 1) >> 16) & 0x0000_FFFF_0000_FFFF;
    are_digits.then_some(fours.wrapping_mul((10_000 << 32) + 1) >> 32)
}

fn number(digits: &[u8]) -> Option<Identity> {
    if !(8..=MAX_DIGITS).contains(&digits.len()) {
        return None;
    }
    let value = digits.iter().fold(0, |value, byte| value * 10 + u64::from(byte - b'0'));
    Some(Identity::Number(canonical(digits, value)))
}

/// 8 to 15 digits, and their value, as the identity that they are.
fn canonical(digits: &[u8], value: u64) -> Digits {
    const EIGHT: u64 = 100_000_000;
    Digits(match digits {
        // Brazil, a mobile number from before the ninth digit: 55, area code, 8 digits from 6 to 9.
        [b'5', b'5', a, b, b'6'..=b'9', _, _, _, _, _, _, _] if is_brazilian_area([*a, *b]) => {
            (10_000 + value / EIGHT) * 10 * EIGHT + 9 * EIGHT + value % EIGHT
        }
        // Mexico, the mobile 1 that was dropped in 2019: 521 and 10 digits.
        [b'5', b'2', b'1', _, _, _, _, _, _, _, _, _, _] => {
            152 * 10_000_000_000 + value % 10_000_000_000
        }
        _ => value + POWERS[digits.len()],
    })
}

/// The powers of ten: a `1` before so many digits.
const POWERS: [u64; MAX_DIGITS + 1] = {
    let mut powers = [1; MAX_DIGITS + 1];
    let mut digits = 1;
    while digits <= MAX_DIGITS {
        powers[digits] = powers[digits - 1] * 10;
        digits += 1;
    }
    powers
};

/// `[14689][1-9] | 2[12478] | 3[1-578] | 5[13-5] | 7[13-579]` (spec §2; Anatel's area codes).
fn is_brazilian_area(area: [u8; 2]) -> bool {
    match area[0] {
        b'1' | b'4' | b'6' | b'8' | b'9' => matches!(area[1], b'1'..=b'9'),
        b'2' => matches!(area[1], b'1' | b'2' | b'4' | b'7' | b'8'),
        b'3' => matches!(area[1], b'1'..=b'5' | b'7' | b'8'),
        b'5' => matches!(area[1], b'1' | b'3'..=b'5'),
        b'7' => matches!(area[1], b'1' | b'3'..=b'5' | b'7' | b'9'),
        _ => false,
    }
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
            Self::Number(Digits(marked)) => f.write_str(&marked.to_string()[1..]),
            Self::UserId(id) => f.write_str(id),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    fn identity(spelling: &str) -> Option<String> {
        Identity::parse(spelling.as_bytes()).map(|identity| identity.to_string())
    }

    #[rstest]
    // Brazil: the ninth digit.
    #[case("554899990820", "5548999990820")]
    #[case("5548999990820", "5548999990820")]
    #[case("+55 (48) 9999-0820", "5548999990820")]
    #[case("+55\u{a0}48\u{a0}9999-0820", "5548999990820")]
    #[case(" whatsapp:+554899990820 ", "5548999990820")]
    #[case("whatsapp: 554899990820", "5548999990820")]
    #[case("554899990820@s.whatsapp.net", "5548999990820")]
    #[case("554899990820@c.us", "5548999990820")]
    #[case("554869990820", "5548969990820")] // from 6 …
    #[case("554859990820", "554859990820")] // … not from 5: a landline
    #[case("554829990820", "554829990820")]
    // Area codes at their edges; 20, 36, 52 and 76 do not exist.
    #[case("551199990820", "5511999990820")]
    #[case("551099990820", "551099990820")]
    #[case("552099990820", "552099990820")]
    #[case("552899990820", "5528999990820")]
    #[case("553699990820", "553699990820")]
    #[case("553899990820", "5538999990820")]
    #[case("555299990820", "555299990820")]
    #[case("555599990820", "5555999990820")]
    #[case("557699990820", "557699990820")]
    #[case("557999990820", "5579999990820")]
    #[case("559999990820", "5599999990820")]
    // 0800 stays.
    #[case("558007770820", "558007770820")]
    #[case("08007770820", "08007770820")]
    // Mexico.
    #[case("5215512345678", "525512345678")]
    #[case("525512345678", "525512345678")]
    #[case("52155123456789", "52155123456789")]
    // Argentina: two identities.
    #[case("5491123456789", "5491123456789")]
    #[case("541123456789", "541123456789")]
    // Length: 8 to 15 digits.
    #[case("12345678", "12345678")]
    #[case("123456789012345", "123456789012345")]
    #[case("00000000", "00000000")]
    // Business-scoped user ids.
    #[case("BR.13491208655302741918", "BR.13491208655302741918")]
    #[case("whatsapp:US.aB3", "US.aB3")]
    fn has_one_identity(#[case] spelling: &str, #[case] expected: &str) {
        assert_eq!(identity(spelling).as_deref(), Some(expected));
    }

    #[rstest]
    #[case("")]
    #[case("   ")]
    #[case("whatsapp:")]
    #[case("1234567")]
    #[case("1234567890123456")]
    #[case("120363041234567890@g.us")]
    #[case("5548999990820-1400000000@g.us")]
    #[case("5548999990820@lid")]
    #[case("status@broadcast")]
    #[case("br.1349")]
    #[case("BR.")]
    #[case("BRA.1349")]
    #[case("BR.13.49")]
    #[case("BR.13é")]
    #[case("55489999O820")]
    #[case("٥٥٤٨٩٩٩٩٩٠٨٢٠")]
    #[case("5548\t99990820")]
    fn is_no_contact(#[case] spelling: &str) {
        assert_eq!(identity(spelling), None);
    }

    #[rstest]
    #[case("5548999990820", "+55 48 9••••-0820")]
    #[case("554833330820", "+55 48 ••••-0820")]
    #[case("525512345678", "+52 ••••-5678")]
    #[case("BR.13491208655302741918", "BR.••••1918")]
    #[case("BR.134", "BR.••••")]
    fn shows_no_full_number(#[case] spelling: &str, #[case] masked: &str) {
        assert_eq!(Identity::parse(spelling.as_bytes()).unwrap().masked(), masked);
    }

    proptest! {
        #[test]
        fn never_panics_and_is_idempotent(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            if let Some(identity) = Identity::parse(&bytes) {
                prop_assert_eq!(Identity::parse(identity.to_string().as_bytes()), Some(identity.clone()));
                prop_assert!(!identity.masked().is_empty());
            }
        }

        #[test]
        fn numbers_are_idempotent_however_they_are_written(
            digits in "(55|52|521|54|549|)[0-9]{6,12}", prefix in "(\\+|whatsapp:|whatsapp:\\+)?",
            suffix in "(@s\\.whatsapp\\.net|@c\\.us)?",
        ) {
            let plain = Identity::parse(digits.as_bytes());
            prop_assert_eq!(&Identity::parse(format!("{prefix}{digits}{suffix}").as_bytes()), &plain);
            if let Some(identity) = plain {
                prop_assert_eq!(Identity::parse(identity.to_string().as_bytes()), Some(identity));
            }
        }
    }
}
