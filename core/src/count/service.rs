//! The window of 24 hours that a contact's message opens, in which no template is needed (spec §2 *Windows*).

use std::ops::AddAssign;

use serde::{Deserialize, Serialize};

use super::contact::Digits;

/// How long a window is open after the contact's last message, milliseconds.
pub(super) const OPEN_FOR: i64 = 24 * 3_600_000;

/// What was sent in and out of windows. Neither changes a price.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WindowUse {
    /// HSM that were sent while a window was open: a usual message would have done.
    pub hsm_inside: u64,
    /// Messages of kind `session` that were sent while it was closed: WhatsApp refuses those, so that the
    /// source is wrong somewhere.
    pub sessions_outside: u64,
}

impl AddAssign for WindowUse {
    fn add_assign(&mut self, other: Self) {
        self.hsm_inside += other.hsm_inside;
        self.sessions_outside += other.sessions_outside;
    }
}

/// What a message is to the window of its contact, in the order in which those of one instant count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Event {
    /// It opens the window, or prolongs it.
    Opens = 0,
    /// An HSM is sent.
    Hsm = 1,
    /// Another message is sent.
    Session = 2,
}

/// One message of one contact, in 16 bytes: a close that asks for windows holds one for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Moment {
    who: u64,
    /// Unix milliseconds, then the event.
    at: i64,
}

impl Moment {
    pub(super) fn of_number(digits: Digits, at: i64, event: Event) -> Self {
        Self { who: digits.bits(), at: at << 2 | event as i64 }
    }

    /// `place`: where the user id stands among those of its dealership.
    pub(super) fn of_user_id(place: u32, at: i64, event: Event) -> Self {
        Self { who: 1 << 63 | u64::from(place), at: at << 2 | event as i64 }
    }
}

/// What the messages of a dealership's month, and those that came in the day before it, are to the windows
/// of their contacts. In any order.
pub(super) fn windows(mut moments: Vec<Moment>) -> WindowUse {
    moments.sort_unstable();
    let (mut found, mut who, mut open_until) = (WindowUse::default(), None, i64::MIN);
    for Moment { who: contact, at } in moments {
        if who != Some(contact) {
            (who, open_until) = (Some(contact), i64::MIN);
        }
        let is_open = (at >> 2) < open_until;
        match at & 3 {
            0 => open_until = (at >> 2) + OPEN_FOR,
            1 => found.hsm_inside += u64::from(is_open),
            _ => found.sessions_outside += u64::from(!is_open),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HOUR: i64 = 3_600_000;

    fn moment(contact: u32, hours: i64, event: Event) -> Moment {
        Moment::of_user_id(contact, hours * HOUR, event)
    }

    #[test]
    fn a_window_is_open_for_24_hours_after_the_last_message_of_its_contact() {
        use Event::{Hsm, Opens, Session};
        let found = windows(vec![
            moment(1, 0, Hsm), // nobody wrote yet
            moment(1, 10, Opens),
            moment(1, 10, Hsm),     // at the same instant: inside
            moment(1, 33, Session), // inside
            moment(1, 33, Opens),   // prolongs it
            moment(1, 56, Hsm),     // inside
            moment(1, 57, Hsm),     // 24 hours after: closed
            moment(1, 57, Session), // WhatsApp refuses it
            moment(2, 11, Hsm),     // another contact has another window
        ]);
        assert_eq!(found, WindowUse { hsm_inside: 2, sessions_outside: 1 });
    }

    proptest! {
        #[test]
        fn the_order_of_rows_does_not_matter(
            rows in proptest::collection::vec((0..3_u32, 0..80_i64, 0..3_u8), 0..60), turn in 0..60_usize,
        ) {
            let of = |(contact, hours, event): &(u32, i64, u8)| {
                moment(*contact, *hours, [Event::Opens, Event::Hsm, Event::Session][usize::from(*event)])
            };
            let straight: Vec<Moment> = rows.iter().map(of).collect();
            let mut turned = straight.clone();
            turned.rotate_left(turn % rows.len().max(1));
            prop_assert_eq!(windows(straight), windows(turned));
        }
    }
}
