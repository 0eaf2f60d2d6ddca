//! The console as people use it: a real Chromium, the real daemon on both kinds of ledger, on a clock that the
//! tests set. What the browser did is looked for in the ledger.

mod bank;
mod failed_email;
mod first_hour;
mod first_of_month;
mod pages;
mod people;
mod register;
mod states;
mod third;

use std::process::{Command, Stdio};

use crate::support::chromium::free_port;
use crate::support::daemon::eventually;
use crate::support::reseller::{Reseller, Row};
use crate::support::smtp::Server;

/// Where the console of a reseller is, also when its daemon is started again.
pub struct Seat {
    pub base: String,
}

impl Seat {
    /// Configures the console of a reseller; emails lead there.
    pub fn of(reseller: &mut Reseller) -> Self {
        let address = format!("127.0.0.1:{}", free_port());
        let base = format!("http://{address}");
        let set = |name: &str, value: &str| (format!("FECHA_CONSOLE__{name}"), value.to_owned());
        reseller.variables.extend([set("LISTEN", &address), set("PUBLIC_URL", &base)]);
        Self { base }
    }
}

/// So many templates that a dealership sent then.
fn add_hsm(reseller: &Reseller, id: &str, count: usize, sent_at: &str) {
    let contact = |index: usize| format!("55489{:08}", 90_000_000 + index);
    let contacts: Vec<String> = (0..count).map(contact).collect();
    let rows: Vec<Row<'_>> = contacts
        .iter()
        .map(|contact| (Some(id), contact.as_str(), "out", "hsm", Some("oferta"), None, sent_at))
        .collect();
    reseller.add(&rows);
}

/// Waits for an email to somebody whose subject begins so; its text.
#[track_caller]
fn letter(mail: &Server, to: &str, subject: &str) -> String {
    let mut found = None;
    eventually(&format!("{to} gets '{subject}'"), || {
        let taken = mail.taken();
        let mut theirs = taken.iter().filter(|taken| taken.to == to);
        found =
            theirs.find_map(|taken| text_of(&taken.data).strip_prefix(subject).map(str::to_owned));
        found.is_some()
    });
    found.unwrap_or_default()
}

/// Subject and text of an email.
fn text_of(data: &[u8]) -> String {
    use std::io::Write as _;
    let script = "
import email, email.policy, sys
message = email.message_from_binary_file(sys.stdin.buffer, policy=email.policy.default)
print(message['subject']); print(message.get_body(('plain',)).get_content())";
    let mut python = Command::new("python3");
    python.args(["-c", script]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut python = python.spawn().unwrap();
    python.stdin.take().unwrap().write_all(data).unwrap();
    let output = python.wait_with_output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap().replace('\u{a0}', " ")
}

/// Where an email leads.
#[track_caller]
fn link_in(text: &str, base: &str) -> String {
    let link = text.split_whitespace().find(|word| word.starts_with(base));
    link.unwrap_or_else(|| panic!("no link to {base} in:\n{text}")).to_owned()
}
