//! `fecha init`

use std::path::PathBuf;

use serde_json::json;

use super::output::{Failure, Output};
use crate::setup::config;
use crate::setup::init::{Written, keys_of};
use crate::setup::sources::Recipe;

/// Arguments of `fecha init`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
With --source it writes the SELECT of a known system beside the configuration,
its statuses into it, and the index that the system's owner should make once
as a file of its own. An unknown name lists the known ones; docs/sources/
describes them, and how to write one of your own.

Examples:
  fecha init billing && cd billing && $EDITOR fecha.toml && fecha check
  fecha init --source chatwoot billing
  fecha init --source list      no such system: the known ones are listed")]
pub struct Args {
    /// The system whose messages are read, such as chatwoot or evolution-postgresql
    #[arg(long, value_name = "NAME")]
    source: Option<String>,
    /// The folder; made where it is missing
    #[arg(default_value = ".")]
    dir: PathBuf,
}

/// Writes the starting files.
pub fn init(args: &Args, output: &Output) -> Result<u8, Failure> {
    let recipe = args.source.as_deref().map(Recipe::named).transpose().map_err(Failure::wrong)?;
    let files = crate::setup::init::init(&args.dir, recipe)?;
    let of = |is_new| -> Vec<String> {
        let files = files.iter().filter(move |file| file.is_new == is_new);
        files.map(|file| file.path.display().to_string()).collect()
    };
    let (written, kept) = (of(true), of(false));
    output.result(&json!({"written": written, "kept": kept}), |_| {
        let written = written.iter().map(|path| format!("wrote {path}\n"));
        let kept = kept.iter().map(|path| format!("left  {path} as it is\n"));
        let unsaid = recipe.filter(|_| files.iter().any(is_kept_configuration)).map(keys_in_words);
        let next = "\nNext: fill in fecha.toml, add your dealerships and contracts, then\n  \
                    fecha import --dealerships dealerships.csv --contracts contracts.csv\n  fecha check\n";
        written.chain(kept).chain(unsaid).chain([next.to_owned()]).collect()
    });
    Ok(0)
}

fn is_kept_configuration(file: &Written) -> bool {
    !file.is_new && file.path.ends_with(config::FILE_NAME)
}

/// What a configuration that was there before does not say yet.
fn keys_in_words(recipe: Recipe) -> String {
    let sections = keys_of(recipe).map(|(section, keys)| {
        let keys: String = keys.iter().map(|key| format!("  {key}\n")).collect();
        format!("  [{section}]\n{keys}")
    });
    format!("\nWrite into {}:\n{}", config::FILE_NAME, sections.concat())
}
