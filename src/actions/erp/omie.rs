//! The sheet by which Omie takes receivables, `Omie_Contas_Receber` 1.0.6: its columns from B on, in its order
//! (docs/erp.md), so that the rows go into it at B6 as they are.

use super::ErpError;
use super::cells::{Sheet, amount, amount_or_nothing, date, text};
use super::receivable::Receivable;
use crate::setup::config::Erp;
use fecha_core::account::payment::Kind;
use fecha_core::price::money::Money;

/// So many rows the sheet has.
pub(super) const ROWS: usize = 10_000;

const COLUMNS: usize = 41;
const HEADER: [&str; COLUMNS] = [
    "Código de Integração",
    "Cliente * (Razão Social, Nome Fantasia, CNPJ ou CPF)",
    "Categoria *",
    "Conta Corrente *",
    "Valor da Conta *",
    "Vendedor",
    "Projeto",
    "Data de Emissão",
    "Data de Registro *",
    "Data de Vencimento *",
    "Data de Previsão",
    "Data do Recebimento",
    "Valor do Recebimento",
    "Juros",
    "Multa",
    "Desconto",
    "Data de Conciliação",
    "Observações",
    "Tipo de Documento",
    "Número do Documento",
    "Parcela",
    "Total de Parcelas",
    "Número do Pedido",
    "Nota Fiscal",
    "Chave da NF-e",
    "Código de Barras",
    "Número do Boleto",
    "NSU / TID",
    "Valor PIS",
    "Reter PIS",
    "Valor COFINS",
    "Reter COFINS",
    "Valor CSLL",
    "Reter CSLL",
    "Valor IR",
    "Reter IR",
    "Valor ISS",
    "Reter ISS",
    "Valor INSS",
    "Reter INSS",
    "Departamento (100%)",
];

/// The names without which Omie takes no row.
struct Names<'a> {
    category: &'a str,
    account: &'a str,
    department: Option<&'a str>,
}

pub(super) fn table(erp: &Erp, receivables: &[Receivable<'_>]) -> Result<Vec<u8>, ErpError> {
    let required = |name: &Option<String>, what, key, example| {
        name.clone().ok_or(ErpError::Unnamed { what, key, example })
    };
    let category =
        required(&erp.category, "category", "category", "Clientes - Serviços Prestados")?;
    let account = required(&erp.account, "current account", "account", "Banco do Brasil")?;
    let department = erp.cost_center.as_deref();
    let names = Names { category: &category, account: &account, department };
    let mut sheet = Sheet::brazilian();
    sheet.row(HEADER)?;
    for receivable in receivables {
        let mut cells = [const { String::new() }; COLUMNS];
        fill(&mut cells, &names, receivable);
        sheet.row(cells)?;
    }
    sheet.bytes()
}

fn fill(cells: &mut [String; COLUMNS], names: &Names<'_>, receivable: &Receivable<'_>) {
    let mut put = |column: &str, cell: String| {
        let at = HEADER.iter().position(|name| *name == column);
        if let Some(at) = at {
            cells[at] = cell;
        }
    };
    let invoice = receivable.invoice;
    let figures = &invoice.figures;
    put("Código de Integração", invoice.number.to_string());
    put(HEADER[1], figures.cnpj.clone());
    put("Categoria *", text(names.category));
    put("Conta Corrente *", text(names.account));
    put("Valor da Conta *", amount(figures.total));
    put("Data de Emissão", date(figures.issued_on));
    put("Data de Registro *", date(figures.issued_on));
    put("Data de Vencimento *", date(figures.due_on));
    put("Data de Previsão", date(figures.due_on));
    put("Número do Documento", invoice.number.to_string());
    put("Departamento (100%)", names.department.map(text).unwrap_or_default());
    for (kind, value, withheld) in
        [(Kind::Irrf, "Valor IR", "Reter IR"), (Kind::Iss, "Valor ISS", "Reter ISS")]
    {
        let sum = receivable.sum(kind);
        put(value, amount_or_nothing(sum));
        put(withheld, if sum == Money::ZERO { String::new() } else { "Sim".to_owned() });
    }
    // The sheet has room for one receipt. Where money came on several days, or where there was a discount, of
    // which the sheet does not say how it counts, it stands in words, and the entry is open.
    let (money, interest) = (receivable.sum(Kind::Money), receivable.sum(Kind::Interest));
    let is_plain = money != Money::ZERO && receivable.sum(Kind::Discount) == Money::ZERO;
    let received_on = receivable.only_day(&[Kind::Money, Kind::Interest]).filter(|_| is_plain);
    if let Some(day) = received_on {
        put("Data do Recebimento", date(day));
        put("Valor do Recebimento", amount(money + interest));
        put("Juros", amount_or_nothing(interest));
    }
    put("Observações", remarks(receivable, received_on.is_some()));
}

fn remarks(receivable: &Receivable<'_>, has_receipt: bool) -> String {
    let invoice = receivable.invoice;
    let month = invoice.month.first_day().format("%m/%Y");
    let mut remarks = vec![format!("Fatura {}, competência {month}", invoice.label())];
    let in_columns = |kind: &Kind| match kind {
        Kind::Money | Kind::Interest | Kind::Discount => has_receipt,
        Kind::Iss | Kind::Irrf => true,
        // PIS, COFINS and CSLL in one amount, which the sheet has apart.
        Kind::Csrf => false,
    };
    let told: Vec<Kind> = Kind::ALL.into_iter().filter(|kind| !in_columns(kind)).collect();
    remarks.extend(receivable.in_words(&told));
    remarks.join(", ")
}
