//! A real Postfix with STARTTLS in a temporary folder, which keeps what it takes in a maildir.

use std::fs::{self, File, Permissions};
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::thread::sleep;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// Who owns the maildir: `nobody`.
const NOBODY: u32 = 65534;

/// Stopped, with everything that it started, when dropped.
pub struct Postfix {
    folder: TempDir,
    master: Child,
    pub port: u16,
    /// TLS from the first byte, and only for who logs in.
    pub tls_port: u16,
}

impl Postfix {
    /// Starts a server whose certificate is for `name` (`DNS:localhost`), from its own authority.
    pub fn start(name: &str) -> Self {
        let folder = TempDir::with_prefix("postfix").unwrap();
        let root = folder.path();
        // Its daemons run as other users than the one who may make the folder.
        fs::set_permissions(root, Permissions::from_mode(0o755)).unwrap();
        for name in ["etc", "queue", "data", "mail"] {
            fs::create_dir(root.join(name)).unwrap();
        }
        run("chown", &["postfix", root.join("data").to_str().unwrap()]);
        chown(root.join("mail"), Some(NOBODY), Some(NOBODY))
            .expect("Postfix can only be started by root");
        make_certificates(root, name);
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        fs::write(root.join("etc/main.cf"), main_cf(root)).unwrap();
        let tls_port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        fs::write(root.join("etc/master.cf"), master_cf(port, tls_port)).unwrap();
        make_login(root);
        let log = File::create(root.join("log")).unwrap();
        let master = Command::new("postfix")
            .arg("-c")
            .arg(root.join("etc"))
            .arg("start-fg")
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .expect("postfix is not installed: apt-get install postfix");
        let postfix = Self { folder, master, port, tls_port };
        postfix.wait_for("its greeting", || greeting(port));
        postfix
    }

    /// The certificate of the authority that signed the server's.
    pub fn authority(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// The messages that have arrived, once there are `count` of them, in no order.
    pub fn wait_for_mail(&self, count: usize) -> Vec<PathBuf> {
        let inbox = self.folder.path().join("mail/inbox/new");
        self.wait_for("mail", || {
            let files = fs::read_dir(&inbox).ok()?;
            let files: Vec<_> = files.map(|file| file.unwrap().path()).collect();
            (files.len() >= count).then_some(files)
        })
    }

    fn wait_for<T>(&self, what: &str, ready: impl Fn() -> Option<T>) -> T {
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(30) {
            if let Some(found) = ready() {
                return found;
            }
            sleep(Duration::from_millis(50));
        }
        let log = fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
        panic!("waited in vain for {what} of Postfix:\n{log}");
    }
}

impl Drop for Postfix {
    fn drop(&mut self) {
        // The child is a script; the master, which stops its daemons, says its own id.
        let pid = fs::read_to_string(self.folder.path().join("queue/pid/master.pid"));
        let _ = match pid {
            Ok(pid) => Command::new("kill").arg(pid.trim()).status().map(drop),
            Err(_) => self.master.kill(),
        };
        let _ = self.master.wait();
    }
}

fn run(program: &str, arguments: &[&str]) {
    let output = Command::new(program).args(arguments).output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments:?}: {error}");
}

fn make_certificates(root: &Path, name: &str) {
    let path = |file: &str| root.join(file).to_str().unwrap().to_owned();
    let (ca, ca_key) = (path("ca.pem"), path("ca.key"));
    let new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
    let request = |more: &[&str]| {
        let start = ["req", "-x509", "-days", "2"];
        run("openssl", &[&start[..], &new_key[..], more].concat());
    };
    request(&["-subj", "/CN=Test authority", "-keyout", &ca_key, "-out", &ca]);
    let alternative = format!("subjectAltName={name}");
    request(
        &[
            &["-subj", "/CN=Test server", "-CA", &ca, "-CAkey", &ca_key][..],
            &["-addext", "basicConstraints=critical,CA:FALSE", "-addext", &alternative],
            &["-keyout", &path("server.key"), "-out", &path("server.pem")],
        ]
        .concat(),
    );
}

/// `faturas` may log in, with the password `segredo`.
fn make_login(root: &Path) {
    let database = root.join("sasldb2");
    let settings = format!(
        "pwcheck_method: auxprop\nauxprop_plugin: sasldb\nmech_list: PLAIN LOGIN\nsasldb_path: {}\n",
        database.display()
    );
    // Debian looks beside main.cf, upstream where the setting says.
    fs::create_dir(root.join("etc/sasl")).unwrap();
    fs::write(root.join("etc/sasl/smtpd.conf"), settings).unwrap();
    let mut child = Command::new("saslpasswd2")
        .args(["-p", "-c", "-u", "mail.example.com", "-f"])
        .arg(&database)
        .arg("faturas")
        .stdin(std::process::Stdio::piped())
        .spawn()
        .expect("saslpasswd2 is not installed: apt-get install sasl2-bin");
    child.stdin.take().unwrap().write_all(b"segredo").unwrap();
    assert!(child.wait().unwrap().success());
    run("chown", &["postfix", database.to_str().unwrap()]);
}

fn main_cf(root: &Path) -> String {
    let root = root.display();
    format!(
        "compatibility_level = 3.6
queue_directory = {root}/queue
data_directory = {root}/data
inet_interfaces = loopback-only
inet_protocols = ipv4
myhostname = mail.example.com
mydestination =
mynetworks = 127.0.0.0/8
maillog_file = /dev/stdout
smtpd_tls_security_level = encrypt
smtpd_tls_cert_file = {root}/server.pem
smtpd_tls_key_file = {root}/server.key
virtual_mailbox_domains = example.com
virtual_mailbox_maps = static:inbox/
virtual_mailbox_base = {root}/mail
virtual_uid_maps = static:{NOBODY}
virtual_gid_maps = static:{NOBODY}
cyrus_sasl_config_path = {root}/etc/sasl
smtpd_sasl_local_domain = mail.example.com
"
    )
}

/// The second port speaks TLS from the first byte and wants a login.
fn master_cf(port: u16, tls_port: u16) -> String {
    format!(
        "127.0.0.1:{port} inet n - n - - smtpd
127.0.0.1:{tls_port} inet n - n - - smtpd
  -o smtpd_tls_wrappermode=yes
  -o smtpd_sasl_auth_enable=yes
  -o smtpd_recipient_restrictions=permit_sasl_authenticated,reject
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
virtual unix - n n - - virtual
error unix - - n - - error
retry unix - - n - - error
anvil unix - - n - 1 anvil
tlsmgr unix - - n 1000? 1 tlsmgr
postlog unix-dgram n - n - 1 postlogd
"
    )
}

/// What says that it is Postfix who listens there: another test may have taken the port meanwhile, for a
/// server that never answers.
fn greeting(port: u16) -> Option<()> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
    let mut code = [0; 4];
    stream.read_exact(&mut code).ok()?;
    (code == *b"220 ").then_some(())
}
