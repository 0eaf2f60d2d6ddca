//! Sends the outbox: each postman claims an email, sends it and records what became of it, so that
//! one that takes long holds up none of the others.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::{Mutex, MutexGuard};
use tokio::time::{Instant, sleep, sleep_until};

use super::pulse::Stage;
use super::{Daemon, Ends, told};
use crate::deliver::{Post, Step};
use crate::ledger::outbox::Email;
use crate::ledger::{Ledger, LedgerError};
use crate::mail::Mailer;
use crate::office;

/// How long a postman rests where nothing is due.
const REST: Duration = Duration::from_secs(2);
/// How long the first and the longest pause is where the mail server or the ledger is away.
const PAUSES: [Duration; 2] = [Duration::from_secs(2), Duration::from_mins(1)];

/// The emails that the postmen of this process are sending. They alone know it: a clock that was stepped
/// over a lease, or a machine that was suspended, makes it look as if a postman had died.
#[derive(Debug, Default)]
pub struct InHand(Mutex<Vec<String>>);

impl InHand {
    async fn claim(
        &self,
        ledger: &Ledger,
        now: DateTime<Utc>,
    ) -> Result<Option<Email>, LedgerError> {
        let mut ids = self.0.lock().await;
        let email = ledger.claim_email(now, &ids).await?;
        ids.extend(email.as_ref().map(|email| email.id.clone()));
        Ok(email)
    }

    async fn put_down(&self, email: &Email) {
        self.0.lock().await.retain(|id| *id != email.id);
    }
}

/// Keeps all postmen to `[email] per_minute`.
#[derive(Debug)]
pub struct Pace {
    /// The time between two emails, and when the next may be claimed.
    limit: Option<(Duration, Mutex<Instant>)>,
}

impl Pace {
    pub fn new(per_minute: Option<NonZeroU32>) -> Self {
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
pub async fn run(daemon: Arc<Daemon>, ledger: Ledger, pace: Arc<Pace>, mut ends: Ends) {
    let mut mailer = match office::mailer(&daemon.office.config) {
        Ok(mailer) => mailer,
        Err(error) => return tracing::error!(%error, "no email can be sent"),
    };
    let mut failures = 0;
    while !*ends.borrow() {
        let pause = match deliver_one(&daemon, &ledger, &pace, &mut mailer, &mut ends).await {
            Ok(Some(Step::Unreachable(error))) => {
                failures += 1;
                if daemon.pulse.mail_is_away(true) {
                    tracing::warn!(%error, "emails wait for the mail server");
                }
                backoff(failures)
            }
            Ok(Some(_)) => {
                failures = 0;
                if daemon.pulse.mail_is_away(false) {
                    tracing::info!("the mail server is back");
                }
                continue;
            }
            Ok(None) => REST,
            Err(LedgerError::Deposed) => break,
            Err(error) => {
                failures += 1;
                if failures == 1 {
                    tracing::error!(%error, "emails wait for the ledger");
                }
                backoff(failures)
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
    ledger: &Ledger,
    pace: &Pace,
    mailer: &mut Mailer,
    ends: &mut Ends,
) -> Result<Option<Step>, LedgerError> {
    let office = &daemon.office;
    // Only the wait is cut short: an email that is claimed is sent.
    let turn = tokio::select! {
        turn = pace.turn() => turn,
        () = told(ends) => return Ok(None),
    };
    let claimed = daemon.in_hand.claim(ledger, office.clock.now()).await?;
    let Some(email) = claimed else { return Ok(None) };
    turn.use_up();
    let post = Post { ledger, templates: &office.templates, clock: office.clock };
    let started = Instant::now();
    let sent = post.send(mailer, &email).await;
    daemon.in_hand.put_down(&email).await;
    let step = sent?;
    daemon.pulse.took(Stage::Deliver, started.elapsed());
    // Neither an address nor the server's words, which may repeat it: `fecha outbox` has both.
    let Email { id, message_id, attempts, .. } = &email;
    match &step {
        Step::Sent => tracing::info!(id, message_id, attempts, "email sent"),
        Step::Retried => tracing::info!(id, message_id, attempts, "email is tried again later"),
        Step::Failed(..) => {
            tracing::warn!(id, message_id, attempts, "email failed for good: see `fecha outbox`");
            daemon.wake.notify_one();
        }
        Step::Unreachable(_) => {}
    }
    Ok(Some(step))
}

fn backoff(failures: u32) -> Duration {
    let [first, longest] = PAUSES;
    first.saturating_mul(1 << failures.saturating_sub(1).min(16)).min(longest)
}
