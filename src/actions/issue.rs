//! Issues one invoice, or a revision of one: number, document model, evidence, both PDFs and the
//! queued emails, in one transaction. Either all of it exists afterwards or nothing does.

use chrono::{DateTime, Datelike, Utc};

use crate::document::{RenderError, Renderer};
use crate::ledger::account::{lock_account, payments_for, settle_invoice};
use crate::ledger::audit::{self, Action};
use crate::ledger::invoices::{Files, claim, insert_revision, supersede, take_number};
use crate::ledger::notes::{notes_of, take_notes};
use crate::ledger::outbox::{queue, withdraw};
use crate::ledger::packing::Packed;
use crate::ledger::{LedgerError, Transaction};
use crate::letters::address::recipients;
use crate::letters::template::TemplateError;
use crate::setup::office::Office;
use fecha_core::account::payment::{Available, Payment, Settlement, settle};
use fecha_core::bill::bill::{Bill, Heading, NoCharge};
use fecha_core::bill::invoice::{Invoice, Number, Replacement};
use fecha_core::count::evidence::{self, EvidenceKey, IdVersion, sha256_hex};
use fecha_core::party::register::EvidenceWish;
use fecha_core::price::money::Money;

/// What became of a revision.
#[derive(Debug)]
pub enum Outcome {
    /// It stands now.
    Issued(Box<Invoice>),
    /// Another process had revised the invoice already, or cancelled it: nothing was changed.
    RevisedByAnother,
    /// A payment for it was recorded since it was counted: nothing was changed.
    PaidMeanwhile,
    /// A credit or charge of it was taken or taken back since it was counted: nothing was changed.
    CorrectionsChanged,
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
    /// It has no price.
    #[error(transparent)]
    NoCharge(#[from] NoCharge),
    /// It would not be what was released any more.
    #[error(
        "a credit or charge was entered or taken back since the plan was made: look at it again with `fecha close --dry-run`"
    )]
    NotAsPlanned,
    /// The email's subject could not be worded.
    #[error("its email could not be written: {0}")]
    Template(#[from] TemplateError),
}

/// A bill with its evidence, and with its documents where its number was foretold. Only [`issue`] takes
/// the number; where it is another one, the documents are drawn again.
#[derive(Debug)]
pub struct Prepared<'a> {
    bill: Bill<'a>,
    binding: Binding,
    evidence: Evidence,
    drawn: Option<Drawn>,
}

/// Whether an invoice may say more than what was counted for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Binding {
    /// It takes what waits when it is issued.
    ToTheAccount,
    /// Its lines are those of a plan that a person released.
    ToThePlan,
}

/// The contacts of a bill as a file.
#[derive(Debug, Clone)]
struct Evidence {
    packed: Packed,
    sha256: String,
    ids: IdVersion,
    /// As it is, where the statement is to list it.
    annex: Option<String>,
}

/// What a revision says, and the documents that say it.
#[derive(Debug)]
struct Drawn {
    invoice: Invoice,
    pdf: Vec<u8>,
    statement: Vec<u8>,
}

/// An invoice that exists once it is committed.
#[derive(Debug)]
pub struct Issued {
    invoice: Box<Invoice>,
    transaction: Transaction,
}

impl Issued {
    /// The number that nobody else has.
    #[must_use]
    pub fn number(&self) -> Number {
        self.invoice.number
    }

    /// Makes it so.
    ///
    /// # Errors
    /// [`IssueError::Ledger`]; nothing of it exists then, and the number is free again.
    pub async fn commit(self) -> Result<Box<Invoice>, IssueError> {
        let failed = LedgerError::while_doing("issue an invoice");
        self.transaction.commit().await.map_err(failed)?;
        Ok(self.invoice)
    }
}

/// Does all the work on `bill` that needs no ledger. Most of it is drawing, for which the number must
/// be `foretold`.
///
/// # Errors
/// [`IssueError`] where the evidence cannot be written.
pub fn prepare<'a>(
    office: &Office,
    bill: Bill<'a>,
    binding: Binding,
    foretold: Option<Number>,
) -> Result<Prepared<'a>, IssueError> {
    let evidence = Evidence::of(&bill, &office.key)?;
    let now = office.clock.now();
    let invoice = foretold.map(|number| first(office, &bill, number, &evidence, now));
    // A fault in drawing is told when it counts.
    let drawn = invoice.and_then(|invoice| Drawn::of(&office.renderer, invoice, &evidence).ok());
    Ok(Prepared { bill, binding, evidence, drawn })
}

/// Writes a prepared bill as revision 0, once; `None` where another process, or an earlier run, had
/// issued the month already.
///
/// # Errors
/// [`IssueError`]; the transaction is rolled back then, so that the number is free again, and it can be tried
/// again.
pub async fn issue(
    office: &Office,
    prepared: &mut Prepared<'_>,
) -> Result<Option<Issued>, IssueError> {
    let Prepared { bill, binding, evidence, drawn } = prepared;
    let mut transaction = office.ledger.begin().await?;
    let now = office.clock.now();
    let year = now.with_timezone(&office.config.issuer.timezone).year();
    // The account first, then the counter: who locks in this order never waits for who waits for it.
    lock_account(&mut transaction, bill.case.id()).await?;
    let jump = audit::Deed {
        at: now,
        actor: &office.actor,
        action: Action::Issue,
        month: Some(bill.case.month),
        dealership_id: None,
        detail: "",
    };
    let first_number = office.config.invoice.first_number;
    let number = take_number(&mut transaction, year, first_number, &jump).await?;
    if !claim(&mut transaction, number, bill.case.id(), bill.case.month).await? {
        return Ok(None);
    }
    // A credit, charge or payment may have been entered or taken back since the month was counted.
    let notes = notes_of(&mut transaction, bill.case.id()).await?;
    let payments = payments_for(&mut transaction, bill.case.id(), number).await?;
    let available = Available::of(&payments, None);
    let is_as_counted = notes == bill.case.notes && available == bill.case.available;
    let is_as_drawn = |drawn: &Drawn| drawn.invoice.number == number && is_as_counted;
    let drawn = if let Some(drawn) = drawn.take().filter(is_as_drawn) {
        drawn
    } else {
        (bill.case.notes, bill.case.available) = (notes, available);
        let Bill { case, tally, rates, .. } = &*bill;
        let charge = case.charge(tally.uam(), tally.hsm(), &tally.sent, *rates)?;
        if *binding == Binding::ToThePlan && charge.all_lines() != bill.charge.all_lines() {
            return Err(IssueError::NotAsPlanned);
        }
        bill.charge = charge;
        Drawn::of(&office.renderer, first(office, bill, number, evidence, now), evidence)?
    };
    let detail = format!("{} {}", drawn.invoice.label(), drawn.invoice.total());
    let deed = Entered { actor: &office.actor, action: Action::Issue, detail: &detail };
    write(office, transaction, (bill, &payments), drawn, evidence.clone(), deed).await.map(Some)
}

/// The document of a first issue.
fn first(
    office: &Office,
    bill: &Bill<'_>,
    number: Number,
    evidence: &Evidence,
    issued_at: DateTime<Utc>,
) -> Invoice {
    let (evidence_sha256, evidence_ids) = (evidence.sha256.clone(), evidence.ids);
    let heading = Heading { number, replaces: None, evidence_sha256, evidence_ids, issued_at };
    bill.invoice(office.config.terms(), heading)
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

/// Issues `bill` as the revision that follows the invoice that stands, under its number, once: that one
/// is superseded and those of its emails that were not sent are withdrawn.
///
/// # Errors
/// [`IssueError`]; the transaction is rolled back then, and the invoice stands as before.
pub async fn revise(
    office: &Office,
    bill: &Bill<'_>,
    why: Why<'_>,
    now: DateTime<Utc>,
) -> Result<Outcome, IssueError> {
    let Some(before) = &bill.case.standing else { return Ok(Outcome::RevisedByAnother) };
    let evidence = Evidence::of(bill, &office.key)?;
    let mut transaction = office.ledger.begin().await?;
    lock_account(&mut transaction, bill.case.id()).await?;
    if !supersede(&mut transaction, before.number, before.revision, now).await? {
        return Ok(Outcome::RevisedByAnother);
    }
    if notes_of(&mut transaction, bill.case.id()).await? != bill.case.notes {
        return Ok(Outcome::CorrectionsChanged);
    }
    let payments = payments_for(&mut transaction, bill.case.id(), before.number).await?;
    if Available::of(&payments, Some(before.number)) != bill.case.available {
        return Ok(Outcome::PaidMeanwhile);
    }
    withdraw(&mut transaction, before.number).await?;
    let invoice = following(office, bill, before, why, &evidence, now);
    let detail = revised_in_words(office, before, &invoice, why);
    let deed = Entered { actor: why.by, action: Action::Rerun, detail: &detail };
    let drawn = Drawn::of(&office.renderer, invoice, &evidence)?;
    let written = write(office, transaction, (bill, &payments), drawn, evidence, deed).await?;
    Ok(Outcome::Issued(written.commit().await?))
}

/// The document of the revision that follows `before`.
fn following(
    office: &Office,
    bill: &Bill<'_>,
    before: &Invoice,
    why: Why<'_>,
    evidence: &Evidence,
    issued_at: DateTime<Utc>,
) -> Invoice {
    let replaces = Replacement {
        revision: before.revision,
        total: before.total(),
        reason: why.reason.to_owned(),
        by: why.by.to_owned(),
        // Said by the account when the document is made.
        paid: Money::ZERO,
    };
    let heading = Heading {
        number: before.number,
        replaces: Some(replaces),
        evidence_sha256: evidence.sha256.clone(),
        evidence_ids: evidence.ids,
        issued_at,
    };
    bill.invoice(office.config.terms(), heading)
}

/// What the audit log says of a revision.
fn revised_in_words(office: &Office, before: &Invoice, invoice: &Invoice, why: Why<'_>) -> String {
    format!(
        "{} {} replaces {} {}: {}; reason: {}{}",
        invoice.label(),
        invoice.total(),
        before.label(),
        before.total(),
        why.change,
        why.reason,
        if why.by == office.actor {
            String::new()
        } else {
            format!("; entered by {}", office.actor)
        },
    )
}

/// What the audit log says of an issue.
struct Entered<'a> {
    actor: &'a str,
    action: Action,
    detail: &'a str,
}

impl Evidence {
    /// A revision's, too, is made by the newest rule, whatever the one before was made by: what has gone
    /// out cannot be taken back, but no further file can be joined with another dealership's.
    fn of(bill: &Bill<'_>, key: &EvidenceKey) -> Result<Self, LedgerError> {
        let ids = IdVersion::NEWEST;
        let csv = evidence::csv(&bill.tally, &key.ids(ids, bill.case.id()));
        let (packed, sha256) = (Packed::of(csv.as_bytes())?, sha256_hex(csv.as_bytes()));
        let annex = (bill.case.dealership.evidence == EvidenceWish::Annex).then_some(csv);
        Ok(Self { packed, sha256, ids, annex })
    }
}

impl Drawn {
    fn of(renderer: &Renderer, invoice: Invoice, evidence: &Evidence) -> Result<Self, RenderError> {
        let pdf = renderer.invoice(&invoice)?;
        let statement = renderer.statement(&invoice, evidence.annex.as_deref())?;
        Ok(Self { invoice, pdf, statement })
    }
}

/// Writes the revision with its documents, what it takes of the account, its emails and its audit entry.
async fn write(
    office: &Office,
    mut transaction: Transaction,
    (bill, payments): (&Bill<'_>, &[Payment]),
    drawn: Drawn,
    evidence: Evidence,
    deed: Entered<'_>,
) -> Result<Issued, IssueError> {
    let Drawn { invoice, pdf, statement } = drawn;
    let files = Files { invoice: pdf, statement, evidence: evidence.packed };
    insert_revision(&mut transaction, &office.ledger, &invoice, files).await?;
    let number = invoice.number;
    let is_new = invoice.revision == 0;
    let mut takings = bill.charge.taken.takings(number).peekable();
    // A number that is new has taken nothing, and nothing settles it.
    if !is_new || takings.peek().is_some() {
        take_notes(&mut transaction, number, takings).await?;
    }
    let settlement = settle(payments, number, invoice.total());
    if !is_new || settlement != Settlement::default() {
        let why = (deed.actor, "no room left in the revision");
        settle_invoice(&mut transaction, number, &settlement, why, invoice.issued_at).await?;
    }
    let dealership = &bill.case.dealership;
    let to = recipients(dealership);
    for letter in office.addresser.invoice(&invoice, dealership.evidence, to, invoice.issued_at)? {
        queue(&mut transaction, &letter, invoice.issued_at).await?;
    }
    audit::Deed {
        at: invoice.issued_at,
        actor: deed.actor,
        action: deed.action,
        month: Some(invoice.month),
        dealership_id: Some(&invoice.dealership_id),
        detail: deed.detail,
    }
    .write(&mut transaction)
    .await?;
    Ok(Issued { invoice: Box::new(invoice), transaction })
}
