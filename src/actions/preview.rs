//! What a month would cost as of now, and where it is heading. Issues nothing.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use crate::actions::close::{CloseError, period};
use crate::messages::Source;
use crate::setup::office::Office;
use fecha_core::account::adjustment::apply;
use fecha_core::bill::invoice::{Invoice, Usage};
use fecha_core::bill::pro_forma::{Ahead, NO_NUMBER, ProForma};
use fecha_core::calendar::month::{Month, Period};
use fecha_core::count::counter::Counter;
use fecha_core::count::projection::project;
use fecha_core::count::tally::{Counted, Tally};
use fecha_core::party::register::Dealership;
use fecha_core::price::contract::Contracts;
use fecha_core::price::money::Money;
use fecha_core::price::table::{Line, PriceTable};

/// A dealership's month as of now.
#[derive(Debug, Clone)]
pub struct Preview {
    /// Who would be invoiced.
    pub dealership: Dealership,
    /// Contacts included.
    pub package: u64,
    /// The bounds that a close would use.
    pub period: Period,
    /// The zone of the dealership's days.
    pub timezone: Tz,
    /// What was used so far.
    pub usage: Usage,
    /// What that would be invoiced as, adjustments included; empty where it has no price.
    pub lines: Vec<Line>,
    /// So far.
    pub now: Cost,
    /// At the month's end, at the present pace; the same as `now` once the month is over.
    pub projected: Cost,
    /// Why it has no price; the totals are zero then.
    pub no_price: Option<String>,
}

/// A use and what it costs, adjustments included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    /// Unique active contacts.
    pub uam: u64,
    /// Template messages.
    pub hsm: u64,
    /// What it comes to.
    pub total: Money,
}

/// Previews a month for the named dealerships, or for everyone with a package; by id.
///
/// # Errors
/// [`CloseError`], as a close would give it.
pub async fn preview_month(
    office: &Office,
    source: &Source,
    month: Month,
    dealerships: &[String],
    now: DateTime<Utc>,
    progress: impl Fn(u64) + Send + Sync + 'static,
) -> Result<Vec<Preview>, CloseError> {
    let prices = office.config.prices.table_for(month)?;
    let subjects = subjects(office, month, dealerships).await?;
    let scope = subjects.iter().map(|subject| Counted {
        dealership_id: subject.dealership.id.clone(),
        period: subject.period,
        has_package: true,
        in_scope: true,
    });
    let counter = Counter::new(scope.collect(), None, &office.config.ignored_statuses);
    let mut count = if subjects.is_empty() {
        counter.finish()
    } else {
        source.count(counter, now, progress).await?.count
    };
    let adjustments = office.ledger.adjustments_by_dealership().await?;
    let preview = |subject: Subject| {
        let id = &subject.dealership.id;
        let tally = count.tallies.remove(id).unwrap_or_default();
        let own = adjustments.get(id).map(Vec::as_slice).unwrap_or_default();
        let adjusted = |lines: Vec<Line>| {
            let subtotal = lines.iter().map(|line| line.amount).sum();
            [lines, apply(own, month, None, subtotal).lines].concat()
        };
        priced(subject, &tally, prices, now, adjusted)
    };
    Ok(subjects.into_iter().map(preview).collect())
}

impl Preview {
    /// What it would be invoiced as, for the pro-forma document.
    #[must_use]
    pub fn pro_forma(&self, office: &Office, month: Month, now: DateTime<Utc>) -> ProForma {
        let on = now.with_timezone(&self.timezone).date_naive();
        let content = Invoice {
            number: NO_NUMBER,
            revision: 0,
            issuer: office.config.issuer.clone(),
            dealership_id: self.dealership.id.clone(),
            dealership: self.dealership.party(),
            month,
            period: self.period,
            timezone: self.timezone,
            package: self.package,
            usage: self.usage.clone(),
            lines: self.lines.clone(),
            issued_at: now,
            issued_on: on,
            due_on: on,
            evidence_sha256: String::new(),
            pix: None,
            late_fee: None,
            prices: None,
            history: Vec::new(),
            replaces: None,
        };
        let Cost { uam, hsm, total } = self.projected;
        let ahead = (!self.period.has_ended(now)).then_some(Ahead { uam, hsm, total });
        ProForma { content, as_of: now, ahead }
    }
}

struct Subject {
    dealership: Dealership,
    period: Period,
    timezone: Tz,
    package: u64,
}

/// Whom the preview is about, each with the bounds that a close would use.
async fn subjects(
    office: &Office,
    month: Month,
    named: &[String],
) -> Result<Vec<Subject>, CloseError> {
    let dealerships = office.ledger.dealerships().await?;
    let is_known = |id: &&String| dealerships.iter().any(|dealership| dealership.id == **id);
    let unknown: Vec<String> = named.iter().filter(|id| !is_known(id)).cloned().collect();
    if !unknown.is_empty() {
        return Err(CloseError::UnknownDealerships(unknown));
    }
    let contracts: Contracts = office.ledger.contracts().await?.into_iter().collect();
    let issued = office.ledger.standing(month).await?;
    let before = office.ledger.standing(month.previous()).await?;
    let after = office.ledger.standing(month.next()).await?;
    let subject = |dealership: Dealership| {
        let id = &dealership.id;
        let timezone = dealership.timezone.unwrap_or(office.config.issuer.timezone);
        let natural = || period(month.period_in(timezone), before.get(id), after.get(id));
        Some(Subject {
            timezone,
            package: contracts.package_in(id, month)?,
            period: issued.get(id).map_or_else(natural, |revision| revision.invoice.period),
            dealership,
        })
    };
    Ok(dealerships
        .into_iter()
        .filter(|dealership| named.is_empty() || named.contains(&dealership.id))
        .filter_map(subject)
        .collect())
}

fn priced(
    subject: Subject,
    tally: &Tally,
    prices: &PriceTable,
    now: DateTime<Utc>,
    adjusted: impl Fn(Vec<Line>) -> Vec<Line>,
) -> Preview {
    let Subject { dealership, period, timezone, package } = subject;
    let lines = |uam, hsm| prices.lines(package, uam, hsm).map(&adjusted);
    let (uam, hsm) = (tally.uam(), tally.hsm());
    let ahead = project(tally, period, now);
    let both = lines(uam, hsm).and_then(|so_far| Ok((so_far, lines(ahead.uam, ahead.hsm)?)));
    let (lines, at_the_end, no_price) = match both {
        Ok((so_far, at_the_end)) => (so_far, at_the_end, None),
        Err(error) => (Vec::new(), Vec::new(), Some(error.to_string())),
    };
    let cost = |uam, hsm, lines: &[Line]| {
        let total = lines.iter().map(|line| line.amount).sum();
        Cost { uam, hsm, total }
    };
    Preview {
        now: cost(uam, hsm, &lines),
        projected: cost(ahead.uam, ahead.hsm, &at_the_end),
        usage: Usage::of(tally, timezone),
        dealership,
        package,
        period,
        timezone,
        lines,
        no_price,
    }
}
