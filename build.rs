//! Says to the program which commit it is made from, and makes it anew where a migration is.
//!
//! Nothing of the machine that builds goes into it, no path and no time: the same source gives the same program.

use std::path::Path;
use std::process::Command;

/// Says the commit where there is no git: a container's build, a package's.
const COMMIT: &str = "SOURCE_COMMIT";

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=migrations");
    println!("cargo::rerun-if-env-changed={COMMIT}");
    println!("cargo::rustc-env={COMMIT}={}", commit());
}

/// `1a2b3c4d5e6f of 2026-11-27`, with a `+` where the source is another than that commit's; `unknown` where
/// nothing says it.
fn commit() -> String {
    if let Some(told) = std::env::var(COMMIT).ok().filter(|told| !told.is_empty()) {
        return told;
    }
    // A program for tests would be made anew for each commit.
    if std::env::var("PROFILE").is_ok_and(|profile| profile == "debug") {
        return "unknown".to_owned();
    }
    of_git().unwrap_or_else(|| "unknown".to_owned())
}

fn of_git() -> Option<String> {
    // Another repository around a source without one says nothing about it.
    if !git(&["rev-parse", "--show-prefix"])?.is_empty() {
        return None;
    }
    for file in ["HEAD", "index", "logs/HEAD"] {
        let path = git(&["rev-parse", "--git-path", file])?;
        if Path::new(&path).exists() {
            println!("cargo::rerun-if-changed={path}");
        }
    }
    for source in ["src", "core", "templates", "assets", "Cargo.toml", "Cargo.lock"] {
        println!("cargo::rerun-if-changed={source}");
    }
    let commit = git(&["log", "-1", "--format=%h of %cs", "--abbrev=12"])?;
    let is_changed = !git(&["status", "--porcelain", "--untracked-files=no"])?.is_empty();
    Some(if is_changed { format!("{commit}+") } else { commit })
}

/// What git says; `None` where there is no git, or it refuses.
fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}
