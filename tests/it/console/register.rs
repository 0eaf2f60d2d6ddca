//! Excel's files, dragged in: what would change, twins refused with the reason, applied.

use rstest::rstest;
use serde_json::json;

use super::Seat;
use crate::support::chromium::{PASSWORD, Story, invite, pictures};
use crate::support::daemon::Shift;
use crate::support::reseller::{LedgerKind, Reseller};

/// As Excel saves it in Brazil: a mark first, semicolons, lines of its own.
const EXCEL: &str = "\u{feff}id;name;trade_name;cnpj;address;city;state;email;cc;timezone;due_day\r
d1;Concessionária d1 Ltda;Loja d1;11.222.333/0001-81;Rua Dois, 22;Curitiba;PR;novo@example.com;;;\r
d2;Concessionária d2 Ltda;Loja d2;11.222.333/0001-81;Rua Um, 1;Curitiba;PR;d2@example.com;;;\r
d4;Concessionária d4 Ltda;Loja d4;11.222.333/0001-81;Rua Um, 1;Curitiba;PR;d4@example.com;;;\r
";

#[rstest]
fn excels_file_is_dragged_in_looked_at_and_applied(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
    #[values(true, false)] script: bool,
) {
    let mut reseller = Reseller::new(ledger);
    let seat = Seat::of(&mut reseller);
    reseller.register(&[("d1", "", "5000"), ("d2", "", "5000")]);
    reseller.add_contacts("d1", 4100, "2026-10-31T15:00:00Z");
    reseller.at("2026-11-01 04:00:00");
    reseller.run(&["close"]).expect(0);
    reseller.write("planilha.csv", EXCEL);
    reseller
        .write("contratos.csv", "\u{feff}dealership_id;from_month;package\r\nd4;2026-11;10000\r\n");
    // The same code in another case: two that are one, or one that is two?
    reseller.write("gemeas.csv", &EXCEL.replace("\r\nd4;", "\r\nD1;"));
    reseller.write("errada.csv", &EXCEL.replace(";PR;novo@", ";PARANÁ;novo@"));
    let link = invite(&reseller, "ana@example.com", "Ana Souza", "admin");
    let mut shift = Shift::new(&reseller, "2026-11-03T12:00:00Z");
    let daemon = shift.start();
    daemon.says("the daemon runs");
    let file = |name: &str| reseller.path(name);
    let told = json!({
        "base": seat.base, "pictures": pictures(), "script": script,
        "files": {"good": file("planilha.csv"), "contracts": file("contratos.csv"),
                  "twins": file("gemeas.csv"), "wrong": file("errada.csv")},
        "admin": {"invitation": link, "email": "ana@example.com", "password": PASSWORD},
    });
    let mut story = Story::start("register", &told);
    for step in ["wrong", "twins", "shown"] {
        story.reaches(step);
        assert_eq!(exported(&reseller).matches('\n').count(), 3, "nothing is applied yet");
        story.go_on(&json!({}));
    }
    story.ends();
    let people = exported(&reseller);
    assert!(people.contains("\nd4,") && people.contains("novo@example.com"), "{people}");
    assert!(people.contains("\"Rua Dois, 22\""), "{people}");
    let audit = reseller.run(&["audit", "--json"]).expect(0).stdout;
    assert!(audit.contains("Ana Souza"), "{audit}");
}

fn exported(reseller: &Reseller) -> String {
    reseller.run(&["export", "--dealerships", "fora.csv", "--force"]).expect(0);
    std::fs::read_to_string(reseller.path("fora.csv")).unwrap()
}
