//! Where a running month is heading: its use carried on to the month's end.

use chrono::{DateTime, TimeDelta, Utc};

use crate::calendar::month::Period;
use crate::count::sending::{Kind, Sent};
use crate::count::tally::{Tally, instant};

/// The use of a month, as it would be at its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Projection {
    /// Unique active contacts.
    pub uam: u64,
    /// Template messages.
    pub hsm: u64,
    /// What is told apart of the messages sent.
    pub sent: Sent,
}

/// How far back the pace of new contacts is taken from: a whole week, so that Sundays weigh as they do.
const PACE: TimeDelta = TimeDelta::days(7);

/// Carries the use so far on to the period's end. New contacts keep the pace of the last seven days
/// (a month's first days bring most of its new contacts, so the whole month's pace would be too high);
/// templates keep that of the month so far. The month itself, once it is over.
#[must_use]
pub fn project(tally: &Tally, period: Period, now: DateTime<Utc>) -> Projection {
    let now = now.clamp(period.start, period.end);
    let elapsed = now - period.start;
    let remaining = period.end - now;
    let since = (now - PACE).max(period.start);
    let recent = tally.contacts.exchanged().filter(|contact| {
        let first = instant(contact.first_at);
        since <= first && first < now
    });
    let on = |messages: u64| messages + carried(messages, elapsed, remaining);
    let sent: Sent =
        tally.sent.iter().map(|(sending, messages)| (sending.clone(), on(messages))).collect();
    // Rounded one by one, they come to a few less than all together.
    let is_all = tally.sent.of_kind(Kind::Hsm) == tally.hsm();
    Projection {
        uam: tally.uam() + carried(recent.count() as u64, now - since, remaining),
        hsm: if is_all { sent.of_kind(Kind::Hsm) } else { on(tally.hsm()) },
        sent,
    }
}

/// What `count` in `span` makes in `remaining`, rounded down.
fn carried(count: u64, span: TimeDelta, remaining: TimeDelta) -> u64 {
    let seconds = |span: TimeDelta| u128::try_from(span.num_seconds()).unwrap_or_default();
    let more = (u128::from(count) * seconds(remaining)).checked_div(seconds(span));
    more.and_then(|more| u64::try_from(more).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::count::contact::Identity;
    use crate::count::contacts::ContactUse;
    use crate::count::tally::Direction;

    /// A contact at noon of each of the first `days` days of October, and as many templates.
    fn tally(days: u64) -> Tally {
        let mut tally = Tally::default();
        let start: DateTime<Utc> = "2026-10-01T12:00:00Z".parse().unwrap();
        for day in 0..days {
            let number = format!("55489999{day:05}");
            let at = start + TimeDelta::days(i64::try_from(day).unwrap());
            let contact = ContactUse {
                first_at: at.timestamp_millis(),
                first_direction: Direction::Out,
                received: 0,
                sent: 1,
                hsm: 1,
            };
            tally.contacts.add(Identity::parse(number.as_bytes()).unwrap(), contact);
        }
        tally.templates.insert(String::new(), days);
        tally
    }

    #[rstest]
    #[case(0, "2026-10-01T00:00:00Z", 0, 0)]
    #[case(10, "2026-10-11T00:00:00Z", 31, 31)]
    #[case(2, "2026-10-03T00:00:00Z", 31, 31)] // less than a week has passed
    #[case(10, "2026-10-21T00:00:00Z", 10, 15)] // no new contact for ten days
    #[case(31, "2026-11-01T00:00:00Z", 31, 31)]
    #[case(31, "2027-01-01T00:00:00Z", 31, 31)]
    fn carries_the_pace_on(
        #[case] days: u64,
        #[case] now: &str,
        #[case] uam: u64,
        #[case] hsm: u64,
    ) {
        let period = Period {
            start: "2026-10-01T00:00:00Z".parse().unwrap(),
            end: "2026-11-01T00:00:00Z".parse().unwrap(),
        };
        let projected = project(&tally(days), period, now.parse().unwrap());
        assert_eq!(projected, Projection { uam, hsm, sent: Sent::NONE });
    }
}
