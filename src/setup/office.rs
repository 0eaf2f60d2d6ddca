//! Opens everything that a command works with: configuration, key, ledger, documents, mail.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::NaiveDate;
use fecha_core::letter::Addressing;

use crate::clock::Clock;
use crate::document::{Branding, RenderError, Renderer};
use crate::ledger::{Ledger, LedgerError, Missing};
use crate::letters::address::Addresser;
use crate::letters::mailbox::Sender;
use crate::letters::template::{TemplateError, Templates};
use crate::messages::{Source, SourceError, Sources};
use crate::post::FileMailer;
use crate::post::MailError;
use crate::post::Mailer;
use crate::post::SmtpMailer;
use crate::post::deliver::CONNECTIONS;
use crate::post::smtp::Timeouts;
use crate::setup::config::{self, Config, ConfigError};
use crate::setup::evidence_key::{self, KeyError};
use crate::setup::traces;
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

/// What becomes of a ledger that is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoLedger {
    /// Nothing is done without it.
    Refuse,
    /// It is made, if nothing shows that there was one.
    MakeFirst,
    /// It is made: somebody said that a new one is wanted.
    MakeAnew,
}

/// The office could not be opened.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each is the error of the part it is named for")]
pub enum OfficeError {
    #[error(
        "there is no ledger yet at {ledger} ({missing}): `fecha import --dealerships FILE --contracts FILE` makes it. If there was one, mount its volume or restore it instead"
    )]
    NoLedgerYet { ledger: String, missing: Missing },
    #[error(
        "the ledger {ledger} is gone ({missing}), but there was one: {}. Nothing was made in its place, since a new ledger would give numbers again that were mailed. Mount the volume that it lies on, or restore it from the backup (docs/operations.md). Only if it is to begin from nothing: fecha import --new-ledger --dealerships FILE --contracts FILE",
        traces.join(", ")
    )]
    LedgerGone { ledger: String, missing: Missing, traces: Vec<String> },
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
    /// Opens the office that `--config`, or the environment, names.
    ///
    /// # Errors
    /// [`OfficeError`], which says what to fix.
    pub async fn open(
        path: Option<&Path>,
        no_ledger: NoLedger,
        clock: Clock,
    ) -> Result<Self, OfficeError> {
        Self::with(Config::load(path, config::environment())?, no_ledger, clock).await
    }

    /// Opens the office of a configuration at hand.
    ///
    /// # Errors
    /// As [`Office::open`].
    pub async fn with(
        config: Config,
        no_ledger: NoLedger,
        clock: Clock,
    ) -> Result<Self, OfficeError> {
        let Documents { renderer, templates } = documents(&config)?;
        let ledger = ledger(&config, no_ledger).await?;
        let key = key(&config, &ledger).await?;
        if no_ledger != NoLedger::Refuse {
            traces::note(&config, &key);
        }
        let templates = Arc::new(templates);
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

/// What documents and emails are made with.
#[derive(Debug)]
pub struct Documents {
    renderer: Renderer,
    templates: Templates,
}

/// Reads fonts, logo and templates.
///
/// # Errors
/// [`OfficeError`] where one of them cannot be used.
pub fn documents(config: &Config) -> Result<Documents, OfficeError> {
    let renderer = Renderer::new(&Branding { logo: config.logo.clone() })?;
    Ok(Documents { renderer, templates: Templates::new()? })
}

/// The ledger of a configuration. One that is missing is made only where that was asked for, and by itself
/// only where nothing shows that it was lost.
async fn ledger(config: &Config, no_ledger: NoLedger) -> Result<Ledger, OfficeError> {
    let url = config.ledger_url.as_str();
    let (ledger, missing) = match (Ledger::open(url).await, no_ledger) {
        (Err(LedgerError::Missing { .. }), NoLedger::MakeAnew) => {
            return Ok(Ledger::make(url).await?);
        }
        (Err(LedgerError::Missing { ledger, missing }), _) => (ledger, missing),
        (opened, _) => return Ok(opened?),
    };
    let mut traces = traces::of_a_ledger(config);
    if missing == Missing::EmptyFile {
        traces.push("an empty file has its place".to_owned());
    }
    match no_ledger {
        _ if !traces.is_empty() => Err(OfficeError::LedgerGone { ledger, missing, traces }),
        NoLedger::MakeFirst => Ok(Ledger::make(url).await?),
        NoLedger::Refuse | NoLedger::MakeAnew => Err(OfficeError::NoLedgerYet { ledger, missing }),
    }
}

/// The ledger, to say what an import would do; `None` where that import would make it.
///
/// # Errors
/// As [`Office::open`].
pub async fn ledger_or_none(
    config: &Config,
    no_ledger: NoLedger,
) -> Result<Option<Ledger>, OfficeError> {
    match ledger(config, NoLedger::Refuse).await {
        Err(OfficeError::NoLedgerYet { .. }) => Ok(None),
        Err(OfficeError::LedgerGone { .. }) if no_ledger == NoLedger::MakeAnew => Ok(None),
        opened => opened.map(Some),
    }
}

/// The evidence key: that of the ledger, or a new one where the ledger has none.
async fn key(config: &Config, ledger: &Ledger) -> Result<EvidenceKey, OfficeError> {
    let (folder, given) = (config.folder(), config.evidence_key.as_ref());
    let known = ledger.key_fingerprint().await?;
    let key = match &known {
        Some(known) => evidence_key::load(folder, given, known)?,
        None => evidence_key::load_or_create(folder, given)?,
    };
    if known.as_ref() != Some(&key.fingerprint()) {
        evidence_key::must_be_random(&key, folder, given)?;
    } else if key.is_guessable() {
        // What was issued under it can be compared under it alone: there is no way back.
        tracing::warn!(
            "the evidence key of this ledger can be guessed: whoever has a file of evidence can find out whose numbers it holds"
        );
    }
    ledger.check_key(&key).await?;
    Ok(key)
}

/// The message database of a configuration; connects to nothing yet.
///
/// # Errors
/// [`SourceError`] where URL or relation are of no known form.
pub fn source(config: &Config) -> Result<Sources, SourceError> {
    let source = |messages: &config::Messages| {
        let (url, folder) = (messages.url.as_str(), config.folder());
        Source::parse(url, &messages.relation, folder, messages.connections)?
            .named(messages.name.clone())
            .with_sent_at(messages.sent_at)
            .newest_within(config.close.limits.newest_message_within)
            .with_aliases(messages.aliases.as_deref(), config.counting.rules)
    };
    config.messages.iter().map(source).collect::<Result<_, _>>().map(Sources::new)
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

/// Who writes all emails.
#[must_use]
pub fn sender(config: &Config) -> Sender {
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
