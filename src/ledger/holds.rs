//! What closes that were held would have issued.

use sqlx::Row as _;

use super::outbox::queue;
use super::{Ledger, LedgerError, corrupt, json, to_text};
use fecha_core::bill::hold::Held;
use fecha_core::bill::plan::PlanHash;
use fecha_core::calendar::month::Month;
use fecha_core::letter::Letter;

/// The last time that a month was held for other reasons than before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastHold {
    /// How often it was.
    pub sequence: u32,
    /// The kinds of its reasons.
    pub reasons: String,
    /// What it would have issued.
    pub plan: PlanHash,
}

impl Ledger {
    /// The last time that a month was held; `None` where it never was.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub async fn last_hold(&self, month: Month) -> Result<Option<LastHold>, LedgerError> {
        let row = sqlx::query(
            "SELECT sequence, reasons, content FROM held_close WHERE month = $1 ORDER BY sequence DESC LIMIT 1",
        )
        .bind(month.to_string())
        .fetch_optional(&self.pool)
        .await
        .map_err(LedgerError::while_doing("read the held closes"))?;
        let Some(row) = row else { return Ok(None) };
        let sequence: i64 = row.try_get("sequence").map_err(corrupt)?;
        Ok(Some(LastHold {
            sequence: u32::try_from(sequence).map_err(corrupt)?,
            reasons: row.try_get("reasons").map_err(corrupt)?,
            plan: {
                let content: String = row.try_get("content").map_err(corrupt)?;
                serde_json::from_str::<Held>(&content).map_err(corrupt)?.plan
            },
        }))
    }

    /// What a held close would have issued.
    ///
    /// # Errors
    /// [`LedgerError`] where there is none, or the ledger cannot be read.
    pub async fn held(&self, month: Month, sequence: u32) -> Result<Held, LedgerError> {
        let content: String =
            sqlx::query("SELECT content FROM held_close WHERE month = $1 AND sequence = $2")
                .bind(month.to_string())
                .bind(i64::from(sequence))
                .fetch_one(&self.pool)
                .await
                .and_then(|row| row.try_get(0))
                .map_err(LedgerError::while_doing("read a held close"))?;
        serde_json::from_str(&content).map_err(corrupt)
    }

    /// Keeps what a held close would issue and queues its letters, in one transaction; `false` where another
    /// process did so first.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be written.
    pub async fn hold(
        &self,
        held: &Held,
        sequence: u32,
        reasons: &str,
        letters: &[Letter],
    ) -> Result<bool, LedgerError> {
        let failed = LedgerError::while_doing("write a held close");
        let mut transaction = self.begin().await?;
        let inserted = sqlx::query(
            "INSERT INTO held_close (month, sequence, reasons, content, made_at) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (month, sequence) DO NOTHING",
        )
        .bind(held.digest.month.to_string())
        .bind(i64::from(sequence))
        .bind(reasons.to_owned())
        .bind(json(held)?)
        .bind(to_text(held.digest.made_at))
        .execute(&mut *transaction)
        .await
        .map_err(&failed)?;
        if inserted.rows_affected() == 0 {
            return Ok(false);
        }
        for letter in letters {
            queue(&mut transaction, letter, held.digest.made_at).await?;
        }
        transaction.commit().await.map_err(&failed)?;
        Ok(true)
    }
}
