//! A CSV file as rows of cells: header, encoding, quotes and the number of columns.

use super::reason::{Misfit, Reason};
use super::records::{Record, Records};
use super::{BadRow, BadRows};
use fecha_core::party::invisible::without_invisible;

/// The columns of a file.
pub(super) struct Columns<const N: usize> {
    /// In the order in which rows give their cells.
    pub names: [&'static str; N],
    /// Younger than the others: files made before they were there are still read.
    pub optional: &'static [&'static str],
    /// Whose cells may be empty: spreadsheets leave such cells out where a row ends with them.
    pub may_be_empty: &'static [&'static str],
}

/// A file being read, and what is wrong with it so far.
pub(super) struct Table<'a> {
    file: &'a str,
    /// No more than are told, and as many again.
    bad: Vec<BadRow>,
    total: usize,
    /// The first cell in a code page, and how many more there are: they are one thing to fix.
    code_page: Option<CodePage>,
    /// The optional columns that the file has not.
    missing: Vec<&'static str>,
}

/// One row, in the order of the columns asked for.
pub(super) struct Row<const N: usize> {
    pub line: u64,
    /// `None` where the cell was refused already.
    pub cells: [Option<String>; N],
}

/// The first cell that is not UTF-8.
struct CodePage {
    line: u64,
    column: &'static str,
    shown: String,
    more: usize,
}

impl<'a> Table<'a> {
    pub fn new(file: &'a str) -> Self {
        Self { file, bad: Vec::new(), total: 0, code_page: None, missing: Vec::new() }
    }

    pub fn refuse(&mut self, line: u64, column: Option<&'static str>, reason: impl Into<Reason>) {
        let (file, reason) = (self.file.to_owned(), reason.into());
        self.bad.push(BadRow { file, line, column, reason });
        self.total += 1;
        if self.bad.len() >= 2 * BadRows::MOST {
            self.keep_the_first();
        }
    }

    /// `value` where nothing was refused.
    pub fn finish<T>(mut self, value: T) -> Result<T, BadRows> {
        if let Some(CodePage { line, column, shown, more }) = self.code_page.take() {
            self.refuse(line, Some(column), Reason::CodePage { shown, more });
        }
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
    pub fn parse<T, E: Into<Reason>>(
        &mut self,
        line: u64,
        column: &'static str,
        cell: Option<&str>,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        parse(cell?).map_err(|error| self.refuse(line, Some(column), error)).ok()
    }

    /// All rows under the header, but those that are empty. Ids stay as they are, byte by byte; other cells
    /// lose the space around them and marks that nobody sees. A missing column that is optional has empty cells.
    pub fn rows<const N: usize>(&mut self, bytes: &[u8], columns: &Columns<N>) -> Vec<Row<N>> {
        if bytes.starts_with(&[0xFF, 0xFE]) || bytes.starts_with(&[0xFE, 0xFF]) {
            self.refuse(1, None, Reason::Utf16);
            return Vec::new();
        }
        let mut records = Records::new(bytes);
        let separator = records.separator();
        let Some(header) = records.by_ref().find(|record| !record.is_blank()) else {
            self.refuse(1, None, Reason::EmptyFile { columns: columns.listed() });
            return Vec::new();
        };
        let Some(header) = self.header(&header, columns, separator) else { return Vec::new() };
        records
            .filter(|record| !record.is_blank())
            .filter_map(|record| self.row(&record, &header, columns))
            .collect()
    }

    /// Whether the file says nothing in a column that is optional: other than an empty cell, that changes nothing.
    pub fn lacks(&self, column: &'static str) -> bool {
        self.missing.contains(&column)
    }

    /// Where each column stands. Columns behind the last name are no columns, as long as they are empty.
    fn header<const N: usize>(
        &mut self,
        record: &Record,
        columns: &Columns<N>,
        separator: char,
    ) -> Option<Header<N>> {
        let (known, line) = (self.total, record.line);
        let width = record.filled();
        let name = |cell| without_invisible(&String::from_utf8_lossy(cell)).trim().to_lowercase();
        let names: Vec<String> = record.cells.iter().take(width).map(name).collect();
        let listed = columns.listed();
        let is_column = |name: &String| columns.names.contains(&name.as_str());
        if let [only] = names.as_slice()
            && only.contains([',', ';', '\t'])
        {
            self.refuse(line, None, Reason::NotSeparated { by: separator });
            return None;
        }
        if !names.iter().any(is_column) {
            self.refuse(line, None, Reason::NoHeader { columns: listed });
            return None;
        }
        for (index, name) in names.iter().enumerate() {
            if !is_column(name) {
                let (name, columns) = (name.clone(), listed.clone());
                self.refuse(line, None, Reason::UnknownColumn { name, columns });
            } else if names[..index].contains(name) {
                self.refuse(line, None, Reason::ColumnTwice(name.clone()));
            }
        }
        let places = columns.names.map(|column| names.iter().position(|name| name == column));
        for (column, place) in columns.names.iter().zip(places) {
            if place.is_none() && columns.optional.contains(column) {
                self.missing.push(column);
            } else if place.is_none() {
                self.refuse(line, None, Reason::ColumnMissing(column));
            }
        }
        (self.total == known).then_some(Header {
            width,
            cells: record.cells.len(),
            places,
            separator,
        })
    }

    fn row<const N: usize>(
        &mut self,
        record: &Record,
        header: &Header<N>,
        columns: &Columns<N>,
    ) -> Option<Row<N>> {
        let line = record.line;
        if let Some(reason) = header.misfit(record, columns) {
            self.refuse(line, None, reason);
            return None;
        }
        let mut index = 0;
        let cells = header.places.map(|place| {
            let column = columns.names[index];
            index += 1;
            let cell = place.and_then(|place| record.cells.get(place)).unwrap_or_default();
            self.cell(line, column, cell)
        });
        Some(Row { line, cells })
    }

    fn cell(&mut self, line: u64, column: &'static str, bytes: &[u8]) -> Option<String> {
        let Ok(text) = std::str::from_utf8(bytes) else {
            match &mut self.code_page {
                Some(first) => first.more += 1,
                first => {
                    let shown = String::from_utf8_lossy(bytes).into_owned();
                    *first = Some(CodePage { line, column, shown, more: 0 });
                }
            }
            return None;
        };
        let is_id = matches!(column, "id" | "dealership_id");
        let text = if is_id { text.into() } else { without_invisible(text) };
        let text = if is_id { &*text } else { text.trim() };
        let Some(control) = text.chars().find(|c| c.is_control()) else {
            return Some(text.to_owned());
        };
        self.refuse(line, Some(column), Reason::Control(control));
        None
    }
}

/// What the header says.
struct Header<const N: usize> {
    /// Columns that have a name.
    width: usize,
    /// Those behind them too.
    cells: usize,
    /// `None` for a column that is not there and need not be.
    places: [Option<usize>; N],
    separator: char,
}

impl<const N: usize> Header<N> {
    /// Why a row has other columns than the header; `None` where it fits.
    fn misfit(&self, record: &Record, columns: &Columns<N>) -> Option<Reason> {
        let (width, cells) = (self.width, record.cells.len());
        let found = if cells > self.cells { cells } else { record.filled().max(cells.min(width)) };
        if found > width {
            let has_newline = record.cells.iter().any(|cell| cell.contains(&b'\n'));
            let why = match self.separator {
                _ if has_newline => Misfit::OpenQuote,
                ';' => Misfit::UnquotedSemicolon,
                _ => Misfit::Unknown,
            };
            return Some(Reason::Width { found, expected: width, why });
        }
        let is_left_out = |place: &Option<usize>| place.is_some_and(|place| place >= found);
        let mut left_out = columns.names.iter().zip(&self.places);
        let lacks = left_out
            .any(|(name, place)| is_left_out(place) && !columns.may_be_empty.contains(name));
        if lacks || (found < width && record.is_last_without_end) {
            let why = if record.is_last_without_end { Misfit::CutOff } else { Misfit::Unknown };
            return Some(Reason::Width { found, expected: width, why });
        }
        None
    }
}

impl<const N: usize> Columns<N> {
    /// `a,b[,c]`: those that may be left out in brackets.
    fn listed(&self) -> String {
        let mut listed = String::new();
        for column in &self.names {
            let comma = if listed.is_empty() { "" } else { "," };
            if self.optional.contains(column) {
                listed.push_str(&format!("[{comma}{column}]"));
            } else {
                listed.push_str(comma);
                listed.push_str(column);
            }
        }
        listed
    }
}
