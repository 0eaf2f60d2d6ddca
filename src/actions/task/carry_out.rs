//! Carries out what was asked for. Each kind can be begun anew wherever it was broken off: a release and a rerun go
//! on by their plan, the others issue nothing.

use crate::actions::close::{
    CloseError, CloseOptions, Progress, Release, awaits_approval, close_month,
};
use crate::actions::compare::compare_month;
use crate::actions::import::{ImportError, import, try_out};
use crate::actions::preview::preview_month;
use crate::actions::recount::RecountError;
use crate::actions::rerun::{RerunError, RerunOptions, rerun_month};
use crate::actions::simulate::{SimulateError, simulate};
use crate::actions::task::outcome::{Outcome, PreviewedMonth, SimulatedDealership};
use crate::actions::task::{Asker, Wish};
use crate::ledger::LedgerError;
use crate::ledger::uploads::{Upload, UploadKind};
use crate::messages::Sources;
use crate::setup::office::Office;
use crate::setup::register::plan::{Alike, File, Files};
use fecha_core::bill::plan::PlanHash;
use fecha_core::calendar::month::Month;
use fecha_core::price::table::{PriceTable, Prices};

/// What a task is carried out with.
#[derive(Debug, Clone, Copy)]
pub struct Tools<'a> {
    /// With the ledger of who leads, on behalf of who asked.
    pub office: &'a Office,
    /// The messages.
    pub source: &'a Sources,
}

/// A task could not be carried out.
#[derive(Debug, thiserror::Error)]
pub enum TaskError {
    /// A look or a release.
    #[error(transparent)]
    Close(#[from] CloseError),
    /// A rerun.
    #[error(transparent)]
    Rerun(#[from] RerunError),
    /// A comparison.
    #[error(transparent)]
    Recount(#[from] RecountError),
    /// A simulation.
    #[error(transparent)]
    Simulate(#[from] SimulateError),
    /// The ledger failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// A file that was sent in is not there any more.
    #[error("the file that was sent is not kept any more: send it again")]
    NoUpload,
}

impl TaskError {
    /// What of it is the ledger's.
    #[must_use]
    pub fn ledger(&self) -> Option<&LedgerError> {
        match self {
            Self::Ledger(error)
            | Self::Close(CloseError::Ledger(error))
            | Self::Recount(RecountError::Ledger(error))
            | Self::Rerun(RerunError::Recount(RecountError::Ledger(error)))
            | Self::Simulate(SimulateError::Ledger(error)) => Some(error),
            _ => None,
        }
    }

    /// Whether the same may work later, unchanged.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Close(error) => error.is_unreachable(),
            Self::Rerun(RerunError::Recount(error)) | Self::Recount(error) => match error {
                RecountError::Source(error) => error.is_unreachable(),
                RecountError::Ledger(error) => error.is_unreachable(),
                RecountError::NoPrice(_) => false,
            },
            other => other.ledger().is_some_and(LedgerError::is_unreachable),
        }
    }
}

/// Carries out a wish; what came of it may be that nothing was issued, and why.
///
/// # Errors
/// [`TaskError`].
pub async fn carry_out(
    tools: Tools<'_>,
    wish: &Wish,
    by: Asker<'_>,
    progress: impl Fn(Progress) + Clone + Send + Sync + 'static,
) -> Result<Outcome, TaskError> {
    let Tools { office, source } = tools;
    let now = office.clock.now();
    match wish {
        Wish::Look { month } => {
            let options = CloseOptions {
                month: Some(*month),
                release: Release::Look,
                awaits_approval: awaits_approval(office, *month).await?,
                ..CloseOptions::default()
            };
            let report = close_month(office, source, &options, now, progress).await?;
            if let (Some(plan), Some(person)) = (&report.plan, by.person) {
                office.ledger.ask_for_plan(*month, plan, person, by.name, now).await?;
            }
            Ok(Outcome::Looked(report.look))
        }
        Wish::Release { month, plan, reason } => {
            let options = releasing(office, *month, plan, reason).await?;
            let report = close_month(office, source, &options, now, progress).await?;
            Ok(Outcome::Closed((&report).into()))
        }
        Wish::Compare { month } => {
            let rows = move |rows| progress(Progress::Counting(rows));
            Ok(Outcome::Compared(compare_month(office, source, *month, now, rows).await?))
        }
        Wish::Rerun { month, plan, accept, dealerships, reason } => {
            let options = RerunOptions {
                month: *month,
                dealerships: Some(dealerships.clone()),
                reason: reason.clone(),
                by: by.name.to_owned(),
                dry_run: false,
                accept: accept.clone(),
                plan: Some(plan.clone()),
            };
            let report = rerun_month(office, source, &options, now, progress).await?;
            Ok(Outcome::Rerun((&report).into()))
        }
        Wish::Preview { month } => {
            let rows = move |rows| progress(Progress::Counting(rows));
            let preview = preview_month(office, source, *month, &[], now, rows).await?;
            Ok(Outcome::Previewed(PreviewedMonth::of(*month, now, preview)))
        }
        Wish::Import { dealerships, contracts, numbers, accept_twins, plan } => {
            let files = [dealerships, contracts, numbers].map(Option::as_deref);
            import_files(office, files, *accept_twins, plan, by).await
        }
        Wish::Simulate { tables, from, to } => simulated(office, tables, *from, *to).await,
    }
}

/// A close by this plan, or none.
async fn releasing(
    office: &Office,
    month: Month,
    plan: &PlanHash,
    reason: &str,
) -> Result<CloseOptions, LedgerError> {
    Ok(CloseOptions {
        month: Some(month),
        release: Release::Plan(plan.clone()),
        // Not stopped by it, but what the month waited for is said in the audit log.
        awaits_approval: awaits_approval(office, month).await?,
        reason: Some(reason.to_owned()),
        ..CloseOptions::default()
    })
}

/// Imports files that were sent in, where that still does what was shown.
async fn import_files(
    office: &Office,
    ids: [Option<&str>; 3],
    accept_twins: bool,
    plan: &PlanHash,
    by: Asker<'_>,
) -> Result<Outcome, TaskError> {
    let mut uploads: Vec<Option<Upload>> = Vec::new();
    for id in ids {
        uploads.push(match id {
            None => None,
            Some(id) => {
                let upload = office.ledger.upload(UploadKind::Register, id).await?;
                Some(upload.ok_or(TaskError::NoUpload)?)
            }
        });
    }
    let file = |index: usize| {
        let upload: Option<&Upload> = uploads.get(index)?.as_ref();
        upload.map(|upload| File { name: &upload.name, bytes: &upload.bytes })
    };
    let files = Files { dealerships: file(0), contracts: file(1), numbers: file(2) };
    let alike = if accept_twins { Alike::Accept } else { Alike::Refuse };
    let mut imported = import(office, files, alike, Some(plan), by.name).await;
    if matches!(imported, Err(ImportError::Other(_))) {
        let would = try_out(Some(&office.ledger), &office.config.prices, files, alike).await;
        // What changes nothing any more was done by a try that was interrupted.
        if would.as_ref().is_ok_and(|would| would.changes.is_empty()) {
            imported = would;
        }
    }
    let imported = match imported {
        Ok(imported) => imported,
        Err(ImportError::Other(_)) => return Ok(Outcome::AnotherImport),
        Err(ImportError::Ledger(error)) => return Err(error.into()),
        Err(bad @ ImportError::Bad(_)) => return Ok(Outcome::BadImport(bad.to_string())),
    };
    for upload in uploads.iter().flatten() {
        office.ledger.upload_used(&upload.id, office.clock.now()).await?;
    }
    Ok(Outcome::Imported {
        dealerships: imported.dealerships.rows(),
        contracts: imported.contracts.rows(),
        numbers: imported.numbers.rows(),
    })
}

async fn simulated(
    office: &Office,
    tables: &[PriceTable],
    from: Month,
    to: Month,
) -> Result<Outcome, TaskError> {
    let prices: Prices = tables.iter().cloned().collect();
    let simulated = simulate(&office.ledger, &prices, from, to).await?;
    let of = |(dealership_id, simulated)| SimulatedDealership { dealership_id, simulated };
    Ok(Outcome::Simulated(simulated.into_iter().map(of).collect()))
}
