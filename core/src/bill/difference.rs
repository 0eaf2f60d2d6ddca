//! What changed between an invoice as issued and its month as it would be counted and priced today
//! (spec §2 *Rerun*): contact by contact, line by line.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::bill::contact_changes::{ContactChanges, Lost};
use crate::bill::invoice::Invoice;
use crate::count::sending::Sent;
use crate::party::numbers::BusinessNumber;
use crate::party::register::Party;
use crate::price::contract::Agreed;
use crate::price::discount::Discount;
use crate::price::item::{Asked, Column, Line};
use crate::price::list::ListName;
use crate::price::money::Money;
use crate::price::table::PriceTable;

/// Why an invoice would be different today.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// Messages that came after the invoice was issued.
    Late,
    /// A contact has fewer messages than were counted, or none.
    Loss,
    /// Another package, price list or discount, or other numbers where the prices ask for them.
    Contract,
    /// Another price.
    Price,
    /// The same messages, of another category, or billed where they were not.
    Category,
    /// The same messages, which the rules of today count otherwise than those of the invoice.
    Rules,
    /// Another name, tax id or address.
    Register,
    /// A credit or charge was added or withdrawn.
    Adjustment,
}

/// The text is no cause that can be accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no cause: they are late, loss, contract, price, category, rules and register")]
pub struct InvalidCause(pub String);

impl Cause {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Late,
        Self::Loss,
        Self::Contract,
        Self::Price,
        Self::Category,
        Self::Rules,
        Self::Register,
        Self::Adjustment,
    ];

    /// The name in JSON, and on the command line.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Late => "late",
            Self::Loss => "loss",
            Self::Contract => "contract",
            Self::Price => "price",
            Self::Category => "category",
            Self::Rules => "rules",
            Self::Register => "register",
            Self::Adjustment => "adjustment",
        }
    }

    /// Whether a rerun goes on by itself: messages that came late, and what an admin entered for this
    /// very invoice.
    #[must_use]
    pub fn goes_by_itself(self) -> bool {
        matches!(self, Self::Late | Self::Adjustment)
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.key())
    }
}

impl FromStr for Cause {
    type Err = InvalidCause;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut to_accept = Self::ALL.into_iter().filter(|cause| *cause != Self::Adjustment);
        let named = to_accept.find(|cause| cause.key() == text);
        named.ok_or_else(|| InvalidCause(text.to_owned()))
    }
}

/// A value as invoiced, and as it is today.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change<T> {
    /// As invoiced.
    pub before: T,
    /// As it is today.
    pub now: T,
}

impl<T: PartialEq> Change<T> {
    /// Whether the two differ.
    #[must_use]
    pub fn differs(&self) -> bool {
        self.before != self.now
    }
}

/// A retention deletes by days.
const RETENTION: TimeDelta = TimeDelta::days(1);

/// How the contacts of a month differ from the evidence of its invoice.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Changes {
    /// Counted by the rules of the invoice.
    pub contacts: ContactChanges,
    /// Whether the rules of today make something else of the same messages.
    pub by_rules: bool,
}

/// A line that is not the same: as invoiced, and as it is today; `None` where there is none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineChange {
    /// As invoiced.
    pub before: Option<Line>,
    /// As it is today.
    pub now: Option<Line>,
}

/// A printed field of the register that is not the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldChange {
    /// The column of `dealerships.csv`.
    pub field: &'static str,
    /// As invoiced.
    pub before: String,
    /// As it is today.
    pub now: String,
}

/// The month of an invoiced dealership as it is today.
#[derive(Debug)]
pub struct Today<'a> {
    /// As the register has it.
    pub party: Party,
    /// What is agreed on; `None` where the contract was removed.
    pub agreed: Option<&'a Agreed>,
    /// Unique active contacts.
    pub uam: u64,
    /// Template messages.
    pub hsm: u64,
    /// What is told apart of the messages sent.
    pub sent: &'a Sent,
    /// The dealership's numbers of the month.
    pub numbers: &'a [BusinessNumber],
    /// Against the evidence of the invoice.
    pub contacts: ContactChanges,
    /// Whether the rules of today count otherwise than those of the invoice.
    pub by_rules: bool,
    /// What it costs; empty without a package, `None` where it has no price.
    pub lines: Option<Vec<Line>>,
    /// The month's prices of its list; `None` where the list has none.
    pub prices: Option<&'a PriceTable>,
}

/// What changed; made by [`Difference::between`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Contact by contact.
    pub contacts: ContactChanges,
    /// Whether the rules of today count otherwise than those of the invoice.
    pub by_rules: bool,
    /// Unique active contacts.
    pub uam: Change<u64>,
    /// Template messages.
    pub hsm: Change<u64>,
    /// The package; `None` where there is none any more.
    pub package: Change<Option<u64>>,
    /// The price list, `None` the standard one; no change where there is no contract any more.
    pub list: Change<Option<ListName>>,
    /// What the contract grants; no change where there is none any more.
    pub discount: Change<Discount>,
    /// The dealership's numbers; no change where the prices do not ask.
    pub numbers: Change<Vec<BusinessNumber>>,
    /// The same messages are of other categories, or billed otherwise.
    pub category: bool,
    /// Whether a price is another one.
    pub price: bool,
    /// Printed fields of the register.
    pub register: Vec<FieldChange>,
    /// Line by line.
    pub lines: Vec<LineChange>,
    /// `None` where today's use has no price.
    pub total: Change<Option<Money>>,
}

impl Difference {
    /// Compares an invoice with its month as it is today.
    #[must_use]
    pub fn between(invoice: &Invoice, today: &Today<'_>) -> Self {
        let total = today.lines.as_ref().map(|lines| lines.iter().map(|line| line.amount).sum());
        Self {
            contacts: today.contacts,
            by_rules: today.by_rules,
            uam: Change { before: invoice.usage.uam, now: today.uam },
            hsm: Change { before: invoice.usage.hsm, now: today.hsm },
            package: Change {
                before: Some(invoice.package),
                now: today.agreed.map(|agreed| agreed.package),
            },
            list: Change {
                before: invoice.list().cloned(),
                now: today.agreed.map_or(invoice.list(), |agreed| agreed.list.as_ref()).cloned(),
            },
            discount: Change {
                before: invoice.discount(),
                now: today.agreed.map_or(invoice.discount(), |agreed| agreed.discount),
            },
            numbers: numbers(invoice, today),
            category: is_of_other_categories(invoice, today),
            price: has_another_price(invoice, today),
            register: field_changes(&invoice.dealership, &today.party),
            lines: line_changes(&invoice.lines, today.lines.as_deref().unwrap_or_default()),
            total: Change { before: Some(invoice.total()), now: total },
        }
    }

    /// Every cause of the difference; empty where invoice and month agree.
    #[must_use]
    pub fn causes(&self) -> Vec<Cause> {
        let contacts = &self.contacts;
        let adjusted = |line: &LineChange| {
            let line = line.before.as_ref().or(line.now.as_ref());
            line.is_some_and(|line| line.item.column() == Column::Adjustments)
        };
        [
            (Cause::Late, contacts.new + contacts.more > 0),
            (Cause::Loss, contacts.gone + contacts.fewer > 0),
            (
                Cause::Contract,
                self.package.differs()
                    || self.list.differs()
                    || self.discount.differs()
                    || self.numbers.differs(),
            ),
            (Cause::Price, self.price),
            (Cause::Category, self.category),
            (Cause::Rules, self.by_rules),
            (Cause::Register, !self.register.is_empty()),
            (Cause::Adjustment, self.package.now.is_some() && self.lines.iter().any(adjusted)),
        ]
        .into_iter()
        .filter_map(|(cause, holds)| holds.then_some(cause))
        .collect()
    }

    /// Whether all that differs is what a retention that deletes the oldest messages takes away, where
    /// `oldest` is the oldest counted message that is left of the period: only losses, all of them of
    /// contacts that wrote before it, over a day or more. A few messages that are missing at the very
    /// beginning of a month look the same, so that less than a day is never taken for retention.
    #[must_use]
    pub fn is_retention(&self, oldest: DateTime<Utc>) -> bool {
        let deleted = |lost: Lost| lost.to < oldest && oldest - lost.from >= RETENTION;
        self.causes() == [Cause::Loss] && self.contacts.lost.is_some_and(deleted)
    }

    /// Whether the invoice would be the same today.
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.causes().is_empty()
    }
}

/// A package is compared with today's price of the same package, so that another package is not taken
/// for another price; nor is another list.
fn has_another_price(invoice: &Invoice, today: &Today<'_>) -> bool {
    let Some(prices) = today.prices.filter(|prices| prices.list.as_ref() == invoice.list()) else {
        return false;
    };
    let package = today.agreed.map(|agreed| agreed.package);
    let changed = |line: &Line| match line.item.asked(invoice.package, prices) {
        Asked::Price(price) => price != line.unit_price,
        Asked::Nothing => package == Some(invoice.package),
        Asked::NotByTable => false,
    };
    let entries = invoice.prices.as_ref();
    invoice.lines.iter().any(changed)
        || entries.is_some_and(|entries| entries.has_other_entries(prices))
}

/// Numbers are part of a contract where the prices of then and of today ask for them.
fn numbers(invoice: &Invoice, today: &Today<'_>) -> Change<Vec<BusinessNumber>> {
    let asks = |prices: Option<&PriceTable>| prices.is_some_and(PriceTable::is_by_number);
    let both_ask = asks(invoice.prices.as_ref()) && asks(today.prices);
    let now = if both_ask { today.numbers } else { &invoice.numbers };
    Change { before: invoice.numbers.clone(), now: now.to_vec() }
}

/// By contacts, where the evidence knows categories; where it does not, by the sums of messages that are otherwise
/// the same. By which number a message went is not its category.
fn is_of_other_categories(invoice: &Invoice, today: &Today<'_>) -> bool {
    let by_category = |prices: Option<&PriceTable>| prices.is_some_and(PriceTable::is_by_category);
    let is_alike = by_category(invoice.prices.as_ref()) == by_category(today.prices);
    let contacts = ContactChanges { recategorised: 0, ..today.contacts };
    let sums = || invoice.usage.sent_as.without_numbers() != today.sent.without_numbers();
    today.contacts.recategorised > 0 || is_alike && contacts.agree() && !today.by_rules && sums()
}

/// The printed fields of the register that are not the same.
#[must_use]
pub fn field_changes(before: &Party, now: &Party) -> Vec<FieldChange> {
    let text = |party: &Party| {
        [
            ("name", party.name.clone()),
            ("trade_name", party.trade_name.clone()),
            ("cnpj", party.cnpj.to_string()),
            ("address", party.address.clone()),
            ("city", party.city.clone()),
            ("state", party.state.to_string()),
        ]
    };
    text(before)
        .into_iter()
        .zip(text(now))
        .filter(|((_, before), (_, now))| before != now)
        .map(|((field, before), (_, now))| FieldChange { field, before, now })
        .collect()
}

/// The lines that are not the same: lines of one kind stand against each other; adjustments in their order by
/// description.
#[must_use]
pub fn line_changes(before: &[Line], now: &[Line]) -> Vec<LineChange> {
    let mut rest: Vec<&Line> = now.iter().collect();
    let mut changes = Vec::new();
    for line in before {
        let same = rest.iter().position(|other| line.item.is_same(&other.item));
        let other = same.map(|index| rest.remove(index));
        if other != Some(line) {
            changes.push(LineChange { before: Some(line.clone()), now: other.cloned() });
        }
    }
    let added = |line: &Line| LineChange { before: None, now: Some(line.clone()) };
    changes.extend(rest.into_iter().map(added));
    changes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_causes_that_a_person_may_accept_are_read() {
        assert_eq!("loss".parse(), Ok(Cause::Loss));
        assert_eq!("Loss".parse::<Cause>(), Err(InvalidCause("Loss".to_owned())));
        assert_eq!("adjustment".parse::<Cause>(), Err(InvalidCause("adjustment".to_owned())));
    }
}
