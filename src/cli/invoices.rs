//! `fecha invoices` and `fecha invoice`

use std::path::PathBuf;

use super::files::{Files, ForceArgs, Kind};
use super::lines::line_row;
use super::output::{Failure, Output, plain};
use super::page::{Column, Page, figure, name, text, word};
use crate::actions::erp::{self, Layout};
use crate::actions::invoices::{self, Invoices};
use crate::ledger::documents::FileKind;
use crate::ledger::invoices::{Filter, Revision};
use crate::ledger::listing::Listed;
use crate::setup::office::Office;
use fecha_core::account::settled::PaymentState;
use fecha_core::bill::invoice::{InvoiceState, Number};
use fecha_core::calendar::month::Month;
use fecha_core::price::money::grouped;

/// Arguments of `fecha invoices`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  fecha invoices --month 2026-10\n  fecha invoices --dealership d17 --all-revisions --json\n  fecha invoices --month 2026-10 --csv > invoices.csv\n  fecha invoices --csv --layout omie --month 2026-10 > omie.csv"
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
    /// The columns of the table: plain, conta-azul, omie, or a [layouts.NAME] of the configuration
    #[arg(long, value_name = "NAME", default_value = "plain", requires = "csv")]
    layout: String,
}

/// Arguments of `fecha invoice`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  fecha invoice 2026-000001 --pdf fatura.pdf --evidence comprovacao.csv
  sha256sum comprovacao.csv     # what the invoice prints
  fecha invoice 2026-000001 --evidence - | sha256sum

The file - is standard output; what the command tells goes to standard error
then.")]
pub struct ShowArgs {
    /// The invoice number, YYYY-NNNNNN
    number: Number,
    /// A revision other than the latest
    #[arg(long, value_name = "N")]
    revision: Option<u32>,
    /// Write the invoice PDF to this file; one that is there is replaced where it is a PDF
    #[arg(long, value_name = "FILE")]
    pdf: Option<PathBuf>,
    /// Write the statement PDF to this file, likewise
    #[arg(long, value_name = "FILE")]
    statement: Option<PathBuf>,
    /// Write the evidence CSV to this file; one that is there is replaced where it is evidence
    #[arg(long, value_name = "FILE")]
    evidence: Option<PathBuf>,
    /// Write the document of cancellation, a PDF, to this file
    #[arg(long, value_name = "FILE")]
    cancellation: Option<PathBuf>,
    #[command(flatten)]
    force: ForceArgs,
}

/// Lists invoices.
pub async fn list(office: &Office, args: &ListArgs, output: &Output) -> Result<u8, Failure> {
    let filter = Filter {
        month: args.month,
        dealership_id: args.dealership.as_deref(),
        number: None,
        all_revisions: args.all_revisions,
    };
    if args.csv {
        return table(office, args, filter, output).await;
    }
    let invoices = invoices::list(office, filter).await?;
    output.result(&invoices.json(), |page| {
        if invoices.listed.is_empty() {
            return "no invoices".to_owned();
        }
        let (total, open) = (invoices.total().brl(), invoices.open().brl());
        let list = invoice_table(page, &invoices, args.month.is_some());
        format!("{list}\n{total} issued in all, {open} of it open")
    });
    Ok(0)
}

/// The table alone on standard output, what is to be known of it beside it.
async fn table(
    office: &Office,
    args: &ListArgs,
    filter: Filter<'_>,
    output: &Output,
) -> Result<u8, Failure> {
    let layout = Layout::named(&office.config, &args.layout)?;
    if filter.all_revisions {
        layout.takes_all_revisions()?;
    }
    let invoices = invoices::list(office, filter).await?;
    let table = erp::table(office, layout, &invoices.listed).await?;
    output.document(&table.bytes);
    let notes: Vec<String> = table.notes.iter().map(ToString::to_string).collect();
    if !notes.is_empty() {
        output.on_standard_error().result(&notes, |_| notes.join("\n"));
    }
    Ok(0)
}

/// Of one month its column is the first that nobody misses.
fn invoice_table(page: Page, invoices: &Invoices, of_one_month: bool) -> String {
    let row = |invoice: &Listed| {
        vec![
            invoice.label(),
            invoice.dealership_id.clone(),
            invoice.figures.dealership_name.clone(),
            invoice.month.to_string(),
            grouped(invoice.figures.package),
            grouped(invoice.figures.uam),
            grouped(invoice.figures.hsm),
            invoice.figures.total.brl(),
            invoice.figures.due_on.to_string(),
            state_of(invoice, invoices).to_owned(),
        ]
    };
    let columns: [Column; 10] = [
        word("number"),
        name("dealership"),
        name("name").spare(6),
        word("month").spare(if of_one_month { 7 } else { 1 }),
        figure("package").spare(5),
        figure("UAM").spare(3),
        figure("HSM").spare(4),
        figure("total"),
        word("due").spare(2),
        word("state"),
    ];
    page.table(&columns, invoices.listed.iter().map(row).collect())
}

/// What of it is paid, where it stands.
fn state_of(invoice: &Listed, invoices: &Invoices) -> &'static str {
    let account = invoice.account();
    match account.payment() {
        _ if invoice.state != InvoiceState::Issued => state_in_words(invoice.state),
        PaymentState::Paid => "paid",
        PaymentState::Open if account.is_overdue(invoices.today) => "OVERDUE",
        PaymentState::Open => "open",
        PaymentState::PartPaid if account.is_overdue(invoices.today) => "OVERDUE, part paid",
        PaymentState::PartPaid => "part paid",
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
    let files = Files::new(&office.config, args.force);
    let wanted = [
        (&args.pdf, FileKind::Invoice, Kind::Pdf),
        (&args.statement, FileKind::Statement, Kind::Pdf),
        (&args.evidence, FileKind::Evidence, Kind::Evidence),
        (&args.cancellation, FileKind::Cancellation, Kind::Pdf),
    ];
    let wanted = wanted.into_iter().filter_map(|(path, of, kind)| Some((path.as_ref()?, of, kind)));
    let output = &files.beside(output, wanted.clone().map(|(path, _, kind)| (path, kind)))?;
    let shown = invoices::show(office, args.number, args.revision).await?;
    let mut written = Vec::new();
    for (path, of, kind) in wanted {
        let bytes = invoices::file(office, &shown.revision.invoice, of).await?;
        files.write(path, kind, &bytes)?;
        written.push(path.display().to_string());
    }
    output.result(&shown.json(), |page| {
        let files = written.iter().map(|path| format!("wrote {path}\n")).collect::<String>();
        format!("{}{files}", explained(page, &shown.revision))
    });
    Ok(0)
}

fn explained(page: Page, revision: &Revision) -> String {
    let invoice = &revision.invoice;
    let party = &invoice.dealership;
    let usage = &invoice.usage;
    let buckets = &usage.buckets;
    let local = |instant: chrono::DateTime<chrono::Utc>| {
        instant.with_timezone(&invoice.timezone).format("%Y-%m-%d %H:%M").to_string()
    };
    let not_counted = [
        (buckets.duplicate, "duplicate"),
        (buckets.ignored_status, "ignored status"),
        (buckets.group, "of groups"),
        (buckets.not_a_contact, "not a contact"),
        (buckets.malformed, "malformed"),
    ];
    let not_counted = not_counted
        .into_iter()
        .filter(|(messages, _)| *messages > 0)
        .map(|(messages, bucket)| format!(" + {} {bucket}", grouped(messages)));
    let rows: Vec<Vec<String>> = invoice.lines.iter().map(|line| line_row(invoice, line)).collect();
    format!(
        "{label} ({state}): '{id}', {name}, CNPJ {cnpj}\n\
         month {month}: {start} to {end} ({zone}), each end resolved by itself\n\
         issued {issued}, due {due}\n\n\
         {lines}\n\
         total {total}\n\n\
         {all} messages = {counted} counted ({received} in, {sent} out){rest}\n\
         evidence SHA-256:\n  {evidence}\n\
         invoice SHA-256:\n  {pdf}\n",
        label = invoice.label(),
        state = state_in_words(revision.state),
        id = plain(&invoice.dealership_id),
        name = plain(&party.name),
        cnpj = party.cnpj,
        month = invoice.month,
        start = local(invoice.period.start),
        end = local(invoice.period.end),
        zone = invoice.timezone.name(),
        issued = local(invoice.issued_at),
        due = invoice.due_on,
        lines = page.table(&[text("line"), text("how"), figure("amount")], rows),
        total = invoice.total().brl(),
        all = grouped(buckets.total()),
        counted = grouped(buckets.counted),
        received = grouped(usage.received),
        sent = grouped(usage.sent),
        rest = not_counted.collect::<String>(),
        evidence = invoice.evidence_sha256,
        pdf = revision.pdf_sha256,
    )
}
