//! Reads what the ledger knows of a month.

use crate::ledger::LedgerError;
use crate::setup::office::Office;
use fecha_core::bill::case::MonthBook;
use fecha_core::bill::invoice::Invoice;
use fecha_core::calendar::month::Month;

use std::collections::BTreeMap;

/// The book of a month whose invoices are `standing`: all of them, or those that it is about.
pub(super) async fn of_invoiced(
    office: &Office,
    month: Month,
    standing: BTreeMap<String, Invoice>,
) -> Result<MonthBook, LedgerError> {
    let ledger = &office.ledger;
    Ok(MonthBook {
        month,
        issuer_zone: office.config.issuer.timezone,
        rules: office.config.counting.rules,
        dealerships: ledger.dealerships().await?,
        contracts: ledger.contracts().await?.into_iter().collect(),
        numbers: ledger.business_numbers().await?,
        standing,
        before: BTreeMap::new(),
        after: BTreeMap::new(),
        history: BTreeMap::new(),
        notes: ledger.notes_by_dealership().await?,
        payments: ledger.payments_about(month).await?,
    })
}

/// The book of a month with what a first issue needs: the invoices beside it, and the months before.
pub(super) async fn of(office: &Office, month: Month) -> Result<MonthBook, LedgerError> {
    let ledger = &office.ledger;
    let standing = ledger.standing_invoices(month).await?;
    Ok(MonthBook {
        before: ledger.standing_invoices(month.previous()).await?,
        after: ledger.standing_invoices(month.next()).await?,
        history: ledger.history(month).await?,
        ..of_invoiced(office, month, standing).await?
    })
}
