//! The document model: everything that an invoice and its statement say, and nothing else.
//!
//! A revision is issued by writing this model to the ledger, with the evidence and the PDF bytes made
//! from it. The same model gives the same bytes.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::bill::bill::Use;
use crate::calendar::month::{Month, Period};
use crate::count::evidence::IdVersion;
use crate::count::rules::CountingRules;
use crate::count::sending::Sent;
use crate::count::service::WindowUse;
use crate::count::tally::{Buckets, Direction, Tally, instant};
use crate::party::numbers::BusinessNumber;
use crate::party::register::{Issuer, Party};
use crate::price::advice::PastMonth;
use crate::price::contract::Agreed;
use crate::price::discount::Discount;
use crate::price::item::{Amounts, Item, Line};
use crate::price::list::ListName;
use crate::price::money::Money;
use crate::price::rates::Rates;
use crate::price::table::PriceTable;

/// An invoice number, `YYYY-NNNNNN`: the year of issue in the issuer's zone and a counter without gap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Number {
    /// The year of issue.
    pub year: i32,
    /// Counts from 1 (or `[invoice] first_number`) in each year.
    pub sequence: u32,
}

/// The least number that may be given next: for a reseller who has invoiced before, and after an older
/// ledger was restored (`[invoice] first_number`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FirstNumber {
    /// No number is less in the year in which the ledger begins, whichever that is.
    OfTheFirstYear(u32),
    /// No number of this year is less from now on.
    Floor(Number),
}

impl FirstNumber {
    /// The least number of `year`; `first_year` is that of the ledger's first number, once it has one.
    #[must_use]
    pub fn least(self, year: i32, first_year: Option<i32>) -> u32 {
        match self {
            Self::OfTheFirstYear(first) if first_year.is_none_or(|begun| begun == year) => first,
            Self::Floor(floor) if floor.year == year => floor.sequence,
            Self::OfTheFirstYear(_) | Self::Floor(_) => 1,
        }
    }
}

impl FromStr for FirstNumber {
    type Err = InvalidNumber;

    /// `123`, or `2026-000123` for that year.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.parse() {
            Ok(first) if first >= 1 => Ok(Self::OfTheFirstYear(first)),
            _ => text.parse().map(Self::Floor),
        }
    }
}

/// The text is no invoice number.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no invoice number: write it as YYYY-NNNNNN, for example 2026-000001")]
pub struct InvalidNumber(pub String);

impl Number {
    /// The number without its hyphen, as PIX takes it.
    #[must_use]
    pub fn txid(self) -> String {
        format!("{:04}{:06}", self.year, self.sequence)
    }

    /// The one that follows in its year.
    #[must_use]
    pub fn next(self) -> Self {
        Self { sequence: self.sequence + 1, ..self }
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{:04}-{:06}", self.year, self.sequence))
    }
}

impl FromStr for Number {
    type Err = InvalidNumber;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parse = || {
            let (year, sequence) = text.split_once('-')?;
            let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
            if year.len() != 4 || sequence.len() < 6 || !digits(year) || !digits(sequence) {
                return None;
            }
            Some(Self { year: year.parse().ok()?, sequence: sequence.parse().ok()? })
        };
        parse().ok_or_else(|| InvalidNumber(text.to_owned()))
    }
}

impl TryFrom<String> for Number {
    type Error = InvalidNumber;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Number> for String {
    fn from(number: Number) -> Self {
        number.to_string()
    }
}

/// A dealership's use of the month, in counts: what the statement explains.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Unique active contacts.
    pub uam: u64,
    /// Template messages sent.
    pub hsm: u64,
    /// Counted messages from contacts.
    pub received: u64,
    /// Counted messages to contacts, HSM included.
    pub sent: u64,
    /// Contacts with whom the dealership wrote first in the month; the others wrote first.
    pub started_by_dealership: u64,
    /// HSM by template; those without a name under the empty one.
    pub hsm_by_template: BTreeMap<String, u64>,
    /// What is told apart of the messages sent, for their prices.
    #[serde(default, skip_serializing_if = "Sent::is_empty")]
    pub sent_as: Sent,
    /// New contacts on each local day of the period, in order.
    pub new_contacts_by_day: Vec<(NaiveDate, u64)>,
    /// Where the dealership's messages went.
    pub buckets: Buckets,
    /// What was sent in and out of the windows of 24 hours; `None` where that was not asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub windows: Option<WindowUse>,
}

impl Usage {
    /// Sums a tally up; days are local days of `zone`.
    #[must_use]
    pub fn of(tally: &Tally, zone: Tz) -> Self {
        let mut usage = Self {
            uam: tally.uam(),
            hsm: tally.hsm(),
            received: 0,
            sent: 0,
            started_by_dealership: 0,
            hsm_by_template: tally.templates.clone(),
            sent_as: tally.sent.clone(),
            new_contacts_by_day: Vec::new(),
            buckets: tally.buckets,
            windows: tally.windows,
        };
        let mut by_day = BTreeMap::new();
        for contact in tally.contacts.exchanged() {
            usage.received += u64::from(contact.received);
            usage.sent += u64::from(contact.sent);
            usage.started_by_dealership += u64::from(contact.first_direction == Direction::Out);
            let day = instant(contact.first_at).with_timezone(&zone).date_naive();
            *by_day.entry(day).or_insert(0) += 1;
        }
        usage.new_contacts_by_day = by_day.into_iter().collect();
        usage
    }
}

/// What a revision replaces and why; `None` in a first issue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replacement {
    /// The revision before.
    pub revision: u32,
    /// Its total.
    pub total: Money,
    /// Why, in the words of the person who asked for it.
    pub reason: String,
    /// Who asked for it.
    pub by: String,
    /// What was paid for the invoice by then, and waits on the account; more than its total where money is
    /// left for the next one.
    #[serde(default)]
    pub paid: Money,
}

/// Why an invoice is void.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cancellation {
    /// The dealership's local day.
    pub on: NaiveDate,
    /// Why, in the words of the person who asked for it.
    pub reason: String,
    /// Who asked for it.
    pub by: String,
    /// What was paid for it: a credit of the dealership now.
    pub paid: Money,
}

/// Where a revision stands (spec §3.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum InvoiceState {
    /// It is the bill.
    Issued,
    /// A later revision is.
    Superseded,
    /// The number is void.
    Cancelled,
}

/// One revision of an invoice: the content that documents are made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invoice {
    /// The number, the same in every revision.
    pub number: Number,
    /// 0 for the first issue.
    pub revision: u32,
    /// Who invoices.
    pub issuer: Issuer,
    /// The id of the message database.
    pub dealership_id: String,
    /// Who is invoiced.
    pub dealership: Party,
    /// The month that is invoiced.
    pub month: Month,
    /// Its bounds.
    pub period: Period,
    /// The zone of the bounds and of all days on the documents.
    pub timezone: Tz,
    /// Contacts included.
    pub package: u64,
    /// The dealership's numbers of the month, where the prices ask.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub numbers: Vec<BusinessNumber>,
    /// What was used.
    pub usage: Usage,
    /// What is charged for it: package, overage, HSM, other messages, monthly prices, discount, then adjustments.
    pub lines: Vec<Line>,
    /// When it was issued.
    pub issued_at: DateTime<Utc>,
    /// The dealership's local day of issue.
    pub issued_on: NaiveDate,
    /// When it is to be paid.
    pub due_on: NaiveDate,
    /// SHA-256 of the evidence file, hexadecimal.
    pub evidence_sha256: String,
    /// How the ids in it are made.
    #[serde(default, skip_serializing_if = "IdVersion::is_first")]
    pub evidence_ids: IdVersion,
    /// How it was counted.
    #[serde(default = "CountingRules::first", skip_serializing_if = "CountingRules::is_first")]
    pub rules: CountingRules,
    /// The BR Code; `None` where there is nothing to pay, or no PIX key.
    pub pix: Option<String>,
    /// What is asked of who pays late, in the issuer's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub late_fee: Option<String>,
    /// The price table of its list and month, all packages; `None` in an invoice of a fecha that did not keep it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prices: Option<PriceTable>,
    /// The dealership's invoiced months before this one, at most five, the oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub history: Vec<PastMonth>,
    /// What was paid before a first issue: money that waited on the account.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub already_paid: Money,
    /// What is left of the credits among its lines, for the next invoice.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub credit_left: Money,
    /// What it replaces.
    pub replaces: Option<Replacement>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
fn is_zero(money: &Money) -> bool {
    *money == Money::ZERO
}

impl Invoice {
    /// The sum of all lines.
    #[must_use]
    pub fn total(&self) -> Money {
        self.lines.iter().map(|line| line.amount).sum()
    }

    /// What was paid of it before it was issued.
    #[must_use]
    pub fn paid(&self) -> Money {
        self.replaces.as_ref().map_or(self.already_paid, |before| before.paid)
    }

    /// The total less what was paid; below zero where more was paid than it asks for.
    #[must_use]
    pub fn balance(&self) -> Money {
        self.total() - self.paid()
    }

    /// What it still asks for: the total less what was paid; never below zero.
    #[must_use]
    pub fn to_pay(&self) -> Money {
        self.balance().max(Money::ZERO)
    }

    /// What was paid beyond the total; the next invoice takes it.
    #[must_use]
    pub fn credit(&self) -> Money {
        (-self.balance()).max(Money::ZERO)
    }

    /// Contacts above the package.
    #[must_use]
    pub fn overage(&self) -> u64 {
        self.used().overage()
    }

    /// Its lines by the columns of reports.
    #[must_use]
    pub fn amounts(&self) -> Amounts {
        Amounts::of(&self.lines)
    }

    /// The price list; `None` is the standard one.
    #[must_use]
    pub fn list(&self) -> Option<&ListName> {
        self.prices.as_ref()?.list.as_ref()
    }

    /// What its contract granted.
    #[must_use]
    pub fn discount(&self) -> Discount {
        let granted = self.lines.iter().find_map(|line| match line.item {
            Item::Discount { percent } => Some(percent),
            Item::Package { .. }
            | Item::Overage
            | Item::Hsm
            | Item::UnbilledHsm
            | Item::Messages { .. }
            | Item::Monthly { .. }
            | Item::Adjustment { .. } => None,
        });
        granted.unwrap_or(Discount::NONE)
    }

    /// What the discount of its contract comes to, not below zero.
    #[must_use]
    pub fn granted(&self) -> Money {
        let is_discount = |line: &&Line| matches!(line.item, Item::Discount { .. });
        self.lines.iter().filter(is_discount).map(|line| -line.amount).sum()
    }

    /// The sum of the table's lines, of which a discount is a part.
    #[must_use]
    pub fn before_discount(&self) -> Money {
        let is_of_table = |line: &&Line| match line.item {
            Item::Package { .. }
            | Item::Overage
            | Item::Hsm
            | Item::UnbilledHsm
            | Item::Messages { .. }
            | Item::Monthly { .. } => true,
            Item::Discount { .. } | Item::Adjustment { .. } => false,
        };
        self.lines.iter().filter(is_of_table).map(|line| line.amount).sum()
    }

    /// What was agreed on for it.
    #[must_use]
    pub fn agreed(&self) -> Agreed {
        Agreed { package: self.package, list: self.list().cloned(), discount: self.discount() }
    }

    /// By what it was priced; `None` in an invoice of a fecha that did not keep it.
    #[must_use]
    pub fn rates(&self) -> Option<Rates<'_>> {
        let table = self.prices.as_ref()?;
        Some(Rates { table, discount: self.discount() })
    }

    /// What was used, as it is charged.
    #[must_use]
    pub fn used(&self) -> Use<'_> {
        let Usage { uam, hsm, sent_as, .. } = &self.usage;
        let (package, numbers) = (self.package, &self.numbers);
        Use { package, uam: *uam, hsm: *hsm, sent: sent_as, numbers }
    }

    /// `2026-000001`, or `2026-000001-R1`: how files and documents name this revision.
    #[must_use]
    pub fn label(&self) -> String {
        label(self.number, self.revision)
    }
}

/// `2026-000001` for revision 0, else `2026-000001-R1`.
#[must_use]
pub fn label(number: Number, revision: u32) -> String {
    match revision {
        0 => number.to_string(),
        _ => format!("{number}-R{revision}"),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[test]
    fn numbers_read_as_they_print() {
        let number: Number = "2026-000001".parse().unwrap();
        assert_eq!(number.to_string(), "2026-000001");
        assert_eq!(number.txid(), "2026000001");
        assert_eq!("2026-1234567".parse::<Number>().unwrap().to_string(), "2026-1234567");
        assert_eq!(label(number, 0), "2026-000001");
        assert_eq!(label(number, 2), "2026-000001-R2");
    }

    #[rstest]
    #[case("123", 2026, None, 123)]
    #[case("123", 2026, Some(2026), 123)]
    #[case("123", 2027, Some(2026), 1)] // as in 0.1: later years begin at 1
    #[case("2026-000123", 2026, Some(2025), 123)]
    #[case("2026-000123", 2027, None, 1)]
    fn the_first_number_is_a_floor(
        #[case] text: &str,
        #[case] year: i32,
        #[case] first_year: Option<i32>,
        #[case] least: u32,
    ) {
        assert_eq!(text.parse::<FirstNumber>().unwrap().least(year, first_year), least);
    }

    #[rstest]
    #[case("2026000001")]
    #[case("2026-1")]
    #[case("26-000001")]
    #[case("2026-00000A")]
    #[case("2026-000001-R1")]
    fn refuses_what_is_no_number(#[case] text: &str) {
        assert_eq!(text.parse::<Number>(), Err(InvalidNumber(text.to_owned())));
    }
}
