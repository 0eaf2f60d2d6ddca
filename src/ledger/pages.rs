//! Lists of any length, read a page at a time, by key: what comes in meanwhile moves nothing to another page.

use chrono::NaiveDate;
use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, Row as _};

use super::listing::{Listed, count, listed};
use super::outbox::{LISTED, ListedEmail, listed as listed_email};
use super::{Engine, Ledger, LedgerError, corrupt};
use fecha_core::bill::invoice::Number;
use fecha_core::calendar::month::Month;
use fecha_core::letter::LetterState;
use fecha_core::party::search::Named;

/// So many rows are on a page.
pub const ROWS: usize = 50;

/// Of an invoice `i` the revision that stands.
const STANDS: &str =
    "SELECT 1 FROM revision r WHERE r.number = i.number AND r.superseded_at IS NULL";

/// With more dealerships than this the newest invoices are looked through; with fewer each one's are.
const FEW: usize = 60;

/// Where an invoice stands, for finance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Something is to be paid.
    Open,
    /// Something is to be paid, and its day has passed.
    Overdue,
    /// A part is paid.
    PartPaid,
    /// Nothing is to be paid any more.
    Paid,
    /// The number is void.
    Void,
}

/// Which invoices are asked for.
#[derive(Debug, Clone, Default)]
pub struct WantedInvoices {
    /// Only those that stand so.
    pub standing: Option<Standing>,
    /// Only of this month.
    pub month: Option<Month>,
    /// Only of this dealership.
    pub dealership_id: Option<String>,
    /// Only those that were searched for.
    pub found: Option<Found>,
    /// Only those behind this one.
    pub after: Option<Number>,
    /// How much, and how.
    pub slice: Slice,
}

/// What a search means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Of these dealerships,
    pub dealerships: Vec<String>,
    /// or with one of these numbers.
    pub numbers: Vec<Number>,
}

/// In which order a list is read, page by page.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Order {
    /// As people read: what comes in meanwhile is on the first page.
    #[default]
    NewestFirst,
    /// As programs read: what comes in meanwhile is on the last page.
    OldestFirst,
}

impl Order {
    /// How a key compares with that of the last row before, and in which order rows come.
    fn words(self) -> (char, &'static str) {
        match self {
            Self::NewestFirst => ('<', "DESC"),
            Self::OldestFirst => ('>', "ASC"),
        }
    }
}

/// How much of a list is read, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slice {
    /// At most so many rows.
    pub most: usize,
    /// From which end on.
    pub order: Order,
}

impl Default for Slice {
    fn default() -> Self {
        Self { most: ROWS, order: Order::default() }
    }
}

/// Rows, and the key to go on from where there are more.
#[derive(Debug, Clone)]
pub struct Page<T, K> {
    /// At most as many as were asked for.
    pub rows: Vec<T>,
    /// Of the last row, where others follow.
    pub next: Option<K>,
}

impl<T, K> Page<T, K> {
    /// Of rows of which one more was read than a page has.
    pub(super) fn of(mut rows: Vec<T>, most: usize, key: impl Fn(&T) -> K) -> Self {
        let more = rows.len() > most;
        rows.truncate(most);
        let next = rows.last().filter(|_| more).map(key);
        Self { rows, next }
    }
}

/// Conditions with their values.
#[derive(Default)]
struct Conditions {
    words: Vec<String>,
    values: Vec<String>,
}

impl Conditions {
    /// A value; how the condition names it.
    fn value(&mut self, value: &impl ToString) -> String {
        self.values.push(value.to_string());
        format!("${}", self.values.len())
    }

    fn any_of(&mut self, values: impl IntoIterator<Item = impl ToString>) -> String {
        let values: Vec<String> = values.into_iter().map(|value| self.value(&value)).collect();
        values.join(", ")
    }
}

impl WantedInvoices {
    fn conditions(&self, engine: Engine, today: NaiveDate) -> Conditions {
        let mut all = Conditions::default();
        match self.standing {
            None => {}
            Some(Standing::Open) => all.words.push("i.open > 0".to_owned()),
            Some(Standing::Overdue) => {
                let today = all.value(&today);
                all.words.push(format!("i.open > 0 AND EXISTS ({STANDS} AND r.due_on < {today})"));
            }
            Some(Standing::PartPaid) => {
                all.words.push(format!("i.open > 0 AND EXISTS ({STANDS} AND r.total > i.open)"));
            }
            Some(Standing::Paid) => {
                all.words.push("i.open <= 0 AND i.cancelled_at IS NULL".to_owned());
            }
            Some(Standing::Void) => all.words.push("i.cancelled_at IS NOT NULL".to_owned()),
        }
        if let Some(month) = self.month {
            let month = all.value(&month);
            all.words.push(format!("i.month = {month}"));
        }
        if let Some(id) = &self.dealership_id {
            let id = all.value(id);
            all.words.push(format!("i.dealership_id = {id}"));
        }
        if let Some(Found { dealerships, numbers }) = &self.found {
            // Looked through from the newest on, an index would only be in the way.
            let many = dealerships.len() > FEW && engine == Engine::Sqlite;
            let column = if many { "+i.dealership_id" } else { "i.dealership_id" };
            let (ids, numbers) = (all.any_of(dealerships), all.any_of(numbers));
            let parts = [(column, ids), ("i.number", numbers)];
            let parts = parts.into_iter().filter(|(_, values)| !values.is_empty());
            let parts: Vec<String> =
                parts.map(|(column, values)| format!("{column} IN ({values})")).collect();
            let nothing = || "1 = 0".to_owned();
            all.words.push(if parts.is_empty() { nothing() } else { parts.join(" OR ") });
            if let Some(last) = all.words.last_mut() {
                *last = format!("({last})");
            }
        }
        if let Some(after) = self.after {
            let after = all.value(&after);
            let (behind, _) = self.slice.order.words();
            all.words.push(format!("i.number {behind} {after}"));
        }
        all
    }
}

impl Ledger {
    /// A page of the invoices that are asked for, the newest first, as of the issuer's day `today`: of each number
    /// the latest revision.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub async fn invoices_page(
        &self,
        wanted: &WantedInvoices,
        today: NaiveDate,
    ) -> Result<Page<Listed, Number>, LedgerError> {
        let Conditions { words, values } = wanted.conditions(self.engine, today);
        let condition = match words.as_slice() {
            [] => String::new(),
            words => format!("WHERE {}", words.join(" AND ")),
        };
        let (_, order) = wanted.slice.order.words();
        // First the numbers, from the invoices alone, which are few columns; SQLite would read all revisions else.
        let condition = format!(
            "r.superseded_at IS NULL AND i.number IN (
                 SELECT i.number FROM invoice i {condition} ORDER BY i.number {order} LIMIT {})",
            wanted.slice.most + 1
        );
        let values: Vec<&str> = values.iter().map(String::as_str).collect();
        let mut rows = listed(self, &condition, &values).await?;
        if wanted.slice.order == Order::NewestFirst {
            rows.reverse();
        }
        Ok(Page::of(rows, wanted.slice.most, |listed| listed.number))
    }

    /// The numbers that a search names, there or not.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub async fn numbers_named(&self, named: Named) -> Result<Vec<Number>, LedgerError> {
        let sequence = match named {
            Named::Nothing => return Ok(Vec::new()),
            Named::One(number) => return Ok(vec![number]),
            Named::OfAnyYear(sequence) => sequence,
        };
        let rows = sqlx::query("SELECT year FROM counter ORDER BY year")
            .fetch_all(&self.pool)
            .await
            .map_err(LedgerError::while_doing("read the numbers"))?;
        let number = |row: &AnyRow| {
            let year: i64 = row.try_get(0).map_err(corrupt)?;
            Ok(Number { year: i32::try_from(year).map_err(corrupt)?, sequence })
        };
        rows.iter().map(number).collect()
    }

    /// A page of the emails of a state, or of all.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub async fn emails_page(
        &self,
        state: Option<LetterState>,
        after: Option<&str>,
        slice: Slice,
    ) -> Result<Page<ListedEmail, String>, LedgerError> {
        let (behind, order) = slice.order.words();
        let mut all = Conditions::default();
        if let Some(state) = state {
            let state = all.value(&state.key());
            all.words.push(format!("o.state = {state}"));
        }
        if let Some(after) = after {
            let after = all.value(&after);
            all.words.push(format!("o.id {behind} {after}"));
        }
        let condition = match all.words.as_slice() {
            [] => String::new(),
            words => format!("WHERE {}", words.join(" AND ")),
        };
        let sql = format!("{LISTED} {condition} ORDER BY o.id {order} LIMIT {}", slice.most + 1);
        let values = all.values.into_iter();
        let rows = values
            .fold(sqlx::query(AssertSqlSafe(sql)), sqlx::query::Query::bind)
            .fetch_all(&self.pool)
            .await
            .map_err(LedgerError::while_doing("read the outbox"))?;
        let rows: Vec<ListedEmail> = rows.iter().map(listed_email).collect::<Result<_, _>>()?;
        Ok(Page::of(rows, slice.most, |email| email.id.clone()))
    }

    /// How many emails failed, and how many are on their way.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub async fn emails_in_hand(&self) -> Result<InHand, LedgerError> {
        let row = sqlx::query(
            "SELECT (SELECT COUNT(*) FROM outbox WHERE state = 'failed') AS failed,
                 (SELECT COUNT(*) FROM outbox WHERE state = 'pending')
                 + (SELECT COUNT(*) FROM outbox WHERE state = 'sending') AS waiting",
        )
        .fetch_one(&self.pool)
        .await
        .map_err(LedgerError::while_doing("count the emails"))?;
        Ok(InHand { failed: count(&row, "failed")?, waiting: count(&row, "waiting")? })
    }
}

/// Emails that are not over.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct InHand {
    /// They need a person.
    pub failed: u64,
    /// They are sent by themselves.
    pub waiting: u64,
}
