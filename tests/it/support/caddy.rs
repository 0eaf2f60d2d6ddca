//! Debian's Caddy, as docs/console.md sets it up, in front of a daemon.

use std::process::Command;

use super::nginx::curl;
use super::server::Server;

const DOCUMENTED: &str = include_str!("../../../docs/console.md");

/// Caddy over TLS, with a certificate of its own, and a browser's cookies.
pub struct Caddy(Server);

impl Caddy {
    /// In front of what listens there.
    pub fn start(address: &str) -> Self {
        let folder = tempfile::tempdir().unwrap().keep();
        let home = folder.display().to_string();
        let file = folder.join("Caddyfile");
        let site = DOCUMENTED.split("Caddy:\n\n```\n").nth(1).unwrap().split("```").next().unwrap();
        let command = |port: u16| {
            let site = site.replace("127.0.0.1:8080", address).replacen(
                "fecha.example.com {",
                &format!(
                    "https://fecha.example.com:{port} {{\n    bind 127.0.0.1\n    tls internal"
                ),
                1,
            );
            let own = format!(
                "admin off\nauto_https disable_redirects\nskip_install_trust\nstorage file_system {home}/kept\n"
            );
            std::fs::write(&file, format!("{{\n{own}}}\n{site}")).unwrap();
            let mut command = Command::new("env");
            command.args([
                &format!("HOME={home}"),
                "/usr/bin/caddy",
                "run",
                "--adapter",
                "caddyfile",
            ]);
            command.arg("--config").arg(&file);
            command
        };
        let answers = |port: u16| curl(port, &folder, "/livez", &[]).starts_with("HTTP/");
        Self(Server::start(folder.clone(), command, answers))
    }

    /// What curl prints of an answer, its head too.
    pub fn curl(&self, path: &str, arguments: &[&str]) -> String {
        curl(self.0.port, &self.0.folder, path, arguments)
    }
}
