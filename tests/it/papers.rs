//! What documents and emails of a real close hold beyond one invoice: earlier months, late fees,
//! evidence.

use crate::support::pdf::Pdf;
use crate::support::reseller::{LedgerKind, Reseller};
use rstest::rstest;

/// Two months of one dealership, the second with more contacts; the configuration has words on late
/// payment.
fn two_months(ledger: LedgerKind) -> Reseller {
    let mut reseller = Reseller::new(ledger);
    reseller.variables.push(("FECHA_INVOICE__LATE_FEE".to_owned(), "Multa de 2%.".to_owned()));
    reseller.register(&[("d1", "", "5000")]);
    reseller.at("2026-10-01 03:00:01");
    reseller.add_contacts("d1", 200, "2026-09-30T10:00:00Z");
    reseller.add_contacts("d1", 310, "2026-10-31T10:00:00Z");
    reseller.run(&["close"]).expect(0);
    reseller.at("2026-11-01 03:00:01").run(&["close"]).expect(0);
    reseller
}

fn document(reseller: &Reseller, number: &str, kind: &str) -> Pdf {
    let path = reseller.path("document.pdf");
    reseller.run(&["invoice", number, kind, path.to_str().unwrap()]).expect(0);
    Pdf::new(std::fs::read(path).unwrap())
}

/// Its text in one line.
fn words(pdf: &Pdf) -> String {
    pdf.copied_text().split_whitespace().collect::<Vec<_>>().join(" ")
}

#[rstest]
fn a_statement_compares_with_the_months_before(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let reseller = two_months(ledger);
    let first = words(&document(&reseller, "2026-000001", "--statement"));
    assert!(first.contains("A comparação começa com o próximo mês."), "{first}");
    let second = words(&document(&reseller, "2026-000002", "--statement"));
    for said in ["55,0% de contatos a mais que em setembro", "2 meses", "R$ 2.028,00"] {
        assert!(second.contains(said), "{said} is not in {second}");
    }
}

#[test]
fn late_payment_has_the_words_of_the_configuration() {
    let reseller = two_months(LedgerKind::Sqlite);
    let invoice = document(&reseller, "2026-000002", "--pdf").text();
    assert!(invoice.contains("Multa de 2%."), "{invoice}");
}

#[test]
fn invoices_go_to_an_erp() {
    let reseller = two_months(LedgerKind::Sqlite);
    let table = reseller.run(&["invoices", "--csv"]).expect(0).stdout;
    let lines: Vec<&str> = table.strip_prefix('\u{feff}').unwrap().split("\r\n").collect();
    assert_eq!(lines.len(), 4, "header, two invoices, nothing after the last line: {table}");
    let header: Vec<&str> = lines[0].split(';').collect();
    let second: Vec<&str> = lines[2].split(';').collect();
    let of = |name: &str| second[header.iter().position(|column| *column == name).unwrap()];
    let seen =
        ["numero", "codigo", "competencia", "uam", "total", "vencimento", "pago", "em_aberto"]
            .map(of);
    assert_eq!(
        seen,
        ["2026-000002", "d1", "2026-10", "310", "1014,00", "10/11/2026", "0,00", "1014,00"]
    );
    reseller.run(&["invoices", "--csv", "--json"]).expect(2);
}

#[test]
fn the_digest_names_changes_and_failed_deliveries() {
    let mut reseller = two_months(LedgerKind::Sqlite);
    reseller.ledger_sql("UPDATE outbox SET state = 'failed', last_error = '550 no such user' WHERE kind = 'invoice' AND number = '2026-000002'");
    reseller.add(&[(
        Some("d1"),
        "5548991234567",
        "out",
        "hsm",
        None,
        None,
        "2026-11-30T15:00:00Z",
    )]);
    reseller.at("2026-12-01 03:00:01").run(&["close", "--release"]).expect(0);
    reseller.run(&["deliver"]).expect(0);
    let mail = reseller.path("mail");
    let mut reports = Vec::new();
    for entry in std::fs::read_dir(mail).unwrap() {
        let path = entry.unwrap().path();
        if path.file_name().unwrap().to_str().unwrap().starts_with("fechamento-2026-11") {
            reports.push(std::fs::read_to_string(path).unwrap());
        }
    }
    assert_eq!(reports.len(), 1);
    // The words stand in quoted-printable, which may break a line anywhere.
    let words = reports[0].replace("=\r\n", "");
    assert!(words.contains("ENTREGAS QUE FALHARAM"), "{words}");
    assert!(words.contains("2026-000002 para "), "{words}");
    assert!(words.contains("550 no such user"));
    assert!(words.contains("(+R$=C2=A00,46)"), "{words}");
}
