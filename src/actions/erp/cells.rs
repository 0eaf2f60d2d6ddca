//! What stands in a cell, and cells as a file.

use chrono::NaiveDate;
use rust_decimal::Decimal;

use crate::setup::layout::Encoding;
use fecha_core::price::money::Money;

use super::ErpError;

const BYTE_ORDER_MARK: &str = "\u{feff}";

/// `1192,27`, without separators of thousands, which importers stumble over.
pub(super) fn amount(money: Money) -> String {
    let reais: Decimal = money.reais();
    format!("{reais:.2}").replace('.', ",")
}

/// The same; nothing where it is nothing.
pub(super) fn amount_or_nothing(money: Money) -> String {
    if money == Money::ZERO { String::new() } else { amount(money) }
}

/// `10/11/2026`
pub(super) fn date(day: NaiveDate) -> String {
    day.format("%d/%m/%Y").to_string()
}

/// A text that no spreadsheet takes for a formula: an apostrophe stands before one that looks like it.
pub(super) fn text(text: &str) -> String {
    let looks_like_a_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let apostrophe = if looks_like_a_formula { "'" } else { "" };
    format!("{apostrophe}{text}")
}

/// A table that is being written, its lines ended by CR LF.
pub(super) struct Sheet {
    writer: csv::Writer<Vec<u8>>,
    encoding: Encoding,
}

impl Sheet {
    pub(super) fn new(delimiter: u8, encoding: Encoding) -> Self {
        let writer = csv::WriterBuilder::new()
            .delimiter(delimiter)
            .terminator(csv::Terminator::CRLF)
            .from_writer(Vec::new());
        Self { writer, encoding }
    }

    /// As spreadsheets and ERPs in Brazil read it.
    pub(super) fn brazilian() -> Self {
        Self::new(b';', Encoding::Utf8WithMark)
    }

    pub(super) fn row<S: AsRef<str>>(
        &mut self,
        cells: impl IntoIterator<Item = S>,
    ) -> Result<(), ErpError> {
        let cells: Vec<S> = cells.into_iter().collect();
        Ok(self.writer.write_record(cells.iter().map(AsRef::as_ref))?)
    }

    pub(super) fn bytes(self) -> Result<Vec<u8>, ErpError> {
        let Self { writer, encoding } = self;
        let bytes = writer.into_inner().map_err(|error| csv::Error::from(error.into_error()))?;
        match encoding {
            Encoding::Utf8 => Ok(bytes),
            Encoding::Utf8WithMark => Ok([BYTE_ORDER_MARK.as_bytes(), &bytes].concat()),
            Encoding::Windows1252 => windows_1252(&String::from_utf8_lossy(&bytes)),
        }
    }
}

/// A letter that the encoding lacks is named: in its place would stand another text.
fn windows_1252(text: &str) -> Result<Vec<u8>, ErpError> {
    let is_missing = |letter: &char| {
        let mut bytes = [0; 4];
        encoding_rs::WINDOWS_1252.encode(letter.encode_utf8(&mut bytes)).2
    };
    if let Some((line, letter)) = (1..)
        .zip(text.lines())
        .find_map(|(line, words)| words.chars().find(is_missing).map(|letter| (line, letter)))
    {
        return Err(ErpError::NoSuchLetter { line, letter });
    }
    Ok(encoding_rs::WINDOWS_1252.encode(text).0.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_have_a_decimal_comma() {
        let written = |centavos| amount(Money::from_centavos(centavos));
        assert_eq!(written(123_456_789), "1234567,89");
        assert_eq!(written(-1250), "-12,50");
        assert_eq!(written(5), "0,05");
        assert_eq!(amount_or_nothing(Money::ZERO), "");
    }

    #[test]
    fn formulas_are_text() {
        assert_eq!(text("=1+1"), "'=1+1");
        assert_eq!(text("-1"), "'-1");
        assert_eq!(text("São João"), "São João");
    }

    #[test]
    fn a_letter_that_the_encoding_lacks_is_named() {
        assert_eq!(windows_1252("São").unwrap(), [b'S', 0xe3, b'o']);
        let error = windows_1252("a\r\nŁódź").unwrap_err().to_string();
        assert!(error.contains("line 2") && error.contains('Ł'), "{error}");
    }
}
