//! Believable traffic of any size: a reseller's dealerships from a few contacts to 60,000, about ten
//! messages a contact and month, numbers spelt in several ways, three months so that the month must be
//! found. The same seed gives the same rows.

use std::io::Write as _;

use chrono::{DateTime, Utc};
use fecha_core::calendar::month::Month;
use rand::distr::Distribution as _;
use rand::distr::weighted::WeightedIndex;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

/// Where the variable `DEALERSHIPS` does not say otherwise.
const DEALERSHIPS: usize = 1500;
const MESSAGES_A_CONTACT: u64 = 10;
const LARGEST: u64 = 60_000;

/// The month that is counted.
pub const MONTH: &str = "2026-10";

/// How many dealerships there are.
pub fn dealerships() -> usize {
    let named = std::env::var("DEALERSHIPS").ok();
    named.map_or(DEALERSHIPS, |text| text.parse().expect("DEALERSHIPS is a number"))
}

/// One row, written into buffers that are used again.
#[derive(Debug, Default)]
pub struct Row {
    pub dealership: String,
    pub contact: String,
    pub direction: &'static str,
    pub kind: &'static str,
    pub template: Option<&'static str>,
    pub status: &'static str,
    /// Unix milliseconds.
    pub sent_at: i64,
    /// From 1 on.
    pub number: u64,
}

/// Which months the table has.
#[derive(Debug, Clone, Copy)]
pub enum Span {
    /// The month that is counted alone, where three of them would not fit the disk.
    Alone,
    /// Also the one before and the one after, so that the month must be found.
    Amid,
}

impl Span {
    /// Three months of a hundred million messages fill a disk.
    pub fn that_fits(messages: u64) -> Self {
        if messages < 100_000_000 { Self::Amid } else { Self::Alone }
    }

    pub fn months(self) -> u64 {
        match self {
            Self::Alone => 1,
            Self::Amid => 3,
        }
    }
}

#[derive(Debug)]
pub struct Traffic {
    random: ChaCha8Rng,
    sizes: Vec<u64>,
    by_size: WeightedIndex<u64>,
    start: i64,
    step: f64,
    row: u64,
    rows: u64,
}

impl Traffic {
    /// So many messages a month.
    pub fn new(messages: u64, span: Span) -> Self {
        let sizes = sizes(messages / MESSAGES_A_CONTACT);
        let month: Month = MONTH.parse().expect("a month");
        let zone = chrono_tz::America::Sao_Paulo;
        let (first, after) = match span {
            Span::Alone => (month, month.next()),
            Span::Amid => (month.previous(), month.next().next()),
        };
        let start = first.start_in(zone).timestamp_millis();
        let end = after.start_in(zone).timestamp_millis();
        let rows = messages * span.months();
        Self {
            random: ChaCha8Rng::seed_from_u64(2026),
            by_size: WeightedIndex::new(&sizes).expect("sizes are positive"),
            sizes,
            start,
            step: (end - start) as f64 / rows as f64,
            row: 0,
            rows,
        }
    }

    pub fn dealerships() -> impl Iterator<Item = String> {
        (0..dealerships()).map(|index| format!("d{index:04}"))
    }

    /// The next row in the order of time; `false` after the last.
    pub fn next(&mut self, row: &mut Row) -> bool {
        if self.row == self.rows {
            return false;
        }
        let dealership = self.by_size.sample(&mut self.random);
        let contact = self.random.random_range(0..self.sizes[dealership]);
        row.dealership.clear();
        row.dealership.push('d');
        push(&mut row.dealership, format_args!("{dealership:04}"));
        spell(&mut row.contact, dealership as u64 * 100_000 + contact, self.random.random());
        let sent = self.random.random_bool(0.5);
        let is_hsm = sent && self.random.random_bool(0.2);
        row.direction = if sent { "out" } else { "in" };
        row.kind = if is_hsm { "hsm" } else { "session" };
        row.template = is_hsm.then(|| TEMPLATES[self.random.random_range(0..TEMPLATES.len())]);
        row.status = if self.random.random_bool(0.01) { "failed" } else { "delivered" };
        row.sent_at = self.start + (self.row as f64 * self.step) as i64;
        self.row += 1;
        row.number = self.row;
        true
    }
}

const TEMPLATES: [&str; 6] =
    ["boas_vindas", "lembrete_revisao", "oferta_seminovos", "test_drive", "recall", "pesquisa"];

/// Zipf: the dealership of rank n has 1/n of the largest, scaled so that they have `contacts` in all.
fn sizes(contacts: u64) -> Vec<u64> {
    let harmonic: f64 = (1..dealerships()).map(|rank| 1.0 / (rank as f64 + 8.0)).sum();
    let rest = contacts.saturating_sub(LARGEST.min(contacts / 4)) as f64;
    let mut sizes = vec![LARGEST.min(contacts / 4).max(1)];
    sizes.extend(
        (1..dealerships())
            .map(|rank| ((rest / harmonic / (rank as f64 + 8.0)) as u64).clamp(1, 99_999)),
    );
    sizes
}

/// Mostly the plain number; else without the ninth digit, or with what gateways put around it.
fn spell(text: &mut String, contact: u64, dice: u8) {
    let area = [11, 21, 31, 41, 48, 51, 61, 71, 81, 92][(contact % 10) as usize];
    let subscriber = 80_000_000 + contact / 10 % 19_999_999;
    text.clear();
    match dice {
        0..=15 => push(text, format_args!("55{area}{subscriber}")),
        16..=31 => push(text, format_args!("+55 {area} 9{subscriber}")),
        32..=39 => push(text, format_args!("whatsapp:+55{area}9{subscriber}")),
        40..=47 => push(text, format_args!("55{area}9{subscriber}@s.whatsapp.net")),
        48 => push(text, format_args!("12036304{contact}@g.us")),
        _ => push(text, format_args!("55{area}9{subscriber}")),
    }
}

fn push(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    std::fmt::Write::write_fmt(text, arguments).expect("a String takes all");
}

/// A line of PostgreSQL's text format for COPY, and of MySQL's for LOAD DATA.
pub fn tsv(line: &mut Vec<u8>, row: &Row) {
    let sent_at = DateTime::<Utc>::from_timestamp_millis(row.sent_at).expect("in range");
    writeln!(
        line,
        "{}\t{}\t{}\t{}\t{}\t{}\t{}",
        row.dealership,
        row.contact,
        row.direction,
        row.kind,
        row.template.unwrap_or("\\N"),
        row.status,
        sent_at.format("%Y-%m-%d %H:%M:%S%.3f"),
    )
    .expect("a Vec takes all");
}
