//! What an import does to the register: rows by their key, and of what changes each column, old and new.

use std::collections::HashMap;
use std::hash::Hash;

use serde::Serialize;

use super::{CONTRACT_COLUMNS, DEALERSHIP_COLUMNS, NUMBER_COLUMNS};
use super::{contracts, dealerships, numbers};
use fecha_core::calendar::month::Month;
use fecha_core::party::numbers::{BusinessNumber, NumberEntry};
use fecha_core::party::register::Dealership;
use fecha_core::price::contract::ContractEntry;

/// What an import does to one of the tables, in rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "said by their names")]
pub struct Counts {
    pub added: u64,
    pub updated: u64,
    pub unchanged: u64,
}

impl Counts {
    /// How many rows the file has.
    #[must_use]
    pub fn rows(self) -> u64 {
        self.added + self.updated + self.unchanged
    }
}

/// Which row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "of", rename_all = "snake_case")]
#[expect(missing_docs, reason = "the keys of the three files")]
pub enum Key {
    Dealership { dealership_id: String },
    Contract { dealership_id: String, from_month: Month },
    Number { number: BusinessNumber, from_month: Month },
}

/// What becomes of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "said by their names")]
pub enum Becomes {
    Added,
    Updated,
    Removed,
}

/// A column that changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ColumnChange {
    /// Its name.
    pub column: &'static str,
    /// As the register has it.
    pub old: String,
    /// As the file has it.
    pub new: String,
}

/// A row that is not left as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// Which.
    #[serde(flatten)]
    pub key: Key,
    /// What becomes of it.
    pub change: Becomes,
    /// What changes of it, where it is updated.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<ColumnChange>,
    /// What the row says, where it is not updated: its columns with their cells, but its key and what is empty.
    #[serde(skip)]
    pub cells: Vec<(&'static str, String)>,
}

impl Change {
    /// `city 'Curitiba' → 'Londrina', cc '' → 'b@example.com'`.
    #[must_use]
    pub fn in_words(&self) -> String {
        let column = |one: &ColumnChange| format!("{} '{}' → '{}'", one.column, one.old, one.new);
        self.columns.iter().map(column).collect::<Vec<_>>().join(", ")
    }
}

/// A row of one of the files.
pub trait Entry: Clone + PartialEq {
    /// What no two rows share.
    type Id: Eq + Hash;
    /// It.
    fn id(&self) -> Self::Id;
    /// What changes are told by.
    fn key(&self) -> Key;
    /// Each column with its cell.
    fn columns(&self) -> Vec<(&'static str, String)>;
}

impl Entry for Dealership {
    type Id = String;
    fn id(&self) -> String {
        self.id.clone()
    }
    fn key(&self) -> Key {
        Key::Dealership { dealership_id: self.id.clone() }
    }
    fn columns(&self) -> Vec<(&'static str, String)> {
        DEALERSHIP_COLUMNS.into_iter().zip(dealerships::cells(self)).collect()
    }
}

impl Entry for ContractEntry {
    type Id = (String, Month);
    fn id(&self) -> Self::Id {
        (self.dealership_id.clone(), self.from_month)
    }
    fn key(&self) -> Key {
        let (dealership_id, from_month) = self.id();
        Key::Contract { dealership_id, from_month }
    }
    fn columns(&self) -> Vec<(&'static str, String)> {
        CONTRACT_COLUMNS.into_iter().zip(contracts::cells(self)).collect()
    }
}

impl Entry for NumberEntry {
    type Id = (BusinessNumber, Month);
    fn id(&self) -> Self::Id {
        (self.number.clone(), self.from_month)
    }
    fn key(&self) -> Key {
        Key::Number { number: self.number.clone(), from_month: self.from_month }
    }
    fn columns(&self) -> Vec<(&'static str, String)> {
        NUMBER_COLUMNS.into_iter().zip(numbers::cells(self)).collect()
    }
}

/// What `file` does to what is `known`: the rows to be written, and what is said of them, in the file's order.
pub(super) fn compare<T: Entry>(known: &[T], file: Vec<T>) -> (Vec<T>, Counts, Vec<Change>) {
    let known: HashMap<T::Id, &T> = known.iter().map(|entry| (entry.id(), entry)).collect();
    let (mut written, mut counts, mut changes) = (Vec::new(), Counts::default(), Vec::new());
    for new in file {
        let (change, columns, cells) = match known.get(&new.id()) {
            Some(old) if **old == new => {
                counts.unchanged += 1;
                continue;
            }
            Some(old) => {
                counts.updated += 1;
                (Becomes::Updated, differing(*old, &new), Vec::new())
            }
            None => {
                counts.added += 1;
                (Becomes::Added, Vec::new(), filled(&new))
            }
        };
        changes.push(Change { key: new.key(), change, columns, cells });
        written.push(new);
    }
    (written, counts, changes)
}

/// What a row says beside its key.
pub(super) fn filled<T: Entry>(entry: &T) -> Vec<(&'static str, String)> {
    let is_key = |column| match entry.key() {
        Key::Dealership { .. } => column == "id",
        Key::Contract { .. } => ["dealership_id", "from_month"].contains(&column),
        Key::Number { .. } => ["number", "from_month"].contains(&column),
    };
    let columns = entry.columns().into_iter();
    columns.filter(|(column, cell)| !is_key(*column) && !cell.is_empty()).collect()
}

fn differing<T: Entry>(old: &T, new: &T) -> Vec<ColumnChange> {
    let pairs = old.columns().into_iter().zip(new.columns());
    let differing = pairs.filter(|((_, old), (_, new))| old != new);
    differing.map(|((column, old), (_, new))| ColumnChange { column, old, new }).collect()
}
