//! The register's files, the key of the evidence and the files of a new folder.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use fecha::setup::config::{Config, Given};
use fecha::setup::evidence_key::{FILE_NAME, load_or_create};
use fecha::setup::init::init;
use fecha::setup::register::plan::{Alike, File, Files, Register, plan};
use fecha::setup::register::{
    BadRows, NumberRow, read_contracts, read_dealerships, read_numbers, write_contracts,
    write_dealerships, write_numbers,
};
use fecha_core::calendar::month::Month;
use fecha_core::party::numbers::NumberEntry;
use fecha_core::party::register::{Dealership, EmailAddress, EvidenceWish, TaxDetails};
use fecha_core::price::contract::ContractEntry;
use fecha_core::price::discount::Discount;
use fecha_core::price::table::{PriceTable, Prices};
use proptest::prelude::*;
use rstest::rstest;

const HEADER: &str = "id,name,trade_name,cnpj,address,city,state,email,cc,timezone,due_day";
const ROW: &str = "d1,Aurora Veículos Ltda,Aurora,11.222.333/0001-81,\"Rua A, 1\",Caxias do Sul,RS,a@example.com,,,";
/// Of Caxias do Sul.
const IBGE: &str = "4305108";

fn dealerships(text: &str) -> Result<Vec<Dealership>, BadRows> {
    read_dealerships("dealerships.csv", text.as_bytes())
}

/// What is said about rows under the right header.
fn refused(rows: &str) -> String {
    dealerships(&format!("{HEADER}\n{rows}\n")).unwrap_err().to_string()
}

fn prices() -> Prices {
    let table = |from: &str, packages: &[u64]| PriceTable {
        from: from.parse().unwrap(),
        overage: "0.29".parse().unwrap(),
        hsm: "0.46".parse().unwrap(),
        packages: packages.iter().map(|p| (*p, "1014.00".parse().unwrap())).collect(),
        list: None,
        own_overage: [].into(),
        messages: Vec::new(),
        monthly: Vec::new(),
    };
    [table("2020-08", &[5000, 10_000]), table("2027-01", &[7000])].into_iter().collect()
}

fn contracts(text: &str) -> Result<Vec<ContractEntry>, BadRows> {
    let known = |id: &str| ["d1", "d2", "d2 "].contains(&id);
    read_contracts("contracts.csv", text.as_bytes(), &known, &prices(), &[])
}

#[test]
fn a_row_becomes_a_dealership() {
    let row = "d1 , Aurora Veículos Ltda ,Aurora,11222333000181,\"Rua \"\"A\"\", 1\",Manaus,AM,a@example.com, b@example.com ; c@example.com;b@example.com;a@example.com;,America/Manaus,31";
    let read = dealerships(&format!("\u{feff}{HEADER}\r\n\r\n{row}\r\n")).unwrap();
    let [dealership] = read.as_slice() else { panic!("{read:?}") };
    assert_eq!(dealership.id, "d1 ");
    assert_eq!(dealership.name, "Aurora Veículos Ltda");
    assert_eq!(dealership.address, "Rua \"A\", 1");
    assert_eq!(dealership.cnpj.to_string(), "11.222.333/0001-81");
    let cc: Vec<_> = dealership.cc.iter().map(EmailAddress::as_str).collect();
    assert_eq!(cc, ["b@example.com", "c@example.com"]);
    assert_eq!(dealership.timezone, Some(chrono_tz::America::Manaus));
    assert_eq!(dealership.due_day, Some(31));
}

#[test]
fn the_columns_may_stand_in_any_order() {
    let text = "package,dealership_id,from_month\n5000,d1,2026-08\n";
    let entry = |package| ContractEntry {
        dealership_id: "d1".to_owned(),
        from_month: "2026-08".parse().unwrap(),
        package,
        list: None,
        discount: Discount::NONE,
    };
    assert_eq!(contracts(text).unwrap(), [entry(Some(5000))]);
    assert_eq!(
        contracts("dealership_id,from_month,package\nd1,2026-08,none").unwrap(),
        [entry(None)]
    );
}

#[test]
fn the_wish_for_evidence_may_be_missing() {
    let wish = |text: &str| dealerships(text).map(|read| read[0].evidence);
    assert_eq!(wish(&format!("{HEADER}\n{ROW}\n")).unwrap(), EvidenceWish::Hash);
    let filled = |cell: &str| wish(&format!("{HEADER},evidence\n{ROW},{cell}\n"));
    assert_eq!(filled("").unwrap(), EvidenceWish::Hash);
    assert_eq!(filled("no").unwrap(), EvidenceWish::Hash);
    assert_eq!(filled(" yes ").unwrap(), EvidenceWish::File);
    assert_eq!(filled("annex").unwrap(), EvidenceWish::Annex);
    insta::assert_snapshot!(filled("sim").unwrap_err(), @"dealerships.csv:2: evidence: 'sim' is no wish for evidence: yes (the CSV file goes with each email), annex (and the statement lists its contacts), or no");
}

#[test]
fn no_rows_are_fine_and_ids_differ_byte_by_byte() {
    assert_eq!(dealerships(HEADER).unwrap(), []);
    let rows = ["d1", "D1", "d1 ", " d1", "d\u{301}1"].map(|id| ROW.replacen("d1", id, 1));
    let read = dealerships(&format!("{HEADER}\n{}", rows.join("\n"))).unwrap();
    assert_eq!(read.iter().map(|d| &d.id).collect::<BTreeSet<_>>().len(), 5);
}

#[test]
fn all_bad_rows_are_named_at_once() {
    let rows = [
        " ,,,11.222.333/0001-82,,,XX,nobody,a@example.com;b;c@,Brasilia,32",
        ROW,
        "d2,Aurora",
        "d2,\"Aurora\nVeículos\",,11.222.333/0001-81,\"Rua\tA\",Caxias do Sul,rs,a@example.com,,,0",
        &format!("{ROW},x"),
        &ROW.replace("Aurora,", "Aur\0ora,"),
        &ROW.replace("11.222.333/0001-81", "111"),
        &ROW.replace(",RS,", ",,").replace("a@example.com", ""),
    ];
    insta::assert_snapshot!(refused(&rows.join("\n")));
}

#[test]
fn an_open_quote_is_guessed() {
    let row = ROW.replace("Rua A, 1\"", "Rua A, 1");
    insta::assert_snapshot!(refused(&format!("{row}\n{ROW}\n")), @"dealerships.csv:2: has 12 columns, the header has 11: is a quote left open?");
}

#[test]
fn a_wrong_header_is_named() {
    let said = |header: &str| dealerships(header).unwrap_err().to_string();
    insta::assert_snapshot!(said(""), @"dealerships.csv:1: is empty: the first line is id,name,trade_name,cnpj,address,city,state,email,cc,timezone,due_day[,evidence][,package_use][,reminders][,group][,postal_code][,number][,complement][,district][,ibge_code][,municipal_registration][,iss_withheld]");
    insta::assert_snapshot!(said("\n\n"), @"dealerships.csv:1: is empty: the first line is id,name,trade_name,cnpj,address,city,state,email,cc,timezone,due_day[,evidence][,package_use][,reminders][,group][,postal_code][,number][,complement][,district][,ibge_code][,municipal_registration][,iss_withheld]");
    insta::assert_snapshot!(said(&HEADER.replace(',', "\t")), @"dealerships.csv:1: the columns are not separated by ',': save it as CSV with ',' or ';' between the cells");
    insta::assert_snapshot!(said(&HEADER.replace("cnpj", "tax id").replace("cc", "name")), @"
    dealerships.csv:1: unknown column 'tax id': the columns are id,name,trade_name,cnpj,address,city,state,email,cc,timezone,due_day[,evidence][,package_use][,reminders][,group][,postal_code][,number][,complement][,district][,ibge_code][,municipal_registration][,iss_withheld]
    dealerships.csv:1: the column 'name' stands twice
    dealerships.csv:1: the column 'cnpj' is missing
    dealerships.csv:1: the column 'cc' is missing
    ");
    insta::assert_snapshot!(said(ROW.split_once(',').unwrap().1), @"dealerships.csv:1: is no header: write id,name,trade_name,cnpj,address,city,state,email,cc,timezone,due_day[,evidence][,package_use][,reminders][,group][,postal_code][,number][,complement][,district][,ibge_code][,municipal_registration][,iss_withheld]");
}

#[test]
fn what_a_tax_document_needs_may_be_left_out() {
    let read =
        |columns: &str, cells: &str| dealerships(&format!("{HEADER},{columns}\n{ROW},{cells}\n"));
    let columns = "number,complement,district,ibge_code,municipal_registration,iss_withheld";
    let tax = read(columns, &format!("77,,Centro,{IBGE},1,yes")).unwrap()[0].tax.clone();
    assert_eq!(tax.number.as_deref(), Some("77"));
    assert_eq!((tax.complement, tax.iss_withheld), (None, Some(true)));
    assert_eq!(tax.ibge_code.unwrap().to_string(), IBGE);
    let written = write_dealerships(&read("iss_withheld,number", "no,s/n").unwrap());
    assert!(written.starts_with(&format!("{HEADER},number,iss_withheld\n")), "{written}");
    let bad = |column: &str, cell: &str| read(column, cell).unwrap_err().to_string();
    insta::assert_snapshot!(bad("iss_withheld", "sim"), @"dealerships.csv:2: iss_withheld: 'sim' is neither yes nor no: yes where it withholds the ISS of the service, or nothing for no");
    insta::assert_snapshot!(bad("municipal_registration", "1234567890123456"), @"dealerships.csv:2: municipal_registration: is longer than 15 letters: tax documents take no more");
    insta::assert_snapshot!(bad("ibge_code", "4305107"), @"dealerships.csv:2: ibge_code: '4305107' is no IBGE code of a municipality: its last digit would be 8. Is it mistyped?");
}

#[test]
fn the_postal_code_may_be_left_out() {
    let read = |rows: &str| dealerships(&format!("{HEADER},postal_code\n{rows}"));
    let code = |cell: &str| read(&format!("{ROW},{cell}\n")).unwrap()[0].postal_code;
    assert_eq!(code("").map(String::from), None);
    assert_eq!(code("01310100").map(String::from), Some("01310-100".to_owned()));
    let bad = read(&format!("{ROW},1310100\n")).unwrap_err().to_string();
    insta::assert_snapshot!(bad, @"dealerships.csv:2: postal_code: '1310100' is no postal code (CEP): with seven digits it may have lost its leading zero: 01310100?");
    // A register without any stays the file that it was.
    let written = |cell: &str| write_dealerships(&read(&format!("{ROW},{cell}\n")).unwrap());
    assert!(written("").starts_with(&format!("{HEADER}\n")));
    assert!(written("01310-100").starts_with(&format!("{HEADER},postal_code\n")));
}

#[test]
fn the_column_group_may_be_left_out() {
    let read = |rows: &str| dealerships(&format!("{HEADER},group\n{rows}"));
    let group = |cell: &str| {
        let read = read(&format!("{ROW},{cell}\n")).unwrap().remove(0);
        read.group.map(|group| group.to_string())
    };
    assert_eq!([group(""), group("Grupo Sul")], [None, Some("Grupo Sul".to_owned())]);
    let bad = read(&format!("{ROW},{}\n", "á".repeat(61))).unwrap_err().to_string();
    assert!(bad.ends_with("is no name of a group: write 1 to 60 letters, without a blank at either end, or nothing for none"), "{bad}");
    let written = |cell: &str| write_dealerships(&read(&format!("{ROW},{cell}\n")).unwrap());
    assert!(written("").starts_with(&format!("{HEADER}\n")));
    assert!(written("Grupo Sul").starts_with(&format!("{HEADER},group\n")));
}

#[test]
fn the_column_reminders_may_be_left_out() {
    let read = |rows: &str| dealerships(&format!("{HEADER},reminders\n{rows}"));
    let told = |cell: &str| read(&format!("{ROW},{cell}\n")).unwrap()[0].reminders;
    assert_eq!([told(""), told("yes"), told("no")], [None, Some(true), Some(false)]);
    let bad = read(&format!("{ROW},não\n")).unwrap_err();
    insta::assert_snapshot!(bad, @"dealerships.csv:2: reminders: 'não' is neither yes nor no: no for no email about what is open, or nothing for what is configured");
    let first_line = |rows: &str| {
        let written = write_dealerships(&read(rows).unwrap());
        written.lines().next().unwrap().to_owned()
    };
    assert_eq!(first_line(&format!("{ROW},\n")), HEADER);
    assert_eq!(first_line(&format!("{ROW},no\n")), format!("{HEADER},reminders"));
}

#[test]
fn the_column_package_use_may_be_left_out() {
    let read = |rows: &str| dealerships(&format!("{HEADER},package_use\n{rows}"));
    let second = ROW.replace("d1", "d2");
    let told = |cell: &str| read(&format!("{ROW},{cell}\n{second},\n")).unwrap()[0].package_use;
    assert_eq!([told(""), told("yes"), told("no")], [None, Some(true), Some(false)]);
    assert_eq!(dealerships(&format!("{HEADER}\n{ROW}\n")).unwrap()[0].package_use, None);
    let bad = read(&format!("{ROW},sim\n")).unwrap_err();
    insta::assert_snapshot!(bad, @"dealerships.csv:2: package_use: 'sim' is neither yes nor no: yes for an email at 80 % and 100 % of the package, or nothing for what is configured");
    // It is written only where somebody has a word on it.
    let first_line = |rows: &str| {
        let written = write_dealerships(&read(rows).unwrap());
        written.lines().next().unwrap().to_owned()
    };
    assert_eq!(first_line(&format!("{ROW},\n")), HEADER);
    assert_eq!(first_line(&format!("{ROW},\n{second},no\n")), format!("{HEADER},package_use"));
}

#[test]
fn a_wrong_encoding_is_named() {
    let latin = |text: &str| text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
    let bytes: Vec<u8> = latin(&format!("{HEADER}\n{ROW}\n"));
    let said = |bytes: &[u8]| read_dealerships("dealerships.csv", bytes).unwrap_err().to_string();
    insta::assert_snapshot!(said(&bytes), @r#"dealerships.csv:2: name: 'Aurora Ve�culos Ltda' is not UTF-8: save it as "CSV UTF-8" (in Excel: Save As, "CSV UTF-8 (Comma delimited)"; in Portuguese "CSV UTF-8 (Delimitado por vírgulas)")"#);
    let utf16: Vec<u8> = HEADER.encode_utf16().flat_map(u16::to_le_bytes).collect();
    insta::assert_snapshot!(said(&[&[0xFF, 0xFE], utf16.as_slice()].concat()), @r#"dealerships.csv:1: is UTF-16: save it as "CSV UTF-8" (in Excel: Save As, "CSV UTF-8 (Comma delimited)"; in Portuguese "CSV UTF-8 (Delimitado por vírgulas)")"#);
}

#[test]
fn all_bad_contracts_are_named_at_once() {
    let rows = "dealership_id,from_month,package
d9,2026-08,5000
d1,2026-08,7000
d1,2027-01,7000
d1,2027-02,5000
d2,2020-07,5000
d2 ,2026-08,none
d2,2026-8,5.000
d2,2026-08,None
,2026-08,
d1,2027-01,none
d2,2026-10,-5000
";
    insta::assert_snapshot!(contracts(rows).unwrap_err());
}

#[test]
fn bad_rows_are_data_for_programs() {
    let bad = contracts("dealership_id,from_month,package\nd1,2026-08,x\n").unwrap_err();
    let json = serde_json::to_string(&bad.first).unwrap();
    insta::assert_snapshot!(json, @r#"[{"file":"contracts.csv","line":2,"column":"package","reason":"'x' is no package: a number of contacts without separators, for example 5000, or none"}]"#);
}

fn any_cell() -> impl Strategy<Value = String> {
    // Whatever can stand in a cell: quotes, commas, semicolons, formulas, other scripts; no control
    // characters, and no space around it.
    "[\\PC]{1,30}".prop_map(|text| text.trim().to_owned()).prop_filter("empty", |t| !t.is_empty())
}

fn any_tax_details() -> impl Strategy<Value = TaxDetails> {
    let text = || proptest::option::of("[a-zé][a-zé ,;\"]{0,8}[a-z]");
    let code = proptest::option::of(Just("1200401".parse().unwrap()));
    let withheld = proptest::option::of(any::<bool>());
    (text(), text(), text(), code, text(), withheld).prop_map(
        |(number, complement, district, ibge_code, municipal_registration, iss_withheld)| {
            TaxDetails {
                number,
                complement,
                district,
                ibge_code,
                municipal_registration,
                iss_withheld,
            }
        },
    )
}

fn any_dealership() -> impl Strategy<Value = Dealership> {
    let zone = proptest::option::of(proptest::sample::select(&chrono_tz::TZ_VARIANTS[..]));
    let cells = (any_cell(), any_cell(), any_cell(), any_cell());
    let cc = proptest::collection::btree_set("[a-z]{1,9}@example\\.com", 0..4);
    let due_day = proptest::option::of(1_u32..=31);
    let evidence = [EvidenceWish::Hash, EvidenceWish::File, EvidenceWish::Annex];
    let told = proptest::option::of(any::<bool>());
    let reminders = proptest::option::of(any::<bool>());
    let code = (0..=99_999_999_u32).prop_map(|code| format!("{code:08}").parse().unwrap());
    let code = proptest::option::of(code);
    let group =
        proptest::option::of("[A-Z][ a-zé;,\"]{0,20}[a-z]".prop_map(|name| name.parse().unwrap()));
    let evidence = proptest::sample::select(evidence.to_vec());
    let rest = (due_day, evidence, told, reminders, (group, code), any_tax_details());
    ("[ a-zA-Z0-9,;\"'é]{1,9}[a-z]", cells, cc, zone, rest).prop_map(
        |(
            id,
            (name, trade_name, address, city),
            cc,
            timezone,
            (due_day, evidence, package_use, reminders, (group, postal_code), tax),
        )| Dealership {
            id,
            name,
            trade_name,
            cnpj: "12.ABC.345/01DE-35".parse().unwrap(),
            address,
            city,
            state: "AC".parse().unwrap(),
            email: EmailAddress::trusted("financeiro@dealer.example".to_owned()),
            cc: cc.into_iter().map(EmailAddress::trusted).collect(),
            timezone,
            due_day,
            evidence,
            package_use,
            reminders,
            group,
            postal_code,
            tax,
        },
    )
}

proptest! {
    #[test]
    fn dealerships_read_back_as_they_were_written(
        written in proptest::collection::vec(any_dealership(), 0..6),
    ) {
        let mut ids = BTreeSet::new();
        let written: Vec<_> = written.into_iter().filter(|d| ids.insert(d.id.clone())).collect();
        prop_assert_eq!(dealerships(&write_dealerships(&written)).unwrap(), written);
    }

    #[test]
    fn contracts_read_back_as_they_were_written(
        rows in proptest::collection::btree_map(
            (proptest::sample::select(vec!["d1", "d2", "d2 "]), 2021_i32..2026, 1_u32..=12),
            proptest::sample::select(vec![None, Some(5000), Some(10_000)]),
            0..20,
        ),
    ) {
        let entry = |((id, year, month), package): ((&str, i32, u32), Option<u64>)| ContractEntry {
            dealership_id: id.to_owned(),
            from_month: format!("{year}-{month:02}").parse().unwrap(),
            package,
            list: None,
            discount: Discount::NONE,
        };
        let written: Vec<_> = rows.into_iter().map(entry).collect();
        prop_assert_eq!(contracts(&write_contracts(&written)).unwrap(), written);
    }

    #[test]
    fn numbers_read_back_as_they_were_written(
        rows in proptest::collection::btree_map(
            ("55489999[0-9]{5}", 2021_i32..2026, 1_u32..=12),
            (proptest::sample::select(vec!["d1", "d2 "]), proptest::option::of(0_u32..30)),
            0..20,
        ),
    ) {
        let entry = |((number, year, month), (id, months)): ((String, i32, u32), (&str, Option<u32>))| {
            let from_month: Month = format!("{year}-{month:02}").parse().unwrap();
            let after = |months| (0..months).fold(from_month, |month, _| month.next());
            NumberEntry {
                number: number.parse().unwrap(),
                dealership_id: id.to_owned(),
                from_month,
                to_month: months.map(after),
            }
        };
        let written: Vec<_> = rows.into_iter().map(entry).collect();
        let known = |id: &str| ["d1", "d2 "].contains(&id);
        let read = read_numbers("numbers.csv", write_numbers(&written).as_bytes(), &known).unwrap();
        let holds: Vec<_> = written.into_iter().map(NumberRow::Holds).collect();
        prop_assert_eq!(read, holds);
    }

    // Whatever a file does to an empty register, it does nothing to the one that it made.
    #[test]
    fn a_file_is_imported_once(
        rows in proptest::collection::vec((" ?[dD0]{0,2}[12]\u{200b}?", "[A-C]"), 0..12),
    ) {
        let row = |(id, name): &(String, String)| ROW.replacen("d1", id, 1).replace("Aurora", name);
        let text = format!("{HEADER}\n{}\n", rows.iter().map(row).collect::<Vec<_>>().join("\n"));
        let file = Some(File { name: "dealerships.csv", bytes: text.as_bytes() });
        let files = Files { dealerships: file, ..Files::default() };
        let (empty, prices) = (Register::default(), prices());
        match plan(&empty, files, &prices, Alike::Accept) {
            Ok(first) => {
                let again = plan(&first.written, files, &prices, Alike::Refuse).unwrap();
                prop_assert!(again.import.changes.is_empty());
                let strict = plan(&empty, files, &prices, Alike::Refuse);
                prop_assert_eq!(strict.is_err(), !first.import.twins.is_empty());
            }
            Err(bad) => prop_assert!(bad.to_string().contains("already"), "{}", bad),
        }
    }

    #[test]
    fn no_bytes_break_the_reader(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let with_header = [HEADER.as_bytes(), b"\n", &bytes].concat();
        let semicolons = [b"number;dealership_id;from_month;to_month\n", bytes.as_slice()].concat();
        if let Err(bad) = read_numbers("numbers.csv", &semicolons, &|_| true) {
            prop_assert!(!bad.first.is_empty());
        }
        for bytes in [bytes, with_header] {
            if let Err(BadRows { first: bad, .. }) = read_dealerships("dealerships.csv", &bytes) {
                prop_assert!(!bad.is_empty());
            }
        }
    }
}

const HEX: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

/// What is said about a key, without the folder.
fn key_refused(folder: &Path) -> String {
    let error = load_or_create(folder, None).unwrap_err().to_string();
    error.replace(&format!("{}/", folder.display()), "")
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn the_key_is_made_once_and_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let key = load_or_create(folder.path(), None).unwrap();
    assert_eq!(mode(&folder.path().join(FILE_NAME)), 0o600);
    assert_eq!(load_or_create(folder.path(), None).unwrap(), key);
    let other = tempfile::tempdir().unwrap();
    assert_ne!(load_or_create(other.path(), None).unwrap(), key);
    let files: Vec<_> =
        fs::read_dir(folder.path()).unwrap().map(|f| f.unwrap().file_name()).collect();
    assert_eq!(files, [FILE_NAME]);
}

#[test]
fn the_variable_wins_and_makes_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let given = |value: &str| Given::of_variable("FECHA_EVIDENCE_KEY", value.to_owned());
    let key = load_or_create(folder.path(), Some(&given(HEX))).unwrap();
    assert_eq!(key.to_hex(), HEX);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    let error = load_or_create(folder.path(), Some(&given(""))).unwrap_err();
    insta::assert_snapshot!(error, @"FECHA_EVIDENCE_KEY is no key: it takes 64 hexadecimal digits, as evidence.key holds them");
}

#[test]
fn many_at_once_end_with_the_same_key() {
    for _ in 0..20 {
        let folder = tempfile::tempdir().unwrap();
        let keys: BTreeSet<String> = std::thread::scope(|scope| {
            let load = || load_or_create(folder.path(), None).unwrap().to_hex();
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(load)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(keys.len(), 1);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}

#[rstest]
#[case(0o644)]
#[case(0o640)]
#[case(0o601)]
fn a_key_that_others_can_read_is_refused(#[case] open: u32) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(FILE_NAME);
    fs::write(&path, HEX).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(open)).unwrap();
    let expected = format!(
        "evidence.key can be read by others (mode {open:04o}): run `chmod 600 evidence.key`, or set FECHA_EVIDENCE_KEY instead"
    );
    assert_eq!(key_refused(folder.path()), expected);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
    assert_eq!(load_or_create(folder.path(), None).unwrap().to_hex(), HEX);
}

#[test]
fn a_damaged_key_is_refused_and_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(FILE_NAME);
    fs::write(&path, &HEX[..63]).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    insta::assert_snapshot!(key_refused(folder.path()), @"evidence.key is no key: it holds 64 hexadecimal digits. Restore it from the backup; a new key would make the evidence of earlier invoices incomparable");
    assert_eq!(fs::read_to_string(&path).unwrap(), &HEX[..63]);
    fs::write(&path, b"\xff\xfe").unwrap();
    assert!(load_or_create(folder.path(), None).is_err());
}

#[test]
fn a_key_that_cannot_be_made_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing");
    insta::assert_snapshot!(key_refused(&missing), @"evidence.key cannot be made: entity not found. Make its folder writable, or set FECHA_EVIDENCE_KEY to 64 random hexadecimal digits");
    // A link to nowhere: there is a name, but no key behind it.
    symlink("nowhere", folder.path().join(FILE_NAME)).unwrap();
    insta::assert_snapshot!(key_refused(folder.path()), @"evidence.key cannot be read: No such file or directory (os error 2)");
}

#[test]
fn a_new_folder_is_valid_and_nothing_is_overwritten() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("new/fecha");
    let written = init(&folder, None).unwrap();
    assert_eq!(written.iter().map(|file| file.is_new).collect::<Vec<_>>(), [true; 3]);
    let config = Config::load(Some(&folder.join("fecha.toml")), std::iter::empty()).unwrap();
    let read = |name: &str| fs::read(folder.join(name)).unwrap();
    assert_eq!(read_dealerships("", &read("dealerships.csv")).unwrap(), []);
    let entries =
        read_contracts("", &read("contracts.csv"), &|_| false, &config.prices, &[]).unwrap();
    assert_eq!(entries, []);

    fs::write(folder.join("contracts.csv"), "mine").unwrap();
    fs::remove_file(folder.join("dealerships.csv")).unwrap();
    let again = init(&folder, None).unwrap();
    assert_eq!(again.iter().map(|file| file.is_new).collect::<Vec<_>>(), [false, true, false]);
    assert_eq!(read("contracts.csv"), b"mine");
}
