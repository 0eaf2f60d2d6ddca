//! `fecha preview`

use serde_json::{Value, json};

use super::output::{Failure, Output, show_progress, table};
use crate::billing::money::{Money, grouped};
use crate::billing::month::Month;
use crate::close::Progress;
use crate::office::{self, Office};
use crate::preview::{Cost, Preview, preview_month};

/// Arguments of `fecha preview`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Counts the running month (or any other) as of now and prices it, waiting credits and charges included. The
projection carries the pace of the last seven days on to the month's end. Issues nothing.

Examples:
  fecha preview
  fecha preview --month 2026-10 --dealership d17")]
pub struct Args {
    /// The month, YYYY-MM [default: the running one in the issuer's zone]
    #[arg(long, value_name = "M")]
    month: Option<Month>,
    /// Only this dealership; may be given several times
    #[arg(long = "dealership", value_name = "ID")]
    dealerships: Vec<String>,
}

/// Shows what a month would cost.
pub async fn preview(office: &Office, args: &Args, output: &Output) -> Result<u8, Failure> {
    let source = office::source(&office.config)?;
    let now = office.clock.now();
    let running = || Month::last_ended(now, office.config.issuer.timezone).next();
    let month = args.month.unwrap_or_else(running);
    let bar = output.bar();
    let watcher = bar.clone();
    let watch = move |rows| show_progress(&watcher, Progress::Counting(rows));
    let result = preview_month(&office.desk(), &source, month, &args.dealerships, now, watch).await;
    bar.finish_and_clear();
    let previews = result?;
    output.result(&document(month, &previews), || in_words(month, &previews));
    Ok(0)
}

fn percent(preview: &Preview, uam: u64) -> u64 {
    uam.saturating_mul(100).checked_div(preview.package).unwrap_or(100)
}

fn sum(previews: &[Preview], of: impl Fn(&Preview) -> Money) -> Money {
    previews.iter().map(of).sum()
}

fn document(month: Month, previews: &[Preview]) -> Value {
    let cost = |cost: Cost| json!({"uam": cost.uam, "hsm": cost.hsm, "total": cost.total});
    let dealership = |preview: &Preview| {
        json!({
            "dealership_id": preview.dealership.id,
            "package": preview.package,
            "percent": percent(preview, preview.now.uam),
            "now": cost(preview.now),
            "projected": cost(preview.projected),
            "no_price": preview.no_price,
        })
    };
    json!({
        "month": month,
        "dealerships": previews.iter().map(dealership).collect::<Vec<_>>(),
        "total": sum(previews, |preview| preview.now.total),
        "projected_total": sum(previews, |preview| preview.projected.total),
    })
}

fn in_words(month: Month, previews: &[Preview]) -> String {
    if previews.is_empty() {
        return format!("{month}: nobody has a package");
    }
    let row = |preview: &Preview| {
        let total = |cost: Cost| match &preview.no_price {
            Some(_) => "no price".to_owned(),
            None => cost.total.brl(),
        };
        vec![
            preview.dealership.id.clone(),
            grouped(preview.package),
            grouped(preview.now.uam),
            format!("{} %", percent(preview, preview.now.uam)),
            grouped(preview.now.hsm),
            total(preview.now),
            grouped(preview.projected.uam),
            total(preview.projected),
        ]
    };
    let header =
        ["dealership", "package", "UAM", "used", "HSM", "now", "UAM at the end", "at the end"];
    format!(
        "{}\n{month}: {} as of now, {} at the month's end at this pace; nothing was issued\n",
        table(&header, &[1, 2, 3, 4, 5, 6, 7], previews.iter().map(row).collect()),
        sum(previews, |preview| preview.now.total).brl(),
        sum(previews, |preview| preview.projected.total).brl(),
    )
}
