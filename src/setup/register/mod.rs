//! The register as CSV files, in and out (spec §3.3).
//!
//! A file is read whole or not at all: either every row is valid, or [`BadRows`] names every problem
//! by file, line and column. What [`write_dealerships`] and [`write_contracts`] write reads back equal.

mod table;

use std::collections::HashMap;
use std::fmt;

use chrono_tz::Tz;
use serde::Serialize;

use crate::letters::mailbox;
use fecha_core::calendar::month::Month;
use fecha_core::party::register::{Dealership, EmailAddress, EvidenceWish};
use fecha_core::price::contract::ContractEntry;
use fecha_core::price::table::Prices;

use self::table::{Row, Table};

/// The columns of `dealerships.csv`; the last one may be missing.
pub const DEALERSHIP_COLUMNS: [&str; 14] = [
    "id",
    "name",
    "trade_name",
    "cnpj",
    "address",
    "city",
    "state",
    "email",
    "cc",
    "timezone",
    "due_day",
    EVIDENCE,
    PACKAGE_USE,
    REMINDERS,
];

/// Those that every `dealerships.csv` has.
pub const DEALERSHIP_COLUMNS_OF_0_1: [&str; 11] = [
    "id",
    "name",
    "trade_name",
    "cnpj",
    "address",
    "city",
    "state",
    "email",
    "cc",
    "timezone",
    "due_day",
];

/// Younger than the others: files made before it was there are still read.
const EVIDENCE: &str = "evidence";
const PACKAGE_USE: &str = "package_use";
const REMINDERS: &str = "reminders";

/// The columns of `contracts.csv`.
pub const CONTRACT_COLUMNS: [&str; 3] = ["dealership_id", "from_month", "package"];

/// How `contracts.csv` writes the end of a contract.
const NO_PACKAGE: &str = "none";

/// One thing to mend in a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BadRow {
    /// The file, as it was named.
    pub file: String,
    /// The line on which the row begins; the header is line 1.
    pub line: u64,
    /// The column; `None` where the row or the file as a whole is wrong.
    pub column: Option<&'static str>,
    /// What is wrong and what to write.
    pub reason: String,
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

/// Reads `dealerships.csv`. Ids are taken byte by byte; other values without the space around them.
///
/// # Errors
/// [`BadRows`], with all problems of the file.
pub fn read_dealerships(file_name: &str, bytes: &[u8]) -> Result<Vec<Dealership>, BadRows> {
    let mut table = Table::new(file_name);
    let rows = table.rows(bytes, DEALERSHIP_COLUMNS, &[EVIDENCE, PACKAGE_USE, REMINDERS]);
    let mut line_of = HashMap::new();
    let mut dealerships = Vec::with_capacity(rows.len());
    for row in rows {
        dealerships.extend(dealership(&mut table, &row));
        let [id, ..] = row.cells;
        if let Some(id) = id
            && let Some(first) = line_of.insert(id.clone(), row.line)
        {
            table.refuse(row.line, Some("id"), format!("'{id}' stands on line {first} already"));
        }
    }
    table.finish(dealerships)
}

fn dealership(table: &mut Table<'_>, row: &Row<14>) -> Option<Dealership> {
    let line = row.line;
    let [
        id,
        name,
        trade_name,
        cnpj,
        address,
        city,
        state,
        email,
        cc,
        timezone,
        due_day,
        evidence,
        package_use,
        reminders,
    ] = row.cells.each_ref().map(Option::as_deref);
    let id = table.parse(line, "id", id, filled);
    let name = table.parse(line, "name", name, filled);
    let cnpj = table.parse(line, "cnpj", cnpj, str::parse);
    let address = table.parse(line, "address", address, filled);
    let city = table.parse(line, "city", city, filled);
    let state = table.parse(line, "state", state, str::parse);
    let email = table.parse(line, "email", email, mailbox::address);
    let cc = addresses(table, line, cc);
    let timezone = table.parse(line, "timezone", timezone, zone);
    let due_day = table.parse(line, "due_day", due_day, day);
    let evidence = table.parse(line, EVIDENCE, evidence, str::parse);
    let package_use = table.parse(line, PACKAGE_USE, package_use, |text| {
        told(text, "yes for an email at 80 % and 100 % of the package")
    });
    let reminders = table
        .parse(line, REMINDERS, reminders, |text| told(text, "no for no email about what is open"));
    let email = email?;
    Some(Dealership {
        id: id?,
        name: name?,
        trade_name: trade_name?.to_owned(),
        cnpj: cnpj?,
        address: address?,
        city: city?,
        state: state?,
        cc: cc?.into_iter().filter(|address| *address != email).collect(),
        email,
        timezone: timezone?,
        due_day: due_day?,
        evidence: evidence?,
        package_use: package_use?,
        reminders: reminders?,
    })
}

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
    let rows = table.rows(bytes, CONTRACT_COLUMNS, &[]);
    let mut line_of = HashMap::new();
    let mut entries = Vec::with_capacity(rows.len());
    for row in rows {
        let (key, entry) = contract(&mut table, &row, is_known, prices);
        entries.extend(entry);
        if let Some((id, month)) = key
            && let Some(first) = line_of.insert((id.clone(), month), row.line)
        {
            let reason = format!("'{id}' has an entry from {month} on line {first} already");
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
    let known = table.parse(line, "dealership_id", id, |id| {
        let id = filled(id)?;
        if is_known(&id) {
            return Ok(id);
        }
        Err(format!("'{id}' is not in the register: import the dealership first, or together with its contracts"))
    });
    let from_month: Option<Month> = table.parse(line, "from_month", from_month, str::parse);
    let package =
        table.parse(line, "package", package, |text| package_of(text, from_month, prices));
    let key = id.map(str::to_owned).zip(from_month);
    let entry = known.zip(from_month).zip(package).map(|((dealership_id, from_month), package)| {
        ContractEntry { dealership_id, from_month, package }
    });
    (key, entry)
}

fn package_of(text: &str, month: Option<Month>, prices: &Prices) -> Result<Option<u64>, String> {
    if text == NO_PACKAGE {
        return Ok(None);
    }
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let Some(package) = text.parse().ok().filter(|_| digits) else {
        return Err(format!(
            "'{text}' is no package: a number of contacts without separators, for example 5000, or {NO_PACKAGE}"
        ));
    };
    if let Some(month) = month {
        let price = prices.table_for(month).and_then(|table| table.package_price(package));
        price.map_err(|error| error.to_string())?;
    }
    Ok(Some(package))
}

fn filled(text: &str) -> Result<String, String> {
    if text.trim().is_empty() { Err("is empty".to_owned()) } else { Ok(text.to_owned()) }
}

fn zone(text: &str) -> Result<Option<Tz>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|_| {
        format!("'{text}' is no time zone: an IANA name, for example America/Manaus, or nothing for the issuer's")
    })
}

fn day(text: &str) -> Result<Option<u32>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    let day = text.parse().ok().filter(|day| (1..=31).contains(day));
    day.map(Some).ok_or_else(|| {
        format!("'{text}' is no day of a month: 1 to 31, or nothing for the configured one")
    })
}

/// `yes`, `no`, or nothing for what is configured; `meaning` says what one of them does.
fn told(text: &str, meaning: &str) -> Result<Option<bool>, String> {
    match text {
        "" => Ok(None),
        "yes" => Ok(Some(true)),
        "no" => Ok(Some(false)),
        _ => Err(format!(
            "'{text}' is neither yes nor no: {meaning}, or nothing for what is configured"
        )),
    }
}

fn in_a_word(told: Option<bool>) -> String {
    match told {
        None => "",
        Some(true) => "yes",
        Some(false) => "no",
    }
    .to_owned()
}

/// Each address once, however often it is written: each gets one message.
fn addresses(table: &mut Table<'_>, line: u64, cell: Option<&str>) -> Option<Vec<EmailAddress>> {
    let mut addresses = Vec::new();
    let mut all_valid = true;
    for text in cell?.split(';').map(str::trim).filter(|text| !text.is_empty()) {
        match table.parse(line, "cc", Some(text), mailbox::address) {
            Some(address) if addresses.contains(&address) => {}
            Some(address) => addresses.push(address),
            None => all_valid = false,
        }
    }
    all_valid.then_some(addresses)
}

/// The register as `dealerships.csv`.
#[must_use]
pub fn write_dealerships(dealerships: &[Dealership]) -> String {
    // A register without any of these wishes stays the file that it was before they were there.
    let has_evidence = dealerships.iter().any(|d| d.evidence != EvidenceWish::default());
    let has_package_use = dealerships.iter().any(|d| d.package_use.is_some());
    let has_reminders = dealerships.iter().any(|d| d.reminders.is_some());
    let is_written = |column: &str| match column {
        EVIDENCE => has_evidence,
        PACKAGE_USE => has_package_use,
        REMINDERS => has_reminders,
        _ => true,
    };
    let columns = DEALERSHIP_COLUMNS.into_iter().filter(|column| is_written(column));
    let rows = dealerships.iter().map(|dealership| {
        let cells = DEALERSHIP_COLUMNS.into_iter().zip(cells(dealership));
        cells.filter(|(column, _)| is_written(column)).map(|(_, cell)| cell).collect()
    });
    write(&columns.collect::<Vec<_>>(), rows)
}

/// In the order of [`DEALERSHIP_COLUMNS`].
fn cells(dealership: &Dealership) -> [String; 14] {
    let cc: Vec<_> = dealership.cc.iter().map(EmailAddress::as_str).collect();
    [
        dealership.id.clone(),
        dealership.name.clone(),
        dealership.trade_name.clone(),
        dealership.cnpj.to_string(),
        dealership.address.clone(),
        dealership.city.clone(),
        dealership.state.to_string(),
        dealership.email.to_string(),
        cc.join(";"),
        dealership.timezone.map(|zone| zone.name().to_owned()).unwrap_or_default(),
        dealership.due_day.map(|day| day.to_string()).unwrap_or_default(),
        dealership.evidence.to_string(),
        in_a_word(dealership.package_use),
        in_a_word(dealership.reminders),
    ]
}

/// The contracts as `contracts.csv`.
#[must_use]
pub fn write_contracts(entries: &[ContractEntry]) -> String {
    let rows = entries.iter().map(|entry| {
        let package = entry.package.map_or_else(|| NO_PACKAGE.to_owned(), |p| p.to_string());
        vec![entry.dealership_id.clone(), entry.from_month.to_string(), package]
    });
    write(&CONTRACT_COLUMNS, rows)
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
