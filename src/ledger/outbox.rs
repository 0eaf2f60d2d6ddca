//! The outbox: emails queued by the transaction that gives cause for them.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sqlx::any::AnyRow;
use sqlx::{Any, AssertSqlSafe, Row as _, Transaction};

use super::invoices::optional_instant;
use super::{Ledger, LedgerError, corrupt, json, new_id, to_text};
use fecha_core::bill::digest::FailedDelivery;
use fecha_core::bill::invoice::Number;
use fecha_core::calendar::month::Month;
use fecha_core::letter::{Content, Kind, Letter, LetterState, Matter};
use fecha_core::party::register::EmailAddress;

/// A letter in the outbox.
#[derive(Debug, Clone)]
pub struct Queued {
    /// Sorts by the time of queueing.
    pub id: String,
    /// What it is about.
    pub kind: Kind,
    /// Of the invoice it is about.
    pub number: Option<Number>,
    /// For whom it is.
    pub recipient: EmailAddress,
    /// Who gets it instead.
    pub redirected_to: Option<EmailAddress>,
    /// What it is made from.
    pub content: Content,
    /// Its subject.
    pub subject: String,
    /// The same over every retry.
    pub message_id: String,
    /// Where it stands.
    pub state: LetterState,
    /// Attempts begun.
    pub attempts: u32,
    /// When the first one began.
    pub first_attempt_at: Option<DateTime<Utc>>,
    /// When the next is due.
    pub next_attempt_at: Option<DateTime<Utc>>,
    /// When it was queued.
    pub created_at: DateTime<Utc>,
    /// How often it may have been delivered twice.
    pub maybe_twice: u32,
    /// Why the last attempt failed.
    pub last_error: Option<String>,
    /// When the server last refused everybody while it had this one.
    pub refused_at: Option<DateTime<Utc>>,
}

impl Queued {
    /// Who gets it.
    #[must_use]
    pub fn to(&self) -> &EmailAddress {
        self.redirected_to.as_ref().unwrap_or(&self.recipient)
    }
}

/// A letter as lists show it: without what it is made from.
#[derive(Debug, Clone)]
pub struct ListedEmail {
    /// Sorts by the time of queueing.
    pub id: String,
    /// What it is about.
    pub kind: Kind,
    /// Of the invoice it is about.
    pub number: Option<Number>,
    /// For whom it is.
    pub recipient: EmailAddress,
    /// Who gets it instead.
    pub redirected_to: Option<EmailAddress>,
    /// Its subject.
    pub subject: String,
    /// The same over every retry.
    pub message_id: String,
    /// Where it stands.
    pub state: LetterState,
    /// Attempts begun.
    pub attempts: u32,
    /// When it was queued.
    pub queued_at: DateTime<Utc>,
    /// When it was taken.
    pub sent_at: Option<DateTime<Utc>>,
    /// When the next is due.
    pub next_attempt_at: Option<DateTime<Utc>>,
    /// How often it may have been delivered twice.
    pub maybe_twice: u32,
    /// Why the last attempt failed.
    pub last_error: Option<String>,
}

impl ListedEmail {
    /// Who gets it.
    #[must_use]
    pub fn to(&self) -> &EmailAddress {
        self.redirected_to.as_ref().unwrap_or(&self.recipient)
    }
}

/// Which emails are asked for.
#[derive(Debug, Clone, Copy, Default)]
pub struct WantedEmails {
    /// Only those in this state, found by an index.
    pub state: Option<LetterState>,
    /// Only those about this month: its invoices, reports and alerts, warnings of package use, and the reminders
    /// of its days.
    pub month: Option<Month>,
}

/// What [`email`] reads.
pub(super) const COLUMNS: &str = "SELECT id, kind, recipient, redirected_to, number, content, subject, message_id, state, attempts,
       created_at, first_attempt_at, next_attempt_at, maybe_twice, last_error, refused_at FROM outbox";

/// What [`listed`] reads, of the table `o`.
pub(super) const LISTED: &str = "SELECT o.id, o.kind, o.recipient, o.redirected_to, o.number, o.subject, o.message_id, o.state, o.attempts,
       o.created_at, o.sent_at, o.next_attempt_at, o.maybe_twice, o.last_error FROM outbox o";

impl Ledger {
    /// How many emails with invoices of a month are in each state.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub async fn emails_of_month(
        &self,
        month: Month,
    ) -> Result<BTreeMap<String, i64>, LedgerError> {
        let failed = LedgerError::while_doing("read the outbox");
        let rows = sqlx::query(
            "SELECT o.state, COUNT(*) FROM invoice i JOIN outbox o ON o.number = i.number
             WHERE i.month = $1 GROUP BY o.state",
        )
        .bind(month.to_string())
        .fetch_all(&self.pool)
        .await
        .map_err(&failed)?;
        rows.iter()
            .map(|row| Ok((row.try_get(0)?, row.try_get(1)?)))
            .collect::<Result<_, _>>()
            .map_err(failed)
    }

    /// Emails with invoices of `since` or later that failed and were not queued again, by invoice.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub async fn failed_deliveries(
        &self,
        since: Month,
    ) -> Result<Vec<FailedDelivery>, LedgerError> {
        let rows = sqlx::query(
            "SELECT o.cause, o.recipient, o.last_error FROM outbox o JOIN invoice i ON i.number = o.number
             WHERE o.kind = 'invoice' AND o.state = 'failed' AND i.month >= $1 AND NOT EXISTS (
                 SELECT 1 FROM outbox later
                 WHERE later.kind = o.kind AND later.cause = o.cause AND later.resend > o.resend)
             ORDER BY o.cause, o.recipient",
        )
        .bind(since.to_string())
        .fetch_all(&self.pool)
        .await
        .map_err(LedgerError::while_doing("read the outbox"))?;
        let failed = |row: &AnyRow| {
            let error: Option<String> = row.try_get("last_error")?;
            Ok(FailedDelivery {
                label: row.try_get("cause")?,
                recipient: EmailAddress::trusted(row.try_get("recipient")?),
                error: error.unwrap_or_default(),
            })
        };
        rows.iter().map(failed).collect::<Result<_, sqlx::Error>>().map_err(corrupt)
    }

    /// The emails that are asked for, oldest first.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub async fn emails(&self, wanted: WantedEmails) -> Result<Vec<ListedEmail>, LedgerError> {
        let (mut conditions, mut values) = (Vec::new(), Vec::new());
        if let Some(state) = wanted.state {
            values.push(state.key().to_owned());
            conditions.push("state = $1".to_owned());
        }
        if let Some(month) = wanted.month {
            let first = values.len() + 1;
            values.extend([month.to_string(), format!("{month}%"), format!("% {month}")]);
            // What is about no invoice has its month, or its day, in its cause.
            conditions.push(format!(
                "(number IN (SELECT number FROM invoice WHERE month = ${first})
                  OR number IS NULL AND (cause LIKE ${} OR cause LIKE ${}))",
                first + 1,
                first + 2
            ));
        }
        let condition = match conditions.as_slice() {
            [] => String::new(),
            conditions => format!("WHERE {}", conditions.join(" AND ")),
        };
        let sql = format!("{LISTED} {condition} ORDER BY o.id");
        let rows = values
            .into_iter()
            .fold(sqlx::query(AssertSqlSafe(sql)), sqlx::query::Query::bind)
            .fetch_all(&self.pool)
            .await
            .map_err(LedgerError::while_doing("read the outbox"))?;
        rows.iter().map(listed).collect()
    }

    /// What the emails about the invoices of a month are made from, those that were withdrawn left out.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub async fn emailed(&self, month: Month) -> Result<Vec<Content>, LedgerError> {
        let rows = sqlx::query(
            "SELECT o.content FROM invoice i JOIN outbox o ON o.number = i.number
             WHERE i.month = $1 AND o.state <> 'withdrawn'",
        )
        .bind(month.to_string())
        .fetch_all(&self.pool)
        .await
        .map_err(LedgerError::while_doing("read the outbox"))?;
        let content = |row: &AnyRow| {
            let content: String = row.try_get(0).map_err(corrupt)?;
            serde_json::from_str(&content).map_err(corrupt)
        };
        rows.iter().map(content).collect()
    }
}

/// Queues a letter, once: the same kind, cause, recipient and resend count are one letter.
pub(crate) async fn queue(
    transaction: &mut Transaction<'static, Any>,
    letter: &Letter,
    now: DateTime<Utc>,
) -> Result<(), LedgerError> {
    let Matter { cause, subject, content } = letter.matter();
    sqlx::query(
        "INSERT INTO outbox (id, kind, cause, recipient, redirected_to, resend, number, content, subject,
             message_id, state, attempts, created_at, next_attempt_at, maybe_twice)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'pending', 0, $11, $11, 0)
         ON CONFLICT (kind, cause, recipient, resend) DO NOTHING",
    )
    .bind(new_id(now))
    .bind(content.kind().key().to_owned())
    .bind(cause.clone())
    .bind(letter.recipient().to_string())
    .bind(letter.redirected_to().map(ToString::to_string))
    .bind(i64::from(letter.resend()))
    .bind(content.number().map(|number| number.to_string()))
    .bind(json(content)?)
    .bind(subject.clone())
    .bind(letter.message_id().to_owned())
    .bind(to_text(now))
    .execute(&mut **transaction)
    .await
    .map_err(LedgerError::while_doing("queue an email"))?;
    Ok(())
}

/// Withdraws every email about an invoice that was not sent. One whose sending is under way is
/// recorded as sent if it still gets through, and else is not tried again.
pub(crate) async fn withdraw(
    transaction: &mut Transaction<'static, Any>,
    number: Number,
) -> Result<(), LedgerError> {
    sqlx::query(
        "UPDATE outbox SET state = 'withdrawn', next_attempt_at = NULL, lease_until = NULL
         WHERE number = $1 AND kind = 'invoice' AND state IN ('pending', 'sending', 'failed')",
    )
    .bind(number.to_string())
    .execute(&mut **transaction)
    .await
    .map_err(LedgerError::while_doing("withdraw emails"))?;
    Ok(())
}

/// What [`LISTED`] gives; for the modules beside this one.
pub(super) fn listed(row: &AnyRow) -> Result<ListedEmail, LedgerError> {
    let text = |column: &str| row.try_get::<String, _>(column).map_err(corrupt);
    let optional = |column: &str| row.try_get::<Option<String>, _>(column).map_err(corrupt);
    let count = |column: &str| {
        u32::try_from(row.try_get::<i64, _>(column).map_err(corrupt)?).map_err(corrupt)
    };
    let named = |name: String| serde_json::Value::String(name);
    Ok(ListedEmail {
        id: text("id")?,
        kind: serde_json::from_value(named(text("kind")?)).map_err(corrupt)?,
        number: optional("number")?.map(|number| number.parse().map_err(corrupt)).transpose()?,
        recipient: EmailAddress::trusted(text("recipient")?),
        redirected_to: optional("redirected_to")?.map(EmailAddress::trusted),
        subject: text("subject")?,
        message_id: text("message_id")?,
        state: serde_json::from_value(named(text("state")?)).map_err(corrupt)?,
        attempts: count("attempts")?,
        queued_at: super::from_text(&text("created_at")?)?,
        sent_at: optional_instant(row, "sent_at")?,
        next_attempt_at: optional_instant(row, "next_attempt_at")?,
        maybe_twice: count("maybe_twice")?,
        last_error: optional("last_error")?,
    })
}

pub(super) fn email(row: &AnyRow) -> Result<Queued, LedgerError> {
    let text = |column: &str| row.try_get::<String, _>(column).map_err(corrupt);
    let optional = |column: &str| row.try_get::<Option<String>, _>(column).map_err(corrupt);
    let count = |column: &str| {
        u32::try_from(row.try_get::<i64, _>(column).map_err(corrupt)?).map_err(corrupt)
    };
    let named = |name: String| serde_json::Value::String(name);
    Ok(Queued {
        id: text("id")?,
        kind: serde_json::from_value(named(text("kind")?)).map_err(corrupt)?,
        number: optional("number")?.map(|number| number.parse().map_err(corrupt)).transpose()?,
        recipient: EmailAddress::trusted(text("recipient")?),
        redirected_to: optional("redirected_to")?.map(EmailAddress::trusted),
        content: serde_json::from_str(&text("content")?).map_err(corrupt)?,
        subject: text("subject")?,
        message_id: text("message_id")?,
        state: serde_json::from_value(named(text("state")?)).map_err(corrupt)?,
        attempts: count("attempts")?,
        first_attempt_at: optional_instant(row, "first_attempt_at")?,
        next_attempt_at: optional_instant(row, "next_attempt_at")?,
        created_at: super::from_text(&text("created_at")?)?,
        maybe_twice: count("maybe_twice")?,
        last_error: optional("last_error")?,
        refused_at: optional_instant(row, "refused_at")?,
    })
}
