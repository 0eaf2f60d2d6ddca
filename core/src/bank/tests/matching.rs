use chrono::NaiveDate;
use rstest::rstest;

use super::*;
use crate::price::money::Money;

const OURS: &str = "11.222.333/0001-81";
const OTHER: &str = "33.000.167/0001-01";

fn invoice(sequence: u32, cnpj: &str, to_pay: i64) -> OpenInvoice {
    OpenInvoice {
        number: format!("2026-{sequence:06}").parse().unwrap(),
        dealership_id: "d-1".to_owned(),
        cnpj: cnpj.parse().unwrap(),
        to_pay: Money::from_centavos(to_pay),
        due_on: NaiveDate::from_ymd_opt(2026, 11, 10).unwrap(),
        month: "2026-10".parse().unwrap(),
    }
}

/// 123 and 124 of one dealership with different amounts, 125 and 126 of another with the same; 127 as 123.
fn open() -> Vec<OpenInvoice> {
    vec![
        invoice(126, OTHER, 50_700),
        invoice(123, OURS, 119_227),
        invoice(124, OURS, 101_400),
        invoice(125, OTHER, 50_700),
        invoice(127, "12.ABC.345/01DE-35", 119_227),
    ]
}

/// A group of 123, 125 and, paid already, 122: R$ 1.699,27 are open of it; and one of which nothing is.
fn groups() -> Vec<OpenGroup> {
    let group = |txid: &str, invoices: &[(u32, i64)]| OpenGroup {
        txid: txid.parse().unwrap(),
        invoices: invoices
            .iter()
            .map(|(sequence, open)| {
                (format!("2026-{sequence:06}").parse().unwrap(), Money::from_centavos(*open))
            })
            .collect(),
    };
    vec![
        group("G2026100001", &[(122, 0), (123, 119_227), (125, 50_700)]),
        group("G2026100002", &[(120, 0), (121, 0)]),
    ]
}

/// Lines of a bank by what their memos say and their amounts.
fn lines(said: &[(&str, &str)]) -> Vec<BankLine> {
    let row = |(memo, amount): &(&str, &str)| {
        format!("<STMTTRN><DTPOSTED>20261110<TRNAMT>{amount}<FITID>1<MEMO>{memo}\n")
    };
    let rows: String = said.iter().map(row).collect();
    let text = format!("OFXHEADER:100\n<OFX><BANKTRANLIST>{rows}</BANKTRANLIST></OFX>");
    read("a.ofx", text.as_bytes()).unwrap().lines
}

fn matched(said: &[(&str, &str)]) -> Vec<String> {
    match_lines(&lines(said), &open(), &groups()).iter().map(ToString::to_string).collect()
}

#[rstest]
#[case("FATURA 2026-000123", "1192.27", "2026-000123: the line names its number")]
#[case("FATURA 2026-000123", "500.00", "2026-000123: the line names its number")] // a part
#[case("PIX 2026000123", "1192.27", "2026-000123: the line names its Pix txid")]
#[case("PIX 2026000123", "7.00", "2026-000123: the line names its Pix txid")] // no payer says otherwise
#[case(
    "TED 11222333000181",
    "1014.00",
    "2026-000124: the only open invoice of this CNPJ with this amount"
)]
#[case(
    "PIX 2026000123 CNPJ 33.000.167/0001-01",
    "7.00",
    "perhaps 2026-000123: ten digits are its Pix txid, but neither amount nor payer are its own"
)]
#[case(
    "PIX 2026000123 CNPJ 33.000.167/0001-01",
    "1192.27",
    "2026-000123: the line names its Pix txid"
)]
#[case(
    "FATURA 2026-000123 CNPJ 33.000.167/0001-01",
    "7.00",
    "2026-000123: the line names its number"
)]
#[case(
    "FATURA 2026-000999",
    "1192.27",
    "perhaps 2026-000999: the line names it, and it is not open: paid, void or never issued"
)]
#[case(
    "FATURAS 2026-000123 E 2026-000124",
    "2206.27",
    "perhaps 2026-000123, 2026-000124: the line names several invoices"
)]
#[case(
    "FATURAS 2026-000122 E 2026-000124 CNPJ 11.222.333/0001-81",
    "1192.27",
    "perhaps 2026-000124: the line names several invoices"
)]
#[case(
    "TED 33000167000101",
    "507.00",
    "perhaps 2026-000125, 2026-000126: several open invoices of this CNPJ have this amount"
)]
#[case(
    "TED 33000167000101",
    "1014.00",
    "perhaps 2026-000125, 2026-000126: the amount is all that is open for this CNPJ"
)]
#[case(
    "TED 11222333000181",
    "9.00",
    "perhaps 2026-000123, 2026-000124: open for this CNPJ, with another amount"
)]
#[case("TED", "1192.27", "perhaps 2026-000123, 2026-000127: open with this amount")]
#[case("TED", "9.00", "unknown: no open invoice has its number, payer or amount")]
fn one_line(#[case] memo: &str, #[case] amount: &str, #[case] expected: &str) {
    assert_eq!(matched(&[(memo, amount)]), [expected]);
}

const GROUP: &str = "G2026100001: the line names its Pix txid";

#[rstest]
#[case("PIX G2026100001", "1699.27", GROUP)]
#[case("PIX G2026100001 CNPJ 33.000.167/0001-01", "7.00", GROUP)] // a part, whoever paid
#[case("PIX G2026100001", "2000.00", GROUP)]
#[case(
    "PIX G2026100002",
    "7.00",
    "perhaps 2026-000120, 2026-000121: the line names it, and it is not open: paid, void or never issued"
)]
#[case(
    "G2026100001 FATURA 2026-000124",
    "7.00",
    "perhaps 2026-000124, 2026-000122, 2026-000123, 2026-000125: the line names several invoices"
)]
#[case("PIX G2026109999", "1014.00", "perhaps 2026-000124: open with this amount")] // no such group
#[case("PIX G2026-000123", "9.00", "unknown: no open invoice has its number, payer or amount")]
fn the_line_of_a_group(#[case] memo: &str, #[case] amount: &str, #[case] expected: &str) {
    assert_eq!(matched(&[(memo, amount)]), [expected]);
}

#[test]
fn what_would_be_paid_twice_of_a_group_is_for_a_person() {
    const OF_GROUP: &str =
        "perhaps 2026-000122, 2026-000123, 2026-000125: another line of this file pays it already";
    let whole = ("PIX G2026100001", "1699.27");
    assert_eq!(matched(&[whole, whole]), [GROUP, OF_GROUP]);
    let part = ("PIX G2026100001", "1000.00");
    assert_eq!(matched(&[part, part]), [GROUP, OF_GROUP]);
    let rest = ("PIX G2026100001", "699.27");
    assert_eq!(matched(&[part, rest]), [GROUP, GROUP]);
    // By the oldest number first: 123 is paid by the group, 125 is not.
    let one = ("FATURA 2026-000123", "1192.27");
    assert_eq!(matched(&[("PIX G2026100001", "1192.27"), one]), [GROUP, TWICE]);
    assert_eq!(matched(&[one, whole]), [BY_NUMBER, OF_GROUP]);
    assert_eq!(matched(&[one, ("PIX G2026100001", "507.00")]), [BY_NUMBER, GROUP]);
}

const WHICH: &str = "perhaps 2026-000122, 2026-000123, 2026-000125: the line names a group, and only money goes over its invoices by itself";

#[test]
fn interest_of_a_group_is_for_a_person() {
    let mut lines = lines(&[("PIX G2026100001", "1699.27"), ("PIX G2026100001", "3.00")]);
    lines[1].kind = Kind::Interest;
    lines[1].reference = lines[0].reference.clone();
    let shown = |lines: &[BankLine]| -> Vec<String> {
        match_lines(lines, &open(), &groups()).iter().map(ToString::to_string).collect()
    };
    assert_eq!(shown(&lines), [GROUP, WHICH]);
    lines[1].reference = None;
    assert_eq!(shown(&lines), [GROUP, WHICH]);
}

const TWICE: &str = "perhaps 2026-000123: another line of this file pays it already";
const BY_NUMBER: &str = "2026-000123: the line names its number";

#[test]
fn what_would_be_paid_twice_is_for_a_person() {
    let whole = ("FATURA 2026-000123", "1192.27");
    assert_eq!(matched(&[whole, whole]), [BY_NUMBER, TWICE]);
    // Two parts are two payments; the third is too much.
    let half = ("FATURA 2026-000123", "596.13");
    assert_eq!(matched(&[half, half, half]), [BY_NUMBER, BY_NUMBER, TWICE]);
    // More than is open is certain where it comes alone: the rest waits for the next invoice.
    let more = ("FATURA 2026-000123", "2000.00");
    assert_eq!(matched(&[more, half]), [BY_NUMBER, TWICE]);
}

#[test]
fn a_line_that_names_its_invoice_comes_before_one_that_is_found_by_payer() {
    let by_payer = ("TED 11222333000181", "1192.27");
    assert_eq!(matched(&[by_payer, ("FATURA 2026-000123", "1192.27")]), [TWICE, BY_NUMBER]);
}

#[test]
fn all_that_is_open_is_paid_once() {
    let text = "number,on,amount\n2026-000123,2026-11-10,\n2026-000123,2026-11-10,\n";
    let lines = read("a.csv", text.as_bytes()).unwrap().lines;
    let matched: Vec<String> =
        match_lines(&lines, &open(), &groups()).iter().map(ToString::to_string).collect();
    assert_eq!(matched, [BY_NUMBER, TWICE]);
}

#[test]
fn interest_goes_the_way_of_its_money() {
    let statement = read("a.ret", include_bytes!("vectors/cnab240-237.ret")).unwrap();
    let shown = |open: &[OpenInvoice]| -> Vec<String> {
        match_lines(&statement.lines, open, &[]).iter().map(ToString::to_string).collect()
    };
    let certain = shown(&open());
    assert_eq!(certain[1], "2026-000124: the line names its number");
    assert_eq!(certain[2], certain[1]);
    assert_eq!(certain[3], "2026-000125: the line names its number");
    // Nobody's number: by payer and amount, and its interest with it.
    let mut lines = statement.lines.clone();
    for line in &mut lines {
        line.number = None;
    }
    let matched = match_lines(&lines, &open(), &groups());
    assert_eq!(matched[1], matched[2]);
    assert_eq!(
        matched[1].to_string(),
        "2026-000124: the only open invoice of this CNPJ with this amount"
    );
}

#[test]
fn many_that_fit_are_told_by_the_first_ten() {
    let open: Vec<OpenInvoice> = (1..=300).rev().map(|n| invoice(n, OURS, 50_700)).collect();
    let matched = match_lines(&lines(&[("TED", "507.00")]), &open, &[]);
    let Matched::Proposed { numbers, of, why: Doubt::AmountAlone } = &matched[0] else {
        panic!("{matched:?}")
    };
    assert_eq!((numbers.len(), *of), (10, 300));
    assert_eq!(numbers[0].to_string(), "2026-000001");
    assert!(matched[0].to_string().contains("2026-000010 and 290 more: open with this amount"));
}

#[test]
fn no_sum_overflows() {
    let mut huge = invoice(1, OURS, i64::MAX);
    huge.number = "2026-000123".parse().unwrap();
    let text = "number,on,amount\n".to_owned()
        + &"2026-000123,2026-11-10,9999999999999.99\n".repeat(20_000);
    let lines = read("a.csv", text.as_bytes()).unwrap().lines;
    let matched = match_lines(&lines, &[huge.clone(), invoice(2, OURS, i64::MAX)], &[]);
    let certain = |m: &&Matched| matches!(m, Matched::Certain { .. });
    // 9223 amounts fit into what an i64 counts.
    assert_eq!(matched.iter().filter(certain).count(), 9223);
}
