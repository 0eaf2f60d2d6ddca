//! One connection: what it asks of the file.

use std::borrow::Cow;

use chrono::{DateTime, NaiveDateTime, Utc};
use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, Row};

use super::range::{Extent, Part, Range, name_of_rowid};
use super::{BUSY_TIMEOUT_OF_OTHERS, Sqlite, said};
use crate::messages::columns::{self, Optional, TEXT_COLUMNS, Texts};
use crate::messages::sent_at::Times;
use crate::messages::{ALIAS, AliasRelation, Checked, Pass, SentAt, SourceError};
use fecha_core::calendar::month::Period;
use fecha_core::count::aliases::Aliases;
use fecha_core::count::misdated::Misdated;
use fecha_core::database::Scheme;

/// What is to stand in every row.
fn expected(sent_at: SentAt) -> &'static str {
    match sent_at {
        SentAt::Instant => {
            "INTEGER, Unix milliseconds, in every row: for seconds write [messages] sent_at_unit = \"s\", for local times such as 2026-10-31 23:59:59 sent_at_zone = \"America/Sao_Paulo\" (or whichever zone it was written in). Or convert it in a parenthesised SELECT in [messages] relation; for ISO 8601 text: CAST(strftime('%s', sent_at) AS INTEGER) * 1000 AS sent_at"
        }
        SentAt::Seconds | SentAt::Millis => {
            "INTEGER in every row where [messages] sent_at_unit is set: convert it in a parenthesised SELECT in [messages] relation"
        }
        SentAt::Local(_) => {
            "a text YYYY-MM-DD HH:MM:SS, a blank between day and hour, in every row where [messages] sent_at_zone is set: convert it in a parenthesised SELECT in [messages] relation, or leave sent_at_zone out for whole numbers"
        }
    }
}

/// A read transaction; it ends with its connection.
pub(super) struct Snapshot {
    connection: Connection,
    sqlite: Sqlite,
    /// What stands behind `FROM`.
    relation: String,
    sent_at: SentAt,
}

impl Snapshot {
    /// Not yet begun.
    pub(super) fn new(connection: Connection, sqlite: &Sqlite, sent_at: SentAt) -> Self {
        let relation = sqlite.relation.sql('"');
        Self { connection, relation, sqlite: sqlite.clone(), sent_at }
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
            sent_at: if matches!(self.sent_at, SentAt::Local(_)) { "TEXT" } else { "INTEGER" }
                .to_owned(),
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

    /// Any value may lie in any column. Nulls sort before all integers, these before texts, and texts
    /// before blobs: they would fall out of every month in silence. (A real that is not whole lies in a
    /// month: it is refused there.) What cannot be the time of a message is counted in the same go, since
    /// there may be no index that leads to either.
    pub(super) fn misdated(&self, now: DateTime<Utc>) -> Result<Misdated, SourceError> {
        let [other, early, late] = self.odd(now);
        let sql = format!(
            "SELECT COUNT(*) FILTER (WHERE sent_at IS NULL), COUNT(*) FILTER (WHERE sent_at IS NULL AND direction = 'in'), COUNT(*) FILTER (WHERE {other}), COUNT(*) FILTER (WHERE {early}), COUNT(*) FILTER (WHERE {late}) FROM {} WHERE sent_at IS NULL OR {other} OR {early} OR {late}",
            self.relation
        );
        let count = |row: &Row<'_>, index| row.get::<_, i64>(index).map(i64::unsigned_abs);
        let counts = |row: &Row<'_>| (0..5).map(|index| count(row, index)).collect();
        let counts: rusqlite::Result<Vec<u64>> = self.connection.query_row(&sql, (), counts);
        let counts = counts.map_err(|error| self.sqlite.error(&error))?;
        let [nulls, incoming, others, early, late] = counts[..] else {
            return Ok(Misdated::default());
        };
        self.sqlite.place.refuse_nulls([nulls, incoming])?;
        self.refuse_others(&other, others)?;
        Ok(Misdated { early, late })
    }

    /// The same without what needs to know the time.
    pub(super) fn refuse_what_is_no_time(&self) -> Result<(), SourceError> {
        let [other, ..] = self.odd(DateTime::UNIX_EPOCH);
        let nulls = self.messages_where("sent_at IS NULL")?;
        let incoming = self.messages_where("sent_at IS NULL AND direction = 'in'")?;
        self.sqlite.place.refuse_nulls([nulls, incoming])?;
        self.refuse_others(&other, self.messages_where(&other)?)
    }

    fn refuse_others(&self, condition: &str, others: u64) -> Result<(), SourceError> {
        if others == 0 {
            return Ok(());
        }
        let found = self.one(&format!(
            "SELECT typeof(sent_at) || ' in {others} row(s), such as ' || quote(sent_at) FROM {} WHERE {condition} LIMIT 1",
            self.relation
        ))?;
        Err(self.wrong_type(found))
    }

    /// Conditions of what is of another type, too early or too late.
    fn odd(&self, now: DateTime<Utc>) -> [String; 3] {
        let bound = |instant| self.sent_at.bound(instant, Scheme::Sqlite);
        let (early, late) = (bound(Misdated::EARLIEST), bound(Misdated::tomorrow_ends(now)));
        let (early, late) = (format!("sent_at < {early}"), format!("sent_at >= {late}"));
        if matches!(self.sent_at, SentAt::Local(_)) {
            let other = "(sent_at < '' OR sent_at >= x'')";
            return [
                other.to_owned(),
                format!("(sent_at >= '' AND {early})"),
                format!("({late} AND sent_at < x'')"),
            ];
        }
        ["sent_at >= ''".to_owned(), early, format!("({late} AND sent_at < '')")]
    }

    fn wrong_type(&self, found: String) -> SourceError {
        let (place, expected) = (self.sqlite.place.clone(), expected(self.sent_at));
        SourceError::WrongType { place, found, expected }
    }

    fn lies_in(&self, period: Period) -> String {
        self.sent_at.lies_in(period, Scheme::Sqlite)
    }

    /// A value of `sent_at` in Unix milliseconds.
    fn time(&self, value: ValueRef<'_>, times: &mut Times) -> Result<i64, SourceError> {
        let read = match (self.sent_at, value) {
            (SentAt::Local(_), ValueRef::Text(text)) => wall(text),
            // Whole milliseconds: to the microseconds that other engines give.
            (SentAt::Instant, ValueRef::Integer(millis)) => Some(millis.saturating_mul(1000)),
            (SentAt::Seconds | SentAt::Millis, ValueRef::Integer(number)) => Some(number),
            _ => None,
        };
        let other = || match value {
            ValueRef::Text(text) => format!("'{}'", String::from_utf8_lossy(text)),
            other => format!("{other:?}"),
        };
        read.map(|value| times.millis(value)).ok_or_else(|| self.wrong_type(other()))
    }

    /// Has SQLite count the messages of the slice by window, and say where they lie.
    pub(super) fn measure(&self, slice: Period, windows: &[Period]) -> Result<Extent, SourceError> {
        let rowid = self.rowid()?;
        let extremes = rowid.map_or("NULL, NULL".to_owned(), |rowid| {
            format!("MIN({ALIAS}.{rowid}), MAX({ALIAS}.{rowid})")
        });
        let count = |window: &Period| match window.shared_with(slice) {
            Some(part) if part == slice => "COUNT(*)".to_owned(),
            Some(part) => format!("COUNT(*) FILTER (WHERE {})", self.lies_in(part)),
            None => "0".to_owned(),
        };
        let counts: Vec<String> = windows.iter().map(count).collect();
        let sql = format!(
            "SELECT {extremes}, {} FROM {} WHERE {}",
            counts.join(", "),
            self.relation,
            self.lies_in(slice)
        );
        let extent = |row: &Row<'_>| {
            let (first, last): (Option<i64>, Option<i64>) = (row.get(0)?, row.get(1)?);
            let count = |index| row.get::<_, i64>(2 + index).map(i64::unsigned_abs);
            let plain = (0..windows.len()).map(count).collect::<Result<_, _>>()?;
            let range = first.zip(last).map(|(first, last)| Range { first, last });
            Ok(Extent { plain, range })
        };
        self.connection.query_row(&sql, (), extent).map_err(|error| self.sqlite.error(&error))
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

    /// The newest message of the first of these spans that has one.
    pub(super) fn newest(&self, spans: &[Period]) -> Result<Option<DateTime<Utc>>, SourceError> {
        for span in spans {
            let within = self.lies_in(*span);
            let sql = format!("SELECT MAX(sent_at) FROM {} WHERE {within}", self.relation);
            let value: Value = self.one(&sql)?;
            if value != Value::Null {
                let millis = self.time((&value).into(), &mut self.sent_at.times())?;
                return Ok(DateTime::from_timestamp_millis(millis));
            }
        }
        Ok(None)
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
            self.lies_in(span)
        ))
    }

    fn messages_of(&self, columns: Optional, span: Period) -> String {
        let columns = columns.list();
        format!("SELECT {columns}, sent_at FROM {} WHERE {}", self.relation, self.lies_in(span))
    }

    /// Counts the messages of a part.
    pub(super) fn stream(&self, part: Part, pass: &mut Pass) -> Result<(), SourceError> {
        let in_file = |error| self.sqlite.error(&error);
        let sql = match part {
            Part::Slice(slice) => self.messages_of(pass.columns, slice),
            Part::Rows(range, span) => self.messages_in(pass.columns, range, span)?,
        };
        let places = pass.columns.places();
        let mut times = self.sent_at.times();
        let mut statement = self.connection.prepare(&sql).map_err(in_file)?;
        let mut rows = statement.query(()).map_err(in_file)?;
        while let Some(row) = rows.next().map_err(in_file)? {
            let texts = texts(row, &places).map_err(in_file)?;
            let sent_at = row.get_ref(places.len()).map_err(in_file)?;
            let sent_at = self.time(sent_at, &mut times)?;
            let texts = texts.each_ref().map(Option::as_deref);
            pass.add(&columns::message(&texts, sent_at), 1);
        }
        Ok(())
    }

    fn messages_where(&self, condition: &str) -> Result<u64, SourceError> {
        let sql = format!("SELECT COUNT(*) FROM {} WHERE {condition}", self.relation);
        self.one::<i64>(&sql).map(i64::unsigned_abs)
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

/// Microseconds of a local time such as `2026-10-31 23:59:59.5`.
fn wall(text: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(text).ok()?;
    let wall = NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f").ok()?;
    Some(wall.and_utc().timestamp_micros())
}
