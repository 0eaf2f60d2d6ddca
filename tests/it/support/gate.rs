//! A gate before a server: a test opens and shuts it.

use std::sync::Mutex;

use tokio::net::{TcpSocket, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

/// Shut at first: connections to `port` are refused.
pub struct Gate {
    pub port: u16,
    /// Keeps the port from all others while the gate is shut: bound, it refuses, for it never listens.
    _holder: TcpSocket,
    server: String,
    /// Accepts, and holds the connections that were let through.
    keeper: Mutex<Option<JoinHandle<()>>>,
}

impl Gate {
    /// `server` is its host and port.
    pub fn before(server: &str) -> Self {
        let holder = shared_socket(0);
        let port = holder.local_addr().unwrap().port();
        Self { port, _holder: holder, server: server.to_owned(), keeper: Mutex::new(None) }
    }

    /// Lets connections through.
    pub fn open(&self) {
        let listener = shared_socket(self.port).listen(64).unwrap();
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

/// A socket at a port that the gate's sockets share among themselves, and with nobody else.
fn shared_socket(port: u16) -> TcpSocket {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_reuseaddr(true).unwrap();
    socket.set_reuseport(true).unwrap();
    socket.bind(([127, 0, 0, 1], port).into()).unwrap();
    socket
}
