//! The architecture, kept by reading the source: who may know whom, and how long a file may be. That the
//! core stays pure is kept by Cargo: `core/` is a crate without the means to be anything else.

use std::fs;
use std::path::{Path, PathBuf};

/// A line of code, with the place to look at when it is wrong.
struct Line {
    place: String,
    code: String,
}

fn source_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(source_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

fn src() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// All lines of a file that are no comments.
fn code(file: &Path) -> Vec<Line> {
    let shown = file.strip_prefix(env!("CARGO_MANIFEST_DIR")).unwrap().display();
    let text = fs::read_to_string(file).unwrap();
    (1..)
        .zip(text.lines())
        .filter(|(_, line)| !line.trim_start().starts_with("//"))
        .map(|(number, line)| Line { place: format!("{shown}:{number}"), code: line.to_owned() })
        .collect()
}

/// The places where a word stands as a whole path segment, not inside another word.
fn uses(lines: &[Line], word: &str) -> Vec<String> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let stands_alone = |line: &Line| {
        line.code.match_indices(word).any(|(at, _)| {
            !line.code[..at].ends_with(is_word)
                && !line.code[at + word.len()..].starts_with(is_word)
        })
    };
    lines.iter().filter(|line| stands_alone(line)).map(|line| line.place.clone()).collect()
}

/// The rooms of the house from the ground up, each with the rooms that it may know beside the core. What is
/// not named here it may not know: no arrow runs back up.
const ROOMS: [(&str, &[&str]); 10] = [
    ("clock", &[]),
    ("messages", &[]),
    ("ledger", &[]),
    ("document", &[]),
    ("letters", &[]),
    ("post", &["clock", "ledger", "letters"]),
    ("setup", &["clock", "messages", "ledger", "document", "letters", "post"]),
    ("actions", &["clock", "messages", "ledger", "document", "letters", "post", "setup"]),
    ("daemon", &["clock", "messages", "ledger", "letters", "post", "setup", "actions"]),
    (
        "cli",
        &[
            "clock", "messages", "ledger", "document", "letters", "post", "setup", "actions",
            "daemon",
        ],
    ),
];

#[test]
fn no_arrow_runs_back() {
    let mut found = Vec::new();
    for (room, known) in ROOMS {
        let (folder, file) = (src().join(room), src().join(format!("{room}.rs")));
        // A room may be a single file.
        let mut files = if folder.is_dir() { source_files(&folder) } else { Vec::new() };
        files.extend(Some(file).filter(|file| file.exists()));
        assert!(!files.is_empty(), "the room {room} is gone: say so here");
        for line in files.iter().flat_map(|file| code(file)) {
            let (place, code) = (&line.place, &line.code);
            let others = ROOMS.iter().map(|(other, _)| *other).filter(|other| *other != room);
            for other in others.filter(|other| !known.contains(other)) {
                if !uses(std::slice::from_ref(&line), &format!("crate::{other}")).is_empty() {
                    found.push(format!("{place}: {room} does not know {other}: {code}"));
                }
            }
        }
    }
    assert!(found.is_empty(), "arrows that run back:\n{}", found.join("\n"));
}

#[test]
fn every_room_is_named() {
    let lib = fs::read_to_string(src().join("lib.rs")).unwrap();
    let rooms: Vec<&str> = lib.lines().filter_map(|line| line.strip_prefix("pub mod ")).collect();
    for room in rooms {
        let name = room.trim_end_matches(';');
        assert!(ROOMS.iter().any(|(known, _)| *known == name), "{name} has no place in the house");
    }
}

#[test]
fn only_the_clock_asks_what_time_it_is() {
    let mut found = Vec::new();
    for file in source_files(&src()) {
        if !file.ends_with("src/clock.rs") {
            let lines = code(&file);
            found.extend(["Utc::now", "Local::now"].iter().flat_map(|word| uses(&lines, word)));
        }
    }
    assert!(found.is_empty(), "ask the injected clock instead:\n{}", found.join("\n"));
}

#[test]
fn no_file_is_too_long() {
    const MOST: usize = 500;
    let long: Vec<String> = source_files(&src())
        .into_iter()
        .filter_map(|file| {
            let text = fs::read_to_string(&file).unwrap();
            // Tests that stand beside the code do not make it harder to read.
            let code = text.lines().take_while(|line| *line != "#[cfg(test)]").count();
            (code > MOST).then(|| format!("{}: {code} lines", file.display()))
        })
        .collect();
    assert!(long.is_empty(), "split these files (at most {MOST} lines):\n{}", long.join("\n"));
}

/// A tidy test that finds nothing must be able to find something.
#[test]
fn words_are_found_only_as_words() {
    let line = |code: &str| [Line { place: "here".to_owned(), code: code.to_owned() }];
    assert_eq!(uses(&line("use sqlx::Row;"), "sqlx"), ["here"]);
    assert_eq!(uses(&line("let at = chrono::Utc::now();"), "Utc::now"), ["here"]);
    assert!(uses(&line("let my_sqlx_like = 1;"), "sqlx").is_empty());
}
