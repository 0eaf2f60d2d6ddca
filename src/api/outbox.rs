//! The emails, and one that failed sent again.

use axum::Json;
use axum::extract::State;
use axum::http::Uri;
use serde::Deserialize;
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::body::{Asked, Body, Named};
use super::caller::Doer;
use super::list::{Limit, Rows, rows};
use super::{Api, Kind, Problem};
use crate::actions::outbox::EmailJson;
use crate::actions::resend::{self, ResendError, Resent};
use crate::actions::schema;
use crate::ledger::pages::{Order, Slice};
use crate::letters::mailbox;
use fecha_core::letter::LetterState;
use fecha_core::party::register::EmailAddress;

/// Which emails are asked for.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Wanted {
    /// In this state.
    #[param(value_type = Option<schema::EmailState>, nullable = false)]
    state: Option<LetterState>,
    /// Behind the email of this id.
    #[param(value_type = Option<schema::Text>, nullable = false)]
    after: Option<String>,
    /// So many at most.
    #[serde(default)]
    #[param(value_type = Option<u16>, nullable = false, minimum = 1, maximum = 200, default = 50)]
    limit: Limit,
}

/// Every email and its state, the oldest first.
#[utoipa::path(get, path = "/outbox", tag = "outbox", params(Wanted), responses((status = 200, body = Vec<EmailJson<'_>>)))]
pub async fn list(
    State(api): State<Api>,
    uri: Uri,
    Asked(asked): Asked<Wanted>,
) -> Result<Rows<Value>, Problem> {
    let slice = Slice { most: asked.limit.rows(), order: Order::OldestFirst };
    let ledger = &api.office.ledger;
    let page = ledger.emails_page(asked.state, asked.after.as_deref(), slice).await?;
    let emails = page.rows.iter().map(|email| serde_json::json!(EmailJson::of(email))).collect();
    Ok(rows(emails, &uri, page.next))
}

/// To whom emails go again.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Again {
    /// Another address; without it those that the register has.
    #[schema(value_type = Option<String>, format = Email, max_length = 254)]
    to: Option<String>,
}

impl Again {
    /// The address, if there is one.
    ///
    /// # Errors
    /// [`Problem`] where no server would take it.
    pub fn to(&self) -> Result<Option<EmailAddress>, Problem> {
        let refused = |error| Problem::new(Kind::Refused, error);
        self.to.as_deref().map(mailbox::address).transpose().map_err(refused)
    }
}

impl From<ResendError> for Problem {
    fn from(error: ResendError) -> Self {
        match error {
            ResendError::Ledger(error) => error.into(),
            ResendError::Unknown(_) => Self::not_found(error),
            other => Self::refused(other),
        }
    }
}

/// Queues an email that failed again, under a new Message-ID.
#[utoipa::path(post, path = "/outbox/{id}/resend", tag = "outbox", params(("id" = schema::Text, Path)), request_body = Again, responses((status = 201, body = Resent)))]
pub async fn resend(
    State(api): State<Api>,
    doer: Doer,
    Named(id): Named<String>,
    Body(again): Body<Again>,
) -> Result<(axum::http::StatusCode, Json<Resent>), Problem> {
    let resent = resend::one(&doer.office, &id, again.to()?, &doer.caller.name).await?;
    api.bell.post.notify_waiters();
    Ok((axum::http::StatusCode::CREATED, Json(resent)))
}
