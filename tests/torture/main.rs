//! The torture run: fecha under everything at once, for as long as is given, over simulated years.
//!
//! ```sh
//! TORTURE_MINUTES=60 TORTURE_SEED=42 cargo test --test torture -- --ignored --nocapture sqlite
//! ```
//!
//! Daemons and commands are killed and stopped, the ledger is cut off, crashes or has a full disk, the mail server
//! is slow and lies, the clock leaps, two daemons run at once, and people close, rerun, cancel, adjust, pay and
//! take back at random. After each step everything that must hold is looked at from outside: CONTRIBUTING.md says
//! what that is.

#[allow(dead_code, reason = "the tests use the rest")]
#[path = "../it/support"]
mod support {
    pub mod line;
    pub mod postgres;
    pub mod reseller;
    mod server;
}

mod check;
mod disk;
mod jobs;
mod model;
mod orders;
mod post;
mod run;
mod snapshot;
mod tale;
mod traffic;
mod world;

use std::time::Duration;

use run::Run;
use support::reseller::LedgerKind;

fn variable(name: &str) -> Option<u64> {
    std::env::var(name)
        .ok()
        .map(|text| text.parse().unwrap_or_else(|_| panic!("{name} is a number")))
}

fn torture(ledger: LedgerKind) {
    let seed = variable("TORTURE_SEED").unwrap_or_else(rand::random);
    let minutes = variable("TORTURE_MINUTES").unwrap_or(60);
    Run::new(ledger, seed).go_on(Duration::from_mins(minutes));
}

#[test]
#[ignore = "long: TORTURE_MINUTES=60"]
fn sqlite() {
    torture(LedgerKind::Sqlite);
}

#[test]
#[ignore = "long: TORTURE_MINUTES=60"]
fn postgres() {
    torture(LedgerKind::Postgres);
}
