//! Voids an invoice: the number is kept, the document of cancellation emailed to the dealership, with a
//! copy to finance, and the dealership's month open again for a close that names it.

use chrono::{DateTime, Utc};

use crate::actions::group_bill::{Wanted, bill_groups};
use crate::document::{NotPrintable, RenderError, must_be_printable};
use crate::ledger::account::{lock_account, payments_of, settle_invoice};
use crate::ledger::audit;
use crate::ledger::cancellations::insert_cancellation;
use crate::ledger::invoices::{Filter, void};
use crate::ledger::notes::take_notes;
use crate::ledger::outbox::{queue, withdraw};
use crate::ledger::standing::lock_invoice;
use crate::ledger::{LedgerError, Transaction};
use crate::letters::address::{Whose, recipients};
use crate::letters::template::TemplateError;
use crate::setup::office::Office;
use fecha_core::account::payment::{Available, Settlement, settle};
use fecha_core::bill::invoice::InvoiceState;
use fecha_core::bill::invoice::{Cancellation, Invoice, Number};
use fecha_core::price::money::Money;

/// An invoice could not be cancelled; it stands as before.
#[derive(Debug, thiserror::Error)]
pub enum CancelError {
    /// The document of cancellation cannot show who asks, or why.
    #[error("the reason and who asks for it are printed: {0}")]
    NotPrintable(#[from] NotPrintable),
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
/// what it had taken of credits and payments waits again.
///
/// # Errors
/// [`CancelError`]; nothing was changed then.
pub async fn cancel_invoice(
    office: &Office,
    number: Number,
    reason: &str,
    by: &str,
    now: DateTime<Utc>,
) -> Result<Invoice, CancelError> {
    must_be_printable(reason)?;
    must_be_printable(by)?;
    let filter = Filter { number: Some(number), ..Filter::default() };
    let listed = office.ledger.listed_standing(number).await?;
    let dealership_id = listed.ok_or(CancelError::NotStanding(number))?.dealership_id;

    let mut transaction = office.ledger.begin().await?;
    lock_account(&mut transaction, &dealership_id).await?;
    if !lock_invoice(&mut transaction, number).await? {
        return Err(CancelError::NotStanding(number));
    }
    // Read while it is held: no rerun can put another revision in its place.
    let revisions = office.ledger.revisions(filter).await?;
    let standing = revisions.into_iter().find(|revision| revision.state == InvoiceState::Issued);
    let invoice = standing.ok_or(CancelError::NotStanding(number))?.invoice;
    let payments = payments_of(&mut transaction, &dealership_id).await?;
    let paid = Available::of(&payments, Some(number)).money;
    let on = now.with_timezone(&invoice.timezone).date_naive();
    let cancellation = Cancellation { on, reason: reason.to_owned(), by: by.to_owned(), paid };

    void(&mut transaction, number, now).await?;
    withdraw(&mut transaction, number).await?;
    // What it had taken waits again, and nothing is made of it; what was withheld for it never counts.
    take_notes(&mut transaction, number, std::iter::empty()).await?;
    let nothing = settle(&payments, number, Money::ZERO);
    let freed = Settlement { allocated: Vec::new(), ..nothing };
    settle_invoice(&mut transaction, number, &freed, (by, "the invoice was cancelled"), now)
        .await?;
    let pdf = office.renderer.cancellation(&invoice, &cancellation)?;
    let void = (&invoice, &cancellation);
    insert_cancellation(&mut transaction, &office.ledger, void, &pdf, now).await?;
    tell(office, &mut transaction, void, now).await?;
    let detail = format!("{} {}: {reason}", invoice.label(), invoice.total());
    audit::Deed {
        at: now,
        actor: by,
        action: audit::Action::Cancel,
        month: Some(invoice.month),
        dealership_id: Some(&invoice.dealership_id),
        detail: &detail,
    }
    .write(&mut transaction)
    .await?;
    transaction.commit().await.map_err(LedgerError::while_doing("cancel an invoice"))?;
    // The deed is done: where this fails, the next close of the month, or the daemon, makes it.
    if let Err(error) = bill_groups(office, invoice.month, Wanted::Replacements, by).await {
        tracing::warn!(%error, "the invoice is cancelled; what its group gets in place of its bill waits");
    }
    Ok(invoice)
}

/// Queues the emails to whoever got the invoice, with a copy to finance.
async fn tell(
    office: &Office,
    transaction: &mut Transaction,
    (invoice, cancellation): (&Invoice, &Cancellation),
    now: DateTime<Utc>,
) -> Result<(), CancelError> {
    let dealership = office.ledger.dealership(&invoice.dealership_id).await?;
    let to = dealership.as_ref().map(recipients).unwrap_or_default();
    let finance = office.config.email.finance.clone();
    let letters = [
        office.addresser.cancellation(invoice, cancellation, Whose::Dealership, to, now)?,
        office.addresser.cancellation(invoice, cancellation, Whose::Finance, finance, now)?,
    ];
    for letter in letters.iter().flatten() {
        queue(transaction, letter, now).await?;
    }
    Ok(())
}
