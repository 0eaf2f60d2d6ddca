//! Messages priced by category, licences by number, and what is not billed, black-box (spec §2 *Price lists*).

use calamine::{Reader, Xlsx, open_workbook};
use rstest::rstest;
use serde_json::{Value, json};

use crate::support::pdf::Pdf;
use crate::support::reseller::{CONFIG, DEALERSHIP_HEADER, LedgerKind, Ran, Reseller};
use crate::support::tools;

/// Marketing, utility in two steps, service with 1,000 free a number, and a licence a number.
const ENTRIES: &str = r#"
[[prices.messages]]
line = "Mensagens de marketing"
kind = "hsm"
category = ["marketing"]
price = "0.52"
[[prices.messages]]
line = "Mensagens de utilidade"
kind = "hsm"
category = ["utility"]
tiers = [{ up_to = 10000, price = "0.12" }, { price = "0.10" }]
[[prices.messages]]
line = "Mensagens de serviço"
kind = "session"
category = ["service"]
free = 1000
free_per = "number"
price = "0.06"
[[prices.monthly]]
line = "Licença por número"
price = "199.00"
per = "number"
"#;

const NFSE: &str = r#"
[nfse]
environment = "restricted"
municipality = "4305108"
municipal_registration = "98765"
series = 7
ctribnac = "010301"
nbs = "115022000"
opsimpnac = 1
cindop = "100301"
cst = "000"
cclasstrib = "000001"
"#;

const TAX: &str = ",postal_code,number,complement,district,ibge_code\n";
const NUMBERS: [&str; 2] = ["5548999990820", "5548999990821"];
/// On the last day, so that the close is not held.
const DAY: &str = "2026-10-31T12:00:00Z";

/// With the standard table and these entries behind it.
fn config(entries: &str) -> String {
    CONFIG.replacen("[email]\n", &format!("{entries}\n[email]\n"), 1)
}

/// d1 with 5,000 contacts and two numbers, in November; its messages have all columns.
fn reseller(ledger: LedgerKind, config: &str) -> Reseller {
    let mut reseller = Reseller::new(ledger);
    reseller.at("2026-11-02 12:00:00");
    reseller.write("fecha.toml", config);
    let header = DEALERSHIP_HEADER.trim_end().to_owned() + TAX;
    let row = "d1,Concessionária d1 Ltda,Loja d1,11.222.333/0001-81,\"Rua Um, 1\",Curitiba,PR,d1@example.com,,,,80010-000,1,,Batel,4106902\n";
    reseller.write("dealerships.csv", &(header + row));
    reseller.write("contracts.csv", "dealership_id,from_month,package\nd1,2026-01,5000\n");
    numbers(&reseller, &NUMBERS, "");
    let files = ["--dealerships", "dealerships.csv", "--contracts", "contracts.csv"];
    reseller.run(&[&["import"][..], &files, &["--numbers", "numbers.csv"]].concat()).expect(0);
    let table = "DROP TABLE message; CREATE TABLE message (dealership_id TEXT, contact TEXT, direction TEXT,
        kind TEXT, template TEXT, status TEXT, message_id TEXT, category TEXT, number TEXT, billable INTEGER,
        sent_at INTEGER NOT NULL)";
    reseller.messages().execute_batch(table).unwrap();
    reseller
}

fn numbers(reseller: &Reseller, numbers: &[&str], to: &str) {
    let rows: String = numbers.iter().map(|number| format!("{number},d1,2026-01,{to}\n")).collect();
    reseller.write("numbers.csv", &format!("number,dealership_id,from_month,to_month\n{rows}"));
}

/// Messages that differ only in contact and id.
struct Batch<'a> {
    kind: &'a str,
    category: Option<&'a str>,
    number: Option<&'a str>,
    billable: Option<bool>,
    status: &'a str,
}

const SERVICE: Batch<'_> = Batch {
    kind: "session",
    category: Some("service"),
    number: None,
    billable: None,
    status: "delivered",
};
const MARKETING: Batch<'_> = Batch { kind: "hsm", category: Some("MARKETING"), ..SERVICE };
const UTILITY: Batch<'_> = Batch { kind: "hsm", category: Some("utility"), ..SERVICE };

/// So many of them out, each to the next of 5,123 contacts.
fn send(reseller: &Reseller, batch: &Batch<'_>, count: usize) {
    let at = DAY.parse::<chrono::DateTime<chrono::Utc>>().unwrap().timestamp_millis();
    let mut database = reseller.messages();
    let transaction = database.transaction().unwrap();
    {
        let before: i64 =
            transaction.query_row("SELECT COUNT(*) FROM message", [], |row| row.get(0)).unwrap();
        let sql =
            "INSERT INTO message VALUES ('d1', ?1, 'out', ?2, 'oferta', ?3, ?4, ?5, ?6, ?7, ?8)";
        let mut insert = transaction.prepare(sql).unwrap();
        for index in 0..count {
            let contact = format!("55489{:08}", 90_000_000 + index % 5123);
            let Batch { kind, category, number, billable, status } = *batch;
            let id = format!("m{before}-{index}");
            let values =
                rusqlite::params![contact, kind, status, id, category, number, billable, at];
            insert.execute(values).unwrap();
        }
    }
    transaction.commit().unwrap();
}

/// The month of the documentation's example: 5,123 contacts, and what was sent by both numbers.
fn example(ledger: LedgerKind, service: [usize; 2]) -> Reseller {
    let reseller = reseller(ledger, &(config(ENTRIES) + NFSE));
    let write = "INSERT INTO message (dealership_id, contact, direction, kind, status, sent_at)
        WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 5122)
        SELECT 'd1', '55489' || (90000000 + i), 'in', 'session', 'received', 1793448000000 FROM n";
    reseller.messages().execute_batch(write).unwrap();
    send(&reseller, &MARKETING, 310);
    send(&reseller, &UTILITY, 1840);
    for (number, count) in NUMBERS.into_iter().zip(service) {
        send(&reseller, &Batch { number: Some(number), ..SERVICE }, count);
    }
    reseller
}

fn pdf_text(reseller: &Reseller, name: &str) -> String {
    Pdf::new(std::fs::read(reseller.path(name)).unwrap()).text().replace('\u{a0}', " ")
}

fn close(reseller: &Reseller) {
    reseller.run(&["close", "--month", "2026-10"]).expect(0);
}

fn lines(reseller: &Reseller, number: &str) -> Vec<String> {
    let invoice = reseller.run(&["invoice", number, "--json"]).expect(0).json();
    let line = |line: &Value| {
        let name = line["line"].as_str().or(line["item"].as_str()).unwrap();
        let share = line["share"].as_str().map_or(String::new(), |share| format!(" {share}"));
        let [price, amount] = ["unit_price", "amount"].map(|key| line[key].as_str().unwrap());
        format!("{name}{share}: {} × {price} = {amount}", line["quantity"])
    };
    invoice["lines"].as_array().unwrap().iter().map(line).collect()
}

#[rstest]
fn the_example_from_the_pdf_to_the_dps(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let reseller = example(ledger, [3200, 3200]);
    let checked = reseller.run(&["check"]).stdout;
    assert!(
        checked.contains("Mensagens de marketing 310, Mensagens de utilidade 1.840, Mensagens de serviço 6.400; every message is taken"),
        "{checked}"
    );
    close(&reseller);
    let expected = [
        "package: 1 × 1014.00 = 1014.00",
        "overage: 123 × 0.29 = 35.67",
        "Mensagens de marketing charged: 310 × 0.52 = 161.20",
        "Mensagens de utilidade charged: 1840 × 0.12 = 220.80",
        "Mensagens de serviço charged: 4400 × 0.06 = 264.00",
        "Mensagens de serviço free: 2000 × 0.00 = 0.00",
        "Licença por número: 2 × 199.00 = 398.00",
    ];
    assert_eq!(lines(&reseller, "2026-000001"), expected);
    let invoice = &reseller.invoices(&[])[0];
    for (key, expected) in [
        ("package_amount", "1014.00"),
        ("overage_amount", "35.67"),
        ("hsm_amount", "382.00"),
        ("other_amount", "662.00"),
        ("adjustments_amount", "0.00"),
        ("total", "2093.67"),
    ] {
        assert_eq!(invoice[key], expected, "{key}");
    }
    assert_eq!((&invoice["hsm"], &invoice["uam"]), (&json!(2150), &json!(5123)));

    let files = ["--pdf", "f.pdf", "--statement", "e.pdf", "--evidence", "e.csv"];
    reseller.run(&[&["invoice", "2026-000001"][..], &files].concat()).expect(0);
    let pdf = pdf_text(&reseller, "f.pdf");
    for words in ["2.093,67", "Mensagens de serviço, gratuitas", "4.400", "por número de WhatsApp"]
    {
        assert!(pdf.contains(words), "{words}: {pdf}");
    }
    let statement = pdf_text(&reseller, "e.pdf");
    let row =
        statement.lines().find(|line| line.contains("Mensagens de serviço (service)")).unwrap();
    let figures: Vec<&str> = row.split_whitespace().skip(4).collect();
    assert_eq!(figures.concat().replace("R$", ""), "6.4002.0004.400264,00", "{row}");
    let total =
        statement.lines().find(|line| line.contains("Total") && line.contains("8.550")).unwrap();
    assert!(total.contains("2.000") && total.contains("6.550"), "{total}");
    let evidence = std::fs::read_to_string(reseller.path("e.csv")).unwrap();
    let header = evidence.lines().next().unwrap();
    assert!(header.ends_with(",sent,hsm,hsm:marketing,hsm:utility,session:service"), "{header}");
    let sum = |column: usize| -> u64 {
        evidence
            .lines()
            .skip(1)
            .map(|line| line.split(',').nth(column).unwrap().parse::<u64>().unwrap())
            .sum()
    };
    assert_eq!([5, 6, 7, 8, 9].map(sum), [8550, 2150, 310, 1840, 6400]);

    reseller.run(&["verify", "--month", "2026-10"]).expect(0);
    let made =
        reseller.run(&["nfse", "--month", "2026-10", "--dir", "nfse", "--json"]).expect(0).json();
    let name = made["files"][0]["file"].as_str().unwrap();
    let declared = tools::nfelib(&[reseller.path("nfse").join(name)]).remove(0);
    assert!(declared.errors.is_empty(), "{:?}", declared.errors);
    assert_eq!(declared.dps["valores"]["vServPrest"]["vServ"], "2093.67");
    reseller.run(&["digest", "--month", "2026-10", "--dir", "digest"]).expect(0);
    let files =
        std::fs::read_dir(reseller.path("digest")).unwrap().map(|file| file.unwrap().path());
    let book = files.into_iter().find(|path| path.extension().is_some_and(|end| end == "xlsx"));
    let mut book: Xlsx<_> = open_workbook(book.unwrap()).unwrap();
    let sheet = book.worksheet_range("Linhas").unwrap();
    let values = |column: u32| -> Vec<String> {
        (1..8).map(|row| sheet.get_value((row, column)).unwrap().to_string()).collect()
    };
    assert_eq!(values(3)[5], "Mensagens de serviço, gratuitas");
    assert_eq!(values(6), ["1014", "35.67", "161.2", "220.8", "264", "0", "398"]);
    let rows = reseller.run(&["invoices", "--csv"]).expect(0).stdout;
    assert!(rows.lines().nth(1).unwrap().ends_with(";662,00"), "{rows}");
    let preview = reseller.run(&["preview", "--month", "2026-10", "--json"]).expect(0).json();
    assert_eq!(preview["dealerships"][0]["projected"]["total"], "2093.67", "{preview}");
}

#[test]
fn free_messages_of_a_number_are_not_anothers() {
    let reseller = example(LedgerKind::Sqlite, [300, 6100]);
    close(&reseller);
    let lines = lines(&reseller, "2026-000001");
    assert_eq!(lines[4], "Mensagens de serviço charged: 5100 × 0.06 = 306.00");
    assert_eq!(lines[5], "Mensagens de serviço free: 1300 × 0.00 = 0.00");
}

fn rerun(reseller: &Reseller, more: &[&str]) -> Ran {
    let rerun = [
        "rerun",
        "--month",
        "2026-10",
        "--all",
        "--reason",
        "conferência",
        "--by",
        "ana",
        "--json",
    ];
    reseller.run(&[&rerun[..], more].concat())
}

#[track_caller]
fn refused_for(reseller: &Reseller, cause: &str) {
    let done = rerun(reseller, &["--dry-run"]).expect(1).json();
    assert_eq!(done["refused"][0]["causes"], json!([cause]), "{done}");
    let verified = reseller.run(&["verify", "--month", "2026-10", "--json"]).expect(1).json();
    assert_eq!(verified["differs"].as_array().unwrap().len(), 1, "{verified}");
}

#[rstest]
fn what_changed_afterwards_is_named_and_must_be_accepted(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let reseller = example(ledger, [0, 0]);
    close(&reseller);
    reseller.run(&["verify", "--month", "2026-10"]).expect(0);
    let change = |sql: &str| assert!(reseller.messages().execute(sql, []).unwrap() > 0);
    // Meta changes its mind about ten templates.
    change(
        "UPDATE message SET category = 'utility' WHERE rowid IN (SELECT rowid FROM message WHERE category = 'MARKETING' LIMIT 10)",
    );
    refused_for(&reseller, "category");
    let done = rerun(&reseller, &["--accept", "category"]).expect(0).json();
    // 10 × (0.52 − 0.12).
    assert_eq!(done["revised"][0]["total"], json!({"before": "1829.67", "after": "1825.67"}));
    change(
        "UPDATE message SET billable = 0 WHERE rowid IN (SELECT rowid FROM message WHERE category = 'utility' LIMIT 5)",
    );
    refused_for(&reseller, "category");
    rerun(&reseller, &["--accept", "category"]).expect(0);
    assert!(
        lines(&reseller, "2026-000001")
            .contains(&"Mensagens de utilidade unbilled: 5 × 0.00 = 0.00".to_owned())
    );
    // One that came late goes by itself.
    send(&reseller, &MARKETING, 1);
    let done = rerun(&reseller, &[]).expect(0).json();
    assert_eq!(done["revised"][0]["causes"], json!(["late"]));

    numbers(&reseller, &NUMBERS[1..], "2026-09");
    reseller.run(&["import", "--numbers", "numbers.csv"]).expect(0);
    refused_for(&reseller, "contract");
    rerun(&reseller, &["--accept", "contract"]).expect(0);
    assert!(
        lines(&reseller, "2026-000001")
            .contains(&"Licença por número: 1 × 199.00 = 199.00".to_owned())
    );
    reseller.write("fecha.toml", &(config(&ENTRIES.replace("0.52", "0.55")) + NFSE));
    refused_for(&reseller, "price");
    rerun(&reseller, &["--accept", "price"]).expect(0);
    reseller.run(&["verify", "--month", "2026-10"]).expect(0);
}

#[rstest]
fn a_month_is_simulated_by_category_where_it_was_counted_so(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let reseller = example(ledger, [1500, 100]);
    close(&reseller);
    let tables = CONFIG.split("[email]").next().unwrap().split_once("[[prices]]").unwrap().1;
    let file =
        |entries: &str| reseller.write("other.toml", &format!("[[prices]]{tables}{entries}"));
    let simulate = || {
        let months = ["--from", "2026-10", "--to", "2026-10", "--json"];
        reseller.run(&[&["simulate", "--prices", "other.toml"][..], &months].concat())
    };
    file(ENTRIES);
    let same = simulate().expect(0).json();
    assert_eq!((&same["billed"], &same["difference"]), (&json!("1859.67"), &json!("0.00")));
    file(&ENTRIES.replace("0.52", "0.62").replace("free = 1000", "free = 500"));
    // 310 × 0.10, and 500 more of the first number.
    assert_eq!(simulate().expect(0).json()["difference"], "61.00");
    file("");
    // 2,150 HSM at 0.46 in the place of all entries.
    assert_eq!(simulate().expect(0).json()["simulated"], "2038.67");

    // What was counted without categories cannot be priced by them.
    let old = example(ledger, [0, 0]);
    old.write("fecha.toml", CONFIG);
    close(&old);
    old.write("other.toml", &format!("[[prices]]{tables}{ENTRIES}"));
    let months = ["--from", "2026-10", "--to", "2026-10"];
    let refused =
        old.run(&[&["simulate", "--prices", "other.toml"][..], &months].concat()).expect(2);
    assert!(
        refused.stderr.contains("2026-10 of d1 was not counted by category and number"),
        "{}",
        refused.stderr
    );
}

/// What is not billable, and what has a status that is not priced, costs nothing by any table, and counts.
#[rstest]
fn what_is_not_billed_stands_at_nothing(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let priced = CONFIG.replace(
        "[messages]\n",
        "[counting]\npriced_statuses = [\"delivered\", \"read\"]\n[messages]\n",
    );
    let reseller = reseller(ledger, &priced);
    send(&reseller, &Batch { billable: Some(true), ..MARKETING }, 7);
    send(&reseller, &Batch { billable: Some(false), ..MARKETING }, 2);
    send(&reseller, &Batch { status: "sent", ..UTILITY }, 3);
    send(&reseller, &SERVICE, 4);
    close(&reseller);
    let lines = lines(&reseller, "2026-000001");
    assert_eq!(lines[2..], ["hsm: 7 × 0.46 = 3.22", "unbilled_hsm: 5 × 0.00 = 0.00"]);
    let invoice = &reseller.invoices(&[])[0];
    assert_eq!((&invoice["hsm"], &invoice["hsm_amount"]), (&json!(12), &json!("3.22")));
    reseller.run(&["invoice", "2026-000001", "--evidence", "e.csv"]).expect(0);
    let evidence = std::fs::read_to_string(reseller.path("e.csv")).unwrap();
    assert!(evidence.starts_with("id,contact,first_at,first_direction,received,sent,hsm\n"));
    // The other prices know what was not billed, without reading a document.
    let tables = CONFIG.split("[email]").next().unwrap().split_once("[[prices]]").unwrap().1;
    reseller.write("other.toml", &format!("[[prices]]{}", tables.replace("0.46", "1.00")));
    let months = ["--from", "2026-10", "--to", "2026-10", "--json"];
    let simulated = reseller.run(&[&["simulate", "--prices", "other.toml"][..], &months].concat());
    assert_eq!(simulated.expect(0).json()["simulated"], "1021.00");
    // The flag changes: a cause of its own, though no evidence knows it.
    reseller.messages().execute("UPDATE message SET billable = 1 WHERE billable = 0", []).unwrap();
    refused_for(&reseller, "category");
}

#[test]
fn a_source_without_the_columns_is_billed_as_before() {
    let mut reseller = Reseller::new(LedgerKind::Sqlite);
    reseller.at("2026-11-02 12:00:00");
    reseller.write("fecha.toml", &config(ENTRIES));
    reseller.register(&[("d1", "", "5000")]);
    reseller.add(&[(Some("d1"), "5548999990820", "out", "hsm", Some("oferta"), None, DAY)]);
    close(&reseller);
    let lines = lines(&reseller, "2026-000001");
    assert_eq!(lines[2..], ["hsm: 1 × 0.46 = 0.46", "Licença por número: 0 × 199.00 = 0.00"]);
    let checked = reseller.run(&["check"]).stdout;
    assert!(
        checked.contains("no entry takes hsm without a category 1 (charged as HSM)"),
        "{checked}"
    );
}

#[rstest]
#[case("kind = \"hsm\"\nprice = \"0.10\"", "fecha.toml:27: [[prices]] messages line: is missing")]
#[case(
    "line = \"x\"\nprice = \"0.10\"",
    "[[prices]] messages kind: is missing: write for example kind = \"hsm\""
)]
#[case(
    "line = \"x\"\nkind = \"template\"\nprice = \"0.10\"",
    "'template' is none of \"hsm\", \"session\""
)]
#[case("line = \"x\"\nkind = \"hsm\"", "[[prices]] messages price: is missing")]
#[case(
    "line = \"x\"\nkind = \"hsm\"\nprice = \"0.1\"\ntiers = [{ price = \"0.2\" }]",
    "stands beside tiers"
)]
#[case(
    "line = \"x\"\nkind = \"hsm\"\ntiers = [{ up_to = 5, price = \"0.2\" }]",
    "the last step must have no `up_to`"
)]
#[case(
    "line = \"x\"\nkind = \"hsm\"\ntiers = [{ up_to = 5, price = \"0.2\" }, { up_to = 5, price = \"0.1\" }, { price = \"0\" }]",
    "the `up_to` of step 2 is not above"
)]
#[case(
    "line = \"x\"\nkind = \"hsm\"\ncategory = [\"mar keting\"]\nprice = \"0.1\"",
    "'mar keting' is no category"
)]
#[case(
    "line = \"x\"\nkind = \"hsm\"\nprice = \"0.1\"\nfree_per = \"number\"",
    "says of whom messages are free"
)]
#[case(
    "line = \"x\"\nkind = \"hsm\"\nprice = \"0.1\"\n[[prices.messages]]\nline = \"y\"\nkind = \"hsm\"\ncategory = [\"utility\"]\nprice = \"0.1\"",
    "'y' is never reached"
)]
#[case(
    "line = \"x\"\nkind = \"hsm\"\nprice = \"0.12345\"",
    "fecha.toml:30: [[prices]] messages price: '0.12345'"
)]
fn entries_that_mean_nothing_are_refused(#[case] entry: &str, #[case] said: &str) {
    let reseller = Reseller::new(LedgerKind::Sqlite);
    reseller.write("fecha.toml", &config(&format!("[[prices.messages]]\n{entry}\n")));
    let refused = reseller.run(&["check"]).expect(2);
    assert!(refused.stderr.contains(said), "{}", refused.stderr);
}
