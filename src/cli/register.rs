//! `fecha import` and `fecha export`

use std::path::{Path, PathBuf};

use serde_json::json;

use super::files::{Files, ForceArgs, Kind};
use super::output::{Failure, Output};
use crate::actions::import::{self, File};
use crate::ledger::register::Imported;
use crate::setup::input;
use crate::setup::office::{NoLedger, Office};

/// Arguments of `fecha import`.
#[derive(Debug, clap::Args)]
#[group(skip)]
#[command(group = clap::ArgGroup::new("files").required(true).multiple(true).args(["dealerships", "contracts"]))]
#[command(after_help = "\
Rows are added and updated by their key (id; dealership_id and from_month); nothing is removed. All rows
are imported or none: bad ones are named by file, line, column and reason, all at once.

The column evidence says what a dealership gets of the evidence of each invoice, beside the hash that every
invoice prints. It may be missing, and applies to what is issued or resent from then on:
  no     nothing (as does an empty cell)
  yes    the CSV file, with each email; compressed where an email could not carry it otherwise
  annex  the same, and the statement lists the contacts of the file

The first import makes the ledger. Where something shows that there was one (the evidence key beside the
configuration, files that SQLite left), a missing ledger is not made anew: mount its volume or restore it.

Examples:
  fecha import --dealerships dealerships.csv --contracts contracts.csv
  fecha import --dealerships dealerships.csv --contracts contracts.csv --new-ledger")]
pub struct ImportArgs {
    #[arg(
        long,
        value_name = "FILE",
        help = "CSV: id,name,trade_name,cnpj,address,city,state,email,cc,timezone,due_day[,evidence][,package_use][,reminders]"
    )]
    dealerships: Option<PathBuf>,
    #[arg(long, value_name = "FILE", help = "CSV: dealership_id,from_month,package")]
    contracts: Option<PathBuf>,
    /// Make a new ledger, although there was one: numbers begin from 1 again
    #[arg(long)]
    new_ledger: bool,
}

impl ImportArgs {
    /// What becomes of a ledger that is not there.
    pub fn no_ledger(&self) -> NoLedger {
        if self.new_ledger { NoLedger::MakeAnew } else { NoLedger::MakeFirst }
    }
}

/// Adds to and updates the register.
pub async fn import(office: &Office, args: &ImportArgs, output: &Output) -> Result<u8, Failure> {
    let dealerships = args.dealerships.as_deref().map(read).transpose()?;
    let contracts = args.contracts.as_deref().map(read).transpose()?;
    let (people, packages) = (dealerships.as_ref().map(file), contracts.as_ref().map(file));
    let import = import::import(office, people, packages, &office.actor).await?;
    output.result(&import, || {
        let (people, packages) = (in_words(import.dealerships), in_words(import.contracts));
        format!("dealerships: {people}\ncontracts:   {packages}")
    });
    Ok(0)
}

fn in_words(imported: Imported) -> String {
    let Imported { added, updated, unchanged } = imported;
    format!("{added} added, {updated} updated, {unchanged} unchanged")
}

/// A file, by the name that its bad rows are to have.
fn read(path: &Path) -> Result<(String, Vec<u8>), Failure> {
    let name = path.display().to_string();
    match input::read(path, input::REGISTER) {
        Ok(bytes) => Ok((name, bytes)),
        Err(error) => Err(Failure::wrong(format!("{name} cannot be read: {error}"))),
    }
}

fn file((name, bytes): &(String, Vec<u8>)) -> File<'_> {
    File { name, bytes }
}

/// Arguments of `fecha export`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Importing the files again changes nothing. A file that is there and differs is kept as FILE.bak.
The file - is standard output; what the command tells goes to standard error then.

Example:
  fecha export --dealerships backup/dealerships.csv --contracts backup/contracts.csv")]
pub struct ExportArgs {
    /// Where the dealerships go
    #[arg(long, value_name = "FILE", default_value = "dealerships.csv")]
    dealerships: PathBuf,
    /// Where the contracts go
    #[arg(long, value_name = "FILE", default_value = "contracts.csv")]
    contracts: PathBuf,
    #[command(flatten)]
    force: ForceArgs,
}

/// Writes the register as the two CSV files.
pub async fn export(office: &Office, args: &ExportArgs, output: &Output) -> Result<u8, Failure> {
    let files = Files::new(&office.config, args.force);
    let wanted = [(&args.dealerships, Kind::Dealerships), (&args.contracts, Kind::Contracts)];
    let output = &files.beside(output, wanted)?;
    let export = import::export(office).await?;
    let ((dealerships, people), (contracts, packages)) = (&export.dealerships, &export.contracts);
    files.replace(&args.dealerships, Kind::Dealerships, dealerships.as_bytes())?;
    files.replace(&args.contracts, Kind::Contracts, contracts.as_bytes())?;
    let result = json!({
        "dealerships": {"file": args.dealerships, "rows": people},
        "contracts": {"file": args.contracts, "rows": packages},
    });
    output.result(&result, || {
        format!(
            "wrote {people} dealerships to {}\nwrote {packages} contract entries to {}",
            args.dealerships.display(),
            args.contracts.display()
        )
    });
    Ok(0)
}
