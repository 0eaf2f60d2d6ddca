//! One connection: what it asks of the file.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, Row};

use super::range::{Extent, Part, Range, name_of_rowid};
use super::{BUSY_TIMEOUT_OF_OTHERS, Sqlite, said};
use crate::messages::columns::{self, Optional, TEXT_COLUMNS, Texts};
use crate::messages::{ALIAS, AliasRelation, Checked, Pass, SourceError};
use fecha_core::calendar::month::Period;
use fecha_core::count::aliases::Aliases;
use fecha_core::count::misdated::Misdated;
use fecha_core::count::tally::instant;

const EXPECTED: &str = "INTEGER, Unix milliseconds, in every row: convert it in a parenthesised SELECT in [messages] relation; for ISO 8601 text: CAST(strftime('%s', sent_at) AS INTEGER) * 1000 AS sent_at";

/// A read transaction; it ends with its connection.
pub(super) struct Snapshot {
    connection: Connection,
    sqlite: Sqlite,
    /// What stands behind `FROM`.
    relation: String,
}

impl Snapshot {
    /// Not yet begun.
    pub(super) fn new(connection: Connection, sqlite: &Sqlite) -> Self {
        Self { connection, relation: sqlite.relation.sql('"'), sqlite: sqlite.clone() }
    }

    /// From here on, the messages are seen as they are now: the first read, not `BEGIN`, fixes that.
    pub(super) fn begin(&self) -> rusqlite::Result<()> {
        self.connection.execute_batch("BEGIN; SELECT 1 FROM sqlite_schema LIMIT 1")
    }

    /// A number that is another one whenever anybody else has committed since this connection last
    /// asked; within a snapshot, since it began.
    pub(super) fn version(&self) -> rusqlite::Result<i64> {
        self.connection.query_row("PRAGMA data_version", (), |row| row.get(0))
    }

    /// Ends it, if it has begun.
    pub(super) fn end(&self) {
        // Without a transaction there is nothing to end, which SQLite calls an error.
        let _ = self.connection.execute_batch("ROLLBACK");
    }

    /// Waits for writers no longer than for a moment.
    pub(super) fn hurry(&self) -> rusqlite::Result<()> {
        self.connection.busy_timeout(BUSY_TIMEOUT_OF_OTHERS)
    }

    /// Whether an index leads to the messages of the span, so that none but those are looked at.
    pub(super) fn is_led_to(&self, span: Option<Period>) -> Result<bool, SourceError> {
        let Some(span) = span else { return Ok(false) };
        let sql = format!("EXPLAIN QUERY PLAN {}", self.messages_of(Optional::default(), span));
        let mut plan = self.connection.prepare(&sql).map_err(|error| self.sqlite.error(&error))?;
        let steps = plan.query_map((), |row| row.get::<_, String>("detail"));
        let steps = steps.and_then(Iterator::collect::<Result<Vec<_>, _>>);
        let steps = steps.map_err(|error| self.sqlite.error(&error))?;
        Ok(!steps.iter().any(|step| step.starts_with("SCAN")))
    }

    pub(super) fn check(&self) -> Result<Checked, SourceError> {
        Ok(Checked {
            engine: format!("SQLite {}", rusqlite::version()),
            database: self.sqlite.place.database.clone(),
            relation: self.sqlite.place.relation.clone(),
            sent_at: "INTEGER".to_owned(),
            advice: self.advice()?,
        })
    }

    /// Without a write-ahead log whoever reads keeps writers out, for as long as a count takes.
    fn advice(&self) -> Result<Option<String>, SourceError> {
        let mode: String = self.one("PRAGMA journal_mode")?;
        Ok((mode != "wal").then(|| {
            format!(
                "journal mode {mode}: as long as fecha counts, nobody can write messages. PRAGMA journal_mode = WAL, said once to this database by its owner, lets both work"
            )
        }))
    }

    pub(super) fn refuse_missing_columns(&self) -> Result<(), SourceError> {
        let mut columns = Vec::new();
        for column in TEXT_COLUMNS.into_iter().chain(["sent_at"]) {
            // Unquoted: SQLite takes a quoted name that it does not know for a string.
            match self.connection.prepare(&format!("SELECT {column} FROM {}", self.relation)) {
                Ok(_) => {}
                Err(error) if said(&error) == format!("no such column: {column}") => {
                    columns.push(column);
                }
                Err(error) => return Err(self.sqlite.error(&error)),
            }
        }
        if columns.is_empty() {
            return Ok(());
        }
        Err(SourceError::MissingColumns { place: self.sqlite.place.clone(), columns })
    }

    /// Any value may lie in any column. Nulls sort before all integers, texts and blobs after them:
    /// they would fall out of every month in silence. (A real that is not whole lies in a month: it
    /// is refused there.)
    pub(super) fn refuse_what_is_no_time(&self) -> Result<(), SourceError> {
        self.sqlite.place.refuse_nulls(self.messages_where("sent_at IS NULL")?)?;
        let texts = self.messages_where("sent_at >= ''")?;
        if texts == 0 {
            return Ok(());
        }
        let found = self.one(&format!(
            "SELECT typeof(sent_at) || ' in {texts} row(s), such as ' || quote(sent_at) FROM {} WHERE sent_at >= '' LIMIT 1",
            self.relation
        ))?;
        Err(self.wrong_type(found))
    }

    fn wrong_type(&self, found: String) -> SourceError {
        SourceError::WrongType { place: self.sqlite.place.clone(), found, expected: EXPECTED }
    }

    /// Has SQLite count the messages of the slice by window, and say where they lie.
    pub(super) fn measure(&self, slice: Period, windows: &[Period]) -> Result<Extent, SourceError> {
        let rowid = self.rowid()?;
        let extremes = rowid.map_or("NULL, NULL".to_owned(), |rowid| {
            format!("MIN({ALIAS}.{rowid}), MAX({ALIAS}.{rowid})")
        });
        let mut extent = Extent::default();
        for window in windows {
            let Some(part) = window.shared_with(slice) else {
                extent.add(0, None);
                continue;
            };
            let sql = format!(
                "SELECT COUNT(*), {extremes} FROM {} WHERE {}",
                self.relation,
                lies_in(part)
            );
            let row = |row: &Row<'_>| Ok((row.get::<_, i64>(0)?, row.get(1)?, row.get(2)?));
            let found = self.connection.query_row(&sql, (), row);
            let (messages, first, last): (i64, Option<i64>, Option<i64>) =
                found.map_err(|error| self.sqlite.error(&error))?;
            let range = first.zip(last).map(|(first, last)| Range { first, last });
            extent.add(messages.unsigned_abs(), range);
        }
        Ok(extent)
    }

    /// What the rowid is called, if the relation is a table that is kept in its order.
    fn rowid(&self) -> Result<Option<&'static str>, SourceError> {
        let Some((schema, table)) = self.sqlite.relation.table() else { return Ok(None) };
        let schema = schema.unwrap_or("main");
        let names = || -> rusqlite::Result<Option<&'static str>> {
            let is_kept_so = "SELECT COUNT(*) FROM pragma_table_list
                 WHERE schema = ?1 COLLATE NOCASE AND name = ?2 COLLATE NOCASE AND type = 'table' AND NOT wr";
            let tables: i64 =
                self.connection.query_row(is_kept_so, (schema, table), |row| row.get(0))?;
            let sql = "SELECT name FROM pragma_table_xinfo(?1, ?2)";
            let mut query = self.connection.prepare(sql)?;
            let columns = query.query_map((table, schema), |row| row.get(0))?;
            let columns = columns.collect::<Result<Vec<String>, _>>()?;
            Ok(name_of_rowid(&columns).filter(|_| tables == 1))
        };
        names().map_err(|error| self.sqlite.error(&error))
    }

    /// Which of the optional columns the relation has.
    pub(super) fn optional(&self) -> Result<Optional, SourceError> {
        let sql = format!("SELECT * FROM {} LIMIT 0", self.relation);
        let query = self.connection.prepare(&sql).map_err(|error| self.sqlite.error(&error))?;
        let names: Vec<String> = query.column_names().iter().map(ToString::to_string).collect();
        Ok(Optional::among(&names))
    }

    /// Whose numbers user ids and LIDs are.
    pub(super) fn aliases(&self, aliases: Option<&AliasRelation>) -> Result<Aliases, SourceError> {
        let mut known = Aliases::default();
        let Some(AliasRelation { relation, rules }) = aliases else { return Ok(known) };
        let relation = relation.sql('"');
        let place = self.sqlite.place.of_aliases(&relation);
        let in_aliases = |error: rusqlite::Error| {
            Sqlite { place: place.clone(), ..self.sqlite.clone() }.error(&error)
        };
        let sql = format!("SELECT alias, contact FROM {relation}");
        let mut query = self.connection.prepare(&sql).map_err(in_aliases)?;
        let mut rows = query.query(()).map_err(in_aliases)?;
        while let Some(row) = rows.next().map_err(in_aliases)? {
            let [alias, contact, ..] = texts(row, &[0, 1]).map_err(in_aliases)?;
            if let Some((alias, contact)) = alias.zip(contact) {
                known.add(&alias, &contact, *rules);
            }
        }
        Ok(known)
    }

    /// How many messages of the whole relation lie where none can.
    pub(super) fn misdated(&self, now: DateTime<Utc>) -> Result<Misdated, SourceError> {
        let early = Misdated::EARLIEST.timestamp_millis();
        let late = Misdated::tomorrow_ends(now).timestamp_millis();
        let sql = format!(
            "SELECT COUNT(*) FILTER (WHERE sent_at < {early}), COUNT(*) FILTER (WHERE sent_at >= {late}) FROM {} WHERE sent_at < {early} OR sent_at >= {late}",
            self.relation
        );
        let counts = |row: &Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?));
        let (early, late) = self
            .connection
            .query_row(&sql, (), counts)
            .map_err(|error| self.sqlite.error(&error))?;
        Ok(Misdated { early: early.unsigned_abs(), late: late.unsigned_abs() })
    }

    /// When the newest message was sent, those after `now` left out.
    pub(super) fn newest(&self, now: DateTime<Utc>) -> Result<Option<DateTime<Utc>>, SourceError> {
        self.extreme("MAX", &format!("sent_at <= {}", now.timestamp_millis()))
    }

    /// What of the span lies in a range of rowids, read from one end to the other.
    fn messages_in(
        &self,
        columns: Optional,
        range: Range,
        span: Period,
    ) -> Result<String, SourceError> {
        let (columns, Range { first, last }) = (columns.list(), range);
        let rowid = self.rowid()?.unwrap_or("rowid");
        Ok(format!(
            "SELECT {columns}, sent_at FROM {} NOT INDEXED
             WHERE {ALIAS}.{rowid} BETWEEN {first} AND {last} AND {}",
            self.relation,
            lies_in(span)
        ))
    }

    fn messages_of(&self, columns: Optional, span: Period) -> String {
        let columns = columns.list();
        format!("SELECT {columns}, sent_at FROM {} WHERE {}", self.relation, lies_in(span))
    }

    /// Counts the messages of a part.
    pub(super) fn stream(&self, part: Part, pass: &mut Pass) -> Result<(), SourceError> {
        let in_file = |error| self.sqlite.error(&error);
        let sql = match part {
            Part::Slice(slice) => self.messages_of(pass.columns, slice),
            Part::Rows(range, span) => self.messages_in(pass.columns, range, span)?,
        };
        let places = pass.columns.places();
        let mut statement = self.connection.prepare(&sql).map_err(in_file)?;
        let mut rows = statement.query(()).map_err(in_file)?;
        while let Some(row) = rows.next().map_err(in_file)? {
            let texts = texts(row, &places).map_err(in_file)?;
            let sent_at = match row.get_ref(places.len()).map_err(in_file)? {
                ValueRef::Integer(millis) => millis,
                other => return Err(self.wrong_type(format!("{other:?}"))),
            };
            let texts = texts.each_ref().map(Option::as_deref);
            pass.add(&columns::message(&texts, sent_at), 1);
        }
        Ok(())
    }

    fn messages_where(&self, condition: &str) -> Result<u64, SourceError> {
        let sql = format!("SELECT COUNT(*) FROM {} WHERE {condition}", self.relation);
        self.one::<i64>(&sql).map(i64::unsigned_abs)
    }

    /// The first or last `sent_at` of those that meet a condition.
    fn extreme(
        &self,
        aggregate: &str,
        condition: &str,
    ) -> Result<Option<DateTime<Utc>>, SourceError> {
        let sql = format!("SELECT {aggregate}(sent_at) FROM {} WHERE {condition}", self.relation);
        match self.one::<Value>(&sql)? {
            Value::Null => Ok(None),
            Value::Integer(millis) => Ok(Some(instant(millis))),
            other => Err(self.wrong_type(format!("{other:?}"))),
        }
    }

    fn one<T: rusqlite::types::FromSql>(&self, sql: &str) -> Result<T, SourceError> {
        let value = self.connection.query_row(sql, (), |row| row.get(0));
        value.map_err(|error| self.sqlite.error(&error))
    }
}

fn texts<'r>(row: &'r Row<'_>, places: &[usize]) -> Result<Texts<Cow<'r, [u8]>>, rusqlite::Error> {
    let mut texts: Texts<Cow<'_, [u8]>> = [const { None }; _];
    for (index, place) in places.iter().enumerate() {
        texts[*place] = match row.get_ref(index)? {
            ValueRef::Null => None,
            ValueRef::Text(bytes) | ValueRef::Blob(bytes) => Some(Cow::Borrowed(bytes)),
            // A number in a column of text is what its digits spell.
            ValueRef::Integer(number) => Some(Cow::Owned(number.to_string().into_bytes())),
            ValueRef::Real(number) => Some(Cow::Owned(format!("{number:?}").into_bytes())),
        };
    }
    Ok(texts)
}

fn lies_in(period: Period) -> String {
    let (start, end) = (period.start.timestamp_millis(), period.end.timestamp_millis());
    format!("sent_at >= {start} AND sent_at < {end}")
}
