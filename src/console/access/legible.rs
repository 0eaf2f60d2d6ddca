//! What comes in is text that can be meant: checked here once, so that no page, and no database, meets anything
//! else. PostgreSQL keeps no NUL, and nobody types a bell.

use std::borrow::Cow;

use axum::extract::Request;
use axum::http::Uri;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use fecha_core::party::invisible::is_never_meant;
use percent_encoding::percent_decode;

use crate::console::Oops;

/// Lets requests pass whose address can be read.
pub async fn address(request: Request, next: Next) -> Response {
    if is_legible(request.uri()) {
        return next.run(request).await;
    }
    let words = "O endereço tem sinais que não são texto. Confira o que foi digitado.";
    Oops::Bad(words.to_owned()).into_response()
}

fn is_legible(uri: &Uri) -> bool {
    [uri.path(), uri.query().unwrap_or_default()].iter().all(|part| is_text(part.as_bytes()))
}

/// Whether what a form sends, percent-encoded, is text.
pub fn is_text(encoded: &[u8]) -> bool {
    let decoded: Cow<'_, [u8]> = percent_decode(encoded).into();
    std::str::from_utf8(&decoded).is_ok_and(|text| !text.contains(is_never_meant))
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
