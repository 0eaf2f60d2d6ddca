//! Voids an invoice: the number is kept, the document of cancellation emailed to the dealership, with a
//! copy to finance, and the dealership's month open again for a close that names it.

use chrono::{DateTime, Utc};

use crate::billing::adjustment::{Rest, paid_back};
use crate::billing::invoice::{Cancellation, Invoice, Number};
use crate::billing::money::Money;
use crate::billing::register::EmailAddress;
use crate::document::RenderError;
use crate::issue::{Desk, recipients};
use crate::ledger::LedgerError;
use crate::ledger::adjustments::{free, hold, leave, paid};
use crate::ledger::audit;
use crate::ledger::cancellations::insert_cancellation;
use crate::ledger::invoices::{Filter, State, void};
use crate::ledger::outbox::{Content, Kind, NewEmail, queue, withdraw};
use crate::mail::template::TemplateError;

/// An invoice could not be cancelled; it stands as before.
#[derive(Debug, thiserror::Error)]
pub enum CancelError {
    /// No such number stands.
    #[error("no invoice {0} stands: `fecha invoices` lists all")]
    NotStanding(Number),
    /// The ledger failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The document could not be drawn.
    #[error("the document of cancellation could not be drawn: {0}")]
    Render(#[from] RenderError),
    /// The email could not be worded.
    #[error("the email could not be written: {0}")]
    Template(#[from] TemplateError),
}

/// Cancels the invoice of this number, in one transaction: emails that were not sent are withdrawn,
/// credits that it carried wait again, and what was paid becomes a credit.
///
/// # Errors
/// [`CancelError`]; nothing was changed then.
pub async fn cancel_invoice(
    desk: &Desk<'_>,
    number: Number,
    reason: &str,
    by: &str,
    now: DateTime<Utc>,
) -> Result<Invoice, CancelError> {
    let filter = Filter { number: Some(number), ..Filter::default() };
    let dealerships = desk.ledger.dealerships().await?;
    let adjustments = desk.ledger.adjustments().await?;

    let mut transaction = desk.ledger.begin().await?;
    if !hold(&mut transaction, number).await? {
        return Err(CancelError::NotStanding(number));
    }
    // Read while it is held: no rerun can put another revision in its place.
    let revisions = desk.ledger.revisions(filter).await?;
    let standing = revisions.into_iter().find(|revision| revision.state == State::Issued);
    let invoice = standing.ok_or(CancelError::NotStanding(number))?.invoice;
    let paid = paid(&mut transaction, number).await? - paid_back(&adjustments, number);
    let on = now.with_timezone(&invoice.timezone).date_naive();
    let cancellation = Cancellation { on, reason: reason.to_owned(), by: by.to_owned(), paid };

    void(&mut transaction, number, now).await?;
    withdraw(&mut transaction, number).await?;
    free(&mut transaction, number, now).await?;
    if paid > Money::ZERO {
        let description = format!("Crédito: pagamento da fatura cancelada {number}");
        let rest = Rest { rest_of: None, amount: -paid, description };
        leave(&mut transaction, &invoice, &rest, invoice.month, by, now).await?;
    }
    let pdf = desk.renderer.cancellation(&invoice, &cancellation)?;
    insert_cancellation(&mut transaction, &invoice, &cancellation, pdf).await?;
    let dealership = dealerships.iter().find(|d| d.id == invoice.dealership_id);
    let to = dealership.map(recipients).unwrap_or_default();
    let finance = desk.config.email.finance.clone();
    let emails = [
        cancellation_emails(desk, &invoice, &cancellation, Whose::Dealership, to, now)?,
        cancellation_emails(desk, &invoice, &cancellation, Whose::Finance, finance, now)?,
    ];
    for email in emails.iter().flatten() {
        queue(&mut transaction, email, now).await?;
    }
    let detail = format!("{} {}: {reason}", invoice.label(), invoice.total());
    audit::Entry {
        at: now,
        actor: by,
        action: "cancel",
        month: Some(invoice.month),
        dealership_id: Some(&invoice.dealership_id),
        detail: &detail,
    }
    .write(&mut transaction)
    .await?;
    transaction.commit().await.map_err(LedgerError::while_doing("cancel an invoice"))?;
    Ok(invoice)
}

/// For whom an email about a cancellation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// Who got the invoice.
    Dealership,
    /// A copy for the reseller's own books.
    Finance,
}

/// One email to each recipient, with the document of cancellation.
///
/// # Errors
/// [`TemplateError`] where the subject cannot be worded.
pub fn cancellation_emails(
    desk: &Desk<'_>,
    invoice: &Invoice,
    cancellation: &Cancellation,
    whose: Whose,
    recipients: Vec<EmailAddress>,
    now: DateTime<Utc>,
) -> Result<Vec<NewEmail>, TemplateError> {
    let is_copy = whose == Whose::Finance;
    let subject = desk.templates.cancellation(invoice, cancellation, is_copy)?.subject;
    let email = |recipient| NewEmail {
        kind: if is_copy { Kind::Digest } else { Kind::Invoice },
        cause: format!("{} cancelled", invoice.label()),
        recipient,
        redirected_to: desk.config.email.redirect.clone(),
        resend: 0,
        number: Some(invoice.number),
        content: Content::Cancellation {
            number: invoice.number,
            revision: invoice.revision,
            cancellation: cancellation.clone(),
            is_copy,
        },
        subject: subject.clone(),
        message_id: desk.sender.new_message_id(now),
    };
    Ok(recipients.into_iter().map(email).collect())
}
