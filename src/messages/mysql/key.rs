//! Where in a table the messages of a month lie.
//!
//! A table is kept in the order of its primary key, and an index on `sent_at` leads to a row by a search
//! for that key, which costs six times what it costs to read on to the next row. Where messages were
//! numbered as they were sent, the month is a range of numbers, and is read as one.

use sqlx::Row as _;
use sqlx::mysql::MySqlRow;

use crate::messages::ALIAS;

/// What a search for a row costs, in rows that are read one after the other (docs/scaling.md).
const SEARCH: i128 = 6;

/// The whole number by which a table is kept in order: the first column of its primary key.
pub(super) struct Key {
    /// As it is written in SQL.
    column: String,
}

/// A range of keys, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Range {
    first: i128,
    last: i128,
}

/// Some messages, and where they lie.
pub(super) struct Found {
    /// By window.
    pub(super) messages: Vec<u64>,
    /// `None` where there are none, or the table has no such key.
    pub(super) range: Option<Range>,
}

impl Key {
    /// Asks for the name of the key's column. Parameters: the schema or null, and twice the table; no row
    /// where that is no table, has no such key, or does not let us read it.
    pub(super) const QUERY: &'static str = "SELECT c.COLUMN_NAME
         FROM information_schema.STATISTICS AS s
         JOIN information_schema.COLUMNS AS c
           ON c.TABLE_SCHEMA = s.TABLE_SCHEMA AND c.TABLE_NAME = s.TABLE_NAME AND c.COLUMN_NAME = s.COLUMN_NAME
         WHERE s.TABLE_SCHEMA = COALESCE(?, DATABASE()) AND s.TABLE_NAME = ? AND BINARY s.TABLE_NAME = ?
           AND s.INDEX_NAME = 'PRIMARY' AND s.SEQ_IN_INDEX = 1
           AND c.DATA_TYPE IN ('tinyint', 'smallint', 'mediumint', 'int', 'bigint')
           AND FIND_IN_SET('select', c.PRIVILEGES)";

    pub(super) fn new(column: &str) -> Self {
        Self { column: format!("{ALIAS}.`{}`", column.replace('`', "``")) }
    }

    /// The last two columns for [`Found::in_row`].
    pub(super) fn extremes(&self) -> String {
        let column = &self.column;
        // As text: the numbers may be signed or not.
        format!("CAST(MIN({column}) AS CHAR), CAST(MAX({column}) AS CHAR)")
    }

    /// The part of the relation that has the range, read from one end to the other; to be put behind
    /// `FROM`, `AND` to follow.
    pub(super) fn only(&self, range: Range, relation: &str) -> String {
        let (column, Range { first, last }) = (&self.column, range);
        format!("{relation} FORCE INDEX (PRIMARY) WHERE {column} BETWEEN {first} AND {last}")
    }
}

impl Range {
    /// Whether reading all of it costs less than a search for each of so many messages in it.
    pub(super) fn is_dense(self, messages: u64) -> bool {
        (self.last - self.first) / SEARCH <= i128::from(messages)
    }
}

impl Found {
    /// From a row of so many counts and [`Key::extremes`].
    pub(super) fn in_row(row: &MySqlRow, windows: usize) -> Result<Self, sqlx::Error> {
        let number = |column: usize| -> Result<Option<i128>, sqlx::Error> {
            let text: Option<String> = row.try_get(column)?;
            text.map(|text| text.parse()).transpose().map_err(|error| sqlx::Error::ColumnDecode {
                index: column.to_string(),
                source: Box::new(error),
            })
        };
        let extremes = number(windows)?.zip(number(windows + 1)?);
        let count = |window| row.try_get::<i64, _>(window).map(i64::unsigned_abs);
        Ok(Self {
            messages: (0..windows).map(count).collect::<Result<_, _>>()?,
            range: extremes.map(|(first, last)| Range { first, last }),
        })
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(1, 100, 100, true)]
    #[case(1, 600, 100, true)] // others lie between, or numbers were left out
    #[case(1, 1_000, 100, false)]
    #[case(-9_223_372_036_854_775_808, 18_446_744_073_709_551_615, u64::MAX, true)]
    fn a_range_is_read_as_one_where_it_is_dense(
        #[case] first: i128,
        #[case] last: i128,
        #[case] messages: u64,
        #[case] is_dense: bool,
    ) {
        assert_eq!(Range { first, last }.is_dense(messages), is_dense);
    }

    #[test]
    fn a_column_may_have_any_name() {
        let key = Key::new("n`o");
        assert_eq!(
            key.only(Range { first: -1, last: 7 }, "`message` AS fecha_messages"),
            "`message` AS fecha_messages FORCE INDEX (PRIMARY) WHERE fecha_messages.`n``o` BETWEEN -1 AND 7"
        );
    }
}
