//! The close of a month, readable from top to bottom. The command line calls it today; whatever else
//! closes (a daemon, a console) calls this one.

mod conclude;
mod held;
mod plan;
mod release;
mod report;
mod scope;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use futures::future::join;

use self::conclude::{Found, conclude, to_be_read};
use self::held::Waiting;
use self::release::released;
pub use self::report::{Charged, CloseReport, WouldDiffer};
use self::scope::Scope;
use crate::actions::group_bill::GroupBillError;
use crate::actions::handover::HandoverError;
use crate::actions::issue::{Binding, IssueError, Issued, Prepared, issue, prepare};
use crate::actions::patience::Patience;
use crate::actions::recount::Recounted;
use crate::ledger::LedgerError;
use crate::ledger::audit::{Action, Deed};
use crate::ledger::closing::MonthState;
use crate::messages::{Reading, SourceError, Sources};
use crate::setup::config::Approval;
use crate::setup::office::Office;
use fecha_core::bill::bill::Bill;
use fecha_core::bill::difference::Cause;
use fecha_core::bill::exception::{Exception, Reason};
use fecha_core::bill::hold::{self, Hold};
use fecha_core::bill::invoice::Invoice;
use fecha_core::bill::plan::PlanHash;
use fecha_core::calendar::month::Month;
use fecha_core::count::misdated::Misdated;
use fecha_core::party::register::UnknownDealerships;
use fecha_core::price::money::Money;
use fecha_core::price::table::NoPrice;

/// What to close.
#[derive(Debug, Clone, Default)]
pub struct CloseOptions {
    /// The month; by default the last one that has ended in the issuer's zone.
    pub month: Option<Month>,
    /// Only these dealerships; all where it is empty.
    pub dealerships: Vec<String>,
    /// Count and price, but write nothing.
    pub dry_run: bool,
    /// Go on where the rule *Hold* would stop.
    pub release: Release,
    /// Stop whatever the rule says: `[close] approval = "manual"`, and nobody has released the month.
    pub awaits_approval: bool,
    /// Why a person lets it go on, in that person's words; for the audit log.
    pub reason: Option<String>,
}

/// What a person has said to a close that is held.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Release {
    /// Nothing.
    #[default]
    None,
    /// Go on, whatever it comes to.
    Whatever,
    /// Go on where it comes to this plan; issue nothing where it does not, held or not.
    Plan(PlanHash),
    /// Issue nothing, whatever it comes to: it is to be read first. A month that waits goes on waiting, by the plan
    /// that it comes to now; of any other one nothing is written.
    Look,
}

impl Release {
    fn is_bound_to_another(&self, plan: &PlanHash) -> bool {
        matches!(self, Self::Plan(wanted) if wanted != plan)
    }

    /// Whether nothing is issued of this plan.
    fn waits(&self, plan: &PlanHash, reasons: &[Hold]) -> bool {
        match self {
            Self::None => !reasons.is_empty(),
            Self::Whatever => false,
            Self::Plan(_) => self.is_bound_to_another(plan),
            Self::Look => true,
        }
    }

    fn binding(&self) -> Binding {
        match self {
            Self::None | Self::Whatever | Self::Look => Binding::ToTheAccount,
            Self::Plan(_) => Binding::ToThePlan,
        }
    }
}

/// How far a close is, for whoever watches it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// So many messages were read.
    Counting(u64),
    /// So many invoices of all are issued.
    Issuing(usize, usize),
}

/// The close could not go on. Invoices that it had issued stay issued; a new close goes on from there.
#[derive(Debug, thiserror::Error)]
pub enum CloseError {
    /// Ids that were named but are not in the register.
    #[error(transparent)]
    UnknownDealerships(#[from] UnknownDealerships),
    /// Nowhere has the month ended.
    #[error("{month} has not ended anywhere yet: its first end is {} in {zone}. Close it then, or name another month with --month", .ends.format("%Y-%m-%d %H:%M UTC"))]
    NotEnded {
        /// The month.
        month: Month,
        /// When it ends first.
        ends: DateTime<Utc>,
        /// Where.
        zone: Tz,
    },
    /// No price table holds.
    #[error(transparent)]
    NoPrice(#[from] NoPrice),
    /// The messages could not be counted.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The ledger failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The report to finance could not be made.
    #[error(transparent)]
    Handover(#[from] HandoverError),
    /// What a group gets could not be made.
    #[error(transparent)]
    GroupBill(#[from] GroupBillError),
}

/// Whether every close waits for a person (`[close] approval = "manual"`), and nobody has released this month: neither
/// whatever it comes to, nor the plans by which it was closed.
///
/// # Errors
/// [`LedgerError`] where the ledger cannot be read.
pub async fn awaits_approval(office: &Office, month: Month) -> Result<bool, LedgerError> {
    let is_manual = office.config.close.approval == Approval::Manual;
    if !is_manual || office.ledger.is_released(month).await? {
        return Ok(false);
    }
    let closing = office.ledger.closing(month).await?;
    Ok(closing.is_none_or(|closing| closing.state != MonthState::Closed))
}

/// Closes what is not closed of a month: counts, prices, issues and hands over.
///
/// Safe to run at any time, any number of times, by any number of processes: a dealership's month is
/// issued once, and what an interrupted close left undone the next one does.
///
/// # Errors
/// [`CloseError`], which says what to do.
pub async fn close_month(
    office: &Office,
    source: &Sources,
    options: &CloseOptions,
    now: DateTime<Utc>,
    progress: impl Fn(Progress) + Clone + Send + Sync + 'static,
) -> Result<CloseReport, CloseError> {
    let scope = Scope::read(office, options, now).await?;
    let prices = &office.config.prices;
    let standard = prices.table_for(scope.month)?;
    let watch = progress.clone();
    let counter = scope
        .counter(&office.config.counting.statuses, &office.config.prices)
        .with_service_windows(office.config.service_windows);
    let count_rows = move |rows| watch(Progress::Counting(rows));
    let Reading { mut count, sources, misdated } = source.count(counter, now, count_rows).await?;

    let messages = count.buckets().total();
    tracing::info!(month = %scope.month, messages, "counted, and proved against the database's count");

    let (bills, mut trouble) = scope.bill(&mut count, prices);
    let look = scope.hold_source(&bills, &count, sources);
    let reasons = holds(&look, office, options, bills.is_empty());
    let mut report = scope.report(&count, options.dry_run, false);
    report.would_differ = would_differ(office, scope.compared(&mut count, prices)).await?;
    trouble.extend(more_misdated(office, &scope, misdated).await?);
    let plan = plan::plan(&scope, &bills, &report, &trouble).hash();
    let waiting = options.release.waits(&plan, &reasons).then(|| {
        let why = held::in_words(&reasons, &scope, &bills);
        Waiting::of(office, &bills, reasons.clone(), plan.clone(), why, now)
    });
    let charged = charged(&bills);
    report.held = waiting.as_ref().map(|waiting| waiting.why().to_owned());
    if options.release.is_bound_to_another(&plan) {
        report = report.of_another_plan(&plan);
    }
    let is_only_read = is_only_read(office, &scope, options, &report).await?;
    if options.dry_run && !is_only_read {
        report.issued = bills.iter().map(Charged::foreseen).collect();
        report.foreseen = plan::foreseen(office, &bills, now);
    } else if report.held.is_none() {
        if options.release != Release::None {
            released(office, &scope, options, &reasons, now).await?;
        }
        let binding = options.release.binding();
        issue_all(office, bills, binding, &mut report, &mut trouble, progress).await?;
    }
    report.plan = (options.dry_run || report.held.is_some()).then_some(plan);
    report.add(&trouble);
    let found = Found { trouble: &trouble, misdated, prices: standard, charged: &charged, waiting };
    if is_only_read {
        report.look = to_be_read(office, &scope, &count, found).await?;
    } else if !options.dry_run {
        report.group_bills = conclude(office, &scope, &count, &report, found).await?;
    }
    Ok(report)
}

/// What each dealership's bill comes to.
fn charged(bills: &[Bill<'_>]) -> BTreeMap<String, Money> {
    bills.iter().map(|bill| (bill.case.id().to_owned(), bill.charge.total())).collect()
}

/// Whether a plan that is to be read first, or is another one than the one that was released, is only told: unless it is
/// kept in the place of the one that a whole month waits by, so that what changed can be seen.
async fn is_only_read(
    office: &Office,
    scope: &Scope,
    options: &CloseOptions,
    report: &CloseReport,
) -> Result<bool, LedgerError> {
    if !report.is_another_plan && options.release != Release::Look {
        return Ok(false);
    }
    if options.dry_run || !scope.counts_everyone() {
        return Ok(true);
    }
    let closing = office.ledger.closing(scope.month).await?;
    Ok(closing.is_none_or(|closing| closing.state != MonthState::Held))
}

/// Why the close stops, unless somebody releases it.
fn holds(look: &hold::Look, office: &Office, options: &CloseOptions, is_empty: bool) -> Vec<Hold> {
    let mut reasons = hold::reasons(look, office.config.close.limits);
    if is_empty {
        reasons.clear();
    }
    reasons.extend(options.awaits_approval.then_some(Hold::Approval));
    reasons
}

/// The issued invoices of which something is counted or priced otherwise today. What was deleted by a
/// retention is none, and neither is a name that changed or a credit that waits.
async fn would_differ(
    office: &Office,
    recounted: Vec<Recounted<'_>>,
) -> Result<Vec<WouldDiffer>, LedgerError> {
    let mut found = Vec::new();
    for one in recounted.into_iter().filter(|one| !one.purged) {
        let difference = match one.difference(office).await {
            Ok(difference) => difference,
            // `verify` says so; it keeps nobody from their invoices.
            Err(LedgerError::Corrupt(_) | LedgerError::Damaged { .. }) => continue,
            Err(error) => return Err(error),
        };
        let is_about = |cause: &Cause| !matches!(cause, Cause::Register | Cause::Adjustment);
        if difference.causes().iter().any(is_about) && one.deleted_before(&difference).is_none() {
            let (number, dealership_id) = (one.invoice.number, one.id().to_owned());
            found.push(WouldDiffer { number, dealership_id, difference });
        }
    }
    Ok(found)
}

/// Messages that lie where none can, where there are more of them than the ledger last saw.
async fn more_misdated(
    office: &Office,
    scope: &Scope,
    misdated: Misdated,
) -> Result<Option<Exception>, LedgerError> {
    if !scope.counts_everyone() {
        return Ok(None);
    }
    let seen = office.ledger.misdated().await?;
    let is_news = misdated.early > seen.early || misdated.late > seen.late;
    Ok(is_news.then(|| Exception {
        dealership_id: None,
        reason: Reason::Misdated,
        messages: misdated.messages(),
        detail: Some(format!(
            "{} before 2009, {} later than tomorrow",
            misdated.early, misdated.late
        )),
    }))
}

/// Tries an invoice again where the ledger was busy. Where that does not end, it is no failure of the
/// dealership but of the close.
async fn patiently(
    office: &Office,
    prepared: &mut Prepared<'_>,
    mut outcome: Result<Option<Box<Invoice>>, IssueError>,
) -> Result<Option<Box<Invoice>>, IssueError> {
    let mut patience = Patience::new();
    loop {
        match outcome {
            Err(IssueError::Ledger(error)) if patience.lasts(&error).await => {}
            outcome => return outcome,
        }
        outcome = commit(issue(office, prepared).await).await;
    }
}

/// Issues the bills one by one, in the order of the dealerships' ids. An error with one of them does
/// not keep the others from their invoices; a ledger that is away, busy or cannot be written does.
async fn issue_all(
    office: &Office,
    bills: Vec<Bill<'_>>,
    binding: Binding,
    report: &mut CloseReport,
    trouble: &mut Vec<Exception>,
    progress: impl Fn(Progress),
) -> Result<(), CloseError> {
    let all = bills.len();
    let mut bills = bills.into_iter();
    let mut take = |foretold| {
        let bill = bills.next()?;
        let about = (bill.case.id().to_owned(), bill.tally.buckets.total());
        Some((about, prepare(office, bill, binding, foretold)))
    };
    let mut next = take(None);
    let mut done = 0;
    while let Some(((id, messages), prepared)) = next {
        progress(Progress::Issuing(done, all));
        let (mut prepared, written) = match prepared {
            Ok(mut prepared) => {
                let written = issue(office, &mut prepared).await;
                (Some(prepared), written)
            }
            Err(error) => (None, Err(error)),
        };
        let foretold = written.as_ref().ok().and_then(Option::as_ref).map(|w| w.number().next());
        // While the disk takes this one in, the next one is drawn.
        let following = async { take(foretold) };
        let mut outcome;
        (outcome, next) = join(commit(written), following).await;
        if let Some(prepared) = &mut prepared {
            outcome = patiently(office, prepared, outcome).await;
        }
        match outcome {
            Ok(Some(invoice)) => {
                tracing::info!(number = %invoice.number, dealership = id, "issued");
                report.issued.push(Charged::of(&invoice));
            }
            Ok(None) => report.already_issued += 1,
            Err(IssueError::Ledger(error)) if error.concerns_everything() => {
                return Err(error.into());
            }
            Err(error) => trouble.push(Exception {
                dealership_id: Some(id),
                reason: Reason::Failed,
                messages,
                detail: Some(error.to_string()),
            }),
        }
        done += 1;
    }
    progress(Progress::Issuing(all, all));
    Ok(())
}

async fn commit(
    written: Result<Option<Issued>, IssueError>,
) -> Result<Option<Box<Invoice>>, IssueError> {
    match written? {
        Some(issued) => issued.commit().await.map(Some),
        None => Ok(None),
    }
}

fn deed<'a>(
    office: &'a Office,
    at: DateTime<Utc>,
    action: Action,
    month: Month,
    detail: &'a str,
) -> Deed<'a> {
    Deed { at, actor: &office.actor, action, month: Some(month), dealership_id: None, detail }
}

impl CloseError {
    /// Whether a database was out of reach: the exit status 3.
    #[must_use]
    pub fn is_unreachable(&self) -> bool {
        match self {
            Self::Source(error) => error.is_unreachable(),
            Self::Ledger(error)
            | Self::Handover(HandoverError::Ledger(error))
            | Self::GroupBill(GroupBillError::Ledger(error)) => error.is_unreachable(),
            _ => false,
        }
    }
}
