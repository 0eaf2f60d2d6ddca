//! A PostgreSQL server for tests.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::server::{Server, command_as, output};

/// A PostgreSQL server that trusts everybody on loopback; its superuser is `postgres`.
pub struct Postgres {
    server: Server,
    databases: AtomicUsize,
}

impl Postgres {
    /// The server that the tests of this process share; started by the first who asks.
    pub fn shared() -> &'static Self {
        static SERVER: OnceLock<Postgres> = OnceLock::new();
        SERVER.get_or_init(Self::start)
    }

    /// A server of one's own, stopped when it is dropped: for tests that stop or reconfigure it.
    pub fn start() -> Self {
        let folder = Server::folder_for("postgres");
        let data = folder.join("data");
        output(
            command_as("postgres", program("initdb"))
                .args(["--username=postgres", "--auth=trust", "--encoding=UTF8"])
                .args(["--locale=C.UTF-8", "--no-sync", "--pgdata"])
                .arg(&data)
                .current_dir("/"),
        );
        let command = |port: u16| {
            let mut command = command_as("postgres", program("postgres"));
            command.arg("-D").arg(&data).args(["-p", &port.to_string(), "-k", ""]);
            for setting in ["listen_addresses=127.0.0.1", "fsync=off", "max_connections=300"] {
                command.args(["-c", setting]);
            }
            command
        };
        let is_ready = |port: u16| {
            let mut probe = Command::new(program("pg_isready"));
            probe.args(["--quiet", "--host=127.0.0.1", "--port", &port.to_string()]);
            probe.status().is_ok_and(|status| status.success())
        };
        let server = Server::start(folder, command, is_ready);
        Self { server, databases: AtomicUsize::new(0) }
    }

    /// The URL of `database`, as superuser.
    pub fn url(&self, database: &str) -> String {
        self.url_of("postgres", database)
    }

    /// The URL of `database` for another login: `name` or `name:password`.
    pub fn url_of(&self, login: &str, database: &str) -> String {
        format!("postgres://{login}@127.0.0.1:{}/{database}", self.server.port)
    }

    /// A new empty database whose name begins with `name`; its URL.
    pub fn create_database(&self, name: &str) -> String {
        let database = self.unique(name);
        self.sql("postgres", &format!("CREATE DATABASE {database}"));
        self.url(&database)
    }

    /// `name` with a number behind it that no other test has.
    pub fn unique(&self, name: &str) -> String {
        format!("{name}_{}", self.databases.fetch_add(1, Ordering::Relaxed))
    }

    /// Runs SQL in `database` as superuser; what it prints, unadorned.
    pub fn sql(&self, database: &str, sql: &str) -> String {
        output(
            Command::new(program("psql"))
                .args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d"])
                .args([&self.url(database), "-c", sql]),
        )
    }

    /// The same, where the server may be away: `None` where it did not work.
    #[allow(dead_code, reason = "the torture run asks so")]
    pub fn try_sql(&self, database: &str, sql: &str) -> Option<String> {
        let mut psql = Command::new(program("psql"));
        psql.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d"]);
        let output = psql.args([&self.url(database), "-c", sql]).output().ok()?;
        let text = String::from_utf8_lossy(&output.stdout);
        output.status.success().then(|| text.trim_end().to_owned())
    }

    /// Somebody who runs SQL in `database` and takes his time.
    pub fn start_sql(&self, database: &str, sql: &str) -> Child {
        let mut psql = Command::new(program("psql"));
        psql.args(["-X", "-q", "-d", &self.url(database), "-c", sql]);
        psql.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }

    /// A new database whose name begins with `name`, filled by a dump; its URL.
    pub fn restore(&self, name: &str, dump: &Path) -> String {
        let url = self.create_database(name);
        output(
            Command::new(program("psql"))
                .args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-o", "/dev/null", "-d", &url, "-f"])
                .arg(dump),
        );
        url
    }

    /// Whether `database` refuses this SQL.
    pub fn refuses(&self, database: &str, sql: &str) -> bool {
        let mut psql = Command::new(program("psql"));
        psql.args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", &self.url(database), "-c", sql]);
        !psql.output().unwrap().status.success()
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.server.port
    }

    /// What it has logged so far.
    pub fn log(&self) -> String {
        self.server.log()
    }

    /// The server's data folder, where its configuration lies too.
    pub fn data(&self) -> PathBuf {
        self.server.folder.join("data")
    }
}

/// Debian keeps the server's programs out of the path.
fn program(name: &str) -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let installed = versions.map(|version| version.path().join("bin").join(name));
    installed.filter(|path| path.exists()).max().unwrap_or_else(|| Path::new(name).to_owned())
}
