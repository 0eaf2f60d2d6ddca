//! Reruns, black-box: each cause alone and together, what is refused, and what a revision leaves behind.

use std::process::Stdio;

use rstest::rstest;
use serde_json::{Value, json};

use crate::support::reseller::{CONFIG, DEALERSHIP_HEADER, LedgerKind, Reseller, dealership};

const NOON: &str = "2026-10-31T15:00:00Z";

/// Two dealerships, closed and delivered; d1 is at the end of its package.
fn closed(ledger: LedgerKind) -> Reseller {
    let mut reseller = Reseller::new(ledger);
    reseller.register(&[("d1", "", "5000"), ("d2", "", "5000")]);
    reseller.add_contacts("d1", 5000, "2026-10-31T10:00:00Z");
    reseller.add(&[
        (Some("d2"), "5548990000001", "out", "hsm", Some("oferta"), None, NOON),
        (Some("d2"), "5548990000002", "in", "session", None, None, NOON),
    ]);
    reseller.run(&["close"]).expect(0);
    reseller.run(&["deliver"]).expect(0);
    reseller.at("2026-11-03 15:00:00");
    reseller
}

fn late(reseller: &Reseller) {
    reseller.add(&[(Some("d1"), "5548980000001", "in", "session", None, None, NOON)]);
}

fn loss(reseller: &Reseller) {
    let lost = "DELETE FROM message WHERE dealership_id = 'd1' AND contact = '5548990000001'";
    reseller.messages().execute_batch(lost).unwrap();
}

fn contract(reseller: &Reseller) {
    reseller.write("more.csv", "dealership_id,from_month,package\nd1,2026-10,10000\n");
    reseller.run(&["import", "--contracts", "more.csv"]).expect(0);
}

fn price(reseller: &Reseller) {
    reseller.write("fecha.toml", &CONFIG.replacen("\"1014.00\"", "\"1020.00\"", 1));
}

fn register(reseller: &Reseller) {
    let moved = dealership("d1", "").replace("Curitiba", "Londrina");
    reseller.write("moved.csv", &format!("{DEALERSHIP_HEADER}{moved}"));
    reseller.run(&["import", "--dealerships", "moved.csv"]).expect(0);
}

fn rerun(reseller: &Reseller, more: &[&str], status: i32) -> Value {
    let all = ["rerun", "--month", "2026-10", "--all", "--reason", "mensagens atrasadas", "--json"];
    reseller.run(&[&all[..], more].concat()).expect(status).json()
}

#[rstest]
fn the_same_month_issues_nothing(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let reseller = closed(ledger);
    let (invoices, outbox) = (reseller.invoices(&["--all-revisions"]), reseller.outbox());
    let expected = json!({"month": "2026-10", "unchanged": 2, "revised": [], "refused": []});
    assert_eq!(rerun(&reseller, &[], 0), expected);
    assert_eq!(reseller.invoices(&["--all-revisions"]), invoices);
    assert_eq!(reseller.outbox(), outbox);
}

#[rstest]
fn late_messages_make_a_revision_that_says_why(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let reseller = closed(ledger);
    let before = reseller.invoices(&[]);
    let pdf = ["invoice", "2026-000001", "--revision", "0", "--pdf", "f.pdf"];
    reseller.run(&pdf).expect(0);
    let bytes = std::fs::read(reseller.path("f.pdf")).unwrap();
    late(&reseller);

    let dry = reseller.run(&["rerun", "--month", "2026-10", "--all", "--reason", "x", "--dry-run"]);
    let dry = dry.expect(0).stdout;
    assert!(dry.contains("R$ 0,29") && dry.contains("+R$ 0,29"), "{dry}");
    assert_eq!(reseller.invoices(&["--all-revisions"]), before);

    assert_eq!(
        rerun(&reseller, &["--by", "ana"], 0),
        json!({"month": "2026-10", "unchanged": 1, "refused": [], "revised": [{
            "number": "2026-000001", "revision": 1, "dealership_id": "d1",
            "total": {"before": "1014.00", "after": "1014.29"}, "causes": ["late"],
        }]})
    );
    let all = reseller.invoices(&["--all-revisions"]);
    let [first, revision, other] = all.as_slice() else { panic!("{all:?}") };
    assert_eq!((&first["state"], &first["revision"]), (&json!("superseded"), &json!(0)));
    for key in ["total", "due_date", "issued_at", "pdf_sha256", "evidence_sha256"] {
        assert_eq!(first[key], before[0][key], "{key} of what was issued");
    }
    assert_eq!((&revision["state"], &revision["uam"]), (&json!("issued"), &json!(5001)));
    assert_eq!(revision["reason"], "mensagens atrasadas");
    assert_eq!(revision["by"], "ana");
    // The fifth bank day after 3 November.
    assert_eq!(revision["due_date"], "2026-11-10");
    assert_eq!(*other, before[1]);
    reseller.run(&pdf).expect(0);
    assert_eq!(std::fs::read(reseller.path("f.pdf")).unwrap(), bytes);

    let new: Vec<Value> =
        reseller.outbox().into_iter().filter(|email| email["state"] == "pending").collect();
    let subjects: Vec<&str> = new.iter().map(|email| email["subject"].as_str().unwrap()).collect();
    assert_eq!(new.len(), 2, "{subjects:?}");
    assert!(subjects[0].starts_with("Fatura 2026-000001-R1"), "{subjects:?}");
    assert!(subjects[1].contains("suplemento 1") && subjects[1].contains("1 fatura revisada"));
    reseller.run(&["deliver"]).expect(0);
    reseller.run(&["verify", "--month", "2026-10"]).expect(0);
    // A second rerun finds nothing more, and reports nothing more.
    assert_eq!(rerun(&reseller, &[], 0)["unchanged"], 2);
    assert_eq!(reseller.emails("digest"), 2);
}

#[rstest]
#[case(late, "late", "1014.29")]
#[case(loss, "loss", "1014.00")]
#[case(contract, "contract", "1827.00")]
#[case(price, "price", "1020.00")]
#[case(register, "register", "1014.00")]
fn each_cause_alone(#[case] change: fn(&Reseller), #[case] cause: &str, #[case] total: &str) {
    for ledger in [LedgerKind::Sqlite, LedgerKind::Postgres] {
        let reseller = closed(ledger);
        change(&reseller);
        let d1 = ["--dealership", "d1", "--reason", "x", "--json"];
        let command = [&["rerun", "--month", "2026-10"], &d1[..]].concat();
        if cause != "late" {
            let refused = reseller.run(&command).expect(1).json();
            assert_eq!(refused["revised"], json!([]));
            assert_eq!(refused["refused"][0]["accept"], json!([cause]), "{refused}");
            assert_eq!(reseller.invoices(&["--all-revisions"]).len(), 2);
            let other = if cause == "loss" { "price" } else { "loss" };
            reseller.run(&[&command[..], &["--accept", other]].concat()).expect(1);
        }
        let report = reseller.run(&[&command[..], &["--accept", cause]].concat()).expect(0).json();
        assert_eq!(report["revised"][0]["causes"], json!([cause]));
        assert_eq!(report["revised"][0]["total"]["after"], total);
        assert_eq!(reseller.invoices(&["--dealership", "d1"])[0]["total"], total);
        reseller.run(&["deliver"]).expect(0);
        let differs = reseller.run(&["verify", "--month", "2026-10", "--json"]).json();
        assert_eq!(differs["problems"], json!([]));
        assert!(!differs["differs"].to_string().contains("\"d1\""), "{differs}");
    }
}

#[rstest]
fn causes_together_must_all_be_accepted(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let reseller = closed(ledger);
    for change in [late, loss, contract, price, register] {
        change(&reseller);
    }
    let refused = rerun(&reseller, &["--accept", "loss,price"], 1);
    // d2 has the new price as well, which is accepted.
    assert_eq!(refused["revised"].as_array().unwrap().len(), 1);
    assert_eq!(refused["revised"][0]["dealership_id"], "d2");
    let d1 = &refused["refused"][0];
    assert_eq!(d1["causes"], json!(["late", "loss", "contract", "price", "register"]));
    assert_eq!(d1["accept"], json!(["contract", "register"]));
    let reason = d1["reason"].as_str().unwrap();
    assert!(reason.contains("--accept contract,register"), "{reason}");
    let done = rerun(&reseller, &["--accept", "loss,contract,price,register"], 0);
    assert_eq!((&done["unchanged"], done["revised"].as_array().unwrap().len()), (&json!(1), 1));
    assert_eq!(reseller.invoices(&[])[0]["package"], 10000);
}

#[test]
fn a_contract_that_was_removed_is_refused_and_one_that_was_added_is_closed() {
    let reseller = closed(LedgerKind::Sqlite);
    reseller.write("none.csv", "dealership_id,from_month,package\nd1,2026-10,none\n");
    reseller.run(&["import", "--contracts", "none.csv"]).expect(0);
    let refused = rerun(&reseller, &["--accept", "contract"], 1);
    let reason = refused["refused"][0]["reason"].as_str().unwrap();
    assert!(reason.contains("fecha cancel 2026-000001"), "{reason}");

    let people = format!("{DEALERSHIP_HEADER}{}", dealership("d3", ""));
    reseller.write("new.csv", &people);
    reseller.write("d3.csv", "dealership_id,from_month,package\nd3,2026-10,5000\n");
    reseller.run(&["import", "--dealerships", "new.csv", "--contracts", "d3.csv"]).expect(0);
    let arguments = ["--dealership", "d3", "--reason", "x", "--json"];
    let command = [&["rerun", "--month", "2026-10"], &arguments[..]].concat();
    let refused = reseller.run(&command).expect(1).json();
    assert_eq!(refused["refused"][0]["number"], Value::Null);
    let reason = refused["refused"][0]["reason"].as_str().unwrap();
    assert!(reason.contains("fecha close --month 2026-10 --dealership d3"), "{reason}");
    // It issues d3's, and says that d1's is not what it would be.
    let closed = reseller.run(&["close", "--json"]).expect(1).json();
    assert_eq!(closed["issued"], 1);
    assert_eq!(closed["exceptions"], serde_json::json!([]));
    let differing = &closed["would_differ"][0];
    assert_eq!(
        (&differing["dealership_id"], &differing["causes"]),
        (&"d1".into(), &serde_json::json!(["contract"]))
    );
}

#[test]
fn a_purged_month_is_refused_whatever_is_accepted() {
    let reseller = closed(LedgerKind::Sqlite);
    reseller.messages().execute_batch("DELETE FROM message").unwrap();
    let refused = rerun(&reseller, &["--accept", "late,loss,contract,price,register"], 1);
    assert_eq!(refused["refused"].as_array().unwrap().len(), 2);
    assert!(refused["refused"][0]["reason"].as_str().unwrap().contains("retention"), "{refused}");
    assert_eq!(reseller.invoices(&["--all-revisions"]).len(), 2);
}

#[rstest]
fn emails_that_were_not_sent_are_withdrawn(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let reseller = Reseller::new(ledger);
    reseller.register(&[("d1", "", "5000"), ("d2", "", "5000")]);
    reseller.add_contacts("d1", 3, "2026-10-31T10:00:00Z");
    // Before the close report of the month, a rerun has no digest of its own.
    reseller.run(&["close", "--dealership", "d1"]).expect(0);
    late(&reseller);
    assert_eq!(rerun(&reseller, &[], 0)["revised"].as_array().unwrap().len(), 1);
    assert_eq!(reseller.emails("digest"), 0);
    let states = || -> Vec<String> {
        let of_d1 = |email: &&Value| email["number"] == "2026-000001";
        let state = |email: &Value| email["state"].as_str().unwrap().to_owned();
        let mut states: Vec<String> = reseller.outbox().iter().filter(of_d1).map(state).collect();
        states.sort();
        states
    };
    assert_eq!(states(), ["pending", "withdrawn"]);
    reseller.run(&["close"]).expect(0);
    assert_eq!(reseller.emails("digest"), 1);
    reseller.run(&["deliver"]).expect(0);
    assert_eq!(states(), ["sent", "withdrawn"]);
    let mail = std::fs::read_dir(reseller.path("mail")).unwrap().count();
    assert_eq!(mail, 3, "d1's revision, d2's invoice, the digest");
}

#[rstest]
fn of_two_reruns_at_once_one_wins(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let reseller = closed(ledger);
    late(&reseller);
    let command = ["rerun", "--month", "2026-10", "--all", "--reason", "x", "--json"];
    let start = || reseller.command(&command).stdout(Stdio::piped()).spawn().unwrap();
    let reports: Vec<Value> = [start(), start(), start()]
        .into_iter()
        .map(|child| {
            let output = child.wait_with_output().unwrap();
            serde_json::from_slice(&output.stdout).unwrap()
        })
        .collect();
    let count = |key: &str| -> usize {
        reports.iter().map(|report| report[key].as_array().unwrap().len()).sum()
    };
    assert_eq!(count("revised"), 1, "{reports:?}");
    for report in &reports {
        let told = report["unchanged"] == 2
            || report["revised"].as_array().unwrap().len() == 1
            || report["refused"][0]["reason"].as_str().unwrap().contains("meanwhile");
        assert!(told, "{report}");
    }
    let revisions: Vec<Value> = reseller
        .invoices(&["--all-revisions", "--dealership", "d1"])
        .iter()
        .map(|invoice| invoice["revision"].clone())
        .collect();
    assert_eq!(revisions, [json!(0), json!(1)]);
    assert_eq!((reseller.emails("invoice"), reseller.emails("digest")), (3, 2));
}

#[rstest]
#[case(&["--all"], "--reason")]
#[case(&["--reason", "x"], "--dealership")]
#[case(&["--all", "--reason", "  "], "--reason")]
#[case(&["--all", "--reason", "x", "--accept", "everything"], "late, loss, contract, price, category, rules and register")]
#[case(&["--dealership", "D1", "--reason", "x"], "'D1'")]
fn wrong_use_is_answered_clearly(#[case] arguments: &[&str], #[case] says: &str) {
    let reseller = closed(LedgerKind::Sqlite);
    let ran = reseller.run(&[&["rerun", "--month", "2026-10"], arguments].concat()).expect(2);
    assert!(ran.stderr.contains(says), "{}", ran.stderr);
}
