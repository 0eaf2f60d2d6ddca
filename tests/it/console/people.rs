//! People: invited, with their roles; four eyes; out at once; tokens. All of it in the audit log, by name.

use rstest::rstest;
use serde_json::json;

use super::Seat;
use crate::support::chromium::{PASSWORD, Story, invite, pictures};
use crate::support::daemon::{Shift, eventually};
use crate::support::reseller::{LedgerKind, Reseller};

#[rstest]
fn people_come_look_at_each_other_and_go(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let mut reseller = Reseller::new(ledger);
    let seat = Seat::of(&mut reseller);
    for (name, value) in [("CONSOLE__FOUR_EYES", "true"), ("CLOSE__APPROVAL", "manual")] {
        reseller.variables.push((format!("FECHA_{name}"), value.to_owned()));
    }
    reseller.register(&[("d1", "", "5000"), ("d2", "", "5000")]);
    for id in ["d1", "d2"] {
        reseller.add_contacts(id, 100, "2026-10-31T12:00:00Z");
    }
    reseller.at("2026-10-31 13:00:00");
    let ana = invite(&reseller, "ana@example.com", "Ana Souza", "admin");
    let mut shift = Shift::new(&reseller, "2026-10-31T14:00:00Z");
    let daemon = shift.start();
    daemon.says("the daemon runs");
    shift.set("2026-11-01T03:05:00Z");
    let held = "SELECT COUNT(*) FROM held_close WHERE month = '2026-10'";
    eventually("October is held", || reseller.ledger_number(held) > 0);

    let told = json!({
        "base": seat.base, "pictures": pictures(),
        "admin": {"invitation": ana, "email": "ana@example.com", "password": PASSWORD},
        "finance": {"email": "bia@example.com", "name": "Bia Lima", "password": "outra senha comprida"},
    });
    let mut story = Story::start("people", &told);
    story.reaches("asked");
    assert_eq!(reseller.ledger_number("SELECT COUNT(*) FROM invoice"), 0);
    story.go_on(&json!({}));
    story.reaches("released");
    eventually("October is issued", || reseller.ledger_number("SELECT COUNT(*) FROM invoice") == 2);
    story.go_on(&json!({}));
    let end = story.ends();
    let token = end["token"].as_str().unwrap();
    assert!(token.len() >= 32, "{end}");
    let tokens = reseller.run(&["tokens", "list", "--json"]).expect(0).stdout;
    assert!(tokens.contains("painel") && !tokens.contains(token), "{tokens}");
    let people = reseller.run(&["people", "list", "--json"]).expect(0).json();
    let bia = people.as_array().unwrap().iter().find(|one| one["email"] == "bia@example.com");
    assert_eq!(bia.unwrap()["state"], "disabled", "{people}");

    let audit = reseller.run(&["audit", "--json"]).expect(0).json();
    let did: Vec<String> = audit
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| format!("{} {} {}", entry["actor"], entry["action"], entry["detail"]))
        .collect();
    for words in ["Ana Souza", "Bia Lima", "bia@example.com", "painel", "revisto por duas pessoas"]
    {
        assert!(did.iter().any(|entry| entry.contains(words)), "{words}: {did:#?}");
    }
    let all = did.join("\n");
    assert!(!all.contains(token) && !all.contains(PASSWORD), "no secret is written down");
}
