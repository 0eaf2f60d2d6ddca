//! Who somebody is: a password, then a session until they leave, fall silent or are put out.
//!
//! Hashing a password takes a core for a moment, and whoever is not logged in may ask for it: so one at a time
//! is hashed, away from the threads that everything else runs on, each followed by a rest, and few wait. A flood
//! of logins keeps some people waiting, and takes no more than a quarter of a core from a close.

use std::time::Duration;

use argon2::Argon2;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, sleep};

use crate::ledger::LedgerError;
use crate::ledger::people::Person;
use crate::ledger::sessions::{Failures, Session};
use crate::setup::office::Office;
use fecha_core::count::evidence::sha256_hex;
use fecha_core::party::person::{
    FORGOTTEN, LONGEST_PASSWORD, NOTED, SESSION, Standing, is_locked, is_on, locked_for,
};

/// How many may wait for their password to be hashed.
const QUEUE: usize = 8;
/// A hash is followed by a rest of so many times its own time.
const REST: u32 = 3;

static QUEUED: Semaphore = Semaphore::const_new(QUEUE);
static HASHING: Semaphore = Semaphore::const_new(1);

/// Too many at once want a password checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many people are logging in at once: try again in a moment")]
pub struct Busy;

/// Nobody is logged in.
#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    /// There is no such person, they are disabled or have no password, or it is another one: nobody is told
    /// which.
    #[error("the email or the password is wrong")]
    Wrong,
    /// So many passwords for this name were wrong, whether there is such a person or not.
    #[error("too many wrong passwords: none is tried until {until}")]
    Locked {
        /// Until then.
        until: DateTime<Utc>,
    },
    /// Too many at once.
    #[error(transparent)]
    Busy(#[from] Busy),
    /// The ledger failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// A session that has begun.
#[derive(Debug, Clone)]
pub struct LoggedIn {
    /// Who.
    pub person: Person,
    /// Proves it; nowhere else, not in the ledger either.
    pub token: String,
    /// When it is over, however busy.
    pub ends_at: DateTime<Utc>,
}

/// Begins a session of whoever knows the password.
///
/// It is gone through to its end, also where nobody waits for the answer any more: a wrong password counts.
///
/// # Errors
/// [`LoginError`]: nobody is logged in then.
pub async fn login(office: &Office, email: &str, password: &str) -> Result<LoggedIn, LoginError> {
    let (office, email, password) = (office.clone(), email.to_owned(), password.to_owned());
    let tried = tokio::spawn(async move { attempt(&office, &email, &password).await });
    tried.await.unwrap_or(Err(LoginError::Busy(Busy)))
}

async fn attempt(office: &Office, email: &str, password: &str) -> Result<LoggedIn, LoginError> {
    let _queued = QUEUED.try_acquire().map_err(|_| Busy)?;
    let turn = Turn::take().await?;
    let now = office.clock.now();
    let who = who(email);
    let failures = office.ledger.login_failures(&who).await?;
    let locked_until = failures.and_then(|failures| failures.locked_until);
    if let Some(until) = locked_until.filter(|until| is_locked(*until, now)) {
        return Err(LoginError::Locked { until });
    }
    let found = office.ledger.person_by_email(&email.trim().to_lowercase()).await?;
    let (person, phc) = found.map_or((None, None), |(person, phc)| (Some(person), phc));
    let is_right = turn.verify(password, phc).await;
    let may = |person: &Person| person.state == Standing::Active && is_right;
    let Some(person) = person.filter(may) else {
        let failures = one_more(failures, now);
        office.ledger.keep_login_failures(&who, failures).await?;
        return Err(LoginError::Wrong);
    };
    if failures.is_some() {
        office.ledger.forget_login_failures(&who).await?;
    }
    begin(office, person).await
}

/// Begins a session of a person who has just proved who they are.
///
/// # Errors
/// [`LoginError`]: also where they were disabled meanwhile.
pub async fn begin(office: &Office, person: Person) -> Result<LoggedIn, LoginError> {
    let now = office.clock.now();
    let (token, ends_at) = (new_secret(), now + SESSION);
    let hash = sha256_hex(token.as_bytes());
    if !office.ledger.begin_session(&hash, &person.id, now, ends_at).await? {
        return Err(LoginError::Wrong);
    }
    Ok(LoggedIn { person, token, ends_at })
}

fn one_more(before: Option<Failures>, now: DateTime<Utc>) -> Failures {
    let in_a_row = before.filter(|failures| now - failures.latest < FORGOTTEN);
    let count = in_a_row.map_or(0, |failures| failures.count).saturating_add(1);
    Failures { count, latest: now, locked_until: locked_for(count).map(|pause| now + pause) }
}

/// The session of a token that is on now; it is noted, about once a minute, that somebody was there.
///
/// # Errors
/// [`LedgerError`] where the ledger cannot be read. Where it cannot be written the session is on.
pub async fn session(office: &Office, token: &str) -> Result<Option<Session>, LedgerError> {
    let Some(session) = is_on_still(office, token).await? else { return Ok(None) };
    let (hash, now) = (sha256_hex(token.as_bytes()), office.clock.now());
    if now - session.seen_at >= NOTED {
        let ledger = office.ledger.clone();
        // Nobody waits for it: a close may hold the ledger for a moment.
        tokio::spawn(async move {
            if let Err(error) = ledger.saw_session(&hash, now).await {
                tracing::debug!(%error, "a session was not noted");
            }
        });
    }
    Ok(Some(session))
}

/// The session of a token that is on now; nobody was there for it.
///
/// # Errors
/// [`LedgerError`] where the ledger cannot be read.
pub async fn is_on_still(office: &Office, token: &str) -> Result<Option<Session>, LedgerError> {
    let session = office.ledger.login_session(&sha256_hex(token.as_bytes())).await?;
    let now = office.clock.now();
    Ok(session.filter(|session| is_on(session.seen_at, session.ends_at, now)))
}

/// Ends the session of a token.
///
/// # Errors
/// [`LedgerError`] where the ledger cannot be written: it is still on then.
pub async fn logout(office: &Office, token: &str) -> Result<(), LedgerError> {
    office.ledger.end_session(&sha256_hex(token.as_bytes()), office.clock.now()).await
}

/// The person whom a proxy names by their email; nobody who is disabled.
///
/// # Errors
/// [`LedgerError`] where the ledger cannot be read.
pub async fn named_by_proxy(office: &Office, email: &str) -> Result<Option<Person>, LedgerError> {
    let found = office.ledger.person_by_email(&email.trim().to_lowercase()).await?;
    Ok(found.map(|(person, _)| person).filter(|person| person.state != Standing::Disabled))
}

/// Under what wrong passwords for a typed name are counted.
pub(super) fn who(email: &str) -> String {
    sha256_hex(email.trim().to_lowercase().as_bytes())
}

/// 32 random bytes, as letters that stand in a URL, a cookie and a header.
///
/// # Panics
/// Where the machine has no randomness: nothing secret can be made then.
pub(super) fn new_secret() -> String {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).expect("the machine gives random bytes");
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The hash of a password, a PHC string, when it is its turn.
///
/// # Errors
/// [`Busy`].
pub(super) async fn hash(password: &str) -> Result<String, Busy> {
    let _queued = QUEUED.try_acquire().map_err(|_| Busy)?;
    let turn = Turn::take().await?;
    let password = password.to_owned();
    let hashed = turn.off_the_threads(move || {
        Argon2::default().hash_password(password.as_bytes()).map(|phc| phc.to_string())
    });
    hashed.await.and_then(Result::ok).ok_or(Busy)
}

/// The one who hashes now.
struct Turn {
    _permit: SemaphorePermit<'static>,
}

impl Turn {
    async fn take() -> Result<Self, Busy> {
        let permit = HASHING.acquire().await.map_err(|_| Busy)?;
        Ok(Self { _permit: permit })
    }

    /// Whether the password is that of the hash. Without a hash it takes as long.
    async fn verify(self, password: &str, phc: Option<String>) -> bool {
        // Nobody has one that is longer.
        let password = if password.len() > LONGEST_PASSWORD { "" } else { password }.to_owned();
        let verified = self.off_the_threads(move || {
            let Some(phc) = phc else {
                let _ = Argon2::default().hash_password(password.as_bytes());
                return false;
            };
            Argon2::default().verify_password(password.as_bytes(), phc.as_str()).is_ok()
        });
        verified.await.unwrap_or(false)
    }

    /// Works where nobody else waits for the thread; then the next one's turn comes after a rest.
    async fn off_the_threads<T: Send + 'static>(
        self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let begun = Instant::now();
        let done = tokio::task::spawn_blocking(work).await.ok();
        let rest: Duration = begun.elapsed() * REST;
        tokio::spawn(async move {
            sleep(rest).await;
            drop(self);
        });
        done
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_is_known_by_its_hash_alone() {
        let phc = hash("quatro palavras bem longas").await.unwrap();
        assert!(phc.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{phc}");
        assert_ne!(phc, hash("quatro palavras bem longas").await.unwrap());
        let verify = async |password: &str, phc: Option<&str>| {
            Turn::take().await.unwrap().verify(password, phc.map(str::to_owned)).await
        };
        assert!(verify("quatro palavras bem longas", Some(&phc)).await);
        assert!(!verify("quatro palavras bem longa", Some(&phc)).await);
        assert!(!verify("", None).await);
        assert!(!verify(&"x".repeat(LONGEST_PASSWORD + 1), Some(&phc)).await);
    }

    #[test]
    fn wrong_passwords_of_yesterday_are_forgotten() {
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        let many = Failures { count: 9, latest: at("2026-11-03T08:00:00Z"), locked_until: None };
        assert_eq!(one_more(Some(many), at("2026-11-03T09:00:00Z")).count, 10);
        assert_eq!(one_more(Some(many), at("2026-11-04T08:00:00Z")).count, 1);
        let locked = one_more(Some(many), at("2026-11-03T09:00:00Z")).locked_until;
        assert_eq!(locked, Some(at("2026-11-03T09:15:00Z")));
        assert_eq!(one_more(None, at("2026-11-03T09:00:00Z")).locked_until, None);
    }
}
