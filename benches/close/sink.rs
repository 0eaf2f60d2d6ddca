//! A mail server on loopback that takes every message and forgets it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// What was taken so far.
#[derive(Debug, Default)]
pub struct Taken {
    pub emails: AtomicUsize,
    pub bytes: AtomicUsize,
}

/// Listens on a free port until the program ends.
pub fn start() -> (u16, Arc<Taken>) {
    let taken = Arc::new(Taken::default());
    let counted = Arc::clone(&taken);
    let (tell, port) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build();
        runtime.expect("a runtime").block_on(async {
            let loopback = SocketAddr::from(([127, 0, 0, 1], 0));
            let listener = TcpListener::bind(loopback).await.expect("a free port");
            tell.send(listener.local_addr().expect("an address").port()).expect("somebody waits");
            loop {
                let (stream, _) = listener.accept().await.expect("a client");
                stream.set_nodelay(true).expect("an open connection");
                let counted = Arc::clone(&counted);
                // A client that goes away is the client's affair.
                tokio::spawn(async move { serve(stream, &counted).await });
            }
        });
    });
    (port.recv().expect("it listens"), taken)
}

async fn serve(mut stream: TcpStream, taken: &Taken) -> std::io::Result<()> {
    let (reader, mut writer) = stream.split();
    let mut reader = BufReader::with_capacity(1 << 16, reader);
    let mut line = Vec::new();
    let mut in_message = false;
    writer.write_all(b"220 sink\r\n").await?;
    loop {
        line.clear();
        if reader.read_until(b'\n', &mut line).await? == 0 {
            return Ok(());
        }
        if in_message {
            taken.bytes.fetch_add(line.len(), Ordering::Relaxed);
            if line == b".\r\n" {
                in_message = false;
                taken.emails.fetch_add(1, Ordering::Relaxed);
                writer.write_all(b"250 taken\r\n").await?;
            }
            continue;
        }
        in_message = line.starts_with(b"DATA");
        let answer: &[u8] = if in_message { b"354 go on\r\n" } else { b"250 ok\r\n" };
        writer.write_all(answer).await?;
        if line.starts_with(b"QUIT") {
            return Ok(());
        }
    }
}
