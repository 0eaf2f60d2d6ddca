//! Logs of the webhook of Meta's Cloud API.

use super::events::{Contact, Event, Status, Way, number};
use super::{Engine, System};

/// What the webhook says of a message, one payload after the other.
fn payloads(event: &Event) -> Vec<String> {
    let (id, at) = (event.id, event.at.timestamp());
    let user = |person: u32| format!("BR.{person}");
    let mut payloads = Vec::new();
    if event.way == Way::In {
        let from = match event.contact {
            Contact::Person(person) => {
                format!(r#""from": "{}", "from_user_id": "{}""#, number(person), user(person))
            }
            Contact::Hidden(person) => format!(r#""from_user_id": "{}""#, user(person)),
            Contact::Group(group) => format!(r#""from": "{}", "group_id": "G{group}""#, number(1)),
            other => panic!("{other:?} writes to nobody"),
        };
        payloads.push(format!(
            r#""messages": [{{"id": "wamid.{id}", {from}, "timestamp": "{at}", "type": "text"}}]"#
        ));
    } else {
        let to = match event.contact {
            Contact::Person(person) => format!(r#""recipient_id": "{}""#, number(person)),
            Contact::Hidden(person) => format!(r#""recipient_user_id": "{}""#, user(person)),
            Contact::Group(group) => {
                format!(r#""recipient_id": "G{group}", "recipient_type": "group""#)
            }
            other => panic!("{other:?} is not written to"),
        };
        let category = if event.template().is_some() { "marketing" } else { "service" };
        let pricing = format!(r#""pricing": {{"category": "{category}", "billable": true}}"#);
        let statuses: &[&str] = match event.status {
            Status::Failed => &["sent", "failed"],
            Status::Sent => &["sent"],
            Status::Read => &["sent", "delivered", "read"],
            Status::Queued => &[],
        };
        for (seconds, status) in (0..).zip(statuses) {
            let pricing = if *status == "failed" { "\"errors\": []" } else { &pricing };
            let at = at + seconds;
            payloads.push(format!(r#""statuses": [{{"id": "wamid.{id}", {to}, "timestamp": "{at}", "status": "{status}", {pricing}}}]"#));
        }
    }
    if event.twice {
        payloads = payloads.iter().flat_map(|payload| [payload.clone(), payload.clone()]).collect();
    }
    let phone = event.dealership_id();
    let whole = |inner: String| {
        format!(
            r#"{{"object": "whatsapp_business_account", "entry": [{{"id": "0", "changes": [{{"field": "messages", "value": {{"metadata": {{"phone_number_id": "{phone}"}}, {inner}}}}}]}}]}}"#
        )
    };
    payloads.into_iter().map(whole).collect()
}

fn rows(event: &Event) -> String {
    let row = |payload: String| {
        format!(
            "INSERT INTO webhook_events (received_at, payload) VALUES (CURRENT_TIMESTAMP, '{payload}');\n"
        )
    };
    payloads(event).into_iter().map(row).collect()
}

const POSTGRES: &str = "CREATE TABLE webhook_events (id bigserial PRIMARY KEY, received_at timestamptz NOT NULL, payload jsonb NOT NULL)";

/// Somebody changed his number: no message.
const SYSTEM: &str = r#"INSERT INTO webhook_events (received_at, payload) VALUES (CURRENT_TIMESTAMP, '{"entry": [{"changes": [{"field": "messages", "value": {"metadata": {"phone_number_id": "11"}, "messages": [{"id": "wamid.x", "from": "5548999999999", "timestamp": "1791633600", "type": "system"}]}}]}]}');"#;

fn by_number_alone(event: &Event) -> bool {
    matches!(event.contact, Contact::Person(_)) && event.status != Status::Queued
}

#[test]
fn on_postgresql() {
    System {
        name: "cloud-webhook-postgresql",
        engine: Engine::Postgres,
        schema: POSTGRES,
        holds: by_number_alone,
        rows,
        noise: SYSTEM,
        knows_templates: true,
    }
    .bills_what_was_sent();
}

#[test]
fn on_postgresql_materialized() {
    System {
        name: "cloud-webhook-postgresql-matview",
        engine: Engine::Postgres,
        schema: POSTGRES,
        holds: |event| {
            by_number_alone(event)
                || matches!(event.contact, Contact::Hidden(_) | Contact::Group(_))
        },
        rows,
        noise: SYSTEM,
        knows_templates: true,
    }
    .bills_what_was_sent();
}

#[test]
fn on_sqlite() {
    System {
        name: "cloud-webhook-sqlite",
        engine: Engine::Sqlite,
        schema: "CREATE TABLE webhook_events (id INTEGER PRIMARY KEY, received_at INTEGER, payload TEXT)",
        holds: by_number_alone,
        rows,
        noise: SYSTEM,
        knows_templates: true,
    }
    .bills_what_was_sent();
}
