//! Where the months stand, and what needs a person.

use std::collections::{BTreeMap, BTreeSet};

use serde::ser::{Serialize, SerializeStruct as _, Serializer};

use crate::actions::mailed::{Behind, behind};
use crate::actions::receivables::{Left, left};
use crate::actions::words::{in_a_line, plain};
use crate::ledger::LedgerError;
use crate::ledger::closing::{Closing, MonthState};
use crate::ledger::outbox::ListedEmail;
use crate::ledger::refusals::Refusal;
use crate::setup::office::Office;
use fecha_core::account::receivables::Balance;
use fecha_core::bill::exception::{Exception, Reason};
use fecha_core::calendar::due::is_premature;
use fecha_core::calendar::month::Month;
use fecha_core::letter::{Kind, LetterState};
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

/// Something that a person must do. In JSON it is in words: `what`, and what to `do`.
#[derive(Debug)]
#[expect(missing_docs, reason = "what each is about")]
pub enum Attention {
    /// Numbers were mailed that the ledger would give again.
    Behind(Behind),
    /// The daemon closes nothing before a month that is yet to come.
    FirstMonthAhead { first: Month },
    /// A month that has not ended is closed.
    ClosedEarly { month: Month },
    /// A close waits for a person.
    Held { month: Month, why: String },
    /// A month has ended and is not closed.
    NotClosed { month: Month },
    /// An exception of a close; whether its dealership is invoiced.
    Exception { month: Month, exception: Exception, invoiced: bool },
    /// Exceptions beyond the first [`SHOWN`].
    MoreExceptions { month: Month, more: usize },
    /// Something waits for a dealership that gets no invoice any more.
    Left(Left),
    /// The mail server refuses all emails.
    Refused(Refusal),
    /// An email that no server took.
    FailedEmail(Box<ListedEmail>),
}

impl Attention {
    /// What is the matter, in words safe for a terminal.
    #[must_use]
    pub fn what(&self) -> String {
        match self {
            Self::Behind(behind) => behind.to_string(),
            Self::FirstMonthAhead { first } => format!(
                "the daemon closes nothing before {first}: so late was it by the clock of its first start, which was wrong, or the clock is now"
            ),
            Self::ClosedEarly { month } => format!(
                "{month} was closed before its end: the clock was ahead then, or is behind now"
            ),
            Self::Held { month, why } => format!("{month} is held: {why}"),
            Self::NotClosed { month } => format!("{month} is not closed"),
            Self::Exception { month, exception, .. } => {
                format!("{month}: {}", in_a_line(exception))
            }
            Self::MoreExceptions { month, more } => format!("{month}: {more} more exceptions"),
            Self::Left(left) => left.what(),
            Self::Refused(Refusal { at, error, waiting }) => format!(
                "the mail server refuses all emails, {waiting} wait, last tried {}: {}",
                at.format("%Y-%m-%d %H:%M UTC"),
                plain(error)
            ),
            Self::FailedEmail(email) => format!(
                "email to {} failed: {} ({})",
                email.to(),
                plain(&email.subject),
                plain(email.last_error.as_deref().unwrap_or("no reason was given"))
            ),
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn remedy(&self) -> String {
        match self {
            Self::Behind(behind) => behind.remedy(),
            Self::FirstMonthAhead { .. } => {
                "set the clock right; if it is, import the register again, which tells the daemon so, or close months by hand".to_owned()
            }
            Self::ClosedEarly { month } => format!(
                "set the clock right; if it was ahead, run `fecha close --month {month}` and `fecha rerun --month {month} --all` after the month's end"
            ),
            Self::Held { month, .. } => format!(
                "mend the message database and run `fecha close --month {month}`, or add --release"
            ),
            Self::NotClosed { month } => format!("fecha close --month {month}"),
            Self::Exception { month, exception, invoiced } => after(*month, exception, *invoiced),
            Self::MoreExceptions { month, .. } => {
                format!("`fecha close --month {month} --dry-run --json` names all")
            }
            Self::Left(left) => left.remedy(),
            Self::Refused(_) => {
                "nothing is lost: the daemon goes on trying; once it is mended, `fecha deliver` sends at once".to_owned()
            }
            Self::FailedEmail(email) => match (email.number, email.kind) {
                (Some(number), Kind::Invoice) => {
                    format!("mend the address in the register, then fecha resend {number}")
                }
                (_, Kind::Invoice | Kind::PackageUse | Kind::Reminder) => {
                    "mend the address in the register, then fecha resend --failed".to_owned()
                }
                (_, Kind::Digest) => "mend [email] finance, then fecha resend --failed".to_owned(),
                (_, Kind::Alert) => "mend [email] admins, then fecha resend --failed".to_owned(),
            },
        }
    }
}

/// What to run once an exception is mended. A close issues what is not issued; what is issued only a rerun
/// changes.
fn after(month: Month, exception: &Exception, invoiced: bool) -> String {
    let close = format!("`fecha close --month {month}`");
    let rerun = |who: String| format!("`fecha rerun --month {month} {who} --reason TEXT`");
    match (&exception.dealership_id, exception.reason) {
        (Some(id), _) if invoiced => {
            let rerun = rerun(format!("--dealership {}", plain(id)));
            format!("it is invoiced already: then run {rerun}, and {close} says what is left")
        }
        (_, Reason::UnknownDealership) => format!(
            "then run {close}; if the messages are of a dealership that is invoiced already, {}",
            rerun("--all".to_owned())
        ),
        (_, Reason::UnknownStatus) => format!(
            "then run {}, where invoices change by it, and {close}",
            rerun("--all".to_owned())
        ),
        _ => format!("then run {close}"),
    }
}

impl Serialize for Attention {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut attention = serializer.serialize_struct("Attention", 2)?;
        attention.serialize_field("what", &self.what())?;
        attention.serialize_field("do", &self.remedy())?;
        attention.end()
    }
}

/// Looks at the ledger. Reads sums and what needs a person, never an invoice.
///
/// # Errors
/// [`LedgerError`] where the ledger cannot be read.
pub async fn status(office: &Office) -> Result<Status, LedgerError> {
    let closings = office.ledger.closings().await?;
    let closings: BTreeMap<Month, Closing> =
        closings.into_iter().map(|closing| (closing.month, closing)).collect();
    let months = months(office, &closings).await?;
    let mut needs_a_person: Vec<Attention> =
        behind(office, None).await?.into_iter().map(Attention::Behind).collect();
    needs_a_person.extend(of_the_clock(office, &closings).await?);
    for month in &months {
        let closing = closings.get(&month.month);
        let about: BTreeSet<&str> = closing
            .iter()
            .flat_map(|closing| &closing.exceptions)
            .filter_map(|exception| exception.dealership_id.as_deref())
            .collect();
        let invoiced = office.ledger.invoiced_among(month.month, &about).await?;
        needs_a_person.extend(of_month(month, closing, &invoiced));
    }
    let waiting = office.ledger.waiting_money().await?;
    needs_a_person.extend(left(office, &waiting).await?.into_iter().map(Attention::Left));
    needs_a_person.extend(office.ledger.refusal().await?.map(Attention::Refused));
    let failed = office.ledger.emails(Some(LetterState::Failed)).await?;
    let failed = failed.into_iter().map(|email| Attention::FailedEmail(Box::new(email)));
    needs_a_person.extend(failed);
    let counts = office.ledger.emails_by_state().await?;
    let in_state = |state: LetterState| {
        counts.get(state.key()).and_then(|count| u64::try_from(*count).ok()).unwrap_or_default()
    };
    let outbox = EmailCounts {
        pending: in_state(LetterState::Pending),
        sending: in_state(LetterState::Sending),
        sent: in_state(LetterState::Sent),
        failed: in_state(LetterState::Failed),
        withdrawn: in_state(LetterState::Withdrawn),
    };
    let open = office.ledger.open_sum(office.today()).await?;
    let receivables = OpenRow { balance: open.balance, overdue_invoices: open.overdue };
    Ok(Status { months, needs_a_person, outbox, receivables })
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

async fn months(
    office: &Office,
    closings: &BTreeMap<Month, Closing>,
) -> Result<Vec<MonthRow>, LedgerError> {
    let last = Month::last_ended(office.clock.now(), office.config.issuer.timezone);
    let sums = office.ledger.month_sums().await?;
    let known = || sums.keys().chain(closings.keys()).copied();
    let mut month = known().min().unwrap_or(last);
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

fn of_month(
    row: &MonthRow,
    closing: Option<&Closing>,
    invoiced: &BTreeSet<String>,
) -> Vec<Attention> {
    let month = row.month;
    let mut attention = Vec::new();
    match (row.state, &row.held) {
        (MonthState::Held, Some(why)) => {
            attention.push(Attention::Held { month, why: why.clone() });
        }
        (MonthState::Open | MonthState::Held, _) => attention.push(Attention::NotClosed { month }),
        (MonthState::Closed, _) => {}
    }
    let exceptions = closing.map_or(&[][..], |closing| &closing.exceptions);
    let shown = exceptions.iter().take(SHOWN).cloned();
    attention.extend(shown.map(|exception| {
        let id = exception.dealership_id.as_deref();
        let invoiced = id.is_some_and(|id| invoiced.contains(id));
        Attention::Exception { month, exception, invoiced }
    }));
    if exceptions.len() > SHOWN {
        attention.push(Attention::MoreExceptions { month, more: exceptions.len() - SHOWN });
    }
    attention
}
