//! `fecha daemon`

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use super::output::{Failure, Output};
use crate::clock::Clock;
use crate::daemon::{self, DaemonError};
use crate::setup::config::{self, Config};
use crate::setup::office::{NoLedger, Office};

/// Arguments of `fecha daemon`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Closes each month when it has ended in each time zone of the register, sends
the emails, tries again what failed, and writes to [email] admins when
something needs a person. Months that ended before its first start are left to
`fecha close --month`. SIGTERM or Ctrl-C finishes the invoice and the emails
in hand.

On [console] listen: the console, for people whom `fecha people add` invites,
and /healthz, /readyz and /metrics. On PostgreSQL several may run: one works,
the others wait.

--probe asks /readyz of the daemon that runs by this configuration, for a
container's health: exit status 0 where it is ready, 1 where it says that it is
not, 3 where nobody answers.

Example:
  fecha daemon --config /etc/fecha/fecha.toml")]
pub struct Args {
    /// Ask a running daemon whether it is ready, and do nothing else
    #[arg(long)]
    probe: bool,
}

impl Args {
    /// Whether a daemon is only asked.
    pub fn is_probe(&self) -> bool {
        self.probe
    }
}

/// How long a daemon may take to say whether it is ready: it asks its ledger.
const ANSWER: Duration = Duration::from_secs(15);

/// Asks the daemon of a configuration whether it is ready.
pub async fn probe(config: Option<&Path>, output: &Output) -> Result<u8, Failure> {
    let listen = Config::load(config, config::environment())?.listen;
    let address = reachable(listen);
    let away = |cause: String| Failure {
        status: 3,
        message: format!("no daemon answers at {address} ([console] listen): {cause}"),
        busy: false,
    };
    let answer = tokio::time::timeout(ANSWER, asked(address)).await;
    let answer =
        answer.map_err(|_| away(format!("nothing within {} seconds", ANSWER.as_secs())))?;
    let answer = answer.map_err(|error| away(error.to_string()))?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let code = head.split(' ').nth(1).unwrap_or_default();
    let body: Value = serde_json::from_str(body).map_err(|_| {
        away(format!(
            "it is another program, which says {}",
            head.lines().next().unwrap_or_default()
        ))
    })?;
    let is_ready = code == "200";
    output.result(&json!({"address": address.to_string(), "answer": body}), |_| {
        let why = body["why"].as_str().unwrap_or("it does not say why");
        if is_ready { "ready\n".to_owned() } else { format!("not ready: {why}\n") }
    });
    Ok(u8::from(!is_ready))
}

/// Who listens on all addresses of this machine is asked on its loopback.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

/// One request, as short as one can be.
async fn asked(address: SocketAddr) -> std::io::Result<String> {
    const MOST: u64 = 65_536;
    let mut stream = TcpStream::connect(address).await?;
    let request = format!("GET /readyz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.take(MOST).read_to_end(&mut answer).await?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

/// Runs until SIGTERM or SIGINT.
pub async fn daemon(config: Option<&Path>) -> Result<u8, Failure> {
    let stopped = until_told()?;
    let office = Office::open(config, NoLedger::Refuse, Clock::System).await?;
    daemon::run(office, stopped).await?;
    Ok(0)
}

/// Becomes true at SIGTERM or Ctrl-C.
///
/// # Errors
/// [`Failure`] where signals cannot be listened to.
pub fn until_told() -> Result<watch::Receiver<bool>, Failure> {
    let (stop, stopped) = watch::channel(false);
    let cannot_listen = |error| Failure::wrong(format!("cannot listen to signals: {error}"));
    let mut terminate = signal(SignalKind::terminate()).map_err(cannot_listen)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(cannot_listen)?;
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        let _ = stop.send(true);
    });
    Ok(stopped)
}

impl From<DaemonError> for Failure {
    fn from(error: DaemonError) -> Self {
        match error {
            DaemonError::Ledger(error) => error.into(),
            error => Self::wrong(error),
        }
    }
}
