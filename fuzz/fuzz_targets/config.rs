//! Whatever text is the configuration: no panic, and a problem is never without words.
#![no_main]

use fecha::setup::config::Config;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    // One file for all: the names that it lies under are those of a process.
    let file = std::env::temp_dir().join(format!("fuzz-config-{}.toml", std::process::id()));
    std::fs::write(&file, bytes).unwrap();
    for answer in [Config::load(Some(&file), std::iter::empty()).map(drop), Config::prices_of(&file).map(drop)] {
        if let Err(error) = answer {
            assert!(!error.to_string().trim().is_empty());
        }
    }
});
