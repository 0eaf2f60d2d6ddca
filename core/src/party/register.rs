//! Who is invoiced and who invoices: the parties of a bill.

use std::fmt;
use std::str::FromStr;

use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::party::group::GroupName;
use crate::party::municipality::Municipality;
use crate::party::postal_code::PostalCode;
use crate::party::tax_id::Cnpj;

/// A dealership as the register holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dealership {
    /// The id of the message database, byte by byte.
    pub id: String,
    /// Legal name.
    pub name: String,
    /// Name on the sign; may be empty.
    pub trade_name: String,
    /// Company tax id.
    pub cnpj: Cnpj,
    /// Street and number.
    pub address: String,
    /// City.
    pub city: String,
    /// Two letters.
    pub state: BrazilianState,
    /// Where invoices go.
    pub email: EmailAddress,
    /// Who else gets them, one message each.
    pub cc: Vec<EmailAddress>,
    /// The zone of its months; `None` is the issuer's.
    pub timezone: Option<Tz>,
    /// Day of the month; `None` is the configured one.
    pub due_day: Option<u32>,
    /// What it gets of the evidence.
    pub evidence: EvidenceWish,
    /// Whether it is told how much of its package is used; `None` is as configured.
    pub package_use: Option<bool>,
    /// Whether it is reminded of what is open, where reminders are configured; `None` is yes.
    pub reminders: Option<bool>,
    /// Of its address, where it is known.
    pub postal_code: Option<PostalCode>,
    /// The group that it belongs to; no invoice prints it, so that a change of it is no cause for a revision.
    pub group: Option<GroupName>,
    /// What only a tax document says of it.
    pub tax: TaxDetails,
}

/// What a tax document says of a dealership beside what invoices print; no invoice shows any of it, so that a
/// change of it is no cause for a revision.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TaxDetails {
    /// Of the house, `s/n` where it has none.
    pub number: Option<String>,
    /// Room or block.
    pub complement: Option<String>,
    /// Part of the city.
    pub district: Option<String>,
    /// Of its city.
    pub ibge_code: Option<Municipality>,
    /// Its registration with the city.
    pub municipal_registration: Option<String>,
    /// Whether it withholds the ISS; `None` is no.
    pub iss_withheld: Option<bool>,
}

impl Dealership {
    /// The fields that documents print; a change of them is a cause for a revision (`register`).
    #[must_use]
    pub fn party(&self) -> Party {
        Party {
            name: self.name.clone(),
            trade_name: self.trade_name.clone(),
            cnpj: self.cnpj.clone(),
            address: self.address.clone(),
            city: self.city.clone(),
            state: self.state,
            postal_code: self.postal_code,
        }
    }
}

/// Ids that were named but are not in the register.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "not in the register: {}. `fecha export` lists all dealerships; ids are compared byte by byte",
    .0.iter().map(|id| format!("'{id}'")).collect::<Vec<_>>().join(", ")
)]
pub struct UnknownDealerships(pub Vec<String>);

impl UnknownDealerships {
    /// The same in the words for one id, where no more than one can be named.
    #[must_use]
    pub fn of_one(&self) -> String {
        let id = self.0.first().map(String::as_str).unwrap_or_default();
        format!("'{id}' is not in the register: `fecha export` lists all dealerships")
    }
}

/// Refuses ids that the register lacks, all of them at once, in the order in which they were named.
///
/// # Errors
/// [`UnknownDealerships`].
pub fn must_be_known<'a>(
    ids: impl IntoIterator<Item = &'a str>,
    is_known: impl Fn(&str) -> bool,
) -> Result<(), UnknownDealerships> {
    let unknown: Vec<String> =
        ids.into_iter().filter(|id| !is_known(id)).map(str::to_owned).collect();
    if unknown.is_empty() { Ok(()) } else { Err(UnknownDealerships(unknown)) }
}

/// A dealership as an invoice prints it, frozen at the time of issue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "as in Dealership")]
pub struct Party {
    pub name: String,
    pub trade_name: String,
    pub cnpj: Cnpj,
    pub address: String,
    pub city: String,
    pub state: BrazilianState,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub postal_code: Option<PostalCode>,
}

/// The reseller who invoices, frozen at the time of issue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Issuer {
    /// Legal name.
    pub name: String,
    /// Company tax id.
    pub cnpj: Cnpj,
    /// Street and number.
    pub address: String,
    /// City.
    pub city: String,
    /// Two letters.
    pub state: BrazilianState,
    /// Of the address, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub postal_code: Option<PostalCode>,
    /// Whom to ask.
    pub email: EmailAddress,
    /// Whom to call; may be empty.
    pub phone: String,
    /// The issuer's zone: the year of an invoice number, and months of unknown dealerships.
    pub timezone: Tz,
}

/// A Brazilian state, by its two letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct BrazilianState([u8; 2]);

/// The text is no Brazilian state.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no Brazilian state: two letters, for example RS")]
pub struct InvalidState(pub String);

const STATES: [&str; 27] = [
    "AC", "AL", "AM", "AP", "BA", "CE", "DF", "ES", "GO", "MA", "MG", "MS", "MT", "PA", "PB", "PE",
    "PI", "PR", "RJ", "RN", "RO", "RR", "RS", "SC", "SE", "SP", "TO",
];

impl FromStr for BrazilianState {
    type Err = InvalidState;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = STATES.contains(&text).then(|| text.as_bytes().try_into().ok()).flatten();
        known.map(Self).ok_or_else(|| InvalidState(text.to_owned()))
    }
}

impl fmt::Display for BrazilianState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|letter| fmt::Write::write_char(f, char::from(*letter)))
    }
}

impl TryFrom<String> for BrazilianState {
    type Error = InvalidState;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<BrazilianState> for String {
    fn from(state: BrazilianState) -> Self {
        state.to_string()
    }
}

/// What a dealership gets of the evidence, with each invoice.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum EvidenceWish {
    /// Its hash, which every invoice prints.
    #[default]
    Hash,
    /// The file too, with each email.
    File,
    /// The file, and its contacts printed at the end of the statement.
    Annex,
}

/// The text is no such wish.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "'{0}' is no wish for evidence: yes (the CSV file goes with each email), annex (and the statement lists its contacts), or no"
)]
pub struct InvalidEvidenceWish(pub String);

impl FromStr for EvidenceWish {
    type Err = InvalidEvidenceWish;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "" | "no" => Ok(Self::Hash),
            "yes" => Ok(Self::File),
            "annex" => Ok(Self::Annex),
            _ => Err(InvalidEvidenceWish(text.to_owned())),
        }
    }
}

impl fmt::Display for EvidenceWish {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Hash => "no",
            Self::File => "yes",
            Self::Annex => "annex",
        })
    }
}

/// A bare address `name@host` that the mail library can send to.
///
/// Its parser lives at the edge (`mail::address`), so that the core needs no mail library; the core
/// trusts it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EmailAddress(String);

impl EmailAddress {
    /// Wraps an address that the mail library has accepted, or that the ledger kept.
    #[must_use]
    pub fn trusted(address: String) -> Self {
        Self(address)
    }

    /// `name@host`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
