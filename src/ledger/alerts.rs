//! Alerts to the admins, queued like every other email.

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::Row as _;

use super::outbox::queue;
use super::{Ledger, LedgerError, corrupt, from_text};
use fecha_core::letter::{Content, Letter};

/// At most one alert a cause in this time.
const PAUSE: TimeDelta = TimeDelta::hours(1);

impl Ledger {
    /// Queues an alert to its recipients, unless its cause was told within the last hour. One that says
    /// the same as the last of its cause waits for `reminder`, or for ever where there is none.
    ///
    /// `letters` are the same alert for each recipient. Gives whether it was queued.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be written.
    pub async fn alert(
        &self,
        letters: Vec<Letter>,
        reminder: Option<TimeDelta>,
        now: DateTime<Utc>,
    ) -> Result<bool, LedgerError> {
        let Some(first) = letters.first() else { return Ok(false) };
        let failed = LedgerError::while_doing("queue an alert");
        let mut transaction = self.begin().await?;
        let last = sqlx::query(
            "SELECT created_at, content, resend FROM outbox WHERE kind = 'alert' AND cause = $1
             ORDER BY resend DESC LIMIT 1",
        )
        .bind(first.matter().cause.clone())
        .fetch_optional(&mut *transaction)
        .await
        .map_err(&failed)?;
        let mut resend = 0;
        if let Some(row) = last {
            let at = from_text(&row.try_get::<String, _>(0).map_err(corrupt)?)?;
            let content: String = row.try_get(1).map_err(corrupt)?;
            let content: Content = serde_json::from_str(&content).map_err(corrupt)?;
            let pause = if content == first.matter().content { reminder } else { Some(PAUSE) };
            // One that is of the future was told under a clock that was ahead: it says nothing now.
            if at <= now + PAUSE && pause.is_none_or(|pause| now < at + pause) {
                return Ok(false);
            }
            let last: i64 = row.try_get(2).map_err(corrupt)?;
            resend = u32::try_from(last + 1).map_err(corrupt)?;
        }
        for letter in letters {
            queue(&mut transaction, &letter.again(resend), now).await?;
        }
        transaction.commit().await.map_err(&failed)?;
        Ok(true)
    }
}
