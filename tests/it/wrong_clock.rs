//! A clock that was wrong at the first start, or ahead for minutes.

use std::time::Duration;

use rstest::rstest;

use crate::daemon::{add_messages, all_done, invoices, reseller};
use crate::support::daemon::{Shift, eventually};
use crate::support::reseller::LedgerKind;

#[rstest]
fn a_first_start_in_2036(#[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind) {
    let mut reseller = reseller(ledger, &[]);
    reseller.at("2026-10-10 12:00:00");
    reseller.register(&[("d1", "", "5000")]);
    add_messages(&reseller, &["d1"]);
    reseller.at("2026-10-15 12:00:00");
    let mut shift = Shift::new(&reseller, "2036-05-15T12:00:00Z");
    let daemon = shift.start();
    daemon.says("the daemon runs");
    assert!(daemon.log().contains(r#""first_month":"2036-05""#), "{}", daemon.log());
    let status = reseller.run(&["status"]).expect(1).stdout;
    assert!(status.contains("closes nothing before 2036-05"), "{status}");
    shift.set("2026-10-15T12:00:00Z");
    daemon.says("a wrong clock");
    eventually("a person is called", || reseller.emails("alert") == 1);
    let subject = &reseller.outbox()[0]["subject"];
    assert_eq!(subject, "Atenção: o relógio da máquina esteve errado");
    shift.set("2026-11-01T03:05:00Z");
    all_done(&reseller, 1);
    assert_eq!(reseller.invoices(&[])[0]["month"], "2026-10");
}

/// Nobody can say which clock is wrong: nothing is billed by surprise, and a person is called.
#[test]
fn a_clock_that_is_behind_bills_no_earlier_month() {
    let mut reseller = reseller(LedgerKind::Sqlite, &[]);
    reseller.at("2026-11-02 12:00:00");
    reseller.register(&[("d1", "", "5000")]);
    add_messages(&reseller, &["d1"]);
    let mut shift = Shift::new(&reseller, "2026-11-03T12:00:00Z");
    shift.start().says("the daemon runs");
    shift.set("2026-02-01T12:00:00Z");
    let daemon = shift.start();
    daemon.says("the daemon runs");
    eventually("a person is called", || reseller.emails("alert") == 1);
    shift.set("2026-11-20T12:00:00Z");
    std::thread::sleep(Duration::from_secs(4));
    assert_eq!(invoices(&reseller), 0);
}

#[test]
fn a_clock_that_is_ahead_for_minutes_holds_no_month_for_good() {
    let mut reseller = reseller(LedgerKind::Sqlite, &[]);
    reseller.at("2026-10-01 12:00:00");
    reseller.register(&[("d1", "", "5000")]);
    // Nothing of October but its first day is there when the clock says that it is November.
    reseller.add_contacts("d1", 3, "2026-10-01T15:00:00Z");
    let mut shift = Shift::new(&reseller, "2026-10-02T12:00:00Z");
    let daemon = shift.start();
    daemon.says("the daemon runs");
    shift.set("2026-11-02T12:00:00Z");
    daemon.says("the close is held");
    shift.set("2026-10-02T12:10:00Z");
    daemon.says("the clock was ahead");
    eventually("a person is called", || {
        let alerts = reseller.ledger_texts("SELECT cause FROM outbox WHERE kind = 'alert'");
        alerts.contains(&"clock 2026-10".to_owned())
    });
    reseller.add_contacts("d1", 5, "2026-10-31T20:00:00Z");
    shift.set("2026-11-01T03:05:00Z");
    all_done(&reseller, 1);
    assert_eq!(reseller.invoices(&[])[0]["uam"], 5);
}
