//! Before an operation is carried out: who asks, and may they? Around all of them: limits, and headers.

use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use fecha_core::party::person::Role;
use tokio::time::timeout;

use super::caller::Caller;
use super::{Api, Kind, Problem};
use crate::actions::tokens;
use crate::setup::legible::is_legible;

/// How long the ledger may take to say whose a token is.
const ASKED: Duration = Duration::from_secs(8);
/// How long an answer may take: less than whoever serves waits.
const ANSWER: Duration = Duration::from_secs(25);

/// What the gate of some operations knows.
#[derive(Debug, Clone)]
pub struct Gate {
    /// Knows the tokens.
    pub api: Api,
    /// What is behind it takes this role.
    pub role: Role,
}

/// Lets a request pass that shows a token of the role.
pub async fn pass(State(gate): State<Gate>, mut request: Request, next: Next) -> Response {
    match caller(&gate, request.headers()).await {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Err(problem) => problem.into_response(),
    }
}

async fn caller(gate: &Gate, headers: &HeaderMap) -> Result<Caller, Problem> {
    let nobody = |detail: &str| Problem::new(Kind::Unauthorized, detail);
    let shown = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = shown.and_then(|value| value.split_once(' '));
    let token = token.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    let (_, token) = token.ok_or_else(|| {
        nobody("send the header Authorization: Bearer TOKEN; `fecha tokens add` makes one")
    })?;
    let known = timeout(ASKED, tokens::shown(&gate.api.office, token.trim())).await;
    let away = |_| Problem::new(Kind::Away, "the ledger does not answer: ask again");
    let known = known.map_err(away)??;
    let known = known.ok_or_else(|| nobody("the token is none, has ended, or was taken back"))?;
    let caller = Caller::of(&known);
    if caller.may(gate.role) {
        return Ok(caller);
    }
    let detail = format!("this takes the role {}; the token has {}", gate.role, known.role);
    Err(Problem::new(Kind::Forbidden, detail))
}

/// Lets requests pass whose address is text: no database keeps anything else.
pub async fn legible(request: Request, next: Next) -> Response {
    if is_legible(request.uri()) {
        return next.run(request).await;
    }
    Problem::new(Kind::BadRequest, "the address has signs that are no text").into_response()
}

/// What was asked for is carried out to its end, also where nobody waits for the answer any more.
pub async fn in_time(request: Request, next: Next) -> Response {
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    let late = if reads {
        "no answer came in time: ask again"
    } else {
        "no answer came in time: send the same with the same Idempotency-Key to learn what was done"
    };
    let answer = timeout(ANSWER, next.run(request)).await;
    answer.unwrap_or_else(|_| Problem::new(Kind::Away, late).into_response())
}

/// Of every answer.
pub async fn headers(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// The answer to an address that leads nowhere.
pub async fn nothing_here(request: Request) -> Problem {
    Problem::not_found(format!(
        "nothing is at {}: /api/v1/openapi.json lists all there is",
        request.uri().path()
    ))
}

/// The answer to what cannot be done at an address.
pub async fn not_so(request: Request) -> Problem {
    Problem::new(Kind::NotAllowed, format!("{} is not for this address", request.method()))
}
