//! What the connections of a round of delivery share: the pace, which emails are in hand, what became of
//! them.

use std::collections::{BTreeSet, VecDeque};
use std::num::NonZeroU32;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::time::{Instant, sleep_until};

use fecha_core::letter::Delivery;
use fecha_core::letter::outcome::{Judgement, Met, Phase, Streak, Trouble};

use super::NotTaken;
use super::halt::{Halt, Refused};
use crate::clock::Clock;
use crate::ledger::delivery::{Done, Wanted};
use crate::ledger::outbox::Queued;
use crate::ledger::{Ledger, LedgerError};

/// What to do where the server refuses everybody.
/// What is said to whoever reads a log behind what the server said.
pub const ADVICE: &str = "; this is about the sender or the server, not about the recipient, so every email waits: see to the account at the provider (a limit a day, a block) and to [email] from and per_minute";

/// Hands out claimed emails and takes in what became of them. Whoever waits for the ledger meanwhile is
/// served by one transaction: the disk is waited for once for all of them.
#[derive(Debug)]
pub struct Round {
    ledger: Ledger,
    clock: Clock,
    /// What falls due later waits for the next round; a round without end takes it.
    until: Option<DateTime<Utc>>,
    pace: Pace,
    halt: Halt,
    tray: Mutex<Tray>,
    /// Who has it works with the ledger, in the order of asking.
    desk: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct Tray {
    /// Not recorded yet.
    done: Vec<Done>,
    /// How many wait for an email.
    waiting: usize,
    /// Claimed for those who wait.
    claimed: VecDeque<Queued>,
    /// The ids of what was claimed and is not recorded. The round alone knows them: a clock that was stepped
    /// over a lease, or a machine that was suspended, makes it look as if a worker had died. They end with
    /// the round: what was then in hand comes back by its lease.
    in_hand: Vec<String>,
    /// Ids of emails that a connection was turned away with and no other has taken, and the last error.
    turned_away: (Vec<String>, String),
    /// One answer to many in a row.
    streak: Streak,
    /// Ids of emails that were taken to have failed, and have not.
    innocent: BTreeSet<String>,
}

impl Round {
    /// A round that takes what is due now, and ends.
    #[must_use]
    pub fn once(ledger: Ledger, clock: Clock, per_minute: Option<NonZeroU32>) -> Self {
        Self { until: Some(clock.now()), ..Self::without_end(ledger, clock, per_minute) }
    }

    /// A round that takes whatever falls due, for as long as it is asked.
    #[must_use]
    pub fn without_end(ledger: Ledger, clock: Clock, per_minute: Option<NonZeroU32>) -> Self {
        Self {
            ledger,
            clock,
            until: None,
            pace: Pace::new(per_minute),
            halt: Halt::default(),
            tray: Mutex::default(),
            desk: tokio::sync::Mutex::default(),
        }
    }

    /// Whether there can be a wait between two emails.
    pub(super) fn is_paced(&self) -> bool {
        self.pace.limit.is_some()
    }

    /// Waits until one more email may go. Nothing is lost where the wait is cut short.
    pub(super) async fn turn(&self) -> Turn<'_> {
        self.pace.turn().await
    }

    /// Records what became of the last email, and claims the next, which uses up the turn; `None` where
    /// nothing is due.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read or written; what is done is kept for whoever comes
    /// next.
    pub(super) async fn exchange(
        &self,
        done: Option<Done>,
        turn: Turn<'_>,
    ) -> Result<Option<Queued>, LedgerError> {
        {
            let mut tray = self.tray();
            tray.done.extend(done);
            tray.waiting += 1;
        }
        let _desk = self.desk.lock().await;
        if self.tray().claimed.is_empty()
            && let Err(error) = self.write().await
        {
            self.tray().waiting -= 1;
            return Err(error);
        }
        // Else whoever was at the desk before recorded ours and claimed this one for us: all come in the
        // order of asking, and no more are claimed than wait.
        let mut tray = self.tray();
        tray.waiting -= 1;
        let email = tray.claimed.pop_front();
        if email.is_some() {
            turn.use_up();
            self.halt.probe(Instant::now());
        }
        Ok(email)
    }

    /// Records what is done, and whatever could not be recorded before; claims nothing for the caller.
    ///
    /// # Errors
    /// As [`Round::exchange`].
    pub(super) async fn record(&self, done: Option<Done>) -> Result<(), LedgerError> {
        self.tray().done.extend(done);
        let _desk = self.desk.lock().await;
        if self.tray().done.is_empty() {
            return Ok(());
        }
        self.write().await
    }

    /// Records an email that the server would not hear of: another connection may take it.
    ///
    /// # Errors
    /// As [`Round::exchange`].
    pub(super) async fn put_back(&self, done: Done, error: String) -> Result<(), LedgerError> {
        {
            let mut tray = self.tray();
            tray.turned_away.0.push(done.email().id.clone());
            tray.turned_away.1 = error;
        }
        self.record(Some(done)).await
    }

    /// Nothing is known of this email any more: it comes back by its lease.
    pub(super) fn lose(&self, email: &Queued) {
        self.tray().in_hand.retain(|id| *id != email.id);
    }

    /// Why nothing may be tried now. A round that ends is over with the first refusal of everybody.
    pub(super) fn halted(&self) -> Option<Refused> {
        match self.until {
            Some(_) => self.halt.refusal(),
            None => self.halt.reason(Instant::now()),
        }
    }

    /// What it means that an email was not taken, and for those before it.
    pub(super) async fn judge(&self, email: &Queued, not_taken: NotTaken) -> Delivery {
        let error = not_taken.to_string();
        let (server, problem) = match not_taken {
            NotTaken::Unwritable(_) => return Delivery::Failed { error },
            NotTaken::Folder(_) => return Delivery::Unreachable { error },
            NotTaken::Server { server, problem } => (server, problem),
        };
        let others_taken = match email.refused_at {
            // Where the ledger does not answer nothing is known, and nothing fails.
            Some(at) => self.ledger.others_taken_since(at).await.unwrap_or(false),
            None => false,
        };
        let met = Met { id: email.id.clone(), recipient: email.to().to_string() };
        let Judgement { trouble, innocent } = self.tray().streak.judge(&problem, met, others_taken);
        if !innocent.is_empty() {
            self.take_back(innocent).await;
        }
        match trouble {
            Trouble::Email => Delivery::Failed { error },
            Trouble::Passing => Delivery::Retry { error, maybe_delivered: false },
            Trouble::Unanswered => Delivery::Retry { error, maybe_delivered: true },
            // One connection too many is no refusal of the sender.
            Trouble::Everybodys
                if problem.phase < Phase::Sender
                    && self.halt.took_one_just_before(Instant::now()) =>
            {
                Delivery::Unreachable { error }
            }
            Trouble::Away => Delivery::Unreachable { error },
            Trouble::Everybodys if problem.phase < Phase::Sender => Delivery::Refused { error },
            Trouble::Everybodys => {
                Delivery::Refused { error: format!("mail server {server}: {error}{ADVICE}") }
            }
        }
    }

    /// Emails that were taken to have failed wait again, recorded or not.
    async fn take_back(&self, innocent: Vec<String>) {
        // Who records one just now is waited for; who does so later is told.
        let _desk = self.desk.lock().await;
        {
            let mut tray = self.tray();
            let in_hand = tray.in_hand.clone();
            tray.innocent.extend(innocent.iter().filter(|id| in_hand.contains(id)).cloned());
        }
        let put_back = self.ledger.take_back_failures(&innocent, self.clock.now()).await;
        if let Err(error) = put_back {
            tracing::error!(%error, "emails that met everybody's trouble stay failed");
        }
    }

    /// Takes note of what became of an email that was tried from `began` on, for those that come next.
    pub(super) fn note(&self, delivery: &Delivery, began: Instant) {
        match delivery {
            Delivery::Sent => {
                self.tray().streak.taken();
                self.halt.over(began, Some(Instant::now()));
            }
            Delivery::Retry { .. } | Delivery::Failed { .. } => self.halt.over(began, None),
            Delivery::Unreachable { .. } => self.halt.away(Instant::now()),
            Delivery::Refused { error } => {
                self.halt.refused(error.clone(), Instant::now());
            }
            Delivery::Overtaken => {}
        }
    }

    /// The email that was to be tried never met the server: nothing more is known of it.
    pub(super) fn not_tried(&self) {
        self.halt.away(Instant::now());
    }

    /// Why an email was put back, where no other connection has taken it since.
    #[must_use]
    pub fn turned_away(self) -> Option<String> {
        let tray = self.tray.into_inner().unwrap_or_else(PoisonError::into_inner);
        let (ids, error) = tray.turned_away;
        (!ids.is_empty()).then_some(error)
    }

    /// Records what is done, and claims for all who wait and have nothing yet.
    async fn write(&self) -> Result<(), LedgerError> {
        let (done, most) = {
            let mut tray = self.tray();
            let most = tray.waiting - tray.claimed.len();
            let mut done = std::mem::take(&mut tray.done);
            for done in &mut done {
                if tray.innocent.remove(&done.email().id) {
                    done.put_back();
                }
            }
            (done, most)
        };
        match self.write_down(&done, most).await {
            Ok(()) => Ok(()),
            Err(error) if error.is_unreachable() => {
                // Whoever comes next tries once more.
                self.tray().done.extend(done);
                Err(error)
            }
            Err(error) => {
                self.write_one_by_one(done).await;
                Err(error)
            }
        }
    }

    /// One email that the ledger refuses to record or to read keeps no other from being recorded.
    async fn write_one_by_one(&self, all: Vec<Done>) {
        for done in all {
            match self.write_down(std::slice::from_ref(&done), 0).await {
                Ok(()) => {}
                Err(error) if error.is_unreachable() => self.tray().done.push(done),
                Err(error) => {
                    let id = &done.email().id;
                    tracing::error!(email = id, %error, "what became of it is not recorded");
                    self.lose(done.email());
                }
            }
        }
    }

    async fn write_down(&self, done: &[Done], most: usize) -> Result<(), LedgerError> {
        let now = self.clock.now();
        let due = self.until.unwrap_or(now);
        let wanted = Wanted { most, due, in_hand: self.tray().in_hand.clone() };
        let claimed = self.ledger.exchange_emails(done, &wanted, now).await?;
        let mut tray = self.tray();
        tray.in_hand.retain(|id| done.iter().all(|done| done.email().id != *id));
        for email in claimed {
            tray.turned_away.0.retain(|id| *id != email.id);
            tray.in_hand.push(email.id.clone());
            tray.claimed.push_back(email);
        }
        Ok(())
    }

    fn tray(&self) -> MutexGuard<'_, Tray> {
        self.tray.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Keeps all connections together to `[email] per_minute`.
#[derive(Debug)]
struct Pace {
    /// The time between two emails, and when the next may be claimed.
    limit: Option<(Duration, tokio::sync::Mutex<Instant>)>,
}

impl Pace {
    fn new(per_minute: Option<NonZeroU32>) -> Self {
        let limit = per_minute.map(|limit| {
            let between = Duration::from_mins(1) / limit.get();
            (between, tokio::sync::Mutex::new(Instant::now()))
        });
        Self { limit }
    }

    async fn turn(&self) -> Turn<'_> {
        let Some((between, next)) = &self.limit else { return Turn(None) };
        let next = next.lock().await;
        sleep_until(*next).await;
        Turn(Some((*between, next)))
    }
}

/// The right to send one email now; the others wait as long as it is held.
pub(super) struct Turn<'a>(Option<(Duration, tokio::sync::MutexGuard<'a, Instant>)>);

impl Turn<'_> {
    fn use_up(self) {
        if let Some((between, mut next)) = self.0 {
            *next = Instant::now() + between;
        }
    }
}
