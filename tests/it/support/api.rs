//! A program that uses the interface, by curl.

use std::collections::BTreeMap;
use std::process::{Command, Stdio};

use serde_json::Value;

use super::daemon::{Daemon, within};
use super::reseller::Reseller;

/// A program with a token.
pub struct Program {
    address: String,
    token: String,
}

/// What was answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    pub status: u16,
    /// By lower-case name.
    pub headers: BTreeMap<String, String>,
    pub body: String,
}

impl Answer {
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The JSON of an answer with this status.
    #[track_caller]
    pub fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{self:?}");
        self.json()
    }

    /// The problem's word, of an answer with this status.
    #[track_caller]
    pub fn problem(&self, status: u16) -> String {
        let problem = self.expect(status);
        assert_eq!(self.headers["content-type"], "application/problem+json");
        assert_eq!(problem["status"], status);
        let kind = problem["type"].as_str().unwrap();
        kind.strip_prefix("urn:fecha:problem:").unwrap().to_owned()
    }

    /// Where the next page is.
    pub fn next(&self) -> Option<String> {
        let link = self.headers.get("link")?;
        let path = link.strip_prefix("</api/v1")?.strip_suffix(">; rel=\"next\"")?;
        Some(path.to_owned())
    }

    fn of(text: &str) -> Option<Self> {
        let (head, body) = text.split_once("\r\n\r\n")?;
        let mut lines = head.lines();
        let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
        let header = |line: &str| {
            let (name, value) = line.split_once(": ")?;
            Some((name.to_ascii_lowercase(), value.to_owned()))
        };
        Some(Self { status, headers: lines.filter_map(header).collect(), body: body.to_owned() })
    }
}

impl Program {
    /// One with a token of this role, which is made by the command line.
    pub fn new(reseller: &Reseller, daemon: &Daemon, role: &str) -> Self {
        let arguments = ["tokens", "add", "--name", role, "--role", role, "--by", "Ana", "--json"];
        let token = reseller.run(&arguments).expect(0).json();
        Self { address: daemon.address(), token: token["token"].as_str().unwrap().to_owned() }
    }

    /// The same program at another daemon.
    pub fn at(&self, daemon: &Daemon) -> Self {
        Self { address: daemon.address(), token: self.token.clone() }
    }

    /// The same with another token.
    pub fn with_token(&self, token: &str) -> Self {
        Self { address: self.address.clone(), token: token.to_owned() }
    }

    /// The token that it has.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// Where the interface is.
    pub fn base(&self) -> String {
        format!("http://{}/api/v1", self.address)
    }

    /// What curl gets; `None` where nobody answers.
    pub fn asks(&self, path: &str, more: &[&str]) -> Option<Answer> {
        let mut curl = Command::new("curl");
        curl.args(["-s", "-i", "--max-time", "60"]).arg(format!("{}{path}", self.base()));
        if !self.token.is_empty() {
            curl.arg("-H").arg(format!("Authorization: Bearer {}", self.token));
        }
        let output = curl.args(more).stdin(Stdio::null()).output().unwrap();
        Answer::of(&String::from_utf8_lossy(&output.stdout))
    }

    #[track_caller]
    pub fn get(&self, path: &str) -> Answer {
        self.asks(path, &[]).unwrap_or_else(|| panic!("no answer to GET {path}"))
    }

    /// The bytes of a file.
    pub fn file(&self, path: &str) -> Vec<u8> {
        let mut curl = Command::new("curl");
        curl.args(["-s", "--fail", "-H"]).arg(format!("Authorization: Bearer {}", self.token));
        let output = curl.arg(format!("{}{path}", self.base())).output().unwrap();
        assert!(output.status.success(), "{path}: {output:?}");
        output.stdout
    }

    /// What is answered to a POST; `None` where nobody answers.
    pub fn tries(&self, path: &str, key: &str, body: &Value) -> Option<Answer> {
        let (key, body) = (format!("Idempotency-Key: {key}"), body.to_string());
        let json = "Content-Type: application/json";
        self.asks(path, &["-X", "POST", "-H", &key, "-H", json, "-d", &body])
    }

    #[track_caller]
    pub fn post(&self, path: &str, key: &str, body: &Value) -> Answer {
        self.tries(path, key, body).unwrap_or_else(|| panic!("no answer to POST {path}"))
    }

    /// What came of a task that was asked for, once it is done.
    #[track_caller]
    pub fn end(&self, asked: &Answer) -> Value {
        let id = asked.expect(202)["id"].as_str().unwrap().to_owned();
        assert_eq!(asked.headers["location"], format!("/api/v1/tasks/{id}"));
        let path = format!("/tasks/{id}");
        let look = || self.get(&path).expect(200);
        let is_over = || ["done", "failed"].contains(&look()["state"].as_str().unwrap());
        within(std::time::Duration::from_secs(90), "the task is over", is_over);
        let task = look();
        assert_eq!(task["state"], "done", "{task}");
        task["outcome"].clone()
    }

    /// Every row of a list, page by page.
    #[track_caller]
    pub fn all(&self, path: &str) -> Vec<Value> {
        let (mut rows, mut next) = (Vec::new(), Some(path.to_owned()));
        while let Some(path) = next {
            let page = self.get(&path);
            rows.extend(page.expect(200).as_array().unwrap().iter().cloned());
            next = page.next();
        }
        rows
    }
}
