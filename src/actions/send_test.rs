//! `fecha check --send-to`: one email that shows that emails arrive.

use chrono::{DateTime, Utc};

use crate::letters::compose::{self, ComposeError, Envelope};
use crate::letters::template::{Templates, Test};
use crate::post::{MailError, NotTaken};
use crate::setup::config::{Config, Transport};
use crate::setup::office;
use fecha_core::letter::outcome::Fault;
use fecha_core::party::register::EmailAddress;

/// The email did not go.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each names its source")]
pub enum SendTestError {
    #[error(transparent)]
    Mail(#[from] MailError),
    #[error(transparent)]
    Compose(#[from] ComposeError),
    #[error("the test email to {to} was not taken: {not_taken}")]
    NotTaken { to: String, not_taken: NotTaken },
}

impl SendTestError {
    /// Whether the same may succeed without a change here: the server was lost, or said "not now".
    #[must_use]
    pub fn is_passing(&self) -> bool {
        let Self::NotTaken { not_taken: NotTaken::Server { problem, .. }, .. } = self else {
            return false;
        };
        match &problem.fault {
            Fault::Refused(reply) => reply.class() == 4,
            _ => true,
        }
    }
}

/// Sends it, past outbox and redirect, which a person who names an address does not mean; what answered, and what
/// becomes of all other emails.
///
/// # Errors
/// [`SendTestError`].
pub async fn send_test(
    config: &Config,
    templates: &Templates,
    to: &EmailAddress,
    now: DateTime<Utc>,
) -> Result<String, SendTestError> {
    let by = match &config.email.transport {
        Transport::Smtp(settings) => format!("{}:{}", settings.host, settings.port),
        Transport::File { dir } => dir.display().to_string(),
    };
    let redirect = config.email.redirect.as_ref().map(EmailAddress::as_str);
    let (issuer, timezone) = (config.issuer.name.as_str(), config.issuer.timezone);
    let test = Test { issuer, now, timezone, by: &by, redirect };
    let message_id = office::sender(config).new_message_id(now);
    let email =
        compose::test(templates, Envelope { message_id, to: to.clone(), date: now }, &test)?;
    let mut mailer = office::mailer(config)?;
    let sent = mailer.send(&email).await;
    mailer.close().await;
    let to = to.as_str().to_owned();
    let answer = sent.map_err(|not_taken| SendTestError::NotTaken { to: to.clone(), not_taken })?;
    let mut said = format!("a test email to {to}: {answer}");
    if matches!(config.email.transport, Transport::File { .. }) {
        said += "; nothing went out, as [email] transport = \"file\" says";
    }
    if let Some(redirect) = redirect {
        said += &format!(
            "\nit went to {to} itself; every other email goes to {redirect}, as [email] redirect says"
        );
    }
    Ok(said)
}
