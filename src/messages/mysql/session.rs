//! One connection: what it asks the server, and how the server's errors are said.

use chrono::{DateTime, Utc};
use futures::TryStreamExt as _;
use sqlx::mysql::{MySqlConnection, MySqlDatabaseError, MySqlRow};
use sqlx::{
    AssertSqlSafe, Column as _, ConnectOptions as _, Connection as _, Executor as _, Row as _,
    SqlSafeStr as _, Statement as _, TypeInfo as _,
};

use super::Mysql;
use super::key::{Found, Key, Range};
use crate::messages::columns::{self, Optional, TEXT_COLUMNS, Texts};
use crate::messages::error::{Kind, from_server};
use crate::messages::{
    ANSWER_WITHIN, AliasRelation, CONNECT_WITHIN, Pass, Place, ROWS_A_CLOCK, ReadSlice, Relation,
    SourceError, relation::Mode, within,
};
use fecha_core::calendar::month::Period;
use fecha_core::count::aliases::Aliases;
use fecha_core::count::misdated::Misdated;
use fecha_core::count::tally::Message;

/// One connection within its snapshot.
pub(super) struct MysqlSession<'a> {
    connection: MySqlConnection,
    pub(super) place: &'a Place,
    relation: &'a Relation,
    pub(super) version: String,
    mode: Mode,
    /// The type of `sent_at`.
    pub(super) sent_at: String,
}

const EXPECTED: &str = "DATETIME (in UTC) or TIMESTAMP: convert it in a parenthesised SELECT in [messages] relation; for Unix milliseconds: FROM_UNIXTIME(sent_at / 1000) AS sent_at";

/// Microseconds since 1970; unlike `UNIX_TIMESTAMP` for any year and for `DATETIME` in UTC.
const SENT_AT: &str = "TIMESTAMPDIFF(MICROSECOND, TIMESTAMP '1970-01-01 00:00:00', sent_at)";

const UNKNOWN_COLUMN: u16 = 1054;

impl<'a> MysqlSession<'a> {
    /// Connects, opens the snapshot, and makes sure that relation, columns and types are right.
    pub(super) async fn begin(mysql: &'a Mysql) -> Result<Self, SourceError> {
        let connection = within(CONNECT_WITHIN, mysql.options.connect())
            .await
            .map_err(|error| from_server(&mysql.place, "connecting to", &error, kind_of))?;
        let mut session = Self {
            connection,
            place: &mysql.place,
            relation: &mysql.relation,
            version: String::new(),
            mode: Mode::default(),
            sent_at: String::new(),
        };
        session.version = session.one("SELECT VERSION()").await?;
        let sql_mode: String = session.one("SELECT @@sql_mode").await?;
        session.mode = Mode::of(&sql_mode);
        session.relation.must_hold_in(session.mode)?;
        session.run("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ").await?;
        session.run(session.no_time_limit()).await?;
        // Who alters the table keeps a count waiting no longer than this.
        session.run("SET SESSION lock_wait_timeout = 60").await?;
        session.run("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY").await?;
        session.learn_type().await?;
        session.refuse_nulls().await?;
        Ok(session)
    }

    /// What stands behind `FROM`.
    fn relation(&self) -> String {
        self.relation.sql('`')
    }

    pub(super) fn is_mariadb(&self) -> bool {
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
        let sql = format!("SELECT {columns} FROM {}", self.relation());
        let statement = self.connection.prepare(AssertSqlSafe(sql).into_sql_str());
        let statement = within(ANSWER_WITHIN, statement).await?;
        let last = statement.columns().last();
        Ok(last.map_or_else(String::new, |column| column.type_info().name().to_owned()))
    }

    /// A zero date, which old tables hold, is no time either.
    async fn refuse_nulls(&mut self) -> Result<(), SourceError> {
        let sql = format!(
            "SELECT COUNT(*) FROM {} WHERE sent_at IS NULL OR sent_at < TIMESTAMP '0001-01-01 00:00:00'",
            self.relation()
        );
        let nulls: i64 = self.one(&sql).await?;
        self.place.refuse_nulls(nulls.unsigned_abs())
    }

    /// Counts the messages of the span, and before that has the server count them by window.
    pub(super) async fn read(
        &mut self,
        span: Period,
        mut pass: Pass,
    ) -> Result<ReadSlice, SourceError> {
        let key = self.key().await?;
        let (mut plain, mut range) = (Vec::new(), None);
        for window in pass.reader.periods() {
            let found = self.messages_in(window, key.as_ref()).await?;
            plain.push(found.messages);
            range = Range::joined(range, found.range);
        }
        let most = plain.iter().max().copied().unwrap_or_default();
        let relation = self.relation();
        let from = match key.zip(range) {
            Some((key, range)) if range.is_dense(most) => key.only(range, &relation),
            _ => format!("{relation} WHERE TRUE"),
        };
        let columns = pass.columns.list();
        let sql = format!("SELECT {columns}, {SENT_AT} FROM {from} AND {}", lies_in(span));
        self.stream(sql, &mut pass).await.map_err(|error| self.error(&error))?;
        Ok(ReadSlice { pass, plain })
    }

    async fn stream(&mut self, sql: String, pass: &mut Pass) -> Result<(), sqlx::Error> {
        let places = pass.columns.places();
        let mut rows = sqlx::raw_sql(AssertSqlSafe(sql)).fetch(&mut self.connection);
        loop {
            let goes_on = within(ANSWER_WITHIN, async {
                for _ in 0..ROWS_A_CLOCK {
                    let Some(row) = rows.try_next().await? else { return Ok(false) };
                    pass.add(&message(&row, &places)?, 1);
                }
                Ok(true)
            });
            if !goes_on.await? {
                return Ok(());
            }
        }
    }

    /// By what the table is kept in order, if the relation is a table.
    async fn key(&mut self) -> Result<Option<Key>, SourceError> {
        let Some((schema, table)) = self.relation.table() else { return Ok(None) };
        let query =
            sqlx::query_scalar::<_, String>(Key::QUERY).bind(schema).bind(table).bind(table);
        let column = within(ANSWER_WITHIN, query.fetch_optional(&mut self.connection)).await;
        Ok(column.map_err(|error| self.error(&error))?.as_deref().map(Key::new))
    }

    /// How many messages the window has, and where in the table they lie.
    async fn messages_in(
        &mut self,
        window: Period,
        key: Option<&Key>,
    ) -> Result<Found, SourceError> {
        let extremes = key.map_or("NULL, NULL".to_owned(), Key::extremes);
        let sql = format!(
            "SELECT COUNT(*), {extremes} FROM {} WHERE {}",
            self.relation(),
            lies_in(window)
        );
        let row = self.row(&sql).await;
        row.and_then(|row| Found::in_row(&row)).map_err(|error| self.error(&error))
    }

    /// Which of the optional columns the relation has.
    pub(super) async fn optional(&mut self) -> Result<Optional, SourceError> {
        if let Some((schema, table)) = self.relation.table() {
            // Of those that this login may read: a `*` would ask for all of them.
            let query = sqlx::query_scalar::<_, String>(
                "SELECT column_name FROM information_schema.columns
                 WHERE table_schema = COALESCE(?, DATABASE()) AND table_name = ?
                   AND FIND_IN_SET('select', privileges)",
            );
            let names = query.bind(schema).bind(table).fetch_all(&mut self.connection);
            let names = within(ANSWER_WITHIN, names).await;
            return Ok(Optional::among(&names.map_err(|error| self.error(&error))?));
        }
        let sql = format!("SELECT * FROM {} LIMIT 0", self.relation());
        let statement = self.connection.prepare(AssertSqlSafe(sql).into_sql_str());
        let statement =
            within(ANSWER_WITHIN, statement).await.map_err(|error| self.error(&error))?;
        let names: Vec<String> =
            statement.columns().iter().map(|column| column.name().to_owned()).collect();
        Ok(Optional::among(&names))
    }

    /// Whose numbers user ids and LIDs are, within the snapshot.
    pub(super) async fn aliases(
        &mut self,
        aliases: Option<&AliasRelation>,
    ) -> Result<Aliases, SourceError> {
        let mut known = Aliases::default();
        let Some(AliasRelation { relation, rules }) = aliases else { return Ok(known) };
        relation.must_hold_in(self.mode)?;
        let relation = relation.sql('`');
        let place = self.place.of_aliases(&relation);
        let sql = format!("SELECT alias, contact FROM {relation}");
        let mut rows = sqlx::raw_sql(AssertSqlSafe(sql)).fetch(&mut self.connection);
        loop {
            let row = within(ANSWER_WITHIN, rows.try_next()).await;
            let row = row.map_err(|error| from_server(&place, "reading", &error, kind_of))?;
            let Some(row) = row else { return Ok(known) };
            let text = |index| row.try_get_unchecked::<Option<&[u8]>, _>(index).ok().flatten();
            if let Some((alias, contact)) = text(0).zip(text(1)) {
                known.add(alias, contact, *rules);
            }
        }
    }

    /// How many messages of the whole relation lie where none can.
    pub(super) async fn misdated(&mut self, now: DateTime<Utc>) -> Result<Misdated, SourceError> {
        let (early, late) = (literal(Misdated::EARLIEST), literal(Misdated::tomorrow_ends(now)));
        let sql = format!(
            "SELECT COUNT(CASE WHEN sent_at < {early} THEN 1 END), COUNT(CASE WHEN sent_at >= {late} THEN 1 END) FROM {} WHERE sent_at < {early} OR sent_at >= {late}",
            self.relation()
        );
        let row = self.row(&sql).await;
        let counts = row.and_then(|row| Ok((row.try_get::<i64, _>(0)?, row.try_get::<i64, _>(1)?)));
        let (early, late) = counts.map_err(|error| self.error(&error))?;
        Ok(Misdated { early: early.unsigned_abs(), late: late.unsigned_abs() })
    }

    /// The first or last `sent_at` of those that meet a condition, cut to milliseconds.
    pub(super) async fn extreme(
        &mut self,
        aggregate: &str,
        condition: &str,
    ) -> Result<Option<DateTime<Utc>>, SourceError> {
        let extreme = SENT_AT.replace("sent_at", &format!("{aggregate}(sent_at)"));
        let sql = format!("SELECT {extreme} FROM {} WHERE {condition}", self.relation());
        let micros: Option<i64> = self.one(&sql).await?;
        Ok(micros.map(to_millis).and_then(DateTime::from_timestamp_millis))
    }

    pub(super) async fn one<T>(&mut self, sql: &str) -> Result<T, SourceError>
    where
        T: for<'v> sqlx::Decode<'v, sqlx::MySql> + sqlx::Type<sqlx::MySql>,
    {
        let value = self.row(sql).await.and_then(|row| row.try_get(0));
        value.map_err(|error| self.error(&error))
    }

    async fn row(&mut self, sql: &str) -> Result<MySqlRow, sqlx::Error> {
        let query = sqlx::raw_sql(AssertSqlSafe(sql.to_owned()));
        within(ANSWER_WITHIN, query.fetch_one(&mut self.connection)).await
    }

    async fn run(&mut self, sql: &'static str) -> Result<(), SourceError> {
        let query = sqlx::raw_sql(sql).execute(&mut self.connection);
        within(ANSWER_WITHIN, query).await.map_err(|error| self.error(&error))?;
        Ok(())
    }

    pub(super) fn error(&self, error: &sqlx::Error) -> SourceError {
        from_server(self.place, "reading", error, kind_of)
    }

    /// All has been read: a connection that breaks now breaks nothing.
    pub(super) async fn close(self) {
        let _ = within(CONNECT_WITHIN, self.connection.close()).await;
    }
}

/// The bytes as they came, whatever type sqlx takes them for.
fn message<'r>(row: &'r MySqlRow, places: &[usize]) -> Result<Message<'r>, sqlx::Error> {
    let mut texts: Texts<&[u8]> = [None; _];
    for (index, place) in places.iter().enumerate() {
        texts[*place] = row.try_get_unchecked(index)?;
    }
    Ok(columns::message(&texts, to_millis(row.try_get(places.len())?)))
}

fn to_millis(micros: i64) -> i64 {
    micros.div_euclid(1000)
}

fn lies_in(period: Period) -> String {
    format!("sent_at >= {} AND sent_at < {}", literal(period.start), literal(period.end))
}

pub(super) fn literal(instant: DateTime<Utc>) -> String {
    format!("TIMESTAMP '{}'", instant.format("%Y-%m-%d %H:%M:%S%.6f"))
}

fn number(error: &sqlx::Error) -> Option<u16> {
    let error = error.as_database_error()?.try_downcast_ref::<MySqlDatabaseError>()?;
    Some(error.number())
}

/// <https://mariadb.com/docs/server/reference/error-codes/mariadb-error-code-reference>
fn kind_of(error: &sqlx::Error) -> Kind {
    match number(error) {
        // Too many connections; shutting down, normally or not; host blocked; connection killed; a lock that is
        // not given, a deadlock, a query that was interrupted or took too long.
        Some(1040 | 1053 | 1077 | 1078 | 1129 | 1927 | 1205 | 1213 | 1317 | 1969 | 3024) => {
            Kind::Unreachable
        }
        // Database, login, host, table, column, view, privilege, plugin.
        Some(1044 | 1045 | 1130 | 1142 | 1143 | 1227 | 1345 | 1698) => Kind::AccessDenied,
        Some(1049) => Kind::NoSuchDatabase,
        Some(1146) => Kind::NoSuchRelation,
        _ => Kind::Other,
    }
}
