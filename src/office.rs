//! Opens everything that a command works with: configuration, key, ledger, documents, mail.

use std::path::{Path, PathBuf};

use crate::billing::evidence::EvidenceKey;
use crate::clock::Clock;
use crate::config::{self, Config, ConfigError, EVIDENCE_KEY_VARIABLE};
use crate::deliver::CONNECTIONS;
use crate::document::{Branding, RenderError, Renderer};
use crate::evidence_key::{self, KeyError};
use crate::issue::Desk;
use crate::ledger::{Ledger, LedgerError};
use crate::mail::smtp::{Timeouts, Tls};
use crate::mail::template::{TemplateError, Templates};
use crate::mail::{FileMailer, MailError, Mailer, Sender, SmtpMailer, SmtpSettings};
use crate::messages::{Source, SourceError};

/// A configured fecha, ready to work.
#[derive(Debug)]
pub struct Office {
    /// The configuration.
    pub config: Config,
    /// The ledger, open.
    pub ledger: Ledger,
    /// The key of the evidence, known to the ledger.
    pub key: EvidenceKey,
    /// Draws documents.
    pub renderer: Renderer,
    /// Words emails.
    pub templates: Templates,
    /// Who writes the emails.
    pub sender: Sender,
    /// Tells the time.
    pub clock: Clock,
    /// Who works here: the login name.
    pub actor: String,
}

/// The office could not be opened.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each is the error of the part it is named for")]
pub enum OfficeError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    #[error("[issuer] logo: {0}")]
    Renderer(#[from] RenderError),
    #[error(transparent)]
    Template(#[from] TemplateError),
}

impl Office {
    /// Opens the office that `--config`, or the environment, names. The ledger is made where it is
    /// missing.
    ///
    /// # Errors
    /// [`OfficeError`], which says what to mend.
    pub async fn open(path: Option<&Path>, clock: Clock) -> Result<Self, OfficeError> {
        Self::with(Config::load(path, config::environment())?, clock).await
    }

    /// Opens the office of a configuration at hand.
    ///
    /// # Errors
    /// As [`Office::open`].
    pub async fn with(config: Config, clock: Clock) -> Result<Self, OfficeError> {
        let variable = std::env::var(EVIDENCE_KEY_VARIABLE).ok();
        let key = evidence_key::load_or_create(config.folder(), variable.as_deref())?;
        let renderer = Renderer::new(&Branding { logo: config.logo.clone() })?;
        let ledger = Ledger::open(config.ledger_url.as_str()).await?;
        ledger.check_key(&key).await?;
        Ok(Self {
            ledger,
            key,
            renderer,
            templates: Templates::new()?,
            sender: sender(&config),
            clock,
            actor: login_name(),
            config,
        })
    }

    /// What issuing needs.
    #[must_use]
    pub fn desk(&self) -> Desk<'_> {
        Desk {
            config: &self.config,
            ledger: &self.ledger,
            renderer: &self.renderer,
            templates: &self.templates,
            sender: &self.sender,
            key: &self.key,
            clock: self.clock,
            actor: &self.actor,
        }
    }
}

/// The message database of a configuration; connects to nothing yet.
///
/// # Errors
/// [`SourceError`] where URL or relation are of no known form.
pub fn source(config: &Config) -> Result<Source, SourceError> {
    let messages = &config.messages;
    Source::parse(messages.url.as_str(), &messages.relation, config.folder(), messages.connections)
}

/// The way that emails go out by.
///
/// # Errors
/// [`MailError`] where the settings cannot work.
pub fn mailer(config: &Config) -> Result<Mailer, MailError> {
    match &config.email.transport {
        config::Transport::File { dir } => {
            Ok(Mailer::File(FileMailer::new(PathBuf::from(dir), sender(config))))
        }
        config::Transport::Smtp(smtp) => {
            let settings = SmtpSettings {
                host: smtp.host.clone(),
                port: smtp.port,
                tls: match smtp.tls {
                    config::Tls::StartTls => Tls::StartTls,
                    config::Tls::Tls => Tls::Tls,
                    config::Tls::None => Tls::None,
                },
                username: smtp.username.clone(),
                password: smtp.password.as_ref().map(|secret| secret.expose().to_owned().into()),
                ca_file: smtp.ca_file.clone(),
            };
            let mailer = SmtpMailer::new(settings, sender(config), Timeouts::default())?;
            Ok(Mailer::Smtp(Box::new(mailer)))
        }
    }
}

/// As many connections as a round of delivery has; a folder has one.
///
/// # Errors
/// As [`mailer`].
pub fn mailers(config: &Config) -> Result<Vec<Mailer>, MailError> {
    let connections = match config.email.transport {
        config::Transport::File { .. } => 1,
        config::Transport::Smtp(_) => CONNECTIONS,
    };
    (0..connections).map(|_| mailer(config)).collect()
}

fn sender(config: &Config) -> Sender {
    let reply_to = config.email.reply_to.as_ref();
    Sender {
        from: config.email.from.clone(),
        // Parsed once already: as an address it cannot fail to be a mailbox.
        reply_to: reply_to.and_then(|address| address.as_str().parse().ok()),
    }
}

fn login_name() -> String {
    ["SUDO_USER", "LOGNAME", "USER"]
        .into_iter()
        .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()))
        .unwrap_or_else(|| "unknown".to_owned())
}
