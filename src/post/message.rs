//! An email as the receiver gets it: MIME, ready to be handed over (RFC 5322, 2045).

use std::time::SystemTime;

use lettre::Message;
use lettre::message::header::{
    ContentTransferEncoding, ContentType, Header, HeaderName, HeaderValue,
};
use lettre::message::{Attachment as LettreAttachment, Body, MultiPart, SinglePart};

use crate::letters::email::{Attachment, Email};
use crate::letters::mailbox::{InvalidAddress, Sender};
use fecha_core::letter::text::one_line;

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
