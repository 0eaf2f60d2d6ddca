//! Sends what is due in the outbox: claim, build, send, record.

use chrono::{DateTime, Utc};
use futures::future::join_all;
use tokio::sync::Mutex;

use super::round::Round;

use crate::clock::Clock;
use crate::ledger::delivery::{Attempt, Done};
use crate::ledger::invoices::{FileKind, Filter};
use crate::ledger::outbox::Queued;
use crate::ledger::{Ledger, LedgerError};
use crate::letters;
use crate::letters::compose::{self, ComposeError, Envelope, InvoiceFiles};
use crate::letters::template::Templates;
use crate::post::Mailer;
use fecha_core::bill::invoice::{Invoice, Number, label};
use fecha_core::letter::retry::next_attempt;
use fecha_core::letter::{Content, Delivery};

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

/// What became of one email.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Taken by the server.
    Sent,
    /// To be tried again later.
    Retried,
    /// Over, without success: who, and why.
    Failed(String, String),
    /// The server was away: no other would have gone.
    Unreachable(String),
}

impl Step {
    fn name(&self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Retried => "to be tried again",
            Self::Failed(..) => "failed",
            Self::Unreachable(_) => "server away",
        }
    }
}

/// An email could not be built from the ledger.
#[derive(Debug, thiserror::Error)]
enum BuildError {
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    #[error(transparent)]
    Compose(#[from] ComposeError),
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

/// How many connections to the mail server a round has: it waits for the answers of one while it talks
/// over the others. Servers take more, but few of them like it.
pub const CONNECTIONS: usize = 4;

/// Held while a part of a digest is built and sent: each is as large as servers take, and several at
/// once would need most of the memory of a close.
static ONE_DIGEST: Mutex<()> = Mutex::const_new(());

impl Post<'_> {
    /// Sends everything that is due, each email once, over as many connections as there are mailers.
    /// An email that is refused does not keep the others from going; a server that is away ends the
    /// round, one that turns a connection away ends that connection's part in it.
    ///
    /// # Errors
    /// [`LedgerError`] where the outbox cannot be read or written.
    pub async fn deliver_due(
        &self,
        mailers: &mut [Mailer],
        progress: impl Fn(usize),
    ) -> Result<Delivered, LedgerError> {
        // What falls due while the round is running waits for the next one.
        let round = Round::new(self.ledger, self.clock.now());
        let work = |mailer| self.work(mailer, &round, &progress);
        let ends = join_all(mailers.iter_mut().map(work)).await;
        ends.into_iter().collect::<Result<(), _>>()?;
        Ok(round.finish())
    }

    /// One connection's part in a round.
    async fn work(
        &self,
        mailer: &mut Mailer,
        round: &Round<'_>,
        progress: impl Fn(usize),
    ) -> Result<(), LedgerError> {
        let mut done = None;
        while let Some(email) = round.exchange(done.take()).await? {
            let (attempt, step) = self.attempt(mailer, &email).await?;
            let ended = Done { email, attempt, at: self.clock.now() };
            if let Step::Unreachable(error) = step {
                round.put_back(ended, error).await?;
                break;
            }
            progress(round.note(step));
            done = Some(ended);
        }
        mailer.close().await;
        Ok(())
    }

    /// Builds a claimed email, hands it over and records what became of it.
    ///
    /// # Errors
    /// [`LedgerError`] where the outbox cannot be read or written; the claim comes back by itself then.
    pub async fn send(&self, mailer: &mut Mailer, email: &Queued) -> Result<Step, LedgerError> {
        let (attempt, step) = self.attempt(mailer, email).await?;
        self.ledger.record_attempt(email, &attempt, self.clock.now()).await?;
        Ok(step)
    }

    async fn attempt(
        &self,
        mailer: &mut Mailer,
        email: &Queued,
    ) -> Result<(Attempt, Step), LedgerError> {
        let _alone = match email.content {
            Content::Digest { .. } => Some(ONE_DIGEST.lock().await),
            _ => None,
        };
        let delivery = match self.build(email).await {
            Ok(message) => mailer.send(&message).await,
            Err(BuildError::Ledger(error)) if error.is_unreachable() => return Err(error),
            Err(error) => Delivery::Failed { error: error.to_string() },
        };
        let (attempt, step) = outcome(email, delivery, self.clock.now());
        // By its id alone: addresses are personal data and stay out of logs.
        let (id, attempts, outcome) = (&email.id, email.attempts, step.name());
        match &step {
            Step::Failed(..) => {
                tracing::warn!(email = id, attempts, "failed for good: `fecha outbox` says why");
            }
            // Said once by whoever delivers, not for each email.
            Step::Unreachable(_) => tracing::debug!(email = id, attempts, outcome, "delivery"),
            _ => tracing::info!(email = id, attempts, outcome, "delivery"),
        }
        Ok((attempt, step))
    }

    /// The email as it goes out. Documents come from the ledger, as issued.
    async fn build(&self, email: &Queued) -> Result<letters::email::Email, BuildError> {
        let envelope = Envelope {
            message_id: email.message_id.clone(),
            to: email.to().clone(),
            date: email.created_at,
        };
        match &email.content {
            Content::Invoice { number, revision, evidence } => {
                let invoice = self.invoice(*number, *revision).await?;
                let pdf = self.document(*number, *revision, FileKind::Invoice).await?;
                let statement = self.document(*number, *revision, FileKind::Statement).await?;
                let evidence = if *evidence {
                    Some(self.document(*number, *revision, FileKind::Evidence).await?)
                } else {
                    None
                };
                let files = InvoiceFiles { invoice: pdf, statement, evidence };
                Ok(compose::invoice(self.templates, envelope, &invoice, files)?)
            }
            Content::Cancellation { number, revision, cancellation, is_copy } => {
                let invoice = self.invoice(*number, *revision).await?;
                let pdf = self.document(*number, *revision, FileKind::Cancellation).await?;
                let words = self.templates.cancellation(&invoice, cancellation, *is_copy);
                let words = words.map_err(ComposeError::from)?;
                Ok(compose::cancellation(envelope, &invoice, words, pdf))
            }
            Content::Digest { month, sequence, part } => {
                let digest = self.ledger.digest(*month, *sequence).await?;
                let mut pdfs = Vec::new();
                for entry in digest.invoices.get(part.invoices.clone()).unwrap_or_default() {
                    pdfs.push(
                        self.document(entry.number, entry.revision, FileKind::Invoice).await?,
                    );
                }
                Ok(compose::digest(self.templates, envelope, &digest, part, pdfs)?)
            }
            Content::PackageUse { package_use } => {
                Ok(compose::package_use(self.templates, envelope, package_use)?)
            }
            Content::Alert { alert } => Ok(compose::alert(self.templates, envelope, alert)?),
        }
    }

    async fn invoice(&self, number: Number, revision: u32) -> Result<Invoice, LedgerError> {
        let filter = Filter { number: Some(number), all_revisions: true, ..Filter::default() };
        let revisions = self.ledger.revisions(filter).await?;
        let found = revisions.into_iter().find(|r| r.invoice.revision == revision);
        Ok(found.ok_or_else(|| missing(number, revision))?.invoice)
    }

    async fn document(
        &self,
        number: Number,
        revision: u32,
        kind: FileKind,
    ) -> Result<Vec<u8>, LedgerError> {
        let bytes = self.ledger.file(number, revision, kind).await?;
        bytes.ok_or_else(|| missing(number, revision))
    }
}

fn missing(number: Number, revision: u32) -> LedgerError {
    let label = label(number, revision);
    LedgerError::Corrupt(format!(
        "an email about {label} is queued, but its documents are not there"
    ))
}

/// What is recorded of an attempt, and what the round makes of it.
fn outcome(email: &Queued, delivery: Delivery, now: DateTime<Utc>) -> (Attempt, Step) {
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
            if let Some(at) = next_attempt(email.attempts, first, now) {
                (Attempt::Retry { at, error, maybe_delivered }, Step::Retried)
            } else {
                let error = format!("given up after 4 days: {error}");
                let step = Step::Failed(email.to().to_string(), error.clone());
                (Attempt::Failed { error }, step)
            }
        }
    }
}
