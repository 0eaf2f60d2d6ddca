//! What a line of an invoice charges. Whatever must be known of each kind of line is asked here, in matches
//! without a rest: a new kind is an error of the compiler wherever its amount would be lost.

use std::iter::Sum;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::bill::bill::Use;
use crate::count::sending::Kind;
use crate::price::discount::Discount;
use crate::price::money::{Money, UnitPrice, grouped};
use crate::price::monthly::Per;
use crate::price::table::{NoPrice, PriceTable};

/// What a line charges.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "item")]
pub enum Item {
    /// The fixed monthly price.
    Package {
        /// Contacts included.
        contacts: u64,
    },
    /// Contacts above the package.
    Overage,
    /// Template messages; those that no entry of the table takes, where it has entries.
    Hsm,
    /// Of those the ones that are not billed, at nothing.
    UnbilledHsm,
    /// Messages that an entry of the table takes.
    Messages {
        /// As the table names them.
        line: String,
        /// Templates, or all others.
        kind: Kind,
        /// Which of them.
        #[serde(flatten)]
        share: Share,
    },
    /// What is due without use.
    Monthly {
        /// As the table names it.
        line: String,
        /// For what it is due.
        per: Per,
    },
    /// What a contract grants off the sum of the lines above it (negative).
    Discount {
        /// Of that sum.
        percent: Discount,
    },
    /// A credit (negative) or a charge.
    Adjustment {
        /// What it is for, as the invoice prints it.
        description: String,
    },
}

/// Which of the messages of an entry a line is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "share")]
pub enum Share {
    /// Those that are charged at one price.
    Charged {
        /// How many are charged before them, at the prices of earlier steps.
        #[serde(default)]
        above: u64,
    },
    /// Those that are free in a month.
    Free,
    /// Those that are not billed.
    Unbilled,
}

/// A line of an invoice: quantity × unit price, rounded to centavos once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// What is charged.
    #[serde(flatten)]
    pub item: Item,
    /// How many: 1 package, contacts above it, HSM.
    pub quantity: u64,
    /// Reais for each, as text so that a credit can stand here too.
    pub unit_price: Decimal,
    /// The line's amount.
    pub amount: Money,
}

impl Share {
    /// The line of an entry by its name: `Serviço, acima de 10.000`, `Serviço, gratuitas`.
    #[must_use]
    pub fn in_portuguese(self, line: &str) -> String {
        match self {
            Self::Charged { above: 0 } => line.to_owned(),
            Self::Charged { above } => format!("{line}, acima de {}", grouped(above)),
            Self::Free => format!("{line}, gratuitas"),
            Self::Unbilled => format!("{line}, sem cobrança"),
        }
    }
}

impl Line {
    /// So many of it, each at this price.
    ///
    /// # Errors
    /// [`NoPrice::TooLarge`] where the product fits no ledger.
    pub(crate) fn of(item: Item, quantity: u64, price: UnitPrice) -> Result<Self, NoPrice> {
        let amount = price.times(quantity).ok_or(NoPrice::TooLarge { quantity, price })?;
        Ok(Self { item, quantity, unit_price: price.reais(), amount })
    }
}

/// The column of a report that a line counts in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "said by their names")]
pub enum Column {
    Package,
    Overage,
    Hsm,
    Other,
    Adjustments,
}

/// The amounts of an invoice by column; together they are its total. The keys of `fecha invoices --json`.
///
/// A report takes it apart by name, so that a new column is missed in none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "as in Column")]
pub struct Amounts {
    #[serde(rename = "package_amount")]
    pub package: Money,
    #[serde(rename = "overage_amount")]
    pub overage: Money,
    #[serde(rename = "hsm_amount")]
    pub hsm: Money,
    #[serde(rename = "adjustments_amount")]
    pub adjustments: Money,
    /// Lines of the table that are none of the above: other messages, licences, the discount.
    #[serde(rename = "other_amount", default)]
    pub other: Money,
}

/// What a price table asks for a unit of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// So much, in reais.
    Price(Decimal),
    /// The table lacks it.
    Nothing,
    /// No table says so of one: a person entered it, a contract grants it, or it is one of the table's entries.
    NotByTable,
}

impl Item {
    /// What is charged, in the words of lists, emails and tables.
    #[must_use]
    pub fn in_portuguese(&self) -> String {
        match self {
            Self::Package { contacts: 1 } => "Pacote de 1 contato".to_owned(),
            Self::Package { contacts } => format!("Pacote de {} contatos", grouped(*contacts)),
            Self::Overage => "Contatos acima do pacote (UAM adicional)".to_owned(),
            Self::Hsm => "Mensagens de modelo (HSM)".to_owned(),
            Self::UnbilledHsm => "Mensagens de modelo (HSM), sem cobrança".to_owned(),
            Self::Messages { line, share, .. } => share.in_portuguese(line),
            Self::Monthly { line, per: _ } => line.clone(),
            Self::Discount { percent } => format!("Desconto de {}", percent.in_portuguese()),
            Self::Adjustment { description } => description.clone(),
        }
    }

    /// Where its amount counts.
    #[must_use]
    pub fn column(&self) -> Column {
        match self {
            Self::Package { .. } => Column::Package,
            Self::Overage => Column::Overage,
            Self::Hsm | Self::UnbilledHsm | Self::Messages { kind: Kind::Hsm, .. } => Column::Hsm,
            Self::Messages { kind: Kind::Session, .. }
            | Self::Monthly { .. }
            | Self::Discount { .. } => Column::Other,
            Self::Adjustment { .. } => Column::Adjustments,
        }
    }

    /// How many of it a use is charged for; `None` where that does not follow from the use alone.
    #[must_use]
    pub fn quantity(&self, used: Use<'_>) -> Option<u64> {
        match self {
            Self::Package { contacts } => Some(u64::from(*contacts == used.package)),
            Self::Overage => Some(used.overage()),
            Self::Hsm => used.sent.is_empty().then_some(used.hsm),
            Self::UnbilledHsm
            | Self::Messages { .. }
            | Self::Monthly { .. }
            | Self::Discount { .. }
            | Self::Adjustment { .. } => None,
        }
    }

    /// What `prices` ask for one of it, of who has `package`.
    #[must_use]
    pub fn asked(&self, package: u64, prices: &PriceTable) -> Asked {
        match self {
            Self::Package { contacts } => {
                let price = prices.packages.get(contacts);
                price.map_or(Asked::Nothing, |price| Asked::Price(price.reais()))
            }
            Self::Overage => Asked::Price(prices.overage_of(package).reais()),
            Self::Hsm => Asked::Price(prices.hsm.reais()),
            // Steps and free messages are compared as a whole: [`PriceTable::has_other_entries`].
            Self::UnbilledHsm
            | Self::Messages { .. }
            | Self::Monthly { .. }
            | Self::Discount { .. }
            | Self::Adjustment { .. } => Asked::NotByTable,
        }
    }

    /// Whether two lines are about the same thing, so that one can have changed into the other.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Package { .. }, Self::Package { .. })
            | (Self::Discount { .. }, Self::Discount { .. }) => true,
            _ => self == other,
        }
    }
}

impl Amounts {
    /// Sums lines up.
    #[must_use]
    pub fn of(lines: &[Line]) -> Self {
        let mut amounts = Self::default();
        for line in lines {
            *amounts.at(line.item.column()) += line.amount;
        }
        amounts
    }

    /// All of them.
    #[must_use]
    pub fn total(&self) -> Money {
        let Self { package, overage, hsm, other, adjustments } = *self;
        package + overage + hsm + other + adjustments
    }

    /// What follows from prices and use, without what a person entered.
    #[must_use]
    pub fn by_table(&self) -> Money {
        self.total() - self.adjustments
    }

    /// Each with its column, in the order of an invoice's lines.
    #[must_use]
    pub fn each(&self) -> [(Column, Money); 5] {
        let Self { package, overage, hsm, other, adjustments } = *self;
        [
            (Column::Package, package),
            (Column::Overage, overage),
            (Column::Hsm, hsm),
            (Column::Other, other),
            (Column::Adjustments, adjustments),
        ]
    }

    fn at(&mut self, column: Column) -> &mut Money {
        match column {
            Column::Package => &mut self.package,
            Column::Overage => &mut self.overage,
            Column::Hsm => &mut self.hsm,
            Column::Other => &mut self.other,
            Column::Adjustments => &mut self.adjustments,
        }
    }
}

impl Sum for Amounts {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::default(), |sum, amounts| Self {
            package: sum.package + amounts.package,
            overage: sum.overage + amounts.overage,
            hsm: sum.hsm + amounts.hsm,
            other: sum.other + amounts.other,
            adjustments: sum.adjustments + amounts.adjustments,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::price::rates::Rates;
    use crate::price::table::tests::table;

    #[test]
    fn every_line_counts_in_one_column_and_they_add_up_to_the_total() {
        let table = table();
        let (used, discount) = (Use::plain(5000, 5123, 310), "10".parse().unwrap());
        let mut lines = Rates { table: &table, discount }.lines(used).unwrap();
        let credit = Item::Adjustment { description: "Desconto".to_owned() };
        let amount: Money = "-120.00".parse().unwrap();
        lines.push(Line { item: credit, quantity: 1, unit_price: amount.reais(), amount });
        let amounts = Amounts::of(&lines);
        let total: Money = lines.iter().map(|line| line.amount).sum();
        assert_eq!((amounts.total(), total.to_string()), (total, "953.04".to_owned()));
        assert_eq!(
            [amounts.by_table(), amounts.other].map(|amount| amount.to_string()),
            ["1073.04", "-119.23"]
        );
        assert_eq!(amounts.adjustments, amount);
    }

    #[test]
    fn quantities_and_prices_are_those_of_use_and_table() {
        let (table, used) = (table(), Use::plain(5000, 5123, 310));
        for line in table.lines(used).unwrap() {
            assert_eq!(line.item.quantity(used), Some(line.quantity));
            assert_eq!(line.item.asked(5000, &table), Asked::Price(line.unit_price));
        }
        let other = Item::Package { contacts: 7000 };
        assert_eq!((other.quantity(used), other.asked(5000, &table)), (Some(0), Asked::Nothing));
    }
}
