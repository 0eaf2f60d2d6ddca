//! Records that invoices were paid: all payments of a list or, where one is wrong, none.

use std::collections::{BTreeMap, HashSet};
use std::fmt;

use chrono::NaiveDate;
use serde::Serialize;

use crate::ledger::LedgerError;
use crate::ledger::audit::{Action, Deed};
use crate::ledger::listing::Listed;
use crate::setup::office::Office;
use fecha_core::account::settled::Account;
use fecha_core::bill::invoice::{InvalidNumber, Number};
use fecha_core::price::money::{InvalidMoney, Money};

/// The header of a file of payments.
const HEADER: &str = "number,on,amount";

/// One payment to be recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payment {
    /// Where it was read; `None` where a person gave it.
    pub place: Option<Place>,
    /// The invoice.
    pub number: Number,
    /// The day on the bank statement.
    pub on: NaiveDate,
    /// `None` is all that is open.
    pub amount: Option<Money>,
}

/// A line of a file; the header is line 1.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "said by their names")]
pub struct Place {
    pub file: String,
    pub line: u64,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} line {}", self.file, self.line)
    }
}

/// Why one payment cannot be recorded.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "said by the words")]
pub enum Objection {
    #[error("no invoice {0} stands: `fecha invoices` lists all")]
    NotStanding(Number),
    #[error("{0} is in the future")]
    InFuture(NaiveDate),
    #[error("{0} is below zero")]
    BelowZero(Money),
    #[error("an amount of zero pays nothing")]
    Zero,
    #[error(
        "{} is more than the {} that are open of {number}: record those, and enter the rest as a credit with `fecha adjust`",
        .amount.brl(), .open.brl()
    )]
    MoreThanOpen { number: Number, amount: Money, open: Money },
    #[error(transparent)]
    InvalidNumber(#[from] InvalidNumber),
    #[error("'{0}' is no day: write it as YYYY-MM-DD")]
    InvalidDay(String),
    #[error(transparent)]
    InvalidMoney(#[from] InvalidMoney),
    #[error(transparent)]
    Line(#[from] csv::Error),
}

/// One payment that cannot be recorded.
#[derive(Debug)]
pub struct Refused {
    /// Where it was read.
    pub place: Option<Place>,
    /// Why not.
    pub why: Objection,
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
    /// Some of the payments cannot be.
    #[error("{}\nnothing was recorded", lines(.0))]
    Refused(Vec<Refused>),
    /// The file has other columns.
    #[error("{file} line 1: the header is {HEADER}")]
    Header {
        /// As it was named.
        file: String,
    },
    /// The file is no CSV.
    #[error("{file}: {source}")]
    File {
        /// As it was named.
        file: String,
        /// Why not.
        source: csv::Error,
    },
    /// The ledger failed. Of several payments some may be recorded: record them again, none is doubled.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

fn lines(refused: &[Refused]) -> String {
    refused.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// What was recorded; its JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Recorded {
    /// Payments that the ledger had already: the same number, day and amount.
    pub already_recorded: usize,
    /// New ones.
    pub recorded: usize,
}

/// Records payments. The same one twice is recorded once, so a bank's file may be read again.
///
/// # Errors
/// [`PayError`]; where a payment is refused, none was recorded.
pub async fn record(office: &Office, payments: &[Payment], by: &str) -> Result<Recorded, PayError> {
    let mut books = Books { today: office.today(), accounts: BTreeMap::new() };
    let (mut planned, mut refused) = (Vec::new(), Vec::new());
    for payment in payments {
        let standing = books.open(office, payment.number).await?;
        match standing.and_then(|()| books.plan(payment)) {
            Ok(amount) => planned.extend(amount.map(|amount| (payment, amount))),
            Err(why) => refused.push(Refused { place: payment.place.clone(), why }),
        }
    }
    if !refused.is_empty() {
        return Err(PayError::Refused(refused));
    }
    let mut recorded = 0;
    for (Payment { number, on, .. }, amount) in planned {
        let invoice = books.accounts.get(number).map(|kept| &kept.invoice);
        let detail = format!("{number} {amount} on {on}");
        let deed = Deed {
            at: office.clock.now(),
            actor: by,
            action: Action::Pay,
            month: invoice.map(|invoice| invoice.month),
            dealership_id: invoice.map(|invoice| invoice.dealership_id.as_str()),
            detail: &detail,
        };
        let new = office.ledger.record_payment(*number, *on, amount, &deed).await?;
        recorded += usize::from(new);
    }
    Ok(Recorded { already_recorded: payments.len() - recorded, recorded })
}

/// The invoices that are paid, as they stand once what was planned is recorded.
struct Books {
    /// The issuer's local day.
    today: NaiveDate,
    accounts: BTreeMap<Number, Kept>,
}

struct Kept {
    invoice: Listed,
    account: Account,
    /// Day and amount of each payment.
    payments: HashSet<(NaiveDate, Money)>,
}

impl Books {
    /// Reads an invoice, once; the inner error says that it does not stand.
    async fn open(
        &mut self,
        office: &Office,
        number: Number,
    ) -> Result<Result<(), Objection>, LedgerError> {
        if self.accounts.contains_key(&number) {
            return Ok(Ok(()));
        }
        let Some(invoice) = office.ledger.listed_standing(number).await? else {
            return Ok(Err(Objection::NotStanding(number)));
        };
        let payments = office.ledger.payments_of(number).await?.into_iter().collect();
        let account = invoice.account();
        self.accounts.insert(number, Kept { invoice, account, payments });
        Ok(Ok(()))
    }

    /// How much is to be recorded; `None` where it is recorded already. Counts it from then on, so that
    /// two of one list do not pay the same twice.
    fn plan(&mut self, payment: &Payment) -> Result<Option<Money>, Objection> {
        let Payment { number, on, amount, .. } = *payment;
        let kept = self.accounts.get_mut(&number).ok_or(Objection::NotStanding(number))?;
        if amount.is_some_and(|amount| kept.payments.contains(&(on, amount))) {
            return Ok(None);
        }
        let open = kept.account.open();
        match amount.unwrap_or(open) {
            _ if on > self.today => Err(Objection::InFuture(on)),
            amount if amount < Money::ZERO => Err(Objection::BelowZero(amount)),
            Money::ZERO if amount.is_none() => Ok(None),
            Money::ZERO => Err(Objection::Zero),
            amount if amount > open => Err(Objection::MoreThanOpen { number, amount, open }),
            amount => {
                kept.account.paid += amount;
                kept.payments.insert((on, amount));
                Ok(Some(amount))
            }
        }
    }
}

/// Reads a file of payments (CSV: `number,on,amount`; an empty amount is all that is open).
///
/// # Errors
/// [`PayError`], which names every bad line.
pub fn read_csv(file: &str, bytes: &[u8]) -> Result<Vec<Payment>, PayError> {
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(bytes);
    let header = reader.headers().map_err(|source| PayError::File { file: file.into(), source })?;
    if header.iter().collect::<Vec<_>>().join(",") != HEADER {
        return Err(PayError::Header { file: file.to_owned() });
    }
    let (mut payments, mut refused) = (Vec::new(), Vec::new());
    for (record, line) in reader.records().zip(2..) {
        let place = Some(Place { file: file.to_owned(), line });
        match record.map_err(Objection::from).and_then(|record| parse(&record)) {
            Ok((number, on, amount)) => payments.push(Payment { place, number, on, amount }),
            Err(why) => refused.push(Refused { place, why }),
        }
    }
    if refused.is_empty() { Ok(payments) } else { Err(PayError::Refused(refused)) }
}

fn parse(record: &csv::StringRecord) -> Result<(Number, NaiveDate, Option<Money>), Objection> {
    let field = |index| record.get(index).unwrap_or_default();
    let number = field(0).parse()?;
    let on = field(1).parse().map_err(|_| Objection::InvalidDay(field(1).to_owned()))?;
    let amount = match field(2) {
        "" => None,
        text => Some(text.parse()?),
    };
    Ok((number, on, amount))
}
