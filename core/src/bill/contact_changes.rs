//! How the contacts of a month differ from those that its invoice counted: evidence against evidence.

use std::ops::AddAssign;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::count::evidence::{ColumnPlaces, Evidence, EvidenceRow};

/// How the contacts of two evidence files differ, in contacts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactChanges {
    /// Only in the later one.
    pub new: u64,
    /// Only in the earlier one.
    pub gone: u64,
    /// In both, with messages that were not counted.
    pub more: u64,
    /// In both, without messages that were counted.
    pub fewer: u64,
    /// In both, with the same messages of other categories, or billed otherwise.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub recategorised: u64,
    /// When the first counted messages of those gone or fewer were sent.
    #[serde(skip)]
    pub lost: Option<Lost>,
}

/// The first counted messages of contacts that lost messages: the earliest and the latest of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lost {
    /// The earliest.
    pub from: DateTime<Utc>,
    /// The latest.
    pub to: DateTime<Utc>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl AddAssign for ContactChanges {
    fn add_assign(&mut self, other: Self) {
        self.new += other.new;
        self.gone += other.gone;
        self.more += other.more;
        self.fewer += other.fewer;
        self.recategorised += other.recategorised;
        self.lost = match (self.lost, other.lost) {
            (Some(a), Some(b)) => Some(Lost { from: a.from.min(b.from), to: a.to.max(b.to) }),
            (a, b) => a.or(b),
        };
    }
}

impl ContactChanges {
    /// Compares two evidence files of one key, both in the order of ids.
    #[must_use]
    pub fn between(before: &Evidence<'_>, now: &Evidence<'_>) -> Self {
        let mut contacts = Self::default();
        let columns = before.shared_columns(now);
        let (mut before, mut now) = (before.rows.iter().peekable(), now.rows.iter().peekable());
        loop {
            match (before.peek(), now.peek()) {
                (None, None) => return contacts,
                (Some(b), Some(n)) if b.id == n.id => {
                    contacts.compare(b, n, columns.as_deref());
                    before.next();
                    now.next();
                }
                (Some(b), n) if n.is_none_or(|n| b.id < n.id) => {
                    contacts.gone += 1;
                    contacts.lose(b);
                    before.next();
                }
                _ => {
                    contacts.new += 1;
                    now.next();
                }
            }
        }
    }

    /// Templates apart from other messages: one that turned into the other is gone, and new.
    /// `columns` are the places of the columns by category, where both have any.
    fn compare(
        &mut self,
        before: &EvidenceRow<'_>,
        now: &EvidenceRow<'_>,
        columns: Option<&[ColumnPlaces]>,
    ) {
        let counts = |entry: &EvidenceRow<'_>| {
            [entry.received, entry.sent.saturating_sub(entry.hsm), entry.hsm]
        };
        let pairs = || counts(before).into_iter().zip(counts(now));
        // Equal counts with another first message: one is gone and another came in its place.
        let replaced = !before.is_same_use(now) && counts(before) == counts(now);
        let more = pairs().any(|(before, now)| now > before) || now.first_at < before.first_at;
        let fewer = pairs().any(|(before, now)| now < before) || now.first_at > before.first_at;
        self.more += u64::from(more || replaced);
        if fewer || replaced {
            self.fewer += 1;
            self.lose(before);
        }
        // Where messages only came, none of a category goes.
        let has_fewer = |places: &ColumnPlaces| before.of(places.before) > now.of(places.now);
        let recategorised = columns.is_some_and(|columns| columns.iter().any(has_fewer));
        self.recategorised += u64::from(recategorised && !fewer && !replaced);
    }

    /// Keeps when the contact wrote first. An entry without an instant is none that fecha wrote: it then
    /// counts as lost since ever and for ever, which nothing explains.
    fn lose(&mut self, entry: &EvidenceRow<'_>) {
        let at = entry.first_at.parse().ok();
        let (from, to) =
            (at.unwrap_or(DateTime::<Utc>::MIN_UTC), at.unwrap_or(DateTime::<Utc>::MAX_UTC));
        *self += Self { lost: Some(Lost { from, to }), ..Self::default() };
    }

    /// Whether nothing differs.
    #[must_use]
    pub fn agree(&self) -> bool {
        *self == Self::default()
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn file<'a>(rows: impl Into<Vec<EvidenceRow<'a>>>) -> Evidence<'a> {
        Evidence { columns: Vec::new(), rows: rows.into() }
    }

    fn entry(
        id: &'static str,
        first_at: &'static str,
        [received, sent, hsm]: [u64; 3],
    ) -> EvidenceRow<'static> {
        EvidenceRow {
            id,
            contact: "+55 48 9••••-0820",
            first_at,
            first_direction: "in",
            received,
            sent,
            hsm,
            by_category: "",
        }
    }

    const FIRST: &str = "2026-10-01T00:00:00.000Z";
    const LATER: &str = "2026-10-02T00:00:00.000Z";

    #[rstest]
    #[case(LATER, [2, 3, 1], (0, 0))] // the same
    #[case(LATER, [3, 3, 1], (1, 0))] // one more in
    #[case(LATER, [2, 4, 2], (1, 0))] // one more HSM
    #[case(LATER, [2, 2, 1], (0, 1))] // one less out
    #[case(LATER, [2, 3, 2], (1, 1))] // a message became a template
    #[case(LATER, [1, 4, 1], (1, 1))]
    #[case(FIRST, [3, 3, 1], (1, 0))] // the new one is the first
    #[case("2026-10-03T00:00:00.000Z", [1, 3, 1], (0, 1))] // the first one is gone
    #[case("2026-10-03T00:00:00.000Z", [2, 3, 1], (1, 1))] // … and another came instead
    #[case(FIRST, [2, 3, 1], (1, 1))]
    fn a_contact_has_more_or_fewer_messages(
        #[case] first_at: &'static str,
        #[case] counts: [u64; 3],
        #[case] expected: (u64, u64),
    ) {
        let before = [entry("b", LATER, [2, 3, 1])];
        let found = ContactChanges::between(&file(before), &file([entry("b", first_at, counts)]));
        assert_eq!((found.more, found.fewer), expected);
        assert_eq!((found.new, found.gone), (0, 0));
        assert_eq!(found.agree(), expected == (0, 0));
    }

    #[test]
    fn contacts_come_and_go() {
        let of = |ids: &'static str| -> Vec<EvidenceRow<'static>> {
            ids.split_terminator(' ').map(|id| entry(id, FIRST, [1, 0, 0])).collect()
        };
        let between = |before, now| {
            let found = ContactChanges::between(&file(of(before)), &file(of(now)));
            (found.new, found.gone)
        };
        assert_eq!(between("a b c", "a b c"), (0, 0));
        assert_eq!(between("a b c", "b d e f"), (3, 2));
        assert_eq!(between("", "a b"), (2, 0));
        assert_eq!(between("a b", ""), (0, 2));
        assert_eq!(between("c", "a b d"), (3, 1));
    }

    /// What a contact got of marketing and utility, and whether that is another category, or only more.
    #[rstest]
    #[case("2,1", [2, 3, 3], "2,1", [2, 3, 3], (0, 0, 0))]
    #[case("2,1", [2, 3, 3], "1,2", [2, 3, 3], (0, 0, 1))] // one of another category
    #[case("2,1", [2, 3, 3], "2,2", [2, 4, 4], (1, 0, 0))] // one more
    #[case("2,1", [2, 3, 3], "1,3", [2, 4, 4], (1, 0, 1))] // one more, and one of another category
    #[case("2,1", [2, 3, 3], "2,0", [2, 2, 2], (0, 1, 0))] // one is gone
    fn messages_of_other_categories_are_told(
        #[case] before: &'static str,
        #[case] counts: [u64; 3],
        #[case] now: &'static str,
        #[case] counts_now: [u64; 3],
        #[case] expected: (u64, u64, u64),
    ) {
        let of = |by_category, counts| Evidence {
            columns: vec!["hsm:marketing", "hsm:utility"],
            rows: vec![EvidenceRow { by_category, ..entry("a", FIRST, counts) }],
        };
        let found = ContactChanges::between(&of(before, counts), &of(now, counts_now));
        assert_eq!((found.more, found.fewer, found.recategorised), expected);
        // Evidence of prices that did not ask knows nothing of it.
        let without = file([entry("a", FIRST, counts)]);
        let found = ContactChanges::between(&without, &of(now, counts));
        assert_eq!((found.recategorised, found.agree()), (0, true));
    }
}
