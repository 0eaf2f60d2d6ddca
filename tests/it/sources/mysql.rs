//! Systems on MariaDB.

use super::events::{Contact, Event, Status, number};
use super::postgres::evolution_rows;
use super::{Engine, System};

fn person(event: &Event) -> String {
    match event.contact {
        Contact::Person(person) => number(person),
        other => panic!("{other:?} is no person"),
    }
}

fn evolution(name: &'static str) {
    System {
        name,
        engine: Engine::MariaDb,
        schema: "
            CREATE TABLE Instance (id varchar(191) PRIMARY KEY, name varchar(255) NOT NULL UNIQUE, integration varchar(100));
            CREATE TABLE Message (id varchar(191) PRIMARY KEY, `key` json NOT NULL, message json NOT NULL,
                messageTimestamp int NOT NULL, instanceId varchar(191) NOT NULL, status varchar(30));
            CREATE TABLE MessageUpdate (id varchar(191) PRIMARY KEY, messageId varchar(191) NOT NULL, status varchar(30) NOT NULL,
                KEY MessageUpdate_messageId_fkey (messageId));
            INSERT INTO Instance VALUES ('i11', '11', 'WHATSAPP-BUSINESS'), ('i12', '12', 'WHATSAPP-BUSINESS'),
                ('i13', '13', 'WHATSAPP-BUSINESS')",
        holds: |_| true,
        rows: |event| evolution_rows(event, '`'),
        noise: "",
        knows_templates: true,
    }
    .bills_what_was_sent();
}

#[test]
fn evolution_as_it_is() {
    evolution("evolution-mysql");
}

#[test]
fn evolution_with_generated_columns() {
    evolution("evolution-mysql-indexed");
}

#[test]
fn whaticket() {
    let rows = |event: &Event| {
        let Event { id, .. } = event;
        let (named, is_group) = match event.contact {
            Contact::Group(group) => (format!("12036300000000{group}"), 1),
            _ => (person(event), 0),
        };
        let ack = match event.status {
            Status::Failed => -1,
            Status::Queued => 0,
            Status::Sent => 1,
            Status::Read => 3,
        };
        let (connection, is_out, at) =
            (event.dealership_id(), i32::from(event.is_out()), event.local());
        format!(
            "INSERT INTO Contacts VALUES ({id}, '{named}');
             INSERT INTO Tickets VALUES ({id}, {id}, {connection}, {is_group});
             INSERT INTO Messages VALUES ('K{id}', {id}, {is_out}, {ack}, '{at}');\n"
        )
    };
    System {
        name: "whaticket-mysql",
        engine: Engine::MariaDb,
        schema: "
            CREATE TABLE Whatsapps (id int PRIMARY KEY, name varchar(255) NOT NULL UNIQUE);
            CREATE TABLE Contacts (id int PRIMARY KEY, number varchar(255) NOT NULL);
            CREATE TABLE Tickets (id int PRIMARY KEY, contactId int, whatsappId int, isGroup tinyint(1) NOT NULL DEFAULT 0);
            CREATE TABLE Messages (id varchar(255) PRIMARY KEY, ticketId int NOT NULL, fromMe tinyint(1) NOT NULL DEFAULT 0,
                ack int NOT NULL DEFAULT 0, createdAt datetime(6) NOT NULL);
            INSERT INTO Whatsapps VALUES (11, '11'), (12, '12'), (13, '13')",
        holds: |event| matches!(event.contact, Contact::Person(_) | Contact::Group(_)),
        rows,
        noise: "",
        knows_templates: false,
    }
    .bills_what_was_sent();
}

#[test]
fn frappe() {
    let rows = |event: &Event| {
        let Event { id, .. } = event;
        let (phone, at, account) = (person(event), event.local(), event.dealership_id());
        let (of_type, from, to) = if event.is_out() {
            ("Outgoing", "NULL".to_owned(), format!("'{phone}'"))
        } else {
            ("Incoming", format!("'{phone}'"), "NULL".to_owned())
        };
        let kind = if event.template().is_some() { "Template" } else { "Manual" };
        let template = event.template().map_or("NULL".to_owned(), |name| format!("'{name}'"));
        let given = format!("'wamid.{id}'");
        let (status, message_id) = match (event.status, event.is_out()) {
            (_, false) => ("NULL", given),
            (Status::Queued, _) => ("NULL", "NULL".to_owned()),
            (Status::Failed, _) if id % 2 == 0 => ("'Failed'", "NULL".to_owned()),
            (Status::Failed, _) => ("'failed'", given),
            (Status::Sent, _) => ("'Success'", given),
            (Status::Read, _) => ("'read'", given),
        };
        format!(
            "INSERT INTO `tabWhatsApp Message` VALUES ('n{id}', '{at}', '{of_type}', {to}, {from}, '{kind}', {template}, {status}, {message_id}, '{account}');\n"
        )
    };
    System {
        name: "frappe-whatsapp-mariadb",
        engine: Engine::MariaDb,
        schema: "
            CREATE TABLE `tabWhatsApp Message` (name varchar(140) PRIMARY KEY, creation datetime(6), type varchar(140),
                `to` varchar(140), `from` varchar(140), message_type varchar(140), template varchar(140), status varchar(140),
                message_id varchar(140), whatsapp_account varchar(140))",
        holds: |event| matches!(event.contact, Contact::Person(_)),
        rows,
        noise: "",
        knows_templates: true,
    }
    .bills_what_was_sent();
}
