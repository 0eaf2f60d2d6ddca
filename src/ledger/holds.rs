//! What closes that were held would have issued.

use sqlx::{AssertSqlSafe, Row as _};

use super::outbox::queue;
use super::packing::Packed;
use super::{Ledger, LedgerError, Transaction, corrupt, json, to_text};
use fecha_core::bill::hold::Held;
use fecha_core::bill::invoice::Invoice;
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

    /// Keeps what a held close would issue, invoice by invoice too, and queues its letters, in one transaction;
    /// `false` where another process did so first. Invoices of held closes of the month before it are forgotten.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be written.
    pub async fn hold(
        &self,
        held: &Held,
        sequence: u32,
        reasons: &str,
        invoices: &[Invoice],
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
        forget_invoices(&mut transaction, held.digest.month).await?;
        for some in invoices.chunks(ROWS) {
            insert_invoices(&mut transaction, held.digest.month, sequence, some).await?;
        }
        for letter in letters {
            queue(&mut transaction, letter, held.digest.made_at).await?;
        }
        transaction.commit().await.map_err(&failed)?;
        Ok(true)
    }

    /// What a held close would issue for a dealership; `None` where it would not, or where the month is closed.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub async fn held_invoice(
        &self,
        month: Month,
        sequence: u32,
        dealership_id: &str,
    ) -> Result<Option<Invoice>, LedgerError> {
        let row = sqlx::query(
            "SELECT content, size FROM held_invoice WHERE month = $1 AND sequence = $2 AND dealership_id = $3",
        )
        .bind(month.to_string())
        .bind(i64::from(sequence))
        .bind(dealership_id.to_owned())
        .fetch_optional(&self.pool)
        .await
        .map_err(LedgerError::while_doing("read a held close"))?;
        let Some(row) = row else { return Ok(None) };
        let packed: Vec<u8> = row.try_get("content").map_err(corrupt)?;
        let size: i64 = row.try_get("size").map_err(corrupt)?;
        let json = zstd::bulk::decompress(&packed, usize::try_from(size).map_err(corrupt)?);
        serde_json::from_slice(&json.map_err(corrupt)?).map(Some).map_err(corrupt)
    }
}

/// So many invoices are written at once.
const ROWS: usize = 100;

async fn insert_invoices(
    transaction: &mut Transaction,
    month: Month,
    sequence: u32,
    invoices: &[Invoice],
) -> Result<(), LedgerError> {
    let row = |index: usize| {
        format!("($1, $2, ${}, ${}, ${})", index * 3 + 3, index * 3 + 4, index * 3 + 5)
    };
    let rows: Vec<String> = (0..invoices.len()).map(row).collect();
    let sql = format!(
        "INSERT INTO held_invoice (month, sequence, dealership_id, content, size) VALUES {}",
        rows.join(", ")
    );
    let mut insert =
        sqlx::query(AssertSqlSafe(sql)).bind(month.to_string()).bind(i64::from(sequence));
    for invoice in invoices {
        let packed = Packed::of(json(invoice)?.as_bytes())?;
        insert = insert
            .bind(invoice.dealership_id.clone())
            .bind(packed.bytes)
            .bind(i64::try_from(packed.size).map_err(corrupt)?);
    }
    insert
        .execute(&mut **transaction)
        .await
        .map_err(LedgerError::while_doing("write a held close"))?;
    Ok(())
}

/// Forgets, invoice by invoice, what held closes of a month would have issued.
pub(super) async fn forget_invoices(
    transaction: &mut Transaction,
    month: Month,
) -> Result<(), LedgerError> {
    sqlx::query("DELETE FROM held_invoice WHERE month = $1")
        .bind(month.to_string())
        .execute(&mut **transaction)
        .await
        .map_err(LedgerError::while_doing("forget a held close"))?;
    Ok(())
}
