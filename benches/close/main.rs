//! How long a whole close of 1,500 dealerships takes: count, price, render, issue, report, deliver.
//!
//! ```sh
//! cargo bench --bench close -- 10000000 sqlite
//! DEALERSHIPS=15000 cargo bench --bench close -- 1000000 sqlite
//! ```
//!
//! The first argument is the number of messages a month, the second the engine of the message database
//! (three months, one index on `sent_at`); the ledger is SQLite, the mail server a sink on loopback. Prints
//! seconds and peak memory by stage; the sink is part of the process, a database server is not.
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    missing_docs,
    reason = "a benchmark: sizes and times, no money"
)]

#[path = "../support/generator.rs"]
mod generator;
#[path = "../support/messages.rs"]
#[allow(dead_code, reason = "the bench of the count uses the rest")]
mod messages;
#[path = "../support/meter.rs"]
#[allow(dead_code, reason = "the bench of years uses the rest")]
mod meter;
mod reseller;
mod sink;
#[allow(dead_code, reason = "the tests use the rest")]
#[path = "../../tests/it/support"]
mod servers {
    pub mod mariadb;
    pub mod postgres;
    mod server;
}

use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use fecha::actions::close::{CloseOptions, CloseReport, Progress, close_month};
use fecha::post::deliver::{Delivered, Post};
use fecha::setup::office::{self, Office};

use self::generator::{MONTH, Span};
use self::messages::Messages;
use self::meter::Meter;

/// What a close may take: so many bytes a contact above this base.
const BASE: u64 = 100 << 20;
const A_CONTACT: u64 = 64;

fn main() {
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    let number = arguments.next().map_or(1_000_000, |text| text.parse().expect("a number"));
    let engine = arguments.next().unwrap_or_else(|| "sqlite".to_owned());
    let messages = Messages::new(&engine, number, Span::that_fits(number));
    let (port, taken) = sink::start();
    let folder = tempfile::tempdir().expect("a folder");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let office = runtime.block_on(reseller::open(folder.path(), &messages.url(), port));

    let meter = Arc::new(Mutex::new(Meter::start()));
    let report = runtime.block_on(close(&office, &meter));
    let delivered = runtime.block_on(deliver(&office));
    mark(&meter, "deliver");

    assert_eq!((report.held.as_deref(), delivered.failed.len()), (None, 0));
    assert_eq!(delivered.unreachable, None);
    let emails = taken.emails.load(Ordering::Relaxed);
    assert_eq!(emails, delivered.sent);
    let megabytes = taken.bytes.load(Ordering::Relaxed) >> 20;
    println!("{} messages counted of {number} a month, {engine}\n", report.messages.counted);
    let meter = meter.lock().expect("no thread panicked");
    meter.print();
    let issued = report.issued.len();
    println!(
        "\n{issued} invoices: {:.0} a second, {:.2} ms of CPU each",
        issued as f64 / meter.seconds("issue"),
        meter.cpu_seconds("issue") * 1000.0 / issued as f64
    );
    println!(
        "{emails} emails, {megabytes} MB: {:.0} a second, {:.2} ms of CPU each",
        emails as f64 / meter.seconds("deliver"),
        meter.cpu_seconds("deliver") * 1000.0 / emails as f64
    );
    let contacts: u64 = report.issued.iter().map(|charged| charged.uam).sum();
    let allowed = (BASE + A_CONTACT * contacts) >> 20;
    println!("{contacts} contacts: peak {} MB, at most {allowed} MB wanted", meter.peak() >> 20);
    print_ledger(&folder.path().join("fecha.db"), issued);
}

/// As the command line closes.
async fn close(office: &Office, meter: &Arc<Mutex<Meter>>) -> CloseReport {
    let source = office::source(&office.config).expect("a source");
    let options =
        CloseOptions { month: Some(MONTH.parse().expect("a month")), ..CloseOptions::default() };
    let watch = Arc::clone(meter);
    let progress = move |progress| match progress {
        Progress::Issuing(0, _) => mark(&watch, "count, price"),
        Progress::Issuing(done, all) if done == all => mark(&watch, "issue"),
        _ => {}
    };
    let report = close_month(office, &source, &options, office.clock.now(), progress).await;
    mark(meter, "report to finance");
    report.expect("a close")
}

/// As the command line delivers.
async fn deliver(office: &Office) -> Delivered {
    let mut mailers = office::mailers(&office.config).expect("a mail server");
    let post = Post { ledger: &office.ledger, templates: &office.templates, clock: office.clock };
    post.deliver_due(&mut mailers, None, |_| {}).await.expect("a delivery")
}

fn mark(meter: &Mutex<Meter>, stage: &'static str) {
    meter.lock().expect("no thread panicked").mark(stage);
}

fn print_ledger(path: &Path, invoices: usize) {
    let ledger = rusqlite::Connection::open(path).expect("the ledger");
    let size = |kind: &str| {
        let sql = "SELECT SUM(LENGTH(bytes)) / 1048576.0 FROM file WHERE kind = ?1";
        ledger.query_row(sql, [kind], |row| row.get::<_, f64>(0)).expect("files")
    };
    let pages =
        "SELECT page_count * page_size / 1048576.0 FROM pragma_page_count, pragma_page_size";
    let all: f64 = ledger.query_row(pages, [], |row| row.get(0)).expect("a size");
    let rest = (all - size("evidence")) * 1024.0 / invoices as f64;
    println!("ledger: {rest:.1} KB an invoice beside the evidence");
    println!(
        "ledger {all:.1} MB: evidence {:.1}, invoices {:.1}, statements {:.1}",
        size("evidence"),
        size("invoice"),
        size("statement")
    );
}
