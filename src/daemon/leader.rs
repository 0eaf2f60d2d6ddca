//! One daemon works at a time: on a SQLite ledger a second is refused, on PostgreSQL it waits.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

use super::DaemonError;
use super::pulse::Pulse;
use crate::ledger::lease::{Lease, LeaseSession};
use crate::ledger::{Ledger, LedgerError};
use crate::setup::config::DatabaseUrl;

/// How often who waits looks at the leader's beat.
const LOOK: Duration = Duration::from_secs(3);
/// How often a leader shows that it lives: each time is a write of the ledger.
const BEAT: Duration = Duration::from_secs(10);
/// How long a beat may take: with the pause before it less than others wait, so that this leader stops before
/// they begin.
const BEAT_ANSWER: Duration = Duration::from_secs(8);
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
        /// The file that is locked.
        file: PathBuf,
        /// Locked; `None` as long as nothing can be written where it lies.
        lock: Option<File>,
    },
    /// In turn with others.
    Shared,
}

impl Seat {
    /// Takes the seat at a ledger; where its folder cannot be written now, that is waited for.
    ///
    /// # Errors
    /// [`DaemonError::Second`] where another daemon has a SQLite ledger.
    pub fn take(url: &DatabaseUrl, ledger: &Ledger) -> Result<Self, DaemonError> {
        let Some(database) = url.file() else { return Ok(Self::Shared) };
        debug_assert!(!ledger.is_shared(), "only a SQLite ledger is a file");
        let mut file = database.into_os_string();
        file.push(".daemon");
        let file = PathBuf::from(file);
        let failed = |source| DaemonError::Lock { file: file.display().to_string(), source };
        let lock = match lock(&file) {
            Ok(Locked::Ours(lock)) => Some(lock),
            Ok(Locked::AnothersOf(process)) => {
                return Err(DaemonError::Second { ledger: url.to_string(), process });
            }
            Err(error) if may_pass(&error) => {
                let error = failed(error);
                tracing::error!(%error, "the daemon waits until it can be written");
                None
            }
            Err(error) => return Err(failed(error)),
        };
        Ok(Self::Alone { file, lock })
    }

    /// Waits until this daemon leads.
    pub async fn wait(&mut self, ledger: &Ledger, pulse: &Pulse) -> Term {
        if let Self::Alone { file, lock: ours } = self {
            while ours.is_none() {
                pulse.beat();
                if let Ok(Locked::Ours(lock)) = lock(file) {
                    *ours = Some(lock);
                } else {
                    sleep(LOOK).await;
                }
            }
            return Term { ledger: ledger.clone(), session: None };
        }
        let mut told = false;
        loop {
            match campaign(ledger, pulse).await {
                Ok((session, epoch)) => {
                    tracing::info!(epoch, "this daemon leads");
                    return Term { ledger: ledger.fenced(epoch), session: Some((session, epoch)) };
                }
                Err(error) => {
                    pulse.beat();
                    if !told {
                        tracing::error!(%error, "cannot lead: trying again");
                    }
                    told = true;
                }
            }
            sleep(LOOK).await;
        }
    }
}

/// Who has the lock.
enum Locked {
    Ours(File),
    /// Another daemon; its process id, where that can be read.
    AnothersOf(Option<String>),
}

fn lock(file: &Path) -> std::io::Result<Locked> {
    let mut lock =
        OpenOptions::new().read(true).write(true).create(true).truncate(false).open(file)?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut process = String::new();
            // Only for the message: who cannot be read has no number.
            let _ = lock.read_to_string(&mut process);
            let process = Some(process.trim().to_owned()).filter(|id| !id.is_empty());
            return Ok(Locked::AnothersOf(process));
        }
        Err(TryLockError::Error(error)) => return Err(error),
    }
    // The number is only for a message of others: a full disk keeps nobody from the lock.
    let _ = lock.set_len(0).and_then(|()| writeln!(lock, "{}", std::process::id()));
    Ok(Locked::Ours(lock))
}

/// Whether a file cannot be made now, and may be later.
fn may_pass(error: &std::io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::PermissionDenied
            | ErrorKind::ReadOnlyFilesystem
            | ErrorKind::StorageFull
            | ErrorKind::QuotaExceeded
    )
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
        sleep(LOOK).await;
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
            let beat = timeout(BEAT_ANSWER, session.beat(*epoch));
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
