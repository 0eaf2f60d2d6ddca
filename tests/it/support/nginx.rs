//! Debian's nginx, as docs/console.md sets it up, in front of a daemon.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use super::server::{Server, output};

const DOCUMENTED: &str = include_str!("../../../docs/console.md");

/// nginx over TLS, and a browser's cookies.
pub struct Nginx(Server);

impl Nginx {
    /// In front of what listens there.
    pub fn start(address: &str) -> Self {
        let folder = tempfile::tempdir().unwrap().keep();
        let path = |name: &str| folder.join(name).display().to_string();
        let (key, certificate) = (path("key.pem"), path("certificate.pem"));
        let name = "/CN=fecha.example.com";
        output(
            Command::new("openssl")
                .args([
                    "req",
                    "-x509",
                    "-newkey",
                    "rsa:2048",
                    "-nodes",
                    "-days",
                    "2",
                    "-subj",
                    name,
                    "-keyout",
                    &key,
                    "-out",
                    &certificate,
                ])
                .stderr(Stdio::null()),
        );
        let server = DOCUMENTED.split("```nginx\n").nth(1).unwrap().split("```").next().unwrap();
        let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
        let temporary =
            temporary.map(|what| format!("{what}_temp_path {};\n", path(what))).concat();
        let command = |port: u16| {
            let server = server
                .replace("listen 443", &format!("listen 127.0.0.1:{port}"))
                .replace("/etc/ssl/fecha.pem", &certificate)
                .replace("/etc/ssl/fecha.key", &key)
                .replace("127.0.0.1:8080", address);
            let config = format!(
                "daemon off;\nuser root;\npid {};\nerror_log stderr;\nevents {{}}\nhttp {{\naccess_log off;\n{temporary}{server}}}\n",
                path("pid")
            );
            std::fs::write(folder.join("nginx.conf"), config).unwrap();
            let mut command = Command::new("/usr/sbin/nginx");
            command.args(["-p", &path(""), "-c", &path("nginx.conf")]);
            command
        };
        let listens = |port: u16| std::net::TcpStream::connect(("127.0.0.1", port)).is_ok();
        Self(Server::start(folder.clone(), command, listens))
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.0.port
    }

    /// What it has logged so far.
    pub fn log(&self) -> String {
        self.0.log()
    }

    /// What curl prints of an answer, its head too.
    pub fn curl(&self, path: &str, arguments: &[&str]) -> String {
        curl(self.0.port, &self.0.folder, path, arguments)
    }
}

/// What curl prints of an answer of the proxy that listens there, its head too; it keeps its cookies in the folder.
pub fn curl(port: u16, folder: &Path, path: &str, arguments: &[&str]) -> String {
    let jar = folder.join("jar").display().to_string();
    let to = format!("fecha.example.com:443:127.0.0.1:{port}");
    let url = format!("https://fecha.example.com{path}");
    let mut curl = Command::new("curl");
    curl.args(["-sik", "--http1.1", "-b", &jar, "-c", &jar, "--connect-to", &to, &url]);
    let Output { stdout, .. } = curl.args(arguments).output().unwrap();
    String::from_utf8_lossy(&stdout).into_owned()
}
