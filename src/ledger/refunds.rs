//! What was paid back of the money that waited.

use sqlx::{AnyConnection, Row as _};

use super::account::Refund;
use super::{Ledger, LedgerError, corrupt};
use fecha_core::account::payment::Part;
use fecha_core::price::money::Money;

impl Ledger {
    /// Every refund of a dealership, or all where none is named, by entry.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub async fn refunds(&self, dealership_id: Option<&str>) -> Result<Vec<Refund>, LedgerError> {
        let failed = LedgerError::while_doing("read the refunds");
        let mut connection = self.pool.acquire().await.map_err(failed)?;
        refunds(&mut connection, dealership_id).await
    }
}

/// As a transaction sees them.
pub(crate) async fn refunds(
    connection: &mut AnyConnection,
    dealership_id: Option<&str>,
) -> Result<Vec<Refund>, LedgerError> {
    let failed = LedgerError::while_doing("read the refunds");
    let rows = sqlx::query(
        "SELECT r.id, r.dealership_id, r.refunded_on, r.reason, x.payment, x.amount
         FROM refund r LEFT JOIN refund_part x ON x.refund = r.id
         WHERE $1 = '' OR r.dealership_id = $1 ORDER BY r.id, x.payment",
    )
    .bind(dealership_id.unwrap_or_default().to_owned())
    .fetch_all(connection)
    .await
    .map_err(failed)?;
    let mut refunds: Vec<Refund> = Vec::new();
    for row in &rows {
        let text = |column: &str| row.try_get::<String, _>(column).map_err(corrupt);
        let id = text("id")?;
        if refunds.last().is_none_or(|refund| refund.id != id) {
            refunds.push(Refund {
                id,
                dealership_id: text("dealership_id")?,
                on: text("refunded_on")?.parse().map_err(corrupt)?,
                reason: text("reason")?,
                parts: Vec::new(),
            });
        }
        let payment: Option<String> = row.try_get("payment").map_err(corrupt)?;
        let amount: Option<i64> = row.try_get("amount").map_err(corrupt)?;
        if let (Some(refund), Some(payment), Some(amount)) = (refunds.last_mut(), payment, amount) {
            refund.parts.push(Part { payment, amount: Money::from_centavos(amount) });
        }
    }
    Ok(refunds)
}
