//! Amounts and days as banks and Brazilian spreadsheets write them.

use chrono::{Datelike, NaiveDate};

use crate::price::money::Money;

/// The largest amount of a line, in centavos: the 13 digits and 2 decimals of CNAB. Sums of any file's
/// lines stay within what is counted.
const MOST_CENTAVOS: i64 = 999_999_999_999_999;

/// Reads `1192.27`, `1192,27`, `1.192,27` and `1,192.27`, with or without `R$`; one decimal is ten centavos
/// (Excel drops a last zero). May be negative or zero: the caller knows what that means.
///
/// # Errors
/// In words. `1.192` and `1,192` are refused: either a thousand or a fraction of a centavo.
pub fn amount(text: &str) -> Result<Money, String> {
    let bare = text.trim_matches(|c: char| c.is_whitespace());
    let (minus, bare) = match bare.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, bare.strip_prefix('+').unwrap_or(bare)),
    };
    let bare = bare.strip_prefix("R$").unwrap_or(bare).trim_start();
    let no_amount = || format!("'{}' is no amount: write it as 1192,27 or 1192.27", shown(text));
    let (whole, fraction) = match bare.rfind(['.', ',']) {
        None => (bare, ""),
        Some(at) => (&bare[..at], &bare[at + 1..]),
    };
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    let decimal_mark = bare.as_bytes().get(whole.len()).copied();
    let Some(reais) = without_thousands(whole, decimal_mark).filter(|_| digits(fraction)) else {
        return Err(no_amount());
    };
    if decimal_mark.is_some() && fraction.is_empty() {
        return Err(no_amount());
    }
    if decimal_mark.is_some() && fraction.len() == 3 && !whole.contains([',', '.']) {
        return Err(format!(
            "'{}' may be thousands or a fraction: write it with two decimals",
            shown(text)
        ));
    }
    let (centavos, finer) = fraction.split_at(fraction.len().min(2));
    if finer.bytes().any(|b| b != b'0') {
        return Err(format!("'{}' is finer than a centavo", shown(text)));
    }
    let money = whole_centavos(&format!("{reais}{centavos:0<2}"))?;
    Ok(if minus { -money } else { money })
}

/// The digits of `1.192` where the point groups by threes and is not the decimal mark; `None` otherwise.
fn without_thousands(whole: &str, decimal_mark: Option<u8>) -> Option<String> {
    let mark = if decimal_mark == Some(b',') { '.' } else { ',' };
    let mut groups = whole.split(mark);
    let first = groups.next()?;
    let rest: Vec<&str> = groups.collect();
    let grouped = rest.is_empty() || (1..=3).contains(&first.len());
    let well_formed = !first.is_empty() && grouped && rest.iter().all(|group| group.len() == 3);
    let digits = [&[first], rest.as_slice()].concat().concat();
    (well_formed && digits.bytes().all(|b| b.is_ascii_digit())).then_some(digits)
}

/// Reads digits whose last two are centavos, as CNAB has them.
///
/// # Errors
/// In words.
pub(super) fn whole_centavos(digits: &str) -> Result<Money, String> {
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(format!("'{}' is no amount in digits", shown(digits)));
    }
    let centavos = digits.trim_start_matches('0');
    let centavos = if centavos.is_empty() { "0" } else { centavos };
    centavos
        .parse()
        .ok()
        .filter(|centavos| *centavos <= MOST_CENTAVOS)
        .map(Money::from_centavos)
        .ok_or_else(|| format!("'{}' is too large", shown(digits)))
}

/// Reads `2026-11-10` and `10/11/2026`, day before month as in Brazil.
///
/// # Errors
/// In words.
pub fn day(text: &str) -> Result<NaiveDate, String> {
    let text = text.trim();
    let bytes = text.as_bytes();
    let shape = |at: [usize; 2], mark| {
        bytes.len() == 10
            && bytes
                .iter()
                .enumerate()
                .all(|(i, b)| if at.contains(&i) { *b == mark } else { b.is_ascii_digit() })
    };
    let parts = if shape([4, 7], b'-') {
        Some((&text[..4], &text[5..7], &text[8..]))
    } else if shape([2, 5], b'/') {
        Some((&text[6..], &text[3..5], &text[..2]))
    } else {
        None
    };
    parts
        .and_then(|(year, month, day)| calendar_day(year, month, day))
        .ok_or_else(|| format!("'{}' is no day: write it as 10/11/2026 or 2026-11-10", shown(text)))
}

/// The day of these digits; `None` where there is none, or in a year that no invoice of ours has.
pub(super) fn calendar_day(year: &str, month: &str, day: &str) -> Option<NaiveDate> {
    let date = NaiveDate::from_ymd_opt(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?)?;
    (2000..2100).contains(&date.year()).then_some(date)
}

/// A cell as an error shows it: no control characters, and not a page of it.
pub(super) fn shown(text: &str) -> String {
    let words = super::found::words(text);
    if words.chars().count() <= 40 {
        return words;
    }
    words.chars().take(39).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("1192.27", 119_227)]
    #[case("1192,27", 119_227)]
    #[case("1.192,27", 119_227)]
    #[case("1,192.27", 119_227)]
    #[case("R$ 1.192,27", 119_227)]
    #[case("R$\u{a0}1.192,27", 119_227)] // as `Money::brl` prints it
    #[case(" 1192,5 ", 119_250)] // Excel drops the last zero
    #[case("1192", 119_200)]
    #[case("1.234.567,89", 123_456_789)]
    #[case("0,05", 5)]
    #[case("-58,00", -5800)]
    #[case("+58.00", 5800)]
    #[case("1192.2700", 119_227)]
    #[case("1.192,270", 119_227)]
    #[case("9999999999999,99", 999_999_999_999_999)]
    fn reads_amounts(#[case] text: &str, #[case] centavos: i64) {
        assert_eq!(amount(text), Ok(Money::from_centavos(centavos)));
    }

    #[rstest]
    #[case("1.192", "thousands or a fraction")]
    #[case("1,192", "thousands or a fraction")]
    #[case("100.000", "thousands or a fraction")]
    #[case("1192.275", "thousands or a fraction")]
    #[case("1192,2750", "finer than a centavo")]
    #[case("1.192,275", "finer than a centavo")]
    #[case("1.192.27", "no amount")]
    #[case("1.19,27", "no amount")]
    #[case("1192.192,27", "no amount")]
    #[case(".50", "no amount")]
    #[case("50,", "no amount")]
    #[case("1e3", "no amount")]
    #[case("--1", "no amount")]
    #[case("", "no amount")]
    #[case("-", "no amount")]
    #[case("١٢", "no amount")] // digits, but not ours
    #[case("10000000000000,00", "too large")]
    #[case("99999999999999999999999", "too large")]
    fn refuses_other_amounts(#[case] text: &str, #[case] why: &str) {
        let refused = amount(text).unwrap_err();
        assert!(refused.contains(why), "{refused}");
    }

    #[rstest]
    #[case("2026-11-10")]
    #[case("10/11/2026")]
    #[case(" 10/11/2026 ")]
    fn reads_days(#[case] text: &str) {
        assert_eq!(day(text), Ok(NaiveDate::from_ymd_opt(2026, 11, 10).unwrap()));
    }

    #[rstest]
    #[case("31/11/2026")]
    #[case("11/25/2026")] // month before day
    #[case("1/11/2026")]
    #[case("10/11/26")]
    #[case("10-11-2026")]
    #[case("2026-11-10 00:00:00")]
    #[case("10/11/0206")]
    #[case("29/02/2027")]
    #[case("")]
    #[case("é/11/2026é")]
    fn refuses_other_days(#[case] text: &str) {
        assert!(day(text).unwrap_err().contains("is no day"));
    }

    #[rstest]
    #[case("000000000119227", 119_227)]
    #[case("000000000000000", 0)]
    #[case("999999999999999", 999_999_999_999_999)]
    fn reads_digits_with_two_decimals(#[case] digits: &str, #[case] centavos: i64) {
        assert_eq!(whole_centavos(digits), Ok(Money::from_centavos(centavos)));
    }

    #[rstest]
    #[case("             ")]
    #[case("00000000-1192")]
    #[case("")]
    #[case("9999999999999999")]
    fn refuses_other_digits(#[case] digits: &str) {
        assert!(whole_centavos(digits).is_err());
    }
}
