//! Credit notes and charges beside what was used: lines of an invoice and part of its total.
//!
//! A total never goes below zero: of a credit note an invoice takes what it can, and what is left of it waits for
//! the next one. Nothing derived is kept: what waits is the note less what standing invoices took and what was
//! taken back.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::bill::invoice::Number;
use crate::calendar::month::Month;
use crate::price::item::{Item, Line};
use crate::price::money::Money;

/// A credit note (below zero) or a charge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Counts from 1.
    pub id: i64,
    /// Whose it is.
    pub dealership_id: String,
    /// The first month whose invoice may take it.
    pub month: Month,
    /// Below zero: a credit.
    pub amount: Money,
    /// As the invoice prints it.
    pub description: String,
    /// Who entered it.
    pub entered_by: String,
    /// When.
    pub entered_at: DateTime<Utc>,
    /// What standing invoices took of it, by number.
    pub taken: Vec<Taking>,
    /// What a person took back of it; the sign of the amount.
    pub taken_back: Money,
    /// How fecha 0.1 kept it; `None` for what was entered since.
    pub legacy: Option<Legacy>,
}

/// What fecha 0.1 kept of a credit or charge, for those who read it by its keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Legacy {
    /// It was the rest of this credit: no note, it never counts; its note has a second taking instead.
    pub rest_of: Option<i64>,
    /// The invoice that left it over.
    pub origin: Option<Number>,
    /// The invoice that carried it.
    pub number: Option<Number>,
}

/// What an invoice that stands took of a note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taking {
    /// Which invoice.
    pub number: Number,
    /// The sign of the note.
    pub amount: Money,
    /// As the invoice prints it.
    pub words: String,
}

/// Where a note stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NoteState {
    /// Something of it is for the next invoice.
    Waiting,
    /// Invoices have all of it; this one took of it first.
    Taken(Number),
    /// No invoice has any of it, and none will.
    TakenBack,
}

impl fmt::Display for NoteState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Waiting => f.write_str("waiting"),
            Self::Taken(number) => write!(f, "on {number}"),
            Self::TakenBack => f.write_str("taken back"),
        }
    }
}

/// What one invoice takes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Taken {
    /// What the invoice prints.
    pub lines: Vec<Line>,
    /// How much of which note, in the order of the lines.
    pub of: Vec<(i64, Money)>,
    /// What is left of the credits that it takes of: the next invoice has it. Not below zero.
    pub left: Money,
}

impl Note {
    /// Whether it is a note at all, and not how 0.1 kept the rest of one.
    #[must_use]
    pub fn counts(&self) -> bool {
        self.legacy.is_none_or(|legacy| legacy.rest_of.is_none())
    }

    /// Whether fecha 0.1 made it from money: paid beyond a total, or for a number that is void.
    #[must_use]
    pub fn is_from_payment(&self) -> bool {
        self.legacy.is_some_and(|legacy| legacy.rest_of.is_none() && legacy.origin.is_some())
    }

    /// What no invoice took and nobody took back; the sign of the amount.
    #[must_use]
    pub fn waiting(&self) -> Money {
        if !self.counts() {
            return Money::ZERO;
        }
        self.amount - self.taken_back - self.taken.iter().map(|taking| taking.amount).sum()
    }

    /// Where it stands.
    #[must_use]
    pub fn state(&self) -> NoteState {
        match self.first_taker() {
            _ if self.waiting() != Money::ZERO => NoteState::Waiting,
            Some(number) => NoteState::Taken(number),
            None => NoteState::TakenBack,
        }
    }

    /// The first invoice that took of it.
    #[must_use]
    pub fn first_taker(&self) -> Option<Number> {
        let of_0_1 = self.legacy.filter(|_| !self.counts()).and_then(|legacy| legacy.number);
        self.taken.iter().map(|taking| taking.number).min().or(of_0_1)
    }

    fn by(&self, number: Option<Number>) -> Option<&Taking> {
        self.taken.iter().find(|taking| Some(taking.number) == number)
    }

    /// What the invoice of this number took.
    fn carried(&self, number: Option<Number>) -> Money {
        self.by(number).map_or(Money::ZERO, |taking| taking.amount)
    }

    /// How much an invoice of `month` may take: a first issue what waits for its month or an earlier one;
    /// a revision, whose number it is, keeps what it carries and takes what was entered for its very month.
    fn available(&self, month: Month, number: Option<Number>) -> Money {
        let carried = self.carried(number);
        let takes_more = match number {
            None => self.month <= month,
            Some(_) => self.month == month,
        };
        if takes_more { carried + self.waiting() } else { carried }
    }

    /// Says how much of a credit stays behind. What is printed already stays as it is printed.
    fn words(&self, number: Option<Number>, used: Money) -> String {
        if let Some(taking) = self.by(number).filter(|taking| taking.amount == used) {
            return taking.words.clone();
        }
        let elsewhere: Money = self
            .taken
            .iter()
            .filter(|taking| Some(taking.number) != number)
            .map(|taking| taking.amount)
            .sum();
        let description = match elsewhere {
            Money::ZERO => self.description.clone(),
            _ => format!("Saldo de crédito: {}", self.description),
        };
        let counts = self.amount - self.taken_back;
        let (had, rest) = (elsewhere - counts, elsewhere + used - counts);
        if rest == Money::ZERO || self.amount > Money::ZERO {
            return description;
        }
        let (had, rest) = (had.brl(), rest.brl());
        format!("{description} (crédito de {had}; {rest} ficam para os meses seguintes)")
    }
}

/// What a bill of `month` whose other lines come to `subtotal` takes of a dealership's notes, which stand by
/// id. `number` is that of the invoice where it is revised.
#[must_use]
pub fn take(all: &[Note], month: Month, number: Option<Number>, subtotal: Money) -> Taken {
    let mut taken = Taken::default();
    let mut room = subtotal;
    let (charges, credits): (Vec<_>, Vec<_>) = all
        .iter()
        .filter(|note| note.available(month, number) != Money::ZERO)
        .partition(|note| note.amount > Money::ZERO);
    for note in charges.into_iter().chain(credits) {
        // Of a charge all; of a credit what there is room for.
        let used = note.available(month, number).max(-room);
        if used != Money::ZERO {
            room += used;
            taken.take(note, used, note.words(number, used));
            if note.amount < Money::ZERO {
                taken.left += used - note.carried(number) - note.waiting();
            }
        }
    }
    taken
}

impl Taken {
    fn take(&mut self, note: &Note, amount: Money, description: String) {
        let item = Item::Adjustment { description };
        self.of.push((note.id, amount));
        self.lines.push(Line { item, quantity: 1, unit_price: amount.reais(), amount });
    }

    /// The same for the ledger: how much of which note, in which words.
    pub fn takings(&self, number: Number) -> impl Iterator<Item = (i64, Taking)> {
        self.of.iter().zip(&self.lines).map(move |((id, amount), line)| {
            let words = match &line.item {
                Item::Adjustment { description } => description.clone(),
                Item::Package { .. }
                | Item::Overage
                | Item::Hsm
                | Item::UnbilledHsm
                | Item::Messages { .. }
                | Item::Monthly { .. }
                | Item::Discount { .. } => String::new(),
            };
            (*id, Taking { number, amount: *amount, words })
        })
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub fn note(id: i64, month: &str, amount: &str) -> Note {
        Note {
            id,
            dealership_id: "d1".to_owned(),
            month: month.parse().unwrap(),
            amount: amount.parse().unwrap(),
            description: format!("nota {id}"),
            entered_by: "ana".to_owned(),
            entered_at: DateTime::UNIX_EPOCH,
            taken: Vec::new(),
            taken_back: Money::ZERO,
            legacy: None,
        }
    }

    fn money(text: &str) -> Money {
        text.parse().unwrap()
    }

    fn first(all: &[Note], month: &str, subtotal: &str) -> Taken {
        take(all, month.parse().unwrap(), None, money(subtotal))
    }

    fn revised(all: &[Note], month: &str, number: Number, subtotal: &str) -> Taken {
        take(all, month.parse().unwrap(), Some(number), money(subtotal))
    }

    fn total(taken: &Taken) -> String {
        taken.lines.iter().map(|line| line.amount).sum::<Money>().to_string()
    }

    fn issue(all: &mut [Note], taken: &Taken, number: Number) {
        for note in &mut *all {
            note.taken.retain(|taking| taking.number != number);
        }
        for (id, taking) in taken.takings(number) {
            all.iter_mut().find(|note| note.id == id).unwrap().taken.push(taking);
        }
    }

    const N1: Number = Number { year: 2026, sequence: 1 };
    const N2: Number = Number { year: 2026, sequence: 2 };

    #[test]
    fn waits_until_its_month() {
        let mut all = [note(1, "2026-11", "-120.00"), note(2, "2026-10", "30.00")];
        assert_eq!(total(&first(&all, "2026-10", "1014.00")), "30.00");
        assert_eq!(total(&first(&all, "2026-12", "1014.00")), "-90.00");
        all[0].taken_back = money("-120.00");
        let taken = first(&all[1..], "2026-10", "1014.00");
        issue(&mut all, &taken, N1);
        assert_eq!(first(&all, "2026-12", "1014.00"), Taken::default());
        assert_eq!(all[0].state(), NoteState::TakenBack);
        assert_eq!(all[1].state(), NoteState::Taken(N1));
    }

    #[test]
    fn a_total_never_goes_below_zero_and_the_rest_waits() {
        let mut all = vec![note(1, "2026-10", "-2000.00"), note(2, "2026-10", "10.00")];
        let october = first(&all, "2026-10", "1014.00");
        assert_eq!(total(&october), "-1014.00");
        issue(&mut all, &october, N1);
        assert_eq!(all[0].waiting(), money("-976.00"));
        assert_eq!(october.left, money("976.00"));
        assert_eq!(revised(&all, "2026-10", N1, "1014.00"), october, "as printed");
        // While nobody took it, a revision with a higher subtotal has room for more of it …
        assert_eq!(total(&revised(&all, "2026-10", N1, "1500.00")), "-1500.00");
        let november = first(&all, "2026-11", "1014.00");
        assert_eq!(total(&november), "-976.00");
        issue(&mut all, &november, N2);
        // … and not once it is gone.
        assert_eq!(total(&revised(&all, "2026-10", N1, "1500.00")), "-1014.00");
        let gone = Taken { left: Money::ZERO, ..october.clone() };
        assert_eq!(
            revised(&all, "2026-10", N1, "1014.00"),
            gone,
            "nothing is left for the next one"
        );
        let words = |taken: &Taken| taken.takings(N1).map(|(_, t)| t.words).collect::<Vec<_>>();
        let first =
            "nota 1 (crédito de R$\u{a0}2.000,00; R$\u{a0}976,00 ficam para os meses seguintes)";
        assert_eq!(words(&october), ["nota 2", first]);
        assert_eq!(words(&november), ["Saldo de crédito: nota 1"]);
    }

    // The first case of issue 12: R$ 2.000,00 carried by October and November, both cancelled, October first.
    #[test]
    fn what_invoices_took_waits_again_when_they_are_void_and_no_more() {
        let mut all = vec![note(1, "2026-10", "-2000.00")];
        let october = first(&all, "2026-10", "1014.00");
        issue(&mut all, &october, N1);
        let november = first(&all, "2026-11", "1014.00");
        issue(&mut all, &november, N2);
        assert_eq!(total(&november), "-986.00");
        issue(&mut all, &Taken::default(), N1);
        // November keeps what it carries; what October freed is for the next invoice.
        let freed = Taken { left: money("1014.00"), ..november.clone() };
        assert_eq!(revised(&all, "2026-11", N2, "1014.00"), freed);
        assert_eq!(all[0].waiting(), money("-1014.00"));
        issue(&mut all, &Taken::default(), N2);
        assert_eq!(all[0].waiting(), money("-2000.00"));
        assert_eq!(total(&first(&all, "2026-12", "1014.00")), "-1014.00");
    }

    #[test]
    fn a_revision_takes_what_was_entered_for_its_month_only() {
        let all = [note(1, "2026-10", "-1.00"), note(2, "2026-09", "-2.00")];
        assert_eq!(revised(&all, "2026-10", N1, "10.00").of, [(1, money("-1.00"))]);
    }

    #[test]
    fn a_rest_as_0_1_kept_it_never_counts() {
        let mut rest = note(3, "2026-11", "-976.00");
        rest.legacy = Some(Legacy { rest_of: Some(1), origin: Some(N1), number: Some(N2) });
        assert_eq!((rest.waiting(), rest.state()), (Money::ZERO, NoteState::Taken(N2)));
        assert_eq!(first(&[rest], "2026-12", "1014.00"), Taken::default());
    }
}
