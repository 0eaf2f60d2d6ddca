//! The outbox as people see it.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use crate::actions::schema;
use crate::ledger::LedgerError;
use crate::ledger::outbox::{ListedEmail, WantedEmails};
use crate::setup::office::Office;
use fecha_core::bill::invoice::Number;
use fecha_core::letter::{Kind, LetterState};
use fecha_core::party::register::EmailAddress;

/// One email as `fecha outbox --json` has it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Email)]
#[expect(missing_docs, reason = "the keys of spec §3.4")]
pub struct EmailJson<'a> {
    pub id: &'a str,
    #[schema(value_type = schema::EmailKind)]
    pub kind: Kind,
    #[schema(required, value_type = Option<schema::InvoiceNumber>)]
    pub number: Option<Number>,
    #[schema(value_type = String)]
    pub to: &'a EmailAddress,
    pub subject: &'a str,
    pub message_id: &'a str,
    #[schema(value_type = schema::EmailState)]
    pub state: LetterState,
    pub attempts: u32,
    #[schema(value_type = schema::Instant)]
    pub queued_at: String,
    #[schema(required, value_type = Option<schema::Instant>)]
    pub sent_at: Option<String>,
    #[schema(required, value_type = Option<schema::Instant>)]
    pub next_attempt_at: Option<String>,
    #[schema(required)]
    pub last_error: Option<&'a str>,
}

impl<'a> EmailJson<'a> {
    /// What JSON says of an email.
    #[must_use]
    pub fn of(email: &'a ListedEmail) -> Self {
        let text = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Secs, true);
        Self {
            id: &email.id,
            kind: email.kind,
            number: email.number,
            to: email.to(),
            subject: &email.subject,
            message_id: &email.message_id,
            state: email.state,
            attempts: email.attempts,
            queued_at: text(email.queued_at),
            sent_at: email.sent_at.map(text),
            next_attempt_at: email.next_attempt_at.map(text),
            last_error: email.last_error.as_deref(),
        }
    }
}

/// The emails that are asked for, oldest first.
///
/// # Errors
/// [`LedgerError`] where the ledger cannot be read.
pub async fn outbox(
    office: &Office,
    wanted: WantedEmails,
) -> Result<Vec<ListedEmail>, LedgerError> {
    office.ledger.emails(wanted).await
}
