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
    /// The last month, which is closed now.
    pub last: Month,
}

/// Whose messages of one month come late.
pub const LATECOMER: &str = "pampa";

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

/// Writes the demo's files for closes up to `last`, the same for the same month, without a message yet. A folder
/// of an earlier demo is written again; the ledger in it is left alone.
///
/// # Errors
/// [`DemoError`] where the folder holds other files, or cannot be written.
pub fn write(folder: &Path, last: Month) -> Result<Demo, DemoError> {
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
        last,
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
    fs::write(&demo.contracts, contracts(last)).map_err(failed(&demo.contracts))?;
    match fs::remove_file(&demo.messages) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(failed(&demo.messages)(error));
        }
        _ => {}
    }
    create(&demo.messages).map_err(|source| demo.unwritten(source))?;
    Ok(demo)
}

impl Demo {
    /// The months that are closed, oldest first.
    #[must_use]
    pub fn months(&self) -> Vec<Month> {
        let before = |month: &Month| Some(month.previous());
        let mut months: Vec<Month> = std::iter::successors(Some(self.last), before)
            .take(traffic::OLDEST as usize + 1)
            .collect();
        months.reverse();
        months
    }

    /// The messages of one of the months come in.
    ///
    /// # Errors
    /// [`DemoError`] where the message database cannot be written.
    pub fn arrive(&mut self, month: Month) -> Result<(), DemoError> {
        let age = self.age(month);
        let known =
            |traffic: &&traffic::Traffic| age == 0 || traffic.dealership_id != traffic::STRANGER;
        let all = traffic::TRAFFIC.iter().filter(known);
        let zone = zones()?;
        self.insert(all.flat_map(|of| traffic::messages(of, month, age, zone(of.dealership_id))))
    }

    /// Those of [`LATECOMER`] come in that were late.
    ///
    /// # Errors
    /// As [`Demo::arrive`].
    pub fn arrive_late(&mut self, month: Month) -> Result<(), DemoError> {
        let (age, zone) = (self.age(month), zones()?);
        let of = traffic::TRAFFIC.iter().filter(|traffic| traffic.dealership_id == LATECOMER);
        self.insert(of.flat_map(|of| traffic::late(of, month, age, zone(LATECOMER))))
    }

    /// How many months it is before the last.
    fn age(&self, month: Month) -> u32 {
        let ages = (0..).zip(self.months().into_iter().rev());
        ages.into_iter().find(|(_, one)| *one == month).map_or(0, |(age, _)| age)
    }

    fn insert(&mut self, rows: impl Iterator<Item = traffic::Row>) -> Result<(), DemoError> {
        let mut rows: Vec<traffic::Row> = rows.collect();
        // As they would have arrived.
        rows.sort_by_key(|row| row.sent_at);
        insert(&self.messages, &rows).map_err(|source| self.unwritten(source))?;
        self.message_count += rows.len() as u64;
        Ok(())
    }

    fn unwritten(&self, source: rusqlite::Error) -> DemoError {
        DemoError::Messages { path: self.messages.clone(), source }
    }
}

/// What of the template's examples the demo's issuer has: all that a DPS needs.
const SHOWN: [&str; 12] = [
    "[nfse]",
    "environment = ",
    "municipality = ",
    "municipal_registration = ",
    "series = ",
    "ctribnac = ",
    "nbs = ",
    "opsimpnac = ",
    "regesptrib = ",
    "cindop = ",
    "cst = ",
    "cclasstrib = ",
];

/// The template of `fecha init`, with emails as files.
fn config_text() -> String {
    let text = CONFIG_TEMPLATE.replacen("transport = \"smtp\"", "transport = \"file\"", 1);
    let text = SHOWN
        .iter()
        .fold(text, |text, key| text.replacen(&format!("\n# {key}"), &format!("\n{key}"), 1));
    format!("{MARK}\n{text}")
}

/// In which zone each dealership is.
fn zones() -> Result<impl Fn(&str) -> Tz, DemoError> {
    let dealerships = read_dealerships(DEALERSHIPS_FILE, DEALERSHIPS.as_bytes())?;
    Ok(move |id: &str| {
        let dealership = dealerships.iter().find(|dealership| dealership.id == id);
        dealership.and_then(|dealership| dealership.timezone).unwrap_or(ISSUER_ZONE)
    })
}

fn create(path: &Path) -> rusqlite::Result<()> {
    Connection::open(path)?.execute_batch(
        "CREATE TABLE message (
            dealership_id TEXT, contact TEXT, direction TEXT, kind TEXT, template TEXT, status TEXT,
            sent_at INTEGER NOT NULL -- Unix milliseconds, UTC
        );
        CREATE INDEX message_sent_at ON message (sent_at);",
    )
}

fn insert(path: &Path, rows: &[traffic::Row]) -> rusqlite::Result<()> {
    let mut connection = Connection::open(path)?;
    // Nothing is lost by a crash: the demo is simply made again.
    connection.pragma_update(None, "synchronous", "OFF")?;
    let transaction = connection.transaction()?;
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
