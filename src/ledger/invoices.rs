//! Invoices and their revisions: issued by one transaction, never changed.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde::Deserialize;
use sqlx::any::AnyRow;
use sqlx::{Any, AssertSqlSafe, Row as _, Transaction};

use super::documents::{FileKind, insert_files};
use super::listing::{self, AMOUNTS, Figures, amounts};
use super::packing::Packed;
use super::rows::Centavos;
use super::standing::lock_invoice;
use super::{Ledger, LedgerError, audit, corrupt, from_text, json, to_text};
use fecha_core::bill::invoice::{FirstNumber, Invoice, InvoiceState, Number};
use fecha_core::calendar::month::Month;
use fecha_core::count::evidence::sha256_hex;
use fecha_core::price::advice::{MONTHS, PastMonth};

/// A revision as the ledger keeps it, without its files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revision {
    /// What its documents say.
    pub invoice: Invoice,
    /// Where it stands.
    pub state: InvoiceState,
    /// Of the invoice PDF, hexadecimal.
    pub pdf_sha256: String,
    /// Of the statement PDF, hexadecimal.
    pub statement_sha256: String,
    /// The digest that reported it to finance, by its number in the month.
    pub digest: Option<u32>,
}

/// The files of a revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Files {
    /// The invoice, PDF.
    pub invoice: Vec<u8>,
    /// The statement, PDF.
    pub statement: Vec<u8>,
    /// The evidence, CSV.
    pub evidence: Packed,
}

/// Which revisions to list.
#[derive(Debug, Clone, Copy, Default)]
pub struct Filter<'a> {
    /// Only of this month.
    pub month: Option<Month>,
    /// Only of this dealership.
    pub dealership_id: Option<&'a str>,
    /// Only of this number.
    pub number: Option<Number>,
    /// Superseded ones too.
    pub all_revisions: bool,
}

/// What every reader of a revision selects.
const SELECT: &str =
    "SELECT r.content, r.pdf_sha256, r.statement_sha256, r.superseded_at, r.digest, i.cancelled_at
     FROM revision r JOIN invoice i ON i.number = r.number";

impl Filter<'_> {
    /// On `i` and `r`: only the conditions that there are, so that an index serves them: read one by one, thousands
    /// of invoices would else be read thousands of times.
    pub(super) fn condition(self) -> (String, Vec<String>) {
        let conditions = [
            ("i.month", self.month.map(|month| month.to_string())),
            ("i.dealership_id", self.dealership_id.map(str::to_owned)),
            ("i.number", self.number.map(|number| number.to_string())),
        ];
        let (mut words, mut values) = (Vec::new(), Vec::new());
        for (column, value) in conditions {
            if let Some(value) = value {
                values.push(value);
                words.push(format!("{column} = ${}", values.len()));
            }
        }
        if !self.all_revisions {
            words.push("r.superseded_at IS NULL".to_owned());
        }
        (if words.is_empty() { "1 = 1".to_owned() } else { words.join(" AND ") }, values)
    }
}

impl Ledger {
    /// Revisions by number, then revision.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub async fn revisions(&self, filter: Filter<'_>) -> Result<Vec<Revision>, LedgerError> {
        let (condition, values) = filter.condition();
        let query = sqlx::query(AssertSqlSafe(format!("{SELECT} WHERE {condition}")));
        let rows = values
            .into_iter()
            .fold(query, sqlx::query::Query::bind)
            .fetch_all(&self.pool)
            .await
            .map_err(LedgerError::while_doing("read the invoices"))?;
        let mut revisions: Vec<_> = rows.iter().map(revision).collect::<Result<_, _>>()?;
        revisions.sort_by_key(|r: &Revision| (r.invoice.number, r.invoice.revision));
        Ok(revisions)
    }

    /// The invoices of a month that stand, by dealership.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub async fn standing(&self, month: Month) -> Result<BTreeMap<String, Revision>, LedgerError> {
        let filter = Filter { month: Some(month), ..Filter::default() };
        let revisions = self.revisions(filter).await?;
        Ok(revisions
            .into_iter()
            .filter(|revision| revision.state == InvoiceState::Issued)
            .map(|revision| (revision.invoice.dealership_id.clone(), revision))
            .collect())
    }

    /// As [`Ledger::standing`], the documents alone.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub async fn standing_invoices(
        &self,
        month: Month,
    ) -> Result<BTreeMap<String, Invoice>, LedgerError> {
        let standing = self.standing(month).await?;
        Ok(standing.into_iter().map(|(id, revision)| (id, revision.invoice)).collect())
    }

    /// The invoices that stand of the five months before `month`, by dealership, the oldest first: with
    /// the month itself six.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub async fn history(
        &self,
        month: Month,
    ) -> Result<BTreeMap<String, Vec<PastMonth>>, LedgerError> {
        let first = (1..MONTHS).fold(month, |month, _| month.previous());
        let columns =
            format!("i.dealership_id, i.month, r.package, r.uam, r.hsm, r.total, {AMOUNTS}");
        let which = "invoice i JOIN revision r ON r.number = i.number
             WHERE i.month >= $1 AND i.month < $2 AND i.cancelled_at IS NULL AND r.superseded_at IS NULL";
        let months = [&*first.to_string(), &*month.to_string()];
        let rows: Vec<PastRow> = self.all("read the invoices", (&columns, which), &months).await?;
        let mut history: BTreeMap<String, Vec<PastMonth>> = BTreeMap::new();
        for PastRow(id, month, package, uam, hsm, Centavos(total), a, b, c, d, e) in rows {
            let amounts = Some(amounts([a, b, c, d, e]));
            let past = PastMonth { month, package, uam, hsm, total, amounts };
            history.entry(id).or_default().push(past);
        }
        for months in history.values_mut() {
            months.sort_by_key(|past| past.month);
        }
        Ok(history)
    }

    /// Dealerships whose invoice of the month was cancelled and not issued again.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub async fn cancelled(&self, month: Month) -> Result<BTreeSet<String>, LedgerError> {
        let rows = sqlx::query("SELECT dealership_id, cancelled_at FROM invoice WHERE month = $1")
            .bind(month.to_string())
            .fetch_all(&self.pool)
            .await
            .map_err(LedgerError::while_doing("read what was cancelled"))?;
        let (mut void, mut standing) = (BTreeSet::new(), BTreeSet::new());
        for row in &rows {
            let dealership_id: String = row.try_get("dealership_id").map_err(corrupt)?;
            let cancelled: Option<String> = row.try_get("cancelled_at").map_err(corrupt)?;
            let numbers = if cancelled.is_some() { &mut void } else { &mut standing };
            numbers.insert(dealership_id);
        }
        Ok(&void - &standing)
    }
}

/// Takes the next number of a year, and with it the lock that orders all issuing transactions: a
/// number is either issued with its documents or, where the transaction fails, never taken.
///
/// None is less than `first` asks for. What is passed over by that is kept, so that it is no gap.
pub(crate) async fn take_number(
    transaction: &mut Transaction<'static, Any>,
    year: i32,
    first: FirstNumber,
    deed: &audit::Deed<'_>,
) -> Result<Number, LedgerError> {
    let failed = LedgerError::while_doing("take an invoice number");
    // Where numbers begin at 1 whichever year it is, that need not be asked for each.
    let first_year: Option<i64> = if first == FirstNumber::OfTheFirstYear(1) {
        None
    } else {
        sqlx::query("SELECT MIN(year) FROM counter")
            .fetch_one(&mut **transaction)
            .await
            .and_then(|row| row.try_get(0))
            .map_err(&failed)?
    };
    let first_year = first_year.map(i32::try_from).transpose().map_err(corrupt)?;
    let least = i64::from(first.least(year, first_year));
    let next: i64 = sqlx::query(
        "INSERT INTO counter (year, next) VALUES ($1, $2)
         ON CONFLICT (year) DO UPDATE SET next = counter.next + 1 RETURNING next",
    )
    .bind(i64::from(year))
    .bind(if first_year.is_none() { least } else { 1 } + 1)
    .fetch_one(&mut **transaction)
    .await
    .and_then(|row| row.try_get(0))
    .map_err(&failed)?;
    if next > least {
        return Ok(Number { year, sequence: u32::try_from(next - 1).map_err(corrupt)? });
    }
    let passed = [next - 1, least - 1].map(u32::try_from);
    let [from, to] = [passed[0].map_err(corrupt)?, passed[1].map_err(corrupt)?];
    jump(transaction, [from, to].map(|sequence| Number { year, sequence }), deed).await?;
    Ok(Number { year, sequence: to + 1 })
}

/// Passes over the numbers from the first to the last of these.
async fn jump(
    transaction: &mut Transaction<'static, Any>,
    [from, to]: [Number; 2],
    deed: &audit::Deed<'_>,
) -> Result<(), LedgerError> {
    let failed = LedgerError::while_doing("pass over invoice numbers");
    sqlx::query("UPDATE counter SET next = $1 WHERE year = $2")
        .bind(i64::from(to.sequence) + 2)
        .bind(i64::from(to.year))
        .execute(&mut **transaction)
        .await
        .map_err(&failed)?;
    sqlx::query("INSERT INTO number_jump (year, first, last, jumped_at) VALUES ($1, $2, $3, $4)")
        .bind(i64::from(from.year))
        .bind(i64::from(from.sequence))
        .bind(i64::from(to.sequence))
        .bind(to_text(deed.at))
        .execute(&mut **transaction)
        .await
        .map_err(&failed)?;
    let detail = format!("{from} to {to} are passed over: [invoice] first_number");
    audit::Deed { detail: &detail, ..*deed }.write(transaction).await
}

/// Claims the dealership's month for a number; `false` where another invoice already stands.
pub(crate) async fn claim(
    transaction: &mut Transaction<'static, Any>,
    number: Number,
    dealership_id: &str,
    month: Month,
) -> Result<bool, LedgerError> {
    let inserted = sqlx::query(
        "INSERT INTO invoice (number, dealership_id, month) VALUES ($1, $2, $3)
         ON CONFLICT (dealership_id, month) WHERE cancelled_at IS NULL DO NOTHING",
    )
    .bind(number.to_string())
    .bind(dealership_id.to_owned())
    .bind(month.to_string())
    .execute(&mut **transaction)
    .await
    .map_err(LedgerError::while_doing("write an invoice"))?;
    Ok(inserted.rows_affected() == 1)
}

/// Ends a revision, so that the next one can stand; `false` where it does not stand any more.
pub(crate) async fn supersede(
    transaction: &mut Transaction<'static, Any>,
    number: Number,
    revision: u32,
    now: DateTime<Utc>,
) -> Result<bool, LedgerError> {
    if !lock_invoice(transaction, number).await? {
        return Ok(false);
    }
    let superseded = sqlx::query(
        "UPDATE revision SET superseded_at = $1
         WHERE number = $2 AND revision = $3 AND superseded_at IS NULL",
    )
    .bind(to_text(now))
    .bind(number.to_string())
    .bind(i64::from(revision))
    .execute(&mut **transaction)
    .await
    .map_err(LedgerError::while_doing("supersede a revision"))?;
    Ok(superseded.rows_affected() == 1)
}

/// Writes a revision with its files.
pub(crate) async fn insert_revision(
    transaction: &mut Transaction<'static, Any>,
    ledger: &Ledger,
    invoice: &Invoice,
    files: Files,
) -> Result<(), LedgerError> {
    let insert = sqlx::query(AssertSqlSafe(format!(
        "INSERT INTO revision ({}, number, revision, content, evidence_sha256, pdf_sha256, statement_sha256, issued_at,
             reason, issued_by)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21,
             $22, $23)",
        listing::COLUMNS
    )));
    Figures::of(invoice)
        .bind(insert)?
        .bind(invoice.number.to_string())
        .bind(i64::from(invoice.revision))
        .bind(json(invoice)?)
        .bind(invoice.evidence_sha256.clone())
        .bind(sha256_hex(&files.invoice))
        .bind(sha256_hex(&files.statement))
        .bind(to_text(invoice.issued_at))
        .bind(invoice.replaces.as_ref().map(|replaced| replaced.reason.clone()))
        .bind(invoice.replaces.as_ref().map(|replaced| replaced.by.clone()))
        .execute(&mut **transaction)
        .await
        .map_err(LedgerError::while_doing("write an invoice"))?;
    let mut packed = Vec::with_capacity(3);
    for (kind, file) in [(FileKind::Invoice, files.invoice), (FileKind::Statement, files.statement)]
    {
        let file = ledger.shelf.pack(&mut *transaction, kind, &file, invoice.issued_at).await?;
        packed.push((kind, file));
    }
    packed.push((FileKind::Evidence, files.evidence));
    insert_files(transaction, invoice, packed).await
}

/// The columns of [`Ledger::history`].
#[derive(Deserialize)]
struct PastRow(
    String,
    Month,
    u64,
    u64,
    u64,
    Centavos,
    Centavos,
    Centavos,
    Centavos,
    Centavos,
    Centavos,
);

/// Voids a number that stands; its dealership's month is free for another.
pub(crate) async fn void(
    transaction: &mut Transaction<'static, Any>,
    number: Number,
    now: DateTime<Utc>,
) -> Result<(), LedgerError> {
    sqlx::query("UPDATE invoice SET cancelled_at = $1 WHERE number = $2")
        .bind(to_text(now))
        .bind(number.to_string())
        .execute(&mut **transaction)
        .await
        .map_err(LedgerError::while_doing("cancel an invoice"))?;
    Ok(())
}

fn revision(row: &AnyRow) -> Result<Revision, LedgerError> {
    let content: String = row.try_get("content").map_err(corrupt)?;
    let digest: Option<i64> = row.try_get("digest").map_err(corrupt)?;
    let superseded: Option<String> = row.try_get("superseded_at").map_err(corrupt)?;
    let cancelled: Option<String> = row.try_get("cancelled_at").map_err(corrupt)?;
    Ok(Revision {
        invoice: serde_json::from_str(&content).map_err(corrupt)?,
        state: state(superseded.is_some(), cancelled.is_some()),
        pdf_sha256: row.try_get("pdf_sha256").map_err(corrupt)?,
        statement_sha256: row.try_get("statement_sha256").map_err(corrupt)?,
        digest: digest.map(u32::try_from).transpose().map_err(corrupt)?,
    })
}

/// Where a revision stands, of a row; for the modules beside this one.
pub(super) fn state(superseded: bool, cancelled: bool) -> InvoiceState {
    match (superseded, cancelled) {
        (true, _) => InvoiceState::Superseded,
        (false, true) => InvoiceState::Cancelled,
        (false, false) => InvoiceState::Issued,
    }
}

/// An instant of a row; for the modules beside this one.
pub(super) fn optional_instant(
    row: &AnyRow,
    column: &str,
) -> Result<Option<DateTime<Utc>>, LedgerError> {
    let text: Option<String> = row.try_get(column).map_err(corrupt)?;
    text.as_deref().map(from_text).transpose()
}
