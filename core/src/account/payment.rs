//! Payments as open items: what settles which invoice, and what waits.
//!
//! A payment is never a line. An allocation settles a standing invoice with a part of a payment; what is more
//! than is open waits on the dealership's account, and every issue takes what waits, oldest day first, then in
//! the order of entry (spec §2 *Account*).

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use crate::bill::invoice::Number;
use crate::price::money::Money;

/// What came in, or what stands for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Money.
    Money,
    /// Tax on services that the dealership withheld.
    Iss,
    /// Income tax withheld.
    Irrf,
    /// Social contributions withheld.
    Csrf,
    /// A discount on the amount to pay.
    Discount,
    /// Interest or a fine: beside the invoice, never a part of it.
    Interest,
}

/// The text is no kind of payment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no kind of payment: they are money, iss, irrf, csrf, discount and interest")]
pub struct InvalidKind(pub String);

impl Kind {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Money, Self::Iss, Self::Irrf, Self::Csrf, Self::Discount, Self::Interest];

    /// The name in JSON, on the command line and in the ledger.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Money => "money",
            Self::Iss => "iss",
            Self::Irrf => "irrf",
            Self::Csrf => "csrf",
            Self::Discount => "discount",
            Self::Interest => "interest",
        }
    }

    /// Whether it settles its own invoice only, and never waits: tax withheld, a discount.
    #[must_use]
    pub fn is_own_only(self) -> bool {
        match self {
            Self::Iss | Self::Irrf | Self::Csrf | Self::Discount => true,
            Self::Money | Self::Interest => false,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.key())
    }
}

impl FromStr for Kind {
    type Err = InvalidKind;

    /// In any case.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = Self::ALL.into_iter().find(|kind| text.eq_ignore_ascii_case(kind.key()));
        known.ok_or_else(|| InvalidKind(text.to_owned()))
    }
}

/// A payment as the ledger keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payment {
    /// Sorts by entry.
    pub id: String,
    /// Whose it is.
    pub dealership_id: String,
    /// Its own invoice; `None` for money put on account.
    pub number: Option<Number>,
    /// The day on the bank statement.
    pub on: NaiveDate,
    /// What came in.
    pub amount: Money,
    /// What it is.
    pub kind: Kind,
    /// The bank's: end-to-end id, FITID, nosso número.
    pub reference: Option<String>,
    /// Which of equal payments without a reference it is, from 1.
    pub ordinal: u32,
    /// Who entered it.
    pub entered_by: String,
    /// When.
    pub entered_at: DateTime<Utc>,
    /// What it settles.
    pub allocated: Vec<(Number, Money)>,
    /// What was paid back of it.
    pub refunded: Money,
    /// What fecha 0.1 made a credit note of.
    pub converted: Money,
    /// It was taken back: it never counts.
    pub undone: bool,
}

impl Payment {
    /// What it settles of an invoice.
    #[must_use]
    pub fn settles(&self, number: Number) -> Money {
        self.allocated.iter().filter(|(of, _)| *of == number).map(|(_, amount)| *amount).sum()
    }

    /// What settles nothing, was not paid back, and is for the next invoice.
    #[must_use]
    pub fn waiting(&self) -> Money {
        if self.undone || self.kind != Kind::Money {
            return Money::ZERO;
        }
        let settled = self.allocated.iter().map(|(_, amount)| *amount).sum();
        self.amount - settled - self.refunded - self.converted
    }
}

/// A part of a payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Of which payment.
    pub payment: String,
    /// How much.
    pub amount: Money,
}

/// In the order in which waiting money is taken: oldest day first, then order of entry.
#[must_use]
pub fn waiting(payments: &[Payment]) -> Vec<&Payment> {
    let mut waiting: Vec<&Payment> =
        payments.iter().filter(|payment| payment.waiting() > Money::ZERO).collect();
    waiting.sort_by(|a, b| (a.on, &a.id).cmp(&(b.on, &b.id)));
    waiting
}

/// Takes up to `wanted` of what waits.
#[must_use]
pub fn draw(payments: &[Payment], wanted: Money) -> Vec<Part> {
    let mut left = wanted;
    let mut parts = Vec::new();
    for payment in waiting(payments) {
        let amount = payment.waiting().min(left);
        if amount > Money::ZERO {
            left = left - amount;
            parts.push(Part { payment: payment.id.clone(), amount });
        }
    }
    parts
}

/// What happens to the settlement of an invoice whose total is now `total`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settlement {
    /// What settles it from then on, all parts.
    pub allocated: Vec<Part>,
    /// Withheld tax and discounts that have no room any more: undone.
    pub undone: Vec<String>,
}

impl Settlement {
    /// How much of the invoice is settled.
    #[must_use]
    pub fn paid(&self) -> Money {
        self.allocated.iter().map(|part| part.amount).sum()
    }
}

/// Settles an invoice anew: what settled it stays as far as there is room (money is freed first, the newest
/// of it, then withheld tax and discounts), then what waits is taken.
#[must_use]
pub fn settle(payments: &[Payment], number: Number, total: Money) -> Settlement {
    let mut own: Vec<&Payment> =
        payments.iter().filter(|payment| payment.settles(number) > Money::ZERO).collect();
    // What is kept longest comes first.
    own.sort_by(|a, b| {
        (!a.kind.is_own_only(), a.on, &a.id).cmp(&(!b.kind.is_own_only(), b.on, &b.id))
    });
    let mut settlement = Settlement::default();
    let mut room = total;
    for payment in own {
        let settles = payment.settles(number);
        let kept = settles.min(room);
        // Never in part: what was withheld is one fact.
        if payment.kind.is_own_only() && kept < settles {
            settlement.undone.push(payment.id.clone());
            continue;
        }
        if kept > Money::ZERO {
            room = room - kept;
            settlement.allocated.push(Part { payment: payment.id.clone(), amount: kept });
        }
    }
    for part in draw(payments, room) {
        match settlement.allocated.iter_mut().find(|own| own.payment == part.payment) {
            Some(own) => own.amount += part.amount,
            None => settlement.allocated.push(part),
        }
    }
    settlement
}

/// What there is of a dealership's money for one invoice, from which every document says what was paid.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Available {
    /// What settles the invoice already: money.
    pub money: Money,
    /// What settles it already: each tax withheld and discount, in the order in which they are kept.
    pub withheld: Vec<Money>,
    /// What waits.
    pub waiting: Money,
}

impl Available {
    /// For an invoice, or the next one where `number` is none.
    #[must_use]
    pub fn of(payments: &[Payment], number: Option<Number>) -> Self {
        let mut available = Self::default();
        let mut in_order: Vec<&Payment> = payments.iter().collect();
        in_order.sort_by(|a, b| (a.on, &a.id).cmp(&(b.on, &b.id)));
        for payment in in_order {
            let settles = number.map_or(Money::ZERO, |number| payment.settles(number));
            if !payment.kind.is_own_only() {
                available.money += settles;
            } else if settles > Money::ZERO {
                available.withheld.push(settles);
            }
            available.waiting += payment.waiting();
        }
        available
    }

    /// What is paid of an invoice of this `total` once it is issued, as [`settle`] does it; more than the total
    /// where money is left for the next one.
    #[must_use]
    pub fn paid_of(&self, total: Money) -> Money {
        let mut room = total;
        for withheld in &self.withheld {
            if *withheld <= room {
                room = room - *withheld;
            }
        }
        total - room + self.money + self.waiting
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    const N1: Number = Number { year: 2026, sequence: 1 };
    const N2: Number = Number { year: 2026, sequence: 2 };

    fn money(text: &str) -> Money {
        text.parse().unwrap()
    }

    pub fn payment(id: &str, on: &str, amount: &str, kind: Kind) -> Payment {
        Payment {
            id: id.to_owned(),
            dealership_id: "d1".to_owned(),
            number: Some(N1),
            on: on.parse().unwrap(),
            amount: money(amount),
            kind,
            reference: None,
            ordinal: 1,
            entered_by: "ana".to_owned(),
            entered_at: DateTime::UNIX_EPOCH,
            allocated: Vec::new(),
            refunded: Money::ZERO,
            converted: Money::ZERO,
            undone: false,
        }
    }

    fn parts(parts: &[Part]) -> Vec<String> {
        parts.iter().map(|part| format!("{} {}", part.payment, part.amount)).collect()
    }

    #[test]
    fn waiting_money_goes_oldest_day_first_then_in_order_of_entry() {
        let all = [
            payment("a", "2026-11-10", "100.00", Kind::Money),
            payment("b", "2026-11-09", "50.00", Kind::Money),
            payment("c", "2026-11-09", "20.00", Kind::Money),
            payment("d", "2026-11-01", "9.00", Kind::Interest),
        ];
        assert_eq!(parts(&draw(&all, money("60.00"))), ["b 50.00", "c 10.00"]);
        assert_eq!(parts(&draw(&all, money("1000.00"))), ["b 50.00", "c 20.00", "a 100.00"]);
        assert_eq!(parts(&draw(&all, Money::ZERO)), [""; 0]);
    }

    #[test]
    fn a_lower_revision_frees_the_newest_money_first_and_then_what_was_withheld() {
        let mut all = [
            payment("old", "2026-11-08", "500.00", Kind::Money),
            payment("new", "2026-11-09", "400.00", Kind::Money),
            payment("iss", "2026-11-10", "100.00", Kind::Iss),
        ];
        for payment in &mut all {
            payment.allocated = vec![(N1, payment.amount)];
        }
        let to = |total: &str| {
            let settled = settle(&all, N1, money(total));
            (parts(&settled.allocated), settled.undone)
        };
        let kept = |parts: &[&str]| parts.iter().map(|part| (*part).to_owned()).collect::<Vec<_>>();
        assert_eq!(to("1000.00"), (kept(&["iss 100.00", "old 500.00", "new 400.00"]), vec![]));
        assert_eq!(to("700.00"), (kept(&["iss 100.00", "old 500.00", "new 100.00"]), vec![]));
        assert_eq!(to("150.00"), (kept(&["iss 100.00", "old 50.00"]), vec![]));
        assert_eq!(to("80.00"), (kept(&["old 80.00"]), vec!["iss".to_owned()]));
    }

    #[test]
    fn a_revision_takes_what_waits() {
        let mut all = [
            payment("a", "2026-11-10", "100.00", Kind::Money),
            payment("b", "2026-11-11", "70.00", Kind::Money),
        ];
        all[0].allocated = vec![(N1, money("60.00"))];
        all[1].allocated = vec![(N2, money("70.00"))];
        assert_eq!(parts(&settle(&all, N1, money("90.00")).allocated), ["a 90.00"]);
        assert_eq!(parts(&settle(&all, N1, money("190.00")).allocated), ["a 100.00"]);
    }

    #[test]
    fn documents_say_what_will_settle_the_invoice() {
        let mut all = [
            payment("a", "2026-11-08", "500.00", Kind::Discount),
            payment("b", "2026-11-09", "50.00", Kind::Iss),
            payment("c", "2026-11-10", "100.00", Kind::Money),
            payment("d", "2026-11-10", "30.00", Kind::Money),
        ];
        for payment in &mut all[..3] {
            payment.allocated = vec![(N1, payment.amount)];
        }
        let available = Available::of(&all, Some(N1));
        for total in ["0.00", "49.99", "50.00", "180.00", "499.99", "500.00", "679.99", "700.00"] {
            let total = money(total);
            let settlement = settle(&all, N1, total);
            let came: Money = all[2..].iter().map(|payment| payment.amount).sum();
            let settled = |id: &str| {
                settlement
                    .allocated
                    .iter()
                    .filter(|part| part.payment == id)
                    .map(|p| p.amount)
                    .sum()
            };
            let left = came - settled("c") - settled("d");
            assert_eq!(available.paid_of(total), settlement.paid() + left, "{total}");
        }
        assert_eq!(available.paid_of(money("516.30")), money("630.00"), "iss has no room");
    }
}
