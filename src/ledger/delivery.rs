//! What becomes of the emails of the outbox: claimed for an attempt, its end recorded.

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::{AnyConnection, AssertSqlSafe};

use fecha_core::letter::retry::settled;
use fecha_core::letter::{Delivery, LetterState};

use super::outbox::{COLUMNS, Queued, email};
use super::{Ledger, LedgerError, corrupt, to_text};

/// How long a worker may take for one email before another may have it: longer than the longest
/// answer of a server (RFC 5321 §4.5.3.2: 10 minutes after DATA, 5 for each step before).
const LEASE: TimeDelta = TimeDelta::minutes(45);

/// A claimed email, and what became of it.
#[derive(Debug, Clone)]
pub struct Done {
    email: Queued,
    delivery: Delivery,
    next_attempt_at: Option<DateTime<Utc>>,
    at: DateTime<Utc>,
}

impl Done {
    /// The attempt at `email`, as it was claimed, ended so at this instant. One that has been tried for too
    /// long is given up here ([`settled`]).
    #[must_use]
    pub fn new(email: Queued, delivery: Delivery, at: DateTime<Utc>) -> Self {
        let first = email.first_attempt_at.unwrap_or(at);
        let (delivery, next_attempt_at) = settled(delivery, email.attempts, first, at);
        Self { email, delivery, next_attempt_at, at }
    }

    /// It did not fail after all: what it met was everybody's trouble.
    pub fn put_back(&mut self) {
        if let Delivery::Failed { error } = &self.delivery {
            self.delivery = Delivery::Refused { error: error.clone() };
        }
    }

    /// As it was claimed.
    #[must_use]
    pub fn email(&self) -> &Queued {
        &self.email
    }

    /// What became of it.
    #[must_use]
    pub fn delivery(&self) -> &Delivery {
        &self.delivery
    }
}

/// Which emails a worker asks for.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// How many at most.
    pub most: usize,
    /// Those that are due at this instant; none is that is not due now as well.
    pub due: DateTime<Utc>,
    /// Ids that this process has in hand: those do not come back to it, even where the clock was stepped
    /// over their lease.
    pub in_hand: Vec<String>,
}

impl Ledger {
    /// Records what became of some emails, and claims others for the time of a lease that begins at `now`,
    /// those first that have been due longest: in one transaction, so that the disk is waited for once. A
    /// first attempt is always due, whatever became of the clock since it was queued. Two workers never
    /// get the same email; one whose worker died comes back.
    ///
    /// Whoever leads: what went out is recorded by whoever sent it, and a claim excludes all others.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read or written; nothing is recorded or claimed then.
    pub async fn exchange_emails(
        &self,
        done: &[Done],
        wanted: &Wanted,
        now: DateTime<Utc>,
    ) -> Result<Vec<Queued>, LedgerError> {
        let wanted = &Wanted { due: wanted.due.min(now), ..wanted.clone() };
        // Who rests and only looks takes no lock from those who write.
        if done.is_empty() && !self.has_due(wanted).await? {
            return Ok(Vec::new());
        }
        let mut transaction = self.begin_whoever_leads().await?;
        for done in done {
            record(&mut transaction, done).await?;
        }
        let claimed = claim(&mut transaction, wanted, now).await?;
        let failed = LedgerError::while_doing("record a delivery");
        transaction.commit().await.map_err(failed)?;
        Ok(claimed)
    }

    async fn has_due(&self, wanted: &Wanted) -> Result<bool, LedgerError> {
        let failed = LedgerError::while_doing("claim an email");
        let mut connection = self.pool.acquire().await.map_err(failed)?;
        Ok(!due(&mut connection, wanted, wanted.most.min(1)).await?.is_empty())
    }
}

/// The ids of what may be claimed, `$3` of each kind at most: due by its time, a first attempt, left by a
/// worker that died. Each is read along an index in the order of claims, so that a claim costs the same
/// however many emails wait: those that come first in all come first among their kind.
const DUE: &str = "
    SELECT id FROM (SELECT id FROM outbox WHERE state = 'pending' AND next_attempt_at <= $1
        ORDER BY next_attempt_at, id LIMIT $3) AS by_time
    UNION SELECT id FROM (SELECT id FROM outbox WHERE state = 'pending' AND attempts = 0
        ORDER BY next_attempt_at, id LIMIT $3) AS new
    UNION SELECT id FROM (SELECT id FROM outbox WHERE state = 'sending' AND lease_until <= $1
            AND $2 NOT LIKE '%' || id || '%'
        ORDER BY next_attempt_at, id LIMIT $3) AS left_over";

/// Up to `most` emails that may be claimed, those first that have been due longest.
async fn due(
    connection: &mut AnyConnection,
    wanted: &Wanted,
    most: usize,
) -> Result<Vec<Queued>, LedgerError> {
    if most == 0 {
        return Ok(Vec::new());
    }
    let due = sqlx::query(AssertSqlSafe(format!(
        "{COLUMNS} WHERE id IN ({DUE}) ORDER BY next_attempt_at, id LIMIT $3"
    )))
    .bind(to_text(wanted.due))
    .bind(wanted.in_hand.join(" "))
    .bind(i64::try_from(most).map_err(corrupt)?)
    .fetch_all(connection)
    .await
    .map_err(LedgerError::while_doing("claim an email"))?;
    due.iter().map(email).collect()
}

/// Claims what is wanted, as far as it is there.
async fn claim(
    connection: &mut AnyConnection,
    wanted: &Wanted,
    now: DateTime<Utc>,
) -> Result<Vec<Queued>, LedgerError> {
    let failed = LedgerError::while_doing("claim an email");
    let mut claimed = Vec::new();
    while claimed.len() < wanted.most {
        let due = due(connection, wanted, wanted.most - claimed.len()).await?;
        if due.is_empty() {
            break;
        }
        for email in due {
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

/// Claims an email only if nobody else did since it was read: the count of attempts tells. A worker that died
/// with it may have handed it over before.
async fn take(
    connection: &mut AnyConnection,
    email: &Queued,
    now: DateTime<Utc>,
) -> Result<bool, sqlx::Error> {
    let taken = sqlx::query(
        "UPDATE outbox SET state = 'sending', attempts = attempts + 1, lease_until = $1,
             first_attempt_at = COALESCE(first_attempt_at, $2),
             maybe_twice = maybe_twice + CASE WHEN state = 'sending' THEN 1 ELSE 0 END
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

async fn record(connection: &mut AnyConnection, done: &Done) -> Result<(), LedgerError> {
    let Done { email, delivery, next_attempt_at, at } = done;
    let (state, next, error) = match delivery {
        Delivery::Sent => ("sent", None, None),
        Delivery::Retry { error, .. } => ("pending", *next_attempt_at, Some(error)),
        Delivery::Failed { error } => ("failed", None, Some(error)),
        Delivery::Overtaken => ("withdrawn", None, None),
        // Not begun, which is nobody's failure: due as it was.
        Delivery::Unreachable { error } => ("pending", email.next_attempt_at, Some(error)),
        // Nor is this; but behind those that are due now, so that it alone cannot keep the others.
        Delivery::Refused { error } => ("pending", Some(*at), Some(error)),
    };
    let maybe_twice = matches!(delivery, Delivery::Retry { maybe_delivered: true, .. });
    let is_refused = matches!(delivery, Delivery::Refused { .. });
    let begun = i64::from(!is_refused && !matches!(delivery, Delivery::Unreachable { .. }));
    let refused_at = is_refused.then_some(*at);
    sqlx::query(
        "UPDATE outbox SET state = $1, next_attempt_at = $2, lease_until = NULL,
             last_error = $3, maybe_twice = maybe_twice + $4, sent_at = $5, attempts = $6,
             first_attempt_at = CASE WHEN $6 = 0 THEN NULL ELSE first_attempt_at END,
             refused_at = COALESCE($9, refused_at)
         WHERE id = $7 AND attempts = $8
             AND (state = 'sending' OR state = 'withdrawn' AND $1 = 'sent')",
    )
    .bind(state.to_owned())
    .bind(next.map(to_text))
    .bind(error.cloned())
    .bind(i64::from(maybe_twice))
    .bind((*delivery == Delivery::Sent).then(|| to_text(*at)))
    .bind(i64::from(email.attempts) - 1 + begun)
    .bind(email.id.clone())
    .bind(i64::from(email.attempts))
    .bind(refused_at.map(to_text))
    .execute(connection)
    .await
    .map_err(LedgerError::while_doing("record a delivery"))?;
    Ok(())
}
