//! Which months are due to be closed: decided anew each time from what the ledger knows, so that a
//! time of being down, a suspended machine, a tick too many and a clock that steps need no case of
//! their own.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Timelike as _, Utc};
use chrono_tz::Tz;

use crate::calendar::month::Month;

/// What the ledger knows of a month that a close has looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// Nothing is left to do.
    Closed,
    /// A person must look at it first.
    Held,
    /// Closed in the zones where it had ended at this instant.
    Until(DateTime<Utc>),
}

/// A month that can be closed, in some zone at least.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    /// Which month.
    pub month: Month,
    /// When it ended in the first of the zones where it is not closed.
    pub since: DateTime<Utc>,
}

/// The months that have ended at `as_of` in one of the `zones` and are not closed there, in order.
///
/// None before `first`: what lies before the daemon's first start is not billed by surprise. One that
/// is held waits for a person, and does not keep later ones from being closed.
///
/// ```
/// use fecha_core::calendar::due::due;
/// let zones = [chrono_tz::America::Sao_Paulo];
/// let as_of = "2026-11-01T03:00:00Z".parse().unwrap();
/// let due = due(as_of, &zones, "2026-10".parse().unwrap(), &[].into());
/// assert_eq!(due[0].month.to_string(), "2026-10");
/// ```
#[must_use]
pub fn due(
    as_of: DateTime<Utc>,
    zones: &[Tz],
    first: Month,
    seen: &BTreeMap<Month, Seen>,
) -> Vec<Due> {
    let last = zones.iter().map(|zone| Month::last_ended(as_of, *zone)).max();
    let mut months = Vec::new();
    let mut month = first;
    while last.is_some_and(|last| month <= last) {
        let ends = zones.iter().map(|zone| month.period_in(*zone).end);
        let since = ends.filter(|end| *end <= as_of && !is_done(seen.get(&month), *end)).min();
        months.extend(since.map(|since| Due { month, since }));
        month = month.next();
    }
    months
}

/// Clocks of several machines differ; what is further ahead of one's own is wrong.
const SKEW: TimeDelta = TimeDelta::hours(1);

/// Whether a close looked at `month` under a clock that was ahead: by the clock as it is `now`, the look is
/// yet to come, and the month has ended in none of the `zones`.
#[must_use]
pub fn is_premature(
    month: Month,
    looked_at: DateTime<Utc>,
    now: DateTime<Utc>,
    zones: &[Tz],
) -> bool {
    looked_at > now + SKEW && zones.iter().all(|zone| month.period_in(*zone).end > now)
}

/// What the first month that a daemon closes is worth, by the clock as it is now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FirstMonth {
    /// It has come.
    Stands,
    /// It was said under a clock that was ahead: this one takes its place.
    Mistaken(Month),
    /// It is yet to come, and which clock was wrong cannot be said.
    Ahead,
}

/// The clock of now is not believed where it is so far behind the last import.
const BEHIND: TimeDelta = TimeDelta::days(31);

impl FirstMonth {
    /// Judges `first` by when the register was imported last: nothing is billed before, so no clock that is
    /// right is far behind that; and where the import knows nothing of so late a time either, the clock of
    /// the first start was wrong.
    #[must_use]
    pub fn judge(
        first: Month,
        last_import: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
        zone: Tz,
    ) -> Self {
        let running = |instant| Month::last_ended(instant, zone).next();
        let this_month = running(now);
        if first <= this_month {
            return Self::Stands;
        }
        match last_import {
            Some(import) if import > now + BEHIND => Self::Ahead,
            Some(import) if import <= now + SKEW || first > running(import).next() => {
                Self::Mistaken(this_month)
            }
            Some(_) | None => Self::Ahead,
        }
    }
}

/// What is looked after once a day is looked after from this hour on, local time: when people can read it.
const MORNING: u32 = 8;
/// On so many days after its close a month is verified.
const VERIFICATIONS: u32 = 3;
/// A close that is longer ago is left alone: a ledger of years, or a daemon that was off.
const VERIFIED_WITHIN: TimeDelta = TimeDelta::days(7);

/// How long after each verification a month is looked back at.
const LOOKS_BACK_EACH: TimeDelta = TimeDelta::days(7);

/// Whether the morning of a later day than that of `latest` has come in `zone`.
#[must_use]
pub fn is_a_new_morning(latest: DateTime<Utc>, now: DateTime<Utc>, zone: Tz) -> bool {
    let (latest, now) = (latest.with_timezone(&zone), now.with_timezone(&zone));
    now.date_naive() > latest.date_naive() && now.hour() >= MORNING
}

/// Whether a month that was closed at `closed_at` is to be verified, after it was `verified` times, the
/// last time at `latest`: once a day, on the three days after the close.
#[must_use]
pub fn verification_is_due(
    closed_at: DateTime<Utc>,
    verified: u32,
    latest: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
    zone: Tz,
) -> bool {
    verified < VERIFICATIONS
        && now - closed_at < VERIFIED_WITHIN
        && is_a_new_morning(latest.unwrap_or(closed_at), now, zone)
}

/// Whether a month that was closed at `closed_at`, and verified at `latest` for the last time, is to be looked
/// back at: once a week. Months of history may arrive long after the three days.
#[must_use]
pub fn look_back_is_due(
    closed_at: DateTime<Utc>,
    latest: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
    zone: Tz,
) -> bool {
    let before = latest.unwrap_or(closed_at).max(closed_at);
    let day = |instant: DateTime<Utc>| instant.with_timezone(&zone).date_naive();
    day(now) - day(before) >= LOOKS_BACK_EACH && is_a_new_morning(before, now, zone)
}

/// Whether nothing is to be done where the month ended at `end`.
fn is_done(seen: Option<&Seen>, end: DateTime<Utc>) -> bool {
    match seen {
        None => false,
        Some(Seen::Closed | Seen::Held) => true,
        Some(Seen::Until(instant)) => end <= *instant,
    }
}

#[cfg(test)]
mod tests {
    use chrono_tz::America;
    use rstest::rstest;

    use super::*;

    fn months(as_of: &str, zones: &[Tz], first: &str, seen: &[(&str, Seen)]) -> Vec<String> {
        let seen = seen.iter().map(|(month, seen)| (month.parse().unwrap(), *seen)).collect();
        let due = due(as_of.parse().unwrap(), zones, first.parse().unwrap(), &seen);
        due.iter().map(|due| due.month.to_string()).collect()
    }

    fn until(instant: &str) -> Seen {
        Seen::Until(instant.parse().unwrap())
    }

    #[rstest]
    #[case("2026-11-01T02:59:59Z", &[])]
    #[case("2026-11-01T03:00:00Z", &["2026-10"])]
    #[case("2026-11-30T00:00:00Z", &["2026-10"])]
    #[case("2027-01-01T03:00:00Z", &["2026-10", "2026-11", "2026-12"])] // down for months
    #[case("2026-09-01T00:00:00Z", &[])] // a clock that was set back
    fn a_month_is_due_once_it_has_ended(#[case] as_of: &str, #[case] expected: &[&str]) {
        assert_eq!(months(as_of, &[America::Sao_Paulo], "2026-10", &[]), expected);
    }

    // Noronha ends at 02:00, Brasília at 03:00, Manaus at 04:00, Rio Branco at 05:00 UTC.
    #[rstest]
    #[case("2026-11-01T01:59:59Z", None, &[])]
    #[case("2026-11-01T02:00:00Z", None, &["2026-10"])]
    #[case("2026-11-01T02:30:00Z", Some("2026-11-01T02:00:00Z"), &[])]
    #[case("2026-11-01T03:00:00Z", Some("2026-11-01T02:00:00Z"), &["2026-10"])]
    #[case("2026-11-01T03:00:00Z", Some("2026-11-01T02:59:59Z"), &["2026-10"])]
    #[case("2026-11-01T03:59:59Z", Some("2026-11-01T03:00:00Z"), &[])]
    #[case("2026-11-01T09:00:00Z", Some("2026-11-01T03:00:00Z"), &["2026-10"])]
    #[case("2026-11-01T09:00:00Z", Some("2026-11-01T05:00:00Z"), &[])]
    fn each_zone_is_waited_for(
        #[case] as_of: &str,
        #[case] looked_at: Option<&str>,
        #[case] expected: &[&str],
    ) {
        let zones = [America::Noronha, America::Sao_Paulo, America::Manaus, America::Rio_Branco];
        let seen: Vec<_> = looked_at.map(|at| ("2026-10", until(at))).into_iter().collect();
        assert_eq!(months(as_of, &zones, "2026-10", &seen), expected);
    }

    // October ends at 03:00 in Brasília.
    #[rstest]
    #[case("2026-11-02T04:00:00Z", "2026-10-02T10:00:00Z", true)] // a month ahead for minutes
    #[case("2026-11-01T03:02:00Z", "2026-10-31T23:00:00Z", true)]
    #[case("2026-11-01T03:02:00Z", "2026-11-01T02:30:00Z", false)] // within what clocks differ by
    #[case("2026-11-02T04:00:00Z", "2026-11-01T03:00:01Z", false)] // it has ended: the look was worth it
    #[case("2026-11-01T03:02:00Z", "2026-11-01T04:00:00Z", false)]
    fn a_look_under_a_clock_that_was_ahead(
        #[case] looked_at: &str,
        #[case] now: &str,
        #[case] expected: bool,
    ) {
        let (looked_at, now) = (looked_at.parse().unwrap(), now.parse().unwrap());
        let month = "2026-10".parse().unwrap();
        assert_eq!(is_premature(month, looked_at, now, &[America::Sao_Paulo]), expected);
    }

    #[rstest]
    #[case("2026-10", Some("2026-10-20T12:00:00Z"), "2026-10-21T12:00:00Z", "stands")]
    #[case("2036-05", Some("2026-10-20T12:00:00Z"), "2026-10-21T12:00:00Z", "2026-10")]
    #[case("2026-11", Some("2026-10-20T12:00:00Z"), "2026-10-21T12:00:00Z", "2026-10")]
    // The import was under the wrong clock too: who can say?
    #[case("2036-05", Some("2036-05-01T12:00:00Z"), "2026-10-21T12:00:00Z", "ahead")]
    // The clock of now is behind: 2020 is not billed by surprise.
    #[case("2026-11", Some("2026-11-02T12:00:00Z"), "2020-01-01T00:00:00Z", "ahead")]
    #[case("2036-05", Some("2026-11-02T12:00:00Z"), "2020-01-01T00:00:00Z", "ahead")]
    #[case("2026-11", Some("2026-11-02T12:00:00Z"), "2026-10-20T12:00:00Z", "ahead")]
    #[case("2036-05", None, "2026-10-21T12:00:00Z", "ahead")]
    fn a_first_month_is_judged(
        #[case] first: &str,
        #[case] import: Option<&str>,
        #[case] now: &str,
        #[case] expected: &str,
    ) {
        let import = import.map(|import| import.parse().unwrap());
        let zone = America::Sao_Paulo;
        let judged = FirstMonth::judge(first.parse().unwrap(), import, now.parse().unwrap(), zone);
        let judged = match judged {
            FirstMonth::Stands => "stands".to_owned(),
            FirstMonth::Mistaken(month) => month.to_string(),
            FirstMonth::Ahead => "ahead".to_owned(),
        };
        assert_eq!(judged, expected);
    }

    #[rstest]
    #[case(&[("2026-10", Seen::Closed)], &["2026-11"])]
    #[case(&[("2026-10", Seen::Held)], &["2026-11"])]
    #[case(&[("2026-11", Seen::Closed)], &["2026-10"])]
    #[case(&[("2026-10", Seen::Closed), ("2026-11", Seen::Held)], &[])]
    #[case(&[("2026-10", Seen::Until(DateTime::UNIX_EPOCH))], &["2026-10", "2026-11"])]
    fn what_is_closed_or_held_is_left_alone(
        #[case] seen: &[(&str, Seen)],
        #[case] expected: &[&str],
    ) {
        assert_eq!(months("2026-12-05T00:00:00Z", &[America::Recife], "2026-10", seen), expected);
    }

    // Midnight of 2017-10-01 does not exist in Paraguay, that of 2018-11-04 not in Brazil; Chile
    // changed on 2017-08-13. All from the IANA database.
    #[rstest]
    #[case(America::Asuncion, "2017-09", "2017-10-01T04:00:00Z")]
    #[case(America::Sao_Paulo, "2018-10", "2018-11-01T03:00:00Z")]
    #[case(America::Sao_Paulo, "2018-11", "2018-12-01T02:00:00Z")]
    #[case(America::Santiago, "2017-07", "2017-08-01T04:00:00Z")]
    #[case(America::Santiago, "2017-08", "2017-09-01T03:00:00Z")]
    #[case(America::Havana, "2026-10", "2026-11-01T04:00:00Z")] // midnight comes twice
    fn clocks_that_change_at_midnight(#[case] zone: Tz, #[case] month: &str, #[case] end: &str) {
        let end: DateTime<Utc> = end.parse().unwrap();
        let month: Month = month.parse().unwrap();
        let due = |as_of| due(as_of, &[zone], month, &[].into());
        assert!(due(end - chrono::TimeDelta::milliseconds(1)).is_empty());
        assert_eq!(due(end), [Due { month, since: end }]);
    }

    #[test]
    fn without_zones_nothing_is_due() {
        assert!(months("2026-12-05T00:00:00Z", &[], "2026-10", &[]).is_empty());
    }

    #[rstest]
    #[case(0, None, "2026-11-01T23:00:00Z", false)] // the day of the close
    #[case(0, None, "2026-11-02T10:59:00Z", false)] // before 8 in Brasília
    #[case(0, None, "2026-11-02T11:00:00Z", true)]
    #[case(1, Some("2026-11-02T11:00:00Z"), "2026-11-03T02:00:00Z", false)] // the same local day
    #[case(1, Some("2026-11-02T11:00:00Z"), "2026-11-03T11:00:00Z", true)]
    #[case(2, Some("2026-11-03T11:00:00Z"), "2026-11-06T11:00:00Z", true)] // it was off for two days
    #[case(3, Some("2026-11-04T11:00:00Z"), "2026-11-05T11:00:00Z", false)]
    #[case(0, None, "2026-11-08T11:00:00Z", false)] // closed long ago
    fn a_closed_month_is_verified_on_three_mornings(
        #[case] verified: u32,
        #[case] latest: Option<&str>,
        #[case] now: &str,
        #[case] expected: bool,
    ) {
        let closed_at = "2026-11-01T03:02:00Z".parse().unwrap();
        let latest = latest.map(|latest| latest.parse().unwrap());
        let zone = America::Sao_Paulo;
        let due = verification_is_due(closed_at, verified, latest, now.parse().unwrap(), zone);
        assert_eq!(due, expected);
    }

    #[rstest]
    #[case(None, "2026-11-08T10:59:00Z", false)] // before 8 in Brasília
    #[case(None, "2026-11-08T11:00:00Z", true)]
    #[case(Some("2026-11-04T20:00:00Z"), "2026-11-10T23:00:00Z", false)]
    #[case(Some("2026-11-04T20:00:00Z"), "2026-11-11T11:00:00Z", true)]
    #[case(Some("2027-03-04T20:00:00Z"), "2027-03-11T11:00:00Z", true)]
    fn a_closed_month_is_looked_back_at_once_a_week(
        #[case] latest: Option<&str>,
        #[case] now: &str,
        #[case] expected: bool,
    ) {
        let closed_at = "2026-11-01T03:02:00Z".parse().unwrap();
        let latest = latest.map(|latest| latest.parse().unwrap());
        let zone = America::Sao_Paulo;
        assert_eq!(look_back_is_due(closed_at, latest, now.parse().unwrap(), zone), expected);
    }
}
