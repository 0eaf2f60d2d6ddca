//! Closes each month that is due, in order, and says when that takes a person.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::time::{Instant, sleep_until};

use super::alert::{self, Trouble};
use super::course::Course;
use super::wrong_clock::{Glance, WrongClock};
use super::{ACTOR, Daemon, Ends, backoff, told};
use crate::actions::close::{CloseError, CloseOptions, CloseReport, awaits_approval, close_month};
use crate::actions::portuguese;
use crate::ledger::closing::MonthState;
use crate::ledger::{Ledger, LedgerError};
use crate::setup::office::Office;
use fecha_core::bill::exception::{Exception, Reason};
use fecha_core::calendar::due::{Due, Seen, due};
use fecha_core::calendar::month::Month;

/// The closer looks at least so often, should every tick be lost.
const POLL: Duration = Duration::from_mins(5);
/// How long the first and the longest pause is after a close that failed.
const PAUSES: [Duration; 2] = [Duration::from_secs(5), Duration::from_mins(5)];
/// The same after a close that could not issue some of the invoices: each try counts the whole month.
const UNISSUED_PAUSES: [Duration; 2] = [Duration::from_secs(20), Duration::from_hours(1)];

/// Why closing stopped, and when it is tried again.
struct Setback {
    failures: u32,
    again: Instant,
    trouble: Trouble,
}

/// A month of which some invoices could not be issued: how often that was, and when it is tried again.
struct Unissued {
    failures: u32,
    again: Instant,
}

struct Closer {
    daemon: Arc<Daemon>,
    ledger: Ledger,
    setback: Option<Setback>,
    unissued: BTreeMap<Month, Unissued>,
}

/// Looks each time that it is woken, until told to end; then finishes the invoice in hand.
pub async fn run(daemon: Arc<Daemon>, ledger: Ledger, mut ends: Ends) {
    let unissued = BTreeMap::new();
    let mut closer = Closer { daemon: daemon.clone(), ledger, setback: None, unissued };
    let mut ledger_is_away = false;
    while !*ends.borrow() {
        match closer.look(&mut ends).await {
            Ok(()) => ledger_is_away = false,
            Err(LedgerError::Deposed | LedgerError::Replaced { .. }) => return,
            Err(error) => {
                daemon.pulse.heard(&error);
                if !ledger_is_away {
                    tracing::error!(%error, "cannot do what is due: trying again");
                }
                ledger_is_away = true;
            }
        }
        daemon.pulse.beat();
        tokio::select! {
            () = daemon.wake.notified() => {}
            () = sleep_until(closer.next_look()) => {}
            () = told(&mut ends) => {}
        }
    }
}

impl Closer {
    /// When to look again, should nothing wake it: as soon as something is to be tried again.
    fn next_look(&self) -> Instant {
        let now = Instant::now();
        let setback = self.setback.as_ref().map(|setback| setback.again);
        let unissued = self.unissued.values().map(|unissued| unissued.again);
        let again = setback.into_iter().chain(unissued).filter(|again| *again > now);
        again.min().unwrap_or(now + POLL).min(now + POLL)
    }

    /// Closes what is due and calls a person where one is needed.
    async fn look(&mut self, ends: &mut Ends) -> Result<(), LedgerError> {
        let config = &self.daemon.office.config;
        // No span of time in the configuration is longer than a year, so nothing is cut off.
        let settle = TimeDelta::from_std(config.close.settle).unwrap_or(TimeDelta::MAX);
        let now = self.daemon.office.clock.now();
        let as_of = now - settle;
        if self.daemon.pulse.not_written().is_some() {
            // Not counted for nothing: what cannot be written is found out first.
            self.ledger.renew().await;
            self.ledger.try_writing(now).await?;
            self.daemon.pulse.written();
        }
        let mut clock = Vec::new();
        let mut late = self.due(as_of, &mut clock).await?;
        if late.is_empty() {
            self.setback = None;
        }
        let again = self.unissued_again(&late, as_of).await?;
        let months: Vec<Due> = late.iter().copied().chain(again).collect();
        let may_try = self.setback.as_ref().is_none_or(|setback| setback.again <= Instant::now());
        if may_try && !months.is_empty() {
            for Due { month, .. } in months {
                if *ends.borrow() || !self.close(month, as_of, ends).await? {
                    break;
                }
            }
            late = self.due(as_of, &mut clock).await?;
        }
        if !*ends.borrow() {
            let trouble = self.setback.as_ref().map(|setback| &setback.trouble);
            if alert::call(&self.daemon, &self.ledger, &late, trouble, &clock).await? {
                self.daemon.bell.post.notify_waiters();
            }
        }
        Ok(())
    }

    /// Months of which invoices could not be issued, closed ones too, where it is time to try again.
    async fn unissued_again(
        &mut self,
        due: &[Due],
        as_of: DateTime<Utc>,
    ) -> Result<Vec<Due>, LedgerError> {
        let unissued: Vec<Month> = self
            .ledger
            .closings_in_need()
            .await?
            .into_iter()
            .filter(|closing| closing.state != MonthState::Held && has_failed(&closing.exceptions))
            .map(|closing| closing.month)
            .collect();
        self.unissued.retain(|month, _| unissued.contains(month));
        let is_time = |month: &Month| {
            let unissued = self.unissued.get(month);
            unissued.is_none_or(|unissued| unissued.again <= Instant::now())
        };
        let is_due = |month: &Month| due.iter().any(|due| due.month == *month);
        let again = unissued.into_iter().filter(|month| is_time(month) && !is_due(month));
        Ok(again.map(|month| Due { month, since: as_of }).collect())
    }

    /// Says when a month is tried again of which a close could not issue all.
    fn remember_unissued(&mut self, report: &CloseReport) {
        if !has_failed(&report.exceptions) {
            self.unissued.remove(&report.month);
            return;
        }
        let before = self.unissued.get(&report.month).map_or(0, |unissued| unissued.failures);
        let failures = before + 1;
        let again = Instant::now() + backoff(failures, UNISSUED_PAUSES);
        self.unissued.insert(report.month, Unissued { failures, again });
    }

    /// What the ledger says is due, once what was said under a wrong clock is fixed.
    async fn due(
        &self,
        as_of: DateTime<Utc>,
        clock: &mut Vec<WrongClock>,
    ) -> Result<Vec<Due>, LedgerError> {
        let issuer = self.daemon.office.config.issuer.timezone;
        let dealerships = self.ledger.dealerships().await?;
        let own = dealerships.iter().filter_map(|dealership| dealership.timezone);
        let zones: HashSet<_> = own.chain([issuer]).collect();
        let zones: Vec<_> = zones.into_iter().collect();
        let seen = |(state, looked_at)| match state {
            MonthState::Closed => Seen::Closed,
            MonthState::Held => Seen::Held,
            MonthState::Open => Seen::Until(looked_at),
        };
        let now = self.daemon.office.clock.now();
        let glance =
            Glance { ledger: &self.ledger, now, zone: issuer, started_in: self.daemon.started_in };
        let first_month = glance.first_month(clock).await?;
        let mut states = self.ledger.month_states().await?;
        glance.forget_premature(&zones, &mut states, clock).await?;
        let seen: BTreeMap<_, _> =
            states.into_iter().map(|(month, state)| (month, seen(state))).collect();
        Ok(due(as_of, &zones, first_month, &seen))
    }

    /// Closes a month; `false` where it failed and is to be tried again later.
    async fn close(
        &mut self,
        month: Month,
        as_of: DateTime<Utc>,
        ends: &mut Ends,
    ) -> Result<bool, LedgerError> {
        let office = self.daemon.office.on_behalf(ACTOR, self.ledger.clone());
        let awaits_approval = awaits_approval(&office, month).await?;
        let options =
            CloseOptions { month: Some(month), awaits_approval, ..CloseOptions::default() };
        let started = self.daemon.office.clock.now();
        tracing::info!(%month, "closing");
        match self.close_until_told(&office, &options, as_of, ends).await {
            None => tracing::info!(%month, "the close goes on after the next start"),
            Some(Ok(report)) => {
                self.setback = None;
                self.daemon.pulse.closed(false);
                self.remember_unissued(&report);
                tell(&report);
                self.daemon.bell.post.notify_waiters();
            }
            Some(Err(CloseError::Ledger(
                error @ (LedgerError::Deposed | LedgerError::Replaced { .. }),
            ))) => {
                return Err(error);
            }
            Some(Err(error)) => {
                if let CloseError::Ledger(error) = &error {
                    self.daemon.pulse.heard(error);
                }
                self.daemon.pulse.closed(true);
                self.set_back(month, &error, started);
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Remembers a failure; logs it once.
    fn set_back(&mut self, month: Month, error: &CloseError, at: DateTime<Utc>) {
        let source_fails = matches!(error, CloseError::Source(_));
        let cause = error.to_string();
        let before = self.setback.take();
        if before.as_ref().is_none_or(|before| before.trouble.cause != cause) {
            tracing::error!(%month, error = cause, "the close failed: trying again");
        }
        let failures = before.as_ref().map_or(0, |before| before.failures) + 1;
        let same = before.filter(|before| before.trouble.source_fails == source_fails);
        let since = same.map_or(at, |before| before.trouble.since);
        let why = portuguese::why(error);
        let trouble = Trouble { since, source_fails, cause, why };
        let again = Instant::now() + backoff(failures, PAUSES);
        self.setback = Some(Setback { failures, again, trouble });
    }

    /// The close itself; `None` where it was told to end before it was through.
    ///
    /// Every step is a transaction, so that it can end anywhere; it ends behind the invoice in hand.
    async fn close_until_told(
        &self,
        office: &Office,
        options: &CloseOptions,
        as_of: DateTime<Utc>,
        ends: &mut Ends,
    ) -> Option<Result<CloseReport, CloseError>> {
        let course = Arc::new(Course::new());
        let progress = {
            let (course, daemon) = (course.clone(), self.daemon.clone());
            move |progress| course.hear(progress, &daemon)
        };
        let closed = async {
            // Not while a task counts: what it found may be what is due here.
            let _one = self.daemon.counting.lock().await;
            close_month(office, &self.daemon.source, options, as_of, progress).await
        };
        let report = tokio::select! {
            report = closed => report,
            () = course.may_end(ends) => return None,
        };
        course.end(&self.daemon);
        Some(report)
    }
}

fn has_failed(exceptions: &[Exception]) -> bool {
    exceptions.iter().any(|exception| exception.reason == Reason::Failed)
}

/// Logs how a close ended.
fn tell(report: &CloseReport) {
    let CloseReport { month, issued, already_issued, open, exceptions, .. } = report;
    let (issued, open, exceptions) = (issued.len(), open.len(), exceptions.len());
    if let Some(why) = &report.held {
        return tracing::warn!(%month, why, "the close is held");
    }
    let total = report.total();
    tracing::info!(%month, issued, already_issued, open, exceptions, %total, "closed");
}
