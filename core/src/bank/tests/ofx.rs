use rstest::rstest;

use super::*;

const SGML: &str = "OFXHEADER:100\nDATA:OFXSGML\nVERSION:102\nENCODING:USASCII\nCHARSET:1252\n\n";

/// A statement around these transactions, as Brazilian banks write it: leaves without ends.
fn sgml(transactions: &str) -> String {
    format!(
        "{SGML}<OFX>\n<BANKMSGSRSV1><STMTTRNRS><STMTRS>\n<CURDEF>BRL\n<BANKACCTFROM>\n<BANKID>0341\n\
         <ACCTID>12345-6\n</BANKACCTFROM>\n<BANKTRANLIST>\n<DTSTART>20261101\n{transactions}\n\
         </BANKTRANLIST>\n</STMTRS></STMTTRNRS></BANKMSGSRSV1>\n</OFX>\n"
    )
}

fn transaction(leaves: &str) -> String {
    let usual = "<TRNTYPE>CREDIT\n<DTPOSTED>20261110\n<FITID>A1\n";
    sgml(&format!("<STMTTRN>\n{usual}{leaves}\n</STMTTRN>"))
}

/// What ofxtools wrote (`vectors/make_ofx.py`), in each encoding; ofxparse reads the same from these files.
#[rstest]
#[case(Format::Ofx1, include_bytes!("vectors/ofx1-1252.ofx"))]
#[case(Format::Ofx1, include_bytes!("vectors/ofx1-8859-1.ofx"))]
#[case(Format::Ofx1, include_bytes!("vectors/ofx1-utf8.ofx"))]
#[case(Format::Ofx2, include_bytes!("vectors/ofx2-bank.ofx"))]
fn what_ofxtools_writes(#[case] format: Format, #[case] bytes: &[u8]) {
    let statement = read("extrato.ofx", bytes).unwrap();
    assert_eq!(statement.format, format);
    assert_eq!(
        shown(&statement),
        "2026-000123 2026-11-10 1192.27 money E00416968202611101200abcdefghi1k -\n\
         - 2026-11-10 1014.00 money ofx:0001/12345-6/N10A2/2026-11-10/1014.00 11222333000181\n\
         2026000124 2026-11-11 507.00 money ofx:0001/12345-6/N11A1/2026-11-11/507.00 -\n\
         2026000124 2026-11-11 507.00 money ofx:0001/12345-6/N11A1/2026-11-11/507.00#2 -\n\
         - 2026-11-11 0.05 money ofx:0001/12345-6/N11A2/2026-11-11/0.05 -\n\
         left out: 1 debit\n"
    );
    assert_eq!(
        statement.lines[1].words,
        "TED RECEBIDA | CNPJ 11.222.333/0001-81 AUTO & CIA SÃO JOÃO LTDA"
    );
    assert_eq!(statement.lines[4].words, "RENDIMENTO <CDI>");
}

#[test]
fn a_credit_cards_list() {
    let statement = read("fatura.ofx", include_bytes!("vectors/ofx2-card.ofx")).unwrap();
    assert_eq!(statement.lines.len(), 2);
    let reference = statement.lines[1].reference.as_deref();
    assert_eq!(reference, Some("ofx:/4000/N10A2/2026-11-10/1014.00"));
}

#[rstest]
#[case("<TRNAMT>1192,27", "1192.27")]
#[case("<TRNAMT>1.192,27", "1192.27")]
#[case("<TRNAMT>+1192.2700", "1192.27")]
#[case("<TRNAMT>1192.27<MEMO>A < B & C", "1192.27")]
#[case("<trnamt>1192.27</trnamt>", "1192.27")]
#[case("<TRNAMT>5<ORIGCURRENCY><CURRATE>1<CURSYM>BRL</ORIGCURRENCY>", "5.00")]
#[case("<BANKACCTTO><BANKID>9<ACCTID>8</BANKACCTTO><TRNAMT>5", "5.00")]
fn reads_amounts(#[case] leaves: &str, #[case] amount: &str) {
    let statement = read("a.ofx", transaction(leaves).as_bytes()).unwrap();
    let reference = format!("ofx:0341/12345-6/A1/2026-11-10/{amount}");
    assert_eq!(shown(&statement), format!("- 2026-11-10 {amount} money {reference} -\n"));
}

#[rstest]
#[case("<TRNAMT>-5.00", "1 debit")]
#[case("<TRNAMT>0.00", "1 nothing moved")]
fn leaves_out(#[case] leaves: &str, #[case] what: &str) {
    let statement = read("a.ofx", transaction(leaves).as_bytes()).unwrap();
    assert_eq!(shown(&statement), format!("left out: {what}\n"));
}

#[test]
fn a_debit_without_a_minus_is_no_payment() {
    let text = sgml("<STMTTRN><TRNTYPE>DEBIT<DTPOSTED>20261110<TRNAMT>5.00<FITID>1</STMTTRN>");
    let statement = read("a.ofx", text.as_bytes()).unwrap();
    assert_eq!(
        shown(&statement),
        "left out: 1 debit by its TRNTYPE, without a minus: look at it\n"
    );
}

#[rstest]
#[case("20261110")]
#[case("20261110233000")]
#[case("20261110120000.000[-3:BRT]")]
#[case("20261110000000[-3]")]
#[case("202611101200")]
#[case("20261110000000[0:GMT]")] // the day as it is written
fn reads_days(#[case] posted: &str) {
    let text = sgml(&format!("<STMTTRN><DTPOSTED>{posted}<TRNAMT>5<FITID>1</STMTTRN>"));
    let statement = read("a.ofx", text.as_bytes()).unwrap();
    assert_eq!(statement.lines[0].on.to_string(), "2026-11-10");
}

#[rstest]
#[case("<STMTTRN><DTPOSTED>20261110<FITID>1</STMTTRN>", "line 16: has no TRNAMT")]
#[case("<STMTTRN><TRNAMT>5<FITID>1</STMTTRN>", "line 16: has no DTPOSTED")]
#[case("<STMTTRN><DTPOSTED>20261131<TRNAMT>5</STMTTRN>", "'20261131' is no day")]
#[case("<STMTTRN><DTPOSTED>2026-11-10<TRNAMT>5</STMTTRN>", "'2026-11-10' is no day")]
#[case("<STMTTRN><DTPOSTED>20261110<TRNAMT>1.192</STMTTRN>", "thousands or a fraction")]
#[case("<STMTTRN><DTPOSTED>20261110<TRNAMT>5<TRNAMT>6</STMTTRN>", "TRNAMT twice")]
#[case(
    "<STMTTRN><DTPOSTED>20261110<TRNAMT>5<CURRENCY><CURRATE>5.4<CURSYM>USD</CURRENCY></STMTTRN>",
    "is in USD"
)]
fn refuses(#[case] transactions: &str, #[case] why: &str) {
    let refused = refused("a.ofx", sgml(transactions).as_bytes());
    assert!(refused.contains(why), "{refused}");
}

#[test]
fn transactions_without_ends_are_parted_by_the_next() {
    let leaves = |id| format!("<STMTTRN><DTPOSTED>20261110<TRNAMT>5<FITID>{id}\n");
    let statement = read("a.ofx", sgml(&[leaves(1), leaves(2)].concat()).as_bytes()).unwrap();
    assert_eq!(statement.lines.len(), 2);
    assert_eq!(statement.lines[1].place, "a.ofx line 17");
}

#[test]
fn a_file_that_is_cut_off_is_not_read() {
    let whole = transaction("<TRNAMT>5.00");
    let mut read_whole = 0;
    for end in SGML.len() + 5..whole.len() {
        match read("a.ofx", &whole.as_bytes()[..end]) {
            Ok(_) => read_whole += 1,
            Err(bad) => assert!(bad.to_string().contains("cut off"), "{end}: {bad}"),
        }
    }
    assert_eq!(read_whole, 1, "only the last newline may be missing");
}

#[test]
fn other_currencies_answers_and_investments_are_no_statements() {
    let dollars = transaction("<TRNAMT>5").replace("<CURDEF>BRL", "<CURDEF>USD");
    assert!(refused("a.ofx", dollars.as_bytes()).contains("is in USD: fecha bills in BRL"));
    let error = format!("{SGML}<OFX><STATUS><CODE>2000<SEVERITY>ERROR</STATUS></OFX>");
    assert!(refused("a.ofx", error.as_bytes()).contains("a bank's error"));
    let invested = transaction("<TRNAMT>5").replace("BANKTRANLIST", "INVTRANLIST");
    let statement = read("a.ofx", invested.as_bytes()).unwrap();
    assert_eq!(shown(&statement), "left out: 1 of an investment account\n");
}

#[test]
fn the_header_says_the_encoding() {
    let with = |header: &str, memo: &[u8]| {
        let text = transaction("<TRNAMT>5<MEMO>@").replace("CHARSET:1252", header);
        let (before, after) = text.split_once('@').unwrap();
        [before.as_bytes(), memo, after.as_bytes()].concat()
    };
    let words = |bytes: &[u8]| read("a.ofx", bytes).unwrap().lines[0].words.clone();
    assert_eq!(words(&with("CHARSET:1252", b"caf\xe9 \x80")), "café €");
    assert_eq!(words(&with("CHARSET:ISO-8859-1", b"caf\xe9")), "café");
    assert_eq!(words(&with("CHARSET:NONE", b"caf\xe9")), "café");
    // A bank that changed to UTF-8 and forgot its header.
    assert_eq!(words(&with("CHARSET:1252", "café".as_bytes())), "café");
    let refused_as = |header| refused("a.ofx", &with(header, b"caf\xe9"));
    assert!(refused_as("CHARSET:UTF-8").contains("is not in UTF-8, which its header names"));
    assert!(refused_as("CHARSET:KLINGON").contains("is in 'KLINGON', which is not known"));
}

#[test]
fn a_header_in_one_line() {
    let one = SGML.replace('\n', "").replace("CHARSET:1252", "CHARSET:1252COMPRESSION:NONE");
    let text = transaction("<TRNAMT>5<MEMO>caf@").replace(SGML, &one);
    let (before, after) = text.split_once('@').unwrap();
    let bytes = [before.as_bytes(), b"\xe9", after.as_bytes()].concat();
    assert_eq!(read("a.ofx", &bytes).unwrap().lines[0].words, "café");
}

#[test]
fn one_pix_in_two_files_has_one_reference() {
    let pix = "E00416968202611101200abcdefghi1k";
    let by_fitid = read("a.ofx", transaction("<TRNAMT>5").replace("A1", pix).as_bytes()).unwrap();
    let by_memo =
        read("b.ofx", transaction(&format!("<TRNAMT>5<MEMO>PIX {pix}")).as_bytes()).unwrap();
    assert_eq!(by_fitid.lines[0].reference.as_deref(), Some(pix));
    assert_eq!(by_memo.lines[0].reference.as_deref(), Some(pix));
}

#[test]
fn one_pix_with_two_amounts_is_two_payments() {
    let pix = "E00416968202611101200abcdefghi1k";
    let line = |amount| format!("<STMTTRN><DTPOSTED>20261110<TRNAMT>{amount}<FITID>{pix}\n");
    let text = sgml(&[line("5.00"), line("5.00"), line("7.00")].concat());
    let statement = read("a.ofx", text.as_bytes()).unwrap();
    let references: Vec<&str> =
        statement.lines.iter().filter_map(|line| line.reference.as_deref()).collect();
    assert_eq!(references, [pix, pix, &format!("{pix}/2026-11-10/7.00")]);
}

/// Nothing that a file can hold makes reading it slow: each of these is read in far less than a second.
#[rstest]
#[case("&")]
#[case("<!--")]
#[case("<![CDATA[")]
#[case("<MEMO")]
#[case("<")]
#[case("<?")]
#[case("<A><![CDATA[")]
fn no_file_takes_for_ever(#[case] unit: &str) {
    let text = format!("{SGML}<OFX><BANKTRANLIST><STMTTRN><MEMO>{}", unit.repeat(300_000));
    assert!(read("a.ofx", text.as_bytes()).is_err());
}
