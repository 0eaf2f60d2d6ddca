//! The key of the evidence: `evidence.key` beside the configuration, or `FECHA_EVIDENCE_KEY` (spec §3.3).
//!
//! Without the key no evidence can be compared with another, so it belongs into the backup, apart
//! from the ledger's.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::setup::config::{EVIDENCE_KEY_VARIABLE, Given};
use crate::setup::input;
use fecha_core::count::evidence::EvidenceKey;

/// The name of the file in the configuration's folder.
pub const FILE_NAME: &str = "evidence.key";

/// The largest file that is looked at.
const MOST_BYTES: u64 = 4096;

/// There is no key that can be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// What was said beside the configuration is something else.
    #[error("{0} is no key: it takes 64 hexadecimal digits, as evidence.key holds them")]
    Given(String),
    /// The file holds something else.
    #[error(
        "{} is no key: it holds 64 hexadecimal digits. Restore it from the backup; a new key would make the evidence of earlier invoices incomparable",
        .0.display()
    )]
    Malformed(PathBuf),
    /// A person wrote it, and whoever guesses it can try numbers against a file of evidence.
    #[error("the evidence key ({place}) can be guessed: it takes 32 random bytes. {remedy}")]
    Guessable {
        /// Where it is.
        place: String,
        /// What to do.
        remedy: &'static str,
    },
    /// Others can read the file.
    #[error(
        "{path} can be read by others (mode {mode:04o}): run `chmod 600 {path}`, or set {EVIDENCE_KEY_VARIABLE} instead",
        path = path.display()
    )]
    TooOpen {
        /// The file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// The file is there but cannot be read.
    #[error("{} cannot be read: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is not there, but the ledger was made with a key.
    #[error(
        "the evidence key is not the one of this ledger but gone: {} is not there, and the ledger has the fingerprint {fingerprint}. Put it back from the backup, or set {EVIDENCE_KEY_VARIABLE} to it",
        path.display()
    )]
    Lost {
        /// The file.
        path: PathBuf,
        /// Of the ledger's key.
        fingerprint: String,
    },
    /// The file is not there and cannot be made.
    #[error(
        "{} cannot be made: {source}. Make its folder writable, or set {EVIDENCE_KEY_VARIABLE} to 64 random hexadecimal digits",
        path.display()
    )]
    NotMade {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// The key: what was said beside the configuration, else that of the file, which is made where it is
/// missing. Any number of processes at once end with the same key.
///
/// `folder` is the configuration's; `given` what was said beside it (`FECHA_EVIDENCE_KEY`, a file that it names,
/// a credential).
///
/// # Errors
/// [`KeyError`]; a key that is malformed or open to others is refused, never replaced.
pub fn load_or_create(folder: &Path, given: Option<&Given>) -> Result<EvidenceKey, KeyError> {
    if let Some(given) = given {
        let key = EvidenceKey::from_hex(given.value.expose());
        return key.ok_or_else(|| KeyError::Given(given.place.clone()));
    }
    let path = folder.join(FILE_NAME);
    match read(&path) {
        Err(KeyError::Unreadable { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
            create(folder, &path)
                .map_err(|source| KeyError::NotMade { path: path.clone(), source })?;
            read(&path)
        }
        result => result,
    }
}

/// Refuses a key that can be guessed, before anything is issued under it. `folder` and `given` are those of
/// [`load_or_create`].
///
/// # Errors
/// [`KeyError::Guessable`].
pub fn must_be_random(
    key: &EvidenceKey,
    folder: &Path,
    given: Option<&Given>,
) -> Result<(), KeyError> {
    if !key.is_guessable() {
        return Ok(());
    }
    let (place, remedy) = match given {
        Some(given) => (
            given.place.clone(),
            "Set it to 64 random hexadecimal digits, from `openssl rand -hex 32`",
        ),
        None => (
            folder.join(FILE_NAME).display().to_string(),
            "Nothing was issued under it: remove the file, and the next command makes one",
        ),
    };
    Err(KeyError::Guessable { place, remedy })
}

/// The key of a ledger that knows its fingerprint: none is made in its place.
///
/// # Errors
/// As [`load_or_create`]; [`KeyError::Lost`] where there is none.
pub fn load(
    folder: &Path,
    given: Option<&Given>,
    fingerprint: &str,
) -> Result<EvidenceKey, KeyError> {
    if given.is_some() {
        return load_or_create(folder, given);
    }
    let path = folder.join(FILE_NAME);
    match read(&path) {
        Err(KeyError::Unreadable { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
            Err(KeyError::Lost { path, fingerprint: fingerprint.to_owned() })
        }
        result => result,
    }
}

fn read(path: &Path) -> Result<EvidenceKey, KeyError> {
    let unreadable = |source| KeyError::Unreadable { path: path.to_owned(), source };
    refuse_open(path, &fs::metadata(path).map_err(unreadable)?)?;
    // A key has 64 digits; more is none.
    let bytes = input::read(path, MOST_BYTES).map_err(unreadable)?;
    let text = std::str::from_utf8(&bytes).ok();
    text.and_then(EvidenceKey::from_hex).ok_or_else(|| KeyError::Malformed(path.to_owned()))
}

#[cfg(unix)]
fn refuse_open(path: &Path, metadata: &fs::Metadata) -> Result<(), KeyError> {
    use std::os::unix::fs::PermissionsExt;
    let mode = metadata.permissions().mode() & 0o777;
    let for_others = mode & 0o077;
    if for_others == 0 { Ok(()) } else { Err(KeyError::TooOpen { path: path.to_owned(), mode }) }
}

#[cfg(not(unix))]
fn refuse_open(_: &Path, _: &fs::Metadata) -> Result<(), KeyError> {
    Ok(())
}

/// Makes the file whole, with mode 0600, and only where there is none: a reader never sees half a
/// key, and of two writers the first wins.
fn create(folder: &Path, path: &Path) -> io::Result<()> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(io::Error::other)?;
    // The library's own text would name the temporary file.
    let mut file = NamedTempFile::with_prefix_in(".evidence.key.", folder)
        .map_err(|error| io::Error::from(error.kind()))?;
    writeln!(file, "{}", EvidenceKey::new(bytes).to_hex())?;
    file.as_file().sync_all()?;
    match file.persist_noclobber(path) {
        Ok(_) => sync(folder),
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error.error),
    }
}

/// Invoices are issued under this key: its name must survive a power cut as they do.
fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}
