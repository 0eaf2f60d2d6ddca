//! `sent_at` as databases have it: numbers of seconds or milliseconds, local times.

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::America::{Noronha, Sao_Paulo};
use fecha::messages::{Reading, SentAt, SourceError};
use fecha_core::calendar::month::{Month, Period};
use fecha_core::count::counter::Counter;
use fecha_core::count::rules::CountingRules;
use fecha_core::count::status::StatusRules;
use fecha_core::count::tally::{Apart, Counted};
use rstest::rstest;

use crate::support::message_db::Engine::{self, MariaDb as Maria, Postgres as Pg, Sqlite};
use crate::support::message_db::MessageDb;
use crate::support::reseller::{LedgerKind, Reseller};

const LOCAL: SentAt = SentAt::Local(Sao_Paulo);

/// The instant as a literal of the column.
fn value(engine: Engine, sent_at: SentAt, at: DateTime<Utc>) -> String {
    match sent_at {
        SentAt::Instant => MessageDb::new(engine).instant(at.timestamp_millis()),
        SentAt::Seconds => at.timestamp().to_string(),
        SentAt::Millis => at.timestamp_millis().to_string(),
        SentAt::Local(zone) => format!("'{}'", at.with_timezone(&zone).format("%Y-%m-%d %H:%M:%S")),
    }
}

fn with_messages(engine: Engine, of_type: &str, values: &[String]) -> MessageDb {
    let database = MessageDb::without_table(engine);
    database.create_table("message", of_type);
    for (contact, value) in (1..).zip(values) {
        database.sql(&format!(
            "INSERT INTO message VALUES ('d1', '55489999{contact:05}', 'in', 'session', NULL, NULL, {value})"
        ));
    }
    database
}

/// A month of d1, which lies in this zone.
async fn read(
    database: &MessageDb,
    sent_at: SentAt,
    period: Period,
) -> Result<Reading, SourceError> {
    let dealership = |dealership_id: &str, period| Counted {
        dealership_id: dealership_id.to_owned(),
        period,
        has_package: true,
        in_scope: true,
        rules: CountingRules::default(),
        beside: None,
        apart: Apart::Unbilled,
    };
    // Another zone beside it: several windows, counted in one go.
    let month = Month::of(period.start.with_timezone(&Sao_Paulo).date_naive());
    let dealerships = vec![dealership("d1", period), dealership("d2", month.period_in(Noronha))];
    let counter = Counter::new(dealerships, Some(period), &StatusRules::default());
    let now = period.end + TimeDelta::hours(1);
    database.source("message").with_sent_at(sent_at).count(counter, now, |_| {}).await
}

fn month(text: &str) -> Period {
    text.parse::<Month>().unwrap().period_in(Sao_Paulo)
}

fn instants(reading: &Reading) -> Vec<DateTime<Utc>> {
    let contacts = &reading.count.tallies["d1"].contacts;
    let mut instants: Vec<_> = contacts
        .exchanged()
        .map(|contact| DateTime::from_timestamp_millis(contact.first_at).unwrap())
        .collect();
    instants.sort();
    instants
}

#[rstest]
#[case(Pg, "bigint", SentAt::Seconds)]
#[case(Pg, "integer", SentAt::Seconds)]
#[case(Pg, "numeric", SentAt::Seconds)]
#[case(Pg, "bigint", SentAt::Millis)]
#[case(Pg, "timestamp", LOCAL)]
#[case(Pg, "timestamp(0)", LOCAL)]
#[case(Maria, "BIGINT", SentAt::Seconds)]
#[case(Maria, "INT UNSIGNED", SentAt::Seconds)]
#[case(Maria, "BIGINT", SentAt::Millis)]
#[case(Maria, "DATETIME", LOCAL)]
#[case(Maria, "DATETIME(6)", LOCAL)]
#[case(Sqlite, "INTEGER", SentAt::Seconds)]
#[case(Sqlite, "INTEGER", SentAt::Millis)]
#[case(Sqlite, "TEXT", LOCAL)]
#[tokio::test]
async fn the_first_and_the_last_second_are_those_of_the_month(
    #[case] engine: Engine,
    #[case] of_type: &str,
    #[case] sent_at: SentAt,
) {
    let october = month("2026-10");
    let (first, last) = (october.start, october.end - TimeDelta::seconds(1));
    let times = [first - TimeDelta::seconds(1), first, last, october.end];
    let values = times.map(|at| value(engine, sent_at, at));
    let database = with_messages(engine, of_type, &values);
    let reading = read(&database, sent_at, october).await.unwrap();
    assert_eq!(instants(&reading), [first, last]);
    assert_eq!(reading.misdated.messages(), 0);
    // The last before the month's end decides whether its writer had stopped.
    assert_eq!(reading.sources[0].newest, Some(last));

    // Without the last hours of the month, those after it are looked at, then those before it.
    let database = with_messages(engine, of_type, &values[..2]);
    let reading = read(&database, sent_at, october).await.unwrap();
    assert_eq!(reading.sources[0].newest, Some(first));
    let database = with_messages(engine, of_type, &[&values[..2], &values[3..]].concat());
    let reading = read(&database, sent_at, october).await.unwrap();
    assert_eq!(reading.sources[0].newest, Some(october.end));
}

/// In Brazil midnight of 2018-02-18 came twice in the evening before, and that of 2018-11-04 not at all.
#[rstest]
#[case(Pg, "timestamp")]
#[case(Maria, "DATETIME")]
#[case(Sqlite, "TEXT")]
#[tokio::test]
async fn an_hour_that_comes_twice_is_the_earlier_one(
    #[case] engine: Engine,
    #[case] of_type: &str,
) {
    let walls = ["2018-02-17 22:59:59", "2018-02-17 23:30:00", "2018-02-18 00:00:00"];
    let database = with_messages(engine, of_type, &walls.map(|wall| format!("'{wall}'")));
    let utc = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
    let whole = read(&database, LOCAL, month("2018-02")).await.unwrap();
    let expected = ["2018-02-18T00:59:59Z", "2018-02-18T01:30:00Z", "2018-02-18T03:00:00Z"];
    assert_eq!(instants(&whole), expected.map(utc));
    // Wherever a span ends within that hour, each message lies on one side of it.
    for end in ["2018-02-18T01:15:00Z", "2018-02-18T01:45:00Z", "2018-02-18T02:45:00Z"] {
        let (start, middle, end) =
            (utc("2018-02-01T02:00:00Z"), utc(end), utc("2018-03-01T03:00:00Z"));
        let before = read(&database, LOCAL, Period { start, end: middle }).await.unwrap();
        let behind = read(&database, LOCAL, Period { start: middle, end }).await.unwrap();
        assert_eq!([instants(&before), instants(&behind)].concat(), expected.map(utc));
    }

    // The first instant of the day: what an application wrote as midnight was that.
    let walls = ["'2018-11-03 23:59:59'", "'2018-11-04 00:00:00'", "'2018-11-04 01:00:00'"];
    let database = with_messages(engine, of_type, &walls.map(str::to_owned));
    let first = utc("2018-11-04T03:00:00Z");
    let period = Period { start: first, end: utc("2018-12-01T02:00:00Z") };
    assert_eq!(instants(&read(&database, LOCAL, period).await.unwrap()), [first, first]);
}

#[rstest]
#[case(Pg, "timestamptz", "'2026-10-02 00:00:00+00'", SentAt::Seconds, "sent_at_unit")]
#[case(Pg, "timestamptz", "'2026-10-02 00:00:00+00'", LOCAL, "sent_at_zone")]
#[case(Pg, "bigint", "1790899200", SentAt::Instant, "sent_at_unit")]
#[case(Pg, "timestamp", "'2026-10-02 00:00:00'", SentAt::Instant, "sent_at_zone")]
#[case(Pg, "text", "'1790899200'", SentAt::Seconds, "sent_at_unit")]
#[case(Maria, "BIGINT", "1790899200", SentAt::Instant, "sent_at_unit")]
#[case(Maria, "TIMESTAMP", "'2026-10-02 00:00:00'", LOCAL, "sent_at_zone")]
#[case(Maria, "DATETIME", "'2026-10-02 00:00:00'", SentAt::Millis, "sent_at_unit")]
#[case(Sqlite, "TEXT", "'2026-10-02 00:00:00'", SentAt::Instant, "sent_at_zone")]
#[case(Sqlite, "TEXT", "'2026-10-02T00:00:00'", LOCAL, "sent_at_zone")]
#[case(Sqlite, "INTEGER", "1790899200", LOCAL, "sent_at_zone")]
#[case(Sqlite, "TEXT", "'2026-10-02 00:00:00'", SentAt::Seconds, "sent_at_unit")]
#[tokio::test]
async fn another_type_is_refused_with_the_key(
    #[case] engine: Engine,
    #[case] of_type: &str,
    #[case] value: &str,
    #[case] sent_at: SentAt,
    #[case] key: &str,
) {
    let database = with_messages(engine, of_type, &[value.to_owned()]);
    let error = read(&database, sent_at, month("2026-10")).await.unwrap_err();
    assert!(matches!(error, SourceError::WrongType { .. }), "{error}");
    assert!(error.to_string().contains(key), "{error}");
}

/// Seconds that were taken for milliseconds lie in 1970, and the other way round in the year 58758.
#[rstest]
#[case(Pg, "bigint")]
#[case(Maria, "BIGINT")]
#[case(Sqlite, "INTEGER")]
#[tokio::test]
async fn another_unit_is_misdated(#[case] engine: Engine, #[case] of_type: &str) {
    let values = ["1791000000", "1791000000", "1791000000000"].map(str::to_owned);
    let database = with_messages(engine, of_type, &values);
    let found = |reading: Reading| (reading.misdated.early, reading.misdated.late);
    let october = month("2026-10");
    assert_eq!(found(read(&database, SentAt::Millis, october).await.unwrap()), (2, 0));
    assert_eq!(found(read(&database, SentAt::Seconds, october).await.unwrap()), (0, 1));
}

/// Bounds are of the column's type: what is asked is asked of its index, and never of all history.
#[rstest]
#[case("timestamp", "TIMESTAMP '2026-01-01' + n * INTERVAL '4 minutes'", LOCAL)]
#[case("bigint", "1767225600 + n * 240", SentAt::Seconds)]
#[case("integer", "1767225600 + n * 240", SentAt::Seconds)]
#[case(
    "timestamptz",
    "TIMESTAMPTZ '2026-01-01 00:00+00' + n * INTERVAL '4 minutes'",
    SentAt::Instant
)]
#[tokio::test]
async fn the_owners_index_serves(
    #[case] of_type: &str,
    #[case] expression: &str,
    #[case] sent_at: SentAt,
) {
    let database = with_messages(Pg, of_type, &[]);
    database.sql(&format!(
        "INSERT INTO message SELECT 'd1', '5548999990001', 'in', 'session', NULL, NULL, {expression}
         FROM generate_series(1, 100000) AS n"
    ));
    database.sql("CREATE INDEX ON message (sent_at)");
    database.sql("VACUUM ANALYZE message");
    let scans = || {
        database.sql(
            "SELECT pg_stat_force_next_flush(); SELECT seq_scan FROM pg_stat_user_tables WHERE relname = 'message'",
        )
    };
    let before = scans();
    let reading = read(&database, sent_at, month("2026-07")).await.unwrap();
    assert!(reading.count.windows[0].rows > 10_000);
    assert_eq!(scans(), before, "the whole table was read");
}

/// The keys reach the count.
#[test]
fn a_close_reads_seconds_and_local_times() {
    for (key, column) in [
        ("sent_at_unit = \"s\"", "sent_at / 1000"),
        ("sent_at_zone = \"UTC\"", "datetime(sent_at / 1000, 'unixepoch')"),
    ] {
        let reseller = Reseller::new(LedgerKind::Sqlite);
        reseller.register(&[("d1", "", "5000")]);
        reseller.add_contacts("d1", 20, "2026-11-01T02:59:40Z");
        reseller.messages().execute_batch(&format!(
            "CREATE TABLE other AS SELECT dealership_id, contact, direction, kind, template, status, {column} AS sent_at FROM message"
        )).unwrap();
        let config = std::fs::read_to_string(reseller.path("fecha.toml")).unwrap();
        let messages = format!("[messages]\nrelation = \"other\"\n{key}\n");
        reseller.write("fecha.toml", &config.replace("[messages]\n", &messages));
        reseller.run(&["close", "--month", "2026-10"]).expect(0);
        assert_eq!(reseller.invoices(&[])[0]["uam"], 20, "{key}");
    }
}
