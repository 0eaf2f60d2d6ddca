//! An email that failed: why, a new address, sent again.

use rstest::rstest;
use serde_json::json;

use super::Seat;
use crate::support::chromium::{PASSWORD, Story, invite, pictures};
use crate::support::daemon::{Shift, eventually};
use crate::support::reseller::{LedgerKind, Reseller};
use crate::support::smtp::{Act, At, Server};

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_failed_email_goes_to_a_new_address(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let mail = Server::start(&[(At::Recipient, Act::Say("550 5.1.1 no such user"))]).await;
    let mut reseller = Reseller::new(ledger);
    let seat = Seat::of(&mut reseller);
    reseller.mail_to(mail.port, "none");
    reseller.register(&[("d1", "", "5000"), ("d2", "", "5000")]);
    reseller.add_contacts("d1", 3, "2026-10-31T15:00:00Z");
    reseller.at("2026-11-01 04:00:00");
    tokio::task::spawn_blocking(move || story(&reseller, &seat, &mail)).await.unwrap();
}

fn story(reseller: &Reseller, seat: &Seat, mail: &Server) {
    reseller.run(&["close"]).expect(0);
    reseller.run(&["deliver"]).expect(1);
    let failed = reseller.outbox().into_iter().find(|email| email["state"] == "failed").unwrap();
    let old = failed["to"].as_str().unwrap().to_owned();
    let link = invite(reseller, "bia@example.com", "Bia Lima", "finance");
    let mut shift = Shift::new(reseller, "2026-11-03T12:00:00Z");
    let daemon = shift.start();
    daemon.says("the daemon runs");
    let told = json!({
        "base": seat.base, "pictures": pictures(), "old": old, "new": "contas@loja.example",
        "finance": {"invitation": link, "email": "bia@example.com", "password": PASSWORD},
    });
    let mut story = Story::start("failed_email", &told);
    story.reaches("sent");
    eventually("it goes to the new address", || {
        mail.taken().iter().any(|taken| taken.to == "contas@loja.example")
    });
    eventually("nothing waits", || {
        reseller
            .outbox()
            .iter()
            .all(|email| email["state"] != "pending" && email["state"] != "sending")
    });
    story.go_on(&json!({}));
    story.ends();
}
