//! A reseller for tests: a folder with configuration, register and message database, and the real
//! command run in it at a chosen instant.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, Ordering};

use serde_json::Value;
use tempfile::TempDir;

use super::postgres::Postgres;

/// Just after midnight in Brasília: October 2026 is over in all of Brazil but in its west.
pub const AFTER_MIDNIGHT: &str = "2026-11-01 03:00:01";
/// A day later, October is over everywhere.
pub const A_DAY_LATER: &str = "2026-11-02 03:00:00";

/// Which database the ledger is.
#[derive(Debug, Clone, Copy)]
pub enum LedgerKind {
    Sqlite,
    Postgres,
}

/// An evidence key for ledgers that are compared: random, but the same each time.
pub const KEY: &str = "21a0b706c30939d6278f1f3c5143b4b1fed6f2ef203e031f8766fd4b71550d17";

/// What a command printed, and its exit status.
#[derive(Debug)]
pub struct Ran {
    pub status: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Ran {
    /// Standard output as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}\n{}", self.stdout, self.stderr))
    }

    /// The same, if the exit status was this.
    #[track_caller]
    pub fn expect(self, status: i32) -> Self {
        assert_eq!(self.status, status, "stdout: {}\nstderr: {}", self.stdout, self.stderr);
        self
    }
}

pub struct Reseller {
    folder: TempDir,
    now: String,
    /// Messages that are yet to be sent: they lie in the database once it is their day.
    unsent: Mutex<Vec<Unsent>>,
    /// The latest instant, Unix milliseconds, that a daemon's clock has shown.
    daemons: AtomicI64,
    ledger_url: Option<String>,
    pub variables: Vec<(String, String)>,
}

/// A message that is yet to be sent.
struct Unsent {
    texts: [Option<String>; 6],
    sent_at: i64,
}

/// One row of the message database: dealership, contact, direction, kind, template, status, `sent_at`
/// (RFC 3339).
pub type Row<'a> =
    (Option<&'a str>, &'a str, &'a str, &'a str, Option<&'a str>, Option<&'a str>, &'a str);

impl Reseller {
    pub fn new(ledger: LedgerKind) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let ledger_url = match ledger {
            LedgerKind::Sqlite => None,
            LedgerKind::Postgres => Some(Postgres::shared().create_database("ledger")),
        };
        let reseller = Self {
            folder,
            now: A_DAY_LATER.to_owned(),
            unsent: Mutex::default(),
            daemons: AtomicI64::new(i64::MIN),
            ledger_url,
            variables: Vec::new(),
        };
        reseller.write("fecha.toml", CONFIG);
        let database = reseller.messages();
        database.execute_batch(MESSAGE_TABLE).unwrap();
        reseller
    }

    /// The reseller of `fixtures/ledger-0.1`, whose ledger no later version has opened yet.
    pub fn of_0_1(ledger: LedgerKind) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/fixtures/ledger-0.1");
        let unpack = |from: &str, to: &str| {
            let packed = std::fs::read(fixtures.join(from)).unwrap();
            let bytes = zstd::decode_all(packed.as_slice()).unwrap();
            std::fs::write(folder.path().join(to), bytes).unwrap();
        };
        unpack("messages.db.zst", "messages.db");
        let (key, ledger_url) = match ledger {
            LedgerKind::Sqlite => {
                unpack("fecha.db.zst", "fecha.db");
                ("evidence.key", None)
            }
            LedgerKind::Postgres => {
                unpack("ledger.pg.sql.zst", "ledger.sql");
                let dump = folder.path().join("ledger.sql");
                ("evidence.pg.key", Some(Postgres::shared().restore("upgrade", &dump)))
            }
        };
        let now = "2026-11-02 12:00:00".to_owned();
        let unsent = Mutex::default();
        let reseller = Self {
            folder,
            now,
            unsent,
            daemons: AtomicI64::new(i64::MIN),
            ledger_url,
            variables: Vec::new(),
        };
        let read = |name: &str| std::fs::read_to_string(fixtures.join(name)).unwrap();
        reseller.write("fecha.toml", &read("fecha.toml"));
        reseller.write("evidence.key", &read(key));
        let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        std::fs::set_permissions(reseller.path("evidence.key"), private).unwrap();
        reseller
    }

    /// From now on commands run at this instant, UTC.
    pub fn at(&mut self, now: &str) -> &mut Self {
        now.clone_into(&mut self.now);
        self
    }

    /// From now on commands run at the machine's own time, as servers and their certificates do.
    pub fn at_the_machines_time(&mut self) -> &mut Self {
        let now = Command::new("date").args(["-u", "+%F %T"]).output().unwrap();
        let now = String::from_utf8(now.stdout).unwrap();
        self.at(now.trim())
    }

    /// From now on emails go to this server.
    pub fn mail_to(&mut self, port: u16, tls: &str) -> &mut Self {
        let settings = [
            ("FECHA_EMAIL__TRANSPORT", "smtp"),
            ("FECHA_EMAIL__SMTP__HOST", "localhost"),
            ("FECHA_EMAIL__SMTP__PORT", &port.to_string()),
            ("FECHA_EMAIL__SMTP__TLS", tls),
        ];
        let settings = settings.map(|(name, value)| (name.to_owned(), value.to_owned()));
        self.variables.extend(settings);
        self
    }

    /// From now on nothing of it is deleted: somebody has to look at it.
    #[allow(dead_code, reason = "the torture run keeps what broke")]
    pub fn keep(&mut self) {
        self.folder.disable_cleanup(true);
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, content: &str) {
        std::fs::write(self.path(name), content).unwrap();
    }

    /// The message database.
    pub fn messages(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.path("messages.db")).unwrap()
    }

    /// Adds messages.
    pub fn add(&self, rows: &[Row<'_>]) {
        let unsent = |(id, contact, direction, kind, template, status, sent_at): &Row<'_>| {
            let sent_at = sent_at.parse::<chrono::DateTime<chrono::Utc>>().unwrap();
            let texts = [*id, Some(*contact), Some(*direction), Some(*kind), *template, *status];
            Unsent {
                texts: texts.map(|text| text.map(str::to_owned)),
                sent_at: sent_at.timestamp_millis(),
            }
        };
        self.unsent.lock().unwrap().extend(rows.iter().map(unsent));
        self.send();
    }

    /// A daemon's clock shows this instant.
    pub fn it_is(&self, now: chrono::DateTime<chrono::Utc>) {
        self.daemons.fetch_max(now.timestamp_millis(), Ordering::Relaxed);
        self.send();
    }

    /// Writes the messages whose day has come: those up to tomorrow's, since more are none yet.
    fn send(&self) {
        let now = chrono::NaiveDateTime::parse_from_str(&self.now, "%Y-%m-%d %H:%M:%S").unwrap();
        let now = now.and_utc().timestamp_millis().max(self.daemons.load(Ordering::Relaxed));
        let until = now + 86_400_000;
        let mut unsent = self.unsent.lock().unwrap();
        if !unsent.iter().any(|message| message.sent_at <= until) {
            return;
        }
        let mut database = self.messages();
        let transaction = database.transaction().unwrap();
        {
            let sql = "INSERT INTO message VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
            let mut insert = transaction.prepare(sql).unwrap();
            for Unsent { texts: [id, contact, direction, kind, template, status], sent_at } in
                unsent.extract_if(.., |message| message.sent_at <= until)
            {
                let values =
                    rusqlite::params![id, contact, direction, kind, template, status, sent_at];
                insert.execute(values).unwrap();
            }
        }
        transaction.commit().unwrap();
    }

    /// `count` contacts write to a dealership, the first at `from`, each a second after the other.
    pub fn add_contacts(&self, id: &str, count: usize, from: &str) {
        let start: chrono::DateTime<chrono::Utc> = from.parse().unwrap();
        let unsent = |index: usize| {
            let contact = format!("55489{:08}", 90_000_000 + index);
            let texts = [Some(id), Some(&contact), Some("in"), Some("session"), None, None];
            Unsent {
                texts: texts.map(|text| text.map(str::to_owned)),
                sent_at: start.timestamp_millis() + i64::try_from(index).unwrap() * 1000,
            }
        };
        self.unsent.lock().unwrap().extend((0..count).map(unsent));
        self.send();
    }

    /// Imports dealerships with these ids and zones, each with a package from 2026-01 on.
    pub fn register(&self, dealerships: &[(&str, &str, &str)]) {
        self.register_with(dealerships, &[]);
    }

    /// The same, with further arguments of the import.
    pub fn register_with(&self, dealerships: &[(&str, &str, &str)], arguments: &[&str]) {
        let mut people = DEALERSHIP_HEADER.to_owned();
        let mut contracts = "dealership_id,from_month,package\n".to_owned();
        for (id, zone, package) in dealerships {
            people += &dealership(id, zone);
            if !package.is_empty() {
                contracts += &format!("{id},2026-01,{package}\n");
            }
        }
        self.write("dealerships.csv", &people);
        self.write("contracts.csv", &contracts);
        let files = ["import", "--dealerships", "dealerships.csv", "--contracts", "contracts.csv"];
        self.run(&[&files[..], arguments].concat()).expect(0);
    }

    /// An import that ends with this exit status and says this.
    #[track_caller]
    pub fn register_fails(&self, status: i32, said: &str) {
        self.write("dealerships.csv", &format!("{DEALERSHIP_HEADER}{}", dealership("d1", "")));
        self.write("contracts.csv", "dealership_id,from_month,package\nd1,2026-01,5000\n");
        let files = ["import", "--dealerships", "dealerships.csv", "--contracts", "contracts.csv"];
        let refused = self.run(&files).expect(status).stderr;
        assert!(refused.contains(said), "{refused}");
    }

    /// The command, ready to be started.
    pub fn command(&self, arguments: &[&str]) -> Command {
        self.send();
        // A long run takes a copy that no build replaces under its hands.
        let copy = std::env::var_os("TEST_BINARY");
        let binary = copy.unwrap_or_else(|| env!("CARGO_BIN_EXE_fecha").into());
        let mut command = Command::new(binary);
        command.args(arguments).current_dir(self.folder.path()).env_remove("RUST_LOG");
        command.env("LD_PRELOAD", faketime()).env("FAKETIME", format!("@{}", self.now));
        command.env("FAKETIME_DONT_FAKE_MONOTONIC", "1").env("TZ", "UTC");
        command.env_remove("SUDO_USER").env("LOGNAME", "ana");
        if let Some(url) = &self.ledger_url {
            command.env("FECHA_LEDGER__URL", url);
        }
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null());
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Ran {
        let Output { status, stdout, stderr } = self.command(arguments).output().unwrap();
        Ran {
            status: status.code().unwrap_or(-1),
            stdout: String::from_utf8(stdout).unwrap(),
            stderr: String::from_utf8(stderr).unwrap(),
        }
    }

    /// The same on a terminal of so many columns; standard error goes nowhere.
    pub fn on_terminal(&self, columns: u16, arguments: &[&str]) -> Ran {
        self.in_script(columns, arguments, "2>/dev/null")
    }

    /// Only what goes to standard error, on a terminal.
    pub fn errors_on_terminal(&self, columns: u16, arguments: &[&str]) -> String {
        self.in_script(columns, arguments, ">/dev/null").stdout
    }

    fn in_script(&self, columns: u16, arguments: &[&str], redirected: &str) -> Ran {
        let plain = self.command(arguments);
        let quoted = |word: &std::ffi::OsStr| format!("'{}'", word.to_str().unwrap());
        let words = [plain.get_program()].into_iter().chain(plain.get_args()).map(quoted);
        let line = format!(
            "stty cols {columns} rows 40; {} {redirected}",
            words.collect::<Vec<_>>().join(" ")
        );
        let mut script = Command::new("script");
        script.args(["-qec", &line, "/dev/null"]).stdin(Stdio::null());
        script.current_dir(self.folder.path()).env_remove("RUST_LOG").env_remove("NO_COLOR");
        script.env("TERM", "xterm");
        script.envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
        let Output { status, stdout, stderr } = script.output().unwrap();
        Ran {
            status: status.code().unwrap_or(-1),
            stdout: String::from_utf8(stdout).unwrap().replace('\r', ""),
            stderr: String::from_utf8(stderr).unwrap(),
        }
    }

    /// Where the ledger is.
    pub fn ledger_url(&self) -> &str {
        self.ledger_url.as_deref().unwrap_or("sqlite:fecha.db")
    }

    /// Runs SQL in the ledger, behind fecha's back.
    pub fn ledger_sql(&self, sql: &str) {
        match &self.ledger_url {
            None => {
                rusqlite::Connection::open(self.path("fecha.db"))
                    .unwrap()
                    .execute_batch(sql)
                    .unwrap();
            }
            Some(url) => {
                let database = url.rsplit('/').next().unwrap();
                Postgres::shared().sql(database, sql);
            }
        }
    }

    /// Changes the ledger as nobody may, with the triggers that refuse it turned off.
    pub fn tamper(&self, sql: &str) {
        match &self.ledger_url {
            None => {
                let ledger = rusqlite::Connection::open(self.path("fecha.db")).unwrap();
                let triggers = rusqlite::config::DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER;
                ledger.set_db_config(triggers, false).unwrap();
                ledger.execute_batch(sql).unwrap();
            }
            Some(_) => self.ledger_sql(&format!("SET session_replication_role = replica; {sql}")),
        }
    }

    /// Whether the ledger refuses this SQL.
    pub fn refuses(&self, sql: &str) -> bool {
        match &self.ledger_url {
            None => {
                let ledger = rusqlite::Connection::open(self.path("fecha.db")).unwrap();
                ledger.execute_batch(sql).is_err()
            }
            Some(url) => Postgres::shared().refuses(url.rsplit('/').next().unwrap(), sql),
        }
    }

    /// What a query of the ledger gives: one text a row.
    pub fn ledger_texts(&self, sql: &str) -> Vec<String> {
        match &self.ledger_url {
            None => {
                let database = rusqlite::Connection::open(self.path("fecha.db")).unwrap();
                let mut statement = database.prepare(sql).unwrap();
                let rows = statement.query_map([], |row| row.get(0)).unwrap();
                rows.collect::<Result<_, _>>().unwrap()
            }
            Some(url) => {
                let text = Postgres::shared().sql(url.rsplit('/').next().unwrap(), sql);
                text.lines().map(str::to_owned).collect()
            }
        }
    }

    /// The number that a query of the ledger gives; 0 where there is none yet.
    pub fn ledger_number(&self, sql: &str) -> i64 {
        match &self.ledger_url {
            None => {
                let database = rusqlite::Connection::open(self.path("fecha.db")).unwrap();
                database.busy_timeout(std::time::Duration::from_secs(10)).unwrap();
                database.query_row(sql, [], |row| row.get(0)).unwrap_or_default()
            }
            Some(url) => {
                let database = url.rsplit('/').next().unwrap();
                Postgres::shared().sql(database, sql).parse().unwrap_or_default()
            }
        }
    }

    /// `fecha invoices --json` with these arguments.
    pub fn invoices(&self, arguments: &[&str]) -> Vec<Value> {
        let all = [&["invoices", "--json"], arguments].concat();
        self.run(&all).expect(0).json().as_array().unwrap().clone()
    }

    /// `fecha outbox --json`.
    pub fn outbox(&self) -> Vec<Value> {
        self.run(&["outbox", "--json"]).expect(0).json().as_array().unwrap().clone()
    }

    /// Emails of this kind in the outbox.
    pub fn emails(&self, kind: &str) -> usize {
        self.outbox().iter().filter(|email| email["kind"] == kind).count()
    }
}

/// A line of `dealerships.csv`.
pub fn dealership(id: &str, zone: &str) -> String {
    format!(
        "{id},Concessionária {id} Ltda,Loja {id},11.222.333/0001-81,\"Rua Um, 1\",Curitiba,PR,{id}@example.com,,{zone},\n"
    )
}

pub const DEALERSHIP_HEADER: &str =
    "id,name,trade_name,cnpj,address,city,state,email,cc,timezone,due_day\n";

const MESSAGE_TABLE: &str =
    "CREATE TABLE message (dealership_id TEXT, contact TEXT, direction TEXT,
    kind TEXT, template TEXT, status TEXT, sent_at INTEGER NOT NULL)";

/// The example of spec §3.2, with emails as files.
pub const CONFIG: &str = r#"
[issuer]
name = "Exemplo Tecnologia Ltda"
cnpj = "11.222.333/0001-81"
address = "Rua Exemplo, 100"
city = "Caxias do Sul"
state = "RS"
email = "financeiro@example.com"
phone = "+55 54 3000-0000"
timezone = "America/Sao_Paulo"
[issuer.pix]
key = "11222333000181"
[ledger]
url = "sqlite:fecha.db"
[messages]
url = "sqlite:messages.db"
[[prices]]
from = "2020-08"
overage = "0.29"
hsm = "0.46"
packages = [
  { contacts = 5000, price = "1014.00" },
  { contacts = 10000, price = "1827.00" },
  { contacts = 25000, price = "3920.00" },
  { contacts = 50000, price = "7380.00" },
]
[email]
transport = "file"
from = "Faturamento <faturas@example.com>"
reply_to = "financeiro@example.com"
finance = ["financeiro@example.com"]
dir = "mail"
"#;

fn faketime() -> PathBuf {
    let libraries = std::fs::read_dir("/usr/lib").into_iter().flatten().flatten();
    libraries
        .map(|folder| folder.path().join("faketime/libfaketime.so.1"))
        .find(|path| Path::new(path).exists())
        .expect("Debian's faketime is installed: scripts/test does it")
}
