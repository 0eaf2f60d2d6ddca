//! Faturas: the list, by state, month, dealership and search.

use axum::extract::{Query, State};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::actions::invoices::{self, Asked};
use crate::console::ways::Ways;
use crate::console::words::invoice::{Badge, standing};
use crate::console::{Console, Oops, Page, Section, Signed, address};
use crate::ledger::listing::Listed;
use crate::ledger::pages::{Slice, Standing};
use fecha_core::bill::invoice::{InvoiceState, Number};
use fecha_core::calendar::month::Month;
use fecha_core::price::money::Money;

/// This page.
pub fn ways(ways: Ways) -> Ways {
    ways.get("/invoices", list)
}

/// The tabs: the key in the address, what it shows, its words.
const TABS: [(&str, Option<Standing>, &str); 6] = [
    ("", None, "Todas"),
    ("open", Some(Standing::Open), "Em aberto"),
    ("overdue", Some(Standing::Overdue), "Vencidas"),
    ("part_paid", Some(Standing::PartPaid), "Pagas em parte"),
    ("paid", Some(Standing::Paid), "Pagas"),
    ("void", Some(Standing::Void), "Canceladas"),
];

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct AskedFor {
    state: String,
    month: String,
    dealership: String,
    q: String,
    after: String,
}

/// A way to another list.
#[derive(Debug, Serialize)]
pub(super) struct Tab {
    pub path: String,
    pub words: &'static str,
    pub current: bool,
    pub count: Option<u64>,
}

#[derive(Debug, Serialize)]
struct List {
    rows: Vec<Row>,
    tabs: Vec<Tab>,
    state: String,
    month: String,
    dealership: String,
    q: String,
    next: String,
    first: String,
    /// What was typed is no month.
    wrong_month: bool,
}

#[derive(Debug, Serialize)]
struct Row {
    number: Number,
    label: String,
    dealership_id: String,
    name: String,
    month: Month,
    due_on: NaiveDate,
    total: Money,
    open: Money,
    state: Badge,
}

impl Row {
    fn of(listed: Listed, today: NaiveDate) -> Self {
        let stands = listed.state == InvoiceState::Issued;
        Self {
            label: listed.label(),
            state: standing(&listed, today),
            open: if stands { listed.account().open() } else { Money::ZERO },
            number: listed.number,
            name: listed.figures.dealership_name,
            dealership_id: listed.dealership_id,
            month: listed.month,
            due_on: listed.figures.due_on,
            total: listed.figures.total,
        }
    }
}

impl AskedFor {
    fn address(&self, state: &str, after: &str) -> String {
        let Self { month, dealership, q, .. } = self;
        let asked = [("state", state), ("month", month), ("dealership", dealership), ("q", q)];
        address::with("/invoices", &[&asked[..], &[("after", after)]].concat())
    }
}

async fn list(
    State(console): State<Console>,
    signed: Signed,
    Query(asked): Query<AskedFor>,
) -> Result<Page, Oops> {
    let standing = TABS.iter().find(|(key, ..)| *key == asked.state);
    let &(key, standing, _) = standing.unwrap_or(&TABS[0]);
    let month: Option<Month> = asked.month.trim().parse().ok();
    let wanted = Asked {
        standing,
        month,
        dealership_id: Some(asked.dealership.as_str()).filter(|id| !id.is_empty()),
        search: &asked.q,
        after: asked.after.parse().ok(),
        slice: Slice::default(),
    };
    let page = invoices::page(&console.office, wanted).await?;
    let today = console.office.today();
    let next = page.next.map(|number| asked.address(key, &number.to_string()));
    let tab = |(one, _, words): &(&str, Option<Standing>, &'static str)| Tab {
        path: asked.address(one, ""),
        words,
        current: *one == key,
        count: None,
    };
    let view = List {
        rows: page.rows.into_iter().map(|listed| Row::of(listed, today)).collect(),
        tabs: TABS.iter().map(tab).collect(),
        next: next.unwrap_or_default(),
        first: if asked.after.is_empty() { String::new() } else { asked.address(key, "") },
        wrong_month: month.is_none() && !asked.month.trim().is_empty(),
        state: key.to_owned(),
        month: asked.month,
        dealership: asked.dealership,
        q: asked.q,
    };
    console.page(&signed, Section::Invoices, "Faturas", "invoices.html", &view).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::page::tests::renders;

    #[test]
    fn it_is_drawn_empty_and_full() {
        let tab =
            |words, current| Tab { path: "/invoices".to_owned(), words, current, count: None };
        let empty = List {
            rows: Vec::new(),
            tabs: vec![tab("Todas", true), tab("Pagas", false)],
            state: String::new(),
            month: String::new(),
            dealership: String::new(),
            q: String::new(),
            next: String::new(),
            first: String::new(),
            wrong_month: false,
        };
        assert!(renders("invoices.html", &empty).contains("Nenhuma fatura foi emitida"));
        let row = Row {
            number: "2026-000001".parse().unwrap(),
            label: "2026-000001-R1".to_owned(),
            dealership_id: "d1".to_owned(),
            name: "<b>".repeat(100),
            month: "2026-10".parse().unwrap(),
            due_on: "2026-11-10".parse().unwrap(),
            total: Money::from_centavos(101_400),
            open: Money::from_centavos(1),
            state: Badge { words: "Vencida", kind: "bad" },
        };
        let full = List {
            rows: vec![row],
            next: "/invoices?after=2026-000001".to_owned(),
            first: "/invoices".to_owned(),
            q: "\"são\"".to_owned(),
            month: "outubro".to_owned(),
            wrong_month: true,
            ..empty
        };
        let html = renders("invoices.html", &full);
        assert!(html.contains("R$\u{a0}1.014,00") && !html.contains("<b><b>"));
    }
}
