//! What of an invoice is taxed. Payments play no part: a service is taxed, not what was paid for it.

use crate::account::note::Note;
use crate::bill::invoice::Number;
use crate::price::item::{Item, Line};
use crate::price::money::Money;

/// The price of a service and what it was reduced by before it was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taxed {
    /// All lines but discount and credits, charges included (`vServ`).
    pub service: Money,
    /// The discount of the contract, and credit notes as far as they were given away (`vDescIncond`); not below zero.
    pub discount: Money,
}

/// The invoice says another amount than its dealership's account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "credits made from payments come to {converted}, and its lines have credits of {credits} only"
)]
pub struct NotOnInvoice {
    converted: Money,
    credits: Money,
}

impl Taxed {
    /// Of the lines of an invoice. `from_payments` is what it took of credits that fecha 0.1 made from payments,
    /// not below zero: money, and no discount.
    ///
    /// # Errors
    /// [`NotOnInvoice`] where the lines have less credit than that.
    pub fn of(lines: &[Line], from_payments: Money) -> Result<Self, NotOnInvoice> {
        let (mut service, mut granted, mut credits) = (Money::ZERO, Money::ZERO, Money::ZERO);
        for line in lines {
            match &line.item {
                Item::Discount { .. } => granted += -line.amount,
                Item::Adjustment { .. } if line.amount < Money::ZERO => credits += -line.amount,
                Item::Package { .. }
                | Item::Overage
                | Item::Hsm
                | Item::UnbilledHsm
                | Item::Messages { .. }
                | Item::Monthly { .. }
                | Item::Adjustment { .. } => service += line.amount,
            }
        }
        if from_payments > credits {
            return Err(NotOnInvoice { converted: from_payments, credits });
        }
        Ok(Self { service, discount: granted + credits - from_payments })
    }

    /// What is taxed.
    #[must_use]
    pub fn base(self) -> Money {
        self.service - self.discount
    }

    /// Whether there is anything to tax. Where a discount takes all of a price the layout has no DPS: a discount
    /// must be less than the price.
    #[must_use]
    pub fn is_taxed(self) -> bool {
        self.base() > Money::ZERO
    }
}

/// What an invoice took of credits that fecha 0.1 made from payments; not below zero.
#[must_use]
pub fn from_payments(notes: &[Note], number: Number) -> Money {
    let made = notes.iter().filter(|note| note.is_from_payment());
    let taken = made.flat_map(|note| &note.taken).filter(|taking| taking.number == number);
    taken.map(|taking| -taking.amount).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::note::Legacy;
    use crate::account::note::Taking;
    use crate::account::note::tests::note;
    use crate::bill::bill::Use;
    use crate::price::rates::Rates;
    use crate::price::table::tests::table;

    const NUMBER: Number = Number { year: 2026, sequence: 1 };

    fn money(text: &str) -> Money {
        text.parse().unwrap()
    }

    #[test]
    fn the_discount_of_a_contract_lowers_what_is_taxed() {
        let table = table();
        let rates = Rates { table: &table, discount: "10".parse().unwrap() };
        let lines = rates.lines(Use::plain(5000, 5123, 310)).unwrap();
        let taxed = Taxed::of(&lines, Money::ZERO).unwrap();
        assert_eq!((taxed.service, taxed.discount), (money("1192.27"), money("119.23")));
    }

    /// R$ 1.192,27 of package, overage and HSM, and these notes.
    fn lines(notes: &[&str]) -> Vec<Line> {
        let mut lines = table().lines(Use::plain(5000, 5123, 310)).unwrap();
        lines.extend(notes.iter().map(|amount| {
            let (item, amount) =
                (Item::Adjustment { description: "nota".to_owned() }, money(amount));
            Line { item, quantity: 1, unit_price: amount.reais(), amount }
        }));
        lines
    }

    #[test]
    fn charges_are_service_and_credits_a_discount() {
        let taxed = Taxed::of(&lines(&["30.00", "-120.00", "-5.00"]), Money::ZERO).unwrap();
        assert_eq!(taxed, Taxed { service: money("1222.27"), discount: money("125.00") });
        assert_eq!((taxed.base(), taxed.is_taxed()), (money("1097.27"), true));
        let nothing = Taxed::of(&lines(&["-1192.27"]), Money::ZERO).unwrap();
        assert!(!nothing.is_taxed());
    }

    #[test]
    fn a_credit_made_from_a_payment_is_no_discount() {
        let taken =
            |number| vec![Taking { number, amount: money("-100.00"), words: String::new() }];
        let legacy = |rest_of, origin| Some(Legacy { rest_of, origin, number: Some(NUMBER) });
        let mut notes = [note(1, "2026-10", "-100.00"), note(2, "2026-10", "-100.00")];
        notes[0].taken = taken(NUMBER);
        notes[1].taken = taken(NUMBER);
        assert_eq!(from_payments(&notes, NUMBER), Money::ZERO);
        // "pago a mais" of an earlier invoice, as 0.1 kept it.
        notes[0].legacy = legacy(None, Some(Number { year: 2026, sequence: 0 }));
        // The rest of a note that a person entered.
        notes[1].legacy = legacy(Some(7), Some(NUMBER));
        let paid = from_payments(&notes, NUMBER);
        assert_eq!((paid, from_payments(&notes, NUMBER.next())), (money("100.00"), Money::ZERO));
        let taxed = Taxed::of(&lines(&["-100.00", "-100.00"]), paid).unwrap();
        assert_eq!(taxed, Taxed { service: money("1192.27"), discount: money("100.00") });
        let error = Taxed::of(&lines(&[]), paid).unwrap_err().to_string();
        assert_eq!(
            error,
            "credits made from payments come to 100.00, and its lines have credits of 0.00 only"
        );
    }
}
