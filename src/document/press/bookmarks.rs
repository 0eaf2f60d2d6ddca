//! The viewer's list of contents.

use super::content::Bookmark;
use super::file::{File, Id, text_string};

/// The objects of the list, its root first; none where there are no bookmarks.
pub(in crate::document) fn objects(
    file: &mut File,
    bookmarks: &[Bookmark],
    pages: &[Id],
) -> Vec<(Id, String)> {
    if bookmarks.is_empty() {
        return Vec::new();
    }
    let root = file.reserve();
    let ids: Vec<Id> = bookmarks.iter().map(|_| file.reserve()).collect();
    let (first, last) = (ids[0].reference(), ids[ids.len() - 1].reference());
    let count = ids.len();
    let mut objects =
        vec![(root, format!("<</Type/Outlines/First {first}/Last {last}/Count {count}>>"))];
    for (place, Bookmark { title, page, top }) in bookmarks.iter().enumerate() {
        let neighbour = |name: &str, place: Option<usize>| {
            let id = place.and_then(|place| ids.get(place));
            id.map_or_else(String::new, |id| format!("/{name} {}", id.reference()))
        };
        let (before, after) =
            (neighbour("Prev", place.checked_sub(1)), neighbour("Next", Some(place + 1)));
        let (title, root) = (text_string(title), root.reference());
        let (page, top) = (pages[*page].reference(), top.ceil());
        let item = format!(
            "<</Title{title}/Parent {root}{before}{after}/Dest[{page}/XYZ null {top} null]>>"
        );
        objects.push((ids[place], item));
    }
    objects
}
