//! `fecha import` and `fecha export`

use std::path::{Path, PathBuf};

use serde_json::json;

use super::files::{Files as Written, ForceArgs, Kind};
use super::output::{Failure, Output, plain};
use crate::actions::import;
use crate::actions::words::count;
use crate::setup::config::{self, Config};
use crate::setup::input;
use crate::setup::office::{self, NoLedger, Office};
use crate::setup::register::changes::{Becomes, Change, Counts, Key};
use crate::setup::register::plan::{Alike, File, Files, Import};
use fecha_core::bill::plan::PlanHash;

/// Arguments of `fecha import`.
#[derive(Debug, clap::Args)]
#[group(skip)]
#[command(
    override_usage = "fecha import [OPTIONS] [--dealerships FILE] [--contracts FILE]\n                    [--numbers FILE]"
)]
#[command(group = clap::ArgGroup::new("files").required(true).multiple(true).args(["dealerships", "contracts", "numbers"]))]
#[command(after_help = "\
Rows are added and updated by their key (id; dealership_id and from_month;
number and from_month); what a file does not name stays, and dealerships that
do are named. All rows are imported or none: bad ones are named by file, line,
column and reason, all at once.

Files are read as a spreadsheet saves them as \"CSV UTF-8\": ',' or ';' between
the cells (as in the header), empty rows and columns, a first line sep=; and
months as out/26. An id that differs from another one only by case, blanks,
zeros in front or the form of its letters, and a new id with the CNPJ and name
of another, is refused, since the two would get two invoices: --accept-twins
says that they are two.

Columns; those in brackets may be missing:
  dealerships  id,name,trade_name,cnpj,address,city,state,email,cc,timezone,
               due_day[,evidence][,package_use][,reminders][,group]
               [,postal_code]
               and for tax documents (`fecha nfse`) [,number][,complement]
               [,district][,ibge_code][,municipal_registration][,iss_withheld]
  contracts    dealership_id,from_month,package
               a package is a number of contacts of [[prices]], or none: the end
  numbers      number,dealership_id,from_month,to_month

In numbers.csv a number is one dealership's in a month; an empty to_month
leaves it open, and none takes a row back that was a mistake.

Dealerships with the same text in the column group are a group: beside their
own invoices they get one email with all of them and a page that adds them up,
with one Pix.

The column evidence says what a dealership gets of the evidence of each
invoice, beside the hash that every invoice prints. It may be missing, and
applies to what is issued or resent from then on:
  no     nothing (as does an empty cell)
  yes    the CSV file, with each email; compressed where it is too large else
  annex  the same, and the statement lists the contacts of the file

The first import makes the ledger. Where something shows that there was one
(the evidence key beside the configuration, files that SQLite left), a missing
ledger is not made anew: mount its volume or restore it.

Examples:
  fecha import --dealerships dealerships.csv --contracts contracts.csv
  fecha import --dealerships dealerships.csv --dry-run
  fecha import --numbers numbers.csv
  fecha import --dealerships dealerships.csv --contracts contracts.csv \\
      --new-ledger")]
pub struct ImportArgs {
    /// Who is billed, CSV
    #[arg(long, value_name = "FILE")]
    dealerships: Option<PathBuf>,
    /// Who has which package from which month on, CSV
    #[arg(long, value_name = "FILE")]
    contracts: Option<PathBuf>,
    /// Whose a business number is, CSV
    #[arg(long, value_name = "FILE")]
    numbers: Option<PathBuf>,
    /// Only say what would be added, changed and left
    #[arg(long)]
    dry_run: bool,
    /// Import only what this plan of a dry run shows, or nothing
    #[arg(long, value_name = "HASH", conflicts_with = "dry_run")]
    plan: Option<PlanHash>,
    /// Take ids that are alike as two dealerships
    #[arg(long)]
    accept_twins: bool,
    /// Make a new ledger, although there was one: numbers begin from 1 again
    #[arg(long)]
    new_ledger: bool,
}

impl ImportArgs {
    /// What becomes of a ledger that is not there.
    pub fn no_ledger(&self) -> NoLedger {
        if self.new_ledger { NoLedger::MakeAnew } else { NoLedger::MakeFirst }
    }

    /// Whether nothing is to be done.
    pub fn is_dry_run(&self) -> bool {
        self.dry_run
    }

    fn alike(&self) -> Alike {
        if self.accept_twins { Alike::Accept } else { Alike::Refuse }
    }
}

/// Adds to and updates the register.
pub async fn import(office: &Office, args: &ImportArgs, output: &Output) -> Result<u8, Failure> {
    let read = Read::of(args)?;
    let (plan, by) = (args.plan.as_ref(), &office.actor);
    let import = import::import(office, read.files(), args.alike(), plan, by).await?;
    tell(&import, args, output);
    Ok(0)
}

/// Says what an import would do; makes nothing, a ledger neither.
pub async fn try_out(
    path: Option<&Path>,
    args: &ImportArgs,
    output: &Output,
) -> Result<u8, Failure> {
    let config = Config::load(path, config::environment())?;
    let read = Read::of(args)?;
    let ledger = office::ledger_or_none(&config, args.no_ledger()).await?;
    let tried = import::try_out(ledger.as_ref(), &config.prices, read.files(), args.alike()).await;
    if let Some(ledger) = ledger {
        ledger.close().await;
    }
    tell(&tried?, args, output);
    Ok(0)
}

fn tell(import: &Import, args: &ImportArgs, output: &Output) {
    output.result(import, |_| in_words(import, args.numbers.is_some()));
}

/// How many rows are named on a terminal; JSON has them all.
const MOST: usize = 50;

fn in_words(import: &Import, with_numbers: bool) -> String {
    let mut text = format!(
        "dealerships: {}\ncontracts:   {}\n",
        counted(import.dealerships),
        counted(import.contracts)
    );
    if with_numbers {
        text += &format!("numbers:     {}\n", counted(import.numbers));
    }
    if !import.changes.is_empty() {
        text += &format!("\n{}", first(import.changes.iter().map(change_in_words), "\n"));
        text.push('\n');
    }
    for twin in &import.twins {
        let (id, like) = (plain(&twin.dealership_id), plain(&twin.like));
        text += &format!("\n'{id}' and '{like}' are two dealerships, as --accept-twins says");
    }
    if !import.not_in_file.is_empty() {
        let stay = import.not_in_file.iter();
        let named = stay.map(|one| format!("{} ({})", plain(&one.dealership_id), plain(&one.name)));
        let dealerships = count(import.not_in_file.len(), "dealership");
        let named = first(named, ", ");
        text += &format!("\nNot in the file, and left as they are: {dealerships}: {named}\n");
    }
    if !import.warnings.is_empty() {
        let warnings = import.warnings.iter().map(|row| plain(&row.to_string()));
        text += &format!("\nTo be fixed:\n{}\n", first(warnings, "\n"));
    }
    if let Some(plan) = &import.plan {
        text +=
            &format!("\nDry run: nothing was imported. --plan {plan} imports this or nothing.\n");
    }
    text
}

/// The first of them, and how many more there are.
fn first(all: impl ExactSizeIterator<Item = String>, between: &str) -> String {
    let more = all.len().saturating_sub(MOST);
    let named: Vec<String> = all.take(MOST).collect();
    match more {
        0 => named.join(between),
        _ => format!("{}{between}and {more} more (--json names all)", named.join(between)),
    }
}

fn counted(counts: Counts) -> String {
    let Counts { added, updated, unchanged } = counts;
    format!("{added} added, {updated} updated, {unchanged} unchanged")
}

/// `updated d1: city 'Curitiba' → 'Londrina'`
fn change_in_words(change: &Change) -> String {
    let becomes = match change.change {
        Becomes::Added => "added",
        Becomes::Updated => "updated",
        Becomes::Removed => "removed",
    };
    let which = match &change.key {
        Key::Dealership { dealership_id } => format!("dealership {}", plain(dealership_id)),
        Key::Contract { dealership_id, from_month } => {
            format!("contract   {} from {from_month}", plain(dealership_id))
        }
        Key::Number { number, from_month } => format!("number     {number} from {from_month}"),
    };
    let columns = plain(&change.in_words());
    let colon = if columns.is_empty() { "" } else { ": " };
    format!("{becomes:<8} {which}{colon}{columns}")
}

/// The files of an import, each by the name that its bad rows are to have.
struct Read {
    dealerships: Option<(String, Vec<u8>)>,
    contracts: Option<(String, Vec<u8>)>,
    numbers: Option<(String, Vec<u8>)>,
}

impl Read {
    fn of(args: &ImportArgs) -> Result<Self, Failure> {
        let read = |path: &Option<PathBuf>| path.as_deref().map(read).transpose();
        Ok(Self {
            dealerships: read(&args.dealerships)?,
            contracts: read(&args.contracts)?,
            numbers: read(&args.numbers)?,
        })
    }

    fn files(&self) -> Files<'_> {
        Files {
            dealerships: file(self.dealerships.as_ref()),
            contracts: file(self.contracts.as_ref()),
            numbers: file(self.numbers.as_ref()),
        }
    }
}

fn file(read: Option<&(String, Vec<u8>)>) -> Option<File<'_>> {
    read.map(|(name, bytes)| File { name, bytes })
}

fn read(path: &Path) -> Result<(String, Vec<u8>), Failure> {
    let name = path.display().to_string();
    match input::read(path, input::REGISTER) {
        Ok(bytes) => Ok((name, bytes)),
        Err(error) => Err(Failure::wrong(format!("{name} cannot be read: {error}"))),
    }
}

/// Arguments of `fecha export`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Importing the files again changes nothing. A file that is there and differs is
kept as FILE.bak. The file - is standard output; what the command tells goes
to standard error then.

Example:
  fecha export --dealerships backup/dealerships.csv \\
      --contracts backup/contracts.csv")]
pub struct ExportArgs {
    /// Where the dealerships go
    #[arg(long, value_name = "FILE", default_value = "dealerships.csv")]
    dealerships: PathBuf,
    /// Where the contracts go
    #[arg(long, value_name = "FILE", default_value = "contracts.csv")]
    contracts: PathBuf,
    /// Where the business numbers go; not written where there are none
    #[arg(long, value_name = "FILE", default_value = "numbers.csv")]
    numbers: PathBuf,
    #[command(flatten)]
    force: ForceArgs,
}

/// Writes the register as its CSV files.
pub async fn export(office: &Office, args: &ExportArgs, output: &Output) -> Result<u8, Failure> {
    let files = Written::new(&office.config, args.force);
    let export = import::export(office).await?;
    let (people, packages) = (&export.dealerships, &export.contracts);
    let mut wanted = vec![
        ("dealerships", "dealerships", &args.dealerships, Kind::Dealerships, people),
        ("contracts", "contract entries", &args.contracts, Kind::Contracts, packages),
    ];
    if let Some(numbers) = &export.numbers {
        wanted.push(("numbers", "business numbers", &args.numbers, Kind::Numbers, numbers));
    }
    let output =
        &files.beside(output, wanted.iter().map(|(_, _, path, kind, _)| (*path, *kind)))?;
    let (mut result, mut lines) = (serde_json::Map::new(), Vec::new());
    for (key, words, path, kind, (content, rows)) in wanted {
        files.replace(path, kind, content.as_bytes())?;
        result.insert(key.to_owned(), json!({"file": path, "rows": rows}));
        lines.push(format!("wrote {rows} {words} to {}", path.display()));
    }
    output.result(&result, |_| lines.join("\n"));
    Ok(0)
}
