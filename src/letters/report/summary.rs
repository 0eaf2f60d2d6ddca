//! The first sheet: the month at a glance.

use chrono_tz::Tz;
use rust_decimal::Decimal;
use rust_xlsxwriter::{Worksheet, XlsxError};

use super::sheet::{Cell, Formats, Words, value, words};
use fecha_core::bill::digest::{Digest, DigestRow, Mover, Sum};
use fecha_core::price::item::Amounts;
use fecha_core::price::money::Money;

/// What a proof that adds up says.
const OK: &str = "OK";

/// A line of the summary: what, and up to three figures.
struct Line {
    name: &'static str,
    /// This report, the month before, the difference.
    figures: [Cell; 3],
}

impl Line {
    fn of(name: &'static str, figure: Cell) -> Self {
        Self { name, figures: [figure, Cell::Empty, Cell::Empty] }
    }

    fn compared(name: &'static str, now: Cell, before: Cell, difference: Cell) -> Self {
        Self { name, figures: [now, before, difference] }
    }
}

/// Writes the summary: a heading, then a block of lines each for money, dealerships, accounts and the proof.
pub(super) fn write(
    sheet: &mut Worksheet,
    digest: &Digest,
    formats: &Formats,
) -> Result<(), XlsxError> {
    for (column, width) in [(0, 42.0), (1, 22.0), (2, 22.0), (3, 22.0)] {
        sheet.set_column_width(column, width)?;
    }
    words(sheet, (0, 0), &title(digest), Words::Title, formats)?;
    let heads = ["Neste relatório", "Mês anterior", "Diferença"];
    for (head, column) in heads.into_iter().zip(1_u16..) {
        words(sheet, (2, column), head, Words::Head, formats)?;
    }
    let mut row = 3;
    for block in [money(digest), dealerships(digest), accounts(digest), checks(digest)] {
        for line in &block {
            words(sheet, (row, 0), line.name, Words::Line, formats)?;
            for (figure, column) in line.figures.iter().zip(1_u16..) {
                match figure {
                    Cell::Text(text) if text != OK => {
                        words(sheet, (row, column), text, Words::Warning, formats)?;
                    }
                    figure => value(sheet, (row, column), figure, formats)?,
                }
            }
            row += 1;
        }
        row += 1;
    }
    sheet.set_paper_size(9).set_print_fit_to_pages(1, 0);
    Ok(())
}

fn title(digest: &Digest) -> String {
    let month = digest.month.in_words();
    match (digest.sequence, digest.supplement()) {
        (0, _) => format!("Fechamento de {month}: RETIDO, nada foi emitido"),
        (_, 0) => format!("Fechamento de {month}"),
        (_, supplement) => format!("Fechamento de {month}: suplemento {supplement}"),
    }
}

fn money(digest: &Digest) -> Vec<Line> {
    let rows = &digest.invoices;
    let count = |of: fn(&DigestRow) -> u64| Cell::Count(rows.iter().map(of).sum());
    let Amounts { package, overage, hsm, other, adjustments } =
        rows.iter().map(|row| row.amounts).sum();
    let mut lines = vec![
        Line::of("Faturas", Cell::Count(rows.len() as u64)),
        Line::of("UAM (contatos únicos)", count(|row| row.uam)),
        Line::of("HSM (mensagens de modelo)", count(|row| row.hsm)),
        Line::of("Pacotes", Cell::Money(package)),
        Line::of("Contatos acima do pacote", Cell::Money(overage)),
        Line::of("Mensagens de modelo (HSM)", Cell::Money(hsm)),
    ];
    if rows.iter().any(|row| row.amounts.other != Money::ZERO) {
        lines.push(Line::of(digest.other_lines(), Cell::Money(other)));
    }
    lines.extend([
        Line::of("Ajustes", Cell::Money(adjustments)),
        Line::of("Total", Cell::Money(digest.total())),
    ]);
    if digest.supplement() > 0 {
        lines.push(Line::of("Efeito no mês", Cell::Money(digest.effect())));
        let cancelled = digest.effect_of_cancellations();
        if cancelled != Money::ZERO {
            lines.push(Line::of("dos quais, faturas canceladas", Cell::Money(cancelled)));
        }
    }
    let Some(whole) = &digest.whole else { return lines };
    let before = |of: fn(&Sum) -> Cell| whole.before.as_ref().map_or(Cell::Empty, of);
    let difference =
        whole.before.map_or(Cell::Empty, |before| Cell::Money(whole.now.total - before.total));
    let more = whole.before.map_or(Cell::Empty, |before| Cell::Formula {
        text: format!("={}-{}", whole.now.invoices, before.invoices),
        result: Decimal::from(whole.now.invoices) - Decimal::from(before.invoices),
    });
    lines.extend([
        Line::compared(
            "Faturas do mês inteiro",
            Cell::Count(whole.now.invoices),
            before(|sum| Cell::Count(sum.invoices)),
            more,
        ),
        Line::compared(
            "Total do mês inteiro",
            Cell::Money(whole.now.total),
            before(|sum| Cell::Money(sum.total)),
            difference,
        ),
        Line::compared(
            "Variação %",
            Cell::Empty,
            Cell::Empty,
            whole.change().map_or(Cell::Empty, Cell::Percent),
        ),
    ]);
    lines
}

fn dealerships(digest: &Digest) -> Vec<Line> {
    let Some(whole) = &digest.whole else { return Vec::new() };
    let sum = |movers: &[Mover]| -> Money { movers.iter().map(|mover| mover.total).sum() };
    let line = |name, movers: &[Mover]| {
        let count = Cell::Count(movers.len() as u64);
        Line { name, figures: [count, Cell::Empty, Cell::Money(sum(movers))] }
    };
    vec![line("Entraram", &whole.entered), line("Saíram", &whole.left)]
}

fn accounts(digest: &Digest) -> Vec<Line> {
    let Some(balance) = digest.receivables else { return Vec::new() };
    vec![
        Line::of("Em aberto, de todos os meses", Cell::Money(balance.open)),
        Line::of("Vencido", Cell::Money(balance.overdue)),
        Line::of("Recebido e ainda sem fatura", Cell::Money(balance.waiting)),
    ]
}

fn checks(digest: &Digest) -> Vec<Line> {
    let made_at = Cell::Instant(digest.made_at, digest.timezone.unwrap_or(Tz::UTC));
    let mut lines = vec![
        Line::of("Exceções", Cell::Count(digest.exceptions.len() as u64)),
        Line::of("Entregas que falharam", Cell::Count(digest.failed_deliveries.len() as u64)),
    ];
    // A rerun counts some dealerships alone: there is nothing to prove then.
    lines.extend(digest.proved().map(|agrees| {
        let proof = if agrees { OK } else { "NÃO FECHA" };
        Line::of("Conferência", Cell::Text(proof.to_owned()))
    }));
    lines.push(Line::of("Relatório feito em", made_at));
    lines
}
