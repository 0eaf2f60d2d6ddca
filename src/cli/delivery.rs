//! `fecha deliver`, `fecha outbox`, `fecha resend` and `fecha digest`

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use chrono_tz::Tz;
use serde_json::json;

use super::files::{Files, ForceArgs, Kind};
use super::output::{Failure, Output, plain};
use super::page::{Column, Page, figure, name, word};
use crate::actions::outbox::{self, EmailJson};
use crate::actions::resend::{self, Resent};
use crate::actions::words::{count, local};
use crate::ledger::outbox::{ListedEmail, WantedEmails};
use crate::letters::mailbox;
use crate::post::deliver::{Delivered, Post};
use crate::setup::office::{self, Office};
use fecha_core::bill::group_bill::{GroupTxid, InvalidGroupTxid};
use fecha_core::bill::invoice::Number;
use fecha_core::calendar::month::{InvalidMonth, Month};
use fecha_core::letter::LetterState;
use fecha_core::price::money::grouped;

/// What `fecha deliver --help` says below its options.
pub const DELIVER_HELP: &str = "\
What a server refused for now is tried again by a later run; the daemon does
it by itself. Exit status 1 where an email failed, 3 where no server could be
reached: all others wait.

Examples:
  fecha deliver
  fecha outbox --state failed       what did not go out, and why";

/// So many of what failed are named.
const MOST_FAILED: usize = 25;

/// Sends what is due, once.
pub async fn deliver(office: &Office, output: &Output) -> Result<u8, Failure> {
    let delivered = send_due(office, output).await?;
    let json = json!({
        "sent": delivered.sent,
        "retried": delivered.retried,
        "failed": delivered.failed.iter().map(|(to, error)| json!({"to": to, "error": error})).collect::<Vec<_>>(),
        "unreachable": delivered.unreachable,
    });
    if let Some(error) = &delivered.unreachable {
        let sent = count(delivered.sent, "email");
        let mut message = format!(
            "{error}\n{sent} sent; the others wait in the outbox: run `fecha deliver` again"
        );
        for (to, error) in &delivered.failed {
            message += &format!("\nfailed: {to}: {error}");
        }
        return Err(Failure { status: 3, message, busy: false });
    }
    output.result(&json, |_| {
        let mut text = format!(
            "{} sent, {} to be tried again, {} failed\n",
            count(delivered.sent, "email"),
            delivered.retried,
            delivered.failed.len()
        );
        for (to, error) in delivered.failed.iter().take(MOST_FAILED) {
            text += &format!("  failed: {to}: {}\n", plain(error));
        }
        if let Some(more) = delivered.failed.len().checked_sub(MOST_FAILED + 1) {
            let more = grouped(more as u64 + 1);
            text += &format!("  … and {more} more: `fecha status` puts together what is alike\n");
        }
        text
    });
    Ok(u8::from(!delivered.failed.is_empty()))
}

/// Sends what is due, with a progress bar on a terminal.
pub async fn send_due(office: &Office, output: &Output) -> Result<Delivered, Failure> {
    let mut mailers = office::mailers(&office.config)?;
    let post = Post { ledger: &office.ledger, templates: &office.templates, clock: office.clock };
    let bar = output.bar();
    let delivered = post
        .deliver_due(&mut mailers, office.config.email.per_minute, |done| {
            bar.set_message(format!("{done} emails"));
            bar.tick();
        })
        .await;
    bar.finish_and_clear();
    Ok(delivered?)
}

/// Arguments of `fecha outbox`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Times are local ones of [issuer] timezone.

Examples:
  fecha outbox --state failed
  fecha outbox --month 2026-10")]
pub struct OutboxArgs {
    /// Only emails in this state
    #[arg(long, value_name = "S")]
    state: Option<StateArg>,
    /// Only emails about this month, YYYY-MM; reminders by their day
    #[arg(long, value_name = "M")]
    month: Option<Month>,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum StateArg {
    Pending,
    Sending,
    Sent,
    Failed,
    Withdrawn,
}

impl From<StateArg> for LetterState {
    fn from(state: StateArg) -> Self {
        match state {
            StateArg::Pending => Self::Pending,
            StateArg::Sending => Self::Sending,
            StateArg::Sent => Self::Sent,
            StateArg::Failed => Self::Failed,
            StateArg::Withdrawn => Self::Withdrawn,
        }
    }
}

/// Lists the outbox.
pub async fn outbox(office: &Office, args: &OutboxArgs, output: &Output) -> Result<u8, Failure> {
    let wanted = WantedEmails { state: args.state.map(LetterState::from), month: args.month };
    let emails = outbox::outbox(office, wanted).await?;
    let zone = office.config.issuer.timezone;
    let json: Vec<EmailJson<'_>> = emails.iter().map(EmailJson::of).collect();
    output.result(&json, |page| {
        if emails.is_empty() {
            return "no emails".to_owned();
        }
        let row = |email: &ListedEmail| {
            vec![
                email.state.key().to_owned(),
                local(email.queued_at, zone),
                email.sent_at.map(|at| local(at, zone)).unwrap_or_default(),
                match &email.redirected_to {
                    Some(redirected) => format!("{redirected} (for {})", email.recipient),
                    None => email.recipient.to_string(),
                },
                email.kind.key().replace('_', " "),
                email.number.map(|number| number.to_string()).unwrap_or_default(),
                email.subject.clone(),
                email.attempts.to_string(),
            ]
        };
        let table = page.table(&COLUMNS, emails.iter().map(row).collect());
        format!("{table}\n{}", remarks(page, &emails, zone))
    });
    Ok(0)
}

const COLUMNS: [Column; 8] = [
    word("state"),
    word("queued").spare(4),
    word("sent").spare(2),
    name("to").least(18),
    word("kind").spare(1),
    word("number").spare(1),
    name("subject").spare(5),
    figure("attempts").spare(6),
];

/// So many emails with one remark are named.
const NAMED: usize = 3;

/// What is to be said of some of them, each thing once.
fn remarks(page: Page, emails: &[ListedEmail], zone: Tz) -> String {
    let mut about: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for email in emails {
        let whom = match email.number {
            Some(number) => format!("{number} {}", email.to()),
            None => email.to().to_string(),
        };
        if let Some(remark) = remark(email, zone) {
            about.entry(format!("{}: {remark}", email.state.key())).or_default().push(whom);
        }
    }
    let mut about: Vec<(String, Vec<String>)> = about.into_iter().collect();
    about.sort_by_key(|(_, whom)| std::cmp::Reverse(whom.len()));
    let line = |(remark, whom): &(String, Vec<String>)| {
        let more = match whom.len().saturating_sub(NAMED) {
            0 => String::new(),
            more => format!(" and {} more", grouped(more as u64)),
        };
        let named = whom.iter().take(NAMED).map(|one| plain(one)).collect::<Vec<_>>().join(", ");
        format!("{}\n{}\n", page.item("", &plain(remark)), page.item("  ", &(named + &more)))
    };
    about.iter().map(line).collect()
}

fn remark(email: &ListedEmail, zone: Tz) -> Option<String> {
    let mut remarks = Vec::new();
    if email.maybe_twice > 0 {
        remarks.push("possibly delivered twice".to_owned());
    }
    if let (LetterState::Pending, 1.., Some(at)) =
        (email.state, email.attempts, email.next_attempt_at)
    {
        remarks.push(format!("next attempt {}", local(at, zone)));
    }
    if email.state != LetterState::Sent {
        // The same answer about another address is the same.
        let error = email.last_error.iter();
        remarks.extend(error.map(|error| error.replace(email.to().as_str(), "…")));
    }
    (!remarks.is_empty()).then(|| remarks.join("; "))
}

/// Arguments of `fecha resend`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  fecha resend 2026-000017\n  fecha resend 2026-000017 --to contabilidade@example.com\n  fecha resend 2026-10\n  fecha resend G2026100001\n  fecha resend --failed\n  fecha deliver"
)]
pub struct ResendArgs {
    /// Invoice numbers, YYYY-NNNNNN, a month, YYYY-MM: its reports to finance, or a
    /// group bill, G2026100001
    #[arg(
        required_unless_present = "failed",
        conflicts_with = "failed",
        value_name = "NUMBER|MONTH|GROUP"
    )]
    what: Vec<What>,
    /// Send it here instead of to the addresses of the dealership, or of finance
    #[arg(long, value_name = "ADDRESS", conflicts_with = "failed")]
    to: Option<String>,
    /// All that failed, to the addresses of today
    #[arg(long)]
    failed: bool,
    /// Only what failed of this month
    #[arg(long, value_name = "M", requires = "failed")]
    month: Option<Month>,
}

/// What is to be sent again.
#[derive(Debug, Clone, Copy)]
enum What {
    Invoice(Number),
    Digest(Month),
    Group(GroupTxid),
}

impl FromStr for What {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number = text.parse().map(Self::Invoice);
        let month = number.or_else(|_| text.parse().map(Self::Digest));
        month.or_else(|_: InvalidMonth| text.parse().map(Self::Group)).map_err(|_: InvalidGroupTxid| {
            format!(
                "'{text}' is neither an invoice number like 2026-000017, nor a month like 2026-10, nor a group bill like G2026100001"
            )
        })
    }
}

/// Queues emails again: invoices', for numbers that are void those about the cancellation, reports', a group's, or all
/// that failed.
pub async fn resend(office: &Office, args: &ResendArgs, output: &Output) -> Result<u8, Failure> {
    let to = args.to.as_deref().map(mailbox::address).transpose().map_err(Failure::wrong)?;
    let by = &office.actor;
    let mut all = Vec::new();
    for what in &args.what {
        all.push(match what {
            What::Invoice(number) => resend::invoice(office, *number, to.clone(), by).await?,
            What::Digest(month) => resend::digest(office, *month, to.clone(), by).await?,
            What::Group(txid) => resend::group(office, *txid, to.clone(), by).await?,
        });
    }
    if args.failed {
        all.extend(resend::failed(office, args.month, by).await?);
    }
    let words = |_| {
        let line = |resent: &Resent| {
            let to = resent.queued.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            format!("queued {} again for {to}", resent.what)
        };
        let mut lines: Vec<String> = all.iter().map(line).collect();
        lines.push(match all.len() {
            0 => "no email has failed".to_owned(),
            1 => "`fecha deliver` sends it".to_owned(),
            _ => "`fecha deliver` sends them".to_owned(),
        });
        lines.join("\n")
    };
    // One thing that was asked for is told as one.
    match (args.what.len(), all.first()) {
        (1, Some(only)) => output.result(only, words),
        _ => output.result(&all, words),
    }
    Ok(0)
}

/// Arguments of `fecha digest`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  fecha digest --month 2026-10 --dir relatorio")]
pub struct DigestArgs {
    /// The month, YYYY-MM
    #[arg(long, value_name = "M")]
    month: Month,
    /// The folder for the files; it is made where it is missing
    #[arg(long, value_name = "DIR")]
    dir: PathBuf,
    #[command(flatten)]
    force: ForceArgs,
}

/// Writes the files of a month's reports to finance: words, workbook, archive of invoices.
pub async fn digest(office: &Office, args: &DigestArgs, output: &Output) -> Result<u8, Failure> {
    let files = resend::digest_files(office, args.month).await?;
    let made = std::fs::create_dir_all(&args.dir);
    made.map_err(|error| {
        Failure::wrong(format!("the folder {} cannot be made: {error}", args.dir.display()))
    })?;
    let kind = |name: &str| match Path::new(name).extension().and_then(|ending| ending.to_str()) {
        Some("xlsx") => Kind::Workbook,
        Some("zip") => Kind::Archive,
        Some("html") => Kind::Page,
        _ => Kind::Text,
    };
    let wanted: Vec<(PathBuf, Kind)> =
        files.iter().map(|file| (args.dir.join(&file.name), kind(&file.name))).collect();
    let to = Files::new(&office.config, args.force);
    let output = &to.beside(output, wanted.iter().map(|(path, kind)| (path, *kind)))?;
    let mut paths = Vec::new();
    for (file, (path, kind)) in files.iter().zip(&wanted) {
        to.write(path, *kind, &file.bytes)?;
        paths.push(path.display().to_string());
    }
    output.result(&json!({"month": args.month, "files": paths}), |_| {
        paths.iter().map(|path| format!("wrote {path}\n")).collect()
    });
    Ok(0)
}
