//! What lists, sums and accounts read: the columns of a revision, by index, and never the document
//! itself. So a command about one month or one invoice takes no longer after years than after a month.
//!
//! The columns are copies out of the document ([`Figures`]). The issue writes them; a ledger of a fecha
//! that did not know them is filled when it is opened.

use std::collections::BTreeMap;
use std::ops::{Bound, RangeBounds};

use chrono::{DateTime, NaiveDate, Utc};
use serde::Deserialize;
use serde::de::IgnoredAny;
use sqlx::any::{AnyArguments, AnyRow};
use sqlx::{Any, Row as _, Transaction};

use super::invoices::{Filter, state};
use super::rows::Centavos;
use super::{Engine, Ledger, LedgerError, corrupt};
use fecha_core::account::settled::Account;
use fecha_core::bill::digest::DigestRow;
use fecha_core::bill::invoice::{Invoice, InvoiceState, Number, label};
use fecha_core::calendar::month::Month;
use fecha_core::count::sending::{Billing, Kind, Sending};
use fecha_core::price::item::Amounts;
use fecha_core::price::money::Money;

/// What lists show and sum of a document: copies, which are written once and compared by `verify`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figures {
    /// Legal name of the dealership, as printed.
    pub dealership_name: String,
    /// Its tax id, as printed.
    pub cnpj: String,
    /// Contacts included.
    pub package: u64,
    /// Unique active contacts.
    pub uam: u64,
    /// Template messages.
    pub hsm: u64,
    /// By the columns of reports.
    pub amounts: Amounts,
    /// All lines.
    pub total: Money,
    /// When it is to be paid.
    pub due_on: NaiveDate,
    /// The dealership's local day of issue.
    pub issued_on: NaiveDate,
    /// Of its HSM those that are not billed.
    pub unbilled_hsm: u64,
}

/// A revision as lists show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The number, the same in every revision.
    pub number: Number,
    /// 0 for the first issue.
    pub revision: u32,
    /// Where it stands.
    pub state: InvoiceState,
    /// Who is invoiced.
    pub dealership_id: String,
    /// For which month.
    pub month: Month,
    /// Copied out of the document.
    pub figures: Figures,
    /// When it was issued; milliseconds.
    pub issued_at: DateTime<Utc>,
    /// Of the evidence, hexadecimal.
    pub evidence_sha256: String,
    /// Of the invoice PDF, hexadecimal.
    pub pdf_sha256: String,
    /// Why it replaces the one before; `None` in a first issue.
    pub reason: Option<String>,
    /// Who asked for that.
    pub by: Option<String>,
    /// What settles the number.
    pub paid: Money,
}

/// The invoices of a month that stand.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MonthSum {
    /// How many.
    pub invoices: u64,
    /// What they come to.
    pub total: Money,
}

/// The fields of a [`Listed`], in their order, of the tables `i` (invoice) and `r` (revision).
const LISTED: &str =
    "r.number, r.revision, i.dealership_id, i.month, r.dealership_name, r.cnpj, r.package, r.uam, r.hsm,
         r.package_amount, r.overage_amount, r.hsm_amount, r.other_amount, r.adjustments_amount, r.total, r.due_on, r.issued_on,
         r.unbilled_hsm, r.issued_at, r.evidence_sha256, r.pdf_sha256, r.reason, r.issued_by, r.superseded_at, i.cancelled_at,
         CAST(COALESCE((SELECT SUM(a.amount) FROM allocation a WHERE a.number = r.number), 0) AS BIGINT)";
const TABLES: &str = "invoice i JOIN revision r ON r.number = i.number";

/// The columns of what a revision `r` comes to, in the order of [`amounts`].
pub(super) const AMOUNTS: &str =
    "r.package_amount, r.overage_amount, r.hsm_amount, r.other_amount, r.adjustments_amount";

/// The columns of the figures.
pub(super) const COLUMNS: &str =
    "dealership_name, cnpj, package, uam, hsm, package_amount, overage_amount, hsm_amount,
         other_amount, adjustments_amount, total, due_on, issued_on, unbilled_hsm";

/// Revisions that one transaction fills: a process that is killed loses no more work than this.
const BATCH: i64 = 500;

/// Of the HSM of an invoice those that are not billed.
fn unbilled_hsm(invoice: &Invoice) -> u64 {
    let is_unbilled =
        |sending: &Sending| sending.kind == Kind::Hsm && sending.billing == Billing::Unbilled;
    let sent = invoice.usage.sent_as.iter();
    sent.filter(|(sending, _)| is_unbilled(sending)).map(|(_, messages)| messages).sum()
}

impl Figures {
    /// What a document says.
    #[must_use]
    pub fn of(invoice: &Invoice) -> Self {
        let row = DigestRow::of(invoice, String::new());
        Self {
            dealership_name: row.dealership_name,
            cnpj: row.cnpj,
            package: row.package,
            uam: row.uam,
            hsm: row.hsm,
            amounts: row.amounts,
            total: row.total,
            due_on: row.due_on,
            issued_on: invoice.issued_on,
            unbilled_hsm: unbilled_hsm(invoice),
        }
    }

    /// Contacts above the package.
    #[must_use]
    pub fn overage(&self) -> u64 {
        self.uam.saturating_sub(self.package)
    }

    /// The columns in which these differ from others: name, here, there.
    #[must_use]
    pub fn differences(&self, other: &Self) -> Vec<(&'static str, String, String)> {
        let pairs = self.named().into_iter().zip(other.named());
        pairs
            .filter(|((_, here), (_, there))| here != there)
            .map(|((name, here), (_, there))| (name, here, there))
            .collect()
    }

    fn named(&self) -> [(&'static str, String); 14] {
        let Amounts { package, overage, hsm, other, adjustments } = self.amounts;
        [
            ("dealership_name", self.dealership_name.clone()),
            ("cnpj", self.cnpj.clone()),
            ("package", self.package.to_string()),
            ("uam", self.uam.to_string()),
            ("hsm", self.hsm.to_string()),
            ("package_amount", package.to_string()),
            ("overage_amount", overage.to_string()),
            ("hsm_amount", hsm.to_string()),
            ("other_amount", other.to_string()),
            ("adjustments_amount", adjustments.to_string()),
            ("total", self.total.to_string()),
            ("due_on", self.due_on.to_string()),
            ("issued_on", self.issued_on.to_string()),
            ("unbilled_hsm", self.unbilled_hsm.to_string()),
        ]
    }
}

impl Listed {
    /// What of it is paid, open and overdue.
    #[must_use]
    pub fn account(&self) -> Account {
        Account { total: self.figures.total, paid: self.paid, due_on: self.figures.due_on }
    }

    /// `2026-000001`, or `2026-000001-R1`.
    #[must_use]
    pub fn label(&self) -> String {
        label(self.number, self.revision)
    }
}

impl Ledger {
    /// Revisions by number, then revision, as lists show them.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub async fn listed(&self, filter: Filter<'_>) -> Result<Vec<Listed>, LedgerError> {
        let (condition, values) = filter.condition();
        let values: Vec<&str> = values.iter().map(String::as_str).collect();
        listed(self, &condition, &values).await
    }

    /// The invoice of this number, if it stands.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub async fn listed_standing(&self, number: Number) -> Result<Option<Listed>, LedgerError> {
        let filter = Filter { number: Some(number), ..Filter::default() };
        let latest = self.listed(filter).await?.pop();
        Ok(latest.filter(|listed| listed.state == InvoiceState::Issued))
    }

    /// Every month of these that has a number, void ones too, and what of it stands.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub async fn month_sums(
        &self,
        months: impl RangeBounds<Month>,
    ) -> Result<BTreeMap<Month, MonthSum>, LedgerError> {
        let since = match months.start_bound() {
            Bound::Included(month) => month.to_string(),
            Bound::Excluded(month) => month.next().to_string(),
            Bound::Unbounded => String::new(),
        };
        let until = match months.end_bound() {
            Bound::Included(month) => month.next().to_string(),
            Bound::Excluded(month) => month.to_string(),
            Bound::Unbounded => "9999-12".to_owned(),
        };
        let rows = sqlx::query(
            "SELECT i.month,
                 CAST(SUM(CASE WHEN i.cancelled_at IS NULL THEN 1 ELSE 0 END) AS BIGINT) AS invoices,
                 CAST(SUM(CASE WHEN i.cancelled_at IS NULL THEN r.total ELSE 0 END) AS BIGINT) AS total
             FROM invoice i JOIN revision r ON r.number = i.number
             WHERE r.superseded_at IS NULL AND i.month >= $1 AND i.month < $2 GROUP BY i.month",
        )
        .bind(since)
        .bind(until)
        .fetch_all(&self.pool)
        .await
        .map_err(LedgerError::while_doing("sum the invoices"))?;
        let sum = |row: &AnyRow| {
            let month: String = row.try_get("month").map_err(corrupt)?;
            let sum = MonthSum { invoices: count(row, "invoices")?, total: money(row, "total")? };
            Ok((month.parse().map_err(corrupt)?, sum))
        };
        rows.iter().map(sum).collect()
    }

    /// The first and the last month that was ever invoiced; `None` where none was.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub async fn invoiced_months(&self) -> Result<Option<(Month, Month)>, LedgerError> {
        // Each by itself: an index is read at one end alone.
        let row = sqlx::query(
            "SELECT (SELECT MIN(month) FROM invoice), (SELECT MAX(month) FROM invoice)",
        )
        .fetch_one(&self.pool)
        .await
        .map_err(LedgerError::while_doing("read the months"))?;
        let month = |index: usize| -> Result<Option<Month>, LedgerError> {
            let month: Option<String> = row.try_get(index).map_err(corrupt)?;
            month.map(|month| month.parse().map_err(corrupt)).transpose()
        };
        Ok(month(0)?.zip(month(1)?))
    }

    /// The first month that was invoiced, or that a close looked at.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub async fn first_known_month(&self) -> Result<Option<Month>, LedgerError> {
        let row = sqlx::query(
            "SELECT (SELECT MIN(month) FROM invoice), (SELECT MIN(month) FROM closing)",
        )
        .fetch_one(&self.pool)
        .await
        .map_err(LedgerError::while_doing("read the first month"))?;
        let months: [Option<String>; 2] =
            [row.try_get(0).map_err(corrupt)?, row.try_get(1).map_err(corrupt)?];
        let first = months.into_iter().flatten().min();
        first.map(|month| month.parse().map_err(corrupt)).transpose()
    }

    /// Fills the figures of what a fecha issued that did not keep them, some hundred in a transaction:
    /// whoever is killed within leaves a ledger that the next one goes on with, and of two that open
    /// it at once one waits for the other.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be written, or a document cannot be read.
    pub(super) async fn fill_figures(&self) -> Result<(), LedgerError> {
        let failed = LedgerError::while_doing("look for revisions without figures");
        // Both columns of the index of what is unfilled: SQLite would read through another one else.
        let unfilled = sqlx::query(
            "SELECT number, revision FROM revision WHERE total IS NULL ORDER BY number, revision LIMIT 1",
        );
        if unfilled.fetch_optional(&self.pool).await.map_err(failed)?.is_none() {
            return Ok(());
        }
        tracing::info!("filling what lists show, once");
        while self.fill_some().await? {}
        Ok(())
    }

    /// Fills a batch; `false` where nothing was left.
    async fn fill_some(&self) -> Result<bool, LedgerError> {
        let failed = LedgerError::while_doing("fill what lists show");
        let mut transaction = self.begin().await?;
        if self.engine == Engine::Postgres {
            let lock = sqlx::raw_sql("SELECT pg_advisory_xact_lock(7234052)");
            lock.execute(&mut *transaction).await.map_err(&failed)?;
        }
        let rows = sqlx::query(
            "SELECT number, revision, content FROM revision WHERE total IS NULL
             ORDER BY number, revision LIMIT $1",
        )
        .bind(BATCH)
        .fetch_all(&mut *transaction)
        .await
        .map_err(&failed)?;
        for row in &rows {
            let number: String = row.try_get("number").map_err(corrupt)?;
            let revision: i64 = row.try_get("revision").map_err(corrupt)?;
            let content: String = row.try_get("content").map_err(corrupt)?;
            let invoice: Invoice = serde_json::from_str(&content).map_err(|error| {
                corrupt(format!("the document of {number}, revision {revision}: {error}"))
            })?;
            fill(&mut transaction, (number, revision), &Figures::of(&invoice)).await?;
        }
        transaction.commit().await.map_err(&failed)?;
        Ok(!rows.is_empty())
    }
}

/// Writes the figures of a revision that has none.
async fn fill(
    transaction: &mut Transaction<'static, Any>,
    (number, revision): (String, i64),
    figures: &Figures,
) -> Result<(), LedgerError> {
    let update = sqlx::query(
        "UPDATE revision SET dealership_name = $1, cnpj = $2, package = $3, uam = $4, hsm = $5,
             package_amount = $6, overage_amount = $7, hsm_amount = $8, other_amount = $9, adjustments_amount = $10,
             total = $11, due_on = $12, issued_on = $13, unbilled_hsm = $14
         WHERE number = $15 AND revision = $16 AND total IS NULL",
    );
    figures
        .bind(update)?
        .bind(number)
        .bind(revision)
        .execute(&mut **transaction)
        .await
        .map_err(LedgerError::while_doing("fill what lists show"))?;
    Ok(())
}

/// A query whose values are bound one by one.
type Query = sqlx::query::Query<'static, Any, AnyArguments>;

impl Figures {
    /// Binds the columns, in the order of [`COLUMNS`].
    pub(super) fn bind(&self, query: Query) -> Result<Query, LedgerError> {
        let Amounts { package, overage, hsm, other, adjustments } = self.amounts;
        Ok(query
            .bind(self.dealership_name.clone())
            .bind(self.cnpj.clone())
            .bind(stored(self.package)?)
            .bind(stored(self.uam)?)
            .bind(stored(self.hsm)?)
            .bind(package.centavos())
            .bind(overage.centavos())
            .bind(hsm.centavos())
            .bind(other.centavos())
            .bind(adjustments.centavos())
            .bind(self.total.centavos())
            .bind(self.due_on.to_string())
            .bind(self.issued_on.to_string())
            .bind(stored(self.unbilled_hsm)?))
    }
}

/// The revisions that a condition on `i` and `r` picks, by number, then revision; for the modules beside this one.
pub(super) async fn listed(
    ledger: &Ledger,
    condition: &str,
    values: &[&str],
) -> Result<Vec<Listed>, LedgerError> {
    let from = format!("{TABLES} WHERE {condition}");
    let rows: Vec<Row> = ledger.all("list the invoices", (LISTED, &from), values).await?;
    let mut listed: Vec<Listed> = rows.into_iter().map(Listed::from).collect();
    listed.sort_by_key(|listed| (listed.number, listed.revision));
    Ok(listed)
}

/// The columns [`LISTED`].
#[derive(Deserialize)]
struct Row {
    number: Number,
    revision: u32,
    dealership_id: String,
    month: Month,
    dealership_name: String,
    cnpj: String,
    package: u64,
    uam: u64,
    hsm: u64,
    package_amount: Centavos,
    overage_amount: Centavos,
    hsm_amount: Centavos,
    other_amount: Centavos,
    adjustments_amount: Centavos,
    total: Centavos,
    due_on: NaiveDate,
    issued_on: NaiveDate,
    unbilled_hsm: u64,
    issued_at: DateTime<Utc>,
    evidence_sha256: String,
    pdf_sha256: String,
    reason: Option<String>,
    issued_by: Option<String>,
    superseded_at: Option<IgnoredAny>,
    cancelled_at: Option<IgnoredAny>,
    paid: Centavos,
}

impl From<Row> for Listed {
    fn from(row: Row) -> Self {
        let amounts = amounts([
            row.package_amount,
            row.overage_amount,
            row.hsm_amount,
            row.other_amount,
            row.adjustments_amount,
        ]);
        Self {
            number: row.number,
            revision: row.revision,
            state: state(row.superseded_at.is_some(), row.cancelled_at.is_some()),
            dealership_id: row.dealership_id,
            month: row.month,
            figures: Figures {
                dealership_name: row.dealership_name,
                cnpj: row.cnpj,
                package: row.package,
                uam: row.uam,
                hsm: row.hsm,
                amounts,
                total: row.total.0,
                due_on: row.due_on,
                issued_on: row.issued_on,
                unbilled_hsm: row.unbilled_hsm,
            },
            issued_at: row.issued_at,
            evidence_sha256: row.evidence_sha256,
            pdf_sha256: row.pdf_sha256,
            reason: row.reason,
            by: row.issued_by,
            paid: row.paid.0,
        }
    }
}

/// A count of a row; for the modules beside this one.
pub(super) fn count(row: &AnyRow, column: &str) -> Result<u64, LedgerError> {
    u64::try_from(row.try_get::<i64, _>(column).map_err(corrupt)?).map_err(corrupt)
}

/// An amount of a row; for the modules beside this one.
pub(super) fn money(row: &AnyRow, column: &str) -> Result<Money, LedgerError> {
    Ok(Money::from_centavos(row.try_get(column).map_err(corrupt)?))
}

fn stored(count: u64) -> Result<i64, LedgerError> {
    i64::try_from(count).map_err(corrupt)
}

/// What a revision comes to, by its columns [`AMOUNTS`]; for the modules beside this one.
pub(super) fn amounts(columns: [Centavos; 5]) -> Amounts {
    let [package, overage, hsm, other, adjustments] = columns.map(|Centavos(money)| money);
    Amounts { package, overage, hsm, other, adjustments }
}
