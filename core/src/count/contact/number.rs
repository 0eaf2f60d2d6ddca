//! Numbers of 8 to 15 digits, and which of them are one.

/// 8 to 15 digits in eight bytes, leading zeros kept: a `1` stands before them.
///
/// A month can have ten million contacts, and a close holds them all; hence not a string.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digits(u64);

/// Longer than any number with its country code (E.164).
pub(super) const MAX_DIGITS: usize = 15;

const MIN_DIGITS: usize = 8;

impl Digits {
    /// 8 to 15 ASCII digits as the number that they are; `None` where there are fewer or more.
    pub(super) fn of(digits: &[u8]) -> Option<Self> {
        if !(MIN_DIGITS..=MAX_DIGITS).contains(&digits.len()) {
            return None;
        }
        let value = digits.iter().fold(0, |value, byte| value * 10 + u64::from(byte - b'0'));
        Some(canonical(digits, value))
    }

    /// [`Digits::of`] where there is nothing but digits, as most spellings are: all contacts of a month
    /// pass here.
    pub(super) fn plain(spelling: &[u8]) -> Option<Self> {
        Some(canonical(spelling, value(spelling)?))
    }

    /// In fewer than 51 bits.
    pub(in crate::count) fn bits(self) -> u64 {
        self.0
    }

    /// What [`Digits::bits`] gave.
    pub(in crate::count) fn from_bits(bits: u64) -> Self {
        Self(bits)
    }
}

impl std::fmt::Display for Digits {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.to_string()[1..])
    }
}

/// The value of 8 to 15 digits and nothing else.
fn value(spelling: &[u8]) -> Option<u64> {
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
pub(super) fn is_brazilian_area(area: [u8; 2]) -> bool {
    match area[0] {
        b'1' | b'4' | b'6' | b'8' | b'9' => matches!(area[1], b'1'..=b'9'),
        b'2' => matches!(area[1], b'1' | b'2' | b'4' | b'7' | b'8'),
        b'3' => matches!(area[1], b'1'..=b'5' | b'7' | b'8'),
        b'5' => matches!(area[1], b'1' | b'3'..=b'5'),
        b'7' => matches!(area[1], b'1' | b'3'..=b'5' | b'7' | b'9'),
        _ => false,
    }
}
