//! Payments, what they settle, and what was paid back.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use serde::Deserialize;
use serde::de::IgnoredAny;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AssertSqlSafe, Row as _};

use super::pages::Page;
use super::rows::{self, Centavos};
use super::{Engine, Ledger, LedgerError, Transaction, corrupt, new_id, to_text};
use fecha_core::account::payment::{Kind, Part, Payment, Settlement};
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

impl Refund {
    /// How much was paid back; zero once it is undone.
    #[must_use]
    pub fn amount(&self) -> Money {
        self.parts.iter().map(|part| part.amount).sum()
    }
}

/// So many references or numbers are asked for at once.
const AT_ONCE: usize = 500;

/// The fields of a [`Row`], in their order; `p` is the payment.
const PAYMENT: &str = "p.id, p.dealership_id, p.number, p.paid_on, p.amount, p.kind, p.reference, p.ordinal,
         p.converted, p.entered_by, p.entered_at, p.undone_at,
         CAST(COALESCE((SELECT SUM(x.amount) FROM refund_part x WHERE x.payment = p.id), 0) AS BIGINT)";
/// Something is left of a payment: found by an index.
const WAITS: &str = "p.waiting > 0";

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
        Ok(by_dealership(read(&mut connection, "1 = 1", &[]).await?))
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
                 WHERE i.month = $1) OR {WAITS}"
        );
        Ok(by_dealership(read(&mut connection, &condition, &[&month.to_string()]).await?))
    }

    /// What waits of each dealership's money; those without any are left out.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub async fn waiting_money(&self) -> Result<BTreeMap<String, Money>, LedgerError> {
        let rows = sqlx::query(AssertSqlSafe(format!(
            "SELECT p.dealership_id, CAST(SUM(p.waiting) AS BIGINT) FROM payment p WHERE {WAITS} GROUP BY p.dealership_id"
        )))
        .fetch_all(&self.pool)
        .await
        .map_err(LedgerError::while_doing("read the payments"))?;
        let waits = |row: &AnyRow| {
            let amount = Money::from_centavos(row.try_get(1).map_err(corrupt)?);
            Ok((row.try_get(0).map_err(corrupt)?, amount))
        };
        rows.iter().map(waits).collect()
    }

    /// One payment; `None` where there is none of this id.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub async fn payment(&self, id: &str) -> Result<Option<Payment>, LedgerError> {
        let failed = LedgerError::while_doing("read a payment");
        let mut connection = self.pool.acquire().await.map_err(failed)?;
        Ok(read(&mut connection, "p.id = $1", &[id]).await?.pop())
    }

    /// A page of the payments, by entry, undone ones too: of one dealership, or of all.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub async fn payments_page(
        &self,
        dealership_id: Option<&str>,
        after: Option<&str>,
        most: usize,
    ) -> Result<Page<Payment, String>, LedgerError> {
        let failed = LedgerError::while_doing("read the payments");
        let mut connection = self.pool.acquire().await.map_err(failed)?;
        // Only the condition that there is, so that an index serves it.
        let whose = dealership_id.map_or("", |_| "AND x.dealership_id = $2");
        let condition = format!(
            "p.id IN (SELECT x.id FROM payment x WHERE x.id > $1 {whose} ORDER BY x.id LIMIT {})",
            most + 1
        );
        let values: Vec<&str> =
            std::iter::once(after.unwrap_or_default()).chain(dealership_id).collect();
        let payments = read(&mut connection, &condition, &values).await?;
        Ok(Page::of(payments, most, |payment| payment.id.clone()))
    }

    /// The payments with one of these references of a bank, undone ones too.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub async fn payments_named(&self, references: &[&str]) -> Result<Vec<Payment>, LedgerError> {
        let failed = LedgerError::while_doing("read the payments");
        let mut connection = self.pool.acquire().await.map_err(failed)?;
        let mut payments = Vec::new();
        for some in references.chunks(AT_ONCE) {
            let values: Vec<String> = (1..=some.len()).map(|index| format!("${index}")).collect();
            let condition = format!("p.reference IN ({})", values.join(", "));
            payments.extend(read(&mut connection, &condition, some).await?);
        }
        Ok(payments)
    }

    /// The payments for these invoices and those that settle them, by entry, undone ones too; an invoice may
    /// have payments that are named for another of them, each of which stands here once.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub async fn payments_about_invoices(
        &self,
        numbers: &[Number],
    ) -> Result<Vec<Payment>, LedgerError> {
        let failed = LedgerError::while_doing("read the payments");
        let mut connection = self.pool.acquire().await.map_err(failed)?;
        payments_about(&mut connection, numbers).await
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
        read(&mut connection, condition, &[&since.to_string()]).await
    }
}

/// Locks the account of a dealership until the transaction ends. Whoever needs several locks them in the order
/// of ids, and before the counter of numbers, so that no two wait for each other.
pub(crate) async fn lock_account(
    transaction: &mut Transaction,
    dealership_id: &str,
) -> Result<(), LedgerError> {
    // SQLite lets one transaction write at a time, and each of ours does from its beginning.
    if transaction.backend_name() == Engine::Sqlite.name() {
        return Ok(());
    }
    // Changes nothing.
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
    read(connection, "p.dealership_id = $1", &[dealership_id]).await
}

/// Of the payments of a dealership those that settle a number, or wait: all that an issue looks at, however
/// long the dealership has paid.
pub(crate) async fn payments_for(
    transaction: &mut Transaction,
    dealership_id: &str,
    number: Number,
) -> Result<Vec<Payment>, LedgerError> {
    let condition = format!(
        "p.dealership_id = $1 AND (p.id IN (SELECT x.payment FROM allocation x WHERE x.number = $2)
             OR ({WAITS}))"
    );
    read(transaction, &condition, &[dealership_id, &number.to_string()]).await
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

/// Takes back a refund: its money waits again; `false` where it was taken back before.
pub(crate) async fn undo_refund(
    transaction: &mut Transaction,
    id: &str,
) -> Result<bool, LedgerError> {
    let undone = sqlx::query("DELETE FROM refund_part WHERE refund = $1")
        .bind(id.to_owned())
        .execute(&mut **transaction)
        .await
        .map_err(LedgerError::while_doing("take back a refund"))?;
    Ok(undone.rows_affected() > 0)
}

/// The payments for these invoices and those that settle them, by entry, each once.
pub(super) async fn payments_about(
    connection: &mut AnyConnection,
    numbers: &[Number],
) -> Result<Vec<Payment>, LedgerError> {
    let mut payments: BTreeMap<String, Payment> = BTreeMap::new();
    for some in numbers.chunks(AT_ONCE) {
        let found = read(connection, &numbers_paid(some), &[]).await?;
        payments.extend(found.into_iter().map(|payment| (payment.id.clone(), payment)));
    }
    Ok(payments.into_values().collect())
}

/// That a payment `p` is for one of these invoices, or settles one.
pub(super) fn numbers_paid(numbers: &[Number]) -> String {
    let numbers: Vec<String> = numbers.iter().map(|number| format!("'{number}'")).collect();
    let numbers = numbers.join(", ");
    format!(
        "p.id IN (SELECT x.id FROM payment x WHERE x.number IN ({numbers})
             UNION SELECT x.payment FROM allocation x WHERE x.number IN ({numbers}))"
    )
}

/// Reads the payments that a condition on `p` picks, with its values.
async fn read(
    connection: &mut AnyConnection,
    condition: &str,
    values: &[&str],
) -> Result<Vec<Payment>, LedgerError> {
    const DOING: &str = "read the payments";
    let from = format!("payment p WHERE {condition}");
    let rows: Vec<Row> = rows::all(connection, DOING, (PAYMENT, &from), values).await?;
    let mut payments: Vec<Payment> = rows.into_iter().map(Payment::from).collect();
    payments.sort_by(|a, b| a.id.cmp(&b.id));
    if payments.is_empty() {
        return Ok(payments);
    }
    let from = format!("allocation a JOIN payment p ON p.id = a.payment WHERE {condition}");
    let parts = ("a.payment, a.number, a.amount", from.as_str());
    let mut parts: Vec<(String, Number, Centavos)> =
        rows::all(connection, DOING, parts, values).await?;
    parts.sort_by(|(a, x, _), (b, y, _)| (a, x).cmp(&(b, y)));
    for (of, number, Centavos(amount)) in parts {
        if let Ok(index) = payments.binary_search_by(|payment| payment.id.cmp(&of)) {
            payments[index].allocated.push((number, amount));
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

/// The columns [`PAYMENT`].
#[derive(Deserialize)]
struct Row {
    id: String,
    dealership_id: String,
    number: Option<Number>,
    paid_on: NaiveDate,
    amount: Centavos,
    kind: Kind,
    reference: Option<String>,
    ordinal: u32,
    converted: Centavos,
    entered_by: String,
    entered_at: DateTime<Utc>,
    undone_at: Option<IgnoredAny>,
    refunded: Centavos,
}

impl From<Row> for Payment {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            dealership_id: row.dealership_id,
            number: row.number,
            on: row.paid_on,
            amount: row.amount.0,
            kind: row.kind,
            reference: row.reference,
            ordinal: row.ordinal,
            entered_by: row.entered_by,
            entered_at: row.entered_at,
            allocated: Vec::new(),
            refunded: row.refunded.0,
            converted: row.converted.0,
            undone: row.undone_at.is_some(),
        }
    }
}
