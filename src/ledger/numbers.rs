//! Which numbers were given, and which are next: what a check for gaps compares.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use sqlx::Row as _;
use sqlx::any::AnyRow;

use super::listing::count;
use super::{Ledger, LedgerError, corrupt};
use fecha_core::bill::invoice::Number;

/// The numbers of one year.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct YearOfNumbers {
    /// All that are in the ledger or were passed over on purpose, in order, as runs without a gap.
    pub given: Vec<RangeInclusive<u32>>,
    /// The one that comes next; `None` where the year has no counter.
    pub next: Option<u32>,
}

impl Ledger {
    /// All invoice numbers, cancelled ones too, by year of issue. Reads the numbers themselves only of a
    /// year that lacks some.
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
            let year = years.entry(i32::try_from(year).map_err(corrupt)?).or_default();
            year.next = Some(sequence(&row, "next")?);
        }
        let given = sqlx::query(
            "SELECT SUBSTR(number, 1, 4) AS year, COUNT(*) AS numbers,
                 MIN(CAST(SUBSTR(number, 6) AS BIGINT)) AS first, MAX(CAST(SUBSTR(number, 6) AS BIGINT)) AS last
             FROM invoice GROUP BY SUBSTR(number, 1, 4)",
        )
        .fetch_all(&self.pool)
        .await
        .map_err(&failed)?;
        for row in given {
            let year: String = row.try_get("year").map_err(corrupt)?;
            let (first, last) = (sequence(&row, "first")?, sequence(&row, "last")?);
            let is_whole = count(&row, "numbers")? == u64::from(last - first) + 1;
            let runs = if is_whole { vec![first..=last] } else { self.runs(&year).await? };
            years.entry(year.parse().map_err(corrupt)?).or_default().given = runs;
        }
        self.add_jumps(&mut years).await?;
        Ok(years)
    }

    /// What was passed over on purpose is no gap.
    async fn add_jumps(&self, years: &mut BTreeMap<i32, YearOfNumbers>) -> Result<(), LedgerError> {
        let jumps = sqlx::query("SELECT CAST(year AS TEXT) AS year, first, last FROM number_jump")
            .fetch_all(&self.pool)
            .await
            .map_err(LedgerError::while_doing("read the invoice numbers"))?;
        for row in jumps {
            let year: String = row.try_get("year").map_err(corrupt)?;
            let jump = sequence(&row, "first")?..=sequence(&row, "last")?;
            let given = &mut years.entry(year.parse().map_err(corrupt)?).or_default().given;
            given.push(jump);
            given.sort_by_key(|run| *run.start());
        }
        Ok(())
    }

    /// The numbers of a year, as runs.
    async fn runs(&self, year: &str) -> Result<Vec<RangeInclusive<u32>>, LedgerError> {
        let rows = sqlx::query("SELECT number FROM invoice WHERE number LIKE $1")
            .bind(format!("{year}-%"))
            .fetch_all(&self.pool)
            .await
            .map_err(LedgerError::while_doing("read the invoice numbers"))?;
        let parsed = |row: &AnyRow| -> Result<u32, LedgerError> {
            let number: String = row.try_get("number").map_err(corrupt)?;
            Ok(number.parse::<Number>().map_err(corrupt)?.sequence)
        };
        let mut given: Vec<u32> = rows.iter().map(parsed).collect::<Result<_, _>>()?;
        given.sort_unstable();
        let runs = given.chunk_by(|a, b| a + 1 == *b);
        Ok(runs.filter_map(|run| Some(*run.first()?..=*run.last()?)).collect())
    }
}

fn sequence(row: &AnyRow, column: &str) -> Result<u32, LedgerError> {
    u32::try_from(count(row, column)?).map_err(corrupt)
}
