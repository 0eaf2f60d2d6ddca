//! The SMTP transport: one connection for many emails, one transaction an email.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;

use super::MailError;
use super::transaction::{self, Fault, SmtpProblem, in_time};
use crate::letters::email::Email;
use crate::letters::mailbox::Sender;
use fecha_core::letter::Delivery;
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
    tls: Option<TlsParameters>,
    login: Option<Credentials>,
    sender: Sender,
    timeouts: Timeouts,
    /// Kept from the email before.
    connection: Option<AsyncSmtpConnection>,
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
        let login = match (&settings.username, &settings.password) {
            (None, _) => None,
            (Some(username), Some(password)) => {
                Some(Credentials::new(username.clone(), password.expose().to_owned()))
            }
            (Some(username), None) => {
                return Err(MailError::NoPassword { username: username.clone() });
            }
        };
        let tls = match settings.tls {
            Tls::None => None,
            Tls::StartTls | Tls::Tls => Some(tls_parameters(&settings)?),
        };
        Ok(Self { settings, tls, login, sender, timeouts, connection: None })
    }

    /// Hands one email over.
    ///
    /// The connection of the email before is used again. Where the server has closed it meanwhile
    /// (a 421 or an end between two emails), that says nothing about this email: it goes over a new
    /// connection.
    pub async fn send(&mut self, email: &Email) -> Delivery {
        let message = match email.to_bytes(&self.sender) {
            Ok(message) => message,
            Err(error) => return Delivery::Failed { error: error.to_string() },
        };
        let recipient = match email.recipient() {
            Ok(recipient) => recipient,
            Err(error) => return Delivery::Failed { error: error.to_string() },
        };
        let sender = self.sender.from.email.clone();
        loop {
            let kept = self.connection.take();
            let is_kept = kept.is_some();
            let mut connection = match kept {
                Some(connection) => connection,
                None => match self.connect().await {
                    Ok(connection) => connection,
                    Err(error) => return Delivery::Unreachable { error },
                },
            };
            let envelope = (sender.clone(), recipient.clone());
            match transaction::run(&mut connection, envelope, &message, &self.timeouts).await {
                Ok(()) => {
                    self.connection = Some(connection);
                    return Delivery::Sent;
                }
                Err(problem) if is_kept && problem.is_stale_connection() => {}
                Err(problem) => {
                    self.keep_after(connection, &problem).await;
                    return problem.into_delivery();
                }
            }
        }
    }

    /// Connects, encrypts, logs in and takes leave.
    ///
    /// # Errors
    /// [`MailError::Server`], which names the server, the step and what to mend.
    pub async fn check(&self) -> Result<String, MailError> {
        let mut connection = self.connect().await.map_err(MailError::Server)?;
        let name = connection.server_info().name().to_owned();
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
    async fn keep_after(&mut self, mut connection: AsyncSmtpConnection, problem: &SmtpProblem) {
        if problem.ends_connection() {
            return;
        }
        let reset = connection.command(lettre::transport::smtp::commands::Rset);
        if in_time(self.timeouts.command, reset).await.is_ok() {
            self.connection = Some(connection);
        }
    }

    /// Whether the server answers does not matter: it has, or has not, taken every email before.
    async fn quit(&self, connection: &mut AsyncSmtpConnection) {
        let _ = in_time(self.timeouts.quit, connection.quit()).await;
    }

    /// `host:port`, as errors name it.
    fn server(&self) -> String {
        format!("{}:{}", self.settings.host, self.settings.port)
    }

    /// An open connection, encrypted and logged in as configured; or what went wrong and what to mend.
    async fn connect(&self) -> Result<AsyncSmtpConnection, String> {
        let failed = |step: &str, fault: &Fault, mend: &str| {
            format!("mail server {}: {step}: {fault}{}", self.server(), hint(fault, mend))
        };
        let hello = ClientId::default();
        let mut connection = self.dial(&hello).await.map_err(|fault| {
            failed("cannot connect", &fault, "check [email.smtp] host, port and tls")
        })?;
        if let (Tls::StartTls, Some(tls)) = (self.settings.tls, &self.tls) {
            in_time(self.timeouts.command, connection.starttls(tls.clone(), &hello))
                .await
                .map_err(|fault| {
                    let mend = "check [email.smtp] port and tls; nothing was sent unencrypted";
                    failed("cannot encrypt by STARTTLS", &fault, mend)
                })?;
        }
        if let Some(login) = &self.login {
            let mechanisms = [Mechanism::Plain, Mechanism::Login];
            in_time(self.timeouts.command, connection.auth(&mechanisms, login)).await.map_err(
                |fault| {
                    let mend = "check [email.smtp] username and FECHA_EMAIL__SMTP__PASSWORD";
                    failed("cannot log in", &fault, mend)
                },
            )?;
        }
        Ok(connection)
    }

    /// TCP, TLS where it comes first, greeting and EHLO.
    async fn dial(&self, hello: &ClientId) -> Result<AsyncSmtpConnection, Fault> {
        let Timeouts { connect, command, .. } = self.timeouts;
        if let (Tls::Tls, Some(tls)) = (self.settings.tls, self.tls.clone()) {
            let address = (self.settings.host.as_str(), self.settings.port);
            let connection =
                AsyncSmtpConnection::connect_tokio1(address, Some(connect), hello, Some(tls), None);
            return in_time(connect + command, connection).await;
        }
        let stream = self.tcp().await?;
        in_time(command, AsyncSmtpConnection::connect_with_transport(Box::new(stream), hello)).await
    }

    /// A connection to the first of the host's addresses that answers.
    async fn tcp(&self) -> Result<TcpStream, Fault> {
        let limit = self.timeouts.connect;
        let broken = |error: std::io::Error| Fault::Broken(error.to_string());
        let address = (self.settings.host.as_str(), self.settings.port);
        let addresses = timeout(limit, lookup_host(address)).await;
        let mut fault = Fault::Broken("its name has no address".to_owned());
        for address in addresses.map_err(|_| Fault::Silent(limit))?.map_err(broken)? {
            match timeout(limit, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => {
                    // The library writes the end of a message by itself: held back until the server
                    // has acknowledged the rest, it would cost every email up to 40 ms.
                    stream.set_nodelay(true).map_err(broken)?;
                    return Ok(stream);
                }
                Ok(Err(error)) => fault = broken(error),
                Err(_) => fault = Fault::Silent(limit),
            }
        }
        Err(fault)
    }
}

/// What to mend: `mend`, unless the fault says it better.
fn hint(fault: &Fault, mend: &str) -> String {
    match fault {
        Fault::Broken(text) if text.contains("certificate") => {
            "; the server's certificate must be for [email.smtp] host and from an authority that this machine, or [email.smtp] ca_file, trusts".to_owned()
        }
        // The server will let us in later.
        _ if fault.is_refused_with("4") => String::new(),
        _ => format!("; {mend}"),
    }
}

/// Whether what goes to this host stays on this machine, by its name alone.
#[must_use]
pub fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Certificates are always verified, for the configured host.
fn tls_parameters(settings: &SmtpSettings) -> Result<TlsParameters, MailError> {
    let mut builder = TlsParameters::builder(settings.host.clone());
    if let Some(path) = &settings.ca_file {
        let unfit = |reason: String| MailError::Authority { path: path.clone(), reason };
        let pem = std::fs::read(path).map_err(|error| unfit(error.to_string()))?;
        // The library takes a file without any certificate for an empty list of them.
        if !pem.windows(BEGIN.len()).any(|window| window == BEGIN) {
            return Err(unfit("it has no BEGIN CERTIFICATE".to_owned()));
        }
        let authority = Certificate::from_pem(&pem).map_err(|error| unfit(error.to_string()))?;
        builder = builder.add_root_certificate(authority);
    }
    builder.build().map_err(|error| MailError::Server(format!("cannot use TLS: {error}")))
}

const BEGIN: &[u8] = b"-----BEGIN CERTIFICATE-----";

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
