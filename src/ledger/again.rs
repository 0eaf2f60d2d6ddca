//! Emails that are queued again, by a person.

use chrono::{DateTime, Utc};
use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, Row as _};

use super::outbox::queue;
use super::{Ledger, LedgerError, Transaction, audit, corrupt};
use fecha_core::calendar::month::Month;
use fecha_core::letter::{Content, Letter, LetterState, Matter};
use fecha_core::party::register::EmailAddress;

/// What becomes of the failed emails that the new ones are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailedOnes {
    /// The new ones are in their place: they need nobody any more.
    Replaced,
    /// They stay as they are.
    Kept,
}

/// An email that failed.
#[derive(Debug, Clone)]
pub struct FailedLetter {
    /// What it says.
    pub matter: Matter,
    /// Whom it did not reach.
    pub recipient: EmailAddress,
    /// About whom it is.
    pub dealership_id: Option<String>,
    /// Of which month it is, where it is of one.
    pub month: Option<Month>,
    /// Who has the same, or is to have it soon.
    pub reached: Vec<EmailAddress>,
}

/// What [`failed_letter`] reads.
const FAILED: &str = "SELECT o.cause, o.subject, o.content, o.recipient, i.dealership_id, i.month
     FROM outbox o LEFT JOIN invoice i ON i.number = o.number WHERE o.state = 'failed'";

impl Ledger {
    /// Every email that failed, oldest first.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub async fn failed_letters(&self) -> Result<Vec<FailedLetter>, LedgerError> {
        let rows = sqlx::query(AssertSqlSafe(format!("{FAILED} ORDER BY o.id")))
            .fetch_all(&self.pool)
            .await
            .map_err(LedgerError::while_doing("read the outbox"))?;
        let mut letters = Vec::with_capacity(rows.len());
        for row in &rows {
            let letter = failed_letter(row)?;
            let reached = self.reached(&letter.matter).await?;
            letters.push(FailedLetter { reached, ..letter });
        }
        Ok(letters)
    }

    /// The email of this id; `None` where it has not failed. Who else has the same is not looked up.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub async fn failed_letter(&self, id: &str) -> Result<Option<FailedLetter>, LedgerError> {
        let row = sqlx::query(AssertSqlSafe(format!("{FAILED} AND o.id = $1")))
            .bind(id.to_owned())
            .fetch_optional(&self.pool)
            .await
            .map_err(LedgerError::while_doing("read the outbox"))?;
        row.as_ref().map(failed_letter).transpose()
    }

    /// Who has a letter, or is to have it soon.
    async fn reached(&self, matter: &Matter) -> Result<Vec<EmailAddress>, LedgerError> {
        let failed = LedgerError::while_doing("read the outbox");
        let rows = sqlx::query(
            "SELECT DISTINCT recipient FROM outbox
             WHERE kind = $1 AND cause = $2 AND state IN ('pending', 'sending', 'sent')",
        )
        .bind(matter.content.kind().key().to_owned())
        .bind(matter.cause.clone())
        .fetch_all(&self.pool)
        .await
        .map_err(&failed)?;
        let recipient = |row: &AnyRow| row.try_get(0).map(EmailAddress::trusted).map_err(corrupt);
        rows.iter().map(recipient).collect()
    }

    /// Queues emails again, each under the next resend count of its recipient.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be written; nothing is queued then.
    pub async fn queue_again(
        &self,
        letters: Vec<Letter>,
        failed_ones: FailedOnes,
        now: DateTime<Utc>,
        audit: &audit::Deed<'_>,
    ) -> Result<(), LedgerError> {
        let failed = LedgerError::while_doing("queue an email");
        let mut transaction = self.begin().await?;
        for letter in &letters {
            if failed_ones == FailedOnes::Replaced {
                sqlx::query(
                    "UPDATE outbox SET state = $1 WHERE kind = $2 AND cause = $3 AND state = 'failed'",
                )
                .bind(LetterState::Withdrawn.key().to_owned())
                .bind(letter.matter().content.kind().key().to_owned())
                .bind(letter.matter().cause.clone())
                .execute(&mut *transaction)
                .await
                .map_err(&failed)?;
            }
            queue_next(&mut transaction, letter, now).await?;
        }
        audit.write(&mut transaction).await?;
        transaction.commit().await.map_err(&failed)
    }

    /// Queues letters in the place of the one email of this id, and of no other; `false` where that has not
    /// failed, or not any more.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be written; nothing is queued then.
    pub async fn queue_again_for(
        &self,
        id: &str,
        letters: Vec<Letter>,
        now: DateTime<Utc>,
        audit: &audit::Deed<'_>,
    ) -> Result<bool, LedgerError> {
        let failed = LedgerError::while_doing("queue an email");
        let mut transaction = self.begin().await?;
        let replaced =
            sqlx::query("UPDATE outbox SET state = $1 WHERE id = $2 AND state = 'failed'")
                .bind(LetterState::Withdrawn.key().to_owned())
                .bind(id.to_owned())
                .execute(&mut *transaction)
                .await
                .map_err(&failed)?;
        if replaced.rows_affected() == 0 {
            return Ok(false);
        }
        for letter in &letters {
            queue_next(&mut transaction, letter, now).await?;
        }
        audit.write(&mut transaction).await?;
        transaction.commit().await.map_err(&failed)?;
        Ok(true)
    }
}

/// Queues a letter under the next resend count of its recipient.
async fn queue_next(
    transaction: &mut Transaction,
    letter: &Letter,
    now: DateTime<Utc>,
) -> Result<(), LedgerError> {
    let next: i64 = sqlx::query(
        "SELECT COALESCE(MAX(resend), 0) + 1 FROM outbox
         WHERE kind = $1 AND cause = $2 AND recipient = $3",
    )
    .bind(letter.matter().content.kind().key().to_owned())
    .bind(letter.matter().cause.clone())
    .bind(letter.recipient().to_string())
    .fetch_one(&mut **transaction)
    .await
    .and_then(|row| row.try_get(0))
    .map_err(LedgerError::while_doing("queue an email"))?;
    let letter = letter.clone().again(u32::try_from(next).map_err(corrupt)?);
    queue(transaction, &letter, now).await
}

fn failed_letter(row: &AnyRow) -> Result<FailedLetter, LedgerError> {
    let text = |column: &str| row.try_get::<String, _>(column).map_err(corrupt);
    let optional = |column: &str| row.try_get::<Option<String>, _>(column).map_err(corrupt);
    let content: Content = serde_json::from_str(&text("content")?).map_err(corrupt)?;
    let month = optional("month")?.map(|month| month.parse().map_err(corrupt)).transpose()?;
    let (dealership_id, month) = match &content {
        Content::Digest { month, .. } | Content::Held { month, .. } => (None, Some(*month)),
        Content::Group { txid, .. } => (None, Some(txid.month)),
        Content::PackageUse { package_use } => (None, Some(package_use.month)),
        Content::Reminder { reminder } => (Some(reminder.dealership_id.clone()), None),
        Content::Invoice { .. } | Content::Cancellation { .. } | Content::Alert { .. } => {
            (optional("dealership_id")?, month)
        }
    };
    Ok(FailedLetter {
        matter: Matter { cause: text("cause")?, subject: text("subject")?, content },
        recipient: EmailAddress::trusted(text("recipient")?),
        dealership_id,
        month,
        reached: Vec::new(),
    })
}
