//! Who holds the daemon's line keeps it from nothing.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use fecha::setup::process::allow_many_files;
use rstest::rstest;

use crate::daemon::{all_done, by_smtp, reseller};
use crate::support::daemon::{Daemon, Shift, within};
use crate::support::reseller::LedgerKind;
use crate::support::smtp::Server;

/// As many files as a shell gives, and half of that again for machines that give fewer.
const FILES: [usize; 2] = [1024, 128];
const IDLE: usize = 1000;

/// What a guest says before it falls silent.
const OPENINGS: [&str; 3] = [
    "",
    "GET /metrics HTTP/1.1\r\nHost: test\r\nX-Slow: ",
    "POST /readyz HTTP/1.1\r\nHost: test\r\nContent-Length: 100000\r\n\r\n",
];

fn guests(daemon: &Daemon) -> Vec<TcpStream> {
    let address = daemon.address();
    let guest = |index: usize| {
        let mut stream = TcpStream::connect(&address).unwrap();
        // One that was turned away already cannot be told anything.
        let _ = stream.write_all(OPENINGS[index % OPENINGS.len()].as_bytes());
        stream
    };
    (0..IDLE).map(guest).collect()
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_idle_connections_stop_neither_close_nor_emails(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
    #[values(FILES[0], FILES[1])] files: usize,
) {
    allow_many_files();
    let server = Server::start(&[]).await;
    let smtp = by_smtp(server.port);
    let changes = [("transport = \"file\"", "transport = \"smtp\""), ("dir = \"mail\"", &*smtp)];
    let mut reseller = reseller(ledger, &changes);
    reseller.at("2026-10-15 12:00:00").register(&[("d1", "", "5000"), ("d2", "", "5000")]);
    for id in ["d1", "d2"] {
        reseller.add_contacts(id, 3, "2026-10-31T20:00:00Z");
    }
    let mut shift = Shift::new(&reseller, "2026-10-31T12:00:00Z");
    let daemon = shift.start_with_files(files);
    daemon.says("the daemon runs");
    let held = guests(&daemon);
    assert!(daemon.open_files() < files * 3 / 4, "{} files are open", daemon.open_files());
    shift.set("2026-11-01T03:10:00Z");
    for _ in 0..20 {
        let asked = Instant::now();
        assert_eq!(daemon.get("/livez"), ("HTTP/1.1 200 OK".to_owned(), "alive\n".to_owned()));
        assert!(asked.elapsed() < Duration::from_secs(5), "{:?}", asked.elapsed());
    }
    let more = guests(&daemon);
    assert!(daemon.open_files() < files * 3 / 4, "{} files are open", daemon.open_files());
    all_done(&reseller, 2);
    assert_eq!(server.taken().len(), 3, "two invoices and a digest");
    assert!(daemon.get("/readyz").1.contains("\"ready\":true"));
    drop((held, more));
}

/// Nobody holds a connection by saying nothing, or half of something.
#[test]
fn who_asks_for_nothing_is_let_go() {
    let mut reseller = reseller(LedgerKind::Sqlite, &[]);
    reseller.at("2026-10-15 12:00:00").register(&[("d1", "", "5000")]);
    let mut shift = Shift::new(&reseller, "2026-10-15T12:00:00Z");
    let daemon = shift.start();
    let mut kept = TcpStream::connect(daemon.address()).unwrap();
    kept.write_all(b"GET /livez HTTP/1.1\r\nHost: test\r\n\r\n").unwrap();
    for opening in &OPENINGS[..2] {
        let mut guest = TcpStream::connect(daemon.address()).unwrap();
        guest.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        guest.write_all(opening.as_bytes()).unwrap();
        let begun = Instant::now();
        // What it is told, if anything, ends with the connection.
        let _ = guest.read_to_end(&mut Vec::new());
        assert!(begun.elapsed() < Duration::from_secs(20), "{opening:?}: {:?}", begun.elapsed());
    }
    // One that asked and asks no more, too.
    kept.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let mut answer = Vec::new();
    kept.read_to_end(&mut answer).unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 200 OK"));
    within(Duration::from_secs(5), "it serves on", || daemon.get("/livez").1 == "alive\n");
    let (status, time) = daemon.terminate();
    assert!(status.success() && time < Duration::from_secs(10), "{status} {time:?}");
}
