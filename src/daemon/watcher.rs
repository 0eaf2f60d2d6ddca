//! Looks after what needs no hurry, each morning: whether a month that was closed lately still is what
//! was billed, and who has used up a package. A task of its own, so that neither a close nor an email ever waits for it.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::time::{Instant, sleep_until};

use super::{ACTOR, Daemon, Ends, backoff, drift, told};
use crate::billing::due::{is_a_new_morning, verification_is_due};
use crate::billing::month::Month;
use crate::close::CloseError;
use crate::issue::Desk;
use crate::ledger::looks::Subject;
use crate::ledger::outbox::{Content, Kind, NewEmail};
use crate::ledger::{Ledger, LedgerError};
use crate::mail::template::{Alert, TemplateError};
use crate::package_use::{PackageUseError, subscribers, tell_of_packages};
use crate::recount::RecountError;
use crate::verify::{Verified, verify_month};

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
    Template(#[from] TemplateError),
}

impl LookError {
    /// Another daemon leads.
    fn is_deposed(&self) -> bool {
        matches!(
            self,
            Self::Recount(RecountError::Ledger(LedgerError::Deposed))
                | Self::PackageUse(PackageUseError::Count(CloseError::Ledger(
                    LedgerError::Deposed
                )))
        )
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
    let watcher = Watcher { daemon: daemon.clone(), ledger };
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
                Err(error) if error.is_deposed() => return,
                Err(error) => {
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

struct Watcher {
    daemon: Arc<Daemon>,
    ledger: Ledger,
}

impl Watcher {
    async fn look(&self) -> Result<(), LookError> {
        let now = self.daemon.office.clock.now();
        self.verify_closed(now).await?;
        self.tell_of_packages(now).await
    }

    fn desk(&self) -> Desk<'_> {
        Desk { ledger: &self.ledger, actor: ACTOR, ..self.daemon.office.desk() }
    }

    /// Verifies each month that was closed lately, once a day.
    async fn verify_closed(&self, now: DateTime<Utc>) -> Result<(), LookError> {
        let zone = self.daemon.office.config.issuer.timezone;
        let looks = self.ledger.looks(Subject::Verify).await?;
        for (month, closed_at) in self.ledger.closed_months().await? {
            let before = looks.get(&month);
            let (count, latest) = (before.map_or(0, |b| b.count), before.map(|b| b.latest));
            if !verification_is_due(closed_at, count, latest, now, zone) {
                continue;
            }
            let daemon = self.daemon.clone();
            let alive = move |_| daemon.pulse.beat();
            let source = &self.daemon.source;
            let verified = verify_month(&self.desk(), source, month, now, alive).await?;
            self.tell(&verified).await?;
            // Last, so that a daemon that dies before verifies again: the same is not told twice.
            self.ledger.looked(Subject::Verify, month, now).await?;
        }
        Ok(())
    }

    /// Tells dealerships of the use of their packages, once a day.
    async fn tell_of_packages(&self, now: DateTime<Utc>) -> Result<(), LookError> {
        let zone = self.daemon.office.config.issuer.timezone;
        let month = Month::last_ended(now, zone).next();
        let latest = self.ledger.looks(Subject::PackageUse).await?.get(&month).map(|l| l.latest);
        let before_the_month = month.period_in(zone).start - TimeDelta::milliseconds(1);
        if !is_a_new_morning(latest.unwrap_or(before_the_month), now, zone) {
            return Ok(());
        }
        let desk = self.desk();
        let subscribers = subscribers(&desk).await?;
        if subscribers.is_empty() {
            return Ok(());
        }
        let daemon = self.daemon.clone();
        let alive = move |_| daemon.pulse.beat();
        let source = &self.daemon.source;
        let told = tell_of_packages(&desk, source, month, &subscribers, now, alive).await?;
        self.ledger.looked(Subject::PackageUse, month, now).await?;
        tracing::info!(%month, told, "told dealerships of their packages");
        self.daemon.post.notify_waiters();
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
        let emails = self.emails(month, &alert, now)?;
        let told = self.ledger.alert(emails, None, now).await?;
        let (differs, problems) = (verified.differs.len(), verified.problems.len());
        tracing::warn!(%month, differs, problems, told, "verified: not as invoiced");
        if told {
            self.daemon.post.notify_waiters();
        }
        Ok(())
    }

    fn emails(
        &self,
        month: Month,
        alert: &Alert,
        now: DateTime<Utc>,
    ) -> Result<Vec<NewEmail>, TemplateError> {
        let office = &self.daemon.office;
        let email = &office.config.email;
        let mut recipients = email.finance.clone();
        recipients.extend(email.admins.iter().filter(|a| !email.finance.contains(a)).cloned());
        let subject = office.templates.alert(alert)?.subject;
        let email = |recipient| NewEmail {
            kind: Kind::Alert,
            cause: format!("drift {month}"),
            recipient,
            redirected_to: office.config.email.redirect.clone(),
            resend: 0,
            number: None,
            content: Content::Alert { alert: alert.clone() },
            subject: subject.clone(),
            message_id: office.sender.new_message_id(now),
        };
        Ok(recipients.into_iter().map(email).collect())
    }
}
