//! MySQL and MariaDB: rows by the text protocol, every column as the bytes that the server prints.
//!
//! Nothing but `sent_at` is compared in SQL: collations would find `d1` and `D1` equal.

use chrono::{DateTime, Utc};
use futures::TryStreamExt as _;
use sqlx::mysql::{MySqlConnectOptions, MySqlConnection, MySqlDatabaseError, MySqlRow};
use sqlx::{
    AssertSqlSafe, Column as _, ConnectOptions as _, Connection as _, Executor as _, Row as _,
    SqlSafeStr as _, Statement as _, TypeInfo as _,
};

use super::error::{Kind, from_server};
use super::feed::{Counting, Feed, Stopped};
use super::{
    ANSWER_WITHIN, CONNECT_WITHIN, Checked, Pass, Place, Reading, Relation, SourceError,
    TEXT_COLUMNS, within,
};
use crate::billing::month::Period;
use crate::billing::tally::Message;

#[derive(Clone)]
pub(super) struct Mysql {
    options: MySqlConnectOptions,
    relation: String,
    pub(super) place: Place,
}

/// One connection within its snapshot.
struct Session<'a> {
    connection: MySqlConnection,
    relation: &'a str,
    place: &'a Place,
    version: String,
    /// The type of `sent_at`.
    sent_at: String,
}

const EXPECTED: &str = "DATETIME (in UTC) or TIMESTAMP: convert it in a parenthesised SELECT in [messages] relation; for Unix milliseconds: FROM_UNIXTIME(sent_at / 1000) AS sent_at";

/// Microseconds since 1970; unlike `UNIX_TIMESTAMP` for any year and for `DATETIME` in UTC.
const SENT_AT: &str = "TIMESTAMPDIFF(MICROSECOND, TIMESTAMP '1970-01-01 00:00:00', sent_at)";

const UNKNOWN_COLUMN: u16 = 1054;

impl Mysql {
    pub(super) fn new(options: MySqlConnectOptions, place: Place, relation: &Relation) -> Self {
        let options = options
            .timezone("+00:00".to_owned())
            // A SELECT in the configuration means what it means in the server's own mode.
            .pipes_as_concat(false)
            .no_engine_substitution(false)
            .disable_statement_logging();
        Self { options, relation: relation.sql('`'), place }
    }

    pub(super) async fn count(
        &self,
        pass: Pass<impl Fn(u64) + Send + 'static>,
        now: DateTime<Utc>,
    ) -> Result<Reading, SourceError> {
        let mut session = self.session().await?;
        let span = pass.counter.span();
        let windows = pass.counter.periods();
        let (counting, feed) = Counting::start(pass);
        if let Some(span) = span {
            session.stream(span, feed).await?;
        } else {
            drop(feed);
        }
        let mut plain = Vec::new();
        for window in windows {
            plain.push(session.messages_in(window).await?);
        }
        let newest = session.extreme("MAX", &format!("sent_at <= {}", literal(now))).await?;
        session.close().await;
        let count = counting.finish().await.map_err(|stopped| self.place.stopped(&stopped))?;
        self.place.prove(&count, &plain)?;
        Ok(Reading { count, newest })
    }

    pub(super) async fn check(&self) -> Result<Checked, SourceError> {
        let mut session = self.session().await?;
        let number = session.version.split('-').next().unwrap_or_default();
        let engine = if session.is_mariadb() { "MariaDB" } else { "MySQL" };
        let checked = Checked {
            engine: format!("{engine} {number}"),
            database: self.place.database.clone(),
            relation: self.place.relation.clone(),
            sent_at: session.sent_at.clone(),
            oldest: session.extreme("MIN", "TRUE").await?,
            newest: session.extreme("MAX", "TRUE").await?,
        };
        session.close().await;
        Ok(checked)
    }

    /// Connects, opens the snapshot, and makes sure that relation, columns and types are right.
    async fn session(&self) -> Result<Session<'_>, SourceError> {
        let connection = within(CONNECT_WITHIN, self.options.connect())
            .await
            .map_err(|error| from_server(&self.place, "connecting to", &error, kind_of))?;
        let mut session = Session {
            connection,
            relation: &self.relation,
            place: &self.place,
            version: String::new(),
            sent_at: String::new(),
        };
        session.version = session.one("SELECT VERSION()").await?;
        session.run("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ").await?;
        session.run(session.no_time_limit()).await?;
        session.run("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY").await?;
        session.learn_type().await?;
        session.refuse_nulls().await?;
        Ok(session)
    }
}

impl Session<'_> {
    fn is_mariadb(&self) -> bool {
        self.version.contains("MariaDB")
    }

    fn no_time_limit(&self) -> &'static str {
        if self.is_mariadb() {
            "SET SESSION max_statement_time = 0"
        } else {
            "SET SESSION max_execution_time = 0"
        }
    }

    async fn learn_type(&mut self) -> Result<(), SourceError> {
        let columns = format!("{}, sent_at", TEXT_COLUMNS.join(", "));
        match self.type_of_last(&columns).await {
            Ok(found) => self.sent_at = found,
            Err(error) if number(&error) == Some(UNKNOWN_COLUMN) => {
                return Err(self.missing_columns().await?);
            }
            Err(error) => return Err(self.error(&error)),
        }
        if matches!(self.sent_at.as_str(), "DATETIME" | "TIMESTAMP") {
            return Ok(());
        }
        Err(SourceError::WrongType {
            place: self.place.clone(),
            found: self.sent_at.clone(),
            expected: EXPECTED,
        })
    }

    /// Asks for the columns one by one: the server names only the first that it misses.
    async fn missing_columns(&mut self) -> Result<SourceError, SourceError> {
        let mut missing = Vec::new();
        for column in TEXT_COLUMNS.into_iter().chain(["sent_at"]) {
            match self.type_of_last(column).await {
                Ok(_) => {}
                Err(error) if number(&error) == Some(UNKNOWN_COLUMN) => missing.push(column),
                Err(error) => return Err(self.error(&error)),
            }
        }
        Ok(SourceError::MissingColumns { place: self.place.clone(), columns: missing })
    }

    /// Prepares a query of these columns, which runs nothing; the type of the last one.
    async fn type_of_last(&mut self, columns: &str) -> Result<String, sqlx::Error> {
        let sql = format!("SELECT {columns} FROM {}", self.relation);
        let statement = self.connection.prepare(AssertSqlSafe(sql).into_sql_str());
        let statement = within(ANSWER_WITHIN, statement).await?;
        let last = statement.columns().last();
        Ok(last.map_or_else(String::new, |column| column.type_info().name().to_owned()))
    }

    /// A zero date, which old tables hold, is no time either.
    async fn refuse_nulls(&mut self) -> Result<(), SourceError> {
        let sql = format!(
            "SELECT COUNT(*) FROM {} WHERE sent_at IS NULL OR sent_at < TIMESTAMP '0001-01-01 00:00:00'",
            self.relation
        );
        let nulls: i64 = self.one(&sql).await?;
        self.place.refuse_nulls(nulls.unsigned_abs())
    }

    async fn stream(&mut self, span: Period, mut feed: Feed) -> Result<(), SourceError> {
        let sql = format!(
            "SELECT {}, {SENT_AT} FROM {} WHERE {}",
            TEXT_COLUMNS.join(", "),
            self.relation,
            lies_in(span)
        );
        let streaming = async {
            let mut rows = sqlx::raw_sql(AssertSqlSafe(sql)).fetch(&mut self.connection);
            loop {
                // A clock for a batch: one for each row costs as much as the row.
                let is_full = within(ANSWER_WITHIN, async {
                    while let Some(row) = rows.try_next().await? {
                        if feed.put(&message(&row)?, 1) {
                            return Ok(true);
                        }
                    }
                    Ok(false)
                });
                let is_full = is_full.await?;
                feed.send().await.map_err(|Stopped| sqlx::Error::WorkerCrashed)?;
                if !is_full {
                    return Ok(());
                }
            }
        };
        streaming.await.map_err(|error| self.error(&error))
    }

    async fn messages_in(&mut self, period: Period) -> Result<u64, SourceError> {
        let sql = format!("SELECT COUNT(*) FROM {} WHERE {}", self.relation, lies_in(period));
        Ok(self.one::<i64>(&sql).await?.unsigned_abs())
    }

    /// The first or last `sent_at` of those that meet a condition, cut to milliseconds.
    async fn extreme(
        &mut self,
        aggregate: &str,
        condition: &str,
    ) -> Result<Option<DateTime<Utc>>, SourceError> {
        let extreme = SENT_AT.replace("sent_at", &format!("{aggregate}(sent_at)"));
        let sql = format!("SELECT {extreme} FROM {} WHERE {condition}", self.relation);
        let micros: Option<i64> = self.one(&sql).await?;
        Ok(micros.map(to_millis).and_then(DateTime::from_timestamp_millis))
    }

    async fn one<T>(&mut self, sql: &str) -> Result<T, SourceError>
    where
        T: for<'v> sqlx::Decode<'v, sqlx::MySql> + sqlx::Type<sqlx::MySql>,
    {
        let query = sqlx::raw_sql(AssertSqlSafe(sql.to_owned()));
        let row = within(ANSWER_WITHIN, query.fetch_one(&mut self.connection)).await;
        row.and_then(|row| row.try_get(0)).map_err(|error| self.error(&error))
    }

    async fn run(&mut self, sql: &'static str) -> Result<(), SourceError> {
        let query = sqlx::raw_sql(sql).execute(&mut self.connection);
        within(ANSWER_WITHIN, query).await.map_err(|error| self.error(&error))?;
        Ok(())
    }

    fn error(&self, error: &sqlx::Error) -> SourceError {
        from_server(self.place, "reading", error, kind_of)
    }

    /// All has been read: a connection that breaks now breaks nothing.
    async fn close(self) {
        let _ = within(CONNECT_WITHIN, self.connection.close()).await;
    }
}

/// The bytes as they came, whatever type sqlx takes them for.
fn message(row: &MySqlRow) -> Result<Message<'_>, sqlx::Error> {
    Ok(Message {
        dealership_id: row.try_get_unchecked(0)?,
        contact: row.try_get_unchecked(1)?,
        direction: row.try_get_unchecked(2)?,
        kind: row.try_get_unchecked(3)?,
        template: row.try_get_unchecked(4)?,
        status: row.try_get_unchecked(5)?,
        sent_at: to_millis(row.try_get(6)?),
    })
}

fn to_millis(micros: i64) -> i64 {
    micros.div_euclid(1000)
}

fn lies_in(period: Period) -> String {
    format!("sent_at >= {} AND sent_at < {}", literal(period.start), literal(period.end))
}

fn literal(instant: DateTime<Utc>) -> String {
    format!("TIMESTAMP '{}'", instant.format("%Y-%m-%d %H:%M:%S%.6f"))
}

fn number(error: &sqlx::Error) -> Option<u16> {
    let error = error.as_database_error()?.try_downcast_ref::<MySqlDatabaseError>()?;
    Some(error.number())
}

/// <https://mariadb.com/docs/server/reference/error-codes/mariadb-error-code-reference>
fn kind_of(error: &sqlx::Error) -> Kind {
    match number(error) {
        // Too many connections; shutting down, normally or not; host blocked; connection killed.
        Some(1040 | 1053 | 1077 | 1078 | 1129 | 1927) => Kind::Unreachable,
        // Database, login, host, table, column, view, privilege, plugin.
        Some(1044 | 1045 | 1130 | 1142 | 1143 | 1227 | 1345 | 1698) => Kind::AccessDenied,
        Some(1049) => Kind::NoSuchDatabase,
        Some(1146) => Kind::NoSuchRelation,
        _ => Kind::Other,
    }
}
