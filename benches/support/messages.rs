//! A message database with believable traffic. SQLite's is kept in `target/tmp` for the next run.

use std::fs::{self, Permissions};
use std::io::{BufWriter, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use chrono::{DateTime, Utc};
use indicatif::{ProgressBar, ProgressStyle};

use super::generator::{Row, Span, Traffic, dealerships, tsv};
use super::servers::mariadb::MariaDb;
use super::servers::postgres::Postgres;

/// As most tables have it; no other index than the one on `sent_at` finds a month.
const NUMBERED: &str = "id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, ";

const INDEX: &str = "CREATE INDEX message_sent_at ON message (sent_at)";

/// Where the messages are; a server lives as long as this does.
pub enum Messages {
    Sqlite(PathBuf),
    Postgres(Postgres),
    MariaDb(MariaDb),
}

impl Messages {
    /// So many messages a month, and one index, on `sent_at`.
    pub fn new(engine: &str, messages: u64, span: Span) -> Self {
        match engine {
            "sqlite" => Self::Sqlite(sqlite(messages, span)),
            "postgres" => Self::Postgres(postgres(messages, span)),
            "mariadb" => Self::MariaDb(mariadb(NUMBERED, messages, span)),
            "mariadb-unnumbered" => Self::MariaDb(mariadb("", messages, span)),
            other => {
                panic!("'{other}' is none of sqlite, postgres, mariadb, mariadb-unnumbered")
            }
        }
    }

    pub fn url(&self) -> String {
        match self {
            Self::Sqlite(path) => format!("sqlite:{}", path.display()),
            Self::Postgres(server) => server.url("bench"),
            Self::MariaDb(server) => server.url("bench"),
        }
    }

    /// Runs a statement.
    #[allow(dead_code, reason = "the bench of counting asks only")]
    pub fn execute(&self, sql: &str) {
        match self {
            Self::Sqlite(path) => {
                let connection = rusqlite::Connection::open(path).expect("the database");
                connection.execute_batch(sql).expect("SQL");
            }
            Self::Postgres(server) => drop(server.sql("bench", sql)),
            Self::MariaDb(server) => drop(server.sql("bench", sql)),
        }
    }

    /// Runs a query; its first value.
    pub fn query(&self, sql: &str) -> String {
        match self {
            Self::Sqlite(path) => {
                let connection = rusqlite::Connection::open(path).expect("the database");
                let value: i64 = connection.query_row(sql, [], |row| row.get(0)).expect("SQL");
                value.to_string()
            }
            Self::Postgres(server) => server.sql("bench", sql),
            Self::MariaDb(server) => server.sql("bench", sql),
        }
    }

    /// An instant as the engine's SQL writes it.
    pub fn literal(&self, instant: DateTime<Utc>) -> String {
        match self {
            Self::Sqlite(_) => instant.timestamp_millis().to_string(),
            Self::Postgres(_) => format!("'{}'", instant.to_rfc3339()),
            Self::MariaDb(_) => format!("'{}'", instant.format("%Y-%m-%d %H:%M:%S")),
        }
    }
}

fn table(key: &str, text: &str, sent_at: &str) -> String {
    format!(
        "CREATE TABLE message ({key}dealership_id {text}, contact {text}, direction {text},
         kind {text}, template {text}, status {text}, sent_at {sent_at} NOT NULL)"
    )
}

fn sqlite(messages: u64, span: Span) -> PathBuf {
    let name = format!("messages-{messages}-{}-{}.db", span.months(), dealerships());
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    if path.exists() {
        return path;
    }
    let unfinished = path.with_extension("unfinished");
    let _ = fs::remove_file(&unfinished);
    let mut connection = rusqlite::Connection::open(&unfinished).expect("a database");
    connection.pragma_update(None, "synchronous", "OFF").expect("a pragma");
    connection.execute_batch(&table("", "TEXT", "INTEGER")).expect("a table");
    let transaction = connection.transaction().expect("a transaction");
    let mut insert = transaction
        .prepare("INSERT INTO message VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")
        .expect("SQL");
    each_row(messages, span, |row| {
        let values = rusqlite::params![
            row.dealership,
            row.contact,
            row.direction,
            row.kind,
            row.template,
            row.status,
            row.sent_at
        ];
        insert.execute(values).expect("a row");
    });
    drop(insert);
    transaction.commit().expect("a commit");
    connection.execute_batch(INDEX).expect("an index");
    connection.close().expect("a file");
    fs::rename(&unfinished, &path).expect("the same folder");
    path
}

fn postgres(messages: u64, span: Span) -> Postgres {
    let server = Postgres::start();
    server.sql("postgres", "CREATE DATABASE bench");
    let sql = |sql: &str| server.sql("bench", sql);
    sql(&table("", "TEXT", "timestamptz"));
    through_pipe(messages, span, |path| {
        sql(&format!("SET timezone = 'UTC'; COPY message FROM '{path}'"));
    });
    sql(INDEX);
    sql("VACUUM ANALYZE message");
    server
}

fn mariadb(key: &str, messages: u64, span: Span) -> MariaDb {
    let server = MariaDb::start();
    server.sql("mysql", "CREATE DATABASE bench");
    let sql = |sql: &str| server.sql("bench", sql);
    sql(&table(key, "VARCHAR(60)", "DATETIME(3)"));
    through_pipe(messages, span, |path| {
        let columns = "(dealership_id, contact, direction, kind, template, status, sent_at)";
        sql(&format!("LOAD DATA INFILE '{path}' INTO TABLE message {columns}"));
    });
    sql(INDEX);
    sql("ANALYZE TABLE message");
    server
}

/// Lets a server load the rows from a file that never lies on the disk.
fn through_pipe(messages: u64, span: Span, load: impl FnOnce(&str)) {
    let folder = tempfile::tempdir().expect("a folder");
    fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).expect("servers may read it");
    let path = folder.path().join("rows.tsv");
    let made = Command::new("mkfifo").args(["-m", "644"]).arg(&path).status();
    assert!(made.is_ok_and(|status| status.success()), "mkfifo");
    thread::scope(|scope| {
        scope.spawn(|| {
            let pipe = fs::OpenOptions::new().write(true).open(&path).expect("a pipe");
            let mut pipe = BufWriter::with_capacity(1 << 20, pipe);
            let mut line = Vec::new();
            each_row(messages, span, |row| {
                line.clear();
                tsv(&mut line, row);
                pipe.write_all(&line).expect("the server reads");
            });
            pipe.flush().expect("the server reads");
        });
        load(&path.display().to_string());
    });
}

fn each_row(messages: u64, span: Span, mut take: impl FnMut(&Row)) {
    let style = ProgressStyle::with_template("{pos}/{len} messages written, {eta} to go");
    let bar = ProgressBar::new(messages * span.months()).with_style(style.expect("a template"));
    let (mut traffic, mut row) = (Traffic::new(messages, span), Row::default());
    while traffic.next(&mut row) {
        take(&row);
        if row.number.is_multiple_of(100_000) {
            bar.set_position(row.number);
        }
    }
    bar.finish_and_clear();
}
