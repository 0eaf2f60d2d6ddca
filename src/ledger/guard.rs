//! What is only ever added to, kept so by the database itself: triggers refuse to change or delete an
//! audit entry, an issued revision, a cancellation or one of their files, a group bill, and what a payment or refund was,
//! whoever asks.

use sqlx::{AssertSqlSafe, Row as _};

use super::{Engine, Ledger, LedgerError, guard_account, guard_open};

/// A table that is only added to, and the columns that never change; empty for all of them.
struct Guarded {
    table: &'static str,
    columns: &'static str,
}

/// Columns that are filled once: they never change once the first of them has a value. A trigger of
/// their own, so that it is also made in a ledger that has the others.
const COPIES: &str = "dealership_name, cnpj, package, uam, hsm, package_amount, overage_amount, hsm_amount, other_amount, adjustments_amount, total, due_on, issued_on, unbilled_hsm";

const GUARDED: [Guarded; 12] = [
    Guarded { table: "audit", columns: "" },
    Guarded { table: "file", columns: "" },
    Guarded { table: "dictionary", columns: "" },
    Guarded { table: "cancellation", columns: "" },
    Guarded {
        table: "revision",
        columns: "number, revision, content, evidence_sha256, pdf_sha256, statement_sha256, issued_at, reason, issued_by",
    },
    Guarded { table: "invoice", columns: "number, dealership_id, month" },
    // Taking one back is another column; the bank's reference may come later.
    Guarded {
        table: "payment",
        columns: "id, dealership_id, number, paid_on, amount, kind, ordinal, entered_by, entered_at",
    },
    Guarded { table: "refund", columns: "" },
    Guarded { table: "group_bill", columns: "" },
    Guarded { table: "group_bill_row", columns: "" },
    Guarded { table: "group_payment", columns: "" },
    // The file may be made anew, under its number.
    Guarded { table: "dps", columns: "environment, series, number, invoice, revision" },
];

/// Only on PostgreSQL: one function for all triggers. The lock keeps two processes that open a new
/// ledger at once from making it twice.
const FUNCTION: &str = "SELECT pg_advisory_xact_lock(7234051);
    CREATE OR REPLACE FUNCTION fecha_refuse() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'table % is only added to', TG_TABLE_NAME; END $$";

/// Only on PostgreSQL, which would try to compress again what is compressed already.
const STORAGE: &str = "ALTER TABLE file ALTER COLUMN bytes SET STORAGE EXTERNAL;
    ALTER TABLE dictionary ALTER COLUMN bytes SET STORAGE EXTERNAL";

impl Ledger {
    /// Makes the triggers that are missing. They are no migration, since the two engines spell them
    /// differently.
    pub(super) async fn guard(&self) -> Result<(), LedgerError> {
        let failed = LedgerError::while_doing("guard what is only added to");
        let wanted: Vec<(String, String)> = GUARDED
            .iter()
            .flat_map(|guarded| guarded.triggers(self.engine))
            .chain([copies(self.engine)])
            .chain(guard_account::triggers(self.engine))
            .chain(guard_open::triggers(self.engine))
            .collect();
        let there = self.triggers().await?;
        if wanted.iter().all(|(name, _)| there.contains(name)) {
            return Ok(());
        }
        let mut transaction = self.begin().await?;
        if self.engine == Engine::Postgres {
            let functions = guard_account::functions() + &guard_open::functions();
            let sql = format!("{FUNCTION};\n{functions}\n{STORAGE}");
            sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut *transaction).await.map_err(&failed)?;
        }
        // Asked again under the lock: another process may have made them meanwhile.
        let there = self.triggers().await?;
        for (name, sql) in wanted {
            if !there.contains(&name) {
                sqlx::raw_sql(AssertSqlSafe(sql))
                    .execute(&mut *transaction)
                    .await
                    .map_err(&failed)?;
            }
        }
        guard_open::fill(&mut transaction).await?;
        transaction.commit().await.map_err(&failed)
    }

    /// The names of the guarding triggers that there are.
    async fn triggers(&self) -> Result<Vec<String>, LedgerError> {
        let query = match self.engine {
            Engine::Sqlite => "SELECT name FROM sqlite_master
                 WHERE type = 'trigger' AND name LIKE 'fecha_keeps_%'"
                .to_owned(),
            Engine::Postgres => format!(
                "SELECT CAST(tgname AS TEXT) FROM pg_trigger
                 WHERE tgname LIKE 'fecha_keeps_%' AND tgrelid IN ('audit'::regclass, 'file'::regclass, 'dictionary'::regclass, 'cancellation'::regclass, 'revision'::regclass, 'invoice'::regclass, 'refund'::regclass, 'dps'::regclass, 'group_bill'::regclass, 'group_bill_row'::regclass, 'group_payment'::regclass, {})",
                guard_account::TABLES
            ),
        };
        let failed = LedgerError::while_doing("read the triggers");
        let rows =
            sqlx::query(AssertSqlSafe(query)).fetch_all(&self.pool).await.map_err(&failed)?;
        rows.iter().map(|row| row.try_get(0).map_err(&failed)).collect()
    }
}

/// The trigger that keeps what was filled; it lets rows be filled that are not.
fn copies(engine: Engine) -> (String, String) {
    // Another name than before there was `other_amount`: a ledger that has that trigger gets this one beside it.
    let name = "fecha_keeps_revision_figures".to_owned();
    let when = "OLD.total IS NOT NULL";
    let sql = match engine {
        Engine::Sqlite => format!(
            "CREATE TRIGGER IF NOT EXISTS {name} BEFORE UPDATE OF {COPIES} ON revision WHEN {when}
             BEGIN SELECT RAISE(ABORT, 'table revision is only added to'); END"
        ),
        Engine::Postgres => format!(
            "CREATE TRIGGER {name} BEFORE UPDATE OF {COPIES} ON revision
             FOR EACH ROW WHEN ({when}) EXECUTE FUNCTION fecha_refuse()"
        ),
    };
    (name, sql)
}

impl Guarded {
    /// Name and SQL of each trigger of the table.
    fn triggers(&self, engine: Engine) -> Vec<(String, String)> {
        let Self { table, columns } = self;
        let update = match *columns {
            "" => "UPDATE".to_owned(),
            columns => format!("UPDATE OF {columns}"),
        };
        let events = [("update", update.as_str()), ("delete", "DELETE"), ("truncate", "TRUNCATE")];
        let trigger = |(name, event): (&str, &str)| {
            let name = format!("fecha_keeps_{table}_{name}");
            let sql = match engine {
                Engine::Sqlite => format!(
                    "CREATE TRIGGER IF NOT EXISTS {name} BEFORE {event} ON {table}
                     BEGIN SELECT RAISE(ABORT, 'table {table} is only added to'); END"
                ),
                Engine::Postgres => {
                    let each = if event == "TRUNCATE" { "STATEMENT" } else { "ROW" };
                    format!(
                        "CREATE TRIGGER {name} BEFORE {event} ON {table}
                         FOR EACH {each} EXECUTE FUNCTION fecha_refuse()"
                    )
                }
            };
            (name, sql)
        };
        // SQLite has no TRUNCATE.
        let known = if engine == Engine::Sqlite { 2 } else { 3 };
        events.into_iter().take(known).map(trigger).collect()
    }
}
