//! How many documents fecha draws a second on one core, and how large they are.
//!
//! ```sh
//! cargo bench --bench documents
//! ```
//!
//! Draws the invoice and the statement of a usual dealership for some seconds each, in five rounds, and
//! prints the median, and a statement of 11,600 rows as well.
#![allow(
    clippy::cast_precision_loss,
    missing_docs,
    reason = "a benchmark: sizes and times, no money"
)]

#[allow(dead_code, reason = "the tests use the rest")]
#[path = "../tests/it/support/sample.rs"]
mod sample;

use std::time::{Duration, Instant};

use fecha::billing::invoice::Invoice;
use fecha::document::{Branding, RenderError, Renderer};

const ROUNDS: usize = 5;
const ROUND: Duration = Duration::from_secs(2);

fn main() {
    let start = Instant::now();
    let renderer = Renderer::new(&Branding::default()).expect("fonts are part of the program");
    println!("{:<12} {:>12.1} ms", "start", start.elapsed().as_secs_f64() * 1000.0);
    let invoice = sample::invoice();
    let mut long = sample::invoice();
    long.usage.hsm_by_template =
        (0..11_600).map(|n| (format!("modelo_de_mensagem_{n:05}"), n)).collect();
    measure("invoice", &invoice, |invoice| renderer.invoice(invoice));
    measure("statement", &invoice, |invoice| renderer.statement(invoice));
    measure("11,600 rows", &long, |invoice| renderer.statement(invoice));
}

fn measure(name: &str, invoice: &Invoice, draw: impl Fn(&Invoice) -> Result<Vec<u8>, RenderError>) {
    let size = draw(invoice).expect("the sample can be drawn").len();
    let mut rates: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            let mut drawn = 0_u32;
            while start.elapsed() < ROUND {
                std::hint::black_box(draw(invoice).expect("as before"));
                drawn += 1;
            }
            f64::from(drawn) / start.elapsed().as_secs_f64()
        })
        .collect();
    rates.sort_by(f64::total_cmp);
    let median = rates[ROUNDS / 2];
    println!(
        "{name:<12} {median:>8.1} a second, {:>8.3} ms, {:>7.1} KB",
        1000.0 / median,
        size as f64 / 1024.0
    );
}
