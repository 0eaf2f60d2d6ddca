//! Whatever text is an evidence file or its key: no panic, what is read is in order, and a key is its own text.
#![no_main]

use fecha_core::count::evidence::{EvidenceKey, parse};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(rows) = parse(text) {
        assert!(rows.is_sorted_by(|a, b| a.id < b.id), "{text}");
        assert_eq!(rows.len() + 1, text.lines().count(), "{text}");
    }
    if let Some(key) = EvidenceKey::from_hex(text) {
        assert_eq!(key.to_hex(), text.trim().to_lowercase());
    }
});
