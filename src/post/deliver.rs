//! Sends what is due in the outbox: claim, build, send, record.

use std::num::NonZeroU32;
use std::pin::pin;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures::future::join_all;
use tokio::time::Instant;

use super::group::group_files;
use super::halt::Refused;
use super::round::Round;

use crate::clock::Clock;
use crate::ledger::delivery::Done;
use crate::ledger::documents::FileKind;
use crate::ledger::invoices::Filter;
use crate::ledger::outbox::Queued;
use crate::ledger::{Ledger, LedgerError};
use crate::letters;
use crate::letters::compose::{self, ComposeError, Envelope, InvoiceFiles};
use crate::letters::template::Templates;
use crate::post::Mailer;
use fecha_core::account::payment::Payment;
use fecha_core::account::reminder::Reminder;
use fecha_core::bill::digest::IssuedAs;
use fecha_core::bill::invoice::{Invoice, Number, label};
use fecha_core::letter::{Content, Delivery};
use fecha_core::price::money::Money;

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

impl Delivered {
    /// Counts what became of an email; how many were dealt with so far.
    fn note(&mut self, done: &Done) -> usize {
        match done.delivery() {
            Delivery::Sent => self.sent += 1,
            Delivery::Retry { .. } => self.retried += 1,
            Delivery::Failed { error } => {
                self.failed.push((done.email().to().to_string(), error.clone()));
            }
            Delivery::Overtaken | Delivery::Unreachable { .. } | Delivery::Refused { .. } => {}
        }
        self.sent + self.retried + self.failed.len()
    }
}

/// Why a connection's part in a round ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// Nothing more is due.
    NothingDue,
    /// The server was away, or turned us away: why.
    Unreachable(String),
    /// The server refuses everybody: nothing is tried for a while.
    Refused(Refused),
    /// It was told to end.
    Told,
}

/// An email could not be built from the ledger.
#[derive(Debug, thiserror::Error)]
enum BuildError {
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    #[error(transparent)]
    Compose(#[from] ComposeError),
    /// It is to be sent to nobody any more.
    #[error("what it says is not so any more")]
    Overtaken,
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

/// Held while a part of a digest, or of what a group gets, is built and sent: each is as large as servers take, and several at
/// once would need most of the memory of a close.
static ONE_DIGEST: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

impl Post<'_> {
    /// Sends everything that is due, each email once, over as many connections as there are mailers, and
    /// `per_minute` emails at most. An email that is refused does not keep the others from going; a server
    /// that is away ends the round, one that turns a connection away ends that connection's part in it.
    /// `progress` hears how many were dealt with so far.
    ///
    /// # Errors
    /// [`LedgerError`] where the outbox cannot be read or written.
    pub async fn deliver_due(
        &self,
        mailers: &mut [Mailer],
        per_minute: Option<NonZeroU32>,
        progress: impl Fn(usize),
    ) -> Result<Delivered, LedgerError> {
        let round = Round::once(self.ledger.clone(), self.clock, per_minute);
        let delivered = Mutex::new(Delivered::default());
        let note = |done: &Done, _| {
            progress(delivered.lock().unwrap_or_else(PoisonError::into_inner).note(done));
        };
        let work = async |mailer: &mut Mailer| {
            let end = self.work(mailer, &round, std::future::pending(), note).await;
            mailer.close().await;
            end
        };
        let ends = join_all(mailers.iter_mut().map(work)).await;
        ends.into_iter().collect::<Result<Vec<End>, _>>()?;
        let delivered = delivered.into_inner().unwrap_or_else(PoisonError::into_inner);
        Ok(Delivered { unreachable: round.turned_away(), ..delivered })
    }

    /// One connection's part in a round, until nothing is due, the server is away, or `told` completes; the
    /// email in hand is finished then. `note` hears what became of each email, and how long it took. The
    /// connection stays open.
    ///
    /// # Errors
    /// [`LedgerError`] where the outbox cannot be read or written. What was sent and could not be recorded
    /// is recorded when the round goes on; what was claimed and not begun comes back by its lease.
    pub async fn work(
        &self,
        mailer: &mut Mailer,
        round: &Round,
        told: impl Future<Output = ()>,
        mut note: impl FnMut(&Done, Duration),
    ) -> Result<End, LedgerError> {
        let mut told = pin!(told);
        let mut done = None;
        loop {
            if round.is_paced() {
                // Before a wait that may be long.
                round.record(done.take()).await?;
            }
            // Only the wait is cut short: an email that is claimed is sent, and recorded.
            let turn = tokio::select! {
                biased;
                () = &mut told => None,
                turn = round.turn() => Some(turn),
            };
            let Some(turn) = turn else {
                round.record(done).await?;
                return Ok(End::Told);
            };
            let began = Instant::now();
            if let Some(refused) = round.halted() {
                round.record(done).await?;
                return Ok(End::Refused(refused));
            }
            let Some(email) = round.exchange(done.take(), turn).await? else {
                return Ok(End::NothingDue);
            };
            let started = Instant::now();
            let ended = self.attempt(mailer, email, round, began).await?;
            let time = started.elapsed();
            match ended.delivery() {
                Delivery::Unreachable { error } => {
                    let error = error.clone();
                    note(&ended, time);
                    round.put_back(ended, error.clone()).await?;
                    return Ok(End::Unreachable(error));
                }
                Delivery::Refused { error } => {
                    let error = error.clone();
                    // Whoever is told of it looks it up.
                    round.put_back(ended.clone(), error).await?;
                    note(&ended, time);
                }
                Delivery::Failed { .. } => {
                    // Whoever is told of it looks it up.
                    round.record(Some(ended.clone())).await?;
                    note(&ended, time);
                }
                Delivery::Sent | Delivery::Retry { .. } | Delivery::Overtaken => {
                    note(&ended, time);
                    done = Some(ended);
                }
            }
        }
    }

    /// Builds a claimed email and hands it over; `began` is when nothing was known against trying one.
    async fn attempt(
        &self,
        mailer: &mut Mailer,
        email: Queued,
        round: &Round,
        began: Instant,
    ) -> Result<Done, LedgerError> {
        let _alone = match email.content {
            Content::Digest { .. } | Content::Group { .. } => Some(ONE_DIGEST.lock().await),
            _ => None,
        };
        let delivery = match self.build(&email).await {
            Ok(message) => {
                let delivery = match mailer.send(&message).await {
                    Ok(_) => Delivery::Sent,
                    Err(not_taken) => round.judge(&email, not_taken).await,
                };
                round.note(&delivery, began);
                delivery
            }
            Err(BuildError::Ledger(error)) if error.is_unreachable() => {
                round.lose(&email);
                return Err(error);
            }
            Err(error) => {
                round.not_tried();
                match error {
                    BuildError::Overtaken => Delivery::Overtaken,
                    error => Delivery::Failed { error: error.to_string() },
                }
            }
        };
        let done = Done::new(email, delivery, self.clock.now());
        log(&done);
        Ok(done)
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
                let rows = digest.invoices.get(part.invoices.clone()).unwrap_or_default();
                for IssuedAs { number, revision, .. } in
                    rows.iter().filter_map(|row| row.issued.as_ref())
                {
                    pdfs.push(self.document(*number, *revision, FileKind::Invoice).await?);
                }
                Ok(compose::digest(self.templates, envelope, &digest, part, pdfs)?)
            }
            Content::Held { month, sequence } => {
                let held = self.ledger.held(*month, *sequence).await?;
                Ok(compose::held(self.templates, envelope, &held)?)
            }
            Content::PackageUse { package_use } => {
                Ok(compose::package_use(self.templates, envelope, package_use)?)
            }
            Content::Reminder { reminder } => {
                let reminder = self.still_so(reminder).await?.ok_or(BuildError::Overtaken)?;
                Ok(compose::reminder(self.templates, envelope, &reminder)?)
            }
            Content::Group { txid, part } => {
                let (bill, files) = group_files(self.ledger, *txid).await?;
                Ok(compose::group(self.templates, envelope, &bill, part, files)?)
            }
            Content::Alert { alert } => Ok(compose::alert(self.templates, envelope, alert)?),
        }
    }

    /// What of a reminder is still so: what was paid since it was queued is not asked for.
    async fn still_so(&self, reminder: &Reminder) -> Result<Option<Reminder>, LedgerError> {
        let id = &reminder.dealership_id;
        let open = self.ledger.open_invoices(Some(id)).await?;
        let open: Vec<(Number, u32, Money)> =
            open.iter().map(|i| (i.number, i.revision, i.account().open())).collect();
        let payments = self.ledger.payments_of(id).await?;
        let waiting = payments.iter().map(Payment::waiting).sum();
        Ok(reminder.clone().as_of(&open, waiting))
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

/// By its id alone: addresses are personal data and stay out of logs.
fn log(done: &Done) {
    let (id, attempts) = (&done.email().id, done.email().attempts);
    match done.delivery() {
        Delivery::Failed { .. } => {
            tracing::warn!(email = id, attempts, "failed for good: `fecha outbox` says why");
        }
        // Said once by whoever delivers, not for each email.
        Delivery::Unreachable { .. } => {
            tracing::debug!(email = id, attempts, outcome = "server away", "delivery");
        }
        Delivery::Refused { .. } => {
            tracing::debug!(email = id, attempts, outcome = "server refuses all", "delivery");
        }
        Delivery::Overtaken => {
            tracing::info!(email = id, outcome = "not sent: paid meanwhile", "delivery");
        }
        Delivery::Sent => tracing::info!(email = id, attempts, outcome = "sent", "delivery"),
        Delivery::Retry { .. } => {
            tracing::info!(email = id, attempts, outcome = "to be tried again", "delivery");
        }
    }
}
