//! The SMTP transport: one connection for many emails, one transaction an email.

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{self, ClientConfig, RootCertStore};

use super::wire::{Privacy, Wire};
use super::{MailError, NotTaken, session, transaction};
use crate::letters::email::Email;
use crate::letters::mailbox::Sender;
use fecha_core::letter::outcome::Problem;
use fecha_core::letter::reply::Reply;
use fecha_core::secret::Secret;

/// How the connection is kept private.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tls {
    /// Plain until STARTTLS, which the server must offer; nothing is sent before it.
    StartTls,
    /// TLS from the first byte.
    Tls,
    /// Plain; to this machine only.
    None,
}

/// `[email.smtp]`: the mail server and how to reach it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SmtpSettings {
    /// Name or IP address; the server's certificate must be for it.
    pub host: String,
    /// 587 for STARTTLS, 465 for TLS.
    pub port: u16,
    /// How the connection is kept private.
    pub tls: Tls,
    /// Who logs in; nobody where it is missing.
    pub username: Option<String>,
    /// Only together with a username. The configuration may leave it to the environment, so a username
    /// alone is no error before something is to be sent.
    pub password: Option<Secret>,
    /// PEM certificates to trust beside those of the system (which `SSL_CERT_FILE` replaces).
    pub ca_file: Option<PathBuf>,
}

/// How long a step may take (RFC 5321 §4.5.3.2).
#[derive(Debug, Clone, Copy)]
pub struct Timeouts {
    /// To make the TCP connection.
    pub connect: Duration,
    /// For the greeting, for TLS, and for the answer to each command.
    pub command: Duration,
    /// From the start of the message to the answer to it.
    pub message: Duration,
    /// For the server to take leave.
    pub quit: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(30),
            command: Duration::from_mins(5),
            message: Duration::from_mins(10),
            quit: Duration::from_secs(10),
        }
    }
}

/// Sends emails to one server.
pub struct SmtpMailer {
    settings: SmtpSettings,
    /// `None` where the connection stays plain.
    privacy: Option<Privacy>,
    sender: Sender,
    timeouts: Timeouts,
    /// Kept from the email before.
    connection: Option<Wire>,
}

impl std::fmt::Debug for SmtpMailer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SmtpMailer").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl SmtpMailer {
    /// Checks the settings; connects to nothing.
    ///
    /// # Errors
    /// [`MailError`] where encryption is off for another machine, a password lacks, or `ca_file` is
    /// no certificate.
    pub fn new(
        settings: SmtpSettings,
        sender: Sender,
        timeouts: Timeouts,
    ) -> Result<Self, MailError> {
        if settings.tls == Tls::None && !is_loopback(&settings.host) {
            return Err(MailError::Plaintext { host: settings.host });
        }
        if let (Some(username), None) = (&settings.username, &settings.password) {
            return Err(MailError::NoPassword { username: username.clone() });
        }
        let privacy = match settings.tls {
            Tls::None => None,
            Tls::StartTls | Tls::Tls => Some(privacy(&settings)?),
        };
        Ok(Self { settings, privacy, sender, timeouts, connection: None })
    }

    /// Hands one email over, and gives the server's answer to it.
    ///
    /// The connection of the email before is used again. Where the server has closed it meanwhile
    /// (a 421 or an end between two emails), that says nothing about this email: it goes over a new
    /// connection.
    ///
    /// # Errors
    /// [`NotTaken`].
    pub async fn send(&mut self, email: &Email) -> Result<Reply, NotTaken> {
        let message = email.to_bytes(&self.sender)?;
        let recipient = email.recipient()?;
        let sender = self.sender.from.email.clone();
        loop {
            let kept = self.connection.take();
            let is_kept = kept.is_some();
            let mut connection = match kept {
                Some(connection) => connection,
                None => self.connect().await?.0,
            };
            let envelope = (sender.as_ref(), recipient.as_ref());
            match transaction::run(&mut connection, envelope, &message, &self.timeouts).await {
                Ok(reply) => {
                    self.connection = Some(connection);
                    return Ok(reply);
                }
                Err(problem) if is_kept && problem.is_stale_connection() => {}
                Err(problem) => {
                    self.keep_after(connection, &problem).await;
                    return Err(NotTaken::Server { server: self.server(), problem });
                }
            }
        }
    }

    /// Connects, encrypts, logs in and takes leave.
    ///
    /// # Errors
    /// [`MailError::Server`], which names the server, the step and what to fix.
    pub async fn check(&self) -> Result<String, MailError> {
        let connected = self.connect().await;
        let (mut connection, name) =
            connected.map_err(|not_taken| MailError::Server(not_taken.to_string()))?;
        let privacy = match self.settings.tls {
            Tls::StartTls => "STARTTLS",
            Tls::Tls => "TLS",
            Tls::None => "not encrypted",
        };
        let login = match &self.settings.username {
            Some(username) => format!("logged in as {username}"),
            None => "no login".to_owned(),
        };
        self.quit(&mut connection).await;
        Ok(format!("{} answers as {name} ({privacy}, {login})", self.server()))
    }

    /// Takes leave where a connection is open.
    pub async fn close(&mut self) {
        if let Some(mut connection) = self.connection.take() {
            self.quit(&mut connection).await;
        }
    }

    /// After a refusal the connection serves the next email, once the server has forgotten this one.
    async fn keep_after(&mut self, mut connection: Wire, problem: &Problem) {
        if problem.ends_connection() {
            return;
        }
        let reset = connection.command("RSET", self.timeouts.command).await;
        if reset.is_ok_and(|reply| reply.class() == 2) {
            self.connection = Some(connection);
        }
    }

    /// Whether the server answers does not matter: it has, or has not, taken every email before.
    async fn quit(&self, connection: &mut Wire) {
        let _ = connection.command("QUIT", self.timeouts.quit).await;
    }

    /// `host:port`, as errors name it.
    pub(super) fn server(&self) -> String {
        format!("{}:{}", self.settings.host, self.settings.port)
    }

    /// An open connection, encrypted and logged in as configured, and the server's name.
    async fn connect(&self) -> Result<(Wire, String), NotTaken> {
        let opened = session::open(&self.settings, self.privacy.as_ref(), &self.timeouts).await;
        opened.map_err(|problem| NotTaken::Server { server: self.server(), problem })
    }
}

/// Whether what goes to this host stays on this machine, by its name alone.
#[must_use]
pub fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Certificates are always verified, for the configured host.
fn privacy(settings: &SmtpSettings) -> Result<Privacy, MailError> {
    let unusable = |reason: String| MailError::Server(format!("cannot use TLS: {reason}"));
    let host = settings.host.trim_start_matches('[').trim_end_matches(']').to_owned();
    let name = ServerName::try_from(host).map_err(|error| unusable(error.to_string()))?;
    let mut roots = RootCertStore::empty();
    // What cannot be read among the system's certificates keeps the others from nothing.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if let Some(path) = &settings.ca_file {
        let unfit = |reason: String| MailError::Authority { path: path.clone(), reason };
        let pem = std::fs::read(path).map_err(|error| unfit(error.to_string()))?;
        let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
        let certificates = certificates.map_err(|error| unfit(error.to_string()))?;
        if certificates.is_empty() {
            return Err(unfit("it has no BEGIN CERTIFICATE".to_owned()));
        }
        for certificate in certificates {
            roots.add(certificate).map_err(|error| unfit(error.to_string()))?;
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| unusable(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Privacy { name, config: Arc::new(config) })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::letters::mailbox::mailbox;

    fn settings(host: &str, tls: Tls) -> SmtpSettings {
        let host = host.to_owned();
        SmtpSettings { host, port: 25, tls, username: None, password: None, ca_file: None }
    }

    fn new(settings: SmtpSettings) -> Result<SmtpMailer, MailError> {
        let from = mailbox("faturas@example.com").unwrap();
        SmtpMailer::new(settings, Sender { from, reply_to: None }, Timeouts::default())
    }

    #[rstest]
    #[case("localhost", true)]
    #[case("127.0.0.1", true)]
    #[case("::1", true)]
    #[case("127.0.0.1.example.com", false)]
    #[case("localhost.example.com", false)]
    #[case("10.0.0.1", false)]
    #[case("smtp.example.com", false)]
    fn goes_plain_to_this_machine_only(#[case] host: &str, #[case] allowed: bool) {
        assert_eq!(new(settings(host, Tls::None)).is_ok(), allowed);
        assert!(new(settings(host, Tls::StartTls)).is_ok());
    }

    #[test]
    fn settings_that_cannot_work_are_named() {
        let plain = new(settings("smtp.example.com", Tls::None)).unwrap_err();
        insta::assert_snapshot!(plain, @r#"[email.smtp] tls = "none" is for a server on this machine only, and 'smtp.example.com' is not: use "starttls" or "tls""#);
        let username = Some("faturas".to_owned());
        let unable = new(SmtpSettings { username, ..settings("smtp.example.com", Tls::Tls) });
        insta::assert_snapshot!(unable.unwrap_err(), @r#"[email.smtp] username = "faturas" has no password: set FECHA_EMAIL__SMTP__PASSWORD"#);
        let folder = tempfile::tempdir().unwrap();
        let ca_file = folder.path().join("ca.pem");
        std::fs::write(&ca_file, "not a certificate").unwrap();
        let path = Some(ca_file.clone());
        let unfit = new(SmtpSettings { ca_file: path, ..settings("smtp.example.com", Tls::Tls) });
        let text = unfit.unwrap_err().to_string().replace(ca_file.to_str().unwrap(), "ca.pem");
        insta::assert_snapshot!(text, @"[email.smtp] ca_file 'ca.pem' is no PEM certificate: it has no BEGIN CERTIFICATE");
    }

    #[test]
    fn a_password_is_not_printed() {
        let secret = Some(Secret::new("s3cret".to_owned()));
        let username = Some("faturas".to_owned());
        let settings =
            SmtpSettings { username, password: secret, ..settings("localhost", Tls::Tls) };
        assert!(!format!("{settings:?}").contains("s3cret"));
        assert!(!format!("{:?}", new(settings).unwrap()).contains("s3cret"));
    }
}
