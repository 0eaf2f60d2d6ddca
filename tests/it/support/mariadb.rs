//! A MariaDB server for tests.

use std::process::Command;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::server::{Server, command_as, output};

/// A MariaDB server on loopback; `root` needs no password.
pub struct MariaDb {
    server: Server,
    databases: AtomicUsize,
}

impl MariaDb {
    /// The server that the tests of this process share; started by the first who asks.
    pub fn shared() -> &'static Self {
        static SERVER: OnceLock<MariaDb> = OnceLock::new();
        SERVER.get_or_init(Self::start)
    }

    /// A server of one's own, stopped when it is dropped: for tests that stop or reconfigure it.
    pub fn start() -> Self {
        let folder = Server::folder_for("mysql");
        let data = folder.join("data");
        // A server that starts deletes what others have in a temporary folder that they share.
        let temporary = format!("--tmpdir={}", folder.display());
        output(
            command_as("mysql", "mariadb-install-db")
                .args(["--no-defaults", "--auth-root-authentication-method=normal"])
                .args(["--skip-test-db", "--innodb-flush-log-at-trx-commit=0"])
                .arg(format!("--datadir={}", data.display()))
                .arg(&temporary)
                .current_dir("/"),
        );
        let socket = folder.join("socket");
        let command = |port: u16| {
            let mut command = command_as("mysql", "/usr/sbin/mariadbd");
            command.args(["--no-defaults", "--bind-address=127.0.0.1", "--skip-name-resolve"]);
            command.args(["--innodb-flush-log-at-trx-commit=0", "--max-connections=300"]);
            command.arg(format!("--port={port}"));
            command.arg(&temporary);
            command.arg(format!("--datadir={}", data.display()));
            command.arg(format!("--socket={}", socket.display()));
            command
        };
        let is_ready =
            |port: u16| client(port).args(["-e", "DO 1"]).output().unwrap().status.success();
        let server = Server::start(folder, command, is_ready);
        Self { server, databases: AtomicUsize::new(0) }
    }

    /// The URL of `database` as root.
    pub fn url(&self, database: &str) -> String {
        self.url_of("root", database)
    }

    /// The URL of `database` for another login: `name` or `name:password`.
    pub fn url_of(&self, login: &str, database: &str) -> String {
        format!("mysql://{login}@127.0.0.1:{}/{database}", self.server.port)
    }

    /// A new empty database whose name begins with `name`; its URL.
    pub fn create_database(&self, name: &str) -> String {
        let database = self.unique(name);
        self.sql("", &format!("CREATE DATABASE {database} CHARACTER SET utf8mb4"));
        self.url(&database)
    }

    /// `name` with a number behind it that no other test has.
    pub fn unique(&self, name: &str) -> String {
        format!("{name}_{}", self.databases.fetch_add(1, Ordering::Relaxed))
    }

    /// Runs SQL in `database` (or in none) as root; what it prints, tab-separated.
    pub fn sql(&self, database: &str, sql: &str) -> String {
        output(client(self.server.port).args(["-N", "-B", "-e", sql, database]))
    }
}

fn client(port: u16) -> Command {
    let mut command = Command::new("mariadb");
    command.args(["--no-defaults", "--host=127.0.0.1", "--user=root", "--protocol=tcp"]);
    command.args(["--default-character-set=utf8mb4", "--port", &port.to_string()]);
    command
}
