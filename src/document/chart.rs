//! Small charts: bars in parts, and a column a day.

use chrono::{Datelike, NaiveDate};

use super::font::{Fonts, Weight};
use super::layout::{Area, Block, Column, Ink, Picture};
use super::text::{Align, Style, Text};
use crate::billing::money::grouped;

const BAR: f32 = 11.0;
const COLUMNS: f32 = 64.0;
const FIGURE: Style = Style::regular(6.0, Ink::Muted);

/// A part of a bar.
#[derive(Debug, Clone)]
pub(super) struct Part {
    pub(super) amount: u64,
    pub(super) ink: Ink,
    pub(super) legend: String,
}

/// A bar, its parts to scale and named below it.
pub(super) fn bar(parts: Vec<Part>) -> Block {
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

fn named(part: Part) -> Block {
    let swatch = Area { x: 0.0, y: 2.6, width: 6.0, height: 6.0 };
    let swatch = Picture::fill(9.0, part.ink, vec![swatch]);
    let text = Block::Text(Text::new(part.legend, Style::NOTE));
    Block::columns(
        5.0,
        vec![(Column::Fixed(6.0), Block::Picture(swatch)), (Column::Share(1.0), text)],
    )
}

/// A column for each day, its number above it where all of them have room (else above the highest),
/// and every fifth day named below.
pub(super) fn by_day(fonts: &Fonts, days: &[(NaiveDate, u64)], width: f32) -> Picture {
    // At most two months.
    let slot = width / f32::from(u8::try_from(days.len()).unwrap_or(u8::MAX)).max(1.0);
    let highest = days.iter().map(|(_, count)| *count).max().unwrap_or_default();
    let face = fonts.face(Weight::Regular);
    let roomy = |count: u64| face.width(&grouped(count), FIGURE.size) <= slot - 1.0;
    let all_fit = days.iter().all(|(_, count)| roomy(*count));
    let peak = days.iter().position(|(_, count)| *count == highest);

    let mut picture = Picture::default();
    let mut columns = Vec::new();
    let mut x = 0.0;
    for (index, (day, count)) in days.iter().enumerate() {
        let height = COLUMNS * fraction(*count, highest);
        let top = FIGURE.size * 1.5 + COLUMNS - height;
        columns.push(Area { x: x + slot * 0.14, y: top, width: slot * 0.72, height });
        if *count > 0 && (all_fit || peak == Some(index)) {
            picture.overlay(centred(fonts, grouped(*count), slot), x, top - FIGURE.size * 1.5);
        }
        if day.day() == 1 || day.day() % 5 == 0 {
            let below = FIGURE.size * 1.5 + COLUMNS + 2.5;
            picture.overlay(centred(fonts, day.day().to_string(), slot), x, below);
        }
        x += slot;
    }
    let baseline = Area { x: 0.0, y: FIGURE.size * 1.5 + COLUMNS, width, height: 0.6 };
    picture.overlay(Picture::fill(0.0, Ink::Line, vec![baseline]), 0.0, 0.0);
    picture.overlay(Picture::fill(0.0, Ink::Accent, columns), 0.0, 0.0);
    picture
}

/// A figure over the middle of a slot; it may be wider than the slot.
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
