//! Whatever rows a message database gives: no panic, every row in one bucket, and neither their order
//! nor how they are split over several counts changes what is counted.
#![no_main]

use std::collections::BTreeMap;

use arbitrary::Arbitrary;
use fecha_core::count::evidence::{self, EvidenceKey, IdVersion};
use fecha_core::calendar::month::{Month, Period};
use fecha_core::count::counter::{Counter, SourceFacts};
use fecha_core::count::rules::CountingRules;
use fecha_core::count::status::StatusRules;
use fecha_core::count::tally::{Apart, Buckets, Count, Counted, Message};
use libfuzzer_sys::fuzz_target;

#[derive(Debug, Arbitrary)]
struct Case<'a> {
    rows: Vec<Row<'a>>,
    /// Where the rows are cut in two.
    cut: u8,
}

#[derive(Debug, Arbitrary)]
struct Row<'a> {
    dealership_id: Field<'a>,
    contact: Field<'a>,
    direction: Field<'a>,
    kind: Field<'a>,
    template: Field<'a>,
    status: Field<'a>,
    message_id: Field<'a>,
    sent_at: SentAt,
}

#[derive(Debug, Arbitrary)]
enum Field<'a> {
    Null,
    /// One that means something, by its place in a list.
    Known(u8),
    Any(&'a [u8]),
}

#[derive(Debug, Arbitrary)]
enum SentAt {
    /// Milliseconds from a day before the month.
    Near(u32),
    /// Milliseconds from the end of the month.
    AtTheEnd(i8),
    Any(i64),
}

impl Row<'_> {
    fn message(&self) -> Message<'_> {
        let october = october(chrono_tz::America::Sao_Paulo);
        let (start, end) = (october.start.timestamp_millis(), october.end.timestamp_millis());
        Message {
            dealership_id: self.dealership_id.bytes(&["d1", "D1", "d2", "d3", "d9"]),
            contact: self.contact.bytes(&CONTACTS),
            direction: self.direction.bytes(&["in", "out", "out", "IN"]),
            kind: self.kind.bytes(&["session", "hsm", "hsm", "Hsm"]),
            template: self.template.bytes(&["oferta", "lembrete"]),
            status: self.status.bytes(&["read", "failed", "delivered", "queued"]),
            message_id: self.message_id.bytes(&["a", "b", ""]),
            category: None,
            number: None,
            billable: None,
            sent_at: match self.sent_at {
                SentAt::Near(millis) => start - 86_400_000 + i64::from(millis),
                SentAt::AtTheEnd(millis) => end + i64::from(millis),
                SentAt::Any(instant) => instant,
            },
        }
    }
}

const CONTACTS: [&str; 6] = [
    "554899990820",
    "5548999990820",
    "whatsapp:+55 48 99999-0820",
    "525512345678",
    "BR.13491208655302741918",
    "120363041234567890@g.us",
];

impl<'a> Field<'a> {
    fn bytes(&'a self, known: &[&'static str]) -> Option<&'a [u8]> {
        match self {
            Self::Null => None,
            Self::Known(index) => Some(known[usize::from(*index) % known.len()].as_bytes()),
            Self::Any(bytes) => Some(bytes),
        }
    }
}

fn october(zone: chrono_tz::Tz) -> Period {
    "2026-10".parse::<Month>().expect("a month").period_in(zone)
}

/// Two zones, one dealership without a package, one that another close is about.
fn count<'a>(has_message_ids: bool, rows: impl Iterator<Item = &'a Row<'a>>) -> Count {
    let brasilia = october(chrono_tz::America::Sao_Paulo);
    let dealership = |id: &str, period, has_package, in_scope| Counted {
        dealership_id: id.to_owned(),
        period,
        has_package,
        in_scope,
        rules: CountingRules::default(),
        beside: None,
        apart: Apart::Unbilled,
    };
    let dealerships = vec![
        dealership("d1", brasilia, true, true),
        dealership("D1", october(chrono_tz::America::Noronha), true, true),
        dealership("d2", brasilia, false, true),
        dealership("d3", brasilia, true, false),
    ];
    let mut counter = Counter::new(dealerships, Some(brasilia), &StatusRules::default());
    counter = counter.of_source(SourceFacts { has_message_ids, ..SourceFacts::default() });
    rows.for_each(|row| counter.add(&row.message()));
    counter.settle();
    let count = counter.finish();
    for window in &count.windows {
        window.prove(window.rows).expect("each row is in one bucket");
    }
    count
}

/// First message, then received, sent and HSM.
type Use = (String, u64, u64, u64);

/// All that is billed or reported, in a form that adds up: contacts by dealership and id of the
/// evidence, templates by dealership, buckets and rows by window, unknown ids.
#[derive(Debug, Default, PartialEq)]
struct Sum {
    contacts: BTreeMap<(String, String), Use>,
    numbers: BTreeMap<String, u64>,
}

impl Sum {
    fn add(&mut self, count: &Count) {
        let ids = EvidenceKey::new([7; 32]).ids(IdVersion::NEWEST, "d1");
        for (id, tally) in &count.tallies {
            let csv = evidence::csv(tally.contacts.iter(), &ids);
            let entries = evidence::parse(&csv).expect("evidence is read as it was written");
            assert_eq!(entries.len() as u64, tally.uam());
            for entry in entries {
                let first = (entry.first_at, entry.first_direction);
                let first = format!("{} {}", first.0, first.1);
                let known = self.contacts.entry((id.clone(), entry.id.to_owned()));
                let all = known.or_insert_with(|| (first.clone(), 0, 0, 0));
                all.0 = first.min(std::mem::take(&mut all.0));
                all.1 += entry.received;
                all.2 += entry.sent;
                all.3 += entry.hsm;
            }
            for (template, sent) in &tally.templates {
                self.number(format!("{id} template {template}"), *sent);
            }
            self.buckets(id, tally.buckets);
        }
        for window in &count.windows {
            let name = format!("{:?}", window.period);
            self.buckets(&name, window.buckets);
            self.number(format!("{name} rows"), window.rows);
            self.number(format!("{name} elsewhere"), window.elsewhere);
        }
        for (id, messages) in &count.unknown {
            self.number(format!("unknown {id:?}"), *messages);
        }
    }

    fn buckets(&mut self, of: &str, buckets: Buckets) {
        self.number(format!("{of} counted"), buckets.counted);
        self.number(format!("{of} ignored"), buckets.ignored_status);
        self.number(format!("{of} no contact"), buckets.not_a_contact);
        self.number(format!("{of} duplicate"), buckets.duplicate);
        self.number(format!("{of} group"), buckets.group);
        self.number(format!("{of} malformed"), buckets.malformed);
        self.number(format!("{of} no contract"), buckets.no_contract);
        self.number(format!("{of} unknown"), buckets.unknown_dealership);
    }

    fn number(&mut self, name: String, number: u64) {
        *self.numbers.entry(name).or_default() += number;
    }
}

fuzz_target!(|case: Case<'_>| {
    let Case { rows, cut } = case;
    for has_message_ids in [true, false] {
        let forward = count(has_message_ids, rows.iter());
        let backward = count(has_message_ids, rows.iter().rev());
        assert_eq!(forward.tallies, backward.tallies);
        assert_eq!(forward.windows, backward.windows);
        assert_eq!(forward.unknown, backward.unknown);
        assert_eq!(forward.statuses, backward.statuses);
        assert_eq!(forward.alike, backward.alike);
    }
    // Without ids a count of parts is the count of all.
    let all = count(false, rows.iter());

    let (mut whole, mut parts) = (Sum::default(), Sum::default());
    whole.add(&all);
    let (left, right) = rows.split_at(usize::from(cut) % (rows.len() + 1));
    parts.add(&count(false, left.iter()));
    parts.add(&count(false, right.iter().rev()));
    assert_eq!(whole, parts);
});
