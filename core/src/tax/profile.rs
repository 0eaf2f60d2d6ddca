//! What of a DPS is the issuer's and the same for every invoice: `[nfse]` of the configuration.

use std::fmt;
use std::str::FromStr;

use super::codes::{Digits, Percent};
use crate::party::municipality::Municipality;

/// The issuer as the tax authority knows it, and the codes of its service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// Where the DPS are sent to.
    pub environment: Environment,
    /// Where the issuer is registered, and its service is taxed.
    pub municipality: Municipality,
    /// Its registration there, where the city has one.
    pub municipal_registration: Option<String>,
    /// Of its DPS, 1 to 49999.
    pub series: u32,
    /// The least number of a DPS.
    pub first_number: u32,
    /// What the service is.
    pub service: Service,
    /// How the issuer is taxed.
    pub regime: Regime,
    /// Of IBS and CBS; none may be there for those in the Simples Nacional.
    pub ibs_cbs: Option<IbsCbs>,
    /// Of the ISS, where the city does not tell the national system.
    pub iss_rate: Option<Percent>,
    /// What of the price are taxes.
    pub totals: Totals,
}

/// Where a DPS is sent to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Environment {
    /// It becomes an NFS-e.
    Production,
    /// It is tried out.
    Restricted,
}

/// The codes of the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Service {
    /// `cTribNac`: item, subitem and their national split.
    pub national: Digits<6>,
    /// `cTribMun`: what the city adds to it.
    pub municipal: Option<Digits<3>>,
    /// `cNBS`.
    pub nbs: Digits<9>,
}

/// How the issuer is taxed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Regime {
    /// `opSimpNac`, and `regApTribSN` where that is asked for.
    pub simples: Simples,
    /// `regEspTrib`: 0 to 6, or 9.
    pub special: u8,
}

/// Whether the issuer is in the Simples Nacional.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Simples {
    /// It is not.
    No,
    /// As a single entrepreneur (MEI).
    Mei,
    /// As a small business (ME or EPP), which says by which regime its taxes are assessed: 1 all by the Simples,
    /// 2 the federal ones, 3 none.
    Small(u8),
}

/// The codes of IBS and CBS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IbsCbs {
    /// `cIndOp`.
    pub operation: Digits<6>,
    /// `CST`.
    pub situation: Digits<3>,
    /// `cClassTrib`.
    pub class: Digits<6>,
}

/// What of the price are taxes, about (Lei 12.741/2012).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Totals {
    /// Not said.
    Unsaid,
    /// Federal, of the state, of the city.
    Percent([Percent; 3]),
    /// By the Simples Nacional.
    Simples(Percent),
}

impl Environment {
    /// `tpAmb`.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Production => 1,
            Self::Restricted => 2,
        }
    }

    /// The word of configuration, ledger and JSON.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Production => "production",
            Self::Restricted => "restricted",
        }
    }
}

impl fmt::Display for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.key())
    }
}

/// The text is no environment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is none of \"production\", \"restricted\"")]
pub struct InvalidEnvironment(String);

impl FromStr for Environment {
    type Err = InvalidEnvironment;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = [Self::Production, Self::Restricted].into_iter().find(|one| one.key() == text);
        known.ok_or_else(|| InvalidEnvironment(text.to_owned()))
    }
}

impl Simples {
    /// `opSimpNac`.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::No => 1,
            Self::Mei => 2,
            Self::Small(_) => 3,
        }
    }
}
