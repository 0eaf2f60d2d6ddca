//! What the daemon decides from: its first month, what a person released, and how much waits.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sqlx::Row as _;
use sqlx::any::AnyRow;

use super::{Ledger, LedgerError, corrupt, from_text};
use fecha_core::calendar::month::Month;

/// How much there is of everything, for whoever watches.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Census {
    /// Months by `open`, `held` and `closed`.
    pub closings: BTreeMap<String, i64>,
    /// Invoices that are not cancelled.
    pub invoices: i64,
    /// Emails by state.
    pub outbox: BTreeMap<String, i64>,
    /// When the oldest email that still waits was queued.
    pub oldest_pending: Option<DateTime<Utc>>,
}

/// Emails that failed for good.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FailedEmails {
    /// How many there are; alerts do not count.
    pub count: u64,
    /// The latest of them: to whom, about what, why.
    pub latest: Vec<[String; 3]>,
}

impl Ledger {
    /// Asks the ledger for nothing: whether it answers.
    ///
    /// # Errors
    /// [`LedgerError`] where it does not.
    pub async fn ping(&self) -> Result<(), LedgerError> {
        let asked = sqlx::query("SELECT 1").execute(&self.pool).await;
        asked.map(|_| ()).map_err(LedgerError::while_doing("answer"))
    }

    /// The first month that the daemon closes by itself: `month`, said by its very first start, or what
    /// that start said.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be written.
    pub async fn first_month(&self, month: Month) -> Result<Month, LedgerError> {
        let failed = LedgerError::while_doing("keep the first month of the daemon");
        sqlx::query("INSERT INTO meta (name, value) VALUES ('first_month', $1) ON CONFLICT (name) DO NOTHING")
            .bind(month.to_string())
            .execute(&self.pool)
            .await
            .map_err(&failed)?;
        let kept: String = sqlx::query("SELECT value FROM meta WHERE name = 'first_month'")
            .fetch_one(&self.pool)
            .await
            .and_then(|row| row.try_get(0))
            .map_err(&failed)?;
        kept.parse().map_err(corrupt)
    }

    /// Whether a person has ever released the close of a month.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub async fn is_released(&self, month: Month) -> Result<bool, LedgerError> {
        let releases: i64 =
            sqlx::query("SELECT COUNT(*) FROM audit WHERE action = 'release' AND month = $1")
                .bind(month.to_string())
                .fetch_one(&self.pool)
                .await
                .and_then(|row| row.try_get(0))
                .map_err(LedgerError::while_doing("read what was released"))?;
        Ok(releases > 0)
    }

    /// The emails that failed for good; the latest ten in words.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub async fn failed_emails(&self) -> Result<FailedEmails, LedgerError> {
        let failed = LedgerError::while_doing("read the outbox");
        let count: i64 =
            sqlx::query("SELECT COUNT(*) FROM outbox WHERE state = 'failed' AND kind <> 'alert'")
                .fetch_one(&self.pool)
                .await
                .and_then(|row| row.try_get(0))
                .map_err(&failed)?;
        let rows = sqlx::query(
            "SELECT COALESCE(redirected_to, recipient), subject, COALESCE(last_error, '') FROM outbox
             WHERE state = 'failed' AND kind <> 'alert' ORDER BY id DESC LIMIT 10",
        )
        .fetch_all(&self.pool)
        .await
        .map_err(&failed)?;
        let words = |row: &AnyRow| Ok([row.try_get(0)?, row.try_get(1)?, row.try_get(2)?]);
        let latest = rows.iter().map(words).collect::<Result<_, _>>().map_err(&failed)?;
        Ok(FailedEmails { count: u64::try_from(count).map_err(corrupt)?, latest })
    }

    /// Counts everything.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub async fn census(&self) -> Result<Census, LedgerError> {
        let failed = LedgerError::while_doing("count what it holds");
        let closings = self.by_state("SELECT state, COUNT(*) FROM closing GROUP BY state").await?;
        let outbox = self.by_state("SELECT state, COUNT(*) FROM outbox GROUP BY state").await?;
        let invoices = sqlx::query("SELECT COUNT(*) FROM invoice WHERE cancelled_at IS NULL")
            .fetch_one(&self.pool)
            .await
            .and_then(|row| row.try_get(0))
            .map_err(&failed)?;
        let oldest: Option<String> =
            sqlx::query("SELECT MIN(created_at) FROM outbox WHERE state IN ('pending', 'sending')")
                .fetch_one(&self.pool)
                .await
                .and_then(|row| row.try_get(0))
                .map_err(&failed)?;
        let oldest_pending = oldest.as_deref().map(from_text).transpose()?;
        Ok(Census { closings, invoices, outbox, oldest_pending })
    }

    async fn by_state(&self, sql: &'static str) -> Result<BTreeMap<String, i64>, LedgerError> {
        let rows = sqlx::query(sql).fetch_all(&self.pool).await;
        rows.and_then(|rows| {
            rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
        })
        .map_err(LedgerError::while_doing("count what it holds"))
    }
}
