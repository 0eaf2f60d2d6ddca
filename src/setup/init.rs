//! `fecha init`: a commented configuration and an empty register. Overwrites nothing.

use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use crate::setup::config;
use crate::setup::register::{CONTRACT_COLUMNS, DEALERSHIP_COLUMNS};

/// The commented configuration; valid as it stands.
pub const CONFIG_TEMPLATE: &str = include_str!("../../templates/init/fecha.toml");

/// The register of the dealerships.
pub const DEALERSHIPS_FILE: &str = "dealerships.csv";

/// The register of the contracts.
pub const CONTRACTS_FILE: &str = "contracts.csv";

/// A file of a new folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Where it is.
    pub path: PathBuf,
    /// `false` where it was there before and was left alone.
    pub is_new: bool,
}

/// A file could not be written.
#[derive(Debug, thiserror::Error)]
#[error("{} cannot be written: {source}", path.display())]
pub struct InitError {
    /// The file or folder.
    pub path: PathBuf,
    /// Why.
    pub source: io::Error,
}

/// Writes the three files into `folder`, which is made where it is missing, and says which of them
/// were there before.
///
/// # Errors
/// [`InitError`] where the folder or a file cannot be written.
pub fn init(folder: &Path) -> Result<Vec<Written>, InitError> {
    let failed = |path: &Path, source| InitError { path: path.to_owned(), source };
    fs::create_dir_all(folder).map_err(|source| failed(folder, source))?;
    let files = [
        (config::FILE_NAME, CONFIG_TEMPLATE.to_owned()),
        (DEALERSHIPS_FILE, format!("{}\n", DEALERSHIP_COLUMNS.join(","))),
        (CONTRACTS_FILE, format!("{}\n", CONTRACT_COLUMNS.join(","))),
    ];
    let write = |(name, content): (&str, String)| {
        let path = folder.join(name);
        let is_new = write_new(&path, &content).map_err(|source| failed(&path, source))?;
        Ok(Written { path, is_new })
    };
    files.into_iter().map(write).collect()
}

fn write_new(path: &Path, content: &str) -> io::Result<bool> {
    match OpenOptions::new().write(true).create_new(true).open(path) {
        Ok(mut file) => file.write_all(content.as_bytes()).map(|()| true),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error),
    }
}
