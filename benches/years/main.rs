//! Whether commands about one month or one invoice take longer after years: a ledger of 1,500 dealerships with
//! 1, 12 and 60 months.
//!
//! ```sh
//! cargo bench --bench years -- 5
//! BASELINE=/tmp/fecha-0.1 cargo bench --bench years -- 5
//! ```
//!
//! The argument is the number of runs, of which the median is printed; `pages` behind it measures the pages of the
//! console alone, at the last size. `BASELINE` is another binary, the oldest
//! that is to be compared: it makes the ledgers, and its figures are printed beside ours. Wants 3 GB in
//! `target/tmp`.
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    missing_docs,
    reason = "a benchmark: sizes and times, no money"
)]

mod command;
mod console;
#[path = "../support/generator.rs"]
#[allow(dead_code, reason = "the other benches use the rest")]
mod generator;
mod ledger;
#[path = "../support/messages.rs"]
#[allow(dead_code, reason = "the bench of the count uses the rest")]
mod messages;
#[path = "../support/meter.rs"]
#[allow(dead_code, reason = "the other benches use the rest")]
mod meter;
#[allow(dead_code, reason = "the tests use the rest")]
#[path = "../../tests/it/support"]
mod servers {
    pub mod mariadb;
    pub mod postgres;
    mod server;
}

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use self::command::{Fecha, Took};
use self::generator::{MONTH, Span, Traffic};
use self::messages::Messages;
use self::meter::cpu_of_children;

const MESSAGES: u64 = 150_000;
const MONTHS: [usize; 3] = [1, 12, 60];
const NUMBER: &str = "2026-000750";
/// What a command about one month or one invoice may take at the last size, of its time at the first.
const ALLOWED: f64 = 1.3;

/// The command that revises all invoices of a month, of which CPU time is taken, once.
const RERUN: &str = "`rerun --all`, CPU";

/// A command that is measured.
struct Case {
    name: &'static str,
    /// It is about one month or one invoice, whatever else there is.
    is_about_one: bool,
    arguments: fn(usize) -> Vec<String>,
}

const CASES: [Case; 9] = [
    Case { name: "invoice N", is_about_one: true, arguments: |_| words(&["invoice", NUMBER]) },
    Case {
        name: "invoices --month M",
        is_about_one: true,
        arguments: |_| words(&["invoices", "--month", MONTH]),
    },
    Case {
        name: "pay N --on D",
        is_about_one: true,
        // Another amount each time: the same payment is recorded once.
        arguments: |run| {
            let amount = format!("0.{:02}", run + 1);
            words(&["pay", NUMBER, "--on", "2026-11-01", "--amount", &amount])
        },
    },
    Case { name: "resend N", is_about_one: true, arguments: |_| words(&["resend", NUMBER]) },
    Case {
        name: "audit --month M",
        is_about_one: true,
        arguments: |_| words(&["audit", "--month", MONTH]),
    },
    Case {
        name: "outbox --state failed",
        is_about_one: true,
        arguments: |_| words(&["outbox", "--state", "failed"]),
    },
    Case {
        name: "verify --month M",
        is_about_one: true,
        arguments: |_| words(&["verify", "--month", MONTH]),
    },
    Case { name: "status", is_about_one: false, arguments: |_| words(&["status"]) },
    Case { name: "adjust", is_about_one: false, arguments: |_| words(&["adjust"]) },
];

fn main() {
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    let runs = arguments.next().map_or(5, |text| text.parse().expect("a number of runs"));
    let pages_alone = arguments.next().as_deref() == Some("pages");
    let ours = PathBuf::from(env!("CARGO_BIN_EXE_fecha"));
    let baseline = std::env::var_os("BASELINE").map(PathBuf::from);
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    let messages = Messages::new("sqlite", MESSAGES, Span::Alone);
    let maker = baseline.as_ref().unwrap_or(&ours);
    let base = Fecha { program: maker.clone(), folder: folder.path().join("base") };
    close(&base, &messages.url());

    if pages_alone {
        let fecha = Fecha { program: ours, folder: folder.path().join("run") };
        let long = folder.path().join("long.db");
        ledger::lengthen(&base.folder.join("fecha.db"), &long, MONTHS[MONTHS.len() - 1]);
        prepare(&base, &fecha, &long);
        let dealership = Traffic::dealerships().nth(700).expect("a dealership");
        println!("{}", console::table(&console::measure(&fecha, runs, NUMBER, &dealership)));
        return;
    }
    let programs: Vec<PathBuf> = [ours.clone()].into_iter().chain(baseline).collect();
    let mut took: Vec<Vec<Vec<Took>>> = Vec::new();
    let (mut scraped, mut revised) = (Vec::new(), Vec::new());
    let mut shown = Vec::new();
    for months in MONTHS {
        let long = folder.path().join("long.db");
        ledger::lengthen(&base.folder.join("fecha.db"), &long, months);
        let size = std::fs::metadata(&long).expect("a ledger").len() >> 20;
        eprintln!("{months} months: a ledger of {size} MB");
        let (mut by_program, mut by_daemon, mut by_rerun) = (Vec::new(), Vec::new(), Vec::new());
        for program in &programs {
            let fecha = Fecha { program: program.clone(), folder: folder.path().join("run") };
            prepare(&base, &fecha, &long);
            let first = fecha.run(&["status"]).as_secs_f64();
            eprintln!("  {}: the first open takes {first:.2} seconds", program.display());
            by_program.push(CASES.iter().map(|c| fecha.measure(runs, c.arguments)).collect());
            by_daemon.push(fecha.metrics(runs));
            // An earlier program has none; the last size is what counts.
            if *program == ours && months == MONTHS[MONTHS.len() - 1] {
                let dealership = Traffic::dealerships().nth(700).expect("a dealership");
                shown = console::measure(&fecha, runs, NUMBER, &dealership);
            }
            by_rerun.push(rerun(&fecha, &messages));
            std::fs::remove_dir_all(&fecha.folder).expect("a folder");
        }
        took.push(by_program);
        scraped.push(by_daemon);
        revised.push(by_rerun);
    }
    println!("{}", table(&programs, &took, &[("daemon, `/metrics`", &scraped), (RERUN, &revised)]));
    println!("{}", console::table(&shown));
}

/// A late message for every dealership, and a revision of each invoice: seconds of CPU.
fn rerun(fecha: &Fecha, messages: &Messages) -> f64 {
    let Messages::Sqlite(path) = messages else { panic!("the messages are SQLite's") };
    let copy = fecha.folder.join("messages.db");
    std::fs::copy(path, &copy).expect("a copy");
    ledger::come_late(&copy);
    let url = format!("sqlite:{}", copy.display());
    let config = std::fs::read_to_string(fecha.folder.join("fecha.toml")).expect("a file");
    std::fs::write(fecha.folder.join("fecha.toml"), config.replace(&messages.url(), &url))
        .expect("a file");
    let before = cpu_of_children();
    fecha.run(&["rerun", "--month", MONTH, "--all", "--reason", "late"]);
    let took = cpu_of_children() - before;
    let revised = ledger::revised(&fecha.folder.join("fecha.db"));
    eprintln!("  rerun --all: {revised} revised in {took:.1} seconds of CPU");
    took
}

fn words(arguments: &[&str]) -> Vec<String> {
    arguments.iter().map(ToString::to_string).collect()
}

/// A reseller with one closed month.
fn close(fecha: &Fecha, messages: &str) {
    std::fs::create_dir(&fecha.folder).expect("a folder");
    let write =
        |name: &str, text: &str| std::fs::write(fecha.folder.join(name), text).expect("a file");
    write("fecha.toml", &CONFIG.replace("MESSAGES", messages));
    let mut people =
        "id,name,trade_name,cnpj,address,city,state,email,cc,timezone,due_day\n".to_owned();
    let mut packages = "dealership_id,from_month,package\n".to_owned();
    for id in Traffic::dealerships() {
        let _ = writeln!(
            people,
            "{id},Concessionária {id} Ltda,Veículos {id},11.222.333/0001-81,\"Rua Um, 1\",Curitiba,PR,{id}@example.com,,,"
        );
        let _ = writeln!(packages, "{id},2020-08,5000");
    }
    write("people.csv", &people);
    write("packages.csv", &packages);
    fecha.run(&["import", "--dealerships", "people.csv", "--contracts", "packages.csv"]);
    fecha.run(&["close", "--month", MONTH]);
    ledger::settle(&fecha.folder.join("fecha.db"));
}

/// A folder like that of `base`, with a ledger of its own.
fn prepare(base: &Fecha, fecha: &Fecha, ledger: &Path) {
    std::fs::create_dir(&fecha.folder).expect("a folder");
    for name in ["fecha.toml", "evidence.key"] {
        std::fs::copy(base.folder.join(name), fecha.folder.join(name)).expect("a copy");
    }
    std::fs::copy(ledger, fecha.folder.join("fecha.db")).expect("a copy");
}

/// A row for each command; for each program its milliseconds by size, how often the first time the last
/// one is, and the peak memory at the last size.
fn table(programs: &[PathBuf], took: &[Vec<Vec<Took>>], others: &[(&str, &[Vec<f64>])]) -> String {
    let mut text = "| command |".to_owned();
    for program in programs {
        let name = program.file_name().unwrap_or_default().to_string_lossy();
        for months in MONTHS {
            let _ = write!(text, " {name}, ms at {months} |");
        }
        text += " last : first | MB at last |";
    }
    let columns = programs.len() * (MONTHS.len() + 2);
    let _ = writeln!(text, "\n|---|{}", "---:|".repeat(columns));
    for (index, case) in CASES.iter().enumerate() {
        let _ = write!(text, "| `{}` |", case.name);
        for program in 0..programs.len() {
            let of: Vec<Took> = took.iter().map(|size| size[program][index]).collect();
            let seconds: Vec<f64> = of.iter().map(|took| took.seconds).collect();
            text += &cells(&seconds, case.is_about_one);
            let _ = write!(text, " {} |", of[of.len() - 1].megabytes);
        }
        text += "\n";
    }
    for (name, took) in others {
        let _ = write!(text, "| {name} |");
        for program in 0..programs.len() {
            let seconds: Vec<f64> = took.iter().map(|size| size[program]).collect();
            let _ = write!(text, "{} |", cells(&seconds, *name == RERUN));
        }
        text += "\n";
    }
    text
}

fn cells(seconds: &[f64], is_about_one: bool) -> String {
    let times: String = seconds.iter().map(|s| format!(" {:.1} |", s * 1000.0)).collect();
    let ratio = seconds[seconds.len() - 1] / seconds[0];
    let mark = if is_about_one && ratio > ALLOWED { ", too much" } else { "" };
    format!("{times} {ratio:.2}{mark} |")
}

const CONFIG: &str = r#"
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
url = "MESSAGES"
[[prices]]
from = "2020-08"
overage = "0.29"
hsm = "0.46"
packages = [ { contacts = 5000, price = "1014.00" } ]
[email]
transport = "file"
from = "Faturamento <faturas@example.com>"
finance = ["financeiro@example.com"]
dir = "mail"
"#;
