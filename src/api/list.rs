//! Lists, a page at a time: from the oldest to the newest, each behind the key of the last row before.

use std::fmt::Display;

use axum::Json;
use axum::http::{HeaderMap, HeaderValue, Uri, header};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};

use super::PATH;

/// A page of JSON rows, and where the next one is.
pub type Rows<T> = (HeaderMap, Json<Vec<T>>);

/// So many rows at most.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "u16")]
pub struct Limit(usize);

impl Default for Limit {
    fn default() -> Self {
        Self(50)
    }
}

impl TryFrom<u16> for Limit {
    type Error = String;

    fn try_from(rows: u16) -> Result<Self, String> {
        match rows {
            1..=200 => Ok(Self(usize::from(rows))),
            _ => Err(format!("limit is 1 to 200, not {rows}")),
        }
    }
}

impl Limit {
    /// As a number.
    #[must_use]
    pub fn rows(self) -> usize {
        self.0
    }
}

const PART: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// A page of rows; `next` is the key of the last of them, where there are more.
pub fn rows<T: Serialize>(rows: Vec<T>, uri: &Uri, next: Option<impl Display>) -> Rows<T> {
    let mut headers = HeaderMap::new();
    if let Some(next) = next.and_then(|key| HeaderValue::try_from(link(uri, &key)).ok()) {
        headers.insert(header::LINK, next);
    }
    (headers, Json(rows))
}

/// The same question, behind a key (RFC 8288).
fn link(uri: &Uri, key: &impl Display) -> String {
    let asked = uri.query().unwrap_or_default().split('&');
    let others = asked.filter(|one| !one.is_empty() && !one.starts_with("after="));
    let key = key.to_string();
    let after = format!("after={}", utf8_percent_encode(&key, PART));
    let asked: Vec<&str> = others.chain([after.as_str()]).collect();
    format!("<{PATH}{}?{}>; rel=\"next\"", uri.path(), asked.join("&"))
}

/// The rows behind a key, of a list that is short enough to be read whole; with the key of the last, where there
/// are more.
pub fn behind<T, K: Ord + Clone>(
    mut all: Vec<T>,
    after: Option<&K>,
    limit: Limit,
    key: impl Fn(&T) -> K,
) -> (Vec<T>, Option<K>) {
    all.sort_by_key(|row| key(row));
    let mut rows: Vec<T> =
        all.into_iter().skip_while(|row| after.is_some_and(|after| key(row) <= *after)).collect();
    let is_more = rows.len() > limit.rows();
    rows.truncate(limit.rows());
    let next = rows.last().filter(|_| is_more).map(key);
    (rows, next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_asks_the_same_behind_the_last_row() {
        let uri: Uri = "/dealerships?limit=2&after=x%26".parse().unwrap();
        assert_eq!(
            link(&uri, &"são & co"),
            "</api/v1/dealerships?limit=2&after=s%C3%A3o%20%26%20co>; rel=\"next\""
        );
    }

    #[test]
    fn rows_that_come_meanwhile_move_none_to_another_page() {
        let page = |all: &[u32], after: Option<u32>| {
            behind(all.to_vec(), after.as_ref(), Limit(2), |row| *row)
        };
        assert_eq!(page(&[3, 1, 5], None), (vec![1, 3], Some(3)));
        assert_eq!(page(&[3, 1, 5, 2], Some(3)), (vec![5], None));
        assert_eq!(page(&[], None), (vec![], None));
    }
}
