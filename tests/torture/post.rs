//! A mail server that is slow, lies, stammers and hangs up, and remembers what it took from whom.

use std::collections::BTreeMap;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use sha2::{Digest as _, Sha256};

/// Longer than all deeds together can keep a client waiting for one email.
pub const A_WAIT: Duration = Duration::from_secs(10);

/// How many processes can be told apart at once: each has an address of the loopback net of its own.
pub const DOORS: usize = 48;

/// How the end of a message was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// `250`, as everybody says it.
    Plain,
    /// `250`, but bare, long or in Latin-1: still yes (RFC 5321 §4.2: the code decides).
    Odd,
    /// The connection ended, or what was said means nothing: the client cannot know.
    Lost,
}

/// A message that the server took.
#[derive(Debug, Clone)]
pub struct Taken {
    pub message_id: String,
    /// Which process brought it.
    pub by: u64,
    /// When it began to bring it.
    pub began: Instant,
    pub at: Instant,
    pub answer: Answer,
    /// Of all its bytes.
    pub sha256: String,
    /// The server had been good for a while: nobody waited for it.
    pub was_calm: bool,
}

#[derive(Debug, Default)]
pub struct Book {
    pub taken: Vec<Taken>,
    /// Misdeeds of the server, by name.
    pub misdeeds: BTreeMap<&'static str, u64>,
}

struct Shared {
    /// Of a hundred steps, at how many something is done.
    percent: AtomicU32,
    last_bad: Mutex<Instant>,
    random: Mutex<ChaCha8Rng>,
    book: Mutex<Book>,
    owners: [AtomicU64; DOORS],
    ended: AtomicBool,
}

/// The server; it ends when it is dropped.
pub struct Post {
    pub port: u16,
    shared: Arc<Shared>,
}

/// The address of a door.
pub fn door(number: usize) -> String {
    format!("127.0.7.{}", number + 1)
}

impl Post {
    pub fn start(seed: u64) -> Self {
        let shared = Arc::new(Shared {
            percent: AtomicU32::new(0),
            last_bad: Mutex::new(Instant::now()),
            random: Mutex::new(ChaCha8Rng::seed_from_u64(seed)),
            book: Mutex::default(),
            owners: [const { AtomicU64::new(0) }; DOORS],
            ended: AtomicBool::new(false),
        });
        let (port, doors) = open_doors();
        for (number, listener) in doors.into_iter().enumerate() {
            let shared = shared.clone();
            std::thread::spawn(move || {
                for stream in listener.incoming().flatten() {
                    if shared.ended.load(Ordering::SeqCst) {
                        return;
                    }
                    let by = shared.owners[number].load(Ordering::SeqCst);
                    let shared = shared.clone();
                    let session = Session { stream, by, shared, began: Instant::now() };
                    std::thread::spawn(move || session.run());
                }
            });
        }
        Self { port, shared }
    }

    /// How bad it is from now on, of a hundred.
    pub fn set_mood(&self, percent: u32) {
        let before = self.shared.percent.swap(percent, Ordering::SeqCst);
        if before > 0 || percent > 0 {
            *self.shared.last_bad.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        }
    }

    /// Who comes through a door from now on.
    pub fn assign(&self, door: usize, process: u64) {
        self.shared.owners[door].store(process, Ordering::SeqCst);
    }

    /// Looks into the book.
    pub fn book<T>(&self, look: impl FnOnce(&mut Book) -> T) -> T {
        look(&mut self.shared.book.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for Post {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::SeqCst);
        for number in 0..DOORS {
            // Wakes the thread, which then ends.
            drop(TcpStream::connect((door(number), self.port)));
        }
    }
}

/// One port that is free at all doors.
fn open_doors() -> (u16, Vec<TcpListener>) {
    for _ in 0..100 {
        let first = TcpListener::bind((door(0), 0)).expect("a free loopback port");
        let port = first.local_addr().expect("it is bound").port();
        let others: io::Result<Vec<_>> =
            (1..DOORS).map(|number| TcpListener::bind((door(number), port))).collect();
        if let Ok(others) = others {
            return (port, std::iter::once(first).chain(others).collect());
        }
    }
    panic!("no port is free at all doors");
}

struct Session {
    stream: TcpStream,
    by: u64,
    shared: Arc<Shared>,
    began: Instant,
}

/// What is said instead of what is right, and what follows.
#[derive(Clone, Copy)]
enum Deed {
    Say(&'static [u8]),
    SayAndClose(&'static [u8]),
    Slow,
    Silence,
    Drop,
}

use Deed::{Drop as Cut, Say, SayAndClose, Silence, Slow};

type Deeds = &'static [(&'static str, Deed)];

const GREETING: Deeds = &[
    ("greeting 421", SayAndClose(b"421 4.3.2 not now\r\n")),
    ("greeting 554", SayAndClose(b"554 5.7.1 go away\r\n")),
    ("greeting in latin-1", Say(b"220 Ol\xe1, aqui \xe9 o correio\r\n")),
    ("greeting bare", Say(b"220\r\n")),
    ("greeting of garbage", SayAndClose(b"\x00\xff\xfe hello\r\n")),
    ("greeting slow", Slow),
    ("greeting silent", Silence),
    ("greeting cut", Cut),
];
const HELLO: Deeds = &[
    ("hello 421", SayAndClose(b"421 4.3.2 not now\r\n")),
    ("hello in latin-1", Say(b"250-correio \xe0s ordens\r\n250 8BITMIME\r\n")),
    ("hello bare", Say(b"250\r\n")),
    ("hello slow", Slow),
    ("hello cut", Cut),
];
const SENDER: Deeds = &[
    ("sender 451", Say(b"451 4.3.0 try again later\r\n")),
    ("sender 550 quota", Say(b"550 5.4.5 Daily user sending limit exceeded\r\n")),
    ("sender 550 latin-1", Say(b"550 conta n\xe3o autorizada\r\n")),
    ("sender 552", Say(b"552 5.2.2 over quota\r\n")),
    ("sender 503", Say(b"503 5.5.1 bad sequence\r\n")),
    ("sender 421", SayAndClose(b"421 4.7.0 too much\r\n")),
    ("sender bare", Say(b"250\r\n")),
    ("sender silent", Silence),
    ("sender cut", Cut),
];
const RECIPIENT: Deeds = &[
    ("recipient 450", Say(b"450 4.2.1 mailbox busy\r\n")),
    ("recipient 452", Say(b"452 4.5.3 too many\r\n")),
    ("recipient 550", Say(b"550 5.1.1 no such user\r\n")),
    ("recipient 550 latin-1", Say(b"550 usu\xe1rio inexistente\r\n")),
    ("recipient in latin-1", Say(b"250 destinat\xe1rio\r\n")),
    ("recipient 421", SayAndClose(b"421 4.7.0 later\r\n")),
    ("recipient slow", Slow),
    ("recipient cut", Cut),
];
const DATA: Deeds = &[
    ("data 452", Say(b"452 4.3.1 no room\r\n")),
    ("data 421", SayAndClose(b"421 4.3.0 later\r\n")),
    ("data 250", Say(b"250 what\r\n")),
    ("data garbage", SayAndClose(b"banana\r\n")),
    ("data silent", Silence),
    ("data cut", Cut),
];
/// Said about a message that is not taken.
const NOT_TAKEN: Deeds = &[
    ("end 451", Say(b"451 4.3.0 try again later\r\n")),
    ("end 452 latin-1", Say(b"452 sem espa\xe7o\r\n")),
    ("end 554 of the server", Say(b"554 5.3.0 not taken\r\n")),
    ("end 350", Say(b"350 go on\r\n")),
    ("end 354", Say(b"354 go on\r\n")),
    ("end 421", SayAndClose(b"421 4.3.0 later\r\n")),
];
/// Said about a message that is taken.
const TAKEN_ODDLY: Deeds = &[
    ("end 250 latin-1", Say(b"250 aceita para entrega imediata, ol\xe1\r\n")),
    ("end 250 bare", Say(b"250\r\n")),
    ("end 250 in two lines", Say(b"250-taken\r\n250 queued\r\n")),
    ("end 251", Say(b"251 will forward\r\n")),
];
/// What leaves the client in the dark about a message that is taken.
const TAKEN_IN_THE_DARK: Deeds = &[
    ("end cut", Cut),
    ("end cut", Cut),
    ("end silent", Silence),
    ("end garbage", SayAndClose(b"\xff\xfe??\r\n")),
];
const BETWEEN: Deeds = &[("between 421", SayAndClose(b"421 4.3.2 bye\r\n")), ("between cut", Cut)];

impl Session {
    /// Ends with the client: that it goes away is no error here.
    fn run(mut self) {
        let _ = self.stream.set_nodelay(true);
        let _ = self.stream.set_read_timeout(Some(Duration::from_mins(2)));
        let Ok(stream) = self.stream.try_clone() else { return };
        let _ = self.talk(&mut BufReader::new(stream));
    }

    fn talk(&mut self, from: &mut BufReader<TcpStream>) -> io::Result<()> {
        self.answer(GREETING, b"220 test\r\n")?;
        loop {
            let line = line(from)?;
            let command = line.split(|byte| b" :\r\n".contains(byte)).next().unwrap_or_default();
            match command.to_ascii_uppercase().as_slice() {
                b"EHLO" | b"HELO" => self.answer(HELLO, b"250-test\r\n250 8BITMIME\r\n")?,
                b"MAIL" => {
                    self.began = Instant::now();
                    self.answer(SENDER, b"250 ok\r\n")?;
                }
                b"RCPT" => self.answer(RECIPIENT, b"250 ok\r\n")?,
                b"DATA" => self.message(from)?,
                b"RSET" | b"NOOP" => self.say(b"250 ok\r\n")?,
                b"QUIT" => return self.say(b"221 bye\r\n"),
                _ => self.say(b"500 what\r\n")?,
            }
        }
    }

    fn message(&mut self, from: &mut BufReader<TcpStream>) -> io::Result<()> {
        if let Some(deed) = self.turn(DATA) {
            if matches!(deed, Slow) {
                std::thread::sleep(Duration::from_millis(300));
            } else {
                return self.carry_out(deed, b"");
            }
        }
        self.say(b"354 go on\r\n")?;
        let cut_after = self.roll(3).then(|| self.random(0..200));
        let (mut message_id, mut lines, mut in_header) = (String::new(), 0, true);
        let mut all = Sha256::new();
        loop {
            let line = line(from)?;
            if line == b".\r\n" {
                break;
            }
            all.update(&line);
            in_header &= line != b"\r\n";
            let text = String::from_utf8_lossy(&line);
            if let (true, Some(id)) = (in_header, text.strip_prefix("Message-ID:")) {
                id.trim().clone_into(&mut message_id);
            }
            lines += 1;
            if cut_after == Some(lines) {
                self.note("content cut");
                return Err(io::ErrorKind::ConnectionAborted.into());
            }
        }
        self.end(message_id, hex::encode(all.finalize()))
    }

    fn end(&mut self, message_id: String, sha256: String) -> io::Result<()> {
        let (deeds, answer) = match self.random(0..4) {
            0 => (NOT_TAKEN, None),
            1 | 2 => (TAKEN_ODDLY, Some(Answer::Odd)),
            _ => (TAKEN_IN_THE_DARK, Some(Answer::Lost)),
        };
        let deed = self.turn(deeds);
        let taken = if deed.is_some() { answer } else { Some(Answer::Plain) };
        if let Some(answer) = taken {
            let was_calm = self.is_calm();
            let taken = Taken {
                message_id,
                by: self.by,
                began: self.began,
                at: Instant::now(),
                answer,
                sha256,
                was_calm,
            };
            self.book().taken.push(taken);
        }
        match deed {
            Some(deed) => return self.carry_out(deed, b""),
            None => self.say(b"250 taken\r\n")?,
        }
        match self.turn(BETWEEN) {
            Some(deed) => self.carry_out(deed, b""),
            None => Ok(()),
        }
    }

    fn answer(&mut self, deeds: Deeds, right: &[u8]) -> io::Result<()> {
        match self.turn(deeds) {
            Some(deed) => self.carry_out(deed, right),
            None => self.say(right),
        }
    }

    fn carry_out(&mut self, deed: Deed, right: &[u8]) -> io::Result<()> {
        match deed {
            Say(line) => self.say(line),
            SayAndClose(line) => {
                self.say(line)?;
                Err(io::ErrorKind::ConnectionAborted.into())
            }
            Slow => {
                std::thread::sleep(Duration::from_millis(self.random(50..800)));
                self.say(right)
            }
            Silence => {
                std::thread::sleep(Duration::from_millis(self.random(500..6000)));
                Err(io::ErrorKind::ConnectionAborted.into())
            }
            Cut => Err(io::ErrorKind::ConnectionAborted.into()),
        }
    }

    /// What of these is done here, if anything.
    fn turn(&self, deeds: Deeds) -> Option<Deed> {
        if !self.roll(self.shared.percent.load(Ordering::SeqCst)) {
            return None;
        }
        let (name, deed) = deeds[usize::try_from(self.random(0..deeds.len() as u64)).unwrap()];
        self.note(name);
        Some(deed)
    }

    /// Whether no deed of it can still keep a client waiting.
    fn is_calm(&self) -> bool {
        let last_bad = *self.shared.last_bad.lock().unwrap_or_else(PoisonError::into_inner);
        self.shared.percent.load(Ordering::SeqCst) == 0 && last_bad.elapsed() > A_WAIT
    }

    fn note(&self, name: &'static str) {
        *self.book().misdeeds.entry(name).or_default() += 1;
    }

    fn roll(&self, percent: u32) -> bool {
        percent > 0 && self.random(0..100) < u64::from(percent)
    }

    fn random(&self, of: std::ops::Range<u64>) -> u64 {
        self.shared.random.lock().unwrap_or_else(PoisonError::into_inner).random_range(of)
    }

    fn book(&self) -> std::sync::MutexGuard<'_, Book> {
        self.shared.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn say(&mut self, line: &[u8]) -> io::Result<()> {
        self.stream.write_all(line)
    }
}

fn line(from: &mut BufReader<TcpStream>) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    if from.read_until(b'\n', &mut line)? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(line)
}
