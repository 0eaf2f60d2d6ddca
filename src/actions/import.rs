//! The register, in and out as the CSV files of spec §3.3.

use crate::ledger::audit::{Action, Deed};
use crate::ledger::register::RegisterChange;
use crate::ledger::{Ledger, LedgerError};
use crate::setup::office::Office;
use crate::setup::register::changes::{Becomes, Change, Key};
use crate::setup::register::plan::{Alike, Files, Import, Plan, Register, plan};
use crate::setup::register::{BadRows, write_contracts, write_dealerships, write_numbers};
use fecha_core::bill::plan::PlanHash;
use fecha_core::calendar::month::Month;
use fecha_core::price::table::Prices;

/// Nothing was imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// Every row that is wrong, of all files.
    #[error("{0}\nnothing was imported: fix these rows and import again")]
    Bad(BadRows),
    /// The files would do something else to the register by now than what was shown.
    #[error(
        "the register has changed since, and the import would do something else now: nothing was imported. Look at it with --dry-run again (plan {0})"
    )]
    Other(PlanHash),
    /// The ledger failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// Adds to and updates the register: all rows of all files or none; with a plan only what that plan shows.
///
/// # Errors
/// [`ImportError`]; nothing was imported then.
pub async fn import(
    office: &Office,
    files: Files<'_>,
    alike: Alike,
    only: Option<&PlanHash>,
    by: &str,
) -> Result<Import, ImportError> {
    let known = office.ledger.register().await?;
    let planned = plan(&known, files, &office.config.prices, alike).map_err(ImportError::Bad)?;
    let hash = planned.hash();
    if only.is_some_and(|only| *only != hash) {
        return Err(ImportError::Other(hash));
    }
    let Plan { import, written, removed } = planned;
    let Import { dealerships, contracts, numbers, .. } = &import;
    let mut detail = format!("{} dealerships, {} contracts", dealerships.rows(), contracts.rows());
    if files.numbers.is_some() {
        detail += &format!(", {} numbers", numbers.rows());
    }
    let changed: Vec<(Option<Month>, &str, String)> =
        import.changes.iter().filter_map(changed).collect();
    let deed = |month, dealership_id, detail| Deed {
        at: office.clock.now(),
        actor: by,
        action: Action::Import,
        month,
        dealership_id,
        detail,
    };
    let each = changed.iter().map(|(month, id, detail)| deed(*month, Some(*id), detail));
    let deeds: Vec<Deed<'_>> = [deed(None, None, &detail)].into_iter().chain(each).collect();
    let change = RegisterChange { known: &known, written: &written, removed: &removed };
    office.ledger.import(change, &deeds).await?;
    Ok(import)
}

/// What the audit log says of a row that was there and changes; what is added is in the count.
fn changed(change: &Change) -> Option<(Option<Month>, &str, String)> {
    let columns = || change.in_words();
    match (&change.key, change.change) {
        (Key::Dealership { dealership_id }, Becomes::Updated) => {
            Some((None, dealership_id, columns()))
        }
        (Key::Contract { dealership_id, from_month }, Becomes::Updated) => {
            Some((Some(*from_month), dealership_id, columns()))
        }
        _ => None,
    }
}

/// Says what an import would do. `ledger`: `None` where there is none yet.
///
/// # Errors
/// As [`import`].
pub async fn try_out(
    ledger: Option<&Ledger>,
    prices: &Prices,
    files: Files<'_>,
    alike: Alike,
) -> Result<Import, ImportError> {
    let known = match ledger {
        Some(ledger) => ledger.register().await?,
        None => Register::default(),
    };
    let plan = plan(&known, files, prices, alike).map_err(ImportError::Bad)?;
    let hash = plan.hash();
    Ok(Import { dry_run: true, plan: Some(hash), ..plan.import })
}

/// The register as CSV; importing it again changes nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Export {
    /// `dealerships.csv`, and how many rows it has.
    pub dealerships: (String, usize),
    /// `contracts.csv`, and how many rows it has.
    pub contracts: (String, usize),
    /// `numbers.csv`, and how many rows it has; `None` where the register has none.
    pub numbers: Option<(String, usize)>,
}

/// Writes the register as its files.
///
/// # Errors
/// [`LedgerError`] where the ledger cannot be read.
pub async fn export(office: &Office) -> Result<Export, LedgerError> {
    let Register { dealerships, contracts, numbers } = office.ledger.register().await?;
    Ok(Export {
        dealerships: (write_dealerships(&dealerships), dealerships.len()),
        contracts: (write_contracts(&contracts), contracts.len()),
        numbers: (!numbers.is_empty()).then(|| (write_numbers(&numbers), numbers.len())),
    })
}
