//! fecha's own database: register, invoices, evidence, outbox, audit. SQLite or PostgreSQL, one set of SQL.
//!
//! The ledger's constraints are the last guard of the rule *Once* (spec §2): one invoice that is not
//! cancelled per dealership and month, one row per number and revision, one email per cause and
//! recipient. Whatever crashes, and however many processes close at once, they hold.

pub mod account;
pub mod alerts;
pub mod audit;
pub mod cancellations;
pub mod closing;
pub mod delivery;
mod from_0_1;
mod guard;
mod guard_account;
pub mod invoices;
pub mod lease;
pub mod listing;
pub mod looks;
pub mod notes;
pub mod numbers;
pub mod outbox;
pub mod package_notices;
pub mod packing;
pub mod receivables;
pub mod register;
pub mod reminders;
pub mod schedule;
pub mod standing;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::{Any, AnyConnection, AnyPool, Connection as _, Executor as _, Row as _};
use uuid::{ContextV7, Timestamp, Uuid};

use fecha_core::count::evidence::EvidenceKey;
use fecha_core::database::Scheme;
use fecha_core::secret::{without_password, without_password_of};

static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

/// How long a server may take to let us in.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);
/// How long a process waits for another one's transaction.
const BUSY_TIMEOUT: Duration = Duration::from_mins(1);

/// A transaction of the ledger: what was written is kept by its commit, or none of it.
pub type Transaction = sqlx::Transaction<'static, Any>;

/// The ledger, open and migrated.
#[derive(Debug, Clone)]
pub struct Ledger {
    pool: AnyPool,
    engine: Engine,
    /// Writing is refused once a daemon of a later epoch leads.
    epoch: Option<i64>,
    shelf: Arc<packing::Shelf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Engine {
    Sqlite,
    Postgres,
}

/// What the ledger could not do.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The URL names no engine that the ledger runs on.
    #[error("[ledger] url: '{0}' is neither sqlite:FILE nor postgres://…")]
    UnknownEngine(String),
    /// The server is away, or the connection was lost.
    #[error(
        "the ledger {ledger} could not be reached: {cause}. Nothing is half done: run the command again"
    )]
    Unreachable {
        /// The URL without a password.
        ledger: String,
        /// In the words of the driver.
        cause: String,
    },
    /// The file or database cannot be opened, and trying again will not help.
    #[error("the ledger {ledger} cannot be opened: {cause}")]
    CannotOpen {
        /// The URL without a password.
        ledger: String,
        /// In the words of the driver.
        cause: String,
    },
    /// A later fecha wrote it.
    #[error(
        "the ledger {0} is newer than this fecha: install the version that wrote it, or a later one"
    )]
    Newer(String),
    /// The evidence key is not the one that all evidence in the ledger was made with.
    #[error(
        "the evidence key is not the one of this ledger (fingerprint {given}, the ledger has {kept}): put the evidence.key back that was beside the configuration when the ledger was made"
    )]
    OtherKey {
        /// Of the key at hand.
        given: String,
        /// Of the key that the ledger knows.
        kept: String,
    },
    /// A row that fecha cannot have written.
    #[error(
        "the ledger holds what fecha did not write: {0}. Restore it from a backup, or ask for help; nothing was changed"
    )]
    Corrupt(String),
    /// Another daemon leads.
    #[error("another daemon has taken over: this one writes nothing more")]
    Deposed,
    /// Any other error of the database.
    #[error("the ledger refused to {action}: {source}")]
    Database {
        /// What was tried.
        action: &'static str,
        /// Why not.
        source: sqlx::Error,
    },
}

impl LedgerError {
    /// Whether trying again later, unchanged, may help: the exit status 3.
    #[must_use]
    pub fn is_unreachable(&self) -> bool {
        matches!(self, Self::Unreachable { .. })
    }

    /// Turns a driver's error into ours; `action` completes "the ledger refused to …".
    pub(crate) fn while_doing(action: &'static str) -> impl Fn(sqlx::Error) -> Self {
        move |source| {
            if is_away(&source) {
                Self::Unreachable { ledger: "database".to_owned(), cause: source.to_string() }
            } else {
                Self::Database { action, source }
            }
        }
    }

    /// Whether nothing can be written now, whatever it is: what goes on for one dealership alone is not.
    #[must_use]
    pub fn concerns_everything(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::Deposed)
    }
}

impl Ledger {
    /// Opens the ledger, makes it where it is a SQLite file that does not exist yet, and brings its
    /// tables up to date, those of an earlier fecha too. Whoever is killed on the way leaves a ledger that
    /// opens again and goes on from there; several may open it at once.
    ///
    /// # Errors
    /// [`LedgerError`] where it cannot be reached, or is newer than this program.
    pub async fn open(url: &str) -> Result<Self, LedgerError> {
        sqlx::any::install_default_drivers();
        let engine = match Scheme::of(url) {
            Some(Scheme::Sqlite) => Engine::Sqlite,
            Some(Scheme::Postgres) => Engine::Postgres,
            Some(Scheme::Mysql) | None => {
                return Err(LedgerError::UnknownEngine(without_password(url)));
            }
        };
        let cannot_open = |error: sqlx::Error| open_error(url, &error);
        let options: AnyConnectOptions = match engine {
            Engine::Sqlite => sqlite_url(url).parse(),
            Engine::Postgres => url.parse(),
        }
        .map_err(cannot_open)?;
        // One connection by itself first: a pool would try a server that is away for a minute.
        let first = AnyConnection::connect_with(&options);
        match tokio::time::timeout(CONNECT_TIMEOUT, first).await {
            Ok(Ok(connection)) => connection.close().await.map_err(cannot_open)?,
            Ok(Err(error)) => return Err(cannot_open(error)),
            Err(_) => return Err(cannot_open(sqlx::Error::PoolTimedOut)),
        }
        let pool = AnyPoolOptions::new()
            .max_connections(4)
            .acquire_timeout(BUSY_TIMEOUT)
            .after_connect(move |connection, _| {
                Box::pin(async move {
                    let setup = match engine {
                        Engine::Sqlite => SQLITE_SETUP,
                        Engine::Postgres => POSTGRES_SETUP,
                    };
                    connection.execute(setup).await.map(|_| ())
                })
            })
            .connect_with(options)
            .await
            .map_err(cannot_open)?;
        let ledger = Self { pool, engine, epoch: None, shelf: Arc::default() };
        ledger.migrate(url).await?;
        ledger.guard().await?;
        ledger.fill_figures().await?;
        ledger.open_items_of_0_1().await?;
        Ok(ledger)
    }

    async fn migrate(&self, url: &str) -> Result<(), LedgerError> {
        let mut tries = 0;
        loop {
            match MIGRATIONS.run(&self.pool).await {
                Ok(()) => return Ok(()),
                Err(MigrateError::VersionMissing(_) | MigrateError::VersionTooNew(..)) => {
                    return Err(LedgerError::Newer(without_password(url)));
                }
                // SQLite has no lock for migrations: of two processes that open a new ledger at once,
                // one finds the tables made under its hands. It looks again.
                Err(_) if self.engine == Engine::Sqlite && tries < 20 => {
                    tries += 1;
                    tokio::time::sleep(Duration::from_millis(50 * tries)).await;
                }
                Err(error) => {
                    return Err(LedgerError::CannotOpen {
                        ledger: without_password(url),
                        cause: without_password_of(url, &error.to_string()),
                    });
                }
            }
        }
    }

    /// Remembers the evidence key by its fingerprint, or refuses one that is not the ledger's.
    ///
    /// # Errors
    /// [`LedgerError::OtherKey`] where the ledger was made with another key.
    pub async fn check_key(&self, key: &EvidenceKey) -> Result<(), LedgerError> {
        let failed = LedgerError::while_doing("keep the fingerprint of the evidence key");
        let given = key.fingerprint();
        sqlx::query("INSERT INTO meta (name, value) VALUES ('evidence_key', $1) ON CONFLICT (name) DO NOTHING")
            .bind(&given)
            .execute(&self.pool)
            .await
            .map_err(&failed)?;
        let kept: String = sqlx::query("SELECT value FROM meta WHERE name = 'evidence_key'")
            .fetch_one(&self.pool)
            .await
            .and_then(|row| row.try_get(0))
            .map_err(&failed)?;
        if kept == given { Ok(()) } else { Err(LedgerError::OtherKey { given, kept }) }
    }

    /// A transaction that writes. On SQLite it takes the write lock at once: one that reads first and
    /// writes later is refused where another process wrote in between.
    pub(crate) async fn begin(&self) -> Result<Transaction, LedgerError> {
        let mut transaction = self.begin_whoever_leads().await?;
        self.check_epoch(&mut transaction).await?;
        Ok(transaction)
    }

    /// As [`Ledger::begin`], for what is true whichever daemon leads.
    async fn begin_whoever_leads(&self) -> Result<Transaction, LedgerError> {
        let begin = match self.engine {
            Engine::Sqlite => "BEGIN IMMEDIATE",
            Engine::Postgres => "BEGIN",
        };
        let failed = LedgerError::while_doing("begin a transaction");
        self.pool.begin_with(begin).await.map_err(failed)
    }

    /// "SQLite" or "PostgreSQL".
    #[must_use]
    pub fn engine_name(&self) -> &'static str {
        match self.engine {
            Engine::Sqlite => "SQLite",
            Engine::Postgres => "PostgreSQL",
        }
    }

    /// Closes all connections; a SQLite ledger is then one file again.
    pub async fn close(self) {
        self.pool.close().await;
    }
}

/// Keeps what was committed through a power cut (`FULL`), lets readers in while a close writes (WAL).
const SQLITE_SETUP: &str = "PRAGMA busy_timeout = 60000; PRAGMA journal_mode = WAL; \
                            PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON";

/// A process that is paused within a transaction keeps the others waiting no longer than this.
const POSTGRES_SETUP: &str = "SET idle_in_transaction_session_timeout = '20s'";

/// A ledger is made where it is missing, unless the URL says otherwise.
fn sqlite_url(url: &str) -> String {
    if url.contains('?') { url.to_owned() } else { format!("{url}?mode=rwc") }
}

fn open_error(url: &str, error: &sqlx::Error) -> LedgerError {
    let ledger = without_password(url);
    let cause = without_password_of(url, &error.to_string());
    if is_away(error) {
        LedgerError::Unreachable { ledger, cause }
    } else {
        LedgerError::CannotOpen { ledger, cause }
    }
}

/// Whether the database cannot be used now, whatever it is asked: gone, shutting down, out of room.
fn is_away(error: &sqlx::Error) -> bool {
    // PostgreSQL, appendix A: connection lost (08), out of resources (53), server ends (57P), left
    // idle in a transaction (25P03); five characters. SQLite: locked (5), I/O error (10), full (13), in the
    // lowest byte of a number.
    let is_passing = |code: &str| match code.len() {
        5 => ["08", "53", "57P", "25P03"].iter().any(|class| code.starts_with(class)),
        _ => code.parse::<u32>().is_ok_and(|code| matches!(code & 0xff, 5 | 10 | 13)),
    };
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => true,
        sqlx::Error::Database(error) => error.code().is_some_and(|code| is_passing(&code)),
        _ => false,
    }
}

/// An id that sorts by `now`, and in the order in which this process made them.
fn new_id(now: DateTime<Utc>) -> String {
    static ORDER: Mutex<ContextV7> = Mutex::new(ContextV7::new());
    let seconds = u64::try_from(now.timestamp()).unwrap_or_default();
    let at = Timestamp::from_unix(&ORDER, seconds, now.timestamp_subsec_nanos());
    Uuid::new_v7(at).to_string()
}

fn to_text(instant: DateTime<Utc>) -> String {
    // Fixed width, so that text sorts as time does.
    instant.to_rfc3339_opts(SecondsFormat::Millis, true)
}

fn from_text(text: &str) -> Result<DateTime<Utc>, LedgerError> {
    text.parse().map_err(|_| LedgerError::Corrupt(format!("'{text}' where an instant should be")))
}

fn corrupt(error: impl std::fmt::Display) -> LedgerError {
    LedgerError::Corrupt(error.to_string())
}

fn json<T: serde::Serialize>(value: &T) -> Result<String, LedgerError> {
    serde_json::to_string(value).map_err(corrupt)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_sort_by_the_clock_that_was_given_and_then_in_their_order() {
        let now = "2026-11-01T03:00:00.123Z".parse().unwrap();
        let ids: Vec<String> = (0..1000).map(|_| new_id(now)).collect();
        assert!(ids.is_sorted_by(|a, b| a < b));
        let later = new_id(now + chrono::TimeDelta::milliseconds(1));
        assert!(ids.iter().all(|id| *id < later));
        // A clock that was set back does not put what comes later before what was there.
        assert!(later < new_id(now - chrono::TimeDelta::days(1)));
    }
}
