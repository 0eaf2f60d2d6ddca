//! The contacts of a dealership's month, in little memory: a reseller's month has millions of them.

use hashbrown::HashMap;

use crate::count::contact::{Digits, Identity};
use crate::count::tally::Direction;

/// What one contact exchanged with one dealership in the period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ContactUse {
    /// The first counted message, Unix milliseconds.
    pub first_at: i64,
    /// Who wrote it; `in` where both wrote in the same millisecond.
    pub first_direction: Direction,
    /// Counted messages from the contact.
    pub received: u32,
    /// Counted messages to the contact, HSM included.
    pub sent: u32,
    /// HSM among those sent.
    pub hsm: u32,
}

impl ContactUse {
    fn merge(&mut self, other: Self) {
        if (other.first_at, other.first_direction) < (self.first_at, self.first_direction) {
            self.first_at = other.first_at;
            self.first_direction = other.first_direction;
        }
        self.received += other.received;
        self.sent += other.sent;
        self.hsm += other.hsm;
    }
}

/// Every contact that counted, each once. Their number is the UAM.
///
/// Numbers lie apart from user ids, which are rare: 33 bytes a place in the table instead of 49.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Contacts {
    numbers: HashMap<Digits, ContactUse>,
    user_ids: HashMap<Box<str>, ContactUse>,
    /// What is told apart of the messages to them.
    apart: Apart,
}

/// Messages to contacts, told apart by a place that says what they are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Apart {
    /// By the bits of the contact, and the place above them: see [`key`].
    numbers: HashMap<u64, u32>,
    user_ids: HashMap<(Box<str>, u16), u32>,
}

/// The digits of a contact have 51 bits.
const PLACE: u32 = 51;

fn key(digits: Digits, place: u16) -> u64 {
    digits.bits() | u64::from(place) << PLACE
}

impl Contacts {
    /// Adds to what the contact has exchanged so far.
    pub fn add(&mut self, contact: Identity, exchanged: ContactUse) {
        match contact {
            Identity::Number(digits) => self.add_numbers(std::iter::once((digits, exchanged))),
            Identity::UserId(id) => {
                let known = self.user_ids.entry(id);
                known.and_modify(|all| all.merge(exchanged)).or_insert(exchanged);
            }
        }
    }

    /// [`Contacts::add`] for many at once, all of them numbers.
    pub(super) fn add_numbers(&mut self, numbers: impl Iterator<Item = (Digits, ContactUse)>) {
        for (digits, exchanged) in numbers {
            // Nearly all are known.
            match self.numbers.get_mut(&digits) {
                Some(all) => all.merge(exchanged),
                None => _ = self.numbers.insert(digits, exchanged),
            }
        }
    }

    /// Adds messages to a contact that are told apart by `place`.
    pub(super) fn add_apart(&mut self, contact: &Identity, place: u16, messages: u32) {
        match contact {
            Identity::Number(digits) => self.add_number_apart(*digits, place, messages),
            Identity::UserId(id) => {
                *self.apart.user_ids.entry((id.clone(), place)).or_insert(0) += messages;
            }
        }
    }

    /// The same of a number.
    pub(super) fn add_number_apart(&mut self, digits: Digits, place: u16, messages: u32) {
        *self.apart.numbers.entry(key(digits, place)).or_insert(0) += messages;
    }

    /// Puts other places in the place of those that were given: several may become one.
    pub(super) fn place_anew(&mut self, anew: impl Fn(u16) -> u16) {
        let (before, mut apart) = (std::mem::take(&mut self.apart), Apart::default());
        for (key, messages) in before.numbers {
            let place = u16::try_from(key >> PLACE).unwrap_or(u16::MAX);
            let digits = key & ((1 << PLACE) - 1);
            let key = digits | u64::from(anew(place)) << PLACE;
            *apart.numbers.entry(key).or_insert(0) += messages;
        }
        for ((id, place), messages) in before.user_ids {
            *apart.user_ids.entry((id, anew(place))).or_insert(0) += messages;
        }
        self.apart = apart;
    }

    /// How many messages of a place a contact got.
    #[must_use]
    pub(super) fn apart(&self, contact: &Identity, place: u16) -> u32 {
        let found = match contact {
            Identity::Number(digits) => self.apart.numbers.get(&key(*digits, place)),
            Identity::UserId(id) => self.apart.user_ids.get(&(id.clone(), place)),
        };
        found.copied().unwrap_or_default()
    }

    /// How many they are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.numbers.len() + self.user_ids.len()
    }

    /// Whether nobody counted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Each contact with what it exchanged, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (Identity, &ContactUse)> {
        let numbers = self.numbers.iter().map(|(digits, all)| (Identity::Number(*digits), all));
        let user_ids = self.user_ids.iter().map(|(id, all)| (Identity::UserId(id.clone()), all));
        numbers.chain(user_ids)
    }

    /// What each of them exchanged, in no order.
    pub fn exchanged(&self) -> impl Iterator<Item = &ContactUse> {
        self.numbers.values().chain(self.user_ids.values())
    }
}
