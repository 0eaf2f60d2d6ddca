//! A connection is opened: greeting, EHLO, encryption, login (RFC 5321 §3.1, 3207, 4954).

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fecha_core::letter::outcome::{Fault, Phase, Problem};
use fecha_core::letter::reply::Reply;
use fecha_core::secret::Secret;

use super::smtp::{SmtpSettings, Timeouts, Tls};
use super::transaction::expect;
use super::wire::{Privacy, Wire};

/// What a server says it can do, a line each.
struct Offers(Vec<String>);

impl Offers {
    fn has(&self, keyword: &str) -> bool {
        self.0.iter().any(|offer| first_word(offer).eq_ignore_ascii_case(keyword))
    }

    /// Whether it takes a login this way. Old servers write `AUTH=LOGIN`.
    fn takes_login(&self, mechanism: &str) -> bool {
        self.0.iter().any(|offer| {
            let mut words = offer.split([' ', '=']);
            words.next().is_some_and(|word| word.eq_ignore_ascii_case("AUTH"))
                && words.any(|word| word.eq_ignore_ascii_case(mechanism))
        })
    }
}

fn first_word(line: &str) -> &str {
    line.split_whitespace().next().unwrap_or_default()
}

/// Opens a connection as it is configured; beside it the server's name for itself.
pub(super) async fn open(
    settings: &SmtpSettings,
    privacy: Option<&Privacy>,
    timeouts: &Timeouts,
) -> Result<(Wire, String), Problem> {
    let at = |phase| move |fault| Problem { phase, fault };
    let limit = timeouts.command;
    let host = settings.host.trim_start_matches('[').trim_end_matches(']');
    let mut wire =
        Wire::dial(host, settings.port, timeouts.connect).await.map_err(at(Phase::Connect))?;
    if let (Tls::Tls, Some(privacy)) = (settings.tls, privacy) {
        wire = wire.encrypt(privacy, limit).await.map_err(at(Phase::Connect))?;
    }
    expect(2, Phase::Connect, wire.reply(limit).await)?;
    let (mut name, mut offers) = hello(&mut wire, limit).await?;
    if let (Tls::StartTls, Some(privacy)) = (settings.tls, privacy) {
        if !offers.has("STARTTLS") {
            let fault = Fault::Broken("the server does not offer STARTTLS".to_owned());
            return Err(Problem { phase: Phase::Encrypt, fault });
        }
        expect(2, Phase::Encrypt, wire.command("STARTTLS", limit).await)?;
        wire = wire.encrypt(privacy, limit).await.map_err(at(Phase::Encrypt))?;
        // What was said before may have been said by anybody.
        (name, offers) = hello(&mut wire, limit).await?;
    }
    if let (Some(username), Some(password)) = (&settings.username, &settings.password) {
        log_in(&mut wire, &offers, (username, password), limit).await?;
    }
    Ok((wire, name))
}

/// EHLO, or HELO to a server that does not know it; the server's name and what it offers.
async fn hello(wire: &mut Wire, limit: Duration) -> Result<(String, Offers), Problem> {
    let name = own_name();
    let answer = wire.command(&format!("EHLO {name}"), limit).await;
    let answer = match answer {
        Ok(reply) if matches!(reply.code(), 500 | 502) => {
            wire.command(&format!("HELO {name}"), limit).await
        }
        answer => answer,
    };
    let lines = |reply: &Reply| reply.lines().map(str::to_owned).collect::<Vec<_>>();
    let offers = answer.as_ref().map(lines).unwrap_or_default();
    expect(2, Phase::Connect, answer)?;
    let name = offers.first().map(|line| first_word(line).to_owned()).unwrap_or_default();
    Ok((name, Offers(offers.into_iter().skip(1).collect())))
}

/// This machine's name where it is one that a server takes, else its loopback address (RFC 5321 §4.1.3).
fn own_name() -> String {
    let name = hostname::get().ok().and_then(|name| name.into_string().ok()).unwrap_or_default();
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-');
    if !name.is_empty() && name.chars().all(fits) { name } else { "[127.0.0.1]".to_owned() }
}

async fn log_in(
    wire: &mut Wire,
    offers: &Offers,
    (username, password): (&str, &Secret),
    limit: Duration,
) -> Result<(), Problem> {
    let encoded = |text: &str| STANDARD.encode(text);
    if offers.takes_login("PLAIN") {
        let plain = encoded(&format!("\0{username}\0{}", password.expose()));
        let reply = wire.command(&format!("AUTH PLAIN {plain}"), limit).await;
        return expect(2, Phase::Login, reply).map(|_| ());
    }
    if !offers.takes_login("LOGIN") {
        let fault = Fault::Broken("the server offers no login by PLAIN or LOGIN".to_owned());
        return Err(Problem { phase: Phase::Login, fault });
    }
    expect(3, Phase::Login, wire.command("AUTH LOGIN", limit).await)?;
    expect(3, Phase::Login, wire.command(&encoded(username), limit).await)?;
    let reply = wire.command(&encoded(password.expose()), limit).await;
    expect(2, Phase::Login, reply).map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_offers() {
        let lines = ["PIPELINING", "SIZE 35882577", "starttls", "AUTH=LOGIN", "AUTH PLAIN XOAUTH2"];
        let offers = Offers(lines.map(str::to_owned).to_vec());
        assert!(offers.has("STARTTLS") && offers.has("SIZE") && !offers.has("CHUNKING"));
        assert!(offers.takes_login("LOGIN") && offers.takes_login("plain"));
        assert!(!offers.takes_login("CRAM-MD5"));
        assert!(!Offers(vec!["AUTHOR PLAIN".to_owned()]).takes_login("PLAIN"));
    }
}
