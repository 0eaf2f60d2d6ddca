//! Follows a close or a task: takes the time of its stages, knows how far it is and when it may be ended.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use super::pulse::Stage;
use super::{Daemon, Ends, told};
use crate::actions::close::Progress;

/// How long the invoice in hand may take after the daemon was told to stop.
const LAST_INVOICE: Duration = Duration::from_secs(5);

/// What is known of it while it runs.
pub struct Course {
    started: Instant,
    latest: Mutex<Option<Progress>>,
    is_issuing: AtomicBool,
    /// Told between two invoices.
    between: Notify,
    /// When issuing began, and when it was through.
    issued: OnceLock<(Instant, Instant)>,
    issuing: OnceLock<Instant>,
}

impl Course {
    pub fn new() -> Self {
        Self {
            started: Instant::now(),
            latest: Mutex::default(),
            is_issuing: AtomicBool::new(false),
            between: Notify::new(),
            issued: OnceLock::new(),
            issuing: OnceLock::new(),
        }
    }

    pub fn hear(&self, progress: Progress, daemon: &Daemon) {
        daemon.pulse.beat();
        *self.latest.lock().unwrap_or_else(PoisonError::into_inner) = Some(progress);
        let Progress::Issuing(done, all) = progress else { return };
        let began = *self.issuing.get_or_init(Instant::now);
        self.is_issuing.store(done < all, Ordering::Relaxed);
        if done == all {
            let _ = self.issued.set((began, Instant::now()));
        }
        self.between.notify_waiters();
        // Invoices that are there can go while others are still being issued.
        daemon.bell.post.notify_waiters();
    }

    /// The last that was heard.
    pub fn latest(&self) -> Option<Progress> {
        *self.latest.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Completes when it was told to end and has no invoice in hand.
    pub async fn may_end(&self, ends: &mut Ends) {
        told(ends).await;
        if self.is_issuing.load(Ordering::Relaxed) {
            // Whatever takes longer is rolled back, and done again after the next start.
            let _ = tokio::time::timeout(LAST_INVOICE, self.between.notified()).await;
        }
    }

    /// Keeps how long its stages took.
    pub fn end(&self, daemon: &Daemon) {
        let pulse = &daemon.pulse;
        let counted = self.issuing.get().copied().unwrap_or_else(Instant::now);
        pulse.took(Stage::Count, counted - self.started);
        if let Some((began, ended)) = self.issued.get() {
            pulse.took(Stage::Issue, *ended - *began);
            pulse.took(Stage::Report, ended.elapsed());
        }
    }
}
