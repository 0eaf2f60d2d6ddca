//! What is made of the rows that are read: a count, or a profile of their values.

use super::columns::Optional;
use super::error::{Place, SourceError};
use fecha_core::calendar::month::Period;
use fecha_core::count::aliases::Aliases;
use fecha_core::count::counter::{Counter, SourceFacts};
use fecha_core::count::profile::Profiler;
use fecha_core::count::tally::Message;

/// One reader's part of it; those of one source are joined.
pub(super) enum Reader {
    Counter(Counter),
    Profiler(Box<Profiler>),
}

impl Reader {
    /// One more, to read beside this one.
    pub(super) fn another(&self) -> Self {
        match self {
            Self::Counter(counter) => Self::Counter(counter.another()),
            Self::Profiler(profiler) => Self::Profiler(Box::new(profiler.another())),
        }
    }

    /// The same for a source with these columns and aliases; which of the columns it needs.
    pub(super) fn of_source(&self, found: Optional, aliases: Aliases) -> (Self, Optional) {
        match self {
            Self::Counter(counter) => {
                let columns = found
                    .and(Optional::to_count(counter.asks_categories(), counter.asks_numbers()));
                let has_message_ids = columns.has_message_ids();
                let facts = SourceFacts { has_message_ids, aliases };
                (Self::Counter(counter.of_source(facts)), columns)
            }
            Self::Profiler(profiler) => {
                let profiler = profiler.of_source(found.named(), aliases);
                (Self::Profiler(Box::new(profiler)), found)
            }
        }
    }

    /// The spans that the database must count as well.
    pub(super) fn periods(&self) -> Vec<Period> {
        match self {
            Self::Counter(counter) => counter.periods(),
            Self::Profiler(profiler) => profiler.periods(),
        }
    }

    /// The span that has them all; `None` where there is nothing to read.
    pub(super) fn span(&self) -> Option<Period> {
        let periods = self.periods();
        let start = periods.iter().map(|period| period.start).min()?;
        let end = periods.iter().map(|period| period.end).max()?;
        Some(Period { start, end })
    }

    /// The span cut wherever one of the periods begins or ends.
    pub(super) fn stretches(&self) -> Vec<Period> {
        match self {
            Self::Counter(counter) => counter.stretches(),
            Self::Profiler(profiler) => profiler.periods(),
        }
    }

    /// Whether each message is needed by itself.
    pub(super) fn needs_each(&self) -> bool {
        match self {
            Self::Counter(counter) => counter.needs_each(),
            Self::Profiler(_) => false,
        }
    }

    pub(super) fn add_alike(&mut self, message: &Message<'_>, messages: u64) {
        match self {
            Self::Counter(counter) => counter.add_alike(message, messages),
            Self::Profiler(profiler) => profiler.add_alike(message, messages),
        }
    }

    /// Adds what another reader of the same kind has read.
    pub(super) fn join(&mut self, other: Self) {
        match (self, other) {
            (Self::Counter(own), Self::Counter(other)) => own.join(other),
            (Self::Profiler(own), Self::Profiler(other)) => own.join(*other),
            // A pass has readers of one kind.
            (Self::Counter(_), Self::Profiler(_)) | (Self::Profiler(_), Self::Counter(_)) => {}
        }
    }

    /// Settles a count, and holds it against the database's own. A profile is only looked at.
    pub(super) fn prove(&mut self, plain: &[u64], place: &Place) -> Result<(), SourceError> {
        match self {
            Self::Counter(counter) => {
                counter.settle();
                place.prove(counter.windows(), plain)
            }
            Self::Profiler(_) => Ok(()),
        }
    }
}
