//! The first of the month: a held close arrives as an email, is read, and released as it was read.

use std::time::Duration;

use rstest::rstest;
use serde_json::json;

use super::{Seat, add_hsm, letter, link_in};
use crate::support::chromium::{PASSWORD, Story, invite, pictures};
use crate::support::daemon::{Daemon, Shift, eventually, within};
use crate::support::reseller::{LedgerKind, Reseller};
use crate::support::smtp::Server;

/// So many that a daemon can be killed in the middle of their documents, and that the rest is seen to go on.
const MANY: usize = 600;
/// So many where nothing is killed.
const FEW: usize = 60;

/// Their October is closed; in November the last of them, with much of all use, fell silent.
fn reseller(ledger: LedgerKind, mail: &Server, dealerships: usize) -> (Reseller, Seat) {
    let mut reseller = Reseller::new(ledger);
    let seat = Seat::of(&mut reseller);
    reseller.mail_to(mail.port, "none");
    let ids: Vec<String> = (0..dealerships).map(|index| format!("d{index}")).collect();
    let rows: Vec<(&str, &str, &str)> = ids.iter().map(|id| (id.as_str(), "", "5000")).collect();
    reseller.register(&rows);
    for (index, id) in ids.iter().enumerate() {
        let silent = index == dealerships - 1;
        let count = if silent { 3000 } else { 40 };
        reseller.add_contacts(id, count, "2026-10-31T12:00:00Z");
        if !silent {
            reseller.add_contacts(id, 44, "2026-11-30T12:00:00Z");
        }
    }
    reseller.at("2026-11-01 04:00:00");
    reseller.run(&["close"]).expect(0);
    reseller.run(&["deliver"]).expect(0);
    reseller.at("2026-11-30 13:00:00");
    (reseller, seat)
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn what_is_released_is_what_was_read(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
    #[values(true, false)] script: bool,
) {
    let mail = Server::start(&[]).await;
    let dealerships = if script { MANY } else { FEW };
    let (reseller, seat) = reseller(ledger, &mail, dealerships);
    let told = move || story(&reseller, &seat, &mail, dealerships, script);
    tokio::task::spawn_blocking(told).await.unwrap();
}

fn story(reseller: &Reseller, seat: &Seat, mail: &Server, dealerships: usize, script: bool) {
    let finance = invite(reseller, "financeiro@example.com", "Bia Lima", "finance");
    let viewer = invite(reseller, "diretoria@example.com", "Caio Reis", "viewer");
    let mut shift = Shift::new(reseller, "2026-11-30T14:00:00Z");
    let daemon = shift.start();
    daemon.says("the daemon runs");
    shift.set("2026-12-01T03:05:00Z");
    let held = letter(mail, "financeiro@example.com", "Retido: fechamento de novembro de 2026");

    let told = json!({
        "base": seat.base, "pictures": pictures(), "script": script,
        "link": link_in(&held, &seat.base), "silent": format!("d{}", dealerships - 1),
        "total": if script { "R$ 608.400,00" } else { "R$ 60.840,00" },
        "finance": {"invitation": finance, "email": "financeiro@example.com", "password": PASSWORD},
        "viewer": {"invitation": viewer, "email": "diretoria@example.com", "password": PASSWORD},
    });
    let mut story = Story::start("first_of_month", &told);

    // What came between the reading and the release.
    story.reaches("reviewed");
    add_hsm(reseller, "d7", 30, "2026-11-30T23:00:00Z");
    story.go_on(&json!({}));
    story.reaches("refused");
    assert_eq!(of_november(reseller), 0, "what was read is not what is there");
    story.go_on(&json!({}));

    // Killed in the middle, and started again.
    story.reaches("released");
    let all = i64::try_from(dealerships).unwrap();
    let daemon =
        if script { killed_in_the_middle(reseller, &mut shift, daemon, all) } else { daemon };
    story.go_on(&json!({}));
    story.ends();

    eventually("all are issued", || of_november(reseller) == all);
    let invoices = reseller.invoices(&["--month", "2026-11", "--all-revisions"]);
    assert_eq!(invoices.len(), dealerships, "each once");
    let audit = reseller.run(&["audit", "--json"]).expect(0).stdout;
    let released = "conferido com a diretoria";
    assert!(audit.contains(released) && audit.contains("Bia Lima"), "{audit}");
    let tasks = "SELECT COUNT(*) FROM task WHERE kind = 'release' AND state = 'done'";
    assert_eq!(reseller.ledger_number(tasks), 2, "the one that was refused, the one that issued");
    assert!(!daemon.log().contains("\"ERROR\""), "{}", daemon.log());
}

/// The daemon that goes on.
fn killed_in_the_middle(
    reseller: &Reseller,
    shift: &mut Shift<'_>,
    daemon: Daemon,
    all: i64,
) -> Daemon {
    within(Duration::from_mins(2), "some are issued", || of_november(reseller) > 0);
    daemon.kill();
    assert!(of_november(reseller) < all, "killed in the middle, not at the end");
    shift.start()
}

fn of_november(reseller: &Reseller) -> i64 {
    reseller.ledger_number("SELECT COUNT(*) FROM invoice WHERE month = '2026-11'")
}
