//! `fecha deliver`, `fecha outbox` and `fecha resend`

use serde_json::json;

use super::output::{Failure, Output, plain, table};
use crate::actions::outbox::{self, EmailJson};
use crate::actions::resend;
use crate::actions::words::count;
use crate::ledger::outbox::ListedEmail;
use crate::letters::mailbox;
use crate::post::deliver::{Delivered, Post};
use crate::setup::office::{self, Office};
use fecha_core::bill::invoice::Number;
use fecha_core::letter::LetterState;

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
        return Err(Failure { status: 3, message, busy: false });
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

/// Lists the outbox.
pub async fn outbox(office: &Office, args: &OutboxArgs, output: &Output) -> Result<u8, Failure> {
    let emails = outbox::outbox(office, args.state.map(LetterState::from)).await?;
    let json: Vec<EmailJson<'_>> = emails.iter().map(EmailJson::of).collect();
    output.result(&json, || {
        if emails.is_empty() {
            return "no emails".to_owned();
        }
        let row = |email: &ListedEmail| {
            vec![
                email.state.key().to_owned(),
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

fn remark(email: &ListedEmail) -> String {
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
    let to = args.to.as_deref().map(mailbox::address).transpose().map_err(Failure::wrong)?;
    let resent = resend::resend(office, args.number, to, &office.actor).await?;
    output.result(&resent, || {
        let to = resent.queued.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        format!("queued {} again for {to}; `fecha deliver` sends it", resent.what)
    });
    Ok(0)
}
