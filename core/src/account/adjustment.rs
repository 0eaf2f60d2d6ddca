//! Credits and charges beside what was used: which of them an invoice carries, and what is left of a
//! credit that it has no room for.
//!
//! A total never goes below zero. What is left of a credit waits for a later month as an adjustment of
//! its own, the *rest*; what a later invoice has already taken of a rest stays there, however often
//! the earlier invoice is revised.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::bill::invoice::Number;
use crate::calendar::month::Month;
use crate::price::item::{Item, Line};
use crate::price::money::Money;

/// A credit (below zero) or a charge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Adjustment {
    /// Counts from 1.
    pub id: i64,
    /// Whose it is.
    pub dealership_id: String,
    /// The first month whose invoice may carry it.
    pub month: Month,
    /// Below zero: a credit.
    pub amount: Money,
    /// As the invoice prints it.
    pub description: String,
    /// Who entered it.
    pub entered_by: String,
    /// When.
    pub entered_at: DateTime<Utc>,
    /// The credit of which this is the rest.
    pub rest_of: Option<i64>,
    /// The invoice that left it over; `None` where a person entered it.
    pub origin: Option<Number>,
    /// The invoice that carries it; `None` while it waits.
    pub number: Option<Number>,
    /// It never counts.
    pub cancelled: bool,
}

/// Where a credit or charge stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AdjustmentState {
    /// For the next invoice.
    Waiting,
    /// This invoice carries it.
    Taken(Number),
    /// It never counts.
    TakenBack,
}

impl fmt::Display for AdjustmentState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Waiting => f.write_str("waiting"),
            Self::Taken(number) => write!(f, "on {number}"),
            Self::TakenBack => f.write_str("taken back"),
        }
    }
}

/// What is left of a credit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rest {
    /// Of which adjustment; `None` where more was paid than the invoice asks for now.
    pub rest_of: Option<i64>,
    /// Below zero.
    pub amount: Money,
    /// As the later invoice prints it.
    pub description: String,
}

/// The adjustments of one invoice.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Applied {
    /// What the invoice prints.
    pub lines: Vec<Line>,
    /// The adjustments that it carries, by id.
    pub carries: Vec<i64>,
    /// Rests of an earlier revision that nobody took, by id: `rests` stand in their place.
    pub replaces: Vec<i64>,
    /// What waits for a later month.
    pub rests: Vec<Rest>,
}

impl Adjustment {
    /// Where it stands.
    #[must_use]
    pub fn state(&self) -> AdjustmentState {
        match self.number {
            _ if self.cancelled => AdjustmentState::TakenBack,
            Some(number) => AdjustmentState::Taken(number),
            None => AdjustmentState::Waiting,
        }
    }

    fn waits(&self) -> bool {
        self.state() == AdjustmentState::Waiting
    }

    /// A first issue takes what waits for its month or an earlier one; a revision keeps what the
    /// invoice carries, and takes what was entered for this very month.
    fn belongs_to(&self, month: Month, number: Option<Number>) -> bool {
        match number {
            None => self.waits() && self.month <= month,
            Some(_) if self.number == number => !self.cancelled,
            Some(_) => self.waits() && self.month == month,
        }
    }
}

/// What was taken of the rests of `id` by later invoices.
fn taken(all: &[Adjustment], id: i64) -> Money {
    let rests = all.iter().filter(|a| a.rest_of == Some(id) && !a.cancelled && a.number.is_some());
    rests.map(|rest| rest.amount).sum()
}

/// Credits that came of money paid for `number` beyond its total, and that later invoices took.
#[must_use]
pub fn paid_back(all: &[Adjustment], number: Number) -> Money {
    let of_number = |a: &&Adjustment| a.origin == Some(number) && a.rest_of.is_none();
    let taken = all.iter().filter(of_number).filter(|a| !a.cancelled && a.number.is_some());
    -taken.map(|credit| credit.amount).sum::<Money>()
}

/// Applies a dealership's adjustments to a bill of `month` whose other lines come to `subtotal`.
/// `number` is that of the invoice where it is revised; `all` are the dealership's, by id.
#[must_use]
pub fn apply(all: &[Adjustment], month: Month, number: Option<Number>, subtotal: Money) -> Applied {
    let own: Vec<&Adjustment> = all.iter().filter(|a| a.belongs_to(month, number)).collect();
    let mut applied = Applied::default();
    let mut room = subtotal;
    let (charges, credits): (Vec<_>, Vec<_>) =
        own.into_iter().partition(|adjustment| adjustment.amount >= Money::ZERO);
    for charge in charges {
        room += charge.amount;
        applied.carry(charge, charge.amount, charge.description.clone());
    }
    for credit in credits {
        let available = credit.amount - taken(all, credit.id);
        let used = available.max(-room);
        room += used;
        applied.carry(credit, used, description(credit, used));
        if available != used {
            applied.rests.push(Rest {
                rest_of: Some(credit.id),
                amount: available - used,
                description: format!("Saldo de crédito: {}", credit.description),
            });
        }
    }
    let left_over = |a: &&Adjustment| number.is_some() && a.origin == number && a.waits();
    applied.replaces = all.iter().filter(left_over).map(|a| a.id).collect();
    applied
}

impl Applied {
    fn carry(&mut self, adjustment: &Adjustment, amount: Money, description: String) {
        self.carries.push(adjustment.id);
        let item = Item::Adjustment { description };
        self.lines.push(Line { item, quantity: 1, unit_price: amount.reais(), amount });
    }
}

/// Says how much of the credit moves on, whether or not a later invoice took it already.
fn description(credit: &Adjustment, used: Money) -> String {
    let rest = used - credit.amount;
    if rest == Money::ZERO {
        return credit.description.clone();
    }
    format!(
        "{} (crédito de {}; {} ficam para os meses seguintes)",
        credit.description,
        (-credit.amount).brl(),
        rest.brl()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn adjustment(id: i64, month: &str, amount: &str) -> Adjustment {
        Adjustment {
            id,
            dealership_id: "d1".to_owned(),
            month: month.parse().unwrap(),
            amount: amount.parse().unwrap(),
            description: format!("ajuste {id}"),
            entered_by: "ana".to_owned(),
            entered_at: DateTime::UNIX_EPOCH,
            rest_of: None,
            origin: None,
            number: None,
            cancelled: false,
        }
    }

    fn money(text: &str) -> Money {
        text.parse().unwrap()
    }

    fn first(all: &[Adjustment], month: &str, subtotal: &str) -> Applied {
        apply(all, month.parse().unwrap(), None, money(subtotal))
    }

    fn total(applied: &Applied) -> String {
        applied.lines.iter().map(|line| line.amount).sum::<Money>().to_string()
    }

    const N1: Number = Number { year: 2026, sequence: 1 };
    const N2: Number = Number { year: 2026, sequence: 2 };

    #[test]
    fn waits_until_its_month() {
        let mut all = [adjustment(1, "2026-11", "-120.00"), adjustment(2, "2026-10", "30.00")];
        assert_eq!(total(&first(&all, "2026-10", "1014.00")), "30.00");
        assert_eq!(total(&first(&all, "2026-12", "1014.00")), "-90.00");
        all[0].cancelled = true;
        all[1].number = Some(N1);
        assert_eq!(first(&all, "2026-12", "1014.00"), Applied::default());
    }

    #[test]
    fn a_total_never_goes_below_zero_and_the_rest_moves_on() {
        let mut all = vec![adjustment(1, "2026-10", "-2000.00"), adjustment(2, "2026-10", "10.00")];
        let applied = first(&all, "2026-10", "1014.00");
        assert_eq!(total(&applied), "-1014.00");
        assert_eq!(applied.rests[0].amount, money("-976.00"));
        // The invoice is out; its rest waits, then a later invoice takes it.
        for adjustment in &mut all {
            adjustment.number = Some(N1);
        }
        let rest = Adjustment {
            rest_of: Some(1),
            origin: Some(N1),
            ..adjustment(3, "2026-11", "-976.00")
        };
        all.push(rest);
        let again = |all: &[Adjustment], subtotal| {
            apply(all, "2026-10".parse().unwrap(), Some(N1), money(subtotal))
        };
        let same = again(&all, "1014.00");
        assert_eq!((same.lines.clone(), same.replaces), (applied.lines.clone(), vec![3]));
        // While nobody took it, a revision with a higher subtotal has room for more of it …
        assert_eq!(total(&again(&all, "1500.00")), "-1500.00");
        all[2].number = Some(N2);
        let taken = again(&all, "1500.00");
        // … and not once it is gone.
        assert_eq!(total(&taken), "-1014.00");
        assert_eq!((taken.replaces, taken.rests), (vec![], vec![]));
        assert_eq!(again(&all, "1014.00").lines, applied.lines);
    }

    #[test]
    fn a_revision_takes_what_was_entered_for_its_month_only() {
        let all = [adjustment(1, "2026-10", "-1.00"), adjustment(2, "2026-09", "-2.00")];
        let applied = apply(&all, "2026-10".parse().unwrap(), Some(N1), money("10.00"));
        assert_eq!(applied.carries, [1]);
    }

    #[test]
    fn money_that_a_later_invoice_took_back_is_not_paid_any_more() {
        let mut credit = Adjustment { origin: Some(N1), ..adjustment(1, "2026-11", "-50.00") };
        assert_eq!(paid_back(std::slice::from_ref(&credit), N1), Money::ZERO);
        credit.number = Some(N2);
        assert_eq!(paid_back(&[credit], N1), money("50.00"));
    }
}
