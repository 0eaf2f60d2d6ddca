//! When a dealership is told how much of its package it has used.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use crate::calendar::month::Month;
use crate::party::register::{Issuer, Party};
use crate::price::advice::Advice;
use crate::price::money::{Money, UnitPrice};
use crate::price::rates::Rates;

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
    /// Where the month is heading; `None` in an email of a fecha that did not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outlook: Option<Outlook>,
}

/// Where a running month is heading, at the pace of the last seven days, and what packages would cost then.
/// HSM cost the same with any package and are in none of these amounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outlook {
    /// Unique active contacts at the month's end.
    pub uam: u64,
    /// What those above the package cost then.
    pub overage_amount: Money,
    /// What the package and those above it cost then.
    pub cost: Money,
    /// The cheapest package for so many, where that is another one.
    pub better: Option<Offer>,
    /// The next larger package and from how many contacts in a month on it pays, where it ever does.
    pub pays_from: Option<(u64, u64)>,
}

/// A package, and what it and the contacts above it cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// Contacts included.
    pub package: u64,
    /// Without HSM.
    pub cost: Money,
}

impl Outlook {
    /// What a month with `uam` contacts at its end costs; `None` where the table lacks the package.
    #[must_use]
    pub fn of(rates: Rates<'_>, package: u64, uam: u64) -> Option<Self> {
        let advice = Advice::of(rates, uam, &[]).ok()?;
        let cost = advice.choices.iter().find(|choice| choice.package == package)?.month;
        let cheapest = advice.cheapest(|choice| choice.month)?;
        let better = (cheapest.month < cost)
            .then_some(Offer { package: cheapest.package, cost: cheapest.month });
        let next = advice.break_evens.iter().find(|limit| limit.from == package);
        Some(Self {
            uam,
            overage_amount: rates.overage_of(package).times(uam.saturating_sub(package))?,
            cost,
            better,
            pays_from: next.map(|limit| (limit.to, limit.contacts)),
        })
    }
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
    use crate::price::table::tests::table;

    #[test]
    fn the_package_that_pays_is_named() {
        let money = |text: &str| text.parse::<Money>().unwrap();
        let of = |uam| Outlook::of(Rates::without_discount(&table()), 5000, uam).unwrap();
        let calm = of(5412);
        assert_eq!((calm.overage_amount, calm.cost), (money("119.48"), money("1133.48")));
        assert_eq!((calm.better, calm.pays_from), (None, Some((10_000, 7804))));
        assert_eq!(of(7803).better, None);
        let offer = |package, cost| Some(Offer { package, cost: money(cost) });
        assert_eq!(of(7804).better, offer(10_000, "1827.00"));
        // Not the next one: the one that costs least.
        assert_eq!(of(30_000).better, offer(25_000, "5370.00"));
        // A smaller one than the dealership has.
        let large = Outlook::of(Rates::without_discount(&table()), 50_000, 6000).unwrap();
        assert_eq!((large.better, large.pays_from), (offer(5000, "1304.00"), None));
        assert_eq!(Outlook::of(Rates::without_discount(&table()), 7000, 1), None);
    }

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
