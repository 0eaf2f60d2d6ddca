//! Reads a file of payments.

use chrono::NaiveDate;

use super::{NewPayment, Place, Target};
use fecha_core::account::payment::{InvalidKind, Kind};
use fecha_core::bill::invoice::{InvalidNumber, Number};
use fecha_core::price::money::{InvalidMoney, Money};

/// The header of a file of payments.
const HEADER: &str = "number,on,amount";
/// Columns that may follow.
const OPTIONAL: [&str; 2] = ["kind", "reference"];

/// The file cannot be read as payments; nothing was recorded.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It has other columns.
    #[error("{file} line 1: the header is {HEADER}, and may go on with kind,reference")]
    Header {
        /// As it was named.
        file: String,
    },
    /// It is no CSV.
    #[error("{file}: {source}")]
    Csv {
        /// As it was named.
        file: String,
        /// Why not.
        source: csv::Error,
    },
    /// Lines that are no payments, all at once.
    #[error("{}\nnothing was recorded", .0.iter().map(|(place, why)| format!("{place}: {why}")).collect::<Vec<_>>().join("\n"))]
    Lines(Vec<(Place, BadLine)>),
}

/// Why a line is no payment.
#[derive(Debug, thiserror::Error)]
pub enum BadLine {
    #[error(transparent)]
    InvalidNumber(#[from] InvalidNumber),
    #[error("'{0}' is no day: write it as YYYY-MM-DD")]
    InvalidDay(String),
    #[error(transparent)]
    InvalidMoney(#[from] InvalidMoney),
    #[error(transparent)]
    InvalidKind(#[from] InvalidKind),
    #[error(transparent)]
    Csv(#[from] csv::Error),
}

/// Reads a file of payments (CSV: `number,on,amount[,kind,reference]`; an empty amount is all that is open).
///
/// # Errors
/// [`FileError`], which names every bad line.
pub fn read_csv(file: &str, bytes: &[u8]) -> Result<Vec<NewPayment>, FileError> {
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(bytes);
    let header = reader.headers().map_err(|source| FileError::Csv { file: file.into(), source })?;
    let columns: Vec<String> = header.iter().map(str::to_owned).collect();
    let (first, rest) = columns.split_at(columns.len().min(3));
    if first.join(",") != HEADER || rest.iter().any(|name| !OPTIONAL.contains(&name.as_str())) {
        return Err(FileError::Header { file: file.to_owned() });
    }
    let (mut payments, mut bad) = (Vec::new(), Vec::new());
    for (record, line) in reader.records().zip(2..) {
        let place = Place { file: file.to_owned(), line };
        match record.map_err(BadLine::from).and_then(|record| parse(&record, &columns)) {
            Ok(line) => payments.push(NewPayment { place: Some(place), ..line }),
            Err(why) => bad.push((place, why)),
        }
    }
    if bad.is_empty() { Ok(payments) } else { Err(FileError::Lines(bad)) }
}

fn parse(record: &csv::StringRecord, columns: &[String]) -> Result<NewPayment, BadLine> {
    let field = |name: &str| {
        let index = columns.iter().position(|column| column == name);
        index.and_then(|index| record.get(index)).unwrap_or_default()
    };
    let number: Number = field("number").parse()?;
    let on: NaiveDate =
        field("on").parse().map_err(|_| BadLine::InvalidDay(field("on").to_owned()))?;
    let amount: Option<Money> = match field("amount") {
        "" => None,
        text => Some(text.parse()?),
    };
    let kind = match field("kind") {
        "" => Kind::Money,
        text => text.parse()?,
    };
    let reference = Some(field("reference").to_owned()).filter(|text| !text.is_empty());
    let target = Target::Invoice(number);
    Ok(NewPayment { place: None, target, on, amount, kind, reference, again: false })
}
