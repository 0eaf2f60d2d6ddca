//! How templates write what contexts hold: money, numbers, days, months.

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use minijinja::{Environment, Error, ErrorKind, Value};
use rust_decimal::Decimal;

use fecha_core::calendar::month::Month;
use fecha_core::price::money::{Money, grouped};

/// Adds all to an environment; instants are told by the clocks of a zone.
pub fn add(environment: &mut Environment<'static>, zone: Tz) {
    environment.add_filter("brl", |value: Value| money(&value).map(Money::brl));
    environment.add_filter("signed", |value: Value| money(&value).map(signed));
    environment.add_filter("number", number);
    environment.add_filter("part", |value: String| super::address::part(&value));
    environment.add_filter("dealership_part", |id: String| super::address::dealership_part(&id));
    environment.add_filter("dealership", |id: String| super::address::dealership(&id));
    environment.add_filter("day", |value: String| parsed::<NaiveDate>(&value).map(day));
    environment.add_filter("moment", move |value: String| {
        let instant = parsed::<DateTime<Utc>>(&value)?;
        Ok::<_, Error>(instant.with_timezone(&zone).format("%d/%m/%Y %H:%M").to_string())
    });
    environment.add_filter("month", |value: String| parsed::<Month>(&value).map(in_words));
    environment
        .add_filter("month_short", |value: String| parsed::<Month>(&value).map(Month::abbreviated));
    environment.add_filter("counted", counted);
}

/// `10/11/2026`.
fn day(day: NaiveDate) -> String {
    day.format("%d/%m/%Y").to_string()
}

/// `outubro de 2026`.
fn in_words(month: Month) -> String {
    month.in_words()
}

/// Centavos, or an amount as JSON has it: `"1014.00"`.
fn money(value: &Value) -> Result<Money, Error> {
    if let Ok(centavos) = i64::try_from(value.clone()) {
        return Ok(Money::from_centavos(centavos));
    }
    let text = value.as_str().ok_or_else(|| wrong("no amount"))?;
    let reais: Decimal = parsed(text)?;
    let centavos = (reais * Decimal::ONE_HUNDRED).try_into();
    centavos.map(Money::from_centavos).map_err(|_| wrong("no amount"))
}

/// `+ R$ 35,67`, `− R$ 35,67`.
fn signed(money: Money) -> String {
    let (sign, amount) = if money < Money::ZERO { ('−', -money) } else { ('+', money) };
    format!("{sign}\u{a0}{}", amount.brl())
}

/// `12.345`, `-12.345`.
fn number(value: i64) -> String {
    let sign = if value < 0 { "-" } else { "" };
    format!("{sign}{}", grouped(value.unsigned_abs()))
}

/// `1 fatura`, `12.345 faturas`.
fn counted(value: i64, one: String, many: String) -> String {
    format!("{} {}", number(value), if value == 1 { one } else { many })
}

fn parsed<T: std::str::FromStr>(text: &str) -> Result<T, Error> {
    text.parse().map_err(|_| wrong(&format!("'{text}' cannot be formatted")))
}

fn wrong(what: &str) -> Error {
    Error::new(ErrorKind::InvalidOperation, what.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_written_as_brazilians_write_them() {
        let mut environment = Environment::new();
        add(&mut environment, chrono_tz::America::Sao_Paulo);
        let written = |source: &str| environment.render_str(source, ()).unwrap();
        assert_eq!(written("{{ '1014.00'|brl }}"), "R$\u{a0}1.014,00");
        assert_eq!(written("{{ -120000|brl }}"), "-R$\u{a0}1.200,00");
        assert_eq!(written("{{ 12345|number }} {{ -1234|number }}"), "12.345 -1.234");
        assert_eq!(
            written(
                "{{ 1|counted('fatura', 'faturas') }}, {{ 1200|counted('fatura', 'faturas') }}"
            ),
            "1 fatura, 1.200 faturas"
        );
        assert_eq!(written("{{ '2026-11-10'|day }}"), "10/11/2026");
        assert_eq!(written("{{ '2026-11-01T03:00:01Z'|moment }}"), "01/11/2026 00:00");
        assert_eq!(
            written("{{ '2026-10'|month }} {{ '2026-10'|month_short }}"),
            "outubro de 2026 out/26"
        );
    }
}
