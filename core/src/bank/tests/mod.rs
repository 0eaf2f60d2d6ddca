//! Files of banks, as text and as files of `vectors/` (its `README.md` says how they were made).

use std::fmt::Write as _;

use super::*;

mod cnab;
mod csv;
mod matching;
mod ofx;
mod whole;

/// Lines as a table: number (or txid), day, amount, kind, reference, CNPJ.
fn shown(statement: &Statement) -> String {
    let mut text = String::new();
    for line in &statement.lines {
        let number = line.txid.clone().or(line.number.map(|n| n.to_string())).unwrap_or("-".into());
        let amount = line.amount.map_or("open".to_owned(), |amount| amount.to_string());
        let reference = line.reference.as_deref().unwrap_or("-");
        let cnpj = line.cnpj.as_ref().map_or("-", |cnpj| cnpj.bare());
        let _ = writeln!(text, "{number} {} {amount} {} {reference} {cnpj}", line.on, line.kind);
    }
    for (what, count) in &statement.left_out {
        let _ = writeln!(text, "left out: {count} {what}");
    }
    text
}

/// What is wrong with a file that must not be read.
fn refused(file: &str, bytes: &[u8]) -> String {
    read(file, bytes).expect_err("this file must be refused").to_string()
}
