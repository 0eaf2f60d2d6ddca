//! The bank's reference of a payment: one line that can be read, compared and typed again.

use crate::party::invisible::is_invisible;

/// The most letters of a reference: an end-to-end id has 32, what is made of bank, account, FITID, day and amount
/// some sixty.
pub const MOST_LETTERS: usize = 100;

/// Why a text is no reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadReference {
    /// Nothing can be read in it.
    #[error("the reference is empty")]
    Empty,
    /// So many letters.
    #[error("the reference has {0} letters: {MOST_LETTERS} at most")]
    TooLong(usize),
    /// A character that is not seen, or that moves what is seen.
    #[error("the reference has the character U+{:04X}, which cannot be printed: one line of letters, digits and signs", u32::from(*.0))]
    Unprintable(char),
}

/// Whether a text can be a reference.
///
/// # Errors
/// [`BadReference`], which says what is wrong.
pub fn can_be_reference(text: &str) -> Result<(), BadReference> {
    if text.trim().is_empty() {
        return Err(BadReference::Empty);
    }
    let breaks = |c: char| matches!(c, '\u{2028}' | '\u{2029}');
    let unprintable = text.chars().find(|c| c.is_control() || breaks(*c) || is_invisible(*c));
    if let Some(c) = unprintable {
        return Err(BadReference::Unprintable(c));
    }
    match text.chars().count() {
        letters if letters > MOST_LETTERS => Err(BadReference::TooLong(letters)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("E99999999202611101200ABCDEFGHIJK", Ok(()))]
    #[case("0341/12345-6/É #2", Ok(()))]
    #[case(&"é".repeat(100), Ok(()))]
    #[case(&"é".repeat(101), Err(BadReference::TooLong(101)))]
    #[case(" ", Err(BadReference::Empty))]
    #[case("a\r\nb", Err(BadReference::Unprintable('\r')))]
    #[case("a\0", Err(BadReference::Unprintable('\0')))]
    #[case("a\u{202e}b", Err(BadReference::Unprintable('\u{202e}')))]
    #[case("a\u{2028}b", Err(BadReference::Unprintable('\u{2028}')))]
    fn one_printable_line(#[case] text: &str, #[case] expected: Result<(), BadReference>) {
        assert_eq!(can_be_reference(text), expected);
    }
}
