//! What stands on a terminal: at any width each figure, number and date is whole, and no line is too long.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use rstest::rstest;
use serde_json::Value;

use crate::support::reseller::{CONFIG, DEALERSHIP_HEADER, LedgerKind, Reseller};

/// A legal name as nobody wants to have it.
fn long_name(index: usize) -> String {
    let name = format!("Comércio {index} de Automóveis, Peças e Serviços da Serra Gaúcha ");
    name.repeat(5).chars().take(300).collect()
}

/// Sixteen dealerships whose package costs R$ 1.508.943,54, two months, with all that happens in them.
fn large() -> Reseller {
    let mut reseller = Reseller::new(LedgerKind::Sqlite);
    let config = CONFIG.replace("\"1014.00\"", "\"1508943.54\"").replace("0.29", "123456.78");
    reseller.write("fecha.toml", &config);
    let mut people = DEALERSHIP_HEADER.to_owned();
    let mut contracts = "dealership_id,from_month,package\n".to_owned();
    for index in 1..=16 {
        let id = format!("concessionaria-do-litoral-{index:02}");
        let name = long_name(index);
        writeln!(people, "{id},\"{name}\",\"{name}\",11.222.333/0001-81,\"Rua Um, 1\",Curitiba,PR,financeiro-{index}@{id}.example.com,,,").unwrap();
        writeln!(contracts, "{id},2026-01,5000").unwrap();
    }
    reseller.write("dealerships.csv", &people);
    reseller.write("contracts.csv", &contracts);
    let files = ["import", "--dealerships", "dealerships.csv", "--contracts", "contracts.csv"];
    // All have one CNPJ, and are many all the same.
    reseller.run(&[&files[..], &["--accept-twins"]].concat()).expect(0);
    let (first, second) = ("concessionaria-do-litoral-01", "concessionaria-do-litoral-02");
    reseller.add_contacts(first, 5003, "2026-09-30T12:00:00Z");
    reseller.add_contacts(second, 40, "2026-09-30T12:00:00Z");
    reseller.at("2026-10-01 12:00:00").run(&["close", "--month", "2026-09"]).expect(0);
    reseller.run(&["deliver"]).expect(0);
    reseller.add_contacts(first, 5003, "2026-10-31T12:00:00Z");
    reseller.add_contacts("concessionaria-sem-contrato", 3, "2026-10-31T12:00:00Z");
    let credit =
        ["adjust", "--dealership", second, "--month", "2026-10", "--amount", "-1234567.89"];
    let words = "Desconto combinado por telefone em 2026-10-07 sobre R$ 1.234.567,89";
    reseller.run(&[&credit[..], &["--description", words]].concat()).expect(0);
    let paid = ["pay", "2026-000001", "--on", "2026-10-09", "--amount", "2500000.00"];
    reseller.run(&[&paid[..], &["--reference", "E99000000202610090000000000000000"]].concat());
    reseller.at("2026-11-02 12:00:00").run(&["close", "--month", "2026-10"]).expect(1);
    reseller.run(&["cancel", "2026-000016", "--reason", "faturada em duplicidade"]).expect(0);
    // Late, for a rerun to find; and an email that no server took.
    reseller.add_contacts(second, 41, "2026-10-30T12:00:00Z");
    reseller.ledger_sql(
        "UPDATE outbox SET state = 'failed', next_attempt_at = NULL, attempts = 3,
             last_error = '550 5.1.1 user unknown, see https://mail.example.com/help?id=550'
         WHERE number = '2026-000018'",
    );
    reseller.at("2026-11-20 12:00:00");
    reseller
}

/// All that looks at something, and what changes nothing when it is run again and again.
const COMMANDS: [&[&str]; 20] = [
    &["status"],
    &["invoices"],
    &["invoices", "--month", "2026-10", "--all-revisions"],
    &["invoice", "2026-000017"],
    &["invoice", "2026-000018"],
    &["outbox"],
    &["outbox", "--state", "failed"],
    &["outbox", "--month", "2026-10"],
    &["receivables"],
    &["receivables", "--overdue"],
    &["receivables", "--dealership", "concessionaria-do-litoral-01"],
    &["adjust"],
    &["audit"],
    &["check"],
    &["close", "--month", "2026-10"],
    &["close", "--month", "2026-10", "--dry-run"],
    &["preview", "--month", "2026-10"],
    &["verify", "--month", "2026-10"],
    &["rerun", "--month", "2026-10", "--all", "--reason", "atrasadas", "--dry-run"],
    &["simulate", "--prices", "prices.toml", "--from", "2026-09", "--to", "2026-10"],
];

/// Words with a digit in them: figures, numbers, dates, addresses. What was shortened is none.
fn figures(text: &str) -> BTreeSet<String> {
    let words = text.split([' ', '\n', '\'', '(', ')', '[', ']', '`', ';', '"']);
    let words = words.map(|word| word.trim_end_matches([',', '.', ':', '\\']));
    let is_figure =
        |word: &&str| word.contains(|c: char| c.is_ascii_digit()) && !word.ends_with('…');
    words.filter(is_figure).map(str::to_owned).collect()
}

#[test]
fn no_figure_is_in_two_and_no_line_too_long() {
    let reseller = large();
    let prices = CONFIG.split("[[prices]]").nth(1).unwrap().split("[email]").next().unwrap();
    reseller.write("prices.toml", &format!("[[prices]]\n{prices}"));
    for command in COMMANDS {
        let whole = reseller.run(command);
        assert!(!whole.stdout.is_empty(), "{command:?}: {}", whole.stderr);
        let known = figures(&whole.stdout);
        for columns in [60, 80, 120] {
            let shown = reseller.on_terminal(columns, command);
            assert_eq!(shown.status, whole.status, "{command:?}");
            for line in shown.stdout.lines() {
                let width = line.chars().count();
                let is_hash = line.trim().len() == 64 && !line.trim().contains(' ');
                assert!(
                    width <= columns.into() || is_hash,
                    "{command:?}: {width} of {columns}: {line}"
                );
                assert!(!line.ends_with("R$"), "{command:?} at {columns}: {line}");
            }
            let broken: Vec<_> = figures(&shown.stdout).difference(&known).cloned().collect();
            assert_eq!(broken, [""; 0], "{command:?} at {columns}:\n{}", shown.stdout);
        }
    }
}

/// What must be there at 80 columns, whatever is left out.
#[rstest]
#[case(&["invoices"], &["2026-000017", "R$ 1.879.313,88", "2026-11-10", "OVERDUE", "cancelled"])]
#[case(&["status"], &["2026-10", "R$ 23.278.899,09", "R$ 46.283.422,53", "email to financeiro-2@"])]
#[case(&["outbox"], &["2026-10-01 09:00", "2026-000001", "failed"])]
#[case(&["receivables"], &["R$ 1.508.943,54", "1-30 days R$"])]
#[case(&["adjust"], &["-R$ 1.234.567,89"])]
#[case(&["audit"], &["2026-10-01 09:00 issue by ana", "2026-000017 R$ 1.879.313,88"])]
#[case(&["preview", "--month", "2026-10"], &["R$ 1.879.313,88", "at month's end"])]
fn what_matters_stands_at_80_columns(#[case] command: &[&str], #[case] expected: &[&str]) {
    let shown = large().on_terminal(80, command).stdout;
    for words in expected {
        assert!(shown.contains(words), "{words} is not in\n{shown}");
    }
    assert!(!shown.contains('\u{a0}'), "a blank that nobody can type");
}

/// A pipe has no width; who says one, as `watch` does, gets it.
#[test]
fn a_pipe_is_as_wide_as_it_must_be() {
    let mut reseller = large();
    let list = reseller.run(&["invoices"]).expect(0).stdout;
    assert!(list.contains(long_name(16).trim()) && !list.contains('…'), "{list}");
    reseller.variables.push(("COLUMNS".to_owned(), "80".to_owned()));
    let list = reseller.run(&["invoices"]).expect(0).stdout;
    assert!(list.lines().all(|line| line.chars().count() <= 80), "{list}");
    let json = reseller.run(&["invoices", "--json"]).expect(0).json();
    assert_eq!(json[0]["total"], "1879313.88");
}

#[test]
fn every_help_fits_and_has_an_example() {
    let mut reseller = Reseller::new(LedgerKind::Sqlite);
    reseller.variables.push(("NO_COLOR".to_owned(), "1".to_owned()));
    let all = reseller.on_terminal(80, &["--help"]).stdout;
    let list = all.split_once("Commands:\n").unwrap().1;
    let lines = list.lines().take_while(|line| !line.is_empty());
    let names = lines.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    let names: Vec<&str> = names.filter_map(|line| line.split_whitespace().next()).collect();
    assert!(names.len() > 20, "{all}");
    for name in names.into_iter().filter(|name| *name != "help") {
        let help = reseller.on_terminal(80, &[name, "--help"]).stdout;
        let wide = help.lines().find(|line| line.chars().count() > 80);
        assert_eq!(wide, None, "{name}");
        assert!(help.contains("Example") && help.contains(&format!("  fecha {name}")), "{help}");
        let own = help.split("Global options:").next().unwrap();
        assert!(!own.contains("--config") && !own.contains("--json <"), "{help}");
        assert!(help.contains("Global options:\n      --config <FILE>"), "{help}");
    }
}

/// Colours of logs are for terminals, and for those who did not say no.
#[test]
fn logs_have_no_colours_for_who_says_so() {
    let mut reseller = Reseller::new(LedgerKind::Sqlite);
    reseller.register(&[("d1", "", "5000")]);
    reseller.add_contacts("d1", 3, "2026-10-31T12:00:00Z");
    let has_colours = |text: &str| {
        let mut codes = text.split("\u{1b}[").skip(1);
        codes.any(|code| {
            code.trim_start_matches(|c: char| c.is_ascii_digit() || c == ';').starts_with('m')
        })
    };
    let close = ["-v", "close", "--month", "2026-10", "--dry-run"];
    let on_terminal = |reseller: &Reseller| {
        reseller.errors_on_terminal(80, &["-vv", "close", "--month", "2026-10", "--dry-run"])
    };
    let shown = on_terminal(&reseller);
    assert!(has_colours(&shown), "there is no log to look at: {shown:?}");
    reseller.variables.push(("NO_COLOR".to_owned(), "1".to_owned()));
    let shown = on_terminal(&reseller);
    assert!(!has_colours(&shown) && shown.contains("INFO"), "{shown:?}");
    reseller.variables.pop();
    assert!(!has_colours(&reseller.run(&close).stderr));
}

/// Forty of one kind are one line, with the money, and most money comes first.
#[test]
fn what_is_alike_is_said_once() {
    let mut reseller = Reseller::new(LedgerKind::Sqlite);
    let ids: Vec<String> = (1..=44).map(|index| format!("d{index:02}")).collect();
    let package = |index: usize| if index < 40 { "10000" } else { "5000" };
    let all: Vec<_> =
        ids.iter().enumerate().map(|(index, id)| (id.as_str(), "", package(index))).collect();
    reseller.register_with(&all, &["--accept-twins"]);
    reseller.add_contacts("d07", 10_100, "2026-09-30T12:00:00Z");
    reseller.at("2026-10-01 12:00:00").run(&["close", "--month", "2026-09"]).expect(0);
    // The next table has forgotten their package.
    let lacking = "[[prices]]\nfrom = \"2026-10\"\noverage = \"0.29\"\nhsm = \"0.46\"\n\
                   packages = [{ contacts = 5000, price = \"1014.00\" }]\n[email]";
    reseller.write("fecha.toml", &CONFIG.replacen("[email]", lacking, 1));
    reseller.add_contacts("d41", 3000, "2026-10-31T12:00:00Z");
    reseller.add_contacts("d07", 3000, "2026-10-31T11:00:00Z");
    reseller.at("2026-11-02 12:00:00").run(&["close", "--month", "2026-10"]).expect(1);
    reseller.ledger_sql(
        "UPDATE outbox SET state = 'failed', next_attempt_at = NULL,
             last_error = '550 5.1.1 <' || recipient || '>: user unknown'
         WHERE number >= '2026-000045' AND kind = 'invoice'",
    );
    let status = reseller.run(&["status"]).expect(1).stdout;
    assert!(status.contains("\n2 things for a person:\n"), "{status}");
    let things = status.split("for a person:\n").nth(1).unwrap();
    let lines: Vec<&str> = things.lines().collect();
    assert_eq!(lines.len(), 6, "{things}");
    assert_eq!(
        lines[0],
        "  2026-10: 40 dealerships have a package that the price table lacks: fix the contract or \
         [[prices]] (no_price) · R$ 73.109,00 in the month before"
    );
    assert_eq!(
        lines[1],
        "    'd07' Concessionária d07 Ltda, 'd01' Concessionária d01 Ltda, 'd02' Concessionária d02 \
         Ltda and 37 more"
    );
    assert_eq!(lines[2], "    → then run `fecha close --month 2026-10`");
    assert!(lines[3].starts_with("  4 emails failed (invoice): 550 5.1.1"), "{}", lines[3]);
    assert!(lines[3].ends_with("· R$ 4.056,00 on their invoices"), "{}", lines[3]);
    assert!(lines[4].contains("'d41' d41@example.com, ") && lines[4].ends_with("and 1 more"));
    assert_eq!(lines[5], "    → fix the addresses in the register, then `fecha resend --failed`");
    // For scripts nothing is put together.
    let json = reseller.run(&["status", "--json"]).expect(1).json();
    let things = json["needs_a_person"].as_array().unwrap();
    assert_eq!(things.len(), 25 + 1 + 4, "{json}");
    let keys = |thing: &Value| thing.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert!(things.iter().all(|thing| keys(thing) == ["do", "what"]), "{json}");
}

/// The outbox by month: what is about its invoices, its reports and the reminders of its days.
#[rstest]
fn the_outbox_of_a_month(#[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind) {
    let mut reseller = Reseller::new(ledger);
    reseller.register(&[("d1", "", "5000"), ("d2", "", "5000")]);
    for (month, at) in [("2026-09", "2026-10-01 12:00:00"), ("2026-10", "2026-11-02 12:00:00")] {
        reseller.at(at).run(&["close", "--month", month, "--release"]).expect(0);
        reseller.run(&["deliver"]).expect(0);
    }
    let of = |arguments: &[&str]| -> Vec<String> {
        let all = [&["outbox", "--json"], arguments].concat();
        let all = reseller.run(&all).expect(0).json();
        let all = all.as_array().unwrap().iter();
        all.map(|email| format!("{} {}", email["kind"], email["number"]).replace('"', "")).collect()
    };
    let october = ["invoice 2026-000003", "invoice 2026-000004", "digest null"];
    assert_eq!(of(&["--month", "2026-10"]), october);
    assert_eq!(of(&["--month", "2026-10", "--state", "sent"]), october);
    assert_eq!(of(&["--month", "2026-10", "--state", "failed"]), [""; 0]);
    assert_eq!(of(&["--month", "2026-08"]), [""; 0]);
    assert_eq!(of(&[]).len(), 6);
    // By the issuer's clocks, for people.
    let text = reseller.run(&["outbox", "--month", "2026-10"]).expect(0).stdout;
    assert!(text.contains("2026-11-02 09:00  2026-11-02 09:00"), "{text}");
}
