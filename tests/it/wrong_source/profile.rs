//! `fecha check` shows the values of the months, and names what is to be fixed of them.

use serde_json::{Value, json};

use super::{LAST_DAY, d1, hsm, set};
use crate::support::reseller::{Reseller, Row};

/// A good month, and what is changed of it.
fn month(change: &str) -> Reseller {
    let mut reseller = d1();
    let row = |index: usize| -> (String, &'static str) {
        (
            format!("55489{:08}", 90_000_000 + index),
            if index.is_multiple_of(2) { "in" } else { "out" },
        )
    };
    let rows: Vec<(String, &str)> = (0..200).map(row).collect();
    let rows: Vec<Row<'_>> = rows
        .iter()
        .map(|(contact, direction)| {
            (Some("d1"), contact.as_str(), *direction, "session", None, None, LAST_DAY)
        })
        .collect();
    reseller.add(&rows);
    hsm(&reseller, 40, Some("read"));
    // Something of today, so that the source is no older than it may be.
    reseller.at("2026-11-02 03:00:00").add_contacts("d1", 1, "2026-11-02T02:50:00Z");
    reseller.messages().execute_batch(change).unwrap();
    reseller
}

#[track_caller]
fn must_be_fixed(change: &str, words: &str) {
    let reseller = month(change);
    let checked = reseller.run(&["check"]);
    assert_eq!(checked.status, 2, "{}", checked.stdout);
    let line = checked.stdout.split("FIX  values").nth(1).unwrap_or_default();
    assert!(line.contains(words), "{words}: {}", checked.stdout);
}

#[test]
fn a_good_month_is_shown_and_nothing_is_to_be_mended() {
    let reseller = month("");
    let ran = reseller.run(&["check"]).expect(0);
    for shown in ["2026-10: 240 messages", "direction", "null, in", "100 of 100", "10 minutes ago"]
    {
        assert!(ran.stdout.contains(shown), "{shown}: {}", ran.stdout);
    }
    assert!(!ran.stdout.contains("FIX"), "{}", ran.stdout);
    let checked = reseller.run(&["check", "--json"]).expect(0).json();
    let october = &checked["messages"][0]["months"][0];
    assert_eq!((&october["month"], &october["messages"]), (&json!("2026-10"), &json!(240)));
    let value = |column: &str, value: &str| {
        let mut values = october["values"].as_array().unwrap().iter();
        values
            .find(|one| one["column"] == column && one["value"] == value)
            .cloned()
            .unwrap_or(Value::Null)
    };
    assert_eq!(value("direction", "out")["messages"], 140);
    assert_eq!(value("status", "read")["treatment"], "counts");
    assert_eq!(value("contact", "digits with a country code")["messages"], 240);
    assert_eq!(value("dealership_id", "d1")["treatment"], "in the register");
}

#[test]
fn each_value_that_would_bill_wrongly_is_to_be_mended() {
    must_be_fixed(
        "UPDATE message SET status = 'UNDELIVERED' WHERE status = 'read'",
        "'UNDELIVERED' (40 messages) looks like",
    );
    must_be_fixed(
        "UPDATE message SET status = '3' WHERE status = 'read'",
        "'3' (40 messages) is a number",
    );
    must_be_fixed(
        "UPDATE message SET direction = 'sent' WHERE direction = 'out'",
        "direction 'sent' (140 messages)",
    );
    must_be_fixed(
        "UPDATE message SET kind = NULL WHERE kind = 'hsm'",
        "kind is null in 40 messages",
    );
    must_be_fixed("DELETE FROM message WHERE direction = 'out'", "no message has direction 'out'");
    must_be_fixed(
        "UPDATE message SET contact = contact || '@lid' WHERE direction = 'in'",
        "[messages] aliases",
    );
    must_be_fixed(
        "UPDATE message SET contact = substr(contact, 3) WHERE kind = 'hsm'",
        "national = \"55\"",
    );
    must_be_fixed("UPDATE message SET dealership_id = 'D1' WHERE kind = 'hsm'", "'D1' 40");
    must_be_fixed(
        "INSERT INTO message SELECT * FROM message WHERE kind = 'hsm'",
        "40 of 80 HSM are rows like another one",
    );
    must_be_fixed(
        "UPDATE message SET sent_at = sent_at / 1000 WHERE kind = 'hsm'",
        "40 messages lie before 2009",
    );
    // Local time that is taken for UTC, east of it.
    must_be_fixed("UPDATE message SET sent_at = sent_at + 10800000", "3 hours in the future");
}

#[test]
fn a_source_that_is_hours_behind_is_told() {
    let reseller = month("UPDATE message SET sent_at = sent_at - 10800000");
    let ran = reseller.run(&["check"]).expect(0);
    assert!(ran.stdout.contains("note: its newest message is 3 hours old"), "{}", ran.stdout);
}

#[test]
fn what_a_person_has_said_is_mended() {
    let mut reseller = month("UPDATE message SET status = 'accepted' WHERE status = 'read'");
    reseller.run(&["check"]).expect(2);
    set(&mut reseller, "COUNTING__COUNTED_STATUSES", "accepted");
    reseller.run(&["check"]).expect(0);
    set(&mut reseller, "COUNTING__IGNORED_STATUSES", "accepted");
    let error = reseller.run(&["check"]).expect(2).stderr;
    assert!(error.contains("'accepted' stands in ignored_statuses too"), "{error}");
}

/// A message id that is none bills too little in silence.
#[test]
fn an_id_that_several_contacts_share_is_to_be_mended() {
    let reseller = month(
        "ALTER TABLE message ADD COLUMN message_id TEXT; UPDATE message SET message_id = 'conversation 7' WHERE kind = 'hsm'",
    );
    let ran = reseller.run(&["check"]).expect(2);
    let words = "39 of 40 HSM have the message_id of another row, 39 times that of an HSM to another contact";
    assert!(ran.stdout.contains(words), "{}", ran.stdout);
}
