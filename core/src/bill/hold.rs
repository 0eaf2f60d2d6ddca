//! When a close waits for a person: a wrong source must not mail 1,500 wrong invoices (spec §2 *Hold*).

use chrono::{DateTime, TimeDelta, Utc};

/// The limits of the rule, from the configuration (`[close]`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How long before the month's end the newest message may be.
    pub newest_message_within: TimeDelta,
    /// Percent of the month before that must be reached.
    pub at_least_percent: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { newest_message_within: TimeDelta::hours(24), at_least_percent: 50 }
    }
}

/// What the source looks like at a close.
#[derive(Debug, Clone, Copy)]
pub struct Look {
    /// The latest `sent_at` of the whole relation that is not in the future.
    pub newest_message: Option<DateTime<Utc>>,
    /// The latest end of the months being closed.
    pub month_end: DateTime<Utc>,
    /// Messages that count now, of the dealerships that are closed.
    pub counted: u64,
    /// Messages that the same dealerships were invoiced for in the month before; `None` where that
    /// was not closed.
    pub counted_before: Option<u64>,
}

/// Why a close is held.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Hold {
    /// The message database has nothing at all.
    #[error("the message database has no message at all")]
    Empty,
    /// The writers of the message database seem to have stopped before the month ended.
    #[error("the newest message is of {}, more than {} hours before the month's end ({})",
        utc(.newest), .limit.num_hours(), utc(.month_end))]
    Stale {
        /// The newest message.
        newest: DateTime<Utc>,
        /// The end of the month.
        month_end: DateTime<Utc>,
        /// The configured limit.
        limit: TimeDelta,
    },
    /// Part of the messages seems to be missing.
    #[error(
        "only {counted} messages count, less than {percent} % of the {before} of the month before"
    )]
    Fewer {
        /// Now.
        counted: u64,
        /// In the month before.
        before: u64,
        /// The configured limit.
        percent: u64,
    },
}

/// Every reason to hold the close, none where it may go on.
#[must_use]
pub fn reasons(source: Look, limits: Limits) -> Vec<Hold> {
    let mut reasons = Vec::new();
    match source.newest_message {
        None => reasons.push(Hold::Empty),
        Some(newest) if newest < source.month_end - limits.newest_message_within => {
            reasons.push(Hold::Stale {
                newest,
                month_end: source.month_end,
                limit: limits.newest_message_within,
            });
        }
        Some(_) => {}
    }
    if let Some(before) = source.counted_before {
        let percent = limits.at_least_percent;
        if u128::from(source.counted) * 100 < u128::from(before) * u128::from(percent) {
            reasons.push(Hold::Fewer { counted: source.counted, before, percent });
        }
    }
    reasons
}

fn utc(instant: &DateTime<Utc>) -> String {
    instant.format("%Y-%m-%d %H:%M UTC").to_string()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const END: &str = "2026-11-01T03:00:00Z";

    #[rstest]
    #[case(Some("2026-11-01T02:59:59Z"), 50, Some(100), 0)]
    #[case(Some("2026-10-31T03:00:00Z"), 50, Some(100), 0)] // 24 hours before is not older than that
    #[case(Some("2026-10-31T02:59:59Z"), 50, Some(100), 1)]
    #[case(Some("2026-11-20T00:00:00Z"), 50, Some(100), 0)]
    #[case(Some("2026-11-01T02:00:00Z"), 49, Some(100), 1)] // fewer than half
    #[case(Some("2026-11-01T02:00:00Z"), 50, Some(101), 1)]
    #[case(Some("2026-11-01T02:00:00Z"), 0, None, 0)] // the month before was not closed
    #[case(Some("2026-11-01T02:00:00Z"), 0, Some(0), 0)]
    #[case(None, 0, None, 1)]
    #[case(None, 0, Some(10), 2)]
    fn holds(
        #[case] newest: Option<&str>,
        #[case] counted: u64,
        #[case] counted_before: Option<u64>,
        #[case] expected: usize,
    ) {
        let source = Look {
            newest_message: newest.map(|text| text.parse().unwrap()),
            month_end: END.parse().unwrap(),
            counted,
            counted_before,
        };
        assert_eq!(reasons(source, Limits::default()).len(), expected);
    }
}
