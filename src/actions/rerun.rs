//! Counts the invoiced dealerships of a month again and issues a revision where the invoice would be
//! another one today (spec §2 *Rerun*).

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use crate::actions::handover::{self, Findings, HandoverError};
use crate::actions::issue::{IssueError, Outcome, Why, revise};
use crate::actions::patience::Patience;
use crate::actions::recount::{RecountError, Recounted, recount};
use crate::ledger::LedgerError;
use crate::messages::Sources;
use crate::setup::office::Office;
use fecha_core::bill::difference::{Cause, Difference};
use fecha_core::bill::invoice::{Invoice, Number};
use fecha_core::calendar::month::Month;
use fecha_core::count::tally::Buckets;
use fecha_core::party::register::{UnknownDealerships, must_be_known};

/// What to count again, and why.
#[derive(Debug, Clone)]
pub struct RerunOptions {
    /// The month.
    pub month: Month,
    /// Only these dealerships; `None` for every one that is invoiced.
    pub dealerships: Option<Vec<String>>,
    /// Why, as the invoices print it.
    pub reason: String,
    /// Who asks for it.
    pub by: String,
    /// Compare, but issue nothing.
    pub dry_run: bool,
    /// Causes that a person accepts, beside those that go by themselves.
    pub accept: BTreeSet<Cause>,
}

/// What a rerun did, or would do.
#[derive(Debug, Clone)]
pub struct RerunReport {
    /// The month.
    pub month: Month,
    /// How many invoices are the same as before.
    pub unchanged: usize,
    /// Those that have a new revision, by dealership.
    pub revised: Vec<Revised>,
    /// Those that a person must decide on.
    pub refused: Vec<Refused>,
    /// Nothing was written.
    pub dry_run: bool,
}

/// An invoice with a new revision.
#[derive(Debug, Clone)]
pub struct Revised {
    /// The number.
    pub number: Number,
    /// The new revision.
    pub revision: u32,
    /// Who is invoiced.
    pub dealership_id: String,
    /// What changed.
    pub difference: Difference,
}

/// A dealership without a new revision, although its invoice is not that of today.
#[derive(Debug, Clone)]
pub struct Refused {
    /// The number; `None` where there is no invoice.
    pub number: Option<Number>,
    /// Who it is about.
    pub dealership_id: String,
    /// What changed, where that is known.
    pub difference: Option<Difference>,
    /// Causes that must be accepted first.
    pub accept: Vec<Cause>,
    /// Why, and what to do.
    pub reason: String,
}

/// A rerun could not go on. Revisions that it had issued stay issued; a new rerun goes on from there.
#[derive(Debug, thiserror::Error)]
pub enum RerunError {
    /// Ids that were named but are not in the register.
    #[error(transparent)]
    UnknownDealerships(#[from] UnknownDealerships),
    /// The month could not be counted again.
    #[error(transparent)]
    Recount(#[from] RecountError),
    /// The report to finance could not be made.
    #[error(transparent)]
    Handover(#[from] HandoverError),
}

impl From<LedgerError> for RerunError {
    fn from(error: LedgerError) -> Self {
        Self::Recount(error.into())
    }
}

/// Counts again and issues what changed. One dealership that is refused does not keep the others from
/// their revisions.
///
/// # Errors
/// [`RerunError`], which says what to do.
pub async fn rerun_month(
    office: &Office,
    source: &Sources,
    options: &RerunOptions,
    now: DateTime<Utc>,
    progress: impl Fn(u64) + Send + Sync + 'static,
) -> Result<RerunReport, RerunError> {
    let month = options.month;
    let mut report = RerunReport {
        month,
        unchanged: 0,
        revised: Vec::new(),
        refused: Vec::new(),
        dry_run: options.dry_run,
    };
    let standing = chosen(office, options, &mut report).await?;
    for recounted in recount(office, source, month, standing, now, progress).await? {
        decide(office, options, recounted, &mut report).await?;
    }
    report.refused.sort_by(|a, b| a.dealership_id.cmp(&b.dealership_id));
    if !options.dry_run {
        tell_finance(office, month).await?;
    }
    Ok(report)
}

/// The invoices that the rerun is about; named dealerships without one are refused.
async fn chosen(
    office: &Office,
    options: &RerunOptions,
    report: &mut RerunReport,
) -> Result<BTreeMap<String, Invoice>, RerunError> {
    let mut standing = office.ledger.standing_invoices(options.month).await?;
    let Some(ids) = &options.dealerships else { return Ok(standing) };
    let register = office.ledger.dealerships().await?;
    let is_known = |id: &str| register.iter().any(|dealership| dealership.id == id);
    must_be_known(ids.iter().map(String::as_str), is_known)?;
    let ids: BTreeSet<&String> = ids.iter().collect();
    for id in ids.iter().filter(|id| !standing.contains_key(**id)) {
        let month = options.month;
        report.refused.push(Refused {
            number: None,
            dealership_id: (*id).clone(),
            difference: None,
            accept: Vec::new(),
            reason: format!(
                "has no invoice of {month}: `fecha close --month {month} --dealership {id}` issues it, if it has a package"
            ),
        });
    }
    standing.retain(|id, _| ids.contains(id));
    Ok(standing)
}

/// Revises one invoice, or says why not.
async fn decide(
    office: &Office,
    options: &RerunOptions,
    recounted: Recounted<'_>,
    report: &mut RerunReport,
) -> Result<(), RerunError> {
    let number = recounted.invoice.number;
    let dealership_id = recounted.id().to_owned();
    let refused = |difference, accept, reason| Refused {
        number: Some(number),
        dealership_id: dealership_id.clone(),
        difference,
        accept,
        reason,
    };
    if recounted.purged {
        let reason = purged(number, options.month);
        report.refused.push(refused(None, Vec::new(), reason));
        return Ok(());
    }
    let difference = match recounted.difference(office).await {
        Ok(difference) => difference,
        Err(LedgerError::Corrupt(what)) => {
            report.refused.push(refused(None, Vec::new(), format!("{what}: see `fecha verify`")));
            return Ok(());
        }
        Err(damaged @ LedgerError::Damaged { .. }) => {
            report.refused.push(refused(None, Vec::new(), damaged.to_string()));
            return Ok(());
        }
        Err(error) => return Err(error.into()),
    };
    if difference.is_none() {
        report.unchanged += 1;
        return Ok(());
    }
    if let Some(left_from) = recounted.deleted_before(&difference)
        && !options.accept.contains(&Cause::Loss)
    {
        let reason = partly_purged(number, left_from);
        report.refused.push(refused(Some(difference), vec![Cause::Loss], reason));
        return Ok(());
    }
    if let Some((accept, reason)) = objection(&recounted, &difference, options) {
        report.refused.push(refused(Some(difference), accept, reason));
        return Ok(());
    }
    let revision = recounted.invoice.revision + 1;
    if !options.dry_run
        && let Err(reason) = issue(office, options, &recounted, &difference).await?
    {
        report.refused.push(refused(Some(difference), Vec::new(), reason));
        return Ok(());
    }
    report.revised.push(Revised { number, revision, dealership_id, difference });
    Ok(())
}

fn purged(number: Number, month: Month) -> String {
    format!(
        "its messages of {month} are not in the message database any more (deleted by retention?): {number} and its evidence stay as issued. Restore the messages to count again"
    )
}

fn partly_purged(number: Number, left_from: DateTime<Utc>) -> String {
    format!(
        "its messages before {} are not in the message database any more (deleted by retention?): {number} and its evidence stay as issued. Restore the messages to count again; --accept loss bills only what is left",
        left_from.format("%Y-%m-%d %H:%M UTC")
    )
}

/// Why a difference is not issued: no package, no price, or causes that nobody accepted.
fn objection(
    recounted: &Recounted<'_>,
    difference: &Difference,
    options: &RerunOptions,
) -> Option<(Vec<Cause>, String)> {
    let number = recounted.invoice.number;
    if difference.package.now.is_none() {
        let reason = format!(
            "has no package in {} any more: void the invoice with `fecha cancel {number} --reason TEXT`, or import its contract",
            options.month
        );
        return Some((Vec::new(), reason));
    }
    if let Err(unbilled) = &recounted.today {
        return Some((Vec::new(), unbilled.why.to_string()));
    }
    let accept: Vec<Cause> = difference
        .causes()
        .into_iter()
        .filter(|cause| !cause.goes_by_itself() && !options.accept.contains(cause))
        .collect();
    if accept.is_empty() {
        return None;
    }
    let names: Vec<&str> = accept.iter().map(|cause| cause.key()).collect();
    let reason = format!("look at the difference and accept it with --accept {}", names.join(","));
    Some((accept, reason))
}

/// Issues the revision; the inner error says why one dealership could not have it.
async fn issue(
    office: &Office,
    options: &RerunOptions,
    recounted: &Recounted<'_>,
    difference: &Difference,
) -> Result<Result<(), String>, RerunError> {
    let Ok(bill) = &recounted.today else { return Ok(Err("has no price".to_owned())) };
    let causes: Vec<&str> = difference.causes().iter().map(|cause| cause.key()).collect();
    let why = Why { reason: &options.reason, by: &options.by, change: &causes.join(", ") };
    let before = &recounted.invoice;
    let mut patience = Patience::new();
    let revised = loop {
        match revise(office, bill, why, office.clock.now()).await {
            Err(IssueError::Ledger(error)) if patience.lasts(&error).await => {}
            revised => break revised,
        }
    };
    match revised {
        Ok(Outcome::Issued(_)) => Ok(Ok(())),
        Ok(Outcome::RevisedByAnother) => Ok(Err(format!(
            "{} was revised or cancelled by somebody else meanwhile: nothing was issued here; run `fecha verify --month {}` and look again",
            before.label(),
            before.month
        ))),
        Ok(Outcome::PaidMeanwhile) => Ok(Err(format!(
            "a payment for {} was recorded meanwhile: nothing was issued; run it again",
            before.label()
        ))),
        Ok(Outcome::CorrectionsChanged) => Ok(Err(format!(
            "a credit or charge of {} was entered, taken or taken back meanwhile: nothing was issued; run it again",
            before.label()
        ))),
        Err(IssueError::Ledger(error)) if error.concerns_everything() => Err(error.into()),
        Err(error) => Ok(Err(error.to_string())),
    }
}

/// One digest of all corrections that finance has not heard of, those of a rerun that died included.
/// Before the close report of the month there is none: it will have them all.
async fn tell_finance(office: &Office, month: Month) -> Result<(), RerunError> {
    loop {
        let reported = office.ledger.digests(month).await?;
        if reported == 0 {
            return Ok(());
        }
        let findings = Findings {
            month,
            sequence: reported + 1,
            exceptions: Vec::new(),
            messages: Buckets::default(),
            zones: Vec::new(),
            not_contacts: Vec::new(),
            statuses: &[],
            open: &[],
        };
        // Another process that reported at the same moment took this number: the next one is free.
        if handover::tell_finance(office, findings, office.clock.now()).await? {
            return Ok(());
        }
    }
}
