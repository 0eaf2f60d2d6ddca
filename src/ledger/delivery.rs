//! What becomes of the emails of the outbox: claimed for an attempt, its end recorded.

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::{AnyConnection, AssertSqlSafe};

use fecha_core::letter::LetterState;

use super::outbox::{COLUMNS, Queued, email};
use super::{Ledger, LedgerError, corrupt, to_text};

/// How long a worker may take for one email before another may have it: longer than the longest
/// answer of a server (RFC 5321 §4.5.3.2: 10 minutes after DATA, 5 for each step before).
const LEASE: TimeDelta = TimeDelta::minutes(45);

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Attempt {
    /// The server took it.
    Sent,
    /// To be tried again at this instant.
    Retry {
        /// When.
        at: DateTime<Utc>,
        /// Why.
        error: String,
        /// The server may have taken it: the line was lost before its answer.
        maybe_delivered: bool,
    },
    /// Over, without success.
    Failed {
        /// Why.
        error: String,
    },
    /// Not begun: the server was away, which is nobody's failure. Does not count as an attempt.
    NotBegun {
        /// Why.
        error: String,
    },
}

/// A claimed email, and how its attempt ended.
#[derive(Debug, Clone)]
pub struct Done {
    /// As it was claimed.
    pub email: Queued,
    /// How it ended.
    pub attempt: Attempt,
    /// When.
    pub at: DateTime<Utc>,
}

impl Ledger {
    /// Claims the email that has been due longest, for the time of a lease; `None` where nothing is
    /// due. A first attempt is always due, whatever became of the clock since it was queued. Two workers
    /// never get the same one; one whose worker died comes back. `in_hand` are ids that this process is
    /// sending: those do not come back to it, even where the clock was stepped over their lease.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be written.
    pub async fn claim_email(
        &self,
        now: DateTime<Utc>,
        in_hand: &[String],
    ) -> Result<Option<Queued>, LedgerError> {
        let failed = LedgerError::while_doing("claim an email");
        let mut connection = self.pool.acquire().await.map_err(failed)?;
        Ok(claim(&mut connection, now, &in_hand.join(" "), 1).await?.pop())
    }

    /// Records how the claimed attempt ended.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be written.
    pub async fn record_attempt(
        &self,
        email: &Queued,
        attempt: &Attempt,
        now: DateTime<Utc>,
    ) -> Result<(), LedgerError> {
        let failed = LedgerError::while_doing("record a delivery");
        let mut connection = self.pool.acquire().await.map_err(failed)?;
        record(&mut connection, email, attempt, now).await
    }

    /// Records how some attempts ended, and claims up to `wanted` emails that are due at `until`, as
    /// [`Ledger::claim_email`] does: in one transaction, so that the disk is waited for once.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be written; nothing is recorded or claimed then.
    pub async fn exchange_emails(
        &self,
        done: &[Done],
        wanted: usize,
        until: DateTime<Utc>,
    ) -> Result<Vec<Queued>, LedgerError> {
        let mut transaction = self.begin().await?;
        for Done { email, attempt, at } in done {
            record(&mut transaction, email, attempt, *at).await?;
        }
        let claimed = claim(&mut transaction, until, "", wanted).await?;
        let failed = LedgerError::while_doing("record a delivery");
        transaction.commit().await.map_err(failed)?;
        Ok(claimed)
    }
}

/// Claims up to `wanted` emails, those first that have been due longest.
async fn claim(
    connection: &mut AnyConnection,
    now: DateTime<Utc>,
    in_hand: &str,
    wanted: usize,
) -> Result<Vec<Queued>, LedgerError> {
    let failed = LedgerError::while_doing("claim an email");
    let mut claimed = Vec::new();
    while claimed.len() < wanted {
        let due = sqlx::query(AssertSqlSafe(format!(
            "{COLUMNS} WHERE state = 'pending' AND (attempts = 0 OR next_attempt_at <= $1)
                 OR state = 'sending' AND lease_until <= $1 AND $2 NOT LIKE '%' || id || '%'
             ORDER BY next_attempt_at, id LIMIT $3"
        )))
        .bind(to_text(now))
        .bind(in_hand.to_owned())
        .bind(i64::try_from(wanted - claimed.len()).map_err(corrupt)?)
        .fetch_all(&mut *connection)
        .await
        .map_err(&failed)?;
        if due.is_empty() {
            break;
        }
        for row in due {
            let email = email(&row)?;
            if take(connection, &email, now).await.map_err(&failed)? {
                let first_attempt_at = email.first_attempt_at.or(Some(now));
                let attempts = email.attempts + 1;
                claimed.push(Queued {
                    state: LetterState::Sending,
                    attempts,
                    first_attempt_at,
                    ..email
                });
            }
        }
    }
    Ok(claimed)
}

/// Claims an email only if nobody else did since it was read: the count of attempts tells.
async fn take(
    connection: &mut AnyConnection,
    email: &Queued,
    now: DateTime<Utc>,
) -> Result<bool, sqlx::Error> {
    let taken = sqlx::query(
        "UPDATE outbox SET state = 'sending', attempts = attempts + 1, lease_until = $1,
             first_attempt_at = COALESCE(first_attempt_at, $2)
         WHERE id = $3 AND attempts = $4 AND state IN ('pending', 'sending')
             AND (state = 'pending' OR lease_until <= $2)",
    )
    .bind(to_text(now + LEASE))
    .bind(to_text(now))
    .bind(email.id.clone())
    .bind(i64::from(email.attempts))
    .execute(connection)
    .await?;
    Ok(taken.rows_affected() == 1)
}

async fn record(
    connection: &mut AnyConnection,
    email: &Queued,
    attempt: &Attempt,
    now: DateTime<Utc>,
) -> Result<(), LedgerError> {
    let (state, next, error, maybe) = match attempt {
        Attempt::Sent => ("sent", None, None, false),
        Attempt::Retry { at, error, maybe_delivered } => {
            ("pending", Some(*at), Some(error), *maybe_delivered)
        }
        Attempt::Failed { error } => ("failed", None, Some(error), false),
        Attempt::NotBegun { error } => ("pending", email.next_attempt_at, Some(error), false),
    };
    let begun = i64::from(!matches!(attempt, Attempt::NotBegun { .. }));
    sqlx::query(
        "UPDATE outbox SET state = $1, next_attempt_at = $2, lease_until = NULL,
             last_error = $3, maybe_twice = maybe_twice + $4, sent_at = $5, attempts = $6,
             first_attempt_at = CASE WHEN $6 = 0 THEN NULL ELSE first_attempt_at END
         WHERE id = $7 AND attempts = $8
             AND (state = 'sending' OR state = 'withdrawn' AND $1 = 'sent')",
    )
    .bind(state.to_owned())
    .bind(next.map(to_text))
    .bind(error.cloned())
    .bind(i64::from(maybe))
    .bind((*attempt == Attempt::Sent).then(|| to_text(now)))
    .bind(i64::from(email.attempts) - 1 + begun)
    .bind(email.id.clone())
    .bind(i64::from(email.attempts))
    .execute(connection)
    .await
    .map_err(LedgerError::while_doing("record a delivery"))?;
    Ok(())
}
