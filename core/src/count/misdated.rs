//! Messages whose time cannot be (spec §2 *Values that mean nothing to fecha*).

use std::ops::AddAssign;

use chrono::{DateTime, Days, NaiveTime, Utc};
use serde::{Deserialize, Serialize};

/// Rows whose time cannot be: seconds read as milliseconds, microseconds, a clock that is wrong.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Misdated {
    /// Before 2009, when WhatsApp began.
    pub early: u64,
    /// Later than tomorrow (UTC).
    pub late: u64,
}

impl Misdated {
    /// 2009-01-01T00:00Z.
    pub const EARLIEST: DateTime<Utc> = DateTime::from_timestamp_secs(1_230_768_000).unwrap();

    /// All of them.
    #[must_use]
    pub fn messages(self) -> u64 {
        self.early + self.late
    }

    /// From when on a message is too late.
    #[must_use]
    pub fn tomorrow_ends(now: DateTime<Utc>) -> DateTime<Utc> {
        (now + Days::new(2)).date_naive().and_time(NaiveTime::MIN).and_utc()
    }
}

impl AddAssign for Misdated {
    fn add_assign(&mut self, other: Self) {
        self.early += other.early;
        self.late += other.late;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tomorrow_ends_when_the_day_after_it_begins() {
        for (now, ends) in [
            ("2026-11-02T00:00:00Z", "2026-11-04T00:00:00Z"),
            ("2026-11-02T23:59:59Z", "2026-11-04T00:00:00Z"),
        ] {
            let ends: DateTime<Utc> = ends.parse().unwrap();
            assert_eq!(Misdated::tomorrow_ends(now.parse().unwrap()), ends);
        }
        assert_eq!(Misdated::EARLIEST.to_string(), "2009-01-01 00:00:00 UTC");
    }
}
