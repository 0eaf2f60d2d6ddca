//! fecha's own database: register, invoices, evidence, outbox, audit. SQLite or PostgreSQL, one set of SQL.
//!
//! The ledger's constraints are the last guard of the rule *Once* (spec §2): one invoice that is not
//! cancelled per dealership and month, one row per number and revision, one email per cause and
//! recipient. Whatever crashes, and however many processes close at once, they hold.

pub mod account;
pub mod again;
pub mod alerts;
pub mod audit;
pub mod backup;
pub mod cancellations;
pub mod closing;
pub mod dealership;
pub mod delivery;
pub mod documents;
pub mod dps;
mod error;
mod file;
mod from_0_1;
pub mod group_bills;
pub mod group_payments;
mod guard;
mod guard_account;
pub(crate) mod guard_open;
pub mod holds;
pub mod invoices;
pub mod lease;
pub mod listing;
pub mod looks;
pub mod notes;
pub mod numbers;
mod open;
pub mod outbox;
pub mod package_notices;
pub mod packing;
pub mod pages;
pub mod people;
pub mod receivables;
pub mod refunds;
pub mod refusals;
pub mod register;
pub mod reminders;
pub mod requests;
pub mod reviews;
mod rows;
pub mod schedule;
pub mod sessions;
pub mod spent;
pub mod standing;
pub mod tasks;
pub mod timeline;
pub mod tokens;
pub mod uploads;

use std::sync::{Arc, Mutex};

use chrono::{DateTime, SecondsFormat, Utc};
use sqlx::{Any, AnyPool, Row as _};
use tokio::time::Instant;
use uuid::{ContextV7, Timestamp, Uuid};

pub use self::error::{LedgerError, Missing};
use self::file::LedgerFile;
pub use self::open::{newest_schema, silence};
use fecha_core::count::evidence::EvidenceKey;

/// A transaction of the ledger: what was written is kept by its commit, or none of it.
pub type Transaction = sqlx::Transaction<'static, Any>;

/// The ledger, open and migrated.
#[derive(Debug, Clone)]
pub struct Ledger {
    pool: AnyPool,
    /// Begins transactions. On SQLite one connection, since one writes at a time: what it has read of the file
    /// stays true from one to the next, where several in turn would read the same pages again after each other.
    writers: AnyPool,
    engine: Engine,
    written_for: WrittenFor,
    /// That of a SQLite ledger.
    file: Option<LedgerFile>,
    /// Connections that were made before are not used again.
    renewed: Arc<Mutex<Option<Instant>>>,
    /// The URL of a SQLite ledger that could only be opened to be read.
    only_read: Option<Arc<str>>,
    /// What documents are kept beside.
    shelf: Arc<packing::Shelf>,
}

/// For whom this hand on the ledger writes: nothing is written any more once another has taken over.
#[derive(Debug, Clone, Default)]
struct WrittenFor {
    /// A daemon that leads; one of a later epoch takes over.
    epoch: Option<i64>,
    /// A request that a program sent.
    request: Option<requests::Claim>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Engine {
    Sqlite,
    Postgres,
}

impl Engine {
    /// As sqlx names it, too.
    fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
        }
    }
}

impl Ledger {
    /// Remembers the evidence key by its fingerprint, or refuses one that is not the ledger's.
    ///
    /// # Errors
    /// [`LedgerError::OtherKey`] where the ledger was made with another key.
    pub async fn check_key(&self, key: &EvidenceKey) -> Result<(), LedgerError> {
        let given = key.fingerprint();
        if self.fact("evidence_key").await?.is_none() {
            self.keep_fact("evidence_key", &given).await?;
        }
        let kept = self.fact("evidence_key").await?.unwrap_or_default();
        if kept == given { Ok(()) } else { Err(LedgerError::OtherKey { given, kept }) }
    }

    /// The fingerprint of the key that its evidence was made with; `None` where there is none yet.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub async fn key_fingerprint(&self) -> Result<Option<String>, LedgerError> {
        self.fact("evidence_key").await
    }

    /// A fact about the ledger itself.
    async fn fact(&self, name: &str) -> Result<Option<String>, LedgerError> {
        let failed = LedgerError::while_doing("read what it knows of itself");
        let row = sqlx::query("SELECT value FROM meta WHERE name = $1")
            .bind(name.to_owned())
            .fetch_optional(&self.pool)
            .await
            .map_err(&failed)?;
        row.map(|row| row.try_get(0)).transpose().map_err(failed)
    }

    /// Keeps a fact, unless it is known already.
    async fn keep_fact(&self, name: &str, value: &str) -> Result<(), LedgerError> {
        let failed = LedgerError::while_doing("keep what it knows of itself");
        let mut transaction = self.begin_whoever_leads().await?;
        sqlx::query("INSERT INTO meta (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING")
            .bind(name.to_owned())
            .bind(value.to_owned())
            .execute(&mut *transaction)
            .await
            .map_err(&failed)?;
        transaction.commit().await.map_err(failed)
    }

    /// A transaction that writes. On SQLite it takes the write lock at once: one that reads first and
    /// writes later is refused where another process wrote in between.
    pub(crate) async fn begin(&self) -> Result<Transaction, LedgerError> {
        let mut transaction = self.begin_whoever_leads().await?;
        self.check_epoch(&mut transaction).await?;
        self.mark_request(&mut transaction).await?;
        Ok(transaction)
    }

    /// As [`Ledger::begin`], for what is true whichever daemon leads.
    async fn begin_whoever_leads(&self) -> Result<Transaction, LedgerError> {
        let begin = match self.engine {
            Engine::Sqlite => "BEGIN IMMEDIATE",
            Engine::Postgres => "BEGIN",
        };
        let failed = LedgerError::while_doing("begin a transaction");
        // Before, since a connection may only be made now, and after, since it is to that file.
        self.must_be_there()?;
        let transaction = self.writers.begin_with(begin).await.map_err(failed)?;
        self.must_be_there()?;
        Ok(transaction)
    }

    /// "SQLite" or "PostgreSQL".
    #[must_use]
    pub fn engine_name(&self) -> &'static str {
        self.engine.name()
    }

    /// Closes all connections; a SQLite ledger is then one file again.
    pub async fn close(self) {
        if self.must_be_there().is_err() {
            // Whoever closes a SQLite file removes what lies beside its name, which is another's by now.
            std::mem::forget(self);
            return;
        }
        self.pool.close().await;
        // The last to close gathers a SQLite ledger in its file.
        self.writers.close().await;
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
