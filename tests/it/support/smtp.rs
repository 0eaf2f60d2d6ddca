//! A mail server that misbehaves as it is told, and remembers what it took.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufStream};
use tokio::net::{TcpListener, TcpStream};

/// Where in the dialogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum At {
    Greeting,
    Hello,
    Login,
    Sender,
    Recipient,
    Data,
    /// In the middle of a message.
    Content,
    /// After the whole message.
    End,
    /// After the answer to a message, before the next one.
    Between,
    Reset,
    /// A command that it does not know, STARTTLS for example.
    Other,
}

/// What to do there instead of what is right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// Answers with this line and goes on.
    Say(&'static str),
    /// Answers with this line and closes.
    SayAndClose(&'static str),
    /// Answers with these bytes and goes on.
    Bytes(&'static [u8]),
    /// Does what it is asked, and says so with these bytes.
    Yes(&'static [u8]),
    /// Says this again and again, without end.
    Endless(&'static [u8]),
    /// Never says or reads anything again.
    Silence,
    /// Ends the connection at once.
    Drop,
    /// Takes the message, but ends the connection before it says so.
    TakeAndDrop,
}

/// A message as the server took it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    pub from: String,
    pub to: String,
    pub data: Vec<u8>,
    pub at: Instant,
}

/// What the server has seen.
#[derive(Debug, Default)]
pub struct Seen {
    pub connections: usize,
    /// The first word of each command.
    pub commands: Vec<String>,
    /// `user:password` of each login.
    pub logins: Vec<String>,
    pub taken: Vec<Taken>,
    /// What the server took, but the client may not know: the line was lost before the answer, or the
    /// client never said another word after it.
    pub unanswered: Vec<Taken>,
}

/// Listens until dropped, with its runtime.
pub struct Server {
    pub port: u16,
    seen: Arc<Mutex<Seen>>,
}

/// What the server does instead of what is right.
#[derive(Clone)]
enum Script {
    /// Each entry holds once, when its turn has come and the dialogue is there.
    Written(Arc<Mutex<VecDeque<(At, Act)>>>),
    /// Something at random, this often of a hundred times.
    Random(Arc<Mutex<ChaCha8Rng>>, u32),
}

impl Server {
    /// Follows the script: each entry holds once, when its turn has come and the dialogue is there.
    pub async fn start(script: &[(At, Act)]) -> Self {
        let script = script.iter().copied().collect();
        Self::listen(Script::Written(Arc::new(Mutex::new(script)))).await
    }

    /// Drops connections and answers 4xx at random: `percent` of the time, at each step.
    pub async fn start_unreliable(seed: u64, percent: u32) -> Self {
        let random = ChaCha8Rng::seed_from_u64(seed);
        Self::listen(Script::Random(Arc::new(Mutex::new(random)), percent)).await
    }

    async fn listen(script: Script) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = Arc::new(Mutex::new(Seen::default()));
        let shared = seen.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                shared.lock().unwrap().connections += 1;
                let (script, seen) = (script.clone(), shared.clone());
                // A client that goes away is no error of the server.
                tokio::spawn(async move {
                    let stream = BufStream::new(stream);
                    let mut session = Session { stream, script, seen, unanswered: None };
                    let _ = session.run().await;
                    let unanswered = session.unanswered.take();
                    session.seen.lock().unwrap().unanswered.extend(unanswered);
                });
            }
        });
        Self { port, seen }
    }

    pub fn connections(&self) -> usize {
        self.seen.lock().unwrap().connections
    }

    pub fn commands(&self) -> Vec<String> {
        self.seen.lock().unwrap().commands.clone()
    }

    pub fn logins(&self) -> Vec<String> {
        self.seen.lock().unwrap().logins.clone()
    }

    pub fn unanswered(&self) -> Vec<Taken> {
        self.seen.lock().unwrap().unanswered.clone()
    }

    pub fn taken(&self) -> Vec<Taken> {
        self.seen.lock().unwrap().taken.clone()
    }
}

struct Session {
    stream: BufStream<TcpStream>,
    script: Script,
    seen: Arc<Mutex<Seen>>,
    /// The message before, as long as the client has not said anything after it.
    unanswered: Option<Taken>,
}

impl Session {
    async fn run(&mut self) -> io::Result<()> {
        self.answer(At::Greeting, "220 test").await?;
        let (mut from, mut to) = (String::new(), String::new());
        loop {
            let line = self.line().await?;
            self.unanswered = None;
            let command = line.split([' ', ':']).next().unwrap_or_default().to_uppercase();
            self.seen.lock().unwrap().commands.push(command.clone());
            match command.as_str() {
                "EHLO" => self.answer(At::Hello, "250-test\r\n250 AUTH PLAIN").await?,
                "AUTH" => self.login(&line).await?,
                "MAIL" => {
                    from = path(&line);
                    self.answer(At::Sender, "250 ok").await?;
                }
                "RCPT" => {
                    to = path(&line);
                    self.answer(At::Recipient, "250 ok").await?;
                }
                "DATA" => self.message(&from, &to).await?,
                "RSET" => self.answer(At::Reset, "250 ok").await?,
                "QUIT" => return self.say("221 bye").await,
                _ => self.answer(At::Other, "500 what").await?,
            }
        }
    }

    async fn login(&mut self, line: &str) -> io::Result<()> {
        let secret = BASE64.decode(line.rsplit(' ').next().unwrap_or_default()).unwrap();
        let secret = String::from_utf8(secret).unwrap();
        let login = secret.trim_start_matches('\0').replace('\0', ":");
        self.seen.lock().unwrap().logins.push(login);
        self.answer(At::Login, "235 welcome").await
    }

    async fn message(&mut self, from: &str, to: &str) -> io::Result<()> {
        match self.turn(At::Data) {
            Some(yes @ Act::Yes(_)) => self.act(yes).await?,
            Some(act) => return self.act(act).await,
            None => self.say("354 go on").await?,
        }
        let mut data = Vec::new();
        loop {
            let line = self.line().await?;
            if line == "." {
                break;
            }
            data.extend_from_slice(line.strip_prefix('.').unwrap_or(&line).as_bytes());
            data.extend_from_slice(b"\r\n");
            if let Some(act) = self.turn(At::Content) {
                return self.act(act).await;
            }
        }
        let at = Instant::now();
        let taken = Taken { from: from.to_owned(), to: to.to_owned(), data, at };
        if let Some(act) = self.turn(At::End) {
            if matches!(act, Act::TakeAndDrop | Act::Yes(_)) {
                self.seen.lock().unwrap().taken.push(taken.clone());
                self.unanswered = Some(taken);
            }
            return self.act(act).await;
        }
        self.seen.lock().unwrap().taken.push(taken.clone());
        self.unanswered = Some(taken);
        self.say("250 taken").await?;
        match self.turn(At::Between) {
            Some(act) => self.act(act).await,
            None => Ok(()),
        }
    }

    async fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        if self.stream.read_line(&mut line).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(line.trim_end_matches(['\r', '\n']).to_owned())
    }

    async fn answer(&mut self, at: At, line: &str) -> io::Result<()> {
        match self.turn(at) {
            Some(act) => self.act(act).await,
            None => self.say(line).await,
        }
    }

    /// What the script has for this place, if anything.
    fn turn(&self, at: At) -> Option<Act> {
        match &self.script {
            Script::Written(script) => {
                let mut script = script.lock().unwrap();
                let act = script.front().filter(|(place, _)| *place == at).map(|(_, act)| *act);
                if act.is_some() {
                    script.pop_front();
                }
                act
            }
            Script::Random(random, percent) => {
                let mut random = random.lock().unwrap();
                // Each line of a message is a step: most of them must pass.
                let all = if at == At::Content { 100_000 } else { 100 };
                (random.random_range(0..all) < *percent).then(|| mischief(at, random.random()))
            }
        }
    }

    async fn act(&mut self, act: Act) -> io::Result<()> {
        match act {
            Act::Say(line) => self.say(line).await,
            Act::SayAndClose(line) => {
                self.say(line).await?;
                Err(io::ErrorKind::ConnectionAborted.into())
            }
            Act::Bytes(bytes) | Act::Yes(bytes) => {
                self.stream.write_all(bytes).await?;
                self.stream.flush().await
            }
            Act::Endless(piece) => loop {
                self.stream.write_all(piece).await?;
            },
            Act::Silence => {
                tokio::time::sleep(Duration::from_hours(1)).await;
                Ok(())
            }
            Act::Drop | Act::TakeAndDrop => Err(io::ErrorKind::ConnectionAborted.into()),
        }
    }

    async fn say(&mut self, line: &str) -> io::Result<()> {
        self.stream.write_all(format!("{line}\r\n").as_bytes()).await?;
        self.stream.flush().await
    }
}

/// Something that a server may do to a client there.
fn mischief(at: At, either: bool) -> Act {
    match at {
        At::Greeting | At::Hello | At::Between => Act::SayAndClose("421 4.3.2 not now"),
        At::Sender if either => Act::Say("451 4.3.0 try again later"),
        At::Recipient if either => Act::Say("450 4.2.1 mailbox busy"),
        At::Data if either => Act::Say("452 4.3.1 no room"),
        At::End if either => Act::TakeAndDrop,
        _ => Act::Drop,
    }
}

/// The address between angle brackets.
fn path(line: &str) -> String {
    let inner = line.split(['<', '>']).nth(1);
    inner.unwrap_or_default().to_owned()
}
