//! Marks that nobody sees: they come along when a name or an address is copied from a page, and two texts that
//! look alike are not.

use std::borrow::Cow;

/// Whether a character is seen by nobody: a soft hyphen, a space without width, a joiner, a direction of
/// writing, a byte order mark.
#[must_use]
pub fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{61c}'
            | '\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
    )
}

/// Whether nobody means a character, wherever it stands: one that controls a terminal, a printer or a file, other
/// than the ends of lines and tabs, which come along with what is copied. PostgreSQL keeps no NUL.
#[must_use]
pub fn is_never_meant(c: char) -> bool {
    c.is_control() && !c.is_whitespace()
}

/// `text` without them.
#[must_use]
pub fn without_invisible(text: &str) -> Cow<'_, str> {
    if text.contains(is_invisible) {
        Cow::Owned(text.replace(is_invisible, ""))
    } else {
        Cow::Borrowed(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ends_a_line_may_be_meant() {
        assert!(!"a\tb\r\nc\u{b}d".contains(is_never_meant));
        for never in ['\0', '\u{7}', '\u{1b}', '\u{7f}', '\u{9b}'] {
            assert!(is_never_meant(never), "{never:?}");
        }
    }

    #[test]
    fn what_is_seen_stays() {
        let seen = "São João – R$\u{a0}1,00 \u{2009}É 中";
        assert!(matches!(without_invisible(seen), Cow::Borrowed(same) if same == seen));
        let text = "\u{feff}Au\u{ad}ro\u{200b}ra\u{200e} \u{202b}Ltda\u{202c}\u{2060}";
        assert_eq!(without_invisible(text), "Aurora Ltda");
    }
}
