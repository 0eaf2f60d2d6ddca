//! The bytes of a CSV file as records, as spreadsheets write them: what stands before the header, what separates
//! cells, on which line a record begins.

/// A record, as it stands in the file.
pub(super) struct Record {
    /// The line on which it begins.
    pub line: u64,
    pub cells: csv::ByteRecord,
    /// The file ends within its line: it may have been cut off.
    pub is_last_without_end: bool,
}

impl Record {
    /// Whether it holds nothing, as rows do that spreadsheets add below a table.
    pub fn is_blank(&self) -> bool {
        self.cells.iter().all(is_blank)
    }

    /// How many cells there are up to the last one that holds something.
    pub fn filled(&self) -> usize {
        self.cells.iter().rposition(|cell| !is_blank(cell)).map_or(0, |last| last + 1)
    }
}

fn is_blank(cell: &[u8]) -> bool {
    std::str::from_utf8(cell).is_ok_and(|text| text.trim().is_empty())
}

/// The records of a file.
pub(super) struct Records<'a> {
    bytes: &'a [u8],
    reader: csv::Reader<&'a [u8]>,
    /// Lines before `bytes`.
    above: u64,
    separator: u8,
}

impl<'a> Records<'a> {
    /// Behind a byte order mark and the line `sep=;` that Excel heeds.
    pub fn new(bytes: &'a [u8]) -> Self {
        let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
        let (first, rest) = first_line(bytes);
        let (bytes, above, separator) = match told_separator(first) {
            Some(separator) => (rest, 1, separator),
            None => (bytes, 0, separator_of(bytes)),
        };
        let reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(separator)
            .from_reader(bytes);
        Self { bytes, reader, above, separator }
    }

    /// What stands between the cells.
    pub fn separator(&self) -> char {
        char::from(self.separator)
    }
}

impl Iterator for Records<'_> {
    type Item = Record;

    fn next(&mut self) -> Option<Self::Item> {
        let mut cells = csv::ByteRecord::new();
        // Reading from memory cannot fail, and records of any length are allowed.
        if !self.reader.read_byte_record(&mut cells).unwrap_or(false) {
            return None;
        }
        let start = cells.position()?;
        // The reader's position is where it stood before the empty lines that it skipped.
        let from = usize::try_from(start.byte()).ok()?;
        let skipped = self.bytes[from..].iter().take_while(|b| matches!(b, b'\r' | b'\n'));
        let newlines = skipped.filter(|b| **b == b'\n').count() as u64;
        let line = start.line() + newlines + self.above;
        let end = usize::try_from(self.reader.position().byte()).ok()?;
        let is_last_without_end =
            end >= self.bytes.len() && !self.bytes.ends_with(b"\n") && !self.bytes.ends_with(b"\r");
        Some(Record { line, cells, is_last_without_end })
    }
}

/// The first line, and what follows its end.
fn first_line(bytes: &[u8]) -> (&[u8], &[u8]) {
    let end = bytes.iter().position(|b| matches!(b, b'\r' | b'\n')).unwrap_or(bytes.len());
    let (line, rest) = bytes.split_at(end);
    let rest = rest.strip_prefix(b"\r\n").or_else(|| rest.get(1..)).unwrap_or_default();
    (line, rest)
}

/// What the line `sep=;` names.
fn told_separator(line: &[u8]) -> Option<u8> {
    let line = line.trim_ascii().strip_prefix(b"\"").unwrap_or(line.trim_ascii_start());
    let (word, rest) = line.split_at_checked(4)?;
    let told = word.eq_ignore_ascii_case(b"sep=").then(|| rest.first().copied())??;
    b",;\t|".contains(&told).then_some(told)
}

/// `;` where the header has one: names of columns have none.
fn separator_of(bytes: &[u8]) -> u8 {
    let newline = |byte: &u8| matches!(byte, b'\r' | b'\n');
    let mut lines = bytes.split(newline);
    let header = lines.find(|line| line.iter().any(u8::is_ascii_alphanumeric));
    if header.is_some_and(|header| header.contains(&b';')) { b';' } else { b',' }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn lines(text: &str) -> Vec<u64> {
        Records::new(text.as_bytes()).map(|record| record.line).collect()
    }

    #[test]
    fn a_record_has_the_line_on_which_it_begins() {
        assert_eq!(lines("a,b\nc,d\ne,f"), [1, 2, 3]);
        assert_eq!(lines("a,b\r\nc,d\r\ne,f\r\n"), [1, 2, 3]);
        assert_eq!(lines("\n\na,b\n\n\r\nc,d\n"), [3, 6]);
        assert_eq!(lines("a,\"b\nb\nb\"\nc,\"d\r\nd\"\r\n\r\ne,f"), [1, 4, 7]);
        assert_eq!(lines("\u{feff}sep=;\r\na;b\r\nc;d\r\n"), [2, 3]);
    }

    #[rstest]
    #[case("a,b\nc;d,e", ',')]
    #[case("a;b\nc,d;e", ';')]
    #[case("\r\n;;\r\na;b", ';')]
    #[case("sep=;\na,b", ';')]
    #[case("SEP=,\r\na;b", ',')]
    #[case("\"sep=\t\"\na;b", '\t')]
    #[case("sep\na;b", ',')]
    #[case("sep=x\na;b", ',')]
    #[case("", ',')]
    fn the_header_says_what_separates(#[case] text: &str, #[case] separator: char) {
        assert_eq!(Records::new(text.as_bytes()).separator(), separator);
    }

    #[rstest]
    #[case("a,b\nc,d\n", false)]
    #[case("a,b\nc,d\r", false)]
    #[case("a,b\nc,d", true)]
    fn a_file_may_end_within_a_line(#[case] text: &str, #[case] expected: bool) {
        let records: Vec<Record> = Records::new(text.as_bytes()).collect();
        let open: Vec<bool> = records.iter().map(|record| record.is_last_without_end).collect();
        assert_eq!(open, [false, expected]);
    }
}
