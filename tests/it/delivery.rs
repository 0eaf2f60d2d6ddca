//! `fecha deliver` with the real command: to a real Postfix, and to a server that misbehaves.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rstest::rstest;
use serde_json::{Value, json};

use crate::support::daemon::{Shift, eventually};
use crate::support::postfix::Postfix;
use crate::support::reseller::{LedgerKind, Reseller};
use crate::support::smtp::{Act, At, Server};

/// Two invoices and a digest, queued.
fn closed(ledger: LedgerKind) -> Reseller {
    let reseller = Reseller::new(ledger);
    reseller.register(&[("d1", "", "5000"), ("d2", "", "5000")]);
    reseller.add_contacts("d1", 3, "2026-10-31T12:00:00Z");
    reseller.run(&["close"]).expect(0);
    reseller
}

fn states(reseller: &Reseller) -> Vec<Value> {
    reseller.outbox().iter().map(|email| email["state"].clone()).collect()
}

/// The command runs beside the server's runtime.
fn run(reseller: &Reseller, arguments: &[&str]) -> crate::support::reseller::Ran {
    tokio::task::block_in_place(|| reseller.run(arguments))
}

#[rstest]
fn to_a_real_postfix_over_starttls(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let postfix = Postfix::start("DNS:localhost");
    let mut reseller = closed(ledger);
    reseller.mail_to(postfix.port, "starttls").at_the_machines_time();

    let refused = reseller.run(&["deliver"]).expect(3);
    assert!(refused.stderr.contains("ertificate"), "{}", refused.stderr);
    assert_eq!(states(&reseller), ["pending"; 3], "nobody's failure: all wait");

    let authority = postfix.authority().display().to_string();
    reseller.variables.push(("FECHA_EMAIL__SMTP__CA_FILE".into(), authority));
    let checked = reseller.run(&["check", "--json"]).expect(0).json();
    assert_eq!(checked["ok"], true);
    let delivered = reseller.run(&["deliver", "--json"]).expect(0).json();
    assert_eq!(delivered["sent"], 3);
    assert_eq!(states(&reseller), ["sent"; 3]);
    assert_eq!(postfix.wait_for_mail(3).len(), 3);
    // Once is enough.
    assert_eq!(reseller.run(&["deliver", "--json"]).expect(0).json()["sent"], 0);
}

#[test]
fn to_a_real_postfix_over_tls_with_a_login() {
    let postfix = Postfix::start("DNS:localhost");
    let mut reseller = closed(LedgerKind::Sqlite);
    reseller.mail_to(postfix.tls_port, "tls").at_the_machines_time();
    let authority = postfix.authority().display().to_string();
    // As the system's own authorities are named: no key of ours.
    reseller.variables.push(("SSL_CERT_FILE".into(), authority));
    reseller.variables.push(("FECHA_EMAIL__SMTP__USERNAME".into(), "faturas".into()));

    let password = |text: &str| ("FECHA_EMAIL__SMTP__PASSWORD".to_owned(), text.to_owned());
    reseller.variables.push(password("errado"));
    let refused = reseller.run(&["deliver"]).expect(3);
    assert!(refused.stderr.contains("535"), "{}", refused.stderr);
    assert!(!refused.stderr.contains("errado"));
    assert_eq!(states(&reseller), ["pending"; 3], "a refused login is no email's failure");

    reseller.variables.push(password("segredo"));
    reseller.run(&["check"]).expect(0);
    assert_eq!(reseller.run(&["deliver", "--json"]).expect(0).json()["sent"], 3);
    assert_eq!(postfix.wait_for_mail(3).len(), 3);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn one_bad_recipient_does_not_hold_up_the_others(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let script = [
        (At::Recipient, Act::Say("550 5.1.1 no such user")),
        (At::Recipient, Act::Say("451 4.3.0 later")),
    ];
    let server = Server::start(&script).await;
    let mut reseller = closed(ledger);
    reseller.mail_to(server.port, "none");
    let delivered = run(&reseller, &["deliver", "--json"]).expect(1).json();
    assert_eq!((delivered["sent"].clone(), delivered["retried"].clone()), (json!(1), json!(1)));
    assert_eq!(delivered["failed"].as_array().unwrap().len(), 1);

    let outbox = reseller.outbox();
    let failed = outbox.iter().find(|email| email["state"] == "failed").unwrap();
    assert!(failed["last_error"].as_str().unwrap().contains("no such user"), "{failed}");
    assert_eq!(failed["next_attempt_at"], Value::Null);
    let retried = outbox.iter().find(|email| email["state"] == "pending").unwrap();
    assert_eq!(retried["attempts"], 1);
    assert!(retried["next_attempt_at"].as_str().unwrap().starts_with("2026-11-02T03:01:0"));
    let status = run(&reseller, &["status"]).expect(1);
    assert!(status.stdout.contains("no such user"), "{}", status.stdout);

    // A minute later it goes, under the Message-ID that it always had.
    assert_eq!(run(&reseller, &["deliver", "--json"]).expect(0).json()["sent"], 0);
    reseller.at("2026-11-02 03:01:10");
    assert_eq!(run(&reseller, &["deliver", "--json"]).expect(0).json()["sent"], 1);
    let id = retried["message_id"].as_str().unwrap();
    let with_id = |data: &[u8]| String::from_utf8_lossy(data).contains(id);
    assert_eq!(server.taken().iter().filter(|message| with_id(&message.data)).count(), 1);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_line_lost_after_data_may_mean_twice_and_says_so(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let server = Server::start(&[(At::End, Act::Drop)]).await;
    let mut reseller = closed(ledger);
    reseller.mail_to(server.port, "none");
    let delivered = run(&reseller, &["deliver", "--json"]).expect(0).json();
    assert_eq!((delivered["sent"].clone(), delivered["retried"].clone()), (json!(2), json!(1)));
    let listed = run(&reseller, &["outbox"]).expect(0);
    assert!(listed.stdout.contains("possibly delivered twice"), "{}", listed.stdout);
    reseller.at("2026-11-02 03:01:10");
    run(&reseller, &["deliver"]).expect(0);
    assert_eq!(states(&reseller), ["sent"; 3]);
    let ids: std::collections::BTreeSet<String> = reseller
        .outbox()
        .iter()
        .map(|email| email["message_id"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(ids.len(), 3, "the same Message-ID over every retry");
}

#[rstest]
fn a_server_that_is_away_fails_no_email(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let mut reseller = closed(ledger);
    reseller.mail_to(1, "none");
    let away = reseller.run(&["deliver"]).expect(3);
    assert!(away.stderr.contains("run `fecha deliver` again"), "{}", away.stderr);
    for email in reseller.outbox() {
        assert_eq!(
            (email["state"].clone(), email["attempts"].clone()),
            (json!("pending"), json!(0))
        );
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn after_four_days_an_email_is_given_up(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let mut reseller = closed(ledger);
    let server = Server::start(&[(At::Sender, Act::Say("451 4.3.0 later")); 200]).await;
    reseller.mail_to(server.port, "none");
    run(&reseller, &["deliver"]).expect(0);
    reseller.at("2026-11-06 02:58:00");
    run(&reseller, &["deliver"]).expect(1);
    assert_eq!(states(&reseller), ["failed"; 3]);
    let outbox = reseller.outbox();
    assert!(outbox[0]["last_error"].as_str().unwrap().contains("given up after 4 days"));
}

fn per_minute(reseller: &mut Reseller, count: u32) {
    reseller.variables.push(("FECHA_EMAIL__PER_MINUTE".into(), count.to_string()));
}

/// A command that runs beside the test; killed when it is dropped.
struct Running(Child);

impl Running {
    fn start(mut command: Command) -> Self {
        Self(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_go_in_a_minute_than_the_server_likes() {
    let server = Server::start(&[]).await;
    let mut reseller = Reseller::new(LedgerKind::Sqlite);
    reseller.register(&["d1", "d2", "d3", "d4", "d5"].map(|id| (id, "", "5000")));
    reseller.add_contacts("d1", 3, "2026-10-31T12:00:00Z");
    run(&reseller, &["close"]).expect(0);
    reseller.mail_to(server.port, "none");
    per_minute(&mut reseller, 120);
    assert_eq!(run(&reseller, &["deliver", "--json"]).expect(0).json()["sent"], 6);
    let times: Vec<_> = server.taken().iter().map(|taken| taken.at).collect();
    let span = *times.iter().max().unwrap() - *times.iter().min().unwrap();
    // Two a second over any number of connections: five after the first take two seconds and a half.
    assert!(span > Duration::from_millis(1300), "{span:?}");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn while_the_next_one_waits_what_went_is_recorded_and_nothing_is_claimed(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let server = Server::start(&[]).await;
    let mut reseller = closed(ledger);
    reseller.mail_to(server.port, "none");
    per_minute(&mut reseller, 1);
    let _deliver = Running::start(reseller.command(&["deliver"]));
    let in_state = |state: &str| {
        let sql = format!("SELECT COUNT(*) FROM outbox WHERE state = '{state}'");
        reseller.ledger_number(&sql)
    };
    eventually("the first one is recorded", || in_state("sent") == 1);
    assert_eq!((in_state("sending"), in_state("pending")), (0, 2));
    assert_eq!(server.taken().len(), 1);
}

/// A slow pace makes a round last longer than a lease: each lease begins when its email is claimed.
#[tokio::test(flavor = "multi_thread")]
async fn a_lease_begins_with_its_claim_however_long_the_round_is() {
    let server = Server::start(&[(At::Between, Act::Drop), (At::Recipient, Act::Silence)]).await;
    let mut reseller = closed(LedgerKind::Sqlite);
    reseller.mail_to(server.port, "none");
    per_minute(&mut reseller, 15);
    let shift = Shift::new(&reseller, "2026-11-02T03:00:00Z");
    let _deliver = Running::start(shift.by_its_clock(reseller.command(&["deliver"])));
    eventually("the first one goes", || server.taken().len() == 1);
    shift.pass(60 * 60);
    let later = "SELECT COUNT(*) FROM outbox WHERE state = 'sending'
        AND lease_until > '2026-11-02T04:30:00.000Z'";
    eventually("the second one is in hand", || reseller.ledger_number(later) == 1);
}

/// An email whose end the ledger refuses to record takes no other down with it.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn one_that_cannot_be_recorded_keeps_no_other_from_being_recorded(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let server = Server::start(&[]).await;
    let mut reseller = closed(ledger);
    reseller.mail_to(server.port, "none");
    let (poison, cure) = match ledger {
        LedgerKind::Sqlite => (
            "CREATE TRIGGER poison BEFORE UPDATE ON outbox WHEN NEW.state = 'sent'
             AND NEW.recipient = 'd1@example.com' BEGIN SELECT RAISE(ABORT, 'poison'); END",
            "DROP TRIGGER poison",
        ),
        LedgerKind::Postgres => (
            "ALTER TABLE outbox ADD CONSTRAINT poison
             CHECK (NOT (state = 'sent' AND recipient = 'd1@example.com'))",
            "ALTER TABLE outbox DROP CONSTRAINT poison",
        ),
    };
    reseller.ledger_sql(poison);
    let refused = run(&reseller, &["deliver"]).expect(3);
    assert!(refused.stderr.contains("poison"), "{}", refused.stderr);
    let mut found = states(&reseller);
    found.sort_by_key(ToString::to_string);
    assert_eq!(found, ["sending", "sent", "sent"]);
    assert_eq!(server.taken().len(), 3);
    reseller.ledger_sql(cure);
    reseller.at("2026-11-02 03:46:00");
    assert_eq!(run(&reseller, &["deliver", "--json"]).expect(0).json()["sent"], 1);
    assert_eq!(states(&reseller), ["sent"; 3]);
}
