//! Every page, as all pages must be: at each width, light and dark, without script, with nothing and too much in
//! it, and where the ledger is away.

use serde_json::{Value, json};

use fecha::console::ways;

use crate::bank_files::ofx;
use crate::support::browser::Browser;
use crate::support::chromium::{PASSWORD, Story, base, invite, pictures};
use crate::support::daemon::{Daemon, Shift, eventually};
use crate::support::postgres::Postgres;
use crate::support::reseller::{DEALERSHIP_HEADER, LedgerKind, Reseller};

/// Ways that show no page, and who tries them.
const NO_PAGES: [(&str, &str); 1] =
    [("/tasks/{id}/events", "a stream that does not end: stories that wait for a task hear it")];

/// Forms that stand on no page of the demo, and where they are sent.
const OTHER_FORMS: [(&str, &str); 9] = [
    ("/dealerships/import/apply", "what files would change: the story of the register"),
    ("/dealerships/{id}/credit/{note}/undo", "a credit that waits: console_register"),
    ("/emails/again", "emails that failed: the story of a failed email"),
    ("/emails/{id}/again", "an email that failed: the story of a failed email"),
    ("/invoices/{number}/from-account", "money that waits: money_asked"),
    ("/months/{month}/rerun", "causes that are accepted: the story of the third"),
    ("/receivables/of/{id}/refund", "money that waits: money_asked"),
    ("/system/people/enable", "somebody who is out: people"),
    ("/system/tokens/revoke", "a token: people"),
];

/// What is there to be shown; what is empty is not.
#[derive(Default)]
struct There<'a> {
    month: &'a str,
    /// A month that waits for a person.
    held: &'a str,
    number: &'a str,
    dealership: &'a str,
    task: &'a str,
    /// A file of the bank.
    upload: &'a str,
}

impl There<'_> {
    /// The paths of all pages that show it.
    fn paths(&self) -> Vec<String> {
        let pages = ways::table().into_iter().filter(|way| way.method == "GET");
        let is_page = |path: &str| NO_PAGES.iter().all(|(none, _)| *none != path);
        pages.filter(|way| is_page(way.path)).filter_map(|way| self.fill(way.path)).collect()
    }

    fn fill(&self, path: &str) -> Option<String> {
        let mut filled = path.to_owned();
        let file = format!("fatura-{}.pdf", self.number);
        let id = match path {
            "/tasks/{id}" => self.task,
            "/receivables/import/{id}" => self.upload,
            _ => self.dealership,
        };
        let is_held = path.contains("/pro-forma/");
        let known = [
            ("{month}", if is_held { self.held } else { self.month }),
            ("{number}", self.number),
            ("{file}", if self.number.is_empty() { "" } else { &file }),
            ("{id}", id),
            ("{dealership}", self.dealership),
        ];
        for (name, with) in known {
            if filled.contains(name) && with.is_empty() {
                return None;
            }
            filled = filled.replace(name, with);
        }
        assert!(!filled.contains('{'), "what stands for the braces of {path}? Say it here");
        Some(filled)
    }
}

/// A daemon that saw November end; it waits for a person.
fn november_held(shift: &mut Shift<'_>) -> Daemon {
    let daemon = shift.start();
    daemon.says("the daemon runs");
    shift.set("2026-12-01T12:00:00Z");
    daemon.says("the close is held");
    daemon
}

/// A comparison of a month that is over, and a file of the bank with these lines: the ids of both.
fn asked_for(
    reseller: &Reseller,
    daemon: &Daemon,
    month: &str,
    lines: &[(&str, &str, &str)],
) -> (String, String) {
    let mut rui = Browser::signed_in(reseller, daemon, "rui@example.com", "admin");
    let task = rui.post(&format!("/months/{month}/compare?once=c"), &[]).leads_to().to_owned();
    let upload = rui.upload("/receivables/import?once=u", "extrato.ofx", &ofx(lines));
    let upload = upload.leads_to().to_owned();
    eventually("it is compared", || !rui.get(&task).expect(200).body.contains("data-events="));
    let id = |path: String| path.rsplit('/').next().unwrap().to_owned();
    (id(task), id(upload))
}

fn ana(reseller: &Reseller) -> Value {
    let link = invite(reseller, "ana@example.com", "Ana Souza", "admin");
    json!({"invitation": link, "email": "ana@example.com", "password": PASSWORD})
}

#[test]
fn every_page_of_the_demo() {
    let mut reseller = Reseller::new(LedgerKind::Sqlite);
    reseller.at("2026-11-20 12:00:00");
    reseller.run(&["demo", "--dir", "demo"]).expect(0);
    reseller.variables.push(("FECHA_CONFIG".to_owned(), "demo/fecha.toml".to_owned()));
    reseller.variables.push(("FECHA_CLOSE__APPROVAL".to_owned(), "manual".to_owned()));
    reseller.at("2026-11-30 13:00:00");
    let person = ana(&reseller);
    let mut shift = Shift::new(&reseller, "2026-11-30T14:00:00Z");
    let daemon = november_held(&mut shift);
    let lines = [("2064.52", "B1", "PIX FATURA 2026-000073"), ("10.00", "B2", "DEPOSITO")];
    let (task, upload) = asked_for(&reseller, &daemon, "2026-08", &lines);
    // The one with a revision, and the one that was cancelled, have most to show.
    let there = There {
        month: "2026-08",
        held: "2026-11",
        number: "2026-000043",
        dealership: "serra-alta",
        task: &task,
        upload: &upload,
    };
    let mut paths = there.paths();
    let pages = ways::table().iter().filter(|way| way.method == "GET").count();
    assert_eq!(paths.len() + NO_PAGES.len(), pages, "every way is tried: {paths:#?}");
    // One that runs, one that waits for a person, one that was closed with exceptions, one that was cancelled,
    // one that is open, what is overdue, a document of what is not issued yet.
    let more = [
        "/months/2026-10",
        "/months/2026-11",
        "/months/2026-12",
        "/invoices/2026-000051",
        "/invoices/2026-000073",
        "/invoices?state=overdue",
        "/months/2026-11/pro-forma/serra-alta.pdf",
    ];
    paths.extend(more.map(str::to_owned));
    let forms: Vec<&str> =
        ways::table().iter().filter(|way| way.method == "POST").map(|way| way.path).collect();
    let told = json!({
        "base": base(&daemon), "paths": paths, "pictures": pictures(), "first": true, "person": person,
        "forms": forms,
    });
    let end = Story::start("crawl", &told).ends();
    assert_eq!(end["seen"].as_array().unwrap().len(), paths.len(), "{end:#}");
    let sent = end["sent"].as_object().unwrap();
    let forgotten: Vec<&&str> = forms
        .iter()
        .filter(|form| !sent.contains_key(**form))
        .filter(|form| OTHER_FORMS.iter().all(|(other, _)| other != *form))
        .collect();
    assert!(forgotten.is_empty(), "forms that nobody sees: {forgotten:#?} of {sent:#?}");
}

#[test]
fn every_page_with_nothing_in_it() {
    let mut reseller = Reseller::new(LedgerKind::Sqlite);
    reseller.at("2026-10-20 11:00:00");
    reseller.write("dealerships.csv", DEALERSHIP_HEADER);
    reseller.write("contracts.csv", "dealership_id,from_month,package\n");
    reseller
        .run(&["import", "--dealerships", "dealerships.csv", "--contracts", "contracts.csv"])
        .expect(0);
    let person = ana(&reseller);
    let mut shift = Shift::new(&reseller, "2026-10-20T12:00:00Z");
    let daemon = shift.start();
    let mut paths = There { month: "2026-10", ..There::default() }.paths();
    // Of a month that is not over there is nothing to download or to compare.
    paths.retain(|path| !path.starts_with("/months/2026-10/"));
    let told = json!({
        "base": base(&daemon), "paths": paths, "pictures": pictures(), "prefix": "vazio-",
        "person": person,
    });
    Story::start("crawl", &told).ends();
}

#[test]
fn every_page_with_names_that_do_not_end() {
    let mut reseller = Reseller::new(LedgerKind::Sqlite);
    let name = "Concessionária-que-não-acaba-".repeat(11);
    let name: String = name.chars().take(300).collect();
    let id = "loja-com-um-codigo-de-sessenta-letras-que-ninguem-encurtou-00";
    let row = format!(
        "{id},{name},{name},11.222.333/0001-81,\"Rua Um, 1\",Curitiba,PR,{}@example.com,,,\n",
        "endereco".repeat(7)
    );
    reseller.write("dealerships.csv", &format!("{DEALERSHIP_HEADER}{row}"));
    reseller
        .write("contracts.csv", &format!("dealership_id,from_month,package\n{id},2026-01,5000\n"));
    reseller
        .run(&["import", "--dealerships", "dealerships.csv", "--contracts", "contracts.csv"])
        .expect(0);
    reseller.add_contacts(id, 30, "2026-10-31T12:00:00Z");
    reseller.at("2026-11-02 12:00:00");
    reseller.run(&["close"]).expect(0);
    reseller.variables.push(("FECHA_CLOSE__APPROVAL".to_owned(), "manual".to_owned()));
    reseller.at("2026-11-30 13:00:00");
    let person = ana(&reseller);
    let mut shift = Shift::new(&reseller, "2026-11-30T14:00:00Z");
    let daemon = november_held(&mut shift);
    let words = "x".repeat(300);
    let lines = [("1014.00", "B1", "PIX FATURA 2026-000001"), ("10.00", "B2", words.as_str())];
    let (task, upload) = asked_for(&reseller, &daemon, "2026-10", &lines);
    let there = There {
        month: "2026-10",
        held: "2026-11",
        number: "2026-000001",
        dealership: id,
        task: &task,
        upload: &upload,
    };
    let mut paths = there.paths();
    paths.extend(["/months/2026-11", "/months/2026-12"].map(str::to_owned));
    let told = json!({
        "base": base(&daemon), "paths": paths, "pictures": pictures(), "prefix": "longo-",
        "person": person,
    });
    Story::start("crawl", &told).ends();
}

#[test]
fn a_page_where_the_ledger_is_away() {
    let server = Postgres::start();
    let mut reseller = Reseller::new(LedgerKind::Sqlite);
    reseller.variables.push(("FECHA_LEDGER__URL".to_owned(), server.create_database("ledger")));
    reseller.at("2026-10-20 11:00:00");
    reseller.register(&[("d1", "", "5000")]);
    let person = ana(&reseller);
    let mut shift = Shift::new(&reseller, "2026-10-20T12:00:00Z");
    let daemon = shift.start();
    let told = json!({
        "base": base(&daemon), "paths": ["/", "/login", "/invitation/nenhum"], "pictures": pictures(),
        "prefix": "fora-", "person": person, "status": 503, "pause": true,
    });
    let mut story = Story::start("crawl", &told);
    story.reaches("signed in");
    drop(server);
    story.go_on(&json!({}));
    story.ends();
}

/// A test that finds nothing must be able to find something.
#[test]
fn a_page_that_is_wrong_is_found_out() {
    let found = Story::start("faults", &json!({"base": "http://127.0.0.1:1"})).ends();
    let found: Vec<&str> =
        found["found"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    for fault in [
        "wrong (/wrong) at 360 px, light: ",
        "image-alt",
        "document-title",
        "html-has-lang",
        "Content Security Policy",
        "a script fails",
    ] {
        assert!(found.iter().any(|one| one.contains(fault)), "{fault}: {found:#?}");
    }
}
