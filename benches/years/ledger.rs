//! A ledger of years: one month really closed by the real command, the others copied from it by SQL with other
//! numbers, months and ids. Copied documents and evidence are shortened; nothing that is measured reads them.

use std::path::Path;

use fecha_core::calendar::month::Month;
use rusqlite::Connection;

use super::generator::MONTH;

/// Invoices of the month that was closed carry this prefix.
const YEAR: &str = "2026-";
/// Of the emails of the month that was closed, so many failed.
const FAILED: usize = 5;
/// So many dealerships have a credit, in each month.
const CREDITS: usize = 10;

/// Makes the closed month one of long ago: its emails are sent, but a few that failed.
pub fn settle(ledger: &Path) {
    let database = open(ledger);
    let sql = format!(
        "UPDATE outbox SET state = 'sent', attempts = 1, first_attempt_at = created_at,
             sent_at = created_at, next_attempt_at = NULL;
         UPDATE outbox SET state = 'failed', sent_at = NULL, last_error = '550 5.1.1 no such user'
         WHERE id IN (SELECT id FROM outbox WHERE kind = 'invoice' ORDER BY id LIMIT {FAILED});
         INSERT INTO adjustment (id, dealership_id, month, amount, description, entered_by, entered_at, number)
         SELECT ROW_NUMBER() OVER (ORDER BY number), dealership_id, month, -100, 'Cortesia', 'ana',
             '2026-10-12T12:00:00.000Z', number FROM invoice ORDER BY number LIMIT {CREDITS};
         INSERT INTO meta (name, value) VALUES ('last_adjustment', '1000000')"
    );
    database.execute_batch(&sql).expect("a settled month");
    if columns(&database, "adjustment").iter().any(|name| name == "taken_back") {
        let sql = "UPDATE adjustment SET taken_back = amount";
        database.execute_batch(sql).expect("credits that do not wait");
    }
}

/// How many invoices of the month that was closed have a revision.
pub fn revised(ledger: &Path) -> i64 {
    let sql = format!("SELECT COUNT(*) FROM revision WHERE revision > 0 AND number LIKE '{YEAR}%'");
    open(ledger).query_row(&sql, [], |row| row.get(0)).expect("a number")
}

/// Adds a late message of a contact of its own to every dealership.
pub fn come_late(messages: &Path) {
    let sql =
        "INSERT INTO message SELECT DISTINCT dealership_id, '5511977777777', 'in', 'session', NULL,
            'delivered', (SELECT MIN(sent_at) FROM message) + 86400000 FROM message";
    open(messages).execute_batch(sql).expect("late messages");
}

/// Copies the ledger and lengthens it to so many months, towards the past.
pub fn lengthen(from: &Path, to: &Path, months: usize) {
    std::fs::copy(from, to).expect("a copy");
    let database = open(to);
    database.pragma_update(None, "synchronous", "OFF").expect("a pragma");
    let mut month: Month = MONTH.parse().expect("a month");
    for index in 1..months {
        month = month.previous();
        let sql = copy(&database, index, &month.to_string());
        database.execute_batch(&format!("BEGIN; {sql}; COMMIT")).expect("a copied month");
    }
    database.execute_batch("ANALYZE").expect("statistics");
}

fn open(path: &Path) -> Connection {
    Connection::open(path).expect("a ledger")
}

/// A table, the columns that get another value, and the rows that are copied.
type Copied<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a str);

/// Inserts all rows of the closed month as those of another one. Tables are copied by the columns that
/// they have, so that it works on a ledger of any version.
fn copy(database: &Connection, index: usize, month: &str) -> String {
    let year = format!("{}-", 1900 + index);
    let renumbered = |column: &str| format!("replace({column}, '{YEAR}', '{year}')");
    let content = format!(
        "replace(replace(content, '\"number\":\"{YEAR}', '\"number\":\"{year}'), '\"month\":\"{MONTH}\"', '\"month\":\"{month}\"')"
    );
    let number = renumbered("number");
    let month = format!("'{month}'");
    let id = format!("'{index:04}' || substr(id, 5)");
    let cause = format!("replace(replace(cause, '{MONTH}#', {month} || '#'), '{YEAR}', '{year}')");
    let message_id = format!("replace(message_id, '<', '<{index}.')");
    let ours = format!("number LIKE '{YEAR}%'");
    let base = format!("month = '{MONTH}'");
    let long_ago = "'2020-01-01T12:00:00.000Z'";
    let short = "substr(bytes, 1, 100)";
    let tables: [Copied<'_>; 8] = [
        ("invoice", &[("number", &number), ("month", &month)], &ours),
        ("revision", &[("number", &number), ("content", &content)], &ours),
        ("file", &[("number", &number), ("bytes", short)], &ours),
        ("closing", &[("month", &month)], &base),
        ("digest", &[("month", &month), ("made_at", long_ago)], &base),
        (
            "outbox",
            &[
                ("id", &id),
                ("number", &number),
                ("cause", &cause),
                ("content", &content),
                ("message_id", &message_id),
                ("state", "'sent'"),
                ("last_error", "NULL"),
            ],
            "id > '0100'",
        ),
        ("audit", &[("id", &id), ("month", &month)], "id > '0100'"),
        (
            "adjustment",
            &[("id", &format!("id + {index} * {CREDITS}")), ("number", &number), ("month", &month)],
            &ours,
        ),
    ];
    let copies = tables.map(|(table, changed, which)| insert(database, table, changed, which));
    format!("{}; {}", copies.join("; "), paid(database, &year, &number, &ours))
}

/// What is long past was paid.
fn paid(database: &Connection, year: &str, number: &str, ours: &str) -> String {
    let long_ago = "'2020-01-01T12:00:00.000Z'";
    if columns(database, "allocation").is_empty() {
        return paid_as_0_1_did(year, number, ours);
    }
    format!(
        "INSERT INTO payment (id, dealership_id, number, paid_on, amount, kind, ordinal, converted, entered_by, entered_at)
         SELECT '{year}' || i.number, i.dealership_id, replace(i.number, '{YEAR}', '{year}'), '2026-10-10', r.total,
             'money', 1, 0, 'ana', {long_ago}
         FROM invoice i JOIN revision r ON r.number = i.number WHERE i.{ours};
         INSERT INTO allocation (payment, number, amount)
         SELECT '{year}' || number, {number}, total FROM revision WHERE {ours} AND total > 0"
    )
}

fn paid_as_0_1_did(year: &str, number: &str, ours: &str) -> String {
    let long_ago = "'2020-01-01T12:00:00.000Z'";
    format!(
        "INSERT INTO payment (id, number, paid_on, amount, entered_by, entered_at)
         SELECT '{year}' || number, {number}, '2026-10-10', (
             SELECT CAST(ROUND(SUM(json_extract(line.value, '$.amount') * 100)) AS INTEGER)
             FROM json_each(content, '$.lines') line), 'ana', {long_ago}
         FROM revision WHERE {ours}"
    )
}

fn insert(database: &Connection, table: &str, changed: &[(&str, &str)], which: &str) -> String {
    let columns = columns(database, table);
    let value = |column: &String| {
        let other = changed.iter().find(|(name, _)| name == column).map(|(_, value)| *value);
        other.unwrap_or(column).to_owned()
    };
    let values: Vec<String> = columns.iter().map(value).collect();
    let (columns, values) = (columns.join(", "), values.join(", "));
    format!("INSERT INTO {table} ({columns}) SELECT {values} FROM {table} WHERE {which}")
}

fn columns(database: &Connection, table: &str) -> Vec<String> {
    let mut statement = database.prepare("SELECT name FROM pragma_table_info(?1)").expect("SQL");
    let names = statement.query_map([table], |row| row.get(0)).expect("a table");
    names.collect::<Result<_, _>>().expect("names")
}
