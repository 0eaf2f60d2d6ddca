//! How far the close of each month is, and the reports on it that finance got.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, Row as _};

use super::holds::forget_invoices;
use super::outbox::queue;
use super::{Ledger, LedgerError, audit, corrupt, from_text, json, to_text};
use fecha_core::bill::digest::Digest;
use fecha_core::bill::exception::{Exception, Reason};
use fecha_core::calendar::month::Month;
use fecha_core::count::tally::Buckets;
use fecha_core::letter::Letter;

/// How far a month is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MonthState {
    /// Some dealerships' month has not ended, or is not issued.
    Open,
    /// A person must look at it before anything is issued.
    Held,
    /// Every dealership is issued or excepted, and finance was told.
    Closed,
}

/// The latest word on a month.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closing {
    /// Which month.
    pub month: Month,
    /// How far it is.
    pub state: MonthState,
    /// Why it is held.
    pub held: Option<String>,
    /// What needs a person.
    pub exceptions: Vec<Exception>,
    /// All messages by bucket.
    pub messages: Buckets,
    /// As of when a close looked last: what had ended by then was part of it.
    pub looked_at: DateTime<Utc>,
}

impl Ledger {
    /// Every month that a close has looked at, in order.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub async fn closings(&self) -> Result<Vec<Closing>, LedgerError> {
        self.closings_where("", None).await
    }

    /// Those of them that may need a person: held ones, and those of which an invoice could not be
    /// issued. A month that was closed and forgotten is not read.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub async fn closings_in_need(&self) -> Result<Vec<Closing>, LedgerError> {
        let failed = format!("%\"reason\":\"{}\"%", Reason::Failed.key());
        self.closings_where("WHERE state = 'held' OR exceptions LIKE $1", Some(failed)).await
    }

    /// The latest word on one month; `None` where no close has looked at it.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub async fn closing(&self, month: Month) -> Result<Option<Closing>, LedgerError> {
        Ok(self.closings_where("WHERE month = $1", Some(month.to_string())).await?.pop())
    }

    async fn closings_where(
        &self,
        condition: &str,
        value: Option<String>,
    ) -> Result<Vec<Closing>, LedgerError> {
        let sql = format!(
            "SELECT month, state, held, exceptions, messages, looked_at FROM closing {condition}"
        );
        let rows = value
            .into_iter()
            .fold(sqlx::query(AssertSqlSafe(sql)), sqlx::query::Query::bind)
            .fetch_all(&self.pool)
            .await
            .map_err(LedgerError::while_doing("read the closes"))?;
        let mut closings: Vec<_> = rows.iter().map(closing).collect::<Result<_, _>>()?;
        closings.sort_by_key(|closing: &Closing| closing.month);
        Ok(closings)
    }

    /// How far each month is, and as of when a close looked last.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub async fn month_states(
        &self,
    ) -> Result<BTreeMap<Month, (MonthState, DateTime<Utc>)>, LedgerError> {
        let rows = sqlx::query("SELECT month, state, looked_at FROM closing")
            .fetch_all(&self.pool)
            .await
            .map_err(LedgerError::while_doing("read the closes"))?;
        let text = |row: &AnyRow, column: &str| row.try_get::<String, _>(column).map_err(corrupt);
        let seen = |row: &AnyRow| {
            let state = state(text(row, "state")?)?;
            let looked_at = from_text(&text(row, "looked_at")?)?;
            Ok((text(row, "month")?.parse().map_err(corrupt)?, (state, looked_at)))
        };
        rows.iter().map(seen).collect()
    }

    /// Keeps the latest word on a month. A month that is closed stays so, whatever is found later.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be written.
    pub async fn record_closing(&self, closing: &Closing) -> Result<(), LedgerError> {
        let state = match closing.state {
            MonthState::Open => "open",
            MonthState::Held => "held",
            MonthState::Closed => "closed",
        };
        let failed = LedgerError::while_doing("record the close");
        let mut transaction = self.begin().await?;
        sqlx::query(
            "INSERT INTO closing (month, state, held, exceptions, messages, looked_at)
             VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT (month) DO UPDATE SET
                 state = CASE WHEN closing.state = 'closed' THEN 'closed' ELSE excluded.state END,
                 held = excluded.held, exceptions = excluded.exceptions,
                 messages = excluded.messages, looked_at = excluded.looked_at",
        )
        .bind(closing.month.to_string())
        .bind(state.to_owned())
        .bind(closing.held.clone())
        .bind(json(&closing.exceptions)?)
        .bind(json(&closing.messages)?)
        .bind(to_text(closing.looked_at))
        .execute(&mut *transaction)
        .await
        .map_err(&failed)?;
        if closing.state == MonthState::Closed {
            forget_invoices(&mut transaction, closing.month).await?;
        }
        transaction.commit().await.map_err(failed)
    }

    /// Forgets the look at a month that was made at this instant, under a clock that was ahead, unless the
    /// month is closed; notes the deed. Whether there was one to forget.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be written.
    pub async fn forget_look(
        &self,
        month: Month,
        looked_at: DateTime<Utc>,
        deed: &audit::Deed<'_>,
    ) -> Result<bool, LedgerError> {
        let failed = LedgerError::while_doing("forget a look under a wrong clock");
        let mut transaction = self.begin().await?;
        let forgotten = sqlx::query(
            "DELETE FROM closing WHERE month = $1 AND looked_at = $2 AND state <> 'closed'",
        )
        .bind(month.to_string())
        .bind(to_text(looked_at))
        .execute(&mut *transaction)
        .await
        .map_err(&failed)?;
        if forgotten.rows_affected() == 0 {
            return Ok(false);
        }
        deed.write(&mut transaction).await?;
        transaction.commit().await.map_err(failed)?;
        Ok(true)
    }

    /// How many reports finance got on a month.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub async fn digests(&self, month: Month) -> Result<u32, LedgerError> {
        let count: i64 = sqlx::query("SELECT COUNT(*) FROM digest WHERE month = $1")
            .bind(month.to_string())
            .fetch_one(&self.pool)
            .await
            .and_then(|row| row.try_get(0))
            .map_err(LedgerError::while_doing("read the digests"))?;
        u32::try_from(count).map_err(corrupt)
    }

    /// One report.
    ///
    /// # Errors
    /// [`LedgerError`] where there is none, or the ledger cannot be read.
    pub async fn digest(&self, month: Month, sequence: u32) -> Result<Digest, LedgerError> {
        let content: String =
            sqlx::query("SELECT content FROM digest WHERE month = $1 AND sequence = $2")
                .bind(month.to_string())
                .bind(i64::from(sequence))
                .fetch_one(&self.pool)
                .await
                .and_then(|row| row.try_get(0))
                .map_err(LedgerError::while_doing("read a digest"))?;
        serde_json::from_str(&content).map_err(corrupt)
    }

    /// Writes a report, marks its invoices as reported and queues its letters, all in one
    /// transaction; `false` where another process reported under this number first.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be written.
    pub async fn report(&self, digest: &Digest, letters: &[Letter]) -> Result<bool, LedgerError> {
        let failed = LedgerError::while_doing("write a digest");
        let mut transaction = self.begin().await?;
        let inserted = sqlx::query(
            "INSERT INTO digest (month, sequence, content, made_at) VALUES ($1, $2, $3, $4)
             ON CONFLICT (month, sequence) DO NOTHING",
        )
        .bind(digest.month.to_string())
        .bind(i64::from(digest.sequence))
        .bind(json(digest)?)
        .bind(to_text(digest.made_at))
        .execute(&mut *transaction)
        .await
        .map_err(&failed)?;
        if inserted.rows_affected() == 0 {
            return Ok(false);
        }
        for issued in digest.invoices.iter().filter_map(|row| row.issued.as_ref()) {
            sqlx::query("UPDATE revision SET digest = $1 WHERE number = $2 AND revision = $3 AND digest IS NULL")
                .bind(i64::from(digest.sequence))
                .bind(issued.number.to_string())
                .bind(i64::from(issued.revision))
                .execute(&mut *transaction)
                .await
                .map_err(&failed)?;
        }
        for letter in letters {
            queue(&mut transaction, letter, digest.made_at).await?;
        }
        transaction.commit().await.map_err(&failed)?;
        Ok(true)
    }
}

fn state(word: String) -> Result<MonthState, LedgerError> {
    serde_json::from_value(serde_json::Value::String(word)).map_err(corrupt)
}

fn closing(row: &AnyRow) -> Result<Closing, LedgerError> {
    let text = |column: &str| row.try_get::<String, _>(column).map_err(corrupt);
    Ok(Closing {
        month: text("month")?.parse().map_err(corrupt)?,
        state: state(text("state")?)?,
        held: row.try_get("held").map_err(corrupt)?,
        exceptions: serde_json::from_str(&text("exceptions")?).map_err(corrupt)?,
        messages: serde_json::from_str(&text("messages")?).map_err(corrupt)?,
        looked_at: from_text(&text("looked_at")?)?,
    })
}
