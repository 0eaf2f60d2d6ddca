//! Hoje: what needs a person, and where things stand.

use axum::extract::State;
use serde::Serialize;

use super::months::{MonthShown, recent};
use crate::actions::status;
use crate::console::ways::Ways;
use crate::console::words::attention::{Shown, shown};
use crate::console::{Console, Oops, Page, Section, Signed};
use fecha_core::account::receivables::Balance;
use fecha_core::calendar::month::Month;

#[derive(Debug, Serialize)]
struct Today {
    matters: Vec<Shown>,
    months: Vec<MonthShown>,
    balance: Balance,
    overdue_invoices: u64,
    pending: u64,
    failed: u64,
}

/// This page.
pub fn ways(ways: Ways) -> Ways {
    ways.get("/", today)
}

/// So many months stand in the strip.
const MONTHS: usize = 6;

async fn today(State(console): State<Console>, signed: Signed) -> Result<Page, Oops> {
    let office = &console.office;
    let last = Month::last_ended(office.clock.now(), office.config.issuer.timezone);
    // One more, which the oldest is held against.
    let since = (0..MONTHS).fold(last, |month, _| month.previous());
    let status = status::status(office, since..).await?;
    let view = Today {
        matters: status.matters.iter().map(shown).collect(),
        months: recent(&status.months, since.next(), MONTHS),
        balance: status.receivables.balance,
        overdue_invoices: status.receivables.overdue_invoices,
        pending: status.outbox.pending + status.outbox.sending,
        failed: status.outbox.failed,
    };
    console.page(&signed, Section::Today, "Hoje", "today.html", &view).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::page::tests::renders;
    use crate::console::pages::months::tests::sample;

    #[test]
    fn it_is_drawn_calm_and_busy() {
        let calm = Today {
            matters: Vec::new(),
            months: Vec::new(),
            balance: Balance::default(),
            overdue_invoices: 0,
            pending: 0,
            failed: 0,
        };
        assert!(renders("today.html", &calm).contains("Nada precisa de você agora"));
        let matter = Shown {
            title: "Outubro de 2026 está retido".to_owned(),
            advice: "x".repeat(300),
            stake: "R$\u{a0}20.636,38 no mês anterior".to_owned(),
            names: vec!["'d1' Loja".to_owned(), "'d2'".to_owned()],
            more: 38,
            path: "/months/2026-10".to_owned(),
            link: "Revisar e liberar",
        };
        let busy = Today {
            matters: vec![matter],
            months: sample(),
            overdue_invoices: 2,
            pending: 1200,
            failed: 1,
            ..calm
        };
        assert!(renders("today.html", &busy).contains("e mais 38"));
    }
}
