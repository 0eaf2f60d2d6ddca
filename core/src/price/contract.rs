//! What a dealership has agreed on for a month: its package, and by which prices (spec §2 *Contract*).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::calendar::month::Month;
use crate::price::discount::Discount;
use crate::price::list::ListName;

/// From this month on, the dealership has this package; `None` ends the contract.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContractEntry {
    /// Whose contract it is.
    pub dealership_id: String,
    /// The first month of the package.
    pub from_month: Month,
    /// Contacts included, a package of the price table; `None` for `none`.
    pub package: Option<u64>,
    /// By whose price tables; `None` is the standard list. None where the contract ends.
    pub list: Option<ListName>,
    /// Off the sum of the table's lines. None where the contract ends.
    pub discount: Discount,
}

/// What a dealership has agreed on for a month.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agreed {
    /// Contacts included.
    pub package: u64,
    /// By whose price tables; `None` is the standard list.
    pub list: Option<ListName>,
    /// Off the sum of the table's lines.
    pub discount: Discount,
}

impl Agreed {
    /// A package at the standard prices.
    #[must_use]
    pub fn standard(package: u64) -> Self {
        Self { package, list: None, discount: Discount::NONE }
    }
}

impl ContractEntry {
    /// What holds from its month on; `None` where it ends the contract.
    #[must_use]
    pub fn agreed(&self) -> Option<Agreed> {
        let Self { dealership_id: _, from_month: _, package, list, discount } = self;
        package.map(|package| Agreed { package, list: list.clone(), discount: *discount })
    }
}

/// All contract entries of the register.
#[derive(Debug, Clone, Default)]
pub struct Contracts(BTreeMap<String, BTreeMap<Month, Option<Agreed>>>);

impl Contracts {
    /// What is agreed on for `month`: the latest entry whose first month is not after it. `None` where there
    /// is no entry yet or the contract has ended.
    #[must_use]
    pub fn agreed_in(&self, dealership_id: &str, month: Month) -> Option<&Agreed> {
        let entries = self.0.get(dealership_id)?;
        entries.range(..=month).next_back().and_then(|(_, agreed)| agreed.as_ref())
    }

    /// The package of it, in contacts.
    #[must_use]
    pub fn package_in(&self, dealership_id: &str, month: Month) -> Option<u64> {
        self.agreed_in(dealership_id, month).map(|agreed| agreed.package)
    }

    /// Whether it has a package in `month` or in any later month, so that there will be an invoice.
    #[must_use]
    pub fn goes_on_in(&self, dealership_id: &str, month: Month) -> bool {
        let later = self.0.get(dealership_id).map(|entries| entries.range(month..));
        self.package_in(dealership_id, month).is_some()
            || later.is_some_and(|mut later| later.any(|(_, agreed)| agreed.is_some()))
    }
}

impl Extend<ContractEntry> for Contracts {
    fn extend<I: IntoIterator<Item = ContractEntry>>(&mut self, entries: I) {
        for entry in entries {
            let agreed = entry.agreed();
            self.0.entry(entry.dealership_id).or_default().insert(entry.from_month, agreed);
        }
    }
}

impl FromIterator<ContractEntry> for Contracts {
    fn from_iter<I: IntoIterator<Item = ContractEntry>>(entries: I) -> Self {
        let mut contracts = Self::default();
        contracts.extend(entries);
        contracts
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("d1", "2026-07", None)]
    #[case("d1", "2026-08", Some(5000))]
    #[case("d1", "2026-09", Some(5000))]
    #[case("d1", "2026-10", Some(10_000))]
    #[case("d1", "2026-12", None)]
    #[case("d1", "2027-05", Some(25_000))]
    #[case("D1", "2026-09", None)]
    fn the_latest_entry_not_after_the_month(
        #[case] id: &str,
        #[case] month: &str,
        #[case] package: Option<u64>,
    ) {
        let contracts = contracts(&[
            ("2026-10", Some(10_000)),
            ("2026-08", Some(5000)),
            ("2026-12", None),
            ("2027-05", Some(25_000)),
        ]);
        assert_eq!(contracts.package_in(id, month.parse().unwrap()), package);
    }

    fn contracts(entries: &[(&str, Option<u64>)]) -> Contracts {
        let entry = |(from, package): &(&str, Option<u64>)| ContractEntry {
            dealership_id: "d1".to_owned(),
            from_month: from.parse().unwrap(),
            package: *package,
            list: None,
            discount: Discount::NONE,
        };
        entries.iter().map(entry).collect()
    }

    #[rstest]
    #[case("d1", "2026-07", true)] // it is to come
    #[case("d1", "2026-11", true)]
    #[case("d1", "2026-12", true)] // there is a pause
    #[case("d1", "2027-05", true)]
    #[case("d1", "2027-08", false)]
    #[case("d2", "2026-11", false)]
    fn a_contract_goes_on_where_an_invoice_is_to_come(
        #[case] id: &str,
        #[case] month: &str,
        #[case] expected: bool,
    ) {
        let entries = [
            ("2026-08", Some(5000)),
            ("2026-12", None),
            ("2027-05", Some(5000)),
            ("2027-08", None),
        ];
        assert_eq!(contracts(&entries).goes_on_in(id, month.parse().unwrap()), expected);
    }
}
