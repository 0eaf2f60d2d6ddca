//! Looks after what needs no hurry, each morning: whether a month that was closed lately still is what
//! was billed, who has used up a package, and who is to be reminded of an open invoice. A task of its own, so that neither a close nor an email ever waits for it.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::time::{Instant, sleep_until};

use super::{ACTOR, Daemon, Ends, backoff, drift, told};
use crate::actions::close::CloseError;
use crate::actions::group_bill::{GroupBillError, Wanted, bill_groups};
use crate::actions::package_use::{PackageUseError, subscribers, tell_of_packages};
use crate::actions::recount::RecountError;
use crate::actions::reminders::{ReminderError, remind};
use crate::actions::verify::{Verified, verify_month};
use crate::ledger::looks::Subject;
use crate::ledger::{Ledger, LedgerError};
use crate::letters::template::TemplateError;
use crate::setup::office::Office;
use fecha_core::calendar::due::{is_a_new_morning, look_back_is_due, verification_is_due};
use fecha_core::calendar::month::Month;

/// It looks at least so often, should every tick be lost.
const POLL: Duration = Duration::from_mins(5);
/// How long the first and the longest pause is after a look that failed.
const PAUSES: [Duration; 2] = [Duration::from_secs(5), Duration::from_mins(15)];

/// A look that failed: the message database is away, or the ledger.
#[derive(Debug, thiserror::Error)]
enum LookError {
    #[error(transparent)]
    Recount(#[from] RecountError),
    #[error(transparent)]
    PackageUse(#[from] PackageUseError),
    #[error(transparent)]
    Reminder(#[from] ReminderError),
    #[error(transparent)]
    GroupBill(#[from] GroupBillError),
    #[error(transparent)]
    Template(#[from] TemplateError),
}

impl LookError {
    /// That of the ledger, where it is one.
    fn of_the_ledger(&self) -> Option<&LedgerError> {
        match self {
            Self::Recount(RecountError::Ledger(error))
            | Self::Reminder(ReminderError::Ledger(error))
            | Self::GroupBill(GroupBillError::Ledger(error))
            | Self::PackageUse(PackageUseError::Count(CloseError::Ledger(error))) => Some(error),
            _ => None,
        }
    }

    /// Another daemon leads, or the ledger is not there any more.
    fn is_the_end(&self) -> bool {
        let error = self.of_the_ledger();
        error.is_some_and(|e| matches!(e, LedgerError::Deposed | LedgerError::Replaced { .. }))
    }
}

impl From<LedgerError> for LookError {
    fn from(error: LedgerError) -> Self {
        Self::Recount(error.into())
    }
}

/// Looks each time that it is woken, until told to end. A count in hand is then given up: nothing of it
/// was written, and the next leader counts again.
pub async fn run(daemon: Arc<Daemon>, ledger: Ledger, mut ends: Ends) {
    let office = daemon.office.on_behalf(ACTOR, ledger);
    let watcher = Watcher { daemon: daemon.clone(), office };
    let mut failures = 0;
    let mut again = Instant::now();
    while !*ends.borrow() {
        if again <= Instant::now() {
            let looked = tokio::select! {
                looked = watcher.look() => looked,
                () = told(&mut ends) => return,
            };
            failures = match looked {
                Ok(()) => 0,
                Err(error) if error.is_the_end() => return,
                Err(error) => {
                    if let Some(error) = error.of_the_ledger() {
                        daemon.pulse.heard(error);
                    }
                    if failures == 0 {
                        tracing::warn!(%error, "what is looked after each morning waits: trying again");
                    }
                    failures + 1
                }
            };
            again = Instant::now();
            if failures > 0 {
                again += backoff(failures, PAUSES);
            }
        }
        let next = if failures > 0 { again } else { Instant::now() + POLL };
        tokio::select! {
            () = daemon.watch.notified() => {}
            () = sleep_until(next) => {}
            () = told(&mut ends) => {}
        }
    }
}

/// A look that is yet to come was made under a clock that was ahead: it counts for nothing.
fn has_been(look: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    look <= now + TimeDelta::hours(1)
}

struct Watcher {
    daemon: Arc<Daemon>,
    /// That of the term: it writes under its epoch.
    office: Office,
}

impl Watcher {
    async fn look(&self) -> Result<(), LookError> {
        let now = self.daemon.office.clock.now();
        // First: it needs no message database, which may be away.
        self.remind(now).await?;
        self.bill_groups().await?;
        self.verify_closed(now).await?;
        self.tell_of_packages(now).await
    }

    /// Reminds dealerships of what they have open, once a day.
    async fn remind(&self, now: DateTime<Utc>) -> Result<(), LookError> {
        let config = &self.daemon.office.config;
        if config.reminders.is_off() {
            return Ok(());
        }
        let zone = config.issuer.timezone;
        let looks = self.office.ledger.looks(Subject::Reminders).await?;
        let latest = looks.values().map(|look| look.latest).filter(|at| has_been(*at, now)).max();
        if !is_a_new_morning(latest.unwrap_or(now - TimeDelta::days(1)), now, zone) {
            return Ok(());
        }
        let looked = latest.map(|latest| latest.with_timezone(&zone).date_naive());
        let reminded = remind(&self.office, looked, now).await?;
        // Last: who was reminded before a daemon died is not reminded again, whoever was not is.
        let month = Month::last_ended(now, zone).next();
        self.office.ledger.looked(Subject::Reminders, month, now).await?;
        tracing::info!(reminded, "reminded dealerships of what is open");
        self.daemon.bell.post.notify_waiters();
        Ok(())
    }

    /// Makes what a rerun or a cancellation that died left undone for groups, of the months that are verified. Not beside
    /// a close or a rerun, which is about to make it itself.
    async fn bill_groups(&self) -> Result<(), LookError> {
        let Ok(_alone) = self.daemon.counting.try_lock() else { return Ok(()) };
        let closed = self.office.ledger.closed_months().await?;
        let look_back = self.daemon.office.config.alerts.look_back.max(1);
        let look_back = usize::try_from(look_back).unwrap_or(usize::MAX);
        for (month, _) in closed.into_iter().rev().take(look_back) {
            let made = bill_groups(&self.office, month, Wanted::Replacements, ACTOR).await?;
            if !made.is_empty() {
                self.daemon.bell.post.notify_waiters();
            }
        }
        Ok(())
    }

    /// Verifies each month that was closed lately, once a day, and the last of all closed months once a week.
    async fn verify_closed(&self, now: DateTime<Utc>) -> Result<(), LookError> {
        let config = &self.daemon.office.config;
        let zone = config.issuer.timezone;
        let looks = self.office.ledger.looks(Subject::Verify).await?;
        let closed = self.office.ledger.closed_months().await?;
        let look_back = usize::try_from(config.alerts.look_back).unwrap_or(usize::MAX);
        let oldest = closed.len().saturating_sub(look_back);
        for (index, (month, closed_at)) in closed.into_iter().enumerate() {
            let before = looks.get(&month);
            let latest = before.map(|look| look.latest).filter(|at| has_been(*at, now));
            let count = before.map_or(0, |look| look.count);
            let is_due = verification_is_due(closed_at, count, latest, now, zone)
                || index >= oldest && look_back_is_due(closed_at, latest, now, zone);
            if !is_due {
                continue;
            }
            let daemon = self.daemon.clone();
            let alive = move |_| daemon.pulse.beat();
            let source = &self.daemon.source;
            let verified = verify_month(&self.office, source, month, now, alive).await?;
            self.tell(&verified).await?;
            // Last, so that a daemon that dies before verifies again: the same is not told twice.
            self.office.ledger.looked(Subject::Verify, month, now).await?;
        }
        Ok(())
    }

    /// Tells dealerships of the use of their packages, once a day.
    async fn tell_of_packages(&self, now: DateTime<Utc>) -> Result<(), LookError> {
        let zone = self.daemon.office.config.issuer.timezone;
        let month = Month::last_ended(now, zone).next();
        let latest =
            self.office.ledger.looks(Subject::PackageUse).await?.get(&month).map(|l| l.latest);
        let latest = latest.filter(|at| has_been(*at, now));
        let before_the_month = month.period_in(zone).start - TimeDelta::milliseconds(1);
        if !is_a_new_morning(latest.unwrap_or(before_the_month), now, zone) {
            return Ok(());
        }
        let office = &self.office;
        let subscribers = subscribers(office).await?;
        if subscribers.is_empty() {
            return Ok(());
        }
        let daemon = self.daemon.clone();
        let alive = move |_| daemon.pulse.beat();
        let source = &self.daemon.source;
        let told = tell_of_packages(office, source, month, &subscribers, now, alive).await?;
        self.office.ledger.looked(Subject::PackageUse, month, now).await?;
        tracing::info!(%month, told, "told dealerships of their packages");
        self.daemon.bell.post.notify_waiters();
        Ok(())
    }

    /// Tells finance and admins of a drift, unless the same was told before.
    async fn tell(&self, verified: &Verified) -> Result<(), LookError> {
        let month = verified.month;
        let config = &self.daemon.office.config;
        let Some(alert) = drift::alert(verified, &config.issuer.name) else {
            tracing::info!(%month, agrees = verified.agrees, "verified: as invoiced");
            return Ok(());
        };
        let now = self.daemon.office.clock.now();
        let to = config.email.finance_and_admins();
        let addresser = &self.office.addresser;
        let letters = addresser.alert(format!("drift {month}"), alert, to, now)?;
        let told = self.office.ledger.alert(letters, None, now).await?;
        let (differs, problems) = (verified.differs.len(), verified.problems.len());
        tracing::warn!(%month, differs, problems, told, "verified: not as invoiced");
        if told {
            self.daemon.bell.post.notify_waiters();
        }
        Ok(())
    }
}
