//! A month that runs, or that waits to be closed: what it would cost now, and where it is heading.

use serde::Serialize;

use super::closed::excepted;
use super::forms::Refused;
use super::plan::Plan;
use super::{Asked, Exceptions, Head, ROWS, standing_beside};
use crate::actions::task::{Outcome, PreviewedDealership, PreviewedMonth};
use crate::console::pages::months::percent;
use crate::console::{Console, Oops, Page, Section, Signed};
use crate::ledger::closing::Closing;
use fecha_core::price::money::Money;

#[derive(Debug, Serialize)]
struct RunningPage {
    head: Head,
    /// How many invoices of it stand already.
    issued: usize,
    exceptions: Exceptions,
    before: Money,
    preview: Option<Preview>,
    first: bool,
    /// What would be issued, where somebody looked.
    plan: Option<Plan>,
    /// Why what was typed was not taken.
    error: String,
}

/// The latest count of it.
#[derive(Debug, Serialize)]
struct Preview {
    at: String,
    dealerships: usize,
    total: Money,
    projected: Money,
    percent: String,
    rows: Vec<PreviewedDealership>,
    next: Option<String>,
}

/// The page.
pub(super) async fn page(
    console: &Console,
    signed: &Signed,
    head: Head,
    closing: Option<&Closing>,
    asked: &Asked,
    refused: Option<Refused>,
) -> Result<Page, Oops> {
    let error = refused.as_ref().map(|one| one.error.clone()).unwrap_or_default();
    let plan = Plan::looked_at(console, signed, &head, asked, refused).await?;
    let month = head.month;
    let (now, before) = standing_beside(console, month).await?;
    let total_before = before.iter().map(|one| one.figures.total).sum();
    let preview = match console.office.ledger.latest_done(month, "preview").await? {
        Some(task) => match Outcome::of(&task)? {
            Some(Outcome::Previewed(preview)) => Some(previewed(preview, total_before, asked)),
            _ => None,
        },
        None => None,
    };
    let excepted = closing.map(|closing| excepted(console, closing, &now, &before));
    let from = asked.exceptions.unwrap_or_default();
    let view = RunningPage {
        issued: now.len(),
        exceptions: Exceptions::from(&excepted.unwrap_or_default(), from),
        before: total_before,
        preview,
        first: asked.after.is_none(),
        plan,
        error,
        head,
    };
    let title = view.head.title.clone();
    let page = console.page(signed, Section::Months, &title, "month_running.html", &view).await?;
    Ok(if view.error.is_empty() { page } else { page.refused() })
}

fn previewed(preview: PreviewedMonth, before: Money, asked: &Asked) -> Preview {
    let after = asked.after.as_deref().unwrap_or_default();
    let total = preview.dealerships.iter().map(|one| one.total).sum();
    let projected = preview.dealerships.iter().map(|one| one.projected).sum();
    let dealerships = preview.dealerships.len();
    let mut rows = preview
        .dealerships
        .into_iter()
        .filter(|one| after.is_empty() || one.dealership_id.as_str() > after);
    let shown: Vec<PreviewedDealership> = rows.by_ref().take(ROWS).collect();
    let next = rows.next().and_then(|_| shown.last().map(|row| row.dealership_id.clone()));
    Preview {
        at: preview.at.to_rfc3339(),
        dealerships,
        total,
        projected,
        percent: percent(before, projected),
        rows: shown,
        next,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::page::tests::renders;
    use crate::console::pages::month::plan::tests::{held, looked};
    use crate::console::pages::month::tests::head;

    #[test]
    fn it_is_drawn_before_and_after_a_count() {
        let page = RunningPage {
            head: head("running"),
            issued: 0,
            exceptions: Exceptions::default(),
            before: Money::from_centavos(100_000),
            preview: None,
            first: true,
            plan: None,
            error: String::new(),
        };
        assert!(renders("month_running.html", &page).contains("ainda não foi contado"));
        let one = |id: &str, no_price: Option<&str>| PreviewedDealership {
            dealership_id: id.to_owned(),
            name: "Loja".to_owned(),
            package: 5000,
            uam: 10,
            hsm: 2,
            total: Money::from_centavos(101_492),
            projected: Money::from_centavos(102_000),
            no_price: no_price.map(str::to_owned),
        };
        let preview = PreviewedMonth {
            month: "2026-10".parse().unwrap(),
            at: "2026-10-20T12:00:00Z".parse().unwrap(),
            dealerships: vec![one("d1", None), one("d2", Some("no package"))],
            exceptions: Vec::new(),
        };
        let asked = Asked { after: Some("d1".to_owned()), ..Asked::default() };
        let preview = previewed(preview, page.before, &asked);
        assert_eq!(preview.rows.len(), 1, "what is behind d1");
        let early = RunningPage { head: head("before"), preview: None, ..page };
        let html = renders("month_running.html", &early);
        assert!(html.contains("anterior ao livro"), "{html}");
        assert!(!html.contains("action=\"/months/"), "{html}");
        let page = RunningPage { head: head("open"), ..early };
        let counted = RunningPage { head: head("open"), preview: Some(preview), issued: 3, ..page };
        let html = renders("month_running.html", &counted);
        assert!(html.contains("R$\u{a0}2.040,00") && html.contains("sem preço"), "{html}");
        assert!(html.contains("Contar e mostrar o que seria emitido"), "{html}");
        let (now, before) = (held(3, "1014.00", 'a'), held(0, "1014.00", 'b'));
        let plan = looked(&head("open"), &now, Some(&before));
        let html = renders("month_running.html", &RunningPage { plan: Some(plan), ..counted });
        assert!(html.contains("Emitir este plano: 1 fatura · R$\u{a0}1.014,00"), "{html}");
        assert!(html.contains("O que mudou") && html.contains("Contar de novo"), "{html}");
        assert!(html.contains("name=\"plan\"") && !html.contains("pro-forma"), "{html}");
        assert!(!html.contains("sem preço"), "a count before it is not shown: {html}");
    }
}
