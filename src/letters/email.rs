//! An email as it was written: words and files, before it becomes a message.

use chrono::{DateTime, Utc};

use fecha_core::party::register::EmailAddress;

/// One email to one recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Email {
    /// With angle brackets, from [`Sender::new_message_id`](super::mailbox::Sender::new_message_id); the same in every attempt.
    pub message_id: String,
    /// What the file transport calls it: `fatura-2026-000001`.
    pub file_stem: String,
    /// The one recipient.
    pub to: EmailAddress,
    /// One line; line breaks and control characters in it become spaces.
    pub subject: String,
    /// The text part.
    pub text: String,
    /// The HTML part.
    pub html: String,
    /// Files, in this order.
    pub attachments: Vec<Attachment>,
    /// The `Date` header.
    pub date: DateTime<Utc>,
}

/// A file that goes with an email.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// ASCII, for the mail library writes no fallback for other names.
    pub file_name: String,
    /// For example `application/pdf`.
    pub content_type: &'static str,
    /// The content.
    pub bytes: Vec<u8>,
}
