//! Files of a whole month for finance: the workbook, and all invoices.

use fecha_core::bill::digest::{Digest, DigestRow, Mover, Whole};
use fecha_core::bill::invoice::{InvoiceState, Number};
use fecha_core::calendar::month::Month;

use crate::ledger::LedgerError;
use crate::ledger::closing::MonthState;
use crate::ledger::invoices::Filter;
use crate::ledger::listing::Listed;
use crate::setup::office::Office;

/// An invoice PDF that stands in the ledger, by its file name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvoiceFile {
    /// The number.
    pub number: Number,
    /// The revision.
    pub revision: u32,
    /// `2026-000001-R1`.
    pub label: String,
}

/// The report on a month as it stands, for its workbook: all of its invoices, whichever report told of them; of a
/// month that is held what it would issue. `None` where there is no report yet.
///
/// # Errors
/// [`LedgerError`] where the ledger cannot be read.
pub async fn report(office: &Office, month: Month) -> Result<Option<Digest>, LedgerError> {
    let ledger = &office.ledger;
    let closing = ledger.closing(month).await?;
    if closing.as_ref().is_some_and(|closing| closing.state == MonthState::Held) {
        let Some(last) = ledger.last_hold(month).await? else { return Ok(None) };
        return Ok(Some(ledger.held(month, last.sequence).await?.digest));
    }
    if ledger.digests(month).await? == 0 {
        return Ok(None);
    }
    let digest = ledger.digest(month, 1).await?;
    let revisions = ledger.standing(month).await?;
    let now = standing(office, month).await?;
    let before = standing(office, month.previous()).await?;
    let mut revisions: Vec<_> = revisions.into_values().collect();
    revisions.sort_by_key(|one| one.invoice.number);
    let paid = |number: Number| now.iter().find(|one| one.number == number).map(|one| one.paid);
    let row = |one: &crate::ledger::invoices::Revision| DigestRow {
        paid: paid(one.invoice.number),
        ..DigestRow::of(&one.invoice, one.pdf_sha256.clone())
    };
    let invoices = revisions.iter().map(row).collect();
    let whole = Some(Whole::of(&movers(&now), &movers(&before)));
    Ok(Some(Digest { invoices, whole, ..digest }))
}

/// The invoices of a month that stand, by number.
///
/// # Errors
/// [`LedgerError`] where the ledger cannot be read.
pub async fn invoice_files(office: &Office, month: Month) -> Result<Vec<InvoiceFile>, LedgerError> {
    let file = |one: &Listed| InvoiceFile {
        number: one.number,
        revision: one.revision,
        label: one.label(),
    };
    Ok(standing(office, month).await?.iter().map(file).collect())
}

/// The invoices of a month as lists show them, void and standing ones, by number.
///
/// # Errors
/// [`LedgerError`] where the ledger cannot be read.
pub async fn listed(office: &Office, month: Month) -> Result<Vec<Listed>, LedgerError> {
    office.ledger.listed(Filter { month: Some(month), ..Filter::default() }).await
}

async fn standing(office: &Office, month: Month) -> Result<Vec<Listed>, LedgerError> {
    let mut all = listed(office, month).await?;
    all.retain(|one| one.state == InvoiceState::Issued);
    Ok(all)
}

fn movers(listed: &[Listed]) -> Vec<Mover> {
    let mover = |one: &Listed| Mover {
        dealership_id: one.dealership_id.clone(),
        dealership_name: one.figures.dealership_name.clone(),
        total: one.figures.total,
    };
    listed.iter().map(mover).collect()
}
