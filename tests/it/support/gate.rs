//! A gate before a server: a test opens and shuts it.

use std::sync::Mutex;

use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

/// Shut at first: connections to `port` are refused.
pub struct Gate {
    pub port: u16,
    server: String,
    /// Accepts, and holds the connections that were let through.
    keeper: Mutex<Option<JoinHandle<()>>>,
}

impl Gate {
    /// `server` is its host and port.
    pub fn before(server: &str) -> Self {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        Self { port, server: server.to_owned(), keeper: Mutex::new(None) }
    }

    /// Lets connections through.
    pub async fn open(&self) {
        let listener = TcpListener::bind(("127.0.0.1", self.port)).await.unwrap();
        let server = self.server.clone();
        let keeper = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((mut client, _)) = listener.accept().await {
                let mut server = TcpStream::connect(&server).await.unwrap();
                // A gate must not slow down who goes through: small packets do not wait.
                client.set_nodelay(true).unwrap();
                server.set_nodelay(true).unwrap();
                connections.spawn(async move {
                    let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
                });
            }
        });
        *self.keeper.lock().unwrap() = Some(keeper);
    }

    /// Cuts all connections and refuses new ones.
    pub fn shut(&self) {
        if let Some(keeper) = self.keeper.lock().unwrap().take() {
            keeper.abort();
        }
    }
}
