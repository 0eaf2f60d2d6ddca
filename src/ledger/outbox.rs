//! The outbox: emails queued by the transaction that gives cause for them.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::any::AnyRow;
use sqlx::{Any, AssertSqlSafe, Row as _, Transaction};

use super::invoices::optional_instant;
use super::{Ledger, LedgerError, corrupt, json, to_text};
use crate::billing::invoice::{Cancellation, Number};
use crate::billing::month::Month;
use crate::billing::package_use::PackageUse;
use crate::billing::register::EmailAddress;
use crate::mail::template::Alert;
use crate::report::FailedDelivery;
use crate::report::archive::Part;

/// What an email is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the spec's own names")]
pub enum Kind {
    Invoice,
    Digest,
    Alert,
    PackageUse,
}

/// Where an email stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the spec's own names")]
pub enum State {
    Pending,
    Sending,
    Sent,
    Failed,
    Withdrawn,
}

/// What an email is made from when it is sent; documents lie in the ledger, unchanged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "content")]
pub enum Content {
    /// Invoice and statement to a dealership.
    Invoice {
        /// The invoice.
        number: Number,
        /// Which revision of it.
        revision: u32,
        /// Whether the evidence goes with it: kept, so that every attempt sends the same bytes.
        #[serde(default)]
        evidence: bool,
    },
    /// To a dealership whose invoice is void, or a copy of it to finance.
    Cancellation {
        /// The invoice.
        number: Number,
        /// The revision that stood.
        revision: u32,
        /// Why it is void.
        cancellation: Cancellation,
        /// It is the copy to finance.
        #[serde(default)]
        is_copy: bool,
    },
    /// A report to finance, or one part of it.
    Digest {
        /// The month.
        month: Month,
        /// The number of the report in the month.
        sequence: u32,
        /// Which part of it.
        part: Part,
    },
    /// To a dealership that has used so much of its package.
    PackageUse {
        /// All that it says.
        package_use: Box<PackageUse>,
    },
    /// A call for a person.
    Alert {
        /// All that it says.
        alert: Alert,
    },
}

/// An email to be queued.
#[derive(Debug, Clone)]
pub struct NewEmail {
    /// What it is about.
    pub kind: Kind,
    /// The reason for it; with kind, recipient and resend count it can be queued once.
    pub cause: String,
    /// For whom it is.
    pub recipient: EmailAddress,
    /// Who gets it instead.
    pub redirected_to: Option<EmailAddress>,
    /// 0 for the first, counted up by `resend`.
    pub resend: u32,
    /// Of the invoice it is about.
    pub number: Option<Number>,
    /// What it is made from.
    pub content: Content,
    /// Its subject.
    pub subject: String,
    /// Its Message-ID.
    pub message_id: String,
}

/// An email in the outbox.
#[derive(Debug, Clone)]
pub struct Email {
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
    pub state: State,
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
}

impl Email {
    /// Who gets it.
    #[must_use]
    pub fn to(&self) -> &EmailAddress {
        self.redirected_to.as_ref().unwrap_or(&self.recipient)
    }
}

/// What [`email`] reads.
pub(super) const COLUMNS: &str = "SELECT id, kind, recipient, redirected_to, number, content, subject, message_id, state, attempts,
       created_at, first_attempt_at, next_attempt_at, maybe_twice, last_error FROM outbox";

impl Ledger {
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

    /// Every email, oldest first; only those in `state` where one is given.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub async fn emails(&self, state: Option<State>) -> Result<Vec<Email>, LedgerError> {
        let rows = sqlx::query(AssertSqlSafe(format!("{COLUMNS} ORDER BY id")))
            .fetch_all(&self.pool)
            .await
            .map_err(LedgerError::while_doing("read the outbox"))?;
        let mut emails: Vec<_> = rows.iter().map(email).collect::<Result<_, _>>()?;
        emails.retain(|email: &Email| state.is_none_or(|state| email.state == state));
        Ok(emails)
    }

    /// Queues emails again, each under the next resend count of its recipient.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be written.
    pub async fn queue_again(
        &self,
        emails: Vec<NewEmail>,
        now: DateTime<Utc>,
        audit: &super::audit::Entry<'_>,
    ) -> Result<(), LedgerError> {
        let failed = LedgerError::while_doing("queue an email");
        let mut transaction = self.begin().await?;
        for mut email in emails {
            let next: i64 = sqlx::query(
                "SELECT COALESCE(MAX(resend), 0) + 1 FROM outbox WHERE cause = $1 AND recipient = $2",
            )
            .bind(email.cause.clone())
            .bind(email.recipient.to_string())
            .fetch_one(&mut *transaction)
            .await
            .and_then(|row| row.try_get(0))
            .map_err(&failed)?;
            email.resend = u32::try_from(next).map_err(corrupt)?;
            queue(&mut transaction, &email, now).await?;
        }
        audit.write(&mut transaction).await?;
        transaction.commit().await.map_err(&failed)
    }
}

/// Queues an email, once: the same kind, cause, recipient and resend count are one email.
pub(crate) async fn queue(
    transaction: &mut Transaction<'static, Any>,
    email: &NewEmail,
    now: DateTime<Utc>,
) -> Result<(), LedgerError> {
    let kind = match email.kind {
        Kind::Invoice => "invoice",
        Kind::Digest => "digest",
        Kind::Alert => "alert",
        Kind::PackageUse => "package_use",
    };
    sqlx::query(
        "INSERT INTO outbox (id, kind, cause, recipient, redirected_to, resend, number, content, subject,
             message_id, state, attempts, created_at, next_attempt_at, maybe_twice)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'pending', 0, $11, $11, 0)
         ON CONFLICT (kind, cause, recipient, resend) DO NOTHING",
    )
    .bind(uuid::Uuid::now_v7().to_string())
    .bind(kind.to_owned())
    .bind(email.cause.clone())
    .bind(email.recipient.to_string())
    .bind(email.redirected_to.as_ref().map(ToString::to_string))
    .bind(i64::from(email.resend))
    .bind(email.number.map(|number| number.to_string()))
    .bind(json(&email.content)?)
    .bind(email.subject.clone())
    .bind(email.message_id.clone())
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

pub(super) fn email(row: &AnyRow) -> Result<Email, LedgerError> {
    let text = |column: &str| row.try_get::<String, _>(column).map_err(corrupt);
    let optional = |column: &str| row.try_get::<Option<String>, _>(column).map_err(corrupt);
    let count = |column: &str| {
        u32::try_from(row.try_get::<i64, _>(column).map_err(corrupt)?).map_err(corrupt)
    };
    let named = |name: String| serde_json::Value::String(name);
    Ok(Email {
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
    })
}
