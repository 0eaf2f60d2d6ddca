//! Reminders of what is open: on which days, and what one says.

use chrono::{Days, NaiveDate};
use serde::{Deserialize, Serialize};

use crate::bill::invoice::{Number, label};
use crate::calendar::month::Month;
use crate::party::register::{Issuer, Party};
use crate::price::money::Money;

/// For so many days a reminder that was missed is made up for: a daemon that was off over a long weekend.
const MADE_UP_FOR: Days = Days::new(3);

/// On which days dealerships are reminded of an invoice, counted from its due day. Both empty: never.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Schedule {
    /// So many days before it is due; 0 is the due day.
    pub before: Vec<u32>,
    /// So many days after it was due.
    pub after: Vec<u32>,
}

impl Schedule {
    /// Whether nobody is ever reminded.
    #[must_use]
    pub fn is_off(&self) -> bool {
        self.before.is_empty() && self.after.is_empty()
    }

    /// Whether `today` is a day to remind of an invoice, or one was missed since the day `looked` of the last
    /// look; without a last look only today counts, so that a new schedule says nothing about days long past.
    /// Who got the invoice today, or later than the day to remind, is not reminded of it.
    #[must_use]
    pub fn is_due(
        &self,
        (issued_on, due_on): (NaiveDate, NaiveDate),
        looked: Option<NaiveDate>,
        today: NaiveDate,
    ) -> bool {
        let before = self.before.iter().map(|days| due_on - Days::new((*days).into()));
        let after = self.after.iter().map(|days| due_on + Days::new((*days).into()));
        let yesterday = today - Days::new(1);
        let since = looked.unwrap_or(yesterday).min(yesterday).max(today - MADE_UP_FOR);
        before.chain(after).any(|day| since < day && day <= today && issued_on < day)
    }
}

/// What a dealership is reminded of. The outbox keeps it as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reminder {
    /// Who asks.
    pub issuer: Issuer,
    /// Who is reminded.
    pub dealership_id: String,
    /// As the register has it.
    pub dealership: Party,
    /// The issuer's local day.
    pub on: NaiveDate,
    /// All that is open, the oldest due day first; never empty.
    pub invoices: Vec<Reminded>,
    /// What waits on its account, less than what is open.
    pub waiting: Money,
}

/// An invoice of a reminder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reminded {
    /// Its number.
    pub number: Number,
    /// The revision that stands.
    pub revision: u32,
    /// The invoiced month.
    pub month: Month,
    /// When it is, or was, due.
    pub due_on: NaiveDate,
    /// All lines.
    pub total: Money,
    /// Still to be paid; above zero.
    pub to_pay: Money,
    /// The code for just that, where the issuer has a PIX key.
    pub pix: Option<String>,
}

impl Reminded {
    /// `2026-000001`, or `2026-000001-R1`.
    #[must_use]
    pub fn label(&self) -> String {
        label(self.number, self.revision)
    }
}

impl Reminder {
    /// What is asked for in all.
    #[must_use]
    pub fn to_pay(&self) -> Money {
        self.invoices.iter().map(|invoice| invoice.to_pay).sum()
    }

    /// Those whose day has passed.
    pub fn overdue(&self) -> impl Iterator<Item = &Reminded> {
        self.invoices.iter().filter(|invoice| invoice.due_on < self.on)
    }

    /// What of it is still so: `open` tells number, revision and what is to be paid of each invoice of the
    /// dealership, `waiting` what waits now. `None` where nobody is to be reminded any more: all is paid or
    /// void, or as much waits as is open.
    #[must_use]
    pub fn as_of(mut self, open: &[(Number, u32, Money)], waiting: Money) -> Option<Self> {
        let all: Money = open.iter().map(|(_, _, amount)| *amount).sum();
        let is_open =
            |invoice: &Reminded| open.contains(&(invoice.number, invoice.revision, invoice.to_pay));
        self.invoices.retain(is_open);
        self.waiting = waiting;
        (waiting < all && !self.invoices.is_empty()).then_some(self)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::party::register::EmailAddress;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn schedule() -> Schedule {
        Schedule { before: vec![3], after: vec![1, 7, 15] }
    }

    // Issued on 1 November, due on the 10th: 3 days before, and 1, 7 and 15 days after.
    #[rstest]
    #[case("2026-11-06", false)]
    #[case("2026-11-07", true)]
    #[case("2026-11-08", false)]
    #[case("2026-11-10", false)]
    #[case("2026-11-11", true)]
    #[case("2026-11-12", false)]
    #[case("2026-11-17", true)]
    #[case("2026-11-25", true)]
    #[case("2026-11-26", false)]
    #[case("2027-11-10", false)]
    fn on_the_days_of_the_schedule_alone(#[case] today: &str, #[case] expected: bool) {
        let of = (day("2026-11-01"), day("2026-11-10"));
        let today = day(today);
        let yesterday = Some(today - Days::new(1));
        assert_eq!(schedule().is_due(of, None, today), expected);
        assert_eq!(schedule().is_due(of, yesterday, today), expected);
        assert!(!Schedule::default().is_due(of, yesterday, today));
    }

    #[rstest]
    #[case("2026-11-06", "2026-11-09", true)] // off from Saturday to Monday: the 7th was missed
    #[case("2026-11-07", "2026-11-09", false)] // it had looked on the 7th
    #[case("2026-11-01", "2026-11-10", false)] // missed by more than a weekend
    #[case("2026-11-01", "2026-11-13", true)] // two days ago
    #[case("2026-11-12", "2026-11-11", true)] // a clock that was set back
    fn what_was_missed_over_a_weekend_is_made_up_for(
        #[case] looked: &str,
        #[case] today: &str,
        #[case] expected: bool,
    ) {
        let of = (day("2026-11-01"), day("2026-11-10"));
        assert_eq!(schedule().is_due(of, Some(day(looked)), day(today)), expected);
    }

    #[test]
    fn who_got_the_invoice_today_is_not_reminded_of_it() {
        let schedule = Schedule { before: vec![0, 9], after: Vec::new() };
        let due_on = day("2026-11-10");
        assert!(!schedule.is_due((day("2026-11-01"), due_on), None, day("2026-11-01")));
        assert!(!schedule.is_due((day("2026-11-02"), due_on), None, day("2026-11-02")));
        assert!(schedule.is_due((day("2026-11-02"), due_on), None, due_on));
    }

    fn reminded(sequence: u32, to_pay: &str) -> Reminded {
        Reminded {
            number: Number { year: 2026, sequence },
            revision: 0,
            month: "2026-10".parse().unwrap(),
            due_on: day("2026-11-10"),
            total: "1014.00".parse().unwrap(),
            to_pay: to_pay.parse().unwrap(),
            pix: None,
        }
    }

    fn reminder() -> Reminder {
        let cnpj = "11.222.333/0001-81";
        Reminder {
            issuer: Issuer {
                name: "Exemplo Tecnologia Ltda".to_owned(),
                cnpj: cnpj.parse().unwrap(),
                address: String::new(),
                city: String::new(),
                state: "RS".parse().unwrap(),
                postal_code: None,
                email: EmailAddress::trusted("financeiro@example.com".to_owned()),
                phone: String::new(),
                timezone: chrono_tz::America::Sao_Paulo,
            },
            dealership_id: "d1".to_owned(),
            dealership: Party {
                name: String::new(),
                trade_name: String::new(),
                cnpj: cnpj.parse().unwrap(),
                address: String::new(),
                city: String::new(),
                state: "RS".parse().unwrap(),
                postal_code: None,
            },
            on: day("2026-11-11"),
            invoices: vec![reminded(1, "1014.00"), reminded(2, "500.00")],
            waiting: Money::ZERO,
        }
    }

    /// What is open when it is sent, as sequence, revision and amount, and what waits; and what is then asked for.
    #[rstest]
    #[case(&[(1, 0, "1014.00"), (2, 0, "500.00")], "0.00", Some("1514.00"))]
    #[case(&[(1, 0, "1014.00"), (2, 0, "500.00")], "1513.99", Some("1514.00"))]
    #[case(&[(1, 0, "1014.00"), (2, 0, "500.00")], "1514.00", None)] // as much waits as is open
    #[case(&[(2, 0, "500.00")], "0.00", Some("500.00"))] // the first is paid or void
    #[case(&[(2, 0, "500.00")], "500.00", None)]
    #[case(&[(1, 0, "14.00"), (2, 0, "500.00")], "0.00", Some("500.00"))] // its code is for another amount
    #[case(&[(1, 1, "1014.00"), (2, 0, "500.00")], "0.00", Some("500.00"))] // it was revised
    #[case(&[(3, 0, "9.00")], "0.00", None)]
    #[case(&[], "0.00", None)]
    fn asks_only_for_what_is_still_so(
        #[case] open: &[(u32, u32, &str)],
        #[case] waiting: &str,
        #[case] expected: Option<&str>,
    ) {
        let open: Vec<(Number, u32, Money)> = open
            .iter()
            .map(|(sequence, revision, amount)| {
                let number = Number { year: 2026, sequence: *sequence };
                (number, *revision, amount.parse().unwrap())
            })
            .collect();
        let still = reminder().as_of(&open, waiting.parse().unwrap());
        let asked = still.as_ref().map(|reminder| reminder.to_pay().to_string());
        assert_eq!(asked.as_deref(), expected);
    }
}
