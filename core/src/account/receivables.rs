//! What dealerships owe, by age, and what waits on their accounts.

use std::collections::BTreeMap;

use chrono::{Days, NaiveDate};
use serde::{Deserialize, Serialize};

use crate::price::money::Money;

/// How long an amount has been due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Age {
    /// Its day has not passed.
    NotDue,
    /// For 1 to 30 days.
    To30,
    /// For 31 to 60 days.
    To60,
    /// For 61 to 90 days.
    To90,
    /// For longer.
    Older,
}

impl Age {
    /// The last days on which what is due is of [`Age::NotDue`] no more, of [`Age::To30`] no more, and so on: what is
    /// due before each of these days is older.
    #[must_use]
    pub fn bounds(today: NaiveDate) -> [NaiveDate; 4] {
        [0, 30, 60, 90].map(|days| today - Days::new(days))
    }

    /// On `today`, of what is due on `due_on`. It is due all day long: a day later it is one day old.
    #[must_use]
    pub fn of(due_on: NaiveDate, today: NaiveDate) -> Self {
        match days_late(due_on, today) {
            ..=0 => Self::NotDue,
            1..=30 => Self::To30,
            31..=60 => Self::To60,
            61..=90 => Self::To90,
            91.. => Self::Older,
        }
    }
}

/// How many days have passed since what is due on `due_on` was to be paid; zero or below: none.
#[must_use]
pub fn days_late(due_on: NaiveDate, today: NaiveDate) -> i64 {
    (today - due_on).num_days()
}

/// What is open, by age; its JSON has the names of spec §3.4.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "as in Age")]
pub struct Ages {
    pub not_due: Money,
    #[serde(rename = "1-30")]
    pub to_30: Money,
    #[serde(rename = "31-60")]
    pub to_60: Money,
    #[serde(rename = "61-90")]
    pub to_90: Money,
    #[serde(rename = "91+")]
    pub older: Money,
}

impl Ages {
    /// All of them, the youngest first.
    #[must_use]
    pub fn each(&self) -> [Money; 5] {
        [self.not_due, self.to_30, self.to_60, self.to_90, self.older]
    }

    /// What is open.
    #[must_use]
    pub fn open(&self) -> Money {
        self.each().into_iter().sum()
    }

    /// What of it is overdue.
    #[must_use]
    pub fn overdue(&self) -> Money {
        self.open() - self.not_due
    }

    fn add(&mut self, age: Age, open: Money) {
        *match age {
            Age::NotDue => &mut self.not_due,
            Age::To30 => &mut self.to_30,
            Age::To60 => &mut self.to_60,
            Age::To90 => &mut self.to_90,
            Age::Older => &mut self.older,
        } += open;
    }
}

/// What is open and what waits, of one dealership or of all. What waits settles nothing by itself: it is beside
/// what is open, not taken off it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Balance {
    /// Still to be paid.
    pub open: Money,
    /// The part of it whose day has passed.
    pub overdue: Money,
    /// Payments, or parts of them, that settle no invoice.
    pub waiting: Money,
}

/// An invoice with something to be paid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owed<I> {
    /// Who owes it.
    pub dealership_id: String,
    /// Still to be paid; above zero.
    pub open: Money,
    /// When it is, or was, due.
    pub due_on: NaiveDate,
    /// What the caller knows of it.
    pub invoice: I,
}

/// What one dealership owes, and what waits on its account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Debtor<I> {
    /// Who.
    pub dealership_id: String,
    /// How much.
    pub balance: Balance,
    /// For which invoices, in the order in which they were given.
    pub owed: Vec<Owed<I>>,
}

impl<I> Debtor<I> {
    /// For how many days its oldest invoice has been due; `None` where none is overdue.
    #[must_use]
    pub fn oldest(&self, today: NaiveDate) -> Option<i64> {
        let late = self.owed.iter().map(|owed| days_late(owed.due_on, today));
        late.max().filter(|days| *days > 0)
    }
}

/// Everything that is open and waits on one day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receivables<I> {
    /// Of all.
    pub balance: Balance,
    /// What is open, by age.
    pub ages: Ages,
    /// Who owes something or has something waiting: the largest overdue sum first, then the largest open one,
    /// then by id.
    pub debtors: Vec<Debtor<I>>,
}

impl<I> Receivables<I> {
    /// Sums up what is owed and what waits (by dealership, above zero) on `today`, the issuer's local day.
    #[must_use]
    pub fn of(
        owed: impl IntoIterator<Item = Owed<I>>,
        waiting: BTreeMap<String, Money>,
        today: NaiveDate,
    ) -> Self {
        let (mut balance, mut ages) = (Balance::default(), Ages::default());
        let mut by_id: BTreeMap<String, (Balance, Vec<Owed<I>>)> = BTreeMap::new();
        for owed in owed {
            let (of_one, invoices) = by_id.entry(owed.dealership_id.clone()).or_default();
            let age = Age::of(owed.due_on, today);
            ages.add(age, owed.open);
            for balance in [&mut balance, of_one] {
                balance.open += owed.open;
                if age > Age::NotDue {
                    balance.overdue += owed.open;
                }
            }
            invoices.push(owed);
        }
        for (dealership_id, amount) in waiting {
            by_id.entry(dealership_id).or_default().0.waiting += amount;
            balance.waiting += amount;
        }
        let debtor = |(dealership_id, (balance, owed))| Debtor { dealership_id, balance, owed };
        let mut debtors: Vec<Debtor<I>> = by_id.into_iter().map(debtor).collect();
        // Stable: by id where both sums are equal.
        debtors.sort_by(|a, b| {
            (b.balance.overdue, b.balance.open).cmp(&(a.balance.overdue, a.balance.open))
        });
        Self { balance, ages, debtors }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const TODAY: &str = "2026-11-20";

    fn money(text: &str) -> Money {
        text.parse().unwrap()
    }

    fn owed(id: &str, open: &str, due_on: &str) -> Owed<()> {
        let (open, due_on) = (money(open), due_on.parse().unwrap());
        Owed { dealership_id: id.to_owned(), open, due_on, invoice: () }
    }

    fn receivables(owed: Vec<Owed<()>>, waiting: &[(&str, &str)]) -> Receivables<()> {
        let waiting = waiting.iter().map(|(id, amount)| ((*id).to_owned(), money(amount)));
        Receivables::of(owed, waiting.collect(), TODAY.parse().unwrap())
    }

    #[rstest]
    #[case("2026-12-10", Age::NotDue)]
    #[case("2026-11-20", Age::NotDue)] // due all day long
    #[case("2026-11-19", Age::To30)]
    #[case("2026-10-21", Age::To30)] // 30 days
    #[case("2026-10-20", Age::To60)] // 31
    #[case("2026-09-21", Age::To60)] // 60
    #[case("2026-09-20", Age::To90)] // 61
    #[case("2026-08-22", Age::To90)] // 90
    #[case("2026-08-21", Age::Older)] // 91
    #[case("2020-01-01", Age::Older)]
    fn is_as_old_as_the_days_since_it_was_due(#[case] due_on: &str, #[case] expected: Age) {
        let (due_on, today) = (due_on.parse().unwrap(), TODAY.parse().unwrap());
        assert_eq!(Age::of(due_on, today), expected);
        let older = Age::bounds(today).into_iter().filter(|bound| due_on < *bound).count();
        assert_eq!(older, expected as usize);
    }

    #[test]
    fn every_centavo_has_one_age() {
        let all = vec![
            owed("d1", "0.01", "2026-12-10"),
            owed("d1", "0.20", "2026-11-10"),
            owed("d2", "3.00", "2026-10-10"),
            owed("d2", "40.00", "2026-09-10"),
            owed("d3", "500.00", "2026-01-10"),
        ];
        let all = receivables(all, &[("d1", "7.00")]);
        let Ages { not_due, to_30, to_60, to_90, older } = all.ages;
        let ages = [not_due, to_30, to_60, to_90, older];
        assert_eq!(ages.map(|age| age.to_string()), ["0.01", "0.20", "3.00", "40.00", "500.00"]);
        assert_eq!(ages.into_iter().sum::<Money>(), all.balance.open);
        assert_eq!(all.balance.overdue, all.balance.open - not_due);
        assert_eq!(all.balance.waiting, money("7.00"));
    }

    #[test]
    fn the_most_overdue_comes_first_and_who_only_waits_last() {
        let all = vec![
            owed("a", "900.00", "2026-12-10"),
            owed("b", "100.00", "2026-11-10"),
            owed("b", "50.00", "2026-12-10"),
            owed("c", "200.00", "2026-11-10"),
            owed("c", "200.00", "2026-09-10"),
            owed("d", "100.00", "2026-11-10"),
        ];
        let all = receivables(all, &[("e", "30.00"), ("a", "5.00")]);
        let row = |debtor: &Debtor<()>| {
            let Balance { open, overdue, waiting } = debtor.balance;
            let oldest = debtor.oldest(TODAY.parse().unwrap());
            format!("{} {open} {overdue} {waiting} {oldest:?}", debtor.dealership_id)
        };
        let expected = [
            "c 400.00 400.00 0.00 Some(71)",
            "b 150.00 100.00 0.00 Some(10)",
            "d 100.00 100.00 0.00 Some(10)",
            "a 900.00 0.00 5.00 None",
            "e 0.00 0.00 30.00 None",
        ];
        assert_eq!(all.debtors.iter().map(row).collect::<Vec<_>>(), expected);
    }
}
