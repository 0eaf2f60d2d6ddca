//! An email as the receiver gets it: MIME, ready to be handed over (RFC 5322, 2045).

use std::time::SystemTime;

use chrono::{DateTime, Utc};
use lettre::Message;
use lettre::message::header::{
    ContentTransferEncoding, ContentType, Header, HeaderName, HeaderValue,
};
use lettre::message::{Attachment as LettreAttachment, Body, MultiPart, SinglePart};

use super::text::one_line;
use super::{InvalidAddress, Sender};
use crate::billing::register::EmailAddress;

/// One email to one recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Email {
    /// With angle brackets, from [`Sender::new_message_id`]; the same in every attempt.
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

/// The email cannot be written as a message.
#[derive(Debug, thiserror::Error)]
pub enum MessageError {
    /// The recipient.
    #[error(transparent)]
    Address(#[from] InvalidAddress),
    /// The media type of a file.
    #[error("'{content_type}' of attachment '{file_name}' is no media type")]
    ContentType {
        /// The attachment.
        file_name: String,
        /// What it claims to be.
        content_type: String,
    },
    /// Base64 takes anything; the mail library's signature allows that it does not.
    #[error("attachment '{file_name}' cannot be encoded")]
    Encoding {
        /// The attachment.
        file_name: String,
    },
    /// Anything else that the mail library refuses.
    #[error("the email cannot be written: {0}")]
    Build(#[from] lettre::error::Error),
}

/// RFC 3834: nobody's holiday notice shall answer.
#[derive(Clone)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

impl Email {
    /// The message with its headers, lines ended by CR LF, ASCII throughout. The same email gives the
    /// same bytes, so that a retry sends what was sent before.
    ///
    /// # Errors
    /// [`MessageError`] where the recipient or a media type is none.
    pub fn to_bytes(&self, sender: &Sender) -> Result<Vec<u8>, MessageError> {
        let mut builder = Message::builder()
            .from(sender.from.clone())
            .to(self.recipient()?.into())
            .subject(one_line(&self.subject))
            .message_id(Some(self.message_id.clone()))
            .date(SystemTime::from(self.date))
            .header(AutoSubmitted);
        if let Some(reply_to) = &sender.reply_to {
            builder = builder.reply_to(reply_to.clone());
        }
        let boundary = self.boundary();
        let body = MultiPart::alternative()
            .boundary(format!("{boundary}-b"))
            .singlepart(SinglePart::plain(self.text.clone()))
            .singlepart(SinglePart::html(self.html.clone()));
        let mut parts = MultiPart::mixed().boundary(format!("{boundary}-m")).multipart(body);
        for attachment in &self.attachments {
            parts = parts.singlepart(attachment.part()?);
        }
        Ok(builder.multipart(parts)?.formatted())
    }

    /// The recipient as the mail library takes it.
    pub(super) fn recipient(&self) -> Result<lettre::Address, InvalidAddress> {
        let text = self.to.as_str();
        text.parse().map_err(|_| InvalidAddress(text.to_owned()))
    }

    /// Between the parts; the library's own is random. `=_` occurs in no encoded body (RFC 2045 §6.7).
    fn boundary(&self) -> String {
        let id: String =
            self.message_id.chars().filter(char::is_ascii_alphanumeric).take(32).collect();
        format!("=_{id}")
    }
}

impl Attachment {
    fn part(&self) -> Result<SinglePart, MessageError> {
        let content_type =
            ContentType::parse(self.content_type).map_err(|_| MessageError::ContentType {
                file_name: self.file_name.clone(),
                content_type: self.content_type.to_owned(),
            })?;
        // Always base64: a PDF that is mostly ASCII would go as quoted-printable, and sizes on the
        // wire could not be foretold.
        let body = Body::new_with_encoding(self.bytes.clone(), ContentTransferEncoding::Base64)
            .map_err(|_| MessageError::Encoding { file_name: self.file_name.clone() })?;
        Ok(LettreAttachment::new(self.file_name.clone()).body(body, content_type))
    }
}
