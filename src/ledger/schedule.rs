//! What the daemon decides from: its first month, what a person released, and how much waits.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::Row as _;
use sqlx::any::AnyRow;

use super::{Engine, Ledger, LedgerError, audit, corrupt, from_text, to_text};
use fecha_core::account::receivables::Balance;
use fecha_core::calendar::month::Month;
use fecha_core::party::register::EmailAddress;

/// The fact's name.
const FIRST_MONTH: &str = "first_month";

/// What waits for a person.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Waits {
    /// Months that are held.
    pub months: u64,
    /// Emails that failed.
    pub failed: u64,
}

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
    /// What is open and waits.
    pub receivables: Balance,
}

/// Emails that failed for good.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FailedEmails {
    /// How many there are; alerts do not count.
    pub count: u64,
    /// The latest of them.
    pub latest: Vec<FailedEmail>,
}

/// An email that failed for good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedEmail {
    /// To whom it went.
    pub to: EmailAddress,
    /// Its subject.
    pub subject: String,
    /// In the words of the server; may be empty.
    pub error: String,
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

    /// Whether it can be written, as far as can be seen without writing: a standby and a file of somebody
    /// else's say no.
    ///
    /// # Errors
    /// [`LedgerError::NotWritable`] where it can only be read, else where it does not answer.
    pub async fn may_be_written(&self) -> Result<(), LedgerError> {
        const ACTION: &str = "begin a transaction";
        let failed = LedgerError::while_doing(ACTION);
        if self.engine == Engine::Sqlite {
            let mut transaction = self.begin_whoever_leads().await?;
            // Only a write tells: a transaction begins where it may only be read, too.
            let nothing = sqlx::query("UPDATE meta SET value = value WHERE name = 'evidence_key'");
            let written = nothing.execute(&mut *transaction).await.map_err(&failed);
            transaction.rollback().await.map_err(failed)?;
            if matches!(written, Err(LedgerError::NotWritable { .. })) {
                self.renew().await;
            }
            return written.map(|_| ());
        }
        let only_read: String = sqlx::query("SELECT current_setting('transaction_read_only')")
            .fetch_one(&self.pool)
            .await
            .and_then(|row| row.try_get(0))
            .map_err(failed)?;
        match only_read.as_str() {
            "on" => {
                self.renew().await;
                let cause = "the server allows only to read".to_owned();
                Err(LedgerError::NotWritable { action: ACTION, cause })
            }
            _ => Ok(()),
        }
    }

    /// Writes that it was written at this instant: what a full disk refuses is only seen so.
    ///
    /// # Errors
    /// [`LedgerError`] where it cannot be written.
    pub async fn try_writing(&self, now: DateTime<Utc>) -> Result<(), LedgerError> {
        let failed = LedgerError::while_doing("write at all");
        let mut transaction = self.begin().await?;
        sqlx::query(
            "INSERT INTO meta (name, value) VALUES ('written', $1)
             ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        )
        .bind(to_text(now))
        .execute(&mut *transaction)
        .await
        .map_err(&failed)?;
        transaction.commit().await.map_err(failed)
    }

    /// The first month that the daemon closes by itself: `month`, said by its very first start, or what
    /// that start said.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read, or `month` not be kept.
    pub async fn first_month(&self, month: Month) -> Result<Month, LedgerError> {
        if let Some(known) = self.known_first_month().await? {
            return Ok(known);
        }
        self.keep_fact(FIRST_MONTH, &month.to_string()).await?;
        Ok(self.known_first_month().await?.unwrap_or(month))
    }

    /// The first month that the daemon closes by itself; `None` where none was ever started.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub async fn known_first_month(&self) -> Result<Option<Month>, LedgerError> {
        let kept = self.fact(FIRST_MONTH).await?;
        kept.map(|month| month.parse().map_err(corrupt)).transpose()
    }

    /// Puts another month in the place of the first one, which a wrong clock said; notes the deed.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be written.
    pub async fn mend_first_month(
        &self,
        wrong: Month,
        right: Month,
        deed: &audit::Deed<'_>,
    ) -> Result<(), LedgerError> {
        let failed = LedgerError::while_doing("fix the first month of the daemon");
        let mut transaction = self.begin().await?;
        sqlx::query("UPDATE meta SET value = $1 WHERE name = $2 AND value = $3")
            .bind(right.to_string())
            .bind(FIRST_MONTH.to_owned())
            .bind(wrong.to_string())
            .execute(&mut *transaction)
            .await
            .map_err(&failed)?;
        deed.write(&mut transaction).await?;
        transaction.commit().await.map_err(failed)
    }

    /// When the register was imported last; who changes one dealership by hand says nothing about the clock.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub async fn last_import(&self) -> Result<Option<DateTime<Utc>>, LedgerError> {
        let failed = LedgerError::while_doing("read the audit log");
        let at: Option<String> = sqlx::query(
            "SELECT MAX(at) FROM audit WHERE action = 'import' AND dealership_id IS NULL",
        )
        .fetch_one(&self.pool)
        .await
        .and_then(|row| row.try_get(0))
        .map_err(&failed)?;
        at.as_deref().map(from_text).transpose()
    }

    /// Lets the close of a month go on, for good, and notes the deed.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be written.
    pub async fn release(&self, month: Month, deed: &audit::Deed<'_>) -> Result<(), LedgerError> {
        let failed = LedgerError::while_doing("release a month");
        let mut transaction = self.begin().await?;
        sqlx::query(
            "INSERT INTO released_month (month, released_at, released_by) VALUES ($1, $2, $3)
             ON CONFLICT (month) DO NOTHING",
        )
        .bind(month.to_string())
        .bind(to_text(deed.at))
        .bind(deed.actor.to_owned())
        .execute(&mut *transaction)
        .await
        .map_err(&failed)?;
        deed.write(&mut transaction).await?;
        transaction.commit().await.map_err(&failed)
    }

    /// Whether a person has ever released the close of a month.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub async fn is_released(&self, month: Month) -> Result<bool, LedgerError> {
        let released = sqlx::query("SELECT month FROM released_month WHERE month = $1")
            .bind(month.to_string())
            .fetch_optional(&self.pool)
            .await
            .map_err(LedgerError::while_doing("read what was released"))?;
        Ok(released.is_some())
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
        let email = |row: &AnyRow| {
            let to = EmailAddress::trusted(row.try_get(0)?);
            Ok(FailedEmail { to, subject: row.try_get(1)?, error: row.try_get(2)? })
        };
        let latest = rows.iter().map(email).collect::<Result<_, _>>().map_err(&failed)?;
        Ok(FailedEmails { count: u64::try_from(count).map_err(corrupt)?, latest })
    }

    /// Counts everything; what is overdue, on `today`.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub async fn census(&self, today: NaiveDate) -> Result<Census, LedgerError> {
        let failed = LedgerError::while_doing("count what it holds");
        let closings = self.by_state("SELECT state, COUNT(*) FROM closing GROUP BY state").await?;
        let outbox = self.emails_by_state().await?;
        let invoices = sqlx::query("SELECT COUNT(*) - COUNT(cancelled_at) FROM invoice")
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
        let receivables = self.open_sum(today).await?.balance;
        Ok(Census { closings, invoices, outbox, oldest_pending, receivables })
    }

    /// What waits for a person, for whoever looks at anything: two counts along an index.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub async fn waits_for_a_person(&self) -> Result<Waits, LedgerError> {
        let failed = LedgerError::while_doing("count what it holds");
        let row = sqlx::query(
            "SELECT (SELECT COUNT(*) FROM closing WHERE state = 'held'),
                    (SELECT COUNT(*) FROM outbox WHERE state = 'failed')",
        )
        .fetch_one(&self.pool)
        .await
        .map_err(&failed)?;
        let count = |index: usize| -> Result<u64, LedgerError> {
            let count: i64 = row.try_get(index).map_err(&failed)?;
            u64::try_from(count).map_err(super::corrupt)
        };
        Ok(Waits { months: count(0)?, failed: count(1)? })
    }

    /// How many emails are in each state that any is in.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub async fn emails_by_state(&self) -> Result<BTreeMap<String, i64>, LedgerError> {
        self.by_state("SELECT state, COUNT(*) FROM outbox GROUP BY state").await
    }

    async fn by_state(&self, sql: &'static str) -> Result<BTreeMap<String, i64>, LedgerError> {
        let rows = sqlx::query(sql).fetch_all(&self.pool).await;
        rows.and_then(|rows| {
            rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
        })
        .map_err(LedgerError::while_doing("count what it holds"))
    }
}
