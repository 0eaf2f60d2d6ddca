//! What wakes the daemon, and what it tells the service manager.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use sd_notify::NotifyState;
use tokio::time::sleep;
use tokio_cron_scheduler::{Job, JobScheduler, JobSchedulerError};

use super::{Daemon, Ends, STUCK_AFTER, told};

/// Each whole minute, seconds first: months begin at whole minutes in every zone that is in use.
const EACH_MINUTE: &str = "0 * * * * *";

/// How often the clock is looked at: it can be set, and a machine can have been asleep.
const GLANCE: Duration = Duration::from_secs(3);

/// Wakes closer and watcher at each tick, and decides nothing. Looks on the way whether the ledger's file still
/// is there.
///
/// The scheduler says when a tick is, and is not started: it would wake twice a second to run one job a minute,
/// and forgets ticks that it missed.
pub async fn run(daemon: Arc<Daemon>, mut scheduler: JobScheduler, mut stop: Ends) {
    let clock = daemon.office.clock;
    let mut failed = false;
    loop {
        let begun = clock.now();
        let next = match next_tick(&mut scheduler).await {
            Ok(next) => next.unwrap_or(begun),
            Err(error) => {
                if !failed {
                    tracing::error!(%error, "the scheduler does not say when a tick is");
                }
                failed = true;
                begun
            }
        };
        // At least once a minute, whatever the scheduler says; at once where the clock was set back.
        let latest = next.min(begun + TimeDelta::minutes(1));
        loop {
            tokio::select! {
                () = sleep(GLANCE) => {}
                () = told(&mut stop) => return,
            }
            if daemon.office.ledger.must_be_there().is_err() {
                daemon.gone.notify_one();
            }
            let now = clock.now();
            if now >= latest || now < begun {
                break;
            }
        }
        daemon.wake.notify_one();
        daemon.watch.notify_one();
    }
}

/// When the next tick is, by the clock as it is now.
async fn next_tick(
    scheduler: &mut JobScheduler,
) -> Result<Option<DateTime<Utc>>, JobSchedulerError> {
    let job = scheduler.add(Job::new(EACH_MINUTE, |_, _| {})?).await?;
    let next = scheduler.next_tick_for_job(job).await;
    scheduler.remove(&job).await?;
    next
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
