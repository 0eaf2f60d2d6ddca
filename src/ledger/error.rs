//! What the ledger could not do, and whether it may do it later.

use fecha_core::secret::{without_password, without_password_of};

/// What the ledger could not do.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The URL names no engine that the ledger runs on.
    #[error("[ledger] url: '{0}' is neither sqlite:FILE nor postgres://…")]
    UnknownEngine(String),
    /// The server is away, or the connection was lost.
    #[error(
        "the ledger {ledger} could not be reached: {cause}. Nothing is half done: run the command again"
    )]
    Unreachable {
        /// The URL without a password.
        ledger: String,
        /// In the words of the driver.
        cause: String,
    },
    /// Somebody else holds what was asked for, for longer than one may wait.
    #[error(
        "the ledger is busy: it could not {action} ({cause}). Nothing is half done: run the command again"
    )]
    Busy {
        /// What was tried.
        action: &'static str,
        /// In the words of the driver.
        cause: String,
    },
    /// It can be read, but not written: a standby, a file of somebody else's, a full disk.
    #[error(
        "the ledger can be read but not written now: it could not {action} ({cause}). Nothing is half done: make it writable, then run the command again"
    )]
    NotWritable {
        /// What was tried.
        action: &'static str,
        /// In the words of the driver.
        cause: String,
    },
    /// There is none, and it was not asked to be made.
    #[error("there is no ledger at {ledger}: {missing}")]
    Missing {
        /// The URL without a password.
        ledger: String,
        /// What is there instead.
        missing: Missing,
    },
    /// The file was deleted or replaced under the process: what it writes would be lost.
    #[error(
        "the ledger's file {file} was deleted or replaced while it was in use: nothing more is written or sent. Restore it, or mount its volume, then start again"
    )]
    Replaced {
        /// The file.
        file: String,
    },
    /// The URL cannot be read.
    #[error(
        "the ledger URL '{ledger}' cannot be read ({cause}): correct [ledger] url; special characters in a password are written as %XX"
    )]
    BadUrl {
        /// The URL without a password.
        ledger: String,
        /// In the words of the driver.
        cause: String,
    },
    /// The login was refused, or lacks a right.
    #[error(
        "access to the ledger {ledger} was refused ({cause}): check user and password in [ledger] url (special characters in a password are written as %XX), and let that user make tables in the database"
    )]
    AccessDenied {
        /// The URL without a password.
        ledger: String,
        /// In the words of the server.
        cause: String,
    },
    /// The server has no such database.
    #[error(
        "the ledger {ledger} does not exist ({cause}): correct [ledger] url, or make the database (CREATE DATABASE); `fecha import` makes its tables"
    )]
    NoSuchDatabase {
        /// The URL without a password.
        ledger: String,
        /// In the words of the server.
        cause: String,
    },
    /// The file or database cannot be opened, and trying again will not help.
    #[error("the ledger {ledger} cannot be opened: {cause}")]
    CannotOpen {
        /// The URL without a password.
        ledger: String,
        /// In the words of the driver.
        cause: String,
    },
    /// A later fecha wrote it.
    #[error(
        "the ledger {0} is newer than this fecha: install the version that wrote it, or a later one"
    )]
    Newer(String),
    /// The evidence key is not the one that all evidence in the ledger was made with.
    #[error(
        "the evidence key is not the one of this ledger (fingerprint {given}, the ledger has {kept}): put the evidence.key back that was beside the configuration when the ledger was made"
    )]
    OtherKey {
        /// Of the key at hand.
        given: String,
        /// Of the key that the ledger knows.
        kept: String,
    },
    /// A row that fecha cannot have written.
    #[error(
        "the ledger holds what fecha did not write: {0}. Restore it from a backup, or ask for help; nothing was changed"
    )]
    Corrupt(String),
    /// A document whose bytes are not those that were issued.
    #[error(
        "the {document} of {label} is not what was issued: its SHA-256 differs. It is neither sent nor written: restore the ledger from a backup (`fecha verify` names all that is damaged in a month)"
    )]
    Damaged {
        /// Which of its files.
        document: &'static str,
        /// The invoice.
        label: String,
    },
    /// Another daemon leads.
    #[error("another daemon has taken over: this one writes nothing more")]
    Deposed,
    /// Nobody had heard of a request for long, and another carries it out.
    #[error("another has taken this request over: nothing more is written for it here")]
    TakenOver,
    /// Any other error of the database.
    #[error("the ledger refused to {action}: {source}")]
    Database {
        /// What was tried.
        action: &'static str,
        /// Why not.
        source: sqlx::Error,
    },
}

/// What is found where a ledger should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Missing {
    /// Nothing.
    #[error("the file is not there")]
    NoFile,
    /// A file of no bytes.
    #[error("the file is empty")]
    EmptyFile,
    /// A database on a server that has none of fecha's tables.
    #[error("the database has none of fecha's tables")]
    NoTables,
}

impl LedgerError {
    /// Whether trying again later, unchanged, may help: the exit status 3.
    #[must_use]
    pub fn is_unreachable(&self) -> bool {
        matches!(
            self,
            Self::Unreachable { .. }
                | Self::Busy { .. }
                | Self::NotWritable { .. }
                | Self::Replaced { .. }
        )
    }

    /// Whether the same may work in a moment: somebody else was quicker, or still is at it.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        matches!(self, Self::Busy { .. })
    }

    /// Whether nothing can be written now, whatever it is: what goes on for one dealership alone is not.
    #[must_use]
    pub fn concerns_everything(&self) -> bool {
        self.is_unreachable() || matches!(self, Self::Deposed)
    }

    /// Turns a driver's error into ours; `action` completes "the ledger refused to …".
    pub(crate) fn while_doing(action: &'static str) -> impl Fn(sqlx::Error) -> Self {
        move |source| match Passing::of(&source) {
            Some(Passing::Away) => {
                Self::Unreachable { ledger: "database".to_owned(), cause: source.to_string() }
            }
            Some(Passing::Busy) => Self::Busy { action, cause: said(&source) },
            Some(Passing::NotWritable) => Self::NotWritable { action, cause: said(&source) },
            None => Self::Database { action, source },
        }
    }

    /// An error of opening the ledger at `url`.
    pub(super) fn opening(url: &str, error: &sqlx::Error) -> Self {
        let ledger = without_password(url);
        if matches!(error, sqlx::Error::Configuration(_)) {
            let cause = without_password_of(url, &error.to_string());
            return Self::BadUrl { ledger, cause };
        }
        let cause = without_password_of(url, &said(error));
        if let Some(Code::Postgres(code)) = code(error) {
            match code.as_str() {
                "28000" | "28P01" | "42501" => return Self::AccessDenied { ledger, cause },
                "3D000" => return Self::NoSuchDatabase { ledger, cause },
                _ => {}
            }
        }
        match Passing::of(error) {
            Some(Passing::Away) if code(error) != Some(Code::Sqlite(CANNOT_OPEN)) => {
                let remedy = match error {
                    sqlx::Error::Io(_) => {
                        " (check that the server runs, and host and port in [ledger] url)"
                    }
                    _ => "",
                };
                Self::Unreachable { ledger, cause: format!("{cause}{remedy}") }
            }
            Some(Passing::Busy) => Self::Busy { action: "open", cause },
            Some(Passing::NotWritable) => Self::NotWritable { action: "open", cause },
            Some(Passing::Away) | None => Self::CannotOpen { ledger, cause },
        }
    }
}

/// The database's own words, without those that sqlx puts before them.
fn said(error: &sqlx::Error) -> String {
    error.as_database_error().map_or_else(|| error.to_string(), |error| error.message().to_owned())
}

/// An error that is over some time, whatever was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Passing {
    /// Gone, shutting down, out of resources, a line that was cut.
    Away,
    /// A lock that somebody else holds, a limit of time, two transactions that crossed.
    Busy,
    /// Read only, or the disk is full.
    NotWritable,
}

/// A database's code for an error.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Code {
    /// The primary code, without what extends it.
    Sqlite(u32),
    /// `SQLSTATE`.
    Postgres(String),
}

/// `SQLITE_CANTOPEN`: the file, or one beside it.
pub(super) const CANNOT_OPEN: u32 = 14;

pub(super) fn code(error: &sqlx::Error) -> Option<Code> {
    let code = error.as_database_error()?.code()?;
    // SQLSTATE has five characters; SQLite's numbers, extended ones too, have fewer.
    Some(match code.parse::<u32>() {
        Ok(number) if code.len() < 5 => Code::Sqlite(number & 0xff),
        _ => Code::Postgres(code.into_owned()),
    })
}

impl Passing {
    pub(super) fn of(error: &sqlx::Error) -> Option<Self> {
        match error {
            sqlx::Error::Io(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed => Some(Self::Away),
            error => code(error).and_then(|code| Self::of_code(&code)),
        }
    }

    /// <https://www.postgresql.org/docs/current/errcodes-appendix.html>, <https://sqlite.org/rescode.html>
    fn of_code(code: &Code) -> Option<Self> {
        match code {
            Code::Postgres(code) => match code.as_str() {
                // Read only, disk full.
                "25006" | "53100" => Some(Self::NotWritable),
                // Serialization, deadlock, lock not available, a statement or transaction that took too long.
                "40001" | "40P01" | "55P03" | "57014" | "25P04" => Some(Self::Busy),
                // Left idle in a transaction, a system's error.
                "25P03" | "58000" | "58030" => Some(Self::Away),
                // Connection lost, out of resources, the server ends.
                _ => ["08", "53", "57P"]
                    .iter()
                    .any(|class| code.starts_with(class))
                    .then_some(Self::Away),
            },
            // BUSY, LOCKED, PROTOCOL; READONLY, FULL; NOMEM, IOERR, CANTOPEN.
            Code::Sqlite(5 | 6 | 15) => Some(Self::Busy),
            Code::Sqlite(8 | 13) => Some(Self::NotWritable),
            Code::Sqlite(7 | 10 | CANNOT_OPEN) => Some(Self::Away),
            Code::Sqlite(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("55P03", Some(Passing::Busy))] // lock_timeout
    #[case("57014", Some(Passing::Busy))] // statement_timeout
    #[case("40001", Some(Passing::Busy))] // serialization
    #[case("40P01", Some(Passing::Busy))] // deadlock
    #[case("25006", Some(Passing::NotWritable))] // a standby
    #[case("53100", Some(Passing::NotWritable))] // its disk is full
    #[case("53300", Some(Passing::Away))] // too many connections
    #[case("57P01", Some(Passing::Away))] // shut down
    #[case("08006", Some(Passing::Away))]
    #[case("23505", None)] // a unique index
    #[case("P0001", None)] // a trigger
    #[case("42P01", None)]
    fn an_error_of_postgresql(#[case] code: &str, #[case] expected: Option<Passing>) {
        assert_eq!(Passing::of_code(&Code::Postgres(code.to_owned())), expected);
    }

    #[rstest]
    #[case(5, Some(Passing::Busy))]
    #[case(8, Some(Passing::NotWritable))]
    #[case(13, Some(Passing::NotWritable))]
    #[case(10, Some(Passing::Away))]
    #[case(19, None)] // a constraint, a trigger
    #[case(26, None)] // no database
    #[case(11, None)] // corrupt
    fn an_error_of_sqlite(#[case] code: u32, #[case] expected: Option<Passing>) {
        assert_eq!(Passing::of_code(&Code::Sqlite(code)), expected);
    }
}
