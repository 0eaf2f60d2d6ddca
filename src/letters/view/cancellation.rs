use serde::Serialize;

use super::invoice::{IssuerView, day, greeting, line};
use crate::letters::compose::cancellation_file;
use fecha_core::bill::invoice::{Cancellation, Invoice};
use fecha_core::price::money::Money;

/// What the email about a cancelled invoice says.
#[derive(Debug, Serialize)]
pub struct CancellationView {
    label: String,
    greeting: String,
    month: String,
    total: String,
    cancelled_on: String,
    reason: String,
    /// What was paid, where something was.
    paid: Option<String>,
    file: String,
    /// In the copy to finance: whose invoice it was, and who asked for the cancellation.
    copy: Option<CopyView>,
    issuer: IssuerView,
}

#[derive(Debug, Serialize)]
struct CopyView {
    dealership: String,
    id: String,
    by: String,
}

impl CancellationView {
    pub fn of(invoice: &Invoice, cancellation: &Cancellation, is_copy: bool) -> Self {
        let copy = || CopyView {
            dealership: line(&invoice.dealership.name),
            id: line(&invoice.dealership_id),
            by: line(&cancellation.by),
        };
        Self {
            label: invoice.label(),
            greeting: greeting(&invoice.dealership),
            month: invoice.month.in_words(),
            total: invoice.total().brl(),
            cancelled_on: day(cancellation.on),
            reason: line(&cancellation.reason),
            paid: (cancellation.paid > Money::ZERO).then(|| cancellation.paid.brl()),
            file: cancellation_file(&invoice.label()),
            copy: is_copy.then(copy),
            issuer: IssuerView::of(&invoice.issuer),
        }
    }
}
