//! What a table does not say by itself: whoever imports it must know what is missing.

use std::fmt;

use super::{Layout, omie};
use crate::ledger::listing::Listed;
use fecha_core::bill::invoice::InvoiceState;
use fecha_core::price::money::Money;

/// Something to know of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// Void numbers, which are not in it.
    Cancelled(Vec<String>),
    /// Invoices of R$ 0,00, which are not in it.
    NothingToReceive(Vec<String>),
    /// Revisions: what they replace may have been imported before.
    Revised(Vec<String>),
    /// More rows than Omie's sheet has.
    TooManyForOmie(usize),
}

/// So many invoices are named.
const NAMED: usize = 10;

pub(super) fn notes(layout: Layout<'_>, invoices: &[Listed]) -> Vec<Note> {
    if layout == Layout::Plain {
        return Vec::new();
    }
    let stands = |invoice: &Listed| invoice.state == InvoiceState::Issued;
    let is_nothing = |invoice: &Listed| invoice.figures.total == Money::ZERO;
    let leaves_out = matches!(layout, Layout::ContaAzul | Layout::Omie);
    let labels = |wanted: &dyn Fn(&Listed) -> bool| -> Vec<String> {
        invoices.iter().filter(|invoice| wanted(invoice)).map(Listed::label).collect()
    };
    let is_cancelled = |invoice: &Listed| invoice.state == InvoiceState::Cancelled;
    let cancelled = labels(&is_cancelled);
    let nothing = labels(&|invoice| leaves_out && stands(invoice) && is_nothing(invoice));
    let revised = labels(&|invoice| stands(invoice) && invoice.revision > 0);
    let rows = labels(&|invoice| stands(invoice) && !is_nothing(invoice)).len();
    let mut notes = Vec::new();
    let lists = [
        (Note::Cancelled as fn(Vec<String>) -> Note, cancelled),
        (Note::NothingToReceive, nothing),
        (Note::Revised, revised),
    ];
    notes.extend(lists.into_iter().filter(|(_, of)| !of.is_empty()).map(|(note, of)| note(of)));
    if layout == Layout::Omie && rows > omie::ROWS {
        notes.push(Note::TooManyForOmie(rows));
    }
    notes
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cancelled(labels) => write!(
                f,
                "not in the table, since cancelled: {}; where they were imported before, take them out of the ERP",
                in_a_row(labels)
            ),
            Self::NothingToReceive(labels) => write!(
                f,
                "not in the table, since there is nothing to receive (R$ 0,00): {}",
                in_a_row(labels)
            ),
            Self::Revised(labels) => write!(
                f,
                "revised: {}; where an earlier revision was imported, take that out of the ERP",
                in_a_row(labels)
            ),
            Self::TooManyForOmie(rows) => write!(
                f,
                "the table has {rows} rows, and Omie's sheet takes {}: write it month by month",
                omie::ROWS
            ),
        }
    }
}

fn in_a_row(labels: &[String]) -> String {
    let named = labels.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
    match labels.len().saturating_sub(NAMED) {
        0 => named,
        more => format!("{named} and {more} more"),
    }
}
