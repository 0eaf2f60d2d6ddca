//! `fecha deliver`, `fecha outbox` and `fecha resend`

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;
use serde_json::json;

use super::close::count;
use super::output::{Failure, Output, plain, table};
use crate::ledger::audit;
use crate::ledger::invoices::Filter;
use crate::ledger::outbox::Queued;
use crate::letters::address::{Whose, recipients};
use crate::letters::mailbox;
use crate::post::deliver::{Delivered, Post};
use crate::setup::office::{self, Office};
use fecha_core::bill::invoice::InvoiceState;
use fecha_core::bill::invoice::{Invoice, Number};
use fecha_core::letter::{Kind, Letter, LetterState};
use fecha_core::party::register::EmailAddress;

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
        let message = format!(
            "{error}\n{sent} sent; the others wait in the outbox: run `fecha deliver` again"
        );
        return Err(Failure { status: 3, message });
    }
    output.result(&json, || {
        let mut text = format!(
            "{} sent, {} to be tried again, {} failed\n",
            count(delivered.sent, "email"),
            delivered.retried,
            delivered.failed.len()
        );
        for (to, error) in &delivered.failed {
            text += &format!("  failed: {to}: {}\n", plain(error));
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
#[command(after_help = "Example:\n  fecha outbox --state failed")]
pub struct OutboxArgs {
    /// Only emails in this state
    #[arg(long, value_name = "S")]
    state: Option<StateArg>,
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

#[derive(Serialize)]
struct EmailJson<'a> {
    id: &'a str,
    kind: Kind,
    number: Option<Number>,
    to: &'a EmailAddress,
    subject: &'a str,
    message_id: &'a str,
    state: LetterState,
    attempts: u32,
    next_attempt_at: Option<String>,
    last_error: Option<&'a str>,
}

impl<'a> EmailJson<'a> {
    fn of(email: &'a Queued) -> Self {
        Self {
            id: &email.id,
            kind: email.kind,
            number: email.number,
            to: email.to(),
            subject: &email.subject,
            message_id: &email.message_id,
            state: email.state,
            attempts: email.attempts,
            next_attempt_at: email
                .next_attempt_at
                .map(|at| at.to_rfc3339_opts(SecondsFormat::Secs, true)),
            last_error: email.last_error.as_deref(),
        }
    }
}

/// Lists the outbox.
pub async fn outbox(office: &Office, args: &OutboxArgs, output: &Output) -> Result<u8, Failure> {
    let emails = office.ledger.emails(args.state.map(LetterState::from)).await?;
    let json: Vec<EmailJson<'_>> = emails.iter().map(EmailJson::of).collect();
    output.result(&json, || {
        if emails.is_empty() {
            return "no emails".to_owned();
        }
        let row = |email: &Queued| {
            vec![
                in_words(email.state).to_owned(),
                email.to().to_string(),
                email.subject.clone(),
                email.attempts.to_string(),
                remark(email),
            ]
        };
        table(&["state", "to", "subject", "attempts", ""], &[3], emails.iter().map(row).collect())
    });
    Ok(0)
}

fn remark(email: &Queued) -> String {
    let mut remarks = Vec::new();
    if let Some(redirected) = &email.redirected_to {
        remarks.push(format!("for {}, redirected to {redirected}", email.recipient));
    }
    if email.maybe_twice > 0 {
        remarks.push("possibly delivered twice".to_owned());
    }
    if let (LetterState::Pending, 1.., Some(at)) =
        (email.state, email.attempts, email.next_attempt_at)
    {
        remarks.push(format!("next attempt {}", at.format("%Y-%m-%d %H:%M UTC")));
    }
    if email.state != LetterState::Sent {
        remarks.extend(email.last_error.clone());
    }
    remarks.join("; ")
}

fn in_words(state: LetterState) -> &'static str {
    match state {
        LetterState::Pending => "pending",
        LetterState::Sending => "sending",
        LetterState::Sent => "sent",
        LetterState::Failed => "failed",
        LetterState::Withdrawn => "withdrawn",
    }
}

/// Arguments of `fecha resend`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  fecha resend 2026-000017\n  fecha resend 2026-000017 --to contabilidade@example.com\n  fecha deliver"
)]
pub struct ResendArgs {
    /// The invoice number, YYYY-NNNNNN
    number: Number,
    /// Send it here instead of to the dealership's addresses
    #[arg(long, value_name = "ADDRESS")]
    to: Option<String>,
}

/// Queues an invoice's emails again; for a number that is void, those about its cancellation.
pub async fn resend(office: &Office, args: &ResendArgs, output: &Output) -> Result<u8, Failure> {
    let number = args.number;
    let filter = Filter { number: Some(number), ..Filter::default() };
    // Without superseded ones there is one: it stands, or the number is void.
    let Some(revision) = office.ledger.revisions(filter).await?.pop() else {
        let message = format!("there is no invoice {number}: `fecha invoices` lists all");
        return Err(Failure::wrong(message));
    };
    let dealerships = office.ledger.dealerships().await?;
    let dealership = dealerships.iter().find(|d| d.id == revision.invoice.dealership_id);
    let to = match &args.to {
        Some(text) => vec![mailbox::address(text).map_err(Failure::wrong)?],
        None => dealership.map(recipients).unwrap_or_default(),
    };
    let evidence = dealership.map(|dealership| dealership.evidence).unwrap_or_default();
    let now = office.clock.now();
    let (what, emails) = match revision.state {
        InvoiceState::Cancelled => {
            let emails = about_cancellation(office, &revision.invoice, &to, now).await?;
            (format!("the cancellation of {}", revision.invoice.label()), emails)
        }
        InvoiceState::Issued | InvoiceState::Superseded => {
            let emails = office.addresser.invoice(&revision.invoice, evidence, to.clone(), now);
            (revision.invoice.label(), emails.map_err(Failure::wrong)?)
        }
    };
    let invoice = &revision.invoice;
    let ids: Vec<String> = emails.iter().map(|letter| letter.message_id().to_owned()).collect();
    let detail = format!("{what} again");
    let entry = audit::Deed {
        at: now,
        actor: &office.actor,
        action: "resend",
        month: Some(invoice.month),
        dealership_id: Some(&invoice.dealership_id),
        detail: &detail,
    };
    office.ledger.queue_again(emails, now, &entry).await?;
    output.result(&json!({"number": number, "queued": to, "message_ids": ids}), || {
        let to = to.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        format!("queued {what} again for {to}; `fecha deliver` sends it")
    });
    Ok(0)
}

async fn about_cancellation(
    office: &Office,
    invoice: &Invoice,
    to: &[EmailAddress],
    now: DateTime<Utc>,
) -> Result<Vec<Letter>, Failure> {
    let number = invoice.number;
    let Some(kept) = office.ledger.cancellation(number).await? else {
        let message = format!(
            "{number} was cancelled by an earlier fecha, which kept no words about it: write its document with `fecha invoice {number} --cancellation FILE` and send that"
        );
        return Err(Failure::wrong(message));
    };
    let whose = Whose::Dealership;
    let letters =
        office.addresser.cancellation(invoice, &kept.cancellation, whose, to.to_vec(), now);
    letters.map_err(Failure::wrong)
}
