//! What is open of each invoice and what waits of each payment, as columns that the database itself keeps: a list
//! of what is open then costs as much as there is of it, and not as much as was ever issued.

use super::{Engine, Ledger, LedgerError, Transaction};
use sqlx::{AssertSqlSafe, Row as _};

/// Of a row of `invoice`.
const OPEN: &str = "CASE WHEN invoice.cancelled_at IS NOT NULL THEN 0 ELSE CAST(
         COALESCE((SELECT MAX(r.total) FROM revision r WHERE r.number = invoice.number AND r.superseded_at IS NULL), 0)
         - COALESCE((SELECT SUM(a.amount) FROM allocation a WHERE a.number = invoice.number), 0) AS BIGINT) END";

/// Of a row of `payment`.
const WAITING: &str = "CASE WHEN payment.kind <> 'money' OR payment.undone_at IS NOT NULL THEN 0 ELSE CAST(
         payment.amount - payment.converted
         - COALESCE((SELECT SUM(a.amount) FROM allocation a WHERE a.payment = payment.id), 0)
         - COALESCE((SELECT SUM(x.amount) FROM refund_part x WHERE x.payment = payment.id), 0) AS BIGINT) END";

/// Whatever changes a copy.
struct Change {
    name: &'static str,
    event: &'static str,
    on: &'static str,
    /// The columns that name the invoice and the payment whose copies change.
    invoice: Option<&'static str>,
    payment: Option<&'static str>,
}

const CHANGES: [Change; 11] = [
    change("allocated", "INSERT", "allocation", Some("number"), Some("payment")),
    change("reallocated", "UPDATE", "allocation", Some("number"), Some("payment")),
    change("freed", "DELETE", "allocation", Some("number"), Some("payment")),
    change("refunded", "INSERT", "refund_part", None, Some("payment")),
    change("repaid", "UPDATE", "refund_part", None, Some("payment")),
    change("unrefunded", "DELETE", "refund_part", None, Some("payment")),
    change("paid", "INSERT", "payment", None, Some("id")),
    change("undone", "UPDATE OF undone_at, converted", "payment", None, Some("id")),
    change("issued", "INSERT", "revision", Some("number"), None),
    change("superseded", "UPDATE OF superseded_at, total", "revision", Some("number"), None),
    change("void", "UPDATE OF cancelled_at", "invoice", Some("number"), None),
];

const fn change(
    name: &'static str,
    event: &'static str,
    on: &'static str,
    invoice: Option<&'static str>,
    payment: Option<&'static str>,
) -> Change {
    Change { name, event, on, invoice, payment }
}

/// Only on PostgreSQL: the functions of the triggers.
pub(super) fn functions() -> String {
    let function = |change: &Change| {
        format!(
            "CREATE OR REPLACE FUNCTION fecha_open_{}() RETURNS trigger LANGUAGE plpgsql AS
             $$ BEGIN {} RETURN NULL; END $$;",
            change.name,
            change.copies()
        )
    };
    CHANGES.iter().map(function).collect()
}

/// Name and SQL of each trigger.
pub(super) fn triggers(engine: Engine) -> Vec<(String, String)> {
    CHANGES.iter().map(|change| change.trigger(engine)).collect()
}

/// Writes the copies that are another amount than their rows come to: those of what was there before the triggers
/// were, in the transaction that makes them; and those that somebody wrote past them, whose accounts are locked.
/// Their numbers and payments.
pub(crate) async fn fill(transaction: &mut Transaction) -> Result<Vec<String>, LedgerError> {
    let failed = LedgerError::while_doing("fill what is open");
    let mut written = Vec::new();
    for sql in [
        format!("UPDATE invoice SET open = {OPEN} WHERE open <> {OPEN} RETURNING number"),
        format!("UPDATE payment SET waiting = {WAITING} WHERE waiting <> {WAITING} RETURNING id"),
    ] {
        let rows = sqlx::query(AssertSqlSafe(sql)).fetch_all(&mut **transaction).await;
        let rows = rows.map_err(&failed)?;
        let names = rows.iter().map(|row| row.try_get::<String, _>(0).map_err(&failed));
        let mut names: Vec<String> = names.collect::<Result<_, _>>()?;
        names.sort();
        written.append(&mut names);
    }
    Ok(written)
}

impl Change {
    fn copies(&self) -> String {
        let row = if self.event == "DELETE" { "OLD" } else { "NEW" };
        let invoice = self
            .invoice
            .map(|key| format!("UPDATE invoice SET open = {OPEN} WHERE number = {row}.{key};"));
        let payment = self
            .payment
            .map(|key| format!("UPDATE payment SET waiting = {WAITING} WHERE id = {row}.{key};"));
        [invoice, payment].into_iter().flatten().collect()
    }

    fn trigger(&self, engine: Engine) -> (String, String) {
        let Self { name, event, on, .. } = self;
        let trigger = format!("fecha_keeps_open_{name}");
        let sql = match engine {
            Engine::Sqlite => format!(
                "CREATE TRIGGER IF NOT EXISTS {trigger} AFTER {event} ON {on} BEGIN {} END",
                self.copies()
            ),
            Engine::Postgres => format!(
                "CREATE TRIGGER {trigger} AFTER {event} ON {on}
                 FOR EACH ROW EXECUTE FUNCTION fecha_open_{name}()"
            ),
        };
        (trigger, sql)
    }
}

impl Ledger {
    /// Numbers whose copy of what is open, and payments whose copy of what waits, is another amount than their
    /// rows come to, each with its dealership: somebody wrote past the triggers.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub async fn wrong_copies(&self) -> Result<Vec<(String, String)>, LedgerError> {
        let failed = LedgerError::while_doing("compare what is open");
        let mut wrong = Vec::new();
        for sql in [
            format!(
                "SELECT number, dealership_id FROM invoice WHERE open <> {OPEN} ORDER BY number"
            ),
            format!("SELECT id, dealership_id FROM payment WHERE waiting <> {WAITING} ORDER BY id"),
        ] {
            let rows = sqlx::query(AssertSqlSafe(sql)).fetch_all(&self.pool).await;
            for row in rows.map_err(&failed)? {
                let text = |index: usize| row.try_get(index).map_err(&failed);
                wrong.push((text(0)?, text(1)?));
            }
        }
        Ok(wrong)
    }
}
