//! Who uses the console: what a role may do, which passwords can be chosen, when a session is over, how long
//! wrong passwords lock.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

/// What a person, or a program with a token, may do. Each may all that those before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Reads.
    Viewer,
    /// Sends emails again, changes addresses, records payments and credits, releases a held month.
    Finance,
    /// Reruns, cancels, imports, changes contracts, invites people.
    Admin,
}

/// The text names no role.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no role: viewer, finance or admin")]
pub struct UnknownRole(pub String);

impl Role {
    /// All of them, the least first.
    pub const ALL: [Self; 3] = [Self::Viewer, Self::Finance, Self::Admin];

    /// The word.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Finance => "finance",
            Self::Admin => "admin",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.key())
    }
}

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Self, UnknownRole> {
        let known = Self::ALL.into_iter().find(|role| role.key() == text);
        known.ok_or_else(|| UnknownRole(text.to_owned()))
    }
}

/// Whether a person can log in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Has no password yet.
    Invited,
    /// Can.
    Active,
    /// Can no more.
    Disabled,
}

impl Standing {
    /// The word.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Invited => "invited",
            Self::Active => "active",
            Self::Disabled => "disabled",
        }
    }
}

/// The fewest letters of a password.
pub const SHORTEST_PASSWORD: usize = 12;
/// The most bytes of one: nobody types more, and what is hashed has an end.
pub const LONGEST_PASSWORD: usize = 512;

/// Why a password cannot be chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WeakPassword {
    /// Too few letters.
    #[error("a password has at least {SHORTEST_PASSWORD} letters, for example four words")]
    Short,
    /// Too many bytes.
    #[error("a password has at most {LONGEST_PASSWORD} bytes")]
    Long,
    /// It is what everybody knows of them.
    #[error("the password is the email or the name, or made of it: choose another one")]
    Known,
    /// One letter, or a few in turn.
    #[error("the password repeats so few letters that it is guessed at once: choose another one")]
    Monotonous,
}

/// Whether a person with this email and name may choose it.
///
/// # Errors
/// [`WeakPassword`].
pub fn must_be_strong(password: &str, email: &str, name: &str) -> Result<(), WeakPassword> {
    /// As many different letters as a password has at least.
    const LETTERS: usize = 5;
    if password.chars().count() < SHORTEST_PASSWORD {
        return Err(WeakPassword::Short);
    }
    if password.len() > LONGEST_PASSWORD {
        return Err(WeakPassword::Long);
    }
    let plain = |text: &str| -> String {
        text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
    };
    let chosen = plain(password);
    let local = email.split('@').next().unwrap_or(email);
    // What is left beside a known word is what has to be guessed.
    let is_made_of = |known: &str| {
        let known = plain(known);
        !known.is_empty()
            && chosen.contains(&known)
            && chosen.chars().count() - known.chars().count() < SHORTEST_PASSWORD / 2
    };
    if [email, local, name].into_iter().any(is_made_of) {
        return Err(WeakPassword::Known);
    }
    let different: std::collections::BTreeSet<char> = password.chars().collect();
    if different.len() < LETTERS { Err(WeakPassword::Monotonous) } else { Ok(()) }
}

/// How long a session lasts at most.
pub const SESSION: TimeDelta = TimeDelta::hours(12);
/// How long one lasts in which nothing is asked for.
pub const IDLE: TimeDelta = TimeDelta::minutes(30);
/// How long an invitation can be accepted.
pub const INVITATION: TimeDelta = TimeDelta::days(7);
/// That somebody was there is noted at most so often.
pub const NOTED: TimeDelta = TimeDelta::minutes(1);

/// Whether a session that was begun and last seen then is still on. A clock that was set back ends none.
#[must_use]
pub fn is_on(seen_at: DateTime<Utc>, ends_at: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    now < ends_at && now - seen_at < IDLE
}

/// Wrong passwords in a row are forgotten after this time.
pub const FORGOTTEN: TimeDelta = TimeDelta::hours(24);

/// The longest pause after a wrong password, in minutes.
const LONGEST_PAUSE: i32 = 15;

/// Whether a pause that ends then is on. One that is further away than any lasts was set by a clock that was
/// wrong, and is none.
#[must_use]
pub fn is_locked(until: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    now < until && until - now <= TimeDelta::minutes(i64::from(LONGEST_PAUSE))
}

/// How long nothing is tried after so many wrong passwords in a row; `None` where it can be at once. Who
/// mistypes feels nothing; who guesses has four an hour; and nobody else can keep a person out for longer
/// than a quarter of an hour after the last try.
#[must_use]
pub fn locked_for(failures: u32) -> Option<TimeDelta> {
    const FREE: u32 = 4;
    let over = failures.checked_sub(FREE + 1)?;
    let minutes = 1_i32.checked_shl(over.min(8)).unwrap_or(LONGEST_PAUSE).min(LONGEST_PAUSE);
    Some(TimeDelta::minutes(i64::from(minutes)))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[test]
    fn each_role_may_what_those_before_it_may() {
        assert!(Role::Viewer < Role::Finance && Role::Finance < Role::Admin);
        for role in Role::ALL {
            assert_eq!(role.key().parse(), Ok(role));
            assert_eq!(serde_json::to_value(role).unwrap(), role.key());
        }
        assert_eq!(
            "root".parse::<Role>().unwrap_err().to_string(),
            "'root' is no role: viewer, finance or admin"
        );
    }

    #[rstest]
    #[case("quatro palavras bem longas", Ok(()))]
    #[case("Zebra-7-Tucano", Ok(()))]
    #[case("onze letras", Err(WeakPassword::Short))]
    #[case("ana.souza@example.com", Err(WeakPassword::Known))]
    #[case("ANA.SOUZA@EXAMPLE.COM", Err(WeakPassword::Known))]
    #[case("ana.souza1234", Err(WeakPassword::Known))]
    #[case("Ana Clara Souza", Err(WeakPassword::Known))]
    #[case("ana clara souza!", Err(WeakPassword::Known))]
    #[case("aaaaaaaaaaaaaa", Err(WeakPassword::Monotonous))]
    #[case("121212121212", Err(WeakPassword::Monotonous))]
    #[case("çççççççççççç", Err(WeakPassword::Monotonous))]
    fn a_password(#[case] password: &str, #[case] expected: Result<(), WeakPassword>) {
        assert_eq!(must_be_strong(password, "ana.souza@example.com", "Ana Clara Souza"), expected);
    }

    #[test]
    fn a_password_has_an_end() {
        let long = "abcdefgh".repeat(64);
        assert_eq!(must_be_strong(&long, "a@x.com", "A"), Ok(()));
        assert_eq!(must_be_strong(&(long + "x"), "a@x.com", "A"), Err(WeakPassword::Long));
    }

    #[test]
    fn pauses_grow_to_a_quarter_of_an_hour() {
        let minutes: Vec<i64> =
            (0..12).map(|n| locked_for(n).map_or(0, |pause| pause.num_minutes())).collect();
        assert_eq!(minutes, [0, 0, 0, 0, 0, 1, 2, 4, 8, 15, 15, 15]);
        assert_eq!(locked_for(u32::MAX), Some(TimeDelta::minutes(15)));
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        let until = at("2026-11-03T08:15:00Z");
        assert!(is_locked(until, at("2026-11-03T08:00:00Z")));
        assert!(!is_locked(until, until));
        assert!(!is_locked(until, at("2026-11-03T07:59:59Z")), "no pause is that long");
    }

    #[test]
    fn a_session_ends_after_half_an_hour_of_silence_and_after_its_day() {
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        let (made, ends) = (at("2026-11-03T08:00:00Z"), at("2026-11-03T20:00:00Z"));
        assert!(is_on(made, ends, at("2026-11-03T08:29:59Z")));
        assert!(!is_on(made, ends, at("2026-11-03T08:30:00Z")));
        assert!(is_on(at("2026-11-03T19:59:00Z"), ends, at("2026-11-03T19:59:59Z")));
        assert!(!is_on(at("2026-11-03T19:59:00Z"), ends, at("2026-11-03T20:00:00Z")));
        assert!(is_on(made, ends, at("2026-11-03T07:00:00Z")));
    }
}
