//! What fecha 0.1 kept of credits and payments, as open items (spec §2 *From 0.1*).
//!
//! 0.1 made a credit of what an invoice had no room for (a *rest*, "Saldo de crédito"), of money paid beyond a
//! total ("pago a mais") and of money paid for a void number ("pagamento da fatura cancelada"). Taken naively,
//! money that a later invoice gave away as such a credit would wait once more: what was carried is told from the
//! lines of the documents as issued, and from nothing else.

use std::collections::{BTreeMap, BTreeSet};

use crate::account::note::Taking;
use crate::account::payment::Part;
use crate::bill::invoice::Number;
use crate::price::item::{Item, Line};
use crate::price::money::Money;

/// A row of `adjustment` as 0.1 wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OldAdjustment {
    /// Its id.
    pub id: i64,
    /// Below zero: a credit.
    pub amount: Money,
    /// The credit of which it is the rest.
    pub rest_of: Option<i64>,
    /// The invoice that left it over.
    pub origin: Option<Number>,
    /// The invoice that carries it.
    pub number: Option<Number>,
    /// It never counts.
    pub cancelled: bool,
    /// A person took it back: the audit log says so.
    pub taken_back: bool,
}

/// A row of `payment` as 0.1 wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OldPayment {
    /// Its id, which sorts by entry.
    pub id: String,
    /// For which invoice.
    pub number: Number,
    /// What came in.
    pub amount: Money,
}

/// What 0.1 kept of one dealership, in the order of ids.
#[derive(Debug, Clone, Default)]
pub struct Old {
    /// Its credits and charges.
    pub adjustments: Vec<OldAdjustment>,
    /// Its payments.
    pub payments: Vec<OldPayment>,
    /// The lines of its invoices that stand, as issued.
    pub standing: BTreeMap<Number, Vec<Line>>,
}

/// The same as open items.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OpenItems {
    /// What standing invoices took of which note.
    pub takings: Vec<(i64, Taking)>,
    /// What of which note never counts, with the sign of the note: a person took it back, or it was made from
    /// money and waits as that again.
    pub taken_back: Vec<(i64, Money)>,
    /// What of a payment is a credit note since.
    pub converted: Vec<Part>,
    /// What a person took back of money that waited: paid back.
    pub refunded: Vec<Part>,
    /// What settles which invoice.
    pub allocated: Vec<(Number, Part)>,
    /// What of `refunded` or `converted` no payment has: told by `verify`.
    pub unexplained: Money,
}

/// Money of a payment that has no place yet.
struct Left<'a> {
    payment: &'a OldPayment,
    amount: Money,
}

/// Turns one dealership's credits and payments into open items.
#[must_use]
pub fn open_items(old: &Old) -> OpenItems {
    let mut items = OpenItems { takings: takings(old), ..OpenItems::default() };
    let mut left: Vec<Left<'_>> =
        old.payments.iter().map(|payment| Left { payment, amount: payment.amount }).collect();
    for note in old.adjustments.iter().filter(|adjustment| adjustment.rest_of.is_none()) {
        let taken: Money =
            items.takings.iter().filter(|(id, _)| *id == note.id).map(|(_, t)| t.amount).sum();
        let back = taken_back(old, note);
        match note.origin {
            None => {
                if back != Money::ZERO {
                    items.taken_back.push((note.id, back));
                }
            }
            Some(origin) => {
                // What was given away stays a note; what waits is the payment's own again.
                if note.amount != taken {
                    items.taken_back.push((note.id, note.amount - taken));
                }
                let converted = spend(&mut left, origin, -taken, &mut items.unexplained);
                items.converted.extend(converted);
                let refunded = spend(&mut left, origin, -back, &mut items.unexplained);
                items.refunded.extend(refunded);
            }
        }
    }
    items.allocated = allocate(&left, old);
    items
}

/// The note that an adjustment is the rest of, through all rests between.
fn root(old: &Old, adjustment: &OldAdjustment) -> i64 {
    let mut at = adjustment;
    // No chain is longer than there are rows: a ring, which fecha cannot have written, ends.
    for _ in 0..old.adjustments.len() {
        let Some(id) = at.rest_of else { break };
        let Some(next) = old.adjustments.iter().find(|other| other.id == id) else { break };
        at = next;
    }
    at.id
}

/// What each invoice carries stands on it, charges before credits, each by id.
fn takings(old: &Old) -> Vec<(i64, Taking)> {
    let mut takings: Vec<(i64, Taking)> = Vec::new();
    for (number, lines) in &old.standing {
        let carried = old.adjustments.iter().filter(|a| a.number == Some(*number) && !a.cancelled);
        let (charges, credits): (Vec<_>, Vec<_>) = carried.partition(|a| a.amount >= Money::ZERO);
        let printed = lines.iter().filter_map(|line| match &line.item {
            Item::Adjustment { description } => Some((line.amount, description)),
            Item::Package { .. }
            | Item::Overage
            | Item::Hsm
            | Item::UnbilledHsm
            | Item::Messages { .. }
            | Item::Monthly { .. }
            | Item::Discount { .. } => None,
        });
        for (adjustment, (amount, words)) in charges.into_iter().chain(credits).zip(printed) {
            let note = root(old, adjustment);
            let same = |(id, t): &&mut (i64, Taking)| *id == note && t.number == *number;
            match takings.iter_mut().find(same) {
                Some((_, taking)) => taking.amount += amount,
                None => {
                    takings.push((note, Taking { number: *number, amount, words: words.clone() }));
                }
            }
        }
    }
    takings.retain(|(_, taking)| taking.amount != Money::ZERO);
    takings
}

/// What a person took back of a note or of its rests; the sign of the note.
fn taken_back(old: &Old, note: &OldAdjustment) -> Money {
    let own = old.adjustments.iter().filter(|a| a.cancelled && root(old, a) == note.id);
    // A note itself is only ever cancelled by a person; a rest by a later revision too.
    own.filter(|a| a.taken_back || a.id == note.id && a.origin.is_none()).map(|a| a.amount).sum()
}

/// Takes an amount out of the payments of an invoice, the newest first.
fn spend(
    left: &mut [Left<'_>],
    number: Number,
    amount: Money,
    unexplained: &mut Money,
) -> Vec<Part> {
    let mut wanted = amount;
    let mut parts = Vec::new();
    for one in left.iter_mut().rev().filter(|one| one.payment.number == number) {
        let part = one.amount.min(wanted);
        if part > Money::ZERO {
            one.amount = one.amount - part;
            wanted = wanted - part;
            parts.push(Part { payment: one.payment.id.clone(), amount: part });
        }
    }
    *unexplained += wanted;
    parts
}

/// Each payment settles its own invoice as far as that stands and is open.
fn allocate(left: &[Left<'_>], old: &Old) -> Vec<(Number, Part)> {
    let numbers: BTreeSet<Number> = left.iter().map(|one| one.payment.number).collect();
    let mut allocated = Vec::new();
    for number in numbers {
        let Some(lines) = old.standing.get(&number) else { continue };
        let mut open: Money = lines.iter().map(|line| line.amount).sum();
        for one in left.iter().filter(|one| one.payment.number == number) {
            let amount = one.amount.min(open);
            if amount > Money::ZERO {
                open = open - amount;
                let part = Part { payment: one.payment.id.clone(), amount };
                allocated.push((number, part));
            }
        }
    }
    allocated
}

#[cfg(test)]
mod tests {
    use super::*;

    const N5: Number = Number { year: 2026, sequence: 5 };
    const N7: Number = Number { year: 2026, sequence: 7 };
    const N13: Number = Number { year: 2026, sequence: 13 };
    const N18: Number = Number { year: 2026, sequence: 18 };

    fn money(text: &str) -> Money {
        text.parse().unwrap()
    }

    fn line(amount: &str, description: &str) -> Line {
        let amount = money(amount);
        let item = Item::Adjustment { description: description.to_owned() };
        Line { item, quantity: 1, unit_price: amount.reais(), amount }
    }

    fn package(amount: &str) -> Line {
        Line { item: Item::Package { contacts: 5000 }, ..line(amount, "") }
    }

    fn adjustment(id: i64, amount: &str, number: Option<Number>) -> OldAdjustment {
        OldAdjustment {
            id,
            amount: money(amount),
            rest_of: None,
            origin: None,
            number,
            cancelled: false,
            taken_back: false,
        }
    }

    fn payment(id: &str, number: Number, amount: &str) -> OldPayment {
        OldPayment { id: id.to_owned(), number, amount: money(amount) }
    }

    fn part(payment: &str, amount: &str) -> Part {
        Part { payment: payment.to_owned(), amount: money(amount) }
    }

    // d2 of the fixture: R$ 1.015,84 paid for R$ 895,84; R$ 120,00 given away by the next invoice.
    #[test]
    fn overpaid_and_given_away_is_a_note_and_no_money() {
        let credit = OldAdjustment { origin: Some(N5), ..adjustment(5, "-120.00", Some(N18)) };
        let old = Old {
            adjustments: vec![adjustment(4, "-120.00", Some(N5)), credit],
            payments: vec![payment("p", N5, "1015.84")],
            standing: [
                (N5, vec![package("1015.84"), line("-120.00", "Desconto")]),
                (N18, vec![package("1015.84"), line("-120.00", "Crédito: pago a mais")]),
            ]
            .into(),
        };
        let items = open_items(&old);
        assert_eq!(items.converted, [part("p", "120.00")]);
        assert_eq!(items.allocated, [(N5, part("p", "895.84"))]);
        assert_eq!(items.taken_back, []);
        assert_eq!(items.takings.len(), 2);
        assert_eq!(items.unexplained, Money::ZERO);
    }

    // d4 of the fixture: a void number was paid, and billed again under another.
    #[test]
    fn money_for_a_void_number_that_was_carried_is_a_note() {
        let credit = OldAdjustment { origin: Some(N7), ..adjustment(6, "-1092.26", Some(N13)) };
        let old = Old {
            adjustments: vec![adjustment(2, "75.50", Some(N13)), credit],
            payments: vec![payment("p", N7, "1092.26")],
            standing: [(
                N13,
                vec![package("1016.76"), line("75.50", "Treinamento"), line("-1092.26", "Crédito")],
            )]
            .into(),
        };
        let items = open_items(&old);
        assert_eq!((items.converted, items.allocated), (vec![part("p", "1092.26")], vec![]));
    }

    #[test]
    fn what_waits_is_dropped_and_the_payments_own_again() {
        let carried = OldAdjustment { origin: Some(N7), ..adjustment(1, "-1500.00", Some(N13)) };
        let rest =
            OldAdjustment { rest_of: Some(1), origin: Some(N13), ..adjustment(2, "-486.00", None) };
        let old = Old {
            adjustments: vec![carried, rest],
            payments: vec![payment("a", N7, "1000.00"), payment("b", N7, "500.00")],
            standing: [(N13, vec![package("1014.00"), line("-1014.00", "Crédito")])].into(),
        };
        let items = open_items(&old);
        // R$ 486,00 wait: of the first payment, since the newest was spent first.
        assert_eq!(items.converted, [part("b", "500.00"), part("a", "514.00")]);
        assert_eq!((items.taken_back, items.allocated), (vec![(1, money("-486.00"))], vec![]));
    }

    #[test]
    fn a_rest_is_a_second_taking_of_its_note_in_its_own_words() {
        let rest = OldAdjustment {
            rest_of: Some(1),
            origin: Some(N5),
            ..adjustment(2, "-483.70", Some(N18))
        };
        let words = "Saldo de crédito: Crédito combinado";
        let old = Old {
            adjustments: vec![adjustment(1, "-1500.00", Some(N5)), rest],
            payments: Vec::new(),
            standing: [
                (N5, vec![package("1016.30"), line("-1016.30", "Crédito combinado")]),
                (N18, vec![package("1016.30"), line("-483.70", words)]),
            ]
            .into(),
        };
        let items = open_items(&old);
        let second = Taking { number: N18, amount: money("-483.70"), words: words.to_owned() };
        assert_eq!((items.takings[1].clone(), items.taken_back), ((1, second), vec![]));
    }

    #[test]
    fn what_a_person_took_back_of_money_is_a_refund_and_of_a_credit_is_gone() {
        let back = |id, origin| OldAdjustment {
            origin,
            cancelled: true,
            taken_back: true,
            ..adjustment(id, "-50.00", None)
        };
        let old = Old {
            adjustments: vec![back(1, None), back(2, Some(N5))],
            payments: vec![payment("p", N5, "150.00")],
            standing: [(N5, vec![package("100.00")])].into(),
        };
        let items = open_items(&old);
        assert_eq!(items.taken_back, [(1, money("-50.00")), (2, money("-50.00"))]);
        assert_eq!(items.refunded, [part("p", "50.00")]);
        assert_eq!(items.allocated, [(N5, part("p", "100.00"))]);
    }

    #[test]
    fn a_credit_that_a_revision_replaced_is_nobodys() {
        let replaced =
            OldAdjustment { origin: Some(N5), cancelled: true, ..adjustment(1, "-50.00", None) };
        let old = Old {
            adjustments: vec![replaced],
            payments: vec![payment("p", N5, "150.00")],
            standing: [(N5, vec![package("100.00")])].into(),
        };
        let items = open_items(&old);
        assert_eq!((items.refunded, items.converted), (vec![], vec![]));
        assert_eq!(items.allocated, [(N5, part("p", "100.00"))]);
    }
}
