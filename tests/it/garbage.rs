//! What nobody means, sent to every way into the console and to the command line: it is refused in words, no
//! page breaks over it, and the ledger never meets it.

use fecha::console::ways::table;
use rstest::rstest;

use crate::support::browser::{Answer, Browser};
use crate::support::daemon::Shift;
use crate::support::reseller::{LedgerKind, Reseller};

/// Every field that a page of the console has, and every parameter of an address.
const FIELDS: [&str; 63] = [
    "action",
    "address",
    "after",
    "again",
    "all",
    "amount",
    "before",
    "cause",
    "cc",
    "city",
    "complement",
    "contract",
    "contracts",
    "days",
    "dealership",
    "dealerships",
    "description",
    "district",
    "email",
    "file",
    "files",
    "from",
    "from_month",
    "hash",
    "hsm",
    "ibge_code",
    "id",
    "kind",
    "layout",
    "month",
    "municipal_registration",
    "name",
    "number",
    "numbers",
    "of",
    "on",
    "one",
    "overage",
    "overage_5000",
    "package",
    "package_5000",
    "page",
    "password",
    "payment",
    "plan",
    "postal_code",
    "q",
    "reason",
    "reference",
    "replaced",
    "role",
    "seen",
    "since",
    "state",
    "task",
    "text",
    "to",
    "twins",
    "until",
    "who",
    "year",
    "once",
    "months",
];

/// The ways for whoever is not signed in.
const DOORS: [(&str, &str); 4] = [
    ("GET", "/login"),
    ("POST", "/login"),
    ("GET", "/invitation/{token}"),
    ("POST", "/invitation/{token}"),
];

fn open(ledger: LedgerKind) -> Reseller {
    let mut reseller = Reseller::new(ledger);
    reseller.at("2026-11-10 12:00:00").register(&[("d1", "", "5000")]);
    reseller.add_contacts("d1", 3, "2026-10-31T12:00:00Z");
    reseller.run(&["close", "--month", "2026-10"]).expect(0);
    reseller
}

fn ways() -> Vec<(&'static str, &'static str)> {
    let ways = table().into_iter().map(|way| (way.method, way.path));
    ways.chain(DOORS).collect()
}

/// The address of a way, with this where it has a place.
fn filled(path: &str, with: &str) -> String {
    let parts = path.split('/').map(|part| if part.starts_with('{') { with } else { part });
    parts.collect::<Vec<_>>().join("/")
}

/// All fields with one value, percent-encoded.
fn form(value: &str) -> String {
    FIELDS.map(|name| format!("{name}={value}")).join("&")
}

/// Asks by a method, with a query or a form.
fn ask(browser: &mut Browser, method: &str, path: &str, fields: &str) -> Answer {
    if method == "GET" {
        return browser.get(&format!("{path}?{fields}"));
    }
    let head = format!(
        "POST {path} HTTP/1.1\r\nSec-Fetch-Site: same-origin\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n",
        fields.len()
    );
    browser.ask(&head, fields)
}

/// A refusal is a page in Portuguese; nothing breaks.
#[track_caller]
fn is_told(answer: &Answer, of: &str) {
    assert!((200..500).contains(&answer.status), "{of}: {answer:?}");
    if answer.status >= 400 {
        let is_page = answer.body.contains("<html lang=\"pt-BR\">");
        assert!(
            is_page && answer.header("content-type").starts_with("text/html"),
            "{of}: {answer:?}"
        );
    }
}

#[rstest]
fn what_is_no_text_gets_no_further_than_the_edge(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let reseller = open(ledger);
    let mut shift = Shift::new(&reseller, "2026-11-10T12:00:00Z");
    let daemon = shift.start();
    let mut ana = Browser::signed_in(&reseller, &daemon, "ana@example.com", "admin");
    for value in ["%00", "a%00b", "%1b%5b31m", "S%E3o"] {
        for (method, path) in ways() {
            let of = format!("{method} {path} {value}");
            let mut tried = vec![ask(&mut ana, method, &filled(path, "1"), &form(value))];
            if path.contains('{') {
                tried.push(ask(&mut ana, method, &filled(path, value), ""));
            }
            for answer in tried {
                is_told(&answer, &of);
                assert_eq!(answer.status, 400, "{of}: {answer:?}");
            }
        }
        // Each field by itself.
        for name in FIELDS {
            for path in ["/audit", "/invoices", "/login"] {
                ana.get(&format!("{path}?{name}={value}")).expect(400);
            }
            ask(&mut ana, "POST", "/login", &format!("{name}={value}")).expect(400);
            ask(&mut ana, "POST", "/dealerships/d1/credit", &format!("{name}={value}")).expect(400);
        }
    }
    // A name of a file, in a head that no browser writes.
    for name in ["a\0b.csv", "a\u{1b}b.csv"] {
        for path in ["/receivables/import", "/dealerships/import?once=a1"] {
            is_told(&ana.upload(path, name, "x"), path);
        }
    }
    // What comes with a file, in it.
    for content in ["a\0b", "id\0;name\r\nd1;x\r\n", "OFXHEADER:100\0\u{1b}"] {
        for path in ["/receivables/import", "/dealerships/import?once=a2"] {
            is_told(&ana.upload(path, "a.csv", content), path);
        }
    }
    ana.get("/").expect(200);
    assert!(!daemon.log().contains("ERROR"), "{}", daemon.log());
}

#[rstest]
fn no_page_breaks_over_what_cannot_be_meant(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let reseller = open(ledger);
    let mut shift = Shift::new(&reseller, "2026-11-10T12:00:00Z");
    let daemon = shift.start();
    let mut ana = Browser::signed_in(&reseller, &daemon, "ana@example.com", "admin");
    let long = "x".repeat(700);
    let values = [
        "",
        "-1",
        "99999999999999999999",
        "9223372036854775807",
        "-9223372036854775808",
        "2147483647",
        "1e400",
        "9999-12",
        "10000-01",
        "0000-00",
        "2026-13",
        "0000-00-00",
        "9999-12-31",
        "31%2F12%2F9999",
        "%E2%80%AE%F0%9F%92%A9",
        "%25%5F%5C",
        "%27%22%3Cb%3E",
        "99999999999999,99",
        "2026-999999",
        "2026-000001",
        "d1",
        "%2B",
        "%0D%0A",
        &long,
    ];
    for (turn, value) in values.into_iter().enumerate() {
        let is_short = (1..200).contains(&value.len());
        let places = ["d1", "2026-10", "2026-000001", if is_short { value } else { "%20" }];
        let shown: String = value.chars().take(30).collect();
        for (at, (method, path)) in table().iter().map(|way| (way.method, way.path)).enumerate() {
            // What is known, and what is not, in each place.
            for place in [places[(turn + at) % 3], places[3]] {
                let answer = ask(&mut ana, method, &filled(path, place), &form(value));
                is_told(&answer, &format!("{method} {path} {place} {shown}"));
                if !path.contains('{') {
                    break;
                }
            }
        }
    }
    let endless = "x".repeat(4000);
    for way in table().iter().filter(|way| way.method == "POST") {
        let answer = ask(&mut ana, "POST", &filled(way.path, "d1"), &form(&endless));
        is_told(&answer, way.path);
    }
    // A close of a month to come is a task that fails.
    let log = daemon.log();
    let mut errors = log.lines().filter(|line| !line.contains("\"the task failed\""));
    assert!(!errors.any(|line| line.contains("ERROR") || line.contains("panicked")), "{log}");
}

#[test]
fn a_form_of_another_shape_is_refused_in_portuguese() {
    let reseller = open(LedgerKind::Sqlite);
    let mut shift = Shift::new(&reseller, "2026-11-10T12:00:00Z");
    let daemon = shift.start();
    let mut ana = Browser::signed_in(&reseller, &daemon, "ana@example.com", "admin");
    for (method, path) in ways() {
        let path = filled(path, "d1");
        for (asks, kind, body) in [
            ("POST", "application/json", "{\"email\": \"a\"}"),
            ("POST", "text/plain", "x"),
            ("POST", "application/x-www-form-urlencoded", ""),
            ("POST", "application/x-www-form-urlencoded", "=&&=%&a=b=c&email=a&email=b"),
            ("POST", "multipart/form-data", "x"),
            ("POST", "multipart/form-data; boundary=b", "--b\r\nbroken"),
            ("PUT", "text/plain", "x"),
            ("DELETE", "text/plain", ""),
            ("OPTIONS", "text/plain", ""),
            ("PROPFIND", "text/plain", ""),
        ] {
            if path == "/logout" || asks == "POST" && method == "GET" && path.ends_with("/events") {
                continue;
            }
            let head = format!(
                "{asks} {path} HTTP/1.1\r\nSec-Fetch-Site: same-origin\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n",
                body.len()
            );
            is_told(&ana.ask(&head, body), &format!("{asks} {path} {kind} {body}"));
        }
    }
    ana.get("/").expect(200);
}

#[test]
fn the_command_line_names_the_option_that_is_no_text() {
    let reseller = open(LedgerKind::Sqlite);
    for (arguments, option) in [
        (vec!["cancel", "2026-000001", "--reason", "a\u{1b}[31mb"], "--reason"),
        (
            vec!["people", "add", "--email", "a@b.co", "--name", "A\u{7}na", "--role", "admin"],
            "--name",
        ),
        (vec!["audit", "--dealership", "d\u{7f}1"], "--dealership"),
    ] {
        let refused = reseller.run(&arguments).expect(2).stderr;
        assert!(refused.contains(option) && refused.contains("control character"), "{refused}");
        assert!(!refused.chars().any(|c| c.is_control() && c != '\n'), "{refused:?}");
    }
}
