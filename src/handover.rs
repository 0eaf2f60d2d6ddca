//! Tells finance: builds the digest of what was not reported yet and queues its emails.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use crate::billing::exception::Exception;
use crate::billing::month::{Month, Period};
use crate::billing::tally::{Buckets, Window};
use crate::issue::Desk;
use crate::ledger::LedgerError;
use crate::ledger::invoices::Revision;
use crate::ledger::outbox::{Content, Kind, NewEmail};
use crate::mail::compose::{ComposeError, digest_parts};
use crate::mail::template::TemplateError;
use crate::report::{Digest, Entry, Zone};

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
    desk: &Desk<'_>,
    findings: Findings<'_>,
    now: DateTime<Utc>,
) -> Result<bool, HandoverError> {
    let standing = desk.ledger.standing(findings.month).await?;
    let mut news: Vec<&Revision> = standing.values().filter(|r| r.digest.is_none()).collect();
    if news.is_empty() && findings.sequence > 1 {
        return Ok(true);
    }
    news.sort_by_key(|revision| (revision.invoice.number, revision.invoice.revision));
    let digest = Digest {
        month: findings.month,
        sequence: findings.sequence,
        made_at: now,
        issuer: desk.config.issuer.name.clone(),
        invoices: news
            .iter()
            .map(|revision| Entry::of(&revision.invoice, revision.pdf_sha256.clone()))
            .collect(),
        exceptions: findings.exceptions.to_vec(),
        messages: findings.messages,
        zones: findings.zones,
        not_contacts: findings.not_contacts,
        failed_deliveries: desk.ledger.failed_deliveries(findings.month.previous()).await?,
    };
    let mut sizes = Vec::with_capacity(digest.invoices.len());
    for entry in &digest.invoices {
        sizes.push(desk.ledger.pdf_size(entry.number, entry.revision).await?);
    }
    let emails = emails(desk, &digest, &sizes, now)?;
    Ok(desk.ledger.report(&digest, &emails).await?)
}

/// One email a recipient and part: each part has the archive of some of the invoices.
fn emails(
    desk: &Desk<'_>,
    digest: &Digest,
    sizes: &[usize],
    now: DateTime<Utc>,
) -> Result<Vec<NewEmail>, HandoverError> {
    let mut emails = Vec::new();
    for part in digest_parts(digest, sizes)? {
        let subject = desk.templates.digest(digest, &part)?.subject;
        for recipient in &desk.config.email.finance {
            emails.push(NewEmail {
                kind: Kind::Digest,
                cause: format!("{}#{} {}/{}", digest.month, digest.sequence, part.number, part.of),
                recipient: recipient.clone(),
                redirected_to: desk.config.email.redirect.clone(),
                resend: 0,
                number: None,
                content: Content::Digest {
                    month: digest.month,
                    sequence: digest.sequence,
                    part: part.clone(),
                },
                subject: subject.clone(),
                message_id: desk.sender.new_message_id(now),
            });
        }
    }
    Ok(emails)
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
