//! Who did what, when and why; only ever added to.

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::any::AnyRow;
use sqlx::{Any, Row as _, Transaction};

use super::{Ledger, LedgerError, corrupt, new_id, to_text};
use fecha_core::calendar::month::Month;

/// One entry of the audit log, written in the transaction of the deed itself.
#[derive(Debug, Clone, Copy)]
pub struct Deed<'a> {
    /// When.
    pub at: DateTime<Utc>,
    /// The login name of who did it.
    pub actor: &'a str,
    /// `import`, `issue`, `hold`, `release`, `resend`, `rerun`, `adjust`, `cancel`, `pay`.
    pub action: &'a str,
    /// About which month.
    pub month: Option<Month>,
    /// About which dealership.
    pub dealership_id: Option<&'a str>,
    /// What exactly, in words.
    pub detail: &'a str,
}

/// An entry as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "as in Deed")]
pub struct Logged {
    pub at: String,
    pub actor: String,
    pub action: String,
    pub month: Option<String>,
    pub dealership_id: Option<String>,
    pub detail: String,
}

impl Ledger {
    /// The audit log, oldest first; only of one month, one dealership, where they are given.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub async fn audit_log(
        &self,
        month: Option<Month>,
        dealership_id: Option<&str>,
    ) -> Result<Vec<Logged>, LedgerError> {
        let rows = sqlx::query(
            "SELECT id, at, actor, action, month, dealership_id, detail FROM audit
             WHERE ($1 IS NULL OR month = $1) AND ($2 IS NULL OR dealership_id = $2)
             ORDER BY at, id",
        )
        .bind(month.map(|month| month.to_string()))
        .bind(dealership_id.map(str::to_owned))
        .fetch_all(&self.pool)
        .await
        .map_err(LedgerError::while_doing("read the audit log"))?;
        rows.iter().map(logged).collect()
    }

    /// Adds an entry that stands for itself.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be written.
    pub async fn log(&self, entry: &Deed<'_>) -> Result<(), LedgerError> {
        let mut transaction = self.begin().await?;
        entry.write(&mut transaction).await?;
        transaction.commit().await.map_err(LedgerError::while_doing("write the audit log"))
    }
}

impl Deed<'_> {
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
        .bind(new_id(self.at))
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

fn logged(row: &AnyRow) -> Result<Logged, LedgerError> {
    let text = |column: &str| row.try_get::<String, _>(column).map_err(corrupt);
    let optional = |column: &str| row.try_get::<Option<String>, _>(column).map_err(corrupt);
    Ok(Logged {
        at: text("at")?,
        actor: text("actor")?,
        action: text("action")?,
        month: optional("month")?,
        dealership_id: optional("dealership_id")?,
        detail: text("detail")?,
    })
}
