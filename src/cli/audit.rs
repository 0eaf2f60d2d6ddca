//! `fecha audit`

use chrono_tz::Tz;

use super::output::{Failure, Output, plain};
use crate::actions::words::local;
use crate::ledger::audit::Logged;
use crate::setup::office::Office;
use fecha_core::calendar::month::Month;
use fecha_core::price::money::Money;

/// Arguments of `fecha audit`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Only ever added to: the ledger itself refuses to change or delete an entry.
Times are local ones of [issuer] timezone.

Example:
  fecha audit --month 2026-10 --dealership d17")]
pub struct Args {
    /// Only about this month, YYYY-MM
    #[arg(long, value_name = "M")]
    month: Option<Month>,
    /// Only about this dealership
    #[arg(long, value_name = "ID")]
    dealership: Option<String>,
}

/// Shows the audit log.
pub async fn audit(office: &Office, args: &Args, output: &Output) -> Result<u8, Failure> {
    let zone = office.config.issuer.timezone;
    let log = office.ledger.audit_log(args.month, args.dealership.as_deref()).await?;
    output.result(&log, |_| {
        if log.is_empty() {
            return "no entries".to_owned();
        }
        log.iter().map(|entry| in_words(entry, zone)).collect()
    });
    Ok(0)
}

/// Two lines: who, when, about what; then what exactly.
fn in_words(entry: &Logged, zone: Tz) -> String {
    let about: Vec<String> = [&entry.month, &entry.dealership_id]
        .into_iter()
        .flatten()
        .map(|part| plain(part))
        .collect();
    format!(
        "{} {} by {} {}\n    {}\n",
        entry.at.parse().map_or_else(|_| plain(&entry.at), |at| local(at, zone)),
        entry.action.key(),
        plain(&entry.actor),
        about.join(" "),
        plain(&in_reais(&entry.detail))
    )
}

/// The amounts in fecha's own words as all money on a terminal is written. What a person gave as the reason
/// stands behind a colon, and stays.
fn in_reais(detail: &str) -> String {
    let (own, reason) = detail.split_at(detail.find(": ").unwrap_or(detail.len()));
    let amount = |word: &str| {
        let is_amount = word.rsplit_once('.').is_some_and(|(_, decimals)| decimals.len() == 2);
        is_amount.then(|| word.parse::<Money>().ok()).flatten()
    };
    let word = |word: &str| amount(word).map_or_else(|| word.to_owned(), Money::brl);
    own.split(' ').map(word).collect::<Vec<_>>().join(" ") + reason
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_in_reais_and_reasons_as_they_were_given() {
        assert_eq!(in_reais("2026-000001 1014.00"), "2026-000001 R$\u{a0}1.014,00");
        assert_eq!(in_reais("-120.00: versão 10.50"), "-R$\u{a0}120,00: versão 10.50");
    }
}
