//! Emails handed over: to a server that misbehaves at every point, to a real Postfix, into a folder.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use fecha::letters::compose::{self, Envelope, InvoiceFiles};
use fecha::letters::email::Email;
use fecha::letters::mailbox::Sender;
use fecha::letters::template::Templates;
use fecha::post::FileMailer;
use fecha::post::Mailer;
use fecha::post::NotTaken;
use fecha::post::SmtpMailer;
use fecha::post::SmtpSettings;
use fecha::post::smtp::{Timeouts, Tls};
use fecha_core::letter::outcome::{Before, Trouble, whose};
use fecha_core::secret::Secret;
use rstest::rstest;
use serde_json::Value;

use crate::support::postfix::Postfix;
use crate::support::samples;
use crate::support::smtp::{Act, At, Server};

fn sender() -> Sender {
    Sender {
        from: fecha::letters::mailbox::mailbox("Faturamento São José <faturas@example.com>")
            .unwrap(),
        reply_to: Some(fecha::letters::mailbox::mailbox("financeiro@example.com").unwrap()),
    }
}

fn envelope(to: &str) -> Envelope {
    let date = "2026-11-01T03:00:01Z".parse().unwrap();
    let to = fecha::letters::mailbox::address(to).unwrap();
    Envelope { message_id: sender().new_message_id(date), to, date }
}

/// An invoice with two attachments of this many bytes.
fn invoice_email(to: &str, size: usize) -> Email {
    let templates = Templates::new().unwrap();
    let pdf = |byte: u8| [b"%PDF-1.7\n".to_vec(), vec![byte; size]].concat();
    let files = InvoiceFiles { invoice: pdf(1), statement: pdf(2), evidence: None };
    compose::invoice(&templates, envelope(to), &samples::invoice(), files).unwrap()
}

fn small() -> Email {
    invoice_email("loja@example.com", 1000)
}

fn quick() -> Timeouts {
    let moment = Duration::from_millis(500);
    Timeouts { connect: moment, command: moment, message: Duration::from_secs(2), quit: moment }
}

fn settings(port: u16, tls: Tls) -> SmtpSettings {
    let host = "localhost".to_owned();
    SmtpSettings { host, port, tls, username: None, password: None, ca_file: None }
}

fn plain(port: u16) -> Mailer {
    smtp(settings(port, Tls::None), quick())
}

fn smtp(settings: SmtpSettings, timeouts: Timeouts) -> Mailer {
    Mailer::Smtp(Box::new(SmtpMailer::new(settings, sender(), timeouts).unwrap()))
}

/// Whose trouble it is, in a word, and the error.
fn outcome<T>(taken: Result<T, NotTaken>) -> (&'static str, String) {
    let Err(not_taken) = taken else { return ("sent", String::new()) };
    let NotTaken::Server { problem, .. } = &not_taken else {
        return ("no server", not_taken.to_string());
    };
    let whose = match whose(problem, Before::Nothing) {
        Trouble::Passing => "retry",
        Trouble::Unanswered => "maybe delivered",
        Trouble::Email => "failed",
        Trouble::Away => "unreachable",
        Trouble::Everybodys => "everybody's",
    };
    (whose, not_taken.to_string())
}

/// Each fault once; then the same mailer sends the same email, and it arrives once.
#[rstest]
#[case(
    At::Greeting,
    Act::Say("421 4.3.2 closing"),
    "unreachable",
    "cannot connect: 421 4.3.2 closing"
)]
#[case(
    At::Greeting,
    Act::Say("554 5.7.1 go away"),
    "everybody's",
    "cannot connect: 554 5.7.1 go away"
)]
#[case(At::Greeting, Act::Silence, "unreachable", "cannot connect: no answer within")]
#[case(At::Greeting, Act::Drop, "unreachable", "cannot connect: the server closed the connection")]
#[case(At::Hello, Act::Say("550 who"), "everybody's", "cannot connect: 550 who")]
#[case(At::Sender, Act::Say("451 4.3.0 later"), "retry", "MAIL FROM: 451 4.3.0 later")]
#[case(At::Sender, Act::Say("550 5.7.1 no"), "everybody's", "MAIL FROM: 550 5.7.1 no")]
#[case(At::Sender, Act::Say("530 5.7.0 log in"), "everybody's", "MAIL FROM: 530 5.7.0 log in; set")]
#[case(At::Sender, Act::SayAndClose("421 4.3.2 bye"), "unreachable", "MAIL FROM: 421 4.3.2 bye")]
#[case(At::Sender, Act::Drop, "retry", "MAIL FROM: ")]
#[case(At::Sender, Act::Silence, "retry", "MAIL FROM: no answer within")]
#[case(At::Recipient, Act::Say("450 4.2.1 busy"), "retry", "RCPT TO: 450 4.2.1 busy")]
#[case(At::Recipient, Act::Say("550 5.1.1 unknown"), "failed", "RCPT TO: 550 5.1.1 unknown")]
#[case(At::Recipient, Act::SayAndClose("421 4.7.0 bye"), "retry", "RCPT TO: 421 4.7.0 bye")]
#[case(At::Recipient, Act::Drop, "retry", "RCPT TO: ")]
#[case(At::Data, Act::Say("452 4.3.1 full"), "retry", "DATA: 452 4.3.1 full")]
#[case(At::Data, Act::Say("554 5.5.1 no"), "failed", "DATA: 554 5.5.1 no")]
#[case(At::Data, Act::Drop, "retry", "DATA: ")]
#[case(At::Data, Act::Silence, "retry", "DATA: no answer within")]
#[case(At::End, Act::Say("451 4.3.0 later"), "retry", "end of message: 451 4.3.0 later")]
#[case(At::End, Act::Say("552 5.3.4 big"), "everybody's", "end of message: 552 5.3.4 big")]
#[case(At::End, Act::Say("354 go on"), "maybe delivered", "end of message: 354 go on")]
#[case(At::End, Act::Say("OK, thanks"), "maybe delivered", "does not answer as a mail server")]
#[case(At::Recipient, Act::Bytes(b"550 Usu\xe1rio desconhecido\r\n"), "failed", "550 Usuário desc")]
#[case(At::End, Act::Drop, "maybe delivered", "end of message: ")]
#[case(At::End, Act::Silence, "maybe delivered", "end of message: no answer within")]
#[tokio::test]
async fn a_fault(
    #[case] at: At,
    #[case] act: Act,
    #[case] expected: &str,
    #[case] expected_error: &str,
) {
    let server = Server::start(&[(at, act)]).await;
    let mut mailer = plain(server.port);
    let email = small();
    let (found, error) = outcome(mailer.send(&email).await);
    assert_eq!(found, expected, "{error}");
    assert!(error.contains(expected_error), "{error}");
    assert!(server.taken().is_empty());
    mailer.send(&email).await.unwrap();
    assert_eq!(server.taken().len(), 1);
}

/// A yes of 5,000 letters.
const LONG: &[u8] = &{
    let mut long = [b'a'; 5004];
    (long[0], long[1], long[2], long[3]) = (b'2', b'5', b'0', b' ');
    (long[5002], long[5003]) = (b'\r', b'\n');
    long
};

/// Each is a yes: what is taken for a lost connection is sent again, and again.
#[rstest]
#[case(At::Greeting, b"220 servi\xe7o de correio\r\n")]
#[case(At::Sender, b"250\r\n")]
#[case(At::Recipient, b"250-um\r\n250-dois\r\n250\n")]
#[case(At::Data, b"354\r\n")]
#[case(At::End, b"250\r\n")]
#[case(At::End, b"250 2.0.0 Aceito, n\xfamero 4F2\r\n")]
#[case(At::End, LONG)]
#[tokio::test]
async fn an_odd_yes_is_a_yes(#[case] at: At, #[case] yes: &'static [u8]) {
    let server = Server::start(&[(at, Act::Yes(yes))]).await;
    let mut mailer = plain(server.port);
    mailer.send(&small()).await.unwrap();
    mailer.send(&small()).await.unwrap();
    assert_eq!((server.taken().len(), server.connections()), (2, 1));
}

/// An endless answer, before any certificate: it is given up after 64 KiB, not after gigabytes.
#[rstest]
#[case(b"220 ")]
#[case(b"220-a\r\n")]
#[tokio::test]
async fn an_endless_greeting_is_given_up(#[case] piece: &'static [u8]) {
    let server = Server::start(&[(At::Greeting, Act::Endless(piece))]).await;
    let (found, error) = outcome(plain(server.port).send(&small()).await);
    assert_eq!(found, "unreachable");
    assert!(error.contains("its answer does not end"), "{error}");
}

/// Whoever sits on the line before it is encrypted must not put words into the server's mouth.
#[tokio::test]
async fn what_was_said_before_the_encryption_is_not_gone_on_with() {
    let offers = b"250-test\r\n250 STARTTLS\r\n";
    let script =
        [(At::Hello, Act::Yes(offers)), (At::Other, Act::Bytes(b"220 go\r\n250 forged\r\n"))];
    let server = Server::start(&script).await;
    let (found, error) =
        outcome(smtp(settings(server.port, Tls::StartTls), quick()).send(&small()).await);
    assert_eq!(found, "unreachable");
    assert!(error.contains("more before the encryption than it was asked"), "{error}");
}

/// A message larger than the buffers between: the client is still writing when the fault comes.
#[rstest]
#[case(Act::Drop)]
#[case(Act::Silence)]
#[tokio::test]
async fn a_line_lost_in_the_middle_of_a_message_delivers_nothing(#[case] act: Act) {
    let server = Server::start(&[(At::Content, act)]).await;
    let mut mailer = plain(server.port);
    let email = invoice_email("loja@example.com", 8_000_000);
    let (found, error) = outcome(mailer.send(&email).await);
    assert_eq!(found, "retry", "{error}");
    assert!(error.starts_with("DATA: "), "{error}");
}

#[tokio::test]
async fn many_emails_go_over_one_connection() {
    let server = Server::start(&[]).await;
    let mut mailer = plain(server.port);
    // In a task of its own, as the daemon does it.
    let work = async move {
        for to in ["a@example.com", "b@example.com", "c@example.com"] {
            mailer.send(&invoice_email(to, 1000)).await.unwrap();
        }
        mailer.close().await;
    };
    tokio::spawn(work).await.unwrap();
    assert_eq!(server.connections(), 1);
    assert_eq!(server.commands().last().map(String::as_str), Some("QUIT"));
    let to: Vec<String> = server.taken().into_iter().map(|taken| taken.to).collect();
    assert_eq!(to, ["a@example.com", "b@example.com", "c@example.com"]);
}

#[rstest]
#[case(Act::SayAndClose("421 4.4.2 idle too long"))]
#[case(Act::Drop)]
#[tokio::test]
async fn a_connection_closed_between_two_emails_is_no_fault_of_the_second(#[case] act: Act) {
    let server = Server::start(&[(At::Between, act)]).await;
    let mut mailer = plain(server.port);
    mailer.send(&small()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    mailer.send(&small()).await.unwrap();
    assert_eq!((server.connections(), server.taken().len()), (2, 2));
}

#[tokio::test]
async fn after_a_refusal_the_next_email_goes_over_the_same_connection() {
    let server = Server::start(&[(At::Recipient, Act::Say("550 5.1.1 unknown"))]).await;
    let mut mailer = plain(server.port);
    assert_eq!(outcome(mailer.send(&small()).await).0, "failed");
    mailer.send(&small()).await.unwrap();
    assert_eq!(server.connections(), 1);
    let expected = ["EHLO", "MAIL", "RCPT", "RSET", "MAIL", "RCPT", "DATA"];
    assert_eq!(server.commands(), expected);
}

#[tokio::test]
async fn the_server_gets_the_message_byte_by_byte() {
    let server = Server::start(&[]).await;
    let mut email = small();
    email.text = ".\r\n..\r\n.leading dots\r\n".to_owned();
    let mut mailer = plain(server.port);
    mailer.send(&email).await.unwrap();
    let taken = server.taken().remove(0);
    assert_eq!(taken.from, "faturas@example.com");
    assert_eq!(taken.to, "loja@example.com");
    assert_eq!(taken.data, email.to_bytes(&sender()).unwrap());
}

fn with_login(port: u16) -> Mailer {
    let login = (Some("faturas".to_owned()), Some(Secret::new("s3cret".to_owned())));
    let settings = settings(port, Tls::None);
    smtp(SmtpSettings { username: login.0, password: login.1, ..settings }, quick())
}

#[tokio::test]
async fn logs_in() {
    let server = Server::start(&[]).await;
    let mut mailer = with_login(server.port);
    mailer.send(&small()).await.unwrap();
    assert_eq!(server.logins(), ["faturas:s3cret"]);
    let answer = mailer.check().await.unwrap().replace(&server.port.to_string(), "PORT");
    insta::assert_snapshot!(answer, @"localhost:PORT answers as test (not encrypted, logged in as faturas)");
}

/// A wrong password must not fail 1,500 emails.
#[rstest]
#[case(Act::Say("535 5.7.8 authentication failed"), "everybody's")]
#[case(Act::Say("454 4.7.0 try later"), "unreachable")]
#[tokio::test]
async fn a_refused_login_concerns_no_email(#[case] act: Act, #[case] expected: &str) {
    let server = Server::start(&[(At::Login, act)]).await;
    let (found, error) = outcome(with_login(server.port).send(&small()).await);
    assert_eq!(found, expected);
    assert!(error.contains("cannot log in: "), "{error}");
    assert!(!error.contains("s3cret"));
    assert!(server.taken().is_empty());
}

#[tokio::test]
async fn nothing_is_said_before_starttls() {
    let server = Server::start(&[]).await;
    let login = (Some("faturas".to_owned()), Some(Secret::new("s3cret".to_owned())));
    let settings = settings(server.port, Tls::StartTls);
    let settings = SmtpSettings { username: login.0, password: login.1, ..settings };
    let error = smtp(settings, quick()).check().await.unwrap_err().to_string();
    insta::assert_snapshot!(error.replace(&server.port.to_string(), "PORT"), @"mail server localhost:PORT: cannot encrypt by STARTTLS: the server does not offer STARTTLS; check [email.smtp] port and tls; nothing was sent unencrypted");
    assert_eq!(server.commands(), ["EHLO"]);
    assert!(server.logins().is_empty());
}

#[tokio::test]
async fn a_server_that_is_away_is_named() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let (found, error) = outcome(plain(port).send(&small()).await);
    assert_eq!(found, "unreachable");
    insta::assert_snapshot!(error.replace(&port.to_string(), "PORT"), @"mail server localhost:PORT: cannot connect: Connection refused (os error 111); check [email.smtp] host, port and tls");
}

/// Reads a message as a mail program does: headers, then each part with its type, name and content.
fn parse(file: &Path) -> Value {
    const PROGRAM: &str = r#"
import email, email.policy, hashlib, json, sys
message = email.message_from_binary_file(open(sys.argv[1], "rb"), policy=email.policy.default)
parts = [part for part in message.walk() if not part.is_multipart()]
def part(part):
    content = part.get_payload(decode=True)
    text = part.get_content() if part.get_content_maintype() == "text" else None
    return {"type": part.get_content_type(), "name": part.get_filename(), "text": text,
            "size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
names = ["From", "To", "Reply-To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version", "Bcc"]
print(json.dumps({"headers": {name: message[name] for name in names}, "defects": len(message.defects),
    "structure": [part.get_content_type() for part in message.walk()],
    "return_path": message["Return-Path"], "parts": [part(p) for p in parts]}))
"#;
    let output = Command::new("python3").args(["-c", PROGRAM]).arg(file).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn sha256(bytes: &[u8]) -> String {
    use sha2::Digest as _;
    hex::encode(sha2::Sha256::digest(bytes))
}

/// Whether `found`, a message read back, is `email`.
fn assert_same(found: &Value, email: &Email) {
    assert_eq!(found["headers"]["Subject"], email.subject.as_str());
    assert_eq!(found["headers"]["Message-ID"], email.message_id.as_str());
    assert_eq!(found["headers"]["To"], email.to.as_str());
    assert_eq!(found["headers"]["From"], "Faturamento São José <faturas@example.com>");
    assert_eq!(found["headers"]["Reply-To"], "financeiro@example.com");
    assert_eq!(found["headers"]["Auto-Submitted"], "auto-generated");
    assert_eq!(found["headers"]["Date"], "Sun, 01 Nov 2026 03:00:01 +0000");
    assert_eq!(found["headers"]["Bcc"], Value::Null);
    assert_eq!(found["defects"], 0);
    let expected = [("text/plain", &email.text), ("text/html", &email.html)];
    for (part, (kind, text)) in expected.iter().enumerate() {
        let part = &found["parts"][part];
        assert_eq!(part["type"], *kind);
        assert_eq!(
            part["text"].as_str().unwrap().replace("\r\n", "\n").trim_end(),
            text.trim_end()
        );
    }
    let attached = &found["parts"].as_array().unwrap()[2..];
    assert_eq!(attached.len(), email.attachments.len());
    for (found, attachment) in attached.iter().zip(&email.attachments) {
        assert_eq!(found["name"], attachment.file_name.as_str());
        assert_eq!(found["type"], attachment.content_type);
        assert_eq!(found["sha256"], sha256(&attachment.bytes));
    }
}

/// An invoice to a dealership with the worst of names, and the close report in two parts.
fn some_emails() -> Vec<Email> {
    let templates = Templates::new().unwrap();
    let to = || envelope("loja@example.com");
    let pdf = || b"%PDF-1.7\nextrato".to_vec();
    let digest = samples::digest();
    let sizes = [6_800_000, 500_000];
    let parts = compose::digest_parts(&digest, &sizes).unwrap();
    assert_eq!(parts.len(), 2);
    let part = |part: &fecha_core::letter::Part| {
        let pdfs = sizes[part.invoices.clone()].iter().map(|size| vec![7; *size]).collect();
        compose::digest(&templates, to(), &digest, part, pdfs).unwrap()
    };
    let evidence = Some(b"id,contact\n".to_vec());
    let files = InvoiceFiles { invoice: pdf(), statement: pdf(), evidence };
    let mut emails = vec![
        small(),
        compose::invoice(&templates, to(), &samples::revision(), files).unwrap(),
        compose::alert(&templates, to(), &samples::alert()).unwrap(),
    ];
    emails.extend(parts.iter().map(part));
    emails
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_postfix_takes_them_over_starttls() {
    let postfix = Postfix::start("DNS:localhost");
    let ca_file = Some(postfix.authority());
    let settings = SmtpSettings { ca_file, ..settings(postfix.port, Tls::StartTls) };
    let mut mailer = smtp(settings, Timeouts::default());
    let answer = mailer.check().await.unwrap().replace(&postfix.port.to_string(), "PORT");
    insta::assert_snapshot!(answer, @"localhost:PORT answers as mail.example.com (STARTTLS, no login)");
    let emails = some_emails();
    for email in &emails {
        mailer.send(email).await.unwrap();
        assert!(email.to_bytes(&sender()).unwrap().len() < 10_000_000);
    }
    mailer.close().await;
    let found: Vec<Value> =
        postfix.wait_for_mail(emails.len()).iter().map(|file| parse(file)).collect();
    for email in &emails {
        let id = email.message_id.as_str();
        let of_id: Vec<_> = found.iter().filter(|m| m["headers"]["Message-ID"] == id).collect();
        assert_eq!(of_id.len(), 1, "{}", email.subject);
        assert_same(of_id[0], email);
        assert_eq!(of_id[0]["return_path"], "<faturas@example.com>");
    }
    let invoice =
        found.iter().find(|m| m["headers"]["Message-ID"] == emails[0].message_id.as_str());
    let structure = ["multipart/mixed", "multipart/alternative", "text/plain", "text/html"];
    let structure = [&structure[..], &["application/pdf"; 2]].concat();
    assert_eq!(invoice.unwrap()["structure"], serde_json::json!(structure));
}

/// An authority that nobody trusts; a certificate for another name.
#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_certificate_is_refused() {
    let postfix = Postfix::start("DNS:mail.example.com");
    let mut errors = Vec::new();
    for ca_file in [None, Some(postfix.authority())] {
        let settings = SmtpSettings { ca_file, ..settings(postfix.port, Tls::StartTls) };
        let mut mailer = smtp(settings, Timeouts::default());
        let (found, error) = outcome(mailer.send(&small()).await);
        assert_eq!(found, "unreachable");
        errors.push(error.replace(&postfix.port.to_string(), "PORT"));
    }
    insta::assert_snapshot!(errors.join("\n"), @r#"
    mail server localhost:PORT: cannot encrypt by STARTTLS: invalid peer certificate: UnknownIssuer; the server's certificate must be for [email.smtp] host and from an authority that this machine, or [email.smtp] ca_file, trusts
    mail server localhost:PORT: cannot encrypt by STARTTLS: invalid peer certificate: certificate not valid for name "localhost"; certificate is only valid for DnsName("mail.example.com"); the server's certificate must be for [email.smtp] host and from an authority that this machine, or [email.smtp] ca_file, trusts
    "#);
}

#[tokio::test]
async fn a_folder_takes_them_as_files() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("mail");
    let mut mailer = Mailer::File(FileMailer::new(dir.clone(), sender()));
    assert!(mailer.check().await.unwrap().ends_with("mail'"));
    assert_eq!(std::fs::read_dir(&dir).unwrap().count(), 0);
    let emails = some_emails();
    // Every one twice, as after a crash between sending and recording.
    for email in emails.iter().chain(&emails) {
        mailer.send(email).await.unwrap();
    }
    let mut files: Vec<_> =
        std::fs::read_dir(&dir).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    assert!(files.iter().all(|file| file.extension().is_some_and(|end| end == "eml")));
    assert_eq!(files.len(), emails.len());
    for email in &emails {
        let of_id = |found: &Value| found["headers"]["Message-ID"] == email.message_id.as_str();
        assert_same(&files.iter().map(|file| parse(file)).find(of_id).unwrap(), email);
    }
    let name = |index: usize| files[index].file_name().unwrap().to_str().unwrap().to_owned();
    assert!(name(0).starts_with("aviso-"));
    assert!(name(1).starts_with("fatura-2026-000001-"));
    assert!(name(2).starts_with("fatura-2026-000001-R2-"));
    assert!(name(3).starts_with("fechamento-2026-10-parte-1-de-2-"));
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_concerns_no_email() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("mail");
    std::fs::write(&dir, "a file").unwrap();
    let mut mailer = Mailer::File(FileMailer::new(dir.clone(), sender()));
    let (found, error) = outcome(mailer.send(&small()).await);
    assert_eq!(found, "no server");
    let path = dir.to_str().unwrap();
    insta::assert_snapshot!(error.replace(path, "mail"), @"cannot write emails to 'mail': File exists (os error 17)");
    assert!(mailer.check().await.is_err());
}
