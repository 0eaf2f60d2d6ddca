//! Why a row of the register is refused, or is to be mended: a kind each, so that the command line says it in English
//! and the console in Portuguese.

use std::fmt;

use serde::{Serialize, Serializer};

use super::NONE;
use crate::document::NotPrintable;
use crate::letters::mailbox::InvalidAddress;
use fecha_core::calendar::month::{InvalidMonth, Month};
use fecha_core::party::group::InvalidGroupName;
use fecha_core::party::municipality::InvalidMunicipality;
use fecha_core::party::numbers::{BusinessNumber, InvalidNumber};
use fecha_core::party::postal_code::InvalidPostalCode;
use fecha_core::party::register::{InvalidEvidenceWish, InvalidState};
use fecha_core::party::tax_id::InvalidCnpj;
use fecha_core::party::twins::Likeness;
use fecha_core::price::discount::InvalidDiscount;
use fecha_core::price::list::InvalidListName;
use fecha_core::price::table::NoPrice;

/// How a spreadsheet saves what can be read.
const CSV_UTF_8: &str = "save it as \"CSV UTF-8\" (in Excel: Save As, \"CSV UTF-8 (Comma delimited)\"; in Portuguese \"CSV UTF-8 (Delimitado por vírgulas)\")";

/// What is wrong, and what to write instead; in English by `Display`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "each is said by its words")]
pub enum Reason {
    #[error("'{shown}' is not UTF-8{}: {CSV_UTF_8}", more_cells(*more))]
    CodePage { shown: String, more: usize },
    #[error("is UTF-16: {CSV_UTF_8}")]
    Utf16,
    #[error("is empty: the first line is {columns}")]
    EmptyFile { columns: String },
    #[error(
        "the columns are not separated by '{by}': save it as CSV with ',' or ';' between the cells"
    )]
    NotSeparated { by: char },
    #[error("is no header: write {columns}")]
    NoHeader { columns: String },
    #[error("unknown column '{name}': the columns are {columns}")]
    UnknownColumn { name: String, columns: String },
    #[error("the column '{0}' stands twice")]
    ColumnTwice(String),
    #[error("the column '{0}' is missing")]
    ColumnMissing(&'static str),
    #[error("has {found} columns, the header has {expected}{why}")]
    Width { found: usize, expected: usize, why: Misfit },
    #[error("holds {}: remove it", control_in_words(*.0))]
    Control(char),
    #[error("is empty")]
    Blank,
    #[error("'{id}' stands on line {first} already")]
    IdTwice { id: String, first: u64 },
    #[error("'{id}' has an entry from {month} on line {first} already")]
    ContractTwice { id: String, month: Month, first: u64 },
    #[error("{number} has a row from {month} on line {first} already")]
    NumberTwice { number: BusinessNumber, month: Month, first: u64 },
    #[error(transparent)]
    Cnpj(#[from] InvalidCnpj),
    #[error(transparent)]
    State(#[from] InvalidState),
    #[error(transparent)]
    Address(#[from] InvalidAddress),
    #[error(transparent)]
    Group(#[from] InvalidGroupName),
    #[error(transparent)]
    PostalCode(#[from] InvalidPostalCode),
    #[error(transparent)]
    Municipality(#[from] InvalidMunicipality),
    #[error("is longer than {most} letters: tax documents take no more")]
    TooLong { most: usize },
    #[error(transparent)]
    Evidence(#[from] InvalidEvidenceWish),
    #[error(transparent)]
    Month(#[from] InvalidMonth),
    #[error(transparent)]
    Number(#[from] InvalidNumber),
    #[error(
        "'{0}' is no time zone: an IANA name, for example America/Manaus, or nothing for the issuer's"
    )]
    Zone(String),
    #[error("'{0}' is no day of a month: 1 to 31, or nothing for the configured one")]
    Day(String),
    #[error("'{text}' is neither yes nor no: {wish}, or nothing{}", wish.if_left_out())]
    NeitherYesNorNo { text: String, wish: Wish },
    #[error(
        "'{id}' is not in the register{}: import the dealership first, or together with its {of}",
        dropped_zeros(id)
    )]
    UnknownDealership { id: String, of: &'static str },
    #[error(
        "'{0}' is no package: a number of contacts without separators, for example 5000, or {NONE}"
    )]
    Package(String),
    #[error("none ends the contract: leave list and discount_percent empty")]
    EndsWithTerms,
    #[error(transparent)]
    List(#[from] InvalidListName),
    #[error(transparent)]
    Discount(#[from] InvalidDiscount),
    #[error(transparent)]
    NoPrice(#[from] NoPrice),
    #[error("{0}; or nothing where it goes on, or {NONE} where the row was a mistake")]
    LastMonth(InvalidMonth),
    #[error("{last} is before {from}: write the last month, or {NONE} where the row was a mistake")]
    EndsBeforeItBegins { last: Month, from: Month },
    #[error("{0}. Until then a box stands for it on documents")]
    Box(#[from] NotPrintable),
    #[error("holds U+{:04X}, which nobody sees: messages of '{seen}' are not its own", u32::from(*mark))]
    Hidden { mark: char, seen: String },
    #[error(
        "{number} would be of '{first}' and of '{second}' in {month} (the other row is {other}): a number is one dealership's in a month. End the row of '{first}' from {from} with to_month {last}, or fix from_month",
        last = month.previous()
    )]
    NumberOfTwo {
        number: BusinessNumber,
        first: String,
        second: String,
        from: Month,
        month: Month,
        other: Place,
    },
    #[error(
        "'{new}' may be '{like}' {place}: {likeness}, and two would get two invoices. Write the id as it is there, or import with --accept-twins if they are two"
    )]
    Twin { new: String, like: String, place: Place, likeness: Likeness },
}

/// Why a row may have other columns than the header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "said by their words")]
pub enum Misfit {
    Unknown,
    OpenQuote,
    UnquotedSemicolon,
    CutOff,
}

/// What `yes` or `no` asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the columns of these names")]
pub enum Wish {
    PackageUse,
    Reminders,
    IssWithheld,
}

impl Wish {
    /// What holds where nothing is written.
    fn if_left_out(self) -> &'static str {
        match self {
            Self::PackageUse | Self::Reminders => " for what is configured",
            Self::IssWithheld => " for no",
        }
    }
}

/// Where the other row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "said by their words")]
pub enum Place {
    OnLine(u64),
    InRegister,
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unknown => "",
            Self::OpenQuote => ": is a quote left open?",
            Self::UnquotedSemicolon => {
                ": a cell that holds a ';', as cc with two addresses, stands in quotes"
            }
            Self::CutOff => ": is the file cut off?",
        })
    }
}

impl fmt::Display for Wish {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PackageUse => "yes for an email at 80 % and 100 % of the package",
            Self::Reminders => "no for no email about what is open",
            Self::IssWithheld => "yes where it withholds the ISS of the service",
        })
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OnLine(line) => write!(f, "on line {line}"),
            Self::InRegister => f.write_str("in the register"),
        }
    }
}

impl Serialize for Reason {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

fn more_cells(more: usize) -> String {
    if more > 0 { format!(", nor are {more} more cells") } else { String::new() }
}

fn control_in_words(control: char) -> String {
    match control {
        '\n' | '\r' => "a line break".to_owned(),
        '\t' => "a tab".to_owned(),
        other => format!("the control character U+{:04X}", u32::from(other)),
    }
}

/// A spreadsheet may have dropped zeros from what is but digits.
fn dropped_zeros(id: &str) -> &'static str {
    let is_number = id.bytes().all(|b| b.is_ascii_digit());
    if is_number { " (a spreadsheet drops zeros in front)" } else { "" }
}
