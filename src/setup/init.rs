//! `fecha init`: a commented configuration and an empty register, and the SELECT of a known system.
//! Overwrites nothing.

use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use crate::setup::config;
use crate::setup::register::{CONTRACT_COLUMNS, DEALERSHIP_COLUMNS};
use crate::setup::sources::Recipe;

/// The commented configuration; valid as it stands.
pub const CONFIG_TEMPLATE: &str = include_str!("../../templates/init/fecha.toml");

/// The register of the dealerships.
pub const DEALERSHIPS_FILE: &str = "dealerships.csv";

/// The register of the contracts.
pub const CONTRACTS_FILE: &str = "contracts.csv";

/// A file of a new folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Where it is.
    pub path: PathBuf,
    /// `false` where it was there before and was left alone.
    pub is_new: bool,
}

/// A file could not be written.
#[derive(Debug, thiserror::Error)]
#[error("{} cannot be written: {source}", path.display())]
pub struct InitError {
    /// The file or folder.
    pub path: PathBuf,
    /// Why.
    pub source: io::Error,
}

/// Writes configuration and register into `folder`, which is made where it is missing, and the files of a
/// recipe, and says which of them were there before.
///
/// # Errors
/// [`InitError`] where the folder or a file cannot be written.
pub fn init(folder: &Path, recipe: Option<Recipe>) -> Result<Vec<Written>, InitError> {
    let failed = |path: &Path, source| InitError { path: path.to_owned(), source };
    fs::create_dir_all(folder).map_err(|source| failed(folder, source))?;
    let configuration = recipe.map_or(CONFIG_TEMPLATE.to_owned(), configuration_of);
    let mut files = vec![
        (config::FILE_NAME.to_owned(), configuration),
        (DEALERSHIPS_FILE.to_owned(), format!("{}\n", DEALERSHIP_COLUMNS.join(","))),
        (CONTRACTS_FILE.to_owned(), format!("{}\n", CONTRACT_COLUMNS.join(","))),
    ];
    if let Some(recipe) = recipe {
        files.push((recipe.file.to_owned(), recipe.text.to_owned()));
        files.extend(index_file(recipe));
    }
    let write = |(name, content): (String, String)| {
        let path = folder.join(name);
        let is_new = write_new(&path, &content).map_err(|source| failed(&path, source))?;
        Ok(Written { path, is_new })
    };
    files.into_iter().map(write).collect()
}

/// The keys of a configuration that reads by this recipe, by section.
#[must_use]
pub fn keys_of(recipe: Recipe) -> [(&'static str, Vec<String>); 2] {
    let list = |words: Vec<&str>| format!("{words:?}");
    let relation = match recipe.relation() {
        Some(relation) => format!("relation = \"{relation}\""),
        None => format!("relation_file = \"{}\"", recipe.file),
    };
    let mut messages = vec![format!("url = \"{}\"", recipe.url()), relation];
    messages.extend(recipe.sent_at().map(|(key, value)| format!("{key} = \"{value}\"")));
    let mut counting = vec![format!("ignored_statuses = {}", list(recipe.ignored_statuses()))];
    if !recipe.counted_statuses().is_empty() {
        counting.push(format!("counted_statuses = {}", list(recipe.counted_statuses())));
    }
    [("messages", messages), ("counting", counting)]
}

/// The template, with what the recipe says in place of what it has.
fn configuration_of(recipe: Recipe) -> String {
    let [(_, messages), (_, counting)] = keys_of(recipe);
    let (url, relation) = messages.split_at(1);
    let replaced = [
        ("\nurl = \"sqlite:messages.db\"\n", url.join("\n")),
        ("\nrelation = \"message\"\n", relation.join("\n")),
        ("\nignored_statuses = [\"queued\", \"failed\"]\n", counting.join("\n")),
    ];
    replaced.iter().fold(CONFIG_TEMPLATE.to_owned(), |text, (from, to)| {
        text.replacen(from, &format!("\n{to}\n"), 1)
    })
}

fn index_file(recipe: Recipe) -> Option<(String, String)> {
    let index = recipe.index();
    let about = "-- Run once by the owner of the message database, so that a month is found without reading all messages.\n";
    (!index.is_empty()).then(|| (format!("{}.index.sql", recipe.name), format!("{about}{index}")))
}

fn write_new(path: &Path, content: &str) -> io::Result<bool> {
    match OpenOptions::new().write(true).create_new(true).open(path) {
        Ok(mut file) => file.write_all(content.as_bytes()).map(|()| true),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error),
    }
}
