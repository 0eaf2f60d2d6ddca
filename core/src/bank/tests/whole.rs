use proptest::prelude::*;
use rstest::rstest;

use super::*;

#[rstest]
#[case(b"", "x: is empty")]
#[case(b"\n\n", "x: is empty")]
#[case(b"PK\x03\x04abc", "x: is a workbook of Excel: save it as 'CSV UTF-8'")]
#[case(b"\xd0\xcf\x11\xe0abc", "x: is a workbook of Excel")]
#[case(b"%PDF-1.4", "x: is a PDF")]
#[case(b"\xff\xfen\0u\0", "x: is UTF-16")]
#[case(b"01REMESSA01COBRANCA", "x: is what was sent to the bank (remessa)")]
#[case(b"<html>", "x line 1: is no header of a file that is known")]
fn other_files(#[case] bytes: &[u8], #[case] why: &str) {
    let refused = refused("x", bytes);
    assert!(refused.starts_with(why), "{refused}");
}

#[test]
fn a_file_of_more_than_50_mb_is_not_looked_at() {
    let refused = refused("x.csv", &vec![b'x'; MOST_BYTES + 1]);
    assert_eq!(refused, "x.csv: is larger than 50 MB: export a shorter span of days");
}

#[test]
fn the_name_of_a_file_does_not_move_the_cursor() {
    assert!(refused("a\u{1b}[2J\nb", b"").starts_with("a [2J b: is empty"));
}

/// Whatever is read is in order: amounts above zero, words without control characters, no reference that is
/// empty, and matching answers for each line.
fn is_in_order(bytes: &[u8]) {
    let Ok(statement) = read("x", bytes) else { return };
    for line in &statement.lines {
        assert!(line.amount.is_none_or(|amount| amount.centavos() > 0), "{line:?}");
        assert!(!line.words.chars().any(char::is_control), "{line:?}");
        assert!(line.reference.as_ref().is_none_or(|reference| !reference.is_empty()), "{line:?}");
    }
    assert_eq!(match_lines(&statement.lines, &[], &[]).len(), statement.lines.len());
}

const SEEDS: [&[u8]; 6] = [
    include_bytes!("vectors/cnab240-001.ret"),
    include_bytes!("vectors/cnab240-033.ret"),
    include_bytes!("vectors/cnab400-341.ret"),
    include_bytes!("vectors/ofx1-1252.ofx"),
    include_bytes!("vectors/ofx2-card.ofx"),
    b"number;on;amount;kind;reference\r\n2026-000123;10/11/2026;1.192,27;money;\"a;b\"\r\n",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
        is_in_order(&bytes);
    }

    #[test]
    fn arbitrary_text_behind_a_known_beginning_never_panics(
        begin in prop::sample::select(vec![
            "OFXHEADER:100\n<OFX><BANKTRANLIST><STMTTRN>", "<?xml version='1.0'?><OFX>", "02RETORNO01",
            "number,on,amount\n", "numero;pago_em;valor_pago\n", "sep=;\n", "\u{feff}number,on,amount\n",
        ]),
        rest in "\\PC{0,200}",
    ) {
        is_in_order(format!("{begin}{rest}").as_bytes());
    }

    #[test]
    fn a_file_with_some_bytes_changed_never_panics(
        seed in 0..SEEDS.len(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..12),
        cut in any::<Option<prop::sample::Index>>(),
    ) {
        let mut bytes = SEEDS[seed].to_vec();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        is_in_order(&bytes);
    }
}
