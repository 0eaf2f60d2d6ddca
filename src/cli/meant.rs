//! What is typed on the command line is text that can be meant: checked once, for all options.

use std::any::TypeId;
use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{Arg, ArgMatches, Command, Error};
use fecha_core::party::invisible::is_never_meant;

/// The first option with a character that nobody means, as an error that names it. Names of files are their
/// owner's business.
pub fn refused(command: &mut Command, matches: &ArgMatches) -> Option<Error> {
    let refusal = refusal(command, matches)?;
    Some(command.error(ErrorKind::ValueValidation, refusal))
}

fn refusal(command: &Command, matches: &ArgMatches) -> Option<String> {
    let is_text = |arg: &&Arg| arg.get_value_parser().type_id() != TypeId::of::<PathBuf>();
    let refused = command.get_arguments().filter(is_text).find_map(|arg| {
        let mut values = matches.try_get_raw(arg.get_id().as_str()).ok()??;
        let control =
            |value: &std::ffi::OsStr| value.to_str()?.chars().find(|c| is_never_meant(*c));
        let found = values.find_map(control)?;
        Some(format!(
            "{arg}: the text holds the control character {}: leave it out",
            found.escape_unicode()
        ))
    });
    let below = || {
        let (name, matches) = matches.subcommand()?;
        refusal(command.find_subcommand(name)?, matches)
    };
    refused.or_else(below)
}
