//! Who is logged in, and wrong passwords.

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::Row as _;

use super::{Ledger, LedgerError, corrupt, from_text, to_text};
use fecha_core::party::person::{FORGOTTEN, Role};

/// Sessions that are over are kept for so long.
const KEPT: TimeDelta = TimeDelta::days(90);
/// Wrong passwords of so many names are remembered: somebody who tries name after name fills no disk.
const NAMES: i64 = 10_000;

/// Somebody's session that was not ended, of a person who is not disabled. Whether its time is over is the
/// caller's to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Who: their id.
    pub person: String,
    /// What the audit log calls them.
    pub name: String,
    /// What they log in with.
    pub email: String,
    /// What they may do.
    pub role: Role,
    /// The latest request.
    pub seen_at: DateTime<Utc>,
    /// When it is over, however busy.
    pub ends_at: DateTime<Utc>,
}

/// Wrong passwords for a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failures {
    /// In a row.
    pub count: u32,
    /// The last one.
    pub latest: DateTime<Utc>,
    /// Until when none is tried.
    pub locked_until: Option<DateTime<Utc>>,
}

impl Ledger {
    /// Begins a session, known by the hash of its token. `false` where the person is not there, or disabled.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be written.
    pub async fn begin_session(
        &self,
        hash: &str,
        person: &str,
        now: DateTime<Utc>,
        ends_at: DateTime<Utc>,
    ) -> Result<bool, LedgerError> {
        let failed = LedgerError::while_doing("begin a session");
        let mut transaction = self.begin_whoever_leads().await?;
        sqlx::query("DELETE FROM session WHERE ends_at < $1")
            .bind(to_text(now - KEPT))
            .execute(&mut *transaction)
            .await
            .map_err(&failed)?;
        let begun = sqlx::query(
            "INSERT INTO session (hash, person, made_at, seen_at, ends_at)
             SELECT $1, id, $2, $2, $3 FROM person WHERE id = $4 AND disabled_at IS NULL",
        )
        .bind(hash.to_owned())
        .bind(to_text(now))
        .bind(to_text(ends_at))
        .bind(person.to_owned())
        .execute(&mut *transaction)
        .await
        .map_err(&failed)?;
        transaction.commit().await.map_err(&failed)?;
        Ok(begun.rows_affected() > 0)
    }

    /// The session of a token, by its hash.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub async fn login_session(&self, hash: &str) -> Result<Option<Session>, LedgerError> {
        let row = sqlx::query(
            "SELECT p.id, p.name, p.email, p.role, s.seen_at, s.ends_at
             FROM session s JOIN person p ON p.id = s.person
             WHERE s.hash = $1 AND s.ended_at IS NULL AND p.disabled_at IS NULL",
        )
        .bind(hash.to_owned())
        .fetch_optional(&self.pool)
        .await
        .map_err(LedgerError::while_doing("read a session"))?;
        let Some(row) = row else { return Ok(None) };
        let text = |column: &str| row.try_get::<String, _>(column).map_err(corrupt);
        Ok(Some(Session {
            person: text("id")?,
            name: text("name")?,
            email: text("email")?,
            role: text("role")?.parse().map_err(corrupt)?,
            seen_at: from_text(&text("seen_at")?)?,
            ends_at: from_text(&text("ends_at")?)?,
        }))
    }

    /// Notes that somebody was there.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be written.
    pub async fn saw_session(&self, hash: &str, now: DateTime<Utc>) -> Result<(), LedgerError> {
        self.mark(
            "note who is there",
            "UPDATE session SET seen_at = $1 WHERE hash = $2 AND seen_at < $1",
            now,
            hash,
        )
        .await
    }

    /// Ends a session.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be written: it is still on then.
    pub async fn end_session(&self, hash: &str, now: DateTime<Utc>) -> Result<(), LedgerError> {
        self.mark(
            "end a session",
            "UPDATE session SET ended_at = $1 WHERE hash = $2 AND ended_at IS NULL",
            now,
            hash,
        )
        .await
    }

    /// Writes an instant ($1) where something is known by a text ($2).
    pub(super) async fn mark(
        &self,
        action: &'static str,
        sql: &'static str,
        now: DateTime<Utc>,
        of: &str,
    ) -> Result<(), LedgerError> {
        let failed = LedgerError::while_doing(action);
        let mut transaction = self.begin_whoever_leads().await?;
        sqlx::query(sql)
            .bind(to_text(now))
            .bind(of.to_owned())
            .execute(&mut *transaction)
            .await
            .map_err(&failed)?;
        transaction.commit().await.map_err(&failed)
    }

    /// The wrong passwords for a name, by its hash.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub async fn login_failures(&self, who: &str) -> Result<Option<Failures>, LedgerError> {
        let row =
            sqlx::query("SELECT failures, latest, locked_until FROM failed_login WHERE who = $1")
                .bind(who.to_owned())
                .fetch_optional(&self.pool)
                .await
                .map_err(LedgerError::while_doing("read wrong passwords"))?;
        let Some(row) = row else { return Ok(None) };
        let count: i64 = row.try_get("failures").map_err(corrupt)?;
        let latest: String = row.try_get("latest").map_err(corrupt)?;
        let locked_until: Option<String> = row.try_get("locked_until").map_err(corrupt)?;
        Ok(Some(Failures {
            count: u32::try_from(count).map_err(corrupt)?,
            latest: from_text(&latest)?,
            locked_until: locked_until.as_deref().map(from_text).transpose()?,
        }))
    }

    /// Keeps the wrong passwords for a name; old ones of others are forgotten.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be written.
    pub async fn keep_login_failures(
        &self,
        who: &str,
        failures: Failures,
    ) -> Result<(), LedgerError> {
        let failed = LedgerError::while_doing("count a wrong password");
        let mut transaction = self.begin_whoever_leads().await?;
        sqlx::query(
            "DELETE FROM failed_login WHERE latest < $1 OR latest <
                 (SELECT latest FROM failed_login ORDER BY latest DESC LIMIT 1 OFFSET $2)",
        )
        .bind(to_text(failures.latest - FORGOTTEN))
        .bind(NAMES)
        .execute(&mut *transaction)
        .await
        .map_err(&failed)?;
        sqlx::query(
            "INSERT INTO failed_login (who, failures, latest, locked_until) VALUES ($1, $2, $3, $4)
             ON CONFLICT (who) DO UPDATE SET failures = excluded.failures,
                 latest = excluded.latest, locked_until = excluded.locked_until",
        )
        .bind(who.to_owned())
        .bind(i64::from(failures.count))
        .bind(to_text(failures.latest))
        .bind(failures.locked_until.map(to_text))
        .execute(&mut *transaction)
        .await
        .map_err(&failed)?;
        transaction.commit().await.map_err(&failed)
    }

    /// Forgets the wrong passwords for a name.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be written.
    pub async fn forget_login_failures(&self, who: &str) -> Result<(), LedgerError> {
        let failed = LedgerError::while_doing("forget wrong passwords");
        let mut transaction = self.begin_whoever_leads().await?;
        sqlx::query("DELETE FROM failed_login WHERE who = $1")
            .bind(who.to_owned())
            .execute(&mut *transaction)
            .await
            .map_err(&failed)?;
        transaction.commit().await.map_err(&failed)
    }
}
