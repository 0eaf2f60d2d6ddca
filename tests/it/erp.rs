//! Tables for ERPs: whole texts, sums to the centavo, and what is said of what is wrong.

use fecha_core::price::money::Money;
use rstest::rstest;

use crate::support::browser::Browser;
use crate::support::daemon::Shift;
use crate::support::reseller::{CONFIG, DEALERSHIP_HEADER, LedgerKind, Reseller};

const ERP: &str = r#"
[erp]
category = "Clientes - Serviços Prestados"
account = "Banco do Brasil"
cost_center = "WhatsApp"

[layouts.razao]
rows = "line"
columns = [
  { name = "Data", value = "month|last_day|date" },
  { name = "Conta débito", value = "'1.1.2.01'" },
  { name = "Conta crédito", value = "{'package': '3.1.1.01', 'overage': '3.1.1.02', 'hsm': '3.1.1.03'}[line.item] if line.item != 'adjustment' else '3.1.9.01'" },
  { name = "Valor", value = "line.amount|comma" },
  { name = "Histórico", value = "line.description ~ ' ' ~ (month|date) ~ ' ' ~ dealership.name" },
  { name = "Documento", value = "label" },
]

[layouts.antigo]
delimiter = "|"
header = false
encoding = "windows-1252"
columns = [
  { name = "a", value = "dealership.trade_name|upper" },
  { name = "b", value = "total|digits" },
]
"#;

/// October closed: invoices that are open, revised, cancelled, paid, paid in part, of nothing, and paid in a way that
/// no sheet has columns for.
fn reseller(ledger: LedgerKind) -> Reseller {
    let mut reseller = Reseller::new(ledger);
    reseller.write("fecha.toml", &format!("{CONFIG}{ERP}"));
    let companies = [
        ("d1", "\"=Comércio de Veículos; São João\"", "Auto Açaí", "11.222.333/0001-81"),
        ("d2", "Horizonte Motores S.A.", "Horizonte", "33.000.167/0001-01"),
        ("d3", "Terceira Loja Ltda", "Terceira", "00.000.000/0001-91"),
        ("d4", "Quarta Loja Ltda", "Quarta", "11.222.333/0002-62"),
        ("d5", "Quinta Loja Ltda", "Quinta", "11.222.333/0003-43"),
        ("d6", "Sexta Loja Ltda", "Sexta", "11.222.333/0004-24"),
        ("d7", "Sétima Loja Ltda", "Sétima", "11.222.333/0005-05"),
    ];
    let (mut people, mut contracts) =
        (DEALERSHIP_HEADER.to_owned(), "dealership_id,from_month,package\n".to_owned());
    for (id, name, sign, cnpj) in companies {
        people +=
            &format!("{id},{name},{sign},{cnpj},\"Rua Um, 1\",Curitiba,PR,{id}@example.com,,,\n");
        contracts += &format!("{id},2026-01,5000\n");
    }
    reseller.write("dealerships.csv", &people);
    reseller.write("contracts.csv", &contracts);
    run(&reseller, "import --dealerships dealerships.csv --contracts contracts.csv");
    reseller.add_contacts("d1", 5003, "2026-10-20T12:00:00Z");
    for id in ["d2", "d3", "d4", "d5", "d6", "d7"] {
        reseller.add_contacts(id, 3, "2026-10-31T12:00:00Z");
    }
    run(
        &reseller,
        "adjust --dealership d6 --month 2026-10 --amount=-1014.00 --description Cortesia",
    );
    run(&reseller, "close --release");
    let late = (Some("d2"), "5548991234567", "out", "hsm", None, None, "2026-10-31T15:00:00Z");
    reseller.add(&[late]);
    reseller.at("2026-11-14 12:00:00");
    run(&reseller, "rerun --month 2026-10 --dealership d2 --reason atraso");
    run(&reseller, "cancel 2026-000003 --reason engano");
    run(&reseller, "pay 2026-000004 --on 2026-11-10");
    run(&reseller, "pay 2026-000005 --on 2026-11-10 --amount 500.00");
    run(&reseller, "pay 2026-000005 --on 2026-11-11 --amount 50.70 --kind iss");
    run(&reseller, "pay 2026-000007 --on 2026-11-09 --amount 400.00");
    run(&reseller, "pay 2026-000007 --on 2026-11-12 --amount 600.00");
    run(&reseller, "pay 2026-000007 --on 2026-11-12 --amount 14.00 --kind discount");
    run(&reseller, "pay 2026-000007 --on 2026-11-12 --amount 3.00 --kind interest");
    reseller
}

fn run(reseller: &Reseller, words: &str) -> String {
    let arguments: Vec<&str> = words.split(' ').collect();
    reseller.run(&arguments).expect(0).stdout
}

/// The cells of a table, header first.
fn cells(table: &str) -> Vec<Vec<String>> {
    let text = table.strip_prefix('\u{feff}').expect("a byte order mark");
    assert!(text.ends_with("\r\n") && !text.replace("\r\n", "").contains('\n'), "{text}");
    let mut reader =
        csv::ReaderBuilder::new().delimiter(b';').has_headers(false).from_reader(text.as_bytes());
    let row = |row: csv::StringRecord| row.iter().map(str::to_owned).collect();
    reader.records().map(|record| row(record.unwrap())).collect()
}

/// The sum of a column of amounts with a decimal comma.
fn sum(table: &[Vec<String>], heading: &str) -> String {
    let at = table[0].iter().position(|name| name == heading).unwrap();
    let amounts = table[1..].iter().map(|row| row[at].replace(',', ".").parse::<Money>().unwrap());
    amounts.sum::<Money>().to_string()
}

#[rstest]
fn every_layout_has_what_is_invoiced_to_the_centavo(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let reseller = reseller(ledger);
    let invoiced: Money = reseller
        .invoices(&[])
        .iter()
        .filter(|invoice| invoice["state"] == "issued")
        .map(|invoice| invoice["total"].as_str().unwrap().parse::<Money>().unwrap())
        .sum();
    assert_eq!(invoiced.to_string(), "5071.33");
    for (layout, heading) in
        [("conta-azul", "Valor"), ("omie", "Valor da Conta *"), ("razao", "Valor")]
    {
        let asked = ["invoices", "--csv", "--month", "2026-10", "--layout", layout];
        let ran = reseller.run(&asked).expect(0);
        assert_eq!(sum(&cells(&ran.stdout), heading), "5071.33", "{}", ran.stdout);
        let shown = format!("{}\n{}", ran.stdout.replace('\u{feff}', "<BOM>"), ran.stderr);
        insta::assert_snapshot!(layout, shown);
    }
}

#[test]
fn the_plain_layout_is_the_table_without_one() {
    let reseller = reseller(LedgerKind::Sqlite);
    let plain = run(&reseller, "invoices --csv --all-revisions");
    assert_eq!(plain, run(&reseller, "invoices --csv --all-revisions --layout plain"));
    assert!(plain.contains(";\"'=Comércio de Veículos; São João\";11.222.333/0001-81;"), "{plain}");
    assert_eq!(cells(&plain).len(), 1 + 8);
    let refused =
        reseller.run(&["invoices", "--csv", "--layout", "omie", "--all-revisions"]).expect(2);
    assert!(refused.stderr.contains("--layout plain"), "{}", refused.stderr);
    assert_eq!(refused.stdout, "");
    reseller.run(&["invoices", "--layout", "omie"]).expect(2);
}

#[test]
fn older_systems_get_their_letters_and_no_heading() {
    let reseller = reseller(LedgerKind::Sqlite);
    let asked = ["invoices", "--csv", "--layout", "antigo", "--dealership", "d1"];
    let table = reseller.command(&asked).output().unwrap().stdout;
    assert_eq!(table, b"AUTO A\xc7A\xcd|101487\r\n");
    let config = format!("{CONFIG}{ERP}").replace("dealership.trade_name|upper", "'Łódź'");
    reseller.write("fecha.toml", &config);
    let refused = reseller.run(&asked).expect(2).stderr;
    assert!(refused.contains("line 1 of the table has the letter 'Ł'"), "{refused}");
}

#[test]
fn a_layout_that_there_is_not_names_those_that_there_are() {
    let reseller = Reseller::new(LedgerKind::Sqlite);
    reseller.write("fecha.toml", &format!("{CONFIG}{ERP}"));
    reseller.register(&[("d1", "", "5000")]);
    let refused = reseller.run(&["invoices", "--csv", "--layout", "sap"]).expect(2).stderr;
    let refused = refused.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        refused.contains("no layout 'sap': there are plain, conta-azul, omie, antigo, razao; one of your own is [layouts.sap]"),
        "{refused}"
    );
    reseller.write("fecha.toml", CONFIG);
    let refused = reseller.run(&["invoices", "--csv", "--layout", "omie"]).expect(2).stderr;
    assert!(refused.contains("[erp], for example category"), "{refused}");
    let empty = run(&reseller, "invoices --csv --layout conta-azul");
    assert_eq!(cells(&empty).len(), 1);
}

#[test]
fn wrong_columns_are_named_when_the_configuration_is_read() {
    let reseller = Reseller::new(LedgerKind::Sqlite);
    let wrong = r#"
[layouts.omie]
columns = [{ name = "a", value = "total" }]
[layouts.x]
rows = "lines"
[layouts.y]
delimiter = "!"
columns = [
  { name = "Valor", value = "total|coma" },
  { name = "Nome", value = "dealership.nme" },
  { name = "Nome", value = "line.amount" },
  { name = "Soma", value = "total + paid" },
  { value = "total" },
]
[layouts.z]
"#;
    reseller.write("fecha.toml", &format!("{CONFIG}{wrong}"));
    let refused = reseller.run(&["invoices", "--csv"]).expect(2).stderr;
    insta::assert_snapshot!("wrong_columns", refused);
}

#[test]
fn the_console_offers_every_layout() {
    let reseller = reseller(LedgerKind::Sqlite);
    let mut shift = Shift::new(&reseller, "2026-11-14T12:00:00Z");
    let daemon = shift.start();
    let mut ana = Browser::signed_in(&reseller, &daemon, "ana@example.com", "viewer");
    let page = ana.get("/months/2026-10").expect(200).body;
    for layout in ["conta-azul", "omie", "antigo", "razao"] {
        let link = format!("/months/2026-10/invoices.csv?layout={layout}");
        assert!(page.contains(&format!("href=\"{link}\"")), "{page}");
        ana.get(&link).expect(200);
    }
    let table = ana.get("/months/2026-10/invoices.csv?layout=conta-azul").expect(200);
    let by_command = run(&reseller, "invoices --month 2026-10 --csv --layout conta-azul");
    assert!(table.body.contains(by_command.trim_start_matches('\u{feff}').trim_end()));
    assert!(table.header("content-disposition").contains("faturas-2026-10-conta-azul.csv"));
    let unknown = ana.get("/months/2026-10/invoices.csv?layout=sap").expect(400);
    assert!(unknown.body.contains("Não há o leiaute"), "{}", unknown.body);
}
