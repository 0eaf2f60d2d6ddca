//! Invoices as a table for spreadsheets and ERPs in Brazil: `fecha invoices --csv`, and the console.
//!
//! Semicolons, decimal commas, days as `10/11/2026`, lines ended by CR LF, and UTF-8 with a byte order
//! mark: without it Excel reads the accents wrongly. An ERP that minds the mark takes the file from
//! `fecha invoices --csv | tail -c +4`. docs/erp.md has every column, and where it was read.

mod cells;
mod conta_azul;
mod note;
mod omie;
mod own;
mod plain;
mod receivable;

use crate::ledger::LedgerError;
use crate::ledger::listing::Listed;
use crate::setup::config::Config;
use crate::setup::layout::{self, WrongColumn};
use crate::setup::office::Office;
use fecha_core::bill::invoice::InvoiceState;
use fecha_core::price::money::Money;

pub use self::note::Note;

/// Which table is made of invoices.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Layout<'a> {
    /// All that lists show.
    Plain,
    /// The sheet by which Conta Azul takes financial entries.
    ContaAzul,
    /// The sheet by which Omie takes receivables.
    Omie,
    /// One of the configuration.
    Own(&'a layout::Layout),
}

/// A table as a file, and what a person must know of it.
#[derive(Debug)]
pub struct Table {
    /// The file.
    pub bytes: Vec<u8>,
    /// What is not in it, or is to be looked after in the ERP.
    pub notes: Vec<Note>,
}

/// A table cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum ErpError {
    /// There is no such layout.
    #[error(
        "there is no layout '{wanted}': there are {known}; one of your own is [layouts.{wanted}] in the configuration (docs/erp.md)"
    )]
    UnknownLayout {
        /// What was asked for.
        wanted: String,
        /// Those that there are, in a row.
        known: String,
    },
    /// An ERP books what is to be received, and nobody owes a superseded revision.
    #[error(
        "the layout {0} has invoices that stand alone, since an ERP would book a superseded revision too: leave --all-revisions out, or take --layout plain, which marks them in its column situacao"
    )]
    AllRevisions(String),
    /// Omie takes no row without it.
    #[error(
        "the layout omie needs the name of your {what} in Omie: write in the configuration, under [erp], for example {key} = \"{example}\""
    )]
    Unnamed {
        /// What it is.
        what: &'static str,
        /// Its key in `[erp]`.
        key: &'static str,
        /// What to write.
        example: &'static str,
    },
    /// An expression fails on an invoice.
    #[error("invoice {invoice}: [layouts.{layout}] columns: {source}")]
    Column {
        /// Which invoice.
        invoice: String,
        /// Which layout.
        layout: String,
        /// Which column, and why.
        source: WrongColumn,
    },
    /// windows-1252 is a few letters of Europe's west.
    #[error(
        "line {line} of the table has the letter '{letter}', which windows-1252 lacks: write encoding = \"utf-8\" in the layout, or replace the letter in the column"
    )]
    NoSuchLetter {
        /// The line, with the heading.
        line: usize,
        /// The first such letter in it.
        letter: char,
    },
    /// A revision, a payment or a cancellation came between two reads.
    #[error("{0} was changed while the table was made: run the command again")]
    Changed(String),
    /// Memory ran out.
    #[error("the table cannot be written: {0}")]
    Csv(#[from] csv::Error),
    /// The ledger failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

impl<'a> Layout<'a> {
    /// The layout of this name.
    ///
    /// # Errors
    /// [`ErpError::UnknownLayout`], which names those that there are.
    pub fn named(config: &'a Config, name: &str) -> Result<Self, ErpError> {
        let by_itself = [Self::Plain, Self::ContaAzul, Self::Omie];
        let known = by_itself.into_iter().find(|layout| layout.name() == name);
        let own = || config.layouts.get(name).map(Self::Own);
        known.or_else(own).ok_or_else(|| ErpError::UnknownLayout {
            wanted: name.to_owned(),
            known: names(config).join(", "),
        })
    }

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'a str {
        match self {
            Self::Plain => "plain",
            Self::ContaAzul => "conta-azul",
            Self::Omie => "omie",
            Self::Own(layout) => &layout.name,
        }
    }

    /// Whether revisions that do not stand may be in it.
    ///
    /// # Errors
    /// [`ErpError::AllRevisions`] where they may not.
    pub fn takes_all_revisions(self) -> Result<(), ErpError> {
        match self {
            Self::Plain => Ok(()),
            Self::ContaAzul | Self::Omie | Self::Own(_) => {
                Err(ErpError::AllRevisions(self.name().to_owned()))
            }
        }
    }
}

/// The names of all layouts, fecha's own first.
#[must_use]
pub fn names(config: &Config) -> Vec<&str> {
    let by_itself = [Layout::Plain, Layout::ContaAzul, Layout::Omie].map(Layout::name);
    by_itself.into_iter().chain(config.layouts.keys().map(String::as_str)).collect()
}

/// The table of these invoices, header first. All layouts but the plain one have those alone that stand; the
/// sheets of Conta Azul and Omie none without anything to receive.
///
/// # Errors
/// [`ErpError`].
pub async fn table(
    office: &Office,
    layout: Layout<'_>,
    invoices: &[Listed],
) -> Result<Table, ErpError> {
    let is_standing = |invoice: &&Listed| invoice.state == InvoiceState::Issued;
    let standing: Vec<&Listed> = invoices.iter().filter(is_standing).collect();
    let is_asked = |invoice: &&Listed| invoice.figures.total != Money::ZERO;
    let asked = || standing.iter().copied().filter(is_asked).collect::<Vec<_>>();
    let erp = &office.config.erp;
    let bytes = match layout {
        Layout::Plain => plain::table(invoices)?,
        Layout::ContaAzul => {
            conta_azul::table(erp, &receivable::read(&office.ledger, asked()).await?)?
        }
        Layout::Omie => omie::table(erp, &receivable::read(&office.ledger, asked()).await?)?,
        Layout::Own(own) => own::table(office, own, &standing).await?,
    };
    Ok(Table { bytes, notes: note::notes(layout, invoices) })
}
