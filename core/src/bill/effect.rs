//! What each cause of a difference is worth in reais: parts that add up to the whole of it.

use crate::bill::bill::Use;
use crate::bill::difference::{Cause, Difference};
use crate::bill::invoice::Invoice;
use crate::price::money::Money;
use crate::price::rates::Rates;

/// How much of the difference between an invoice and today's month is whose doing, in the order of causes; none that
/// comes to nothing. Where messages came late, others are missing or are of another category, they are one part, of
/// the first of these that wins.
///
/// `used` is what is billed today by the rates of `today`. What was used is priced first, then package and discount changed, then the prices: so that each part is what
/// its cause does to what the causes before left. Other prices because of another list are the contract's doing.
#[must_use]
pub fn effects(
    invoice: &Invoice,
    difference: &Difference,
    today: Rates<'_>,
    used: Use<'_>,
) -> Vec<(Cause, Money)> {
    let (Some(before), Some(now)) = (difference.total.before, difference.total.now) else {
        return Vec::new();
    };
    let causes: Vec<Cause> =
        difference.causes().into_iter().filter(|cause| *cause != Cause::Register).collect();
    let whole = now - before;
    let parts = match causes.as_slice() {
        [] => Vec::new(),
        [only] => vec![(*only, whole)],
        _ => apart(invoice, today, used, &causes, whole),
    };
    parts.into_iter().filter(|(_, amount)| *amount != Money::ZERO).collect()
}

fn apart(
    invoice: &Invoice,
    today: Rates<'_>,
    now: Use<'_>,
    causes: &[Cause],
    whole: Money,
) -> Vec<(Cause, Money)> {
    let then = invoice.rates().unwrap_or(today);
    // A package that a table does not sell changes nothing until the table does.
    let priced = |rates: Rates<'_>, used: Use<'_>, or: Money| rates.cost(used).unwrap_or(or);
    let invoiced = invoice.amounts().by_table();
    let as_agreed = Use { package: invoice.package, numbers: &invoice.numbers, ..now };
    let used = priced(then, as_agreed, invoiced);
    let moved = priced(Rates { discount: today.discount, ..then }, now, used);
    let priced_anew = priced(today, now, moved);
    let counted = if used < invoiced { Cause::Loss } else { Cause::Late };
    let counted = [counted, Cause::Late, Cause::Loss, Cause::Category, Cause::Rules];
    let has = |cause: &&Cause| causes.contains(cause);
    let first = causes.first().copied().unwrap_or(Cause::Adjustment);
    let of = |wanted: &[Cause]| wanted.iter().find(has).copied().unwrap_or(first);
    let parts = [
        (of(&counted), used - invoiced),
        (of(&[Cause::Contract]), moved - used),
        (of(&[Cause::Price, Cause::Contract]), priced_anew - moved),
        (of(&[Cause::Adjustment]), whole - (priced_anew - invoiced)),
    ];
    let sum = |cause: Cause| -> Money {
        parts.iter().filter(|(of, _)| *of == cause).map(|(_, amount)| *amount).sum()
    };
    causes.iter().map(|cause| (*cause, sum(*cause))).collect()
}
