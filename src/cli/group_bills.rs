//! What a close or a rerun says of the bills of groups that it made.

use serde::Serialize;

use super::output::plain;
use crate::actions::words::count;
use fecha_core::bill::group_bill::{GroupBill, GroupTxid};
use fecha_core::party::group::GroupName;
use fecha_core::price::money::Money;

/// A group bill in the JSON of a close or a rerun.
#[derive(Debug, Serialize)]
pub struct GroupBillJson<'a> {
    txid: GroupTxid,
    group: &'a GroupName,
    invoices: usize,
    to_pay: Money,
    replaces: Option<GroupTxid>,
}

impl<'a> GroupBillJson<'a> {
    /// Of this one.
    pub fn of(bill: &'a GroupBill) -> Self {
        Self {
            txid: bill.txid,
            group: &bill.group,
            invoices: bill.rows.len(),
            to_pay: bill.to_pay(),
            replaces: bill.replaces,
        }
    }
}

/// A line for each; empty where none was made.
pub fn group_bills_in_words(bills: &[GroupBill]) -> String {
    let line = |bill: &GroupBill| {
        let replaces = bill.replaces.map(|before| format!(", in place of {before}"));
        format!(
            "group '{}': {} for {}, {} to pay{}\n",
            plain(bill.group.as_str()),
            bill.txid,
            count(bill.rows.len(), "invoice"),
            bill.to_pay().brl(),
            replaces.unwrap_or_default()
        )
    };
    bills.iter().map(line).collect()
}
