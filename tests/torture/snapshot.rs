//! What the ledger holds at one instant, read past fecha.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use sha2::{Digest as _, Sha256};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AssertSqlSafe, Connection as _, Executor as _, Row as _};

use super::model::{PaymentRow, Rows, centavos};

/// A revision, by number and revision.
pub type Key = (String, i64);

#[derive(Debug)]
pub struct Invoice {
    pub whose: String,
    pub month: String,
    pub is_void: bool,
}

#[derive(Debug)]
pub struct Revision {
    /// Of invoice, statement and evidence.
    pub sha256: [String; 3],
    pub total: i64,
    pub stands: bool,
}

/// What a revision says, read once when it is new.
#[derive(Debug)]
pub struct Document {
    pub sha256: [String; 3],
    pub total: i64,
    /// Its lines of credits and charges.
    pub adjustments: i64,
    pub uam: i64,
    pub hsm: i64,
    /// The bytes of invoice and statement as they lie in the ledger have these.
    pub files: [String; 2],
    pub buckets_add_up: bool,
}

#[derive(Debug)]
pub struct Email {
    pub kind: String,
    pub cause: String,
    pub message_id: String,
    pub state: String,
    pub maybe_twice: i64,
    pub last_error: Option<String>,
}

#[derive(Debug, Default)]
pub struct Snapshot {
    pub invoices: BTreeMap<String, Invoice>,
    pub revisions: BTreeMap<Key, Revision>,
    pub emails: Vec<Email>,
    /// State and exceptions by month.
    pub closings: BTreeMap<String, (String, Value)>,
    pub counters: BTreeMap<i64, i64>,
    /// Payment, invoice, amount.
    pub allocations: Vec<(String, String, i64)>,
    pub rows: Rows,
    /// Of revisions that were not known.
    pub documents: BTreeMap<Key, Document>,
}

/// Reads it all in one transaction.
pub async fn read(url: &str, known: &BTreeSet<Key>) -> Result<Snapshot, sqlx::Error> {
    let mut ledger = AnyConnection::connect(url).await?;
    let begin = if url.starts_with("postgres") {
        "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
    } else {
        "PRAGMA busy_timeout = 60000; BEGIN"
    };
    ledger.execute(begin).await?;
    let mut snapshot = Snapshot::default();
    snapshot.read_invoices(&mut ledger).await?;
    snapshot.read_emails(&mut ledger).await?;
    snapshot.read_accounts(&mut ledger).await?;
    for key in snapshot.revisions.keys().filter(|key| !known.contains(*key)) {
        let document = document(&mut ledger, key).await?;
        snapshot.documents.insert(key.clone(), document);
    }
    ledger.execute("ROLLBACK").await?;
    ledger.close().await?;
    Ok(snapshot)
}

async fn rows(ledger: &mut AnyConnection, sql: &str) -> Result<Vec<AnyRow>, sqlx::Error> {
    sqlx::query(AssertSqlSafe(sql.to_owned())).fetch_all(ledger).await
}

fn text(row: &AnyRow, index: usize) -> String {
    row.get(index)
}

fn optional(row: &AnyRow, index: usize) -> Option<String> {
    row.get(index)
}

fn number(row: &AnyRow, index: usize) -> i64 {
    row.get(index)
}

impl Snapshot {
    async fn read_invoices(&mut self, ledger: &mut AnyConnection) -> Result<(), sqlx::Error> {
        let sql = "SELECT number, dealership_id, month, cancelled_at FROM invoice";
        for row in rows(ledger, sql).await? {
            let is_void = optional(&row, 3).is_some();
            let invoice = Invoice { whose: text(&row, 1), month: text(&row, 2), is_void };
            self.invoices.insert(text(&row, 0), invoice);
        }
        let sql = "SELECT number, revision, pdf_sha256, statement_sha256, evidence_sha256, total, superseded_at FROM revision";
        for row in rows(ledger, sql).await? {
            let number_of = text(&row, 0);
            let is_void = self.invoices.get(&number_of).is_none_or(|invoice| invoice.is_void);
            let revision = Revision {
                sha256: [text(&row, 2), text(&row, 3), text(&row, 4)],
                total: number(&row, 5),
                stands: !is_void && optional(&row, 6).is_none(),
            };
            self.revisions.insert((number_of, number(&row, 1)), revision);
        }
        for row in rows(ledger, "SELECT month, state, exceptions FROM closing").await? {
            let exceptions = serde_json::from_str(&text(&row, 2)).unwrap_or_default();
            self.closings.insert(text(&row, 0), (text(&row, 1), exceptions));
        }
        for row in rows(ledger, "SELECT year, next FROM counter").await? {
            self.counters.insert(number(&row, 0), number(&row, 1));
        }
        Ok(())
    }

    async fn read_emails(&mut self, ledger: &mut AnyConnection) -> Result<(), sqlx::Error> {
        let sql = "SELECT kind, cause, message_id, state, maybe_twice, last_error FROM outbox";
        for row in rows(ledger, sql).await? {
            self.emails.push(Email {
                kind: text(&row, 0),
                cause: text(&row, 1),
                message_id: text(&row, 2),
                state: text(&row, 3),
                maybe_twice: number(&row, 4),
                last_error: optional(&row, 5),
            });
        }
        Ok(())
    }

    async fn read_accounts(&mut self, ledger: &mut AnyConnection) -> Result<(), sqlx::Error> {
        let sql = "SELECT p.reference, p.id, p.dealership_id, p.number, p.amount, p.kind, p.undone_at,
                       i.cancelled_at, CAST((SELECT MAX(r.revision) FROM revision r WHERE r.number = p.number) AS BIGINT)
                   FROM payment p LEFT JOIN invoice i ON i.number = p.number";
        for row in rows(ledger, sql).await? {
            let revision: Option<i64> = row.get(8);
            self.rows.payments.push(PaymentRow {
                reference: optional(&row, 0).unwrap_or_default(),
                id: text(&row, 1),
                whose: text(&row, 2),
                number: optional(&row, 3),
                amount: number(&row, 4),
                kind: text(&row, 5),
                undone: optional(&row, 6).is_some(),
                unsettled: optional(&row, 7).is_some() || revision > Some(0),
            });
        }
        for row in rows(ledger, "SELECT payment, number, amount FROM allocation").await? {
            self.allocations.push((text(&row, 0), text(&row, 1), number(&row, 2)));
        }
        let sql = "SELECT r.reason, r.id, r.dealership_id,
                       CAST(COALESCE((SELECT SUM(p.amount) FROM refund_part p WHERE p.refund = r.id), 0) AS BIGINT)
                   FROM refund r";
        for row in rows(ledger, sql).await? {
            let refund = (text(&row, 0), text(&row, 1), text(&row, 2), number(&row, 3));
            self.rows.refunds.push(refund);
        }
        let sql = "SELECT description, id, dealership_id, amount, taken_back FROM adjustment";
        for row in rows(ledger, sql).await? {
            let note =
                (text(&row, 0), number(&row, 1), text(&row, 2), number(&row, 3), number(&row, 4));
            self.rows.notes.push(note);
        }
        Ok(())
    }
}

async fn document(
    ledger: &mut AnyConnection,
    (of, revision): &Key,
) -> Result<Document, sqlx::Error> {
    let sql = "SELECT content, pdf_sha256, statement_sha256, evidence_sha256 FROM revision
               WHERE number = $1 AND revision = $2";
    let row = sqlx::query(sql).bind(of.clone()).bind(*revision).fetch_one(&mut *ledger).await?;
    let content: Value = serde_json::from_str(&text(&row, 0)).unwrap_or_default();
    let lines = content["lines"].as_array().cloned().unwrap_or_default();
    let amount = |line: &Value| centavos(&line["amount"]);
    let usage = &content["usage"];
    let buckets = usage["buckets"].as_object();
    let in_buckets = buckets.map(|all| all.values().filter_map(Value::as_i64).sum::<i64>());
    let counted = usage["buckets"]["counted"].as_i64();
    let exchanged = usage["received"].as_i64().zip(usage["sent"].as_i64());
    let adjustments = lines.iter().filter(|line| line["item"] == "adjustment");
    Ok(Document {
        sha256: [text(&row, 1), text(&row, 2), text(&row, 3)],
        total: lines.iter().map(amount).sum(),
        adjustments: adjustments.map(amount).sum(),
        uam: usage["uam"].as_i64().unwrap_or(-1),
        hsm: usage["hsm"].as_i64().unwrap_or(-1),
        files: [
            file(ledger, of, *revision, "invoice").await?,
            file(ledger, of, *revision, "statement").await?,
        ],
        buckets_add_up: in_buckets >= counted && counted == exchanged.map(|(a, b)| a + b),
    })
}

/// The SHA-256 of a file as the ledger has it.
pub async fn file(
    ledger: &mut AnyConnection,
    of: &str,
    revision: i64,
    kind: &str,
) -> Result<String, sqlx::Error> {
    let sql = "SELECT bytes FROM file WHERE number = $1 AND revision = $2 AND kind = $3";
    let query = sqlx::query(sql).bind(of.to_owned()).bind(revision).bind(kind.to_owned());
    let Some(row) = query.fetch_optional(ledger).await? else { return Ok("none".to_owned()) };
    let bytes: Vec<u8> = row.get(0);
    Ok(sha256(&bytes))
}

pub fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}
