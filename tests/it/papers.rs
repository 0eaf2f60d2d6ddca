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
    reseller.add_contacts("d1", 200, "2026-09-30T10:00:00Z");
    reseller.add_contacts("d1", 310, "2026-10-31T10:00:00Z");
    reseller.at("2026-10-01 03:00:01").run(&["close"]).expect(0);
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
    assert!(first.contains("A comparação começa com a próxima fatura."), "{first}");
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
