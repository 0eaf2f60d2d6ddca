//! What a mail server refuses everybody: a sender, a quota, all mail.

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::Row as _;

use super::{Ledger, LedgerError, corrupt, from_text, to_text};

/// The server refuses all mail: nothing was taken since it began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// When it was met last.
    pub at: DateTime<Utc>,
    /// What the server said.
    pub error: String,
    /// How many emails wait, those included that were not tried.
    pub waiting: u64,
}

/// What was on its way over other connections when the server began to refuse says nothing.
const ON_THEIR_WAY: TimeDelta = TimeDelta::seconds(30);

impl Ledger {
    /// Whether the server refuses everybody now: emails wait that met it, and none was taken since.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub async fn refusal(&self) -> Result<Option<Refusal>, LedgerError> {
        let failed = LedgerError::while_doing("read the outbox");
        let latest = sqlx::query(
            "SELECT refused_at, last_error FROM outbox
             WHERE state IN ('pending', 'sending') AND refused_at IS NOT NULL
             ORDER BY refused_at DESC, id DESC LIMIT 1",
        )
        .fetch_optional(&self.pool)
        .await
        .map_err(&failed)?;
        let Some(latest) = latest else { return Ok(None) };
        let at: String = latest.try_get(0).map_err(&failed)?;
        let error: Option<String> = latest.try_get(1).map_err(&failed)?;
        let at = from_text(&at)?;
        if self.others_taken_since(at).await? {
            return Ok(None);
        }
        let waiting: i64 = sqlx::query("SELECT COUNT(*) FROM outbox WHERE state = 'pending'")
            .fetch_one(&self.pool)
            .await
            .and_then(|row| row.try_get(0))
            .map_err(&failed)?;
        let waiting = u64::try_from(waiting).map_err(corrupt)?;
        Ok(Some(Refusal { at, error: error.unwrap_or_default(), waiting }))
    }

    /// Whether the server took any email after a refusal at this instant.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub async fn others_taken_since(&self, refused_at: DateTime<Utc>) -> Result<bool, LedgerError> {
        let sql = "SELECT id FROM outbox WHERE state = 'sent' AND sent_at > $1 LIMIT 1";
        let found = sqlx::query(sql)
            .bind(to_text(refused_at + ON_THEIR_WAY))
            .fetch_optional(&self.pool)
            .await
            .map_err(LedgerError::while_doing("read the outbox"))?;
        Ok(found.is_some())
    }

    /// Emails that were taken to have failed wait again: what they met was everybody's trouble. Whoever
    /// leads: it is a fact.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be written; nothing is changed then.
    pub async fn take_back_failures(
        &self,
        ids: &[String],
        now: DateTime<Utc>,
    ) -> Result<(), LedgerError> {
        let failed = LedgerError::while_doing("put back an email");
        let mut transaction = self.begin_whoever_leads().await?;
        for id in ids {
            sqlx::query(
                "UPDATE outbox SET state = 'pending', next_attempt_at = $1, attempts = attempts - 1,
                     first_attempt_at = CASE WHEN attempts = 1 THEN NULL ELSE first_attempt_at END,
                     refused_at = $1
                 WHERE id = $2 AND state = 'failed'",
            )
            .bind(to_text(now))
            .bind(id.clone())
            .execute(&mut *transaction)
            .await
            .map_err(&failed)?;
        }
        transaction.commit().await.map_err(&failed)
    }
}
