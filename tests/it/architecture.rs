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

/// The lines of a file before its tests, which do not make the code harder to read.
fn before_tests(text: &str) -> impl Iterator<Item = &str> {
    text.lines().take_while(|line| *line != "#[cfg(test)]")
}

/// All lines of a file that are no comments, without their texts.
fn code(file: &Path) -> Vec<Line> {
    let shown = file.strip_prefix(env!("CARGO_MANIFEST_DIR")).unwrap().display();
    let text = fs::read_to_string(file).unwrap();
    (1..)
        .zip(before_tests(&text))
        .filter(|(_, line)| !line.trim_start().starts_with("//"))
        .map(|(number, line)| Line {
            place: format!("{shown}:{number}"),
            code: without_texts(line),
        })
        .collect()
}

fn without_texts(line: &str) -> String {
    line.split('"').step_by(2).collect::<Vec<_>>().join("\"\"")
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
const ROOMS: [(&str, &[&str]); 13] = [
    ("clock", &[]),
    ("messages", &[]),
    ("ledger", &[]),
    ("document", &[]),
    ("letters", &[]),
    ("tax", &[]),
    ("post", &["clock", "ledger", "letters"]),
    ("setup", &["clock", "messages", "ledger", "document", "letters", "post"]),
    ("actions", &["clock", "messages", "ledger", "document", "letters", "tax", "post", "setup"]),
    (
        "console",
        &["clock", "messages", "ledger", "document", "letters", "post", "setup", "actions"],
    ),
    ("api", &["ledger", "letters", "setup", "actions"]),
    (
        "daemon",
        &["clock", "messages", "ledger", "letters", "post", "setup", "actions", "console", "api"],
    ),
    (
        "cli",
        &[
            "clock", "messages", "ledger", "document", "letters", "post", "setup", "actions",
            "console", "daemon",
        ],
    ),
];

#[test]
fn no_arrow_runs_back() {
    let mut found = Vec::new();
    for (room, known) in ROOMS {
        let (folder, file) = (src().join(room), src().join(format!("{room}.rs")));
        let files = if file.exists() { vec![file] } else { source_files(&folder) };
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

/// Words that only some rooms may use, and why.
const KEPT_TO: [(&str, &[&str], &str); 5] = [
    ("Utc::now", &["clock"], "ask the injected clock instead"),
    ("Local::now", &["clock"], "ask the injected clock instead"),
    (
        "now_v7",
        &[],
        "it reads the machine's clock: make ids from the injected one (ledger::new_id)",
    ),
    ("sqlx", &["ledger", "messages"], "SQL belongs to the ledger or to the message database"),
    ("rusqlite", &["messages", "setup"], "SQL belongs to the ledger or to the message database"),
];

#[test]
fn what_belongs_to_a_room_stays_in_it() {
    let mut found = Vec::new();
    for file in source_files(&src()) {
        let inside = file.strip_prefix(src()).unwrap().with_extension("");
        let room = inside.components().next().unwrap().as_os_str().to_str().unwrap().to_owned();
        let lines = code(&file);
        for (word, rooms, why) in KEPT_TO {
            if !rooms.contains(&room.as_str()) {
                let places = uses(&lines, word).into_iter();
                found.extend(places.map(|place| format!("{place}: {word}: {why}")));
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// All files but those of tests alone.
fn all_sources() -> Vec<PathBuf> {
    let core = Path::new(env!("CARGO_MANIFEST_DIR")).join("core/src");
    let mut files = [source_files(&src()), source_files(&core)].concat();
    files.retain(|file| !file.ends_with("tests.rs"));
    files
}

#[test]
fn no_file_is_too_long() {
    const MOST: usize = 500;
    let long: Vec<String> = all_sources()
        .into_iter()
        .filter_map(|file| {
            let code = before_tests(&fs::read_to_string(&file).unwrap()).count();
            (code > MOST).then(|| format!("{}: {code} lines", file.display()))
        })
        .collect();
    assert!(long.is_empty(), "split these files (at most {MOST} lines):\n{}", long.join("\n"));
}

/// The functions of a file, as rustfmt sets them, with their lines.
fn functions(text: &str) -> Vec<(String, usize)> {
    let mut functions = Vec::new();
    let mut open: Option<(usize, usize, String)> = None;
    for (number, line) in before_tests(text).enumerate() {
        let code = line.trim_start();
        let indent = line.len() - code.len();
        let name = code.split_once("fn ").map(|(before, after)| {
            let is_head = before.split_whitespace().all(|word| {
                matches!(word, "pub" | "const" | "async")
                    || word.starts_with("pub(")
                    || word == "crate)"
            });
            (is_head, after.split(['(', '<']).next().unwrap_or_default().to_owned())
        });
        if let Some((true, name)) = name {
            open = Some((number, indent, name));
        }
        if let Some((begin, at, name)) = open.take_if(|(_, at, _)| code == "}" && indent == *at) {
            let _ = at;
            functions.push((name, number - begin + 1));
        }
    }
    functions
}

#[test]
fn no_function_is_past_a_screen() {
    const MOST: usize = 60;
    let mut long = Vec::new();
    for file in all_sources() {
        for (name, lines) in functions(&fs::read_to_string(&file).unwrap()) {
            if lines > MOST {
                long.push(format!("{}: {name} has {lines} lines", file.display()));
            }
        }
    }
    assert!(long.is_empty(), "split these (at most {MOST} lines):\n{}", long.join("\n"));
}

/// A tidy test that finds nothing must be able to find something.
#[test]
fn words_are_found_only_as_words() {
    let line = |code: &str| [Line { place: "here".to_owned(), code: code.to_owned() }];
    assert_eq!(uses(&line("use sqlx::Row;"), "sqlx"), ["here"]);
    assert_eq!(uses(&line("let at = chrono::Utc::now();"), "Utc::now"), ["here"]);
    assert!(uses(&line("let my_sqlx_like = 1;"), "sqlx").is_empty());
}

#[test]
fn functions_are_measured_from_head_to_brace() {
    let text = "pub(crate) async fn a<T>(\n    b: T,\n) {\n    let c = |d| {\n        d\n    };\n}\n\
        impl X {\n    fn e() {\n    }\n}\n#[cfg(test)]\nfn f() {\n}\n";
    assert_eq!(functions(text), [("a".to_owned(), 7), ("e".to_owned(), 2)]);
}
