//! The annex of a statement: the contacts of the evidence, one a line.

use chrono::DateTime;

use super::letterhead::section;
use super::press::layout::{Block, Column, Ink, Paper};
use super::press::tags::Role;
use super::press::text::{Style, Text};
use fecha_core::bill::invoice::Invoice;
use fecha_core::calendar::zone;
use fecha_core::count::evidence::{EvidenceRow, InvalidEvidence, parse};
use fecha_core::price::money::grouped;

/// So small that a page holds a hundred and twenty contacts, in two columns.
const ROW: Style = Style::regular(6.7, Ink::Strong);
const SIDE: Style = Style::regular(6.2, Ink::Muted);
const SUM: Style = Style::semi_bold(7.5, Ink::Strong);
/// How much of an id is printed: enough to find its line of the file.
const CODE: usize = 8;

/// Adds the contacts of `evidence`, by their first messages, on pages of their own; nothing where it
/// has none.
///
/// # Errors
/// [`InvalidEvidence`] where the text is no evidence file.
pub(super) fn add(
    paper: &mut Paper<'_>,
    invoice: &Invoice,
    evidence: &str,
) -> Result<(), InvalidEvidence> {
    let mut entries = parse(evidence)?.rows;
    if entries.is_empty() {
        return Ok(());
    }
    // All instants are written alike, in UTC, so that texts sort as instants do.
    entries.sort_by_key(|entry| (entry.first_at, entry.id));
    let introduction = format!(
        "Os contatos do arquivo de comprovação, pela ordem da primeira mensagem do mês ({}, {}), que foi escrita \
         pelo contato ou pela loja, com as mensagens recebidas (rec.) e enviadas (env.), e quantas destas foram \
         de modelo (HSM). Cada código é o começo do id do contato no arquivo, que traz a mesma contagem.",
        invoice.month.in_words(),
        zone::in_words(invoice.timezone)
    );
    paper.turn();
    paper.bookmark("Anexo: contatos considerados");
    paper.add(Block::Stack(vec![
        section("Anexo: contatos considerados"),
        Block::Text(Text::new(introduction, Style::NOTE)),
        Block::Gap(8.0),
    ]));
    let rows = entries.iter().enumerate().map(|(index, entry)| row(invoice, entry, index));
    paper.table_in_columns(2, GAP, header(), rows);
    paper.space(4.0);
    paper.add(sum(&entries));
    Ok(())
}

/// Between the two columns.
const GAP: f32 = 16.0;

/// A row: code, contact, first message, who wrote it; received, sent, HSM. One paragraph: cells as parts of
/// the structure would make up more than half of the file.
fn columns(cells: [Text; 7]) -> Block {
    let widths = [
        Column::Fixed(31.0),
        Column::Share(1.0),
        Column::Fixed(38.0),
        Column::Fixed(23.0),
        Column::Fixed(19.0),
        Column::Fixed(19.0),
        Column::Fixed(15.0),
    ];
    let cells = cells.map(|cell| Block::Text(cell.part()));
    // Inside the edge of the ground.
    let margin = (Column::Fixed(0.0), Block::Gap(0.0));
    let cells = widths.into_iter().zip(cells).chain([margin]).collect();
    Block::columns(3.5, cells).tagged(Role::Paragraph)
}

fn header() -> Block {
    let title = |text: &str| Text::new(text, SIDE);
    Block::Stack(vec![
        columns([
            title("Código"),
            title("Contato"),
            title("Primeira"),
            title("De"),
            title("Rec.").right(),
            title("Env.").right(),
            title("HSM").right(),
        ]),
        Block::Gap(2.0),
        Block::Rule(Ink::Line),
        Block::Gap(1.0),
    ])
}

fn row(invoice: &Invoice, entry: &EvidenceRow<'_>, index: usize) -> Block {
    let cell = |text: &str, style| Text::new(text, style).within(1, 4.5);
    let figure = |count: u64| cell(&grouped(count), ROW).right();
    // The year is said above; in a period that is longer than its month the day alone is clear too.
    let first = DateTime::parse_from_rfc3339(entry.first_at).map_or_else(
        |_| entry.first_at.to_owned(),
        |at| at.with_timezone(&invoice.timezone).format("%d/%m %H:%M").to_string(),
    );
    let by = if entry.first_direction == "in" { "contato" } else { "loja" };
    let row = columns([
        cell(entry.id.get(..CODE).unwrap_or(entry.id), SIDE),
        cell(entry.contact, ROW),
        cell(&first, ROW),
        cell(by, SIDE),
        figure(entry.received),
        figure(entry.sent),
        figure(entry.hsm),
    ]);
    let row = Block::Stack(vec![Block::Gap(0.9), row, Block::Gap(0.9)]);
    // Every other line on a ground, to guide the eye.
    if index.is_multiple_of(2) { row } else { row.on(Ink::Tint) }
}

/// What all contacts add up to: the figures on the first page.
fn sum(entries: &[EvidenceRow<'_>]) -> Block {
    let of = |count: fn(&EvidenceRow<'_>) -> u64| entries.iter().map(count).sum::<u64>();
    let contacts = match entries.len() as u64 {
        1 => "1 contato".to_owned(),
        contacts => format!("{} contatos", grouped(contacts)),
    };
    let words = format!(
        "Total: {contacts}; mensagens: {} recebidas, {} enviadas, das quais {} de modelo (HSM).",
        grouped(of(|entry| entry.received)),
        grouped(of(|entry| entry.sent)),
        grouped(of(|entry| entry.hsm))
    );
    Block::Stack(vec![Block::Rule(Ink::Line), Block::Gap(3.0), Block::Text(Text::new(words, SUM))])
}
