//! `/api/v1` of the real daemon: a month closed and paid by a program, each deed once, by the role that it takes.

use std::collections::BTreeSet;

use rstest::rstest;
use serde_json::{Value, json};

use crate::support::api::{Answer, Program};
use crate::support::daemon::{Daemon, Shift, eventually};
use crate::support::reseller::{LedgerKind, Reseller};
use crate::support::tools::schemathesis;

/// Dealerships whose October waits for a person.
fn reseller(ledger: LedgerKind, dealerships: usize) -> Reseller {
    let reseller = Reseller::new(ledger);
    let config = std::fs::read_to_string(reseller.path("fecha.toml")).unwrap();
    reseller.write(
        "fecha.toml",
        &config.replacen("[email]", "[close]\napproval = \"manual\"\n[email]", 1),
    );
    let ids: Vec<String> = (1..=dealerships).map(|index| format!("d{index}")).collect();
    let rows: Vec<(&str, &str, &str)> = ids.iter().map(|id| (id.as_str(), "", "5000")).collect();
    reseller.register(&rows);
    for id in &ids {
        reseller.add_contacts(id, 2, "2026-10-31T20:00:00Z");
    }
    reseller
}

/// The daemon that has held October, on 1 November.
fn held(shift: &mut Shift<'_>) -> Daemon {
    let daemon = shift.start();
    daemon.says("the daemon runs");
    shift.set("2026-11-01T03:05:00Z");
    daemon.says("the close is held");
    daemon
}

/// Closes October as a program does.
fn close(program: &Program) -> Value {
    let plan = program.get("/months/2026-10/plan").expect(200);
    let release = json!({"plan": plan["plan"], "reason": "conferido"});
    program.end(&program.post("/months/2026-10/release", "release", &release))
}

#[rstest]
fn a_program_closes_a_month_and_records_what_was_paid(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let reseller = reseller(ledger, 3);
    let mut shift = Shift::new(&reseller, "2026-10-15T12:00:00Z");
    let daemon = held(&mut shift);
    let program = Program::new(&reseller, &daemon, "finance");

    let months = program.get("/months").expect(200);
    assert_eq!((&months[0]["month"], &months[0]["state"]), (&json!("2026-10"), &json!("held")));
    let plan = program.get("/months/2026-10/plan").expect(200);
    assert_eq!((&plan["total"], &plan["messages"]["counted"]), (&json!("3042.00"), &json!(6)));
    assert_eq!(plan["invoices"].as_array().unwrap().len(), 3);
    let other = json!({"plan": "0".repeat(64), "reason": "x"});
    let refused = program.post("/months/2026-10/release", "other", &other);
    assert_eq!(refused.problem(409), "changed");
    let closed = close(&program);
    assert_eq!((&closed["kind"], &closed["of"]["issued"]), (&json!("closed"), &json!(3)));

    // The same JSON as that of the command line.
    let invoices = program.get("/invoices?month=2026-10").expect(200);
    assert_eq!(invoices.as_array().unwrap(), &reseller.invoices(&[]));
    let shown = program.get("/invoices/2026-000001").expect(200);
    let explained = reseller.run(&["invoice", "2026-000001", "--json"]).expect(0).json();
    assert_eq!(shown, explained);
    let receivables = program.get("/receivables?dealership_id=d1").expect(200);
    let by_command = reseller.run(&["receivables", "--dealership", "d1", "--json"]).expect(0);
    assert_eq!(receivables, by_command.json());
    assert_eq!(program.get("/outbox").expect(200).as_array().unwrap(), &reseller.outbox());
    reseller.run(&["invoice", "2026-000001", "--pdf", "a.pdf"]).expect(0);
    let pdf = program.file("/invoices/2026-000001/files/invoice");
    assert!(pdf.starts_with(b"%PDF") && pdf == std::fs::read(reseller.path("a.pdf")).unwrap());

    let on = json!({"on": "2026-11-01", "amount": "1000.00", "reference": "E1"});
    let paid = program.post("/invoices/2026-000001/payments", "pay-1", &on);
    let payment = &paid.expect(201)["recorded"][0];
    assert_eq!(
        (&payment["amount"], &payment["number"]),
        (&json!("1000.00"), &json!("2026-000001"))
    );
    let place = paid.headers["location"].strip_prefix("/api/v1").unwrap();
    assert_eq!(program.get(place).expect(200)["settles"][0]["amount"], "1000.00");
    // Another key, and the bank's same reference: the ledger has it already.
    let again = program.post("/invoices/2026-000001/payments", "pay-2", &on).expect(200);
    assert_eq!((&again["recorded"], &again["already_recorded"]), (&json!([]), &json!(1)));
    let rest =
        program.post("/invoices/2026-000001/payments", "pay-3", &json!({"on": "2026-11-01"}));
    assert_eq!(rest.expect(201)["recorded"][0]["amount"], "14.00");
    let paid = program.get("/invoices?standing=paid").expect(200);
    assert_eq!((paid.as_array().unwrap().len(), &paid[0]["payment"]), (1, &json!("paid")));
    let undone =
        program.post(&format!("{place}/undo"), "undo", &json!({"reason": "wrong invoice"}));
    assert_eq!(undone.expect(200)["undone"], true);
    assert_eq!(program.get("/invoices/2026-000001").expect(200)["to_pay"], "1000.00");

    let resent =
        program.post("/invoices/2026-000002/resend", "again", &json!({"to": "x@example.com"}));
    assert_eq!(resent.expect(201)["queued"], json!(["x@example.com"]));
    // Who did it: the audit log has the program's name.
    let log = program.all("/audit?limit=3");
    let actors: BTreeSet<&str> = log.iter().filter_map(|entry| entry["actor"].as_str()).collect();
    assert!(actors.contains("token finance"), "{actors:?}");
    reseller.run(&["verify", "--month", "2026-10"]).expect(0);
}

#[rstest]
fn a_rerun_issues_what_was_compared_and_accepted(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let reseller = reseller(ledger, 2);
    let mut shift = Shift::new(&reseller, "2026-10-15T12:00:00Z");
    let daemon = held(&mut shift);
    let program = Program::new(&reseller, &daemon, "admin");
    close(&program);
    let contract = json!({"from_month": "2026-10", "package": 10000});
    let changed = program.post("/dealerships/d1/contracts", "contract", &contract).expect(201);
    let expected =
        json!({"from_month": "2026-10", "before": 5000, "now": 10000, "invoiced": ["2026-10"]});
    assert_eq!(changed, expected);
    let contracts = program.all("/contracts?dealership_id=d1");
    let packages: Vec<&Value> = contracts.iter().map(|entry| &entry["package"]).collect();
    assert_eq!(packages, ["5000", "10000"]);
    let asked = program.post("/months/2026-10/compare", "compare", &json!({}));
    let compared = program.end(&asked);
    assert_eq!(compared["of"]["differing"][0]["number"], "2026-000001");
    let rerun = |accept: &[&str]| json!({"compared": asked.json()["id"], "accept": accept, "reason": "pacote novo"});
    let refused = program.post("/months/2026-10/rerun", "rerun", &rerun(&[]));
    assert_eq!(refused.problem(409), "refused");
    let done = program.end(&program.post("/months/2026-10/rerun", "rerun", &rerun(&["contract"])));
    assert_eq!(done["of"]["revised"][0]["revision"], 1);
    let before = program.get("/invoices/2026-000001?revision=0").expect(200);
    let now = program.get("/invoices/2026-000001").expect(200);
    assert_eq!((&before["package"], &now["package"]), (&json!(5000), &json!(10000)));
    assert_eq!((&now["reason"], &now["by"]), (&json!("pacote novo"), &json!("token admin")));
    // A contract ends where that is said, not where something is left out.
    let nothing = json!({"from_month": "2026-12"});
    assert_eq!(program.post("/dealerships/d1/contracts", "end", &nothing).problem(422), "invalid");
    let end = json!({"from_month": "2026-12", "package": null});
    let ended = program.post("/dealerships/d1/contracts", "end", &end).expect(201);
    assert_eq!((&ended["before"], &ended["now"]), (&json!(10000), &Value::Null));
    // A document would have boxes in it.
    let boxes = json!({"reason": "原因"});
    let refused = program.post("/invoices/2026-000002/cancel", "boxes", &boxes);
    assert_eq!(refused.problem(409), "refused");
    let boxes = json!({"compared": asked.json()["id"], "accept": ["contract"], "reason": "原因"});
    let refused = program.post("/months/2026-10/rerun", "boxes", &boxes);
    assert_eq!(refused.problem(409), "refused");
    let gone =
        program.post("/invoices/2026-000002/cancel", "cancel", &json!({"reason": "encerrada"}));
    assert_eq!(gone.expect(200)["state"], "cancelled");
    let twice = program.post("/invoices/2026-000002/cancel", "cancel-2", &json!({"reason": "x"}));
    assert_eq!(twice.problem(409), "refused");
}

/// What a ledger has of payments: how many, and what they come to in centavos.
fn payments(reseller: &Reseller) -> (i64, i64) {
    let sum = "SELECT CAST(COALESCE(SUM(amount), 0) AS BIGINT) FROM payment";
    (reseller.ledger_number("SELECT COUNT(*) FROM payment"), reseller.ledger_number(sum))
}

#[rstest]
fn a_deed_with_a_key_is_done_once(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let reseller = reseller(ledger, 1);
    let mut shift = Shift::new(&reseller, "2026-10-15T12:00:00Z");
    let daemon = held(&mut shift);
    let program = Program::new(&reseller, &daemon, "finance");
    close(&program);
    let path = "/invoices/2026-000001/payments";
    let ten = json!({"on": "2026-11-01", "amount": "10.00", "again": true});

    let first = program.post(path, "k", &ten);
    assert_eq!(first.status, 201);
    let second = program.post(path, "k", &ten);
    assert_eq!(second.headers["idempotency-replayed"], "true");
    assert_eq!(second.headers["location"], first.headers["location"]);
    assert_eq!((second.status, &second.body), (201, &first.body));
    assert_eq!(payments(&reseller), (1, 1000));
    let other = json!({"on": "2026-11-01", "amount": "11.00"});
    assert_eq!(program.post(path, "k", &other).problem(422), "key-reused");
    let elsewhere = program.post("/dealerships/d1/payments", "k", &ten);
    assert_eq!(elsewhere.problem(422), "key-reused");
    // Another program's keys are its own.
    let bank = Program::new(&reseller, &daemon, "finance");
    assert_eq!(bank.post(path, "k", &ten).status, 201);
    let body = ten.to_string();
    let without = ["-X", "POST", "-H", "Content-Type: application/json", "-d", &body];
    assert_eq!(program.asks(path, &without).unwrap().problem(400), "no-key");
    // What was refused was not done, and is heard again.
    let nowhere = "/invoices/2026-000009/payments";
    assert_eq!(program.post(nowhere, "n", &ten).problem(404), "not-found");
    assert_eq!(program.post(path, "n", &ten).status, 201);
    assert_eq!(payments(&reseller), (3, 3000));
    // A task that was asked for is that task.
    let one = program.post("/months/2026-10/compare", "c", &json!({}));
    program.end(&one);
    assert_eq!(
        program.post("/months/2026-10/compare", "c", &json!({})).json()["id"],
        one.json()["id"]
    );
}

/// As a process leaves it that died after the deed, and as one does that died before.
#[rstest]
fn a_deed_whose_process_died_is_answered_by_what_became_of_it(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let reseller = reseller(ledger, 1);
    let mut shift = Shift::new(&reseller, "2026-10-15T12:00:00Z");
    let daemon = held(&mut shift);
    let program = Program::new(&reseller, &daemon, "finance");
    close(&program);
    let path = "/invoices/2026-000001/payments";
    let ten = json!({"on": "2026-11-01", "amount": "10.00", "again": true});
    assert_eq!(program.post(path, "k", &ten).status, 201);
    reseller.ledger_sql(
        "UPDATE request SET status = NULL, location = NULL, answer = NULL WHERE status = 201",
    );
    let told = program.post(path, "k", &ten).expect(200);
    assert_eq!(
        (&told["carried_out"], &told["see"]),
        (&json!(true), &json!("/api/v1/invoices/2026-000001"))
    );
    assert_eq!(payments(&reseller), (1, 1000));
    // Not done: for a while somebody may be at it.
    reseller.ledger_sql("UPDATE request SET done = 0 WHERE status IS NULL");
    reseller.ledger_sql("DELETE FROM request WHERE status = 200");
    let in_hand = program.post(path, "k", &ten);
    assert_eq!(
        (in_hand.problem(409), &*in_hand.headers["retry-after"]),
        ("in-hand".to_owned(), "5")
    );
    shift.pass(200);
    eventually("the clock has moved", || program.post(path, "k", &ten).status == 201);
    assert_eq!(payments(&reseller), (2, 2000));
}

/// A daemon that is killed again and again, while a program sends each of its payments until it is answered.
#[rstest]
fn no_payment_is_lost_or_doubled_under_kills(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    const PAYMENTS: i64 = 24;
    let reseller = reseller(ledger, 1);
    let mut shift = Shift::new(&reseller, "2026-10-15T12:00:00Z");
    let mut daemon = Some(held(&mut shift));
    let mut program = Program::new(&reseller, daemon.as_ref().unwrap(), "finance");
    close(&program);
    let path = "/invoices/2026-000001/payments";
    // Each differs from the others: a payment that is sent again is told from the next one by its key alone.
    let one = json!({"on": "2026-11-01", "amount": "1.00", "again": true});
    let mut kills = 0;
    for key in 0..PAYMENTS {
        let is_kill = key % 3 == 0;
        let mut answer = if is_kill {
            let killed = daemon.take().unwrap();
            let after = std::time::Duration::from_millis(u64::try_from(key).unwrap());
            let answer = std::thread::scope(|scope| {
                let asking = scope.spawn(|| program.tries(path, &format!("p{key}"), &one));
                std::thread::sleep(after);
                killed.kill();
                asking.join().unwrap()
            });
            kills += 1;
            daemon = Some(shift.start());
            // Whoever was at it is not heard of any more.
            shift.pass(200);
            program = program.at(daemon.as_ref().unwrap());
            answer
        } else {
            None
        };
        eventually("it is answered", || {
            answer = answer.take().or_else(|| program.tries(path, &format!("p{key}"), &one));
            answer = answer.take().filter(|answer| [200, 201].contains(&answer.status));
            answer.is_some()
        });
    }
    assert_eq!((kills, payments(&reseller)), (8, (PAYMENTS, 100 * PAYMENTS)));
    reseller.run(&["verify", "--month", "2026-10"]).expect(0);
}

/// The same deed sent many times at once, to two daemons where the ledger lets two serve.
#[rstest]
fn a_deed_that_is_sent_many_times_at_once_is_done_once(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let reseller = reseller(ledger, 1);
    let mut shift = Shift::new(&reseller, "2026-10-15T12:00:00Z");
    let daemon = held(&mut shift);
    let program = Program::new(&reseller, &daemon, "finance");
    close(&program);
    let second = matches!(ledger, LedgerKind::Postgres).then(|| shift.start());
    let other = second.as_ref().map_or_else(|| program.at(&daemon), |second| program.at(second));
    let ten = json!({"on": "2026-11-01", "amount": "10.00", "again": true});
    let path = "/invoices/2026-000001/payments";
    let answers: Vec<Answer> = std::thread::scope(|scope| {
        let each = |index: usize| {
            let program = if index.is_multiple_of(2) { &program } else { &other };
            let ten = &ten;
            scope.spawn(move || program.post(path, "k", ten))
        };
        let asking: Vec<_> = (0..8).map(each).collect();
        asking.into_iter().map(|one| one.join().unwrap()).collect()
    });
    for answer in &answers {
        assert_eq!((answer.status, &answer.body), (201, &answers[0].body), "{answers:?}");
    }
    assert_eq!(payments(&reseller), (1, 1000));
}

#[test]
fn pages_stay_where_they_are_while_rows_are_added() {
    let reseller = reseller(LedgerKind::Sqlite, 5);
    let mut shift = Shift::new(&reseller, "2026-10-15T12:00:00Z");
    let daemon = held(&mut shift);
    let program = Program::new(&reseller, &daemon, "finance");
    close(&program);
    let pay = |number: u32| {
        let path = format!("/invoices/2026-{number:06}/payments");
        program.post(&path, &format!("p{number}"), &json!({"on": "2026-11-01"})).expect(201);
    };
    (1..=3).for_each(pay);
    let first = program.get("/payments?limit=2");
    let ids = |answer: &Answer| -> Vec<String> {
        let rows = answer.expect(200);
        let id = |row: &Value| row["id"].as_str().unwrap().to_owned();
        rows.as_array().unwrap().iter().map(id).collect()
    };
    (4..=5).for_each(pay);
    let next = first.next().unwrap();
    let (one, two) = (ids(&first), ids(&program.get(&next)));
    let rest = ids(&program.get(&program.get(&next).next().unwrap()));
    let all: Vec<String> = [one, two, rest].concat();
    let in_order = reseller.ledger_texts("SELECT id FROM payment ORDER BY id");
    assert_eq!(all, in_order);
    for list in
        ["/invoices", "/dealerships", "/contracts", "/outbox", "/audit", "/tasks", "/months"]
    {
        let pages = program.all(&format!("{list}?limit=1"));
        assert_eq!(pages, program.get(list).expect(200).as_array().unwrap().clone(), "{list}");
        assert!(!pages.is_empty(), "{list}");
    }
}

#[test]
fn who_may_not_is_told_so_and_nothing_is_done() {
    let reseller = reseller(LedgerKind::Sqlite, 1);
    let mut shift = Shift::new(&reseller, "2026-10-15T12:00:00Z");
    let daemon = held(&mut shift);
    let programs =
        ["viewer", "finance", "admin"].map(|role| Program::new(&reseller, &daemon, role));
    let document = programs[0].get("/openapi.json").expect(200);
    let mut posts = 0;
    for (path, operations) in document["paths"].as_object().unwrap() {
        // Nothing is named so: what passes the gate finds nothing.
        let path = path.replace("{month}", "2031-01").replace("{number}", "2031-000001");
        let path = path.replace("{file}", "invoice");
        let path = path.replace("{id}", "nobody").replace("{txid}", "G2031010001");
        for (method, operation) in operations.as_object().unwrap() {
            let takes = operation["x-role"].as_str().unwrap();
            let rank = ["viewer", "finance", "admin"].iter().position(|role| *role == takes);
            for (index, program) in programs.iter().enumerate() {
                let answer = if method == "post" {
                    program.post(&path, "key", &json!({}))
                } else {
                    program.get(&path)
                };
                let is_let_in = index >= rank.unwrap();
                assert_eq!(answer.status != 403, is_let_in, "{method} {path}: {answer:?}");
                posts += u32::from(!is_let_in);
            }
            for token in ["", "fecha_nobody", "nobody"] {
                let stranger = programs[2].with_token(token);
                let answer = stranger.asks(&path, &["-X", &method.to_uppercase()]).unwrap();
                assert_eq!(answer.problem(401), "unauthorized", "{method} {path}");
                assert_eq!(answer.headers["www-authenticate"], "Bearer");
            }
        }
    }
    assert!(posts > 10, "{posts}");
    assert_eq!(reseller.ledger_number("SELECT COUNT(*) FROM task"), 0);
    // A token that was taken back, and one whose time is over.
    let list = reseller.run(&["tokens", "list", "--json"]).expect(0).json();
    let id =
        list.as_array().unwrap().iter().find(|one| one["role"] == "viewer").unwrap()["id"].clone();
    reseller.run(&["tokens", "revoke", id.as_str().unwrap(), "--by", "Ana"]).expect(0);
    assert_eq!(programs[0].get("/months").problem(401), "unauthorized");
    assert_eq!(programs[1].get("/months").status, 200);
    shift.set("2027-11-05T12:00:00Z");
    eventually("its year is over", || programs[1].get("/months").status == 401);
}

#[test]
fn whoever_asks_for_a_plan_does_not_release_it_where_two_are_wanted() {
    let reseller = reseller(LedgerKind::Sqlite, 1);
    let config = std::fs::read_to_string(reseller.path("fecha.toml")).unwrap();
    reseller.write("fecha.toml", &format!("{config}\n[console]\nfour_eyes = true\n"));
    let mut shift = Shift::new(&reseller, "2026-10-15T12:00:00Z");
    let daemon = held(&mut shift);
    let (erp, bot) =
        (Program::new(&reseller, &daemon, "finance"), Program::new(&reseller, &daemon, "admin"));
    let plan = erp.get("/months/2026-10/plan").expect(200)["plan"].clone();
    let release = json!({"plan": plan, "reason": "conferido"});
    // The first to ask for its release has looked at it; another one lets it go.
    assert_eq!(erp.post("/months/2026-10/release", "a", &release).problem(409), "refused");
    assert_eq!(erp.post("/months/2026-10/release", "a", &release).problem(409), "refused");
    bot.end(&bot.post("/months/2026-10/release", "a", &release));
}

#[test]
fn bad_requests_say_what_is_wrong() {
    let reseller = reseller(LedgerKind::Sqlite, 1);
    let mut shift = Shift::new(&reseller, "2026-10-15T12:00:00Z");
    let daemon = held(&mut shift);
    let program = Program::new(&reseller, &daemon, "finance");
    for (path, status, word, said) in [
        ("/nowhere", 404, "not-found", "nothing is at /nowhere"),
        ("/invoices?limit=0", 400, "bad-request", "limit is 1 to 200, not 0"),
        ("/invoices?limti=5", 400, "bad-request", "unknown field `limti`"),
        ("/invoices?month=2026-13", 400, "bad-request", "2026-13"),
        ("/invoices/2026-1", 404, "not-found", "2026-1"),
        ("/invoices/2026-000001", 404, "not-found", "there is no invoice 2026-000001"),
        ("/tasks/x", 404, "not-found", "there is no task x"),
        ("/audit?after=%00", 400, "bad-request", "no text"),
        ("/receivables?dealership_id=dx", 404, "not-found", "dx"),
    ] {
        let answer = program.get(path);
        assert_eq!(answer.problem(status), word, "{path}");
        let detail = answer.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains(said), "{path}: {detail}");
    }
    let wrong = program.asks("/months", &["-X", "DELETE"]).unwrap();
    assert_eq!(
        (wrong.problem(405), &*wrong.headers["allow"]),
        ("not-allowed".to_owned(), "GET,HEAD")
    );
    let path = "/dealerships/d1/payments";
    for (body, status, word, said) in [
        (json!({"on": "2026-02-30", "amount": "1.00"}), 422, "invalid", "input is out of range"),
        (json!({"on": "2026-11-01", "amount": "1,00"}), 422, "invalid", "1,00"),
        (json!({"on": "2026-11-01", "amount": 1.00}), 422, "invalid", "floating point"),
        (json!({"amount": "1.00"}), 422, "invalid", "missing field `on`"),
        (
            json!({"on": "2026-11-01", "amount": "1.00", "reference": "a\u{0}"}),
            422,
            "invalid",
            "no text",
        ),
        (json!({"on": "2026-11-01"}), 409, "refused", "amount"),
        (json!({"on": "2036-11-01", "amount": "1.00"}), 409, "refused", "2036-11-01"),
    ] {
        let answer = program.post(path, "k", &body);
        assert_eq!(answer.problem(status), word, "{body}");
        let detail = answer.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains(said), "{body}: {detail}");
    }
    let text =
        ["-X", "POST", "-H", "Idempotency-Key: k", "-H", "Content-Type: text/plain", "-d", "x"];
    assert_eq!(program.asks(path, &text).unwrap().problem(415), "not-json");
    let large = format!("{{\"on\":\"{}\"}}", "x".repeat(300 << 10));
    reseller.write("large.json", &large);
    let file = format!("@{}", reseller.path("large.json").display());
    let large = [
        "-X",
        "POST",
        "-H",
        "Idempotency-Key: k",
        "-H",
        "Content-Type: application/json",
        "-d",
        &file,
    ];
    assert_eq!(program.asks(path, &large).unwrap().problem(413), "too-large");
    assert_eq!(payments(&reseller), (0, 0));
}

/// Every operation, with what its document allows and with what it does not, on a month that is closed, one that is
/// held, and payments.
#[rstest]
fn the_document_says_what_is_so(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let reseller = reseller(ledger, 3);
    let mut shift = Shift::new(&reseller, "2026-10-15T12:00:00Z");
    let daemon = held(&mut shift);
    let program = Program::new(&reseller, &daemon, "admin");
    close(&program);
    program.post("/invoices/2026-000001/payments", "p", &json!({"on": "2026-11-01"})).expect(201);
    let found = schemathesis(&program.base(), program.token(), 20_261_127);
    assert!(found.is_empty(), "{found}");
    reseller.run(&["verify", "--month", "2026-10"]).expect(0);
}
