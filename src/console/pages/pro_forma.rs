//! What a held close would issue for a dealership, explained line by line, and as the document that says it.

use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::month::{capital, parsed};
use crate::console::address::Whose;
use crate::console::{Console, Oops, Section, Signed, ways::Ways};
use fecha_core::bill::bridge::Bridge;
use fecha_core::bill::invoice::Invoice;
use fecha_core::bill::pro_forma::ProForma;
use fecha_core::calendar::month::Month;
use fecha_core::price::item::Line;
use fecha_core::price::money::{Money, decimal_comma};

/// This page.
pub fn ways(ways: Ways) -> Ways {
    ways.get("/months/{month}/pro-forma/{dealership}", show)
}

#[derive(Debug, Serialize)]
struct ProFormaPage {
    month: Month,
    title: String,
    id: String,
    name: String,
    cnpj: String,
    package: u64,
    uam: u64,
    overage: u64,
    hsm: u64,
    messages: u64,
    lines: Vec<LineShown>,
    total: Money,
    due_on: String,
    /// Why it is another total than last month's.
    bridge: Option<BridgeShown>,
    already_paid: Option<Money>,
    to_pay: Money,
}

/// A line of the invoice.
#[derive(Debug, Serialize)]
pub struct LineShown {
    what: String,
    quantity: u64,
    price: String,
    amount: Money,
}

impl LineShown {
    /// As the document says it.
    #[must_use]
    pub fn of(line: &Line) -> Self {
        let what = line.item.in_portuguese();
        let price = format!("R$\u{a0}{}", decimal_comma(line.unit_price));
        Self { what, quantity: line.quantity, price, amount: line.amount }
    }
}

#[derive(Debug, Serialize)]
struct BridgeShown {
    words: String,
    from: Month,
    before: Money,
    steps: Vec<(String, Money)>,
}

impl BridgeShown {
    fn of(bridge: &Bridge) -> Self {
        let steps = bridge.steps.iter().flatten();
        Self {
            words: bridge.in_portuguese(),
            from: bridge.from,
            before: bridge.before,
            steps: steps.map(|step| (step.in_portuguese(), step.change)).collect(),
        }
    }
}

async fn show(
    State(console): State<Console>,
    signed: Signed,
    Path((month, Whose(dealership))): Path<(String, Whose)>,
) -> Result<Response, Oops> {
    let month = parsed(&month)?;
    if let Some(invoice) = foreseen(&console, month, &dealership).await? {
        let view = view(&invoice);
        let title = format!("Prévia {}", view.id);
        let section = Section::Months;
        let page = console.page(&signed, section, &title, "pro_forma.html", &view).await?;
        return Ok(page.into_response());
    }
    let of_pdf = dealership.strip_suffix(".pdf");
    let invoice = match of_pdf {
        Some(id) => foreseen(&console, month, id).await?,
        None => None,
    };
    let invoice = invoice.ok_or_else(|| {
        Oops::NotFound(format!(
            "{} não está retido com uma fatura desta concessionária. Se já foi fechado, a fatura está na página do mês.",
            capital(month)
        ))
    })?;
    document(&console, invoice).await
}

/// What the last held close of a month would issue.
async fn foreseen(console: &Console, month: Month, id: &str) -> Result<Option<Invoice>, Oops> {
    let ledger = &console.office.ledger;
    let Some(last) = ledger.last_hold(month).await? else { return Ok(None) };
    Ok(ledger.held_invoice(month, last.sequence, id).await?)
}

/// The document: drawn where it keeps no page waiting.
async fn document(console: &Console, invoice: Invoice) -> Result<Response, Oops> {
    let name = format!("previa-{}.pdf", invoice.month);
    let as_of = invoice.issued_at;
    let renderer = console.office.renderer.clone();
    let drawn = tokio::task::spawn_blocking(move || {
        renderer.preview(&ProForma { content: invoice, as_of, ahead: None })
    });
    let failed = |error: &dyn std::fmt::Display| {
        tracing::error!(%error, "a pro-forma cannot be drawn");
        Oops::Failed("A prévia não pôde ser desenhada. Nada foi alterado.".to_owned())
    };
    let pdf = drawn.await.map_err(|error| failed(&error))?.map_err(|error| failed(&error))?;
    let disposition = format!("inline; filename=\"{name}\"");
    let headers = [
        (header::CONTENT_TYPE, "application/pdf".to_owned()),
        (header::CONTENT_DISPOSITION, disposition),
    ];
    Ok((headers, pdf).into_response())
}

fn view(invoice: &Invoice) -> ProFormaPage {
    let usage = &invoice.usage;
    ProFormaPage {
        month: invoice.month,
        title: capital(invoice.month),
        id: invoice.dealership_id.clone(),
        name: invoice.dealership.name.clone(),
        cnpj: invoice.dealership.cnpj.to_string(),
        package: invoice.package,
        uam: usage.uam,
        overage: invoice.overage(),
        hsm: usage.hsm,
        messages: usage.buckets.total(),
        lines: invoice.lines.iter().map(LineShown::of).collect(),
        total: invoice.total(),
        due_on: invoice.due_on.to_string(),
        bridge: Bridge::of(invoice).as_ref().map(BridgeShown::of),
        already_paid: Some(invoice.paid()).filter(|paid| *paid > Money::ZERO),
        to_pay: invoice.to_pay(),
    }
}
