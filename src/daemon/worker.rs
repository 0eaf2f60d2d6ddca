//! Carries out what people ask for in the console, one task after the other, and takes up what a leader before left
//! running.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use futures::FutureExt as _;
use tokio::time::sleep;

use super::course::Course;
use super::{Daemon, Ends, backoff, told};
use crate::actions::close::Progress;
use crate::actions::portuguese;
use crate::actions::task::{Asker, Outcome, TaskError, Tools, Wish, carry_out};
use crate::ledger::tasks::{Phase, Step, Task, TaskEnd};
use crate::ledger::{Ledger, LedgerError};

/// How often it looks whether something was asked for that nobody woke it for: on another machine.
const POLL: Duration = Duration::from_secs(2);
/// How often it notes how far a task is.
const NOTE: Duration = Duration::from_millis(500);
/// How long the first and the longest pause is where the ledger is away.
const PAUSES: [Duration; 2] = [Duration::from_secs(2), Duration::from_mins(1)];
/// The same before a task is tried again that failed for a reason that passes.
const AGAIN: [Duration; 2] = [Duration::from_secs(5), Duration::from_mins(10)];
/// So often a task is begun: hours where a server is away, and no longer where it takes the daemon with it.
const MOST_TRIES: u32 = 40;

struct Worker {
    daemon: Arc<Daemon>,
    ledger: Ledger,
    /// The name of this term: what another term runs is left over.
    term: String,
}

/// Looks each time that it is woken, until told to end; then finishes the invoice in hand, and leaves the task to
/// the next leader.
pub async fn run(daemon: Arc<Daemon>, ledger: Ledger, mut ends: Ends) {
    let term = ledger.term_name(daemon.office.clock.now());
    let worker = Worker { daemon: daemon.clone(), ledger, term };
    let mut failures = 0;
    while !*ends.borrow() {
        let pause = match worker.work(&mut ends).await {
            Ok(true) => continue,
            Ok(false) => {
                failures = 0;
                POLL
            }
            Err(LedgerError::Deposed | LedgerError::Replaced { .. }) => return,
            Err(error) => {
                daemon.pulse.heard(&error);
                if failures == 0 {
                    tracing::warn!(%error, "what was asked for waits for the ledger");
                }
                failures += 1;
                backoff(failures, PAUSES)
            }
        };
        tokio::select! {
            () = daemon.bell.tasks.notified() => {}
            () = sleep(pause) => {}
            () = told(&mut ends) => {}
        }
    }
}

/// How a try of a task ended.
enum Tried {
    /// By itself.
    Ended(Result<Outcome, TaskError>),
    /// By a fault of the program.
    BrokeOff,
    /// The daemon ends.
    Told,
}

impl Worker {
    /// Carries out one task; `false` where there is none.
    async fn work(&self, ends: &mut Ends) -> Result<bool, LedgerError> {
        let now = self.daemon.office.clock.now();
        let Some(task) = self.ledger.take_task(&self.term, now).await? else { return Ok(false) };
        let Task { id, kind, asked_by, tries, .. } = &task;
        tracing::info!(task = %id, kind, asked_by, tries, "carrying out a task");
        let end = match Wish::of(&task) {
            _ if *tries > MOST_TRIES => TaskEnd::Failed(format!(
                "Foi começada {MOST_TRIES} vezes e não chegou ao fim: veja o registro (log) do servidor."
            )),
            Err(error) => TaskEnd::Failed(portuguese::ledger(&error)),
            Ok(wish) => match self.try_out(&task, &wish, ends).await {
                Tried::Told => {
                    tracing::info!(task = %id, "the task goes on after the next start");
                    return Ok(true);
                }
                Tried::BrokeOff => TaskEnd::Failed(
                    "Um erro do programa a interrompeu: veja o registro (log) do servidor."
                        .to_owned(),
                ),
                Tried::Ended(ended) => self.ended(&task, ended)?,
            },
        };
        match &end {
            TaskEnd::Done(_) => tracing::info!(task = %id, kind, "the task is done"),
            TaskEnd::Failed(why) => tracing::error!(task = %id, kind, why, "the task failed"),
            TaskEnd::Again(at, why) => {
                tracing::warn!(task = %id, kind, why, again = %at, "the task is tried again");
            }
        }
        self.write_end(&task, end, ends).await?;
        self.daemon.bell.post.notify_waiters();
        self.daemon.wake.notify_one();
        Ok(true)
    }

    /// What is written of how a task ended.
    fn ended(
        &self,
        task: &Task,
        ended: Result<Outcome, TaskError>,
    ) -> Result<TaskEnd, LedgerError> {
        let error = match ended {
            Ok(outcome) => {
                let json = serde_json::to_string(&outcome);
                return json
                    .map(TaskEnd::Done)
                    .map_err(|error| LedgerError::Corrupt(error.to_string()));
            }
            Err(TaskError::Ledger(
                error @ (LedgerError::Deposed | LedgerError::Replaced { .. }),
            )) => return Err(error),
            Err(error) => error,
        };
        if let Some(LedgerError::Deposed) = error.ledger() {
            return Err(LedgerError::Deposed);
        }
        if let Some(error) = error.ledger() {
            self.daemon.pulse.heard(error);
        }
        let why = portuguese::why_not(&error);
        tracing::warn!(task = %task.id, %error, "a task could not be carried out");
        if !error.may_pass() {
            return Ok(TaskEnd::Failed(why));
        }
        let pause = TimeDelta::from_std(backoff(task.tries, AGAIN)).unwrap_or(TimeDelta::MAX);
        Ok(TaskEnd::Again(self.daemon.office.clock.now() + pause, why))
    }

    async fn try_out(&self, task: &Task, wish: &Wish, ends: &mut Ends) -> Tried {
        let office = self.daemon.office.on_behalf(&task.asked_by, self.ledger.clone());
        let course = Arc::new(Course::new());
        let progress = {
            let (course, daemon) = (course.clone(), self.daemon.clone());
            move |progress| course.hear(progress, &daemon)
        };
        let by = Asker { person: task.person.as_deref(), name: &task.asked_by };
        let tools = Tools { office: &office, source: &self.daemon.source };
        let carried = async {
            // A month is counted by one at a time: twice at once is no quicker.
            let _one = if wish.counts() { Some(self.daemon.counting.lock().await) } else { None };
            AssertUnwindSafe(carry_out(tools, wish, by, progress)).catch_unwind().await
        };
        let tried = tokio::select! {
            carried = carried => carried.map_or(Tried::BrokeOff, Tried::Ended),
            () = self.note_steps(task, &course) => Tried::Told,
            () = course.may_end(ends) => Tried::Told,
        };
        if wish.counts() && matches!(tried, Tried::Ended(Ok(_))) {
            course.end(&self.daemon);
        }
        tried
    }

    /// Notes how far a task is, for whoever watches; completes only where another leads.
    async fn note_steps(&self, task: &Task, course: &Course) {
        let messages = self.messages_of(task).await.unwrap_or_default();
        let mut noted = None;
        loop {
            sleep(NOTE).await;
            let step = course.latest().map(|progress| match progress {
                Progress::Counting(done) => {
                    Step { phase: Phase::Counting, done, of: messages.max(done) }
                }
                Progress::Issuing(done, of) => {
                    Step { phase: Phase::Issuing, done: done as u64, of: of as u64 }
                }
            });
            let Some(step) = step.filter(|step| noted != Some(*step)) else { continue };
            match self.ledger.note_step(&task.id, &self.term, step).await {
                Ok(()) => noted = Some(step),
                Err(LedgerError::Deposed) => return,
                // Only a bar stands still.
                Err(error) => tracing::debug!(%error, "a step was not noted"),
            }
        }
    }

    /// About how many messages are counted for it: as many as at the last look at the month, or the one before.
    async fn messages_of(&self, task: &Task) -> Option<u64> {
        let month = task.month?;
        for month in [month, month.previous()] {
            if let Some(closing) = self.ledger.closing(month).await.ok()? {
                return Some(closing.messages.total());
            }
        }
        None
    }

    /// Writes how a task ended, however long the ledger is away: it would be carried out again.
    async fn write_end(
        &self,
        task: &Task,
        end: TaskEnd,
        ends: &mut Ends,
    ) -> Result<(), LedgerError> {
        let mut failures = 0;
        loop {
            let now = self.daemon.office.clock.now();
            let error = match self.ledger.end_task(&task.id, &self.term, end.clone(), now).await {
                Ok(()) => return Ok(()),
                Err(error) if !error.is_unreachable() => return Err(error),
                Err(error @ LedgerError::Replaced { .. }) => return Err(error),
                Err(error) => error,
            };
            tracing::warn!(task = %task.id, %error, "how a task ended is not written yet");
            failures += 1;
            tokio::select! {
                () = sleep(backoff(failures, PAUSES)) => {}
                () = told(ends) => return Err(error),
            }
        }
    }
}
