//! What an email is: to whom, about what, made from what; and when one that did not go is tried again.
//!
//! A [`Letter`] is addressed by [`Addressing`] alone, so that the redirect of a month in parallel cannot be
//! forgotten.

pub mod outcome;
pub mod reply;
pub mod retry;
pub mod text;

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::account::reminder::Reminder;
use crate::bill::group_bill::GroupTxid;
use crate::bill::invoice::{Cancellation, Number};
use crate::bill::package_use::PackageUse;
use crate::calendar::month::Month;
use crate::party::register::EmailAddress;

/// What a letter is about (spec §3.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the spec's own names")]
pub enum Kind {
    Invoice,
    Digest,
    Alert,
    PackageUse,
    Reminder,
    Group,
}

impl Kind {
    /// The name in JSON and in the ledger.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Invoice => "invoice",
            Self::Digest => "digest",
            Self::Alert => "alert",
            Self::PackageUse => "package_use",
            Self::Reminder => "reminder",
            Self::Group => "group",
        }
    }
}

/// Where a letter stands (spec §3.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the spec's own names")]
pub enum LetterState {
    Pending,
    Sending,
    Sent,
    Failed,
    Withdrawn,
}

impl LetterState {
    /// All of them, in the order of a letter's way.
    pub const ALL: [Self; 5] =
        [Self::Pending, Self::Sending, Self::Sent, Self::Failed, Self::Withdrawn];

    /// The name in JSON, in the ledger and for people.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Sending => "sending",
            Self::Sent => "sent",
            Self::Failed => "failed",
            Self::Withdrawn => "withdrawn",
        }
    }
}

/// What a letter is made from when it is sent; documents lie in the ledger, unchanged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "content")]
pub enum Content {
    /// Invoice and statement to a dealership.
    Invoice {
        /// The invoice.
        number: Number,
        /// Which revision of it.
        revision: u32,
        /// Whether the evidence goes with it: kept, so that every attempt sends the same bytes.
        #[serde(default)]
        evidence: bool,
    },
    /// To a dealership whose invoice is void, or a copy of it to finance.
    Cancellation {
        /// The invoice.
        number: Number,
        /// The revision that stood.
        revision: u32,
        /// Why it is void.
        cancellation: Cancellation,
        /// It is the copy to finance.
        #[serde(default)]
        is_copy: bool,
    },
    /// A report to finance, or one part of it.
    Digest {
        /// The month.
        month: Month,
        /// The number of the report in the month.
        sequence: u32,
        /// Which part of it.
        part: Part,
    },
    /// To finance and the admins: a close is held, and what it would issue.
    Held {
        /// The month.
        month: Month,
        /// How often the month was held for other reasons.
        sequence: u32,
    },
    /// To a dealership that has used so much of its package.
    PackageUse {
        /// All that it says.
        package_use: Box<PackageUse>,
    },
    /// To a dealership, about what it has open.
    Reminder {
        /// All that it says, as far as it is still so when it is sent.
        reminder: Box<Reminder>,
    },
    /// To the dealerships of a group: all their invoices of a month and the page that adds them up, or one part of it.
    Group {
        /// The bill.
        txid: GroupTxid,
        /// Which part of it: its invoices are files, two for each row.
        part: Part,
    },
    /// A call for a person.
    Alert {
        /// All that it says.
        alert: Alert,
    },
}

impl Content {
    /// What it is about.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Invoice { .. } | Self::Cancellation { is_copy: false, .. } => Kind::Invoice,
            Self::Digest { .. } | Self::Cancellation { is_copy: true, .. } => Kind::Digest,
            Self::PackageUse { .. } => Kind::PackageUse,
            Self::Reminder { .. } => Kind::Reminder,
            Self::Group { .. } => Kind::Group,
            Self::Alert { .. } | Self::Held { .. } => Kind::Alert,
        }
    }

    /// The invoice that it is about, where it is about one.
    #[must_use]
    pub fn number(&self) -> Option<Number> {
        match self {
            Self::Invoice { number, .. } | Self::Cancellation { number, .. } => Some(*number),
            Self::Digest { .. }
            | Self::Held { .. }
            | Self::PackageUse { .. }
            | Self::Reminder { .. }
            | Self::Group { .. }
            | Self::Alert { .. } => None,
        }
    }
}

/// One of the emails that a close report, or what a group gets, goes in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// From 1. The first one has the report itself and the workbook, or the group's page.
    pub number: usize,
    /// How many there are.
    pub of: usize,
    /// Which of the digest's invoices, or of the group's files, it carries; may be empty.
    pub invoices: Range<usize>,
}

/// Something that a person must know, and do. The outbox keeps it as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    /// In a few words, Portuguese.
    pub subject: String,
    /// What happened, Portuguese; an empty line begins a paragraph. What stands between backticks is set in
    /// letters of one width; a paragraph may be such a text alone, or end in one.
    pub happened: String,
    /// What to do about it, Portuguese; written like `happened`, commands between backticks.
    pub todo: String,
    /// The reseller's name.
    pub issuer: String,
}

/// What a letter says, to whomever it goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matter {
    /// The reason for it; with kind, recipient and resend count it is queued once.
    pub cause: String,
    /// One line.
    pub subject: String,
    /// What it is made from.
    pub content: Content,
}

/// Puts the address on letters: the only way to make one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Addressing {
    redirect: Option<EmailAddress>,
}

impl Addressing {
    /// Every letter goes to `redirect` instead, where there is one: a first month in parallel
    /// (`[email] redirect`, spec §2).
    #[must_use]
    pub fn new(redirect: Option<EmailAddress>) -> Self {
        Self { redirect }
    }

    /// Addresses a letter; `message_id` is unique for ever, with its angle brackets.
    #[must_use]
    pub fn letter(&self, matter: Matter, recipient: EmailAddress, message_id: String) -> Letter {
        let redirected_to = self.redirect.clone();
        Letter { matter, recipient, redirected_to, resend: 0, message_id }
    }
}

/// A letter to one recipient, to be queued. [`Addressing::letter`] makes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    matter: Matter,
    recipient: EmailAddress,
    redirected_to: Option<EmailAddress>,
    resend: u32,
    message_id: String,
}

impl Letter {
    /// The same letter, queued for the `resend`th time after the first.
    #[must_use]
    pub fn again(self, resend: u32) -> Self {
        Self { resend, ..self }
    }

    /// What it says.
    #[must_use]
    pub fn matter(&self) -> &Matter {
        &self.matter
    }

    /// For whom it is.
    #[must_use]
    pub fn recipient(&self) -> &EmailAddress {
        &self.recipient
    }

    /// Who gets it instead.
    #[must_use]
    pub fn redirected_to(&self) -> Option<&EmailAddress> {
        self.redirected_to.as_ref()
    }

    /// 0 for the first.
    #[must_use]
    pub fn resend(&self) -> u32 {
        self.resend
    }

    /// Its Message-ID.
    #[must_use]
    pub fn message_id(&self) -> &str {
        &self.message_id
    }
}

/// What became of a letter that was handed over: what the post says, and the ledger records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// The server, or the folder, has it.
    Sent,
    /// Not now: it is tried again under the same Message-ID, as [`retry`] says.
    Retry {
        /// What went wrong, for people.
        error: String,
        /// The line was lost between the end of the message and the server's answer: the recipient
        /// may have it already.
        maybe_delivered: bool,
    },
    /// Refused for good: this letter needs a person.
    Failed {
        /// What went wrong, for people.
        error: String,
    },
    /// What it says is not so any more: it was not sent, and is not.
    Overtaken,
    /// The server could not be reached: it says nothing about this letter, and every other one would meet
    /// the same. Not counted as an attempt.
    Unreachable {
        /// What went wrong and what to fix, for people.
        error: String,
    },
    /// The server refuses the sender, a quota is used up or it is in trouble itself: every other letter would
    /// meet the same, and a person must see to it. Not counted as an attempt.
    Refused {
        /// What it said and what to fix, for people.
        error: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redirect_goes_with_every_letter() {
        let address = |text: &str| EmailAddress::trusted(text.to_owned());
        let addressing = Addressing::new(Some(address("teste@example.com")));
        let alert = Alert {
            subject: "a".to_owned(),
            happened: "b".to_owned(),
            todo: "c".to_owned(),
            issuer: "d".to_owned(),
        };
        let matter = Matter {
            cause: "late 2026-10".to_owned(),
            subject: "a".to_owned(),
            content: Content::Alert { alert },
        };
        let letter = addressing.letter(matter, address("loja@example.com"), "<1@x>".to_owned());
        assert_eq!(letter.redirected_to().map(EmailAddress::as_str), Some("teste@example.com"));
        assert_eq!(letter.clone().again(2).redirected_to(), letter.redirected_to());
        assert_eq!((letter.matter().content.kind(), letter.again(2).resend()), (Kind::Alert, 2));
    }
}
