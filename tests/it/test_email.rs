//! `fecha check --send-to`: one email, to whom a person named, and what answered.

use serde_json::Value;

use crate::support::reseller::{LedgerKind, Ran, Reseller};
use crate::support::smtp::{Act, At, Server};

fn ready() -> Reseller {
    let reseller = Reseller::new(LedgerKind::Sqlite);
    reseller.register(&[("d1", "", "5000")]);
    reseller.add_contacts("d1", 3, "2026-11-01T12:00:00Z");
    reseller
}

const TO: [&str; 4] = ["check", "--json", "--send-to", "ana@example.com"];

fn told(ran: &Ran) -> Value {
    let checks = ran.json()["checks"].clone();
    let checks = checks.as_array().unwrap();
    checks.iter().find(|check| check["what"] == "test email").unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_server_answered_is_told() {
    let server = Server::start(&[(At::End, Act::Yes(b"250 2.0.0 Ok: queued as 4F2B1\r\n"))]).await;
    let mut reseller = ready();
    reseller.mail_to(server.port, "none");
    reseller.variables.push(("FECHA_EMAIL__REDIRECT".into(), "teste@example.com".into()));
    let told = told(&reseller.run(&TO).expect(0));
    let expected = format!(
        "a test email to ana@example.com: localhost:{} answered: 250 2.0.0 Ok: queued as 4F2B1\nit went to ana@example.com itself; every other email goes to teste@example.com, as [email] redirect says",
        server.port
    );
    assert_eq!(told["detail"], expected);
    assert_eq!(told["ok"], true);
    let taken = server.taken();
    assert_eq!(taken.len(), 1);
    assert_eq!(taken[0].to, "ana@example.com");
    let message = String::from_utf8(taken[0].data.clone()).unwrap();
    assert!(message.contains("Subject: Teste de envio: "), "{message}");
    assert!(message.contains("Auto-Submitted: auto-generated"), "{message}");
    assert!(reseller.outbox().is_empty(), "it does not go by the outbox");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_told_and_fails_the_check() {
    let no = Act::Say("550 5.1.1 no such user");
    let server =
        Server::start(&[(At::Recipient, no), (At::Recipient, Act::Say("451 4.7.1 later"))]).await;
    let mut reseller = ready();
    reseller.mail_to(server.port, "none");
    let refused = told(&reseller.run(&TO).expect(2));
    let detail = refused["detail"].as_str().unwrap();
    assert!(detail.starts_with("the test email to ana@example.com was not taken: "), "{detail}");
    assert!(detail.contains("550 5.1.1 no such user"), "{detail}");
    // Not now: the same may work later.
    let later = told(&reseller.run(&TO).expect(3));
    assert!(later["detail"].as_str().unwrap().contains("451 4.7.1 later"), "{later}");
    assert!(server.taken().is_empty());
}

#[test]
fn to_a_server_that_is_away_none_goes() {
    let mut reseller = ready();
    reseller.mail_to(1, "none");
    let told = told(&reseller.run(&TO));
    assert_eq!(told["detail"], "not sent to ana@example.com: see mail");
}

#[test]
fn into_a_folder_it_goes_as_all_others() {
    let reseller = ready();
    let told = told(&reseller.run(&TO).expect(0));
    let detail = told["detail"].as_str().unwrap();
    assert!(detail.contains("/mail/teste-") && detail.contains("nothing went out"), "{detail}");
    let refused = reseller.run(&["check", "--send-to", "ana"]).expect(2).stderr;
    assert!(refused.contains("'ana' is no email address"), "{refused}");
}
