//! Documents that are not what was issued any more: neither sent nor written, and said so.

use rstest::rstest;

use crate::support::reseller::{LedgerKind, Reseller};

/// One flipped byte of one file.
fn damage(reseller: &Reseller, ledger: LedgerKind, kind: &str) {
    let bytes = match ledger {
        LedgerKind::Sqlite => "CAST(X'25504446' || substr(bytes, 5) || X'00' AS BLOB)",
        LedgerKind::Postgres => "bytes || '\\x00'::bytea",
    };
    reseller.tamper(&format!("UPDATE file SET bytes = {bytes} WHERE kind = '{kind}'"));
}

#[rstest]
#[case("invoice", "--pdf", "invoice PDF")]
#[case("statement", "--statement", "statement PDF")]
#[case("evidence", "--evidence", "evidence")]
fn a_damaged_document_is_neither_written_nor_sent(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
    #[case] kind: &str,
    #[case] option: &str,
    #[case] name: &str,
) {
    let reseller = Reseller::new(ledger);
    reseller.register(&[("d1", "", "5000")]);
    let wish = reseller_row();
    reseller.write("wish.csv", &wish);
    reseller.run(&["import", "--dealerships", "wish.csv"]).expect(0);
    reseller.add_contacts("d1", 3, "2026-10-31T12:00:00Z");
    reseller.run(&["close"]).expect(0);
    reseller.run(&["invoice", "2026-000001", option, "before"]).expect(0);

    damage(&reseller, ledger, kind);
    let said = format!("the {name} of 2026-000001 is not what was issued: its SHA-256 differs");
    for path in ["after", "before", "-"] {
        let before = std::fs::read(reseller.path("before")).unwrap();
        let refused = reseller.run(&["invoice", "2026-000001", option, path]).expect(2);
        assert!(refused.stderr.contains(&said), "{}", refused.stderr);
        assert_eq!(refused.stdout, "");
        assert!(!reseller.path("after").exists());
        assert_eq!(std::fs::read(reseller.path("before")).unwrap(), before);
    }
    reseller.run(&["deliver"]).expect(1);
    let outbox = reseller.outbox();
    let of_dealership = outbox.iter().find(|email| email["kind"] == "invoice").unwrap();
    assert_ne!(of_dealership["state"], "sent", "{of_dealership}");
    assert!(of_dealership["last_error"].as_str().unwrap().contains(&said), "{of_dealership}");
    // The digest encloses the invoice: where that is damaged, there is no email at all.
    let mailed = std::fs::read_dir(reseller.path("mail")).into_iter().flatten();
    let names: Vec<_> =
        mailed.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(names.is_empty(), kind == "invoice", "{names:?}");
    assert!(names.iter().all(|name| !name.starts_with("fatura-2026-000001")), "{names:?}");
    let verified = reseller.run(&["verify", "--month", "2026-10"]).expect(1).stdout;
    assert!(verified.contains(&said), "{verified}");
}

/// A dealership that gets the evidence with its emails.
fn reseller_row() -> String {
    use crate::support::reseller::{DEALERSHIP_HEADER, dealership};
    let row = dealership("d1", "");
    format!("{},evidence\n{},yes\n", DEALERSHIP_HEADER.trim_end(), row.trim_end())
}
