//! What the daemon looked after by itself, and when.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sqlx::Row as _;
use sqlx::any::AnyRow;

use super::{Ledger, LedgerError, corrupt, from_text, json, to_text};
use fecha_core::calendar::month::Month;
use fecha_core::count::misdated::Misdated;

/// What it looks after.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// Whether a closed month still is what was billed.
    Verify,
    /// How much of their packages dealerships have used in a running month.
    PackageUse,
    /// What is open, of which dealerships are reminded.
    Reminders,
}

impl Subject {
    fn key(self) -> &'static str {
        match self {
            Self::Verify => "verify",
            Self::PackageUse => "package_use",
            Self::Reminders => "reminders",
        }
    }
}

/// How often it looked at a month, and when last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Looks {
    /// How often.
    pub count: u32,
    /// The last time.
    pub latest: DateTime<Utc>,
}

impl Ledger {
    /// The looks at each month.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub async fn looks(&self, subject: Subject) -> Result<BTreeMap<Month, Looks>, LedgerError> {
        let rows = sqlx::query("SELECT month, count, latest FROM look WHERE subject = $1")
            .bind(subject.key().to_owned())
            .fetch_all(&self.pool)
            .await
            .map_err(LedgerError::while_doing("read what the daemon looked at"))?;
        let looks = |row: &AnyRow| {
            let month: String = row.try_get(0).map_err(corrupt)?;
            let count: i64 = row.try_get(1).map_err(corrupt)?;
            let latest: String = row.try_get(2).map_err(corrupt)?;
            let count = u32::try_from(count).map_err(corrupt)?;
            let latest = from_text(&latest)?;
            Ok((month.parse().map_err(corrupt)?, Looks { count, latest }))
        };
        rows.iter().map(looks).collect()
    }

    /// Notes that it looked once more.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be written.
    pub async fn looked(
        &self,
        subject: Subject,
        month: Month,
        now: DateTime<Utc>,
    ) -> Result<(), LedgerError> {
        let failed = LedgerError::while_doing("note what the daemon looked at");
        let mut transaction = self.begin().await?;
        sqlx::query(
            "INSERT INTO look (subject, month, count, latest) VALUES ($1, $2, 1, $3)
             ON CONFLICT (subject, month) DO UPDATE SET
                 count = look.count + 1, latest = excluded.latest",
        )
        .bind(subject.key().to_owned())
        .bind(month.to_string())
        .bind(to_text(now))
        .execute(&mut *transaction)
        .await
        .map_err(&failed)?;
        transaction.commit().await.map_err(&failed)
    }

    /// How many messages a close last saw that lie where none can.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub async fn misdated(&self) -> Result<Misdated, LedgerError> {
        let seen = self.fact("misdated").await?;
        Ok(seen
            .map(|seen| serde_json::from_str(&seen).map_err(corrupt))
            .transpose()?
            .unwrap_or_default())
    }

    /// Keeps how many there were: the next close tells a person only of more.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be written.
    pub async fn see_misdated(&self, misdated: Misdated) -> Result<(), LedgerError> {
        let failed = LedgerError::while_doing("keep what a close saw");
        let mut transaction = self.begin().await?;
        sqlx::query(
            "INSERT INTO meta (name, value) VALUES ('misdated', $1)
             ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        )
        .bind(json(&misdated)?)
        .execute(&mut *transaction)
        .await
        .map_err(&failed)?;
        transaction.commit().await.map_err(failed)
    }

    /// Months that are closed, and when each was: when finance got its close report.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub async fn closed_months(&self) -> Result<BTreeMap<Month, DateTime<Utc>>, LedgerError> {
        let rows = sqlx::query(
            "SELECT c.month, d.made_at FROM closing c JOIN digest d ON d.month = c.month
             WHERE c.state = 'closed' AND d.sequence = 1",
        )
        .fetch_all(&self.pool)
        .await
        .map_err(LedgerError::while_doing("read the closes"))?;
        let closed = |row: &AnyRow| {
            let month: String = row.try_get(0).map_err(corrupt)?;
            let at: String = row.try_get(1).map_err(corrupt)?;
            Ok((month.parse().map_err(corrupt)?, from_text(&at)?))
        };
        rows.iter().map(closed).collect()
    }
}
