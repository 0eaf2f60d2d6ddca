//! Rows of the message database merged into each dealership's use and its evidence.
//!
//! A close reads the messages of the month once. [`Counter::add`] puts each of them in exactly one
//! bucket (spec §2 *Zero residual*) and merges the contact into its dealership; [`Counter::finish`]
//! gives a [`Count`]: one [`Tally`] a dealership and one [`Window`] a zone, whose buckets
//! [`Window::prove`] holds against a plain `COUNT(*)` of the same database snapshot.

use std::collections::BTreeMap;
use std::ops::AddAssign;

use chrono::{DateTime, Utc};
use hashbrown::HashMap;
use serde::{Deserialize, Serialize};

use super::contact::Identity;
use super::contacts::{ContactUse, Contacts};
use super::month::Period;

/// Who wrote a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// The contact wrote to the dealership.
    In,
    /// The dealership wrote to the contact.
    Out,
}

/// One row of the message database, as bytes: values are compared byte by byte (spec §2 *What counts*).
#[derive(Debug, Clone, Copy, Default)]
pub struct Message<'a> {
    /// Whose message it is.
    pub dealership_id: Option<&'a [u8]>,
    /// The contact as the database spells it.
    pub contact: Option<&'a [u8]>,
    /// `in` or `out`.
    pub direction: Option<&'a [u8]>,
    /// `session` or `hsm`.
    pub kind: Option<&'a [u8]>,
    /// The name of the template of an HSM.
    pub template: Option<&'a [u8]>,
    /// Delivery status; a missing one counts.
    pub status: Option<&'a [u8]>,
    /// Unix milliseconds, UTC; finer time is cut off, never rounded up.
    pub sent_at: i64,
}

/// Where each message went: exactly one of these (spec §2 *Zero residual*).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the spec's own names")]
pub struct Buckets {
    pub counted: u64,
    pub ignored_status: u64,
    pub not_a_contact: u64,
    pub malformed: u64,
    pub no_contract: u64,
    pub unknown_dealership: u64,
}

/// The name of a bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bucket {
    Counted,
    IgnoredStatus,
    NotAContact,
    Malformed,
    NoContract,
    UnknownDealership,
}

impl Buckets {
    fn add(&mut self, bucket: Bucket, messages: u64) {
        let count = match bucket {
            Bucket::Counted => &mut self.counted,
            Bucket::IgnoredStatus => &mut self.ignored_status,
            Bucket::NotAContact => &mut self.not_a_contact,
            Bucket::Malformed => &mut self.malformed,
            Bucket::NoContract => &mut self.no_contract,
            Bucket::UnknownDealership => &mut self.unknown_dealership,
        };
        *count += messages;
    }

    /// All messages, whatever their bucket.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.counted
            + self.ignored_status
            + self.not_a_contact
            + self.malformed
            + self.no_contract
            + self.unknown_dealership
    }
}

impl AddAssign for Buckets {
    fn add_assign(&mut self, other: Self) {
        self.counted += other.counted;
        self.ignored_status += other.ignored_status;
        self.not_a_contact += other.not_a_contact;
        self.malformed += other.malformed;
        self.no_contract += other.no_contract;
        self.unknown_dealership += other.unknown_dealership;
    }
}

/// A dealership's month: its contacts and its buckets.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// Every contact that counted. Their number is the UAM.
    pub contacts: Contacts,
    /// HSM by template name; those without one under the empty name.
    pub templates: BTreeMap<String, u64>,
    /// Where this dealership's messages went.
    pub buckets: Buckets,
}

impl Tally {
    /// Unique active contacts.
    #[must_use]
    pub fn uam(&self) -> u64 {
        self.contacts.len() as u64
    }

    /// Template messages sent.
    #[must_use]
    pub fn hsm(&self) -> u64 {
        self.templates.values().sum()
    }

    /// Moves everything out, and leaves the buckets behind for reports.
    #[must_use]
    pub fn take(&mut self) -> Self {
        let buckets = self.buckets;
        std::mem::replace(self, Self { buckets, ..Self::default() })
    }
}

/// A dealership whose messages are to be counted, or only to be recognised.
#[derive(Debug, Clone)]
pub struct Counted {
    /// Compared byte by byte.
    pub dealership_id: String,
    /// The dealership's month.
    pub period: Period,
    /// Whether a package is due in that month.
    pub has_package: bool,
    /// Out of scope: known, but left to another close.
    pub in_scope: bool,
}

/// The messages of one zone's month, bucket by bucket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// The half-open span that was counted.
    pub period: Period,
    /// Rows read whose `sent_at` lies in the span.
    pub rows: u64,
    /// Rows of the dealerships whose month this is, by bucket.
    pub buckets: Buckets,
    /// Rows of dealerships whose month is another span, or that this close leaves alone.
    pub elsewhere: u64,
}

/// Buckets and the database's own count differ: nothing may be issued from such a pass.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "zero residual fails for {} to {}: the database counts {plain} messages, the buckets hold {buckets} (and {elsewhere} of other zones). Nothing was issued; run the close again, and if it fails again, check that the relation gives the same rows twice",
    period.start, period.end
)]
pub struct Residual {
    period: Period,
    plain: u64,
    buckets: u64,
    elsewhere: u64,
}

impl Window {
    /// Proves that every message of the span is in exactly one bucket.
    ///
    /// # Errors
    /// [`Residual`] where buckets and rows do not add up to `plain`, the database's `COUNT(*)`.
    pub fn prove(&self, plain: u64) -> Result<(), Residual> {
        let in_buckets = self.buckets.total() + self.elsewhere;
        if in_buckets == plain && self.rows == plain {
            return Ok(());
        }
        Err(Residual {
            period: self.period,
            plain,
            buckets: self.buckets.total(),
            elsewhere: self.elsewhere,
        })
    }
}

/// Everything one pass over the messages found.
#[derive(Debug, Default)]
pub struct Count {
    /// By dealership id; only those in scope.
    pub tallies: BTreeMap<String, Tally>,
    /// One for each different span, in order.
    pub windows: Vec<Window>,
    /// Messages of ids that the register lacks, by id as it is spelt; `None` for null.
    pub unknown: BTreeMap<Option<String>, u64>,
}

impl Count {
    /// All buckets of all zones together.
    #[must_use]
    pub fn buckets(&self) -> Buckets {
        let mut sum = Buckets::default();
        for window in &self.windows {
            sum += window.buckets;
        }
        sum
    }
}

/// Counts messages as they stream by.
#[derive(Debug)]
pub struct Counter {
    slots: Vec<Slot>,
    by_id: HashMap<Box<[u8]>, usize>,
    ignored_statuses: Vec<Box<[u8]>>,
    windows: Vec<WindowSpan>,
    /// Which window decides for ids that the register lacks; `None` leaves them to another close.
    unknown_window: Option<usize>,
    unknown: HashMap<Option<Box<[u8]>>, u64>,
}

#[derive(Debug)]
struct Slot {
    counted: Counted,
    window: usize,
    /// All but what waits in `unmerged`.
    tally: Tally,
    unmerged: Vec<(Identity, ContactUse)>,
}

/// How many messages of a dealership wait to be merged. A contact is found in a table that is cold by
/// then; merged in one go, these waits for the memory overlap, which halves the time of a count.
const UNMERGED: usize = 256;

#[derive(Debug)]
struct WindowSpan {
    from: i64,
    to: i64,
    window: Window,
}

impl Counter {
    /// A counter for these dealerships. `unknown` is the issuer's month, which decides for ids that
    /// the register lacks; `None` where this close leaves them alone.
    #[must_use]
    pub fn new(
        dealerships: Vec<Counted>,
        unknown: Option<Period>,
        ignored_statuses: &[String],
    ) -> Self {
        let mut periods: Vec<Period> = dealerships
            .iter()
            .filter(|dealership| dealership.in_scope)
            .map(|dealership| dealership.period)
            .chain(unknown)
            .collect();
        periods.sort_unstable();
        periods.dedup();
        let index_of = |period| periods.binary_search(&period).ok();
        let slots: Vec<Slot> = dealerships
            .into_iter()
            .map(|counted| Slot {
                window: index_of(counted.period).unwrap_or(usize::MAX),
                tally: Tally::default(),
                unmerged: Vec::new(),
                counted,
            })
            .collect();
        Self {
            by_id: slots
                .iter()
                .enumerate()
                .map(|(index, slot)| (slot.counted.dealership_id.as_bytes().into(), index))
                .collect(),
            slots,
            ignored_statuses: ignored_statuses.iter().map(|s| s.as_bytes().into()).collect(),
            unknown_window: unknown.and_then(index_of),
            windows: periods.into_iter().map(WindowSpan::new).collect(),
            unknown: HashMap::new(),
        }
    }

    /// The spans to be counted, in order, without double ones: what the database must count as well.
    #[must_use]
    pub fn periods(&self) -> Vec<Period> {
        self.windows.iter().map(|span| span.window.period).collect()
    }

    /// The span that has all spans: what must be read. `None` where there is nothing to count.
    #[must_use]
    pub fn span(&self) -> Option<Period> {
        let start = self.windows.iter().map(|span| span.window.period.start).min()?;
        let end = self.windows.iter().map(|span| span.window.period.end).max()?;
        Some(Period { start, end })
    }

    /// The span cut at every bound of a month: all messages of a stretch lie in the same months, so
    /// that those alike in all but time may be counted together.
    #[must_use]
    pub fn stretches(&self) -> Vec<Period> {
        let periods = self.periods();
        let mut bounds: Vec<_> = periods.iter().flat_map(|p| [p.start, p.end]).collect();
        bounds.sort_unstable();
        bounds.dedup();
        bounds.windows(2).map(|pair| Period { start: pair[0], end: pair[1] }).collect()
    }

    /// Puts one message into its bucket: the first that fits, in the order of the spec.
    pub fn add(&mut self, message: &Message<'_>) {
        self.add_alike(message, 1);
    }

    /// Puts `messages` that differ in nothing but their time into their bucket, given the first of
    /// them. All must lie in one of [`Counter::stretches`].
    pub fn add_alike(&mut self, message: &Message<'_>, messages: u64) {
        let slot = message.dealership_id.and_then(|id| self.by_id.get(id)).copied();
        let own_window = match slot {
            Some(slot) if self.slots[slot].counted.in_scope => Some(self.slots[slot].window),
            Some(_) => None,
            None => self.unknown_window,
        };
        let mut is_own = false;
        for (index, span) in self.windows.iter_mut().enumerate() {
            if span.from <= message.sent_at && message.sent_at < span.to {
                span.window.rows += messages;
                if own_window == Some(index) {
                    is_own = true;
                } else {
                    span.window.elsewhere += messages;
                }
            }
        }
        let Some(window) = own_window.filter(|_| is_own) else { return };
        let bucket = if let Some(slot) = slot {
            self.slots[slot].add(message, messages, &self.ignored_statuses)
        } else {
            *self.unknown.entry(message.dealership_id.map(Box::from)).or_insert(0) += messages;
            Bucket::UnknownDealership
        };
        self.windows[window].window.buckets.add(bucket, messages);
    }

    /// What was counted.
    #[must_use]
    pub fn finish(mut self) -> Count {
        self.slots.iter_mut().for_each(Slot::fold);
        let lossy = |id: Box<[u8]>| String::from_utf8_lossy(&id).into_owned();
        let mut unknown = BTreeMap::new();
        for (id, messages) in self.unknown {
            *unknown.entry(id.map(lossy)).or_insert(0) += messages;
        }
        Count {
            tallies: self
                .slots
                .into_iter()
                .filter(|slot| slot.counted.in_scope)
                .map(|slot| (slot.counted.dealership_id, slot.tally))
                .collect(),
            windows: self.windows.into_iter().map(|span| span.window).collect(),
            unknown,
        }
    }
}

impl Slot {
    /// Merges what waits.
    fn fold(&mut self) {
        for (identity, exchanged) in self.unmerged.drain(..) {
            self.tally.contacts.add(identity, exchanged);
        }
    }

    fn add(
        &mut self,
        message: &Message<'_>,
        messages: u64,
        ignored_statuses: &[Box<[u8]>],
    ) -> Bucket {
        let bucket = self.merge(message, messages, ignored_statuses);
        self.tally.buckets.add(bucket, messages);
        bucket
    }

    fn merge(
        &mut self,
        message: &Message<'_>,
        messages: u64,
        ignored_statuses: &[Box<[u8]>],
    ) -> Bucket {
        if !self.counted.has_package {
            return Bucket::NoContract;
        }
        let direction = match message.direction {
            Some(b"in") => Direction::In,
            Some(b"out") => Direction::Out,
            _ => return Bucket::Malformed,
        };
        let is_template = match message.kind {
            Some(b"hsm") => true,
            Some(b"session") => false,
            _ => return Bucket::Malformed,
        };
        if message.status.is_some_and(|s| ignored_statuses.iter().any(|ignored| **ignored == *s)) {
            return Bucket::IgnoredStatus;
        }
        let Some(identity) = message.contact.and_then(Identity::parse) else {
            return Bucket::NotAContact;
        };
        let is_hsm = is_template && direction == Direction::Out;
        self.unmerged.push((identity, exchanged(message.sent_at, direction, is_hsm, messages)));
        if self.unmerged.len() >= UNMERGED {
            self.fold();
        }
        if is_hsm {
            let template = String::from_utf8_lossy(message.template.unwrap_or_default());
            match self.tally.templates.get_mut(&*template) {
                Some(sent) => *sent += messages,
                None => {
                    self.tally.templates.insert(template.into_owned(), messages);
                }
            }
        }
        Bucket::Counted
    }
}

/// What messages that are alike are of a contact's use.
fn exchanged(sent_at: i64, direction: Direction, is_hsm: bool, messages: u64) -> ContactUse {
    let messages = u32::try_from(messages).unwrap_or(u32::MAX);
    let count_if = |counts: bool| if counts { messages } else { 0 };
    ContactUse {
        first_at: sent_at,
        first_direction: direction,
        received: count_if(direction == Direction::In),
        sent: count_if(direction == Direction::Out),
        hsm: count_if(is_hsm),
    }
}

impl WindowSpan {
    fn new(period: Period) -> Self {
        Self {
            from: period.start.timestamp_millis(),
            to: period.end.timestamp_millis(),
            window: Window { period, rows: 0, buckets: Buckets::default(), elsewhere: 0 },
        }
    }
}

/// The instant of a message, UTC.
#[must_use]
pub fn instant(unix_millis: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(unix_millis).unwrap_or(DateTime::UNIX_EPOCH)
}

#[cfg(test)]
mod tests;
