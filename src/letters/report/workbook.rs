//! The workbook for finance: all lines of a close, what needs a person, and the proof.

use rust_decimal::Decimal;
use rust_xlsxwriter::{DocProperties, Workbook, Worksheet, XlsxError};

use super::sheet::{Cell, Column, Formats, Table};
use super::{buckets_pt, id_pt, reason_pt};
use fecha_core::bill::digest::{Digest, DigestRow, Zone};
use fecha_core::bill::exception::Exception;
use fecha_core::count::status::{Meaning, StatusFound};
use fecha_core::price::item::Amounts;

/// The workbook cannot be written: more rows than a sheet has, in practice.
#[derive(Debug, thiserror::Error)]
#[error("the workbook of the close report cannot be made: {0}")]
pub struct WorkbookError(#[from] XlsxError);

/// An `.xlsx` file with the sheets *Faturas*, *Exceções* and *Conferência*. The same digest gives the
/// same bytes.
///
/// Totals and the proof are formulas over the rows, their results stored beside them for programs that
/// do not calculate. Names are text even where they begin like a formula.
///
/// # Errors
/// [`WorkbookError`].
pub fn workbook(digest: &Digest) -> Result<Vec<u8>, WorkbookError> {
    let formats = Formats::default();
    let mut workbook = Workbook::new();
    let properties = DocProperties::new()
        .set_title(format!("Fechamento de {}", digest.month.in_words()))
        .set_author(&digest.issuer)
        .set_creation_datetime(&digest.made_at);
    workbook.set_properties(&properties);
    invoices(workbook.add_worksheet().set_name("Faturas")?, digest, &formats)?;
    exceptions(workbook.add_worksheet().set_name("Exceções")?, digest, &formats)?;
    proof(workbook.add_worksheet().set_name("Conferência")?, digest, &formats)?;
    Ok(workbook.save_to_buffer()?)
}

fn invoices(sheet: &mut Worksheet, digest: &Digest, formats: &Formats) -> Result<(), XlsxError> {
    let columns = vec![
        Column::new("Fatura", 13),
        Column::new("Revisão", 9),
        Column::new("Código", 14),
        Column::new("Concessionária", 38),
        Column::new("CNPJ", 20),
        Column::new("Pacote", 10),
        Column::summed("UAM", 11),
        Column::summed("UAM adicional", 11),
        Column::summed("HSM", 11),
        Column::summed("Valor do pacote", 16),
        Column::summed("Valor UAM adicional", 16),
        Column::summed("Valor HSM", 16),
        Column::summed("Ajustes", 14),
        Column::summed("Total", 17),
        Column::new("Total do mês anterior", 17),
        Column::new("Variação", 16),
        Column::new("Vencimento", 12),
        Column::summed("Pago", 16),
        Column::summed("Em aberto", 16),
        Column::new("Emitida em (UTC)", 17),
        Column::new("Valor anterior", 16),
        Column::new("Motivo da revisão", 38),
        Column::new("SHA-256 da comprovação", 68),
        Column::new("SHA-256 do PDF", 68),
    ];
    let rows = digest.invoices.iter().map(invoice).collect();
    let end = Table { columns, rows }.write(sheet, 0, formats)?;
    sheet.set_freeze_panes(1, 1)?;
    // On paper up to the day of issue; the hashes would make the rest too small to read.
    sheet.set_print_area(0, 0, end - 1, 19)?;
    Ok(())
}

fn invoice(entry: &DigestRow) -> Vec<Cell> {
    let before = entry.replaces.as_ref();
    // One column each, in the order of the headings above.
    let Amounts { package, overage, hsm, adjustments } = entry.amounts;
    vec![
        Cell::Text(entry.number.to_string()),
        Cell::Count(entry.revision.into()),
        Cell::Text(entry.dealership_id.clone()),
        Cell::Text(entry.dealership_name.clone()),
        Cell::Text(entry.cnpj.clone()),
        Cell::Count(entry.package),
        Cell::Count(entry.uam),
        Cell::Count(entry.overage),
        Cell::Count(entry.hsm),
        Cell::Money(package),
        Cell::Money(overage),
        Cell::Money(hsm),
        Cell::Money(adjustments),
        Cell::Money(entry.total),
        entry.month_before.map_or(Cell::Empty, Cell::Money),
        entry.change().map_or(Cell::Empty, Cell::Money),
        Cell::Date(entry.due_on),
        entry.paid.map_or(Cell::Empty, Cell::Money),
        entry.open().map_or(Cell::Empty, Cell::Money),
        Cell::Instant(entry.issued_at),
        before.map_or(Cell::Empty, |before| Cell::Money(before.total)),
        before.map_or(Cell::Empty, |before| Cell::Text(before.reason.clone())),
        Cell::Text(entry.evidence_sha256.clone()),
        Cell::Text(entry.pdf_sha256.clone()),
    ]
}

fn exceptions(sheet: &mut Worksheet, digest: &Digest, formats: &Formats) -> Result<(), XlsxError> {
    let columns = vec![
        Column::new("Código", 24),
        Column::new("Exceção", 24),
        Column::summed("Mensagens", 13),
        Column::new("O que fazer", 105),
        Column::new("Detalhe", 60),
    ];
    let row = |exception: &Exception| {
        vec![
            Cell::Text(id_pt(exception.dealership_id.as_deref()).to_owned()),
            Cell::Text(reason_pt(exception.reason).to_owned()),
            Cell::Count(exception.messages),
            Cell::Text(exception.reason.advice_pt().to_owned()),
            exception.detail.clone().map_or(Cell::Empty, Cell::Text),
        ]
    };
    let rows = digest.exceptions.iter().map(row).collect();
    Table { columns, rows }.write(sheet, 0, formats)?;
    sheet.set_freeze_panes(1, 0)?;
    Ok(())
}

/// The zero-residual table, zone by zone, then by bucket, then who wrote to what is no contact.
fn proof(sheet: &mut Worksheet, digest: &Digest, formats: &Formats) -> Result<(), XlsxError> {
    let zones = zones(digest);
    let next = zones.write(sheet, 0, formats)? + 2;
    let columns =
        vec![Column::new("Todas as mensagens do mês", 36), Column::summed("Mensagens", 18)];
    let rows = buckets_pt(&digest.messages)
        .map(|(name, messages)| vec![Cell::Text(name.to_owned()), Cell::Count(messages)])
        .into();
    let next = Table { columns, rows }.write(sheet, next, formats)? + 2;
    let columns = vec![
        Column::new("Todos os status de entrega", 36),
        Column::summed("Mensagens", 18),
        Column::new("Tratamento", 18),
    ];
    let rows = digest.statuses.iter().map(status).collect();
    let next = Table { columns, rows }.write(sheet, next, formats)? + 2;
    let columns =
        vec![Column::new("Não é contato, por código", 36), Column::summed("Mensagens", 18)];
    let row = |(id, messages): &(String, u64)| vec![Cell::Text(id.clone()), Cell::Count(*messages)];
    let rows = digest.not_contacts.iter().map(row).collect();
    Table { columns, rows }.write(sheet, next, formats)?;
    sheet.set_freeze_panes(1, 1)?;
    Ok(())
}

fn status(found: &StatusFound) -> Vec<Cell> {
    let name = found.status.clone().unwrap_or_else(|| "(sem status)".to_owned());
    let treated = match found.meaning {
        Meaning::Counts => "conta",
        Meaning::Ignored => "não conta",
        Meaning::Unknown => "conta, fora das listas",
    };
    vec![Cell::Text(name), Cell::Count(found.messages), Cell::Text(treated.to_owned())]
}

fn zones(digest: &Digest) -> Table {
    let buckets = buckets_pt(&digest.messages).map(|(name, _)| Column::summed(name, 14));
    let mut columns = vec![
        Column::new("Fusos", 36),
        Column::new("Início (UTC)", 18),
        Column::new("Fim (UTC)", 18),
    ];
    columns.extend(buckets);
    // These three have no total: the spans of two zones overlap, so it would count messages twice.
    columns.extend([
        Column::new("Outros fusos", 14),
        Column::new("Soma", 14),
        Column::new("Contagem no banco", 14),
        Column::summed("Diferença", 14),
    ]);
    // Spreadsheet rows count from 1, and the first is the header.
    let rows = digest.zones.iter().zip(2_u32..).map(|(zone, row)| zone_row(zone, row)).collect();
    Table { columns, rows }
}

fn zone_row(zone: &Zone, row: u32) -> Vec<Cell> {
    let window = &zone.window;
    let sum = window.buckets.total() + window.elsewhere;
    let mut cells = vec![
        Cell::Text(zone.names.join(", ")),
        Cell::Instant(window.period.start),
        Cell::Instant(window.period.end),
    ];
    cells.extend(buckets_pt(&window.buckets).map(|(_, messages)| Cell::Count(messages)));
    cells.extend([
        Cell::Count(window.elsewhere),
        Cell::Formula { text: format!("=SUM(D{row}:L{row})"), result: sum.into() },
        Cell::Count(window.rows),
        Cell::Formula {
            text: format!("=N{row}-M{row}"),
            result: Decimal::from(window.rows) - Decimal::from(sum),
        },
    ]);
    cells
}
