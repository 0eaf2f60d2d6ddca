//! The sheet by which Conta Azul takes financial entries: its ten columns, in its order (docs/erp.md).

use super::ErpError;
use super::cells::{Sheet, amount, date, text};
use super::receivable::Receivable;
use crate::setup::config::Erp;
use fecha_core::account::payment::Kind;

const HEADER: [&str; 10] = [
    "Data de Competência",
    "Data de Vencimento",
    "Data de Pagamento",
    "Valor",
    "Categoria",
    "Descrição",
    "Cliente/Fornecedor",
    "CNPJ/CPF Cliente/Fornecedor",
    "Centro de Custo",
    "Observações",
];

pub(super) fn table(erp: &Erp, receivables: &[Receivable<'_>]) -> Result<Vec<u8>, ErpError> {
    let mut sheet = Sheet::brazilian();
    sheet.row(HEADER)?;
    for receivable in receivables {
        sheet.row(record(erp, receivable))?;
    }
    sheet.bytes()
}

fn record(erp: &Erp, receivable: &Receivable<'_>) -> [String; 10] {
    let invoice = receivable.invoice;
    let figures = &invoice.figures;
    // The sheet has a day of payment and no amount: it is said where all of the invoice came in, as money, on
    // one day. What is another story stands in words, and the entry is open.
    let is_all = receivable.sum(Kind::Money) == figures.total;
    let paid_on = receivable.only_day(&[Kind::Money]).filter(|_| is_all);
    let told: &[Kind] = if paid_on.is_some() { &[Kind::Interest] } else { &Kind::ALL };
    let mut remarks = Vec::new();
    if invoice.revision > 0 {
        remarks.push(format!("Revisão {}", invoice.revision));
    }
    remarks.extend(receivable.in_words(told));
    let name = |name: &Option<String>| name.as_deref().map(text).unwrap_or_default();
    [
        date(invoice.month.last_day()),
        date(figures.due_on),
        paid_on.map(date).unwrap_or_default(),
        amount(figures.total),
        name(&erp.category),
        // Conta Azul wants no hyphens: the number as PIX and bank statements have it.
        format!(
            "Fatura {} competência {}",
            invoice.number.txid(),
            invoice.month.first_day().format("%m/%Y")
        ),
        text(&figures.dealership_name),
        figures.cnpj.chars().filter(char::is_ascii_alphanumeric).collect(),
        name(&erp.cost_center),
        sentence(&remarks.join(", ")),
    ]
}

/// With a capital at its beginning.
fn sentence(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
