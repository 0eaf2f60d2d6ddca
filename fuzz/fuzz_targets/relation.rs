//! Whatever stands where the relation should: no panic, and what is taken for a `SELECT` swallows nothing that
//! fecha writes behind it. SQLite itself says so; for the other engines tests/it/messages/lexing.rs asks theirs.
#![no_main]

use std::num::NonZeroU8;
use std::path::Path;

use fecha::messages::Source;
use libfuzzer_sys::fuzz_target;
use rusqlite::Connection;

fuzz_target!(|text: &str| {
    for text in [text.to_owned(), format!("(SELECT 1 {text})"), format!("(SELECT 1 {text}\n) ; -- x")] {
        for url in ["sqlite:m.db", "postgres://h/m", "mysql://h/m"] {
            let source = Source::parse(url, &text, Path::new("/"), NonZeroU8::MIN);
            let inner = text.trim();
            if source.is_ok() && url.starts_with("sqlite") && is_all_of_it(inner) {
                let database = Connection::open_in_memory().expect("memory");
                // Behind a line break, since what is taken may end with a comment.
                let sql = format!("SELECT COUNT(*) FROM {inner}\n AS m WHERE column_of_fecha");
                assert!(database.prepare(&sql).is_err(), "{sql}");
            }
        }
    }
});

/// What stands outside of the parentheses is dropped: here it would make another query.
fn is_all_of_it(text: &str) -> bool {
    text.starts_with('(') && !text.contains(';')
}
