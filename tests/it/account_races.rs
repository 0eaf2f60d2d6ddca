//! Two processes at once on one account, at random moments: whichever comes first, every account adds up and
//! no money is doubled or lost.
//!
//! `RACES=500 SEED=42 cargo test --test it account_races:: -- --ignored --nocapture` runs many.

use std::thread;
use std::time::Duration;

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use rstest::rstest;
use serde_json::json;

use crate::support::reseller::{LedgerKind, Ran, Reseller};

/// The longest that one waits for the other to begin.
const LATEST: u64 = 120;

const RACES: [[&str; 2]; 6] = [
    ["cancel 2026-000001 --reason engano", "close --month 2026-11"],
    [
        "pay 2026-000001 --on 2026-11-20 --amount 700.00 --reference E9",
        "rerun --month 2026-10 --dealership d1 --reason crédito --accept loss,contract",
    ],
    ["pay --refund 400.00 --dealership d1 --on 2026-12-01 --reason banco", "close --month 2026-11"],
    ["pay --file a.csv", "pay --file a.csv"],
    ["pay --file a.csv", "pay --file b.ofx"],
    ["cancel 2026-000001 --reason engano", "pay --file b.ofx"],
];

/// d1 paid R$ 500,00 more than its invoice asks, has a credit for it that a rerun takes, and a file of the bank.
fn prepared(ledger: LedgerKind) -> Reseller {
    let mut reseller = Reseller::new(ledger);
    reseller.register(&[("d1", "", "5000"), ("d2", "", "5000")]);
    for id in ["d1", "d2"] {
        reseller.add_contacts(id, 3, "2026-10-31T15:00:00Z");
        reseller.add_contacts(id, 3, "2026-11-30T15:00:00Z");
    }
    reseller.run(&["close"]).expect(0);
    reseller.at("2026-12-02 12:00:00");
    let paid = ["pay", "2026-000001", "--on", "2026-11-10", "--amount", "1514.00"];
    reseller.run(&paid).expect(0);
    let credit = ["adjust", "--dealership", "d1", "--month", "2026-10", "--amount", "-120.00"];
    reseller.run(&[&credit[..], &["--description", "Desconto"]].concat()).expect(0);
    let line = "2026-000002,2026-11-12,507.00,,E1\n";
    reseller.write("a.csv", &format!("number,on,amount,kind,reference\n{line}"));
    reseller.write(
        "b.ofx",
        "OFXHEADER:100\nDATA:OFXSGML\nVERSION:102\nENCODING:UTF-8\nCHARSET:NONE\n\n<OFX><STMTRS><CURDEF>BRL\
         <BANKACCTFROM><BANKID>0341<ACCTID>12345-6</BANKACCTFROM><BANKTRANLIST>\n\
         <STMTTRN><TRNTYPE>CREDIT<DTPOSTED>20261113<TRNAMT>300.00<FITID>A1<MEMO>FATURA 2026-000002</STMTTRN>\n\
         </BANKTRANLIST></STMTRS></OFX>\n",
    );
    reseller
}

fn race(ledger: LedgerKind, pair: [&str; 2], random: &mut ChaCha8Rng) {
    let reseller = prepared(ledger);
    let delays = [random.random_range(0..LATEST), random.random_range(0..LATEST)];
    let run = |index: usize| -> Ran {
        thread::sleep(Duration::from_millis(delays[index]));
        reseller.run(&pair[index].split(' ').collect::<Vec<_>>())
    };
    let both = thread::scope(|scope| {
        let other = scope.spawn(|| run(1));
        [run(0), other.join().unwrap()]
    });
    let told = format!("{pair:?} after {delays:?} ms: {both:#?}");
    for (ran, words) in both.iter().zip(pair) {
        // The close was first and took what waited.
        let nothing_left = words.contains("--refund") && ran.stderr.contains("wait");
        let is_told = nothing_left || ran.stderr.contains("again");
        assert!((0..=1).contains(&ran.status) || is_told, "{told}");
        assert!(!ran.stderr.contains("panicked"), "{told}");
    }
    let found = reseller.run(&["verify", "--month", "2026-10", "--json"]).json();
    assert_eq!(found["problems"], json!([]), "{told}");
    // What came in is on invoices, waits or was paid back.
    let sum = |of: &str| {
        reseller.ledger_number(&format!(
            "SELECT COALESCE(SUM(x.amount), 0) FROM {of} x JOIN payment p ON p.id = x.payment
             WHERE p.dealership_id = 'd1'"
        ))
    };
    let came = reseller.ledger_number(
        "SELECT SUM(amount) FROM payment WHERE dealership_id = 'd1' AND undone_at IS NULL",
    );
    let wanted = if both[0].status == 0 && pair[0].contains("700.00") { 221_400 } else { 151_400 };
    assert_eq!(came, wanted, "{told}");
    assert!(sum("allocation") + sum("refund_part") <= came, "{told}");
    let files: i64 =
        reseller.ledger_number("SELECT COUNT(*) FROM payment WHERE dealership_id = 'd2'");
    let kinds = [pair.iter().any(|words| words.contains("a.csv")), pair[1].contains("b.ofx")];
    assert_eq!(files, kinds.into_iter().map(i64::from).sum::<i64>(), "{told}");
}

fn run_races(ledger: LedgerKind, rounds: u64) {
    let seed: u64 = std::env::var("SEED")
        .map_or_else(|_| rand::rng().random(), |seed| seed.parse().expect("a number"));
    println!("SEED={seed}");
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    for _ in 0..rounds {
        for pair in RACES {
            race(ledger, pair, &mut random);
        }
    }
    println!(
        "{} races from seed {seed}: nothing doubled, nothing lost",
        rounds * RACES.len() as u64
    );
}

#[rstest]
fn two_at_once_double_and_lose_nothing(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    run_races(ledger, 2);
}

#[rstest]
#[ignore = "long: RACES=500"]
fn two_at_once_in_a_long_run(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let rounds = std::env::var("RACES").ok().and_then(|text| text.parse().ok());
    run_races(ledger, rounds.unwrap_or(500));
}
