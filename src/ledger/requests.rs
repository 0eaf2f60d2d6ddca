//! What programs ask for over the interface: each is done once, and answered alike whenever it is sent again.
//!
//! A request is claimed before anything is done for it. Every transaction that is begun for it says so in the
//! claim's row, so that a request whose process died is known to be done, or known to be not done: there is no
//! third. Whoever takes over a request of which nobody hears any more takes its name as well, and the transactions
//! of the one before fail.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::Row as _;

use super::{Ledger, LedgerError, Transaction, WrittenFor, corrupt, from_text, new_id, to_text};

/// For so long a request that is sent again is answered alike.
pub const KEPT: TimeDelta = TimeDelta::days(30);
/// Of a request that is in hand for longer nobody hears any more: no answer may take as long.
pub const GIVEN_UP: TimeDelta = TimeDelta::minutes(3);

/// A request that is to be carried out, by nobody else.
#[derive(Debug, Clone)]
pub struct Claim {
    key: Arc<str>,
    owner: Arc<str>,
}

/// How a request was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// Where what was made is found.
    pub location: Option<String>,
    /// The body, JSON.
    pub body: String,
}

/// What is known of a request.
#[derive(Debug)]
pub enum Claimed {
    /// It is to be carried out now.
    Now(Claim),
    /// Something else was sent with this key.
    Other,
    /// It is being carried out.
    InHand,
    /// It was carried out and answered.
    Answered(Answer),
    /// It was carried out; whoever did so died before it was answered. Since when it was in hand.
    Unanswered(DateTime<Utc>),
}

impl Ledger {
    /// Claims a request: the key that it came with, and what was sent.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be written; it is not claimed then.
    pub async fn claim_request(
        &self,
        key: &str,
        sent: &str,
        now: DateTime<Utc>,
    ) -> Result<Claimed, LedgerError> {
        let failed = LedgerError::while_doing("keep what was asked for");
        let owner = new_id(now);
        let mut transaction = self.begin_whoever_leads().await?;
        sqlx::query("DELETE FROM request WHERE at < $1")
            .bind(to_text(now - KEPT))
            .execute(&mut *transaction)
            .await
            .map_err(&failed)?;
        let claimed = sqlx::query(
            "INSERT INTO request (key, sent, at, owner, done) VALUES ($1, $2, $3, $4, 0)
             ON CONFLICT (key) DO UPDATE SET owner = excluded.owner, at = excluded.at
             WHERE request.sent = excluded.sent AND request.done = 0 AND request.status IS NULL
               AND request.at < $5",
        )
        .bind(key.to_owned())
        .bind(sent.to_owned())
        .bind(to_text(now))
        .bind(owner.clone())
        .bind(to_text(now - GIVEN_UP))
        .execute(&mut *transaction)
        .await
        .map_err(&failed)?;
        let before = if claimed.rows_affected() > 0 {
            None
        } else {
            Some(request_before(&mut transaction, key, sent).await?)
        };
        transaction.commit().await.map_err(&failed)?;
        let claim = || Claim { key: key.into(), owner: owner.into() };
        Ok(before.unwrap_or_else(|| Claimed::Now(claim())))
    }

    /// The ledger for whoever carries out a request: a transaction that is begun with it marks the request as done,
    /// and fails where another has taken it over.
    #[must_use]
    pub fn for_request(&self, claim: &Claim) -> Self {
        let request = Some(claim.clone());
        let written_for = WrittenFor { request, ..self.written_for.clone() };
        Self { written_for, ..self.clone() }
    }

    /// Marks the request that a transaction is begun for, if there is one.
    pub(super) async fn mark_request(
        &self,
        transaction: &mut Transaction,
    ) -> Result<(), LedgerError> {
        let Some(Claim { key, owner }) = &self.written_for.request else { return Ok(()) };
        let marked = sqlx::query("UPDATE request SET done = 1 WHERE key = $1 AND owner = $2")
            .bind(key.to_string())
            .bind(owner.to_string())
            .execute(&mut **transaction)
            .await
            .map_err(LedgerError::while_doing("keep what was done"))?;
        if marked.rows_affected() == 1 { Ok(()) } else { Err(LedgerError::TakenOver) }
    }

    /// Keeps how a request was answered.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be written.
    pub async fn answer_request(&self, claim: &Claim, answer: &Answer) -> Result<(), LedgerError> {
        let failed = LedgerError::while_doing("keep an answer");
        let mut transaction = self.begin_whoever_leads().await?;
        sqlx::query(
            "UPDATE request SET status = $1, location = $2, answer = $3 WHERE key = $4 AND owner = $5",
        )
        .bind(i64::from(answer.status))
        .bind(answer.location.clone())
        .bind(answer.body.clone())
        .bind(claim.key.to_string())
        .bind(claim.owner.to_string())
        .execute(&mut *transaction)
        .await
        .map_err(&failed)?;
        transaction.commit().await.map_err(failed)
    }

    /// Gives the key of a request back that was refused: whoever sends it again is heard again. One for which
    /// something was done stays.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be written.
    pub async fn give_back_request(&self, claim: &Claim) -> Result<(), LedgerError> {
        let failed = LedgerError::while_doing("forget what was asked for");
        let mut transaction = self.begin_whoever_leads().await?;
        sqlx::query("DELETE FROM request WHERE key = $1 AND owner = $2 AND done = 0")
            .bind(claim.key.to_string())
            .bind(claim.owner.to_string())
            .execute(&mut *transaction)
            .await
            .map_err(&failed)?;
        transaction.commit().await.map_err(failed)
    }
}

async fn request_before(
    transaction: &mut Transaction,
    key: &str,
    sent: &str,
) -> Result<Claimed, LedgerError> {
    let row =
        sqlx::query("SELECT sent, at, done, status, location, answer FROM request WHERE key = $1")
            .bind(key.to_owned())
            .fetch_optional(&mut **transaction)
            .await
            .map_err(LedgerError::while_doing("read what was asked for"))?;
    // Given back this moment: nothing was done, and whoever asks again is heard.
    let Some(row) = row else { return Ok(Claimed::InHand) };
    let text = |column: &str| row.try_get::<Option<String>, _>(column).map_err(corrupt);
    if text("sent")?.as_deref() != Some(sent) {
        return Ok(Claimed::Other);
    }
    let status: Option<i64> = row.try_get("status").map_err(corrupt)?;
    if let Some(status) = status {
        return Ok(Claimed::Answered(Answer {
            status: u16::try_from(status).map_err(corrupt)?,
            location: text("location")?,
            body: text("answer")?.unwrap_or_default(),
        }));
    }
    let done: i64 = row.try_get("done").map_err(corrupt)?;
    let at = from_text(&text("at")?.unwrap_or_default())?;
    Ok(if done == 1 { Claimed::Unanswered(at) } else { Claimed::InHand })
}
