//! Queues emails again: an invoice's, a month's report, or all that failed.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use crate::actions::group_bill;
use crate::actions::handover::{self, HandoverError};
use crate::actions::schema;
use crate::ledger::LedgerError;
use crate::ledger::again::{FailedLetter, FailedOnes};
use crate::ledger::audit::{Action, Deed};
use crate::ledger::documents::FileKind;
use crate::ledger::invoices::Filter;
use crate::letters::address::{Whose, recipients};
use crate::letters::compose::{self, ComposeError, group_parts};
use crate::letters::report::archive::File;
use crate::letters::template::TemplateError;
use crate::post::group::group_files;
use crate::setup::office::Office;
use fecha_core::bill::digest::{Digest, IssuedAs};
use fecha_core::bill::group_bill::GroupTxid;
use fecha_core::bill::invoice::{Invoice, InvoiceState, Number};
use fecha_core::calendar::month::Month;
use fecha_core::letter::{Content, Kind, Letter};
use fecha_core::party::register::EmailAddress;

/// Nothing was queued.
#[derive(Debug, thiserror::Error)]
pub enum ResendError {
    /// There is no such number.
    #[error("there is no invoice {0}: `fecha invoices` lists all")]
    Unknown(Number),
    /// There is no such group bill.
    #[error("there is no group bill {0}: `fecha outbox --month {month}` lists the emails of the month", month = .0.month)]
    UnknownGroup(GroupTxid),
    /// Another one took its place.
    #[error("{0} was replaced by {1}, since other invoices of the group stand: `fecha resend {1}`")]
    Replaced(GroupTxid, GroupTxid),
    /// No close has reported on the month.
    #[error("there is no report of {0} yet: `fecha close --month {0}` makes it")]
    NoReport(Month),
    /// The number is void, and why was not kept.
    #[error(
        "{0} was cancelled by an earlier fecha, which kept no words about it: write its document with `fecha invoice {0} --cancellation FILE` and send that"
    )]
    NoWords(Number),
    /// It went out, is on its way again or was withdrawn by now, or there is no such email.
    #[error("this email has not failed: it went out, is queued again or was withdrawn")]
    NotFailed,
    /// The email could not be worded.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// A report could not be made.
    #[error(transparent)]
    Compose(#[from] ComposeError),
    /// A report could not be made.
    #[error(transparent)]
    Handover(#[from] HandoverError),
    /// The ledger failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// What was queued again; its JSON.
#[derive(Debug, Serialize, ToSchema)]
pub struct Resent {
    /// Of each email.
    pub message_ids: Vec<String>,
    /// The number, where it is about one.
    #[schema(required, value_type = Option<schema::InvoiceNumber>)]
    pub number: Option<Number>,
    /// The month, where it is a report.
    #[schema(required, value_type = Option<schema::Month>)]
    pub month: Option<Month>,
    /// For whom.
    #[schema(value_type = Vec<String>)]
    pub queued: Vec<EmailAddress>,
    /// In words.
    #[serde(skip)]
    pub what: String,
}

impl Resent {
    fn of(letters: &[Letter], about: (Option<Number>, Option<Month>), what: String) -> Self {
        let mut queued: Vec<EmailAddress> = Vec::new();
        for letter in letters {
            if !queued.contains(letter.recipient()) {
                queued.push(letter.recipient().clone());
            }
        }
        let message_ids = letters.iter().map(|letter| letter.message_id().to_owned()).collect();
        Self { message_ids, number: about.0, month: about.1, queued, what }
    }
}

/// Queues the emails with the invoice of this number again, to `to` or, without it, to the dealership's
/// addresses of today, in the place of those that failed; for a number that is void, those about its
/// cancellation.
///
/// # Errors
/// [`ResendError`]; nothing was queued then.
pub async fn invoice(
    office: &Office,
    number: Number,
    to: Option<EmailAddress>,
    by: &str,
) -> Result<Resent, ResendError> {
    let filter = Filter { number: Some(number), ..Filter::default() };
    // Without superseded ones there is one: it stands, or the number is void.
    let revision = office.ledger.revisions(filter).await?.pop();
    let revision = revision.ok_or(ResendError::Unknown(number))?;
    let invoice = &revision.invoice;
    let dealership = office.ledger.dealership(&invoice.dealership_id).await?;
    let failed_ones = if to.is_some() { FailedOnes::Kept } else { FailedOnes::Replaced };
    let to = match to {
        Some(address) => vec![address],
        None => dealership.as_ref().map(recipients).unwrap_or_default(),
    };
    let evidence = dealership.map(|dealership| dealership.evidence).unwrap_or_default();
    let now = office.clock.now();
    let (what, letters) = match revision.state {
        InvoiceState::Cancelled => {
            let letters = about_cancellation(office, invoice, &to, now).await?;
            (format!("the cancellation of {}", invoice.label()), letters)
        }
        InvoiceState::Issued | InvoiceState::Superseded => {
            (invoice.label(), office.addresser.invoice(invoice, evidence, to, now)?)
        }
    };
    let detail = format!("{what}{AGAIN}");
    let deed = Deed {
        at: now,
        actor: by,
        action: Action::Resend,
        month: Some(invoice.month),
        dealership_id: Some(&invoice.dealership_id),
        detail: &detail,
    };
    let resent = Resent::of(&letters, (Some(number), None), what);
    office.ledger.queue_again(letters, failed_ones, now, &deed).await?;
    Ok(resent)
}

/// Queues the emails to a group again, to `to` or, without it, to the addresses of its dealerships of today, in the place of
/// those that failed.
///
/// # Errors
/// [`ResendError`]; nothing was queued then.
pub async fn group(
    office: &Office,
    txid: GroupTxid,
    to: Option<EmailAddress>,
    by: &str,
) -> Result<Resent, ResendError> {
    let kept = office.ledger.group_bill(txid).await?.ok_or(ResendError::UnknownGroup(txid))?;
    if let Some(later) = kept.replaced_by {
        return Err(ResendError::Replaced(txid, later));
    }
    let (bill, files) = group_files(&office.ledger, txid).await?;
    let failed_ones = if to.is_some() { FailedOnes::Kept } else { FailedOnes::Replaced };
    let to = match to {
        Some(address) => vec![address],
        None => group_bill::addresses(&bill, &office.ledger.dealerships().await?),
    };
    let now = office.clock.now();
    let letters = office.addresser.group(&bill, &group_parts(&files), &to, now)?;
    let detail = format!("{txid}{AGAIN}");
    let (action, month) = (Action::Resend, Some(txid.month));
    let deed = Deed { at: now, actor: by, action, month, dealership_id: None, detail: &detail };
    let resent = Resent::of(&letters, (None, Some(txid.month)), txid.to_string());
    office.ledger.queue_again(letters, failed_ones, now, &deed).await?;
    Ok(resent)
}

/// How the audit log says it.
const AGAIN: &str = " again";

/// Whether an entry of the audit log says that an invoice's emails, or those about its cancellation, were queued
/// again.
#[must_use]
pub fn is_again(detail: &str, number: Number) -> bool {
    let what = detail.strip_suffix(AGAIN).unwrap_or_default();
    let what = what.strip_prefix("the cancellation of ").unwrap_or(what);
    let rest = what.strip_prefix(&number.to_string());
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with("-R"))
}

/// Queues one email that failed again, under a new Message-ID, in its place: to `to` or, without it, to whom it was
/// to go.
///
/// # Errors
/// [`ResendError`]; nothing was queued then.
pub async fn one(
    office: &Office,
    id: &str,
    to: Option<EmailAddress>,
    by: &str,
) -> Result<Resent, ResendError> {
    let letter = office.ledger.failed_letter(id).await?.ok_or(ResendError::NotFailed)?;
    let now = office.clock.now();
    let recipient = to.unwrap_or_else(|| letter.recipient.clone());
    let letters = office.addresser.again(&letter.matter, vec![recipient.clone()], now);
    let what = letter.matter.cause.clone();
    let detail = if recipient == letter.recipient {
        format!("{what}{AGAIN}")
    } else {
        format!("{what} to {recipient} instead of {}", letter.recipient)
    };
    let dealership_id = letter.dealership_id.as_deref();
    let action = Action::Resend;
    let deed =
        Deed { at: now, actor: by, action, month: letter.month, dealership_id, detail: &detail };
    let resent = Resent::of(&letters, (letter.matter.content.number(), None), what);
    if !office.ledger.queue_again_for(id, letters, now, &deed).await? {
        return Err(ResendError::NotFailed);
    }
    Ok(resent)
}

/// Queues all reports of a month again, the close report and its supplements, to `to` or, without it, to
/// finance as configured today, in the place of those that failed.
///
/// # Errors
/// [`ResendError`]; nothing was queued then.
pub async fn digest(
    office: &Office,
    month: Month,
    to: Option<EmailAddress>,
    by: &str,
) -> Result<Resent, ResendError> {
    let failed_ones = if to.is_some() { FailedOnes::Kept } else { FailedOnes::Replaced };
    let to = to.map_or_else(|| office.config.email.finance.clone(), |address| vec![address]);
    let now = office.clock.now();
    let mut letters = Vec::new();
    for digest in digests(office, month).await? {
        letters.extend(handover::letters(office, &digest, &to, now).await?);
    }
    let what = format!("the report of {month}");
    let detail = format!("{what} again");
    let deed = Deed {
        at: now,
        actor: by,
        action: Action::Resend,
        month: Some(month),
        dealership_id: None,
        detail: &detail,
    };
    let resent = Resent::of(&letters, (None, Some(month)), what);
    office.ledger.queue_again(letters, failed_ones, now, &deed).await?;
    Ok(resent)
}

/// Queues every email that failed again, only those of `month` where one is given: to its recipient if that
/// is still one, else to those of today who have not had it.
///
/// # Errors
/// [`ResendError`]; what was queued before stays queued.
pub async fn failed(
    office: &Office,
    month: Option<Month>,
    by: &str,
) -> Result<Vec<Resent>, ResendError> {
    let failed = office.ledger.failed_letters().await?;
    let asked = failed.into_iter().filter(|letter| month.is_none() || letter.month == month);
    // All that failed of one matter goes in one go: the new ones take the place of all of them.
    let mut matters: BTreeMap<(&str, String), Vec<FailedLetter>> = BTreeMap::new();
    for letter in asked {
        let matter = (letter.matter.content.kind().key(), letter.matter.cause.clone());
        matters.entry(matter).or_default().push(letter);
    }
    let mut resent = Vec::new();
    for letters in matters.into_values() {
        resent.extend(one_matter_again(office, &letters, by).await?);
    }
    Ok(resent)
}

async fn one_matter_again(
    office: &Office,
    failed: &[FailedLetter],
    by: &str,
) -> Result<Option<Resent>, ResendError> {
    let Some(first) = failed.first() else { return Ok(None) };
    let id = first.dealership_id.as_deref();
    let dealership = match id {
        Some(id) => office.ledger.dealership(id).await?,
        None => None,
    };
    let is_hold = matches!(first.matter.content, Content::Held { .. });
    let today = match (&dealership, first.matter.content.kind()) {
        (_, Kind::Alert) if is_hold => office.config.email.finance_and_admins(),
        (_, Kind::Digest) => office.config.email.finance.clone(),
        (_, Kind::Alert) => office.config.email.admins.clone(),
        (Some(dealership), _) => recipients(dealership),
        (None, Kind::Group) => of_group(office, first).await?,
        (None, _) => failed.iter().map(|letter| letter.recipient.clone()).collect(),
    };
    let is_to_go = |address: &EmailAddress| {
        let failed_there = failed.iter().any(|letter| letter.recipient == *address);
        failed_there || !first.reached.contains(address)
    };
    let to: Vec<EmailAddress> = today.into_iter().filter(is_to_go).collect();
    let now = office.clock.now();
    let letters = office.addresser.again(&first.matter, to, now);
    if letters.is_empty() {
        return Ok(None);
    }
    let what = first.matter.cause.clone();
    let detail = format!("{what} again");
    let action = Action::Resend;
    let deed =
        Deed { at: now, actor: by, action, month: first.month, dealership_id: id, detail: &detail };
    let report = match first.matter.content {
        Content::Digest { month, .. } => Some(month),
        _ => None,
    };
    let resent = Resent::of(&letters, (first.matter.content.number(), report), what);
    office.ledger.queue_again(letters, FailedOnes::Replaced, now, &deed).await?;
    Ok(Some(resent))
}

/// Who is to have a letter to a group today.
async fn of_group(
    office: &Office,
    letter: &FailedLetter,
) -> Result<Vec<EmailAddress>, ResendError> {
    let Content::Group { txid, .. } = letter.matter.content else { return Ok(Vec::new()) };
    let kept = office.ledger.group_bill(txid).await?.ok_or(ResendError::UnknownGroup(txid))?;
    Ok(group_bill::addresses(&kept.bill, &office.ledger.dealerships().await?))
}

/// The files of all reports of a month: what the emails to finance consist of.
///
/// # Errors
/// [`ResendError`] where there is no report yet, or it cannot be made.
pub async fn digest_files(office: &Office, month: Month) -> Result<Vec<File>, ResendError> {
    let mut files = Vec::new();
    for digest in digests(office, month).await? {
        let mut pdfs = Vec::with_capacity(digest.invoices.len());
        for issued in digest.invoices.iter().filter_map(|row| row.issued.as_ref()) {
            let IssuedAs { number, revision, .. } = *issued;
            let file = office.ledger.file(number, revision, FileKind::Invoice).await?;
            pdfs.push(file.ok_or(ResendError::Unknown(number))?);
        }
        files.extend(compose::digest_files(&office.templates, &digest, pdfs)?);
    }
    Ok(files)
}

async fn digests(office: &Office, month: Month) -> Result<Vec<Digest>, ResendError> {
    let count = office.ledger.digests(month).await?;
    if count == 0 {
        return Err(ResendError::NoReport(month));
    }
    let mut digests = Vec::new();
    for sequence in 1..=count {
        digests.push(office.ledger.digest(month, sequence).await?);
    }
    Ok(digests)
}

async fn about_cancellation(
    office: &Office,
    invoice: &Invoice,
    to: &[EmailAddress],
    now: DateTime<Utc>,
) -> Result<Vec<Letter>, ResendError> {
    let kept = office.ledger.cancellation(invoice.number).await?;
    let cancellation = kept.ok_or(ResendError::NoWords(invoice.number))?.cancellation;
    let (addresser, whose) = (&office.addresser, Whose::Dealership);
    Ok(addresser.cancellation(invoice, &cancellation, whose, to.to_vec(), now)?)
}
