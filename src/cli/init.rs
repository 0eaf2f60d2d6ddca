//! `fecha init`

use std::path::PathBuf;

use serde_json::json;

use super::output::{Failure, Output};

/// Arguments of `fecha init`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  fecha init billing && cd billing && $EDITOR fecha.toml && fecha check"
)]
pub struct Args {
    /// The folder; made where it is missing
    #[arg(default_value = ".")]
    dir: PathBuf,
}

/// Writes the starting files.
pub fn init(args: &Args, output: &Output) -> Result<u8, Failure> {
    let files = crate::setup::init::init(&args.dir)?;
    let of = |is_new| -> Vec<String> {
        let files = files.iter().filter(move |file| file.is_new == is_new);
        files.map(|file| file.path.display().to_string()).collect()
    };
    let (written, kept) = (of(true), of(false));
    output.result(&json!({"written": written, "kept": kept}), || {
        let written = written.iter().map(|path| format!("wrote {path}\n"));
        let kept = kept.iter().map(|path| format!("left  {path} as it is\n"));
        let next = "\nNext: fill in fecha.toml, add your dealerships and contracts, then\n  \
                    fecha import --dealerships dealerships.csv --contracts contracts.csv\n  fecha check\n";
        written.chain(kept).chain([next.to_owned()]).collect()
    });
    Ok(0)
}
