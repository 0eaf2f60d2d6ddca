//! The Debian package, in a Debian made for the test: installed, worked with, upgraded, removed and purged.
//!
//! `scripts/test-package` makes the package by `scripts/package --debug`, with the program of the tests, and the Debian by
//! mmdebstrap, and runs these.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

const WHY: &str = "run scripts/test-package, which makes what the package is tried in";

fn target(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("target").join(path)
}

/// The package that was made last.
fn package() -> PathBuf {
    let folder = fs::read_dir(target("debian")).unwrap_or_else(|error| panic!("{error}: {WHY}"));
    let packages = folder.map(|entry| entry.unwrap().path());
    let packages = packages.filter(|path| path.extension().is_some_and(|end| end == "deb"));
    let made = |path: &PathBuf| fs::metadata(path).unwrap().modified().unwrap();
    packages.max_by_key(made).unwrap_or_else(|| panic!("no package: run scripts/package --debug"))
}

/// A Debian of its own.
struct Debian {
    root: TempDir,
}

struct Ran {
    status: i32,
    text: String,
}

impl Ran {
    #[track_caller]
    fn expect(self, status: i32) -> String {
        assert_eq!(self.status, status, "{}", self.text);
        self.text
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        let text = [output.stdout, output.stderr].concat();
        let text = String::from_utf8(text).unwrap();
        Self { status: output.status.code().unwrap_or(-1), text }
    }
}

impl Debian {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        fs::set_permissions(root.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let archive = target("tools/debian.tar");
        let unpacked = Command::new("tar")
            .args(["--extract", "--numeric-owner", "--exclude=./dev/*", "--file"])
            .arg(&archive)
            .arg("--directory")
            .arg(root.path())
            .status()
            .unwrap();
        assert!(unpacked.success(), "{}: {WHY}", archive.display());
        // Devices cannot be made everywhere; programs only throw away into this one.
        fs::write(root.path().join("dev/null"), "").unwrap();
        let open = fs::Permissions::from_mode(0o666);
        fs::set_permissions(root.path().join("dev/null"), open).unwrap();
        Self { root }
    }

    fn path(&self, path: &str) -> PathBuf {
        self.root.path().join(path.trim_start_matches('/'))
    }

    fn command(&self, script: &str) -> Command {
        let mut command = Command::new("chroot");
        command
            .arg(self.root.path())
            .args(["/bin/sh", "-c", script])
            .env_clear()
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .env("DEBIAN_FRONTEND", "noninteractive")
            .env("LC_ALL", "C.UTF-8")
            .stdin(Stdio::null());
        command
    }

    /// As root.
    fn run(&self, script: &str) -> Ran {
        self.command(script).output().unwrap().into()
    }

    fn install(&self, package: &Path) -> Ran {
        fs::copy(package, self.path("/tmp/fecha.deb")).unwrap();
        self.run("dpkg --install /tmp/fecha.deb")
    }

    /// Owner, group and mode, as `stat` prints them inside.
    fn stat(&self, path: &str) -> String {
        self.run(&format!("stat --format '%U:%G %a' {path}")).expect(0).trim().to_owned()
    }

    fn write(&self, path: &str, text: &str) {
        fs::write(self.path(path), text).unwrap();
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap()
    }
}

/// The same package under a later version, with another program of the same behaviour.
fn later(package: &Path, folder: &Path) -> PathBuf {
    let tree = folder.join("tree");
    let run = |program: &str, arguments: &[&str]| {
        let status = Command::new(program).args(arguments).status().unwrap();
        assert!(status.success(), "{program} {arguments:?}");
    };
    let (tree_text, deb) = (tree.to_str().unwrap(), folder.join("later.deb"));
    run("dpkg-deb", &["--raw-extract", package.to_str().unwrap(), tree_text]);
    let control = tree.join("DEBIAN/control");
    let text = fs::read_to_string(&control).unwrap();
    let version = text.lines().find(|line| line.starts_with("Version: ")).unwrap();
    fs::write(&control, text.replace(version, "Version: 99.0.0-1")).unwrap();
    let example = tree.join("usr/share/fecha/fecha.toml");
    let text = fs::read_to_string(&example).unwrap();
    fs::write(&example, format!("{text}\n# A key of the later version.\n")).unwrap();
    run(
        "dpkg-deb",
        &["--root-owner-group", "-Zgzip", "-z1", "--build", tree_text, deb.to_str().unwrap()],
    );
    deb
}

/// What an admin writes into it.
fn filled_in(example: &str, port: u16) -> String {
    let own = "
[[prices]]
from = \"2020-08\"
overage = \"0.29\"
hsm = \"0.46\"
packages = [{ contacts = 5000, price = \"1014.00\" }]
";
    let with = |text: String, (section, key, value): (&str, &str, &str)| {
        let line = format!("\n# {key} = ");
        let section = text.find(&format!("\n{section}\n")).unwrap();
        let at = section + text[section..].find(&line).unwrap_or_else(|| panic!("no {key}"));
        let end = at + 1 + text[at + 1..].find('\n').unwrap();
        format!("{}\n{key} = {value}{}", &text[..at], &text[end..])
    };
    let text = example.replace("\n[email]\n", &format!("{own}\n[email]\n"));
    let text = [
        ("[issuer]", "name", "\"Revenda\""),
        ("[issuer]", "cnpj", "\"11.222.333/0001-81\""),
        ("[issuer]", "address", "\"Rua\""),
        ("[issuer]", "city", "\"Recife\""),
        ("[issuer]", "state", "\"PE\""),
        ("[issuer]", "email", "\"a@example.com\""),
        ("[messages]", "url", "\"sqlite:/var/lib/fecha/messages.db\""),
        ("[email]", "from", "\"a@example.com\""),
        ("[email]", "finance", "[\"b@example.com\"]"),
    ]
    .into_iter()
    .fold(text, with);
    text.replace("transport = \"smtp\"", "transport = \"file\"")
        .replace("listen = \"127.0.0.1:8080\"", &format!("listen = \"127.0.0.1:{port}\""))
}

const MESSAGES: &str = "CREATE TABLE message (dealership_id TEXT, contact TEXT, direction TEXT, kind TEXT, template TEXT,
    status TEXT, sent_at INTEGER NOT NULL);";

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A daemon in the foreground, as the unit runs it but for systemd.
struct Daemon(Child);

impl Daemon {
    fn start(debian: &Debian) -> Self {
        let unit = debian.read("/usr/lib/systemd/system/fecha.service");
        let command = unit.lines().find_map(|line| line.strip_prefix("ExecStart=")).unwrap();
        let script = format!(
            "cd /var/lib/fecha && umask 077 && exec setpriv --reuid fecha --regid fecha --init-groups {command}"
        );
        let child =
            debian.command(&script).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        Self(child)
    }

    fn stop(mut self) {
        let pid = rustix::process::Pid::from_child(&self.0);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        let status = self.0.wait().unwrap();
        let mut log = String::new();
        std::io::Read::read_to_string(&mut self.0.stderr.take().unwrap(), &mut log).unwrap();
        assert!(status.success(), "{status}: {log}");
    }
}

/// Whether the daemon says that it is ready, within half a minute.
fn is_ready(debian: &Debian) -> String {
    let began = Instant::now();
    loop {
        let probe = debian.run("as-fecha daemon --probe");
        if probe.status == 0 || began.elapsed() > Duration::from_secs(30) {
            return probe.expect(0);
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
#[ignore = "scripts/test-package makes the package first"]
fn it_is_installed_worked_with_upgraded_removed_and_purged() {
    let (debian, package) = (Debian::new(), package());
    debian.install(&package).expect(0);

    // What it laid out, and for whom.
    assert_eq!(debian.stat("/etc/fecha"), "root:fecha 1770");
    assert_eq!(debian.stat("/etc/fecha/fecha.toml"), "root:fecha 640");
    assert_eq!(debian.stat("/etc/fecha/secrets"), "root:root 600");
    assert_eq!(debian.stat("/var/lib/fecha"), "fecha:fecha 700");
    let version = debian.run("fecha --version").expect(0);
    assert!(version.starts_with(&format!("fecha {}\n", env!("CARGO_PKG_VERSION"))), "{version}");
    for file in [
        "/usr/share/man/man1/fecha-close.1.gz",
        "/usr/share/bash-completion/completions/fecha",
        "/usr/share/zsh/vendor-completions/_fecha",
        "/usr/share/fish/vendor_completions.d/fecha.fish",
        "/usr/share/doc/fecha/third-party.txt",
        "/usr/share/doc/fecha/fecha.cdx.json",
        "/usr/share/doc/fecha/copyright",
    ] {
        assert!(debian.path(file).exists(), "{file}");
    }

    // Nobody's configuration bills anybody: what lacks is named, line by line.
    let lacking = debian.run("as-fecha check").expect(2);
    for key in ["[issuer] name", "[issuer] cnpj", "[email] from", "[email.smtp] host", "prices"] {
        assert!(lacking.contains(key), "{key}: {lacking}");
    }
    debian.run("cd /tmp && setpriv --reuid fecha --regid fecha --clear-groups fecha demo --dir /tmp/demo").expect(0);

    // Filled in, imported, closed by the daemon.
    let example = debian.read("/etc/fecha/fecha.toml");
    let own = filled_in(&example, free_port());
    debian.write("/etc/fecha/fecha.toml", &own);
    let database = rusqlite::Connection::open(debian.path("/var/lib/fecha/messages.db")).unwrap();
    database.execute_batch(MESSAGES).unwrap();
    drop(database);
    debian
        .run("chown fecha:fecha /var/lib/fecha/messages.db && as-fecha init /etc/fecha")
        .expect(0);
    debian.write(
        "/etc/fecha/dealerships.csv",
        "id,name,trade_name,cnpj,address,city,state,email,cc,timezone,due_day\n\
         d1,Loja,Loja,11.222.333/0001-81,Rua,Recife,PE,loja@example.com,,,\n",
    );
    debian.write("/etc/fecha/contracts.csv", "dealership_id,from_month,package\nd1,2026-01,5000\n");
    let import =
        "cd /etc/fecha && as-fecha import --dealerships dealerships.csv --contracts contracts.csv";
    debian.run(import).expect(0);
    assert_eq!(debian.stat("/etc/fecha/evidence.key"), "fecha:fecha 600");
    assert_eq!(debian.stat("/var/lib/fecha/fecha.db"), "fecha:fecha 640");
    debian.run("as-fecha check").expect(0);
    // Its own configuration the daemon's user can neither change nor replace.
    let as_fecha = "setpriv --reuid fecha --regid fecha --init-groups";
    for deed in [
        "sh -c 'echo >> /etc/fecha/fecha.toml'",
        "mv /etc/fecha/fecha.toml /etc/fecha/x",
        "rm /etc/fecha/secrets",
    ] {
        let refused = debian.run(&format!("{as_fecha} {deed}"));
        assert_ne!(refused.status, 0, "{deed}");
    }
    let daemon = Daemon::start(&debian);
    assert_eq!(is_ready(&debian), "ready\n");
    let copy = debian.run("umask 077; as-fecha backup - > /root/fecha.db").expect(0);
    assert!(copy.contains("read again: no damage"), "{copy}");
    daemon.stop();
    assert_eq!(debian.run("as-fecha daemon --probe").status, 3);

    // A later version: the admin's configuration stays, and nobody is asked.
    let folder = tempfile::tempdir().unwrap();
    debian.install(&later(&package, folder.path())).expect(0);
    assert_eq!(debian.read("/etc/fecha/fecha.toml"), own);
    assert!(debian.read("/usr/share/fecha/fecha.toml").contains("A key of the later version."));
    debian.run("as-fecha check").expect(0);

    // A credential in place of a line in the file of secrets.
    debian
        .run("mkdir -p /etc/credstore && printf 31 > /etc/credstore/fecha.invoice.due_day")
        .expect(0);
    let config = debian.run("as-fecha config").expect(0);
    assert!(config.contains("credential fecha.invoice.due_day"), "{config}");
    debian.run("test -z \"$(ls -d /run/fecha.* 2>/dev/null)\"").expect(0);

    // Removed: what an admin wrote is there. Purged: what nobody could write again is.
    let key = debian.read("/etc/fecha/evidence.key");
    debian.run("dpkg --remove fecha").expect(0);
    assert!(!debian.path("/usr/bin/fecha").exists());
    assert_eq!(debian.read("/etc/fecha/fecha.toml"), own);
    let purged = debian.run("dpkg --purge fecha").expect(0);
    assert!(purged.contains("/var/lib/fecha was left as it is"), "{purged}");
    assert!(!debian.path("/etc/fecha").exists());
    assert_eq!(debian.read("/var/lib/fecha/evidence.key"), key);
    assert_eq!(
        fs::metadata(debian.path("/var/lib/fecha/evidence.key")).unwrap().mode() & 0o777,
        0o600
    );
    assert!(debian.path("/var/lib/fecha/fecha.db").exists());
}

#[test]
#[ignore = "scripts/test-package makes the package first"]
fn lintian_finds_nothing() {
    let output = Command::new("lintian")
        .args(["--allow-root", "--fail-on", "error,warning", "--tag-display-limit", "0"])
        .arg(package())
        .output()
        .unwrap_or_else(|error| panic!("lintian: {error}: {WHY}"));
    let ran = Ran::from(output);
    assert_eq!(ran.status, 0, "{}", ran.text);
}

/// The licences and the list of crates are those of this source.
#[test]
#[ignore = "scripts/test-package makes the package first"]
fn what_it_is_made_from_is_named() {
    let beside = target("package");
    let read = |name: &str| {
        fs::read_to_string(beside.join(name))
            .unwrap_or_else(|error| panic!("{name}: {error}: {WHY}"))
    };
    let bill: serde_json::Value = serde_json::from_str(&read("fecha.cdx.json")).unwrap();
    assert_eq!(bill["bomFormat"], "CycloneDX");
    let component = |one: &serde_json::Value| {
        let text = |key: &str| one[key].as_str().unwrap().to_owned();
        format!("{} {}", text("name"), text("version"))
    };
    let components: Vec<String> =
        bill["components"].as_array().unwrap().iter().map(component).collect();
    let notices = read("third-party.txt");
    for name in ["sqlx", "rust_decimal", "chrono-tz", "rustls", "libsqlite3-sys", "printpdf"] {
        let found = components.iter().find(|one| one.starts_with(&format!("{name} ")));
        let found = found.unwrap_or_else(|| panic!("{name} is not in fecha.cdx.json"));
        assert!(notices.contains(&format!("  {found}")), "third-party.txt has no {found}");
    }
    assert!(
        !components.iter().any(|one| one.starts_with("rstest ")),
        "tests are not in the program"
    );
    for text in ["SIL OPEN FONT LICENSE", "Apache License", "Permission is hereby granted"] {
        assert!(notices.contains(text), "{text}");
    }
}
