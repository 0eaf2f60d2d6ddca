//! Counts the invoiced dealerships of a month again and issues a revision where the invoice would be
//! another one today (spec §2 *Rerun*).

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::actions::close::Progress;
use crate::actions::group_bill::{GroupBillError, Wanted, bill_groups};
use crate::actions::handover::{self, Findings, HandoverError};
use crate::actions::issue::{IssueError, Outcome, Why, revise};
use crate::actions::patience::Patience;
use crate::actions::recount::{Found, RecountError, Recounted, find, recount};
use crate::document::{NotPrintable, must_be_printable};
use crate::ledger::LedgerError;
use crate::messages::Sources;
use crate::setup::office::Office;
use fecha_core::bill::bill::Heading;
use fecha_core::bill::difference::{Cause, Difference};
use fecha_core::bill::group_bill::GroupBill;
use fecha_core::bill::invoice::{Invoice, Number, Replacement};
use fecha_core::bill::plan::{Plan, PlanHash, Planned};
use fecha_core::calendar::month::Month;
use fecha_core::count::evidence::IdVersion;
use fecha_core::count::tally::Buckets;
use fecha_core::party::register::{UnknownDealerships, must_be_known};
use fecha_core::price::money::Money;

/// Causes that a person accepts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accepted {
    /// For every dealership.
    pub everywhere: BTreeSet<Cause>,
    /// For one, by its id.
    pub of: BTreeMap<String, BTreeSet<Cause>>,
}

impl Accepted {
    /// These causes, for every dealership.
    #[must_use]
    pub fn everywhere(causes: impl IntoIterator<Item = Cause>) -> Self {
        Self { everywhere: causes.into_iter().collect(), of: BTreeMap::new() }
    }

    /// Whether a cause is accepted for a dealership.
    #[must_use]
    pub fn covers(&self, dealership_id: &str, cause: Cause) -> bool {
        let own = self.of.get(dealership_id);
        self.everywhere.contains(&cause) || own.is_some_and(|own| own.contains(&cause))
    }
}

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
    pub accept: Accepted,
    /// Issue only where it comes to this plan.
    pub plan: Option<PlanHash>,
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
    /// What groups got in place of what they had, since other revisions stand.
    pub group_bills: Vec<GroupBill>,
    /// Nothing was written.
    pub dry_run: bool,
    /// What it comes to; before a revision is issued.
    pub plan: PlanHash,
    /// Whether nothing was issued since another plan was asked for.
    pub is_another_plan: bool,
    /// What would have a new revision then, by dealership.
    pub instead: Vec<Revised>,
    /// What would be issued, by dealership: in a dry run.
    pub foreseen: Vec<Invoice>,
}

/// What a rerun makes of one invoice.
#[derive(Debug)]
enum Decided<'a> {
    /// It is the same as before.
    Unchanged(Box<Recounted<'a>>),
    /// It is another one.
    Revised(Box<Recounted<'a>>, Box<Difference>),
    /// A person must decide.
    Refused(Box<Refused>),
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
    /// The revisions cannot show who asks for them, or why.
    #[error("the reason and who asks for it are printed: {0}")]
    NotPrintable(#[from] NotPrintable),
    /// Ids that were named but are not in the register.
    #[error(transparent)]
    UnknownDealerships(#[from] UnknownDealerships),
    /// The month could not be counted again.
    #[error(transparent)]
    Recount(#[from] RecountError),
    /// The report to finance could not be made.
    #[error(transparent)]
    Handover(#[from] HandoverError),
    /// What a group gets could not be made.
    #[error(transparent)]
    GroupBill(#[from] GroupBillError),
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
    progress: impl Fn(Progress) + Clone + Send + Sync + 'static,
) -> Result<RerunReport, RerunError> {
    must_be_printable(&options.reason)?;
    must_be_printable(&options.by)?;
    let month = options.month;
    let (standing, absent) = chosen(office, options).await?;
    let mut decided: Vec<Decided<'_>> =
        absent.into_iter().map(|one| Decided::Refused(Box::new(one))).collect();
    let watch = progress.clone();
    let rows = move |rows| watch(Progress::Counting(rows));
    for recounted in recount(office, source, month, standing, now, rows).await? {
        decided.push(decide(office, options, recounted).await?);
    }
    let plan = plan(options, &decided);
    let mut report = RerunReport {
        month,
        unchanged: 0,
        revised: Vec::new(),
        refused: Vec::new(),
        group_bills: Vec::new(),
        dry_run: options.dry_run,
        is_another_plan: options.plan.as_ref().is_some_and(|wanted| *wanted != plan),
        plan,
        instead: Vec::new(),
        foreseen: Vec::new(),
    };
    let all = decided.len();
    for (done, one) in decided.into_iter().enumerate() {
        progress(Progress::Issuing(done, all));
        carry_out(office, options, one, now, &mut report).await?;
    }
    progress(Progress::Issuing(all, all));
    report.refused.sort_by(|a, b| a.dealership_id.cmp(&b.dealership_id));
    if !options.dry_run && !report.is_another_plan {
        tell_finance(office, month).await?;
        let wanted = Wanted::Replacements;
        report.group_bills = bill_groups(office, month, wanted, &options.by).await?;
    }
    Ok(report)
}

/// What the month would be afterwards, of the dealerships that the rerun is about.
fn plan(options: &RerunOptions, decided: &[Decided<'_>]) -> PlanHash {
    let bills = decided.iter().map(|one| match one {
        Decided::Unchanged(recounted) | Decided::Revised(recounted, _) => planned(recounted),
        Decided::Refused(refused) => {
            let causes = refused.difference.as_ref().map(Difference::causes).unwrap_or_default();
            (refused.dealership_id.as_str(), Planned::refused(causes))
        }
    });
    let named = options.dealerships.as_ref();
    Plan {
        month: options.month,
        selection: named.map(|ids| ids.iter().map(String::as_str).collect()),
        bills: bills.collect(),
        buckets: None,
        exceptions: Vec::new(),
    }
    .hash()
}

fn planned<'a>(recounted: &'a Recounted<'_>) -> (&'a str, Planned) {
    let planned = match &recounted.today {
        Ok(bill) => Planned::of(bill),
        Err(_) => Planned::refused(Vec::new()),
    };
    (recounted.id(), planned)
}

/// The invoices that the rerun is about; named dealerships without one are refused.
async fn chosen(
    office: &Office,
    options: &RerunOptions,
) -> Result<(BTreeMap<String, Invoice>, Vec<Refused>), RerunError> {
    let mut standing = office.ledger.standing_invoices(options.month).await?;
    let mut refused = Vec::new();
    let Some(ids) = &options.dealerships else { return Ok((standing, refused)) };
    let register = office.ledger.dealerships().await?;
    let is_known = |id: &str| register.iter().any(|dealership| dealership.id == id);
    must_be_known(ids.iter().map(String::as_str), is_known)?;
    let ids: BTreeSet<&String> = ids.iter().collect();
    for id in ids.iter().filter(|id| !standing.contains_key(**id)) {
        let month = options.month;
        refused.push(Refused {
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
    Ok((standing, refused))
}

/// Whether one invoice is revised, or why not.
async fn decide<'a>(
    office: &Office,
    options: &RerunOptions,
    recounted: Recounted<'a>,
) -> Result<Decided<'a>, RerunError> {
    let number = recounted.invoice.number;
    let id = recounted.id().to_owned();
    let refused = |difference, accept, reason| {
        let number = Some(number);
        let refused = Refused { number, dealership_id: id.clone(), difference, accept, reason };
        Ok(Decided::Refused(Box::new(refused)))
    };
    let (difference, left_from) = match find(office, &recounted).await? {
        Found::Same => return Ok(Decided::Unchanged(Box::new(recounted))),
        Found::Stuck(difference, stuck) => {
            return refused(difference, Vec::new(), stuck.in_words(number, options.month));
        }
        Found::Differs { difference, left_from } => (difference, left_from),
    };
    if let Some(left_from) = left_from
        && !options.accept.covers(&id, Cause::Loss)
    {
        return refused(Some(difference), vec![Cause::Loss], partly_purged(number, left_from));
    }
    let is_open = |cause: &Cause| !cause.goes_by_itself() && !options.accept.covers(&id, *cause);
    let accept: Vec<Cause> = difference.causes().into_iter().filter(is_open).collect();
    if accept.is_empty() {
        return Ok(Decided::Revised(Box::new(recounted), Box::new(difference)));
    }
    let names: Vec<&str> = accept.iter().map(|cause| cause.key()).collect();
    let reason = format!("look at the difference and accept it with --accept {}", names.join(","));
    refused(Some(difference), accept, reason)
}

/// Issues what was decided, unless it is only shown.
async fn carry_out(
    office: &Office,
    options: &RerunOptions,
    decided: Decided<'_>,
    now: DateTime<Utc>,
    report: &mut RerunReport,
) -> Result<(), RerunError> {
    let (recounted, difference) = match decided {
        Decided::Unchanged(_) => {
            report.unchanged += 1;
            return Ok(());
        }
        Decided::Refused(refused) => {
            report.refused.push(*refused);
            return Ok(());
        }
        Decided::Revised(recounted, difference) => (recounted, *difference),
    };
    let (number, revision) = (recounted.invoice.number, recounted.invoice.revision + 1);
    let dealership_id = recounted.id().to_owned();
    if options.dry_run {
        report.foreseen.extend(foreseen(office, options, &recounted, now));
    } else if report.is_another_plan {
        report.instead.push(Revised { number, revision, dealership_id, difference });
        return Ok(());
    } else if let Err(reason) = issue(office, options, &recounted, &difference).await? {
        let (number, accept) = (Some(number), Vec::new());
        let difference = Some(difference);
        report.refused.push(Refused { number, dealership_id, difference, accept, reason });
        return Ok(());
    }
    report.revised.push(Revised { number, revision, dealership_id, difference });
    Ok(())
}

/// The revision as it would be issued now.
fn foreseen(
    office: &Office,
    options: &RerunOptions,
    recounted: &Recounted<'_>,
    now: DateTime<Utc>,
) -> Option<Invoice> {
    let (bill, before) = (recounted.today.as_ref().ok()?, &recounted.invoice);
    let heading = Heading {
        number: before.number,
        replaces: Some(Replacement {
            revision: before.revision,
            total: before.total(),
            reason: options.reason.clone(),
            by: options.by.clone(),
            paid: Money::ZERO,
        }),
        evidence_sha256: String::new(),
        evidence_ids: IdVersion::NEWEST,
        issued_at: now,
    };
    Some(bill.invoice(office.config.terms(), heading))
}

fn partly_purged(number: Number, left_from: DateTime<Utc>) -> String {
    format!(
        "its messages before {} are not in the message database any more (deleted by retention?): {number} and its evidence stay as issued. Restore the messages to count again; --accept loss bills only what is left",
        left_from.format("%Y-%m-%d %H:%M UTC")
    )
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
