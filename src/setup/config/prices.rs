//! `[[prices]]`: tables by list and month, each with what is optional in it (spec §2 *Price lists*).

use std::collections::{BTreeMap, BTreeSet};

use super::check::{self, Check, missing};
use super::raw;
use fecha_core::calendar::month::Month;
use fecha_core::count::sending::Kind;
use fecha_core::price::category::Category;
use fecha_core::price::list::ListName;
use fecha_core::price::messages::{Free, MessagePrice, Step, Steps, unreachable};
use fecha_core::price::money::{Money, UnitPrice};
use fecha_core::price::monthly::{MonthlyPrice, Per};
use fecha_core::price::table::{PriceTable, Prices};

pub(super) fn prices(check: &mut Check<'_>, tables: &[raw::PriceTable]) -> Option<Prices> {
    if tables.is_empty() {
        let reason = "is missing: write [[prices]] with from, overage, hsm and packages";
        return check.refuse("prices", reason);
    }
    let mut known = BTreeSet::new();
    let mut parsed = Vec::new();
    for (index, table) in tables.iter().enumerate() {
        let key = format!("prices.{index}");
        let table = price_table(check, &key, table);
        if let Some(PriceTable { list, from, .. }) = &table
            && !known.insert((list.clone(), *from))
        {
            let of =
                list.as_ref().map_or_else(String::new, |list| format!(" of the list '{list}'"));
            let reason = format!("there is a price table{of} from {from} already");
            check.refuse(&format!("{key}.from"), reason)?;
        }
        parsed.push(table);
    }
    let parsed: Vec<PriceTable> = parsed.into_iter().collect::<Option<_>>()?;
    if parsed.iter().all(|table| table.list.is_some()) {
        let reason = "has no table of the standard list: write one without `list`";
        return check.refuse("prices", reason);
    }
    Some(parsed.into_iter().collect())
}

fn price_table(check: &mut Check<'_>, key: &str, raw: &raw::PriceTable) -> Option<PriceTable> {
    let from = check.required(&format!("{key}.from"), raw.from.as_deref(), "2020-08", str::parse);
    let overage = raw.overage.as_ref();
    let overage = check.amount(&format!("{key}.overage"), overage, "0.29", str::parse);
    let hsm = check.amount(&format!("{key}.hsm"), raw.hsm.as_ref(), "0.46", str::parse);
    let list = check.optional(&format!("{key}.list"), raw.list.as_deref(), str::parse::<ListName>);
    let packages = packages(check, &format!("{key}.packages"), &raw.packages);
    let messages = messages(check, &format!("{key}.messages"), &raw.messages);
    let monthly = monthly(check, &format!("{key}.monthly"), &raw.monthly);
    let from: Option<Month> = from;
    let (packages, own_overage) = packages?;
    Some(PriceTable {
        from: from?,
        list: list?,
        overage: overage?,
        hsm: hsm?,
        packages,
        own_overage,
        messages: messages?,
        monthly: monthly?,
    })
}

/// Their prices, and the price of a contact above those that have their own.
fn packages(
    check: &mut Check<'_>,
    key: &str,
    raw: &[raw::Package],
) -> Option<(BTreeMap<u64, Money>, BTreeMap<u64, UnitPrice>)> {
    if raw.is_empty() {
        let example = "[{ contacts = 5000, price = \"1014.00\" }]";
        return check.refuse(key, missing(key, example));
    }
    let (mut packages, mut own_overage) = (BTreeMap::new(), BTreeMap::new());
    for (index, package) in raw.iter().enumerate() {
        let contacts_key = format!("{key}.{index}.contacts");
        let contacts = match &package.contacts {
            Some(contacts) => check.number(&contacts_key, Some(contacts), 1, 1..=u32::MAX),
            None => check.refuse(&contacts_key, missing(&contacts_key, "5000")),
        };
        let price_key = format!("{key}.{index}.price");
        let price = check.amount(&price_key, package.price.as_ref(), "1014.00", check::price);
        if let (Some(contacts), Some(price)) = (contacts, price)
            && packages.insert(u64::from(contacts), price).is_some()
        {
            let reason = format!("the table has a package of {contacts} contacts already");
            check.refuse::<()>(&contacts_key, reason);
        }
        if let (Some(contacts), Some(overage)) = (contacts, &package.overage) {
            let key = format!("{key}.{index}.overage");
            let overage = check.amount(&key, Some(overage), "0.29", str::parse)?;
            own_overage.insert(u64::from(contacts), overage);
        }
    }
    Some((packages, own_overage))
}

/// In the order in which they are asked; one that is never reached is a mistake.
fn messages(
    check: &mut Check<'_>,
    key: &str,
    raw: &[raw::MessagePrice],
) -> Option<Vec<MessagePrice>> {
    let entry = |(index, entry)| message_price(check, &format!("{key}.{index}"), entry);
    let parsed: Vec<Option<MessagePrice>> = raw.iter().enumerate().map(entry).collect();
    let parsed: Vec<MessagePrice> = parsed.into_iter().collect::<Option<_>>()?;
    let Some(index) = unreachable(&parsed) else { return Some(parsed) };
    let reason = format!(
        "'{}' is never reached: the entries before it take all of its messages. The first that fits takes a message: write it before them, or leave it out",
        parsed[index].line
    );
    check.refuse(&format!("{key}.{index}"), reason)
}

fn message_price(
    check: &mut Check<'_>,
    key: &str,
    raw: &raw::MessagePrice,
) -> Option<MessagePrice> {
    let line = check.required(
        &format!("{key}.line"),
        raw.line.as_deref(),
        "Mensagens de marketing",
        check::line,
    );
    let kinds = [("hsm", Kind::Hsm), ("session", Kind::Session)];
    let kind_key = format!("{key}.kind");
    let kind = match raw.kind.as_deref() {
        Some(kind) => check.word(&kind_key, kind, &kinds),
        None => check.refuse(&kind_key, missing(&kind_key, "\"hsm\"")),
    };
    let category_key = format!("{key}.category");
    let named = raw.category.as_ref().map(raw::List::items);
    if named.as_ref().is_some_and(Vec::is_empty) {
        let reason = "is empty: leave it out for messages of any category";
        check.refuse::<()>(&category_key, reason);
    }
    let categories: Vec<Option<Category>> = named
        .unwrap_or_default()
        .iter()
        .map(|name| check.parsed(&category_key, name.parse::<Category>()))
        .collect();
    let steps = steps(check, key, raw);
    let free = free(check, key, raw);
    Some(MessagePrice {
        line: line?,
        kind: kind?,
        categories: categories.into_iter().collect::<Option<_>>()?,
        steps: steps?,
        free: free?,
    })
}

fn steps(check: &mut Check<'_>, key: &str, raw: &raw::MessagePrice) -> Option<Steps> {
    let price_key = format!("{key}.price");
    let tiers_key = format!("{key}.tiers");
    let tiers = match (&raw.price, &raw.tiers) {
        (Some(_), Some(_)) => {
            let reason = "stands beside tiers: leave one of them out";
            return check.refuse(&price_key, reason);
        }
        (price, None) => {
            let price = check.amount(&price_key, price.as_ref(), "0.52", str::parse);
            return price.map(Steps::one);
        }
        (None, Some(tiers)) => tiers,
    };
    let step = |(index, tier): (usize, &raw::Tier)| {
        let key = format!("{tiers_key}.{index}");
        let price = check.amount(&format!("{key}.price"), tier.price.as_ref(), "0.12", str::parse);
        let up_to_key = format!("{key}.up_to");
        let up_to = match &tier.up_to {
            Some(up_to) => {
                Some(check.number(&up_to_key, Some(up_to), 1, 1..=u32::MAX).map(u64::from)?)
            }
            None => None,
        };
        Some(Step { up_to, price: price? })
    };
    let steps: Vec<Option<Step>> = tiers.iter().enumerate().map(step).collect();
    let steps: Vec<Step> = steps.into_iter().collect::<Option<_>>()?;
    check.parsed(&tiers_key, Steps::try_from(steps))
}

fn free(check: &mut Check<'_>, key: &str, raw: &raw::MessagePrice) -> Option<Free> {
    let free = check.number(&format!("{key}.free"), raw.free.as_ref(), 0, 0..=u32::MAX);
    let words = [("dealership", false), ("number", true)];
    let per = raw.free_per.as_deref().unwrap_or("dealership");
    let per_key = format!("{key}.free_per");
    let by_number = check.word(&per_key, per, &words);
    if raw.free_per.is_some() && raw.free.is_none() {
        let reason = "says of whom messages are free, and `free` says of none: write how many";
        return check.refuse(&per_key, reason);
    }
    let free = u64::from(free?);
    Some(match (free, by_number?) {
        (0, _) => Free::None,
        (_, true) => Free::Number(free),
        (_, false) => Free::Dealership(free),
    })
}

fn monthly(
    check: &mut Check<'_>,
    key: &str,
    raw: &[raw::MonthlyPrice],
) -> Option<Vec<MonthlyPrice>> {
    let words = [("number", Per::Number), ("dealership", Per::Dealership)];
    let entry = |(index, entry): (usize, &raw::MonthlyPrice)| {
        let key = |name: &str| format!("{key}.{index}.{name}");
        let line = entry.line.as_deref();
        let line = check.required(&key("line"), line, "Licença por número", check::line);
        let price = check.amount(&key("price"), entry.price.as_ref(), "199.00", str::parse);
        let per = match entry.per.as_deref() {
            Some(per) => check.word(&key("per"), per, &words),
            None => check.refuse(&key("per"), missing("per", "\"number\"")),
        };
        Some(MonthlyPrice { line: line?, price: price?, per: per? })
    };
    let parsed: Vec<Option<MonthlyPrice>> = raw.iter().enumerate().map(entry).collect();
    parsed.into_iter().collect()
}
