//! `fecha demo`

mod serve;
mod story;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::json;

use self::story::Chapter;
use super::close::exceptions_in_words;
use super::files::put;
use super::output::{Failure, Output};
use super::page::{Page, figure, name, text, word};
use crate::clock::Clock;
use crate::ledger::audit;
use crate::ledger::documents::FileKind;
use crate::ledger::invoices::Filter;
use crate::ledger::listing::MonthSum;
use crate::ledger::register::{Register, RegisterChange};
use crate::setup::config::Config;
use crate::setup::demo;
use crate::setup::evidence_key;
use crate::setup::office::{NoLedger, Office};
use crate::setup::register::{read_contracts, read_dealerships};
use fecha_core::bill::invoice::InvoiceState;
use fecha_core::calendar::month::Month;
use fecha_core::price::money::{Money, grouped};

/// What closes add to the demo's folder.
const FILES: [&str; 4] = ["fecha.db", "fecha.db-wal", "fecha.db-shm", evidence_key::FILE_NAME];
const FOLDERS: [&str; 2] = ["faturas", "mail"];
/// The demo's evidence key: the SHA-256 of "fecha demo".
const KEY: &str = "8820a0bcfe88d0928c34b8ef762cca3013f6bd78a810e47ffb2a7288d6da3509";

/// Arguments of `fecha demo`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Closes the last six months of an invented reseller, with what months bring: late
messages and a revision, a credit, a payment in two parts, an invoice that is
overdue and one that was cancelled. The same numbers every time. Needs nothing
else, sends nothing.

Examples:
  fecha demo --dir /tmp/fecha-demo
  fecha demo --serve")]
pub struct Args {
    /// The folder; made where it is missing, made anew where it is an earlier demo's
    #[arg(long, value_name = "DIR", default_value = "fecha-demo")]
    dir: PathBuf,
    /// Show it in the console afterwards, on this machine alone, until Ctrl-C
    #[arg(long)]
    serve: bool,
}

/// What a demo made.
struct Made {
    chapters: Vec<Chapter>,
    /// What the months come to after all that happened.
    sums: BTreeMap<Month, MonthSum>,
    messages: u64,
    documents: usize,
    emails: usize,
}

impl Made {
    fn sum(&self, month: Month) -> MonthSum {
        self.sums.get(&month).copied().unwrap_or_default()
    }
}

/// Closes six months of sample data.
pub async fn demo(args: &Args, output: &Output) -> Result<u8, Failure> {
    let clock = Clock::System;
    let month = Month::last_ended(clock.now(), demo::ISSUER_ZONE);
    let mut sample = demo::write(&args.dir, month).map_err(Failure::wrong)?;
    clear(&args.dir)?;
    // The demo's own configuration alone: variables of a real one must not reach it.
    let config = Config::load(Some(&sample.config), std::iter::empty())?;
    let office = Office::with(config, NoLedger::MakeAnew, clock).await?;
    // What nobody does by hand, a daemon does.
    let office = Office { actor: "fecha".to_owned(), ..office };
    import(&office, &args.dir).await?;

    let (chapters, emails) = story::tell(&office, &mut sample, output).await?;
    let mut documents = 0;
    for month in sample.months() {
        documents += write_documents(&office, month, &args.dir.join("faturas")).await?;
    }
    let sums = office.ledger.month_sums(..).await?;
    office.ledger.close().await;
    let made = Made { chapters, sums, messages: sample.message_count, documents, emails };

    let last = made.chapters.last();
    let chapter = |chapter: &Chapter| {
        let Chapter { month, events, .. } = chapter;
        let MonthSum { invoices, total } = made.sum(*month);
        json!({"month": month, "issued": invoices, "total": total, "events": events})
    };
    let json = json!({
        "dir": args.dir, "month": month,
        "issued": last.map_or(0, |last| last.report.issued.len()),
        "total": last.map_or(Money::ZERO, |last| last.report.total()),
        "exceptions": last.map_or(&[][..], |last| &last.report.exceptions),
        "documents": documents, "emails": emails,
        "months": made.chapters.iter().map(chapter).collect::<Vec<_>>(),
    });
    output.result(&json, |page| in_words(page, &args.dir, &made));
    if args.serve { serve::serve(&sample.config, output).await } else { Ok(0) }
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
    let contracts =
        read_contracts("contracts.csv", &contracts, &is_known, &office.config.prices, &[])?;
    let entry = audit::Deed {
        at: office.clock.now(),
        actor: &office.actor,
        action: audit::Action::Import,
        month: None,
        dealership_id: None,
        detail: "demo",
    };
    let written = Register { dealerships, contracts, numbers: Vec::new() };
    let change = RegisterChange { known: &Register::default(), written: &written, removed: &[] };
    office.ledger.import(change, &[entry]).await?;
    Ok(())
}

/// The documents of a month, each revision's, in a folder of its own.
async fn write_documents(office: &Office, month: Month, dir: &Path) -> Result<usize, Failure> {
    let dir = dir.join(month.to_string());
    let failed = |error: std::io::Error| Failure::wrong(format!("{}: {error}", dir.display()));
    std::fs::create_dir_all(&dir).map_err(failed)?;
    let filter = Filter { month: Some(month), all_revisions: true, ..Filter::default() };
    let mut written = 0;
    for listed in office.ledger.listed(filter).await? {
        let label = listed.label();
        let mut files = vec![(FileKind::Invoice, "fatura"), (FileKind::Statement, "extrato")];
        if listed.state == InvoiceState::Cancelled {
            files.push((FileKind::Cancellation, "cancelamento"));
        }
        for (kind, name) in files {
            let bytes = office.ledger.file(listed.number, listed.revision, kind).await?;
            if let Some(bytes) = bytes {
                put(&dir.join(format!("{name}-{label}.pdf")), &bytes)?;
                written += 1;
            }
        }
    }
    Ok(written)
}

fn in_words(page: Page, dir: &Path, made: &Made) -> String {
    let row = |chapter: &Chapter| {
        let Chapter { month, events, .. } = chapter;
        let MonthSum { invoices, total } = made.sum(*month);
        vec![month.to_string(), grouped(invoices), total.brl(), events.join("; ")]
    };
    let columns = [word("month"), figure("invoices"), figure("total"), text("what happened")];
    let months = page.table(&columns, made.chapters.iter().map(row).collect());
    let last = made.chapters.last().map(|last| last_month(page, last)).unwrap_or_default();
    let files = [
        ("messages.db", format!("{} messages", grouped(made.messages))),
        ("fecha.toml", "the configuration; dealerships.csv and contracts.csv beside it".to_owned()),
        ("faturas", format!("{} documents (PDF), a folder a month", made.documents)),
        ("mail", format!("{} emails (.eml)", made.emails)),
        ("fecha.db", "the ledger".to_owned()),
    ];
    let file = |(name, what): (&str, String)| page.item(&format!("  {name:<12} "), &what) + "\n";
    let files = files.map(file).concat();
    let dir = dir.display();
    // As it was started: after `cargo run` it is not on the path.
    let fecha = std::env::args().next().unwrap_or_else(|| "fecha".to_owned());
    let number = with_all_lines(made);
    format!(
        "{months}\n{last}\nIn {dir}:\n{files}\n\
         Try next what needs a person, one invoice line by line, who owes what, and that nothing is billed twice:\n  \
         export FECHA_CONFIG={dir}/fecha.toml\n  {fecha} status\n  {fecha} invoice {number}\n  \
         {fecha} receivables\n  {fecha} close\n\
         In a browser: {fecha} demo --dir {dir} --serve\n",
    )
}

/// The invoices of the month that was closed last.
fn last_month(page: Page, chapter: &Chapter) -> String {
    let row = |charged: &crate::actions::close::Charged| {
        vec![
            charged.number.map(|number| number.to_string()).unwrap_or_default(),
            charged.dealership_id.clone(),
            grouped(charged.package),
            grouped(charged.uam),
            grouped(charged.hsm),
            charged.total.brl(),
        ]
    };
    let columns = [
        word("number"),
        name("dealership"),
        figure("package").spare(1),
        figure("UAM"),
        figure("HSM"),
        figure("total"),
    ];
    let bills = page.table(&columns, chapter.report.issued.iter().map(row).collect());
    format!("\n{}:\n{bills}\n{}", chapter.month, exceptions_in_words(&chapter.report.exceptions))
}

/// An invoice of the last month with contacts above its package: something stands on each of its lines.
fn with_all_lines(made: &Made) -> String {
    let last = made.chapters.last().map_or(&[][..], |last| &last.report.issued);
    let above = last.iter().find(|charged| charged.uam > charged.package);
    above.and_then(|charged| charged.number).map(|number| number.to_string()).unwrap_or_default()
}
