//! What of a profile is to be fixed, in words that name the value.

use std::collections::HashSet;

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;

use super::{Column, MonthProfile, Pattern, Way};
use crate::bill::hold::Limits;
use crate::count::rules::CountingRules;
use crate::count::sending::is_unbilled;
use crate::count::status::{Meaning, StatusRules};
use crate::price::money::grouped;

/// Something that a person should know of a source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Whether money is wrong until it is fixed.
    pub mend: bool,
    /// What, and what to do.
    pub what: String,
}

/// By what a profile is judged.
#[derive(Debug, Clone)]
pub struct Judge<'a> {
    /// Which statuses count.
    pub statuses: &'a StatusRules,
    /// Who is one person.
    pub rules: CountingRules,
    /// What a close holds at.
    pub limits: Limits,
    /// Whether rows with one id are told apart.
    pub has_message_ids: bool,
    /// The ids of the register; `None` where it could not be read.
    pub register: Option<&'a [String]>,
}

/// Parts of words for messages that never arrived, in the words of connectors.
const FAILURES: [&str; 16] = [
    "fail", "err", "undeliv", "reject", "expire", "block", "cancel", "abort", "invalid", "unsent",
    "queue", "pend", "sched", "draft", "falh", "erro",
];

/// Fewer messages than this say nothing about a whole month.
const ENOUGH: u64 = 100;

impl Judge<'_> {
    /// Everything worth saying of a month, what is to be fixed first.
    #[must_use]
    pub fn findings(&self, month: &MonthProfile) -> Vec<Finding> {
        let mut found = self.statuses(month);
        found.extend(untranslated(month, Column::Direction, &["in", "out"]));
        found.extend(untranslated(month, Column::Kind, &["session", "hsm"]));
        found.extend(self.contacts(month));
        found.extend(self.repeats(month));
        found.extend(one_way(month));
        found.extend(self.strangers(month));
        found.sort_by_key(|finding| !finding.mend);
        found
    }

    /// What is made of a value of a column that is counted by value.
    #[must_use]
    pub fn treatment(&self, column: Column, value: &str) -> &'static str {
        match (column, value) {
            (Column::Direction, "in" | "out") | (Column::Kind, "session" | "hsm") => "understood",
            (Column::Direction | Column::Kind, _) => "malformed: not billed",
            (Column::Status, value) => match self.statuses.meaning(Some(value.as_bytes())) {
                Meaning::Counts if !self.statuses.is_priced(Some(value.as_bytes())) => {
                    "counts, at nothing"
                }
                Meaning::Counts => "counts",
                Meaning::Ignored => "not billed",
                Meaning::Unknown => "on no list: billed",
            },
            (Column::Billable, value) if is_unbilled(value.as_bytes()) => "at nothing",
            (Column::DealershipId, value) => match self.register {
                Some(register) if !register.iter().any(|id| id == value) => {
                    "not in the register: not billed"
                }
                Some(_) => "in the register",
                None => "",
            },
            _ => "",
        }
    }

    /// What is made of contacts of a shape.
    #[must_use]
    pub fn treatment_of(&self, pattern: Pattern) -> &'static str {
        match pattern {
            Pattern::Group => "a group: not billed",
            Pattern::Lid if self.rules.count_lid => "a contact of its own",
            Pattern::Lid | Pattern::Empty | Pattern::Spreadsheet | Pattern::Other => {
                "no contact: not billed"
            }
            Pattern::NoCountryCode => "taken as another country's: a contact of its own",
            Pattern::LongNumber => "a contact up to 15 digits, if it is a number",
            Pattern::KnownLid => "the number's contact",
            Pattern::UserId => "a contact of its own, unless an alias knows its number",
            _ => "a contact",
        }
    }

    fn statuses(&self, month: &MonthProfile) -> Vec<Finding> {
        let values = month.values(Column::Status).map(super::Values::sorted).unwrap_or_default();
        let unknown = values.into_iter().filter(|(status, _)| {
            self.statuses.meaning(Some(status.as_bytes())) == Meaning::Unknown
        });
        let finding = |(status, messages): (String, u64)| {
            let shown = status.escape_debug();
            let low = status.to_lowercase();
            let looks_failed = FAILURES.iter().any(|part| low.contains(part));
            let is_number = status.trim().parse::<i64>().is_ok();
            let what = match (looks_failed, is_number) {
                (true, _) => format!(
                    "status '{shown}' ({}) looks like a message that never arrived, and is billed: write it in [counting] ignored_statuses, or in counted_statuses if it arrived",
                    messages_in(messages)
                ),
                (_, true) => format!(
                    "status '{shown}' ({}) is a number, and is billed: translate it with CASE in the SELECT, or write it in [counting] ignored_statuses or counted_statuses",
                    messages_in(messages)
                ),
                _ => format!(
                    "status '{shown}' ({}) is on no list, and is billed: write it in [counting] counted_statuses or ignored_statuses",
                    messages_in(messages)
                ),
            };
            Finding { mend: true, what }
        };
        unknown.take(20).map(finding).collect()
    }

    fn contacts(&self, month: &MonthProfile) -> Vec<Finding> {
        let mut found = Vec::new();
        let mut say = |pattern: Pattern, limit: u64, what: &str| {
            let messages = month.contacts.get(&pattern).copied().unwrap_or_default();
            if messages > 0 {
                let mend = is_above(messages, limit, month.messages);
                let shown = pattern.shown();
                let what = format!("{} with contacts '{shown}': {what}", messages_in(messages));
                found.push(Finding { mend, what });
            }
        };
        let percent = self.limits.at_most_unread_percent;
        if !self.rules.count_lid {
            say(
                Pattern::Lid,
                percent,
                "not billed, since nobody knows their number: give [messages] aliases a relation that does, or set [counting] lid = \"count\"",
            );
        }
        say(
            Pattern::NoCountryCode,
            0,
            "taken for numbers of another country, so that a person with and without 55 is two contacts: set [counting] national = \"55\", or put the country code in front in the SELECT",
        );
        say(
            Pattern::Spreadsheet,
            0,
            "not billed; the digits behind the point are lost: load the numbers as text",
        );
        say(
            Pattern::LongNumber,
            percent,
            "longer than a telephone number: are they LIDs whose @lid was cut off? A person may then count twice",
        );
        say(
            Pattern::Empty,
            percent,
            "not billed: does the SELECT read the right column (outgoing messages often name their contact in another one)?",
        );
        say(Pattern::Other, percent, "not billed: they are no number, user id or group");
        found
    }

    fn repeats(&self, month: &MonthProfile) -> Option<Finding> {
        let alike = month.alike;
        if alike.repeated == 0 {
            return None;
        }
        let (repeated, hsm) = (grouped(alike.repeated), grouped(alike.hsm));
        if self.has_message_ids && month.shared_ids > 0 {
            let what = format!(
                "{repeated} of {hsm} HSM have the message_id of another row, {} times that of an HSM to another contact, and are not billed: it is the id of something else (a conversation, a campaign, a dealership's own count)? Give the id of the message, or leave the column out",
                grouped(month.shared_ids)
            );
            return Some(Finding { mend: true, what });
        }
        if self.has_message_ids {
            let what = format!(
                "{repeated} of {hsm} HSM have the message_id of another row: each id is billed once"
            );
            return Some(Finding { mend: false, what });
        }
        let mend = is_above(alike.repeated, self.limits.at_most_alike_percent, alike.hsm);
        let what = format!(
            "{repeated} of {hsm} HSM are rows like another one in all columns, and each is billed: a webhook that was delivered twice, or a join? Add a column message_id, and each message is billed once"
        );
        Some(Finding { mend, what })
    }

    fn strangers(&self, month: &MonthProfile) -> Option<Finding> {
        let register = self.register?;
        let ids = month.values(Column::DealershipId)?;
        let register: HashSet<&String> = register.iter().collect();
        let is_known = |id: &String| register.contains(id);
        let unknown: Vec<(String, u64)> =
            ids.sorted().into_iter().filter(|(id, _)| !is_known(id)).collect();
        let messages: u64 = unknown.iter().map(|(_, messages)| messages).sum();
        if messages == 0 {
            return None;
        }
        let named: Vec<String> = unknown
            .iter()
            .take(5)
            .map(|(id, messages)| format!("'{}' {}", id.escape_debug(), grouped(*messages)))
            .collect();
        Some(Finding {
            mend: is_above(messages, self.limits.at_most_unread_percent, month.messages),
            what: format!(
                "{} of {} that the register lacks, not billed: {}{}",
                messages_in(messages),
                if unknown.len() == 1 {
                    "an id".to_owned()
                } else {
                    format!("{} ids", unknown.len())
                },
                named.join(", "),
                if unknown.len() > 5 { ", …" } else { "" }
            ),
        })
    }
}

/// What the clock says of a source: whether its newest message is in the future, or hours old.
#[must_use]
pub fn clock(newest: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Option<Finding> {
    let off = newest? - now;
    if off > TimeDelta::minutes(10) {
        let what = format!(
            "its newest message is {} in the future: its sent_at is ahead of the clock. Local time that is taken for UTC, or a wrong clock? Messages then fall into the wrong month",
            about(off)
        );
        return Some(Finding { mend: true, what });
    }
    let behind = -off;
    (behind >= TimeDelta::hours(2)).then(|| Finding {
        // A copy of yesterday is as old; a close holds where it is too old for its month.
        mend: false,
        what: format!(
            "its newest message is {} old: has its writer stopped, or is sent_at behind the clock (local time that is taken for UTC)?",
            about(behind)
        ),
    })
}

/// `3 hours`, `2 days`.
#[must_use]
pub fn about(span: TimeDelta) -> String {
    let of =
        |number: i64, unit: &str| format!("{number} {unit}{}", if number == 1 { "" } else { "s" });
    match span.num_minutes().abs() {
        minutes @ 0..=119 => of(minutes, "minute"),
        minutes @ 120..=2_879 => of((minutes + 30) / 60, "hour"),
        minutes => of((minutes + 720) / 1_440, "day"),
    }
}

fn untranslated(month: &MonthProfile, column: Column, known: &[&str]) -> Vec<Finding> {
    let values = month.values(column).map(super::Values::sorted).unwrap_or_default();
    let others = values.into_iter().filter(|(value, _)| !known.contains(&value.as_str()));
    let finding = |(value, messages): (String, u64)| Finding {
        mend: true,
        what: format!(
            "{} '{}' ({}) is none of {}: those messages are not billed; translate it with CASE in the SELECT",
            column.name(),
            value.escape_debug(),
            messages_in(messages),
            known.join(", ")
        ),
    };
    let nulls: u64 = [Way::In, Way::Out, Way::Neither]
        .iter()
        .filter_map(|way| month.nulls.get(&(column, *way)))
        .sum();
    let null = (nulls > 0).then(|| Finding {
        mend: true,
        what: format!(
            "{} is null in {}, which are not billed: translate it with CASE … ELSE in the SELECT",
            column.name(),
            messages_in(nulls)
        ),
    });
    others.take(20).map(finding).chain(null).collect()
}

/// A month in which only one side writes is one of which the relation drops a part.
fn one_way(month: &MonthProfile) -> Option<Finding> {
    if month.messages < ENOUGH {
        return None;
    }
    let missing = [(Way::In, "in", "received"), (Way::Out, "out", "sent")];
    let (_, direction, word) =
        missing.into_iter().find(|(way, ..)| !month.ways.contains_key(way))?;
    Some(Finding {
        mend: true,
        what: format!(
            "no message has direction '{direction}': the relation gives none that were {word}. Does it join a table in which they have no row (use LEFT JOIN), or drop them in its WHERE?"
        ),
    })
}

fn is_above(part: u64, percent: u64, all: u64) -> bool {
    u128::from(part) * 100 > u128::from(all) * u128::from(percent)
}

fn messages_in(messages: u64) -> String {
    format!("{} message{}", grouped(messages), if messages == 1 { "" } else { "s" })
}
