//! What other programs read of the command line: the shells, `man`, and a person who reports a fault.

use std::path::Path;
use std::process::{Command, Output};

use rstest::rstest;

fn fecha(arguments: &[&str]) -> Output {
    let output = Command::new(env!("CARGO_BIN_EXE_fecha")).args(arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    output
}

fn text(output: Output) -> String {
    String::from_utf8(output.stdout).unwrap()
}

/// The newest of `migrations/`.
fn newest_migration() -> u32 {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
    let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
    names.map(|name| name.to_str().unwrap()[..4].parse().unwrap()).max().unwrap()
}

#[test]
fn the_version_names_commit_schema_and_zones() {
    let short = text(fecha(&["-V"]));
    assert_eq!(short, format!("fecha {}\n", env!("CARGO_PKG_VERSION")));
    let long = text(fecha(&["--version"]));
    let lines: Vec<&str> = long.lines().collect();
    assert_eq!(lines[0], short.trim_end());
    assert!(lines[1].starts_with("commit      "), "{long}");
    assert_eq!(lines[2], format!("ledger      schema {}", newest_migration()));
    let zones = lines[3].strip_prefix("time zones  IANA 20").unwrap();
    assert!(zones.len() == 3 && zones.ends_with(|last: char| last.is_ascii_lowercase()), "{long}");
}

/// Every shell that is here takes what was written for it.
#[rstest]
#[case("bash", &["bash", "-n"])]
#[case("zsh", &["zsh", "-n"])]
#[case("fish", &["fish", "--no-execute"])]
fn a_shell_reads_its_completions(#[case] shell: &str, #[case] reader: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let script = text(fecha(&["completions", shell]));
    for word in ["receivables", "people", "--dry-run", "--accept"] {
        assert!(script.contains(word.trim_start_matches('-')), "{shell} knows no {word}");
    }
    let file = folder.path().join("script");
    std::fs::write(&file, script).unwrap();
    let read = Command::new(reader[0]).args(&reader[1..]).arg(&file).output();
    let read = read.unwrap_or_else(|error| panic!("{shell}: {error}; run scripts/test --install"));
    assert!(read.status.success(), "{shell}: {}", String::from_utf8_lossy(&read.stderr));
}

#[test]
fn bash_completes_a_command() {
    let script = text(fecha(&["completions", "bash"]));
    let typed =
        "COMP_WORDS=(fecha rec); COMP_CWORD=1; _fecha fecha rec fecha; echo ${COMPREPLY[@]}";
    let output = Command::new("bash").args(["-c", &format!("{script}\n{typed}")]).output().unwrap();
    assert_eq!(text(output), "receivables\n");
}

#[test]
fn each_command_has_a_page_that_man_reads() {
    let folder = tempfile::tempdir().unwrap();
    let man = folder.path().join("man/man1");
    let said = text(fecha(&["man", man.to_str().unwrap(), "--json"]));
    let written: serde_json::Value = serde_json::from_str(&said).unwrap();
    let written = written["written"].as_array().unwrap();
    let names: Vec<&str> =
        written.iter().map(|path| path.as_str().unwrap().rsplit('/').next().unwrap()).collect();
    for name in ["fecha.1", "fecha-close.1", "fecha-people-add.1", "fecha-man.1"] {
        assert!(names.contains(&name), "{names:?}");
    }
    assert!(names.len() > 35 && names.iter().all(|name| !name.contains("help")), "{names:?}");
    for path in written {
        let lint = Command::new("mandoc")
            .args(["-T", "lint", "-W", "warning", path.as_str().unwrap()])
            .output()
            .unwrap_or_else(|error| panic!("mandoc: {error}; run scripts/test --install"));
        // A program for tests knows no commit, and so no day. A list of values stands where clap_mangen puts it.
        let found = String::from_utf8(lint.stdout).unwrap();
        let unexpected: Vec<&str> = found
            .lines()
            .filter(|line| !line.contains("missing date") && !line.contains("skipping paragraph"))
            .collect();
        assert!(unexpected.is_empty(), "{unexpected:?}");
    }
    let read = Command::new("mandoc").args(["-T", "utf8"]).arg(man.join("fecha-close.1")).output();
    let page = text(read.unwrap()).replace('\u{8}', "");
    assert!(page.contains("  fecha close --month 2026-10 --dealership d17\n"), "{page}");
}
