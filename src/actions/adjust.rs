//! Credits and charges on a dealership's next invoice: entered, taken back, listed.

use crate::ledger::LedgerError;
use crate::ledger::adjustments::NewAdjustment;
use crate::ledger::audit::{Action, Deed};
use crate::setup::office::Office;
use fecha_core::account::adjustment::{Adjustment, AdjustmentState};
use fecha_core::party::register::{UnknownDealerships, must_be_known};
use fecha_core::price::money::Money;

/// Nothing was entered or taken back.
#[derive(Debug, thiserror::Error)]
pub enum AdjustError {
    /// The amount is zero.
    #[error("an amount of zero adjusts nothing: give a credit below zero or a charge above it")]
    Zero,
    /// The dealership that it is for.
    #[error("{}", .0.of_one())]
    UnknownDealership(#[from] UnknownDealerships),
    /// There is no adjustment of this id.
    #[error("there is no adjustment {0}: `fecha adjust` lists all")]
    Unknown(i64),
    /// An invoice carries it, or it was taken back.
    #[error("adjustment {id} is {state}: enter one of the opposite amount instead")]
    NotWaiting {
        /// Which.
        id: i64,
        /// Where it stands.
        state: AdjustmentState,
    },
    /// The ledger failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// Enters a credit or charge; its id. The first invoice that is issued for its month or a later one
/// carries it, or a revision of its month.
///
/// # Errors
/// [`AdjustError`]; nothing was entered then.
pub async fn enter(office: &Office, new: &NewAdjustment<'_>) -> Result<i64, AdjustError> {
    if new.amount == Money::ZERO {
        return Err(AdjustError::Zero);
    }
    let known = office.ledger.dealership(new.dealership_id).await?.is_some();
    must_be_known([new.dealership_id], |_| known)?;
    let detail = format!("{}: {}", new.amount, new.description);
    let deed = Deed {
        at: office.clock.now(),
        actor: new.by,
        action: Action::Adjust,
        month: Some(new.month),
        dealership_id: Some(new.dealership_id),
        detail: &detail,
    };
    Ok(office.ledger.add_adjustment(new, &deed).await?)
}

/// Takes back an adjustment that no invoice carries yet.
///
/// # Errors
/// [`AdjustError`]; it stays as it is then.
pub async fn take_back(office: &Office, id: i64, by: &str) -> Result<(), AdjustError> {
    let adjustment = office.ledger.adjustment(id).await?.ok_or(AdjustError::Unknown(id))?;
    let detail = format!("adjustment {id} taken back: {}", adjustment.amount);
    let deed = Deed {
        at: office.clock.now(),
        actor: by,
        action: Action::Adjust,
        month: Some(adjustment.month),
        dealership_id: Some(&adjustment.dealership_id),
        detail: &detail,
    };
    if office.ledger.cancel_adjustment(id, &deed).await? {
        return Ok(());
    }
    // Read again: an invoice may have taken it since.
    let now = office.ledger.adjustment(id).await?.unwrap_or(adjustment);
    Err(AdjustError::NotWaiting { id, state: now.state() })
}

/// All adjustments, by id; each is its own JSON.
///
/// # Errors
/// [`LedgerError`] where the ledger cannot be read.
pub async fn list(office: &Office) -> Result<Vec<Adjustment>, LedgerError> {
    office.ledger.adjustments().await
}
