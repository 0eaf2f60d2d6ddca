//! What a bank says was paid: files in, lines out, and which invoice each line pays.
//!
//! [`read`] knows a file by its content and gives its [`Statement`]; [`match_lines`] says what each line
//! pays and why. `docs/bank-files.md` is the same for people. A file that has one bad line is not read at all: half of a bank's file recorded
//! is worse than none, since nobody knows which half.

pub(crate) mod amount;
mod cnab;
mod cnab240;
mod cnab400;
mod csv;
mod found;
mod matching;
mod occurrence;
mod ofx;
mod statement;
mod tags;

#[cfg(test)]
mod tests;

pub use crate::account::payment::Kind;
pub use amount::{amount as read_amount, day as read_day};
pub use matching::{Doubt, Matched, OpenGroup, OpenInvoice, Sure, match_lines};
pub use statement::{BadLine, BadLines, BankLine, Format, Statement};

use statement::Reading;

/// The largest file that is read, in bytes: 50 MB are years of statements of any company.
pub const MOST_BYTES: usize = 50_000_000;

const KNOWN: &str = "fecha reads CSV (header number,on,amount, or what 'fecha invoices --csv' wrote, with a \
                     column pago_em), OFX, and CNAB 240 and 400 return files";

/// Reads a bank's file. Its format is known by its content; its name is only for messages.
///
/// # Errors
/// [`BadLines`], which names every bad line, or what is wrong with the file as a whole: nothing is read.
pub fn read(file_name: &str, bytes: &[u8]) -> Result<Statement, BadLines> {
    let mut reading = Reading::of(file_name);
    if bytes.len() > MOST_BYTES {
        reading.bad_file("is larger than 50 MB: export a shorter span of days");
        return reading.finish(Format::Csv);
    }
    let format = format_of(bytes).unwrap_or_else(|reason| {
        reading.bad_file(reason);
        Format::Csv
    });
    if !reading.is_bad() {
        match format {
            Format::Csv => csv::read(&mut reading, bytes),
            Format::Ofx1 | Format::Ofx2 => ofx::read(&mut reading, bytes),
            Format::Cnab240 => cnab240::read(&mut reading, bytes),
            Format::Cnab400 => cnab400::read(&mut reading, bytes),
        }
    }
    reading.finish(format)
}

/// The format, by what the file begins with; or what it is instead.
fn format_of(bytes: &[u8]) -> Result<Format, String> {
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start();
    let begins =
        |with: &[u8]| text.get(..with.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(with));
    if text.is_empty() {
        return Err(format!("is empty. {KNOWN}"));
    }
    if begins(b"PK\x03\x04") || begins(b"\xd0\xcf\x11\xe0") {
        return Err("is a workbook of Excel: save it as 'CSV UTF-8' and read that".to_owned());
    }
    if begins(b"%PDF") {
        return Err(format!("is a PDF: export the statement as OFX or CNAB. {KNOWN}"));
    }
    if begins(b"\xff\xfe") || begins(b"\xfe\xff") {
        return Err("is UTF-16: save it as UTF-8 ('CSV UTF-8' in Excel) and read that".to_owned());
    }
    let head = text.get(..4096).unwrap_or(text).to_ascii_uppercase();
    let has = |word: &[u8]| head.windows(word.len()).any(|window| window == word);
    if begins(b"OFXHEADER") || has(b"<?OFX") || has(b"<OFX>") {
        return Ok(if has(b"<?XML") || has(b"<?OFX") { Format::Ofx2 } else { Format::Ofx1 });
    }
    if begins(b"02RETORNO") {
        return Ok(Format::Cnab400);
    }
    let first = text.split(|b| matches!(b, b'\r' | b'\n')).next().unwrap_or_default();
    if begins(b"01REMESSA") {
        return Err("is what was sent to the bank (remessa): read the return file (retorno)".into());
    }
    // Bank, batch 0000 and record type 0, in a line without separators.
    if first.len() > 100 && first[..8].iter().all(u8::is_ascii_digit) && &first[3..8] == b"00000" {
        return Ok(Format::Cnab240);
    }
    Ok(Format::Csv)
}
