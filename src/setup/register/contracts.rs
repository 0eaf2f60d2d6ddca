//! `contracts.csv`.

use std::collections::HashMap;

use super::reason::Reason;
use super::table::{Columns, Row, Table};
use super::{BadRows, NONE, dealership_id, month, write};
use fecha_core::calendar::month::Month;
use fecha_core::price::contract::ContractEntry;
use fecha_core::price::table::Prices;

/// The columns of `contracts.csv`.
pub const CONTRACT_COLUMNS: [&str; 3] = ["dealership_id", "from_month", "package"];

const COLUMNS: Columns<3> = Columns { names: CONTRACT_COLUMNS, optional: &[], may_be_empty: &[] };

/// Reads `contracts.csv`. `is_known` tells whether the register has a dealership, or gets it in the
/// same import.
///
/// # Errors
/// [`BadRows`], with all problems of the file.
pub fn read_contracts(
    file_name: &str,
    bytes: &[u8],
    is_known: &impl Fn(&str) -> bool,
    prices: &Prices,
) -> Result<Vec<ContractEntry>, BadRows> {
    let mut table = Table::new(file_name);
    let rows = table.rows(bytes, &COLUMNS);
    let mut line_of = HashMap::new();
    let mut entries = Vec::with_capacity(rows.len());
    for row in rows {
        let (key, entry) = contract(&mut table, &row, is_known, prices);
        entries.extend(entry);
        if let Some((id, month)) = key
            && let Some(first) = line_of.insert((id.clone(), month), row.line)
        {
            let reason = Reason::ContractTwice { id, month, first };
            table.refuse(row.line, Some("from_month"), reason);
        }
    }
    table.finish(entries)
}

/// The key of the row as far as it can be read, and its entry where it is valid.
fn contract(
    table: &mut Table<'_>,
    row: &Row<3>,
    is_known: &impl Fn(&str) -> bool,
    prices: &Prices,
) -> (Option<(String, Month)>, Option<ContractEntry>) {
    let line = row.line;
    let [id, from_month, package] = row.cells.each_ref().map(Option::as_deref);
    let known =
        table.parse(line, "dealership_id", id, |id| dealership_id(id, is_known, "contracts"));
    let from_month: Option<Month> = table.parse(line, "from_month", from_month, month);
    let package =
        table.parse(line, "package", package, |text| package_of(text, from_month, prices));
    let key = id.map(str::to_owned).zip(from_month);
    let entry = known.zip(from_month).zip(package).map(|((dealership_id, from_month), package)| {
        ContractEntry { dealership_id, from_month, package }
    });
    (key, entry)
}

fn package_of(text: &str, month: Option<Month>, prices: &Prices) -> Result<Option<u64>, Reason> {
    if text == NONE {
        return Ok(None);
    }
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let Some(package) = text.parse().ok().filter(|_| digits) else {
        return Err(Reason::Package(text.to_owned()));
    };
    if let Some(month) = month {
        let price = prices.table_for(month).and_then(|table| table.package_price(package));
        price?;
    }
    Ok(Some(package))
}

/// The contracts as `contracts.csv`.
#[must_use]
pub fn write_contracts(entries: &[ContractEntry]) -> String {
    write(&CONTRACT_COLUMNS, entries.iter().map(|entry| cells(entry).into()))
}

/// A `contracts.csv` of one row.
#[must_use]
pub fn contract_row(dealership_id: &str, from_month: &str, package: &str) -> String {
    write(
        &CONTRACT_COLUMNS,
        [[dealership_id, from_month, package].map(str::to_owned).into()].into_iter(),
    )
}

/// In the order of [`CONTRACT_COLUMNS`].
pub(super) fn cells(entry: &ContractEntry) -> [String; 3] {
    let package = entry.package.map_or_else(|| NONE.to_owned(), |package| package.to_string());
    [entry.dealership_id.clone(), entry.from_month.to_string(), package]
}
