//! Processes that are killed, stopped and let go on at chosen moments.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// What is done to a process, and when after its start.
#[derive(Debug, Clone, Copy)]
pub enum Fate {
    Kill(Duration),
    /// Stopped then, for so long.
    Stop(Duration, Duration),
}

/// A running process.
pub struct Job {
    pub serial: u64,
    /// The door of the mail server that it knows.
    pub door: usize,
    pub what: String,
    child: Child,
    pub started: Instant,
    pub fate: Option<Fate>,
    pub stopped: Option<Instant>,
    /// Time that it was stopped: it does not count against its limit.
    rested: Duration,
    /// How long it was stopped the last time.
    pub last_rest: Duration,
    pub killed: bool,
    out: PathBuf,
    err: PathBuf,
}

/// How a process ended.
pub struct Ended {
    pub status: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Ended {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_default()
    }
}

/// What happened to a process at a look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    Nothing,
    Killed,
    Stopped,
    GoesOn,
    Ended,
}

impl Job {
    pub fn start(
        mut command: Command,
        (serial, door, what): (u64, usize, String),
        folder: &Path,
        fate: Option<Fate>,
    ) -> Self {
        let [out, err] = ["out", "err"].map(|kind| folder.join(format!("job-{serial}.{kind}")));
        let file = |path: &Path| File::create(path).expect("the folder takes a file");
        command.stdin(Stdio::null()).stdout(file(&out)).stderr(file(&err));
        let child = command.spawn().expect("the binary starts");
        let (started, rested) = (Instant::now(), Duration::ZERO);
        Self {
            serial,
            door,
            what,
            child,
            started,
            fate,
            stopped: None,
            rested,
            last_rest: Duration::ZERO,
            killed: false,
            out,
            err,
        }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Lets its fate go on.
    pub fn look(&mut self) -> Event {
        if let Some(since) = self.stopped {
            let Some(Fate::Stop(_, pause)) = self.fate else { return Event::Nothing };
            if since.elapsed() < pause {
                return Event::Nothing;
            }
            self.go_on();
            return Event::GoesOn;
        }
        if self.child.try_wait().expect("a child").is_some() {
            return Event::Ended;
        }
        match self.fate {
            Some(Fate::Kill(after)) if self.started.elapsed() >= after => {
                self.kill();
                Event::Killed
            }
            Some(Fate::Stop(after, _)) if self.started.elapsed() >= after => {
                self.signal("-STOP");
                self.stopped = Some(Instant::now());
                Event::Stopped
            }
            _ => Event::Nothing,
        }
    }

    pub fn go_on(&mut self) {
        if let Some(since) = self.stopped.take() {
            self.last_rest = since.elapsed();
            self.rested += self.last_rest;
            self.signal("-CONT");
            self.fate = None;
        }
    }

    /// How long it has run.
    pub fn age(&self) -> Duration {
        let rest = self.stopped.map_or(Duration::ZERO, |since| since.elapsed());
        self.started.elapsed().saturating_sub(self.rested + rest)
    }

    pub fn kill(&mut self) {
        self.killed = true;
        let _ = self.child.kill();
        let _ = self.child.wait();
        // The clock's library leaves these behind where it is killed.
        for name in ["faketime_shm_", "sem.faketime_sem_"] {
            let _ = std::fs::remove_file(format!("/dev/shm/{name}{}", self.id()));
        }
    }

    pub fn signal(&self, signal: &str) {
        let _ = Command::new("kill").args([signal, &self.id().to_string()]).status();
    }

    /// What it said; its files are gone then.
    pub fn end(mut self) -> Ended {
        let status = self.child.wait().expect("a child");
        let read = |path: &Path| {
            String::from_utf8_lossy(&std::fs::read(path).unwrap_or_default()).into_owned()
        };
        let ended = Ended { status: status.code(), out: read(&self.out), err: read(&self.err) };
        let _ = std::fs::remove_file(&self.out);
        let _ = std::fs::remove_file(&self.err);
        ended
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
