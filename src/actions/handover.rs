//! Tells finance: builds the digest of what was not reported yet and queues its emails.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, Utc};

use crate::ledger::LedgerError;
use crate::ledger::invoices::{Filter, Revision};
use crate::ledger::listing::Listed;
use crate::letters::compose::{ComposeError, digest_parts};
use crate::letters::template::TemplateError;
use crate::setup::office::Office;
use fecha_core::bill::digest::{Digest, DigestRow, Mover, Overdue, Whole, Zone};
use fecha_core::bill::exception::Excepted;
use fecha_core::bill::invoice::{InvoiceState, Number, label};
use fecha_core::calendar::month::{Month, Period};
use fecha_core::count::status::StatusFound;
use fecha_core::count::tally::{Buckets, Window};
use fecha_core::letter::Letter;
use fecha_core::party::register::EmailAddress;
use fecha_core::price::money::Money;

/// What a close found, for the digest.
#[derive(Debug)]
pub struct Findings<'a> {
    /// The month.
    pub month: Month,
    /// 1 for the close report, from 2 for supplements, 0 for a close that is held.
    pub sequence: u32,
    /// What needs a person, the most money first.
    pub exceptions: Vec<Excepted>,
    /// All messages by bucket.
    pub messages: Buckets,
    /// The proof.
    pub zones: Vec<Zone>,
    /// Dealerships with messages of what is no contact.
    pub not_contacts: Vec<(String, u64)>,
    /// The statuses that were met.
    pub statuses: &'a [StatusFound],
    /// Dealerships whose month has not ended: they did not leave.
    pub open: &'a [String],
}

/// Finance could not be told; the next close does it.
#[derive(Debug, thiserror::Error)]
pub enum HandoverError {
    /// The ledger failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The email could not be worded.
    #[error(
        "the report to finance could not be written: {0}. Everything is issued; run the close again"
    )]
    Template(#[from] TemplateError),
    /// Its files could not be made.
    #[error(
        "the report to finance could not be made: {0}. Everything is issued; run the close again"
    )]
    Compose(#[from] ComposeError),
}

/// Queues the digest of all invoices of the month that no digest has reported yet: the close report
/// where it is the first, else a supplement, which there is none of where nothing is new.
///
/// The invoices are marked as reported in the same transaction, so that a close that died before this
/// point is reported by the next one, and none is reported twice.
///
/// `false` where another process reported under this number first; nothing is queued then.
///
/// # Errors
/// [`HandoverError`]; nothing is queued then.
pub async fn tell_finance(
    office: &Office,
    findings: Findings<'_>,
    now: DateTime<Utc>,
) -> Result<bool, HandoverError> {
    let standing = office.ledger.standing(findings.month).await?;
    let mut news: Vec<&Revision> = standing.values().filter(|r| r.digest.is_none()).collect();
    if news.is_empty() && findings.sequence > 1 {
        return Ok(true);
    }
    news.sort_by_key(|revision| (revision.invoice.number, revision.invoice.revision));
    let paid = paid(office, findings.month).await?;
    let row = |revision: &&Revision| DigestRow {
        paid: paid.get(&revision.invoice.number).copied(),
        ..DigestRow::of(&revision.invoice, revision.pdf_sha256.clone())
    };
    let rows = news.iter().map(row).collect();
    let digest = digest(office, findings, rows, now).await?;
    let letters = letters(office, &digest, &office.config.email.finance, now).await?;
    Ok(office.ledger.report(&digest, &letters).await?)
}

/// The report on these invoices: what was found, and how the month and the accounts stand now.
///
/// # Errors
/// [`LedgerError`] where the ledger cannot be read.
pub async fn digest(
    office: &Office,
    findings: Findings<'_>,
    invoices: Vec<DigestRow>,
    now: DateTime<Utc>,
) -> Result<Digest, LedgerError> {
    let ledger = &office.ledger;
    let mut standing = invoiced(office, findings.month).await?;
    // A held close would issue these beside what stands.
    let unissued = invoices.iter().filter(|row| row.issued.is_none());
    standing.extend(unissued.map(|row| Mover {
        dealership_id: row.dealership_id.clone(),
        dealership_name: row.dealership_name.clone(),
        total: row.total,
    }));
    let mut before = invoiced(office, findings.month.previous()).await?;
    before.retain(|mover| !findings.open.contains(&mover.dealership_id));
    let today = office.today();
    let reported = match findings.sequence {
        0 | 1 => None,
        sequence => {
            let before = ledger.digest(findings.month, sequence - 1).await?;
            before.whole.map(|whole| whole.now.total)
        }
    };
    Ok(Digest {
        reported,
        month: findings.month,
        sequence: findings.sequence,
        made_at: now,
        issuer: office.config.issuer.name.clone(),
        timezone: Some(office.config.issuer.timezone),
        invoices,
        whole: Some(Whole::of(&standing, &before)),
        exceptions: findings.exceptions,
        messages: findings.messages,
        zones: findings.zones,
        not_contacts: findings.not_contacts,
        statuses: findings.statuses.to_vec(),
        failed_deliveries: ledger.failed_deliveries(findings.month.previous()).await?,
        receivables: Some(ledger.open_sum(today).await?.balance),
        overdue: overdue(office, today).await?,
    })
}

/// Who is invoiced in a month, and how much.
async fn invoiced(office: &Office, month: Month) -> Result<Vec<Mover>, LedgerError> {
    let listed = office.ledger.listed(Filter { month: Some(month), ..Filter::default() }).await?;
    let standing = listed.into_iter().filter(|listed| listed.state == InvoiceState::Issued);
    let mover = |Listed { dealership_id, figures, .. }| Mover {
        dealership_id,
        dealership_name: figures.dealership_name,
        total: figures.total,
    };
    Ok(standing.map(mover).collect())
}

/// What is open although its day has passed, the most money first.
async fn overdue(office: &Office, today: NaiveDate) -> Result<Vec<Overdue>, LedgerError> {
    let open = office.ledger.open_invoices(None).await?;
    let late = open.into_iter().filter(|listed| listed.figures.due_on < today);
    let mut late: Vec<Overdue> = late
        .map(|listed| Overdue {
            label: label(listed.number, listed.revision),
            month: listed.month,
            open: listed.account().open(),
            due_on: listed.figures.due_on,
            dealership_name: listed.figures.dealership_name,
            dealership_id: listed.dealership_id,
        })
        .collect();
    late.sort_by_key(|late| Reverse(late.open));
    Ok(late)
}

/// What settles each number of a month.
async fn paid(office: &Office, month: Month) -> Result<BTreeMap<Number, Money>, LedgerError> {
    let filter = Filter { month: Some(month), ..Filter::default() };
    let listed = office.ledger.listed(filter).await?;
    Ok(listed.into_iter().map(|invoice| (invoice.number, invoice.paid)).collect())
}

/// One letter a recipient and part: each part has the archive of some of the invoices.
///
/// # Errors
/// [`HandoverError`].
pub async fn letters(
    office: &Office,
    digest: &Digest,
    to: &[EmailAddress],
    now: DateTime<Utc>,
) -> Result<Vec<Letter>, HandoverError> {
    let mut sizes = Vec::with_capacity(digest.invoices.len());
    for issued in digest.invoices.iter().filter_map(|row| row.issued.as_ref()) {
        sizes.push(office.ledger.pdf_size(issued.number, issued.revision).await?);
    }
    let mut letters = Vec::new();
    for part in digest_parts(digest, &sizes)? {
        letters.extend(office.addresser.digest(digest, &part, to.to_vec(), now)?);
    }
    Ok(letters)
}

/// Names the zones of each counted span.
#[must_use]
pub fn zones(windows: &[Window], spans: &BTreeSet<(Period, &'static str)>) -> Vec<Zone> {
    let zone = |window: &Window| {
        let of_window = spans.iter().filter(|(period, _)| *period == window.period);
        Zone {
            names: of_window.map(|(_, name)| (*name).to_owned()).collect(),
            window: window.clone(),
        }
    };
    windows.iter().map(zone).collect()
}
