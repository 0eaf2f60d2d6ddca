//! The post: sends what is due in the outbox, by SMTP or into a folder.
//!
//! The way of a letter: [`deliver`] claims it, has [`crate::letters`] write it, hands it to a [`Mailer`], judges
//! what that says ([`fecha_core::letter::outcome`]) and records what became of it, a
//! [`Delivery`](fecha_core::letter::Delivery).

pub mod deliver;
pub mod file;
pub mod group;
mod halt;
pub mod message;
mod not_taken;
pub mod round;
mod session;
pub mod smtp;
mod transaction;
mod wire;

use std::path::PathBuf;

use crate::letters::email::Email;

pub use file::FileMailer;
pub use halt::Refused;
pub use not_taken::NotTaken;
pub use smtp::{SmtpMailer, SmtpSettings};

/// Email cannot go out with these settings, or not now.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// Without encryption, and not to this machine.
    #[error(
        "[email.smtp] tls = \"none\" is for a server on this machine only, and '{host}' is not: use \"starttls\" or \"tls\""
    )]
    Plaintext {
        /// The configured host.
        host: String,
    },
    /// A user name alone cannot log in.
    #[error(
        "[email.smtp] username = \"{username}\" has no password: set FECHA_EMAIL__SMTP__PASSWORD"
    )]
    NoPassword {
        /// The configured user.
        username: String,
    },
    /// The configured certificate authority.
    #[error("[email.smtp] ca_file '{}' is no PEM certificate: {reason}", path.display())]
    Authority {
        /// The configured file.
        path: PathBuf,
        /// As the system or the TLS library puts it.
        reason: String,
    },
    /// The mail server, when asked to let us in.
    #[error("{0}")]
    Server(String),
    /// The folder of the file transport.
    #[error("cannot write emails to '{}': {source}", path.display())]
    Folder {
        /// The configured folder.
        path: PathBuf,
        /// As the system puts it.
        source: std::io::Error,
    },
}

/// Where emails go.
#[derive(Debug)]
pub enum Mailer {
    /// To a mail server.
    Smtp(Box<SmtpMailer>),
    /// Into a folder, one `.eml` file a message.
    File(FileMailer),
}

impl Mailer {
    /// Hands one email over, and says what answered: the server, in its own words, or the file. An SMTP
    /// connection is kept for the next one, until [`Mailer::close`].
    ///
    /// # Errors
    /// [`NotTaken`].
    pub async fn send(&mut self, email: &Email) -> Result<String, NotTaken> {
        match self {
            Self::Smtp(mailer) => {
                let reply = mailer.send(email).await?;
                Ok(format!("{} answered: {reply}", mailer.server()))
            }
            Self::File(mailer) => {
                let path = mailer.send(email).await?;
                Ok(format!("written to {}", path.display()))
            }
        }
    }

    /// Tries everything short of sending, and says in a line what answered.
    ///
    /// # Errors
    /// [`MailError::Server`] or [`MailError::Folder`], which say what to fix.
    pub async fn check(&self) -> Result<String, MailError> {
        match self {
            Self::Smtp(mailer) => mailer.check().await,
            Self::File(mailer) => mailer.check().await,
        }
    }

    /// Takes leave of the server where a connection is open; sending again opens another.
    pub async fn close(&mut self) {
        if let Self::Smtp(mailer) = self {
            mailer.close().await;
        }
    }
}
