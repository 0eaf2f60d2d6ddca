//! A message whose columns are understood, and what it is to its contact and to the prices.

use crate::count::contacts::ContactUse;
use crate::count::sending::{Billing, Kind};
use crate::count::service::Event;
use crate::count::tally::{Apart, Direction};

/// A message whose columns are understood.
#[derive(Debug, Clone, Copy)]
pub(super) struct Exchange {
    pub(super) direction: Direction,
    pub(super) is_hsm: bool,
    /// By its status.
    pub(super) counts: bool,
    /// By its status, and by what the source says of it.
    pub(super) billing: Billing,
    pub(super) messages: u64,
}

/// Whether each of its messages has a price, so that two rows of one are one.
pub(super) fn is_by_the_piece(exchange: Exchange, apart: &Apart) -> bool {
    match (apart, exchange.kind()) {
        (_, Some(Kind::Hsm)) => true,
        (_, None) | (Apart::Unbilled, Some(Kind::Session)) => false,
        (Apart::ByCategory { sessions, .. }, Some(Kind::Session)) => *sessions,
    }
}

impl Exchange {
    pub(super) fn new(
        direction: Direction,
        is_template: bool,
        counts: bool,
        billing: Billing,
        messages: u64,
    ) -> Self {
        let is_hsm = is_template && direction == Direction::Out;
        Self { direction, is_hsm, counts, billing, messages }
    }

    /// What it is to prices; `None` where it came in.
    pub(super) fn kind(self) -> Option<Kind> {
        match self.direction {
            Direction::In => None,
            Direction::Out if self.is_hsm => Some(Kind::Hsm),
            Direction::Out => Some(Kind::Session),
        }
    }

    pub(super) fn event(self) -> Event {
        match (self.direction, self.is_hsm) {
            (Direction::In, _) => Event::Opens,
            (Direction::Out, true) => Event::Hsm,
            (Direction::Out, false) => Event::Session,
        }
    }

    /// What messages that are alike are of a contact's use.
    pub(super) fn of_contact(self, first_at: i64) -> ContactUse {
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
