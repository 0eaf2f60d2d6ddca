//! What each package of a dealership's price table would have cost, and from how many contacts on the next
//! larger one pays.

use serde::{Deserialize, Serialize};

use crate::bill::bill::Use;
use crate::calendar::month::Month;
use crate::price::item::Amounts;
use crate::price::money::Money;
use crate::price::rates::Rates;
use crate::price::table::NoPrice;

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
    /// Advice for a month with `uam` contacts after months with those of `before`, all by these
    /// rates, their discount included.
    ///
    /// # Errors
    /// [`NoPrice::TooLarge`] where an amount is beyond all bounds.
    pub fn of(rates: Rates<'_>, uam: u64, before: &[u64]) -> Result<Self, NoPrice> {
        let choice = |&package: &u64| {
            let month = cost(rates, package, uam)?;
            let mut all_months = month;
            for &uam in before {
                all_months += cost(rates, package, uam)?;
            }
            Ok(Choice { package, month, all_months })
        };
        let packages: Vec<u64> = rates.table.packages.keys().copied().collect();
        Ok(Self {
            choices: packages.iter().map(choice).collect::<Result<_, _>>()?,
            break_evens: packages
                .windows(2)
                .filter_map(|pair| break_even(rates, pair[0], pair[1]).transpose())
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
        rates: Rates<'_>,
        package: u64,
        uam: u64,
        before: &[PastMonth],
    ) -> Option<Verdict> {
        let cheapest = self.cheapest(|choice| choice.all_months)?;
        let saved = held(rates, package, uam, before)? - cheapest.all_months;
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
/// these rates; `None` where it lacks one of those.
#[must_use]
pub fn held(rates: Rates<'_>, package: u64, uam: u64, before: &[PastMonth]) -> Option<Money> {
    let past = before.iter().map(|past| (past.package, past.uam));
    let months = past.chain([(package, uam)]);
    months.map(|(package, uam)| cost(rates, package, uam).ok()).sum()
}

/// Whether one of these months was priced otherwise than by these rates, as far as that is known.
#[must_use]
pub fn is_repriced(rates: Rates<'_>, months: &[PastMonth]) -> bool {
    let full = Rates::without_discount(rates.table);
    // With other messages and licences beside it, what was granted is not known apart.
    let has_entries = rates.table.has_entries();
    months.iter().any(|past| {
        past.amounts.is_some_and(|Amounts { package, overage, hsm, other, adjustments: _ }| {
            cost(full, past.package, past.uam).ok() != Some(package + overage)
                || !has_entries && -rates.discount.of(package + overage + hsm) != other
        })
    })
}

fn cost(rates: Rates<'_>, package: u64, uam: u64) -> Result<Money, NoPrice> {
    rates.cost(Use::plain(package, uam, 0))
}

/// So many contacts has no dealership: what pays only above it never does.
const MOST_CONTACTS: u64 = 1 << 32;

/// The first count of contacts from which on the larger package costs less. Where each further contact costs
/// the same above both, it lies within that package or nowhere; where one costs less above the larger package, it
/// may lie beyond it; where one costs more, the larger package does not pay for good, and nothing is said of it.
fn break_even(rates: Rates<'_>, from: u64, to: u64) -> Result<Option<BreakEven>, NoPrice> {
    let pays = |uam| Ok(cost(rates, to, uam)? < cost(rates, from, uam)?);
    let (above_from, above_to) = (rates.table.overage_of(from), rates.table.overage_of(to));
    if above_to > above_from {
        return Ok(None);
    }
    // Costs grow with the contacts, so there is one limit; found by halving, because rounding to
    // centavos can move it away from the plain quotient.
    let (mut not_yet, mut contacts) = (0, to);
    while !pays(contacts)? {
        if above_to == above_from || contacts > MOST_CONTACTS {
            return Ok(None);
        }
        (not_yet, contacts) = (contacts, contacts * 2);
    }
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
    use crate::price::table::PriceTable;
    use crate::price::table::tests::table as prices;

    fn limits(prices: &PriceTable) -> Vec<(u64, u64, u64)> {
        let advice = Advice::of(Rates::without_discount(prices), 0, &[]).unwrap();
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
    fn a_package_with_a_cheaper_overage_may_pay_beyond_itself() {
        let mut prices = prices();
        prices.packages = [(5000, "1014.00"), (10_000, "2500.00")]
            .map(|(contacts, price)| (contacts, price.parse().unwrap()))
            .into();
        prices.own_overage = [(10_000, "0.25".parse().unwrap())].into();
        // 1014 + 0.29 (n − 5000) > 2500 + 0.25 (n − 10000) from n = 10,901 on: both cost 2,725.00 at 10,900.
        assert_eq!(limits(&prices), [(5000, 10_000, 10_901)]);
        // Dearer beyond itself: it pays for a while, and not for good.
        prices.own_overage = [(10_000, "0.30".parse().unwrap())].into();
        prices.packages.insert(10_000, "1827.00".parse().unwrap());
        assert_eq!(limits(&prices), []);
    }

    #[test]
    fn each_package_is_priced_over_the_months() {
        let advice = Advice::of(Rates::without_discount(&prices()), 5123, &[9000, 4000]).unwrap();
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
        let prices = prices();
        let rates = Rates::without_discount(&prices);
        let cost = held(rates, 10_000, 6840, &before).unwrap();
        assert_eq!(cost.to_string(), "4455.88");
        assert_eq!(held(rates, 10_000, 6840, &[past(7000, 1)]), None);
        let charged = |package: &str| {
            let package = package.parse().unwrap();
            PastMonth { amounts: Some(Amounts { package, ..Amounts::default() }), ..past(5000, 1) }
        };
        assert!(!is_repriced(rates, &[past(7000, 1), charged("1014.00")]));
        assert!(is_repriced(rates, &[charged("1000.00")]));
        let granted = Rates { discount: "10".parse().unwrap(), ..rates };
        assert!(is_repriced(granted, &[charged("1014.00")]));
        let mut past = charged("1014.00");
        past.amounts.as_mut().unwrap().other = "-101.40".parse().unwrap();
        assert!(!is_repriced(granted, &[past.clone()]));
        assert!(is_repriced(rates, &[past]));
    }

    #[test]
    fn of_equally_cheap_packages_the_smaller_one_is_named() {
        let mut prices = prices();
        prices.packages.insert(6000, "1014.00".parse().unwrap());
        let advice = Advice::of(Rates::without_discount(&prices), 100, &[]).unwrap();
        assert_eq!(advice.cheapest(|choice| choice.month).unwrap().package, 5000);
    }
}
