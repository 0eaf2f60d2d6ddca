//! `numbers.csv`: whose a business number is.

use std::collections::HashMap;

use super::reason::Reason;
use super::table::{Columns, Row, Table};
use super::{BadRows, NONE, dealership_id, month, write};
use fecha_core::calendar::month::Month;
use fecha_core::party::numbers::{BusinessNumber, NumberEntry};

/// The columns of `numbers.csv`.
pub const NUMBER_COLUMNS: [&str; 4] = ["number", "dealership_id", "from_month", "to_month"];

const COLUMNS: Columns<4> =
    Columns { names: NUMBER_COLUMNS, optional: &[], may_be_empty: &["to_month"] };

/// What a row of `numbers.csv` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NumberRow {
    /// The number is the dealership's in these months.
    Holds(NumberEntry),
    /// It never was: what the register has from this month on was a mistake.
    Never(NumberEntry),
}

impl NumberRow {
    /// Number, dealership and months.
    #[must_use]
    pub fn entry(&self) -> &NumberEntry {
        match self {
            Self::Holds(entry) | Self::Never(entry) => entry,
        }
    }
}

/// Reads `numbers.csv`. `is_known` tells whether the register has a dealership, or gets it in the same import.
///
/// # Errors
/// [`BadRows`], with all problems of the file. Months that two rows share are the plan's to find.
pub fn read_numbers(
    file_name: &str,
    bytes: &[u8],
    is_known: &impl Fn(&str) -> bool,
) -> Result<Vec<NumberRow>, BadRows> {
    Ok(by_line(file_name, bytes, is_known)?.into_iter().map(|(_, row)| row).collect())
}

/// The same, each with the line on which it stands.
pub(super) fn by_line(
    file_name: &str,
    bytes: &[u8],
    is_known: &impl Fn(&str) -> bool,
) -> Result<Vec<(u64, NumberRow)>, BadRows> {
    let mut table = Table::new(file_name);
    let rows = table.rows(bytes, &COLUMNS);
    let mut line_of = HashMap::new();
    let mut numbers = Vec::with_capacity(rows.len());
    for row in rows {
        let (key, number) = number(&mut table, &row, is_known);
        numbers.extend(number.map(|number| (row.line, number)));
        if let Some((number, month)) = key
            && let Some(first) = line_of.insert((number.clone(), month), row.line)
        {
            let reason = Reason::NumberTwice { number, month, first };
            table.refuse(row.line, Some("from_month"), reason);
        }
    }
    table.finish(numbers)
}

/// The key of the row as far as it can be read, and what it says where it is valid.
fn number(
    table: &mut Table<'_>,
    row: &Row<4>,
    is_known: &impl Fn(&str) -> bool,
) -> (Option<(BusinessNumber, Month)>, Option<NumberRow>) {
    let line = row.line;
    let [number, id, from_month, to_month] = row.cells.each_ref().map(Option::as_deref);
    let number: Option<BusinessNumber> = table.parse(line, "number", number, str::parse);
    let id = table.parse(line, "dealership_id", id, |id| dealership_id(id, is_known, "numbers"));
    let from_month = table.parse(line, "from_month", from_month, month);
    let last = table.parse(line, "to_month", to_month, |text| last_month(text, from_month));
    let key = number.clone().zip(from_month);
    let said = key.clone().zip(id).zip(last).map(|(((number, from_month), id), last)| {
        let entry = |to_month| NumberEntry { number, dealership_id: id, from_month, to_month };
        match last {
            Last::Never => NumberRow::Never(entry(None)),
            Last::Open => NumberRow::Holds(entry(None)),
            Last::Month(month) => NumberRow::Holds(entry(Some(month))),
        }
    });
    (key, said)
}

enum Last {
    Open,
    Month(Month),
    Never,
}

fn last_month(text: &str, from: Option<Month>) -> Result<Last, Reason> {
    match text {
        "" => return Ok(Last::Open),
        NONE => return Ok(Last::Never),
        _ => {}
    }
    let last = month(text).map_err(Reason::LastMonth)?;
    match from.filter(|from| last < *from) {
        Some(from) => Err(Reason::EndsBeforeItBegins { last, from }),
        None => Ok(Last::Month(last)),
    }
}

/// The business numbers as `numbers.csv`.
#[must_use]
pub fn write_numbers(entries: &[NumberEntry]) -> String {
    write(&NUMBER_COLUMNS, entries.iter().map(|entry| cells(entry).into()))
}

/// In the order of [`NUMBER_COLUMNS`].
pub(super) fn cells(entry: &NumberEntry) -> [String; 4] {
    [
        entry.number.to_string(),
        entry.dealership_id.clone(),
        entry.from_month.to_string(),
        entry.to_month.map(|month| month.to_string()).unwrap_or_default(),
    ]
}
