//! What a close or a rerun would do, and the hash that binds its release to it, black-box.

use std::process::Stdio;
use std::time::Duration;

use rstest::rstest;
use serde_json::{Value, json};

use crate::support::reseller::{LedgerKind, Ran, Reseller};

const NOVEMBER: &str = "2026-11-30T12:00:00Z";

/// Two dealerships whose October is closed; of November `d1` has half of it and `d2` nothing, so that it is held.
fn held(ledger: LedgerKind) -> Reseller {
    let mut reseller = Reseller::new(ledger);
    reseller.register(&[("d1", "", "5000"), ("d2", "", "5000")]);
    for id in ["d1", "d2"] {
        reseller.add_contacts(id, 100, "2026-10-31T12:00:00Z");
    }
    reseller.run(&["close"]).expect(0);
    reseller.add_contacts("d1", 50, NOVEMBER);
    reseller.at("2026-12-02 12:00:00");
    reseller
}

fn dry(reseller: &Reseller) -> Value {
    reseller.run(&["close", "--dry-run", "--json"]).expect(1).json()
}

fn close(reseller: &Reseller, plan: &Value) -> Ran {
    let plan = plan.as_str().unwrap();
    reseller.run(&["close", "--plan", plan, "--by", "ana", "--json"])
}

#[rstest]
fn a_plan_says_what_would_be_issued_and_stays_the_same(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let mut reseller = held(ledger);
    let said = dry(&reseller);
    let invoices = said["invoices"].as_array().unwrap();
    assert_eq!(invoices.len(), 2);
    let first = &invoices[0];
    assert_eq!(first.get("number"), None);
    for (key, value) in [
        ("dealership_id", json!("d1")),
        ("month", json!("2026-11")),
        ("uam", json!(50)),
        ("package_amount", json!("1014.00")),
        ("total", json!("1014.00")),
        ("to_pay", json!("1014.00")),
        ("payment", json!("open")),
        ("issued_at", Value::Null),
    ] {
        assert_eq!(first[key], value, "{key}");
    }
    // Neither a day later nor a payment makes another one; the held close names it too.
    reseller.at("2026-12-03 12:00:00");
    reseller.run(&["pay", "2026-000001", "--on", "2026-12-01", "--by", "ana"]).expect(0);
    assert_eq!(dry(&reseller)["plan"], said["plan"]);
    assert_eq!(reseller.run(&["close", "--json"]).expect(1).json()["plan"], said["plan"]);
    let words = reseller.run(&["close"]).expect(1).stdout;
    let command = format!("fecha close --month 2026-11 --plan {}", said["plan"].as_str().unwrap());
    assert!(
        words
            .replace(" \\\n", " ")
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
            .contains(&command),
        "{words}"
    );
    // A credit does.
    reseller
        .run(&[
            "adjust",
            "--dealership",
            "d1",
            "--month",
            "2026-11",
            "--amount",
            "-1.00",
            "--description",
            "x",
            "--by",
            "ana",
        ])
        .expect(0);
    assert_ne!(dry(&reseller)["plan"], said["plan"]);
}

#[rstest]
fn what_was_seen_is_issued_or_nothing(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let reseller = held(ledger);
    let seen = dry(&reseller)["plan"].clone();
    // One more message arrives between the review and the release.
    reseller.add(&[(Some("d2"), "5548990000001", "in", "session", None, None, NOVEMBER)]);
    let refused = close(&reseller, &seen).expect(1).json();
    assert_eq!(refused["issued"], 0);
    assert_ne!(refused["plan"], seen);
    assert!(refused["held"].as_str().unwrap().contains("another plan"), "{refused}");
    assert_eq!(reseller.invoices(&["--month", "2026-11"]), [] as [Value; 0]);

    let words = reseller.run(&["close", "--plan", seen.as_str().unwrap(), "--by", "ana"]);
    let words = words.expect(1).stdout;
    assert!(words.contains("NOTHING ISSUED") && words.contains("--dry-run"), "{words}");

    let issued = close(&reseller, &refused["plan"]).expect(0).json();
    // It approved what was seen, and nothing that may come later.
    assert_eq!(reseller.ledger_number("SELECT COUNT(*) FROM released_month"), 0);
    assert_eq!((&issued["issued"], &issued["held"]), (&json!(2), &Value::Null));
    let audit = reseller.run(&["audit", "--month", "2026-11", "--json"]).expect(0).json();
    let release = audit.as_array().unwrap().iter().find(|deed| deed["action"] == "release");
    assert_eq!(release.unwrap()["actor"], "ana", "{audit}");
}

/// A close that was interrupted goes on by the plan that it began with.
#[rstest]
fn a_plan_that_is_half_done_is_still_the_same(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let reseller = held(ledger);
    let seen = dry(&reseller)["plan"].clone();
    reseller.run(&["close", "--dealership", "d1", "--release", "--by", "ana"]).expect(0);
    // Who releases one has not approved the month, which a daemon would go on with.
    assert_eq!(reseller.ledger_number("SELECT COUNT(*) FROM released_month"), 0);
    let named = ["close", "--dealership", "d2", "--dry-run", "--json"];
    assert_ne!(reseller.run(&named).expect(1).json()["plan"], seen, "another selection");
    let issued = close(&reseller, &seen).expect(0).json();
    assert_eq!((&issued["issued"], &issued["already_issued"]), (&json!(1), &json!(1)));
    assert_eq!(close(&reseller, &seen).expect(0).json()["issued"], 0, "and once more nothing");
}

#[rstest]
fn a_rerun_is_bound_to_its_plan_too(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let mut reseller = Reseller::new(ledger);
    reseller.register(&[("d1", "", "5000"), ("d2", "", "5000")]);
    reseller.add_contacts("d1", 10, "2026-10-31T12:00:00Z");
    reseller.run(&["close"]).expect(0);
    reseller.at("2026-11-03 12:00:00");
    let late = |contact| {
        reseller.add(&[(Some("d1"), contact, "out", "hsm", None, None, "2026-10-30T12:00:00Z")]);
    };
    let rerun = |more: &[&str]| {
        let rerun =
            ["rerun", "--month", "2026-10", "--all", "--reason", "x", "--by", "ana", "--json"];
        reseller.run(&[&rerun[..], more].concat())
    };
    late("5548990000001");
    let seen = rerun(&["--dry-run"]).expect(0).json();
    assert_eq!(seen["invoices"][0]["total"], "1014.46");
    assert_eq!(seen["invoices"][0]["reason"], "x");
    late("5548990000002");
    let plan = seen["plan"].as_str().unwrap();
    let refused = rerun(&["--plan", plan]).expect(1).json();
    assert_eq!(
        (&refused["revised"], reseller.invoices(&["--all-revisions"]).len()),
        (&json!([]), 2)
    );
    let now = refused["plan"].as_str().unwrap();
    assert!(refused["held"].as_str().unwrap().contains("another plan"), "{refused}");
    let revised = rerun(&["--plan", now]).expect(0).json();
    assert_eq!(revised["revised"][0]["total"], json!({"before": "1014.00", "after": "1014.92"}));
    // What stands as the plan wanted it is done: an interrupted rerun goes on, and one that is repeated ends well.
    let again = rerun(&["--plan", now]).expect(0).json();
    assert_eq!((&again["revised"], &again["unchanged"]), (&json!([]), &json!(2)));
}

#[test]
fn what_is_no_plan_is_refused() {
    let reseller = held(LedgerKind::Sqlite);
    let refused = reseller.run(&["close", "--plan", "3f9a"]).expect(2);
    assert!(
        refused.stderr.contains("'3f9a' is no plan: 64 hexadecimal digits"),
        "{}",
        refused.stderr
    );
}

/// A credit that is entered while the close has counted and not yet issued is not in the plan that was released.
#[test]
fn a_credit_that_comes_between_count_and_issue_is_not_issued_unseen() {
    let reseller = held(LedgerKind::Sqlite);
    let seen = dry(&reseller)["plan"].as_str().unwrap().to_owned();
    // Who holds the write lock lets the close count, and keeps it from issuing.
    let holder = rusqlite::Connection::open(reseller.path("fecha.db")).unwrap();
    holder.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut close = reseller.command(&["close", "--plan", &seen, "--by", "ana", "--json"]);
    let close = close.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    std::thread::sleep(Duration::from_secs(5));
    holder
        .execute_batch(
            "INSERT INTO adjustment (id, dealership_id, month, amount, description, entered_by, entered_at)
             VALUES (1, 'd1', '2026-11', -100, 'Desconto', 'bia', '2026-12-02T12:00:00.000Z'); COMMIT",
        )
        .unwrap();
    let output = close.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["issued"], 1, "{report}");
    let failed = &report["exceptions"][0];
    assert_eq!((&failed["dealership_id"], &failed["reason"]), (&json!("d1"), &json!("failed")));
    assert!(failed["detail"].as_str().unwrap().contains("since the plan was made"), "{failed}");
    let issued = reseller.invoices(&["--month", "2026-11"]);
    assert_eq!(issued.iter().map(|one| &one["dealership_id"]).collect::<Vec<_>>(), ["d2"]);
}
