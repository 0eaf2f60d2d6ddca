//! Where each value comes from: the text of the file, and the environment laid over it.

use std::path::Path;

use serde::Deserialize;
use toml::{Table, Value};

use super::raw::Raw;
use super::{ConfigProblem, EVIDENCE_KEY_VARIABLE, FILE_VARIABLE};

pub(super) const PREFIX: &str = "FECHA_";

/// Tells where a key was written, so that its problem can be found.
pub(super) struct Origin {
    file: String,
    text: String,
    variables: Vec<(String, String)>,
}

/// Reads the file, then lays the variables over it.
pub(super) fn read(
    file: &Path,
    text: &str,
    mut variables: Vec<(String, String)>,
) -> Result<(Raw, Origin), Vec<ConfigProblem>> {
    variables.retain(|(name, _)| name != FILE_VARIABLE && name != EVIDENCE_KEY_VARIABLE);
    let origin = Origin { file: file.display().to_string(), text: text.to_owned(), variables };
    // The file by itself first: only then do errors have their line.
    let raw: Raw = toml::from_str(text).map_err(|error| vec![origin.syntax(&error)])?;
    if origin.variables.is_empty() {
        return Ok((raw, origin));
    }
    let problems: Vec<_> = origin.variables.iter().filter_map(refused).collect();
    if !problems.is_empty() {
        return Err(problems);
    }
    let mut table: Table = text.parse().map_err(|error| vec![origin.syntax(&error)])?;
    for (name, value) in &origin.variables {
        overlay(&mut table, &key_of(name), value);
    }
    let raw = Raw::deserialize(Value::Table(table)).map_err(|error| vec![origin.syntax(&error)])?;
    Ok((raw, origin))
}

/// `FECHA_EMAIL__SMTP__PORT` → `email.smtp.port`.
fn key_of(variable: &str) -> String {
    variable[PREFIX.len()..].to_ascii_lowercase().replace("__", ".")
}

/// Tries a variable alone, so that its error is known to be its own.
fn refused((name, value): &(String, String)) -> Option<ConfigProblem> {
    let problem =
        |reason: &str| Some(ConfigProblem { place: name.clone(), reason: reason.to_owned() });
    let key = key_of(name);
    if !key.contains('.') {
        return problem(
            "is no variable of fecha: a key is overridden by FECHA_SECTION__KEY, for example FECHA_LEDGER__URL",
        );
    }
    if key.starts_with("prices.") {
        return problem("prices can only stand in the file, as [[prices]]");
    }
    let mut table = Table::new();
    overlay(&mut table, &key, value);
    problem(&reason(&Raw::deserialize(Value::Table(table)).err()?))
}

/// What the TOML library says, in its own words but for one: people know keys, not fields.
fn reason(error: &toml::de::Error) -> String {
    error.message().replacen("unknown field", "unknown key", 1)
}

fn overlay(table: &mut Table, key: &str, value: &str) {
    match key.split_once('.') {
        None => {
            table.insert(key.to_owned(), Value::String(value.to_owned()));
        }
        Some((section, rest)) => {
            let inner = table.entry(section).or_insert_with(|| Value::Table(Table::new()));
            if let Value::Table(inner) = inner {
                overlay(inner, rest, value);
            }
        }
    }
}

impl Origin {
    /// An error of the TOML text itself, or a key that is unknown or has the wrong type.
    fn syntax(&self, error: &toml::de::Error) -> ConfigProblem {
        let place = match error.span() {
            Some(span) => {
                let line = self.line_of(span.start);
                format!("{}:{line}", self.file)
            }
            None => self.file.clone(),
        };
        ConfigProblem { place, reason: reason(error) }
    }

    /// A problem of the value behind `key`, such as `email.smtp.port` or `prices.0.from`.
    pub fn problem(&self, key: &str, reason: String) -> ConfigProblem {
        let variable = self.variables.iter().find(|(name, _)| key_of(name) == key);
        let place = match (variable, self.line_of_key(key)) {
            (Some((name, _)), _) => name.clone(),
            (None, Some(line)) => format!("{}:{line}: {}", self.file, shown(key)),
            (None, None) => format!("{}: {}", self.file, shown(key)),
        };
        ConfigProblem { place, reason }
    }

    fn line_of(&self, byte: usize) -> usize {
        let before = self.text.as_bytes().get(..byte).unwrap_or(self.text.as_bytes());
        before.split(|b| *b == b'\n').count()
    }

    /// The line of the key, or of the innermost table around it that is there.
    fn line_of_key(&self, key: &str) -> Option<usize> {
        let document = toml::de::DeTable::parse(&self.text).ok()?;
        let mut at = None;
        let mut value: Option<&toml::Spanned<toml::de::DeValue<'_>>> = None;
        for part in key.split('.') {
            let next = match (value, part.parse::<usize>()) {
                (None, _) => document.get_ref().get(part),
                (Some(value), Ok(index)) => value.get_ref().get(index),
                (Some(value), Err(_)) => value.get_ref().get(part),
            };
            let Some(next) = next else { break };
            at = Some(next.span().start);
            value = Some(next);
        }
        Some(self.line_of(at?))
    }
}

/// `email.smtp.port` → `[email.smtp] port`; `prices.0.from` → `[[prices]] from`.
fn shown(key: &str) -> String {
    let is_one_of_many =
        |rest: &str| rest.split('.').nth(1).is_some_and(|part| part.parse::<usize>().is_ok());
    for section in ["prices", "messages"] {
        let rest = key.strip_prefix(section);
        if let Some(rest) = rest.filter(|rest| section == "prices" || is_one_of_many(rest)) {
            let parts = rest.split('.').filter(|part| part.parse::<usize>().is_err());
            return format!("[[{section}]]{}", parts.collect::<Vec<_>>().join(" "))
                .trim()
                .to_owned();
        }
    }
    // A column is named by its heading in what is said of it.
    let layout = key.strip_prefix("layouts.").and_then(|rest| rest.split_once(".columns."));
    if let Some((layout, _)) = layout {
        return format!("[layouts.{layout}] columns");
    }
    match key.rsplit_once('.') {
        Some((section, key)) => format!("[{section}] {key}"),
        None => format!("[{key}]"),
    }
}
