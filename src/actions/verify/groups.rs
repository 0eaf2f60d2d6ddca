//! Whether what groups got for a month is what was made: what it says adds up, and asks for that. What was open of each
//! invoice then cannot be computed again.

use std::collections::BTreeMap;

use super::integrity::Problem;
use crate::ledger::group_bills::KeptGroupBill;
use crate::ledger::{Ledger, LedgerError};
use fecha_core::bill::group_bill::{FEWEST, GroupRow, GroupTxid};
use fecha_core::bill::invoice::Number;
use fecha_core::calendar::month::Month;
use fecha_core::party::pix::asked_by;
use fecha_core::price::money::Money;

/// The rows of a bill beside its content: what was open of each revision.
type Rows = BTreeMap<(Number, u32), i64>;

/// What is wrong with the group bills of a month.
///
/// # Errors
/// [`LedgerError`] where the ledger cannot be read; what is wrong in it is no error.
pub async fn check(ledger: &Ledger, month: Month) -> Result<Vec<Problem>, LedgerError> {
    let mut rows: BTreeMap<GroupTxid, Rows> = BTreeMap::new();
    for (txid, number, revision, to_pay) in ledger.group_bill_rows(month).await? {
        rows.entry(txid).or_default().insert((number, revision), to_pay);
    }
    let mut wrong = Vec::new();
    for (counter, kept) in (1..).zip(ledger.group_bills(month).await?) {
        let txid = kept.bill.txid;
        if txid != (GroupTxid { month, counter }) {
            wrong.push(format!("the group bills of {month} have a gap before {txid}"));
        }
        wrong.extend(sums(&kept, rows.get(&txid)));
        match ledger.group_page(txid).await {
            Ok(Some(_)) => {}
            Ok(None) => wrong.push(format!("the page of {txid} is missing")),
            Err(LedgerError::Corrupt(what)) => wrong.push(what),
            Err(error) => return Err(error),
        }
    }
    let problem =
        |what| Problem { number: None, what: format!("{what}: restore the ledger from a backup") };
    Ok(wrong.into_iter().map(problem).collect())
}

/// What does not add up of a bill: its rows here and in what it says, what it asks for by Pix.
fn sums(kept: &KeptGroupBill, rows: Option<&Rows>) -> Vec<String> {
    let bill = &kept.bill;
    let txid = bill.txid;
    let said: Rows =
        bill.rows.iter().map(|row| ((row.number, row.revision), row.to_pay.centavos())).collect();
    let mut wrong = Vec::new();
    if rows != Some(&said) || said.len() < FEWEST {
        wrong.push(format!("{txid} says other invoices or amounts than its rows"));
    }
    let adds_up = |row: &GroupRow| row.total - row.paid == row.to_pay && row.to_pay >= Money::ZERO;
    if !bill.rows.iter().all(adds_up) {
        wrong.push(format!(
            "a row of {txid} does not add up: the total less what was paid is to be paid"
        ));
    }
    let asked = bill.pix.as_deref().map(asked_by);
    if asked.is_some_and(|asked| asked != Some((bill.to_pay(), txid.to_string()))) {
        wrong.push(format!(
            "the Pix of {txid} asks for another amount than its rows, or by another txid"
        ));
    }
    wrong
}
