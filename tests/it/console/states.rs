//! What pages say where something goes on, went wrong, is not there or is nobody's business.

use serde_json::json;

use super::Seat;
use crate::support::chromium::{PASSWORD, Story, invite, pictures};
use crate::support::daemon::Shift;
use crate::support::reseller::{LedgerKind, Reseller};

#[test]
fn what_goes_on_went_wrong_or_is_not_there_has_a_page() {
    let mut reseller = Reseller::new(LedgerKind::Sqlite);
    let seat = Seat::of(&mut reseller);
    reseller.register(&[("d1", "", "5000"), ("d2", "", "5000")]);
    for id in ["d1", "d2"] {
        reseller.add_contacts(id, 20, "2026-10-31T12:00:00Z");
        reseller.add_contacts(id, 20, "2026-11-30T12:00:00Z");
    }
    reseller.at("2026-11-01 04:00:00");
    reseller.run(&["close"]).expect(0);
    reseller.variables.push(("FECHA_CLOSE__APPROVAL".to_owned(), "manual".to_owned()));
    reseller.at("2026-11-30 13:00:00");
    let ana = invite(&reseller, "ana@example.com", "Ana Souza", "admin");
    let leo = invite(&reseller, "leo@example.com", "Leo Prado", "viewer");
    let mut shift = Shift::new(&reseller, "2026-11-30T14:00:00Z");
    let daemon = shift.start();
    daemon.says("the daemon runs");
    shift.set("2026-12-01T12:00:00Z");
    daemon.says("the close is held");
    let told = json!({
        "base": seat.base, "pictures": pictures(), "number": "2026-000001", "held": "2026-11",
        "admin": {"invitation": ana, "email": "ana@example.com", "password": PASSWORD},
        "viewer": {"invitation": leo, "email": "leo@example.com", "password": PASSWORD},
    });
    let mut story = Story::start("states", &told);
    story.reaches("asked");
    // What no program of this kind wrote.
    reseller.ledger_sql(
        "INSERT INTO task (id, kind, wish, asked_by, asked_at, state, tries, done, total)
         VALUES ('odd', 'preview', '{}', 'Ana Souza', '2026-12-01T12:00:00Z', 'waiting', 0, 0, 0)",
    );
    story.go_on(&json!({"failed": "/tasks/odd"}));
    story.reaches("before");
    // Whoever counts has to wait for this.
    let messages = reseller.messages();
    messages.execute_batch("BEGIN EXCLUSIVE").unwrap();
    story.go_on(&json!({}));
    story.reaches("waits");
    messages.execute_batch("COMMIT").unwrap();
    // What was tried meanwhile is tried again.
    shift.pass(300);
    story.go_on(&json!({}));
    story.ends();
}
