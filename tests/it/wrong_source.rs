//! A source that is wrong, black-box: nothing of it is billed in silence. What was seen in real message
//! databases, each with the right value.

mod profile;
mod several;

use serde_json::{Value, json};

use crate::support::pdf::Pdf;
use crate::support::reseller::{LedgerKind, Reseller, Row};

const LAST_DAY: &str = "2026-10-31T15:00:00Z";

fn d1() -> Reseller {
    let reseller = Reseller::new(LedgerKind::Sqlite);
    reseller.register(&[("d1", "", "5000")]);
    reseller
}

/// Sets a key of the configuration.
fn set(reseller: &mut Reseller, key: &str, value: &str) {
    reseller.variables.push((format!("FECHA_{key}"), value.to_owned()));
}

/// So many HSM of d1 to as many contacts, with this status.
fn hsm(reseller: &Reseller, count: usize, status: Option<&str>) {
    let first = status.map_or(0, |status| status.bytes().map(usize::from).sum::<usize>());
    let contacts: Vec<String> =
        (0..count).map(|index| format!("5548{:09}", 900_000_000 + first * 1_000 + index)).collect();
    let rows: Vec<Row<'_>> = contacts
        .iter()
        .map(|contact| {
            (Some("d1"), contact.as_str(), "out", "hsm", Some("oferta"), status, LAST_DAY)
        })
        .collect();
    reseller.add(&rows);
}

/// UAM, HSM and total of the only invoice.
fn billed(reseller: &Reseller) -> (u64, u64, String) {
    let invoices = reseller.invoices(&[]);
    let [invoice] = invoices.as_slice() else { panic!("{invoices:#?}") };
    let number = |key: &str| invoice[key].as_u64().unwrap();
    (number("uam"), number("hsm"), invoice["total"].as_str().unwrap().to_owned())
}

#[test]
fn a_statement_says_what_was_sent_in_and_out_of_windows_where_that_is_asked_for() {
    let mut reseller = d1();
    let row = |direction: &'static str, kind: &'static str, at: &'static str| -> Row<'static> {
        (Some("d1"), "5548999990820", direction, kind, None, Some("read"), at)
    };
    reseller.add(&[
        row("in", "session", "2026-09-30T23:00:00Z"), // before the month, and open until its 21st hour
        row("out", "hsm", "2026-10-01T22:59:59.999Z"), // avoidable
        row("out", "hsm", "2026-10-01T23:00:00Z"),    // the window has closed
        row("out", "session", "2026-10-02T12:00:00Z"), // refused by WhatsApp
        row("in", "session", "2026-10-31T12:00:00Z"),
        row("out", "hsm", "2026-10-31T15:00:00Z"), // avoidable
        row("out", "session", "2026-10-31T15:00:00Z"),
    ]);
    let windows = |reseller: &Reseller| {
        let shown = reseller.run(&["invoice", "2026-000001", "--json"]).expect(0).json();
        shown["usage"]["windows"].clone()
    };
    set(&mut reseller, "STATEMENT__WINDOWS", "true");
    reseller.run(&["close"]).expect(0);
    assert_eq!(windows(&reseller), json!({"hsm_inside": 2, "sessions_outside": 1}));
    assert_eq!(billed(&reseller), (1, 3, "1015.38".to_owned()));
    reseller.run(&["invoice", "2026-000001", "--statement", "e.pdf"]).expect(0);
    let statement = Pdf::new(std::fs::read(reseller.path("e.pdf")).unwrap()).copied_text();
    let words = statement.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        words.contains(
            "Evitáveis: R$ 0,92. 2 mensagens de modelo foram enviadas com a janela de 24 horas aberta"
        ),
        "{words}"
    );
    assert!(words.contains("1 mensagem comum consta como enviada fora da janela"), "{words}");
    reseller.run(&["verify", "--month", "2026-10"]).expect(0);
}

fn reasons(report: &Value) -> Vec<String> {
    let exceptions = report["exceptions"].as_array().unwrap().iter();
    exceptions.map(|exception| exception["reason"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_status_in_other_words_is_named_and_billed_once_a_person_has_said_so() {
    let mut reseller = d1();
    for status in
        [Some("FAILED"), Some("undelivered"), Some("ERROR"), Some("3"), Some("read"), None]
    {
        hsm(&reseller, 10, status);
    }
    hsm(&reseller, 7, Some("failed"));
    let closed = reseller.run(&["close", "--json"]).expect(1).json();
    assert_eq!(reasons(&closed), ["unknown_status"; 4]);
    let found = closed["statuses"].as_array().unwrap();
    let of = |status: Value| {
        let one = found.iter().find(|one| one["status"] == status).unwrap();
        (one["messages"].as_u64().unwrap(), one["counts"].as_bool().unwrap())
    };
    assert_eq!(of(Value::Null), (10, true));
    assert_eq!((of(json!("FAILED")), of(json!("failed"))), ((10, true), (7, false)));
    let words = reseller.run(&["status"]).expect(1).stdout;
    assert!(words.contains("status 'FAILED'") && words.contains("fecha rerun"), "{words}");
    assert_eq!(billed(&reseller), (60, 60, "1041.60".to_owned()));

    // Now somebody says what they mean.
    set(&mut reseller, "COUNTING__IGNORED_STATUSES", "failed,FAILED,undelivered,ERROR,3");
    let again = reseller.run(&["close", "--json"]).expect(1).json();
    assert_eq!(reasons(&again), Vec::<String>::new());
    assert_eq!(again["would_differ"][0]["total"], json!({"invoiced": "1041.60", "now": "1023.20"}));
    let rerun = ["rerun", "--month", "2026-10", "--all", "--reason", "status", "--accept", "loss"];
    reseller.run(&rerun).expect(0);
    assert_eq!(billed(&reseller), (20, 20, "1023.20".to_owned()));
    let last = reseller.run(&["close", "--json"]).expect(0).json();
    assert_eq!(last["would_differ"], json!([]));
}

/// A table with ids in which each HSM stands as often as its statuses say.
fn delivered_twice(with_ids: bool) -> Reseller {
    let reseller = d1();
    let id = if with_ids { ", message_id TEXT" } else { "" };
    let database = reseller.messages();
    let table = format!(
        "DROP TABLE message; CREATE TABLE message (dealership_id TEXT, contact TEXT, direction TEXT,
         kind TEXT, template TEXT, status TEXT, sent_at INTEGER NOT NULL{id})"
    );
    database.execute_batch(&table).unwrap();
    let at = 1_793_458_800_000_i64; // 2026-10-31T15:00Z
    for number in 0..40 {
        for (status, delay) in [("failed", 0), ("delivered", 1), ("delivered", 1), ("read", 2)] {
            let id = if with_ids { format!(", 'wamid.{number}'") } else { String::new() };
            let row = format!(
                "INSERT INTO message VALUES ('d1', '55489900000{number:02}', 'out', 'hsm', 'oferta', '{status}', {}{id})",
                at + delay * 1_000
            );
            database.execute_batch(&row).unwrap();
        }
    }
    reseller
}

#[test]
fn a_message_with_an_id_is_billed_once() {
    let reseller = delivered_twice(true);
    let closed = reseller.run(&["close", "--json"]).expect(0).json();
    let messages = &closed["messages"];
    assert_eq!((&messages["counted"], &messages["duplicate"]), (&json!(40), &json!(120)));
    assert_eq!(messages["ignored_status"], 0);
    assert_eq!(billed(&reseller), (40, 40, "1032.40".to_owned()));
    // The one that stands is the earliest that counts, whatever came before it.
    let evidence = reseller.run(&["invoice", "2026-000001", "--evidence", "-"]).expect(0).stdout;
    assert!(evidence.contains("2026-10-31T15:00:01.000Z") && !evidence.contains("15:00:00.000Z"));
    reseller.run(&["verify", "--month", "2026-10"]).expect(0);
}

#[test]
fn rows_that_are_alike_and_have_no_id_hold_the_close() {
    let mut reseller = delivered_twice(false);
    let held = reseller.run(&["close", "--json"]).expect(1).json();
    let why = held["held"].as_str().unwrap();
    assert!(why.contains("40 of 160 HSM are rows like another one"), "{why}");
    assert!(why.contains("It would issue 1 invoice of R$\u{a0}1.069,20"), "{why}");
    assert!(reseller.invoices(&[]).is_empty());
    set(&mut reseller, "CLOSE__AT_MOST_ALIKE_PERCENT", "25");
    reseller.run(&["close"]).expect(0);
}

#[test]
fn one_person_however_spelt_is_one_contact_and_a_group_is_none() {
    let mut reseller = d1();
    let row = |contact: &'static str| -> Row<'static> {
        (Some("d1"), contact, "in", "session", None, None, LAST_DAY)
    };
    let one = [
        "554899990820",
        "5548999990820:12@s.whatsapp.net",
        "5548999990820.0:1@s.whatsapp.net",
        "tel:+55 48 99999-0820",
        "5548999990820@hosted",
        "\u{200e}+55 48 99999-0820",
        "005548999990820",
        "5548999990820.0",
    ];
    reseller.add(&one.map(row));
    reseller.add(&["BR.ENT.1181", "BR.1349", "77@lid", "48999990820"].map(row));
    reseller.add(&["120363041234567890@g.us", "status@broadcast", "1@newsletter"].map(row));
    let dry = |reseller: &Reseller| reseller.run(&["close", "--dry-run", "--release", "--json"]);
    let uam = |report: &Value| report["issued"].clone();
    let report = dry(&reseller).expect(0).json();
    let messages = &report["messages"];
    assert_eq!((&messages["group"], &messages["not_a_contact"]), (&json!(3), &json!(1)));
    assert_eq!(uam(&report), 1);
    set(&mut reseller, "COUNTING__LID", "count");
    set(&mut reseller, "COUNTING__NATIONAL", "55");
    reseller.run(&["close", "--release"]).expect(0);
    // The number, two user ids and the LID: the national spelling is the number.
    assert_eq!(billed(&reseller).0, 4);
}

#[test]
fn an_alias_makes_a_user_id_its_number() {
    let mut reseller = d1();
    let row = |contact: &'static str| -> Row<'static> {
        (Some("d1"), contact, "in", "session", None, None, LAST_DAY)
    };
    reseller.add(&["BR.1349", "5548999990820", "77:3@lid", "BR.7"].map(row));
    reseller
        .messages()
        .execute_batch(
            "CREATE TABLE lid_map (lid TEXT, pn TEXT);
             INSERT INTO lid_map VALUES ('77', '554899990820'), ('BR.1349', '5548999990820@c.us')",
        )
        .unwrap();
    set(&mut reseller, "MESSAGES__ALIASES", "(SELECT lid AS alias, pn AS contact FROM lid_map)");
    let closed = reseller.run(&["close", "--json"]).expect(0).json();
    assert_eq!(closed["messages"]["counted"], 4);
    assert_eq!(billed(&reseller).0, 2);
    set(&mut reseller, "MESSAGES__ALIASES", "lid_mapp");
    let error = reseller.run(&["verify", "--month", "2026-10"]).expect(2).stderr;
    assert!(error.contains("aliases") && error.contains("lid_mapp"), "{error}");
}

#[test]
fn a_first_month_in_which_no_id_matches_is_held() {
    let reseller = d1();
    reseller.add_contacts("1", 30, LAST_DAY);
    let held = reseller.run(&["close", "--json"]).expect(1).json();
    let why = held["held"].as_str().unwrap();
    assert!(why.contains("30 of 30 messages cannot be billed"), "{why}");
    assert!(why.contains("30 of ids that the register lacks"), "{why}");
    assert!(reseller.invoices(&[]).is_empty());
}

#[test]
fn a_dealership_that_falls_silent_holds_the_close() {
    let mut reseller = Reseller::new(LedgerKind::Sqlite);
    reseller.register(&[("d1", "", "5000"), ("d2", "", "5000")]);
    reseller.add_contacts("d1", 80, LAST_DAY);
    reseller.add_contacts("d2", 20, LAST_DAY);
    reseller.run(&["close"]).expect(0);
    reseller.add_contacts("d1", 100, "2026-11-30T15:00:00Z");
    let held = reseller.at("2026-12-02 03:00:00").run(&["close", "--json"]).expect(1).json();
    let why = held["held"].as_str().unwrap();
    assert!(why.contains("d2 had 20 of the 100 messages of the month before"), "{why}");
    assert!(why.contains("It would issue 2 invoices of R$\u{a0}2.028,00"), "{why}");
}

#[test]
fn messages_that_cannot_be_dated_are_told_once() {
    let reseller = d1();
    reseller.add_contacts("d1", 3, LAST_DAY);
    let wrong = |sent_at: i64| {
        let sql =
            "INSERT INTO message VALUES ('d1', '5548999990820', 'in', 'session', NULL, NULL, ?1)";
        reseller.messages().execute(sql, [sent_at]).unwrap();
    };
    wrong(1_793_458_800); // seconds: 1970
    wrong(1_793_458_800_000_000); // microseconds: the year 58758
    let closed = reseller.run(&["close", "--json"]).expect(1).json();
    let misdated = &closed["exceptions"][0];
    assert_eq!((&misdated["reason"], &misdated["messages"]), (&json!("misdated"), &json!(2)));
    assert_eq!(misdated["detail"], "1 before 2009, 1 later than tomorrow");
    reseller.run(&["close"]).expect(0); // seen
    wrong(1_793_458_801);
    let closed = reseller.run(&["close", "--json"]).expect(1).json();
    assert_eq!(closed["exceptions"][0]["messages"], 3);
}

/// A close that was held told nobody in finance: what it found is news to the one that goes on.
#[test]
fn messages_that_cannot_be_dated_are_told_to_finance_though_the_close_was_held_first() {
    let reseller = d1();
    reseller.add_contacts("d1", 3, LAST_DAY);
    reseller.add_contacts("D1", 3, LAST_DAY);
    let wrong =
        "INSERT INTO message VALUES ('d1', '5548999990820', 'in', 'session', NULL, NULL, 7)";
    reseller.messages().execute(wrong, []).unwrap();
    for _ in 0..2 {
        let held = reseller.run(&["close", "--json"]).expect(1).json();
        assert!(held["held"].is_string() && reasons(&held).contains(&"misdated".to_owned()));
    }
    let closed = reseller.run(&["close", "--release", "--json"]).expect(1).json();
    assert!(reasons(&closed).contains(&"misdated".to_owned()), "{closed:#}");
    reseller.run(&["deliver"]).expect(0);
    let digests =
        std::fs::read_dir(reseller.path("mail")).unwrap().map(|file| file.unwrap().path());
    let told = digests.map(|file| std::fs::read_to_string(file).unwrap());
    // The heading of the exception, as quoted-printable has it.
    assert!(told.into_iter().any(|email| email.contains("Data imposs=C3=ADvel")));
    let again = reseller.run(&["close", "--json"]).expect(1).json();
    assert!(!reasons(&again).contains(&"misdated".to_owned()), "{again:#}");
}

/// What `fecha status` advised in 0.1 lost the use of a month.
#[test]
fn use_that_is_mended_after_the_close_is_billed_by_the_rerun_that_is_advised() {
    for (id, direction, repair) in [
        ("D1", "out", "UPDATE message SET dealership_id = 'd1' WHERE dealership_id = 'D1'"),
        ("d1", "OUT", "UPDATE message SET direction = 'out' WHERE direction = 'OUT'"),
    ] {
        let mut reseller = Reseller::new(LedgerKind::Sqlite);
        reseller.register(&[("d1", "", "5000"), ("d2", "", "5000")]);
        set(&mut reseller, "CLOSE__AT_MOST_UNREAD_PERCENT", "100");
        reseller.add_contacts("d2", 3, LAST_DAY);
        let contacts: Vec<String> = (0..6_000).map(|n| format!("5548990{n:06}")).collect();
        let rows: Vec<Row<'_>> = contacts
            .iter()
            .map(|contact| {
                (Some(id), contact.as_str(), direction, "hsm", Some("promo"), None, LAST_DAY)
            })
            .collect();
        reseller.add(&rows);
        reseller.run(&["close"]).expect(1);
        reseller.messages().execute_batch(repair).unwrap();
        let advice = reseller.run(&["status", "--json"]).expect(1).stdout;
        assert!(advice.contains("fecha rerun --month 2026-10"), "{advice}");
        // A close again bills nothing, but says so.
        let closed = reseller.run(&["close", "--json"]).expect(1).json();
        let differs = &closed["would_differ"][0];
        assert_eq!(
            (&differs["dealership_id"], &differs["causes"]),
            (&json!("d1"), &json!(["late"]))
        );
        let words = reseller.run(&["close"]).expect(1).stdout;
        assert!(words.contains("1 issued invoice would be different today"), "{words}");
        assert!(words.contains("fecha rerun --month 2026-10 --all"), "{words}");
        reseller.run(&["rerun", "--month", "2026-10", "--all", "--reason", "origem"]).expect(0);
        let d1 = &reseller.invoices(&["--dealership", "d1"])[0];
        assert_eq!((&d1["uam"], &d1["total"]), (&json!(6_000), &json!("4064.00")));
        reseller.run(&["close"]).expect(0);
        let advice = reseller.run(&["status"]).stdout;
        assert!(!advice.contains("rerun"), "{advice}");
    }
}

/// An invoice of 0.1 is compared by the rules of 0.1; what only the newest count otherwise a person accepts.
#[test]
fn newer_rules_change_what_is_issued_only_where_a_person_accepts_them() {
    let mut reseller = Reseller::of_0_1(LedgerKind::Sqlite);
    let invoices = reseller.invoices(&["--month", "2026-09"]);
    let one = invoices.iter().find(|invoice| invoice["state"] == "issued").unwrap();
    let id = one["dealership_id"].as_str().unwrap();
    let month = "2026-09";
    let verify = |reseller: &Reseller| reseller.run(&["verify", "--month", month, "--json"]).json();
    let before = verify(&reseller);
    assert!(before["differs"].as_array().unwrap().iter().all(|d| d["dealership_id"] != id));
    // A person by a device, which was no contact in 0.1.
    let device = "INSERT INTO message (dealership_id, contact, direction, kind, sent_at)
                  VALUES (?1, ?2, 'in', 'session', 1790700000000)";
    reseller.messages().execute(device, [id, "5511987654321:7@s.whatsapp.net"]).unwrap();
    let found = verify(&reseller);
    let differs = found["differs"].as_array().unwrap();
    let of_id = differs.iter().find(|d| d["dealership_id"] == id).unwrap();
    assert_eq!(of_id["causes"], json!(["rules"]), "{of_id:#}");
    reseller.at("2026-12-02 12:00:00");
    let rerun = ["rerun", "--month", month, "--dealership", id, "--reason", "regras", "--json"];
    let refused = reseller.run(&rerun).expect(1).json();
    assert!(refused["refused"][0]["reason"].as_str().unwrap().contains("--accept rules"));
    let revised = reseller.run(&[&rerun[..], &["--accept", "rules"]].concat()).expect(0).json();
    assert_eq!(revised["revised"][0]["causes"], json!(["rules"]));
    assert!(
        verify(&reseller)["differs"].as_array().unwrap().iter().all(|d| d["dealership_id"] != id)
    );
}
