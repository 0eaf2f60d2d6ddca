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
        let entry = |from: &str, package| ContractEntry {
            dealership_id: "d1".to_owned(),
            from_month: from.parse().unwrap(),
            package,
        };
        let contracts: Contracts = [
            entry("2026-10", Some(10_000)),
            entry("2026-08", Some(5000)),
            entry("2026-12", None),
            entry("2027-05", Some(25_000)),
        ]
        .into_iter()
        .collect();
        assert_eq!(contracts.package_in(id, month.parse().unwrap()), package);
    }
}
