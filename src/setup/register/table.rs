//! A CSV file as rows of cells: header, encoding, quotes and the number of columns.

use std::fmt::Display;

use super::{BadRow, BadRows};

/// A file being read, and what is wrong with it so far.
pub(super) struct Table<'a> {
    file: &'a str,
    /// No more than are told, and as many again.
    bad: Vec<BadRow>,
    total: usize,
}

/// One row, in the order of the columns asked for.
pub(super) struct Row<const N: usize> {
    pub line: u64,
    /// `None` where the cell was refused already.
    pub cells: [Option<String>; N],
}

impl<'a> Table<'a> {
    pub fn new(file: &'a str) -> Self {
        Self { file, bad: Vec::new(), total: 0 }
    }

    pub fn refuse(&mut self, line: u64, column: Option<&'static str>, reason: impl Display) {
        let (file, reason) = (self.file.to_owned(), reason.to_string());
        self.bad.push(BadRow { file, line, column, reason });
        self.total += 1;
        if self.bad.len() >= 2 * BadRows::MOST {
            self.keep_the_first();
        }
    }

    /// `value` where nothing was refused.
    pub fn finish<T>(mut self, value: T) -> Result<T, BadRows> {
        if self.bad.is_empty() {
            return Ok(value);
        }
        self.keep_the_first();
        Err(BadRows { first: self.bad, total: self.total })
    }

    fn keep_the_first(&mut self) {
        self.bad.sort_by_key(|bad| bad.line);
        self.bad.truncate(BadRows::MOST);
    }

    /// Parses one cell; `None` means that it was refused, here or before.
    pub fn parse<T, E: Display>(
        &mut self,
        line: u64,
        column: &'static str,
        cell: Option<&str>,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        parse(cell?).map_err(|error| self.refuse(line, Some(column), error)).ok()
    }

    /// All rows under the header. The first column is an id and stays as it is, byte by byte; the
    /// others lose the space around them. A missing column of `optional` has empty cells.
    pub fn rows<const N: usize>(
        &mut self,
        bytes: &[u8],
        columns: [&'static str; N],
        optional: &[&str],
    ) -> Vec<Row<N>> {
        if bytes.starts_with(&[0xFF, 0xFE]) || bytes.starts_with(&[0xFE, 0xFF]) {
            self.refuse(1, None, "is UTF-16: save it as \"CSV UTF-8\"");
            return Vec::new();
        }
        let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
        let mut records = Records::new(bytes);
        let Some((line, header)) = records.next() else {
            self.refuse(
                1,
                None,
                format!("is empty: the first line is {}", listed(&columns, optional)),
            );
            return Vec::new();
        };
        let Some(places) = self.header(line, &header, columns, optional) else { return Vec::new() };
        let width = header.len();
        records
            .filter_map(|(line, record)| self.row(line, &record, width, columns, places))
            .collect()
    }

    /// Where each column stands; `None` for one that is not there and need not be.
    fn header<const N: usize>(
        &mut self,
        line: u64,
        header: &csv::ByteRecord,
        columns: [&'static str; N],
        optional: &[&str],
    ) -> Option<[Option<usize>; N]> {
        let known = self.total;
        let names: Vec<String> =
            header.iter().map(|name| String::from_utf8_lossy(name).trim().to_owned()).collect();
        if let [only] = names.as_slice()
            && only.contains([';', '\t'])
        {
            let reason = "the columns are not separated by commas: save it as CSV with ','; a ';' only separates the addresses in cc";
            self.refuse(line, None, reason);
            return None;
        }
        if !names.iter().any(|name| columns.contains(&name.as_str())) {
            self.refuse(line, None, format!("is no header: write {}", listed(&columns, optional)));
            return None;
        }
        for (index, name) in names.iter().enumerate() {
            if !columns.contains(&name.as_str()) {
                let listed = listed(&columns, optional);
                let reason = format!("unknown column '{name}': the columns are {listed}");
                self.refuse(line, None, reason);
            } else if names[..index].contains(name) {
                self.refuse(line, None, format!("the column '{name}' stands twice"));
            }
        }
        let places = columns.map(|column| names.iter().position(|name| name == column));
        for (column, place) in columns.iter().zip(places) {
            if place.is_none() && !optional.contains(column) {
                self.refuse(line, None, format!("the column '{column}' is missing"));
            }
        }
        (self.total == known).then_some(places)
    }

    fn row<const N: usize>(
        &mut self,
        line: u64,
        record: &csv::ByteRecord,
        width: usize,
        columns: [&'static str; N],
        places: [Option<usize>; N],
    ) -> Option<Row<N>> {
        if record.len() != width {
            let has_newline = record.iter().any(|cell| cell.contains(&b'\n'));
            let hint = if has_newline { ": is a quote left open?" } else { "" };
            let reason = format!("has {} columns, the header has {width}{hint}", record.len());
            self.refuse(line, None, reason);
            return None;
        }
        let mut index = 0;
        let cells = places.map(|place| {
            let (is_id, column) = (index == 0, columns[index]);
            index += 1;
            let cell = place.and_then(|place| record.get(place)).unwrap_or_default();
            self.cell(line, column, cell, is_id)
        });
        Some(Row { line, cells })
    }

    fn cell(
        &mut self,
        line: u64,
        column: &'static str,
        bytes: &[u8],
        is_id: bool,
    ) -> Option<String> {
        let Ok(text) = std::str::from_utf8(bytes) else {
            let shown = String::from_utf8_lossy(bytes).into_owned();
            let reason = format!("'{shown}' is not UTF-8: save the file as \"CSV UTF-8\"");
            self.refuse(line, Some(column), reason);
            return None;
        };
        let text = if is_id { text } else { text.trim() };
        let Some(control) = text.chars().find(|c| c.is_control()) else {
            return Some(text.to_owned());
        };
        let name = match control {
            '\n' | '\r' => "a line break".to_owned(),
            '\t' => "a tab".to_owned(),
            other => format!("the control character U+{:04X}", u32::from(other)),
        };
        self.refuse(line, Some(column), format!("holds {name}: remove it"));
        None
    }
}

/// The records of a file, each with the line on which it begins.
struct Records<'a> {
    bytes: &'a [u8],
    reader: csv::Reader<&'a [u8]>,
}

impl<'a> Records<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        let reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(bytes);
        Self { bytes, reader }
    }
}

impl Iterator for Records<'_> {
    type Item = (u64, csv::ByteRecord);

    fn next(&mut self) -> Option<Self::Item> {
        let mut record = csv::ByteRecord::new();
        // Reading from memory cannot fail, and records of any length are allowed.
        if !self.reader.read_byte_record(&mut record).unwrap_or(false) {
            return None;
        }
        let start = record.position()?;
        // The reader's position is where it stood before the empty lines that it skipped.
        let from = usize::try_from(start.byte()).ok()?;
        let skipped = self.bytes[from..].iter().take_while(|b| matches!(b, b'\r' | b'\n'));
        let newlines = skipped.filter(|b| **b == b'\n').count() as u64;
        Some((start.line() + newlines, record))
    }
}

/// `a,b[,c]`: those that may be left out in brackets.
fn listed(columns: &[&str], optional: &[&str]) -> String {
    let mut listed = String::new();
    for column in columns {
        let comma = if listed.is_empty() { "" } else { "," };
        if optional.contains(column) {
            listed.push_str(&format!("[{comma}{column}]"));
        } else {
            listed.push_str(comma);
            listed.push_str(column);
        }
    }
    listed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<u64> {
        Records::new(text.as_bytes()).map(|(line, _)| line).collect()
    }

    #[test]
    fn a_record_has_the_line_on_which_it_begins() {
        assert_eq!(lines("a,b\nc,d\ne,f"), [1, 2, 3]);
        assert_eq!(lines("a,b\r\nc,d\r\ne,f\r\n"), [1, 2, 3]);
        assert_eq!(lines("\n\na,b\n\n\r\nc,d\n"), [3, 6]);
        assert_eq!(lines("a,\"b\nb\nb\"\nc,\"d\r\nd\"\r\n\r\ne,f"), [1, 4, 7]);
    }
}
