//! Reading alone: every message of the month by the same queries as fecha's, on as many connections, nothing done
//! with what comes. No count that reads them so is faster.

use std::path::Path;
use std::thread;

use chrono::{DateTime, Utc};
use fecha_core::calendar::month::Period;
use futures::TryStreamExt as _;
use sqlx::{AssertSqlSafe, Connection as _, MySqlConnection, PgConnection};

use super::messages::Messages;

const COLUMNS: &str = "dealership_id, contact, direction, kind, template, status";

impl Messages {
    /// Reads the month and forgets it.
    pub async fn read_only(&self, month: Period) {
        match self {
            Self::Sqlite(path) => sqlite(path, month),
            Self::Postgres(server) => {
                let halves = month.slices(2);
                let url = server.url("bench");
                let read = halves.into_iter().map(|half| tokio::spawn(postgres(url.clone(), half)));
                for read in read.collect::<Vec<_>>() {
                    read.await.expect("a half of the month");
                }
            }
            Self::MariaDb(server) => mariadb(&server.url("bench"), month).await,
        }
    }
}

/// Each connection a half of the rowids that the month has.
fn sqlite(path: &Path, month: Period) {
    let within = format!(
        "sent_at >= {} AND sent_at < {}",
        month.start.timestamp_millis(),
        month.end.timestamp_millis()
    );
    let extremes = format!("SELECT MIN(rowid), MAX(rowid) FROM message WHERE {within}");
    let connection = rusqlite::Connection::open(path).expect("the database");
    let (first, last): (i64, i64) = connection
        .query_row(&extremes, [], |row| Ok((row.get(0)?, row.get(1)?)))
        .expect("messages");
    let middle = first.midpoint(last);
    thread::scope(|threads| {
        for (from, to) in [(first, middle), (middle + 1, last)] {
            let within = &within;
            threads.spawn(move || {
                let connection = rusqlite::Connection::open(path).expect("the database");
                let sql = format!(
                    "SELECT {COLUMNS}, sent_at FROM message NOT INDEXED
                     WHERE rowid BETWEEN {from} AND {to} AND {within}"
                );
                let mut query = connection.prepare(&sql).expect("SQL");
                let mut rows = query.query([]).expect("SQL");
                while let Some(row) = rows.next().expect("a row") {
                    for column in 0..7 {
                        std::hint::black_box(row.get_ref(column).expect("a value"));
                    }
                }
            });
        }
    });
}

fn literal(instant: DateTime<Utc>) -> String {
    format!("'{}'", instant.to_rfc3339())
}

async fn postgres(url: String, half: Period) {
    let mut connection = PgConnection::connect(&url).await.expect("the server");
    let columns = COLUMNS.replace(", ", "::text, ");
    let sql = format!(
        "COPY (SELECT {columns}::text, sent_at FROM message WHERE sent_at >= {} AND sent_at < {})
         TO STDOUT (FORMAT binary)",
        literal(half.start),
        literal(half.end)
    );
    let mut chunks = connection.copy_out_raw(&sql).await.expect("a copy");
    while let Some(chunk) = chunks.try_next().await.expect("a chunk") {
        std::hint::black_box(chunk);
    }
}

async fn mariadb(url: &str, month: Period) {
    let mut connection = MySqlConnection::connect(url).await.expect("the server");
    let day = |instant: DateTime<Utc>| instant.format("%Y-%m-%d %H:%M:%S").to_string();
    let within = format!("sent_at >= '{}' AND sent_at < '{}'", day(month.start), day(month.end));
    let has_numbers: Option<String> = sqlx::query_scalar(
        "SELECT COLUMN_NAME FROM information_schema.COLUMNS
         WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'message' AND COLUMN_NAME = 'id'",
    )
    .fetch_optional(&mut connection)
    .await
    .expect("the columns");
    let range = if has_numbers.is_some() {
        let sql = format!(
            "SELECT CAST(MIN(id) AS SIGNED), CAST(MAX(id) AS SIGNED) FROM message WHERE {within}"
        );
        let (first, last): (i64, i64) =
            sqlx::query_as(AssertSqlSafe(sql)).fetch_one(&mut connection).await.expect("messages");
        format!("FORCE INDEX (PRIMARY) WHERE id BETWEEN {first} AND {last} AND")
    } else {
        "WHERE".to_owned()
    };
    let sql = format!(
        "SELECT {COLUMNS}, TIMESTAMPDIFF(MICROSECOND, TIMESTAMP '1970-01-01 00:00:00', sent_at)
         FROM message {range} {within}"
    );
    let mut rows = sqlx::raw_sql(AssertSqlSafe(sql)).fetch(&mut connection);
    while let Some(row) = rows.try_next().await.expect("a row") {
        std::hint::black_box(row);
    }
}
