//! `contracts.csv`.

use std::collections::HashMap;

use super::reason::Reason;
use super::table::{Columns, Row, Table};
use super::{BadRows, NONE, dealership_id, month, write};
use fecha_core::calendar::month::Month;
use fecha_core::price::contract::{Agreed, ContractEntry, Contracts};
use fecha_core::price::discount::Discount;
use fecha_core::price::list::ListName;
use fecha_core::price::table::{NoPrice, Prices};

/// The columns of `contracts.csv` that there have always been.
pub const CONTRACT_COLUMNS_OF_0_1: [&str; 3] = ["dealership_id", "from_month", "package"];

/// The columns of `contracts.csv`.
pub const CONTRACT_COLUMNS: [&str; 5] =
    ["dealership_id", "from_month", "package", LIST, DISCOUNT_PERCENT];

const LIST: &str = "list";
const DISCOUNT_PERCENT: &str = "discount_percent";

const COLUMNS: Columns<5> = Columns {
    names: CONTRACT_COLUMNS,
    optional: &[LIST, DISCOUNT_PERCENT],
    may_be_empty: &[LIST, DISCOUNT_PERCENT],
};

/// A row as it stands in the file.
struct Written {
    line: u64,
    dealership_id: String,
    from_month: Month,
    package: Option<u64>,
    list: ListCell,
    /// `None` where the file has no such column.
    discount: Option<Discount>,
}

/// What a row says of the price list.
enum ListCell {
    /// The file has no such column: that which holds.
    NotAsked,
    Standard,
    Named(ListName),
}

/// Reads `contracts.csv`. `is_known` tells whether the register has a dealership, or gets it in the
/// same import. What a file without the columns `list` and `discount_percent` does not say stays as it was agreed:
/// an entry of it has those of the entry before it, in the file or among those that are `known`.
///
/// # Errors
/// [`BadRows`], with all problems of the file.
pub fn read_contracts(
    file_name: &str,
    bytes: &[u8],
    is_known: &impl Fn(&str) -> bool,
    prices: &Prices,
    known: &[ContractEntry],
) -> Result<Vec<ContractEntry>, BadRows> {
    let mut table = Table::new(file_name);
    let rows = table.rows(bytes, &COLUMNS);
    let mut line_of = HashMap::new();
    let mut written = Vec::with_capacity(rows.len());
    for row in rows {
        let (key, entry) = contract(&mut table, &row, is_known);
        written.extend(entry);
        if let Some((id, month)) = key
            && let Some(first) = line_of.insert((id.clone(), month), row.line)
        {
            let reason = Reason::ContractTwice { id, month, first };
            table.refuse(row.line, Some("from_month"), reason);
        }
    }
    let entries = agreed(written, known);
    for (line, entry) in &entries {
        if let Err((column, reason)) = must_have_a_price(entry, prices) {
            table.refuse(*line, Some(column), reason);
        }
    }
    table.finish(entries.into_iter().map(|(_, entry)| entry).collect())
}

/// The key of the row as far as it can be read, and what stands in it where it is valid.
fn contract(
    table: &mut Table<'_>,
    row: &Row<5>,
    is_known: &impl Fn(&str) -> bool,
) -> (Option<(String, Month)>, Option<Written>) {
    let line = row.line;
    let [id, from_month, package, list, discount] = row.cells.each_ref().map(Option::as_deref);
    let known =
        table.parse(line, "dealership_id", id, |id| dealership_id(id, is_known, "contracts"));
    let from_month: Option<Month> = table.parse(line, "from_month", from_month, month);
    let package = table.parse(line, "package", package, package_of);
    let key = id.map(str::to_owned).zip(from_month);
    let ends = package == Some(None);
    let list = table.parse(line, LIST, list, |text| list_of(text, ends));
    let discount = table.parse(line, DISCOUNT_PERCENT, discount, |text| discount_of(text, ends));
    let told = |column| !table.lacks(column);
    let entry = || {
        Some(Written {
            line,
            dealership_id: known?,
            from_month: from_month?,
            package: package?,
            list: if told(LIST) { list? } else { ListCell::NotAsked },
            discount: Some(discount?).filter(|_| told(DISCOUNT_PERCENT)),
        })
    };
    (key, entry())
}

fn package_of(text: &str) -> Result<Option<u64>, Reason> {
    if text == NONE {
        return Ok(None);
    }
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|_| digits).map(Some).ok_or_else(|| Reason::Package(text.to_owned()))
}

fn list_of(text: &str, ends: bool) -> Result<ListCell, Reason> {
    match text {
        "" => Ok(ListCell::Standard),
        _ if ends => Err(Reason::EndsWithTerms),
        name => Ok(ListCell::Named(name.parse()?)),
    }
}

fn discount_of(text: &str, ends: bool) -> Result<Discount, Reason> {
    match text {
        "" => Ok(Discount::NONE),
        _ if ends => Err(Reason::EndsWithTerms),
        percent => Ok(percent.parse()?),
    }
}

/// Each row with the list and the discount that hold from its month on, in the order of the file.
fn agreed(mut written: Vec<Written>, known: &[ContractEntry]) -> Vec<(u64, ContractEntry)> {
    written.sort_by_key(|row| row.from_month);
    let mut held: Contracts = known.iter().cloned().collect();
    let mut entries = Vec::with_capacity(written.len());
    for Written { line, dealership_id, from_month, package, list, discount } in written {
        let before = held.agreed_in(&dealership_id, from_month);
        let before = before.cloned().unwrap_or_else(|| Agreed::standard(0));
        let list = match list {
            ListCell::NotAsked => before.list,
            ListCell::Standard => None,
            ListCell::Named(name) => Some(name),
        };
        let (list, discount) = match package {
            None => (None, Discount::NONE),
            Some(_) => (list, discount.unwrap_or(before.discount)),
        };
        let entry = ContractEntry { dealership_id, from_month, package, list, discount };
        held.extend([entry.clone()]);
        entries.push((line, entry));
    }
    entries.sort_by_key(|(line, _)| *line);
    entries
}

/// Refuses a package that its list has no price for, with the column that is wrong.
fn must_have_a_price(
    entry: &ContractEntry,
    prices: &Prices,
) -> Result<(), (&'static str, NoPrice)> {
    let Some(Agreed { package, list, .. }) = entry.agreed() else { return Ok(()) };
    let of_list = |reason: NoPrice| match reason {
        NoPrice::List { .. } | NoPrice::ListMonth { .. } => (LIST, reason),
        NoPrice::Month { .. }
        | NoPrice::Package { .. }
        | NoPrice::TooLarge { .. }
        | NoPrice::NotToldApart { .. }
        | NoPrice::Unproved
        | NoPrice::TooManyKinds => ("package", reason),
    };
    let table = prices.table_of(list.as_ref(), entry.from_month);
    table.and_then(|table| table.package_price(package)).map(drop).map_err(of_list)
}

/// The contracts as `contracts.csv`: the optional columns stand in it where an entry has something in them.
#[must_use]
pub fn write_contracts(entries: &[ContractEntry]) -> String {
    let is_standard = |entry: &ContractEntry| entry.list.is_none() && entry.discount.is_none();
    let columns: &[&str] =
        if entries.iter().all(is_standard) { &CONTRACT_COLUMNS_OF_0_1 } else { &CONTRACT_COLUMNS };
    let rows = entries.iter().map(|entry| {
        let mut cells = Vec::from(cells(entry));
        cells.truncate(columns.len());
        cells
    });
    write(columns, rows)
}

/// A `contracts.csv` of one row, which says nothing of list and discount.
#[must_use]
pub fn contract_row(dealership_id: &str, from_month: &str, package: &str) -> String {
    write(
        &CONTRACT_COLUMNS_OF_0_1,
        [[dealership_id, from_month, package].map(str::to_owned).into()].into_iter(),
    )
}

/// In the order of [`CONTRACT_COLUMNS`].
pub(super) fn cells(entry: &ContractEntry) -> [String; 5] {
    let package = entry.package.map_or_else(|| NONE.to_owned(), |package| package.to_string());
    let list = entry.list.as_ref().map(ListName::to_string).unwrap_or_default();
    let discount =
        if entry.discount.is_none() { String::new() } else { entry.discount.to_string() };
    [entry.dealership_id.clone(), entry.from_month.to_string(), package, list, discount]
}
