//! Forms that were sent: each does what it says once.

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::Row as _;

use super::{Ledger, LedgerError, corrupt, to_text};

/// A page that is older is asked for anew before anything is sent from it.
const KEPT: TimeDelta = TimeDelta::days(7);

/// Whether a form is sent for the first time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Spent {
    /// It is: it may do what it says.
    Now,
    /// It was sent before.
    Before(Before),
}

/// What was sent with a key, and where it led.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Before {
    /// The hash of the fields.
    pub sent: String,
    /// The page that answered; `None` while that is in hand.
    pub led_to: Option<String>,
}

impl Ledger {
    /// Spends the key of a form, with the hash of what was sent.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be written; the key is not spent then.
    pub async fn spend_form(
        &self,
        key: &str,
        content: &str,
        now: DateTime<Utc>,
    ) -> Result<Spent, LedgerError> {
        let failed = LedgerError::while_doing("keep that a form was sent");
        let mut transaction = self.begin_whoever_leads().await?;
        sqlx::query("DELETE FROM spent_form WHERE at < $1")
            .bind(to_text(now - KEPT))
            .execute(&mut *transaction)
            .await
            .map_err(&failed)?;
        let spent = sqlx::query(
            "INSERT INTO spent_form (key, at, sent) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        )
        .bind(key.to_owned())
        .bind(to_text(now))
        .bind(content.to_owned())
        .execute(&mut *transaction)
        .await
        .map_err(&failed)?;
        transaction.commit().await.map_err(&failed)?;
        if spent.rows_affected() > 0 {
            return Ok(Spent::Now);
        }
        let before = self.spent_form(key).await?;
        // Given back this moment: nothing was done, and whoever waits for it is told so.
        Ok(Spent::Before(
            before.unwrap_or_else(|| Before { sent: content.to_owned(), led_to: None }),
        ))
    }

    /// What was sent with a key; `None` where it is not spent.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub async fn spent_form(&self, key: &str) -> Result<Option<Before>, LedgerError> {
        let row = sqlx::query("SELECT sent, led_to FROM spent_form WHERE key = $1")
            .bind(key.to_owned())
            .fetch_optional(&self.pool)
            .await
            .map_err(LedgerError::while_doing("read which forms were sent"))?;
        let Some(row) = row else { return Ok(None) };
        let sent = row.try_get(0).map_err(corrupt)?;
        let led_to = row.try_get(1).map_err(corrupt)?;
        Ok(Some(Before { sent, led_to }))
    }

    /// Keeps where a form led, so that who sends it again sees the same.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be written.
    pub async fn form_led_to(&self, key: &str, page: &str) -> Result<(), LedgerError> {
        self.change_form("UPDATE spent_form SET led_to = $2 WHERE key = $1", &[key, page]).await
    }

    /// Gives a key back: the form did nothing.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be written.
    pub async fn give_back_form(&self, key: &str) -> Result<(), LedgerError> {
        self.change_form("DELETE FROM spent_form WHERE key = $1", &[key]).await
    }

    async fn change_form(&self, sql: &'static str, texts: &[&str]) -> Result<(), LedgerError> {
        let failed = LedgerError::while_doing("keep what a form did");
        let mut transaction = self.begin_whoever_leads().await?;
        texts
            .iter()
            .fold(sqlx::query(sql), |query, text| query.bind((*text).to_owned()))
            .execute(&mut *transaction)
            .await
            .map_err(&failed)?;
        transaction.commit().await.map_err(&failed)
    }
}
