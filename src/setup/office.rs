//! Opens everything that a command works with: configuration, key, ledger, documents, mail.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::NaiveDate;
use fecha_core::letter::Addressing;

use crate::clock::Clock;
use crate::document::{Branding, RenderError, Renderer};
use crate::ledger::{Ledger, LedgerError};
use crate::letters::address::Addresser;
use crate::letters::mailbox::Sender;
use crate::letters::template::{TemplateError, Templates};
use crate::messages::{Source, SourceError};
use crate::post::FileMailer;
use crate::post::MailError;
use crate::post::Mailer;
use crate::post::SmtpMailer;
use crate::post::deliver::CONNECTIONS;
use crate::post::smtp::Timeouts;
use crate::setup::config::{self, Config, ConfigError, EVIDENCE_KEY_VARIABLE};
use crate::setup::evidence_key::{self, KeyError};
use fecha_core::count::evidence::EvidenceKey;

/// A configured fecha, ready to work: every action takes one. A copy costs next to nothing.
#[derive(Debug, Clone)]
pub struct Office {
    /// The configuration.
    pub config: Arc<Config>,
    /// The ledger, open.
    pub ledger: Ledger,
    /// The key of the evidence, known to the ledger.
    pub key: EvidenceKey,
    /// Draws documents.
    pub renderer: Arc<Renderer>,
    /// Words emails.
    pub templates: Arc<Templates>,
    /// Addresses emails.
    pub addresser: Addresser,
    /// Tells the time.
    pub clock: Clock,
    /// Who works here: the login name, or the daemon.
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

/// Nobody stands behind a deed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the login name says nothing about who asks for it: add --by NAME. Nothing was done")]
pub struct Nobody;

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
        if let Err(guessable) =
            evidence_key::must_be_random(&key, config.folder(), variable.as_deref())
        {
            // What was issued under it can be compared under it alone: there is no way back.
            if ledger.fingerprint().await?.as_ref() != Some(&key.fingerprint()) {
                return Err(guessable.into());
            }
            tracing::warn!(
                "the evidence key of this ledger can be guessed: whoever has a file of evidence can find out whose numbers it holds"
            );
        }
        ledger.check_key(&key).await?;
        let templates = Arc::new(Templates::new()?);
        let addressing = Addressing::new(config.email.redirect.clone());
        Ok(Self {
            ledger,
            key,
            renderer: Arc::new(renderer),
            addresser: Addresser::new(templates.clone(), sender(&config), addressing),
            templates,
            clock,
            actor: login_name(),
            config: Arc::new(config),
        })
    }

    /// The same office with another hand on the ledger: a daemon that leads writes under its epoch.
    #[must_use]
    pub fn on_behalf(&self, actor: &str, ledger: Ledger) -> Self {
        Self { actor: actor.to_owned(), ledger, ..self.clone() }
    }

    /// Who is named for a deed: who was given, else the login name. Nobody's document says `root`.
    ///
    /// # Errors
    /// [`Nobody`] where nobody was given and the login says nothing.
    pub fn named(&self, by: Option<&str>) -> Result<String, Nobody> {
        let login =
            || Some(self.actor.as_str()).filter(|login| !matches!(*login, "root" | "unknown"));
        by.or_else(login).map(str::to_owned).ok_or(Nobody)
    }

    /// The issuer's local day.
    #[must_use]
    pub fn today(&self) -> NaiveDate {
        self.clock.now().with_timezone(&self.config.issuer.timezone).date_naive()
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
        config::Transport::Smtp(settings) => {
            let mailer = SmtpMailer::new(settings.clone(), sender(config), Timeouts::default())?;
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
