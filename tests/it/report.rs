//! The workbook as another program reads it.

use std::io::Cursor;

use calamine::{Data, Reader, Xlsx};
use fecha::letters::report::workbook::workbook;
use fecha_core::bill::digest::Digest;
use fecha_core::bill::digest::DigestRow;

use crate::support::samples;

fn open(digest: &Digest) -> Xlsx<Cursor<Vec<u8>>> {
    let bytes = workbook(digest).unwrap();
    let name = format!("fechamento-{}.xlsx", digest.file_label());
    std::fs::write(std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(name), &bytes).unwrap();
    Xlsx::new(Cursor::new(bytes)).unwrap()
}

/// A sheet as text, a line a row: formulas in brackets behind their stored results.
fn sheet(book: &mut Xlsx<Cursor<Vec<u8>>>, name: &str) -> String {
    let values = book.worksheet_range(name).unwrap();
    let formulas = book.worksheet_formula(name).unwrap();
    let cell = |row: usize, column: usize, value: &Data| {
        let value = match value {
            Data::DateTime(date) => {
                let (year, month, day, hour, minute, ..) = date.to_ymd_hms_milli();
                format!("{year}-{month:02}-{day:02} {hour:02}:{minute:02}")
            }
            Data::String(text) => format!("{text:?}"),
            other => other.to_string(),
        };
        let position = (u32::try_from(row).unwrap(), u32::try_from(column).unwrap());
        match formulas.get_value(position).filter(|formula| !formula.is_empty()) {
            Some(formula) => format!("{value} [{formula}]"),
            None => value,
        }
    };
    let line = |(row, cells): (usize, &[Data])| {
        let cells = cells.iter().enumerate().map(|(column, value)| cell(row, column, value));
        cells.collect::<Vec<_>>().join(" | ")
    };
    values.rows().enumerate().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn all_lines_what_needs_a_person_and_the_proof() {
    let mut book = open(&samples::digest());
    assert_eq!(
        book.sheet_names(),
        ["Resumo", "Faturas", "Exceções", "Entraram e saíram", "Vencidas", "Conferência"]
    );
    insta::assert_snapshot!("summary", sheet(&mut book, "Resumo"));
    insta::assert_snapshot!("movers", sheet(&mut book, "Entraram e saíram"));
    insta::assert_snapshot!("overdue", sheet(&mut book, "Vencidas"));
    insta::assert_snapshot!("invoices", sheet(&mut book, "Faturas"));
    insta::assert_snapshot!("exceptions", sheet(&mut book, "Exceções"));
    insta::assert_snapshot!("proof", sheet(&mut book, "Conferência"));
}

#[test]
fn a_revision_says_what_it_replaces() {
    let mut book = open(&samples::supplement());
    insta::assert_snapshot!("revised", sheet(&mut book, "Faturas"));
    // Nothing was counted for it: no empty proof.
    assert!(!book.sheet_names().contains(&"Conferência".to_owned()));
}

#[test]
fn names_that_begin_like_a_formula_are_text() {
    for name in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "http://example.com", "1e5"] {
        let mut digest = samples::digest();
        digest.invoices[0].dealership_name = name.to_owned();
        let mut book = open(&digest);
        let range = book.worksheet_range("Faturas").unwrap();
        assert_eq!(range.get_value((1, 3)), Some(&Data::String(name.to_owned())));
        let formulas = book.worksheet_formula("Faturas").unwrap();
        assert!(formulas.get_value((1, 3)).is_none_or(String::is_empty));
    }
}

/// Every centavo of a total survives its way through the numbers of a spreadsheet.
#[test]
fn totals_of_a_large_close_are_exact() {
    let mut digest = samples::digest();
    let entry = digest.invoices[0].clone();
    let total = |index: i64| fecha_core::price::money::Money::from_centavos(index * 7919 + 1);
    digest.invoices =
        (0..1500).map(|index| DigestRow { total: total(index), ..entry.clone() }).collect();
    let mut book = open(&digest);
    let range = book.worksheet_range("Faturas").unwrap();
    let Some(Data::Float(sum)) = range.get_value((1501, 13)) else { panic!("no total") };
    assert_eq!(format!("{sum:.2}"), digest.total().to_string());
}

#[test]
fn the_same_digest_gives_the_same_bytes() {
    let digest = samples::digest();
    assert_eq!(workbook(&digest).unwrap(), workbook(&digest).unwrap());
}

#[test]
fn a_report_of_nothing_is_a_workbook_too() {
    let digest = Digest {
        invoices: Vec::new(),
        exceptions: Vec::new(),
        zones: Vec::new(),
        not_contacts: Vec::new(),
        ..samples::digest()
    };
    let mut book = open(&digest);
    assert_eq!(book.worksheet_range("Faturas").unwrap().height(), 1);
    assert_eq!(sheet(&mut book, "Exceções").lines().count(), 1);
}
