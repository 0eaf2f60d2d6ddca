//! One connection: what it asks the server, and how the server's errors are said.
//!
//! Plain SQL by the simple protocol: no prepared statement, no session setting that outlives the
//! transaction, so that a connection pooler in between does no harm.

use chrono::{DateTime, Utc};
use futures::TryStreamExt as _;
use sqlx::postgres::{PgConnection, PgRow};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Row as _};

use super::Postgres;
use super::answer::{DENIED, NO_SUCH_COLUMN, code, kind_of};
use super::copy::{CopyReader, Malformed};
use crate::messages::columns::{OPTIONAL_COLUMNS, Optional, TEXT_COLUMNS};
use crate::messages::error::from_server;
use crate::messages::{
    ANSWER_WITHIN, AliasRelation, CONNECT_WITHIN, Checked, Pass, ROWS_A_CLOCK, ReadSlice, SentAt,
    SourceError, within,
};
use fecha_core::calendar::month::Period;
use fecha_core::count::aliases::Aliases;
use fecha_core::count::misdated::Misdated;
use fecha_core::count::tally::Message;
use fecha_core::database::Scheme;

/// A type that no column of a relation of messages has.
const ABSENT: &str = "pg_lsn";

/// One connection within the snapshot.
pub(super) struct PostgresSession {
    connection: PgConnection,
    postgres: Postgres,
    /// In the order of [`TEXT_COLUMNS`], [`OPTIONAL_COLUMNS`] (none where it is not there), then `sent_at`.
    types: Vec<String>,
    sent_at: SentAt,
}

/// The types that `sent_at` may have, and what to do about another.
fn expected(sent_at: SentAt) -> (&'static [&'static str], &'static str) {
    match sent_at {
        SentAt::Instant => (
            &["timestamp with time zone"],
            "timestamptz: without a zone nobody knows to which month a message belongs. Say what it is, and its index serves: for a timestamp [messages] sent_at_zone = \"UTC\" (or whichever zone it was written in), for whole numbers sent_at_unit = \"s\" or \"ms\". Or convert it in a parenthesised SELECT in [messages] relation: sent_at AT TIME ZONE 'UTC' AS sent_at; for Unix milliseconds: to_timestamp(sent_at / 1000.0) AS sent_at",
        ),
        SentAt::Seconds | SentAt::Millis => (
            &["bigint", "integer", "numeric"],
            "a whole number where [messages] sent_at_unit is set: leave that out for a timestamptz, and write sent_at_zone for a timestamp",
        ),
        SentAt::Local(_) => (
            &["timestamp without time zone"],
            "a timestamp without time zone where [messages] sent_at_zone is set: leave that out for a timestamptz, which is an instant, and write sent_at_unit for whole numbers",
        ),
    }
}

impl PostgresSession {
    /// Connects, opens the snapshot, and makes sure that relation, columns and types are right.
    pub(super) async fn begin(postgres: &Postgres, sent_at: SentAt) -> Result<Self, SourceError> {
        let mut session = Self::connect(postgres, Vec::new(), sent_at).await?;
        session.run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
        session.prepare().await?;
        session.learn_types().await?;
        Ok(session)
    }

    /// One more connection in the snapshot of `first`.
    pub(super) async fn join(first: &Self, snapshot: &str) -> Result<Self, SourceError> {
        let types = first.types.clone();
        let mut session = Self::connect(&first.postgres, types, first.sent_at).await?;
        session.run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
        session.run(&format!("SET TRANSACTION SNAPSHOT '{snapshot}'")).await?;
        session.prepare().await?;
        Ok(session)
    }

    async fn connect(
        postgres: &Postgres,
        types: Vec<String>,
        sent_at: SentAt,
    ) -> Result<Self, SourceError> {
        let connection = within(CONNECT_WITHIN, postgres.options.connect())
            .await
            .map_err(|error| from_server(&postgres.place, "connecting to", &error, kind_of))?;
        Ok(Self { connection, postgres: postgres.clone(), types, sent_at })
    }

    async fn prepare(&mut self) -> Result<(), SourceError> {
        self.run("SET LOCAL statement_timeout = 0").await?;
        // Without it a backslash could hide the end of a text in the relation.
        self.run("SET LOCAL standard_conforming_strings = on").await?;
        // Where a policy would leave rows out, the server then says so instead.
        self.run("SET LOCAL row_security = off").await?;
        // Who locks the whole table keeps a count waiting no longer than this.
        self.run("SET LOCAL lock_timeout = '60s'").await?;
        if self.one::<String>("SHOW server_encoding").await? == "SQL_ASCII" {
            // Such a database holds any bytes: have them as they are, not refused as no UTF-8.
            self.run("SET LOCAL client_encoding = 'SQL_ASCII'").await?;
        }
        Ok(())
    }

    /// The name by which other connections may join the snapshot, as long as this one is open.
    pub(super) async fn share_snapshot(&mut self) -> Result<String, SourceError> {
        self.one("SELECT pg_export_snapshot()").await
    }

    pub(super) async fn check(mut self) -> Result<Checked, SourceError> {
        self.refuse_nulls().await?;
        let version: String = self.one("SELECT version()").await?;
        // "PostgreSQL 15.14 (Debian …) on x86_64-…, compiled by …"
        let engine = version.split([' ', ',']).take(2).collect::<Vec<_>>().join(" ");
        let checked = Checked {
            engine,
            database: self.postgres.place.database.clone(),
            relation: self.postgres.place.relation.clone(),
            sent_at: self.types.last().cloned().unwrap_or_default(),
            advice: None,
        };
        self.close().await;
        Ok(checked)
    }

    async fn learn_types(&mut self) -> Result<(), SourceError> {
        self.run("SAVEPOINT fecha").await?;
        let mut found = self.types_of(&OPTIONAL_COLUMNS).await;
        if found.as_ref().is_err_and(|error| code(error).as_deref() == Some(DENIED)) {
            // A login may be allowed no more than the columns that every relation has.
            let readable = self.readable().await?;
            found = self.types_of(&readable).await;
        }
        self.types = match found {
            Ok(types) => types,
            Err(error) if code(&error).as_deref() == Some(NO_SUCH_COLUMN) => {
                return Err(self.missing_columns().await?);
            }
            Err(error) => return Err(self.error(&error)),
        };
        // Within a savepoint no snapshot can be shared.
        self.run("RELEASE SAVEPOINT fecha").await?;
        let (known, expected) = expected(self.sent_at);
        match self.types.last() {
            Some(found) if !known.contains(&found.as_str()) => Err(SourceError::WrongType {
                place: self.postgres.place.clone(),
                found: found.clone(),
                expected,
            }),
            _ => Ok(()),
        }
    }

    /// The types of all columns, where no more of the optional ones than these are asked for.
    async fn types_of(&mut self, optional: &[&str]) -> Result<Vec<String>, sqlx::Error> {
        let type_of = |column: &&str| {
            format!("pg_typeof((SELECT {column} FROM {} LIMIT 0))::text", self.postgres.relation)
        };
        let type_if_there = |column: &&str| {
            if optional.contains(column) { type_of(column) } else { format!("'{ABSENT}'") }
        };
        let types: Vec<String> = TEXT_COLUMNS
            .iter()
            .map(type_of)
            .chain(OPTIONAL_COLUMNS.iter().map(type_if_there))
            .chain([type_of(&"sent_at")])
            .collect();
        // A column that the relation lacks is then that of the query around it.
        let absent = OPTIONAL_COLUMNS.map(|column| format!("NULL::{ABSENT} AS {column}"));
        let sql = format!(
            "SELECT {} FROM (SELECT {}) AS fecha_absent",
            types.join(", "),
            absent.join(", ")
        );
        let row = self.row(&sql).await?;
        (0..types.len()).map(|index| row.try_get(index)).collect()
    }

    /// The optional columns that the relation has and this login may read.
    async fn readable(&mut self) -> Result<Vec<&'static str>, SourceError> {
        let mut readable = Vec::new();
        for column in OPTIONAL_COLUMNS {
            self.run("ROLLBACK TO SAVEPOINT fecha").await?;
            let sql = format!("SELECT {column} FROM {} LIMIT 0", self.postgres.relation);
            match self.execute(&sql).await {
                Ok(()) => readable.push(column),
                Err(error) if matches!(code(&error).as_deref(), Some(DENIED | NO_SUCH_COLUMN)) => {}
                Err(error) => return Err(self.error(&error)),
            }
        }
        self.run("ROLLBACK TO SAVEPOINT fecha").await?;
        Ok(readable)
    }

    /// Asks for the columns one by one: PostgreSQL names only the first that it misses.
    async fn missing_columns(&mut self) -> Result<SourceError, SourceError> {
        self.run("ROLLBACK").await?;
        let mut missing = Vec::new();
        for column in columns() {
            let sql = format!("SELECT {column} FROM {} LIMIT 0", self.postgres.relation);
            match self.execute(&sql).await {
                Ok(()) => {}
                Err(error) if code(&error).as_deref() == Some(NO_SUCH_COLUMN) => {
                    missing.push(column);
                }
                Err(error) => return Err(self.error(&error)),
            }
        }
        Ok(SourceError::MissingColumns { place: self.postgres.place.clone(), columns: missing })
    }

    async fn refuse_nulls(&mut self) -> Result<(), SourceError> {
        let sql = format!(
            "SELECT COUNT(*), COUNT(*) FILTER (WHERE direction::text = 'in') FROM {} WHERE sent_at IS NULL",
            self.postgres.relation
        );
        let counts = self.counts(&sql, 2).await?;
        self.postgres.place.refuse_nulls([counts[0], counts[1]])
    }

    /// Whether the rows lie on other servers, which can group them.
    pub(super) async fn is_distributed(&mut self, span: Period) -> Result<bool, SourceError> {
        let sql = format!(
            "EXPLAIN (COSTS OFF) SELECT dealership_id FROM {} WHERE {}",
            self.postgres.relation,
            self.lies_in(span)
        );
        let query = sqlx::raw_sql(AssertSqlSafe(sql)).fetch_all(&mut self.connection);
        let plan = within(ANSWER_WITHIN, query).await.map_err(|error| self.error(&error))?;
        Ok(plan
            .iter()
            .filter_map(|line| line.try_get::<String, _>(0).ok())
            .any(|line| line.contains("Foreign Scan on") || line.contains("Custom Scan (Citus")))
    }

    /// Counts the messages of the slice, and has the server count them by window.
    pub(super) async fn read(
        mut self,
        slice: Period,
        mut pass: Pass,
    ) -> Result<ReadSlice, SourceError> {
        let sql = format!(
            "SELECT {}, {} FROM {} WHERE {}",
            self.texts(pass.columns),
            self.sent_at_column(),
            self.postgres.relation,
            self.lies_in(slice)
        );
        self.copy(&sql, &mut pass).await?;
        let plain = self.messages_in(&pass.reader.periods(), slice).await?;
        self.close().await;
        Ok(ReadSlice { pass, plain })
    }

    /// [`PostgresSession::read`] of all, but messages that are alike in all but their time come as one row;
    /// HSM, which are told apart one by one, only where they are alike in their time as well.
    pub(super) async fn read_grouped(mut self, mut pass: Pass) -> Result<ReadSlice, SourceError> {
        self.run("SET LOCAL enable_partitionwise_aggregate = on").await?;
        for stretch in pass.reader.stretches() {
            for one_by_one in [false, true] {
                let sql = self.grouped(pass.columns, stretch, one_by_one);
                self.copy(&sql, &mut pass).await?;
            }
        }
        let windows = pass.reader.periods();
        let plain = match pass.reader.span() {
            Some(span) => self.messages_in(&windows, span).await?,
            None => vec![0; windows.len()],
        };
        self.close().await;
        Ok(ReadSlice { pass, plain })
    }

    /// The HSM of a stretch, each by itself, or all other messages of it, which need no id of theirs.
    ///
    /// Grouped by the columns as they are, and told apart by conditions that other servers know to be their
    /// own: a CASE, and a test for truth, they are not given.
    fn grouped(&self, columns: Optional, stretch: Period, one_by_one: bool) -> String {
        let (mut texts, mut groups) = (Vec::new(), Vec::new());
        for (_, column) in columns.columns() {
            if column == "message_id" && !one_by_one {
                texts.push("NULL::text".to_owned());
            } else {
                texts.push(self.text(column));
                groups.push(column);
            }
        }
        let which = if one_by_one {
            groups.push("sent_at");
            "direction::text = 'out' AND kind::text = 'hsm'"
        } else {
            "(direction IS NULL OR kind IS NULL OR direction::text <> 'out' OR kind::text <> 'hsm')"
        };
        format!(
            "SELECT {}, MIN({}), COUNT(*) FROM {} WHERE {} AND {} GROUP BY {}",
            texts.join(", "),
            self.sent_at_column(),
            self.postgres.relation,
            self.lies_in(stretch),
            which,
            groups.join(", ")
        )
    }

    /// Which of the optional columns the relation has.
    pub(super) fn optional(&self) -> Optional {
        let types = OPTIONAL_COLUMNS.iter().zip(&self.types[TEXT_COLUMNS.len()..]);
        let there = types.filter(|(_, found)| *found != ABSENT);
        Optional::among(&there.map(|(column, _)| (*column).to_owned()).collect::<Vec<_>>())
    }

    /// The text columns as they are selected.
    fn texts(&self, columns: Optional) -> String {
        columns.columns().map(|(_, column)| self.text(column)).collect::<Vec<_>>().join(", ")
    }

    /// A column as text.
    fn text(&self, column: &str) -> String {
        // `::text` makes enums, uuids and char(n) (without its padding) what PostgreSQL prints;
        // of a bytea it would make hexadecimal.
        let place = TEXT_COLUMNS.iter().chain(&OPTIONAL_COLUMNS).position(|name| *name == column);
        match place.and_then(|place| self.types.get(place)).map(String::as_str) {
            Some("bytea") => column.to_owned(),
            _ => format!("{column}::text"),
        }
    }

    /// Counts the rows of a query.
    async fn copy(&mut self, query: &str, pass: &mut Pass) -> Result<(), SourceError> {
        let sql = format!("COPY ({query}) TO STDOUT (FORMAT binary)");
        let malformed = |error: Malformed| sqlx::Error::Protocol(error.to_string());
        let mut reader = CopyReader::new(pass.columns.places(), self.sent_at);
        let copying = async {
            let mut chunks = within(ANSWER_WITHIN, self.connection.copy_out_raw(&sql)).await?;
            loop {
                let goes_on = within(ANSWER_WITHIN, async {
                    for _ in 0..ROWS_A_CLOCK {
                        let Some(chunk) = chunks.try_next().await? else { return Ok(false) };
                        let add = |message: &Message<'_>, messages| pass.add(message, messages);
                        reader.feed(&chunk, add).map_err(malformed)?;
                    }
                    Ok(true)
                });
                if !goes_on.await? {
                    return reader.finish().map_err(malformed);
                }
            }
        };
        copying.await.map_err(|error| self.error(&error))
    }

    /// How many messages of the slice each window has, counted in one go.
    async fn messages_in(
        &mut self,
        windows: &[Period],
        slice: Period,
    ) -> Result<Vec<u64>, SourceError> {
        let count = |window: &Period| match window.shared_with(slice) {
            Some(part) if part == slice => "COUNT(*)".to_owned(),
            Some(part) => format!("COUNT(*) FILTER (WHERE {})", self.lies_in(part)),
            None => "0::bigint".to_owned(),
        };
        let counts: Vec<String> = windows.iter().map(count).collect();
        let sql = format!(
            "SELECT {} FROM {} WHERE {}",
            counts.join(", "),
            self.postgres.relation,
            self.lies_in(slice)
        );
        self.counts(&sql, windows.len()).await
    }

    /// The numbers in a row.
    async fn counts(&mut self, sql: &str, columns: usize) -> Result<Vec<u64>, SourceError> {
        let row = self.row(sql).await.map_err(|error| self.error(&error))?;
        let count = |index| row.try_get::<i64, _>(index).map(i64::unsigned_abs);
        (0..columns).map(count).collect::<Result<_, _>>().map_err(|error| self.error(&error))
    }

    /// The newest message of the first of these spans that has one.
    pub(super) async fn newest(
        &mut self,
        spans: &[Period],
    ) -> Result<Option<DateTime<Utc>>, SourceError> {
        let newest = match self.sent_at {
            sent_at if sent_at.is_number() => "MAX(sent_at)::bigint",
            _ => "FLOOR(EXTRACT(EPOCH FROM MAX(sent_at)) * 1000000)::bigint",
        };
        for span in spans {
            let within = self.lies_in(*span);
            let sql = format!("SELECT {newest} FROM {} WHERE {within}", self.postgres.relation);
            if let Some(value) = self.one::<Option<i64>>(&sql).await? {
                return Ok(DateTime::from_timestamp_millis(self.sent_at.times().millis(value)));
            }
        }
        Ok(None)
    }

    pub(super) fn sent_at(&self) -> SentAt {
        self.sent_at
    }

    fn lies_in(&self, period: Period) -> String {
        self.sent_at.lies_in(period, Scheme::Postgres)
    }

    /// `sent_at` as eight bytes.
    fn sent_at_column(&self) -> &'static str {
        if self.sent_at.is_number() { "sent_at::bigint" } else { "sent_at" }
    }

    /// Whose numbers user ids and LIDs are, within the snapshot.
    pub(super) async fn aliases(
        &mut self,
        aliases: Option<&AliasRelation>,
    ) -> Result<Aliases, SourceError> {
        let mut known = Aliases::default();
        let Some(AliasRelation { relation, rules }) = aliases else { return Ok(known) };
        let relation = relation.sql('"');
        let place = self.postgres.place.of_aliases(&relation);
        let sql = format!("SELECT alias::text, contact::text FROM {relation}");
        let mut rows = sqlx::raw_sql(AssertSqlSafe(sql)).fetch(&mut self.connection);
        loop {
            let row = within(ANSWER_WITHIN, rows.try_next()).await;
            let row = row.map_err(|error| from_server(&place, "reading", &error, kind_of))?;
            let Some(row) = row else { return Ok(known) };
            let text = |index| row.try_get::<Option<String>, _>(index).ok().flatten();
            if let Some((alias, contact)) = text(0).zip(text(1)) {
                known.add(alias.as_bytes(), contact.as_bytes(), *rules);
            }
        }
    }

    /// How many messages of the whole relation lie where none can, all of which have a time; in one go,
    /// since there may be no index that leads to either.
    pub(super) async fn misdated(&mut self, now: DateTime<Utc>) -> Result<Misdated, SourceError> {
        let bound = |instant| self.sent_at.bound(instant, Scheme::Postgres);
        let (early, late) = (bound(Misdated::EARLIEST), bound(Misdated::tomorrow_ends(now)));
        let sql = format!(
            "SELECT COUNT(*) FILTER (WHERE sent_at IS NULL), COUNT(*) FILTER (WHERE sent_at IS NULL AND direction::text = 'in'), COUNT(*) FILTER (WHERE sent_at < {early}), COUNT(*) FILTER (WHERE sent_at >= {late}) FROM {} WHERE sent_at IS NULL OR sent_at < {early} OR sent_at >= {late}",
            self.postgres.relation
        );
        let counts = self.counts(&sql, 4).await?;
        self.postgres.place.refuse_nulls([counts[0], counts[1]])?;
        Ok(Misdated { early: counts[2], late: counts[3] })
    }

    async fn one<T>(&mut self, sql: &str) -> Result<T, SourceError>
    where
        T: for<'v> sqlx::Decode<'v, sqlx::Postgres> + sqlx::Type<sqlx::Postgres>,
    {
        let value = self.row(sql).await.and_then(|row| row.try_get(0));
        value.map_err(|error| self.error(&error))
    }

    async fn row(&mut self, sql: &str) -> Result<PgRow, sqlx::Error> {
        let query = sqlx::raw_sql(AssertSqlSafe(sql.to_owned()));
        within(ANSWER_WITHIN, query.fetch_one(&mut self.connection)).await
    }

    async fn run(&mut self, sql: &str) -> Result<(), SourceError> {
        self.execute(sql).await.map_err(|error| self.error(&error))
    }

    async fn execute(&mut self, sql: &str) -> Result<(), sqlx::Error> {
        let query = sqlx::raw_sql(AssertSqlSafe(sql.to_owned()));
        within(ANSWER_WITHIN, query.execute(&mut self.connection)).await.map(|_| ())
    }

    fn error(&self, error: &sqlx::Error) -> SourceError {
        from_server(&self.postgres.place, "reading", error, kind_of)
    }

    /// All has been read: a connection that breaks now breaks nothing.
    pub(super) async fn close(self) {
        let _ = within(CONNECT_WITHIN, self.connection.close()).await;
    }
}

fn columns() -> impl Iterator<Item = &'static str> {
    TEXT_COLUMNS.into_iter().chain(["sent_at"])
}
