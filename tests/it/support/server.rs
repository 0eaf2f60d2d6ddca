//! A database server of our own: in a temporary folder, on a free loopback port, gone with the test.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A running server and its folder; both go when this is dropped, and also when the test process
/// ends in any other way, because statics are never dropped and a killed test drops nothing.
pub struct Server {
    pub port: u16,
    pub folder: PathBuf,
    /// A shell whose standard input is our pipe: when the pipe closes, it kills its server.
    watcher: Child,
}

/// `$0` is the folder, the arguments are the server's command line. The test process holds the
/// other end of standard input, and closes it by ending. The shell also ends with its server.
const WATCHER: &str = r#"
exec 3<&0
"$@" >"$0/log" 2>&1 </dev/null 3<&- &
server=$!
{ read -r _ <&3; kill -QUIT $server; } &
keeper=$!
wait $server
kill $keeper
rm -rf "$0"
"#;

impl Server {
    /// A folder that `user` can write, for a server that refuses to run as root.
    pub fn folder_for(user: &str) -> PathBuf {
        let folder = tempfile::tempdir().expect("a temporary folder").keep();
        if is_root() {
            let id = |option| output(Command::new("id").args([option, user])).parse().unwrap();
            chown(&folder, Some(id("-u")), Some(id("-g"))).expect("the server's user owns it");
        }
        folder
    }

    /// Starts what `command` gives for a free port, and waits until `is_ready` there.
    pub fn start(
        folder: PathBuf,
        command: impl Fn(u16) -> Command,
        is_ready: impl Fn(u16) -> bool,
    ) -> Self {
        let port = free_port();
        let server = command(port);
        let mut watcher = Command::new("sh")
            .args(["-c", WATCHER])
            .arg(&folder)
            .arg(server.get_program())
            .args(server.get_args())
            .stdin(Stdio::piped())
            .stdout(Stdio::null()) // ours may be a pipe that somebody reads to its end
            .stderr(Stdio::null())
            .process_group(0) // Ctrl-C ends the test process first, then the watcher does its work
            .spawn()
            .expect("sh starts");
        let deadline = Instant::now() + Duration::from_secs(30);
        while !is_ready(port) {
            let has_ended = watcher.try_wait().expect("a child").is_some();
            assert!(!has_ended && Instant::now() < deadline, "{}", log(&folder));
            std::thread::sleep(Duration::from_millis(20));
        }
        Self { port, folder, watcher }
    }

    /// What the server has said so far.
    pub fn log(&self) -> String {
        log(&self.folder)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.watcher.stdin.take());
        let _ = self.watcher.wait();
    }
}

/// `program`, as `user` where we are root: database servers refuse to run as root.
pub fn command_as(user: &str, program: impl AsRef<Path>) -> Command {
    if !is_root() {
        return Command::new(program.as_ref());
    }
    let mut command = Command::new("setpriv");
    command.args([format!("--reuid={user}"), format!("--regid={user}")]);
    command.args(["--clear-groups", "--"]).arg(program.as_ref());
    command
}

/// Standard output of a command that must succeed.
pub fn output(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {errors}");
    String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
}

fn is_root() -> bool {
    output(Command::new("id").arg("-u")) == "0"
}

pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free loopback port");
    listener.local_addr().expect("a bound address").port()
}

fn log(folder: &Path) -> String {
    fs::read_to_string(folder.join("log")).unwrap_or_default()
}
