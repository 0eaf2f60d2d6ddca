//! How many documents fecha draws a second on one core, and how large they are, beside others who
//! render the same kind of page.
//!
//! ```sh
//! cargo bench --bench documents
//! ```
//!
//! Draws the invoice and the statement of a usual dealership for some seconds each, in five rounds, and
//! prints the median; then an invoice with letters that few names have, a statement of 11,600 templates, and
//! one with 10,000 contacts in an annex and the memory that it took. What counts is the time on a core, not
//! by the clock: a busy machine spoils it less. `WeasyPrint` and `Typst` are run from a virtual environment
//! that is made once beside the build, Chromium where it is installed; one that is not to be had is said to
//! be absent.
#![allow(
    clippy::cast_precision_loss,
    missing_docs,
    reason = "a benchmark: sizes and times, no money"
)]

mod peers;
#[allow(dead_code, reason = "the tests use the rest")]
#[path = "../../tests/it/support/sample.rs"]
mod sample;

use std::fmt::Write as _;
use std::time::Instant;

use fecha::document::{Branding, RenderError, Renderer};
use fecha_core::bill::invoice::Invoice;
use fecha_core::count::evidence::HEADER;

const ROUNDS: usize = 5;
/// In seconds.
const ROUND: f64 = 2.0;

fn main() {
    let start = Instant::now();
    let renderer = Renderer::new(&Branding::default()).expect("fonts are part of the program");
    println!("{:<16} {:>10.1} ms", "start", start.elapsed().as_secs_f64() * 1000.0);
    let invoice = sample::invoice();
    let own = measure("invoice", &invoice, |invoice| renderer.invoice(invoice));
    measure("statement", &invoice, |invoice| renderer.statement(invoice, None));
    let mut rare = sample::invoice();
    "Muñoz & Wałęsa Automóveis".clone_into(&mut rare.dealership.name);
    "Rua Łódź, 1".clone_into(&mut rare.dealership.address);
    measure("rare letters", &rare, |invoice| renderer.invoice(invoice));
    let evidence = evidence(10_000);
    let before = peak();
    renderer.statement(&invoice, Some(&evidence)).expect("as above");
    println!("10,000 contacts  {:>10.1} MB at most, {before:.1} before", peak());
    measure("10,000 contacts", &invoice, |invoice| renderer.statement(invoice, Some(&evidence)));
    let mut long = sample::invoice();
    long.usage.hsm_by_template =
        (0..11_600).map(|n| (format!("modelo_de_mensagem_{n:05}"), n)).collect();
    measure("11,600 templates", &long, |invoice| renderer.statement(invoice, None));
    peers::compare(&own);
}

/// How fast, and how large.
struct Rate {
    a_second: f64,
    bytes: usize,
}

fn measure(
    name: &str,
    invoice: &Invoice,
    draw: impl Fn(&Invoice) -> Result<Vec<u8>, RenderError>,
) -> Rate {
    let bytes = draw(invoice).expect("the sample can be drawn").len();
    let mut rates: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let start = cpu();
            let mut drawn = 0_u32;
            while cpu() - start < ROUND {
                std::hint::black_box(draw(invoice).expect("as before"));
                drawn += 1;
            }
            f64::from(drawn) / (cpu() - start)
        })
        .collect();
    rates.sort_by(f64::total_cmp);
    let rate = Rate { a_second: rates[ROUNDS / 2], bytes };
    println!(
        "{name:<16} {:>8.1} a second ({:.1} to {:.1}), {:>8.3} ms, {:>7.1} KB",
        rate.a_second,
        rates[0],
        rates[ROUNDS - 1],
        1000.0 / rate.a_second,
        bytes as f64 / 1024.0
    );
    rate
}

/// An evidence file of this many contacts.
fn evidence(contacts: u64) -> String {
    let mut csv = format!("{HEADER}\n");
    for n in 0..contacts {
        // Spread over the month, and over the ids.
        let (minute, hour, day) = (n % 60, n / 60 % 24, n % 31 + 1);
        let id = n << 40 | n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 24;
        let direction = if n % 3 == 0 { "out" } else { "in" };
        let _ = writeln!(
            csv,
            "{id:032x},+55 {} 9••••-{:04},2026-10-{day:02}T{hour:02}:{minute:02}:{:02}.{:03}Z,{direction},{},{},{}",
            11 + n % 80,
            n % 10_000,
            n % 59,
            n % 1000,
            n % 23,
            n % 17,
            n % 3,
        );
    }
    csv
}

/// Seconds that this thread has been on a core.
fn cpu() -> f64 {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux tells");
    let nanoseconds = stat.split(' ').next().and_then(|first| first.parse::<f64>().ok());
    nanoseconds.expect("a number") / 1e9
}

/// The most memory that the process has had so far, in megabytes; 0 where the system does not say.
fn peak() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
    kilobytes.unwrap_or_default() / 1024.0
}
