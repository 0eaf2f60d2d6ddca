//! A counter's own share of a dealership.

use std::sync::{Mutex, MutexGuard, PoisonError};

use hashbrown::HashMap;
use twox_hash::XxHash3_128;

use super::piece::{Names, Piece, Who};
use super::{SourceFacts, lossy};
use crate::count::contact::{Digits, Identity, Spelt};
use crate::count::contacts::{ContactUse, Contacts};
use crate::count::rules::RulesVersion;
use crate::count::service::{Event, Moment, OPEN_FOR, windows};
use crate::count::tally::{
    Alike, Bucket, Buckets, Counted, Direction, Message, Misread, MisreadColumn, Tally,
};
use crate::count::word;

/// A dealership, and what its counters share.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) counted: Counted,
    /// The start of its month, Unix milliseconds.
    from: i64,
    /// All but what waits in the counters' slots.
    contacts: Mutex<Contacts>,
    /// Names that the pieces refer to.
    names: Mutex<Names>,
}

/// What one reader has read of a dealership.
#[derive(Debug, Clone, Default)]
pub(super) struct Slot {
    buckets: Buckets,
    templates: HashMap<Box<[u8]>, u64>,
    unmerged: Vec<Unmerged>,
    /// HSM with a message id.
    pieces: Vec<Piece>,
    /// HSM without one: a hash of all columns of each.
    hashes: Vec<u128>,
    alike: Alike,
    misread: HashMap<(MisreadColumn, Value), u64>,
    /// Each message, where windows are asked for.
    moments: Vec<Moment>,
}

/// A value that is none of those that its column may have; `None` for null.
type Value = Option<Box<[u8]>>;

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

/// So many different values of a direction or kind are told apart: enough to fix a source.
const MISREAD: usize = 20;

/// A message whose columns are understood.
#[derive(Debug, Clone, Copy)]
pub(super) struct Exchange {
    direction: Direction,
    pub(super) is_hsm: bool,
    /// By its status.
    counts: bool,
    messages: u64,
}

impl Known {
    pub(super) fn new(counted: Counted) -> Self {
        let from = counted.period.start.timestamp_millis();
        Self { counted, from, contacts: Mutex::default(), names: Mutex::default() }
    }

    /// Whether the instant lies in the day before the month.
    pub(super) fn is_day_before(&self, sent_at: i64) -> bool {
        (self.from - OPEN_FOR..self.from).contains(&sent_at)
    }

    fn contacts(&self) -> MutexGuard<'_, Contacts> {
        // Another thread's panic ends the whole count: nobody will see these contacts.
        self.contacts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn names(&self) -> MutexGuard<'_, Names> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn moment(&self, identity: &Identity, at: i64, event: Event) -> Moment {
        match identity {
            Identity::Number(digits) => Moment::of_number(*digits, at, event),
            Identity::UserId(id) => Moment::of_user_id(self.names().user_id(id.clone()), at, event),
        }
    }

    /// What is kept of an HSM until it is known which of the rows with its id stands.
    fn piece(
        &self,
        id: &[u8],
        message: &Message<'_>,
        exchange: Exchange,
        source: &SourceFacts,
    ) -> Piece {
        let spelt = self.who(message.contact, source);
        let mut names = self.names();
        let who = match spelt {
            Spelt::Contact(Identity::Number(digits)) => Who::Number(digits),
            Spelt::Contact(Identity::UserId(id)) => Who::UserId(names.user_id(id)),
            Spelt::Group => Who::Group,
            Spelt::NoContact => Who::Nobody,
        };
        let template = names.template(message.template.unwrap_or_default());
        Piece::new(
            XxHash3_128::oneshot(id),
            message.sent_at - self.from,
            template,
            exchange.counts,
            who,
        )
    }

    /// Who is behind a spelling.
    fn who(&self, spelling: Option<&[u8]>, source: &SourceFacts) -> Spelt {
        let rules = self.counted.rules;
        match rules.read(spelling.unwrap_or_default()) {
            Spelt::Contact(identity @ Identity::UserId(_))
                if rules.version != RulesVersion::One =>
            {
                match source.aliases.resolve(identity) {
                    lid if lid.is_lid() && !rules.count_lid => Spelt::NoContact,
                    identity => Spelt::Contact(identity),
                }
            }
            spelt => spelt,
        }
    }
}

impl Exchange {
    pub(super) fn new(
        direction: Direction,
        is_template: bool,
        counts: bool,
        messages: u64,
    ) -> Self {
        Self { direction, is_hsm: is_template && direction == Direction::Out, counts, messages }
    }

    fn event(self) -> Event {
        match (self.direction, self.is_hsm) {
            (Direction::In, _) => Event::Opens,
            (Direction::Out, true) => Event::Hsm,
            (Direction::Out, false) => Event::Session,
        }
    }

    /// What messages that are alike are of a contact's use.
    fn of_contact(self, first_at: i64) -> ContactUse {
        let messages = u32::try_from(self.messages).unwrap_or(u32::MAX);
        let count_if = |counts: bool| if counts { messages } else { 0 };
        ContactUse {
            first_at,
            first_direction: self.direction,
            received: count_if(self.direction == Direction::In),
            sent: count_if(self.direction == Direction::Out),
            hsm: count_if(self.is_hsm),
        }
    }
}

impl Slot {
    pub(super) fn count(&mut self, bucket: Bucket, messages: u64) -> Bucket {
        self.buckets.add(bucket, messages);
        bucket
    }

    /// Keeps the value that is no direction or kind.
    pub(super) fn misread(
        &mut self,
        column: MisreadColumn,
        value: Option<&[u8]>,
        messages: u64,
    ) -> Bucket {
        if self.misread.len() < MISREAD {
            *self.misread.entry((column, value.map(Box::from))).or_insert(0) += messages;
        } else if let Some(found) = self.misread.get_mut(&(column, value.map(Box::from))) {
            *found += messages;
        }
        self.count(Bucket::Malformed, messages)
    }

    /// Keeps what tells HSM apart that have no id.
    pub(super) fn watch_alike(&mut self, message: &Message<'_>, messages: u64, room: &mut Vec<u8>) {
        self.hashes.push(message.hash(room));
        self.alike.hsm += messages;
        self.alike.repeated += messages - 1;
    }

    /// Keeps what is to be merged; the bucket, unless that is known later.
    pub(super) fn take(
        &mut self,
        message: &Message<'_>,
        exchange: Exchange,
        known: &Known,
        source: &SourceFacts,
        service: bool,
    ) -> Option<Bucket> {
        let id = message.message_id.unwrap_or_default();
        let is_once = exchange.is_hsm && source.has_message_ids && !id.is_empty();
        if is_once && known.counted.rules.version != RulesVersion::One {
            let piece = known.piece(id, message, exchange, source);
            self.pieces.extend(std::iter::repeat_n(
                piece,
                usize::try_from(exchange.messages).unwrap_or(1),
            ));
            return None;
        }
        Some(self.merge(message, exchange, known, source, service))
    }

    fn merge(
        &mut self,
        message: &Message<'_>,
        exchange: Exchange,
        known: &Known,
        source: &SourceFacts,
        service: bool,
    ) -> Bucket {
        let messages = exchange.messages;
        if !exchange.counts {
            return self.count(Bucket::IgnoredStatus, messages);
        }
        let identity = match known.who(message.contact, source) {
            Spelt::Contact(identity) => identity,
            Spelt::Group => return self.count(Bucket::Group, messages),
            Spelt::NoContact => return self.count(Bucket::NotAContact, messages),
        };
        if service {
            let event = exchange.event();
            self.moments.push(known.moment(&identity, message.sent_at, event));
        }
        match identity {
            Identity::Number(digits) => self.unmerged.push(Unmerged {
                digits,
                sent_at: message.sent_at,
                messages: u32::try_from(messages).unwrap_or(u32::MAX),
                direction: exchange.direction,
                is_hsm: exchange.is_hsm,
            }),
            Identity::UserId(_) => {
                known.contacts().add(identity, exchange.of_contact(message.sent_at));
            }
        }
        if self.unmerged.len() >= UNMERGED {
            self.fold(known);
        }
        if exchange.is_hsm {
            self.count_template(message.template.unwrap_or_default(), messages);
        }
        self.count(Bucket::Counted, messages)
    }

    /// Keeps that a contact wrote before the month.
    pub(super) fn open_before(
        &mut self,
        message: &Message<'_>,
        known: &Known,
        source: &SourceFacts,
    ) {
        if let Spelt::Contact(identity) = known.who(message.contact, source) {
            self.moments.push(known.moment(&identity, message.sent_at, Event::Opens));
        }
    }

    fn count_template(&mut self, template: &[u8], messages: u64) {
        match self.templates.get_mut(template) {
            Some(sent) => *sent += messages,
            None => _ = self.templates.insert(template.into(), messages),
        }
    }

    /// Merges what waits.
    fn fold(&mut self, known: &Known) {
        known.contacts().add_numbers(self.unmerged.drain(..).map(|unmerged| {
            let Unmerged { digits, sent_at, messages, direction, is_hsm } = unmerged;
            let exchange = Exchange { direction, is_hsm, counts: true, messages: messages.into() };
            (digits, exchange.of_contact(sent_at))
        }));
    }

    /// Says which of the rows with one id stands, and counts it; where all of them went.
    pub(super) fn settle(&mut self, known: &Known, service: bool) -> Buckets {
        let mut settled = Buckets::default();
        let mut pieces = std::mem::take(&mut self.pieces);
        pieces.sort_unstable_by_key(Piece::order);
        let mut standing: Option<Piece> = None;
        for piece in pieces {
            let is_repeated = standing.is_some_and(|standing| standing.is_same_message(piece));
            let bucket = if is_repeated {
                Bucket::Duplicate
            } else {
                self.settle_one(piece, known, service)
            };
            settled.add(self.count(bucket, 1), 1);
            standing = standing.filter(|_| is_repeated).or(Some(piece));
        }
        self.settle_alike();
        settled
    }

    /// The bucket of the row that stands for its message.
    fn settle_one(&mut self, piece: Piece, known: &Known, service: bool) -> Bucket {
        if !piece.counts() {
            return Bucket::IgnoredStatus;
        }
        let names = known.names();
        let identity = match piece.who() {
            Who::Number(digits) => Identity::Number(digits),
            Who::UserId(index) => Identity::UserId(names.user_ids[index as usize].clone()),
            Who::Group => return Bucket::Group,
            Who::Nobody => return Bucket::NotAContact,
        };
        if service {
            let at = known.from + piece.after();
            self.moments.push(match piece.who() {
                Who::UserId(place) => Moment::of_user_id(place, at, Event::Hsm),
                Who::Number(digits) => Moment::of_number(digits, at, Event::Hsm),
                Who::Group | Who::Nobody => return Bucket::NotAContact,
            });
        }
        let exchange = Exchange::new(Direction::Out, true, true, 1);
        known.contacts().add(identity, exchange.of_contact(known.from + piece.after()));
        self.count_template(&names.templates[usize::from(piece.template())], 1);
        Bucket::Counted
    }

    fn settle_alike(&mut self) {
        let mut hashes = std::mem::take(&mut self.hashes);
        hashes.sort_unstable();
        self.alike.repeated += hashes.windows(2).filter(|pair| pair[0] == pair[1]).count() as u64;
    }

    /// How many HSM without an id there are, and how many of them are alike, once it is settled.
    pub(super) fn alike(&self) -> Alike {
        self.alike
    }

    /// Adds what another reader has read.
    pub(super) fn join(&mut self, mut other: Self, known: &Known) {
        other.fold(known);
        self.buckets += other.buckets;
        self.alike += other.alike;
        self.pieces.append(&mut other.pieces);
        self.hashes.append(&mut other.hashes);
        self.moments.append(&mut other.moments);
        for (template, messages) in other.templates {
            *self.templates.entry(template).or_insert(0) += messages;
        }
        for (value, messages) in other.misread {
            *self.misread.entry(value).or_insert(0) += messages;
        }
    }

    /// The dealership's month.
    pub(super) fn finish(mut self, known: &Known, service: bool) -> Tally {
        self.fold(known);
        let mut tally = Tally {
            contacts: std::mem::take(&mut *known.contacts()),
            buckets: self.buckets,
            windows: service.then(|| windows(std::mem::take(&mut self.moments))),
            ..Tally::default()
        };
        for (template, messages) in self.templates {
            *tally.templates.entry(lossy(&template)).or_insert(0) += messages;
        }
        for ((column, value), messages) in self.misread {
            let misread = Misread { column, value: value.map(|value| word::shown(&value)) };
            *tally.misread.entry(misread).or_insert(0) += messages;
        }
        tally
    }
}
