//! Whatever stands where the relation should: no panic, and what is taken is one table or one `SELECT` and
//! nothing behind it.
#![no_main]

use std::num::NonZeroU8;
use std::path::Path;

use fecha::messages::Source;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    for url in ["sqlite:m.db", "postgres://h/m", "mysql://h/m"] {
        let source = Source::parse(url, text, Path::new("/"), NonZeroU8::MIN);
        let inner = text.trim();
        if source.is_ok() && inner.starts_with('(') {
            assert!(inner.ends_with(')'), "{inner}");
            // Behind the first parenthesis that closes nothing else may stand, whatever is quoted.
            assert_eq!(closes_at(inner), Some(inner.len()), "{inner}");
        }
    }
});

/// Behind which byte the first parenthesis is closed, where quotes hide parentheses.
fn closes_at(text: &str) -> Option<usize> {
    let (mut depth, mut quote, mut index) = (0, None, 0);
    let bytes = text.as_bytes();
    while index < bytes.len() {
        let byte = bytes[index];
        let rest = &bytes[index..];
        match quote {
            Some(q) if byte == q => quote = None,
            Some(_) => {}
            None if rest.starts_with(b"--") => {
                index += rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
            }
            None if rest.starts_with(b"/*") => {
                index += 2 + rest[2..].windows(2).position(|two| two == b"*/")? + 1;
            }
            None if b"'\"`".contains(&byte) => quote = Some(byte),
            None if byte == b'(' => depth += 1,
            None if byte == b')' => depth -= 1,
            None => {}
        }
        index += 1;
        if depth == 0 {
            return Some(index);
        }
    }
    None
}
