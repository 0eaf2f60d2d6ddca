//! A ledger that is busy, can only be read, or does not answer for long: nobody is blamed, and it is tried
//! again.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rstest::rstest;
use serde_json::Value;

use crate::daemon::{add_messages, all_done, assert_once, invoices, reseller};
use crate::support::daemon::{Daemon, Shift, eventually};
use crate::support::line::Line;
use crate::support::postgres::Postgres;
use crate::support::reseller::{LedgerKind, Reseller};

fn ledger(reseller: &Reseller) -> String {
    reseller.ledger_url().rsplit('/').next().unwrap().to_owned()
}

/// Somebody who holds the counter of numbers for some seconds.
fn hold_the_counter(reseller: &Reseller, seconds: u32) -> Child {
    let sql = format!("BEGIN; LOCK TABLE counter IN EXCLUSIVE MODE; SELECT pg_sleep({seconds})");
    let holder = Postgres::shared().start_sql(&ledger(reseller), &sql);
    let held = "SELECT COUNT(*) FROM pg_locks JOIN pg_class ON pg_class.oid = relation
         WHERE relname = 'counter' AND mode = 'ExclusiveLock' AND granted";
    eventually("the counter is held", || reseller.ledger_number(held) > 0);
    holder
}

fn with_limits(limits: &str) -> Reseller {
    let reseller = reseller(LedgerKind::Postgres, &[]);
    let ids: Vec<String> = (0..20).map(|index| format!("d{index:02}")).collect();
    let rows: Vec<_> = ids.iter().map(|id| (id.as_str(), "", "5000")).collect();
    reseller.register(&rows);
    add_messages(&reseller, &ids.iter().map(String::as_str).collect::<Vec<_>>());
    let database = ledger(&reseller);
    Postgres::shared().sql("postgres", &format!("ALTER DATABASE {database} SET {limits}"));
    reseller
}

#[rstest]
fn a_lock_of_four_seconds_fails_no_dealership(
    #[values("lock_timeout = '300ms'", "statement_timeout = '300ms'")] limits: &str,
) {
    let reseller = with_limits(limits);
    let mut holder = hold_the_counter(&reseller, 4);
    let closed = reseller.run(&["close", "--month", "2026-10", "--json"]).expect(0).json();
    assert_eq!((&closed["issued"], &closed["exceptions"]), (&20.into(), &Value::Array(vec![])));
    holder.wait().unwrap();
    assert_once(&reseller);
}

#[test]
fn a_lock_that_stays_ends_the_close_and_blames_nobody() {
    let reseller = with_limits("lock_timeout = '200ms'");
    let mut holder = hold_the_counter(&reseller, 60);
    let refused = reseller.run(&["close", "--month", "2026-10"]).expect(3);
    assert!(refused.stderr.contains("the ledger is busy"), "{}", refused.stderr);
    assert_eq!(invoices(&reseller), 0);
    let mut shift = Shift::new(&reseller, "2026-10-15T12:00:00Z");
    let daemon = shift.start();
    daemon.says("this daemon leads");
    shift.set("2026-11-01T03:05:00Z");
    daemon.says("the close failed: trying again");
    holder.kill().unwrap();
    holder.wait().unwrap();
    let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%pg_sleep%' AND pid <> pg_backend_pid()";
    Postgres::shared().sql(&ledger(&reseller), end);
    all_done(&reseller, 20);
    assert_once(&reseller);
    let closed = "SELECT COUNT(*) FROM closing WHERE exceptions = '[]' AND state = 'closed'";
    assert_eq!(reseller.ledger_number(closed), 1);
}

#[rstest]
fn a_dealership_that_failed_is_tried_again(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let reseller = reseller(ledger, &[]);
    reseller.register(&[("d1", "", "5000"), ("d2", "", "5000"), ("d3", "", "5000")]);
    add_messages(&reseller, &["d1", "d2", "d3"]);
    let (poison, antidote) = match ledger {
        LedgerKind::Sqlite => (
            "CREATE TRIGGER poison BEFORE INSERT ON invoice WHEN NEW.dealership_id = 'd2'
             BEGIN SELECT RAISE(ABORT, 'poison'); END",
            "DROP TRIGGER poison",
        ),
        LedgerKind::Postgres => (
            "ALTER TABLE invoice ADD CONSTRAINT poison CHECK (dealership_id <> 'd2')",
            "ALTER TABLE invoice DROP CONSTRAINT poison",
        ),
    };
    reseller.ledger_sql(poison);
    let mut shift = Shift::new(&reseller, "2026-10-15T12:00:00Z");
    let daemon = shift.start();
    daemon.says("the daemon runs");
    shift.set("2026-11-01T03:05:00Z");
    all_done(&reseller, 2);
    let closed = "SELECT COUNT(*) FROM closing WHERE state = 'closed'";
    eventually("the month is closed", || reseller.ledger_number(closed) == 1);
    reseller.ledger_sql(antidote);
    shift.pass(60);
    all_done(&reseller, 3);
    assert_once(&reseller);
    let failed = "SELECT COUNT(*) FROM closing WHERE exceptions <> '[]'";
    eventually("nothing is left", || reseller.ledger_number(failed) == 0);
    // It is no hot loop.
    assert!(daemon.log().matches("\"closing\"").count() <= 6, "{}", daemon.log());
    // Finance heard of it in a supplement.
    assert_eq!(reseller.emails("digest"), 2);
}

const READING: [&[&str]; 11] = [
    &["status"],
    &["invoices"],
    &["invoice", "2026-000001"],
    &["invoice", "2026-000001", "--pdf", "/dev/null"],
    &["outbox"],
    &["verify", "--month", "2026-10"],
    &["audit"],
    &["receivables"],
    &["preview"],
    &["close", "--dry-run", "--month", "2026-10"],
    &["export", "--dealerships", "-", "--contracts", "/dev/null"],
];
const WRITING: [&[&str]; 5] = [
    &["close", "--month", "2026-11"],
    &["pay", "2026-000001", "--on", "2026-11-05"],
    &["adjust", "--dealership", "d1", "--month", "2026-12", "--amount", "1", "--description", "x"],
    &["resend", "2026-000001"],
    &["import", "--dealerships", "dealerships.csv"],
];

/// October of two dealerships is closed; November has ended.
fn closed(ledger: LedgerKind) -> Reseller {
    let mut reseller = reseller(ledger, &[]);
    reseller.register(&[("d1", "", "5000"), ("d2", "", "5000")]);
    add_messages(&reseller, &["d1", "d2"]);
    reseller.run(&["close", "--month", "2026-10"]).expect(0);
    reseller.run(&["deliver"]).expect(0);
    reseller.at("2026-12-01 12:00:00");
    reseller
}

fn readiness(daemon: &Daemon) -> (bool, Value) {
    let (status, body) = daemon.get("/readyz");
    (status.contains("200"), serde_json::from_str(&body).unwrap())
}

#[test]
fn a_server_that_lets_only_read() {
    let reseller = closed(LedgerKind::Postgres);
    let database = ledger(&reseller);
    let only_read = |on: &str| {
        let sql = format!("ALTER DATABASE {database} SET default_transaction_read_only = {on}");
        Postgres::shared().sql("postgres", &sql);
    };
    only_read("on");
    for command in READING {
        let ran = reseller.run(command);
        assert!(matches!(ran.status, 0 | 1), "{command:?}: {}{}", ran.stdout, ran.stderr);
    }
    for command in WRITING {
        let refused = reseller.run(command).expect(3).stderr;
        assert!(refused.contains("can be read but not written"), "{command:?}: {refused}");
    }
    let mut shift = Shift::new(&reseller, "2026-11-20T12:00:00Z");
    let daemon = shift.start();
    daemon.says("cannot lead");
    let (ready, said) = readiness(&daemon);
    assert!(!ready, "{said}");
    assert_eq!(
        (&said["answers"], &said["writes"], &said["leads"]),
        (&true.into(), &false.into(), &false.into())
    );
    only_read("off");
    eventually("it is ready", || readiness(&daemon).0);
    shift.set("2026-12-01T03:05:00Z");
    all_done(&reseller, 4);
    let (_, said) = readiness(&daemon);
    assert_eq!((&said["writes"], &said["leads"]), (&true.into(), &true.into()));
}

/// Runs the command as somebody who may not write.
fn as_nobody(command: &Command) -> Command {
    let mut nobody = Command::new("setpriv");
    nobody.args(["--reuid=65534", "--regid=65534", "--clear-groups"]);
    nobody.arg(command.get_program()).args(command.get_args());
    nobody.current_dir(command.get_current_dir().unwrap()).stdin(Stdio::null());
    // The clock that is set lies in memory that is somebody else's: this one is the machine's.
    let envs = command.get_envs().filter(|(name, _)| *name != "LD_PRELOAD");
    nobody.envs(envs.filter_map(|(name, value)| Some((name, value?))));
    nobody
}

#[test]
fn a_file_that_may_only_be_read() {
    use std::os::unix::fs::PermissionsExt as _;
    let mut reseller = closed(LedgerKind::Sqlite);
    let open = |path: &str, mode: u32| {
        let mode = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(reseller.path(path), mode).unwrap();
    };
    open("", 0o755);
    for file in ["fecha.db", "fecha.toml", "messages.db", "dealerships.csv"] {
        open(file, 0o644);
    }
    let key = std::fs::read_to_string(reseller.path("evidence.key")).unwrap();
    reseller.variables.push(("FECHA_EVIDENCE_KEY".to_owned(), key.trim().to_owned()));
    let at_any_time = |command: &&[&str]| !matches!(command[0], "close" | "pay");
    for command in READING.into_iter().filter(at_any_time) {
        let ran = as_nobody(&reseller.command(command)).output().unwrap();
        let said = String::from_utf8_lossy(&ran.stderr).into_owned();
        assert!(matches!(ran.status.code(), Some(0 | 1)), "{command:?}: {said}");
        assert!(!ran.stdout.is_empty(), "{command:?}: {said}");
    }
    for command in WRITING.into_iter().filter(at_any_time) {
        let refused = as_nobody(&reseller.command(command)).output().unwrap();
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert_eq!(refused.status.code(), Some(3), "{command:?}: {said}");
        assert!(said.contains("can be read but not written"), "{command:?}: {said}");
    }
    let mut shift = Shift::new(&reseller, "2026-12-01T03:05:00Z");
    let daemon = shift.start_as(as_nobody(&reseller.command(&["daemon"])));
    daemon.says("the daemon waits");
    let (ready, said) = readiness(&daemon);
    assert!(!ready, "{said}");
    assert_eq!((&said["answers"], &said["writes"]), (&true.into(), &false.into()));
    assert_eq!(invoices(&reseller), 2);
}

#[test]
fn a_command_that_is_stopped_keeps_another_waiting_for_a_minute_at_most() {
    let reseller = closed(LedgerKind::Sqlite);
    // Whoever holds the write lock and goes on no more.
    let holder = rusqlite::Connection::open(reseller.path("fecha.db")).unwrap();
    holder.execute_batch("BEGIN IMMEDIATE").unwrap();
    let begun = Instant::now();
    let refused = reseller.run(&["pay", "2026-000001", "--on", "2026-11-05"]).expect(3).stderr;
    assert!(refused.contains("the ledger is busy"), "{refused}");
    let waited = begun.elapsed();
    assert!(Duration::from_secs(30) < waited && waited < Duration::from_secs(100), "{waited:?}");
    // Reading goes on meanwhile.
    reseller.run(&["receivables"]).expect(0);
}

/// A line on which nothing passes any more, and nobody is told.
#[test]
#[ignore = "long: it is given up after ten minutes"]
fn a_server_that_goes_silent_is_given_up() {
    let reseller = with_limits("lock_timeout = 0");
    let (before, database) = reseller.ledger_url().rsplit_once('/').unwrap();
    let port = before.rsplit(':').next().unwrap().parse().unwrap();
    let line = Line::to(port);
    let url = format!("postgres://postgres@127.0.0.1:{}/{database}", line.port);
    let mut holder = hold_the_counter(&reseller, 30);
    let mut close = reseller.command(&["close", "--month", "2026-10"]);
    let close = close.env("FECHA_LEDGER__URL", url).stderr(Stdio::piped()).spawn().unwrap();
    let waits = "SELECT COUNT(*) FROM pg_locks WHERE NOT granted";
    eventually("the close waits", || reseller.ledger_number(waits) > 0);
    line.set_frozen(true);
    holder.wait().unwrap();
    let begun = Instant::now();
    let ended = close.wait_with_output().unwrap();
    let error = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(3), "{error}");
    assert!(error.contains("could not be reached"), "{error}");
    assert!(begun.elapsed() < Duration::from_mins(14), "{:?}", begun.elapsed());
}
