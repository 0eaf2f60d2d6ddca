//! SQLite: rusqlite on a thread that may block, each value as the bytes that lie in the file.

use std::borrow::Cow;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::time::Duration;

use chrono::{DateTime, Utc};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, ErrorCode, InterruptHandle, OpenFlags, Row};

use super::feed::{Counting, Feed};
use super::{Checked, Pass, Place, Reading, Relation, SourceError, TEXT_COLUMNS};
use crate::billing::month::Period;
use crate::billing::tally::{Message, instant};

#[derive(Clone)]
pub(super) struct Sqlite {
    pub(super) path: PathBuf,
    pub(super) place: Place,
    pub(super) relation: Relation,
}

const EXPECTED: &str = "INTEGER, Unix milliseconds, in every row: convert it in a parenthesised SELECT in [messages] relation; for ISO 8601 text: CAST(strftime('%s', sent_at) AS INTEGER) * 1000 AS sent_at";

/// How long to wait for a writer who locks the whole file (never in WAL mode).
const BUSY_TIMEOUT: Duration = Duration::from_mins(1);

impl Sqlite {
    pub(super) async fn count<P>(
        &self,
        pass: Pass<P>,
        now: DateTime<Utc>,
    ) -> Result<Reading, SourceError>
    where
        P: Fn(u64) + Send + 'static,
    {
        let span = pass.counter.span();
        let windows = pass.counter.periods();
        let (counting, mut feed) = Counting::start(pass);
        let read = move |snapshot: &Snapshot| {
            if let Some(span) = span {
                snapshot.stream(span, &mut feed)?;
            }
            let plain: Result<Vec<u64>, _> =
                windows.into_iter().map(|period| snapshot.messages_in(period)).collect();
            let until_now = format!("sent_at <= {}", now.timestamp_millis());
            Ok((plain?, snapshot.extreme("MAX", &until_now)?))
        };
        let (plain, newest) = self.in_snapshot(read).await?;
        let count = counting.finish().await.map_err(|stopped| self.place.stopped(&stopped))?;
        self.place.prove(&count, &plain)?;
        Ok(Reading { count, newest })
    }

    pub(super) async fn check(&self) -> Result<Checked, SourceError> {
        self.in_snapshot(Snapshot::check).await
    }

    /// Runs `work` within one read transaction, on a thread that may block. When the future is
    /// dropped the running query is interrupted, so that the program can end.
    async fn in_snapshot<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Snapshot) -> Result<T, SourceError> + Send + 'static,
    ) -> Result<T, SourceError> {
        let sqlite = self.clone();
        let connection = blocking(&self.place, move || sqlite.open()).await?;
        let _interrupted_when_dropped = InterruptOnDrop(connection.get_interrupt_handle());
        let sqlite = self.clone();
        blocking(&self.place, move || {
            connection.execute_batch("BEGIN").map_err(|error| sqlite.error(&error))?;
            let relation = sqlite.relation.sql('"');
            let snapshot = Snapshot { connection, sqlite, relation };
            snapshot.refuse_missing_columns()?;
            snapshot.refuse_what_is_no_time()?;
            work(&snapshot)
        })
        .await
    }

    fn open(&self) -> Result<Connection, SourceError> {
        // SQLite's own word for all of this is "unable to open database file".
        let (path, place) = (self.path.display(), self.place.clone());
        let missing =
            |cause| SourceError::NoSuchDatabase { database: place.database.clone(), cause };
        match std::fs::metadata(&self.path) {
            Ok(metadata) if metadata.is_dir() => {
                return Err(missing(format!("{path} is a folder")));
            }
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                return Err(SourceError::AccessDenied { place, cause: format!("{path}: {error}") });
            }
            Err(error) => return Err(missing(format!("{path}: {error}"))),
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let opened = Connection::open_with_flags(&self.path, flags)
            .and_then(|connection| connection.busy_timeout(BUSY_TIMEOUT).map(|()| connection));
        opened.map_err(|error| self.error(&error))
    }

    fn error(&self, error: &rusqlite::Error) -> SourceError {
        let place = self.place.clone();
        let cause = said(error);
        match error.sqlite_error_code() {
            // A WAL database needs its -shm file, which only a writer may make.
            Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied | ErrorCode::ReadOnly) => {
                let path = self.path.display();
                let cause = format!(
                    "{cause}: {path} must be a file that fecha may read, and if it is in WAL mode, fecha must be allowed to write its folder"
                );
                SourceError::AccessDenied { place, cause }
            }
            _ if cause.starts_with("no such table") => SourceError::NoSuchRelation { place, cause },
            _ => SourceError::Other { place, doing: "reading", cause },
        }
    }
}

/// An open read transaction; it ends with its connection.
struct Snapshot {
    connection: Connection,
    sqlite: Sqlite,
    /// What stands behind `FROM`.
    relation: String,
}

impl Snapshot {
    fn check(&self) -> Result<Checked, SourceError> {
        Ok(Checked {
            engine: format!("SQLite {}", rusqlite::version()),
            database: self.sqlite.place.database.clone(),
            relation: self.sqlite.place.relation.clone(),
            sent_at: "INTEGER".to_owned(),
            oldest: self.extreme("MIN", "TRUE")?,
            newest: self.extreme("MAX", "TRUE")?,
        })
    }

    fn refuse_missing_columns(&self) -> Result<(), SourceError> {
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
    fn refuse_what_is_no_time(&self) -> Result<(), SourceError> {
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

    fn stream(&self, span: Period, feed: &mut Feed) -> Result<(), SourceError> {
        let stopped = |stopped| self.sqlite.place.stopped(&stopped);
        let in_file = |error| self.sqlite.error(&error);
        let sql = format!(
            "SELECT {}, sent_at FROM {} WHERE {}",
            TEXT_COLUMNS.join(", "),
            self.relation,
            lies_in(span)
        );
        let mut statement = self.connection.prepare(&sql).map_err(in_file)?;
        let mut rows = statement.query(()).map_err(in_file)?;
        while let Some(row) = rows.next().map_err(in_file)? {
            let texts = texts(row).map_err(in_file)?;
            let [dealership_id, contact, direction, kind, template, status] = &texts;
            let sent_at = match row.get_ref(TEXT_COLUMNS.len()).map_err(in_file)? {
                ValueRef::Integer(millis) => millis,
                other => return Err(self.wrong_type(format!("{other:?}"))),
            };
            let message = Message {
                dealership_id: dealership_id.as_deref(),
                contact: contact.as_deref(),
                direction: direction.as_deref(),
                kind: kind.as_deref(),
                template: template.as_deref(),
                status: status.as_deref(),
                sent_at,
            };
            if feed.put(&message, 1) {
                feed.send_blocking().map_err(stopped)?;
            }
        }
        feed.send_blocking().map_err(stopped)
    }

    fn messages_in(&self, period: Period) -> Result<u64, SourceError> {
        self.messages_where(&lies_in(period))
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
        self.one::<Option<i64>>(&sql).map(|millis| millis.map(instant))
    }

    fn one<T: rusqlite::types::FromSql>(&self, sql: &str) -> Result<T, SourceError> {
        let value = self.connection.query_row(sql, (), |row| row.get(0));
        value.map_err(|error| self.sqlite.error(&error))
    }
}

/// Interrupts what runs on the connection when the future that waits for it is dropped.
struct InterruptOnDrop(InterruptHandle);

impl Drop for InterruptOnDrop {
    fn drop(&mut self) {
        self.0.interrupt();
    }
}

async fn blocking<T: Send + 'static>(
    place: &Place,
    work: impl FnOnce() -> Result<T, SourceError> + Send + 'static,
) -> Result<T, SourceError> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| {
        Err(SourceError::Other { place: place.clone(), doing: "reading", cause: error.to_string() })
    })
}

fn texts<'r>(row: &'r Row<'_>) -> Result<[Option<Cow<'r, [u8]>>; 6], rusqlite::Error> {
    let mut texts = [const { None }; TEXT_COLUMNS.len()];
    for (index, text) in texts.iter_mut().enumerate() {
        *text = match row.get_ref(index)? {
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

/// SQLite's own words, without the query that rusqlite adds.
fn said(error: &rusqlite::Error) -> String {
    match error {
        rusqlite::Error::SqlInputError { msg, .. } => msg.clone(),
        rusqlite::Error::SqliteFailure(_, Some(message)) => message.clone(),
        error => error.to_string(),
    }
}
