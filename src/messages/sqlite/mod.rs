//! SQLite: rusqlite on threads that may block, each value as the bytes that lie in the file.
//!
//! What a pass costs is the stepping from row to row. Connections that have the same snapshot share it:
//! each reads a slice of the month, or a part of where the month lies in the table.

mod range;
mod snapshot;

use std::io::ErrorKind;
use std::num::NonZeroU8;
use std::path::PathBuf;
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures::future::try_join_all;
use rusqlite::{Connection, ErrorCode, InterruptHandle, OpenFlags};

use self::range::parts;
use self::snapshot::Snapshot;
use super::{Checked, Pass, Place, ReadSlice, Relation, SentAt, SourceError, SourceReading};
use fecha_core::calendar::month::Period;

#[derive(Clone)]
pub(super) struct Sqlite {
    pub(super) path: PathBuf,
    pub(super) place: Place,
    pub(super) relation: Relation,
    /// At most so many at once.
    pub(super) connections: NonZeroU8,
}

/// How long to wait for a writer who locks the whole file (never in WAL mode).
const BUSY_TIMEOUT: Duration = Duration::from_mins(1);

/// How long the second connection waits for him: he may be waiting himself, for the first to be done.
const BUSY_TIMEOUT_OF_OTHERS: Duration = Duration::from_millis(100);

/// How often connections begin anew until all have the same snapshot: in a busy database a transaction
/// may be committed in between.
const TRIES: usize = 5;

impl Sqlite {
    pub(super) async fn read(
        &self,
        mut pass: Pass,
        now: DateTime<Utc>,
    ) -> Result<SourceReading, SourceError> {
        let span = pass.reader.span();
        let connections = self.open(self.connections).await?;
        let _interrupted_when_dropped: Vec<_> = connections.iter().map(interrupt).collect();
        let alias_relation = pass.aliases.clone();
        let (sent_at, newest_in) = (pass.sent_at, pass.newest_in.clone());
        let begin = move |sqlite: Self| {
            let snapshots = sqlite.begin_together(connections, sent_at, span)?;
            let first = &snapshots[0];
            let misdated = first.misdated(now)?;
            let aliases = first.aliases(alias_relation.as_ref())?;
            let found = (first.optional()?, aliases, first.newest(&newest_in)?, misdated);
            Ok((snapshots, found))
        };
        let (snapshots, (optional, aliases, newest, misdated)) = self.blocking(begin).await?;
        pass.begin(optional, aliases);
        let slices = match span {
            Some(span) => self.read_span(snapshots, &pass, span).await?,
            None => Vec::new(),
        };
        Ok(SourceReading { reader: pass.conclude(slices, &self.place)?, newest, misdated })
    }

    /// Measures the span and reads it, each snapshot a part of it.
    async fn read_span(
        &self,
        snapshots: Vec<Snapshot>,
        pass: &Pass,
        span: Period,
    ) -> Result<Vec<ReadSlice>, SourceError> {
        let slices = span.slices(snapshots.len());
        let measuring = snapshots.into_iter().zip(slices.clone()).map(|(snapshot, slice)| {
            let windows = pass.reader.periods();
            self.blocking(move |_| Ok((snapshot.measure(slice, &windows)?, snapshot)))
        });
        let (extents, snapshots): (Vec<_>, Vec<_>) =
            try_join_all(measuring).await?.into_iter().unzip();
        let parts = parts(span, &slices, &extents);
        let reading =
            snapshots.into_iter().zip(parts).zip(extents).map(|((snapshot, part), extent)| {
                let mut pass = pass.another();
                self.blocking(move |_| {
                    snapshot.stream(part, &mut pass)?;
                    Ok(ReadSlice { pass, plain: extent.plain })
                })
            });
        try_join_all(reading).await
    }

    pub(super) async fn check(&self, sent_at: SentAt) -> Result<Checked, SourceError> {
        let connections = self.open(NonZeroU8::MIN).await?;
        let _interrupted_when_dropped: Vec<_> = connections.iter().map(interrupt).collect();
        let check = move |sqlite: Self| {
            let snapshots = sqlite.begin_together(connections, sent_at, None)?;
            snapshots[0].refuse_what_is_no_time()?;
            snapshots[0].check()
        };
        self.blocking(check).await
    }

    /// Runs `work` on a thread that may block.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(Self) -> Result<T, SourceError> + Send + 'static,
    ) -> Result<T, SourceError> {
        let sqlite = self.clone();
        let work = tokio::task::spawn_blocking(move || work(sqlite)).await;
        work.unwrap_or_else(|error| Err(self.place.broken_off(&error)))
    }

    /// So many connections; there is no snapshot yet.
    async fn open(&self, connections: NonZeroU8) -> Result<Vec<Connection>, SourceError> {
        let open = move |sqlite: Self| (0..connections.get()).map(|_| sqlite.open_one()).collect();
        self.blocking(open).await
    }

    fn open_one(&self) -> Result<Connection, SourceError> {
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

    /// Snapshots that see the same messages: as many as there are connections where an index leads to
    /// the span, else one, since each would look through the whole table.
    fn begin_together(
        &self,
        connections: Vec<Connection>,
        sent_at: SentAt,
        span: Option<Period>,
    ) -> Result<Vec<Snapshot>, SourceError> {
        let snapshots =
            connections.into_iter().map(|connection| Snapshot::new(connection, self, sent_at));
        let mut snapshots: Vec<Snapshot> = snapshots.collect();
        snapshots[0].refuse_missing_columns()?;
        let may_share = snapshots.len() > 1 && snapshots[0].is_led_to(span)?;
        if !may_share || !(0..TRIES).any(|_| have_begun_together(&snapshots)) {
            snapshots.truncate(1);
            snapshots[0].begin().map_err(|error| self.error(&error))?;
        }
        Ok(snapshots)
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
            // Locked for longer than one may wait, out of room, a disk that fails: it may work later.
            Some(
                ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseLocked
                | ErrorCode::DiskFull
                | ErrorCode::SystemIoFailure
                | ErrorCode::OutOfMemory,
            ) => SourceError::NotNow { database: place.database, cause },
            _ if cause.starts_with("no such table") => SourceError::NoSuchRelation { place, cause },
            _ => SourceError::Other { place, doing: "reading", cause },
        }
    }
}

/// Begins all of them, and makes sure that nothing was committed in between: each of the others has
/// seen the database's version before the first began, and sees the same after it began itself. If
/// not, none has begun.
fn have_begun_together(snapshots: &[Snapshot]) -> bool {
    let [first, others @ ..] = snapshots else { return false };
    let versions = || -> rusqlite::Result<(Vec<i64>, Vec<i64>)> {
        others.iter().try_for_each(Snapshot::hurry)?;
        let before: Vec<i64> = others.iter().map(Snapshot::version).collect::<Result<_, _>>()?;
        first.begin()?;
        let after = others.iter().map(|other| other.begin().and_then(|()| other.version()));
        Ok((before, after.collect::<Result<_, _>>()?))
    };
    let have = versions().is_ok_and(|(before, after)| before == after);
    if !have {
        snapshots.iter().for_each(Snapshot::end);
    }
    have
}

/// Interrupts what runs on the connection when the future that waits for it is dropped.
struct InterruptOnDrop(InterruptHandle);

impl Drop for InterruptOnDrop {
    fn drop(&mut self) {
        self.0.interrupt();
    }
}

fn interrupt(connection: &Connection) -> InterruptOnDrop {
    InterruptOnDrop(connection.get_interrupt_handle())
}

/// SQLite's own words, without the query that rusqlite adds.
fn said(error: &rusqlite::Error) -> String {
    match error {
        rusqlite::Error::SqlInputError { msg, .. } => msg.clone(),
        rusqlite::Error::SqliteFailure(_, Some(message)) => message.clone(),
        error => error.to_string(),
    }
}
