//! A column a month, to scale: where each stands. The statement sets them on paper, the console in an SVG.

/// What is drawn of a month.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Month {
    /// How high its column is.
    pub height: u64,
    /// What the height is held against: a line across the column.
    pub limit: Option<u64>,
}

/// How much room there is, in any unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Room {
    /// Of all columns.
    pub width: f32,
    /// Of the highest column.
    pub height: f32,
    /// Above it, for its figure.
    pub above: f32,
    /// The most of the width that a column takes: where there are few, they stand at the right.
    pub most: f32,
}

/// An area from its upper left corner; `y` counts from the top.
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(missing_docs, reason = "lengths in the unit of the room")]
pub struct Area {
    pub x: f32,
    pub y: f32,
    pub width: f32,
    pub height: f32,
}

/// Where a month stands.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Place {
    /// Where its slot begins.
    pub x: f32,
    /// How wide the slot is.
    pub slot: f32,
    /// Its column.
    pub column: Area,
    /// The line across it: height 0, `y` its middle.
    pub line: Option<Area>,
    /// The lower edge of its figure: above its column, and above its line where that is close.
    pub figure: f32,
}

/// Where each month stands.
#[must_use]
pub fn places(months: &[Month], room: Room) -> Vec<Place> {
    let Room { width, height, above, most } = room;
    let slot = slot(width, months.len()).min(most);
    let highest =
        months.iter().map(|month| month.height.max(month.limit.unwrap_or_default())).max();
    let top = |amount: u64| above + height * (1.0 - fraction(amount, highest.unwrap_or_default()));
    let mut x = width - slot * f32::from(u8::try_from(months.len()).unwrap_or(u8::MAX));
    let mut places = Vec::with_capacity(months.len());
    for month in months {
        let y = top(month.height);
        let line =
            |limit| Area { x: x + slot * 0.06, y: top(limit), width: slot * 0.88, height: 0.0 };
        // A figure is not struck through.
        let close = month.limit.map(&top).filter(|limit| (y - above..=y).contains(limit));
        places.push(Place {
            x,
            slot,
            column: Area { x: x + slot * 0.17, y, width: slot * 0.66, height: above + height - y },
            line: month.limit.map(line),
            figure: close.unwrap_or(y),
        });
        x += slot;
    }
    places
}

/// The width of one of so many columns; no chart has more than two months of days.
pub(super) fn slot(width: f32, columns: usize) -> f32 {
    width / f32::from(u8::try_from(columns).unwrap_or(u8::MAX)).max(1.0)
}

/// `part` of `whole`, 0 where there is nothing. For lengths on paper only.
#[expect(clippy::cast_precision_loss, reason = "a length on paper")]
pub(super) fn fraction(part: u64, whole: u64) -> f32 {
    if whole == 0 { 0.0 } else { part as f32 / whole as f32 }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOM: Room = Room { width: 120.0, height: 50.0, above: 10.0, most: 20.0 };

    #[test]
    fn columns_stand_at_the_right_and_to_scale() {
        let months = [
            Month { height: 0, limit: Some(100) },
            Month { height: 100, limit: Some(100) },
            Month { height: 200, limit: None },
        ];
        let places = places(&months, ROOM);
        let xs: Vec<f32> = places.iter().map(|place| place.x).collect();
        assert_eq!(xs, [60.0, 80.0, 100.0]);
        let heights: Vec<f32> = places.iter().map(|place| place.column.height).collect();
        assert_eq!(heights, [0.0, 25.0, 50.0]);
        let lines: Vec<Option<f32>> = places.iter().map(|place| place.line.map(|l| l.y)).collect();
        assert_eq!(lines, [Some(35.0), Some(35.0), None]);
        // The second one's line lies on its top.
        let figures: Vec<f32> = places.iter().map(|place| place.figure).collect();
        assert_eq!(figures, [60.0, 35.0, 10.0]);
    }

    #[test]
    fn nothing_is_as_high_as_nothing() {
        let nothing = [Month { height: 0, limit: None }];
        assert!(places(&nothing, ROOM)[0].column.height < f32::EPSILON);
        assert!(places(&[], ROOM).is_empty());
    }
}
