//! Single values: each parser says what to write instead, and [`Check`] notes it under the key.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::Path;
use std::time::Duration;

use chrono_tz::Tz;
use lettre::message::Mailbox;

use super::ConfigProblem;
use super::raw::{Amount, Flag, List, Number, Numbers};
use super::source::Origin;
use crate::document::must_be_printable;
use crate::letters::mailbox;
use fecha_core::party::invisible::without_invisible;
use fecha_core::party::register::EmailAddress;
use fecha_core::price::money::{InvalidMoney, Money};

/// Parses values; `None` always means that the problem has been noted.
pub(super) struct Check<'a> {
    pub origin: &'a Origin,
    pub folder: &'a Path,
    pub problems: Vec<ConfigProblem>,
}

impl Check<'_> {
    pub fn refuse<T>(&mut self, key: &str, reason: impl Display) -> Option<T> {
        self.problems.push(self.origin.problem(key, reason.to_string()));
        None
    }

    pub fn parsed<T, E: Display>(&mut self, key: &str, result: Result<T, E>) -> Option<T> {
        result.map_or_else(|error| self.refuse(key, error), Some)
    }

    /// A value that must be there; `example` is what to write where it is not.
    pub fn required<T, E: Display>(
        &mut self,
        key: &str,
        text: Option<&str>,
        example: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        match text {
            Some(text) => self.parsed(key, parse(text)),
            None => self.refuse(key, missing(key, &format!("\"{example}\""))),
        }
    }

    /// A value that may be left out.
    #[expect(clippy::option_option, reason = "left out is not the same as refused")]
    pub fn optional<T, E: Display>(
        &mut self,
        key: &str,
        text: Option<&str>,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<Option<T>> {
        text.map_or(Some(None), |text| self.parsed(key, parse(text)).map(Some))
    }

    pub fn amount<T, E: Display>(
        &mut self,
        key: &str,
        amount: Option<&Amount>,
        example: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        self.required(key, amount.map(|Amount::Text(text)| text.as_str()), example, parse)
    }

    /// A whole number in `range`; `default` where it is left out.
    pub fn number(
        &mut self,
        key: &str,
        number: Option<&Number>,
        default: u32,
        range: RangeInclusive<u32>,
    ) -> Option<u32> {
        let (shown, value) = match number {
            None => return Some(default),
            Some(Number::Whole(whole)) => (whole.to_string(), u32::try_from(*whole).ok()),
            Some(Number::Text(text)) => (format!("'{text}'"), text.trim().parse().ok()),
        };
        value.filter(|value| range.contains(value)).or_else(|| {
            let (least, most) = (range.start(), range.end());
            self.refuse(key, format!("{shown} is no whole number from {least} to {most}"))
        })
    }

    /// Whole numbers in order, each once; none where they are left out.
    pub fn numbers(
        &mut self,
        key: &str,
        numbers: Option<&Numbers>,
        range: &RangeInclusive<u32>,
    ) -> Option<Vec<u32>> {
        let items = numbers.map(Numbers::items).unwrap_or_default();
        let parsed: Vec<Option<u32>> =
            items.iter().map(|item| self.number(key, Some(item), 0, range.clone())).collect();
        let all: Option<BTreeSet<u32>> = parsed.into_iter().collect();
        all.map(|numbers| numbers.into_iter().collect())
    }

    /// `true` or `false`; false where it is left out.
    pub fn flag(&mut self, key: &str, flag: Option<&Flag>) -> Option<bool> {
        match flag {
            None => Some(false),
            Some(Flag::Flag(flag)) => Some(*flag),
            Some(Flag::Text(text)) => self.word(key, text, &[("true", true), ("false", false)]),
        }
    }

    /// Addresses, each parsed; empty where the list is left out.
    pub fn addresses(&mut self, key: &str, list: Option<&List>) -> Option<Vec<EmailAddress>> {
        let items = list.map(List::items).unwrap_or_default();
        let parsed: Vec<_> =
            items.iter().map(|item| self.parsed(key, mailbox::address(item))).collect();
        parsed.into_iter().collect()
    }

    /// One of a few words.
    pub fn word<T: Copy>(&mut self, key: &str, text: &str, words: &[(&str, T)]) -> Option<T> {
        let known = words.iter().find(|(word, _)| *word == text);
        known.map(|(_, value)| *value).or_else(|| {
            let words: Vec<_> = words.iter().map(|(word, _)| format!("\"{word}\"")).collect();
            self.refuse(key, format!("'{text}' is none of {}", words.join(", ")))
        })
    }
}

/// `is missing: write for example state = "RS"`.
pub(super) fn missing(key: &str, example: &str) -> String {
    let name = key.rsplit('.').next().unwrap_or(key);
    format!("is missing: write for example {name} = {example}")
}

/// A line of text that documents can print.
pub(super) fn line(text: &str) -> Result<String, String> {
    let seen = without_invisible(text);
    let line = seen.trim();
    if line.is_empty() {
        return Err("is empty".to_owned());
    }
    if line.chars().any(char::is_control) {
        return Err("must be one line without tabs".to_owned());
    }
    must_be_printable(line).map(|()| line.to_owned()).map_err(|error| error.to_string())
}

pub(super) fn zone(text: &str) -> Result<Tz, String> {
    text.trim().parse().map_err(|_| {
        format!("'{text}' is no time zone: an IANA name, for example America/Sao_Paulo")
    })
}

pub(super) fn mailbox(text: &str) -> Result<Mailbox, String> {
    text.parse().map_err(|_| {
        format!("'{text}' is no sender: write it as \"Faturamento <faturas@example.com>\"")
    })
}

/// `https://…`, or `http://` on this machine; without a `/` at the end.
pub(super) fn public_url(text: &str) -> Result<String, String> {
    let url = text.trim_end_matches('/');
    let is_secret_free =
        !url.contains(['@', '?', '#']) && url.chars().all(|c| c.is_ascii_graphic());
    let (scheme, rest) = url.split_once("://").unwrap_or_default();
    let host = rest.split(['/', ':']).next().unwrap_or_default();
    let is_here = ["localhost", "127.0.0.1"].contains(&host) || rest.starts_with("[::1]");
    match scheme {
        "https" | "http" if host.is_empty() || !is_secret_free => {}
        "https" => return Ok(url.to_owned()),
        "http" if is_here => return Ok(url.to_owned()),
        _ => {}
    }
    Err(format!(
        "'{text}' is no address of the console: https://fecha.example.com, or http://127.0.0.1:8080 on this machine"
    ))
}

/// The name of a header, lower case.
pub(super) fn header(text: &str) -> Result<String, String> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '-';
    if text.is_empty() || !text.chars().all(is_name) {
        return Err(format!("'{text}' is no name of a header: for example X-Forwarded-Email"));
    }
    if ["cookie", "host", "authorization"].contains(&text.to_ascii_lowercase().as_str()) {
        return Err(format!("'{text}' has another use: for example X-Forwarded-Email"));
    }
    Ok(text.to_ascii_lowercase())
}

pub(super) fn listen(text: &str) -> Result<SocketAddr, String> {
    text.trim().parse().map_err(|_| {
        format!("'{text}' is no address to listen on: an IP address and a port, for example 127.0.0.1:8080")
    })
}

/// A price in whole centavos.
pub(super) fn price(text: &str) -> Result<Money, InvalidMoney> {
    let money: Money = text.parse()?;
    if money < Money::ZERO { Err(InvalidMoney::Negative(text.to_owned())) } else { Ok(money) }
}

/// A number and its unit: `90s`, `2m`, `24h` or `2d`; a year at most.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    const YEAR: u64 = 366 * 86_400;
    let parse = || {
        let text = text.trim();
        let split = text.find(|c: char| !c.is_ascii_digit())?;
        let (number, unit) = text.split_at(split);
        let unit = match unit.trim() {
            "s" => 1,
            "m" => 60,
            "h" => 3600,
            "d" => 86_400,
            _ => return None,
        };
        let seconds = number.parse::<u64>().ok()?.checked_mul(unit)?;
        (seconds <= YEAR).then(|| Duration::from_secs(seconds))
    };
    parse().ok_or_else(|| {
        format!("'{text}' is no span of time: a number and s, m, h or d, for example 24h")
    })
}
