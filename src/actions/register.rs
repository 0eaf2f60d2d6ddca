//! One dealership of the register, changed by hand: the same checks as its row in a file, and the audit log names what
//! changed.

use crate::actions::words::plain;
use crate::ledger::LedgerError;
use crate::ledger::audit::{Action, Deed};
use crate::ledger::invoices::Filter;
use crate::ledger::register::{Register, RegisterChange};
use crate::setup::office::Office;
use crate::setup::register::changes::{Becomes, Change};
use crate::setup::register::plan::{Alike, File, Files, Plan, plan};
use crate::setup::register::{BadRow, BadRows, contract_row, dealership_cells, dealership_row};
use fecha_core::bill::invoice::InvoiceState;
use fecha_core::bill::plan::PlanHash;
use fecha_core::calendar::month::Month;
use fecha_core::party::register::{Dealership, UnknownDealerships};
use fecha_core::price::contract::Contracts;

/// Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// The dealership that it is about.
    #[error("{}", .0.of_one())]
    Unknown(#[from] UnknownDealerships),
    /// What a file would be refused for, by column.
    #[error("{0}")]
    Bad(BadRows),
    /// Somebody has changed it since it was shown.
    #[error("somebody has changed the dealership since: look at it again. Nothing was changed")]
    Other,
    /// It is as it was asked to be.
    #[error("that is how it stands already: nothing was changed")]
    Same,
    /// The ledger failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// What was changed of a dealership.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// Each column, old and new.
    pub change: Change,
    /// What is to be mended though it was taken.
    pub warnings: Vec<BadRow>,
}

/// What a contract entry changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContractChanged {
    /// From which month on.
    pub from: Month,
    /// The package of that month before; `None` where there was none.
    pub before: Option<u64>,
    /// From now on; `None` where the contract ends.
    pub now: Option<u64>,
    /// Months from then on that are invoiced: only a rerun changes them.
    pub invoiced: Vec<Month>,
}

/// What a person has seen of a dealership: its row as it was shown.
#[must_use]
pub fn seen(dealership: &Dealership) -> PlanHash {
    PlanHash::of(&dealership_cells(dealership))
}

/// Changes columns of a dealership's row, each as `dealerships.csv` writes it; others stay. `seen` is what the
/// person was shown.
///
/// # Errors
/// [`ChangeError`]; nothing was changed then.
pub async fn change(
    office: &Office,
    id: &str,
    columns: &[(&str, &str)],
    seen_as: Option<&PlanHash>,
    by: &str,
) -> Result<Changed, ChangeError> {
    let known = office.ledger.dealership(id).await?.ok_or_else(|| unknown(id))?;
    if seen_as.is_some_and(|hash| *hash != seen(&known)) {
        return Err(ChangeError::Other);
    }
    let row = dealership_row(&known, columns);
    let known = Register { dealerships: vec![known], ..Register::default() };
    let file = File { name: "dealerships.csv", bytes: row.as_bytes() };
    let files = Files { dealerships: Some(file), ..Files::default() };
    let Plan { import, written, .. } = planned(office, &known, files)?;
    let change = import.changes.into_iter().next().ok_or(ChangeError::Same)?;
    let detail = plain(&change.in_words());
    write(office, &known, &written, deed(office, None, id, &detail, by)).await?;
    Ok(Changed { change, warnings: import.warnings })
}

/// Gives a dealership a package from a month on, or none, each as `contracts.csv` writes it.
///
/// # Errors
/// [`ChangeError`]; nothing was changed then.
pub async fn contract(
    office: &Office,
    id: &str,
    (from, package): (&str, &str),
    by: &str,
) -> Result<ContractChanged, ChangeError> {
    let dealership = office.ledger.dealership(id).await?.ok_or_else(|| unknown(id))?;
    let contracts = office.ledger.contracts_of(id).await?;
    let row = contract_row(id, from, package);
    let known = Register { dealerships: vec![dealership], contracts, ..Register::default() };
    let file = File { name: "contracts.csv", bytes: row.as_bytes() };
    let files = Files { contracts: Some(file), ..Files::default() };
    let Plan { written, import, .. } = planned(office, &known, files)?;
    let (entry, change) =
        written.contracts.first().zip(import.changes.first()).ok_or(ChangeError::Same)?;
    let from = entry.from_month;
    let before = known.contracts.iter().cloned().collect::<Contracts>().package_in(id, from);
    if before == entry.package && change.change == Becomes::Added {
        return Err(ChangeError::Same);
    }
    let in_words = |package: Option<u64>| package.map_or("none".to_owned(), |n| n.to_string());
    let detail =
        format!("package '{}' → '{}' from {from}", in_words(before), in_words(entry.package));
    write(office, &known, &written, deed(office, Some(from), id, &detail, by)).await?;
    let filter = Filter { dealership_id: Some(id), ..Filter::default() };
    let listed = office.ledger.listed(filter).await?;
    let stands = listed.iter().filter(|one| one.state == InvoiceState::Issued);
    let mut invoiced: Vec<Month> =
        stands.map(|one| one.month).filter(|month| *month >= from).collect();
    invoiced.sort_unstable();
    Ok(ContractChanged { from, before, now: entry.package, invoiced })
}

fn unknown(id: &str) -> ChangeError {
    UnknownDealerships(vec![id.to_owned()]).into()
}

fn planned(office: &Office, known: &Register, files: Files<'_>) -> Result<Plan, ChangeError> {
    plan(known, files, &office.config.prices, Alike::Refuse).map_err(ChangeError::Bad)
}

fn deed<'a>(
    office: &Office,
    month: Option<Month>,
    id: &'a str,
    detail: &'a str,
    by: &'a str,
) -> Deed<'a> {
    let at = office.clock.now();
    Deed { at, actor: by, action: Action::Import, month, dealership_id: Some(id), detail }
}

async fn write(
    office: &Office,
    known: &Register,
    written: &Register,
    deed: Deed<'_>,
) -> Result<(), LedgerError> {
    let change = RegisterChange { known, written, removed: &[] };
    office.ledger.import(change, &[deed]).await
}
