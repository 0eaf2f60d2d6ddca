//! What outgoing messages are to the prices, and that it is the same in whatever order and by how many readers they
//! were read.

use proptest::prelude::*;
use proptest::sample::select;

use super::*;
use crate::count::evidence::HEADER;
use crate::count::sending::{Kind, Sending, Sent};

const NUMBERS: [&str; 2] = ["5548999990820", "5548999990821"];

fn priced(id: &str, apart: Apart) -> Counted {
    Counted {
        dealership_id: id.to_owned(),
        period: october(chrono_tz::America::Sao_Paulo),
        has_package: true,
        in_scope: true,
        rules: CountingRules::default(),
        beside: None,
        apart,
    }
}

fn by_category() -> Apart {
    let numbers = NUMBERS.map(|number| number.parse().unwrap()).into();
    Apart::ByCategory { sessions: true, numbers }
}

fn counter(apart: Apart, priced_statuses: Option<&[&str]>) -> Counter {
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    let statuses = StatusRules { priced: priced_statuses.map(words), ..StatusRules::default() };
    Counter::new(vec![priced("d1", apart)], None, &statuses)
}

fn out<'a>(kind: &'a str, category: &'a str, contact: &'a str) -> Message<'a> {
    Message { category: Some(category.as_bytes()), ..message("d1", contact, "out", kind) }
}

fn told(sent: &Sent) -> Vec<String> {
    let one = |(sending, messages): (&Sending, u64)| {
        let Sending { kind, category, number, billing } = sending;
        let category = category.as_ref().map_or("-", |category| category.name());
        let number = number.as_ref().map_or("-".to_owned(), ToString::to_string);
        format!("{} {category} {number} {billing:?} {messages}", kind.key())
    };
    sent.iter().map(one).collect()
}

#[test]
fn messages_are_told_apart_by_what_they_are_to_the_prices() {
    let mut counter = counter(by_category(), None);
    let number =
        |message, number: &'static str| Message { number: Some(number.as_bytes()), ..message };
    counter.add(&number(out("hsm", "MARKETING", "5548999990001"), "+55 48 9999-0820"));
    counter.add(&number(out("hsm", " marketing", "5548999990001"), "5548999990820"));
    counter.add(&number(out("session", "service", "5548999990001"), "5511999990000")); // of nobody
    counter.add(&Message { billable: Some(b"f"), ..out("hsm", "utility", "BR.13491208655") });
    counter.add(&Message { billable: Some(b"1"), ..out("hsm", "", "5548999990002") });
    counter.add(&Message { status: Some(b"failed"), ..out("hsm", "utility", "5548999990001") });
    counter.add(&out("hsm", "utility", "123@g.us"));
    counter.add(&Message {
        category: Some(b"service"),
        ..message("d1", "5548999990003", "in", "session")
    });
    let count = counter.finish();
    let tally = &count.tallies["d1"];
    insta::assert_snapshot!(told(&tally.sent).join("\n"), @r"
    hsm - - Billed 1
    hsm marketing 5548999990820 Billed 2
    hsm utility - Unbilled 1
    session service - Billed 1
    ");
    assert_eq!((tally.hsm(), tally.uam(), count.buckets().counted), (4, 4, 6));
    let ids = EvidenceKey::new([7; 32]).ids(IdVersion::NEWEST, "d1");
    let csv = evidence::csv(tally, &ids);
    let header = csv.lines().next().unwrap();
    assert_eq!(
        header.strip_prefix(HEADER),
        Some(",hsm:,hsm:marketing,hsm:utility:unbilled,session:service")
    );
    let mut got: Vec<&str> =
        evidence::parse(&csv).unwrap().rows.iter().map(|row| row.by_category).collect();
    got.sort_unstable();
    assert_eq!(got, ["0,0,0,0", "0,0,1,0", "0,2,0,1", "1,0,0,0"]);
}

#[test]
fn a_status_that_is_not_priced_costs_nothing() {
    let mut counter = counter(Apart::Unbilled, Some(&["delivered", "read"]));
    for status in [Some(&b"delivered"[..]), Some(b"read"), Some(b"sent"), None] {
        counter.add(&Message { status, ..out("hsm", "marketing", "5548999990001") });
        counter.add(&Message { status, ..out("session", "service", "5548999990001") });
    }
    let count = counter.finish();
    let tally = &count.tallies["d1"];
    assert_eq!(told(&tally.sent), ["hsm - - Unbilled 2"]);
    assert_eq!((tally.hsm(), count.buckets().counted), (4, 8));
    let ids = EvidenceKey::new([7; 32]).ids(IdVersion::NEWEST, "d1");
    assert_eq!(evidence::csv(tally, &ids).lines().next(), Some(HEADER));
}

#[test]
fn where_others_have_a_price_each_of_them_is_one_message() {
    let rows = |counter: &mut Counter| {
        for status in ["queued", "sent", "delivered"] {
            let row = Message {
                status: Some(status.as_bytes()),
                ..out("session", "service", "5548999990001")
            };
            counter.add(&Message { message_id: Some(b"m1"), ..row });
            counter.add(&Message {
                message_id: Some(b"m2"),
                ..out("hsm", "marketing", "5548999990001")
            });
        }
    };
    let facts = || SourceFacts { has_message_ids: true, ..SourceFacts::default() };
    let mut with_price = counter(by_category(), None).of_source(facts());
    rows(&mut with_price);
    let count = with_price.finish();
    assert_eq!(
        told(&count.tallies["d1"].sent),
        ["hsm marketing - Billed 1", "session service - Billed 1"]
    );
    assert_eq!(count.buckets(), Buckets { counted: 2, duplicate: 4, ..Buckets::default() });
    // Without one, repeats of them stay where they are.
    let mut without = counter(Apart::Unbilled, None).of_source(facts());
    rows(&mut without);
    let buckets = without.finish().buckets();
    assert_eq!(
        buckets,
        Buckets { counted: 3, duplicate: 2, ignored_status: 1, ..Buckets::default() }
    );
}

#[test]
fn a_column_that_holds_anything_is_charged_to_nobody() {
    let mut counter = counter(by_category(), None);
    for number in 0..5000 {
        counter.add(&out("hsm", &format!("text {number}"), "5548999990001"));
    }
    let count = counter.finish();
    let tally = &count.tallies["d1"];
    assert_eq!(count.buckets().counted, 5000);
    let refused = tally.prove_sent(&crate::price::table::tests::table());
    assert_eq!(refused, Err(crate::price::table::NoPrice::TooManyKinds));
}

proptest! {
    #[test]
    fn neither_order_nor_readers_matter(
        rows in proptest::collection::vec(
            (0..4_usize, select(vec!["hsm", "session"]), select(vec!["", "marketing", "Utility"]),
             0..3_usize, any::<bool>(), 0..6_u8),
            0..400,
        ),
        turn in 0..400_usize, with_ids: bool,
    ) {
        let contacts = ["5548999990001", "554899990001", "BR.13491208655", "5548999990002"];
        let ids: Vec<String> = rows.iter().map(|row| format!("m{}", row.5)).collect();
        let all: Vec<Message<'_>> = rows
            .iter()
            .zip(&ids)
            .map(|((contact, kind, category, number, billed, _), id)| Message {
                number: NUMBERS.get(*number).map(|number| number.as_bytes()),
                billable: Some(if *billed { b"true" } else { b"false" }),
                message_id: with_ids.then_some(id.as_bytes()),
                ..out(kind, category, contacts[*contact])
            })
            .collect();
        let source = || SourceFacts { has_message_ids: with_ids, ..SourceFacts::default() };
        let mut straight = counter(by_category(), None).of_source(source());
        for message in &all {
            straight.add(message);
        }
        let mut first = counter(by_category(), None).of_source(source());
        let mut second = first.another();
        let mut turned = all;
        turned.rotate_left(turn % rows.len().max(1));
        for (index, message) in turned.iter().enumerate() {
            if index % 3 == 0 { first.add(message) } else { second.add(message) }
        }
        first.join(second);
        let (straight, joined) = (straight.finish(), first.finish());
        let (a, b) = (straight.tallies.get("d1"), joined.tallies.get("d1"));
        prop_assert_eq!(a, b);
        let tally = a.unwrap();
        let sent: u64 = tally.contacts.exchanged().map(|contact| u64::from(contact.sent)).sum();
        prop_assert_eq!(tally.sent.of_kind(Kind::Hsm), tally.hsm());
        prop_assert_eq!(tally.sent.of_kind(Kind::Session), sent - tally.hsm());
    }
}
