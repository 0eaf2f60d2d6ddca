//! What a file of a bank says, whichever its format.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;

use chrono::NaiveDate;

use super::found;
use crate::account::payment::Kind;
use crate::bill::group_bill::GroupTxid;
use crate::bill::invoice::Number;
use crate::party::tax_id::Cnpj;
use crate::price::money::Money;

/// In which format a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Format {
    /// A table of ours, filled in by finance.
    Csv,
    /// OFX 1.x, SGML.
    Ofx1,
    /// OFX 2.x, XML.
    Ofx2,
    /// A return file with lines of 240 characters (FEBRABAN).
    Cnab240,
    /// A return file with lines of 400 characters, by bank.
    Cnab400,
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Csv => "CSV",
            Self::Ofx1 => "OFX 1",
            Self::Ofx2 => "OFX 2",
            Self::Cnab240 => "CNAB 240",
            Self::Cnab400 => "CNAB 400",
        })
    }
}

/// One payment that a file tells of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BankLine {
    /// Where it stands: `extrato.ofx line 12`.
    pub place: String,
    /// The day on which it was paid, as the file says it. A CNAB line has the day of the occurrence.
    pub on: NaiveDate,
    /// Above zero. `None` is all that is open, which only a CSV can say.
    pub amount: Option<Money>,
    /// What kind of payment it is.
    pub kind: Kind,
    /// The bank's, unique among files and banks: a Pix's end-to-end id; else bank, account and FITID, or
    /// bank and nosso número, with the day and the amount, since banks use these again; `#2` follows the
    /// second of lines that are equal in all that. A CSV's is what stands in it.
    pub reference: Option<String>,
    /// The one invoice number that the line names.
    pub number: Option<Number>,
    /// That number as a Pix has it, where free text names it only so: ten digits there are less than a
    /// number with its hyphen, or one in a field that is meant for it.
    pub txid: Option<String>,
    /// The one group bill that the line names by its txid.
    pub group: Option<GroupTxid>,
    /// The CNPJ of who paid; in free text the first with check digits that fit.
    pub cnpj: Option<Cnpj>,
    /// What the bank says: one line, without control characters, at most 500 characters.
    pub words: String,
}

/// What a file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// The format that it was read as.
    pub format: Format,
    /// The payments, in the file's order.
    pub lines: Vec<BankLine>,
    /// What is no payment, by kind in words of ours and the bank's, with how many there are.
    pub left_out: BTreeMap<String, u64>,
}

/// A line that cannot be read, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadLine {
    /// `extrato.csv line 3`, or the file's name for what is wrong with the whole of it.
    pub place: String,
    /// What is wrong and what to do.
    pub reason: String,
}

/// The file was not read: its bad lines.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct BadLines {
    /// In the file's order; the first hundred where there are more.
    pub first: Vec<BadLine>,
    /// How many there are.
    pub total: u64,
}

impl BadLines {
    const MOST: usize = 100;
}

impl fmt::Display for BadLines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, BadLine { place, reason }) in self.first.iter().enumerate() {
            let separator = if index == 0 { "" } else { "\n" };
            write!(f, "{separator}{place}: {reason}")?;
        }
        let more = self.total.saturating_sub(self.first.len() as u64);
        if more > 0 {
            write!(f, "\nand {more} more bad lines")?;
        }
        Ok(())
    }
}

/// A file while it is read.
pub(super) struct Reading {
    file: String,
    lines: Vec<BankLine>,
    left_out: BTreeMap<String, u64>,
    bad: BadLines,
    /// How often each reference was met, to tell apart lines that are equal in all of it.
    references: HashMap<String, u32>,
    /// The end-to-end ids that were met, with their day and amount.
    pix: HashMap<String, (NaiveDate, Money)>,
}

impl Reading {
    pub(super) fn of(file_name: &str) -> Self {
        Self {
            file: found::words(file_name),
            lines: Vec::new(),
            left_out: BTreeMap::new(),
            bad: BadLines { first: Vec::new(), total: 0 },
            references: HashMap::new(),
            pix: HashMap::new(),
        }
    }

    /// Where line `line` stands.
    pub(super) fn place(&self, line: u64) -> String {
        format!("{} line {line}", self.file)
    }

    pub(super) fn bad(&mut self, line: u64, reason: impl AsRef<str>) {
        let place = self.place(line);
        self.refuse(place, reason.as_ref());
    }

    /// Something is wrong with the file as a whole.
    pub(super) fn bad_file(&mut self, reason: impl AsRef<str>) {
        let place = self.file.clone();
        self.refuse(place, reason.as_ref());
    }

    /// What reasons show of a file is shown as text: it moves no cursor.
    fn refuse(&mut self, place: String, reason: &str) {
        self.bad.total += 1;
        if self.bad.first.len() < BadLines::MOST {
            self.bad.first.push(BadLine { place, reason: found::words(reason) });
        }
    }

    pub(super) fn is_bad(&self) -> bool {
        self.bad.total > 0
    }

    pub(super) fn leave_out(&mut self, what: impl AsRef<str>) {
        *self.left_out.entry(found::words(what.as_ref())).or_insert(0) += 1;
    }

    pub(super) fn pay(&mut self, line: BankLine) {
        self.lines.push(line);
    }

    /// A reference made from what the bank says, told apart from equal ones before it.
    pub(super) fn told_apart(&mut self, reference: String) -> String {
        let times = self.references.entry(reference.clone()).or_insert(0);
        *times += 1;
        if *times == 1 { reference } else { format!("{reference}#{times}") }
    }

    /// The reference of a Pix: its end-to-end id. A bank that names one Pix in two lines with another day or
    /// amount (what was given back of it, say) says two things, and the second must not be taken for the first.
    pub(super) fn of_pix(&mut self, end_to_end: &str, on: NaiveDate, amount: Money) -> String {
        let first = self.pix.entry(end_to_end.to_owned()).or_insert((on, amount));
        if *first == (on, amount) {
            end_to_end.to_owned()
        } else {
            format!("{end_to_end}/{on}/{amount}")
        }
    }

    pub(super) fn finish(self, format: Format) -> Result<Statement, BadLines> {
        if self.is_bad() {
            return Err(self.bad);
        }
        Ok(Statement { format, lines: self.lines, left_out: self.left_out })
    }
}

/// References that were met already with something else, for formats in which a person writes them.
pub(super) type Written =
    HashMap<(String, Option<Number>, Option<GroupTxid>, Kind), (NaiveDate, Option<Money>)>;

/// Numbers without repetition, in the order in which they stand.
pub(super) fn once(numbers: impl IntoIterator<Item = Number>) -> Vec<Number> {
    let mut met = HashSet::new();
    numbers.into_iter().filter(|number| met.insert(*number)).collect()
}
