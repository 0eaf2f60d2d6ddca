//! A month that is closed: what it came to, and what is left to a person.

use serde::Serialize;

use super::forms::Refused;
use super::plan::Plan;
use super::{
    Asked, Bridge, Exceptions, First, Head, MoverShown, ROWS, Residual, Sum, standing_beside,
};
use crate::actions::erp::names;
use crate::actions::status::EmailCounts;
use crate::console::{Console, Oops, Page, Section, Signed};
use crate::ledger::closing::Closing;
use crate::ledger::listing::Listed;
use fecha_core::bill::digest::{Mover, Whole};
use fecha_core::bill::exception::{Excepted, Worth};
use fecha_core::price::money::Money;

#[derive(Debug, Serialize)]
struct ClosedPage {
    head: Head,
    invoices: u64,
    total: Money,
    bridge: Bridge,
    messages: u64,
    exceptions: Exceptions,
    entered: First<MoverShown>,
    left: First<MoverShown>,
    residual: Residual,
    emails: EmailCounts,
    rows: Vec<Row>,
    next: Option<String>,
    first: bool,
    compared_at: Option<String>,
    /// What would be issued beside what stands, where somebody looked.
    plan: Option<Plan>,
    /// Why what was typed was not taken.
    error: String,
    /// The layouts of tables for an ERP, by name.
    layouts: Vec<String>,
}

/// An invoice that stands.
#[derive(Debug, Serialize)]
struct Row {
    number: String,
    label: String,
    id: String,
    name: String,
    package: u64,
    uam: u64,
    hsm: u64,
    total: Money,
    due_on: String,
}

/// The page.
pub(super) async fn page(
    console: &Console,
    signed: &Signed,
    head: Head,
    closing: &Closing,
    asked: &Asked,
    refused: Option<Refused>,
) -> Result<Page, Oops> {
    let error = refused.as_ref().map(|one| one.error.clone()).unwrap_or_default();
    let plan = Plan::looked_at(console, signed, &head, asked, refused).await?;
    let (ledger, month) = (&console.office.ledger, head.month);
    let (now, before) = standing_beside(console, month).await?;
    let compared = ledger.latest_done(month, "compare").await?;
    let whole = Whole::of(&movers(&now), &movers(&before));
    let after = asked.after.as_deref().unwrap_or_default();
    let mut rows = now.iter().filter(|one| after.is_empty() || one.dealership_id.as_str() > after);
    let shown: Vec<Row> = rows.by_ref().take(ROWS).map(row).collect();
    let next = rows.next().and_then(|_| shown.last().map(|row| row.id.clone()));
    let sum = Sum::of(now.iter().map(|one| one.figures.amounts));
    let excepted = excepted(console, closing, &now, &before);
    let view = ClosedPage {
        invoices: sum.invoices,
        total: sum.total,
        bridge: Bridge::between(month, Sum::of(before.iter().map(|one| one.figures.amounts)), sum),
        messages: closing.messages.total(),
        exceptions: Exceptions::from(&excepted, asked.exceptions.unwrap_or_default()),
        entered: First::of(whole.entered.iter().map(Into::into).collect()),
        left: First::of(whole.left.iter().map(Into::into).collect()),
        // A close that does not add up ends before it is one.
        residual: Residual::of(&closing.messages, Some(true)),
        emails: EmailCounts::of(&ledger.emails_of_month(month).await?),
        rows: shown,
        next,
        first: after.is_empty(),
        compared_at: compared.and_then(|task| task.ended_at).map(|at| at.to_rfc3339()),
        plan,
        error,
        layouts: names(&console.office.config).into_iter().skip(1).map(str::to_owned).collect(),
        head,
    };
    let title = view.head.title.clone();
    let page = console.page(signed, Section::Months, &title, "month_closed.html", &view).await?;
    Ok(if view.error.is_empty() { page } else { page.refused() })
}

fn movers(listed: &[Listed]) -> Vec<Mover> {
    let mover = |one: &Listed| Mover {
        dealership_id: one.dealership_id.clone(),
        dealership_name: one.figures.dealership_name.clone(),
        total: one.figures.total,
    };
    listed.iter().map(mover).collect()
}

/// What was left to a person, by money, as far as invoices tell it.
pub(super) fn excepted(
    console: &Console,
    closing: &Closing,
    now: &[Listed],
    before: &[Listed],
) -> Vec<Excepted> {
    let Ok(prices) = console.office.config.prices.table_for(closing.month) else {
        return Vec::new();
    };
    let name = |one: &Listed| (one.dealership_id.clone(), one.figures.dealership_name.clone());
    let total = |one: &Listed| (one.dealership_id.clone(), one.figures.total);
    let names = before.iter().chain(now).map(name).collect();
    let (charged, before) = (now.iter().map(total).collect(), before.iter().map(total).collect());
    Worth { prices, names: &names, charged: &charged, before: &before }
        .excepted(&closing.exceptions)
}

fn row(one: &Listed) -> Row {
    let figures = &one.figures;
    Row {
        number: one.number.to_string(),
        label: one.label(),
        id: one.dealership_id.clone(),
        name: figures.dealership_name.clone(),
        package: figures.package,
        uam: figures.uam,
        hsm: figures.hsm,
        total: figures.total,
        due_on: figures.due_on.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::page::tests::renders;
    use crate::console::pages::month::plan::tests::{held, looked};
    use crate::console::pages::month::tests::{bridge, head};
    use fecha_core::count::tally::Buckets;

    #[test]
    fn it_is_drawn_full_and_empty() {
        let row = Row {
            number: "2026-000001".to_owned(),
            label: "2026-000001-R1".to_owned(),
            id: "d1".to_owned(),
            name: "L".repeat(300),
            package: 5000,
            uam: 12,
            hsm: 3,
            total: Money::from_centavos(101_400),
            due_on: "2026-11-10".to_owned(),
        };
        let mover = || MoverShown {
            id: "d9".to_owned(),
            name: "<Loja>".to_owned(),
            total: Money::from_centavos(5),
        };
        let page = ClosedPage {
            head: head("closed"),
            invoices: 1,
            total: Money::from_centavos(101_400),
            bridge: bridge(),
            messages: 9,
            exceptions: Exceptions::default(),
            entered: First::of((0..60).map(|_| mover()).collect()),
            left: First::of(vec![mover()]),
            residual: Residual::of(&Buckets::default(), Some(true)),
            emails: EmailCounts { failed: 2, ..EmailCounts::default() },
            rows: vec![row],
            next: Some("d1/x".to_owned()),
            first: false,
            compared_at: Some("2026-11-03T08:00:00Z".to_owned()),
            plan: None,
            error: String::new(),
            layouts: vec!["omie".to_owned()],
        };
        let html = renders("month_closed.html", &page);
        assert!(html.contains("invoices.csv?layout=omie\">omie</a>"), "{html}");
        assert!(html.contains("2 não entregues") && html.contains("?after=d1%2Fx"), "{html}");
        assert!(html.contains("e mais 10") && html.contains("&lt;Loja&gt;"), "{html}");
        let empty =
            ClosedPage { rows: Vec::new(), next: None, first: true, compared_at: None, ..page };
        assert!(renders("month_closed.html", &empty).contains("Nenhuma fatura"));
        let nothing = || held(3, "1014.00", 'a');
        let left = ClosedPage { plan: Some(looked(&head("closed"), &nothing(), None)), ..empty };
        let html = renders("month_closed.html", &left);
        assert!(
            html.contains("Emitir este plano: 1 fatura") && html.contains("Exceções que ficam"),
            "{html}"
        );
        let mut empty = nothing();
        empty.digest.invoices.clear();
        let plan = Some(looked(&head("closed"), &empty, None));
        let html = renders("month_closed.html", &ClosedPage { plan, ..left });
        assert!(html.contains("Nada a emitir") && !html.contains("name=\"plan\""), "{html}");
    }
}
