//! What needs a person, and what of it is one matter.

use std::collections::BTreeMap;

use serde::ser::{Serialize, SerializeStruct as _, Serializer};

use crate::actions::mailed::Behind;
use crate::actions::receivables::Left;
use crate::actions::words::{count, in_a_line, plain};
use crate::ledger::outbox::ListedEmail;
use crate::ledger::refusals::Refusal;
use fecha_core::bill::exception::{Exception, Reason};
use fecha_core::calendar::month::Month;
use fecha_core::letter::Kind;
use fecha_core::price::money::Money;

/// Something that a person must do. In JSON it is in words: `what`, and what to `do`.
#[derive(Debug, Clone)]
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
    /// One that the daemon leaves to a person: it closes by itself from `first` on.
    NotClosedBefore { month: Month, first: Month },
    /// An exception of a close; whether its dealership is invoiced.
    Exception { month: Month, exception: Exception, invoiced: bool },
    /// Exceptions beyond the first [`SHOWN`](super::status::SHOWN).
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
            Self::NotClosedBefore { month, first } => format!(
                "{month} is not closed: the daemon closes by itself from {first} on, its first month"
            ),
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
                "look at it with `fecha close --month {month} --dry-run`; the command that it names issues that and nothing else"
            ),
            Self::NotClosed { month } => format!("fecha close --month {month}"),
            Self::NotClosedBefore { month, first } => format!(
                "fecha close --month {month}; if it was invoiced elsewhere, leave it: once {first} is closed it is named no more"
            ),
            Self::Exception { month, exception, invoiced } => after(*month, exception, *invoiced),
            Self::MoreExceptions { month, .. } => {
                format!("`fecha close --month {month} --dry-run --json` names all")
            }
            Self::Left(left) => left.remedy(),
            Self::Refused(_) => {
                "nothing is lost: the daemon goes on trying; once it is fixed, `fecha deliver` sends at once".to_owned()
            }
            Self::FailedEmail(email) => match (email.number, email.kind) {
                (Some(number), Kind::Invoice) => {
                    format!("fix the address in the register, then fecha resend {number}")
                }
                (_, Kind::Invoice | Kind::PackageUse | Kind::Reminder | Kind::Group) => {
                    "fix the address in the register, then fecha resend --failed".to_owned()
                }
                (_, Kind::Digest) => "fix [email] finance, then fecha resend --failed".to_owned(),
                (_, Kind::Alert) => "fix [email] admins, then fecha resend --failed".to_owned(),
            },
        }
    }
}

/// What to run once an exception is fixed. A close issues what is not issued; what is issued only a rerun
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

/// Something that a person must do, with what hangs on it.
#[derive(Debug, Clone)]
pub struct Weighed {
    /// What it is.
    pub attention: Attention,
    /// About whom, in words safe for a terminal; empty where it is about nobody.
    pub who: String,
    /// The money at stake, as far as the ledger knows.
    pub amount: Money,
}

/// What is alike: one thing to do, however many it is about.
#[derive(Debug, Clone)]
pub struct Matter {
    /// At least one, most money first.
    alike: Vec<Weighed>,
    /// The money at stake of all of them.
    pub amount: Money,
}

/// What comes before money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Urgency {
    /// About some of the dealerships.
    Some,
    /// About all: the ledger is mistaken, the clock is wrong, no email goes out.
    All,
}

/// So many of a matter are named.
const NAMED: usize = 3;

/// Puts together what is alike; what is about everything first, then by the money at stake.
#[must_use]
pub fn matters(weighed: Vec<Weighed>) -> Vec<Matter> {
    let mut alike: BTreeMap<String, Vec<Weighed>> = BTreeMap::new();
    for (index, one) in weighed.into_iter().enumerate() {
        let key = one.attention.likeness().unwrap_or_else(|| format!("{index}"));
        alike.entry(key).or_default().push(one);
    }
    let mut matters: Vec<Matter> = alike.into_values().map(Matter::of).collect();
    // Where nothing else tells, as it was found: by month.
    matters.sort_by_cached_key(|one| (std::cmp::Reverse(one.rank()), one.what()));
    matters
}

impl Matter {
    fn of(mut alike: Vec<Weighed>) -> Self {
        alike.sort_by_key(|one| std::cmp::Reverse(one.amount));
        let amount = alike.iter().map(|one| one.amount).sum();
        Self { alike, amount }
    }

    fn rank(&self) -> (Urgency, Money, usize) {
        (self.first().urgency(), self.amount, self.alike.len())
    }

    /// The one with the most money.
    ///
    /// # Panics
    /// Never: a matter is about something.
    #[must_use]
    pub fn first(&self) -> &Attention {
        &self.alike[0].attention
    }

    /// How many are alike.
    #[must_use]
    pub fn number(&self) -> usize {
        self.alike.len()
    }

    /// What is the matter, and the money at stake.
    #[must_use]
    pub fn what(&self) -> String {
        let first = self.first();
        let what =
            if self.alike.len() == 1 { first.what() } else { first.what_of(self.alike.len()) };
        what + &first.stake(self.amount)
    }

    /// The first of those it is about, most money first, and how many more there are; none where it is about one.
    #[must_use]
    pub fn names(&self) -> (Vec<&str>, usize) {
        if self.alike.len() == 1 {
            return (Vec::new(), 0);
        }
        let names: Vec<&str> = self.whose().collect();
        let more = names.len().saturating_sub(NAMED);
        (names.into_iter().take(NAMED).collect(), more)
    }

    /// About whom they are, most money first, in words safe for a terminal.
    pub fn whose(&self) -> impl Iterator<Item = &str> {
        self.alike.iter().map(|one| one.who.as_str()).filter(|who| !who.is_empty())
    }

    /// What to do.
    #[must_use]
    pub fn remedy(&self) -> String {
        if self.alike.len() == 1 { self.first().remedy() } else { self.first().remedy_of_all() }
    }
}

impl Attention {
    fn urgency(&self) -> Urgency {
        match self {
            Self::Behind(_)
            | Self::FirstMonthAhead { .. }
            | Self::ClosedEarly { .. }
            | Self::Refused(_) => Urgency::All,
            _ => Urgency::Some,
        }
    }

    /// What is alike has the same; `None` where it stands alone.
    fn likeness(&self) -> Option<String> {
        match self {
            Self::Exception { month, exception, invoiced } => {
                let Exception { dealership_id, reason, detail, .. } = exception;
                // Only an error may have a cause of its own; other details are figures.
                let id = dealership_id.as_deref().filter(|id| !id.is_empty());
                let detail = detail.as_deref().filter(|_| *reason == Reason::Failed);
                let detail = detail.map(|detail| match id {
                    Some(id) => detail.replace(id, "…"),
                    None => detail.to_owned(),
                });
                id.map(|_| format!("exception {month} {reason:?} {invoiced} {detail:?}"))
            }
            Self::NotClosed { .. } => Some("not closed".to_owned()),
            Self::Left(left) => {
                Some(format!("left {} {}", left.money > Money::ZERO, left.credit > Money::ZERO))
            }
            Self::FailedEmail(email) => {
                let error = email.last_error.as_deref().unwrap_or_default();
                let error = error.replace(email.to().as_str(), "…");
                Some(format!("email {} {error}", email.kind.key()))
            }
            _ => None,
        }
    }

    /// What is the matter with so many that are alike; this is one of them.
    fn what_of(&self, number: usize) -> String {
        match self {
            Self::Exception { month, exception, .. } => {
                let Exception { reason, detail, .. } = exception;
                let detail = detail.as_deref().filter(|_| *reason == Reason::Failed);
                let detail = detail.map(|detail| format!(" [{}]", plain(detail)));
                format!(
                    "{month}: {} {}: {} ({}){}",
                    count(number, "dealership"),
                    reason.facts(),
                    reason.todo(),
                    reason.key(),
                    detail.unwrap_or_default()
                )
            }
            Self::NotClosed { .. } => format!("{} are not closed", count(number, "month")),
            Self::Left(_) => {
                format!(
                    "{} have no contract, and money or credits wait",
                    count(number, "dealership")
                )
            }
            Self::FailedEmail(email) => format!(
                "{} failed ({}): {}",
                count(number, "email"),
                email.kind.key().replace('_', " "),
                plain(email.last_error.as_deref().unwrap_or("no reason was given"))
            ),
            _ => self.what(),
        }
    }

    fn remedy_of_all(&self) -> String {
        match self {
            Self::Exception { month, invoiced: true, .. } => format!(
                "they are invoiced already: then run `fecha rerun --month {month} --all --reason TEXT`, and `fecha close --month {month}` says what is left"
            ),
            Self::NotClosed { .. } => "`fecha close --month M` for each, oldest first".to_owned(),
            Self::Left(_) => "`fecha receivables` has the command for each".to_owned(),
            Self::FailedEmail(email) if email.number.is_some() => {
                "fix the addresses in the register, then `fecha resend --failed`".to_owned()
            }
            _ => self.remedy(),
        }
    }

    /// What the money at stake is.
    fn stake(&self, amount: Money) -> String {
        if amount == Money::ZERO {
            return String::new();
        }
        let amount = amount.brl();
        match self {
            Self::Exception { invoiced: true, .. } => format!(" · {amount} invoiced"),
            Self::Exception { .. }
            | Self::NotClosed { .. }
            | Self::NotClosedBefore { .. }
            | Self::Held { .. } => {
                format!(" · {amount} in the month before")
            }
            Self::FailedEmail(_) => format!(" · {amount} on their invoices"),
            Self::Left(_) => format!(" · {amount}"),
            _ => String::new(),
        }
    }
}
