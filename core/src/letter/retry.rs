//! When an email that could not be handed over is tried again (RFC 5321 §4.5.4.1, spec §3.5).

use chrono::{DateTime, TimeDelta, Utc};

use super::Delivery;

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

/// What the `attempts`th attempt (from 1), which ended at `now`, means for the email: a [`Delivery::Retry`]
/// comes with the instant of the next attempt, or is given up and has failed where [`next_attempt`] gives
/// none. Anything else stays as it is and has no next attempt of its own.
#[must_use]
pub fn settled(
    delivery: Delivery,
    attempts: u32,
    first_attempt_at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> (Delivery, Option<DateTime<Utc>>) {
    match (delivery, next_attempt(attempts, first_attempt_at, now)) {
        (Delivery::Retry { error, .. }, None) => {
            (Delivery::Failed { error: format!("given up after 4 days: {error}") }, None)
        }
        (retry @ Delivery::Retry { .. }, next) => (retry, next),
        (delivery, _) => (delivery, None),
    }
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
    fn only_what_is_to_be_tried_again_has_a_next_attempt_or_is_given_up() {
        let (first, late) = (FIRST.parse().unwrap(), "2026-11-05T03:00:00Z".parse().unwrap());
        let error = || "450 busy".to_owned();
        let retry = || Delivery::Retry { error: error(), maybe_delivered: true };
        let next = "2026-11-01T03:01:00Z".parse().ok();
        assert_eq!(settled(retry(), 1, first, first), (retry(), next));
        let given_up = Delivery::Failed { error: "given up after 4 days: 450 busy".to_owned() };
        assert_eq!(settled(retry(), 51, first, late), (given_up, None));
        let others = [
            Delivery::Sent,
            Delivery::Failed { error: error() },
            Delivery::Unreachable { error: error() },
        ];
        for delivery in others {
            assert_eq!(settled(delivery.clone(), 1, first, first), (delivery.clone(), None));
            assert_eq!(settled(delivery.clone(), 51, first, late), (delivery, None));
        }
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
