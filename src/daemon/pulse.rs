//! What the daemon tells about itself while it runs: signs of life, counts and times.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::ledger::LedgerError;

/// A part of the work whose time is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Reading the message database.
    Count,
    /// Pricing, drawing and writing invoices.
    Issue,
    /// Reporting to finance.
    Report,
    /// Handing over an email.
    Deliver,
}

impl Stage {
    /// All, in the order of the work.
    pub const ALL: [Self; 4] = [Self::Count, Self::Issue, Self::Report, Self::Deliver];

    /// Its name for whoever watches.
    pub fn name(self) -> &'static str {
        match self {
            Self::Count => "count",
            Self::Issue => "issue",
            Self::Report => "report",
            Self::Deliver => "deliver",
        }
    }
}

/// How often a stage was gone through, and how long that took in all.
#[derive(Debug, Default)]
struct Times {
    count: AtomicU64,
    millis: AtomicU64,
}

/// Signs of life, counts and times since the start.
#[derive(Debug)]
pub struct Pulse {
    started: Instant,
    /// Milliseconds after the start of the latest sign of life.
    latest: AtomicU64,
    leads: AtomicBool,
    mail_is_away: AtomicBool,
    /// Why the ledger refused to be written when that was tried last.
    not_written: Mutex<Option<String>>,
    closes: AtomicU64,
    failed_closes: AtomicU64,
    stages: [Times; 4],
}

impl Pulse {
    pub fn new() -> Self {
        Self {
            started: Instant::now(),
            latest: AtomicU64::new(0),
            leads: AtomicBool::new(false),
            mail_is_away: AtomicBool::new(false),
            not_written: Mutex::default(),
            closes: AtomicU64::new(0),
            failed_closes: AtomicU64::new(0),
            stages: Default::default(),
        }
    }

    /// A sign of life.
    pub fn beat(&self) {
        self.latest.store(millis(self.started.elapsed()), Ordering::Relaxed);
    }

    /// How long ago the latest sign of life was.
    pub fn silent_for(&self) -> Duration {
        let latest = Duration::from_millis(self.latest.load(Ordering::Relaxed));
        self.started.elapsed().saturating_sub(latest)
    }

    pub fn lead(&self, leads: bool) {
        self.leads.store(leads, Ordering::Relaxed);
    }

    pub fn leads(&self) -> bool {
        self.leads.load(Ordering::Relaxed)
    }

    /// Notes whether the mail server is away; `true` where that is news.
    pub fn mail_is_away(&self, away: bool) -> bool {
        self.mail_is_away.swap(away, Ordering::Relaxed) != away
    }

    /// Notes that the ledger refused to be written, where the error is that.
    pub fn heard(&self, error: &LedgerError) {
        if let LedgerError::NotWritable { cause, .. } = error {
            *self.not_written.lock().unwrap_or_else(PoisonError::into_inner) = Some(cause.clone());
        }
    }

    /// The ledger was written.
    pub fn written(&self) {
        *self.not_written.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Why the ledger cannot be written, as far as that was met.
    pub fn not_written(&self) -> Option<String> {
        self.not_written.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A close ended: whether it failed.
    pub fn closed(&self, failed: bool) {
        let counter = if failed { &self.failed_closes } else { &self.closes };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// How many closes ended well, and how many failed.
    pub fn closes(&self) -> (u64, u64) {
        (self.closes.load(Ordering::Relaxed), self.failed_closes.load(Ordering::Relaxed))
    }

    /// A stage was gone through.
    pub fn took(&self, stage: Stage, time: Duration) {
        let times = &self.stages[stage as usize];
        times.count.fetch_add(1, Ordering::Relaxed);
        times.millis.fetch_add(millis(time), Ordering::Relaxed);
    }

    /// How often a stage was gone through, and how long that took in all.
    pub fn times(&self, stage: Stage) -> (u64, Duration) {
        let times = &self.stages[stage as usize];
        let millis = times.millis.load(Ordering::Relaxed);
        (times.count.load(Ordering::Relaxed), Duration::from_millis(millis))
    }
}

/// Half a billion years fit.
fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
