//! Emails: rendered from templates, built as MIME, sent by SMTP or written as files.

use crate::billing::register::EmailAddress;

/// The text is no email address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no email address: write it as name@example.com")]
pub struct InvalidAddress(pub String);

/// Parses a bare address `name@host`, as the mail library understands it.
///
/// # Errors
/// [`InvalidAddress`], which repeats the text.
pub fn address(text: &str) -> Result<EmailAddress, InvalidAddress> {
    let text = text.trim();
    text.parse::<lettre::Address>()
        .map(|address| EmailAddress::trusted(address.to_string()))
        .map_err(|_| InvalidAddress(text.to_owned()))
}
