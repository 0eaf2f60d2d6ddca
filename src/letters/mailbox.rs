//! Addresses of emails, as the mail library understands them, and who writes.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use lettre::message::Mailbox;
use uuid::{NoContext, Timestamp, Uuid};

use fecha_core::party::email::{Refusal, refused_at_once};
use fecha_core::party::register::EmailAddress;

/// The text is no email address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{text}' is no email address: write it as name@example.com{hint}", text = .0, hint = self.refusal().map(|refusal| refusal.to_string()).unwrap_or_default())]
pub struct InvalidAddress(pub String);

impl InvalidAddress {
    /// What keeps servers from it, where that is known.
    #[must_use]
    pub fn refusal(&self) -> Option<Refusal> {
        refused_at_once(&sendable(&self.0))
    }
}

/// The address with the letters that mail servers take: a domain with accents in its `xn--` form.
fn sendable(text: &str) -> Cow<'_, str> {
    let Some((name, domain)) = text.rsplit_once('@').filter(|(_, domain)| !domain.is_ascii())
    else {
        return Cow::Borrowed(text);
    };
    // What is no domain stays as it is, and is refused for it.
    idna::domain_to_ascii_strict(domain)
        .map_or(Cow::Borrowed(text), |domain| Cow::Owned(format!("{name}@{domain}")))
}

/// Parses a bare address `name@host`, as the mail library understands it. A domain with accents becomes its
/// `xn--` form, which all servers take.
///
/// One that no server takes mail for is refused where a person can still mend it.
///
/// # Errors
/// [`InvalidAddress`], which repeats the text.
pub fn address(text: &str) -> Result<EmailAddress, InvalidAddress> {
    let text = text.trim();
    let sendable = sendable(text);
    sendable
        .parse::<lettre::Address>()
        .ok()
        .filter(|_| refused_at_once(&sendable).is_none())
        .map(|address| EmailAddress::trusted(address.to_string()))
        .ok_or_else(|| InvalidAddress(text.to_owned()))
}

/// Parses an address with an optional name: `Faturamento <faturas@example.com>`.
///
/// # Errors
/// [`InvalidAddress`], which repeats the text.
pub fn mailbox(text: &str) -> Result<Mailbox, InvalidAddress> {
    let invalid = || InvalidAddress(text.to_owned());
    if text.chars().any(char::is_control) {
        return Err(invalid());
    }
    let mailbox: Mailbox = text.trim().parse().map_err(|_| invalid())?;
    let sendable = address(mailbox.email.as_ref()).map_err(|_| invalid())?;
    let email = sendable.as_str().parse().map_err(|_| invalid())?;
    Ok(Mailbox { name: mailbox.name, email })
}

/// Who writes the emails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sender {
    /// The `From` header and, without its name, the envelope: bounces go there.
    pub from: Mailbox,
    /// Where answers go; `None` is `from`.
    pub reply_to: Option<Mailbox>,
}

impl Sender {
    /// A Message-ID with its angle brackets, unique for ever, in the sender's domain. Made once for an
    /// email and kept over every retry.
    #[must_use]
    pub fn new_message_id(&self, now: DateTime<Utc>) -> String {
        let seconds = u64::try_from(now.timestamp()).unwrap_or_default();
        let uuid =
            Uuid::new_v7(Timestamp::from_unix(NoContext, seconds, now.timestamp_subsec_nanos()));
        format!("<{uuid}@{}>", self.from.email.domain())
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("financeiro@example.com", Some("financeiro@example.com"))]
    #[case("  a.b+c@loja.example.com.br ", Some("a.b+c@loja.example.com.br"))]
    #[case("josé@example.com", None)]
    #[case("loja@concessionária.com.br", Some("loja@xn--concessionria-deb.com.br"))]
    #[case("loja@Concessiona\u{301}ria.com.br", Some("loja@xn--concessionria-deb.com.br"))]
    #[case("loja@são-joão.example.com", Some("loja@xn--so-joo-3tae.example.com"))]
    #[case("josé@concessionária.com.br", None)]
    #[case("loja@concessionária", None)]
    #[case("loja@-ç.com.br", None)]
    #[case("loja@example", None)]
    #[case("loja@localhost", None)]
    #[case("loja@xn--concessionria-mbb.com.br", Some("loja@xn--concessionria-mbb.com.br"))]
    #[case("a@b@c", None)]
    #[case("a b@example.com", None)]
    #[case("a@example.com, b@example.com", None)]
    #[case("Loja <a@example.com>", None)]
    #[case("a@example.com\r\nBcc: b@example.com", None)]
    #[case("", None)]
    #[case(r#""a b"@x.com"#, None)]
    #[case("a@[127.0.0.1]", None)]
    fn bare_addresses(#[case] text: &str, #[case] expected: Option<&str>) {
        let parsed = address(text);
        assert_eq!(parsed.as_ref().ok().map(EmailAddress::as_str), expected);
    }

    #[test]
    fn an_address_with_accents_is_told_so() {
        let told = |text| address(text).unwrap_err().to_string();
        insta::assert_snapshot!(told("loja"), @"'loja' is no email address: write it as name@example.com");
        insta::assert_snapshot!(told("josé@example.com"), @"'josé@example.com' is no email address: write it as name@example.com, without accents before the @, which mail servers refuse");
        insta::assert_snapshot!(told("loja@concessionária"), @"'loja@concessionária' is no email address: write it as name@example.com: its domain has no ending such as .com.br");
    }

    #[test]
    fn mailboxes_may_have_a_name() {
        let named = mailbox("Faturamento São José <faturas@example.com>").unwrap();
        assert_eq!(named.name.as_deref(), Some("Faturamento São José"));
        assert_eq!(named.email.to_string(), "faturas@example.com");
        assert_eq!(mailbox("faturas@example.com").unwrap().name, None);
        let accents = mailbox("Concessionária <faturas@concessionária.com.br>").unwrap();
        assert_eq!(accents.email.to_string(), "faturas@xn--concessionria-deb.com.br");
        assert!(mailbox("Faturas <faturas@example>.com").is_err());
        assert!(mailbox("Faturas\r\nBcc: x@example.com <faturas@example.com>").is_err());
    }

    #[test]
    fn message_ids_are_unique_and_in_the_domain_of_the_sender() {
        let from = mailbox("Faturas <faturas@example.com>").unwrap();
        let sender = Sender { from, reply_to: None };
        let now = "2026-11-01T03:00:01Z".parse().unwrap();
        let id = sender.new_message_id(now);
        assert!(id.starts_with("<01a1950c-b768-7"), "{id} does not begin with the time");
        assert!(id.ends_with("@example.com>"), "{id}");
        assert_ne!(id, sender.new_message_id(now));
    }
}
