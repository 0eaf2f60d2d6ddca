//! What free text of a bank holds: invoice numbers, CNPJs, a Pix's end-to-end id.

use crate::bill::group_bill::GroupTxid;
use crate::bill::invoice::Number;
use crate::party::tax_id::Cnpj;

/// The most characters that are kept of what a bank says.
const MOST_CHARACTERS: usize = 500;

/// One line of text: runs of blanks are one, and no character is left that moves a cursor or hides another.
pub(super) fn words(text: &str) -> String {
    let visible = |c: char| {
        !c.is_control()
            && !matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{ad}')
    };
    let mut kept = String::new();
    let mut length = 0;
    for word in text.split(|c: char| c.is_whitespace() || c.is_control()) {
        let word: String = word.chars().filter(|c| visible(*c)).collect();
        if word.is_empty() {
            continue;
        }
        for c in kept.chars().next_back().map(|_| ' ').into_iter().chain(word.chars()) {
            if length == MOST_CHARACTERS {
                return kept;
            }
            kept.push(c);
            length += 1;
        }
    }
    kept
}

/// An invoice number in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Named {
    /// The number.
    pub(super) number: Number,
    /// Ten bare digits, as a Pix has it; else with its hyphen.
    pub(super) as_txid: bool,
}

/// The invoice numbers in free text, in order: `2026-000123` after anything but a digit, and `2026000123`
/// standing alone. Years are of this century; what goes on with more digits is something else.
pub(super) fn numbers(text: &str) -> Vec<Named> {
    let characters: Vec<char> = text.chars().collect();
    let run_at = |at: usize| {
        characters[at.min(characters.len())..].iter().take_while(|c| c.is_ascii_digit()).count()
    };
    let mut found = Vec::new();
    let mut at = 0;
    while at < characters.len() {
        let length = run_at(at);
        if length == 0 {
            at += 1;
            continue;
        }
        let run: String = characters[at..at + length].iter().collect();
        let named = if length == 4 && characters.get(at + 4).is_some_and(|c| is_hyphen(*c)) {
            let sequence_length = run_at(at + 5);
            let sequence: String = characters[at + 5..at + 5 + sequence_length].iter().collect();
            number(&run, &sequence)
                .filter(|_| begins_apart(&characters, at, char::is_ascii_digit))
                .filter(|_| !is_of_group(&characters, at))
                .map(|number| (Named { number, as_txid: false }, at + 5 + sequence_length))
        } else {
            bare(&run)
                .filter(|_| begins_apart(&characters, at, char::is_ascii_alphanumeric))
                .map(|number| (Named { number, as_txid: true }, at + length))
        };
        match named.filter(|(_, end)| ends_apart(&characters, *end)) {
            Some((named, end)) => {
                found.push(named);
                at = end;
            }
            None => at += length,
        }
    }
    found
}

/// The group bill that a text names by its txid; `None` where it names none, or several.
pub(super) fn group(text: &str) -> Option<GroupTxid> {
    let characters: Vec<char> = text.chars().collect();
    let is_txid = |at: &usize| {
        matches!(characters[*at], 'G' | 'g')
            && begins_apart(&characters, *at, |c| c.is_alphanumeric())
    };
    let read = |at: usize| {
        let digits = characters[at + 1..].iter().take_while(|c| c.is_ascii_digit()).count();
        let end = at + 1 + digits;
        let txid: String = characters[at..end].iter().collect();
        txid.parse().ok().filter(|_| ends_apart(&characters, end))
    };
    let mut named = (0..characters.len()).filter(is_txid).filter_map(read);
    let first: GroupTxid = named.next()?;
    named.all(|other| other == first).then_some(first)
}

/// The number in a field that is meant for it (seu número), which a bank may have filled up with zeros.
pub(super) fn number_in_field(field: &str) -> Option<Named> {
    let field = field.trim();
    if !field.is_empty() && field.bytes().all(|b| b.is_ascii_digit()) {
        let number = bare(field.trim_start_matches('0'))?;
        return Some(Named { number, as_txid: true });
    }
    only(&numbers(field))
}

/// The number that all of these name; `None` where there is none, or several. A hyphen anywhere makes it a
/// number rather than a txid.
pub(super) fn only(named: &[Named]) -> Option<Named> {
    let first = named.first()?;
    let same = named.iter().all(|other| other.number == first.number);
    let as_txid = named.iter().all(|other| other.as_txid);
    same.then_some(Named { as_txid, ..*first })
}

fn bare(digits: &str) -> Option<Number> {
    (digits.len() == 10).then(|| number(&digits[..4], &digits[4..])).flatten()
}

fn number(year: &str, sequence: &str) -> Option<Number> {
    let sequence_fits =
        sequence.len() == 6 || (matches!(sequence.len(), 7..=9) && !sequence.starts_with('0'));
    let number: Number =
        sequence_fits.then(|| format!("{year}-{sequence}").parse().ok()).flatten()?;
    ((2000..2100).contains(&number.year) && number.sequence > 0).then_some(number)
}

/// Hyphens that banks and word processors put: minus, hyphens, dashes.
fn is_hyphen(c: char) -> bool {
    matches!(c, '-' | '\u{2010}'..='\u{2014}' | '\u{2212}')
}

/// Whether nothing that `belongs` stands right before `at`, nor digits behind a mark, as in `55-2026000123`.
fn begins_apart(characters: &[char], at: usize, belongs: fn(&char) -> bool) -> bool {
    let before = |by: usize| at.checked_sub(by).map(|index| characters[index]);
    let marked = before(1).is_some_and(|c| is_hyphen(c) || matches!(c, '.' | ',' | '/'))
        && before(2).is_some_and(|c| c.is_ascii_digit());
    !marked && !before(1).is_some_and(|c| belongs(&c))
}

/// Whether a `G` alone stands right before `at`: what follows is the txid of a group, however it is written.
fn is_of_group(characters: &[char], at: usize) -> bool {
    let before = |by: usize| at.checked_sub(by).map(|index| characters[index]);
    matches!(before(1), Some('G' | 'g')) && !before(2).is_some_and(char::is_alphanumeric)
}

fn ends_apart(characters: &[char], end: usize) -> bool {
    let after = |by: usize| characters.get(end + by).copied();
    let marked = after(0).is_some_and(|c| is_hyphen(c) || matches!(c, '.' | ',' | '/'))
        && after(1).is_some_and(|c| c.is_ascii_digit());
    !marked && !after(0).is_some_and(char::is_alphanumeric)
}

/// The CNPJs in free text with check digits that fit: `11.222.333/0001-81`, or its 14 characters alone.
pub(super) fn cnpjs(text: &str) -> Vec<Cnpj> {
    let is_mark = |c: char| matches!(c, '.' | '/' | '-');
    let mut found = Vec::new();
    for token in text.split(|c: char| !c.is_ascii_alphanumeric() && !is_mark(c)) {
        let token = token.trim_matches(is_mark);
        let marks: Vec<(usize, char)> = token.char_indices().filter(|(_, c)| is_mark(*c)).collect();
        if token.len() == 18 && marks == [(2, '.'), (6, '.'), (10, '/'), (15, '-')] {
            found.extend(token.parse());
            continue;
        }
        for piece in token.split(is_mark).filter(|piece| piece.len() == 14) {
            let capitals = !piece.bytes().any(|b| b.is_ascii_lowercase());
            found.extend(piece.parse().ok().filter(|_| capitals));
        }
    }
    found
}

/// A Pix's end-to-end id: `E`, eight digits of the payer's institution, the minute in twelve, eleven letters
/// or digits (Banco Central do Brasil, *Manual de Padrões para Iniciação do Pix*, `EndToEndId`).
pub(super) fn end_to_end(text: &str) -> Option<&str> {
    text.split(|c: char| !c.is_ascii_alphanumeric()).find(|token| {
        token.len() == 32
            && token.starts_with('E')
            && token[1..21].bytes().all(|b| b.is_ascii_digit())
    })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("2026-000123", "2026-000123")]
    #[case("FATURA 2026-000123", "2026-000123")]
    #[case("fatura2026-000123.", "2026-000123")]
    #[case("NF-2026-000123 E NF 2026-000124", "2026-000123 2026-000124")]
    #[case("2026–000123", "2026-000123")] // an en dash
    #[case("PIX 2026000123", "2026000123")]
    #[case("PIX:2026000123;OBRIGADO", "2026000123")]
    #[case("(2026000123)", "2026000123")]
    #[case("2026-1000001", "2026-1000001")]
    #[case("pago em 10/11/2026, fatura 2026-000123", "2026-000123")]
    #[case("2026-000123 2026-000123", "2026-000123 2026-000123")]
    fn finds_numbers(#[case] text: &str, #[case] expected: &str) {
        let shown = |named: &Named| {
            if named.as_txid { named.number.txid() } else { named.number.to_string() }
        };
        let found: Vec<String> = numbers(text).iter().map(shown).collect();
        assert_eq!(found.join(" "), expected);
    }

    #[rstest]
    #[case("20260001234")] // eleven digits
    #[case("12026000123")]
    #[case("DOC2026000123")] // a document number of the bank's
    #[case("2026000123A")]
    #[case("2026-00012")]
    #[case("2026-0001234")] // seven digits that begin with a zero
    #[case("2026-000000")]
    #[case("1999-000123")]
    #[case("2126-000123")]
    #[case("12026-000123")]
    #[case("55-2026-000123")]
    #[case("2026000123-45")]
    #[case("R$ 2026000123,00")]
    #[case("10/11/2026 123456")] // a day and a document
    #[case("2026 000123")]
    #[case("2026-4294967296")]
    #[case("G2026100001")] // the txid of a group
    #[case("PIX G2026-100001")]
    #[case("E00416968202611101200abcdefghijk")]
    #[case("2026-")]
    #[case("")]
    fn finds_nothing_else(#[case] text: &str) {
        assert_eq!(numbers(text), []);
    }

    #[rstest]
    #[case("G2026100001", Some("G2026100001"))]
    #[case("PIX RECEBIDO G2026100001 GRUPO AURORA", Some("G2026100001"))]
    #[case("txid:g2026100001;", Some("G2026100001"))]
    #[case("G2026100001 | G2026100001", Some("G2026100001"))]
    #[case("G20261010000.", Some("G20261010000"))]
    #[case("G2026100001 G2026100002", None)]
    #[case("AG2026100001", None)]
    #[case("ÁG2026100001", None)]
    #[case("G2026100001A", None)]
    #[case("G2026100001-2", None)]
    #[case("G2026-100001", None)]
    #[case("G2026130001", None)]
    #[case("2026100001", None)]
    #[case("G", None)]
    #[case("", None)]
    fn finds_a_group(#[case] text: &str, #[case] expected: Option<&str>) {
        assert_eq!(group(text).map(|txid| txid.to_string()).as_deref(), expected);
    }

    #[rstest]
    #[case("2026000123", Some("2026-000123"))]
    #[case("2026000123     ", Some("2026-000123"))]
    #[case("000002026000123", Some("2026-000123"))] // filled up by a bank
    #[case("2026-000123    ", Some("2026-000123"))]
    #[case("FAT 2026-000123", Some("2026-000123"))]
    #[case("000000000000000", None)]
    #[case("123456789012345", None)]
    #[case("               ", None)]
    fn reads_a_field_for_the_number(#[case] field: &str, #[case] expected: Option<&str>) {
        let found = number_in_field(field).map(|named| named.number.to_string());
        assert_eq!(found.as_deref(), expected);
    }

    #[rstest]
    #[case("TED 11.222.333/0001-81 AUTO LTDA", &["11.222.333/0001-81"])]
    #[case("CNPJ:11222333000181", &["11.222.333/0001-81"])]
    #[case("PIX-11222333000181-X", &["11.222.333/0001-81"])]
    #[case("12.ABC.345/01DE-35", &["12.ABC.345/01DE-35"])] // Receita Federal's example
    #[case("12ABC34501DE35", &["12.ABC.345/01DE-35"])]
    #[case("11222333000182", &[])] // a check digit that does not fit
    #[case("112223330001811", &[])]
    #[case("11.222.333/0001-82", &[])]
    #[case("00000000000000", &[])]
    #[case("11222333000181 33000167000101", &["11.222.333/0001-81", "33.000.167/0001-01"])]
    #[case("12abc34501de35", &[])] // a word, not a number
    #[case("é11222333000181é", &["11.222.333/0001-81"])]
    fn finds_cnpjs(#[case] text: &str, #[case] expected: &[&str]) {
        let found: Vec<String> = cnpjs(text).iter().map(ToString::to_string).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn finds_the_end_to_end_id_of_a_pix() {
        let id = "E00416968202611101200abcdefghi1k";
        assert_eq!(end_to_end(&format!("PIX RECEBIDO {id} MARIA")), Some(id));
        assert_eq!(end_to_end(&id.replace('E', "D")), None); // money given back
        assert_eq!(end_to_end(&id[..31]), None);
        assert_eq!(end_to_end("ESTAPALAVRATEMTRINTAEDOISLETRASX"), None);
    }

    #[test]
    fn words_are_one_line_of_visible_characters() {
        assert_eq!(
            words("  PIX\r\n\tRECEBIDO\u{0}  São\u{202e} João\u{1b}[31m "),
            "PIX RECEBIDO São João [31m"
        );
        assert_eq!(words(&"é ".repeat(600)).chars().count(), 500);
        assert_eq!(words("\u{feff}"), "");
    }
}
