//! The demo's data, counted as a close counts it, and what becomes of it.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use chrono_tz::America;
use fecha::setup::config::{Config, Transport};
use fecha::setup::demo::{self, Demo, DemoError};
use fecha::setup::register::{read_contracts, read_dealerships};
use fecha_core::bill::hold::{Limits, Look, SourceLook, reasons};
use fecha_core::calendar::month::Month;
use fecha_core::count::contact::Identity;
use fecha_core::count::counter::Counter;
use fecha_core::count::rules::CountingRules;
use fecha_core::count::tally::{Alike, Apart, Buckets, Count, Counted, Message};
use fecha_core::party::register::Dealership;
use fecha_core::price::contract::Contracts;
use rusqlite::Connection;
use rusqlite::types::ValueRef;
use serde_json::Value;

use crate::support::reseller::{LedgerKind, Reseller};

struct Written {
    demo: Demo,
    config: Config,
    dealerships: Vec<Dealership>,
    contracts: Contracts,
    month: Month,
    _folder: tempfile::TempDir,
}

/// Writes a demo with the messages of its last month, and reads its files as the commands do.
fn written(month: &str) -> Written {
    let folder = tempfile::tempdir().unwrap();
    let month: Month = month.parse().unwrap();
    let mut demo = demo::write(folder.path(), month).unwrap();
    demo.arrive(month).unwrap();
    let config = Config::load(Some(&demo.config), std::iter::empty()).unwrap();
    let dealerships = fs::read(&demo.dealerships).unwrap();
    let dealerships = read_dealerships("dealerships.csv", &dealerships).unwrap();
    let known = |id: &str| dealerships.iter().any(|dealership| dealership.id == id);
    let contracts = fs::read(&demo.contracts).unwrap();
    let contracts =
        read_contracts("contracts.csv", &contracts, &known, &config.prices, &[]).unwrap();
    let contracts = contracts.into_iter().collect();
    Written { demo, config, dealerships, contracts, month, _folder: folder }
}

fn text(value: ValueRef<'_>) -> Option<&[u8]> {
    match value {
        ValueRef::Text(text) => Some(text),
        ValueRef::Null => None,
        other => panic!("{other:?}"),
    }
}

fn each_message(path: &Path, mut take: impl FnMut(&Message<'_>)) {
    let connection = Connection::open(path).unwrap();
    let sql =
        "SELECT dealership_id, contact, direction, kind, template, status, sent_at FROM message";
    let mut select = connection.prepare(sql).unwrap();
    let mut rows = select.query([]).unwrap();
    while let Some(row) = rows.next().unwrap() {
        take(&Message {
            dealership_id: text(row.get_ref(0).unwrap()),
            contact: text(row.get_ref(1).unwrap()),
            direction: text(row.get_ref(2).unwrap()),
            kind: text(row.get_ref(3).unwrap()),
            template: text(row.get_ref(4).unwrap()),
            status: text(row.get_ref(5).unwrap()),
            sent_at: row.get(6).unwrap(),
            ..Message::default()
        });
    }
}

impl Written {
    fn count(&self) -> Count {
        let issuer_zone = self.config.issuer.timezone;
        let in_month = |dealership: &Dealership| Counted {
            dealership_id: dealership.id.clone(),
            period: self.month.period_in(dealership.timezone.unwrap_or(issuer_zone)),
            has_package: self.contracts.package_in(&dealership.id, self.month).is_some(),
            in_scope: true,
            rules: CountingRules::default(),
            beside: None,
            apart: Apart::Unbilled,
        };
        let dealerships = self.dealerships.iter().map(in_month).collect();
        let unknown = Some(self.month.period_in(issuer_zone));
        let mut counter = Counter::new(dealerships, unknown, &self.config.counting.statuses);
        each_message(&self.demo.messages, |message| counter.add(message));
        counter.finish()
    }

    /// A line a dealership: what the close would invoice.
    fn summary(&self, count: &Count) -> String {
        let mut summary = String::new();
        for (id, tally) in &count.tallies {
            let package = self.contracts.package_in(id, self.month);
            let package = package.map_or("none".to_owned(), |package| package.to_string());
            let (uam, hsm, buckets) = (tally.uam(), tally.hsm(), tally.buckets);
            writeln!(summary, "{id:15} package {package:>5} uam {uam:>4} hsm {hsm:>4} counted {:>5} ignored {:>3} no contact {:>2} no contract {:>3}", buckets.counted, buckets.ignored_status, buckets.not_a_contact, buckets.no_contract).unwrap();
        }
        writeln!(summary, "unknown {:?}", count.unknown).unwrap();
        summary
    }
}

#[test]
fn every_case_is_there_and_the_numbers_are_those_of_any_month() {
    let written = written("2026-10");
    let count = written.count();
    insta::assert_snapshot!(written.summary(&count));
    let february = self::written("2027-02");
    assert_eq!(february.summary(&february.count()), written.summary(&count));
    assert_eq!(february.demo.message_count, written.demo.message_count);
}

/// A month is bounded by the messages of its neighbours, to the millisecond.
#[test]
fn six_months_lie_side_by_side() {
    let mut written = written("2026-10");
    let months = written.demo.months();
    assert_eq!(months.len(), 6);
    assert_eq!((months[0].to_string(), months[5]), ("2026-05".to_owned(), written.month));
    let alone = written.summary(&written.count());
    for month in &months[..5] {
        written.demo.arrive(*month).unwrap();
    }
    written.demo.arrive_late(months[3]).unwrap();
    assert_eq!(written.summary(&written.count()), alone);
    let mut late = self::written("2026-08");
    late.demo.arrive_late(late.month).unwrap();
    let before = late.count();
    assert!(before.tallies["pampa"].hsm() > 288, "messages that were late");
}

#[test]
fn a_month_has_the_same_messages_every_time() {
    let all = |written: &Written| {
        let mut all = Vec::new();
        each_message(&written.demo.messages, |message| all.push(format!("{message:?}")));
        all
    };
    let (first, second) = (written("2026-10"), written("2026-10"));
    assert_eq!(all(&first).len() as u64, first.demo.message_count);
    assert!(all(&first) == all(&second), "two demos of a month differ");
}

#[test]
fn contacts_of_every_kind_are_there() {
    let written = written("2026-10");
    let mut spellings: BTreeMap<Identity, BTreeSet<String>> = BTreeMap::new();
    let mut groups = 0;
    each_message(&written.demo.messages, |message| {
        let contact = message.contact.unwrap();
        let spelling = String::from_utf8(contact.to_vec()).unwrap();
        match Identity::parse(contact) {
            Some(identity) => _ = spellings.entry(identity).or_default().insert(spelling),
            None => groups += u32::from(spelling.ends_with("@g.us")),
        }
    });
    let has = |shape: &dyn Fn(&str) -> bool| spellings.keys().any(|i| shape(&i.to_string()));
    assert!(has(&|i| i.starts_with("5554") && i.len() == 12), "a landline");
    assert!(has(&|i| i.starts_with("52") && i.len() == 12), "a Mexican number");
    assert!(has(&|i| i.starts_with("549")), "an Argentine number");
    assert!(has(&|i| i.starts_with("BR.")), "a username");
    assert!(groups > 0, "a group");
    let both = |(identity, spellings): (&Identity, &BTreeSet<String>)| {
        let lengths: BTreeSet<_> = spellings.iter().map(String::len).collect();
        identity.to_string().starts_with("55") && lengths == BTreeSet::from([12, 13])
    };
    assert!(spellings.iter().any(both), "a number with and without the ninth digit");
}

#[test]
fn four_zones_and_a_source_that_does_not_hold_the_close() {
    let written = written("2026-10");
    let zones: HashSet<_> = written.dealerships.iter().filter_map(|d| d.timezone).collect();
    let expected = [America::Sao_Paulo, America::Manaus, America::Rio_Branco, America::Noronha];
    assert_eq!(zones, HashSet::from(expected));
    assert!(written.dealerships.len() >= 12);

    let month_end = written.month.period_in(America::Rio_Branco).end;
    let mut newest = i64::MIN;
    each_message(&written.demo.messages, |message| {
        if message.sent_at < month_end.timestamp_millis() {
            newest = newest.max(message.sent_at);
        }
    });
    assert_eq!(newest, month_end.timestamp_millis() - 1);
    let newest = chrono::DateTime::from_timestamp_millis(newest);
    let look = Look {
        sources: vec![SourceLook { name: None, newest }],
        month_end,
        messages: Buckets::default(),
        alike: Alike::default(),
        both: Vec::new(),
    };
    assert_eq!(reasons(&look, Limits::default()), []);
}

#[test]
fn emails_go_to_files_of_the_folder() {
    let written = written("2026-10");
    let dir = written.config.folder().join("mail");
    assert_eq!(written.config.email.transport, Transport::File { dir });
    assert_eq!(written.config.issuer.timezone, America::Sao_Paulo);
}

#[test]
fn only_a_folder_of_its_own_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let month = "2026-10".parse().unwrap();
    fs::write(folder.path().join("fecha.toml"), "# mine").unwrap();
    let error = demo::write(folder.path(), month).unwrap_err();
    assert!(matches!(&error, DemoError::Taken(_)), "{error}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);

    let inner = folder.path().join("demo");
    demo::write(&inner, month).unwrap();
    fs::write(inner.join("fecha.db"), "the ledger").unwrap();
    let mut again = demo::write(&inner, month.next()).unwrap();
    again.arrive(month.next()).unwrap();
    assert_eq!(fs::read(inner.join("fecha.db")).unwrap(), b"the ledger");
    let first = |sql: &str| -> i64 {
        let connection = Connection::open(&again.messages).unwrap();
        connection.query_row(sql, [], |row| row.get(0)).unwrap()
    };
    assert!(first("SELECT count(*) FROM message") > 100_000);
    let of_october = month.period_in(America::Sao_Paulo).end.timestamp_millis() - 3 * 86_400_000;
    assert!(first("SELECT min(sent_at) FROM message") > of_october);
}

/// Six months with all that happens in months, the same whenever it is made; and the ledger holds.
#[test]
fn a_story_of_six_months() {
    let mut reseller = Reseller::new(LedgerKind::Sqlite);
    reseller.at("2026-11-20 12:00:00");
    let told = reseller.run(&["demo", "--dir", "demo", "--json"]).expect(0).json();
    let issued: Vec<u64> =
        told["months"].as_array().unwrap().iter().map(|m| m["issued"].as_u64().unwrap()).collect();
    assert_eq!(issued, [12, 12, 12, 12, 13, 12], "{told}");
    reseller.variables.push(("FECHA_CONFIG".to_owned(), "demo/fecha.toml".to_owned()));

    let all = reseller.invoices(&["--all-revisions"]);
    let of = |key: &str, value: &str| -> Vec<String> {
        let fits = all.iter().filter(|invoice| invoice[key] == value);
        fits.map(|invoice| format!("{} {}", invoice["month"], invoice["dealership_id"])).collect()
    };
    assert_eq!(of("state", "superseded"), ["\"2026-08\" \"pampa\""]);
    assert_eq!(of("state", "cancelled"), ["\"2026-09\" \"duas-aguas\""]);
    let revised = all.iter().find(|invoice| invoice["revision"] == 1).unwrap();
    assert_eq!(revised["reason"], "mensagens que chegaram depois do fechamento");
    let overdue: Vec<&Value> = all.iter().filter(|invoice| invoice["overdue"] == true).collect();
    let late = |invoice: &&&Value| invoice["month"] != "2026-10";
    assert_eq!(overdue.iter().filter(late).count(), 1, "{overdue:#?}");
    let credited = all.iter().filter(|invoice| invoice["adjustments_amount"] == "-120.00");
    assert_eq!(credited.count(), 1);
    let history = reseller.run(&["receivables", "--dealership", "serra-alta", "--json"]);
    let history = history.expect(0).json()["dealerships"][0]["payments"].clone();
    let of_september = history
        .as_array()
        .unwrap()
        .iter()
        .filter(|payment| payment["on"].as_str().is_some_and(|on| on.starts_with("2026-10")));
    assert_eq!(of_september.count(), 2, "{history:#}");

    for month in told["months"].as_array().unwrap() {
        let month = month["month"].as_str().unwrap();
        let verified = reseller.run(&["verify", "--month", month, "--json"]).expect(0).json();
        assert_eq!(verified["problems"], serde_json::json!([]), "{month}");
    }
    let sent = reseller.outbox().iter().filter(|email| email["state"] == "sent").count();
    assert_eq!(told["emails"], sent, "all of them went into files");
    let has = |name: &str| reseller.path("demo/faturas").join(name).exists();
    assert!(
        has("2026-08/fatura-2026-000043-R1.pdf") && has("2026-09/cancelamento-2026-000051.pdf")
    );

    // Another day, the same money.
    reseller.variables.pop();
    reseller.at("2026-11-03 12:00:00");
    let again = reseller.run(&["demo", "--dir", "demo", "--json"]).expect(0).json();
    assert_eq!(again["months"], told["months"]);
}
