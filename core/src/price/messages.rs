//! Prices of messages by category (spec §2 *Price lists*, `[[prices.messages]]`).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::bill::bill::Use;
use crate::count::sending::{Billing, Kind, Sending};
use crate::party::numbers::BusinessNumber;
use crate::price::category::Category;
use crate::price::item::{Item, Line, Share};
use crate::price::money::{Money, UnitPrice};
use crate::price::table::NoPrice;

/// What some messages cost. Of those of a table the first that fits takes a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessagePrice {
    /// What the invoice says.
    pub line: String,
    /// Templates, or all others.
    pub kind: Kind,
    /// Of these categories; empty: of any, and of none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub categories: Vec<Category>,
    /// What each charged message costs.
    pub steps: Steps,
    /// So many messages a month are free.
    #[serde(default, skip_serializing_if = "Free::is_none")]
    pub free: Free,
}

/// How many messages of a month are free, and of whom.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "per", content = "messages")]
pub enum Free {
    /// None.
    #[default]
    None,
    /// So many of the dealership.
    Dealership(u64),
    /// So many of each of its numbers; what one does not use is not another's.
    Number(u64),
}

impl Free {
    fn is_none(&self) -> bool {
        *self == Self::None
    }
}

/// Messages up to a number of them, and what each costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// The last message that costs so much, counted from the first charged one; `None`: all beyond.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub up_to: Option<u64>,
    /// For each.
    pub price: UnitPrice,
}

/// Steps of a price, each message at that of its own: ascending, and only the last without an end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Step>", into = "Vec<Step>")]
pub struct Steps(Vec<Step>);

/// The steps do not follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSteps {
    /// There is none, or the last one ends.
    #[error("the last step must have no `up_to`: what is beyond it has no price")]
    Ends,
    /// One in the middle has no end.
    #[error(
        "step {0} has no `up_to`, and what follows it is never reached: only the last has none"
    )]
    Endless(usize),
    /// One begins where it ends.
    #[error("the `up_to` of step {0} is not above that of the step before it")]
    Descending(usize),
}

impl Steps {
    /// One price for all.
    #[must_use]
    pub fn one(price: UnitPrice) -> Self {
        Self(vec![Step { up_to: None, price }])
    }

    /// All of them.
    #[must_use]
    pub fn all(&self) -> &[Step] {
        &self.0
    }
}

impl TryFrom<Vec<Step>> for Steps {
    type Error = InvalidSteps;

    fn try_from(steps: Vec<Step>) -> Result<Self, Self::Error> {
        let Some((last, others)) = steps.split_last() else { return Err(InvalidSteps::Ends) };
        let mut before = 0;
        for (step, place) in others.iter().zip(1..) {
            let up_to = step.up_to.ok_or(InvalidSteps::Endless(place))?;
            if up_to <= before {
                return Err(InvalidSteps::Descending(place));
            }
            before = up_to;
        }
        if last.up_to.is_some() { Err(InvalidSteps::Ends) } else { Ok(Self(steps)) }
    }
}

impl From<Steps> for Vec<Step> {
    fn from(steps: Steps) -> Self {
        steps.0
    }
}

impl MessagePrice {
    /// Whether it takes such a message, were it the first that is asked.
    #[must_use]
    pub fn fits(&self, kind: Kind, category: Option<&Category>) -> bool {
        let is_named = |category| self.categories.contains(category);
        self.kind == kind && (self.categories.is_empty() || category.is_some_and(is_named))
    }

    /// The lines of what it took: for each step that was reached one, then the free ones, then those that are
    /// not billed. None where it took nothing.
    fn lines(&self, took: &Took<'_>, numbers: &[BusinessNumber]) -> Result<Vec<Line>, NoPrice> {
        let billed: u64 = took.billed.values().sum();
        let free = match self.free {
            Free::None => 0,
            Free::Dealership(free) => free.min(billed),
            Free::Number(free) => {
                let of = |number| took.billed.get(&Some(number)).copied().unwrap_or_default();
                numbers.iter().map(|number| of(number).min(free)).sum()
            }
        };
        let item = |share| Item::Messages { line: self.line.clone(), kind: self.kind, share };
        let (mut lines, mut left, mut above) = (Vec::new(), billed - free, 0);
        for step in self.steps.all() {
            let quantity = step.up_to.map_or(left, |up_to| left.min(up_to - above));
            if quantity > 0 {
                lines.push(Line::of(item(Share::Charged { above }), quantity, step.price)?);
            }
            left -= quantity;
            above = step.up_to.unwrap_or(above);
        }
        let nothing = UnitPrice::from(Money::ZERO);
        for (share, quantity) in [(Share::Free, free), (Share::Unbilled, took.unbilled)] {
            if quantity > 0 {
                lines.push(Line::of(item(share), quantity, nothing)?);
            }
        }
        Ok(lines)
    }
}

/// What an entry took of a month.
#[derive(Debug, Clone, Default)]
struct Took<'a> {
    billed: BTreeMap<Option<&'a BusinessNumber>, u64>,
    unbilled: u64,
}

/// What the entries of a table make of a month.
#[derive(Debug)]
pub(super) struct Taken {
    /// HSM that none takes, and that are billed.
    pub(super) hsm: u64,
    /// HSM that none takes, and that are not.
    pub(super) unbilled_hsm: u64,
    /// The lines of the entries, in their order.
    pub(super) lines: Vec<Line>,
}

/// Which entry takes such a message; `None` where none does.
#[must_use]
pub fn takes(entries: &[MessagePrice], kind: Kind, category: Option<&Category>) -> Option<usize> {
    entries.iter().position(|entry| entry.fits(kind, category))
}

/// The first entry that no message can ever reach: those before it take all that it could.
#[must_use]
pub fn unreachable(entries: &[MessagePrice]) -> Option<usize> {
    let is_reached = |index: usize| {
        let (entry, before) = (&entries[index], &entries[..index]);
        let is_taken = |category: Option<&Category>| takes(before, entry.kind, category).is_some();
        match entry.categories.as_slice() {
            // No table names all categories that there may be: only one that takes any hides it.
            [] => !is_taken(None),
            named => named.iter().any(|category| !is_taken(Some(category))),
        }
    };
    (0..entries.len()).find(|index| !is_reached(*index))
}

/// Shares a month's messages out among the entries.
pub(super) fn share_out(entries: &[MessagePrice], used: Use<'_>) -> Result<Taken, NoPrice> {
    let mut took = vec![Took::default(); entries.len()];
    let (mut hsm, mut unbilled_hsm) = (used.hsm, 0);
    for (sending, messages) in used.sent.iter() {
        let Sending { kind, category, number, billing } = sending;
        let entry = takes(entries, *kind, category.as_ref());
        if *kind == Kind::Hsm && (entry.is_some() || *billing == Billing::Unbilled) {
            hsm = hsm.checked_sub(messages).ok_or(NoPrice::Unproved)?;
        }
        match (entry, billing) {
            (Some(index), Billing::Billed) => {
                *took[index].billed.entry(number.as_ref()).or_insert(0) += messages;
            }
            (Some(index), Billing::Unbilled) => took[index].unbilled += messages,
            (None, Billing::Unbilled) if *kind == Kind::Hsm => unbilled_hsm += messages,
            (None, _) => {}
        }
    }
    let mut lines = Vec::new();
    for (entry, took) in entries.iter().zip(&took) {
        lines.extend(entry.lines(took, used.numbers)?);
    }
    Ok(Taken { hsm, unbilled_hsm, lines })
}

#[cfg(test)]
mod tests;
