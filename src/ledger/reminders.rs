//! Who was reminded of what is open, and when.

use chrono::{DateTime, NaiveDate, Utc};

use super::audit::Deed;
use super::outbox::queue;
use super::{Ledger, LedgerError, to_text};
use fecha_core::letter::Letter;

impl Ledger {
    /// Reminds a dealership, once on a `day` of the issuer; `false` where it was reminded on it. What a person asked for
    /// is a deed.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be written.
    pub async fn remind(
        &self,
        (dealership_id, day): (&str, NaiveDate),
        letters: &[Letter],
        deed: Option<&Deed<'_>>,
        now: DateTime<Utc>,
    ) -> Result<bool, LedgerError> {
        let failed = LedgerError::while_doing("remind a dealership");
        let mut transaction = self.begin().await?;
        let inserted = sqlx::query(
            "INSERT INTO reminder (dealership_id, day, reminded_at) VALUES ($1, $2, $3)
             ON CONFLICT (dealership_id, day) DO NOTHING",
        )
        .bind(dealership_id.to_owned())
        .bind(day.to_string())
        .bind(to_text(now))
        .execute(&mut *transaction)
        .await
        .map_err(&failed)?;
        if inserted.rows_affected() == 0 {
            return Ok(false);
        }
        for letter in letters {
            queue(&mut transaction, letter, now).await?;
        }
        if let Some(deed) = deed {
            deed.write(&mut transaction).await?;
        }
        transaction.commit().await.map_err(&failed)?;
        Ok(true)
    }
}
