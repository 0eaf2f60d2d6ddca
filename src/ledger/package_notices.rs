//! Who was told how much of its package is used.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sqlx::Row as _;
use sqlx::any::AnyRow;

use super::outbox::queue;
use super::{Ledger, LedgerError, corrupt, to_text};
use fecha_core::bill::package_use::PackageUse;
use fecha_core::calendar::month::Month;
use fecha_core::letter::Letter;

impl Ledger {
    /// The thresholds that each dealership was told of in a month, in percent.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub async fn package_notices(
        &self,
        month: Month,
    ) -> Result<BTreeMap<String, Vec<u64>>, LedgerError> {
        let rows =
            sqlx::query("SELECT dealership_id, threshold FROM package_notice WHERE month = $1")
                .bind(month.to_string())
                .fetch_all(&self.pool)
                .await
                .map_err(LedgerError::while_doing("read who was told of its package"))?;
        let notice = |row: &AnyRow| -> Result<(String, u64), LedgerError> {
            let threshold: i64 = row.try_get(1).map_err(corrupt)?;
            Ok((row.try_get(0).map_err(corrupt)?, u64::try_from(threshold).map_err(corrupt)?))
        };
        let mut notices: BTreeMap<String, Vec<u64>> = BTreeMap::new();
        for row in &rows {
            let (id, threshold) = notice(row)?;
            notices.entry(id).or_default().push(threshold);
        }
        Ok(notices)
    }

    /// Tells a dealership of its package, once a month for each threshold; `false` where it was told.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be written.
    pub async fn tell_of_package(
        &self,
        dealership_id: &str,
        package_use: &PackageUse,
        letters: &[Letter],
        now: DateTime<Utc>,
    ) -> Result<bool, LedgerError> {
        let failed = LedgerError::while_doing("tell a dealership of its package");
        let mut transaction = self.begin().await?;
        let inserted = sqlx::query(
            "INSERT INTO package_notice (dealership_id, month, threshold, uam, told_at)
             VALUES ($1, $2, $3, $4, $5) ON CONFLICT (dealership_id, month, threshold) DO NOTHING",
        )
        .bind(dealership_id.to_owned())
        .bind(package_use.month.to_string())
        .bind(i64::try_from(package_use.threshold).map_err(corrupt)?)
        .bind(i64::try_from(package_use.uam).map_err(corrupt)?)
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
        transaction.commit().await.map_err(&failed)?;
        Ok(true)
    }
}
