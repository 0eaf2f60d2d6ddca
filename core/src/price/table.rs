//! The price table, and use times prices: the lines of an invoice (spec §2 *Price*).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::calendar::month::Month;
use crate::price::item::{Item, Line};
use crate::price::money::{Money, UnitPrice};

/// The prices from one month on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriceTable {
    /// The first month for which the table holds.
    pub from: Month,
    /// For each contact above the package.
    pub overage: UnitPrice,
    /// For each HSM.
    pub hsm: UnitPrice,
    /// Monthly price by contacts included.
    pub packages: BTreeMap<u64, Money>,
}

/// All price tables; each month has the latest one that is not after it.
#[derive(Debug, Clone, Default)]
pub struct Prices(BTreeMap<Month, PriceTable>);

/// Why a dealership's use has no price.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoPrice {
    /// The first table begins later.
    #[error(
        "no price table holds for {month}: add a [[prices]] entry whose `from` is not after it"
    )]
    Month {
        /// The month to be priced.
        month: Month,
    },
    /// The month's table has other packages.
    #[error(
        "the price table from {table} has no package of {package} contacts (it has {known}): add it to [[prices]], or correct the contract"
    )]
    Package {
        /// The first month of the table.
        table: Month,
        /// What the contract names, in contacts.
        package: u64,
        /// What the table has.
        known: String,
    },
    /// The product does not fit the ledger.
    #[error("the amount of {quantity} × {price} is too large")]
    TooLarge {
        /// How many.
        quantity: u64,
        /// For each.
        price: UnitPrice,
    },
}

impl Prices {
    /// The table for `month`.
    ///
    /// # Errors
    /// [`NoPrice::Month`] where even the first table begins after it.
    pub fn table_for(&self, month: Month) -> Result<&PriceTable, NoPrice> {
        self.0.range(..=month).next_back().map(|(_, table)| table).ok_or(NoPrice::Month { month })
    }

    /// All tables, by first month.
    pub fn tables(&self) -> impl Iterator<Item = &PriceTable> {
        self.0.values()
    }
}

impl FromIterator<PriceTable> for Prices {
    fn from_iter<I: IntoIterator<Item = PriceTable>>(tables: I) -> Self {
        Self(tables.into_iter().map(|table| (table.from, table)).collect())
    }
}

impl PriceTable {
    /// The monthly price of a package.
    ///
    /// # Errors
    /// [`NoPrice::Package`], which names the packages that there are.
    pub fn package_price(&self, package: u64) -> Result<Money, NoPrice> {
        self.packages.get(&package).copied().ok_or_else(|| NoPrice::Package {
            table: self.from,
            package,
            known: self.packages.keys().map(u64::to_string).collect::<Vec<_>>().join(", "),
        })
    }

    /// The lines for this use: package, overage and HSM, always all three, so that an invoice also
    /// shows what was not used.
    ///
    /// # Errors
    /// [`NoPrice`] where the package is unknown or an amount is beyond all bounds.
    pub fn lines(&self, package: u64, uam: u64, hsm: u64) -> Result<Vec<Line>, NoPrice> {
        let line = |item, quantity, price: UnitPrice| {
            let amount = price.times(quantity).ok_or(NoPrice::TooLarge { quantity, price })?;
            Ok(Line { item, quantity, unit_price: price.reais(), amount })
        };
        Ok(vec![
            line(Item::Package { contacts: package }, 1, self.package_price(package)?.into())?,
            line(Item::Overage, uam.saturating_sub(package), self.overage)?,
            line(Item::Hsm, hsm, self.hsm)?,
        ])
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    /// The table of spec §2.
    pub fn table() -> PriceTable {
        let packages =
            [(5000, "1014.00"), (10_000, "1827.00"), (25_000, "3920.00"), (50_000, "7380.00")];
        PriceTable {
            from: "2020-08".parse().unwrap(),
            overage: "0.29".parse().unwrap(),
            hsm: "0.46".parse().unwrap(),
            packages: packages.map(|(contacts, price)| (contacts, price.parse().unwrap())).into(),
        }
    }

    fn total(package: u64, uam: u64, hsm: u64) -> String {
        let lines = table().lines(package, uam, hsm).unwrap();
        lines.iter().map(|line| line.amount).sum::<Money>().to_string()
    }

    #[rstest]
    #[case(5000, 0, 0, "1014.00")] // due in full with no use
    #[case(5000, 5000, 0, "1014.00")]
    #[case(5000, 5001, 0, "1014.29")]
    #[case(5000, 5123, 310, "1192.27")] // the example of spec §3.4
    #[case(10_000, 7803, 0, "1827.00")]
    #[case(5000, 7803, 0, "1826.87")] // just below the break-even with 10,000 …
    #[case(5000, 7804, 0, "1827.16")] // … and just above it
    #[case(25_000, 25_000, 1, "3920.46")]
    #[case(50_000, 60_000, 0, "10280.00")]
    fn costs(#[case] package: u64, #[case] uam: u64, #[case] hsm: u64, #[case] expected: &str) {
        assert_eq!(total(package, uam, hsm), expected);
    }

    #[test]
    fn the_month_chooses_the_table() {
        let later = PriceTable { from: "2027-01".parse().unwrap(), ..table() };
        let prices: Prices = [later, table()].into_iter().collect();
        let from =
            |month: &str| prices.table_for(month.parse().unwrap()).map(|t| t.from.to_string());
        assert_eq!(from("2020-08").unwrap(), "2020-08");
        assert_eq!(from("2026-12").unwrap(), "2020-08");
        assert_eq!(from("2027-01").unwrap(), "2027-01");
        insta::assert_snapshot!(from("2020-07").unwrap_err(), @"no price table holds for 2020-07: add a [[prices]] entry whose `from` is not after it");
    }

    #[test]
    fn an_unknown_package_is_named_beside_the_known_ones() {
        insta::assert_snapshot!(
            table().package_price(7000).unwrap_err(),
            @"the price table from 2020-08 has no package of 7000 contacts (it has 5000, 10000, 25000, 50000): add it to [[prices]], or correct the contract"
        );
    }

    proptest! {
        // With these prices nothing is ever rounded: the sum in integers is the total.
        #[test]
        fn lines_add_up_to_the_total(uam in 0_u64..2_000_000, hsm in 0_u64..2_000_000) {
            let lines = table().lines(5000, uam, hsm).unwrap();
            let total: Money = lines.iter().map(|line| line.amount).sum();
            let expected = 101_400 + 29 * uam.saturating_sub(5000) + 46 * hsm;
            prop_assert_eq!(total.centavos(), i64::try_from(expected).unwrap());
        }
    }
}
