//! What a month needs, tried: the essential lines of `fecha check`, as facts that everybody words for their readers.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::timeout;

use crate::actions::mailed::{Behind, behind};
use crate::document::{NotPrintable, must_be_printable};
use crate::ledger::LedgerError;
use crate::messages::{Checked, Sources};
use crate::setup::office::{self, Office};
use fecha_core::calendar::month::Month;
use fecha_core::count::profile::Outgoing;
use fecha_core::count::sending::Kind;
use fecha_core::party::register::Dealership;
use fecha_core::party::twins::{Likeness, twins};
use fecha_core::price::category::Category;
use fecha_core::price::contract::Contracts;
use fecha_core::price::list::ListName;
use fecha_core::price::messages::takes;
use fecha_core::price::table::NoPrice;

/// How long somebody who waits for a page waits for a server.
const ANSWER: Duration = Duration::from_secs(10);

/// What was found.
#[derive(Debug)]
pub struct Findings {
    /// What the register holds.
    pub register: RegisterFacts,
    /// Whether each contract has its package in the price table, in the month that ended and the running one.
    pub packages: Vec<PackageFacts>,
    /// Numbers that were mailed and would be given again.
    pub behind: Vec<Behind>,
    /// Each source of messages, by its name where there are several.
    pub messages: Vec<(Option<String>, Tried<Checked>)>,
    /// The way that emails go out by.
    pub mail: Tried<String>,
}

/// Something outside that was tried.
#[derive(Debug)]
pub enum Tried<T> {
    /// It works.
    Works(T),
    /// It does not: why, in the words of whoever said so.
    Fails(String),
    /// It did not answer in time.
    Silent,
}

/// What the register holds, and what of it a person should look at.
#[derive(Debug, Default)]
pub struct RegisterFacts {
    /// How many dealerships there are.
    pub dealerships: usize,
    /// How many contract entries.
    pub contracts: usize,
    /// How many business numbers.
    pub numbers: usize,
    /// Ids that may be one dealership: the earlier one, the later one, why.
    pub twins: Vec<(String, String, Likeness)>,
    /// Ids, and a text of theirs that no document prints.
    pub unprintable: Vec<(String, NotPrintable)>,
}

/// The contracts of a month beside its price table.
#[derive(Debug)]
pub struct PackageFacts {
    /// Which month.
    pub month: Month,
    /// How many have their package in the table.
    pub fit: usize,
    /// Who has no price by its list.
    pub lacking: Vec<(String, NoPrice)>,
}

/// Tries everything, in a time that somebody may wait for.
///
/// # Errors
/// [`LedgerError`] where the ledger cannot be read: that is the answer then.
pub async fn check(office: &Office, sources: &Sources) -> Result<Findings, LedgerError> {
    let dealerships = office.ledger.dealerships().await?;
    let mut messages = Vec::new();
    for source in sources.iter() {
        let tried = match timeout(ANSWER, source.check()).await {
            Ok(Ok(checked)) => Tried::Works(checked),
            Ok(Err(error)) => Tried::Fails(error.to_string()),
            Err(_) => Tried::Silent,
        };
        messages.push((source.name().map(str::to_owned), tried));
    }
    Ok(Findings {
        register: register(office, &dealerships).await?,
        packages: packages(office, &dealerships).await?,
        behind: behind(office, None).await?,
        messages,
        mail: mail(office).await,
    })
}

async fn mail(office: &Office) -> Tried<String> {
    let mailer = match office::mailer(&office.config) {
        Ok(mailer) => mailer,
        Err(error) => return Tried::Fails(error.to_string()),
    };
    match timeout(ANSWER, mailer.check()).await {
        Ok(Ok(said)) => Tried::Works(said),
        Ok(Err(error)) => Tried::Fails(error.to_string()),
        Err(_) => Tried::Silent,
    }
}

/// How much there is. Dealerships that may be one, and letters that no document prints, are said too: an earlier
/// import took them without a word.
///
/// # Errors
/// [`LedgerError`] where the ledger cannot be read.
pub async fn register(
    office: &Office,
    dealerships: &[Dealership],
) -> Result<RegisterFacts, LedgerError> {
    let unprintable = |one: &Dealership| {
        let texts = [&one.name, &one.trade_name, &one.address, &one.city];
        let lacking = texts.into_iter().filter_map(|text| must_be_printable(text).err());
        lacking.map(|error| (one.id.clone(), error)).collect::<Vec<_>>()
    };
    let found = twins(&[], dealerships);
    Ok(RegisterFacts {
        dealerships: dealerships.len(),
        contracts: office.ledger.contracts().await?.len(),
        numbers: office.ledger.business_numbers().await?.entries().len(),
        twins: found
            .iter()
            .map(|twin| (twin.like.to_owned(), twin.new.to_owned(), twin.likeness))
            .collect(),
        unprintable: dealerships.iter().flat_map(unprintable).collect(),
    })
}

/// Whether each contract has its package in the table of its month: else that dealership gets no invoice. A month
/// without a table is left out.
///
/// # Errors
/// [`LedgerError`] where the ledger cannot be read.
pub async fn packages(
    office: &Office,
    dealerships: &[Dealership],
) -> Result<Vec<PackageFacts>, LedgerError> {
    let contracts: Contracts = office.ledger.contracts().await?.into_iter().collect();
    let ended = Month::last_ended(office.clock.now(), office.config.issuer.timezone);
    let mut facts = Vec::new();
    for month in [ended, ended.next()] {
        if office.config.prices.table_for(month).is_err() {
            continue;
        }
        let mut of_month = PackageFacts { month, fit: 0, lacking: Vec::new() };
        for Dealership { id, .. } in dealerships {
            let Some(agreed) = contracts.agreed_in(id, month) else { continue };
            let table = office.config.prices.table_of(agreed.list.as_ref(), month);
            match table.and_then(|table| table.package_price(agreed.package)) {
                Ok(_) => of_month.fit += 1,
                Err(why) => of_month.lacking.push((id.clone(), why)),
            }
        }
        facts.push(of_month);
    }
    Ok(facts)
}

/// What the messages of a month are to a table that prices them by category.
#[derive(Debug)]
pub struct EntryFacts {
    /// Whose table.
    pub list: Option<ListName>,
    /// The entries by name, each with the messages that it takes.
    pub taken: Vec<(String, u64)>,
    /// What no entry takes: HSM are charged as such, all others are free.
    pub not_taken: Vec<(Kind, Option<Category>, u64)>,
}

/// How many messages of the last month each entry of its tables takes, of the dealerships of its list, over all
/// sources.
///
/// # Errors
/// [`LedgerError`] where the ledger cannot be read.
pub async fn entries(
    office: &Office,
    month: Month,
    sent: &[&Outgoing],
) -> Result<Vec<EntryFacts>, LedgerError> {
    let contracts: Contracts = office.ledger.contracts().await?.into_iter().collect();
    let prices = &office.config.prices;
    let lists = std::iter::once(None).chain(prices.lists().map(Some));
    let of_list = |list: Option<&ListName>| {
        let table = prices.table_of(list, month).ok().filter(|table| table.is_by_category())?;
        let is_asked = |id: &str| {
            contracts.agreed_in(id, month).is_some_and(|agreed| agreed.list.as_ref() == list)
        };
        let mut taken: Vec<(String, u64)> =
            table.messages.iter().map(|entry| (entry.line.clone(), 0)).collect();
        let mut not_taken: BTreeMap<(Kind, Option<Category>), u64> = BTreeMap::new();
        for ((kind, category), messages) in sent.iter().flat_map(|sent| sent.of(is_asked)) {
            match takes(&table.messages, kind, category.as_ref()) {
                Some(index) => taken[index].1 += messages,
                None => *not_taken.entry((kind, category)).or_insert(0) += messages,
            }
        }
        let not_taken = not_taken.into_iter().map(|((kind, of), messages)| (kind, of, messages));
        Some(EntryFacts { list: list.cloned(), taken, not_taken: not_taken.collect() })
    };
    Ok(lists.filter_map(of_list).collect())
}
