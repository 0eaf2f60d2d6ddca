//! What both return files of FEBRABAN have in common: lines of one width, and cells by position.

use chrono::NaiveDate;
use encoding_rs::WINDOWS_1252;

use super::Kind;
use super::amount::{calendar_day, whole_centavos};
use super::found;
use super::statement::{BankLine, Reading};
use crate::party::tax_id::Cnpj;
use crate::price::money::Money;

/// From the first to the last column of a cell, counted from 1 as banks' manuals do.
pub(super) type Cell = (usize, usize);

/// A line of the file.
pub(super) struct Record {
    pub(super) line: u64,
    characters: Vec<char>,
}

impl Record {
    /// The text of a cell, blanks and all.
    pub(super) fn cell(&self, (from, to): Cell) -> String {
        self.characters.get(from - 1..to).unwrap_or_default().iter().collect()
    }

    /// The text of a cell without the blanks at its ends.
    pub(super) fn text(&self, cell: Cell) -> String {
        self.cell(cell).trim().to_owned()
    }

    /// The character in a column.
    pub(super) fn at(&self, column: usize) -> char {
        self.characters.get(column - 1).copied().unwrap_or(' ')
    }

    /// An amount with two implied decimals; blank is zero, as banks leave out what does not apply.
    pub(super) fn money(&self, cell: Cell) -> Result<Money, String> {
        let digits = self.text(cell);
        if digits.is_empty() {
            return Ok(Money::ZERO);
        }
        whole_centavos(&digits).map_err(|why| format!("{why} (columns {} to {})", cell.0, cell.1))
    }

    /// A count; `None` where the cell is no number.
    pub(super) fn count(&self, cell: Cell) -> Option<u64> {
        let digits = self.cell(cell);
        digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse().ok()).flatten()
    }

    /// The day of `DDMMAAAA` or `DDMMAA` (of this century); `None` for zeros or blanks.
    pub(super) fn day(&self, cell: Cell) -> Result<Option<NaiveDate>, String> {
        let digits = self.text(cell);
        if digits.bytes().all(|b| b == b'0') {
            return Ok(None);
        }
        let all_digits = digits.bytes().all(|b| b.is_ascii_digit());
        let date = match digits.len() {
            8 if all_digits => calendar_day(&digits[4..], &digits[2..4], &digits[..2]),
            6 if all_digits => {
                calendar_day(&format!("20{}", &digits[4..]), &digits[2..4], &digits[..2])
            }
            _ => None,
        };
        date.map(Some)
            .ok_or_else(|| format!("'{digits}' is no day (columns {} to {})", cell.0, cell.1))
    }
}

/// The lines of a file, each `width` characters long; none where one is not, which is named as bad: what
/// follows from a missing line would only hide it.
///
/// Read as UTF-8 where it is that, so that a file that somebody saved again still has its columns; else as
/// Windows-1252, one character a byte. A lone Ctrl-Z is the end of a file of DOS.
pub(super) fn records(reading: &mut Reading, bytes: &[u8], width: usize) -> Vec<Record> {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text.into(),
        Err(_) => WINDOWS_1252.decode_without_bom_handling(bytes).0,
    };
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let text = text.trim_end_matches(['\r', '\n', '\u{1a}']);
    let begin = text.len() - text.trim_start_matches(['\r', '\n']).len();
    let skipped = text[..begin].matches('\n').count() as u64;
    let mut records = Vec::new();
    for (line, content) in (skipped + 1..).zip(text[begin..].split('\n')) {
        let content = content.strip_suffix('\r').unwrap_or(content);
        let characters: Vec<char> = content.chars().collect();
        if characters.len() == width {
            records.push(Record { line, characters });
        } else {
            let length = characters.len();
            reading.bad(
                line,
                format!(
                    "has {length} characters in place of {width}: the file is cut off or was edited"
                ),
            );
        }
    }
    if reading.is_bad() {
        records.clear();
    }
    records
}

/// What a return file says of one title that was paid.
pub(super) struct Paid {
    pub(super) line: u64,
    pub(super) on: NaiveDate,
    /// What settles the title, without interest.
    pub(super) principal: Money,
    pub(super) interest: Money,
    pub(super) bank: String,
    /// Nosso número.
    pub(super) title: String,
    /// Seu número, then the title as the company calls it: where our number may stand.
    pub(super) ours: [String; 2],
    pub(super) cnpj: Option<Cnpj>,
    /// What the bank's code means, and more for a person to read.
    pub(super) words: Vec<String>,
}

/// The payment's lines: its money, then its interest.
pub(super) fn pay(reading: &mut Reading, paid: Paid) {
    let Paid { line, on, principal, interest, bank, title, ours, cnpj, mut words } = paid;
    let named = ours.iter().find_map(|field| found::number_in_field(field));
    words.push(format!("nosso número {title}"));
    words.extend(ours.iter().filter(|field| !field.is_empty()).map(|f| format!("seu número {f}")));
    words.retain(|part| !part.is_empty());
    let words = found::words(&words.join(" | "));
    let group = found::group(&words);
    let sum = principal.centavos() + interest.centavos();
    let total = Money::from_centavos(sum);
    let reference = (!title.trim_matches('0').is_empty())
        .then(|| reading.told_apart(format!("cnab:{bank}/{}/{on}/{total}", found::words(&title))));
    let bank_line = |amount, kind| BankLine {
        place: reading.place(line),
        on,
        amount: Some(amount),
        kind,
        reference: reference.clone(),
        number: named.map(|named| named.number),
        // Ten digits in a field that is meant for our number are the number.
        txid: None,
        group,
        cnpj: cnpj.clone(),
        words: words.clone(),
    };
    let lines = [(principal, Kind::Money), (interest, Kind::Interest)];
    let lines: Vec<BankLine> = lines
        .into_iter()
        .filter(|(amount, _)| *amount > Money::ZERO)
        .map(|(amount, kind)| bank_line(amount, kind))
        .collect();
    for line in lines {
        reading.pay(line);
    }
}

/// How a bank's "amount paid" goes together with the interest and the fee beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reckoned {
    /// All that the payer paid, interest included.
    WithInterest,
    /// Without interest, which stands beside it.
    WithoutInterest,
    /// What came to the account: with interest, after the bank's fee.
    AfterFee,
}

/// The figures of a paid title, in the bank's own cells.
#[derive(Debug, Clone, Copy)]
pub(super) struct Figures {
    pub(super) face: Money,
    pub(super) reductions: Money,
    pub(super) paid: Money,
    pub(super) interest: Money,
    pub(super) fee: Money,
}

impl Figures {
    /// What settles the title. The bank's manual says how its figures go together; where that does not come
    /// to the title's face value less reductions, and another reading does to the centavo, that one holds:
    /// contracts differ in whether fees are taken from each payment or once a month.
    ///
    /// # Errors
    /// Where interest is more than all that was paid.
    pub(super) fn principal(self, reckoned: Reckoned) -> Result<Money, String> {
        let centavos = |money: Money| i128::from(money.centavos());
        let (paid, interest) = (centavos(self.paid), centavos(self.interest));
        let fee = centavos(self.fee);
        let due = centavos(self.face) - centavos(self.reductions);
        let by = |reckoned| match reckoned {
            Reckoned::WithInterest => paid - interest,
            Reckoned::WithoutInterest => paid,
            Reckoned::AfterFee => paid - interest + fee,
        };
        let principal = match reckoned {
            // Without an exact sum nobody knows whether the fee was taken: no more than what came.
            Reckoned::AfterFee if by(Reckoned::AfterFee) != due => by(Reckoned::WithInterest),
            Reckoned::WithInterest
                if by(reckoned) != due && by(Reckoned::WithoutInterest) == due =>
            {
                due
            }
            Reckoned::WithoutInterest
                if by(reckoned) != due && by(Reckoned::WithInterest) == due =>
            {
                due
            }
            as_the_manual_says => by(as_the_manual_says),
        };
        u64::try_from(principal)
            .ok()
            .and_then(|centavos| i64::try_from(centavos).ok())
            .map(Money::from_centavos)
            .ok_or_else(|| "has more interest than was paid".to_owned())
    }
}
