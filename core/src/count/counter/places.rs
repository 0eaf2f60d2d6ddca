//! What outgoing messages are to the prices of a dealership, each under a number: its place.

use std::sync::{Mutex, MutexGuard, PoisonError};

use hashbrown::HashMap;

use crate::count::sending::{Billing, Kind, Sending, Sent};
use crate::count::tally::{Apart, Message};
use crate::party::numbers::BusinessNumber;
use crate::price::category::Category;

use super::piece::ranks;

/// Of messages that are not told apart.
pub(super) const NONE: u16 = 0;
/// So many places a [`super::piece::Piece`] can keep; what is beyond cannot be priced.
pub(super) const LAST: u16 = 1023;
/// So many spellings of a dealership one reader knows without asking the others.
const KNOWN: usize = 64;

/// All that the readers of a dealership have met, each once.
#[derive(Debug, Default)]
pub(super) struct Places {
    sendings: Vec<Sending>,
    by_sending: HashMap<Sending, u16>,
    pub(super) has_too_many: bool,
}

impl Places {
    /// The place of messages that are so spelt.
    fn place(&mut self, message: &Message<'_>, kind: Kind, billing: Billing, apart: &Apart) -> u16 {
        let (category, number) = match apart {
            Apart::Unbilled => (None, None),
            Apart::ByCategory { numbers, .. } => {
                (message.category.and_then(Category::of), own_number(message, numbers))
            }
        };
        let sending = Sending { kind, category, number, billing };
        if let Some(place) = self.by_sending.get(&sending) {
            return *place;
        }
        let next = u16::try_from(self.sendings.len() + 1).unwrap_or(LAST).min(LAST);
        self.has_too_many |= next == LAST;
        if next < LAST {
            self.sendings.push(sending.clone());
            self.by_sending.insert(sending, next);
        }
        next
    }

    /// What stands in a place; of [`LAST`] nothing.
    pub(super) fn sending(&self, place: u16) -> Option<&Sending> {
        self.sendings.get(usize::from(place).checked_sub(1)?)
    }

    /// How many messages each of them are, by place.
    pub(super) fn sent(&self, messages: &[u64]) -> Sent {
        let count = |place: usize| messages.get(place).copied().unwrap_or_default();
        self.sendings.iter().zip(1..).map(|(of, place)| (of.clone(), count(place))).collect()
    }

    /// The rank of each place: whichever was read first, it is the same.
    pub(super) fn ranks(&self) -> Vec<u16> {
        let above = |rank: u16| rank.saturating_add(1);
        // The first is of those that are not told apart.
        std::iter::once(0).chain(ranks(&self.sendings).into_iter().map(above)).collect()
    }

    /// The columns of the evidence, in order, of places with messages; and for each of them where its messages
    /// belong among the columns.
    pub(super) fn columns(&self, messages: &[u64]) -> (Vec<Sending>, HashMap<u16, u16>) {
        let bare = |sending: &Sending| Sending { number: None, ..sending.clone() };
        let has_any = |place: &usize| messages.get(*place).is_some_and(|messages| *messages > 0);
        let met = self.sendings.iter().zip(1..).filter(|(_, place)| has_any(place));
        let mut columns: Vec<Sending> = met.map(|(sending, _)| bare(sending)).collect();
        columns.sort_unstable();
        columns.dedup();
        let at = |sending: &Sending| columns.binary_search(&bare(sending)).unwrap_or_default();
        let places = (1..).zip(&self.sendings);
        let column = |(place, sending)| (place, u16::try_from(at(sending)).unwrap_or(u16::MAX));
        let of_place = places.map(column).collect();
        (columns, of_place)
    }
}

/// Another thread's panic ends the whole count: nobody will see what is behind it.
pub(super) fn locked<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One of the dealership's own numbers; `None` where it is none of them.
fn own_number(message: &Message<'_>, numbers: &[BusinessNumber]) -> Option<BusinessNumber> {
    if numbers.is_empty() {
        return None;
    }
    let number = message.number.and_then(BusinessNumber::parse)?;
    numbers.contains(&number).then_some(number)
}

/// What one reader has met lately, so that it need not ask the others for each message.
#[derive(Debug, Clone, Default)]
pub(super) struct Met(Vec<MetOne>);

#[derive(Debug, Clone)]
struct MetOne {
    kind: Kind,
    billing: Billing,
    category: Option<Box<[u8]>>,
    number: Option<Box<[u8]>>,
    place: u16,
}

impl Met {
    /// The place of a message; `places` are asked where it is the first of its spelling.
    pub(super) fn place(
        &mut self,
        message: &Message<'_>,
        kind: Kind,
        billing: Billing,
        apart: &Apart,
        places: &Mutex<Places>,
    ) -> u16 {
        let (category, number) = match apart {
            Apart::Unbilled => (None, None),
            Apart::ByCategory { numbers, .. } => {
                (message.category, message.number.filter(|_| !numbers.is_empty()))
            }
        };
        let is_it = |met: &&MetOne| {
            met.kind == kind
                && met.billing == billing
                && met.category.as_deref() == category
                && met.number.as_deref() == number
        };
        if let Some(met) = self.0.iter().find(is_it) {
            return met.place;
        }
        let place = locked(places).place(message, kind, billing, apart);
        if self.0.len() < KNOWN {
            let (category, number) = (category.map(Box::from), number.map(Box::from));
            self.0.push(MetOne { kind, billing, category, number, place });
        }
        place
    }
}
