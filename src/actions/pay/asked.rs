//! What of a payment is seldom meant: a form asks about it before anything is recorded.

use std::fmt;

use chrono::NaiveDate;

use super::{NewPayment, NotRecorded, Target};
use fecha_core::account::entry::Decision;
use fecha_core::account::payment::{Kind, Payment};
use fecha_core::bill::invoice::Number;
use fecha_core::price::money::Money;

/// Whether somebody can be asked about a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// Nobody: it is recorded as it is, and what is unusual is told.
    Nobody,
    /// Who fills in a form, and what they said.
    Form {
        /// It is more than is open, and so much is to wait.
        waits: Option<Money>,
        /// It came in on this day, before the invoice was issued.
        early: Option<NaiveDate>,
    },
}

/// What is asked before a payment is recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// It is more than is open.
    More {
        /// The invoice.
        number: Number,
        /// So much is open of it.
        open: Money,
        /// So much came in.
        amount: Money,
        /// So much of it would wait on the account.
        waits: Money,
        /// It was said that this is meant.
        said: bool,
    },
    /// It came in before the invoice was issued.
    Early {
        /// The invoice.
        number: Number,
        /// The day on the bank statement.
        on: NaiveDate,
        /// When the invoice was issued first.
        issued_on: NaiveDate,
        /// It was said that this is meant.
        said: bool,
    },
}

/// Why a payment is none that is new.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Already {
    /// One with this reference is recorded, of the same day and amount.
    Reference(String),
    /// One of this day and amount is recorded, without a reference.
    Unnamed {
        /// Of both.
        amount: Money,
        /// Of both.
        on: NaiveDate,
    },
    /// All that is open is to be paid, and nothing is.
    NothingOpen(Number),
}

impl Question {
    fn said(&self) -> bool {
        match self {
            Self::More { said, .. } | Self::Early { said, .. } => *said,
        }
    }
}

impl fmt::Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::More { number, open, amount, .. } => {
                write!(
                    f,
                    "{} is more than the {} that are open of {number}",
                    amount.brl(),
                    open.brl()
                )
            }
            Self::Early { number, on, issued_on, .. } => {
                write!(f, "{on} is before {issued_on}, when {number} was issued")
            }
        }
    }
}

impl fmt::Display for Already {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reference(reference) => {
                write!(f, "a payment with the reference {reference} is recorded already")
            }
            Self::Unnamed { amount, on } => {
                write!(f, "{} on {on} is recorded already, without a reference", amount.brl())
            }
            Self::NothingOpen(number) => write!(f, "{number} has nothing open"),
        }
    }
}

/// Refuses what a form asks about, until all of it was said to be meant; and what would do nothing.
///
/// # Errors
/// [`NotRecorded`], where somebody is asked.
pub(super) fn must_be_meant(
    new: &NewPayment,
    decision: &Decision,
    (open, issued_on): (Money, Option<NaiveDate>),
    payments: &[Payment],
) -> Result<(), NotRecorded> {
    let (Asked::Form { waits: said_waits, early: said_early }, on) = (new.asked, new.on) else {
        return Ok(());
    };
    let number = match new.target {
        Target::Invoice(number) => Some(number),
        Target::Account(_) | Target::Group(_) => None,
    };
    let reference = || new.reference.clone().unwrap_or_default();
    match (decision, number) {
        (Decision::Known, _) => Err(Already::Reference(reference()).into()),
        (Decision::KnownNow { id }, _) => {
            let other = payments.iter().find(|payment| payment.id == *id);
            let amount = other.map(|payment| payment.amount).unwrap_or_default();
            Err(Already::Unnamed { amount, on }.into())
        }
        (Decision::NothingOpen, Some(number)) => Err(Already::NothingOpen(number).into()),
        (Decision::Record { amount, settles, .. }, Some(number)) => {
            let mut questions = Vec::new();
            let (amount, waits) = (*amount, *amount - *settles);
            if new.kind == Kind::Money && waits > Money::ZERO {
                let said = said_waits == Some(waits);
                questions.push(Question::More { number, open, amount, waits, said });
            }
            if let Some(issued_on) = issued_on.filter(|issued_on| on < *issued_on) {
                let said = said_early == Some(on);
                questions.push(Question::Early { number, on, issued_on, said });
            }
            if questions.iter().all(Question::said) {
                return Ok(());
            }
            Err(NotRecorded::Unusual(questions))
        }
        // On an account all waits; and the rest is said of files only.
        (Decision::Record { .. } | Decision::NothingOpen, None)
        | (Decision::TakenBack { .. } | Decision::Differs { .. } | Decision::Unnamed { .. }, _) => {
            Ok(())
        }
    }
}
