//! The daemon, black-box: the real binary on a clock that the tests set.

use std::collections::BTreeMap;
use std::time::Duration;

use fecha_core::calendar::month::Month;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use rstest::rstest;
use serde_json::Value;

use crate::support::daemon::{Shift, eventually, within};
use crate::support::reseller::{CONFIG, DEALERSHIP_HEADER, LedgerKind, Reseller, dealership};
use crate::support::smtp::{Act, At, Server, Taken};

const ADMINS: &str = "finance = [\"financeiro@example.com\"]\nadmins = [\"ti@example.com\"]";

/// A reseller whose configuration differs from the usual by these replacements.
pub fn reseller(ledger: LedgerKind, changes: &[(&str, &str)]) -> Reseller {
    let reseller = Reseller::new(ledger);
    let with_admins = CONFIG.replace("finance = [\"financeiro@example.com\"]", ADMINS);
    let config = changes.iter().fold(with_admins, |text, (from, to)| {
        assert!(text.contains(from), "the configuration has no {from}");
        text.replace(from, to)
    });
    reseller.write("fecha.toml", &config);
    reseller
}

pub fn invoices(reseller: &Reseller) -> i64 {
    reseller.ledger_number("SELECT COUNT(*) FROM invoice")
}

/// Waits until so many invoices are there, their month is reported and every email is sent.
#[track_caller]
pub fn all_done(reseller: &Reseller, expected: i64) {
    let waiting = "SELECT COUNT(*) FROM outbox WHERE state IN ('pending', 'sending')";
    let unreported = "SELECT COUNT(*) FROM revision WHERE digest IS NULL";
    eventually(&format!("{expected} invoices, reported and sent"), || {
        invoices(reseller) == expected
            && reseller.ledger_number(unreported) == 0
            && reseller.ledger_number(waiting) == 0
    });
}

/// No number is missing, and no dealership has a month twice.
pub fn assert_once(reseller: &Reseller) -> Vec<Value> {
    let invoices = reseller.invoices(&[]);
    let mut numbers: Vec<_> = invoices.iter().map(|i| i["number"].as_str().unwrap()).collect();
    numbers.sort_unstable();
    let years = numbers.iter().map(|number| &number[..4]).fold(BTreeMap::new(), |mut years, y| {
        *years.entry(y).or_insert(0) += 1;
        years
    });
    let expected: Vec<_> = years
        .iter()
        .flat_map(|(year, count)| (1..=*count).map(move |n| format!("{year}-{n:06}")))
        .collect();
    assert_eq!(numbers, expected, "numbers have no gap");
    let mut months: Vec<_> =
        invoices.iter().map(|i| (i["dealership_id"].to_string(), i["month"].to_string())).collect();
    months.sort();
    months.dedup();
    assert_eq!(months.len(), invoices.len(), "a dealership has a month twice");
    invoices
}

/// Messages of each dealership in the last hours of each month of 2026.
pub fn add_messages(reseller: &Reseller, ids: &[&str]) {
    for month in 1..=12 {
        let month = Month::new(2026, month).unwrap();
        for id in ids {
            reseller.add_contacts(id, 3, &format!("{}T20:00:00Z", month.last_day()));
        }
    }
}

#[rstest]
fn a_year_in_a_minute(#[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind) {
    let reseller = reseller(ledger, &[]);
    let zones = [("d1", ""), ("d2", "America/Rio_Branco"), ("d3", "America/Noronha")];
    reseller.register(&zones.map(|(id, zone)| (id, zone, "5000")));
    add_messages(&reseller, &["d1", "d2", "d3"]);
    let mut shift = Shift::new(&reseller, "2026-03-15T12:00:00Z");
    let daemon = shift.start();
    daemon.says("the daemon runs");
    assert!(daemon.log().contains(r#""first_month":"2026-03""#));

    // Zone by zone: Noronha at 02:00, Brasília at 03:00, Rio Branco at 05:00, each two minutes later.
    shift.set("2026-04-01T02:01:50Z");
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(invoices(&reseller), 0, "messages of the last seconds may still be written");
    for (hour, expected) in [("02", 1), ("03", 2), ("05", 3)] {
        shift.set(&format!("2026-04-01T{hour}:02:01Z"));
        eventually("the zone is closed", || invoices(&reseller) == expected);
    }
    all_done(&reseller, 3);
    for month in 5..=12 {
        shift.set(&format!("2026-{month:02}-01T06:00:00Z"));
        all_done(&reseller, 3 * (month - 3));
    }
    // The machine was off over two month ends. January has no message: it is held, and both are told.
    shift.set("2027-02-10T06:00:00Z");
    all_done(&reseller, 3 * 10);
    let told = "SELECT COUNT(*) FROM outbox WHERE kind = 'alert' AND state = 'sent'";
    eventually("January is held", || reseller.ledger_number(told) == 2);
    let log = daemon.log_file();
    let (status, _) = daemon.terminate();
    assert!(status.success());

    let invoices = assert_once(&reseller);
    let months: std::collections::BTreeSet<_> =
        invoices.iter().map(|i| i["month"].as_str().unwrap()).collect();
    assert_eq!(months.first(), Some(&"2026-03"), "nothing before the first start is billed");
    assert_eq!(months.len(), 10);
    let emails = reseller.outbox();
    let of_kind = |kind: &str| emails.iter().filter(|email| email["kind"] == kind).count();
    assert_eq!((of_kind("invoice"), of_kind("digest"), of_kind("alert")), (30, 10, 2));
    let astray = emails.iter().filter(|email| email["state"] != "sent" || email["attempts"] != 1);
    let astray: Vec<_> = astray.collect();
    assert!(astray.is_empty(), "{astray:#?}\n{}", std::fs::read_to_string(log).unwrap());
}

// Transitions from the IANA database: midnight of 2017-10-01 does not exist in Paraguay, that of
// 2018-11-04 not in Brazil; Chile changed on 2018-08-12.
#[rstest]
#[case("America/Asuncion", "2017-09", "2017-10-01T03:59:58Z")]
#[case("America/Asuncion", "2017-10", "2017-11-01T02:59:58Z")]
#[case("America/Sao_Paulo", "2018-11", "2018-12-01T01:59:58Z")]
#[case("America/Santiago", "2018-08", "2018-09-01T02:59:58Z")]
fn clocks_that_change(#[case] zone: &str, #[case] month: &str, #[case] before: &str) {
    let changes = [
        ("2020-08", "2017-01"),
        ("timezone = \"America/Sao_Paulo\"", &format!("timezone = \"{zone}\"")),
        ("[email]", "[close]\nsettle = \"0s\"\n[email]"),
    ];
    let reseller = reseller(LedgerKind::Sqlite, &changes);
    reseller.write("dealerships.csv", &format!("{DEALERSHIP_HEADER}{}", dealership("d1", "")));
    reseller.write("contracts.csv", "dealership_id,from_month,package\nd1,2017-01,5000\n");
    let files = ["import", "--dealerships", "dealerships.csv", "--contracts", "contracts.csv"];
    reseller.run(&files).expect(0);
    let end =
        before.parse::<chrono::DateTime<chrono::Utc>>().unwrap() + chrono::TimeDelta::seconds(2);
    let at = |seconds: i64| (end + chrono::TimeDelta::seconds(seconds)).to_rfc3339();
    reseller.add_contacts("d1", 1, &at(-1)); // the month's last second
    reseller.add_contacts("d1", 7, &at(0)); // the next month's first
    let mut shift = Shift::new(&reseller, &format!("{month}-20T12:00:00Z"));
    let daemon = shift.start();
    daemon.says("the daemon runs");
    shift.set(&at(-60));
    std::thread::sleep(Duration::from_millis(1500));
    assert_eq!(invoices(&reseller), 0);
    shift.set(&at(1));
    all_done(&reseller, 1);
    let invoice = &reseller.invoices(&[])[0];
    assert_eq!((&invoice["month"], &invoice["uam"]), (&month.into(), &1.into()));
}

#[test]
fn a_second_daemon_on_sqlite_is_refused() {
    let reseller = reseller(LedgerKind::Sqlite, &[]);
    reseller.register(&[("d1", "", "5000")]);
    let mut shift = Shift::new(&reseller, "2026-03-15T12:00:00Z");
    let first = shift.start();
    first.says("the daemon runs");
    let (status, log) = shift.start().ends();
    assert_eq!(status.code(), Some(2));
    assert!(log.contains("a SQLite ledger serves one"), "{log}");
    assert!(log.contains("(process "), "{log}");
    // The lock goes with the process, not with the file.
    first.kill();
    shift.start().says("the daemon runs");
}

#[rstest]
fn every_close_can_wait_for_a_person(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let changes = [
        ("[email]", "[close]\napproval = \"manual\"\n[email]"),
        ("dir = \"mail\"", "dir = \"mail\"\nredirect = \"teste@example.com\""),
    ];
    let mut reseller = reseller(ledger, &changes);
    reseller.register(&[("d1", "", "5000"), ("d2", "America/Rio_Branco", "5000")]);
    add_messages(&reseller, &["d1", "d2"]);
    reseller.at("2026-11-01 03:30:00");
    let mut shift = Shift::new(&reseller, "2026-10-15T12:00:00Z");
    let daemon = shift.start();
    daemon.says("the daemon runs");
    shift.set("2026-11-01T03:30:00Z");
    daemon.says("the close is held");
    eventually("finance and the admins are told", || {
        reseller.ledger_number("SELECT COUNT(*) FROM outbox WHERE state = 'sent'") == 2
    });
    shift.pass(600);
    std::thread::sleep(Duration::from_millis(1500));
    assert_eq!(invoices(&reseller), 0);
    assert_eq!(reseller.emails("alert"), 2, "each is told once");
    let subject = reseller.outbox()[0]["subject"].as_str().unwrap().replace('\u{a0}', " ");
    let expected =
        "Retido: fechamento de outubro de 2026 espera por uma pessoa · 1 fatura · R$ 1.014,00";
    assert_eq!(subject, expected, "it has counted already");
    let status = reseller.run(&["status"]).expect(1).stdout;
    assert!(status.contains("2026-10 is held: [close] approval = \"manual\""), "{status}");

    // Released while the west is still in October: the daemon goes on with it by itself.
    let released = reseller.run(&["close", "--month", "2026-10", "--release", "--json"]).expect(0);
    assert_eq!(released.json()["issued"], 1);
    shift.set("2026-11-01T06:00:00Z");
    all_done(&reseller, 2);
    let emails = reseller.outbox();
    assert!(emails.iter().all(|email| email["to"] == "teste@example.com"), "{emails:?}");
    shift.set("2026-12-01T06:00:00Z");
    eventually("the next month is held", || reseller.emails("alert") == 4);
    assert_eq!(invoices(&reseller), 2);
    // A day later the admins are reminded, and finance is not told again.
    shift.set("2026-12-02T07:00:00Z");
    eventually("the admins are reminded", || reseller.emails("alert") == 5);
    shift.pass(600);
    std::thread::sleep(Duration::from_millis(1500));
    assert_eq!(reseller.emails("alert"), 5);
}

#[rstest]
fn a_poisoned_dealership_keeps_no_other_from_its_invoice(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let reseller = reseller(ledger, &[]);
    reseller.register(&[("d1", "", "5000"), ("d2", "", "5000"), ("d3", "", "5000")]);
    add_messages(&reseller, &["d1", "d2", "d3"]);
    reseller.ledger_sql(match ledger {
        LedgerKind::Sqlite => {
            "CREATE TRIGGER poison BEFORE INSERT ON invoice WHEN NEW.dealership_id = 'd2'
             BEGIN SELECT RAISE(ABORT, 'poison'); END"
        }
        LedgerKind::Postgres => {
            "ALTER TABLE invoice ADD CONSTRAINT poison CHECK (dealership_id <> 'd2')"
        }
    });
    let mut shift = Shift::new(&reseller, "2026-10-15T12:00:00Z");
    let daemon = shift.start();
    daemon.says("the daemon runs");
    shift.set("2026-11-01T03:05:00Z");
    all_done(&reseller, 2);
    eventually("the admins are told", || reseller.emails("alert") == 1);
    all_done(&reseller, 2);
    let alert = reseller.outbox().into_iter().find(|email| email["kind"] == "alert").unwrap();
    assert_eq!(alert["subject"], "Atenção: faturas de outubro de 2026 não emitidas por erro");
    assert_eq!(alert["to"], "ti@example.com");
    // The address of no customer is in the log.
    assert!(!daemon.log().contains("@example.com\""), "{}", daemon.log());
}

#[test]
fn it_tells_how_it_is_and_ends_in_time() {
    let reseller = reseller(LedgerKind::Sqlite, &[]);
    let ids: Vec<String> = (0..300).map(|index| format!("d{index:03}")).collect();
    let rows: Vec<_> = ids.iter().map(|id| (id.as_str(), "", "5000")).collect();
    reseller.register(&rows);
    reseller.add_contacts("d001", 5, "2026-10-31T20:00:00Z");
    let mut shift = Shift::new(&reseller, "2026-10-15T12:00:00Z");
    let daemon = shift.start();
    assert_eq!(daemon.get("/healthz"), ("HTTP/1.1 200 OK".to_owned(), "alive\n".to_owned()));
    assert_eq!(daemon.get("/readyz").0, "HTTP/1.1 200 OK");
    shift.set("2026-11-01T03:05:00Z");
    eventually("invoices are being issued", || invoices(&reseller) > 20);
    let (status, time) = daemon.terminate();
    assert!(status.success());
    assert!(time < Duration::from_secs(10), "{time:?}");
    let issued = invoices(&reseller);
    assert!(issued < 300, "the close was cut short");
    let daemon = shift.start();
    all_done(&reseller, 300);
    assert_once(&reseller);
    let (_, metrics) = daemon.get("/metrics");
    for line in [
        "fecha_ledger_up 1",
        "fecha_leader 1",
        "fecha_months{state=\"closed\"} 1",
        "fecha_invoices 300",
        "fecha_outbox_emails{state=\"pending\"} 0",
        "fecha_outbox_oldest_pending_age_seconds 0",
        "fecha_close_runs_total{result=\"ok\"} 1",
        "fecha_stage_seconds_count{stage=\"count\"} 1",
        // 300 packages of R$ 1.014,00.
        "fecha_receivables_open_centavos 30420000",
        "fecha_receivables_overdue_centavos 0",
        "fecha_receivables_waiting_centavos 0",
    ] {
        assert!(metrics.lines().any(|found| found == line), "{line} is not in\n{metrics}");
    }
}

/// Two daemons on one PostgreSQL ledger, the leader stopped in the middle of a close.
#[rstest]
#[case("-KILL")]
#[case("-STOP")]
fn another_daemon_takes_over(#[case] signal: &str) {
    let reseller = reseller(LedgerKind::Postgres, &[]);
    let ids: Vec<String> = (0..200).map(|index| format!("d{index:03}")).collect();
    let rows: Vec<_> = ids.iter().map(|id| (id.as_str(), "", "5000")).collect();
    reseller.register(&rows);
    reseller.add_contacts("d001", 5, "2026-10-31T20:00:00Z");
    let mut shift = Shift::new(&reseller, "2026-10-15T12:00:00Z");
    let leader = shift.start();
    leader.says("this daemon leads");
    let other = shift.start();
    other.says("looking whether another daemon leads");
    shift.set("2026-11-01T03:05:00Z");
    eventually("invoices are being issued", || invoices(&reseller) > 20);
    leader.signal(signal);
    assert!(invoices(&reseller) < 200, "the leader was stopped in the middle");
    other.says("this daemon leads");
    eventually("all are issued", || invoices(&reseller) == 200);
    shift.pass(46 * 60); // what the leader had claimed comes back
    all_done(&reseller, 200);
    if signal == "-STOP" {
        let issued = reseller.ledger_number("SELECT COUNT(*) FROM audit WHERE action = 'issue'");
        leader.signal("-CONT");
        leader.says("another daemon may lead now");
        within(Duration::from_secs(20), "it waits again", || {
            leader.log().matches("looking whether another daemon leads").count() == 2
        });
        let after = reseller.ledger_number("SELECT COUNT(*) FROM audit WHERE action = 'issue'");
        assert_eq!(issued, after, "the one that was paused issued nothing");
    }
    assert_once(&reseller);
    let exceptions = "SELECT COUNT(*) FROM closing WHERE exceptions = '[]' AND state = 'closed'";
    assert_eq!(reseller.ledger_number(exceptions), 1);
    let digests = "SELECT COUNT(*) FROM digest";
    assert_eq!(reseller.ledger_number(digests), 1);
}

/// Sends by SMTP to this port of this machine.
pub fn by_smtp(port: u16) -> String {
    format!("dir = \"mail\"\n[email.smtp]\nhost = \"127.0.0.1\"\nport = {port}\ntls = \"none\"")
}

/// A daemon that is killed at random moments of a year, with a mail server that drops connections and
/// refuses at random.
#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_at_random_instants(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    const DEALERSHIPS: usize = 20;
    const MONTHS: u32 = 6;
    let seed: u64 = std::env::var("KILL_SEED")
        .map_or_else(|_| rand::rng().random(), |seed| seed.parse().expect("KILL_SEED is a number"));
    let kills: u32 = std::env::var("KILLS").map_or(24, |kills| kills.parse().unwrap());
    println!("KILL_SEED={seed} KILLS={kills} replays this run");
    let mut random = ChaCha8Rng::seed_from_u64(seed);

    let server = Server::start_unreliable(seed, 4).await;
    let smtp = by_smtp(server.port);
    let changes = [("transport = \"file\"", "transport = \"smtp\""), ("dir = \"mail\"", &*smtp)];
    let reseller = reseller(ledger, &changes);
    let ids: Vec<String> = (0..DEALERSHIPS).map(|index| format!("d{index:02}")).collect();
    let zone = |index: usize| ["", "America/Rio_Branco", "America/Noronha"][index % 3];
    let rows: Vec<_> =
        ids.iter().enumerate().map(|(index, id)| (id.as_str(), zone(index), "5000")).collect();
    reseller.register(&rows);
    add_messages(&reseller, &ids.iter().map(String::as_str).collect::<Vec<_>>());

    let mut shift = Shift::new(&reseller, "2026-01-15T12:00:00Z");
    let first = shift.start();
    first.says("the daemon runs");
    first.kill();
    let waiting = "SELECT COUNT(*) FROM outbox WHERE state IN ('pending', 'sending')";
    let mut expected = 0;
    for month in 2..2 + MONTHS {
        // From zone to zone and from retry to retry, never undisturbed for long.
        shift.set(&format!("2026-{month:02}-01T02:02:00Z"));
        for _ in 0..kills.div_ceil(MONTHS) {
            let daemon = shift.start();
            std::thread::sleep(Duration::from_millis(random.random_range(50..1200)));
            daemon.kill();
            shift.pass(random.random_range(0..4000));
        }
        // Then in peace, within the four days: claims that died come back, retries fall due.
        let daemon = shift.start();
        shift.set(&format!("2026-{month:02}-02T06:00:00Z"));
        expected += i64::try_from(DEALERSHIPS).unwrap();
        // What is to be tried again is looked for every ten seconds.
        within(Duration::from_mins(3), "all is issued and sent", || {
            std::thread::sleep(Duration::from_millis(500));
            shift.pass(1200);
            let left = [
                expected - invoices(&reseller),
                reseller.ledger_number("SELECT COUNT(*) FROM revision WHERE digest IS NULL"),
                reseller.ledger_number(waiting),
            ];
            println!("{month}: not issued, not reported, not sent: {left:?}");
            left == [0, 0, 0]
        });
        daemon.kill();
    }

    assert_once(&reseller);
    let emails = reseller.outbox();
    let of_kind = |kind: &str| emails.iter().filter(|email| email["kind"] == kind).count();
    assert_eq!(
        (of_kind("invoice"), of_kind("digest")),
        (DEALERSHIPS * MONTHS as usize, MONTHS as usize)
    );
    assert!(emails.iter().all(|email| email["state"] == "sent"), "{emails:?}");
    assert_delivered(&server, &emails);
}

/// Every email arrived; twice only where its line was lost after DATA, under the same Message-ID.
fn assert_delivered(server: &Server, emails: &[Value]) {
    let mut arrived: BTreeMap<String, usize> = BTreeMap::new();
    for taken in server.taken() {
        *arrived.entry(message_id(&taken)).or_default() += 1;
    }
    let mut unanswered: BTreeMap<String, usize> = BTreeMap::new();
    for taken in server.unanswered() {
        *unanswered.entry(message_id(&taken)).or_default() += 1;
    }
    for email in emails {
        let id = email["message_id"].as_str().unwrap();
        let times = arrived.remove(id).unwrap_or_default();
        let lost = unanswered.get(id).copied().unwrap_or_default();
        assert!(times >= 1, "{id} did not arrive");
        assert!(times <= 1 + lost, "{id} arrived {times} times, its line was lost {lost} times");
    }
    assert!(arrived.is_empty(), "emails that nobody queued: {arrived:?}");
}

fn message_id(taken: &Taken) -> String {
    let text = String::from_utf8_lossy(&taken.data);
    let line = text.lines().find(|line| line.starts_with("Message-ID: ")).unwrap();
    line.trim_start_matches("Message-ID: ").to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_recipient_who_hangs_holds_up_no_other() {
    let server = Server::start(&[(At::Recipient, Act::Silence)]).await;
    let smtp = format!("per_minute = 120\n{}", by_smtp(server.port));
    let changes = [("transport = \"file\"", "transport = \"smtp\""), ("dir = \"mail\"", &*smtp)];
    let reseller = reseller(LedgerKind::Sqlite, &changes);
    let ids = ["d1", "d2", "d3", "d4", "d5", "d6", "d7", "d8"];
    reseller.register(&ids.map(|id| (id, "", "5000")));
    add_messages(&reseller, &ids);
    let mut shift = Shift::new(&reseller, "2026-10-15T12:00:00Z");
    let daemon = shift.start();
    daemon.says("the daemon runs");
    shift.set("2026-11-01T03:05:00Z");
    eventually("the first email goes", || !server.taken().is_empty());
    let first = std::time::Instant::now();
    eventually("all others go", || server.taken().len() == ids.len());
    // Two a second: seven after the first take three seconds and a half.
    assert!(first.elapsed() > Duration::from_millis(2900), "{:?}", first.elapsed());
    let (status, time) = daemon.terminate();
    assert!(status.success());
    assert!(time < Duration::from_secs(10), "{time:?}");
}

/// A machine that was suspended, or a clock that was stepped: the lease of the email in hand is over.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_stepped_over_a_lease_sends_no_email_in_hand_again() {
    let server = Server::start(&[(At::Recipient, Act::Silence)]).await;
    let smtp = by_smtp(server.port);
    let changes = [("transport = \"file\"", "transport = \"smtp\""), ("dir = \"mail\"", &*smtp)];
    let reseller = reseller(LedgerKind::Sqlite, &changes);
    reseller.register(&[("d1", "", "5000"), ("d2", "", "5000")]);
    add_messages(&reseller, &["d1", "d2"]);
    let mut shift = Shift::new(&reseller, "2026-10-15T12:00:00Z");
    let daemon = shift.start();
    daemon.says("the daemon runs");
    shift.set("2026-11-01T03:05:00Z");
    eventually("all others go", || server.taken().len() == 2);
    shift.pass(50 * 60);
    std::thread::sleep(Duration::from_secs(12)); // a postman looks every ten seconds
    let begun = "SELECT SUM(attempts) FROM outbox";
    assert_eq!(reseller.ledger_number(begun), 3, "{}", daemon.log());
    assert_eq!(server.taken().len(), 2);
}
