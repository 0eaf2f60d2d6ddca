//! What groups got for a month: bills that add up the invoices of their dealerships, as they were made.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::Deserialize;
use sqlx::{AnyConnection, Row as _};

use super::rows::{self, Centavos};
use super::{Engine, Ledger, LedgerError, Transaction, corrupt, json, to_text};
use fecha_core::bill::group_bill::{GroupBill, GroupRow, GroupTxid, Invoices};
use fecha_core::bill::invoice::Number;
use fecha_core::calendar::month::Month;
use fecha_core::count::evidence::sha256_hex;
use fecha_core::party::group::GroupName;
use fecha_core::party::tax_id::Cnpj;

/// For a page whose streams are deflated already.
const LEVEL: i32 = 3;

/// A group bill as the ledger keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptGroupBill {
    /// What it says.
    pub bill: GroupBill,
    /// Of its page, hexadecimal.
    pub pdf_sha256: String,
    /// The one that took its place, where other invoices stood later.
    pub replaced_by: Option<GroupTxid>,
}

/// The latest bill of a group for a month.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LatestBill {
    pub(crate) txid: GroupTxid,
    /// What it is about.
    pub(crate) invoices: Invoices,
}

/// What stands of a month of groups.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct GroupedMonth {
    /// The invoices that stand, by group and number.
    pub(crate) standing: BTreeMap<GroupName, Vec<GroupRow>>,
    /// What each group got last.
    pub(crate) latest: BTreeMap<GroupName, LatestBill>,
}

impl Ledger {
    /// The group bills of a month, in the order in which they were made, replaced ones too.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub async fn group_bills(&self, month: Month) -> Result<Vec<KeptGroupBill>, LedgerError> {
        self.group_bills_where("b.month = $1", &month.to_string()).await
    }

    /// One group bill; `None` where there is none of this txid.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub async fn group_bill(&self, txid: GroupTxid) -> Result<Option<KeptGroupBill>, LedgerError> {
        Ok(self.group_bills_where("b.txid = $1", &txid.to_string()).await?.pop())
    }

    async fn group_bills_where(
        &self,
        condition: &str,
        value: &str,
    ) -> Result<Vec<KeptGroupBill>, LedgerError> {
        let from = format!("group_bill b WHERE {condition}");
        let columns =
            "b.content, b.pdf_sha256, (SELECT x.txid FROM group_bill x WHERE x.replaces = b.txid)";
        let rows: Vec<(String, String, Option<GroupTxid>)> =
            self.all("read the group bills", (columns, &from), &[value]).await?;
        let mut kept = Vec::with_capacity(rows.len());
        for (content, pdf_sha256, replaced_by) in rows {
            let bill = serde_json::from_str(&content).map_err(corrupt)?;
            kept.push(KeptGroupBill { bill, pdf_sha256, replaced_by });
        }
        kept.sort_by_key(|kept| kept.bill.txid);
        Ok(kept)
    }

    /// The page of a group bill, byte by byte as it was made; `None` where there is none of this txid.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read; [`LedgerError::Corrupt`] where the bytes are not those that were
    /// made, by their SHA-256.
    pub async fn group_page(&self, txid: GroupTxid) -> Result<Option<Vec<u8>>, LedgerError> {
        let row = sqlx::query("SELECT bytes, pdf_sha256 FROM group_bill WHERE txid = $1")
            .bind(txid.to_string())
            .fetch_optional(&self.pool)
            .await
            .map_err(LedgerError::while_doing("read a group bill"))?;
        let Some(row) = row else { return Ok(None) };
        let bytes: Vec<u8> = row.try_get(0).map_err(corrupt)?;
        let sha256: String = row.try_get(1).map_err(corrupt)?;
        let page = zstd::decode_all(bytes.as_slice()).map_err(corrupt)?;
        if sha256_hex(&page) == sha256 {
            Ok(Some(page))
        } else {
            Err(corrupt(format!("the page of {txid} is not what was made: its SHA-256 differs")))
        }
    }

    /// What each row of the group bills of a month asked for when they were made.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub async fn group_bill_rows(
        &self,
        month: Month,
    ) -> Result<Vec<(GroupTxid, Number, u32, i64)>, LedgerError> {
        let from = "group_bill_row g JOIN group_bill b ON b.txid = g.txid WHERE b.month = $1";
        let columns = ("g.txid, g.number, g.revision, g.to_pay", from);
        self.all("read the group bills", columns, &[&month.to_string()]).await
    }

    /// Whether any dealership belongs to a group, or one got a bill for the month: else there is nothing to look at.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub async fn knows_groups(&self, month: Month) -> Result<bool, LedgerError> {
        let row = sqlx::query(
            "SELECT 1 FROM dealership WHERE group_name IS NOT NULL
             UNION ALL SELECT 1 FROM group_bill WHERE month = $1 LIMIT 1",
        )
        .bind(month.to_string())
        .fetch_optional(&self.pool)
        .await
        .map_err(LedgerError::while_doing("read the groups"))?;
        Ok(row.is_some())
    }

    /// What stands of a month of groups, while others may write.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub(crate) async fn grouped_month(&self, month: Month) -> Result<GroupedMonth, LedgerError> {
        let failed = LedgerError::while_doing("read the groups");
        let mut connection = self.pool.acquire().await.map_err(failed)?;
        grouped_month(&mut connection, month).await
    }
}

/// Keeps others from making group bills until the transaction ends: of two at once the second sees what the first one
/// made, and the counter has no gap. Whoever calls it has locked the accounts before.
pub(crate) async fn hold_group_bills(transaction: &mut Transaction) -> Result<(), LedgerError> {
    // SQLite lets one transaction write at a time as it is.
    if transaction.backend_name() == Engine::Sqlite.name() {
        return Ok(());
    }
    sqlx::query("LOCK TABLE group_bill IN SHARE ROW EXCLUSIVE MODE")
        .execute(&mut **transaction)
        .await
        .map_err(LedgerError::while_doing("hold the group bills"))?;
    Ok(())
}

/// The fields of a [`Standing`], in their order. An invoice that a group got a bill of stays that group's.
const STANDING: &str = "i.number, r.revision, i.dealership_id, r.dealership_name, d.trade_name, r.cnpj, r.due_on, r.total, i.open,
    COALESCE((SELECT MAX(b.group_name) FROM group_bill_row g JOIN group_bill b ON b.txid = g.txid WHERE g.number = i.number),
        d.group_name)";

#[derive(Deserialize)]
struct Standing {
    number: Number,
    revision: u32,
    dealership_id: String,
    name: String,
    trade_name: String,
    cnpj: Cnpj,
    due_on: NaiveDate,
    total: Centavos,
    open: Centavos,
    group: GroupName,
}

/// The same as a transaction sees it.
pub(crate) async fn grouped_month(
    connection: &mut AnyConnection,
    month: Month,
) -> Result<GroupedMonth, LedgerError> {
    const DOING: &str = "read the groups";
    let month = month.to_string();
    let from = "invoice i JOIN revision r ON r.number = i.number JOIN dealership d ON d.id = i.dealership_id
        WHERE i.month = $1 AND i.cancelled_at IS NULL AND r.superseded_at IS NULL
            AND (d.group_name IS NOT NULL OR i.number IN (SELECT number FROM group_bill_row))";
    let rows: Vec<Standing> =
        rows::all(&mut *connection, DOING, (STANDING, from), &[&month]).await?;
    let mut grouped = GroupedMonth::default();
    for row in rows {
        let Standing { number, revision, dealership_id, name, trade_name, cnpj, due_on, .. } = row;
        let (Centavos(total), Centavos(to_pay)) = (row.total, row.open);
        let paid = total - to_pay;
        grouped.standing.entry(row.group).or_default().push(GroupRow {
            number,
            revision,
            dealership_id,
            name,
            trade_name,
            cnpj,
            due_on,
            total,
            paid,
            to_pay,
        });
    }
    for rows in grouped.standing.values_mut() {
        rows.sort_by_key(|row| row.number);
    }
    let from = "group_bill b JOIN group_bill_row g ON g.txid = b.txid
        WHERE b.month = $1 AND NOT EXISTS (SELECT 1 FROM group_bill x WHERE x.replaces = b.txid)";
    let columns = ("b.group_name, b.txid, g.number, g.revision", from);
    let rows: Vec<(GroupName, GroupTxid, Number, u32)> =
        rows::all(&mut *connection, DOING, columns, &[&month]).await?;
    for (group, txid, number, revision) in rows {
        let latest = grouped
            .latest
            .entry(group)
            .or_insert_with(|| LatestBill { txid, invoices: Invoices::new() });
        latest.invoices.insert((number, revision));
    }
    Ok(grouped)
}

/// The name of the next group bill of a month. Free again where the transaction fails.
pub(crate) async fn next_group_txid(
    transaction: &mut Transaction,
    month: Month,
) -> Result<GroupTxid, LedgerError> {
    let row = sqlx::query("SELECT MAX(counter) FROM group_bill WHERE month = $1")
        .bind(month.to_string())
        .fetch_one(&mut **transaction)
        .await
        .map_err(LedgerError::while_doing("count the group bills"))?;
    let last: Option<i64> = row.try_get(0).map_err(corrupt)?;
    let counter = u32::try_from(last.unwrap_or_default() + 1).map_err(corrupt)?;
    Ok(GroupTxid { month, counter })
}

/// Writes a group bill with its rows and its page.
pub(crate) async fn insert_group_bill(
    transaction: &mut Transaction,
    bill: &GroupBill,
    page: &[u8],
) -> Result<(), LedgerError> {
    let failed = LedgerError::while_doing("write a group bill");
    sqlx::query(
        "INSERT INTO group_bill (txid, month, counter, group_name, replaces, content, pdf_sha256, bytes, made_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(bill.txid.to_string())
    .bind(bill.txid.month.to_string())
    .bind(i64::from(bill.txid.counter))
    .bind(bill.group.to_string())
    .bind(bill.replaces.map(|before| before.to_string()))
    .bind(json(bill)?)
    .bind(sha256_hex(page))
    .bind(zstd::encode_all(page, LEVEL).map_err(corrupt)?)
    .bind(to_text(bill.made_at))
    .execute(&mut **transaction)
    .await
    .map_err(&failed)?;
    for row in &bill.rows {
        sqlx::query(
            "INSERT INTO group_bill_row (txid, number, revision, to_pay) VALUES ($1, $2, $3, $4)",
        )
        .bind(bill.txid.to_string())
        .bind(row.number.to_string())
        .bind(i64::from(row.revision))
        .bind(row.to_pay.centavos())
        .execute(&mut **transaction)
        .await
        .map_err(&failed)?;
    }
    Ok(())
}

/// Withdraws the emails of a group bill that were not sent; how many. One whose sending is under way is recorded as sent
/// if it still gets through.
pub(crate) async fn withdraw_group_bill(
    transaction: &mut Transaction,
    txid: GroupTxid,
) -> Result<u64, LedgerError> {
    let withdrawn = sqlx::query(
        "UPDATE outbox SET state = 'withdrawn', next_attempt_at = NULL, lease_until = NULL
         WHERE kind = 'group' AND cause LIKE $1 AND state IN ('pending', 'sending', 'failed')",
    )
    .bind(format!("{} {txid} %", txid.month))
    .execute(&mut **transaction)
    .await
    .map_err(LedgerError::while_doing("withdraw emails"))?;
    Ok(withdrawn.rows_affected())
}
