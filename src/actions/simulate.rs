//! What other prices would have billed over past months, from what was counted and invoiced then.

use std::collections::BTreeMap;

use crate::ledger::{Ledger, LedgerError};
use fecha_core::bill::bill::{Charge, Corrections, Use};
use fecha_core::calendar::month::Month;
use fecha_core::price::money::Money;
use fecha_core::price::table::{NoPrice, Prices};

/// A dealership's months under both prices, without adjustments.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Simulated {
    /// How many invoices.
    pub invoices: usize,
    /// What was billed.
    pub billed: Money,
    /// What would have been.
    pub simulated: Money,
}

/// The months cannot be simulated.
#[derive(Debug, thiserror::Error)]
pub enum SimulateError {
    /// The other prices do not cover what was invoiced.
    #[error("{0}")]
    NoPrice(#[from] NoPrice),
    /// The ledger failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// Prices every invoice that stands in the months `from` to `to` again, each with the table of
/// `prices` for its month; by dealership. What a dealership used is taken from its invoices: nothing
/// is counted, so that it works for months whose messages are gone.
///
/// # Errors
/// [`SimulateError`].
pub async fn simulate(
    ledger: &Ledger,
    prices: &Prices,
    from: Month,
    to: Month,
) -> Result<BTreeMap<String, Simulated>, SimulateError> {
    let mut simulated: BTreeMap<String, Simulated> = BTreeMap::new();
    let mut month = from;
    while month <= to {
        for (id, invoice) in ledger.standing_invoices(month).await? {
            let usage = &invoice.usage;
            let used = Use { package: invoice.package, uam: usage.uam, hsm: usage.hsm };
            let charge = Charge::of(used, prices.table_for(month)?, Corrections::none(month))?;
            let of_dealership = simulated.entry(id).or_default();
            of_dealership.invoices += 1;
            of_dealership.billed += invoice.amounts().by_table();
            of_dealership.simulated += charge.total();
        }
        month = month.next();
    }
    Ok(simulated)
}
