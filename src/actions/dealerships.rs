//! The dealerships as people look for them, and one of them with all that is known of it.

use chrono::NaiveDate;
use chrono_tz::Tz;

use crate::ledger::LedgerError;
use crate::ledger::dealership::Brief;
use crate::ledger::invoices::Filter;
use crate::ledger::listing::Listed;
use crate::ledger::outbox::ListedEmail;
use crate::setup::office::Office;
use fecha_core::account::note::Note;
use fecha_core::account::payment::Payment;
use fecha_core::account::receivables::Balance;
use fecha_core::bill::invoice::InvoiceState;
use fecha_core::calendar::month::Month;
use fecha_core::party::numbers::NumberEntry;
use fecha_core::party::register::Dealership;
use fecha_core::party::search::{Search, searchable};
use fecha_core::price::advice::{Advice, MONTHS, PastMonth, Verdict, is_repriced};
use fecha_core::price::contract::{ContractEntry, Contracts};
use fecha_core::price::rates::Rates;

/// So many emails of a dealership are shown.
const EMAILS: u32 = 10;
/// So many months.
const A_YEAR: usize = 12;

/// Whether a dealership has a package in the running month.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "said by their names")]
pub enum WithContract {
    #[default]
    All,
    Yes,
    No,
}

/// Which dealerships are asked for.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wanted<'a> {
    /// A part of an id, a name or a CNPJ; empty for all.
    pub search: &'a str,
    /// By their contract.
    pub contract: WithContract,
    /// Those behind this key of a page before; empty for the first.
    pub after: &'a str,
}

/// A dealership of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Who.
    pub dealership: Brief,
    /// Contacts included in the running month; `None` without a contract.
    pub package: Option<u64>,
}

/// A page of a list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FoundPage {
    /// By name, as people sort: without case and accents; then by id.
    pub found: Vec<Found>,
    /// The key that the next page is behind; `None` on the last.
    pub next: Option<String>,
    /// How many there are on all pages.
    pub total: usize,
}

/// The dealerships that are asked for, `most` of them.
///
/// # Errors
/// [`LedgerError`] where the ledger cannot be read.
pub async fn find(
    office: &Office,
    wanted: Wanted<'_>,
    most: usize,
) -> Result<FoundPage, LedgerError> {
    let running = Month::last_ended(office.clock.now(), office.config.issuer.timezone).next();
    let packages = office.ledger.packages_in(running).await?;
    let search = Search::of(wanted.search);
    let fits = |brief: &Brief| {
        let group = brief.group.as_deref().unwrap_or_default();
        let names = [&*brief.id, &*brief.name, &*brief.trade_name, group];
        let has_contract = packages.contains_key(&brief.id);
        let by_contract = match wanted.contract {
            WithContract::All => true,
            WithContract::Yes => has_contract,
            WithContract::No => !has_contract,
        };
        by_contract && search.as_ref().is_none_or(|search| search.finds_one(&brief.cnpj, names))
    };
    let all = office.ledger.dealerships_in_short().await?;
    // Databases sort text by their own rules, and know no search without accents: a register is short.
    let mut keyed: Vec<(String, Brief)> =
        all.into_iter().filter(fits).map(|brief| (key(&brief), brief)).collect();
    keyed.sort_by(|a, b| a.0.cmp(&b.0));
    let total = keyed.len();
    let from = keyed.partition_point(|(key, _)| key.as_str() <= wanted.after);
    let is_more = keyed.len() - from > most;
    let page: Vec<(String, Brief)> = keyed.into_iter().skip(from).take(most).collect();
    let next = page.last().filter(|_| is_more).map(|(key, _)| key.clone());
    let found = page.into_iter().map(|(_, dealership)| Found {
        package: packages.get(&dealership.id).copied(),
        dealership,
    });
    Ok(FoundPage { found: found.collect(), next, total })
}

/// Where a dealership stands in the list, whoever else comes or goes.
fn key(brief: &Brief) -> String {
    format!("{}\t{}", searchable(&brief.name), brief.id)
}

/// Everything about a dealership, in few queries.
#[derive(Debug)]
pub struct Known {
    /// Its row.
    pub dealership: Dealership,
    /// The zone of its months.
    pub zone: Tz,
    /// The invoices that stand of the last twelve months that were invoiced, the oldest first.
    pub months: Vec<Listed>,
    /// By month.
    pub contracts: Vec<ContractEntry>,
    /// Contacts included in the running month; `None` without a contract.
    pub package: Option<u64>,
    /// Its business numbers.
    pub numbers: Vec<NumberEntry>,
    /// What is open, overdue and waits.
    pub balance: Balance,
    /// The invoices of which something is open, the oldest first.
    pub open: Vec<Listed>,
    /// Credits and charges, the newest first.
    pub notes: Vec<Note>,
    /// What another package would have cost; `None` where nothing was invoiced or there is no choice.
    pub advice: Option<Advised>,
    /// The latest emails to it: invoices, reminders, warnings of package use; the newest first.
    pub emails: Vec<ListedEmail>,
    /// The issuer's local day: what is overdue depends on it.
    pub today: NaiveDate,
}

/// Advice on the package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advised {
    /// The last month that was invoiced: its prices are those that are compared by.
    pub month: Month,
    /// How many months were looked at.
    pub months: usize,
    /// What each package would have cost.
    pub advice: Advice,
    /// What follows from that; `None` where the table lacks a package that it had.
    pub verdict: Option<Verdict>,
    /// Some month was priced otherwise.
    pub is_repriced: bool,
}

/// Looks at one dealership; `None` where the register lacks it.
///
/// # Errors
/// [`LedgerError`] where the ledger cannot be read.
pub async fn look(office: &Office, id: &str) -> Result<Option<Known>, LedgerError> {
    let ledger = &office.ledger;
    let Some(dealership) = ledger.dealership(id).await? else { return Ok(None) };
    let filter = Filter { dealership_id: Some(id), ..Filter::default() };
    let mut standing = ledger.listed(filter).await?;
    standing.retain(|listed| listed.state == InvoiceState::Issued);
    standing.sort_by_key(|listed| (listed.month, listed.number));
    let today = office.today();
    let payments = ledger.payments_of(id).await?;
    let waiting = payments.iter().map(Payment::waiting).sum();
    let mut balance = Balance { waiting, ..Balance::default() };
    for listed in &standing {
        let account = listed.account();
        balance.open += account.open();
        if account.is_overdue(today) {
            balance.overdue += account.open();
        }
    }
    let is_open = |listed: &&Listed| listed.account().open().centavos() > 0;
    let open = standing.iter().filter(is_open).cloned().collect();
    let months = standing.split_off(standing.len().saturating_sub(A_YEAR));
    let contracts = ledger.contracts_of(id).await?;
    let zone = dealership.timezone.unwrap_or(office.config.issuer.timezone);
    let running = Month::last_ended(office.clock.now(), zone).next();
    let agreed: Contracts = contracts.iter().cloned().collect();
    let package = agreed.package_in(id, running);
    let mut notes = ledger.notes_of(id).await?;
    notes.retain(Note::counts);
    notes.reverse();
    Ok(Some(Known {
        advice: advised(office, &months, &agreed),
        numbers: ledger.business_numbers_of(id).await?,
        emails: ledger.emails_of(id, EMAILS).await?,
        dealership,
        zone,
        months,
        contracts,
        package,
        balance,
        open,
        notes,
        today,
    }))
}

/// Over the months of a statement, by the prices of its contract in the last one.
fn advised(office: &Office, months: &[Listed], contracts: &Contracts) -> Option<Advised> {
    let (last, before) = months.split_last()?;
    let agreed = contracts.agreed_in(&last.dealership_id, last.month)?;
    let table = office.config.prices.table_of(agreed.list.as_ref(), last.month).ok()?;
    let rates = Rates { table, discount: agreed.discount };
    if table.packages.len() < 2 {
        return None;
    }
    let first = (1..MONTHS).fold(last.month, |month, _| month.previous());
    let before = before.iter().filter(|listed| listed.month >= first);
    let before: Vec<PastMonth> = before.map(past).collect();
    let uam = last.figures.uam;
    let advice =
        Advice::of(rates, uam, &before.iter().map(|past| past.uam).collect::<Vec<_>>()).ok()?;
    Some(Advised {
        month: last.month,
        months: before.len() + 1,
        verdict: advice.verdict(rates, last.figures.package, uam, &before),
        is_repriced: is_repriced(rates, &before),
        advice,
    })
}

fn past(listed: &Listed) -> PastMonth {
    let figures = &listed.figures;
    PastMonth {
        month: listed.month,
        package: figures.package,
        uam: figures.uam,
        hsm: figures.hsm,
        total: figures.total,
        amounts: Some(figures.amounts),
    }
}
