//! Makes letters: to whom, about what, under which subject and Message-ID. The only place that does, so
//! that none goes out past the redirect of a month in parallel.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use fecha_core::account::reminder::Reminder;
use fecha_core::bill::digest::Digest;
use fecha_core::bill::group_bill::GroupBill;
use fecha_core::bill::hold::Held;
use fecha_core::bill::invoice::{Cancellation, Invoice};
use fecha_core::bill::package_use::PackageUse;
use fecha_core::letter::{Addressing, Alert, Content, Letter, Matter, Part};
use fecha_core::party::register::{Dealership, EmailAddress, EvidenceWish};

use super::mailbox::Sender;
use super::template::{TemplateError, Templates};
use super::view::Enclosed;

/// Addresses letters: one to each recipient.
#[derive(Debug, Clone)]
pub struct Addresser {
    templates: Arc<Templates>,
    sender: Sender,
    addressing: Addressing,
}

/// For whom a letter about a cancellation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// Who got the invoice.
    Dealership,
    /// A copy for the reseller's own books.
    Finance,
}

impl Addresser {
    /// Words letters by `templates`; they come from `sender`.
    #[must_use]
    pub fn new(templates: Arc<Templates>, sender: Sender, addressing: Addressing) -> Self {
        Self { templates, sender, addressing }
    }

    /// With both documents of an invoice, and its evidence where that is wished for.
    ///
    /// # Errors
    /// [`TemplateError`] where the subject cannot be worded.
    pub fn invoice(
        &self,
        invoice: &Invoice,
        evidence: EvidenceWish,
        to: Vec<EmailAddress>,
        now: DateTime<Utc>,
    ) -> Result<Vec<Letter>, TemplateError> {
        let matter = Matter {
            cause: invoice.label(),
            subject: self.templates.invoice_subject(invoice)?,
            content: Content::Invoice {
                number: invoice.number,
                revision: invoice.revision,
                evidence: evidence != EvidenceWish::Hash,
            },
        };
        Ok(self.letters(&matter, to, now))
    }

    /// With the document that says that an invoice is void.
    ///
    /// # Errors
    /// [`TemplateError`] where the subject cannot be worded.
    pub fn cancellation(
        &self,
        invoice: &Invoice,
        cancellation: &Cancellation,
        whose: Whose,
        to: Vec<EmailAddress>,
        now: DateTime<Utc>,
    ) -> Result<Vec<Letter>, TemplateError> {
        let is_copy = whose == Whose::Finance;
        let matter = Matter {
            cause: format!("{} cancelled", invoice.label()),
            subject: self.templates.cancellation(invoice, cancellation, is_copy)?.subject,
            content: Content::Cancellation {
                number: invoice.number,
                revision: invoice.revision,
                cancellation: cancellation.clone(),
                is_copy,
            },
        };
        Ok(self.letters(&matter, to, now))
    }

    /// One part of a close report.
    ///
    /// # Errors
    /// [`TemplateError`] where the subject cannot be worded.
    pub fn digest(
        &self,
        digest: &Digest,
        part: &Part,
        to: Vec<EmailAddress>,
        now: DateTime<Utc>,
    ) -> Result<Vec<Letter>, TemplateError> {
        let Digest { month, sequence, .. } = *digest;
        let matter = Matter {
            cause: format!("{month}#{sequence} {}/{}", part.number, part.of),
            subject: self.templates.digest(digest, part)?.subject,
            content: Content::Digest { month, sequence, part: part.clone() },
        };
        Ok(self.letters(&matter, to, now))
    }

    /// A close that is held, for the `sequence`th time for other reasons than before.
    ///
    /// # Errors
    /// [`TemplateError`] where the subject cannot be worded.
    pub fn held(
        &self,
        held: &Held,
        sequence: u32,
        to: Vec<EmailAddress>,
        now: DateTime<Utc>,
    ) -> Result<Vec<Letter>, TemplateError> {
        let month = held.digest.month;
        let matter = Matter {
            cause: format!("held {month}#{sequence}"),
            subject: self.templates.held(held)?.subject,
            content: Content::Held { month, sequence },
        };
        Ok(self.letters(&matter, to, now))
    }

    /// To a dealership that has used so much of its package.
    ///
    /// # Errors
    /// [`TemplateError`] where the subject cannot be worded.
    pub fn package_use(
        &self,
        dealership: &Dealership,
        package_use: &PackageUse,
        now: DateTime<Utc>,
    ) -> Result<Vec<Letter>, TemplateError> {
        let PackageUse { month, threshold, .. } = package_use;
        let matter = Matter {
            cause: format!("{month} {threshold}% {}", dealership.id),
            subject: self.templates.package_use(package_use)?.subject,
            content: Content::PackageUse { package_use: Box::new(package_use.clone()) },
        };
        Ok(self.letters(&matter, recipients(dealership), now))
    }

    /// To a dealership, about what it has open.
    ///
    /// # Errors
    /// [`TemplateError`] where the subject cannot be worded.
    pub fn reminder(
        &self,
        dealership: &Dealership,
        reminder: &Reminder,
        now: DateTime<Utc>,
    ) -> Result<Vec<Letter>, TemplateError> {
        let matter = Matter {
            cause: format!("{} {}", reminder.on, dealership.id),
            subject: self.templates.reminder(reminder)?.subject,
            content: Content::Reminder { reminder: Box::new(reminder.clone()) },
        };
        Ok(self.letters(&matter, recipients(dealership), now))
    }

    /// To whoever gets the letters of a group's dealerships: all their invoices of a month and the page that adds them up,
    /// in so many parts.
    ///
    /// # Errors
    /// [`TemplateError`] where the subject cannot be worded.
    pub fn group(
        &self,
        bill: &GroupBill,
        parts: &[Part],
        to: &[EmailAddress],
        now: DateTime<Utc>,
    ) -> Result<Vec<Letter>, TemplateError> {
        let mut letters = Vec::new();
        for part in parts {
            let matter = Matter {
                cause: format!("{} {} {}/{}", bill.txid.month, bill.txid, part.number, part.of),
                // How the files are enclosed is no matter of the subject.
                subject: self.templates.group(bill, part, Enclosed::Loose)?.subject,
                content: Content::Group { txid: bill.txid, part: part.clone() },
            };
            letters.extend(self.letters(&matter, to.to_vec(), now));
        }
        Ok(letters)
    }

    /// A call for a person; `cause` makes it the same call as an earlier one.
    ///
    /// # Errors
    /// [`TemplateError`] where the subject cannot be worded.
    pub fn alert(
        &self,
        cause: String,
        alert: Alert,
        to: Vec<EmailAddress>,
        now: DateTime<Utc>,
    ) -> Result<Vec<Letter>, TemplateError> {
        let subject = self.templates.alert(&alert)?.subject;
        let matter = Matter { cause, subject, content: Content::Alert { alert } };
        Ok(self.letters(&matter, to, now))
    }

    /// A letter that was written before, as it was.
    #[must_use]
    pub fn again(&self, matter: &Matter, to: Vec<EmailAddress>, now: DateTime<Utc>) -> Vec<Letter> {
        self.letters(matter, to, now)
    }

    fn letters(&self, matter: &Matter, to: Vec<EmailAddress>, now: DateTime<Utc>) -> Vec<Letter> {
        let letter = |recipient| {
            let message_id = self.sender.new_message_id(now);
            self.addressing.letter(matter.clone(), recipient, message_id)
        };
        to.into_iter().map(letter).collect()
    }
}

/// Who gets a dealership's letters, each address once.
#[must_use]
pub fn recipients(dealership: &Dealership) -> Vec<EmailAddress> {
    let mut recipients = vec![dealership.email.clone()];
    for address in &dealership.cc {
        if !recipients.contains(address) {
            recipients.push(address.clone());
        }
    }
    recipients
}
