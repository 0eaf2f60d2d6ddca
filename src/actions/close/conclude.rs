//! What becomes of what a close found: finance is told, the ledger keeps the latest word on the month, or a person
//! reads it first.

use std::collections::{BTreeMap, BTreeSet};

use super::held::{Telling, Waiting};
use super::scope::Scope;
use super::{CloseError, CloseReport, deed};
use crate::actions::group_bill::{self, Wanted};
use crate::actions::handover;
use crate::ledger::LedgerError;
use crate::ledger::audit::Action;
use crate::ledger::closing::{Closing, MonthState};
use crate::setup::office::Office;
use fecha_core::bill::exception::{Exception, Reason, Worth};
use fecha_core::bill::group_bill::GroupBill;
use fecha_core::bill::hold::Held;
use fecha_core::calendar::month::Month;
use fecha_core::count::misdated::Misdated;
use fecha_core::count::tally::Count;
use fecha_core::price::money::Money;
use fecha_core::price::table::PriceTable;

/// What a close found beside its count.
pub(super) struct Found<'a> {
    /// What went wrong with some dealerships.
    pub(super) trouble: &'a [Exception],
    /// Messages that lie where none can.
    pub(super) misdated: Misdated,
    /// The standard ones of the month: what nobody was billed is worth so much.
    pub(super) prices: &'a PriceTable,
    /// What each dealership's bill came to.
    pub(super) charged: &'a BTreeMap<String, Money>,
    /// What a held close would issue.
    pub(super) waiting: Option<Waiting>,
}

/// Reports to finance and keeps the latest word on the month.
///
/// Groups whose last dealership is issued or excepted get their bill, which is given back. Finance hears once when the month is complete, and then each time that something came later; of a month
/// that is held, with the admins, what it would issue.
pub(super) async fn conclude(
    office: &Office,
    scope: &Scope,
    count: &Count,
    report: &CloseReport,
    found: Found<'_>,
) -> Result<Vec<GroupBill>, CloseError> {
    let Found { trouble, misdated, prices, charged, waiting } = found;
    let held = waiting.as_ref().map(|waiting| waiting.why().to_owned());
    let now = office.clock.now();
    if let Some(why) = &report.held {
        office.ledger.log(&deed(office, now, Action::Hold, scope.month, why)).await?;
    }
    // Where named dealerships were the last of the month, finance hears of all of it.
    let mut findings = scope.report(count, false, scope.counts_everyone());
    findings.add(trouble);
    if report.held.is_some() {
        findings.add(&unissued_before(office, scope.month).await?);
    }
    let reported = office.ledger.digests(scope.month).await?;
    let complete = scope.counts_everyone() && scope.is_over_everywhere();
    let (names, before) = (scope.names(), &scope.invoiced_before);
    let worth = Worth { prices, names: &names, charged, before };
    let told = |sequence| as_told(scope, count, &findings, worth, sequence);
    if report.held.is_none() && (reported > 0 || complete) {
        handover::tell_finance(office, told(reported + 1), now).await?;
        // Only now: what a held or unfinished close found is news until finance has been told.
        if scope.counts_everyone() && office.ledger.misdated().await? != misdated {
            office.ledger.see_misdated(misdated).await?;
        }
    }
    // Before the month is closed: where it fails, the next close makes it.
    let group_bills = match report.held {
        None => bill_groups(office, scope, trouble).await?,
        Some(_) => Vec::new(),
    };
    // A close of named dealerships says nothing about the exceptions of the others.
    if !scope.counts_everyone() {
        return Ok(group_bills);
    }
    if let Some(waiting) = waiting {
        let telling = match waiting.is_held() {
            _ if report.is_another_plan => Telling::Nobody,
            true => Telling::Whoever,
            false => Telling::Reader,
        };
        waiting.keep(office, worth, told(0), telling, now).await?;
    }
    let closing = Closing {
        month: scope.month,
        state: state(report, complete),
        held,
        exceptions: findings.exceptions,
        messages: findings.messages,
        // What ended while the close was running was not part of it.
        looked_at: scope.now,
    };
    office.ledger.record_closing(&closing).await?;
    Ok(group_bills)
}

/// Nobody waits for whom this close, or the one before about the others, could not issue.
async fn bill_groups(
    office: &Office,
    scope: &Scope,
    trouble: &[Exception],
) -> Result<Vec<GroupBill>, CloseError> {
    let mut excepted: BTreeSet<String> =
        trouble.iter().filter_map(|exception| exception.dealership_id.clone()).collect();
    if !scope.counts_everyone() {
        excepted.extend(group_bill::excepted(office, scope.month).await?);
    }
    let wanted = Wanted::All { excepted: &excepted };
    Ok(group_bill::bill_groups(office, scope.month, wanted, &office.actor).await?)
}

/// What would be issued, for whoever reads it first; nothing is written.
pub(super) async fn to_be_read(
    office: &Office,
    scope: &Scope,
    count: &Count,
    found: Found<'_>,
) -> Result<Option<Box<Held>>, LedgerError> {
    let Found { trouble, prices, charged, waiting, .. } = found;
    let Some(waiting) = waiting else { return Ok(None) };
    let mut findings = scope.report(count, false, scope.counts_everyone());
    findings.add(trouble);
    let (names, before) = (scope.names(), &scope.invoiced_before);
    let worth = Worth { prices, names: &names, charged, before };
    let told = as_told(scope, count, &findings, worth, 0);
    Ok(Some(Box::new(waiting.shown(office, worth, told, office.clock.now()).await?)))
}

/// What was found, as finance is told of it.
fn as_told<'a>(
    scope: &Scope,
    count: &'a Count,
    findings: &'a CloseReport,
    worth: Worth<'_>,
    sequence: u32,
) -> handover::Findings<'a> {
    handover::Findings {
        month: scope.month,
        sequence,
        exceptions: worth.excepted(&findings.exceptions),
        messages: findings.messages,
        zones: handover::zones(&count.windows, &scope.spans()),
        not_contacts: scope.not_contacts(count),
        statuses: &count.statuses,
        open: &findings.open,
    }
}

fn state(report: &CloseReport, complete: bool) -> MonthState {
    match &report.held {
        Some(_) => MonthState::Held,
        None if complete => MonthState::Closed,
        None => MonthState::Open,
    }
}

/// Those whose invoice an earlier close could not issue: a close that is held did not try them.
async fn unissued_before(office: &Office, month: Month) -> Result<Vec<Exception>, LedgerError> {
    let before = office.ledger.closing(month).await?;
    let mut exceptions = before.map(|before| before.exceptions).unwrap_or_default();
    exceptions.retain(|exception| exception.reason == Reason::Failed);
    Ok(exceptions)
}
