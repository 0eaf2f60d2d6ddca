//! What each package of the price table would have cost, and from how many contacts on the next
//! larger one pays.

use serde::{Deserialize, Serialize};

use crate::calendar::month::Month;
use crate::price::item::Amounts;
use crate::price::money::Money;
use crate::price::table::{NoPrice, PriceTable};

/// How many months advice looks at, the invoiced one included.
pub const MONTHS: usize = 6;

/// An invoiced month before the one of an invoice, in the figures that it is compared by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PastMonth {
    /// Which month.
    pub month: Month,
    /// Contacts included.
    pub package: u64,
    /// Unique active contacts.
    pub uam: u64,
    /// Template messages sent.
    pub hsm: u64,
    /// The total of its invoice.
    pub total: Money,
    /// What the total is made of; `None` in an invoice of a fecha that did not keep it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amounts: Option<Amounts>,
}

impl PastMonth {
    /// Contacts above the package.
    #[must_use]
    pub fn overage(&self) -> u64 {
        self.uam.saturating_sub(self.package)
    }
}

/// All packages, by contacts included, and the limits between them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advice {
    /// What each would have cost.
    pub choices: Vec<Choice>,
    /// Where each next larger package begins to pay; left out where it never does.
    pub break_evens: Vec<BreakEven>,
}

/// What a package would have cost: its price and the contacts above it. HSM cost the same with any
/// package and are not in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Choice {
    /// Contacts included.
    pub package: u64,
    /// In the invoiced month.
    pub month: Money,
    /// In all months that were looked at, the invoiced one included.
    pub all_months: Money,
}

/// From this many contacts on `to` costs less than `from`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BreakEven {
    /// The smaller package, in contacts.
    pub from: u64,
    /// The larger one.
    pub to: u64,
    /// The first number of contacts with which it costs less.
    pub contacts: u64,
}

impl Advice {
    /// Advice for a month with `uam` contacts after months with those of `before`, all by the prices
    /// of this table.
    ///
    /// # Errors
    /// [`NoPrice::TooLarge`] where an amount is beyond all bounds.
    pub fn of(prices: &PriceTable, uam: u64, before: &[u64]) -> Result<Self, NoPrice> {
        let choice = |&package: &u64| {
            let month = cost(prices, package, uam)?;
            let mut all_months = month;
            for &uam in before {
                all_months += cost(prices, package, uam)?;
            }
            Ok(Choice { package, month, all_months })
        };
        let packages: Vec<u64> = prices.packages.keys().copied().collect();
        Ok(Self {
            choices: packages.iter().map(choice).collect::<Result<_, _>>()?,
            break_evens: packages
                .windows(2)
                .filter_map(|pair| break_even(prices, pair[0], pair[1]).transpose())
                .collect::<Result<_, _>>()?,
        })
    }

    /// The choice with the lowest `amount`; of equal ones the smallest package. `None` where the
    /// price table is empty.
    pub fn cheapest(&self, amount: impl Fn(&Choice) -> Money) -> Option<Choice> {
        self.choices.iter().min_by_key(|choice| (amount(choice), choice.package)).copied()
    }
}

/// Whether another package would have cost less, over a month and those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// This one would have, by so much.
    Cheaper {
        /// Contacts included.
        package: u64,
        /// Above zero.
        saved: Money,
    },
    /// The one that it had in all these months was the cheapest.
    Cheapest,
    /// No single package would have cost less than those that it had.
    NoneAlone,
}

impl Advice {
    /// What to say to a dealership that has `package` now; `None` where the table lacks a package that it had.
    #[must_use]
    pub fn verdict(
        &self,
        prices: &PriceTable,
        package: u64,
        uam: u64,
        before: &[PastMonth],
    ) -> Option<Verdict> {
        let cheapest = self.cheapest(|choice| choice.all_months)?;
        let saved = held(prices, package, uam, before)? - cheapest.all_months;
        Some(if saved > Money::ZERO {
            Verdict::Cheaper { package: cheapest.package, saved }
        } else if before.iter().all(|past| past.package == package) {
            Verdict::Cheapest
        } else {
            Verdict::NoneAlone
        })
    }
}

/// What a month with `uam` contacts and the months of `before` cost with the packages that each of them had, by
/// the prices of this table; `None` where it lacks one of those.
#[must_use]
pub fn held(prices: &PriceTable, package: u64, uam: u64, before: &[PastMonth]) -> Option<Money> {
    let past = before.iter().map(|past| (past.package, past.uam));
    let months = past.chain([(package, uam)]);
    months.map(|(package, uam)| cost(prices, package, uam).ok()).sum()
}

/// Whether one of these months was priced otherwise than by this table, as far as that is known.
#[must_use]
pub fn is_repriced(prices: &PriceTable, months: &[PastMonth]) -> bool {
    months.iter().any(|past| {
        let charged = past.amounts.map(|amounts| amounts.package + amounts.overage);
        charged.is_some_and(|charged| cost(prices, past.package, past.uam).ok() != Some(charged))
    })
}

fn cost(prices: &PriceTable, package: u64, uam: u64) -> Result<Money, NoPrice> {
    let lines = prices.lines(package, uam, 0)?;
    Ok(lines.iter().map(|line| line.amount).sum())
}

/// The first count of contacts with which the larger package costs less. It lies within that package
/// or nowhere: above it both cost the same for each further contact.
fn break_even(prices: &PriceTable, from: u64, to: u64) -> Result<Option<BreakEven>, NoPrice> {
    let pays = |uam| Ok(cost(prices, to, uam)? < cost(prices, from, uam)?);
    if !pays(to)? {
        return Ok(None);
    }
    // Costs grow with the contacts, so there is one limit; found by halving, because rounding to
    // centavos can move it away from the plain quotient.
    let (mut not_yet, mut contacts) = (0, to);
    if pays(0)? {
        contacts = 0;
    }
    while contacts > not_yet + 1 {
        let middle = not_yet.midpoint(contacts);
        if pays(middle)? {
            contacts = middle;
        } else {
            not_yet = middle;
        }
    }
    Ok(Some(BreakEven { from, to, contacts }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::price::table::tests::table as prices;

    fn limits(prices: &PriceTable) -> Vec<(u64, u64, u64)> {
        let advice = Advice::of(prices, 0, &[]).unwrap();
        advice.break_evens.iter().map(|limit| (limit.from, limit.to, limit.contacts)).collect()
    }

    #[test]
    fn the_next_package_pays_from() {
        let expected = [(5000, 10_000, 7804), (10_000, 25_000, 17_218), (25_000, 50_000, 36_932)];
        assert_eq!(limits(&prices()), expected);
    }

    #[test]
    fn a_package_that_never_pays_has_no_limit() {
        let mut prices = prices();
        prices.packages = [(5000, "1014.00"), (10_000, "2464.00")]
            .map(|(contacts, price)| (contacts, price.parse().unwrap()))
            .into();
        assert_eq!(limits(&prices), []);
        // One centavo less, and it pays with all of its contacts.
        prices.packages.insert(10_000, "2463.99".parse().unwrap());
        assert_eq!(limits(&prices), [(5000, 10_000, 10_000)]);
        // A larger package for less money always pays.
        prices.packages.insert(10_000, "1000.00".parse().unwrap());
        assert_eq!(limits(&prices), [(5000, 10_000, 0)]);
    }

    #[test]
    fn each_package_is_priced_over_the_months() {
        let advice = Advice::of(&prices(), 5123, &[9000, 4000]).unwrap();
        let amounts: Vec<_> = advice
            .choices
            .iter()
            .map(|choice| format!("{} {} {}", choice.package, choice.month, choice.all_months))
            .collect();
        // 1,014.00 + 123 × 0.29; then + 1,014.00 + 4,000 × 0.29, then + 1,014.00.
        assert_eq!(amounts[0], "5000 1049.67 4237.67");
        assert_eq!(amounts[1], "10000 1827.00 5481.00");
        assert_eq!(amounts[3], "50000 7380.00 22140.00");
        assert_eq!(advice.cheapest(|choice| choice.month).unwrap().package, 5000);
    }

    /// Who moves to a larger package is not told that the smaller one would have saved what it did cost.
    #[test]
    fn months_are_held_against_the_packages_that_they_had() {
        let past = |package, uam| PastMonth {
            month: "2026-09".parse().unwrap(),
            package,
            uam,
            hsm: 0,
            total: Money::ZERO,
            amounts: None,
        };
        let before = [past(5000, 5424), past(5000, 6648)];
        // 1,014.00 + 424 × 0.29, 1,014.00 + 1,648 × 0.29, and 1,827.00.
        let cost = held(&prices(), 10_000, 6840, &before).unwrap();
        assert_eq!(cost.to_string(), "4455.88");
        assert_eq!(held(&prices(), 10_000, 6840, &[past(7000, 1)]), None);
        let charged = |package: &str| {
            let package = package.parse().unwrap();
            PastMonth { amounts: Some(Amounts { package, ..Amounts::default() }), ..past(5000, 1) }
        };
        assert!(!is_repriced(&prices(), &[past(7000, 1), charged("1014.00")]));
        assert!(is_repriced(&prices(), &[charged("1000.00")]));
    }

    #[test]
    fn of_equally_cheap_packages_the_smaller_one_is_named() {
        let mut prices = prices();
        prices.packages.insert(6000, "1014.00".parse().unwrap());
        let advice = Advice::of(&prices, 100, &[]).unwrap();
        assert_eq!(advice.cheapest(|choice| choice.month).unwrap().package, 5000);
    }
}
