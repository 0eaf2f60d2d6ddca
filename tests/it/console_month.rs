//! A month in the console, over HTTP with the real daemon: read, released, compared, reissued, taken home.

use std::time::Duration;

use rstest::rstest;

use crate::support::browser::{Answer, Browser};
use crate::support::daemon::{Shift, within};
use crate::support::reseller::{LedgerKind, Reseller};

/// A manual release by two people, of three dealerships.
fn waiting(ledger: LedgerKind) -> Reseller {
    let reseller = Reseller::new(ledger);
    let config = std::fs::read_to_string(reseller.path("fecha.toml")).unwrap();
    let manual = config.replacen("[email]", "[close]\napproval = \"manual\"\n[email]", 1);
    assert_ne!(config, manual);
    reseller.write("fecha.toml", &manual);
    let reseller = with_four_eyes(reseller);
    reseller.register(&[("d1", "", "5000"), ("d2", "", "5000"), ("d/3", "", "5000")]);
    for id in ["d1", "d2", "d/3"] {
        reseller.add_contacts(id, 2, "2026-10-31T20:00:00Z");
    }
    reseller
}

fn with_four_eyes(mut reseller: Reseller) -> Reseller {
    reseller.variables.push(("FECHA_CONSOLE__FOUR_EYES".to_owned(), "true".to_owned()));
    reseller
}

/// What stands in a hidden field.
#[track_caller]
pub fn field<'a>(page: &'a Answer, name: &str) -> &'a str {
    let mark = format!("name=\"{name}\" value=\"");
    let at = page.body.find(&mark).unwrap_or_else(|| panic!("no field {name}: {}", page.body));
    page.body[at + mark.len()..].split('"').next().unwrap()
}

/// The page of a task once it is over.
#[track_caller]
pub fn done(browser: &mut Browser, path: &str) -> Answer {
    let mut page = browser.get(path).expect(200);
    within(Duration::from_mins(1), "the task is over", || {
        page = browser.get(path).expect(200);
        !page.body.contains("data-events=")
    });
    page
}

#[rstest]
fn a_held_month_is_read_released_and_taken_home(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let reseller = waiting(ledger);
    let mut shift = Shift::new(&reseller, "2026-10-15T12:00:00Z");
    let daemon = shift.start();
    daemon.says("the daemon runs");
    shift.set("2026-11-01T03:05:00Z");
    daemon.says("the close is held");
    let mut bia = Browser::signed_in(&reseller, &daemon, "bia@example.com", "finance");
    let mut ana = Browser::signed_in(&reseller, &daemon, "ana@example.com", "finance");
    let mut leo = Browser::signed_in(&reseller, &daemon, "leo@example.com", "viewer");

    // Who only reads asks for nothing; the first who could release it has asked for it.
    let page = leo.get("/months/2026-10").expect(200);
    assert!(page.body.contains("Liberar é do financeiro"), "{}", page.body);
    let page = bia.get("/months/2026-10").expect(200);
    assert!(page.body.contains("Quem pede não libera"), "{}", page.body);
    let page = ana.get("/months/2026-10").expect(200);
    assert!(page.body.contains("Liberar e emitir 3 faturas"), "{}", page.body);
    let plan = field(&page, "plan").to_owned();

    let release = "/months/2026-10/release";
    let typed = [("plan", plan.as_str()), ("reason", "conferido")];
    leo.post(&format!("{release}?once=a1"), &typed).expect(403);
    let refused = bia.post(&format!("{release}?once=a2"), &typed).expect(422);
    assert!(refused.body.contains("Este plano foi pedido por"), "{}", refused.body);
    let silent = [("plan", plan.as_str()), ("reason", "  ")];
    let refused = ana.post(&format!("{release}?once=a3"), &silent).expect(422);
    assert!(refused.body.contains("Escreva por quê"), "{}", refused.body);

    let explained = ana.get("/months/2026-10/pro-forma/d%2F3").expect(200);
    assert!(explained.body.contains("Pacote de 5.000 contatos"), "{}", explained.body);
    let pdf = ana.get("/months/2026-10/pro-forma/d%2F3.pdf").expect(200);
    assert!(pdf.header("content-type") == "application/pdf" && pdf.body.contains("%PDF"));
    ana.get("/months/2026-10/pro-forma/nobody").expect(404);
    ana.get("/months/2026-10/workbook.xlsx").expect(200);
    ana.get("/months/2026-10/invoices.zip").expect(404);

    let task = ana.post(&format!("{release}?once=a4"), &typed).leads_to().to_owned();
    let page = done(&mut leo, &task);
    assert!(page.body.contains("Agora: 3 faturas"), "{}", page.body);
    let events = leo.get(&format!("{task}/events")).expect(200);
    assert!(events.body.contains("event: end"), "{}", events.body);
    assert_eq!(reseller.ledger_number("SELECT COUNT(*) FROM invoice"), 3);
    let page = ana.get("/months/2026-10").expect(200);
    assert!(page.body.contains("Fechado") && page.body.contains("2026-000003"), "{}", page.body);

    let zip = ana.get("/months/2026-10/invoices.zip").expect(200);
    assert!(zip.body.contains("PK") && zip.body.matches("fatura-2026-00000").count() >= 3);
    let csv = ana.get("/months/2026-10/invoices.csv").expect(200);
    let by_command = reseller.run(&["invoices", "--month", "2026-10", "--csv"]).expect(0).stdout;
    assert!(csv.body.contains(by_command.trim_start_matches('\u{feff}').trim_end()));
    ana.get("/months/2026-10/workbook.xlsx").expect(200);
    ana.get("/months/2026-10/invoices.csv?layout=x").expect(400);
    ana.get("/months/2027-05").expect(404);
    ana.get("/months/nonsense").expect(404);
    ana.get("/tasks/nonsense").expect(404);
    let running = ana.get("/months/2026-11").expect(200);
    assert!(running.body.contains("ainda não foi contado"), "{}", running.body);
}

#[rstest]
fn a_difference_is_accepted_by_cause_and_issued(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let mut reseller = Reseller::new(ledger);
    reseller.register(&[("d1", "", "5000"), ("d17", "", "5000"), ("d18", "", "5000")]);
    for id in ["d1", "d17", "d18"] {
        reseller.add_contacts(id, 3, "2026-10-31T12:00:00Z");
    }
    reseller.run(&["close"]).expect(0);
    reseller.at("2026-11-03 08:00:00");
    let late = |id| {
        let at = "2026-10-30T12:00:00Z";
        reseller.add(&[(Some(id), "5548990000001", "out", "hsm", None, None, at)]);
    };
    late("d1");
    reseller.register(&[("d1", "", "5000"), ("d17", "", "10000"), ("d18", "", "10000")]);
    let mut shift = Shift::new(&reseller, "2026-11-03T08:00:00Z");
    let daemon = shift.start();
    let mut ana = Browser::signed_in(&reseller, &daemon, "ana@example.com", "admin");
    let mut bia = Browser::signed_in(&reseller, &daemon, "bia@example.com", "finance");
    let page = ana.get("/months/2026-10/differences").expect(200);
    assert!(page.body.contains("ainda não foi comparado"), "{}", page.body);
    let task = bia.post("/months/2026-10/compare?once=b1", &[]).leads_to().to_owned();
    done(&mut bia, &task);

    let page = ana.get("/months/2026-10/differences").expect(200);
    assert!(page.body.contains("R$\u{a0}1.626,00"), "both packages: {}", page.body);
    assert!(!page.body.contains("name=\"plan\""), "nothing is accepted yet");
    let asked = "/months/2026-10/differences?all=late&of=contract%3Ad17&from=0";
    let page = ana.get(asked).expect(200);
    assert!(page.body.contains("Emitir 2 revisões"), "{}", page.body);
    let (plan, compared) = (field(&page, "plan").to_owned(), field(&page, "task").to_owned());
    let form = |reason| {
        [
            ("task", compared.as_str()),
            ("plan", plan.as_str()),
            ("all", "late"),
            ("of", "contract:d17"),
            ("reason", reason),
        ]
    };
    let rerun = "/months/2026-10/rerun";
    bia.post(&format!("{rerun}?once=b2"), &form("x")).expect(403);
    ana.post(&format!("{rerun}?once=b3"), &form(" ")).expect(422);
    let mut other = form("x");
    other[3].1 = "contract:d18";
    ana.post(&format!("{rerun}?once=b4"), &other).expect(422);
    let task = ana.post(&format!("{rerun}?once=b5"), &form("pacote errado")).leads_to().to_owned();
    let page = done(&mut bia, &task);
    assert!(page.body.contains("2 revisões emitidas"), "{}", page.body);
    let revised = "SELECT i.dealership_id FROM revision r JOIN invoice i ON i.number = r.number WHERE r.revision = 1";
    let mut ids = reseller.ledger_texts(revised);
    ids.sort();
    assert_eq!(ids, ["d1", "d17"]);
    let by = "SELECT DISTINCT issued_by FROM revision WHERE revision = 1";
    assert_eq!(reseller.ledger_texts(by).len(), 1);
    let page = ana.get("/months/2026-10/differences").expect(200);
    assert!(page.body.contains("depois desta comparação"), "{}", page.body);
}
