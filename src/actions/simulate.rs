//! What other prices would have billed over past months, from what was counted and invoiced then.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::ledger::dealership::Billed;
use crate::ledger::{Ledger, LedgerError};
use fecha_core::bill::bill::{Charge, Corrections, Use};
use fecha_core::bill::invoice::Invoice;
use fecha_core::calendar::month::Month;
use fecha_core::count::sending::{Billing, Kind, Sending, Sent};
use fecha_core::party::numbers::{BusinessNumber, Numbers};
use fecha_core::price::contract::Contracts;
use fecha_core::price::discount::Discount;
use fecha_core::price::money::Money;
use fecha_core::price::rates::Rates;
use fecha_core::price::table::{NoPrice, PriceTable, Prices};

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

/// What is known of a month beside the figures of its invoices.
#[derive(Default)]
struct OfMonth {
    month: Option<Month>,
    numbers: BTreeMap<String, Vec<BusinessNumber>>,
    /// The documents, where the prices ask for more than figures.
    invoices: BTreeMap<String, Invoice>,
}

impl OfMonth {
    async fn read(
        ledger: &Ledger,
        month: Month,
        numbers: &Numbers,
        reads_documents: bool,
    ) -> Result<Self, LedgerError> {
        let owned = numbers.owned_in(month).into_iter();
        let invoices =
            if reads_documents { ledger.standing_invoices(month).await? } else { BTreeMap::new() };
        Ok(Self {
            month: Some(month),
            numbers: owned.map(|(id, numbers)| (id.to_owned(), numbers)).collect(),
            invoices,
        })
    }

    /// What is told apart of the messages of an invoice, as far as a table asks.
    fn sent(&self, billed: &Billed, table: &PriceTable) -> Result<Sent, NoPrice> {
        let unbilled = || {
            let (kind, billing) = (Kind::Hsm, Billing::Unbilled);
            let sending = Sending { kind, category: None, number: None, billing };
            [(sending, billed.unbilled_hsm)].into_iter().collect()
        };
        if !table.is_by_category() {
            return Ok(unbilled());
        }
        let invoice = self.invoices.get(&billed.dealership_id);
        let known = invoice.filter(|invoice| {
            let prices = invoice.prices.as_ref();
            let sessions = invoice.usage.sent - invoice.usage.hsm;
            let asked = |prices: &PriceTable| {
                prices.is_by_category()
                    && (prices.is_free_by_number() || !table.is_free_by_number())
            };
            prices.is_some_and(asked) || (billed.hsm == 0 && sessions == 0)
        });
        known.map(|invoice| invoice.usage.sent_as.clone()).ok_or_else(|| NoPrice::NotToldApart {
            what: format!("{} of {}", billed.month, billed.dealership_id),
            by_number: if table.is_free_by_number() { " and number" } else { "" },
        })
    }
}

/// Prices every invoice that stands in the months `from` to `to` again, each with the table of
/// `prices` for its month: that of its contract's list where `prices` has it, else the standard one, and with its
/// contract's discount; by dealership. What a dealership used is taken from the figures of its invoices: nothing
/// is counted, so that it works for months whose messages are gone; and no document is read, so that it works for
/// years, but where a table prices by category or number: then a month that was not counted so is refused.
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
    let numbers = ledger.business_numbers().await?;
    let asks = |table: &PriceTable| table.is_by_category() || table.is_by_number();
    let reads_documents = prices.tables().any(asks);
    let mut simulated: BTreeMap<String, (Month, Simulated)> = BTreeMap::new();
    let mut of_month = OfMonth::default();
    for billed in ledger.billed(from, to).await? {
        let month = billed.month;
        if of_month.month != Some(month) {
            of_month = OfMonth::read(ledger, month, &numbers, reads_documents).await?;
        }
        let agreed = contracts.agreed_in(&billed.dealership_id, month);
        let list = agreed.and_then(|agreed| agreed.list.as_ref());
        let table = prices.table_of(list, month).or_else(|_| prices.table_for(month))?;
        let discount = agreed.map_or(Discount::NONE, |agreed| agreed.discount);
        let rates = Rates { table, discount };
        let sent = of_month.sent(&billed, table)?;
        let numbers = of_month.numbers.get(&billed.dealership_id);
        let used = Use {
            package: billed.package,
            uam: billed.uam,
            hsm: billed.hsm,
            sent: &sent,
            numbers: numbers.map(Vec::as_slice).unwrap_or_default(),
        };
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
