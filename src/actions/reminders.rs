//! Reminds dealerships of what they have open, on the days of `[reminders]`.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};

use crate::ledger::LedgerError;
use crate::ledger::listing::Listed;
use crate::letters::template::TemplateError;
use crate::setup::office::Office;
use fecha_core::account::reminder::{Reminded, Reminder};
use fecha_core::party::pix::{Receiver, br_code};
use fecha_core::party::register::Dealership;
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
        if office.ledger.remind((id, today), &letters, now).await? {
            count += 1;
        }
    }
    Ok(count)
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
