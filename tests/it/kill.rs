//! Killed at any point and started again, and started twice at once: the same invoices, once each.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use rstest::rstest;
use serde_json::Value;

use crate::support::reseller::{KEY, LedgerKind, Reseller};

const DEALERSHIPS: usize = 200;
const KILLS: usize = 50;

fn reseller(ledger: LedgerKind) -> Reseller {
    let mut reseller = Reseller::new(ledger);
    // One key for all, so that the evidence can be compared between ledgers.
    reseller.variables.push(("FECHA_EVIDENCE_KEY".into(), KEY.into()));
    reseller.write("logo.svg", &drawing());
    reseller.variables.push(("FECHA_ISSUER__LOGO".into(), "logo.svg".into()));
    let ids: Vec<String> = (0..DEALERSHIPS).map(|index| format!("d{index:03}")).collect();
    let rows: Vec<(&str, &str, &str)> = ids.iter().map(|id| (id.as_str(), "", "5000")).collect();
    reseller.register(&rows);
    for (index, id) in ids.iter().enumerate() {
        reseller.add_contacts(id, index % 7, "2026-10-31T12:00:00Z");
    }
    reseller
}

/// A drawing so large, packed, that the invoices of a month do not fit one email.
fn drawing() -> String {
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let mut point =
        || format!("L{} {} ", random.random_range(0..4000), random.random_range(0..1000));
    let path: String = (0..5000).map(|_| point()).collect();
    format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 4000 1000"><path d="M0 0 {path}Z"/></svg>"#
    )
}

/// What must be equal: everything but the instant of issue, and what depends on it.
fn essence(reseller: &Reseller) -> BTreeMap<String, Value> {
    let invoices = reseller.invoices(&[]);
    let mut essence = BTreeMap::new();
    for mut invoice in invoices {
        let fields = invoice.as_object_mut().unwrap();
        fields.remove("issued_at");
        fields.remove("pdf_sha256");
        let id = fields["dealership_id"].as_str().unwrap().to_owned();
        assert!(essence.insert(id, invoice).is_none(), "a dealership has two invoices");
    }
    essence
}

fn assert_whole(reseller: &Reseller, undisturbed: &BTreeMap<String, Value>) {
    assert_eq!(&essence(reseller), undisturbed);
    let mut numbers: Vec<String> = undisturbed
        .values()
        .map(|invoice| invoice["number"].as_str().unwrap().to_owned())
        .collect();
    numbers.sort();
    let expected: Vec<String> = (1..=DEALERSHIPS).map(|n| format!("2026-{n:06}")).collect();
    assert_eq!(numbers, expected, "numbers have no gap");
    assert_eq!(reseller.emails("invoice"), DEALERSHIPS);
    // One digest, in two parts: so many invoices do not fit one email.
    let mut subjects: Vec<String> = reseller
        .outbox()
        .iter()
        .filter(|email| email["kind"] == "digest")
        .map(|email| email["subject"].as_str().unwrap().to_owned())
        .collect();
    subjects.sort();
    assert_eq!(subjects.len(), 2, "{subjects:?}");
    assert!(subjects[0].contains("(1/2)") && subjects[1].contains("(2/2)"), "{subjects:?}");
}

#[rstest]
fn killed_at_random_moments(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let seed: u64 = std::env::var("KILL_SEED")
        .map_or_else(|_| rand::rng().random(), |seed| seed.parse().expect("KILL_SEED is a number"));
    println!("KILL_SEED={seed} replays this run");
    let mut random = ChaCha8Rng::seed_from_u64(seed);

    let calm = reseller(ledger);
    let started = Instant::now();
    calm.run(&["close"]).expect(0);
    let duration = started.elapsed();
    let undisturbed = essence(&calm);
    assert_whole(&calm, &undisturbed);

    let mut kills = 0;
    while kills < KILLS {
        let victim = reseller(ledger);
        // Several kills a close: each lets it live for a part of the undisturbed time.
        loop {
            let mut child = victim.command(&["close"]).spawn().unwrap();
            let life = duration.mul_f64(random.random_range(0.0..0.4));
            let deadline = Instant::now() + life;
            let ended = loop {
                if let Some(status) = child.try_wait().unwrap() {
                    break Some(status);
                }
                if Instant::now() >= deadline {
                    break None;
                }
                std::thread::sleep(Duration::from_millis(2));
            };
            if let Some(status) = ended {
                assert!(status.success());
                break;
            }
            child.kill().unwrap();
            child.wait().unwrap();
            kills += 1;
        }
        assert_whole(&victim, &undisturbed);
    }
}

#[rstest]
fn two_closes_at_once(#[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind) {
    let reseller = reseller(ledger);
    let start = || {
        let mut command = reseller.command(&["close", "--json"]);
        command.stdout(std::process::Stdio::piped()).spawn().unwrap()
    };
    let issued: u64 = [start(), start()]
        .into_iter()
        .map(|child| {
            let output = child.wait_with_output().unwrap();
            assert!(output.status.success());
            let report: Value = serde_json::from_slice(&output.stdout).unwrap();
            report["issued"].as_u64().unwrap()
        })
        .sum();
    assert_eq!(issued, DEALERSHIPS as u64);
    assert_whole(&reseller, &essence(&reseller));
}
