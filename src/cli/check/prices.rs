//! The prices, as `fecha check` shows them, and whether the contracts fit them.

use crate::actions::check;
use crate::cli::output::{Failure, plain};
use crate::clock::Clock;
use crate::setup::config::Config;
use crate::setup::office::Office;
use fecha_core::calendar::month::Month;
use fecha_core::price::money::grouped;
use fecha_core::price::table::PriceTable;

/// So many dealerships are named.
const MOST: usize = 50;

/// The month that a close would be of, and the one that runs.
fn months(config: &Config, clock: Clock) -> [Month; 2] {
    let ended = Month::last_ended(clock.now(), config.issuer.timezone);
    [ended, ended.next()]
}

/// The tables of both months, in reais, for a person to compare with what was agreed.
pub(super) fn tables(config: &Config, clock: Clock) -> Result<String, Failure> {
    let [ended, running] = months(config, clock);
    let table = config.prices.table_for(ended).map_err(Failure::wrong)?;
    let mut text = in_words(ended, table);
    if let Ok(next) = config.prices.table_for(running)
        && next.from != table.from
    {
        text += &format!("\n{}", in_words(running, next));
    }
    Ok(text)
}

fn in_words(month: Month, table: &PriceTable) -> String {
    let mut rows: Vec<(String, String)> = table
        .packages
        .iter()
        .map(|(contacts, price)| (format!("{} contacts", grouped(*contacts)), price.brl()))
        .collect();
    rows.push(("each UAM above the package".to_owned(), table.overage.brl()));
    rows.push(("each HSM".to_owned(), table.hsm.brl()));
    let width = |texts: &mut dyn Iterator<Item = &String>| {
        texts.map(|text| text.chars().count()).max().unwrap_or_default()
    };
    let (what, price) = (
        width(&mut rows.iter().map(|(what, _)| what)),
        width(&mut rows.iter().map(|(_, price)| price)),
    );
    let lines = rows.iter().map(|(name, amount)| format!("\n{name:<what$}  {amount:>price$}"));
    let lines: String = lines.collect();
    format!("for {month} the table from {}{lines}{}", table.from, cheaper(table))
}

/// A larger package that costs less than a smaller one: seldom meant.
fn cheaper(table: &PriceTable) -> String {
    let packages: Vec<_> = table.packages.iter().collect();
    let odd = packages.windows(2).filter_map(|pair| match pair {
        [(small, least), (large, price)] if price < least => Some(format!(
            "\nthe package of {} contacts costs less than that of {}: is that meant?",
            grouped(**large),
            grouped(**small)
        )),
        _ => None,
    });
    odd.collect()
}

/// Whether each contract has its package in the table of its month: else that dealership gets no invoice.
pub(super) async fn packages(office: &Office) -> Result<String, Failure> {
    let dealerships = office.ledger.dealerships().await?;
    let (mut fit, mut lacking) = (Vec::new(), Vec::new());
    for facts in check::packages(office, &dealerships).await? {
        let named = facts.lacking.iter();
        let named = named.map(|(id, package)| format!("{} ({})", plain(id), grouped(*package)));
        fit.push(format!("{} in {}", grouped(facts.fit as u64), facts.month));
        // Whose month has facts has a table.
        if let Ok(table) = office.config.prices.table_for(facts.month) {
            lacking.extend(lacks(facts.month, table, &named.collect::<Vec<_>>()));
        }
    }
    if lacking.is_empty() {
        Ok(format!("each contract has its package in the price table: {}", fit.join(", ")))
    } else {
        Err(Failure::wrong(lacking.join("\n")))
    }
}

fn lacks(month: Month, table: &PriceTable, missing: &[String]) -> Option<String> {
    let named = missing.iter().take(MOST).map(String::as_str).collect::<Vec<_>>().join(", ");
    let more = match missing.len().saturating_sub(MOST) {
        0 => String::new(),
        more => format!(" and {} more", grouped(more as u64)),
    };
    (!missing.is_empty()).then(|| {
        format!(
            "{month}: the price table from {} lacks the package of {named}{more}: add it to [[prices]], or import the right contract",
            table.from
        )
    })
}
