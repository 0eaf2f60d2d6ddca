//! Counts messages as they stream by, on as many threads as read them.

mod exchange;
mod piece;
mod places;
mod slot;

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::TimeDelta;
use hashbrown::HashMap;

use self::exchange::Exchange;
use self::slot::{Known, Slot};
use crate::calendar::month::{Month, Period};
use crate::count::aliases::Aliases;
use crate::count::ids::Ids;
use crate::count::sending::{Billing, is_unbilled};
use crate::count::service::OPEN_FOR;
use crate::count::status::{StatusRules, Statuses};
use crate::count::tally::{
    Alike, Apart, Bucket, Count, Counted, Direction, Message, Tally, Window,
};
use crate::party::numbers::{BusinessNumber, NumberEntry, Numbers};

/// Counts what one reader of the message database reads.
///
/// Counters that count beside each other ([`Counter::another`]) share the contacts of each dealership,
/// which are what a month's memory goes to; all else is each one's own until they are joined
/// ([`Counter::join`]). Which of them counts a message makes no difference.
#[derive(Debug)]
pub struct Counter {
    shared: Arc<Shared>,
    source: Arc<SourceFacts>,
    /// One for each of [`Shared::dealerships`].
    slots: Vec<Slot>,
    windows: Vec<Window>,
    /// Messages of ids that the register lacks.
    unknown: HashMap<Option<Box<[u8]>>, u64>,
    statuses: Statuses,
    /// For the bytes of one message.
    room: Vec<u8>,
}

/// What a source of messages has beside the messages.
#[derive(Debug, Default)]
pub struct SourceFacts {
    /// It has the column `message_id`: rows of one id are one message.
    pub has_message_ids: bool,
    /// Whose numbers its user ids and LIDs are.
    pub aliases: Aliases,
}

#[derive(Debug)]
struct Shared {
    /// Those that are asked for, and behind them those that are counted by other rules too, once more.
    dealerships: Vec<Known>,
    /// What is asked of a dealership for each message, side by side.
    rules: Vec<Rule>,
    by_id: Ids,
    /// Dealerships by their business numbers, for messages that know no more.
    by_number: HashMap<BusinessNumber, usize>,
    statuses: StatusRules,
    /// Whether it is asked what was sent in and out of the windows of 24 hours.
    service: bool,
    windows: Vec<Span>,
    /// Which window decides for ids that the register lacks; `None` leaves them to another close.
    unknown_window: Option<usize>,
}

#[derive(Debug, Clone, Copy)]
struct Rule {
    /// In which window its messages count; `None` where they are left to another close.
    window: Option<u32>,
    has_package: bool,
    /// Where its messages are counted once more, by other rules.
    beside: Option<u32>,
}

/// The bounds of a window, Unix milliseconds.
#[derive(Debug)]
struct Span {
    period: Period,
    from: i64,
    to: i64,
}

impl Counter {
    /// A counter for these dealerships. `unknown` is the issuer's month, which decides for ids that
    /// the register lacks; `None` where this close leaves them alone.
    #[must_use]
    pub fn new(dealerships: Vec<Counted>, unknown: Option<Period>, statuses: &StatusRules) -> Self {
        let mut periods: Vec<Period> = dealerships
            .iter()
            .filter(|dealership| dealership.in_scope)
            .map(|dealership| dealership.period)
            .chain(unknown)
            .collect();
        periods.sort_unstable();
        periods.dedup();
        let index_of = |period| periods.binary_search(&period).ok();
        let mut beside = (dealerships.len()..).filter_map(|index| u32::try_from(index).ok());
        let mut rule = |counted: &Counted| Rule {
            window: index_of(counted.period)
                .filter(|_| counted.in_scope)
                .and_then(|index| u32::try_from(index).ok()),
            has_package: counted.has_package,
            beside: counted.beside.and_then(|_| beside.next()),
        };
        let ids = dealerships.iter().map(|counted| counted.dealership_id.as_bytes());
        let (by_id, rules) = (Ids::new(ids), dealerships.iter().map(&mut rule).collect());
        let again: Vec<Counted> = dealerships.iter().filter_map(Counted::by_other_rules).collect();
        Self::sharing(
            Arc::new(Shared {
                by_id,
                by_number: HashMap::new(),
                rules,
                statuses: statuses.clone(),
                service: false,
                unknown_window: unknown.and_then(index_of),
                windows: periods.into_iter().map(Span::new).collect(),
                dealerships: dealerships.into_iter().chain(again).map(Known::new).collect(),
            }),
            Arc::default(),
        )
    }

    /// The same, where messages without a dealership's id are of whom their number belongs to in the month.
    /// Of a counter that no other shares anything with.
    #[must_use]
    pub fn knowing(mut self, numbers: &Numbers, month: Month) -> Self {
        if let Some(shared) = Arc::get_mut(&mut self.shared) {
            let owned = |entry: NumberEntry| {
                let owner = numbers.owner(&entry.number, month)?;
                Some((entry.number, shared.by_id.get(owner.as_bytes())?))
            };
            shared.by_number = numbers.entries().into_iter().filter_map(owned).collect();
        }
        self
    }

    /// The same, asking what was sent in and out of the windows of 24 hours: then each message is held, and
    /// the day before the months is read too. Of a counter that no other shares anything with.
    #[must_use]
    pub fn with_service_windows(mut self, asked: bool) -> Self {
        if let Some(shared) = Arc::get_mut(&mut self.shared) {
            shared.service = asked;
        }
        self
    }

    /// Whether each message is needed by itself, with its instant or its id.
    #[must_use]
    pub fn needs_each(&self) -> bool {
        let by_the_piece =
            |known: &Known| matches!(known.counted.apart, Apart::ByCategory { sessions: true, .. });
        self.shared.service || self.shared.dealerships.iter().any(by_the_piece)
    }

    /// Whether prices ask for the category of a message.
    #[must_use]
    pub fn asks_categories(&self) -> bool {
        let by_category = |known: &Known| matches!(known.counted.apart, Apart::ByCategory { .. });
        self.shared.dealerships.iter().any(by_category)
    }

    /// Whether the number of a message says whose it is, or what it costs.
    #[must_use]
    pub fn asks_numbers(&self) -> bool {
        let by_number = |known: &Known| match &known.counted.apart {
            Apart::Unbilled => false,
            Apart::ByCategory { numbers, .. } => !numbers.is_empty(),
        };
        !self.shared.by_number.is_empty() || self.shared.dealerships.iter().any(by_number)
    }

    /// Whose message it is, by its id or its number.
    fn slot(&self, message: &Message<'_>) -> Option<usize> {
        match message.dealership_id.filter(|id| !id.is_empty()) {
            Some(id) => self.shared.by_id.get(id),
            None if self.shared.by_number.is_empty() => None,
            None => {
                let number = message.number.and_then(BusinessNumber::parse)?;
                self.shared.by_number.get(&number).copied()
            }
        }
    }

    fn sharing(shared: Arc<Shared>, source: Arc<SourceFacts>) -> Self {
        Self {
            slots: vec![Slot::default(); shared.dealerships.len()],
            windows: shared.windows.iter().map(|span| Window::new(span.period)).collect(),
            unknown: HashMap::new(),
            statuses: Statuses::new(&shared.statuses),
            room: Vec::new(),
            shared,
            source,
        }
    }

    /// One more counter of the same dealerships, to count beside this one; [`Counter::join`] brings
    /// them together again.
    #[must_use]
    pub fn another(&self) -> Self {
        Self::sharing(Arc::clone(&self.shared), Arc::clone(&self.source))
    }

    /// One more counter of the same dealerships, for what another source has of them.
    #[must_use]
    pub fn of_source(&self, source: SourceFacts) -> Self {
        Self::sharing(Arc::clone(&self.shared), Arc::new(source))
    }

    /// What was counted in each span, to be proved; all of it once it is settled.
    #[must_use]
    pub fn windows(&self) -> &[Window] {
        &self.windows
    }

    /// The spans to be counted, in order, without double ones: what the database must count as well. Behind
    /// them the day before, where windows are asked for.
    #[must_use]
    pub fn periods(&self) -> Vec<Period> {
        let mut periods: Vec<Period> = self.windows.iter().map(|window| window.period).collect();
        let start = periods.iter().map(|period| period.start).min();
        let day = TimeDelta::milliseconds(OPEN_FOR);
        let before = start.filter(|_| self.shared.service);
        periods.extend(before.map(|start| Period { start: start - day, end: start }));
        periods
    }

    /// The span that has all spans: what must be read. `None` where there is nothing to count.
    #[must_use]
    pub fn span(&self) -> Option<Period> {
        let periods = self.periods();
        let start = periods.iter().map(|period| period.start).min()?;
        let end = periods.iter().map(|period| period.end).max()?;
        Some(Period { start, end })
    }

    /// The span cut at every bound of a month: all messages of a stretch lie in the same months, so
    /// that those alike in all but time may be counted together.
    #[must_use]
    pub fn stretches(&self) -> Vec<Period> {
        let periods = self.periods();
        let mut bounds: Vec<_> = periods.iter().flat_map(|p| [p.start, p.end]).collect();
        bounds.sort_unstable();
        bounds.dedup();
        bounds.windows(2).map(|pair| Period { start: pair[0], end: pair[1] }).collect()
    }

    /// Puts one message into its bucket: the first that fits, in the order of the spec.
    pub fn add(&mut self, message: &Message<'_>) {
        self.add_alike(message, 1);
    }

    /// Puts `messages` that differ in nothing but their time into their bucket, given the first of
    /// them. All must lie in one of [`Counter::stretches`]; HSM must be alike in their time too.
    pub fn add_alike(&mut self, message: &Message<'_>, messages: u64) {
        let slot = self.slot(message);
        let own_window = match slot {
            Some(slot) => self.shared.rules[slot].window.map(|index| index as usize),
            None => self.shared.unknown_window,
        };
        let mut is_own = false;
        for (index, span) in self.shared.windows.iter().enumerate() {
            if span.from <= message.sent_at && message.sent_at < span.to {
                self.windows[index].rows += messages;
                if own_window == Some(index) {
                    is_own = true;
                } else {
                    self.windows[index].elsewhere += messages;
                }
            }
        }
        let Some(window) = own_window.filter(|_| is_own) else {
            if self.shared.service
                && let Some(slot) = slot
            {
                self.open_before(slot, message);
            }
            return;
        };
        let bucket = if let Some(index) = slot {
            self.place(index, message, messages)
        } else {
            *self.unknown.entry(message.dealership_id.map(Box::from)).or_insert(0) += messages;
            Some(Bucket::UnknownDealership)
        };
        if let Some(bucket) = bucket {
            self.windows[window].buckets.add(bucket, messages);
        }
    }

    /// Keeps that a contact wrote in the day before its dealership's month, whose window reaches into it.
    fn open_before(&mut self, slot: usize, message: &Message<'_>) {
        let known = &self.shared.dealerships[slot];
        if !self.shared.rules[slot].has_package || !known.is_day_before(message.sent_at) {
            return;
        }
        let Ok((Direction::In, _)) = message.read() else { return };
        if self.shared.statuses.meaning(message.status).counts() {
            self.slots[slot].open_before(message, known, &self.source);
        }
    }

    /// The bucket of messages of a dealership; `None` where that is known when all have been read.
    fn place(&mut self, index: usize, message: &Message<'_>, messages: u64) -> Option<Bucket> {
        let Rule { has_package, beside, .. } = self.shared.rules[index];
        let known = &self.shared.dealerships;
        let slot = &mut self.slots[index];
        if !has_package {
            return Some(slot.count(Bucket::NoContract, messages));
        }
        let (direction, is_template) = match message.read() {
            Ok(read) => read,
            Err((column, value)) => return Some(slot.misread(column, value, messages)),
        };
        let counts = self.statuses.add(message.status, messages).counts();
        let billing = billing(message, &self.shared.statuses);
        let exchange = Exchange::new(direction, is_template, counts, billing, messages);
        if exchange.is_hsm && !self.source.has_message_ids {
            slot.watch_alike(message, messages, &mut self.room);
        }
        let service = self.shared.service;
        let bucket = slot.take(message, exchange, &known[index], &self.source, service);
        if let Some(beside) = beside.map(|index| index as usize) {
            self.slots[beside].take(message, exchange, &known[beside], &self.source, service);
        }
        bucket
    }

    /// Adds what another counter of the same dealerships has counted.
    pub fn join(&mut self, other: Self) {
        self.windows.iter_mut().zip(&other.windows).for_each(|(own, other)| own.join(other));
        for (id, messages) in other.unknown {
            *self.unknown.entry(id).or_insert(0) += messages;
        }
        self.statuses.join(other.statuses);
        let known = self.shared.dealerships.iter();
        for ((own, other), known) in self.slots.iter_mut().zip(other.slots).zip(known) {
            own.join(other, known);
        }
    }

    /// Says of each message that came more than once which one stands, when all rows of the source have
    /// been read: the earliest whose status counts, else the earliest; the rest are `duplicate`.
    pub fn settle(&mut self) {
        for (index, (slot, known)) in
            self.slots.iter_mut().zip(&self.shared.dealerships).enumerate()
        {
            let settled = slot.settle(known, self.shared.service);
            // What is counted once more by other rules lies in no window.
            let window = self.shared.rules.get(index).and_then(|rule| rule.window);
            if let Some(window) = window {
                self.windows[window as usize].buckets += settled;
            }
        }
    }

    /// What was counted, by this counter and those that were joined to it. Were one forgotten, its rows
    /// would be missing from the windows, which [`Window::prove`] does not let pass.
    #[must_use]
    pub fn finish(mut self) -> Count {
        self.settle();
        let mut unknown = BTreeMap::new();
        for (id, messages) in self.unknown {
            *unknown.entry(id.map(|id| lossy(&id))).or_insert(0) += messages;
        }
        let (mut tallies, mut beside) = (BTreeMap::new(), BTreeMap::new());
        let mut alike = Alike::default();
        let asked = self.shared.rules.len();
        for (index, (slot, known)) in
            self.slots.into_iter().zip(&self.shared.dealerships).enumerate()
        {
            if known.counted.in_scope {
                alike += slot.alike();
                let tally: Tally = slot.finish(known, self.shared.service);
                let all = if index < asked { &mut tallies } else { &mut beside };
                all.insert(known.counted.dealership_id.clone(), tally);
            }
        }
        let statuses = self.statuses.finish();
        Count { tallies, beside, windows: self.windows, unknown, statuses, alike }
    }
}

/// Whether a message that counts has a price: not where the source says that it is not billable.
fn billing(message: &Message<'_>, statuses: &StatusRules) -> Billing {
    if message.billable.is_some_and(is_unbilled) || !statuses.is_priced(message.status) {
        Billing::Unbilled
    } else {
        Billing::Billed
    }
}

impl Span {
    fn new(period: Period) -> Self {
        let (from, to) = (period.start.timestamp_millis(), period.end.timestamp_millis());
        Self { period, from, to }
    }
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests;
