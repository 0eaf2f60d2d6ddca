//! Credit notes and charges, and which invoice took what of them.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AssertSqlSafe, Row as _};

use super::account::lock_account;
use super::{Ledger, LedgerError, Transaction, audit, corrupt, from_text, to_text};
use fecha_core::account::note::{Legacy, Note, Taking};
use fecha_core::bill::invoice::Number;
use fecha_core::calendar::month::Month;
use fecha_core::price::money::Money;

/// A credit note or charge to be entered.
#[derive(Debug, Clone)]
pub struct NewNote<'a> {
    /// Whose it is.
    pub dealership_id: &'a str,
    /// The first month whose invoice may take it.
    pub month: Month,
    /// Below zero: a credit.
    pub amount: Money,
    /// As the invoice prints it.
    pub description: &'a str,
    /// Who enters it.
    pub by: &'a str,
}

const NOTES: &str =
    "SELECT id, dealership_id, month, amount, description, entered_by, entered_at, rest_of,
         origin, number, taken_back FROM adjustment";
const TAKINGS: &str =
    "SELECT t.note, t.number, t.amount, t.words FROM taking t JOIN adjustment a ON a.id = t.note";

impl Ledger {
    /// All notes, taken back ones too, by id.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub async fn notes(&self) -> Result<Vec<Note>, LedgerError> {
        let failed = LedgerError::while_doing("read the credits and charges");
        let mut connection = self.pool.acquire().await.map_err(failed)?;
        read(&mut connection, "", "").await
    }

    /// All notes of each dealership, by id.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub async fn notes_by_dealership(&self) -> Result<BTreeMap<String, Vec<Note>>, LedgerError> {
        let mut by_dealership: BTreeMap<String, Vec<Note>> = BTreeMap::new();
        for note in self.notes().await? {
            by_dealership.entry(note.dealership_id.clone()).or_default().push(note);
        }
        Ok(by_dealership)
    }

    /// One note; `None` where there is none of this id.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub async fn note(&self, id: i64) -> Result<Option<Note>, LedgerError> {
        let failed = LedgerError::while_doing("read a credit or charge");
        let mut connection = self.pool.acquire().await.map_err(failed)?;
        Ok(read(&mut connection, "a.id = $1", &id.to_string()).await?.pop())
    }

    /// Takes back what waits of a note; `None` where nothing of it waits (any more).
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be written.
    pub async fn take_back_note(
        &self,
        note: &Note,
        deed: impl FnOnce(Money) -> OwnedDeed,
    ) -> Result<Option<Money>, LedgerError> {
        let failed = LedgerError::while_doing("take back a credit or charge");
        let mut transaction = self.begin().await?;
        lock_account(&mut transaction, &note.dealership_id).await?;
        let now = read(&mut transaction, "a.id = $1", &note.id.to_string()).await?.pop();
        let waiting = now.map_or(Money::ZERO, |note| note.waiting());
        if waiting == Money::ZERO {
            return Ok(None);
        }
        sqlx::query("UPDATE adjustment SET taken_back = taken_back + $1 WHERE id = $2")
            .bind(waiting.centavos())
            .bind(note.id)
            .execute(&mut *transaction)
            .await
            .map_err(&failed)?;
        deed(waiting).borrowed().write(&mut transaction).await?;
        transaction.commit().await.map_err(failed)?;
        Ok(Some(waiting))
    }
}

/// A deed whose words are known only within the transaction.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "as in audit::Deed")]
pub struct OwnedDeed {
    pub at: DateTime<Utc>,
    pub actor: String,
    pub action: audit::Action,
    pub month: Option<Month>,
    pub dealership_id: String,
    pub detail: String,
}

impl OwnedDeed {
    /// As it is written.
    pub(super) fn borrowed(&self) -> audit::Deed<'_> {
        audit::Deed {
            at: self.at,
            actor: &self.actor,
            action: self.action,
            month: self.month,
            dealership_id: Some(&self.dealership_id),
            detail: &self.detail,
        }
    }
}

/// The notes of a dealership as a transaction sees them, by id.
pub(crate) async fn notes_of(
    connection: &mut AnyConnection,
    dealership_id: &str,
) -> Result<Vec<Note>, LedgerError> {
    read(connection, "a.dealership_id = $1", dealership_id).await
}

/// Enters a note; its id. Whoever does has locked the account.
pub(crate) async fn insert_note(
    transaction: &mut Transaction,
    new: &NewNote<'_>,
    at: DateTime<Utc>,
) -> Result<i64, LedgerError> {
    let id = next_id(transaction).await?;
    sqlx::query(
        "INSERT INTO adjustment (id, dealership_id, month, amount, description, entered_by, entered_at, taken_back)
         VALUES ($1, $2, $3, $4, $5, $6, $7, 0)",
    )
    .bind(id)
    .bind(new.dealership_id.to_owned())
    .bind(new.month.to_string())
    .bind(new.amount.centavos())
    .bind(new.description.to_owned())
    .bind(new.by.to_owned())
    .bind(to_text(at))
    .execute(&mut **transaction)
    .await
    .map_err(LedgerError::while_doing("enter a credit or charge"))?;
    Ok(id)
}

/// An invoice takes this of its dealership's notes, in place of what it had taken.
pub(crate) async fn take_notes(
    transaction: &mut Transaction,
    number: Number,
    takings: impl Iterator<Item = (i64, Taking)>,
) -> Result<(), LedgerError> {
    let failed = LedgerError::while_doing("take credits and charges");
    sqlx::query("DELETE FROM taking WHERE number = $1")
        .bind(number.to_string())
        .execute(&mut **transaction)
        .await
        .map_err(&failed)?;
    for (note, taking) in takings {
        sqlx::query("INSERT INTO taking (note, number, amount, words) VALUES ($1, $2, $3, $4)")
            .bind(note)
            .bind(number.to_string())
            .bind(taking.amount.centavos())
            .bind(taking.words)
            .execute(&mut **transaction)
            .await
            .map_err(&failed)?;
    }
    Ok(())
}

/// Reads the notes that a condition on `a` picks, whose one value is `$1`; all where it is empty.
async fn read(
    connection: &mut AnyConnection,
    condition: &'static str,
    value: &str,
) -> Result<Vec<Note>, LedgerError> {
    let failed = LedgerError::while_doing("read the credits and charges");
    let mut rows = Vec::new();
    for select in [NOTES.replace("FROM adjustment", "FROM adjustment a"), TAKINGS.to_owned()] {
        let order = if rows.is_empty() { "a.id" } else { "t.note, t.number" };
        let sql = match condition {
            "" => format!("{select} ORDER BY {order}"),
            _ => format!("{select} WHERE {condition} ORDER BY {order}"),
        };
        let query = sqlx::query(AssertSqlSafe(sql));
        let query = match (condition, value.parse::<i64>()) {
            ("", _) => query,
            ("a.id = $1", Ok(id)) => query.bind(id),
            _ => query.bind(value.to_owned()),
        };
        rows.push(query.fetch_all(&mut *connection).await.map_err(&failed)?);
        if rows[0].is_empty() {
            return Ok(Vec::new());
        }
    }
    let mut notes: Vec<Note> = rows[0].iter().map(note).collect::<Result<_, _>>()?;
    for row in &rows[1] {
        let of: i64 = row.try_get("note").map_err(corrupt)?;
        let number: String = row.try_get("number").map_err(corrupt)?;
        let taking = Taking {
            number: number.parse().map_err(corrupt)?,
            amount: Money::from_centavos(row.try_get("amount").map_err(corrupt)?),
            words: row.try_get("words").map_err(corrupt)?,
        };
        if let Ok(index) = notes.binary_search_by_key(&of, |note| note.id) {
            notes[index].taken.push(taking);
        }
    }
    Ok(notes)
}

/// Counts up in one row, which orders transactions that enter notes at once.
async fn next_id(transaction: &mut Transaction) -> Result<i64, LedgerError> {
    let last: String = sqlx::query(
        "INSERT INTO meta (name, value) VALUES ('last_adjustment', '1')
         ON CONFLICT (name) DO UPDATE SET value = CAST(CAST(meta.value AS BIGINT) + 1 AS TEXT)
         RETURNING value",
    )
    .fetch_one(&mut **transaction)
    .await
    .and_then(|row| row.try_get(0))
    .map_err(LedgerError::while_doing("enter a credit or charge"))?;
    last.parse().map_err(corrupt)
}

fn note(row: &AnyRow) -> Result<Note, LedgerError> {
    let text = |column: &str| row.try_get::<String, _>(column).map_err(corrupt);
    let number = |column: &str| -> Result<Option<Number>, LedgerError> {
        let text: Option<String> = row.try_get(column).map_err(corrupt)?;
        text.map(|text| text.parse().map_err(corrupt)).transpose()
    };
    let legacy = Legacy {
        rest_of: row.try_get("rest_of").map_err(corrupt)?,
        origin: number("origin")?,
        number: number("number")?,
    };
    let is_legacy = legacy.rest_of.is_some() || legacy.origin.is_some();
    Ok(Note {
        id: row.try_get("id").map_err(corrupt)?,
        dealership_id: text("dealership_id")?,
        month: text("month")?.parse().map_err(corrupt)?,
        amount: Money::from_centavos(row.try_get("amount").map_err(corrupt)?),
        description: text("description")?,
        entered_by: text("entered_by")?,
        entered_at: from_text(&text("entered_at")?)?,
        taken: Vec::new(),
        taken_back: Money::from_centavos(row.try_get("taken_back").map_err(corrupt)?),
        legacy: is_legacy.then_some(legacy),
    })
}
