//! Where in a table the messages of a month lie.
//!
//! A table is kept in the order of its rowid, and an index on `sent_at` leads to a row by a search for that
//! number, which costs more than to read on to the next row. Where messages were added as they were sent,
//! the month is a range of rowids, and is read as one.

use fecha_core::calendar::month::Period;

/// Names of the rowid; a column that is called so hides it.
const NAMES: [&str; 3] = ["rowid", "_rowid_", "oid"];

/// What a search for a row costs, in rows that are read one after the other: five quarters.
const SEARCH: [i128; 2] = [5, 4];

/// A range of rowids, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Range {
    pub(super) first: i64,
    pub(super) last: i64,
}

/// What a slice of the span has, before it is read.
#[derive(Debug, Default)]
pub(super) struct Extent {
    /// How many messages, by window.
    pub(super) plain: Vec<u64>,
    /// `None` where there are none, or the relation has no rowids.
    pub(super) range: Option<Range>,
}

/// What one connection reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// What an index leads to.
    Slice(Period),
    /// What of the span lies in a range of the table.
    Rows(Range, Period),
}

/// The name by which the rowid is to be had beside these columns.
pub(super) fn name_of_rowid(columns: &[String]) -> Option<&'static str> {
    NAMES.into_iter().find(|name| !columns.iter().any(|column| column.eq_ignore_ascii_case(name)))
}

impl Range {
    fn joined(one: Option<Self>, other: Option<Self>) -> Option<Self> {
        let (Some(a), Some(b)) = (one, other) else { return one.or(other) };
        Some(Self { first: a.first.min(b.first), last: a.last.max(b.last) })
    }

    /// Whether reading all of it costs less than a search for each of so many messages in it.
    fn is_dense(self, messages: u64) -> bool {
        let rows = i128::from(self.last) - i128::from(self.first);
        rows * SEARCH[1] <= i128::from(messages) * SEARCH[0]
    }

    /// Cut into so many of the same length.
    fn cut(self, count: usize) -> Vec<Self> {
        let (first, last) = (i128::from(self.first), i128::from(self.last));
        let count = i128::try_from(count).unwrap_or(1).max(1);
        let start = |index: i128| first + (last + 1 - first) * index / count;
        let within = |number: i128| i64::try_from(number).unwrap_or(i64::MAX);
        (0..count)
            .map(|index| Self { first: within(start(index)), last: within(start(index + 1) - 1) })
            .collect()
    }
}

/// What each of the connections reads that have measured these slices of the span.
pub(super) fn parts(span: Period, slices: &[Period], extents: &[Extent]) -> Vec<Part> {
    let range = extents.iter().map(|extent| extent.range).fold(None, Range::joined);
    let most = extents.iter().map(|extent| extent.plain.iter().max().copied().unwrap_or_default());
    match range {
        Some(range) if range.is_dense(most.sum()) => {
            range.cut(slices.len()).into_iter().map(|range| Part::Rows(range, span)).collect()
        }
        _ => slices.iter().copied().map(Part::Slice).collect(),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(1, 100, 100, true)]
    #[case(1, 125, 100, true)]
    #[case(1, 200, 100, false)]
    #[case(i64::MIN, i64::MAX, u64::MAX, true)]
    #[case(i64::MIN, i64::MAX, 1000, false)]
    fn a_range_is_read_as_one_where_it_is_dense(
        #[case] first: i64,
        #[case] last: i64,
        #[case] messages: u64,
        #[case] is_dense: bool,
    ) {
        assert_eq!(Range { first, last }.is_dense(messages), is_dense);
    }

    #[rstest]
    #[case(1, 10)]
    #[case(-3, 3)]
    #[case(5, 5)]
    #[case(i64::MIN, i64::MAX)]
    fn cuts_are_the_whole_without_gap_or_overlap(#[case] first: i64, #[case] last: i64) {
        let range = Range { first, last };
        for count in 1..=5 {
            let cuts = range.cut(count);
            assert_eq!((cuts[0].first, cuts[count - 1].last), (first, last));
            let next = |pair: &[Range]| i128::from(pair[0].last) + 1 == i128::from(pair[1].first);
            assert!(cuts.windows(2).all(next), "{cuts:?}");
        }
    }

    #[test]
    fn a_column_may_hide_the_rowid() {
        let columns = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(name_of_rowid(&columns(&["contact"])), Some("rowid"));
        assert_eq!(name_of_rowid(&columns(&["RowId", "contact"])), Some("_rowid_"));
        assert_eq!(name_of_rowid(&columns(&["rowid", "_rowid_", "OID"])), None);
    }
}
