//! One identity a person, and none for what is none.

use proptest::prelude::*;
use rstest::rstest;

use super::*;

fn identity(spelling: &str) -> Option<String> {
    Identity::parse(spelling.as_bytes()).map(|identity| identity.to_string())
}

#[rstest]
// Brazil: the ninth digit.
#[case("554899990820", "5548999990820")]
#[case("5548999990820", "5548999990820")]
#[case("+55 (48) 9999-0820", "5548999990820")]
#[case("+55\u{a0}48\u{a0}9999-0820", "5548999990820")]
#[case(" whatsapp:+554899990820 ", "5548999990820")]
#[case("whatsapp: 554899990820", "5548999990820")]
#[case("554899990820@s.whatsapp.net", "5548999990820")]
#[case("554899990820@c.us", "5548999990820")]
#[case("554869990820", "5548969990820")] // from 6 …
#[case("554859990820", "554859990820")] // … not from 5: a landline
#[case("554829990820", "554829990820")]
// Area codes at their edges; 20, 36, 52 and 76 do not exist.
#[case("551199990820", "5511999990820")]
#[case("551099990820", "551099990820")]
#[case("552099990820", "552099990820")]
#[case("552899990820", "5528999990820")]
#[case("553699990820", "553699990820")]
#[case("553899990820", "5538999990820")]
#[case("555299990820", "555299990820")]
#[case("555599990820", "5555999990820")]
#[case("557699990820", "557699990820")]
#[case("557999990820", "5579999990820")]
#[case("559999990820", "5599999990820")]
// 0800 stays.
#[case("558007770820", "558007770820")]
#[case("08007770820", "08007770820")]
// Mexico.
#[case("5215512345678", "525512345678")]
#[case("525512345678", "525512345678")]
#[case("52155123456789", "52155123456789")]
// Argentina: two identities.
#[case("5491123456789", "5491123456789")]
#[case("541123456789", "541123456789")]
// Length: 8 to 15 digits.
#[case("12345678", "12345678")]
#[case("123456789012345", "123456789012345")]
// Business-scoped user ids.
#[case("BR.13491208655302741918", "BR.13491208655302741918")]
#[case("whatsapp:US.aB3", "US.aB3")]
#[case("BR.ENT.11815799212886844830", "BR.ENT.11815799212886844830")] // a parent's
// As connectors, spreadsheets and address books write them.
#[case("5548999990820:23@s.whatsapp.net", "5548999990820")]
#[case("5548999990820.0:1@s.whatsapp.net", "5548999990820")]
#[case("554899990820:0@c.us", "5548999990820")]
#[case("5548999990820@hosted", "5548999990820")]
#[case("554899990820.0", "5548999990820")]
#[case("tel:+55-48-9999-0820", "5548999990820")]
#[case("WhatsApp:+5548999990820", "5548999990820")]
#[case("TEL:554899990820", "5548999990820")]
#[case("005548999990820", "5548999990820")]
#[case("+00 55 48 99990820", "5548999990820")]
#[case("00554899990820", "5548999990820")]
#[case("0000554899990820", "5548999990820")]
#[case("\u{200e}+55 48 99999-0820", "5548999990820")]
#[case("\u{202a}+55 48 99999-0820\u{202c}", "5548999990820")]
#[case("\u{feff}5548\u{ad}999990820\u{2060}", "5548999990820")]
#[case("+55\u{202f}48\u{2009}99999\u{2003}0820\n", "5548999990820")]
#[case("5548\t99990820", "5548999990820")]
#[case("14155238886", "14155238886")]
#[case("48999990820", "48999990820")] // another country's, unless national
#[case("235085806727321@lid", "235085806727321@lid")]
#[case("235085806727321:12@lid", "235085806727321@lid")]
fn has_one_identity(#[case] spelling: &str, #[case] expected: &str) {
    assert_eq!(identity(spelling).as_deref(), Some(expected));
}

#[rstest]
#[case("")]
#[case("   ")]
#[case("whatsapp:")]
#[case("1234567")]
#[case("1234567890123456")]
#[case("120363041234567890@g.us")]
#[case("5548999990820-1400000000@g.us")]
#[case("lid@lid")]
#[case("00000000")] // the prefix, and nothing behind it
#[case("5548999990820:23")] // a device stands before an @
#[case("5548999990820:@c.us")]
#[case("5.5489999908E+12")]
#[case("https://wa.me/5548999990820")]
#[case("55.48.99999.0820")]
#[case("55 48/99999-0820")]
#[case("55 48 99999\u{2011}0820")] // a hyphen that does not break is not on the list
#[case("１２３４５６７８")]
#[case("{\"phone\":\"5548999990820\"}")]
#[case("120363144038483540@newsletter")]
#[case("BR.ENT.")]
#[case("BR.0.0")]
#[case("status@broadcast")]
#[case("br.1349")]
#[case("BR.")]
#[case("BRA.1349")]
#[case("BR.13.49")]
#[case("BR.13é")]
#[case("55489999O820")]
#[case("٥٥٤٨٩٩٩٩٩٠٨٢٠")]
fn is_no_contact(#[case] spelling: &str) {
    assert_eq!(identity(spelling), None);
}

#[rstest]
#[case("5548999990820", "+55 48 9••••-0820")]
#[case("554833330820", "+55 48 ••••-0820")]
#[case("525512345678", "+52 ••••-5678")]
#[case("BR.13491208655302741918", "BR.••••1918")]
#[case("BR.134", "BR.••••")]
#[case("BR.ENT.11815799212886844830", "BR.••••4830")]
#[case("235085806727321@lid", "••••7321@lid")]
#[case("2350858@lid", "••••@lid")]
fn shows_no_full_number(#[case] spelling: &str, #[case] masked: &str) {
    assert_eq!(Identity::parse(spelling.as_bytes()).unwrap().masked(), masked);
}

proptest! {
    #[test]
    fn never_panics_and_is_idempotent(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
        if let Some(identity) = Identity::parse(&bytes) {
            prop_assert_eq!(Identity::parse(identity.to_string().as_bytes()), Some(identity.clone()));
            prop_assert!(!identity.masked().is_empty());
        }
    }

    #[test]
    fn numbers_are_idempotent_however_they_are_written(
        digits in "(55|52|521|54|549|)[0-9]{6,12}", prefix in "(\\+|whatsapp:|whatsapp:\\+)?",
        suffix in "(@s\\.whatsapp\\.net|@c\\.us|:[0-9]{1,3}@s\\.whatsapp\\.net|@hosted|\\.0)?",
    ) {
        let plain = Identity::parse(digits.as_bytes());
        prop_assert_eq!(&Identity::parse(format!("{prefix}{digits}{suffix}").as_bytes()), &plain);
        if let Some(identity) = plain {
            prop_assert_eq!(Identity::parse(identity.to_string().as_bytes()), Some(identity));
        }
    }
}
#[rstest]
#[case("120363041234567890@g.us")]
#[case("5548999990820-1400000000@g.us")]
#[case("status@broadcast")]
#[case("1690000000@broadcast")]
#[case("120363144038483540@newsletter")]
#[case(" \u{200e}120363041234567890@g.us\n")]
fn is_a_group(#[case] spelling: &str) {
    assert_eq!(CountingRules::default().read(spelling.as_bytes()), Spelt::Group);
    assert_eq!(CountingRules::first().read(spelling.as_bytes()), Spelt::NoContact);
}

#[rstest]
#[case("48999990820", "5548999990820")]
#[case("4899990820", "5548999990820")]
#[case("4833330820", "554833330820")]
#[case("(48) 9 9999-0820", "5548999990820")]
#[case("004899990820", "5548999990820")]
#[case("2099990820", "2099990820")] // no such area
#[case("14155238886", "14155238886")] // 11 digits, but the third is no 9
#[case("4819990820", "4819990820")] // no number begins with a 1
#[case("048999990820", "048999990820")] // a trunk prefix is none of the rules
#[case("554899990820", "5548999990820")]
fn national_numbers_get_their_country(#[case] spelling: &str, #[case] expected: &str) {
    let rules = CountingRules { national: true, ..CountingRules::default() };
    let Spelt::Contact(identity) = rules.read(spelling.as_bytes()) else { panic!("{spelling}") };
    assert_eq!(identity.to_string(), expected);
    assert_eq!(rules.read(expected.as_bytes()), Spelt::Contact(identity));
}

/// What 0.1 made of them, which an invoice of 0.1 is compared by.
#[rstest]
#[case("5548999990820:23@s.whatsapp.net", None)]
#[case("tel:+5548999990820", None)]
#[case("5548999990820@hosted", None)]
#[case("235085806727321@lid", None)]
#[case("BR.ENT.118", None)]
#[case("\u{200e}5548999990820", None)]
#[case("005548999990820", Some("005548999990820"))]
#[case("00000000", Some("00000000"))]
#[case("whatsapp:+55\u{a0}48 9999-0820", Some("5548999990820"))]
#[case("BR.1349", Some("BR.1349"))]
fn the_first_rules_stay_as_they_were(#[case] spelling: &str, #[case] expected: Option<&str>) {
    let found = match CountingRules::first().read(spelling.as_bytes()) {
        Spelt::Contact(identity) => Some(identity.to_string()),
        Spelt::Group | Spelt::NoContact => None,
    };
    assert_eq!(found.as_deref(), expected);
}
