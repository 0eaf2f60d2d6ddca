//! Layouts of one's own: an expression a column, worked out for each invoice, or each of its lines.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde_json::{Value, json};

use super::ErpError;
use super::cells::Sheet;
use crate::actions::invoices::InvoiceJson;
use crate::ledger::invoices::Filter;
use crate::ledger::listing::Listed;
use crate::setup::config::Erp;
use crate::setup::layout::{Layout, Rows, fields};
use crate::setup::office::Office;
use fecha_core::bill::invoice::{Invoice, Number};
use fecha_core::calendar::month::Month;
use fecha_core::price::item::{Item, Line};
use fecha_core::price::money::Money;

/// By month, then number.
pub(super) async fn table(
    office: &Office,
    layout: &Layout,
    invoices: &[&Listed],
) -> Result<Vec<u8>, ErpError> {
    let mut sheet = Sheet::new(layout.delimiter, layout.encoding);
    if layout.header {
        sheet.row(layout.columns.iter().map(|column| column.name.as_str()))?;
    }
    let mut months: BTreeMap<Month, Vec<&Listed>> = BTreeMap::new();
    for invoice in invoices {
        months.entry(invoice.month).or_default().push(invoice);
    }
    // The documents of a month at a time: those of years would all be in memory.
    for (month, of_month) in months {
        let filter = Filter { month: Some(month), ..Filter::default() };
        let documents = office.ledger.revisions(filter).await?;
        let documents: BTreeMap<Number, Invoice> =
            documents.into_iter().map(|one| (one.invoice.number, one.invoice)).collect();
        for listed in of_month {
            let document = documents.get(&listed.number);
            let document = document.filter(|document| document.revision == listed.revision);
            let document = document.ok_or_else(|| ErpError::Changed(listed.label()))?;
            for row in rows(layout.rows, office, listed, document) {
                sheet.row(cells(layout, listed, &row)?)?;
            }
        }
    }
    sheet.bytes()
}

fn cells(layout: &Layout, listed: &Listed, row: &Value) -> Result<Vec<String>, ErpError> {
    let fields = fields(row);
    let cells = layout.columns.iter().map(|column| column.cell(&fields));
    let cells: Result<Vec<String>, _> = cells.collect();
    cells.map_err(|source| ErpError::Column {
        invoice: listed.label(),
        layout: layout.name.clone(),
        source,
    })
}

/// One for the invoice, or one for each of its lines that charges something: nobody enters nothing.
fn rows(rows: Rows, office: &Office, listed: &Listed, document: &Invoice) -> Vec<Value> {
    let invoice = invoice(listed, document, &office.config.erp, office.today());
    let with_line = |line: &Line| {
        let mut row = invoice.clone();
        row["line"] = line_fields(line);
        row
    };
    match rows {
        Rows::Invoice => vec![invoice],
        Rows::Line => {
            let charged = document.lines.iter().filter(|line| line.amount != Money::ZERO);
            charged.map(with_line).collect()
        }
    }
}

/// The fields of [`crate::setup::layout`]: what is misspelt there is missing here.
fn invoice(listed: &Listed, document: &Invoice, erp: &Erp, today: NaiveDate) -> Value {
    let mut fields = json!(InvoiceJson::of(listed, today));
    let party = &document.dealership;
    let postal_code = party.postal_code.as_ref().map(ToString::to_string);
    fields["label"] = json!(listed.label());
    fields["issued_on"] = json!(document.issued_on);
    fields["dealership"] = json!({
        "id": document.dealership_id,
        "name": party.name,
        "trade_name": party.trade_name,
        "cnpj": party.cnpj,
        "address": party.address,
        "city": party.city,
        "state": party.state,
        "postal_code": postal_code.unwrap_or_default(),
    });
    let named = |name: &Option<String>| name.clone().unwrap_or_default();
    fields["erp"] = json!({
        "category": named(&erp.category),
        "account": named(&erp.account),
        "cost_center": named(&erp.cost_center),
    });
    fields
}

fn line_fields(line: &Line) -> Value {
    let item = match &line.item {
        Item::Package { .. } => "package",
        Item::Overage => "overage",
        Item::Hsm => "hsm",
        Item::UnbilledHsm => "unbilled_hsm",
        Item::Messages { .. } => "messages",
        Item::Monthly { .. } => "monthly",
        Item::Discount { .. } => "discount",
        Item::Adjustment { .. } => "adjustment",
    };
    json!({
        "item": item,
        "description": line.item.in_portuguese(),
        "quantity": line.quantity,
        "unit_price": line.unit_price,
        "amount": line.amount,
    })
}
