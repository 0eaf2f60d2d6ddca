//! `dealerships.csv`.

use std::collections::HashMap;

use chrono_tz::Tz;

use super::reason::{Reason, Wish};
use super::records::{Record, Records};
use super::table::{Columns, Row, Table};
use super::{BadRows, filled, write};
use crate::letters::mailbox;
use fecha_core::party::register::{Dealership, EmailAddress, EvidenceWish};

/// The columns of `dealerships.csv`; the last one may be missing.
pub const DEALERSHIP_COLUMNS: [&str; 15] = [
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
    POSTAL_CODE,
];

/// Those that every `dealerships.csv` has.
pub const DEALERSHIP_COLUMNS_OF_0_1: [&str; 11] = *DEALERSHIP_COLUMNS.first_chunk().unwrap();

/// Younger than the others: files made before it was there are still read.
const EVIDENCE: &str = "evidence";
const PACKAGE_USE: &str = "package_use";
const REMINDERS: &str = "reminders";
const POSTAL_CODE: &str = "postal_code";

const COLUMNS: Columns<15> = Columns {
    names: DEALERSHIP_COLUMNS,
    optional: &[EVIDENCE, PACKAGE_USE, REMINDERS, POSTAL_CODE],
    may_be_empty: &[
        "trade_name",
        "cc",
        "timezone",
        "due_day",
        EVIDENCE,
        PACKAGE_USE,
        REMINDERS,
        POSTAL_CODE,
    ],
};

/// Reads `dealerships.csv`. Ids are taken byte by byte; other values without the space around them.
///
/// # Errors
/// [`BadRows`], with all problems of the file.
pub fn read_dealerships(file_name: &str, bytes: &[u8]) -> Result<Vec<Dealership>, BadRows> {
    Ok(by_line(file_name, bytes)?.into_iter().map(|(_, dealership)| dealership).collect())
}

/// The same, each with the line on which it stands.
pub(super) fn by_line(file_name: &str, bytes: &[u8]) -> Result<Vec<(u64, Dealership)>, BadRows> {
    let mut table = Table::new(file_name);
    let rows = table.rows(bytes, &COLUMNS);
    let mut line_of = HashMap::new();
    let mut dealerships = Vec::with_capacity(rows.len());
    for row in rows {
        dealerships.extend(dealership(&mut table, &row).map(|dealership| (row.line, dealership)));
        let [id, ..] = row.cells;
        if let Some(id) = id
            && let Some(first) = line_of.insert(id.clone(), row.line)
        {
            table.refuse(row.line, Some("id"), Reason::IdTwice { id, first });
        }
    }
    table.finish(dealerships)
}

/// All ids of a file, of rows that cannot be read otherwise too.
pub(super) fn ids(bytes: &[u8]) -> Vec<String> {
    let mut records = Records::new(bytes).filter(|record| !record.is_blank());
    let is_id = |name: &[u8]| name.trim_ascii().eq_ignore_ascii_case(b"id");
    let Some(place) = records.next().and_then(|header| header.cells.iter().position(is_id)) else {
        return Vec::new();
    };
    let id = |record: Record| String::from_utf8(record.cells.get(place)?.to_vec()).ok();
    records.filter_map(id).collect()
}

fn dealership(table: &mut Table<'_>, row: &Row<15>) -> Option<Dealership> {
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
        postal_code,
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
    let package_use =
        table.parse(line, PACKAGE_USE, package_use, |text| told(text, Wish::PackageUse));
    let reminders = table.parse(line, REMINDERS, reminders, |text| told(text, Wish::Reminders));
    let postal_code = table.parse(line, POSTAL_CODE, postal_code, |text| {
        if text.is_empty() { Ok(None) } else { text.parse().map(Some) }
    });
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
        postal_code: postal_code?,
    })
}

fn zone(text: &str) -> Result<Option<Tz>, Reason> {
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|_| Reason::Zone(text.to_owned()))
}

fn day(text: &str) -> Result<Option<u32>, Reason> {
    if text.is_empty() {
        return Ok(None);
    }
    let day = text.parse().ok().filter(|day| (1..=31).contains(day));
    day.map(Some).ok_or_else(|| Reason::Day(text.to_owned()))
}

/// `yes`, `no`, or nothing for what is configured.
fn told(text: &str, wish: Wish) -> Result<Option<bool>, Reason> {
    match text {
        "" => Ok(None),
        "yes" => Ok(Some(true)),
        "no" => Ok(Some(false)),
        _ => Err(Reason::NeitherYesNorNo { text: text.to_owned(), wish }),
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
    let has_postal_code = dealerships.iter().any(|d| d.postal_code.is_some());
    let is_written = |column: &str| match column {
        EVIDENCE => has_evidence,
        PACKAGE_USE => has_package_use,
        REMINDERS => has_reminders,
        POSTAL_CODE => has_postal_code,
        _ => true,
    };
    let columns = DEALERSHIP_COLUMNS.into_iter().filter(|column| is_written(column));
    let rows = dealerships.iter().map(|dealership| {
        let cells = DEALERSHIP_COLUMNS.into_iter().zip(cells(dealership));
        cells.filter(|(column, _)| is_written(column)).map(|(_, cell)| cell).collect()
    });
    write(&columns.collect::<Vec<_>>(), rows)
}

/// A `dealerships.csv` of one row: a dealership as it is, but for these columns.
#[must_use]
pub fn dealership_row(dealership: &Dealership, columns: &[(&str, &str)]) -> String {
    let cell = |(column, cell): (&str, String)| {
        let other = columns.iter().find(|(name, _)| *name == column);
        other.map_or(cell, |(_, other)| (*other).to_owned())
    };
    let cells = DEALERSHIP_COLUMNS.into_iter().zip(cells(dealership)).map(cell);
    write(&DEALERSHIP_COLUMNS, [cells.collect()].into_iter())
}

/// In the order of [`DEALERSHIP_COLUMNS`].
#[must_use]
pub fn cells(dealership: &Dealership) -> [String; 15] {
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
        dealership.postal_code.map(|code| code.to_string()).unwrap_or_default(),
    ]
}
