//! Issues one invoice, or a revision of one: number, document model, evidence, both PDFs and the
//! queued emails, in one transaction. Either all of it exists afterwards or nothing does.

use chrono::{DateTime, Datelike, Utc};
use chrono_tz::Tz;
use sqlx::{Any, Transaction};

use crate::billing::adjustment::{Applied, Rest};
use crate::billing::advice::PastMonth;
use crate::billing::due_date::due_date;
use crate::billing::evidence::{self, EvidenceKey, sha256_hex};
use crate::billing::invoice::{Invoice, Number, Replacement, Usage};
use crate::billing::money::Money;
use crate::billing::month::{Month, Period};
use crate::billing::pix::{Receiver, br_code};
use crate::billing::price::Line;
use crate::billing::register::{Dealership, EmailAddress};
use crate::billing::tally::Tally;
use crate::clock::Clock;
use crate::config::Config;
use crate::document::{RenderError, Renderer};
use crate::ledger::adjustments::{carry, leave, paid};
use crate::ledger::audit;
use crate::ledger::invoices::{Files, claim, insert_revision, supersede, take_number};
use crate::ledger::outbox::{Content, Kind, NewEmail, queue, withdraw};
use crate::ledger::{Ledger, LedgerError};
use crate::mail::Sender;
use crate::mail::template::{TemplateError, Templates};

/// What issuing needs beside the data: made once for a whole close.
#[derive(Debug)]
pub struct Desk<'a> {
    /// Issuer, due day, PIX key, first number.
    pub config: &'a Config,
    /// Where invoices are kept.
    pub ledger: &'a Ledger,
    /// Draws the documents.
    pub renderer: &'a Renderer,
    /// Words the subjects.
    pub templates: &'a Templates,
    /// Makes the Message-IDs.
    pub sender: &'a Sender,
    /// Makes the ids of the evidence.
    pub key: &'a EvidenceKey,
    /// Tells the time of issue.
    pub clock: Clock,
    /// Who closes: a login name.
    pub actor: &'a str,
}

/// A dealership's month, counted and priced, not yet numbered.
#[derive(Debug)]
pub struct Draft<'a> {
    /// Who is invoiced.
    pub dealership: &'a Dealership,
    /// The month.
    pub month: Month,
    /// Its bounds.
    pub period: Period,
    /// The zone of its days.
    pub timezone: Tz,
    /// Contacts included.
    pub package: u64,
    /// What was counted.
    pub tally: Tally,
    /// What its use costs.
    pub lines: Vec<Line>,
    /// Credits and charges beside that.
    pub adjustments: Applied,
    /// What was paid for it already, by the payments; only a revision has any.
    pub paid: Money,
    /// What later invoices gave back of that.
    pub paid_back: Money,
    /// Its invoiced months before, at most five, the oldest first.
    pub history: Vec<PastMonth>,
}

/// What became of a draft.
#[derive(Debug)]
pub enum Outcome {
    /// It is an invoice now.
    Issued(Box<Invoice>),
    /// Another process, or an earlier run, had issued the month or the revision already, or the invoice
    /// was cancelled: nothing was changed.
    AlreadyIssued,
}

/// An invoice could not be issued; nothing of it exists.
#[derive(Debug, thiserror::Error)]
pub enum IssueError {
    /// The ledger could not take it.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// A document could not be drawn.
    #[error("its documents could not be drawn: {0}")]
    Render(#[from] RenderError),
    /// A credit or charge was taken or cancelled between counting and issuing.
    #[error("one of its adjustments was changed meanwhile: run the command again")]
    AdjustmentsChanged,
    /// The email's subject could not be worded.
    #[error("its email could not be written: {0}")]
    Template(#[from] TemplateError),
}

/// Issues `draft` as revision 0, once.
///
/// # Errors
/// [`IssueError`]; the transaction is rolled back then, so that the number is free again.
pub async fn issue(
    desk: &Desk<'_>,
    draft: Draft<'_>,
    now: DateTime<Utc>,
) -> Result<Outcome, IssueError> {
    let evidence = evidence::csv(draft.tally.contacts.iter(), desk.key).into_bytes();
    let evidence_sha256 = sha256_hex(&evidence);

    let mut transaction = desk.ledger.begin().await?;
    let year = now.with_timezone(&desk.config.issuer.timezone).year();
    let number = take_number(&mut transaction, year, desk.config.invoice.first_number).await?;
    if !claim(&mut transaction, number, &draft.dealership.id, draft.month).await? {
        return Ok(Outcome::AlreadyIssued);
    }
    let invoice = invoice(desk.config, &draft, number, evidence_sha256, None, now);
    if !carry(&mut transaction, &invoice, &draft.adjustments).await? {
        return Err(IssueError::AdjustmentsChanged);
    }
    let detail = format!("{} {}", invoice.label(), invoice.total());
    let deed = Deed { actor: desk.actor, action: "issue", detail: &detail };
    write(desk, transaction, &draft, &invoice, evidence, deed).await?;
    Ok(Outcome::Issued(Box::new(invoice)))
}

/// Why a revision is issued.
#[derive(Debug, Clone, Copy)]
pub struct Why<'a> {
    /// In words, for the invoice and the audit log.
    pub reason: &'a str,
    /// Who asked for it.
    pub by: &'a str,
    /// What changed, in words, for the audit log.
    pub change: &'a str,
}

/// Issues `draft` as the revision that follows `before`, under its number, once: `before` is
/// superseded and those of its emails that were not sent are withdrawn.
///
/// # Errors
/// [`IssueError`]; the transaction is rolled back then, and `before` stands.
pub async fn revise(
    desk: &Desk<'_>,
    draft: Draft<'_>,
    before: &Invoice,
    why: Why<'_>,
    now: DateTime<Utc>,
) -> Result<Outcome, IssueError> {
    let evidence = evidence::csv(draft.tally.contacts.iter(), desk.key).into_bytes();
    let evidence_sha256 = sha256_hex(&evidence);

    let mut transaction = desk.ledger.begin().await?;
    if !supersede(&mut transaction, before.number, before.revision, now).await? {
        return Ok(Outcome::AlreadyIssued);
    }
    if paid(&mut transaction, before.number).await? != draft.paid {
        return Ok(Outcome::AlreadyIssued);
    }
    withdraw(&mut transaction, before.number).await?;
    let replaces = Replacement {
        revision: before.revision,
        total: before.total(),
        reason: why.reason.to_owned(),
        by: why.by.to_owned(),
        paid: draft.paid - draft.paid_back,
    };
    let number = before.number;
    let invoice = invoice(desk.config, &draft, number, evidence_sha256, Some(replaces), now);
    if !carry(&mut transaction, &invoice, &draft.adjustments).await? {
        return Ok(Outcome::AlreadyIssued);
    }
    if invoice.credit() > Money::ZERO {
        let description = format!("Crédito: pago a mais pela fatura {number}");
        let rest = Rest { rest_of: None, amount: -invoice.credit(), description };
        leave(&mut transaction, &invoice, &rest, invoice.month.next(), "fecha", now).await?;
    }
    let detail = format!(
        "{} {} replaces {} {}: {}; reason: {}{}",
        invoice.label(),
        invoice.total(),
        before.label(),
        before.total(),
        why.change,
        why.reason,
        if why.by == desk.actor { String::new() } else { format!("; entered by {}", desk.actor) },
    );
    let deed = Deed { actor: why.by, action: "rerun", detail: &detail };
    write(desk, transaction, &draft, &invoice, evidence, deed).await?;
    Ok(Outcome::Issued(Box::new(invoice)))
}

/// What the audit log says of an issue.
struct Deed<'a> {
    actor: &'a str,
    action: &'a str,
    detail: &'a str,
}

/// Writes the revision with its documents, its emails and its audit entry, and commits.
async fn write(
    desk: &Desk<'_>,
    mut transaction: Transaction<'static, Any>,
    draft: &Draft<'_>,
    invoice: &Invoice,
    evidence: Vec<u8>,
    deed: Deed<'_>,
) -> Result<(), IssueError> {
    let files = Files {
        invoice: desk.renderer.invoice(invoice)?,
        statement: desk.renderer.statement(invoice)?,
        evidence,
    };
    insert_revision(&mut transaction, invoice, &files).await?;
    for email in invoice_emails(desk, invoice, recipients(draft.dealership), invoice.issued_at)? {
        queue(&mut transaction, &email, invoice.issued_at).await?;
    }
    audit::Entry {
        at: invoice.issued_at,
        actor: deed.actor,
        action: deed.action,
        month: Some(invoice.month),
        dealership_id: Some(&invoice.dealership_id),
        detail: deed.detail,
    }
    .write(&mut transaction)
    .await?;
    transaction.commit().await.map_err(LedgerError::while_doing("issue an invoice"))?;
    Ok(())
}

fn invoice(
    config: &Config,
    draft: &Draft<'_>,
    number: Number,
    evidence_sha256: String,
    replaces: Option<Replacement>,
    now: DateTime<Utc>,
) -> Invoice {
    let issued_on = now.with_timezone(&draft.timezone).date_naive();
    let due_day = draft.dealership.due_day.unwrap_or(config.invoice.due_day);
    let lines = [&draft.lines[..], &draft.adjustments.lines].concat();
    let paid = replaces.as_ref().map_or(Money::ZERO, |before| before.paid);
    let total: Money = lines.iter().map(|line| line.amount).sum();
    let pix = config.pix.as_ref().and_then(|key| {
        let receiver = Receiver { key, name: &config.issuer.name, city: &config.issuer.city };
        br_code(receiver, (total - paid).max(Money::ZERO), &number.txid())
    });
    Invoice {
        number,
        revision: replaces.as_ref().map_or(0, |before| before.revision + 1),
        issuer: config.issuer.clone(),
        dealership_id: draft.dealership.id.clone(),
        dealership: draft.dealership.party(),
        month: draft.month,
        period: draft.period,
        timezone: draft.timezone,
        package: draft.package,
        usage: Usage::of(&draft.tally, draft.timezone),
        lines,
        issued_at: now,
        issued_on,
        due_on: due_date(draft.month, due_day, issued_on, replaces.is_some()),
        evidence_sha256,
        pix,
        late_fee: config.invoice.late_fee.clone(),
        prices: config.prices.table_for(draft.month).ok().cloned(),
        history: draft.history.clone(),
        replaces,
    }
}

/// Who gets a dealership's emails, each address once.
#[must_use]
pub fn recipients(dealership: &Dealership) -> Vec<EmailAddress> {
    let mut recipients = vec![dealership.email.clone()];
    for address in &dealership.cc {
        if !recipients.contains(address) {
            recipients.push(address.clone());
        }
    }
    recipients
}

/// One email to each recipient, with both documents.
///
/// # Errors
/// [`TemplateError`] where the subject cannot be worded.
pub fn invoice_emails(
    desk: &Desk<'_>,
    invoice: &Invoice,
    recipients: Vec<EmailAddress>,
    now: DateTime<Utc>,
) -> Result<Vec<NewEmail>, TemplateError> {
    let subject = desk.templates.invoice(invoice)?.subject;
    let email = |recipient| NewEmail {
        kind: Kind::Invoice,
        cause: invoice.label(),
        recipient,
        redirected_to: desk.config.email.redirect.clone(),
        resend: 0,
        number: Some(invoice.number),
        content: Content::Invoice { number: invoice.number, revision: invoice.revision },
        subject: subject.clone(),
        message_id: desk.sender.new_message_id(now),
    };
    Ok(recipients.into_iter().map(email).collect())
}
