//! Recebimentos: what is open, by age and dealership, and what waits.

use axum::extract::{Query, State};
use serde::{Deserialize, Serialize};

use crate::actions::receivables::{self, Debt};
use crate::console::ways::Ways;
use crate::console::{Console, Oops, Page, Section, Signed, address};
use crate::ledger::pages::ROWS;
use fecha_core::price::money::Money;

/// This page.
pub fn ways(ways: Ways) -> Ways {
    ways.get("/receivables", list)
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct AskedFor {
    after: String,
}

/// The ages in the order of the columns.
const AGES: [&str; 5] = ["A vencer", "1–30 dias", "31–60 dias", "61–90 dias", "91 dias ou mais"];

#[derive(Debug, Serialize)]
struct List {
    open: Money,
    overdue: Money,
    waiting: Money,
    ages: Vec<Age>,
    rows: Vec<Row>,
    /// How many there are in all.
    debtors: usize,
    next: String,
    first: String,
}

#[derive(Debug, Serialize)]
struct Age {
    words: &'static str,
    open: Money,
}

#[derive(Debug, Serialize)]
struct Row {
    id: String,
    name: String,
    invoices: u64,
    days_late: i64,
    open: Money,
    ages: Vec<Age>,
    waiting: Money,
}

fn by_age(ages: [Money; 5]) -> Vec<Age> {
    AGES.into_iter().zip(ages).map(|(words, open)| Age { words, open }).collect()
}

impl Row {
    fn of(debt: &Debt) -> Self {
        Self {
            id: debt.dealership_id.clone(),
            name: debt.name.clone(),
            invoices: debt.invoices,
            days_late: debt.days_late.unwrap_or_default(),
            open: debt.ages.open(),
            ages: by_age(debt.ages.each()),
            waiting: debt.waiting,
        }
    }
}

/// A place in the list: `120000.150000.d1`, centavos overdue and open, and whose.
fn key(debt: &Debt) -> String {
    let (overdue, open, id) = debt.key();
    format!("{}.{}.{id}", overdue.centavos(), open.centavos())
}

/// What is behind a place; all where it is none.
fn behind<'a>(debts: &'a [Debt], after: &str) -> &'a [Debt] {
    let mut parts = after.splitn(3, '.');
    let mut amount = || parts.next()?.parse().ok().map(Money::from_centavos);
    let (Some(overdue), Some(open)) = (amount(), amount()) else { return debts };
    let place = (overdue, open, parts.next().unwrap_or_default());
    let begin = debts.partition_point(|debt| Debt::order(&debt.key(), &place).is_le());
    &debts[begin..]
}

async fn list(
    State(console): State<Console>,
    signed: Signed,
    Query(asked): Query<AskedFor>,
) -> Result<Page, Oops> {
    let debts = receivables::debts(&console.office).await?;
    let behind = behind(&debts, &asked.after);
    let page = &behind[..behind.len().min(ROWS)];
    let next = page.last().filter(|_| behind.len() > page.len());
    let mut ages = [Money::ZERO; 5];
    for debt in &debts {
        for (sum, open) in ages.iter_mut().zip(debt.ages.each()) {
            *sum += open;
        }
    }
    let open: Money = ages.into_iter().sum();
    let view = List {
        open,
        overdue: open - ages[0],
        waiting: debts.iter().map(|debt| debt.waiting).sum(),
        ages: by_age(ages),
        rows: page.iter().map(Row::of).collect(),
        debtors: debts.len(),
        next: next
            .map(|debt| address::with("/receivables", &[("after", &key(debt))]))
            .unwrap_or_default(),
        first: if asked.after.is_empty() { String::new() } else { "/receivables".to_owned() },
    };
    console.page(&signed, Section::Receivables, "Recebimentos", "receivables.html", &view).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::page::tests::renders;
    use fecha_core::account::receivables::Ages;

    fn debt(id: &str, overdue: i64, not_due: i64) -> Debt {
        let money = Money::from_centavos;
        Debt {
            dealership_id: id.to_owned(),
            name: "<b>".repeat(100),
            invoices: 2,
            days_late: (overdue > 0).then_some(31),
            ages: Ages { to_60: money(overdue), not_due: money(not_due), ..Ages::default() },
            waiting: money(7),
        }
    }

    #[test]
    fn a_place_is_kept_where_it_is_paid_meanwhile() {
        let mut debts =
            vec![debt("b", 500, 0), debt("a.1", 300, 9), debt("c", 300, 1), debt("d", 0, 3)];
        let place = key(&debts[1]);
        let ids = |debts: &[Debt]| {
            debts.iter().map(|debt| debt.dealership_id.clone()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(ids(behind(&debts, &place)), "c d");
        debts.remove(1);
        assert_eq!(ids(behind(&debts, &place)), "c d");
        assert_eq!(ids(behind(&debts, "")), "b c d");
        assert_eq!(ids(behind(&debts, "x.y")), "b c d");
    }

    #[test]
    fn it_is_drawn_empty_and_full() {
        let empty = List {
            open: Money::ZERO,
            overdue: Money::ZERO,
            waiting: Money::ZERO,
            ages: by_age([Money::ZERO; 5]),
            rows: Vec::new(),
            debtors: 0,
            next: String::new(),
            first: String::new(),
        };
        assert!(renders("receivables.html", &empty).contains("Nada está em aberto"));
        let rows = vec![Row::of(&debt("d1", 101_400, 5)), Row::of(&debt("d2", 0, 0))];
        let full = List { rows, debtors: 2, next: "/receivables?after=1.1.d1".to_owned(), ..empty };
        assert!(renders("receivables.html", &full).contains("R$\u{a0}1.014,00"));
    }
}
