//! Which package a dealership has in a month (spec §2 *Contract*).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::calendar::month::Month;

/// From this month on, the dealership has this package; `None` ends the contract.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContractEntry {
    /// Whose contract it is.
    pub dealership_id: String,
    /// The first month of the package.
    pub from_month: Month,
    /// Contacts included, a package of the price table; `None` for `none`.
    pub package: Option<u64>,
}

/// All contract entries of the register.
#[derive(Debug, Clone, Default)]
pub struct Contracts(BTreeMap<String, BTreeMap<Month, Option<u64>>>);

impl Contracts {
    /// The package, in contacts, due in `month`: that of the latest entry whose first month is not
    /// after it. `None` where there is no entry yet or the contract has ended.
    #[must_use]
    pub fn package_in(&self, dealership_id: &str, month: Month) -> Option<u64> {
        let entries = self.0.get(dealership_id)?;
        entries.range(..=month).next_back().and_then(|(_, package)| *package)
    }

    /// Whether it has a package in `month` or in any later month, so that there will be an invoice.
    #[must_use]
    pub fn goes_on_in(&self, dealership_id: &str, month: Month) -> bool {
        let later = self.0.get(dealership_id).map(|entries| entries.range(month..));
        self.package_in(dealership_id, month).is_some()
            || later.is_some_and(|mut later| later.any(|(_, package)| package.is_some()))
    }
}

impl FromIterator<ContractEntry> for Contracts {
    fn from_iter<I: IntoIterator<Item = ContractEntry>>(entries: I) -> Self {
        let mut contracts = Self::default();
        for entry in entries {
            contracts
                .0
                .entry(entry.dealership_id)
                .or_default()
                .insert(entry.from_month, entry.package);
        }
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
