//! Sends the outbox: each postman claims an email, sends it and records what became of it, so that
//! one that takes long holds up none of the others.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::pulse::Stage;
use super::{Daemon, Ends, backoff, told};
use crate::ledger::Ledger;
use crate::ledger::delivery::Done;
use crate::post::Refused;
use crate::post::deliver::{End, Post};
use crate::post::round::Round;
use crate::setup::office;
use fecha_core::letter::Delivery;

/// How long a postman rests where nothing is due.
const REST: Duration = Duration::from_secs(2);
/// How long the first and the longest pause is where the mail server or the ledger is away.
const PAUSES: [Duration; 2] = [Duration::from_secs(2), Duration::from_mins(1)];

/// Sends what is due, until told to end; then finishes the email in hand. All postmen of a term share its
/// round.
pub async fn run(daemon: Arc<Daemon>, ledger: Ledger, round: Arc<Round>, mut ends: Ends) {
    let office = &daemon.office;
    let mut mailer = match office::mailer(&office.config) {
        Ok(mailer) => mailer,
        Err(error) => return tracing::error!(%error, "no email can be sent"),
    };
    let post = Post { ledger: &ledger, templates: &office.templates, clock: office.clock };
    let mut failures = 0;
    while !*ends.borrow() {
        let note = |done: &Done, time| {
            daemon.pulse.took(Stage::Deliver, time);
            match done.delivery() {
                Delivery::Unreachable { .. } => return,
                // A person is to be told.
                Delivery::Failed { .. } | Delivery::Refused { .. } => daemon.wake.notify_one(),
                Delivery::Sent | Delivery::Retry { .. } | Delivery::Overtaken => {}
            }
            failures = 0;
            if daemon.pulse.mail_is_away(false) {
                tracing::info!("the mail server is back");
            }
        };
        let end = post.work(&mut mailer, &round, told(&mut ends), note).await;
        let pause = match end {
            Ok(End::Unreachable(error)) => {
                failures += 1;
                if daemon.pulse.mail_is_away(true) {
                    tracing::warn!(%error, "emails wait for the mail server");
                }
                backoff(failures, PAUSES)
            }
            Ok(End::Refused(Refused { error, until, .. })) => {
                // Not woken by what is queued: it would be refused as well.
                failures = 1;
                if daemon.pulse.mail_is_away(true) {
                    tracing::error!(%error, "the mail server refuses all emails: they wait");
                }
                // Another one may be trying already, and find it over.
                until.saturating_duration_since(Instant::now()).min(PAUSES[1])
            }
            Ok(End::NothingDue | End::Told) => {
                failures = 0;
                REST
            }
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
