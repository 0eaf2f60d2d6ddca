//! What comes in for a group bill: one line of a bank, a payment for each invoice that gets a part of it.

use std::collections::{BTreeMap, BTreeSet};

use super::books::{Books, Done, Unlike};
use super::{NewPayment, NotRecorded, PayError, Refused, Target};
use crate::ledger::LedgerError;
use crate::ledger::group_payments::{GroupAccount, Receipt};
use crate::setup::office::Office;
use fecha_core::account::entry::{Decision, Entry, Objection, Source, decide, known};
use fecha_core::account::payment::{Kind, Payment};
use fecha_core::account::split::split;
use fecha_core::bank::{BankLine, OpenGroup, OpenInvoice};
use fecha_core::bill::group_bill::GroupTxid;
use fecha_core::bill::invoice::Number;
use fecha_core::price::money::Money;

/// Group bills as payments see them.
pub(super) type Groups = BTreeMap<GroupTxid, GroupAccount>;

/// The group bills that are paid, each once.
pub(super) fn txids(payments: &[NewPayment]) -> Vec<GroupTxid> {
    let txid = |payment: &NewPayment| match payment.target {
        Target::Group(txid) => Some(txid),
        Target::Invoice(_) | Target::Account(_) => None,
    };
    payments.iter().filter_map(txid).collect::<BTreeSet<_>>().into_iter().collect()
}

/// The group bills that are paid; refuses those that are not there.
pub(super) async fn of_payments(
    office: &Office,
    payments: &[NewPayment],
) -> Result<Groups, PayError> {
    let groups = office.ledger.group_accounts(&txids(payments)).await?;
    let refused = |payment: &NewPayment| match payment.target {
        Target::Group(txid) if !groups.contains_key(&txid) => {
            Some(Refused { place: payment.place.clone(), why: NotRecorded::NoGroup(txid) })
        }
        _ => None,
    };
    let refused: Vec<Refused> = payments.iter().filter_map(refused).collect();
    if refused.is_empty() { Ok(groups) } else { Err(PayError::Refused(refused)) }
}

/// The group bills that lines of a bank name, and their invoices that stand, with what is open of each.
pub(super) async fn named(
    office: &Office,
    lines: &[BankLine],
    open: &[OpenInvoice],
) -> Result<(Groups, Vec<OpenGroup>), LedgerError> {
    let txids: BTreeSet<GroupTxid> = lines.iter().filter_map(|line| line.group).collect();
    let groups = office.ledger.group_accounts(&txids.into_iter().collect::<Vec<_>>()).await?;
    let numbers: Vec<Number> =
        groups.values().flat_map(|group| group.invoices.keys().copied()).collect();
    let standing = office.ledger.standing_totals(&numbers).await?;
    let open: BTreeMap<Number, Money> =
        open.iter().map(|invoice| (invoice.number, invoice.to_pay)).collect();
    let of_group = |(txid, group): (&GroupTxid, &GroupAccount)| {
        let stands = group.invoices.keys().filter(|number| standing.contains_key(number));
        let invoices = stands.map(|n| (*n, open.get(n).copied().unwrap_or_default())).collect();
        OpenGroup { txid: *txid, invoices }
    };
    let open = groups.iter().map(of_group).collect();
    Ok((groups, open))
}

impl Books {
    /// What becomes of a payment for a group bill: its parts.
    pub fn decide_group(
        &mut self,
        new: &NewPayment,
        txid: GroupTxid,
        by: &str,
    ) -> Result<Done, NotRecorded> {
        let group = self.groups.get(&txid).ok_or(NotRecorded::NoGroup(txid))?.clone();
        let Some((first, _)) = group.invoices.first_key_value() else {
            return Err(NotRecorded::NoGroup(txid));
        };
        if new.kind != Kind::Money {
            return Err(NotRecorded::OnlyMoney { txid, kind: new.kind });
        }
        let standing = self.standing(&group);
        // What came in for the group before is decided upon like the payments of one invoice.
        let before: Vec<Payment> =
            group.receipts.iter().map(|one| as_payment(one, *first)).collect();
        let entry = self.entry_of(new, Some(*first), &txid.to_string());
        let is_new = matches!(known(&entry, &before), Ok(None));
        if standing.is_empty() && is_new {
            return Err(NotRecorded::VoidGroup { txid, on: new.on, amount: new.amount });
        }
        if is_new && let Some(other) = self.with_reference(&entry, &group) {
            return other_reference(&entry, other);
        }
        let open: Money = standing.iter().map(|(_, open)| *open).sum();
        Ok(match decide(&entry, &before, open, self.today)? {
            Decision::Known | Decision::NothingOpen => Done::Known,
            Decision::Unnamed { why } => Done::Unmatched(Unlike::Unnamed { why }),
            Decision::TakenBack { id } => Done::Unmatched(Unlike::TakenBack { id }),
            Decision::Differs { id } => Done::Unmatched(Unlike::Differs { id }),
            Decision::KnownNow { id } => {
                let reference = entry.reference.unwrap_or_default();
                let receipts = self.groups.entry(txid).or_default().receipts.iter_mut();
                let mut same = receipts.filter(|receipt| receipt.payments.contains(&id));
                let ids = same.next().map(|receipt| {
                    receipt.reference = Some(reference.clone());
                    receipt.payments.clone()
                });
                Done::KnownNow { ids: ids.unwrap_or_default(), reference }
            }
            Decision::Record { amount, .. } => {
                let parts = self.parts(&entry, &group, &standing, amount, by);
                self.groups.entry(txid).or_default().receipts.push(Receipt {
                    payments: vec![String::new()],
                    on: entry.on,
                    amount,
                    reference: entry.reference,
                    undone: false,
                });
                Done::RecordedGroup { txid, parts }
            }
        })
    }

    /// The invoices of a group that stand, and what is open of each.
    fn standing(&self, group: &GroupAccount) -> Vec<(Number, Money)> {
        let open = |(number, id): (&Number, &String)| {
            let total = *self.totals.get(number)?;
            let payments = self.payments.get(id).map(Vec::as_slice).unwrap_or_default();
            let settled: Money = payments.iter().map(|payment| payment.settles(*number)).sum();
            Some((*number, total - settled))
        };
        group.invoices.iter().filter_map(open).collect()
    }

    /// A payment of these dealerships that stands and has the entry's reference.
    fn with_reference(&self, entry: &Entry, group: &GroupAccount) -> Option<&Payment> {
        let reference = entry.reference.as_ref()?;
        let ids: BTreeSet<&String> = group.invoices.values().collect();
        let payments = ids.into_iter().filter_map(|id| self.payments.get(id)).flatten();
        let mut same = payments.filter(|payment| {
            payment.reference.as_ref() == Some(reference)
                && payment.kind == Kind::Money
                && !payment.undone
        });
        same.next()
    }

    /// The payments that an amount is split into.
    fn parts(
        &mut self,
        entry: &Entry,
        group: &GroupAccount,
        standing: &[(Number, Money)],
        amount: Money,
        by: &str,
    ) -> Vec<Payment> {
        let mut parts = Vec::new();
        for share in split(amount, standing) {
            let (number, amount) = (share.number, share.amount);
            let open = standing.iter().find(|(of, _)| *of == number);
            let settles = open.map(|(_, open)| amount.min(*open)).unwrap_or_default();
            let dealership_id = group.invoices[&number].clone();
            let payments = self.payments.entry(dealership_id.clone()).or_default();
            let equal = payments.iter().filter(|payment| {
                payment.number == Some(number)
                    && (payment.on, payment.amount) == (entry.on, amount)
                    && payment.kind == Kind::Money
            });
            let ordinal = equal.map(|payment| payment.ordinal).max().unwrap_or_default() + 1;
            let entry = Entry { number: Some(number), ..entry.clone() };
            let part = Payment {
                dealership_id,
                ordinal,
                entered_by: by.to_owned(),
                entered_at: self.now,
                allocated: (settles > Money::ZERO)
                    .then_some((number, settles))
                    .into_iter()
                    .collect(),
                ..super::books::unsettled(entry, amount)
            };
            payments.push(part.clone());
            parts.push(part);
        }
        parts
    }
}

/// A receipt as a payment of one invoice: by the id of its first part.
fn as_payment(receipt: &Receipt, number: Number) -> Payment {
    let Receipt { payments, on, amount, reference, undone } = receipt;
    let entry = Entry {
        number: Some(number),
        on: *on,
        amount: Some(*amount),
        kind: Kind::Money,
        reference: reference.clone(),
        source: Source::Person { again: false },
    };
    let id = payments.first().cloned().unwrap_or_default();
    Payment { id, undone: *undone, ..super::books::unsettled(entry, *amount) }
}

/// Somebody recorded this reference as a payment of one invoice.
fn other_reference(entry: &Entry, other: &Payment) -> Result<Done, NotRecorded> {
    let id = other.id.clone();
    match entry.source {
        Source::File { .. } => Ok(Done::Unmatched(Unlike::Differs { id })),
        Source::Person { .. } => {
            let reference = entry.reference.clone().unwrap_or_default();
            Err(Objection::OtherReference { reference, id }.into())
        }
    }
}
