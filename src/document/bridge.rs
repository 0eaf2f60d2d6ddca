//! Why the total is another one than last month's, and whether the package is the right one.

use super::comparison;
use super::letterhead::section;
use super::press::font::Fonts;
use super::press::layout::{Block, Column, Ink};
use super::press::tags::Role;
use super::press::text::{Style, Text};
use fecha_core::bill::bridge::{Bridge, Step};
use fecha_core::bill::invoice::Invoice;
use fecha_core::price::item;
use fecha_core::price::money::{Money, grouped};

const GAP: f32 = 22.0;
const CHART: f32 = 190.0;

/// The way from last month's total to this one's, with so much white `around` a line, and beside it the totals
/// of six months.
pub(super) fn why(fonts: &Fonts, invoice: &Invoice, around: f32) -> Block {
    let mut left = match Bridge::of(invoice) {
        Some(bridge) => way(invoice, &bridge, around),
        None => vec![
            section("Primeira fatura"),
            Block::Text(Text::new(
                "A comparação com o mês anterior começa na próxima.",
                Style::NOTE,
            )),
        ],
    };
    if let Some(verdict) = comparison::verdict(invoice) {
        left.push(Block::Gap(5.0));
        left.push(Block::Text(Text::new(verdict, Style::NOTE)));
    }
    let columns = vec![
        (Column::Share(1.0), Block::Stack(left)),
        (Column::Fixed(CHART), comparison::totals(fonts, invoice, CHART)),
    ];
    Block::columns(GAP, columns)
}

fn way(invoice: &Invoice, bridge: &Bridge, around: f32) -> Vec<Block> {
    let from = comparison::name(bridge.from);
    let change = bridge.change();
    let title = match change.centavos() {
        0 => format!("O mesmo total que em {from}"),
        1.. => format!("Por que mudou: {} a mais que em {from}", change.brl()),
        _ => format!("Por que mudou: {} a menos que em {from}", (-change).brl()),
    };
    let mut rows = vec![row(capital(&from), bridge.before.brl(), Style::BODY)];
    if let Some(steps) = &bridge.steps {
        rows.extend(
            steps.iter().map(|step| row(step_in_words(step), signed(step.change), Style::BODY)),
        );
    }
    let now = capital(&comparison::name(invoice.month));
    rows.push(row(now, bridge.now.brl(), Style::semi_bold(9.0, Ink::Strong)));
    let last = rows.len() - 1;
    let rules = rows.into_iter().enumerate().map(|(index, row)| {
        let rule = if index == last { Block::Gap(0.0) } else { Block::Rule(Ink::Line) };
        Block::Stack(vec![Block::Gap(around), row, Block::Gap(around), rule]).tagged(Role::Row)
    });
    [section(&title)].into_iter().chain(rules).collect()
}

fn row(what: String, amount: String, style: Style) -> Block {
    let style = Style { size: 8.5, ..style };
    let what = Text::new(what, style).is(Role::RowHeaderCell);
    let amount = Text::new(amount, style).right().within(1, 5.0).is(Role::Cell);
    let cells =
        vec![(Column::Share(1.0), Block::Text(what)), (Column::Fixed(84.0), Block::Text(amount))];
    Block::columns(8.0, cells)
}

/// `Contatos acima do pacote: 0 → 123`, and that the price changed, where it did.
fn step_in_words(step: &Step) -> String {
    let what = match step.column {
        item::Column::Package => "Pacote",
        item::Column::Overage => "Contatos acima do pacote",
        item::Column::Hsm => "Mensagens de modelo",
        item::Column::Adjustments => "Créditos e cobranças",
    };
    let counts = step
        .counts
        .filter(|(then, now)| then != now)
        .map(|(then, now)| format!(": {}\u{a0}→\u{a0}{}", grouped(then), grouped(now)));
    let counts = counts.unwrap_or_default();
    let price = match (step.is_repriced, counts.is_empty()) {
        (false, _) => "",
        (true, true) => ": preço novo",
        (true, false) => ", preço novo",
    };
    format!("{what}{counts}{price}")
}

/// `+ R$ 35,67`, `− R$ 35,67`.
fn signed(change: Money) -> String {
    if change < Money::ZERO {
        format!("−\u{a0}{}", (-change).brl())
    } else {
        format!("+\u{a0}{}", change.brl())
    }
}

/// `Outubro` of `outubro`.
fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
