//! The close, black-box: register and message database in, invoices, emails and a proof out.

use rstest::rstest;
use serde_json::{Value, json};

use crate::support::message_db::{Engine, MessageDb, Row};
use crate::support::reseller::{A_DAY_LATER, AFTER_MIDNIGHT, LedgerKind, Reseller};

const NOON: &str = "2026-10-31T15:00:00Z";

/// Two dealerships, one above its package, and one message in each bucket.
fn reseller(ledger: LedgerKind) -> Reseller {
    let reseller = Reseller::new(ledger);
    reseller.register(&[("d1", "", "5000"), ("d2", "", "10000"), ("d7", "", "")]);
    reseller.add_contacts("d1", 5123, "2026-10-31T10:00:00Z");
    reseller.add(&[
        (Some("d1"), "554890000001", "out", "hsm", Some("oferta"), Some("sent"), NOON),
        (Some("d1"), "554890000001", "out", "hsm", Some("oferta"), Some("failed"), NOON),
        (Some("d1"), "120363000000000000@g.us", "in", "session", None, None, NOON),
        (Some("d2"), "5548990000001", "IN", "session", None, None, NOON),
        (Some("d7"), "5548990000001", "in", "session", None, None, NOON),
        (Some("d9"), "5548990000001", "in", "session", None, None, NOON),
        (None, "5548990000001", "in", "session", None, None, NOON),
    ]);
    reseller
}

#[rstest]
fn a_close_issues_each_invoice_once(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let reseller = reseller(ledger);
    let dry = reseller.run(&["close", "--dry-run", "--json"]).expect(1).json();
    assert_eq!(dry["issued"], 2);
    assert!(reseller.invoices(&[]).is_empty());
    assert!(reseller.outbox().is_empty());

    let first = reseller.run(&["close", "--json"]).expect(1);
    assert!(first.stderr.is_empty(), "no progress in a pipe: {}", first.stderr);
    assert_eq!(
        first.json(),
        json!({
            "month": "2026-10", "issued": 2, "already_issued": 0, "held": null, "open": [],
            "exceptions": [
                {"dealership_id": null, "reason": "unknown_dealership", "messages": 1},
                {"dealership_id": "d2", "reason": "malformed", "messages": 1, "detail": "direction 'IN' (1)"},
                {"dealership_id": "d7", "reason": "no_contract", "messages": 1},
                {"dealership_id": "d9", "reason": "unknown_dealership", "messages": 1},
            ],
            "messages": {"total": 5130, "counted": 5124, "duplicate": 0, "ignored_status": 1, "group": 1,
                "not_a_contact": 0, "malformed": 1, "no_contract": 1, "unknown_dealership": 2},
            "would_differ": [],
            "statuses": [
                {"status": null, "messages": 5124, "counts": true},
                {"status": "failed", "messages": 1, "counts": false},
                {"status": "sent", "messages": 1, "counts": true},
            ],
            "total": "2877.13",
        })
    );

    let invoices = reseller.invoices(&["--month", "2026-10"]);
    assert_eq!(invoices.len(), 2);
    let d1 = &invoices[0];
    // 55 48 9000-0001 is 55 48 99000-0001 from before the ninth digit: no further contact.
    let expected = [
        ("number", json!("2026-000001")),
        ("revision", json!(0)),
        ("state", json!("issued")),
        ("dealership_id", json!("d1")),
        ("month", json!("2026-10")),
        ("package", json!(5000)),
        ("uam", json!(5123)),
        ("overage", json!(123)),
        ("hsm", json!(1)),
        ("package_amount", json!("1014.00")),
        ("overage_amount", json!("35.67")),
        ("hsm_amount", json!("0.46")),
        ("adjustments_amount", json!("0.00")),
        ("other_amount", json!("0.00")),
        ("total", json!("1050.13")),
        ("due_date", json!("2026-11-10")),
        ("reason", Value::Null),
        ("by", Value::Null),
    ];
    for (key, value) in expected {
        assert_eq!(d1[key], value, "{key}");
    }
    assert_eq!((&d1["paid"], &d1["payment"]), (&json!("0.00"), &json!("open")));
    assert_eq!(d1["to_pay"], d1["total"]);
    assert_eq!(d1.as_object().unwrap().len(), 25);
    assert!(d1["issued_at"].as_str().unwrap().starts_with("2026-11-02T03:00:0"));

    let again = reseller.run(&["close", "--json"]).expect(1).json();
    assert_eq!((again["issued"].clone(), again["already_issued"].clone()), (json!(0), json!(2)));
    assert_eq!(reseller.invoices(&[]), invoices);
    assert_eq!((reseller.emails("invoice"), reseller.emails("digest")), (2, 1));
}

#[rstest]
fn files_are_what_the_ledger_says(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let reseller = reseller(ledger);
    reseller.run(&["close"]).expect(1);
    let files = ["--pdf", "f.pdf", "--statement", "e.pdf", "--evidence", "c.csv"];
    let shown = reseller.run(&[&["invoice", "2026-000001", "--json"], &files[..]].concat());
    let shown = shown.expect(0).json();
    let sha = |name: &str| {
        fecha_core::count::evidence::sha256_hex(&std::fs::read(reseller.path(name)).unwrap())
    };
    assert_eq!(shown["pdf_sha256"], sha("f.pdf"));
    assert_eq!(shown["statement_sha256"], sha("e.pdf"));
    assert_eq!(shown["evidence_sha256"], sha("c.csv"));
    let evidence = std::fs::read_to_string(reseller.path("c.csv")).unwrap();
    assert_eq!(evidence.lines().count(), 5124);
    assert!(!evidence.contains("5548990000001"));
}

#[rstest]
fn a_month_that_has_not_ended_in_a_zone_stays_open(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let mut reseller = Reseller::new(ledger);
    reseller.register(&[("d1", "", "5000"), ("d2", "America/Manaus", "5000")]);
    reseller.add_contacts("d1", 3, NOON);
    // Half past midnight in Brasília is still October in Manaus.
    let late = "2026-11-01T03:30:00Z";
    reseller.add(&[
        (Some("d1"), "5548990000009", "in", "session", None, None, late),
        (Some("d2"), "5548990000009", "in", "session", None, None, late),
    ]);
    let first = reseller.at(AFTER_MIDNIGHT).run(&["close", "--json"]).expect(0).json();
    assert_eq!((first["issued"].clone(), first["open"].clone()), (json!(1), json!(["d2"])));
    assert_eq!(reseller.emails("digest"), 0, "finance hears when every dealership is issued");

    let second = reseller.at(A_DAY_LATER).run(&["close", "--json"]).expect(0).json();
    assert_eq!((second["issued"].clone(), second["open"].clone()), (json!(1), json!([])));
    let uam: Vec<Value> = reseller.invoices(&[]).iter().map(|i| i["uam"].clone()).collect();
    assert_eq!(uam, [json!(3), json!(1)]);
    assert_eq!(reseller.emails("digest"), 1);
}

#[rstest]
fn named_dealerships_that_complete_the_month_bring_the_whole_digest(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let reseller = reseller(ledger);
    // All that d2 has cannot be read, which holds its close.
    let d2 = ["close", "--dealership", "d2", "--release", "--json"];
    let first = reseller.run(&d2).expect(1).json();
    assert_eq!(first["issued"], 1);
    assert_eq!(
        first["exceptions"],
        json!([{"dealership_id": "d2", "reason": "malformed", "messages": 1, "detail": "direction 'IN' (1)"}])
    );
    assert_eq!(first["messages"]["total"], 1);
    assert_eq!(reseller.emails("digest"), 0);
    reseller.run(&["close", "--dealership", "d1"]).expect(0);
    assert_eq!(reseller.emails("digest"), 1);

    // A contract that comes later is closed by `close`, and finance gets a supplement.
    reseller.write("contracts.csv", "dealership_id,from_month,package\nd7,2026-10,5000\n");
    reseller.run(&["import", "--contracts", "contracts.csv"]).expect(0);
    let later = reseller.run(&["close", "--json"]).expect(1).json();
    assert_eq!((later["issued"].clone(), later["already_issued"].clone()), (json!(1), json!(2)));
    assert_eq!(reseller.emails("digest"), 2);
    reseller.run(&["close"]).expect(1);
    assert_eq!(reseller.emails("digest"), 2);
}

#[rstest]
fn a_stale_source_holds_the_close_until_it_is_released(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let reseller = Reseller::new(ledger);
    reseller.register(&[("d1", "", "5000")]);
    reseller.add_contacts("d1", 3, "2026-10-20T12:00:00Z");
    let held = reseller.run(&["close", "--json"]).expect(1).json();
    assert_eq!(held["issued"], 0);
    assert!(held["held"].as_str().unwrap().contains("newest message"), "{held}");
    assert!(reseller.invoices(&[]).is_empty());
    assert_eq!(reseller.outbox().len(), 1, "finance alone: there are no admins");
    assert_eq!(reseller.emails("alert"), 1);
    let status = reseller.run(&["status"]).expect(1);
    assert!(status.stdout.contains("2026-10 is held"), "{}", status.stdout);

    let released = reseller.run(&["close", "--release", "--json"]).expect(0).json();
    assert_eq!((released["issued"].clone(), released["held"].clone()), (json!(1), Value::Null));
    reseller.run(&["status"]).expect(0);
}

#[rstest]
fn fewer_than_half_the_messages_of_the_month_before_hold_the_close(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let mut reseller = Reseller::new(ledger);
    reseller.register(&[("d1", "", "5000")]);
    reseller.add_contacts("d1", 100, "2026-10-31T12:00:00Z");
    reseller.run(&["close"]).expect(0);
    reseller.add_contacts("d1", 49, "2026-11-30T12:00:00Z");
    reseller.at("2026-12-02 12:00:00");
    let held = reseller.run(&["close", "--json"]).expect(1).json();
    assert!(held["held"].as_str().unwrap().contains("only 49 messages"), "{held}");
    reseller.add_contacts("d1", 1, "2026-11-30T13:00:00Z");
    reseller.run(&["close"]).expect(0);
    assert_eq!(reseller.invoices(&[])[1]["number"], "2026-000002");
}

#[rstest]
fn after_a_change_of_zone_no_hour_is_billed_twice_or_never(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let mut reseller = Reseller::new(ledger);
    reseller.register(&[("d1", "America/Noronha", "5000")]);
    // October ends at 02:00 UTC in Noronha, at 03:00 in Brasília: the hour between is November's.
    reseller.add(&[
        (Some("d1"), "5548990000001", "in", "session", None, None, "2026-11-01T01:59:59Z"),
        (Some("d1"), "5548990000002", "in", "session", None, None, "2026-11-01T02:30:00Z"),
        (Some("d1"), "5548990000003", "in", "session", None, None, "2026-11-30T12:00:00Z"),
    ]);
    reseller.run(&["close"]).expect(0);
    reseller.register(&[("d1", "America/Sao_Paulo", "5000")]);
    reseller.at("2026-12-02 12:00:00").run(&["close"]).expect(0);
    let uam: Vec<Value> = reseller.invoices(&[]).iter().map(|i| i["uam"].clone()).collect();
    assert_eq!(uam, [json!(1), json!(2)]);
}

#[rstest]
fn a_reseller_who_invoiced_before_goes_on_counting(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let mut reseller = Reseller::new(ledger);
    reseller.variables.push(("FECHA_INVOICE__FIRST_NUMBER".into(), "1500".into()));
    reseller.register(&[("d1", "", "5000")]);
    reseller.add_contacts("d1", 3, "2026-11-30T12:00:00Z");
    reseller.run(&["close", "--release"]).expect(0);
    reseller.at("2027-01-02 12:00:00");
    reseller.run(&["close", "--month", "2026-11", "--release"]).expect(0);
    reseller.run(&["close", "--month", "2026-12", "--release"]).expect(0);
    let numbers: Vec<Value> = reseller.invoices(&[]).iter().map(|i| i["number"].clone()).collect();
    assert_eq!(numbers, [json!("2026-001500"), json!("2027-000001"), json!("2027-000002")]);
}

#[rstest]
fn an_email_that_is_redirected_never_reaches_the_dealership(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let mut reseller = reseller(ledger);
    reseller.variables.push(("FECHA_EMAIL__REDIRECT".into(), "teste@example.com".into()));
    reseller.run(&["close"]).expect(1);
    // Redirected when queued: it stays so, even if the setting is gone when it is sent.
    reseller.variables.clear();
    assert!(reseller.outbox().iter().all(|email| email["to"] == "teste@example.com"));
    reseller.run(&["deliver"]).expect(0);
    for file in std::fs::read_dir(reseller.path("mail")).unwrap() {
        let email = std::fs::read_to_string(file.unwrap().path()).unwrap();
        assert!(email.contains("To: teste@example.com"));
    }
}

#[rstest]
fn resend_queues_again_under_a_new_message_id(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let reseller = reseller(ledger);
    reseller.run(&["close"]).expect(1);
    reseller.run(&["deliver"]).expect(0);
    reseller.run(&["resend", "2026-000001"]).expect(0);
    reseller.run(&["resend", "2026-000001", "--to", "outra@example.com"]).expect(0);
    let outbox = reseller.outbox();
    let of_d1: Vec<&Value> = outbox.iter().filter(|e| e["number"] == "2026-000001").collect();
    assert_eq!(of_d1.len(), 3);
    let mut ids: Vec<&str> = of_d1.iter().map(|e| e["message_id"].as_str().unwrap()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 3);
    let other = of_d1.iter().find(|email| email["to"] == "outra@example.com").unwrap();
    assert_eq!(other["state"], "pending");
    reseller.run(&["deliver"]).expect(0);
    assert!(reseller.outbox().iter().all(|email| email["state"] == "sent"));
    reseller.run(&["status"]).expect(1);
}

#[rstest]
fn what_was_exported_imports_unchanged(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let reseller = reseller(ledger);
    reseller.write("before.csv", "my own notes");
    let export = ["export", "--dealerships", "before.csv", "--contracts", "c.csv"];
    let refused = reseller.run(&export).expect(2).stderr;
    assert!(refused.contains("before.csv is not replaced"), "{refused}");
    reseller.run(&[&export[..], &["--force"]].concat()).expect(0);
    let kept = std::fs::read_to_string(reseller.path("before.csv.bak")).unwrap();
    assert_eq!(kept, "my own notes");
    let files = ["import", "--json", "--dealerships", "before.csv", "--contracts", "c.csv"];
    let again = reseller.run(&files).expect(0).json();
    assert_eq!(again["dealerships"], json!({"added": 0, "updated": 0, "unchanged": 3}));
    assert_eq!(again["contracts"], json!({"added": 0, "updated": 0, "unchanged": 2}));
}

#[rstest]
fn another_evidence_key_is_refused(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let reseller = reseller(ledger);
    std::fs::remove_file(reseller.path("evidence.key")).unwrap();
    let refused = reseller.run(&["close"]).expect(2);
    assert!(refused.stderr.contains("evidence key is not the one"), "{}", refused.stderr);
}

#[rstest]
fn a_ledger_from_the_future_is_refused(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let reseller = reseller(ledger);
    reseller.ledger_sql(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
         SELECT 9999, 'later', success, checksum, 1 FROM _sqlx_migrations WHERE version = 1",
    );
    let refused = reseller.run(&["status"]).expect(2);
    assert!(refused.stderr.contains("newer than this fecha"), "{}", refused.stderr);
}

/// The same messages in each engine give the same invoices; table, view or `SELECT`.
#[rstest]
fn any_message_database_gives_the_same_invoices(
    #[values(Engine::Sqlite, Engine::Postgres, Engine::MariaDb)] engine: Engine,
) {
    let database = MessageDb::new(engine);
    let at = |text: &str| text.parse::<chrono::DateTime<chrono::Utc>>().unwrap().timestamp_millis();
    let row = |id, contact, kind, sent_at: &str| Row {
        dealership_id: Some(id),
        contact: Some(contact),
        direction: Some("out"),
        kind: Some(kind),
        sent_at: at(sent_at),
        ..Row::default()
    };
    database.insert(&[
        row("d1", "554899990820", "session", "2026-10-31T15:00:00Z"),
        row("d1", "5548999990820", "hsm", "2026-11-01T02:59:59.999Z"),
        row("d1", "5548999990821", "hsm", "2026-11-01T03:00:00Z"),
        row("D1", "5548999990820", "session", "2026-10-31T15:00:00Z"),
        row("d1 ", "5548999990820", "session", "2026-10-31T15:00:00Z"),
    ]);
    let mut reseller = Reseller::new(LedgerKind::Sqlite);
    // One of four is of no dealership.
    reseller.variables.push(("FECHA_CLOSE__AT_MOST_UNREAD_PERCENT".into(), "25".into()));
    reseller.variables.push(("FECHA_MESSAGES__URL".into(), database.url()));
    reseller.register_with(&[("d1", "", "5000"), ("D1", "", "5000")], &["--accept-twins"]);
    for relation in ["message", "(SELECT * FROM message)"] {
        reseller.variables.push(("FECHA_MESSAGES__RELATION".into(), relation.into()));
        let report = reseller.run(&["close", "--json"]).expect(1).json();
        assert_eq!(report["messages"]["counted"], 3);
        assert_eq!(report["exceptions"][0]["dealership_id"], "d1 ");
    }
    let invoices = reseller.invoices(&[]);
    let counts: Vec<(Value, Value)> =
        invoices.iter().map(|i| (i["uam"].clone(), i["hsm"].clone())).collect();
    // By id, byte by byte: D1 stands before d1.
    assert_eq!(counts, [(json!(1), json!(0)), (json!(1), json!(1))]);
}
