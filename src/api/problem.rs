//! What stands instead of an answer (RFC 9457).

use std::fmt::Display;

use axum::Json;
use axum::extract::rejection::{JsonRejection, PathRejection, QueryRejection};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::ledger::LedgerError;

/// Why nothing was done, or nothing can be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The address or what is asked for in it cannot be read.
    BadRequest,
    /// There is no token, or none that serves.
    Unauthorized,
    /// The token's role does not do.
    Forbidden,
    /// There is no such thing.
    NotFound,
    /// There is such a thing, and that cannot be done with it.
    NotAllowed,
    /// What was sent cannot be meant.
    Invalid,
    /// What was sent is too large.
    TooLarge,
    /// What was sent is no JSON.
    NotJson,
    /// It cannot be done as things stand.
    Refused,
    /// What it is about has changed since it was looked at.
    Changed,
    /// The request came without a key.
    NoKey,
    /// The key came with another request before.
    KeyReused,
    /// The request with this key is being carried out.
    InHand,
    /// The ledger cannot be reached or written now.
    Away,
    /// It failed.
    Failed,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 15] = [
        Self::BadRequest,
        Self::Unauthorized,
        Self::Forbidden,
        Self::NotFound,
        Self::NotAllowed,
        Self::Invalid,
        Self::TooLarge,
        Self::NotJson,
        Self::Refused,
        Self::Changed,
        Self::NoKey,
        Self::KeyReused,
        Self::InHand,
        Self::Away,
        Self::Failed,
    ];

    /// Its HTTP status, the end of its `type`, and its `title`.
    #[must_use]
    pub fn words(self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Self::BadRequest => {
                (StatusCode::BAD_REQUEST, "bad-request", "The request cannot be read")
            }
            Self::Unauthorized => {
                (StatusCode::UNAUTHORIZED, "unauthorized", "A token that serves is missing")
            }
            Self::Forbidden => (StatusCode::FORBIDDEN, "forbidden", "The token's role does not do"),
            Self::NotFound => (StatusCode::NOT_FOUND, "not-found", "There is no such thing"),
            Self::NotAllowed => {
                (StatusCode::METHOD_NOT_ALLOWED, "not-allowed", "That cannot be done with it")
            }
            Self::Invalid => {
                (StatusCode::UNPROCESSABLE_ENTITY, "invalid", "What was sent cannot be meant")
            }
            Self::TooLarge => {
                (StatusCode::PAYLOAD_TOO_LARGE, "too-large", "What was sent is too large")
            }
            Self::NotJson => {
                (StatusCode::UNSUPPORTED_MEDIA_TYPE, "not-json", "What was sent is not JSON")
            }
            Self::Refused => (StatusCode::CONFLICT, "refused", "It cannot be done as things stand"),
            Self::Changed => {
                (StatusCode::CONFLICT, "changed", "It has changed since it was looked at")
            }
            Self::NoKey => (StatusCode::BAD_REQUEST, "no-key", "An Idempotency-Key is missing"),
            Self::KeyReused => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "key-reused",
                "The Idempotency-Key came with another request",
            ),
            Self::InHand => {
                (StatusCode::CONFLICT, "in-hand", "The request with this key is being carried out")
            }
            Self::Away => {
                (StatusCode::SERVICE_UNAVAILABLE, "away", "The ledger cannot be used now")
            }
            Self::Failed => (StatusCode::INTERNAL_SERVER_ERROR, "failed", "It failed"),
        }
    }
}

/// An answer that says why nothing was done, or nothing can be shown.
#[derive(Debug, Clone)]
pub struct Problem {
    /// What kind of problem it is.
    pub kind: Kind,
    /// In words, in English: what to do about it.
    pub detail: String,
}

/// A problem as it is sent.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemJson {
    /// `urn:fecha:problem:` and a word for the kind.
    #[schema(pattern = "^urn:fecha:problem:[a-z-]+$", examples("urn:fecha:problem:refused"))]
    r#type: String,
    /// The kind in words.
    title: String,
    /// The HTTP status.
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    /// What is the matter, and what to do.
    detail: String,
}

impl Problem {
    /// A problem in words.
    pub fn new(kind: Kind, detail: impl Display) -> Self {
        Self { kind, detail: detail.to_string() }
    }

    /// As things stand it cannot be done.
    pub fn refused(why: impl Display) -> Self {
        Self::new(Kind::Refused, why)
    }

    /// There is none.
    pub fn not_found(what: impl Display) -> Self {
        Self::new(Kind::NotFound, what)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (status, word, title) = self.kind.words();
        let json = ProblemJson {
            r#type: format!("urn:fecha:problem:{word}"),
            title: title.to_owned(),
            status: status.as_u16(),
            detail: self.detail,
        };
        let mut response = (status, Json(json)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        match self.kind {
            Kind::Unauthorized => {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            Kind::Away => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from_static("30"));
            }
            Kind::InHand => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
            }
            _ => {}
        }
        response
    }
}

impl From<LedgerError> for Problem {
    fn from(error: LedgerError) -> Self {
        tracing::error!(%error, "the interface");
        match error {
            LedgerError::Busy { .. } => {
                Self::new(Kind::Away, "the ledger is busy: nothing is half done, ask again")
            }
            LedgerError::NotWritable { .. } => Self::new(
                Kind::Away,
                "the ledger can be read but not written now: nothing is half done",
            ),
            LedgerError::TakenOver => Self::new(Kind::InHand, error),
            // Its words name the ledger's own address, which is nobody else's business.
            error if error.is_unreachable() => Self::new(
                Kind::Away,
                "the ledger cannot be reached: nothing is half done, ask again",
            ),
            _ => Self::new(Kind::Failed, "the daemon's log says why"),
        }
    }
}

impl From<QueryRejection> for Problem {
    fn from(rejection: QueryRejection) -> Self {
        Self::new(Kind::BadRequest, rejection.body_text())
    }
}

impl From<PathRejection> for Problem {
    /// An address in which what is looked for cannot be read leads nowhere.
    fn from(rejection: PathRejection) -> Self {
        Self::not_found(rejection.body_text())
    }
}

impl From<JsonRejection> for Problem {
    fn from(rejection: JsonRejection) -> Self {
        let kind = match &rejection {
            JsonRejection::JsonDataError(_) => Kind::Invalid,
            JsonRejection::MissingJsonContentType(_) => Kind::NotJson,
            JsonRejection::BytesRejection(_)
                if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE =>
            {
                Kind::TooLarge
            }
            _ => Kind::BadRequest,
        };
        Self::new(kind, rejection.body_text())
    }
}
