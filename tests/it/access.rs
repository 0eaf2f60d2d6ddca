//! The console under attack: over plain HTTP, against the real daemon.

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use fecha::console::ways::{Way, table};
use fecha::setup::process::allow_many_files;
use fecha_core::party::person::Role;
use rstest::rstest;

use crate::daemon::{all_done, reseller};
use crate::support::browser::{Answer, Browser, PASSWORD};
use crate::support::caddy::Caddy;
use crate::support::daemon::{Daemon, Shift, eventually, within};
use crate::support::nginx::Nginx;
use crate::support::reseller::{DEALERSHIP_HEADER, LedgerKind, Reseller};

const NOON: &str = "2026-10-15T12:00:00Z";
const AT_NOON: &str = "2026-10-15 12:00:00";

fn open(ledger: LedgerKind, changes: &[(&str, &str)]) -> Reseller {
    let mut reseller = reseller(ledger, changes);
    reseller.at(AT_NOON).register(&[("d1", "", "5000")]);
    reseller
}

/// What a way leads to, with something filled in.
fn address(way: &Way) -> String {
    let parts = way.path.split('/').map(|part| if part.starts_with('{') { "1" } else { part });
    parts.collect::<Vec<_>>().join("/")
}

#[rstest]
fn nobody_does_what_their_role_does_not(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let reseller = open(ledger, &[]);
    let mut shift = Shift::new(&reseller, NOON);
    let daemon = shift.start();
    let ways = table();
    let mut stranger = Browser::new(&daemon);
    for way in &ways {
        let answer = match way.method {
            "GET" => stranger.get(&address(way)),
            _ => stranger.post(&address(way), &[]),
        };
        assert!(answer.leads_to().starts_with("/login"), "{way:?}: {answer:?}");
    }
    let mut refused = BTreeSet::new();
    for role in Role::ALL {
        let email = format!("{role}@example.com");
        let mut browser = Browser::signed_in(&reseller, &daemon, &email, role.key());
        for way in &ways {
            // The last one takes away what the others need.
            if way.path.ends_with("/disable") && role == Role::Admin {
                continue;
            }
            let answer = match way.method {
                "GET" => browser.get(&address(way)),
                _ => browser.post(&address(way), &[]),
            };
            let may = role >= way.role;
            assert_eq!(answer.status != 403, may, "{role} {way:?}: {answer:?}");
            assert_ne!(answer.status, 0, "{way:?} is not answered");
            if !may {
                refused.insert((role.key(), way.path));
            }
        }
    }
    let posts = ways.iter().filter(|way| way.method == "POST");
    for way in posts {
        assert!(refused.contains(&("viewer", way.path)), "a viewer may {way:?}");
    }
    assert!(refused.contains(&("finance", "/system/people")));
}

#[test]
fn a_form_of_another_site_is_refused() {
    let mut reseller = open(LedgerKind::Sqlite, &[]);
    let url = ("FECHA_CONSOLE__PUBLIC_URL", "http://localhost:9999/fecha");
    reseller.variables.push((url.0.to_owned(), url.1.to_owned()));
    let mut shift = Shift::new(&reseller, NOON);
    let daemon = shift.start();
    let mut admin = Browser::signed_in(&reseller, &daemon, "ana@example.com", "admin");
    let fields = [("name", "erp"), ("role", "viewer"), ("days", "1")];
    for site in ["cross-site", "same-site", "elsewhere"] {
        let answer = admin.post_from("/system/tokens", site, &fields).expect(403);
        assert!(answer.body.contains("enviado de outro site"), "{answer:?}");
    }
    // Of a browser that says no more than the origin.
    for (origin, status) in [
        ("https://evil.example", 403),
        ("null", 403),
        ("http://localhost:9999", 303),
        (&*format!("http://{}", daemon.address()), 303),
    ] {
        admin.headers = vec![("Origin".to_owned(), origin.to_owned())];
        let answer = admin.post_from("/system/tokens", "", &fields);
        assert_eq!(answer.status, status, "{origin}: {answer:?}");
    }
    // Nor does another site log anybody in or out.
    admin.headers.clear();
    admin.post_from("/logout", "cross-site", &[]).expect(403);
    admin.post_from("/login", "cross-site", &[("email", "a"), ("password", "b")]).expect(403);
    admin.get("/").expect(200);
}

#[rstest]
fn a_session_ends_when_it_should(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let reseller = open(ledger, &[]);
    let mut shift = Shift::new(&reseller, NOON);
    let daemon = shift.start();
    let is_in = |browser: &mut Browser| browser.get("/").status == 200;
    let mut ana = Browser::signed_in(&reseller, &daemon, "ana@example.com", "admin");
    assert!(is_in(&mut ana));
    let name = "fecha_session";
    let token = ana.cookies[name].clone();

    let mut thief = Browser::new(&daemon);
    let mut other = token.clone().into_bytes();
    other[10] = if other[10] == b'A' { b'B' } else { b'A' };
    for guess in ["", "x", &"A".repeat(43), std::str::from_utf8(&other).unwrap()] {
        thief.cookies.insert(name.to_owned(), guess.to_owned());
        assert!(!is_in(&mut thief), "{guess}");
    }
    // What the ledger keeps is no key to it.
    let kept = reseller.ledger_texts("SELECT hash FROM session LIMIT 1").remove(0);
    thief.cookies.insert(name.to_owned(), kept);
    assert!(!is_in(&mut thief));

    // Left: whoever kept the cookie is out as well.
    assert_eq!(ana.post("/logout", &[]).leads_to(), "/login");
    assert!(!ana.cookies.contains_key(name));
    thief.cookies.insert(name.to_owned(), token);
    assert!(!is_in(&mut thief));

    // Idle, and not idle.
    let since = |browser: &mut Browser| {
        browser.log_in("ana@example.com", PASSWORD);
        assert!(is_in(browser));
    };
    since(&mut ana);
    shift.pass(31 * 60);
    // The daemon reads the test's clock anew once a second, or so.
    eventually("half an hour of silence", || !is_in(&mut ana));
    since(&mut ana);
    // Who was there a moment ago is in …
    reseller.ledger_sql("UPDATE session SET seen_at = '2026-10-16T00:29:00.000Z'");
    shift.pass(11 * 3600 + 59 * 60);
    std::thread::sleep(Duration::from_millis(1500));
    assert!(is_in(&mut ana));
    // … and after twelve hours out all the same.
    reseller.ledger_sql("UPDATE session SET seen_at = '2026-10-16T00:31:00.000Z'");
    shift.pass(2 * 60);
    eventually("she is out", || !is_in(&mut ana));
}

#[rstest]
fn who_is_disabled_is_out_at_once(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let reseller = open(ledger, &[]);
    let mut shift = Shift::new(&reseller, NOON);
    let daemon = shift.start();
    let mut ana = Browser::signed_in(&reseller, &daemon, "ana@example.com", "admin");
    let mut eva = Browser::signed_in(&reseller, &daemon, "eva@example.com", "admin");
    let whom = |email: &'static str| [("email", email), ("role", "finance")];
    let done = ana.post("/system/people/disable", &whom("eva@example.com"));
    assert_eq!(done.leads_to(), "/system/people");
    assert!(ana.get("/system/people").expect(200).body.contains("eva@example.com não entra mais"));
    assert!(eva.get("/").leads_to().starts_with("/login"));
    let wrong = eva.log_in("eva@example.com", PASSWORD).expect(422);
    assert!(wrong.body.contains("E-mail ou senha incorretos."), "{}", wrong.body);

    // The last one who can log in stays, whatever is asked for, and by whom.
    for path in ["/system/people/disable", "/system/people/role"] {
        let refused = ana.post(path, &whom("ana@example.com")).expect(422);
        assert!(refused.body.contains("última pessoa da administração"), "{}", refused.body);
    }
    let disable = ["people", "disable", "--email", "ana@example.com", "--by", "Rui"];
    let refused = reseller.run(&disable).expect(2).stderr;
    assert!(refused.contains("the last admin who can log in"), "{refused}");
    ana.get("/").expect(200);

    // Who gets another role has it with the next click.
    ana.post("/system/people/enable", &whom("eva@example.com")).expect(303);
    eva.log_in("eva@example.com", PASSWORD).expect(303);
    eva.get("/system/people").expect(200);
    ana.post("/system/people/role", &whom("eva@example.com")).expect(303);
    eva.get("/system/people").expect(403);
    let log = reseller.run(&["audit"]).expect(0).stdout;
    assert!(log.contains("by ana@example.com"), "{log}");
}

#[rstest]
fn wrong_passwords_lock_whoever_they_are_for(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let reseller = open(ledger, &[]);
    let mut shift = Shift::new(&reseller, NOON);
    let daemon = shift.start();
    Browser::signed_in(&reseller, &daemon, "ana@example.com", "admin");
    let add = ["people", "add", "--email", "new@example.com", "--role", "admin", "--by", "Rui"];
    reseller.run(&add).expect(0);
    let mut browser = Browser::new(&daemon);
    // A person, nobody, and somebody who has no password yet.
    let names = ["ana@example.com", "eva@example.com", "new@example.com"];
    let mut answers = Vec::new();
    for name in names {
        let try_once = |browser: &mut Browser| {
            let Answer { status, body, .. } = browser.log_in(name, "quatro palavras erradas");
            // The page repeats what was typed.
            (status, body.replace(name, "NAME"))
        };
        answers.push((0..7).map(|_| try_once(&mut browser)).collect::<Vec<_>>());
    }
    assert!(answers.iter().all(|one| *one == answers[0]), "who exists is told: {answers:#?}");
    let statuses: Vec<u16> = answers[0].iter().map(|(status, _)| *status).collect();
    assert_eq!(statuses, [422, 422, 422, 422, 422, 429, 429]);
    assert!(answers[0][6].1.contains("Tente de novo em 1 minuto."), "{}", answers[0][6].1);
    // The right one does not open it either, whatever the case of the name.
    let locked = browser.log_in("Ana@Example.com", PASSWORD).expect(429);
    assert!(locked.header("retry-after").parse::<u64>().unwrap() <= 60);
    shift.pass(61);
    eventually("a minute is over", || {
        browser.log_in("ana@example.com", "quatro palavras erradas").status == 422
    });
    let locked = browser.log_in("ana@example.com", PASSWORD).expect(429);
    assert!(locked.body.contains("Tente de novo em 2 minutos."), "{}", locked.body);
    // Restarted, it is locked still.
    drop(daemon);
    let daemon = shift.start();
    let mut browser = Browser::new(&daemon);
    browser.log_in("ana@example.com", PASSWORD).expect(429);
    shift.pass(121);
    eventually("two minutes are over", || {
        browser.log_in("ana@example.com", PASSWORD).status == 303
    });
    // And all is forgotten.
    browser.log_in("ana@example.com", "quatro palavras erradas").expect(422);
    browser.log_in("ana@example.com", PASSWORD).expect(303);
}

/// Who is there and who is not takes the same time to find out.
#[test]
fn nobody_learns_from_the_time_that_a_login_takes() {
    let reseller = open(LedgerKind::Sqlite, &[]);
    let mut shift = Shift::new(&reseller, NOON);
    let daemon = shift.start();
    let mut browser = Browser::signed_in(&reseller, &daemon, "ana@example.com", "admin");
    let mut times = [Vec::new(), Vec::new()];
    for round in 0..4 {
        for (name, times) in ["ana@example.com", "eva@example.com"].into_iter().zip(&mut times) {
            // Let the hash before have its rest.
            std::thread::sleep(Duration::from_millis(1500));
            let begun = Instant::now();
            browser.log_in(name, &format!("quatro palavras {round}")).expect(422);
            times.push(begun.elapsed());
        }
    }
    let least = times.map(|times| times.into_iter().min().unwrap().as_secs_f64());
    let ratio = least[0] / least[1];
    assert!((0.5..2.0).contains(&ratio), "{least:?}");
}

#[test]
fn an_invitation_serves_once_and_for_a_week() {
    let reseller = open(LedgerKind::Sqlite, &[]);
    let mut shift = Shift::new(&reseller, NOON);
    let daemon = shift.start();
    let mut admin = Browser::signed_in(&reseller, &daemon, "ana@example.com", "admin");
    let mut invite = || {
        let fields = [("email", "eva@example.com"), ("name", "Eva"), ("role", "finance")];
        let path = match admin.post("/system/people", &fields).status {
            303 => "/system/people",
            _ => "/system/people/invite",
        };
        if path.ends_with("invite") {
            admin.post(path, &fields).expect(303);
        }
        let page = admin.get("/system/people").body;
        let link = page.split("/invitation/").nth(1).unwrap();
        format!("/invitation/{}", &link[..43])
    };
    let (first, second) = (invite(), invite());
    let mut eva = Browser::new(&daemon);
    eva.get(&first).expect(404);
    let page = eva.get(&second).expect(200).body;
    assert!(page.contains("Eva, este é o seu acesso"), "{page}");
    for (password, again, why) in [
        ("curta", "curta", "pelo menos 12 letras"),
        (PASSWORD, "outra", "não são iguais"),
        ("eva@example.com", "eva@example.com", "não pode ser o seu e-mail"),
        ("aaaaaaaaaaaaaaaa", "aaaaaaaaaaaaaaaa", "repete poucas letras"),
    ] {
        let refused = eva.post(&second, &[("password", password), ("again", again)]).expect(422);
        assert!(refused.body.contains(why), "{}", refused.body);
    }
    let long = "palavra ".repeat(65);
    let refused = eva.post(&second, &[("password", &long), ("again", &long)]).expect(422);
    assert!(refused.body.contains("no máximo 512 bytes"), "{}", refused.body);
    eva.post(&second, &[("password", PASSWORD), ("again", PASSWORD)]).expect(303);
    eva.get("/").expect(200);
    eva.get(&second).expect(404);
    eva.post(&second, &[("password", PASSWORD), ("again", PASSWORD)]).expect(404);
    // A new one, used: who was logged in before is out.
    let third = invite();
    let mut finder = Browser::new(&daemon);
    finder.post(&third, &[("password", PASSWORD), ("again", PASSWORD)]).expect(303);
    assert!(eva.get("/").leads_to().starts_with("/login"));
    let fourth = invite();
    finder.get(&fourth).expect(200);
    shift.pass(7 * 86_400 + 1);
    eventually("a week is over", || finder.get(&fourth).status == 404);
}

#[rstest]
fn a_form_is_carried_out_once(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let reseller = open(ledger, &[]);
    let mut shift = Shift::new(&reseller, NOON);
    let daemon = shift.start();
    let mut admin = Browser::signed_in(&reseller, &daemon, "ana@example.com", "admin");
    let tokens = || reseller.ledger_number("SELECT COUNT(*) FROM token");
    let fields = [("name", "erp"), ("role", "viewer"), ("days", "1")];
    for _ in 0..2 {
        let done = admin.post("/system/tokens?once=abc123", &fields);
        assert_eq!(done.leads_to(), "/system/tokens");
    }
    assert!(admin.get("/system/tokens").body.contains("valeu uma vez só"));
    assert_eq!(tokens(), 1);
    // Pressed ten times at once.
    let presses: Vec<_> = (0..10)
        .map(|_| {
            let mut admin = admin.clone();
            std::thread::spawn(move || admin.post("/system/tokens?once=def456", &fields))
        })
        .collect();
    for press in presses {
        assert_eq!(press.join().unwrap().leads_to(), "/system/tokens");
    }
    assert_eq!(tokens(), 2);
    // What was refused did nothing, so it can be sent again.
    let wrong = [("name", ""), ("role", "viewer"), ("days", "1")];
    admin.post("/system/tokens?once=ghi789", &wrong).expect(422);
    admin.post("/system/tokens?once=ghi789", &fields).expect(303);
    assert_eq!(tokens(), 3);
    // Given up at any moment and pressed again, as browsers do with a double click: it is done, once.
    let body = "name=erp&role=viewer&days=1";
    for wait in [0, 1, 2, 4, 8, 16, 32] {
        let mut stream = TcpStream::connect(daemon.address()).unwrap();
        let path = format!("/system/tokens?once=jkl{wait}");
        write!(
            stream,
            "POST {path} HTTP/1.1\r\nHost: x\r\nCookie: fecha_session={}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
            admin.cookies["fecha_session"],
            body.len()
        )
        .unwrap();
        std::thread::sleep(Duration::from_millis(wait));
        drop(stream);
        let before = tokens();
        assert_eq!(admin.post(&path, &fields).leads_to(), "/system/tokens");
        assert!(tokens() <= before + 1);
    }
    assert_eq!(tokens(), 10);
}

#[test]
fn a_body_has_an_end_and_a_time() {
    let reseller = open(LedgerKind::Sqlite, &[]);
    let mut shift = Shift::new(&reseller, NOON);
    let daemon = shift.start();
    let mut stranger = Browser::new(&daemon);
    let long = format!("GET /?q={} HTTP/1.1\r\n", "x".repeat(70_000));
    let refused = stranger.ask(&long, "").status;
    assert!([0, 414, 431].contains(&refused), "a head without end: {refused}");

    // Letters that never come whole keep nobody out, however many write them.
    let address = daemon.address();
    let slow = |_| {
        let mut stream = TcpStream::connect(&address).unwrap();
        let _ = stream.write_all(b"POST /login HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 1000\r\n\r\nemail=");
        stream
    };
    let mut held: Vec<TcpStream> = (0..200).map(slow).collect();
    for _ in 0..10 {
        let begun = Instant::now();
        stranger.get("/login").expect(200);
        assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    }
    let mut last = held.pop().unwrap();
    last.set_read_timeout(Some(Duration::from_secs(50))).unwrap();
    let begun = Instant::now();
    let _ = last.read_to_end(&mut Vec::new());
    assert!(begun.elapsed() < Duration::from_secs(45), "{:?}", begun.elapsed());
}

#[test]
fn nobody_is_led_to_another_site() {
    let reseller = open(LedgerKind::Sqlite, &[]);
    let mut shift = Shift::new(&reseller, NOON);
    let daemon = shift.start();
    Browser::signed_in(&reseller, &daemon, "ana@example.com", "admin");
    let mut browser = Browser::new(&daemon);
    let asked = browser.get("/months?year=2026").leads_to().to_owned();
    assert_eq!(asked, "/login?to=%2Fmonths%3Fyear%3D2026");
    assert!(browser.get(&asked).expect(200).body.contains("value=\"/months?year=2026\""));
    for (to, leads_to) in [
        ("/months?year=2026", "/months?year=2026"),
        ("//evil.example/", "/"),
        ("https://evil.example/", "/"),
        ("/\\evil.example", "/"),
        ("/\tevil", "/"),
        ("/x\r\nSet-Cookie: a=b", "/"),
    ] {
        let mut browser = Browser::new(&daemon);
        let fields = [("email", "ana@example.com"), ("password", PASSWORD), ("to", to)];
        assert_eq!(browser.post("/login", &fields).leads_to(), leads_to, "{to}");
        assert!(!browser.cookies.contains_key("a"));
    }
}

#[test]
fn a_header_is_believed_only_of_a_proxy_that_is_named() {
    let with = |proxies: &str| {
        let mut reseller = open(LedgerKind::Sqlite, &[]);
        for (name, value) in [
            ("FECHA_CONSOLE__USER_HEADER", "X-Forwarded-Email"),
            ("FECHA_CONSOLE__TRUSTED_PROXIES", proxies),
        ] {
            reseller.variables.push((name.to_owned(), value.to_owned()));
        }
        for (email, role) in [("ana@example.com", "admin"), ("eva@example.com", "viewer")] {
            let add = ["people", "add", "--email", email, "--role", role, "--by", "Rui"];
            reseller.run(&add).expect(0);
        }
        reseller
    };
    let says = |daemon: &Daemon, emails: &[&str]| {
        let mut browser = Browser::new(daemon);
        let header = |email: &&str| ("X-Forwarded-Email".to_owned(), (*email).to_owned());
        browser.headers = emails.iter().map(header).collect();
        browser
    };
    let reseller = with("10.0.0.0/8");
    let daemon = Shift::new(&reseller, NOON).start();
    assert!(says(&daemon, &["ana@example.com"]).get("/").leads_to().starts_with("/login"));

    let reseller = with("10.0.0.0/8,127.0.0.1");
    let mut shift = Shift::new(&reseller, NOON);
    let daemon = shift.start();
    says(&daemon, &["Ana@Example.com"]).get("/system/people").expect(200);
    says(&daemon, &["eva@example.com"]).get("/").expect(200);
    says(&daemon, &["eva@example.com"]).get("/system/people").expect(403);
    let stranger = says(&daemon, &["mal@example.com"]).get("/").expect(403);
    assert!(stranger.body.contains("não conhece mal@example.com"), "{}", stranger.body);
    assert!(says(&daemon, &[]).get("/").leads_to().starts_with("/login"));
    // Two of them: one was there before the proxy's own.
    let two = says(&daemon, &["ana@example.com", "eva@example.com"]).get("/");
    assert!(two.leads_to().starts_with("/login"));
    // Forged forms are forged still.
    let mut admin = says(&daemon, &["ana@example.com"]);
    admin
        .post_from("/system/people/disable", "cross-site", &[("email", "eva@example.com")])
        .expect(403);
    admin.post("/system/people/disable", &[("email", "eva@example.com")]).expect(303);
    says(&daemon, &["eva@example.com"]).get("/").expect(403);
}

#[test]
fn every_answer_says_what_a_browser_is_to_refuse() {
    let mut reseller = open(LedgerKind::Sqlite, &[]);
    let url = ("FECHA_CONSOLE__PUBLIC_URL".to_owned(), "https://fecha.example.com".to_owned());
    let plain = Shift::new(&reseller, NOON).start();
    let policy = "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
    for path in ["/", "/login", "/nowhere", "/invitation/x"] {
        let answer = Browser::new(&plain).get(path);
        assert_eq!(answer.header("content-security-policy"), policy, "{path}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("cache-control"), "no-store", "{path}");
        assert_eq!(answer.header("cross-origin-opener-policy"), "same-origin", "{path}");
        assert_eq!(answer.header("referrer-policy"), "same-origin", "{path}");
        assert_eq!(answer.header("strict-transport-security"), "", "{path}");
    }
    let stylesheet = Browser::new(&plain).get("/login").body;
    let stylesheet = stylesheet.split("rel=\"stylesheet\" href=\"").nth(1).unwrap();
    let kept = Browser::new(&plain).get(stylesheet.split('"').next().unwrap()).expect(200);
    assert!(kept.header("cache-control").contains("immutable"));
    let answer = Browser::signed_in(&reseller, &plain, "ana@example.com", "admin");
    assert!(answer.cookies.contains_key("fecha_session"));
    drop(plain);

    reseller.variables.push(url);
    let secure = Shift::new(&reseller, NOON).start();
    let mut browser = Browser::new(&secure);
    let answer = browser.log_in("ana@example.com", PASSWORD).expect(303);
    assert_eq!(answer.header("strict-transport-security"), "max-age=31536000");
    let cookie = answer.header("set-cookie");
    assert!(cookie.starts_with("__Host-fecha_session="), "{cookie}");
    for attribute in ["; Secure", "; HttpOnly", "; SameSite=Lax", "; Path=/"] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    browser.get("/").expect(200);
}

#[test]
fn on_another_address_it_wants_tls_in_front_and_tokens() {
    let mut reseller = open(LedgerKind::Sqlite, &[]);
    let listen = ("FECHA_CONSOLE__LISTEN".to_owned(), "0.0.0.0:0".to_owned());
    reseller.variables.push(listen);
    let refused = reseller.run(&["daemon"]).expect(2).stderr;
    assert!(refused.contains("set public_url = \"https://…\""), "{refused}");
    let url = ("FECHA_CONSOLE__PUBLIC_URL".to_owned(), "https://fecha.example.com".to_owned());
    reseller.variables.push(url);
    let add =
        ["--json", "tokens", "add", "--name", "prometheus", "--role", "viewer", "--by", "Rui"];
    let made = reseller.run(&add).expect(0).json();
    let mut shift = Shift::new(&reseller, NOON);
    let daemon = shift.start();
    let mut browser = Browser::new(&daemon);
    for open in ["/livez", "/healthz", "/readyz"] {
        browser.get(open).expect(200);
    }
    let metrics = |shown: &str| {
        let mut browser = Browser::new(&daemon);
        browser.headers = vec![("Authorization".to_owned(), shown.to_owned())];
        browser.get("/metrics")
    };
    let answer = browser.get("/metrics").expect(401);
    assert_eq!(answer.header("www-authenticate"), "Bearer");
    metrics("Bearer fecha_x").expect(401);
    let token = format!("Bearer {}", made["token"].as_str().unwrap());
    assert!(metrics(&token).expect(200).body.contains("fecha_ledger_up 1"));
    reseller.run(&["tokens", "revoke", made["id"].as_str().unwrap(), "--by", "Rui"]).expect(0);
    metrics(&token).expect(401);
}

#[test]
fn behind_nginx_as_the_docs_set_it_up() {
    behind(|address| {
        let nginx = Nginx::start(address);
        move |path: &str, arguments: &[&str]| nginx.curl(path, arguments)
    });
}

#[test]
fn behind_caddy_as_the_docs_set_it_up() {
    behind(|address| {
        let caddy = Caddy::start(address);
        move |path: &str, arguments: &[&str]| caddy.curl(path, arguments)
    });
}

/// A person at work behind a proxy, by what curl prints through it.
fn behind<C: Fn(&str, &[&str]) -> String>(proxy: impl Fn(&str) -> C) {
    let mut reseller = open(LedgerKind::Sqlite, &[]);
    for (name, value) in [
        ("FECHA_CONSOLE__PUBLIC_URL", "https://fecha.example.com"),
        ("FECHA_CONSOLE__USER_HEADER", "X-Forwarded-Email"),
        ("FECHA_CONSOLE__TRUSTED_PROXIES", "127.0.0.1"),
    ] {
        reseller.variables.push((name.to_owned(), value.to_owned()));
    }
    let add = ["--json", "people", "add", "--email", "ana@example.com", "--role", "admin"];
    let invited = reseller.run(&add).expect(0).json();
    let link = invited["link"].as_str().unwrap();
    let path = link.strip_prefix("https://fecha.example.com").unwrap();
    let mut shift = Shift::new(&reseller, NOON);
    let daemon = shift.start();
    let curl = proxy(&daemon.address());
    // What a browser writes into the header of the proxy does not come through.
    let forged = curl("/", &["-H", "X-Forwarded-Email: ana@example.com"]);
    assert!(forged.starts_with("HTTP/1.1 303") && forged.contains("/login"), "{forged}");
    let chosen = format!("password={0}&again={0}", PASSWORD.replace(' ', "+"));
    let foreign = curl(path, &["-H", "Origin: https://evil.example", "-d", &chosen]);
    assert!(foreign.starts_with("HTTP/1.1 403"), "{foreign}");
    let own = ["-H", "Origin: https://fecha.example.com"];
    let in_now = curl(path, &[&own[..], &["-d", &chosen]].concat());
    let has_cookie = in_now.contains("__Host-fecha_session=");
    assert!(in_now.starts_with("HTTP/1.1 303") && has_cookie, "{in_now}");
    let people = curl("/system/people", &[]);
    assert!(people.starts_with("HTTP/1.1 200") && people.contains("ana@example.com"), "{people}");
    assert!(people.to_lowercase().contains("strict-transport-security: max-age=31536000"));
    assert!(curl("/metrics", &[]).starts_with("HTTP/1.1 404"));

    // A file comes through, whole.
    let file = reseller.path("big.csv");
    std::fs::write(&file, format!("{DEALERSHIP_HEADER}{}", "\n".repeat(20 << 20))).unwrap();
    let field = format!("files=@{}", file.display());
    let sent = curl("/dealerships/import", &[&own[..], &["-F", &field]].concat());
    assert!(sent.contains("HTTP/1.1 303") && sent.contains("/dealerships/import?"), "{sent}");

    // The progress of a task comes as it happens: whoever counts has to wait.
    let messages = reseller.messages();
    messages.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let asked = curl("/months/2026-10/preview", &[&own[..], &["-d", ""]].concat());
    let task = asked
        .lines()
        .find_map(|line| line.to_lowercase().strip_prefix("location: ").map(str::to_owned));
    let events = format!("{}/events", task.unwrap_or_else(|| panic!("{asked}")).trim());
    let seen = curl(&events, &["-N", "--max-time", "5"]);
    messages.execute_batch("COMMIT").unwrap();
    assert!(seen.starts_with("HTTP/1.1 200") && seen.contains("data: "), "{events}: {seen}");
}

/// What attacks, until it is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Attack {
    Nobody,
    /// Waves of as many connections as can be open, some with half a letter.
    Connections,
    /// Logins, one after the other, over some connections at once.
    Logins,
}

impl Attack {
    /// How many there are before the close begins.
    fn before(self) -> usize {
        match self {
            Self::Nobody => 0,
            Self::Connections => 10_000,
            Self::Logins => 50,
        }
    }

    fn run(self, daemon: &Daemon, over: &AtomicBool, count: &AtomicUsize) {
        match self {
            Self::Nobody => {}
            Self::Connections => {
                while !over.load(Ordering::Relaxed) {
                    wave(&daemon.address(), over, count);
                }
            }
            Self::Logins => {
                let mut browser = Browser::new(daemon);
                while !over.load(Ordering::Relaxed) {
                    let tried = count.fetch_add(1, Ordering::Relaxed);
                    browser.log_in(&format!("{tried}@example.com"), "quatro palavras erradas");
                }
            }
        }
    }
}

/// As many as may be open at once.
fn wave(address: &str, over: &AtomicBool, count: &AtomicUsize) {
    let mut held = Vec::new();
    while !over.load(Ordering::Relaxed) && held.len() < 10_000 {
        let Ok(mut stream) = TcpStream::connect(address) else { break };
        let opening: &[u8] = match held.len() % 3 {
            0 => b"",
            1 => b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ",
            _ => b"POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: 9999\r\n\r\nemail=",
        };
        let _ = stream.write_all(opening);
        count.fetch_add(1, Ordering::Relaxed);
        held.push(stream);
    }
}

/// How long a close and its emails take from midnight on, and how many attacked meanwhile.
fn time_of_a_close(ledger: LedgerKind, attack: Attack) -> (Duration, usize) {
    const DEALERSHIPS: usize = 400;
    allow_many_files();
    let mut reseller = reseller(ledger, &[]);
    let ids: Vec<String> = (0..DEALERSHIPS).map(|n| format!("d{n}")).collect();
    let rows: Vec<_> = ids.iter().map(|id| (id.as_str(), "", "5000")).collect();
    reseller.at(AT_NOON).register(&rows);
    for id in &ids {
        reseller.add_contacts(id, 50, "2026-10-31T20:00:00Z");
    }
    let mut shift = Shift::new(&reseller, "2026-10-31T12:00:00Z");
    let daemon = shift.start();
    daemon.says("the daemon runs");
    let (over, count) = (AtomicBool::new(false), AtomicUsize::new(0));
    let attackers = if attack == Attack::Logins { 8 } else { 1 };
    std::thread::scope(|scope| {
        for _ in 0..attackers {
            scope.spawn(|| attack.run(&daemon, &over, &count));
        }
        within(Duration::from_mins(5), "the attack is on", || {
            count.load(Ordering::Relaxed) >= attack.before()
        });
        let begun = Instant::now();
        shift.set("2026-11-01T03:10:00Z");
        all_done(&reseller, i64::try_from(DEALERSHIPS).unwrap());
        let took = begun.elapsed();
        over.store(true, Ordering::Relaxed);
        (took, count.load(Ordering::Relaxed))
    })
}

/// `cargo test --test it -- --ignored --nocapture access::a_flood`
#[rstest]
#[ignore = "a measurement: it wants the machine for itself"]
fn a_flood_delays_neither_a_close_nor_an_email(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let (calm, _) = time_of_a_close(ledger, Attack::Nobody);
    for attack in [Attack::Connections, Attack::Logins] {
        let (flooded, count) = time_of_a_close(ledger, attack);
        let ratio = flooded.as_secs_f64() / calm.as_secs_f64();
        println!("{ledger:?}, {count} {attack:?}: calm {calm:.2?}, then {flooded:.2?}: {ratio:.2}");
        assert!(ratio < 2.0, "{attack:?}: calm {calm:?}, flooded {flooded:?}");
    }
}
