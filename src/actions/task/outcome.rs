//! What came of a task, for whoever asked; the ledger keeps it as JSON.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::actions::close::CloseReport;
use crate::actions::compare::Compared;
use crate::actions::preview::{MonthPreview, Preview};
use crate::actions::rerun::RerunReport;
use crate::actions::simulate::Simulated;
use crate::ledger::LedgerError;
use crate::ledger::tasks::Task;
use fecha_core::bill::difference::Cause;
use fecha_core::bill::exception::Exception;
use fecha_core::bill::hold::Held;
use fecha_core::bill::invoice::Number;
use fecha_core::bill::plan::PlanHash;
use fecha_core::calendar::month::Month;
use fecha_core::price::money::Money;

/// What came of a task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "of", rename_all = "snake_case")]
pub enum Outcome {
    /// Of a look: what would be issued; `None` where the month is held, whose plan is kept as what it waits by.
    Looked(Option<Box<Held>>),
    /// Of a release.
    Closed(ClosedMonth),
    /// Of a comparison.
    Compared(Compared),
    /// Of a rerun.
    Rerun(Rerun),
    /// Of a preview.
    Previewed(PreviewedMonth),
    /// Of an import: how many rows of each file are in the register now.
    Imported {
        /// Dealerships.
        dealerships: u64,
        /// Contract entries.
        contracts: u64,
        /// Business numbers.
        numbers: u64,
    },
    /// Nothing was imported: it would change something else than what was shown.
    AnotherImport,
    /// Nothing was imported: rows are bad, by the register as it is now.
    BadImport(String),
    /// Of a simulation, by dealership.
    Simulated(Vec<SimulatedDealership>),
}

/// What a release did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClosedMonth {
    /// How many invoices were issued.
    pub issued: usize,
    /// What they come to.
    pub total: Money,
    /// How many dealerships had theirs already.
    pub already_issued: usize,
    /// How many dealerships' month has not ended.
    pub open: usize,
    /// What needs a person.
    pub exceptions: usize,
    /// Why nothing was issued.
    pub held: Option<String>,
    /// Whether that is because the month comes to another plan than the one that was released.
    pub is_another_plan: bool,
    /// The plan that it is held by, or comes to now.
    pub plan: Option<PlanHash>,
    /// What it comes to now, where it is another plan and nothing holds the month.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instead: Option<Box<Held>>,
}

/// What a rerun did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rerun {
    /// How many invoices are the same as before, or were revised by a try that was interrupted.
    pub unchanged: usize,
    /// Those with a new revision; where the plan was another one those that would have one.
    pub revised: Vec<RerunRow>,
    /// Those that were refused: the dealership, and why.
    pub refused: Vec<(String, String)>,
    /// By how much the month changed.
    pub change: Money,
    /// Whether nothing was issued, since the month comes to another plan.
    pub is_another_plan: bool,
}

/// One invoice of a rerun.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RerunRow {
    /// The number.
    pub number: Number,
    /// The new revision.
    pub revision: u32,
    /// Who is invoiced.
    pub dealership_id: String,
    /// The total of the revision before.
    pub before: Option<Money>,
    /// That of the new one.
    pub now: Option<Money>,
    /// Why.
    pub causes: Vec<Cause>,
}

/// A month as of an instant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PreviewedMonth {
    /// Which.
    pub month: Month,
    /// As of when.
    pub at: DateTime<Utc>,
    /// By dealership.
    pub dealerships: Vec<PreviewedDealership>,
    /// What the count leaves to a person.
    pub exceptions: Vec<Exception>,
}

/// A dealership's month as of an instant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PreviewedDealership {
    /// Who.
    pub dealership_id: String,
    /// By name.
    pub name: String,
    /// Contacts included.
    pub package: u64,
    /// Unique active contacts.
    pub uam: u64,
    /// Template messages.
    pub hsm: u64,
    /// What it comes to now.
    pub total: Money,
    /// At the month's end, at the present pace.
    pub projected: Money,
    /// Why it has no price.
    pub no_price: Option<String>,
}

/// A dealership's months under both prices.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SimulatedDealership {
    /// Who.
    pub dealership_id: String,
    /// How much.
    #[serde(flatten)]
    pub simulated: Simulated,
}

impl Outcome {
    /// What came of a task; `None` while nothing has.
    ///
    /// # Errors
    /// [`LedgerError::Corrupt`] where this program did not write it.
    pub fn of(task: &Task) -> Result<Option<Self>, LedgerError> {
        let Some(outcome) = &task.outcome else { return Ok(None) };
        serde_json::from_str(outcome)
            .map(Some)
            .map_err(|error| LedgerError::Corrupt(format!("the task {}: {error}", task.id)))
    }
}

impl From<&CloseReport> for ClosedMonth {
    fn from(report: &CloseReport) -> Self {
        Self {
            issued: report.issued.len(),
            total: report.total(),
            already_issued: report.already_issued,
            open: report.open.len(),
            exceptions: report.exceptions.len(),
            held: report.held.clone(),
            is_another_plan: report.is_another_plan,
            plan: report.plan.clone(),
            instead: report.look.clone(),
        }
    }
}

impl From<&RerunReport> for Rerun {
    fn from(report: &RerunReport) -> Self {
        let revised = if report.is_another_plan { &report.instead } else { &report.revised };
        let rows: Vec<RerunRow> = revised
            .iter()
            .map(|one| RerunRow {
                number: one.number,
                revision: one.revision,
                dealership_id: one.dealership_id.clone(),
                before: one.difference.total.before,
                now: one.difference.total.now,
                causes: one.difference.causes(),
            })
            .collect();
        let change = rows.iter().filter_map(|row| Some(row.now? - row.before?)).sum();
        let refused = report.refused.iter();
        Self {
            unchanged: report.unchanged,
            revised: rows,
            refused: refused.map(|one| (one.dealership_id.clone(), one.reason.clone())).collect(),
            change,
            is_another_plan: report.is_another_plan,
        }
    }
}

impl PreviewedMonth {
    pub(super) fn of(month: Month, at: DateTime<Utc>, preview: MonthPreview<'_>) -> Self {
        let dealership = |one: &Preview<'_>| {
            let (case, now) = (one.case(), one.now());
            PreviewedDealership {
                dealership_id: case.id().to_owned(),
                name: case.dealership.name.clone(),
                package: one.package(),
                uam: now.uam,
                hsm: now.hsm,
                total: now.total,
                projected: one.projected().total,
                no_price: one.no_price(),
            }
        };
        let dealerships = preview.dealerships.iter().map(dealership).collect();
        Self { month, at, dealerships, exceptions: preview.exceptions }
    }
}
