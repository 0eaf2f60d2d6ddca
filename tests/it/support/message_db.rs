//! A message database on each engine, as spec §3.1 describes it.

use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use fecha::messages::{CONNECTIONS, Source, SourceError};

use super::mariadb::MariaDb;
use super::postgres::Postgres;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    Sqlite,
    Postgres,
    MariaDb,
}

impl Engine {
    /// The type of `sent_at`.
    pub fn sent_at(self) -> &'static str {
        match self {
            Self::Sqlite => "INTEGER",
            Self::Postgres => "timestamptz",
            Self::MariaDb => "DATETIME(3)",
        }
    }
}

/// An empty database of its own; SQLite's lies in a temporary folder.
pub struct MessageDb {
    pub engine: Engine,
    /// Of a server; empty for SQLite.
    pub name: String,
    folder: tempfile::TempDir,
}

/// One message as a test writes it down.
#[derive(Debug, Clone, Copy, Default)]
pub struct Row {
    pub dealership_id: Option<&'static str>,
    pub contact: Option<&'static str>,
    pub direction: Option<&'static str>,
    pub kind: Option<&'static str>,
    pub template: Option<&'static str>,
    pub status: Option<&'static str>,
    /// Unix milliseconds.
    pub sent_at: i64,
}

impl MessageDb {
    /// With the table `message`, still empty.
    pub fn new(engine: Engine) -> Self {
        let database = Self::without_table(engine);
        database.create_table("message", engine.sent_at());
        database
    }

    pub fn without_table(engine: Engine) -> Self {
        let url = match engine {
            Engine::Sqlite => String::new(),
            Engine::Postgres => Postgres::shared().create_database("messages"),
            Engine::MariaDb => MariaDb::shared().create_database("messages"),
        };
        let name = url.rsplit('/').next().unwrap_or_default().to_owned();
        let folder = tempfile::tempdir().unwrap();
        let database = Self { engine, name, folder };
        if engine == Engine::Sqlite {
            database.sql("PRAGMA journal_mode = WAL"); // as a live system has it
        }
        database
    }

    /// A table of the documented columns, with this type of `sent_at`.
    pub fn create_table(&self, name: &str, sent_at: &str) {
        // MariaDB's default collation takes d1, D1 and 'd1 ' for the same.
        self.sql(&format!(
            "CREATE TABLE {name} (dealership_id VARCHAR(60), contact VARCHAR(60), direction VARCHAR(20),
             kind VARCHAR(20), template VARCHAR(60), status VARCHAR(20), sent_at {sent_at})"
        ));
    }

    pub fn path(&self) -> PathBuf {
        self.folder.path().join("messages.db")
    }

    pub fn url(&self) -> String {
        match self.engine {
            Engine::Sqlite => format!("sqlite:{}", self.path().display()),
            Engine::Postgres => Postgres::shared().url(&self.name),
            Engine::MariaDb => MariaDb::shared().url(&self.name),
        }
    }

    /// A source that reads this database's `relation`.
    pub fn source(&self, relation: &str) -> Source {
        self.try_source(relation).unwrap()
    }

    pub fn try_source(&self, relation: &str) -> Result<Source, SourceError> {
        Source::parse(&self.url(), relation, Path::new("/nowhere"), CONNECTIONS)
    }

    /// Runs SQL as the database's owner; what it prints, where it is a server.
    pub fn sql(&self, sql: &str) -> String {
        match self.engine {
            Engine::Sqlite => {
                let connection = rusqlite::Connection::open(self.path()).unwrap();
                connection.execute_batch(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
                String::new()
            }
            Engine::Postgres => Postgres::shared().sql(&self.name, sql),
            Engine::MariaDb => MariaDb::shared().sql(&self.name, sql),
        }
    }

    pub fn insert(&self, rows: &[Row]) {
        self.insert_into("message", rows);
    }

    pub fn insert_into(&self, table: &str, rows: &[Row]) {
        for rows in rows.chunks(500) {
            let values: Vec<String> = rows.iter().map(|row| self.values(row)).collect();
            self.sql(&format!("INSERT INTO {table} VALUES {}", values.join(", ")));
        }
    }

    /// A hundred thousand messages of d1 on 2 October 2026: more than the line and its buffers hold.
    pub fn fill(&self) {
        let numbers = match self.engine {
            Engine::MariaDb => "seq_1_to_100000",
            Engine::Postgres => "generate_series(1, 100000) AS n(seq)",
            Engine::Sqlite => {
                "(WITH RECURSIVE n(seq) AS (VALUES (1) UNION ALL SELECT seq + 1 FROM n WHERE seq < 100000)
                  SELECT seq FROM n)"
            }
        };
        let at = self.instant(1_790_942_400_000);
        let at = if self.engine == Engine::Postgres { format!("{at}::timestamptz") } else { at };
        self.sql(&format!(
            "INSERT INTO message SELECT 'd1', '5548999990001', 'in', 'session',
             'a template name that fills the buffers of the line', 'read', {at} FROM {numbers}"
        ));
    }

    fn values(&self, row: &Row) -> String {
        let text = |value: Option<&str>| {
            value.map_or("NULL".to_owned(), |text| format!("'{}'", text.replace('\'', "''")))
        };
        let columns =
            [row.dealership_id, row.contact, row.direction, row.kind, row.template, row.status];
        format!("({}, {})", columns.map(text).join(", "), self.instant(row.sent_at))
    }

    /// An instant as this engine's table stores it.
    pub fn instant(&self, millis: i64) -> String {
        let instant: DateTime<Utc> = DateTime::from_timestamp_millis(millis).unwrap();
        match self.engine {
            Engine::Sqlite => millis.to_string(),
            Engine::Postgres => format!("'{}+00'", instant.format("%Y-%m-%d %H:%M:%S%.3f")),
            Engine::MariaDb => format!("'{}'", instant.format("%Y-%m-%d %H:%M:%S%.3f")),
        }
    }
}
