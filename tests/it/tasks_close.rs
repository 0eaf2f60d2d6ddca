//! What the console issues of a month that nothing holds: only what somebody read before, by that plan or not at all.

use rstest::rstest;
use serde_json::json;

use crate::console_month::{done, field};
use crate::support::browser::{Answer, Browser};
use crate::support::chromium::{PASSWORD, Story, base, invite, pictures};
use crate::support::daemon::{Daemon, Shift, eventually};
use crate::support::reseller::{LedgerKind, Reseller};

const NOVEMBER: &str = "2026-11-26T12:00:00Z";
const MONTH: &str = "/months/2026-10";
const LOOK: &str = "/months/2026-10/close";
const RELEASE: &str = "/months/2026-10/release";

/// A month that has ended: whose the next invoices of it are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum October {
    /// Everybody's: the daemon begins with November.
    Open,
    /// Of one whose contract was missing when it was closed.
    Closed,
}

/// d1 and d2 have used October; d2 has no contract yet where it is closed.
fn reseller(ledger: LedgerKind, october: October) -> Reseller {
    let mut reseller = Reseller::new(ledger);
    reseller.at("2026-11-26 11:00:00");
    if october == October::Closed {
        reseller.register(&[("d1", "", "5000")]);
    }
    for id in ["d1", "d2"] {
        reseller.add_contacts(id, 3, "2026-10-31T20:00:00Z");
    }
    if october == October::Closed {
        // d2 is nobody yet: half of the messages are nobody's.
        reseller.run(&["close", "--month", "2026-10", "--release", "--by", "Rui"]).expect(1);
    }
    reseller.register(&[("d1", "", "5000"), ("d2", "", "5000")]);
    reseller
}

fn late_message(reseller: &Reseller) {
    let at = "2026-10-30T12:00:00Z";
    reseller.add(&[(Some("d2"), "5548990000001", "out", "hsm", None, None, at)]);
}

fn finance(reseller: &Reseller, daemon: &Daemon, name: &str) -> Browser {
    Browser::signed_in(reseller, daemon, &format!("{name}@example.com"), "finance")
}

fn invoices(reseller: &Reseller) -> i64 {
    reseller.ledger_number("SELECT COUNT(*) FROM invoice")
}

/// Asks for what would be issued: the page of the task, and that of the month.
#[track_caller]
fn looks(browser: &mut Browser) -> [Answer; 2] {
    let task = browser.post(LOOK, &[]).leads_to().to_owned();
    [done(browser, &task), browser.get(MONTH).expect(200)]
}

/// Issues a plan: the page of the task, once it is over.
#[track_caller]
fn issues(browser: &mut Browser, plan: &str) -> Answer {
    let typed = [("plan", plan), ("reason", "conferido com o banco")];
    let task = browser.post(RELEASE, &typed).leads_to().to_owned();
    done(browser, &task)
}

#[rstest]
fn an_open_month_is_read_before_it_is_issued(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let reseller = reseller(ledger, October::Open);
    let mut shift = Shift::new(&reseller, NOVEMBER);
    let daemon = shift.start();
    let mut ana = finance(&reseller, &daemon, "ana");
    let mut leo = Browser::signed_in(&reseller, &daemon, "leo@example.com", "viewer");
    leo.post(LOOK, &[]).expect(403);
    let [task, page] = looks(&mut ana);
    assert!(task.body.contains("Seriam emitidas: 2 faturas (R$\u{a0}2.028,00)"), "{}", task.body);
    // Nothing is written, whoever sees it.
    assert_eq!(invoices(&reseller), 0);
    assert_eq!(reseller.ledger_number("SELECT COUNT(*) FROM closing"), 0);
    assert_eq!(reseller.ledger_number("SELECT COUNT(*) FROM held_close"), 0);
    assert!(page.body.contains("Nada foi emitido por esta contagem"), "{}", page.body);
    assert!(page.body.contains("Emitir este plano: 2 faturas · R$\u{a0}2.028,00"), "{}", page.body);
    assert!(page.body.contains("href=\"/dealerships/d2\""), "{}", page.body);
    let plan = field(&page, "plan").to_owned();
    assert!(leo.get(MONTH).expect(200).body.contains("Liberar é do financeiro"));

    // Not without the plan, a word why, or by another plan.
    ana.post(RELEASE, &[("reason", "conferido")]).expect(422);
    let silent = ana.post(RELEASE, &[("plan", plan.as_str())]).expect(422);
    assert!(silent.body.contains("Escreva por quê"), "{}", silent.body);
    let another = "b".repeat(64);
    let typed = [("plan", another.as_str()), ("reason", "conferido")];
    let other = ana.post(RELEASE, &typed).expect(422);
    assert!(other.body.contains("o plano mudou") && other.body.contains("conferido</textarea>"));
    leo.post(RELEASE, &[("plan", plan.as_str()), ("reason", "conferido")]).expect(403);
    assert_eq!(reseller.ledger_number("SELECT COUNT(*) FROM task WHERE kind = 'release'"), 0);
    assert_eq!(invoices(&reseller), 0);

    let issued = issues(&mut ana, &plan);
    assert!(issued.body.contains("Agora: 2 faturas"), "{}", issued.body);
    assert_eq!(invoices(&reseller), 2);
    let said = reseller.ledger_texts("SELECT detail FROM audit WHERE action = 'release'");
    assert_eq!(said, [format!("plan {plan}; reason: conferido com o banco")]);
    // What is issued is not offered again, and a tab that was left open issues nothing.
    let page = ana.get(MONTH).expect(200);
    assert!(page.body.contains("Fechado") && !page.body.contains("name=\"plan\""));
    let late = ana.post(RELEASE, &[("plan", plan.as_str()), ("reason", "de novo")]).expect(400);
    assert!(late.body.contains("o que havia já foi emitido"), "{}", late.body);
    assert_eq!(invoices(&reseller), 2);
}

#[rstest]
fn what_is_added_to_a_closed_month_is_read_before_it_is_issued(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let reseller = reseller(ledger, October::Closed);
    let mut shift = Shift::new(&reseller, NOVEMBER);
    let daemon = shift.start();
    let mut ana = finance(&reseller, &daemon, "ana");
    let [task, page] = looks(&mut ana);
    assert!(task.body.contains("Seria emitida: 1 fatura (R$\u{a0}1.014,00)"), "{}", task.body);
    assert_eq!(invoices(&reseller), 1);
    assert!(page.body.contains("A fatura que já foi emitida fica como está"), "{}", page.body);
    assert!(page.body.contains("Emitir este plano: 1 fatura · R$\u{a0}1.014,00"), "{}", page.body);
    let issued = issues(&mut ana, field(&page, "plan"));
    assert!(
        issued.body.contains("Agora: 1 fatura (R$\u{a0}1.014,00). Ao todo o mês tem 2 faturas")
    );
    assert_eq!(invoices(&reseller), 2);
    // Nothing more is in it.
    let [task, page] = looks(&mut ana);
    assert!(task.body.contains("Nada a emitir"), "{}", task.body);
    assert!(page.body.contains("Nada a emitir") && !page.body.contains("name=\"plan\""));
}

#[rstest]
fn what_changed_since_it_was_read_is_shown_and_not_issued(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
    #[values(October::Open, October::Closed)] october: October,
) {
    let reseller = reseller(ledger, october);
    let before = invoices(&reseller);
    let mut shift = Shift::new(&reseller, NOVEMBER);
    let daemon = shift.start();
    let mut ana = finance(&reseller, &daemon, "ana");
    let [_, page] = looks(&mut ana);
    let seen = field(&page, "plan").to_owned();
    late_message(&reseller);
    let refused = issues(&mut ana, &seen);
    assert!(refused.body.contains("Nada foi emitido"), "{}", refused.body);
    assert!(refused.body.contains("já não é o que foi lido"), "{}", refused.body);
    assert_eq!(invoices(&reseller), before);
    let page = ana.get(MONTH).expect(200);
    assert!(page.body.contains("O que mudou desde o plano de"), "{}", page.body);
    for words in ["R$\u{a0}1.014,00</td>", "R$\u{a0}1.014,46</td>", "Mensagens do mês: de 6 para 7"]
    {
        assert!(page.body.contains(words), "{words}: {}", page.body);
    }
    let now = field(&page, "plan").to_owned();
    assert_ne!(now, seen);
    ana.post(RELEASE, &[("plan", seen.as_str()), ("reason", "conferido")]).expect(422);
    assert!(issues(&mut ana, &now).body.contains("Agora:"));
    assert_eq!(invoices(&reseller), 2);
}

#[rstest]
fn who_asked_for_the_plan_does_not_issue_it(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let mut reseller = reseller(ledger, October::Closed);
    reseller.variables.push(("FECHA_CONSOLE__FOUR_EYES".to_owned(), "true".to_owned()));
    let mut shift = Shift::new(&reseller, NOVEMBER);
    let daemon = shift.start();
    let mut ana = finance(&reseller, &daemon, "ana");
    let mut bia = finance(&reseller, &daemon, "bia");
    let [_, page] = looks(&mut ana);
    assert!(page.body.contains("Quem pede não libera"), "{}", page.body);
    let page = bia.get(MONTH).expect(200);
    let plan = field(&page, "plan").to_owned();
    let typed = [("plan", plan.as_str()), ("reason", "conferido")];
    let refused = ana.post(RELEASE, &typed).expect(422);
    assert!(refused.body.contains("Este plano foi pedido por"), "{}", refused.body);
    // Nor does another count make it hers to issue.
    looks(&mut bia);
    ana.post(RELEASE, &typed).expect(422);
    assert_eq!(invoices(&reseller), 1);
    issues(&mut bia, &plan);
    assert_eq!(invoices(&reseller), 2);
}

/// Of October so many invoices wait to be issued, and nobody issues them by themselves.
fn many(ledger: LedgerKind, dealerships: usize) -> Reseller {
    let mut reseller = Reseller::new(ledger);
    reseller.at("2026-11-26 11:00:00");
    let ids: Vec<String> = (0..dealerships).map(|index| format!("d{index:03}")).collect();
    let rows: Vec<(&str, &str, &str)> = ids.iter().map(|id| (id.as_str(), "", "5000")).collect();
    reseller.register(&rows);
    for id in &ids {
        reseller.add_contacts(id, 2, "2026-10-31T20:00:00Z");
    }
    reseller
}

#[rstest]
fn two_people_at_once_and_a_killed_daemon_issue_a_plan_once(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let reseller = many(ledger, 200);
    let mut shift = Shift::new(&reseller, NOVEMBER);
    let daemon = shift.start();
    let mut ana = finance(&reseller, &daemon, "ana");
    let mut bia = finance(&reseller, &daemon, "bia");
    let [_, page] = looks(&mut ana);
    let plan = field(&page, "plan").to_owned();
    let typed = [("plan", plan.as_str()), ("reason", "conferido")];
    let [first, second] = std::thread::scope(|scope| {
        let both = [&mut ana, &mut bia].map(|one| scope.spawn(move || one.post(RELEASE, &typed)));
        both.map(|one| one.join().unwrap().leads_to().to_owned())
    });
    assert_eq!(first, second, "one task");
    eventually("invoices are being issued", || invoices(&reseller) > 10);
    daemon.kill();
    assert!(invoices(&reseller) < 200, "it was killed in the middle");
    let daemon = shift.start();
    let mut eva = finance(&reseller, &daemon, "eva");
    let issued = done(&mut eva, &first);
    assert!(issued.body.contains("Ao todo o mês tem 200 faturas"), "{}", issued.body);
    assert_eq!(invoices(&reseller), 200);
    assert_eq!(reseller.ledger_number("SELECT COUNT(DISTINCT number) FROM invoice"), 200);
    assert_eq!(reseller.ledger_number("SELECT COUNT(*) FROM digest"), 1, "finance is told once");
    let released = "SELECT COUNT(*) FROM audit WHERE action = 'release'";
    assert_eq!(reseller.ledger_number(released), 1);
}

#[rstest]
fn a_month_that_is_closed_meanwhile_says_so(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let reseller = reseller(ledger, October::Open);
    let mut shift = Shift::new(&reseller, NOVEMBER);
    let daemon = shift.start();
    let mut ana = finance(&reseller, &daemon, "ana");
    let [_, page] = looks(&mut ana);
    let plan = field(&page, "plan").to_owned();
    reseller.run(&["close", "--month", "2026-10"]).expect(0);
    let page = ana.get(MONTH).expect(200);
    assert!(page.body.contains("Fechado") && !page.body.contains("O que seria emitido"));
    let late = ana.post(RELEASE, &[("plan", plan.as_str()), ("reason", "x")]).expect(400);
    assert!(late.body.contains("o que havia já foi emitido"), "{}", late.body);
    assert_eq!(invoices(&reseller), 2);
}

#[rstest]
fn a_month_that_is_held_meanwhile_waits_by_the_plan_that_was_read(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let mut reseller = Reseller::new(ledger);
    reseller.at("2026-11-26 11:00:00").register(&[("d1", "", "5000")]);
    // Too long before the month's end.
    reseller.add_contacts("d1", 3, "2026-10-20T20:00:00Z");
    let mut shift = Shift::new(&reseller, NOVEMBER);
    let daemon = shift.start();
    let mut ana = finance(&reseller, &daemon, "ana");
    let [_, page] = looks(&mut ana);
    assert!(page.body.contains("A mensagem mais nova do banco"), "why it would be held: {page:?}");
    let plan = field(&page, "plan").to_owned();
    reseller.run(&["close", "--month", "2026-10"]).expect(1);
    let page = ana.get(MONTH).expect(200);
    assert!(page.body.contains("Retido para revisão"), "{}", page.body);
    assert_eq!(field(&page, "plan"), plan);
    // A count that was asked for before it was held, or is now, says where the plan is.
    let [task, _] = looks(&mut ana);
    assert!(task.body.contains("O mês está retido"), "{}", task.body);
    assert_eq!(invoices(&reseller), 0);
    assert!(issues(&mut ana, &plan).body.contains("Agora: 1 fatura"));
}

#[rstest]
fn a_held_month_whose_reason_is_gone_is_read_before_it_is_issued(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let reseller = Reseller::new(ledger);
    reseller.register(&[("d1", "", "5000")]);
    reseller.add_contacts("d1", 3, "2026-10-20T20:00:00Z");
    let mut shift = Shift::new(&reseller, "2026-10-25T12:00:00Z");
    let daemon = shift.start();
    daemon.says("the daemon runs");
    shift.set("2026-11-01T03:05:00Z");
    daemon.says("the close is held");
    let mut ana = finance(&reseller, &daemon, "ana");
    let seen = field(&ana.get(MONTH).expect(200), "plan").to_owned();
    let letters = reseller.emails("alert");
    // The source is whole again.
    reseller.add_contacts("d1", 5, "2026-10-31T20:00:00Z");
    let [task, page] = looks(&mut ana);
    assert!(task.body.contains("Nada foi emitido. O mês está retido"), "{}", task.body);
    assert_eq!(invoices(&reseller), 0, "nobody has read what it comes to");
    assert!(page.body.contains("O que retinha este fechamento não existe mais"), "{}", page.body);
    assert!(!page.body.contains("A mensagem mais nova"), "{}", page.body);
    assert!(page.body.contains("O que mudou"), "{}", page.body);
    assert_eq!(reseller.emails("alert"), letters, "nobody is called for it");
    let now = field(&page, "plan").to_owned();
    assert_ne!(now, seen);
    assert!(issues(&mut ana, &now).body.contains("Agora: 1 fatura"));
    assert_eq!(invoices(&reseller), 1);
}

/// As all pages must be: at each width, light and dark, without script.
#[rstest]
fn a_plan_is_read_in_a_browser(#[values(October::Open, October::Closed)] october: October) {
    let reseller = reseller(LedgerKind::Sqlite, october);
    let email = "eva@example.com";
    let link = invite(&reseller, email, "Eva", "finance");
    let person = json!({"invitation": link, "email": email, "password": PASSWORD});
    let mut shift = Shift::new(&reseller, NOVEMBER);
    let daemon = shift.start();
    let mut ana = finance(&reseller, &daemon, "ana");
    let [_, page] = looks(&mut ana);
    late_message(&reseller);
    issues(&mut ana, field(&page, "plan"));
    let told = json!({
        "base": base(&daemon), "paths": [MONTH], "pictures": pictures(), "person": person,
        "prefix": format!("plano-{october:?}-").to_lowercase(),
    });
    Story::start("crawl", &told).ends();
}
