//! The audit log: every deed is in it, and the ledger itself refuses to change what was written.

use rstest::rstest;
use serde_json::Value;

use crate::support::reseller::{LedgerKind, Reseller};

const NOON: &str = "2026-10-31T15:00:00Z";

fn reseller(ledger: LedgerKind) -> Reseller {
    let mut reseller = Reseller::new(ledger);
    reseller.variables.push(("SUDO_USER".into(), "ana".into()));
    reseller.register(&[("d1", "", "5000"), ("d2", "", "5000")]);
    reseller.add_contacts("d1", 3, NOON);
    reseller.run(&["close"]).expect(0);
    reseller
}

#[rstest]
fn who_did_what_and_why(#[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind) {
    let mut reseller = reseller(ledger);
    reseller.at("2026-11-03 15:00:00");
    reseller.add(&[(Some("d1"), "5548980000001", "out", "hsm", None, None, NOON)]);
    let rerun = ["rerun", "--month", "2026-10", "--all", "--reason", "chegaram depois"];
    reseller.run(&[&rerun[..], &["--by", "bia"]].concat()).expect(0);
    reseller.run(&["resend", "2026-000002"]).expect(0);

    let log = reseller.run(&["audit", "--json"]).expect(0).json();
    let actions: Vec<&str> =
        log.as_array().unwrap().iter().map(|entry| entry["action"].as_str().unwrap()).collect();
    assert_eq!(actions.iter().filter(|action| **action == "issue").count(), 2, "{actions:?}");
    for action in ["import", "rerun", "resend"] {
        assert!(actions.contains(&action), "{actions:?}");
    }
    let of_d1 = ["audit", "--month", "2026-10", "--dealership", "d1", "--json"];
    let of_d1: Vec<Value> = reseller.run(&of_d1).expect(0).json().as_array().unwrap().clone();
    assert_eq!(of_d1.len(), 2);
    assert_eq!((&of_d1[0]["action"], &of_d1[0]["actor"]), (&"issue".into(), &"ana".into()));
    assert_eq!(of_d1[1]["actor"], "bia");
    let detail = of_d1[1]["detail"].as_str().unwrap();
    for part in ["2026-000001-R1 1014.46", "late", "chegaram depois", "entered by ana"] {
        assert!(detail.contains(part), "{part} is missing: {detail}");
    }
    let words = reseller.run(&["audit"]).expect(0).stdout;
    assert!(words.contains("rerun by bia 2026-10 d1"), "{words}");
}

#[rstest]
fn what_was_written_cannot_be_changed(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let reseller = reseller(ledger);
    for sql in [
        "UPDATE audit SET actor = 'nobody'",
        "DELETE FROM audit",
        "UPDATE revision SET content = '{}'",
        "DELETE FROM revision",
        "UPDATE file SET bytes = bytes",
        "DELETE FROM file",
        "UPDATE invoice SET dealership_id = 'd2'",
        "DELETE FROM invoice",
    ] {
        assert!(reseller.refuses(sql), "{sql} was not refused");
    }
    assert!(!reseller.refuses("UPDATE revision SET digest = digest"));
    // A ledger of before gets its triggers when it is opened.
    reseller.ledger_sql(match ledger {
        LedgerKind::Sqlite => "DROP TRIGGER fecha_keeps_audit_delete",
        LedgerKind::Postgres => "DROP TRIGGER fecha_keeps_audit_delete ON audit",
    });
    reseller.run(&["audit"]).expect(0);
    assert!(reseller.refuses("DELETE FROM audit"));
}
