//! Charts for a browser: inline SVG, coloured by the stylesheet of the page that it stands in.

use super::columns::{self, Area, Month, Place, Room};
use fecha_core::price::money::grouped;

const ROOM: Room = Room { width: 600.0, height: 130.0, above: 18.0, most: 84.0 };
/// Below the columns, for their names.
const BELOW: f32 = 18.0;

/// A column of the chart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// Stands below it.
    pub name: String,
    /// Contacts.
    pub contacts: u64,
    /// Contacts of the package.
    pub package: u64,
}

/// A column a month: its contacts, what of them is above the package, and a line at the package. `alt` says in
/// words what is seen. The classes are `used`, `over`, `rule`, `value`.
#[must_use]
pub fn months(months: &[Named], alt: &str) -> String {
    let given = months.iter();
    let given = given.map(|one| Month { height: one.contacts, limit: Some(one.package) });
    let places = columns::places(&given.collect::<Vec<_>>(), ROOM);
    let height = ROOM.above + ROOM.height + BELOW;
    let columns: String =
        months.iter().zip(&places).map(|(month, place)| column(month, place)).collect();
    let floor = ROOM.above + ROOM.height;
    format!(
        "<svg class=\"chart\" viewBox=\"0 0 {} {height}\" role=\"img\" aria-label=\"{}\">{columns}<path class=\"rule\" d=\"M0 {floor}H{}\"/></svg>",
        ROOM.width,
        escaped(alt),
        ROOM.width
    )
}

fn column(month: &Named, place: &Place) -> String {
    let Area { y, height, .. } = place.column;
    let limit = place.line.map_or(y, |line| line.y);
    // What is above the package stands above its line.
    let over = (limit - y).max(0.0);
    let part = |class: &str, y: f32, height: f32| {
        let Area { x, width, .. } = place.column;
        if height <= 0.0 {
            return String::new();
        }
        format!(
            "<path class=\"{class}\" d=\"M{x:.1} {y:.1}h{width:.1}v{height:.1}h-{width:.1}z\"/>"
        )
    };
    let line = place.line.map_or_else(String::new, |line| {
        format!("<path class=\"rule\" d=\"M{:.1} {:.1}h{:.1}\"/>", line.x, line.y, line.width)
    });
    let middle = place.x + place.slot / 2.0;
    let text = |class: &str, y: f32, words: &str| {
        format!("<text{class} x=\"{middle:.1}\" y=\"{y:.1}\">{}</text>", escaped(words))
    };
    let below = ROOM.above + ROOM.height + BELOW - 4.0;
    [
        part("over", y, over),
        part("used", y + over, height - over),
        line,
        text(" class=\"value\"", place.figure - 4.0, &grouped(month.contacts)),
        text("", below, &month.name),
    ]
    .concat()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_above_its_package_has_two_parts() {
        let named = |contacts| Named { name: "out/26".to_owned(), contacts, package: 5000 };
        let svg = months(&[named(10_000), named(0)], "Contatos \"<por mês>\"");
        assert_eq!(svg.matches("class=\"over\"").count(), 1);
        assert_eq!(svg.matches("class=\"used\"").count(), 1);
        assert!(svg.contains("v65.0"), "half is within the package: {svg}");
        assert!(svg.contains("aria-label=\"Contatos &quot;&lt;por mês>&quot;\""));
        assert!(svg.contains(">10.000</text>"));
        assert!(!svg.contains("style"), "the page's policy forbids it");
    }
}
