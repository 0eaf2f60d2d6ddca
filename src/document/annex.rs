//! The annex of a statement: the contacts of the evidence, one a line.

use chrono::DateTime;

use super::letterhead::section;
use super::press::layout::{Block, Column, Ink, Paper};
use super::press::tags::Role;
use super::press::text::{Style, Text};
use fecha_core::bill::invoice::Invoice;
use fecha_core::count::evidence::{EvidenceRow, InvalidEvidence, parse};
use fecha_core::price::money::grouped;

/// So small that a page holds sixty contacts.
const ROW: Style = Style::regular(7.0, Ink::Strong);
const SIDE: Style = Style::regular(7.0, Ink::Muted);
const SUM: Style = Style::semi_bold(7.0, Ink::Strong);
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
    let mut entries = parse(evidence)?;
    if entries.is_empty() {
        return Ok(());
    }
    // All instants are written alike, in UTC, so that texts sort as instants do.
    entries.sort_by_key(|entry| (entry.first_at, entry.id));
    let introduction = format!(
        "Os contatos do arquivo de comprovação, pela ordem da primeira mensagem do mês, no fuso horário {}. \
         Cada código é o começo do id do contato no arquivo, que traz a mesma contagem.",
        invoice.timezone
    );
    paper.turn();
    paper.bookmark("Anexo: contatos considerados");
    paper.add(Block::Stack(vec![
        section("Anexo: contatos considerados"),
        Block::Text(Text::new(introduction, Style::NOTE)),
        Block::Gap(8.0),
    ]));
    let rows = entries.iter().zip(1..).map(|(entry, number)| row(invoice, entry, number));
    paper.table(header(), rows.chain([sum(&entries)]));
    Ok(())
}

/// A row: number, code, contact, first message, who wrote it; received, sent, HSM. One paragraph: cells
/// as parts of the structure would make up more than half of the file.
fn columns(cells: [Text; 8]) -> Block {
    let widths = [
        Column::Fixed(34.0),
        Column::Fixed(44.0),
        Column::Share(1.0),
        Column::Fixed(86.0),
        Column::Fixed(70.0),
        Column::Fixed(42.0),
        Column::Fixed(42.0),
        Column::Fixed(32.0),
    ];
    let cells = cells.map(|cell| Block::Text(cell.part()));
    // Inside the edge of the ground.
    let margin = (Column::Fixed(0.0), Block::Gap(0.0));
    let cells = widths.into_iter().zip(cells).chain([margin]).collect();
    Block::columns(8.0, cells).tagged(Role::Paragraph)
}

fn header() -> Block {
    let title = |text: &str| Text::new(text, SIDE);
    Block::Stack(vec![
        columns([
            title("Nº").right(),
            title("Código"),
            title("Contato"),
            title("Primeira mensagem"),
            title("Escrita por"),
            title("Recebidas").right(),
            title("Enviadas").right(),
            title("HSM").right(),
        ]),
        Block::Gap(2.0),
        Block::Rule(Ink::Line),
        Block::Gap(1.0),
    ])
}

fn row(invoice: &Invoice, entry: &EvidenceRow<'_>, number: u64) -> Block {
    let cell = |text: &str, style| Text::new(text, style);
    let figure = |count: u64| cell(&grouped(count), ROW).right();
    let first = DateTime::parse_from_rfc3339(entry.first_at).map_or_else(
        |_| entry.first_at.to_owned(),
        |at| at.with_timezone(&invoice.timezone).format("%d/%m/%Y %H:%M:%S").to_string(),
    );
    let by = if entry.first_direction == "in" { "contato" } else { "concessionária" };
    let row = columns([
        cell(&grouped(number), SIDE).right(),
        cell(entry.id.get(..CODE).unwrap_or(entry.id), SIDE),
        cell(entry.contact, ROW),
        cell(&first, ROW),
        cell(by, ROW),
        figure(entry.received),
        figure(entry.sent),
        figure(entry.hsm),
    ]);
    let row = Block::Stack(vec![Block::Gap(0.9), row, Block::Gap(0.9)]);
    // Every other line on a ground, to guide the eye.
    if number % 2 == 1 { row } else { row.on(Ink::Tint) }
}

/// What all contacts add up to: the figures on the first page.
fn sum(entries: &[EvidenceRow<'_>]) -> Block {
    let of = |count: fn(&EvidenceRow<'_>) -> u64| entries.iter().map(count).sum();
    let cell = |text: &str| Text::new(text, SUM);
    let figure = |count: u64| cell(&grouped(count)).right();
    let contacts = entries.len() as u64;
    let contacts = match contacts {
        1 => "1 contato".to_owned(),
        _ => format!("{} contatos", grouped(contacts)),
    };
    let row = columns([
        cell(""),
        cell("Total"),
        cell(&contacts),
        cell(""),
        cell(""),
        figure(of(|entry| entry.received)),
        figure(of(|entry| entry.sent)),
        figure(of(|entry| entry.hsm)),
    ]);
    Block::Stack(vec![Block::Gap(2.0), Block::Rule(Ink::Line), Block::Gap(2.0), row])
}
