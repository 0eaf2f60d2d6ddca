//! Whatever text is an address: no panic, and one that is taken is one line of one address, its own text again.
#![no_main]

use fecha::letters::mailbox::{address, mailbox};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(found) = address(text) {
        let written = found.to_string();
        assert!(!written.chars().any(|c| c.is_control() || c.is_whitespace() && !written.contains('"')), "{written:?}");
        assert!(written.contains('@'), "{written:?}");
        assert_eq!(address(&written).ok(), Some(found), "{written:?}");
    }
    if let Ok(found) = mailbox(text) {
        let written = found.to_string();
        assert!(!written.contains(['\r', '\n']), "{written:?}");
    }
});
