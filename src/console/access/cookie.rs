//! The cookie that a signed-in browser shows.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum_extra::extract::CookieJar;

use crate::console::Console;
use fecha_core::party::person::SESSION;

/// Over TLS the browser itself sees to it that it came from this host, over TLS, for all of it.
const PLAIN: &str = "fecha_session";
const SECURE: &str = "__Host-fecha_session";

fn name(console: &Console) -> &'static str {
    if console.office.config.console_is_https() { SECURE } else { PLAIN }
}

/// The token that a browser shows.
pub fn token(console: &Console, headers: &HeaderMap) -> Option<String> {
    let jar = CookieJar::from_headers(headers);
    jar.get(name(console)).map(|cookie| cookie.value().to_owned())
}

/// Gives a browser a token.
pub fn give(console: &Console, token: &str) -> (HeaderName, HeaderValue) {
    set(console, token, SESSION.num_seconds())
}

/// Takes it away.
pub fn take(console: &Console) -> (HeaderName, HeaderValue) {
    set(console, "", 0)
}

fn set(console: &Console, token: &str, seconds: i64) -> (HeaderName, HeaderValue) {
    let name = name(console);
    let secure = if name == SECURE { "; Secure" } else { "" };
    let cookie =
        format!("{name}={token}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}");
    // A token is made of letters that stand in a header.
    let value = HeaderValue::from_str(&cookie).unwrap_or(HeaderValue::from_static(""));
    (header::SET_COOKIE, value)
}
