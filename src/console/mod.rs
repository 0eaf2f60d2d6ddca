//! The console: pages and forms for finance and admins, in Portuguese, served by the daemon.
//!
//! A page reads the ledger and shows; a form calls one action, the one that the command line calls, and answers
//! with a redirect. What takes longer than a moment is asked for as a task, which the leading daemon carries out.
//! Every way in is registered in [`ways`], with the role that it takes.

mod access;
mod address;
mod assets;
mod filters;
mod oops;
mod page;
pub mod pages;
mod signed;
mod typed;
pub mod ways;
mod words;

use std::sync::Arc;

use axum::Router;

use self::page::Templates;
pub use self::page::{Done, Page, Section};
pub use self::signed::Signed;
use crate::actions::bell::Bell;
use crate::ledger::{Ledger, LedgerError};
use crate::messages::Sources;
use crate::setup::office::Office;

pub use self::oops::Oops;

/// What the console's pages work with. A copy costs next to nothing.
#[derive(Debug, Clone)]
pub struct Console {
    /// Its own hand on the ledger: no close waits for a connection that a page holds.
    pub office: Office,
    /// The message database.
    pub source: Arc<Sources>,
    /// Wakes the daemon where something is to be done at once.
    pub bell: Bell,
    templates: Arc<Templates>,
}

impl Console {
    /// Opens the console of an office.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be opened once more.
    pub async fn open(office: &Office, source: Sources, bell: Bell) -> Result<Self, LedgerError> {
        let ledger = Ledger::open_for_pages(office.config.ledger_url.as_str()).await?;
        let templates = Arc::new(Templates::new(office.config.issuer.timezone));
        let office = Office { ledger, ..office.clone() };
        Ok(Self { office, source: Arc::new(source), bell, templates })
    }

    /// All that it serves.
    pub fn router(self) -> Router {
        ways::all().router(self)
    }
}
