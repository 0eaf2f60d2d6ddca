//! What prices by category cost a count: all kinds of lines against the standard table, on the same rows, in
//! alternated runs.
//!
//! ```sh
//! cargo bench --bench categories -- 10000000 sqlite postgres mariadb
//! ```
//!
//! The first argument is the number of messages a month; 1,500 dealerships have two numbers each, and free
//! messages by number. Prints seconds (median) and the ratio of the two.
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
#[allow(dead_code, reason = "the bench of counting uses the rest")]
mod messages;
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

const RUNS: usize = 5;

/// The same rows with what prices by category ask for. `CONCAT` and `SUBSTR` are the same on all three.
const PRICED: &str = "CREATE TABLE priced AS SELECT m.*,
    CASE WHEN direction = 'in' THEN NULL WHEN template IS NULL THEN 'service'
         WHEN LENGTH(template) % 3 = 0 THEN 'marketing' WHEN LENGTH(template) % 3 = 1 THEN 'utility'
         ELSE 'authentication' END AS category,
    CASE WHEN contact LIKE '%1' OR contact LIKE '%4' OR contact LIKE '%7'
         THEN CONCAT('554899990', SUBSTR(dealership_id, 2)) ELSE CONCAT('554899991', SUBSTR(dealership_id, 2)) END
        AS number,
    CASE WHEN contact LIKE '%00' THEN 0 ELSE 1 END AS billable
    FROM message m";

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    let number = arguments.first().map_or(1_000_000, |text| text.parse().expect("a number"));
    let engines: Vec<&str> = match arguments.get(1..) {
        None | Some([]) => vec!["sqlite", "postgres", "mariadb"],
        Some(named) => named.iter().map(String::as_str).collect(),
    };
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    println!("{number} messages a month, {RUNS} run(s) each\n");
    println!("| engine | standard table, s | by category and number, s | ratio |");
    println!("|---|---:|---:|---:|");
    for name in engines {
        let messages = Messages::new(name, number, Span::that_fits(number));
        messages.execute("DROP TABLE IF EXISTS priced");
        messages.execute(PRICED);
        messages.execute("CREATE INDEX priced_sent_at ON priced (sent_at)");
        let month: Month = MONTH.parse().expect("a month");
        let period = month.period_in(chrono_tz::America::Sao_Paulo);
        let [mut standard, mut priced] = [Vec::new(), Vec::new()];
        for _ in 0..RUNS {
            for (seconds, by_category) in [(&mut standard, false), (&mut priced, true)] {
                let started = Instant::now();
                runtime.block_on(count(&messages, period, by_category));
                seconds.push(started.elapsed().as_secs_f64());
            }
        }
        let (standard, priced) = (median(standard), median(priced));
        println!("| {name} | {standard:.2} | {priced:.2} | {:.2} |", priced / standard);
        messages.execute("DROP TABLE priced");
    }
}

fn median(mut runs: Vec<f64>) -> f64 {
    runs.sort_by(f64::total_cmp);
    runs[runs.len() / 2]
}

/// The whole pass, as a close makes it; what is told apart adds up.
async fn count(messages: &Messages, period: Period, by_category: bool) {
    let apart = |id: &str| {
        if !by_category {
            return Apart::Unbilled;
        }
        let number = |lead: &str| format!("{lead}{}", &id[1..]).parse().expect("a number");
        let numbers = ["554899990", "554899991"].map(number).into();
        Apart::ByCategory { sessions: true, numbers }
    };
    let counted = Traffic::dealerships().map(|dealership_id| Counted {
        apart: apart(&dealership_id),
        dealership_id,
        period,
        has_package: true,
        in_scope: true,
        rules: CountingRules::default(),
        beside: None,
    });
    let counter = Counter::new(counted.collect(), Some(period), &StatusRules::default());
    let source = Source::parse(&messages.url(), "priced", Path::new("/"), CONNECTIONS);
    // Later than any row: none is counted as one of the future, of which a database has few.
    let now = period.end + TimeDelta::days(40);
    let reading = source.expect("a source").count(counter, now, |_| {}).await;
    for tally in reading.expect("a count").count.tallies.values() {
        let sent: u64 = tally.contacts.exchanged().map(|contact| u64::from(contact.sent)).sum();
        let told: u64 = tally.sent.iter().map(|(_, messages)| messages).sum();
        assert!(!by_category || told == sent, "{told} of {sent} are told apart");
    }
}
