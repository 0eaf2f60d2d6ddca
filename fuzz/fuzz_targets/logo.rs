//! Whatever bytes are the logo: no panic, and a logo that is taken is drawn.
#![no_main]

use fecha::document::{Branding, Renderer};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let file = std::env::temp_dir().join(format!("fuzz-logo-{}.svg", std::process::id()));
    std::fs::write(&file, bytes).unwrap();
    if let Err(error) = Renderer::new(&Branding { logo: Some(file) }) {
        assert!(!error.to_string().trim().is_empty());
    }
});
