//! Which numbers were given, and which are next: what a check for gaps compares.

use std::collections::BTreeMap;

use sqlx::Row as _;

use super::{Ledger, LedgerError, corrupt};
use fecha_core::bill::invoice::Number;

/// The numbers of one year.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct YearOfNumbers {
    /// All that are in the ledger, in order.
    pub given: Vec<u32>,
    /// The one that comes next; `None` where the year has no counter.
    pub next: Option<u32>,
}

impl Ledger {
    /// All invoice numbers, cancelled ones too, by year of issue.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub async fn numbers(&self) -> Result<BTreeMap<i32, YearOfNumbers>, LedgerError> {
        let failed = LedgerError::while_doing("read the invoice numbers");
        let mut years: BTreeMap<i32, YearOfNumbers> = BTreeMap::new();
        // The counters first: a number that is given meanwhile is then beyond them, and no gap.
        let counters = sqlx::query("SELECT year, next FROM counter")
            .fetch_all(&self.pool)
            .await
            .map_err(&failed)?;
        for row in counters {
            let year: i64 = row.try_get("year").map_err(corrupt)?;
            let next: i64 = row.try_get("next").map_err(corrupt)?;
            let year = years.entry(i32::try_from(year).map_err(corrupt)?).or_default();
            year.next = Some(u32::try_from(next).map_err(corrupt)?);
        }
        let numbers = sqlx::query("SELECT number FROM invoice")
            .fetch_all(&self.pool)
            .await
            .map_err(&failed)?;
        for row in numbers {
            let number: String = row.try_get("number").map_err(corrupt)?;
            let number: Number = number.parse().map_err(corrupt)?;
            years.entry(number.year).or_default().given.push(number.sequence);
        }
        for year in years.values_mut() {
            year.given.sort_unstable();
        }
        Ok(years)
    }
}
