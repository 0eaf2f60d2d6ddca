//! What comes in over the network is text that can be meant: held against one rule, so that no page, no operation,
//! and no database, meets anything else. PostgreSQL keeps no NUL, and nobody types a bell.

use std::borrow::Cow;

use axum::http::Uri;
use fecha_core::party::invisible::is_never_meant;
use percent_encoding::percent_decode;

/// Whether an address is text.
#[must_use]
pub fn is_legible(uri: &Uri) -> bool {
    [uri.path(), uri.query().unwrap_or_default()].iter().all(|part| is_text(part.as_bytes()))
}

/// Whether what a form sends, percent-encoded, is text.
#[must_use]
pub fn is_text(encoded: &[u8]) -> bool {
    let decoded: Cow<'_, [u8]> = percent_decode(encoded).into();
    std::str::from_utf8(&decoded).is_ok_and(can_be_meant)
}

/// Whether nothing in a text is never meant.
#[must_use]
pub fn can_be_meant(text: &str) -> bool {
    !text.contains(is_never_meant)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("/dealerships/s%C3%A3o%2F1?q=a+b%0D%0Ac%09d", true)]
    #[case("/a%zz?once=%", true)]
    #[case("/a%00", false)]
    #[case("/a?q=%00", false)]
    #[case("/a?q=%1b%5b31m", false)]
    #[case("/a?q=%c2%9b", false)]
    #[case("/a?q=%7f", false)]
    #[case("/a?q=S%E3o", false)]
    fn addresses(#[case] uri: Uri, #[case] expected: bool) {
        assert_eq!(is_legible(&uri), expected);
    }
}
