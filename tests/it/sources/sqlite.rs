//! Systems on SQLite, and what is loaded into it.

use super::events::{Contact, Event, Status, events};
use super::{Engine, System, closes, reseller_of, run_script};
use crate::support::message_db::MessageDb;

/// A system without statuses shows what failed like what arrived.
fn has_arrived(event: &Event) -> bool {
    !matches!(event.status, Status::Queued | Status::Failed)
}

#[test]
fn gowa() {
    let rows = |event: &Event| {
        let Event { id, .. } = event;
        let (jid, device, is_out) = (event.jid(), event.dealership_id(), event.is_out());
        // As Go writes them: in UTC, or with the offset of the machine.
        let at = if id % 2 == 0 {
            format!("{}+00:00", event.utc())
        } else {
            format!("{}-03:00", event.local())
        };
        format!(
            "INSERT INTO messages VALUES ('K{id}', '{jid}', '{device}', {is_out}, '', '{at}');\n"
        )
    };
    System {
        name: "gowa-sqlite",
        engine: Engine::Sqlite,
        schema: "
            CREATE TABLE messages (id TEXT NOT NULL, chat_jid TEXT NOT NULL, device_id TEXT NOT NULL, is_from_me BOOLEAN DEFAULT FALSE,
                media_type TEXT, timestamp TIMESTAMP NOT NULL, PRIMARY KEY (id, chat_jid, device_id))",
        holds: |event| has_arrived(event) && !matches!(event.contact, Contact::Hidden(_)),
        rows,
        noise: "INSERT INTO messages VALUES ('call', '5548999999999@s.whatsapp.net', '11', TRUE, 'call', '2026-10-10 12:00:00+00:00');",
        knows_templates: false,
    }
    .bills_what_was_sent();
}

#[test]
fn waha() {
    let rows = |event: &Event| {
        let (id, jid, is_out, at) = (event.id, event.jid(), event.is_out(), event.at.timestamp());
        let alias = event.hidden_number().map_or(String::new(), |number| {
            format!(r#", "remoteJidAlt": "{number}@s.whatsapp.net""#)
        });
        let data = format!(r#"{{"key": {{"remoteJid": "{jid}", "fromMe": {is_out}{alias}}}}}"#);
        format!("INSERT INTO messages VALUES ('K{id}', '{jid}', {at}, '{data}');\n")
    };
    let system = System {
        name: "waha-noweb-sqlite",
        engine: Engine::Sqlite,
        schema: "CREATE TABLE messages (id TEXT PRIMARY KEY, jid TEXT, messageTimestamp INTEGER, data TEXT)",
        // One file holds one session.
        holds: |event| has_arrived(event) && event.dealership == 0,
        rows,
        noise: "",
        knows_templates: false,
    };
    // As its head says: the session's dealership is written into the SELECT.
    let reseller = reseller_of(system.name);
    let file = "wa/waha-noweb-sqlite.sql";
    let select = std::fs::read_to_string(reseller.path(file)).unwrap();
    assert!(select.contains("'d1'"), "{select}");
    reseller.write(file, &select.replace("'d1'", "'11'"));
    system.fill_and_close(&reseller, &MessageDb::without_table(Engine::Sqlite));
}

#[test]
fn a_csv_export() {
    let name = "csv-export-to-sqlite";
    let reseller = reseller_of(name);
    let events: Vec<Event> =
        events().into_iter().filter(|event| !matches!(event.contact, Contact::Hidden(_))).collect();
    let mut csv =
        "message_id,dealership_id,contact,direction,kind,template,status,sent_at\n".to_owned();
    for event in &events {
        let Event { id, .. } = event;
        let (dealership, contact) = (event.dealership_id(), event.jid());
        let direction = if event.is_out() { "out" } else { "in" };
        let kind = if event.template().is_some() { "hsm" } else { "session" };
        let template = event.template().unwrap_or_default();
        let at = if id % 2 == 0 {
            event.at.format("%Y-%m-%dT%H:%M:%SZ").to_string()
        } else {
            format!("{}-03:00", event.local().replace(' ', "T"))
        };
        let mut line = |status: &str| {
            csv += &format!(
                "K{id},{dealership},{contact},{direction},{kind},{template},{status},{at}\n"
            );
        };
        if event.twice {
            line("sent");
        }
        line(match (event.status, event.is_out()) {
            (_, false) => "",
            (Status::Queued, _) => "queued",
            (Status::Failed, _) => "failed",
            (Status::Sent, _) => "sent",
            (Status::Read, _) => "read",
        });
    }
    reseller.write("wa/export.csv", &csv);
    run_script(&reseller, "csv-export-to-sqlite.sh", &["export.csv", "messages.db"]);
    let url = format!("sqlite:{}", reseller.path("wa/messages.db").display());
    closes(&reseller, &url, &events, true);
}
