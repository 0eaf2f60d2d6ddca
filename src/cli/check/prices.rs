//! The prices, as `fecha check` shows them, and whether the contracts fit them.

use std::collections::BTreeMap;

use crate::actions::check::{self, EntryFacts};
use crate::actions::profile::SourceProfile;
use crate::cli::output::{Failure, plain};
use crate::clock::Clock;
use crate::setup::config::Config;
use crate::setup::office::Office;
use fecha_core::calendar::month::Month;
use fecha_core::count::profile::Outgoing;
use fecha_core::count::sending::Kind;
use fecha_core::price::category::Category;
use fecha_core::price::messages::{Free, MessagePrice, Step};
use fecha_core::price::money::grouped;
use fecha_core::price::monthly::{MonthlyPrice, Per};
use fecha_core::price::table::{NoPrice, PriceTable};

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
    let next = config.prices.table_for(running).ok().filter(|next| next.from != table.from);
    let negotiated = config.prices.lists().flat_map(|list| {
        let of = |month| config.prices.table_of(Some(list), month).ok();
        let (then, now) = (of(ended), of(running));
        let next = now.filter(|now| Some(*now) != then).map(|table| (running, table));
        then.map(|table| (ended, table)).into_iter().chain(next)
    });
    for (month, table) in next.map(|next| (running, next)).into_iter().chain(negotiated) {
        text += &format!("\n{}", in_words(month, table));
    }
    Ok(text)
}

fn in_words(month: Month, table: &PriceTable) -> String {
    let mut rows = Vec::new();
    for (contacts, price) in &table.packages {
        rows.push((format!("{} contacts", grouped(*contacts)), price.brl()));
        if let Some(overage) = table.own_overage.get(contacts) {
            rows.push((format!("each UAM above {}", grouped(*contacts)), overage.brl()));
        }
    }
    rows.push(("each UAM above the package".to_owned(), table.overage.brl()));
    let hsm = if table.is_by_category() { "each HSM that no entry takes" } else { "each HSM" };
    rows.push((hsm.to_owned(), table.hsm.brl()));
    rows.extend(table.messages.iter().flat_map(of_messages));
    for MonthlyPrice { line, price, per } in &table.monthly {
        let per = match per {
            Per::Number => "number",
            Per::Dealership => "dealership",
        };
        rows.push((format!("{line}, a {per} and month"), price.brl()));
    }
    let width = |texts: &mut dyn Iterator<Item = &String>| {
        texts.map(|text| text.chars().count()).max().unwrap_or_default()
    };
    let (what, price) = (
        width(&mut rows.iter().map(|(what, _)| what)),
        width(&mut rows.iter().map(|(_, price)| price)),
    );
    let lines = rows.iter().map(|(name, amount)| format!("\n{name:<what$}  {amount:>price$}"));
    let lines: String = lines.collect();
    let list = table.list.as_ref().map_or_else(String::new, |list| format!(" '{list}'"));
    format!("for {month} the table{list} from {}{lines}{}", table.from, cheaper(table))
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
        fit.push(format!("{} in {}", grouped(facts.fit as u64), facts.month));
        let mut by_reason: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (id, why) in &facts.lacking {
            let (reason, who) = lacks(id, why);
            by_reason.entry(reason).or_default().push(who);
        }
        lacking.extend(by_reason.iter().map(|(reason, who)| unpriced(facts.month, reason, who)));
    }
    if lacking.is_empty() {
        Ok(format!("each contract has its package in the price table: {}", fit.join(", ")))
    } else {
        Err(Failure::wrong(lacking.join("\n")))
    }
}

/// What is lacking, the same for all whom it concerns, and for whom.
fn lacks(id: &str, why: &NoPrice) -> (String, String) {
    match why {
        NoPrice::Package { list, table, package, known: _ } => {
            let list = list.as_ref().map_or_else(String::new, |list| format!(" '{list}'"));
            let reason = format!("the price table{list} from {table} lacks the package of");
            (reason, format!("{} ({})", plain(id), grouped(*package)))
        }
        NoPrice::List { list, known } => {
            (format!("there is no price list '{list}' ({known}) for"), plain(id))
        }
        NoPrice::ListMonth { list, .. } => {
            (format!("no table of the price list '{list}' holds for"), plain(id))
        }
        NoPrice::Month { .. }
        | NoPrice::TooLarge { .. }
        | NoPrice::NotToldApart { .. }
        | NoPrice::Unproved
        | NoPrice::TooManyKinds => (why.to_string(), plain(id)),
    }
}

fn unpriced(month: Month, reason: &str, who: &[String]) -> String {
    let named = who.iter().take(MOST).map(String::as_str).collect::<Vec<_>>().join(", ");
    let more = match who.len().saturating_sub(MOST) {
        0 => String::new(),
        more => format!(" and {} more", grouped(more as u64)),
    };
    format!("{month}: {reason} {named}{more}: add it to [[prices]], or import the right contract")
}

/// What an entry for messages asks: `Serviço, 1.000 free a number, then each up to 10.000`.
fn of_messages(entry: &MessagePrice) -> Vec<(String, String)> {
    let free = match entry.free {
        Free::None => String::new(),
        Free::Dealership(free) => format!(", {} free, then", grouped(free)),
        Free::Number(free) => format!(", {} free a number, then", grouped(free)),
    };
    let row = |step: &Step| {
        let end = match step.up_to {
            Some(up_to) => format!(" up to {}", grouped(up_to)),
            None if entry.steps.all().len() > 1 => " beyond".to_owned(),
            None => String::new(),
        };
        (format!("{}{free} each{end}", entry.line), step.price.brl())
    };
    entry.steps.all().iter().map(row).collect()
}

/// How many messages of the month that ended each entry takes, and what none takes.
pub(super) async fn entries(
    office: &Office,
    profiles: &[SourceProfile],
    clock: Clock,
) -> Result<Option<String>, Failure> {
    let [ended, _] = months(&office.config, clock);
    let of_ended = profiles.iter().flat_map(|profile| &profile.profiled.months);
    let sent: Vec<&Outgoing> =
        of_ended.filter(|month| month.month == ended).map(|month| &month.outgoing).collect();
    let facts = check::entries(office, ended, &sent).await?;
    let lines: Vec<String> = facts.iter().map(|facts| of_entries(ended, facts)).collect();
    Ok((!lines.is_empty()).then(|| lines.join("\n")))
}

fn of_entries(month: Month, facts: &EntryFacts) -> String {
    let list = facts.list.as_ref().map_or_else(String::new, |list| format!(" of '{list}'"));
    let taken: Vec<String> =
        facts.taken.iter().map(|(line, n)| format!("{line} {}", grouped(*n))).collect();
    let none = |(kind, category, messages): &(Kind, Option<Category>, u64)| {
        let category = category.as_ref().map_or("without a category", Category::name);
        let treated = match kind {
            Kind::Hsm => "charged as HSM",
            Kind::Session => "free",
        };
        format!("{} {category} {} ({treated})", kind.key(), grouped(*messages))
    };
    let none: Vec<String> = facts.not_taken.iter().map(none).collect();
    let none = match none.as_slice() {
        [] => "every message is taken by an entry".to_owned(),
        none => format!("no entry takes {}", none.join(", ")),
    };
    format!("messages of {month} that the entries{list} take: {}; {none}", taken.join(", "))
}
