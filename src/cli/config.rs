//! `fecha config`

use std::path::Path;

use serde_json::{Value, json};

use super::output::{Failure, Output};
use super::page::{Page, text, word};
use crate::setup::config::{self, Config, Said, Setting};

/// What `fecha config --help` says below its options.
pub const HELP: &str = "\
Each key with its value, and where that comes from: a line of the file, a
variable, a file that a variable names, a credential of systemd, or a default.
Passwords and the evidence key are not shown. Nothing is connected to.

Examples:
  fecha config
  fecha config --json | jq '.settings[] | select(.key == \"ledger.url\")'";

/// Shows the configuration in force.
pub fn config(path: Option<&Path>, output: &Output) -> Result<u8, Failure> {
    let (config, settings) = Config::in_force(path, config::environment())?;
    let file = config.file.display().to_string();
    let all: Vec<Value> = settings.iter().map(|setting| as_json(setting, &file)).collect();
    output.result(&json!({"file": file, "settings": all}), |page| in_words(page, &file, &settings));
    Ok(0)
}

fn as_json(setting: &Setting, file: &str) -> Value {
    json!({"key": setting.key, "value": setting.value, "from": from(setting, file)})
}

/// `None` where it is not set.
fn from(setting: &Setting, file: &str) -> Option<String> {
    match &setting.said {
        Said::File(line) => Some(format!("{file}:{line}")),
        Said::Beside(place) => Some(place.clone()),
        Said::Nobody => setting.value.is_some().then(|| "default".to_owned()),
    }
}

fn in_words(page: Page, file: &str, settings: &[Setting]) -> String {
    // Each line of the table names it otherwise.
    let name = Path::new(file).file_name().map_or(file.into(), |name| name.to_string_lossy());
    let row = |setting: &Setting| {
        let value = setting.value.as_ref()?.replace('\n', " ");
        Some(vec![setting.key.clone(), value, from(setting, &name)?])
    };
    let columns = [word("key"), text("value"), text("from")];
    let table = page.table(&columns, settings.iter().filter_map(row).collect());
    let unset: Vec<&str> = settings
        .iter()
        .filter(|setting| setting.value.is_none())
        .map(|setting| setting.key.as_str())
        .collect();
    format!("{file}\n{table}\nNot set: {}\n", unset.join(", "))
}
