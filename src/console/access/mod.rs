//! Who gets in, and to what.
//!
//! Every request to a page passes the [`gate`]: who asks is found out, may they ask for this, is this form sent
//! for the first time. Beside it stand the pages for whoever is not signed in yet ([`doors`]). Around all of it
//! lie the answer's [`headers`] and the check that no other site sent the form.

mod again;
mod cookie;
mod doors;
mod gate;
mod headers;
mod legible;
mod letter;
mod once;
mod watched;

use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::http::{Extensions, HeaderMap, StatusCode, Version, header};
use axum::middleware::{Next, from_fn, from_fn_with_state, map_response, map_response_with_state};
use axum::response::{IntoResponse, Response};
use tokio::time::timeout;
use tower_http::CompressionLevel;
use tower_http::compression::CompressionLayer;
use tower_http::csrf::{CsrfLayer, ProtectionError};

use self::gate::Gate;
use super::ways::Way;
use super::{Console, Oops, assets};

/// The most bytes of a form.
const FORM: usize = 256 * 1024;
/// The most bytes of a form with a file.
const UPLOAD: usize = 32 * 1024 * 1024;

/// How long an answer may take, and one to a file: less than whoever serves waits, so that it is told on a page.
const ANSWER: Duration = Duration::from_secs(25);
const ANSWER_TO_FILE: Duration = Duration::from_secs(110);

/// The pages, each behind the gate, with the doors.
pub fn guarded(pages: Router<Console>, table: &[Way], console: &Console) -> Router<Console> {
    let gate = Gate::new(console.clone(), table);
    let secure = console.office.config.console_is_https();
    pages
        .route_layer(from_fn_with_state(gate, gate::pass))
        .merge(doors::router(console))
        .merge(assets::router())
        .fallback(super::pages::nothing_here)
        .layer(from_fn(in_time))
        .layer(from_fn(legible::address))
        .layer(same_site(console))
        .layer(map_response(gate::in_portuguese))
        .layer(CompressionLayer::new().quality(CompressionLevel::Fastest).compress_when(is_text))
        .layer(map_response_with_state(secure, headers::add))
}

/// A form goes on to its end where nobody waits for it any more.
async fn in_time(request: Request, next: Next) -> Response {
    let most = if letter::has_file(request.headers()) { ANSWER_TO_FILE } else { ANSWER };
    timeout(most, next.run(request)).await.unwrap_or_else(|_| Oops::Slow.into_response())
}

/// Pages, tables and stylesheets become a fifth; documents and archives are small already, events go out at once.
fn is_text(_: StatusCode, _: Version, headers: &HeaderMap, _: &Extensions) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    kind.is_some_and(|kind| kind.starts_with("text/") && !kind.starts_with("text/event-stream"))
}

/// Forms are taken only from pages of this console. A browser says from where one is sent; what is no browser
/// has nobody's cookie.
fn same_site(console: &Console) -> CsrfLayer<fn(ProtectionError) -> Response> {
    let layer =
        CsrfLayer::new().with_rejection_response(refused as fn(ProtectionError) -> Response);
    // A proxy may have given the request another Host.
    let Some(url) = &console.office.config.public_url else { return layer };
    let path = url.find("://").and_then(|at| url[at + 3..].find('/').map(|end| at + 3 + end));
    let origin = &url[..path.unwrap_or(url.len())];
    layer.clone().add_trusted_origin(origin).unwrap_or(layer)
}

fn refused(_: ProtectionError) -> Response {
    let words = "Este formulário foi enviado de outro site, e não foi aceito. Nada foi alterado.";
    let mut response = Oops::Bad(words.to_owned()).into_response();
    *response.status_mut() = StatusCode::FORBIDDEN;
    response
}
