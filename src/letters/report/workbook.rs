//! The workbook for finance: all lines of a close, what needs a person, and the proof.

use chrono_tz::Tz;
use rust_decimal::Decimal;
use rust_xlsxwriter::{DocProperties, Workbook, Worksheet, XlsxError};

use super::sheet::{Cell, Column, Formats, Table};
use super::summary;
use super::{buckets_pt, detail_pt, id_pt, reason_pt, stake_pt, window_zone, zones_pt};
use fecha_core::bill::digest::{
    Digest, DigestRow, IssuedAs, Mover, Overdue, Whole, Zone, per_mille,
};
use fecha_core::bill::exception::Excepted;
use fecha_core::calendar::zone;
use fecha_core::count::status::{Meaning, StatusFound};
use fecha_core::price::item::{Amounts, Line};
use fecha_core::price::money::Money;

/// The workbook cannot be written: more rows than a sheet has, in practice.
#[derive(Debug, thiserror::Error)]
#[error("the workbook of the close report cannot be made: {0}")]
pub struct WorkbookError(#[from] XlsxError);

/// An `.xlsx` file with the sheets *Resumo*, *Faturas*, *Exceções* and, where there is something for them,
/// *Linhas*, *Entraram e saíram*, *Vencidas* and *Conferência*. The same digest gives the same bytes.
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
    summary::write(workbook.add_worksheet().set_name("Resumo")?, digest, &formats)?;
    invoices(workbook.add_worksheet().set_name("Faturas")?, digest, &formats)?;
    if digest.invoices.iter().any(|row| !row.lines.is_empty()) {
        lines(workbook.add_worksheet().set_name("Linhas")?, digest, &formats)?;
    }
    exceptions(workbook.add_worksheet().set_name("Exceções")?, digest, &formats)?;
    let whole = digest.whole.as_ref();
    if let Some(whole) = whole.filter(|whole| !(whole.entered.is_empty() && whole.left.is_empty()))
    {
        movers(workbook.add_worksheet().set_name("Entraram e saíram")?, whole, &formats)?;
    }
    if !digest.overdue.is_empty() {
        overdue(workbook.add_worksheet().set_name("Vencidas")?, digest, &formats)?;
    }
    // A rerun counts some dealerships alone: there is nothing to prove then.
    if !digest.zones.is_empty() {
        proof(workbook.add_worksheet().set_name("Conferência")?, digest, &formats)?;
    }
    Ok(workbook.save_to_buffer()?)
}

/// Where the column of adjustments stands.
const ADJUSTMENTS: usize = 12;

fn invoices(sheet: &mut Worksheet, digest: &Digest, formats: &Formats) -> Result<(), XlsxError> {
    let mut columns = vec![
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
        Column::summed("Total do mês anterior", 17),
        Column::summed("Variação", 16).of_changes(),
        Column::new("Variação %", 11).of_changes(),
        Column::new("Vencimento", 12),
        Column::summed("Pago", 16),
        Column::summed("Em aberto", 16),
        Column::new(format!("Emitida em ({})", zone::in_words(time_zone(digest))), 19),
        Column::summed("Valor anterior", 16),
        Column::new("Motivo da revisão", 38),
        Column::new("SHA-256 da comprovação", 68),
        Column::new("SHA-256 do PDF", 68),
    ];
    let mut rows: Vec<Vec<Cell>> =
        digest.invoices.iter().map(|row| invoice(row, time_zone(digest))).collect();
    // A column of its own only where there is something in it.
    let has_others = digest.invoices.iter().any(|row| row.amounts.other != Money::ZERO);
    if has_others {
        columns.insert(ADJUSTMENTS, Column::summed(digest.other_lines(), 14));
        for (cells, row) in rows.iter_mut().zip(&digest.invoices) {
            cells.insert(ADJUSTMENTS, Cell::Money(row.amounts.other));
        }
    }
    let end = Table { columns, rows }.write(sheet, 0, formats)?;
    sheet.set_freeze_panes(1, 1)?;
    // On paper up to the day of issue; the hashes would make the rest too small to read.
    sheet.set_print_area(0, 0, end - 1, 20 + u16::from(has_others))?;
    Ok(())
}

/// Line by line, the invoices whose prices have entries of their own.
fn lines(sheet: &mut Worksheet, digest: &Digest, formats: &Formats) -> Result<(), XlsxError> {
    let columns = vec![
        Column::new("Fatura", 16),
        Column::new("Código", 14),
        Column::new("Concessionária", 38),
        Column::new("Linha", 44),
        Column::new("Quantidade", 12),
        Column::new("Preço unitário", 14),
        Column::summed("Valor", 16),
    ];
    let row = |(entry, line): (&DigestRow, &Line)| {
        vec![
            Cell::Text(entry.label()),
            Cell::Text(entry.dealership_id.clone()),
            Cell::Text(entry.dealership_name.clone()),
            Cell::Text(line.item.in_portuguese()),
            Cell::Count(line.quantity),
            Cell::Price(line.unit_price),
            Cell::Money(line.amount),
        ]
    };
    let mut rows = Vec::new();
    for entry in &digest.invoices {
        rows.extend(entry.lines.iter().map(|line| row((entry, line))));
    }
    Table { columns, rows }.write(sheet, 0, formats)?;
    sheet.set_freeze_panes(1, 1)?;
    Ok(())
}

/// The issuer's; UTC in a report of a fecha that told its times in it.
fn time_zone(digest: &Digest) -> Tz {
    digest.timezone.unwrap_or(Tz::UTC)
}

fn invoice(entry: &DigestRow, zone: Tz) -> Vec<Cell> {
    let issued = entry.issued.as_ref();
    let before = entry.replaces();
    let text = |of: fn(&IssuedAs) -> String| issued.map_or(Cell::Empty, |as_| Cell::Text(of(as_)));
    let money = |money: Option<Money>| money.map_or(Cell::Empty, Cell::Money);
    let percent = entry.month_before.and_then(|before| per_mille(entry.total, before));
    // One column each, in the order of the headings above.
    let Amounts { package, overage, hsm, other: _, adjustments } = entry.amounts;
    vec![
        text(|issued| issued.number.to_string()),
        issued.map_or(Cell::Empty, |issued| Cell::Count(issued.revision.into())),
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
        money(entry.month_before),
        money(entry.change()),
        percent.map_or(Cell::Empty, Cell::Percent),
        Cell::Date(entry.due_on),
        money(entry.paid),
        money(entry.open()),
        issued.map_or(Cell::Empty, |issued| Cell::Instant(issued.issued_at, zone)),
        money(before.map(|before| before.total)),
        before.map_or(Cell::Empty, |before| Cell::Text(before.reason.clone())),
        text(|issued| issued.evidence_sha256.clone()),
        text(|issued| issued.pdf_sha256.clone()),
    ]
}

fn movers(sheet: &mut Worksheet, whole: &Whole, formats: &Formats) -> Result<(), XlsxError> {
    let columns = vec![
        Column::new("Entrou ou saiu", 16),
        Column::new("Código", 14),
        Column::new("Concessionária", 48),
        Column::summed("Total deste mês", 18),
        Column::summed("Total do mês anterior", 18),
    ];
    let row = |word: &str, mover: &Mover, totals: [Cell; 2]| {
        let [now, before] = totals;
        vec![
            Cell::Text(word.to_owned()),
            Cell::Text(mover.dealership_id.clone()),
            Cell::Text(mover.dealership_name.clone()),
            now,
            before,
        ]
    };
    let entered = whole.entered.iter();
    let entered = entered.map(|one| row("entrou", one, [Cell::Money(one.total), Cell::Empty]));
    let left = whole.left.iter();
    let left = left.map(|one| row("saiu", one, [Cell::Empty, Cell::Money(one.total)]));
    Table { columns, rows: entered.chain(left).collect() }.write(sheet, 0, formats)?;
    sheet.set_freeze_panes(1, 0)?;
    Ok(())
}

fn overdue(sheet: &mut Worksheet, digest: &Digest, formats: &Formats) -> Result<(), XlsxError> {
    let columns = vec![
        Column::new("Fatura", 16),
        Column::new("Mês", 20),
        Column::new("Código", 14),
        Column::new("Concessionária", 48),
        Column::new("Venceu em", 12),
        Column::summed("Em aberto", 18),
    ];
    let row = |late: &Overdue| {
        vec![
            Cell::Text(late.label.clone()),
            Cell::Text(late.month.in_words()),
            Cell::Text(late.dealership_id.clone()),
            Cell::Text(late.dealership_name.clone()),
            Cell::Date(late.due_on),
            Cell::Money(late.open),
        ]
    };
    let rows = digest.overdue.iter().map(row).collect();
    Table { columns, rows }.write(sheet, 0, formats)?;
    sheet.set_freeze_panes(1, 0)?;
    Ok(())
}

fn exceptions(sheet: &mut Worksheet, digest: &Digest, formats: &Formats) -> Result<(), XlsxError> {
    let columns = vec![
        Column::new("Código", 24),
        Column::new("Concessionária", 38),
        Column::new("Exceção", 24),
        Column::summed("Mensagens", 13),
        Column::summed("Valor em jogo", 17),
        Column::new("O que o valor é", 34),
        Column::new("O que fazer", 105),
        Column::new("Detalhe técnico", 60),
    ];
    let row = |Excepted { exception, dealership_name, stake }: &Excepted| {
        vec![
            Cell::Text(id_pt(exception.dealership_id.as_deref()).to_owned()),
            dealership_name.clone().map_or(Cell::Empty, Cell::Text),
            Cell::Text(reason_pt(exception.reason).to_owned()),
            Cell::Count(exception.messages),
            stake.map_or(Cell::Empty, |stake| Cell::Money(stake.amount())),
            stake.map_or(Cell::Empty, |stake| Cell::Text(stake_pt(stake).to_owned())),
            Cell::Text(exception.reason.advice_pt().to_owned()),
            detail_pt(exception).map_or(Cell::Empty, Cell::Text),
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
        Column::new("Início (horário local)", 18),
        Column::new("Fim (horário local)", 18),
    ];
    columns.extend(buckets);
    // These three have no total: the spans of two zones overlap, so it would count messages twice.
    columns.extend([
        Column::new("Outros fusos", 14),
        Column::new("Soma", 14),
        Column::new("Contagem no banco", 14),
        Column::summed("Diferença", 14).must_be_zero(),
    ]);
    // Spreadsheet rows count from 1, and the first is the header.
    let rows = digest.zones.iter().zip(2_u32..).map(|(zone, row)| zone_row(zone, row)).collect();
    Table { columns, rows }
}

fn zone_row(zone: &Zone, row: u32) -> Vec<Cell> {
    let (window, own) = (&zone.window, window_zone(zone));
    let sum = window.buckets.total() + window.elsewhere;
    let mut cells = vec![
        Cell::Text(zones_pt(&zone.names)),
        Cell::Instant(window.period.start, own),
        Cell::Instant(window.period.end, own),
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
