//! What a close or a rerun would make of a month, as a hash that binds its release to it: what a person saw is what
//! is issued, or nothing is (spec §3.4).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::bill::bill::Bill;
use crate::bill::difference::Cause;
use crate::bill::exception::Exception;
use crate::bill::invoice::Invoice;
use crate::calendar::month::Month;
use crate::count::evidence::sha256_hex;
use crate::count::tally::Buckets;
use crate::party::register::Party;
use crate::price::item::Line;

/// A plan's hash: 64 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct PlanHash(String);

/// The text is no hash of a plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no plan: 64 hexadecimal digits, as --dry-run names it")]
pub struct InvalidPlan(String);

impl PlanHash {
    /// Of what a person is to decide about.
    #[must_use]
    pub fn of<T: Serialize>(plan: &T) -> Self {
        Self(sha256_hex(json(plan).as_bytes()))
    }
}

impl FromStr for PlanHash {
    type Err = InvalidPlan;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_hash = text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit());
        if is_hash {
            Ok(Self(text.to_ascii_lowercase()))
        } else {
            Err(InvalidPlan(text.to_owned()))
        }
    }
}

impl TryFrom<String> for PlanHash {
    type Error = InvalidPlan;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl fmt::Display for PlanHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a month would be afterwards, in what a person decides about: no number, no day and no payment is part of
/// it, so that it is the same a day later, and while a close that was interrupted goes on.
#[derive(Debug, Clone, Serialize)]
pub struct Plan<'a> {
    /// Which month.
    pub month: Month,
    /// The dealerships that were named; `None` is everyone.
    pub selection: Option<BTreeSet<&'a str>>,
    /// Each dealership with an invoice, those that stand and those that would be issued.
    pub bills: BTreeMap<&'a str, Planned>,
    /// All messages by bucket; a rerun has none.
    pub buckets: Option<Buckets>,
    /// What would be left to a person.
    pub exceptions: Vec<&'a Exception>,
}

/// One dealership's part of a plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Planned {
    /// As the invoice prints it; none where nothing can be issued.
    party: Option<Party>,
    /// All lines, credits and charges too; none where nothing can be issued.
    lines: Vec<Line>,
    /// Contacts, HSM and what became of its messages.
    used: Option<(u64, u64, Buckets)>,
    /// Why a person is to look at what stands, or must accept what would be issued. Why an invoice becomes another
    /// one is no part of a plan, but what it becomes: so that a rerun that was interrupted goes on by its plan.
    causes: Vec<Cause>,
}

impl Planned {
    /// An invoice that stands, and what of it would be otherwise today.
    #[must_use]
    pub fn standing(invoice: &Invoice, causes: Vec<Cause>) -> Self {
        let usage = &invoice.usage;
        Self {
            party: Some(invoice.dealership.clone()),
            lines: invoice.lines.clone(),
            used: Some((usage.uam, usage.hsm, usage.buckets)),
            causes,
        }
    }

    /// What would be issued, or stands as it would be issued today.
    #[must_use]
    pub fn of(bill: &Bill<'_>) -> Self {
        let tally = &bill.tally;
        Self {
            party: Some(bill.case.dealership.party()),
            lines: bill.charge.all_lines(),
            used: Some((tally.uam(), tally.hsm(), tally.buckets)),
            causes: Vec::new(),
        }
    }

    /// Nothing is issued until a person has decided about these causes, or fixed what is missing.
    #[must_use]
    pub fn refused(causes: Vec<Cause>) -> Self {
        Self { party: None, lines: Vec::new(), used: None, causes }
    }
}

impl Plan<'_> {
    /// Equal plans have equal hashes, on every machine; the order in which things were found is no part of it.
    #[must_use]
    pub fn hash(&self) -> PlanHash {
        let mut exceptions: Vec<String> = self.exceptions.iter().map(json).collect();
        exceptions.sort_unstable();
        let Self { month, selection, bills, buckets, exceptions: _ } = self;
        PlanHash::of(&(month, selection, bills, buckets, exceptions))
    }
}

/// Such types have no map with other keys than text, nor anything else that JSON lacks.
fn json<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bill::bill::Use;
    use crate::bill::exception::Reason;
    use crate::price::table::tests::table;

    fn planned(uam: u64) -> Planned {
        Planned {
            party: Some(Party {
                name: "São João Veículos Ltda".to_owned(),
                trade_name: String::new(),
                cnpj: "11.222.333/0001-81".parse().unwrap(),
                address: "Rua A, 1".to_owned(),
                city: "Caxias do Sul".to_owned(),
                state: "RS".parse().unwrap(),
                postal_code: None,
            }),
            lines: table().lines(Use::plain(5000, uam, 310)).unwrap(),
            used: Some((uam, 310, Buckets { counted: 9300, ..Buckets::default() })),
            causes: Vec::new(),
        }
    }

    fn exception(id: &str) -> Exception {
        let reason = Reason::NoContract;
        Exception { dealership_id: Some(id.to_owned()), reason, messages: 12, detail: None }
    }

    #[test]
    fn whatever_a_person_decides_about_is_part_of_a_plan() {
        let (d7, d8) = (exception("d7"), exception("d8"));
        let plan = Plan {
            month: "2026-10".parse().unwrap(),
            selection: None,
            bills: BTreeMap::from([("d1", planned(5123))]),
            buckets: Some(Buckets { counted: 9300, ..Buckets::default() }),
            exceptions: vec![&d7, &d8],
        };
        let hash = plan.hash();
        assert_eq!(hash.to_string().parse::<PlanHash>().unwrap(), hash);
        assert_eq!(
            Plan { exceptions: vec![&d8, &d7], ..plan.clone() }.hash(),
            hash,
            "in any order"
        );
        let mut register = planned(5123);
        register.party.as_mut().unwrap().name.push('.');
        let mut caused = planned(5123);
        caused.causes.push(Cause::Late);
        // A contact within the package changes no line.
        let mut used = planned(5123);
        used.used = Some((5124, 310, Buckets::default()));
        let bills = |planned| BTreeMap::from([("d1", planned)]);
        let others = [
            Plan { month: "2026-11".parse().unwrap(), ..plan.clone() },
            Plan { selection: Some(BTreeSet::from(["d1"])), ..plan.clone() },
            Plan { bills: bills(planned(5124)), ..plan.clone() },
            Plan { bills: bills(register), ..plan.clone() },
            Plan { bills: bills(caused), ..plan.clone() },
            Plan { bills: bills(used), ..plan.clone() },
            Plan { bills: bills(Planned::refused(vec![Cause::Loss])), ..plan.clone() },
            Plan { bills: BTreeMap::from([("d2", planned(5123))]), ..plan.clone() },
            Plan { buckets: Some(Buckets { counted: 9301, ..Buckets::default() }), ..plan.clone() },
            Plan { exceptions: vec![&d7], ..plan.clone() },
        ];
        let hashes: BTreeSet<String> = others.iter().map(|plan| plan.hash().to_string()).collect();
        assert_eq!(hashes.len(), others.len());
        assert!(!hashes.contains(&hash.to_string()));
    }

    #[test]
    fn what_is_no_hash_is_refused() {
        for text in ["", "abc", &"g".repeat(64)] {
            assert!(text.parse::<PlanHash>().is_err());
        }
    }
}
