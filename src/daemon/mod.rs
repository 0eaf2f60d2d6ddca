//! The daemon: closes each month when it has ended, delivers, retries, and calls a person.
//!
//! [`run`] takes the seat (`leader`): alone on a SQLite ledger, in turn with others on PostgreSQL. Who
//! leads runs one `closer`, a `worker` for what people ask for, a few `postman`s and a `watcher`, which looks
//! after what needs no hurry, until it is told to stop or another leads.
//! Everything that happens by itself only wakes them (`ticker`); what is to be done is asked of the
//! ledger each time.

mod alert;
mod closer;
mod course;
mod drift;
mod health;
mod leader;
mod listener;

mod postman;
mod pulse;
mod ticker;
mod watcher;
mod worker;
mod wrong_clock;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tokio_cron_scheduler::JobScheduler;

use self::leader::Seat;
use self::pulse::Pulse;
use crate::actions::bell::Bell;
use crate::actions::mailed;
use crate::console::Console;
use crate::ledger::LedgerError;
use crate::messages::{SourceError, Sources};
use crate::post::MailError;
use crate::post::deliver::CONNECTIONS;
use crate::post::round::Round;
use crate::setup::office::{self, Office};
use fecha_core::calendar::month::Month;

/// How long the invoice and the emails in hand may take after the daemon was told to stop: a service
/// manager that gives ten seconds never has to kill it.
const WIND_UP: Duration = Duration::from_secs(8);
/// A loop that shows no sign of life for so long is stuck; counting a large month shows many.
const STUCK_AFTER: Duration = Duration::from_mins(30);
/// The name under which the daemon's deeds stand in the audit log.
const ACTOR: &str = "fecha";

/// The daemon cannot start.
#[derive(Debug, thiserror::Error)]
pub enum DaemonError {
    /// A second one on a SQLite ledger.
    #[error(
        "another fecha daemon{} works on the ledger {ledger}: a SQLite ledger serves one. Stop it first, or move the ledger to PostgreSQL, where several take turns",
        process.as_ref().map(|id| format!(" (process {id})")).unwrap_or_default()
    )]
    Second {
        /// The ledger's URL.
        ledger: String,
        /// The process id of the other.
        process: Option<String>,
    },
    /// The lock beside a SQLite ledger.
    #[error("the lock {file} of the daemon cannot be taken: {source}")]
    Lock {
        /// The file.
        file: String,
        /// Why.
        source: std::io::Error,
    },
    /// The address of `[console] listen`.
    #[error(
        "[console] listen = \"{address}\" cannot be listened on: {source}. Another program may have it: choose another port"
    )]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// Others than this machine could read passwords on their way.
    #[error(
        "[console] listen = \"{0}\" is reached by other machines, and no public_url says that they come over TLS: put a proxy with a certificate in front and set public_url = \"https://…\", or listen on 127.0.0.1"
    )]
    Exposed(SocketAddr),
    /// The scheduler.
    #[error("the scheduler does not start: {0}")]
    Schedule(#[from] tokio_cron_scheduler::JobSchedulerError),
    /// The ledger failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// `[messages]`.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// `[email]`.
    #[error(transparent)]
    Mail(#[from] MailError),
}

/// What the daemon's tasks share.
#[derive(Debug)]
struct Daemon {
    office: Office,
    source: Sources,
    /// The month of its start.
    started_in: Month,
    /// Wakes the closer.
    wake: Notify,
    /// Wakes the postmen, and whoever looks for tasks.
    bell: Bell,
    /// Wakes the watcher.
    watch: Notify,
    /// Held by whoever counts a month to close, compare or preview it.
    counting: tokio::sync::Mutex<()>,
    /// Says that the ledger's file is not its own any more.
    gone: Notify,
    /// Held by the one postman at rest who looks whether something is due.
    lookout: tokio::sync::Mutex<()>,
    /// Held by the one probe that asks whether the ledger can be written.
    asked: tokio::sync::Mutex<()>,
    pulse: Pulse,
}

/// Tells a task to finish what it has in hand and end.
type Ends = watch::Receiver<bool>;

/// Completes when the task is to end.
async fn told(ends: &mut Ends) {
    // Nobody left who could tell: that is the end as well.
    let _ = ends.wait_for(|ends| *ends).await;
}

/// The pause after so many failures in a row: the first one, doubled each time, up to the longest.
fn backoff(failures: u32, [first, longest]: [Duration; 2]) -> Duration {
    first.saturating_mul(1 << failures.saturating_sub(1).min(16)).min(longest)
}

/// Runs until `stop` says true; then finishes the invoice and the emails in hand, within ten seconds.
///
/// # Errors
/// [`DaemonError`] where it cannot start. Once it runs it goes on whatever fails, but for a ledger whose file
/// was deleted or replaced under it: what it writes then is lost.
pub async fn run(office: Office, stop: watch::Receiver<bool>) -> Result<(), DaemonError> {
    let mut seat = Seat::take(&office.config.ledger_url, &office.ledger)?;
    let source = office::source(&office.config)?;
    // Settings that cannot work are found now, not at midnight.
    office::mailer(&office.config)?;
    let address = office.config.listen;
    if !address.ip().is_loopback() && !office.config.console_is_https() {
        return Err(DaemonError::Exposed(address));
    }
    let listen = |source| DaemonError::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(listen)?;
    let address = listener.local_addr().map_err(listen)?;
    for behind in mailed::behind(&office, None).await? {
        tracing::error!("{behind}: {}", behind.remedy());
    }
    let started_in = Month::last_ended(office.clock.now(), office.config.issuer.timezone).next();
    let first_month = said_first_month(&office, started_in).await?;
    let bell = Bell::default();
    let console = console(&office, &source, &bell).await;
    let daemon = Arc::new(Daemon {
        office,
        source,
        started_in,
        wake: Notify::new(),
        bell: bell.clone(),
        watch: Notify::new(),
        counting: tokio::sync::Mutex::new(()),
        gone: Notify::new(),
        lookout: tokio::sync::Mutex::new(()),
        asked: tokio::sync::Mutex::new(()),
        pulse: Pulse::new(),
    });
    let scheduler = JobScheduler::new().await?;
    let mut services = JoinSet::new();
    services.spawn(health::serve(daemon.clone(), console, listener, stop.clone()));
    services.spawn(ticker::watchdog(daemon.clone(), stop.clone()));
    services.spawn(ticker::run(daemon.clone(), scheduler, stop.clone()));
    tracing::info!(%address, first_month, ledger = daemon.office.ledger.engine_name(), "the daemon runs");
    ticker::tell_manager(&[sd_notify::NotifyState::Ready]);

    let ended = lead_in_turn(&daemon, &mut seat, stop).await;

    tracing::info!("the daemon has stopped");
    services.shutdown().await;
    daemon.office.ledger.clone().close().await;
    Ok(ended?)
}

/// The console; without it the daemon works as well.
async fn console(office: &Office, source: &Sources, bell: &Bell) -> Option<Console> {
    match Console::open(office, source.clone(), bell.clone()).await {
        Ok(console) => Some(console),
        Err(error) => {
            tracing::error!(%error, "there is no console");
            None
        }
    }
}

/// The first month that is closed, for the log. A ledger that cannot be written says it later.
async fn said_first_month(office: &Office, started_in: Month) -> Result<String, LedgerError> {
    match office.ledger.first_month(started_in).await {
        Ok(month) => Ok(month.to_string()),
        Err(error @ LedgerError::NotWritable { .. }) => {
            tracing::error!(%error, "the daemon waits");
            Ok("not known yet".to_owned())
        }
        Err(error) => Err(error),
    }
}

/// Leads, waits where another leads, and leads again, until it is told to stop or the ledger's file is gone.
async fn lead_in_turn(
    daemon: &Arc<Daemon>,
    seat: &mut Seat,
    mut stop: watch::Receiver<bool>,
) -> Result<(), LedgerError> {
    loop {
        let mut term = tokio::select! {
            term = seat.wait(&daemon.office.ledger, &daemon.pulse) => term,
            () = told(&mut stop) => return Ok(()),
            () = daemon.gone.notified() => return daemon.office.ledger.must_be_there(),
        };
        daemon.pulse.lead(true);
        let (end, ends) = watch::channel(false);
        let mut tasks = JoinSet::new();
        tasks.spawn(closer::run(daemon.clone(), term.ledger.clone(), ends.clone()));
        tasks.spawn(worker::run(daemon.clone(), term.ledger.clone(), ends.clone()));
        tasks.spawn(watcher::run(daemon.clone(), term.ledger.clone(), ends.clone()));
        let per_minute = daemon.office.config.email.per_minute;
        let clock = daemon.office.clock;
        let round = Arc::new(Round::without_end(term.ledger.clone(), clock, per_minute));
        for _ in 0..CONNECTIONS {
            let (ledger, round) = (term.ledger.clone(), round.clone());
            tasks.spawn(postman::run(daemon.clone(), ledger, round, ends.clone()));
        }
        tokio::select! {
            () = term.lost() => tracing::warn!("another daemon may lead now: this one waits"),
            () = told(&mut stop) => {
                tracing::info!("told to stop: finishing what is in hand");
                ticker::tell_manager(&[sd_notify::NotifyState::Stopping]);
            }
            () = daemon.gone.notified() => {}
        }
        let there = daemon.office.ledger.must_be_there();
        if let Err(error) = &there {
            tracing::error!(%error, "this daemon ends");
        }
        daemon.pulse.lead(false);
        // Whoever waits has not tried.
        daemon.pulse.written();
        let _ = end.send(true);
        let all_ended = async { while tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(WIND_UP, all_ended).await.is_err() {
            tracing::warn!("an email or a count in hand took too long: it is done again later");
            tasks.shutdown().await;
        }
        term.end().await;
        if there.is_err() || *stop.borrow() {
            return there;
        }
    }
}
