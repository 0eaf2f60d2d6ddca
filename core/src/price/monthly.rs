//! What is due each month without use: licences (spec §2 *Price lists*, `[[prices.monthly]]`).

use serde::{Deserialize, Serialize};

use crate::bill::bill::Use;
use crate::price::item::{Item, Line};
use crate::price::money::UnitPrice;
use crate::price::table::NoPrice;

/// For what a monthly price is due once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Per {
    /// Each number that the dealership has in the month, by the register.
    Number,
    /// The dealership.
    Dealership,
}

/// A price that is due each month.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MonthlyPrice {
    /// What the invoice says.
    pub line: String,
    /// For each.
    pub price: UnitPrice,
    /// Of what.
    pub per: Per,
}

impl MonthlyPrice {
    /// Its line, due whatever was used; of no number it says so with a zero.
    ///
    /// # Errors
    /// [`NoPrice::TooLarge`].
    pub(super) fn line(&self, used: Use<'_>) -> Result<Line, NoPrice> {
        let quantity = match self.per {
            Per::Number => used.numbers.len() as u64,
            Per::Dealership => 1,
        };
        Line::of(Item::Monthly { line: self.line.clone(), per: self.per }, quantity, self.price)
    }
}
