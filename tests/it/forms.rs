//! Forms of the console: each is carried out once, by whoever sent it, and what is not done is said.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use fecha::console::ways::table;
use rstest::rstest;

use crate::console_month::{done, field};
use crate::support::browser::{Answer, Browser, PASSWORD};
use crate::support::daemon::{Daemon, Shift};
use crate::support::reseller::{DEALERSHIP_HEADER, LedgerKind, Reseller, dealership};

const NOON: &str = "2026-10-15T12:00:00Z";

fn open(ledger: LedgerKind) -> Reseller {
    let mut reseller = Reseller::new(ledger);
    reseller.at("2026-10-15 12:00:00").register(&[("d1", "", "5000")]);
    reseller
}

#[rstest]
fn a_key_is_of_one_form_one_person_and_what_was_sent(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let reseller = open(ledger);
    let mut shift = Shift::new(&reseller, NOON);
    let daemon = shift.start();
    let mut ana = Browser::signed_in(&reseller, &daemon, "ana@example.com", "admin");
    let mut eva = Browser::signed_in(&reseller, &daemon, "eva@example.com", "admin");
    let tokens = || reseller.ledger_number("SELECT COUNT(*) FROM token");
    let fields = |name| [("name", name), ("role", "viewer"), ("days", "1")];
    let path = "/system/tokens?once=abc123";
    ana.post(path, &fields("erp")).expect(303);
    // Another person's form, and another form of the page.
    eva.post(path, &fields("erp")).expect(303);
    assert_eq!(tokens(), 2);
    assert!(!eva.get("/system/tokens").body.contains("valeu uma vez só"));
    let whom = [("email", "leo@example.com"), ("name", "Leo"), ("role", "viewer")];
    ana.post("/system/people?once=abc123", &whom).expect(303);
    assert!(ana.get("/system/people").body.contains("leo@example.com"));
    // The same form with something else in it: it is not done, and nobody is told that it was.
    let refused = ana.post(path, &fields("prometheus")).expect(409);
    assert!(refused.body.contains("Não foi feito"), "{}", refused.body);
    assert!(refused.body.contains("href=\"/system/tokens\">Ver o que foi feito"), "{refused:?}");
    assert_eq!(tokens(), 2);
    assert_eq!(ana.post(path, &fields("erp")).leads_to(), "/system/tokens");
    assert!(ana.get("/system/tokens").body.contains("valeu uma vez só"));
    assert_eq!(tokens(), 2);
}

/// A form with a file, between separators of the browser's choice.
fn send_file(browser: &mut Browser, path: &str, separator: &str, text: &str) -> Answer {
    let body = format!(
        "--{separator}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.csv\"\r\n\r\n{text}\r\n--{separator}--\r\n"
    );
    let head = format!(
        "POST {path} HTTP/1.1\r\nSec-Fetch-Site: same-origin\r\nContent-Type: multipart/form-data; boundary={separator}\r\nContent-Length: {}\r\n",
        body.len()
    );
    browser.ask(&head, &body)
}

#[test]
fn a_file_that_is_sent_twice_is_the_same_file() {
    let reseller = open(LedgerKind::Sqlite);
    let mut shift = Shift::new(&reseller, NOON);
    let daemon = shift.start();
    let mut ana = Browser::signed_in(&reseller, &daemon, "ana@example.com", "admin");
    let file = |id| format!("{DEALERSHIP_HEADER}{}", dealership(id, ""));
    let path = "/dealerships/import?once=abc123";
    let kept = || reseller.ledger_number("SELECT COUNT(*) FROM upload");
    let first = send_file(&mut ana, path, "----a1", &file("d1"));
    let again = send_file(&mut ana, path, "----b2", &file("d1"));
    assert_eq!(again.leads_to(), first.leads_to());
    assert_eq!(kept(), 1);
    send_file(&mut ana, path, "----a1", &file("d2")).expect(409);
    assert_eq!(kept(), 1);
}

#[test]
fn what_is_too_large_is_told_how_large_it_may_be() {
    let reseller = open(LedgerKind::Sqlite);
    let mut shift = Shift::new(&reseller, NOON);
    let daemon = shift.start();
    let mut ana = Browser::signed_in(&reseller, &daemon, "ana@example.com", "admin");
    let file = "x".repeat(40 << 20);
    for path in ["/receivables/import", "/dealerships/import?once=a1"] {
        let refused = send_file(&mut ana, path, "b", &file).expect(413);
        assert!(refused.body.contains("O arquivo passa do limite de 32 MB"), "{}", refused.body);
    }
    let refused = ana.post("/system/tokens?once=a2", &[("name", &"x".repeat(300 << 10))]);
    assert!(refused.expect(413).body.contains("O formulário passa do limite de 256 KB"));
    let refused = Browser::new(&daemon).log_in("ana@example.com", &"x".repeat(20_000));
    assert!(refused.expect(413).body.contains("O formulário passa do limite de 8 KB"));
    ana.get("/").expect(200);
}

#[test]
fn a_form_without_a_session_says_that_it_was_not_sent() {
    let reseller = open(LedgerKind::Sqlite);
    let mut shift = Shift::new(&reseller, NOON);
    let daemon = shift.start();
    let mut ana = Browser::signed_in(&reseller, &daemon, "ana@example.com", "admin");
    ana.cookies.insert("fecha_session".to_owned(), "over".to_owned());
    ana.headers = vec![("Referer".to_owned(), "http://x/system/tokens".to_owned())];
    let fields = [("name", "erp"), ("role", "viewer"), ("days", "1")];
    let login = ana.post("/system/tokens?once=a1", &fields).leads_to().to_owned();
    let words = "O formulário não foi enviado";
    assert!(ana.get(&login).expect(200).body.contains(words));
    let back = [("email", "ana@example.com"), ("password", PASSWORD), ("to", "/system/tokens")];
    assert_eq!(ana.post("/login", &back).leads_to(), "/system/tokens");
    assert!(ana.get("/system/tokens").expect(200).body.contains(words), "once logged in, too");
    assert!(!ana.get("/system/tokens").expect(200).body.contains(words));
}

/// A page that was refused has the address of its form: it is loaded anew, or kept as a bookmark.
#[test]
fn the_address_of_a_form_leads_to_its_page() {
    let reseller = open(LedgerKind::Sqlite);
    let mut shift = Shift::new(&reseller, NOON);
    let daemon = shift.start();
    let mut leo = Browser::signed_in(&reseller, &daemon, "leo@example.com", "viewer");
    let ways = table();
    let is_page = |path: &str| ways.iter().any(|way| way.method == "GET" && way.path == path);
    let mut forms = 0;
    for way in ways.iter().filter(|way| way.method == "POST" && !is_page(way.path)) {
        let parts = way.path.split('/').map(|part| if part.starts_with('{') { "1" } else { part });
        let asked = parts.collect::<Vec<_>>().join("/");
        let page = leo.get(&asked).leads_to().to_owned();
        assert!(asked.starts_with(&page) && page != asked, "{asked}: {page}");
        forms += 1;
    }
    assert!(forms > 10, "{forms}");
    assert_eq!(leo.get("/months/2026-10/release").leads_to(), "/months/2026-10");
    assert_eq!(leo.get("/logout").leads_to(), "/");
}

/// What a form did is said to the person who sent it: a browser that asks for the page beforehand, or for its head
/// alone, takes nothing away.
#[test]
fn what_was_done_is_said_once_to_whoever_sees_it() {
    let reseller = open(LedgerKind::Sqlite);
    let mut shift = Shift::new(&reseller, NOON);
    let daemon = shift.start();
    let mut ana = Browser::signed_in(&reseller, &daemon, "ana@example.com", "admin");
    let fields =
        [("kind", "credit"), ("amount", "1,00"), ("month", "2026-10"), ("description", "Cortesia")];
    let page = ana.post("/dealerships/d1/credit", &fields).leads_to().to_owned();
    let notice = ana.cookies["fecha_notice"].clone();
    ana.ask(&format!("HEAD {page} HTTP/1.1\r\n"), "").expect(200);
    assert_eq!(ana.cookies["fecha_notice"], notice);
    for early in ["Sec-Purpose: prefetch", "Sec-Purpose: prefetch;prerender", "Purpose: prefetch"] {
        let shown = ana.ask(&format!("GET {page} HTTP/1.1\r\n{early}\r\n"), "").expect(200).body;
        assert!(
            !shown.contains("class=\"said\"") && ana.cookies["fecha_notice"] == notice,
            "{early}"
        );
    }
    assert!(ana.get(&page).expect(200).body.contains("role=\"status\""));
    assert!(!ana.cookies.contains_key("fecha_notice"));
    let again = ana.get(&page).expect(200);
    assert!(!again.body.contains("role=\"status\"") && again.header("set-cookie").is_empty());
}

/// Somebody looks at the events of a task from now on.
fn watch(daemon: &Daemon, browser: &Browser, task: &str) -> TcpStream {
    let mut stream = TcpStream::connect(daemon.address()).unwrap();
    let cookie = &browser.cookies["fecha_session"];
    write!(
        stream,
        "GET {task}/events HTTP/1.1\r\nHost: x\r\nConnection: close\r\nCookie: fecha_session={cookie}\r\n\r\n"
    )
    .unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    stream
}

#[rstest]
fn events_end_with_the_session(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let reseller = open(ledger);
    let config = std::fs::read_to_string(reseller.path("fecha.toml")).unwrap();
    // A task that goes on for as long as the messages are away.
    let away = config.replace("sqlite:messages.db", "postgres://x@127.0.0.1:1/none");
    assert_ne!(config, away);
    reseller.write("fecha.toml", &away);
    let mut shift = Shift::new(&reseller, NOON);
    let daemon = shift.start();
    let mut ana = Browser::signed_in(&reseller, &daemon, "ana@example.com", "finance");
    let mut eva = Browser::signed_in(&reseller, &daemon, "eva@example.com", "admin");
    let leo = Browser::signed_in(&reseller, &daemon, "leo@example.com", "viewer");
    let task = ana.post("/months/2026-10/preview?once=a1", &[]).leads_to().to_owned();
    let watches = [&ana, &eva, &leo].map(|browser| watch(&daemon, browser, &task));
    // Longer than it takes to be looked at twice: who may look goes on looking.
    std::thread::sleep(Duration::from_secs(7));
    for watch in &watches {
        watch.set_nonblocking(true).unwrap();
        let mut seen = [0; 4096];
        let read = (&*watch).read(&mut seen).unwrap();
        let seen = String::from_utf8_lossy(&seen[..read]).into_owned();
        assert!(seen.contains("event: progress") && !seen.contains("event: end"), "{seen}");
        watch.set_nonblocking(false).unwrap();
    }
    let [mut of_ana, mut of_eva, mut of_leo] = watches;
    let ends = |watch: &mut TcpStream, who: &str| {
        let begun = Instant::now();
        let mut rest = String::new();
        watch.read_to_string(&mut rest).unwrap();
        assert!(rest.contains("event: end") && rest.contains("data: out"), "{who}: {rest}");
        assert!(begun.elapsed() < Duration::from_secs(10), "{who}: {:?}", begun.elapsed());
    };
    eva.post("/logout", &[]).expect(303);
    ends(&mut of_eva, "logged out");
    reseller.run(&["people", "disable", "--email", "leo@example.com", "--by", "Rui"]).expect(0);
    ends(&mut of_leo, "disabled");
    // To watch is not to be there.
    shift.pass(31 * 60);
    ends(&mut of_ana, "silent");
}

#[test]
fn months_before_the_books_and_before_the_daemon_say_so() {
    let mut reseller = Reseller::new(LedgerKind::Sqlite);
    reseller.at("2026-11-26 12:00:00").register(&[("d1", "", "5000")]);
    reseller.add_contacts("d1", 2, "2026-10-20T20:00:00Z");
    let mut shift = Shift::new(&reseller, "2026-11-26T12:00:00Z");
    let daemon = shift.start();
    let mut ana = Browser::signed_in(&reseller, &daemon, "ana@example.com", "finance");
    let today = ana.get("/").expect(200).body;
    assert!(today.contains("só fecha sozinho a partir de novembro de 2026"), "{today}");
    let status = reseller.run(&["status"]).expect(1).stdout;
    assert!(status.contains("closes by itself from 2026-11 on"), "{status}");
    let october = ana.get("/months/2026-10").expect(200).body;
    assert!(october.contains("a partir de novembro de 2026: feche este mês aqui"), "{october}");
    assert!(october.contains("Contar e mostrar o que seria emitido"), "{october}");
    assert!(!october.contains("/months/2026-09"));
    let old = ana.get("/months/2020-01").expect(200).body;
    assert!(old.contains("anterior ao livro, que começa em"), "{old}");
    assert!(old.contains("outubro de 2026") && !old.contains("/months/2020-01/"), "{old}");
    assert!(!old.contains("/months/2019-12"));
    for form in ["close", "preview"] {
        let refused = ana.post(&format!("/months/2020-01/{form}"), &[]).expect(400);
        assert!(refused.body.contains("Nada foi pedido"), "{}", refused.body);
    }
    for form in ["close", "preview", "compare"] {
        let refused = ana.post(&format!("/months/9999-12/{form}"), &[]).expect(400);
        assert!(refused.body.contains("ainda não começou. Nada foi pedido"), "{}", refused.body);
    }
    assert_eq!(reseller.ledger_number("SELECT COUNT(*) FROM task"), 0);
    let task = ana.post("/months/2026-10/close", &[]).leads_to().to_owned();
    done(&mut ana, &task);
    assert_eq!(reseller.ledger_number("SELECT COUNT(*) FROM closing"), 0, "it was looked at");
    let page = ana.get("/months/2026-10").expect(200);
    let typed = [("plan", field(&page, "plan")), ("reason", "conferido")];
    let task = ana.post("/months/2026-10/release", &typed).leads_to().to_owned();
    done(&mut ana, &task);
    assert_eq!(reseller.ledger_number("SELECT COUNT(*) FROM closing"), 1);
    assert!(!ana.get("/").expect(200).body.contains("a partir de novembro"));
}
