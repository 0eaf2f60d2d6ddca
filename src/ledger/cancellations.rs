//! Why numbers are void, and the documents that say so.

use chrono::{DateTime, Utc};
use sqlx::{Any, Row as _, Transaction};

use super::invoices::optional_instant;
use super::{Ledger, LedgerError, corrupt, json};
use crate::ledger::documents::{FileKind, insert_document};
use fecha_core::bill::invoice::{Cancellation, Invoice, Number};
use fecha_core::count::evidence::sha256_hex;

/// What the ledger keeps of a cancellation beside its document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// The revision that stood.
    pub revision: u32,
    /// When, why, who asked for it and what was paid.
    pub cancellation: Cancellation,
    /// Of the document, hexadecimal.
    pub pdf_sha256: String,
}

impl Ledger {
    /// The cancellation of a number; `None` where it stands.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub async fn cancellation(&self, number: Number) -> Result<Option<Kept>, LedgerError> {
        let row =
            sqlx::query("SELECT revision, content, pdf_sha256 FROM cancellation WHERE number = $1")
                .bind(number.to_string())
                .fetch_optional(&self.pool)
                .await
                .map_err(LedgerError::while_doing("read a cancellation"))?;
        let Some(row) = row else { return Ok(None) };
        let revision: i64 = row.try_get(0).map_err(corrupt)?;
        let content: String = row.try_get(1).map_err(corrupt)?;
        Ok(Some(Kept {
            revision: u32::try_from(revision).map_err(corrupt)?,
            cancellation: serde_json::from_str(&content).map_err(corrupt)?,
            pdf_sha256: row.try_get(2).map_err(corrupt)?,
        }))
    }
}

impl Ledger {
    /// Since when a number is void; `None` where it stands, or is not there.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub async fn cancelled_at(&self, number: Number) -> Result<Option<DateTime<Utc>>, LedgerError> {
        let row = sqlx::query("SELECT cancelled_at FROM invoice WHERE number = $1")
            .bind(number.to_string())
            .fetch_optional(&self.pool)
            .await
            .map_err(LedgerError::while_doing("read a cancellation"))?;
        row.map_or(Ok(None), |row| optional_instant(&row, "cancelled_at"))
    }
}

/// Writes a cancellation with its document.
pub(crate) async fn insert_cancellation(
    transaction: &mut Transaction<'static, Any>,
    ledger: &Ledger,
    (invoice, cancellation): (&Invoice, &Cancellation),
    pdf: &[u8],
    now: DateTime<Utc>,
) -> Result<(), LedgerError> {
    sqlx::query(
        "INSERT INTO cancellation (number, revision, content, pdf_sha256) VALUES ($1, $2, $3, $4)",
    )
    .bind(invoice.number.to_string())
    .bind(i64::from(invoice.revision))
    .bind(json(cancellation)?)
    .bind(sha256_hex(pdf))
    .execute(&mut **transaction)
    .await
    .map_err(LedgerError::while_doing("write a cancellation"))?;
    insert_document(transaction, ledger, invoice, FileKind::Cancellation, pdf, now).await
}
