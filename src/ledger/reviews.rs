//! Who asked for a plan: where two people are wanted to release one, that person cannot.

use chrono::{DateTime, Utc};
use sqlx::Row as _;
use sqlx::any::AnyRow;

use super::{Ledger, LedgerError, corrupt, from_text, to_text};
use fecha_core::bill::plan::PlanHash;
use fecha_core::calendar::month::Month;

/// Who asked for a plan, or was the first to look at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Review {
    /// By id.
    pub person: String,
    /// By name.
    pub asked_by: String,
    /// When.
    pub asked_at: DateTime<Utc>,
}

impl Ledger {
    /// Who asked for a plan; `None` where nobody did.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub async fn review(
        &self,
        month: Month,
        plan: &PlanHash,
    ) -> Result<Option<Review>, LedgerError> {
        let row = sqlx::query(
            "SELECT person, asked_by, asked_at FROM review WHERE month = $1 AND plan = $2",
        )
        .bind(month.to_string())
        .bind(plan.to_string())
        .fetch_optional(&self.pool)
        .await
        .map_err(LedgerError::while_doing("read who asked for a plan"))?;
        row.as_ref().map(review).transpose()
    }

    /// Notes who asked for a plan, where nobody did before; gives who did.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be written.
    pub async fn ask_for_plan(
        &self,
        month: Month,
        plan: &PlanHash,
        person: &str,
        name: &str,
        now: DateTime<Utc>,
    ) -> Result<Review, LedgerError> {
        let failed = LedgerError::while_doing("note who asked for a plan");
        if let Some(review) = self.review(month, plan).await? {
            return Ok(review);
        }
        let mut transaction = self.begin_whoever_leads().await?;
        sqlx::query(
            "INSERT INTO review (month, plan, person, asked_by, asked_at) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (month, plan) DO NOTHING",
        )
        .bind(month.to_string())
        .bind(plan.to_string())
        .bind(person.to_owned())
        .bind(name.to_owned())
        .bind(to_text(now))
        .execute(&mut *transaction)
        .await
        .map_err(&failed)?;
        transaction.commit().await.map_err(failed)?;
        let known = self.review(month, plan).await?;
        known.ok_or_else(|| corrupt("nobody asked for a plan that was just asked for"))
    }
}

fn review(row: &AnyRow) -> Result<Review, LedgerError> {
    let text = |column: &str| row.try_get::<String, _>(column).map_err(corrupt);
    Ok(Review {
        person: text("person")?,
        asked_by: text("asked_by")?,
        asked_at: from_text(&text("asked_at")?)?,
    })
}
