//! Records payments: all of a list or, where one is wrong, none. What is more than an invoice has open waits on
//! the dealership's account.

mod account;
mod asked;
mod bank;
mod books;
mod by_hand;
mod doubtful;
mod group;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;
use utoipa::ToSchema;

pub use self::account::{
    AccountError, Seen, Stand, Undone, from_account, refund, taken_from_account, undo,
};
pub use self::asked::{Already, Asked, Question};
pub use self::bank::{
    Becomes, Chosen, Proposal, Proposed, WhySure, propose, record_file, record_proposed,
};
use self::books::{Books, Done};
pub use self::doubtful::Doubtful;
use self::group::Groups;
use crate::actions::schema;
use crate::ledger::account::{allocate, insert_payment, set_reference};
use crate::ledger::audit::{Action, Deed};
use crate::ledger::group_payments::insert_group_payment;
use crate::ledger::standing::month_of;
use crate::ledger::{LedgerError, Transaction};
use crate::setup::office::Office;
use fecha_core::account::entry::Objection;
use fecha_core::account::payment::{Kind, Payment};
use fecha_core::bank::BadLines;
use fecha_core::bill::group_bill::GroupTxid;
use fecha_core::bill::invoice::Number;
use fecha_core::party::register::{UnknownDealerships, must_be_known};
use fecha_core::price::money::Money;

/// A payment to be recorded.
#[derive(Debug, Clone)]
pub struct NewPayment {
    /// Where it was read; `None` where a person gave it.
    pub place: Option<String>,
    /// What it is for.
    pub target: Target,
    /// The day on the bank statement.
    pub on: NaiveDate,
    /// `None` is all that is open.
    pub amount: Option<Money>,
    /// What it is.
    pub kind: Kind,
    /// The bank's.
    pub reference: Option<String>,
    /// It is one more that equals another; of a file's line, that it counts although one like it was taken back
    /// or entered by hand.
    pub again: bool,
    /// Who can be asked about what is seldom meant.
    pub asked: Asked,
    /// Why it is this invoice's, where fecha found that out.
    pub why: Option<String>,
}

/// What is wanted of a list of payments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// That they are recorded.
    Record,
    /// To see what would be recorded.
    See,
}

/// What a payment is for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    /// This invoice.
    Invoice(Number),
    /// The account of this dealership.
    Account(String),
    /// The invoices of this group bill.
    Group(GroupTxid),
}

/// Why one payment cannot be recorded.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "said by the words")]
pub enum NotRecorded {
    #[error("there is no invoice {0}: `fecha invoices` lists all")]
    NoInvoice(Number),
    #[error(
        "{target} is void: put the money on the account of '{dealership_id}', where its next invoice takes it, with `fecha pay --dealership {dealership_id} --on {on} --amount {}{}`",
        .amount.map_or_else(|| "AMOUNT".to_owned(), |amount| amount.to_string()),
        .reference.as_ref().map(|reference| format!(" --reference '{reference}'")).unwrap_or_default()
    )]
    Void {
        target: Target,
        dealership_id: String,
        on: NaiveDate,
        amount: Option<Money>,
        reference: Option<String>,
    },
    #[error("there is no group bill {0}: its page and its emails name it, as G2026100001")]
    NoGroup(GroupTxid),
    #[error(
        "all invoices of {txid} are void: put the money of {on} on the account of one of its dealerships with `fecha pay --dealership ID --on {on} --amount {}`",
        .amount.map_or_else(|| "AMOUNT".to_owned(), |amount| amount.to_string())
    )]
    VoidGroup { txid: GroupTxid, on: NaiveDate, amount: Option<Money> },
    #[error(
        "only money goes over the invoices of {txid} by itself: record {kind} for the invoice that it is of"
    )]
    OnlyMoney { txid: GroupTxid, kind: Kind },
    #[error("{}", .0.of_one())]
    UnknownDealership(#[from] UnknownDealerships),
    #[error(transparent)]
    Objection(#[from] Objection),
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Unusual(Vec<Question>),
    #[error("{0}")]
    Already(Already),
}

impl From<Already> for NotRecorded {
    fn from(already: Already) -> Self {
        Self::Already(already)
    }
}

/// One payment that cannot be recorded.
#[derive(Debug)]
pub struct Refused {
    /// Where it was read.
    pub place: Option<String>,
    /// Why not.
    pub why: NotRecorded,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Some(place) => write!(f, "{place}: {}", self.why),
            None => self.why.fmt(f),
        }
    }
}

/// Nothing was recorded.
#[derive(Debug, thiserror::Error)]
pub enum PayError {
    /// The file is not there, or is nobody's to read.
    #[error("{file}: {cause}")]
    Unreadable {
        /// As it was named.
        file: String,
        /// Why not.
        cause: std::io::Error,
    },
    /// The file is not what can be read.
    #[error("{0}\nnothing was recorded")]
    BadLines(#[from] BadLines),
    /// Some of the payments cannot be.
    #[error("{}\nnothing was recorded", lines(.0))]
    Refused(Vec<Refused>),
    /// The ledger failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// As many of a file's refused payments as are told.
const MOST_REFUSED: usize = 100;

fn lines(refused: &[Refused]) -> String {
    let mut lines: Vec<String> =
        refused.iter().take(MOST_REFUSED).map(ToString::to_string).collect();
    if refused.len() > MOST_REFUSED {
        lines.push(format!("and {} more, {} in all", refused.len() - MOST_REFUSED, refused.len()));
    }
    lines.join("\n")
}

/// What was recorded; its JSON.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct Recorded {
    /// New payments.
    pub recorded: Vec<RecordedPayment>,
    /// Payments that the ledger had already.
    pub already_recorded: usize,
    /// Lines of a file that a person must decide on.
    pub unmatched: Vec<Unmatched>,
    /// What a file has that is no payment: what it is, and how many.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schema(required = false)]
    pub left_out: BTreeMap<String, u64>,
    /// It was only to be seen: nothing is recorded.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schema(required = false)]
    pub dry_run: bool,
}

/// A new payment.
#[derive(Debug, Serialize, ToSchema)]
#[expect(missing_docs, reason = "the keys of spec §3.4")]
pub struct RecordedPayment {
    pub id: String,
    #[schema(required, value_type = Option<schema::InvoiceNumber>)]
    pub number: Option<Number>,
    /// The group bill that it is a part of a payment for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, nullable = false)]
    pub group: Option<GroupTxid>,
    pub dealership_id: String,
    #[schema(value_type = schema::Day)]
    pub on: NaiveDate,
    #[schema(value_type = schema::Money)]
    pub amount: Money,
    #[schema(value_type = schema::PaymentKind)]
    pub kind: Kind,
    #[schema(required)]
    pub reference: Option<String>,
    /// What of it waits for the next invoice.
    #[schema(value_type = schema::Money)]
    pub waiting: Money,
    /// Why it is this invoice's, where fecha found that out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub why: Option<String>,
}

/// A line that was not recorded, and why.
#[derive(Debug, Serialize, ToSchema)]
#[expect(missing_docs, reason = "said by their names")]
pub struct Unmatched {
    pub place: String,
    #[schema(required, value_type = Option<schema::InvoiceNumber>)]
    pub number: Option<Number>,
    #[schema(required, value_type = Option<schema::Day>)]
    pub on: Option<NaiveDate>,
    #[schema(required, value_type = Option<schema::Money>)]
    pub amount: Option<Money>,
    #[schema(required)]
    pub reference: Option<String>,
    /// The bank's.
    pub words: String,
    pub why: String,
}

/// Records payments in one transaction. The same one twice is recorded once, so a bank's file may be read again.
///
/// # Errors
/// [`PayError`]; nothing was recorded then.
pub async fn record(
    office: &Office,
    payments: &[NewPayment],
    wish: Wish,
    by: &str,
) -> Result<Recorded, PayError> {
    let groups = group::of_payments(office, payments).await?;
    let targets = whose(office, payments).await?;
    let mut transaction = office.ledger.begin().await?;
    let mut books = Books::locked(office, &mut transaction, payments, &targets, &groups).await?;
    let (mut decided, mut refused) = (Vec::new(), Vec::new());
    for payment in payments {
        // Those of a group are several.
        let id = targets.get(&payment.target).map_or("", String::as_str);
        match books.decide(payment, id, by) {
            Ok(done) => decided.push((payment, done)),
            Err(why) => refused.push(Refused { place: payment.place.clone(), why }),
        }
    }
    if !refused.is_empty() {
        return Err(PayError::Refused(refused));
    }
    let mut recorded = Recorded { dry_run: wish == Wish::See, ..Recorded::default() };
    for (new, done) in decided {
        match done {
            Done::Recorded(payment) => {
                let mut written = write(&mut transaction, payment, books.now).await?;
                written.why.clone_from(&new.why);
                recorded.recorded.push(written);
            }
            Done::Known => recorded.already_recorded += 1,
            Done::RecordedGroup { txid, parts } => {
                recorded
                    .recorded
                    .extend(write_group(&mut transaction, (txid, parts), new, books.now).await?);
            }
            Done::KnownNow { ids, reference } => {
                for id in &ids {
                    set_reference(&mut transaction, id, &reference).await?;
                }
                recorded.already_recorded += 1;
            }
            Done::Unmatched(why) => recorded.unmatched.push(unmatched(new, why.to_string())),
        }
    }
    let failed = LedgerError::while_doing("record payments");
    match wish {
        Wish::Record => transaction.commit().await.map_err(failed)?,
        Wish::See => transaction.rollback().await.map_err(failed)?,
    }
    Ok(recorded)
}

fn unmatched(new: &NewPayment, why: String) -> Unmatched {
    let number = match new.target {
        Target::Invoice(number) => Some(number),
        Target::Account(_) | Target::Group(_) => None,
    };
    let (place, reference) = (new.place.clone().unwrap_or_default(), new.reference.clone());
    let (on, amount) = (Some(new.on), new.amount);
    Unmatched { place, number, on, amount, reference, words: String::new(), why }
}

/// Whose account each target is; refuses those that are nobody's.
async fn whose(
    office: &Office,
    payments: &[NewPayment],
) -> Result<BTreeMap<Target, String>, PayError> {
    let of_numbers = office.ledger.dealerships_of(&numbers(payments, &Groups::new())).await?;
    let mut targets = BTreeMap::new();
    let mut refused = Vec::new();
    for payment in payments {
        let found = match &payment.target {
            Target::Group(_) => continue,
            Target::Account(id) => {
                let known = office.ledger.dealership(id).await?.is_some();
                must_be_known([id.as_str()], |_| known).map(|()| id.clone()).map_err(Into::into)
            }
            Target::Invoice(number) => {
                of_numbers.get(number).cloned().ok_or(NotRecorded::NoInvoice(*number))
            }
        };
        match found {
            Ok(id) => {
                targets.insert(payment.target.clone(), id);
            }
            Err(why) => refused.push(Refused { place: payment.place.clone(), why }),
        }
    }
    if refused.is_empty() { Ok(targets) } else { Err(PayError::Refused(refused)) }
}

/// The invoices that are paid, those of group bills too, each once.
fn numbers(payments: &[NewPayment], groups: &Groups) -> Vec<Number> {
    let mut numbers = BTreeSet::new();
    for payment in payments {
        match payment.target {
            Target::Invoice(number) => {
                numbers.insert(number);
            }
            Target::Group(txid) => {
                numbers.extend(groups.get(&txid).iter().flat_map(|group| group.invoices.keys()));
            }
            Target::Account(_) => {}
        }
    }
    numbers.into_iter().collect()
}

impl From<Number> for Target {
    fn from(number: Number) -> Self {
        Self::Invoice(number)
    }
}

impl From<GroupTxid> for Target {
    fn from(txid: GroupTxid) -> Self {
        Self::Group(txid)
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invoice(number) => number.fmt(f),
            Self::Account(id) => write!(f, "the account of '{id}'"),
            Self::Group(txid) => txid.fmt(f),
        }
    }
}

/// Writes the parts of what came in for a group bill.
async fn write_group(
    transaction: &mut Transaction,
    (txid, parts): (GroupTxid, Vec<Payment>),
    new: &NewPayment,
    now: DateTime<Utc>,
) -> Result<Vec<RecordedPayment>, LedgerError> {
    let mut recorded = Vec::with_capacity(parts.len());
    for part in parts {
        let written = write(transaction, part, now).await?;
        let why = match &new.why {
            Some(why) => format!("{txid}: {why}"),
            None => format!("part of {txid}"),
        };
        recorded.push(RecordedPayment { group: Some(txid), why: Some(why), ..written });
    }
    let ids: Vec<String> = recorded.iter().map(|part| part.id.clone()).collect();
    insert_group_payment(transaction, txid, &ids).await?;
    Ok(recorded)
}

async fn write(
    transaction: &mut Transaction,
    payment: Payment,
    now: DateTime<Utc>,
) -> Result<RecordedPayment, LedgerError> {
    let id = insert_payment(transaction, &payment).await?;
    for (number, amount) in &payment.allocated {
        allocate(transaction, &id, *number, *amount).await?;
    }
    let Payment { number, on, amount, kind, .. } = payment;
    let what = number.map_or_else(|| "on account".to_owned(), |number| number.to_string());
    let kind_in_words = if kind == Kind::Money { String::new() } else { format!(" ({kind})") };
    let detail = format!("{what} {amount} on {on}{kind_in_words}");
    let month = match number {
        Some(number) => Some(month_of(transaction, number).await?),
        None => None,
    };
    Deed {
        at: now,
        actor: &payment.entered_by,
        action: Action::Pay,
        month,
        dealership_id: Some(&payment.dealership_id),
        detail: &detail,
    }
    .write(transaction)
    .await?;
    let waiting = payment.waiting();
    let (dealership_id, reference) = (payment.dealership_id, payment.reference);
    Ok(RecordedPayment {
        id,
        number,
        group: None,
        dealership_id,
        on,
        amount,
        kind,
        reference,
        waiting,
        why: None,
    })
}
