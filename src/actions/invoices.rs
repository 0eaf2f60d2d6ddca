//! Invoices as people list and read them.

use chrono::{NaiveDate, SecondsFormat};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::actions::schema;
use crate::ledger::LedgerError;
use crate::ledger::documents::FileKind;
use crate::ledger::invoices::{Filter, Revision};
use crate::ledger::listing::Listed;
use crate::ledger::pages::{Found, Page, Slice, Standing, WantedInvoices};
use crate::setup::office::Office;
use fecha_core::account::settled::{Account, PaymentState};
use fecha_core::bill::invoice::{Invoice, InvoiceState, Number, label};
use fecha_core::calendar::month::Month;
use fecha_core::party::register::{UnknownDealerships, must_be_known};
use fecha_core::party::search::Search;
use fecha_core::price::item::Amounts;
use fecha_core::price::money::Money;

/// One revision as `fecha invoices --json` has it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Invoice)]
#[expect(missing_docs, reason = "the keys of spec §3.4")]
pub struct InvoiceJson<'a> {
    #[schema(value_type = schema::InvoiceNumber)]
    pub number: Number,
    pub revision: u32,
    #[schema(value_type = schema::InvoiceState)]
    pub state: InvoiceState,
    pub dealership_id: &'a str,
    #[schema(value_type = schema::Month)]
    pub month: Month,
    pub package: u64,
    pub uam: u64,
    pub overage: u64,
    pub hsm: u64,
    #[serde(flatten)]
    #[schema(value_type = schema::Amounts)]
    pub amounts: Amounts,
    #[schema(value_type = schema::Money)]
    pub total: Money,
    #[schema(value_type = schema::Day)]
    pub due_date: NaiveDate,
    #[schema(value_type = schema::Instant)]
    pub issued_at: String,
    pub evidence_sha256: &'a str,
    pub pdf_sha256: &'a str,
    #[schema(required)]
    pub reason: Option<&'a str>,
    #[schema(required)]
    pub by: Option<&'a str>,
    #[schema(value_type = schema::Money)]
    pub paid: Money,
    #[schema(value_type = schema::Money)]
    pub to_pay: Money,
    #[schema(value_type = schema::PaymentState)]
    pub payment: PaymentState,
    pub overdue: bool,
}

impl<'a> InvoiceJson<'a> {
    /// What JSON says of a revision on a day of the issuer.
    #[must_use]
    pub fn of(listed: &'a Listed, today: NaiveDate) -> Self {
        let (account, figures) = (listed.account(), &listed.figures);
        let stands = listed.state == InvoiceState::Issued;
        Self {
            number: listed.number,
            revision: listed.revision,
            state: listed.state,
            dealership_id: &listed.dealership_id,
            month: listed.month,
            package: figures.package,
            uam: figures.uam,
            overage: figures.overage(),
            hsm: figures.hsm,
            amounts: figures.amounts,
            total: figures.total,
            due_date: figures.due_on,
            issued_at: listed.issued_at.to_rfc3339_opts(SecondsFormat::Secs, true),
            evidence_sha256: &listed.evidence_sha256,
            pdf_sha256: &listed.pdf_sha256,
            reason: listed.reason.as_deref(),
            by: listed.by.as_deref(),
            paid: account.paid,
            // Nobody owes a revision that was superseded, or a number that is void.
            to_pay: if stands { account.open() } else { Money::ZERO },
            payment: account.payment(),
            overdue: stands && account.is_overdue(today),
        }
    }
}

/// A revision that nobody issued yet, with the keys that [`InvoiceJson`] has and without a number.
#[derive(Debug, Serialize)]
#[expect(missing_docs, reason = "the keys of spec §3.4")]
pub struct ForeseenJson<'a> {
    pub revision: u32,
    pub state: &'static str,
    pub dealership_id: &'a str,
    pub month: Month,
    pub package: u64,
    pub uam: u64,
    pub overage: u64,
    pub hsm: u64,
    #[serde(flatten)]
    pub amounts: Amounts,
    pub total: Money,
    pub due_date: NaiveDate,
    pub issued_at: Option<String>,
    pub evidence_sha256: Option<&'a str>,
    pub pdf_sha256: Option<&'a str>,
    pub reason: Option<&'a str>,
    pub by: Option<&'a str>,
    pub paid: Money,
    pub to_pay: Money,
    pub payment: PaymentState,
    pub overdue: bool,
}

impl<'a> ForeseenJson<'a> {
    /// What JSON says of an invoice as it would be issued.
    #[must_use]
    pub fn of(invoice: &'a Invoice) -> Self {
        let account = Account::of(invoice, invoice.paid().min(invoice.total()));
        Self {
            revision: invoice.revision,
            state: "planned",
            dealership_id: &invoice.dealership_id,
            month: invoice.month,
            package: invoice.package,
            uam: invoice.usage.uam,
            overage: invoice.overage(),
            hsm: invoice.usage.hsm,
            amounts: invoice.amounts(),
            total: invoice.total(),
            due_date: invoice.due_on,
            issued_at: None,
            evidence_sha256: None,
            pdf_sha256: None,
            reason: invoice.replaces.as_ref().map(|before| before.reason.as_str()),
            by: invoice.replaces.as_ref().map(|before| before.by.as_str()),
            paid: account.paid,
            to_pay: account.open(),
            payment: account.payment(),
            overdue: false,
        }
    }
}

/// Invoices could not be listed.
#[derive(Debug, thiserror::Error)]
pub enum ListError {
    /// The dealership that was asked for.
    #[error("{}", .0.of_one())]
    UnknownDealership(#[from] UnknownDealerships),
    /// The ledger failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// What was listed.
#[derive(Debug)]
pub struct Invoices {
    /// By number, then revision.
    pub listed: Vec<Listed>,
    /// The issuer's local day: what is overdue depends on it.
    pub today: NaiveDate,
}

impl Invoices {
    /// The JSON of each.
    #[must_use]
    pub fn json(&self) -> Vec<InvoiceJson<'_>> {
        self.listed.iter().map(|listed| InvoiceJson::of(listed, self.today)).collect()
    }

    /// What those that stand come to.
    #[must_use]
    pub fn total(&self) -> Money {
        self.standing().map(|listed| listed.figures.total).sum()
    }

    /// What of those that stand is still to be paid.
    #[must_use]
    pub fn open(&self) -> Money {
        self.standing().map(|listed| listed.account().open()).sum()
    }

    fn standing(&self) -> impl Iterator<Item = &Listed> {
        self.listed.iter().filter(|listed| listed.state == InvoiceState::Issued)
    }
}

/// Lists invoices.
///
/// # Errors
/// [`ListError`].
pub async fn list(office: &Office, filter: Filter<'_>) -> Result<Invoices, ListError> {
    if let Some(id) = filter.dealership_id {
        let known = office.ledger.dealership(id).await?.is_some();
        must_be_known([id], |_| known)?;
    }
    let listed = office.ledger.listed(filter).await?;
    Ok(Invoices { listed, today: office.today() })
}

/// What a person asks of the list, page by page.
#[derive(Debug, Clone, Copy, Default)]
pub struct Asked<'a> {
    /// Only those that stand so.
    pub standing: Option<Standing>,
    /// Only of this month.
    pub month: Option<Month>,
    /// Only of this dealership.
    pub dealership_id: Option<&'a str>,
    /// Only what this finds: a number, a name, a CNPJ; empty: all.
    pub search: &'a str,
    /// Only those behind this one.
    pub after: Option<Number>,
    /// How much, and how.
    pub slice: Slice,
}

/// A page of the invoices: of each number the latest revision.
///
/// # Errors
/// [`LedgerError`] where the ledger cannot be read.
pub async fn page(office: &Office, asked: Asked<'_>) -> Result<Page<Listed, Number>, LedgerError> {
    let ledger = &office.ledger;
    let found = match Search::of(asked.search) {
        None => None,
        Some(search) => {
            let register = ledger.dealerships().await?;
            let meant = register.into_iter().filter(|dealership| search.finds(dealership));
            Some(Found {
                dealerships: meant.map(|dealership| dealership.id).collect(),
                numbers: ledger.numbers_named(search.named()).await?,
            })
        }
    };
    let wanted = WantedInvoices {
        standing: asked.standing,
        month: asked.month,
        dealership_id: asked.dealership_id.map(str::to_owned),
        found,
        after: asked.after,
        slice: asked.slice,
    };
    ledger.invoices_page(&wanted, office.today()).await
}

/// An invoice, or one of its files, is not there.
#[derive(Debug, thiserror::Error)]
pub enum ShowError {
    /// There is no such number.
    #[error("there is no invoice {0}: `fecha invoices` lists all")]
    Unknown(Number),
    /// There is no such revision of it.
    #[error("invoice {number} has no revision {wanted}: it has {}", in_a_row(.known))]
    NoRevision {
        /// The number.
        number: Number,
        /// What was asked for.
        wanted: u32,
        /// What there is.
        known: Vec<u32>,
    },
    /// Only a void number has a document of cancellation.
    #[error("{0} is not cancelled")]
    NotCancelled(String),
    /// Damaged: every revision has its files.
    #[error("the ledger lacks a file of {0}")]
    FileMissing(String),
    /// The ledger failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

fn in_a_row(revisions: &[u32]) -> String {
    revisions.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// A revision with its document.
#[derive(Debug)]
pub struct Shown {
    /// What the document says.
    pub revision: Revision,
    /// What lists say.
    pub listed: Listed,
    /// The issuer's local day.
    pub today: NaiveDate,
}

impl Shown {
    /// What the list says of it, and the lines and counts behind it.
    #[must_use]
    pub fn json(&self) -> Value {
        let invoice = &self.revision.invoice;
        let mut document = json!(InvoiceJson::of(&self.listed, self.today));
        document["period"] = json!(invoice.period);
        document["timezone"] = json!(invoice.timezone);
        document["dealership"] = json!(invoice.dealership);
        document["lines"] = json!(invoice.lines);
        document["usage"] = json!(invoice.usage);
        document["pix"] = json!(invoice.pix);
        document["statement_sha256"] = json!(self.revision.statement_sha256);
        document
    }
}

/// Reads one revision of an invoice; without `revision` the latest.
///
/// # Errors
/// [`ShowError`].
pub async fn show(
    office: &Office,
    number: Number,
    revision: Option<u32>,
) -> Result<Shown, ShowError> {
    let filter = Filter { number: Some(number), all_revisions: true, ..Filter::default() };
    let mut all = office.ledger.listed(filter).await?;
    let known: Vec<u32> = all.iter().map(|listed| listed.revision).collect();
    let wanted = revision.or(known.last().copied()).ok_or(ShowError::Unknown(number))?;
    let revisions = office.ledger.revisions(filter).await?;
    let revision = revisions.into_iter().find(|revision| revision.invoice.revision == wanted);
    let at = all.iter().position(|listed| listed.revision == wanted);
    let (Some(revision), Some(at)) = (revision, at) else {
        return Err(ShowError::NoRevision { number, wanted, known });
    };
    Ok(Shown { revision, listed: all.swap_remove(at), today: office.today() })
}

/// One file of a revision, byte for byte as issued.
///
/// # Errors
/// [`ShowError`] where there is none.
pub async fn file(
    office: &Office,
    invoice: &Invoice,
    kind: FileKind,
) -> Result<Vec<u8>, ShowError> {
    file_of(office, invoice.number, invoice.revision, kind).await
}

/// The same, of a revision that is only known by name.
///
/// # Errors
/// [`ShowError`] where there is none.
pub async fn file_of(
    office: &Office,
    number: Number,
    revision: u32,
    kind: FileKind,
) -> Result<Vec<u8>, ShowError> {
    let bytes = office.ledger.file(number, revision, kind).await?;
    bytes.ok_or_else(|| match kind {
        FileKind::Cancellation => ShowError::NotCancelled(label(number, revision)),
        FileKind::Invoice | FileKind::Statement | FileKind::Evidence => {
            ShowError::FileMissing(label(number, revision))
        }
    })
}
