//! Where each value comes from: the text of the file, and the environment laid over it.

use std::path::Path;

use serde::Deserialize as _;
use toml::{Table, Value};

use super::ConfigProblem;
use super::given::Given;
use super::raw::Raw;

/// Tells where a key was written, so that its problem can be found.
pub(super) struct Origin {
    file: String,
    text: String,
    /// What lies over the file, by the keys of the table that it lies in.
    given: Vec<Given>,
    /// The file with all that lies over it.
    pub merged: Table,
}

/// Reads the file, then lays over it what is said beside it.
pub(super) fn read(
    file: &Path,
    text: &str,
    given: Vec<Given>,
) -> Result<(Raw, Origin), Vec<ConfigProblem>> {
    let file = file.display().to_string();
    let mut origin = Origin { file, text: text.to_owned(), given, merged: Table::new() };
    // The file by itself first: only then do errors have their line.
    let raw: Raw = toml::from_str(text).map_err(|error| vec![origin.syntax(&error)])?;
    let mut table: Table = text.parse().map_err(|error| vec![origin.syntax(&error)])?;
    if origin.given.is_empty() {
        origin.merged = table;
        return Ok((raw, origin));
    }
    let problems: Vec<_> = origin.given.iter().filter_map(refused).collect();
    if !problems.is_empty() {
        return Err(problems);
    }
    let mut problems = Vec::new();
    for one in &mut origin.given {
        match key_in(&table, &one.key) {
            Ok(key) => one.key = key,
            Err(reason) => problems.push(ConfigProblem { place: one.place.clone(), reason }),
        }
        overlay(&mut table, &one.key, one.value.expose());
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let merged = Value::Table(table.clone());
    let raw = Raw::deserialize(merged).map_err(|error| vec![origin.syntax(&error)])?;
    origin.merged = table;
    Ok((raw, origin))
}

/// Tries a value alone, so that its error is known to be its own.
fn refused(given: &Given) -> Option<ConfigProblem> {
    let problem = |reason: &str| {
        Some(ConfigProblem { place: given.place.clone(), reason: reason.to_owned() })
    };
    let key = given.key.as_str();
    if !key.contains('.') && given.is_credential() {
        return problem(
            "is no key: a credential is named fecha.SECTION.KEY, for example fecha.ledger.url",
        );
    }
    if !key.contains('.') {
        return problem(
            "is no variable of fecha: a key is overridden by FECHA_SECTION__KEY, for example FECHA_LEDGER__URL",
        );
    }
    if key.starts_with("prices.") {
        return problem("prices can only stand in the file, as [[prices]]");
    }
    let mut table = Table::new();
    let of_one = named_source(key).map(|(_, key)| format!("{SOURCES}.{key}"));
    overlay(&mut table, of_one.as_deref().unwrap_or(key), given.value.expose());
    problem(&reason(&Raw::deserialize(Value::Table(table)).err()?))
}

const SOURCES: &str = "messages";

/// `messages.chatwoot.url` → `chatwoot` and `url`.
fn named_source(key: &str) -> Option<(&str, &str)> {
    key.strip_prefix(SOURCES)?.strip_prefix('.')?.split_once('.')
}

/// A key as this table has it: of several sources of messages each has a number there, and a name for people.
fn key_in(table: &Table, key: &str) -> Result<String, String> {
    let several = match table.get(SOURCES) {
        Some(Value::Array(several)) if key.starts_with("messages.") => several,
        _ if named_source(key).is_none() => return Ok(key.to_owned()),
        _ => {
            let reason = "names one of several [[messages]], and there is one [messages]: write FECHA_MESSAGES__URL";
            return Err(reason.to_owned());
        }
    };
    let names = several.iter().map(|source| source.get("name").and_then(Value::as_str));
    let names: Vec<String> = names.map(|name| as_variable(name.unwrap_or_default())).collect();
    let found = named_source(key)
        .and_then(|(name, key)| Some((names.iter().position(|known| known == name)?, key)));
    found.map(|(index, key)| format!("{SOURCES}.{index}.{key}")).ok_or_else(|| {
        let example = names.first().map_or("NAME".to_owned(), |name| name.to_ascii_uppercase());
        format!("[[messages]] stands several times: say of which, for example FECHA_MESSAGES__{example}__URL")
    })
}

/// A name as a variable can have it: `Evolution API` → `evolution_api`.
fn as_variable(name: &str) -> String {
    let letter = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' };
    name.chars().map(letter).collect()
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
            let (inner, rest) = match (inner, rest.split_once('.')) {
                (Value::Array(many), Some((index, rest))) => {
                    let index = index.parse().unwrap_or(usize::MAX);
                    let Some(one) = many.get_mut(index) else { return };
                    (one, rest)
                }
                (inner, _) => (inner, rest),
            };
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
        let place = match (self.given(key), self.line_of_key(key)) {
            (Some(given), _) => given.place.clone(),
            (None, Some(line)) => format!("{}:{line}: {}", self.file, shown(key)),
            (None, None) => format!("{}: {}", self.file, shown(key)),
        };
        ConfigProblem { place, reason }
    }

    pub fn given(&self, key: &str) -> Option<&Given> {
        self.given.iter().find(|given| given.key == key)
    }

    fn line_of(&self, byte: usize) -> usize {
        let before = self.text.as_bytes().get(..byte).unwrap_or(self.text.as_bytes());
        before.split(|b| *b == b'\n').count()
    }

    /// The line of the key, or of the innermost table around it that is there.
    pub fn line_of_key(&self, key: &str) -> Option<usize> {
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
