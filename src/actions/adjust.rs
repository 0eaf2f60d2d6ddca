//! Credits and charges on a dealership's next invoice: entered, taken back, listed.

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::document::{NotPrintable, must_be_printable};
use crate::ledger::LedgerError;
use crate::ledger::account::lock_account;
use crate::ledger::audit::{Action, Deed};
use crate::ledger::notes::{NewNote, OwnedDeed, insert_note, notes_of};
use crate::setup::office::Office;
use fecha_core::account::note::{Note, NoteState};
use fecha_core::bill::invoice::Number;
use fecha_core::calendar::month::Month;
use fecha_core::party::register::{UnknownDealerships, must_be_known};
use fecha_core::price::money::Money;

/// Nothing was entered or taken back.
#[derive(Debug, thiserror::Error)]
pub enum AdjustError {
    /// The amount is zero.
    #[error("an amount of zero adjusts nothing: give a credit below zero or a charge above it")]
    Zero,
    /// Its description would not be printed.
    #[error("--description: {0}")]
    NotPrintable(#[from] NotPrintable),
    /// The dealership that it is for.
    #[error("{}", .0.of_one())]
    UnknownDealership(#[from] UnknownDealerships),
    /// One of this month and amount is entered, and it was not said that this is one more.
    #[error("adjustment {} of {} in {} is entered already, by {}", .0.id, .0.amount.brl(), .0.month, .0.entered_by)]
    Equal(Box<Note>),
    /// There is no adjustment of this id.
    #[error("there is no adjustment {0}: `fecha adjust` lists all")]
    Unknown(i64),
    /// Invoices have all of it, or it was taken back.
    #[error("adjustment {id} is {state}: enter one of the opposite amount instead")]
    NotWaiting {
        /// Which.
        id: i64,
        /// Where it stands.
        state: NoteState,
    },
    /// The ledger failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// A credit or charge as `fecha adjust --json` has it; the keys of 0.1 first.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the keys of spec §2 and §3.4")]
pub struct NoteJson {
    pub id: i64,
    pub dealership_id: String,
    pub month: Month,
    pub amount: Money,
    pub description: String,
    pub entered_by: String,
    pub entered_at: DateTime<Utc>,
    pub rest_of: Option<i64>,
    pub origin: Option<Number>,
    pub number: Option<Number>,
    pub cancelled: bool,
    pub taken: Vec<TakenJson>,
    pub waiting: Money,
    #[serde(skip)]
    pub state: NoteState,
}

/// What an invoice that stands took of it.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the keys of spec §2")]
pub struct TakenJson {
    pub number: Number,
    pub amount: Money,
}

impl NoteJson {
    fn of(note: Note) -> Self {
        let taken = |taking: &fecha_core::account::note::Taking| TakenJson {
            number: taking.number,
            amount: taking.amount,
        };
        Self {
            number: note.first_taker(),
            cancelled: note.state() == NoteState::TakenBack,
            waiting: note.waiting(),
            state: note.state(),
            taken: note.taken.iter().map(taken).collect(),
            id: note.id,
            dealership_id: note.dealership_id,
            month: note.month,
            amount: note.amount,
            description: note.description,
            entered_by: note.entered_by,
            entered_at: note.entered_at,
            rest_of: note.legacy.and_then(|legacy| legacy.rest_of),
            origin: note.legacy.and_then(|legacy| legacy.origin),
        }
    }
}

/// Whether somebody can be asked about a credit or charge that equals another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// Nobody: it is one more.
    Nobody,
    /// Who fills in a form, and the note beside which they said that it is one more.
    Form {
        /// Its id: the latest that equals it.
        beside: Option<i64>,
    },
}

/// Enters a credit or charge; its id. The first invoice that is issued for its month or a later one
/// takes it, or a revision of its month.
///
/// # Errors
/// [`AdjustError`]; nothing was entered then.
pub async fn enter(office: &Office, new: &NewNote<'_>, asked: Asked) -> Result<i64, AdjustError> {
    if new.amount == Money::ZERO {
        return Err(AdjustError::Zero);
    }
    must_be_printable(new.description)?;
    let known = office.ledger.dealership(new.dealership_id).await?.is_some();
    must_be_known([new.dealership_id], |_| known)?;
    let mut transaction = office.ledger.begin().await?;
    lock_account(&mut transaction, new.dealership_id).await?;
    if let Asked::Form { beside } = asked {
        let notes = notes_of(&mut transaction, new.dealership_id).await?;
        let latest = notes.into_iter().rfind(|note| equals(note, new));
        if let Some(note) = latest.filter(|note| Some(note.id) != beside) {
            return Err(AdjustError::Equal(Box::new(note)));
        }
    }
    let id = insert_note(&mut transaction, new, office.clock.now()).await?;
    let detail = format!("{}: {}", new.amount, new.description);
    let deed = Deed {
        at: office.clock.now(),
        actor: new.by,
        action: Action::Adjust,
        month: Some(new.month),
        dealership_id: Some(new.dealership_id),
        detail: &detail,
    };
    deed.write(&mut transaction).await?;
    let failed = LedgerError::while_doing("enter a credit or charge");
    transaction.commit().await.map_err(failed)?;
    Ok(id)
}

/// Whether a note that counts says the same, whatever its words.
fn equals(note: &Note, new: &NewNote<'_>) -> bool {
    let counts = note.counts() && note.state() != NoteState::TakenBack;
    counts && (note.month, note.amount) == (new.month, new.amount)
}

/// Takes back what waits of a credit or charge: how much that was. What invoices took stays taken.
///
/// # Errors
/// [`AdjustError`]; it stays as it is then.
pub async fn take_back(office: &Office, id: i64, by: &str) -> Result<Money, AdjustError> {
    let note = office.ledger.note(id).await?.ok_or(AdjustError::Unknown(id))?;
    let deed = |amount: Money| OwnedDeed {
        at: office.clock.now(),
        actor: by.to_owned(),
        action: Action::Adjust,
        month: Some(note.month),
        dealership_id: note.dealership_id.clone(),
        detail: format!("adjustment {id} taken back: {amount}"),
    };
    if let Some(amount) = office.ledger.take_back_note(&note, deed).await? {
        return Ok(amount);
    }
    // Read again: an invoice may have taken it since.
    let now = office.ledger.note(id).await?.unwrap_or(note);
    Err(AdjustError::NotWaiting { id, state: now.state() })
}

/// All credits and charges, by id; each is its own JSON.
///
/// # Errors
/// [`LedgerError`] where the ledger cannot be read.
pub async fn list(office: &Office) -> Result<Vec<NoteJson>, LedgerError> {
    Ok(office.ledger.notes().await?.into_iter().map(NoteJson::of).collect())
}
