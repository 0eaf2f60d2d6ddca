//! What stands under a number, for those who change it or pay for it.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, Utc};
use futures::TryStreamExt as _;
use serde::Deserialize;
use sqlx::{Any, AnyConnection, Row as _, Transaction};

use super::rows::{self, Centavos};
use super::{Ledger, LedgerError, corrupt, to_text};
use fecha_core::bill::invoice::Number;
use fecha_core::calendar::month::Month;
use fecha_core::price::item::Line;
use fecha_core::price::money::Money;

/// What is read of a document where its money alone matters.
#[derive(Deserialize)]
pub(super) struct Lines {
    pub lines: Vec<Line>,
}

impl Ledger {
    /// The lines of every invoice that stands, as issued: whose, which number.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub async fn standing_lines(&self) -> Result<Vec<(String, Number, Vec<Line>)>, LedgerError> {
        let failed = LedgerError::while_doing("read the invoices");
        let mut rows = sqlx::query(
            "SELECT i.dealership_id, i.number, r.content FROM revision r JOIN invoice i ON i.number = r.number
             WHERE r.superseded_at IS NULL AND i.cancelled_at IS NULL",
        )
        .fetch(&self.pool);
        let mut standing = Vec::new();
        // One at a time: all documents of years would not fit the memory.
        while let Some(row) = rows.try_next().await.map_err(&failed)? {
            let text = |index: usize| row.try_get::<String, _>(index).map_err(corrupt);
            let document: Lines = serde_json::from_str(&text(2)?).map_err(corrupt)?;
            standing.push((text(0)?, text(1)?.parse().map_err(corrupt)?, document.lines));
        }
        Ok(standing)
    }

    /// Those of these dealerships that have an invoice of a month that stands, by id: legal name and total.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub async fn invoiced_among(
        &self,
        month: Month,
        ids: &BTreeSet<&str>,
    ) -> Result<BTreeMap<String, (String, Money)>, LedgerError> {
        if ids.is_empty() {
            return Ok(BTreeMap::new());
        }
        let columns = "i.dealership_id, r.dealership_name, r.total";
        let which = "invoice i JOIN revision r ON r.number = i.number
             WHERE i.month = $1 AND i.cancelled_at IS NULL AND r.superseded_at IS NULL";
        let rows: Vec<(String, String, Centavos)> =
            self.all("read the invoices", (columns, which), &[&month.to_string()]).await?;
        let among = rows.into_iter().filter(|(id, _, _)| ids.contains(id.as_str()));
        Ok(among.map(|(id, name, Centavos(total))| (id, (name, total))).collect())
    }

    /// The invoices that stand and whose email failed: the dealership's id and the total.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub async fn undelivered(&self) -> Result<BTreeMap<Number, (String, Money)>, LedgerError> {
        let rows = sqlx::query(
            "SELECT i.number, i.dealership_id, r.total FROM invoice i
             JOIN revision r ON r.number = i.number
             WHERE i.cancelled_at IS NULL AND r.superseded_at IS NULL AND i.number IN (
                 SELECT number FROM outbox WHERE state = 'failed')",
        )
        .fetch_all(&self.pool)
        .await
        .map_err(LedgerError::while_doing("read the invoices"))?;
        let mut found = BTreeMap::new();
        for row in &rows {
            let number: String = row.try_get(0).map_err(corrupt)?;
            let total = Money::from_centavos(row.try_get(2).map_err(corrupt)?);
            let id = row.try_get(1).map_err(corrupt)?;
            found.insert(number.parse().map_err(corrupt)?, (id, total));
        }
        Ok(found)
    }

    /// Whom each of these numbers invoices, void or not; those that are not there are left out.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub async fn dealerships_of(
        &self,
        numbers: &[Number],
    ) -> Result<BTreeMap<Number, String>, LedgerError> {
        let mut found = BTreeMap::new();
        for some in numbers.chunks(AT_ONCE) {
            let from = format!("invoice WHERE number IN ({})", listed(some));
            let whose = ("number, dealership_id", from.as_str());
            found.extend(self.all::<(Number, String)>("read the invoices", whose, &[]).await?);
        }
        Ok(found)
    }

    /// What each of these invoices asks for; those that do not stand are left out.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub async fn standing_totals(
        &self,
        numbers: &[Number],
    ) -> Result<BTreeMap<Number, Money>, LedgerError> {
        let failed = LedgerError::while_doing("read the invoices");
        let mut connection = self.pool.acquire().await.map_err(failed)?;
        standing_totals(&mut connection, numbers).await
    }

    /// Whether anything was issued, revised or made void of a month since an instant.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub async fn is_changed_since(
        &self,
        month: Month,
        since: DateTime<Utc>,
    ) -> Result<bool, LedgerError> {
        let row = sqlx::query(
            "SELECT i.number FROM invoice i JOIN revision r ON r.number = i.number
             WHERE i.month = $1 AND (r.issued_at > $2 OR i.cancelled_at > $2) LIMIT 1",
        )
        .bind(month.to_string())
        .bind(to_text(since))
        .fetch_optional(&self.pool)
        .await
        .map_err(LedgerError::while_doing("read the invoices"))?;
        Ok(row.is_some())
    }

    /// Whom a number invoices, void or not; `None` where there is no such number.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub async fn dealership_of(&self, number: Number) -> Result<Option<String>, LedgerError> {
        let row = sqlx::query("SELECT dealership_id FROM invoice WHERE number = $1")
            .bind(number.to_string())
            .fetch_optional(&self.pool)
            .await
            .map_err(LedgerError::while_doing("read an invoice"))?;
        row.map(|row| row.try_get(0).map_err(corrupt)).transpose()
    }
}

/// Holds the row of an invoice until the transaction ends, so that of a rerun, a cancellation and a
/// payment at once each waits for the other; `false` where it does not stand.
pub(crate) async fn lock_invoice(
    transaction: &mut Transaction<'static, Any>,
    number: Number,
) -> Result<bool, LedgerError> {
    // Changes nothing. SQLite has no SELECT … FOR UPDATE.
    let held = sqlx::query(
        "UPDATE invoice SET cancelled_at = NULL WHERE number = $1 AND cancelled_at IS NULL",
    )
    .bind(number.to_string())
    .execute(&mut **transaction)
    .await
    .map_err(LedgerError::while_doing("hold an invoice"))?;
    Ok(held.rows_affected() == 1)
}

/// What is asked of an invoice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StandingTotal {
    /// So much, by the revision that stands.
    Stands(Money),
    /// Nothing: the number is void.
    Void,
}

/// So many numbers are asked for at once.
const AT_ONCE: usize = 500;

fn listed(numbers: &[Number]) -> String {
    numbers.iter().map(|number| format!("'{number}'")).collect::<Vec<_>>().join(", ")
}

/// What each of these invoices asks for, as a transaction sees it; those that do not stand are left out.
pub(crate) async fn standing_totals(
    connection: &mut AnyConnection,
    numbers: &[Number],
) -> Result<BTreeMap<Number, Money>, LedgerError> {
    let mut totals = BTreeMap::new();
    for some in numbers.chunks(AT_ONCE) {
        let from = format!(
            "revision r JOIN invoice i ON i.number = r.number
             WHERE r.superseded_at IS NULL AND i.cancelled_at IS NULL AND r.number IN ({})",
            listed(some)
        );
        let asked = ("r.number, r.total", from.as_str());
        let found: Vec<(Number, Centavos)> =
            rows::all(&mut *connection, "read the invoices", asked, &[]).await?;
        totals.extend(found.into_iter().map(|(number, Centavos(total))| (number, total)));
    }
    Ok(totals)
}

/// On which day each of these invoices was issued first.
pub(crate) async fn issued_days(
    connection: &mut AnyConnection,
    numbers: &[Number],
) -> Result<BTreeMap<Number, NaiveDate>, LedgerError> {
    let mut days = BTreeMap::new();
    for some in numbers.chunks(AT_ONCE) {
        let from = format!("revision r WHERE r.revision = 0 AND r.number IN ({})", listed(some));
        let asked = ("r.number, r.issued_on", from.as_str());
        let found: Vec<(Number, NaiveDate)> =
            rows::all(&mut *connection, "read the invoices", asked, &[]).await?;
        days.extend(found);
    }
    Ok(days)
}

/// For which month an invoice is, void or not.
pub(crate) async fn month_of(
    transaction: &mut Transaction<'static, Any>,
    number: Number,
) -> Result<Month, LedgerError> {
    let row = sqlx::query("SELECT month FROM invoice WHERE number = $1")
        .bind(number.to_string())
        .fetch_one(&mut **transaction)
        .await
        .map_err(LedgerError::while_doing("read an invoice"))?;
    row.try_get::<String, _>(0).map_err(corrupt)?.parse().map_err(corrupt)
}

/// What an invoice asks for, as a transaction sees it.
pub(crate) async fn standing_total(
    transaction: &mut Transaction<'static, Any>,
    number: Number,
) -> Result<StandingTotal, LedgerError> {
    let row = sqlx::query(
        "SELECT r.total FROM revision r JOIN invoice i ON i.number = r.number
         WHERE r.number = $1 AND r.superseded_at IS NULL AND i.cancelled_at IS NULL",
    )
    .bind(number.to_string())
    .fetch_optional(&mut **transaction)
    .await
    .map_err(LedgerError::while_doing("read an invoice"))?;
    row.map_or(Ok(StandingTotal::Void), |row| {
        let total = row.try_get(0).map_err(corrupt)?;
        Ok(StandingTotal::Stands(Money::from_centavos(total)))
    })
}
