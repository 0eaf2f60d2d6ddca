//! What a group gets beside the invoices of its dealerships: a page that adds them up, with one Pix for all of it.
//!
//! It asks for nothing of its own: each of its rows is an invoice, and what it asks for is what they do.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use crate::bill::invoice::{Number, label};
use crate::calendar::month::Month;
use crate::party::group::GroupName;
use crate::party::register::Issuer;
use crate::party::tax_id::Cnpj;
use crate::price::money::Money;

/// What names a group bill, to people and as the txid of its Pix: `G2026100001`, a `G`, the month of the invoices and a
/// counter of at least four digits, without a gap over all groups of the month.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct GroupTxid {
    /// The month of the invoices.
    pub month: Month,
    /// From 1.
    pub counter: u32,
}

/// The text names no group bill.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no group bill: write it as G, month and counter, for example G2026100001")]
pub struct InvalidGroupTxid(pub String);

impl fmt::Display for GroupTxid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let month = self.month.to_string().replace('-', "");
        f.pad(&format!("G{month}{:04}", self.counter))
    }
}

impl FromStr for GroupTxid {
    type Err = InvalidGroupTxid;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidGroupTxid(text.to_owned());
        let digits = text.strip_prefix(['G', 'g']).ok_or_else(invalid)?;
        let is_one = (10..=15).contains(&digits.len())
            && digits.bytes().all(|b| b.is_ascii_digit())
            // A counter of more than four digits is written without zeros in front, as it is printed.
            && (digits.len() == 10 || !digits[6..].starts_with('0'));
        if !is_one {
            return Err(invalid());
        }
        let month = format!("{}-{}", &digits[..4], &digits[4..6]).parse().map_err(|_| invalid())?;
        let counter = digits[6..].parse().ok().filter(|counter| *counter > 0);
        Ok(Self { month, counter: counter.ok_or_else(invalid)? })
    }
}

impl TryFrom<String> for GroupTxid {
    type Error = InvalidGroupTxid;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<GroupTxid> for String {
    fn from(txid: GroupTxid) -> Self {
        txid.to_string()
    }
}

/// An invoice of the group, as it stood when the bill was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupRow {
    /// Its number.
    pub number: Number,
    /// The revision that stood.
    pub revision: u32,
    /// Who is invoiced.
    pub dealership_id: String,
    /// Its legal name, as the invoice prints it.
    pub name: String,
    /// The name on its sign; may be empty.
    pub trade_name: String,
    /// As the invoice prints it.
    pub cnpj: Cnpj,
    /// When it is to be paid.
    pub due_on: NaiveDate,
    /// What the invoice comes to.
    pub total: Money,
    /// What settled it already.
    pub paid: Money,
    /// What was open of it: `total` less `paid`.
    pub to_pay: Money,
}

impl GroupRow {
    /// `2026-000001-R1`.
    #[must_use]
    pub fn label(&self) -> String {
        label(self.number, self.revision)
    }

    /// The name that people know it by.
    #[must_use]
    pub fn called(&self) -> &str {
        if self.trade_name.trim().is_empty() { &self.name } else { &self.trade_name }
    }
}

/// The bill of a group for a month: the content that its page and emails are made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupBill {
    /// What it is called.
    pub txid: GroupTxid,
    /// Whose.
    pub group: GroupName,
    /// The bill of the group for the same month that it replaces, since other invoices stand now.
    pub replaces: Option<GroupTxid>,
    /// Who invoices.
    pub issuer: Issuer,
    /// When it was made.
    pub made_at: DateTime<Utc>,
    /// The issuer's local day of that.
    pub made_on: NaiveDate,
    /// By number; at least two.
    pub rows: Vec<GroupRow>,
    /// The BR Code of all of it; `None` where there is nothing to pay, or no PIX key.
    pub pix: Option<String>,
}

/// Which invoices a bill is about: two bills of the same ones are one.
pub type Invoices = BTreeSet<(Number, u32)>;

/// The fewest invoices that are added up.
pub const FEWEST: usize = 2;

impl GroupBill {
    /// What is to be paid in all.
    #[must_use]
    pub fn to_pay(&self) -> Money {
        self.rows.iter().map(|row| row.to_pay).sum()
    }

    /// What the invoices come to.
    #[must_use]
    pub fn total(&self) -> Money {
        self.rows.iter().map(|row| row.total).sum()
    }

    /// What settled them already.
    #[must_use]
    pub fn paid(&self) -> Money {
        self.rows.iter().map(|row| row.paid).sum()
    }

    /// The first day on which one of them is due, of those of which something is to be paid.
    #[must_use]
    pub fn due_on(&self) -> Option<NaiveDate> {
        self.rows.iter().filter(|row| row.to_pay > Money::ZERO).map(|row| row.due_on).min()
    }

    /// Which invoices it is about.
    #[must_use]
    pub fn invoices(&self) -> Invoices {
        self.rows.iter().map(|row| (row.number, row.revision)).collect()
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("G2026100001", Some("G2026100001"))]
    #[case("g2026100001", Some("G2026100001"))]
    #[case("G2026109999", Some("G2026109999"))]
    #[case("G20261010000", Some("G20261010000"))] // the counter has five digits
    #[case("G20261000001", None)] // the same with a zero in front
    #[case("G2026100000", None)]
    #[case("G2026130001", None)]
    #[case("G202610001", None)]
    #[case("2026100001", None)]
    #[case("G2026-100001", None)]
    #[case("G20261099999999999", None)]
    #[case("Gé", None)]
    #[case("", None)]
    fn names_a_group_bill(#[case] text: &str, #[case] expected: Option<&str>) {
        let read = text.parse::<GroupTxid>().ok().map(|txid| txid.to_string());
        assert_eq!(read.as_deref(), expected);
    }

    #[test]
    fn names_sort_by_month_and_counter() {
        let txid = |text: &str| text.parse::<GroupTxid>().unwrap();
        assert!(txid("G2026109999") < txid("G20261010000"));
        assert!(txid("G20261010000") < txid("G2026110001"));
        // A Pix takes 25 letters and digits.
        assert!(txid("G2026100001").to_string().bytes().all(|b| b.is_ascii_alphanumeric()));
    }
}
