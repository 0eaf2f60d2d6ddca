//! Local times without their offset, as many applications write them, read as instants.
//!
//! Where clocks are set back, an hour comes twice: it is read as the earlier of the two. Where they are set
//! forward, an hour does not come at all: what stands there anyway is read as the first instant behind it.
//! So later local times are never read as earlier instants, and a span of instants is a span of local times.

use chrono::{DateTime, NaiveDateTime, TimeDelta, TimeZone as _, Utc};
use chrono_tz::Tz;

/// More than clocks were ever set by, and than any zone is from UTC.
const FAR: TimeDelta = TimeDelta::hours(40);

/// The offset is asked for once in so many microseconds of local time: no zone changes it within.
const QUARTER: i64 = 900_000_000;

/// Reads the local times of a zone.
#[derive(Debug, Clone)]
pub struct WallClock {
    zone: Tz,
    /// The last quarter of an hour that was asked for, and what is to be taken from its local times, in
    /// microseconds.
    last: Option<(i64, i64)>,
}

impl WallClock {
    /// Of this zone.
    #[must_use]
    pub fn new(zone: Tz) -> Self {
        Self { zone, last: None }
    }

    /// The instant of a local time; both in microseconds, the local time as if it were UTC.
    pub fn read(&mut self, wall: i64) -> i64 {
        let quarter = wall.div_euclid(QUARTER);
        if let Some((_, offset)) = self.last.filter(|(last, _)| *last == quarter) {
            return wall - offset;
        }
        let (first, last) = (quarter * QUARTER, quarter * QUARTER + QUARTER - 1);
        let (begins, ends) = (self.instant(first), self.instant(last));
        if ends - begins != last - first {
            return self.instant(wall); // an offset begins within: ask for each
        }
        self.last = Some((quarter, first - begins));
        wall - (first - begins)
    }

    /// The first local time that is read as this instant or later, in milliseconds.
    #[must_use]
    pub fn bound(&self, instant: DateTime<Utc>) -> NaiveDateTime {
        let near = instant.with_timezone(&self.zone).naive_local();
        let reads = |millis: i64| {
            let wall = DateTime::from_timestamp_millis(millis).unwrap_or_default().naive_utc();
            self.of(wall) >= instant
        };
        let (from, to) = ((near - FAR).and_utc(), (near + FAR).and_utc());
        let first = first_where(from.timestamp_millis(), to.timestamp_millis(), reads);
        DateTime::from_timestamp_millis(first).unwrap_or_default().naive_utc()
    }

    fn instant(&self, wall: i64) -> i64 {
        let of = DateTime::from_timestamp_micros(wall).map(|wall| self.of(wall.naive_utc()));
        of.map_or(wall, |instant| instant.timestamp_micros())
    }

    fn of(&self, wall: NaiveDateTime) -> DateTime<Utc> {
        if let Some(instant) = self.zone.from_local_datetime(&wall).earliest() {
            return instant.to_utc();
        }
        let is_behind = |millis: i64| {
            let instant = DateTime::from_timestamp_millis(millis).unwrap_or_default();
            instant.with_timezone(&self.zone).naive_local() > wall
        };
        let (from, to) = ((wall - FAR).and_utc(), (wall + FAR).and_utc());
        let first = first_where(from.timestamp_millis(), to.timestamp_millis(), is_behind);
        DateTime::from_timestamp_millis(first).unwrap_or_default()
    }
}

/// The first number of a range from which on it holds.
fn first_where(mut from: i64, mut to: i64, holds: impl Fn(i64) -> bool) -> i64 {
    while from < to {
        let middle = from + (to - from) / 2;
        if holds(middle) { to = middle } else { from = middle + 1 }
    }
    from
}

#[cfg(test)]
mod tests {
    use chrono_tz::{America, Europe, Pacific};
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    fn wall(text: &str) -> NaiveDateTime {
        NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f").unwrap()
    }

    fn read(zone: Tz, text: &str) -> String {
        let micros = WallClock::new(zone).read(wall(text).and_utc().timestamp_micros());
        DateTime::from_timestamp_micros(micros).unwrap().format("%Y-%m-%d %H:%M:%S%.f").to_string()
    }

    #[rstest]
    #[case(America::Sao_Paulo, "2026-10-01 00:00:00", "2026-10-01 03:00:00")]
    #[case(America::Noronha, "2026-10-31 23:59:59.999", "2026-11-01 01:59:59.999")]
    // 2018-02-18: at midnight clocks went back to 23:00. The earlier reading, then behind it.
    #[case(America::Sao_Paulo, "2018-02-17 22:59:59", "2018-02-18 00:59:59")]
    #[case(America::Sao_Paulo, "2018-02-17 23:00:00", "2018-02-18 01:00:00")]
    #[case(America::Sao_Paulo, "2018-02-17 23:59:59", "2018-02-18 01:59:59")]
    #[case(America::Sao_Paulo, "2018-02-18 00:00:00", "2018-02-18 03:00:00")]
    // 2018-11-04: midnight did not come; 01:00 did.
    #[case(America::Sao_Paulo, "2018-11-03 23:59:59", "2018-11-04 02:59:59")]
    #[case(America::Sao_Paulo, "2018-11-04 00:00:00", "2018-11-04 03:00:00")]
    #[case(America::Sao_Paulo, "2018-11-04 00:30:00", "2018-11-04 03:00:00")]
    #[case(America::Sao_Paulo, "2018-11-04 01:00:00", "2018-11-04 03:00:00")]
    #[case(America::Sao_Paulo, "2018-11-04 01:00:01", "2018-11-04 03:00:01")]
    #[case(Europe::Lisbon, "2026-10-25 01:30:00", "2026-10-25 00:30:00")]
    // A whole day was left out.
    #[case(Pacific::Apia, "2011-12-30 12:00:00", "2011-12-30 10:00:00")]
    fn a_local_time_is_read(#[case] zone: Tz, #[case] local: &str, #[case] utc: &str) {
        assert_eq!(read(zone, local), utc);
    }

    #[rstest]
    #[case(America::Sao_Paulo, "2026-10-01 03:00:00", "2026-10-01 00:00:00")]
    #[case(America::Sao_Paulo, "2018-02-18 01:30:00", "2018-02-17 23:30:00")]
    // In the second pass of the hour: all local times of that hour are read as earlier.
    #[case(America::Sao_Paulo, "2018-02-18 02:30:00", "2018-02-18 00:00:00")]
    // The first instant behind an hour that did not come has that hour too.
    #[case(America::Sao_Paulo, "2018-11-04 03:00:00", "2018-11-04 00:00:00")]
    #[case(America::Sao_Paulo, "2018-11-04 03:00:01", "2018-11-04 01:00:01")]
    fn an_instant_has_its_first_local_time(
        #[case] zone: Tz,
        #[case] utc: &str,
        #[case] local: &str,
    ) {
        assert_eq!(WallClock::new(zone).bound(wall(utc).and_utc()), wall(local));
    }

    proptest! {
        /// What a bound cuts off in local times is what it cuts off in instants, also around the changes of
        /// clocks, and whatever was read before.
        #[test]
        fn a_bound_cuts_where_the_reading_does(
            zone in proptest::sample::select(vec![America::Sao_Paulo, America::Santiago, Europe::Lisbon, Pacific::Apia]),
            bound in 1_290_000_000_i64..1_550_000_000,
            around in proptest::collection::vec(-200_000_i64..200_000, 1..20),
        ) {
            let mut clock = WallClock::new(zone);
            let instant = DateTime::from_timestamp_secs(bound).unwrap();
            let first = clock.bound(instant).and_utc().timestamp_micros();
            for seconds in around {
                let wall = (bound + seconds) * 1_000_000;
                prop_assert_eq!(wall >= first, clock.read(wall) >= bound * 1_000_000);
                prop_assert_eq!(clock.read(wall), WallClock::new(zone).read(wall));
            }
        }
    }
}
