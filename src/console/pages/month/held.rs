//! A month that is held: what a person reads, and then releases.

use serde::Serialize;

use super::forms::Refused;
use super::plan::{Beside, Plan, Release};
use super::{Asked, Head, standing_beside};
use crate::console::{Console, Oops, Page, Section, Signed};
use crate::ledger::closing::Closing;

#[derive(Debug, Serialize)]
struct HeldPage {
    head: Head,
    plan: Plan,
}

/// The page.
pub(super) async fn page(
    console: &Console,
    signed: &Signed,
    head: Head,
    closing: &Closing,
    asked: &Asked,
    refused: Option<Refused>,
) -> Result<Page, Oops> {
    let (ledger, month) = (&console.office.ledger, head.month);
    let Some(last) = ledger.last_hold(month).await? else {
        return super::running::page(console, signed, head, Some(closing), asked, refused).await;
    };
    let waiting = ledger.held(month, last.sequence).await?;
    let held_before = match last.sequence {
        1 => None,
        sequence => Some(ledger.held(month, sequence - 1).await?),
    };
    let release = Release::of(console, signed, &head, &waiting.plan).await?;
    let (stands, before) = standing_beside(console, month).await?;
    let beside = Beside { last: held_before.as_ref(), before: &before, stands: &stands };
    let plan = Plan::of(&head, &waiting, beside, asked, release, refused);
    let title = format!("{} · retido", head.title);
    let is_refused = !plan.error.is_empty();
    let view = HeldPage { head, plan };
    let page = console.page(signed, Section::Months, &title, "month_held.html", &view).await?;
    Ok(if is_refused { page.refused() } else { page })
}
