//! Adjustments, cancellations and payments, black-box on both ledgers.

use rstest::rstest;
use serde_json::{Value, json};

use crate::support::pdf::Pdf;
use crate::support::reseller::{LedgerKind, Reseller};

const OCTOBER: &str = "2026-10-31T15:00:00Z";
const NOVEMBER: &str = "2026-11-30T15:00:00Z";

/// One dealership with a message in each of two months; nothing is closed.
fn reseller(ledger: LedgerKind) -> Reseller {
    let reseller = Reseller::new(ledger);
    reseller.register(&[("d1", "", "5000")]);
    reseller.add_contacts("d1", 3, OCTOBER);
    reseller.add_contacts("d1", 3, NOVEMBER);
    reseller
}

fn adjust(reseller: &Reseller, month: &str, amount: &str) -> Value {
    let whom = ["adjust", "--dealership", "d1", "--month", month, "--amount", amount];
    let what = ["--description", "Desconto combinado", "--by", "ana", "--json"];
    reseller.run(&[&whom[..], &what].concat()).expect(0).json()["id"].clone()
}

fn invoices(reseller: &Reseller) -> Vec<[String; 4]> {
    let field = |invoice: &Value, key: &str| invoice[key].to_string().replace('"', "");
    let row = |invoice: &Value| {
        ["number", "state", "adjustments_amount", "total"].map(|key| field(invoice, key))
    };
    reseller.invoices(&["--all-revisions"]).iter().map(row).collect()
}

fn document(reseller: &Reseller, number: &str) -> Pdf {
    reseller.run(&["invoice", number, "--pdf", "f.pdf"]).expect(0);
    Pdf::new(std::fs::read(reseller.path("f.pdf")).unwrap())
}

#[rstest]
fn a_credit_goes_on_the_next_invoice_and_its_rest_on_the_one_after(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let mut reseller = reseller(ledger);
    let unwanted = adjust(&reseller, "2026-10", "5.00").to_string();
    reseller.run(&["adjust", "--cancel", &unwanted]).expect(0);
    adjust(&reseller, "2026-10", "-1100.00");
    let dry = reseller.run(&["close", "--dry-run", "--json"]).expect(0).json();
    assert_eq!(dry["total"], "0.00");
    reseller.run(&["close"]).expect(0);
    let words = document(&reseller, "2026-000001").copied_text();
    let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("86,00 ficam para os meses seguintes"), "{words}");
    assert!(words.contains("Nada a pagar"), "{words}");
    reseller.at("2026-12-02 12:00:00").run(&["close"]).expect(0);
    let expected = [
        ["2026-000001", "issued", "-1014.00", "0.00"],
        ["2026-000002", "issued", "-86.00", "928.00"],
    ];
    assert_eq!(invoices(&reseller), expected);
    // Both are what they would be today, although the rest has moved on.
    for month in ["2026-10", "2026-11"] {
        reseller.run(&["verify", "--month", month]).expect(0);
    }
    let taken = reseller.run(&["adjust", "--cancel", "2"]).expect(2).stderr;
    assert!(taken.contains("on 2026-000001"), "{taken}");
    let list = reseller.run(&["adjust", "--json"]).expect(0).json();
    let states: Vec<[Value; 4]> = list
        .as_array()
        .unwrap()
        .iter()
        .map(|a| ["number", "cancelled", "waiting", "taken"].map(|key| a[key].clone()))
        .collect();
    let both = json!([
        {"number": "2026-000001", "amount": "-1014.00"},
        {"number": "2026-000002", "amount": "-86.00"},
    ]);
    assert_eq!(
        states,
        [
            [Value::Null, json!(true), json!("0.00"), json!([])],
            [json!("2026-000001"), json!(false), json!("0.00"), both],
        ]
    );
    let words = document(&reseller, "2026-000002").copied_text().replace(['\n', '\u{a0}'], " ");
    assert!(words.contains("Saldo de crédito: Desconto combinado"), "{words}");
}

#[rstest]
fn a_rerun_takes_what_was_entered_for_its_month(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let mut reseller = reseller(ledger);
    reseller.run(&["close"]).expect(0);
    reseller.at("2026-11-03 15:00:00");
    adjust(&reseller, "2026-10", "-120.00");
    let rerun = ["rerun", "--month", "2026-10", "--all", "--reason", "desconto", "--json"];
    let report = reseller.run(&rerun).expect(0).json();
    assert_eq!(report["revised"][0]["causes"], json!(["adjustment"]));
    assert_eq!(report["revised"][0]["total"], json!({"before": "1014.00", "after": "894.00"}));
    assert_eq!(reseller.run(&rerun).expect(0).json()["unchanged"], 1);
    // More late use has no effect on the credit.
    reseller.add(&[(Some("d1"), "554890000001", "out", "hsm", None, None, OCTOBER)]);
    reseller.run(&rerun).expect(0);
    reseller.at("2026-12-02 12:00:00").run(&["close"]).expect(0);
    let expected = [
        ["2026-000001", "superseded", "0.00", "1014.00"],
        ["2026-000001", "superseded", "-120.00", "894.00"],
        ["2026-000001", "issued", "-120.00", "894.46"],
        ["2026-000002", "issued", "0.00", "1014.00"],
    ];
    assert_eq!(invoices(&reseller), expected);
}

#[rstest]
fn a_cancelled_invoice_is_void_and_its_month_is_closed_again_only_by_name(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let mut reseller = reseller(ledger);
    adjust(&reseller, "2026-10", "-100.00");
    reseller.run(&["close"]).expect(0);
    reseller.at("2026-11-03 15:00:00");
    reseller.run(&["pay", "2026-000001", "--on", "2026-11-02", "--amount", "14.00"]).expect(0);
    let cancel = ["cancel", "2026-000001", "--reason", "pacote errado", "--json"];
    assert_eq!(reseller.run(&cancel).expect(0).json()["state"], "cancelled");
    assert!(reseller.run(&cancel).expect(2).stderr.contains("no invoice 2026-000001 stands"));
    let states: Vec<(Value, Value)> = reseller
        .outbox()
        .iter()
        .filter(|email| email["kind"] == "invoice")
        .map(|email| (email["subject"].clone(), email["state"].clone()))
        .collect();
    assert_eq!(states.len(), 2);
    assert_eq!(states[0].1, "withdrawn");
    assert_eq!(states[1].0, "Fatura 2026-000001 cancelada · outubro de 2026");
    let finance = reseller.outbox().into_iter().find(|email| email["kind"] == "digest").unwrap();
    assert_eq!(finance["to"], "financeiro@example.com");
    let copies = |email: &Value| email["subject"].as_str().unwrap().ends_with("· cópia");
    assert_eq!(reseller.outbox().iter().filter(|email| copies(email)).count(), 1);
    reseller.run(&["deliver"]).expect(0);

    // Its document can be read, and sent again.
    let read = ["invoice", "2026-000001", "--cancellation", "c.pdf"];
    reseller.run(&read).expect(0);
    let words = Pdf::new(std::fs::read(reseller.path("c.pdf")).unwrap()).copied_text();
    assert!(words.contains("pacote errado"), "{words}");
    let again = reseller.run(&["resend", "2026-000001", "--to", "x@example.com", "--json"]);
    assert_eq!(again.expect(0).json()["queued"], json!(["x@example.com"]));
    reseller.run(&["resend", "2026-000001"]).expect(0);
    reseller.run(&["deliver"]).expect(0);
    let mut sent: Vec<String> = reseller
        .outbox()
        .iter()
        .filter(|email| email["state"] == "sent" && email["kind"] == "invoice")
        .map(|email| format!("{}: {}", email["to"], email["subject"]).replace('"', ""))
        .collect();
    let subject = "Fatura 2026-000001 cancelada · outubro de 2026";
    let to = |who: &str| format!("{who}@example.com: {subject}");
    sent.sort();
    assert_eq!(sent, [to("d1"), to("d1"), to("x")]);

    // A whole close, as the daemon does it, leaves the dealership alone.
    assert_eq!(reseller.run(&["close", "--json"]).expect(0).json()["issued"], 0);
    let close = ["close", "--month", "2026-10", "--dealership", "d1", "--json"];
    assert_eq!(reseller.run(&close).expect(0).json()["issued"], 1);
    // The credit that it carried is on the new one, and what was paid for it settles a part of that.
    let expected = [
        ["2026-000001", "cancelled", "-100.00", "914.00"],
        ["2026-000002", "issued", "-100.00", "914.00"],
    ];
    assert_eq!(invoices(&reseller), expected);
    let new = &reseller.invoices(&[])[1];
    assert_eq!((&new["paid"], &new["payment"]), (&json!("14.00"), &json!("part_paid")));
    let words = document(&reseller, "2026-000002").copied_text().replace(['\n', '\u{a0}'], " ");
    assert!(words.contains("Já pago") && words.contains("-R$ 14,00"), "{words}");
    assert!(words.contains("A pagar") && words.contains("R$ 900,00 até"), "{words}");
    let code = document(&reseller, "2026-000002").qr_code();
    assert!(code.contains("5406900.00"), "field 54 of the BR Code: {code}");
    reseller.run(&["verify", "--month", "2026-10"]).expect(0);
    let log = reseller.run(&["audit", "--month", "2026-10", "--json"]).expect(0).json();
    let mut actions: Vec<&str> =
        log.as_array().unwrap().iter().map(|entry| entry["action"].as_str().unwrap()).collect();
    actions.sort_unstable();
    assert_eq!(actions, ["adjust", "cancel", "issue", "issue", "pay", "resend", "resend"]);

    // Both the document and the words about it are kept as they are.
    assert!(reseller.refuses("UPDATE cancellation SET content = '{}'"));
    reseller.tamper("UPDATE file SET bytes = CAST('x' AS BYTEA) WHERE kind = 'cancellation'");
    let found = reseller.run(&["verify", "--month", "2026-10"]).expect(1).stdout;
    assert!(
        found.contains("document of cancellation of 2026-000001 is not what was made"),
        "{found}"
    );
}

#[rstest]
fn a_revision_of_a_paid_invoice_asks_for_the_difference(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let mut reseller = reseller(ledger);
    reseller.run(&["close"]).expect(0);
    reseller.at("2026-11-12 15:00:00");
    assert_eq!(reseller.invoices(&[])[0]["overdue"], true);
    reseller.run(&["pay", "2026-000001", "--on", "2026-11-10", "--amount", "500.00"]).expect(0);
    assert_eq!(reseller.invoices(&[])[0]["payment"], "part_paid");
    reseller.run(&["pay", "2026-000001", "--on", "2026-11-11"]).expect(0);
    assert_eq!(reseller.invoices(&[])[0]["payment"], "paid");
    assert!(reseller.run(&["invoices"]).expect(0).stdout.contains("R$ 0,00 of it open"));

    reseller.add(&[(Some("d1"), "5548990000001", "out", "hsm", None, None, OCTOBER)]);
    let rerun = ["rerun", "--month", "2026-10", "--all", "--reason", "x", "--accept", "loss"];
    reseller.run(&rerun).expect(0);
    let words = document(&reseller, "2026-000001").copied_text();
    let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("Já pago -R$ 1.014,00 A pagar R$ 0,46"), "{words}");
    assert!(words.contains("R$ 0,46 até"), "{words}");
    let code = document(&reseller, "2026-000001").qr_code();
    assert!(code.contains("54040.46"), "field 54 of the BR Code: {code}");
    let invoice = &reseller.invoices(&[])[0];
    assert_eq!((&invoice["total"], &invoice["payment"]), (&json!("1014.46"), &json!("part_paid")));

    // The message turns out to be a mistake, and a discount is given: more was paid than is asked for.
    reseller.messages().execute_batch("DELETE FROM message WHERE kind = 'hsm'").unwrap();
    adjust(&reseller, "2026-10", "-14.00");
    reseller.run(&rerun).expect(0);
    let words = document(&reseller, "2026-000001").copied_text();
    let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("saldo de R$ 14,00 a seu favor, que descontamos da próxima"), "{words}");
    assert_eq!(reseller.invoices(&[])[0]["payment"], "paid");
    reseller.at("2026-12-02 12:00:00").run(&["close"]).expect(0);
    // What is left of the money settles a part of the next invoice: it is no line of it.
    let november = &reseller.invoices(&["--month", "2026-11"])[0];
    assert_eq!(november["adjustments_amount"], "0.00");
    assert_eq!((&november["total"], &november["paid"]), (&json!("1014.00"), &json!("14.00")));
    reseller.run(&["verify", "--month", "2026-10"]).expect(0);
}

#[test]
fn a_file_of_payments_is_read_whole_or_not_at_all() {
    let mut reseller = reseller(LedgerKind::Sqlite);
    reseller.run(&["close"]).expect(0);
    reseller.at("2026-12-02 12:00:00").run(&["close"]).expect(0);
    reseller.write(
        "bad.csv",
        "number,on,amount\n2026-000001,2026-11-10,\n2026-000009,10/11/2026,\n\
         2026-000002,31/11/2026,1.00\n",
    );
    let bad = reseller.run(&["pay", "--csv", "bad.csv"]).expect(2).stderr;
    assert!(bad.contains("bad.csv line 4: '31/11/2026'"), "{bad}");
    reseller.write(
        "unknown.csv",
        "number,on,amount\n2026-000001,2026-11-10,\n2026-000009,2026-11-10,\n",
    );
    let bad = reseller.run(&["pay", "--csv", "unknown.csv"]).expect(2).stderr;
    assert!(bad.contains("unknown.csv line 3: there is no invoice 2026-000009"), "{bad}");
    assert_eq!(reseller.invoices(&[])[0]["paid"], "0.00", "nothing was recorded");
    reseller.write(
        "good.csv",
        "number,on,amount\n2026-000001,2026-11-10,1014.00\n2026-000002,2026-12-01,14.00\n\
         2026-000002,2026-12-02,\n",
    );
    let csv = ["pay", "--csv", "good.csv", "--json"];
    let counts =
        |ran: &Value| (ran["recorded"].as_array().unwrap().len(), ran["already_recorded"].clone());
    assert_eq!(counts(&reseller.run(&csv).expect(0).json()), (3, json!(0)));
    assert_eq!(counts(&reseller.run(&csv).expect(0).json()), (0, json!(3)));
    assert!(reseller.invoices(&[]).iter().all(|invoice| invoice["payment"] == "paid"));
    // More than is open waits, and the answer says so.
    let more = ["pay", "2026-000001", "--on", "2026-12-01", "--amount", "1.00"];
    let answer = reseller.run(&more).expect(0).stdout;
    assert!(answer.contains("R$ 1,00 of R$ 1,00 wait on the account of 'd1'"), "{answer}");
}
