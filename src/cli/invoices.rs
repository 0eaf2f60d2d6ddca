//! `fecha invoices` and `fecha invoice`

use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::{Value, json};

use super::books::Books;
use super::erp;
use super::lines::line_row;
use super::output::{Failure, Output, table};
use super::register::write;
use crate::ledger::invoices::{FileKind, Filter, Revision};
use crate::setup::office::Office;
use fecha_core::account::settled::Payment;
use fecha_core::bill::digest::DigestRow;
use fecha_core::bill::invoice::InvoiceState;
use fecha_core::bill::invoice::{Invoice, Number};
use fecha_core::calendar::month::Month;
use fecha_core::price::item::Amounts;
use fecha_core::price::money::{Money, grouped};

/// Arguments of `fecha invoices`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  fecha invoices --month 2026-10\n  fecha invoices --dealership d17 --all-revisions --json\n  fecha invoices --month 2026-10 --csv > invoices.csv"
)]
pub struct ListArgs {
    /// Only this month, YYYY-MM
    #[arg(long, value_name = "M")]
    month: Option<Month>,
    /// Only this dealership
    #[arg(long, value_name = "ID")]
    dealership: Option<String>,
    /// Superseded revisions too
    #[arg(long)]
    all_revisions: bool,
    /// As a table for spreadsheets and ERPs in Brazil: semicolons, decimal commas, UTF-8 with its mark
    #[arg(long, conflicts_with = "json")]
    csv: bool,
}

/// Arguments of `fecha invoice`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  fecha invoice 2026-000001 --pdf fatura.pdf --evidence comprovacao.csv
  sha256sum comprovacao.csv     # what the invoice prints")]
pub struct ShowArgs {
    /// The invoice number, YYYY-NNNNNN
    number: Number,
    /// A revision other than the latest
    #[arg(long, value_name = "N")]
    revision: Option<u32>,
    /// Write the invoice PDF to this file, which is replaced
    #[arg(long, value_name = "FILE")]
    pdf: Option<PathBuf>,
    /// Write the statement PDF to this file, which is replaced
    #[arg(long, value_name = "FILE")]
    statement: Option<PathBuf>,
    /// Write the evidence CSV to this file, which is replaced
    #[arg(long, value_name = "FILE")]
    evidence: Option<PathBuf>,
    /// Write the document of cancellation to this file, which is replaced
    #[arg(long, value_name = "FILE")]
    cancellation: Option<PathBuf>,
}

#[derive(Serialize)]
struct InvoiceJson<'a> {
    number: Number,
    revision: u32,
    state: InvoiceState,
    dealership_id: &'a str,
    month: Month,
    package: u64,
    uam: u64,
    overage: u64,
    hsm: u64,
    #[serde(flatten)]
    amounts: Amounts,
    total: Money,
    due_date: chrono::NaiveDate,
    issued_at: String,
    evidence_sha256: &'a str,
    pdf_sha256: &'a str,
    reason: Option<&'a str>,
    by: Option<&'a str>,
    paid: Money,
    payment: Payment,
    overdue: bool,
}

impl<'a> InvoiceJson<'a> {
    fn of(revision: &'a Revision, books: &Books) -> Self {
        let account = books.account(revision);
        let entry = DigestRow::of(&revision.invoice, revision.pdf_sha256.clone());
        let invoice = &revision.invoice;
        let replaces = invoice.replaces.as_ref();
        Self {
            number: invoice.number,
            revision: invoice.revision,
            state: revision.state,
            dealership_id: &invoice.dealership_id,
            month: invoice.month,
            package: entry.package,
            uam: entry.uam,
            overage: entry.overage,
            hsm: entry.hsm,
            amounts: entry.amounts,
            total: entry.total,
            due_date: invoice.due_on,
            issued_at: invoice.issued_at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
            evidence_sha256: &invoice.evidence_sha256,
            pdf_sha256: &revision.pdf_sha256,
            reason: replaces.map(|replaced| replaced.reason.as_str()),
            by: replaces.map(|replaced| replaced.by.as_str()),
            paid: account.paid,
            payment: account.payment(),
            overdue: revision.state == InvoiceState::Issued && account.is_overdue(books.today),
        }
    }
}

/// Lists invoices.
pub async fn list(office: &Office, args: &ListArgs, output: &Output) -> Result<u8, Failure> {
    if let Some(id) = &args.dealership {
        let dealerships = office.ledger.dealerships().await?;
        if !dealerships.iter().any(|dealership| dealership.id == *id) {
            let message =
                format!("'{id}' is not in the register: `fecha export` lists all dealerships");
            return Err(Failure::wrong(message));
        }
    }
    let filter = Filter {
        month: args.month,
        dealership_id: args.dealership.as_deref(),
        number: None,
        all_revisions: args.all_revisions,
    };
    let revisions = office.ledger.revisions(filter).await?;
    if args.csv {
        output.document(&erp::csv(&revisions)?);
        return Ok(0);
    }
    let books = Books::open(office).await?;
    let json: Vec<InvoiceJson<'_>> =
        revisions.iter().map(|revision| InvoiceJson::of(revision, &books)).collect();
    output.result(&json, || {
        if revisions.is_empty() {
            return "no invoices".to_owned();
        }
        let total: Money = revisions
            .iter()
            .filter(|revision| revision.state == InvoiceState::Issued)
            .map(|revision| revision.invoice.total())
            .sum();
        let open = revisions.iter().filter(|revision| revision.state == InvoiceState::Issued);
        let open: Money = open.map(|revision| books.account(revision).open()).sum();
        let table = invoice_table(&revisions, &books);
        format!("{table}\n{} issued in all, {} of it open", total.brl(), open.brl())
    });
    Ok(0)
}

fn invoice_table(revisions: &[Revision], books: &Books) -> String {
    let row = |revision: &Revision| {
        let invoice = &revision.invoice;
        vec![
            invoice.label(),
            state_in_words(revision.state).to_owned(),
            invoice.dealership_id.clone(),
            invoice.month.to_string(),
            grouped(invoice.package),
            grouped(invoice.usage.uam),
            grouped(invoice.usage.hsm),
            invoice.total().brl(),
            invoice.due_on.to_string(),
            paid_in_words(revision, books).to_owned(),
        ]
    };
    let header =
        ["number", "state", "dealership", "month", "package", "UAM", "HSM", "total", "due", "paid"];
    table(&header, &[4, 5, 6, 7], revisions.iter().map(row).collect())
}

fn paid_in_words(revision: &Revision, books: &Books) -> &'static str {
    let account = books.account(revision);
    match account.payment() {
        _ if revision.state != InvoiceState::Issued => "",
        Payment::Paid => "paid",
        Payment::Open if account.is_overdue(books.today) => "OVERDUE",
        Payment::Open => "open",
        Payment::PartPaid if account.is_overdue(books.today) => "part paid, OVERDUE",
        Payment::PartPaid => "part paid",
    }
}

fn state_in_words(state: InvoiceState) -> &'static str {
    match state {
        InvoiceState::Issued => "issued",
        InvoiceState::Superseded => "superseded",
        InvoiceState::Cancelled => "cancelled",
    }
}

/// Explains one invoice and writes its files.
pub async fn show(office: &Office, args: &ShowArgs, output: &Output) -> Result<u8, Failure> {
    let filter = Filter { number: Some(args.number), all_revisions: true, ..Filter::default() };
    let revisions = office.ledger.revisions(filter).await?;
    let known: Vec<String> = revisions.iter().map(|r| r.invoice.revision.to_string()).collect();
    let number = args.number;
    let found = match args.revision {
        None => revisions.into_iter().next_back(),
        Some(revision) => revisions.into_iter().find(|r| r.invoice.revision == revision),
    };
    let Some(revision) = found else {
        return Err(Failure::wrong(match args.revision {
            Some(wanted) if !known.is_empty() => {
                format!("invoice {number} has no revision {wanted}: it has {}", known.join(", "))
            }
            _ => format!("there is no invoice {number}: `fecha invoices` lists all"),
        }));
    };
    let mut written = Vec::new();
    for (path, kind) in [
        (&args.pdf, FileKind::Invoice),
        (&args.statement, FileKind::Statement),
        (&args.evidence, FileKind::Evidence),
        (&args.cancellation, FileKind::Cancellation),
    ] {
        if let Some(path) = path {
            write_file(office, &revision.invoice, kind, path).await?;
            written.push(path.display().to_string());
        }
    }
    let books = Books::open(office).await?;
    output.result(&explained_json(&revision, &books), || {
        let files = written.iter().map(|path| format!("wrote {path}\n")).collect::<String>();
        format!("{}{files}", explained(&revision))
    });
    Ok(0)
}

async fn write_file(
    office: &Office,
    invoice: &Invoice,
    kind: FileKind,
    path: &Path,
) -> Result<(), Failure> {
    let bytes = office.ledger.file(invoice.number, invoice.revision, kind).await?;
    match bytes {
        Some(bytes) => write(path, &bytes),
        None if kind == FileKind::Cancellation => {
            Err(Failure::wrong(format!("{} is not cancelled", invoice.label())))
        }
        None => Err(Failure::wrong(format!("the ledger lacks a file of {}", invoice.label()))),
    }
}

/// What the list says of it, and the lines and counts behind it.
fn explained_json(revision: &Revision, books: &Books) -> Value {
    let invoice = &revision.invoice;
    let mut document = json!(InvoiceJson::of(revision, books));
    document["period"] = json!(invoice.period);
    document["timezone"] = json!(invoice.timezone);
    document["dealership"] = json!(invoice.dealership);
    document["lines"] = json!(invoice.lines);
    document["usage"] = json!(invoice.usage);
    document["pix"] = json!(invoice.pix);
    document["statement_sha256"] = json!(revision.statement_sha256);
    document
}

fn explained(revision: &Revision) -> String {
    let invoice = &revision.invoice;
    let party = &invoice.dealership;
    let usage = &invoice.usage;
    let buckets = &usage.buckets;
    let local = |instant: chrono::DateTime<chrono::Utc>| {
        instant.with_timezone(&invoice.timezone).format("%Y-%m-%d %H:%M").to_string()
    };
    let rows: Vec<Vec<String>> = invoice.lines.iter().map(|line| line_row(invoice, line)).collect();
    format!(
        "{label} ({state}): {id}, {name}, CNPJ {cnpj}\n\
         month {month}: {start} to {end} ({zone}), each end resolved by itself\n\
         issued {issued}, due {due}\n\n\
         {lines}\n\
         total {total}\n\n\
         {all} messages = {counted} counted ({received} in, {sent} out) + {ignored} ignored status \
         + {not_contact} not a contact + {malformed} malformed\n\
         evidence SHA-256 {evidence}\n\
         invoice  SHA-256 {pdf}\n",
        label = invoice.label(),
        state = state_in_words(revision.state),
        id = super::output::plain(&invoice.dealership_id),
        name = super::output::plain(&party.name),
        cnpj = party.cnpj,
        month = invoice.month,
        start = local(invoice.period.start),
        end = local(invoice.period.end),
        zone = invoice.timezone.name(),
        issued = local(invoice.issued_at),
        due = invoice.due_on,
        lines = table(&["line", "how", "amount"], &[2], rows),
        total = invoice.total().brl(),
        all = grouped(buckets.total()),
        counted = grouped(buckets.counted),
        received = grouped(usage.received),
        sent = grouped(usage.sent),
        ignored = grouped(buckets.ignored_status),
        not_contact = grouped(buckets.not_a_contact),
        malformed = grouped(buckets.malformed),
        evidence = invoice.evidence_sha256,
        pdf = revision.pdf_sha256,
    )
}
