//! The register as CSV files, in and out (spec §3.3).
//!
//! A file is read whole or not at all: either every row is valid, or [`BadRows`] names every problem
//! by file, line and column. What is written reads back equal.

pub mod changes;
mod contracts;
mod dealerships;
mod numbers;
pub mod plan;
pub mod reason;
mod records;
mod table;

use std::fmt;

use serde::Serialize;

pub use self::contracts::{
    CONTRACT_COLUMNS, CONTRACT_COLUMNS_OF_0_1, contract_row, read_contracts, write_contracts,
};
pub use self::dealerships::{
    DEALERSHIP_COLUMNS, DEALERSHIP_COLUMNS_OF_0_1, cells as dealership_cells, dealership_row,
    read_dealerships, write_dealerships,
};
pub use self::numbers::{NUMBER_COLUMNS, NumberRow, read_numbers, write_numbers};
use self::reason::Reason;
use fecha_core::calendar::month::{InvalidMonth, Month};

/// Which of the files one is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the files of these names")]
pub enum Kind {
    Dealerships,
    Contracts,
    Numbers,
}

/// Which file it is, by the names in its header; `None` where it is none of them.
#[must_use]
pub fn kind_of(bytes: &[u8]) -> Option<Kind> {
    let header = records::Records::new(bytes).find(|record| !record.is_blank())?;
    let name = |cell: &[u8]| String::from_utf8_lossy(cell).trim().to_lowercase();
    let names: Vec<String> = header.cells.iter().map(name).collect();
    let has = |name: &str| names.iter().any(|one| one == name);
    if has("cnpj") {
        Some(Kind::Dealerships)
    } else if has("package") {
        Some(Kind::Contracts)
    } else {
        (has("number") && has("dealership_id")).then_some(Kind::Numbers)
    }
}

/// How a file writes that something ends, or never was.
const NONE: &str = "none";

/// One thing to fix in a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BadRow {
    /// The file, as it was named.
    pub file: String,
    /// The line on which the row begins; the header is line 1.
    pub line: u64,
    /// The column; `None` where the row or the file as a whole is wrong.
    pub column: Option<&'static str>,
    /// What is wrong and what to write.
    pub reason: Reason,
}

impl fmt::Display for BadRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line, column, reason } = self;
        match column {
            Some(column) => write!(f, "{file}:{line}: {column}: {reason}"),
            None => write!(f, "{file}:{line}: {reason}"),
        }
    }
}

/// Everything that is wrong with a file, by line. Nothing of it may be imported.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BadRows {
    /// The first of it.
    pub first: Vec<BadRow>,
    /// How much there is.
    pub total: usize,
}

impl BadRows {
    /// So many are named: where a column is missing, every row of a file is bad.
    pub const MOST: usize = 100;

    /// Those of another file behind these.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.first.extend(other.first);
        self.first.truncate(Self::MOST);
        self.total += other.total;
        self
    }
}

impl FromIterator<BadRow> for BadRows {
    fn from_iter<I: IntoIterator<Item = BadRow>>(rows: I) -> Self {
        let mut first: Vec<BadRow> = rows.into_iter().collect();
        let total = first.len();
        first.sort_by_key(|row| row.line);
        first.truncate(Self::MOST);
        Self { first, total }
    }
}

impl fmt::Display for BadRows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, row) in self.first.iter().enumerate() {
            let separator = if index == 0 { "" } else { "\n" };
            write!(f, "{separator}{row}")?;
        }
        match self.total - self.first.len() {
            0 => Ok(()),
            more => write!(f, "\nand {more} more, {} in all", self.total),
        }
    }
}

impl std::error::Error for BadRows {}

fn filled(text: &str) -> Result<String, Reason> {
    if text.trim().is_empty() { Err(Reason::Blank) } else { Ok(text.to_owned()) }
}

/// Whose a row is. `is_known` tells whether the register has a dealership, or gets it in the same import; `of`
/// what the file is.
fn dealership_id(
    text: &str,
    is_known: &impl Fn(&str) -> bool,
    of: &'static str,
) -> Result<String, Reason> {
    let id = filled(text)?;
    if is_known(&id) { Ok(id) } else { Err(Reason::UnknownDealership { id, of }) }
}

/// `2026-10`, and what a Brazilian Excel makes of it: `out/26`, `10/2026`, `01/10/2026`, `2026-10-01`.
fn month(text: &str) -> Result<Month, InvalidMonth> {
    text.parse().or_else(|error| of_a_spreadsheet(text).ok_or(error))
}

fn of_a_spreadsheet(text: &str) -> Option<Month> {
    const NAMES: [&str; 12] =
        ["jan", "fev", "mar", "abr", "mai", "jun", "jul", "ago", "set", "out", "nov", "dez"];
    let digits = |part: &str, lengths: &[usize]| {
        let is_number = part.bytes().all(|b| b.is_ascii_digit());
        (is_number && lengths.contains(&part.len())).then(|| part.parse::<u32>().ok())?
    };
    // Any other day of the month is no beginning of one, and may be a month of an English date.
    let is_first = |day: &str| digits(day, &[1, 2]) == Some(1);
    let year = |part: &str| {
        let year = digits(part, &[2, 4])?;
        i32::try_from(if part.len() == 2 { 2000 + year } else { year }).ok()
    };
    match text.split('/').collect::<Vec<_>>().as_slice() {
        [whole] => {
            let (month, day) = whole.rsplit_once('-')?;
            month.parse().ok().filter(|_| day == "01")
        }
        [name, rest] if name.len() == 3 => {
            let number = NAMES.iter().position(|known| known.eq_ignore_ascii_case(name))?;
            Month::new(year(rest)?, u32::try_from(number + 1).ok()?)
        }
        [number, rest] if rest.len() == 4 => Month::new(year(rest)?, digits(number, &[1, 2])?),
        [day, number, rest] if is_first(day) => Month::new(year(rest)?, digits(number, &[1, 2])?),
        _ => None,
    }
}

fn write(columns: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    // Writing to memory cannot fail, and every row has as many fields as the header.
    let _ = writer.write_record(columns);
    for row in rows {
        let _ = writer.write_record(&row);
    }
    let bytes = writer.into_inner().unwrap_or_default();
    String::from_utf8(bytes).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("\u{feff}ID;Name;CNPJ\r\n", Some(Kind::Dealerships))]
    #[case("sep=;\r\ndealership_id;from_month;package\r\n", Some(Kind::Contracts))]
    #[case("number,dealership_id,from_month,to_month", Some(Kind::Numbers))]
    #[case("PK\u{3}\u{4}", None)]
    #[case("", None)]
    fn a_file_is_known_by_its_header(#[case] text: &str, #[case] expected: Option<Kind>) {
        assert_eq!(kind_of(text.as_bytes()), expected);
    }

    #[rstest]
    #[case("2026-10", Some("2026-10"))]
    #[case("out/26", Some("2026-10"))]
    #[case("OUT/2026", Some("2026-10"))]
    #[case("fev/27", Some("2027-02"))]
    #[case("10/2026", Some("2026-10"))]
    #[case("01/10/2026", Some("2026-10"))]
    #[case("1/1/26", Some("2026-01"))]
    #[case("2026-10-01", Some("2026-10"))]
    #[case("10/01/2026", None)] // an English October
    #[case("oct/26", None)]
    #[case("10/26", None)]
    #[case("13/2026", None)]
    #[case("2026-10-02", None)]
    #[case("2026-10-1", None)]
    #[case("2026-1", None)]
    #[case("out/é", None)]
    #[case("", None)]
    fn a_month_as_a_spreadsheet_writes_it(#[case] text: &str, #[case] expected: Option<&str>) {
        let found = month(text).ok().map(|month| month.to_string());
        assert_eq!(found.as_deref(), expected);
    }
}
