//! Systems on PostgreSQL.

use super::events::{Contact, Event, Status, number};
use super::{Engine, System};

/// Neither groups nor other identities; every status but queued.
fn by_number_alone(event: &Event) -> bool {
    matches!(event.contact, Contact::Person(_))
}

fn person(event: &Event) -> String {
    match event.contact {
        Contact::Person(person) | Contact::Hidden(person) | Contact::Unknown(person) => {
            number(person)
        }
        other => panic!("{other:?} is no person"),
    }
}

fn null_or_text(text: Option<&str>) -> String {
    text.map_or("NULL".to_owned(), |text| format!("'{text}'"))
}

#[test]
fn chatwoot() {
    let rows = |event: &Event| {
        let Event { id, .. } = event;
        let (account, phone, at) = (event.dealership_id(), person(event), event.utc());
        let inbox = format!(
            "(SELECT id FROM inboxes WHERE account_id = {account} AND channel_type = 'Channel::Whatsapp')"
        );
        // A conversation can lose what ties it to its inbox's contact.
        let contact_inbox = if id.is_multiple_of(4) { "NULL".to_owned() } else { id.to_string() };
        let mut sql = format!(
            "INSERT INTO contacts VALUES ({id}, {account}, '+{phone}');
             INSERT INTO contact_inboxes SELECT {id}, {id}, {inbox}, '{phone}';
             INSERT INTO conversations SELECT {id}, {account}, {inbox}, {id}, {contact_inbox};"
        );
        let is_campaign = id.is_multiple_of(2);
        if let (Some(name), true) = (event.template(), is_campaign) {
            let status = if event.status == Status::Failed { "failed" } else { "read" };
            sql += &format!(
                "INSERT INTO campaigns VALUES ({id}, {account}, '{{\"name\": \"{name}\"}}');
                 INSERT INTO campaign_messages VALUES ({id}, {id}, {id}, '{status}', '{at}');"
            );
            return sql;
        }
        let message_type = i32::from(event.is_out());
        let status = match event.status {
            Status::Failed => 3,
            Status::Read => 2,
            Status::Sent | Status::Queued => 0,
        };
        let attributes = event.template().map_or("{}".to_owned(), |name| {
            format!("{{\"template_params\": {{\"name\": \"{name}\"}}}}")
        });
        sql + &format!(
            "INSERT INTO messages SELECT {id}, {account}, {inbox}, {id}, {message_type}, {status}, false, '{attributes}', '{at}';"
        )
    };
    System {
        name: "chatwoot",
        engine: Engine::Postgres,
        schema: "
            CREATE TABLE inboxes (id serial PRIMARY KEY, account_id integer NOT NULL, channel_type varchar);
            CREATE TABLE contacts (id integer PRIMARY KEY, account_id integer NOT NULL, phone_number varchar);
            CREATE TABLE contact_inboxes (id bigint PRIMARY KEY, contact_id bigint, inbox_id bigint, source_id text NOT NULL);
            CREATE TABLE conversations (id integer PRIMARY KEY, account_id integer NOT NULL, inbox_id integer NOT NULL,
                contact_id bigint, contact_inbox_id bigint);
            CREATE TABLE messages (id integer PRIMARY KEY, account_id integer NOT NULL, inbox_id integer NOT NULL,
                conversation_id integer NOT NULL, message_type integer NOT NULL, status integer DEFAULT 0,
                private boolean NOT NULL DEFAULT false, additional_attributes jsonb DEFAULT '{}',
                created_at timestamp(6) NOT NULL);
            CREATE TABLE campaigns (id bigint PRIMARY KEY, account_id bigint NOT NULL, template_params jsonb);
            CREATE TABLE campaign_messages (id bigint PRIMARY KEY, campaign_id bigint NOT NULL, contact_id bigint,
                status varchar, sent_at timestamp(6));
            INSERT INTO inboxes (account_id, channel_type) VALUES (11, 'Channel::Whatsapp'), (12, 'Channel::Whatsapp'),
                (13, 'Channel::Whatsapp'), (11, 'Channel::Email')",
        holds: |event| by_number_alone(event) && event.status != Status::Queued,
        rows,
        // A note of the team, what the system says of itself, an email, a campaign that has not begun.
        noise: "
            INSERT INTO contacts VALUES (9001, 11, '+5548999999999');
            INSERT INTO conversations VALUES (9001, 11, 1, 9001, NULL);
            INSERT INTO messages VALUES (9001, 11, 1, 9001, 1, 0, true, '{}', '2026-10-10 12:00:00'),
                (9002, 11, 1, 9001, 2, 0, false, '{}', '2026-10-10 12:00:00'),
                (9003, 11, 4, 9001, 1, 0, false, '{}', '2026-10-10 12:00:00');
            INSERT INTO campaigns VALUES (9001, 11, '{\"name\": \"later\"}');
            INSERT INTO campaign_messages VALUES (9001, 9001, 9001, NULL, NULL);",
        knows_templates: true,
    }
    .bills_what_was_sent();
}

#[test]
fn evolution() {
    System {
        name: "evolution-postgresql",
        engine: Engine::Postgres,
        schema: r#"
            CREATE TABLE "Instance" (id text PRIMARY KEY, name varchar(255) NOT NULL UNIQUE, integration varchar(100));
            CREATE TABLE "Message" (id text PRIMARY KEY, key jsonb NOT NULL, message jsonb NOT NULL,
                "messageTimestamp" integer NOT NULL, "instanceId" text NOT NULL, status varchar(30));
            CREATE TABLE "MessageUpdate" (id text PRIMARY KEY, "messageId" text NOT NULL, status varchar(30) NOT NULL);
            INSERT INTO "Instance" VALUES ('i11', '11', 'WHATSAPP-BUSINESS'), ('i12', '12', 'WHATSAPP-BUSINESS'),
                ('i13', '13', 'WHATSAPP-BUSINESS')"#,
        holds: |_| true,
        rows: |event| evolution_rows(event, '"'),
        noise: "",
        knows_templates: true,
    }
    .bills_what_was_sent();
}

/// Rows of Evolution, on either of its engines.
pub fn evolution_rows(event: &Event, quote: char) -> String {
    let table = |name: &str| format!("{quote}{name}{quote}");
    let id = event.id;
    let alias = match event.hidden_number() {
        Some(number) if id.is_multiple_of(2) => {
            format!(r#", "remoteJidAlt": "{number}@s.whatsapp.net""#)
        }
        Some(number) => format!(r#", "senderPn": "{number}@s.whatsapp.net""#),
        None => String::new(),
    };
    let (jid, is_out) = (event.jid(), event.is_out());
    let key = format!(r#"{{"id": "K{id}", "fromMe": {is_out}, "remoteJid": "{jid}"{alias}}}"#);
    let text = event.template().map_or("bom dia".to_owned(), |name| format!("▶️{name}◀️"));
    let message = format!(r#"{{"conversation": "{text}"}}"#);
    let (status, updates): (_, &[&str]) = match (event.status, event.is_out()) {
        (_, false) => ("NULL", &[]),
        (Status::Queued, _) => ("'PENDING'", &[]),
        (Status::Failed, _) => ("'PENDING'", &["SERVER_ACK", "ERROR"]),
        (Status::Sent, _) => ("'SERVER_ACK'", &[]),
        (Status::Read, _) => ("'PENDING'", &["SERVER_ACK", "DELIVERY_ACK", "READ"]),
    };
    let (instance, at) = (event.dealership_id(), event.at.timestamp());
    let copies = if event.twice { vec!["a", "b"] } else { vec!["a"] };
    let messages = copies.iter().map(|copy| {
        let values =
            format!("('m{id}{copy}', '{key}', '{message}', {at}, 'i{instance}', {status})");
        format!("INSERT INTO {} VALUES {values};\n", table("Message"))
    });
    let updates = updates.iter().map(|update| {
        let values = format!("('u{id}{update}', 'm{id}a', '{update}')");
        format!("INSERT INTO {} VALUES {values};\n", table("MessageUpdate"))
    });
    messages.chain(updates).collect()
}

#[test]
fn rapidpro() {
    let rows = |event: &Event| {
        let Event { id, .. } = event;
        let phone = person(event);
        // The message's own URN is a user id or a LID; the contact may have a number too.
        let urns = match event.contact {
            Contact::Hidden(_) => format!(
                "({id}, {id}, 'whatsapp', 'BR.{id}', 50), (1{id:06}, {id}, 'whatsapp', '{phone}', 40)"
            ),
            Contact::Unknown(_) => format!("({id}, {id}, 'whatsapp', '{}', 50)", event.jid()),
            _ => format!("({id}, {id}, 'whatsapp', '{phone}', 50)"),
        };
        let direction = if event.is_out() { "O" } else { "I" };
        let status = match (event.status, event.is_out()) {
            (_, false) => "H",
            (Status::Queued, _) => ["Q", "I", "E"][id % 3],
            (Status::Failed, _) => "F",
            (Status::Sent, _) => "S",
            (Status::Read, _) => "R",
        };
        let name = event
            .template()
            .map(|name| format!(r#"{{"template": {{"uuid": "x", "name": "{name}"}}}}"#));
        let (org, templating, at) =
            (event.dealership_id(), null_or_text(name.as_deref()), event.utc());
        format!(
            "INSERT INTO contacts_contacturn VALUES {urns};
             INSERT INTO msgs_msg VALUES ({id}, {org}, '{direction}', '{status}', {templating}, '{at}+00', 1, {id}, {id});\n"
        )
    };
    System {
        name: "rapidpro",
        engine: Engine::Postgres,
        schema: "
            CREATE TABLE channels_channel (id integer PRIMARY KEY, channel_type varchar(3) NOT NULL);
            CREATE TABLE contacts_contacturn (id integer PRIMARY KEY, contact_id integer, scheme varchar(128) NOT NULL,
                path varchar(255) NOT NULL, priority integer NOT NULL);
            CREATE TABLE msgs_msg (id bigint PRIMARY KEY, org_id integer NOT NULL, direction varchar(1) NOT NULL,
                status varchar(1) NOT NULL, templating jsonb, created_on timestamptz NOT NULL, channel_id integer,
                contact_id integer NOT NULL, contact_urn_id integer);
            INSERT INTO channels_channel VALUES (1, 'WAC'), (2, 'TG')",
        holds: |event| {
            matches!(event.contact, Contact::Person(_) | Contact::Hidden(_) | Contact::Unknown(_))
        },
        rows,
        // Of Telegram.
        noise: "INSERT INTO contacts_contacturn VALUES (900001, 900001, 'telegram', '5548999999999', 50);
            INSERT INTO msgs_msg VALUES (900001, 11, 'I', 'H', NULL, '2026-10-10 12:00:00+00', 2, 900001, 900001);",
        knows_templates: true,
    }
    .bills_what_was_sent();
}

#[test]
fn glific() {
    let rows = |event: &Event| {
        let Event { id, .. } = event;
        let (organization, phone, at) = (event.dealership_id(), person(event), event.utc());
        let flow = if event.is_out() { "outbound" } else { "inbound" };
        let (status, provider) = match (event.status, event.is_out()) {
            (_, false) => ("received", "NULL"),
            (Status::Queued, _) => ("enqueued", "NULL"),
            (Status::Failed, _) => ("sent", "'error'"),
            (Status::Sent, _) => ("sent", "NULL"),
            (Status::Read, _) => ("sent", "'read'"),
        };
        let (is_hsm, template) = match event.template() {
            Some("boas_vindas") => (true, "1"),
            Some(_) => (true, "2"),
            None => (false, "NULL"),
        };
        let sent_at = if event.is_out() { format!("'{at}'") } else { "NULL".to_owned() };
        format!(
            "INSERT INTO contacts VALUES ({id}, '{phone}');
             INSERT INTO messages VALUES ({id}, {organization}, {id}, '{flow}', {is_hsm}, {template}, '{status}', {provider}, {sent_at}, '{at}', NULL);\n"
        )
    };
    System {
        name: "glific",
        engine: Engine::Postgres,
        schema: "
            CREATE TYPE message_flow_enum AS ENUM ('inbound', 'outbound');
            CREATE TYPE message_status_enum AS ENUM ('contact_opt_out', 'deleted', 'delivered', 'enqueued', 'error', 'read',
                'received', 'sent', 'reached', 'seen');
            CREATE TABLE contacts (id bigint PRIMARY KEY, phone varchar(255));
            CREATE TABLE session_templates (id bigint PRIMARY KEY, shortcode varchar(255));
            CREATE TABLE messages (id bigint PRIMARY KEY, organization_id bigint NOT NULL, contact_id bigint,
                flow message_flow_enum, is_hsm boolean DEFAULT false, template_id bigint, status message_status_enum NOT NULL,
                bsp_status message_status_enum, sent_at timestamp(0), inserted_at timestamp(0) NOT NULL, group_id bigint);
            INSERT INTO session_templates VALUES (1, 'boas_vindas'), (2, 'lembrete')",
        holds: by_number_alone,
        rows,
        // What was asked of a whole collection; each of its contacts has a message of its own.
        noise: "INSERT INTO messages VALUES (90001, 11, NULL, 'outbound', true, 1, 'sent', NULL, '2026-10-10 12:00:00', '2026-10-10 12:00:00', 5);",
        knows_templates: true,
    }
    .bills_what_was_sent();
}

#[test]
fn ticketz() {
    let rows = |event: &Event| {
        let Event { id, .. } = event;
        let company = event.dealership_id();
        let named = match event.contact {
            Contact::Group(group) => format!("12036300000000{group}"),
            _ => event.jid().trim_end_matches("@s.whatsapp.net").to_owned(),
        };
        let map = event.hidden_number().map_or(String::new(), |number| {
            format!(
                r#"INSERT INTO "Contacts" VALUES (1{id:06}, '{number}', {company});
                   INSERT INTO "WhatsappLidMaps" VALUES ({id}, '{named}', {company}, 1{id:06});"#
            )
        });
        let (is_group, is_out) = (matches!(event.contact, Contact::Group(_)), event.is_out());
        let ack = match event.status {
            Status::Queued => 0,
            Status::Sent | Status::Failed => 1,
            Status::Read => 3,
        };
        let at = event.utc();
        format!(
            r#"{map} INSERT INTO "Contacts" VALUES ({id}, '{named}', {company});
               INSERT INTO "Tickets" VALUES ({id}, {id}, {is_group});
               INSERT INTO "Messages" VALUES ('K{id}', {id}, {company}, {is_out}, {ack}, 'conversation', 'whatsapp', '{at}+00');"#
        )
    };
    System {
        name: "ticketz-postgresql",
        engine: Engine::Postgres,
        schema: r#"
            CREATE TABLE "Contacts" (id integer PRIMARY KEY, number varchar(255) NOT NULL, "companyId" integer);
            CREATE TABLE "WhatsappLidMaps" (id integer PRIMARY KEY, lid varchar(255) NOT NULL, "companyId" integer NOT NULL,
                "contactId" integer NOT NULL);
            CREATE TABLE "Tickets" (id integer PRIMARY KEY, "contactId" integer, "isGroup" boolean NOT NULL DEFAULT false);
            CREATE TABLE "Messages" (id varchar(255) PRIMARY KEY, "ticketId" integer, "companyId" integer, "fromMe" boolean NOT NULL,
                ack integer NOT NULL DEFAULT 0, "mediaType" varchar(255), channel text, "createdAt" timestamptz(6) NOT NULL)"#,
        holds: |event| {
            event.status != Status::Failed && !matches!(event.contact, Contact::Broadcast | Contact::Newsletter)
        },
        rows,
        // A note of the team.
        noise: r#"INSERT INTO "Contacts" VALUES (900001, '5548999999999', 11);
            INSERT INTO "Tickets" VALUES (900001, 900001, false);
            INSERT INTO "Messages" VALUES ('K900001', 900001, 11, true, 3, 'note', 'whatsapp', '2026-10-10 12:00:00+00');"#,
        knows_templates: false,
    }
    .bills_what_was_sent();
}

#[test]
fn whatomate() {
    let rows = |event: &Event| {
        let id = format!("'00000000-0000-0000-0000-{:012}'", event.id);
        let (phone, at) = (person(event), event.utc());
        let direction = if event.is_out() { "outgoing" } else { "incoming" };
        let kind = if event.template().is_some() { "template" } else { "text" };
        let status = match (event.status, event.is_out()) {
            (_, false) => "received",
            (Status::Queued, _) => "pending",
            (Status::Failed, _) => "failed",
            (Status::Sent, _) => "sent",
            (Status::Read, _) => "read",
        };
        let template = event.template().unwrap_or_default();
        let organization =
            format!("(SELECT id FROM organizations WHERE slug = '{}')", event.dealership_id());
        format!(
            "INSERT INTO contacts VALUES ({id}, '{phone}');
             INSERT INTO messages SELECT {id}, {organization}, {id}, '{direction}', '{kind}', '{template}', '{status}', '{at}+00';\n"
        )
    };
    System {
        name: "whatomate",
        engine: Engine::Postgres,
        schema: "
            CREATE TABLE organizations (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), slug varchar(100));
            CREATE TABLE contacts (id uuid PRIMARY KEY, phone_number varchar(50) NOT NULL);
            CREATE TABLE messages (id uuid PRIMARY KEY, organization_id uuid NOT NULL, contact_id uuid NOT NULL,
                direction varchar(10) NOT NULL, message_type varchar(20) NOT NULL, template_name varchar(255),
                status varchar(20), created_at timestamptz);
            INSERT INTO organizations (slug) VALUES ('11'), ('12'), ('13')",
        holds: by_number_alone,
        rows,
        noise: "",
        knows_templates: true,
    }
    .bills_what_was_sent();
}
