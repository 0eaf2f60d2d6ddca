//! A calendar month in a dealership's time zone (spec §2 *Month*).

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Datelike, Days, LocalResult, NaiveDate, TimeZone, Utc};
use chrono_tz::{GapInfo, Tz};
use serde::{Deserialize, Serialize};

/// A calendar month, written `YYYY-MM`.
///
/// A month by itself has no instants; [`Month::period_in`] gives them for a zone.
///
/// ```
/// use fecha_core::calendar::month::Month;
/// let october: Month = "2026-10".parse().unwrap();
/// assert_eq!(october.next().to_string(), "2026-11");
/// assert_eq!(october.in_words(), "outubro de 2026");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Month {
    first_day: NaiveDate,
}

/// Half-open span of time `[start, end)`, UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Period {
    /// The first instant that belongs to the period.
    pub start: DateTime<Utc>,
    /// The first instant that no longer does.
    pub end: DateTime<Utc>,
}

impl Period {
    /// Whether `instant` lies in `[start, end)`.
    #[must_use]
    pub fn contains(&self, instant: DateTime<Utc>) -> bool {
        self.start <= instant && instant < self.end
    }

    /// What lies in both; `None` where nothing does.
    #[must_use]
    pub fn shared_with(&self, other: Self) -> Option<Self> {
        let (start, end) = (self.start.max(other.start), self.end.min(other.end));
        (start < end).then_some(Self { start, end })
    }

    /// Cut into `count` slices of the same length, the last one a little longer.
    #[must_use]
    pub fn slices(&self, count: usize) -> Vec<Self> {
        let count = i32::try_from(count).unwrap_or(i32::MAX);
        let step = (self.end - self.start) / count.max(1);
        let starts = (0..count).map(|index| self.start + step * index);
        let ends = (1..count).map(|index| self.start + step * index).chain([self.end]);
        starts.zip(ends).map(|(start, end)| Self { start, end }).collect()
    }

    /// Whether the whole period lies in the past.
    #[must_use]
    pub fn has_ended(&self, now: DateTime<Utc>) -> bool {
        self.end <= now
    }
}

/// The text was not a month.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no month: write it as YYYY-MM, for example 2026-10")]
pub struct InvalidMonth(pub String);

impl Month {
    /// The month with this year and number (1 to 12); `None` outside 1970 to 9999.
    #[must_use]
    pub fn new(year: i32, month: u32) -> Option<Self> {
        let first_day = NaiveDate::from_ymd_opt(year, month, 1)?;
        (1970..=9999).contains(&year).then_some(Self { first_day })
    }

    /// The month in which `date` lies.
    #[must_use]
    pub fn of(date: NaiveDate) -> Self {
        Self { first_day: date.with_day(1).unwrap_or(date) }
    }

    /// The latest month that has ended in `zone` at `now`: the one to close by default.
    #[must_use]
    pub fn last_ended(now: DateTime<Utc>, zone: Tz) -> Self {
        let local = Self::of(now.with_timezone(&zone).date_naive());
        // A gap at midnight can make the local date run ahead of the bounds; the bounds decide.
        if local.start_in(zone) <= now { local.previous() } else { local.previous().previous() }
    }

    /// Day 1.
    #[must_use]
    pub fn first_day(self) -> NaiveDate {
        self.first_day
    }

    /// The last day of the month.
    #[must_use]
    pub fn last_day(self) -> NaiveDate {
        self.next().first_day - Days::new(1)
    }

    /// The day with this number, or the last day of a month that is shorter.
    #[must_use]
    pub fn day_or_last(self, day: u32) -> NaiveDate {
        self.first_day.with_day(day).unwrap_or_else(|| self.last_day())
    }

    /// The month after this one.
    #[must_use]
    pub fn next(self) -> Self {
        Self { first_day: self.first_day + chrono::Months::new(1) }
    }

    /// The month before this one.
    #[must_use]
    pub fn previous(self) -> Self {
        Self { first_day: self.first_day - chrono::Months::new(1) }
    }

    /// The first instant of day 1 in `zone`: 00:00 where it exists; the first instant after the gap
    /// where clocks skip it; the earlier of two where clocks repeat it (spec §2 *Month*).
    #[must_use]
    pub fn start_in(self, zone: Tz) -> DateTime<Utc> {
        let midnight = self.first_day.and_time(chrono::NaiveTime::MIN);
        match zone.from_local_datetime(&midnight) {
            LocalResult::Single(instant) | LocalResult::Ambiguous(instant, _) => {
                instant.with_timezone(&Utc)
            }
            LocalResult::None => GapInfo::new(&midnight, &zone)
                .and_then(|gap| gap.end)
                .map_or_else(|| midnight.and_utc(), |end| end.with_timezone(&Utc)),
        }
    }

    /// The month's bounds in `zone`, each end resolved by itself.
    #[must_use]
    pub fn period_in(self, zone: Tz) -> Period {
        Period { start: self.start_in(zone), end: self.next().start_in(zone) }
    }

    /// "outubro de 2026", as documents print it.
    #[must_use]
    pub fn in_words(self) -> String {
        format!("{} de {}", month_name(self.first_day.month0()), self.first_day.year())
    }

    /// "outubro", where the year is said elsewhere.
    #[must_use]
    pub fn name(self) -> &'static str {
        month_name(self.first_day.month0())
    }

    /// The year that it lies in.
    #[must_use]
    pub fn year(self) -> i32 {
        self.first_day.year()
    }

    /// "out/26", for narrow places.
    #[must_use]
    pub fn abbreviated(self) -> String {
        let name = month_name(self.first_day.month0());
        let short: String = name.chars().take(3).collect();
        format!("{short}/{:02}", self.first_day.year() % 100)
    }
}

fn month_name(month0: u32) -> &'static str {
    const NAMES: [&str; 12] = [
        "janeiro",
        "fevereiro",
        "março",
        "abril",
        "maio",
        "junho",
        "julho",
        "agosto",
        "setembro",
        "outubro",
        "novembro",
        "dezembro",
    ];
    NAMES[month0 as usize]
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.first_day.year(), self.first_day.month())
    }
}

impl FromStr for Month {
    type Err = InvalidMonth;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidMonth(text.to_owned());
        let (year, month) = text.split_once('-').ok_or_else(invalid)?;
        let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        if year.len() != 4 || month.len() != 2 || !digits(year) || !digits(month) {
            return Err(invalid());
        }
        let year = year.parse().map_err(|_| invalid())?;
        let month = month.parse().map_err(|_| invalid())?;
        Self::new(year, month).ok_or_else(invalid)
    }
}

impl TryFrom<String> for Month {
    type Error = InvalidMonth;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Month> for String {
    fn from(month: Month) -> Self {
        month.to_string()
    }
}

#[cfg(test)]
mod tests {
    use chrono_tz::America;
    use rstest::rstest;

    use super::*;

    fn month(text: &str) -> Month {
        text.parse().unwrap()
    }

    // Transitions from the IANA time zone database (files southamerica and northamerica).
    #[rstest]
    // Brasília has had no daylight saving since 2019.
    #[case("2026-10", America::Sao_Paulo, "2026-10-01T03:00:00Z", "2026-11-01T03:00:00Z")]
    #[case("2026-10", America::Noronha, "2026-10-01T02:00:00Z", "2026-11-01T02:00:00Z")]
    #[case("2026-10", America::Manaus, "2026-10-01T04:00:00Z", "2026-11-01T04:00:00Z")]
    #[case("2026-10", America::Rio_Branco, "2026-10-01T05:00:00Z", "2026-11-01T05:00:00Z")]
    // 2018-11-04 clocks went forward in Brazil: October starts at −3, November still at −3, December at −2.
    #[case("2018-11", America::Sao_Paulo, "2018-11-01T03:00:00Z", "2018-12-01T02:00:00Z")]
    // Paraguay, 2017-10-01: 00:00 does not exist, the first instant is 01:00 at −3.
    #[case("2017-10", America::Asuncion, "2017-10-01T04:00:00Z", "2017-11-01T03:00:00Z")]
    #[case("2017-09", America::Asuncion, "2017-09-01T04:00:00Z", "2017-10-01T04:00:00Z")]
    // Cuba, 2026-11-01: at 01:00 clocks go back to 00:00, so 00:00 comes twice; the earlier (−4) counts.
    #[case("2026-11", America::Havana, "2026-11-01T04:00:00Z", "2026-12-01T05:00:00Z")]
    #[case("2026-10", America::Santiago, "2026-10-01T03:00:00Z", "2026-11-01T03:00:00Z")]
    fn bounds_in_a_zone(#[case] m: &str, #[case] zone: Tz, #[case] start: &str, #[case] end: &str) {
        let period = month(m).period_in(zone);
        assert_eq!(period.start, start.parse::<DateTime<Utc>>().unwrap());
        assert_eq!(period.end, end.parse::<DateTime<Utc>>().unwrap());
    }

    #[rstest]
    #[case("2026-11-01T02:59:59Z", "2026-09")]
    #[case("2026-11-01T03:00:00Z", "2026-10")]
    fn the_last_ended_month_turns_at_local_midnight(#[case] now: &str, #[case] expected: &str) {
        let now = now.parse().unwrap();
        assert_eq!(Month::last_ended(now, America::Sao_Paulo), month(expected));
    }

    #[test]
    fn months_of_one_zone_meet_without_gap_or_overlap() {
        for zone in [America::Sao_Paulo, America::Asuncion, America::Havana, America::Santiago] {
            let mut current = month("2015-01");
            while current < month("2030-01") {
                assert_eq!(current.period_in(zone).end, current.next().period_in(zone).start);
                assert!(current.period_in(zone).start < current.period_in(zone).end);
                current = current.next();
            }
        }
    }

    #[rstest]
    #[case("2026-13")]
    #[case("2026-00")]
    #[case("2026-1")]
    #[case("26-10")]
    #[case("2026/10")]
    #[case("+026-10")]
    #[case("outubro")]
    #[case("")]
    fn refuses_what_is_no_month(#[case] text: &str) {
        assert_eq!(text.parse::<Month>(), Err(InvalidMonth(text.to_owned())));
    }

    #[test]
    fn a_day_past_the_end_is_the_last_day() {
        assert_eq!(month("2027-02").day_or_last(31).to_string(), "2027-02-28");
        assert_eq!(month("2028-02").day_or_last(31).to_string(), "2028-02-29");
        assert_eq!(month("2026-11").day_or_last(10).to_string(), "2026-11-10");
    }

    #[test]
    fn slices_are_the_whole_without_gap_or_overlap() {
        let month = "2026-10".parse::<Month>().unwrap().period_in(chrono_tz::America::Noronha);
        for count in 1..=32 {
            let slices = month.slices(count);
            assert_eq!(slices.len(), count);
            assert_eq!((slices[0].start, slices[count - 1].end), (month.start, month.end));
            for pair in slices.windows(2) {
                assert_eq!(pair[0].end, pair[1].start);
                assert_eq!(pair[0].shared_with(pair[1]), None);
            }
            assert!(slices.iter().all(|slice| slice.shared_with(month) == Some(*slice)));
        }
    }
}
