//! `fecha nfse`

use std::path::PathBuf;

use super::files::{Files, ForceArgs, Kind};
use super::output::{Failure, Output, plain};
use super::rerun::text;
use crate::actions::nfse::{self, About, DpsFile, NfseMonth, ToCancel, Wanted};
use crate::setup::office::Office;
use fecha_core::bill::invoice::{Number, label};
use fecha_core::calendar::month::Month;
use fecha_core::price::money::Money;
use fecha_core::tax::dps::{DpsNumber, Field};

/// Arguments of `fecha nfse`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
A DPS (national layout 1.01, XML) for each invoice of the month that stands and
has something to tax. It is not signed and not sent: docs/nfse.md says who does
that. The price is all lines but credits; credit notes are an unconditional
discount; payments play no part. [nfse] of the configuration has the codes, and
dealerships.csv the columns postal_code, number, complement, district,
ibge_code, municipal_registration and iss_withheld.

Each DPS has its number once: run again, the same files are written. A revision
gets a DPS of its own. Exit status 1 names what needs a person: fields that the
register lacks, a CNPJ with letters (which the layout does not take yet), an
NFS-e that is to be replaced or cancelled, a DPS that would be another one
today. The last is made anew by --again, for a DPS that was refused or never
sent.

Examples:
  fecha nfse --month 2026-10 --dir nfse
  fecha nfse --month 2026-10 --dir nfse --again 2026-000017")]
pub struct Args {
    /// The month, YYYY-MM
    #[arg(long, value_name = "M")]
    month: Month,
    /// The folder for the files; it is made where it is missing
    #[arg(long, value_name = "DIR")]
    dir: PathBuf,
    /// Make the DPS of this invoice anew, under its number; may stand several times
    #[arg(long, value_name = "NUMBER")]
    again: Vec<Number>,
    /// Who asks for it [default: the login name; with --again not where that is root]
    #[arg(long, value_name = "NAME", value_parser = text)]
    by: Option<String>,
    #[command(flatten)]
    force: ForceArgs,
}

/// Writes the DPS of a month.
pub async fn nfse(office: &Office, args: &Args, output: &Output) -> Result<u8, Failure> {
    let by = match (&args.by, args.again.is_empty()) {
        (None, true) => office.actor.clone(),
        (by, _) => office.named(by.as_deref())?,
    };
    // Before any number is given.
    std::fs::create_dir_all(&args.dir).map_err(|error| {
        Failure::wrong(format!("the folder {} cannot be made: {error}", args.dir.display()))
    })?;
    let wanted = Wanted { month: args.month, again: &args.again, by: &by };
    let made = nfse::nfse(office, wanted).await?;
    let paths: Vec<PathBuf> = made.files.iter().map(|file| args.dir.join(&file.file)).collect();
    let to = Files::new(&office.config, args.force);
    let output = &to.beside(output, paths.iter().map(|path| (path, Kind::Dps)))?;
    for (file, path) in made.files.iter().zip(&paths) {
        to.write(path, Kind::Dps, &file.bytes)?;
    }
    output.result(&made, |_| in_words(&made, args));
    Ok(u8::from(made.needs_a_person()))
}

fn in_words(made: &NfseMonth, args: &Args) -> String {
    let parts = [
        Some(written(made, args)),
        untaxed(made),
        missing(made, args),
        not_taken(made),
        replaced(made),
        to_cancel(made),
        differing(made, args),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join("\n")
}

fn written(made: &NfseMonth, args: &Args) -> String {
    let price: Money = made.files.iter().map(|file| file.service).sum();
    let discount: Money = made.files.iter().map(|file| file.discount).sum();
    let new = made.files.iter().filter(|file| file.new).count();
    let again = made.files.iter().filter(|file| file.again).count();
    let again = if again > 0 { format!(", {again} made anew") } else { String::new() };
    format!(
        "{} DPS of {} ({}) in {}: {new} new{again}; services {}, discounts {}\nthey are not signed and not sent: docs/nfse.md says how",
        made.files.len(),
        made.month,
        made.environment,
        args.dir.display(),
        price.brl(),
        discount.brl(),
    )
}

/// `2026-000001-R1 of 'd1' (Name)`.
fn of(about: &About) -> String {
    let About { invoice, revision, dealership_id, name } = about;
    format!("{} of '{}' ({})", label(*invoice, *revision), plain(dealership_id), plain(name))
}

fn dps(DpsNumber { series, number }: DpsNumber) -> String {
    format!("DPS {number} of series {series}")
}

/// A heading with its lines; `None` where there are none.
fn list(heading: &str, lines: impl Iterator<Item = String>, advice: &str) -> Option<String> {
    let lines: String = lines.map(|line| format!("\n  {line}")).collect();
    let advice = if advice.is_empty() { String::new() } else { format!("\n{advice}") };
    (!lines.is_empty()).then(|| format!("\n{heading}{lines}{advice}"))
}

fn untaxed(made: &NfseMonth) -> Option<String> {
    list("nothing to tax, no DPS:", made.untaxed.iter().map(of), "")
}

fn missing(made: &NfseMonth, args: &Args) -> Option<String> {
    let line = |missing: &nfse::Missing| {
        let fields: Vec<&str> = missing.fields.iter().map(|field: &Field| field.column()).collect();
        format!("{}: {}", of(&missing.about), fields.join(", "))
    };
    list(
        "no DPS, the register lacks:",
        made.missing.iter().map(line),
        &format!(
            "fill these columns: `fecha export` writes dealerships.csv, then\n  fecha import --dealerships dealerships.csv\n  fecha nfse --month {} --dir {}",
            args.month,
            args.dir.display()
        ),
    )
}

fn not_taken(made: &NfseMonth) -> Option<String> {
    list(
        "no DPS, the CNPJ has letters, which layout 1.01 does not take:",
        made.not_taken.iter().map(|one| format!("{}: {}", of(&one.about), one.cnpj)),
        "make these NFS-e by hand where the authority takes them (docs/nfse.md)",
    )
}

fn replaced(made: &NfseMonth) -> Option<String> {
    list(
        "these replace what may be an NFS-e already:",
        made.replaced.iter().map(|one| {
            format!("{}: {} for {}", of(&one.about), dps(one.number), dps(one.replaces))
        }),
        "send each as a substitution, with the access key of the first NFS-e, which fecha does not know; where the first was never sent, send the new one alone",
    )
}

fn to_cancel(made: &NfseMonth) -> Option<String> {
    let why = |one: &ToCancel| {
        if one.void { "the invoice is void" } else { "the invoice has nothing to tax any more" }
    };
    list(
        "these DPS are of no invoice any more:",
        made.to_cancel
            .iter()
            .map(|one| format!("{}: {}, {}", of(&one.about), dps(one.number), why(one))),
        "cancel the NFS-e of each; where it was never sent, do not send it",
    )
}

fn differing(made: &NfseMonth, args: &Args) -> Option<String> {
    let numbers: Vec<String> =
        made.differing.iter().map(|one| format!(" --again {}", one.about.invoice)).collect();
    list(
        "written as they were made; by register and [nfse] of today they would be other ones:",
        made.differing
            .iter()
            .map(|one: &DpsFile| format!("{}: {}", of(&one.about), dps(one.number))),
        &format!(
            "only where a DPS was refused or never sent, make it anew:\n  fecha nfse --month {} --dir {}{}",
            args.month,
            args.dir.display(),
            numbers.iter().take(3).map(String::as_str).collect::<String>()
        ),
    )
}
