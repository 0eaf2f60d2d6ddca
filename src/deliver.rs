//! Sends what is due in the outbox: claim, build, send, record.

use crate::clock::Clock;
use crate::ledger::invoices::{FileKind, Filter};
use crate::ledger::outbox::{Attempt, Content, Email};
use crate::ledger::{Ledger, LedgerError};
use crate::mail::retry::next_attempt;
use crate::mail::{self, Attachment, Delivery, Mailer, TemplateError, Templates};
use crate::report::ReportError;
use crate::report::archive::{File, archive};
use crate::report::workbook::workbook;

/// What a round of delivery did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Delivered {
    /// Taken by the server.
    pub sent: usize,
    /// To be tried again later.
    pub retried: usize,
    /// Over, without success: who, and why.
    pub failed: Vec<(String, String)>,
    /// The server was away, so that nothing further was tried.
    pub unreachable: Option<String>,
}

/// One step of a round.
#[derive(Debug)]
enum Step {
    Sent,
    Retried,
    Failed(String, String),
    Unreachable(String),
    NothingDue,
}

/// An email could not be built from the ledger.
#[derive(Debug, thiserror::Error)]
enum BuildError {
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    #[error(transparent)]
    Template(#[from] TemplateError),
    #[error("the report's files could not be made: {0}")]
    Report(#[from] ReportError),
}

/// Sends emails from the outbox.
#[derive(Debug)]
pub struct Post<'a> {
    /// Where the outbox and the documents are.
    pub ledger: &'a Ledger,
    /// Words the emails.
    pub templates: &'a Templates,
    /// Tells when an attempt is made.
    pub clock: Clock,
}

impl Post<'_> {
    /// Sends everything that is due, each email once. One that is refused does not keep the others
    /// from going; a server that is away ends the round.
    ///
    /// # Errors
    /// [`LedgerError`] where the outbox cannot be read or written.
    pub async fn deliver_due(
        &self,
        mailer: &mut Mailer,
        mut progress: impl FnMut(usize),
    ) -> Result<Delivered, LedgerError> {
        let mut delivered = Delivered::default();
        // What falls due while the round is running waits for the next one.
        let until = self.clock.now();
        loop {
            match self.deliver_one(mailer, until).await? {
                Step::NothingDue => break,
                Step::Sent => delivered.sent += 1,
                Step::Retried => delivered.retried += 1,
                Step::Failed(to, error) => delivered.failed.push((to, error)),
                Step::Unreachable(error) => {
                    delivered.unreachable = Some(error);
                    break;
                }
            }
            progress(delivered.sent + delivered.retried + delivered.failed.len());
        }
        mailer.close().await;
        Ok(delivered)
    }

    async fn deliver_one(
        &self,
        mailer: &mut Mailer,
        until: chrono::DateTime<chrono::Utc>,
    ) -> Result<Step, LedgerError> {
        let Some(email) = self.ledger.claim_email(until).await? else {
            return Ok(Step::NothingDue);
        };
        let delivery = match self.build(&email).await {
            Ok(message) => mailer.send(&message).await,
            Err(BuildError::Ledger(error)) if error.is_unreachable() => return Err(error),
            Err(error) => Delivery::Failed { error: error.to_string() },
        };
        let now = self.clock.now();
        let (attempt, step) = outcome(&email, delivery, now);
        self.ledger.record_attempt(&email, &attempt, now).await?;
        Ok(step)
    }

    /// The email as it goes out. Documents come from the ledger, as issued.
    async fn build(&self, email: &Email) -> Result<mail::Email, BuildError> {
        let (rendered, attachments, file_stem) = match &email.content {
            Content::Invoice { number, revision } => {
                let filter = Filter { number: Some(*number), all_revisions: true, ..Filter::default() };
                let revisions = self.ledger.revisions(filter).await?;
                let found = revisions.into_iter().find(|r| r.invoice.revision == *revision);
                let invoice = found.ok_or_else(|| missing(&email.subject))?.invoice;
                let label = invoice.label();
                let mut attachments = Vec::new();
                for (kind, name) in [(FileKind::Invoice, "fatura"), (FileKind::Statement, "extrato")] {
                    let bytes = self.ledger.file(*number, *revision, kind).await?;
                    let file_name = format!("{name}-{label}.pdf");
                    let bytes = bytes.ok_or_else(|| missing(&file_name))?;
                    attachments.push(Attachment { file_name, content_type: "application/pdf", bytes });
                }
                (self.templates.invoice(&invoice)?, attachments, format!("fatura-{label}"))
            }
            Content::Digest { month, sequence, part, parts, archive: numbers } => {
                let digest = self.ledger.digest(*month, *sequence).await?;
                let mut attachments = Vec::new();
                if *part == 1 {
                    attachments.push(Attachment {
                        file_name: format!("fechamento-{month}.xlsx"),
                        content_type: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
                        bytes: workbook(&digest)?,
                    });
                }
                let mut files = Vec::new();
                for (number, revision) in numbers {
                    let file_name =
                        format!("fatura-{}.pdf", crate::billing::invoice::label(*number, *revision));
                    let bytes = self.ledger.file(*number, *revision, FileKind::Invoice).await?;
                    let bytes = bytes.ok_or_else(|| missing(&file_name))?;
                    files.push(File { name: file_name, bytes });
                }
                let part_name = if *parts > 1 { format!("-{part}") } else { String::new() };
                if !files.is_empty() {
                    attachments.push(Attachment {
                        file_name: format!("faturas-{month}{part_name}.zip"),
                        content_type: "application/zip",
                        bytes: archive(&files)?,
                    });
                }
                let stem = format!("fechamento-{month}-{sequence}{part_name}");
                (self.templates.digest(&digest, *part, *parts)?, attachments, stem)
            }
        };
        Ok(mail::Email {
            message_id: email.message_id.clone(),
            file_stem,
            to: email.to().clone(),
            subject: email.subject.clone(),
            text: rendered.text,
            html: rendered.html,
            attachments,
            date: email.created_at,
        })
    }
}

fn missing(what: &str) -> LedgerError {
    LedgerError::Corrupt(format!("'{what}' is queued, but its document is not there"))
}

/// What is recorded of an attempt, and what the round makes of it.
fn outcome(
    email: &Email,
    delivery: Delivery,
    now: chrono::DateTime<chrono::Utc>,
) -> (Attempt, Step) {
    match delivery {
        Delivery::Sent => (Attempt::Sent, Step::Sent),
        Delivery::Failed { error } => {
            (Attempt::Failed { error: error.clone() }, Step::Failed(email.to().to_string(), error))
        }
        Delivery::Unreachable { error } => {
            (Attempt::NotBegun { error: error.clone() }, Step::Unreachable(error))
        }
        Delivery::Retry { error, maybe_delivered } => {
            let first = email.first_attempt_at.unwrap_or(now);
            match next_attempt(email.attempts, first, now) {
                Some(at) => (Attempt::Retry { at, error, maybe_delivered }, Step::Retried),
                None => {
                    let error = format!("given up after 4 days: {error}");
                    let step = Step::Failed(email.to().to_string(), error.clone());
                    (Attempt::Failed { error }, step)
                }
            }
        }
    }
}
