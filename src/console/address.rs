//! Addresses of this console's pages, with what was asked.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

/// What stands as it is in a part of an address.
const PART: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// A text as a part of a path, or of a query.
#[must_use]
pub fn part(text: &str) -> String {
    utf8_percent_encode(text, PART).to_string()
}

/// A dealership's id as a part of a path. What browsers take for a folder above (`.`, `..`), and what is a page of
/// its own among the dealerships (`import`), has a `~` in front; so has what begins with one.
#[must_use]
pub fn dealership_part(id: &str) -> String {
    let is_taken = matches!(id, "import" | "." | "..") || id.starts_with('~');
    format!("{}{}", if is_taken { "~" } else { "" }, part(id))
}

/// The page of a dealership.
#[must_use]
pub fn dealership(id: &str) -> String {
    format!("/dealerships/{}", dealership_part(id))
}

/// The id of the dealership that a part of a path names.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub struct Whose(pub String);

impl From<String> for Whose {
    fn from(part: String) -> Self {
        Self(part.strip_prefix('~').map_or_else(|| part.clone(), str::to_owned))
    }
}

/// A path with those of these that are not empty.
#[must_use]
pub fn with(path: &str, asked: &[(&str, &str)]) -> String {
    let asked = asked.iter().filter(|(_, value)| !value.is_empty());
    let asked: Vec<String> = asked.map(|(key, value)| format!("{key}={}", part(value))).collect();
    if asked.is_empty() { path.to_owned() } else { format!("{path}?{}", asked.join("&")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_typed_stays_one_value() {
        assert_eq!(
            with("/invoices", &[("q", "são & co"), ("after", "")]),
            "/invoices?q=s%C3%A3o%20%26%20co"
        );
        assert_eq!(with("/invoices", &[]), "/invoices");
        assert_eq!(part("a/b?c#d"), "a%2Fb%3Fc%23d");
    }

    #[test]
    fn every_dealership_has_an_address() {
        for (id, address) in [
            ("d1", "d1"),
            ("são/1", "s%C3%A3o%2F1"),
            ("import", "~import"),
            ("Import", "Import"),
            ("..", "~.."),
            ("~import", "~~import"),
            ("~", "~~"),
        ] {
            assert_eq!(dealership(id), format!("/dealerships/{address}"));
            let read = percent_encoding::percent_decode_str(address).decode_utf8().unwrap();
            assert_eq!(Whose::from(read.into_owned()).0, id);
        }
    }
}
