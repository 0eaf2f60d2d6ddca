//! `src/ledger/schema.sql`, which explains the ledger, against a ledger that the migrations made: on both
//! engines the same tables, columns and indexes. Comments of migrations that have landed cannot be fixed;
//! those of the schema can.

use std::collections::BTreeSet;

use fecha::ledger::Ledger;
use rusqlite::Connection;

use crate::support::postgres::Postgres;

const SCHEMA: &str = include_str!("../../src/ledger/schema.sql");

/// Columns and indexes, each as a line that says all of it.
fn shape_of_sqlite(database: &Connection) -> BTreeSet<String> {
    let read = |sql: &str| -> Vec<String> {
        let mut query = database.prepare(sql).unwrap();
        query.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    let columns = read(
        "SELECT m.name || '.' || c.name || ' ' || c.type || ' notnull=' || c.\"notnull\" || ' key=' || c.pk
             || ' default=' || COALESCE(c.dflt_value, '')
         FROM sqlite_master m, pragma_table_info(m.name) c
         WHERE m.type = 'table' AND m.name NOT LIKE '\\_sqlx%' ESCAPE '\\'",
    );
    let indexes = read(
        "SELECT m.name || ' ' || CASE WHEN i.origin = 'c' THEN i.name ELSE i.origin END || ' unique='
             || i.\"unique\" || ' partial=' || i.partial || ' ('
             || (SELECT group_concat(x.name) FROM pragma_index_info(i.name) x) || ')'
         FROM sqlite_master m, pragma_index_list(m.name) i
         WHERE m.type = 'table' AND m.name NOT LIKE '\\_sqlx%' ESCAPE '\\'",
    );
    columns.into_iter().chain(indexes).collect()
}

fn shape_of_postgres(database: &str) -> BTreeSet<String> {
    let read = |sql: &str| Postgres::shared().sql(database, sql);
    let columns = read(
        "SELECT table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable || ' '
             || COALESCE(column_default, '')
         FROM information_schema.columns
         WHERE table_schema = 'public' AND table_name NOT LIKE '\\_sqlx%'",
    );
    let indexes = read(
        "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename NOT LIKE '\\_sqlx%'",
    );
    let keys = read(
        "SELECT conrelid::regclass || ' ' || pg_get_constraintdef(oid) FROM pg_constraint
         WHERE contype = 'f' AND connamespace = 'public'::regnamespace",
    );
    format!("{columns}\n{indexes}\n{keys}").lines().map(|line| line.trim_end().to_owned()).collect()
}

#[track_caller]
fn must_agree(explained: &BTreeSet<String>, made: &BTreeSet<String>) {
    let lacks: Vec<&String> = made.difference(explained).collect();
    let too_much: Vec<&String> = explained.difference(made).collect();
    assert!(explained.len() > 100, "the schema was not read: {explained:?}");
    assert!(
        lacks.is_empty() && too_much.is_empty(),
        "schema.sql lacks {lacks:#?}\nand has what no migration makes: {too_much:#?}"
    );
}

#[tokio::test]
async fn explains_what_the_migrations_make_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("fecha.db");
    Ledger::make(&format!("sqlite:{}", file.display())).await.unwrap().close().await;
    let explained = Connection::open_in_memory().unwrap();
    explained.execute_batch(SCHEMA).unwrap();
    must_agree(&shape_of_sqlite(&explained), &shape_of_sqlite(&Connection::open(file).unwrap()));
}

#[tokio::test]
async fn explains_what_the_migrations_make_on_postgresql() {
    let postgres = Postgres::shared();
    let name = |url: &str| url.rsplit('/').next().unwrap().to_owned();
    let (made, explained) = (postgres.create_database("made"), postgres.create_database("said"));
    Ledger::make(&made).await.unwrap().close().await;
    postgres.sql(&name(&explained), SCHEMA);
    must_agree(&shape_of_postgres(&name(&explained)), &shape_of_postgres(&name(&made)));
}

#[test]
fn says_what_each_column_means() {
    let mut silent = Vec::new();
    for line in SCHEMA.lines().filter(|line| line.starts_with("    ")) {
        let is_column = [" TEXT", " BIGINT", " BYTEA"].iter().any(|kind| line.contains(kind));
        if is_column && !line.contains(" -- ") {
            silent.push(line);
        }
    }
    assert!(silent.is_empty(), "columns without a meaning: {silent:#?}");
}
