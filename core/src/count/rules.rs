//! The rules by which a spelling is somebody, and a message one message. They have a version, which an
//! invoice keeps.

use serde::{Deserialize, Serialize};

use super::contact::{Spelt, first, second};

/// How a month was counted. What was issued is compared by its own rules: else a new
/// version of fecha, or another setting, would look like messages that came or went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CountingRules {
    /// Which rules.
    pub version: RulesVersion,
    /// `[counting] lid = "count"`: a LID whose number no alias knows is a contact of its own.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub count_lid: bool,
    /// `[counting] national = "55"`: a Brazilian number may lack its country code.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub national: bool,
}

/// Which rules there have been.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub enum RulesVersion {
    /// Those of 0.1: no devices, no invisible marks, no `tel:`, no user id of a parent, groups among what
    /// is no contact; each row a message.
    One,
    /// Those of the spec; rows with one message id are one message.
    Two,
}

impl Default for CountingRules {
    /// The newest, with the settings that hold where none is configured.
    fn default() -> Self {
        Self { version: RulesVersion::Two, count_lid: false, national: false }
    }
}

impl CountingRules {
    /// Those of an invoice that keeps none.
    #[must_use]
    pub fn first() -> Self {
        Self { version: RulesVersion::One, count_lid: false, national: false }
    }

    /// Whether they are those of an invoice that keeps none.
    #[must_use]
    pub fn is_first(&self) -> bool {
        *self == Self::first()
    }

    /// Who is behind a spelling. A LID is somebody here, whatever the setting: an alias may know its number.
    ///
    /// Never panics, whatever the bytes.
    #[must_use]
    pub fn read(self, spelling: &[u8]) -> Spelt {
        match self.version {
            RulesVersion::One => first::read(spelling),
            RulesVersion::Two => second::read(spelling, self.national),
        }
    }
}

/// A later fecha counted it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it was counted by rules of version {0}, which this fecha does not know")]
pub struct UnknownRulesVersion(u8);

impl TryFrom<u8> for RulesVersion {
    type Error = UnknownRulesVersion;

    fn try_from(version: u8) -> Result<Self, Self::Error> {
        match version {
            1 => Ok(Self::One),
            2 => Ok(Self::Two),
            other => Err(UnknownRulesVersion(other)),
        }
    }
}

impl From<RulesVersion> for u8 {
    fn from(version: RulesVersion) -> Self {
        match version {
            RulesVersion::One => 1,
            RulesVersion::Two => 2,
        }
    }
}
