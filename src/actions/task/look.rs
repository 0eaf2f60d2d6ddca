//! What would be issued of a month that is not held, as somebody counted it to read it first.

use std::collections::BTreeSet;

use super::Outcome;
use crate::ledger::invoices::Filter;
use crate::ledger::tasks::Task;
use crate::ledger::{Ledger, LedgerError};
use fecha_core::bill::digest::DigestRow;
use fecha_core::bill::hold::Held;
use fecha_core::bill::invoice::InvoiceState;
use fecha_core::calendar::month::Month;

/// The plan that the next release of a month is bound to, where it is not held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// What would be issued.
    pub plan: Held,
    /// What was read before, where a release came to this one in its place.
    pub before: Option<Held>,
    /// Who has an invoice of the month by now.
    pub invoiced: BTreeSet<String>,
}

impl Look {
    /// What of it was not issued since.
    pub fn left(&self) -> impl Iterator<Item = &DigestRow> {
        let is_left = |row: &&DigestRow| !self.invoiced.contains(&row.dealership_id);
        self.plan.digest.invoices.iter().filter(is_left)
    }
}

/// What somebody looked at last, or what a release came to in its place; `None` where nobody has looked since the last
/// release, and where all of it was issued since.
///
/// # Errors
/// [`LedgerError`] where the ledger cannot be read.
pub async fn latest_look(ledger: &Ledger, month: Month) -> Result<Option<Look>, LedgerError> {
    let looked = ledger.latest_done(month, "look").await?;
    let released = ledger.latest_done(month, "release").await?;
    // Ids sort by time of asking, and one is carried out after the other.
    let asked = |task: &Option<Task>| task.as_ref().map(|task| task.id.to_string());
    let is_released_since = asked(&released) > asked(&looked);
    let seen = looked.as_ref().map(plan_of).transpose()?.flatten();
    let (plan, before) = if is_released_since {
        (released.as_ref().map(plan_of).transpose()?.flatten(), seen)
    } else {
        (seen, None)
    };
    let Some(plan) = plan else { return Ok(None) };
    let filter = Filter { month: Some(month), ..Filter::default() };
    let mut invoiced = ledger.listed(filter).await?;
    invoiced.retain(|one| one.state == InvoiceState::Issued);
    let invoiced = invoiced.into_iter().map(|one| one.dealership_id).collect();
    let look = Look { plan, before, invoiced };
    let is_spent = !look.plan.digest.invoices.is_empty() && look.left().next().is_none();
    Ok((!is_spent).then_some(look))
}

/// What a task came to that would be issued.
fn plan_of(task: &Task) -> Result<Option<Held>, LedgerError> {
    Ok(match Outcome::of(task)? {
        Some(Outcome::Looked(look)) => look.map(|look| *look),
        Some(Outcome::Closed(closed)) => closed.instead.map(|look| *look),
        _ => None,
    })
}
