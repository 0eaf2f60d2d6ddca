//! What a month would cost as of now, and where it is heading. Issues nothing.
//!
//! Of a month that is invoiced already it says what a rerun would bill with the package of the invoice: the
//! credits that the invoice took stay taken.

use chrono::{DateTime, Utc};

use crate::actions::book;
use crate::actions::close::CloseError;
use crate::messages::Sources;
use crate::setup::office::Office;
use fecha_core::bill::bill::{Bill, Unbilled, bill};
use fecha_core::bill::case::{Case, PackageOf};
use fecha_core::bill::exception::Exception;
use fecha_core::bill::pro_forma::Ahead;
use fecha_core::calendar::month::Month;
use fecha_core::count::counter::Counter;
use fecha_core::count::tally::Count;
use fecha_core::price::money::Money;
use fecha_core::price::rates::Rates;

/// A month as of now.
#[derive(Debug)]
pub struct MonthPreview<'a> {
    /// Who would be invoiced, by id.
    pub dealerships: Vec<Preview<'a>>,
    /// What the count leaves to a person, as a close would name it.
    pub exceptions: Vec<Exception>,
}

/// A dealership's month as of now.
#[derive(Debug)]
pub enum Preview<'a> {
    /// What it would be invoiced as.
    Priced {
        /// As of now.
        bill: Box<Bill<'a>>,
        /// At the month's end, at the present pace; the same as now once the month is over.
        projected: Ahead,
    },
    /// It has no price.
    Unpriced(Box<Unbilled<'a>>),
}

/// A use and what it costs, adjustments included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    /// Unique active contacts.
    pub uam: u64,
    /// Template messages.
    pub hsm: u64,
    /// What it comes to; zero where it has no price.
    pub total: Money,
}

/// Previews a month for the named dealerships, or for everyone with a package.
///
/// # Errors
/// [`CloseError`], as a close would give it.
pub async fn preview_month<'a>(
    office: &'a Office,
    source: &Sources,
    month: Month,
    named: &[String],
    now: DateTime<Utc>,
    progress: impl Fn(u64) + Send + Sync + 'static,
) -> Result<MonthPreview<'a>, CloseError> {
    // A month that nobody has a price for is told once.
    office.config.prices.table_for(month)?;
    let book = book::of(office, month).await?;
    book.must_know(named)?;
    let is_meant = |case: &Case| named.is_empty() || named.contains(&case.dealership.id);
    let cases = book.cases(PackageOf::TheInvoice);
    if !cases.iter().any(|case| is_meant(case) && case.agreed.is_some()) {
        return Ok(MonthPreview { dealerships: Vec::new(), exceptions: Vec::new() });
    }
    // Everyone is known to the counter, so that what the register lacks is told from the rest.
    let prices = &office.config.prices;
    let all = cases.iter().map(|case| case.counted(is_meant(case), prices)).collect();
    let unknown = named.is_empty().then(|| month.period_in(office.config.issuer.timezone));
    let counter = Counter::new(all, unknown, &office.config.counting.statuses)
        .knowing(&book.numbers, month)
        .with_service_windows(office.config.service_windows);
    let mut count = source.count(counter, now, progress).await?.count;
    let meant: Vec<Case> = cases.into_iter().filter(is_meant).collect();
    let exceptions = exceptions(&meant, &count);
    let mut dealerships = Vec::new();
    for case in meant.into_iter().filter(|case| case.agreed.is_some()) {
        // What is invoiced already would be counted by today's rules.
        let own = count.tallies.remove(case.id());
        let tally = count.beside.remove(case.id()).or(own).unwrap_or_default();
        dealerships.push(Preview::of(bill(case, tally, &office.config.prices), now));
    }
    Ok(MonthPreview { dealerships, exceptions })
}

fn exceptions(cases: &[Case], count: &Count) -> Vec<Exception> {
    let mut exceptions = Vec::new();
    for case in cases {
        let tally = count.tallies.get(case.id());
        exceptions
            .extend(tally.map(|tally| Exception::of_tally(case.id(), tally)).unwrap_or_default());
    }
    exceptions.extend(Exception::of_unknown(&count.unknown));
    exceptions.extend(Exception::of_statuses(&count.statuses));
    Exception::sort(&mut exceptions);
    exceptions
}

impl<'a> Preview<'a> {
    fn of(billed: Result<Bill<'a>, Box<Unbilled<'a>>>, now: DateTime<Utc>) -> Self {
        let bill = match billed {
            Ok(bill) => bill,
            Err(unbilled) => return Self::Unpriced(unbilled),
        };
        match bill.ahead(now) {
            Ok(projected) => Self::Priced { bill: Box::new(bill), projected },
            Err(why) => Self::Unpriced(Box::new(bill.without_charge(why))),
        }
    }

    /// Who, when, with which package.
    #[must_use]
    pub fn case(&self) -> &Case {
        match self {
            Self::Priced { bill, .. } => &bill.case,
            Self::Unpriced(unbilled) => &unbilled.case,
        }
    }

    /// What it would be invoiced as; `None` where it has no price.
    #[must_use]
    pub fn bill(&self) -> Option<&Bill<'a>> {
        match self {
            Self::Priced { bill, .. } => Some(bill),
            Self::Unpriced(_) => None,
        }
    }

    /// By what it is priced; `None` where its list has no table for the month.
    #[must_use]
    pub fn rates(&self) -> Option<Rates<'a>> {
        match self {
            Self::Priced { bill, .. } => Some(bill.rates),
            Self::Unpriced(unbilled) => unbilled.table.map(Rates::without_discount),
        }
    }

    /// Contacts included; who has none is not previewed.
    #[must_use]
    pub fn package(&self) -> u64 {
        self.case().package().unwrap_or_default()
    }

    /// As of now.
    #[must_use]
    pub fn now(&self) -> Cost {
        let (tally, total) = match self {
            Self::Priced { bill, .. } => (&bill.tally, bill.charge.total()),
            Self::Unpriced(unbilled) => (&unbilled.tally, Money::ZERO),
        };
        Cost { uam: tally.uam(), hsm: tally.hsm(), total }
    }

    /// At the month's end, at the present pace; what it is now where it has no price.
    #[must_use]
    pub fn projected(&self) -> Cost {
        match self {
            Self::Priced { projected: Ahead { uam, hsm, total }, .. } => {
                Cost { uam: *uam, hsm: *hsm, total: *total }
            }
            Self::Unpriced(_) => self.now(),
        }
    }

    /// Why it has no price.
    #[must_use]
    pub fn no_price(&self) -> Option<String> {
        match self {
            Self::Priced { .. } => None,
            Self::Unpriced(unbilled) => Some(unbilled.why.to_string()),
        }
    }
}
