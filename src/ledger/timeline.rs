//! What happened to an invoice, for people.

use chrono::{DateTime, Utc};
use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, Row as _};

use super::account::{numbers_paid, payments_about};
use super::invoices::optional_instant;
use super::outbox::{LISTED, ListedEmail, listed as listed_email};
use super::{Ledger, LedgerError, corrupt};
use fecha_core::account::payment::Payment;
use fecha_core::bill::invoice::Number;

/// A payment about an invoice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentAbout {
    /// As it is now.
    pub payment: Payment,
    /// Where it was taken back.
    pub undone: Option<UndoneBy>,
}

/// Who took a payment back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UndoneBy {
    /// When.
    pub at: DateTime<Utc>,
    /// Who.
    pub by: String,
    /// Why.
    pub why: String,
}

impl Ledger {
    /// The payments for an invoice and those that settle it, by entry, undone ones too.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub async fn payments_about_invoice(
        &self,
        number: Number,
    ) -> Result<Vec<PaymentAbout>, LedgerError> {
        let failed = LedgerError::while_doing("read the payments");
        let mut connection = self.pool.acquire().await.map_err(&failed)?;
        let payments = payments_about(&mut connection, &[number]).await?;
        let rows = sqlx::query(AssertSqlSafe(format!(
            "SELECT p.id, p.undone_at, p.undone_by, p.undone_why FROM payment p
             WHERE p.undone_at IS NOT NULL AND {}",
            numbers_paid(&[number])
        )))
        .fetch_all(&mut *connection)
        .await
        .map_err(&failed)?;
        let mut undone: Vec<(String, UndoneBy)> =
            rows.iter().map(undone_by).collect::<Result<_, _>>()?;
        let about = |payment: Payment| {
            let index = undone.iter().position(|(id, _)| *id == payment.id);
            PaymentAbout { undone: index.map(|index| undone.swap_remove(index).1), payment }
        };
        Ok(payments.into_iter().map(about).collect())
    }

    /// The emails about an invoice, oldest first.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub async fn emails_about_invoice(
        &self,
        number: Number,
    ) -> Result<Vec<ListedEmail>, LedgerError> {
        let rows =
            sqlx::query(AssertSqlSafe(format!("{LISTED} WHERE o.number = $1 ORDER BY o.id")))
                .bind(number.to_string())
                .fetch_all(&self.pool)
                .await
                .map_err(LedgerError::while_doing("read the outbox"))?;
        rows.iter().map(listed_email).collect()
    }
}

fn undone_by(row: &AnyRow) -> Result<(String, UndoneBy), LedgerError> {
    let optional = |column: &str| row.try_get::<Option<String>, _>(column).map_err(corrupt);
    let undone = UndoneBy {
        at: optional_instant(row, "undone_at")?.unwrap_or_default(),
        by: optional("undone_by")?.unwrap_or_default(),
        why: optional("undone_why")?.unwrap_or_default(),
    };
    Ok((row.try_get("id").map_err(corrupt)?, undone))
}
