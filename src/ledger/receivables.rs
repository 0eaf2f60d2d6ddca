//! What is open and what waits: by index, never by a document.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::Deserialize;
use sqlx::Row as _;
use sqlx::any::AnyRow;

use super::listing::{Listed, count, listed, money};
use super::rows::Centavos;
use super::{Ledger, LedgerError, corrupt};
use fecha_core::account::receivables::{Age, Ages, Balance};
use fecha_core::price::money::Money;

/// The fields of an [`OpenRow`], in their order: what is due before each of the bounds is of the next age.
const BY_AGE: (&str, &str) = (
    "q.dealership_id, q.name, q.invoices, q.oldest, q.not_due, q.to_30, q.to_60, q.to_90, q.older",
    "(SELECT o.dealership_id, MIN(d.name) AS name, COUNT(*) AS invoices, MIN(o.due_on) AS oldest,
         CAST(SUM(CASE WHEN o.due_on >= $1 THEN o.open ELSE 0 END) AS BIGINT) AS not_due,
         CAST(SUM(CASE WHEN o.due_on < $1 AND o.due_on >= $2 THEN o.open ELSE 0 END) AS BIGINT) AS to_30,
         CAST(SUM(CASE WHEN o.due_on < $2 AND o.due_on >= $3 THEN o.open ELSE 0 END) AS BIGINT) AS to_60,
         CAST(SUM(CASE WHEN o.due_on < $3 AND o.due_on >= $4 THEN o.open ELSE 0 END) AS BIGINT) AS to_90,
         CAST(SUM(CASE WHEN o.due_on < $4 THEN o.open ELSE 0 END) AS BIGINT) AS older
     FROM (SELECT i.dealership_id, i.open, (SELECT r.due_on FROM revision r
               WHERE r.number = i.number AND r.superseded_at IS NULL) AS due_on
           FROM invoice i WHERE i.open > 0) o
     JOIN dealership d ON d.id = o.dealership_id GROUP BY o.dealership_id) q",
);

/// What one dealership has open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenByAge {
    /// Who.
    pub dealership_id: String,
    /// Its legal name.
    pub name: String,
    /// How many invoices.
    pub invoices: u64,
    /// The earliest day on which one of them was, or is, due.
    pub oldest: NaiveDate,
    /// How much, by age.
    pub ages: Ages,
}

/// What is open and waits, of all dealerships together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OpenSum {
    /// How much.
    pub balance: Balance,
    /// How many invoices are overdue.
    pub overdue: u64,
}

impl Ledger {
    /// The invoices that stand and of which something is open, of one dealership or, where none is named, of
    /// all; by number.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub async fn open_invoices(
        &self,
        dealership_id: Option<&str>,
    ) -> Result<Vec<Listed>, LedgerError> {
        // Only the condition that there is, so that an index serves it.
        let whose = dealership_id.map_or("", |_| "AND o.dealership_id = $1");
        // Numbers first: SQLite would read all revisions else.
        let condition = format!(
            "r.superseded_at IS NULL AND i.number IN (
                 SELECT o.number FROM invoice o WHERE o.open > 0 {whose})"
        );
        listed(self, &condition, dealership_id.as_slice()).await
    }

    /// What waits of one dealership's money.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub async fn waiting_of(&self, dealership_id: &str) -> Result<Money, LedgerError> {
        let row = sqlx::query(
            "SELECT CAST(COALESCE(SUM(waiting), 0) AS BIGINT) AS waiting FROM payment
             WHERE waiting > 0 AND dealership_id = $1",
        )
        .bind(dealership_id.to_owned())
        .fetch_one(&self.pool)
        .await
        .map_err(LedgerError::while_doing("read the payments"))?;
        money(&row, "waiting")
    }

    /// What each dealership has open, by age on `today`; those that have nothing open are left out. In no order.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub async fn open_by_age(&self, today: NaiveDate) -> Result<Vec<OpenByAge>, LedgerError> {
        let bounds = Age::bounds(today).map(|bound| bound.to_string());
        let bounds: Vec<&str> = bounds.iter().map(String::as_str).collect();
        let rows: Vec<OpenRow> = self.all("read what is open", BY_AGE, &bounds).await?;
        Ok(rows.into_iter().map(OpenByAge::from).collect())
    }

    /// What is open, overdue on `today` and waits, all in all: sums alone, for whoever watches.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub async fn open_sum(&self, today: NaiveDate) -> Result<OpenSum, LedgerError> {
        let failed = LedgerError::while_doing("sum what is open");
        let open = sqlx::query(
            "SELECT CAST(COALESCE(SUM(s.open), 0) AS BIGINT) AS open,
                 CAST(COALESCE(SUM(CASE WHEN s.due_on < $1 THEN s.open ELSE 0 END), 0) AS BIGINT) AS overdue,
                 CAST(COALESCE(SUM(CASE WHEN s.due_on < $1 THEN 1 ELSE 0 END), 0) AS BIGINT) AS late
             FROM (SELECT i.open, (SELECT r.due_on FROM revision r
                       WHERE r.number = i.number AND r.superseded_at IS NULL) AS due_on
                   FROM invoice i WHERE i.open > 0) s",
        )
        .bind(today.to_string())
        .fetch_one(&self.pool)
        .await
        .map_err(&failed)?;
        let waiting = sqlx::query(
            "SELECT CAST(COALESCE(SUM(waiting), 0) AS BIGINT) AS waiting FROM payment WHERE waiting > 0",
        )
        .fetch_one(&self.pool)
        .await
        .map_err(&failed)?;
        let balance = Balance {
            open: money(&open, "open")?,
            overdue: money(&open, "overdue")?,
            waiting: money(&waiting, "waiting")?,
        };
        Ok(OpenSum { balance, overdue: count(&open, "late")? })
    }

    /// What waits of each dealership's credit notes, above zero; those without any are left out.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub async fn waiting_credits(&self) -> Result<BTreeMap<String, Money>, LedgerError> {
        // The rest of a credit of fecha 0.1 is no note.
        let rows = sqlx::query(
            "SELECT s.dealership_id, CAST(SUM(s.waiting) AS BIGINT) AS waiting FROM (
                 SELECT n.dealership_id, n.taken_back - n.amount + COALESCE(
                     (SELECT SUM(t.amount) FROM taking t WHERE t.note = n.id), 0) AS waiting
                 FROM adjustment n WHERE n.amount < 0 AND n.rest_of IS NULL
             ) s WHERE s.waiting > 0 GROUP BY s.dealership_id",
        )
        .fetch_all(&self.pool)
        .await
        .map_err(LedgerError::while_doing("read the credits"))?;
        let credit = |row: &AnyRow| {
            Ok((row.try_get("dealership_id").map_err(corrupt)?, money(row, "waiting")?))
        };
        rows.iter().map(credit).collect()
    }
}

/// The columns [`BY_AGE`].
#[derive(Deserialize)]
struct OpenRow {
    dealership_id: String,
    name: String,
    invoices: u64,
    oldest: NaiveDate,
    not_due: Centavos,
    to_30: Centavos,
    to_60: Centavos,
    to_90: Centavos,
    older: Centavos,
}

impl From<OpenRow> for OpenByAge {
    fn from(row: OpenRow) -> Self {
        Self {
            dealership_id: row.dealership_id,
            name: row.name,
            invoices: row.invoices,
            oldest: row.oldest,
            ages: Ages {
                not_due: row.not_due.0,
                to_30: row.to_30.0,
                to_60: row.to_60.0,
                to_90: row.to_90.0,
                older: row.older.0,
            },
        }
    }
}
