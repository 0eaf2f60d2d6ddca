//! What commands print: text for people, or one JSON document.

use std::io::{self, IsTerminal, Write as _};
use std::sync::{Arc, OnceLock};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;
use serde_json::json;
use terminal_size::{Width, terminal_size_of};
use tracing_subscriber::EnvFilter;

use super::page::{Page, printed};
use crate::actions::adjust::AdjustError;
use crate::actions::cancel::CancelError;
use crate::actions::close::{CloseError, Progress};
use crate::actions::erp::ErpError;
use crate::actions::handover::HandoverError;
use crate::actions::import::ImportError;
use crate::actions::invoices::{ListError, ShowError};
use crate::actions::nfse::NfseError;
use crate::actions::pay::{AccountError, PayError};
use crate::actions::people::PeopleError;
use crate::actions::recount::RecountError;
use crate::actions::rerun::RerunError;
use crate::actions::resend::ResendError;
use crate::actions::send_test::SendTestError;
use crate::actions::tokens::TokenError;
pub use crate::actions::words::plain;
use crate::ledger::LedgerError;
use crate::ledger::backup::BackupError;
use crate::messages::SourceError;
use crate::post::MailError;
use crate::setup::config::ConfigError;
use crate::setup::init::InitError;
use crate::setup::office::{Nobody, OfficeError};
use crate::setup::register::BadRows;

/// A command could not do its work: why, and the exit status.
#[derive(Debug)]
pub struct Failure {
    /// 2 where the user must fix something, 3 where it may work later.
    pub status: u8,
    /// What went wrong and what to do; may have several lines.
    pub message: String,
    /// The same may work in a moment.
    pub busy: bool,
}

impl Failure {
    /// Wrong use, configuration or input.
    #[expect(clippy::needless_pass_by_value, reason = "an error or a text, as it comes")]
    pub fn wrong(message: impl ToString) -> Self {
        Self { status: 2, message: message.to_string(), busy: false }
    }

    fn of(message: &impl ToString, is_unreachable: bool) -> Self {
        let status = if is_unreachable { 3 } else { 2 };
        Self { status, message: message.to_string(), busy: false }
    }
}

impl From<LedgerError> for Failure {
    fn from(error: LedgerError) -> Self {
        let passes = error.is_unreachable() || matches!(error, LedgerError::Database { .. });
        Self { busy: error.is_busy(), ..Self::of(&error, passes) }
    }
}

impl From<OfficeError> for Failure {
    fn from(error: OfficeError) -> Self {
        match error {
            OfficeError::Ledger(error) => error.into(),
            // A volume that is mounted, or a backup that is restored, fixes it without a change here.
            error @ OfficeError::LedgerGone { .. } => Self::of(&error, true),
            error => Self::wrong(error),
        }
    }
}

impl From<SendTestError> for Failure {
    fn from(error: SendTestError) -> Self {
        Self::of(&error, error.is_passing())
    }
}

impl From<BackupError> for Failure {
    fn from(error: BackupError) -> Self {
        match error {
            BackupError::Ledger(error) => error.into(),
            // Nothing is left to be mended here: a person must look at the ledger.
            error @ BackupError::Damaged { .. } => {
                Self { status: 1, message: error.to_string(), busy: false }
            }
            error => Self::wrong(error),
        }
    }
}

impl From<CloseError> for Failure {
    fn from(error: CloseError) -> Self {
        match error {
            CloseError::Ledger(error) => error.into(),
            CloseError::Source(error) => error.into(),
            error => Self::of(&error, error.is_unreachable()),
        }
    }
}

impl From<SourceError> for Failure {
    fn from(error: SourceError) -> Self {
        // The database gave different answers to one question: nobody's input is wrong.
        if matches!(error, SourceError::Residual { .. }) {
            return Self { status: 1, message: error.to_string(), busy: false };
        }
        Self::of(&error, error.is_unreachable())
    }
}

impl From<RecountError> for Failure {
    fn from(error: RecountError) -> Self {
        match error {
            RecountError::Ledger(error) => error.into(),
            RecountError::Source(error) => error.into(),
            RecountError::NoPrice(error) => Self::wrong(error),
        }
    }
}

impl From<RerunError> for Failure {
    fn from(error: RerunError) -> Self {
        match error {
            RerunError::Recount(error) => error.into(),
            RerunError::Handover(HandoverError::Ledger(error)) => error.into(),
            error => Self::wrong(error),
        }
    }
}

/// Errors of actions that only work on the ledger: it may be away, anything else is to be fixed.
macro_rules! ledger_or_wrong_use {
    ($($error:ident),*) => {$(
        impl From<$error> for Failure {
            fn from(error: $error) -> Self {
                match error {
                    $error::Ledger(error) => error.into(),
                    error => Self::wrong(error),
                }
            }
        }
    )*};
}
ledger_or_wrong_use!(
    AccountError,
    AdjustError,
    CancelError,
    ErpError,
    ImportError,
    ListError,
    NfseError,
    PayError,
    PeopleError,
    ResendError,
    ShowError,
    TokenError
);

macro_rules! wrong_use {
    ($($error:ty),*) => {$(
        impl From<$error> for Failure {
            fn from(error: $error) -> Self {
                Self::wrong(error)
            }
        }
    )*};
}
wrong_use!(ConfigError, InitError, BadRows, MailError, Nobody);

/// Where results go: standard output, as text or as JSON.
#[derive(Debug, Clone)]
pub struct Output {
    json: bool,
    /// Standard output is somebody else's: texts go to standard error.
    aside: bool,
    /// Why something could not be written, shared by all copies.
    unwritten: Arc<OnceLock<String>>,
}

impl Output {
    /// Prints JSON where `json` is set.
    pub fn new(json: bool) -> Self {
        Self { json, aside: false, unwritten: Arc::default() }
    }

    /// Whether results are JSON.
    pub fn is_json(&self) -> bool {
        self.json
    }

    /// The same, on standard error.
    #[must_use]
    pub fn on_standard_error(&self) -> Self {
        Self { aside: true, ..self.clone() }
    }

    /// The result: `value` as JSON, or `text` for people, set to fit the page.
    pub fn result(&self, value: &impl Serialize, text: impl FnOnce(Page) -> String) {
        if self.json {
            self.print(&serde_json::to_string(value).unwrap_or_else(|error| error.to_string()));
        } else {
            let page = self.page();
            self.print(&printed(&page.fold(text(page).trim_end())));
        }
    }

    /// What texts are set on.
    fn page(&self) -> Page {
        Page::new(if self.aside { width_of(io::stderr()) } else { width_of(io::stdout()) })
    }

    /// A document that is the result itself, byte by byte.
    pub fn document(&self, bytes: &[u8]) {
        let mut out = io::stdout().lock();
        self.note(out.write_all(bytes).and_then(|()| out.flush()));
    }

    /// A failure: its message on standard error and, with `--json`, as a document too.
    pub fn failure(&self, failure: &Failure) {
        if self.json {
            self.print(&json!({"error": failure.message, "status": failure.status}).to_string());
        }
        let name = "fecha: ";
        let page = Page::new(width_of(io::stderr())).beside(name.len());
        let message: Vec<String> = failure.message.lines().map(plain).collect();
        for line in printed(&page.fold(&message.join("\n"))).lines() {
            // Where standard error takes nothing either, the exit status tells.
            let _ = writeln!(io::stderr(), "{name}{line}");
        }
    }

    fn print(&self, text: &str) {
        if self.aside {
            self.note(writeln!(io::stderr(), "{text}"));
            return;
        }
        let mut out = io::stdout().lock();
        self.note(writeln!(out, "{text}").and_then(|()| out.flush()));
    }

    fn note(&self, written: io::Result<()>) {
        if let Err(error) = written {
            self.unwritten.get_or_init(|| error.to_string());
        }
    }

    /// The exit status of a command whose work has this one: where its result could not be written, all or a
    /// part, a person is told, and it is not 0. Not 3 either: what was done is done, and is not to be run again
    /// unseen.
    pub fn told(&self, status: u8) -> u8 {
        let Some(error) = self.unwritten.get() else { return status };
        let stream = if self.aside { "standard error" } else { "standard output" };
        let message = format!(
            "fecha: the result cannot be written to {stream}: {error}. What the command does was done"
        );
        let _ = writeln!(io::stderr(), "{message}");
        status.max(1)
    }

    /// A bar on a terminal; nothing in a pipe, a file or with `--json`.
    pub fn bar(&self) -> ProgressBar {
        if self.json || !io::stderr().is_terminal() {
            return ProgressBar::hidden();
        }
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        bar.set_style(ProgressStyle::default_spinner());
        bar
    }
}

/// Shows the progress of a close on a bar.
pub fn show_progress(bar: &ProgressBar, progress: Progress) {
    match progress {
        Progress::Counting(rows) => bar.set_message(format!("{rows} messages counted")),
        Progress::Issuing(done, all) => {
            if bar.length() != Some(all as u64) {
                let style = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} {eta}");
                bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
                bar.set_length(all as u64);
                bar.set_message("issuing");
            }
            bar.set_position(done as u64);
        }
    }
}

/// Below this, lines are as long as they are.
const NARROWEST: usize = 40;

/// How many cells a line has: the terminal's, else what `COLUMNS` says (`watch` sets it), else, on a terminal
/// that does not know, 80; `None` in a pipe or a file, where nothing is to be cut.
fn width_of(stream: impl std::os::fd::AsFd + IsTerminal) -> Option<usize> {
    let unknown = stream.is_terminal().then_some(80);
    let terminal = terminal_size_of(stream).map(|(Width(width), _)| usize::from(width));
    let told = || std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    terminal.or_else(told).or(unknown).filter(|width| *width >= NARROWEST)
}

/// Logs go to standard error; `FECHA_LOG` is no key of the configuration, so `RUST_LOG` is heard.
pub fn start_logging(verbose: u8) {
    let level = ["warn", "info", "debug"][usize::from(verbose.min(2))];
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter(level))
        .with_writer(io::stderr)
        .with_ansi(is_coloured())
        .log_internal_errors(false)
        .try_init();
}

/// The log of a service: what it does, as text on a terminal and as one JSON object a line elsewhere.
pub fn start_service_logging(verbose: u8) {
    let level = if verbose == 0 { "info" } else { "debug" };
    // Telling of a log that cannot be written (a full disk) would end the daemon.
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter(level))
        .with_writer(io::stderr)
        .with_ansi(is_coloured())
        .log_internal_errors(false);
    let _ = if io::stderr().is_terminal() {
        log.try_init()
    } else {
        log.json().flatten_event(true).with_current_span(false).with_span_list(false).try_init()
    };
}

/// Whether logs have colours: on a terminal that can show them, where nobody said no (no-color.org).
fn is_coloured() -> bool {
    let says = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let is_dumb = says("TERM").is_some_and(|term| term == "dumb");
    io::stderr().is_terminal() && says("NO_COLOR").is_none() && !is_dumb
}

fn filter(level: &str) -> EnvFilter {
    let wanted = EnvFilter::try_from_default_env().unwrap_or_else(|_| {
        EnvFilter::new(format!(
            "{level},sqlx=error,lopdf=error,printpdf=error,tokio_cron_scheduler=error"
        ))
    });
    // The driver warns of a parameter that it does not know, value included: `Password=…` is one.
    match "sqlx_postgres::options=off".parse() {
        Ok(quiet) => wanted.add_directive(quiet),
        Err(_) => wanted,
    }
}
