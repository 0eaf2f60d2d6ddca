//! What a person asks for and the daemon carries out: a row of the ledger, so that it outlives a closed tab, a
//! killed daemon and a change of leaders, runs once, and is watched by anybody.

mod carry_out;
mod look;
mod outcome;

use serde::{Deserialize, Serialize};

pub use self::carry_out::{TaskError, Tools, carry_out};
pub use self::look::{Look, latest_look};
pub use self::outcome::{
    ClosedMonth, Outcome, PreviewedDealership, PreviewedMonth, Rerun, RerunRow, SimulatedDealership,
};
use crate::actions::rerun::Accepted;
use crate::document::{NotPrintable, must_be_printable};
use crate::ledger::LedgerError;
use crate::ledger::closing::MonthState;
use crate::ledger::tasks::{Asked, NewTask, Task, TaskId};
use crate::setup::office::Office;
use fecha_core::bill::plan::PlanHash;
use fecha_core::calendar::month::Month;
use fecha_core::price::table::PriceTable;

/// What is asked for; the ledger keeps it as JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "of", rename_all = "snake_case")]
pub enum Wish {
    /// Count a month that has ended and show what would be issued of it; issues nothing. A close that was asked for of
    /// an earlier fecha is one: nobody had read what it would issue.
    #[serde(alias = "close")]
    Look {
        /// Which.
        month: Month,
    },
    /// Close a month by the plan that was read and no other: one that is held, or that was looked at.
    Release {
        /// Which month.
        month: Month,
        /// What was read.
        plan: PlanHash,
        /// Why, for the audit log.
        reason: String,
    },
    /// Count a month again and say what would be otherwise; issues nothing.
    Compare {
        /// Which month.
        month: Month,
    },
    /// Issue revisions, by the plan that was read and no other.
    Rerun {
        /// Of which month.
        month: Month,
        /// What was read.
        plan: PlanHash,
        /// What a person accepts.
        accept: Accepted,
        /// Whose.
        dealerships: Vec<String>,
        /// Why, as the invoices print it.
        reason: String,
    },
    /// Say what a month would cost now and at its end; issues nothing.
    Preview {
        /// Which month.
        month: Month,
    },
    /// Import files of the register, where that still changes what was shown.
    Import {
        /// The id of the upload, where there is that file.
        dealerships: Option<String>,
        /// The same.
        contracts: Option<String>,
        /// The same.
        numbers: Option<String>,
        /// Whether ids that are alike were accepted.
        accept_twins: bool,
        /// What was shown: nothing else is imported.
        plan: PlanHash,
    },
    /// What other prices would have billed.
    Simulate {
        /// The prices: as in `[[prices]]`.
        tables: Vec<PriceTable>,
        /// The first month.
        from: Month,
        /// The last month.
        to: Month,
    },
}

impl Wish {
    /// The word for its kind, in the ledger.
    #[must_use]
    pub fn key(&self) -> &'static str {
        match self {
            Self::Look { .. } => "look",
            Self::Release { .. } => "release",
            Self::Compare { .. } => "compare",
            Self::Rerun { .. } => "rerun",
            Self::Preview { .. } => "preview",
            Self::Import { .. } => "import",
            Self::Simulate { .. } => "simulate",
        }
    }

    /// The month that it is about; of one kind and month one task is unfinished at a time.
    #[must_use]
    pub fn month(&self) -> Option<Month> {
        match self {
            Self::Look { month }
            | Self::Release { month, .. }
            | Self::Compare { month }
            | Self::Rerun { month, .. }
            | Self::Preview { month } => Some(*month),
            Self::Import { .. } | Self::Simulate { .. } => None,
        }
    }

    /// Whether messages are counted for it: one at a time.
    #[must_use]
    pub fn counts(&self) -> bool {
        !matches!(self, Self::Import { .. } | Self::Simulate { .. })
    }

    /// What a task is for.
    ///
    /// # Errors
    /// [`LedgerError::Corrupt`] where this program did not write it.
    pub fn of(task: &Task) -> Result<Self, LedgerError> {
        serde_json::from_str(&task.wish)
            .map_err(|error| LedgerError::Corrupt(format!("the task {}: {error}", task.id)))
    }
}

/// Who asks.
#[derive(Debug, Clone, Copy)]
pub struct Asker<'a> {
    /// By id; `None` where no person of the console asks.
    pub person: Option<&'a str>,
    /// By name, for the audit log.
    pub name: &'a str,
}

/// Why nothing was asked for.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// The revisions cannot show the reason.
    #[error("the reason is printed: {0}")]
    NotPrintable(#[from] NotPrintable),
    /// Nothing of the month waits for a release (any more).
    #[error(
        "nothing of {month} waits for a release: it was issued, or nobody has looked at what would be"
    )]
    NotHeld {
        /// Which month.
        month: Month,
    },
    /// The month comes to another plan meanwhile.
    #[error("{month} comes to another plan: {plan}. Look at it again")]
    AnotherPlan {
        /// Which month.
        month: Month,
        /// The plan that it is held by, or came to when it was looked at last.
        plan: PlanHash,
    },
    /// Two people are wanted, and this one asked for the plan.
    #[error("{name} asked for this plan: another person releases it ([console] four_eyes)")]
    FourEyes {
        /// Who.
        name: String,
    },
    /// Another task of this kind runs for the month.
    #[error("{by} asked for another one of this month, which is not finished: task {id}")]
    Another {
        /// Who asked.
        by: String,
        /// The task.
        id: TaskId,
    },
    /// The ledger failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// Whether two people are wanted for a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Eyes {
    /// One may ask and release.
    Two,
    /// Who asked for a plan does not release it.
    Four,
}

/// Asks for something; the daemon that leads carries it out. Who asks for the same of a month while that is not
/// finished gets the task that there is.
///
/// # Errors
/// [`AskError`]; nothing is asked for then.
pub async fn ask(
    office: &Office,
    wish: &Wish,
    by: Asker<'_>,
    eyes: Eyes,
) -> Result<Asked, AskError> {
    match wish {
        Wish::Release { month, plan, .. } => may_release(office, *month, plan, by, eyes).await?,
        Wish::Rerun { month, reason, .. } => {
            must_be_printable(reason)?;
            may_rerun(office, *month, by, eyes).await?;
        }
        _ => {}
    }
    let json = serde_json::to_string(wish).map_err(|error| LedgerError::Corrupt(error.to_string()));
    let task = NewTask {
        kind: wish.key(),
        month: wish.month(),
        wish: json?,
        asked_by: by.name,
        person: by.person,
        at: office.clock.now(),
    };
    let asked = office.ledger.ask(task).await?;
    if let Asked::Unfinished(id) = &asked
        && let Some(other) = office.ledger.task(id).await?
        && !is_the_same(wish, &Wish::of(&other)?)
    {
        return Err(AskError::Another { by: other.asked_by, id: id.clone() });
    }
    Ok(asked)
}

/// Whether what is asked for is what is done already: a reason more changes nothing.
fn is_the_same(wish: &Wish, other: &Wish) -> bool {
    match (wish, other) {
        (Wish::Release { plan, .. }, Wish::Release { plan: other, .. })
        | (Wish::Rerun { plan, .. }, Wish::Rerun { plan: other, .. }) => plan == other,
        (wish, other) => wish == other,
    }
}

/// Whether this person may have issued what a comparison of the month came to: who asked for it may not, where two
/// people are wanted.
async fn may_rerun(
    office: &Office,
    month: Month,
    by: Asker<'_>,
    eyes: Eyes,
) -> Result<(), AskError> {
    let (Eyes::Four, Some(person)) = (eyes, by.person) else { return Ok(()) };
    let compared = office.ledger.latest_done(month, "compare").await?;
    match compared {
        Some(task) if task.person.as_deref() == Some(person) => {
            Err(AskError::FourEyes { name: task.asked_by })
        }
        _ => Ok(()),
    }
}

/// Whether this person may release this plan of the month, now.
async fn may_release(
    office: &Office,
    month: Month,
    plan: &PlanHash,
    by: Asker<'_>,
    eyes: Eyes,
) -> Result<(), AskError> {
    let waits_by = waits_by(office, month).await?.ok_or(AskError::NotHeld { month })?;
    if waits_by != *plan {
        return Err(AskError::AnotherPlan { month, plan: waits_by });
    }
    let (Eyes::Four, Some(person)) = (eyes, by.person) else { return Ok(()) };
    let now = office.clock.now();
    let review = office.ledger.ask_for_plan(month, plan, person, by.name, now).await?;
    if review.person == person {
        return Err(AskError::FourEyes { name: review.asked_by });
    }
    Ok(())
}

/// The plan that a month may be released by: the one that it is held by, or that it came to when somebody looked at it.
async fn waits_by(office: &Office, month: Month) -> Result<Option<PlanHash>, LedgerError> {
    let ledger = &office.ledger;
    let state = ledger.closing(month).await?.map(|closing| closing.state);
    if state == Some(MonthState::Held) {
        return Ok(ledger.last_hold(month).await?.map(|last| last.plan));
    }
    let look = latest_look(ledger, month).await?;
    // A month that is open is closed by an empty plan too; of one that is closed nothing is left to do.
    let is_left = |look: &Look| state != Some(MonthState::Closed) || look.left().next().is_some();
    Ok(look.filter(is_left).map(|look| look.plan.plan))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_close_that_an_earlier_fecha_was_asked_for_is_a_look() {
        let wish = r#"{"kind":"close","of":{"month":"2026-10"}}"#;
        let look = Wish::Look { month: "2026-10".parse().unwrap() };
        assert_eq!(serde_json::from_str::<Wish>(wish).unwrap(), look);
    }
}
