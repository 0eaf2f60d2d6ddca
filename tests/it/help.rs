//! The help of every command, as one text that a change of it must be read in.

use assert_cmd::Command;

fn help(arguments: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fecha"));
    let output = command.args(arguments).arg("--help").output().unwrap();
    assert!(output.status.success(), "{arguments:?} --help");
    String::from_utf8(output.stdout).unwrap()
}

/// The names of all commands, as the help lists them.
fn commands(help: &str) -> Vec<&str> {
    let list = help.split_once("Commands:\n").unwrap().1;
    let lines = list.lines().take_while(|line| line.starts_with("  "));
    // What a command does may go on in the next line.
    let names = lines.filter(|line| !line.starts_with("   "));
    names.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help").collect()
}

#[test]
fn of_every_command() {
    let all = help(&[]);
    let mut text = format!("{all}\n");
    for name in commands(&all) {
        let own = help(&[name]);
        text += &format!("{}\n$ fecha {name} --help\n{own}\n", "=".repeat(80));
        // `fecha people add` and its like.
        for part in own.contains("Commands:\n").then(|| commands(&own)).into_iter().flatten() {
            let own = help(&[name, part]);
            text += &format!("{}\n$ fecha {name} {part} --help\n{own}\n", "=".repeat(80));
        }
    }
    assert!(text.matches("--help\n").count() > 15, "not all commands were found");
    insta::assert_snapshot!("help", text);
}
