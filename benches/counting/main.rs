//! How long a month takes to count: fecha's own pass against what else could be done, on the same data,
//! in alternated runs.
//!
//! ```sh
//! cargo bench --bench counting -- 10000000 sqlite postgres mariadb
//! ```
//!
//! The first argument is the number of messages a month; the table has three months and one index, on
//! `sent_at`. Prints seconds (median), the ratio to a plain `COUNT(DISTINCT)`, and the peak memory that
//! the pass adds to the process.
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    clippy::similar_names,
    missing_docs,
    reason = "a benchmark: sizes and times, no money"
)]

mod generator;
#[allow(dead_code, reason = "the tests use the rest")]
#[path = "../../tests/it/support"]
mod support {
    pub mod mariadb;
    pub mod postgres;
    mod server;
}

use std::fs::{self, File, Permissions};
use std::io::{BufWriter, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Instant;

use fecha::billing::month::{Month, Period};
use fecha::billing::tally::{Counted, Counter};
use fecha::messages::{CONNECTIONS, Source};
use tempfile::TempDir;

use self::generator::{MONTH, Row, Traffic, tsv};
use self::support::mariadb::MariaDb;
use self::support::postgres::Postgres;

const RUNS: usize = 3;

const COLUMNS: &str = "dealership_id, contact, direction, kind, template, status, sent_at";

/// An engine with the data in it: runs SQL, and says where fecha finds it.
enum Engine {
    Sqlite(TempDir),
    Postgres(Postgres, String),
    MariaDb(MariaDb, String),
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    let messages = arguments.first().map_or(1_000_000, |text| text.parse().expect("a number"));
    let engines: Vec<&str> = match arguments.get(1..) {
        None | Some([]) => vec!["sqlite", "postgres", "mariadb"],
        Some(named) => named.iter().map(String::as_str).collect(),
    };
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let folder = tempfile::tempdir().expect("a folder");
    fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).expect("servers may read it");
    let file = folder.path().join("rows.tsv");
    if engines.iter().any(|engine| *engine != "sqlite") {
        write_rows(&file, messages);
    }
    println!("{messages} messages a month, three months, index on sent_at, {RUNS} runs each\n");
    println!("| engine | what | seconds | of COUNT(DISTINCT) | MB |");
    println!("|---|---|---:|---:|---:|");
    for name in engines {
        let engine = Engine::with_rows(name, &file, messages);
        measure(name, &engine, &runtime);
    }
}

fn measure(name: &str, engine: &Engine, runtime: &tokio::runtime::Runtime) {
    let month: Month = MONTH.parse().expect("a month");
    let period = month.period_in(chrono_tz::America::Sao_Paulo);
    let (from, to) = engine.bounds(period);
    let within = format!("FROM message WHERE sent_at >= {from} AND sent_at < {to}");
    let floor = format!("SELECT COUNT(*) {within}");
    let distinct = format!(
        // Summed, so that no planner leaves out what nobody asked for.
        "SELECT SUM(uam) FROM (SELECT dealership_id, COUNT(DISTINCT contact) AS uam {within} GROUP BY dealership_id) AS t"
    );
    let mut seconds: [Vec<f64>; 3] = [vec![], vec![], vec![]];
    let mut memory = 0;
    for _ in 0..RUNS {
        seconds[0].push(time(|| engine.sql(&floor)));
        seconds[1].push(time(|| engine.sql(&distinct)));
        reset_peak();
        let before = peak();
        seconds[2].push(time(|| runtime.block_on(count(engine, period))));
        memory = memory.max(peak().saturating_sub(before));
    }
    let median = |mut runs: Vec<f64>| {
        runs.sort_by(f64::total_cmp);
        runs[runs.len() / 2]
    };
    let [floor, distinct, pass] = seconds.map(median);
    for (what, seconds, memory) in [
        ("COUNT(*) of the month", floor, String::new()),
        ("COUNT(DISTINCT contact) by dealership", distinct, String::new()),
        ("fecha: UAM, HSM, buckets, evidence, templates", pass, format!("{}", memory / 1024)),
    ] {
        println!("| {name} | {what} | {seconds:.2} | {:.3} | {memory} |", seconds / distinct);
    }
}

/// The whole pass, as a close makes it; the count is dropped, as a close drops it bill by bill.
async fn count(engine: &Engine, period: Period) {
    let counted = Traffic::dealerships().map(|dealership_id| Counted {
        dealership_id,
        period,
        has_package: true,
        in_scope: true,
    });
    let ignored = ["queued".to_owned(), "failed".to_owned()];
    let counter = Counter::new(counted.collect(), Some(period), &ignored);
    let source =
        Source::parse(&engine.url(), "message", Path::new("/"), CONNECTIONS).expect("a source");
    let reading = source.count(counter, period.end, |_| {}).await.expect("a count");
    assert!(reading.count.buckets().counted > 0);
}

fn time<T>(work: impl FnOnce() -> T) -> f64 {
    let start = Instant::now();
    work();
    start.elapsed().as_secs_f64()
}

/// Peak resident memory since the last reset, in KB (proc(5)).
fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

fn reset_peak() {
    let _ = fs::write("/proc/self/clear_refs", "5");
}

fn write_rows(path: &Path, messages: u64) {
    let mut traffic = Traffic::new(messages);
    let mut file = BufWriter::with_capacity(1 << 20, File::create(path).expect("a file"));
    let (mut row, mut line) = (Row::default(), Vec::new());
    while traffic.next(&mut row) {
        line.clear();
        tsv(&mut line, &row);
        file.write_all(&line).expect("room on the disk");
    }
    file.flush().expect("room on the disk");
}

impl Engine {
    fn with_rows(name: &str, rows: &Path, messages: u64) -> Self {
        let table = |text: &str, sent_at: &str| {
            format!(
                "CREATE TABLE message (dealership_id {text}, contact {text}, direction {text},
                 kind {text}, template {text}, status {text}, sent_at {sent_at} NOT NULL)"
            )
        };
        let index = "CREATE INDEX message_sent_at ON message (sent_at)";
        match name {
            "sqlite" => {
                let folder = tempfile::tempdir().expect("a folder");
                if let Ok(kept) = std::env::var("KEPT") {
                    if Path::new(&kept).exists() {
                        std::os::unix::fs::symlink(&kept, folder.path().join("messages.db"))
                            .unwrap();
                        return Self::Sqlite(folder);
                    }
                }
                fill_sqlite(
                    &folder.path().join("messages.db"),
                    &table("TEXT", "INTEGER"),
                    messages,
                );
                let engine = Self::Sqlite(folder);
                engine.sql(index);
                if let Ok(kept) = std::env::var("KEPT") {
                    std::fs::copy(Path::new(&engine.url()[7..]), kept).unwrap();
                }
                engine
            }
            "postgres" => {
                let server = Postgres::start();
                server.sql("postgres", "CREATE DATABASE bench");
                server.sql("bench", &table("TEXT", "timestamptz"));
                server.sql(
                    "bench",
                    &format!("SET timezone = 'UTC'; COPY message FROM '{}'", rows.display()),
                );
                server.sql("bench", index);
                server.sql("bench", "VACUUM ANALYZE message");
                let url = server.url("bench");
                Self::Postgres(server, url)
            }
            "mariadb" => {
                let server = MariaDb::start();
                server.sql("mysql", "CREATE DATABASE bench");
                server.sql("bench", &table("VARCHAR(60)", "DATETIME(3)"));
                let load =
                    format!("LOAD DATA INFILE '{}' INTO TABLE message ({COLUMNS})", rows.display());
                server.sql("bench", &load);
                server.sql("bench", index);
                let url = server.url("bench");
                Self::MariaDb(server, url)
            }
            other => panic!("'{other}' is none of sqlite, postgres, mariadb"),
        }
    }

    fn url(&self) -> String {
        match self {
            Self::Sqlite(folder) => {
                format!("sqlite:{}", folder.path().join("messages.db").display())
            }
            Self::Postgres(_, url) | Self::MariaDb(_, url) => url.clone(),
        }
    }

    fn sql(&self, sql: &str) -> String {
        match self {
            Self::Sqlite(folder) => {
                let connection = rusqlite::Connection::open(folder.path().join("messages.db"));
                let connection = connection.expect("the database");
                if sql.starts_with("SELECT") {
                    connection
                        .query_row(sql, [], |row| row.get::<_, i64>(0))
                        .expect("SQL")
                        .to_string()
                } else {
                    connection.execute_batch(sql).expect("SQL");
                    String::new()
                }
            }
            Self::Postgres(server, _) => server.sql("bench", sql),
            Self::MariaDb(server, _) => server.sql("bench", sql),
        }
    }

    fn bounds(&self, period: Period) -> (String, String) {
        let text = |instant: chrono::DateTime<chrono::Utc>| match self {
            Self::Sqlite(_) => instant.timestamp_millis().to_string(),
            Self::Postgres(..) => format!("'{}'", instant.to_rfc3339()),
            Self::MariaDb(..) => format!("'{}'", instant.format("%Y-%m-%d %H:%M:%S")),
        };
        (text(period.start), text(period.end))
    }
}

fn fill_sqlite(path: &Path, table: &str, messages: u64) {
    let mut connection = rusqlite::Connection::open(path).expect("a database");
    connection.pragma_update(None, "synchronous", "OFF").expect("a pragma");
    connection.execute_batch(table).expect("a table");
    let transaction = connection.transaction().expect("a transaction");
    let mut insert = transaction
        .prepare(&format!("INSERT INTO message ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"))
        .expect("SQL");
    let mut traffic = Traffic::new(messages);
    let mut row = Row::default();
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
}
