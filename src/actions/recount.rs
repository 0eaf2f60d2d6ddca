//! Counts a month again with today's messages, contracts, prices and register, and compares it with
//! its invoices. `verify` shows the difference, `rerun` issues it.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use crate::actions::issue::Draft;
use crate::ledger::LedgerError;
use crate::ledger::invoices::{FileKind, Revision};
use crate::messages::{Source, SourceError};
use crate::setup::office::Office;
use fecha_core::account::adjustment::{Adjustment, Applied, apply, paid_back};
use fecha_core::bill::difference::{Contacts, Difference, Today};
use fecha_core::bill::invoice::Invoice;
use fecha_core::calendar::month::{Month, Period};
use fecha_core::count::counter::Counter;
use fecha_core::count::evidence::{self, sha256_hex};
use fecha_core::count::tally::{Count, Counted, Tally, instant};
use fecha_core::party::register::Dealership;
use fecha_core::price::contract::Contracts;
use fecha_core::price::money::Money;
use fecha_core::price::table::{Line, NoPrice, PriceTable};

/// A month could not be counted again; nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum RecountError {
    /// No price table holds.
    #[error(transparent)]
    NoPrice(#[from] NoPrice),
    /// The messages could not be counted.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The ledger failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// An invoiced dealership's month, counted again.
#[derive(Debug)]
pub struct Recounted<'a> {
    /// The invoice as it stands.
    pub revision: Revision,
    /// The dealership as the register has it today.
    pub dealership: Dealership,
    /// The package of today; `None` where the contract was removed.
    pub package: Option<u64>,
    /// What is counted today.
    pub tally: Tally,
    /// What it costs today; nothing without a package.
    pub lines: Result<Vec<Line>, NoPrice>,
    /// Credits and charges beside that.
    pub adjustments: Applied,
    /// What was paid for the invoice.
    paid: Money,
    /// What later invoices gave back of that.
    paid_back: Money,
    /// The message database has no message at all of a period that messages were counted in.
    pub purged: bool,
    /// The oldest counted message that is left of the period, among all dealerships that were counted.
    oldest: Option<DateTime<Utc>>,
    prices: &'a PriceTable,
}

/// Counts the invoiced dealerships of a month again, each over the period of its invoice; by id.
///
/// # Errors
/// [`RecountError`].
pub async fn recount<'a>(
    office: &'a Office,
    source: &Source,
    month: Month,
    standing: BTreeMap<String, Revision>,
    now: DateTime<Utc>,
    progress: impl Fn(u64) + Send + Sync + 'static,
) -> Result<Vec<Recounted<'a>>, RecountError> {
    if standing.is_empty() {
        return Ok(Vec::new());
    }
    let prices = office.config.prices.table_for(month)?;
    let contracts: Contracts = office.ledger.contracts().await?.into_iter().collect();
    let dealerships = office.ledger.dealerships().await?;
    let counter = counter(&dealerships, &standing, &office.config.ignored_statuses);
    let mut count = source.count(counter, now, progress).await?.count;
    let adjustments = office.ledger.adjustments_by_dealership().await?;
    let payments = office.ledger.payments(month).await?;
    let mut standing = standing;
    let recounted = dealerships.into_iter().filter_map(|dealership| {
        let revision = standing.remove(&dealership.id)?;
        let package = contracts.package_in(&dealership.id, month);
        let own = adjustments.get(&dealership.id).map(Vec::as_slice).unwrap_or_default();
        let number = revision.invoice.number;
        let paid = payments.iter().filter(|(of, ..)| *of == number).map(|(.., paid)| *paid).sum();
        let mut recounted = Recounted::of(revision, dealership, package, &mut count, prices);
        recounted.settle(own, paid);
        Some(recounted)
    });
    let mut recounted: Vec<Recounted<'_>> = recounted.collect();
    note_oldest(&mut recounted);
    Ok(recounted)
}

/// Tells each what the oldest message is that is left of its period.
fn note_oldest(recounted: &mut [Recounted<'_>]) {
    let mut oldest: BTreeMap<Period, i64> = BTreeMap::new();
    for one in &*recounted {
        let first = one.tally.contacts.iter().map(|(_, contact)| contact.first_at).min();
        if let Some(first) = first {
            let known = oldest.entry(one.invoice().period).or_insert(first);
            *known = first.min(*known);
        }
    }
    for one in recounted {
        one.oldest = oldest.get(&one.invoice().period).map(|first| instant(*first));
    }
}

/// Everyone of the register is known to it; only the invoiced are counted.
fn counter(
    dealerships: &[Dealership],
    standing: &BTreeMap<String, Revision>,
    ignored_statuses: &[String],
) -> Counter {
    let counted = dealerships.iter().filter_map(|dealership| {
        Some(Counted {
            dealership_id: dealership.id.clone(),
            period: standing.get(&dealership.id)?.invoice.period,
            has_package: true,
            in_scope: true,
        })
    });
    Counter::new(counted.collect(), None, ignored_statuses)
}

impl<'a> Recounted<'a> {
    fn of(
        revision: Revision,
        dealership: Dealership,
        package: Option<u64>,
        count: &mut Count,
        prices: &'a PriceTable,
    ) -> Self {
        let invoice = &revision.invoice;
        let window = count.windows.iter().find(|window| window.period == invoice.period);
        let purged = invoice.usage.buckets.total() > 0 && window.is_some_and(|w| w.rows == 0);
        let tally = count.tallies.remove(&dealership.id).unwrap_or_default();
        let lines = package.map_or_else(
            || Ok(Vec::new()),
            |package| prices.lines(package, tally.uam(), tally.hsm()),
        );
        Self {
            revision,
            dealership,
            package,
            tally,
            lines,
            adjustments: Applied::default(),
            paid: Money::ZERO,
            paid_back: Money::ZERO,
            purged,
            oldest: None,
            prices,
        }
    }

    /// Applies the dealership's adjustments, and what was paid for the invoice.
    fn settle(&mut self, adjustments: &[Adjustment], paid: Money) {
        let Invoice { number, month, .. } = self.revision.invoice;
        if let Ok(lines) = &self.lines
            && self.package.is_some()
        {
            let subtotal = lines.iter().map(|line| line.amount).sum();
            self.adjustments = apply(adjustments, month, Some(number), subtotal);
        }
        self.paid = paid;
        self.paid_back = paid_back(adjustments, number);
    }

    /// The invoice as it stands.
    #[must_use]
    pub fn invoice(&self) -> &Invoice {
        &self.revision.invoice
    }

    /// What an invoice of today would change, contact by contact and line by line.
    ///
    /// # Errors
    /// [`LedgerError`] where the evidence of the invoice cannot be read.
    pub async fn difference(&self, office: &Office) -> Result<Difference, LedgerError> {
        let today = Today {
            party: self.dealership.party(),
            package: self.package,
            uam: self.tally.uam(),
            hsm: self.tally.hsm(),
            contacts: self.contacts(office).await?,
            lines: self.lines.as_ref().ok().map(|own| [own, &self.adjustments.lines[..]].concat()),
            prices: self.prices,
        };
        Ok(Difference::between(self.invoice(), &today))
    }

    /// Up to when the period's messages were deleted, where that explains the whole difference: the oldest
    /// message that is left.
    #[must_use]
    pub fn deleted_before(&self, difference: &Difference) -> Option<DateTime<Utc>> {
        self.oldest.filter(|oldest| difference.is_retention(*oldest))
    }

    async fn contacts(&self, office: &Office) -> Result<Contacts, LedgerError> {
        let invoice = self.invoice();
        let now = evidence::csv(self.tally.contacts.iter(), &office.key);
        if sha256_hex(now.as_bytes()) == invoice.evidence_sha256 {
            return Ok(Contacts::default());
        }
        let corrupt = |error: &dyn std::fmt::Display| {
            LedgerError::Corrupt(format!("the evidence of {}: {error}", invoice.label()))
        };
        let file = office.ledger.file(invoice.number, invoice.revision, FileKind::Evidence).await?;
        let file = file.ok_or_else(|| corrupt(&"it is missing"))?;
        let before = String::from_utf8(file).map_err(|error| corrupt(&error))?;
        let before = evidence::parse(&before).map_err(|error| corrupt(&error))?;
        let now = evidence::parse(&now).map_err(|error| corrupt(&error))?;
        Ok(Contacts::between(&before, &now))
    }

    /// The month as it would be issued today; `None` where it has no package or no price.
    #[must_use]
    pub fn draft(&self) -> Option<Draft<'_>> {
        let invoice = self.invoice();
        Some(Draft {
            dealership: &self.dealership,
            month: invoice.month,
            period: invoice.period,
            timezone: invoice.timezone,
            package: self.package?,
            tally: self.tally.clone(),
            lines: self.lines.as_ref().ok()?.clone(),
            adjustments: self.adjustments.clone(),
            paid: self.paid,
            paid_back: self.paid_back,
            // The months before are what they were when the month was first issued.
            history: invoice.history.clone(),
        })
    }
}
