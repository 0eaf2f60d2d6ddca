//! What a browser does, as far as a server can tell: cookies are kept, forms say where they come from, a
//! redirect is shown, not followed.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use super::daemon::Daemon;
use super::reseller::Reseller;

/// A password that may be chosen.
pub const PASSWORD: &str = "quatro palavras bem longas";

/// What was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    /// As they came, names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Answer {
    fn parse(text: &str) -> Self {
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((text, ""));
        let mut lines = head.lines();
        let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok());
        let header = |line: &str| {
            let (name, value) = line.split_once(": ")?;
            Some((name.to_lowercase(), value.to_owned()))
        };
        Self {
            status: status.unwrap_or(0),
            headers: lines.filter_map(header).collect(),
            // As a browser reads it.
            body: body.replace("&#x2f;", "/"),
        }
    }

    /// The first of this name; empty where there is none.
    pub fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(one, _)| one == name).map_or("", |(_, value)| value)
    }

    /// Where a redirect leads, if the status is 303.
    #[track_caller]
    pub fn leads_to(&self) -> &str {
        assert_eq!(self.status, 303, "{self:?}");
        self.header("location")
    }

    /// The same, if the status was this.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{self:?}");
        self
    }
}

/// Somebody at a browser.
#[derive(Debug, Clone)]
pub struct Browser {
    address: String,
    pub cookies: BTreeMap<String, String>,
    /// Further headers of each request.
    pub headers: Vec<(String, String)>,
}

impl Browser {
    pub fn new(daemon: &Daemon) -> Self {
        Self { address: daemon.address(), cookies: BTreeMap::new(), headers: Vec::new() }
    }

    /// Somebody of this role, invited by the command line, who has chosen a password and is signed in.
    #[track_caller]
    pub fn signed_in(reseller: &Reseller, daemon: &Daemon, email: &str, role: &str) -> Self {
        let add = ["--json", "people", "add", "--email", email, "--role", role, "--by", "Rui"];
        let invited = reseller.run(&add).expect(0).json();
        let link = invited["link"].as_str().unwrap();
        let path = link.find("/invitation/").map(|at| &link[at..]).unwrap().to_owned();
        let mut browser = Self::new(daemon);
        browser.get(&path).expect(200);
        let chosen = browser.post(&path, &[("password", PASSWORD), ("again", PASSWORD)]);
        assert_eq!(chosen.leads_to(), "/");
        browser
    }

    pub fn get(&mut self, path: &str) -> Answer {
        self.ask(&format!("GET {path} HTTP/1.1\r\n"), "")
    }

    /// Sends a form from a page of the same server.
    pub fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.post_from(path, "same-origin", fields)
    }

    /// Sends a form from a page of another kind of site, as `Sec-Fetch-Site` names it.
    pub fn post_from(&mut self, path: &str, site: &str, fields: &[(&str, &str)]) -> Answer {
        let encoded = |text: &str| -> String {
            let plain = |byte: u8| byte.is_ascii_alphanumeric();
            text.bytes()
                .map(|byte| match byte {
                    byte if plain(byte) => char::from(byte).to_string(),
                    byte => format!("%{byte:02X}"),
                })
                .collect()
        };
        let body: Vec<String> = fields
            .iter()
            .map(|(name, value)| format!("{}={}", encoded(name), encoded(value)))
            .collect();
        let body = body.join("&");
        let head = format!(
            "POST {path} HTTP/1.1\r\nSec-Fetch-Site: {site}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n",
            body.len()
        );
        self.ask(&head, &body)
    }

    /// A request line with some headers, and a body.
    pub fn ask(&mut self, head: &str, body: &str) -> Answer {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
        let mut request = format!("{head}Host: {}\r\nConnection: close\r\n", self.address);
        if !self.cookies.is_empty() {
            let cookies: Vec<String> =
                self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            request += &format!("Cookie: {}\r\n", cookies.join("; "));
        }
        for (name, value) in &self.headers {
            request += &format!("{name}: {value}\r\n");
        }
        // A server that has heard enough answers before the body is over.
        let _ = write!(stream, "{request}\r\n{body}");
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let answer = Answer::parse(&String::from_utf8_lossy(&answer));
        for (name, value) in &answer.headers {
            if name == "set-cookie" {
                self.keep(value);
            }
        }
        answer
    }

    fn keep(&mut self, cookie: &str) {
        let (pair, attributes) = cookie.split_once(';').unwrap_or((cookie, ""));
        let (name, value) = pair.split_once('=').unwrap();
        if attributes.contains("Max-Age=0") {
            self.cookies.remove(name);
        } else {
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
    }

    /// Logs in; where that leads, or why not.
    pub fn log_in(&mut self, email: &str, password: &str) -> Answer {
        self.post("/login", &[("email", email), ("password", password)])
    }
}

impl Browser {
    /// What a path gives, byte for byte, with its headers.
    pub fn download(&self, path: &str) -> (Answer, Vec<u8>) {
        let cookies: Vec<String> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
        let headers = self.headers.iter().map(|(name, value)| format!("{name}: {value}\r\n"));
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nCookie: {}\r\n{}\r\n",
            self.address,
            cookies.join("; "),
            headers.collect::<String>()
        )
        .unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let end = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
        let head = String::from_utf8(answer[..end].to_vec()).unwrap();
        (Answer::parse(&head), answer[end + 4..].to_vec())
    }

    /// Sends a file of text by a form whose field is `file`.
    pub fn upload(&mut self, path: &str, name: &str, text: &str) -> Answer {
        let body = format!(
            "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\
             Content-Type: application/octet-stream\r\n\r\n{text}\r\n--b--\r\n"
        );
        let head = format!(
            "POST {path} HTTP/1.1\r\nSec-Fetch-Site: same-origin\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: {}\r\n",
            body.len()
        );
        self.ask(&head, &body)
    }
}
