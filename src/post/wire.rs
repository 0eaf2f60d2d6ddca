//! A connection to a mail server: commands go out as lines, replies come in as bytes, in bounds.
//!
//! Not lettre's: it reads replies as UTF-8 text, takes `250` with one Latin-1 letter for a lost connection (so
//! that an email is sent again and again), and takes `354` behind a message for a yes. SMTP as fecha speaks it is
//! nine commands, and the TLS is rustls either way.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use fecha_core::letter::outcome::Fault;
use fecha_core::letter::reply::{Reply, ReplyReader};
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::pki_types::ServerName;

/// What both sides speak over.
trait Stream: AsyncRead + AsyncWrite + Send + Sync + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Sync + Unpin> Stream for T {}

/// An open connection.
pub(super) struct Wire {
    stream: BufReader<Box<dyn Stream>>,
}

/// For whom the server's certificate must be, and who may have signed it.
#[derive(Debug, Clone)]
pub(super) struct Privacy {
    pub name: ServerName<'static>,
    pub config: Arc<ClientConfig>,
}

/// Waits for one step of the dialogue, but not for ever.
pub(super) async fn in_time<T>(
    limit: Duration,
    step: impl Future<Output = io::Result<T>>,
) -> Result<T, Fault> {
    match timeout(limit, step).await {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(error)) => Err(Fault::Broken(error.to_string())),
        Err(_) => Err(Fault::Silent(limit)),
    }
}

impl Wire {
    /// Connects to the first of the host's addresses that answers, each in at most `limit`.
    pub async fn dial(host: &str, port: u16, limit: Duration) -> Result<Self, Fault> {
        let mut fault = Fault::Broken("its name has no address".to_owned());
        for address in in_time(limit, lookup_host((host, port))).await? {
            match in_time(limit, TcpStream::connect(address)).await {
                Ok(stream) => {
                    // A command is a write of its own: held back until the server has acknowledged the
                    // one before, it would cost every email up to 40 ms.
                    stream.set_nodelay(true).map_err(|error| Fault::Broken(error.to_string()))?;
                    return Ok(Self { stream: BufReader::new(Box::new(stream)) });
                }
                Err(failed) => fault = failed,
            }
        }
        Err(fault)
    }

    /// From here on everything is encrypted. What the server said beyond its last reply was said to nobody
    /// whom one knows: then it is not gone on with (CVE-2011-0411).
    pub async fn encrypt(self, privacy: &Privacy, limit: Duration) -> Result<Self, Fault> {
        if !self.stream.buffer().is_empty() {
            let forged = "the server said more before the encryption than it was asked";
            return Err(Fault::Broken(forged.to_owned()));
        }
        let connector = TlsConnector::from(privacy.config.clone());
        let handshake = connector.connect(privacy.name.clone(), self.stream.into_inner());
        let stream = in_time(limit, handshake).await?;
        Ok(Self { stream: BufReader::new(Box::new(stream)) })
    }

    /// Says one line, and waits for the reply to it.
    pub async fn command(&mut self, line: &str, limit: Duration) -> Result<Reply, Fault> {
        let line = format!("{line}\r\n");
        in_time(limit, self.write(line.as_bytes())).await?;
        self.reply(limit).await
    }

    /// Writes all of it.
    pub async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes).await?;
        self.stream.flush().await
    }

    /// The next reply, all of it within the limit.
    pub async fn reply(&mut self, limit: Duration) -> Result<Reply, Fault> {
        let reading = async {
            let mut reader = ReplyReader::default();
            loop {
                let arrived = self.stream.fill_buf().await?;
                if arrived.is_empty() {
                    return Err(io::Error::other("the server closed the connection"));
                }
                let (used, reply) = reader.take(arrived).map_err(io::Error::other)?;
                self.stream.consume(used);
                if let Some(reply) = reply {
                    return Ok(reply);
                }
            }
        };
        in_time(limit, reading).await
    }
}
