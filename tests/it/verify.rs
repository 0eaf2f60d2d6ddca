//! Verification, black-box: every difference is found and named, nothing is changed, and a ledger that
//! was tampered with is not called whole.

use rstest::rstest;
use serde_json::{Value, json};

use crate::support::reseller::{CONFIG, DEALERSHIP_HEADER, LedgerKind, Reseller, dealership};

const NOON: &str = "2026-10-31T15:00:00Z";
const MONTH: [&str; 3] = ["--month", "2026-10", "--json"];

/// Three dealerships, closed. d1 has one contact less than its package, so that two more cost.
fn closed(ledger: LedgerKind) -> Reseller {
    let reseller = Reseller::new(ledger);
    reseller.register(&[("d1", "", "5000"), ("d2", "", "5000"), ("d3", "", "5000")]);
    reseller.add_contacts("d1", 4999, "2026-10-31T10:00:00Z");
    for id in ["d2", "d3"] {
        reseller.add(&[
            (Some(id), "5548990000001", "out", "hsm", Some("oferta"), None, NOON),
            (Some(id), "5548990000002", "in", "session", None, None, NOON),
        ]);
    }
    reseller.run(&["close"]).expect(0);
    reseller
}

fn verify(reseller: &Reseller, status: i32) -> Value {
    reseller.run(&[&["verify"], &MONTH[..]].concat()).expect(status).json()
}

#[rstest]
fn what_is_as_invoiced_agrees(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let reseller = closed(ledger);
    let expected =
        json!({"month": "2026-10", "agrees": 3, "differs": [], "purged": [], "problems": []});
    assert_eq!(verify(&reseller, 0), expected);
    let words = reseller.run(&["verify", "--month", "2026-10"]).expect(0).stdout;
    assert!(words.contains("3 of 3 invoices would be the same today"), "{words}");
    assert!(words.contains("The ledger is whole"), "{words}");
}

#[rstest]
fn every_difference_is_named_and_nothing_changes(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let reseller = closed(ledger);
    let (invoices, outbox) = (reseller.invoices(&["--all-revisions"]), reseller.outbox());
    reseller.add(&[
        (Some("d1"), "5548980000001", "in", "session", None, None, NOON),
        (Some("d1"), "5548980000002", "out", "hsm", None, None, NOON),
        (Some("d1"), "5548990000000", "in", "session", None, None, NOON),
    ]);
    reseller
        .messages()
        .execute_batch("DELETE FROM message WHERE dealership_id = 'd2' AND kind = 'hsm'")
        .unwrap();
    let moved = dealership("d3", "").replace("Curitiba", "Londrina");
    reseller.write("moved.csv", &format!("{DEALERSHIP_HEADER}{moved}"));
    reseller.write("more.csv", "dealership_id,from_month,package\nd3,2026-10,10000\n");
    reseller.run(&["import", "--dealerships", "moved.csv", "--contracts", "more.csv"]).expect(0);

    let found = verify(&reseller, 1);
    assert_eq!((&found["agrees"], &found["problems"]), (&json!(0), &json!([])));
    let [d1, d2, d3] = found["differs"].as_array().unwrap().as_slice() else { panic!("{found}") };
    assert_eq!(d1["number"], "2026-000001");
    assert_eq!(d1["dealership_id"], "d1");
    assert_eq!(d1["uam"], json!({"invoiced": 4999, "now": 5001}));
    assert_eq!(d1["hsm"], json!({"invoiced": 0, "now": 1}));
    assert_eq!(d1["total"], json!({"invoiced": "1014.00", "now": "1014.75"}));
    assert_eq!(d1["contacts"], json!({"new": 2, "gone": 0, "more": 1, "fewer": 0}));
    assert_eq!(d1["causes"], json!(["late"]));
    assert_eq!(d2["contacts"], json!({"new": 0, "gone": 1, "more": 0, "fewer": 0}));
    assert_eq!(d2["causes"], json!(["loss"]));
    assert_eq!(d3["causes"], json!(["contract", "register"]));
    assert_eq!(d3["register"], json!([{"field": "city", "before": "Curitiba", "now": "Londrina"}]));
    assert_eq!(d3["total"]["now"], "1827.46");

    let words = reseller.run(&["verify", "--month", "2026-10"]).expect(1).stdout;
    for part in ["2 contacts new", "1 contact gone", "package 5.000 → 10.000", "'Londrina'"] {
        assert!(words.contains(part), "{part} is missing: {words}");
    }
    assert_eq!(reseller.invoices(&["--all-revisions"]), invoices);
    assert_eq!(reseller.outbox(), outbox);
}

#[test]
fn another_price_is_a_difference() {
    let reseller = closed(LedgerKind::Sqlite);
    reseller.write("fecha.toml", &CONFIG.replacen("hsm = \"0.46\"", "hsm = \"0.50\"", 1));
    let found = verify(&reseller, 1);
    assert_eq!(found["differs"].as_array().unwrap().len(), 3, "d1's line prints the price too");
    assert_eq!(found["differs"][1]["causes"], json!(["price"]));
    assert_eq!(found["differs"][1]["total"], json!({"invoiced": "1014.46", "now": "1014.50"}));

    reseller.write("fecha.toml", &CONFIG.replacen("{ contacts = 5000", "{ contacts = 6000", 1));
    let found = verify(&reseller, 1);
    assert_eq!(found["differs"][0]["causes"], json!(["price"]));
    assert_eq!(found["differs"][0]["total"], json!({"invoiced": "1014.00", "now": null}));
    let words = reseller.run(&["verify", "--month", "2026-10"]).expect(1).stdout;
    assert!(words.contains("no package of 5000 contacts"), "{words}");
}

#[test]
fn a_month_whose_messages_were_purged_is_recognised() {
    let reseller = closed(LedgerKind::Sqlite);
    reseller.messages().execute_batch("DELETE FROM message").unwrap();
    reseller.add_contacts("d1", 10, "2026-11-01T12:00:00Z");
    let found = verify(&reseller, 1);
    assert_eq!((&found["agrees"], &found["differs"]), (&json!(0), &json!([])));
    assert_eq!(found["purged"].as_array().unwrap().len(), 3);
    let words = reseller.run(&["verify", "--month", "2026-10"]).expect(1).stdout;
    assert!(words.contains("3 invoices cannot be compared"), "{words}");
}

#[test]
fn a_month_whose_older_messages_were_purged_is_recognised() {
    let reseller = Reseller::new(LedgerKind::Sqlite);
    reseller.register(&[("d1", "", "5000"), ("d2", "", "5000"), ("d3", "", "5000")]);
    for id in ["d1", "d2"] {
        reseller.add_contacts(id, 30, "2026-10-05T12:00:00Z");
        reseller.add_contacts(id, 40, "2026-10-20T12:00:00Z");
    }
    reseller.add_contacts("d3", 5, "2026-10-31T12:00:00Z");
    reseller.run(&["close"]).expect(0);
    let delete = |what: &str| {
        let milliseconds = "CAST(strftime('%s', '2026-10-10') AS INTEGER) * 1000";
        let sql = format!("DELETE FROM message WHERE {}", what.replace("DAY", milliseconds));
        reseller.messages().execute_batch(&sql).unwrap();
    };
    // The very first messages alone: that may be anything, so it is a loss.
    delete("rowid = 1");
    let found = verify(&reseller, 1);
    assert_eq!((&found["purged"], &found["differs"][0]["causes"]), (&json!([]), &json!(["loss"])));

    delete("sent_at < DAY");
    let found = verify(&reseller, 1);
    assert_eq!((&found["agrees"], &found["differs"]), (&json!(1), &json!([])));
    let purged = json!({"number": "2026-000002", "dealership_id": "d2",
        "left_from": "2026-10-20T12:00:00Z"});
    assert_eq!(found["purged"][1], purged);
    let words = reseller.run(&["verify", "--month", "2026-10"]).expect(1).stdout;
    let said = "For 2 of them only messages before 2026-10-20 12:00 UTC are missing.";
    assert!(words.contains(said), "{words}");

    let rerun = ["rerun", "--month", "2026-10", "--all", "--reason", "x", "--json"];
    let refused = reseller.run(&rerun).expect(1).json();
    let reason = refused["refused"][0]["reason"].to_string();
    assert!(reason.contains("deleted by retention?"), "{refused}");
    assert_eq!(refused["unchanged"], 1);

    // A message that is missing among those that are left is no retention, nor is a late one.
    delete("dealership_id = 'd1' AND contact LIKE '%39'");
    reseller.add(&[(Some("d2"), "5548980000001", "in", "session", None, None, NOON)]);
    let found = verify(&reseller, 1);
    assert_eq!(found["purged"], json!([]));
    assert_eq!(found["differs"][0]["causes"], json!(["loss"]));
    assert_eq!(found["differs"][1]["causes"], json!(["late", "loss"]));
}

#[test]
fn after_a_change_of_zone_the_period_of_the_invoice_is_counted() {
    let reseller = Reseller::new(LedgerKind::Sqlite);
    reseller.register(&[("d1", "America/Noronha", "5000")]);
    reseller.add(&[
        (Some("d1"), "5548990000001", "in", "session", None, None, "2026-11-01T01:59:59Z"),
        (Some("d1"), "5548990000002", "in", "session", None, None, "2026-11-01T02:30:00Z"),
    ]);
    reseller.run(&["close"]).expect(0);
    reseller.register(&[("d1", "America/Sao_Paulo", "5000")]);
    assert_eq!(verify(&reseller, 0)["agrees"], 1);
}

#[rstest]
#[case(
    "UPDATE file SET bytes = CAST('x' AS BYTEA) WHERE number = '2026-000002' AND kind = 'invoice'",
    "invoice PDF of 2026-000002 is not what was issued"
)]
#[case(
    "UPDATE file SET bytes = CAST('x' AS BYTEA) WHERE number = '2026-000001' AND kind = 'evidence'",
    "evidence of 2026-000001 is not what was issued"
)]
#[case(
    "DELETE FROM file WHERE number = '2026-000003' AND kind = 'statement'",
    "statement PDF of 2026-000003 is missing"
)]
#[case(
    "UPDATE revision SET content = REPLACE(content, '\"quantity\":1,', '\"quantity\":2,') WHERE number = '2026-000001'",
    "a line of 2026-000001 does not add up"
)]
#[case("DELETE FROM outbox WHERE number = '2026-000002'", "2026-000002 was never mailed")]
#[case(
    "UPDATE revision SET superseded_at = '2026-11-03T00:00:00.000Z' WHERE number = '2026-000002'",
    "the revisions of 2026-000002"
)]
#[case(
    "DELETE FROM file WHERE number = '2026-000002'; DELETE FROM revision WHERE number = '2026-000002'; DELETE FROM invoice WHERE number = '2026-000002'",
    "the number 2026-000002 is missing"
)]
#[case(
    "DELETE FROM file WHERE number = '2026-000001'; DELETE FROM revision WHERE number = '2026-000001'; DELETE FROM invoice WHERE number = '2026-000001'",
    "the number 2026-000001 is missing"
)]
#[case(
    "DELETE FROM file WHERE number <> '2026-000001'; DELETE FROM revision WHERE number <> '2026-000001'; DELETE FROM invoice WHERE number <> '2026-000001'",
    "the numbers 2026-000002 to 2026-000003 are missing"
)]
fn a_ledger_that_was_tampered_with_is_not_whole(#[case] sql: &str, #[case] problem: &str) {
    for ledger in [LedgerKind::Sqlite, LedgerKind::Postgres] {
        let reseller = closed(ledger);
        reseller.tamper(sql);
        let found = verify(&reseller, 1);
        let problems = found["problems"].to_string();
        assert!(problems.contains(problem), "{ledger:?}: {found}");
    }
}

#[test]
fn somebody_was_told_of_each_cancellation() {
    for ledger in [LedgerKind::Sqlite, LedgerKind::Postgres] {
        let reseller = closed(ledger);
        reseller.run(&["cancel", "2026-000002", "--reason", "Contrato errado"]).expect(0);
        assert_eq!(verify(&reseller, 0)["problems"], json!([]), "{ledger:?}");
        reseller.tamper(
            "DELETE FROM outbox WHERE cause = '2026-000002 cancelled' AND kind = 'invoice'",
        );
        let found = verify(&reseller, 1);
        let problem = found["problems"][0].to_string();
        assert!(problem.contains("2026-000002 was cancelled, and nobody was told"), "{found}");
        reseller.run(&["resend", "2026-000002"]).expect(0);
        assert_eq!(verify(&reseller, 0)["problems"], json!([]), "{ledger:?}");
    }
}
