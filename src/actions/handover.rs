//! Tells finance: builds the digest of what was not reported yet and queues its emails.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use crate::ledger::LedgerError;
use crate::ledger::invoices::{Filter, Revision};
use crate::letters::compose::{ComposeError, digest_parts};
use crate::letters::template::TemplateError;
use crate::setup::office::Office;
use fecha_core::bill::digest::Digest;
use fecha_core::bill::digest::DigestRow;
use fecha_core::bill::digest::Zone;
use fecha_core::bill::exception::Exception;
use fecha_core::bill::invoice::Number;
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
    /// 1 for the close report, from 2 for supplements.
    pub sequence: u32,
    /// What needs a person.
    pub exceptions: &'a [Exception],
    /// All messages by bucket.
    pub messages: Buckets,
    /// The proof.
    pub zones: Vec<Zone>,
    /// Dealerships with messages of what is no contact.
    pub not_contacts: Vec<(String, u64)>,
    /// The statuses that were met.
    pub statuses: &'a [StatusFound],
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
    let digest = Digest {
        month: findings.month,
        sequence: findings.sequence,
        made_at: now,
        issuer: office.config.issuer.name.clone(),
        invoices: news
            .iter()
            .map(|revision| DigestRow {
                paid: paid.get(&revision.invoice.number).copied(),
                ..DigestRow::of(&revision.invoice, revision.pdf_sha256.clone())
            })
            .collect(),
        exceptions: findings.exceptions.to_vec(),
        messages: findings.messages,
        zones: findings.zones,
        not_contacts: findings.not_contacts,
        statuses: findings.statuses.to_vec(),
        failed_deliveries: office.ledger.failed_deliveries(findings.month.previous()).await?,
        receivables: Some(office.ledger.open_sum(office.today()).await?.balance),
    };
    let letters = letters(office, &digest, &office.config.email.finance, now).await?;
    Ok(office.ledger.report(&digest, &letters).await?)
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
    for entry in &digest.invoices {
        sizes.push(office.ledger.pdf_size(entry.number, entry.revision).await?);
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
