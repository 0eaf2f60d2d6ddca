//! What becomes of a payment that is to be recorded: new, known already, or refused (spec §2 *Account*).

use chrono::{Datelike as _, NaiveDate};

use crate::account::payment::{Kind, Payment};
use crate::account::reference::{BadReference, can_be_reference};
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
        /// A person says that it counts, although one like it was taken back or entered by hand.
        again: bool,
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
    /// It is recorded already.
    Known,
    /// All that is open is to be paid, and nothing is.
    NothingOpen,
    /// It is recorded already, without the bank's reference: this one gets it.
    KnownNow {
        /// Which payment.
        id: String,
    },
    /// A file has what a person took back: not recorded again, but shown.
    TakenBack {
        /// Which payment.
        id: String,
    },
    /// A file names a reference that is recorded with another day or amount: shown.
    Differs {
        /// Which payment.
        id: String,
    },
    /// A file has a reference that cannot be kept: shown.
    Unnamed {
        /// What is wrong with it.
        why: BadReference,
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
    /// More than anybody pays.
    #[error("{} is more than can be: write it in reais, with a point before the centavos", .0.brl())]
    TooMuch(Money),
    /// A day before there was such an invoice.
    #[error("{0} is before the year 2000")]
    TooLongAgo(NaiveDate),
    /// What interest is, nobody can know from what is open.
    #[error("interest needs --amount")]
    HowMuchInterest,
    /// The reference is that of a payment of another day or amount.
    #[error("the reference {reference} is that of payment {id}, of another day or amount")]
    OtherReference {
        /// The bank's.
        reference: String,
        /// The other payment.
        id: String,
    },
    /// It equals one that is recorded.
    #[error(
        "{} on {on} is recorded already ({id}): if the same was paid once more, say so with --again",
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
    /// The reference cannot be kept.
    #[error(transparent)]
    Reference(#[from] BadReference),
}

/// The most that is taken for a payment: R$ 9.999.999.999.999,99.
const MOST: Money = Money::from_centavos(999_999_999_999_999);

/// Decides about an entry for an invoice of which `open` is open, or for the account; `payments` are the
/// dealership's, as they will be once what was decided before is recorded: those have no id yet.
///
/// # Errors
/// [`Objection`], which says what to do.
pub fn decide(
    entry: &Entry,
    payments: &[Payment],
    open: Money,
    today: NaiveDate,
) -> Result<Decision, Objection> {
    can_be(entry, today)?;
    let known = known(entry, payments)?;
    // What an earlier fecha kept is known still, whatever its reference.
    if let (None | Some(Decision::KnownNow { .. }), Some(reference)) = (&known, &entry.reference)
        && let Err(why) = can_be_reference(reference)
    {
        return match entry.source {
            Source::Person { .. } => Err(why.into()),
            Source::File { .. } => Ok(Decision::Unnamed { why }),
        };
    }
    if let Some(known) = known {
        return Ok(known);
    }
    let equal = equals(entry, payments);
    let ordinal = equal.iter().map(|payment| payment.ordinal).max().unwrap_or(0) + 1;
    let Some(amount) = entry.amount.or_else(|| entry.number.map(|_| open)) else {
        return Err(Objection::NoAmount);
    };
    if amount == Money::ZERO {
        return Ok(Decision::NothingOpen);
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

/// Whether an entry can be a payment at all.
fn can_be(entry: &Entry, today: NaiveDate) -> Result<(), Objection> {
    if entry.on > today {
        return Err(Objection::InFuture(entry.on));
    }
    if entry.on.year() < 2000 {
        return Err(Objection::TooLongAgo(entry.on));
    }
    match entry.amount {
        Some(amount) if amount < Money::ZERO => Err(Objection::BelowZero(amount)),
        Some(Money::ZERO) => Err(Objection::Zero),
        Some(amount) if amount > MOST => Err(Objection::TooMuch(amount)),
        None if entry.kind == Kind::Interest => Err(Objection::HowMuchInterest),
        _ => Ok(()),
    }
}

/// What is known of an entry, by its reference or as the k-th equal line of a file; `None` where it is new.
///
/// # Errors
/// [`Objection::OtherReference`].
pub fn known(entry: &Entry, payments: &[Payment]) -> Result<Option<Decision>, Objection> {
    if let Some(reference) = &entry.reference {
        return by_reference(entry, payments, reference);
    }
    let Source::File { ordinal, again } = entry.source else { return Ok(None) };
    let (undone, stands): (Vec<_>, Vec<_>) =
        equals(entry, payments).into_iter().partition(|payment| payment.undone);
    let ordinal = ordinal as usize;
    if stands.len() >= ordinal {
        return Ok(Some(Decision::Known));
    }
    // As many more as a person took back: perhaps that one.
    let taken_back = undone.get(ordinal - stands.len() - 1).filter(|_| !again);
    Ok(taken_back.map(|payment| Decision::TakenBack { id: payment.id.clone() }))
}

fn own<'a>(entry: &Entry, payments: &'a [Payment]) -> impl Iterator<Item = &'a Payment> {
    let (number, kind) = (entry.number, entry.kind);
    payments.iter().filter(move |payment| payment.number == number && payment.kind == kind)
}

/// Those that it may be again, as far as a list without references can tell. An empty amount says nothing of
/// it; beside it in one file stand others of that day.
fn equals<'a>(entry: &Entry, payments: &'a [Payment]) -> Vec<&'a Payment> {
    let is_equal = |payment: &&Payment| {
        payment.on == entry.on
            && entry.amount.map_or(!payment.id.is_empty(), |amount| amount == payment.amount)
    };
    own(entry, payments).filter(is_equal).collect()
}

fn by_reference(
    entry: &Entry,
    payments: &[Payment],
    reference: &str,
) -> Result<Option<Decision>, Objection> {
    let mut named = own(entry, payments)
        .filter(|payment| payment.reference.as_deref() == Some(reference))
        .collect::<Vec<_>>();
    let is_file = matches!(entry.source, Source::File { .. });
    if let Some(stands) = named.iter().find(|payment| !payment.undone) {
        let id = stands.id.clone();
        let same =
            entry.amount.is_none_or(|amount| (amount, entry.on) == (stands.amount, stands.on));
        return match (same, is_file) {
            (true, _) => Ok(Some(Decision::Known)),
            (false, true) => Ok(Some(Decision::Differs { id })),
            (false, false) => {
                Err(Objection::OtherReference { reference: reference.to_owned(), id })
            }
        };
    }
    let again = match entry.source {
        Source::Person { again } | Source::File { again, .. } => again,
    };
    if again {
        return Ok(None);
    }
    if let (Some(undone), true) = (named.pop(), is_file) {
        return Ok(Some(Decision::TakenBack { id: undone.id.clone() }));
    }
    // In one file a line with and one without a reference are two payments.
    let unnamed = equals(entry, payments)
        .into_iter()
        .find(|payment| payment.reference.is_none() && !payment.undone && !payment.id.is_empty());
    Ok(unnamed.map(|payment| Decision::KnownNow { id: payment.id.clone() }))
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

    #[expect(clippy::unnecessary_wraps, reason = "compared with what is decided")]
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
        let line = |ordinal| entry("507.00", Source::File { ordinal, again: false });
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
        let line = entry("", Source::File { ordinal: 1, again: false });
        assert_eq!(decided(&line, &[], "1014.00"), recorded("1014.00", "1014.00", 1));
        let paid = [payment("a", "2026-11-10", "1014.00", Kind::Money)];
        assert_eq!(decided(&line, &paid, "46.00"), Ok(Decision::Known));
        assert_eq!(decided(&entry("", ONCE), &paid, "0.00"), Ok(Decision::NothingOpen));
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
        let file = Source::File { ordinal: 1, again: false };
        assert_eq!(
            decided(&named(file), std::slice::from_ref(&known), "100.00"),
            Ok(Decision::TakenBack { id: "a".to_owned() })
        );
        assert_eq!(decided(&named(ONCE), &[known], "100.00"), recorded("50.00", "50.00", 2));
    }

    #[test]
    fn a_reference_that_cannot_be_read_is_refused_unless_it_is_known() {
        let long = "x".repeat(101);
        let named = |source| Entry { reference: Some(long.clone()), ..entry("50.00", source) };
        let why = BadReference::TooLong(101);
        assert_eq!(decided(&named(ONCE), &[], "100.00"), Err(Objection::Reference(why)));
        let file = Source::File { ordinal: 1, again: false };
        assert_eq!(decided(&named(file), &[], "100.00"), Ok(Decision::Unnamed { why }));
        let mut known = payment("a", "2026-11-10", "50.00", Kind::Money);
        let all = std::slice::from_ref(&known);
        assert_eq!(decided(&named(file), all, "100.00"), Ok(Decision::Unnamed { why }));
        known.reference = Some(long.clone());
        assert_eq!(decided(&named(file), &[known], "100.00"), Ok(Decision::Known));
    }

    #[test]
    fn a_reference_of_another_payment_is_told() {
        let mut known = payment("a", "2026-11-10", "50.00", Kind::Money);
        known.reference = Some("E1".to_owned());
        let named = |source| Entry { reference: Some("E1".to_owned()), ..entry("90.00", source) };
        let all = std::slice::from_ref(&known);
        let told = decided(&named(ONCE), all, "100.00").unwrap_err().to_string();
        assert_eq!(told, "the reference E1 is that of payment a, of another day or amount");
        let file = decided(&named(Source::File { ordinal: 1, again: false }), all, "100.00");
        assert_eq!(file, Ok(Decision::Differs { id: "a".to_owned() }));
    }

    #[test]
    fn again_with_a_reference_is_another_payment() {
        let known = [payment("a", "2026-11-10", "50.00", Kind::Money)];
        let named = Entry { reference: Some("E2".to_owned()), ..entry("50.00", AGAIN) };
        assert_eq!(decided(&named, &known, "100.00"), recorded("50.00", "50.00", 2));
    }

    #[test]
    fn what_a_person_took_back_swallows_no_line_of_a_file() {
        let line = |ordinal| entry("507.00", Source::File { ordinal, again: false });
        let mut all = vec![payment("a", "2026-11-10", "507.00", Kind::Money)];
        all[0].undone = true;
        let shown = Ok(Decision::TakenBack { id: "a".to_owned() });
        assert_eq!(decided(&line(1), &all, "1014.00"), shown);
        all.push(payment("b", "2026-11-10", "507.00", Kind::Money));
        assert_eq!(decided(&line(1), &all, "507.00"), Ok(Decision::Known));
        assert_eq!(decided(&line(2), &all, "507.00"), shown);
        assert_eq!(decided(&line(3), &all, "507.00"), recorded("507.00", "507.00", 2));
    }

    #[test]
    fn what_a_person_took_back_counts_again_where_a_person_says_so() {
        let again = |ordinal| Source::File { ordinal, again: true };
        let mut all = vec![payment("a", "2026-11-10", "507.00", Kind::Money)];
        all[0].undone = true;
        let line = entry("507.00", again(1));
        assert_eq!(decided(&line, &all, "1014.00"), recorded("507.00", "507.00", 2));
        all[0].reference = Some("E1".to_owned());
        let named = Entry { reference: Some("E1".to_owned()), ..line };
        assert_eq!(decided(&named, &all, "1014.00"), recorded("507.00", "507.00", 2));
        // Once.
        all.push(payment("b", "2026-11-10", "507.00", Kind::Money));
        assert_eq!(decided(&entry("507.00", again(1)), &all, "507.00"), Ok(Decision::Known));
        all[1].reference = Some("E1".to_owned());
        assert_eq!(decided(&named, &all, "507.00"), Ok(Decision::Known));
    }

    #[test]
    fn lines_of_one_file_beside_each_other_are_two_payments() {
        let file = Source::File { ordinal: 1, again: false };
        let new = [payment("", "2026-11-10", "507.00", Kind::Money)];
        let named = Entry { reference: Some("E1".to_owned()), ..entry("507.00", file) };
        assert_eq!(decided(&named, &new, "507.00"), recorded("507.00", "507.00", 2));
        // The rest that is open, on the same day.
        assert_eq!(decided(&entry("", file), &new, "509.30"), recorded("509.30", "509.30", 1));
    }

    #[rstest]
    #[case(Entry { on: "0001-11-21".parse().unwrap(), ..entry("1.00", ONCE) })]
    #[case(entry("92233720368547758.07", ONCE))]
    #[case(Entry { kind: Kind::Interest, ..entry("", ONCE) })]
    #[case(Entry { on: "2026-11-21".parse().unwrap(), ..entry("1.00", ONCE) })]
    #[case(entry("-1.00", ONCE))]
    #[case(entry("0.00", ONCE))]
    #[case(Entry { number: None, ..entry("", ONCE) })]
    #[case(Entry { number: None, kind: Kind::Discount, ..entry("1.00", ONCE) })]
    fn is_refused(#[case] entry: Entry) {
        assert!(decided(&entry, &[], "100.00").is_err());
    }
}
