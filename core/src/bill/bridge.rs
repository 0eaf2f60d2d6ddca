//! Why a total is another one than last month's: the way from one to the other, in steps that add up.

use crate::bill::bill::Use;
use crate::bill::invoice::Invoice;
use crate::calendar::month::Month;
use crate::price::advice::PastMonth;
use crate::price::item::{Amounts, Column};
use crate::price::money::{Money, grouped};
use crate::price::table::PriceTable;

/// The way from the total of an earlier invoice to that of this one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bridge {
    /// The invoiced month that it starts from.
    pub from: Month,
    /// Its total.
    pub before: Money,
    /// What changed, in the order of an invoice's lines; `None` where the earlier invoice did not keep of what
    /// its total is made.
    pub steps: Option<Vec<Step>>,
    /// The total of this invoice: that of the earlier one and all steps.
    pub now: Money,
}

/// One column of an invoice that comes to another amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// Which one.
    pub column: Column,
    /// Other messages or licences are in it, where it is that of other lines.
    pub has_entries: bool,
    /// How many there were and are; of the package the contacts included. `None` of what is not counted.
    pub counts: Option<(u64, u64)>,
    /// The price of one changed too, or alone.
    pub is_repriced: bool,
    /// By how much; never zero.
    pub change: Money,
}

impl Bridge {
    /// From the last invoiced month that the invoice knows of; `None` in a first invoice.
    #[must_use]
    pub fn of(invoice: &Invoice) -> Option<Self> {
        let past = invoice.history.last()?;
        Some(Self::between(past, invoice.used(), invoice.amounts(), invoice.prices.as_ref()))
    }

    /// From `past` to a use that comes to `amounts` by `prices`.
    fn between(
        past: &PastMonth,
        used: Use<'_>,
        amounts: Amounts,
        prices: Option<&PriceTable>,
    ) -> Self {
        // Of templates that cost different prices, or nothing, no single price can have changed.
        let is_told_apart = !used.sent.is_empty() || prices.is_some_and(PriceTable::is_by_category);
        let counts = |column| match column {
            Column::Package => Some((past.package, used.package)),
            Column::Overage => Some((past.overage(), used.overage())),
            Column::Hsm => Some((past.hsm, used.hsm)),
            Column::Other | Column::Adjustments => None,
        };
        let has_entries = prices.is_some_and(PriceTable::has_entries);
        let step = |(column, before), now: Money| Step {
            column,
            has_entries,
            counts: counts(column),
            is_repriced: counts(column)
                .filter(|_| column != Column::Hsm || !is_told_apart)
                .is_some_and(|counts| is_repriced(prices, column, past, counts, before)),
            change: now - before,
        };
        let steps = past.amounts.map(|before| {
            let both = before.each().into_iter().zip(amounts.each());
            let steps = both.map(|(before, (_, now))| step(before, now));
            steps.filter(|step| step.change != Money::ZERO).collect()
        });
        Self { from: past.month, before: past.total, steps, now: amounts.total() }
    }

    /// `R$ 49,47 a mais que em setembro`, `o mesmo total que em setembro`.
    #[must_use]
    pub fn in_portuguese(&self) -> String {
        let (change, from) = (self.change(), self.from.name());
        match change.centavos() {
            0 => format!("o mesmo total que em {from}"),
            1.. => format!("{} a mais que em {from}", change.brl()),
            _ => format!("{} a menos que em {from}", (-change).brl()),
        }
    }

    /// What the total rose by; below zero where it fell.
    #[must_use]
    pub fn change(&self) -> Money {
        self.now - self.before
    }
}

impl Step {
    /// `Contatos acima do pacote: 0 → 123`, and that the price changed, where it did.
    #[must_use]
    pub fn in_portuguese(&self) -> String {
        let what = match self.column {
            Column::Package => "Pacote",
            Column::Overage => "Contatos acima do pacote",
            Column::Hsm => "Mensagens de modelo",
            Column::Other if self.has_entries => "Outras mensagens, licenças e desconto",
            Column::Other => "Desconto do contrato",
            Column::Adjustments => "Créditos e cobranças",
        };
        let counts = self.counts.filter(|(then, now)| then != now);
        let counts =
            counts.map(|(then, now)| format!(": {}\u{a0}→\u{a0}{}", grouped(then), grouped(now)));
        let counts = counts.unwrap_or_default();
        let price = match (self.is_repriced, counts.is_empty()) {
            (false, _) => "",
            (true, true) => ": preço novo",
            (true, false) => ", preço novo",
        };
        format!("{what}{counts}{price}")
    }

    /// `+ R$ 35,67`, `− R$ 35,67`.
    #[must_use]
    pub fn signed(&self) -> String {
        let (sign, amount) =
            if self.change < Money::ZERO { ('−', -self.change) } else { ('+', self.change) };
        format!("{sign}\u{a0}{}", amount.brl())
    }
}

/// Whether what was charged then would be another amount by today's prices.
fn is_repriced(
    prices: Option<&PriceTable>,
    column: Column,
    past: &PastMonth,
    (then, now): (u64, u64),
    before: Money,
) -> bool {
    let today = prices.and_then(|prices| match column {
        Column::Package => prices.packages.get(&then).copied(),
        Column::Overage => prices.overage_of(past.package).times(then),
        Column::Hsm => prices.hsm.times(then),
        Column::Other | Column::Adjustments => None,
    });
    // The package of then is sold no more, or the table was not kept: equal counts tell.
    today.map_or(then == now, |today| today != before)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::price::table::tests::table;

    const PRICES: fn() -> PriceTable = table;

    fn amounts(used: Use<'_>, prices: &PriceTable) -> Amounts {
        Amounts::of(&prices.lines(used).unwrap())
    }

    fn used(package: u64, uam: u64, hsm: u64) -> Use<'static> {
        Use::plain(package, uam, hsm)
    }

    /// The way from a month that was priced by `then` to one by the table of spec §2.
    fn bridge(before: Use<'_>, then: &PriceTable, now: Use<'_>) -> Bridge {
        let of = amounts(before, then);
        let Use { package, uam, hsm, .. } = before;
        let month = "2026-09".parse().unwrap();
        let past = PastMonth { month, package, uam, hsm, total: of.total(), amounts: Some(of) };
        Bridge::between(&past, now, amounts(now, &PRICES()), Some(&PRICES()))
    }

    fn told(bridge: &Bridge) -> Vec<String> {
        let one = |step: &Step| {
            let price = if step.is_repriced { ", repriced" } else { "" };
            let (then, now) = step.counts.unwrap_or_default();
            format!("{:?} {then} → {now}: {}{price}", step.column, step.change)
        };
        bridge.steps.iter().flatten().map(one).collect()
    }

    /// Within the package and 280 HSM in September, then the example of spec §3.4.
    #[test]
    fn each_column_that_changed_is_a_step() {
        let bridge = bridge(used(5000, 4990, 280), &PRICES(), used(5000, 5123, 310));
        assert_eq!(bridge.before.to_string(), "1142.80");
        assert_eq!(bridge.now.to_string(), "1192.27");
        assert_eq!(bridge.change().to_string(), "49.47");
        assert_eq!(told(&bridge), ["Overage 0 → 123: 35.67", "Hsm 280 → 310: 13.80"]);
    }

    #[test]
    fn a_changed_price_is_told_from_a_changed_count() {
        let mut then = PRICES();
        let moved = bridge(used(5000, 5100, 280), &then, used(10_000, 5100, 280));
        assert_eq!(told(&moved), ["Package 5000 → 10000: 813.00", "Overage 100 → 0: -29.00"]);

        then.hsm = "0.40".parse().unwrap();
        let dearer = bridge(used(5000, 10, 280), &then, used(5000, 10, 280));
        assert_eq!(told(&dearer), ["Hsm 280 → 280: 16.80, repriced"]);
        // A package that is sold no more says nothing of today's price.
        then.packages.insert(7000, "1200.00".parse().unwrap());
        let gone = bridge(used(7000, 10, 0), &then, used(10_000, 10, 0));
        assert_eq!(told(&gone), ["Package 7000 → 10000: 627.00"]);
    }

    #[test]
    fn credits_are_a_step_and_what_was_not_kept_is_not_guessed() {
        let now = used(5000, 10, 0);
        let mut of = amounts(now, &PRICES());
        of.adjustments = "-120.00".parse().unwrap();
        let month = "2026-09".parse().unwrap();
        let mut past = PastMonth {
            month,
            package: 5000,
            uam: 10,
            hsm: 0,
            total: of.total(),
            amounts: Some(of),
        };
        let to = |past: &PastMonth| Bridge::between(past, now, amounts(now, &PRICES()), None);
        assert_eq!(told(&to(&past)), ["Adjustments 0 → 0: 120.00"]);
        past.amounts = None;
        assert_eq!(
            (to(&past).steps.clone(), to(&past).change().to_string()),
            (None, "120.00".into())
        );
    }

    proptest! {
        #[test]
        fn steps_add_up_to_the_change(
            before in (prop_oneof![Just(5000_u64), Just(10_000)], 0_u64..20_000, 0_u64..9000),
            now in (prop_oneof![Just(5000_u64), Just(25_000)], 0_u64..30_000, 0_u64..9000),
        ) {
            let of = |(package, uam, hsm)| used(package, uam, hsm);
            let bridge = bridge(of(before), &PRICES(), of(now));
            let steps: Money = bridge.steps.iter().flatten().map(|step| step.change).sum();
            prop_assert_eq!(bridge.before + steps, bridge.now);
        }
    }
}
