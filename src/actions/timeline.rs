//! What happened to an invoice: issued, emailed, paid, revised with what changed, cancelled.

use chrono::{DateTime, NaiveDate, Utc};

use crate::actions::invoices::ShowError;
use crate::actions::pay::taken_from_account;
use crate::actions::resend::is_again;
use crate::ledger::LedgerError;
use crate::ledger::audit::{Action, Logged};
use crate::ledger::invoices::{Filter, Revision};
use crate::ledger::listing::Listed;
use crate::ledger::outbox::ListedEmail;
use crate::ledger::timeline::{PaymentAbout, UndoneBy};
use crate::setup::office::Office;
use fecha_core::account::payment::Payment;
use fecha_core::bill::difference::{Change, FieldChange, LineChange, field_changes, line_changes};
use fecha_core::bill::invoice::{Cancellation, Invoice, Number};
use fecha_core::price::money::Money;

/// One thing that happened.
#[derive(Debug, Clone)]
pub struct Event {
    /// When.
    pub at: DateTime<Utc>,
    /// What.
    pub what: What,
}

/// What happened.
#[derive(Debug, Clone)]
pub enum What {
    /// The first revision was issued.
    Issued {
        /// All lines.
        total: Money,
        /// What waited on the account and settles it.
        paid: Money,
    },
    /// Another revision took the place of the one before.
    Revised(Box<Revised>),
    /// An email was queued.
    Emailed(Box<ListedEmail>),
    /// A person asked for its emails again.
    Resent {
        /// Who.
        by: String,
    },
    /// A payment was recorded.
    Paid(Box<Payment>),
    /// Money that waited on the account settles it.
    FromAccount {
        /// How much.
        amount: Money,
        /// Who asked for it.
        by: String,
    },
    /// A payment was taken back.
    Undone(Box<Payment>, UndoneBy),
    /// The number is void since then.
    Cancelled(Cancellation),
}

/// A revision against the one before.
#[derive(Debug, Clone)]
pub struct Revised {
    /// Its number.
    pub revision: u32,
    /// Why, in the words of who asked for it.
    pub reason: String,
    /// Who asked for it.
    pub by: String,
    /// All lines.
    pub total: Change<Money>,
    /// Unique active contacts.
    pub uam: Change<u64>,
    /// Template messages.
    pub hsm: Change<u64>,
    /// Line by line.
    pub lines: Vec<LineChange>,
    /// Printed fields of the register.
    pub register: Vec<FieldChange>,
}

/// An invoice with all that happened to it.
#[derive(Debug)]
pub struct Timeline {
    /// The latest first.
    pub events: Vec<Event>,
    /// All payments about it, by entry.
    pub payments: Vec<PaymentAbout>,
    /// All emails about it, oldest first.
    pub emails: Vec<ListedEmail>,
}

/// An invoice with all that a person asks about it.
#[derive(Debug)]
pub struct Explained {
    /// All revisions, the first first; never empty.
    pub revisions: Vec<Revision>,
    /// The same as lists show them.
    pub listed: Vec<Listed>,
    /// What happened.
    pub timeline: Timeline,
    /// What waits on its dealership's account.
    pub waiting: Money,
    /// The issuer's local day.
    pub today: NaiveDate,
}

/// Reads an invoice with all its revisions and all that happened to it.
///
/// # Errors
/// [`ShowError`].
pub async fn explain(office: &Office, number: Number) -> Result<Explained, ShowError> {
    let ledger = &office.ledger;
    let filter = Filter { number: Some(number), all_revisions: true, ..Filter::default() };
    let revisions = ledger.revisions(filter).await?;
    let first = revisions.first().ok_or(ShowError::Unknown(number))?;
    let waiting = ledger.waiting_of(&first.invoice.dealership_id).await?;
    let listed = ledger.listed(filter).await?;
    let timeline = timeline(office, number, &revisions).await?;
    Ok(Explained { revisions, listed, timeline, waiting, today: office.today() })
}

/// What happened to the invoice of which these are all revisions.
async fn timeline(
    office: &Office,
    number: Number,
    revisions: &[Revision],
) -> Result<Timeline, LedgerError> {
    let ledger = &office.ledger;
    let payments = ledger.payments_about_invoice(number).await?;
    let emails = ledger.emails_about_invoice(number).await?;
    let mut events: Vec<Event> = issues(revisions);
    events.extend(emails.iter().map(emailed));
    events.extend(payments.iter().flat_map(|about| paid(about, number)));
    if let Some(first) = revisions.first() {
        let Invoice { dealership_id, month, .. } = &first.invoice;
        let month = month.to_string();
        let log = ledger.audit_log(None, Some(dealership_id)).await?;
        let of_month = log.iter().filter(|logged| logged.month.as_ref() == Some(&month));
        events.extend(of_month.filter_map(|logged| deed(logged, number)));
    }
    if let (Some(kept), Some(at)) =
        (ledger.cancellation(number).await?, ledger.cancelled_at(number).await?)
    {
        events.push(Event { at, what: What::Cancelled(kept.cancellation) });
    }
    // Stable: what happened at one instant stays in this order, turned round.
    events.sort_by_key(|event| event.at);
    events.reverse();
    Ok(Timeline { events, payments, emails })
}

fn issues(revisions: &[Revision]) -> Vec<Event> {
    let invoices: Vec<&Invoice> = revisions.iter().map(|revision| &revision.invoice).collect();
    let first = invoices.first().map(|invoice| Event {
        at: invoice.issued_at,
        what: What::Issued { total: invoice.total(), paid: invoice.paid().min(invoice.total()) },
    });
    let later = invoices.windows(2).map(|pair| Event {
        at: pair[1].issued_at,
        what: What::Revised(Box::new(Revised::of(pair[0], pair[1]))),
    });
    first.into_iter().chain(later).collect()
}

impl Revised {
    fn of(before: &Invoice, now: &Invoice) -> Self {
        let replaces = now.replaces.as_ref();
        Self {
            revision: now.revision,
            reason: replaces.map(|replaced| replaced.reason.clone()).unwrap_or_default(),
            by: replaces.map(|replaced| replaced.by.clone()).unwrap_or_default(),
            total: Change { before: before.total(), now: now.total() },
            uam: Change { before: before.usage.uam, now: now.usage.uam },
            hsm: Change { before: before.usage.hsm, now: now.usage.hsm },
            lines: line_changes(&before.lines, &now.lines),
            register: field_changes(&before.dealership, &now.dealership),
        }
    }
}

fn emailed(email: &ListedEmail) -> Event {
    Event { at: email.queued_at, what: What::Emailed(Box::new(email.clone())) }
}

/// Money of the account that an issue took is told by the issue.
fn paid(about: &PaymentAbout, number: Number) -> Vec<Event> {
    let PaymentAbout { payment, undone } = about;
    if payment.number != Some(number) {
        return Vec::new();
    }
    let paid = Event { at: payment.entered_at, what: What::Paid(Box::new(payment.clone())) };
    let undone = undone.clone().map(|undone| Event {
        at: undone.at,
        what: What::Undone(Box::new(payment.clone()), undone),
    });
    [Some(paid), undone].into_iter().flatten().collect()
}

/// What only the audit log knows.
fn deed(logged: &Logged, number: Number) -> Option<Event> {
    let by = logged.actor.clone();
    let what = match logged.action {
        Action::Pay => {
            What::FromAccount { amount: taken_from_account(&logged.detail, number)?, by }
        }
        Action::Resend if is_again(&logged.detail, number) => What::Resent { by },
        _ => return None,
    };
    Some(Event { at: logged.at.parse().ok()?, what })
}
