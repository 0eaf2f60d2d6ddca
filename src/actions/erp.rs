//! Invoices as a table for spreadsheets and ERPs in Brazil: `fecha invoices --csv`, and the console.
//!
//! Semicolons, decimal commas, days as `10/11/2026`, lines ended by CR LF, and UTF-8 with a byte order
//! mark: without it Excel reads the accents wrongly. An ERP that minds the mark takes the file from
//! `fecha invoices --csv | tail -c +4`.

use rust_decimal::Decimal;

use crate::ledger::listing::Listed;
use fecha_core::bill::invoice::InvoiceState;
use fecha_core::price::item::Amounts;
use fecha_core::price::money::Money;

const BYTE_ORDER_MARK: &str = "\u{feff}";

const HEADER: [&str; 22] = [
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
];

/// The table of these revisions, header first.
///
/// # Errors
/// [`csv::Error`] where it cannot be written, which memory alone can cause.
pub fn csv(invoices: &[Listed]) -> Result<String, csv::Error> {
    let mut writer = csv::WriterBuilder::new()
        .delimiter(b';')
        .terminator(csv::Terminator::CRLF)
        .from_writer(Vec::new());
    writer.write_record(HEADER)?;
    for invoice in invoices {
        writer.write_record(record(invoice))?;
    }
    let bytes = writer.into_inner().map_err(|error| csv::Error::from(error.into_error()))?;
    let table = String::from_utf8_lossy(&bytes);
    Ok(format!("{BYTE_ORDER_MARK}{table}"))
}

fn record(invoice: &Listed) -> [String; 22] {
    let figures = &invoice.figures;
    let Amounts { package, overage, hsm, adjustments } = figures.amounts;
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
        figures.due_on.format("%d/%m/%Y").to_string(),
        of_standing(invoice, invoice.paid),
        of_standing(invoice, invoice.account().open()),
        figures.issued_on.format("%d/%m/%Y").to_string(),
        invoice.reason.as_deref().map(text).unwrap_or_default(),
        invoice.pdf_sha256.clone(),
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

/// `1192,27`, without separators of thousands, which importers stumble over.
fn amount(money: Money) -> String {
    let reais: Decimal = money.reais();
    format!("{reais:.2}").replace('.', ",")
}

/// A text that no spreadsheet takes for a formula: an apostrophe stands before one that looks like it.
fn text(text: &str) -> String {
    let looks_like_a_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let apostrophe = if looks_like_a_formula { "'" } else { "" };
    format!("{apostrophe}{text}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_have_a_decimal_comma() {
        let written = |centavos| amount(Money::from_centavos(centavos));
        assert_eq!(written(123_456_789), "1234567,89");
        assert_eq!(written(-1250), "-12,50");
        assert_eq!(written(5), "0,05");
    }

    #[test]
    fn formulas_are_text() {
        assert_eq!(text("=1+1"), "'=1+1");
        assert_eq!(text("São João"), "São João");
    }
}
