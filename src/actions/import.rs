//! The register, in and out as the CSV files of spec §3.3.

use std::collections::HashSet;

use serde::Serialize;

use crate::ledger::LedgerError;
use crate::ledger::audit::{Action, Deed};
use crate::ledger::register::Imported;
use crate::setup::office::Office;
use crate::setup::register::{
    BadRows, read_contracts, read_dealerships, write_contracts, write_dealerships,
};

/// A file of the register, as it was read.
#[derive(Debug, Clone, Copy)]
pub struct File<'a> {
    /// As its bad rows are to name it.
    pub name: &'a str,
    /// What stands in it.
    pub bytes: &'a [u8],
}

/// What an import did, in rows; its JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Import {
    /// Contract entries.
    pub contracts: Imported,
    /// Dealerships.
    pub dealerships: Imported,
}

/// Nothing was imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// Every row that is wrong, of both files.
    #[error("{0}\nnothing was imported: mend these rows and import again")]
    Bad(BadRows),
    /// The ledger failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// Adds to and updates the register: all rows of both files or none.
///
/// # Errors
/// [`ImportError`]; nothing was imported then.
pub async fn import(
    office: &Office,
    dealerships: Option<File<'_>>,
    contracts: Option<File<'_>>,
    by: &str,
) -> Result<Import, ImportError> {
    let mut bad = BadRows::default();
    // Ids of rows that are bad otherwise still count as known: their contracts are no second mistake.
    let known = office.ledger.dealerships().await?;
    let mut ids: HashSet<String> = known.into_iter().map(|dealership| dealership.id).collect();
    let mut people = Vec::new();
    if let Some(File { name, bytes }) = dealerships {
        match read_dealerships(name, bytes) {
            Ok(rows) => people = rows,
            Err(rows) => {
                bad = bad.and(rows);
                ids.extend(first_column(bytes));
            }
        }
        ids.extend(people.iter().map(|dealership| dealership.id.clone()));
    }
    let mut packages = Vec::new();
    if let Some(File { name, bytes }) = contracts {
        let is_known = |id: &str| ids.contains(id);
        match read_contracts(name, bytes, &is_known, &office.config.prices) {
            Ok(rows) => packages = rows,
            Err(rows) => bad = bad.and(rows),
        }
    }
    if bad.total > 0 {
        return Err(ImportError::Bad(bad));
    }
    let detail = format!("{} dealerships, {} contracts", people.len(), packages.len());
    let deed = Deed {
        at: office.clock.now(),
        actor: by,
        action: Action::Import,
        month: None,
        dealership_id: None,
        detail: &detail,
    };
    let (dealerships, contracts) = office.ledger.import(&people, &packages, &deed).await?;
    Ok(Import { contracts, dealerships })
}

fn first_column(bytes: &[u8]) -> Vec<String> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(bytes);
    let first = |record: csv::StringRecord| record.get(0).map(str::to_owned);
    reader.records().filter_map(Result::ok).filter_map(first).collect()
}

/// The register as CSV; importing it again changes nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Export {
    /// `dealerships.csv`, and how many rows it has.
    pub dealerships: (String, usize),
    /// `contracts.csv`, and how many rows it has.
    pub contracts: (String, usize),
}

/// Writes the register as the two files.
///
/// # Errors
/// [`LedgerError`] where the ledger cannot be read.
pub async fn export(office: &Office) -> Result<Export, LedgerError> {
    let dealerships = office.ledger.dealerships().await?;
    let contracts = office.ledger.contracts().await?;
    Ok(Export {
        dealerships: (write_dealerships(&dealerships), dealerships.len()),
        contracts: (write_contracts(&contracts), contracts.len()),
    })
}
