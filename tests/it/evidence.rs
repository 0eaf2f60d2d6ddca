//! The evidence, for dealerships that wish for it: with their emails, and in their statements.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fecha::letters::compose::{self, Envelope, InvoiceFiles};
use fecha::letters::email::Email;
use fecha::letters::mailbox::Sender;
use fecha::letters::template::Templates;
use fecha_core::count::evidence::{EvidenceKey, sha256_hex};
use rstest::rstest;

use crate::support::pdf::Pdf;
use crate::support::reseller::{DEALERSHIP_HEADER, LedgerKind, Reseller, dealership};
use crate::support::samples;

/// One dealership that wishes for this, with three contacts; its month is closed and mailed.
fn closed(ledger: LedgerKind, wish: &str) -> Reseller {
    let reseller = Reseller::new(ledger);
    reseller.register(&[("d1", "America/Manaus", "5000")]);
    wishes(&reseller, wish);
    reseller.add_contacts("d1", 3, "2026-10-31T12:00:00Z");
    reseller.run(&["close"]).expect(0);
    reseller.run(&["deliver"]).expect(0);
    reseller
}

fn wishes(reseller: &Reseller, wish: &str) {
    let header = DEALERSHIP_HEADER.trim_end();
    let row = dealership("d1", "America/Manaus");
    let file = format!("{header},evidence\n{},{wish}\n", row.trim_end());
    reseller.write("wishes.csv", &file);
    reseller.run(&["import", "--dealerships", "wishes.csv"]).expect(0);
}

/// The emails about the dealership's invoices that were sent since the last look.
fn posted(reseller: &Reseller) -> Vec<String> {
    let mut emails = Vec::new();
    for file in std::fs::read_dir(reseller.path("mail")).unwrap() {
        let path = file.unwrap().path();
        if path.file_name().unwrap().to_str().unwrap().contains("fatura-") {
            emails.push(std::fs::read_to_string(&path).unwrap());
        }
        std::fs::remove_file(path).unwrap();
    }
    emails
}

/// The attachment of this name, decoded.
fn attachment(email: &str, name: &str) -> Option<Vec<u8>> {
    let (_, part) = email.split_once(&format!("filename=\"{name}\""))?;
    let (_, body) = part.split_once("\r\n\r\n")?;
    let (body, _) = body.split_once("--=_")?;
    let body: String = body.split_whitespace().collect();
    Some(STANDARD.decode(body).unwrap())
}

fn sha256(reseller: &Reseller, arguments: &[&str]) -> String {
    reseller.invoices(arguments).last().unwrap()["evidence_sha256"].as_str().unwrap().to_owned()
}

#[rstest]
fn the_file_goes_with_first_issue_revision_and_resend(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let mut reseller = closed(ledger, "yes");
    let emails = posted(&reseller);
    let csv = attachment(&emails[0], "comprovacao-2026-000001.csv").unwrap();
    assert_eq!(sha256_hex(&csv), sha256(&reseller, &[]));
    let lines = String::from_utf8(csv).unwrap().lines().count();
    assert_eq!(lines, 4, "a header and three contacts");

    reseller.add_contacts("d1", 5, "2026-10-31T13:00:00Z");
    reseller.at("2026-11-03 15:00:00");
    let rerun = ["rerun", "--month", "2026-10", "--all", "--reason", "mensagens atrasadas"];
    reseller.run(&rerun).expect(0);
    reseller.run(&["deliver"]).expect(0);
    let emails = posted(&reseller);
    let csv = attachment(&emails[0], "comprovacao-2026-000001-R1.csv").unwrap();
    assert_eq!(sha256_hex(&csv), sha256(&reseller, &[]));

    reseller.run(&["resend", "2026-000001", "--to", "contador@example.com"]).expect(0);
    wishes(&reseller, "no");
    reseller.run(&["deliver"]).expect(0);
    let emails = posted(&reseller);
    let again = attachment(&emails[0], "comprovacao-2026-000001-R1.csv");
    assert_eq!(again, Some(csv), "as it was queued");

    reseller.run(&["resend", "2026-000001"]).expect(0);
    reseller.run(&["deliver"]).expect(0);
    let emails = posted(&reseller);
    assert_eq!(emails.len(), 1);
    assert!(!emails[0].contains("comprovacao"), "{}", emails[0]);
}

#[test]
fn a_statement_has_the_contacts_where_an_annex_is_wished_for() {
    let reseller = closed(LedgerKind::Sqlite, "annex");
    let emails = posted(&reseller);
    let csv = attachment(&emails[0], "comprovacao-2026-000001.csv").unwrap();
    assert_eq!(sha256_hex(&csv), sha256(&reseller, &[]));
    let statement = attachment(&emails[0], "extrato-2026-000001.pdf").unwrap();
    let text = Pdf::new(statement).text();
    assert!(text.contains("Anexo: contatos considerados"), "{text}");
    // Noon in UTC is eight in Manaus.
    assert_eq!(text.matches("31/10 08:00").count(), 3, "{text}");
    assert!(text.contains("horário de Manaus"), "{text}");

    let plain = closed(LedgerKind::Sqlite, "yes");
    let statement = attachment(&posted(&plain)[0], "extrato-2026-000001.pdf").unwrap();
    assert!(!Pdf::new(statement).text().contains("Anexo"));
}

#[test]
fn the_wish_goes_out_with_the_register_and_comes_back() {
    let reseller = closed(LedgerKind::Sqlite, "annex");
    reseller.run(&["export"]).expect(0);
    let written = std::fs::read_to_string(reseller.path("dealerships.csv")).unwrap();
    assert!(written.lines().nth(1).unwrap().ends_with(",annex"), "{written}");
    let again = ["import", "--dealerships", "dealerships.csv", "--json"];
    let imported = reseller.run(&again).expect(0).json();
    assert_eq!(imported["dealerships"]["unchanged"], 1);

    // A file from before there was the column takes the wish back, as it does with any empty cell.
    reseller.write("old.csv", &format!("{DEALERSHIP_HEADER}{}", dealership("d1", "")));
    reseller.run(&["import", "--dealerships", "old.csv"]).expect(0);
    reseller.run(&["export"]).expect(0);
    let written = std::fs::read_to_string(reseller.path("dealerships.csv")).unwrap();
    assert!(written.lines().next().unwrap().ends_with(",due_day"), "{written}");
}

/// What the invoice's evidence file holds: id and the rest of each line.
fn lines(reseller: &Reseller, number: &str) -> Vec<(String, String)> {
    let csv = reseller.run(&["invoice", number, "--evidence", "-"]).expect(0).stdout;
    let split = |line: &str| {
        let (id, rest) = line.split_once(',').unwrap();
        (id.to_owned(), rest.to_owned())
    };
    csv.lines().skip(1).map(split).collect()
}

fn ids(reseller: &Reseller, number: &str) -> BTreeSet<String> {
    lines(reseller, number).into_iter().map(|(id, _)| id).collect()
}

#[test]
fn the_files_of_two_dealerships_cannot_be_joined() {
    let mut reseller = Reseller::new(LedgerKind::Sqlite);
    reseller.register(&[("d1", "", "5000"), ("d2", "", "5000")]);
    for (id, day) in
        [("d1", "2026-10-31"), ("d2", "2026-10-31"), ("d1", "2026-11-30"), ("d2", "2026-11-30")]
    {
        reseller.add_contacts(id, 3, &format!("{day}T12:00:00Z"));
    }
    reseller.run(&["close"]).expect(0);
    reseller.at("2026-12-02 03:00:00").run(&["close"]).expect(0);
    let [first, other, next] =
        ["2026-000001", "2026-000002", "2026-000003"].map(|number| ids(&reseller, number));
    assert_eq!(first.len(), 3);
    assert!(first.is_disjoint(&other), "{first:?} {other:?}");
    // A dealership sees who came back.
    assert_eq!(first, next);
}

/// A new rule of ids is nobody's reason for a revision; a revision that there is a reason for is made by it.
#[rstest]
fn invoices_of_an_older_rule_are_compared_under_it(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let reseller = Reseller::of_0_1(ledger);
    let verify = ["verify", "--month", "2026-09", "--json"];
    let verified = reseller.run(&verify).json();
    assert!(verified["agrees"].as_i64().unwrap() > 1, "{verified}");
    let rerun = ["rerun", "--month", "2026-09", "--all", "--reason", "atrasadas", "--json"];
    let before = reseller.run(&rerun).json();
    assert_eq!(before["revised"], serde_json::json!([]), "{before}");

    let invoices = reseller.invoices(&["--month", "2026-09"]);
    let agreeing = invoices.iter().find(|invoice| {
        let differs = verified["differs"].as_array().unwrap();
        invoice["uam"].as_u64() > Some(1)
            && differs.iter().all(|d| d["number"] != invoice["number"])
    });
    let invoice = agreeing.unwrap();
    let (id, number) = (&invoice["dealership_id"], invoice["number"].as_str().unwrap());
    let old = lines(&reseller, number);
    let late = (id.as_str(), "5551987654321", "in", "session", None, None, "2026-09-20T12:00:00Z");
    reseller.add(&[late]);
    let revised = reseller.run(&rerun).json();
    assert_eq!(revised["revised"][0]["number"], number, "{revised}");
    assert_eq!(revised["revised"][0]["causes"], serde_json::json!(["late"]), "{revised}");
    let new = lines(&reseller, number);
    let rest = |lines: &[(String, String)]| -> BTreeSet<String> {
        lines.iter().map(|(_, rest)| rest.clone()).collect()
    };
    assert!(!old.is_empty() && rest(&old).is_subset(&rest(&new)));
    assert!(old.iter().all(|(id, _)| new.iter().all(|(other, _)| other != id)));
    assert_eq!(reseller.run(&verify).json()["agrees"], verified["agrees"]);
    let again = reseller.run(&rerun).json();
    assert_eq!(again["revised"], serde_json::json!([]), "{again}");
}

#[test]
fn a_key_that_can_be_guessed_is_refused_unless_there_is_no_way_back() {
    let mut reseller = Reseller::new(LedgerKind::Sqlite);
    let zeros = "0".repeat(64);
    reseller.write("evidence.key", &zeros);
    let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(reseller.path("evidence.key"), private).unwrap();
    let made = "id,name,trade_name,cnpj,address,city,state,email,cc,timezone,due_day\n";
    reseller.write("none.csv", made);
    let import = ["import", "--new-ledger", "--dealerships", "none.csv"];
    let refused = reseller.run(&import).expect(2).stderr;
    assert!(refused.contains("evidence.key) can be guessed"), "{refused}");
    std::fs::remove_file(reseller.path("evidence.key")).unwrap();
    reseller.variables.push(("FECHA_EVIDENCE_KEY".to_owned(), zeros));
    let refused = reseller.run(&["status"]).expect(2).stderr;
    assert!(refused.contains("(FECHA_EVIDENCE_KEY) can be guessed"), "{refused}");

    // A ledger that has issued under it can be verified under no other key.
    let fingerprint = EvidenceKey::new([0; 32]).fingerprint();
    reseller.ledger_sql(&format!("INSERT INTO meta VALUES ('evidence_key', '{fingerprint}')"));
    let warned = reseller.run(&["invoices"]).expect(0).stderr;
    assert!(warned.contains("can be guessed"), "{warned}");
}

fn email(evidence: Vec<u8>) -> Email {
    email_with(30_000, Some(evidence))
}

fn email_with(statement: usize, evidence: Option<Vec<u8>>) -> Email {
    let sender = Sender {
        from: fecha::letters::mailbox::mailbox("faturas@example.com").unwrap(),
        reply_to: None,
    };
    let date = "2026-11-01T03:00:01Z".parse().unwrap();
    let to = fecha::letters::mailbox::address("loja@example.com").unwrap();
    let envelope = Envelope { message_id: sender.new_message_id(date), to, date };
    let pdf = |bytes| vec![7; bytes];
    let files = InvoiceFiles { invoice: pdf(30_000), statement: pdf(statement), evidence };
    let email =
        compose::invoice(&Templates::new().unwrap(), envelope, &samples::invoice(), files).unwrap();
    assert!(email.to_bytes(&sender).unwrap().len() <= 10_000_000);
    email
}

#[rstest]
#[case(1_000_000, "csv", "")]
#[case(9_000_000, "csv.gz", " (compactada em gzip por causa do tamanho)")]
fn no_email_grows_beyond_what_servers_take(
    #[case] bytes: usize,
    #[case] extension: &str,
    #[case] remark: &str,
) {
    let email = email(vec![b'7'; bytes]);
    let name = format!("comprovacao-2026-000001.{extension}");
    let names: Vec<&str> = email.attachments.iter().map(|a| a.file_name.as_str()).collect();
    assert_eq!(names, ["fatura-2026-000001.pdf", "extrato-2026-000001.pdf", &name]);
    let said = format!(": a comprovação, uma linha por contato{remark}");
    assert!(email.text.contains(&format!("\n- {name}{said}\n\nDÚVIDAS")), "{}", email.text);
    assert!(email.html.contains(&format!("<strong>{name}</strong>{said}</p>")), "{}", email.html);
}

#[test]
fn evidence_that_no_email_could_carry_is_asked_for() {
    use rand::{RngExt as _, SeedableRng as _};
    let mut random = vec![0; 9_000_000];
    rand_chacha::ChaCha8Rng::seed_from_u64(1).fill(random.as_mut_slice());
    let email = email(random);
    assert_eq!(email.attachments.len(), 2);
    let said = "A comprovação é grande demais para um e-mail: peça-a a";
    assert!(email.text.contains(said) && email.html.contains(said), "{}", email.text);
}

/// The annex of 100,000 contacts makes a statement that no email could carry.
#[rstest]
#[case(6_800_000, None, &["fatura", "extrato"], "")]
#[case(9_000_000, None, &["fatura"], "O extrato é grande demais para um e-mail: peça-o a")]
#[case(9_000_000, Some(1000), &["fatura", "comprovacao"], "O extrato é grande demais para um e-mail: peça-o a")]
#[case(9_000_000, Some(9_000_000), &["fatura"], "O extrato e a comprovação são grandes demais para um e-mail: peça-os a")]
#[case(6_800_000, Some(9_000_000), &["fatura", "extrato"], "A comprovação é grande demais para um e-mail: peça-a a")]
fn a_statement_that_no_email_could_carry_is_asked_for(
    #[case] statement: usize,
    #[case] evidence: Option<usize>,
    #[case] files: &[&str],
    #[case] said: &str,
) {
    use rand::{RngExt as _, SeedableRng as _};
    let random = |bytes| {
        let mut random = vec![0; bytes];
        rand_chacha::ChaCha8Rng::seed_from_u64(1).fill(random.as_mut_slice());
        random
    };
    let email = email_with(statement, evidence.map(random));
    let names: Vec<_> = email
        .attachments
        .iter()
        .map(|file| file.file_name.split('-').next().unwrap().to_owned())
        .collect();
    assert_eq!(names, files);
    for text in [&email.text, &email.html] {
        assert!(text.contains(said), "{text}");
        assert_eq!(
            text.contains("grande demais") || text.contains("grandes demais"),
            !said.is_empty()
        );
        assert_eq!(text.contains("explica cada número"), files.contains(&"extrato"), "{text}");
    }
}
