//! Programs that may use the interface: each by a token that is shown once.

use chrono::{DateTime, SubsecRound as _, TimeDelta, Utc};
use serde::Serialize;

use super::login::new_secret;
use crate::document::{NotPrintable, must_be_printable};
use crate::ledger::LedgerError;
use crate::ledger::audit::{Action, Deed};
use crate::ledger::tokens::{NewToken, Token};
use crate::setup::office::Office;
use fecha_core::count::evidence::sha256_hex;
use fecha_core::party::person::{NOTED, Role};

/// What every token begins with, so that whoever finds one knows what it is of.
const PREFIX: &str = "fecha_";
/// The most letters of a token's name.
const LONGEST_NAME: usize = 80;
/// For how many days a token can serve.
pub const DAYS: std::ops::RangeInclusive<u32> = 1..=1096;

/// Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// It does not say what the token is for.
    #[error("a token needs a name of 1 to {LONGEST_NAME} letters that says what it is for")]
    Name,
    /// A name that no page could show.
    #[error("the name: {0}")]
    NotPrintable(#[from] NotPrintable),
    /// No such span.
    #[error("a token serves for {} to {} days, not {days}", DAYS.start(), DAYS.end())]
    Days {
        /// What was asked for.
        days: u32,
    },
    /// There is none of this id that serves.
    #[error("there is no token {0} that serves: `fecha tokens list` lists all")]
    Unknown(String),
    /// The ledger failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// A new token: shown now, and never again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the keys of `fecha tokens add --json`")]
pub struct NewlyMade {
    pub id: String,
    pub name: String,
    pub role: Role,
    pub ends_at: DateTime<Utc>,
    pub token: String,
}

/// Makes a token that serves for so many days.
///
/// # Errors
/// [`TokenError`]; there is none then.
pub async fn add(
    office: &Office,
    name: &str,
    role: Role,
    days: u32,
    by: &str,
) -> Result<NewlyMade, TokenError> {
    let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
    if name.is_empty() || name.chars().count() > LONGEST_NAME {
        return Err(TokenError::Name);
    }
    must_be_printable(&name)?;
    if !DAYS.contains(&days) {
        return Err(TokenError::Days { days });
    }
    let token = format!("{PREFIX}{}", new_secret());
    let ends_at = office.clock.now() + TimeDelta::days(i64::from(days));
    let ends_at = ends_at.trunc_subsecs(0);
    let new = NewToken { name: &name, hash: &sha256_hex(token.as_bytes()), role, ends_at };
    let detail = format!("token added as {role} until {}: {name}", ends_at.format("%Y-%m-%d"));
    let id = office.ledger.add_token(&new, &deed(office, by, &detail)).await?;
    Ok(NewlyMade { id, name, role, ends_at, token })
}

/// Takes a token back: it serves no more from now on.
///
/// # Errors
/// [`TokenError`]; it still serves then.
pub async fn revoke(office: &Office, id: &str, by: &str) -> Result<Token, TokenError> {
    let find = async || -> Result<Token, TokenError> {
        let tokens = office.ledger.tokens().await?;
        let found = tokens.into_iter().find(|token| token.id == id);
        found.ok_or_else(|| TokenError::Unknown(id.to_owned()))
    };
    let detail = format!("token taken back: {}", find().await?.name);
    if !office.ledger.revoke_token(id, &deed(office, by, &detail)).await? {
        return Err(TokenError::Unknown(id.to_owned()));
    }
    find().await
}

/// All tokens, the latest first.
///
/// # Errors
/// [`LedgerError`] where the ledger cannot be read.
pub async fn list(office: &Office) -> Result<Vec<Token>, LedgerError> {
    office.ledger.tokens().await
}

/// The token that somebody shows, if it serves now; its use is noted, about once a minute.
///
/// # Errors
/// [`LedgerError`] where the ledger cannot be read.
pub async fn shown(office: &Office, token: &str) -> Result<Option<Token>, LedgerError> {
    if !token.starts_with(PREFIX) {
        return Ok(None);
    }
    let now = office.clock.now();
    let found = office.ledger.token(&sha256_hex(token.as_bytes()), now).await?;
    let is_to_note = |token: &Token| token.used_at.is_none_or(|used_at| now - used_at >= NOTED);
    if let Some(token) = found.clone().filter(is_to_note) {
        let ledger = office.ledger.clone();
        tokio::spawn(async move {
            if let Err(error) = ledger.used_token(&token.id, now).await {
                tracing::debug!(%error, "the use of a token was not noted");
            }
        });
    }
    Ok(found)
}

fn deed<'a>(office: &Office, by: &'a str, detail: &'a str) -> Deed<'a> {
    Deed {
        at: office.clock.now(),
        actor: by,
        action: Action::Token,
        month: None,
        dealership_id: None,
        detail,
    }
}
