//! Who of several daemons on one PostgreSQL ledger leads.
//!
//! No clock of any machine is trusted. A leader holds a session lock of the server, which goes when its
//! process or its line dies, and counts up a beat, which stands still when the process is paused. Who
//! waits takes over when it sees either. Each leader has an epoch; a ledger that is fenced by one
//! ([`Ledger::fenced`]) refuses to write once a later epoch has begun, so that a leader who was paused
//! and wakes up cannot issue.

use sqlx::{Any, AnyConnection, Connection as _, Row as _, Transaction};

use super::{Engine, Ledger, LedgerError, WrittenFor};

/// Any number that nobody else is likely to use for an advisory lock: "fech".
const LOCK_CLASS: i64 = 0x6665_6368;

/// A connection of its own, on which a daemon waits to lead, and leads.
#[derive(Debug)]
pub struct LeaseSession(AnyConnection);

/// What the lease says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    /// How many leaders there have been.
    pub epoch: i64,
    /// Counts while the latest of them lives.
    pub beat: i64,
}

impl Ledger {
    /// Whether several daemons can share this ledger: on PostgreSQL.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        self.engine == Engine::Postgres
    }

    /// How many leaders a shared ledger has had; `None` for a ledger of one daemon.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub async fn leaders(&self) -> Result<Option<i64>, LedgerError> {
        if !self.is_shared() {
            return Ok(None);
        }
        let failed = LedgerError::while_doing("read who leads");
        let row = sqlx::query("SELECT epoch FROM lease WHERE name = 'daemon'")
            .fetch_optional(&self.pool)
            .await
            .map_err(&failed)?;
        row.map(|row| row.try_get(0)).transpose().map_err(failed)
    }

    /// The same ledger, which refuses to write once a leader later than `epoch` has begun.
    #[must_use]
    pub fn fenced(&self, epoch: i64) -> Self {
        let written_for = WrittenFor { epoch: Some(epoch), ..self.written_for.clone() };
        Self { written_for, ..self.clone() }
    }

    /// A session to wait and to lead on.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be reached.
    pub async fn session(&self) -> Result<LeaseSession, LedgerError> {
        let failed = LedgerError::while_doing("read who leads");
        let options = self.pool.connect_options();
        let mut connection = AnyConnection::connect_with(&options).await.map_err(&failed)?;
        sqlx::query("INSERT INTO lease (name, epoch, beat) VALUES ('daemon', 0, 0) ON CONFLICT (name) DO NOTHING")
            .execute(&mut connection)
            .await
            .map_err(&failed)?;
        Ok(LeaseSession(connection))
    }

    /// Holds the epoch against the lease in a transaction that has begun. The row stays locked until
    /// its end, so that no later epoch begins in between.
    pub(super) async fn check_epoch(
        &self,
        transaction: &mut Transaction<'static, Any>,
    ) -> Result<(), LedgerError> {
        let Some(epoch) = self.written_for.epoch else { return Ok(()) };
        let now: i64 = sqlx::query("SELECT epoch FROM lease WHERE name = 'daemon' FOR SHARE")
            .fetch_one(&mut **transaction)
            .await
            .and_then(|row| row.try_get(0))
            .map_err(LedgerError::while_doing("read who leads"))?;
        if now == epoch { Ok(()) } else { Err(LedgerError::Deposed) }
    }
}

impl LeaseSession {
    /// The lease as it is now.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be reached.
    pub async fn lease(&mut self) -> Result<Lease, LedgerError> {
        let row = sqlx::query("SELECT epoch, beat FROM lease WHERE name = 'daemon'")
            .fetch_one(&mut self.0)
            .await;
        row.and_then(|row| Ok(Lease { epoch: row.try_get(0)?, beat: row.try_get(1)? }))
            .map_err(LedgerError::while_doing("read who leads"))
    }

    /// Whether the leader of an epoch has no session any more: it ended, or its line did.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be reached.
    pub async fn is_gone(&mut self, epoch: i64) -> Result<bool, LedgerError> {
        let is_free = self.lock(epoch).await?;
        if is_free {
            self.unlock(epoch).await?;
        }
        Ok(is_free)
    }

    /// Begins the epoch after `epoch` and gives its number; `None` where another did so first. Waits
    /// for transactions of the leader before, which the server ends after a limit.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be reached.
    pub async fn take_over(&mut self, epoch: i64) -> Result<Option<i64>, LedgerError> {
        let next = epoch + 1;
        // First the lock, then the epoch: a leader without its lock would look dead.
        if !self.lock(next).await? {
            return Ok(None);
        }
        let taken = sqlx::query(
            "UPDATE lease SET epoch = $1, beat = 0 WHERE name = 'daemon' AND epoch = $2",
        )
        .bind(next)
        .bind(epoch)
        .execute(&mut self.0)
        .await
        .map_err(LedgerError::while_doing("take over"))?;
        if taken.rows_affected() == 1 {
            return Ok(Some(next));
        }
        self.unlock(next).await?;
        Ok(None)
    }

    /// Shows that the leader of `epoch` lives.
    ///
    /// # Errors
    /// [`LedgerError::Deposed`] where another leads, else where the ledger cannot be reached.
    pub async fn beat(&mut self, epoch: i64) -> Result<(), LedgerError> {
        let beaten =
            sqlx::query("UPDATE lease SET beat = beat + 1 WHERE name = 'daemon' AND epoch = $1")
                .bind(epoch)
                .execute(&mut self.0)
                .await
                .map_err(LedgerError::while_doing("renew the lease"))?;
        if beaten.rows_affected() == 1 { Ok(()) } else { Err(LedgerError::Deposed) }
    }

    /// Ends the session, and with it the leadership: whoever waits takes over at once.
    pub async fn close(self) {
        // The server finds out by itself where the line is cut already.
        let _ = self.0.close().await;
    }

    async fn lock(&mut self, epoch: i64) -> Result<bool, LedgerError> {
        self.advisory(
            "SELECT pg_try_advisory_lock(CAST($1 AS INTEGER), CAST($2 AS INTEGER))",
            epoch,
        )
        .await
    }

    async fn unlock(&mut self, epoch: i64) -> Result<bool, LedgerError> {
        self.advisory("SELECT pg_advisory_unlock(CAST($1 AS INTEGER), CAST($2 AS INTEGER))", epoch)
            .await
    }

    async fn advisory(&mut self, sql: &'static str, epoch: i64) -> Result<bool, LedgerError> {
        sqlx::query(sql)
            .bind(LOCK_CLASS)
            .bind(epoch)
            .fetch_one(&mut self.0)
            .await
            .and_then(|row| row.try_get(0))
            .map_err(LedgerError::while_doing("lock the lease"))
    }
}
