//! Opens the ledger, or makes one where that is asked for: what is missing is never made by the way.

use std::fs::{File, Permissions};
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::{AnyConnection, Connection as _, Executor as _, Row as _};
use tokio::time::Instant;

use super::error::{CANNOT_OPEN, Code, Missing, Passing, code};
use super::file::{LedgerFile, path_of};
use super::{Engine, Ledger, LedgerError, WrittenFor};
use fecha_core::database::{Scheme, sqlite_url};
use fecha_core::secret::{without_password, without_password_of};

static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

/// How long a server may take to let us in.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);
/// How often a command that works asks beside its work whether the server is there, and how often in a row in
/// vain before it ends.
const KNOCK: Duration = Duration::from_mins(1);
const KNOCKS: u32 = 10;
/// How long a process waits for another one's transaction.
const BUSY_TIMEOUT: Duration = Duration::from_mins(1);
/// How long a page waits for a server: somebody looks at it.
const PAGE_TIMEOUT: Duration = Duration::from_secs(5);

/// Keeps what was committed through a power cut (`FULL`), lets readers in while a close writes (WAL).
const SQLITE_SETUP: &str = "PRAGMA busy_timeout = 60000; PRAGMA journal_mode = WAL; \
                            PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; \
                            SELECT 1 FROM sqlite_master LIMIT 1";

/// For a file that may only be read.
const SQLITE_READING: &str = "PRAGMA busy_timeout = 60000; SELECT 1 FROM sqlite_master LIMIT 1";

/// A process that is paused within a transaction keeps the others waiting no longer than 20 seconds. Who
/// waits for a lock gives up after a minute, and no statement takes longer than ten; stricter limits of the
/// server's hold.
pub(super) const POSTGRES_SETUP: &str = "SET idle_in_transaction_session_timeout = '20s';
    SELECT set_config('lock_timeout', '60s', false) WHERE current_setting('lock_timeout') = '0';
    SELECT set_config('statement_timeout', '600s', false) WHERE current_setting('statement_timeout') = '0'";

/// How a SQLite file is opened, in the order of trying.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    ReadWrite,
    ReadOnly,
    /// In a folder where not even the files can be made that SQLite keeps beside a ledger.
    Immutable,
}

impl Mode {
    pub(super) fn setup(self) -> &'static str {
        match self {
            Self::ReadWrite => SQLITE_SETUP,
            Self::ReadOnly | Self::Immutable => SQLITE_READING,
        }
    }
}

/// The number of the newest migration: what a ledger of this program has.
#[must_use]
pub fn newest_schema() -> i64 {
    MIGRATIONS.iter().map(|migration| migration.version).max().unwrap_or_default()
}

impl Ledger {
    /// Opens the ledger and brings its tables up to date, those of an earlier fecha too. Whoever is killed on
    /// the way leaves a ledger that opens again and goes on from there; several may open it at once. One that
    /// is up to date is not written, so that it opens where it can only be read.
    ///
    /// # Errors
    /// [`LedgerError`] where it cannot be reached, or is newer than this program; [`LedgerError::Missing`]
    /// where there is none.
    pub async fn open(url: &str) -> Result<Self, LedgerError> {
        Self::open_waiting(url, BUSY_TIMEOUT).await
    }

    /// As [`Ledger::open`], for pages: a server that is away is told within seconds.
    ///
    /// # Errors
    /// As [`Ledger::open`].
    pub async fn open_for_pages(url: &str) -> Result<Self, LedgerError> {
        Self::open_waiting(url, PAGE_TIMEOUT).await
    }

    async fn open_waiting(url: &str, wait: Duration) -> Result<Self, LedgerError> {
        let engine = engine_of(url)?;
        let file = match engine {
            Engine::Sqlite => Some(LedgerFile::find(url)?),
            Engine::Postgres => None,
        };
        if engine == Engine::Sqlite {
            // Before anything is set that stays in the file: it may be somebody else's.
            let only_read = parse(url, &with_mode(url, Mode::ReadOnly))?;
            if let Ok(mut connection) = AnyConnection::connect_with(&only_read).await {
                let tables = tables(&mut connection, SQLITE_TABLES).await;
                let _ = connection.close().await;
                if tables.is_ok_and(|tables| tables == 0) {
                    return Err(without_tables(url, engine));
                }
            }
        }
        let ledger = Self::connect(url, engine, file, wait).await?;
        if engine == Engine::Postgres {
            let failed = LedgerError::while_doing("read its tables");
            let mut connection = ledger.pool.acquire().await.map_err(&failed)?;
            if tables(&mut connection, POSTGRES_TABLES).await.map_err(failed)? == 0 {
                return Err(without_tables(url, engine));
            }
        }
        ledger.bring_up_to_date(url).await?;
        Ok(ledger)
    }

    /// Makes the ledger and opens it. A SQLite ledger is there as a whole or not at all; where another process
    /// made it meanwhile, that one is opened.
    ///
    /// # Errors
    /// [`LedgerError`] where it cannot be made.
    pub async fn make(url: &str) -> Result<Self, LedgerError> {
        match engine_of(url)? {
            Engine::Sqlite => make_file(url).await?,
            Engine::Postgres => {
                let ledger = Self::connect(url, Engine::Postgres, None, BUSY_TIMEOUT).await?;
                let made = ledger.bring_up_to_date(url).await;
                ledger.close().await;
                made?;
            }
        }
        Self::open(url).await
    }

    async fn connect(
        url: &str,
        engine: Engine,
        file: Option<LedgerFile>,
        wait: Duration,
    ) -> Result<Self, LedgerError> {
        let (options, mode) = match engine {
            Engine::Sqlite => sqlite_options(url, MODES).await?,
            Engine::Postgres => {
                let options = parse(url, url)?;
                try_out(url, &options, POSTGRES_SETUP).await?;
                (options, Mode::ReadWrite)
            }
        };
        let setup = match engine {
            Engine::Sqlite => mode.setup(),
            Engine::Postgres => POSTGRES_SETUP,
        };
        let only_read = (mode != Mode::ReadWrite).then(|| Arc::from(url));
        let renewed = Arc::<Mutex<Option<Instant>>>::default();
        let since = Arc::clone(&renewed);
        let pool_of = AnyPoolOptions::new()
            // A file is never away: others write it.
            .acquire_timeout(if engine == Engine::Postgres { wait } else { BUSY_TIMEOUT })
            // Without these sqlx has no task that looks after the pool: it counts idle connections with a race, and
            // where it reads one less than none it never ends, and the process with it.
            .idle_timeout(None)
            .max_lifetime(None)
            // A file is there as long as it is open.
            .test_before_acquire(engine == Engine::Postgres)
            .before_acquire(move |_, connection| {
                let renewed = *since.lock().unwrap_or_else(PoisonError::into_inner);
                let is_new = renewed.is_none_or(|at| connection.age < at.elapsed());
                Box::pin(async move { Ok(is_new) })
            })
            .after_connect(move |connection, _| {
                Box::pin(async move { connection.execute(setup).await.map(|_| ()) })
            });
        let pool = pool_of
            .clone()
            .max_connections(4)
            .connect_with(options.clone())
            .await
            .map_err(|error| LedgerError::opening(url, &error))?;
        let writers = match engine {
            // Who holds it waits for other processes no longer than that.
            Engine::Sqlite => pool_of
                .max_connections(1)
                .acquire_timeout(2 * BUSY_TIMEOUT)
                .connect_lazy_with(options),
            Engine::Postgres => pool.clone(),
        };
        let (shelf, written_for) = (Arc::default(), WrittenFor::default());
        Ok(Self { pool, writers, engine, written_for, file, renewed, only_read, shelf })
    }

    async fn bring_up_to_date(&self, url: &str) -> Result<(), LedgerError> {
        if !self.is_up_to_date().await {
            self.migrate(url).await?;
        }
        self.guard().await?;
        self.fill_figures().await?;
        self.open_items_of_0_1().await
    }

    /// Whether all migrations of this program were made, and no others: said without writing.
    async fn is_up_to_date(&self) -> bool {
        let sql = "SELECT version, checksum FROM _sqlx_migrations WHERE success ORDER BY version";
        let Ok(rows) = sqlx::query(sql).fetch_all(&self.pool).await else { return false };
        let made = rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?)));
        let made: Result<Vec<(i64, Vec<u8>)>, sqlx::Error> = made.collect();
        let known = MIGRATIONS.iter().map(|known| (known.version, known.checksum.to_vec()));
        made.is_ok_and(|made| made.into_iter().eq(known))
    }

    async fn migrate(&self, url: &str) -> Result<(), LedgerError> {
        let mut tries = 0;
        loop {
            match MIGRATIONS.run(&self.pool).await {
                Ok(()) => return Ok(()),
                Err(MigrateError::VersionMissing(_) | MigrateError::VersionTooNew(..)) => {
                    return Err(LedgerError::Newer(without_password(url)));
                }
                Err(MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _))
                    if Passing::of(&error) == Some(Passing::NotWritable) =>
                {
                    return Err(LedgerError::while_doing("bring its tables up to date")(error));
                }
                // SQLite has no lock for migrations: of two processes that open a ledger of an earlier
                // fecha at once, one finds the tables changed under its hands. It looks again.
                Err(_) if self.engine == Engine::Sqlite && tries < 20 => {
                    tries += 1;
                    tokio::time::sleep(Duration::from_millis(50 * tries)).await;
                }
                Err(error) => {
                    return Err(LedgerError::CannotOpen {
                        ledger: without_password(url),
                        cause: without_password_of(url, &error.to_string()),
                    });
                }
            }
        }
    }

    /// From now on it is asked over new connections: those that there are may be bound to what was so when they
    /// were made, as a server that allows only to read, or a file that could not be written.
    pub async fn renew(&self) {
        if let Some(url) = &self.only_read
            && let Ok(options) = parse(url, &with_mode(url, Mode::ReadWrite))
            && tried(&options, SQLITE_SETUP).await.is_ok()
        {
            self.writers.set_connect_options(options.clone());
            self.pool.set_connect_options(options);
        }
        *self.renewed.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    /// Whether it still is the ledger that was opened: a file can be deleted or replaced under a process,
    /// which would go on to write into what nobody sees.
    ///
    /// # Errors
    /// [`LedgerError::Replaced`].
    pub fn must_be_there(&self) -> Result<(), LedgerError> {
        self.file.as_ref().map_or(Ok(()), LedgerFile::must_be_there)
    }
}

/// How many of the tables there are that every ledger has.
pub(super) const SQLITE_TABLES: &str =
    "SELECT COUNT(*) FROM sqlite_master WHERE name IN ('meta', '_sqlx_migrations')";
pub(super) const POSTGRES_TABLES: &str =
    "SELECT CAST(CASE WHEN to_regclass('meta') IS NULL THEN 0 ELSE 1 END AS BIGINT)";

pub(super) async fn tables(
    connection: &mut AnyConnection,
    sql: &'static str,
) -> Result<i64, sqlx::Error> {
    sqlx::query(sql).fetch_one(connection).await?.try_get(0)
}

/// A file of somebody else's is never taken for a place for a ledger.
pub(super) fn without_tables(url: &str, engine: Engine) -> LedgerError {
    let ledger = without_password(url);
    match engine {
        Engine::Sqlite => {
            let cause = "it is a SQLite database without fecha's tables: correct [ledger] url, or restore the ledger";
            LedgerError::CannotOpen { ledger, cause: cause.to_owned() }
        }
        Engine::Postgres => LedgerError::Missing { ledger, missing: Missing::NoTables },
    }
}

pub(super) fn engine_of(url: &str) -> Result<Engine, LedgerError> {
    match Scheme::of(url) {
        Some(Scheme::Sqlite) => Ok(Engine::Sqlite),
        Some(Scheme::Postgres) => Ok(Engine::Postgres),
        Some(Scheme::Mysql) | None => Err(LedgerError::UnknownEngine(without_password(url))),
    }
}

/// `text` is a form of the URL `url`, which errors are about.
pub(super) fn parse(url: &str, text: &str) -> Result<AnyConnectOptions, LedgerError> {
    sqlx::any::install_default_drivers();
    text.parse().map_err(|error| LedgerError::opening(url, &error))
}

/// One connection by itself: a pool would try what cannot work for a minute.
pub(super) async fn try_out(
    url: &str,
    options: &AnyConnectOptions,
    setup: &'static str,
) -> Result<(), LedgerError> {
    tried(options, setup).await.map_err(|error| LedgerError::opening(url, &error))
}

async fn tried(options: &AnyConnectOptions, setup: &'static str) -> Result<(), sqlx::Error> {
    let asked = async {
        let mut connection = AnyConnection::connect_with(options).await?;
        connection.execute(setup).await?;
        connection.close().await
    };
    tokio::time::timeout(CONNECT_TIMEOUT, asked).await.map_err(|_| sqlx::Error::PoolTimedOut)?
}

/// Completes where a server has let nobody in and answered nothing for ten minutes: who waits for it would wait
/// for ever, since nothing tells a connection that the other end is gone without a word. Never for a file.
pub async fn silence(url: &str) -> LedgerError {
    if Scheme::of(url) != Some(Scheme::Postgres) {
        return std::future::pending().await;
    }
    let mut unanswered = 0;
    loop {
        tokio::time::sleep(KNOCK).await;
        let asked = async { try_out(url, &parse(url, url)?, POSTGRES_SETUP).await };
        match asked.await {
            Err(error @ LedgerError::Unreachable { .. }) => {
                unanswered += 1;
                if unanswered >= KNOCKS {
                    return error;
                }
            }
            Ok(()) | Err(_) => unanswered = 0,
        }
    }
}

/// To be written where that may be, else to be read.
const MODES: &[Mode] = &[Mode::ReadWrite, Mode::ReadOnly, Mode::Immutable];

/// How the file of a SQLite ledger can be opened, the first of these ways that it can.
pub(super) async fn sqlite_options(
    url: &str,
    modes: &[Mode],
) -> Result<(AnyConnectOptions, Mode), LedgerError> {
    let modes = if url.contains("mode=ro") { &[Mode::ReadOnly] } else { modes };
    let mut first = None;
    for mode in modes {
        // What stands in the file beside it would not be seen.
        let wal = LedgerFile::beside(&path_of(url), "-wal");
        if *mode == Mode::Immutable && std::fs::metadata(wal).is_ok_and(|wal| wal.len() > 0) {
            break;
        }
        let options = parse(url, &with_mode(url, *mode))?;
        match tried(&options, mode.setup()).await {
            Ok(()) => return Ok((options, *mode)),
            Err(error) => {
                // READONLY, CANTOPEN, IOERR: where the file itself may be read, it is read.
                let is_a_right = matches!(code(&error), Some(Code::Sqlite(8 | 10 | CANNOT_OPEN)));
                let error = first.get_or_insert(error);
                if !is_a_right {
                    return Err(LedgerError::opening(url, error));
                }
            }
        }
    }
    Err(first.map_or_else(
        || LedgerError::UnknownEngine(without_password(url)),
        |error| LedgerError::opening(url, &error),
    ))
}

/// The URL with this mode instead of its own: a file that is missing is never made by opening it.
pub(super) fn with_mode(url: &str, mode: Mode) -> String {
    let (file, parameters) = url.split_once('?').unwrap_or((url, ""));
    let kept = parameters.split('&').filter(|one| !one.is_empty() && !one.starts_with("mode="));
    let mode = match mode {
        Mode::ReadWrite => "mode=rw",
        Mode::ReadOnly => "mode=ro",
        Mode::Immutable => "mode=ro&immutable=true",
    };
    format!("{file}?{}", kept.chain([mode]).collect::<Vec<_>>().join("&"))
}

/// Makes a SQLite ledger beside its place and puts it there, unless one is there by then.
async fn make_file(url: &str) -> Result<(), LedgerError> {
    let path = path_of(url);
    let failed = |cause: String| LedgerError::CannotOpen { ledger: without_password(url), cause };
    for suffix in ["-wal", "-journal"] {
        let left = LedgerFile::beside(&path, suffix);
        if left.exists() {
            return Err(failed(format!(
                "{} was left by an earlier ledger, and may hold what was committed last: put it away, with the ledger that it belongs to if there is one",
                left.display()
            )));
        }
    }
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let made =
        |error: &std::io::Error| failed(format!("{} cannot be made: {error}", path.display()));
    // The library's own text would name the temporary file.
    // As any file that is made: what the umask leaves of it.
    let file = tempfile::Builder::new()
        .permissions(Permissions::from_mode(0o666))
        .prefix(".fecha.db.")
        .tempfile_in(folder)
        .map_err(|error| made(&std::io::Error::from(error.kind())))?;
    let new = sqlite_url(file.path());
    let ledger = Ledger::connect(&new, Engine::Sqlite, None, BUSY_TIMEOUT).await?;
    let filled = ledger.bring_up_to_date(&new).await;
    ledger.close().await;
    filled?;
    gather(&new, file.path()).await.map_err(failed)?;
    if std::fs::metadata(&path).is_ok_and(|there| there.is_file() && there.len() == 0) {
        std::fs::remove_file(&path).map_err(|error| made(&error))?;
    }
    match file.persist_noclobber(&path) {
        Ok(file) => file
            .sync_all()
            .and_then(|()| File::open(folder)?.sync_all())
            .map_err(|error| made(&error)),
        Err(error) if error.error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(made(&error.error)),
    }
}

/// Waits until all that was written stands in the file itself, which gets another name than what lies beside it:
/// of connections that close at one moment each may leave that to the others.
async fn gather(url: &str, path: &Path) -> Result<(), String> {
    const TRIES: u32 = 100;
    let beside = LedgerFile::beside(path, "-wal");
    for _ in 0..TRIES {
        if std::fs::metadata(&beside).map_or(0, |wal| wal.len()) == 0 {
            return Ok(());
        }
        let options = parse(url, &with_mode(url, Mode::ReadWrite)).map_err(|e| e.to_string())?;
        // Closing the only connection gathers it; where another is left, this one does.
        let _ =
            tried(&options, "PRAGMA busy_timeout = 60000; PRAGMA wal_checkpoint(TRUNCATE)").await;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Err("what was written stays beside it: another process holds it open".to_owned())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    /// A connection that closes while another one is open leaves what it wrote beside the file.
    #[tokio::test]
    async fn a_new_ledger_stands_in_its_file_before_it_has_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new.db");
        File::create(&path).unwrap();
        let url = sqlite_url(&path);
        let ledger = Ledger::connect(&url, Engine::Sqlite, None, BUSY_TIMEOUT).await.unwrap();
        ledger.bring_up_to_date(&url).await.unwrap();
        let wal = LedgerFile::beside(&path, "-wal");
        assert!(std::fs::metadata(&wal).unwrap().len() > 0, "it is open still");
        gather(&url, &path).await.unwrap();
        assert_eq!(std::fs::metadata(&wal).unwrap().len(), 0);
        ledger.close().await;
    }

    #[rstest]
    #[case("sqlite:fecha.db", "sqlite:fecha.db?mode=rw")]
    #[case("sqlite:fecha.db?mode=rwc", "sqlite:fecha.db?mode=rw")]
    #[case("sqlite:fecha.db?cache=private&mode=rwc", "sqlite:fecha.db?cache=private&mode=rw")]
    fn opening_never_makes_a_file(#[case] url: &str, #[case] opened: &str) {
        assert_eq!(with_mode(url, Mode::ReadWrite), opened);
    }
}
