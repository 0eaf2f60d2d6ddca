//! Who did what, when and why; only ever added to.

use chrono::{DateTime, Utc};
use sqlx::{Any, Transaction};

use super::{Ledger, LedgerError, to_text};
use crate::billing::month::Month;

/// One entry of the audit log, written in the transaction of the deed itself.
#[derive(Debug, Clone, Copy)]
pub struct Entry<'a> {
    /// When.
    pub at: DateTime<Utc>,
    /// The login name of who did it.
    pub actor: &'a str,
    /// `import`, `close`, `issue`, `hold`, `release`, `resend`.
    pub action: &'a str,
    /// About which month.
    pub month: Option<Month>,
    /// About which dealership.
    pub dealership_id: Option<&'a str>,
    /// What exactly, in words.
    pub detail: &'a str,
}

impl Ledger {
    /// Adds an entry that stands for itself.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be written.
    pub async fn log(&self, entry: &Entry<'_>) -> Result<(), LedgerError> {
        let mut transaction = self.begin().await?;
        entry.write(&mut transaction).await?;
        transaction.commit().await.map_err(LedgerError::while_doing("write the audit log"))
    }
}

impl Entry<'_> {
    /// Adds the entry to a transaction.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be written.
    pub(crate) async fn write(
        &self,
        transaction: &mut Transaction<'static, Any>,
    ) -> Result<(), LedgerError> {
        sqlx::query(
            "INSERT INTO audit (id, at, actor, action, month, dealership_id, detail)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(uuid::Uuid::now_v7().to_string())
        .bind(to_text(self.at))
        .bind(self.actor.to_owned())
        .bind(self.action.to_owned())
        .bind(self.month.map(|month| month.to_string()))
        .bind(self.dealership_id.map(str::to_owned))
        .bind(self.detail.to_owned())
        .execute(&mut **transaction)
        .await
        .map_err(LedgerError::while_doing("write the audit log"))?;
        Ok(())
    }
}
