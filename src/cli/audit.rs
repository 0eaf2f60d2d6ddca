//! `fecha audit`

use super::output::{Failure, Output, plain};
use crate::ledger::audit::Logged;
use crate::setup::office::Office;
use fecha_core::calendar::month::Month;

/// Arguments of `fecha audit`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Only ever added to: the ledger itself refuses to change or delete an entry.\n\nExample:\n  fecha audit --month 2026-10 --dealership d17"
)]
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
    let log = office.ledger.audit_log(args.month, args.dealership.as_deref()).await?;
    output.result(&log, || {
        if log.is_empty() {
            return "no entries".to_owned();
        }
        log.iter().map(in_words).collect()
    });
    Ok(0)
}

/// Two lines: who, when, about what; then what exactly.
fn in_words(entry: &Logged) -> String {
    let about: Vec<String> = [&entry.month, &entry.dealership_id]
        .into_iter()
        .flatten()
        .map(|part| plain(part))
        .collect();
    format!(
        "{} {} by {} {}\n    {}\n",
        entry.at,
        entry.action.key(),
        plain(&entry.actor),
        about.join(" "),
        plain(&entry.detail)
    )
}
