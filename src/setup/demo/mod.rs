//! Sample data for `fecha demo`: a configuration, a register and the messages of a believable reseller.

mod register;
mod traffic;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use chrono_tz::Tz;
use rusqlite::{Connection, params};

pub use self::register::{DEALERSHIPS, contracts};
use crate::setup::config;
use crate::setup::init::{CONFIG_TEMPLATE, CONTRACTS_FILE, DEALERSHIPS_FILE};
use crate::setup::register::{BadRows, read_dealerships};
use fecha_core::calendar::month::Month;

/// The issuer's zone in the demo's configuration.
pub const ISSUER_ZONE: Tz = chrono_tz::America::Sao_Paulo;

/// The name of the message database.
const MESSAGES_FILE: &str = "messages.db";

/// The first line of the demo's configuration; a folder that has it may be written again.
const MARK: &str = "# Made by `fecha demo`: all names, numbers and messages are invented.";

/// What a demo consists of.
#[derive(Debug, Clone)]
pub struct Demo {
    /// `fecha.toml`: the ledger is `fecha.db`, emails go to `mail`.
    pub config: PathBuf,
    /// `dealerships.csv`.
    pub dealerships: PathBuf,
    /// `contracts.csv`.
    pub contracts: PathBuf,
    /// `messages.db`, a SQLite message database.
    pub messages: PathBuf,
    /// How many messages it has.
    pub message_count: u64,
}

/// The demo's files could not be written.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// The folder has other files.
    #[error(
        "{} has files that are not of a demo: name an empty or a new folder with --dir",
        .0.display()
    )]
    Taken(PathBuf),
    /// A file or folder.
    #[error("{} cannot be written: {source}", path.display())]
    File {
        /// Which one.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The message database.
    #[error("{} cannot be written: {source}", path.display())]
    Messages {
        /// The file.
        path: PathBuf,
        /// Why.
        source: rusqlite::Error,
    },
    /// The demo's own register is not valid.
    #[error(transparent)]
    Register(#[from] BadRows),
}

/// Writes the demo's files for a close of `month`, the same for the same month. A folder of an
/// earlier demo is written again; the ledger in it is left alone.
///
/// # Errors
/// [`DemoError`] where the folder holds other files, or cannot be written.
pub fn write(folder: &Path, month: Month) -> Result<Demo, DemoError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        |source| DemoError::File { path, source }
    };
    let demo = Demo {
        config: folder.join(config::FILE_NAME),
        dealerships: folder.join(DEALERSHIPS_FILE),
        contracts: folder.join(CONTRACTS_FILE),
        messages: folder.join(MESSAGES_FILE),
        message_count: 0,
    };
    fs::create_dir_all(folder).map_err(failed(folder))?;
    let is_empty = fs::read_dir(folder).map_err(failed(folder))?.next().is_none();
    let is_demo = || fs::read_to_string(&demo.config).is_ok_and(|text| text.starts_with(MARK));
    if !is_empty && !is_demo() {
        return Err(DemoError::Taken(folder.to_owned()));
    }
    // The configuration first: it marks the folder as a demo's, should the rest be interrupted.
    fs::write(&demo.config, config_text()).map_err(failed(&demo.config))?;
    fs::write(&demo.dealerships, DEALERSHIPS).map_err(failed(&demo.dealerships))?;
    fs::write(&demo.contracts, contracts(month)).map_err(failed(&demo.contracts))?;
    match fs::remove_file(&demo.messages) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(failed(&demo.messages)(error));
        }
        _ => {}
    }
    let message_count = write_messages(&demo.messages, month)?;
    Ok(Demo { message_count, ..demo })
}

/// The template of `fecha init`, with emails as files.
fn config_text() -> String {
    let text = CONFIG_TEMPLATE.replacen("transport = \"smtp\"", "transport = \"file\"", 1);
    format!("{MARK}\n{text}")
}

/// Makes the message database with all messages around `month`, and tells how many there are.
fn write_messages(path: &Path, month: Month) -> Result<u64, DemoError> {
    let dealerships = read_dealerships(DEALERSHIPS_FILE, DEALERSHIPS.as_bytes())?;
    let zone_of = |id: &str| {
        let dealership = dealerships.iter().find(|dealership| dealership.id == id);
        dealership.and_then(|dealership| dealership.timezone).unwrap_or(ISSUER_ZONE)
    };
    let mut rows: Vec<traffic::Row> = traffic::TRAFFIC
        .iter()
        .flat_map(|traffic| traffic::messages(traffic, month, zone_of(traffic.dealership_id)))
        .collect();
    // As they would have arrived.
    rows.sort_by_key(|row| row.sent_at);
    insert(path, &rows).map_err(|source| DemoError::Messages { path: path.to_owned(), source })?;
    Ok(rows.len() as u64)
}

fn insert(path: &Path, rows: &[traffic::Row]) -> rusqlite::Result<()> {
    let mut connection = Connection::open(path)?;
    // Nothing is lost by a crash: the demo is simply made again.
    connection.pragma_update(None, "synchronous", "OFF")?;
    let transaction = connection.transaction()?;
    transaction.execute_batch(
        "CREATE TABLE message (
            dealership_id TEXT, contact TEXT, direction TEXT, kind TEXT, template TEXT, status TEXT,
            sent_at INTEGER NOT NULL -- Unix milliseconds, UTC
        );
        CREATE INDEX message_sent_at ON message (sent_at);",
    )?;
    let mut insert = transaction.prepare("INSERT INTO message VALUES (?, ?, ?, ?, ?, ?, ?)")?;
    for row in rows {
        insert.execute(params![
            row.dealership_id,
            row.contact,
            row.direction,
            row.kind,
            row.template,
            row.status,
            row.sent_at,
        ])?;
    }
    drop(insert);
    transaction.commit()
}
