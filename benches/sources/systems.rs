//! Tables of the systems, as they grow: messages in the order of time, a hundred dealerships, contacts that come
//! back.

use fecha::setup::sources::Recipe;

/// The month that is counted, the last of ten.
pub const MONTH: &str = "2026-10";

pub const DEALERSHIPS: u32 = 100;

/// 2026-01-01T03:00Z to 2026-11-01T03:00Z.
const FROM: i64 = 1_767_236_400;
const SECONDS: i64 = 304 * 86_400;

pub struct System {
    /// Its SELECT's name.
    pub name: &'static str,
    /// What makes its tables, with so many messages.
    pub fill: fn(u64) -> String,
    pub analyze: &'static str,
    /// The SELECT as it was before `sent_at` could be other than an instant: what, and what of the text becomes
    /// what.
    pub before: Option<(&'static str, &'static str, &'static str)>,
    /// What an owner can do beside the index.
    pub helped: Helped,
    /// `sent_at` of the SELECT as an instant, for the plain table.
    instant: &'static str,
}

/// Another way to the same messages.
pub struct Helped {
    pub what: &'static str,
    /// What the owner runs once, given the SELECT.
    pub set_up: fn(&str) -> String,
    /// What is read then.
    pub relation: fn(&str) -> String,
}

pub const SYSTEMS: &[System] = &[
    System {
        name: "chatwoot",
        fill: chatwoot,
        analyze: "VACUUM ANALYZE;\n",
        before: Some((
            "the SELECT with `created_at AT TIME ZONE 'UTC'`",
            "m.created_at AS sent_at",
            "m.created_at AT TIME ZONE 'UTC' AS sent_at",
        )),
        helped: Helped {
            what: "a materialized view of the SELECT, index on sent_at",
            set_up: |select| {
                let columns =
                    "dealership_id::text, contact::text, direction, kind, template, status";
                format!(
                    "CREATE MATERIALIZED VIEW seen AS SELECT {columns}, sent_at AT TIME ZONE 'UTC' AS sent_at FROM {select} AS s;\nCREATE INDEX ON seen (sent_at);\n"
                )
            },
            relation: |_| "seen".to_owned(),
        },
        instant: "sent_at AT TIME ZONE 'UTC'",
    },
    System {
        name: "evolution-postgresql",
        fill: evolution_postgresql,
        analyze: "VACUUM ANALYZE;\n",
        before: Some((
            "the SELECT with `to_timestamp(…)`",
            "m.\"messageTimestamp\" AS sent_at",
            "to_timestamp(m.\"messageTimestamp\") AS sent_at",
        )),
        helped: Helped {
            what: "the SELECT with `to_timestamp(…)`, index on that expression",
            set_up: |_| {
                "CREATE INDEX ON \"Message\" ((to_timestamp(\"messageTimestamp\")));\n".to_owned()
            },
            relation: |select| {
                select.replace(
                    "m.\"messageTimestamp\" AS sent_at",
                    "to_timestamp(m.\"messageTimestamp\") AS sent_at",
                )
            },
        },
        instant: "to_timestamp(sent_at)",
    },
    System {
        name: "evolution-mysql",
        fill: evolution_mysql,
        analyze: "ANALYZE TABLE Message, MessageUpdate;\n",
        before: Some((
            "the SELECT with `FROM_UNIXTIME(…)`",
            "m.messageTimestamp AS sent_at",
            "FROM_UNIXTIME(m.messageTimestamp) AS sent_at",
        )),
        helped: Helped {
            what: "the SELECT with a generated column, index on that",
            set_up: |_| {
                "ALTER TABLE Message ADD COLUMN fecha_sent_at datetime GENERATED ALWAYS AS (TIMESTAMP '1970-01-01 00:00:00' + INTERVAL messageTimestamp SECOND) VIRTUAL, ADD KEY fecha_sent_at (fecha_sent_at);\n".to_owned()
            },
            relation: |select| {
                select.replace("m.messageTimestamp AS sent_at", "m.fecha_sent_at AS sent_at")
            },
        },
        instant: "TIMESTAMP '1970-01-01 00:00:00' + INTERVAL sent_at SECOND",
    },
    System {
        name: "whaticket-mysql",
        fill: whaticket,
        analyze: "ANALYZE TABLE Messages, Tickets, Contacts;\n",
        before: Some((
            "the SELECT with `createdAt + INTERVAL 3 HOUR`",
            "m.createdAt AS sent_at",
            "CAST(m.createdAt + INTERVAL 3 HOUR AS DATETIME(6)) AS sent_at",
        )),
        helped: Helped {
            what: "the SELECT with a generated column, index on that",
            set_up: |_| {
                "ALTER TABLE Messages ADD COLUMN fecha_sent_at datetime(6) GENERATED ALWAYS AS (createdAt + INTERVAL 3 HOUR) VIRTUAL, ADD KEY fecha_sent_at (fecha_sent_at);\n".to_owned()
            },
            relation: |select| {
                select.replace("m.createdAt AS sent_at", "m.fecha_sent_at AS sent_at")
            },
        },
        instant: "CAST(sent_at + INTERVAL 3 HOUR AS DATETIME(3))",
    },
];

impl System {
    /// A plain table of the same messages.
    pub fn plain(&self, recipe: &Recipe) -> String {
        let select = without_head(recipe);
        let ids = if select.contains("message_id") { "message_id, " } else { "" };
        let (quote, key) = if self.name.contains("mysql") {
            (
                "",
                "ALTER TABLE plain ADD COLUMN number BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY FIRST;\n",
            )
        } else {
            ("::text", "")
        };
        format!(
            "CREATE TABLE plain AS SELECT {ids}dealership_id{quote}, contact{quote}, direction, kind, template, status,
                {} AS sent_at FROM {select} AS s ORDER BY sent_at;\n{key}CREATE INDEX plain_sent_at ON plain (sent_at);\n{}",
            self.instant,
            if self.name.contains("mysql") { "ANALYZE TABLE plain;\n" } else { "VACUUM ANALYZE plain;\n" }
        )
    }
}

/// Without the head, whose lines may have a semicolon.
pub fn without_head(recipe: &Recipe) -> String {
    let lines = recipe.text.lines().filter(|line| !line.starts_with("--"));
    lines.collect::<Vec<_>>().join("\n")
}

/// A contact: few write much.
fn contact(n: &str) -> String {
    format!("(({n} * 7919) % 997 * (({n} * 31) % 53) % 50000)")
}

fn chatwoot(messages: u64) -> String {
    let contact = contact("n");
    format!(
        "CREATE TABLE inboxes (id integer PRIMARY KEY, account_id integer NOT NULL, channel_type varchar);
         INSERT INTO inboxes SELECT n, n, 'Channel::Whatsapp' FROM generate_series(1, {DEALERSHIPS}) AS n;
         CREATE TABLE contacts (id integer PRIMARY KEY, account_id integer NOT NULL, phone_number varchar);
         INSERT INTO contacts SELECT n, 1 + n % {DEALERSHIPS}, '+5548' || 990000000 + n FROM generate_series(0, 49999) AS n;
         CREATE TABLE contact_inboxes (id bigint PRIMARY KEY, contact_id bigint, inbox_id bigint, source_id text NOT NULL);
         INSERT INTO contact_inboxes SELECT id, id, account_id, substr(phone_number, 2) FROM contacts;
         CREATE TABLE conversations (id integer PRIMARY KEY, account_id integer NOT NULL, inbox_id integer NOT NULL, contact_id bigint, contact_inbox_id bigint);
         INSERT INTO conversations SELECT id, account_id, account_id, id, id FROM contacts;
         CREATE TABLE messages (id integer PRIMARY KEY, content text, account_id integer NOT NULL, inbox_id integer NOT NULL,
            conversation_id integer NOT NULL, message_type integer NOT NULL, created_at timestamp NOT NULL, private boolean NOT NULL DEFAULT false,
            status integer DEFAULT 0, additional_attributes jsonb DEFAULT '{{}}');
         INSERT INTO messages SELECT n, repeat('bom dia ', 8), 1 + {contact} % {DEALERSHIPS}, 1 + {contact} % {DEALERSHIPS}, {contact}, n % 2,
            TIMESTAMP '1970-01-01' + ({FROM} + n * {SECONDS} / {messages}) * INTERVAL '1 second', false, n % 3,
            CASE n % 10 WHEN 1 THEN '{{\"template_params\": {{\"name\": \"lembrete\"}}}}'::jsonb ELSE '{{}}' END
            FROM generate_series(0::bigint, {messages} - 1) AS n;
         CREATE TABLE campaigns (id bigint PRIMARY KEY, account_id bigint NOT NULL, template_params jsonb);
         CREATE TABLE campaign_messages (id bigint PRIMARY KEY, campaign_id bigint NOT NULL, contact_id bigint, status varchar, sent_at timestamp);
         VACUUM ANALYZE;\n"
    )
}

fn evolution_postgresql(messages: u64) -> String {
    let contact = contact("n");
    format!(
        "CREATE TABLE \"Instance\" (id text PRIMARY KEY, name varchar(255) NOT NULL UNIQUE, integration varchar(100));
         INSERT INTO \"Instance\" SELECT 'i' || n, n, 'WHATSAPP-BUSINESS' FROM generate_series(1, {DEALERSHIPS}) AS n;
         CREATE TABLE \"Message\" (id text PRIMARY KEY, key jsonb NOT NULL, message jsonb NOT NULL, \"messageTimestamp\" integer NOT NULL,
            \"instanceId\" text NOT NULL, status varchar(30));
         INSERT INTO \"Message\" SELECT 'm' || lpad(n::text, 9, '0'),
            jsonb_build_object('id', 'K' || n, 'fromMe', n % 2 = 1, 'remoteJid', '5548' || 990000000 + {contact} || '@s.whatsapp.net'),
            jsonb_build_object('conversation', CASE n % 10 WHEN 1 THEN '▶️lembrete◀️' ELSE repeat('bom dia ', 8) END),
            {FROM} + n * {SECONDS} / {messages}, 'i' || 1 + {contact} % {DEALERSHIPS}, CASE n % 2 WHEN 1 THEN 'SERVER_ACK' END
            FROM generate_series(0::bigint, {messages} - 1) AS n;
         CREATE TABLE \"MessageUpdate\" (id text PRIMARY KEY, \"messageId\" text NOT NULL, status varchar(30) NOT NULL);
         INSERT INTO \"MessageUpdate\" SELECT id || s, id, s FROM \"Message\", unnest(ARRAY['DELIVERY_ACK', 'READ']) AS s WHERE status IS NOT NULL;
         CREATE INDEX ON \"MessageUpdate\" (\"messageId\");
         VACUUM ANALYZE;\n"
    )
}

fn evolution_mysql(messages: u64) -> String {
    let contact = contact("seq");
    format!(
        "CREATE TABLE Instance (id varchar(191) PRIMARY KEY, name varchar(255) NOT NULL UNIQUE, integration varchar(100));
         INSERT INTO Instance SELECT CONCAT('i', seq), seq, 'WHATSAPP-BUSINESS' FROM seq_1_to_{DEALERSHIPS};
         CREATE TABLE Message (id varchar(191) PRIMARY KEY, `key` json NOT NULL, message json NOT NULL, messageTimestamp int NOT NULL,
            instanceId varchar(191) NOT NULL, status varchar(30));
         INSERT INTO Message SELECT CONCAT('m', LPAD(seq, 9, '0')),
            JSON_OBJECT('id', CONCAT('K', seq), 'fromMe', seq % 2 = 1, 'remoteJid', CONCAT('5548', 990000000 + {contact}, '@s.whatsapp.net')),
            JSON_OBJECT('conversation', IF(seq % 10 = 1, '▶️lembrete◀️', REPEAT('bom dia ', 8))),
            {FROM} + seq * {SECONDS} DIV {messages}, CONCAT('i', 1 + {contact} % {DEALERSHIPS}), IF(seq % 2 = 1, 'SERVER_ACK', NULL)
            FROM seq_0_to_{};
         CREATE TABLE MessageUpdate (id varchar(191) PRIMARY KEY, messageId varchar(191) NOT NULL, status varchar(30) NOT NULL);
         INSERT INTO MessageUpdate SELECT CONCAT(id, s.status), id, s.status FROM Message JOIN (SELECT 'DELIVERY_ACK' AS status UNION SELECT 'READ') s WHERE Message.status IS NOT NULL;
         CREATE INDEX MessageUpdate_messageId ON MessageUpdate (messageId);\n",
        messages - 1
    )
}

fn whaticket(messages: u64) -> String {
    let contact = contact("seq");
    format!(
        "CREATE TABLE Whatsapps (id int PRIMARY KEY, name varchar(255) NOT NULL UNIQUE);
         INSERT INTO Whatsapps SELECT seq, seq FROM seq_1_to_{DEALERSHIPS};
         CREATE TABLE Contacts (id int PRIMARY KEY, number varchar(255) NOT NULL);
         INSERT INTO Contacts SELECT seq, CONCAT('5548', 990000000 + seq) FROM seq_0_to_49999;
         CREATE TABLE Tickets (id int PRIMARY KEY, contactId int, whatsappId int, isGroup tinyint(1) NOT NULL DEFAULT 0);
         INSERT INTO Tickets SELECT seq, seq, 1 + seq % {DEALERSHIPS}, 0 FROM seq_0_to_49999;
         CREATE TABLE Messages (id varchar(255) PRIMARY KEY, body text, ticketId int NOT NULL, fromMe tinyint(1) NOT NULL DEFAULT 0, ack int NOT NULL DEFAULT 0, createdAt datetime(6) NOT NULL);
         INSERT INTO Messages SELECT CONCAT('K', LPAD(seq * 7919 % 1000003, 9, '0'), seq), REPEAT('bom dia ', 8), {contact}, seq % 2, 3,
            TIMESTAMP '1970-01-01 00:00:00' + INTERVAL ({FROM} - 10800 + seq * {SECONDS} DIV {messages}) SECOND FROM seq_0_to_{};\n",
        messages - 1
    )
}
