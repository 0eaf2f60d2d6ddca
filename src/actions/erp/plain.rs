//! The table that `fecha invoices --csv` is without a layout: all that lists show of each revision.

use super::ErpError;
use super::cells::{Sheet, amount, date, text};
use crate::ledger::listing::Listed;
use fecha_core::bill::invoice::InvoiceState;
use fecha_core::price::item::Amounts;
use fecha_core::price::money::Money;

const HEADER: [&str; 23] = [
    "numero",
    "revisao",
    "situacao",
    "codigo",
    "concessionaria",
    "cnpj",
    "competencia",
    "pacote",
    "uam",
    "uam_adicional",
    "hsm",
    "valor_pacote",
    "valor_uam_adicional",
    "valor_hsm",
    "ajustes",
    "total",
    "vencimento",
    "pago",
    "em_aberto",
    "emissao",
    "motivo",
    "sha256_pdf",
    "outros",
];

pub(super) fn table(invoices: &[Listed]) -> Result<Vec<u8>, ErpError> {
    let mut sheet = Sheet::brazilian();
    sheet.row(HEADER)?;
    for invoice in invoices {
        sheet.row(record(invoice))?;
    }
    sheet.bytes()
}

fn record(invoice: &Listed) -> [String; 23] {
    let figures = &invoice.figures;
    let Amounts { package, overage, hsm, other, adjustments } = figures.amounts;
    [
        invoice.number.to_string(),
        invoice.revision.to_string(),
        state(invoice.state).to_owned(),
        text(&invoice.dealership_id),
        text(&figures.dealership_name),
        figures.cnpj.clone(),
        invoice.month.to_string(),
        figures.package.to_string(),
        figures.uam.to_string(),
        figures.overage().to_string(),
        figures.hsm.to_string(),
        amount(package),
        amount(overage),
        amount(hsm),
        amount(adjustments),
        amount(figures.total),
        date(figures.due_on),
        of_standing(invoice, invoice.paid),
        of_standing(invoice, invoice.account().open()),
        date(figures.issued_on),
        invoice.reason.as_deref().map(text).unwrap_or_default(),
        invoice.pdf_sha256.clone(),
        amount(other),
    ]
}

/// Nothing for a revision that was superseded or is void, so that the sum of a column is right.
fn of_standing(invoice: &Listed, money: Money) -> String {
    if invoice.state == InvoiceState::Issued { amount(money) } else { String::new() }
}

fn state(state: InvoiceState) -> &'static str {
    match state {
        InvoiceState::Issued => "emitida",
        InvoiceState::Superseded => "substituida",
        InvoiceState::Cancelled => "cancelada",
    }
}
