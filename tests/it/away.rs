//! The ledger's server is away, or does not answer: every way says so within seconds, nothing that was typed is
//! lost, and all goes on when it is back.

use std::time::{Duration, Instant};

use crate::support::browser::{Answer, Browser, PASSWORD};
use crate::support::daemon::{Shift, within};
use crate::support::gate::Gate;
use crate::support::reseller::{LedgerKind, Reseller};

/// A person waits no longer than that to be told.
const SECONDS: Duration = Duration::from_secs(12);

/// A reseller whose ledger lies behind a gate.
fn gated() -> (Reseller, Gate) {
    let mut reseller = Reseller::new(LedgerKind::Postgres);
    reseller.at("2026-10-15 12:00:00").register(&[("d1", "", "5000")]);
    let (address, database) = reseller.ledger_url().rsplit_once('/').unwrap();
    let gate = Gate::before(address.rsplit('@').next().unwrap());
    let url = format!("postgres://postgres@127.0.0.1:{}/{database}", gate.port);
    reseller.variables.push(("FECHA_LEDGER__URL".to_owned(), url));
    gate.open();
    (reseller, gate)
}

/// The address of a person's invitation.
fn invited(reseller: &Reseller, email: &str) -> String {
    let add = ["--json", "people", "add", "--email", email, "--role", "finance", "--by", "Rui"];
    let invited = reseller.run(&add).expect(0).json();
    let link = invited["link"].as_str().unwrap();
    link[link.find("/invitation/").unwrap()..].to_owned()
}

/// What is answered, within seconds, while the ledger is away.
#[track_caller]
fn told(ask: impl FnOnce() -> Answer) -> String {
    let begun = Instant::now();
    let answer = ask().expect(503);
    assert!(begun.elapsed() < SECONDS, "{:?}: {answer:?}", begun.elapsed());
    assert!(!answer.header("retry-after").is_empty(), "{answer:?}");
    let said = "O fecha não alcança o seu banco de dados agora";
    assert!(answer.body.contains(said) && answer.body.contains("lang=\"pt-BR\""), "{answer:?}");
    answer.body
}

/// The form of a page, as a browser sends it.
fn form(page: &str) -> (String, Vec<(String, String)>) {
    let between = |text: &str, from: &str| {
        let behind = text.split_once(from).unwrap().1;
        let value = behind.split_once('"').unwrap().0;
        let marks =
            [("&quot;", "\""), ("&#x27;", "'"), ("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")];
        marks.iter().fold(value.to_owned(), |text, (written, mark)| text.replace(written, mark))
    };
    let fields = page.split("<input ").skip(1);
    let fields = fields.map(|field| (between(field, "name=\""), between(field, "value=\"")));
    (between(page, "action=\""), fields.collect())
}

fn send(browser: &mut Browser, (path, fields): &(String, Vec<(String, String)>)) -> Answer {
    let fields: Vec<(&str, &str)> =
        fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    browser.post(path, &fields)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_typed_while_the_ledger_is_away_is_sent_again() {
    let (reseller, gate) = gated();
    let mut shift = Shift::new(&reseller, "2026-10-15T12:00:00Z");
    let daemon = shift.start();
    let mut ana = Browser::signed_in(&reseller, &daemon, "ana@example.com", "admin");
    let invitation = invited(&reseller, "eva@example.com");
    gate.shut();

    told(|| ana.get("/invoices?q=1"));
    let reason = "São João: \"combinado\" com <Eva> & 'Rui'";
    let fields =
        [("kind", "credit"), ("amount", "10,00"), ("month", "2026-11"), ("description", reason)];
    let page = told(|| ana.post("/dealerships/d1/credit?once=abc123", &fields));
    assert!(page.contains("O que você digitou está guardado nesta página"), "{page}");
    let kept = form(&page);
    assert_eq!(kept.0, "/dealerships/d1/credit?once=abc123");
    let page = told(|| ana.upload("/dealerships/import?once=a2", "a.csv", &"x".repeat(100_000)));
    assert!(page.contains("envie de novo") && page.contains("\"/dealerships/import\""), "{page}");
    told(|| ana.post("/logout", &[]));

    let mut eva = Browser::new(&daemon);
    let chosen = [("password", PASSWORD), ("again", PASSWORD)];
    told(|| eva.get(&invitation));
    let page = told(|| eva.post(&invitation, &chosen));
    assert!(page.contains(&format!("href=\"{invitation}\">Tentar de novo")), "{page}");
    assert!(!page.contains(PASSWORD));
    let typed = [("email", "ana@example.com"), ("password", PASSWORD), ("to", "/invoices?q=1")];
    let page = told(|| eva.post("/login", &typed));
    assert!(page.contains("value=\"ana@example.com\"") && !page.contains(PASSWORD), "{page}");
    assert!(page.contains("value=\"/invoices?q=1\""), "{page}");
    eva.get("/login").expect(200);

    gate.open();
    within(Duration::from_secs(30), "the console is back", || ana.get("/").status == 200);
    let done = send(&mut ana, &kept);
    assert_eq!(done.leads_to(), "/dealerships/d1");
    assert_eq!(send(&mut ana, &kept).leads_to(), "/dealerships/d1", "it is the same form");
    let description = reseller.ledger_texts("SELECT description FROM adjustment");
    assert_eq!(description, [reason]);
    assert_eq!(eva.post("/login", &typed).leads_to(), "/invoices?q=1");
    assert_eq!(eva.post(&invitation, &chosen).leads_to(), "/");
}
