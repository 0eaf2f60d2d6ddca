//! Any sequence of closes, late and lost messages, contract changes, reruns, cancellations and
//! adjustments: what stands at the end is what a fresh ledger issues from the same final input, and
//! nothing that was issued was ever altered.

use std::collections::BTreeMap;

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use rstest::rstest;
use serde_json::Value;

use crate::support::reseller::{KEY, LedgerKind, Reseller};

const STEPS: usize = 30;
const IDS: [&str; 3] = ["d1", "d2", "d3"];
const MONTHS: [&str; 2] = ["2026-10", "2026-11"];
const ACCEPT_ALL: [&str; 2] = ["--accept", "loss,contract,price,register"];

fn new(ledger: LedgerKind) -> Reseller {
    let mut reseller = Reseller::new(ledger);
    // One key for both ledgers, so that the evidence can be compared.
    reseller.variables.push(("FECHA_EVIDENCE_KEY".into(), KEY.into()));
    reseller.at("2026-12-03 12:00:00");
    reseller
}

struct History {
    reseller: Reseller,
    random: ChaCha8Rng,
    /// SHA-256 of both files, total and day by number and revision, as first seen.
    issued: BTreeMap<(String, u64), [Value; 4]>,
    messages: usize,
}

impl History {
    fn pick<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.random.random_range(0..of.len())]
    }

    fn step(&mut self) {
        let (id, month) = (self.pick(&IDS), self.pick(&MONTHS));
        match self.random.random_range(0..9) {
            0 | 1 => self.late(id, month),
            2 => {
                let lost = "DELETE FROM message WHERE rowid IN
                    (SELECT rowid FROM message WHERE dealership_id = ?1 ORDER BY sent_at LIMIT 1)";
                self.reseller.messages().execute(lost, [id]).unwrap();
            }
            3 => {
                let package = self.pick(&["5000", "10000", "none"]);
                let file = format!("dealership_id,from_month,package\n{id},{month},{package}\n");
                self.reseller.write("change.csv", &file);
                self.reseller.run(&["import", "--contracts", "change.csv"]).expect(0);
            }
            4 => {
                let amount = self.pick(&["-2500.00", "-50.00", "30.00"]);
                let whom = ["adjust", "--dealership", id, "--month", month, "--amount", amount];
                self.reseller.run(&[&whom[..], &["--description", "Ajuste"]].concat()).expect(0);
            }
            5 => self.cancel(id),
            6 => self.close(&["--month", month]),
            7 => self.close(&["--month", month, "--dealership", id]),
            _ => self.rerun(month),
        }
        self.nothing_issued_was_altered();
    }

    fn late(&mut self, id: &str, month: &str) {
        self.messages += 1;
        let contact = format!("55489900{:05}", self.random.random_range(0..40));
        let at = format!("{month}-15T{:02}:00:00Z", self.messages % 24);
        let (direction, kind) =
            if self.random.random() { ("out", "hsm") } else { ("in", "session") };
        self.reseller.add(&[(Some(id), &contact, direction, kind, None, None, &at)]);
    }

    fn close(&self, arguments: &[&str]) {
        let ran = self.reseller.run(&[&["close", "--release", "--json"], arguments].concat());
        assert!(ran.status < 2, "{}", ran.stderr);
        let report = ran.json();
        assert!(!report["exceptions"].to_string().contains("failed"), "{report}");
    }

    /// All causes are accepted; who has no package any more is cancelled.
    fn rerun(&self, month: &str) {
        let rerun = ["rerun", "--month", month, "--all", "--reason", "correção", "--json"];
        let ran = self.reseller.run(&[&rerun[..], &ACCEPT_ALL].concat());
        assert!(ran.status < 2, "{}", ran.stderr);
        for refused in ran.json()["refused"].as_array().unwrap() {
            let reason = refused["reason"].as_str().unwrap();
            // A month without a single message cannot be told from one whose messages were purged.
            if !reason.contains("retention") {
                assert!(reason.contains("has no package"), "{reason}");
                let number = refused["number"].as_str().unwrap();
                self.reseller.run(&["cancel", number, "--reason", "sem contrato"]).expect(0);
            }
        }
    }

    fn cancel(&mut self, id: &str) {
        let standing = self.reseller.invoices(&["--dealership", id]);
        let numbers: Vec<&str> = standing
            .iter()
            .filter(|invoice| invoice["state"] == "issued")
            .map(|invoice| invoice["number"].as_str().unwrap())
            .collect();
        if !numbers.is_empty() {
            let number = self.pick(&numbers);
            self.reseller.run(&["cancel", number, "--reason", "engano"]).expect(0);
        }
    }

    fn nothing_issued_was_altered(&mut self) {
        let mut seen = 0;
        for invoice in self.reseller.invoices(&["--all-revisions"]) {
            let number = invoice["number"].as_str().unwrap().to_owned();
            let key = (number, invoice["revision"].as_u64().unwrap());
            let now = ["pdf_sha256", "evidence_sha256", "total", "due_date"]
                .map(|field| invoice[field].clone());
            seen += usize::from(self.issued.contains_key(&key));
            let before = self.issued.entry(key.clone()).or_insert_with(|| now.clone());
            assert_eq!(*before, now, "{key:?} was altered");
            let total: f64 = invoice["total"].as_str().unwrap().parse().unwrap();
            assert!(total >= 0.0, "{key:?} is below zero");
        }
        assert!(seen <= self.issued.len());
    }

    /// Brings every month up to date. Twice, since a later month that is made void or billed anew may give
    /// back a credit that an earlier one then takes.
    fn settle(&self) {
        for month in MONTHS.into_iter().chain(MONTHS) {
            self.rerun(month);
            self.close(&["--month", month]);
            for id in IDS {
                self.close(&["--month", month, "--dealership", id]);
            }
            self.rerun(month);
        }
    }
}

/// Dealership and month to everything that use, contract and prices decide.
fn essence(reseller: &Reseller) -> BTreeMap<String, Vec<Value>> {
    let fields = [
        "package",
        "uam",
        "hsm",
        "package_amount",
        "overage_amount",
        "hsm_amount",
        "evidence_sha256",
    ];
    let invoices = reseller.invoices(&[]);
    let standing = invoices.iter().filter(|invoice| invoice["state"] == "issued");
    standing
        .map(|invoice| {
            let of = format!("{} {}", invoice["dealership_id"], invoice["month"]);
            (of, fields.map(|field| invoice[field].clone()).into())
        })
        .collect()
}

fn centavos(amount: &Value) -> i64 {
    amount.as_str().unwrap().replace('.', "").parse().unwrap()
}

/// What people entered is on the invoices that stand, or waits; not a centavo more or less.
fn assert_no_credit_is_lost(reseller: &Reseller) {
    let adjustments = reseller.run(&["adjust", "--json"]).expect(0).json();
    let list = adjustments.as_array().unwrap();
    let sum = |key: &str| list.iter().map(|note| centavos(&note[key])).sum::<i64>();
    let (entered, waiting) = (sum("amount"), sum("waiting"));
    let invoices = reseller.invoices(&[]);
    let billed: i64 = invoices
        .iter()
        .filter(|invoice| invoice["state"] == "issued")
        .map(|invoice| centavos(&invoice["adjustments_amount"]))
        .sum();
    assert_eq!(billed + waiting, entered, "{adjustments:#}");
}

#[rstest]
fn ends_as_a_fresh_ledger_begins(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let seed: u64 = std::env::var("HISTORY_SEED")
        .map_or_else(|_| rand::rng().random(), |seed| seed.parse().expect("a number"));
    println!("HISTORY_SEED={seed} replays this run");
    let reseller = new(ledger);
    reseller.register(&IDS.map(|id| (id, "", "5000")));
    for (month, count) in [("2026-10", 5002), ("2026-11", 30)] {
        reseller.add_contacts("d1", count, &format!("{month}-10T12:00:00Z"));
        reseller.add_contacts("d2", 20, &format!("{month}-10T12:00:00Z"));
    }
    let random = ChaCha8Rng::seed_from_u64(seed);
    let mut history = History { reseller, random, issued: BTreeMap::new(), messages: 0 };
    for _ in 0..STEPS {
        history.step();
    }
    history.settle();
    history.nothing_issued_was_altered();

    let fresh = new(LedgerKind::Sqlite);
    history.reseller.run(&["export", "--contracts", "contracts.csv"]).expect(0);
    for file in ["dealerships.csv", "contracts.csv", "messages.db"] {
        std::fs::copy(history.reseller.path(file), fresh.path(file)).unwrap();
    }
    let files = ["import", "--dealerships", "dealerships.csv", "--contracts", "contracts.csv"];
    fresh.run(&files).expect(0);
    for month in MONTHS {
        let ran = fresh.run(&["close", "--month", month, "--release"]);
        assert!(ran.status < 2, "{}", ran.stderr);
        let found = history.reseller.run(&["verify", "--month", month, "--json"]).json();
        assert_eq!(found["problems"], serde_json::json!([]), "{found}");
        assert_eq!(found["differs"], serde_json::json!([]), "{found}");
    }
    assert_eq!(essence(&history.reseller), essence(&fresh));
    assert_no_credit_is_lost(&history.reseller);
}
