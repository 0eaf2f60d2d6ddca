//! A dealership's month before it is counted: who, when, with which package, and what the ledger knows
//! of it already.

use std::collections::BTreeMap;

use chrono_tz::Tz;

use crate::account::note::Note;
use crate::account::payment::{Available, Payment};
use crate::bill::invoice::{Invoice, Number};
use crate::calendar::month::{Month, Period};
use crate::count::rules::CountingRules;
use crate::count::tally::{Apart, Counted};
use crate::party::numbers::{BusinessNumber, Numbers};
use crate::party::register::{Dealership, UnknownDealerships, must_be_known};
use crate::price::advice::PastMonth;
use crate::price::contract::{Agreed, Contracts};
use crate::price::table::Prices;

/// Everything that the ledger knows of a month, from which its cases are made.
#[derive(Debug)]
pub struct MonthBook {
    /// Which month.
    pub month: Month,
    /// The zone of dealerships that have none of their own.
    pub issuer_zone: Tz,
    /// The rules as they are configured.
    pub rules: CountingRules,
    /// The register, by id.
    pub dealerships: Vec<Dealership>,
    /// Who has which package.
    pub contracts: Contracts,
    /// Whose the business numbers are.
    pub numbers: Numbers,
    /// The invoices of the month that stand, by dealership.
    pub standing: BTreeMap<String, Invoice>,
    /// Those of the month before.
    pub before: BTreeMap<String, Invoice>,
    /// Those of the month after.
    pub after: BTreeMap<String, Invoice>,
    /// The invoiced months before, by dealership, the oldest first.
    pub history: BTreeMap<String, Vec<PastMonth>>,
    /// Credit notes and charges, by dealership, by id.
    pub notes: BTreeMap<String, Vec<Note>>,
    /// Payments, by dealership.
    pub payments: BTreeMap<String, Vec<Payment>>,
}

/// Which package, list and discount a month that is invoiced already is billed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PackageOf {
    /// That of its invoice: what is issued keeps it, whatever the register says since.
    TheInvoice,
    /// That of the contract as it is today: what a rerun compares with.
    TheContract,
}

/// A dealership's month before it is counted.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    /// Who, as the register has it today.
    pub dealership: Dealership,
    /// Which month.
    pub month: Month,
    /// The zone of its days.
    pub timezone: Tz,
    /// Its bounds: those of its invoice where it has one; else those of the month in its zone, without a
    /// gap to, or an overlap with, the invoices beside it (spec §2 *Month*).
    pub period: Period,
    /// Package, price list and discount; `None` without a contract.
    pub agreed: Option<Agreed>,
    /// Its numbers of the month: those of its invoice, where it keeps what was agreed on.
    pub numbers: Vec<BusinessNumber>,
    /// By which rules a new revision counts.
    pub rules: CountingRules,
    /// The invoice that stands.
    pub standing: Option<Invoice>,
    /// All credit notes and charges of the dealership, by id.
    pub notes: Vec<Note>,
    /// Its money: what settles the invoice that stands, and what waits.
    pub available: Available,
    /// The invoiced months before it, the oldest first, as its first issue found them.
    pub history: Vec<PastMonth>,
}

impl MonthBook {
    /// Refuses ids that the register lacks.
    ///
    /// # Errors
    /// [`UnknownDealerships`], which names all of them.
    pub fn must_know(&self, ids: &[String]) -> Result<(), UnknownDealerships> {
        let is_known = |id: &str| self.dealerships.iter().any(|dealership| dealership.id == id);
        must_be_known(ids.iter().map(String::as_str), is_known)
    }

    /// The case of every dealership of the register, by id.
    #[must_use]
    pub fn cases(&self, package: PackageOf) -> Vec<Case> {
        let mut owned = self.numbers.owned_in(self.month);
        let case = |dealership: &Dealership| {
            let numbers = owned.remove(dealership.id.as_str()).unwrap_or_default();
            self.case(dealership, package, numbers)
        };
        self.dealerships.iter().map(case).collect()
    }

    fn case(
        &self,
        dealership: &Dealership,
        package: PackageOf,
        registered: Vec<BusinessNumber>,
    ) -> Case {
        let (id, month) = (&dealership.id, self.month);
        let standing = self.standing.get(id);
        let payments = self.payments.get(id).map(Vec::as_slice).unwrap_or_default();
        let timezone = standing.map_or_else(
            || dealership.timezone.unwrap_or(self.issuer_zone),
            |invoice| invoice.timezone,
        );
        let contract = || self.contracts.agreed_in(id, month).cloned();
        let agreed = match package {
            PackageOf::TheContract => contract(),
            PackageOf::TheInvoice => standing.map(Invoice::agreed).or_else(contract),
        };
        Case {
            dealership: dealership.clone(),
            month,
            timezone,
            period: standing.map_or_else(|| self.new_period(id, timezone), |known| known.period),
            numbers: match (package, standing) {
                // It keeps them where its prices asked.
                (PackageOf::TheInvoice, Some(Invoice { prices: Some(prices), numbers, .. }))
                    if prices.is_by_number() =>
                {
                    numbers.clone()
                }
                (PackageOf::TheInvoice | PackageOf::TheContract, _) => registered,
            },
            agreed,
            rules: self.rules,
            standing: standing.cloned(),
            notes: self.notes.get(id).cloned().unwrap_or_default(),
            available: Available::of(payments, standing.map(|invoice| invoice.number)),
            history: standing.map_or_else(
                || self.history.get(id).cloned().unwrap_or_default(),
                |invoice| invoice.history.clone(),
            ),
        }
    }

    /// The month's bounds, but after a change of zone no hour is billed twice or never (spec §2 *Month*).
    fn new_period(&self, id: &str, timezone: Tz) -> Period {
        let natural = self.month.period_in(timezone);
        Period {
            start: self.before.get(id).map_or(natural.start, |invoice| invoice.period.end),
            end: self.after.get(id).map_or(natural.end, |invoice| invoice.period.start),
        }
    }
}

impl Case {
    /// The dealership's id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.dealership.id
    }

    /// The package, in contacts; `None` without a contract.
    #[must_use]
    pub fn package(&self) -> Option<u64> {
        self.agreed.as_ref().map(|agreed| agreed.package)
    }

    /// The number of the invoice that stands.
    #[must_use]
    pub fn number(&self) -> Option<Number> {
        self.standing.as_ref().map(|invoice| invoice.number)
    }

    /// What is to be told apart of its messages.
    fn apart(&self, prices: &Prices) -> Apart {
        let list = self.agreed.as_ref().and_then(|agreed| agreed.list.as_ref());
        match prices.table_of(list, self.month) {
            Ok(table) if table.is_by_category() => Apart::ByCategory {
                sessions: table.prices_sessions(),
                numbers: if table.is_free_by_number() { self.numbers.clone() } else { Vec::new() },
            },
            Ok(_) | Err(_) => Apart::Unbilled,
        }
    }

    /// How it is to be counted, for these prices; out of scope it is only recognised. What is invoiced is counted by the
    /// rules of its invoice, and beside that by those of today.
    #[must_use]
    pub fn counted(&self, in_scope: bool, prices: &Prices) -> Counted {
        let rules = self.standing.as_ref().map_or(self.rules, |invoice| invoice.rules);
        Counted {
            dealership_id: self.dealership.id.clone(),
            period: self.period,
            has_package: self.agreed.is_some(),
            in_scope,
            rules,
            beside: (rules != self.rules).then_some(self.rules),
            apart: self.apart(prices),
        }
    }
}
