//! `dealerships.csv`.

use std::collections::HashMap;

use chrono_tz::Tz;

use super::reason::{Reason, Wish};
use super::records::{Record, Records};
use super::table::{Columns, Row, Table};
use super::{BadRows, filled, write};
use crate::letters::mailbox;
use fecha_core::party::group::{GroupName, InvalidGroupName};
use fecha_core::party::municipality::{InvalidMunicipality, Municipality};
use fecha_core::party::postal_code::{InvalidPostalCode, PostalCode};
use fecha_core::party::register::{
    BrazilianState, Dealership, EmailAddress, EvidenceWish, TaxDetails,
};

/// The columns of `dealerships.csv`; those from the twelfth on may be missing.
pub const DEALERSHIP_COLUMNS: [&str; 22] = [
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
    GROUP,
    POSTAL_CODE,
    NUMBER,
    COMPLEMENT,
    DISTRICT,
    IBGE_CODE,
    MUNICIPAL_REGISTRATION,
    ISS_WITHHELD,
];

/// Those that every `dealerships.csv` has.
pub const DEALERSHIP_COLUMNS_OF_0_1: [&str; 11] = *DEALERSHIP_COLUMNS.first_chunk().unwrap();

/// Younger than the others: files made before it was there are still read.
const EVIDENCE: &str = "evidence";
const PACKAGE_USE: &str = "package_use";
const REMINDERS: &str = "reminders";
const GROUP: &str = "group";
const POSTAL_CODE: &str = "postal_code";
const NUMBER: &str = "number";
const COMPLEMENT: &str = "complement";
const DISTRICT: &str = "district";
const IBGE_CODE: &str = "ibge_code";
const MUNICIPAL_REGISTRATION: &str = "municipal_registration";
const ISS_WITHHELD: &str = "iss_withheld";

const COLUMNS: Columns<22> = Columns {
    names: DEALERSHIP_COLUMNS,
    optional: &[
        EVIDENCE,
        PACKAGE_USE,
        REMINDERS,
        GROUP,
        POSTAL_CODE,
        NUMBER,
        COMPLEMENT,
        DISTRICT,
        IBGE_CODE,
        MUNICIPAL_REGISTRATION,
        ISS_WITHHELD,
    ],
    may_be_empty: &[
        "trade_name",
        "cc",
        "timezone",
        "due_day",
        EVIDENCE,
        PACKAGE_USE,
        REMINDERS,
        GROUP,
        POSTAL_CODE,
        NUMBER,
        COMPLEMENT,
        DISTRICT,
        IBGE_CODE,
        MUNICIPAL_REGISTRATION,
        ISS_WITHHELD,
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

fn dealership(table: &mut Table<'_>, row: &Row<22>) -> Option<Dealership> {
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
        group,
        postal_code,
        tax @ ..,
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
    let group = table.parse(line, GROUP, group, group_name);
    let postal_code = table.parse(line, POSTAL_CODE, postal_code, code);
    let tax = tax_details(table, line, tax, state);
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
        group: group?,
        postal_code: postal_code?,
        tax: tax?,
    })
}

/// What only a tax document says. A text is no longer than the layout of the NFS-e takes.
fn tax_details(
    table: &mut Table<'_>,
    line: u64,
    cells: [Option<&str>; 6],
    state: Option<BrazilianState>,
) -> Option<TaxDetails> {
    let [number, complement, district, ibge_code, municipal_registration, iss_withheld] = cells;
    let number = table.parse(line, NUMBER, number, |text| short(text, 60));
    let complement = table.parse(line, COMPLEMENT, complement, |text| short(text, 156));
    let district = table.parse(line, DISTRICT, district, |text| short(text, 60));
    let ibge_code = table.parse(line, IBGE_CODE, ibge_code, |text| municipality(text, state));
    let municipal_registration =
        table.parse(line, MUNICIPAL_REGISTRATION, municipal_registration, |text| short(text, 15));
    let iss_withheld =
        table.parse(line, ISS_WITHHELD, iss_withheld, |text| told(text, Wish::IssWithheld));
    Some(TaxDetails {
        number: number?,
        complement: complement?,
        district: district?,
        ibge_code: ibge_code?,
        municipal_registration: municipal_registration?,
        iss_withheld: iss_withheld?,
    })
}

fn short(text: &str, most: usize) -> Result<Option<String>, Reason> {
    if text.chars().count() > most {
        return Err(Reason::TooLong { most });
    }
    Ok(Some(text.to_owned()).filter(|text| !text.is_empty()))
}

fn municipality(
    text: &str,
    state: Option<BrazilianState>,
) -> Result<Option<Municipality>, InvalidMunicipality> {
    if text.is_empty() {
        return Ok(None);
    }
    let code: Municipality = text.parse()?;
    state.map_or(Ok(code), |state| code.within(state)).map(Some)
}

fn group_name(text: &str) -> Result<Option<GroupName>, InvalidGroupName> {
    if text.is_empty() { Ok(None) } else { text.parse().map(Some) }
}

fn code(text: &str) -> Result<Option<PostalCode>, InvalidPostalCode> {
    if text.is_empty() { Ok(None) } else { text.parse().map(Some) }
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
    let any = |has: fn(&Dealership) -> bool| dealerships.iter().any(has);
    let has_evidence = any(|d| d.evidence != EvidenceWish::default());
    let has_package_use = any(|d| d.package_use.is_some());
    let has_reminders = any(|d| d.reminders.is_some());
    let has_group = any(|d| d.group.is_some());
    let has_postal_code = any(|d| d.postal_code.is_some());
    let has_number = any(|d| d.tax.number.is_some());
    let has_complement = any(|d| d.tax.complement.is_some());
    let has_district = any(|d| d.tax.district.is_some());
    let has_ibge_code = any(|d| d.tax.ibge_code.is_some());
    let has_registration = any(|d| d.tax.municipal_registration.is_some());
    let has_iss_withheld = any(|d| d.tax.iss_withheld.is_some());
    let is_written = |column: &str| match column {
        EVIDENCE => has_evidence,
        PACKAGE_USE => has_package_use,
        REMINDERS => has_reminders,
        GROUP => has_group,
        POSTAL_CODE => has_postal_code,
        NUMBER => has_number,
        COMPLEMENT => has_complement,
        DISTRICT => has_district,
        IBGE_CODE => has_ibge_code,
        MUNICIPAL_REGISTRATION => has_registration,
        ISS_WITHHELD => has_iss_withheld,
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
pub fn cells(dealership: &Dealership) -> [String; 22] {
    let tax = &dealership.tax;
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
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
        dealership.group.as_ref().map(GroupName::to_string).unwrap_or_default(),
        dealership.postal_code.map(|code| code.to_string()).unwrap_or_default(),
        text(&tax.number),
        text(&tax.complement),
        text(&tax.district),
        tax.ibge_code.map(|code| code.to_string()).unwrap_or_default(),
        text(&tax.municipal_registration),
        in_a_word(tax.iss_withheld),
    ]
}
