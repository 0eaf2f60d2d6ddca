//! Payments, what they settle, and what was paid back.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AssertSqlSafe, Row as _};

use super::{Ledger, LedgerError, Transaction, corrupt, from_text, new_id, to_text};
use fecha_core::account::payment::{Part, Payment, Settlement};
use fecha_core::bill::invoice::Number;
use fecha_core::calendar::month::Month;
use fecha_core::price::money::Money;

/// Money that was paid back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refund {
    /// Sorts by entry.
    pub id: String,
    /// To whom.
    pub dealership_id: String,
    /// The day on the bank statement.
    pub on: NaiveDate,
    /// Why.
    pub reason: String,
    /// Of which payments; none once it is undone.
    pub parts: Vec<Part>,
}

/// Every reader of payments selects this; `p` is the payment.
const PAYMENTS: &str = "SELECT p.id, p.dealership_id, p.number, p.paid_on, p.amount, p.kind, p.reference, p.ordinal,
         p.converted, p.entered_by, p.entered_at, p.undone_at,
         CAST(COALESCE((SELECT SUM(x.amount) FROM refund_part x WHERE x.payment = p.id), 0) AS BIGINT) AS refunded
     FROM payment p";
/// What is left of a payment, above zero.
const WAITS: &str = "p.kind = 'money' AND p.undone_at IS NULL AND p.amount > p.converted
         + COALESCE((SELECT SUM(x.amount) FROM allocation x WHERE x.payment = p.id), 0)
         + COALESCE((SELECT SUM(x.amount) FROM refund_part x WHERE x.payment = p.id), 0)";

impl Ledger {
    /// The payments of a dealership, by entry, undone ones too.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub async fn payments_of(&self, dealership_id: &str) -> Result<Vec<Payment>, LedgerError> {
        let failed = LedgerError::while_doing("read the payments");
        let mut connection = self.pool.acquire().await.map_err(failed)?;
        payments_of(&mut connection, dealership_id).await
    }

    /// The payments of each dealership, by entry, undone ones too.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub async fn payments_by_dealership(
        &self,
    ) -> Result<BTreeMap<String, Vec<Payment>>, LedgerError> {
        let failed = LedgerError::while_doing("read the payments");
        let mut connection = self.pool.acquire().await.map_err(failed)?;
        Ok(by_dealership(read(&mut connection, "$1 = ''", "").await?))
    }

    /// What a close or a rerun of a month needs: the payments that settle its invoices, and those that
    /// wait, by dealership.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub async fn payments_about(
        &self,
        month: Month,
    ) -> Result<BTreeMap<String, Vec<Payment>>, LedgerError> {
        let failed = LedgerError::while_doing("read the payments");
        let mut connection = self.pool.acquire().await.map_err(failed)?;
        let condition = format!(
            "p.id IN (SELECT a.payment FROM allocation a JOIN invoice i ON i.number = a.number
                 WHERE i.month = $1) OR ({WAITS} AND $1 <> '')"
        );
        Ok(by_dealership(read(&mut connection, &condition, &month.to_string()).await?))
    }

    /// What waits of each dealership's money; those without any are left out.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub async fn waiting_money(&self) -> Result<BTreeMap<String, Money>, LedgerError> {
        let failed = LedgerError::while_doing("read the payments");
        let mut connection = self.pool.acquire().await.map_err(failed)?;
        let mut waiting: BTreeMap<String, Money> = BTreeMap::new();
        for payment in read(&mut connection, &format!("{WAITS} AND $1 = ''"), "").await? {
            *waiting.entry(payment.dealership_id.clone()).or_default() += payment.waiting();
        }
        Ok(waiting)
    }

    /// One payment; `None` where there is none of this id.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub async fn payment(&self, id: &str) -> Result<Option<Payment>, LedgerError> {
        let failed = LedgerError::while_doing("read a payment");
        let mut connection = self.pool.acquire().await.map_err(failed)?;
        Ok(read(&mut connection, "p.id = $1", id).await?.pop())
    }

    /// The payments with this reference of a bank, undone ones too.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub async fn payments_named(&self, reference: &str) -> Result<Vec<Payment>, LedgerError> {
        let failed = LedgerError::while_doing("read the payments");
        let mut connection = self.pool.acquire().await.map_err(failed)?;
        read(&mut connection, "p.reference = $1", reference).await
    }

    /// The payments since a day that stand and have no reference of a bank.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub async fn payments_without_reference(
        &self,
        since: NaiveDate,
    ) -> Result<Vec<Payment>, LedgerError> {
        let failed = LedgerError::while_doing("read the payments");
        let mut connection = self.pool.acquire().await.map_err(failed)?;
        let condition = "p.reference IS NULL AND p.undone_at IS NULL AND p.paid_on >= $1";
        read(&mut connection, condition, &since.to_string()).await
    }

    /// Every refund of a dealership, or all where none is named, by entry.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub async fn refunds(&self, dealership_id: Option<&str>) -> Result<Vec<Refund>, LedgerError> {
        let failed = LedgerError::while_doing("read the refunds");
        let rows = sqlx::query(
            "SELECT r.id, r.dealership_id, r.refunded_on, r.reason, x.payment, x.amount
             FROM refund r LEFT JOIN refund_part x ON x.refund = r.id
             WHERE $1 = '' OR r.dealership_id = $1 ORDER BY r.id, x.payment",
        )
        .bind(dealership_id.unwrap_or_default().to_owned())
        .fetch_all(&self.pool)
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
            if let (Some(refund), Some(payment), Some(amount)) =
                (refunds.last_mut(), payment, amount)
            {
                refund.parts.push(Part { payment, amount: Money::from_centavos(amount) });
            }
        }
        Ok(refunds)
    }
}

/// Locks the account of a dealership until the transaction ends. Whoever needs several locks them in the order
/// of ids, and before the counter of numbers, so that no two wait for each other.
pub(crate) async fn lock_account(
    transaction: &mut Transaction,
    dealership_id: &str,
) -> Result<(), LedgerError> {
    // Changes nothing. SQLite has no SELECT … FOR UPDATE, and lets one transaction write at a time.
    sqlx::query("UPDATE dealership SET id = id WHERE id = $1")
        .bind(dealership_id.to_owned())
        .execute(&mut **transaction)
        .await
        .map_err(LedgerError::while_doing("lock an account"))?;
    Ok(())
}

/// The payments of a dealership as a transaction sees them, by entry.
pub(crate) async fn payments_of(
    connection: &mut AnyConnection,
    dealership_id: &str,
) -> Result<Vec<Payment>, LedgerError> {
    read(connection, "p.dealership_id = $1", dealership_id).await
}

/// Of the payments of a dealership those that settle a number, or wait: all that an issue looks at, however
/// long the dealership has paid.
pub(crate) async fn payments_for(
    transaction: &mut Transaction,
    dealership_id: &str,
    number: Number,
) -> Result<Vec<Payment>, LedgerError> {
    let condition = format!(
        "p.dealership_id = $1 AND (p.id IN (SELECT x.payment FROM allocation x WHERE x.number = '{number}')
             OR ({WAITS}))"
    );
    read(transaction, &condition, dealership_id).await
}

/// Writes a new payment; its id is made here.
pub(crate) async fn insert_payment(
    transaction: &mut Transaction,
    payment: &Payment,
) -> Result<String, LedgerError> {
    let id = new_id(payment.entered_at);
    sqlx::query(
        "INSERT INTO payment (id, dealership_id, number, paid_on, amount, kind, reference, ordinal, converted,
             entered_by, entered_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, $9, $10)",
    )
    .bind(id.clone())
    .bind(payment.dealership_id.clone())
    .bind(payment.number.map(|number| number.to_string()))
    .bind(payment.on.to_string())
    .bind(payment.amount.centavos())
    .bind(payment.kind.key().to_owned())
    .bind(payment.reference.clone())
    .bind(i64::from(payment.ordinal))
    .bind(payment.entered_by.clone())
    .bind(to_text(payment.entered_at))
    .execute(&mut **transaction)
    .await
    .map_err(LedgerError::while_doing("record a payment"))?;
    Ok(id)
}

/// Gives a payment the bank's reference.
pub(crate) async fn set_reference(
    transaction: &mut Transaction,
    id: &str,
    reference: &str,
) -> Result<(), LedgerError> {
    sqlx::query("UPDATE payment SET reference = $1 WHERE id = $2 AND reference IS NULL")
        .bind(reference.to_owned())
        .bind(id.to_owned())
        .execute(&mut **transaction)
        .await
        .map_err(LedgerError::while_doing("record a payment"))?;
    Ok(())
}

/// Settles an invoice with a part of a payment, beside what settles it.
pub(crate) async fn allocate(
    transaction: &mut Transaction,
    payment: &str,
    number: Number,
    amount: Money,
) -> Result<(), LedgerError> {
    sqlx::query(
        "INSERT INTO allocation (payment, number, amount) VALUES ($1, $2, $3)
         ON CONFLICT (payment, number) DO UPDATE SET amount = allocation.amount + excluded.amount",
    )
    .bind(payment.to_owned())
    .bind(number.to_string())
    .bind(amount.centavos())
    .execute(&mut **transaction)
    .await
    .map_err(LedgerError::while_doing("settle an invoice"))?;
    Ok(())
}

/// Settles an invoice by these parts, in place of what settled it; what has no room any more is undone.
pub(crate) async fn settle_invoice(
    transaction: &mut Transaction,
    number: Number,
    settlement: &Settlement,
    (by, why): (&str, &str),
    now: DateTime<Utc>,
) -> Result<(), LedgerError> {
    let failed = LedgerError::while_doing("settle an invoice");
    sqlx::query("DELETE FROM allocation WHERE number = $1")
        .bind(number.to_string())
        .execute(&mut **transaction)
        .await
        .map_err(&failed)?;
    for Part { payment, amount } in &settlement.allocated {
        sqlx::query("INSERT INTO allocation (payment, number, amount) VALUES ($1, $2, $3)")
            .bind(payment.clone())
            .bind(number.to_string())
            .bind(amount.centavos())
            .execute(&mut **transaction)
            .await
            .map_err(&failed)?;
    }
    for id in &settlement.undone {
        undo_payment(transaction, id, (by, why), now).await?;
    }
    Ok(())
}

/// Takes back a payment: what it settled is open again, and it never counts.
pub(crate) async fn undo_payment(
    transaction: &mut Transaction,
    id: &str,
    (by, why): (&str, &str),
    now: DateTime<Utc>,
) -> Result<(), LedgerError> {
    let failed = LedgerError::while_doing("take back a payment");
    sqlx::query("DELETE FROM allocation WHERE payment = $1")
        .bind(id.to_owned())
        .execute(&mut **transaction)
        .await
        .map_err(&failed)?;
    sqlx::query(
        "UPDATE payment SET undone_at = $1, undone_by = $2, undone_why = $3
         WHERE id = $4 AND undone_at IS NULL",
    )
    .bind(to_text(now))
    .bind(by.to_owned())
    .bind(why.to_owned())
    .bind(id.to_owned())
    .execute(&mut **transaction)
    .await
    .map_err(&failed)?;
    Ok(())
}

/// Writes that money was paid back; the id of the refund.
pub(crate) async fn insert_refund(
    transaction: &mut Transaction,
    refund: &Refund,
    by: &str,
    now: DateTime<Utc>,
) -> Result<String, LedgerError> {
    let failed = LedgerError::while_doing("record a refund");
    let id = new_id(now);
    sqlx::query(
        "INSERT INTO refund (id, dealership_id, refunded_on, reason, entered_by, entered_at)
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(id.clone())
    .bind(refund.dealership_id.clone())
    .bind(refund.on.to_string())
    .bind(refund.reason.clone())
    .bind(by.to_owned())
    .bind(to_text(now))
    .execute(&mut **transaction)
    .await
    .map_err(&failed)?;
    for Part { payment, amount } in &refund.parts {
        sqlx::query("INSERT INTO refund_part (refund, payment, amount) VALUES ($1, $2, $3)")
            .bind(id.clone())
            .bind(payment.clone())
            .bind(amount.centavos())
            .execute(&mut **transaction)
            .await
            .map_err(&failed)?;
    }
    Ok(id)
}

/// Takes back a refund: its money waits again.
pub(crate) async fn undo_refund(
    transaction: &mut Transaction,
    id: &str,
) -> Result<(), LedgerError> {
    sqlx::query("DELETE FROM refund_part WHERE refund = $1")
        .bind(id.to_owned())
        .execute(&mut **transaction)
        .await
        .map_err(LedgerError::while_doing("take back a refund"))?;
    Ok(())
}

/// Reads the payments that a condition on `p` picks, whose one value is `$1`.
async fn read(
    connection: &mut AnyConnection,
    condition: &str,
    value: &str,
) -> Result<Vec<Payment>, LedgerError> {
    let failed = LedgerError::while_doing("read the payments");
    let sql = format!("{PAYMENTS} WHERE {condition} ORDER BY p.id");
    let rows = sqlx::query(AssertSqlSafe(sql)).bind(value.to_owned());
    let rows = rows.fetch_all(&mut *connection).await.map_err(&failed)?;
    let mut payments: Vec<Payment> = rows.iter().map(payment).collect::<Result<_, _>>()?;
    // Sorted here, since databases sort text by rules of their own.
    payments.sort_by(|a, b| a.id.cmp(&b.id));
    if payments.is_empty() {
        return Ok(payments);
    }
    let sql = format!(
        "SELECT a.payment, a.number, a.amount FROM allocation a JOIN payment p ON p.id = a.payment
         WHERE {condition} ORDER BY a.payment, a.number"
    );
    let rows = sqlx::query(AssertSqlSafe(sql)).bind(value.to_owned());
    for row in rows.fetch_all(&mut *connection).await.map_err(&failed)? {
        let of: String = row.try_get(0).map_err(corrupt)?;
        let number: String = row.try_get(1).map_err(corrupt)?;
        let amount = Money::from_centavos(row.try_get(2).map_err(corrupt)?);
        if let Ok(index) = payments.binary_search_by(|payment| payment.id.cmp(&of)) {
            payments[index].allocated.push((number.parse().map_err(corrupt)?, amount));
        }
    }
    Ok(payments)
}

fn by_dealership(payments: Vec<Payment>) -> BTreeMap<String, Vec<Payment>> {
    let mut by_dealership: BTreeMap<String, Vec<Payment>> = BTreeMap::new();
    for payment in payments {
        by_dealership.entry(payment.dealership_id.clone()).or_default().push(payment);
    }
    by_dealership
}

fn payment(row: &AnyRow) -> Result<Payment, LedgerError> {
    let text = |column: &str| row.try_get::<String, _>(column).map_err(corrupt);
    let optional = |column: &str| row.try_get::<Option<String>, _>(column).map_err(corrupt);
    let money = |column: &str| -> Result<Money, LedgerError> {
        Ok(Money::from_centavos(row.try_get(column).map_err(corrupt)?))
    };
    let ordinal: i64 = row.try_get("ordinal").map_err(corrupt)?;
    Ok(Payment {
        id: text("id")?,
        dealership_id: text("dealership_id")?,
        number: optional("number")?.map(|number| number.parse().map_err(corrupt)).transpose()?,
        on: text("paid_on")?.parse().map_err(corrupt)?,
        amount: money("amount")?,
        kind: text("kind")?.parse().map_err(corrupt)?,
        reference: optional("reference")?,
        ordinal: u32::try_from(ordinal).map_err(corrupt)?,
        entered_by: text("entered_by")?,
        entered_at: from_text(&text("entered_at")?)?,
        allocated: Vec::new(),
        refunded: money("refunded")?,
        converted: money("converted")?,
        undone: optional("undone_at")?.is_some(),
    })
}
