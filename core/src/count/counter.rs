//! Counts messages as they stream by, on as many threads as read them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hashbrown::HashMap;

use crate::calendar::month::Period;
use crate::count::contact::{Digits, Identity};
use crate::count::contacts::{ContactUse, Contacts};
use crate::count::ids::Ids;
use crate::count::tally::{Bucket, Buckets, Count, Counted, Direction, Message, Tally, Window};

/// Counts what one reader of the message database reads.
///
/// Counters that count beside each other ([`Counter::another`]) share the contacts of each dealership,
/// which are what a month's memory goes to; all else is each one's own until they are joined
/// ([`Counter::join`]). Which of them counts a message makes no difference.
#[derive(Debug)]
pub struct Counter {
    shared: Arc<Shared>,
    slots: Vec<Slot>,
    windows: Vec<Window>,
    /// Messages of ids that the register lacks.
    unknown: HashMap<Option<Box<[u8]>>, u64>,
}

#[derive(Debug)]
struct Shared {
    dealerships: Vec<Known>,
    /// What is asked of a dealership for each message, side by side.
    rules: Vec<Rule>,
    by_id: Ids,
    ignored_statuses: Vec<Box<[u8]>>,
    windows: Vec<Span>,
    /// Which window decides for ids that the register lacks; `None` leaves them to another close.
    unknown_window: Option<usize>,
}

#[derive(Debug)]
struct Known {
    counted: Counted,
    /// All but what waits in the counters' slots.
    contacts: Mutex<Contacts>,
}

#[derive(Debug, Clone, Copy)]
struct Rule {
    /// In which window its messages count; `None` where they are left to another close.
    window: Option<u32>,
    has_package: bool,
}

/// The bounds of a window, Unix milliseconds.
#[derive(Debug)]
struct Span {
    period: Period,
    from: i64,
    to: i64,
}

/// A counter's own share of a dealership.
#[derive(Debug, Clone, Default)]
struct Slot {
    buckets: Buckets,
    templates: HashMap<Box<[u8]>, u64>,
    unmerged: Vec<Unmerged>,
}

/// What a message is of its contact's use, in little memory.
#[derive(Debug, Clone, Copy)]
struct Unmerged {
    digits: Digits,
    sent_at: i64,
    messages: u32,
    direction: Direction,
    is_hsm: bool,
}

/// How many messages of a dealership wait to be merged. A contact is found in a table that is cold by
/// then; merged in one go, these waits for the memory overlap, which halves the time of a count.
const UNMERGED: usize = 256;

impl Counter {
    /// A counter for these dealerships. `unknown` is the issuer's month, which decides for ids that
    /// the register lacks; `None` where this close leaves them alone.
    #[must_use]
    pub fn new(
        dealerships: Vec<Counted>,
        unknown: Option<Period>,
        ignored_statuses: &[String],
    ) -> Self {
        let mut periods: Vec<Period> = dealerships
            .iter()
            .filter(|dealership| dealership.in_scope)
            .map(|dealership| dealership.period)
            .chain(unknown)
            .collect();
        periods.sort_unstable();
        periods.dedup();
        let index_of = |period| periods.binary_search(&period).ok();
        let rule = |counted: &Counted| Rule {
            window: index_of(counted.period)
                .filter(|_| counted.in_scope)
                .and_then(|index| u32::try_from(index).ok()),
            has_package: counted.has_package,
        };
        let ids = dealerships.iter().map(|counted| counted.dealership_id.as_bytes());
        Self::sharing(Arc::new(Shared {
            by_id: Ids::new(ids),
            rules: dealerships.iter().map(rule).collect(),
            ignored_statuses: ignored_statuses.iter().map(|s| s.as_bytes().into()).collect(),
            unknown_window: unknown.and_then(index_of),
            windows: periods.into_iter().map(Span::new).collect(),
            dealerships: dealerships
                .into_iter()
                .map(|counted| Known { counted, contacts: Mutex::default() })
                .collect(),
        }))
    }

    fn sharing(shared: Arc<Shared>) -> Self {
        Self {
            slots: vec![Slot::default(); shared.dealerships.len()],
            windows: shared.windows.iter().map(|span| Window::new(span.period)).collect(),
            unknown: HashMap::new(),
            shared,
        }
    }

    /// One more counter of the same dealerships, to count beside this one; [`Counter::join`] brings
    /// them together again.
    #[must_use]
    pub fn another(&self) -> Self {
        Self::sharing(Arc::clone(&self.shared))
    }

    /// The spans to be counted, in order, without double ones: what the database must count as well.
    #[must_use]
    pub fn periods(&self) -> Vec<Period> {
        self.windows.iter().map(|window| window.period).collect()
    }

    /// The span that has all spans: what must be read. `None` where there is nothing to count.
    #[must_use]
    pub fn span(&self) -> Option<Period> {
        let start = self.windows.iter().map(|window| window.period.start).min()?;
        let end = self.windows.iter().map(|window| window.period.end).max()?;
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
    /// them. All must lie in one of [`Counter::stretches`].
    pub fn add_alike(&mut self, message: &Message<'_>, messages: u64) {
        let slot = message.dealership_id.and_then(|id| self.shared.by_id.get(id));
        let rule = slot.map(|slot| self.shared.rules[slot]);
        let own_window = match rule {
            Some(rule) => rule.window.map(|index| index as usize),
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
        let Some(window) = own_window.filter(|_| is_own) else { return };
        let bucket = if let Some(index) = slot {
            let slot = &mut self.slots[index];
            let has_package = rule.is_some_and(|rule| rule.has_package);
            let bucket = slot.merge(message, messages, has_package, &self.shared, index);
            slot.buckets.add(bucket, messages);
            bucket
        } else {
            *self.unknown.entry(message.dealership_id.map(Box::from)).or_insert(0) += messages;
            Bucket::UnknownDealership
        };
        self.windows[window].buckets.add(bucket, messages);
    }

    /// Adds what another counter of the same dealerships has counted.
    pub fn join(&mut self, other: Self) {
        self.windows.iter_mut().zip(&other.windows).for_each(|(own, other)| own.join(other));
        for (id, messages) in other.unknown {
            *self.unknown.entry(id).or_insert(0) += messages;
        }
        let known = self.shared.dealerships.iter();
        for ((own, mut other), known) in self.slots.iter_mut().zip(other.slots).zip(known) {
            other.fold(known);
            own.buckets += other.buckets;
            for (template, messages) in other.templates {
                *own.templates.entry(template).or_insert(0) += messages;
            }
        }
    }

    /// What was counted, by this counter and those that were joined to it. Were one forgotten, its rows
    /// would be missing from the windows, which [`Window::prove`] does not let pass.
    #[must_use]
    pub fn finish(self) -> Count {
        let lossy = |bytes: Box<[u8]>| String::from_utf8_lossy(&bytes).into_owned();
        let mut unknown = BTreeMap::new();
        for (id, messages) in self.unknown {
            *unknown.entry(id.map(lossy)).or_insert(0) += messages;
        }
        let mut tallies = BTreeMap::new();
        for (mut slot, known) in self.slots.into_iter().zip(&self.shared.dealerships) {
            if known.counted.in_scope {
                slot.fold(known);
                let mut templates = BTreeMap::new();
                for (template, messages) in slot.templates {
                    *templates.entry(lossy(template)).or_insert(0) += messages;
                }
                let contacts = std::mem::take(&mut *known.contacts());
                let tally = Tally { contacts, templates, buckets: slot.buckets };
                tallies.insert(known.counted.dealership_id.clone(), tally);
            }
        }
        Count { tallies, windows: self.windows, unknown }
    }
}

impl Known {
    fn contacts(&self) -> MutexGuard<'_, Contacts> {
        // Another thread's panic ends the whole count: nobody will see these contacts.
        self.contacts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Span {
    fn new(period: Period) -> Self {
        let (from, to) = (period.start.timestamp_millis(), period.end.timestamp_millis());
        Self { period, from, to }
    }
}

impl Slot {
    /// Merges what waits.
    fn fold(&mut self, known: &Known) {
        known.contacts().add_numbers(self.unmerged.drain(..).map(|unmerged| {
            let Unmerged { digits, sent_at, messages, direction, is_hsm } = unmerged;
            (digits, exchanged(sent_at, direction, is_hsm, messages))
        }));
    }

    /// Keeps what is to be merged; the bucket.
    fn merge(
        &mut self,
        message: &Message<'_>,
        messages: u64,
        has_package: bool,
        shared: &Shared,
        index: usize,
    ) -> Bucket {
        if !has_package {
            return Bucket::NoContract;
        }
        let direction = match message.direction {
            Some(b"in") => Direction::In,
            Some(b"out") => Direction::Out,
            _ => return Bucket::Malformed,
        };
        let is_template = match message.kind {
            Some(b"hsm") => true,
            Some(b"session") => false,
            _ => return Bucket::Malformed,
        };
        if message
            .status
            .is_some_and(|s| shared.ignored_statuses.iter().any(|ignored| **ignored == *s))
        {
            return Bucket::IgnoredStatus;
        }
        let Some(identity) = message.contact.and_then(Identity::parse) else {
            return Bucket::NotAContact;
        };
        let is_hsm = is_template && direction == Direction::Out;
        let (sent_at, of_contact) = (message.sent_at, u32::try_from(messages).unwrap_or(u32::MAX));
        match identity {
            Identity::Number(digits) => self.unmerged.push(Unmerged {
                digits,
                sent_at,
                messages: of_contact,
                direction,
                is_hsm,
            }),
            Identity::UserId(_) => shared.dealerships[index]
                .contacts()
                .add(identity, exchanged(sent_at, direction, is_hsm, of_contact)),
        }
        if self.unmerged.len() >= UNMERGED {
            self.fold(&shared.dealerships[index]);
        }
        if is_hsm {
            let template = message.template.unwrap_or_default();
            match self.templates.get_mut(template) {
                Some(sent) => *sent += messages,
                None => {
                    self.templates.insert(template.into(), messages);
                }
            }
        }
        Bucket::Counted
    }
}

/// What messages that are alike are of a contact's use.
fn exchanged(sent_at: i64, direction: Direction, is_hsm: bool, messages: u32) -> ContactUse {
    let count_if = |counts: bool| if counts { messages } else { 0 };
    ContactUse {
        first_at: sent_at,
        first_direction: direction,
        received: count_if(direction == Direction::In),
        sent: count_if(direction == Direction::Out),
        hsm: count_if(is_hsm),
    }
}

#[cfg(test)]
mod tests;
