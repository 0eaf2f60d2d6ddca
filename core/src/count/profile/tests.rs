//! Each value that would bill wrongly in silence is named, and nothing of a good month is.

use rstest::rstest;

use super::*;
use crate::bill::hold::Limits;
use crate::count::status::StatusRules;
use chrono::TimeDelta;

type Row = Message<'static>;

fn october() -> (Month, Period) {
    let month: Month = "2026-10".parse().unwrap();
    (month, month.period_in(chrono_tz::America::Sao_Paulo))
}

fn profiled(rows: &[Message<'static>], optional: &[Column]) -> MonthProfile {
    let first = Profiler::new(&[october()], CountingRules::default(), &StatusRules::default())
        .of_source(optional.to_vec(), Aliases::default());
    let [mut one, mut other] = [first.another(), first.another()];
    for (index, row) in rows.iter().enumerate() {
        if index % 2 == 0 { one.add_alike(row, 1) } else { other.add_alike(row, 1) }
    }
    let mut all = first;
    all.join(one);
    all.join(other);
    all.finish().remove(0)
}

fn findings(rows: &[Message<'static>], optional: &[Column]) -> Vec<Finding> {
    let register = ["d1".to_owned()];
    Judge {
        statuses: &StatusRules::default(),
        rules: CountingRules::default(),
        limits: Limits::default(),
        has_message_ids: optional.contains(&Column::MessageId),
        register: Some(&register),
    }
    .findings(&profiled(rows, optional))
}

/// 200 good messages, in and out, so many minutes into the month.
fn good() -> Vec<Message<'static>> {
    let start = october().1.start.timestamp_millis();
    (0..200)
        .map(|minute| Message {
            dealership_id: Some(b"d1"),
            contact: Some(b"5548999990820"),
            direction: Some(if minute % 2 == 0 { b"in" } else { b"out" }),
            kind: Some(if minute % 4 == 1 { b"hsm" } else { b"session" }),
            status: (minute % 2 == 1).then_some(b"read"),
            sent_at: start + minute * 60_000,
            ..Message::default()
        })
        .collect()
}

fn with(change: impl Fn(usize, &mut Message<'static>)) -> Vec<Message<'static>> {
    let mut rows = good();
    rows.iter_mut().enumerate().for_each(|(index, row)| change(index, row));
    rows
}

#[test]
fn nothing_is_to_be_said_of_a_good_month() {
    assert_eq!(findings(&good(), &[]), []);
    let month = profiled(&good(), &[]);
    assert_eq!((month.messages, month.alike.hsm, month.alike.repeated), (200, 50, 0));
    assert_eq!(month.nulls[&(Column::Status, Way::In)], 100);
    assert_eq!(month.newest().unwrap() - month.oldest().unwrap(), TimeDelta::minutes(199));
}

#[rstest]
#[case::failed_in_capitals(|i: usize, m: &mut Row| if i == 1 { m.status = Some(b"FAILED") }, true, "status 'FAILED' (1 message) looks like")]
#[case::a_number(|i: usize, m: &mut Row| if i == 1 { m.status = Some(b"3") }, true, "status '3' (1 message) is a number")]
#[case::accepted(|i: usize, m: &mut Row| if i == 1 { m.status = Some(b"accepted") }, true, "is on no list")]
#[case::direction(|_: usize, m: &mut Row| if m.direction == Some(b"out") { m.direction = Some(b"OUT") }, true, "direction 'OUT' (100 messages)")]
#[case::kind_null(|i: usize, m: &mut Row| if i == 1 { m.kind = None }, true, "kind is null in 1 message")]
#[case::one_way(|_: usize, m: &mut Row| m.direction = Some(b"in"), true, "no message has direction 'out'")]
#[case::lid(|i: usize, m: &mut Row| if i < 11 { m.contact = Some(b"77@lid") }, true, "@lid")]
#[case::few_lids(|i: usize, m: &mut Row| if i < 10 { m.contact = Some(b"77@lid") }, false, "@lid")]
#[case::national(|i: usize, m: &mut Row| if i == 1 { m.contact = Some(b"48999990820") }, true, "national = \"55\"")]
#[case::spreadsheet(|i: usize, m: &mut Row| if i == 1 { m.contact = Some(b"5.5489999908E+12") }, true, "load the numbers as text")]
#[case::bare_lids(|i: usize, m: &mut Row| if i < 20 { m.contact = Some(b"148752232927366") }, true, "LIDs")]
#[case::null_contacts(|i: usize, m: &mut Row| if i < 20 { m.contact = None }, true, "another one")]
#[case::unknown_ids(|i: usize, m: &mut Row| if i < 20 { m.dealership_id = Some(b"D1") }, true, "'D1' 20")]
#[case::alike(|i: usize, m: &mut Row| if i < 20 { *m = good()[1] }, true, "rows like another one")]
fn what_would_bill_wrongly_is_named(
    #[case] change: fn(usize, &mut Message<'static>),
    #[case] mend: bool,
    #[case] words: &str,
) {
    let found = findings(&with(change), &[]);
    let named = found.iter().find(|finding| finding.what.contains(words));
    assert_eq!(named.map(|finding| finding.mend), Some(mend), "{found:#?}");
}

#[test]
fn repeated_ids_are_billed_once_and_only_told() {
    let rows = with(|i, m| m.message_id = Some(if i < 40 { b"a" } else { b"" }));
    let found = findings(&rows, &[Column::MessageId]);
    assert_eq!(found.len(), 1);
    assert!(!found[0].mend && found[0].what.starts_with("9 of 50 HSM have the message_id"));
}

#[test]
fn an_id_that_several_contacts_share_is_no_message_id() {
    let spelt = |contact: &'static [u8]| {
        with(|i, m| {
            m.message_id = Some(if i < 40 { b"conversation 7" } else { b"" });
            if i == 1 {
                m.contact = Some(contact);
            }
        })
    };
    let found = findings(&spelt(b"5548999990821"), &[Column::MessageId]);
    assert!(found[0].mend && found[0].what.contains("to another contact"), "{found:?}");
    // Another spelling of the same one is the same one.
    let found = findings(&spelt(b"+55 48 9999-0820"), &[Column::MessageId]);
    assert!(found.iter().all(|finding| !finding.mend), "{found:?}");
}

#[rstest]
#[case("5548999990820", Pattern::Number)]
#[case("5548999990820@s.whatsapp.net", Pattern::Address)]
#[case("5548999990820:2@s.whatsapp.net", Pattern::Device)]
#[case("+55 48 99999-0820", Pattern::Written)]
#[case("005548999990820", Pattern::InternationalPrefix)]
#[case("4833330820", Pattern::NoCountryCode)]
#[case("14155238886", Pattern::Number)]
#[case("148752232927366", Pattern::LongNumber)]
#[case("1487522329273661", Pattern::LongNumber)]
#[case("BR.1349", Pattern::UserId)]
#[case("7@lid", Pattern::Lid)]
#[case("1@newsletter", Pattern::Group)]
#[case("  ", Pattern::Empty)]
#[case("5.5489999908E+12", Pattern::Spreadsheet)]
#[case("?", Pattern::Other)]
fn a_spelling_has_a_shape(#[case] spelling: &str, #[case] pattern: Pattern) {
    let found =
        Pattern::of(Some(spelling.as_bytes()), CountingRules::default(), &Aliases::default());
    assert_eq!(found, pattern);
}

#[rstest]
#[case(-1, None)]
#[case(-119, None)]
#[case(-180, Some((false, "3 hours old")))]
#[case(-1_500, Some((false, "25 hours old")))]
#[case(9, None)]
#[case(180, Some((true, "3 hours in the future")))]
fn a_source_is_held_against_the_clock(
    #[case] minutes: i64,
    #[case] expected: Option<(bool, &str)>,
) {
    let now: DateTime<Utc> = "2026-11-02T12:00:00Z".parse().unwrap();
    let found = clock(Some(now + TimeDelta::minutes(minutes)), now);
    assert_eq!(found.as_ref().map(|found| found.mend), expected.map(|(mend, _)| mend));
    if let Some((found, (_, words))) = found.zip(expected) {
        assert!(found.what.contains(words), "{found:?}");
    }
    assert_eq!(about(TimeDelta::minutes(1)), "1 minute");
}
