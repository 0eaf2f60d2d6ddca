//! How documents are kept: small, byte for byte, and readable with nothing but the ledger.

use fecha_core::count::evidence::sha256_hex;
use rstest::rstest;
use serde_json::{Value, json};

use crate::support::reseller::{LedgerKind, Reseller};

/// So many invoices of October, each with a few contacts.
fn closed(ledger: LedgerKind, invoices: usize) -> Reseller {
    let reseller = Reseller::new(ledger);
    let ids: Vec<String> = (1..=invoices).map(|number| format!("d{number}")).collect();
    let people: Vec<(&str, &str, &str)> = ids.iter().map(|id| (id.as_str(), "", "5000")).collect();
    reseller.register(&people);
    for (count, id) in ids.iter().enumerate() {
        reseller.add_contacts(id, 1 + count % 7, "2026-10-31T12:00:00Z");
    }
    reseller.run(&["close"]).expect(0);
    reseller
}

fn read(reseller: &Reseller, number: &str, file: &str) -> Vec<u8> {
    reseller.run(&["invoice", number, &format!("--{file}"), "out"]).expect(0);
    let path = reseller.path("out");
    let bytes = std::fs::read(&path).unwrap();
    std::fs::remove_file(path).unwrap();
    bytes
}

/// Every file that is kept has the SHA-256 that the ledger has of it, and `verify` finds it so.
#[track_caller]
fn all_is_as_issued(reseller: &Reseller) {
    for invoice in reseller.invoices(&[]) {
        let number = invoice["number"].as_str().unwrap();
        assert_eq!(sha256_hex(&read(reseller, number, "pdf")), invoice["pdf_sha256"]);
        assert_eq!(sha256_hex(&read(reseller, number, "evidence")), invoice["evidence_sha256"]);
        let statement = format!(
            "SELECT statement_sha256 FROM revision WHERE number = '{number}' AND superseded_at IS NULL"
        );
        let [kept] = &reseller.ledger_texts(&statement)[..] else { panic!("one revision") };
        assert_eq!(sha256_hex(&read(reseller, number, "statement")), *kept);
    }
    let verified = reseller.run(&["verify", "--month", "2026-10", "--json"]).expect(0).json();
    assert_eq!(verified["problems"], json!([]));
}

fn dictionaries(reseller: &Reseller) -> Vec<String> {
    reseller.ledger_texts("SELECT kind FROM dictionary ORDER BY kind, made_at")
}

#[rstest]
fn an_invoice_with_few_contacts_takes_little(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let reseller = closed(ledger, 12);
    assert_eq!(dictionaries(&reseller), ["invoice", "statement"]);
    let kept = reseller.ledger_number("SELECT SUM(LENGTH(bytes)) FROM file");
    assert!(kept / 12 < 16_000, "{} bytes an invoice", kept / 12);
    all_is_as_issued(&reseller);
    assert!(reseller.refuses("UPDATE dictionary SET kind = kind"));
    assert!(reseller.refuses("DELETE FROM dictionary"));
    if matches!(ledger, LedgerKind::Postgres) {
        let storage = "SELECT attstorage FROM pg_attribute WHERE attname = 'bytes' AND attrelid = 'file'::regclass";
        assert_eq!(reseller.ledger_texts(storage), ["e"]);
    }
}

/// What `zstd -d -D` does, without fecha.
#[test]
fn the_ledger_alone_is_enough_to_read_them() {
    let reseller = closed(LedgerKind::Sqlite, 3);
    let ledger = rusqlite::Connection::open(reseller.path("fecha.db")).unwrap();
    let mut query = ledger
        .prepare(
            "SELECT f.bytes, f.size, d.bytes, r.pdf_sha256 FROM file f JOIN dictionary d ON d.id = f.dictionary
             JOIN revision r ON r.number = f.number AND r.revision = f.revision WHERE f.kind = 'invoice'",
        )
        .unwrap();
    let row = |row: &rusqlite::Row<'_>| {
        let bytes = |column| row.get::<_, Vec<u8>>(column);
        Ok((bytes(0)?, row.get::<_, i64>(1)?, bytes(2)?, row.get::<_, String>(3)?))
    };
    let files: Vec<_> = query.query_map([], row).unwrap().map(Result::unwrap).collect();
    assert_eq!(files.len(), 3);
    for (packed, size, dictionary, sha256) in files {
        let mut zstd = zstd::bulk::Decompressor::with_dictionary(&dictionary).unwrap();
        assert_eq!(
            sha256_hex(&zstd.decompress(&packed, usize::try_from(size).unwrap()).unwrap()),
            sha256
        );
    }
}

/// Other fonts, another logo: another dictionary; but never many in a month.
#[rstest]
fn documents_that_become_others_stay_small_and_readable(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let reseller = closed(ledger, 2);
    let config = std::fs::read_to_string(reseller.path("fecha.toml")).unwrap();
    for round in 1..=6 {
        // A picture that hardly compresses, larger than all else in a document.
        let pixels: String = (0..700).map(|n| square(round * 1000 + n)).collect();
        reseller.write(
            "logo.svg",
            &format!(
                "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 99 99\">{pixels}</svg>"
            ),
        );
        reseller
            .write("fecha.toml", &config.replace("[issuer]\n", "[issuer]\nlogo = \"logo.svg\"\n"));
        let reason = format!("round {round}");
        reseller.add(&[(
            Some("d1"),
            &format!("55489{:08}", 91_000_000 + round),
            "in",
            "session",
            None,
            None,
            "2026-10-20T12:00:00Z",
        )]);
        reseller.run(&["rerun", "--month", "2026-10", "--all", "--reason", &reason]).expect(0);
    }
    let of_invoices = dictionaries(&reseller).iter().filter(|kind| *kind == "invoice").count();
    assert!((2..=4).contains(&of_invoices), "{of_invoices}");
    all_is_as_issued(&reseller);
}

/// A path of its own for each number.
fn square(seed: usize) -> String {
    let mut state = seed.wrapping_mul(2_654_435_761) % 4_294_967_291;
    let mut next = || {
        state = state.wrapping_mul(1_103_515_245).wrapping_add(12_345) % 2_147_483_648;
        format!("{}.{:03}", state / 1000 % 100, state % 1000)
    };
    let points: Vec<String> = (0..8).map(|_| format!("{} {}", next(), next())).collect();
    format!("<path d=\"M{}Z\"/>", points.join("L"))
}

#[rstest]
#[case("UPDATE dictionary SET bytes = CAST('x' AS BYTEA)")]
#[case("UPDATE file SET dictionary = NULL")]
#[case("UPDATE file SET packing = 'other'")]
fn what_cannot_be_read_any_more_is_said(#[case] sql: &str) {
    for ledger in [LedgerKind::Sqlite, LedgerKind::Postgres] {
        let reseller = closed(ledger, 2);
        reseller.tamper(sql);
        let verified = reseller.run(&["verify", "--month", "2026-10", "--json"]).expect(1).json();
        let problems: Vec<&Value> = verified["problems"].as_array().unwrap().iter().collect();
        assert!(problems.len() >= 4, "{ledger:?}: {verified}");
        let refused = reseller.run(&["invoice", "2026-000001", "--pdf", "f.pdf"]);
        assert_eq!((refused.status == 0, reseller.path("f.pdf").exists()), (false, false));
    }
}
