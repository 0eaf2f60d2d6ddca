//! What a ledger leaves beside itself: where it is gone, this shows that there was one.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use super::config::Config;
use super::evidence_key;
use fecha_core::count::evidence::EvidenceKey;

/// The note beside the configuration of a ledger whose key is not kept there: the key's fingerprint.
pub const NOTE: &str = "evidence.fingerprint";

/// What SQLite and a daemon put beside the file.
const BESIDE: [&str; 4] = ["-wal", "-shm", "-journal", ".daemon"];

/// Everything that shows that the configuration's ledger was there once, in words.
#[must_use]
pub fn of_a_ledger(config: &Config) -> Vec<String> {
    let mut traces = Vec::new();
    let key = config.folder().join(evidence_key::FILE_NAME);
    if key.exists() {
        traces.push(format!("{} is its evidence key", key.display()));
    }
    let note = config.folder().join(NOTE);
    if note.exists() {
        traces.push(format!("{} is the fingerprint of its evidence key", note.display()));
    }
    if let Some(file) = config.ledger_url.file() {
        let left = BESIDE.iter().map(|suffix| beside(&file, suffix)).filter(|path| path.exists());
        traces.extend(left.map(|path| format!("{} was left beside it", path.display())));
    }
    traces
}

/// Notes beside the configuration that there is a ledger, where the key does not lie there and say so. A
/// folder that cannot be written stays without.
pub fn note(config: &Config, key: &EvidenceKey) {
    let folder = config.folder();
    if folder.join(evidence_key::FILE_NAME).exists() || folder.join(NOTE).exists() {
        return;
    }
    let text = format!(
        "{}\n# Written by fecha when it made the ledger: as long as this file is here, a missing ledger is not made anew.\n",
        key.fingerprint()
    );
    if let Err(error) = fs::write(folder.join(NOTE), text) {
        tracing::info!(folder = %folder.display(), %error, "no note of the ledger is left there");
    }
}

fn beside(file: &Path, suffix: &str) -> PathBuf {
    let mut name: OsString = file.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}
