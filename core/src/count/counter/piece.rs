//! HSM that carry a message id, kept until all rows of their message have been read.

use hashbrown::HashMap;

use crate::count::contact::Digits;

/// One row, in 24 bytes: a month has millions of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Piece {
    /// 80 bits of the id's hash: of a million ids of a dealership's month two are taken for one once in
    /// 10¹² months.
    id: [u8; 10],
    /// A place in [`Names::templates`].
    template: u16,
    /// Milliseconds since the month's start; 32 bits are 49 days.
    after: u32,
    /// The contact in 51 bits, what it is in two more, whether the status is ignored, and in the last ten what
    /// the message is to the prices: its place.
    who: u64,
}

const _: () = assert!(size_of::<Piece>() == 24);

/// Whose contact a row names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Who {
    Number(Digits),
    /// A place in [`Names::user_ids`].
    UserId(u32),
    Group,
    Nobody,
}

const KIND: u32 = 51;
const PAYLOAD: u64 = (1 << KIND) - 1;
const IGNORED: u64 = 1 << 53;
const PLACE: u32 = 54;

impl Piece {
    /// `after`: milliseconds since the start of the month that it lies in. `place`: at most
    /// [`super::places::LAST`].
    pub(super) fn new(
        id: u128,
        after: i64,
        template: u16,
        counts: bool,
        who: Who,
        place: u16,
    ) -> Self {
        let (kind, payload) = match who {
            Who::Number(digits) => (0, digits.bits()),
            Who::UserId(place) => (1, u64::from(place)),
            Who::Group => (2, 0),
            Who::Nobody => (3, 0),
        };
        let [id @ .., _, _, _, _, _, _] = id.to_le_bytes();
        let ignored = if counts { 0 } else { IGNORED };
        let after = u32::try_from(after).unwrap_or(u32::MAX);
        Self {
            id,
            template,
            after,
            who: payload | kind << KIND | ignored | u64::from(place) << PLACE,
        }
    }

    pub(super) fn counts(self) -> bool {
        self.who & IGNORED == 0
    }

    pub(super) fn who(self) -> Who {
        let payload = self.who & PAYLOAD;
        match self.who >> KIND & 3 {
            0 => Who::Number(Digits::from_bits(payload)),
            1 => Who::UserId(u32::try_from(payload).unwrap_or(u32::MAX)),
            2 => Who::Group,
            _ => Who::Nobody,
        }
    }

    pub(super) fn place(self) -> u16 {
        u16::try_from(self.who >> PLACE).unwrap_or_default()
    }

    pub(super) fn after(self) -> i64 {
        self.after.into()
    }

    pub(super) fn template(self) -> u16 {
        self.template
    }

    pub(super) fn is_same_message(self, other: Self) -> bool {
        self.id == other.id
    }

    /// Sorted by this, the rows of one message lie side by side, and the one that stands comes first: the
    /// earliest whose status counts, else the earliest. Of two at one instant it is the same one whichever
    /// was read first: names stand by their ranks, not by the places that they got as they were read.
    pub(super) fn order(&self, ranks: &Ranks) -> ([u8; 10], bool, u32, u64, [u16; 2]) {
        let rank = |ranks: &[u16], place: u16| ranks.get(usize::from(place)).copied();
        let names = [rank(&ranks.templates, self.template), rank(&ranks.places, self.place())];
        let names = names.map(|rank| rank.unwrap_or(u16::MAX));
        let who = self.who & ((1 << PLACE) - 1);
        (self.id, !self.counts(), self.after, who, names)
    }
}

/// Where the names that pieces refer to stand in their own order, by place.
pub(super) struct Ranks {
    pub(super) templates: Vec<u16>,
    pub(super) places: Vec<u16>,
}

/// The rank of each, by its place.
pub(super) fn ranks<T: Ord>(all: &[T]) -> Vec<u16> {
    let mut places: Vec<usize> = (0..all.len()).collect();
    places.sort_unstable_by_key(|place| &all[*place]);
    let mut ranks = vec![0; all.len()];
    for (rank, place) in places.into_iter().enumerate() {
        ranks[place] = u16::try_from(rank).unwrap_or(u16::MAX);
    }
    ranks
}

/// What pieces refer to, each name once.
#[derive(Debug, Default)]
pub(super) struct Names {
    pub(super) templates: Vec<Box<[u8]>>,
    pub(super) user_ids: Vec<Box<str>>,
    template_places: HashMap<Box<[u8]>, u16>,
    user_id_places: HashMap<Box<str>, u32>,
}

/// Where the names of templates are no names, but differ in each message: what is beyond so many of them
/// in a dealership's month is listed together.
const OTHERS: &[u8] = b"(others)";

impl Names {
    pub(super) fn template(&mut self, name: &[u8]) -> u16 {
        if let Some(place) = self.template_places.get(name) {
            return *place;
        }
        let (name, place) = match u16::try_from(self.templates.len()) {
            Ok(place) if place < u16::MAX => (name, place),
            _ => (OTHERS, u16::MAX),
        };
        if self.templates.len() <= usize::from(place) {
            self.templates.push(name.into());
            self.template_places.insert(name.into(), place);
        }
        place
    }

    pub(super) fn user_id(&mut self, id: Box<str>) -> u32 {
        let next = u32::try_from(self.user_ids.len()).unwrap_or(u32::MAX);
        let place = *self.user_id_places.entry(id.clone()).or_insert(next);
        if place == next {
            self.user_ids.push(id);
        }
        place
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::count::contact::Identity;

    #[test]
    fn a_piece_keeps_what_it_was_made_of() {
        let Some(Identity::Number(longest)) = Identity::parse(b"999999999999999") else { panic!() };
        for who in [Who::Number(longest), Who::UserId(u32::MAX), Who::Group, Who::Nobody] {
            for counts in [true, false] {
                let piece = Piece::new(u128::MAX, 31 * 86_400_000, 7, counts, who, 1023);
                assert_eq!((piece.who(), piece.counts(), piece.place()), (who, counts, 1023));
                assert_eq!((piece.after(), piece.template()), (31 * 86_400_000, 7));
            }
        }
    }

    #[test]
    fn names_that_are_none_are_listed_together() {
        let mut names = Names::default();
        let places: Vec<u16> =
            (0..70_000).map(|number| names.template(format!("text {number}").as_bytes())).collect();
        assert_eq!(places[..3], [0, 1, 2]);
        assert_eq!(names.template(b"text 1"), 1);
        assert_eq!(places[69_999], u16::MAX);
        assert_eq!(&*names.templates[usize::from(u16::MAX)], OTHERS);
    }
}
