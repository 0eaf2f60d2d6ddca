//! A close that is held tells finance and the admins what it would issue, black-box.

use std::collections::BTreeMap;
use std::io::Cursor;
use std::process::Command;

use calamine::{Data, Reader, Xlsx};
use rstest::rstest;
use serde_json::Value;

use crate::support::reseller::{LedgerKind, Reseller};

/// Three dealerships whose October is closed; of November `d1` has half, `d2` all and `d3` nothing. `d4` is new.
fn reseller(ledger: LedgerKind) -> Reseller {
    let mut reseller = Reseller::new(ledger);
    let admins = "ti@example.com,financeiro@example.com".to_owned();
    reseller.variables.push(("FECHA_EMAIL__ADMINS".to_owned(), admins));
    reseller.register(&[("d1", "", "5000"), ("d2", "", "5000"), ("d3", "", "5000")]);
    for id in ["d1", "d2", "d3"] {
        reseller.add_contacts(id, 100, "2026-10-31T12:00:00Z");
    }
    reseller.run(&["close"]).expect(0);
    reseller.run(&["deliver"]).expect(0);
    reseller.register(&[("d4", "", "10000")]);
    reseller.add_contacts("d1", 50, "2026-11-30T12:00:00Z");
    reseller.add_contacts("d2", 100, "2026-11-30T12:00:00Z");
    reseller.at("2026-12-02 12:00:00");
    reseller
}

fn alerts(reseller: &Reseller) -> Vec<Value> {
    reseller.outbox().into_iter().filter(|email| email["kind"] == "alert").collect()
}

/// The text and the files of the only email of this name.
fn read(reseller: &Reseller, name: &str) -> (String, BTreeMap<String, Vec<u8>>) {
    let folder = reseller.path("mail");
    let files = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    let email = files
        .filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with(name))
        .max()
        .unwrap_or_else(|| panic!("no email {name}"));
    let script = "
import email, email.policy, json, sys
message = email.message_from_binary_file(open(sys.argv[1], 'rb'), policy=email.policy.default)
text = message.get_body(('plain',)).get_content()
files = {part.get_filename(): list(part.get_content()) for part in message.iter_attachments()}
print(json.dumps([text, files]))";
    let ran = Command::new("python3").args(["-c", script]).arg(&email).output().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let (text, files): (String, BTreeMap<String, Vec<u8>>) =
        serde_json::from_slice(&ran.stdout).unwrap();
    (text.replace('\u{a0}', " "), files)
}

#[rstest]
fn finance_and_admins_are_told_once_what_a_held_close_would_issue(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let reseller = reseller(ledger);
    reseller.run(&["close"]).expect(1);
    let told = alerts(&reseller);
    let to: Vec<&str> = told.iter().map(|email| email["to"].as_str().unwrap()).collect();
    assert_eq!(to, ["financeiro@example.com", "ti@example.com"], "each once");
    let subject = told[0]["subject"].as_str().unwrap().replace('\u{a0}', " ");
    let expected = "Retido: fechamento de novembro de 2026 espera por uma pessoa · 4 faturas · R$ 4.869,00 (+60,1 %)";
    assert_eq!(subject, expected);

    // Looked at again, and in a dry run, for the same reason: nobody is told twice.
    reseller.run(&["close"]).expect(1);
    reseller.run(&["close", "--dry-run"]).expect(1);
    assert_eq!(alerts(&reseller).len(), 2);
    let dry = reseller.run(&["close", "--dry-run", "--json"]).expect(1).json();
    let plan = dry["plan"].as_str().unwrap();
    let release = format!("\n    fecha close --month 2026-11 --plan {plan} --by NOME\n");
    assert!(reseller.invoices(&["--month", "2026-11"]).is_empty());

    reseller.run(&["deliver"]).expect(0);
    let (text, files) = read(&reseller, "fechamento-2026-11-retido");
    for words in [
        "nenhuma fatura foi emitida nem enviada",
        "- Sem nenhuma mensagem neste mês: Concessionária d3 Ltda (d3). No mês anterior tinha 100 das 300 mensagens, mais de 10 %, e faturas de R$ 1.014,00.",
        "4 faturas · R$ 4.869,00 (+60,1 %) · 1 entrou, nenhuma saiu · conferência OK",
        "- Concessionária d4 Ltda (d4): R$ 1.827,00",
        release.as_str(),
        "\n    fecha preview --month 2026-11 --dealership CÓDIGO --pdf previa.pdf\n",
        "\n    fecha close --month 2026-11 --dry-run\n",
        "outubro de 2026 (3 faturas): R$ 3.042,00",
        "(horário de Brasília)",
    ] {
        assert!(text.contains(words), "{words} is not in:\n{text}");
    }
    for english in ["messages", "would", "invoice", "UTC"] {
        assert!(!text.contains(english), "{english} in:\n{text}");
    }

    let (name, bytes) = files.into_iter().next().expect("the workbook");
    assert_eq!(name, "fechamento-2026-11-retido.xlsx");
    let mut book = Xlsx::new(Cursor::new(bytes)).unwrap();
    let rows = book.worksheet_range("Faturas").unwrap();
    let ids: Vec<String> = rows.rows().skip(1).map(|row| row[2].to_string()).collect();
    assert_eq!(ids, ["d1", "d2", "d3", "d4", ""], "what would be issued, and the totals");
    assert_eq!(rows.get_value((5, 13)), Some(&Data::Float(4869.0)));
    assert_eq!(rows.get_value((1, 0)), Some(&Data::Empty), "no number is given");
}

#[test]
fn another_reason_is_told_and_a_release_ends_it() {
    let mut reseller = reseller(LedgerKind::Sqlite);
    reseller.run(&["close"]).expect(1);
    let nobody =
        |contact| (Some("d1"), contact, "in", "session", None, None, "2026-11-30T12:00:00Z");
    reseller.add(&[nobody(""); 20]);
    reseller.at("2026-12-02 13:00:00");
    reseller.run(&["close"]).expect(1);
    assert_eq!(alerts(&reseller).len(), 4, "there are more reasons now");
    reseller.run(&["deliver"]).expect(0);
    let (text, _) = read(&reseller, "fechamento-2026-11-retido");
    let words = "20 das 170 mensagens não podem ser cobradas, mais de 5 %: 0 de códigos fora do cadastro, 0 com direção ou tipo inválido, 20 do que não é contato. Se todas fossem HSM, seriam R$ 9,20.";
    assert!(text.contains(words), "{text}");

    reseller.run(&["close", "--release", "--by", "Ana"]).expect(0);
    assert_eq!(reseller.invoices(&["--month", "2026-11"]).len(), 4);
    reseller.run(&["deliver"]).expect(0);
    assert_eq!(alerts(&reseller).len(), 4);
    let (text, _) = read(&reseller, "fechamento-2026-11-0");
    let top = "4 faturas · R$ 4.869,00 (+60,1 %) · 1 entrou, nenhuma saiu · conferência OK · R$ 3.042,00 vencidos\n";
    assert!(text.starts_with(top), "{text}");
}

#[test]
fn who_has_the_console_is_led_to_the_month() {
    let mut reseller = reseller(LedgerKind::Sqlite);
    let url = "https://fecha.example.com/".to_owned();
    reseller.variables.push(("FECHA_CONSOLE__PUBLIC_URL".to_owned(), url));
    reseller.run(&["close"]).expect(1);
    reseller.run(&["deliver"]).expect(0);
    let (text, _) = read(&reseller, "fechamento-2026-11-retido");
    assert!(text.contains("No console: https://fecha.example.com/months/2026-11\n"), "{text}");

    reseller
        .variables
        .push(("FECHA_CONSOLE__PUBLIC_URL".to_owned(), "http://fecha.example.com".to_owned()));
    let refused = reseller.run(&["status"]).expect(2).stderr;
    assert!(refused.contains("is no address of the console: https://"), "{refused}");
}

/// Half of the messages came after the first look: what the email said is not what would be issued any more.
#[test]
fn a_hold_that_comes_to_something_else_is_told_again() {
    let reseller = reseller(LedgerKind::Sqlite);
    reseller.run(&["close"]).expect(1);
    reseller.run(&["close"]).expect(1);
    assert_eq!(alerts(&reseller).len(), 2, "once for the same");
    reseller.add_contacts("d1", 60, "2026-11-30T13:00:00Z");
    reseller.run(&["close"]).expect(1);
    assert_eq!(alerts(&reseller).len(), 4);
}

/// What was cancelled since the report before is part of what the month comes to.
#[test]
fn a_supplement_says_what_was_cancelled() {
    let mut reseller = Reseller::new(LedgerKind::Sqlite);
    reseller.register(&[("d1", "", "5000"), ("d2", "", "5000")]);
    reseller.add_contacts("d1", 3, "2026-10-31T12:00:00Z");
    reseller.run(&["close"]).expect(0);
    reseller.at("2026-11-03 12:00:00");
    reseller.run(&["cancel", "2026-000002", "--reason", "x", "--by", "ana"]).expect(0);
    reseller.add(&[(
        Some("d1"),
        "5548990000001",
        "out",
        "hsm",
        None,
        None,
        "2026-10-30T12:00:00Z",
    )]);
    reseller
        .run(&["rerun", "--month", "2026-10", "--all", "--reason", "x", "--by", "ana"])
        .expect(0);
    reseller.run(&["digest", "--month", "2026-10", "--dir", "out"]).expect(0);
    let mut files = std::fs::read_dir(reseller.path("out")).unwrap().map(|f| f.unwrap().path());
    let file = files.find(|path| path.to_str().unwrap().ends_with("suplemento-1.txt"));
    let text = std::fs::read_to_string(file.unwrap()).unwrap().replace('\u{a0}', " ");
    let top = "−R$ 1.013,54 · −R$ 1.014,00 por faturas canceladas · o mês agora soma R$ 1.014,46 em 1 fatura";
    assert!(text.starts_with(top), "{text}");
}

/// A close of some dealerships holds nobody's month: who named them reads why.
#[test]
fn a_held_close_of_named_dealerships_mails_nobody() {
    let reseller = reseller(LedgerKind::Sqlite);
    let held = reseller.run(&["close", "--dealership", "d3", "--json"]).expect(1).json();
    assert!(held["held"].is_string());
    assert_eq!(alerts(&reseller).len(), 0);
}

/// A month that has ended in the east alone: who is still in it has not left, and a second hold, in the west,
/// is told though the first was released.
#[test]
fn who_is_still_in_the_month_has_not_left() {
    let mut reseller = Reseller::new(LedgerKind::Sqlite);
    reseller.register(&[("d1", "America/Noronha", "5000"), ("d2", "America/Rio_Branco", "5000")]);
    for id in ["d1", "d2"] {
        reseller.add_contacts(id, 100, "2026-10-31T12:00:00Z");
        reseller.add_contacts(id, 40, "2026-11-30T12:00:00Z");
    }
    reseller.run(&["close"]).expect(0);
    reseller.run(&["deliver"]).expect(0);
    reseller.at("2026-12-01 02:30:00");
    let close = |reseller: &Reseller, status| {
        reseller.run(&["close", "--month", "2026-11"]).expect(status);
    };
    close(&reseller, 1);
    reseller.run(&["deliver"]).expect(0);
    let (text, _) = read(&reseller, "fechamento-2026-11-retido");
    let top = "1 fatura · R$ 1.014,00 (0,0 %) · ninguém entrou nem saiu · conferência OK · R$ 2.028,00 vencidos\nSem 1 concessionária de outros fusos, onde o mês ainda não terminou.\n";
    assert!(text.contains(top), "{text}");

    reseller.run(&["close", "--month", "2026-11", "--release", "--by", "Ana"]).expect(0);
    reseller.at("2026-12-01 06:00:00");
    close(&reseller, 1);
    close(&reseller, 1);
    assert_eq!(alerts(&reseller).len(), 2, "the second hold is told once too");
}
