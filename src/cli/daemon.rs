//! `fecha daemon`

use std::path::Path;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use super::output::Failure;
use crate::clock::Clock;
use crate::daemon::{self, DaemonError};
use crate::setup::office::{NoLedger, Office};

/// What `fecha daemon --help` says below its options.
pub const HELP: &str = "\
Closes each month when it has ended in each time zone of the register, sends
the emails, tries again what failed, and writes to [email] admins when
something needs a person. Months that ended before its first start are left to
`fecha close --month`. SIGTERM or Ctrl-C finishes the invoice and the emails
in hand.

On [console] listen: the console, for people whom `fecha people add` invites,
and /healthz, /readyz and /metrics. On PostgreSQL several may run: one works,
the others wait.

Example:
  fecha daemon --config /etc/fecha/fecha.toml";

/// Runs until SIGTERM or SIGINT.
pub async fn daemon(config: Option<&Path>) -> Result<u8, Failure> {
    let stopped = until_told()?;
    let office = Office::open(config, NoLedger::Refuse, Clock::System).await?;
    daemon::run(office, stopped).await?;
    Ok(0)
}

/// Becomes true at SIGTERM or Ctrl-C.
///
/// # Errors
/// [`Failure`] where signals cannot be listened to.
pub fn until_told() -> Result<watch::Receiver<bool>, Failure> {
    let (stop, stopped) = watch::channel(false);
    let cannot_listen = |error| Failure::wrong(format!("cannot listen to signals: {error}"));
    let mut terminate = signal(SignalKind::terminate()).map_err(cannot_listen)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(cannot_listen)?;
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        let _ = stop.send(true);
    });
    Ok(stopped)
}

impl From<DaemonError> for Failure {
    fn from(error: DaemonError) -> Self {
        match error {
            DaemonError::Ledger(error) => error.into(),
            error => Self::wrong(error),
        }
    }
}
