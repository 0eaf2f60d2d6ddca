//! The first hour: one command, and the demo's six months are looked at in a browser.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use serde_json::{Value, json};

use crate::support::chromium::Story;
use crate::support::reseller::{LedgerKind, Reseller};

#[test]
fn one_command_shows_six_months() {
    let mut reseller = Reseller::new(LedgerKind::Sqlite);
    reseller.at("2026-11-20 12:00:00");
    let mut command = reseller.command(&["demo", "--dir", "demo", "--serve", "--json"]);
    let mut demo = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let lines = BufReader::new(demo.stdout.take().unwrap()).lines();
    // What it made, and then how it is reached: each is JSON, over some lines.
    let mut printed = String::new();
    let mut served = Value::Null;
    for line in lines {
        printed += &line.unwrap();
        if let Ok(value) = serde_json::from_str::<Value>(&printed) {
            printed.clear();
            if value["url"].is_string() {
                served = value;
                break;
            }
        }
    }
    let told = json!({"base": served["url"], "person": served});
    let story = std::panic::catch_unwind(|| Story::start("first_hour", &told).ends());
    demo.kill().unwrap();
    demo.wait().unwrap();
    assert!(story.is_ok(), "{served}");
}
