//! Numbers that were mailed, and that the ledger does not know: an older backup of it was restored.
//!
//! What can be known of that stands outside the ledger: emails in the folder of `[email] dir`, and a number
//! that a person reads in an inbox (`fecha check --mailed`). What went by SMTP and is nowhere here cannot.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use crate::ledger::LedgerError;
use crate::setup::config::Transport;
use crate::setup::office::Office;
use fecha_core::bill::invoice::Number;

/// The ledger would give a number that a dealership has had already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Behind {
    /// The highest number that was mailed, of a year.
    pub mailed: Number,
    /// What the ledger would give next.
    pub next: Number,
}

impl fmt::Display for Behind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { mailed, next } = self;
        write!(
            f,
            "{mailed} was mailed, and the ledger's next number is {next}: an older ledger was restored"
        )
    }
}

impl Behind {
    /// What to do about it.
    #[must_use]
    pub fn remedy(&self) -> String {
        format!(
            "restore the newest backup; if there is none, set [invoice] first_number = \"{}\", and compare \
             each month that is closed again with what was mailed",
            self.mailed.next()
        )
    }
}

/// Each year of which a higher number was mailed than the ledger has given or would pass over; `told` is one
/// that a person has seen.
///
/// # Errors
/// [`LedgerError`] where the ledger cannot be read. A folder that cannot be read tells nothing.
pub async fn behind(office: &Office, told: Option<Number>) -> Result<Vec<Behind>, LedgerError> {
    let mut mailed = match &office.config.email.transport {
        Transport::File { dir } => in_folder(dir),
        Transport::Smtp(_) => BTreeMap::new(),
    };
    if let Some(number) = told {
        keep_highest(&mut mailed, number);
    }
    if mailed.is_empty() {
        return Ok(Vec::new());
    }
    let years = office.ledger.numbers().await?;
    let first_year = years.keys().next().copied();
    let mut behind = Vec::new();
    for (year, sequence) in mailed {
        let given = years.get(&year).and_then(|numbers| numbers.next).unwrap_or(1);
        let least = office.config.invoice.first_number.least(year, first_year);
        let next = Number { year, sequence: given.max(least) };
        if next.sequence <= sequence {
            behind.push(Behind { mailed: Number { year, sequence }, next });
        }
    }
    Ok(behind)
}

/// The highest number of each year in the names of emails.
fn in_folder(dir: &Path) -> BTreeMap<i32, u32> {
    let mut highest = BTreeMap::new();
    for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        if let Some(number) = entry.file_name().to_str().and_then(named) {
            keep_highest(&mut highest, number);
        }
    }
    highest
}

/// The number in `fatura-2026-000001-….eml`.
fn named(file: &str) -> Option<Number> {
    let name = file.strip_suffix(".eml")?.strip_prefix("fatura-")?;
    name.get(.."2026-000001".len())?.parse().ok()
}

fn keep_highest(highest: &mut BTreeMap<i32, u32>, number: Number) {
    let sequence = highest.entry(number.year).or_default();
    *sequence = number.sequence.max(*sequence);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_stands_in_the_name_of_an_email() {
        let number = Number { year: 2026, sequence: 12 };
        assert_eq!(named("fatura-2026-000012-0199a.eml"), Some(number));
        assert_eq!(named("fatura-2026-000012-0199a.tmp"), None);
        assert_eq!(named("relatorio-2026-10-0199a.eml"), None);
        assert_eq!(named("fatura-é"), None);
    }
}
