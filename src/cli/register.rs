//! `fecha import` and `fecha export`

use std::collections::HashSet;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use serde_json::json;

use super::output::{Failure, Output};
use crate::ledger::audit;
use crate::ledger::register::Imported;
use crate::setup::office::Office;
use crate::setup::register::{
    BadRows, read_contracts, read_dealerships, write_contracts, write_dealerships,
};

/// Arguments of `fecha import`.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = true)]
#[command(after_help = "\
Rows are added and updated by their key (id; dealership_id and from_month); nothing is removed. All rows
are imported or none: bad ones are named by file, line, column and reason, all at once.

The column evidence says what a dealership gets of the evidence of each invoice, beside the hash that every
invoice prints. It may be missing, and applies to what is issued or resent from then on:
  no     nothing (as does an empty cell)
  yes    the CSV file, with each email; compressed where an email could not carry it otherwise
  annex  the same, and the statement lists the contacts of the file

Example:
  fecha import --dealerships dealerships.csv --contracts contracts.csv")]
pub struct ImportArgs {
    #[arg(
        long,
        value_name = "FILE",
        help = "CSV: id,name,trade_name,cnpj,address,city,state,email,cc,timezone,due_day[,evidence][,package_use]"
    )]
    dealerships: Option<PathBuf>,
    #[arg(long, value_name = "FILE", help = "CSV: dealership_id,from_month,package")]
    contracts: Option<PathBuf>,
}

/// Adds to and updates the register.
pub async fn import(office: &Office, args: &ImportArgs, output: &Output) -> Result<u8, Failure> {
    let mut bad = Vec::new();
    let mut dealerships = Vec::new();
    // Ids of rows that are bad otherwise still count as known: their contracts are no second mistake.
    let mut ids: HashSet<String> =
        office.ledger.dealerships().await?.into_iter().map(|dealership| dealership.id).collect();
    if let Some(path) = &args.dealerships {
        let bytes = read(path)?;
        match read_dealerships(&path.display().to_string(), &bytes) {
            Ok(rows) => dealerships = rows,
            Err(BadRows(rows)) => bad.extend(rows),
        }
        ids.extend(dealerships.iter().map(|dealership| dealership.id.clone()));
        if !bad.is_empty() {
            ids.extend(first_column(&bytes));
        }
    }
    let mut contracts = Vec::new();
    if let Some(path) = &args.contracts {
        let is_known = |id: &str| ids.contains(id);
        let bytes = read(path)?;
        match read_contracts(&path.display().to_string(), &bytes, &is_known, &office.config.prices)
        {
            Ok(rows) => contracts = rows,
            Err(BadRows(rows)) => bad.extend(rows),
        }
    }
    if !bad.is_empty() {
        let message =
            format!("{}\nnothing was imported: mend these rows and import again", BadRows(bad));
        return Err(Failure::wrong(message));
    }
    let detail = format!("{} dealerships, {} contracts", dealerships.len(), contracts.len());
    let entry = audit::Deed {
        at: office.clock.now(),
        actor: &office.actor,
        action: "import",
        month: None,
        dealership_id: None,
        detail: &detail,
    };
    let (people, packages) = office.ledger.import(&dealerships, &contracts, &entry).await?;
    output.result(&json!({"dealerships": people, "contracts": packages}), || {
        format!("dealerships: {}\ncontracts:   {}", in_words(people), in_words(packages))
    });
    Ok(0)
}

fn in_words(imported: Imported) -> String {
    let Imported { added, updated, unchanged } = imported;
    format!("{added} added, {updated} updated, {unchanged} unchanged")
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(path)
        .map_err(|error| Failure::wrong(format!("{} cannot be read: {error}", path.display())))
}

fn first_column(bytes: &[u8]) -> Vec<String> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(bytes);
    let first = |record: csv::StringRecord| record.get(0).map(str::to_owned);
    reader.records().filter_map(Result::ok).filter_map(first).collect()
}

/// Arguments of `fecha export`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Importing the files again changes nothing. A file that is there and differs is kept as FILE.bak.

Example:
  fecha export --dealerships backup/dealerships.csv --contracts backup/contracts.csv")]
pub struct ExportArgs {
    /// Where the dealerships go
    #[arg(long, value_name = "FILE", default_value = "dealerships.csv")]
    dealerships: PathBuf,
    /// Where the contracts go
    #[arg(long, value_name = "FILE", default_value = "contracts.csv")]
    contracts: PathBuf,
}

/// Writes the register as the two CSV files.
pub async fn export(office: &Office, args: &ExportArgs, output: &Output) -> Result<u8, Failure> {
    let dealerships = office.ledger.dealerships().await?;
    let contracts = office.ledger.contracts().await?;
    replace(&args.dealerships, write_dealerships(&dealerships).as_bytes())?;
    replace(&args.contracts, write_contracts(&contracts).as_bytes())?;
    let result = json!({
        "dealerships": {"file": args.dealerships, "rows": dealerships.len()},
        "contracts": {"file": args.contracts, "rows": contracts.len()},
    });
    output.result(&result, || {
        format!(
            "wrote {} dealerships to {}\nwrote {} contract entries to {}",
            dealerships.len(),
            args.dealerships.display(),
            contracts.len(),
            args.contracts.display()
        )
    });
    Ok(0)
}

/// Replaces a file atomically; what stood in it and differs is kept beside it.
fn replace(path: &Path, content: &[u8]) -> Result<(), Failure> {
    match std::fs::read(path) {
        Ok(before) if before == content => return Ok(()),
        Ok(before) => {
            let mut backup = path.as_os_str().to_owned();
            backup.push(".bak");
            write(Path::new(&backup), &before)?;
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => {
            return Err(Failure::wrong(format!("{} cannot be read: {error}", path.display())));
        }
    }
    write(path, content)
}

/// Writes a file atomically: whoever reads it sees the old one or the new one, whole.
pub fn write(path: &Path, content: &[u8]) -> Result<(), Failure> {
    let written = atomic_write_file::AtomicWriteFile::open(path).and_then(|mut file| {
        file.write_all(content)?;
        file.commit()
    });
    written
        .map_err(|error| Failure::wrong(format!("{} cannot be written: {error}", path.display())))
}
