//! What is asked for with a key is done once, and answered alike whenever it is sent again with that key.

use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use tokio::time::sleep;
use utoipa::ToSchema;

use super::caller::Caller;
use super::{Api, Kind, PATH, Problem};
use crate::ledger::requests::{Answer, Claim, Claimed};
use fecha_core::count::evidence::sha256_hex;

/// The header with the key.
pub const HEADER: &str = "idempotency-key";
/// The header of an answer that was given before.
const REPLAYED: &str = "idempotency-replayed";
/// The most letters of a key.
pub const LONGEST: usize = 200;
/// The most bytes of a body.
const BODY: usize = 256 * 1024;
/// The most bytes of an answer that is kept.
const ANSWER: usize = 4 * 1024 * 1024;
/// How long whoever sends the same again waits for the answer to the first, and how often it is looked for.
const WAIT: Duration = Duration::from_secs(5);
const LOOK: Duration = Duration::from_millis(100);

/// The answer to a request that was carried out by a process that died before it could answer.
#[derive(Debug, Serialize, ToSchema)]
pub struct CarriedOut {
    /// It was: sent again, it was not done again.
    #[serde(rename = "carried_out")]
    is_done: bool,
    /// Since when it was in hand.
    #[schema(value_type = crate::actions::schema::Instant)]
    at: String,
    /// Where what it did is found.
    see: String,
}

/// Carries out a request with a key, unless it was. It goes on where nobody waits for the answer any more.
pub async fn carry_out(State(api): State<Api>, request: Request, next: Next) -> Response {
    let sent = match Sent::read(request).await {
        Ok(sent) => sent,
        Err(problem) => return problem.into_response(),
    };
    let done = tokio::spawn(async move { sent.answered(&api, next).await });
    if let Ok(answered) = done.await {
        return answered.into_response();
    }
    let words = "send the same with the same Idempotency-Key to learn what was done";
    Problem::new(Kind::Failed, words).into_response()
}

/// A request that was read.
struct Sent {
    request: Request,
    /// SHA-256 of the key and of who sent it.
    key: String,
    /// SHA-256 of the address and of the body.
    what: String,
    /// Where what it does is found.
    see: String,
}

impl Sent {
    async fn read(request: Request) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let caller = parts.extensions.get::<Caller>();
        let caller =
            caller.ok_or_else(|| Problem::new(Kind::Unauthorized, "no token was shown"))?;
        let key = format!("{} {}", caller.id, key(&parts.headers)?);
        let too_large =
            |_| Problem::new(Kind::TooLarge, format!("a body has at most {BODY} bytes"));
        let body: Bytes = to_bytes(body, BODY).await.map_err(too_large)?;
        let address = parts.uri.to_string();
        let what = [address.as_bytes(), b"\n", body.as_ref()].concat();
        Ok(Self {
            key: sha256_hex(key.as_bytes()),
            what: sha256_hex(&what),
            see: see(parts.uri.path()),
            request: Request::from_parts(parts, Body::from(body)),
        })
    }

    async fn answered(self, api: &Api, next: Next) -> Result<Response, Problem> {
        let mut waited = Duration::ZERO;
        loop {
            let now = api.office.clock.now();
            let claimed = api.office.ledger.claim_request(&self.key, &self.what, now).await?;
            let is_late = waited >= WAIT;
            match claimed {
                Claimed::Now(claim) => return first_time(api, claim, self.request, next).await,
                Claimed::Answered(answer) => return Ok(again(answer)),
                Claimed::Unanswered(at) if is_late => {
                    let at = at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
                    let answer = CarriedOut { is_done: true, at, see: self.see };
                    let body = serde_json::to_string(&answer).unwrap_or_default();
                    return Ok(again(Answer { status: 200, location: None, body }));
                }
                Claimed::Other => {
                    let words = "this Idempotency-Key came with another request: nothing was done";
                    return Err(Problem::new(Kind::KeyReused, words));
                }
                Claimed::InHand if is_late => {
                    let words =
                        "the request with this Idempotency-Key is being carried out: ask again";
                    return Err(Problem::new(Kind::InHand, words));
                }
                Claimed::InHand | Claimed::Unanswered(_) => {
                    sleep(LOOK).await;
                    waited += LOOK;
                }
            }
        }
    }
}

/// What a request without a readable key is told.
fn key(headers: &HeaderMap) -> Result<&str, Problem> {
    let no_key = || {
        let words = format!(
            "send the header Idempotency-Key: 1 to {LONGEST} visible letters, others for each deed; the same ones where it is sent again"
        );
        Problem::new(Kind::NoKey, words)
    };
    let key = headers.get(HEADER).ok_or_else(no_key)?.to_str().map_err(|_| no_key())?;
    let is_key = (1..=LONGEST).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_graphic());
    if is_key { Ok(key) } else { Err(no_key()) }
}

async fn first_time(
    api: &Api,
    claim: Claim,
    mut request: Request,
    next: Next,
) -> Result<Response, Problem> {
    request.extensions_mut().insert(claim.clone());
    let (parts, body) = next.run(request).await.into_parts();
    let body = to_bytes(body, ANSWER).await.unwrap_or_default();
    let ledger = &api.office.ledger;
    let kept = if parts.status.is_success() {
        let location = parts.headers.get(header::LOCATION);
        let answer = Answer {
            status: parts.status.as_u16(),
            location: location.and_then(|value| value.to_str().ok()).map(str::to_owned),
            body: String::from_utf8_lossy(&body).into_owned(),
        };
        ledger.answer_request(&claim, &answer).await
    } else {
        // It was refused: whoever sends it again is heard again.
        ledger.give_back_request(&claim).await
    };
    if let Err(error) = kept {
        tracing::warn!(%error, "how a request was answered is not kept");
    }
    Ok(Response::from_parts(parts, Body::from(body)))
}

/// An answer once more.
fn again(answer: Answer) -> Response {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK);
    let mut response = (status, answer.body).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(REPLAYED, HeaderValue::from_static("true"));
    if let Some(location) = answer.location.and_then(|text| HeaderValue::try_from(text).ok()) {
        headers.insert(header::LOCATION, location);
    }
    response
}

/// Where what was done at an address is found.
fn see(path: &str) -> String {
    let mut parts = path.split('/').skip(1);
    let (list, one) = (parts.next().unwrap_or_default(), parts.next());
    match (list, one) {
        ("months", Some(month)) => format!("{PATH}/tasks?month={month}"),
        ("outbox", Some(_)) => format!("{PATH}/outbox"),
        (list, Some(one)) => format!("{PATH}/{list}/{one}"),
        (list, None) => format!("{PATH}/{list}"),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("/months/2026-10/release", "/api/v1/tasks?month=2026-10")]
    #[case("/invoices/2026-000001/cancel", "/api/v1/invoices/2026-000001")]
    #[case("/payments", "/api/v1/payments")]
    #[case("/outbox/019a/resend", "/api/v1/outbox")]
    fn what_was_done_is_found(#[case] path: &str, #[case] expected: &str) {
        assert_eq!(see(path), expected);
    }

    #[rstest]
    #[case("019a4e6c", true)]
    #[case("", false)]
    #[case("a b", false)]
    fn keys(#[case] text: &str, #[case] expected: bool) {
        let headers = HeaderMap::from_iter([(
            header::HeaderName::from_static(HEADER),
            HeaderValue::from_str(text).unwrap(),
        )]);
        assert_eq!(key(&headers).is_ok(), expected);
    }
}
