//! Issues one invoice, or a revision of one: number, document model, evidence, both PDFs and the
//! queued emails, in one transaction. Either all of it exists afterwards or nothing does.

use chrono::{DateTime, Datelike, Utc};
use chrono_tz::Tz;
use sqlx::{Any, Transaction};

use crate::document::{RenderError, Renderer};
use crate::ledger::LedgerError;
use crate::ledger::adjustments::{carry, leave, paid};
use crate::ledger::audit;
use crate::ledger::invoices::{Files, Packed, claim, insert_revision, supersede, take_number};
use crate::ledger::outbox::{queue, withdraw};
use crate::letters::address::recipients;
use crate::letters::template::TemplateError;
use crate::setup::config::Config;
use crate::setup::office::Office;
use fecha_core::account::adjustment::{Applied, Rest};
use fecha_core::bill::invoice::{Invoice, Number, Replacement, Usage};
use fecha_core::calendar::due_date::due_date;
use fecha_core::calendar::month::{Month, Period};
use fecha_core::count::evidence::{self, EvidenceKey, sha256_hex};
use fecha_core::count::tally::Tally;
use fecha_core::party::pix::{Receiver, br_code};
use fecha_core::party::register::{Dealership, EvidenceWish};
use fecha_core::price::advice::PastMonth;
use fecha_core::price::money::Money;
use fecha_core::price::table::Line;

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

/// What became of a draft of a revision.
#[derive(Debug)]
pub enum Outcome {
    /// It stands now.
    Issued(Box<Invoice>),
    /// Another process had issued the revision already, or the invoice was cancelled: nothing was
    /// changed.
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

/// A draft with its evidence, and with its documents where its number was foretold. Only [`issue`] takes
/// the number; where it is another one, the documents are drawn again.
#[derive(Debug)]
pub struct Prepared<'a> {
    draft: Draft<'a>,
    evidence: Evidence,
    drawn: Option<Drawn>,
}

/// The contacts of a draft as a file.
#[derive(Debug, Clone)]
struct Evidence {
    packed: Packed,
    sha256: String,
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
    transaction: Transaction<'static, Any>,
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

/// Does all the work on `draft` that needs no ledger. Most of it is drawing, for which the number must
/// be `foretold`.
///
/// # Errors
/// [`IssueError`] where the evidence cannot be written.
pub fn prepare<'a>(
    office: &Office,
    draft: Draft<'a>,
    foretold: Option<Number>,
) -> Result<Prepared<'a>, IssueError> {
    let evidence = Evidence::of(&draft, &office.key)?;
    let invoice = foretold
        .map(|number| invoice(&office.config, &draft, number, &evidence, None, office.clock.now()));
    // A fault in drawing is told when it counts.
    let drawn = invoice.and_then(|invoice| Drawn::of(&office.renderer, invoice, &evidence).ok());
    Ok(Prepared { draft, evidence, drawn })
}

/// Writes a prepared draft as revision 0, once; `None` where another process, or an earlier run, had
/// issued the month already.
///
/// # Errors
/// [`IssueError`]; the transaction is rolled back then, so that the number is free again.
pub async fn issue(office: &Office, prepared: Prepared<'_>) -> Result<Option<Issued>, IssueError> {
    let Prepared { draft, evidence, drawn } = prepared;
    let mut transaction = office.ledger.begin().await?;
    let now = office.clock.now();
    let year = now.with_timezone(&office.config.issuer.timezone).year();
    let number = take_number(&mut transaction, year, office.config.invoice.first_number).await?;
    if !claim(&mut transaction, number, &draft.dealership.id, draft.month).await? {
        return Ok(None);
    }
    let drawn = if let Some(drawn) = drawn.filter(|drawn| drawn.invoice.number == number) {
        drawn
    } else {
        let invoice = invoice(&office.config, &draft, number, &evidence, None, now);
        Drawn::of(&office.renderer, invoice, &evidence)?
    };
    if !carry(&mut transaction, &drawn.invoice, &draft.adjustments).await? {
        return Err(IssueError::AdjustmentsChanged);
    }
    let detail = format!("{} {}", drawn.invoice.label(), drawn.invoice.total());
    let deed = Deed { actor: &office.actor, action: audit::Action::Issue, detail: &detail };
    write(office, transaction, &draft, drawn, evidence, deed).await.map(Some)
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
    office: &Office,
    draft: Draft<'_>,
    before: &Invoice,
    why: Why<'_>,
    now: DateTime<Utc>,
) -> Result<Outcome, IssueError> {
    let evidence = Evidence::of(&draft, &office.key)?;
    let mut transaction = office.ledger.begin().await?;
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
    let invoice = invoice(&office.config, &draft, number, &evidence, Some(replaces), now);
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
        if why.by == office.actor {
            String::new()
        } else {
            format!("; entered by {}", office.actor)
        },
    );
    let deed = Deed { actor: why.by, action: audit::Action::Rerun, detail: &detail };
    let drawn = Drawn::of(&office.renderer, invoice, &evidence)?;
    let written = write(office, transaction, &draft, drawn, evidence, deed).await?;
    Ok(Outcome::Issued(written.commit().await?))
}

/// What the audit log says of an issue.
struct Deed<'a> {
    actor: &'a str,
    action: audit::Action,
    detail: &'a str,
}

impl Evidence {
    fn of(draft: &Draft<'_>, key: &EvidenceKey) -> Result<Self, LedgerError> {
        let csv = evidence::csv(draft.tally.contacts.iter(), key);
        let (packed, sha256) = (Packed::of(csv.as_bytes())?, sha256_hex(csv.as_bytes()));
        let annex = (draft.dealership.evidence == EvidenceWish::Annex).then_some(csv);
        Ok(Self { packed, sha256, annex })
    }
}

impl Drawn {
    fn of(renderer: &Renderer, invoice: Invoice, evidence: &Evidence) -> Result<Self, RenderError> {
        let pdf = renderer.invoice(&invoice)?;
        let statement = renderer.statement(&invoice, evidence.annex.as_deref())?;
        Ok(Self { invoice, pdf, statement })
    }
}

/// Writes the revision with its documents, its emails and its audit entry.
async fn write(
    office: &Office,
    mut transaction: Transaction<'static, Any>,
    draft: &Draft<'_>,
    drawn: Drawn,
    evidence: Evidence,
    deed: Deed<'_>,
) -> Result<Issued, IssueError> {
    let Drawn { invoice, pdf, statement } = drawn;
    let files = Files { invoice: pdf, statement, evidence: evidence.packed };
    insert_revision(&mut transaction, &invoice, files).await?;
    let Draft { dealership, .. } = draft;
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

fn invoice(
    config: &Config,
    draft: &Draft<'_>,
    number: Number,
    evidence: &Evidence,
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
        evidence_sha256: evidence.sha256.clone(),
        pix,
        late_fee: config.invoice.late_fee.clone(),
        prices: config.prices.table_for(draft.month).ok().cloned(),
        history: draft.history.clone(),
        replaces,
    }
}
