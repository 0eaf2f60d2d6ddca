//! Files of banks, black-box on both ledgers: what is certain is recorded, once; the rest is a person's to say.

use rstest::rstest;
use serde_json::{Value, json};

use crate::support::reseller::{LedgerKind, Reseller};

/// Three dealerships with one CNPJ; the third has a package of R$ 1.827,00, the others of R$ 1.014,00.
fn reseller(ledger: LedgerKind) -> Reseller {
    let mut reseller = Reseller::new(ledger);
    reseller.register(&[("d1", "", "5000"), ("d2", "", "5000"), ("d3", "", "10000")]);
    for id in ["d1", "d2", "d3"] {
        reseller.add_contacts(id, 3, "2026-10-31T15:00:00Z");
    }
    reseller.run(&["close"]).expect(0);
    reseller.at("2026-11-14 12:00:00");
    reseller
}

fn paid(reseller: &Reseller) -> Vec<String> {
    let invoices = reseller.invoices(&[]);
    invoices.iter().map(|invoice| invoice["paid"].as_str().unwrap().to_owned()).collect()
}

/// How many are recorded, were recorded already, and are a person's to say.
fn counts(answer: &Value) -> (usize, u64, usize) {
    let many = |key: &str| answer[key].as_array().unwrap().len();
    (many("recorded"), answer["already_recorded"].as_u64().unwrap(), many("unmatched"))
}

/// A statement that a bank may give, with a transaction a line: amount, FITID, words.
pub fn ofx(transactions: &[(&str, &str, &str)]) -> String {
    let mut text = String::from(
        "OFXHEADER:100\nDATA:OFXSGML\nVERSION:102\nSECURITY:NONE\nENCODING:UTF-8\nCHARSET:NONE\n\
         COMPRESSION:NONE\nOLDFILEUID:NONE\nNEWFILEUID:NONE\n\n<OFX><BANKMSGSRSV1><STMTTRNRS><STMTRS>\
         <CURDEF>BRL<BANKACCTFROM><BANKID>0341<ACCTID>12345-6<ACCTTYPE>CHECKING</BANKACCTFROM>\
         <BANKTRANLIST>\n",
    );
    for (amount, id, words) in transactions {
        let kind = if amount.starts_with('-') { "DEBIT" } else { "CREDIT" };
        text += &format!(
            "<STMTTRN><TRNTYPE>{kind}<DTPOSTED>20261110120000[-3:BRT]<TRNAMT>{amount}<FITID>{id}\
             <MEMO>{words}</STMTTRN>\n"
        );
    }
    text + "</BANKTRANLIST></STMTRS></STMTTRNRS></BANKMSGSRSV1></OFX>\n"
}

#[rstest]
fn a_statement_is_matched_shown_and_recorded_once(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let reseller = reseller(ledger);
    // By hand, before the bank's file has it.
    reseller.run(&["pay", "2026-000001", "--on", "2026-11-10"]).expect(0);
    let lines = [
        ("1014.00", "A1", "PIX FATURA 2026-000001"),
        ("500.00", "A2", "PIX txid 2026000002"),
        ("1827.00", "A3", "TED CNPJ 11.222.333/0001-81 LOJA D3"),
        ("33.33", "A4", "DEPOSITO EM DINHEIRO"),
        ("-12.50", "A5", "TARIFA"),
    ];
    reseller.write("extrato.ofx", &ofx(&lines));
    let file = ["pay", "--file", "extrato.ofx"];
    let seen = reseller.run(&[&file[..], &["--dry-run"]].concat()).expect(1).stdout;
    let told = [
        "2 would be recorded, 1 already recorded",
        "2026-000002  2026-11-10  R$ 500,00  the line names its Pix txid",
        "2026-000003  2026-11-10  R$ 1.827,00  the only open invoice of this CNPJ with this amount",
        "1 line for a person:",
        "R$ 33,33 unknown: no open invoice has its number, payer or amount",
        "DEPOSITO EM DINHEIRO",
        "no payments, left out:",
    ];
    for words in told {
        assert!(seen.contains(words), "{words} is not in\n{seen}");
    }
    assert_eq!(paid(&reseller), ["1014.00", "0.00", "0.00"], "it was only to be seen");
    let json = [&file[..], &["--json"]].concat();
    let answer = reseller.run(&json).expect(1).json();
    assert_eq!(counts(&answer), (2, 1, 1));
    assert_eq!(answer["unmatched"][0]["amount"], "33.33");
    assert_eq!(paid(&reseller), ["1014.00", "500.00", "1827.00"]);
    assert_eq!(counts(&reseller.run(&json).expect(1).json()), (0, 3, 1), "read again");
    // What a person takes back is not recorded once more, but shown.
    let id = answer["recorded"][1]["id"].as_str().unwrap();
    reseller.run(&["pay", "--undo", id, "--reason", "não é nosso"]).expect(0);
    let answer = reseller.run(&json).expect(1).json();
    assert_eq!(counts(&answer), (0, 2, 2));
    assert!(answer["unmatched"][0]["why"].as_str().unwrap().contains("taken back"), "{answer:#}");
    assert_eq!(paid(&reseller), ["1014.00", "500.00", "0.00"]);
}

#[rstest]
fn a_return_file_pays_more_less_and_with_interest(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let reseller = reseller(ledger);
    // Written by another program (core/src/bank/tests/vectors), for 2026-000123 and the two after it.
    let vector = include_bytes!("../../core/src/bank/tests/vectors/cnab240-341.ret");
    let text: String = vector.iter().map(|byte| char::from(*byte)).collect();
    let text = text.replace("202600012", "202600000").replace("2026000003", "2026000001");
    let text = text.replace("2026000004", "2026000002").replace("2026000005", "2026000003");
    let bytes: Vec<u8> = text.chars().map(|letter| u8::try_from(letter).unwrap()).collect();
    std::fs::write(reseller.path("retorno.ret"), bytes).unwrap();
    let file = ["pay", "--file", "retorno.ret", "--json"];
    let answer = reseller.run(&file).expect(0).json();
    assert_eq!(counts(&answer), (4, 0, 0), "{answer:#}");
    let waits: Vec<&Value> =
        answer["recorded"].as_array().unwrap().iter().map(|line| &line["waiting"]).collect();
    assert_eq!(waits, [&json!("178.27"), &json!("0.00"), &json!("0.00"), &json!("0.00")]);
    assert_eq!(paid(&reseller), ["1014.00", "1014.00", "500.00"], "interest is beside the invoice");
    assert_eq!(counts(&reseller.run(&file).expect(0).json()), (0, 4, 0));
    reseller.run(&["verify", "--month", "2026-10"]).expect(0);
}

#[rstest]
fn a_table_as_finance_has_it(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let reseller = reseller(ledger);
    let written = reseller.run(&["invoices", "--csv"]).expect(0).stdout;
    // A spreadsheet adds two columns, and finance fills in two of three rows.
    let mut rows = written.lines();
    let mut filled = format!("{};pago_em;valor_pago\n", rows.next().unwrap());
    for (row, cells) in rows.zip([";10/11/2026;", ";11/11/2026;1.000,00", ";;"]) {
        filled += &format!("{row}{cells}\n");
    }
    reseller.write("pagas.csv", &filled);
    let file = ["pay", "--file", "pagas.csv", "--json"];
    let answer = reseller.run(&file).expect(0).json();
    assert_eq!(counts(&answer), (2, 0, 0), "{answer:#}");
    assert_eq!(answer["left_out"], json!({"invoice without a day in pago_em": 1}));
    assert_eq!(paid(&reseller), ["1014.00", "1000.00", "0.00"]);
    assert_eq!(counts(&reseller.run(&file).expect(0).json()), (0, 2, 0));
}

#[test]
fn a_file_that_cannot_be_read_is_named_and_records_nothing() {
    let reseller = reseller(LedgerKind::Sqlite);
    reseller.write(
        "p.csv",
        "number;on;amount\n2026-000001;10/11/2026;1.014,00\n2026-000002;31/11/2026;1.192\n",
    );
    let told = reseller.run(&["pay", "--file", "p.csv"]).expect(2).stderr;
    assert!(told.contains("p.csv line 3") && told.contains("nothing was recorded"), "{told}");
    let told = reseller.run(&["pay", "--file", "none.csv"]).expect(2).stderr;
    assert!(told.contains("none.csv: No such file"), "{told}");
    assert_eq!(paid(&reseller), ["0.00"; 3]);
}

/// Reads the file twice: the second time all that the first recorded is known.
#[track_caller]
fn read_twice(reseller: &Reseller, file: &str, first: (usize, u64, usize)) {
    let read = ["pay", "--file", file, "--json"];
    assert_eq!(counts(&reseller.run(&read).json()), first);
    let again = (0, first.1 + first.0 as u64, first.2);
    assert_eq!(counts(&reseller.run(&read).json()), again, "read again");
}

#[rstest]
fn what_was_entered_by_hand_is_one_line_of_the_bank(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let reseller = reseller(ledger);
    let half = ["pay", "2026-000001", "--on", "2026-11-10", "--amount", "507.00"];
    reseller.run(&half).expect(0);
    let lines = [("507.00", "F1", "PIX 2026-000001"), ("507.00", "F2", "PIX 2026-000001")];
    reseller.write("e.ofx", &ofx(&lines));
    read_twice(&reseller, "e.ofx", (1, 1, 0));
    assert_eq!(paid(&reseller)[0], "1014.00");
    // The same in a table of two lines of which one has a reference.
    let line = "2026-000002,2026-11-10,507.00,money,";
    reseller.write("p.csv", &format!("number,on,amount,kind,reference\n{line}\n{line}E1\n"));
    read_twice(&reseller, "p.csv", (2, 0, 0));
    assert_eq!(paid(&reseller)[1], "1014.00");
    // Of one CNPJ: the money of d3 on account may be this line, which names no invoice.
    let account = ["pay", "--dealership", "d3", "--on", "2026-11-10", "--amount", "1827.00"];
    reseller.run(&account).expect(0);
    reseller.write("f.ofx", &ofx(&[("1827.00", "F3", "TED CNPJ 11.222.333/0001-81")]));
    read_twice(&reseller, "f.ofx", (0, 0, 1));
    assert_eq!(paid(&reseller)[2], "0.00");
}

#[rstest]
fn a_file_that_is_read_again_after_a_cancellation_is_known(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let reseller = reseller(ledger);
    reseller.run(&["pay", "2026-000001", "--on", "2026-11-10"]).expect(0);
    let lines = "2026-000001,2026-11-10,1014.00,,\n2026-000002,2026-11-10,500.00,,E1\n";
    reseller.write("p.csv", &format!("number,on,amount,kind,reference\n{lines}"));
    read_twice(&reseller, "p.csv", (1, 1, 0));
    reseller.write("e.ofx", &ofx(&[("1014.00", "F1", "PIX 2026-000001")]));
    reseller.run(&["cancel", "2026-000001", "--reason", "engano"]).expect(0);
    reseller.run(&["cancel", "2026-000002", "--reason", "engano"]).expect(0);
    let read =
        |file: &str| counts(&reseller.run(&["pay", "--file", file, "--json"]).expect(0).json());
    assert_eq!(read("p.csv"), (0, 2, 0));
    assert_eq!(read("e.ofx"), (0, 1, 0));
    // What is not known is refused with a command that works as it is printed.
    let new = ["pay", "2026-000001", "--on", "2026-11-12", "--amount", "5.00", "--reference", "E9"];
    let told = reseller.run(&new).expect(2).stderr;
    let command = "--dealership d1 --on 2026-11-12 --amount 5.00 --reference 'E9'";
    assert!(told.contains(command), "{told}");
}

#[test]
fn of_very_many_lines_for_a_person_the_first_are_told_and_all_counted() {
    let reseller = reseller(LedgerKind::Sqlite);
    let lines: String =
        (0..250).map(|n| format!("2026-{:06},2026-11-10,1.00\n", 900 + n)).collect();
    reseller.write("bank.csv", &format!("number,on,amount\n{lines}"));
    let refused = reseller.run(&["pay", "--file", "bank.csv"]).expect(2).stderr;
    assert_eq!(refused.matches("there is no invoice").count(), 100, "{refused}");
    assert!(refused.contains("and 150 more, 250 in all"), "{refused}");

    let ids: Vec<String> = (0..250).map(|n| format!("A{n}")).collect();
    let lines: Vec<_> = ids.iter().map(|id| ("33.33", id.as_str(), "DEPOSITO")).collect();
    reseller.write("bank.ofx", &ofx(&lines));
    let pay = ["pay", "--file", "bank.ofx", "--dry-run"];
    let told = reseller.run(&pay).expect(1).stdout;
    assert!(told.contains("250 lines for a person:"), "{told}");
    assert_eq!(told.matches("--reference").count(), 100, "{told}");
    assert!(told.contains("and 150 more: --json has them all"), "{told}");
    let all = reseller.run(&[&pay[..], &["--json"]].concat()).expect(1).json();
    assert_eq!(counts(&all), (0, 0, 250));
}
