//! A PDF file as objects: streams, packed objects, and the table of where each one is.
//!
//! What all files have in common is written once and copied as bytes; each file goes on from there.

use std::cell::RefCell;
use std::io::Write as _;

use libdeflater::{CompressionLvl, Compressor};

use super::PressError;

/// The number of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::document) struct Id(u32);

impl Id {
    /// `7 0 R`
    pub(in crate::document) fn reference(self) -> String {
        let mut written = String::with_capacity(8);
        self.refer(&mut written);
        written
    }

    /// Writes `7 0 R`.
    pub(in crate::document) fn refer(self, out: &mut String) {
        push_number(out, self.0);
        out.push_str(" 0 R");
    }
}

/// Where an object is.
#[derive(Debug, Clone, Copy)]
enum Place {
    Nowhere,
    /// At this byte of the file.
    At(u32),
    /// In this object stream, under this index.
    In(Id, u32),
}

/// The bytes of a row of the table: what it is, four and two bytes of where.
const ROW: usize = 7;
/// How a row begins that is written by how it differs from the one above (PNG's filter *Up*).
const UP: u8 = 2;

impl Place {
    fn row(self) -> [u8; ROW] {
        let (kind, first, second) = match self {
            Self::Nowhere => (0, 0, 0),
            Self::At(offset) => (1, offset, 0),
            Self::In(stream, index) => (2, stream.0, index),
        };
        let mut row = [kind; ROW];
        row[1..5].copy_from_slice(&first.to_be_bytes());
        // Two bytes are enough for the index in a portion.
        row[5..].copy_from_slice(&second.to_be_bytes()[2..]);
        row
    }
}

/// Most objects that are packed together.
const PORTION: usize = 5000;

/// A file that is being written.
#[derive(Debug, Clone)]
pub(in crate::document) struct File {
    bytes: Vec<u8>,
    /// By number; 0 is never used.
    places: Vec<Place>,
}

impl File {
    /// Only the header: PDF 1.7, and a comment of bytes that no text has.
    pub(in crate::document) fn new() -> Self {
        let bytes = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n".to_vec();
        Self { bytes, places: vec![Place::Nowhere] }
    }

    /// A number for an object that is to be written later.
    pub(in crate::document) fn reserve(&mut self) -> Id {
        let id = Id(number(self.places.len()));
        self.places.push(Place::Nowhere);
        id
    }

    /// Everything written so far.
    pub(in crate::document) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Writes a stream; `entries` are those of its dictionary beside its length.
    pub(in crate::document) fn stream(&mut self, id: Id, entries: &str, data: &[u8]) {
        self.places[id.0 as usize] = Place::At(number(self.bytes.len()));
        let head = format!("{} 0 obj\n<<{entries}/Length {}>>\nstream\n", id.0, data.len());
        self.bytes.extend(head.as_bytes());
        self.bytes.extend(data);
        self.bytes.extend(b"\nendstream\nendobj\n");
    }

    /// Writes a stream compressed.
    pub(in crate::document) fn deflated(
        &mut self,
        id: Id,
        entries: &str,
        data: &[u8],
        level: Level,
    ) -> Result<(), PressError> {
        let data = deflate(data, level)?;
        self.stream(id, &format!("/Filter/FlateDecode{entries}"), &data);
        Ok(())
    }

    /// Writes objects that are no streams, together and compressed; very many in several portions, since
    /// a viewer unpacks a whole portion to read one object of it.
    pub(in crate::document) fn pack(
        &mut self,
        objects: &[(Id, String)],
        level: Level,
    ) -> Result<(), PressError> {
        objects.chunks(PORTION).try_for_each(|portion| self.pack_portion(portion, level))
    }

    fn pack_portion(&mut self, objects: &[(Id, String)], level: Level) -> Result<(), PressError> {
        let stream = self.reserve();
        let (mut index, mut content) = (String::new(), String::new());
        for (position, (id, object)) in objects.iter().enumerate() {
            self.places[id.0 as usize] = Place::In(stream, number(position));
            push_number(&mut index, id.0);
            index.push(' ');
            push_number(&mut index, number(content.len()));
            index.push(' ');
            content += object;
            content.push('\n');
        }
        let entries = format!("/Type/ObjStm/N {}/First {}", objects.len(), index.len());
        self.deflated(stream, &entries, (index + &content).as_bytes(), level)
    }

    /// Ends the file with the table of its objects.
    pub(in crate::document) fn finish(
        mut self,
        catalog: Id,
        info: Id,
        id: [u8; 16],
    ) -> Result<Vec<u8>, PressError> {
        let table = self.reserve();
        let start = self.bytes.len();
        self.places[table.0 as usize] = Place::At(number(start));
        let mut rows = Vec::with_capacity(self.places.len() * (ROW + 1));
        let mut above = [0; ROW];
        for place in &self.places {
            let row = place.row();
            // Each byte by how it differs from the one above: numbers that go up become ones.
            rows.push(UP);
            rows.extend(row.iter().zip(above).map(|(byte, above)| byte.wrapping_sub(above)));
            above = row;
        }
        let id = hex::encode(id);
        let entries = format!(
            "/Type/XRef/Size {}/W[1 4 2]/DecodeParms<</Predictor 12/Columns {ROW}>>\
             /Root {}/Info {}/ID[<{id}><{id}>]",
            self.places.len(),
            catalog.reference(),
            info.reference()
        );
        self.deflated(table, &entries, &rows, Level::Good)?;
        self.bytes.extend(format!("startxref\n{start}\n%%EOF\n").as_bytes());
        Ok(self.bytes)
    }
}

/// How much time goes into compression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::document) enum Level {
    /// For what is written once for all files.
    Best,
    /// For what every file has of its own.
    Good,
}

/// Level 9 takes twice as long for 100 bytes of a document, level 10 ten times as long for 200.
const GOOD_LEVEL: i32 = 5;

thread_local! {
    /// Its memory, which is not had for nothing, is used again for each stream.
    static GOOD: RefCell<Compressor> =
        RefCell::new(Compressor::new(CompressionLvl::new(GOOD_LEVEL).unwrap_or_default()));
}

/// `data` in the format of zlib.
pub(in crate::document) fn deflate(data: &[u8], level: Level) -> Result<Vec<u8>, PressError> {
    match level {
        Level::Best => deflate_by(&mut Compressor::new(CompressionLvl::best()), data),
        Level::Good => GOOD.with_borrow_mut(|compressor| deflate_by(compressor, data)),
    }
}

fn deflate_by(compressor: &mut Compressor, data: &[u8]) -> Result<Vec<u8>, PressError> {
    let mut packed = vec![0; compressor.zlib_compress_bound(data.len())];
    let length = compressor
        .zlib_compress(data, &mut packed)
        .map_err(|error| PressError::Write { reason: error.to_string() })?;
    packed.truncate(length);
    Ok(packed)
}

/// Writes a number. A document has a thousand of them: `write!` takes longer for each.
pub(in crate::document) fn push_number(out: &mut String, number: u32) {
    let mut unit = 1;
    while number / unit >= 10 {
        unit *= 10;
    }
    while unit > 0 {
        out.push(char::from_digit(number / unit % 10, 10).unwrap_or('0'));
        unit /= 10;
    }
}

/// A length or count; no file comes near the limit.
fn number(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

/// A text as PDF writes it: as it is where it is plain ASCII, else in UTF-16.
pub(in crate::document) fn text_string(text: &str) -> String {
    if text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        let escaped = text.replace('\\', "\\\\").replace('(', "\\(").replace(')', "\\)");
        return format!("({escaped})");
    }
    let mut written = b"<FEFF".to_vec();
    for unit in text.encode_utf16() {
        // Writing to memory does not fail.
        let _ = write!(written, "{unit:04X}");
    }
    written.push(b'>');
    String::from_utf8(written).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_whole() {
        for number in [0, 7, 10, 99, 100, 12_345, 1_000_000_000, u32::MAX] {
            let mut written = "…".to_owned();
            push_number(&mut written, number);
            assert_eq!(written, format!("…{number}"));
        }
    }

    #[test]
    fn texts_are_plain_or_utf_16() {
        assert_eq!(text_string(r"a (b) \ c"), r"(a \(b\) \\ c)");
        assert_eq!(text_string("é🚗"), "<FEFF00E9D83DDE97>");
    }
}
