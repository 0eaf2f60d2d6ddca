//! Prices as people type them, and what `fecha check` shows of them.

use rstest::rstest;

use crate::support::reseller::{CONFIG, LedgerKind, Reseller};

/// A reseller whose configuration has one text for another.
fn with(from: &str, to: &str) -> Reseller {
    let reseller = Reseller::new(LedgerKind::Sqlite);
    assert!(CONFIG.contains(from));
    reseller.write("fecha.toml", &CONFIG.replace(from, to));
    reseller
}

/// What `check` says of this.
fn said(reseller: &Reseller, what: &str, ok: bool) -> String {
    let json = reseller.run(&["check", "--json"]).expect(if ok { 0 } else { 2 }).json();
    let tried = json["checks"].as_array().unwrap().iter().find(|tried| tried["what"] == what);
    let tried = tried.unwrap_or_else(|| panic!("{json}"));
    assert_eq!(tried["ok"], ok, "{tried}");
    tried["detail"].as_str().unwrap().to_owned()
}

#[rstest]
#[case(
    "\"7380.00\"",
    "\"7.380\"",
    "[[prices]] packages price: '7.380' may be thousands or a fraction: write \"7380.00\""
)]
#[case("\"1014.00\"", "\"1.014\"", "[[prices]] packages price: '1.014' may be thousands")]
#[case("\"1014.00\"", "\"1014.0\"", "two decimals or none")]
#[case("\"1014.00\"", "\"1014,00\"", "is no amount")]
#[case("\"0.29\"", "\"0.29001\"", "[[prices]] overage: '0.29001' is too fine")]
#[case("\"0.46\"", "\"1.290\"", "[[prices]] hsm: '1.290' may be thousands")]
fn what_may_be_a_thousand_times_as_much_is_refused(
    #[case] from: &str,
    #[case] to: &str,
    #[case] why: &str,
) {
    let refused = with(from, to).run(&["status"]).expect(2).stderr;
    assert!(refused.contains("fecha.toml:") && refused.contains(why), "{refused}");
}

#[rstest]
#[case("\"7380.00\"", "\"7380\"", "50.000 contacts")]
#[case("\"0.29\"", "\"0.291\"", "R$\u{a0}0,291")]
#[case("\"0.46\"", "\"0.0625\"", "R$\u{a0}0,0625")]
fn what_is_plain_is_taken(#[case] from: &str, #[case] to: &str, #[case] shown: &str) {
    let reseller = with(from, to);
    reseller.register(&[("d1", "", "5000")]);
    let prices = said(&reseller, "prices", true);
    assert!(prices.contains(shown), "{prices}");
}

#[test]
fn amounts_on_the_command_line_are_held_to_the_same() {
    let mut reseller = Reseller::new(LedgerKind::Sqlite);
    reseller.register(&[("d1", "", "5000")]);
    reseller.add_contacts("d1", 3, "2026-10-31T12:00:00Z");
    reseller.at("2026-11-02 12:00:00").run(&["close"]).expect(0);
    let number = "2026-000001";
    let adjust = ["adjust", "--dealership", "d1", "--month", "2026-11", "--description", "x"];
    for amount in ["-1.200", "1.200", "12.5", "1,20"] {
        let amount = format!("--amount={amount}");
        let refused = reseller.run(&[&adjust[..], &[&amount]].concat()).expect(2).stderr;
        assert!(refused.contains("amount"), "{refused}");
        reseller.run(&["pay", number, "--on", "2026-11-02", &amount]).expect(2);
    }
    reseller.run(&["pay", number, "--on", "2026-11-02", "--amount", "500.00"]).expect(0);
    reseller.write("p.csv", "number,on,amount\n2026-000001,2026-11-02,1.014\n");
    let refused = reseller.run(&["pay", "--file", "p.csv"]).expect(2).stderr;
    assert!(refused.contains("may be thousands or a fraction"), "{refused}");
    assert_eq!(reseller.invoices(&[])[0]["paid"], "500.00");
}

#[test]
fn check_prints_the_prices_in_reais() {
    let reseller = Reseller::new(LedgerKind::Sqlite);
    reseller.register(&[("d1", "", "5000")]);
    reseller.add_contacts("d1", 3, "2026-10-31T12:00:00Z");
    insta::assert_snapshot!(said(&reseller, "prices", true), @"
    for 2026-10 the table from 2020-08
    5.000 contacts              R$ 1.014,00
    10.000 contacts             R$ 1.827,00
    25.000 contacts             R$ 3.920,00
    50.000 contacts             R$ 7.380,00
    each UAM above the package      R$ 0,29
    each HSM                        R$ 0,46
    ");
    insta::assert_snapshot!(said(&reseller, "contracts", true), @"each contract has its package in the price table: 1 in 2026-10, 1 in 2026-11");
    let next = "\n[[prices]]\nfrom = \"2026-11\"\noverage = \"0.31\"\nhsm = \"0.50\"\npackages = [{ contacts = 5000, price = \"1100\" }, { contacts = 10000, price = \"190\" }]\n[email]\n";
    reseller.write("fecha.toml", &CONFIG.replace("[email]\n", next.trim_start()));
    insta::assert_snapshot!(said(&reseller, "prices", true), @"
    for 2026-10 the table from 2020-08
    5.000 contacts              R$ 1.014,00
    10.000 contacts             R$ 1.827,00
    25.000 contacts             R$ 3.920,00
    50.000 contacts             R$ 7.380,00
    each UAM above the package      R$ 0,29
    each HSM                        R$ 0,46
    for 2026-11 the table from 2026-11
    5.000 contacts              R$ 1.100,00
    10.000 contacts               R$ 190,00
    each UAM above the package      R$ 0,31
    each HSM                        R$ 0,50
    the package of 10.000 contacts costs less than that of 5.000: is that meant?
    ");
}

#[rstest]
fn check_names_contracts_whose_package_the_table_lacks(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let mut reseller = Reseller::new(ledger);
    let all = [("d1", "", "5000"), ("d2", "", "10000"), ("d3", "", "25000"), ("d4", "", "10000")];
    reseller.register(&all);
    reseller.write("c.csv", "dealership_id,from_month,package\nd4,2026-11,none\n");
    reseller.run(&["import", "--contracts", "c.csv"]).expect(0);
    let next = "[[prices]]\nfrom = \"2026-11\"\noverage = \"0.31\"\nhsm = \"0.50\"\npackages = [{ contacts = 5000, price = \"1100.00\" }]\n[email]\n";
    reseller.write("fecha.toml", &CONFIG.replace("[email]\n", next));
    insta::assert_snapshot!("packages_lacking", said(&reseller, "contracts", false));
    reseller.at("2026-12-02 12:00:00");
    let both = said(&reseller, "contracts", false);
    assert!(both.contains("2026-11: ") && both.contains("2026-12: "), "{both}");
    // What a close says of it, too late.
    reseller.add_contacts("d2", 3, "2026-11-30T12:00:00Z");
    let report = reseller.run(&["close", "--json"]).expect(1).json();
    let reasons: Vec<&str> = report["exceptions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|exception| exception["reason"].as_str().unwrap())
        .collect();
    assert_eq!(reasons, ["no_price", "no_price"]);
}

#[rstest]
fn a_lost_evidence_key_is_never_replaced(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let reseller = Reseller::new(ledger);
    reseller.register(&[("d1", "", "5000")]);
    reseller.add_contacts("d1", 3, "2026-10-31T12:00:00Z");
    let key = std::fs::read_to_string(reseller.path("evidence.key")).unwrap();
    std::fs::remove_file(reseller.path("evidence.key")).unwrap();
    let import = ["import", "--dealerships", "dealerships.csv"];
    let anew = [&import[..], &["--new-ledger"]].concat();
    let commands: [&[&str]; 7] = [
        &["close"],
        &["verify", "--month", "2026-10"],
        &["status"],
        &["check"],
        &["daemon"],
        &import,
        &anew,
    ];
    for command in commands {
        let ran = reseller.run(command).expect(2);
        let said = format!("{}{}", ran.stdout, ran.stderr);
        assert!(said.contains("evidence.key is not there"), "{command:?}: {said}");
        assert!(said.contains("Put it back from the backup"), "{command:?}: {said}");
        assert!(!reseller.path("evidence.key").exists(), "{command:?} made another one");
    }
    let mut reseller = reseller;
    reseller.variables.push(("FECHA_EVIDENCE_KEY".into(), key.trim().into()));
    reseller.run(&["close"]).expect(0);
}
