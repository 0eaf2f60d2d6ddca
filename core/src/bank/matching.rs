//! Which invoice a line of a bank pays, and why: certain, for a person to say, or not to be known.

use std::collections::{HashMap, HashSet};
use std::fmt;

use chrono::NaiveDate;

use super::Kind;
use super::found;
use super::statement::{BankLine, once};
use crate::account::split::split;
use crate::bill::group_bill::GroupTxid;
use crate::bill::invoice::Number;
use crate::calendar::month::Month;
use crate::party::tax_id::Cnpj;
use crate::price::money::Money;

/// The most invoices that are named for one line.
const MOST_NAMED: usize = 10;

/// An invoice that is not paid in full.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenInvoice {
    /// Its number.
    pub number: Number,
    /// Whose it is.
    pub dealership_id: String,
    /// Who owes it.
    pub cnpj: Cnpj,
    /// What is open of it.
    pub to_pay: Money,
    /// When it is due: the oldest is named first.
    pub due_on: NaiveDate,
    /// What it is for.
    pub month: Month,
}

/// A group bill that a line may name, as its invoices stand now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenGroup {
    /// Its txid.
    pub txid: GroupTxid,
    /// Those of its invoices that are not void, with what is open of each.
    pub invoices: Vec<(Number, Money)>,
}

/// What a line pays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Matched {
    /// This invoice: to be recorded.
    Certain {
        /// Its number.
        number: Number,
        /// Why.
        why: Sure,
    },
    /// The invoices of this group bill: to be recorded.
    Group {
        /// Its txid.
        txid: GroupTxid,
        /// Why.
        why: Sure,
    },
    /// One of these, or some: for a person to say.
    Proposed {
        /// The first ten, by due day and number.
        numbers: Vec<Number>,
        /// How many there are.
        of: usize,
        /// Why.
        why: Doubt,
    },
    /// Nothing is known of it.
    Unknown,
}

/// Why an invoice is certain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Sure {
    /// The line names its number.
    ByNumber,
    /// The line names its Pix txid.
    ByTxid,
    /// The payer's CNPJ has this one open invoice of exactly this amount.
    ByAmountAndCnpj,
}

/// Why a person is to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Doubt {
    /// The line names a number that is not open: paid already, void, or never issued.
    NotOpen,
    /// The line names several numbers.
    SeveralNumbers,
    /// Ten digits are a txid of ours, but neither the amount nor the payer is that invoice's.
    TxidAlone,
    /// Another line of this file pays it already.
    PaidTwice,
    /// The payer's CNPJ has several open invoices of this amount.
    AmountAndCnpj,
    /// The amount is all that is open for the payer's CNPJ.
    AllOfCnpj,
    /// The payer's CNPJ has open invoices, of other amounts.
    CnpjAlone,
    /// Open invoices have this amount.
    AmountAlone,
    /// It is interest, or withheld, of a whole group: nobody says of which invoice.
    OfWhichInvoice,
}

impl fmt::Display for Sure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::ByNumber => "the line names its number",
            Self::ByTxid => "the line names its Pix txid",
            Self::ByAmountAndCnpj => "the only open invoice of this CNPJ with this amount",
        })
    }
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::NotOpen => "the line names it, and it is not open: paid, void or never issued",
            Self::SeveralNumbers => "the line names several invoices",
            Self::TxidAlone => {
                "ten digits are its Pix txid, but neither amount nor payer are its own"
            }
            Self::PaidTwice => "another line of this file pays it already",
            Self::AmountAndCnpj => "several open invoices of this CNPJ have this amount",
            Self::AllOfCnpj => "the amount is all that is open for this CNPJ",
            Self::CnpjAlone => "open for this CNPJ, with another amount",
            Self::AmountAlone => "open with this amount",
            Self::OfWhichInvoice => {
                "the line names a group, and only money goes over its invoices by itself"
            }
        })
    }
}

impl fmt::Display for Matched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Certain { number, why } => write!(f, "{number}: {why}"),
            Self::Group { txid, why } => write!(f, "{txid}: {why}"),
            Self::Proposed { numbers, of, why } => {
                let named: Vec<String> = numbers.iter().map(ToString::to_string).collect();
                write!(f, "perhaps {}", named.join(", "))?;
                let more = of.saturating_sub(numbers.len());
                if more > 0 {
                    write!(f, " and {more} more")?;
                }
                write!(f, ": {why}")
            }
            Self::Unknown => {
                f.write_str("unknown: no open invoice has its number, payer or amount")
            }
        }
    }
}

/// What each line pays, in the order of the lines.
///
/// `open` are all invoices that are not paid in full, in any order, each number once; `groups` the group bills that lines
/// name, each once. Lines that the ledger
/// has recorded already (by their reference, or as its k-th equal payment) do not belong here: their
/// invoices are no longer open, and they would be listed as [`Doubt::NotOpen`].
///
/// Lines that name their invoice come before lines that are found by amount and payer, wherever they stand:
/// the name is what is certain. A line of interest goes the way of the money that stands before it with the
/// same reference.
#[must_use]
pub fn match_lines(lines: &[BankLine], open: &[OpenInvoice], groups: &[OpenGroup]) -> Vec<Matched> {
    let mut books = Books::of(open, groups);
    let mut matched: Vec<Option<Matched>> = lines.iter().map(|line| books.by_name(line)).collect();
    for (line, matched) in lines.iter().zip(&mut matched) {
        if matched.is_none() && line.kind != Kind::Interest {
            *matched = Some(books.by_payer(line));
        }
    }
    let mut before: Option<(&BankLine, Matched)> = None;
    lines
        .iter()
        .zip(matched)
        .map(|(line, matched)| {
            let together = before.take().filter(|(money, _)| goes_with(line, money));
            let matched = together
                .map(|(_, matched)| books.of_one(line, matched))
                .or(matched)
                .unwrap_or_else(|| books.by_payer(line));
            before = Some((line, matched.clone()));
            matched
        })
        .collect()
}

/// Whether `line` is the interest of the money in the line before it.
fn goes_with(line: &BankLine, before: &BankLine) -> bool {
    line.kind == Kind::Interest
        && before.kind == Kind::Money
        && line.reference.is_some()
        && line.reference == before.reference
}

/// The open invoices, by what a line may know of them, and what the lines so far pay.
struct Books<'a> {
    open: Vec<&'a OpenInvoice>,
    by_number: HashMap<Number, &'a OpenInvoice>,
    groups: HashMap<GroupTxid, &'a OpenGroup>,
    by_cnpj: HashMap<&'a Cnpj, Vec<&'a OpenInvoice>>,
    by_cnpj_and_amount: HashMap<(&'a Cnpj, Money), Vec<&'a OpenInvoice>>,
    by_amount: HashMap<Money, Vec<&'a OpenInvoice>>,
    /// Centavos of all that a CNPJ has open.
    owed: HashMap<&'a Cnpj, i128>,
    /// Centavos of each invoice that certain lines pay, without interest. `i128`: no file overflows it.
    paid: HashMap<Number, i128>,
}

impl<'a> Books<'a> {
    fn of(open: &'a [OpenInvoice], groups: &'a [OpenGroup]) -> Self {
        let mut sorted: Vec<&OpenInvoice> = open.iter().collect();
        sorted.sort_by_key(|invoice| (invoice.due_on, invoice.number));
        let mut books = Self {
            by_number: sorted.iter().map(|invoice| (invoice.number, *invoice)).collect(),
            groups: groups.iter().map(|group| (group.txid, group)).collect(),
            by_cnpj: HashMap::new(),
            by_cnpj_and_amount: HashMap::new(),
            by_amount: HashMap::new(),
            owed: HashMap::new(),
            paid: HashMap::new(),
            open: sorted,
        };
        for invoice in &books.open {
            let (cnpj, to_pay) = (&invoice.cnpj, invoice.to_pay);
            books.by_cnpj.entry(cnpj).or_default().push(invoice);
            books.by_cnpj_and_amount.entry((cnpj, to_pay)).or_default().push(invoice);
            *books.owed.entry(cnpj).or_default() += i128::from(to_pay.centavos());
            books.by_amount.entry(to_pay).or_default().push(invoice);
        }
        books
    }

    /// What a line pays that names an invoice; `None` where it names none.
    fn by_name(&mut self, line: &BankLine) -> Option<Matched> {
        if let Some(group) = line.group.and_then(|txid| self.groups.get(&txid).copied()) {
            return Some(self.by_group(line, group));
        }
        let Some(number) = line.number else {
            let named = once(found::numbers(&line.words).into_iter().map(|named| named.number));
            let several = named.len() > 1;
            let open: Vec<Number> =
                named.into_iter().filter(|number| self.by_number.contains_key(number)).collect();
            return (several && !open.is_empty()).then(|| proposed(open, Doubt::SeveralNumbers));
        };
        let Some(invoice) = self.by_number.get(&number).copied() else {
            return Some(proposed(vec![number], Doubt::NotOpen));
        };
        let Some(_) = &line.txid else { return Some(self.certain(invoice, line, Sure::ByNumber)) };
        let strange = line.amount != Some(invoice.to_pay)
            && line.cnpj.as_ref().is_some_and(|payer| *payer != invoice.cnpj);
        if strange && line.kind == Kind::Money {
            return Some(proposed(vec![number], Doubt::TxidAlone));
        }
        Some(self.certain(invoice, line, Sure::ByTxid))
    }

    /// What a line pays that names a group bill: its invoices, unless nothing is open of them, or lines before this one
    /// pay what is.
    fn by_group(&mut self, line: &BankLine, group: &OpenGroup) -> Matched {
        let numbers: Vec<Number> = group.invoices.iter().map(|(number, _)| *number).collect();
        if let Some(number) = line.number {
            return proposed(once([number].into_iter().chain(numbers)), Doubt::SeveralNumbers);
        }
        if line.kind != Kind::Money {
            return proposed(numbers, Doubt::OfWhichInvoice);
        }
        if group.invoices.iter().all(|(_, open)| *open <= Money::ZERO) {
            return proposed(numbers, Doubt::NotOpen);
        }
        let before = |number: &Number| self.paid.get(number).copied().unwrap_or_default();
        let left = |(number, open): &(Number, Money)| {
            let left = (i128::from(open.centavos()) - before(number)).max(0);
            (*number, Money::from_centavos(i64::try_from(left).unwrap_or_default()))
        };
        let is_first = numbers.iter().all(|number| before(number) == 0);
        let open: Vec<(Number, Money)> = group.invoices.iter().map(left).collect();
        let in_all: Money = open.iter().map(|(_, open)| *open).sum();
        let amount = line.amount.unwrap_or(in_all);
        if !is_first && amount > in_all {
            return proposed(numbers, Doubt::PaidTwice);
        }
        for share in split(amount, &open) {
            *self.paid.entry(share.number).or_default() += i128::from(share.amount.centavos());
        }
        Matched::Group { txid: group.txid, why: Sure::ByTxid }
    }

    /// The same for the interest of money: of a group, nobody knows whose it is.
    fn of_one(&self, line: &BankLine, matched: Matched) -> Matched {
        match matched {
            Matched::Group { txid, .. } if line.kind != Kind::Money => {
                let group = self.groups.get(&txid);
                let numbers = group.iter().flat_map(|group| &group.invoices);
                proposed(numbers.map(|(number, _)| *number).collect(), Doubt::OfWhichInvoice)
            }
            matched => matched,
        }
    }

    /// The invoice, unless lines before this one pay all of it.
    fn certain(&mut self, invoice: &OpenInvoice, line: &BankLine, why: Sure) -> Matched {
        let number = invoice.number;
        if line.kind == Kind::Interest {
            return Matched::Certain { number, why };
        }
        let to_pay = i128::from(invoice.to_pay.centavos());
        let amount = line.amount.map_or(to_pay, |amount| i128::from(amount.centavos()));
        match self.paid.get_mut(&number) {
            Some(paid) if *paid + amount > to_pay => proposed(vec![number], Doubt::PaidTwice),
            Some(paid) => {
                *paid += amount;
                Matched::Certain { number, why }
            }
            None => {
                self.paid.insert(number, amount);
                Matched::Certain { number, why }
            }
        }
    }

    /// What a line pays by who paid and how much.
    fn by_payer(&mut self, line: &BankLine) -> Matched {
        let Some(amount) = line.amount.filter(|_| line.kind == Kind::Money) else {
            return Matched::Unknown;
        };
        let mut payers: HashSet<Cnpj> = found::cnpjs(&line.words).into_iter().collect();
        payers.extend(line.cnpj.clone());
        let (exact, of_exact) =
            oldest(payers.iter().filter_map(|of| self.by_cnpj_and_amount.get(&(of, amount))));
        let (theirs, of_theirs) = oldest(payers.iter().filter_map(|of| self.by_cnpj.get(of)));
        let (named, of, why) = match (of_exact, of_theirs) {
            (1, _) => return self.certain(exact[0], line, Sure::ByAmountAndCnpj),
            (0, 0) => {
                let (same, of) = oldest(self.by_amount.get(&amount).into_iter());
                (same, of, Doubt::AmountAlone)
            }
            (0, _) => {
                let sum: i128 = payers.iter().filter_map(|payer| self.owed.get(payer)).sum();
                let all = sum == i128::from(amount.centavos());
                (theirs, of_theirs, if all { Doubt::AllOfCnpj } else { Doubt::CnpjAlone })
            }
            _ => (exact, of_exact, Doubt::AmountAndCnpj),
        };
        let numbers = named.iter().map(|invoice| invoice.number).collect();
        if of == 0 { Matched::Unknown } else { Matched::Proposed { numbers, of, why } }
    }
}

/// The first that are to be named of lists that are each by due day and number, and how many there are in all.
fn oldest<'a: 'b, 'b>(
    lists: impl Iterator<Item = &'b Vec<&'a OpenInvoice>>,
) -> (Vec<&'a OpenInvoice>, usize) {
    let (mut first, mut of) = (Vec::new(), 0);
    for list in lists {
        of += list.len();
        first.extend(list.iter().take(MOST_NAMED).copied());
    }
    first.sort_by_key(|invoice| (invoice.due_on, invoice.number));
    first.truncate(MOST_NAMED);
    (first, of)
}

fn proposed(mut numbers: Vec<Number>, why: Doubt) -> Matched {
    let of = numbers.len();
    numbers.truncate(MOST_NAMED);
    Matched::Proposed { numbers, of, why }
}
