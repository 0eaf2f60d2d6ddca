//! Meses: how far each month is.

use axum::extract::{Query, State};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::actions::status::{self, MonthRow};
use crate::console::ways::Ways;
use crate::console::{Console, Oops, Page, Section, Signed};
use crate::ledger::closing::MonthState;
use fecha_core::calendar::month::Month;
use fecha_core::price::money::Money;

/// A month in a list or a strip.
#[derive(Debug, Clone, Serialize)]
pub struct MonthShown {
    /// Which.
    pub month: Month,
    /// `open`, `held` or `closed`.
    pub state: MonthState,
    /// Invoices that stand.
    pub invoices: u64,
    /// What they come to.
    pub total: Money,
    /// Against the month before: `+4,2 %`; empty where there is nothing to compare.
    pub change: String,
    /// What needs a person.
    pub exceptions: usize,
}

/// This page.
pub fn ways(ways: Ways) -> Ways {
    ways.get("/months", months)
}

#[derive(Debug, Deserialize)]
struct Asked {
    year: Option<i32>,
}

#[derive(Debug, Serialize)]
struct Months {
    shown: Vec<MonthShown>,
    year: i32,
    years: Vec<i32>,
}

async fn months(
    State(console): State<Console>,
    signed: Signed,
    Query(asked): Query<Asked>,
) -> Result<Page, Oops> {
    let office = &console.office;
    let last = Month::last_ended(office.clock.now(), office.config.issuer.timezone);
    let year = asked.year.unwrap_or(last.year()).clamp(2000, 9998);
    let january: Month = format!("{year}-01").parse().map_err(|_| no_year())?;
    let next: Month = format!("{}-01", year + 1).parse().map_err(|_| no_year())?;
    let all = status::months(office, january.previous()..next).await?;
    let mut years: Vec<i32> = all.iter().map(|row| row.month.year()).collect();
    years.dedup();
    years.reverse();
    let mut shown = recent(&all, january, usize::MAX);
    shown.retain(|one| one.month.year() == year);
    let view = Months { shown, year, years };
    console.page(&signed, Section::Months, "Meses", "months.html", &view).await
}

fn no_year() -> Oops {
    Oops::Bad("O ano tem quatro algarismos.".to_owned())
}

/// The latest months from `first` on, the newest first.
#[must_use]
pub fn recent(rows: &[MonthRow], first: Month, most: usize) -> Vec<MonthShown> {
    let before = rows.iter().map(|row| Some(row.total));
    let shown =
        rows.iter().zip(std::iter::once(None).chain(before)).map(|(row, before)| MonthShown {
            month: row.month,
            state: row.state,
            invoices: row.issued,
            total: row.total,
            change: change(before, row),
            exceptions: row.exceptions,
        });
    let mut shown: Vec<MonthShown> = shown.collect();
    shown.retain(|one| one.month >= first);
    shown.reverse();
    shown.truncate(most);
    shown
}

/// How much more than the month before, of months that were invoiced.
fn change(before: Option<Money>, row: &MonthRow) -> String {
    let before = before.filter(|before| *before > Money::ZERO);
    match before {
        Some(before) if row.state == MonthState::Closed => percent(before, row.total),
        _ => String::new(),
    }
}

/// `+4,2 %`.
#[must_use]
pub fn percent(before: Money, now: Money) -> String {
    if before == Money::ZERO {
        return String::new();
    }
    let more = (now - before).reais() / before.reais() * Decimal::ONE_HUNDRED;
    let more = more.round_dp_with_strategy(1, rust_decimal::RoundingStrategy::MidpointAwayFromZero);
    let sign = if more < Decimal::ZERO { "−" } else { "+" };
    format!("{sign}{:.1}\u{a0}%", more.abs()).replace('.', ",")
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::console::page::tests::renders;

    /// Months in each state.
    pub fn sample() -> Vec<MonthShown> {
        let month = |month: &str, state, total| MonthShown {
            month: month.parse().unwrap(),
            state,
            invoices: 12,
            total: Money::from_centavos(total),
            change: "+4,2\u{a0}%".to_owned(),
            exceptions: 2,
        };
        vec![
            month("2026-10", MonthState::Held, 0),
            month("2026-09", MonthState::Open, 2_063_638),
            month("2026-08", MonthState::Closed, 123_456_789),
        ]
    }

    #[test]
    fn it_is_drawn_in_every_state() {
        let empty = Months { shown: Vec::new(), year: 2026, years: Vec::new() };
        assert!(renders("months.html", &empty).contains("Nenhum mês"));
        let full = Months { shown: sample(), year: 2026, years: vec![2026, 2025] };
        assert!(renders("months.html", &full).contains("R$\u{a0}1.234.567,89"));
    }

    #[test]
    fn a_change_is_told_in_percent() {
        let money = Money::from_centavos;
        assert_eq!(percent(money(100_000), money(104_151)), "+4,2\u{a0}%");
        assert_eq!(percent(money(100_000), money(0)), "−100,0\u{a0}%");
        assert_eq!(percent(money(0), money(5)), "");
    }
}
