//! What the files of an import do to a register, found without touching it.

use std::collections::{HashMap, HashSet};

use serde::Serialize;

use super::changes::{Becomes, Change, Counts, Entry as _, compare, filled};
use super::reason::{Place, Reason};
use super::{BadRow, BadRows, NumberRow, contracts, dealerships, numbers};
use super::{write_contracts, write_dealerships, write_numbers};
use crate::document::must_be_printable;
pub use crate::ledger::register::Register;
use fecha_core::bill::plan::PlanHash;
use fecha_core::party::invisible::{is_invisible, without_invisible};
use fecha_core::party::numbers::{NumberEntry, Numbers, Overlap};
use fecha_core::party::register::Dealership;
use fecha_core::party::twins::{Twin, twins};
use fecha_core::price::contract::ContractEntry;
use fecha_core::price::table::Prices;

/// A file of the register, as it was read.
#[derive(Debug, Clone, Copy)]
pub struct File<'a> {
    /// As its bad rows are to name it.
    pub name: &'a str,
    /// What stands in it.
    pub bytes: &'a [u8],
}

/// The files of one import.
#[derive(Debug, Clone, Copy, Default)]
#[expect(missing_docs, reason = "each is the file that it is named for")]
pub struct Files<'a> {
    pub dealerships: Option<File<'a>>,
    pub contracts: Option<File<'a>>,
    pub numbers: Option<File<'a>>,
}

/// What becomes of an id that may be another dealership's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alike {
    /// It is refused: twins get two invoices.
    Refuse,
    /// A person said that they are two.
    Accept,
}

/// An id of the file that may be another dealership's, and was accepted; one entry of its JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "said by their names")]
pub struct AcceptedTwin {
    pub dealership_id: String,
    pub like: String,
}

impl AcceptedTwin {
    fn of(twin: &Twin<'_>) -> Self {
        Self { dealership_id: twin.new.to_owned(), like: twin.like.to_owned() }
    }
}

/// A dealership that the file does not name; one entry of its JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "as in the register")]
pub struct NotInFile {
    pub dealership_id: String,
    pub name: String,
}

/// What an import does; its JSON.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Import {
    /// Contract entries.
    pub contracts: Counts,
    /// Dealerships.
    pub dealerships: Counts,
    /// Whose numbers are.
    pub numbers: Counts,
    /// Whether it is only said.
    pub dry_run: bool,
    /// Of what is only said: an import that is given this hash does that or nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan: Option<PlanHash>,
    /// Each row that is not left as it is.
    pub changes: Vec<Change>,
    /// Dealerships that stay as they are, since the file does not name them.
    pub not_in_file: Vec<NotInFile>,
    /// Ids that are alike and were accepted.
    pub twins: Vec<AcceptedTwin>,
    /// What is to be fixed though it was imported: letters that no document prints, ids with hidden marks.
    pub warnings: Vec<BadRow>,
}

/// What is to be written, and what is said of it.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// What is said.
    pub import: Import,
    /// Rows that are added or updated.
    pub written: Register,
    /// Rows that are removed.
    pub removed: Vec<NumberEntry>,
}

impl Plan {
    /// Binds an import to what was shown: each row as it would be written, what of it changes, who is accepted as
    /// a twin. What is left as it is is no part of it.
    #[must_use]
    pub fn hash(&self) -> PlanHash {
        let Self { import, written, removed } = self;
        let Register { dealerships, contracts, numbers } = written;
        let files = [
            write_dealerships(dealerships),
            write_contracts(contracts),
            write_numbers(numbers),
            write_numbers(removed),
        ];
        PlanHash::of(&(&import.changes, &import.twins, files))
    }
}

/// What the files do to the register `known`.
///
/// # Errors
/// [`BadRows`]: everything that is wrong with all files; nothing of them may be imported.
pub fn plan(
    known: &Register,
    files: Files<'_>,
    prices: &Prices,
    alike: Alike,
) -> Result<Plan, BadRows> {
    let mut plan = Plan::default();
    let mut bad = BadRows::default();
    // Ids of rows that are bad otherwise still count as known: their contracts are no second mistake.
    let mut ids: HashSet<String> = known.dealerships.iter().map(|known| known.id.clone()).collect();
    if let Some(file) = files.dealerships {
        ids.extend(dealerships::ids(file.bytes));
        match dealerships::by_line(file.name, file.bytes) {
            Ok(rows) => bad = bad.and(plan.dealerships(known, file.name, rows, alike)),
            Err(rows) => bad = bad.and(rows),
        }
    }
    let is_known = |id: &str| ids.contains(id);
    if let Some(File { name, bytes }) = files.contracts {
        match contracts::read_contracts(name, bytes, &is_known, prices, &known.contracts) {
            Ok(rows) => plan.contracts(known, rows),
            Err(rows) => bad = bad.and(rows),
        }
    }
    if let Some(File { name, bytes }) = files.numbers {
        match numbers::by_line(name, bytes, &is_known) {
            Ok(rows) => bad = bad.and(plan.numbers(known, name, rows)),
            Err(rows) => bad = bad.and(rows),
        }
    }
    if bad.total == 0 { Ok(plan) } else { Err(bad) }
}

impl Plan {
    fn dealerships(
        &mut self,
        known: &Register,
        file: &str,
        rows: Vec<(u64, Dealership)>,
        alike: Alike,
    ) -> BadRows {
        let line_of: HashMap<String, u64> =
            rows.iter().map(|(line, row)| (row.id.clone(), *line)).collect();
        self.import.warnings =
            rows.iter().flat_map(|(line, row)| to_mend(file, *line, row)).collect();
        let rows: Vec<Dealership> = rows.into_iter().map(|(_, row)| row).collect();
        let found = twins(&known.dealerships, &rows);
        let mut refused = BadRows::default();
        match alike {
            Alike::Accept => self.import.twins = found.iter().map(AcceptedTwin::of).collect(),
            Alike::Refuse => {
                let in_register = |id: &str| known.dealerships.iter().any(|known| known.id == id);
                let place = |id: &str| match line_of.get(id) {
                    Some(line) if !in_register(id) => Place::OnLine(*line),
                    _ => Place::InRegister,
                };
                let row = |twin: &Twin<'_>| BadRow {
                    file: file.to_owned(),
                    line: line_of.get(twin.new).copied().unwrap_or_default(),
                    column: Some("id"),
                    reason: Reason::Twin {
                        new: twin.new.to_owned(),
                        like: twin.like.to_owned(),
                        place: place(twin.like),
                        likeness: twin.likeness,
                    },
                };
                refused = found.iter().map(row).collect();
            }
        }
        let stays = known.dealerships.iter().filter(|known| !line_of.contains_key(&known.id));
        self.import.not_in_file = stays
            .map(|stays| NotInFile { dealership_id: stays.id.clone(), name: stays.name.clone() })
            .collect();
        let (written, counts, changes) = compare(&known.dealerships, rows);
        self.written.dealerships = written;
        self.import.dealerships = counts;
        self.import.changes.extend(changes);
        refused
    }

    fn contracts(&mut self, known: &Register, rows: Vec<ContractEntry>) {
        let (written, counts, changes) = compare(&known.contracts, rows);
        self.written.contracts = written;
        self.import.contracts = counts;
        self.import.changes.extend(changes);
    }

    fn numbers(&mut self, known: &Register, file: &str, rows: Vec<(u64, NumberRow)>) -> BadRows {
        let line_of: HashMap<_, u64> =
            rows.iter().map(|(line, row)| (row.entry().id(), *line)).collect();
        let mut after: HashMap<_, NumberEntry> =
            known.numbers.iter().map(|entry| (entry.id(), entry.clone())).collect();
        let mut held = Vec::new();
        for (_, row) in rows {
            match row {
                NumberRow::Holds(entry) => {
                    after.insert(entry.id(), entry.clone());
                    held.push(entry);
                }
                NumberRow::Never(entry) => self.removed.extend(after.remove(&entry.id())),
            }
        }
        let (written, counts, changes) = compare(&known.numbers, held);
        self.written.numbers = written;
        self.import.numbers = counts;
        self.import.changes.extend(changes);
        let removed = self.removed.iter().map(|entry| Change {
            key: entry.key(),
            change: Becomes::Removed,
            columns: Vec::new(),
            cells: filled(entry),
        });
        self.import.changes.extend(removed);
        let overlaps = Numbers::new(after.into_values()).err().unwrap_or_default();
        let line = |entry: &NumberEntry| line_of.get(&entry.id()).copied();
        overlaps.iter().map(|overlap| shared(file, overlap, line)).collect()
    }
}

/// What is to be fixed in a row, though it does not keep 1,500 others out: a cell in which documents will have a
/// box for a letter, an id that is not what it looks like.
fn to_mend(file: &str, line: u64, dealership: &Dealership) -> Vec<BadRow> {
    let Dealership { id, name, trade_name, address, city, .. } = dealership;
    let cells = [("name", name), ("trade_name", trade_name), ("address", address), ("city", city)];
    let boxes = cells
        .into_iter()
        .filter_map(|(column, text)| Some((column, Reason::from(must_be_printable(text).err()?))));
    let hidden = id.chars().find(|c| is_invisible(*c)).map(|mark| {
        let seen = without_invisible(id).to_string();
        ("id", Reason::Hidden { mark, seen })
    });
    let row =
        |(column, reason)| BadRow { file: file.to_owned(), line, column: Some(column), reason };
    hidden.into_iter().chain(boxes).map(row).collect()
}

/// A month that two rows of a number share. One of them stands in the file: in the register none do.
fn shared(file: &str, overlap: &Overlap, line_of: impl Fn(&NumberEntry) -> Option<u64>) -> BadRow {
    let Overlap { earlier, later } = overlap;
    let (line, other) = match (line_of(later), line_of(earlier)) {
        (Some(line), Some(other)) => (line, Place::OnLine(other)),
        (Some(line), None) => (line, Place::InRegister),
        (None, line) => (line.unwrap_or_default(), Place::InRegister),
    };
    let reason = Reason::NumberOfTwo {
        number: later.number.clone(),
        month: later.from_month,
        from: earlier.from_month,
        first: earlier.dealership_id.clone(),
        second: later.dealership_id.clone(),
        other,
    };
    BadRow { file: file.to_owned(), line, column: Some("from_month"), reason }
}
