//! `fecha nfse`: DPS as the official schema of nfelib takes them, and as its bindings read them.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::thread;

use rstest::rstest;
use serde_json::{Value, json};

use crate::support::reseller::{CONFIG, DEALERSHIP_HEADER, LedgerKind, Ran, Reseller};
use crate::support::tools::{self, Declared};

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

const COLUMNS: &str =
    "postal_code,number,complement,district,ibge_code,municipal_registration,iss_withheld";
/// What they hold for a dealership in Curitiba.
const TAX: &str = "80010-000,1,,Batel,4106902,,";
/// What a dealership of the register needs that has none of it.
const LACKING: [&str; 4] = ["postal_code", "number", "district", "ibge_code"];

/// A line of `dealerships.csv`: id, name, CNPJ, and the columns of a tax document.
fn line(id: &str, name: &str, cnpj: &str, tax: &str) -> String {
    format!("{id},{name},,{cnpj},\"Rua Um, 1\",Curitiba,PR,{id}@example.com,,,,{tax}\n")
}

/// A register of those with the numeric CNPJ, each with a package of R$ 1.014,00.
fn reseller(ledger: LedgerKind, lines: &[String]) -> Reseller {
    let mut reseller = Reseller::new(ledger);
    reseller.write("fecha.toml", &format!("{CONFIG}{NFSE}"));
    register(&reseller, lines);
    let ids = lines.iter().map(|line| line.split(',').next().unwrap());
    let contracts: String = ids.map(|id| format!("{id},2026-01,5000\n")).collect();
    reseller.write("contracts.csv", &format!("dealership_id,from_month,package\n{contracts}"));
    reseller.run(&["import", "--contracts", "contracts.csv"]).expect(0);
    reseller.at("2026-11-03 12:00:00");
    reseller
}

fn register(reseller: &Reseller, lines: &[String]) {
    let header = format!("{},{COLUMNS}\n", DEALERSHIP_HEADER.trim_end());
    reseller.write("dealerships.csv", &(header + &lines.concat()));
    reseller.run(&["import", "--dealerships", "dealerships.csv"]).expect(0);
}

fn plain(ids: &[&str]) -> Vec<String> {
    let of = |id: &&str| line(id, &format!("Concessionária {id}"), "11.222.333/0001-81", TAX);
    ids.iter().map(of).collect()
}

fn note(reseller: &Reseller, id: &str, amount: &str, words: &str) {
    let note = ["adjust", "--dealership", id, "--month", "2026-10", "--amount", amount];
    reseller.run(&[&note[..], &["--description", words]].concat()).expect(0);
}

fn close(reseller: &Reseller) {
    reseller.run(&["close", "--month", "2026-10", "--release"]).expect(0);
}

const NFSE_OF_OCTOBER: [&str; 6] = ["nfse", "--month", "2026-10", "--dir", "nfse", "--json"];

fn nfse(reseller: &Reseller, more: &[&str]) -> Ran {
    reseller.run(&[&NFSE_OF_OCTOBER[..], more].concat())
}

/// The files of a folder, by name.
fn folder(reseller: &Reseller, name: &str) -> BTreeMap<String, Vec<u8>> {
    let files = std::fs::read_dir(reseller.path(name)).unwrap().map(Result::unwrap);
    let read = |file: std::fs::DirEntry| {
        (file.file_name().into_string().unwrap(), std::fs::read(file.path()).unwrap())
    };
    files.map(read).collect()
}

/// What nfelib reads, of files that the schema has nothing against.
#[track_caller]
fn read(reseller: &Reseller, made: &Value) -> Vec<Value> {
    let names = made["files"].as_array().unwrap().iter().map(|file| file["file"].as_str().unwrap());
    let paths: Vec<PathBuf> = names.map(|name| reseller.path("nfse").join(name)).collect();
    let read = tools::nfelib(&paths);
    let good = |(declared, path): (Declared, &PathBuf)| {
        assert!(declared.errors.is_empty(), "{}: {:?}", path.display(), declared.errors);
        declared.dps
    };
    read.into_iter().zip(&paths).map(good).collect()
}

fn centavos(amount: &Value) -> i64 {
    amount.as_str().unwrap().replace('.', "").parse().unwrap()
}

/// Price and discount of a DPS, in centavos.
fn price(dps: &Value) -> (i64, i64) {
    let values = &dps["valores"];
    let discount = &values["vDescCondIncond"]["vDescIncond"];
    let discount = if discount.is_null() { 0 } else { centavos(discount) };
    (centavos(&values["vServPrest"]["vServ"]), discount)
}

/// What an invoice asks for is what its DPS declares, and by which ids.
#[track_caller]
fn must_agree(reseller: &Reseller, file: &Value, dps: &Value) {
    let number = file["invoice"].as_str().unwrap();
    let invoice = reseller.run(&["invoice", number, "--json"]).expect(0).json();
    let amounts = invoice["lines"].as_array().unwrap().iter().map(|line| centavos(&line["amount"]));
    let (credits, services): (Vec<i64>, Vec<i64>) = amounts.partition(|amount| *amount < 0);
    let expected = (services.iter().sum::<i64>(), -credits.iter().sum::<i64>());
    assert_eq!(price(dps), expected, "{number}");
    assert_eq!(centavos(&invoice["total"]), expected.0 - expected.1, "{number}");
    assert_eq!((centavos(&file["service"]), centavos(&file["discount"])), expected);
    let dps_number = file["number"].as_u64().unwrap();
    assert_eq!(dps["nDPS"], json!(dps_number.to_string()));
    let id = format!("DPS430510821122233300018100007{dps_number:015}");
    assert_eq!((dps["Id"].as_str(), dps["serie"].as_str()), (Some(id.as_str()), Some("7")));
    assert!(dps["serv"]["infoCompl"]["xInfComp"].as_str().unwrap().contains(number));
    let label = file["file"].as_str().unwrap().trim_start_matches("dps-");
    assert!(label.starts_with(number), "{label}");
}

#[rstest]
fn a_month_is_declared_as_it_was_invoiced(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let mut lines = vec![line(
        "d1",
        "Irmãos Conceição & Cia <Matriz> \"Sul\"".replace('"', "").as_str(),
        "11.222.333/0001-81",
        "80010-000,1,sala 2 & 3,Água Verde <B>,4106902,123,yes",
    )];
    lines.extend(plain(&["d2", "d3", "d4"]));
    lines.push(line("d5", "Falta Tudo Ltda", "11.222.333/0001-81", ",,,,,,"));
    lines.push(line("d6", "Falta Um Ltda", "11.222.333/0001-81", "80010-000,1,,,4106902,,no"));
    lines.push(line("d7", "Letras Ltda", "12.ABC.345/01DE-35", TAX));
    let reseller = reseller(ledger, &lines);
    reseller.add_contacts("d1", 5010, "2026-10-31T10:00:00Z");
    note(&reseller, "d2", "-120.00", "Desconto combinado");
    note(&reseller, "d3", "75.50", "Treinamento <on-line> & visita");
    note(&reseller, "d4", "-1014.00", "Mês sem serviço");
    close(&reseller);

    let made = nfse(&reseller, &[]).expect(1).json();
    let numbers: Vec<&Value> =
        made["files"].as_array().unwrap().iter().map(|file| &file["number"]).collect();
    assert_eq!(numbers, [&json!(1), &json!(2), &json!(3)]);
    let dps = read(&reseller, &made);
    for (file, dps) in made["files"].as_array().unwrap().iter().zip(&dps) {
        must_agree(&reseller, file, dps);
    }
    let prices: Vec<(i64, i64)> = dps.iter().map(price).collect();
    assert_eq!(prices, [(101_690, 0), (101_400, 12_000), (108_950, 0)]);
    let [d1, d2, d3] = &dps[..] else { panic!("{dps:?}") };
    assert_eq!(
        d1["toma"],
        json!({
            "CNPJ": "11222333000181", "IM": "123", "xNome": "Irmãos Conceição & Cia <Matriz> Sul",
            "end": {
                "endNac": {"cMun": "4106902", "CEP": "80010000"}, "xLgr": "Rua Um", "nro": "1",
                "xCpl": "sala 2 & 3", "xBairro": "Água Verde <B>",
            },
        })
    );
    let regime = json!({"opSimpNac": "1", "regEspTrib": "0"});
    assert_eq!(d1["prest"], json!({"CNPJ": "11222333000181", "IM": "98765", "regTrib": regime}));
    let withheld = |dps: &Value| dps["valores"]["trib"]["tribMun"]["tpRetISSQN"].clone();
    assert_eq!((withheld(d1), withheld(d2)), (json!("2"), json!("1")));
    assert_eq!((&d1["tpAmb"], &d1["dCompet"]), (&json!("2"), &json!("2026-10-01")));
    assert_eq!(d1["dhEmi"], "2026-11-03T09:00:00-03:00");
    let classed = json!({"CST": "000", "cClassTrib": "000001"});
    assert_eq!(d1["IBSCBS"]["valores"]["trib"]["gIBSCBS"], classed);
    assert_eq!(d1["IBSCBS"]["cIndOp"], "100301");
    assert_eq!(
        d3["serv"]["cServ"]["xDescServ"],
        "Uso da API do WhatsApp Business em outubro de 2026: pacote de 5.000 contatos, R$ 1.014,00; Treinamento <on-line> & visita, R$ 75,50"
    );

    let of = |list: &str, field: &str| -> Vec<(Value, Value)> {
        let list = made[list].as_array().unwrap().iter();
        list.map(|one| (one["dealership_id"].clone(), one[field].clone())).collect()
    };
    assert_eq!(
        of("missing", "fields"),
        [(json!("d5"), json!(LACKING)), (json!("d6"), json!(["district"]))]
    );
    assert_eq!(of("not_taken", "cnpj"), [(json!("d7"), json!("12.ABC.345/01DE-35"))]);
    assert_eq!(of("untaxed", "name"), [(json!("d4"), json!("Concessionária d4"))]);
    let files = folder(&reseller, "nfse");
    let names: Vec<&str> = files.keys().map(String::as_str).collect();
    assert_eq!(names, ["dps-2026-000001.xml", "dps-2026-000002.xml", "dps-2026-000003.xml"]);

    let told = reseller.run(&NFSE_OF_OCTOBER[..5]).expect(1).stdout;
    for words in [
        "3 DPS of 2026-10 (restricted) in nfse: 0 new; services R$ 3.120,40, discounts R$ 120,00",
        "2026-000005 of 'd5' (Falta Tudo Ltda): postal_code, number, district, ibge_code",
        "2026-000006 of 'd6' (Falta Um Ltda): district",
        "2026-000007 of 'd7' (Letras Ltda): 12.ABC.345/01DE-35",
        "2026-000004 of 'd4' (Concessionária d4)",
    ] {
        assert!(told.contains(words), "{words} is not in:\n{told}");
    }
    assert_eq!(folder(&reseller, "nfse"), files, "a second run writes other bytes");
}

#[rstest]
fn what_was_filled_in_gets_the_next_number_and_what_was_written_stays(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let mut lines = plain(&["d1", "d2"]);
    lines.insert(1, line("d0", "Falta Ltda", "11.222.333/0001-81", ",,,,,,"));
    let mut reseller = reseller(ledger, &lines);
    close(&reseller);
    nfse(&reseller, &[]).expect(1);
    let before = folder(&reseller, "nfse");
    lines[1] = line("d0", "Falta Ltda", "11.222.333/0001-81", TAX);
    lines[0] =
        line("d1", "Concessionária d1", "11.222.333/0001-81", "80020-000,10,,Centro,4106902,,");
    register(&reseller, &lines);
    reseller.at("2026-11-04 12:00:00");
    // What only a tax document says is no cause for a revision.
    let rerun = ["rerun", "--month", "2026-10", "--all", "--reason", "cadastro", "--json"];
    assert_eq!(reseller.run(&rerun).expect(0).json()["unchanged"], 3);

    let made = nfse(&reseller, &[]).expect(1).json();
    let new: Vec<(&Value, &Value)> = made["files"]
        .as_array()
        .unwrap()
        .iter()
        .map(|file| (&file["dealership_id"], &file["number"]))
        .collect();
    // By invoice: d0, d1, d2; the numbers as they were given.
    assert_eq!(
        new,
        [(&json!("d0"), &json!(3)), (&json!("d1"), &json!(1)), (&json!("d2"), &json!(2))]
    );
    assert_eq!(made["differing"][0]["dealership_id"], "d1");
    assert_eq!(made["differing"].as_array().unwrap().len(), 1);
    let after = folder(&reseller, "nfse");
    assert!(before.iter().all(|(name, bytes)| after[name] == *bytes), "a DPS has changed");

    let file = made["differing"][0]["file"].as_str().unwrap().to_owned();
    let number = made["differing"][0]["invoice"].as_str().unwrap().to_owned();
    reseller.at("2026-11-05 12:00:00");
    let again = nfse(&reseller, &["--again", &number, "--by", "bia"]).expect(0).json();
    let anew = again["files"].as_array().unwrap().iter().find(|one| one["again"] == true).unwrap();
    assert_eq!((&anew["number"], &anew["dealership_id"]), (&json!(1), &json!("d1")));
    let dps = read(&reseller, &again);
    assert_eq!(dps[1]["toma"]["end"]["xBairro"], "Centro");
    assert_ne!(folder(&reseller, "nfse")[&file], before[&file]);
    nfse(&reseller, &[]).expect(0);
    let log = reseller.run(&["audit", "--json"]).expect(0).json();
    let deeds: Vec<(&Value, &Value)> = log
        .as_array()
        .unwrap()
        .iter()
        .filter(|deed| deed["action"] == "nfse")
        .map(|deed| (&deed["actor"], &deed["detail"]))
        .collect();
    let anew = format!("DPS 1 of series 7 (restricted) made anew for {number}");
    assert_eq!(
        deeds,
        [
            (&json!("ana"), &json!("DPS 1 to 2 of series 7 (restricted)")),
            (&json!("ana"), &json!("DPS 3 to 3 of series 7 (restricted)")),
            (&json!("bia"), &json!(anew)),
        ]
    );
    assert!(reseller.refuses("UPDATE dps SET number = 9"), "a number can be changed");
    assert!(reseller.refuses("DELETE FROM dps"), "a DPS can be deleted");
}

#[rstest]
fn a_revision_says_what_it_replaces_and_what_is_void_is_named(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let reseller = reseller(ledger, &plain(&["d1", "d2", "d3"]));
    close(&reseller);
    nfse(&reseller, &[]).expect(0);
    note(&reseller, "d1", "-14.00", "Desconto");
    note(&reseller, "d2", "-1014.00", "Mês sem serviço");
    let rerun = ["rerun", "--month", "2026-10", "--all", "--reason", "combinado"];
    reseller.run(&rerun).expect(0);
    reseller.run(&["cancel", "2026-000003", "--reason", "engano"]).expect(0);
    reseller.run(&["close", "--month", "2026-10", "--dealership", "d3", "--release"]).expect(0);

    let made = nfse(&reseller, &[]).expect(1).json();
    let file = |file: &Value| (file["file"].as_str().unwrap().to_owned(), file["number"].clone());
    let files: Vec<(String, Value)> = made["files"].as_array().unwrap().iter().map(file).collect();
    assert_eq!(
        files,
        [
            ("dps-2026-000001-R1.xml".to_owned(), json!(4)),
            ("dps-2026-000004.xml".to_owned(), json!(5)),
        ]
    );
    let dps = read(&reseller, &made);
    must_agree(&reseller, &made["files"][0], &dps[0]);
    assert_eq!(price(&dps[0]), (101_400, 1_400));
    assert_eq!(
        dps[0]["serv"]["infoCompl"]["xInfComp"],
        "Fatura 2026-000001-R1, outubro de 2026. No lugar da DPS de série 7 e número 1, da mesma fatura."
    );
    assert_eq!(made["replaced"][0]["replaces"], json!({"series": 7, "number": 1}));
    assert_eq!(made["replaced"].as_array().unwrap().len(), 1);
    let cancel: Vec<(&Value, &Value, &Value)> = made["to_cancel"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (&one["invoice"], &one["number"], &one["void"]))
        .collect();
    assert_eq!(
        cancel,
        [
            (&json!("2026-000002"), &json!(2), &json!(false)),
            (&json!("2026-000003"), &json!(3), &json!(true)),
        ]
    );
    let told = reseller.run(&NFSE_OF_OCTOBER[..5]).expect(1).stdout;
    for words in [
        "2026-000001-R1 of 'd1' (Concessionária d1): DPS 4 of series 7 for DPS 1 of series 7",
        "2026-000002-R1 of 'd2' (Concessionária d2): DPS 2 of series 7, the invoice has nothing to tax any more",
        "2026-000003 of 'd3' (Concessionária d3): DPS 3 of series 7, the invoice is void",
    ] {
        assert!(told.contains(words), "{words} is not in:\n{told}");
    }
}

#[rstest]
fn two_at_once_leave_no_gap(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let ids: Vec<String> = (0..40).map(|index| format!("d{index:02}")).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let reseller = reseller(ledger, &plain(&ids));
    close(&reseller);
    let run = |folder: &str| {
        let arguments = ["nfse", "--month", "2026-10", "--dir", folder, "--json"];
        let ran = reseller.run(&arguments).expect(0).json();
        ran["files"].as_array().unwrap().iter().filter(|file| file["new"] == true).count()
    };
    let (one, other) = thread::scope(|scope| {
        let other = scope.spawn(|| run("b"));
        (run("a"), other.join().unwrap())
    });
    assert_eq!(one + other, 40);
    assert_eq!(folder(&reseller, "a"), folder(&reseller, "b"));
    let numbers = reseller.ledger_texts("SELECT CAST(number AS TEXT) FROM dps ORDER BY dps.number");
    let expected: Vec<String> = (1..=40).map(|number| number.to_string()).collect();
    assert_eq!(numbers, expected);
}

#[rstest]
fn credits_that_0_1_made_from_payments_are_no_discount(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let reseller = Reseller::of_0_1(ledger);
    let config = std::fs::read_to_string(reseller.path("fecha.toml")).unwrap();
    reseller.write("fecha.toml", &format!("{config}{NFSE}"));
    let ids: Vec<String> = (1..=12).map(|index| format!("d{index}")).collect();
    let of = |id: &String| {
        let line = line(id, &format!("Concessionária {id} Ltda"), "11.222.333/0001-81", TAX);
        line.replace(" Ltda,,", &format!(" Ltda,Loja {id},"))
    };
    register(&reseller, &ids.iter().map(of).collect::<Vec<_>>());
    let discounts = |month: &str| -> BTreeMap<String, (i64, i64)> {
        let made = reseller.run(&["nfse", "--month", month, "--dir", "nfse", "--json"]).json();
        let dps = read(&reseller, &made);
        let numbers = made["files"].as_array().unwrap().iter();
        numbers
            .zip(&dps)
            .map(|(file, dps)| (file["invoice"].as_str().unwrap().to_owned(), price(dps)))
            .collect()
    };
    let (august, september) = (discounts("2026-08"), discounts("2026-09"));
    assert_eq!(august["2026-000005"].1, 12_000, "a discount that was agreed on");
    assert_eq!(august["2026-000013"].1, 0, "money that was paid for a void number");
    assert_eq!(september["2026-000018"].1, 0, "money that was paid beyond a total");
    assert_eq!(september["2026-000019"].1, 48_370, "what was left of a credit that was agreed on");
}

#[test]
fn what_cannot_be_made_is_refused_with_what_to_do() {
    let reseller = reseller(LedgerKind::Sqlite, &plain(&["d1"]));
    let said = |ran: Ran| ran.expect(2).stderr;
    let none = said(nfse(&reseller, &[]));
    assert!(none.contains("no invoice of 2026-10 stands: `fecha close --month 2026-10`"), "{none}");
    close(&reseller);
    let unmade = said(nfse(&reseller, &["--again", "2026-000001"]));
    assert!(
        unmade.contains("there is no DPS of 2026-000001 in 2026-10 to be made anew"),
        "{unmade}"
    );
    assert_eq!(reseller.ledger_number("SELECT COUNT(*) FROM dps"), 0);
    reseller.write("fecha.toml", CONFIG);
    let absent = said(nfse(&reseller, &[]));
    assert!(absent.contains("the configuration has no [nfse]: write there"), "{absent}");
    let letters = CONFIG.replacen("11.222.333/0001-81", "12.ABC.345/01DE-35", 1);
    reseller.write("fecha.toml", &format!("{letters}{NFSE}"));
    let letters = said(nfse(&reseller, &[]));
    assert!(letters.contains("[issuer] cnpj 12.ABC.345/01DE-35 has letters"), "{letters}");
    reseller.write("fecha.toml", &format!("{CONFIG}{NFSE}"));
    std::fs::create_dir(reseller.path("nfse")).ok();
    reseller.write("nfse/dps-2026-000001.xml", "um bilhete");
    let taken = said(nfse(&reseller, &[]));
    assert!(taken.contains("dps-2026-000001.xml is not replaced: it is not a DPS"), "{taken}");
    let made = nfse(&reseller, &["--force"]).expect(0).json();
    assert_eq!(made["files"][0]["number"], 1, "the number that it was given before");
    // A trial takes no number of what counts, and numbers begin where they are told to.
    let real = NFSE
        .replace("restricted", "production")
        .replace("series = 7", "series = 7\nfirst_number = 100");
    reseller.write("fecha.toml", &format!("{CONFIG}{real}"));
    assert_eq!(nfse(&reseller, &[]).expect(0).json()["files"][0]["number"], 100);
}

#[test]
fn a_small_business_and_an_iss_rate_are_declared_as_the_schema_takes_them() {
    let reseller = reseller(LedgerKind::Sqlite, &plain(&["d1"]));
    close(&reseller);
    let small = NFSE
        .replace("opsimpnac = 1", "opsimpnac = 3\nregaptribsn = 1\nptottribsn = \"6.00\"\npaliq = \"2.01\"\nctribmun = \"001\"")
        .replace("cindop = \"100301\"\ncst = \"000\"\ncclasstrib = \"000001\"\n", "");
    reseller.write("fecha.toml", &format!("{CONFIG}{small}"));
    let dps = read(&reseller, &nfse(&reseller, &[]).expect(0).json());
    let taxes = &dps[0]["valores"]["trib"];
    assert_eq!(taxes["totTrib"], json!({"pTotTribSN": "6.00"}));
    assert_eq!(taxes["tribMun"]["pAliq"], "2.01");
    assert!(dps[0]["IBSCBS"].is_null());
    let told = NFSE
        .replace("opsimpnac = 1", "opsimpnac = 1\nptottrib = [\"13.45\", \"0\", \"2.00\"]")
        .replace("restricted", "production");
    reseller.write("fecha.toml", &format!("{CONFIG}{told}"));
    let dps = read(&reseller, &nfse(&reseller, &[]).expect(0).json());
    assert_eq!(
        dps[0]["valores"]["trib"]["totTrib"]["pTotTrib"],
        json!({"pTotTribFed": "13.45", "pTotTribEst": "0.00", "pTotTribMun": "2.00"})
    );
    assert_eq!(dps[0]["tpAmb"], "1");
}

#[test]
fn the_demo_has_all_that_a_dps_needs() {
    let mut reseller = Reseller::new(LedgerKind::Sqlite);
    reseller.at("2026-11-03 12:00:00");
    reseller.run(&["demo", "--dir", "demo"]).expect(0);
    let config = ["--config", "demo/fecha.toml"];
    let made = reseller.run(&[&NFSE_OF_OCTOBER[..], &config].concat()).expect(1).json();
    assert_eq!((&made["missing"], &made["to_cancel"]), (&json!([]), &json!([])));
    let with_letters = made["not_taken"].as_array().unwrap();
    let with_letters: Vec<&Value> = with_letters.iter().map(|one| &one["dealership_id"]).collect();
    assert_eq!(with_letters, ["duas-aguas"]);
    let dps = read(&reseller, &made);
    assert!(dps.len() >= 9, "{} DPS", dps.len());
    let of = |id: &str| {
        let files = made["files"].as_array().unwrap();
        &dps[files.iter().position(|file| file["dealership_id"] == id).unwrap()]["toma"]["end"]
    };
    let fields = |end: &Value| ["xLgr", "nro", "xCpl"].map(|name| end[name].clone());
    let paulista = ["Avenida dos Bandeirantes do Sul", "9000", "bloco B"];
    assert_eq!(fields(of("paulista-sul")), paulista.map(|text| json!(text)));
    assert_eq!(fields(of("golfinho")), [json!("Alameda do Boldró"), json!("s/n"), json!(null)]);
}
