//! When a dealership is told how much of its package it has used.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use crate::calendar::month::Month;
use crate::party::register::{Issuer, Party};
use crate::price::money::{Money, UnitPrice};

/// In percent of the package.
const THRESHOLDS: [u64; 2] = [80, 100];

/// What a dealership is told; its email is made from nothing else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackageUse {
    /// Who tells.
    pub issuer: Issuer,
    /// Who is told.
    pub dealership: Party,
    /// The running month.
    pub month: Month,
    /// The threshold that was passed, in percent.
    pub threshold: u64,
    /// Unique active contacts so far.
    pub uam: u64,
    /// Contacts included.
    pub package: u64,
    /// What each contact above the package costs.
    pub overage_price: UnitPrice,
    /// What those above it cost so far.
    pub overage_amount: Money,
    /// When it was counted.
    pub as_of: DateTime<Utc>,
    /// The dealership's local day then.
    pub on: NaiveDate,
}

/// The highest threshold that a use has reached, unless that one or a higher one was `told` already: who
/// passes both between two looks is told once.
///
/// ```
/// use fecha_core::bill::package_use::reached;
/// assert_eq!(reached(4012, 5000, &[]), Some(80));
/// assert_eq!(reached(5001, 5000, &[]), Some(100));
/// assert_eq!(reached(5001, 5000, &[80, 100]), None);
/// ```
#[must_use]
pub fn reached(uam: u64, package: u64, told: &[u64]) -> Option<u64> {
    let is_reached =
        |threshold: &u64| uam.saturating_mul(100) >= package.saturating_mul(*threshold);
    let threshold = THRESHOLDS.into_iter().rfind(is_reached)?;
    told.iter().all(|told| *told < threshold).then_some(threshold)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(3999, &[], None)]
    #[case(4000, &[], Some(80))]
    #[case(4999, &[80], None)]
    #[case(5000, &[80], Some(100))]
    #[case(5000, &[], Some(100))] // both since the last look
    #[case(4500, &[100], None)] // a larger package since
    #[case(90_000, &[100], None)]
    fn each_threshold_once(#[case] uam: u64, #[case] told: &[u64], #[case] expected: Option<u64>) {
        assert_eq!(reached(uam, 5000, told), expected);
    }
}
