//! The message database, on each of the three engines: what is read, and what is refused.

mod categories;
mod connections;
mod lexing;
mod refused;
mod sent_at;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use chrono_tz::America::{Noronha, Sao_Paulo};
use fecha::messages::{CONNECTIONS, Reading, Source, SourceError};
use fecha_core::calendar::month::{Month, Period};
use fecha_core::count::counter::Counter;
use fecha_core::count::rules::CountingRules;
use fecha_core::count::status::StatusRules;
use fecha_core::count::tally::{Apart, Count, Counted, Message};
use rstest::rstest;

use crate::support::message_db::Engine::{self, MariaDb as Maria, Postgres as Pg, Sqlite};
use crate::support::message_db::{MessageDb, Row};
use crate::support::postgres::Postgres;

const DAY: i64 = 86_400_000;
const IDS: [&str; 3] = ["d1", "D1", "d1 "];

fn october() -> Period {
    "2026-10".parse::<Month>().unwrap().period_in(Sao_Paulo)
}

fn start() -> i64 {
    october().start.timestamp_millis()
}

fn now() -> DateTime<Utc> {
    "2026-11-01T03:00:01Z".parse().unwrap()
}

/// Three dealerships that only their bytes tell apart, the last one an hour ahead of the others.
fn counter() -> Counter {
    let noronha = "2026-10".parse::<Month>().unwrap().period_in(Noronha);
    let dealership = |id: &str, period| Counted {
        dealership_id: id.to_owned(),
        period,
        has_package: true,
        in_scope: true,
        rules: CountingRules::default(),
        beside: None,
        apart: Apart::Unbilled,
    };
    let dealerships =
        vec![dealership("d1", october()), dealership("D1", october()), dealership("d1 ", noronha)];
    Counter::new(dealerships, Some(october()), &StatusRules::default())
}

fn row(dealership_id: &'static str, contact: &'static str, sent_at: i64) -> Row {
    Row {
        dealership_id: Some(dealership_id),
        contact: Some(contact),
        direction: Some("in"),
        kind: Some("session"),
        sent_at,
        ..Row::default()
    }
}

async fn read(source: &Source) -> Result<Reading, SourceError> {
    source.count(counter(), now(), |_| {}).await
}

async fn count(database: &MessageDb) -> Count {
    read(&database.source("message")).await.unwrap().count
}

fn uam(count: &Count) -> [u64; 3] {
    IDS.map(|id| count.tallies[id].uam())
}

#[rstest]
#[tokio::test]
async fn bounds_are_half_open_to_the_millisecond(#[values(Sqlite, Pg, Maria)] engine: Engine) {
    let database = MessageDb::new(engine);
    let (start, end) = (start(), october().end.timestamp_millis());
    database.insert(&[
        row("d1", "5548999990001", start - 1),
        row("d1", "5548999990002", start),
        row("d1", "5548999990003", end - 1),
        row("d1", "5548999990004", end),
    ]);
    let count = count(&database).await;
    let instants: Vec<i64> = count.tallies["d1"].contacts.exchanged().map(|c| c.first_at).collect();
    assert_eq!(instants.iter().min(), Some(&start));
    assert_eq!(instants.iter().max(), Some(&(end - 1)));
    assert_eq!(instants.len(), 2);
}

#[rstest]
#[case(Pg, "timestamptz", "2026-11-01 02:59:59.999999+00", "2026-10-01 03:00:00.000001+00")]
#[case(Maria, "DATETIME(6)", "2026-11-01 02:59:59.999999", "2026-10-01 03:00:00.000001")]
#[case(Maria, "TIMESTAMP(6)", "2026-11-01 02:59:59.999999", "2026-10-01 03:00:00.000001")]
#[case(Maria, "DATETIME", "2026-11-01 02:59:59", "2026-10-01 03:00:00")]
#[tokio::test]
async fn finer_time_is_cut_off_and_a_microsecond_before_the_end_belongs_to_the_month(
    #[case] engine: Engine,
    #[case] of_type: &str,
    #[case] last: &str,
    #[case] first: &str,
) {
    let database = MessageDb::without_table(engine);
    database.create_table("message", &format!("{of_type} NULL"));
    let set_zone = if engine == Maria { "SET time_zone = '+00:00';" } else { "" };
    database.sql(&format!(
        "{set_zone} INSERT INTO message VALUES
         ('d1', '5548999990001', 'in', 'session', NULL, NULL, '{first}'),
         ('d1', '5548999990002', 'in', 'session', NULL, NULL, '{last}')"
    ));
    let count = count(&database).await;
    let mut instants: Vec<i64> =
        count.tallies["d1"].contacts.exchanged().map(|contact| contact.first_at).collect();
    instants.sort_unstable();
    let end = october().end.timestamp_millis();
    let expected = if of_type == "DATETIME" { end - 1000 } else { end - 1 };
    assert_eq!(instants, [start(), expected]);
}

#[rstest]
#[tokio::test]
async fn values_are_compared_byte_by_byte(#[values(Sqlite, Pg, Maria)] engine: Engine) {
    let database = MessageDb::new(engine);
    let at = start() + DAY;
    database.insert(&[
        row("d1", "5548999990001", at),
        row("D1", "5548999990001", at),
        row("D1", "5548999990002", at),
        row("d1 ", "5548999990001", at),
        row("d1 ", "5548999990002", at),
        row("d1 ", "5548999990003", at),
        row("D1 ", "5548999990003", at),
        Row { direction: Some("IN"), ..row("d1", "5548999990004", at) },
        Row { kind: Some("session "), ..row("d1", "5548999990005", at) },
        Row { status: Some("FAILED"), ..row("d1", "5548999990006", at) },
        Row { status: Some("failed "), ..row("d1", "5548999990007", at) },
    ]);
    let count = count(&database).await;
    assert_eq!(uam(&count), [3, 2, 3]);
    assert_eq!(count.buckets().malformed, 2);
    assert_eq!(count.unknown, BTreeMap::from([(Some("D1 ".to_owned()), 1)]));
}

#[rstest]
#[tokio::test]
async fn nulls_and_statuses(#[values(Sqlite, Pg, Maria)] engine: Engine) {
    let database = MessageDb::new(engine);
    let at = start() + DAY;
    database.insert(&[
        Row { sent_at: at, ..Row::default() },
        Row { contact: None, ..row("d1", "", at) },
        Row { direction: None, ..row("d1", "5548999990001", at) },
        Row { kind: None, ..row("d1", "5548999990001", at) },
        Row { status: Some("queued"), ..row("d1", "5548999990001", at) },
        Row { status: Some("failed"), ..row("d1", "5548999990001", at) },
        Row { status: Some("read"), ..row("d1", "5548999990002", at) },
        Row { status: Some(""), ..row("d1", "", at) },
        Row {
            direction: Some("out"),
            kind: Some("hsm"),
            template: Some("cobrança €"),
            ..row("d1", "5548999990003", at)
        },
        Row { direction: Some("out"), kind: Some("hsm"), ..row("d1", "5548999990003", at) },
    ]);
    let count = count(&database).await;
    let buckets = count.buckets();
    assert_eq!(count.unknown, BTreeMap::from([(None, 1)]));
    assert_eq!((buckets.not_a_contact, buckets.malformed, buckets.ignored_status), (2, 2, 2));
    assert_eq!((buckets.counted, buckets.total()), (3, 10));
    let templates = [(String::new(), 1), ("cobrança €".to_owned(), 1)];
    assert_eq!(count.tallies["d1"].templates, BTreeMap::from(templates));
}

/// Rows of every kind, the same ones at every call.
fn generated(rows: usize) -> Vec<Row> {
    use rand::seq::IndexedRandom as _;
    use rand::{RngExt as _, SeedableRng as _};
    let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(202_610);
    let contacts: Vec<&'static str> = (0..400)
        .map(|n| match n % 8 {
            0 => format!("+55 (48) 9{n:04}-{n:04}"),
            1 => format!("whatsapp:+55489{n:04}{n:04}"),
            2 => format!("BR.{n}"),
            3 => format!("{n}-1234@g.us"),
            _ => format!("5548{}", 60_000_000 + n * 997),
        })
        .map(|contact| &*contact.leak())
        .collect();
    let ids = [Some("d1"), Some("D1"), Some("d1 "), Some("d9"), Some("concessionária"), None];
    (0..rows)
        .map(|_| Row {
            dealership_id: *ids.choose(&mut random).unwrap(),
            contact: Some(*contacts.choose(&mut random).unwrap()),
            direction: *[Some("in"), Some("out"), Some("out"), None].choose(&mut random).unwrap(),
            kind: *[Some("hsm"), Some("session"), Some("session ")].choose(&mut random).unwrap(),
            template: *[Some("t'1"), Some("=t2"), Some("日本"), None].choose(&mut random).unwrap(),
            status: *[Some("failed"), Some("read"), Some("Read"), None]
                .choose(&mut random)
                .unwrap(),
            sent_at: start() + random.random_range(-2 * DAY..33 * DAY),
        })
        .collect()
}

#[rstest]
#[tokio::test]
async fn the_engines_stream_what_was_written(
    #[values(Sqlite, Pg, Maria)] engine: Engine,
    #[values(false, true)] windows: bool,
) {
    let rows = generated(4000);
    let mut expected = counter().with_service_windows(windows);
    for row in &rows {
        expected.add(&Message {
            dealership_id: row.dealership_id.map(str::as_bytes),
            contact: row.contact.map(str::as_bytes),
            direction: row.direction.map(str::as_bytes),
            kind: row.kind.map(str::as_bytes),
            template: row.template.map(str::as_bytes),
            status: row.status.map(str::as_bytes),
            sent_at: row.sent_at,
            ..Message::default()
        });
    }
    let expected = expected.finish();
    assert!(expected.tallies["d1"].uam() > 100 && expected.buckets().malformed > 100);

    let database = MessageDb::new(engine);
    database.insert(&rows);
    let counter = counter().with_service_windows(windows);
    let reading = database.source("message").count(counter, now(), |_| {}).await.unwrap();
    let count = reading.count;
    assert_eq!(count.tallies, expected.tallies);
    assert_eq!(count.windows, expected.windows);
    assert_eq!(count.unknown, expected.unknown);
    assert_eq!(count.windows.len(), 2);
    // What the day before the month brings is in it: rows are in no order.
    let inside = count.tallies["d1"].windows.map(|windows| windows.hsm_inside > 0);
    assert_eq!(inside, windows.then_some(true));
}

#[rstest]
#[case(Sqlite, "VARCHAR(60)", "CAST(x'6431ff' AS TEXT)")]
#[case(Sqlite, "BLOB", "x'6431ff'")]
#[case(Pg, "bytea", r"'\x6431ff'")]
#[case(Maria, "VARBINARY(60)", "x'6431ff'")]
#[case(Maria, "VARCHAR(60) CHARACTER SET latin1", "'d1ÿ'")]
#[tokio::test]
async fn bytes_that_are_no_utf_8_are_another_dealership(
    #[case] engine: Engine,
    #[case] of_type: &str,
    #[case] value: &str,
) {
    let database = MessageDb::new(engine);
    let at = database.instant(start());
    database.sql(&format!(
        "CREATE TABLE raw (dealership_id {of_type}, contact {of_type}, direction {of_type},
         kind {of_type}, template {of_type}, status {of_type}, sent_at {})",
        engine.sent_at()
    ));
    database.sql(&format!(
        "INSERT INTO raw VALUES ({value}, '5548999990001', 'in', 'session', NULL, NULL, {at}),
         ('d1', '5548999990001', 'in', 'session', {value}, {value}, {at})"
    ));
    let count = read(&database.source("raw")).await.unwrap().count;
    assert_eq!(uam(&count), [1, 0, 0]);
    let unknown = if of_type.contains("latin1") { "d1ÿ" } else { "d1\u{fffd}" };
    assert_eq!(count.unknown, BTreeMap::from([(Some(unknown.to_owned()), 1)]));
}

#[tokio::test]
async fn postgres_in_sql_ascii_holds_any_bytes() {
    let server = Postgres::shared();
    let name = server.unique("ascii");
    server.sql(
        "postgres",
        &format!("CREATE DATABASE {name} ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0"),
    );
    server.sql(
        &name,
        r"CREATE TABLE message (dealership_id text, contact text, direction text, kind text,
                template text, status text, sent_at timestamptz);
          INSERT INTO message VALUES (E'd1\xff', '5548999990001', 'in', 'session', NULL, NULL,
                '2026-10-02 00:00+00')",
    );
    let source = Source::parse(&server.url(&name), "message", Path::new(""), CONNECTIONS).unwrap();
    let count = read(&source).await.unwrap().count;
    assert_eq!(count.unknown, BTreeMap::from([(Some("d1\u{fffd}".to_owned()), 1)]));
}

/// Types that print as text are read as what the database prints: of char(n) without its padding.
#[rstest]
#[case(Pg, "char(5)", "char(20)", "CREATE TYPE way AS ENUM ('in', 'out');", "way", "varchar(7)")]
#[case(Pg, "uuid", "bigint", "CREATE DOMAIN way AS text;", "way", "name")]
#[case(Maria, "CHAR(5)", "BIGINT", "", "ENUM('in', 'out')", "TINYTEXT")]
#[case(Maria, "UUID", "DECIMAL(20)", "", "CHAR(3)", "SET('session', 'hsm')")]
#[case(Sqlite, "ANY", "INTEGER", "", "TEXT", "BLOB")]
#[tokio::test]
async fn columns_of_other_types_are_read_as_the_database_prints_them(
    #[case] engine: Engine,
    #[case] id: &str,
    #[case] contact: &str,
    #[case] before: &str,
    #[case] direction: &str,
    #[case] kind: &str,
) {
    let database = MessageDb::new(engine);
    database.sql("DROP TABLE message");
    database.sql(&format!(
        "{before} CREATE TABLE message (dealership_id {id}, contact {contact},
         direction {direction}, kind {kind}, template TEXT, status TEXT, sent_at {})",
        engine.sent_at()
    ));
    let value = match id.to_lowercase().as_str() {
        "uuid" => "'0190a5e4-0000-7000-8000-000000000001'",
        "any" => "17",
        _ => "'d1'",
    };
    let at = database.instant(start());
    database.sql(&format!(
        "INSERT INTO message VALUES ({value}, 5548999990001, 'in', 'session', NULL, NULL, {at})"
    ));
    let id = value.trim_matches('\'');
    let dealership = Counted {
        dealership_id: id.to_owned(),
        period: october(),
        has_package: true,
        in_scope: true,
        rules: CountingRules::default(),
        beside: None,
        apart: Apart::Unbilled,
    };
    let counter = Counter::new(vec![dealership], None, &StatusRules::default());
    let reading = database.source("message").count(counter, now(), |_| {}).await.unwrap();
    assert_eq!(reading.count.tallies[id].uam(), 1);
}

#[rstest]
#[tokio::test]
async fn a_view_a_select_and_a_name_that_needs_quotes(#[values(Sqlite, Pg, Maria)] engine: Engine) {
    let database = MessageDb::new(engine);
    database.insert(&[
        row("d1", "5548999990001", start()),
        Row { status: Some("test"), ..row("d1", "5548999990002", start()) },
    ]);
    let quote = if engine == Maria { '`' } else { '"' };
    let select = "SELECT * FROM message m WHERE status IS NULL OR status <> 'test'";
    database.sql(&format!("CREATE VIEW {quote}Order-2{quote} AS {select}"));
    // A table that is called like a column it lacks must not stand in for that column.
    database.sql("CREATE TABLE template AS SELECT * FROM message");
    for (relation, expected) in [
        ("message", 2),
        ("Order-2", 1),
        (&format!("({select})"), 1),
        ("(WITH m AS (SELECT * FROM message) SELECT * FROM m WHERE status = ')')", 0),
        ("template", 2),
    ] {
        let source = database.source(relation);
        let count = read(&source).await.unwrap().count;
        assert_eq!(count.tallies["d1"].uam(), expected, "{relation}");
        let named = source.check().await.unwrap().relation;
        assert!(relation.starts_with(named.trim_end_matches('…')), "{named}");
    }
}

#[rstest]
#[case(Pg, "CREATE SCHEMA \"Wa\"", "\"Wa\".message", "Wa.message")]
#[case(Maria, "SELECT 1", "message", "{}.message")]
#[case(Sqlite, "SELECT 1", "message", "main.message")]
#[tokio::test]
async fn a_relation_with_its_schema(
    #[case] engine: Engine,
    #[case] before: &str,
    #[case] table: &str,
    #[case] relation: &str,
) {
    let database = MessageDb::without_table(engine);
    database.sql(before);
    database.create_table(table, engine.sent_at());
    database.insert_into(table, &[row("d1", "5548999990001", start())]);
    let relation = relation.replace("{}", &database.name);
    let count = read(&database.source(&relation)).await.unwrap().count;
    assert_eq!(count.tallies["d1"].uam(), 1);
}

#[rstest]
#[tokio::test]
async fn the_newest_message_is_the_last_one_that_is_not_in_the_future(
    #[values(Sqlite, Pg, Maria)] engine: Engine,
) {
    let database = MessageDb::new(engine);
    let source = database.source("message");
    assert_eq!(read(&source).await.unwrap().sources[0].newest, None);
    let now_millis = now().timestamp_millis();
    database.insert(&[row("d1", "1", now_millis + 1), row("d1", "1", now_millis + 400 * DAY)]);
    assert_eq!(read(&source).await.unwrap().sources[0].newest, None);
    database.insert(&[row("d1", "1", start() - 90 * DAY), row("x", "1", start() - 60 * DAY)]);
    let newest = read(&source).await.unwrap().sources[0].newest.unwrap();
    assert_eq!(newest.timestamp_millis(), start() - 60 * DAY, "of the whole relation");
    database.insert(&[row("d1", "1", now_millis)]);
    assert_eq!(read(&source).await.unwrap().sources[0].newest, Some(now()));
}

#[rstest]
#[tokio::test]
async fn nothing_to_count_is_nothing_read(#[values(Sqlite, Pg, Maria)] engine: Engine) {
    let database = MessageDb::new(engine);
    database.insert(&[row("d1", "5548999990001", start())]);
    let nothing = Counter::new(Vec::new(), None, &StatusRules::default());
    let reading = database.source("message").count(nothing, now(), |_| {}).await.unwrap();
    assert!(reading.count.tallies.is_empty() && reading.count.windows.is_empty());
    assert_eq!(reading.sources[0].newest, Some(october().start));
}

#[rstest]
#[case(Sqlite, "SQLite 3.", "INTEGER")]
#[case(Pg, "PostgreSQL 15.", "timestamp with time zone")]
#[case(Maria, "MariaDB 10.", "DATETIME")]
#[tokio::test]
async fn check_says_engine_version_and_type(
    #[case] engine: Engine,
    #[case] version: &str,
    #[case] sent_at: &str,
) {
    let database = MessageDb::new(engine);
    let checked = database.source("message").check().await.unwrap();
    assert!(checked.engine.starts_with(version), "{}", checked.engine);
    assert_eq!((&*checked.sent_at, &*checked.relation), (sent_at, "message"));
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_during_the_pass_is_not_seen(#[values(Sqlite, Pg, Maria)] engine: Engine) {
    let database = Arc::new(MessageDb::new(engine));
    database.fill();
    let reports = Arc::new(AtomicU64::new(0));
    let writer = (Arc::clone(&database), Arc::clone(&reports));
    let progress = move |_rows| {
        if writer.1.fetch_add(1, Ordering::Relaxed) == 0 {
            writer.0.insert(&[row("d1", "5548999990002", start())]);
        }
    };
    let source = database.source("message");
    let reading = source.count(counter(), now(), progress).await.unwrap();
    assert_eq!(reading.count.buckets().counted, 100_000);
    assert_eq!(reports.load(Ordering::Relaxed), 100_000 / 8192 + 1);
    assert_eq!(count(&database).await.buckets().counted, 100_001);
}

#[rstest]
#[case("DELETE")]
#[case("WAL")]
#[tokio::test]
async fn sqlite_is_read_without_a_change_of_its_file(#[case] journal: &str) {
    let database = MessageDb::new(Sqlite);
    database.sql(&format!("PRAGMA journal_mode = {journal}"));
    database.insert(&[row("d1", "5548999990001", start())]);
    let writer = rusqlite::Connection::open(database.path()).unwrap();
    writer.execute_batch("BEGIN IMMEDIATE; DELETE FROM message").unwrap(); // not yet committed
    let before = fs::read(database.path()).unwrap();
    assert_eq!(uam(&count(&database).await), [1, 0, 0]);
    assert!(fs::read(database.path()).unwrap() == before);
    writer.execute_batch("COMMIT").unwrap();
    assert_eq!(uam(&count(&database).await), [0, 0, 0]);
}

/// A query that never ends must not keep the program from ending.
#[rstest]
#[case(Sqlite, "WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n) SELECT i FROM n")]
#[case(Pg, "SELECT pg_sleep(60)")]
#[case(Maria, "SELECT SLEEP(60) AS s")]
fn a_pass_that_is_given_up_ends(#[case] engine: Engine, #[case] endless: &str) {
    let database = MessageDb::new(engine);
    let source = database
        .source(&format!("(SELECT m.* FROM message m LEFT JOIN ({endless}) AS endless ON 1 = 1)"));
    database.insert(&[row("d1", "5548999990001", start())]);
    let started = Instant::now();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let pass = tokio::time::timeout(Duration::from_millis(500), read(&source));
        assert!(pass.await.is_err(), "still running");
    });
    drop(runtime); // waits for threads that block
    assert!(started.elapsed() < Duration::from_secs(20));
}
