//! Buckets, bounds, and that neither the order of rows nor their number of zones matters.

use proptest::prelude::*;
use proptest::sample::select;

use super::*;
use crate::calendar::month::Month;
use crate::count::evidence::{self, EvidenceKey, IdVersion};
use crate::count::rules::CountingRules;
use crate::count::status::{Meaning, StatusFound};
use crate::count::tally::{Apart, Buckets, Misread, MisreadColumn};

mod categories;

const DAY: i64 = 86_400_000;

fn october(zone: chrono_tz::Tz) -> Period {
    "2026-10".parse::<Month>().unwrap().period_in(zone)
}

fn counter() -> Counter {
    let brasilia = october(chrono_tz::America::Sao_Paulo);
    let noronha = october(chrono_tz::America::Noronha);
    let dealership = |id: &str, period, has_package, in_scope| Counted {
        dealership_id: id.to_owned(),
        period,
        has_package,
        in_scope,
        rules: CountingRules::default(),
        beside: None,
        apart: Apart::Unbilled,
    };
    Counter::new(
        vec![
            dealership("d1", brasilia, true, true),
            dealership("D1", noronha, true, true),
            dealership("d2", brasilia, false, true),
            dealership("d3", brasilia, true, false),
        ],
        Some(brasilia),
        &StatusRules::default(),
    )
}

fn message<'a>(id: &'a str, contact: &'a str, direction: &'a str, kind: &'a str) -> Message<'a> {
    Message {
        dealership_id: Some(id.as_bytes()),
        contact: Some(contact.as_bytes()),
        direction: Some(direction.as_bytes()),
        kind: Some(kind.as_bytes()),
        sent_at: october(chrono_tz::America::Sao_Paulo).start.timestamp_millis() + DAY,
        ..Message::default()
    }
}

#[test]
fn each_message_falls_into_the_first_bucket_that_fits() {
    let mut counter = counter();
    let failed = |message| Message { status: Some(b"failed"), ..message };
    counter.add(&message("d9", "?", "sideways", "x")); // unknown_dealership before all else
    counter.add(&Message { dealership_id: None, ..message("", "5548999990820", "in", "session") });
    counter.add(&message("d1 ", "5548999990820", "in", "session")); // byte by byte: not d1
    counter.add(&message("d2", "?", "sideways", "x")); // no_contract before malformed
    counter.add(&failed(message("d1", "?", "IN", "session"))); // malformed before ignored_status
    counter.add(&failed(message("d1", "?", "in", "session"))); // ignored_status before not_a_contact
    counter.add(&message("d1", "123@g.us", "in", "session"));
    counter.add(&Message { contact: None, ..message("d1", "", "in", "session") });
    counter.add(&message("d1", "554899990820", "in", "session"));
    counter.add(&message("d1", "5548999990820", "out", "hsm")); // the same contact
    counter.add(&message("d1", "5548999990820", "in", "hsm")); // not sent: no HSM
    counter.add(&message("D1", "5548999990820", "in", "session"));
    counter.add(&message("d3", "5548999990820", "in", "session")); // out of scope

    let count = counter.finish();
    let d1 = &count.tallies["d1"];
    assert_eq!((d1.uam(), d1.hsm()), (1, 1));
    assert_eq!(count.tallies["D1"].uam(), 1);
    assert!(!count.tallies.contains_key("d3"));
    let expected = Buckets {
        counted: 4,
        ignored_status: 1,
        group: 1,
        not_a_contact: 1,
        malformed: 1,
        no_contract: 1,
        unknown_dealership: 3,
        ..Buckets::default()
    };
    assert_eq!(count.buckets(), expected);
    assert_eq!(count.unknown[&Some("d1 ".to_owned())], 1);
    assert_eq!(count.unknown[&None], 1);
    for window in &count.windows {
        window.prove(13).unwrap();
        assert!(window.prove(14).is_err());
    }
}

#[test]
fn bounds_are_half_open_in_each_zone() {
    let brasilia = october(chrono_tz::America::Sao_Paulo);
    let noronha = october(chrono_tz::America::Noronha);
    for (id, period) in [("d1", brasilia), ("D1", noronha)] {
        for (sent_at, counts) in [
            (period.start.timestamp_millis() - 1, 0),
            (period.start.timestamp_millis(), 1),
            (period.end.timestamp_millis() - 1, 1),
            (period.end.timestamp_millis(), 0),
        ] {
            let mut counter = counter();
            counter.add(&Message { sent_at, ..message(id, "5548999990820", "in", "session") });
            assert_eq!(counter.finish().tallies[id].uam(), counts, "{id} at {sent_at}");
        }
    }
}

#[test]
fn a_stretch_lies_in_the_same_months_throughout() {
    let brasilia = october(chrono_tz::America::Sao_Paulo);
    let noronha = october(chrono_tz::America::Noronha);
    let stretch = |start, end| Period { start, end };
    let expected = [
        stretch(noronha.start, brasilia.start),
        stretch(brasilia.start, noronha.end),
        stretch(noronha.end, brasilia.end),
    ];
    assert_eq!(counter().stretches(), expected);
}

fn any_row() -> impl Strategy<
    Value = (Option<&'static str>, &'static str, &'static str, &'static str, &'static str, i64),
> {
    (
        select(vec![Some("d1"), Some("D1"), Some("d2"), Some("d3"), Some("d9"), None]),
        select(vec!["554899990820", "5548999990820", "BR.1349", "1@g.us", "", "525512345678"]),
        select(vec!["in", "out", "IN"]),
        select(vec!["session", "hsm", ""]),
        select(vec!["", "failed", "delivered"]),
        -2 * DAY..34 * DAY,
    )
}

type Row = (Option<&'static str>, &'static str, &'static str, &'static str, &'static str, i64);

fn of(row: &Row) -> Message<'static> {
    let (id, contact, direction, kind, status, offset) = *row;
    Message {
        dealership_id: id.map(str::as_bytes),
        contact: Some(contact.as_bytes()),
        direction: Some(direction.as_bytes()),
        kind: Some(kind.as_bytes()),
        status: (!status.is_empty()).then_some(status.as_bytes()),
        sent_at: october(chrono_tz::America::Sao_Paulo).start.timestamp_millis() + offset,
        ..Message::default()
    }
}

fn count(rows: &[Row]) -> Count {
    let mut counter = counter();
    for row in rows {
        counter.add(&of(row));
    }
    counter.finish()
}

/// All that the counts say together, by name: what was first, and how many of it.
fn together(counts: &[Count]) -> BTreeMap<String, (String, u64)> {
    let mut sums: BTreeMap<String, (String, u64)> = BTreeMap::new();
    let mut add = |name: String, first: String, number: u64| {
        let sum = sums.entry(name).or_insert_with(|| (first.clone(), 0));
        sum.0 = first.min(std::mem::take(&mut sum.0));
        sum.1 += number;
    };
    for count in counts {
        for (id, tally) in &count.tallies {
            let ids = EvidenceKey::new([7; 32]).ids(IdVersion::NEWEST, id);
            let csv = evidence::csv(tally, &ids);
            for contact in evidence::parse(&csv).unwrap().rows {
                let name = |what| format!("{id} {} {what}", contact.id);
                let first = format!("{} {}", contact.first_at, contact.first_direction);
                add(name("received"), first.clone(), contact.received);
                add(name("sent"), first.clone(), contact.sent);
                add(name("hsm"), first, contact.hsm);
            }
            for (template, sent) in &tally.templates {
                add(format!("{id} template {template}"), String::new(), *sent);
            }
            add(format!("{id} counted"), String::new(), tally.buckets.counted);
            add(format!("{id} all"), String::new(), tally.buckets.total());
        }
        for window in &count.windows {
            let Window { period, rows, elsewhere, buckets } = window;
            add(format!("{period:?} rows"), String::new(), *rows);
            add(format!("{period:?} elsewhere"), String::new(), *elsewhere);
            add(format!("{period:?} counted"), String::new(), buckets.counted);
        }
        for (id, messages) in &count.unknown {
            add(format!("unknown {id:?}"), String::new(), *messages);
        }
    }
    // A name that only one of the parts has is none where it counts nothing.
    sums.retain(|_, (_, number)| *number > 0);
    sums
}

proptest! {
    #[test]
    fn two_counts_of_parts_are_the_count_of_all(
        rows in proptest::collection::vec(any_row(), 0..60), cut in any::<proptest::sample::Index>(),
    ) {
        let (left, right) = rows.split_at(cut.index(rows.len() + 1));
        prop_assert_eq!(together(&[count(left), count(right)]), together(&[count(&rows)]));
    }

    #[test]
    fn counters_beside_each_other_count_as_one(
        rows in proptest::collection::vec((any_row(), 0..3_usize), 0..2_000),
    ) {
        let first = counter();
        let mut counters = [first.another(), first.another(), first];
        std::thread::scope(|threads| {
            for (index, counter) in counters.iter_mut().enumerate() {
                let own = rows.iter().filter(move |(_, whose)| *whose == index);
                threads.spawn(move || own.for_each(|(row, _)| counter.add(&of(row))));
            }
        });
        let [one, other, mut all] = counters;
        all.join(one);
        all.join(other);
        let rows: Vec<Row> = rows.into_iter().map(|(row, _)| row).collect();
        let (beside, alone) = (all.finish(), count(&rows));
        prop_assert_eq!(&beside.tallies, &alone.tallies);
        prop_assert_eq!(&beside.windows, &alone.windows);
        prop_assert_eq!(&beside.unknown, &alone.unknown);
    }

    #[test]
    fn so_many_alike_are_each_of_them(
        rows in proptest::collection::vec((any_row(), 1..5_usize), 0..60),
    ) {
        let mut grouped = counter();
        for (row, times) in &rows {
            grouped.add_alike(&of(row), *times as u64);
        }
        let each: Vec<Row> =
            rows.iter().flat_map(|(row, times)| std::iter::repeat_n(*row, *times)).collect();
        let (grouped, each) = (grouped.finish(), count(&each));
        prop_assert_eq!(&grouped.tallies, &each.tallies);
        prop_assert_eq!(&grouped.windows, &each.windows);
        prop_assert_eq!(&grouped.unknown, &each.unknown);
    }

    #[test]
    fn buckets_add_up_and_order_does_not_matter(
        rows in proptest::collection::vec(any_row(), 0..60), seed in any::<u64>(),
    ) {
        let straight = count(&rows);
        for window in &straight.windows {
            window.prove(window.rows).unwrap();
        }
        let mut shuffled = rows.clone();
        // A cheap permutation that any seed can reach.
        for index in 1..shuffled.len() {
            shuffled.swap(index, usize::try_from(seed % (index as u64 + 1)).unwrap());
        }
        let other = count(&shuffled);
        prop_assert_eq!(&straight.tallies, &other.tallies);
        prop_assert_eq!(&straight.windows, &other.windows);
        prop_assert_eq!(&straight.unknown, &other.unknown);
    }
}

/// A counter of d1 alone, under a source that has message ids.
fn with_ids() -> Counter {
    counter().of_source(SourceFacts { has_message_ids: true, ..SourceFacts::default() })
}

/// An HSM with an id, so many hours into the second day.
fn hsm<'a>(id: &'a str, hour: i64, status: Option<&'a str>, contact: &'a str) -> Message<'a> {
    let plain = message("d1", contact, "out", "hsm");
    Message {
        message_id: Some(id.as_bytes()),
        template: Some(b"oferta"),
        status: status.map(str::as_bytes),
        sent_at: plain.sent_at + hour * 3_600_000,
        ..plain
    }
}

fn first_use(count: &Count) -> (i64, u32) {
    let contact = count.tallies["d1"].contacts.iter().next().unwrap().1;
    (contact.first_at, contact.hsm)
}

#[test]
fn of_rows_with_one_id_the_earliest_whose_status_counts_stands() {
    const ANA: &str = "5548999990820";
    let rows = [
        hsm("a", 3, Some("read"), ANA),
        hsm("a", 2, Some("delivered"), ANA), // it stands
        hsm("a", 1, Some("failed"), ANA),
        hsm("b", 5, Some("failed"), ANA),
        hsm("b", 4, Some("queued"), ANA), // none counts: the earliest
        hsm("", 6, Some("read"), ANA),    // no id: each is one
        hsm("", 6, Some("read"), ANA),
        Message { message_id: None, ..hsm("", 6, Some("read"), ANA) },
        hsm("c", 7, None, "1@g.us"),
        hsm("c", 8, None, "1@g.us"),
        hsm("d", 7, None, "?"),
    ];
    for turn in 0..rows.len() {
        let [mut counter, mut other] = [with_ids(), with_ids().another()];
        for (index, row) in rows.iter().cycle().skip(turn).take(rows.len()).enumerate() {
            if index % 2 == 0 { counter.add(row) } else { other.add(row) }
        }
        counter.join(other);
        counter.settle();
        for window in counter.windows() {
            window.prove(11).unwrap();
        }
        let count = counter.finish();
        let expected = Buckets {
            counted: 4,
            duplicate: 4,
            ignored_status: 1,
            group: 1,
            not_a_contact: 1,
            ..Buckets::default()
        };
        assert_eq!(count.buckets(), expected);
        assert_eq!(count.tallies["d1"].buckets, expected);
        let stands = hsm("a", 2, None, ANA).sent_at;
        assert_eq!((count.tallies["d1"].hsm(), first_use(&count)), (4, (stands, 4)));
        assert_eq!(count.alike.hsm, 0);
    }
}

#[test]
fn an_id_is_one_message_of_its_dealership_and_source_only() {
    let mut all = counter();
    let ids = || SourceFacts { has_message_ids: true, ..SourceFacts::default() };
    let mut sources = [all.of_source(ids()), all.of_source(ids())];
    for source in &mut sources {
        source.add(&hsm("a", 1, None, "5548999990820"));
    }
    let [first, second] = &mut sources;
    first.add(&Message { dealership_id: Some(b"D1"), ..hsm("a", 1, None, "5548999990820") });
    // Sessions with one id are not told apart: they add no contact.
    for _ in 0..2 {
        second.add(&Message { kind: Some(b"session"), ..hsm("s", 1, None, "5548999990821") });
    }
    for mut source in sources {
        source.settle();
        all.join(source);
    }
    let count = all.finish();
    assert_eq!(count.buckets().duplicate, 0);
    assert_eq!((count.tallies["d1"].uam(), count.tallies["d1"].hsm()), (2, 2));
    assert_eq!(count.tallies["D1"].hsm(), 1);
}

#[test]
fn a_user_id_is_whom_its_alias_says() {
    let mut aliases = Aliases::default();
    let rules = CountingRules::default();
    aliases.add(b"BR.1349", b"5548999990820", rules);
    aliases.add(b"77@lid", b"554899990820", rules);
    let mut counter = counter().of_source(SourceFacts { has_message_ids: true, aliases });
    for contact in ["BR.1349", "77:3@lid", "5548999990820", "BR.7", "88@lid"] {
        counter.add(&message("d1", contact, "in", "session"));
    }
    counter.add(&hsm("a", 1, None, "77@lid"));
    let count = counter.finish();
    assert_eq!(count.tallies["d1"].uam(), 2);
    assert_eq!(count.buckets(), Buckets { counted: 5, not_a_contact: 1, ..Buckets::default() });
}

#[test]
fn a_lid_is_a_contact_where_the_configuration_says_so() {
    let rules = CountingRules { count_lid: true, ..CountingRules::default() };
    let d1 = Counted {
        dealership_id: "d1".to_owned(),
        period: october(chrono_tz::America::Sao_Paulo),
        has_package: true,
        in_scope: true,
        rules,
        beside: Some(CountingRules::first()),
        apart: Apart::Unbilled,
    };
    let mut counter = Counter::new(vec![d1], None, &StatusRules::default());
    counter.add(&message("d1", "88@lid", "in", "session"));
    counter.add(&message("d1", "5548999990820:2@c.us", "in", "session"));
    counter.add(&message("d1", "5548999990820", "in", "session"));
    let count = counter.finish();
    assert_eq!(count.tallies["d1"].uam(), 2);
    // Beside that by the rules of 0.1, out of the same rows.
    assert_eq!((count.beside["d1"].uam(), count.beside["d1"].buckets.not_a_contact), (1, 2));
    assert!(count.beside["d1"].is_counted_otherwise(&count.tallies["d1"]));
    assert_eq!(count.buckets().total(), 3);
}

#[test]
fn statuses_are_named_with_what_is_made_of_them() {
    let mut counter = counter();
    let with = |status| Message { status, ..message("d1", "5548999990820", "out", "hsm") };
    let statuses: [Option<&[u8]>; 6] =
        [Some(b"read"), Some(b"FAILED"), Some(b"failed"), None, Some(b""), Some(b"FAILED")];
    for status in statuses {
        counter.add(&with(status));
    }
    counter.add(&Message { direction: Some(b"OUT"), ..with(Some(b"x")) });
    let count = counter.finish();
    let found = |status: Option<&str>, messages, meaning| StatusFound {
        status: status.map(str::to_owned),
        messages,
        meaning,
    };
    assert_eq!(
        count.statuses,
        [
            found(None, 2, Meaning::Counts),
            found(Some("FAILED"), 2, Meaning::Unknown),
            found(Some("failed"), 1, Meaning::Ignored),
            found(Some("read"), 1, Meaning::Counts),
        ]
    );
    let value = Some("OUT".to_owned());
    let misread = Misread { column: MisreadColumn::Direction, value };
    assert_eq!(count.tallies["d1"].misread, BTreeMap::from([(misread, 1)]));
}

#[test]
fn hsm_that_are_alike_in_all_columns_are_seen() {
    let [mut counter, mut other] = [counter(), counter().another()];
    let plain = Message { template: Some(b"a"), ..message("d1", "5548999990820", "out", "hsm") };
    counter.add(&plain);
    other.add(&plain);
    other.add(&Message { template: Some(b"b"), ..plain });
    other.add(&Message { template: None, status: Some(b"a"), ..plain });
    counter.add(&Message { sent_at: plain.sent_at + 1, ..plain });
    counter.add(&Message { kind: Some(b"session"), ..plain });
    counter.add_alike(&Message { contact: Some(b"5548999990821"), ..plain }, 3);
    counter.join(other);
    assert_eq!(counter.finish().alike, Alike { hsm: 8, repeated: 3 });
}

#[test]
fn a_message_that_knows_only_its_number_is_of_whom_that_belongs_to() {
    let entry = |number: &str, id: &str, from: &str| NumberEntry {
        number: number.parse().unwrap(),
        dealership_id: id.to_owned(),
        from_month: from.parse().unwrap(),
        to_month: None,
    };
    let numbers = Numbers::new([
        entry("554833330820", "d1", "2026-01"),
        entry("554833330821", "D1", "2026-11"), // later
        entry("554833330822", "d8", "2026-01"), // not in the register
    ]);
    let mut counter = counter().knowing(&numbers.unwrap(), "2026-10".parse().unwrap());
    assert!(counter.asks_numbers());
    let by = |id: Option<&'static str>, number: &'static str| Message {
        dealership_id: id.map(str::as_bytes),
        number: Some(number.as_bytes()),
        ..message("", "5548999990820", "in", "session")
    };
    counter.add(&by(None, "+55 48 3333-0820"));
    counter.add(&by(Some(""), "554833330820"));
    counter.add(&by(Some("d9"), "554833330820")); // its id says otherwise
    for number in ["554833330821", "554833330822", "", "?"] {
        counter.add(&by(None, number));
    }
    let count = counter.finish();
    assert_eq!(count.tallies["d1"].buckets.counted, 2);
    assert_eq!(count.unknown, BTreeMap::from([(None, 4), (Some("d9".to_owned()), 1)]));
}
