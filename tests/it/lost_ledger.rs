//! A ledger that is not there, or not its own any more: nothing is made in its place by the way.

use std::fs;
use std::time::Duration;

use rstest::rstest;

use crate::daemon::{add_messages, all_done, invoices};
use crate::support::daemon::Shift;
use crate::support::reseller::{CONFIG, LedgerKind, Reseller};

const KEY: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

/// A command of each kind, and the daemon.
const COMMANDS: [&[&str]; 19] = [
    &["check"],
    &["export"],
    &["close"],
    &["close", "--dry-run"],
    &["preview"],
    &["verify", "--month", "2026-10"],
    &["rerun", "--month", "2026-10", "--all", "--reason", "x"],
    &["adjust"],
    &["adjust", "--dealership", "d1", "--month", "2026-10", "--amount", "1", "--description", "x"],
    &["cancel", "2026-000001", "--reason", "x"],
    &["pay", "2026-000001", "--on", "2026-11-01"],
    &["receivables"],
    &["invoices"],
    &["invoice", "2026-000001"],
    &["deliver"],
    &["outbox"],
    &["resend", "2026-000001"],
    &["status"],
    &["daemon"],
];
const IMPORT: [&str; 5] =
    ["import", "--dealerships", "dealerships.csv", "--contracts", "contracts.csv"];

/// What a ledger consists of where it is: files, or tables.
fn made(reseller: &Reseller, ledger: LedgerKind) -> bool {
    match ledger {
        LedgerKind::Sqlite => fs::metadata(reseller.path("fecha.db")).is_ok_and(|f| f.len() > 0),
        LedgerKind::Postgres => {
            let tables = "SELECT COUNT(*) FROM pg_tables WHERE schemaname = 'public'";
            reseller.ledger_number(tables) > 0
        }
    }
}

fn lose(reseller: &Reseller, ledger: LedgerKind) {
    match ledger {
        LedgerKind::Sqlite => fs::remove_file(reseller.path("fecha.db")).unwrap(),
        LedgerKind::Postgres => {
            reseller.ledger_sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public");
        }
    }
}

#[rstest]
fn only_an_import_makes_one(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let reseller = Reseller::new(ledger);
    for command in COMMANDS {
        let ran = reseller.run(command).expect(2);
        let said = format!("{}{}", ran.stdout, ran.stderr);
        assert!(said.contains("there is no ledger yet at"), "{command:?}: {said}");
        assert!(said.contains("fecha import"), "{command:?}: {said}");
        assert!(!made(&reseller, ledger), "{command:?}");
        assert!(!reseller.path("evidence.key").exists(), "{command:?}");
    }
    reseller.register(&[("d1", "", "5000")]);
    assert!(made(&reseller, ledger));
}

#[rstest]
fn one_that_is_gone_is_not_made_anew(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let reseller = Reseller::new(ledger);
    reseller.register(&[("d1", "", "5000")]);
    reseller.add_contacts("d1", 5, "2026-10-31T20:00:00Z");
    reseller.run(&["close"]).expect(0);
    lose(&reseller, ledger);
    for command in COMMANDS.into_iter().chain([&IMPORT[..]]) {
        let ran = reseller.run(command).expect(3);
        let said = format!("{}{}", ran.stdout, ran.stderr);
        for words in ["is gone", "evidence.key is its evidence key", "restore it", "--new-ledger"] {
            assert!(said.contains(words), "{command:?}: no '{words}' in {said}");
        }
        assert!(!made(&reseller, ledger), "{command:?}");
    }
    reseller.run(&[&IMPORT[..], &["--new-ledger"]].concat()).expect(0);
    assert_eq!(reseller.run(&["close", "--json"]).expect(0).json()["issued"], 1);
    // Said once more by mistake, it makes nothing of a ledger that is there.
    reseller.run(&[&IMPORT[..], &["--new-ledger"]].concat()).expect(0);
    assert_eq!(invoices(&reseller), 1);
}

#[test]
fn an_empty_file_is_no_ledger() {
    let reseller = Reseller::new(LedgerKind::Sqlite);
    fs::write(reseller.path("fecha.db"), "").unwrap();
    let said = reseller.run(&["status"]).expect(3).stderr;
    assert!(said.contains("the file is empty"), "{said}");
    reseller.write("dealerships.csv", "id,name\n");
    reseller.run(&["import", "--dealerships", "dealerships.csv"]).expect(3);
    assert_eq!(fs::metadata(reseller.path("fecha.db")).unwrap().len(), 0);
}

#[test]
fn a_key_in_the_environment_leaves_its_fingerprint() {
    let mut reseller = Reseller::new(LedgerKind::Sqlite);
    reseller.variables.push(("FECHA_EVIDENCE_KEY".to_owned(), KEY.to_owned()));
    reseller.register(&[("d1", "", "5000")]);
    assert!(!fs::read_to_string(reseller.path("evidence.fingerprint")).unwrap().contains(KEY));
    fs::remove_file(reseller.path("fecha.db")).unwrap();
    let said = reseller.run(&IMPORT).expect(3).stderr;
    assert!(said.contains("evidence.fingerprint"), "{said}");
}

#[test]
fn what_was_committed_last_is_not_mixed_into_a_new_one() {
    let reseller = Reseller::new(LedgerKind::Sqlite);
    reseller.write("fecha.db-wal", "left");
    reseller.register_fails(3, "fecha.db-wal was left beside it");
    let said = reseller.run(&[&IMPORT[..], &["--new-ledger"]].concat()).expect(2).stderr;
    assert!(said.contains("fecha.db-wal was left by an earlier ledger"), "{said}");
    assert!(!reseller.path("fecha.db").exists());
}

#[test]
fn the_database_of_somebody_else_gets_no_tables() {
    let reseller = Reseller::new(LedgerKind::Sqlite);
    reseller.write("fecha.toml", &CONFIG.replace("sqlite:fecha.db", "sqlite:messages.db"));
    let before = fs::read(reseller.path("messages.db")).unwrap();
    reseller.register_fails(2, "a SQLite database without fecha's tables");
    assert_eq!(fs::read(reseller.path("messages.db")).unwrap(), before);
}

#[test]
fn a_file_that_is_no_database_is_told_at_once() {
    let reseller = Reseller::new(LedgerKind::Sqlite);
    reseller.write("fecha.db", &"this is no database\n".repeat(500));
    let begun = std::time::Instant::now();
    let said = reseller.run(&["status"]).expect(2).stderr;
    assert!(said.contains("file is not a database"), "{said}");
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
}

/// What happens to the file under a daemon that runs.
#[derive(Debug, Clone, Copy)]
enum Mishap {
    Deleted,
    Replaced,
}

#[rstest]
fn a_daemon_ends_where_its_file_is_another_one(
    #[values(Mishap::Deleted, Mishap::Replaced)] mishap: Mishap,
) {
    let reseller = Reseller::new(LedgerKind::Sqlite);
    reseller.register(&[("d1", "", "5000"), ("d2", "", "5000")]);
    add_messages(&reseller, &["d1", "d2"]);
    let mut shift = Shift::new(&reseller, "2026-10-15T12:00:00Z");
    let daemon = shift.start();
    daemon.says("the daemon runs");
    shift.set("2026-11-01T03:05:00Z");
    all_done(&reseller, 2);
    let mails = || fs::read_dir(reseller.path("mail")).unwrap().count();
    let mailed = mails();
    let file = reseller.path("fecha.db");
    let backup = "VACUUM INTO 'backup.db'";
    rusqlite::Connection::open(&file)
        .unwrap()
        .execute(
            &backup.replace("backup.db", &reseller.path("backup.db").display().to_string()),
            (),
        )
        .unwrap();
    match mishap {
        Mishap::Deleted => fs::remove_file(&file).unwrap(),
        Mishap::Replaced => {
            for beside in ["fecha.db-wal", "fecha.db-shm"] {
                fs::remove_file(reseller.path(beside)).unwrap();
            }
            fs::rename(reseller.path("backup.db"), &file).unwrap();
        }
    }
    // A month ends in the same moment: nothing of it is issued into a file that nobody sees.
    shift.set("2026-12-01T03:05:00Z");
    let (status, log) = daemon.ends();
    assert_eq!(status.code(), Some(3), "{log}");
    assert!(log.contains("was deleted or replaced while it was in use"), "{log}");
    assert_eq!(mails(), mailed, "{log}");
    match mishap {
        Mishap::Deleted => {
            let (status, log) = shift.start().ends();
            assert_eq!(status.code(), Some(3), "{log}");
            assert!(log.contains("is gone"), "{log}");
            assert!(!file.exists());
        }
        Mishap::Replaced => {
            assert_eq!(invoices(&reseller), 2);
            let _daemon = shift.start();
            all_done(&reseller, 4);
        }
    }
}
