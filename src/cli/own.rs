//! The files that are fecha's own, under whatever name they are reached.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use crate::setup::config::{Config, DatabaseUrl};
use crate::setup::evidence_key;

/// What SQLite, and a daemon, keep beside a database.
const BESIDE: [&str; 5] = ["", "-wal", "-shm", "-journal", ".daemon"];

/// Whose file it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owned {
    /// What nobody could write again. To replace it is never what somebody means who asks for a document: who
    /// does mean it removes it first.
    Books(&'static str),
    /// What a person wrote, and can write again.
    Written(&'static str),
}

/// All files of a configuration.
#[derive(Debug)]
pub struct Own(Vec<(PathBuf, Owned)>);

impl Own {
    /// Of this configuration, whether they are there or not.
    pub fn of(config: &Config) -> Self {
        let mut own = vec![
            (config.file.clone(), Owned::Written("the configuration")),
            (config.folder().join(evidence_key::FILE_NAME), Owned::Books("the evidence key")),
        ];
        let logo = config.logo.iter().map(|logo| (logo.clone(), Owned::Written("the logo")));
        own.extend(logo);
        own.extend(database(&config.ledger_url, Owned::Books("the ledger")));
        for messages in &config.messages {
            own.extend(database(&messages.url, Owned::Books("the message database")));
        }
        Self(own)
    }

    /// Which of them a path leads to, by a link or a second name too.
    pub fn what(&self, path: &Path) -> Option<Owned> {
        let asked = Place::of(path);
        self.0.iter().find(|(own, _)| Place::of(own).is(&asked)).map(|(_, owned)| *owned)
    }
}

fn database(url: &DatabaseUrl, owned: Owned) -> impl Iterator<Item = (PathBuf, Owned)> {
    // SQLite keeps what belongs to a database beside the file behind a link.
    let names = url.file().into_iter().flat_map(|file| [file.canonicalize().ok(), Some(file)]);
    names.flatten().flat_map(move |file| {
        BESIDE.into_iter().map(move |suffix| {
            let mut name = file.clone().into_os_string();
            name.push(suffix);
            (PathBuf::from(name), owned)
        })
    })
}

/// Where a path leads.
#[derive(Debug)]
pub struct Place {
    /// Device and number, which all names of one file share; `None` where there is none yet.
    file: Option<(u64, u64)>,
    /// The folder, behind all links, and the name in it.
    name: PathBuf,
}

impl Place {
    /// Of a path, whether there is something or not.
    pub fn of(path: &Path) -> Self {
        let file = std::fs::metadata(path).ok().map(|found| (found.dev(), found.ino()));
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new("."));
        let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
        Self { file, name: folder.join(path.file_name().unwrap_or_default()) }
    }

    /// Whether the two are one file.
    pub fn is(&self, other: &Self) -> bool {
        (self.file.is_some() && self.file == other.file) || self.name == other.name
    }
}
