//! When an invoice is due: bank days in Brazil (spec §2 *Due date*).

use chrono::{Datelike, Days, NaiveDate, Weekday};

use crate::calendar::month::Month;

/// The date by which the invoice of `month` is to be paid.
///
/// `due_day` of the following month (its last day where it is shorter), moved to the next bank day.
/// A revision, and an invoice issued later than day 3 of that month, is due no earlier than the
/// fifth bank day after `issued_on`, the dealership's local day.
#[must_use]
pub fn due_date(month: Month, due_day: u32, issued_on: NaiveDate, is_revision: bool) -> NaiveDate {
    let regular = next_bank_day(month.next().day_or_last(due_day));
    let day_3 = month.next().first_day() + Days::new(2);
    if is_revision || issued_on > day_3 {
        regular.max(bank_days_after(issued_on, 5))
    } else {
        regular
    }
}

/// `date` itself where banks work that day, else the next day on which they do.
#[must_use]
pub fn next_bank_day(date: NaiveDate) -> NaiveDate {
    date.iter_days().find(|day| is_bank_day(*day)).unwrap_or(date)
}

fn bank_days_after(date: NaiveDate, count: usize) -> NaiveDate {
    date.iter_days().skip(1).filter(|day| is_bank_day(*day)).nth(count - 1).unwrap_or(date)
}

/// Whether Brazilian banks work on this day: no weekend and no national bank holiday.
#[must_use]
pub fn is_bank_day(date: NaiveDate) -> bool {
    !matches!(date.weekday(), Weekday::Sat | Weekday::Sun) && !is_bank_holiday(date)
}

fn is_bank_holiday(date: NaiveDate) -> bool {
    let fixed = matches!(
        (date.month(), date.day()),
        (1 | 5, 1) | (4, 21) | (9, 7) | (10, 12) | (11, 2 | 15) | (12, 25)
    );
    // Consciência Negra became a national holiday by law 14.759/2023.
    let black_consciousness = (date.month(), date.day()) == (11, 20) && date.year() >= 2024;
    // Carnival Monday and Tuesday, Good Friday, Corpus Christi.
    let from_easter = date.signed_duration_since(easter(date.year())).num_days();
    fixed || black_consciousness || matches!(from_easter, -48 | -47 | -2 | 60)
}

/// Easter Sunday by the Gregorian computus (the "anonymous" algorithm; Meeus, *Astronomical
/// Algorithms*, ch. 8).
#[expect(clippy::many_single_char_names, reason = "the names of the published algorithm")]
fn easter(year: i32) -> NaiveDate {
    let a = year % 19;
    let (b, c) = (year / 100, year % 100);
    let (d, e) = (b / 4, b % 4);
    let f = (b + 8) / 25;
    let g = (b - f + 1) / 3;
    let h = (19 * a + b - d - g + 15) % 30;
    let (i, k) = (c / 4, c % 4);
    let l = (32 + 2 * e + 2 * i - h - k) % 7;
    let m = (a + 11 * h + 22 * l) / 451;
    let sum = h + l - 7 * m + 114;
    let march_1 = NaiveDate::from_ymd_opt(year, 3, 1).unwrap_or_default();
    let day_of_march = (sum / 31 - 3) * 31 + sum % 31;
    march_1 + Days::new(u64::try_from(day_of_march).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn date(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    // Dates of Easter: US Naval Observatory; 2038 and 2285 are the latest and among the earliest.
    #[rstest]
    #[case(2019, "2019-04-21")]
    #[case(2020, "2020-04-12")]
    #[case(2024, "2024-03-31")]
    #[case(2025, "2025-04-20")]
    #[case(2026, "2026-04-05")]
    #[case(2027, "2027-03-28")]
    #[case(2038, "2038-04-25")]
    #[case(2285, "2285-03-22")]
    fn easter_falls_on(#[case] year: i32, #[case] expected: &str) {
        assert_eq!(easter(year), date(expected));
    }

    // FEBRABAN's list of bank holidays for 2026.
    #[rstest]
    #[case("2026-01-01")]
    #[case("2026-02-16")] // Carnival Monday
    #[case("2026-02-17")] // Carnival Tuesday
    #[case("2026-04-03")] // Good Friday
    #[case("2026-04-21")]
    #[case("2026-05-01")]
    #[case("2026-06-04")] // Corpus Christi
    #[case("2026-09-07")]
    #[case("2026-10-12")]
    #[case("2026-11-02")]
    #[case("2026-11-15")]
    #[case("2026-11-20")]
    #[case("2026-12-25")]
    #[case("2024-11-20")]
    #[case("2026-10-10")] // a Saturday
    #[case("2026-10-11")] // a Sunday
    fn no_bank_day(#[case] day: &str) {
        assert!(!is_bank_day(date(day)));
    }

    #[rstest]
    #[case("2026-02-18")] // Ash Wednesday: banks open at noon
    #[case("2023-11-20")] // before the law
    #[case("2026-12-24")]
    #[case("2026-12-31")]
    fn bank_day(#[case] day: &str) {
        assert!(is_bank_day(date(day)));
    }

    #[rstest]
    #[case("2026-10", 10, "2026-11-01", false, "2026-11-10")]
    #[case("2026-09", 10, "2026-10-01", false, "2026-10-13")] // Saturday, Sunday, holiday
    #[case("2027-01", 31, "2027-02-01", false, "2027-03-01")] // 28 Feb is a Sunday
    #[case("2026-11", 25, "2026-12-01", false, "2026-12-28")]
    // Christmas, weekend
    // Day 3 is still in time, day 4 no longer; five bank days after 4 Nov: 5, 6, 9, 10, 11.
    #[case("2026-10", 10, "2026-11-03", false, "2026-11-10")]
    #[case("2026-10", 10, "2026-11-04", false, "2026-11-11")]
    #[case("2026-10", 20, "2026-11-04", false, "2026-11-23")] // later anyway; the 20th is a holiday
    #[case("2026-10", 10, "2026-11-24", false, "2026-12-01")]
    // A revision always gets its five bank days: 3, 4, 5, 6, 9 (2 Nov is a holiday).
    #[case("2026-10", 5, "2026-11-01", true, "2026-11-09")]
    #[case("2026-10", 10, "2026-11-01", true, "2026-11-10")]
    fn is_due_on(
        #[case] month: &str,
        #[case] due_day: u32,
        #[case] issued_on: &str,
        #[case] is_revision: bool,
        #[case] expected: &str,
    ) {
        let due = due_date(month.parse().unwrap(), due_day, date(issued_on), is_revision);
        assert_eq!(due, date(expected));
    }
}
