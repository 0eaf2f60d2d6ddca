//! What wakes the daemon, and what it tells the service manager.

use std::sync::Arc;
use std::time::Duration;

use sd_notify::NotifyState;
use tokio_cron_scheduler::{Job, JobScheduler, JobSchedulerError};

use super::{Daemon, Ends, STUCK_AFTER, told};

/// Each whole minute, seconds first: months begin at whole minutes in every zone that is in use.
const EACH_MINUTE: &str = "0 * * * * *";

/// Starts the scheduler. Its tick wakes closer and watcher and decides nothing: the scheduler forgets ticks that
/// it missed, and makes a fixed offset of a zone.
pub async fn start(daemon: Arc<Daemon>) -> Result<JobScheduler, JobSchedulerError> {
    let scheduler = JobScheduler::new().await?;
    let tick = Job::new(EACH_MINUTE, move |_, _| {
        daemon.wake.notify_one();
        daemon.watch.notify_one();
    })?;
    scheduler.add(tick).await?;
    scheduler.start().await?;
    Ok(scheduler)
}

/// Tells systemd, where it asks (`WatchdogSec=`), that the daemon is not stuck.
pub async fn watchdog(daemon: Arc<Daemon>, mut stop: Ends) {
    let Some(limit) = sd_notify::watchdog_enabled() else { return };
    let mut ticks = tokio::time::interval((limit / 2).max(Duration::from_millis(100)));
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = told(&mut stop) => return,
        }
        if daemon.pulse.silent_for() < STUCK_AFTER {
            tell_manager(&[NotifyState::Watchdog]);
        }
    }
}

/// Tells systemd, where it started us.
pub fn tell_manager(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!(%error, "the service manager does not listen");
    }
}
