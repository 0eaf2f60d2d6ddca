//! What the daemon needs goes away in the middle of its work, and comes back.

use std::time::Duration;

use crate::daemon::{add_messages, all_done, assert_once, by_smtp, invoices, reseller};
use crate::support::daemon::{Shift, eventually};
use crate::support::gate::Gate;
use crate::support::postgres::Postgres;
use crate::support::reseller::{LedgerKind, Reseller};
use crate::support::smtp::Server;

/// After this time an email whose sending could not be recorded comes back: longer than its lease.
const CLAIMS_END: i64 = 46 * 60;

fn register(reseller: &Reseller, count: usize) {
    let ids: Vec<String> = (0..count).map(|index| format!("d{index:03}")).collect();
    let rows: Vec<_> = ids.iter().map(|id| (id.as_str(), "", "5000")).collect();
    reseller.register(&rows);
    reseller.add_contacts("d001", 5, "2026-10-31T20:00:00Z");
}

/// October is closed, and no dealership was blamed for what happened.
fn assert_closed_without_exceptions(reseller: &Reseller) {
    let closed = "SELECT COUNT(*) FROM closing WHERE exceptions = '[]' AND state = 'closed'";
    assert_eq!(reseller.ledger_number(closed), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn goes_on_when_the_ledger_is_back() {
    let mut reseller = reseller(LedgerKind::Postgres, &[]);
    register(&reseller, 200);
    let (address, database) = reseller.ledger_url().rsplit_once('/').unwrap();
    let gate = Gate::before(address.rsplit('@').next().unwrap());
    let gated = format!("postgres://postgres@127.0.0.1:{}/{database}", gate.port);
    reseller.variables.push(("FECHA_LEDGER__URL".to_owned(), gated));
    gate.open();
    let mut shift = Shift::new(&reseller, "2026-10-15T12:00:00Z");
    let daemon = shift.start();
    daemon.says("this daemon leads");
    shift.set("2026-11-01T03:05:00Z");
    eventually("invoices are being issued", || invoices(&reseller) > 20);
    gate.shut();
    daemon.says("lead is lost");
    assert!(daemon.get("/readyz").0.contains("503"));
    assert!(daemon.get("/metrics").1.contains("fecha_ledger_up 0"));
    assert!(invoices(&reseller) < 200, "the line was cut in the middle");
    gate.open();
    eventually("all are issued", || invoices(&reseller) == 200);
    shift.pass(CLAIMS_END);
    all_done(&reseller, 200);
    assert_once(&reseller);
    assert!(daemon.get("/readyz").0.contains("200"));
    assert_closed_without_exceptions(&reseller);
}

#[test]
fn goes_on_when_the_disk_has_room_again() {
    let reseller = reseller(LedgerKind::Sqlite, &[]);
    register(&reseller, 60);
    let mut shift = Shift::new(&reseller, "2026-10-15T12:00:00Z");
    let daemon = shift.start_with_room(1024);
    daemon.says("the daemon runs");
    shift.set("2026-11-01T03:05:00Z");
    daemon.says("the close failed: trying again");
    let issued = invoices(&reseller);
    assert!((1..60).contains(&issued), "the disk was full in the middle: {issued}");
    let (status, _) = daemon.terminate();
    assert!(status.success());
    let _daemon = shift.start();
    eventually("all are issued", || invoices(&reseller) == 60);
    shift.pass(CLAIMS_END);
    all_done(&reseller, 60);
    assert_once(&reseller);
    assert_closed_without_exceptions(&reseller);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mail_server_that_is_away_for_a_day_costs_no_attempt() {
    let server = Server::start(&[]).await;
    let gate = Gate::before(&format!("127.0.0.1:{}", server.port));
    let smtp = by_smtp(gate.port);
    let changes = [("transport = \"file\"", "transport = \"smtp\""), ("dir = \"mail\"", &*smtp)];
    let reseller = reseller(LedgerKind::Sqlite, &changes);
    reseller.register(&[("d1", "", "5000"), ("d2", "", "5000")]);
    add_messages(&reseller, &["d1", "d2"]);
    let mut shift = Shift::new(&reseller, "2026-10-15T12:00:00Z");
    let daemon = shift.start();
    daemon.says("the daemon runs");
    shift.set("2026-11-01T03:05:00Z");
    daemon.says("emails wait for the mail server");
    eventually("all is issued", || invoices(&reseller) == 2);
    for _ in 0..4 {
        shift.pass(6 * 3600);
        std::thread::sleep(Duration::from_millis(1200)); // it reads its clock once a second
    }
    eventually("the oldest email waits for a day", || {
        let (_, metrics) = daemon.get("/metrics");
        let age = metrics.lines().find(|line| line.starts_with("fecha_outbox_oldest_pending"));
        age.is_some_and(|line| line.rsplit(' ').next().unwrap().parse::<i64>().unwrap() > 86_000)
    });
    gate.open();
    all_done(&reseller, 2);
    assert!(reseller.outbox().iter().all(|email| email["attempts"] == 1));
    assert_eq!(server.taken().len(), 3);
    assert_eq!(daemon.log().matches("emails wait").count(), 1, "a failure is logged once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn closes_when_the_message_database_is_back() {
    let url = Postgres::shared().create_database("messages");
    let (address, database) = url.rsplit_once('/').unwrap();
    Postgres::shared().sql(
        database,
        "CREATE TABLE message (dealership_id text, contact text, direction text, kind text,
             template text, status text, sent_at timestamptz NOT NULL);
         INSERT INTO message VALUES
             ('d1', '5548990000001', 'in', 'session', NULL, NULL, '2026-10-31T20:00:00Z')",
    );
    let gate = Gate::before(address.rsplit('@').next().unwrap());
    let gated = format!("postgres://postgres@127.0.0.1:{}/{database}", gate.port);
    let reseller = reseller(
        LedgerKind::Sqlite,
        &[("url = \"sqlite:messages.db\"", &format!("url = \"{gated}\""))],
    );
    reseller.register(&[("d1", "", "5000")]);
    let mut shift = Shift::new(&reseller, "2026-10-15T12:00:00Z");
    let daemon = shift.start();
    daemon.says("the daemon runs");
    shift.set("2026-11-01T03:05:00Z");
    daemon.says("the close failed: trying again");
    assert_eq!(reseller.emails("alert"), 0);
    shift.pass(31 * 60);
    eventually("the admins are told", || reseller.emails("alert") == 1);
    shift.pass(60 * 60);
    eventually("it is late now", || reseller.emails("alert") == 2);
    let subjects: Vec<String> =
        reseller.outbox().iter().map(|email| email["subject"].to_string()).collect();
    assert!(subjects[0].contains("banco de mensagens não pode ser lido"), "{subjects:?}");
    assert!(subjects[1].contains("fechamento de outubro de 2026 em atraso"), "{subjects:?}");
    assert_eq!(daemon.log().matches("the close failed").count(), 1, "a failure is logged once");
    gate.open();
    all_done(&reseller, 1);
}
