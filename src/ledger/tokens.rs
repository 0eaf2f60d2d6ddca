//! Programs that may use the interface, each by a token of which only the hash is kept.

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::Row as _;
use sqlx::any::AnyRow;

use super::audit::Deed;
use super::{Ledger, LedgerError, corrupt, from_text, new_id, to_text};
use fecha_core::party::person::Role;

/// A token; what it is itself is nowhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the keys of `fecha tokens list --json`")]
pub struct Token {
    pub id: String,
    pub name: String,
    pub role: Role,
    pub made_at: DateTime<Utc>,
    pub made_by: String,
    pub ends_at: DateTime<Utc>,
    pub revoked_at: Option<DateTime<Utc>>,
    pub revoked_by: Option<String>,
    pub used_at: Option<DateTime<Utc>>,
}

/// A token that is to be there.
#[derive(Debug, Clone, Copy)]
pub struct NewToken<'a> {
    /// What it is for.
    pub name: &'a str,
    /// SHA-256, hex.
    pub hash: &'a str,
    /// What it may do.
    pub role: Role,
    /// From then on it is void.
    pub ends_at: DateTime<Utc>,
}

const COLUMNS: &str = "id, name, role, made_at, made_by, ends_at, revoked_at, revoked_by, used_at";

impl Ledger {
    /// All tokens, the latest first.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub async fn tokens(&self) -> Result<Vec<Token>, LedgerError> {
        let sql = format!("SELECT {COLUMNS} FROM token ORDER BY id DESC");
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .fetch_all(&self.pool)
            .await
            .map_err(LedgerError::while_doing("read the tokens"))?;
        rows.iter().map(token).collect()
    }

    /// The token that serves now, by its hash.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub async fn token(
        &self,
        hash: &str,
        now: DateTime<Utc>,
    ) -> Result<Option<Token>, LedgerError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM token WHERE hash = $1 AND revoked_at IS NULL AND ends_at > $2"
        );
        let row = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(hash.to_owned())
            .bind(to_text(now))
            .fetch_optional(&self.pool)
            .await
            .map_err(LedgerError::while_doing("read a token"))?;
        row.as_ref().map(token).transpose()
    }

    /// Adds a token; its id.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be written; there is none then.
    pub async fn add_token(
        &self,
        new: &NewToken<'_>,
        deed: &Deed<'_>,
    ) -> Result<String, LedgerError> {
        let failed = LedgerError::while_doing("add a token");
        let mut transaction = self.begin().await?;
        let id = new_id(deed.at);
        sqlx::query(
            "INSERT INTO token (id, name, hash, role, made_at, made_by, ends_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(id.clone())
        .bind(new.name.to_owned())
        .bind(new.hash.to_owned())
        .bind(new.role.key())
        .bind(to_text(deed.at))
        .bind(deed.actor.to_owned())
        .bind(to_text(new.ends_at))
        .execute(&mut *transaction)
        .await
        .map_err(&failed)?;
        deed.write(&mut transaction).await?;
        transaction.commit().await.map_err(&failed)?;
        Ok(id)
    }

    /// Takes a token back; `false` where there is none of this id that serves.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be written: it still serves then.
    pub async fn revoke_token(&self, id: &str, deed: &Deed<'_>) -> Result<bool, LedgerError> {
        let failed = LedgerError::while_doing("take back a token");
        let mut transaction = self.begin().await?;
        let revoked = sqlx::query(
            "UPDATE token SET revoked_at = $1, revoked_by = $2 WHERE id = $3 AND revoked_at IS NULL",
        )
        .bind(to_text(deed.at))
        .bind(deed.actor.to_owned())
        .bind(id.to_owned())
        .execute(&mut *transaction)
        .await
        .map_err(&failed)?;
        if revoked.rows_affected() == 0 {
            return Ok(false);
        }
        deed.write(&mut transaction).await?;
        transaction.commit().await.map_err(&failed)?;
        Ok(true)
    }

    /// Notes that a token was used.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be written.
    pub async fn used_token(&self, id: &str, now: DateTime<Utc>) -> Result<(), LedgerError> {
        let sql =
            "UPDATE token SET used_at = $1 WHERE id = $2 AND (used_at IS NULL OR used_at < $1)";
        self.mark("note the use of a token", sql, now, id).await
    }
}

fn token(row: &AnyRow) -> Result<Token, LedgerError> {
    let text = |column: &str| row.try_get::<String, _>(column).map_err(corrupt);
    let optional = |column: &str| row.try_get::<Option<String>, _>(column).map_err(corrupt);
    let instant = |column: &str| optional(column)?.as_deref().map(from_text).transpose();
    Ok(Token {
        id: text("id")?,
        name: text("name")?,
        role: text("role")?.parse().map_err(corrupt)?,
        made_at: from_text(&text("made_at")?)?,
        made_by: text("made_by")?,
        ends_at: from_text(&text("ends_at")?)?,
        revoked_at: instant("revoked_at")?,
        revoked_by: optional("revoked_by")?,
        used_at: instant("used_at")?,
    })
}
