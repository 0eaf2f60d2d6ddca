//! The real daemon, on a clock that a test sets while it runs.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};

use super::reseller::Reseller;

/// The daemons of a reseller, and their common clock: it runs on from the instant it was set to.
pub struct Shift<'a> {
    reseller: &'a Reseller,
    clock: PathBuf,
    started: usize,
}

impl<'a> Shift<'a> {
    pub fn new(reseller: &'a Reseller, now: &str) -> Self {
        let shift = Self { reseller, clock: reseller.path("clock"), started: 0 };
        shift.set(now);
        shift
    }

    /// Sets the clock of all daemons, RFC 3339: a machine that was suspended, or a step.
    pub fn set(&self, now: &str) {
        let now: DateTime<Utc> = now.parse().unwrap();
        self.write(now.timestamp() - machine_time());
    }

    /// Moves the clock on.
    pub fn pass(&self, seconds: i64) {
        let offset = std::fs::read_to_string(&self.clock).unwrap();
        self.write(offset.trim().parse::<i64>().unwrap() + seconds);
    }

    /// By renaming, so that no daemon ever reads half a line.
    fn write(&self, offset: i64) {
        let shown = DateTime::from_timestamp(machine_time() + offset, 0).unwrap();
        self.reseller.it_is(shown);
        let next = self.clock.with_extension("next");
        std::fs::write(&next, format!("{offset:+}\n")).unwrap();
        std::fs::rename(next, &self.clock).unwrap();
    }

    pub fn start(&mut self) -> Daemon {
        self.start_as(self.reseller.command(&["daemon"]))
    }

    /// A daemon that can write no file beyond this size, as on a disk that is full.
    pub fn start_with_room(&mut self, kilobytes: usize) -> Daemon {
        // Without the signal, writing more is an error as on a full disk. Blocks have 512 bytes.
        self.start_after(&format!("trap '' XFSZ; ulimit -f {}", kilobytes * 2))
    }

    /// A daemon that can open no more files than this at once.
    pub fn start_with_files(&mut self, files: usize) -> Daemon {
        self.start_after(&format!("ulimit -n {files}"))
    }

    fn start_after(&mut self, script: &str) -> Daemon {
        let daemon = self.reseller.command(&["daemon"]);
        let script = format!("{script}; exec \"$0\" daemon");
        let mut shell = Command::new("sh");
        shell.args(["-c", &script]).arg(daemon.get_program());
        shell.current_dir(daemon.get_current_dir().unwrap()).stdin(Stdio::null());
        shell.envs(daemon.get_envs().filter_map(|(name, value)| Some((name, value?))));
        self.start_as(shell)
    }

    /// Makes any command run by the common clock.
    pub fn by_its_clock(&self, mut command: Command) -> Command {
        command.env_remove("FAKETIME").env("FAKETIME_TIMESTAMP_FILE", &self.clock);
        // Read anew once a second: its reader is not safe between threads, and a reading that goes wrong is
        // the machine's own time.
        command.env("FAKETIME_CACHE_DURATION", "1");
        command
    }

    pub fn start_as(&mut self, command: Command) -> Daemon {
        self.started += 1;
        let log = self.reseller.path(&format!("daemon-{}.log", self.started));
        let mut command = self.by_its_clock(command);
        // A test may want another address.
        if !command.get_envs().any(|(name, _)| name == "FECHA_CONSOLE__LISTEN") {
            command.env("FECHA_CONSOLE__LISTEN", "127.0.0.1:0");
        }
        command.stderr(std::fs::File::create(&log).unwrap()).stdout(Stdio::null());
        Daemon { child: command.spawn().unwrap(), log }
    }
}

#[expect(clippy::disallowed_methods, reason = "the clock that is not faked")]
fn machine_time() -> i64 {
    Utc::now().timestamp()
}

/// A running daemon; killed when it is dropped.
pub struct Daemon {
    child: Child,
    log: PathBuf,
}

impl Daemon {
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }

    /// Where its log is, once it has ended too.
    pub fn log_file(&self) -> PathBuf {
        self.log.clone()
    }

    /// Waits until the log says it.
    #[track_caller]
    pub fn says(&self, text: &str) {
        eventually(&format!("the log says '{text}'"), || self.log().contains(text));
    }

    pub fn signal(&self, signal: &str) {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args([signal, &id]).status().unwrap();
        assert!(sent.success());
    }

    /// How many files it has open.
    pub fn open_files(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/fd", self.child.id())).unwrap().count()
    }

    /// Where it listens.
    pub fn address(&self) -> String {
        self.says("the daemon runs");
        let log = self.log();
        log.split("\"address\":\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
    }

    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Ends it as a service manager does; how it ended, and how long that took.
    pub fn terminate(mut self) -> (ExitStatus, Duration) {
        self.signal("-TERM");
        let asked = Instant::now();
        eventually("the daemon ends", || self.child.try_wait().unwrap().is_some());
        (self.child.wait().unwrap(), asked.elapsed())
    }

    /// Waits until it ends by itself: its exit status and its log.
    pub fn ends(mut self) -> (ExitStatus, String) {
        eventually("the daemon ends", || self.child.try_wait().unwrap().is_some());
        (self.child.wait().unwrap(), self.log())
    }

    /// Status line and body of what it serves at a path.
    pub fn get(&self, path: &str) -> (String, String) {
        let mut stream = TcpStream::connect(self.address()).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.lines().next().unwrap().to_owned(), body.to_owned())
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}: {}", self.log.display(), self.log());
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits, a minute at most, until something holds.
#[track_caller]
pub fn eventually(what: &str, holds: impl FnMut() -> bool) {
    within(Duration::from_mins(1), what, holds);
}

/// Waits until something holds.
#[track_caller]
pub fn within(limit: Duration, what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + limit;
    while !holds() {
        assert!(Instant::now() < deadline, "not in {} seconds: {what}", limit.as_secs());
        std::thread::sleep(Duration::from_millis(50));
    }
}
