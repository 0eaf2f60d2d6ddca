//! A server that refuses everybody is left alone for a while: each further email would only be refused as well,
//! and a provider takes it ill.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// How long nothing is tried after the first refusals in a row; then always the last.
const PAUSES: [Duration; 4] = [
    Duration::from_mins(1),
    Duration::from_mins(5),
    Duration::from_mins(15),
    Duration::from_mins(30),
];
/// How long one email may be tried before another one is.
const PROBE: Duration = Duration::from_mins(15);
/// A server that took an email so recently refuses a connection, not the sender.
const RECENT: Duration = Duration::from_mins(1);

/// Whether the connections of a round may try an email.
#[derive(Debug, Default)]
pub(super) struct Halt(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    refused: Option<Refused>,
    taken: Option<Instant>,
}

/// The server refused everybody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// What it said and what to fix.
    pub error: String,
    /// Nothing is tried before.
    pub until: Instant,
    /// What was on its way over another connection then says nothing.
    since: Instant,
    in_a_row: usize,
}

impl Halt {
    /// Why nothing may be tried now.
    pub fn reason(&self, now: Instant) -> Option<Refused> {
        self.refusal().filter(|refused| now < refused.until)
    }

    /// What was refused last, whether or not it may be tried again.
    pub fn refusal(&self) -> Option<Refused> {
        self.state().refused.clone()
    }

    /// An email is tried: as long as nothing else is known, it alone.
    pub fn probe(&self, now: Instant) {
        if let Some(refused) = &mut self.state().refused {
            refused.until = now + PROBE;
        }
    }

    /// The server refused everybody; what is known of it now.
    pub fn refused(&self, error: String, now: Instant) -> Refused {
        let mut state = self.state();
        let in_a_row = state.refused.as_ref().map_or(0, |refused| refused.in_a_row + 1);
        let pause = PAUSES[in_a_row.min(PAUSES.len() - 1)];
        let refused = Refused { error, until: now + pause, since: now, in_a_row };
        state.refused = Some(refused.clone());
        refused
    }

    /// The server could not be reached with the email that was tried: nothing more is known.
    pub fn away(&self, now: Instant) {
        if let Some(refused) = &mut self.state().refused {
            refused.until = now;
        }
    }

    /// The server dealt with an email by itself, which was tried from `began` on; when it took it, if it did.
    pub fn over(&self, began: Instant, taken: Option<Instant>) {
        let mut state = self.state();
        state.refused = state.refused.take().filter(|refused| began < refused.since);
        state.taken = taken.or(state.taken);
    }

    /// Whether the server took an email just now.
    pub fn took_one_just_before(&self, now: Instant) -> bool {
        self.state().taken.is_some_and(|taken| now < taken + RECENT)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_email_is_tried_after_each_pause_and_a_success_ends_it() {
        let halt = Halt::default();
        let mut now = Instant::now();
        assert_eq!(halt.reason(now), None);
        for minutes in [1, 5, 15, 30, 30] {
            let refused = halt.refused("550 quota".to_owned(), now);
            assert_eq!(refused.until - now, Duration::from_mins(minutes));
            assert!(halt.reason(now).is_some());
            now += Duration::from_mins(minutes);
            assert_eq!(halt.reason(now), None);
            halt.probe(now);
            assert!(halt.reason(now).is_some(), "a second one is tried beside it");
        }
        halt.away(now);
        assert_eq!(halt.reason(now), None);
        halt.over(now - Duration::from_mins(31), Some(now));
        assert!(halt.refusal().is_some(), "it was on its way");
        halt.over(now, Some(now));
        assert_eq!((halt.refusal(), halt.took_one_just_before(now)), (None, true));
        assert_eq!(halt.refused("550".to_owned(), now).in_a_row, 0);
        assert!(!halt.took_one_just_before(now + RECENT));
    }
}
