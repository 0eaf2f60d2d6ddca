//! `fecha demo`

use std::path::{Path, PathBuf};

use serde_json::json;

use super::close::in_words;
use super::delivery::send_due;
use super::files::put;
use super::output::{Failure, Output, show_progress};
use super::page::{Page, figure, name, text, word};
use crate::actions::close::{CloseOptions, CloseReport, close_month};
use crate::clock::Clock;
use crate::ledger::audit;
use crate::ledger::documents::FileKind;
use crate::ledger::register::NumberChanges;
use crate::setup::config::Config;
use crate::setup::demo;
use crate::setup::evidence_key;
use crate::setup::office::{self, NoLedger, Office};
use crate::setup::register::{read_contracts, read_dealerships};
use fecha_core::calendar::month::Month;
use fecha_core::price::money::grouped;

/// What a close adds to the demo's folder.
const FILES: [&str; 4] = ["fecha.db", "fecha.db-wal", "fecha.db-shm", evidence_key::FILE_NAME];
const FOLDERS: [&str; 2] = ["faturas", "mail"];
/// The demo's evidence key: the SHA-256 of "fecha demo".
const KEY: &str = "8820a0bcfe88d0928c34b8ef762cca3013f6bd78a810e47ffb2a7288d6da3509";

/// Arguments of `fecha demo`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Closes last month of an invented reseller: the same numbers every time. Needs nothing else, sends nothing.

Example:
  fecha demo --dir /tmp/fecha-demo")]
pub struct Args {
    /// The folder; made where it is missing, made anew where it is an earlier demo's
    #[arg(long, value_name = "DIR", default_value = "fecha-demo")]
    dir: PathBuf,
}

/// Runs a full close on sample data.
pub async fn demo(args: &Args, output: &Output) -> Result<u8, Failure> {
    let clock = Clock::System;
    let month = Month::last_ended(clock.now(), demo::ISSUER_ZONE);
    let sample = demo::write(&args.dir, month).map_err(Failure::wrong)?;
    clear(&args.dir)?;
    // The demo's own configuration alone: variables of a real one must not reach it.
    let config = Config::load(Some(&sample.config), std::iter::empty())?;
    let office = Office::with(config, NoLedger::MakeAnew, clock).await?;
    import(&office, &args.dir).await?;

    let bar = output.bar();
    let watcher = bar.clone();
    let source = office::source(&office.config)?;
    let options = CloseOptions { month: Some(month), ..CloseOptions::default() };
    let watch = move |progress| show_progress(&watcher, progress);
    let report = close_month(&office, &source, &options, clock.now(), watch).await?;
    bar.finish_and_clear();
    let documents = write_documents(&office, month, &args.dir.join("faturas")).await?;
    let emails = send_due(&office, output).await?.sent;
    office.ledger.close().await;

    let json = json!({
        "dir": args.dir, "month": month, "issued": report.issued.len(), "total": report.total(),
        "exceptions": report.exceptions, "documents": documents, "emails": emails,
    });
    output.result(&json, |page| summary(page, &args.dir, &report, documents, emails));
    Ok(0)
}

/// Removes what an earlier demo left in the folder, which is a demo's. Nothing else is ever removed.
fn clear(dir: &Path) -> Result<(), Failure> {
    let failed = |error: std::io::Error| Failure::wrong(format!("{}: {error}", dir.display()));
    for name in FILES {
        let path = dir.join(name);
        if path.exists() {
            std::fs::remove_file(path).map_err(failed)?;
        }
    }
    for name in FOLDERS {
        let path = dir.join(name);
        if path.exists() {
            std::fs::remove_dir_all(path).map_err(failed)?;
        }
    }
    std::fs::create_dir_all(dir.join("faturas")).map_err(failed)?;
    // Not a secret here: with the same key the evidence, too, is the same every time.
    put(&dir.join(evidence_key::FILE_NAME), KEY.as_bytes())?;
    restrict(&dir.join(evidence_key::FILE_NAME)).map_err(failed)
}

#[cfg(unix)]
fn restrict(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))
}

#[cfg(not(unix))]
fn restrict(_path: &Path) -> std::io::Result<()> {
    Ok(())
}

async fn import(office: &Office, dir: &Path) -> Result<(), Failure> {
    let read = |name: &str| std::fs::read(dir.join(name)).map_err(Failure::wrong);
    let dealerships = read_dealerships("dealerships.csv", &read("dealerships.csv")?)?;
    let is_known = |id: &str| dealerships.iter().any(|dealership| dealership.id == id);
    let contracts = read("contracts.csv")?;
    let contracts = read_contracts("contracts.csv", &contracts, &is_known, &office.config.prices)?;
    let entry = audit::Deed {
        at: office.clock.now(),
        actor: &office.actor,
        action: audit::Action::Import,
        month: None,
        dealership_id: None,
        detail: "demo",
    };
    office.ledger.import(&dealerships, &contracts, NumberChanges::default(), &entry).await?;
    Ok(())
}

async fn write_documents(office: &Office, month: Month, dir: &Path) -> Result<usize, Failure> {
    let mut written = 0;
    for revision in office.ledger.standing(month).await?.into_values() {
        let (number, label) = (revision.invoice.number, revision.invoice.label());
        for (kind, name) in [
            (FileKind::Invoice, format!("fatura-{label}.pdf")),
            (FileKind::Statement, format!("extrato-{label}.pdf")),
        ] {
            let bytes = office.ledger.file(number, revision.invoice.revision, kind).await?;
            if let Some(bytes) = bytes {
                put(&dir.join(name), &bytes)?;
                written += 1;
            }
        }
    }
    Ok(written)
}

fn summary(
    page: Page,
    dir: &Path,
    report: &CloseReport,
    documents: usize,
    emails: usize,
) -> String {
    let bill = |charged: &crate::actions::close::Charged| {
        vec![
            charged.number.map(|number| number.to_string()).unwrap_or_default(),
            charged.dealership_id.clone(),
            grouped(charged.package),
            grouped(charged.uam),
            grouped(charged.hsm),
            charged.total.brl(),
        ]
    };
    let bills = page.table(
        &[
            word("number"),
            name("dealership"),
            figure("package"),
            figure("UAM"),
            figure("HSM"),
            figure("total"),
        ],
        report.issued.iter().map(bill).collect(),
    );
    let at = |name: &str| dir.join(name).display().to_string();
    let made = page.table(
        &[text("made"), word("where")],
        vec![
            vec![format!("{} messages", grouped(report.messages.total())), at("messages.db")],
            vec![
                "register and configuration".to_owned(),
                at("{dealerships,contracts}.csv, fecha.toml"),
            ],
            vec![format!("{documents} invoices and statements (PDF)"), at("faturas")],
            vec![format!("{emails} emails (.eml)"), at("mail")],
            vec!["ledger".to_owned(), at("fecha.db")],
        ],
    );
    let config = at("fecha.toml");
    // As it was started: after `cargo run` it is not on the path.
    let fecha = std::env::args().next().unwrap_or_else(|| "fecha".to_owned());
    let first = report.issued.first().and_then(|charged| charged.number);
    let first = first.map(|number| number.to_string()).unwrap_or_default();
    format!(
        "{bills}\n{}\n{made}\n\nTry next:\n  export FECHA_CONFIG={config}\n  \
         {fecha} close                 # nothing is billed twice\n  \
         {fecha} invoice {first}   # one invoice, explained line by line\n  \
         {fecha} status                # what needs a person\n",
        in_words(page, report)
            .replace("\nThe emails are queued: `fecha deliver` sends them.\n", "")
    )
}
