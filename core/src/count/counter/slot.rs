//! A counter's own share of a dealership.

use std::sync::{Mutex, MutexGuard};

use hashbrown::HashMap;
use twox_hash::XxHash3_128;

use super::exchange::{Exchange, is_by_the_piece};
use super::piece::{Names, Piece, Ranks, Who, ranks};
use super::places::{self, Met, Places, locked};
use super::{SourceFacts, lossy};
use crate::count::contact::{Digits, Identity, Spelt};
use crate::count::contacts::Contacts;
use crate::count::rules::RulesVersion;
use crate::count::sending::{Billing, Kind};
use crate::count::service::{Event, Moment, OPEN_FOR, windows};
use crate::count::tally::{
    Alike, Apart, Bucket, Buckets, Counted, Direction, Message, Misread, MisreadColumn, Tally,
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
    /// What the messages are to the prices.
    places: Mutex<Places>,
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
    /// What this reader's messages are to the prices.
    met: Met,
    /// How many of them are what, by place; the first is of those that are not told apart.
    sent: Vec<u64>,
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
    /// What it is to the prices.
    place: u16,
}

const _: () = assert!(size_of::<Unmerged>() == 24);

/// How many messages of a dealership wait to be merged. A contact is found in a table that is cold by
/// then; merged in one go, these waits for the memory overlap, which halves the time of a count.
const UNMERGED: usize = 256;

/// So many different values of a direction or kind are told apart: enough to fix a source.
const MISREAD: usize = 20;

impl Known {
    pub(super) fn new(counted: Counted) -> Self {
        let from = counted.period.start.timestamp_millis();
        Self {
            counted,
            from,
            contacts: Mutex::default(),
            names: Mutex::default(),
            places: Mutex::default(),
        }
    }

    /// Whether the instant lies in the day before the month.
    pub(super) fn is_day_before(&self, sent_at: i64) -> bool {
        (self.from - OPEN_FOR..self.from).contains(&sent_at)
    }

    /// Whether what each contact got is told apart by category.
    fn is_by_category(&self) -> bool {
        matches!(self.counted.apart, Apart::ByCategory { .. })
    }

    fn contacts(&self) -> MutexGuard<'_, Contacts> {
        locked(&self.contacts)
    }

    fn names(&self) -> MutexGuard<'_, Names> {
        locked(&self.names)
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
        place: u16,
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
            place,
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
        let place = self.place(message, exchange, known);
        let is_once = is_by_the_piece(exchange, &known.counted.apart)
            && source.has_message_ids
            && !id.is_empty();
        if is_once && known.counted.rules.version != RulesVersion::One {
            let piece = known.piece(id, message, exchange, source, place);
            self.pieces.extend(std::iter::repeat_n(
                piece,
                usize::try_from(exchange.messages).unwrap_or(1),
            ));
            return None;
        }
        Some(self.merge(message, (exchange, place), known, source, service))
    }

    /// What the message is to the prices, where they ask.
    fn place(&mut self, message: &Message<'_>, exchange: Exchange, known: &Known) -> u16 {
        let apart = &known.counted.apart;
        let Some(kind) = exchange.kind() else { return places::NONE };
        match (apart, kind, exchange.billing) {
            (Apart::Unbilled, Kind::Session, _) | (Apart::Unbilled, Kind::Hsm, Billing::Billed) => {
                places::NONE
            }
            (_, _, billing) => self.met.place(message, kind, billing, apart, &known.places),
        }
    }

    fn count_sent(&mut self, place: u16, messages: u64) {
        let place = usize::from(place);
        if self.sent.len() <= place {
            self.sent.resize(place + 1, 0);
        }
        self.sent[place] += messages;
    }

    fn merge(
        &mut self,
        message: &Message<'_>,
        (exchange, place): (Exchange, u16),
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
                place,
            }),
            Identity::UserId(_) => {
                let mut contacts = known.contacts();
                if known.is_by_category() && place != places::NONE {
                    let messages = u32::try_from(messages).unwrap_or(u32::MAX);
                    contacts.add_apart(&identity, place, messages);
                }
                contacts.add(identity, exchange.of_contact(message.sent_at));
            }
        }
        if place != places::NONE {
            self.count_sent(place, messages);
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
        let mut contacts = known.contacts();
        if known.is_by_category() {
            for unmerged in self.unmerged.iter().filter(|one| one.place != places::NONE) {
                contacts.add_number_apart(unmerged.digits, unmerged.place, unmerged.messages);
            }
        }
        contacts.add_numbers(self.unmerged.drain(..).map(|unmerged| {
            let Unmerged { digits, sent_at, messages, direction, is_hsm, place: _ } = unmerged;
            let (counts, billing, messages) = (true, Billing::Billed, messages.into());
            let exchange = Exchange { direction, is_hsm, counts, billing, messages };
            (digits, exchange.of_contact(sent_at))
        }));
    }

    /// Says which of the rows with one id stands, and counts it; where all of them went.
    pub(super) fn settle(&mut self, known: &Known, service: bool) -> Buckets {
        let mut settled = Buckets::default();
        let mut pieces = std::mem::take(&mut self.pieces);
        if !pieces.is_empty() {
            let templates = ranks(&known.names().templates);
            let ranks = Ranks { templates, places: locked(&known.places).ranks() };
            pieces.sort_unstable_by_key(|piece| piece.order(&ranks));
        }
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
        let of_place = locked(&known.places).sending(piece.place()).map(|sending| sending.kind);
        let is_hsm = of_place.unwrap_or(Kind::Hsm) == Kind::Hsm;
        let names = known.names();
        let identity = match piece.who() {
            Who::Number(digits) => Identity::Number(digits),
            Who::UserId(index) => Identity::UserId(names.user_ids[index as usize].clone()),
            Who::Group => return Bucket::Group,
            Who::Nobody => return Bucket::NotAContact,
        };
        if service {
            let at = known.from + piece.after();
            let event = if is_hsm { Event::Hsm } else { Event::Session };
            self.moments.push(match piece.who() {
                Who::UserId(place) => Moment::of_user_id(place, at, event),
                Who::Number(digits) => Moment::of_number(digits, at, event),
                Who::Group | Who::Nobody => return Bucket::NotAContact,
            });
        }
        let exchange = Exchange::new(Direction::Out, is_hsm, true, Billing::Billed, 1);
        let mut contacts = known.contacts();
        if piece.place() != places::NONE {
            if known.is_by_category() {
                contacts.add_apart(&identity, piece.place(), 1);
            }
            self.count_sent(piece.place(), 1);
        }
        contacts.add(identity, exchange.of_contact(known.from + piece.after()));
        if is_hsm {
            self.count_template(&names.templates[usize::from(piece.template())], 1);
        }
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
        for (place, messages) in (0..).zip(&other.sent) {
            self.count_sent(place, *messages);
        }
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
        let places = locked(&known.places);
        let mut contacts = std::mem::take(&mut *known.contacts());
        let mut columns = Vec::new();
        if known.is_by_category() {
            let of_place;
            (columns, of_place) = places.columns(&self.sent);
            contacts.place_anew(|place| of_place.get(&place).copied().unwrap_or(u16::MAX));
        }
        let mut tally = Tally {
            contacts,
            columns,
            sent: places.sent(&self.sent),
            has_too_many_kinds: places.has_too_many,
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
