//! Price lists, a package's own overage and discounts, black-box (spec §2 *Price lists*).

use rstest::rstest;
use serde_json::json;

use crate::support::reseller::{CONFIG, DEALERSHIP_HEADER, LedgerKind, Reseller, dealership};

const LIST: &str = r#"
[[prices]]
list = "Rede Sul"
from = "2026-09"
overage = "0.25"
hsm = "0.40"
packages = [
  { contacts = 10, price = "900.00" },
  { contacts = 20, price = "1700.00", overage = "0.125" },
]
"#;

const HEADER: &str = "dealership_id,from_month,package,list,discount_percent\n";

/// A reseller with the standard list and `Rede Sul`, in November.
fn reseller(ledger: LedgerKind) -> Reseller {
    let mut reseller = Reseller::new(ledger);
    reseller.at("2026-11-02 12:00:00");
    reseller.write("fecha.toml", &format!("{CONFIG}{LIST}"));
    let dealerships: String = ["d1", "d2", "d3"].map(|id| dealership(id, "")).concat();
    reseller.write("dealerships.csv", &format!("{DEALERSHIP_HEADER}{dealerships}"));
    reseller
}

fn import(reseller: &Reseller, contracts: &str, status: i32) -> crate::support::reseller::Ran {
    reseller.write("contracts.csv", contracts);
    let files = ["import", "--dealerships", "dealerships.csv", "--contracts", "contracts.csv"];
    reseller.run(&files).expect(status)
}

#[rstest]
fn a_negotiated_list_and_a_discount_are_billed(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let reseller = reseller(ledger);
    let rows = "d1,2026-08,5000,,\nd2,2026-09,10,Rede Sul,12.5\nd3,2026-09,20,Rede Sul,\n";
    import(&reseller, &format!("{HEADER}{rows}"), 0);
    for id in ["d1", "d2", "d3"] {
        reseller.add_contacts(id, 23, "2026-10-31T20:00:00Z");
    }
    reseller.run(&["close", "--month", "2026-10"]).expect(0);
    let invoices = reseller.invoices(&[]);
    let of = |index: usize, key: &str| invoices[index][key].as_str().unwrap().to_owned();
    assert_eq!((of(0, "total"), of(0, "other_amount")), ("1014.00".into(), "0.00".into()));
    // 900.00 + 13 × 0.25 = 903.25, of which 12.5 % are 112.90625.
    assert_eq!(
        (of(1, "package_amount"), of(1, "overage_amount")),
        ("900.00".into(), "3.25".into())
    );
    assert_eq!((of(1, "other_amount"), of(1, "total")), ("-112.91".into(), "790.34".into()));
    // 3 × 0.125 = 0.375, half away from zero.
    assert_eq!((of(2, "overage_amount"), of(2, "total")), ("0.38".into(), "1700.38".into()));

    let one = reseller.run(&["invoice", "2026-000002", "--json"]).expect(0).json();
    let line = &one["lines"][3];
    assert_eq!((&line["item"], &line["percent"]), (&json!("discount"), &json!("12.50")));
    assert_eq!(line["amount"], "-112.91");
    let words = reseller.run(&["invoice", "2026-000002"]).expect(0).stdout.replace('\u{a0}', " ");
    assert!(words.contains("12.50 % of R$ 903,25"), "{words}");
    reseller.run(&["verify", "--month", "2026-10"]).expect(0);
    let rows = reseller.run(&["invoices", "--csv"]).expect(0).stdout;
    assert!(rows.lines().nth(2).unwrap().ends_with(";-112,91"), "{rows}");
}

#[rstest]
fn another_list_or_discount_is_the_contracts_doing(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let reseller = reseller(ledger);
    import(&reseller, &format!("{HEADER}d1,2026-09,10,Rede Sul,10\n"), 0);
    reseller.add_contacts("d1", 3, "2026-10-31T20:00:00Z");
    reseller.run(&["close", "--month", "2026-10"]).expect(0);
    assert_eq!(reseller.invoices(&[])[0]["total"], "810.00");
    // A file that says nothing of list and discount leaves them as they were agreed.
    import(&reseller, "dealership_id,from_month,package\nd1,2026-09,10\n", 0);
    reseller.run(&["verify", "--month", "2026-10"]).expect(0);
    import(&reseller, "dealership_id,from_month,package\nd1,2026-10,20\n", 0);
    let exported =
        reseller.run(&["export", "--dealerships", "d.csv", "--contracts", "-"]).expect(0);
    assert_eq!(
        exported.stdout,
        format!("{HEADER}d1,2026-09,10,Rede Sul,10.00\nd1,2026-10,20,Rede Sul,10.00\n")
    );

    let rerun =
        ["rerun", "--month", "2026-10", "--all", "--reason", "contrato", "--by", "ana", "--json"];
    let causes = || {
        let done = reseller.run(&[&rerun[..], &["--dry-run"]].concat()).expect(1).json();
        done["refused"][0]["causes"].clone()
    };
    assert_eq!(causes(), json!(["contract"]));
    import(&reseller, &format!("{HEADER}d1,2026-10,10,Rede Sul,20\n"), 0);
    assert_eq!(causes(), json!(["contract"]));
    let accepted = reseller.run(&[&rerun[..], &["--accept", "contract"]].concat()).expect(0).json();
    assert_eq!(accepted["revised"][0]["total"], json!({"before": "810.00", "after": "720.00"}));
    // From the list to another price of the same package.
    let dearer =
        CONFIG.replace("packages = [", "packages = [{ contacts = 10, price = \"950.00\" },");
    reseller.write("fecha.toml", &format!("{dearer}{LIST}"));
    import(&reseller, &format!("{HEADER}d1,2026-10,10,,20\n"), 0);
    assert_eq!(causes(), json!(["contract"]), "another list is no other price");
    import(&reseller, &format!("{HEADER}d1,2026-10,10,Rede Sul,20\n"), 0);
    let cheaper = LIST.replace("900.00", "890.00");
    reseller.write("fecha.toml", &format!("{dearer}{cheaper}"));
    assert_eq!(causes(), json!(["price"]));
}

#[rstest]
fn a_list_without_a_table_has_no_price(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let reseller = reseller(ledger);
    import(&reseller, &format!("{HEADER}d1,2026-09,10,Rede Sul,\nd2,2026-08,5000,,\n"), 0);
    reseller.add_contacts("d1", 3, "2026-10-31T20:00:00Z");
    reseller.add_contacts("d2", 3, "2026-10-31T20:00:00Z");
    // The list is gone from the configuration: never priced by another one.
    reseller.write("fecha.toml", CONFIG);
    let closed = reseller.run(&["close", "--month", "2026-10", "--json"]).expect(1).json();
    assert_eq!(closed["issued"], 1);
    assert_eq!(closed["exceptions"][0]["reason"], "no_price");
    assert_eq!(closed["exceptions"][0]["dealership_id"], "d1");
    let checked = reseller.run(&["check"]).expect(2);
    assert!(
        checked.stdout.contains(
            "2026-10: there is no price list 'Rede Sul' (no [[prices]] entry has a `list`) for d1"
        ),
        "{}",
        checked.stdout
    );
    // It is there again, from a later month on: no table of it holds.
    let later = LIST.replace("2026-09", "2026-11");
    reseller.write("fecha.toml", &format!("{CONFIG}{later}"));
    let closed = reseller.run(&["close", "--month", "2026-10", "--json"]).expect(1).json();
    assert_eq!((&closed["issued"], &closed["already_issued"]), (&json!(0), &json!(1)));
    reseller.write("fecha.toml", &format!("{CONFIG}{LIST}"));
    let closed = reseller.run(&["close", "--month", "2026-10", "--json"]).expect(0).json();
    assert_eq!(closed["issued"], 1);
}

#[test]
fn what_a_contract_cannot_say_is_refused() {
    let reseller = reseller(LedgerKind::Sqlite);
    let rows = [
        "d1,2026-09,10,Rede Norte,",
        "d1,2026-08,10,Rede Sul,",
        "d1,2026-10,5000,Rede Sul,",
        "d1,2026-11,none,Rede Sul,",
        "d1,2026-12,none,,5",
        "d2,2026-09,10,Rede Sul,100.01",
        "d2,2026-10,10,Rede Sul,\"12,5\"",
        "d3,2026-09,5000,,0.5",
    ];
    let refused = import(&reseller, &format!("{HEADER}{}\n", rows.join("\n")), 2);
    insta::assert_snapshot!(refused.stderr);
    let rows = "d1,2026-08,5000\n";
    import(&reseller, &format!("dealership_id,from_month,package\n{rows}"), 0);
    let exported =
        reseller.run(&["export", "--dealerships", "d.csv", "--contracts", "-"]).expect(0);
    assert_eq!(exported.stdout, format!("dealership_id,from_month,package\n{rows}"));
}

#[test]
fn tables_that_cannot_be_are_refused() {
    let reseller = reseller(LedgerKind::Sqlite);
    let said = |prices: &str| {
        reseller.write("fecha.toml", &format!("{CONFIG}{prices}"));
        reseller.run(&["status"]).expect(2).stderr
    };
    let twice = said(&format!("{LIST}{LIST}"));
    assert!(
        twice.contains("there is a price table of the list 'Rede Sul' from 2026-09 already"),
        "{twice}"
    );
    let blank = said(&LIST.replace("Rede Sul", " Rede Sul"));
    assert!(blank.contains("[[prices]] list"), "{blank}");
    let overage = said(&LIST.replace("0.125", "0.12345"));
    assert!(overage.contains("0.12345"), "{overage}");
    let only = CONFIG.replace("[[prices]]", "[[prices]]\nlist = \"Rede\"");
    reseller.write("fecha.toml", &only);
    let only = reseller.run(&["status"]).expect(2).stderr;
    assert!(only.contains("has no table of the standard list"), "{only}");
}
