//! Files that somebody sent in: kept until they are looked at and taken, a week at most.

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::Row as _;

use super::{Ledger, LedgerError, corrupt, from_text, new_id, to_text};

/// Whoever looks at a file later than this sends it again.
const KEPT: TimeDelta = TimeDelta::days(7);

/// What a file is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UploadKind {
    /// Rows of the register.
    Register,
    /// What a bank says was paid.
    Bank,
}

impl UploadKind {
    fn key(self) -> &'static str {
        match self {
            Self::Register => "register",
            Self::Bank => "bank",
        }
    }
}

/// A file that was sent in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upload {
    /// Its name here: a UUID.
    pub id: String,
    /// As its owner calls it.
    pub name: String,
    /// As it was sent.
    pub bytes: Vec<u8>,
    /// Who sent it, by name.
    pub made_by: String,
    /// When.
    pub made_at: DateTime<Utc>,
    /// When it was taken; `None` where it only was looked at.
    pub used_at: Option<DateTime<Utc>>,
}

impl Ledger {
    /// Keeps a file and gives its id; forgets those of weeks before. The listener limits how large it may be.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be written.
    pub async fn keep_upload(
        &self,
        kind: UploadKind,
        name: &str,
        bytes: Vec<u8>,
        by: &str,
        now: DateTime<Utc>,
    ) -> Result<String, LedgerError> {
        let failed = LedgerError::while_doing("keep a file");
        let id = new_id(now);
        let mut transaction = self.begin().await?;
        sqlx::query("DELETE FROM upload WHERE made_at < $1")
            .bind(to_text(now - KEPT))
            .execute(&mut *transaction)
            .await
            .map_err(&failed)?;
        sqlx::query(
            "INSERT INTO upload (id, kind, name, bytes, made_by, made_at) VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(id.clone())
        .bind(kind.key().to_owned())
        .bind(name.to_owned())
        .bind(bytes)
        .bind(by.to_owned())
        .bind(to_text(now))
        .execute(&mut *transaction)
        .await
        .map_err(&failed)?;
        transaction.commit().await.map_err(failed)?;
        Ok(id)
    }

    /// A file of this kind; `None` where there is none of this id.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub async fn upload(&self, kind: UploadKind, id: &str) -> Result<Option<Upload>, LedgerError> {
        let row = sqlx::query(
            "SELECT id, name, bytes, made_by, made_at, used_at FROM upload WHERE id = $1 AND kind = $2",
        )
        .bind(id.to_owned())
        .bind(kind.key().to_owned())
        .fetch_optional(&self.pool)
        .await
        .map_err(LedgerError::while_doing("read a file that was sent"))?;
        let Some(row) = row else { return Ok(None) };
        let text = |column: &str| row.try_get::<String, _>(column).map_err(corrupt);
        Ok(Some(Upload {
            id: text("id")?,
            name: text("name")?,
            bytes: row.try_get("bytes").map_err(corrupt)?,
            made_by: text("made_by")?,
            made_at: from_text(&text("made_at")?)?,
            used_at: super::invoices::optional_instant(&row, "used_at")?,
        }))
    }

    /// Notes that a file was taken.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be written.
    pub async fn upload_used(&self, id: &str, now: DateTime<Utc>) -> Result<(), LedgerError> {
        let failed = LedgerError::while_doing("note that a file was taken");
        let mut transaction = self.begin().await?;
        sqlx::query("UPDATE upload SET used_at = $1 WHERE id = $2 AND used_at IS NULL")
            .bind(to_text(now))
            .bind(id.to_owned())
            .execute(&mut *transaction)
            .await
            .map_err(&failed)?;
        transaction.commit().await.map_err(failed)
    }
}
