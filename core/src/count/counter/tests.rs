//! Buckets, bounds, and that neither the order of rows nor their number of zones matters.

use proptest::prelude::*;
use proptest::sample::select;

use super::*;
use crate::calendar::month::Month;
use crate::count::evidence::{self, EvidenceKey, IdVersion};

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
    };
    Counter::new(
        vec![
            dealership("d1", brasilia, true, true),
            dealership("D1", noronha, true, true),
            dealership("d2", brasilia, false, true),
            dealership("d3", brasilia, true, false),
        ],
        Some(brasilia),
        &["queued".to_owned(), "failed".to_owned()],
    )
}

fn message<'a>(id: &'a str, contact: &'a str, direction: &'a str, kind: &'a str) -> Message<'a> {
    Message {
        dealership_id: Some(id.as_bytes()),
        contact: Some(contact.as_bytes()),
        direction: Some(direction.as_bytes()),
        kind: Some(kind.as_bytes()),
        template: None,
        status: None,
        sent_at: october(chrono_tz::America::Sao_Paulo).start.timestamp_millis() + DAY,
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
        not_a_contact: 2,
        malformed: 1,
        no_contract: 1,
        unknown_dealership: 3,
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
        template: None,
        status: (!status.is_empty()).then_some(status.as_bytes()),
        sent_at: october(chrono_tz::America::Sao_Paulo).start.timestamp_millis() + offset,
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
            let csv = evidence::csv(tally.contacts.iter(), &ids);
            for contact in evidence::parse(&csv).unwrap() {
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
