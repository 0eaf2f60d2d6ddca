//! A real browser, which stories in `tests/browser` drive, and the test that does its part between their steps.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::LazyLock;

use serde_json::Value;

use super::daemon::Daemon;
use super::reseller::Reseller;
pub use super::server::free_port;

/// A password that somebody chooses.
pub const PASSWORD: &str = "quatro cavalos na serra";

/// The browser that all stories of this test run share.
static KEPT: LazyLock<Kept> = LazyLock::new(Kept::start);

struct Kept {
    at: String,
    /// It ends with its standard input, and that with this process.
    _keeper: Child,
}

impl Kept {
    fn start() -> Self {
        let mut keeper = spawned(&mut node("keeper"));
        let mut at = String::new();
        BufReader::new(keeper.stdout.take().unwrap()).read_line(&mut at).unwrap();
        assert!(at.starts_with("ws://"), "no Chromium: {at}; {INSTALL}");
        Self { at: at.trim().to_owned(), _keeper: keeper }
    }
}

const INSTALL: &str = "run scripts/test --install, which installs what browsers need";

/// `tests/browser/NAME.mjs`, to be spoken with.
fn node(name: &str) -> Command {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let script = root.join("tests/browser").join(name).with_extension("mjs");
    let mut command = Command::new("node");
    command.arg(script).current_dir(root.join("target/tools"));
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    command
}

fn spawned(command: &mut Command) -> Child {
    command.spawn().unwrap_or_else(|error| panic!("node: {error}; {INSTALL}"))
}

/// A story that is being told.
pub struct Story {
    name: &'static str,
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Story {
    /// Starts `tests/browser/NAME.mjs` and tells it what it needs to know.
    pub fn start(name: &'static str, told: &Value) -> Self {
        let mut command = node(name);
        command.env("CHROMIUM_AT", &KEPT.at);
        let mut child = spawned(&mut command);
        let input = child.stdin.take().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let mut story = Self { name, child, input, output };
        story.go_on(told);
        story
    }

    /// Waits until the story is at this step: what it shows.
    #[track_caller]
    pub fn reaches(&mut self, step: &str) -> Value {
        let mut line = self.line();
        assert_eq!(line["at"], step, "{}: {line:#}", self.name);
        line["shown"].take()
    }

    /// The test has done its part.
    pub fn go_on(&mut self, told: &Value) {
        // A story that is over is told of by its last line.
        let _ = writeln!(self.input, "{told}").and_then(|()| self.input.flush());
    }

    /// Waits until the story is over; nothing may have gone wrong in a page.
    #[track_caller]
    pub fn ends(mut self) -> Value {
        let mut line = self.line();
        assert!(line["end"].is_object(), "{}: {line:#}", self.name);
        let problems = line["problems"].as_array().into_iter().flatten();
        let problems: Vec<&str> = problems.filter_map(Value::as_str).collect();
        assert!(problems.is_empty(), "{}:\n{}", self.name, problems.join("\n"));
        line["end"].take()
    }

    #[track_caller]
    fn line(&mut self) -> Value {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        assert!(!line.is_empty(), "{}: it ended; {INSTALL}", self.name);
        let line: Value = serde_json::from_str(&line).unwrap();
        if let Some(failed) = line["failed"].as_str() {
            let pages = line["pages"].as_array().into_iter().flatten();
            let pages: Vec<&str> = pages.filter_map(Value::as_str).collect();
            panic!(
                "{}: {failed}\n\n{:#}\n\n{}",
                self.name,
                line["problems"],
                pages.join("\n\n--- ")
            );
        }
        line
    }
}

impl Drop for Story {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Adds a person and gives the link that they are invited by.
pub fn invite(reseller: &Reseller, email: &str, name: &str, role: &str) -> String {
    let person = ["--email", email, "--name", name, "--role", role, "--by", "teste", "--json"];
    let added = reseller.run(&[&["people", "add"], &person[..]].concat()).expect(0).json();
    added["link"].as_str().unwrap_or_else(|| panic!("{added:#}")).to_owned()
}

/// Where the console of a daemon is.
pub fn base(daemon: &Daemon) -> String {
    format!("http://{}", daemon.address())
}

/// Where pictures of pages go, if somebody wants to look at them.
pub fn pictures() -> Option<PathBuf> {
    std::env::var_os("CONSOLE_PICTURES").map(PathBuf::from)
}
