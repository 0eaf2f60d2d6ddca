//! Runs the real command, and takes its time and its peak memory.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A day after October 2026 is over everywhere in Brazil.
const NOW: &str = "@2026-11-02 03:00:00";

/// A fecha, and the folder of its configuration.
#[derive(Debug, Clone)]
pub struct Fecha {
    pub program: PathBuf,
    pub folder: PathBuf,
}

/// What a command took.
#[derive(Debug, Clone, Copy)]
pub struct Took {
    /// The median of several runs.
    pub seconds: f64,
    /// Of one more run, which is not timed.
    pub megabytes: u64,
}

impl Fecha {
    fn command(&self, arguments: &[String]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(arguments).current_dir(&self.folder).stdin(Stdio::null());
        command.env("LD_PRELOAD", faketime()).env("FAKETIME", NOW).env("TZ", "UTC");
        command.env("FAKETIME_DONT_FAKE_MONOTONIC", "1").env("USER", "bench");
        command
    }

    /// Runs a command, which may leave something to a person.
    pub fn run(&self, arguments: &[&str]) -> Duration {
        let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
        let started = Instant::now();
        let output = self.command(&arguments).output().expect("the command starts");
        let took = started.elapsed();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(matches!(output.status.code(), Some(0 | 1)), "{arguments:?}: {errors}");
        took
    }

    /// The median time of `runs` runs after one that warms up, and the peak memory of one more. The
    /// arguments may depend on the run, where a command does nothing the second time.
    pub fn measure(&self, runs: usize, arguments: impl Fn(usize) -> Vec<String>) -> Took {
        let time = |run| {
            let arguments = arguments(run);
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            self.run(&arguments).as_secs_f64()
        };
        time(0);
        let mut times: Vec<f64> = (1..=runs).map(time).collect();
        times.sort_by(f64::total_cmp);
        Took { seconds: times[runs / 2], megabytes: self.peak(&arguments(runs + 1)) >> 20 }
    }

    /// Peak resident memory in bytes: the kernel's high-water mark, read until the process is gone.
    fn peak(&self, arguments: &[String]) -> u64 {
        let mut command = self.command(arguments);
        let quiet = command.stdout(Stdio::null()).stderr(Stdio::null());
        let mut process = quiet.spawn().expect("the command starts");
        let status = format!("/proc/{}/status", process.id());
        let mut peak = 0;
        while process.try_wait().expect("a child").is_none() {
            let text = std::fs::read_to_string(&status).unwrap_or_default();
            let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
            let kilobytes =
                line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
            peak = peak.max(kilobytes.unwrap_or(0) * 1024);
            std::thread::sleep(Duration::from_micros(200));
        }
        peak
    }

    /// What a command says.
    pub fn said(&self, arguments: &[&str]) -> String {
        let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
        let output = self.command(&arguments).output().expect("the command starts");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("text")
    }

    /// A daemon that is ready, and where it listens.
    pub fn daemon(&self) -> (Running, String) {
        let free = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = free.local_addr().expect("an address").to_string();
        drop(free);
        let mut command = self.command(&["daemon".to_owned()]);
        command.env("FECHA_CONSOLE__LISTEN", &address);
        let quiet = command.stdout(Stdio::null()).stderr(Stdio::null());
        let daemon = Running(quiet.spawn().expect("a daemon"));
        let deadline = Instant::now() + Duration::from_mins(2);
        while ask(&address, "/readyz").is_none_or(|answer| !answer.contains("200 OK")) {
            assert!(Instant::now() < deadline, "the daemon is not ready");
            std::thread::sleep(Duration::from_millis(50));
        }
        (daemon, address)
    }

    /// A daemon: how long `/metrics` takes, which asks the ledger what its tick asks.
    pub fn metrics(&self, runs: usize) -> f64 {
        let (_daemon, address) = self.daemon();
        median(runs, || {
            let answer = ask(&address, "/metrics").expect("an answer");
            assert!(answer.contains("fecha_ledger_up 1"), "{answer}");
        })
    }
}

/// A process that ends with its owner.
pub struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The median seconds of so many runs after one that warms up.
pub fn median(runs: usize, mut run: impl FnMut()) -> f64 {
    let mut time = || {
        let started = Instant::now();
        run();
        started.elapsed().as_secs_f64()
    };
    time();
    let mut times: Vec<f64> = (1..=runs).map(|_| time()).collect();
    times.sort_by(f64::total_cmp);
    times[runs / 2]
}

fn ask(address: &str, path: &str) -> Option<String> {
    let mut line = TcpStream::connect(address).ok()?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    line.write_all(request.as_bytes()).ok()?;
    let mut answer = String::new();
    line.read_to_string(&mut answer).ok()?;
    Some(answer)
}

fn faketime() -> PathBuf {
    let libraries = std::fs::read_dir("/usr/lib").into_iter().flatten().flatten();
    libraries
        .map(|folder| folder.path().join("faketime/libfaketime.so.1"))
        .find(|path| Path::new(path).exists())
        .expect("Debian's faketime is installed: scripts/test does it")
}
