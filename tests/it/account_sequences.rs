//! Random sequences of everything that touches money: after each step every account adds up by the documents as
//! issued, nothing waits below zero, and at the end the books are those of a model that is ten lines long.
//!
//! `SEQUENCES=2000 SEED=42 cargo test --test it account_sequences:: -- --ignored --nocapture` runs many.

use std::collections::BTreeMap;

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use rstest::rstest;
use serde_json::{Value, json};

use crate::support::reseller::{LedgerKind, Reseller};

const IDS: [&str; 2] = ["d1", "d2"];
const MONTHS: [&str; 3] = ["2026-10", "2026-11", "2026-12"];
const STEPS: usize = 20;

/// What people entered and took out, in centavos: all that must still be there.
#[derive(Default, Debug)]
struct Model {
    money: i64,
    withheld: i64,
    notes: i64,
}

struct Sequence {
    reseller: Reseller,
    random: ChaCha8Rng,
    models: BTreeMap<String, Model>,
    /// Whose, how much, of which kind; by id.
    payments: BTreeMap<String, (String, i64, &'static str)>,
    refunds: BTreeMap<String, (String, i64)>,
    log: Vec<String>,
    day: u32,
}

fn centavos(amount: &Value) -> i64 {
    amount.as_str().unwrap().replace('.', "").parse().unwrap()
}

fn reais(centavos: i64) -> String {
    let sign = if centavos < 0 { "-" } else { "" };
    format!("{sign}{}.{:02}", centavos.abs() / 100, centavos.abs() % 100)
}

impl Sequence {
    fn new(ledger: LedgerKind, seed: u64) -> Self {
        let mut reseller = Reseller::new(ledger);
        reseller.register(&IDS.map(|id| (id, "", "5000")));
        for id in IDS {
            for month in MONTHS {
                reseller.add_contacts(id, 3, &format!("{month}-28T15:00:00Z"));
            }
        }
        reseller.at("2027-01-05 12:00:00");
        Self {
            reseller,
            random: ChaCha8Rng::seed_from_u64(seed),
            models: IDS.map(|id| (id.to_owned(), Model::default())).into(),
            payments: BTreeMap::new(),
            refunds: BTreeMap::new(),
            log: Vec::new(),
            day: 0,
        }
    }

    fn pick<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.random.random_range(0..of.len())]
    }

    /// Runs a command that may be refused for a reason, but neither fail nor panic.
    fn run(&mut self, words: &str) -> Option<Value> {
        let arguments: Vec<&str> = words.split(' ').chain(["--json"]).collect();
        let ran = self.reseller.run(&arguments);
        self.log.push(format!("{words} -> {}", ran.status));
        assert!((0..=2).contains(&ran.status), "{:#?}\n{}", self.log, ran.stderr);
        let failed = ran.stdout.contains("\"failed\"") || ran.stderr.contains("panicked");
        assert!(!failed, "{:#?}\n{}{}", self.log, ran.stdout, ran.stderr);
        (ran.status < 2).then(|| ran.json())
    }

    fn step(&mut self) {
        let (id, month) = (self.pick(&IDS), self.pick(&MONTHS));
        match self.random.random_range(0..16) {
            0 | 1 => drop(self.run(&format!("close --month {month} --release"))),
            2 => drop(self.run(&format!("close --month {month} --dealership {id} --release"))),
            3 => self.adjust(id, month),
            4 => self.take_back(),
            5 => self.late(id, month),
            6 => self.contract(id, month),
            7 => self.cancel(id),
            14 => self.price(month),
            8..=10 => self.pay(id),
            11 => self.file(id),
            12 => self.undo(),
            13 => self.refund(id),
            _ => self.on_account(id),
        }
        self.must_add_up();
    }

    fn adjust(&mut self, id: &str, month: &str) {
        let amount = self.pick(&["-2500.00", "-120.00", "-0.01", "75.50"]);
        let words = format!(
            "adjust --dealership {id} --month {month} --amount {amount} --description Ajuste"
        );
        self.run(&words).unwrap();
        self.models.get_mut(id).unwrap().notes += centavos(&json!(amount));
    }

    fn take_back(&mut self) {
        let notes = self.run("adjust").unwrap();
        let notes = notes.as_array().unwrap();
        if notes.is_empty() {
            return;
        }
        let note = &notes[self.random.random_range(0..notes.len())];
        let answer = self.run(&format!("adjust --cancel {}", note["id"]));
        if let Some(answer) = answer {
            let id = note["dealership_id"].as_str().unwrap();
            self.models.get_mut(id).unwrap().notes -= centavos(&answer["amount"]);
        }
    }

    fn late(&mut self, id: &str, month: &str) {
        let at = format!("{month}-20T15:00:00Z");
        let count = self.random.random_range(1..40);
        let row = (Some(id), "5548990000001", "out", "hsm", None, None, at.as_str());
        self.reseller.add(&vec![row; count]);
        self.run(&format!("rerun --month {month} --all --reason atraso"));
    }

    /// Another price for the smallest package, in all months, and what it changes in one.
    fn price(&mut self, month: &str) {
        let price = self.pick(&["1014.00", "990.00", "1100.00"]);
        let config = std::fs::read_to_string(self.reseller.path("fecha.toml")).unwrap();
        let (before, rest) = config.split_once("{ contacts = 5000, price = \"").unwrap();
        let (_, after) = rest.split_once('"').unwrap();
        let config = format!("{before}{{ contacts = 5000, price = \"{price}\"{after}");
        self.reseller.write("fecha.toml", &config);
        self.run(&format!("rerun --month {month} --all --reason preço --accept price,contract"));
    }

    fn contract(&mut self, id: &str, month: &str) {
        let package = self.pick(&["5000", "10000"]);
        self.reseller
            .write("c.csv", &format!("dealership_id,from_month,package\n{id},{month},{package}\n"));
        self.run("import --contracts c.csv").unwrap();
        self.run(&format!("rerun --month {month} --all --reason pacote --accept contract,loss"));
    }

    fn standing(&self, id: &str) -> Vec<Value> {
        let invoices = self.reseller.invoices(&["--dealership", id]);
        invoices.into_iter().filter(|invoice| invoice["state"] == "issued").collect()
    }

    fn any_standing(&mut self, id: &str) -> Option<Value> {
        let standing = self.standing(id);
        (!standing.is_empty())
            .then(|| standing[self.random.random_range(0..standing.len())].clone())
    }

    fn cancel(&mut self, id: &str) {
        if let Some(invoice) = self.any_standing(id) {
            let number = invoice["number"].as_str().unwrap();
            self.run(&format!("cancel {number} --reason engano")).unwrap();
        }
    }

    /// A day of its own, so that no payment equals another but where that is meant.
    fn next_day(&mut self) -> String {
        self.day += 1;
        format!("2026-{:02}-{:02}", 1 + self.day / 28 % 12, 1 + self.day % 28)
    }

    fn pay(&mut self, id: &str) {
        let Some(invoice) = self.any_standing(id) else { return };
        let number = invoice["number"].as_str().unwrap().to_owned();
        let kind = self.pick(&["money", "money", "money", "iss", "discount", "interest"]);
        let amount = self.random.random_range(1..140_000);
        let on = self.next_day();
        let words = format!("pay {number} --on {on} --amount {} --kind {kind}", reais(amount));
        if let Some(answer) = self.run(&words) {
            self.remember(&answer, kind);
        }
    }

    fn remember(&mut self, answer: &Value, kind: &'static str) {
        for payment in answer["recorded"].as_array().unwrap() {
            let id = payment["dealership_id"].as_str().unwrap().to_owned();
            let amount = centavos(&payment["amount"]);
            let model = self.models.get_mut(&id).unwrap();
            match kind {
                "money" => model.money += amount,
                "interest" => {}
                _ => model.withheld += amount,
            }
            let key = payment["id"].as_str().unwrap().to_owned();
            self.payments.insert(key, (id, amount, kind));
        }
    }

    /// Two equal lines and one without an amount; read twice.
    fn file(&mut self, id: &str) {
        let Some(invoice) = self.any_standing(id) else { return };
        let number = invoice["number"].as_str().unwrap();
        let (on, later) = (self.next_day(), self.next_day());
        let half = format!("{number},{on},507.00\n");
        let text = format!("number,on,amount\n{half}{half}{number},{later},\n");
        self.reseller.write("p.csv", &text);
        let answer = self.run("pay --file p.csv").unwrap();
        self.remember(&answer, "money");
        let again = self.run("pay --file p.csv").unwrap();
        assert_eq!(again["recorded"], json!([]), "{:#?}", self.log);
    }

    fn on_account(&mut self, id: &str) {
        let (on, amount) = (self.next_day(), self.random.random_range(1..90_000));
        let words = format!("pay --dealership {id} --on {on} --amount {}", reais(amount));
        let answer = self.run(&words).unwrap();
        self.remember(&answer, "money");
        if let Some(invoice) = self.any_standing(id) {
            let number = invoice["number"].as_str().unwrap();
            self.run(&format!("pay {number} --from-account"));
        }
    }

    fn undo(&mut self) {
        let ids: Vec<String> = self.payments.keys().chain(self.refunds.keys()).cloned().collect();
        if ids.is_empty() {
            return;
        }
        let id = ids[self.random.random_range(0..ids.len())].clone();
        if self.run(&format!("pay --undo {id} --reason engano")).is_none() {
            return;
        }
        if let Some((whose, amount, kind)) = self.payments.remove(&id) {
            let model = self.models.get_mut(&whose).unwrap();
            match kind {
                "money" => model.money -= amount,
                "interest" => {}
                _ => model.withheld -= amount,
            }
        } else if let Some((whose, amount)) = self.refunds.remove(&id) {
            self.models.get_mut(&whose).unwrap().money += amount;
        }
    }

    fn refund(&mut self, id: &str) {
        let amount = self.random.random_range(1..30_000);
        let words = format!(
            "pay --refund {} --dealership {id} --on 2027-01-04 --reason banco",
            reais(amount)
        );
        if let Some(answer) = self.run(&words) {
            let key = answer["id"].as_str().unwrap().to_owned();
            self.refunds.insert(key, (id.to_owned(), amount));
            self.models.get_mut(id).unwrap().money -= amount;
        }
    }

    fn must_add_up(&mut self) {
        let found = self.reseller.run(&["verify", "--month", "2026-10", "--json"]).json();
        assert_eq!(found["problems"], json!([]), "{:#?}", self.log);
        for id in IDS {
            self.must_be_as_the_model(id);
        }
    }

    /// All money is on invoices or waits; of notes what is not taken back. What was withheld may have been
    /// undone with its invoice, but is never more.
    fn must_be_as_the_model(&self, id: &str) {
        let sum = |of: &str| {
            let sql = format!(
                "SELECT COALESCE(SUM(x.amount), 0) FROM {of} x JOIN payment p ON p.id = x.payment
                 WHERE p.dealership_id = '{id}' AND p.kind"
            );
            let number = |kind: &str| self.reseller.ledger_number(&format!("{sql} {kind} 'money'"));
            [number("="), number("<>")]
        };
        let [money, withheld] = sum("allocation");
        let waiting = self.reseller.ledger_number(&format!(
            "SELECT COALESCE(SUM(p.amount), 0) FROM payment p
             WHERE p.dealership_id = '{id}' AND p.kind = 'money' AND p.undone_at IS NULL"
        )) - money
            - sum("refund_part")[0];
        let model = &self.models[id];
        assert_eq!(money + waiting, model.money, "{id}: {:#?}", self.log);
        assert!(waiting >= 0 && withheld <= model.withheld, "{id}: {:#?}", self.log);
        let notes = self.reseller.run(&["adjust", "--json"]).expect(0).json();
        let own = notes.as_array().unwrap().iter().filter(|note| note["dealership_id"] == *id);
        let waiting: i64 = own.map(|note| centavos(&note["waiting"])).sum();
        let standing = self.standing(id);
        let billed: i64 = standing.iter().map(|i| centavos(&i["adjustments_amount"])).sum();
        assert_eq!(billed + waiting, model.notes, "{id}: {:#?}\n{notes:#}", self.log);
        let paid: i64 = standing.iter().map(|invoice| centavos(&invoice["paid"])).sum();
        assert_eq!(paid, money + withheld, "{id}: {:#?}", self.log);
        for invoice in &standing {
            let open = centavos(&invoice["total"]) - centavos(&invoice["paid"]);
            assert!(open >= 0, "{invoice}: {:#?}", self.log);
        }
    }
}

fn run_sequences(ledger: LedgerKind, sequences: u64) {
    let seed: u64 = std::env::var("SEED")
        .map_or_else(|_| rand::rng().random(), |seed| seed.parse().expect("a number"));
    for number in 0..sequences {
        println!("SEED={} SEQUENCES=1 replays this one", seed.wrapping_add(number));
        let mut sequence = Sequence::new(ledger, seed.wrapping_add(number));
        for _ in 0..STEPS {
            sequence.step();
        }
    }
    println!(
        "{sequences} sequences of {STEPS} steps, from seed {seed}: nothing doubled, nothing lost"
    );
}

#[rstest]
fn no_order_of_commands_doubles_or_loses_money(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    run_sequences(ledger, 25);
}

#[rstest]
#[ignore = "long: SEQUENCES=2000"]
fn no_order_of_commands_in_a_long_run(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let sequences = std::env::var("SEQUENCES").ok().and_then(|text| text.parse().ok());
    run_sequences(ledger, sequences.unwrap_or(2000));
}
