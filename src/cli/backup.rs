//! `fecha backup`

use std::path::{Path, PathBuf};

use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::close::shell_word;
use super::files::{Files, ForceArgs, Kind};
use super::output::{Failure, Output};
use crate::actions::backup::{self, Way};
use crate::ledger::backup::Standing;
use crate::setup::config::{self, Config};
use fecha_core::price::money::grouped;

/// Arguments of `fecha backup`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
A SQLite ledger is copied as it is at one moment, whoever writes it meanwhile,
and the copy is read again: no damage, every invoice. An older ledger is not
brought up to date. Of a PostgreSQL ledger the command is printed that makes
the backup, without a password, and the exit status is 1: nothing was done.

The evidence key is not in it: keep it in another place. Its fingerprint is
printed, since a restored ledger takes no other key.

Examples:
  fecha backup /var/backups/fecha.db
  fecha backup - | age -r age1… > fecha.db.age")]
pub struct Args {
    /// The file; `-` is standard output
    file: PathBuf,
    #[command(flatten)]
    force: ForceArgs,
}

/// Makes a copy, or says how one is made.
pub async fn backup(path: Option<&Path>, args: &Args, output: &Output) -> Result<u8, Failure> {
    let config = Config::load(path, config::environment())?;
    let files = Files::new(&config, args.force);
    let output = files.beside(output, [(&args.file, Kind::Backup)])?;
    match backup::way(&config) {
        Way::Copy => copy(&config, &files, &args.file, &output).await,
        Way::Command => command(&config, &args.file, &output).await,
    }
}

async fn copy(config: &Config, files: &Files, file: &Path, output: &Output) -> Result<u8, Failure> {
    let draft = files.draft(file, Kind::Backup)?;
    let standing = backup::copy(config, draft.path()).await?;
    let (bytes, sha256) = digest(draft.path())?;
    files.keep(draft, file, Kind::Backup)?;
    let wrong_key = backup::wrong_key(config, &standing);
    let value = json!({
        "file": file.display().to_string(),
        "bytes": bytes,
        "sha256": sha256,
        "schema": standing.schema,
        "documents": standing.documents,
        "evidence_key": standing.evidence_key,
        "wrong_key": wrong_key,
    });
    output.result(&value, |_| {
        format!(
            "wrote {} ({} bytes): the ledger, with {} invoices and revisions, schema {}\nread again: no damage, every invoice\nsha256 {sha256}\n{}",
            file.display(),
            grouped(bytes),
            grouped(standing.documents as u64),
            standing.schema,
            key_in_words(&standing, wrong_key.as_deref()),
        )
    });
    Ok(u8::from(wrong_key.is_some()))
}

async fn command(config: &Config, file: &Path, output: &Output) -> Result<u8, Failure> {
    let standing = backup::standing(config).await?;
    let name = file.display().to_string();
    let file = if name == "-" { String::new() } else { format!(" --file={}", shell_word(&name)) };
    let url = shell_word(&backup::url_for_command(config));
    let command = format!("pg_dump --format=custom{file} {url}");
    let wrong_key = backup::wrong_key(config, &standing);
    let value = json!({
        "command": command,
        "schema": standing.schema,
        "documents": standing.documents,
        "evidence_key": standing.evidence_key,
        "wrong_key": wrong_key,
    });
    output.result(&value, |_| {
        format!(
            "No copy was made: a PostgreSQL ledger is backed up by PostgreSQL's own program, while daemons run:\n\n  (umask 077 && {command})\n\nThe password comes from ~/.pgpass or PGPASSFILE, never from the command line.\n{}",
            key_in_words(&standing, wrong_key.as_deref()),
        )
    });
    Ok(1)
}

fn key_in_words(standing: &Standing, wrong: Option<&str>) -> String {
    match (&standing.evidence_key, wrong) {
        (None, _) => "The ledger has no evidence key yet.\n".to_owned(),
        (Some(key), None) => format!(
            "Its evidence key, with the fingerprint {key}, is not in it: keep that in another place.\n"
        ),
        (Some(key), Some(wrong)) => {
            format!("Its evidence key, with the fingerprint {key}, is not here: {wrong}\n")
        }
    }
}

/// Length and hash, in little memory.
fn digest(path: &Path) -> Result<(u64, String), Failure> {
    let unread =
        |error| Failure::wrong(format!("{} cannot be read again: {error}", path.display()));
    let mut file = std::fs::File::open(path).map_err(unread)?;
    let (mut hash, mut bytes, mut piece) = (Sha256::new(), 0, vec![0; 1 << 16]);
    loop {
        let read = std::io::Read::read(&mut file, &mut piece).map_err(unread)?;
        if read == 0 {
            return Ok((bytes, hex::encode(hash.finalize())));
        }
        hash.update(&piece[..read]);
        bytes += read as u64;
    }
}
