//! How long an action tries again where the ledger is busy.

use std::slice::Iter;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::ledger::LedgerError;

/// Before each further try.
const PAUSES: [Duration; 4] = [
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
];
/// Who has waited so long for a lock already waits no longer.
const LONGEST: Duration = Duration::from_secs(20);

/// The patience of one transaction that met a lock, a limit of time, or another transaction: a few tries.
#[derive(Debug)]
pub struct Patience {
    begun: Instant,
    pauses: Iter<'static, Duration>,
}

impl Patience {
    /// Begins now.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "it begins at an instant")]
    pub fn new() -> Self {
        Self { begun: Instant::now(), pauses: PAUSES.iter() }
    }

    /// Waits for a moment after the ledger was busy; `false` where it is to be given up.
    pub async fn again(&mut self) -> bool {
        if self.begun.elapsed() > LONGEST {
            return false;
        }
        let Some(pause) = self.pauses.next() else { return false };
        tracing::warn!("the ledger is busy: trying again");
        sleep(*pause).await;
        true
    }

    /// Waits for a moment where the same may work then; `false` where it is to be given up.
    pub async fn lasts(&mut self, error: &LedgerError) -> bool {
        error.is_busy() && self.again().await
    }
}
