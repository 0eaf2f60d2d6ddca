//! What becomes of a payment that is to be recorded: new, known already, or refused (spec §2 *Account*).

use chrono::NaiveDate;

use crate::account::payment::{Kind, Payment};
use crate::bill::invoice::Number;
use crate::price::money::Money;

/// A payment to be recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its own invoice; `None` for money put on account.
    pub number: Option<Number>,
    /// The day on the bank statement.
    pub on: NaiveDate,
    /// `None` is all that is open.
    pub amount: Option<Money>,
    /// What it is.
    pub kind: Kind,
    /// The bank's.
    pub reference: Option<String>,
    /// Who says so.
    pub source: Source,
}

/// Where an entry comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// A person, who says whether it is one more payment that equals another.
    Person {
        /// It is.
        again: bool,
    },
    /// A line of a file, which may be read again: of lines that are equal in it the `ordinal`th, from 1.
    File {
        /// Which one.
        ordinal: u32,
    },
}

/// What becomes of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// It is new: so much, of which so much settles its own invoice. The rest waits.
    Record {
        /// What came in.
        amount: Money,
        /// What settles the invoice.
        settles: Money,
        /// Which of equal ones it is.
        ordinal: u32,
    },
    /// It is recorded already, or there is nothing open to pay.
    Known,
    /// It is recorded already, without the bank's reference: this one gets it.
    KnownNow {
        /// Which payment.
        id: String,
    },
    /// The file names a reference that a person took back: not recorded again, but shown.
    TakenBack {
        /// Which payment.
        id: String,
    },
}

/// Why an entry is not recorded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Objection {
    /// A day that has not come.
    #[error("{0} is in the future")]
    InFuture(NaiveDate),
    /// Money does not come in below zero.
    #[error("{0} is below zero")]
    BelowZero(Money),
    /// Nothing.
    #[error("an amount of zero pays nothing")]
    Zero,
    /// Withheld tax or a discount beyond what is open.
    #[error(
        "{kind} of {} is more than the {} that are open of {number}: it settles its own invoice only",
        .amount.brl(), .open.brl()
    )]
    MoreThanOpen {
        /// The invoice.
        number: Number,
        /// What it is.
        kind: Kind,
        /// So much.
        amount: Money,
        /// Of so much.
        open: Money,
    },
    /// It equals one that is recorded.
    #[error(
        "{} on {on} is recorded already ({id}): if the same was paid once more, say so with --again, or give each its bank's reference with --reference",
        .amount.brl()
    )]
    Equal {
        /// The other.
        id: String,
        /// Of both.
        amount: Money,
        /// Of both.
        on: NaiveDate,
    },
    /// Only money can be put on account.
    #[error("{0} settles an invoice of its own: name the number")]
    NotOnAccount(Kind),
    /// Nothing says how much.
    #[error("money on account needs --amount")]
    NoAmount,
}

/// Decides about an entry for an invoice of which `open` is open, or for the account; `payments` are the
/// dealership's, as they will be once what was decided before is recorded.
///
/// # Errors
/// [`Objection`], which says what to do.
pub fn decide(
    entry: &Entry,
    payments: &[Payment],
    open: Money,
    today: NaiveDate,
) -> Result<Decision, Objection> {
    if entry.on > today {
        return Err(Objection::InFuture(entry.on));
    }
    if let Some(amount) = entry.amount {
        if amount < Money::ZERO {
            return Err(Objection::BelowZero(amount));
        }
        if amount == Money::ZERO {
            return Err(Objection::Zero);
        }
    }
    let same = |payment: &&Payment| payment.number == entry.number && payment.kind == entry.kind;
    let own: Vec<&Payment> = payments.iter().filter(same).collect();
    if let Some(reference) = &entry.reference
        && let Some(known) = by_reference(entry, &own, reference)
    {
        return Ok(known);
    }
    let equal: Vec<&&Payment> = own.iter().filter(|payment| is_equal(entry, payment)).collect();
    let ordinal = match entry.source {
        // Of what a person took back a person may enter the same again.
        Source::Person { .. } => equal.iter().map(|payment| payment.ordinal).max().unwrap_or(0) + 1,
        Source::File { ordinal } if entry.reference.is_none() => {
            if equal.len() >= ordinal as usize {
                return Ok(Decision::Known);
            }
            ordinal
        }
        Source::File { .. } => 1,
    };
    let Some(amount) = entry.amount.or_else(|| entry.number.map(|_| open)) else {
        return Err(Objection::NoAmount);
    };
    if amount == Money::ZERO {
        return Ok(Decision::Known);
    }
    may_stand(entry, amount, open)?;
    if let Source::Person { again: false } = entry.source
        && entry.reference.is_none()
        && let Some(other) = equal.iter().find(|other| !other.undone && other.amount == amount)
    {
        let (id, on) = (other.id.clone(), entry.on);
        return Err(Objection::Equal { id, amount, on });
    }
    let settles = match entry.kind {
        Kind::Interest => Money::ZERO,
        _ if entry.number.is_none() => Money::ZERO,
        _ => amount.min(open),
    };
    Ok(Decision::Record { amount, settles, ordinal })
}

/// Whether it is that payment again, as far as a list without references can tell; an empty amount says
/// nothing of it.
fn is_equal(entry: &Entry, payment: &Payment) -> bool {
    payment.on == entry.on && entry.amount.is_none_or(|amount| amount == payment.amount)
}

fn by_reference(entry: &Entry, own: &[&Payment], reference: &str) -> Option<Decision> {
    let mut named = own.iter().filter(|payment| payment.reference.as_deref() == Some(reference));
    if named.clone().any(|payment| !payment.undone) {
        return Some(Decision::Known);
    }
    if let (Some(undone), Source::File { .. }) = (named.next(), entry.source) {
        return Some(Decision::TakenBack { id: undone.id.clone() });
    }
    let unnamed = own
        .iter()
        .find(|payment| payment.reference.is_none() && !payment.undone && is_equal(entry, payment));
    unnamed.map(|payment| Decision::KnownNow { id: payment.id.clone() })
}

fn may_stand(entry: &Entry, amount: Money, open: Money) -> Result<(), Objection> {
    let kind = entry.kind;
    match entry.number {
        Some(number) if kind.is_own_only() && amount > open => {
            Err(Objection::MoreThanOpen { number, kind, amount, open })
        }
        None if kind != Kind::Money => Err(Objection::NotOnAccount(kind)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::account::payment::tests::payment;

    const N1: Number = Number { year: 2026, sequence: 1 };
    const TODAY: &str = "2026-11-20";

    fn entry(amount: &str, source: Source) -> Entry {
        Entry {
            number: Some(N1),
            on: "2026-11-10".parse().unwrap(),
            amount: (!amount.is_empty()).then(|| amount.parse().unwrap()),
            kind: Kind::Money,
            reference: None,
            source,
        }
    }

    fn decided(entry: &Entry, payments: &[Payment], open: &str) -> Result<Decision, Objection> {
        decide(entry, payments, open.parse().unwrap(), TODAY.parse().unwrap())
    }

    fn recorded(amount: &str, settles: &str, ordinal: u32) -> Result<Decision, Objection> {
        let (amount, settles) = (amount.parse().unwrap(), settles.parse().unwrap());
        Ok(Decision::Record { amount, settles, ordinal })
    }

    const ONCE: Source = Source::Person { again: false };
    const AGAIN: Source = Source::Person { again: true };

    // Two Pix of R$ 507,00 on one day: the second was dropped by 0.1, in silence.
    #[test]
    fn two_equal_payments_are_two_where_somebody_says_so() {
        let first = [payment("a", "2026-11-10", "507.00", Kind::Money)];
        let refused = decided(&entry("507.00", ONCE), &first, "507.00").unwrap_err();
        assert!(refused.to_string().contains("--again"), "{refused}");
        assert_eq!(
            decided(&entry("507.00", AGAIN), &first, "507.00"),
            recorded("507.00", "507.00", 2)
        );
        let line = |ordinal| entry("507.00", Source::File { ordinal });
        assert_eq!(decided(&line(1), &first, "507.00"), Ok(Decision::Known));
        assert_eq!(decided(&line(2), &first, "507.00"), recorded("507.00", "507.00", 2));
    }

    #[test]
    fn what_is_more_than_open_waits_and_withheld_tax_is_refused() {
        assert_eq!(decided(&entry("500.00", ONCE), &[], "300.00"), recorded("500.00", "300.00", 1));
        let tax = Entry { kind: Kind::Iss, ..entry("500.00", ONCE) };
        assert!(matches!(decided(&tax, &[], "300.00"), Err(Objection::MoreThanOpen { .. })));
        let interest = Entry { kind: Kind::Interest, ..entry("5.00", ONCE) };
        assert_eq!(decided(&interest, &[], "300.00"), recorded("5.00", "0.00", 1));
    }

    // A bank's file with an empty amount, read again after a revision: R$ 46,00 were recorded that nobody paid.
    #[test]
    fn a_line_without_an_amount_is_read_again_for_nothing() {
        let line = entry("", Source::File { ordinal: 1 });
        assert_eq!(decided(&line, &[], "1014.00"), recorded("1014.00", "1014.00", 1));
        let paid = [payment("a", "2026-11-10", "1014.00", Kind::Money)];
        assert_eq!(decided(&line, &paid, "46.00"), Ok(Decision::Known));
        assert_eq!(decided(&entry("", ONCE), &paid, "0.00"), Ok(Decision::Known));
        // A person who pays what is open means it.
        assert_eq!(decided(&entry("", ONCE), &paid, "46.00"), recorded("46.00", "46.00", 2));
    }

    #[test]
    fn a_reference_is_one_payment_of_an_invoice() {
        let named = |source| Entry { reference: Some("E1".to_owned()), ..entry("50.00", source) };
        let mut known = payment("a", "2026-11-10", "50.00", Kind::Money);
        assert_eq!(
            decided(&named(ONCE), std::slice::from_ref(&known), "100.00"),
            Ok(Decision::KnownNow { id: "a".to_owned() })
        );
        known.reference = Some("E1".to_owned());
        assert_eq!(
            decided(&named(ONCE), std::slice::from_ref(&known), "100.00"),
            Ok(Decision::Known)
        );
        // Another reference is another payment, on the same day and of the same amount.
        let other = Entry { reference: Some("E2".to_owned()), ..named(ONCE) };
        assert_eq!(
            decided(&other, std::slice::from_ref(&known), "100.00"),
            recorded("50.00", "50.00", 2)
        );
        known.undone = true;
        let file = Source::File { ordinal: 1 };
        assert_eq!(
            decided(&named(file), std::slice::from_ref(&known), "100.00"),
            Ok(Decision::TakenBack { id: "a".to_owned() })
        );
        assert_eq!(decided(&named(ONCE), &[known], "100.00"), recorded("50.00", "50.00", 2));
    }

    #[rstest]
    #[case(Entry { on: "2026-11-21".parse().unwrap(), ..entry("1.00", ONCE) })]
    #[case(entry("-1.00", ONCE))]
    #[case(entry("0.00", ONCE))]
    #[case(Entry { number: None, ..entry("", ONCE) })]
    #[case(Entry { number: None, kind: Kind::Discount, ..entry("1.00", ONCE) })]
    fn is_refused(#[case] entry: Entry) {
        assert!(decided(&entry, &[], "100.00").is_err());
    }
}
