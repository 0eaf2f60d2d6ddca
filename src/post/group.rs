//! The files that go with what a group gets.

use crate::ledger::documents::FileKind;
use crate::ledger::{Ledger, LedgerError};
use crate::letters::compose::{GroupFiles, invoice_file, statement_file};
use crate::letters::report::archive::File;
use fecha_core::bill::group_bill::{GroupBill, GroupTxid};

/// A group bill with its files, as issued.
///
/// # Errors
/// [`LedgerError`] where the ledger cannot be read, or lacks one of them.
pub async fn group_files(
    ledger: &Ledger,
    txid: GroupTxid,
) -> Result<(GroupBill, GroupFiles), LedgerError> {
    let gone = || LedgerError::Corrupt(format!("there is no group bill {txid}"));
    let kept = ledger.group_bill(txid).await?.ok_or_else(gone)?;
    let page = ledger.group_page(txid).await?.ok_or_else(gone)?;
    let files = with_invoices(ledger, &kept.bill, page).await?;
    Ok((kept.bill, files))
}

/// The page of a bill together with invoice and statement of each of its rows.
///
/// # Errors
/// [`LedgerError`] where the ledger cannot be read, or lacks one of them.
pub async fn with_invoices(
    ledger: &Ledger,
    bill: &GroupBill,
    page: Vec<u8>,
) -> Result<GroupFiles, LedgerError> {
    let mut invoices = Vec::with_capacity(2 * bill.rows.len());
    for row in &bill.rows {
        let label = row.label();
        for (kind, name) in [
            (FileKind::Invoice, invoice_file(&label)),
            (FileKind::Statement, statement_file(&label)),
        ] {
            let bytes = ledger.file(row.number, row.revision, kind).await?;
            let bytes = bytes.ok_or_else(|| {
                LedgerError::Corrupt(format!("{name} is not there, which {} adds up", bill.txid))
            })?;
            invoices.push(File { name, bytes });
        }
    }
    Ok(GroupFiles { page, invoices })
}
