//! Preview and simulation, black-box: they show, and change nothing.

use rstest::rstest;
use serde_json::json;

use crate::support::pdf::Pdf;
use crate::support::reseller::{LedgerKind, Reseller};

#[test]
fn a_running_month_is_priced_and_carried_on() {
    let mut reseller = Reseller::new(LedgerKind::Sqlite);
    reseller.register(&[("d1", "", "5000"), ("d2", "", "5000"), ("d3", "", "")]);
    reseller.add_contacts("d1", 4000, "2026-11-05T10:00:00Z");
    reseller.add(&[(
        Some("d1"),
        "5548980000001",
        "out",
        "hsm",
        None,
        None,
        "2026-11-06T10:00:00Z",
    )]);
    let adjust = ["adjust", "--dealership", "d2", "--month", "2026-11", "--amount", "-14.00"];
    reseller.run(&[&adjust[..], &["--description", "Desconto"]].concat()).expect(0);
    // Half of November has passed; the pace is that of the last seven days, when nobody new came.
    reseller.at("2026-11-15 03:00:00");
    let shown = reseller.run(&["preview", "--json"]).expect(0).json();
    assert_eq!(
        shown["dealerships"][0],
        json!({"dealership_id": "d1", "package": 5000, "percent": 80, "no_price": null,
            "now": {"uam": 4001, "hsm": 1, "total": "1014.46"},
            "projected": {"uam": 4001, "hsm": 2, "total": "1014.92"}})
    );
    assert_eq!(shown["dealerships"][1]["now"]["total"], "1000.00");
    assert_eq!(shown["dealerships"].as_array().unwrap().len(), 2);
    assert_eq!(shown["total"], "2014.46");

    // On the 9th they had all come within the week: 4,001 in seven days and more to come.
    reseller.at("2026-11-09 03:00:00");
    let one = ["preview", "--month", "2026-11", "--dealership", "d1", "--json"];
    let early = reseller.run(&one).expect(0).json();
    let projected = early["dealerships"][0]["projected"]["uam"].as_u64().unwrap();
    assert!(projected > 16_000, "{early}");
    let words = reseller.run(&["preview"]).expect(0).stdout;
    assert!(words.contains("80 %") && words.contains("nothing was issued"), "{words}");
    assert!(reseller.invoices(&[]).is_empty() && reseller.outbox().is_empty());
    assert!(reseller.run(&["preview", "--dealership", "dx"]).expect(2).stderr.contains("'dx'"));
}

#[test]
fn a_pro_forma_cannot_be_taken_for_an_invoice() {
    let mut reseller = Reseller::new(LedgerKind::Sqlite);
    reseller.register(&[("d1", "", "5000"), ("a/%d2", "", "5000"), ("d3", "", "")]);
    reseller.add_contacts("d1", 5123, "2026-11-05T10:00:00Z");
    let adjust = ["adjust", "--dealership", "d1", "--month", "2026-11", "--amount", "-14.00"];
    reseller.run(&[&adjust[..], &["--description", "Desconto"]].concat()).expect(0);
    reseller.at("2026-11-15 13:00:00");
    let one = ["preview", "--dealership", "d1", "--pdf", "previa.pdf", "--json"];
    let shown = reseller.run(&one).expect(0).json();
    assert_eq!(shown["files"], json!(["previa.pdf"]));
    let pdf = Pdf::new(std::fs::read(reseller.path("previa.pdf")).unwrap());
    let words = pdf.copied_text().replace(['\n', '\u{a0}'], " ");
    for said in [
        "PRÉVIA",
        "Este documento não é uma fatura",
        "apurados até 15/11/2026 às 10:00 (horário de Brasília)",
        "R$ 1.035,67",
        "o mês terminaria com",
    ] {
        assert!(words.contains(said), "{said} is not in {words}");
    }
    let lower = words.to_lowercase();
    for never in ["pix", "000000", "nº", "vencimento em", "qr", "emissão", "sha-256"] {
        assert!(!lower.contains(never), "{never} is in {words}");
    }

    // A folder has one for each; one file cannot hold several.
    let all = reseller.run(&["preview", "--pdf", "previas"]).expect(0).stdout;
    assert!(all.contains("wrote 2 files"), "{all}");
    let mut names: Vec<_> = std::fs::read_dir(reseller.path("previas"))
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    let second = "previa-2026-11-a%2F%25d2.pdf";
    assert_eq!(names, [second, "previa-2026-11-d1.pdf"]);
    let refused = reseller.run(&["preview", "--pdf", "x.pdf"]).expect(2).stderr;
    assert!(refused.contains("2 dealerships have a preview"), "{refused}");
    assert!(reseller.invoices(&[]).is_empty() && reseller.outbox().is_empty());
    if let Some(folder) = std::env::var_os("PAPERS") {
        std::fs::copy(reseller.path("previa.pdf"), std::path::Path::new(&folder).join("p.pdf"))
            .unwrap();
    }
}

#[test]
fn a_preview_of_a_month_that_is_over_is_what_a_close_issues() {
    let reseller = Reseller::new(LedgerKind::Sqlite);
    reseller.register(&[("d1", "", "5000"), ("d2", "America/Manaus", "10000")]);
    reseller.add_contacts("d1", 5123, "2026-10-31T10:00:00Z");
    let shown = reseller.run(&["preview", "--month", "2026-10", "--json"]).expect(0).json();
    let closed = reseller.run(&["close", "--json"]).expect(0).json();
    assert_eq!(shown["total"], closed["total"]);
    assert_eq!(shown["projected_total"], closed["total"]);
}

#[test]
fn other_prices_are_applied_to_what_was_used() {
    let reseller = Reseller::new(LedgerKind::Sqlite);
    reseller.register(&[("d1", "", "5000"), ("d2", "", "5000")]);
    reseller.add_contacts("d1", 5100, "2026-10-31T10:00:00Z");
    reseller.run(&["close"]).expect(0);
    reseller.messages().execute_batch("DELETE FROM message").unwrap();
    let table = "[[prices]]\nfrom = \"2020-08\"\noverage = \"0.32\"\nhsm = \"0.46\"\n\
        packages = [{ contacts = 5000, price = \"1014.00\" }]\n";
    reseller.write("raise.toml", table);
    let range = ["simulate", "--prices", "raise.toml", "--from", "2026-08", "--to", "2026-10"];
    let shown = reseller.run(&[&range[..], &["--json"]].concat()).expect(0).json();
    assert_eq!(
        shown["dealerships"][0],
        json!({"dealership_id": "d1", "invoices": 1, "billed": "1043.00", "simulated": "1046.00",
            "difference": "3.00"})
    );
    assert_eq!((&shown["billed"], &shown["difference"]), (&json!("2057.00"), &json!("3.00")));
    let words = reseller.run(&range).expect(0).stdout;
    assert!(words.contains("+R$ 3,00"), "{words}");

    reseller.write("raise.toml", &table.replace("5000", "6000"));
    let refused = reseller.run(&range).expect(2).stderr;
    assert!(refused.contains("raise.toml: the price table"), "{refused}");
    reseller.write("raise.toml", &table.replace("0.32", "0,32"));
    let refused = reseller.run(&range).expect(2).stderr;
    assert!(refused.contains("raise.toml:3: [[prices]] overage"), "{refused}");
}

#[rstest]
fn a_preview_of_an_invoiced_month_says_what_a_rerun_would(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let reseller = Reseller::new(ledger);
    reseller.register(&[("d1", "", "5000"), ("d2", "", "5000")]);
    reseller.add_contacts("d1", 10, "2026-10-31T10:00:00Z");
    reseller.add_contacts("d2", 10, "2026-10-31T10:00:00Z");
    let adjust = ["adjust", "--dealership", "d1", "--month", "2026-10", "--amount", "-120.00"];
    reseller.run(&[&adjust[..], &["--description", "Desconto"]].concat()).expect(0);
    reseller.run(&["close"]).expect(0);
    let totals = |reseller: &Reseller| {
        let shown = reseller.run(&["preview", "--month", "2026-10", "--json"]).expect(0).json();
        let of = |index: usize| shown["dealerships"][index]["now"]["total"].clone();
        [of(0), of(1)]
    };
    let invoiced = |reseller: &Reseller| {
        let invoices = reseller.invoices(&[]);
        [invoices[0]["total"].clone(), invoices[1]["total"].clone()]
    };
    assert_eq!(invoiced(&reseller), [json!("894.00"), json!("1014.00")]);
    // The credit that the invoice took stays taken.
    assert_eq!(totals(&reseller), invoiced(&reseller));
    // Another package since: the invoice keeps its own, and so does the preview of it.
    reseller.write("moved.csv", "dealership_id,from_month,package\nd2,2026-10,10000\n");
    reseller.run(&["import", "--contracts", "moved.csv"]).expect(0);
    assert_eq!(totals(&reseller), [json!("894.00"), json!("1014.00")]);
    // A contract that ended since: it is invoiced, so it is previewed.
    reseller.write("moved.csv", "dealership_id,from_month,package\nd2,2026-10,none\n");
    reseller.run(&["import", "--contracts", "moved.csv"]).expect(0);
    assert_eq!(totals(&reseller), [json!("894.00"), json!("1014.00")]);
    // Messages that came late, and a credit for this very month: what the rerun then issues.
    reseller.write("moved.csv", "dealership_id,from_month,package\nd2,2026-10,5000\n");
    reseller.run(&["import", "--contracts", "moved.csv"]).expect(0);
    reseller.add_contacts("d2", 5003, "2026-10-31T11:00:00Z");
    let adjust = ["adjust", "--dealership", "d1", "--month", "2026-10", "--amount", "-4.00"];
    reseller.run(&[&adjust[..], &["--description", "Mais"]].concat()).expect(0);
    let before = totals(&reseller);
    assert_eq!(before, [json!("890.00"), json!("1014.87")]);
    let rerun = ["rerun", "--month", "2026-10", "--all", "--reason", "atraso"];
    reseller.run(&rerun).expect(0);
    assert_eq!(invoiced(&reseller), before);
}

#[test]
fn a_preview_names_what_a_close_would_leave_to_a_person() {
    let mut reseller = Reseller::new(LedgerKind::Sqlite);
    reseller.register(&[("d1", "", "5000"), ("d2", "", "")]);
    let at = "2026-11-05T10:00:00Z";
    reseller.add_contacts("d1", 1, at);
    reseller.add(&[
        (Some("d1"), "5548980000001", "OUT", "session", None, None, at),
        (Some("d2"), "5548980000001", "in", "session", None, None, at),
        (Some("dx"), "5548980000001", "in", "session", None, None, at),
        (None, "5548980000001", "in", "session", None, None, at),
    ]);
    reseller.at("2026-11-15 13:00:00");
    let shown = reseller.run(&["preview", "--json"]).expect(0).json();
    let exception = |id: Option<&str>, reason: &str| json!({"dealership_id": id, "reason": reason, "messages": 1});
    let mut malformed = exception(Some("d1"), "malformed");
    malformed["detail"] = json!("direction 'OUT' (1)");
    let expected = json!([
        exception(None, "unknown_dealership"),
        malformed,
        exception(Some("d2"), "no_contract"),
        exception(Some("dx"), "unknown_dealership"),
    ]);
    assert_eq!(shown["exceptions"], expected);
    let words = reseller.run(&["preview"]).expect(0).stdout;
    assert!(words.contains("4 exceptions for a person"), "{words}");
    assert!(words.contains("'dx' is not in the register"), "{words}");
    // What a close then names.
    reseller.at("2026-12-02 03:00:00");
    let closed = reseller.run(&["close", "--release", "--json"]).expect(1).json();
    assert_eq!(closed["exceptions"], expected);
    // Named dealerships: theirs alone.
    let one = ["preview", "--month", "2026-11", "--dealership", "d1", "--json"];
    let shown = reseller.run(&one).expect(0).json();
    assert_eq!(shown["exceptions"], json!([malformed]));
}
