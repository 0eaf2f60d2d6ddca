//! The accounts that are paid into, and what becomes of each payment on them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use chrono::{DateTime, NaiveDate, Utc};

use super::asked::must_be_meant;
use super::group::{Groups, txids};
use super::{Asked, NewPayment, NotRecorded, PayError, Target, numbers};
use crate::ledger::account::{lock_account, payments_of};
use crate::ledger::group_payments::group_accounts;
use crate::ledger::standing::{issued_days, standing_totals};
use crate::ledger::{LedgerError, Transaction};
use crate::setup::office::Office;
use fecha_core::account::entry::{Decision, Entry, Source, decide, known};
use fecha_core::account::payment::Payment;
use fecha_core::account::reference::BadReference;
use fecha_core::bill::group_bill::GroupTxid;
use fecha_core::bill::invoice::Number;
use fecha_core::price::money::Money;

/// What becomes of one payment.
#[derive(Debug)]
pub(super) enum Done {
    Recorded(Payment),
    /// It is for a group: its parts.
    RecordedGroup {
        txid: GroupTxid,
        parts: Vec<Payment>,
    },
    Known,
    /// It is known without the bank's reference, as these payments, which get it.
    KnownNow {
        ids: Vec<String>,
        reference: String,
    },
    Unmatched(Unlike),
}

/// Why a line of a file is not recorded although it names its invoice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Unlike {
    /// It was, and a person took it back.
    TakenBack { id: String },
    /// Its reference was, with another day or amount.
    Differs { id: String },
    /// Its reference cannot be kept.
    Unnamed { why: BadReference },
}

impl fmt::Display for Unlike {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TakenBack { id } => write!(f, "it was recorded as {id}, and taken back"),
            Self::Differs { id } => {
                write!(f, "its reference is that of payment {id}, of another day or amount")
            }
            Self::Unnamed { why } => why.fmt(f),
        }
    }
}

/// The accounts that are paid into, as they stand once what was decided is recorded.
pub(super) struct Books {
    pub now: DateTime<Utc>,
    pub(super) today: NaiveDate,
    pub(super) payments: BTreeMap<String, Vec<Payment>>,
    /// Of the invoices that stand.
    pub(super) totals: BTreeMap<Number, Money>,
    /// The group bills that are paid.
    pub(super) groups: Groups,
    /// When they were issued first, where somebody is asked about the day.
    issued: BTreeMap<Number, NaiveDate>,
    /// How often a line was met that says the same.
    met: BTreeMap<String, u32>,
}

impl Books {
    /// Locks the accounts, by dealership id, and reads them.
    pub async fn locked(
        office: &Office,
        transaction: &mut Transaction,
        new: &[NewPayment],
        targets: &BTreeMap<Target, String>,
        groups: &Groups,
    ) -> Result<Self, LedgerError> {
        let mut payments = BTreeMap::new();
        let of_groups = groups.values().flat_map(|group| group.invoices.values());
        for id in targets.values().chain(of_groups).collect::<BTreeSet<_>>() {
            lock_account(transaction, id).await?;
            payments.insert(id.clone(), payments_of(transaction, id).await?);
        }
        let totals = standing_totals(transaction, &numbers(new, groups)).await?;
        // What came in for a group may have been recorded before its accounts were locked.
        let groups = group_accounts(transaction, &txids(new)).await?;
        let asked = new.iter().any(|payment| payment.asked != Asked::Nobody);
        let about = if asked { numbers(new, &Groups::new()) } else { Vec::new() };
        let issued = issued_days(transaction, &about).await?;
        Ok(Self { issued, ..Self::of(office, payments, totals, groups) })
    }

    /// Reads of the accounts what is about the invoices that are paid; others may write meanwhile.
    pub async fn as_they_stand(office: &Office, new: &[NewPayment]) -> Result<Self, PayError> {
        let groups = office.ledger.group_accounts(&txids(new)).await?;
        let numbers = numbers(new, &groups);
        let mut payments: BTreeMap<String, Vec<Payment>> = BTreeMap::new();
        let (about, totals) = tokio::try_join!(
            office.ledger.payments_about_invoices(&numbers),
            office.ledger.standing_totals(&numbers)
        )?;
        for payment in about {
            payments.entry(payment.dealership_id.clone()).or_default().push(payment);
        }
        Ok(Self::of(office, payments, totals, groups))
    }

    fn of(
        office: &Office,
        payments: BTreeMap<String, Vec<Payment>>,
        totals: BTreeMap<Number, Money>,
        groups: Groups,
    ) -> Self {
        let (now, today) = (office.clock.now(), office.today());
        let (issued, met) = (BTreeMap::new(), BTreeMap::new());
        Self { now, today, payments, totals, groups, issued, met }
    }

    /// What becomes of a payment into the account of a dealership.
    pub fn decide(
        &mut self,
        new: &NewPayment,
        dealership_id: &str,
        by: &str,
    ) -> Result<Done, NotRecorded> {
        let number = match new.target {
            Target::Account(_) => None,
            Target::Invoice(number) => Some(number),
            Target::Group(txid) => return self.decide_group(new, txid, by),
        };
        let entry = self.entry_of(new, number, "");
        let payments = self.payments.entry(dealership_id.to_owned()).or_default();
        let Some(open) = open_of(&self.totals, &entry, payments) else {
            return Err(void(dealership_id, new));
        };
        let decision = decide(&entry, payments, open, self.today)?;
        let issued_on = number.and_then(|number| self.issued.get(&number).copied());
        must_be_meant(new, &decision, (open, issued_on), payments)?;
        Ok(match decision {
            Decision::Known | Decision::NothingOpen => Done::Known,
            Decision::Unnamed { why } => Done::Unmatched(Unlike::Unnamed { why }),
            Decision::KnownNow { id } => {
                let reference = entry.reference.unwrap_or_default();
                // The next line with another reference is another payment.
                if let Some(payment) = payments.iter_mut().find(|payment| payment.id == id) {
                    payment.reference = Some(reference.clone());
                }
                Done::KnownNow { ids: vec![id], reference }
            }
            Decision::TakenBack { id } => Done::Unmatched(Unlike::TakenBack { id }),
            Decision::Differs { id } => Done::Unmatched(Unlike::Differs { id }),
            Decision::Record { amount, settles, ordinal } => {
                let settles = (settles > Money::ZERO).then_some(settles);
                let payment = Payment {
                    // It gets one when it is written.
                    id: String::new(),
                    dealership_id: dealership_id.to_owned(),
                    ordinal,
                    entered_by: by.to_owned(),
                    entered_at: self.now,
                    allocated: number.zip(settles).into_iter().collect(),
                    ..unsettled(entry, amount)
                };
                payments.push(payment.clone());
                Done::Recorded(payment)
            }
        })
    }

    /// As the core takes it: of equal lines in a file each has its place, those of a group by themselves.
    pub(super) fn entry_of(
        &mut self,
        new: &NewPayment,
        number: Option<Number>,
        group: &str,
    ) -> Entry {
        let source = if new.place.is_none() {
            Source::Person { again: new.again }
        } else {
            let said = (group, number, new.on, new.amount, new.kind);
            let met = self.met.entry(format!("{said:?}")).or_default();
            *met += 1;
            Source::File { ordinal: *met, again: new.again }
        };
        Entry {
            number,
            on: new.on,
            amount: new.amount,
            kind: new.kind,
            reference: new.reference.clone(),
            source,
        }
    }
}

/// What is open of the entry's invoice; `None` where that is void and the entry is new. What was recorded
/// before it was void is known still.
fn open_of(totals: &BTreeMap<Number, Money>, entry: &Entry, payments: &[Payment]) -> Option<Money> {
    let Some(number) = entry.number else { return Some(Money::ZERO) };
    match totals.get(&number) {
        Some(total) => Some(*total - payments.iter().map(|payment| payment.settles(number)).sum()),
        None if matches!(known(entry, payments), Ok(None)) => None,
        None => Some(Money::ZERO),
    }
}

fn void(dealership_id: &str, new: &NewPayment) -> NotRecorded {
    NotRecorded::Void {
        target: new.target.clone(),
        dealership_id: dealership_id.to_owned(),
        on: new.on,
        amount: new.amount,
        reference: new.reference.clone(),
    }
}

/// A payment of so much that settles nothing yet, and is nobody's.
pub(super) fn unsettled(entry: Entry, amount: Money) -> Payment {
    Payment {
        id: String::new(),
        dealership_id: String::new(),
        number: entry.number,
        on: entry.on,
        amount,
        kind: entry.kind,
        reference: entry.reference,
        ordinal: 1,
        entered_by: String::new(),
        entered_at: DateTime::UNIX_EPOCH,
        allocated: Vec::new(),
        refunded: Money::ZERO,
        converted: Money::ZERO,
        undone: false,
    }
}
