//! Whatever bytes stand where a contact should: no panic, an identity is its own identity, and no mask
//! shows a whole number.
#![no_main]

use fecha_core::count::contact::{Identity, Spelt};
use fecha_core::count::rules::CountingRules;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|spelling: &[u8]| {
    // The rules of 0.1, and numbers that lack their country: an identity is its own there too.
    let national = CountingRules { national: true, ..CountingRules::default() };
    for rules in [CountingRules::first(), national] {
        if let Spelt::Contact(identity) = rules.read(spelling) {
            let again = rules.read(identity.to_string().as_bytes());
            assert_eq!(again, Spelt::Contact(identity));
        }
    }
    let Some(identity) = Identity::parse(spelling) else { return };
    let text = identity.to_string();
    assert_eq!(Identity::parse(text.as_bytes()).as_ref(), Some(&identity), "{text}");
    let dressed = format!(" WhatsApp:+{text}@s.whatsapp.net ");
    if identity.is_lid() {
        return;
    }
    assert_eq!(Identity::parse(dressed.as_bytes()).as_ref(), Some(&identity), "{dressed}");

    let masked = identity.masked();
    assert!(masked.contains("••••"), "{masked}");
    // Letters and digits that are shown: never all of them.
    let shown = masked.chars().filter(char::is_ascii_alphanumeric).count();
    let whole = text.chars().filter(char::is_ascii_alphanumeric).count();
    assert!(shown < whole, "{masked} shows {text}");
    if let Identity::Number(_) = identity {
        assert!((8..=15).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit()), "{text}");
    }
});
