//! Why the total is another one than last month's, and whether the package is the right one.

use super::comparison;
use super::letterhead::section;
use super::press::font::Fonts;
use super::press::layout::{Block, Column, Ink};
use super::press::tags::Role;
use super::press::text::{Style, Text};
use fecha_core::bill::bridge::Bridge;
use fecha_core::bill::invoice::Invoice;
use fecha_core::price::money::Money;

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
    let from = bridge.from.name();
    let title = if bridge.change() == Money::ZERO {
        capital(&bridge.in_portuguese())
    } else {
        format!("Por que mudou: {}", bridge.in_portuguese())
    };
    let mut rows = vec![row(capital(from), bridge.before.brl(), Style::BODY)];
    if let Some(steps) = &bridge.steps {
        rows.extend(steps.iter().map(|step| row(step.in_portuguese(), step.signed(), Style::BODY)));
    }
    let now = capital(invoice.month.name());
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

/// `Outubro` of `outubro`.
fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
