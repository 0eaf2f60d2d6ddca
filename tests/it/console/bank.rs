//! The bank's file, what is overdue, a reminder, a payment that is taken back.

use rstest::rstest;
use serde_json::{Value, json};

use super::{Seat, letter};
use crate::bank_files::ofx;
use crate::support::chromium::{PASSWORD, Story, invite, pictures};
use crate::support::daemon::Shift;
use crate::support::reseller::{LedgerKind, Reseller};
use crate::support::smtp::Server;

/// What the bank says: two invoices are paid, one line is a person's to say, one is a fee.
const LINES: [(&str, &str, &str); 4] = [
    ("1014.00", "A1", "PIX FATURA 2026-000001"),
    ("500.00", "A2", "PIX txid 2026000002"),
    ("33.33", "A4", "DEPOSITO EM DINHEIRO"),
    ("-12.50", "A5", "TARIFA"),
];

fn reseller(ledger: LedgerKind, mail: &Server) -> (Reseller, Seat) {
    let mut reseller = Reseller::new(ledger);
    let seat = Seat::of(&mut reseller);
    reseller.mail_to(mail.port, "none");
    reseller.register(&[("d1", "", "5000"), ("d2", "", "5000"), ("d3", "", "10000")]);
    for id in ["d1", "d2", "d3"] {
        reseller.add_contacts(id, 3, "2026-10-31T15:00:00Z");
    }
    reseller.at("2026-11-01 04:00:00");
    reseller.run(&["close"]).expect(0);
    reseller.run(&["deliver"]).expect(0);
    reseller.write("extrato.ofx", &ofx(&LINES));
    reseller.at("2026-12-20 12:00:00");
    (reseller, seat)
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn what_the_bank_says_is_matched_confirmed_and_undone(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
    #[values(true, false)] script: bool,
) {
    let mail = Server::start(&[]).await;
    let (reseller, seat) = reseller(ledger, &mail);
    tokio::task::spawn_blocking(move || story(&reseller, &seat, &mail, script)).await.unwrap();
}

fn story(reseller: &Reseller, seat: &Seat, mail: &Server, script: bool) {
    let link = invite(reseller, "bia@example.com", "Bia Lima", "finance");
    let mut shift = Shift::new(reseller, "2026-12-20T12:00:00Z");
    let daemon = shift.start();
    daemon.says("the daemon runs");
    let told = json!({
        "base": seat.base, "pictures": pictures(), "script": script,
        "file": reseller.path("extrato.ofx"),
        "finance": {"invitation": link, "email": "bia@example.com", "password": PASSWORD},
    });
    let mut story = Story::start("bank", &told);
    story.reaches("confirmed");
    assert_eq!(paid(reseller), ["1014.00", "500.00", "0.00"]);
    story.go_on(&json!({}));
    story.reaches("again");
    assert_eq!(paid(reseller), ["1014.00", "500.00", "0.00"], "the same file pays once");
    story.go_on(&json!({}));
    story.reaches("reminded");
    letter(mail, "d3@example.com", "Fatura 2026-000003 em aberto");
    story.go_on(&json!({}));
    story.ends();
    assert_eq!(paid(reseller), ["0.00", "500.00", "0.00"], "taken back");
    let audit = reseller.run(&["audit", "--json"]).expect(0).stdout;
    assert!(audit.contains("Bia Lima") && audit.contains("estornado pelo banco"), "{audit}");
}

fn paid(reseller: &Reseller) -> Vec<String> {
    let mut invoices = reseller.invoices(&["--month", "2026-10"]);
    let number = |invoice: &Value| invoice["number"].as_str().unwrap().to_owned();
    invoices.sort_by_key(number);
    invoices.iter().map(|invoice| invoice["paid"].as_str().unwrap().to_owned()).collect()
}
