//! What it costs to count a month through the SELECT of a known system, beside a plain table with the same
//! messages: ten months in each, the real engines, alternated runs.
//!
//! ```sh
//! cargo bench --bench sources -- 1000000
//! ```
//!
//! The argument is the number of messages in all ten months; names of systems may follow. Prints seconds (median) of a close's counting of
//! one month and their ratio to the plain table; for some systems the same without what helps, beside it.
#![allow(
    clippy::cast_precision_loss,
    missing_docs,
    reason = "a benchmark: sizes and times, no money"
)]

#[allow(dead_code, reason = "the tests use the rest")]
#[path = "../../tests/it/support"]
mod servers {
    pub mod mariadb;
    pub mod postgres;
    mod server;
}
mod systems;

use std::path::Path;
use std::time::Instant;

use fecha::messages::{CONNECTIONS, SentAt, Source};
use fecha::setup::sources::Recipe;
use fecha_core::calendar::month::Month;
use fecha_core::count::counter::Counter;
use fecha_core::count::rules::CountingRules;
use fecha_core::count::status::StatusRules;
use fecha_core::count::tally::{Apart, Counted};

use self::servers::mariadb::MariaDb;
use self::servers::postgres::Postgres;
use self::systems::{DEALERSHIPS, MONTH, SYSTEMS, System, without_head};

const RUNS: usize = 5;

/// A server of the system's engine.
enum Server {
    Postgres(Box<Postgres>),
    MariaDb(Box<MariaDb>),
}

impl Server {
    fn start(name: &str) -> Self {
        if name.contains("mysql") {
            let server = MariaDb::start();
            server.sql("mysql", "CREATE DATABASE bench CHARACTER SET utf8mb4");
            Self::MariaDb(Box::new(server))
        } else {
            let server = Postgres::start();
            server.sql("postgres", "CREATE DATABASE bench");
            Self::Postgres(Box::new(server))
        }
    }

    fn url(&self) -> String {
        match self {
            Self::Postgres(server) => server.url("bench"),
            Self::MariaDb(server) => server.url("bench"),
        }
    }

    fn sql(&self, sql: &str) {
        let statements = sql.split_inclusive(";\n").filter(|sql| sql.contains(';'));
        statements.for_each(|sql| match self {
            Self::Postgres(server) => drop(server.sql("bench", sql)),
            Self::MariaDb(server) => drop(server.sql("bench", sql)),
        });
    }
}

/// What is counted, and how long each run took.
struct Way {
    what: String,
    source: Source,
    seconds: Vec<f64>,
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    let messages = arguments.first().map_or(1_000_000, |text| text.parse().expect("a number"));
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    println!("{messages} messages in ten months, one of them counted, {RUNS} runs each\n");
    println!("| system | what is read | seconds | of the plain table |");
    println!("|---|---|---:|---:|");
    let is_asked = |system: &&System| {
        arguments.len() < 2 || arguments[1..].iter().any(|name| name == system.name)
    };
    for system in SYSTEMS.iter().filter(is_asked) {
        measure(system, messages, &runtime);
    }
}

fn measure(system: &System, messages: u64, runtime: &tokio::runtime::Runtime) {
    let recipe = Recipe::named(system.name).expect("a recipe");
    let server = Server::start(system.name);
    server.sql(&(system.fill)(messages));
    let way = |what: &str, relation: &str, sent_at: SentAt| {
        let source = Source::parse(&server.url(), relation, Path::new("/"), CONNECTIONS);
        let source = source.expect("a relation").with_sent_at(sent_at);
        Way { what: what.to_owned(), source, seconds: Vec::new() }
    };
    let sent_at = match recipe.sent_at() {
        Some(("sent_at_unit", _)) => SentAt::Seconds,
        Some((_, zone)) => SentAt::Local(zone.parse().expect("a zone")),
        None => SentAt::Instant,
    };
    server.sql(&system.plain(&recipe));
    let mut ways = vec![way("a plain table, index on sent_at", "plain", SentAt::Instant)];
    let mut found = Vec::new();
    // Without the owner's index first: it is made between two measurements.
    let mut bare = vec![way("the SELECT, no index of its own", recipe.text, sent_at)];
    if let Some((what, from, to)) = system.before {
        let relation = recipe.text.replace(from, to);
        assert_ne!(relation, recipe.text, "{}: {from}", system.name);
        bare.push(way(what, &relation, SentAt::Instant));
    }
    run(&mut bare, runtime, 1, &mut found);
    server.sql(&recipe.index());
    server.sql(system.analyze);
    ways.push(way("**the SELECT with its index**", recipe.text, sent_at));
    let select = without_head(&recipe);
    let systems::Helped { what, set_up, relation } = &system.helped;
    server.sql(&set_up(&select));
    server.sql(system.analyze);
    ways.push(way(what, &relation(&select), SentAt::Instant));
    run(&mut ways, runtime, RUNS, &mut found);
    assert!(found.windows(2).all(|pair| pair[0] == pair[1]), "{}: {found:?}", system.name);
    let plain = median(&ways[0].seconds);
    for way in ways.iter().chain(&bare) {
        let seconds = median(&way.seconds);
        let ratio = seconds / plain;
        println!("| {} | {} | {seconds:.2} | {ratio:.1} |", system.name, way.what);
    }
}

/// Alternated, so that whatever else the machine does falls on all.
fn run(
    ways: &mut [Way],
    runtime: &tokio::runtime::Runtime,
    runs: usize,
    found: &mut Vec<(u64, u64)>,
) {
    for _ in 0..runs {
        for way in &mut *ways {
            let start = Instant::now();
            found.push(runtime.block_on(count(&way.source)));
            way.seconds.push(start.elapsed().as_secs_f64());
        }
    }
}

/// The whole pass, as a close makes it; the sums of UAM and HSM.
async fn count(source: &Source) -> (u64, u64) {
    let month: Month = MONTH.parse().expect("a month");
    let period = month.period_in(chrono_tz::America::Sao_Paulo);
    let dealerships = (1..=DEALERSHIPS).map(|id| Counted {
        dealership_id: id.to_string(),
        period,
        has_package: true,
        in_scope: true,
        rules: CountingRules::default(),
        beside: None,
        apart: Apart::Unbilled,
    });
    let statuses = StatusRules {
        ignored: ["failed", "PENDING", "ERROR", "FAILED", "queued"].map(str::to_owned).into(),
        ..StatusRules::default()
    };
    let counter = Counter::new(dealerships.collect(), Some(period), &statuses);
    let reading = source.count(counter, period.end, |_| {}).await.expect("a count");
    let tallies = reading.count.tallies;
    tallies.values().fold((0, 0), |(uam, hsm), tally| (uam + tally.uam(), hsm + tally.hsm()))
}

fn median(runs: &[f64]) -> f64 {
    let mut runs = runs.to_vec();
    runs.sort_by(f64::total_cmp);
    runs[runs.len() / 2]
}
