//! What was sent by category, as the prices name it: how much of it was free, and what the rest came to.

use super::letterhead::section;
use super::press::layout::{Block, Column, Ink};
use super::press::tags::Role;
use super::press::text::{Style, Text};
use fecha_core::bill::invoice::Invoice;
use fecha_core::count::sending::Kind;
use fecha_core::price::item::{Item, Share};
use fecha_core::price::messages::MessagePrice;
use fecha_core::price::money::{Money, grouped};

/// Messages that the prices treat alike.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Category {
    /// As the invoice names them.
    name: String,
    /// The categories behind the name.
    note: String,
    free: u64,
    charged: u64,
    amount: Money,
}

/// The table, its header apart so that it stands on each page; `None` where messages are not priced by
/// category.
pub(super) fn table(invoice: &Invoice) -> Option<(Block, Vec<Block>)> {
    let prices = invoice.prices.as_ref().filter(|prices| prices.is_by_category())?;
    let categories = categories(invoice, &prices.messages);
    let sum = |of: fn(&Category) -> u64| categories.iter().map(of).sum::<u64>();
    let total = Category {
        name: "Total".to_owned(),
        note: String::new(),
        free: sum(|of| of.free),
        charged: sum(|of| of.charged),
        amount: categories.iter().map(|of| of.amount).sum(),
    };
    let mut rows: Vec<Block> = categories.iter().map(|of| row(of, Style::BODY)).collect();
    rows.push(row(&total, Style::semi_bold(9.0, Ink::Strong)));
    Some((header(), rows))
}

/// By the names of the invoice's lines, in their order; then what has no price.
fn categories(invoice: &Invoice, entries: &[MessagePrice]) -> Vec<Category> {
    let mut all: Vec<(Kind, Category)> = Vec::new();
    let mut sessions = invoice.usage.sent - invoice.usage.hsm;
    for line in &invoice.lines {
        let (kind, name, share) = match &line.item {
            Item::Messages { line, kind, share } => (*kind, line.as_str(), *share),
            Item::Hsm => (Kind::Hsm, OTHER_HSM, Share::Charged { above: 0 }),
            Item::UnbilledHsm => (Kind::Hsm, OTHER_HSM, Share::Unbilled),
            Item::Package { .. }
            | Item::Overage
            | Item::Monthly { .. }
            | Item::Discount { .. }
            | Item::Adjustment { .. } => continue,
        };
        if kind == Kind::Session {
            sessions -= line.quantity.min(sessions);
        }
        let known = all.iter().position(|(of, category)| *of == kind && category.name == name);
        let at = known.unwrap_or_else(|| {
            let note = named(entries, kind, name);
            all.push((kind, Category { name: name.to_owned(), note, ..Category::default() }));
            all.len() - 1
        });
        let category = &mut all[at].1;
        match share {
            Share::Charged { .. } => category.charged += line.quantity,
            Share::Free | Share::Unbilled => category.free += line.quantity,
        }
        category.amount += line.amount;
    }
    let mut categories: Vec<Category> = all.into_iter().map(|(_, category)| category).collect();
    if sessions > 0 {
        let name = "Demais mensagens".to_owned();
        categories.push(Category { name, free: sessions, ..Category::default() });
    }
    categories
}

const OTHER_HSM: &str = "Demais mensagens de modelo (HSM)";

/// The categories that the entries of this name take.
fn named(entries: &[MessagePrice], kind: Kind, name: &str) -> String {
    let of_name = entries.iter().filter(|entry| entry.kind == kind && entry.line == name);
    let categories = of_name.flat_map(|entry| &entry.categories);
    categories.map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn columns(cells: [Block; 5]) -> Block {
    let widths = [
        Column::Share(1.0),
        Column::Fixed(62.0),
        Column::Fixed(62.0),
        Column::Fixed(62.0),
        Column::Fixed(76.0),
    ];
    Block::columns(8.0, widths.into_iter().zip(cells).collect())
}

fn header() -> Block {
    let title = |text: &str| Text::new(text, Style::LABEL).is(Role::HeaderCell);
    let figure = |text: &str| Block::Text(title(text).right());
    let row = Block::Stack(vec![
        columns([
            Block::Text(title("Categoria")),
            figure("Enviadas"),
            figure("Gratuitas"),
            figure("Cobradas"),
            figure("Valor"),
        ]),
        Block::Gap(3.0),
        Block::Rule(Ink::Line),
    ]);
    row.tagged(Role::Row)
}

fn row(of: &Category, style: Style) -> Block {
    let figure =
        |text: String| Block::Text(Text::new(text, style).right().within(1, 5.0).is(Role::Cell));
    let mut name = Text::new(of.name.as_str(), style);
    if !of.note.is_empty() {
        name = name.then(format!("({})", of.note), Style::NOTE);
    }
    let row = Block::Stack(vec![
        Block::Gap(1.5),
        columns([
            Block::Text(name.is(Role::RowHeaderCell)),
            figure(grouped(of.free + of.charged)),
            figure(grouped(of.free)),
            figure(grouped(of.charged)),
            figure(of.amount.brl()),
        ]),
        Block::Gap(1.5),
        Block::Rule(Ink::Line),
    ]);
    row.tagged(Role::Row)
}

/// Its heading.
pub(super) fn title() -> Block {
    section("Mensagens por categoria: enviadas, gratuitas, cobradas")
}
