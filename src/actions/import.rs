//! The register, in and out as the CSV files of spec §3.3.

use crate::ledger::audit::{Action, Deed};
use crate::ledger::register::NumberChanges;
use crate::ledger::{Ledger, LedgerError};
use crate::setup::office::Office;
use crate::setup::register::plan::{Alike, Files, Import, Plan, Register, plan};
use crate::setup::register::{BadRows, write_contracts, write_dealerships, write_numbers};
use fecha_core::price::table::Prices;

/// Nothing was imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// Every row that is wrong, of all files.
    #[error("{0}\nnothing was imported: fix these rows and import again")]
    Bad(BadRows),
    /// The ledger failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// Adds to and updates the register: all rows of all files or none.
///
/// # Errors
/// [`ImportError`]; nothing was imported then.
pub async fn import(
    office: &Office,
    files: Files<'_>,
    alike: Alike,
    by: &str,
) -> Result<Import, ImportError> {
    let known = register(&office.ledger).await?;
    let Plan { import, written, removed } =
        plan(&known, files, &office.config.prices, alike).map_err(ImportError::Bad)?;
    let Import { dealerships, contracts, numbers, .. } = &import;
    let mut detail = format!("{} dealerships, {} contracts", dealerships.rows(), contracts.rows());
    if files.numbers.is_some() {
        detail += &format!(", {} numbers", numbers.rows());
    }
    let deed = Deed {
        at: office.clock.now(),
        actor: by,
        action: Action::Import,
        month: None,
        dealership_id: None,
        detail: &detail,
    };
    let Register { dealerships, contracts, numbers } = &written;
    let numbers = NumberChanges { known: &known.numbers, written: numbers, removed: &removed };
    office.ledger.import(dealerships, contracts, numbers, &deed).await?;
    Ok(import)
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
        Some(ledger) => register(ledger).await?,
        None => Register::default(),
    };
    let plan = plan(&known, files, prices, alike).map_err(ImportError::Bad)?;
    Ok(Import { dry_run: true, ..plan.import })
}

async fn register(ledger: &Ledger) -> Result<Register, LedgerError> {
    Ok(Register {
        dealerships: ledger.dealerships().await?,
        contracts: ledger.contracts().await?,
        numbers: ledger.business_numbers().await?.entries(),
    })
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
    let Register { dealerships, contracts, numbers } = register(&office.ledger).await?;
    Ok(Export {
        dealerships: (write_dealerships(&dealerships), dealerships.len()),
        contracts: (write_contracts(&contracts), contracts.len()),
        numbers: (!numbers.is_empty()).then(|| (write_numbers(&numbers), numbers.len())),
    })
}
