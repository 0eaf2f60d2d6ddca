//! `fecha backup`: a copy of a SQLite ledger, or the command that makes one of a PostgreSQL ledger.

use std::path::Path;

use crate::ledger::backup::{self, BackupError, Standing};
use crate::setup::config::Config;
use crate::setup::evidence_key;
use fecha_core::database::Scheme;
use fecha_core::secret::without_password;

/// How a ledger is backed up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Way {
    /// By fecha itself.
    Copy,
    /// By the server's own program.
    Command,
}

/// How the ledger of this configuration is backed up.
#[must_use]
pub fn way(config: &Config) -> Way {
    match Scheme::of(config.ledger_url.as_str()) {
        Some(Scheme::Postgres) => Way::Command,
        _ => Way::Copy,
    }
}

/// Copies the ledger into the file `to`, which is there and empty, and tries the copy.
///
/// # Errors
/// [`BackupError`]; what lies in `to` then is no backup.
pub async fn copy(config: &Config, to: &Path) -> Result<Standing, BackupError> {
    backup::copy(config.ledger_url.as_str(), to).await
}

/// What the ledger is that a command backs up.
///
/// # Errors
/// [`BackupError::Ledger`] where it cannot be read.
pub async fn standing(config: &Config) -> Result<Standing, BackupError> {
    Ok(backup::standing(config.ledger_url.as_str()).await?)
}

/// Why the evidence key at hand is not the one that this ledger needs; `None` where it is.
#[must_use]
pub fn wrong_key(config: &Config, standing: &Standing) -> Option<String> {
    let needed = standing.evidence_key.as_ref()?;
    match evidence_key::load(config.folder(), config.evidence_key.as_ref(), needed) {
        Ok(key) if key.fingerprint() == *needed => None,
        Ok(key) => Some(format!(
            "the evidence key here has the fingerprint {}, and this ledger needs {needed}: put the right one in its place before the two are lost together",
            key.fingerprint()
        )),
        Err(error) => Some(error.to_string()),
    }
}

/// The URL of the ledger for a program of PostgreSQL's: without a password, and with no parameter that only fecha's
/// driver knows.
#[must_use]
pub fn url_for_command(config: &Config) -> String {
    for_libpq(config.ledger_url.as_str())
}

/// Parameters that libpq knows, and that say where and how to connect.
const PARAMETERS: [&str; 10] = [
    "dbname",
    "host",
    "hostaddr",
    "passfile",
    "port",
    "sslcert",
    "sslkey",
    "sslmode",
    "sslrootcert",
    "user",
];

fn for_libpq(url: &str) -> String {
    let shown = without_password(url).replace(":***@", "@");
    let (base, query) = shown.split_once('?').unwrap_or((&shown, ""));
    let is_kept = |parameter: &&str| {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        PARAMETERS.contains(&name) && !value.is_empty() && value != "***"
    };
    let kept: Vec<&str> = query.split('&').filter(is_kept).collect();
    if kept.is_empty() { base.to_owned() } else { format!("{base}?{}", kept.join("&")) }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("postgres://fecha@db/fecha", "postgres://fecha@db/fecha")]
    #[case("postgres://fecha:s3cret@db:5433/fecha", "postgres://fecha@db:5433/fecha")]
    #[case("postgres://fecha:s3:c@ret@db/fecha", "postgres://fecha@db/fecha")]
    #[case(
        "postgres:///fecha?host=/run/postgresql&user=fecha&password=s3cret&statement-cache-capacity=9",
        "postgres:///fecha?host=/run/postgresql&user=fecha"
    )]
    #[case(
        "postgres://u:s3cret@db/fecha?sslmode=verify-full&application_name=x",
        "postgres://u@db/fecha?sslmode=verify-full"
    )]
    fn a_command_has_no_password(#[case] url: &str, #[case] expected: &str) {
        assert_eq!(for_libpq(url), expected);
    }
}
