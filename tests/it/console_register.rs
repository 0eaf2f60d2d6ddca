//! The console's pages about the register, over HTTP with the real daemon: imports, one dealership's forms, lists by
//! key, audit, simulation. Who may ask is access's to test.

use std::cell::RefCell;
use std::time::Duration;

use rstest::rstest;

use crate::support::browser::{Answer, Browser};
use crate::support::daemon::{Daemon, Shift, within};
use crate::support::pdf::Pdf;
use crate::support::reseller::{A_DAY_LATER, DEALERSHIP_HEADER, LedgerKind, Reseller, dealership};

const ANA: &str = "ana@example.com";

/// Ana of the administration, signed in at a reseller's daemon.
struct Desk {
    ana: RefCell<Browser>,
    _daemon: Daemon,
}

impl Desk {
    fn of(reseller: &Reseller) -> Self {
        let daemon = Shift::new(reseller, &format!("{}Z", A_DAY_LATER.replace(' ', "T"))).start();
        let ana = RefCell::new(Browser::signed_in(reseller, &daemon, ANA, "admin"));
        Self { ana, _daemon: daemon }
    }

    /// Whatever a path gives.
    fn ask(&self, path: &str) -> Answer {
        self.ana.borrow_mut().get(path)
    }

    #[track_caller]
    fn get(&self, path: &str) -> String {
        read(self.ask(path), 200)
    }

    fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.ana.borrow_mut().post(path, fields)
    }

    /// Sends files as a browser does.
    fn send(&self, files: &[(&str, &str)]) -> Answer {
        let part = |(name, content): &(&str, &str)| {
            format!(
                "--x\r\nContent-Disposition: form-data; name=\"files\"; filename=\"{name}\"\r\nContent-Type: text/csv\r\n\r\n{content}\r\n"
            )
        };
        let body = files.iter().map(part).collect::<String>() + "--x--\r\n";
        let head = format!(
            "POST /dealerships/import HTTP/1.1\r\nSec-Fetch-Site: same-origin\r\nContent-Type: multipart/form-data; boundary=x\r\nContent-Length: {}\r\n",
            body.len()
        );
        self.ana.borrow_mut().ask(&head, &body)
    }

    /// The page of a task once it is over.
    #[track_caller]
    fn over(&self, task: &str) -> String {
        let mut shown = String::new();
        within(Duration::from_mins(1), "the task is over", || {
            shown = self.get(task);
            !shown.contains("data-events=")
        });
        shown
    }

    /// Applies what an import's page shows: what came of the task that it asked for.
    #[track_caller]
    fn apply(&self, shown: &str) -> String {
        let names = ["dealerships", "contracts", "numbers", "twins", "plan"];
        let form = &shown[shown.find("/dealerships/import/apply").unwrap()..];
        let fields = names.map(|name| (name, hidden(form, name)));
        let answer = self.post("/dealerships/import/apply", &fields);
        self.over(answer.leads_to())
    }
}

/// A page as it is read, with ordinary spaces, if the status was this.
#[track_caller]
fn read(answer: Answer, status: u16) -> String {
    let marks = [("&#x27;", "'"), ("&amp;", "&"), ("\u{a0}", " ")];
    let body = answer.expect(status).body;
    marks.iter().fold(body, |page, (written, mark)| page.replace(written, mark))
}

/// The value of a hidden field.
fn hidden<'a>(page: &'a str, name: &str) -> &'a str {
    let field = format!("name=\"{name}\" value=\"");
    let from = page.find(&field).unwrap_or_else(|| panic!("no {name}: {page}")) + field.len();
    page[from..].split('"').next().unwrap()
}

fn reseller(ledger: LedgerKind) -> Reseller {
    let reseller = Reseller::new(ledger);
    reseller.register(&[("d1", "", "5000"), ("d2", "", "5000")]);
    reseller
}

fn exported(reseller: &Reseller, file: &str) -> String {
    reseller.run(&["export", "--dealerships", "x.csv", "--contracts", "y.csv"]).expect(0);
    std::fs::read_to_string(reseller.path(file)).unwrap()
}

/// As Excel saves it in Brazil.
fn excel(csv: &str) -> String {
    let cells = csv.replace("\"Rua Um, 1\"", "Rua Um 1").replace(',', ";");
    format!("\u{feff}{}", cells.replace('\n', "\r\n"))
}

#[rstest]
fn what_was_shown_is_imported_and_nothing_else(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let reseller = reseller(ledger);
    let desk = Desk::of(&reseller);
    let moved = dealership("d1", "").replace("Curitiba", "Londrina");
    let people = excel(&format!("{DEALERSHIP_HEADER}{moved}{}", dealership("d3", "")));
    let contracts = "dealership_id;from_month;package\nd3;nov/26;10000\n";
    let shown =
        desk.send(&[("lojas.csv", &people), ("contratos.csv", contracts)]).leads_to().to_owned();
    let page = desk.get(&shown);
    assert!(page.contains("cidade: <del>Curitiba</del> → <ins>Londrina</ins>"), "{page}");
    assert!(page.contains("Concessionária d3") && page.contains("novembro de 2026"), "{page}");
    assert!(page.contains("pacote: 10.000") && page.contains("e-mail: d3@example.com"), "{page}");
    assert!(page.contains("1 concessionária fica como estão"), "{page}");
    assert!(!exported(&reseller, "x.csv").contains("Londrina"), "nothing was applied yet");

    // Somebody moves d1 elsewhere meanwhile: what was shown would undo that unseen.
    let elsewhere = dealership("d1", "").replace("Curitiba", "Maringá");
    reseller.write("z.csv", &format!("{DEALERSHIP_HEADER}{elsewhere}"));
    reseller.run(&["import", "--dealerships", "z.csv"]).expect(0);
    assert!(desk.apply(&page).contains("o cadastro mudou desde a conferência"));
    let now = exported(&reseller, "x.csv");
    assert!(now.contains("Maringá") && !now.contains("d3"), "{now}");

    let page = desk.get(&shown);
    assert!(page.contains("<del>Maringá</del> → <ins>Londrina</ins>"), "{page}");
    let done = desk.apply(&page);
    assert!(done.contains("dizem: 2 concessionárias e 1 contrato."), "{done}");
    let now = exported(&reseller, "x.csv");
    assert!(now.contains("Londrina") && now.contains("d3"), "{now}");
    assert!(exported(&reseller, "y.csv").contains("d3,2026-11,10000"));
    // Who asks for the same again, as a daemon that died before it said so, finds it done.
    assert!(desk.apply(&page).contains("dizem: 2 concessionárias e 1 contrato."));
    assert!(desk.get(&shown).contains("Nada mudaria"));
    let log = desk.get("/audit?dealership=d1&who=ana%40example.com");
    assert!(log.contains("cidade: Maringá → Londrina"), "{log}");
}

/// A whole register is new: each dealership is shown, with its contracts, some on a page that a telephone takes.
#[test]
fn what_is_new_is_shown_row_by_row() {
    let reseller = reseller(LedgerKind::Sqlite);
    let desk = Desk::of(&reseller);
    let ids: Vec<String> = (0..1500).map(|number| format!("n{number:04}")).collect();
    let rows = ids.iter().map(|id| dealership(id, "")).collect::<String>();
    let moved = dealership("d1", "").replace("Curitiba", "Londrina");
    let people = format!("{DEALERSHIP_HEADER}{rows}{moved}");
    let contracts = ids.iter().map(|id| format!("{id},2026-11,5000\n")).collect::<String>();
    let contracts = format!("dealership_id,from_month,package\n{contracts}");
    let shown = desk.send(&[("l.csv", &people), ("c.csv", &contracts)]).leads_to().to_owned();
    let page = desk.get(&shown);
    assert!(page.contains("Linhas 1 a 50 de 3.001"), "{page}");
    let place = |text: &str| page.find(text).unwrap_or_else(|| panic!("no {text}: {page}"));
    let order = [
        place("<del>Curitiba</del> → <ins>Londrina</ins>"),
        place("Concessionária n0000"),
        place("Contrato de n0000 a partir de novembro de 2026"),
        place("Concessionária n0001"),
        place("Contrato de n0023"),
        place("Concessionária n0024"),
    ];
    assert!(order.is_sorted() && !page.contains("n0025"), "{order:?}");
    assert!(page.contains("razão social: ") && page.contains("pacote: 5.000"), "{page}");
    let last = desk.get(&format!("{shown}&page=60"));
    assert!(last.contains("Linhas 3.001 a 3.001 de 3.001") && last.contains("Contrato de n1499"));
    // Past the end is the end.
    let past = desk.get(&format!("{shown}&page=18446744073709551615"));
    assert!(past.contains("Linhas 3.001 a 3.001 de 3.001"), "{past}");
    let mut ana = desk.ana.borrow().clone();
    ana.headers = vec![("Accept-Encoding".to_owned(), "gzip".to_owned())];
    let (answer, bytes) = ana.download(&shown);
    assert_eq!(answer.header("content-encoding"), "gzip");
    assert!(bytes.len() < 20 << 10, "{} bytes", bytes.len());
}

#[rstest]
fn twins_are_refused_with_the_reason_until_a_person_says_that_they_are_two(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let reseller = reseller(ledger);
    let desk = Desk::of(&reseller);
    let twin = format!("{DEALERSHIP_HEADER}{}", dealership("D1", ""));
    let shown = desk.send(&[("lojas.csv", &twin)]).leads_to().to_owned();
    let page = desk.get(&shown);
    assert!(page.contains("'D1' pode ser 'd1', que está no cadastro"), "{page}");
    assert!(!page.contains("/dealerships/import/apply"), "nothing can be applied");
    let page = desk.get(&format!("{shown}&twins=yes"));
    assert!(page.contains("'D1' e 'd1'"), "{page}");
    assert!(desk.apply(&page).contains("dizem: 1 concessionária."));
    assert!(exported(&reseller, "x.csv").contains("\nD1,"));
}

#[test]
fn bad_rows_are_told_by_file_line_and_column_in_portuguese() {
    let reseller = reseller(LedgerKind::Sqlite);
    let desk = Desk::of(&reseller);
    let bad =
        dealership("d9", "America/Nowhere").replace("11.222.333/0001-81", "11.222.333/0001-82");
    let people = format!("{DEALERSHIP_HEADER}{}{bad}", dealership("d8", ""));
    let contracts = "dealership_id,from_month,package\nd8,out/26,7000\nd77,2026-10,5000\n";
    let shown =
        desk.send(&[("lojas.csv", &people), ("contratos.csv", contracts)]).leads_to().to_owned();
    let page = desk.get(&shown);
    for part in [
        "4 linhas precisam de correção",
        "lojas.csv, linha 3",
        "<code>cnpj</code>",
        "os dígitos verificadores do CNPJ",
        "não é um fuso horário",
        "contratos.csv, linha 2",
        "não tem o pacote de 7.000 contatos",
        "não está no cadastro",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    let page = read(desk.send(&[("notas.xlsx", "PK\u{3}")]), 422);
    assert!(page.contains("não é nenhum dos três arquivos"), "{page}");
}

#[rstest]
fn an_address_is_checked_as_in_a_file_and_printed_from_then_on(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let mut reseller = reseller(ledger);
    reseller.at(A_DAY_LATER).add_contacts("d1", 3, "2026-10-31T12:00:00Z");
    reseller.run(&["close", "--month", "2026-10"]).expect(0);
    let desk = Desk::of(&reseller);
    let page = desk.get("/dealerships/d1");
    assert!(page.contains("2026-000001") && page.contains("<svg class=\"chart\""), "{page}");
    let seen = hidden(&page, "seen").to_owned();
    let form = |email: &'static str, postal_code: &'static str, seen: &str| {
        let fields = [
            ("email", email),
            ("cc", "b@example.com; c@example.com"),
            ("address", "Avenida Nova, 2"),
            ("postal_code", postal_code),
            ("city", "Londrina"),
            ("state", "PR"),
            ("seen", seen),
        ];
        desk.post("/dealerships/d1/address", &fields)
    };
    let page = read(form("a@loja", "9501000", &seen), 422);
    assert!(page.contains("falta o fim do domínio") && page.contains("zero à esquerda"), "{page}");
    assert!(page.contains("value=\"Avenida Nova, 2\""), "what was typed stays: {page}");
    assert_eq!(form("novo@example.com", "95010-000", &seen).leads_to(), "/dealerships/d1");
    let page = read(form("outro@example.com", "95010-000", &seen), 422);
    assert!(page.contains("Alguém alterou esta concessionária"), "{page}");

    let audit = desk.get("/audit?dealership=d1&action=import");
    assert!(audit.contains("e-mail: d1@example.com → novo@example.com"), "{audit}");
    let invoiced = |number: &str| reseller.run(&["invoice", number, "--json"]).expect(0).stdout;
    let before = invoiced("2026-000001");
    assert!(!before.contains("Avenida Nova"), "{before}");
    drop(desk);
    reseller.at("2026-12-02 03:00:00").add_contacts("d1", 3, "2026-11-30T12:00:00Z");
    reseller.run(&["close", "--month", "2026-11"]).expect(0);
    let november = reseller.invoices(&["--month", "2026-11", "--dealership", "d1"]);
    let number = november[0]["number"].as_str().unwrap().to_owned();
    reseller.run(&["invoice", &number, "--pdf", "n.pdf"]).expect(0);
    let text = Pdf::new(std::fs::read(reseller.path("n.pdf")).unwrap()).text();
    assert!(text.contains("Avenida Nova, 2"), "{text}");
    let to: Vec<String> = reseller
        .outbox()
        .iter()
        .filter(|email| email["number"] == number.as_str())
        .map(|email| email["to"].as_str().unwrap().to_owned())
        .collect();
    assert!(
        to.contains(&"novo@example.com".to_owned()) && to.contains(&"c@example.com".to_owned())
    );
}

#[rstest]
fn a_contract_says_what_it_changes(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let mut reseller = reseller(ledger);
    reseller.at(A_DAY_LATER).add_contacts("d1", 3, "2026-10-31T12:00:00Z");
    reseller.run(&["close", "--month", "2026-10"]).expect(0);
    let desk = Desk::of(&reseller);
    let change = |month: &str, package: &str| {
        desk.post("/dealerships/d1/contract", &[("from_month", month), ("package", package)])
    };
    let page = read(change("2026-11", "7000"), 422);
    assert!(page.contains("não tem o pacote de 7.000 contatos"), "{page}");
    let page = read(change("2026-11", "5000"), 422);
    assert!(page.contains("Já está assim"), "{page}");
    let done = change("10/2026", "10000");
    assert_eq!(done.leads_to(), "/dealerships/d1");
    let said = desk.get("/dealerships/d1");
    assert!(said.contains("pacote de 10.000 contatos (antes: pacote de 5.000 contatos)"), "{said}");
    assert!(said.contains("Já faturado: outubro de 2026"), "{said}");
    assert_eq!(change("2026-12", "none").status, 303);
    let contracts = exported(&reseller, "y.csv");
    assert!(contracts.contains("d1,2026-10,10000\nd1,2026-12,none"), "{contracts}");
    let audit = desk.get("/audit?dealership=d1&text=PACOTE");
    assert!(audit.contains("pacote: 5.000 → 10.000 a partir de outubro de 2026"), "{audit}");
}

#[test]
fn a_credit_is_entered_once_understood_and_taken_back() {
    let reseller = reseller(LedgerKind::Sqlite);
    let desk = Desk::of(&reseller);
    let enter = |amount: &str, kind: &str| {
        let fields =
            [("kind", kind), ("amount", amount), ("month", "2026-11"), ("description", "Cortesia")];
        desk.post("/dealerships/d1/credit", &fields)
    };
    assert!(read(enter("1.192", "credit"), 422).contains("não é um valor"));
    assert!(read(enter("0", "credit"), 422).contains("não é um valor"));
    assert_eq!(enter("1.192,50", "credit").leads_to(), "/dealerships/d1");
    assert_eq!(enter("20", "charge").leads_to(), "/dealerships/d1");
    let page = desk.get("/dealerships/d1");
    assert!(page.contains("-R$ 1.192,50") && page.contains("R$ 20,00"), "{page}");
    let other = desk.post("/dealerships/d2/credit/1/undo", &[]);
    assert_eq!(other.status, 404, "it is another dealership's");
    assert_eq!(desk.post("/dealerships/d1/credit/1/undo", &[]).leads_to(), "/dealerships/d1");
    assert!(desk.get("/dealerships/d1").contains("Retirado"));
    let again = desk.post("/dealerships/d1/credit/1/undo", &[]);
    assert!(read(again, 400).contains("já foi retirado"));
}

/// The names of a list's page, and where the next one is.
fn listed(page: &str) -> (Vec<String>, Option<String>) {
    let link = |part: &str| part.split('"').next().unwrap().to_owned();
    let names = page.split("<th scope=\"row\"><a href=\"/dealerships/").skip(1).map(link);
    let next = page.split("href=\"").find(|part| part.contains("rel=\"next\""));
    (names.collect(), next.map(link))
}

#[rstest]
fn pages_of_a_list_neither_skip_nor_repeat_while_rows_are_added(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let reseller = Reseller::new(ledger);
    let ids: Vec<String> = (100..220).map(|number| format!("d{number}")).collect();
    let all: Vec<(&str, &str, &str)> = ids.iter().map(|id| (id.as_str(), "", "5000")).collect();
    reseller.register(&all);
    let desk = Desk::of(&reseller);
    let (first, next) = listed(&desk.get("/dealerships"));
    assert_eq!(first, ids[..50]);
    // One before what was seen, one behind it.
    reseller.register(&[("d000", "", ""), ("d1495", "", "5000")]);
    let (second, next) = listed(&desk.get(&next.unwrap()));
    assert_eq!((second[0].as_str(), second.len()), ("d1495", 50));
    assert_eq!(second[1..], ids[50..99]);
    let (third, next) = listed(&desk.get(&next.unwrap()));
    assert_eq!((third, next), (ids[99..].to_vec(), None));

    let (found, _) = listed(&desk.get("/dealerships?q=CONCESSIONARIA+D21"));
    assert_eq!(found, ids[110..]);
    let (without, _) = listed(&desk.get("/dealerships?contract=no"));
    assert_eq!(without, ["d000"]);
    assert!(desk.get("/dealerships?q=11222333000181").contains("122 concessionárias"));
    assert!(desk.get("/dealerships?q=nada").contains("Nenhuma concessionária encontrada"));
    let lost = read(desk.ask("/dealerships/nobody"), 404);
    assert!(lost.contains("não está no cadastro"));
}

#[test]
fn the_audit_log_goes_on_by_key_and_is_searched_as_it_is_written() {
    let reseller = reseller(LedgerKind::Sqlite);
    for number in 0..60 {
        reseller.ledger_sql(&format!(
            "INSERT INTO audit (id, at, actor, action, detail)
             VALUES ('00{number:02}', '2026-01-01T00:00:00.000Z', 'rui', 'pay', 'no {number} 100%_')"
        ));
    }
    let desk = Desk::of(&reseller);
    let next = |page: &str| listed(page).1.unwrap();
    let page = desk.get("/audit?who=rui");
    assert!(page.contains("no 59 ") && page.contains("no 10 ") && !page.contains("no 9 "));
    reseller.ledger_sql(
        "INSERT INTO audit (id, at, actor, action, detail)
         VALUES ('0099', '2026-01-01T00:00:00.000Z', 'rui', 'pay', 'atrasado')",
    );
    let page = desk.get(&next(&page));
    assert!(page.contains("no 9 ") && !page.contains("no 10 ") && !page.contains("atrasado"));
    assert!(desk.get("/audit?text=0%25_").contains("no 59 "), "a % is a %");
    assert!(desk.get("/audit?text=0_%25").contains("Nenhum registro"));
    assert!(desk.get("/audit?action=cancel").contains("Nenhum registro"));
    // What no index serves is looked for in the newest entries, and further back when a person says so.
    reseller.ledger_sql(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
         INSERT INTO audit (id, at, actor, action, detail)
         SELECT '1' || i, '2026-01-02T00:00:00.000Z', 'eva', 'pay', 'new' FROM n",
    );
    let page = desk.get("/audit?who=rui");
    assert!(page.contains("Procurar nos mais antigos") && !page.contains("no 59 "), "{page}");
    let links = page.split("href=\"").find(|part| part.starts_with("/audit?who=rui&before="));
    let page = desk.get(links.unwrap().split('"').next().unwrap());
    assert!(page.contains("no 59 ") && !page.contains("mais antigos"), "{page}");
    let wrong = read(desk.ask("/audit?month=outubro"), 422);
    assert!(wrong.contains("O mês se escreve como 2026-10"));
}

/// What the page shows in Portuguese is found, though the log has other words.
#[rstest]
fn the_audit_log_is_searched_by_what_its_page_shows(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let reseller = reseller(ledger);
    let add = |action: &str, id: &str, month: &str, detail: &str| {
        reseller.ledger_sql(&format!(
            "INSERT INTO audit (id, at, actor, action, month, detail)
             VALUES ('{id}', '2026-01-02T02:30:00.000Z', 'Ênio', '{action}', {month}, '{detail}')"
        ));
    };
    add("person", "001", "NULL", "leo@example.com added as admin: Leo");
    add("person", "002", "NULL", "bia@example.com is finance now, viewer before");
    let replaced = "2026-000001-R1 1.00 replaces 2026-000001 2.00: late; reason: combinado";
    add("rerun", "003", "'2026-09'", replaced);
    add("pay", "004", "NULL", "2026-000056 10.00 on 2026-10-26 (iss)");
    add("resend", "005", "NULL", "2026-000073 cancelled again");
    let desk = Desk::of(&reseller);
    let found = |text: &str| {
        let page = desk.get(&format!("/audit?who=%C3%8Anio&text={}", text.replace(' ', "+")));
        let all = ["leo@", "bia@", "mensagens que chegaram", "ISS retido", "2026-000073"];
        let found = all.iter().filter(|one| page.contains(**one));
        found.map(|one| (*one).to_owned()).collect::<Vec<_>>()
    };
    for (text, expected) in [
        ("administra%C3%A7%C3%A3o", vec!["leo@"]),
        ("papel FINANCEIRO", vec!["bia@"]),
        ("mensagens que chegaram depois", vec!["mensagens que chegaram"]),
        ("motivo: combinado", vec!["mensagens que chegaram"]),
        ("setembro de 2026", vec!["mensagens que chegaram"]),
        ("iss retido", vec!["ISS retido"]),
        ("R$ 10,00 em 26/10/2026", vec!["ISS retido"]),
        ("pagamento", vec!["ISS retido"]),
        ("cancelamento de novo", vec!["2026-000073"]),
        ("pessoas", vec!["leo@", "bia@"]),
        // By the issuer's clock it was still the day before.
        ("01/01/2026 pessoas", vec!["leo@", "bia@"]),
        ("02/01/2026", vec![]),
        ("%C3%AAnio leo", vec!["leo@"]),
        ("100%25", vec![]),
    ] {
        assert_eq!(found(text), expected, "{text}");
    }
}

#[rstest]
fn other_prices_are_simulated_at_once_or_as_a_task(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let mut reseller = reseller(ledger);
    reseller.at(A_DAY_LATER).add_contacts("d1", 5010, "2026-10-31T12:00:00Z");
    reseller.run(&["close", "--month", "2026-10"]).expect(0);
    let desk = Desk::of(&reseller);
    let simulate = |from: &str, overage: &str, package: &str| {
        let fields = [
            ("from", from),
            ("to", "2026-10"),
            ("overage", overage),
            ("hsm", "0,46"),
            ("package_5000", package),
            ("package_10000", ""),
        ];
        desk.post("/simulate", &fields)
    };
    assert!(read(simulate("2026-10", "muito", "1.014,00"), 422).contains("Escreva o preço"));
    let page = desk.get(simulate("2026-10", "0,30", "1.100,00").leads_to());
    // 2 × 1,014.00 + 10 × 0.29, and 2 × 1,100.00 + 10 × 0.30.
    assert!(page.contains("R$ 2.030,90") && page.contains("R$ 2.203,00"), "{page}");
    assert!(page.contains("R$ 172,10"), "{page}");
    let without = simulate("2026-10", "0,30", "").leads_to().to_owned();
    let page = read(desk.ask(&without), 422);
    assert!(page.contains("não tem o pacote de 5.000 contatos"), "{page}");
    let over = desk.over(simulate("2025-10", "0,30", "1.100,00").leads_to());
    assert!(over.contains("/simulate?task="), "{over}");
    let page = desk.get(&result(&over));
    assert!(page.contains("R$ 2.030,90") && page.contains("R$ 2.203,00"), "{page}");
    // A long one that cannot be: for the same reason as a short one.
    let task = simulate("2025-10", "0,30", "").leads_to().to_owned();
    let over = desk.over(&task);
    assert!(over.contains("não tem o pacote de 5.000 contatos"), "{over}");
    let page = desk.get(&task.replace("/tasks/", "/simulate?task="));
    assert!(
        page.contains("Não dá para simular") && page.contains("não tem o pacote de 5.000"),
        "{page}"
    );
}

/// Where the page of a task leads to its result.
fn result(over: &str) -> String {
    let link = over.split("href=\"").find(|part| part.starts_with("/simulate?task=")).unwrap();
    link.split('"').next().unwrap().to_owned()
}

#[rstest]
fn a_check_says_what_it_found(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let reseller = reseller(ledger);
    let desk = Desk::of(&reseller);
    assert!(desk.get("/system").contains("Verificar agora"));
    let page = read(desk.post("/system/check", &[]), 200);
    assert!(page.contains("2 concessionárias, 2 contratos"), "{page}");
    reseller.ledger_sql("UPDATE contract SET package = 7000 WHERE dealership_id = 'd2'");
    std::fs::remove_file(reseller.path("messages.db")).unwrap();
    let page = read(desk.post("/system/check", &[]), 200);
    assert!(page.contains("d2 (7.000)") && page.contains("Não funciona"), "{page}");
}

#[rstest]
fn every_id_has_a_page_and_its_forms(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let reseller = Reseller::new(ledger);
    let ids = ["import", "..", "~import", "são/1?", "d 2"];
    let row = |id| dealership(id, "").replace(&format!("{id}@example.com"), "loja@example.com");
    reseller.write("x.csv", &format!("{DEALERSHIP_HEADER}{}", ids.map(row).concat()));
    reseller.run(&["import", "--dealerships", "x.csv", "--accept-twins"]).expect(0);
    let desk = Desk::of(&reseller);
    let (paths, _) = listed(&desk.get("/dealerships"));
    assert_eq!(paths.len(), ids.len());
    for id in ids {
        let name = format!("<h1>Concessionária {id} Ltda</h1>");
        let path = paths.iter().map(|path| format!("/dealerships/{path}"));
        let path = path.into_iter().find(|path| desk.get(path).contains(&name));
        let path = path.unwrap_or_else(|| panic!("{id} has no page"));
        // What a browser would take for a folder above is none.
        assert!(!path.ends_with("/..") && path != "/dealerships/import", "{path}");
        let fields =
            [("kind", "credit"), ("amount", "1,00"), ("month", "2026-11"), ("description", id)];
        let credit = desk.post(&format!("{path}/credit"), &fields);
        assert_eq!(credit.leads_to(), path);
        let entered = "SELECT description FROM adjustment WHERE dealership_id = description";
        assert!(reseller.ledger_texts(entered).contains(&id.to_owned()), "{id}");
    }
    assert!(desk.get("/dealerships/import").contains("Importar cadastro"));
}

#[rstest]
fn a_dealerships_page_shows_its_reminders(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let mut reseller = reseller(ledger);
    reseller.at(A_DAY_LATER).add_contacts("d1", 3, "2026-10-31T12:00:00Z");
    reseller.run(&["close", "--month", "2026-10"]).expect(0);
    let desk = Desk::of(&reseller);
    assert!(!desk.get("/dealerships/d1").contains("Lembrete"));
    desk.post("/receivables/of/d1/remind", &[]).leads_to();
    assert!(desk.get("/dealerships/d1").contains("Lembrete"));
    assert!(!desk.get("/dealerships/d2").contains("Lembrete"));
    assert!(desk.get("/audit?action=remind").contains("lembrete de R$ 1.014,00 em 1 fatura"));
}
