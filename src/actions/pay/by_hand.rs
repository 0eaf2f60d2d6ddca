//! What a person entered before the bank's file came: a line of it may be one of these payments.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::NaiveDate;

use super::bank::Becomes;
use super::doubtful::Doubtful;
use super::group::Groups;
use crate::ledger::LedgerError;
use crate::ledger::group_payments::GroupAccount;
use crate::setup::office::Office;
use fecha_core::account::payment::{Kind, Payment};
use fecha_core::bank::{BankLine, Matched, OpenInvoice, Sure};
use fecha_core::bill::invoice::Number;
use fecha_core::party::tax_id::Cnpj;
use fecha_core::price::money::Money;

/// Payments that a person entered without the bank's reference: a line of the bank may be one of them.
pub(super) struct ByHand {
    /// By what a line says of them.
    payments: HashMap<(NaiveDate, Kind, Money), Vec<Payment>>,
    /// Which dealerships have a CNPJ.
    cnpjs: BTreeMap<String, Cnpj>,
}

impl ByHand {
    /// Those since the first day of the lines.
    pub(super) async fn read(office: &Office, lines: &[BankLine]) -> Result<Self, LedgerError> {
        let Some(first) = lines.iter().map(|line| line.on).min() else {
            return Ok(Self { payments: HashMap::new(), cnpjs: BTreeMap::new() });
        };
        let mut payments: HashMap<_, Vec<Payment>> = HashMap::new();
        for payment in office.ledger.payments_without_reference(first).await? {
            let says = (payment.on, payment.kind, payment.amount);
            payments.entry(says).or_default().push(payment);
        }
        let register = office.ledger.dealerships().await?;
        let cnpjs = register.into_iter().map(|one| (one.id, one.cnpj)).collect();
        Ok(Self { payments, cnpjs })
    }

    /// Whether one of this invoice says the same; it is then no other line's.
    pub(super) fn takes(&mut self, number: Number, line: &BankLine) -> bool {
        let Some(amount) = line.amount else { return false };
        let Some(same) = self.payments.get_mut(&(line.on, line.kind, amount)) else { return false };
        match same.iter().position(|payment| payment.number == Some(number)) {
            Some(index) => {
                same.swap_remove(index);
                true
            }
            None => false,
        }
    }

    /// What becomes of a line that was matched: where it may be one that was entered by hand, a person says.
    pub(super) fn doubts(
        &self,
        line: &BankLine,
        open: &BTreeMap<Number, &OpenInvoice>,
        groups: &Groups,
        matched: Matched,
    ) -> Becomes {
        if let Matched::Group { txid, why } = matched
            && let Some(payment) = groups.get(&txid).and_then(|group| self.in_group(line, group))
        {
            return Becomes::Doubtful(Doubtful::GroupByHand { txid, why, payment });
        }
        let Matched::Certain { number, why } = matched else { return matched.into() };
        match open.get(&number).and_then(|invoice| self.like(line, invoice, why)) {
            Some(payment) => {
                Becomes::Doubtful(Doubtful::ByHand { number, why, payment: payment.id.clone() })
            }
            None => matched.into(),
        }
    }

    /// One that says the same, of whoever may have paid the line: where it names its invoice, money on that
    /// dealership's account; else anything of its CNPJ.
    fn like(&self, line: &BankLine, invoice: &OpenInvoice, why: Sure) -> Option<&Payment> {
        let same = self.payments.get(&(line.on, line.kind, line.amount?))?;
        same.iter().find(|payment| match why {
            Sure::ByNumber | Sure::ByTxid => {
                payment.number.is_none() && payment.dealership_id == invoice.dealership_id
            }
            Sure::ByAmountAndCnpj => self.cnpjs.get(&payment.dealership_id) == Some(&invoice.cnpj),
        })
    }
    /// One of the same day of a dealership of the group: the group may have been paid so, invoice by invoice. One that was
    /// entered for the group is known by its day and amount.
    fn in_group(&self, line: &BankLine, group: &GroupAccount) -> Option<String> {
        let unnamed = group.receipts.iter().filter(|one| one.reference.is_none() && !one.undone);
        if unnamed.clone().any(|one| one.on == line.on && Some(one.amount) == line.amount) {
            return None;
        }
        let parts: BTreeSet<&String> = unnamed.flat_map(|receipt| &receipt.payments).collect();
        let theirs: BTreeSet<&String> = group.invoices.values().collect();
        let of_the_day = self
            .payments
            .iter()
            .filter(|((on, kind, _), _)| *on == line.on && *kind == Kind::Money);
        let of_the_group = of_the_day.flat_map(|(_, payments)| payments).filter(|payment| {
            theirs.contains(&payment.dealership_id) && !parts.contains(&payment.id)
        });
        of_the_group.map(|payment| payment.id.clone()).min()
    }
}
