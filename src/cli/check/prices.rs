//! The prices, as `fecha check` shows them.

use crate::cli::output::Failure;
use crate::clock::Clock;
use crate::setup::config::Config;
use fecha_core::calendar::month::Month;

/// The table of the month that a close would be of.
pub(super) fn of_the_last_month(config: &Config, clock: Clock) -> Result<String, Failure> {
    let month = Month::last_ended(clock.now(), config.issuer.timezone);
    let table = config.prices.table_for(month).map_err(Failure::wrong)?;
    let packages: Vec<String> = table.packages.keys().map(u64::to_string).collect();
    Ok(format!("for {month} the table from {} with packages {}", table.from, packages.join(", ")))
}
