//! A mail server that refuses everybody, and what a person does about what failed.

use rstest::rstest;
use serde_json::{Value, json};

use crate::support::daemon::eventually;
use crate::support::reseller::{LedgerKind, Ran, Reseller};
use crate::support::smtp::{Act, At, Server};

/// A month closed for a dozen dealerships, its emails waiting.
fn closed(ledger: LedgerKind) -> Reseller {
    let mut reseller = Reseller::new(ledger);
    let ids: Vec<String> = (1..=12).map(|n| format!("d{n:02}")).collect();
    let rows: Vec<_> = ids.iter().map(|id| (id.as_str(), "", "5000")).collect();
    reseller.register(&rows);
    reseller.add_contacts("d01", 3, "2026-10-31T12:00:00Z");
    reseller.at("2026-11-02 03:00:00");
    run(&reseller, &["close"]).expect(0);
    reseller
}

fn run(reseller: &Reseller, arguments: &[&str]) -> Ran {
    tokio::task::block_in_place(|| reseller.run(arguments))
}

/// How many emails are in the state.
fn in_state(reseller: &Reseller, state: &str) -> i64 {
    reseller.ledger_number(&format!("SELECT COUNT(*) FROM outbox WHERE state = '{state}'"))
}

#[rstest]
#[case(At::Sender, "550 5.4.5 Daily user sending limit exceeded.")]
#[case(At::Sender, "501 5.1.7 Bad sender address syntax")]
#[case(At::Sender, "503 5.5.1 Bad sequence of commands")]
#[case(At::Sender, "535 5.7.8 Authentication failed")]
#[case(At::Sender, "552 Account over quota")]
#[case(At::Sender, "554 5.7.1 Account blocked")]
#[case(At::Recipient, "550 daily limit of 500 messages reached")]
#[case(At::End, "554 5.2.0 STOREDRV.Submission.Exception:SubmissionQuotaExceededException")]
#[case(At::End, "550 5.4.5 Daily user sending limit exceeded.")]
#[tokio::test(flavor = "multi_thread")]
async fn a_refused_sender_fails_no_email(#[case] at: At, #[case] answer: &'static str) {
    let server = Server::start(&vec![(at, Act::Say(answer)); 300]).await;
    let mut reseller = closed(LedgerKind::Sqlite);
    reseller.mail_to(server.port, "none");
    let refused = run(&reseller, &["deliver"]).expect(3);
    assert!(refused.stderr.contains(answer), "{}", refused.stderr);
    assert!(refused.stderr.contains("every email waits"), "{}", refused.stderr);
    // One a connection, or three in a row: not all of them.
    assert!(server.commands().iter().filter(|command| *command == "MAIL").count() <= 7);
    assert_eq!(in_state(&reseller, "pending"), 13, "{:#?}", reseller.outbox());
    let status = run(&reseller, &["status"]).expect(1).stdout;
    assert!(status.contains("the mail server refuses all emails, 13 wait"), "{status}");

    let healthy = Server::start(&[]).await;
    reseller.mail_to(healthy.port, "none").at("2026-11-03 09:00:00");
    assert_eq!(run(&reseller, &["deliver", "--json"]).expect(0).json()["sent"], 13);
    assert_eq!((in_state(&reseller, "sent"), healthy.taken().len()), (13, 13));
    assert!(!run(&reseller, &["status"]).stdout.contains("refuses all"));
}

/// What the server says of one recipient for ever keeps nobody else from getting mail.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn one_recipient_with_a_policy_holds_up_the_others_once(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let policy = Act::Say("550 5.7.1 this user takes no mail from outside");
    let server = Server::start(&[(At::Recipient, policy)]).await;
    let mut reseller = closed(ledger);
    reseller.mail_to(server.port, "none").at("2026-11-02 03:05:00");
    run(&reseller, &["deliver"]).expect(3);
    let refused = "state = 'pending' AND refused_at IS NOT NULL";
    assert_eq!(reseller.ledger_number(&format!("SELECT COUNT(*) FROM outbox WHERE {refused}")), 1);
    let last = "SELECT refused_at FROM outbox WHERE state = 'pending' ORDER BY next_attempt_at DESC, id DESC LIMIT 1";
    assert!(reseller.ledger_texts(last)[0].starts_with("2026-11-02T03:0"), "it goes last");
    // All others go; then the server says the same of that one, and it waits alone.
    reseller.ledger_sql(&format!("UPDATE outbox SET state = 'withdrawn' WHERE {refused}"));
    reseller.at("2026-11-02 03:10:00");
    run(&reseller, &["deliver"]).expect(0);
    assert_eq!(in_state(&reseller, "sent"), 12);
    reseller.ledger_sql("UPDATE outbox SET state = 'pending' WHERE state = 'withdrawn'");
    let stubborn = Server::start(&[(At::Recipient, policy); 100]).await;
    reseller.mail_to(stubborn.port, "none").at("2026-11-02 03:12:00");
    let delivered = run(&reseller, &["deliver", "--json"]).expect(0).json();
    assert_eq!((delivered["sent"].clone(), delivered["retried"].clone()), (json!(0), json!(1)));
    reseller.at("2026-11-07 03:12:00");
    run(&reseller, &["deliver"]).expect(1);
    assert_eq!(in_state(&reseller, "failed"), 1, "given up after four days");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn what_failed_goes_again_to_the_addresses_of_today(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let unknown = Act::Say("550 5.1.1 no such user");
    let server = Server::start(&[(At::Recipient, unknown); 13]).await;
    let mut reseller = closed(ledger);
    reseller.mail_to(server.port, "none");
    run(&reseller, &["deliver"]).expect(1);
    assert_eq!(in_state(&reseller, "failed"), 13);
    // One address was wrong; the others were not, after all.
    let row = crate::support::reseller::dealership("d02", "")
        .replace("d02@example.com", "novo@example.com");
    let header = "id,name,trade_name,cnpj,address,city,state,email,cc,timezone,due_day\n";
    reseller.write("d02.csv", &format!("{header}{row}"));
    let file = reseller.path("d02.csv").display().to_string();
    run(&reseller, &["import", "--dealerships", &file]).expect(0);

    let month = run(&reseller, &["resend", "--failed", "--month", "2026-09", "--json"]).expect(0);
    assert_eq!(month.json(), json!([]));
    let again = run(&reseller, &["resend", "--failed", "--json"]).expect(0).json();
    assert_eq!(again.as_array().unwrap().len(), 13);
    let of_d02: Vec<&Value> =
        again.as_array().unwrap().iter().filter(|r| r["number"] == "2026-000002").collect();
    assert_eq!(of_d02[0]["queued"], json!(["novo@example.com"]));
    assert_eq!((in_state(&reseller, "failed"), in_state(&reseller, "pending")), (0, 13));
    assert!(!run(&reseller, &["status"]).stdout.contains("failed:"));
    assert_eq!(run(&reseller, &["resend", "--failed", "--json"]).expect(0).json(), json!([]));

    assert_eq!(run(&reseller, &["deliver", "--json"]).expect(0).json()["sent"], 13);
    let to: Vec<String> = server.taken().into_iter().map(|taken| taken.to).collect();
    assert!(
        to.contains(&"novo@example.com".to_owned()) && !to.contains(&"d02@example.com".to_owned())
    );
    assert!(to.contains(&"financeiro@example.com".to_owned()), "{to:?}");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_report_can_be_had_again(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let mut reseller = closed(ledger);
    let server = Server::start(&[]).await;
    reseller.mail_to(server.port, "none");
    run(&reseller, &["deliver"]).expect(0);
    let report = |server: &Server| {
        let to = "financeiro@example.com";
        server.taken().into_iter().filter(|taken| taken.to == to).collect::<Vec<_>>()
    };
    assert_eq!(report(&server).len(), 1);
    let resent = run(&reseller, &["resend", "2026-10", "--json"]).expect(0).json();
    assert_eq!(
        (resent["month"].clone(), resent["queued"].clone()),
        (json!("2026-10"), json!(["financeiro@example.com"]))
    );
    run(&reseller, &["resend", "2026-10", "--to", "diretor@example.com"]).expect(0);
    assert_eq!(run(&reseller, &["deliver", "--json"]).expect(0).json()["sent"], 2);
    let both = report(&server);
    // The same to the byte, but for its Message-ID, the boundaries made of it, and the day.
    assert_eq!(both.len(), 2);
    assert_eq!(both[0].data.len(), both[1].data.len());

    let dir = reseller.path("relatorio").display().to_string();
    let wrote = run(&reseller, &["digest", "--month", "2026-10", "--dir", &dir, "--json"]);
    let files = wrote.expect(0).json()["files"].as_array().unwrap().len();
    assert_eq!(files, 4, "words as text and HTML, workbook, archive");
    let archive = std::fs::read_dir(&dir).unwrap().map(|entry| entry.unwrap().path());
    let archive = archive.into_iter().find(|path| path.extension().is_some_and(|e| e == "zip"));
    let archive = zip::ZipArchive::new(std::fs::File::open(archive.unwrap()).unwrap()).unwrap();
    assert_eq!(archive.len(), 12);

    let none = run(&reseller, &["resend", "2026-08"]).expect(2).stderr;
    assert!(none.contains("no report of 2026-08 yet"), "{none}");
    run(&reseller, &["digest", "--month", "2026-08", "--dir", &dir]).expect(2);
    let neither = run(&reseller, &["resend", "outubro"]).expect(2).stderr;
    assert!(neither.contains("neither an invoice number"), "{neither}");
}

/// A worker that is killed with an email in hand may have handed it over.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_died_may_have_delivered(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let server = Server::start(&[(At::End, Act::Silence)]).await;
    let mut reseller = closed(ledger);
    reseller.mail_to(server.port, "none");
    let mut deliver = reseller.command(&["deliver"]).spawn().unwrap();
    eventually("one is in hand", || {
        in_state(&reseller, "sending") == 1 && in_state(&reseller, "sent") == 12
    });
    deliver.kill().unwrap();
    deliver.wait().unwrap();
    reseller.at("2026-11-02 03:50:00");
    assert_eq!(run(&reseller, &["deliver", "--json"]).expect(0).json()["sent"], 1);
    let twice = reseller.ledger_number("SELECT SUM(maybe_twice) FROM outbox");
    assert_eq!(twice, 1);
    let listed = run(&reseller, &["outbox"]).expect(0).stdout;
    assert_eq!(listed.matches("possibly delivered twice").count(), 1, "{listed}");
}
