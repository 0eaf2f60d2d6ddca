//! Lists, sums and accounts read columns and never a document: they work on a ledger whose documents
//! nobody can read.

use rstest::rstest;
use serde_json::{Value, json};

use crate::support::reseller::{LedgerKind, Reseller};

const NOON: &str = "2026-10-31T15:00:00Z";

#[rstest]
fn a_list_reads_no_document(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let mut reseller = Reseller::new(ledger);
    reseller.register(&[("d1", "", "5000"), ("d2", "", "5000")]);
    reseller.add_contacts("d1", 3, NOON);
    reseller.add(&[(Some("d2"), "5548990000001", "out", "hsm", None, None, NOON)]);
    reseller.run(&["close"]).expect(0);
    reseller.at("2026-11-12 15:00:00");
    reseller.run(&["pay", "2026-000001", "--on", "2026-11-10", "--amount", "14.00"]).expect(0);
    let commands: [&[&str]; 7] = [
        &["invoices", "--month", "2026-10", "--json"],
        &["invoices", "--dealership", "d2", "--all-revisions", "--json"],
        &["invoices", "--csv"],
        &["status", "--json"],
        &["outbox", "--json"],
        &["audit", "--month", "2026-10", "--dealership", "d1", "--json"],
        &["adjust", "--json"],
    ];
    let say = |reseller: &Reseller| -> Vec<String> {
        commands.iter().map(|command| reseller.run(command).stdout).collect()
    };
    let before = say(&reseller);
    let listed: Value = serde_json::from_str(&before[0]).unwrap();
    assert_eq!(listed[0]["paid"], "14.00");
    assert_eq!(listed[1]["total"], "1014.46");
    let status: Value = serde_json::from_str(&before[3]).unwrap();
    assert_eq!(status["months"][0]["total"], "2028.46");
    assert_eq!(status["months"][0]["issued"], 2);

    reseller.tamper("UPDATE revision SET content = 'unreadable'");
    assert_eq!(say(&reseller), before);
    let paid = reseller.run(&["pay", "2026-000001", "--on", "2026-11-11", "--json"]).expect(0);
    let paid = paid.json();
    assert_eq!(
        (&paid["recorded"][0]["amount"], &paid["already_recorded"]),
        (&json!("1000.00"), &json!(0))
    );
    assert_eq!(reseller.invoices(&["--dealership", "d1"])[0]["payment"], "paid");
    assert_eq!(reseller.run(&["invoice", "2026-000001"]).status, 2, "it alone reads the document");
}
