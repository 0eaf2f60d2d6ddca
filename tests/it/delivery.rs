//! `fecha deliver` with the real command: to a real Postfix, and to a server that misbehaves.

use rstest::rstest;
use serde_json::{Value, json};

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
