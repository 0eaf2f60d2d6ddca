//! What of an invoice is paid, open and overdue.

use chrono::NaiveDate;
use serde::Serialize;

use crate::bill::invoice::Invoice;
use crate::price::money::Money;

/// How much of an invoice was paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentState {
    /// Nothing.
    Open,
    /// Less than the total.
    PartPaid,
    /// All of it.
    Paid,
}

/// An invoice and what was paid for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Account {
    /// The total of the revision that stands.
    pub total: Money,
    /// What was paid, less what later invoices gave back.
    pub paid: Money,
    /// When it is due.
    pub due_on: NaiveDate,
}

impl Account {
    /// The account of an invoice.
    #[must_use]
    pub fn of(invoice: &Invoice, paid: Money) -> Self {
        Self { total: invoice.total(), paid, due_on: invoice.due_on }
    }

    /// What is still to be paid; never below zero.
    #[must_use]
    pub fn open(&self) -> Money {
        (self.total - self.paid).max(Money::ZERO)
    }

    /// How much was paid.
    #[must_use]
    pub fn payment(&self) -> PaymentState {
        match (self.open(), self.paid) {
            (Money::ZERO, _) => PaymentState::Paid,
            (_, Money::ZERO) => PaymentState::Open,
            _ => PaymentState::PartPaid,
        }
    }

    /// Whether something was to be paid before `today`, the issuer's local day.
    #[must_use]
    pub fn is_overdue(&self, today: NaiveDate) -> bool {
        self.open() > Money::ZERO && self.due_on < today
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("100.00", "0.00", PaymentState::Open, "100.00", true)]
    #[case("100.00", "40.00", PaymentState::PartPaid, "60.00", true)]
    #[case("100.00", "100.00", PaymentState::Paid, "0.00", false)]
    #[case("100.00", "120.00", PaymentState::Paid, "0.00", false)]
    #[case("0.00", "0.00", PaymentState::Paid, "0.00", false)]
    fn is_open_until_it_is_paid(
        #[case] total: &str,
        #[case] paid: &str,
        #[case] payment: PaymentState,
        #[case] open: &str,
        #[case] overdue: bool,
    ) {
        let due_on = "2026-11-10".parse().unwrap();
        let account =
            Account { total: total.parse().unwrap(), paid: paid.parse().unwrap(), due_on };
        assert_eq!((account.payment(), account.open()), (payment, open.parse().unwrap()));
        assert!(!account.is_overdue(due_on), "it is due all day long");
        assert_eq!(account.is_overdue("2026-11-11".parse().unwrap()), overdue);
    }
}
