//! Reminders of what is open, black-box on a clock that the tests set.

use std::time::Duration;

use rstest::rstest;
use serde_json::Value;

use crate::daemon::reseller;
use crate::receivables::pay;
use crate::support::daemon::{Shift, eventually};
use crate::support::reseller::{DEALERSHIP_HEADER, LedgerKind, Reseller, dealership};

const CONFIGURED: &str = "[reminders]\nbefore = [3]\nafter = [1, 7, 15]\n[email]";

/// d1 to d5 with packages of 5,000; October is issued, R$ 1.014,00 each, due on 10 November. d3 wants no
/// reminders.
fn issued(ledger: LedgerKind, configuration: &str) -> Reseller {
    let mut reseller = reseller(ledger, &[("[email]", configuration)]);
    let mut people = DEALERSHIP_HEADER.replace('\n', ",reminders\n");
    let mut contracts = "dealership_id,from_month,package\n".to_owned();
    for (id, word) in [("d1", ""), ("d2", "yes"), ("d3", "no"), ("d4", ""), ("d5", "")] {
        people += &dealership(id, "").replace('\n', &format!(",{word}\n"));
        contracts += &format!("{id},2026-01,5000\n");
    }
    reseller.write("people.csv", &people);
    reseller.write("packages.csv", &contracts);
    let files = ["import", "--dealerships", "people.csv", "--contracts", "packages.csv"];
    reseller.run(&files).expect(0);
    reseller.run(&["export", "--dealerships", "out.csv"]).expect(0);
    assert_eq!(std::fs::read_to_string(reseller.path("out.csv")).unwrap(), people);
    reseller.at("2026-11-02 12:00:00").run(&["close", "--month", "2026-10", "--release"]).expect(0);
    reseller.run(&["deliver"]).expect(0);
    // Commands come later than whatever the daemon does.
    reseller.at("2026-12-10 12:00:00");
    reseller
}

fn looks(reseller: &Reseller) -> i64 {
    reseller.ledger_number("SELECT SUM(count) FROM look WHERE subject = 'reminders'")
}

#[track_caller]
fn looked(reseller: &Reseller, times: i64) {
    eventually(&format!("it looked {times} times"), || looks(reseller) == times);
}

/// To whom, about what and where each stands.
fn reminders(reseller: &Reseller) -> Vec<[String; 3]> {
    let outbox = reseller.outbox();
    let of_kind = outbox.iter().filter(|email| email["kind"] == "reminder");
    let text = |email: &Value, key: &str| email[key].as_str().unwrap().replace('\u{a0}', " ");
    of_kind.map(|email| ["to", "subject", "state"].map(|key| text(email, key))).collect()
}

/// The reminder that was sent on a day; its lines whole.
fn file(reseller: &Reseller, day: &str) -> String {
    let mail = std::fs::read_dir(reseller.path("mail")).unwrap().map(|entry| entry.unwrap().path());
    let of_day = mail.filter(|path| path.to_string_lossy().contains(&format!("lembrete-{day}")));
    let [path] = of_day.collect::<Vec<_>>().try_into().unwrap();
    std::fs::read_to_string(path).unwrap().replace("=\r\n", "").replace("=C2=A0", " ")
}

#[rstest]
fn on_its_days_until_it_is_paid_void_or_covered(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let reseller = issued(ledger, CONFIGURED);
    pay(&reseller, &["2026-000002", "--on", "2026-11-04", "--amount", "14.00"]);
    // As much waits for d4 as is open; of d5 a centavo less.
    pay(&reseller, &["--dealership", "d4", "--on", "2026-11-04", "--amount", "1014.00"]);
    pay(&reseller, &["--dealership", "d5", "--on", "2026-11-04", "--amount", "1013.99"]);
    let mut shift = Shift::new(&reseller, "2026-11-06T12:00:00Z");
    let daemon = shift.start();
    looked(&reseller, 1);
    assert!(reminders(&reseller).is_empty());

    // 8:00 in Brasília, three days before.
    shift.set("2026-11-07T10:50:00Z");
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!(looks(&reseller), 1);
    shift.set("2026-11-07T11:00:00Z");
    looked(&reseller, 2);
    let sent = |id: &str, subject: &str| {
        [format!("{id}@example.com"), subject.to_owned(), "sent".to_owned()]
    };
    let before = [
        sent("d1", "Lembrete: fatura 2026-000001, R$ 1.014,00, vence em 10/11/2026"),
        sent("d2", "Lembrete: fatura 2026-000002, R$ 1.000,00, vence em 10/11/2026"),
        sent("d5", "Lembrete: fatura 2026-000005, R$ 1.014,00, vence em 10/11/2026"),
    ];
    eventually("three are sent", || reminders(&reseller) == before);

    // The same day again is nothing new, be it another process.
    daemon.kill();
    reseller.ledger_sql(
        "UPDATE look SET latest = '2026-11-06T12:00:00.000Z' WHERE subject = 'reminders'",
    );
    shift.set("2026-11-07T15:00:00Z");
    let daemon = shift.start();
    looked(&reseller, 3);
    assert_eq!(reminders(&reseller), before);

    // Paid and void: nobody is asked for it.
    pay(&reseller, &["2026-000001", "--on", "2026-11-09"]);
    reseller.run(&["cancel", "2026-000005", "--reason", "dobrada"]).expect(0);
    shift.set("2026-11-11T12:00:00Z");
    looked(&reseller, 4);
    let after = sent("d2", "Fatura 2026-000002 em aberto: R$ 1.000,00, venceu em 10/11/2026");
    eventually("one more is sent", || reminders(&reseller)[3..] == [after.clone()]);
    let words = file(&reseller, "2026-11-11");
    for said in [
        "total R$ 1.014,00",
        "53039865407 1000.00".replace(' ', "").as_str(),
        "venceu em 10/11/2026",
    ] {
        assert!(words.contains(said), "{said} is not in {words}");
    }
    pay(&reseller, &["2026-000002", "--on", "2026-11-12"]);
    shift.set("2026-11-17T12:00:00Z");
    looked(&reseller, 5);
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(reminders(&reseller).len(), 4);
    assert!(!daemon.log().contains("example.com\""), "{}", daemon.log());
    assert!(!daemon.log().contains("ERROR"), "{}", daemon.log());
}

/// Two invoices open: one email on the day of either, with a code for each.
#[test]
fn all_that_is_open_goes_in_one_email() {
    let mut reseller = issued(LedgerKind::Sqlite, CONFIGURED);
    reseller.at("2026-12-01 12:00:00").run(&["close", "--month", "2026-11", "--release"]).expect(0);
    reseller.run(&["deliver"]).expect(0);
    reseller.at("2026-12-10 12:00:00");
    for number in ["2026-000002", "2026-000003", "2026-000004", "2026-000005"] {
        pay(&reseller, &[number, "--on", "2026-11-09"]);
    }
    for number in ["2026-000007", "2026-000008", "2026-000009", "2026-000010"] {
        pay(&reseller, &[number, "--on", "2026-12-01"]);
    }
    let mut shift = Shift::new(&reseller, "2026-12-07T12:00:00Z");
    let _daemon = shift.start();
    looked(&reseller, 1);
    let subject = "2 faturas em aberto: R$ 2.028,00, uma delas vencida".to_owned();
    let expected = [["d1@example.com".to_owned(), subject, "sent".to_owned()]];
    eventually("it is sent", || reminders(&reseller) == expected);
    let words = file(&reseller, "2026-12-07");
    for said in ["2026-000001", "2026-000006", "br.gov.bcb.pix"] {
        assert!(words.matches(said).count() >= 2, "{said} is not in {words}");
    }
}

/// What is paid between the queue and the mail server, which was away, is not asked for.
#[rstest]
fn a_reminder_that_was_overtaken_is_not_sent(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let mut reseller = issued(ledger, CONFIGURED);
    pay(&reseller, &["2026-000004", "--on", "2026-11-05"]);
    reseller.mail_to(9, "none");
    {
        let mut shift = Shift::new(&reseller, "2026-11-07T12:00:00Z");
        let _daemon = shift.start();
        looked(&reseller, 1);
    }
    // One may have been in hand when the daemon was killed: it comes back by its lease.
    let states: Vec<String> = reminders(&reseller).into_iter().map(|[_, _, state]| state).collect();
    assert!(states.len() == 3 && states.iter().all(|state| state != "sent"), "{states:?}");
    pay(&reseller, &["2026-000001", "--on", "2026-11-07"]);
    pay(&reseller, &["--dealership", "d2", "--on", "2026-11-07", "--amount", "1014.00"]);
    reseller.variables.clear();
    let delivered = reseller.run(&["deliver"]).expect(0).stdout;
    let states: Vec<String> = reminders(&reseller).into_iter().map(|[_, _, state]| state).collect();
    assert_eq!(states, ["withdrawn", "withdrawn", "sent"], "{delivered}");
    assert!(file(&reseller, "2026-11-07").contains("2026-000005"));
}

#[test]
fn nobody_is_reminded_by_default() {
    let reseller = issued(LedgerKind::Sqlite, "[email]");
    let mut shift = Shift::new(&reseller, "2026-11-11T12:00:00Z");
    let daemon = shift.start();
    daemon.says("the daemon runs");
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!((looks(&reseller), reminders(&reseller).len()), (0, 0));
}
