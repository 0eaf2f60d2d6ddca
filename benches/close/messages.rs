//! A message database with believable traffic. SQLite's is kept in `target/tmp` for the next run.

use std::fs::{self, File, Permissions};
use std::io::{BufWriter, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::generator::{Row, Traffic, tsv};
use super::support::postgres::Postgres;

const INDEX: &str = "CREATE INDEX message_sent_at ON message (sent_at)";

/// Where the messages are; a server lives as long as this does.
pub enum Messages {
    Sqlite(PathBuf),
    Postgres(Postgres),
}

impl Messages {
    /// Three months with `messages` each, and one index, on `sent_at`.
    pub fn new(engine: &str, messages: u64) -> Self {
        match engine {
            "sqlite" => Self::Sqlite(sqlite(messages)),
            "postgres" => Self::Postgres(postgres(messages)),
            other => panic!("'{other}' is neither sqlite nor postgres"),
        }
    }

    pub fn url(&self) -> String {
        match self {
            Self::Sqlite(path) => format!("sqlite:{}", path.display()),
            Self::Postgres(server) => server.url("bench"),
        }
    }
}

fn table(text: &str, sent_at: &str) -> String {
    format!(
        "CREATE TABLE message (dealership_id {text}, contact {text}, direction {text},
         kind {text}, template {text}, status {text}, sent_at {sent_at} NOT NULL)"
    )
}

fn sqlite(messages: u64) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("messages-{messages}.db"));
    if path.exists() {
        return path;
    }
    let unfinished = path.with_extension("unfinished");
    let _ = fs::remove_file(&unfinished);
    let mut connection = rusqlite::Connection::open(&unfinished).expect("a database");
    connection.pragma_update(None, "synchronous", "OFF").expect("a pragma");
    connection.execute_batch(&table("TEXT", "INTEGER")).expect("a table");
    let transaction = connection.transaction().expect("a transaction");
    let mut insert = transaction
        .prepare("INSERT INTO message VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")
        .expect("SQL");
    let (mut traffic, mut row) = (Traffic::new(messages), Row::default());
    while traffic.next(&mut row) {
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
    }
    drop(insert);
    transaction.commit().expect("a commit");
    connection.execute_batch(INDEX).expect("an index");
    connection.close().expect("a file");
    fs::rename(&unfinished, &path).expect("the same folder");
    path
}

fn postgres(messages: u64) -> Postgres {
    let folder = tempfile::tempdir().expect("a folder");
    fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).expect("servers may read it");
    let path = folder.path().join("rows.tsv");
    let mut file = BufWriter::with_capacity(1 << 20, File::create(&path).expect("a file"));
    let (mut traffic, mut row, mut line) = (Traffic::new(messages), Row::default(), Vec::new());
    while traffic.next(&mut row) {
        line.clear();
        tsv(&mut line, &row);
        file.write_all(&line).expect("room on the disk");
    }
    file.flush().expect("room on the disk");
    let server = Postgres::start();
    server.sql("postgres", "CREATE DATABASE bench");
    server.sql("bench", &table("TEXT", "timestamptz"));
    let copy = format!("SET timezone = 'UTC'; COPY message FROM '{}'", path.display());
    server.sql("bench", &copy);
    server.sql("bench", INDEX);
    server.sql("bench", "VACUUM ANALYZE message");
    server
}
