//! Reminds dealerships of what they have open: on the days of `[reminders]`, or because a person asks for it.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};

use crate::ledger::LedgerError;
use crate::ledger::audit::{Action, Deed};
use crate::ledger::listing::Listed;
use crate::letters::template::TemplateError;
use crate::setup::office::Office;
use fecha_core::account::reminder::{Reminded, Reminder};
use fecha_core::party::pix::{Receiver, br_code};
use fecha_core::party::register::{Dealership, EmailAddress, UnknownDealerships, must_be_known};
use fecha_core::price::money::Money;

/// Dealerships could not be reminded; the next look does it.
#[derive(Debug, thiserror::Error)]
pub enum ReminderError {
    /// The ledger failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The email could not be worded.
    #[error("a reminder could not be written: {0}")]
    Template(#[from] TemplateError),
}

/// Reminds each dealership for one of whose open invoices a day to remind has come since the day `looked` of the
/// last look, of all that it has open; how many were. Nobody twice on a day, and nobody who does not want to be,
/// or on whose account as much waits as is open.
///
/// # Errors
/// [`ReminderError`]. Who was reminded before the error is not reminded again.
pub async fn remind(
    office: &Office,
    looked: Option<NaiveDate>,
    now: DateTime<Utc>,
) -> Result<usize, ReminderError> {
    let (schedule, issuer) = (&office.config.reminders, &office.config.issuer);
    let today = now.with_timezone(&issuer.timezone).date_naive();
    let mut open: BTreeMap<String, Vec<Listed>> = BTreeMap::new();
    for invoice in office.ledger.open_invoices(None).await? {
        open.entry(invoice.dealership_id.clone()).or_default().push(invoice);
    }
    let is_due = |invoice: &Listed| {
        let figures = &invoice.figures;
        schedule.is_due((figures.issued_on, figures.due_on), looked, today)
    };
    open.retain(|_, invoices| invoices.iter().any(is_due));
    if open.is_empty() {
        return Ok(0);
    }
    let waiting = office.ledger.waiting_money().await?;
    let mut count = 0;
    for dealership in office.ledger.dealerships().await? {
        let id = dealership.id.as_str();
        let Some(invoices) = open.get(id) else { continue };
        let waiting = waiting.get(id).copied().unwrap_or_default();
        let sum: Money = invoices.iter().map(|invoice| invoice.account().open()).sum();
        if dealership.reminders == Some(false) || waiting >= sum {
            continue;
        }
        let reminder = reminder(office, &dealership, invoices, waiting, today);
        let letters = office.addresser.reminder(&dealership, &reminder, now)?;
        if office.ledger.remind((id, today), &letters, None, now).await? {
            count += 1;
        }
    }
    Ok(count)
}

/// A dealership was not reminded.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "said by the words")]
pub enum NotReminded {
    #[error("{}", .0.of_one())]
    UnknownDealership(#[from] UnknownDealerships),
    #[error("'{0}' has nothing open")]
    NothingOpen(String),
    #[error(
        "as much waits on the account of '{0}' as it has open: settle its invoices with that first"
    )]
    AsMuchWaits(String),
    #[error("'{0}' does not want to be reminded (reminders = no in the register)")]
    Unwanted(String),
    #[error("'{0}' was reminded today already")]
    Today(String),
    #[error(transparent)]
    Failed(#[from] ReminderError),
}

impl From<LedgerError> for NotReminded {
    fn from(error: LedgerError) -> Self {
        Self::Failed(error.into())
    }
}

/// Reminds one dealership now, since a person asks for it, of all that it has open, by the same letter; who gets it.
///
/// # Errors
/// [`NotReminded`]: nobody is reminded twice on a day, whoever asks.
pub async fn remind_one(
    office: &Office,
    id: &str,
    by: &str,
) -> Result<Vec<EmailAddress>, NotReminded> {
    let ledger = &office.ledger;
    let dealership = ledger.dealership(id).await?;
    must_be_known([id], |_| dealership.is_some())?;
    let Some(dealership) = dealership else { return Ok(Vec::new()) };
    let open = ledger.open_invoices(Some(id)).await?;
    if open.is_empty() {
        return Err(NotReminded::NothingOpen(id.to_owned()));
    }
    if dealership.reminders == Some(false) {
        return Err(NotReminded::Unwanted(id.to_owned()));
    }
    let sum: Money = open.iter().map(|invoice| invoice.account().open()).sum();
    let waiting = ledger.waiting_of(id).await?;
    if waiting >= sum {
        return Err(NotReminded::AsMuchWaits(id.to_owned()));
    }
    let (now, today) = (office.clock.now(), office.today());
    let reminder = reminder(office, &dealership, &open, waiting, today);
    let letters =
        office.addresser.reminder(&dealership, &reminder, now).map_err(ReminderError::from)?;
    let detail = format!("reminded of {sum} in {} open invoices", open.len());
    let action = Action::Remind;
    let deed =
        Deed { at: now, actor: by, action, month: None, dealership_id: Some(id), detail: &detail };
    if ledger.remind((id, today), &letters, Some(&deed), now).await? {
        Ok(letters.iter().map(|letter| letter.recipient().clone()).collect())
    } else {
        Err(NotReminded::Today(id.to_owned()))
    }
}

fn reminder(
    office: &Office,
    dealership: &Dealership,
    invoices: &[Listed],
    waiting: Money,
    on: NaiveDate,
) -> Reminder {
    let issuer = &office.config.issuer;
    let pix = |invoice: &Listed| {
        let key = office.config.pix.as_ref()?;
        let receiver = Receiver { key, name: &issuer.name, city: &issuer.city };
        br_code(receiver, invoice.account().open(), &invoice.number.txid())
    };
    let mut reminded: Vec<Reminded> = invoices
        .iter()
        .map(|invoice| Reminded {
            number: invoice.number,
            revision: invoice.revision,
            month: invoice.month,
            due_on: invoice.figures.due_on,
            total: invoice.figures.total,
            to_pay: invoice.account().open(),
            pix: pix(invoice),
        })
        .collect();
    reminded.sort_by_key(|invoice| (invoice.due_on, invoice.number));
    Reminder {
        issuer: issuer.clone(),
        dealership_id: dealership.id.clone(),
        dealership: dealership.party(),
        on,
        invoices: reminded,
        waiting,
    }
}
