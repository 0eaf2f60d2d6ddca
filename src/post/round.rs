//! What the connections of one round of delivery share: which emails are in hand, what became of them.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};

use super::deliver::{Delivered, Step};
use crate::ledger::delivery::Done;
use crate::ledger::outbox::Queued;
use crate::ledger::{Ledger, LedgerError};

/// Hands out claimed emails and takes in what became of them. Whoever waits for the ledger meanwhile is
/// served by one transaction: the disk is waited for once for all of them.
pub(super) struct Round<'a> {
    ledger: &'a Ledger,
    until: DateTime<Utc>,
    tray: Mutex<Tray>,
    /// Who has it works with the ledger, in the order of asking.
    turn: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Tray {
    /// Not recorded yet.
    done: Vec<Done>,
    /// How many wait for an email.
    waiting: usize,
    /// Claimed for those who wait.
    claimed: VecDeque<Queued>,
    /// Ids of emails that a connection was turned away with and no other has taken, and the last error.
    turned_away: (Vec<String>, String),
    delivered: Delivered,
}

impl<'a> Round<'a> {
    pub fn new(ledger: &'a Ledger, until: DateTime<Utc>) -> Self {
        Self { ledger, until, tray: Mutex::default(), turn: tokio::sync::Mutex::default() }
    }

    /// Records what became of the last email, and claims the next; `None` where nothing is due.
    pub async fn exchange(&self, done: Option<Done>) -> Result<Option<Queued>, LedgerError> {
        {
            let mut tray = self.tray();
            tray.done.extend(done);
            tray.waiting += 1;
        }
        let _turn = self.turn.lock().await;
        if self.tray().claimed.is_empty()
            && let Err(error) = self.write().await
        {
            self.tray().waiting -= 1;
            return Err(error);
        }
        // Else whoever had the turn before recorded ours and claimed this one for us: turns are taken in
        // the order of asking, and no more are claimed than wait.
        let mut tray = self.tray();
        tray.waiting -= 1;
        Ok(tray.claimed.pop_front())
    }

    /// Records an email that the server would not hear of: another connection may take it.
    pub async fn put_back(&self, done: Done, error: String) -> Result<(), LedgerError> {
        {
            let mut tray = self.tray();
            tray.turned_away.0.push(done.email.id.clone());
            tray.turned_away.1 = error;
            tray.done.push(done);
        }
        let _turn = self.turn.lock().await;
        self.write().await
    }

    /// Counts what became of an email; how many were dealt with so far.
    pub fn note(&self, step: Step) -> usize {
        let delivered = &mut self.tray().delivered;
        match step {
            Step::Sent => delivered.sent += 1,
            Step::Retried => delivered.retried += 1,
            Step::Failed(to, error) => delivered.failed.push((to, error)),
            Step::Unreachable(_) => {}
        }
        delivered.sent + delivered.retried + delivered.failed.len()
    }

    /// What the round did.
    pub fn finish(self) -> Delivered {
        let tray = self.tray.into_inner().unwrap_or_else(PoisonError::into_inner);
        let (ids, error) = tray.turned_away;
        let unreachable = (!ids.is_empty()).then_some(error);
        Delivered { unreachable, ..tray.delivered }
    }

    /// Records what is done, and claims for all who wait and have nothing yet.
    async fn write(&self) -> Result<(), LedgerError> {
        let (done, wanted) = {
            let mut tray = self.tray();
            let wanted = tray.waiting - tray.claimed.len();
            (std::mem::take(&mut tray.done), wanted)
        };
        let result = self.ledger.exchange_emails(&done, wanted, self.until).await;
        let mut tray = self.tray();
        match result {
            Ok(claimed) => {
                tray.turned_away.0.retain(|id| claimed.iter().all(|email| email.id != *id));
                tray.claimed.extend(claimed);
                Ok(())
            }
            Err(error) => {
                // Each who waits tries once more, and hears of it.
                tray.done.extend(done);
                Err(error)
            }
        }
    }

    fn tray(&self) -> MutexGuard<'_, Tray> {
        self.tray.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
