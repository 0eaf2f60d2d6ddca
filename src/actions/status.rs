//! Where the months stand, and what needs a person.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeBounds;

use crate::actions::attention::{Attention, Matter, Weighed, matters};
use crate::actions::mailed::behind;
use crate::actions::receivables::{Left, left};
use crate::actions::words::plain;
use crate::ledger::LedgerError;
use crate::ledger::closing::{Closing, MonthState};
use crate::ledger::outbox::{ListedEmail, WantedEmails};
use crate::setup::office::Office;
use fecha_core::account::receivables::Balance;
use fecha_core::calendar::due::is_premature;
use fecha_core::calendar::month::Month;
use fecha_core::letter::LetterState;
use fecha_core::price::money::Money;

/// More exceptions of a month than this have one cause, which the first ones show.
pub const SHOWN: usize = 25;

/// Everything that `fecha status` says; its JSON.
#[derive(Debug, serde::Serialize)]
pub struct Status {
    /// Every month from the first that was invoiced or looked at up to the last that has ended.
    pub months: Vec<MonthRow>,
    /// What a person must do: a ledger that is mistaken, then by month, then what waits for who left, then emails.
    pub needs_a_person: Vec<Attention>,
    /// The same for people: what is alike is one, and most money comes first. None is left out.
    #[serde(skip)]
    pub matters: Vec<Matter>,
    /// How many emails are in each state.
    pub outbox: EmailCounts,
    /// What is open and overdue. Somebody always pays late, so this alone needs no person.
    pub receivables: OpenRow,
}

/// What is open and waits, of all dealerships together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct OpenRow {
    /// How much.
    #[serde(flatten)]
    pub balance: Balance,
    /// How many invoices are overdue.
    pub overdue_invoices: u64,
}

/// One month.
#[derive(Debug, serde::Serialize)]
pub struct MonthRow {
    /// Which.
    pub month: Month,
    /// How far its close is; one that no close has looked at is open.
    pub state: MonthState,
    /// Invoices that stand.
    pub issued: u64,
    /// What they come to.
    pub total: Money,
    /// How many things need a person.
    pub exceptions: usize,
    /// Why the close is held.
    pub held: Option<String>,
}

/// Emails by state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
#[expect(missing_docs, reason = "the spec's own names")]
pub struct EmailCounts {
    pub pending: u64,
    pub sending: u64,
    pub sent: u64,
    pub failed: u64,
    pub withdrawn: u64,
}

impl EmailCounts {
    /// Of what the ledger says of each state.
    #[must_use]
    pub fn of(counts: &BTreeMap<String, i64>) -> Self {
        let in_state = |state: LetterState| {
            counts.get(state.key()).and_then(|count| u64::try_from(*count).ok()).unwrap_or_default()
        };
        Self {
            pending: in_state(LetterState::Pending),
            sending: in_state(LetterState::Sending),
            sent: in_state(LetterState::Sent),
            failed: in_state(LetterState::Failed),
            withdrawn: in_state(LetterState::Withdrawn),
        }
    }
}

/// Looks at the ledger. Reads sums and what needs a person, never an invoice. Other months than the `summed`
/// ones are named without what they come to: so that who looks often does not add up years.
///
/// # Errors
/// [`LedgerError`] where the ledger cannot be read.
pub async fn status(
    office: &Office,
    summed: impl RangeBounds<Month>,
) -> Result<Status, LedgerError> {
    let ledger = &office.ledger;
    let closings = closings(office).await?;
    // At once: who looks waits for one of them instead of for all.
    let (months, behind, clock, first, waiting, refusal, emails, counts, open) = tokio::try_join!(
        rows(office, &closings, summed),
        behind(office, None),
        of_the_clock(office, &closings),
        ledger.known_first_month(),
        ledger.waiting_money(),
        ledger.refusal(),
        failed_emails(office),
        ledger.emails_by_state(),
        ledger.open_sum(office.today()),
    )?;
    let mut weighed: Vec<Weighed> = behind.into_iter().map(Attention::Behind).map(alone).collect();
    weighed.extend(clock.into_iter().map(alone));
    let mut before = Money::ZERO;
    for month in &months {
        let closing = closings.get(&month.month);
        weighed.extend(of_month(office, month, before, closing, first).await?);
        before = month.total;
    }
    weighed.extend(left(office, &waiting).await?.into_iter().map(of_left));
    weighed.extend(refusal.map(Attention::Refused).map(alone));
    weighed.extend(emails);
    let needs_a_person = first_of_each_month(&weighed);
    let matters = matters(weighed);
    let receivables = OpenRow { balance: open.balance, overdue_invoices: open.overdue };
    Ok(Status { months, needs_a_person, matters, outbox: EmailCounts::of(&counts), receivables })
}

/// What was said under a clock that disagrees with that of now.
async fn of_the_clock(
    office: &Office,
    closings: &BTreeMap<Month, Closing>,
) -> Result<Vec<Attention>, LedgerError> {
    let (now, zone) = (office.clock.now(), office.config.issuer.timezone);
    let first = office.ledger.known_first_month().await?;
    let ahead = first.filter(|first| *first > Month::last_ended(now, zone).next());
    let is_early = |closing: &&Closing| {
        let Closing { month, state, looked_at, .. } = closing;
        *state == MonthState::Closed && is_premature(*month, *looked_at, now, &[zone])
    };
    let early = closings.values().filter(is_early).map(|closing| closing.month);
    let early = early.map(|month| Attention::ClosedEarly { month });
    Ok(ahead.map(|first| Attention::FirstMonthAhead { first }).into_iter().chain(early).collect())
}

async fn closings(office: &Office) -> Result<BTreeMap<Month, Closing>, LedgerError> {
    let closings = office.ledger.closings().await?;
    Ok(closings.into_iter().map(|closing| (closing.month, closing)).collect())
}

/// Every month from the first that was invoiced or looked at up to the last that has ended; others than the `summed`
/// ones are named without what they come to.
///
/// # Errors
/// [`LedgerError`] where the ledger cannot be read.
pub async fn months(
    office: &Office,
    summed: impl RangeBounds<Month>,
) -> Result<Vec<MonthRow>, LedgerError> {
    rows(office, &closings(office).await?, summed).await
}

/// Where the books begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Beginning {
    /// The first month that was invoiced or looked at, or could be now.
    pub books: Month,
    /// The first month that the daemon closes by itself; `None` where none was ever started.
    pub daemon: Option<Month>,
}

/// Where the books begin; where they are empty, with the month before the daemon's first.
///
/// # Errors
/// [`LedgerError`] where the ledger cannot be read.
pub async fn beginning(office: &Office) -> Result<Beginning, LedgerError> {
    let daemon = office.ledger.known_first_month().await?;
    let last = Month::last_ended(office.clock.now(), office.config.issuer.timezone);
    let known = office.ledger.first_known_month().await?;
    let books = known.unwrap_or_else(|| daemon.map_or(last, Month::previous).min(last));
    Ok(Beginning { books: daemon.map_or(books, |first| books.min(first)), daemon })
}

async fn rows(
    office: &Office,
    closings: &BTreeMap<Month, Closing>,
    summed: impl RangeBounds<Month>,
) -> Result<Vec<MonthRow>, LedgerError> {
    let last = Month::last_ended(office.clock.now(), office.config.issuer.timezone);
    let sums = office.ledger.month_sums(summed).await?;
    let invoiced = office.ledger.invoiced_months().await?;
    let invoiced = invoiced.into_iter().flat_map(|(first, last)| [first, last]);
    let known = || invoiced.clone().chain(closings.keys().copied());
    // What the daemon owes is named, also where no close has looked at it yet.
    let owed = office.ledger.known_first_month().await?.filter(|first| *first <= last);
    let mut month = known().chain(owed).min().unwrap_or(last);
    let end = known().max().unwrap_or(last).max(last);
    let mut rows = Vec::new();
    while month <= end {
        let sum = sums.get(&month).copied().unwrap_or_default();
        let closing = closings.get(&month);
        rows.push(MonthRow {
            month,
            state: closing.map_or(MonthState::Open, |closing| closing.state),
            issued: sum.invoices,
            total: sum.total,
            exceptions: closing.map_or(0, |closing| closing.exceptions.len()),
            held: closing.and_then(|closing| closing.held.clone()),
        });
        month = month.next();
    }
    Ok(rows)
}

async fn of_month(
    office: &Office,
    row: &MonthRow,
    before: Money,
    closing: Option<&Closing>,
    first: Option<Month>,
) -> Result<Vec<Weighed>, LedgerError> {
    let month = row.month;
    let mut all = Vec::new();
    // The whole month waits: as much as the one before.
    let whole = |attention| Weighed { who: month.to_string(), amount: before, attention };
    match (row.state, &row.held) {
        (MonthState::Held, Some(why)) => {
            all.push(whole(Attention::Held { month, why: why.clone() }));
        }
        (MonthState::Open | MonthState::Held, _) => {
            all.push(whole(match first.filter(|first| month < *first) {
                Some(first) => Attention::NotClosedBefore { month, first },
                None => Attention::NotClosed { month },
            }));
        }
        (MonthState::Closed, _) => {}
    }
    let exceptions = closing.map_or(&[][..], |closing| &closing.exceptions);
    let about: BTreeSet<&str> =
        exceptions.iter().filter_map(|exception| exception.dealership_id.as_deref()).collect();
    let invoiced = office.ledger.invoiced_among(month, &about).await?;
    let others: BTreeSet<&str> =
        about.into_iter().filter(|id| !invoiced.contains_key(*id)).collect();
    let earlier = office.ledger.invoiced_among(month.previous(), &others).await?;
    all.extend(exceptions.iter().cloned().map(|exception| {
        let id = exception.dealership_id.as_deref().unwrap_or_default();
        let invoice = invoiced.get(id).or_else(|| earlier.get(id));
        Weighed {
            who: match invoice {
                Some((name, _)) => format!("'{}' {}", plain(id), plain(name)),
                None if id.is_empty() => String::new(),
                None => format!("'{}'", plain(id)),
            },
            amount: invoice.map_or(Money::ZERO, |(_, total)| *total),
            attention: Attention::Exception {
                month,
                invoiced: invoiced.contains_key(id),
                exception,
            },
        }
    }));
    Ok(all)
}

/// What is about no dealership, or about all of them.
fn alone(attention: Attention) -> Weighed {
    Weighed { attention, who: String::new(), amount: Money::ZERO }
}

fn of_left(left: Left) -> Weighed {
    let who = format!("'{}'", plain(&left.dealership_id));
    Weighed { who, amount: left.money + left.credit, attention: Attention::Left(left) }
}

async fn failed_emails(office: &Office) -> Result<Vec<Weighed>, LedgerError> {
    let wanted = WantedEmails { state: Some(LetterState::Failed), month: None };
    let emails = office.ledger.emails(wanted).await?;
    if emails.is_empty() {
        return Ok(Vec::new());
    }
    let mut invoices = office.ledger.undelivered().await?;
    let weigh = |email: ListedEmail| {
        let invoice = email.number.and_then(|number| invoices.get_mut(&number));
        let who = match &invoice {
            Some((id, _)) => format!("'{}' {}", plain(id), email.to()),
            None => email.to().to_string(),
        };
        // Two emails with one invoice are not twice its money.
        let amount = invoice.map(|(_, total)| std::mem::take(total)).unwrap_or_default();
        Weighed { attention: Attention::FailedEmail(Box::new(email)), who, amount }
    };
    Ok(emails.into_iter().map(weigh).collect())
}

/// The first [`SHOWN`] exceptions of each month, and how many more there are.
fn first_of_each_month(weighed: &[Weighed]) -> Vec<Attention> {
    let mut shown: BTreeMap<Month, usize> = BTreeMap::new();
    let mut all = Vec::new();
    for Weighed { attention, .. } in weighed {
        let Attention::Exception { month, .. } = attention else {
            all.push(attention.clone());
            continue;
        };
        let number = shown.entry(*month).or_default();
        *number += 1;
        match (*number).checked_sub(SHOWN + 1) {
            None => all.push(attention.clone()),
            Some(0) => all.push(Attention::MoreExceptions { month: *month, more: 1 }),
            Some(_) => {
                if let Some(Attention::MoreExceptions { more, .. }) = all.last_mut() {
                    *more += 1;
                }
            }
        }
    }
    all
}
