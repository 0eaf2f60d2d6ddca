//! The outbox: emails queued by the transaction that gives cause for them, claimed one by one.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use sqlx::any::AnyRow;
use sqlx::{Any, Row as _, Transaction};

use super::invoices::optional_instant;
use super::{Ledger, LedgerError, corrupt, json, to_text};
use crate::billing::invoice::{Cancellation, Number};
use crate::billing::month::Month;
use crate::billing::package_use::PackageUse;
use crate::billing::register::EmailAddress;
use crate::mail::template::Alert;
use crate::report::FailedDelivery;
use crate::report::archive::Part;

/// How long a worker may take for one email before another may have it: longer than the longest
/// answer of a server (RFC 5321 §4.5.3.2: 10 minutes after DATA, 5 for each step before).
const LEASE: TimeDelta = TimeDelta::minutes(45);

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

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Attempt {
    /// The server took it.
    Sent,
    /// To be tried again at this instant.
    Retry {
        /// When.
        at: DateTime<Utc>,
        /// Why.
        error: String,
        /// The server may have taken it: the line was lost before its answer.
        maybe_delivered: bool,
    },
    /// Over, without success.
    Failed {
        /// Why.
        error: String,
    },
    /// Not begun: the server was away, which is nobody's failure. Does not count as an attempt.
    NotBegun {
        /// Why.
        error: String,
    },
}

const COLUMNS: &str = "SELECT id, kind, recipient, redirected_to, number, content, subject, message_id, state, attempts,
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
        let rows = sqlx::query(sqlx::AssertSqlSafe(format!("{COLUMNS} ORDER BY id")))
            .fetch_all(&self.pool)
            .await
            .map_err(LedgerError::while_doing("read the outbox"))?;
        let mut emails: Vec<_> = rows.iter().map(email).collect::<Result<_, _>>()?;
        emails.retain(|email: &Email| state.is_none_or(|state| email.state == state));
        Ok(emails)
    }

    /// Claims the email that has been due longest, for the time of a lease; `None` where nothing is
    /// due. A first attempt is always due, whatever became of the clock since it was queued. Two workers
    /// never get the same one; one whose worker died comes back. `in_hand` are ids that this process is
    /// sending: those do not come back to it, even where the clock was stepped over their lease.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be written.
    pub async fn claim_email(
        &self,
        now: DateTime<Utc>,
        in_hand: &[String],
    ) -> Result<Option<Email>, LedgerError> {
        let failed = LedgerError::while_doing("claim an email");
        let in_hand = in_hand.join(" ");
        loop {
            let due = sqlx::query(sqlx::AssertSqlSafe(format!(
                "{COLUMNS} WHERE state = 'pending' AND (attempts = 0 OR next_attempt_at <= $1)
                     OR state = 'sending' AND lease_until <= $1 AND $2 NOT LIKE '%' || id || '%'
                 ORDER BY next_attempt_at, id LIMIT 1"
            )))
            .bind(to_text(now))
            .bind(in_hand.clone())
            .fetch_optional(&self.pool)
            .await
            .map_err(&failed)?;
            let Some(row) = due else { return Ok(None) };
            let email = email(&row)?;
            // Claimed only if nobody else did in between: the count of attempts tells.
            let claimed = sqlx::query(
                "UPDATE outbox SET state = 'sending', attempts = attempts + 1, lease_until = $1,
                     first_attempt_at = COALESCE(first_attempt_at, $2)
                 WHERE id = $3 AND attempts = $4 AND state IN ('pending', 'sending')
                     AND (state = 'pending' OR lease_until <= $2)",
            )
            .bind(to_text(now + LEASE))
            .bind(to_text(now))
            .bind(email.id.clone())
            .bind(i64::from(email.attempts))
            .execute(&self.pool)
            .await
            .map_err(&failed)?;
            if claimed.rows_affected() == 1 {
                let first_attempt_at = email.first_attempt_at.or(Some(now));
                let attempts = email.attempts + 1;
                return Ok(Some(Email {
                    state: State::Sending,
                    attempts,
                    first_attempt_at,
                    ..email
                }));
            }
        }
    }

    /// Records how the claimed attempt ended.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be written.
    pub async fn record_attempt(
        &self,
        email: &Email,
        attempt: &Attempt,
        now: DateTime<Utc>,
    ) -> Result<(), LedgerError> {
        let (state, next, error, maybe) = match attempt {
            Attempt::Sent => ("sent", None, None, false),
            Attempt::Retry { at, error, maybe_delivered } => {
                ("pending", Some(*at), Some(error), *maybe_delivered)
            }
            Attempt::Failed { error } => ("failed", None, Some(error), false),
            Attempt::NotBegun { error } => ("pending", email.next_attempt_at, Some(error), false),
        };
        let begun = i64::from(!matches!(attempt, Attempt::NotBegun { .. }));
        sqlx::query(
            "UPDATE outbox SET state = $1, next_attempt_at = $2, lease_until = NULL,
                 last_error = $3, maybe_twice = maybe_twice + $4, sent_at = $5, attempts = $6,
                 first_attempt_at = CASE WHEN $6 = 0 THEN NULL ELSE first_attempt_at END
             WHERE id = $7 AND attempts = $8
                 AND (state = 'sending' OR state = 'withdrawn' AND $1 = 'sent')",
        )
        .bind(state.to_owned())
        .bind(next.map(to_text))
        .bind(error.cloned())
        .bind(i64::from(maybe))
        .bind((*attempt == Attempt::Sent).then(|| to_text(now)))
        .bind(i64::from(email.attempts) - 1 + begun)
        .bind(email.id.clone())
        .bind(i64::from(email.attempts))
        .execute(&self.pool)
        .await
        .map_err(LedgerError::while_doing("record a delivery"))?;
        Ok(())
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

fn email(row: &AnyRow) -> Result<Email, LedgerError> {
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
