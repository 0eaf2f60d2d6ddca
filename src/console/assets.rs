//! What pages are made to look like: a stylesheet, two faces, a script for what waits. Part of the program.

use std::sync::LazyLock;

use axum::Router;
use axum::extract::Path;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use fecha_core::count::evidence::sha256_hex;

use super::{Console, Oops};

struct Asset {
    name: &'static str,
    kind: &'static str,
    bytes: &'static [u8],
}

macro_rules! asset {
    ($name:literal, $kind:literal) => {
        Asset {
            name: $name,
            kind: $kind,
            bytes: include_bytes!(concat!("../../assets/console/", $name)),
        }
    };
}

const ASSETS: [Asset; 5] = [
    asset!("console.css", "text/css; charset=utf-8"),
    asset!("console.js", "text/javascript; charset=utf-8"),
    asset!("icon.svg", "image/svg+xml"),
    asset!("inter-Regular.woff2", "font/woff2"),
    asset!("inter-SemiBold.woff2", "font/woff2"),
];

/// Of all together: another program, another address, so that a browser may keep them for good.
static VERSION: LazyLock<String> = LazyLock::new(|| {
    let all: Vec<u8> = ASSETS.iter().flat_map(|asset| asset.bytes).copied().collect();
    sha256_hex(&all)[..12].to_owned()
});

/// The address of the stylesheet.
pub fn stylesheet() -> String {
    path("console.css")
}

/// The address of one of them.
pub fn path(name: &str) -> String {
    format!("/assets/{}/{name}", *VERSION)
}

/// Serves them, to whoever asks: the page to log in needs them.
pub fn router() -> Router<Console> {
    Router::new().route("/assets/{version}/{name}", get(serve))
}

async fn serve(Path((_, name)): Path<(String, String)>) -> Result<Response, Oops> {
    let asset = ASSETS.iter().find(|asset| asset.name == name);
    let asset = asset.ok_or_else(|| Oops::NotFound("Não há este arquivo.".to_owned()))?;
    let kept = "public, max-age=31536000, immutable";
    let headers = [(header::CONTENT_TYPE, asset.kind), (header::CACHE_CONTROL, kept)];
    Ok((headers, asset.bytes).into_response())
}
