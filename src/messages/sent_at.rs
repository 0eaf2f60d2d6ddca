//! When a message was sent, as the relation has it: bounds are literals of the column's own type, so that
//! an index on the column serves.

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;

use fecha_core::calendar::month::Period;
use fecha_core::calendar::wall::WallClock;
use fecha_core::database::Scheme;

/// What `sent_at` is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SentAt {
    /// An instant as each engine has it: `timestamptz`, `DATETIME` in UTC, Unix milliseconds.
    #[default]
    Instant,
    /// `sent_at_unit = "s"`: a whole number of Unix seconds.
    Seconds,
    /// `sent_at_unit = "ms"`: a whole number of Unix milliseconds.
    Millis,
    /// `sent_at_zone`: a local time without its offset (`timestamp`, `DATETIME`, in SQLite a text
    /// `YYYY-MM-DD HH:MM:SS`), read by [`WallClock`].
    Local(Tz),
}

impl SentAt {
    /// The first value of the column that is this instant or later.
    pub(super) fn bound(self, instant: DateTime<Utc>, scheme: Scheme) -> String {
        let millis = instant.timestamp_millis();
        let utc = instant.format("%Y-%m-%d %H:%M:%S%.6f");
        match (self, scheme) {
            (Self::Instant, Scheme::Postgres) => format!("TIMESTAMPTZ '{utc}+00'"),
            (Self::Instant, Scheme::Mysql) => format!("TIMESTAMP '{utc}'"),
            (Self::Millis, _) | (Self::Instant, Scheme::Sqlite) => millis.to_string(),
            (Self::Seconds, _) => (-(-millis).div_euclid(1000)).to_string(),
            (Self::Local(zone), scheme) => {
                let wall = WallClock::new(zone).bound(instant);
                match scheme {
                    // As it is written there, so that texts compare as the times do.
                    Scheme::Sqlite => format!("'{}'", wall.format("%Y-%m-%d %H:%M:%S%.f")),
                    Scheme::Postgres | Scheme::Mysql => {
                        format!("TIMESTAMP '{}'", wall.format("%Y-%m-%d %H:%M:%S%.6f"))
                    }
                }
            }
        }
    }

    /// A condition that holds for what was sent within.
    pub(super) fn lies_in(self, period: Period, scheme: Scheme) -> String {
        let bound = |instant| self.bound(instant, scheme);
        format!("sent_at >= {} AND sent_at < {}", bound(period.start), bound(period.end))
    }

    /// Whether it is a number in every engine.
    pub(super) fn is_number(self) -> bool {
        matches!(self, Self::Seconds | Self::Millis)
    }

    /// What reads the column's values.
    pub(super) fn times(self) -> Times {
        match self {
            Self::Instant => Times::Micros,
            Self::Seconds => Times::Seconds,
            Self::Millis => Times::Millis,
            Self::Local(zone) => Times::Walls(WallClock::new(zone)),
        }
    }
}

/// Values of the column, made Unix milliseconds.
#[derive(Debug, Clone)]
pub(super) enum Times {
    /// Unix microseconds.
    Micros,
    Seconds,
    Millis,
    /// Microseconds of local time, as if it were UTC.
    Walls(WallClock),
}

impl Times {
    /// Finer time is cut off, never rounded up.
    pub(super) fn millis(&mut self, value: i64) -> i64 {
        match self {
            Self::Micros => value.div_euclid(1000),
            Self::Seconds => value.saturating_mul(1000),
            Self::Millis => value,
            Self::Walls(clock) => clock.read(value).div_euclid(1000),
        }
    }
}

/// Where the newest message is looked for: in one span after the other, until there is one.
///
/// Whether a writer has stopped is decided by the last hours before the month's end, so these are asked
/// first: over all history there may be no index that leads to a `MAX`.
pub(super) fn newest_in(
    span: Option<Period>,
    now: DateTime<Utc>,
    within: TimeDelta,
) -> Vec<Period> {
    let after_now = now + TimeDelta::milliseconds(1);
    let end = span.map_or(after_now, |span| span.end.min(after_now));
    let since = end.checked_sub_signed(within).unwrap_or(DateTime::<Utc>::MIN_UTC).max(BEGINNING);
    let spans = [(since, end), (end, after_now), (BEGINNING, since)];
    let spans = spans.into_iter().filter(|(start, end)| start < end);
    spans.map(|(start, end)| Period { start, end }).collect()
}

/// The year 1000: where MySQL's calendar begins, and before any message.
const BEGINNING: DateTime<Utc> = DateTime::from_timestamp_secs(-30_610_224_000).unwrap();

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(SentAt::Instant, Scheme::Postgres, "TIMESTAMPTZ '2026-10-01 03:00:00.000000+00'")]
    #[case(SentAt::Instant, Scheme::Mysql, "TIMESTAMP '2026-10-01 03:00:00.000000'")]
    #[case(SentAt::Instant, Scheme::Sqlite, "1790823600000")]
    #[case(SentAt::Millis, Scheme::Mysql, "1790823600000")]
    #[case(SentAt::Seconds, Scheme::Postgres, "1790823600")]
    #[case(
        SentAt::Local(chrono_tz::America::Sao_Paulo),
        Scheme::Postgres,
        "TIMESTAMP '2026-10-01 00:00:00.000000'"
    )]
    #[case(SentAt::Local(chrono_tz::America::Sao_Paulo), Scheme::Sqlite, "'2026-10-01 00:00:00'")]
    fn a_bound_is_of_the_columns_type(
        #[case] sent_at: SentAt,
        #[case] scheme: Scheme,
        #[case] literal: &str,
    ) {
        assert_eq!(sent_at.bound("2026-10-01T03:00:00Z".parse().unwrap(), scheme), literal);
    }

    #[rstest]
    #[case(1_000, "1")]
    #[case(1_001, "2")]
    #[case(999, "1")]
    #[case(0, "0")]
    #[case(-1, "0")]
    #[case(-1_000, "-1")]
    fn the_first_whole_second_that_is_not_earlier(#[case] millis: i64, #[case] bound: &str) {
        let instant = DateTime::from_timestamp_millis(millis).unwrap();
        assert_eq!(SentAt::Seconds.bound(instant, Scheme::Sqlite), bound);
    }

    #[rstest]
    #[case(
        Some("2026-11-01T03:00:00Z"),
        "2026-11-20T00:00:00Z",
        "10-31T03:00 11-01T03:00, 11-01T03:00 11-20T00:00, 01-01T00:00 10-31T03:00"
    )]
    #[case(
        Some("2026-12-01T03:00:00Z"),
        "2026-11-20T00:00:00Z",
        "11-19T00:00 11-20T00:00, 01-01T00:00 11-19T00:00"
    )]
    #[case(None, "2026-11-20T00:00:00Z", "11-19T00:00 11-20T00:00, 01-01T00:00 11-19T00:00")]
    fn the_newest_is_looked_for_before_the_months_end_first(
        #[case] month_end: Option<&str>,
        #[case] now: &str,
        #[case] expected: &str,
    ) {
        let end = month_end.map(|text| text.parse::<DateTime<Utc>>().unwrap());
        let span = end.map(|end| Period { start: end - TimeDelta::days(31), end });
        let spans = newest_in(span, now.parse().unwrap(), TimeDelta::hours(24));
        let shown: Vec<String> = spans
            .iter()
            .map(|span| {
                format!("{} {}", span.start.format("%m-%dT%H:%M"), span.end.format("%m-%dT%H:%M"))
            })
            .collect();
        assert_eq!(shown.join(", "), expected);
        assert!(spans.iter().map(|span| span.start).min() < Some(DateTime::UNIX_EPOCH));
    }
}
