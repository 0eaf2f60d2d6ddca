//! What of a closed month would be otherwise today, for a person who decides what of it is issued: the dry run of a
//! rerun, with what is needed to name its plan for any part of it that is accepted.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::actions::recount::{Found, RecountError, Recounted, Stuck, find, recount};
use crate::actions::rerun::Accepted;
use crate::messages::Sources;
use crate::setup::office::Office;
use fecha_core::bill::contact_changes::ContactChanges;
use fecha_core::bill::difference::{Cause, Change, Difference, LineChange};
use fecha_core::bill::effect::effects;
use fecha_core::bill::invoice::Number;
use fecha_core::bill::plan::{Plan, PlanHash, Planned};
use fecha_core::calendar::month::Month;
use fecha_core::price::money::Money;

/// A month beside its invoices; the ledger keeps it as JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Compared {
    /// Which.
    pub month: Month,
    /// As of when.
    pub at: DateTime<Utc>,
    /// How many invoices would be the same.
    pub unchanged: usize,
    /// The others, the most money first.
    pub differing: Vec<Differing>,
}

/// An invoice that would be another one today.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Differing {
    /// The number.
    pub number: Number,
    /// The revision that stands.
    pub revision: u32,
    /// Who is invoiced.
    pub dealership_id: String,
    /// By name.
    pub name: String,
    /// Whether it can be revised; else why not.
    pub can: Can,
    /// What changed; `None` where that cannot be said.
    pub changed: Option<Changed>,
}

/// Whether an invoice can be revised.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Can {
    /// As this, where its causes are accepted.
    BeRevised(Box<Planned>),
    /// Not, whatever is accepted.
    Not(Stuck),
}

/// What changed of an invoice.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Changed {
    /// Every cause.
    pub causes: Vec<Cause>,
    /// What they are worth; they add up.
    pub effects: Vec<(Cause, Money)>,
    /// The total; none where today's use has no price.
    pub total: Change<Option<Money>>,
    /// Unique active contacts.
    pub uam: Change<u64>,
    /// Template messages.
    pub hsm: Change<u64>,
    /// The package, in contacts.
    pub package: Change<Option<u64>>,
    /// Contact by contact.
    pub contacts: ContactChanges,
    /// Line by line.
    pub lines: Vec<LineChange>,
    /// Printed fields of the register: the column, as invoiced, as it is.
    pub register: Vec<(String, String, String)>,
    /// Where messages before this instant were deleted, and that explains all of it.
    pub left_from: Option<DateTime<Utc>>,
}

/// Counts a month again and compares it with its invoices; issues nothing.
///
/// # Errors
/// [`RecountError`].
pub async fn compare_month(
    office: &Office,
    source: &Sources,
    month: Month,
    now: DateTime<Utc>,
    progress: impl Fn(u64) + Send + Sync + 'static,
) -> Result<Compared, RecountError> {
    let standing = office.ledger.standing_invoices(month).await?;
    let mut compared = Compared { month, at: now, unchanged: 0, differing: Vec::new() };
    for recounted in recount(office, source, month, standing, now, progress).await? {
        match find(office, &recounted).await? {
            Found::Same => compared.unchanged += 1,
            Found::Differs { difference, left_from } => {
                let planned = recounted.today.as_ref().map(Planned::of);
                let can = planned.map_or_else(
                    |unbilled| Can::Not(Stuck::NoPrice(unbilled.why.to_string())),
                    |planned| Can::BeRevised(Box::new(planned)),
                );
                let changed = Some(Changed::of(&recounted, &difference, left_from));
                compared.differing.push(Differing::of(&recounted, can, changed));
            }
            Found::Stuck(difference, stuck) => {
                let changed = difference.map(|one| Changed::of(&recounted, &one, None));
                compared.differing.push(Differing::of(&recounted, Can::Not(stuck), changed));
            }
        }
    }
    compared.differing.sort_by_key(|one| {
        let change = one.change().map_or(0, |change| change.centavos().abs());
        (std::cmp::Reverse(change), one.dealership_id.clone())
    });
    Ok(compared)
}

impl Differing {
    fn of(recounted: &Recounted<'_>, can: Can, changed: Option<Changed>) -> Self {
        let invoice = &recounted.invoice;
        Self {
            number: invoice.number,
            revision: invoice.revision,
            dealership_id: invoice.dealership_id.clone(),
            name: invoice.dealership.name.clone(),
            can,
            changed,
        }
    }

    /// By how much the total differs.
    #[must_use]
    pub fn change(&self) -> Option<Money> {
        let total = self.changed.as_ref()?.total;
        Some(total.now? - total.before?)
    }

    /// Its causes.
    #[must_use]
    pub fn causes(&self) -> &[Cause] {
        self.changed.as_ref().map_or(&[], |changed| &changed.causes)
    }

    /// Whether all its causes are accepted, so that a revision is issued.
    #[must_use]
    pub fn is_chosen(&self, accepted: &Accepted) -> bool {
        let is_accepted = |cause: &Cause| accepted.covers(&self.dealership_id, *cause);
        matches!(self.can, Can::BeRevised(_)) && self.causes().iter().all(is_accepted)
    }
}

impl Changed {
    fn of(
        recounted: &Recounted<'_>,
        difference: &Difference,
        left_from: Option<DateTime<Utc>>,
    ) -> Self {
        let today = recounted.today.as_ref();
        let effects =
            today.map(|bill| effects(&recounted.invoice, difference, bill.rates, bill.used())).ok();
        let field = |one: &fecha_core::bill::difference::FieldChange| {
            (one.field.to_owned(), one.before.clone(), one.now.clone())
        };
        Self {
            causes: difference.causes(),
            effects: effects.unwrap_or_default(),
            total: difference.total,
            uam: difference.uam,
            hsm: difference.hsm,
            package: difference.package,
            contacts: difference.contacts,
            lines: difference.lines.clone(),
            register: difference.register.iter().map(field).collect(),
            left_from,
        }
    }
}

/// The part of a comparison that a person accepts.
#[derive(Debug, Clone, PartialEq)]
pub struct Chosen {
    /// Whose invoices are revised, by id.
    pub dealerships: Vec<String>,
    /// By how much the month changes.
    pub change: Money,
    /// What a rerun of exactly these is bound to.
    pub plan: PlanHash,
}

impl Compared {
    /// What is worth how much, by cause: how many invoices have it, and what it changes of all of them.
    #[must_use]
    pub fn by_cause(&self) -> BTreeMap<Cause, (usize, Money)> {
        let mut causes: BTreeMap<Cause, (usize, Money)> = BTreeMap::new();
        let can = |one: &&Differing| matches!(one.can, Can::BeRevised(_));
        for one in self.differing.iter().filter(can) {
            for cause in one.causes() {
                causes.entry(*cause).or_default().0 += 1;
            }
            for (cause, amount) in one.changed.iter().flat_map(|changed| &changed.effects) {
                let sum = &mut causes.entry(*cause).or_default().1;
                *sum += *amount;
            }
        }
        causes
    }

    /// What the month would change by where every cause is accepted.
    #[must_use]
    pub fn change(&self) -> Money {
        let can = |one: &&Differing| matches!(one.can, Can::BeRevised(_));
        self.differing.iter().filter(can).filter_map(Differing::change).sum()
    }

    /// How many invoices cannot be revised, whatever is accepted.
    #[must_use]
    pub fn stuck(&self) -> usize {
        self.differing.iter().filter(|one| matches!(one.can, Can::Not(_))).count()
    }

    /// The invoices of which every cause is accepted, and the plan of a rerun of exactly those.
    #[must_use]
    pub fn chosen(&self, accepted: &Accepted) -> Chosen {
        let chosen = || self.differing.iter().filter(|one| one.is_chosen(accepted));
        let planned = chosen().filter_map(|one| match &one.can {
            Can::BeRevised(planned) => Some((one.dealership_id.as_str(), Planned::clone(planned))),
            Can::Not(_) => None,
        });
        let ids: BTreeSet<&str> = chosen().map(|one| one.dealership_id.as_str()).collect();
        let plan = Plan {
            month: self.month,
            selection: Some(ids.clone()),
            bills: planned.collect(),
            buckets: None,
            exceptions: Vec::new(),
        };
        Chosen {
            dealerships: ids.into_iter().map(str::to_owned).collect(),
            change: chosen().filter_map(Differing::change).sum(),
            plan: plan.hash(),
        }
    }
}
