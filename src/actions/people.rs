//! Who may use the console: people are invited, choose a password, change roles, are disabled.

use serde::Serialize;

use super::login::{self, Busy, new_secret};
use crate::document::{NotPrintable, must_be_printable};
use crate::ledger::LedgerError;
use crate::ledger::audit::{Action, Deed};
use crate::ledger::people::{Able, Change, Changed, NewPerson, Person};
use crate::letters::mailbox::{self, InvalidAddress};
use crate::setup::office::Office;
use chrono::{DateTime, SubsecRound as _, Utc};
use fecha_core::count::evidence::sha256_hex;
use fecha_core::party::person::{INVITATION, Role, Standing, WeakPassword, must_be_strong};

/// The most letters of a name.
const LONGEST_NAME: usize = 80;
/// Names in the audit log that are nobody's: the daemon's, and logins that say nothing.
const TAKEN_NAMES: [&str; 3] = ["fecha", "root", "unknown"];

/// Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum PeopleError {
    /// The address is none.
    #[error(transparent)]
    Address(#[from] InvalidAddress),
    /// A name that no document could print.
    #[error("the name: {0}")]
    NotPrintable(#[from] NotPrintable),
    /// A name that does not say who somebody is.
    #[error("'{0}' says nobody's name: give one of 1 to {LONGEST_NAME} letters that is no other's")]
    Name(String),
    /// Somebody has this email.
    #[error("{0} is there already: `fecha people invite --email {0}` gives a new link")]
    Known(String),
    /// Somebody has this name.
    #[error("'{0}' is somebody else's name, and the audit log tells people apart by it: add to it")]
    NameTaken(String),
    /// Nobody has this email.
    #[error("there is nobody with the email {0}: `fecha people list` lists all")]
    Unknown(String),
    /// They cannot log in whatever their password is.
    #[error("{0} is disabled: `fecha people enable --email {0}` first")]
    Disabled(String),
    /// Nobody would be left who can invite people.
    #[error("{0} is the last admin who can log in: give somebody else that role first")]
    LastAdmin(String),
    /// The invitation was used, is over, or never was.
    #[error("the invitation serves no more: ask for a new one (`fecha people invite`)")]
    Void,
    /// The password cannot be chosen.
    #[error(transparent)]
    Weak(#[from] WeakPassword),
    /// Too many at once want a password checked.
    #[error(transparent)]
    Busy(#[from] Busy),
    /// The ledger failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// Somebody who is to be invited.
#[derive(Debug, Clone, Copy)]
pub struct Invited<'a> {
    /// Where they read mail, and what they log in with.
    pub email: &'a str,
    /// How the audit log is to name them; the email where it is left out.
    pub name: Option<&'a str>,
    /// What they may do.
    pub role: Role,
}

/// A link by which a person chooses a password. It is shown now and never again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Invitation {
    /// Who.
    #[serde(flatten)]
    pub person: Person,
    /// Where.
    pub link: String,
    /// Until when.
    pub ends_at: DateTime<Utc>,
    /// What the link ends in.
    #[serde(skip)]
    pub token: String,
}

/// Adds a person and invites them.
///
/// # Errors
/// [`PeopleError`]; there is no such person then, unless the ledger failed between the two.
pub async fn add(
    office: &Office,
    invited: Invited<'_>,
    by: &str,
) -> Result<Invitation, PeopleError> {
    let email = address(invited.email)?;
    let name = name(invited.name.unwrap_or(&email))?;
    let people = office.ledger.people().await?;
    if people.iter().any(|person| person.email == email) {
        return Err(PeopleError::Known(email));
    }
    // As people read names, not byte by byte.
    let is_taken = |person: &Person| person.name.to_lowercase() == name.to_lowercase();
    if people.iter().any(is_taken) {
        return Err(PeopleError::NameTaken(name));
    }
    let new = NewPerson { email: &email, name: &name, role: invited.role };
    let detail = format!("{email} added as {}: {name}", invited.role);
    let person = office.ledger.add_person(&new, &deed(office, by, &detail)).await?;
    // Somebody else was quicker.
    let person = person.ok_or(PeopleError::Known(email))?;
    link(office, person, by).await
}

/// Invites a person again, who has lost the link or the password. Earlier links serve no more; the password
/// does until another one is chosen.
///
/// # Errors
/// [`PeopleError`]; earlier links still serve then.
pub async fn invite(office: &Office, email: &str, by: &str) -> Result<Invitation, PeopleError> {
    let person = known(office, email).await?;
    if person.state == Standing::Disabled {
        return Err(PeopleError::Disabled(person.email));
    }
    link(office, person, by).await
}

async fn link(office: &Office, person: Person, by: &str) -> Result<Invitation, PeopleError> {
    let token = new_secret();
    let ends_at = (office.clock.now() + INVITATION).trunc_subsecs(0);
    let detail = format!("{} invited: a link until {}", person.email, ends_at.format("%Y-%m-%d"));
    let hash = sha256_hex(token.as_bytes());
    office.ledger.invite(&person.id, &hash, ends_at, &deed(office, by, &detail)).await?;
    let link = format!("{}/invitation/{token}", office.config.console_url());
    Ok(Invitation { person, link, ends_at, token })
}

/// Whom an invitation is for.
///
/// # Errors
/// [`PeopleError::Void`] where it serves no more.
pub async fn invited(office: &Office, token: &str) -> Result<Person, PeopleError> {
    let hash = sha256_hex(token.as_bytes());
    let person = office.ledger.invited(&hash, office.clock.now()).await?;
    person.ok_or(PeopleError::Void)
}

/// Gives the person of an invitation the password that they chose. Whoever is logged in as them is out.
///
/// # Errors
/// [`PeopleError`]; the invitation still serves then, but for [`PeopleError::Void`].
pub async fn accept(office: &Office, token: &str, password: &str) -> Result<Person, PeopleError> {
    let person = invited(office, token).await?;
    must_be_strong(password, &person.email, &person.name)?;
    let phc = login::hash(password).await?;
    let detail = format!("{} chose a password", person.email);
    let deed = deed(office, &person.name, &detail);
    if !office.ledger.accept(&sha256_hex(token.as_bytes()), &phc, &deed).await? {
        return Err(PeopleError::Void);
    }
    // Who had forgotten the old one is not kept out for it.
    office.ledger.forget_login_failures(&login::who(&person.email)).await?;
    Ok(Person { state: Standing::Active, ..person })
}

/// Changes what a person may do, or whether they can log in: whether it was otherwise before.
///
/// # Errors
/// [`PeopleError`]; nothing was changed then.
pub async fn change(
    office: &Office,
    email: &str,
    change: Change,
    by: &str,
) -> Result<(Person, bool), PeopleError> {
    let person = known(office, email).await?;
    let email = &person.email;
    let detail = match change {
        Change::Role(role) => format!("{email} is {role} now, {} before", person.role),
        Change::Disable => format!("{email} disabled"),
        Change::Enable => format!("{email} enabled"),
    };
    let able = match office.config.single_sign_on {
        Some(_) => Able::All,
        None => Able::WithPassword,
    };
    let deed = deed(office, by, &detail);
    let changed = match office.ledger.change_person(&person.id, change, able, &deed).await? {
        Changed::Now => true,
        Changed::Already => false,
        Changed::LastAdmin => return Err(PeopleError::LastAdmin(person.email)),
    };
    Ok((known(office, &person.email).await?, changed))
}

/// Everybody, by name.
///
/// # Errors
/// [`LedgerError`] where the ledger cannot be read.
pub async fn list(office: &Office) -> Result<Vec<Person>, LedgerError> {
    office.ledger.people().await
}

async fn known(office: &Office, email: &str) -> Result<Person, PeopleError> {
    let email = address(email)?;
    let found = office.ledger.person_by_email(&email).await?;
    found.map(|(person, _)| person).ok_or(PeopleError::Unknown(email))
}

/// Addresses are told apart without regard to case.
fn address(text: &str) -> Result<String, InvalidAddress> {
    mailbox::address(text).map(|address| address.as_str().to_lowercase())
}

fn name(text: &str) -> Result<String, PeopleError> {
    let name = text.split_whitespace().collect::<Vec<_>>().join(" ");
    must_be_printable(&name)?;
    let is_long = name.chars().count() > LONGEST_NAME && !name.contains('@');
    if name.is_empty() || is_long || TAKEN_NAMES.contains(&name.to_lowercase().as_str()) {
        return Err(PeopleError::Name(name));
    }
    Ok(name)
}

fn deed<'a>(office: &Office, by: &'a str, detail: &'a str) -> Deed<'a> {
    Deed {
        at: office.clock.now(),
        actor: by,
        action: Action::Person,
        month: None,
        dealership_id: None,
        detail,
    }
}
