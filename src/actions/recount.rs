//! Counts a month again with today's messages, contracts, prices and register, and compares it with
//! its invoices. `verify` shows the difference, `rerun` issues it.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::actions::book;
use crate::ledger::LedgerError;
use crate::ledger::documents::FileKind;
use crate::messages::{SourceError, Sources};
use crate::setup::office::Office;
use fecha_core::bill::bill::{Bill, Unbilled, bill};
use fecha_core::bill::case::{Case, PackageOf};
use fecha_core::bill::contact_changes::ContactChanges;
use fecha_core::bill::difference::{Changes, Difference};
use fecha_core::bill::invoice::{Invoice, Number};
use fecha_core::calendar::month::{Month, Period};
use fecha_core::count::counter::Counter;
use fecha_core::count::evidence::{self, sha256_hex};
use fecha_core::count::tally::{Count, Tally, instant};
use fecha_core::price::table::{NoPrice, Prices};

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
    pub invoice: Invoice,
    /// What the rules of the invoice make of the messages, where those of today make something else of them.
    by_own_rules: Option<Tally>,
    /// The month as it would be billed today, or why it would not be.
    pub today: Result<Bill<'a>, Box<Unbilled<'a>>>,
    /// The message database has no message at all of a period that messages were counted in.
    pub purged: bool,
    /// The oldest counted message that is left of the period, among all dealerships that were counted.
    oldest: Option<DateTime<Utc>>,
}

/// Counts the invoiced dealerships of a month again, each over the period of its invoice; by id.
///
/// # Errors
/// [`RecountError`].
pub async fn recount<'a>(
    office: &'a Office,
    source: &Sources,
    month: Month,
    standing: BTreeMap<String, Invoice>,
    now: DateTime<Utc>,
    progress: impl Fn(u64) + Send + Sync + 'static,
) -> Result<Vec<Recounted<'a>>, RecountError> {
    if standing.is_empty() {
        return Ok(Vec::new());
    }
    // A month that nobody has a price for is told once.
    office.config.prices.table_for(month)?;
    let book = book::of_invoiced(office, month, standing).await?;
    let invoiced = |case: &Case| case.standing.is_some();
    let cases: Vec<Case> =
        book.cases(PackageOf::TheContract).into_iter().filter(invoiced).collect();
    // Whatever its contract says today, what was invoiced is counted.
    let all = cases.iter().map(|case| {
        let mut counted = case.counted(true, &office.config.prices);
        counted.has_package = true;
        counted
    });
    let counter = Counter::new(all.collect(), None, &office.config.counting.statuses)
        .knowing(&book.numbers, month)
        .with_service_windows(office.config.service_windows);
    let mut count = source.count(counter, now, progress).await?.count;
    Ok(compare(cases, &mut count, &office.config.prices))
}

/// What was counted of invoiced dealerships, each beside its invoice. Takes the contacts out of `count`, and
/// leaves the buckets.
pub(super) fn compare<'a>(
    cases: Vec<Case>,
    count: &mut Count,
    prices: &'a Prices,
) -> Vec<Recounted<'a>> {
    let recounted = cases.into_iter().filter_map(|case| Recounted::of(case, count, prices));
    let mut recounted: Vec<Recounted<'_>> = recounted.collect();
    note_oldest(&mut recounted);
    recounted
}

/// Tells each what the oldest message is that is left of its period.
fn note_oldest(recounted: &mut [Recounted<'_>]) {
    let mut oldest: BTreeMap<Period, i64> = BTreeMap::new();
    for one in &*recounted {
        let first = one.tally().contacts.iter().map(|(_, contact)| contact.first_at).min();
        if let Some(first) = first {
            let known = oldest.entry(one.invoice.period).or_insert(first);
            *known = first.min(*known);
        }
    }
    for one in recounted {
        one.oldest = oldest.get(&one.invoice.period).map(|first| instant(*first));
    }
}

/// What a recount found of one invoice.
#[derive(Debug)]
pub enum Found {
    /// It is the same as before.
    Same,
    /// It would be another one.
    Differs {
        /// What changed.
        difference: Difference,
        /// Where messages before this instant were deleted, and that explains all of it.
        left_from: Option<DateTime<Utc>>,
    },
    /// It cannot be revised, whatever is accepted.
    Stuck(Option<Difference>, Stuck),
}

/// Why an invoice cannot be revised, whatever is accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stuck {
    /// Its messages are not in the message database any more.
    Purged,
    /// Its evidence is not what was issued.
    Damaged(String),
    /// Its contract was removed.
    NoPackage,
    /// Today's use has no price.
    NoPrice(String),
}

impl Stuck {
    /// The same, with what to do, for admins at the command line.
    #[must_use]
    pub fn in_words(&self, number: Number, month: Month) -> String {
        match self {
            Self::Purged => format!(
                "its messages of {month} are not in the message database any more (deleted by retention?): {number} and its evidence stay as issued. Restore the messages to count again"
            ),
            Self::Damaged(what) | Self::NoPrice(what) => what.clone(),
            Self::NoPackage => format!(
                "has no package in {month} any more: void the invoice with `fecha cancel {number} --reason TEXT`, or import its contract"
            ),
        }
    }
}

/// Compares an invoice with what was counted of it again.
///
/// # Errors
/// [`LedgerError`] where its evidence cannot be read.
pub async fn find(office: &Office, recounted: &Recounted<'_>) -> Result<Found, LedgerError> {
    if recounted.purged {
        return Ok(Found::Stuck(None, Stuck::Purged));
    }
    let difference = match recounted.difference(office).await {
        Ok(difference) => difference,
        Err(LedgerError::Corrupt(what)) => {
            let what = format!("{what}: see `fecha verify`");
            return Ok(Found::Stuck(None, Stuck::Damaged(what)));
        }
        Err(damaged @ LedgerError::Damaged { .. }) => {
            return Ok(Found::Stuck(None, Stuck::Damaged(damaged.to_string())));
        }
        Err(error) => return Err(error),
    };
    if difference.is_none() {
        return Ok(Found::Same);
    }
    if difference.package.now.is_none() {
        return Ok(Found::Stuck(Some(difference), Stuck::NoPackage));
    }
    if let Err(unbilled) = &recounted.today {
        let why = unbilled.why.to_string();
        return Ok(Found::Stuck(Some(difference), Stuck::NoPrice(why)));
    }
    let left_from = recounted.deleted_before(&difference);
    Ok(Found::Differs { difference, left_from })
}

impl<'a> Recounted<'a> {
    /// `case` has the package of today's contract, and `count` both its tallies, whose contacts it takes; `None`
    /// where nothing is invoiced.
    fn of(case: Case, count: &mut Count, prices: &'a Prices) -> Option<Self> {
        let invoice = case.standing.clone()?;
        let window = count.windows.iter().find(|window| window.period == invoice.period);
        let purged = invoice.usage.buckets.total() > 0 && window.is_some_and(|w| w.rows == 0);
        let own = count.tallies.get_mut(case.id()).map(Tally::take).unwrap_or_default();
        let (tally, by_own_rules) = match count.beside.remove(case.id()) {
            Some(today) if today.is_counted_otherwise(&own) => (today, Some(own)),
            _ => (own, None),
        };
        let today = bill(case, tally, prices);
        Some(Self { invoice, by_own_rules, today, purged, oldest: None })
    }

    /// Who is invoiced.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.invoice.dealership_id
    }

    /// By the rules of the invoice.
    fn tally(&self) -> &Tally {
        if let Some(own) = &self.by_own_rules {
            return own;
        }
        match &self.today {
            Ok(bill) => &bill.tally,
            Err(unbilled) => &unbilled.tally,
        }
    }

    /// What an invoice of today would change, contact by contact and line by line.
    ///
    /// # Errors
    /// [`LedgerError`] where the evidence of the invoice cannot be read.
    pub async fn difference(&self, office: &Office) -> Result<Difference, LedgerError> {
        let contacts = self.contacts(office).await?;
        let changes = Changes { contacts, by_rules: self.by_own_rules.is_some() };
        let difference = match &self.today {
            Ok(bill) => bill.difference(changes),
            Err(unbilled) => unbilled.difference(changes),
        };
        difference.ok_or_else(|| LedgerError::Corrupt("a recount of no invoice".to_owned()))
    }

    /// Up to when the period's messages were deleted, where that explains the whole difference: the oldest
    /// message that is left.
    #[must_use]
    pub fn deleted_before(&self, difference: &Difference) -> Option<DateTime<Utc>> {
        self.oldest.filter(|oldest| difference.is_retention(*oldest))
    }

    async fn contacts(&self, office: &Office) -> Result<ContactChanges, LedgerError> {
        let invoice = &self.invoice;
        // Under the rule of the invoice: a new one makes other ids of the same contacts.
        let ids = office.key.ids(invoice.evidence_ids, self.id());
        let now = evidence::csv(self.tally(), &ids);
        if sha256_hex(now.as_bytes()) == invoice.evidence_sha256 {
            return Ok(ContactChanges::default());
        }
        let corrupt = |error: &dyn std::fmt::Display| {
            LedgerError::Corrupt(format!("the evidence of {}: {error}", invoice.label()))
        };
        let file = office.ledger.file(invoice.number, invoice.revision, FileKind::Evidence).await?;
        let file = file.ok_or_else(|| corrupt(&"it is missing"))?;
        let before = String::from_utf8(file).map_err(|error| corrupt(&error))?;
        let before = evidence::parse(&before).map_err(|error| corrupt(&error))?;
        let now = evidence::parse(&now).map_err(|error| corrupt(&error))?;
        Ok(ContactChanges::between(&before, &now))
    }
}
