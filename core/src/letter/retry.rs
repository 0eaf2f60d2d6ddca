//! When an email that could not be handed over is tried again (RFC 5321 §4.5.4.1, spec §3.5).

use chrono::{DateTime, TimeDelta, Utc};

/// For how long an email is tried, from its first attempt on.
pub const PERIOD: TimeDelta = TimeDelta::days(4);

/// When to try again after the attempt at `now`, the `attempts`th one (from 1): after 1, 5 and 30
/// minutes, then every 2 hours. `None` where that is more than [`PERIOD`] after the first attempt: the
/// email has failed.
///
/// ```
/// use fecha_core::letter::retry::next_attempt;
/// let first = "2026-11-01T03:00:00Z".parse().unwrap();
/// assert_eq!(next_attempt(1, first, first), "2026-11-01T03:01:00Z".parse().ok());
/// ```
#[must_use]
pub fn next_attempt(
    attempts: u32,
    first_attempt_at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Option<DateTime<Utc>> {
    let pause = match attempts {
        0 | 1 => TimeDelta::minutes(1),
        2 => TimeDelta::minutes(5),
        3 => TimeDelta::minutes(30),
        _ => TimeDelta::hours(2),
    };
    let next = now + pause;
    (next - first_attempt_at <= PERIOD).then_some(next)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const FIRST: &str = "2026-11-01T03:00:00Z";

    #[rstest]
    #[case(1, "2026-11-01T03:00:00Z", Some("2026-11-01T03:01:00Z"))]
    #[case(2, "2026-11-01T03:01:00Z", Some("2026-11-01T03:06:00Z"))]
    #[case(3, "2026-11-01T03:06:00Z", Some("2026-11-01T03:36:00Z"))]
    #[case(4, "2026-11-01T03:36:00Z", Some("2026-11-01T05:36:00Z"))]
    #[case(5, "2026-11-01T05:36:00Z", Some("2026-11-01T07:36:00Z"))]
    #[case(1, "2026-11-03T09:00:00Z", Some("2026-11-03T09:01:00Z"))] // away for two days: goes on
    #[case(50, "2026-11-05T01:00:00Z", Some("2026-11-05T03:00:00Z"))] // four days to the second
    #[case(50, "2026-11-05T01:00:01Z", None)]
    #[case(4, "2026-11-09T00:00:00Z", None)]
    fn tries_again(#[case] attempts: u32, #[case] now: &str, #[case] expected: Option<&str>) {
        let next = next_attempt(attempts, FIRST.parse().unwrap(), now.parse().unwrap());
        assert_eq!(next, expected.map(|text| text.parse().unwrap()));
    }

    #[test]
    fn an_email_that_never_goes_out_is_tried_for_four_days() {
        let first = FIRST.parse().unwrap();
        let (mut attempts, mut now) = (1, first);
        while let Some(next) = next_attempt(attempts, first, now) {
            (attempts, now) = (attempts + 1, next);
        }
        assert_eq!(attempts, 51); // at 0, 1, 6, 36 minutes, then 47 times two hours later
        assert!(first + PERIOD - now < TimeDelta::hours(2));
    }
}
