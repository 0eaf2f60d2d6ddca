//! `fecha backup`: a copy that is whole while others write, that changes nothing, and that replaces nothing else.

use std::fs;
use std::os::unix::fs::{FileExt as _, PermissionsExt as _};
use std::path::Path;
use std::process::Command;

use rstest::rstest;
use sha2::{Digest as _, Sha256};

use crate::support::daemon::Shift;
use crate::support::reseller::{LedgerKind, Reseller};

/// Two dealerships, October closed.
fn closed(ledger: LedgerKind) -> Reseller {
    let reseller = Reseller::new(ledger);
    reseller.register(&[("d1", "", "5000"), ("d2", "", "5000")]);
    reseller.add_contacts("d1", 3, "2026-10-31T12:00:00Z");
    reseller.run(&["close"]).expect(0);
    reseller
}

fn sha256(path: &Path) -> String {
    hex::encode(Sha256::digest(fs::read(path).unwrap()))
}

#[test]
fn a_copy_is_a_ledger_that_can_be_worked_with() {
    let reseller = closed(LedgerKind::Sqlite);
    let told = reseller.run(&["backup", "copy.db", "--json"]).expect(0).json();
    let copy = reseller.path("copy.db");
    assert_eq!(told["bytes"].as_u64(), Some(fs::metadata(&copy).unwrap().len()));
    assert_eq!(told["sha256"], sha256(&copy));
    assert_eq!(told["documents"], 2);
    assert_eq!(told["wrong_key"], serde_json::Value::Null);
    let sql = "SELECT value FROM meta WHERE name = 'evidence_key'";
    assert_eq!(told["evidence_key"], reseller.ledger_texts(sql)[0]);
    assert_eq!(fs::metadata(&copy).unwrap().permissions().mode() & 0o777, 0o600);
    let folder: Vec<_> =
        fs::read_dir(reseller.path("")).unwrap().map(|one| one.unwrap().file_name()).collect();
    assert!(!folder.iter().any(|name| name.to_str().unwrap().starts_with(".fecha.")), "{folder:?}");

    // In the place of the ledger.
    let before = reseller.invoices(&[]);
    reseller.add_contacts("d1", 5, "2026-11-30T20:00:00Z");
    for suffix in ["", "-wal", "-shm"] {
        let _ = fs::remove_file(reseller.path(&format!("fecha.db{suffix}")));
    }
    fs::copy(&copy, reseller.path("fecha.db")).unwrap();
    assert_eq!(reseller.invoices(&[]), before);
    reseller.run(&["verify", "--month", "2026-10"]).expect(0);
    let mut reseller = reseller;
    reseller.at("2026-12-02 03:00:00").run(&["close", "--month", "2026-11"]).expect(0);
    assert_eq!(reseller.invoices(&["--month", "2026-11"]).len(), 2);
}

/// While a close issues, each copy is a ledger of some moment of it: it holds an unbroken row of numbers, and all
/// that was there before.
#[test]
fn a_copy_made_while_a_close_writes_is_whole() {
    let reseller = Reseller::new(LedgerKind::Sqlite);
    let ids: Vec<String> = (0..150).map(|index| format!("d{index:03}")).collect();
    let rows: Vec<(&str, &str, &str)> = ids.iter().map(|id| (id.as_str(), "", "5000")).collect();
    reseller.register(&rows);
    reseller.add_contacts("d000", 3, "2026-10-31T12:00:00Z");
    let mut close = reseller.command(&["close"]).spawn().unwrap();
    let mut copies: Vec<i64> = Vec::new();
    while close.try_wait().unwrap().is_none() {
        let told = reseller.run(&["backup", "copy.db", "--json"]).expect(0).json();
        let copy = rusqlite::Connection::open(reseller.path("copy.db")).unwrap();
        let ask = |sql: &str| copy.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
        let documents = told["documents"].as_i64().unwrap();
        assert_eq!(ask("SELECT COUNT(DISTINCT number) FROM revision"), documents);
        assert_eq!(
            ask("SELECT COUNT(*) FROM file WHERE kind = 'invoice'"),
            documents,
            "documents go along"
        );
        if documents > 0 {
            let last: String =
                copy.query_row("SELECT MAX(number) FROM revision", [], |row| row.get(0)).unwrap();
            assert_eq!(last, format!("2026-{documents:06}"), "no number lacks");
        }
        assert!(copies.last().is_none_or(|before| *before <= documents));
        copies.push(documents);
    }
    assert_eq!(reseller.invoices(&[]).len(), 150);
    assert!(copies.len() > 1, "the close was over before a copy was made");
}

#[test]
fn an_older_ledger_is_copied_as_it_is() {
    let reseller = Reseller::of_0_1(LedgerKind::Sqlite);
    let before = sha256(&reseller.path("fecha.db"));
    let told = reseller.run(&["backup", "copy.db", "--json"]).expect(0).json();
    assert_eq!(sha256(&reseller.path("fecha.db")), before, "it was not brought up to date");
    let copy = rusqlite::Connection::open(reseller.path("copy.db")).unwrap();
    let ask = |sql: &str| copy.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    let schema = ask("SELECT MAX(version) FROM _sqlx_migrations");
    assert_eq!(told["schema"], schema);
    assert!(schema < 7, "0.1 had fewer migrations: {schema}");
    assert_eq!(told["documents"], ask("SELECT COUNT(*) FROM revision"));
    drop(copy);
    // And can be opened by this version.
    fs::rename(reseller.path("copy.db"), reseller.path("fecha.db")).unwrap();
    assert!(!reseller.invoices(&[]).is_empty());
}

#[test]
fn only_a_backup_is_replaced() {
    let reseller = closed(LedgerKind::Sqlite);
    let refused =
        |arguments: &[&str]| reseller.run(&[&["backup"], arguments].concat()).expect(2).stderr;
    reseller.run(&["backup", "copy.db"]).expect(0);
    let first = sha256(&reseller.path("copy.db"));
    reseller
        .run(&[
            "adjust",
            "--dealership",
            "d1",
            "--month",
            "2026-11",
            "--amount",
            "1.00",
            "--description",
            "x",
        ])
        .expect(0);
    reseller.run(&["backup", "copy.db"]).expect(0);
    assert_ne!(sha256(&reseller.path("copy.db")), first);

    // Another database, also one of fecha's that is at work.
    let ledger = sha256(&reseller.path("fecha.db"));
    fs::copy(reseller.path("fecha.db"), reseller.path("other.db")).unwrap();
    assert!(refused(&["other.db"]).contains("it is not a backup of a ledger. --force replaces it"));
    for own in ["fecha.db", "messages.db", "evidence.key"] {
        let said = refused(&[own, "--force"]);
        assert!(said.contains("which --force does not replace either"), "{said}");
    }
    assert!(refused(&["fecha.toml"]).contains("it is the configuration"));
    assert_eq!(sha256(&reseller.path("fecha.db")), ledger);
    reseller.run(&["backup", "other.db", "--force"]).expect(0);

    // One that somebody has open.
    fs::write(reseller.path("copy.db-wal"), "x").unwrap();
    assert!(refused(&["copy.db"]).contains("copy.db-wal lies beside it"));
    assert!(refused(&["missing/copy.db"]).contains("missing/copy.db cannot be written: "));
    assert!(refused(&["-", "--json"]).contains("cannot share standard output"));
}

#[test]
fn it_goes_to_standard_output_too() {
    let reseller = closed(LedgerKind::Sqlite);
    let output = reseller.command(&["backup", "-"]).output().unwrap();
    assert!(output.status.success());
    assert!(output.stdout.starts_with(b"SQLite format 3\0"));
    let told = String::from_utf8(output.stderr).unwrap();
    let sha256 = hex::encode(Sha256::digest(&output.stdout));
    assert!(told.contains(&format!("sha256 {sha256}")), "{told}");
}

#[test]
fn the_key_that_a_ledger_needs_is_asked_for() {
    let reseller = closed(LedgerKind::Sqlite);
    fs::rename(reseller.path("evidence.key"), reseller.path("elsewhere")).unwrap();
    let told = reseller.run(&["backup", "copy.db"]).expect(1);
    assert!(
        told.stdout
            .contains("is not here: the evidence key is not the one of this ledger but gone"),
        "{}",
        told.stdout
    );
    assert!(!reseller.path("evidence.key").exists(), "none is made");
    reseller.run(&["status"]).expect(2);
}

#[test]
fn a_damaged_ledger_gives_no_copy() {
    let reseller = closed(LedgerKind::Sqlite);
    reseller.run(&["backup", "earlier.db"]).expect(0);
    let earlier = sha256(&reseller.path("earlier.db"));
    let ledger = fs::OpenOptions::new().write(true).open(reseller.path("fecha.db")).unwrap();
    let pages = ledger.metadata().unwrap().len() / 4096;
    for page in 2..pages {
        ledger.write_all_at(&[0xA5; 512], page * 4096).unwrap();
    }
    let refused = reseller.run(&["backup", "earlier.db"]);
    assert_ne!(refused.status, 0, "{}", refused.stdout);
    assert!(
        refused.stderr.contains("malformed") || refused.stderr.contains("damaged"),
        "{}",
        refused.stderr
    );
    assert_eq!(sha256(&reseller.path("earlier.db")), earlier, "what was there is there");
}

#[rstest]
#[case("missing.db", "no ledger")]
#[case("messages.db", "without fecha's tables")]
fn what_is_no_ledger_is_not_copied(#[case] file: &str, #[case] said: &str) {
    let mut reseller = Reseller::new(LedgerKind::Sqlite);
    reseller.variables.push(("FECHA_LEDGER__URL".into(), format!("sqlite:{file}")));
    let refused = reseller.run(&["backup", "copy.db"]).expect(2).stderr;
    assert!(refused.contains(said), "{refused}");
    assert!(!reseller.path("copy.db").exists() && !reseller.path("missing.db").exists());
}

#[test]
fn of_a_postgresql_ledger_the_command_is_told() {
    let reseller = closed(LedgerKind::Postgres);
    let told = reseller.run(&["backup", "my copy.dump", "--json"]).expect(1).json();
    assert_eq!(told["documents"], 2);
    let command = told["command"].as_str().unwrap();
    assert!(command.starts_with("pg_dump --format=custom --file='my copy.dump' "), "{command}");
    let run = Command::new("sh").args(["-c", command]).current_dir(reseller.path("")).output();
    let run = run.unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    assert!(fs::read(reseller.path("my copy.dump")).unwrap().starts_with(b"PGDMP"));
    let words = reseller.run(&["backup", "x.dump"]).expect(1).stdout;
    assert!(words.contains("No copy was made") && words.contains("~/.pgpass"), "{words}");
    assert!(!reseller.path("x.dump").exists());
}

#[test]
fn a_copy_does_not_wait_for_a_daemon() {
    let reseller = closed(LedgerKind::Sqlite);
    let mut shift = Shift::new(&reseller, "2026-11-02T03:00:00Z");
    let daemon = shift.start();
    daemon.says("first_month");
    let told = reseller.run(&["backup", "copy.db", "--json"]).expect(0).json();
    assert_eq!(told["documents"], 2);
    daemon.terminate();
}
