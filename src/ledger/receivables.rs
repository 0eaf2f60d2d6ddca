//! What is open and what waits: by index, never by a document.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, Row as _};

use super::listing::{Listed, SELECT, count, listed, money};
use super::{Ledger, LedgerError, corrupt};
use fecha_core::account::receivables::Balance;
use fecha_core::price::money::Money;

/// Each standing invoice of which something is open: its number, when it is due, and how much is open. `$1`
/// is a dealership, or empty for all.
const OPEN: &str = "SELECT o.number, o.due_on, o.open FROM (
         SELECT r.number, r.due_on, r.total - COALESCE(
             (SELECT SUM(a.amount) FROM allocation a WHERE a.number = r.number), 0) AS open
         FROM revision r JOIN invoice i ON i.number = r.number
         WHERE r.superseded_at IS NULL AND i.cancelled_at IS NULL AND r.total > 0
             AND ($1 = '' OR i.dealership_id = $1)
     ) o WHERE o.open > 0";

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
        let sql = format!(
            "{SELECT} WHERE r.superseded_at IS NULL AND r.number IN (SELECT s.number FROM ({OPEN}) s)"
        );
        let rows = sqlx::query(AssertSqlSafe(sql))
            .bind(dealership_id.unwrap_or_default().to_owned())
            .fetch_all(&self.pool)
            .await
            .map_err(LedgerError::while_doing("read what is open"))?;
        let mut invoices: Vec<_> = rows.iter().map(listed).collect::<Result<_, _>>()?;
        invoices.sort_by_key(|listed: &Listed| listed.number);
        Ok(invoices)
    }

    /// What is open, overdue on `today` and waits, all in all: sums alone, for whoever watches.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub async fn open_sum(&self, today: NaiveDate) -> Result<OpenSum, LedgerError> {
        let failed = LedgerError::while_doing("sum what is open");
        let open = sqlx::query(AssertSqlSafe(format!(
            "SELECT CAST(COALESCE(SUM(s.open), 0) AS BIGINT) AS open,
                 CAST(COALESCE(SUM(CASE WHEN s.due_on < $2 THEN s.open ELSE 0 END), 0) AS BIGINT) AS overdue,
                 CAST(COALESCE(SUM(CASE WHEN s.due_on < $2 THEN 1 ELSE 0 END), 0) AS BIGINT) AS late
             FROM ({OPEN}) s"
        )))
        .bind(String::new())
        .bind(today.to_string())
        .fetch_one(&self.pool)
        .await
        .map_err(&failed)?;
        // All money that came in, less all that was used of it: what is left of each waits.
        let waiting = sqlx::query(
            "SELECT CAST(COALESCE((SELECT SUM(p.amount - p.converted) FROM payment p
                     WHERE p.kind = 'money' AND p.undone_at IS NULL), 0)
                 - COALESCE((SELECT SUM(a.amount) FROM allocation a JOIN payment p ON p.id = a.payment
                     WHERE p.kind = 'money'), 0)
                 - COALESCE((SELECT SUM(x.amount) FROM refund_part x), 0) AS BIGINT) AS waiting",
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
