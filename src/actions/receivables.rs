//! What is open, overdue and waiting.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use serde::Serialize;
use utoipa::ToSchema;

use crate::actions::invoices::{InvoiceJson, ListError};
use crate::actions::schema;
use crate::actions::words::plain;
use crate::ledger::LedgerError;
use crate::ledger::account::{Refund, lock_account};
use crate::ledger::audit::{Action, Deed};
use crate::ledger::closing::MonthState;
use crate::ledger::guard_open::fill;
use crate::ledger::listing::Listed;
use crate::ledger::receivables::OpenByAge;
use crate::setup::office::Office;
use fecha_core::account::payment::{Kind, Payment};
use fecha_core::account::receivables::{Ages, Balance, Debtor, Owed, Receivables, days_late};
use fecha_core::bill::invoice::Number;
use fecha_core::calendar::month::Month;
use fecha_core::party::register::must_be_known;
use fecha_core::price::contract::Contracts;
use fecha_core::price::money::Money;

/// What is asked for.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wanted<'a> {
    /// Only of this dealership, with its payments and refunds.
    pub dealership_id: Option<&'a str>,
    /// Only what is overdue, and who has something overdue.
    pub overdue: bool,
}

/// Everything that `fecha receivables` says.
#[derive(Debug)]
pub struct Found {
    /// Who owes what.
    pub receivables: Receivables<Listed>,
    /// Of the one dealership that was asked for.
    pub history: Option<History>,
    /// Who has something waiting that no invoice will take, among those that were asked for.
    pub left: Vec<Left>,
    /// The issuer's local day: what is overdue depends on it.
    pub today: NaiveDate,
}

/// What came in from a dealership, and what was paid back to it.
#[derive(Debug)]
pub struct History {
    /// By entry, those that were taken back too.
    pub payments: Vec<Payment>,
    /// By entry, those that were taken back too.
    pub refunds: Vec<Refund>,
}

/// Writes anew what lists show as open and as waiting, from the rows that it is kept from; the numbers and payments
/// of which it was another amount.
///
/// # Errors
/// [`LedgerError`]; nothing was written then.
pub async fn rebuild(office: &Office, by: &str) -> Result<Vec<String>, LedgerError> {
    let wrong = office.ledger.wrong_copies().await?;
    let whose: BTreeSet<&str> = wrong.iter().map(|(_, id)| id.as_str()).collect();
    let mut transaction = office.ledger.begin().await?;
    for id in whose {
        lock_account(&mut transaction, id).await?;
    }
    let written = fill(&mut transaction).await?;
    if written.is_empty() {
        return Ok(written);
    }
    let detail = format!("open and waiting written anew: {}", written.join(", "));
    let deed = Deed {
        at: office.clock.now(),
        actor: by,
        action: Action::Pay,
        month: None,
        dealership_id: None,
        detail: &detail,
    };
    deed.write(&mut transaction).await?;
    let failed = LedgerError::while_doing("write what is open");
    transaction.commit().await.map_err(failed)?;
    Ok(written)
}

/// A dealership without a contract for which something waits: no invoice will take it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    /// Who.
    pub dealership_id: String,
    /// Money that waits: it is to be paid back.
    pub money: Money,
    /// Credit notes that wait: they are to be taken back.
    pub credit: Money,
}

impl Left {
    /// What is the matter, in words safe for a terminal.
    #[must_use]
    pub fn what(&self) -> String {
        let amounts = [("", self.money), (" of credits", self.credit)];
        let amounts = amounts.into_iter().filter(|(_, amount)| *amount > Money::ZERO);
        let waits: Vec<String> =
            amounts.map(|(what, amount)| format!("{}{what}", amount.brl())).collect();
        let id = plain(&self.dealership_id);
        format!("'{id}' has no contract, and {} waiting", waits.join(" and "))
    }

    /// What to do about it, in a line.
    #[must_use]
    pub fn remedy(&self) -> String {
        let steps = self.steps().into_iter();
        let steps: Vec<String> =
            steps.map(|(what, command)| format!("{what} `{command}`")).collect();
        format!("no contract: {}", steps.join("; "))
    }

    /// What to do, and the command for it.
    #[must_use]
    pub fn steps(&self) -> Vec<(&'static str, String)> {
        let Self { dealership_id, money, credit } = self;
        let id = plain(dealership_id);
        let pay_back =
            || format!("fecha pay --refund {money} --dealership {id} --on DATE --reason TEXT");
        let take_back = || "fecha adjust --cancel N".to_owned();
        let mut steps = Vec::new();
        steps.extend((*money > Money::ZERO).then(|| ("pay back with", pay_back())));
        steps.extend((*credit > Money::ZERO).then(|| ("take back with", take_back())));
        steps
    }
}

/// As spec §3.4 has it; of one dealership also `payments` and `refunds`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Receivables)]
pub struct ReceivablesJson<'a> {
    #[serde(flatten)]
    #[schema(value_type = schema::Balance)]
    balance: Balance,
    #[schema(value_type = schema::Ages)]
    ages: Ages,
    dealerships: Vec<DebtorJson<'a>>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Debtor)]
struct DebtorJson<'a> {
    dealership_id: &'a str,
    #[serde(flatten)]
    #[schema(value_type = schema::Balance)]
    balance: Balance,
    invoices: Vec<InvoiceJson<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    payments: Option<Vec<PaymentJson<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    refunds: Option<Vec<RefundJson<'a>>>,
}

/// A payment with what became of it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Payment)]
#[expect(missing_docs, reason = "the keys of `fecha receivables --json`")]
pub struct PaymentJson<'a> {
    pub id: &'a str,
    #[schema(required, value_type = Option<schema::InvoiceNumber>)]
    pub number: Option<Number>,
    #[schema(value_type = schema::Day)]
    pub on: NaiveDate,
    #[schema(value_type = schema::Money)]
    pub amount: Money,
    #[schema(value_type = schema::PaymentKind)]
    pub kind: Kind,
    #[schema(required)]
    pub reference: Option<&'a str>,
    pub settles: Vec<SettledJson>,
    #[schema(value_type = schema::Money)]
    pub refunded: Money,
    #[schema(value_type = schema::Money)]
    pub waiting: Money,
    pub undone: bool,
    pub by: &'a str,
}

/// What a payment settles of an invoice.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Settled)]
#[expect(missing_docs, reason = "as in PaymentJson")]
pub struct SettledJson {
    #[schema(value_type = schema::InvoiceNumber)]
    pub number: Number,
    #[schema(value_type = schema::Money)]
    pub amount: Money,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Refund)]
struct RefundJson<'a> {
    id: &'a str,
    #[schema(value_type = schema::Day)]
    on: NaiveDate,
    #[schema(value_type = schema::Money)]
    amount: Money,
    reason: &'a str,
    undone: bool,
}

impl Found {
    /// As spec §3.4 has it; of one dealership also `payments` and `refunds`.
    #[must_use]
    pub fn json(&self) -> ReceivablesJson<'_> {
        let Receivables { balance, ages, debtors } = &self.receivables;
        ReceivablesJson {
            balance: *balance,
            ages: *ages,
            dealerships: debtors.iter().map(|debtor| self.debtor(debtor)).collect(),
        }
    }

    fn debtor<'a>(&'a self, debtor: &'a Debtor<Listed>) -> DebtorJson<'a> {
        let history = self.history.as_ref();
        let invoice = |owed: &'a Owed<Listed>| InvoiceJson::of(&owed.invoice, self.today);
        DebtorJson {
            dealership_id: &debtor.dealership_id,
            balance: debtor.balance,
            invoices: debtor.owed.iter().map(invoice).collect(),
            payments: history.map(|all| all.payments.iter().map(PaymentJson::of).collect()),
            refunds: history.map(|all| all.refunds.iter().map(RefundJson::of).collect()),
        }
    }
}

impl<'a> PaymentJson<'a> {
    /// What JSON says of a payment.
    #[must_use]
    pub fn of(payment: &'a Payment) -> Self {
        let settled =
            |(number, amount): &(Number, Money)| SettledJson { number: *number, amount: *amount };
        Self {
            id: &payment.id,
            number: payment.number,
            on: payment.on,
            amount: payment.amount,
            kind: payment.kind,
            reference: payment.reference.as_deref(),
            settles: payment.allocated.iter().map(settled).collect(),
            refunded: payment.refunded,
            waiting: payment.waiting(),
            undone: payment.undone,
            by: &payment.entered_by,
        }
    }
}

impl<'a> RefundJson<'a> {
    fn of(refund: &'a Refund) -> Self {
        Self {
            id: &refund.id,
            on: refund.on,
            amount: refund.amount(),
            reason: &refund.reason,
            undone: refund.parts.is_empty(),
        }
    }
}

/// What is open, and what waits on accounts, as of now.
///
/// # Errors
/// [`ListError`].
pub async fn receivables(office: &Office, wanted: Wanted<'_>) -> Result<Found, ListError> {
    let (ledger, today) = (&office.ledger, office.today());
    let Wanted { dealership_id: only, overdue } = wanted;
    if let Some(id) = only {
        let known = ledger.dealership(id).await?.is_some();
        must_be_known([id], |_| known)?;
    }
    let mut open = ledger.open_invoices(only).await?;
    let mut waiting = ledger.waiting_money().await?;
    let mut left = left(office, &waiting).await?;
    if overdue {
        open.retain(|invoice| invoice.account().is_overdue(today));
        waiting.retain(|id, _| open.iter().any(|invoice| invoice.dealership_id == *id));
    }
    if let Some(only) = only {
        waiting.retain(|id, _| id == only);
        left.retain(|left| left.dealership_id == only);
    }
    let owed = |invoice: Listed| Owed {
        dealership_id: invoice.dealership_id.clone(),
        open: invoice.account().open(),
        due_on: invoice.figures.due_on,
        invoice,
    };
    let mut receivables = Receivables::of(open.into_iter().map(owed), waiting, today);
    let history = match only {
        None => None,
        Some(id) => {
            if receivables.debtors.is_empty() {
                receivables.debtors.push(Debtor {
                    dealership_id: id.to_owned(),
                    balance: Balance::default(),
                    owed: Vec::new(),
                });
            }
            let (payments, refunds) = (ledger.payments_of(id).await?, ledger.refunds(only).await?);
            Some(History { payments, refunds })
        }
    };
    Ok(Found { receivables, history, left, today })
}

/// What each dealership owes, by age, and what waits for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Debt {
    /// Who.
    pub dealership_id: String,
    /// Its legal name.
    pub name: String,
    /// How many invoices are open.
    pub invoices: u64,
    /// For how many days the oldest of them has been due; `None` where none is overdue.
    pub days_late: Option<i64>,
    /// What is open, by age.
    pub ages: Ages,
    /// What waits.
    pub waiting: Money,
}

/// Who owes something or has something waiting, as of now: the largest overdue sum first, then the largest open
/// one, then by id.
///
/// # Errors
/// [`LedgerError`] where the ledger cannot be read.
pub async fn debts(office: &Office) -> Result<Vec<Debt>, LedgerError> {
    let (ledger, today) = (&office.ledger, office.today());
    let mut waiting = ledger.waiting_money().await?;
    let mut debts = Vec::new();
    for open in ledger.open_by_age(today).await? {
        let OpenByAge { dealership_id, name, invoices, oldest, ages } = open;
        let waiting = waiting.remove(&dealership_id).unwrap_or_default();
        let days_late = Some(days_late(oldest, today)).filter(|days| *days > 0);
        debts.push(Debt { dealership_id, name, invoices, days_late, ages, waiting });
    }
    // Who only has something waiting.
    for (dealership_id, waiting) in waiting {
        let name = ledger.dealership(&dealership_id).await?.map(|one| one.name).unwrap_or_default();
        let (invoices, days_late, ages) = (0, None, Ages::default());
        debts.push(Debt { dealership_id, name, invoices, days_late, ages, waiting });
    }
    debts.sort_by(|a, b| Debt::order(&a.key(), &b.key()));
    Ok(debts)
}

impl Debt {
    /// Where it stands among all: overdue, open, whose.
    #[must_use]
    pub fn key(&self) -> (Money, Money, &str) {
        (self.ages.overdue(), self.ages.open(), &self.dealership_id)
    }

    /// The order of the keys.
    #[must_use]
    pub fn order(a: &(Money, Money, &str), b: &(Money, Money, &str)) -> Ordering {
        (b.0, b.1, a.2).cmp(&(a.0, a.1, b.2))
    }
}

/// The dealerships that get no invoice any more and have something waiting, by id. `waiting` is the money.
///
/// # Errors
/// [`LedgerError`] where the ledger cannot be read.
pub async fn left(
    office: &Office,
    waiting: &BTreeMap<String, Money>,
) -> Result<Vec<Left>, LedgerError> {
    let credits = office.ledger.waiting_credits().await?;
    let mut ids: Vec<&String> = waiting.keys().chain(credits.keys()).collect();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    ids.sort_unstable();
    ids.dedup();
    let contracts: Contracts = office.ledger.contracts().await?.into_iter().collect();
    let month = first_to_come(office).await?;
    let of = |amounts: &BTreeMap<String, Money>, id| amounts.get(id).copied().unwrap_or_default();
    let left = ids.into_iter().filter(|id| !contracts.goes_on_in(id, month)).map(|id| Left {
        dealership_id: id.clone(),
        money: of(waiting, id),
        credit: of(&credits, id),
    });
    Ok(left.collect())
}

/// The first month whose invoices are to come: the one that ended last until it is closed, then the running one.
async fn first_to_come(office: &Office) -> Result<Month, LedgerError> {
    let last = Month::last_ended(office.clock.now(), office.config.issuer.timezone);
    let closings = office.ledger.closings().await?;
    let is_closed = closings.iter().any(|c| c.month == last && c.state == MonthState::Closed);
    Ok(if is_closed { last.next() } else { last })
}
