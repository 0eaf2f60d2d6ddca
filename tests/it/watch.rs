//! What the daemon looks after each morning, black-box on a clock that the tests set.

use std::time::Duration;

use rstest::rstest;
use serde_json::Value;

use crate::daemon::{add_messages, all_done, reseller};
use crate::support::daemon::{Shift, eventually};
use crate::support::reseller::{DEALERSHIP_HEADER, LedgerKind, Reseller, dealership};

const OCTOBER: &str = "2026-10-31T15:00:00Z";

fn looks(reseller: &Reseller, subject: &str) -> i64 {
    reseller.ledger_number(&format!("SELECT SUM(count) FROM look WHERE subject = '{subject}'"))
}

#[track_caller]
fn looked(reseller: &Reseller, subject: &str, times: i64) {
    eventually(&format!("{subject} was looked at {times} times"), || {
        looks(reseller, subject) == times
    });
}

/// Subject and recipient of the emails of this kind.
fn mailed(reseller: &Reseller, kind: &str) -> Vec<(String, String)> {
    let text = |email: &Value, key: &str| email[key].as_str().unwrap().to_owned();
    let outbox = reseller.outbox();
    let of_kind = outbox.iter().filter(|email| email["kind"] == kind);
    of_kind.map(|email| (text(email, "to"), text(email, "subject"))).collect()
}

/// Three dealerships whose October the daemon has closed.
fn closed(ledger: LedgerKind) -> Reseller {
    let reseller = reseller(ledger, &[]);
    reseller.register(&[("d1", "", "5000"), ("d2", "", "5000"), ("d3", "", "5000")]);
    add_messages(&reseller, &["d1", "d2", "d3"]);
    reseller
}

fn late(reseller: &Reseller, id: &str, contact: &str) {
    reseller.add(&[(Some(id), contact, "out", "hsm", Some("oferta"), None, OCTOBER)]);
}

#[rstest]
fn a_month_that_changed_after_its_close_is_told_once(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let reseller = closed(ledger);
    let mut shift = Shift::new(&reseller, "2026-10-15T12:00:00Z");
    let daemon = shift.start();
    daemon.says("the daemon runs");
    shift.set("2026-11-01T03:05:00Z");
    all_done(&reseller, 3);
    late(&reseller, "d1", "5548990000077");
    late(&reseller, "d1", "5548990000077");
    let issued = reseller.invoices(&["--all-revisions"]);

    // 8:00 in Brasília on the day after.
    shift.set("2026-11-02T10:50:00Z");
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!(looks(&reseller, "verify"), 0);
    shift.set("2026-11-02T11:00:00Z");
    looked(&reseller, "verify", 1);
    let subject = "Atenção: outubro de 2026 mudou depois do fechamento: 1 concessionária";
    let to = |address: &str| (address.to_owned(), subject.to_owned());
    let expected = [to("financeiro@example.com"), to("ti@example.com")];
    assert_eq!(mailed(&reseller, "alert"), expected);
    all_done(&reseller, 3);

    // The same is not told again, be it by another process; one more change is.
    daemon.kill();
    shift.set("2026-11-03T12:00:00Z");
    let daemon = shift.start();
    looked(&reseller, "verify", 2);
    assert_eq!(mailed(&reseller, "alert"), expected);
    late(&reseller, "d2", "5548990000078");
    shift.set("2026-11-04T12:00:00Z");
    looked(&reseller, "verify", 3);
    assert_eq!(mailed(&reseller, "alert").len(), 4);
    if matches!(ledger, LedgerKind::Sqlite) {
        insta::assert_snapshot!("drift", last_alert(&reseller));
    }

    // Three days, and no longer; and no invoice was touched.
    late(&reseller, "d3", "5548990000079");
    shift.set("2026-11-05T12:00:00Z");
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!(looks(&reseller, "verify"), 3);
    // But once a week all closed months are looked back at: history may arrive long after.
    shift.set("2026-11-11T12:00:00Z");
    looked(&reseller, "verify", 4);
    assert_eq!(mailed(&reseller, "alert").len(), 6);
    assert!(!daemon.log().contains("ERROR"), "{}", daemon.log());
    assert_eq!(reseller.invoices(&["--all-revisions"]), issued);
}

/// Both parts of the latest alert, a paragraph a line.
fn last_alert(reseller: &Reseller) -> String {
    let ledger = rusqlite::Connection::open(reseller.path("fecha.db")).unwrap();
    let last = "SELECT content FROM outbox WHERE kind = 'alert' ORDER BY id DESC LIMIT 1";
    let content: String = ledger.query_row(last, [], |row| row.get(0)).unwrap();
    let content: Value = serde_json::from_str(&content).unwrap();
    let part = |key: &str| content["alert"][key].as_str().unwrap().replace("\n\n", "\n");
    format!("{}\n\n{}\n\n{}", part("subject"), part("happened"), part("todo"))
}

#[test]
fn what_was_entered_on_purpose_is_no_drift_and_a_damaged_ledger_is() {
    let reseller = closed(LedgerKind::Sqlite);
    let mut shift = Shift::new(&reseller, "2026-10-15T12:00:00Z");
    let daemon = shift.start();
    daemon.says("the daemon runs");
    shift.set("2026-11-01T03:05:00Z");
    all_done(&reseller, 3);
    let adjust = ["adjust", "--dealership", "d1", "--month", "2026-10", "--amount", "-10.00"];
    reseller.run(&[&adjust[..], &["--description", "Desconto"]].concat()).expect(0);
    shift.set("2026-11-02T12:00:00Z");
    looked(&reseller, "verify", 1);
    assert_eq!(mailed(&reseller, "alert"), []);

    reseller.tamper("DELETE FROM file WHERE number = '2026-000002' AND kind = 'statement'");
    shift.set("2026-11-03T12:00:00Z");
    looked(&reseller, "verify", 2);
    assert_eq!(mailed(&reseller, "alert").len(), 2);
    let alert = last_alert(&reseller);
    assert!(alert.contains("O próprio ledger não está íntegro: 1 problema."), "{alert}");
    assert!(alert.contains("`fecha verify --month 2026-10`"), "{alert}");
}

#[test]
fn it_waits_for_a_message_database_that_is_away() {
    let reseller = closed(LedgerKind::Sqlite);
    let mut shift = Shift::new(&reseller, "2026-10-15T12:00:00Z");
    let daemon = shift.start();
    daemon.says("the daemon runs");
    shift.set("2026-11-01T03:05:00Z");
    all_done(&reseller, 3);
    late(&reseller, "d1", "5548990000077");
    let (here, away) = (reseller.path("messages.db"), reseller.path("away.db"));
    std::fs::rename(&here, &away).unwrap();
    shift.set("2026-11-02T12:00:00Z");
    daemon.says("what is looked after each morning waits");
    assert_eq!(looks(&reseller, "verify"), 0);
    std::fs::rename(&away, &here).unwrap();
    looked(&reseller, "verify", 1);
    assert_eq!(mailed(&reseller, "alert").len(), 2);
}

/// d1, d2 and d3 with packages of 5,000; `yes` and `no` as the register says.
fn packages(ledger: LedgerKind, configured: bool, words: [&str; 3]) -> Reseller {
    let alerts = format!("[alerts]\npackage_use = {configured}\n[email]");
    let reseller = reseller(ledger, &[("[email]", &alerts)]);
    let mut people = DEALERSHIP_HEADER.replace('\n', ",package_use\n");
    let mut contracts = "dealership_id,from_month,package\n".to_owned();
    for (id, word) in ["d1", "d2", "d3"].into_iter().zip(words) {
        people += &dealership(id, "").replace('\n', &format!(",{word}\n"));
        contracts += &format!("{id},2026-01,5000\n");
    }
    reseller.write("people.csv", &people);
    reseller.write("packages.csv", &contracts);
    reseller
        .run(&["import", "--dealerships", "people.csv", "--contracts", "packages.csv"])
        .expect(0);
    reseller.run(&["export", "--dealerships", "out.csv"]).expect(0);
    assert_eq!(std::fs::read_to_string(reseller.path("out.csv")).unwrap(), people);
    reseller
}

#[rstest]
fn each_threshold_of_a_package_is_told_once(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let reseller = packages(ledger, true, ["", "", "no"]);
    for id in ["d1", "d2", "d3"] {
        reseller.add_contacts(id, 4012, "2026-11-03T12:00:00Z");
    }
    let mut shift = Shift::new(&reseller, "2026-11-05T10:00:00Z");
    let daemon = shift.start();
    daemon.says("the daemon runs");
    shift.set("2026-11-05T11:00:00Z");
    looked(&reseller, "package_use", 1);
    let told = |id: &str, what: &str| {
        (format!("{id}@example.com"), format!("Contatos: {what}) · novembro de 2026"))
    };
    let both =
        [told("d1", "4.012 de 5.000 (80% do pacote"), told("d2", "4.012 de 5.000 (80% do pacote")];
    assert_eq!(mailed(&reseller, "package_use"), both);

    // Nothing new the next morning, be it another process; then one of them uses it up.
    daemon.kill();
    shift.set("2026-11-06T11:00:00Z");
    let daemon = shift.start();
    looked(&reseller, "package_use", 2);
    assert_eq!(mailed(&reseller, "package_use"), both);
    reseller.add_contacts("d2", 5012, "2026-11-06T12:00:00Z");
    shift.set("2026-11-07T11:00:00Z");
    looked(&reseller, "package_use", 3);
    let full = told("d2", "5.012 de 5.000 (pacote todo usado");
    assert_eq!(mailed(&reseller, "package_use")[2..], [full]);
    eventually("all are sent", || {
        reseller.ledger_number("SELECT COUNT(*) FROM outbox WHERE state <> 'sent'") == 0
    });
    assert!(!daemon.log().contains("example.com\""), "{}", daemon.log());
}

#[test]
fn who_passes_both_thresholds_at_once_is_told_of_the_second() {
    let reseller = packages(LedgerKind::Sqlite, false, ["yes", "", "no"]);
    for id in ["d1", "d2", "d3"] {
        reseller.add_contacts(id, 5000, "2026-11-03T12:00:00Z");
    }
    let mut shift = Shift::new(&reseller, "2026-11-05T12:00:00Z");
    let daemon = shift.start();
    daemon.says("told dealerships of their packages");
    let mailed = mailed(&reseller, "package_use");
    let [(to, subject)] = mailed.as_slice() else { panic!("{mailed:?}") };
    assert_eq!(to, "d1@example.com");
    assert_eq!(subject, "Contatos: 5.000 de 5.000 (pacote todo usado) · novembro de 2026");
    assert_eq!(reseller.ledger_number("SELECT threshold FROM package_notice"), 100);
}

#[test]
fn nobody_is_told_of_a_package_by_default() {
    let reseller = reseller(LedgerKind::Sqlite, &[]);
    reseller.register(&[("d1", "", "5000")]);
    reseller.add_contacts("d1", 5000, "2026-11-03T12:00:00Z");
    let mut shift = Shift::new(&reseller, "2026-11-05T12:00:00Z");
    let daemon = shift.start();
    daemon.says("the daemon runs");
    std::thread::sleep(Duration::from_secs(1));
    assert!(reseller.outbox().is_empty());
}
