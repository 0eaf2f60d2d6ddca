//! What expressions can do with a field: all on texts, and exactly.

use chrono::NaiveDate;
use minijinja::{Environment, Error, ErrorKind, Value};

use super::fields::decimal;
use fecha_core::calendar::month::Month;

/// The names of the filters, as an error lists them.
pub(super) const FILTERS: [&str; 13] = [
    "abs", "alnum", "comma", "cut", "date", "digits", "last_day", "lower", "minus", "plus",
    "replace", "trim", "upper",
];
/// The names of the tests, likewise.
pub(super) const TESTS: [&str; 3] = ["negative", "none", "zero"];

pub(super) fn add_to(environment: &mut Environment<'_>) {
    environment.add_filter("abs", abs);
    environment.add_filter("alnum", alnum);
    environment.add_filter("comma", comma);
    environment.add_filter("cut", cut);
    environment.add_filter("date", date);
    environment.add_filter("digits", digits);
    environment.add_filter("last_day", last_day);
    environment.add_filter("lower", |value: &Value| value.to_string().to_lowercase());
    environment.add_filter("minus", minus);
    environment.add_filter("plus", plus);
    environment.add_filter("replace", replace);
    environment.add_filter("trim", |value: &Value| value.to_string().trim().to_owned());
    environment.add_filter("upper", |value: &Value| value.to_string().to_uppercase());
    environment.add_test("negative", is_negative);
    environment.add_test("none", Value::is_none);
    environment.add_test("zero", is_zero);
}

fn refused(reason: String) -> Error {
    Error::new(ErrorKind::InvalidOperation, reason)
}

fn number(filter: &str, value: &Value) -> Result<rust_decimal::Decimal, Error> {
    let text = value.to_string();
    decimal(&text).ok_or_else(|| refused(format!("{filter} takes an amount, and '{text}' is none")))
}

/// `1192.27` → `1192,27`, without separators of thousands, which importers stumble over.
fn comma(value: &Value) -> Result<String, Error> {
    number("comma", value).map(|number| number.to_string().replace('.', ","))
}

/// `-12.50` → `12.50`
fn abs(value: &Value) -> Result<String, Error> {
    number("abs", value).map(|number| number.abs().to_string())
}

fn plus(value: &Value, other: &Value) -> Result<String, Error> {
    let sum = number("plus", value)?.checked_add(number("plus", other)?);
    sum.map(|sum| sum.to_string()).ok_or_else(too_large)
}

fn minus(value: &Value, other: &Value) -> Result<String, Error> {
    let rest = number("minus", value)?.checked_sub(number("minus", other)?);
    rest.map(|rest| rest.to_string()).ok_or_else(too_large)
}

fn too_large() -> Error {
    refused("the result is too large".to_owned())
}

/// `2026-11-10` → `10/11/2026`, `2026-10` → `10/2026`
fn date(value: &Value) -> Result<String, Error> {
    let text = value.to_string();
    if let Ok(day) = text.parse::<NaiveDate>() {
        return Ok(day.format("%d/%m/%Y").to_string());
    }
    let month: Month = text.parse().map_err(|_| {
        refused(format!(
            "date takes a day or a month, and '{text}' is none (the day of issue is issued_on)"
        ))
    })?;
    Ok(month.first_day().format("%m/%Y").to_string())
}

/// `2026-10` → `2026-10-31`
fn last_day(value: &Value) -> Result<String, Error> {
    let text = value.to_string();
    let month: Month = text
        .parse()
        .map_err(|_| refused(format!("last_day takes a month, and '{text}' is none")))?;
    Ok(month.last_day().to_string())
}

/// The digits alone. A CNPJ may have letters: without them it would be another one.
fn digits(value: &Value) -> Result<String, Error> {
    let text = value.to_string();
    if text.chars().any(char::is_alphabetic) {
        return Err(refused(format!("digits would drop letters of '{text}': alnum keeps them")));
    }
    Ok(text.chars().filter(char::is_ascii_digit).collect())
}

/// The letters and digits alone.
fn alnum(value: &Value) -> String {
    value.to_string().chars().filter(|c| c.is_alphanumeric()).collect()
}

/// So many characters at most.
fn cut(value: &Value, most: usize) -> String {
    value.to_string().chars().take(most).collect()
}

fn replace(value: &Value, from: &str, to: &str) -> String {
    value.to_string().replace(from, to)
}

fn is_zero(value: &Value) -> Result<bool, Error> {
    number("zero", value).map(|number| number.is_zero())
}

fn is_negative(value: &Value) -> Result<bool, Error> {
    number("negative", value).map(|number| number < rust_decimal::Decimal::ZERO)
}
