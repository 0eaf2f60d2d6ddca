//! The file of a SQLite ledger: whether it is there, and still is the one that was opened.

use std::fs::Metadata;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use fecha_core::database::sqlite_file;
use fecha_core::secret::without_password;

use super::LedgerError;
use super::error::Missing;

/// A file by what it is, not by its name: a name can be given to another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LedgerFile {
    path: PathBuf,
    device: u64,
    inode: u64,
}

impl LedgerFile {
    /// The file that a SQLite URL names.
    pub(super) fn find(url: &str) -> Result<Self, LedgerError> {
        let path = path_of(url);
        let ledger = without_password(url);
        match std::fs::metadata(&path) {
            Ok(metadata) if metadata.is_file() && metadata.len() == 0 => {
                Err(LedgerError::Missing { ledger, missing: Missing::EmptyFile })
            }
            Ok(metadata) if metadata.is_file() => Ok(Self::of(path, &metadata)),
            Ok(_) => Err(LedgerError::CannotOpen { ledger, cause: "it is no file".to_owned() }),
            Err(error) if is_nothing(error.kind()) => {
                Err(LedgerError::Missing { ledger, missing: Missing::NoFile })
            }
            Err(error) => Err(LedgerError::CannotOpen { ledger, cause: error.to_string() }),
        }
    }

    fn of(path: PathBuf, metadata: &Metadata) -> Self {
        Self { path, device: metadata.dev(), inode: metadata.ino() }
    }

    /// What SQLite keeps beside it.
    pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        PathBuf::from(name)
    }

    /// Whether its name still leads to it.
    pub(super) fn must_be_there(&self) -> Result<(), LedgerError> {
        let file = self.path.display().to_string();
        match std::fs::metadata(&self.path) {
            Ok(metadata) if Self::of(self.path.clone(), &metadata) == *self => Ok(()),
            Ok(_) => Err(LedgerError::Replaced { file }),
            Err(error) if is_nothing(error.kind()) => Err(LedgerError::Replaced { file }),
            Err(error) => Err(LedgerError::Unreachable { ledger: file, cause: error.to_string() }),
        }
    }
}

fn is_nothing(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::NotFound | ErrorKind::NotADirectory)
}

pub(super) fn path_of(url: &str) -> PathBuf {
    sqlite_file(url).unwrap_or_default()
}
