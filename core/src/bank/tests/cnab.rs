use rstest::rstest;

use super::*;

/// The five titles of `vectors/make_cnab.py`, whichever bank's columns they stand in; nosso número has this
/// many digits.
fn expected(bank: &str, width: usize, cnpj: &str) -> String {
    let line = |sequence: u32, nosso: &str, total: &str, amount: &str, kind: &str| {
        let title = format!("{:0>width$}", &nosso[8 - width.min(8)..]);
        format!(
            "2026-{sequence:06} 2026-11-10 {amount} {kind} cnab:{bank}/{title}/2026-11-10/{total} {cnpj}\n"
        )
    };
    [
        line(123, "00000011", "1192.27", "1192.27", "money"),
        line(124, "00000012", "1039.34", "1014.00", "money"),
        line(124, "00000012", "1039.34", "25.34", "interest"),
        line(125, "00000013", "500.00", "500.00", "money"),
    ]
    .concat()
}

macro_rules! vector {
    ($name:literal) => {
        ($name, include_bytes!(concat!("vectors/", $name)).as_slice())
    };
}

/// Columns by `@banco-br/cnab_yaml`: FEBRABAN's T and U, and where the package knows a bank's own.
#[rstest]
#[case("001", vector!("cnab240-001.ret"), 20)]
#[case("033", vector!("cnab240-033.ret"), 13)]
#[case("104", vector!("cnab240-104.ret"), 11)]
#[case("237", vector!("cnab240-237.ret"), 20)]
#[case("341", vector!("cnab240-341.ret"), 20)]
#[case("748", vector!("cnab240-748.ret"), 5)]
fn cnab_240(#[case] bank: &str, #[case] (file, bytes): (&str, &[u8]), #[case] width: usize) {
    let statement = read(file, bytes).unwrap();
    assert_eq!(statement.format, Format::Cnab240);
    let titles = expected(bank, width, "11222333000181");
    assert_eq!(
        shown(&statement),
        format!("{titles}left out: 1 02 entrada confirmada\nleft out: 1 09 baixa\n")
    );
    assert!(statement.lines[0].words.contains("AUTO CENTER SÃO JOÃO LTDA"));
    assert!(statement.lines[3].words.contains("desconto e abatimento R$ 7,00"));
}

/// Columns by `@banco-br/cnab_yaml`; Sicredi's, and what the package has wrong, by the banks' manuals.
#[rstest]
#[case("001", vector!("cnab400-001.ret"), 17)]
#[case("033", vector!("cnab400-033.ret"), 8)]
#[case("104", vector!("cnab400-104.ret"), 11)]
#[case("237", vector!("cnab400-237.ret"), 11)]
#[case("341", vector!("cnab400-341.ret"), 8)]
#[case("748", vector!("cnab400-748.ret"), 8)]
fn cnab_400(#[case] bank: &str, #[case] (file, bytes): (&str, &[u8]), #[case] width: usize) {
    let statement = read(file, bytes).unwrap();
    assert_eq!(statement.format, Format::Cnab400);
    let others = match bank {
        "104" => "left out: 1 01 entrada confirmada\nleft out: 1 02 baixa confirmada\n",
        _ => "left out: 1 02 entrada confirmada\nleft out: 1 09 baixa\n",
    };
    assert_eq!(shown(&statement), expected(bank, width, "-") + others);
}

/// A vector with one line replaced; columns from 1.
fn changed(file: &str, line: usize, column: usize, with: &str) -> Vec<u8> {
    let bytes =
        std::fs::read(format!("{}/src/bank/tests/vectors/{file}", env!("CARGO_MANIFEST_DIR")));
    let mut bytes = bytes.unwrap();
    let line_bytes = if file.starts_with("cnab240") { 242 } else { 402 };
    let at = (line - 1) * line_bytes + column - 1;
    bytes[at..at + with.len()].copy_from_slice(with.as_bytes());
    bytes
}

/// The same code is not the same thing at each bank. Lines 2 and 3 of a CNAB 240 hold its first title.
#[rstest]
#[case("cnab240-001.ret", "17", true)]
#[case("cnab240-237.ret", "17", true)]
#[case("cnab240-033.ret", "17", true)]
#[case("cnab240-748.ret", "17", true)]
#[case("cnab240-341.ret", "17", false)]
#[case("cnab240-341.ret", "08", true)]
#[case("cnab240-237.ret", "08", false)]
#[case("cnab240-104.ret", "46", true)]
#[case("cnab240-104.ret", "47", false)]
#[case("cnab240-341.ret", "10", false)]
#[case("cnab240-001.ret", "09", false)]
#[case("cnab400-341.ret", "08", true)]
#[case("cnab400-341.ret", "07", true)]
#[case("cnab400-341.ret", "10", false)]
#[case("cnab400-341.ret", "17", false)]
#[case("cnab400-237.ret", "17", true)]
#[case("cnab400-237.ret", "15", true)]
#[case("cnab400-237.ret", "40", false)]
#[case("cnab400-001.ret", "05", true)]
#[case("cnab400-001.ret", "15", true)]
#[case("cnab400-001.ret", "17", false)]
#[case("cnab400-033.ret", "17", true)]
#[case("cnab400-033.ret", "16", false)]
#[case("cnab400-033.ret", "15", false)]
#[case("cnab400-104.ret", "22", true)]
#[case("cnab400-104.ret", "06", false)]
#[case("cnab400-748.ret", "17", true)]
#[case("cnab400-748.ret", "15", true)]
#[case("cnab400-748.ret", "23", false)]
fn codes(#[case] file: &str, #[case] code: &str, #[case] pays: bool) {
    let mut bytes = if file.starts_with("cnab240") {
        let mut bytes = changed(file, 3, 16, code);
        bytes[3 * 242 + 15..3 * 242 + 17].copy_from_slice(code.as_bytes());
        bytes
    } else {
        changed(file, 2, 109, code)
    };
    if file == "cnab400-237.ret" {
        let trailer = 6 * 402;
        bytes[trailer + 86..trailer + 91].copy_from_slice(b"00002");
    }
    let statement = read(file, &bytes).unwrap();
    assert_eq!(statement.lines.len(), if pays { 4 } else { 3 }, "{}", shown(&statement));
    let others: u64 = statement.left_out.values().sum();
    assert_eq!(others, if pays { 2 } else { 3 });
}

#[rstest]
// Trailers: lines of the batch, batches and lines of the file.
#[case(
    "cnab240-001.ret",
    13,
    18,
    "000011",
    "line 13: says that its batch has 11 lines and it has 12"
)]
#[case(
    "cnab240-001.ret",
    14,
    18,
    "000002",
    "line 14: says that the file has 2 batches and it has 1"
)]
#[case(
    "cnab240-001.ret",
    14,
    24,
    "000015",
    "line 14: says that the file has 15 lines and it has 14"
)]
#[case("cnab240-001.ret", 14, 24, "      ", "says that the file has no number of lines")]
// What stands where nothing of it can.
#[case("cnab240-001.ret", 14, 8, "5", "line 14: is of type '5', which has no place here")]
#[case("cnab240-001.ret", 3, 14, "U", "line 3: is a segment U without its T")]
#[case("cnab240-001.ret", 4, 14, "T", "line 3: is a segment T without its U")]
#[case("cnab240-001.ret", 4, 16, "17", "has the code '17' and its segment T '06'")]
#[case("cnab240-001.ret", 5, 1, "237", "line 5: is of another bank than the header (001)")]
#[case("cnab240-001.ret", 1, 143, "1", "(remessa): read the return file")]
#[case("cnab240-001.ret", 4, 138, "31112026", "'31112026' is no day (columns 138 to 145)")]
#[case("cnab240-001.ret", 4, 78, "00000000-119227", "is no amount in digits (columns 78 to 92)")]
#[case("cnab240-001.ret", 6, 18, "000000000103935", "has more interest than was paid")]
#[case(
    "cnab400-341.ret",
    7,
    213,
    "00000006",
    "line 7: says quantidade de detalhes: 6, and it is 5"
)]
#[case("cnab400-341.ret", 7, 221, "00000000000001", "says valor total informado, in centavos: 1")]
#[case("cnab400-237.ret", 7, 87, "00002", "says registros da ocorrência 06: 2, and it is 3")]
#[case("cnab400-033.ret", 3, 395, "000004", "line 3: has the sequence '000004' and is line 3")]
#[case("cnab400-033.ret", 1, 77, "399", "is of bank '399', whose CNAB 400 fecha does not know")]
#[case("cnab400-033.ret", 7, 1, "1", "is cut off: it has no trailer")]
#[case("cnab400-033.ret", 2, 111, "000000", "has no day (data da ocorrência)")]
fn refuses(
    #[case] file: &str,
    #[case] line: usize,
    #[case] column: usize,
    #[case] with: &str,
    #[case] why: &str,
) {
    let refused = refused(file, &changed(file, line, column, with));
    assert!(refused.contains(why), "{refused}");
}

#[rstest]
#[case(vector!("cnab240-001.ret"))]
#[case(vector!("cnab400-341.ret"))]
#[case(vector!("cnab400-104.ret"))]
fn a_file_that_is_cut_off_is_not_read(#[case] (file, bytes): (&str, &[u8])) {
    let whole = bytes.len();
    for end in (300..whole).filter(|end| end % 7 == 0 || whole - end < 10) {
        match read(file, &bytes[..end]) {
            Ok(_) => assert!(whole - end <= 2, "read with {end} of {whole} bytes"),
            Err(_) => assert!(whole - end > 2, "not read with {end} of {whole} bytes"),
        }
    }
    // A line less in the middle, wherever.
    let lines: Vec<&[u8]> = bytes.split_inclusive(|b| *b == b'\n').collect();
    for missing in 0..lines.len() {
        let rest = [&lines[..missing], &lines[missing + 1..]].concat().concat();
        assert!(read(file, &rest).is_err(), "read without line {}", missing + 1);
    }
}

#[test]
fn the_same_file_as_utf_8_and_with_a_mark_of_dos() {
    let (file, bytes) = vector!("cnab240-001.ret");
    let as_utf_8: String = bytes.iter().map(|b| char::from(*b)).collect();
    let with_end = [as_utf_8.as_bytes(), b"\x1a"].concat();
    assert_eq!(read(file, &with_end).unwrap(), read(file, bytes).unwrap());
    let unix: Vec<u8> = bytes.iter().copied().filter(|b| *b != b'\r').collect();
    assert_eq!(read(file, &unix).unwrap(), read(file, bytes).unwrap());
}

/// Itaú has what came to the account: with the fee taken from it, or taken once a month.
#[rstest]
#[case("0000000119037", "1192.27")] // less the fee of 1.90
#[case("0000000119227", "1192.27")] // the fee is taken another day
#[case("0000000050000", "500.00")] // a part: no more than came
fn what_itau_credited(#[case] credited: &str, #[case] amount: &str) {
    let statement = read("a.ret", &changed("cnab400-341.ret", 2, 254, credited)).unwrap();
    assert_eq!(statement.lines[0].amount.unwrap().to_string(), amount);
}

/// Where a bank's amount paid is without interest although its manual says with, the face value tells.
#[test]
fn interest_beside_what_was_paid() {
    let statement = read("a.ret", &changed("cnab400-237.ret", 3, 254, "0000000101400")).unwrap();
    let amounts: Vec<String> =
        statement.lines[1..3].iter().map(|line| line.amount.unwrap().to_string()).collect();
    assert_eq!(amounts, ["1014.00", "25.34"]);
}

#[test]
fn a_payment_of_nothing_is_for_a_person() {
    let statement = read("a.ret", &changed("cnab400-033.ret", 2, 254, "0000000000000")).unwrap();
    assert!(shown(&statement).contains("1 06 liquidação normal, with nothing paid: look at it"));
}

#[test]
fn a_title_paid_twice_on_a_day_is_two_payments() {
    let (file, bytes) = vector!("cnab400-033.ret");
    let again: Vec<u8> = bytes[402..804].to_vec();
    let mut twice = bytes.to_vec();
    twice[804..1206].copy_from_slice(&again);
    twice[804 + 394..804 + 400].copy_from_slice(b"000003");
    let statement = read(file, &twice).unwrap();
    let references: Vec<&str> =
        statement.lines.iter().filter_map(|line| line.reference.as_deref()).collect();
    assert_eq!(
        references[..2],
        ["cnab:033/00000011/2026-11-10/1192.27", "cnab:033/00000011/2026-11-10/1192.27#2"]
    );
}
