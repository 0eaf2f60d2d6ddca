//! One email over an open SMTP connection, and what each way of failing means for it (RFC 5321).

use std::error::Error as _;
use std::future::Future;
use std::slice::Chunks;
use std::time::Duration;

use lettre::Address;
use lettre::transport::smtp::Error as SmtpError;
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};

use super::smtp::Timeouts;
use crate::letters::text::{one_line, shortened};
use fecha_core::letter::Delivery;

/// Longest answer of a server that is kept, in characters.
const ANSWER_LENGTH: usize = 400;

/// Why a step of the dialogue did not succeed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Fault {
    /// The server said no.
    #[error("{code} {answer}")]
    Refused {
        /// Three digits.
        code: String,
        /// In the server's words.
        answer: String,
    },
    /// The line was lost, or either side does not speak as it should.
    #[error("{0}")]
    Broken(String),
    /// The server went silent.
    #[error("no answer within {} seconds", .0.as_secs())]
    Silent(Duration),
}

/// How far an email came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// `MAIL FROM`, the first command of an email.
    Sender,
    /// `RCPT TO`.
    Recipient,
    /// `DATA` and the message, its end not yet written.
    Message,
    /// The end of the message is written: the server may have taken it.
    Answer,
}

/// An email that was not taken: where it failed, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SmtpProblem {
    pub step: Step,
    pub fault: Fault,
}

impl Fault {
    /// Whether the server's code begins so.
    pub(super) fn is_refused_with(&self, start: &str) -> bool {
        matches!(self, Self::Refused { code, .. } if code.starts_with(start))
    }
}

impl From<SmtpError> for Fault {
    fn from(error: SmtpError) -> Self {
        let mut innermost = error.source();
        while let Some(source) = innermost.and_then(std::error::Error::source) {
            innermost = Some(source);
        }
        let text = innermost.map_or_else(|| error.to_string(), ToString::to_string);
        let text = shortened(&one_line(&text), ANSWER_LENGTH);
        match error.status() {
            Some(code) => Self::Refused { code: code.to_string(), answer: text },
            // The library's words for an end of the stream.
            None if text == "incomplete response" => {
                Self::Broken("the server closed the connection".to_owned())
            }
            None => Self::Broken(text),
        }
    }
}

impl SmtpProblem {
    /// Whether nothing more can be said over this connection: it is broken, or the server has announced
    /// its end (421).
    pub fn ends_connection(&self) -> bool {
        !matches!(self.fault, Fault::Refused { .. }) || self.fault.is_refused_with("421")
    }

    /// Whether a connection that had been idle was found closed, before the server heard of this email.
    pub fn is_stale_connection(&self) -> bool {
        self.step == Step::Sender && self.ends_connection()
    }

    /// What the problem means for the email.
    pub fn into_delivery(self) -> Delivery {
        let fault = &self.fault;
        let doing = match self.step {
            Step::Sender => "MAIL FROM",
            Step::Recipient => "RCPT TO",
            Step::Message => "DATA",
            Step::Answer => "end of message",
        };
        let error = format!("{doing}: {fault}");
        match (self.step, fault) {
            // The server serves nobody now, or wants a login: no email's fault.
            (Step::Sender, _) if fault.is_refused_with("421") => Delivery::Unreachable { error },
            (Step::Sender, _) if fault.is_refused_with("530") => Delivery::Unreachable {
                error: format!("{error}; set [email.smtp] username and its password"),
            },
            (_, Fault::Refused { .. }) if fault.is_refused_with("5") => Delivery::Failed { error },
            (_, Fault::Refused { .. }) => Delivery::Retry { error, maybe_delivered: false },
            (step, Fault::Broken(_) | Fault::Silent(_)) => {
                Delivery::Retry { error, maybe_delivered: step == Step::Answer }
            }
        }
    }
}

/// Waits for one step of the dialogue, but not for ever: the library's own timeout does not cover a
/// server that goes silent.
pub(super) async fn in_time<T>(
    limit: Duration,
    step: impl Future<Output = Result<T, SmtpError>>,
) -> Result<T, Fault> {
    match tokio::time::timeout(limit, step).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) => Err(error.into()),
        Err(_) => Err(Fault::Silent(limit)),
    }
}

/// Hands one message over. It is ASCII with ASCII addresses, so no extension is needed.
pub(super) async fn run(
    connection: &mut AsyncSmtpConnection,
    (sender, recipient): (Address, Address),
    message: &[u8],
    timeouts: &Timeouts,
) -> Result<(), SmtpProblem> {
    let at = |step| move |fault| SmtpProblem { step, fault };
    let mail = Mail::new(Some(sender), Vec::new());
    in_time(timeouts.command, connection.command(mail)).await.map_err(at(Step::Sender))?;
    let rcpt = Rcpt::new(recipient, Vec::new());
    in_time(timeouts.command, connection.command(rcpt)).await.map_err(at(Step::Recipient))?;
    in_time(timeouts.command, connection.command(Data)).await.map_err(at(Step::Message))?;
    // The library ends the message by CR LF . CR LF: one line break is enough.
    let mut pieces = Pieces::of(message.strip_suffix(b"\r\n").unwrap_or(message));
    let sent = in_time(timeouts.message, connection.message_iter(&mut pieces)).await;
    sent.map(|_| ()).map_err(at(if pieces.all_taken { Step::Answer } else { Step::Message }))
}

/// The message in pieces. The library asks for the next one when the one before is written, and writes
/// the end of the message when there is none left: from then on the server may have it.
struct Pieces<'a> {
    rest: Chunks<'a, u8>,
    all_taken: bool,
}

impl<'a> Pieces<'a> {
    fn of(message: &'a [u8]) -> Self {
        Self { rest: message.chunks(64 * 1024), all_taken: false }
    }
}

impl<'a> Iterator for Pieces<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<Self::Item> {
        let piece = self.rest.next();
        self.all_taken |= piece.is_none();
        piece
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn refused(code: &str) -> Fault {
        Fault::Refused { code: code.to_owned(), answer: "no".to_owned() }
    }

    fn lost() -> Fault {
        Fault::Broken("connection reset".to_owned())
    }

    fn silent() -> Fault {
        Fault::Silent(Duration::from_mins(5))
    }

    #[rstest]
    #[case(Step::Sender, refused("451"), "retry")]
    #[case(Step::Sender, refused("550"), "failed")]
    #[case(Step::Sender, refused("530"), "unreachable")]
    #[case(Step::Sender, refused("421"), "unreachable")]
    #[case(Step::Sender, lost(), "retry")]
    #[case(Step::Recipient, refused("450"), "retry")]
    #[case(Step::Recipient, refused("421"), "retry")]
    #[case(Step::Recipient, refused("550"), "failed")]
    #[case(Step::Recipient, silent(), "retry")]
    #[case(Step::Message, refused("452"), "retry")]
    #[case(Step::Message, refused("554"), "failed")]
    #[case(Step::Message, lost(), "retry")]
    #[case(Step::Message, silent(), "retry")]
    #[case(Step::Answer, refused("451"), "retry")]
    #[case(Step::Answer, refused("552"), "failed")]
    #[case(Step::Answer, lost(), "maybe delivered")]
    #[case(Step::Answer, silent(), "maybe delivered")]
    fn means(#[case] step: Step, #[case] fault: Fault, #[case] expected: &str) {
        let delivery = SmtpProblem { step, fault }.into_delivery();
        let found = match delivery {
            Delivery::Sent => "sent",
            Delivery::Retry { maybe_delivered: false, .. } => "retry",
            Delivery::Retry { maybe_delivered: true, .. } => "maybe delivered",
            Delivery::Failed { .. } => "failed",
            Delivery::Unreachable { .. } => "unreachable",
            Delivery::Overtaken => "overtaken",
        };
        assert_eq!(found, expected);
    }

    #[test]
    fn names_the_step_and_the_servers_answer() {
        let problem = SmtpProblem { step: Step::Recipient, fault: refused("550") };
        let Delivery::Failed { error } = problem.into_delivery() else { panic!("not failed") };
        assert_eq!(error, "RCPT TO: 550 no");
        let problem = SmtpProblem { step: Step::Answer, fault: silent() };
        let Delivery::Retry { error, .. } = problem.into_delivery() else { panic!("no retry") };
        assert_eq!(error, "end of message: no answer within 300 seconds");
    }
}
