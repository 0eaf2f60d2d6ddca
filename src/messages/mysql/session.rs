//! One connection: what it asks the server, and how the server's errors are said.

use chrono::{DateTime, Utc};
use futures::TryStreamExt as _;
use sqlx::mysql::{MySqlConnection, MySqlDatabaseError, MySqlRow};
use sqlx::{
    AssertSqlSafe, Column as _, ConnectOptions as _, Connection as _, Executor as _, Row as _,
    SqlSafeStr as _, Statement as _, TypeInfo as _,
};

use super::Mysql;
use super::key::{Found, Key};
use crate::messages::columns::{self, Optional, TEXT_COLUMNS, Texts};
use crate::messages::error::{Kind, from_server};
use crate::messages::{
    ANSWER_WITHIN, AliasRelation, CONNECT_WITHIN, Pass, Place, ROWS_A_CLOCK, ReadSlice, Relation,
    SentAt, SourceError, relation::Mode, sent_at::Times, within,
};
use fecha_core::calendar::month::Period;
use fecha_core::count::aliases::Aliases;
use fecha_core::count::misdated::Misdated;
use fecha_core::count::tally::Message;
use fecha_core::database::Scheme;

/// One connection within its snapshot.
pub(super) struct MysqlSession<'a> {
    connection: MySqlConnection,
    pub(super) place: &'a Place,
    relation: &'a Relation,
    pub(super) version: String,
    mode: Mode,
    /// The type of `sent_at`.
    pub(super) of_type: String,
    sent_at: SentAt,
}

/// Whether `sent_at` may have a type, and what to do about another.
fn expected(sent_at: SentAt, of_type: &str) -> Result<(), &'static str> {
    match sent_at {
        SentAt::Instant if matches!(of_type, "DATETIME" | "TIMESTAMP") => Ok(()),
        SentAt::Instant => Err(
            "DATETIME (in UTC) or TIMESTAMP. For whole numbers say in which unit, and their index serves: [messages] sent_at_unit = \"s\" or \"ms\". Or convert it in a parenthesised SELECT in [messages] relation; for Unix milliseconds: FROM_UNIXTIME(sent_at / 1000) AS sent_at",
        ),
        SentAt::Seconds | SentAt::Millis if of_type.contains("INT") => Ok(()),
        SentAt::Seconds | SentAt::Millis => Err(
            "a whole number where [messages] sent_at_unit is set: leave that out for a TIMESTAMP or a DATETIME in UTC, and write sent_at_zone for a DATETIME in local time",
        ),
        SentAt::Local(_) if of_type == "DATETIME" => Ok(()),
        SentAt::Local(_) => Err(
            "a DATETIME where [messages] sent_at_zone is set: leave that out for a TIMESTAMP, which is an instant, and write sent_at_unit for whole numbers",
        ),
    }
}

/// As a whole number: microseconds since 1970, unlike `UNIX_TIMESTAMP` for any year and for `DATETIME`.
fn as_number(sent_at: SentAt, column: &str) -> String {
    if sent_at.is_number() {
        format!("CAST({column} AS SIGNED)")
    } else {
        format!("TIMESTAMPDIFF(MICROSECOND, TIMESTAMP '1970-01-01 00:00:00', {column})")
    }
}

const UNKNOWN_COLUMN: u16 = 1054;

impl<'a> MysqlSession<'a> {
    /// Connects, opens the snapshot, and makes sure that relation, columns and types are right.
    pub(super) async fn begin(mysql: &'a Mysql, sent_at: SentAt) -> Result<Self, SourceError> {
        let connection = within(CONNECT_WITHIN, mysql.options.connect())
            .await
            .map_err(|error| from_server(&mysql.place, "connecting to", &error, kind_of))?;
        let mut session = Self {
            connection,
            place: &mysql.place,
            relation: &mysql.relation,
            version: String::new(),
            mode: Mode::default(),
            of_type: String::new(),
            sent_at,
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
            Ok(found) => self.of_type = found,
            Err(error) if number(&error) == Some(UNKNOWN_COLUMN) => {
                return Err(self.missing_columns().await?);
            }
            Err(error) => return Err(self.error(&error)),
        }
        expected(self.sent_at, &self.of_type).map_err(|expected| SourceError::WrongType {
            place: self.place.clone(),
            found: self.of_type.clone(),
            expected,
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
    pub(super) async fn refuse_nulls(&mut self) -> Result<(), SourceError> {
        let sql = format!(
            "SELECT COUNT(*), COUNT(CASE WHEN direction = 'in' THEN 1 END) FROM {} WHERE {}",
            self.relation(),
            self.has_no_time()
        );
        let [nulls, incoming] = self.counts(&sql).await?;
        self.place.refuse_nulls([nulls, incoming])
    }

    fn has_no_time(&self) -> &'static str {
        if self.sent_at.is_number() {
            "sent_at IS NULL"
        } else {
            "(sent_at IS NULL OR sent_at < TIMESTAMP '0001-01-01 00:00:00')"
        }
    }

    fn lies_in(&self, period: Period) -> String {
        self.sent_at.lies_in(period, Scheme::Mysql)
    }

    /// Counts the messages of the span, and before that has the server count them by window.
    pub(super) async fn read(
        &mut self,
        span: Period,
        mut pass: Pass,
    ) -> Result<ReadSlice, SourceError> {
        let key = self.key().await?;
        let Found { messages: plain, range } =
            self.messages_in(&pass.reader.periods(), span, key.as_ref()).await?;
        let most = plain.iter().max().copied().unwrap_or_default();
        let relation = self.relation();
        let from = match key.zip(range) {
            Some((key, range)) if range.is_dense(most) => key.only(range, &relation),
            _ => format!("{relation} WHERE TRUE"),
        };
        let columns = pass.columns.list();
        let (sent_at, within) = (as_number(self.sent_at, "sent_at"), self.lies_in(span));
        let sql = format!("SELECT {columns}, {sent_at} FROM {from} AND {within}");
        self.stream(sql, &mut pass).await.map_err(|error| self.error(&error))?;
        Ok(ReadSlice { pass, plain })
    }

    async fn stream(&mut self, sql: String, pass: &mut Pass) -> Result<(), sqlx::Error> {
        let places = pass.columns.places();
        let mut times = self.sent_at.times();
        let mut rows = sqlx::raw_sql(AssertSqlSafe(sql)).fetch(&mut self.connection);
        loop {
            let goes_on = within(ANSWER_WITHIN, async {
                for _ in 0..ROWS_A_CLOCK {
                    let Some(row) = rows.try_next().await? else { return Ok(false) };
                    pass.add(&message(&row, &places, &mut times)?, 1);
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

    /// How many messages each window has, counted in one go, and where in the table those of the span lie.
    async fn messages_in(
        &mut self,
        windows: &[Period],
        span: Period,
        key: Option<&Key>,
    ) -> Result<Found, SourceError> {
        let count = |window: &Period| {
            if *window == span {
                return "COUNT(*)".to_owned();
            }
            format!("COUNT(CASE WHEN {} THEN 1 END)", self.lies_in(*window))
        };
        let mut columns: Vec<String> = windows.iter().map(count).collect();
        columns.push(key.map_or("NULL, NULL".to_owned(), Key::extremes));
        let (columns, within) = (columns.join(", "), self.lies_in(span));
        let sql = format!("SELECT {columns} FROM {} WHERE {within}", self.relation());
        let row = self.row(&sql).await;
        let found = row.and_then(|row| Found::in_row(&row, windows.len()));
        found.map_err(|error| self.error(&error))
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

    /// How many messages of the whole relation lie where none can, all of which have a time; in one go,
    /// since there may be no index that leads to either.
    pub(super) async fn misdated(&mut self, now: DateTime<Utc>) -> Result<Misdated, SourceError> {
        let bound = |instant| self.sent_at.bound(instant, Scheme::Mysql);
        let (early, late) = (bound(Misdated::EARLIEST), bound(Misdated::tomorrow_ends(now)));
        let none = self.has_no_time();
        let sql = format!(
            "SELECT COUNT(CASE WHEN {none} THEN 1 END), COUNT(CASE WHEN {none} AND direction = 'in' THEN 1 END), COUNT(CASE WHEN sent_at < {early} THEN 1 END), COUNT(CASE WHEN sent_at >= {late} THEN 1 END) FROM {} WHERE {none} OR sent_at < {early} OR sent_at >= {late}",
            self.relation()
        );
        let [nulls, incoming, early, late] = self.counts(&sql).await?;
        self.place.refuse_nulls([nulls, incoming])?;
        Ok(Misdated { early, late })
    }

    /// The counts of a query that has one row of them.
    async fn counts<const N: usize>(&mut self, sql: &str) -> Result<[u64; N], SourceError> {
        let row = self.row(sql).await.map_err(|error| self.error(&error))?;
        let mut counts = [0; N];
        for (index, count) in counts.iter_mut().enumerate() {
            let found: i64 = row.try_get(index).map_err(|error| self.error(&error))?;
            *count = found.unsigned_abs();
        }
        Ok(counts)
    }

    /// The newest message of the first of these spans that has one.
    pub(super) async fn newest(
        &mut self,
        spans: &[Period],
    ) -> Result<Option<DateTime<Utc>>, SourceError> {
        let newest = as_number(self.sent_at, "MAX(sent_at)");
        for span in spans {
            let sql =
                format!("SELECT {newest} FROM {} WHERE {}", self.relation(), self.lies_in(*span));
            if let Some(value) = self.one::<Option<i64>>(&sql).await? {
                return Ok(DateTime::from_timestamp_millis(self.sent_at.times().millis(value)));
            }
        }
        Ok(None)
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
fn message<'r>(
    row: &'r MySqlRow,
    places: &[usize],
    times: &mut Times,
) -> Result<Message<'r>, sqlx::Error> {
    let mut texts: Texts<&[u8]> = [None; _];
    for (index, place) in places.iter().enumerate() {
        texts[*place] = row.try_get_unchecked(index)?;
    }
    Ok(columns::message(&texts, times.millis(row.try_get(places.len())?)))
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
