//! Whether the ledger is whole: numbers, documents, sums and emails.

use std::collections::{BTreeMap, BTreeSet};

use crate::ledger::documents::FileKind;
use crate::ledger::invoices::{Filter, Revision};
use crate::ledger::listing::Figures;
use crate::ledger::numbers::YearOfNumbers;
use crate::ledger::{Ledger, LedgerError};
use crate::setup::office::Office;
use fecha_core::bill::invoice::InvoiceState;
use fecha_core::bill::invoice::{Invoice, Number, label};
use fecha_core::calendar::month::Month;
use fecha_core::count::evidence::{self, Evidence, EvidenceRow, sha256_hex};
use fecha_core::letter::Content;
use fecha_core::price::item::{Column, Line};
use fecha_core::price::money::Money;

/// Something that is wrong with the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The invoice; `None` where it is about no one invoice.
    pub number: Option<Number>,
    /// What is wrong, and what to do.
    pub what: String,
}

/// Checks all numbers and accounts of the ledger, and all revisions of a month.
///
/// # Errors
/// [`LedgerError`] where the ledger cannot be read; what is wrong in it is no error.
pub async fn check(office: &Office, month: Month) -> Result<Vec<Problem>, LedgerError> {
    let mut problems = Vec::new();
    let years = office.ledger.numbers().await?;
    let first_year = years.keys().next().copied();
    for (year, numbers) in &years {
        // What an empty ledger begins with may have been another floor then: its first number tells.
        let is_first = first_year == Some(*year);
        let least = office.config.invoice.first_number.least(*year, first_year);
        problems.extend(gaps(*year, numbers, if is_first { least } else { 1 }));
    }
    let filter = Filter { month: Some(month), all_revisions: true, ..Filter::default() };
    let revisions = office.ledger.revisions(filter).await?;
    problems.extend(chains(&revisions));
    for revision in &revisions {
        let files = files(&office.ledger, revision).await?;
        let void = cancellation(&office.ledger, revision).await?;
        let about = files.into_iter().chain(void).chain(sums(&revision.invoice));
        let number = Some(revision.invoice.number);
        problems.extend(about.map(|what| Problem { number, what }));
    }
    problems.extend(copies(&office.ledger, filter, &revisions).await?);
    problems.extend(emails(&office.ledger, month, &revisions).await?);
    problems.extend(super::groups::check(&office.ledger, month).await?);
    problems.extend(super::account::check(&office.ledger).await?);
    Ok(problems)
}

/// Numbers that are missing between the first and the last of a year.
fn gaps(year: i32, numbers: &YearOfNumbers, first: u32) -> Vec<Problem> {
    let name = |sequence| Number { year, sequence };
    let first = numbers.given.first().map_or(first, |run| first.min(*run.start()));
    let last = numbers.given.last().map(|run| *run.end());
    let end = numbers.next.into_iter().chain(last.map(|last| last + 1)).max().unwrap_or(first);
    let mut problems = Vec::new();
    let mut expected = first;
    // An empty run behind the last closes the gap up to the counter.
    for (start, after) in
        numbers.given.iter().map(|run| (*run.start(), *run.end() + 1)).chain([(end, end)])
    {
        let span = match start.saturating_sub(expected) {
            0 => None,
            1 => Some(format!("the number {} is", name(expected))),
            _ => Some(format!("the numbers {} to {} are", name(expected), name(start - 1))),
        };
        problems.extend(span.map(|span| Problem {
            number: None,
            what: format!("{span} missing: restore the ledger from a backup"),
        }));
        expected = after;
    }
    problems
}

/// Revisions count from 0 without gap, and only the last of a number stands. They come by number,
/// then revision.
fn chains(revisions: &[Revision]) -> Vec<Problem> {
    let mut problems = Vec::new();
    let of_one_number = |a: &Revision, b: &Revision| a.invoice.number == b.invoice.number;
    for chain in revisions.chunk_by(of_one_number) {
        let number = chain[0].invoice.number;
        let counted = (0..).zip(chain).all(|(index, revision)| revision.invoice.revision == index);
        let stands = chain.iter().rposition(|r| r.state != InvoiceState::Superseded)
            == Some(chain.len() - 1)
            && chain.iter().filter(|r| r.state != InvoiceState::Superseded).count() == 1;
        if !counted || !stands {
            let what = format!(
                "the revisions of {number} are not a chain of which only the last stands: restore the ledger from a backup"
            );
            problems.push(Problem { number: Some(number), what });
        }
    }
    problems
}

/// The files of a revision against their SHA-256, and the evidence against the counts.
async fn files(ledger: &Ledger, revision: &Revision) -> Result<Vec<String>, LedgerError> {
    let invoice = &revision.invoice;
    let label = invoice.label();
    let mut problems = Vec::new();
    for (kind, name, sha256) in [
        (FileKind::Invoice, "invoice PDF", &revision.pdf_sha256),
        (FileKind::Statement, "statement PDF", &revision.statement_sha256),
        (FileKind::Evidence, "evidence", &invoice.evidence_sha256),
    ] {
        match file(ledger, invoice, kind).await? {
            None => problems.push(format!("the {name} of {label} is missing: restore it from a backup")),
            Some(bytes) if sha256_hex(&bytes) != *sha256 => problems.push(format!(
                "the {name} of {label} is not what was issued: its SHA-256 differs; restore it from a backup"
            )),
            Some(bytes) if kind == FileKind::Evidence => problems.extend(counts(invoice, &bytes)),
            Some(_) => {}
        }
    }
    Ok(problems)
}

/// A file as it is kept; empty where what is kept is not what was issued.
async fn file(
    ledger: &Ledger,
    invoice: &Invoice,
    kind: FileKind,
) -> Result<Option<Vec<u8>>, LedgerError> {
    match ledger.file(invoice.number, invoice.revision, kind).await {
        Err(LedgerError::Damaged { .. }) => Ok(Some(Vec::new())),
        file => file,
    }
}

/// The document of a cancellation against its SHA-256.
async fn cancellation(ledger: &Ledger, revision: &Revision) -> Result<Option<String>, LedgerError> {
    let invoice = &revision.invoice;
    if revision.state != InvoiceState::Cancelled {
        return Ok(None);
    }
    let name = format!("document of cancellation of {}", invoice.label());
    let Some(bytes) = file(ledger, invoice, FileKind::Cancellation).await? else {
        return Ok(Some(format!("the {name} is missing: restore it from a backup")));
    };
    // An earlier fecha kept no SHA-256 of it.
    let kept = ledger.cancellation(invoice.number).await?;
    let is_other = kept.is_some_and(|kept| kept.pdf_sha256 != sha256_hex(&bytes));
    Ok(is_other.then(|| {
        format!("the {name} is not what was made: its SHA-256 differs; restore it from a backup")
    }))
}

/// The contacts of the evidence against the counts that the invoice prints.
fn counts(invoice: &Invoice, evidence: &[u8]) -> Option<String> {
    let usage = &invoice.usage;
    let text = std::str::from_utf8(evidence).ok();
    let read = text.and_then(|text| evidence::parse(text).ok());
    let adds_up = read.is_some_and(|Evidence { columns, rows }| {
        let sum = |of: &dyn Fn(&EvidenceRow<'_>) -> u64| rows.iter().map(of).sum::<u64>();
        let sums = [rows.len() as u64, sum(&|e| e.received), sum(&|e| e.sent), sum(&|e| e.hsm)];
        let by_category: u64 = (0..columns.len()).map(|place| sum(&|e| e.of(Some(place)))).sum();
        sums == [usage.uam, usage.received, usage.sent, usage.hsm]
            && (columns.is_empty() || by_category == usage.sent)
    });
    (!adds_up).then(|| {
        format!("the evidence of {} does not add up to the counts of the invoice", invoice.label())
    })
}

/// The lines of an invoice: each is its quantity times its price, and charges what was counted.
fn sums(invoice: &Invoice) -> Vec<String> {
    let used = invoice.used();
    let is_right = |line: &Line| line.item.quantity(used).is_none_or(|due| due == line.quantity);
    let multiplies = |line: &Line| {
        let product = line.unit_price.checked_mul(line.quantity.into()).and_then(Money::rounded);
        product == Some(line.amount)
    };
    let by_table: Vec<&Line> =
        invoice.lines.iter().filter(|line| line.item.column() != Column::Adjustments).collect();
    let due = invoice.rates().map(|rates| rates.lines(used));
    let are_due =
        due.is_none_or(|due| due.is_ok_and(|due| due.iter().collect::<Vec<_>>() == by_table));
    let other = (!are_due).then(|| {
        format!("the lines of {} are not what its prices and its use come to", invoice.label())
    });
    let wrong = invoice.lines.iter().filter(|line| !is_right(line) || !multiplies(line));
    let in_words = |line: &Line| {
        let Line { quantity, unit_price, amount, .. } = line;
        let (label, amount) = (invoice.label(), amount.brl());
        format!(
            "a line of {label} does not add up: {quantity} × {unit_price} is charged as {amount}"
        )
    };
    wrong.map(in_words).chain(other).collect()
}

/// What lists show of a revision against its document: the copies that were made when it was issued, or
/// when a later fecha opened the ledger first.
async fn copies(
    ledger: &Ledger,
    filter: Filter<'_>,
    revisions: &[Revision],
) -> Result<Vec<Problem>, LedgerError> {
    let listed = ledger.listed(filter).await?;
    let by_key: BTreeMap<_, _> =
        listed.iter().map(|listed| ((listed.number, listed.revision), listed)).collect();
    let mut problems = Vec::new();
    for Revision { invoice, .. } in revisions {
        let Some(listed) = by_key.get(&(invoice.number, invoice.revision)) else { continue };
        let differences = listed.figures.differences(&Figures::of(invoice));
        problems.extend(differences.into_iter().map(|(column, here, there)| Problem {
            number: Some(invoice.number),
            what: format!(
                "lists show another {column} of {} than was issued: {here}, the document says {there}; restore the ledger from a backup",
                invoice.label()
            ),
        }));
    }
    Ok(problems)
}

/// Of every revision that stands the dealership got the invoice, or is about to; of every number that is
/// void, that it is.
async fn emails(
    ledger: &Ledger,
    month: Month,
    revisions: &[Revision],
) -> Result<Vec<Problem>, LedgerError> {
    let (mut mailed, mut told) = (BTreeSet::new(), BTreeSet::new());
    for content in ledger.emailed(month).await? {
        match content {
            Content::Invoice { number, revision, .. } => {
                mailed.insert((number, revision));
            }
            Content::Cancellation { number, is_copy: false, .. } => {
                told.insert(number);
            }
            _ => {}
        }
    }
    let problem = |revision: &Revision| {
        let Invoice { number, revision: index, .. } = revision.invoice;
        let label = label(number, index);
        let missing = match revision.state {
            InvoiceState::Issued if !mailed.contains(&(number, index)) => "was never mailed",
            InvoiceState::Cancelled if !told.contains(&number) => {
                "was cancelled, and nobody was told"
            }
            _ => return None,
        };
        let what = format!("{label} {missing}: queue the email with `fecha resend {number}`");
        Some(Problem { number: Some(number), what })
    };
    Ok(revisions.iter().filter_map(problem).collect())
}
