//! An invoice as an ERP books it: what is to be received, and what came in for it.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;

use super::ErpError;
use super::cells::date;
use crate::ledger::Ledger;
use crate::ledger::listing::Listed;
use fecha_core::account::payment::Kind;
use fecha_core::bill::invoice::Number;
use fecha_core::price::money::Money;

/// An invoice that stands, with what settles it.
pub(super) struct Receivable<'a> {
    pub invoice: &'a Listed,
    /// By day.
    receipts: Vec<Receipt>,
}

/// What came in, or stands for it, on one day.
struct Receipt {
    on: NaiveDate,
    kind: Kind,
    amount: Money,
}

/// Reads what came in for these invoices.
pub(super) async fn read<'a>(
    ledger: &Ledger,
    invoices: Vec<&'a Listed>,
) -> Result<Vec<Receivable<'a>>, ErpError> {
    let numbers: Vec<Number> = invoices.iter().map(|invoice| invoice.number).collect();
    let mut receipts: BTreeMap<Number, Vec<Receipt>> = BTreeMap::new();
    for payment in ledger.payments_about_invoices(&numbers).await? {
        if payment.undone {
            continue;
        }
        // Interest settles nothing: it comes beside its invoice.
        let interest = payment.number.filter(|_| payment.kind == Kind::Interest);
        let interest = interest.map(|number| (number, payment.amount));
        for (number, amount) in payment.allocated.iter().copied().chain(interest) {
            let receipt = Receipt { on: payment.on, kind: payment.kind, amount };
            receipts.entry(number).or_default().push(receipt);
        }
    }
    let receivable = |invoice: &'a Listed| {
        let mut receipts = receipts.remove(&invoice.number).unwrap_or_default();
        receipts.retain(|receipt| receipt.amount != Money::ZERO);
        receipts.sort_by_key(|receipt| (receipt.on, receipt.kind));
        let receivable = Receivable { invoice, receipts };
        let settled = Kind::ALL.into_iter().filter(|kind| *kind != Kind::Interest);
        let settled: Money = settled.map(|kind| receivable.sum(kind)).sum();
        if settled == invoice.paid {
            Ok(receivable)
        } else {
            Err(ErpError::Changed(invoice.label()))
        }
    };
    invoices.into_iter().map(receivable).collect()
}

impl Receivable<'_> {
    /// What came in of a kind.
    pub(super) fn sum(&self, kind: Kind) -> Money {
        self.receipts
            .iter()
            .filter(|receipt| receipt.kind == kind)
            .map(|receipt| receipt.amount)
            .sum()
    }

    /// The day on which all that came in of these kinds came; `None` where that is several, or none.
    pub(super) fn only_day(&self, kinds: &[Kind]) -> Option<NaiveDate> {
        let of_kind = self.receipts.iter().filter(|receipt| kinds.contains(&receipt.kind));
        let days: BTreeSet<NaiveDate> = of_kind.map(|receipt| receipt.on).collect();
        days.first().copied().filter(|_| days.len() == 1)
    }

    /// In words what came in of these kinds, and what is open where that is neither all nor nothing.
    pub(super) fn in_words(&self, kinds: &[Kind]) -> Vec<String> {
        let told = self.receipts.iter().filter(|receipt| kinds.contains(&receipt.kind));
        let mut words: Vec<String> = told.map(Receipt::in_words).collect();
        let open = self.invoice.account().open();
        if !words.is_empty() && open != Money::ZERO {
            words.push(format!("em aberto {}", open.brl()));
        }
        words
    }
}

impl Receipt {
    fn in_words(&self) -> String {
        let what = match self.kind {
            Kind::Money => "recebido",
            Kind::Iss => "ISS retido",
            Kind::Irrf => "IRRF retido",
            Kind::Csrf => "CSRF retida",
            Kind::Discount => "desconto de",
            Kind::Interest => "juros e multa de",
        };
        format!("{what} {} em {}", self.amount.brl(), date(self.on))
    }
}
