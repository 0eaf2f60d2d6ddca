//! Tables of payments: `number,on,amount` of ours, and what `fecha invoices --csv` wrote, filled in by
//! finance.

use std::collections::HashMap;

use chrono::NaiveDate;
use csv_core::{ReadRecordResult, ReaderBuilder};

use super::Kind;
use super::amount::{amount, day, shown};
use super::found;
use super::statement::{BankLine, Reading, Written};
use crate::bill::group_bill::GroupTxid;
use crate::bill::invoice::Number;
use crate::price::money::Money;

/// More cells than any table of ours has; a row past it is no row.
const MOST_CELLS: usize = 512;

/// What stands at the end of what is read: a row of its own, unless a quote is still open.
const END: &str = "\n\u{1}";

/// Which column holds what.
struct Columns {
    number: usize,
    on: usize,
    amount: Option<usize>,
    kind: Option<usize>,
    reference: Option<usize>,
    cnpj: Option<usize>,
    words: Option<usize>,
    /// Rows without a day are invoices that nobody paid yet, not mistakes.
    of_invoices: bool,
    count: usize,
}

/// A row with the line on which it begins.
struct Row {
    line: u64,
    cells: Vec<String>,
}

pub(super) fn read(reading: &mut Reading, bytes: &[u8]) {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text.strip_prefix('\u{feff}').unwrap_or(text),
        Err(error) => {
            let before = &bytes[..error.valid_up_to()];
            let line = 1 + newlines(before);
            reading.bad(
                line,
                "is not UTF-8: save the file as UTF-8 ('CSV UTF-8' in Excel) and read it again",
            );
            return;
        }
    };
    let (delimiter, first_line, text) = delimiter_of(text);
    let mut rows = Rows::of(text, delimiter, first_line);
    let Some(header) = rows.next(reading) else { return };
    let columns = match Columns::of(&header.cells) {
        Ok(columns) => columns,
        Err(reason) => return reading.bad(header.line, reason),
    };
    let mut written = Written::new();
    while let Some(row) = rows.next(reading) {
        if row.cells.iter().all(|cell| cell.trim().is_empty()) {
            continue;
        }
        match payment(reading, &columns, &row, delimiter) {
            Ok(Some(line)) => match contradiction(&mut written, &line) {
                Some(reason) => reading.bad(row.line, reason),
                None => reading.pay(line),
            },
            Ok(None) => reading.leave_out("invoice without a day in pago_em"),
            Err(reasons) => reading.bad(row.line, reasons.join("; ")),
        }
    }
}

fn newlines(bytes: &[u8]) -> u64 {
    bytes.split(|b| *b == b'\n').skip(1).count() as u64
}

/// What parts the cells, the line on which the header stands, and the text from it on. `sep=;` is what
/// Excel writes and reads; else the header says it.
fn delimiter_of(text: &str) -> (u8, u64, &str) {
    let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
    let bare = first.trim().trim_matches('"');
    if let Some(mark) = bare.strip_prefix("sep=").or_else(|| bare.strip_prefix("SEP="))
        && let [delimiter @ (b';' | b',')] = mark.as_bytes()
    {
        return (*delimiter, 2, rest);
    }
    let header = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    (if header.contains(';') { b';' } else { b',' }, 1, text)
}

/// The rows of a table, cell by cell as RFC 4180 quotes them.
struct Rows {
    reader: csv_core::Reader,
    input: Vec<u8>,
    at: usize,
    line: u64,
    output: Vec<u8>,
    ends: Vec<usize>,
}

impl Rows {
    fn of(text: &str, delimiter: u8, first_line: u64) -> Self {
        let input = [text, END].concat().into_bytes();
        Self {
            reader: ReaderBuilder::new().delimiter(delimiter).build(),
            // A cell is never longer than the file.
            output: vec![0; input.len()],
            ends: vec![0; MOST_CELLS],
            at: 0,
            line: first_line,
            input,
        }
    }

    /// The next row; `None` at the end, and where the table cannot be read on.
    fn next(&mut self, reading: &mut Reading) -> Option<Row> {
        while let Some(b @ (b'\n' | b'\r')) = self.input.get(self.at) {
            self.line += u64::from(*b == b'\n');
            self.at += 1;
        }
        let (line, mut length, mut cells) = (self.line, 0, 0);
        loop {
            let (result, read, written, ended) = self.reader.read_record(
                &self.input[self.at..],
                &mut self.output[length..],
                &mut self.ends[cells..],
            );
            let read_now = &self.input[self.at..self.at + read];
            self.line += newlines(read_now);
            self.at += read;
            length += written;
            cells += ended;
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::Record => break,
                ReadRecordResult::End => return None,
                ReadRecordResult::OutputFull | ReadRecordResult::OutputEndsFull => {
                    reading.bad(line, "has too many cells for a table of payments");
                    return None;
                }
            }
        }
        let row = Row { line, cells: self.cells(cells) };
        if self.at < self.input.len() {
            return Some(row);
        }
        if row.cells != [&END[1..]] {
            reading.bad(line, "has a quote that is not closed: the file may be cut off");
        }
        None
    }

    fn cells(&self, count: usize) -> Vec<String> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        let cells = starts.zip(self.ends.iter().copied()).take(count);
        cells.map(|(from, to)| String::from_utf8_lossy(&self.output[from..to]).into()).collect()
    }
}

impl Columns {
    fn of(header: &[String]) -> Result<Self, String> {
        let plain = |cell: &String| deunicode::deunicode(cell.trim()).to_ascii_lowercase();
        let names: Vec<String> = header.iter().map(plain).collect();
        let mut at: HashMap<&str, usize> = HashMap::new();
        for (index, name) in names.iter().enumerate().filter(|(_, name)| !name.is_empty()) {
            if at.insert(name, index).is_some() {
                return Err(format!("names the column '{}' twice", shown(name)));
            }
        }
        let find = |name: &str| at.get(name).copied();
        if let (Some(number), Some(on)) = (find("numero"), find("pago_em")) {
            return Ok(Self {
                number,
                on,
                amount: find("valor_pago"),
                kind: None,
                reference: None,
                cnpj: find("cnpj"),
                words: find("concessionaria"),
                of_invoices: true,
                count: names.len(),
            });
        }
        if find("numero").is_some() {
            return Err("has no column pago_em: add it with the day on which each invoice was \
                        paid, and valor_pago where that was not all that is open"
                .to_owned());
        }
        let (Some(number), Some(on), Some(amount)) = (find("number"), find("on"), find("amount"))
        else {
            return Err(format!("is no header of a file that is known. {}", super::KNOWN));
        };
        let known = ["number", "on", "amount", "kind", "reference"];
        // A misspelt 'reference' that is passed over would record payments twice.
        if let Some(name) = names.iter().find(|name| !known.contains(&name.as_str())) {
            return Err(format!(
                "has a column '{}': known are number, on, amount, kind, reference",
                shown(name)
            ));
        }
        Ok(Self {
            number,
            on,
            amount: Some(amount),
            kind: find("kind"),
            reference: find("reference"),
            cnpj: None,
            words: None,
            of_invoices: false,
            count: names.len(),
        })
    }
}

/// The payment of a row; `None` for an invoice that is not paid.
fn payment(
    reading: &Reading,
    columns: &Columns,
    row: &Row,
    delimiter: u8,
) -> Result<Option<BankLine>, Vec<String>> {
    let extra = row.cells.get(columns.count..).unwrap_or_default();
    if row.cells.len() < columns.count || extra.iter().any(|cell| !cell.trim().is_empty()) {
        return Err(vec![format!(
            "has {} cells and the header {}: a cell with the mark that parts cells needs quotes",
            row.cells.len(),
            columns.count
        )]);
    }
    let cell = |column: usize| row.cells[column].trim();
    let optional = |column: Option<usize>| column.map_or("", cell);
    if columns.of_invoices && cell(columns.on).is_empty() {
        let paid = optional(columns.amount);
        if paid.is_empty() {
            return Ok(None);
        }
        return Err(vec![format!("has valor_pago '{}' and no day in pago_em", shown(paid))]);
    }
    let mut reasons = Vec::new();
    if delimiter == b',' && columns.amount.is_some_and(|at| is_torn(&row.cells, at)) {
        reasons.push("has an amount with a comma, which needs quotes".to_owned());
    }
    let mut keep = |reason: String| reasons.push(reason);
    let named = named(cell(columns.number)).map_err(&mut keep).ok();
    let on = day(cell(columns.on)).map_err(&mut keep).ok();
    let paid = paid(optional(columns.amount)).map_err(&mut keep).ok();
    let kind = match optional(columns.kind) {
        "" => Some(Kind::Money),
        text => text.parse::<Kind>().map_err(|_| keep(no_kind(text))).ok(),
    };
    if paid == Some(None) && kind.is_some_and(|kind| kind != Kind::Money) {
        keep("has no amount: only money can be all that is open".to_owned());
    }
    let (Some((number, group)), Some(on), Some(amount), Some(kind), true) =
        (named, on, paid, kind, reasons.is_empty())
    else {
        return Err(reasons);
    };
    let reference = found::words(optional(columns.reference));
    Ok(Some(BankLine {
        place: reading.place(row.line),
        on,
        amount,
        kind,
        reference: (!reference.is_empty()).then_some(reference),
        number,
        txid: None,
        group,
        cnpj: optional(columns.cnpj).parse().ok(),
        words: found::words(optional(columns.words)),
    }))
}

/// Whether `1192,27` without quotes stands in two cells of a file that commas part.
fn is_torn(cells: &[String], amount: usize) -> bool {
    let digits = |cell: &String| {
        let cell = cell.trim();
        (!cell.is_empty() && cell.bytes().all(|b| b.is_ascii_digit())).then_some(cell.len())
    };
    let after = cells.get(amount + 1).and_then(digits);
    digits(&cells[amount]).is_some() && matches!(after, Some(1..=2))
}

/// The invoice, or the group bill, that a cell names.
fn named(text: &str) -> Result<(Option<Number>, Option<GroupTxid>), String> {
    if let Ok(group) = text.parse() {
        return Ok((None, Some(group)));
    }
    match found::number_in_field(text) {
        Some(named) if named.number.to_string() == text || named.number.txid() == text => {
            Ok((Some(named.number), None))
        }
        _ => Err(format!(
            "'{}' is no invoice number: write it as YYYY-NNNNNN, for example 2026-000001",
            shown(text)
        )),
    }
}

/// `None` for an empty cell: all that is open.
fn paid(text: &str) -> Result<Option<Money>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    let money = amount(text)?;
    if money > Money::ZERO {
        Ok(Some(money))
    } else {
        Err(format!("'{}' is not above zero", shown(text)))
    }
}

fn no_kind(text: &str) -> String {
    crate::account::payment::InvalidKind(shown(text)).to_string()
}

/// A reference stands for one payment of an invoice: a second row with another day or amount would be taken
/// for the first read again, and its money lost.
fn contradiction(written: &mut Written, line: &BankLine) -> Option<String> {
    let reference = line.reference.clone()?;
    let said: (NaiveDate, Option<Money>) = (line.on, line.amount);
    let before = *written.entry((reference, line.number, line.group, line.kind)).or_insert(said);
    (before != said).then(|| {
        "has a reference that stands above for this invoice with another day or amount".to_owned()
    })
}
