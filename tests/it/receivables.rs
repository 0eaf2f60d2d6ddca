//! What is open, overdue and waiting, black-box on both ledgers.

use rstest::rstest;
use serde_json::{Value, json};

use crate::support::reseller::{LedgerKind, Reseller};

const ANA: [&str; 2] = ["--by", "ana"];

/// Three dealerships, September and October closed, each invoice R$ 1.014,00: due on 13 October (the 12th is a
/// holiday) and on 10 November.
pub fn two_months(ledger: LedgerKind) -> Reseller {
    let mut reseller = Reseller::new(ledger);
    reseller.register(&[("d1", "", "5000"), ("d2", "", "5000"), ("d3", "", "5000")]);
    for (month, at) in [("2026-09", "2026-10-01 12:00:00"), ("2026-10", "2026-11-02 12:00:00")] {
        reseller.at(at).run(&["close", "--month", month, "--release"]).expect(0);
    }
    reseller
}

pub fn pay(reseller: &Reseller, arguments: &[&str]) -> Value {
    reseller.run(&[&["pay", "--json"], arguments, &ANA].concat()).expect(0).json()
}

/// d3 leaves at the end of October, with money on its account.
fn leaves(reseller: &Reseller) {
    reseller.write("none.csv", "dealership_id,from_month,package\nd3,2026-11,none\n");
    reseller.run(&["import", "--contracts", "none.csv"]).expect(0);
    for number in ["2026-000003", "2026-000006"] {
        pay(reseller, &[number, "--on", "2026-11-02"]);
    }
    pay(reseller, &["--dealership", "d3", "--on", "2026-11-02", "--amount", "100.00"]);
}

fn receivables(reseller: &Reseller, arguments: &[&str]) -> Value {
    reseller.run(&[&["receivables", "--json"], arguments].concat()).expect(0).json()
}

#[rstest]
fn what_is_open_by_age_and_dealership(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let mut reseller = two_months(ledger);
    leaves(&reseller);
    pay(&reseller, &["2026-000002", "--on", "2026-10-09", "--amount", "514.00"]);
    pay(&reseller, &["2026-000005", "--on", "2026-11-02", "--amount", "1064.00"]);
    reseller.at("2026-11-20 12:00:00");

    let all = receivables(&reseller, &[]);
    let keys: Vec<&String> = all.as_object().unwrap().keys().collect();
    assert_eq!(keys.len(), 5, "{keys:?}");
    let sums = json!([all["open"], all["overdue"], all["waiting"]]);
    assert_eq!(sums, json!(["2528.00", "2528.00", "150.00"]));
    let ages = json!({
        "not_due": "0.00", "1-30": "1014.00", "31-60": "1514.00", "61-90": "0.00", "91+": "0.00",
    });
    assert_eq!(all["ages"], ages);
    let dealerships = all["dealerships"].as_array().unwrap();
    let row = |one: &Value| {
        let numbers: Vec<&Value> =
            one["invoices"].as_array().unwrap().iter().map(|i| &i["number"]).collect();
        json!([one["dealership_id"], one["open"], one["overdue"], one["waiting"], numbers])
    };
    let expected = [
        json!(["d1", "2028.00", "2028.00", "0.00", ["2026-000001", "2026-000004"]]),
        json!(["d2", "500.00", "500.00", "50.00", ["2026-000002"]]),
        json!(["d3", "0.00", "0.00", "100.00", []]),
    ];
    assert_eq!(dealerships.iter().map(row).collect::<Vec<_>>(), expected);
    assert!(dealerships.iter().all(|one| one.as_object().unwrap().len() == 5), "{all}");
    // Each invoice is the very one of the list.
    let listed = reseller.invoices(&["--dealership", "d2"]);
    assert_eq!(dealerships[1]["invoices"][0], listed[0]);
    let money = ["total", "paid", "to_pay", "payment", "overdue"].map(|key| &listed[0][key]);
    assert_eq!(json!(money), json!(["1014.00", "514.00", "500.00", "part_paid", true]));

    // Before its day nothing is overdue, and all of it is gone once it is paid.
    reseller.at("2026-11-10 12:00:00");
    let overdue = receivables(&reseller, &["--overdue"]);
    let sums = json!([overdue["open"], overdue["overdue"], overdue["waiting"]]);
    assert_eq!(sums, json!(["1514.00", "1514.00", "50.00"]));
    assert_eq!(overdue["dealerships"].as_array().unwrap().len(), 2);
    assert_eq!(receivables(&reseller, &[])["ages"]["not_due"], "1014.00");
    for number in ["2026-000001", "2026-000002", "2026-000004"] {
        pay(&reseller, &[number, "--on", "2026-11-10"]);
    }
    assert_eq!(receivables(&reseller, &[])["open"], "0.00");
    let text = reseller.run(&["receivables", "--overdue"]).expect(0).stdout;
    assert!(text.contains("nothing is open"), "{text}");
    let unknown = reseller.run(&["receivables", "--dealership", "d9"]).expect(2).stderr;
    assert!(unknown.contains("'d9' is not in the register"), "{unknown}");
}

#[test]
fn a_table_for_people_names_who_left() {
    let mut reseller = two_months(LedgerKind::Sqlite);
    leaves(&reseller);
    pay(&reseller, &["2026-000002", "--on", "2026-10-09", "--amount", "514.00"]);
    reseller.at("2026-11-20 12:00:00");
    let text = reseller.run(&["receivables"]).expect(0).stdout;
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    insta::assert_snapshot!("table", text);
}

/// A revision and a void number owe nothing, and nobody is asked for them.
#[rstest]
fn what_was_superseded_or_is_void_is_owed_by_nobody(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let mut reseller = two_months(ledger);
    reseller.at("2026-11-03 12:00:00");
    reseller.run(&["cancel", "2026-000001", "--reason", "dobrada"]).expect(0);
    let credit = ["adjust", "--dealership", "d2", "--month", "2026-10", "--amount", "-14.00"];
    reseller.run(&[&credit[..], &["--description", "Desconto"]].concat()).expect(0);
    let rerun = ["rerun", "--month", "2026-10", "--dealership", "d2", "--reason", "desconto"];
    reseller.run(&rerun).expect(0);
    let all = receivables(&reseller, &[]);
    // Five stand, one of them for R$ 14,00 less.
    assert_eq!(all["open"], "5056.00");
    let owed: Vec<[String; 3]> = reseller
        .invoices(&["--all-revisions"])
        .iter()
        .filter(|invoice| invoice["state"] != "issued")
        .map(|invoice| ["number", "revision", "to_pay"].map(|key| invoice[key].to_string()))
        .collect();
    let none = |number: &str| [format!("\"{number}\""), "0".to_owned(), "\"0.00\"".to_owned()];
    assert_eq!(owed, [none("2026-000001"), none("2026-000005")]);
}

#[rstest]
fn one_dealership_with_the_ids_that_undo_takes(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let mut reseller = two_months(ledger);
    let paid = ["2026-000001", "--on", "2026-10-09", "--amount", "1114.00", "--reference", "E1"];
    let id = pay(&reseller, &paid)["recorded"][0]["id"].clone();
    let refund = ["--refund", "30.00", "--dealership", "d1", "--on", "2026-11-02"];
    let back = pay(&reseller, &[&refund[..], &["--reason", "pediu de volta"]].concat());
    reseller.at("2026-11-20 12:00:00");
    let one = receivables(&reseller, &["--dealership", "d1"])["dealerships"][0].clone();
    assert_eq!(
        one["payments"],
        json!([{
            "id": id, "number": "2026-000001", "on": "2026-10-09", "amount": "1114.00",
            "kind": "money", "reference": "E1",
            "settles": [{"number": "2026-000001", "amount": "1014.00"}],
            "refunded": "30.00", "waiting": "70.00", "undone": false, "by": "ana",
        }])
    );
    let refunds = json!([{
        "id": back["id"], "on": "2026-11-02", "amount": "30.00", "reason": "pediu de volta",
        "undone": false,
    }]);
    assert_eq!(one["refunds"], refunds);
    assert_eq!(json!([one["open"], one["waiting"]]), json!(["1014.00", "70.00"]));
    let text = reseller.run(&["receivables", "--dealership", "d1"]).expect(0).stdout;
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    let ids = [&id, &back["id"]].map(|id| id.as_str().unwrap().to_owned());
    for id in &ids {
        assert!(text.contains(id), "{id} is not in {text}");
    }
    if matches!(ledger, LedgerKind::Sqlite) {
        insta::assert_snapshot!("one", text.replace(&ids[0], "ID-1").replace(&ids[1], "ID-2"));
    }
    // What it prints is what `pay --undo` takes.
    for id in [&ids[1], &ids[0]] {
        reseller.run(&["pay", "--undo", id, "--reason", "engano", "--by", "ana"]).expect(0);
    }
    let one = receivables(&reseller, &["--dealership", "d1"])["dealerships"][0].clone();
    assert_eq!(json!([one["open"], one["waiting"]]), json!(["2028.00", "0.00"]));
    assert_eq!(
        json!([one["payments"][0]["undone"], one["refunds"][0]["undone"]]),
        json!([true, true])
    );
    // Who owes nothing is listed where it is asked for by name.
    reseller.register(&[("d4", "", "5000")]);
    let none = receivables(&reseller, &["--dealership", "d4"]);
    let expected = json!([{
        "dealership_id": "d4", "open": "0.00", "overdue": "0.00", "waiting": "0.00",
        "invoices": [], "payments": [], "refunds": [],
    }]);
    assert_eq!(none["dealerships"], expected);
}

#[rstest]
fn status_says_what_is_overdue_and_names_who_left(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let mut reseller = two_months(ledger);
    reseller.at("2026-11-20 12:00:00");
    // Somebody always pays late: a person is told, and nothing is wrong.
    let text = reseller.run(&["status"]).expect(0).stdout;
    let overdue = "6 invoices overdue, R$ 6.084,00: `fecha receivables --overdue`";
    assert!(text.contains(overdue) && text.contains("Nothing needs a person"), "{text}");
    let line = json!({
        "open": "6084.00", "overdue": "6084.00", "waiting": "0.00", "overdue_invoices": 6,
    });
    assert_eq!(reseller.run(&["status", "--json"]).expect(0).json()["receivables"], line);

    // What waits for who left is another matter, be it money or a credit.
    reseller.at("2026-11-02 12:00:00");
    leaves(&reseller);
    let credit = ["adjust", "--dealership", "d3", "--month", "2026-11", "--amount", "-20.00"];
    reseller.run(&[&credit[..], &["--description", "Desconto"]].concat()).expect(0);
    let status = reseller.run(&["status", "--json"]).expect(1).json();
    let expected = json!([{
        "what": "'d3' has no contract, and R$\u{a0}100,00 and R$\u{a0}20,00 of credits waiting",
        "do": "no contract: pay back with `fecha pay --refund 100.00 --dealership d3 --on DATE \
               --reason TEXT`; take back with `fecha adjust --cancel N`",
    }]);
    assert_eq!(status["needs_a_person"], expected);
    let refund = ["--refund", "100.00", "--dealership", "d3", "--on", "2026-11-02"];
    pay(&reseller, &[&refund[..], &["--reason", "encerrou"]].concat());
    reseller.run(&["adjust", "--cancel", "1"]).expect(0);
    reseller.run(&["status"]).expect(0);
    // Until its last month is closed, there is an invoice to come.
    reseller.write("none.csv", "dealership_id,from_month,package\nd2,2026-12,none\n");
    reseller.run(&["import", "--contracts", "none.csv"]).expect(0);
    pay(&reseller, &["--dealership", "d2", "--on", "2026-11-02", "--amount", "1.00"]);
    reseller.at("2026-12-01 12:00:00").run(&["status"]).expect(1); // 2026-11 is not closed
    let waits = |reseller: &Reseller| {
        reseller.run(&["status"]).expect(1).stdout.contains("has no contract")
    };
    assert!(!waits(&reseller));
    pay(&reseller, &["--dealership", "d3", "--on", "2026-11-02", "--amount", "1.00"]);
    assert!(waits(&reseller));
}

#[rstest]
fn a_digest_tells_what_is_open_as_of_then(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let mut reseller = two_months(ledger);
    pay(&reseller, &["2026-000001", "--on", "2026-11-02", "--amount", "1314.00"]);
    reseller.at("2026-12-01 12:00:00").run(&["close", "--month", "2026-11", "--release"]).expect(0);
    // Eight are open, that of d1 for November R$ 300,00 less; five are overdue.
    reseller.at("2026-12-02 12:00:00").run(&["deliver"]).expect(0);
    let mail = std::fs::read_dir(reseller.path("mail")).unwrap().map(|entry| entry.unwrap().path());
    let of_november = |path: &std::path::PathBuf| {
        path.file_name().unwrap().to_str().unwrap().starts_with("fechamento-2026-11")
    };
    let [report] = mail.filter(of_november).collect::<Vec<_>>().try_into().unwrap();
    // The words stand in quoted-printable, which may break a line anywhere.
    let words =
        std::fs::read_to_string(report).unwrap().replace("=\r\n", "").replace("=C2=A0", " ");
    for line in ["Em aberto: R$ 7.812,00", "Vencido: R$ 5.070,00", "sem fatura: R$ 0,00"] {
        assert!(words.contains(line), "{line} is not in {words}");
    }
    let csv = reseller.run(&["invoices", "--month", "2026-11", "--csv"]).expect(0).stdout;
    assert!(csv.contains(";1014,00;10/12/2026;300,00;714,00;"), "{csv}");
}

#[rstest]
fn what_lists_show_is_written_anew_from_the_rows(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let reseller = two_months(ledger);
    pay(&reseller, &["2026-000001", "--on", "2026-11-02", "--amount", "1100.00"]);
    let before = receivables(&reseller, &[]);
    let unharmed = reseller.run(&["receivables", "--rebuild", "--by", "ana"]).expect(0).stdout;
    assert!(unharmed.contains("nothing to write"), "{unharmed}");
    // Somebody who knows no triggers.
    reseller
        .ledger_sql("UPDATE invoice SET open = 1 WHERE number IN ('2026-000002', '2026-000001')");
    reseller.ledger_sql("UPDATE payment SET waiting = 999999");
    assert_ne!(receivables(&reseller, &[]), before);
    let said = reseller.run(&["verify", "--month", "2026-10"]).expect(1).stdout;
    let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
    let payment = reseller.ledger_texts("SELECT id FROM payment").remove(0);
    let names = format!("2026-000001, 2026-000002, {payment}");
    assert!(said.contains(&names) && said.contains("`fecha receivables --rebuild`"), "{said}");
    let written =
        reseller.run(&["receivables", "--rebuild", "--by", "ana", "--json"]).expect(0).json();
    assert_eq!(written, json!({ "rebuilt": ["2026-000001", "2026-000002", payment] }));
    reseller.run(&["verify", "--month", "2026-10"]).expect(0);
    assert_eq!(receivables(&reseller, &[]), before);
    let audit = reseller.run(&["audit", "--json"]).expect(0).stdout;
    assert!(audit.contains(&format!("open and waiting written anew: {names}")), "{audit}");
}
