//! Bad input: each gets one clear line that says what to do, and loses nothing.

use rstest::rstest;

use crate::support::postgres::Postgres;
use crate::support::reseller::{CONFIG, DEALERSHIP_HEADER, LedgerKind, Reseller, dealership};

fn reseller() -> Reseller {
    let reseller = Reseller::new(LedgerKind::Sqlite);
    reseller.register(&[("d1", "", "5000")]);
    reseller.add_contacts("d1", 3, "2026-10-31T12:00:00Z");
    reseller
}

/// What the command says, without the folder's name, which changes.
fn complaint(reseller: &Reseller, arguments: &[&str], status: i32) -> String {
    let ran = reseller.run(arguments).expect(status);
    assert!(ran.stdout.is_empty(), "results and errors do not mix: {}", ran.stdout);
    ran.stderr.replace(&reseller.path("").display().to_string(), "/FOLDER/")
}

#[rstest]
#[case("no_month", &["close", "--month", "2026-13"])]
#[case("month_in_words", &["close", "--month", "outubro"])]
#[case("month_not_ended", &["close", "--month", "2026-11"])]
#[case("month_before_prices", &["close", "--month", "2020-07"])]
#[case("unknown_dealership", &["close", "--dealership", "d1 ", "--dealership", "D1"])]
#[case("unknown_dealership_listed", &["invoices", "--dealership", "dx"])]
#[case("no_number", &["invoice", "1"])]
#[case("unknown_number", &["invoice", "2026-000009"])]
#[case("resend_unknown", &["resend", "2026-000009"])]
#[case("unknown_state", &["outbox", "--state", "lost"])]
#[case("nothing_to_import", &["import"])]
#[case("missing_file", &["import", "--dealerships", "nowhere.csv"])]
#[case("no_command", &["fechar"])]
fn is_answered_in_one_line(#[case] name: &str, #[case] arguments: &[&str]) {
    insta::assert_snapshot!(name, complaint(&reseller(), arguments, 2));
}

#[test]
fn unknown_revisions_and_addresses_are_named() {
    let reseller = reseller();
    reseller.run(&["close"]).expect(0);
    let revision = complaint(&reseller, &["invoice", "2026-000001", "--revision", "3"], 2);
    insta::assert_snapshot!("unknown_revision", revision);
    let address = complaint(&reseller, &["resend", "2026-000001", "--to", "nobody"], 2);
    insta::assert_snapshot!("resend_to_no_address", address);
}

#[test]
fn all_bad_rows_are_named_at_once_and_nothing_is_imported() {
    let reseller = reseller();
    let rows = [
        dealership("d2", ""),
        dealership("d3", "").replace("11.222.333/0001-81", "11.222.333/0001-82"),
        dealership("d4", "America/Gramado"),
        dealership("d5", "").replace("d5@example.com", "d5 at example.com"),
        dealership("d2", ""),
    ];
    reseller.write("people.csv", &format!("{DEALERSHIP_HEADER}{}", rows.concat()));
    reseller.write(
        "packages.csv",
        "dealership_id,from_month,package\nd2,2026-10,7000\nd9,2026-10,5000\nd3,2026-1,5000\n\
         d3,2026-11,5000\nd3,2026-11,none\n",
    );
    let files = ["import", "--dealerships", "people.csv", "--contracts", "packages.csv"];
    insta::assert_snapshot!("bad_rows", complaint(&reseller, &files, 2));
    let json = reseller.run(&[&files[..], &["--json"]].concat()).expect(2).json();
    assert_eq!(json["status"], 2);

    reseller.run(&["export"]).expect(0);
    let kept = std::fs::read_to_string(reseller.path("dealerships.csv")).unwrap();
    assert_eq!(kept.lines().count(), 2, "{kept}");
}

/// The ledger is told of as the messages are.
#[rstest]
#[case::scheme(
    "oracle://fecha@db/fecha",
    2,
    "[ledger] url: 'oracle' is no database that can stand here: write sqlite:fecha.db or postgres://"
)]
#[case::percent(
    "postgres://fecha:s3cr#t@127.0.0.1:1/fecha",
    2,
    "special characters in a password are written as %XX"
)]
#[case::slash(
    "postgres://fecha:s3c/ret@127.0.0.1:1/fecha",
    2,
    "special characters in a password are written as %XX"
)]
#[case::away(
    "postgres://fecha:s3cret@127.0.0.1:1/fecha",
    3,
    "check that the server runs, and host and port in [ledger] url"
)]
#[case::login(
    "postgres://nobody:s3cret@127.0.0.1:PORT/postgres",
    2,
    "check user and password in [ledger] url"
)]
#[case::database(
    "postgres://postgres:s3cret@127.0.0.1:PORT/nowhere",
    2,
    "correct [ledger] url, or make the database"
)]
fn a_ledger_url_says_what_to_mend(#[case] url: &str, #[case] status: i32, #[case] hint: &str) {
    let mut reseller = Reseller::new(LedgerKind::Sqlite);
    let url = url.replace("PORT", &Postgres::shared().port().to_string());
    reseller.variables.push(("FECHA_LEDGER__URL".to_owned(), url));
    for command in [&["status"][..], &["check"]] {
        let ran = reseller.run(command).expect(status);
        let said =
            format!("{}{}", ran.stdout, ran.stderr).replace("FECHA_LEDGER__URL", "[ledger] url");
        assert!(said.contains(hint), "{said}");
        assert!(!["s3cr", "s3c/"].iter().any(|secret| said.contains(secret)), "{said}");
    }
}

/// Documents would have a box for each of these letters.
#[test]
fn what_a_revision_or_a_cancellation_cannot_print_is_refused() {
    let mut reseller = reseller();
    reseller.at("2026-11-02 12:00:00");
    let cancel = |reason: &str, by: &str| {
        let arguments = ["cancel", "2026-000001", "--reason", reason, "--by", by];
        complaint(&reseller, &arguments, 2)
    };
    assert!(cancel("原因", "Ana").contains("'原' (U+539F), '因' (U+56E0)"));
    assert!(cancel("engano", "Ana 😀").contains("'😀' (U+1F600)"));
    let rerun = ["rerun", "--month", "2026-10", "--all", "--reason", "原", "--by", "Ana"];
    assert!(complaint(&reseller, &rerun, 2).contains("'原' (U+539F)"));
}

#[test]
fn what_documents_cannot_print_is_refused() {
    let reseller = reseller();
    reseller.write("fecha.toml", &CONFIG.replace("Exemplo Tecnologia Ltda", "Exemplo 北京 Ltda"));
    insta::assert_snapshot!(complaint(&reseller, &["status"], 2), @"fecha: fecha.toml:3: [issuer] name: 'Exemplo 北京 Ltda' holds '北' (U+5317), '京' (U+4EAC), which the font of the documents lacks: write it in Latin letters");
    reseller.write(
        "fecha.toml",
        &CONFIG.replace("Exemplo Tecnologia", "Exem\u{ad}plo\u{200b} Tecnologia"),
    );
    let adjust = ["adjust", "--dealership", "d1", "--month", "2026-11", "--amount", "1.00"];
    let described = [&adjust[..], &["--description", "Desconto 🎉"]].concat();
    insta::assert_snapshot!(complaint(&reseller, &described, 2), @"fecha: --description: 'Desconto 🎉' holds '🎉' (U+1F389), which the font of the documents lacks: write it in Latin letters");
}

#[rstest]
#[case("config_unknown_key", "[ledger]", "[ledger]\nurll = \"x\"")]
#[case("config_negative_price", "overage = \"0.29\"", "overage = \"-0.29\"")]
#[case("config_cnpj", "cnpj = \"11.222.333/0001-81\"", "cnpj = \"11.222.333/0001-80\"")]
fn the_configuration_is_refused_by_key(#[case] name: &str, #[case] from: &str, #[case] to: &str) {
    let reseller = reseller();
    reseller.write("fecha.toml", &CONFIG.replacen(from, to, 1));
    insta::assert_snapshot!(name, complaint(&reseller, &["status"], 2));
}

#[test]
fn a_package_that_the_table_lost_is_an_exception() {
    let reseller = reseller();
    reseller.write("fecha.toml", &CONFIG.replacen("{ contacts = 5000", "{ contacts = 6000", 1));
    let report = reseller.run(&["close", "--json"]).expect(1).json();
    assert_eq!(report["issued"], 0);
    assert_eq!(report["exceptions"][0]["reason"], "no_price");
    assert_eq!(report["exceptions"][0]["messages"], 3);
    // Fixed, it is issued, and finance hears of it.
    reseller.write("fecha.toml", CONFIG);
    assert_eq!(reseller.run(&["close", "--json"]).expect(0).json()["issued"], 1);
}

#[test]
fn a_server_that_is_away_is_status_3() {
    let mut reseller = reseller();
    let away = "postgres://fecha:secret@127.0.0.1:1/fecha".to_owned();
    reseller.variables = vec![("FECHA_MESSAGES__URL".to_owned(), away.clone())];
    let messages = complaint(&reseller, &["close"], 3);
    assert!(messages.contains("127.0.0.1:1") && !messages.contains("secret"), "{messages}");
    reseller.variables = vec![("FECHA_LEDGER__URL".to_owned(), away)];
    let ledger = complaint(&reseller, &["status"], 3);
    assert!(ledger.contains("127.0.0.1:1") && !ledger.contains("secret"), "{ledger}");
    reseller.variables.clear();
    assert!(reseller.invoices(&[]).is_empty(), "nothing half done");
}

/// Every form in which a password can stand in a URL, rightly or wrongly: nobody sees it, whatever is asked.
#[rstest]
#[case("postgres://fecha:s3cret@127.0.0.1:1/fecha")]
#[case("postgres://127.0.0.1:1/fecha?user=fecha&password=s3cret")]
#[case("postgres://127.0.0.1:1/fecha?user=fecha&PassWord=s3cret")]
#[case("postgres://127.0.0.1:1/fecha?user=fecha&pa%73sword=s3cret")]
#[case("postgres://127.0.0.1:1/fecha?sslpassword=s3cret&passfile=/s3cret")]
#[case("postgres://127.0.0.1:1/fecha?sslmode=s3cret?password=s3cret")]
#[case("postgres://fecha:a@s3cret@127.0.0.1:1/fecha")]
#[case("postgres://fecha:a/s3cret@127.0.0.1:1/fecha")]
#[case("postgres://127.0.0.1:1/s3cret@127.0.0.1:1/fecha")]
#[case("postgres://fecha%3As3cret@127.0.0.1:1/fecha")]
#[case("postgres://fecha:s3cret")]
#[case("postgres:fecha:s3cret@127.0.0.1:1/fecha")]
#[case("fecha:s3cret@127.0.0.1:1/fecha")]
#[case("s3cret@127.0.0.1:1/fecha")]
fn no_password_of_a_url_is_shown(#[case] url: &str) {
    let mut reseller = reseller();
    let commands: [&[&str]; 6] = [
        &["status"],
        &["status", "--json"],
        &["check"],
        &["check", "--json"],
        &["close", "--json"],
        &["close", "-vv"],
    ];
    for key in ["FECHA_MESSAGES__URL", "FECHA_LEDGER__URL"] {
        reseller.variables = vec![(key.to_owned(), url.to_owned())];
        for arguments in commands {
            for log in ["error", "info"] {
                reseller.variables.push(("RUST_LOG".to_owned(), log.to_owned()));
                let ran = reseller.run(arguments);
                let said = format!("{}{}", ran.stdout, ran.stderr);
                assert!(!said.contains("s3cret"), "{key} {arguments:?}: {said}");
                // Only the ledger's own status needs no message database.
                assert_ne!((ran.status, arguments[0]), (0, "check"), "{said}");
            }
        }
    }
}

/// Names that try to be markup, formulas, or to turn the line around.
#[test]
fn hostile_names_break_nothing() {
    let reseller = Reseller::new(LedgerKind::Sqlite);
    let long = "Nome muito comprido ".repeat(15);
    let names = [
        "<script>alert(1)</script>",
        "=HYPERLINK(\"\"http://x\"\")",
        "Loja 🚗 Emoji",
        "متجر السيارات",
        "O'Neil & Filhos \"\"Autos\"\"",
        long.trim(),
    ];
    let mut people = DEALERSHIP_HEADER.to_owned();
    let mut contracts = "dealership_id,from_month,package\n".to_owned();
    for (index, name) in names.iter().enumerate() {
        let id = format!("d{index}");
        let row = dealership(&id, "");
        people += &row.replace(&format!("Concessionária {id} Ltda"), &format!("\"{name}\""));
        contracts += &format!("{id},2026-01,5000\n");
    }
    reseller.write("dealerships.csv", &people);
    reseller.write("contracts.csv", &contracts);
    let files = ["import", "--dealerships", "dealerships.csv", "--contracts", "contracts.csv"];
    reseller.run(&files).expect(0);
    reseller.add_contacts("\u{1b}[2J\u{202e}x", 1, "2026-10-31T12:00:00Z");
    let closed = reseller.run(&["close", "--release"]).expect(1);
    assert!(!closed.stdout.contains('\u{1b}') && !closed.stdout.contains('\u{202e}'));
    reseller.run(&["deliver"]).expect(0);
    for number in 1..=names.len() {
        let number = format!("2026-{number:06}");
        reseller.run(&["invoice", &number, "--pdf", "f.pdf", "--statement", "e.pdf"]).expect(0);
        for file in ["f.pdf", "e.pdf"] {
            let check = std::process::Command::new("qpdf")
                .args(["--check", file])
                .current_dir(reseller.path(""))
                .output()
                .unwrap();
            assert!(check.status.success(), "{}", String::from_utf8_lossy(&check.stdout));
        }
    }
}

/// Where a column is wrong, every row is.
#[test]
fn of_very_many_bad_rows_the_first_are_named_and_all_counted() {
    const ROWS: usize = 100_000;
    let reseller = Reseller::new(LedgerKind::Sqlite);
    let people: String = (0..ROWS).map(|n| format!("d{n},x,,y,,,,,,,\n")).collect();
    reseller.write("people.csv", &format!("{DEALERSHIP_HEADER}{people}"));
    let packages: String = (0..ROWS).map(|n| format!("e{n},2026-10,5000\n")).collect();
    reseller.write("packages.csv", &format!("dealership_id,from_month,package\n{packages}"));
    let told = |files: &[&str]| {
        let told = complaint(&reseller, &[&["import"], files].concat(), 2);
        assert_eq!(told.lines().count(), 102, "{told}");
        told
    };
    let of_people = told(&["--dealerships", "people.csv"]);
    assert!(of_people.starts_with("fecha: people.csv:2: cnpj: "), "{of_people}");
    assert!(of_people.contains("\nfecha: and 499900 more, 500000 in all"), "{of_people}");
    let of_packages = told(&["--contracts", "packages.csv"]);
    assert!(of_packages.contains("packages.csv:101: dealership_id: 'e99' "), "{of_packages}");
    assert!(of_packages.contains("and 99900 more, 100000 in all"), "{of_packages}");
    let both = told(&["--dealerships", "people.csv", "--contracts", "packages.csv"]);
    assert!(both.contains("and 599900 more, 600000 in all"), "{both}");
}

/// What an earlier fecha took is still listed, and can be fixed.
#[test]
fn addresses_that_servers_refuse_are_refused_at_import_and_read_from_a_ledger() {
    let mut reseller = Reseller::new(LedgerKind::Sqlite);
    let refused = ["\"\"a b\"\"@x.com", "a@[127.0.0.1]", "a..b@x.com", "a@gmail"];
    let rows: String = (0_u8..)
        .zip(refused)
        .map(|(n, address)| {
            let id = format!("d{n}");
            dealership(&id, "").replace(&format!("{id}@example.com"), &format!("\"{address}\""))
        })
        .collect();
    reseller.write("people.csv", &format!("{DEALERSHIP_HEADER}{rows}"));
    let told = complaint(&reseller, &["import", "--dealerships", "people.csv"], 2);
    for line in 2..=5 {
        assert!(told.contains(&format!("people.csv:{line}: email: ")), "{told}");
    }
    let finance = ("FECHA_EMAIL__REDIRECT".to_owned(), "a@[127.0.0.1]".to_owned());
    reseller.variables.push(finance);
    let told = complaint(&reseller, &["status"], 2);
    assert!(told.contains("the address of a machine"), "{told}");
    reseller.variables.clear();

    reseller.register(&[("d1", "", "5000")]);
    reseller.add_contacts("d1", 3, "2026-10-31T12:00:00Z");
    reseller.ledger_sql("UPDATE dealership SET email = '\"a b\"@x.com'");
    reseller.run(&["close"]).expect(0);
    reseller.run(&["export", "--dealerships", "out.csv"]).expect(0);
    let told = complaint(&reseller, &["import", "--dealerships", "out.csv"], 2);
    assert!(told.contains("without quotes"), "{told}");
    reseller.write("fixed.csv", &format!("{DEALERSHIP_HEADER}{}", dealership("d1", "")));
    reseller.run(&["import", "--dealerships", "fixed.csv"]).expect(0);
}
