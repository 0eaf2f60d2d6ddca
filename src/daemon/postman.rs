//! Sends the outbox: each postman claims an email, sends it and records what became of it, so that
//! one that takes long holds up none of the others.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::{Mutex, MutexGuard};
use tokio::time::{Instant, sleep, sleep_until};

use super::pulse::Stage;
use super::{Daemon, Ends, backoff, told};
use crate::ledger::outbox::Queued;
use crate::ledger::{Ledger, LedgerError};
use crate::post::Mailer;
use crate::post::deliver::{Post, Step};
use crate::setup::office;

/// How long a postman rests where nothing is due.
const REST: Duration = Duration::from_secs(2);
/// How long the first and the longest pause is where the mail server or the ledger is away.
const PAUSES: [Duration; 2] = [Duration::from_secs(2), Duration::from_mins(1)];

/// What the postmen of one term share.
#[derive(Debug)]
pub struct Round {
    ledger: Ledger,
    pace: Pace,
    /// The emails that are being sent. The postmen alone know it: a clock that was stepped over a lease, or
    /// a machine that was suspended, makes it look as if one of them had died. It ends with the term, as
    /// they do: what was then in hand comes back by its lease.
    in_hand: Mutex<Vec<String>>,
}

impl Round {
    pub fn new(ledger: Ledger, per_minute: Option<NonZeroU32>) -> Self {
        Self { ledger, pace: Pace::new(per_minute), in_hand: Mutex::default() }
    }

    async fn claim(&self, now: DateTime<Utc>) -> Result<Option<Queued>, LedgerError> {
        let mut ids = self.in_hand.lock().await;
        let email = self.ledger.claim_email(now, &ids).await?;
        ids.extend(email.as_ref().map(|email| email.id.clone()));
        Ok(email)
    }

    async fn put_down(&self, email: &Queued) {
        self.in_hand.lock().await.retain(|id| *id != email.id);
    }
}

/// Keeps all postmen to `[email] per_minute`.
#[derive(Debug)]
struct Pace {
    /// The time between two emails, and when the next may be claimed.
    limit: Option<(Duration, Mutex<Instant>)>,
}

impl Pace {
    fn new(per_minute: Option<NonZeroU32>) -> Self {
        let between = |limit: NonZeroU32| Duration::from_mins(1) / limit.get();
        Self { limit: per_minute.map(|limit| (between(limit), Mutex::new(Instant::now()))) }
    }

    /// Waits for the turn of one more email, which is used up by [`Turn::use_up`].
    async fn turn(&self) -> Turn<'_> {
        let Some((between, next)) = &self.limit else { return Turn(None) };
        let next = next.lock().await;
        sleep_until(*next).await;
        Turn(Some((*between, next)))
    }
}

/// The right to send one email now; the others wait as long as it is held.
struct Turn<'a>(Option<(Duration, MutexGuard<'a, Instant>)>);

impl Turn<'_> {
    fn use_up(self) {
        if let Some((between, mut next)) = self.0 {
            *next = Instant::now() + between;
        }
    }
}

/// Sends what is due, until told to end; then finishes the email in hand.
pub async fn run(daemon: Arc<Daemon>, round: Arc<Round>, mut ends: Ends) {
    let mut mailer = match office::mailer(&daemon.office.config) {
        Ok(mailer) => mailer,
        Err(error) => return tracing::error!(%error, "no email can be sent"),
    };
    let mut failures = 0;
    while !*ends.borrow() {
        let pause = match deliver_one(&daemon, &round, &mut mailer, &mut ends).await {
            Ok(Some(Step::Unreachable(error))) => {
                failures += 1;
                if daemon.pulse.mail_is_away(true) {
                    tracing::warn!(%error, "emails wait for the mail server");
                }
                backoff(failures, PAUSES)
            }
            Ok(Some(_)) => {
                failures = 0;
                if daemon.pulse.mail_is_away(false) {
                    tracing::info!("the mail server is back");
                }
                continue;
            }
            Ok(None) => {
                failures = 0;
                REST
            }
            Err(LedgerError::Deposed) => break,
            Err(error) => {
                failures += 1;
                if failures == 1 {
                    tracing::error!(%error, "emails wait for the ledger");
                }
                backoff(failures, PAUSES)
            }
        };
        mailer.close().await;
        tokio::select! {
            () = sleep(pause) => {}
            () = daemon.post.notified(), if failures == 0 => {}
            () = told(&mut ends) => {}
        }
    }
    mailer.close().await;
}

/// One email; `None` where none is due.
async fn deliver_one(
    daemon: &Daemon,
    round: &Round,
    mailer: &mut Mailer,
    ends: &mut Ends,
) -> Result<Option<Step>, LedgerError> {
    let office = &daemon.office;
    // Only the wait is cut short: an email that is claimed is sent.
    let turn = tokio::select! {
        turn = round.pace.turn() => turn,
        () = told(ends) => return Ok(None),
    };
    let Some(email) = round.claim(office.clock.now()).await? else { return Ok(None) };
    turn.use_up();
    let post = Post { ledger: &round.ledger, templates: &office.templates, clock: office.clock };
    let started = Instant::now();
    let sent = post.send(mailer, &email).await;
    round.put_down(&email).await;
    daemon.pulse.took(Stage::Deliver, started.elapsed());
    let step = sent?;
    if matches!(step, Step::Failed(..)) {
        // A person is to be told.
        daemon.wake.notify_one();
    }
    Ok(Some(step))
}
