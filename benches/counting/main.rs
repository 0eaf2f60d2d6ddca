//! How long a month takes to count: fecha's own pass against what else could be done, on the same data,
//! in alternated runs.
//!
//! ```sh
//! cargo bench --bench counting -- 10000000 sqlite postgres mariadb mariadb-unnumbered
//! ```
//!
//! The first argument is the number of messages a month; the table has three months and one index, on
//! `sent_at`. `MariaDB` keeps its rows in the order of a number, as most tables have one; those of
//! `mariadb-unnumbered` have none. Prints seconds (median), the ratio to reading alone and to a plain
//! `COUNT(DISTINCT)`, and the peak memory that the pass adds to the process; and what peers from `PyPI` take for
//! the same count, where they are to be had.
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    clippy::similar_names,
    missing_docs,
    reason = "a benchmark: sizes and times, no money"
)]

#[path = "../support/generator.rs"]
mod generator;
#[path = "../support/messages.rs"]
mod messages;
#[path = "../support/meter.rs"]
#[allow(dead_code, reason = "the bench of the close uses the rest")]
mod meter;
mod peers;
#[path = "../support/reading.rs"]
mod reading;
#[allow(dead_code, reason = "the tests use the rest")]
#[path = "../../tests/it/support"]
mod servers {
    pub mod mariadb;
    pub mod postgres;
    mod server;
}

use std::path::Path;
use std::time::Instant;

use chrono::TimeDelta;
use fecha::messages::{CONNECTIONS, Source};
use fecha_core::calendar::month::{Month, Period};
use fecha_core::count::counter::Counter;
use fecha_core::count::rules::CountingRules;
use fecha_core::count::status::StatusRules;
use fecha_core::count::tally::{Apart, Counted};

use self::generator::{MONTH, Span, Traffic};
use self::messages::Messages;
use self::meter::{peak, reset_peak};

/// Alternated, so that whatever else the machine does falls on all; one run takes minutes from here on.
const RUNS: usize = 3;
const ONCE_FROM: u64 = 100_000_000;

/// One query a dealership takes the better part of an hour: a sample of them, and times so many.
const EVERY: usize = 150;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    let number = arguments.first().map_or(1_000_000, |text| text.parse().expect("a number"));
    let engines: Vec<&str> = match arguments.get(1..) {
        None | Some([]) => vec!["sqlite", "postgres", "mariadb"],
        Some(named) => named.iter().map(String::as_str).collect(),
    };
    let span = Span::that_fits(number);
    let runs = if number < ONCE_FROM { RUNS } else { 1 };
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let python = peers::python();
    if python.is_none() {
        println!("no peers: their packages cannot be installed\n");
    }
    println!(
        "{number} messages a month, {} month(s), index on sent_at, {runs} run(s) each\n",
        span.months()
    );
    println!("| engine | what | seconds | of reading | of COUNT(DISTINCT) | MB |");
    println!("|---|---|---:|---:|---:|---:|");
    for name in engines {
        measure(name, &Messages::new(name, number, span), runs, &runtime, python.as_deref());
    }
}

fn measure(
    name: &str,
    messages: &Messages,
    runs: usize,
    runtime: &tokio::runtime::Runtime,
    python: Option<&Path>,
) {
    let month: Month = MONTH.parse().expect("a month");
    let period = month.period_in(chrono_tz::America::Sao_Paulo);
    let (from, to) = (messages.literal(period.start), messages.literal(period.end));
    let within = format!("FROM message WHERE sent_at >= {from} AND sent_at < {to}");
    let floor = format!("SELECT COUNT(*) {within}");
    // Summed, so that no planner leaves out what nobody asked for.
    let distinct = format!(
        "SELECT SUM(uam) FROM (SELECT dealership_id, COUNT(DISTINCT contact) AS uam {within} GROUP BY dealership_id) AS t"
    );
    let one_by_one = || {
        for id in Traffic::dealerships().step_by(EVERY) {
            let sql = format!("SELECT COUNT(DISTINCT contact) {within} AND dealership_id = '{id}'");
            messages.query(&sql);
        }
    };
    let mut seconds: [Vec<f64>; 5] = Default::default();
    let (mut memory, mut sums) = (0, (0, 0));
    for _ in 0..runs {
        seconds[0].push(time(|| messages.query(&floor)));
        seconds[1].push(time(|| messages.query(&distinct)));
        seconds[3].push(time(|| runtime.block_on(messages.read_only(period))));
        reset_peak();
        let before = peak();
        seconds[2].push(time(|| sums = runtime.block_on(count(messages, period))));
        memory = memory.max(peak().saturating_sub(before));
    }
    seconds[4].push(time(one_by_one) * EVERY as f64);
    let [floor, distinct, pass, read_only, one_by_one] = seconds.map(median);
    let row = |what: &str, seconds: f64, memory: &str| {
        let (of_reading, of_distinct) = (seconds / read_only, seconds / distinct);
        println!(
            "| {name} | {what} | {seconds:.2} | {of_reading:.2} | {of_distinct:.3} | {memory} |"
        );
    };
    row("the rows read, nothing done with them", read_only, "");
    let memory = (memory >> 20).to_string();
    row("**fecha**: UAM, HSM, buckets, evidence, templates", pass, &memory);
    row("COUNT(*) of the month", floor, "");
    row("COUNT(DISTINCT contact) by dealership", distinct, "");
    row("one query a dealership (from ten of them)", one_by_one, "");
    for (what, peer) in peers::PEERS {
        let Some(python) = python else { continue };
        let counts = (0..runs).map(|_| peers::count(python, peer, name, messages, period));
        match counts.collect::<Result<Vec<_>, _>>() {
            Ok(found) => {
                assert!(
                    found.iter().all(|found| (found.uam, found.hsm) == sums),
                    "{what}: {found:?}"
                );
                row(what, median(found.iter().map(|found| found.seconds).collect()), "");
            }
            Err(why) => println!("| {name} | {what} | absent: {why} | | | |"),
        }
    }
}

fn median(mut runs: Vec<f64>) -> f64 {
    runs.sort_by(f64::total_cmp);
    runs[runs.len() / 2]
}

/// The whole pass, as a close makes it; the sums of UAM and HSM. The count is dropped, as a close drops it bill
/// by bill.
async fn count(messages: &Messages, period: Period) -> (u64, u64) {
    let counted = Traffic::dealerships().map(|dealership_id| Counted {
        dealership_id,
        period,
        has_package: true,
        in_scope: true,
        rules: CountingRules::default(),
        beside: None,
        apart: Apart::Unbilled,
    });
    let counter = Counter::new(counted.collect(), Some(period), &StatusRules::default());
    let source = Source::parse(&messages.url(), "message", Path::new("/"), CONNECTIONS);
    // Later than any row: none is counted as one of the future, of which a database has few.
    let now = period.end + TimeDelta::days(40);
    let reading = source.expect("a source").count(counter, now, |_| {}).await;
    let tallies = reading.expect("a count").count.tallies;
    tallies.values().fold((0, 0), |(uam, hsm), tally| (uam + tally.uam(), hsm + tally.hsm()))
}

fn time<T>(work: impl FnOnce() -> T) -> f64 {
    let start = Instant::now();
    work();
    start.elapsed().as_secs_f64()
}
