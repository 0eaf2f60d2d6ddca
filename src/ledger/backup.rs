//! A copy of a SQLite ledger, made while others write it, and what there is to know of a ledger that is not
//! opened to be worked with: nothing here brings its tables up to date.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use sqlx::any::AnyConnectOptions;
use sqlx::{AnyConnection, Connection as _, Executor as _, Row as _};

use super::error::{CANNOT_OPEN, Code, code};
use super::file::LedgerFile;
use super::open::{
    Mode, POSTGRES_SETUP, POSTGRES_TABLES, SQLITE_TABLES, engine_of, parse, sqlite_options, tables,
    try_out, with_mode, without_tables,
};
use super::{Engine, LedgerError};
use fecha_core::database::sqlite_url;

/// What the header of a copy says that it is, at byte 68: `fech`. A ledger at work says nothing there, so that
/// none is taken for a copy.
pub const APPLICATION: [u8; 4] = *b"fech";

/// No copy was made.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The ledger could not be read.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The copy could not be written.
    #[error("the copy {} cannot be written: {cause}. No copy was made", path.display())]
    NotWritten {
        /// Where it was to lie.
        path: PathBuf,
        /// In the words of the driver.
        cause: String,
    },
    /// The copy was read again, and is not whole.
    #[error(
        "the copy of the ledger is damaged, as the ledger may be: {cause}. It was not kept. Keep the earlier backups, look at the ledger's disk, and restore the ledger where `fecha verify` names damage"
    )]
    Damaged {
        /// What is not right with it.
        cause: String,
    },
}

/// What a ledger is, as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The number of its newest migration.
    pub schema: i64,
    /// How many invoices and revisions it has.
    pub documents: usize,
    /// The fingerprint of the key that its evidence was made with; `None` where it has made none yet.
    pub evidence_key: Option<String>,
}

/// What a PostgreSQL or SQLite ledger is, whichever fecha wrote it.
///
/// # Errors
/// [`LedgerError`] where it cannot be read, or is none.
pub async fn standing(url: &str) -> Result<Standing, LedgerError> {
    let options = match engine_of(url)? {
        Engine::Sqlite => reading(url).await?,
        Engine::Postgres => {
            let options = parse(url, url)?;
            try_out(url, &options, POSTGRES_SETUP).await?;
            options
        }
    };
    let mut connection = connect(url, &options).await?;
    let standing = standing_of(&mut connection, url).await;
    let _ = connection.close().await;
    standing
}

/// Copies the SQLite ledger into the file `to`, which is there and empty, and reads the copy again: no page of it
/// is damaged, and every document is in it that was in the ledger before.
///
/// # Errors
/// [`BackupError`]; what lies in `to` then is no backup.
pub async fn copy(url: &str, to: &Path) -> Result<Standing, BackupError> {
    let mut ledger = connect(url, &reading(url).await?).await?;
    let copied = copy_from(&mut ledger, url, to).await;
    let _ = ledger.close().await;
    copied
}

async fn copy_from(
    ledger: &mut AnyConnection,
    url: &str,
    to: &Path,
) -> Result<Standing, BackupError> {
    standing_of(ledger, url).await?;
    let before = documents(ledger).await?;
    write(ledger, to).await?;
    let after = documents(ledger).await?;
    let (copied, standing) = read_again(to).await?;
    let lost = before.difference(&copied).chain(copied.difference(&after)).next();
    if let Some((number, revision, ..)) = lost {
        let cause = format!("{number}, revision {revision}, is not the same in both");
        return Err(BackupError::Damaged { cause });
    }
    Ok(standing)
}

/// In one transaction that reads, so that the copy is the ledger of one moment.
async fn write(ledger: &mut AnyConnection, to: &Path) -> Result<(), BackupError> {
    let failed = |error: sqlx::Error| match code(&error) {
        // CORRUPT, NOTADB
        Some(Code::Sqlite(11 | 26)) => BackupError::Damaged { cause: error.to_string() },
        // READONLY, IOERR, FULL
        Some(Code::Sqlite(8 | 10 | 13 | CANNOT_OPEN)) => not_written(to, &error),
        _ => LedgerError::while_doing("copy it")(error).into(),
    };
    let Some(name) = to.to_str() else {
        let cause = "its path is not UTF-8, which SQLite asks for".to_owned();
        return Err(BackupError::NotWritten { path: to.to_owned(), cause });
    };
    sqlx::query("VACUUM INTO $1").bind(name.to_owned()).execute(ledger).await.map_err(failed)?;
    let url = sqlite_url(to);
    let options = parse(&url, &with_mode(&url, Mode::ReadWrite))?;
    let mark = format!("PRAGMA application_id = {}", u32::from_be_bytes(APPLICATION));
    let marked = async {
        let mut copy = AnyConnection::connect_with(&options).await?;
        copy.execute(sqlx::AssertSqlSafe(mark)).await?;
        copy.close().await
    };
    marked.await.map_err(|error| not_written(to, &error))
}

fn not_written(to: &Path, error: &sqlx::Error) -> BackupError {
    BackupError::NotWritten { path: to.to_owned(), cause: error.to_string() }
}

/// The copy, opened anew.
async fn read_again(to: &Path) -> Result<(BTreeSet<Document>, Standing), BackupError> {
    let damaged = |error: sqlx::Error| BackupError::Damaged { cause: error.to_string() };
    let url = sqlite_url(to);
    let options = parse(&url, &with_mode(&url, Mode::ReadOnly))?;
    let mut copy = connect(&url, &options).await?;
    let found =
        sqlx::query("PRAGMA integrity_check").fetch_all(&mut copy).await.map_err(damaged)?;
    let found: Result<Vec<String>, _> = found.iter().map(|row| row.try_get(0)).collect();
    let found = found.map_err(damaged)?;
    if found != ["ok"] {
        return Err(BackupError::Damaged { cause: found.join("; ") });
    }
    let read = (documents(&mut copy).await?, standing_of(&mut copy, &url).await?);
    copy.close().await.map_err(damaged)?;
    Ok(read)
}

/// Only to be read: a copy changes nothing, not even the mode of its journal.
async fn reading(url: &str) -> Result<AnyConnectOptions, LedgerError> {
    LedgerFile::find(url)?;
    let (options, _) = sqlite_options(url, &[Mode::ReadOnly, Mode::Immutable]).await?;
    Ok(options)
}

async fn connect(url: &str, options: &AnyConnectOptions) -> Result<AnyConnection, LedgerError> {
    let opening = |error| LedgerError::opening(url, &error);
    let mut connection = AnyConnection::connect_with(options).await.map_err(opening)?;
    if engine_of(url)? == Engine::Sqlite {
        connection.execute(Mode::ReadOnly.setup()).await.map_err(opening)?;
    }
    Ok(connection)
}

async fn standing_of(connection: &mut AnyConnection, url: &str) -> Result<Standing, LedgerError> {
    let failed = LedgerError::while_doing("read what it knows of itself");
    let engine = engine_of(url)?;
    let (sql, all) = match engine {
        Engine::Sqlite => (SQLITE_TABLES, 2),
        Engine::Postgres => (POSTGRES_TABLES, 1),
    };
    if tables(connection, sql).await.map_err(&failed)? < all {
        return Err(without_tables(url, engine));
    }
    let schema = sqlx::query("SELECT MAX(version) FROM _sqlx_migrations WHERE success")
        .fetch_one(&mut *connection)
        .await
        .and_then(|row| row.try_get(0))
        .map_err(&failed)?;
    let key = sqlx::query("SELECT value FROM meta WHERE name = 'evidence_key'")
        .fetch_optional(&mut *connection)
        .await
        .map_err(&failed)?;
    let evidence_key = key.map(|row| row.try_get(0)).transpose().map_err(&failed)?;
    let documents: i64 = sqlx::query("SELECT COUNT(*) FROM revision")
        .fetch_one(connection)
        .await
        .and_then(|row| row.try_get(0))
        .map_err(&failed)?;
    let documents = usize::try_from(documents).unwrap_or_default();
    Ok(Standing { schema, documents, evidence_key })
}

/// Number, revision, and the hashes of evidence, invoice and statement: what never changes of a revision.
type Document = (String, i64, String, String, String);

/// In columns that every fecha has had.
async fn documents(connection: &mut AnyConnection) -> Result<BTreeSet<Document>, LedgerError> {
    let failed = LedgerError::while_doing("read its invoices");
    let sql =
        "SELECT number, revision, evidence_sha256, pdf_sha256, statement_sha256 FROM revision";
    let rows = sqlx::query(sql).fetch_all(connection).await.map_err(&failed)?;
    let document = |row: &sqlx::any::AnyRow| {
        Ok((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?, row.try_get(3)?, row.try_get(4)?))
    };
    rows.iter().map(document).collect::<Result<_, _>>().map_err(failed)
}
