//! Queues an invoice's emails again.

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::ledger::LedgerError;
use crate::ledger::audit::{Action, Deed};
use crate::ledger::invoices::Filter;
use crate::letters::address::{Whose, recipients};
use crate::letters::template::TemplateError;
use crate::setup::office::Office;
use fecha_core::bill::invoice::{Invoice, InvoiceState, Number};
use fecha_core::letter::Letter;
use fecha_core::party::register::EmailAddress;

/// Nothing was queued.
#[derive(Debug, thiserror::Error)]
pub enum ResendError {
    /// There is no such number.
    #[error("there is no invoice {0}: `fecha invoices` lists all")]
    Unknown(Number),
    /// The number is void, and why was not kept.
    #[error(
        "{0} was cancelled by an earlier fecha, which kept no words about it: write its document with `fecha invoice {0} --cancellation FILE` and send that"
    )]
    NoWords(Number),
    /// The email could not be worded.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// The ledger failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// What was queued again; its JSON.
#[derive(Debug, Serialize)]
pub struct Resent {
    /// Of each email.
    pub message_ids: Vec<String>,
    /// The number.
    pub number: Number,
    /// For whom.
    pub queued: Vec<EmailAddress>,
    /// The revision, or its cancellation, in words.
    #[serde(skip)]
    pub what: String,
}

/// Queues the emails with the invoice of this number again, to `to` or, without it, to the dealership's
/// addresses of today; for a number that is void, those about its cancellation.
///
/// # Errors
/// [`ResendError`]; nothing was queued then.
pub async fn resend(
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
    let queued = match to {
        Some(address) => vec![address],
        None => dealership.as_ref().map(recipients).unwrap_or_default(),
    };
    let evidence = dealership.map(|dealership| dealership.evidence).unwrap_or_default();
    let now = office.clock.now();
    let (what, letters) = match revision.state {
        InvoiceState::Cancelled => {
            let letters = about_cancellation(office, invoice, &queued, now).await?;
            (format!("the cancellation of {}", invoice.label()), letters)
        }
        InvoiceState::Issued | InvoiceState::Superseded => {
            let letters = office.addresser.invoice(invoice, evidence, queued.clone(), now)?;
            (invoice.label(), letters)
        }
    };
    let message_ids = letters.iter().map(|letter| letter.message_id().to_owned()).collect();
    let detail = format!("{what} again");
    let deed = Deed {
        at: now,
        actor: by,
        action: Action::Resend,
        month: Some(invoice.month),
        dealership_id: Some(&invoice.dealership_id),
        detail: &detail,
    };
    office.ledger.queue_again(letters, now, &deed).await?;
    Ok(Resent { message_ids, number, queued, what })
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
