//! A line to PostgreSQL that is cut, frozen or dead, as a test wants it.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

#[derive(Default)]
struct State {
    /// Who comes is turned away.
    dead: AtomicBool,
    /// Nothing passes, and nobody is told.
    frozen: AtomicBool,
    ended: AtomicBool,
    streams: Mutex<Vec<TcpStream>>,
}

/// Lets everything through until it is told otherwise; ends when it is dropped.
pub struct Line {
    pub port: u16,
    state: Arc<State>,
}

impl Line {
    pub fn to(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free loopback port");
        let port = listener.local_addr().expect("it is bound").port();
        let state = Arc::<State>::default();
        let shared = state.clone();
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if shared.ended.load(Ordering::SeqCst) {
                    return;
                }
                let server = TcpStream::connect(("127.0.0.1", server));
                let (Ok(server), false) = (server, shared.dead.load(Ordering::SeqCst)) else {
                    continue;
                };
                join(&client, &server, &shared);
            }
        });
        Self { port, state }
    }

    /// Ends all connections at once.
    pub fn cut(&self) {
        for stream in self.streams().drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    #[allow(dead_code, reason = "the torture run does")]
    pub fn set_dead(&self, dead: bool) {
        self.state.dead.store(dead, Ordering::SeqCst);
        if dead {
            self.cut();
        }
    }

    pub fn set_frozen(&self, frozen: bool) {
        self.state.frozen.store(frozen, Ordering::SeqCst);
    }

    fn streams(&self) -> std::sync::MutexGuard<'_, Vec<TcpStream>> {
        self.state.streams.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.state.ended.store(true, Ordering::SeqCst);
        self.cut();
        drop(TcpStream::connect(("127.0.0.1", self.port)));
    }
}

fn join(client: &TcpStream, server: &TcpStream, state: &Arc<State>) {
    let mut streams = state.streams.lock().unwrap_or_else(PoisonError::into_inner);
    // Those that have ended are forgotten.
    streams.retain(|stream| stream.peer_addr().is_ok());
    for (from, to) in [(client, server), (server, client)] {
        let _ = from.set_nodelay(true);
        let (Ok(from), Ok(to)) = (from.try_clone(), to.try_clone()) else { return };
        streams.extend(from.try_clone());
        let state = state.clone();
        std::thread::spawn(move || {
            copy(&from, &to, &state);
            let _ = from.shutdown(Shutdown::Both);
            let _ = to.shutdown(Shutdown::Both);
        });
    }
}

fn copy(mut from: &TcpStream, mut to: &TcpStream, state: &State) {
    let mut buffer = [0; 16 * 1024];
    loop {
        let Ok(length @ 1..) = from.read(&mut buffer) else { return };
        while state.frozen.load(Ordering::SeqCst) {
            std::thread::sleep(Duration::from_millis(20));
        }
        if to.write_all(&buffer[..length]).is_err() {
            return;
        }
    }
}
