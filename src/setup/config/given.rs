//! What is said beside the file: variables, files that variables name, and credentials of systemd.
//!
//! Each key may be said once: who sets a password in two places is told, and not served with one of them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use fecha_core::secret::Secret;

use super::{ConfigProblem, EVIDENCE_KEY_VARIABLE, FILE_VARIABLE};
use crate::setup::input;

/// What the names of all variables of fecha begin with.
pub(super) const PREFIX: &str = "FECHA_";

/// Where systemd puts the credentials of a service.
pub(super) const CREDENTIALS: &str = "CREDENTIALS_DIRECTORY";

/// What the names of fecha's credentials begin with; behind it stands the key.
const CREDENTIAL_PREFIX: &str = "fecha.";

/// How a place begins that is one.
const CREDENTIAL: &str = "credential ";

/// What the name of a variable ends in whose value is the name of a file that holds the value.
const FILE_SUFFIX: &str = "_FILE";

/// A secret is short.
const MOST_BYTES: u64 = 65_536;

/// The key of the evidence is no key of the file.
pub(super) const EVIDENCE_KEY: &str = "evidence_key";

/// A value that does not come from the configuration's file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    /// `email.smtp.port`.
    pub(super) key: String,
    /// Where it was said, for people: a variable, a variable and the file that it names, a credential.
    pub place: String,
    /// What was said.
    pub value: Secret,
}

impl Given {
    /// What a variable says, whose name begins with `FECHA_`.
    #[must_use]
    pub fn of_variable(name: &str, value: String) -> Self {
        Self { key: key_of(name), place: name.to_owned(), value: Secret::new(value) }
    }

    /// Whether systemd hands it over.
    pub(super) fn is_credential(&self) -> bool {
        self.place.starts_with(CREDENTIAL)
    }
}

/// All that is said beside the file; `folder` is where relative paths start.
pub(super) fn all(
    variables: &[(String, String)],
    folder: &Path,
) -> Result<Vec<Given>, Vec<ConfigProblem>> {
    let (mut given, mut problems) = (Vec::new(), Vec::new());
    for (name, value) in variables {
        let said = match (name.as_str(), of_file(name)) {
            (FILE_VARIABLE, _) => continue,
            (CREDENTIALS, _) => credentials(Path::new(value)),
            (_, Some(variable)) => vec![from_file(name, variable, folder, value)],
            (_, None) => vec![Ok(Given::of_variable(name, value.clone()))],
        };
        for one in said {
            match one {
                Ok(one) => given.push(one),
                Err(problem) => problems.push(problem),
            }
        }
    }
    problems.extend(said_twice(&given));
    if problems.is_empty() { Ok(given) } else { Err(problems) }
}

/// `FECHA_EMAIL__SMTP__PORT` → `email.smtp.port`.
fn key_of(variable: &str) -> String {
    if variable == EVIDENCE_KEY_VARIABLE {
        return EVIDENCE_KEY.to_owned();
    }
    variable[PREFIX.len()..].to_ascii_lowercase().replace("__", ".")
}

/// The variable whose value the file holds that this one names; `None` where it is a key's own name.
fn of_file(variable: &str) -> Option<&str> {
    let key = key_of(variable);
    let is_a_key = key.ends_with(".ca_file") || key.ends_with(".relation_file");
    variable.strip_suffix(FILE_SUFFIX).filter(|_| !is_a_key)
}

fn from_file(
    name: &str,
    variable: &str,
    folder: &Path,
    value: &str,
) -> Result<Given, ConfigProblem> {
    let problem = |reason| ConfigProblem { place: name.to_owned(), reason };
    if value.is_empty() {
        let reason = format!("names no file: write the path of the file that holds {variable}");
        return Err(problem(reason));
    }
    let path = folder.join(value);
    let text = content(&path).map_err(problem)?;
    let place = format!("{name} ({})", path.display());
    Ok(Given { key: key_of(variable), place, value: Secret::new(text) })
}

/// The text of a file, without the line break that an editor, or `echo`, puts behind it.
fn content(path: &Path) -> Result<String, String> {
    let unread = |error| format!("{} cannot be read: {error}", path.display());
    let text = input::read_text(path, MOST_BYTES).map_err(unread)?;
    let line = text.strip_suffix('\n').unwrap_or(&text);
    let line = line.strip_suffix('\r').unwrap_or(line);
    if line.is_empty() {
        return Err(format!("{} is empty: write the value into it", path.display()));
    }
    Ok(line.to_owned())
}

/// Those with fecha's prefix: others may be a certificate that the configuration names by its path.
fn credentials(folder: &Path) -> Vec<Result<Given, ConfigProblem>> {
    let problem = |place: String, reason| Err(ConfigProblem { place, reason });
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) => {
            let reason = format!("{} cannot be read: {error}", folder.display());
            return vec![problem(CREDENTIALS.to_owned(), reason)];
        }
    };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    let credential = |path: PathBuf| {
        let name = path.file_name()?.to_str()?;
        let key = name.strip_prefix(CREDENTIAL_PREFIX)?.to_owned();
        Some(match content(&path) {
            Ok(text) => {
                let place = format!("{CREDENTIAL}{name} ({})", path.display());
                Ok(Given { key, place, value: Secret::new(text) })
            }
            Err(reason) => problem(format!("{CREDENTIAL}{name}"), reason),
        })
    };
    paths.into_iter().filter_map(credential).collect()
}

fn said_twice(given: &[Given]) -> Vec<ConfigProblem> {
    let mut places: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for one in given {
        places.entry(&one.key).or_default().push(&one.place);
    }
    let twice = places.into_values().filter(|places| places.len() > 1);
    twice
        .map(|places| ConfigProblem {
            place: places.join(" and "),
            reason: "are set both, and say the same key: leave one of them out".to_owned(),
        })
        .collect()
}
