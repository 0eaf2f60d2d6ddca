//! PostgreSQL, and what speaks its protocol: rows by binary `COPY`, twice as fast as a row stream.
//!
//! Plain SQL by the simple protocol: no prepared statement, no session setting that outlives the
//! transaction, so that a connection pooler in between does no harm.

use chrono::{DateTime, Utc};
use futures::StreamExt as _;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgRow};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Row as _};

use super::copy::CopyReader;
use super::error::{Kind, from_server};
use super::{
    ANSWER_WITHIN, CONNECT_WITHIN, Checked, Pass, Place, Reading, Relation, SourceError,
    TEXT_COLUMNS, within,
};
use crate::billing::month::Period;

#[derive(Clone)]
pub(super) struct Postgres {
    options: PgConnectOptions,
    relation: String,
    pub(super) place: Place,
}

/// One connection within its snapshot.
struct Session<'a> {
    connection: PgConnection,
    relation: &'a str,
    place: &'a Place,
    /// In the order of [`TEXT_COLUMNS`], then `sent_at`.
    types: Vec<String>,
}

const TIMESTAMPTZ: &str = "timestamp with time zone";

const EXPECTED: &str = "timestamptz: without a zone nobody knows to which month a message belongs. Alter the column (ALTER COLUMN sent_at TYPE timestamptz USING sent_at AT TIME ZONE 'UTC', or whichever zone it was written in), or convert it in a parenthesised SELECT in [messages] relation; for Unix milliseconds: to_timestamp(sent_at / 1000.0) AS sent_at";

impl Postgres {
    pub(super) fn new(options: PgConnectOptions, place: Place, relation: &Relation) -> Self {
        let options = options
            .application_name("fecha")
            // Poolers refuse startup parameters that they do not know.
            .extra_float_digits(None)
            .disable_statement_logging();
        Self { options, relation: relation.sql('"'), place }
    }

    pub(super) async fn count(
        &self,
        mut pass: Pass<impl Fn(u64)>,
        now: DateTime<Utc>,
    ) -> Result<Reading, SourceError> {
        let mut session = self.session().await?;
        if let Some(span) = pass.counter.span() {
            session.stream(span, &mut pass).await?;
        }
        let count = pass.finish();
        for window in &count.windows {
            let plain = session.messages_in(window.period).await?;
            self.place.prove(window, plain)?;
        }
        let newest = session.newest(now).await?;
        session.close().await;
        Ok(Reading { count, newest })
    }

    pub(super) async fn check(&self) -> Result<Checked, SourceError> {
        let mut session = self.session().await?;
        let version: String = session.one("SELECT version()").await?;
        // "PostgreSQL 15.14 (Debian …) on x86_64-…, compiled by …"
        let engine = version.split([' ', ',']).take(2).collect::<Vec<_>>().join(" ");
        let checked = Checked {
            engine,
            database: self.place.database.clone(),
            relation: self.place.relation.clone(),
            sent_at: session.types.last().cloned().unwrap_or_default(),
            oldest: session.extreme("MIN", "sent_at > '-infinity'").await?,
            newest: session.extreme("MAX", "sent_at < 'infinity'").await?,
        };
        session.close().await;
        Ok(checked)
    }

    /// Connects, opens the snapshot, and makes sure that relation, columns and types are right.
    async fn session(&self) -> Result<Session<'_>, SourceError> {
        let connection = within(CONNECT_WITHIN, self.options.connect())
            .await
            .map_err(|error| from_server(&self.place, "connecting to", &error, kind_of))?;
        let mut session =
            Session { connection, relation: &self.relation, place: &self.place, types: Vec::new() };
        session.run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
        session.run("SET LOCAL statement_timeout = 0").await?;
        if session.one::<String>("SHOW server_encoding").await? == "SQL_ASCII" {
            // Such a database holds any bytes: have them as they are, not refused as no UTF-8.
            session.run("SET LOCAL client_encoding = 'SQL_ASCII'").await?;
        }
        session.learn_types().await?;
        session.refuse_nulls().await?;
        Ok(session)
    }
}

impl Session<'_> {
    async fn learn_types(&mut self) -> Result<(), SourceError> {
        let type_of =
            |column| format!("pg_typeof((SELECT {column} FROM {} LIMIT 0))::text", self.relation);
        let types: Vec<String> = columns().map(type_of).collect();
        match self.row(&format!("SELECT {}", types.join(", "))).await {
            Ok(row) => {
                let types: Result<_, _> =
                    (0..types.len()).map(|index| row.try_get(index)).collect();
                self.types = types.map_err(|error| self.error(&error))?;
            }
            Err(error) if code(&error).as_deref() == Some("42703") => {
                return Err(self.missing_columns().await?);
            }
            Err(error) => return Err(self.error(&error)),
        }
        match self.types.last() {
            Some(found) if found != TIMESTAMPTZ => Err(SourceError::WrongType {
                place: self.place.clone(),
                found: found.clone(),
                expected: EXPECTED,
            }),
            _ => Ok(()),
        }
    }

    /// Asks for the columns one by one: PostgreSQL names only the first that it misses.
    async fn missing_columns(&mut self) -> Result<SourceError, SourceError> {
        self.run("ROLLBACK").await?;
        let mut missing = Vec::new();
        for column in columns() {
            let sql = format!("SELECT {column} FROM {} LIMIT 0", self.relation);
            match self.execute(&sql).await {
                Ok(()) => {}
                Err(error) if code(&error).as_deref() == Some("42703") => missing.push(column),
                Err(error) => return Err(self.error(&error)),
            }
        }
        Ok(SourceError::MissingColumns { place: self.place.clone(), columns: missing })
    }

    async fn refuse_nulls(&mut self) -> Result<(), SourceError> {
        let sql = format!("SELECT COUNT(*) FROM {} WHERE sent_at IS NULL", self.relation);
        let nulls: i64 = self.one(&sql).await?;
        self.place.refuse_nulls(nulls.unsigned_abs())
    }

    async fn stream(
        &mut self,
        span: Period,
        pass: &mut Pass<impl Fn(u64)>,
    ) -> Result<(), SourceError> {
        // `::text` makes enums, uuids and char(n) (without its padding) what PostgreSQL prints;
        // of a bytea it would make hexadecimal.
        let as_text = |(column, of_type): (&str, &String)| match of_type.as_str() {
            "bytea" => column.to_owned(),
            _ => format!("{column}::text"),
        };
        let texts: Vec<String> = TEXT_COLUMNS.into_iter().zip(&self.types).map(as_text).collect();
        let sql = format!(
            "COPY (SELECT {}, sent_at FROM {} WHERE {}) TO STDOUT (FORMAT binary)",
            texts.join(", "),
            self.relation,
            lies_in(span)
        );
        let mut reader = CopyReader::default();
        let copying = async {
            let mut chunks = within(ANSWER_WITHIN, self.connection.copy_out_raw(&sql)).await?;
            while let Some(chunk) =
                within(ANSWER_WITHIN, async { chunks.next().await.transpose() }).await?
            {
                reader
                    .feed(&chunk, |message| pass.add(message))
                    .map_err(|error| sqlx::Error::Protocol(error.to_string()))?;
            }
            reader.finish().map_err(|error| sqlx::Error::Protocol(error.to_string()))
        };
        copying.await.map_err(|error| self.error(&error))
    }

    async fn messages_in(&mut self, period: Period) -> Result<u64, SourceError> {
        let sql = format!("SELECT COUNT(*) FROM {} WHERE {}", self.relation, lies_in(period));
        Ok(self.one::<i64>(&sql).await?.unsigned_abs())
    }

    async fn newest(&mut self, now: DateTime<Utc>) -> Result<Option<DateTime<Utc>>, SourceError> {
        let until_now = format!("sent_at > '-infinity' AND sent_at <= {}", literal(now));
        self.extreme("MAX", &until_now).await
    }

    /// The first or last `sent_at` of those that meet a condition, cut to milliseconds.
    async fn extreme(
        &mut self,
        aggregate: &str,
        condition: &str,
    ) -> Result<Option<DateTime<Utc>>, SourceError> {
        let sql = format!(
            "SELECT FLOOR(EXTRACT(EPOCH FROM {aggregate}(sent_at)) * 1000)::bigint FROM {} WHERE {condition}",
            self.relation
        );
        let millis: Option<i64> = self.one(&sql).await?;
        Ok(millis.and_then(DateTime::from_timestamp_millis))
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

    async fn run(&mut self, sql: &'static str) -> Result<(), SourceError> {
        self.execute(sql).await.map_err(|error| self.error(&error))
    }

    async fn execute(&mut self, sql: &str) -> Result<(), sqlx::Error> {
        let query = sqlx::raw_sql(AssertSqlSafe(sql.to_owned()));
        within(ANSWER_WITHIN, query.execute(&mut self.connection)).await.map(|_| ())
    }

    fn error(&self, error: &sqlx::Error) -> SourceError {
        from_server(self.place, "reading", error, kind_of)
    }

    /// All has been read: a connection that breaks now breaks nothing.
    async fn close(self) {
        let _ = within(CONNECT_WITHIN, self.connection.close()).await;
    }
}

fn columns() -> impl Iterator<Item = &'static str> {
    TEXT_COLUMNS.into_iter().chain(["sent_at"])
}

/// `COPY` takes no parameters: literals, of instants only.
fn lies_in(period: Period) -> String {
    format!("sent_at >= {} AND sent_at < {}", literal(period.start), literal(period.end))
}

fn literal(instant: DateTime<Utc>) -> String {
    format!("TIMESTAMPTZ '{}+00'", instant.format("%Y-%m-%d %H:%M:%S%.6f"))
}

fn code(error: &sqlx::Error) -> Option<String> {
    Some(error.as_database_error()?.code()?.into_owned())
}

/// <https://www.postgresql.org/docs/15/errcodes-appendix.html>
fn kind_of(error: &sqlx::Error) -> Kind {
    match code(error).as_deref() {
        // Shut down, crashed, starting up; too many connections; connection exceptions.
        Some("57P01" | "57P02" | "57P03" | "53300") => Kind::Unreachable,
        Some(code) if code.starts_with("08") => Kind::Unreachable,
        Some("42501") => Kind::AccessDenied,
        Some(code) if code.starts_with("28") => Kind::AccessDenied,
        Some("3D000") => Kind::NoSuchDatabase,
        Some("42P01") => Kind::NoSuchRelation,
        _ => Kind::Other,
    }
}
