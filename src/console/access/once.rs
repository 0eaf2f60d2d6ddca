//! A form does what it says once, and to its end, however often its button is pressed.

use std::time::Duration;

use axum::extract::Query;
use axum::http::{StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use tokio::time::sleep;

use super::letter::Letter;
use crate::console::{Console, Done, Oops};
use crate::ledger::spent::{Before, Spent};
use fecha_core::count::evidence::sha256_hex;

/// How long the second press of a button waits for the answer to the first, and how often it looks.
const WAIT: Duration = Duration::from_secs(20);
const LOOK: Duration = Duration::from_millis(200);
/// The most letters of a key.
const LONGEST: usize = 64;

#[derive(Debug, Deserialize)]
struct Asked {
    once: Option<String>,
}

/// Carries out a form, unless it was. It goes on where the browser does not wait for the answer: who presses a
/// button twice takes back the first press, and with it whatever was waited for.
pub async fn carry_out(console: Console, person: &str, letter: Letter, next: Next) -> Response {
    let key = key(letter.uri()).map(|key| of_form(&key, letter.uri(), person));
    let done = tokio::spawn(async move {
        match key {
            Some(key) => first_time(&console, &key, letter, next).await,
            None => next.run(letter.request()).await,
        }
    });
    done.await.unwrap_or_else(|_| broken())
}

/// A page has one random key for all of its forms: what is spent is that of this form, by this person.
fn of_form(key: &str, uri: &Uri, person: &str) -> String {
    sha256_hex(format!("{key} {person} POST {}", uri.path()).as_bytes())
}

async fn first_time(console: &Console, key: &str, letter: Letter, next: Next) -> Response {
    let ledger = &console.office.ledger;
    let sent = letter.content().await;
    loop {
        match ledger.spend_form(key, &sent, console.office.clock.now()).await {
            Ok(Spent::Now) => break,
            Ok(Spent::Before(before)) if before.sent == sent => {
                if let Some(response) = sent_before(console, key, before.led_to).await {
                    return response;
                }
            }
            Ok(Spent::Before(Before { led_to, .. })) => {
                return Oops::SentBefore { led_to }.into_response();
            }
            Err(error) => return Oops::from(error).into_response(),
        }
    }
    let response = next.run(letter.request()).await;
    let noted = match led_to(&response) {
        Some(page) => ledger.form_led_to(key, page).await,
        // It did nothing: what was typed can be sent again.
        None => ledger.give_back_form(key).await,
    };
    if let Err(error) = noted {
        tracing::warn!(%error, "what a form did is not noted");
    }
    response
}

fn broken() -> Response {
    let words =
        "O formulário não foi levado até o fim. Confira o que foi feito antes de enviar de novo.";
    Oops::Failed(words.to_owned()).into_response()
}

fn key(uri: &Uri) -> Option<String> {
    let Query(asked) = Query::<Asked>::try_from_uri(uri).ok()?;
    let is_key = |key: &String| {
        (1..=LONGEST).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    asked.once.filter(is_key)
}

/// The page that shows what a form did.
fn led_to(response: &Response) -> Option<&str> {
    let is_done = response.status() == StatusCode::SEE_OTHER;
    let location = response.headers().get(header::LOCATION).filter(|_| is_done);
    location.and_then(|location| location.to_str().ok())
}

/// Where the same form led; `None` where it was refused, and may be tried again.
async fn sent_before(console: &Console, key: &str, mut led_to: Option<String>) -> Option<Response> {
    let mut waited = Duration::ZERO;
    while led_to.is_none() && waited < WAIT {
        sleep(LOOK).await;
        waited += LOOK;
        led_to = match console.office.ledger.spent_form(key).await {
            Ok(Some(before)) => before.led_to,
            Ok(None) => return None,
            Err(error) => return Some(Oops::from(error).into_response()),
        };
    }
    let done = match led_to {
        Some(page) => Done::see(&page, "O formulário foi enviado duas vezes e valeu uma vez só."),
        None => Done::see(
            "/",
            "O formulário já tinha sido enviado. Confira o que foi feito antes de enviar de novo.",
        ),
    };
    Some(done.into_response())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("/x?once=abc123", Some("abc123"))]
    #[case("/x?a=1&once=abc", Some("abc"))]
    #[case("/x", None)]
    #[case("/x?once=", None)]
    #[case("/x?once=a%20b", None)]
    fn keys(#[case] uri: Uri, #[case] expected: Option<&str>) {
        assert_eq!(key(&uri).as_deref(), expected);
    }

    #[test]
    fn no_key_without_end() {
        let uri: Uri = format!("/x?once={}", "a".repeat(LONGEST + 1)).parse().unwrap();
        assert_eq!(key(&uri), None);
    }
}
