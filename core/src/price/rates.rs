//! By what a dealership's month is priced: a table of its list, and the discount of its contract.

use crate::bill::bill::Use;
use crate::price::discount::Discount;
use crate::price::item::{Item, Line};
use crate::price::money::{Money, UnitPrice};
use crate::price::table::{NoPrice, PriceTable};

/// A price table, and what a contract grants on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rates<'a> {
    /// The prices.
    pub table: &'a PriceTable,
    /// Off the sum of the table's lines.
    pub discount: Discount,
}

impl<'a> Rates<'a> {
    /// The prices as they stand in the table.
    #[must_use]
    pub fn without_discount(table: &'a PriceTable) -> Self {
        Self { table, discount: Discount::NONE }
    }

    /// The lines for this use: those of the table, and the discount on their sum where one is granted.
    ///
    /// # Errors
    /// [`NoPrice`] where the package is unknown or an amount is beyond all bounds.
    pub fn lines(self, used: Use<'_>) -> Result<Vec<Line>, NoPrice> {
        let mut lines = self.table.lines(used)?;
        if !self.discount.is_none() {
            let amount = -self.discount.of(lines.iter().map(|line| line.amount).sum());
            let item = Item::Discount { percent: self.discount };
            lines.push(Line { item, quantity: 1, unit_price: amount.reais(), amount });
        }
        Ok(lines)
    }

    /// What this use comes to.
    ///
    /// # Errors
    /// As [`Rates::lines`].
    pub fn cost(self, used: Use<'_>) -> Result<Money, NoPrice> {
        Ok(self.lines(used)?.iter().map(|line| line.amount).sum())
    }

    /// The price of a contact above a package, before the discount.
    #[must_use]
    pub fn overage_of(self, package: u64) -> UnitPrice {
        self.table.overage_of(package)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::price::table::tests::table;

    #[test]
    fn without_a_discount_the_lines_are_those_of_the_table() {
        let (table, used) = (table(), Use::plain(5000, 5123, 310));
        assert_eq!(Rates::without_discount(&table).lines(used), table.lines(used));
    }

    #[test]
    fn a_discount_is_a_line_of_its_own() {
        let table = table();
        let rates = Rates { table: &table, discount: "12.5".parse().unwrap() };
        let lines = rates.lines(Use::plain(5000, 5123, 310)).unwrap();
        assert_eq!(lines.len(), 4);
        // 12.5 % of 1192.27 are 149.03375.
        assert_eq!(lines[3].amount.to_string(), "-149.03");
        assert_eq!(lines[3].unit_price.to_string(), "-149.03");
    }

    proptest! {
        #[test]
        fn a_discount_takes_its_part_and_never_more_than_all(
            uam in 0_u64..2_000_000,
            hsm in 0_u64..2_000_000,
            hundredths in 0_i64..=10_000,
        ) {
            let table = table();
            let used = Use::plain(5000, uam, hsm);
            let percent = format!("{}.{:02}", hundredths / 100, hundredths % 100);
            let rates = Rates { table: &table, discount: percent.parse().unwrap() };
            let full = Rates::without_discount(&table).cost(used).unwrap().centavos();
            let cost = rates.cost(used).unwrap().centavos();
            // In integers: the discount is within half a centavo of its part.
            let exact = i128::from(full) * i128::from(hundredths);
            let taken = i128::from(full - cost) * 10_000;
            prop_assert!((exact - taken).abs() <= 5000, "{exact} {taken}");
            prop_assert!((0..=full).contains(&cost));
        }
    }
}
