//! That a dealership's account adds up, proved from the documents as issued and not from the rows that allocate
//! (spec §2 *Account*).

use std::collections::BTreeMap;

use crate::account::note::Note;
use crate::account::payment::{Kind, Payment};
use crate::bill::invoice::Number;
use crate::price::item::{Item, Line};
use crate::price::money::Money;

/// All that is known of a dealership's money.
#[derive(Debug, Clone, Default)]
pub struct Books {
    /// The lines of its invoices that stand, as issued.
    pub standing: BTreeMap<Number, Vec<Line>>,
    /// Its credit notes and charges, by id.
    pub notes: Vec<Note>,
    /// Its payments.
    pub payments: Vec<Payment>,
    /// What was paid back, by the refunds.
    pub refunded: Money,
}

/// Both sides of an equality that should hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Sides(Money, Money);

/// What does not add up, in words with both sides; empty where all of it does.
#[must_use]
pub fn contradictions(books: &Books) -> Vec<String> {
    let mut found = Vec::new();
    for (what, sides) in equalities(books) {
        if sides.0 != sides.1 {
            found.push(format!("{what}: {} is not {}", sides.0.brl(), sides.1.brl()));
        }
    }
    found.extend(allocations(books));
    let below = |waiting: Money| waiting < Money::ZERO;
    for payment in books.payments.iter().filter(|payment| below(payment.waiting())) {
        found.push(format!("more than all of payment {} is used", payment.id));
    }
    for note in &books.notes {
        let waiting = note.waiting();
        let is_wrong =
            if note.amount < Money::ZERO { waiting > Money::ZERO } else { below(waiting) };
        if is_wrong {
            found.push(format!("more than all of adjustment {} is used", note.id));
        }
    }
    found
}

fn equalities(books: &Books) -> [(&'static str, Sides); 3] {
    let total = |lines: &Vec<Line>| lines.iter().map(|line| line.amount).sum::<Money>();
    let totals: Money = books.standing.values().map(total).sum();
    let counts = |payment: &&Payment| !payment.undone && payment.kind != Kind::Interest;
    let payments = || books.payments.iter().filter(counts);
    let paid_in: Money = payments().map(|payment| payment.amount).sum();
    let waiting: Money = payments().map(Payment::waiting).sum();
    let converted: Money = payments().map(|payment| payment.converted).sum();
    let settled = |number| payments().map(|payment| payment.settles(number)).sum::<Money>();
    let to_pay: Money =
        books.standing.iter().map(|(number, lines)| total(lines) - settled(*number)).sum();
    let printed = |is_credit: bool| -> Money {
        let lines = books.standing.values().flatten();
        let own = lines.filter(|line| matches!(line.item, Item::Adjustment { .. }));
        own.map(|line| line.amount).filter(|amount| (*amount < Money::ZERO) == is_credit).sum()
    };
    let notes = |is_credit: bool| {
        let of_sign = move |note: &&Note| (note.amount < Money::ZERO) == is_credit;
        books.notes.iter().filter(|note| note.counts()).filter(of_sign)
    };
    let entered = |is_credit| notes(is_credit).map(|n| n.amount - n.taken_back).sum::<Money>();
    let left = |is_credit| notes(is_credit).map(Note::waiting).sum::<Money>();
    [
        (
            "invoices that stand, refunds and what is a credit since, against payments, what is open and what waits",
            Sides(totals + books.refunded + converted, paid_in + to_pay - waiting),
        ),
        (
            "credit notes against what the documents took of them and what waits",
            Sides(-entered(true), -(printed(true) + left(true))),
        ),
        (
            "charges against what the documents charge of them and what waits",
            Sides(entered(false), printed(false) + left(false)),
        ),
    ]
}

/// Each allocation joins a payment and a standing invoice of the dealership, and none is above either.
fn allocations(books: &Books) -> Vec<String> {
    let mut found = Vec::new();
    let mut settled: BTreeMap<Number, Money> = BTreeMap::new();
    for payment in &books.payments {
        for (number, amount) in &payment.allocated {
            *settled.entry(*number).or_default() += *amount;
            if !books.standing.contains_key(number) {
                let id = &payment.id;
                found.push(format!("payment {id} settles {number}, which does not stand here"));
            }
        }
    }
    for (number, lines) in &books.standing {
        let total: Money = lines.iter().map(|line| line.amount).sum();
        let settled = settled.get(number).copied().unwrap_or_default();
        if settled > total {
            let (settled, total) = (settled.brl(), total.brl());
            found.push(format!("{settled} settle {number}, which asks for {total}"));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::note::Taking;
    use crate::account::note::tests::note;
    use crate::account::payment::tests::payment;

    const N1: Number = Number { year: 2026, sequence: 1 };

    fn line(amount: &str, item: Item) -> Line {
        let amount: Money = amount.parse().unwrap();
        Line { item, quantity: 1, unit_price: amount.reais(), amount }
    }

    /// R$ 1.014,00 less a credit of R$ 120,00, of which R$ 894,00 are paid of R$ 900,00.
    fn books() -> Books {
        let credit = Item::Adjustment { description: "Desconto".to_owned() };
        let lines =
            vec![line("1014.00", Item::Package { contacts: 5000 }), line("-120.00", credit)];
        let mut paid = payment("p", "2026-11-10", "900.00", Kind::Money);
        paid.allocated = vec![(N1, "894.00".parse().unwrap())];
        let mut desconto = note(1, "2026-10", "-120.00");
        let (amount, words) = ("-120.00".parse().unwrap(), "Desconto".to_owned());
        desconto.taken.push(Taking { number: N1, amount, words });
        Books {
            standing: [(N1, lines)].into(),
            notes: vec![desconto, note(2, "2026-11", "30.00")],
            payments: vec![paid],
            refunded: Money::ZERO,
        }
    }

    #[test]
    fn an_account_that_adds_up_has_no_contradictions() {
        assert_eq!(contradictions(&books()), [""; 0]);
    }

    #[test]
    fn each_kind_of_fault_is_seen() {
        let seen = |change: fn(&mut Books)| {
            let mut books = books();
            change(&mut books);
            contradictions(&books).join("; ")
        };
        // Given away as a line already, and waiting as money once more: the fault of 0.1.
        let doubled = seen(|books| books.notes[0].taken.clear());
        assert!(doubled.contains("credit notes against"), "{doubled}");
        let lost = seen(|books| books.notes[0].amount = "-100.00".parse().unwrap());
        assert!(lost.contains("more than all of adjustment 1"), "{lost}");
        let refunded = seen(|books| books.refunded = "6.00".parse().unwrap());
        assert!(refunded.contains("refunds"), "{refunded}");
        let void = seen(|books| books.standing.clear());
        assert!(void.contains("which does not stand here"), "{void}");
        let over = seen(|books| books.payments[0].allocated[0].1 = "899.00".parse().unwrap());
        assert!(over.contains("which asks for"), "{over}");
        let beyond = seen(|books| books.payments[0].amount = "800.00".parse().unwrap());
        assert!(beyond.contains("payment p"), "{beyond}");
        let charged = seen(|books| books.notes[1].taken_back = "40.00".parse().unwrap());
        assert!(charged.contains("adjustment 2"), "{charged}");
    }
}
