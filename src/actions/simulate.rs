//! What other prices would have billed over past months, from what was counted and invoiced then.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::ledger::{Ledger, LedgerError};
use fecha_core::bill::bill::{Charge, Corrections, Use};
use fecha_core::calendar::month::Month;
use fecha_core::price::contract::Contracts;
use fecha_core::price::discount::Discount;
use fecha_core::price::money::Money;
use fecha_core::price::rates::Rates;
use fecha_core::price::table::{NoPrice, Prices};

/// A dealership's months under both prices, without adjustments.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Simulated {
    /// Its name, as its latest invoice prints it.
    pub name: String,
    /// How many invoices.
    pub invoices: usize,
    /// What was billed.
    pub billed: Money,
    /// What would have been.
    pub simulated: Money,
}

impl Simulated {
    /// What the other prices would have brought more; below zero: less.
    #[must_use]
    pub fn difference(&self) -> Money {
        self.simulated - self.billed
    }
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
/// `prices` for its month: that of its contract's list where `prices` has it, else the standard one, and with its
/// contract's discount; by dealership. What a dealership used is taken from the figures of its invoices: nothing
/// is counted and no document is read, so that it works for months whose messages are gone, and for years.
///
/// # Errors
/// [`SimulateError`].
pub async fn simulate(
    ledger: &Ledger,
    prices: &Prices,
    from: Month,
    to: Month,
) -> Result<BTreeMap<String, Simulated>, SimulateError> {
    let contracts: Contracts = ledger.contracts().await?.into_iter().collect();
    let mut simulated: BTreeMap<String, (Month, Simulated)> = BTreeMap::new();
    for billed in ledger.billed(from, to).await? {
        let used = Use { package: billed.package, uam: billed.uam, hsm: billed.hsm };
        let month = billed.month;
        let agreed = contracts.agreed_in(&billed.dealership_id, month);
        let list = agreed.and_then(|agreed| agreed.list.as_ref());
        let table = prices.table_of(list, month).or_else(|_| prices.table_for(month))?;
        let discount = agreed.map_or(Discount::NONE, |agreed| agreed.discount);
        let rates = Rates { table, discount };
        let charge = Charge::of(used, rates, Corrections::none(month))?;
        let (latest, of_dealership) =
            simulated.entry(billed.dealership_id).or_insert((month, Simulated::default()));
        if of_dealership.invoices == 0 || month > *latest {
            *latest = month;
            of_dealership.name = billed.name;
        }
        of_dealership.invoices += 1;
        of_dealership.billed += billed.amounts.by_table();
        of_dealership.simulated += charge.total();
    }
    Ok(simulated.into_iter().map(|(id, (_, simulated))| (id, simulated)).collect())
}
