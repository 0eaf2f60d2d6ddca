//! The commands that docs/operations.md prints do what it says.

use std::process::Command;

use rstest::rstest;

use crate::support::reseller::{LedgerKind, Reseller};

const MANUAL: &str = include_str!("../../docs/operations.md");

/// The first block of commands behind a text.
fn commands(behind: &str) -> &str {
    let (_, rest) = MANUAL.split_once(behind).unwrap_or_else(|| panic!("no '{behind}'"));
    rest.split("```sh\n").nth(1).unwrap().split("```").next().unwrap()
}

/// Runs them with the folders and the database of a test; there is no service to stop.
fn run(commands: &str, reseller: &Reseller, database: &str) {
    let folder = reseller.path("").display().to_string();
    let script = commands
        .replace("/var/lib/fecha/", &folder)
        .replace("/var/backups/", &format!("{folder}backup-"))
        .replace("-o fecha -g fecha ", "")
        .replace("as-fecha ", &format!("'{}' ", env!("CARGO_BIN_EXE_fecha")))
        .replace("postgres://fecha@localhost/fecha", database);
    let script = format!("set -eu\nsystemctl() {{ :; }}\n{script}");
    let mut command = Command::new("sh");
    command.args(["-c", &script]).env("FECHA_CONFIG", reseller.path("fecha.toml"));
    let output = command.output().unwrap();
    assert!(output.status.success(), "{script}\n{}", String::from_utf8_lossy(&output.stderr));
}

#[rstest]
#[case(LedgerKind::Sqlite, "SQLite, while the daemon runs:", "To restore it:")]
#[case(LedgerKind::Postgres, "PostgreSQL, while daemons run:", "after all daemons were stopped:")]
fn a_ledger_is_backed_up_and_restored(
    #[case] ledger: LedgerKind,
    #[case] backup: &str,
    #[case] restore: &str,
) {
    let mut reseller = Reseller::new(ledger);
    reseller.register(&[("d1", "", "5000"), ("d2", "", "5000")]);
    reseller.add_contacts("d1", 5, "2026-10-31T20:00:00Z");
    reseller.run(&["close", "--month", "2026-10"]).expect(0);
    let before = reseller.invoices(&[]);
    let url = reseller.ledger_url().to_owned();
    run(commands(backup), &reseller, &url);

    // Lost: what came after the backup, and then the database itself.
    reseller.add_contacts("d1", 5, "2026-11-30T20:00:00Z");
    reseller.at("2026-12-02 03:00:00").run(&["close", "--month", "2026-11"]).expect(0);
    reseller.ledger_sql("DROP TABLE audit");
    run(commands(restore), &reseller, &url);

    // Seen from the day of the backup: what is overdue depends on when one looks.
    assert_eq!(reseller.at("2026-11-02 03:00:00").invoices(&[]), before);
    reseller.at("2026-12-02 03:00:00");
    let pdf = ["invoice", "2026-000001", "--pdf", "restored.pdf"];
    reseller.run(&pdf).expect(0);
    assert!(std::fs::read(reseller.path("restored.pdf")).unwrap().starts_with(b"%PDF"));
    let again = reseller.run(&["close", "--month", "2026-11", "--json"]).expect(0).json();
    assert_eq!(again["issued"], 2, "what was lost is issued again");
}
