//! The register as people have it: what spreadsheets save, ids that are one dealership, numbers, and what an
//! import says of it.

use rstest::rstest;
use serde_json::{Value, json};

use crate::support::reseller::{DEALERSHIP_HEADER, LedgerKind, Reseller, dealership};

const HEADER: &str = "id,name,trade_name,cnpj,address,city,state,email,cc,timezone,due_day";

/// A row with the separator of the file and this `cc`.
fn row(separator: &str, id: &str, cc: &str) -> String {
    let cells = [
        id,
        "Concessionária São João Ltda",
        "São João",
        "11.222.333/0001-81",
        "Rua Um 1",
        "Curitiba",
        "PR",
        "d1@example.com",
        cc,
        "America/Manaus",
        "",
    ];
    cells.join(separator)
}

fn semicolons(text: &str) -> String {
    text.replace(',', ";")
}

/// Imports these bytes as `x.csv`.
fn import(reseller: &Reseller, bytes: &[u8], arguments: &[&str]) -> crate::support::reseller::Ran {
    std::fs::write(reseller.path("x.csv"), bytes).unwrap();
    reseller.run(&[&["import", "--dealerships", "x.csv"][..], arguments].concat())
}

/// The register's dealerships as `fecha export` writes them, without the header.
fn exported(reseller: &Reseller) -> Vec<String> {
    let text = reseller.run(&["export", "--dealerships", "-", "--contracts", "k.csv"]).expect(0);
    text.stdout.lines().skip(1).map(str::to_owned).collect()
}

#[rstest]
#[case::semicolons(format!("\u{feff}{}\r\n{}\r\n", semicolons(HEADER), row(";", "d1", "")))]
#[case::commas(format!("\u{feff}{HEADER}\r\n{}\r\n", row(",", "d1", "")))]
#[case::sep(format!("sep=;\r\n{}\r\n{}\r\n", semicolons(HEADER), row(";", "d1", "")))]
#[case::sep_and_mark(format!("\u{feff}sep=,\r\n{HEADER}\r\n{}\r\n", row(",", "d1", "")))]
#[case::tabs_that_are_told(format!("sep=\t\r\n{}\r\n{}\r\n", HEADER.replace(',', "\t"), row("\t", "d1", "")))]
#[case::capitals(format!("{}\r\n{}\r\n", semicolons(&HEADER.to_uppercase()), row(";", "d1", "")))]
#[case::blanks_in_the_header(format!("{}\n{}\n", HEADER.replace(',', " , "), row(",", "d1", "")))]
#[case::empty_rows(format!("{HEADER}\n,,,,,,,,,,\n{}\n,,,,,,,,,,\n , ,\n\n", row(",", "d1", "")))]
#[case::empty_columns(format!("{};;;\r\n{};;;\r\n;;;;\r\n", semicolons(HEADER), row(";", "d1", "")))]
#[case::columns_left_out(format!("{HEADER},evidence,reminders\n{}\n", row(",", "d1", "").trim_end_matches(',')))]
#[case::old_mac(format!("{HEADER}\r{}\r", row(",", "d1", "")))]
#[case::invisible_marks(format!("{HEADER}\n{}\n", row(",", "d1", "").replace("São João", "\u{feff}São\u{200b} Jo\u{ad}ão\u{202c}").replace("Curitiba", "\u{a0}Curitiba\u{200e} ")))]
fn is_read_as_a_spreadsheet_saves_it(#[case] text: String) {
    let reseller = Reseller::new(LedgerKind::Sqlite);
    let imported = import(&reseller, text.as_bytes(), &["--json"]).expect(0).json();
    assert_eq!(imported["dealerships"], json!({"added": 1, "updated": 0, "unchanged": 0}));
    assert_eq!(
        exported(&reseller),
        [
            "d1,Concessionária São João Ltda,São João,11.222.333/0001-81,Rua Um 1,Curitiba,PR,d1@example.com,,America/Manaus,"
        ]
    );
}

#[test]
fn two_addresses_stand_in_quotes_between_semicolons() {
    let reseller = Reseller::new(LedgerKind::Sqlite);
    let file = |cc: &str| format!("{}\n{}\n", semicolons(HEADER), row(";", "d1", cc));
    let refused = import(&reseller, file("a@example.com;b@example.com").as_bytes(), &[]).expect(2);
    insta::assert_snapshot!(refused.stderr, @"
    fecha: x.csv:2: has 12 columns, the header has 11: a cell that holds a ';', as cc with two addresses, stands in quotes
    fecha: nothing was imported: fix these rows and import again
    ");
    import(&reseller, file("\"a@example.com;b@example.com\"").as_bytes(), &[]).expect(0);
    assert!(exported(&reseller)[0].contains(",a@example.com;b@example.com,"));
}

#[test]
fn a_code_page_is_not_guessed() {
    let reseller = Reseller::new(LedgerKind::Sqlite);
    let text = format!(
        "{}\r\n{}\r\n{}\r\n",
        semicolons(HEADER),
        row(";", "d1", ""),
        row(";", "d2", "").replace("11.222.333/0001-81", "11.222.333/0001-82")
    );
    let latin: Vec<u8> = text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
    insta::assert_snapshot!(import(&reseller, &latin, &[]).expect(2).stderr, @r#"
    fecha: x.csv:2: name: 'Concession�ria S�o Jo�o Ltda' is not UTF-8, nor are 3 more cells: save it as "CSV UTF-8" (in Excel: Save As, "CSV UTF-8 (Comma delimited)"; in Portuguese "CSV UTF-8 (Delimitado por vírgulas)")
    fecha: x.csv:3: cnpj: the check digits of CNPJ '11.222.333/0001-82' are wrong: 81 would fit
    fecha: nothing was imported: fix these rows and import again
    "#);
    let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let utf16 = [&[0xFF, 0xFE], utf16.as_slice()].concat();
    insta::assert_snapshot!(import(&reseller, &utf16, &[]).expect(2).stderr, @r#"
    fecha: x.csv:1: is UTF-16: save it as "CSV UTF-8" (in Excel: Save As, "CSV UTF-8 (Comma delimited)"; in Portuguese "CSV UTF-8 (Delimitado por vírgulas)")
    fecha: nothing was imported: fix these rows and import again
    "#);
}

#[test]
fn what_a_spreadsheet_spoilt_is_said() {
    let reseller = Reseller::new(LedgerKind::Sqlite);
    let said = |from: &str, to: &str| {
        let text = format!("{HEADER}\n{}\n", row(",", "d1", "").replace(from, to));
        import(&reseller, text.as_bytes(), &[]).expect(2).stderr.lines().next().unwrap().to_owned()
    };
    insta::assert_snapshot!(said("11.222.333/0001-81", "7526557000100"), @"fecha: x.csv:2: cnpj: CNPJ '7526557000100' has lost zeros in front, as a spreadsheet drops them: 07.526.557/0001-00 would fit. Format the column as text and write it out");
    insta::assert_snapshot!(said("11.222.333/0001-81", "\"1,12223E+13\""), @"fecha: x.csv:2: cnpj: CNPJ '1,12223E+13' is what a spreadsheet makes of a long number, and its last digits are lost: format the column as text, then write it again");
    let cut = format!("{HEADER}\n{}\n{}", row(",", "d1", ""), &row(",", "d2", "")[..95]);
    insta::assert_snapshot!(import(&reseller, cut.as_bytes(), &[]).expect(2).stderr, @"
    fecha: x.csv:3: has 8 columns, the header has 11: is the file cut off?
    fecha: nothing was imported: fix these rows and import again
    ");
    let more = format!("{HEADER},,\n{},,note\n", row(",", "d1", ""));
    insta::assert_snapshot!(import(&reseller, more.as_bytes(), &[]).expect(2).stderr, @"
    fecha: x.csv:2: has 13 columns, the header has 11
    fecha: nothing was imported: fix these rows and import again
    ");
}

#[test]
fn months_are_read_as_excel_in_portuguese_writes_them() {
    let reseller = Reseller::new(LedgerKind::Sqlite);
    reseller.register(&[("d1", "", "5000")]);
    reseller.write(
        "c.csv",
        "dealership_id;from_month;package\r\nd1;fev/26;10000\r\nd1;01/10/2026;5000\r\nd1;2027-01-01;none\r\n",
    );
    reseller.run(&["import", "--contracts", "c.csv"]).expect(0);
    reseller.run(&["export"]).expect(0);
    let contracts = std::fs::read_to_string(reseller.path("contracts.csv")).unwrap();
    assert_eq!(
        contracts,
        "dealership_id,from_month,package\nd1,2026-01,5000\nd1,2026-02,10000\nd1,2026-10,5000\nd1,2027-01,none\n"
    );
}

#[test]
fn letters_that_the_font_lacks_are_named() {
    let reseller = Reseller::new(LedgerKind::Sqlite);
    let text = format!(
        "{HEADER}\n{}\n{}\n{}\n",
        row(",", "d1", "").replace("Concessionária", "北京"),
        row(",", "d2", "").replace("Curitiba", "Кур"),
        row(",", "d3", "").replace(",São João,", ",🚗 São,").replace("Rua Um", "Rua Łódź"),
    );
    let said = import(&reseller, text.as_bytes(), &["--accept-twins"]).expect(0).stdout;
    let warnings = said.split_once("To be fixed").unwrap().1;
    insta::assert_snapshot!(warnings, @"
    :
    x.csv:2: name: '北京 São João Ltda' holds '北' (U+5317), '京' (U+4EAC), which the font of the documents lacks: write it in Latin letters. Until then a box stands for it on documents
    x.csv:3: city: 'Кур' holds 'К' (U+041A), 'у' (U+0443), 'р' (U+0440), which the font of the documents lacks: write it in Latin letters. Until then a box stands for it on documents
    x.csv:4: trade_name: '🚗 São' holds '🚗' (U+1F697), which the font of the documents lacks: write it in Latin letters. Until then a box stands for it on documents
    ");
    let again = import(&reseller, text.as_bytes(), &["--json"]).expect(0).json();
    let first = &again["warnings"][0];
    assert_eq!((&first["line"], &first["column"]), (&json!(2), &json!("name")), "{again}");
    assert_eq!(again["warnings"].as_array().unwrap().len(), 3);
    let check = reseller.run(&["check"]).expect(0).stdout;
    assert!(check.contains("'d2': 'Кур' holds 'К' (U+041A)"), "{check}");
    // Accents that a Mac writes apart are letters of the font.
    let apart = format!("{HEADER}\n{}\n", row(",", "d1", "").replace('ã', "a\u{303}"));
    let done = import(&reseller, apart.as_bytes(), &["--json"]).expect(0).json();
    assert_eq!(done["warnings"], json!([]));
}

#[test]
fn an_address_that_no_mail_reaches_is_refused_and_accents_of_a_domain_are_not() {
    let reseller = Reseller::new(LedgerKind::Sqlite);
    let with = |email: &str| {
        let text = format!("{HEADER}\n{}\n", row(",", "d1", "").replace("d1@example.com", email));
        import(&reseller, text.as_bytes(), &[])
    };
    let refused = with("loja@concessionaria").expect(2).stderr;
    assert!(
        refused.contains("x.csv:2: email: 'loja@concessionaria' is no email address"),
        "{refused}"
    );
    assert!(refused.contains("no ending such as .com.br"), "{refused}");
    with("root@localhost").expect(2);
    with("loja@concessionária.com.br").expect(0);
    assert!(exported(&reseller)[0].contains(",loja@xn--concessionria-deb.com.br,"));
}

#[test]
fn an_id_that_is_not_what_it_looks_like_is_named() {
    let reseller = Reseller::new(LedgerKind::Sqlite);
    let text = format!("{HEADER}\n{}\n", row(",", "d1\u{feff}", ""));
    let json = import(&reseller, text.as_bytes(), &["--json"]).expect(0).json();
    assert_eq!(
        json["warnings"],
        json!([{"file": "x.csv", "line": 2, "column": "id",
                "reason": "holds U+FEFF, which nobody sees: messages of 'd1' are not its own"}])
    );
}

/// A register with these rows: id, name and CNPJ.
fn file(rows: &[(&str, &str, &str)]) -> String {
    let rows = rows.iter().map(|(id, name, cnpj)| {
        dealership(id, "")
            .replace(&format!("Concessionária {id} Ltda"), name)
            .replace("11.222.333/0001-81", cnpj)
            .replace(&format!("{id}@example.com"), "d@example.com")
    });
    format!("{DEALERSHIP_HEADER}{}", rows.collect::<String>())
}

const AURORA: &str = "11.222.333/0001-81";
const BRASIL: &str = "00.000.000/0001-91";

#[rstest]
fn ids_that_a_spreadsheet_changed_do_not_double_the_register(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let reseller = Reseller::new(ledger);
    reseller.register(&[("001", "", "5000"), ("002", "", "5000")]);
    let stripped =
        file(&[("1", "Concessionária 001 Ltda", AURORA), ("2", "Concessionária 002 Ltda", AURORA)]);
    reseller.write("c.csv", "dealership_id,from_month,package\n1,2026-01,5000\n2,2026-01,5000\n");
    let refused = import(&reseller, stripped.as_bytes(), &["--contracts", "c.csv"]).expect(2);
    insta::assert_snapshot!("ids_changed", refused.stderr);
    assert_eq!(exported(&reseller).len(), 2);
    let refused = reseller.run(&["import", "--contracts", "c.csv"]).expect(2).stderr;
    assert!(refused.contains("'1' is not in the register (a spreadsheet drops zeros"), "{refused}");
    let accepted = import(&reseller, stripped.as_bytes(), &["--accept-twins", "--json"]).expect(0);
    assert_eq!(
        accepted.json()["twins"],
        json!([{"dealership_id": "1", "like": "001"}, {"dealership_id": "2", "like": "002"}])
    );
    assert_eq!(exported(&reseller).len(), 4);
    // Accepted once: what is in the register is no news to an import. `check` still says it.
    import(&reseller, stripped.as_bytes(), &[]).expect(0);
    let check = reseller.run(&["check"]).expect(0).stdout;
    assert!(check.contains("'001' and '1' may be one: the ids differ only by"), "{check}");
}

#[rstest]
#[case::case(&[("d1", "A", AURORA), ("D1", "B", BRASIL)], "'D1' may be 'd1' on line 2")]
#[case::blanks(&[("d1", "A", AURORA), ("d1 ", "B", BRASIL)], "'d1 ' may be 'd1' on line 2")]
#[case::zeros(&[("07", "A", AURORA), ("7", "B", BRASIL)], "'7' may be '07' on line 2")]
#[case::form(&[("são", "A", AURORA), ("sa\u{303}o", "B", BRASIL)], "may be 'são' on line 2")]
#[case::wide(&[("d1", "A", AURORA), ("ｄ１", "B", BRASIL)], "may be 'd1' on line 2")]
#[case::mark(&[("d1", "A", AURORA), ("d1\u{200b}", "B", BRASIL)], "may be 'd1' on line 2")]
#[case::company(&[("a", "Aurora Ltda", AURORA), ("b", "AURORA  Ltda", AURORA)], "'b' may be 'a' on line 2: it has the same CNPJ and name")]
#[case::register(&[("known", "A", AURORA), ("KNOWN", "B", BRASIL)], "'KNOWN' may be 'known' in the register")]
fn twins_are_refused_and_both_are_named(#[case] rows: &[(&str, &str, &str)], #[case] said: &str) {
    let reseller = Reseller::new(LedgerKind::Sqlite);
    import(&reseller, file(&[("known", "Known", BRASIL)]).as_bytes(), &[]).expect(0);
    let refused = import(&reseller, file(rows).as_bytes(), &[]).expect(2).stderr;
    assert!(refused.contains("x.csv:3: id: ") && refused.contains(said), "{refused}");
    assert!(refused.contains("--accept-twins"), "{refused}");
    assert_eq!(exported(&reseller).len(), 1);
    import(&reseller, file(rows).as_bytes(), &["--accept-twins"]).expect(0);
}

#[rstest]
#[case::branches(&[("a", "Aurora Ltda", AURORA), ("b", "Aurora Ltda", BRASIL)])]
#[case::names(&[("a", "Aurora Um Ltda", AURORA), ("b", "Aurora Dois Ltda", AURORA)])]
#[case::zeros_within(&[("d1", "A", AURORA), ("d01", "B", AURORA)])]
#[case::ten(&[("1", "A", AURORA), ("10", "B", AURORA)])]
fn what_differs_otherwise_is_no_twin(#[case] rows: &[(&str, &str, &str)]) {
    let reseller = Reseller::new(LedgerKind::Sqlite);
    import(&reseller, file(rows).as_bytes(), &[]).expect(0);
}

#[rstest]
fn an_import_says_what_it_adds_changes_and_leaves(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let reseller = Reseller::new(ledger);
    reseller.register(&[("d1", "", "5000"), ("d2", "", "5000"), ("d3", "", "5000")]);
    let changed = dealership("d1", "America/Manaus").replace("Curitiba", "Londrina");
    let text =
        format!("{DEALERSHIP_HEADER}{changed}{}{}", dealership("d2", ""), dealership("d4", ""));
    reseller.write("x.csv", &text);
    reseller.write(
        "c.csv",
        "dealership_id,from_month,package\nd1,2026-01,10000\nd2,2026-01,5000\nd4,2026-10,5000\n",
    );
    let files = ["import", "--dealerships", "x.csv", "--contracts", "c.csv"];
    let before = exported(&reseller);
    let dry = reseller.run(&[&files[..], &["--dry-run"]].concat()).expect(0).stdout;
    insta::assert_snapshot!("import_in_words", dry);
    let json = reseller.run(&[&files[..], &["--dry-run", "--json"]].concat()).expect(0).json();
    let expected = json!({
        "dealerships": {"added": 1, "updated": 1, "unchanged": 1},
        "contracts": {"added": 1, "updated": 1, "unchanged": 1},
        "numbers": {"added": 0, "updated": 0, "unchanged": 0},
        "dry_run": true,
        "plan": json["plan"],
        "changes": [
            {"of": "dealership", "dealership_id": "d1", "change": "updated", "columns": [
                {"column": "city", "old": "Curitiba", "new": "Londrina"},
                {"column": "timezone", "old": "", "new": "America/Manaus"},
            ]},
            {"of": "dealership", "dealership_id": "d4", "change": "added"},
            {"of": "contract", "dealership_id": "d1", "from_month": "2026-01", "change": "updated",
             "columns": [{"column": "package", "old": "5000", "new": "10000"}]},
            {"of": "contract", "dealership_id": "d4", "from_month": "2026-10", "change": "added"},
        ],
        "not_in_file": [{"dealership_id": "d3", "name": "Concessionária d3 Ltda"}],
        "twins": [],
        "warnings": [],
    });
    assert_eq!(json, expected);
    assert_eq!(exported(&reseller), before, "a dry run changes nothing");
    let imports = || {
        let audit = reseller.run(&["audit", "--json"]).expect(0).json();
        let is_import = |entry: &&Value| entry["action"] == "import";
        let all = audit.as_array().unwrap().iter().filter(is_import);
        let (whole, rows): (Vec<&Value>, Vec<&Value>) =
            all.partition(|entry| entry["dealership_id"].is_null());
        (whole.len(), rows.iter().map(|entry| entry["detail"].to_string()).collect::<Vec<_>>())
    };
    assert_eq!(imports(), (1, vec![]));
    let with = |plan: &str| reseller.run(&[&files[..], &["--json", "--plan", plan]].concat());
    let other = with(&"ab".repeat(32)).expect(2).stderr;
    assert!(other.contains("the register has changed since"), "{other}");
    assert_eq!(exported(&reseller), before, "another plan changes nothing");
    let done = with(json["plan"].as_str().unwrap()).expect(0).json();
    assert_eq!(done["changes"], expected["changes"]);
    assert_eq!(done["dry_run"], false);
    let after = exported(&reseller);
    assert_eq!(after.len(), 4);
    assert!(after[0].contains("Londrina") && after[2].starts_with("d3,"), "{after:?}");
    let rows = [
        "\"city 'Curitiba' → 'Londrina', timezone '' → 'America/Manaus'\"",
        "\"package '5000' → '10000'\"",
    ];
    assert_eq!(imports(), (2, rows.map(str::to_owned).into()));
    let again = reseller.run(&[&files[..], &["--json"]].concat()).expect(0).json();
    assert_eq!(again["changes"], json!([]));
}

#[test]
fn a_dry_run_makes_no_ledger_and_refuses_what_an_import_would() {
    let reseller = Reseller::new(LedgerKind::Sqlite);
    reseller.write("d.csv", &format!("{DEALERSHIP_HEADER}{}", dealership("d1", "")));
    let dry = ["import", "--dealerships", "d.csv", "--dry-run"];
    let said = reseller.run(&dry).expect(0).stdout;
    assert!(said.contains("added    dealership d1"), "{said}");
    for made in ["fecha.db", "evidence.key", "evidence.fingerprint"] {
        assert!(!reseller.path(made).exists(), "{made}");
    }
    reseller.write("d.csv", &format!("{DEALERSHIP_HEADER}{}", dealership("d1", "Brasilia")));
    let refused = reseller.run(&dry).expect(2).stderr;
    assert!(refused.contains("d.csv:2: timezone"), "{refused}");
    // A ledger that was lost is not taken for one that was never made.
    reseller.register(&[("d1", "", "5000")]);
    std::fs::remove_file(reseller.path("fecha.db")).unwrap();
    reseller.run(&["import", "--dealerships", "dealerships.csv", "--dry-run"]).expect(3);
}

/// Imports this as `numbers.csv`.
fn numbers(reseller: &Reseller, rows: &str, arguments: &[&str]) -> crate::support::reseller::Ran {
    reseller.write("n.csv", &format!("number,dealership_id,from_month,to_month\n{rows}"));
    reseller.run(&[&["import", "--numbers", "n.csv"][..], arguments].concat())
}

#[rstest]
fn a_number_is_one_dealerships_in_a_month(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let reseller = Reseller::new(ledger);
    reseller.register(&[("d1", "", "5000"), ("d2", "", "5000")]);
    let rows = "+55 (48) 9999-0820,d1,2026-01,\n554833330820,d2,2026-02,2026-09\n";
    let added = numbers(&reseller, rows, &["--json"]).expect(0).json();
    assert_eq!(added["numbers"], json!({"added": 2, "updated": 0, "unchanged": 0}));
    assert_eq!(added["not_in_file"], json!([]));
    let same = "5548999990820,d1,2026-01,\n+554833330820,d2,fev/26,set/26\n";
    let again = numbers(&reseller, same, &["--json"]).expect(0).json();
    assert_eq!(again["numbers"], json!({"added": 0, "updated": 0, "unchanged": 2}));

    let refused = numbers(&reseller, "5548999990820,d2,2026-11,\n", &[]).expect(2).stderr;
    insta::assert_snapshot!("numbers_shared", refused);
    let moved = "5548999990820,d1,2026-01,2026-10\n5548999990820,d2,2026-11,\n";
    insta::assert_snapshot!(
        "numbers_moved",
        numbers(&reseller, moved, &["--dry-run"]).expect(0).stdout
    );
    numbers(&reseller, moved, &[]).expect(0);
    reseller.run(&["export"]).expect(0);
    let exported = std::fs::read_to_string(reseller.path("numbers.csv")).unwrap();
    assert_eq!(
        exported,
        "number,dealership_id,from_month,to_month\n554833330820,d2,2026-02,2026-09\n\
         5548999990820,d1,2026-01,2026-10\n5548999990820,d2,2026-11,\n"
    );
    reseller.run(&["import", "--numbers", "numbers.csv"]).expect(0);

    // A row that was a mistake is taken back.
    let gone = numbers(&reseller, "554833330820,d2,2026-02,none\n", &["--json"]).expect(0).json();
    assert_eq!(
        gone["changes"],
        json!([{"of": "number", "number": "554833330820", "from_month": "2026-02", "change": "removed"}])
    );
    let json = reseller.run(&["export", "--json"]).expect(0).json();
    assert_eq!(json["numbers"], json!({"file": "numbers.csv", "rows": 2}));
}

#[test]
fn bad_numbers_are_all_named() {
    let reseller = Reseller::new(LedgerKind::Sqlite);
    reseller.register(&[("d1", "", "5000"), ("d2", "", "5000")]);
    let rows = "123,d1,2026-01,\n\"5,549E+12\",d1,2026-01,\n5548999990820,d9,2026-01,\n\
        5548999990820,d1,2026-13,\n5548999990821,d1,2026-05,2026-04\n5548999990822,d1,2026-05,nunca\n\
        5548999990823,d1,2026-01,\n554899990823,d1,2026-01,\n";
    insta::assert_snapshot!("bad_numbers", numbers(&reseller, rows, &[]).expect(2).stderr);
    let shared = "5548999990820,d1,2026-01,2026-06\n554899990820,d2,2026-06,\n";
    insta::assert_snapshot!(numbers(&reseller, shared, &[]).expect(2).stderr, @"
    fecha: n.csv:3: from_month: 5548999990820 would be of 'd1' and of 'd2' in 2026-06 (the other row is on line 2): a number is one dealership's in a month. End the row of 'd1' from 2026-01 with to_month 2026-05, or fix from_month
    fecha: nothing was imported: fix these rows and import again
    ");
}

#[test]
fn a_register_without_numbers_is_exported_as_before() {
    let reseller = Reseller::new(LedgerKind::Sqlite);
    reseller.register(&[("d1", "", "5000")]);
    let json = reseller.run(&["export", "--json"]).expect(0).json();
    assert_eq!(
        json,
        json!({"dealerships": {"file": "dealerships.csv", "rows": 1},
               "contracts": {"file": "contracts.csv", "rows": 1}})
    );
    assert!(!reseller.path("numbers.csv").exists());
    // A file of somebody else's is not replaced.
    numbers(&reseller, "5548999990820,d1,2026-01,\n", &[]).expect(0);
    reseller.write("numbers.csv", "1 2 3\n");
    let refused = reseller.run(&["export"]).expect(2).stderr;
    assert!(refused.contains("numbers.csv is not replaced"), "{refused}");
}

/// Two imports at once could each see a number free: no month could be counted then, nor the register fixed.
#[rstest]
fn two_imports_at_once_give_a_number_to_one(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let reseller = Reseller::new(ledger);
    reseller.register(&[("d1", "", "5000"), ("d2", "", "5000")]);
    let header = "number,dealership_id,from_month,to_month\n";
    for round in 0..12 {
        let number = 554_833_330_820_u64 + round;
        // Different rows, so that no key keeps them apart.
        reseller.write("one.csv", &format!("{header}{number},d1,2026-01,\n"));
        reseller.write("other.csv", &format!("{header}{number},d2,2026-02,\n"));
        let import = |file: &str| reseller.run(&["import", "--numbers", file]).status;
        let statuses = std::thread::scope(|scope| {
            let other = scope.spawn(|| import("other.csv"));
            [import("one.csv"), other.join().unwrap()]
        });
        // The later one is told to run again, or that the number is taken.
        assert_eq!(statuses.iter().filter(|status| **status == 0).count(), 1, "{statuses:?}");
        assert!(statuses.iter().all(|status| [0, 2, 3].contains(status)), "{statuses:?}");
        reseller.run(&["export"]).expect(0);
    }
}
