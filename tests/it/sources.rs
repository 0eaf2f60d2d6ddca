//! The SELECTs of `docs/sources/`, each on a small schema of its system on the real engine: what the real
//! command bills is what the invented messages come to, counted without SQL.

mod events;
mod mysql;
mod postgres;
mod sqlite;
mod webhook;

use std::path::Path;
use std::process::Command;

use self::events::{Event, events, expected};
use crate::support::message_db::{Engine, MessageDb};
use crate::support::reseller::{DEALERSHIP_HEADER, LedgerKind, Reseller, dealership};

/// A system whose messages are read: its tables, and what it writes into them.
struct System {
    /// The SELECT's name.
    name: &'static str,
    engine: Engine,
    /// The tables and columns that the SELECT uses, of the system's own types.
    schema: &'static str,
    /// What the system can hold of the invented messages.
    holds: fn(&Event) -> bool,
    /// What it writes for one.
    rows: fn(&Event) -> String,
    /// What else lies in its tables, none of which counts.
    noise: &'static str,
    knows_templates: bool,
}

impl System {
    /// `init --source`, the messages, the index, a close; what it billed against what it should.
    fn bills_what_was_sent(&self) {
        let reseller = reseller_of(self.name);
        self.fill_and_close(&reseller, &MessageDb::without_table(self.engine));
    }

    fn fill_and_close(&self, reseller: &Reseller, database: &MessageDb) {
        let events: Vec<Event> = events().into_iter().filter(self.holds).collect();
        database.sql(self.schema);
        let mut sql = self.noise.to_owned();
        for event in &events {
            sql += &(self.rows)(event);
            if sql.len() > 50_000 {
                database.sql(&std::mem::take(&mut sql));
            }
        }
        database.sql(&sql);
        let owners = [format!("wa/{}.sql", self.name), format!("wa/{}.index.sql", self.name)];
        for (file, is_wanted) in owners.iter().zip([self.name.ends_with("-matview"), true]) {
            if let Ok(sql) = std::fs::read_to_string(reseller.path(file))
                && is_wanted
            {
                let statements = sql.split_inclusive(";\n").filter(|sql| sql.contains(';'));
                statements.for_each(|sql| drop(database.sql(sql)));
            }
        }
        closes(reseller, &database.url(), &events, self.knows_templates);
    }
}

/// A folder `wa` as `fecha init --source` makes it.
fn reseller_of(source: &str) -> Reseller {
    let mut reseller = Reseller::new(LedgerKind::Sqlite);
    reseller.run(&["init", "--source", source, "wa"]).expect(0);
    let config = reseller.path("wa/fecha.toml").display().to_string();
    reseller.variables.push(("FECHA_CONFIG".to_owned(), config));
    reseller
}

/// Closes October on these messages; each dealership is billed what was sent.
fn closes(reseller: &Reseller, url: &str, events: &[Event], knows_templates: bool) {
    let mut people = DEALERSHIP_HEADER.to_owned();
    let mut contracts = "dealership_id,from_month,package\n".to_owned();
    for (id, zone) in events::DEALERSHIPS {
        people += &dealership(id, zone.name());
        contracts += &format!("{id},2026-10,5000\n");
    }
    reseller.write("dealerships.csv", &people);
    reseller.write("contracts.csv", &contracts);
    let files = ["import", "--dealerships", "dealerships.csv", "--contracts", "contracts.csv"];
    reseller.run(&files).expect(0);
    let url = format!("FECHA_MESSAGES__URL={url}");
    let run = |arguments: &[&str]| {
        let mut command = reseller.command(arguments);
        let (name, value) = url.split_once('=').unwrap();
        let output = command.env(name, value).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{arguments:?}: {text}{said}");
        serde_json::from_str::<serde_json::Value>(&text).unwrap()
    };
    let closed = run(&["close", "--month", "2026-10", "--json"]);
    assert_eq!(closed["held"], serde_json::Value::Null, "{closed}");
    let invoices = run(&["invoices", "--json"]);
    let mut billed: Vec<(String, u64, u64)> = invoices
        .as_array()
        .unwrap()
        .iter()
        .map(|invoice| {
            let number = |key: &str| invoice[key].as_u64().unwrap();
            (invoice["dealership_id"].as_str().unwrap().to_owned(), number("uam"), number("hsm"))
        })
        .collect();
    billed.sort();
    assert_eq!(billed, expected(events, knows_templates), "{closed}");
}

/// Counts that show something.
#[test]
fn the_invented_messages_have_all_cases() {
    for (id, contacts, templates) in expected(&events(), true) {
        assert!(contacts > 20 && templates > 5, "{id}: {contacts} contacts, {templates} templates");
    }
    let half: Vec<Event> = events().into_iter().filter(|event| event.id % 2 == 0).collect();
    assert_ne!(expected(&half, true), expected(&events(), true));
}

/// Each file of the folder is closed on by a test here.
#[test]
fn every_source_is_tested() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let tests: String = ["mysql", "postgres", "sqlite", "webhook"]
        .map(|name| root.join(format!("tests/it/sources/{name}.rs")))
        .map(|file| std::fs::read_to_string(file).unwrap())
        .concat();
    for entry in std::fs::read_dir(root.join("docs/sources")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        if path.extension().unwrap() != "md" {
            assert!(tests.contains(&format!("\"{name}\"")), "{name} has no test");
        }
    }
}

#[test]
fn an_unknown_system_lists_the_known_ones() {
    let reseller = Reseller::new(LedgerKind::Sqlite);
    let said = reseller.run(&["init", "--source", "chatwot", "wa"]).expect(2).stderr;
    for known in ["'chatwot'", "chatwoot", "evolution-postgresql", "whatomate", "write-your-own.md"]
    {
        assert!(said.contains(known), "{said}");
    }
    assert!(!reseller.path("wa").exists());
}

#[test]
fn nothing_is_overwritten_and_what_is_missing_is_said() {
    let reseller = Reseller::new(LedgerKind::Sqlite);
    std::fs::create_dir(reseller.path("wa")).unwrap();
    reseller.write("wa/fecha.toml", "# mine\n");
    reseller.write("wa/glific.sql", "-- mine\n");
    let said = reseller.run(&["init", "--source", "glific", "wa"]).expect(0).stdout;
    for line in [
        "left  wa/fecha.toml as it is",
        "left  wa/glific.sql as it is",
        "wrote wa/glific.index.sql",
        "  relation_file = \"glific.sql\"",
        "  ignored_statuses = [\"enqueued\", \"error\", \"contact_opt_out\"]",
    ] {
        assert!(said.contains(line), "{said}");
    }
    let read = |name| std::fs::read_to_string(reseller.path(name)).unwrap();
    assert_eq!(
        (read("wa/fecha.toml"), read("wa/glific.sql")),
        ("# mine\n".into(), "-- mine\n".into())
    );
}

/// What `init` writes is what a person would write by hand.
#[test]
fn a_configuration_reads_by_the_source() {
    let reseller = Reseller::new(LedgerKind::Sqlite);
    reseller.run(&["init", "--source", "evolution-postgresql", "wa"]).expect(0);
    let text = std::fs::read_to_string(reseller.path("wa/fecha.toml")).unwrap();
    for line in [
        "\nurl = \"postgres://fecha@db.example.com/evolution\"\n",
        "\nrelation_file = \"evolution-postgresql.sql\"\n",
        "\nignored_statuses = [\"PENDING\", \"ERROR\", \"FAILED\"]\n",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
    assert!(!text.contains("\nrelation = "), "{text}");
    let index =
        std::fs::read_to_string(reseller.path("wa/evolution-postgresql.index.sql")).unwrap();
    assert!(index.contains("CREATE INDEX CONCURRENTLY"), "{index}");
}

/// The relation is named by its first words wherever it is named.
#[test]
fn a_relation_of_many_lines_is_named_by_its_first_words() {
    let reseller = reseller_of("chatwoot");
    let database = MessageDb::without_table(Engine::Postgres);
    let mut command = reseller.command(&["check", "--json"]);
    let output = command.env("FECHA_MESSAGES__URL", database.url()).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let words =
        "relation '(SELECT m.account_id AS dealership_id, COALESCE(ci.source_id…' of postgres://";
    assert!(text.contains(words), "{text}");
    assert!(!text.contains("campaign_messages cm"), "{text}");
}

/// The script of a CSV export, run as a person runs it.
fn run_script(reseller: &Reseller, script: &str, arguments: &[&str]) {
    let mut command = Command::new("sh");
    let output = command.arg(script).args(arguments).current_dir(reseller.path("wa")).output();
    let output = output.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
