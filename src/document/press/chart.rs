//! Small charts: a bar in parts, growth against a line, a column a month.

use chrono::{Datelike, NaiveDate};

use super::font::Fonts;
use super::layout::{Area, Block, Column, Ink, Picture};
use super::text::{Align, Style, Text};
use crate::document::columns::{self, Place, Room, fraction, slot};
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
/// drawn as a line; every fifth day is named below, and the last sum is said.
pub(in crate::document) fn growth(
    fonts: &Fonts,
    sums: &[(NaiveDate, u64)],
    limit: Limit<'_>,
    width: f32,
) -> Picture {
    let slot = slot(width, sums.len());
    let last = sums.last().map_or(0, |(_, sum)| *sum);
    let highest = last.max(limit.contacts);
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
    let y = FIGURES + HEIGHT - height(limit.contacts);
    picture.overlay(Picture::fill(0.0, Ink::Strong, vec![line(0.0, y, width)]), 0.0, 0.0);
    // At the left, where there is little yet; where the line is low, above what grows over it.
    let named_at = if limit.contacts.saturating_mul(3) < last { 0.0 } else { y - FIGURES - 0.5 };
    picture.overlay(Text::new(limit.name, FIGURE).set(fonts, width), 0.0, named_at);
    let sum = Text::new(grouped(last), Style { ink: Ink::Strong, ..FIGURE }).right();
    picture.overlay(sum.set(fonts, width), 0.0, FIGURES + HEIGHT - height(last) - FIGURES - 0.5);
    picture
}

/// The contacts that a package includes, as a line across a chart.
#[derive(Debug, Clone, Copy)]
pub(in crate::document) struct Limit<'a> {
    pub(in crate::document) contacts: u64,
    pub(in crate::document) name: &'a str,
}

/// A month of a chart.
#[derive(Debug, Clone)]
pub(in crate::document) struct Month {
    /// Stands below the column.
    pub(in crate::document) name: String,
    /// Stands above it.
    pub(in crate::document) figure: String,
    pub(in crate::document) height: u64,
    /// What the height is held against: a line across the column.
    pub(in crate::document) limit: Option<u64>,
}

/// A column a month, its figure above and its name below; the last month is the one that it is about.
pub(in crate::document) fn months(fonts: &Fonts, months: &[Month], width: f32) -> Picture {
    let room = Room { width, height: HEIGHT, above: FIGURES, most: width / 6.0 };
    let given = months
        .iter()
        .map(|Month { height, limit, .. }| columns::Month { height: *height, limit: *limit });
    let places = columns::places(&given.collect::<Vec<_>>(), room);
    let mut picture = Picture::default();
    let (mut columns, mut lines) = (Vec::new(), Vec::new());
    for (index, (month, place)) in months.iter().zip(places).enumerate() {
        let Place { x, slot, column, line: across, figure: edge } = place;
        let columns::Area { x: left, y, width, height } = column;
        columns.push(Area { x: left, y, width, height });
        lines.extend(across.map(|across| line(across.x, across.y, across.width)));
        let is_last = index + 1 == months.len();
        let style = if is_last { Style::semi_bold(FIGURE.size, Ink::Strong) } else { FIGURE };
        let figure = Text::new(month.figure.clone(), style).align(Align::Center).within(1, 4.0);
        picture.overlay(figure.set(fonts, slot), x, edge - FIGURES - 0.5);
        picture.overlay(centred(fonts, month.name.clone(), slot), x, FIGURES + HEIGHT + 2.5);
    }
    let this = columns.split_off(columns.len().saturating_sub(1));
    picture.overlay(Picture::fill(0.0, Ink::Pale, columns), 0.0, 0.0);
    picture.overlay(Picture::fill(0.0, Ink::Accent, this), 0.0, 0.0);
    picture.overlay(Picture::fill(0.0, Ink::Strong, lines), 0.0, 0.0);
    picture.overlay(baseline(width), 0.0, 0.0);
    picture
}

/// A line across a chart, its middle at `y`.
fn line(x: f32, y: f32, width: f32) -> Area {
    Area { x, y: y - 0.4, width, height: 0.8 }
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
