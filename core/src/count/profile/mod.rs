//! What the values of a source are, before anything is billed by them: `fecha check` shows it.

mod judge;
mod outgoing;
mod pattern;

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use hashbrown::HashMap;
use serde::Serialize;
use twox_hash::XxHash3_128;

pub use self::judge::{Finding, Judge, about, clock};
pub use self::outgoing::Outgoing;
pub use self::pattern::Pattern;
use crate::calendar::month::{Month, Period};
use crate::count::aliases::Aliases;
use crate::count::contact::Spelt;
use crate::count::rules::CountingRules;
use crate::count::status::StatusRules;
use crate::count::tally::{Alike, Message, instant};

/// A column whose values are counted one by one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the columns of the relation")]
pub enum Column {
    Direction,
    Kind,
    Status,
    Category,
    Template,
    Contact,
    DealershipId,
    MessageId,
    Number,
    Billable,
}

/// Those that are counted by value, in the order in which people read them.
const BY_VALUE: [Column; 7] = [
    Column::Direction,
    Column::Kind,
    Column::Status,
    Column::Category,
    Column::Template,
    Column::DealershipId,
    Column::Billable,
];

impl Column {
    /// Its name in the relation.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Direction => "direction",
            Self::Kind => "kind",
            Self::Status => "status",
            Self::Category => "category",
            Self::Template => "template",
            Self::Contact => "contact",
            Self::DealershipId => "dealership_id",
            Self::MessageId => "message_id",
            Self::Number => "number",
            Self::Billable => "billable",
        }
    }

    fn different(self) -> usize {
        if self == Self::DealershipId { DIFFERENT_IDS } else { DIFFERENT }
    }

    fn of<'a>(self, message: &Message<'a>) -> Option<&'a [u8]> {
        match self {
            Self::Direction => message.direction,
            Self::Kind => message.kind,
            Self::Status => message.status,
            Self::Category => message.category,
            Self::Template => message.template,
            Self::Contact => message.contact,
            Self::DealershipId => message.dealership_id,
            Self::MessageId => message.message_id,
            Self::Number => message.number,
            Self::Billable => message.billable,
        }
    }
}

/// Whose messages nulls are counted of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the values of `direction`")]
pub enum Way {
    In,
    Out,
    Neither,
}

/// How many different values of a column are told apart; the rest is counted together.
const DIFFERENT: usize = 2_000;

/// The same of ids: those that the register lacks are found among all.
const DIFFERENT_IDS: usize = 200_000;

/// The values of a column, with the messages that have each.
#[derive(Debug, Clone, Default)]
pub struct Values {
    found: HashMap<Box<[u8]>, u64>,
    /// Messages of values beyond the first two thousand.
    pub others: u64,
}

impl Values {
    fn add(&mut self, value: &[u8], messages: u64, different: usize) {
        if let Some(found) = self.found.get_mut(value) {
            *found += messages;
        } else if self.found.len() < different {
            self.found.insert(value.into(), messages);
        } else {
            self.others += messages;
        }
    }

    fn join(&mut self, other: &Self, different: usize) {
        self.others += other.others;
        other.found.iter().for_each(|(value, messages)| self.add(value, *messages, different));
    }

    /// Each value, the most frequent first.
    #[must_use]
    pub fn sorted(&self) -> Vec<(String, u64)> {
        let lossy = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
        let mut all: Vec<_> = self.found.iter().map(|(value, n)| (lossy(value), *n)).collect();
        all.sort_by(|(a, m), (b, n)| n.cmp(m).then_with(|| a.cmp(b)));
        all
    }
}

/// One month of a source.
#[derive(Debug, Clone)]
pub struct MonthProfile {
    /// Which month, in the issuer's zone.
    pub month: Month,
    period: Period,
    /// All rows of it.
    pub messages: u64,
    first: i64,
    last: i64,
    values: BTreeMap<Column, Values>,
    /// What the contacts look like.
    pub contacts: BTreeMap<Pattern, u64>,
    /// How many there are each way.
    pub ways: BTreeMap<Way, u64>,
    /// Nulls, by column and way.
    pub nulls: BTreeMap<(Column, Way), u64>,
    /// What was sent, as prices see it.
    pub outgoing: Outgoing,
    /// HSM: of one message id where there are ids, else alike in all columns.
    pub alike: Alike,
    /// HSM whose message id is that of another contact's too: it is none of one message.
    pub shared_ids: u64,
    /// Of the id of an HSM, or of all that it is; and of its contact.
    hashes: Vec<(u128, u64)>,
}

/// Profiles what one reader of a source reads; like a counter, it is joined with those beside it.
#[derive(Debug, Clone)]
pub struct Profiler {
    months: Vec<MonthProfile>,
    optional: Vec<Column>,
    rules: CountingRules,
    statuses: StatusRules,
    aliases: Arc<Aliases>,
    room: Vec<u8>,
}

impl MonthProfile {
    fn new(month: Month, period: Period) -> Self {
        Self {
            month,
            period,
            messages: 0,
            first: i64::MAX,
            last: i64::MIN,
            values: BTreeMap::new(),
            contacts: BTreeMap::new(),
            ways: BTreeMap::new(),
            nulls: BTreeMap::new(),
            outgoing: Outgoing::default(),
            alike: Alike::default(),
            shared_ids: 0,
            hashes: Vec::new(),
        }
    }

    /// The month's first message.
    #[must_use]
    pub fn oldest(&self) -> Option<DateTime<Utc>> {
        (self.messages > 0).then(|| instant(self.first))
    }

    /// The month's last message.
    #[must_use]
    pub fn newest(&self) -> Option<DateTime<Utc>> {
        (self.messages > 0).then(|| instant(self.last))
    }

    /// The values of a column that are counted one by one.
    #[must_use]
    pub fn values(&self, column: Column) -> Option<&Values> {
        self.values.get(&column)
    }

    fn join(&mut self, mut other: Self) {
        self.messages += other.messages;
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
        self.alike += other.alike;
        self.hashes.append(&mut other.hashes);
        self.outgoing.join(other.outgoing);
        for (column, values) in other.values {
            self.values.entry(column).or_default().join(&values, column.different());
        }
        for (pattern, messages) in other.contacts {
            *self.contacts.entry(pattern).or_insert(0) += messages;
        }
        for (way, messages) in other.ways {
            *self.ways.entry(way).or_insert(0) += messages;
        }
        for (place, messages) in other.nulls {
            *self.nulls.entry(place).or_insert(0) += messages;
        }
    }

    fn settle(&mut self) {
        self.hashes.sort_unstable();
        let pairs = || self.hashes.windows(2).filter(|pair| pair[0].0 == pair[1].0);
        self.alike.repeated += pairs().count() as u64;
        self.shared_ids += pairs().filter(|pair| pair[0].1 != pair[1].1).count() as u64;
        self.hashes = Vec::new();
    }
}

impl Profiler {
    /// Of these months, in the zone of their periods.
    #[must_use]
    pub fn new(months: &[(Month, Period)], rules: CountingRules, statuses: &StatusRules) -> Self {
        let months = months.iter().map(|(month, period)| MonthProfile::new(*month, *period));
        Self {
            months: months.collect(),
            optional: Vec::new(),
            rules,
            statuses: statuses.clone(),
            aliases: Arc::default(),
            room: Vec::new(),
        }
    }

    /// The same, of a source that has these columns and aliases.
    #[must_use]
    pub fn of_source(&self, optional: Vec<Column>, aliases: Aliases) -> Self {
        Self { optional, aliases: Arc::new(aliases), ..self.another() }
    }

    /// One more, to read beside this one.
    #[must_use]
    pub fn another(&self) -> Self {
        let empty = |month: &MonthProfile| MonthProfile::new(month.month, month.period);
        Self { months: self.months.iter().map(empty).collect(), ..self.clone() }
    }

    /// The spans that are profiled.
    #[must_use]
    pub fn periods(&self) -> Vec<Period> {
        self.months.iter().map(|month| month.period).collect()
    }

    /// Whether the source tells its messages apart.
    #[must_use]
    pub fn has_message_ids(&self) -> bool {
        self.optional.contains(&Column::MessageId)
    }

    /// Adds messages that differ in nothing but their time.
    pub fn add_alike(&mut self, message: &Message<'_>, messages: u64) {
        let has_ids = self.has_message_ids();
        let is_of = |month: &&mut MonthProfile| {
            month.period.start.timestamp_millis() <= message.sent_at
                && message.sent_at < month.period.end.timestamp_millis()
        };
        let Some(month) = self.months.iter_mut().find(is_of) else { return };
        month.messages += messages;
        month.first = month.first.min(message.sent_at);
        month.last = month.last.max(message.sent_at);
        let way = match message.direction {
            Some(b"in") => Way::In,
            Some(b"out") => Way::Out,
            _ => Way::Neither,
        };
        *month.ways.entry(way).or_insert(0) += messages;
        let required = [Column::DealershipId, Column::Contact, Column::Direction, Column::Kind];
        let may_be_null = [Column::Template, Column::Status];
        for column in required.iter().chain(&may_be_null).chain(&self.optional) {
            let Some(value) = column.of(message) else {
                *month.nulls.entry((*column, way)).or_insert(0) += messages;
                continue;
            };
            if BY_VALUE.contains(column) {
                let values = month.values.entry(*column).or_default();
                values.add(value, messages, column.different());
            }
        }
        if self.statuses.meaning(message.status).counts() {
            month.outgoing.add(message, messages);
        }
        let pattern = Pattern::of(message.contact, self.rules, &self.aliases);
        *month.contacts.entry(pattern).or_insert(0) += messages;
        if way == Way::Out && message.kind == Some(b"hsm") {
            month.alike.hsm += messages;
            month.alike.repeated += messages - 1;
            let id = message.message_id.filter(|id| !id.is_empty());
            let hash = match id {
                Some(id) => XxHash3_128::oneshot(id),
                None if has_ids => return,
                None => message.hash(&mut self.room),
            };
            // By whom it is, however it is spelt.
            let whose = match self.rules.read(message.contact.unwrap_or_default()) {
                Spelt::Contact(identity) => self.aliases.resolve(identity).to_string(),
                Spelt::Group | Spelt::NoContact => String::new(),
            };
            let [whose @ .., _, _, _, _, _, _, _, _] =
                XxHash3_128::oneshot(whose.as_bytes()).to_le_bytes();
            month.hashes.push((hash, u64::from_le_bytes(whose)));
        }
    }

    /// Adds what another reader of the same source has read.
    pub fn join(&mut self, other: Self) {
        self.months.iter_mut().zip(other.months).for_each(|(own, other)| own.join(other));
    }

    /// What was found, month by month.
    #[must_use]
    pub fn finish(mut self) -> Vec<MonthProfile> {
        self.months.iter_mut().for_each(MonthProfile::settle);
        self.months
    }
}

#[cfg(test)]
mod tests;
