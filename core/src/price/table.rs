//! The price tables, and use times prices: the lines of an invoice (spec §2 *Price*, *Price lists*).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::bill::bill::Use;
use crate::calendar::month::Month;
use crate::count::sending::Kind;
use crate::price::item::{Item, Line};
use crate::price::list::ListName;
use crate::price::messages::{Free, MessagePrice, share_out};
use crate::price::money::{Money, UnitPrice};
use crate::price::monthly::{MonthlyPrice, Per};

/// The prices from one month on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriceTable {
    /// The first month for which the table holds.
    pub from: Month,
    /// Of which list; `None` is the standard one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list: Option<ListName>,
    /// For each contact above a package that has no price of its own for it.
    pub overage: UnitPrice,
    /// For each HSM.
    pub hsm: UnitPrice,
    /// Monthly price by contacts included.
    pub packages: BTreeMap<u64, Money>,
    /// For each contact above the packages that have their own price for it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub own_overage: BTreeMap<u64, UnitPrice>,
    /// Messages that have prices of their own, in the order in which they are asked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub messages: Vec<MessagePrice>,
    /// What is due without use, in the order of the invoice.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub monthly: Vec<MonthlyPrice>,
}

/// All price tables; of each list, a month has the latest one that is not after it.
#[derive(Debug, Clone, Default)]
pub struct Prices(BTreeMap<Option<ListName>, BTreeMap<Month, PriceTable>>);

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
    /// There is no list of this name.
    #[error(
        "there is no price list '{list}' ({known}): add `list = \"{list}\"` to a [[prices]] entry, or correct the contract"
    )]
    List {
        /// As the contract names it.
        list: ListName,
        /// Which there are, in words.
        known: String,
    },
    /// The first table of the list begins later.
    #[error(
        "no table of the price list '{list}' holds for {month}: add a [[prices]] entry with `list = \"{list}\"` whose `from` is not after it"
    )]
    ListMonth {
        /// As the contract names it.
        list: ListName,
        /// The month to be priced.
        month: Month,
    },
    /// The month's table has other packages.
    #[error(
        "the price table{} from {table} has no package of {package} contacts (it has {known}): add it to [[prices]], or correct the contract", in_list(list.as_ref())
    )]
    Package {
        /// The list of the table; `None` is the standard one.
        list: Option<ListName>,
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
    /// What is told apart of the messages does not add up to what was counted.
    #[error(
        "its messages by category do not add up to those that were counted: nothing is charged by such a count; run it again, and tell us"
    )]
    Unproved,
    /// An invoice does not know the categories of its messages, or by which numbers they went.
    #[error(
        "{what} was not counted by category{by_number}: these prices cannot be tried on it. Take months that were"
    )]
    NotToldApart {
        /// Which one, in words.
        what: String,
        /// In words, where these prices ask for numbers.
        by_number: &'static str,
    },
    /// There are more kinds of messages than anybody prices.
    #[error(
        "its messages have more than a thousand different categories and numbers: look at the columns `category` and `number` of the relation"
    )]
    TooManyKinds,
}

impl Prices {
    /// The standard table for `month`.
    ///
    /// # Errors
    /// [`NoPrice::Month`] where even the first table begins after it.
    pub fn table_for(&self, month: Month) -> Result<&PriceTable, NoPrice> {
        self.table_of(None, month)
    }

    /// The table of a list for `month`; a list without one is never priced by another list.
    ///
    /// # Errors
    /// [`NoPrice::List`] where there is no such list, [`NoPrice::Month`] and [`NoPrice::ListMonth`] where even
    /// its first table begins after the month.
    pub fn table_of(&self, list: Option<&ListName>, month: Month) -> Result<&PriceTable, NoPrice> {
        let tables =
            self.0.iter().find(|(name, _)| name.as_ref() == list).map(|(_, tables)| tables);
        let table = tables.and_then(|tables| tables.range(..=month).next_back());
        match (table, list) {
            (Some((_, table)), _) => Ok(table),
            (None, None) => Err(NoPrice::Month { month }),
            (None, Some(list)) if tables.is_some() => {
                Err(NoPrice::ListMonth { list: list.clone(), month })
            }
            (None, Some(list)) => {
                let names: Vec<String> = self.0.keys().flatten().map(ListName::to_string).collect();
                let known = match names.as_slice() {
                    [] => "no [[prices]] entry has a `list`".to_owned(),
                    names => format!("there are {}", names.join(", ")),
                };
                Err(NoPrice::List { list: list.clone(), known })
            }
        }
    }

    /// The names of the negotiated lists.
    pub fn lists(&self) -> impl Iterator<Item = &ListName> {
        self.0.keys().flatten()
    }

    /// All tables, those of the standard list first, each list by first month.
    pub fn tables(&self) -> impl Iterator<Item = &PriceTable> {
        self.0.values().flat_map(BTreeMap::values)
    }
}

impl FromIterator<PriceTable> for Prices {
    fn from_iter<I: IntoIterator<Item = PriceTable>>(tables: I) -> Self {
        let mut prices = Self::default();
        for table in tables {
            prices.0.entry(table.list.clone()).or_default().insert(table.from, table);
        }
        prices
    }
}

/// ` 'Rede Sul'`, or nothing for the standard list.
fn in_list(list: Option<&ListName>) -> String {
    list.map_or_else(String::new, |list| format!(" '{list}'"))
}

impl PriceTable {
    /// The monthly price of a package.
    ///
    /// # Errors
    /// [`NoPrice::Package`], which names the packages that there are.
    pub fn package_price(&self, package: u64) -> Result<Money, NoPrice> {
        self.packages.get(&package).copied().ok_or_else(|| NoPrice::Package {
            list: self.list.clone(),
            table: self.from,
            package,
            known: self.packages.keys().map(u64::to_string).collect::<Vec<_>>().join(", "),
        })
    }

    /// The price of a contact above a package: its own, where it has one.
    #[must_use]
    pub fn overage_of(&self, package: u64) -> UnitPrice {
        self.own_overage.get(&package).copied().unwrap_or(self.overage)
    }

    /// Whether invoices have lines beside packages, contacts and HSM by it.
    #[must_use]
    pub fn has_entries(&self) -> bool {
        !self.messages.is_empty() || !self.monthly.is_empty()
    }

    /// Whether messages are priced by more than their kind, so that a count must tell them apart.
    #[must_use]
    pub fn is_by_category(&self) -> bool {
        !self.messages.is_empty()
    }

    /// Whether messages that are no templates have a price.
    #[must_use]
    pub fn prices_sessions(&self) -> bool {
        self.messages.iter().any(|entry| entry.kind == Kind::Session)
    }

    /// Whether each number has free messages of its own.
    #[must_use]
    pub fn is_free_by_number(&self) -> bool {
        self.messages.iter().any(|entry| matches!(entry.free, Free::Number(_)))
    }

    /// Whether anything depends on which numbers a dealership has.
    #[must_use]
    pub fn is_by_number(&self) -> bool {
        self.is_free_by_number() || self.monthly.iter().any(|price| price.per == Per::Number)
    }

    /// Whether the prices beside packages, contacts and HSM are others.
    #[must_use]
    pub fn has_other_entries(&self, other: &Self) -> bool {
        self.messages != other.messages || self.monthly != other.monthly
    }

    /// The lines for this use, in the order of the invoice: package, overage and HSM, always all three, so
    /// that an invoice also shows what was not used (but HSM, where the table has entries for messages, only
    /// where none of those takes them); then the entries for messages that took any, and what is due without
    /// use.
    ///
    /// # Errors
    /// [`NoPrice`] where the package is unknown, an amount is beyond all bounds, or the messages that are told
    /// apart are more than all.
    pub fn lines(&self, used: Use<'_>) -> Result<Vec<Line>, NoPrice> {
        let package = used.package;
        let taken = share_out(&self.messages, used)?;
        let mut lines = vec![
            Line::of(Item::Package { contacts: package }, 1, self.package_price(package)?.into())?,
            Line::of(Item::Overage, used.overage(), self.overage_of(package))?,
        ];
        if taken.hsm > 0 || self.messages.is_empty() {
            lines.push(Line::of(Item::Hsm, taken.hsm, self.hsm)?);
        }
        if taken.unbilled_hsm > 0 {
            lines.push(Line::of(Item::UnbilledHsm, taken.unbilled_hsm, Money::ZERO.into())?);
        }
        lines.extend(taken.lines);
        for monthly in &self.monthly {
            lines.push(monthly.line(used)?);
        }
        Ok(lines)
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
            list: None,
            own_overage: BTreeMap::new(),
            messages: Vec::new(),
            monthly: Vec::new(),
        }
    }

    fn total(package: u64, uam: u64, hsm: u64) -> String {
        let lines = table().lines(Use::plain(package, uam, hsm)).unwrap();
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
    fn a_list_is_never_priced_by_another() {
        let list: ListName = "Rede Sul".parse().unwrap();
        let negotiated = PriceTable {
            list: Some(list.clone()),
            from: "2026-03".parse().unwrap(),
            packages: [(5000, "900.00".parse().unwrap())].into(),
            ..table()
        };
        let prices: Prices = [negotiated, table()].into_iter().collect();
        let of = |list: &str, month: &str| {
            let list: ListName = list.parse().unwrap();
            let table = prices.table_of(Some(&list), month.parse().unwrap());
            table.and_then(|table| table.package_price(5000)).map_err(|error| error.to_string())
        };
        assert_eq!(of("Rede Sul", "2026-03"), Ok("900.00".parse().unwrap()));
        insta::assert_snapshot!(of("Rede Sul", "2026-02").unwrap_err(), @r#"no table of the price list 'Rede Sul' holds for 2026-02: add a [[prices]] entry with `list = "Rede Sul"` whose `from` is not after it"#);
        insta::assert_snapshot!(of("Rede sul", "2026-03").unwrap_err(), @r#"there is no price list 'Rede sul' (there are Rede Sul): add `list = "Rede sul"` to a [[prices]] entry, or correct the contract"#);
        let table = prices.table_of(Some(&list), "2026-03".parse().unwrap()).unwrap();
        insta::assert_snapshot!(table.package_price(10_000).unwrap_err(), @"the price table 'Rede Sul' from 2026-03 has no package of 10000 contacts (it has 5000): add it to [[prices]], or correct the contract");
        assert_eq!(prices.table_for("2026-03".parse().unwrap()).unwrap().packages.len(), 4);
    }

    #[test]
    fn a_package_may_have_its_own_overage() {
        let own = [(10_000, "0.2650".parse().unwrap())].into();
        let table = PriceTable { own_overage: own, ..table() };
        let overage = |package, uam| {
            let lines = table.lines(Use::plain(package, uam, 0)).unwrap();
            lines[1].amount.to_string()
        };
        assert_eq!(overage(5000, 5003), "0.87");
        assert_eq!(overage(10_000, 10_003), "0.80"); // 0.795
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
            let lines = table().lines(Use::plain(5000, uam, hsm)).unwrap();
            let total: Money = lines.iter().map(|line| line.amount).sum();
            let expected = 101_400 + 29 * uam.saturating_sub(5000) + 46 * hsm;
            prop_assert_eq!(total.centavos(), i64::try_from(expected).unwrap());
        }
    }
}
