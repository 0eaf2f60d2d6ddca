//! The configuration: `fecha.toml` and the environment, parsed once into domain types (spec §3.2).
//!
//! [`Config::load`] either gives a configuration in which every value is valid, or names every
//! problem at once: the line or the variable, the key, and what to write instead.

mod check;
mod given;
mod in_force;
mod layouts;
mod network;
mod nfse;
mod parse;
mod prices;
mod raw;
mod source;
mod url;

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::num::{NonZeroU8, NonZeroU32};
use std::path::{Path, PathBuf};
use std::time::Duration;

use lettre::message::Mailbox;

use fecha_core::account::reminder::Schedule;
use fecha_core::bill::bill::Terms;
use fecha_core::bill::hold::Limits;
use fecha_core::bill::invoice::FirstNumber;
use fecha_core::count::rules::CountingRules;
use fecha_core::count::status::StatusRules;
use fecha_core::party::pix::PixKey;
use fecha_core::party::register::{EmailAddress, Issuer};
use fecha_core::price::table::Prices;
use fecha_core::tax::profile::Profile;

use crate::messages::SentAt;
use crate::post::SmtpSettings;
use crate::setup::input;
use crate::setup::layout::Layout;

pub use self::given::Given;
pub use self::in_force::{Said, Setting};
pub use self::network::{InvalidNetwork, Network};
pub use self::url::{DatabaseUrl, InvalidUrl};

/// The name of the file where none is given.
pub const FILE_NAME: &str = "fecha.toml";

/// Names the file where `--config` does not.
pub const FILE_VARIABLE: &str = "FECHA_CONFIG";

/// The key of the evidence, where it is not in a file.
pub const EVIDENCE_KEY_VARIABLE: &str = "FECHA_EVIDENCE_KEY";

/// Everything that the configuration says, valid as a whole.
#[derive(Debug, Clone)]
pub struct Config {
    /// The file it was read from, absolute.
    pub file: PathBuf,
    /// The key of the evidence, where it does not lie in a file beside the configuration.
    pub evidence_key: Option<Given>,
    /// Who invoices.
    pub issuer: Issuer,
    /// Where the money goes; without it invoices have no PIX code.
    pub pix: Option<PixKey>,
    /// The logo of the documents, absolute; whether it can be read shows when they are made.
    pub logo: Option<PathBuf>,
    /// fecha's own database.
    pub ledger_url: DatabaseUrl,
    /// Where the messages are, at least one.
    pub messages: Vec<Messages>,
    /// How messages are counted.
    pub counting: Counting,
    /// All price tables, at least one.
    pub prices: Prices,
    /// What invoices need.
    pub invoice: Invoice,
    /// When a close waits.
    pub close: Close,
    /// How emails go out.
    pub email: Email,
    /// What dealerships are told unasked.
    pub alerts: Alerts,
    /// `[reminders]`: when dealerships are reminded of what is open. Off by default.
    pub reminders: Schedule,
    /// `[statement] windows`: whether statements say what was sent in and out of the windows of 24 hours. Off
    /// by default: it needs each message with its instant.
    pub service_windows: bool,
    /// Where the console listens; 127.0.0.1:8080 by default.
    pub listen: SocketAddr,
    /// `[console] public_url`: how people reach it, without a `/` at the end; emails lead there.
    pub public_url: Option<String>,
    /// `[console] four_eyes`: who asked for a plan cannot release it. Off by default.
    pub four_eyes: bool,
    /// Whose word the console takes for who somebody is, beside its own login.
    pub single_sign_on: Option<SingleSignOn>,
    /// `[nfse]`: what a DPS says of the issuer; without it none can be made.
    pub nfse: Option<Profile>,
    /// What an ERP calls things.
    pub erp: Erp,
    /// `[layouts.NAME]`: tables of invoices of one's own, by name.
    pub layouts: BTreeMap<String, Layout>,
}

/// `[erp]`: names of the issuer's own chart of accounts, as the ERP has them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Erp {
    /// The category of the revenue.
    pub category: Option<String>,
    /// The account where the money comes in.
    pub account: Option<String>,
    /// The cost centre or department.
    pub cost_center: Option<String>,
}

/// `[console] user_header` and `trusted_proxies`: a proxy in front knows who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SingleSignOn {
    /// In which header it says their email; lower case.
    pub header: String,
    /// Who is believed, at least one. Anybody else could write such a header.
    pub proxies: Vec<Network>,
}

/// The message database, `[messages]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Messages {
    /// What it is called, where there are several.
    pub name: Option<String>,
    /// Where it is.
    pub url: DatabaseUrl,
    /// A table, a view or a parenthesised `SELECT`, which may have come from a file (`relation_file`);
    /// `message` by default.
    pub relation: String,
    /// A relation of `alias` and `contact`, written in the same way.
    pub aliases: Option<String>,
    /// What its `sent_at` is.
    pub sent_at: SentAt,
    /// How many connections a pass may hold at once; 2 by default.
    pub connections: NonZeroU8,
}

/// `[counting]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counting {
    /// Which statuses count; `queued` and `failed` do not by default.
    pub statuses: StatusRules,
    /// Who is one person.
    pub rules: CountingRules,
}

/// `[invoice]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invoice {
    /// Day of the month by which invoices are due, 1 to 31; 10 by default.
    pub due_day: u32,
    /// The least invoice number, 1 by default: for a reseller who has invoiced before, and after an older
    /// ledger was restored.
    pub first_number: FirstNumber,
    /// What invoices say about late payment, for example fine and interest.
    pub late_fee: Option<String>,
}

/// `[close]`: when the daemon closes, and when a close waits for a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Close {
    /// The rule *Hold*.
    pub limits: Limits,
    /// Whether the daemon's closes wait for a person.
    pub approval: Approval,
    /// How long the daemon waits after a month's end for the last messages; 2 minutes by default.
    pub settle: Duration,
}

/// Who lets a close of the daemon go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Approval {
    /// Nobody needs to.
    Automatic,
    /// Every close is held until `fecha close --release`.
    Manual,
}

/// `[email]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Email {
    /// By which way emails go.
    pub transport: Transport,
    /// The sender.
    pub from: Mailbox,
    /// Where answers go; the sender where it is missing.
    pub reply_to: Option<EmailAddress>,
    /// Who gets the close reports, at least one.
    pub finance: Vec<EmailAddress>,
    /// Who gets alerts; may be empty.
    pub admins: Vec<EmailAddress>,
    /// Every email goes here instead, for a first month in parallel.
    pub redirect: Option<EmailAddress>,
    /// How many emails go in a minute at most; as many as can where it is missing.
    pub per_minute: Option<NonZeroU32>,
}

impl Email {
    /// Finance and the admins, each address once.
    #[must_use]
    pub fn finance_and_admins(&self) -> Vec<EmailAddress> {
        let admins = self.admins.iter().filter(|admin| !self.finance.contains(admin));
        self.finance.iter().chain(admins).cloned().collect()
    }
}

/// `[alerts]`: what people are told unasked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Alerts {
    /// That they have used 80 % and 100 % of their package; a dealership can have its own word on it. Off by
    /// default.
    pub package_use: bool,
    /// How many of the last closed months the daemon verifies once a week, beside the three mornings after
    /// each close; 12 by default.
    pub look_back: u32,
}

/// By which way emails go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Transport {
    /// To a mail server.
    Smtp(SmtpSettings),
    /// To files, one `.eml` a message.
    File {
        /// Where they go, absolute; `mail` by default.
        dir: PathBuf,
    },
}

/// The configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// There is no such file.
    #[error(
        "there is no configuration {}: write one with `fecha init`, or name it with --config or {FILE_VARIABLE}",
        .0.display()
    )]
    Missing(PathBuf),
    /// There is one, but it cannot be read.
    #[error("the configuration {} cannot be read: {source}", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// What it says is not valid: all problems, in the order of the sections.
    #[error("{}", lines(.0))]
    Invalid(Vec<ConfigProblem>),
}

/// One thing to fix in the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigProblem {
    /// Where: `fecha.toml:12: [issuer] cnpj`, or the name of a variable.
    pub place: String,
    /// What is wrong and what to write.
    pub reason: String,
}

impl fmt::Display for ConfigProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.reason)
    }
}

fn lines(problems: &[ConfigProblem]) -> String {
    problems.iter().map(ConfigProblem::to_string).collect::<Vec<_>>().join("\n")
}

impl Config {
    /// What the issuer puts on every invoice.
    #[must_use]
    pub fn terms(&self) -> Terms<'_> {
        Terms {
            issuer: &self.issuer,
            pix: self.pix.as_ref(),
            due_day: self.invoice.due_day,
            late_fee: self.invoice.late_fee.as_deref(),
        }
    }

    /// Loads `path` (from `--config`), else the file that `FECHA_CONFIG` names, else `./fecha.toml`;
    /// variables such as `FECHA_LEDGER__URL`, the files that `FECHA_LEDGER__URL_FILE` and its like name, and
    /// systemd's credentials such as `fecha.ledger.url` override its keys. Relative paths start at the file's
    /// folder.
    ///
    /// `environment` are the variables of the process; those that do not concern fecha are left alone.
    ///
    /// # Errors
    /// [`ConfigError`], with all problems of the values at once. An unknown key is one of them.
    pub fn load(
        path: Option<&Path>,
        environment: impl Iterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        Self::load_with_origin(path, environment).map(|(config, _)| config)
    }

    /// The configuration, and where each of its keys was written.
    fn load_with_origin(
        path: Option<&Path>,
        environment: impl Iterator<Item = (String, String)>,
    ) -> Result<(Self, source::Origin), ConfigError> {
        let variables: Vec<_> = environment.filter(|(name, _)| concerns_fecha(name)).collect();
        let named = variables.iter().find(|(name, _)| name == FILE_VARIABLE);
        let path = match (path, named) {
            (Some(path), _) => path.to_owned(),
            (None, Some((_, value))) => PathBuf::from(value),
            (None, None) => PathBuf::from(FILE_NAME),
        };
        let text = input::read_text(&path, input::CONFIGURATION).map_err(|source| match source
            .kind()
        {
            std::io::ErrorKind::NotFound => ConfigError::Missing(path.clone()),
            _ => ConfigError::Unreadable { file: path.clone(), source },
        })?;
        let file = std::path::absolute(&path)
            .map_err(|source| ConfigError::Unreadable { file: path.clone(), source })?;
        let folder = file.parent().unwrap_or(Path::new("/"));
        let mut given = given::all(&variables, folder).map_err(ConfigError::Invalid)?;
        let key = given.iter().position(|one| one.key == given::EVIDENCE_KEY);
        let evidence_key = key.map(|at| given.remove(at));
        let (raw, origin) = source::read(&path, &text, given).map_err(ConfigError::Invalid)?;
        let config = parse::config(raw, &file, &origin).map_err(ConfigError::Invalid)?;
        Ok((Self { evidence_key, ..config }, origin))
    }

    /// The price tables of another file, written as in the configuration (`[[prices]]`); whatever else
    /// the file has must be valid keys, and is not used.
    ///
    /// # Errors
    /// [`ConfigError`], with all problems at once.
    pub fn prices_of(file: &Path) -> Result<Prices, ConfigError> {
        let text = input::read_text(file, input::CONFIGURATION)
            .map_err(|source| ConfigError::Unreadable { file: file.to_owned(), source })?;
        let (raw, origin) = source::read(file, &text, Vec::new()).map_err(ConfigError::Invalid)?;
        parse::prices_alone(&raw, &origin).map_err(ConfigError::Invalid)
    }

    /// How people reach the console, without a `/` at the end.
    #[must_use]
    pub fn console_url(&self) -> String {
        self.public_url.clone().unwrap_or_else(|| format!("http://{}", self.listen))
    }

    /// Whether people reach the console over TLS.
    #[must_use]
    pub fn console_is_https(&self) -> bool {
        self.public_url.as_ref().is_some_and(|url| url.starts_with("https://"))
    }

    /// The folder of the file: where `evidence.key` and relative paths are.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.file.parent().unwrap_or(Path::new("/"))
    }
}

/// The variables of this process that concern fecha, for [`Config::load`].
///
/// Unlike `std::env::vars` it does not panic where some other variable is not Unicode.
pub fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os().filter_map(|(name, value)| {
        let name = name.into_string().ok()?;
        let value = value.to_string_lossy().into_owned();
        concerns_fecha(&name).then_some((name, value))
    })
}

fn concerns_fecha(variable: &str) -> bool {
    variable.starts_with(given::PREFIX) || variable == given::CREDENTIALS
}

#[cfg(test)]
mod tests;
