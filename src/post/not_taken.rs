//! Why an email was not taken, and what to fix.

use std::fmt;

use fecha_core::letter::outcome::{Fault, Phase, Problem};
use fecha_core::letter::reply::Reply;

use super::MailError;
use super::message::MessageError;
use crate::letters::mailbox::InvalidAddress;

/// An email was not taken.
#[derive(Debug)]
pub enum NotTaken {
    /// It cannot be written at all.
    Unwritable(MessageError),
    /// The folder of the file transport.
    Folder(MailError),
    /// The mail server.
    Server {
        /// `host:port`.
        server: String,
        /// What it said, or did not.
        problem: Problem,
    },
}

impl From<MessageError> for NotTaken {
    fn from(error: MessageError) -> Self {
        Self::Unwritable(error)
    }
}

impl From<InvalidAddress> for NotTaken {
    fn from(error: InvalidAddress) -> Self {
        Self::Unwritable(error.into())
    }
}

impl fmt::Display for NotTaken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unwritable(error) => error.fmt(f),
            Self::Folder(error) => error.fmt(f),
            Self::Server { server, problem } if problem.phase < Phase::Sender => {
                write!(f, "mail server {server}: {problem}{}", hint(problem))
            }
            Self::Server { problem, .. } => write!(f, "{problem}{}", hint(problem)),
        }
    }
}

/// What to fix, where it is not the server that will let us in later.
fn hint(problem: &Problem) -> &'static str {
    let code = problem.refusal().map_or(0, Reply::code);
    match (&problem.fault, problem.phase) {
        (Fault::Broken(text), _) if text.contains("certificate") => {
            "; the server's certificate must be for [email.smtp] host and from an authority that this machine, or [email.smtp] ca_file, trusts"
        }
        _ if code / 100 == 4 => "",
        (_, Phase::Connect) => "; check [email.smtp] host, port and tls",
        (_, Phase::Encrypt) => "; check [email.smtp] port and tls; nothing was sent unencrypted",
        (_, Phase::Login) => "; check [email.smtp] username and FECHA_EMAIL__SMTP__PASSWORD",
        (_, Phase::Sender) if code == 530 => "; set [email.smtp] username and its password",
        _ => "",
    }
}
