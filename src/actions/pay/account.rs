//! What is done with money that is recorded: taken from the account for an invoice, paid back, taken back.

use chrono::NaiveDate;

use crate::ledger::account::{
    Refund, allocate, insert_refund, lock_account, payments_of, undo_payment, undo_refund,
};
use crate::ledger::audit::{Action, Deed};
use crate::ledger::refunds::refunds;
use crate::ledger::standing::{StandingTotal, month_of, standing_total};
use crate::ledger::{LedgerError, Transaction};
use crate::setup::office::Office;
use fecha_core::account::payment::{Part, Payment, draw, waiting};
use fecha_core::bill::invoice::Number;
use fecha_core::party::register::{UnknownDealerships, must_be_known};
use fecha_core::price::money::Money;

/// Nothing was changed.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "said by the words")]
pub enum AccountError {
    #[error("no invoice {0} stands: `fecha invoices` lists all")]
    NotStanding(Number),
    #[error("{number} has nothing open")]
    NothingOpen { number: Number },
    #[error("nothing waits on the account of '{0}'")]
    NothingWaits(String),
    #[error("{} is more than the {} that wait on the account of '{dealership_id}'", .amount.brl(), .waits.brl())]
    MoreThanWaits { dealership_id: String, amount: Money, waits: Money },
    #[error("{} is more than the {} that are open of {number}", .amount.brl(), .open.brl())]
    MoreThanOpen { number: Number, amount: Money, open: Money },
    #[error("{} are open of {number} now, and {} wait on the account", .now.open.brl(), .now.waits.brl())]
    Changed { number: Number, now: Stand },
    #[error("an amount above zero is needed")]
    NoAmount,
    #[error("{0} is in the future")]
    InFuture(NaiveDate),
    #[error("{} paid back on {on} is recorded already", .amount.brl())]
    EqualRefund { amount: Money, on: NaiveDate },
    #[error("{}", .0.of_one())]
    UnknownDealership(#[from] UnknownDealerships),
    #[error(
        "there is no payment and no refund {0}: `fecha receivables --dealership ID` lists them"
    )]
    Unknown(String),
    #[error("{0} is taken back already")]
    AlreadyUndone(String),
    #[error("a part of {0} was paid back: take that refund back first")]
    Refunded(String),
    #[error(
        "fecha 0.1 made a credit of a part of {0}, which an invoice took: enter a charge of that amount with `fecha adjust` instead"
    )]
    Converted(String),
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// What was taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Undone {
    /// A payment: what it settled is open again.
    Payment,
    /// A refund: its money waits again.
    Refund,
}

/// How an invoice and the account of its dealership stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stand {
    /// So much is open of the invoice.
    pub open: Money,
    /// So much waits on the account.
    pub waits: Money,
}

/// What settles an invoice with the account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// As it stands: nobody was shown anything.
    Nothing,
    /// A page that showed this, where it could be read: as it was shown, or not at all.
    Page(Option<Stand>),
}

/// Settles an invoice that stands with money that waits, oldest first: all that is open, or `amount` of it.
/// How much it took.
///
/// # Errors
/// [`AccountError`]; nothing was changed then.
pub async fn from_account(
    office: &Office,
    number: Number,
    amount: Option<Money>,
    seen: Seen,
    by: &str,
) -> Result<Money, AccountError> {
    let id = office.ledger.dealership_of(number).await?.ok_or(AccountError::NotStanding(number))?;
    let mut transaction = office.ledger.begin().await?;
    lock_account(&mut transaction, &id).await?;
    let StandingTotal::Stands(total) = standing_total(&mut transaction, number).await? else {
        return Err(AccountError::NotStanding(number));
    };
    let payments = payments_of(&mut transaction, &id).await?;
    let open = total - payments.iter().map(|payment| payment.settles(number)).sum();
    if open == Money::ZERO {
        return Err(AccountError::NothingOpen { number });
    }
    let waits = sum_of_waiting(&payments);
    if waits == Money::ZERO {
        return Err(AccountError::NothingWaits(id));
    }
    let now = Stand { open, waits };
    if matches!(seen, Seen::Page(shown) if shown != Some(now)) {
        return Err(AccountError::Changed { number, now });
    }
    let wanted = match amount {
        None => open,
        Some(amount) if amount <= Money::ZERO => return Err(AccountError::NoAmount),
        Some(amount) if amount > open => {
            return Err(AccountError::MoreThanOpen { number, amount, open });
        }
        Some(amount) if amount > waits => {
            return Err(AccountError::MoreThanWaits { dealership_id: id, amount, waits });
        }
        Some(amount) => amount,
    };
    let mut taken = Money::ZERO;
    for Part { payment, amount } in draw(&payments, wanted) {
        taken += amount;
        allocate(&mut transaction, &payment, number, amount).await?;
    }
    let detail = format!("{number} {taken}{FROM_ACCOUNT}");
    log(office, &mut transaction, by, (&id, Some(number)), &detail).await?;
    let failed = LedgerError::while_doing("settle an invoice");
    transaction.commit().await.map_err(failed)?;
    Ok(taken)
}

/// How the audit log says it.
const FROM_ACCOUNT: &str = " from the account";

/// How much an entry of the audit log says that an invoice took of the account; `None` where it says something
/// else.
#[must_use]
pub fn taken_from_account(detail: &str, number: Number) -> Option<Money> {
    let rest = detail.strip_prefix(&format!("{number} "))?;
    rest.strip_suffix(FROM_ACCOUNT)?.parse().ok()
}

/// Records that money that waited was paid back; the id of the refund. One that equals another is
/// refused, unless it was said that it is paid `again`.
///
/// # Errors
/// [`AccountError`]; nothing was recorded then.
pub async fn refund(
    office: &Office,
    dealership_id: &str,
    (amount, on): (Money, NaiveDate),
    again: bool,
    (reason, by): (&str, &str),
) -> Result<String, AccountError> {
    if amount <= Money::ZERO {
        return Err(AccountError::NoAmount);
    }
    if on > office.today() {
        return Err(AccountError::InFuture(on));
    }
    let known = office.ledger.dealership(dealership_id).await?.is_some();
    must_be_known([dealership_id], |_| known)?;
    let mut transaction = office.ledger.begin().await?;
    lock_account(&mut transaction, dealership_id).await?;
    if !again {
        let refunds = refunds(&mut transaction, Some(dealership_id)).await?;
        if refunds.iter().any(|refund| (refund.amount(), refund.on) == (amount, on)) {
            return Err(AccountError::EqualRefund { amount, on });
        }
    }
    let payments = payments_of(&mut transaction, dealership_id).await?;
    let waits = sum_of_waiting(&payments);
    if amount > waits {
        let dealership_id = dealership_id.to_owned();
        return Err(AccountError::MoreThanWaits { dealership_id, amount, waits });
    }
    let refund = Refund {
        id: String::new(),
        dealership_id: dealership_id.to_owned(),
        on,
        reason: reason.to_owned(),
        parts: draw(&payments, amount),
    };
    let id = insert_refund(&mut transaction, &refund, by, office.clock.now()).await?;
    let detail = format!("{amount} paid back on {on}: {reason}");
    log(office, &mut transaction, by, (dealership_id, None), &detail).await?;
    let failed = LedgerError::while_doing("record a refund");
    transaction.commit().await.map_err(failed)?;
    Ok(id)
}

/// Takes back a payment, whose invoices are open again, or a refund.
///
/// # Errors
/// [`AccountError`]; nothing was changed then.
pub async fn undo(
    office: &Office,
    id: &str,
    reason: &str,
    by: &str,
) -> Result<Undone, AccountError> {
    let Some(payment) = office.ledger.payment(id).await? else {
        return undo_a_refund(office, id, reason, by).await;
    };
    let dealership_id = payment.dealership_id;
    let mut transaction = office.ledger.begin().await?;
    lock_account(&mut transaction, &dealership_id).await?;
    let payments = payments_of(&mut transaction, &dealership_id).await?;
    let payment = payments.into_iter().find(|payment| payment.id == id);
    let payment = payment.ok_or_else(|| AccountError::Unknown(id.to_owned()))?;
    if payment.undone {
        return Err(AccountError::AlreadyUndone(id.to_owned()));
    }
    if payment.refunded > Money::ZERO {
        return Err(AccountError::Refunded(id.to_owned()));
    }
    if payment.converted > Money::ZERO {
        return Err(AccountError::Converted(id.to_owned()));
    }
    let now = office.clock.now();
    undo_payment(&mut transaction, id, (by, reason), now).await?;
    let of = payment.number.map_or_else(|| "on account".to_owned(), |number| number.to_string());
    let detail = format!("{of} {} on {} taken back: {reason}", payment.amount, payment.on);
    log(office, &mut transaction, by, (&dealership_id, payment.number), &detail).await?;
    let failed = LedgerError::while_doing("take back a payment");
    transaction.commit().await.map_err(failed)?;
    Ok(Undone::Payment)
}

async fn undo_a_refund(
    office: &Office,
    id: &str,
    reason: &str,
    by: &str,
) -> Result<Undone, AccountError> {
    let unknown = || AccountError::Unknown(id.to_owned());
    let refunds = office.ledger.refunds(None).await?;
    let refund = refunds.into_iter().find(|refund| refund.id == id).ok_or_else(unknown)?;
    if refund.parts.is_empty() {
        return Err(AccountError::AlreadyUndone(id.to_owned()));
    }
    let mut transaction = office.ledger.begin().await?;
    lock_account(&mut transaction, &refund.dealership_id).await?;
    // Somebody else may have meanwhile.
    if !undo_refund(&mut transaction, id).await? {
        return Err(AccountError::AlreadyUndone(id.to_owned()));
    }
    let detail = format!("refund of {} taken back: {reason}", refund.on);
    log(office, &mut transaction, by, (&refund.dealership_id, None), &detail).await?;
    let failed = LedgerError::while_doing("take back a refund");
    transaction.commit().await.map_err(failed)?;
    Ok(Undone::Refund)
}

fn sum_of_waiting(payments: &[Payment]) -> Money {
    waiting(payments).iter().map(|payment| payment.waiting()).sum()
}

async fn log(
    office: &Office,
    transaction: &mut Transaction,
    by: &str,
    (dealership_id, number): (&str, Option<Number>),
    detail: &str,
) -> Result<(), LedgerError> {
    let month = match number {
        Some(number) => Some(month_of(transaction, number).await?),
        None => None,
    };
    let deed = Deed {
        at: office.clock.now(),
        actor: by,
        action: Action::Pay,
        month,
        dealership_id: Some(dealership_id),
        detail,
    };
    deed.write(transaction).await
}
