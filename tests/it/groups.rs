//! Groups, black-box on both ledgers: what they get, when, in place of what; and what becomes of a payment for all of it.

use std::process::Command;
use std::time::{Duration, Instant};

use rstest::rstest;
use serde_json::{Value, json};

use crate::bank_files::ofx;
use crate::support::pdf::Pdf;
use crate::support::reseller::{CONFIG, DEALERSHIP_HEADER, LedgerKind, Reseller, dealership};

const GROUP: &str = "Grupo Sul";

/// Imports dealerships: id, zone, package (empty: no contract), group.
fn register(reseller: &Reseller, rows: &[(&str, &str, &str, &str)]) {
    let mut people = DEALERSHIP_HEADER.replace('\n', ",group\n");
    let mut contracts = "dealership_id,from_month,package\n".to_owned();
    for (id, zone, package, group) in rows {
        let cc = "diretoria@sul.example;financeiro@sul.example";
        let row = dealership(id, zone).replace("@example.com,,", &format!("@example.com,{cc},"));
        people += &row.replace('\n', &format!(",{group}\n"));
        if !package.is_empty() {
            contracts += &format!("{id},2026-01,{package}\n");
        }
    }
    reseller.write("dealerships.csv", &people);
    reseller.write("contracts.csv", &contracts);
    let files = ["import", "--dealerships", "dealerships.csv", "--contracts", "contracts.csv"];
    reseller.run(&files).expect(0);
}

/// d1, d2 and d3 are a group, d4 is none; October is over, and each has messages.
fn reseller(ledger: LedgerKind) -> Reseller {
    let reseller = Reseller::new(ledger);
    let row = |id, group| (id, "", "5000", group);
    register(&reseller, &[row("d1", GROUP), row("d2", GROUP), row("d3", GROUP), row("d4", "")]);
    for id in ["d1", "d2", "d3", "d4"] {
        reseller.add_contacts(id, 3, "2026-10-31T15:00:00Z");
    }
    reseller
}

/// The same, closed, and some days later.
fn closed(ledger: LedgerKind) -> Reseller {
    let mut reseller = reseller(ledger);
    reseller.run(&["close"]).expect(0);
    reseller.at("2026-11-14 12:00:00");
    reseller
}

/// The group bills that there are: name, what it replaces, invoices with what is to be paid of each.
fn bills(reseller: &Reseller) -> Vec<String> {
    let mut bills = reseller.ledger_texts(
        "SELECT b.txid || COALESCE(' in place of ' || b.replaces, '') FROM group_bill b ORDER BY b.txid",
    );
    for bill in &mut bills {
        let txid = bill.split(' ').next().unwrap().to_owned();
        let rows = reseller.ledger_texts(&format!(
            "SELECT number || '-R' || revision || ' ' || to_pay FROM group_bill_row WHERE txid = '{txid}' ORDER BY number"
        ));
        *bill += &format!(": {}", rows.join(", "));
    }
    bills
}

/// To whom emails to groups go, about what, and where each stands.
fn emails(reseller: &Reseller) -> Vec<String> {
    let outbox = reseller.outbox();
    let of_kind = outbox.iter().filter(|email| email["kind"] == "group");
    let mut emails: Vec<String> = of_kind
        .map(|email| {
            let text = |key: &str| email[key].as_str().unwrap().replace('\u{a0}', " ");
            format!("{} {} {}", text("state"), text("to"), text("subject"))
        })
        .collect();
    emails.sort();
    emails
}

fn paid(reseller: &Reseller) -> Vec<String> {
    let invoices = reseller.invoices(&[]);
    let stands = invoices.iter().filter(|invoice| invoice["state"] == "issued");
    stands.map(|invoice| invoice["paid"].as_str().unwrap().to_owned()).collect()
}

fn waiting(reseller: &Reseller) -> Value {
    reseller.run(&["receivables", "--json"]).expect(0).json()["waiting"].clone()
}

/// How many are recorded, were recorded already, and are a person's to say.
fn counts(answer: &Value) -> (usize, u64, usize) {
    let many = |key: &str| answer[key].as_array().unwrap().len();
    (many("recorded"), answer["already_recorded"].as_u64().unwrap(), many("unmatched"))
}

/// Reads a bank's file of these lines.
fn read(reseller: &Reseller, lines: &[(&str, &str, &str)], status: i32) -> Value {
    reseller.write("extrato.ofx", &ofx(lines));
    reseller.run(&["pay", "--file", "extrato.ofx", "--json"]).expect(status).json()
}

#[track_caller]
fn proved(reseller: &Reseller) {
    reseller.run(&["verify", "--month", "2026-10"]).expect(0);
}

const FIRST: &str =
    "G2026100001: 2026-000001-R0 101400, 2026-000002-R0 101400, 2026-000003-R0 101400";

/// What an email is, read by another program; its first attachment is written beside it.
fn opened(file: &std::path::Path) -> Value {
    const PROGRAM: &str = r#"
import email, email.policy, json, sys
message = email.message_from_bytes(open(sys.argv[1], "rb").read(), policy=email.policy.default)
files = list(message.iter_attachments())
open(sys.argv[1] + ".pdf", "wb").write(files[0].get_content())
print(json.dumps({
    "to": message["To"], "subject": message["Subject"],
    "text": message.get_body(("plain",)).get_content(),
    "html": message.get_body(("html",)).get_content(),
    "files": [file.get_filename() for file in files]}))
"#;
    let output = Command::new("python3").args(["-c", PROGRAM]).arg(file).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[rstest]
fn the_last_of_a_group_brings_one_email_with_all(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let reseller = reseller(ledger);
    let answer = reseller.run(&["close", "--json"]).expect(0).json();
    let made = json!([{"txid": "G2026100001", "group": GROUP, "invoices": 3, "to_pay": "3042.00", "replaces": null}]);
    assert_eq!(answer["group_bills"], made);
    assert_eq!(bills(&reseller), [FIRST]);
    let subject = "Grupo Sul: 3 faturas de outubro de 2026, R$ 3.042,00 a pagar até 10/11/2026";
    let to = [
        "d1@example.com",
        "d2@example.com",
        "d3@example.com",
        "diretoria@sul.example",
        "financeiro@sul.example",
    ];
    assert_eq!(emails(&reseller), to.map(|to| format!("pending {to} {subject}")));
    // Once, however often it is closed.
    let again = reseller.run(&["close", "--json"]).expect(0).json();
    assert_eq!(again.get("group_bills"), None);
    assert_eq!((bills(&reseller).len(), emails(&reseller).len()), (1, 5));
    reseller.run(&["deliver"]).expect(0);
    let mail = std::fs::read_dir(reseller.path("mail")).unwrap().map(|entry| entry.unwrap().path());
    let of_group: Vec<_> =
        mail.filter(|path| path.to_string_lossy().contains("grupo-G2026100001")).collect();
    assert_eq!(of_group.len(), 5);
    let email = opened(&of_group[0]);
    assert_eq!(
        email["files"],
        json!([
            "grupo-G2026100001.pdf",
            "fatura-2026-000001.pdf",
            "extrato-2026-000001.pdf",
            "fatura-2026-000002.pdf",
            "extrato-2026-000002.pdf",
            "fatura-2026-000003.pdf",
            "extrato-2026-000003.pdf",
        ])
    );
    let text = email["text"].as_str().unwrap().replace('\u{a0}', " ").replace("\r\n", "\n");
    for words in [
        "R$ 3.042,00 a pagar ao todo pelo uso do WhatsApp em outubro de 2026, em 3 faturas. Vencimento: 10/11/2026 (terça-feira).",
        "2026-000002  Loja d2\n  CNPJ 11.222.333/0001-81\n  A pagar: R$ 1.014,00 até 10/11/2026",
        "54073042.00",
        "0511G2026100001",
        "Use só um dos dois caminhos",
    ] {
        assert!(text.contains(words), "{words} is not in\n{text}");
    }
    assert!(email["html"].as_str().unwrap().contains("0511G2026100001"));
    let page = Pdf::new(std::fs::read(format!("{}.pdf", of_group[0].display())).unwrap());
    page.assert_sound();
    let text = page.text();
    assert!(text.contains("Resumo do grupo") && text.contains("3.042,00"), "{text}");
    assert!(page.qr_code().contains("0511G2026100001"));
    proved(&reseller);
    // What was made cannot be altered.
    for sql in [
        "UPDATE group_bill SET content = '{}'",
        "UPDATE group_bill_row SET to_pay = 1",
        "DELETE FROM group_bill_row",
        "DELETE FROM group_bill",
    ] {
        assert!(reseller.refuses(sql), "{sql}");
    }
}

#[rstest]
fn an_open_dealership_is_waited_for_and_an_excepted_one_is_not(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let mut reseller = Reseller::new(ledger);
    register(
        &reseller,
        &[
            ("d1", "", "5000", GROUP),
            ("d2", "", "5000", GROUP),
            ("d3", "America/Rio_Branco", "5000", GROUP),
            ("d4", "", "10000", "Grupo Norte"),
            ("d5", "", "5000", "Grupo Norte"),
            ("d6", "", "5000", "Grupo Norte"),
            ("d7", "", "", "Grupo Norte"), // without a contract: nothing is to come
            ("d8", "", "5000", "Só uma"),
        ],
    );
    for id in ["d1", "d2", "d3", "d4", "d5", "d6", "d8"] {
        reseller.add_contacts(id, 3, "2026-10-31T15:00:00Z");
    }
    // In Acre the month has not ended; and no price is left for d4.
    let config = std::fs::read_to_string(reseller.path("fecha.toml")).unwrap();
    assert!(config.contains("contacts = 10000"), "{CONFIG}");
    let without: String = config
        .lines()
        .filter(|line| !line.contains("contacts = 10000"))
        .map(|line| format!("{line}\n"))
        .collect();
    reseller.write("fecha.toml", &without);
    reseller.at("2026-11-01 03:30:00");
    let answer = reseller.run(&["close", "--month", "2026-10", "--json"]).expect(1).json();
    assert_eq!(answer["open"], json!(["d3"]));
    assert_eq!(answer["exceptions"][0]["reason"], "no_price");
    assert_eq!(answer["group_bills"][0]["group"], "Grupo Norte");
    assert_eq!(answer["group_bills"].as_array().unwrap().len(), 1);
    reseller.write("fecha.toml", &config);
    reseller.at("2026-11-02 12:00:00");
    let answer = reseller.run(&["close", "--month", "2026-10", "--json"]).expect(0).json();
    let made: Vec<[&Value; 3]> = answer["group_bills"]
        .as_array()
        .unwrap()
        .iter()
        .map(|bill| [&bill["txid"], &bill["invoices"], &bill["replaces"]])
        .collect();
    let (norte, sul) = (json!("G2026100001"), [json!("G2026100002"), json!("G2026100003")]);
    assert_eq!(made, [[&sul[0], &json!(3), &norte], [&sul[1], &json!(3), &Value::Null]]);
    // What was not sent of the one before is withdrawn.
    let withdrawn = emails(&reseller).into_iter().filter(|email| email.starts_with("withdrawn"));
    assert_eq!(withdrawn.count(), 4);
    proved(&reseller);
}

#[rstest]
fn other_invoices_bring_another_one_in_its_place(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let mut reseller = closed(ledger);
    reseller.run(&["pay", "2026-000001", "--on", "2026-11-10", "--amount", "14.00"]).expect(0);
    // A revision of d2.
    reseller.add_contacts("d2", 9, "2026-10-30T15:00:00Z");
    let rerun = ["rerun", "--month", "2026-10", "--all", "--reason", "chegaram depois", "--json"];
    let answer = reseller.run(&rerun).expect(0).json();
    assert_eq!(answer["group_bills"][0]["replaces"], "G2026100001");
    assert_eq!(answer["group_bills"][0]["to_pay"], "3028.00");
    let second = "G2026100002 in place of G2026100001: 2026-000001-R0 100000, 2026-000002-R1 101400, 2026-000003-R0 101400";
    assert_eq!(bills(&reseller), [FIRST, second]);
    let (old, new): (Vec<_>, Vec<_>) =
        emails(&reseller).into_iter().partition(|email| email.starts_with("withdrawn"));
    assert_eq!((old.len(), new.len()), (5, 5));
    assert!(
        new[0]
            .contains("Atualização: Grupo Sul: 3 faturas de outubro de 2026, R$ 3.028,00 a pagar"),
        "{new:?}"
    );
    // A void number: two are left.
    reseller.run(&["cancel", "2026-000003", "--reason", "em duplicidade"]).expect(0);
    let third = "G2026100003 in place of G2026100002: 2026-000001-R0 100000, 2026-000002-R1 101400";
    assert_eq!(bills(&reseller)[2], third);
    // Another: one is no group, and what waits is not sent.
    reseller.run(&["cancel", "2026-000002", "--reason", "em duplicidade"]).expect(0);
    assert_eq!(bills(&reseller).len(), 3);
    assert!(emails(&reseller).iter().all(|email| email.starts_with("withdrawn")));
    // Billed again, under a new number.
    reseller.run(&["close", "--month", "2026-10", "--dealership", "d3"]).expect(0);
    let fourth =
        "G2026100004 in place of G2026100003: 2026-000001-R0 100000, 2026-000005-R0 101400";
    assert_eq!(bills(&reseller)[3], fourth);
    let told = reseller.run(&["resend", "G2026100003"]).expect(2).stderr;
    assert!(told.contains("was replaced by G2026100004"), "{told}");
    // Who leaves a group afterwards leaves no bill of it.
    register(&reseller, &[("d1", "", "5000", "Outro"), ("d3", "", "5000", "Outro")]);
    reseller.at("2026-11-15 12:00:00").run(&["close", "--month", "2026-10"]);
    assert_eq!(bills(&reseller).len(), 4);
    proved(&reseller);
}

/// As after a close that was killed between the last invoice and the bill.
#[rstest]
fn what_an_earlier_close_left_undone_the_next_one_makes(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let reseller = reseller(ledger);
    let ids = ["d1", "d2", "d3"];
    register(&reseller, &ids.map(|id| (id, "", "5000", "")));
    reseller.run(&["close"]).expect(0);
    assert_eq!(bills(&reseller).len(), 0);
    register(&reseller, &ids.map(|id| (id, "", "5000", GROUP)));
    // A rerun makes none of a group that had none: the month is over.
    let rerun = ["rerun", "--month", "2026-10", "--all", "--reason", "nada"];
    reseller.run(&rerun).expect(0);
    assert_eq!(bills(&reseller).len(), 0);
    // Two at once.
    let mut closes: Vec<_> =
        (0..3).map(|_| reseller.command(&["close"]).spawn().unwrap()).collect();
    for close in &mut closes {
        assert!(close.wait().unwrap().success());
    }
    assert_eq!(bills(&reseller), [FIRST]);
    assert_eq!(emails(&reseller).len(), 5);
}

#[rstest]
fn killed_at_any_moment_a_close_makes_one(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let started = Instant::now();
    closed(ledger);
    let usual = started.elapsed();
    for part in 1..=6 {
        let victim = reseller(ledger);
        let mut child = victim.command(&["close"]).spawn().unwrap();
        std::thread::sleep(usual.mul_f64(f64::from(part) / 14.0).min(Duration::from_secs(4)));
        child.kill().unwrap();
        child.wait().unwrap();
        victim.run(&["close"]).expect(0);
        assert_eq!(bills(&victim), [FIRST], "killed after {part}/14");
        assert_eq!(emails(&victim).len(), 5);
        proved(&victim);
    }
}

#[rstest]
fn one_pix_pays_all_and_is_recorded_once(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let reseller = closed(ledger);
    // The ten digits behind the G are no invoice's: 2026-100001.
    let lines = [("3042.00", "A1", "PIX RECEBIDO G2026100001 GRUPO SUL")];
    reseller.write("extrato.ofx", &ofx(&lines));
    let seen = reseller.run(&["pay", "--file", "extrato.ofx", "--dry-run"]).expect(0).stdout;
    assert!(
        seen.contains(
            "2026-000003  2026-11-10  R$ 1.014,00  G2026100001: the line names its Pix txid"
        ),
        "{seen}"
    );
    let answer = read(&reseller, &lines, 0);
    assert_eq!(counts(&answer), (3, 0, 0), "{answer:#}");
    let parts: Vec<[&Value; 4]> = answer["recorded"]
        .as_array()
        .unwrap()
        .iter()
        .map(|part| [&part["number"], &part["amount"], &part["group"], &part["reference"]])
        .collect();
    let (txid, amount) = (json!("G2026100001"), json!("1014.00"));
    let numbers = [json!("2026-000001"), json!("2026-000002"), json!("2026-000003")];
    let reference = &answer["recorded"][0]["reference"];
    assert_eq!(parts, [0, 1, 2].map(|of| [&numbers[of], &amount, &txid, reference]));
    assert_eq!(paid(&reseller), ["1014.00", "1014.00", "1014.00", "0.00"]);
    assert_eq!(counts(&read(&reseller, &lines, 0)), (0, 1, 0), "read again");
    // One part taken back by a person: the line is known still, and nothing comes back by itself.
    let id = answer["recorded"][1]["id"].as_str().unwrap().to_owned();
    reseller.run(&["pay", "--undo", &id, "--reason", "engano"]).expect(0);
    assert_eq!(counts(&read(&reseller, &lines, 0)), (0, 1, 0));
    assert_eq!(paid(&reseller), ["1014.00", "0.00", "1014.00", "0.00"]);
    for part in [0, 2] {
        let id = answer["recorded"][part]["id"].as_str().unwrap().to_owned();
        reseller.run(&["pay", "--undo", &id, "--reason", "engano"]).expect(0);
    }
    let answer = read(&reseller, &lines, 1);
    assert_eq!(counts(&answer), (0, 0, 1));
    assert!(answer["unmatched"][0]["why"].as_str().unwrap().contains("taken back"), "{answer:#}");
    proved(&reseller);
}

#[rstest]
fn more_less_and_void(#[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind) {
    let reseller = closed(ledger);
    // Less: by the oldest number first.
    let less = ("1500.00", "A1", "PIX G2026100001");
    assert_eq!(counts(&read(&reseller, &[less], 0)), (2, 0, 0));
    assert_eq!(paid(&reseller), ["1014.00", "486.00", "0.00", "0.00"]);
    // A void member is passed over; what it had taken is its account's.
    reseller.run(&["cancel", "2026-000002", "--reason", "em duplicidade"]).expect(0);
    let rest = ("1000.00", "A2", "PIX G2026100001");
    assert_eq!(counts(&read(&reseller, &[less, rest], 0)), (1, 1, 0));
    assert_eq!(paid(&reseller), ["1014.00", "1000.00", "0.00"]);
    assert_eq!(waiting(&reseller), "486.00");
    // More: the rest waits on the last one's account. Read again, although nothing is open by now.
    let more = ("100.00", "A3", "PIX G2026100001");
    assert_eq!(counts(&read(&reseller, &[less, rest, more], 0)), (1, 2, 0));
    assert_eq!(paid(&reseller), ["1014.00", "1014.00", "0.00"]);
    assert_eq!(waiting(&reseller), "572.00");
    assert_eq!(counts(&read(&reseller, &[less, rest, more], 0)), (0, 3, 0));
    // Nothing is open: a person says.
    let answer = read(&reseller, &[("1.00", "A4", "PIX G2026100001")], 1);
    assert!(answer["unmatched"][0]["why"].as_str().unwrap().contains("not open"), "{answer:#}");
    // A group that is not there is nobody's.
    assert_eq!(counts(&read(&reseller, &[("1.00", "A5", "PIX G2026109999")], 1)), (0, 0, 1));
    proved(&reseller);
}

#[rstest]
fn a_payment_by_hand_is_the_banks_line(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let reseller = closed(ledger);
    let pay = ["pay", "G2026100001", "--on", "2026-11-10"];
    let part = [&pay[..], &["--amount", "2000.00", "--json"]].concat();
    assert_eq!(counts(&reseller.run(&part).expect(0).json()), (2, 0, 0));
    // The same once more must be said to be meant.
    let told = reseller.run(&part).expect(2).stderr;
    assert!(told.contains("--again"), "{told}");
    // The bank's line of that day and amount is that payment, and gives it the reference.
    let lines = [("2000.00", "A1", "PIX G2026100001")];
    assert_eq!(counts(&read(&reseller, &lines, 0)), (0, 1, 0));
    assert_eq!(counts(&read(&reseller, &lines, 0)), (0, 1, 0));
    assert_eq!(
        reseller.ledger_number("SELECT COUNT(*) FROM payment WHERE reference IS NOT NULL"),
        2
    );
    assert_eq!(paid(&reseller), ["1014.00", "986.00", "0.00", "0.00"]);
    // One invoice of it by hand, on the day of another line: perhaps the same money.
    reseller.run(&["pay", "2026-000003", "--on", "2026-11-10"]).expect(0);
    let second = [lines[0], ("1042.00", "A2", "PIX G2026100001")];
    let answer = read(&reseller, &second, 1);
    assert_eq!(counts(&answer), (0, 1, 1));
    let why = answer["unmatched"][0]["why"].as_str().unwrap();
    assert!(why.contains("perhaps G2026100001") && why.contains("without a reference"), "{why}");
    // Without an amount: all that is open.
    let all = reseller.run(&[&pay[..], &["--reference", "E1", "--json"]].concat()).expect(0).json();
    assert_eq!(all["recorded"][0]["amount"], "28.00");
    assert_eq!(paid(&reseller), ["1014.00", "1014.00", "1014.00", "0.00"]);
    for (arguments, said) in [
        (
            ["pay", "G2026100009", "--on", "2026-11-10"].as_slice(),
            "there is no group bill G2026100009",
        ),
        (
            &["pay", "G2026100001", "--on", "2026-11-10", "--amount", "1.00", "--kind", "iss"],
            "only money goes over the invoices",
        ),
        (&["pay", "G2026100001", "--from-account"], "name the invoice"),
    ] {
        let told = reseller.run(arguments).expect(2).stderr;
        assert!(told.contains(said), "{told}");
    }
    proved(&reseller);
}

#[rstest]
fn a_table_without_references_is_read_again_for_nothing(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let reseller = closed(ledger);
    let table = |rows: &str| {
        reseller.write("p.csv", &format!("number,on,amount\n{rows}"));
        reseller.run(&["pay", "--file", "p.csv", "--json"])
    };
    let twice = "G2026100001,2026-11-10,500.00\nG2026100001,2026-11-10,500.00\n";
    // Two equal lines are two payments, of which the second goes over two invoices no more: 1.000 of 1.014.
    assert_eq!(counts(&table(twice).expect(0).json()), (2, 0, 0));
    assert_eq!(paid(&reseller), ["1000.00", "0.00", "0.00", "0.00"]);
    assert_eq!(counts(&table(twice).expect(0).json()), (0, 2, 0));
    let more = format!("{twice}G2026100001,2026-11-11,\n");
    assert_eq!(counts(&table(&more).expect(0).json()), (3, 2, 0), "all that is open");
    assert_eq!(paid(&reseller), ["1014.00", "1014.00", "1014.00", "0.00"]);
    assert_eq!(counts(&table(&more).expect(0).json()), (0, 3, 0));
    proved(&reseller);
}

#[rstest]
fn sent_again_to_the_addresses_of_today(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let mut reseller = closed(ledger);
    reseller.run(&["deliver"]).expect(0);
    let answer = reseller.run(&["resend", "G2026100001", "--json"]).expect(0).json();
    assert_eq!(answer["queued"].as_array().unwrap().len(), 5);
    let to = ["--to", "contabilidade@sul.example", "--json"];
    let answer = reseller.run(&[&["resend", "G2026100001"][..], &to].concat()).expect(0).json();
    assert_eq!(answer["queued"], json!(["contabilidade@sul.example"]));
    reseller.run(&["deliver"]).expect(0);
    let sent = emails(&reseller).into_iter().filter(|email| email.starts_with("sent"));
    assert_eq!(sent.count(), 11);
    let told = reseller.run(&["resend", "G2026109999"]).expect(2).stderr;
    assert!(told.contains("there is no group bill G2026109999"), "{told}");
    // A first month in parallel: nobody but one gets any.
    reseller.variables.push(("FECHA_EMAIL__REDIRECT".into(), "teste@example.com".into()));
    reseller.run(&["resend", "G2026100001"]).expect(0);
    let pending: Vec<String> =
        emails(&reseller).into_iter().filter(|email| email.starts_with("pending")).collect();
    assert_eq!(pending.len(), 5);
    assert!(pending.iter().all(|email| email.starts_with("pending teste@example.com ")));
}

#[test]
fn what_was_tampered_with_is_named() {
    let reseller = closed(LedgerKind::Sqlite);
    proved(&reseller);
    reseller.tamper("UPDATE group_bill_row SET to_pay = 1 WHERE number = '2026-000002'");
    let told = reseller.run(&["verify", "--month", "2026-10"]).expect(1).stdout;
    assert!(told.contains("G2026100001 says other invoices or amounts than its rows"), "{told}");
}
