//! What came in for group bills: each a few payments, one for each invoice that got a part of it.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::Deserialize;
use serde::de::IgnoredAny;
use sqlx::AnyConnection;

use super::rows::{self, Centavos};
use super::{Ledger, LedgerError, Transaction};
use fecha_core::bill::group_bill::GroupTxid;
use fecha_core::bill::invoice::Number;
use fecha_core::price::money::Money;

/// What came in at once for a group bill.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// Its payments, the first one first.
    pub payments: Vec<String>,
    /// The day on the bank statement.
    pub on: NaiveDate,
    /// Of all of them.
    pub amount: Money,
    /// The bank's.
    pub reference: Option<String>,
    /// Each of them was taken back.
    pub undone: bool,
}

/// A group bill as payments see it: for which invoices it is, void ones too, and what came in for it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GroupAccount {
    /// Whose each invoice is, by number.
    pub invoices: BTreeMap<Number, String>,
    /// By entry.
    pub receipts: Vec<Receipt>,
}

impl Ledger {
    /// These group bills as payments see them, while others may write; those that are not there are left out.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub async fn group_accounts(
        &self,
        txids: &[GroupTxid],
    ) -> Result<BTreeMap<GroupTxid, GroupAccount>, LedgerError> {
        if txids.is_empty() {
            return Ok(BTreeMap::new());
        }
        let failed = LedgerError::while_doing("read the group bills");
        let mut connection = self.pool.acquire().await.map_err(failed)?;
        group_accounts(&mut connection, txids).await
    }
}

/// So many are asked for at once.
const AT_ONCE: usize = 500;

#[derive(Deserialize)]
struct Part {
    txid: GroupTxid,
    receipt: String,
    payment: String,
    on: NaiveDate,
    amount: Centavos,
    reference: Option<String>,
    undone_at: Option<IgnoredAny>,
}

/// The same as a transaction sees it.
pub(crate) async fn group_accounts(
    connection: &mut AnyConnection,
    txids: &[GroupTxid],
) -> Result<BTreeMap<GroupTxid, GroupAccount>, LedgerError> {
    const DOING: &str = "read the group bills";
    let mut accounts: BTreeMap<GroupTxid, GroupAccount> = BTreeMap::new();
    for some in txids.chunks(AT_ONCE) {
        let listed: Vec<String> = some.iter().map(|txid| format!("'{txid}'")).collect();
        let listed = listed.join(", ");
        let from = format!(
            "group_bill_row g JOIN invoice i ON i.number = g.number WHERE g.txid IN ({listed})"
        );
        let columns = ("g.txid, g.number, i.dealership_id", from.as_str());
        let rows: Vec<(GroupTxid, Number, String)> =
            rows::all(&mut *connection, DOING, columns, &[]).await?;
        for (txid, number, dealership_id) in rows {
            accounts.entry(txid).or_default().invoices.insert(number, dealership_id);
        }
        let from = format!(
            "group_payment g JOIN payment p ON p.id = g.payment WHERE g.txid IN ({listed})"
        );
        let columns = "g.txid, g.receipt, p.id, p.paid_on, p.amount, p.reference, p.undone_at";
        let mut parts: Vec<Part> =
            rows::all(&mut *connection, DOING, (columns, &from), &[]).await?;
        parts.sort_by(|a, b| (&a.receipt, &a.payment).cmp(&(&b.receipt, &b.payment)));
        for parts in parts.chunk_by(|a, b| a.receipt == b.receipt) {
            let account = accounts.entry(parts[0].txid).or_default();
            account.receipts.push(Receipt {
                payments: parts.iter().map(|part| part.payment.clone()).collect(),
                on: parts[0].on,
                amount: parts.iter().map(|part| part.amount.0).sum(),
                reference: parts.iter().find_map(|part| part.reference.clone()),
                undone: parts.iter().all(|part| part.undone_at.is_some()),
            });
        }
    }
    Ok(accounts)
}

/// Writes that these payments are the parts of what came in for a group bill, in the order in which they were entered.
pub(crate) async fn insert_group_payment(
    transaction: &mut Transaction,
    txid: GroupTxid,
    payments: &[String],
) -> Result<(), LedgerError> {
    let Some(first) = payments.first() else { return Ok(()) };
    for payment in payments {
        sqlx::query("INSERT INTO group_payment (payment, txid, receipt) VALUES ($1, $2, $3)")
            .bind(payment.clone())
            .bind(txid.to_string())
            .bind(first.clone())
            .execute(&mut **transaction)
            .await
            .map_err(LedgerError::while_doing("record a payment"))?;
    }
    Ok(())
}
