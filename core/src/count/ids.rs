//! Dealerships by their ids, found once for each message of a month.

use hashbrown::HashMap;

/// Where each id stands in a list.
#[derive(Debug)]
pub(super) struct Ids {
    /// Those of 8 bytes at most, in the table itself: most ids are.
    short: HashMap<(u64, u8), u32>,
    long: HashMap<Box<[u8]>, u32>,
}

/// The bytes of a short id in a word, and how many they are.
fn short(id: &[u8]) -> Option<(u64, u8)> {
    if id.len() > 8 {
        return None;
    }
    let word = match (id.first_chunk::<4>(), id.last_chunk::<4>()) {
        // The two may overlap.
        (Some(first), Some(last)) => {
            u64::from(u32::from_le_bytes(*first)) << 32 | u64::from(u32::from_le_bytes(*last))
        }
        _ => id.iter().fold(0, |word, byte| word << 8 | u64::from(*byte)),
    };
    Some((word, id.len().to_le_bytes()[0]))
}

impl Ids {
    /// Of two that are the same the later stands.
    pub(super) fn new<'a>(ids: impl Iterator<Item = &'a [u8]>) -> Self {
        let mut all = Self { short: HashMap::new(), long: HashMap::new() };
        for (id, index) in ids.zip(0..) {
            match short(id) {
                Some(short) => _ = all.short.insert(short, index),
                None => _ = all.long.insert(id.into(), index),
            }
        }
        all
    }

    pub(super) fn get(&self, id: &[u8]) -> Option<usize> {
        let index = match short(id) {
            Some(short) => self.short.get(&short),
            None => self.long.get(id),
        };
        index.map(|index| *index as usize)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn each_id_is_found_and_no_other(
            ids in proptest::collection::btree_set("[ab\0]{0,12}", 0..60), other in "[ab\0]{0,12}",
        ) {
            let ids: Vec<String> = ids.into_iter().collect();
            let all = Ids::new(ids.iter().map(String::as_bytes));
            for (index, id) in ids.iter().enumerate() {
                prop_assert_eq!(all.get(id.as_bytes()), Some(index));
            }
            let found = all.get(other.as_bytes()).map(|index| &ids[index]);
            prop_assert_eq!(found.is_some(), ids.contains(&other));
            prop_assert!(found.is_none_or(|id| *id == other));
        }
    }
}
