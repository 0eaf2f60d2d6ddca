//! Who did what, when and why; only ever added to.

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::any::AnyRow;
use sqlx::{Any, AssertSqlSafe, Row as _, Transaction};

use super::{Ledger, LedgerError, corrupt, new_id, to_text};
use fecha_core::calendar::month::Month;

/// What was done; the words that stand in the ledger and in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Rows of the register were added or changed.
    Import,
    /// An invoice was issued.
    Issue,
    /// A close was held.
    Hold,
    /// A person let a close go on.
    Release,
    /// Emails were queued again.
    Resend,
    /// A revision was issued.
    Rerun,
    /// A credit or charge was entered or taken back.
    Adjust,
    /// A number was made void.
    Cancel,
    /// A payment was recorded.
    Pay,
}

impl Action {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Import,
        Self::Issue,
        Self::Hold,
        Self::Release,
        Self::Resend,
        Self::Rerun,
        Self::Adjust,
        Self::Cancel,
        Self::Pay,
    ];

    /// The word.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Import => "import",
            Self::Issue => "issue",
            Self::Hold => "hold",
            Self::Release => "release",
            Self::Resend => "resend",
            Self::Rerun => "rerun",
            Self::Adjust => "adjust",
            Self::Cancel => "cancel",
            Self::Pay => "pay",
        }
    }
}

/// One entry of the audit log, written in the transaction of the deed itself.
#[derive(Debug, Clone, Copy)]
pub struct Deed<'a> {
    /// When.
    pub at: DateTime<Utc>,
    /// The login name of who did it.
    pub actor: &'a str,
    /// What was done.
    pub action: Action,
    /// About which month.
    pub month: Option<Month>,
    /// About which dealership.
    pub dealership_id: Option<&'a str>,
    /// What exactly, in words.
    pub detail: &'a str,
}

/// An entry as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "as in Deed")]
pub struct Logged {
    pub at: String,
    pub actor: String,
    pub action: Action,
    pub month: Option<String>,
    pub dealership_id: Option<String>,
    pub detail: String,
}

impl Ledger {
    /// The audit log, oldest first; only of one month, one dealership, where they are given.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub async fn audit_log(
        &self,
        month: Option<Month>,
        dealership_id: Option<&str>,
    ) -> Result<Vec<Logged>, LedgerError> {
        // Only the conditions that there are, so that an index serves them.
        let conditions = match (month, dealership_id) {
            (None, None) => "",
            (Some(_), None) => "WHERE month = $1",
            (None, Some(_)) => "WHERE dealership_id = $1",
            (Some(_), Some(_)) => "WHERE month = $1 AND dealership_id = $2",
        };
        let sql = format!(
            "SELECT id, at, actor, action, month, dealership_id, detail FROM audit {conditions}
             ORDER BY at, id"
        );
        let month = month.map(|month| month.to_string());
        let rows = month
            .into_iter()
            .chain(dealership_id.map(str::to_owned))
            .fold(sqlx::query(AssertSqlSafe(sql)), sqlx::query::Query::bind)
            .fetch_all(&self.pool)
            .await
            .map_err(LedgerError::while_doing("read the audit log"))?;
        rows.iter().map(logged).collect()
    }

    /// Adds an entry that stands for itself.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be written.
    pub async fn log(&self, entry: &Deed<'_>) -> Result<(), LedgerError> {
        let mut transaction = self.begin().await?;
        entry.write(&mut transaction).await?;
        transaction.commit().await.map_err(LedgerError::while_doing("write the audit log"))
    }
}

impl Deed<'_> {
    /// Adds the entry to a transaction.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be written.
    pub(crate) async fn write(
        &self,
        transaction: &mut Transaction<'static, Any>,
    ) -> Result<(), LedgerError> {
        sqlx::query(
            "INSERT INTO audit (id, at, actor, action, month, dealership_id, detail)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(new_id(self.at))
        .bind(to_text(self.at))
        .bind(self.actor.to_owned())
        .bind(self.action.key().to_owned())
        .bind(self.month.map(|month| month.to_string()))
        .bind(self.dealership_id.map(str::to_owned))
        .bind(self.detail.to_owned())
        .execute(&mut **transaction)
        .await
        .map_err(LedgerError::while_doing("write the audit log"))?;
        Ok(())
    }
}

fn logged(row: &AnyRow) -> Result<Logged, LedgerError> {
    let text = |column: &str| row.try_get::<String, _>(column).map_err(corrupt);
    let optional = |column: &str| row.try_get::<Option<String>, _>(column).map_err(corrupt);
    Ok(Logged {
        at: text("at")?,
        actor: text("actor")?,
        action: action(&text("action")?)?,
        month: optional("month")?,
        dealership_id: optional("dealership_id")?,
        detail: text("detail")?,
    })
}

fn action(word: &str) -> Result<Action, LedgerError> {
    let known = Action::ALL.into_iter().find(|action| action.key() == word);
    known.ok_or_else(|| corrupt(format!("'{word}' where a deed should be")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_has_the_words_of_the_ledger() {
        for action in Action::ALL {
            assert_eq!(serde_json::to_value(action).unwrap(), action.key());
        }
    }
}
