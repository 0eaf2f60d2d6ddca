//! Which delivery statuses count, and what was met of each (spec §2 *Values that mean nothing to fecha*).

use std::collections::BTreeMap;

use hashbrown::HashMap;
use serde::{Deserialize, Serialize};

use super::word;

/// `[counting] ignored_statuses` and `counted_statuses`, compared byte by byte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusRules {
    /// Messages of these are not billed.
    pub ignored: Vec<String>,
    /// Messages of these are, and nobody needs to hear of it. One that is on neither list counts, and is
    /// the exception `unknown_status`.
    pub counted: Vec<String>,
    /// `[counting] priced_statuses`: of those that count only these are billed; `None`: all.
    pub priced: Option<Vec<String>>,
}

impl Default for StatusRules {
    fn default() -> Self {
        let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        Self {
            ignored: owned(&["queued", "failed"]),
            counted: owned(&["sent", "delivered", "read", "received", "played", "deleted"]),
            priced: None,
        }
    }
}

/// What fecha makes of a status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// It is on the list of those that count, or there is none.
    Counts,
    /// It is on the list of those that do not.
    Ignored,
    /// It is on neither: it counts, and a person should say.
    Unknown,
}

impl Meaning {
    /// Whether its messages are billed.
    #[must_use]
    pub fn counts(self) -> bool {
        self != Self::Ignored
    }
}

impl StatusRules {
    /// Whether messages of this status are billed, where they count; an empty one is none, and is billed only
    /// where all are.
    #[must_use]
    pub fn is_priced(&self, status: Option<&[u8]>) -> bool {
        let status = status.unwrap_or_default();
        let named = |priced: &Vec<String>| priced.iter().any(|word| word.as_bytes() == status);
        self.priced.as_ref().is_none_or(named)
    }

    /// What a status means; an empty one is none.
    #[must_use]
    pub fn meaning(&self, status: Option<&[u8]>) -> Meaning {
        let is_in = |words: &[String], status| words.iter().any(|word| word.as_bytes() == status);
        match status.unwrap_or_default() {
            status if is_in(&self.ignored, status) => Meaning::Ignored,
            b"" => Meaning::Counts,
            status if is_in(&self.counted, status) => Meaning::Counts,
            _ => Meaning::Unknown,
        }
    }
}

/// How many messages of the month have a status, those aside that are nobody's or that nothing is made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Kept", into = "Kept")]
pub struct StatusFound {
    /// As the source spells it, but a text or number of a person is cut and masked; `None` for no status.
    pub status: Option<String>,
    /// How many.
    pub messages: u64,
    /// What is made of them.
    pub meaning: Meaning,
}

/// As the ledger keeps it, and as scripts get it.
#[derive(Serialize, Deserialize)]
struct Kept {
    status: Option<String>,
    messages: u64,
    counts: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    unknown: bool,
}

impl From<StatusFound> for Kept {
    fn from(found: StatusFound) -> Self {
        let StatusFound { status, messages, meaning } = found;
        Self { status, messages, counts: meaning.counts(), unknown: meaning == Meaning::Unknown }
    }
}

impl From<Kept> for StatusFound {
    fn from(kept: Kept) -> Self {
        let meaning = match (kept.counts, kept.unknown) {
            (true, false) => Meaning::Counts,
            (true, true) => Meaning::Unknown,
            (false, _) => Meaning::Ignored,
        };
        Self { status: kept.status, messages: kept.messages, meaning }
    }
}

/// A column that holds anything must not fill the memory: what is beyond so many different statuses is
/// counted together.
const DIFFERENT: usize = 1_000;

/// What the others are called then.
const OTHERS: &str = "(others)";

/// Counts messages by status, as they are read.
#[derive(Debug, Clone)]
pub(super) struct Statuses {
    found: HashMap<Box<[u8]>, (Meaning, u64)>,
    /// Of those that have none.
    none: u64,
    others: u64,
}

impl Statuses {
    pub(super) fn new(rules: &StatusRules) -> Self {
        // What is on a list is told apart, however many others there are.
        let known = rules.counted.iter().chain(&rules.ignored);
        let known =
            known.map(|word| (word.as_bytes().into(), (rules.meaning(Some(word.as_bytes())), 0)));
        Self { found: known.collect(), none: 0, others: 0 }
    }

    /// Counts messages of one status; what it means.
    pub(super) fn add(&mut self, status: Option<&[u8]>, messages: u64) -> Meaning {
        let status = status.unwrap_or_default();
        if let Some((meaning, found)) = self.found.get_mut(status) {
            *found += messages;
            return *meaning;
        }
        if status.is_empty() {
            self.none += messages;
            return Meaning::Counts;
        }
        if self.found.len() < DIFFERENT {
            self.found.insert(status.into(), (Meaning::Unknown, messages));
        } else {
            self.others += messages;
        }
        Meaning::Unknown
    }

    pub(super) fn join(&mut self, other: Self) {
        self.none += other.none;
        self.others += other.others;
        for (status, (meaning, messages)) in other.found {
            self.found.entry(status).or_insert((meaning, 0)).1 += messages;
        }
    }

    /// Those that were met, in the order of their spelling, none first.
    pub(super) fn finish(self) -> Vec<StatusFound> {
        let spelt = self.found.into_iter().map(|(status, (meaning, messages))| {
            let status = word::shown(&status);
            ((!status.is_empty()).then_some(status), meaning, messages)
        });
        let others = (Some(OTHERS.to_owned()), Meaning::Unknown, self.others);
        let mut sums: BTreeMap<(Option<String>, u8), (Meaning, u64)> = BTreeMap::new();
        for (status, meaning, messages) in spelt.chain([(None, Meaning::Counts, self.none), others])
        {
            sums.entry((status, meaning as u8)).or_insert((meaning, 0)).1 += messages;
        }
        sums.into_iter()
            .filter(|(_, (_, messages))| *messages > 0)
            .map(|((status, _), (meaning, messages))| StatusFound { status, messages, meaning })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(Some("failed"), Meaning::Ignored)]
    #[case(Some("FAILED"), Meaning::Unknown)]
    #[case(Some("failed "), Meaning::Unknown)]
    #[case(Some("read"), Meaning::Counts)]
    #[case(Some(""), Meaning::Counts)]
    #[case(None, Meaning::Counts)]
    #[case(Some("accepted"), Meaning::Unknown)]
    fn a_status_means_what_the_lists_say(#[case] status: Option<&str>, #[case] meaning: Meaning) {
        let (rules, status) = (StatusRules::default(), status.map(str::as_bytes));
        assert_eq!(rules.meaning(status), meaning);
        assert_eq!(Statuses::new(&rules).add(status, 1), meaning);
    }

    #[test]
    fn too_many_different_ones_are_counted_together() {
        let mut statuses = Statuses::new(&StatusRules::default());
        for number in 0..2_000 {
            statuses.add(Some(format!("error {number}").as_bytes()), 2);
        }
        assert!(!statuses.add(Some(b"failed"), 1).counts());
        let found = statuses.finish();
        let all: u64 = found.iter().map(|found| found.messages).sum();
        assert!(found.len() <= DIFFERENT + 1);
        assert_eq!(all, 4_001);
    }
}
