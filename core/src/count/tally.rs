//! Rows of the message database merged into each dealership's use and its evidence.
//!
//! A close reads the messages of the month once. A [`Counter`](crate::count::counter::Counter) puts each of them
//! in exactly one bucket (spec §2 *Zero residual*) and merges the contact into its dealership. What comes
//! out is a [`Count`]: one [`Tally`] a dealership and one [`Window`] a zone, whose buckets
//! [`Window::prove`] holds against a plain `COUNT(*)` of the same database snapshot.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::AddAssign;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use twox_hash::XxHash3_128;

use crate::calendar::month::Period;
use crate::count::contacts::Contacts;
use crate::count::rules::CountingRules;
use crate::count::sending::{Kind, Sending, Sent};
use crate::count::service::WindowUse;
use crate::count::status::StatusFound;
use crate::party::numbers::BusinessNumber;
use crate::price::table::{NoPrice, PriceTable};

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
    /// What tells it apart from all others of its source, where the relation has it.
    pub message_id: Option<&'a [u8]>,
    /// Meta's price category, where the relation has it.
    pub category: Option<&'a [u8]>,
    /// The business number that it came by, where the relation has it.
    pub number: Option<&'a [u8]>,
    /// Whether Meta bills it, where the relation has it.
    pub billable: Option<&'a [u8]>,
    /// Unix milliseconds, UTC; finer time is cut off, never rounded up.
    pub sent_at: i64,
}

/// A column whose values fecha must understand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MisreadColumn {
    /// `in` or `out`.
    Direction,
    /// `session` or `hsm`.
    Kind,
}

/// A value that is none of those that its column may have.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Misread {
    /// Of which column.
    pub column: MisreadColumn,
    /// As the source spells it, but a text or number of a person is cut and masked; `None` for null.
    pub value: Option<String>,
}

impl fmt::Display for Misread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let column = match self.column {
            MisreadColumn::Direction => "direction",
            MisreadColumn::Kind => "kind",
        };
        match &self.value {
            Some(value) => write!(f, "{column} '{}'", value.escape_debug()),
            None => write!(f, "{column} null"),
        }
    }
}

/// A column that cannot be read, and its value.
pub(super) type Unread<'a> = (MisreadColumn, Option<&'a [u8]>);

impl<'a> Message<'a> {
    /// Its direction, and whether its kind is that of a template.
    ///
    /// # Errors
    /// The first column that is none of what it may be, with its value.
    pub(super) fn read(&self) -> Result<(Direction, bool), Unread<'a>> {
        let direction = match self.direction {
            Some(b"in") => Direction::In,
            Some(b"out") => Direction::Out,
            other => return Err((MisreadColumn::Direction, other)),
        };
        match self.kind {
            Some(b"hsm") => Ok((direction, true)),
            Some(b"session") => Ok((direction, false)),
            other => Err((MisreadColumn::Kind, other)),
        }
    }

    /// A hash of all that an HSM is; `bytes` is room for it.
    pub(super) fn hash(&self, bytes: &mut Vec<u8>) -> u128 {
        bytes.clear();
        bytes.extend_from_slice(&self.sent_at.to_le_bytes());
        // Direction and kind are those of all HSM.
        let texts = [self.dealership_id, self.contact, self.template, self.status];
        for text in texts.into_iter().chain([self.category, self.number, self.billable]) {
            // With its length before it, and another one for null, no row reads as another.
            let length =
                text.map_or(u32::MAX, |text| u32::try_from(text.len()).unwrap_or(u32::MAX - 1));
            bytes.extend_from_slice(&length.to_le_bytes());
            bytes.extend_from_slice(text.unwrap_or_default());
        }
        XxHash3_128::oneshot(bytes)
    }
}

/// HSM of sources without message ids: how many, and how many of them are rows beyond the first of a set
/// that is alike in all columns.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Alike {
    /// All of them.
    pub hsm: u64,
    /// Those that are like another.
    pub repeated: u64,
}

impl AddAssign for Alike {
    fn add_assign(&mut self, other: Self) {
        self.hsm += other.hsm;
        self.repeated += other.repeated;
    }
}

/// Where each message went: exactly one of these (spec §2 *Zero residual*).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the spec's own names")]
pub struct Buckets {
    pub counted: u64,
    #[serde(default)]
    pub duplicate: u64,
    pub ignored_status: u64,
    #[serde(default)]
    pub group: u64,
    pub not_a_contact: u64,
    pub malformed: u64,
    pub no_contract: u64,
    pub unknown_dealership: u64,
}

/// The name of a bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bucket {
    Counted,
    Duplicate,
    IgnoredStatus,
    Group,
    NotAContact,
    Malformed,
    NoContract,
    UnknownDealership,
}

impl Buckets {
    pub(super) fn add(&mut self, bucket: Bucket, messages: u64) {
        let count = match bucket {
            Bucket::Counted => &mut self.counted,
            Bucket::Duplicate => &mut self.duplicate,
            Bucket::IgnoredStatus => &mut self.ignored_status,
            Bucket::Group => &mut self.group,
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
            + self.duplicate
            + self.ignored_status
            + self.group
            + self.not_a_contact
            + self.malformed
            + self.no_contract
            + self.unknown_dealership
    }
}

impl AddAssign for Buckets {
    fn add_assign(&mut self, other: Self) {
        self.counted += other.counted;
        self.duplicate += other.duplicate;
        self.ignored_status += other.ignored_status;
        self.group += other.group;
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
    /// What was sent in and out of the windows of 24 hours; `None` where that was not asked for.
    pub windows: Option<WindowUse>,
    /// What its malformed messages have for a direction or kind; the first twenty different values.
    pub misread: BTreeMap<Misread, u64>,
    /// What is told apart of the messages sent.
    pub sent: Sent,
    /// The columns by category of its evidence: what [`Contacts`] tell apart, in their places.
    pub columns: Vec<Sending>,
    /// There were more kinds of them than are told apart: they cannot be priced.
    pub has_too_many_kinds: bool,
}

impl Tally {
    /// Proves that what is told apart is all that was counted, where these prices need it: what is charged,
    /// free and not billed then adds up to the HSM and other messages sent (spec §2, *Zero residual*).
    ///
    /// # Errors
    /// [`NoPrice::Unproved`] and [`NoPrice::TooManyKinds`].
    pub fn prove_sent(&self, prices: &PriceTable) -> Result<(), NoPrice> {
        if self.has_too_many_kinds {
            return Err(NoPrice::TooManyKinds);
        }
        if !prices.is_by_category() {
            return Ok(());
        }
        let sent: u64 = self.contacts.exchanged().map(|contact| u64::from(contact.sent)).sum();
        let told = [self.sent.of_kind(Kind::Hsm), self.sent.of_kind(Kind::Session)];
        let is_all = told == [self.hsm(), sent - self.hsm()];
        if is_all { Ok(()) } else { Err(NoPrice::Unproved) }
    }

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

    /// Whether another contact, or another number of their messages, is counted than in the other one.
    #[must_use]
    pub fn is_counted_otherwise(&self, other: &Self) -> bool {
        self.contacts != other.contacts
            || self.templates != other.templates
            || self.sent != other.sent
    }

    /// Moves everything out, and leaves the buckets behind for reports.
    #[must_use]
    pub fn take(&mut self) -> Self {
        let (buckets, misread) = (self.buckets, self.misread.clone());
        std::mem::replace(self, Self { buckets, misread, ..Self::default() })
    }
}

/// What is told apart of a dealership's messages, because its prices ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Apart {
    /// HSM that are not billed.
    Unbilled,
    /// All messages sent, by category; what each contact got too.
    ByCategory {
        /// Messages that are no templates have a price, so that each of them is one message.
        sessions: bool,
        /// Those of these numbers by number, too.
        numbers: Vec<BusinessNumber>,
    },
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
    /// By which rules: those that its invoice keeps, else the configured ones.
    pub rules: CountingRules,
    /// By which it is counted once more, to be compared ([`Count::beside`]).
    pub beside: Option<CountingRules>,
    /// What is told apart of its messages.
    pub apart: Apart,
}

impl Counted {
    /// The same, to be counted by the other rules.
    pub(super) fn by_other_rules(&self) -> Option<Self> {
        Some(Self { rules: self.beside?, beside: None, ..self.clone() })
    }
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
    /// Nothing counted yet.
    pub(super) fn new(period: Period) -> Self {
        Self { period, rows: 0, buckets: Buckets::default(), elsewhere: 0 }
    }

    /// Adds what another counter has found in the same span.
    pub(super) fn join(&mut self, other: &Self) {
        self.rows += other.rows;
        self.buckets += other.buckets;
        self.elsewhere += other.elsewhere;
    }

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
    /// By dealership id, what other rules make of it where [`Counted::beside`] asks for that.
    pub beside: BTreeMap<String, Tally>,
    /// The statuses that were met.
    pub statuses: Vec<StatusFound>,
    /// HSM that are alike.
    pub alike: Alike,
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

/// The instant of a message, UTC.
#[must_use]
pub fn instant(unix_millis: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(unix_millis).unwrap_or(DateTime::UNIX_EPOCH)
}
