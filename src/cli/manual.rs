//! `fecha completions` and `fecha man`: the command line as other programs read it, made from what parses it.

use std::io;
use std::path::{Path, PathBuf};

use clap::{Command, CommandFactory as _};
use clap_complete::Shell;
use clap_mangen::Man;
use serde_json::json;

use super::Cli;
use super::files;
use super::output::{Failure, Output};

/// Arguments of `fecha completions`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  fecha completions bash > /etc/bash_completion.d/fecha
  fecha completions zsh > ~/.zfunc/_fecha
  fecha completions fish > ~/.config/fish/completions/fecha.fish")]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

/// Arguments of `fecha man`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  fecha man /usr/local/share/man/man1
  fecha man man && man -l man/fecha-close.1")]
pub struct ManArgs {
    /// The folder; made where it is missing
    dir: PathBuf,
}

/// Prints the completions for a shell.
pub fn completions(args: &CompletionsArgs, output: &Output) {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "fecha", &mut script);
    if output.is_json() {
        let script = String::from_utf8_lossy(&script);
        let value = json!({"shell": args.shell.to_string(), "script": script});
        output.result(&value, |_| String::new());
    } else {
        output.document(&script);
    }
}

/// Writes a page for each command.
pub fn man(args: &ManArgs, output: &Output) -> Result<u8, Failure> {
    let cannot = |path: &Path, error: &io::Error| {
        Failure::wrong(format!("{} cannot be written: {error}", path.display()))
    };
    std::fs::create_dir_all(&args.dir).map_err(|error| cannot(&args.dir, &error))?;
    let mut command = Cli::command();
    command.build();
    let mut pages = Vec::new();
    pages_of(&command, &mut pages).map_err(|error| cannot(&args.dir, &error))?;
    let mut written = Vec::new();
    for (name, page) in pages {
        let path = args.dir.join(name);
        files::put(&path, &page)?;
        written.push(path.display().to_string());
    }
    output.result(&json!({"written": written}), |_| {
        format!("wrote {} pages to {}\n", written.len(), args.dir.display())
    });
    Ok(0)
}

/// The page of a command, and those of the commands below it, by the names of their files.
fn pages_of(command: &Command, pages: &mut Vec<(String, Vec<u8>)>) -> io::Result<()> {
    // What `--version` says in several lines is not the page's matter.
    let command = command.clone().long_version(env!("CARGO_PKG_VERSION"));
    // The commit's: today's would be another one each time the page is made.
    let date =
        env!("SOURCE_COMMIT").split_once(" of ").map_or("", |(_, date)| date.trim_end_matches('+'));
    let source = concat!("fecha ", env!("CARGO_PKG_VERSION"));
    let man = Man::new(command.clone()).source(source).manual("fecha").date(date);
    let mut page = Vec::new();
    man.render(&mut page)?;
    pages.push((man.get_filename(), as_typed(&page)));
    for below in command.get_subcommands().filter(|below| below.get_name() != "help") {
        pages_of(below, pages)?;
    }
    Ok(())
}

/// Examples keep their lines: man fills all others. A date that is not known is an empty one, not the next word.
fn as_typed(page: &[u8]) -> Vec<u8> {
    let page = String::from_utf8_lossy(page).replace(" 1  \"fecha", " 1 \"\" \"fecha");
    let Some((before, notes)) = page.split_once(".SH EXTRA\n") else { return page.into() };
    let (notes, after) = match notes.split_once(".SH ") {
        Some((notes, after)) => (notes, format!(".SH {after}")),
        None => (notes, String::new()),
    };
    format!("{before}.SH NOTES\n.nf\n{}\n.fi\n{after}", notes.trim_end()).into()
}
