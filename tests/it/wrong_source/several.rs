//! Several `[[messages]]` are one month.

use serde_json::json;

use super::{LAST_DAY, billed, d1};
use crate::support::reseller::{Reseller, Row};

const SOURCES: &str = "[[messages]]\nname = \"chat\"\nurl = \"sqlite:messages.db\"\n\
                       [[messages]]\nname = \"api\"\nurl = \"sqlite:api.db\"\n";

/// d1 by two sources.
fn two() -> Reseller {
    let reseller = d1();
    let config = std::fs::read_to_string(reseller.path("fecha.toml")).unwrap();
    let one = "[messages]\nurl = \"sqlite:messages.db\"\n";
    assert!(config.contains(one));
    reseller.write("fecha.toml", &config.replace(one, SOURCES));
    let api = rusqlite::Connection::open(reseller.path("api.db")).unwrap();
    api.execute_batch(
        "CREATE TABLE message (dealership_id TEXT, contact TEXT, direction TEXT, kind TEXT,
             template TEXT, status TEXT, message_id TEXT, sent_at INTEGER NOT NULL)",
    )
    .unwrap();
    reseller
}

fn api(reseller: &Reseller, contact: &str, id: &str, sent_at: i64) {
    let api = rusqlite::Connection::open(reseller.path("api.db")).unwrap();
    let sql = "INSERT INTO message VALUES ('d1', ?1, 'out', 'hsm', 'oferta', 'sent', ?2, ?3)";
    api.execute(sql, (contact, id, sent_at)).unwrap();
}

#[test]
fn a_month_is_the_sum_of_its_sources_and_a_contact_counts_once() {
    let reseller = two();
    let row = |contact: &'static str| -> Row<'static> {
        (Some("d1"), contact, "in", "session", None, None, LAST_DAY)
    };
    reseller.add(&["5548999990820", "5548999990821"].map(row));
    for (contact, id) in [("554899990820", "a"), ("5548999990822", "b"), ("5548999990822", "b")] {
        api(&reseller, contact, id, 1_793_458_800_000);
    }
    let closed = reseller.run(&["close", "--json"]).expect(0).json();
    let messages = &closed["messages"];
    assert_eq!((&messages["total"], &messages["duplicate"]), (&json!(5), &json!(1)));
    assert_eq!(billed(&reseller), (3, 2, "1014.92".to_owned()));
    reseller.run(&["verify", "--month", "2026-10"]).expect(0);
    let checked = reseller.run(&["check", "--json"]).json();
    assert_eq!(
        (&checked["messages"][1]["name"], &checked["messages"][1]["message_ids"]),
        (&json!("api"), &json!(true))
    );
}

#[test]
fn a_source_that_has_stopped_holds_the_close_by_its_name() {
    let reseller = two();
    reseller.add_contacts("d1", 3, LAST_DAY);
    api(&reseller, "5548999990822", "a", 1_791_000_000_000);
    let held = reseller.run(&["close", "--json"]).expect(1).json();
    let why = held["held"].as_str().unwrap();
    assert!(why.contains("the newest message of the message database 'api'"), "{why}");
    std::fs::remove_file(reseller.path("api.db")).unwrap();
    let error = reseller.run(&["close"]).expect(2).stderr;
    assert!(error.contains("api.db"), "{error}");
    assert!(reseller.invoices(&[]).is_empty());
}

#[test]
fn sources_have_names_of_their_own() {
    let reseller = two();
    let config = std::fs::read_to_string(reseller.path("fecha.toml")).unwrap();
    reseller.write("fecha.toml", &config.replace("\"api\"", "\"chat\""));
    let error = reseller.run(&["status"]).expect(2).stderr;
    assert!(error.contains("[[messages]] name") && error.contains("another"), "{error}");
    reseller.write("fecha.toml", &config.replace("name = \"api\"\n", ""));
    let error = reseller.run(&["status"]).expect(2).stderr;
    assert!(error.contains("[[messages]] name: is missing"), "{error}");
}

#[test]
fn messages_that_know_only_their_number_are_of_whom_that_belongs_to() {
    let reseller = d1();
    reseller
        .messages()
        .execute_batch(
            "ALTER TABLE message ADD COLUMN number TEXT;
             INSERT INTO message (contact, direction, kind, sent_at, number) VALUES
                 ('5548999990820', 'in', 'session', 1793458800000, '+55 48 3333-0820'),
                 ('5548999990821', 'in', 'session', 1793458800000, '554833330820'),
                 ('5548999990822', 'in', 'session', 1793458800000, '554833330821')",
        )
        .unwrap();
    reseller.write(
        "numbers.csv",
        "number,dealership_id,from_month,to_month\n554833330820,d1,2026-01,\n554833330821,d1,2026-01,2026-09\n",
    );
    reseller.run(&["import", "--numbers", "numbers.csv"]).expect(0);
    let closed = reseller.run(&["close", "--release", "--json"]).expect(1).json();
    let messages = &closed["messages"];
    assert_eq!((&messages["counted"], &messages["unknown_dealership"]), (&json!(2), &json!(1)));
    assert_eq!(billed(&reseller).0, 2);
}
