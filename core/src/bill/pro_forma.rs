//! What a running month would be invoiced as: an invoice that nobody issued.

use chrono::{DateTime, Utc};

use crate::bill::invoice::{Invoice, Number};
use crate::price::money::Money;

/// The content of a pro-forma document.
#[derive(Debug, Clone)]
pub struct ProForma {
    /// The month so far. Its number is [`NO_NUMBER`], and it has no PIX code and no evidence.
    pub content: Invoice,
    /// What was sent until this instant is in it.
    pub as_of: DateTime<Utc>,
    /// Where the month is heading; `None` once it is over.
    pub ahead: Option<Ahead>,
}

/// A month at its end, at the present pace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ahead {
    /// Unique active contacts.
    pub uam: u64,
    /// Template messages.
    pub hsm: u64,
    /// What it would come to.
    pub total: Money,
}

/// Stands where an invoice has its number; never printed.
pub const NO_NUMBER: Number = Number { year: 0, sequence: 0 };
