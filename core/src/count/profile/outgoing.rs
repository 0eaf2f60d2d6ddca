//! What a month's outgoing messages are to prices, dealership by dealership.

use std::collections::BTreeMap;

use hashbrown::HashMap;

use crate::count::sending::Kind;
use crate::count::tally::Message;
use crate::price::category::Category;

/// Messages by dealership, kind and category, of statuses that count; of a dealership's id as it is spelt, empty
/// where the message has none.
#[derive(Debug, Clone, Default)]
pub struct Outgoing(HashMap<Box<[u8]>, ByCategory>);

/// Messages by kind and category.
type ByCategory = BTreeMap<(Kind, Option<Category>), u64>;

impl Outgoing {
    pub(super) fn add(&mut self, message: &Message<'_>, messages: u64) {
        let kind = match (message.direction, message.kind) {
            (Some(b"out"), Some(b"hsm")) => Kind::Hsm,
            (Some(b"out"), Some(b"session")) => Kind::Session,
            _ => return,
        };
        let category = message.category.and_then(Category::of);
        self.entry(message.dealership_id.unwrap_or_default(), kind, category, messages);
    }

    fn entry(&mut self, id: &[u8], kind: Kind, category: Option<Category>, messages: u64) {
        if !self.0.contains_key(id) {
            self.0.insert(id.into(), ByCategory::new());
        }
        if let Some(of_dealership) = self.0.get_mut(id) {
            *of_dealership.entry((kind, category)).or_insert(0) += messages;
        }
    }

    pub(super) fn join(&mut self, other: Self) {
        for (id, all) in other.0 {
            for ((kind, category), messages) in all {
                self.entry(&id, kind, category, messages);
            }
        }
    }

    /// Messages by kind and category, of the dealerships whose ids are asked for.
    #[must_use]
    pub fn of(&self, is_asked: impl Fn(&str) -> bool) -> ByCategory {
        let mut sum = ByCategory::new();
        for (id, all) in &self.0 {
            if is_asked(&String::from_utf8_lossy(id)) {
                for (what, messages) in all {
                    *sum.entry(what.clone()).or_insert(0) += messages;
                }
            }
        }
        sum
    }
}
