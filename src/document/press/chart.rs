//! Small charts: a bar in parts, growth against a line, a column a month.

use chrono::{Datelike, NaiveDate};

use super::font::Fonts;
use super::layout::{Area, Block, Column, Ink, Picture};
use super::text::{Align, Style, Text};
use fecha_core::price::money::grouped;

const BAR: f32 = 11.0;
/// The height of a chart, without its figures.
const HEIGHT: f32 = 54.0;
const FIGURE: Style = Style::regular(6.5, Ink::Muted);
/// The height of a line of figures.
const FIGURES: f32 = FIGURE.size * 1.42;

/// A part of a bar.
#[derive(Debug, Clone)]
pub(in crate::document) struct Share {
    pub(in crate::document) amount: u64,
    pub(in crate::document) ink: Ink,
    pub(in crate::document) legend: String,
}

/// A bar, its parts to scale and named below it.
pub(in crate::document) fn bar(parts: Vec<Share>) -> Block {
    let whole = parts.iter().map(|part| part.amount).sum();
    let filled = parts.iter().filter(|part| part.amount > 0);
    let segments = filled.map(|part| {
        let share = Column::Share(fraction(part.amount, whole));
        (share, Block::Fill { ink: part.ink, height: BAR })
    });
    let segments = segments.collect();
    let mut blocks = vec![Block::columns(0.0, segments), Block::Gap(5.0)];
    blocks.extend(parts.into_iter().map(named));
    Block::Stack(blocks)
}

fn named(part: Share) -> Block {
    let swatch = Area { x: 0.0, y: 2.6, width: 6.0, height: 6.0 };
    let swatch = Picture::fill(9.0, part.ink, vec![swatch]);
    let text = Block::Text(Text::new(part.legend, Style::NOTE));
    Block::columns(
        5.0,
        vec![(Column::Fixed(6.0), Block::Picture(swatch)), (Column::Share(1.0), text)],
    )
}

/// The contacts of each day and all days before it, as an area that is dark above `limit`, which is
/// drawn as a line where it is within reach; every fifth day is named below.
pub(in crate::document) fn growth(
    fonts: &Fonts,
    sums: &[(NaiveDate, u64)],
    limit: Limit<'_>,
    width: f32,
) -> Picture {
    let slot = slot(width, sums.len());
    let last = sums.last().map_or(0, |(_, sum)| *sum);
    let highest = if limit.is_in_reach(last) { last.max(limit.contacts) } else { last };
    let height = |contacts: u64| HEIGHT * fraction(contacts, highest);
    let column = |x: f32, from: u64, to: u64| Area {
        x,
        y: FIGURES + HEIGHT - height(to),
        // Neighbours overlap a little, or viewers show hairlines between them.
        width: slot + 0.1,
        height: height(to) - height(from),
    };

    let mut picture = Picture::default();
    let (mut within, mut above) = (Vec::new(), Vec::new());
    let mut x = 0.0;
    for (day, sum) in sums {
        within.push(column(x, 0, (*sum).min(limit.contacts)));
        if *sum > limit.contacts {
            above.push(column(x, limit.contacts, *sum));
        }
        if day.day() == 1 || day.day() % 5 == 0 {
            let below = FIGURES + HEIGHT + 2.5;
            picture.overlay(centred(fonts, day.day().to_string(), slot), x, below);
        }
        x += slot;
    }
    picture.overlay(Picture::fill(0.0, Ink::Accent, within), 0.0, 0.0);
    picture.overlay(Picture::fill(0.0, Ink::Strong, above), 0.0, 0.0);
    picture.overlay(baseline(width), 0.0, 0.0);
    if limit.is_in_reach(last) {
        let y = FIGURES + HEIGHT - height(limit.contacts);
        let line = Area { x: 0.0, y: y - 0.4, width, height: 0.8 };
        picture.overlay(Picture::fill(0.0, Ink::Strong, vec![line]), 0.0, 0.0);
        let name = Text::new(limit.name, FIGURE).set(fonts, width);
        picture.overlay(name, 0.0, y - FIGURES - 0.5);
    }
    picture
}

/// The contacts that a package includes, as a line across a chart.
#[derive(Debug, Clone, Copy)]
pub(in crate::document) struct Limit<'a> {
    pub(in crate::document) contacts: u64,
    pub(in crate::document) name: &'a str,
}

impl Limit<'_> {
    /// Whether the line can stand in a chart of this many contacts without making it flat.
    pub(in crate::document) fn is_in_reach(self, contacts: u64) -> bool {
        contacts.saturating_mul(5) >= self.contacts
    }
}

/// A column a month, its number above and its name below; the last month is the one that it is about.
pub(in crate::document) fn months(fonts: &Fonts, months: &[(String, u64)], width: f32) -> Picture {
    let slot = slot(width, months.len()).min(width / 6.0);
    let highest = months.iter().map(|(_, count)| *count).max().unwrap_or_default();
    let mut picture = Picture::default();
    let mut columns = Vec::new();
    let mut x = width - slot * f32::from(u8::try_from(months.len()).unwrap_or(u8::MAX));
    for (name, count) in months {
        let height = HEIGHT * fraction(*count, highest);
        let top = FIGURES + HEIGHT - height;
        columns.push(Area { x: x + slot * 0.17, y: top, width: slot * 0.66, height });
        let figure = Text::new(grouped(*count), FIGURE).align(Align::Center).within(1, 4.0);
        picture.overlay(figure.set(fonts, slot), x, top - FIGURES - 0.5);
        picture.overlay(centred(fonts, name.clone(), slot), x, FIGURES + HEIGHT + 2.5);
        x += slot;
    }
    let this = columns.split_off(columns.len().saturating_sub(1));
    picture.overlay(Picture::fill(0.0, Ink::Pale, columns), 0.0, 0.0);
    picture.overlay(Picture::fill(0.0, Ink::Accent, this), 0.0, 0.0);
    picture.overlay(baseline(width), 0.0, 0.0);
    picture
}

/// The width of one of so many columns; no chart has more than two months of days.
fn slot(width: f32, columns: usize) -> f32 {
    width / f32::from(u8::try_from(columns).unwrap_or(u8::MAX)).max(1.0)
}

fn baseline(width: f32) -> Picture {
    let line = Area { x: 0.0, y: FIGURES + HEIGHT, width, height: 0.6 };
    Picture::fill(0.0, Ink::Line, vec![line])
}

/// A figure under the middle of a slot; it may be wider than the slot.
fn centred(fonts: &Fonts, text: String, slot: f32) -> Picture {
    const ROOM: f32 = 40.0;
    let figure = Text::new(text, FIGURE).align(Align::Center).set(fonts, slot + ROOM);
    let mut picture = Picture::default();
    picture.overlay(figure, -ROOM / 2.0, 0.0);
    picture
}

/// `part` of `whole`, 0 where there is nothing. For lengths on paper only.
#[expect(clippy::cast_precision_loss, reason = "a length on paper")]
fn fraction(part: u64, whole: u64) -> f32 {
    if whole == 0 { 0.0 } else { part as f32 / whole as f32 }
}
