//! Whatever bytes stand in a bank's file: no panic, what is read is in order, and reading is the same again.
#![no_main]

use fecha_core::bank::{match_lines, read};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let answer = read("file", bytes);
    assert_eq!(answer, read("file", bytes));
    let statement = match answer {
        Ok(statement) => statement,
        Err(bad) => {
            assert!(bad.total > 0 && bad.first.len() <= 100, "{bad}");
            assert!(bad.first.iter().all(|line| !line.reason.chars().any(char::is_control)), "{bad}");
            return;
        }
    };
    for line in &statement.lines {
        assert!(line.amount.is_none_or(|amount| amount.centavos() > 0), "{line:?}");
        assert!(!line.words.chars().any(char::is_control), "{line:?}");
        assert!(line.words.chars().count() <= 500, "{line:?}");
        assert!(line.reference.as_ref().is_none_or(|reference| !reference.is_empty()), "{line:?}");
        assert!(line.txid.is_none() || line.number.is_some(), "{line:?}");
    }
    assert_eq!(match_lines(&statement.lines, &[], &[]).len(), statement.lines.len());
});
