//! What people ask for in the console, carried out by the real daemon: once, whoever dies, and bound to what was read.

use std::collections::BTreeSet;
use std::time::Duration;

use fecha::actions::rerun::Accepted;
use fecha::actions::task::{AskError, Asker, Eyes, Outcome, Wish, ask};
use fecha::clock::Clock;
use fecha::ledger::tasks::{Asked, NewTask, Task, TaskId, TaskState};
use fecha::setup::config::Config;
use fecha::setup::office::{NoLedger, Office};
use fecha_core::bill::difference::Cause;
use fecha_core::bill::plan::PlanHash;
use fecha_core::calendar::month::Month;
use rstest::rstest;

use crate::support::browser::Browser;
use crate::support::daemon::{Daemon, Shift, eventually, within};
use crate::support::reseller::{LedgerKind, Reseller};

const OCTOBER: &str = "2026-10";

fn october() -> Month {
    OCTOBER.parse().unwrap()
}

/// What a console works with, beside the daemon.
struct Desk {
    runtime: tokio::runtime::Runtime,
    office: Office,
}

impl Desk {
    fn of(reseller: &Reseller) -> Self {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let url = (reseller.ledger_url().starts_with("postgres"))
            .then(|| ("FECHA_LEDGER__URL".to_owned(), reseller.ledger_url().to_owned()));
        let variables = reseller.variables.iter().cloned().chain(url);
        let config = Config::load(Some(&reseller.path("fecha.toml")), variables).unwrap();
        let office = runtime.block_on(Office::with(config, NoLedger::Refuse, Clock::System));
        Self { office: office.unwrap(), runtime }
    }

    fn asks(&self, wish: &Wish, person: &str, eyes: Eyes) -> Result<Asked, AskError> {
        let by = Asker { person: Some(person), name: person };
        self.runtime.block_on(ask(&self.office, wish, by, eyes))
    }

    /// The task that this is.
    #[track_caller]
    fn task(&self, wish: &Wish, person: &str) -> TaskId {
        self.asks(wish, person, Eyes::Two).unwrap().id().clone()
    }

    fn look(&self, id: &TaskId) -> Task {
        self.runtime.block_on(self.office.ledger.task(id)).unwrap().unwrap()
    }

    /// What came of a task, once it is over.
    #[track_caller]
    fn end(&self, id: &TaskId) -> Outcome {
        within(Duration::from_secs(90), "the task is over", || self.look(id).state.is_over());
        let task = self.look(id);
        assert_eq!(task.state, TaskState::Done, "{:?}", task.error);
        Outcome::of(&task).unwrap().unwrap()
    }

    /// The plan by which October is held, and which of its plans that is.
    fn plan(&self) -> (PlanHash, u32) {
        let last = self.runtime.block_on(self.office.ledger.last_hold(october())).unwrap().unwrap();
        (last.plan, last.sequence)
    }

    fn release(&self, plan: PlanHash) -> Wish {
        let (month, reason) = (october(), "conferido com o banco".to_owned());
        let _ = self;
        Wish::Release { month, plan, reason }
    }
}

/// So many dealerships, of whom each month waits for a person.
fn waiting(ledger: LedgerKind, dealerships: usize) -> Reseller {
    let reseller = Reseller::new(ledger);
    let config = std::fs::read_to_string(reseller.path("fecha.toml")).unwrap();
    let manual = config.replacen("[email]", "[close]\napproval = \"manual\"\n[email]", 1);
    assert_ne!(config, manual);
    reseller.write("fecha.toml", &manual);
    let ids: Vec<String> = (0..dealerships).map(|index| format!("d{index:03}")).collect();
    let rows: Vec<(&str, &str, &str)> = ids.iter().map(|id| (id.as_str(), "", "5000")).collect();
    reseller.register(&rows);
    for id in &ids {
        reseller.add_contacts(id, 2, "2026-10-31T20:00:00Z");
    }
    reseller
}

/// The daemon that has held October.
fn held(shift: &mut Shift<'_>) -> Daemon {
    let daemon = shift.start();
    daemon.says("the daemon runs");
    shift.set("2026-11-01T03:05:00Z");
    daemon.says("the close is held");
    eventually("it is written", || daemon.log().contains("the close is held"));
    daemon
}

fn invoices(reseller: &Reseller) -> i64 {
    reseller.ledger_number("SELECT COUNT(*) FROM invoice")
}

#[rstest]
fn a_release_outlives_a_killed_daemon_and_ends_once(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let reseller = waiting(ledger, 200);
    let mut shift = Shift::new(&reseller, "2026-10-15T12:00:00Z");
    let daemon = held(&mut shift);
    let desk = Desk::of(&reseller);
    let kept = reseller.ledger_number("SELECT COUNT(*) FROM held_invoice");
    assert_eq!((kept, invoices(&reseller)), (200, 0));
    let id = desk.task(&desk.release(desk.plan().0), "Ana Souza");
    eventually("invoices are being issued", || invoices(&reseller) > 10);
    daemon.kill();
    assert!(invoices(&reseller) < 200, "it was killed in the middle");
    assert_eq!(desk.look(&id).state, TaskState::Running, "as a dead leader leaves it");
    let daemon = shift.start();
    let Outcome::Closed(closed) = desk.end(&id) else { panic!("another outcome") };
    assert_eq!(closed.issued + closed.already_issued, 200);
    assert!(!closed.is_another_plan && closed.held.is_none());
    assert_eq!(invoices(&reseller), 200);
    assert_eq!(reseller.ledger_number("SELECT COUNT(DISTINCT number) FROM invoice"), 200);
    assert_eq!(reseller.ledger_number("SELECT COUNT(*) FROM digest"), 1, "finance is told once");
    assert_eq!(desk.look(&id).tries, 2);
    // Whom the audit log names, and why it was let go on.
    let said = "SELECT detail FROM audit WHERE action = 'release' AND actor = 'Ana Souza'";
    let said = reseller.ledger_texts(said);
    assert!(said[0].ends_with("reason: conferido com o banco"), "{said:?}");
    assert_eq!(said.len(), 1, "it is one release, however often it was begun");
    assert_eq!(
        reseller.ledger_number("SELECT COUNT(*) FROM held_invoice"),
        0,
        "not needed any more"
    );
    drop(daemon);
}

#[rstest]
fn messages_that_come_between_review_and_release_issue_nothing_and_are_shown(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let reseller = waiting(ledger, 3);
    let mut shift = Shift::new(&reseller, "2026-10-15T12:00:00Z");
    let _daemon = held(&mut shift);
    let desk = Desk::of(&reseller);
    let (seen, first) = desk.plan();
    let emails = reseller.emails("alert");
    reseller.add(&[(
        Some("d001"),
        "5548990000001",
        "out",
        "hsm",
        None,
        None,
        "2026-10-30T12:00:00Z",
    )]);
    let id = desk.task(&desk.release(seen.clone()), "Ana");
    let Outcome::Closed(closed) = desk.end(&id) else { panic!("another outcome") };
    assert!(closed.is_another_plan);
    assert_eq!(invoices(&reseller), 0);
    let (now, second) = desk.plan();
    assert_eq!((second, closed.plan.as_ref()), (first + 1, Some(&now)));
    assert_ne!(now, seen);
    assert_eq!(reseller.emails("alert"), emails, "nobody is written to anew");
    let held = |sequence| {
        let held = desk.office.ledger.held(october(), sequence);
        desk.runtime.block_on(held).unwrap()
    };
    let change = held(second).digest.total() - held(first).digest.total();
    assert_eq!(change.to_string(), "0.46");
    assert!(!held(second).reasons.is_empty());
    let foreseen = desk.office.ledger.held_invoice(october(), second, "d001");
    let foreseen = desk.runtime.block_on(foreseen).unwrap().unwrap();
    assert_eq!(foreseen.total().to_string(), "1014.46");
    // What was read before is released no more; what it comes to now is.
    let refused = desk.asks(&desk.release(seen), "Ana", Eyes::Two).unwrap_err();
    assert!(matches!(refused, AskError::AnotherPlan { .. }), "{refused}");
    let id = desk.task(&desk.release(now), "Ana");
    let Outcome::Closed(closed) = desk.end(&id) else { panic!("another outcome") };
    assert_eq!((closed.issued, closed.total.to_string().as_str()), (3, "3042.46"));
}

/// Stops the daemon while it writes nothing: stopped in the middle of a write it would keep a SQLite ledger from
/// everybody.
fn stop_between_writes(reseller: &Reseller, daemon: &Daemon) {
    let file = reseller.path("fecha.db");
    let ours = file.exists().then(|| rusqlite::Connection::open(file).unwrap());
    if let Some(ledger) = &ours {
        ledger.busy_timeout(Duration::from_secs(30)).unwrap();
        ledger.execute_batch("BEGIN IMMEDIATE").unwrap();
    }
    daemon.signal("-STOP");
    if let Some(ledger) = &ours {
        ledger.execute_batch("ROLLBACK").unwrap();
    }
}

#[rstest]
fn two_people_release_at_once(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let reseller = waiting(ledger, 3);
    let mut shift = Shift::new(&reseller, "2026-10-15T12:00:00Z");
    let daemon = held(&mut shift);
    let desk = Desk::of(&reseller);
    let wish = desk.release(desk.plan().0);
    stop_between_writes(&reseller, &daemon);
    let first = desk.asks(&wish, "Ana", Eyes::Two).unwrap();
    let second = desk.asks(&wish, "Bia", Eyes::Two).unwrap();
    assert!(matches!(&first, Asked::New(_)) && matches!(&second, Asked::Unfinished(_)));
    assert_eq!(first.id(), second.id());
    daemon.signal("-CONT");
    desk.end(first.id());
    assert_eq!(invoices(&reseller), 3);
    let late = desk.asks(&wish, "Bia", Eyes::Two).unwrap_err();
    assert!(matches!(late, AskError::NotHeld { .. }), "{late}");
    let released = "SELECT COUNT(*) FROM audit WHERE action = 'release'";
    assert_eq!(reseller.ledger_number(released), 1);
}

#[rstest]
fn who_asked_for_a_plan_does_not_release_it(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let reseller = waiting(ledger, 2);
    let mut shift = Shift::new(&reseller, "2026-10-15T12:00:00Z");
    let _daemon = held(&mut shift);
    let desk = Desk::of(&reseller);
    let (plan, _) = desk.plan();
    // The daemon made it: whoever opens it first has asked for it.
    let now = "2026-11-01T04:00:00Z".parse().unwrap();
    let ledger = &desk.office.ledger;
    let opened = ledger.ask_for_plan(october(), &plan, "ana", "Ana", now);
    assert_eq!(desk.runtime.block_on(opened).unwrap().person, "ana");
    let opened = ledger.ask_for_plan(october(), &plan, "bia", "Bia", now);
    assert_eq!(desk.runtime.block_on(opened).unwrap().person, "ana", "she was the first");
    let wish = desk.release(plan);
    let refused = desk.asks(&wish, "ana", Eyes::Four).unwrap_err();
    assert!(matches!(refused, AskError::FourEyes { .. }), "{refused}");
    assert_eq!(reseller.ledger_number("SELECT COUNT(*) FROM task"), 0);
    let id = desk.asks(&wish, "bia", Eyes::Four).unwrap().id().clone();
    desk.end(&id);
    assert_eq!(invoices(&reseller), 2);
}

#[rstest]
fn a_released_plan_approves_nothing_that_comes_later(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let reseller = waiting(ledger, 2);
    // Its month ends an hour later: it is in no plan before.
    let manaus = ("d002", "America/Manaus", "5000");
    reseller.register(&[("d000", "", "5000"), ("d001", "", "5000"), manaus]);
    let mut shift = Shift::new(&reseller, "2026-10-15T12:00:00Z");
    let _daemon = held(&mut shift);
    let desk = Desk::of(&reseller);
    let (plan, sequence) = desk.plan();
    desk.end(&desk.task(&desk.release(plan), "Ana"));
    assert_eq!(invoices(&reseller), 2);
    shift.set("2026-11-01T04:05:00Z");
    eventually("the rest is held", || desk.plan().1 > sequence);
    assert_eq!(invoices(&reseller), 2, "nobody has read what this one comes to");
    // Nor does it help to ask for a count.
    desk.end(&desk.task(&Wish::Look { month: october() }, "Bia"));
    assert_eq!(invoices(&reseller), 2);
    desk.end(&desk.task(&desk.release(desk.plan().0), "Ana"));
    assert_eq!(invoices(&reseller), 3);
    let released = "SELECT COUNT(*) FROM audit WHERE action = 'release'";
    assert_eq!(reseller.ledger_number(released), 2);
}

/// 1.200 messages came late, and one dealership was on the wrong package.
#[rstest]
fn causes_are_accepted_for_all_and_for_one(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let mut reseller = Reseller::new(ledger);
    reseller.register(&[
        ("d1", "", "5000"),
        ("d2", "", "5000"),
        ("d17", "", "5000"),
        ("d18", "", "5000"),
    ]);
    for id in ["d1", "d2", "d17", "d18"] {
        reseller.add_contacts(id, 3, "2026-10-31T12:00:00Z");
    }
    reseller.run(&["close"]).expect(0);
    reseller.at("2026-11-03 08:00:00");
    let late = |id, contact| {
        reseller.add(&[(Some(id), contact, "out", "hsm", None, None, "2026-10-30T12:00:00Z")]);
    };
    late("d1", "5548990000001");
    late("d17", "5548990000002");
    reseller.register(&[
        ("d1", "", "5000"),
        ("d2", "", "5000"),
        ("d17", "", "10000"),
        ("d18", "", "10000"),
    ]);
    let mut shift = Shift::new(&reseller, "2026-11-03T08:00:00Z");
    let _daemon = shift.start();
    let desk = Desk::of(&reseller);
    let id = desk.task(&Wish::Compare { month: october() }, "Ana");
    let Outcome::Compared(compared) = desk.end(&id) else { panic!("another outcome") };
    assert_eq!((compared.unchanged, compared.differing.len()), (1, 3));
    let by_cause = compared.by_cause();
    let of = |cause: Cause| (by_cause[&cause].0, by_cause[&cause].1.to_string());
    assert_eq!(of(Cause::Late), (2, "0.92".to_owned()));
    assert_eq!(of(Cause::Contract), (2, "1626.00".to_owned()));

    let mut accept = Accepted::everywhere([Cause::Late]);
    accept.of.insert("d17".to_owned(), BTreeSet::from([Cause::Contract]));
    let chosen = compared.chosen(&accept);
    assert_eq!(chosen.dealerships, ["d1", "d17"]);
    assert_eq!(chosen.change.to_string(), "813.92");
    let rerun = Wish::Rerun {
        month: october(),
        plan: chosen.plan,
        accept,
        dealerships: chosen.dealerships,
        reason: "pacote errado e mensagens atrasadas".to_owned(),
    };
    let refused = desk.asks(&rerun, "Ana", Eyes::Four).unwrap_err();
    assert!(
        matches!(refused, AskError::FourEyes { .. }),
        "she asked for the comparison: {refused}"
    );
    let id = desk.task(&rerun, "Ana");
    let Outcome::Rerun(done) = desk.end(&id) else { panic!("another outcome") };
    assert!(!done.is_another_plan, "the plan is that of what was shown");
    assert_eq!((done.revised.len(), done.change.to_string().as_str()), (2, "813.92"));
    let revised = "SELECT number FROM revision WHERE revision = 1";
    assert_eq!(reseller.ledger_texts(revised).len(), 2);
    // Whoever asks for the same once more changes nothing.
    let Outcome::Rerun(again) = desk.end(&desk.task(&rerun, "Ana")) else { panic!("another") };
    assert_eq!((again.revised.len(), again.unchanged), (0, 2));
    // A message more, and the plan is not that of what was read.
    let id = desk.task(&Wish::Compare { month: october() }, "Ana");
    let Outcome::Compared(compared) = desk.end(&id) else { panic!("another outcome") };
    let accept = Accepted::everywhere([Cause::Contract]);
    let chosen = compared.chosen(&accept);
    assert_eq!(chosen.dealerships, ["d18"]);
    late("d18", "5548990000003");
    let (month, reason) = (october(), "x".to_owned());
    let (plan, dealerships) = (chosen.plan, chosen.dealerships);
    let id = desk.task(&Wish::Rerun { month, plan, accept, dealerships, reason }, "Ana");
    let Outcome::Rerun(other) = desk.end(&id) else { panic!("another outcome") };
    assert!(other.is_another_plan);
    let instead: Vec<&str> = other.revised.iter().map(|one| one.dealership_id.as_str()).collect();
    assert_eq!(instead, ["d18"], "what it would be now");
    assert_eq!(reseller.ledger_texts(revised).len(), 2);
}

/// A credit comes for one that has no invoice yet, while the daemon that was issuing is dead.
#[rstest]
fn what_stands_after_a_release_that_broke_off_is_said_and_the_rest_waits(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let reseller = waiting(ledger, 200);
    let mut shift = Shift::new(&reseller, "2026-10-15T12:00:00Z");
    let daemon = held(&mut shift);
    let desk = Desk::of(&reseller);
    let id = desk.task(&desk.release(desk.plan().0), "Ana");
    eventually("invoices are being issued", || invoices(&reseller) > 10);
    daemon.kill();
    let credit = ["adjust", "--dealership", "d199", "--month", "2026-10", "--amount", "-10.00"];
    let credit = [&credit[..], &["--description", "cortesia", "--by", "ana"]].concat();
    reseller.run(&credit).expect(0);
    let daemon = shift.start();
    let Outcome::Closed(closed) = desk.end(&id) else { panic!("another outcome") };
    assert!(closed.is_another_plan, "{closed:?}");
    // One more than at the kill, where the server had heard of it.
    let standing = i64::try_from(closed.already_issued).unwrap();
    assert!(standing < 200, "it was killed in the middle");
    assert_eq!(invoices(&reseller), standing);
    // Nor does a count issue what nobody has read.
    desk.end(&desk.task(&Wish::Look { month: october() }, "Bia"));
    assert_eq!(invoices(&reseller), standing);

    let mut bia = Browser::signed_in(&reseller, &daemon, "bia@example.com", "finance");
    let page = bia.get("/months/2026-10").expect(200).body;
    assert!(page.contains(&format!("{standing} faturas já foram emitidas")), "{page}");
    assert!(!page.contains("Nada foi emitido") && !page.contains("não seria emitida"), "{page}");
    assert!(page.contains("O que mudou"), "{page}");
    desk.end(&desk.task(&desk.release(desk.plan().0), "Ana"));
    assert_eq!(invoices(&reseller), 200);
}

#[test]
fn another_leader_takes_a_task_up() {
    let reseller = waiting(LedgerKind::Postgres, 200);
    let mut shift = Shift::new(&reseller, "2026-10-15T12:00:00Z");
    let leader = held(&mut shift);
    let other = shift.start();
    other.says("looking whether another daemon leads");
    let desk = Desk::of(&reseller);
    let id = desk.task(&desk.release(desk.plan().0), "Ana");
    eventually("invoices are being issued", || invoices(&reseller) > 10);
    leader.kill();
    assert!(invoices(&reseller) < 200, "the leader was stopped in the middle");
    other.says("this daemon leads");
    let Outcome::Closed(closed) = desk.end(&id) else { panic!("another outcome") };
    assert_eq!(closed.issued + closed.already_issued, 200);
    assert_eq!(invoices(&reseller), 200);
    assert_eq!(reseller.ledger_number("SELECT COUNT(*) FROM digest"), 1);
}

#[test]
fn what_cannot_be_done_is_said_and_keeps_nothing_else() {
    let reseller = Reseller::new(LedgerKind::Sqlite);
    reseller.register(&[("d1", "", "5000")]);
    let mut shift = Shift::new(&reseller, "2026-10-15T12:00:00Z");
    let _daemon = shift.start();
    let desk = Desk::of(&reseller);
    let id = desk.task(&Wish::Look { month: october() }, "Ana");
    eventually("it failed", || desk.look(&id).state == TaskState::Failed);
    let why = desk.look(&id).error.unwrap();
    assert!(why.starts_with("outubro de 2026 ainda não terminou"), "{why}");
    // What no program of this kind wrote is no reason to stop.
    let task = NewTask {
        kind: "look",
        month: None,
        wish: "{}".to_owned(),
        asked_by: "Ana",
        person: None,
        at: desk.office.clock.now(),
    };
    let odd = desk.runtime.block_on(desk.office.ledger.ask(task)).unwrap();
    eventually("it failed too", || desk.look(odd.id()).state == TaskState::Failed);
}

#[test]
fn a_message_database_that_is_away_is_waited_for() {
    let reseller = Reseller::new(LedgerKind::Sqlite);
    let config = std::fs::read_to_string(reseller.path("fecha.toml")).unwrap();
    reseller.register(&[("d1", "", "5000")]);
    reseller.write(
        "fecha.toml",
        &config.replace("sqlite:messages.db", "postgres://x@127.0.0.1:1/none"),
    );
    let mut shift = Shift::new(&reseller, "2026-10-15T12:00:00Z");
    let daemon = shift.start();
    let desk = Desk::of(&reseller);
    let id = desk.task(&Wish::Preview { month: october() }, "Ana");
    eventually("it waits", || desk.look(&id).error.is_some());
    let task = desk.look(&id);
    assert_eq!(task.state, TaskState::Waiting);
    assert!(task.error.unwrap().contains("não responde"));
    eventually("it is tried again", || desk.look(&id).tries > 1);
    daemon.kill();
    reseller.write("fecha.toml", &config);
    let _daemon = shift.start();
    shift.pass(3600);
    let Outcome::Previewed(preview) = desk.end(&id) else { panic!("another outcome") };
    assert_eq!(preview.dealerships.len(), 1);
}
