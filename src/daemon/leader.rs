//! One daemon works at a time: on a SQLite ledger a second is refused, on PostgreSQL it waits.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Write as _};
use std::path::PathBuf;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

use super::DaemonError;
use super::pulse::Pulse;
use crate::ledger::lease::{Lease, LeaseSession};
use crate::ledger::{Ledger, LedgerError};
use crate::setup::config::DatabaseUrl;

/// How often a leader shows that it lives, and who waits looks.
const BEAT: Duration = Duration::from_secs(3);
/// A beat that stands still for so long is that of a leader who is paused or cut off.
const STILL: Duration = Duration::from_secs(20);
/// How long the ledger may take to answer; a take-over waits for transactions that the server ends
/// after 20 seconds.
const ANSWER: Duration = Duration::from_secs(40);

/// The right to work on a ledger.
#[derive(Debug)]
pub enum Seat {
    /// Alone, as long as this process lives: the system holds the lock.
    Alone {
        /// Locked.
        _lock: File,
    },
    /// In turn with others.
    Shared,
}

impl Seat {
    /// Takes the seat at a ledger.
    ///
    /// # Errors
    /// [`DaemonError::Second`] where another daemon has a SQLite ledger.
    pub fn take(url: &DatabaseUrl, ledger: &Ledger) -> Result<Self, DaemonError> {
        let Some(database) = url.file() else { return Ok(Self::Shared) };
        let mut file = database.into_os_string();
        file.push(".daemon");
        let file = PathBuf::from(file);
        let failed = |source| DaemonError::Lock { file: file.display().to_string(), source };
        let mut lock = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&file)
            .map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut process = String::new();
                // Only for the message: who cannot be read has no number.
                let _ = lock.read_to_string(&mut process);
                let process = Some(process.trim().to_owned()).filter(|id| !id.is_empty());
                return Err(DaemonError::Second { ledger: url.to_string(), process });
            }
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        lock.set_len(0).and_then(|()| writeln!(lock, "{}", std::process::id())).map_err(failed)?;
        debug_assert!(!ledger.is_shared(), "only a SQLite ledger is a file");
        Ok(Self::Alone { _lock: lock })
    }

    /// Waits until this daemon leads.
    pub async fn wait(&self, ledger: &Ledger, pulse: &Pulse) -> Term {
        if matches!(self, Self::Alone { .. }) {
            return Term { ledger: ledger.clone(), session: None };
        }
        let mut told = false;
        loop {
            match campaign(ledger, pulse).await {
                Ok((session, epoch)) => {
                    tracing::info!(epoch, "this daemon leads");
                    return Term { ledger: ledger.fenced(epoch), session: Some((session, epoch)) };
                }
                Err(error) if !told => {
                    told = true;
                    tracing::error!(%error, "cannot see who leads: trying again");
                }
                Err(_) => {}
            }
            sleep(BEAT).await;
        }
    }
}

/// Waits on one session until the leader is gone or stands still, and takes over.
async fn campaign(ledger: &Ledger, pulse: &Pulse) -> Result<(LeaseSession, i64), LedgerError> {
    let mut session = in_time(ledger.session()).await?;
    let mut seen: Option<(Lease, Instant)> = None;
    loop {
        pulse.beat();
        let lease = in_time(session.lease()).await?;
        let since = match seen {
            Some((before, since)) if before == lease => since,
            _ => Instant::now(),
        };
        if seen.is_none() {
            tracing::info!(epoch = lease.epoch, "looking whether another daemon leads");
        }
        seen = Some((lease, since));
        let is_free = since.elapsed() > STILL || in_time(session.is_gone(lease.epoch)).await?;
        if is_free && let Some(epoch) = in_time(session.take_over(lease.epoch)).await? {
            return Ok((session, epoch));
        }
        sleep(BEAT).await;
    }
}

async fn in_time<T>(asked: impl Future<Output = Result<T, LedgerError>>) -> Result<T, LedgerError> {
    timeout(ANSWER, asked).await.unwrap_or_else(|_| {
        let cause = "it did not answer in time".to_owned();
        Err(LedgerError::Unreachable { ledger: "database".to_owned(), cause })
    })
}

/// A time of leading.
#[derive(Debug)]
pub struct Term {
    /// The ledger; it refuses to be written once another leads.
    pub ledger: Ledger,
    session: Option<(LeaseSession, i64)>,
}

impl Term {
    /// Keeps the lead; completes when it is lost, or may be.
    pub async fn lost(&mut self) {
        let Some((session, epoch)) = &mut self.session else {
            return std::future::pending().await;
        };
        loop {
            sleep(BEAT).await;
            // Not longer than others wait, so that this one stops before they begin.
            let beat = timeout(STILL.saturating_sub(2 * BEAT), session.beat(*epoch));
            match beat.await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => return tracing::warn!(%error, "the lead is lost"),
                Err(_) => return tracing::warn!("the ledger does not answer: the lead is lost"),
            }
        }
    }

    /// Makes room: another daemon takes over at once.
    pub async fn end(self) {
        if let Some((session, _)) = self.session {
            let _ = timeout(Duration::from_secs(1), session.close()).await;
        }
    }
}
