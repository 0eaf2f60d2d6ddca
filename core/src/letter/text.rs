//! Texts of others, names from the register and words of a server, made fit for a line.

use std::borrow::Cow;

use encoding_rs::WINDOWS_1252;

/// UTF-8, or else Latin-1, in which each byte is a letter.
#[must_use]
pub fn decoded(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => WINDOWS_1252.decode_without_bom_handling(bytes).0,
    }
}

/// The text in one line that reads from left to right: control characters become spaces; the characters
/// that turn the direction of whatever follows (U+202A–E, U+2066–9) become `�`; spaces are not doubled.
///
/// Letters of right-to-left scripts stay as they are.
#[must_use]
pub fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for character in text.chars() {
        let character = match character {
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => char::REPLACEMENT_CHARACTER,
            '\u{2028}' | '\u{2029}' => ' ',
            _ if character.is_control() => ' ',
            _ => character,
        };
        if character != ' ' || !line.ends_with(' ') {
            line.push(character);
        }
    }
    line.trim().to_owned()
}

/// The text cut to `length` characters, with an ellipsis where something was cut.
#[must_use]
pub fn shortened(text: &str, length: usize) -> String {
    if text.chars().count() <= length {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(length.saturating_sub(1)).collect();
    short.push('…');
    short
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("Auto Peças São João", "Auto Peças São João")]
    #[case("a\r\nBcc: b@example.com", "a Bcc: b@example.com")]
    #[case("  a \t\u{0}\u{1b}[31m b ", "a [31m b")]
    #[case("سيارات", "سيارات")]
    #[case("a\u{202e}moc", "a\u{fffd}moc")]
    #[case("R$\u{a0}1,00", "R$\u{a0}1,00")]
    #[case("🚗 <script>", "🚗 <script>")]
    fn fits_in_a_line(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(one_line(text), expected);
    }

    #[test]
    fn cuts_between_characters() {
        assert_eq!(shortened("açaí", 4), "açaí");
        assert_eq!(shortened("açaís", 4), "aça…");
    }
}
