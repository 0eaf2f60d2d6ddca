//! The third, eight o'clock: messages arrived late, and one dealership was on the wrong package. No shell.

use rstest::rstest;
use serde_json::{Value, json};

use super::{Seat, add_hsm, letter, text_of};
use crate::support::chromium::{PASSWORD, Story, invite, pictures};
use crate::support::daemon::{Shift, eventually};
use crate::support::reseller::{LedgerKind, Reseller};
use crate::support::smtp::Server;

/// Twenty dealerships whose October is closed; 1,200 messages of it arrive after that, for d1 to d12.
fn reseller(ledger: LedgerKind, mail: &Server) -> (Reseller, Seat) {
    let mut reseller = Reseller::new(ledger);
    let seat = Seat::of(&mut reseller);
    reseller.mail_to(mail.port, "none");
    let ids: Vec<String> = (1..=20).map(|index| format!("d{index}")).collect();
    let rows: Vec<(&str, &str, &str)> = ids.iter().map(|id| (id.as_str(), "", "5000")).collect();
    reseller.register(&rows);
    for id in &ids {
        reseller.add_contacts(id, 300, "2026-10-31T12:00:00Z");
    }
    reseller.add_contacts("d17", 5400, "2026-10-30T12:00:00Z");
    reseller.at("2026-11-01 04:00:00");
    reseller.run(&["close"]).expect(0);
    reseller.run(&["deliver"]).expect(0);
    for id in &ids[..12] {
        add_hsm(&reseller, id, 100, "2026-10-31T15:00:00Z");
    }
    reseller.at("2026-11-03 11:00:00");
    (reseller, seat)
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn late_messages_and_a_wrong_package_are_put_right(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
    #[values(true, false)] script: bool,
) {
    let mail = Server::start(&[]).await;
    let (reseller, seat) = reseller(ledger, &mail);
    tokio::task::spawn_blocking(move || story(&reseller, &seat, &mail, script)).await.unwrap();
}

fn story(reseller: &Reseller, seat: &Seat, mail: &Server, script: bool) {
    let link = invite(reseller, "ana@example.com", "Ana Souza", "admin");
    let mut shift = Shift::new(reseller, "2026-11-03T11:00:00Z");
    let daemon = shift.start();
    daemon.says("the daemon runs");
    let told = json!({
        "base": seat.base, "pictures": pictures(), "script": script,
        "admin": {"invitation": link, "email": "ana@example.com", "password": PASSWORD},
    });
    Story::start("third", &told).ends();

    let revised = reseller.invoices(&["--month", "2026-10"]);
    let of = |id: &str| -> &Value {
        revised.iter().find(|invoice| invoice["dealership_id"] == id).unwrap()
    };
    for index in 1..=12 {
        let invoice = of(&format!("d{index}"));
        assert_eq!((&invoice["revision"], &invoice["hsm"]), (&json!(1), &json!(100)), "{invoice}");
        assert_eq!(invoice["reason"], "mensagens atrasadas; d17 no pacote errado");
    }
    let d17 = of("d17");
    assert_eq!((&d17["revision"], &d17["package"]), (&json!(1), &json!(10_000)), "{d17}");
    let untouched = (13..=20).filter(|index| *index != 17).map(|index| format!("d{index}"));
    for id in untouched {
        assert_eq!(of(&id)["revision"], 0, "{id}");
    }
    letter(mail, "d17@example.com", "Fatura");
    eventually("thirteen revisions are sent", || {
        let taken = mail.taken();
        let revised_mail =
            taken.iter().filter(|taken| text_of(&taken.data).contains("mensagens atrasadas"));
        revised_mail.count() >= 13
    });
    let audit = reseller.run(&["audit", "--json"]).expect(0).stdout;
    assert!(audit.contains("Ana Souza"), "{audit}");
}
