//! `fecha simulate`

use std::path::PathBuf;

use serde_json::{Value, json};

use super::difference::signed;
use super::output::{Failure, Output};
use super::page::{Page, figure, name};
use crate::actions::simulate::{SimulateError, Simulated, simulate as run};
use crate::setup::config::Config;
use crate::setup::office::Office;
use fecha_core::calendar::month::Month;
use fecha_core::price::money::Money;

/// Arguments of `fecha simulate`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
FILE has [[prices]] as the configuration has them. What was used is taken from
the invoices of the months, so nothing is counted again. Adjustments are left
out on both sides. Changes nothing.

Example:
  fecha simulate --prices raise.toml --from 2026-08 --to 2026-10")]
pub struct Args {
    /// Price tables, written as in fecha.toml
    #[arg(long, value_name = "FILE")]
    prices: PathBuf,
    /// The first month, YYYY-MM
    #[arg(long, value_name = "M")]
    from: Month,
    /// The last month, YYYY-MM
    #[arg(long, value_name = "M")]
    to: Month,
}

/// Shows what other prices would have billed.
pub async fn simulate(office: &Office, args: &Args, output: &Output) -> Result<u8, Failure> {
    if args.from > args.to {
        let message = format!("--from {} is after --to {}", args.from, args.to);
        return Err(Failure::wrong(message));
    }
    let prices = Config::prices_of(&args.prices)?;
    let simulated = run(&office.ledger, &prices, args.from, args.to).await;
    let simulated: Vec<(String, Simulated)> = simulated
        .map_err(|error| match error {
            SimulateError::Ledger(error) => error.into(),
            SimulateError::NoPrice(error) => {
                Failure::wrong(format!("{}: {error}", args.prices.display()))
            }
        })?
        .into_iter()
        .collect();
    output.result(&document(args, &simulated), |page| in_words(page, args, &simulated));
    Ok(0)
}

fn sum(simulated: &[(String, Simulated)], of: fn(&Simulated) -> Money) -> Money {
    simulated.iter().map(|(_, simulated)| of(simulated)).sum()
}

fn document(args: &Args, simulated: &[(String, Simulated)]) -> Value {
    let dealership = |(id, simulated): &(String, Simulated)| {
        json!({
            "dealership_id": id,
            "invoices": simulated.invoices,
            "billed": simulated.billed,
            "simulated": simulated.simulated,
            "difference": simulated.difference(),
        })
    };
    let billed = sum(simulated, |simulated| simulated.billed);
    let would = sum(simulated, |simulated| simulated.simulated);
    json!({
        "from": args.from,
        "to": args.to,
        "dealerships": simulated.iter().map(dealership).collect::<Vec<_>>(),
        "billed": billed,
        "simulated": would,
        "difference": would - billed,
    })
}

fn in_words(page: Page, args: &Args, simulated: &[(String, Simulated)]) -> String {
    if simulated.is_empty() {
        return format!("no invoices from {} to {}", args.from, args.to);
    }
    let row = |(id, simulated): &(String, Simulated)| {
        vec![
            id.clone(),
            simulated.invoices.to_string(),
            simulated.billed.brl(),
            simulated.simulated.brl(),
            signed(simulated.difference()),
        ]
    };
    let columns = [
        name("dealership"),
        figure("invoices").spare(1),
        figure("billed"),
        figure("with these prices"),
        figure("difference"),
    ];
    let billed = sum(simulated, |simulated| simulated.billed);
    let would = sum(simulated, |simulated| simulated.simulated);
    format!(
        "{}\n{} to {}: {} billed, {} with these prices ({})\n",
        page.table(&columns, simulated.iter().map(row).collect()),
        args.from,
        args.to,
        billed.brl(),
        would.brl(),
        signed(would - billed)
    )
}
