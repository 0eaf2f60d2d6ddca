//! Addresses that are no text are asked for by nobody: refused here once, so that no page meets one.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::console::Oops;
use crate::setup::legible::is_legible;

/// Lets requests pass whose address can be read.
pub async fn address(request: Request, next: Next) -> Response {
    if is_legible(request.uri()) {
        return next.run(request).await;
    }
    let words = "O endereço tem sinais que não são texto. Confira o que foi digitado.";
    Oops::Bad(words.to_owned()).into_response()
}
