use chrono::NaiveDate;
use proptest::prelude::*;
use rstest::rstest;

use super::*;
use crate::price::money::Money;

/// The columns that `fecha invoices --csv` writes, with those of finance behind them.
const INVOICES: &str = "numero;revisao;situacao;codigo;concessionaria;cnpj;competencia;pacote;uam;\
    uam_adicional;hsm;valor_pacote;valor_uam_adicional;valor_hsm;ajustes;total;vencimento;emissao;\
    motivo;sha256_pdf";

#[rstest]
#[case::as_today("number,on,amount\n2026-000123,2026-11-10,1192.27\n")]
#[case::without_last_newline("number,on,amount\n2026-000123,2026-11-10,1192.27")]
#[case::semicolons("number;on;amount\r\n2026-000123;10/11/2026;1.192,27\r\n")]
#[case::sep("sep=;\r\nnumber;on;amount\r\n2026-000123;10/11/2026;1192,27\r\n")]
#[case::quoted_sep("\"sep=;\"\nnumber;on;amount\n2026-000123;10/11/2026;1192,27\n")]
#[case::mark("\u{feff}number;on;amount\n2026-000123;2026-11-10;1192,27\n")]
#[case::mark_and_sep("\u{feff}sep=,\nnumber,on,amount\n2026-000123,2026-11-10,1192.27\n")]
#[case::quotes("\"number\",\"on\",\"amount\"\n\"2026-000123\",\"10/11/2026\",\"1.192,27\"\n")]
#[case::capitals("NUMBER, On ,Amount\n2026-000123,2026-11-10,1192.27\n")]
#[case::other_order("amount;number;on\n1192,27;2026-000123;10/11/2026\n")]
#[case::txid("number,on,amount\n2026000123,2026-11-10,1192.27\n")]
#[case::blank_lines("\n\nnumber,on,amount\n\n2026-000123,2026-11-10,1192.27\n\n,,\n")]
#[case::more_empty_cells("number;on;amount\n2026-000123;10/11/2026;1192,27;;\n;;\n")]
#[case::kind_left_empty("number,on,amount,kind\n2026-000123,2026-11-10,1192.27,\n")]
fn one_payment(#[case] text: &str) {
    let statement = read("a.csv", text.as_bytes()).unwrap();
    assert_eq!(statement.format, Format::Csv);
    assert_eq!(shown(&statement), "2026-000123 2026-11-10 1192.27 money - -\n");
}

#[test]
fn kinds_references_and_all_that_is_open() {
    let text = "number,on,amount,kind,reference\n\
        2026-000001,2026-11-10,,,\n\
        2026-000002,2026-11-10,15.21,IRRF,\n\
        2026-000002,2026-11-10,1000.00,money,E00416968202611101200abcdefghi1k\n\
        2026-000003,2026-11-10,\"R$ 2,00\",Interest,\"a \"\"b\"\", c\"\n";
    let statement = read("a.csv", text.as_bytes()).unwrap();
    assert_eq!(
        shown(&statement),
        "2026-000001 2026-11-10 open money - -\n\
         2026-000002 2026-11-10 15.21 irrf - -\n\
         2026-000002 2026-11-10 1000.00 money E00416968202611101200abcdefghi1k -\n\
         2026-000003 2026-11-10 2.00 interest a \"b\", c -\n"
    );
    assert_eq!(statement.lines[3].place, "a.csv line 5");
}

#[test]
fn what_fecha_invoices_writes_and_finance_fills_in() {
    let row = |number: &str, paid: &str| {
        format!(
            "{number};0;emitida;d-1;\"Auto \"\"São João\"\"\r\nLtda\";11.222.333/0001-81;2026-10;300;310;10;\
             123;1014,00;142,60;35,67;0,00;1192,27;10/11/2026;01/11/2026;;abc;{paid}\r\n"
        )
    };
    let text = format!(
        "\u{feff}{INVOICES};Pago_em;Valor_Pago\r\n{}{}{}",
        row("2026-000123", "10/11/2026;"),
        row("2026-000124", ";"),
        row("2026-000125", "2026-11-11;1.000,00"),
    );
    let statement = read("faturas.csv", text.as_bytes()).unwrap();
    assert_eq!(
        shown(&statement),
        "2026-000123 2026-11-10 open money - 11222333000181\n\
         2026-000125 2026-11-11 1000.00 money - 11222333000181\n\
         left out: 1 invoice without a day in pago_em\n"
    );
    // Each row has a line break in its third cell: places name the line on which a row begins.
    assert_eq!(statement.lines[1].place, "faturas.csv line 6");
    assert_eq!(statement.lines[1].words, "Auto \"São João\" Ltda");

    let without = format!("{INVOICES};pago_em\r\n{}", row("2026-000123", "10/11/2026"));
    assert_eq!(read("f.csv", without.as_bytes()).unwrap().lines[0].amount, None);
}

#[rstest]
#[case("number,on,amount\n2026-1,2026-11-10,1\n", "a.csv line 2: '2026-1' is no invoice number")]
#[case("number,on,amount\n2026-000123,11/25/2026,1\n", "a.csv line 2: '11/25/2026' is no day")]
#[case("number,on,amount\n2026-000123,2026-11-10,1.192\n", "thousands or a fraction")]
#[case("number,on,amount\n2026-000123,2026-11-10,0.00\n", "'0.00' is not above zero")]
#[case("number,on,amount\n2026-000123,2026-11-10,-5.00\n", "'-5.00' is not above zero")]
#[case("number,on,amount\n2026-000123,2026-11-10,1192,27\n", "4 cells and the header 3")]
#[case("number,on,amount\n2026-000123,2026-11-10\n", "2 cells and the header 3")]
#[case("number,on,amount,reference\n2026-000123,2026-11-10,1192,27\n", "needs quotes")]
#[case("number,on,amount,kind\n2026-000123,2026-11-10,1.00,multa\n", "'multa' is no kind")]
#[case(
    "number,on,amount,kind\n2026-000123,2026-11-10,,iss\n",
    "only money can be all that is open"
)]
#[case("number,on,amount\n,2026-11-10,1.00\n", "'' is no invoice number")]
#[case("number,on,amount,refernce\n", "has a column 'refernce'")]
#[case("number,on,amount,on\n", "names the column 'on' twice")]
#[case("number,on\n2026-000123,2026-11-10\n", "is no header")]
#[case("numero;total\n2026-000123;1192,27\n", "has no column pago_em")]
#[case("numero;pago_em;valor_pago\n2026-000123;;50,00\n", "and no day in pago_em")]
#[case("numero;pago_em;kind\n2026-000123;ontem;\n", "'ontem' is no day")]
#[case("hello", "is no header of a file that is known")]
#[case("number,on,amount\n\"2026-000123,2026-11-10,1.00\n", "a quote that is not closed")]
#[case("number,on,amount\n2026-000123,2026-11-10,\"1.00\n", "a quote that is not closed")]
#[case(
    "number,on,amount,reference\n2026-000123,2026-11-10,1.00,x\n2026-000123,2026-11-11,1.00,x\n",
    "a.csv line 3: has a reference that stands above"
)]
fn refuses(#[case] text: &str, #[case] why: &str) {
    let refused = refused("a.csv", text.as_bytes());
    assert!(refused.contains(why), "{refused}");
}

#[test]
fn a_file_in_latin_1_is_told_what_to_do() {
    let text = b"number;on;amount\n2026-000123;10/11/2026;1,00\n2026-000124;a\xe7o;1,00\n";
    let refused = refused("a.csv", text);
    assert!(refused.starts_with("a.csv line 3: is not UTF-8: save the file as UTF-8"), "{refused}");
}

#[test]
fn all_bad_lines_are_named_at_once_and_nothing_is_read() {
    let text =
        "number,on,amount\n2026-1,x,y\n2026-000123,2026-11-10,1.00\n2026-2,2026-11-10,1.00\n";
    let bad = read("a.csv", text.as_bytes()).unwrap_err();
    assert_eq!(bad.total, 2);
    assert_eq!(bad.first[0].place, "a.csv line 2");
    assert!(bad.first[0].reason.contains("no invoice number"), "{bad}");
    assert!(bad.first[0].reason.contains("'x' is no day"), "{bad}");
    assert!(bad.first[0].reason.contains("'y' is no amount"), "{bad}");
    assert_eq!(bad.first[1].place, "a.csv line 4");
}

#[test]
fn a_million_bad_rows_are_told_by_the_first_hundred() {
    let text = format!("number,on,amount\n{}", "x,y,z\n".repeat(1_000_000));
    let bad = read("a.csv", text.as_bytes()).unwrap_err();
    assert_eq!((bad.first.len(), bad.total), (100, 1_000_000));
    assert!(bad.to_string().ends_with("\nand 999900 more bad lines"), "{bad}");
}

#[test]
fn the_same_reference_for_two_invoices_or_kinds_is_one_line_of_a_bank() {
    let text = "number,on,amount,kind,reference\n2026-000001,2026-11-10,5.00,,x\n\
        2026-000002,2026-11-10,6.00,,x\n2026-000001,2026-11-10,1.00,interest,x\n\
        2026-000001,2026-11-10,5.00,,x\n";
    assert_eq!(read("a.csv", text.as_bytes()).unwrap().lines.len(), 4);
}

/// How somebody writes a table: cells apart by this, numbers and days in this way.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "each is a way to write, apart from the others")]
struct Hand {
    semicolons: bool,
    comma: bool,
    thousands: bool,
    brazilian_days: bool,
    quotes: bool,
    carriage_returns: bool,
    mark: bool,
}

fn hand() -> impl Strategy<Value = Hand> {
    any::<[bool; 7]>().prop_map(
        |[semicolons, comma, thousands, brazilian_days, quotes, carriage_returns, mark]| Hand {
            semicolons,
            comma,
            thousands,
            brazilian_days,
            // An amount with a comma needs quotes where commas part the cells.
            quotes: quotes || !semicolons,
            carriage_returns,
            mark,
        },
    )
}

const KINDS: [&str; 6] = ["money", "iss", "irrf", "csrf", "discount", "interest"];

type Row = (u32, u16, Option<u32>, usize, String);

fn written(hand: Hand, rows: &[Row]) -> String {
    let delimiter = if hand.semicolons { ";" } else { "," };
    let end = if hand.carriage_returns { "\r\n" } else { "\n" };
    let cell = |text: &str| {
        if hand.quotes { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
    };
    let row = |cells: [String; 5]| cells.map(|text| cell(&text)).join(delimiter) + end;
    let mut text = if hand.mark { "\u{feff}".to_owned() } else { String::new() };
    text += &row(["number", "on", "amount", "kind", "reference"].map(str::to_owned));
    for (sequence, days, centavos, kind, reference) in rows {
        let day = NaiveDate::from_num_days_from_ce_opt(739_000 + i32::from(*days)).unwrap();
        let amount = centavos.map_or(String::new(), |centavos| {
            let money = Money::from_centavos(i64::from(centavos) + 1);
            match (hand.comma, hand.thousands) {
                (true, true) => money.brl_bare(),
                (true, false) => money.to_string().replace('.', ","),
                (false, _) => money.to_string(),
            }
        });
        let day = day.format(if hand.brazilian_days { "%d/%m/%Y" } else { "%Y-%m-%d" });
        let kind = KINDS[*kind];
        let number = format!("2026-{sequence:06}");
        text += &row([number, day.to_string(), amount, kind.to_owned(), reference.clone()]);
    }
    text
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(
        hand in hand(),
        rows in prop::collection::vec(
            (1..2_000_000_u32, 0..700_u16, any::<Option<u32>>(), 0..6_usize, "[A-Za-z0-9]{0,12}"), 0..20,
        ),
    ) {
        // A reference stands for one payment: each row has its own.
        let rows: Vec<Row> = rows
            .into_iter()
            .enumerate()
            .map(|(index, (sequence, day, amount, kind, reference))| {
                let own = if reference.is_empty() { reference } else { format!("{reference}.{index}") };
                // Only money can be all that is open.
                let kind = if amount.is_none() { 0 } else { kind };
                (sequence, day, amount, kind, own)
            })
            .collect();
        let statement = read("a.csv", written(hand, &rows).as_bytes()).unwrap();
        prop_assert_eq!(statement.lines.len(), rows.len());
        for (line, (sequence, days, centavos, kind, reference)) in statement.lines.iter().zip(&rows) {
            prop_assert_eq!(line.number.unwrap().sequence, *sequence);
            let day = NaiveDate::from_num_days_from_ce_opt(739_000 + i32::from(*days)).unwrap();
            prop_assert_eq!(line.on, day);
            let amount = centavos.map(|centavos| Money::from_centavos(i64::from(centavos) + 1));
            prop_assert_eq!(line.amount, amount);
            prop_assert_eq!(line.kind.to_string(), KINDS[*kind]);
            prop_assert_eq!(line.reference.clone().unwrap_or_default(), reference.clone());
        }
    }
}
