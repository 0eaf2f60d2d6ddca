//! HSM by template, and which of them could have been saved.

use std::cmp::Reverse;

use rust_decimal::Decimal;

use super::invoice::unit_price;
use super::press::layout::{Block, Column, Ink};
use super::press::tags::Role;
use super::press::text::{Style, Text};
use fecha_core::bill::invoice::Invoice;
use fecha_core::price::item::Item;
use fecha_core::price::money::{Money, grouped};
use fecha_core::price::table::PriceTable;

/// HSM by template, the most used first, and their sum.
pub(super) fn rows(invoice: &Invoice) -> Vec<Block> {
    let price = price(invoice);
    if invoice.usage.hsm_by_template.is_empty() {
        let none = Text::new("Nenhuma foi enviada neste mês.", Style::BODY);
        return vec![Block::Gap(4.0), Block::Text(none)];
    }
    let mut templates: Vec<_> = invoice.usage.hsm_by_template.iter().collect();
    templates.sort_by_key(|(name, count)| (Reverse(**count), name.as_str()));
    let mut rows: Vec<Block> = templates
        .into_iter()
        .map(|(name, count)| {
            let name = if name.is_empty() { "(sem nome)" } else { name };
            let amount = price.and_then(|price| Money::rounded(price * Decimal::from(*count)));
            row(name, *count, amount, Style::BODY)
        })
        .collect();
    let bold = Style::semi_bold(9.0, Ink::Strong);
    rows.push(row("Total", invoice.usage.hsm, Some(invoice.amounts().hsm), bold));
    rows
}

/// What each template cost; `None` where that depends on more than its number: its category, or whether it was
/// billed.
fn price(invoice: &Invoice) -> Option<Decimal> {
    let line = invoice.lines.iter().find(|line| line.item == Item::Hsm)?;
    (line.quantity == invoice.usage.hsm && line.amount == invoice.amounts().hsm)
        .then_some(line.unit_price)
}

fn columns(cells: [Block; 3]) -> Block {
    let widths = [Column::Share(1.0), Column::Fixed(44.0), Column::Fixed(58.0)];
    Block::columns(8.0, widths.into_iter().zip(cells).collect())
}

pub(super) fn header(invoice: &Invoice) -> Block {
    let title = |text: &str| Text::new(text, Style::LABEL).is(Role::HeaderCell);
    let price = price(invoice);
    let price =
        price.map_or_else(|| "Valor".to_owned(), |price| format!("a {}", unit_price(price)));
    let row = Block::Stack(vec![
        columns([
            Block::Text(title("Modelo")),
            Block::Text(title("Quantidade").right()),
            Block::Text(title(&price).right()),
        ]),
        Block::Gap(3.0),
        Block::Rule(Ink::Line),
    ]);
    row.tagged(Role::Row)
}

fn row(name: &str, count: u64, amount: Option<Money>, style: Style) -> Block {
    let cell = |text: Text| Block::Text(text.is(Role::Cell));
    let figure = |text: String| cell(Text::new(text, style).right().within(1, 5.0));
    let row = Block::Stack(vec![
        Block::Gap(1.5),
        columns([
            Block::Text(Text::new(name, style).is(Role::RowHeaderCell)),
            figure(grouped(count)),
            figure(amount.map_or_else(|| "–".to_owned(), Money::brl)),
        ]),
        Block::Gap(1.5),
        Block::Rule(Ink::Line),
    ]);
    row.tagged(Role::Row)
}

/// What HSM cost that were sent while the contact's window of 24 hours was open; `None` where nobody asked for
/// it.
pub(super) fn avoidable(invoice: &Invoice) -> Option<Block> {
    let inside = invoice.usage.windows?.hsm_inside;
    let price = price(invoice);
    let cost = price.and_then(|price| Money::rounded(price * Decimal::from(inside)));
    let saved = cost.map_or_else(String::new, |cost| format!("Evitáveis: {}. ", cost.brl()));
    // Other messages may have a price of their own.
    let prices_sessions = invoice.prices.as_ref().is_some_and(PriceTable::prices_sessions);
    let free = if prices_sessions { "" } else { ", sem custo," };
    let words = match inside {
        0 => "Nenhuma mensagem de modelo foi enviada com a janela de 24 horas aberta.".to_owned(),
        1 => format!(
            "{saved}1 mensagem de modelo foi enviada com a janela de 24 horas aberta: uma mensagem comum{free} \
             teria bastado."
        ),
        _ => format!(
            "{saved}{} mensagens de modelo foram enviadas com a janela de 24 horas aberta: mensagens comuns{free} \
             teriam bastado.",
            grouped(inside)
        ),
    };
    Some(Block::Stack(vec![Block::Gap(5.0), Block::Text(Text::new(words, Style::BODY))]))
}
