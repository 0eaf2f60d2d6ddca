//! Answers that servers really give, and whose trouble they are.

use rstest::rstest;

use super::Phase::{Answer, Connect, Encrypt, Login, Message, Recipient, Sender};
use super::Trouble::{Away, Email, Everybodys, Passing, Unanswered};
use super::*;
use crate::letter::reply::ReplyReader;

fn reply(text: &str) -> Reply {
    let text = format!("{text}\r\n");
    ReplyReader::default().take(text.as_bytes()).unwrap().1.unwrap()
}

fn refused(phase: Phase, text: &str) -> Problem {
    Problem { phase, fault: Fault::Refused(reply(text)) }
}

#[rstest]
// Greeting, EHLO, STARTTLS.
#[case(Connect, "421 4.7.0 Too many connections", Away)]
#[case(Connect, "554 5.7.1 Your host is blocked", Everybodys)]
#[case(Connect, "501 Invalid domain name", Everybodys)]
#[case(Encrypt, "454 4.7.0 TLS not available due to local problem", Away)]
#[case(Encrypt, "502 5.5.1 STARTTLS not supported", Everybodys)]
// AUTH.
#[case(Login, "535 5.7.8 Username and Password not accepted", Everybodys)] // Gmail
#[case(Login, "535 5.7.139 Authentication unsuccessful, user is locked", Everybodys)] // Office 365
#[case(Login, "454 4.7.0 Temporary authentication failure", Away)]
#[case(Login, "432 4.7.12 A password transition is needed", Away)]
// MAIL FROM: whatever it is, it is about the sender.
#[case(Sender, "550 5.4.5 Daily user sending limit exceeded.", Everybodys)] // Gmail
#[case(
    Sender,
    "550 5.7.60 SMTP; Client does not have permissions to send as this sender",
    Everybodys
)]
#[case(Sender, "550 5.1.0 Sender address rejected", Everybodys)]
#[case(
    Sender,
    "553 5.7.1 <faturas@example.com>: Sender address rejected: not owned by user",
    Everybodys
)]
#[case(Sender, "530 5.7.0 Must issue a STARTTLS command first", Everybodys)]
#[case(Sender, "530 5.7.1 Authentication required", Everybodys)]
#[case(Sender, "501 5.1.7 Invalid address", Everybodys)]
#[case(Sender, "503 5.5.1 Error: need EHLO", Everybodys)]
#[case(Sender, "535 Authentication failed", Everybodys)]
#[case(Sender, "552 5.3.4 Message size exceeds fixed limit", Everybodys)]
#[case(Sender, "554 Message rejected: Email address is not verified", Everybodys)] // Amazon SES, sandbox
#[case(Sender, "421 4.7.0 Try again later, closing connection", Away)]
#[case(Sender, "451 4.7.1 Greylisting in action", Passing)]
#[case(Sender, "452 4.3.1 Insufficient system storage", Passing)]
// RCPT TO.
#[case(Recipient, "550 5.1.1 The email account that you tried to reach does not exist", Email)] // Gmail
#[case(Recipient, "550 5.1.10 RESOLVER.ADR.RecipientNotFound", Email)] // Office 365
#[case(Recipient, "550 Requested action not taken: mailbox unavailable", Email)]
#[case(
    Recipient,
    "550 <x@y.com>: Recipient address rejected: User unknown in local recipient table",
    Email
)]
#[case(Recipient, "553 sorry, that domain isn't in my list of allowed rcpthosts", Email)]
#[case(Recipient, "501 5.1.3 Bad recipient address syntax", Email)] // Postfix
#[case(Recipient, "550 5.1.8 <f@a.com>: Sender address rejected: Domain not found", Everybodys)] // Postfix
#[case(Recipient, "553 5.1.7 Bad sender's mailbox address syntax", Everybodys)]
#[case(Recipient, "550 5.2.1 The email account that you tried to reach is disabled", Passing)]
#[case(Recipient, "552 5.2.2 The email account that you tried to reach is over quota", Passing)]
#[case(Recipient, "554 5.7.1 <x@y.com>: Relay access denied", Everybodys)] // Postfix, without login
#[case(Recipient, "550 5.7.1 Service unavailable; client host blocked using Spamhaus", Everybodys)]
#[case(Recipient, "550 5.4.5 Daily SMTP relay limit exceeded for user", Everybodys)] // Gmail
#[case(Recipient, "450 4.2.1 The user is receiving mail too quickly", Passing)]
#[case(Recipient, "452 4.5.3 Too many recipients", Passing)]
#[case(Recipient, "421 4.7.0 Try again later", Passing)]
// DATA, the message, its end.
#[case(Message, "554 5.5.1 Error: no valid recipients", Email)]
#[case(Message, "452 4.3.1 Insufficient system storage", Passing)]
#[case(Message, "250 Ok", Passing)] // instead of 354
#[case(Answer, "550 5.4.5 Daily user sending limit exceeded.", Everybodys)] // Gmail
#[case(
    Answer,
    "554 5.2.0 STOREDRV.Submission.Exception:SubmissionQuotaExceededException",
    Everybodys
)]
#[case(Answer, "550 5.7.1 Message rejected due to content restrictions", Everybodys)]
#[case(Answer, "552 5.3.4 Message size exceeds fixed limit", Everybodys)]
#[case(Answer, "554 5.3.0 Rejected", Everybodys)]
#[case(Answer, "550 5.1.1 User unknown", Email)] // LMTP behind it
#[case(Answer, "552 5.2.2 Mailbox full", Passing)]
#[case(Answer, "554 5.6.0 Message contains bare newlines", Email)]
#[case(Answer, "554 Transaction failed", Email)]
#[case(Answer, "432 4.3.2 STOREDRV.ClientSubmit; sender thread limit exceeded", Passing)] // Office 365
#[case(Answer, "451 4.3.0 Temporary lookup failure", Passing)]
#[case(Answer, "354 go on", Unanswered)]
#[case(Answer, "350 well", Unanswered)]
fn real_answers(#[case] phase: Phase, #[case] text: &str, #[case] expected: Trouble) {
    assert_eq!(whose(&refused(phase, text), Before::Nothing), expected, "{text}");
}

#[rstest]
#[case(Connect, Away)]
#[case(Encrypt, Away)]
#[case(Login, Away)]
#[case(Sender, Passing)]
#[case(Recipient, Passing)]
#[case(Message, Passing)]
#[case(Answer, Unanswered)]
fn lines_that_are_lost(#[case] phase: Phase, #[case] expected: Trouble) {
    let faults = [Fault::Broken("reset".to_owned()), Fault::Silent(Duration::from_mins(5))];
    for fault in faults {
        assert_eq!(whose(&Problem { phase, fault }, Before::Nothing), expected);
    }
}

/// A server that takes others has nothing against the sender.
#[rstest]
#[case(Recipient, "550 5.7.1 this user takes no mail from outside", Passing)]
#[case(Answer, "554 5.2.0 quota", Passing)]
#[case(Answer, "552 5.3.4 Message size exceeds fixed limit", Email)]
#[case(Recipient, "550 no such user", Email)]
#[case(Sender, "550 5.4.5 Daily user sending limit exceeded.", Everybodys)]
fn where_others_were_taken_since(
    #[case] phase: Phase,
    #[case] text: &str,
    #[case] expected: Trouble,
) {
    assert_eq!(whose(&refused(phase, text), Before::OthersTaken), expected, "{text}");
}

/// The judgements of answers at RCPT to recipients, in this order.
fn judged(answers: &[(&str, &str)]) -> Vec<(Trouble, usize)> {
    let mut streak = Streak::default();
    let judge = |(n, (recipient, text)): (usize, &(&str, &str))| {
        if *text == "taken" {
            streak.taken();
            return (Passing, 0);
        }
        let email = Met { id: n.to_string(), recipient: (*recipient).to_owned() };
        let Judgement { trouble, innocent } = streak.judge(&refused(Recipient, text), email, false);
        (trouble, innocent.len())
    };
    answers.iter().enumerate().map(judge).collect()
}

#[test]
fn one_answer_to_three_recipients_in_a_row_is_about_none_of_them() {
    let quota = "550 <x@y.com> daily limit of 500 reached";
    let unknown = "550 5.1.1 no such user";
    let found = judged(&[("a", quota), ("b", quota), ("c", quota), ("d", quota)]);
    assert_eq!(found, [(Email, 0), (Email, 0), (Everybodys, 2), (Everybodys, 0)]);
    // One recipient with three emails is one.
    let found = judged(&[("a", quota), ("a", quota), ("a", quota), ("b", quota), ("c", quota)]);
    assert_eq!(found, [(Email, 0), (Email, 0), (Email, 0), (Email, 0), (Everybodys, 4)]);
    // Addresses that are no more are no trouble of the sender's, however many.
    let found = judged(&[("a", unknown), ("b", unknown), ("c", unknown)]);
    assert_eq!(found, [(Email, 0); 3]);
    for between in ["taken", "450 4.2.1 busy", unknown, "554 5.5.0 something else"] {
        let found = judged(&[("a", quota), ("b", quota), ("c", between), ("d", quota)]);
        assert_eq!(found[3], (Email, 0), "{between}");
    }
}

#[test]
fn ends_a_connection() {
    assert!(refused(Answer, "421 4.7.0 closing").ends_connection());
    assert!(refused(Answer, "354 go on").ends_connection());
    assert!(!refused(Recipient, "550 no").ends_connection());
    let lost = Problem { phase: Sender, fault: Fault::Broken("reset".to_owned()) };
    assert!(lost.ends_connection() && lost.is_stale_connection());
}

#[test]
fn names_the_step_and_the_servers_answer() {
    assert_eq!(refused(Recipient, "550 no").to_string(), "RCPT TO: 550 no");
    let silent = Problem { phase: Answer, fault: Fault::Silent(Duration::from_mins(5)) };
    assert_eq!(silent.to_string(), "end of message: no answer within 300 seconds");
}
