//! What is taken for one `SELECT` is what the real engines read as one: fecha's words behind it stay fecha's.

use std::path::Path;

use fecha::messages::{CONNECTIONS, Source};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use rstest::rstest;
use sqlx::{AssertSqlSafe, Connection as _};

use crate::support::message_db::Engine::{self, MariaDb as Maria, Postgres as Pg, Sqlite};
use crate::support::message_db::MessageDb;

/// A `SELECT` of texts, names and comments that hold whatever ends those of one engine or another.
fn selects() -> impl Strategy<Value = String> {
    let piece = proptest::sample::select(vec![
        "a", " ", "'", "''", "\"", "`", "\\", "\\\\", ")", "(", "*/", "/*", "--", "-- ", "#", "$$",
        "\n", ";", "]",
    ]);
    let content = proptest::collection::vec(piece, 0..5).prop_map(|pieces| pieces.concat());
    let around = proptest::sample::select(vec![
        (", '", "'"),
        (", E'", "'"),
        (", E'a'\n'", "'"),
        (", 1 AS \"a", "\""),
        (", 1 AS `a", "`"),
        (", 1 AS [a", "]"),
        (", $$", "$$"),
        (", $a$", "$a$"),
        (", 1 AS a$a$", ""),
        (" /*", "*/"),
        (" --", "\n"),
        (" -- ", "\n"),
        (" #", "\n"),
    ]);
    let item = (around, content)
        .prop_map(|((before, after), content)| format!("{before}{content}{after}"));
    proptest::collection::vec(item, 1..4).prop_map(|items| format!("(SELECT 1{})", items.concat()))
}

/// Asks for a column that there is not, behind the relation; whether the engine missed it, or its other word.
enum Asked {
    Postgres(sqlx::PgConnection),
    Maria(sqlx::MySqlConnection),
    Sqlite(rusqlite::Connection),
}

#[derive(Debug, PartialEq, Eq)]
enum Answer {
    /// It has read to the end.
    MissesTheColumn,
    Refuses,
    /// The condition was swallowed.
    Answers,
}

impl Asked {
    async fn ask(&mut self, relation: &str) -> Answer {
        let sql = format!(
            "SELECT COUNT(*) FROM {relation}\n AS fecha_messages WHERE column_of_fecha = 1"
        );
        let said = match self {
            Self::Postgres(connection) => {
                let result = sqlx::raw_sql(AssertSqlSafe(sql)).execute(connection).await;
                result.err().map(|error| error.to_string())
            }
            Self::Maria(connection) => {
                let result = sqlx::raw_sql(AssertSqlSafe(sql)).execute(connection).await;
                result.err().map(|error| error.to_string())
            }
            Self::Sqlite(connection) => {
                connection.prepare(&sql).err().map(|error| error.to_string())
            }
        };
        let missed = [
            "column \"column_of_fecha\" does not exist",
            "Unknown column 'column_of_fecha'",
            "no such column: column_of_fecha",
        ];
        match said {
            None => Answer::Answers,
            Some(said) if missed.iter().any(|missed| said.contains(missed)) => {
                Answer::MissesTheColumn
            }
            Some(_) => Answer::Refuses,
        }
    }
}

#[rstest]
#[tokio::test]
async fn what_is_taken_is_what_the_engine_reads(#[values(Sqlite, Pg, Maria)] engine: Engine) {
    let database = MessageDb::without_table(engine);
    let url = database.url();
    let mut asked = match engine {
        Pg => Asked::Postgres(sqlx::PgConnection::connect(&url).await.unwrap()),
        Maria => Asked::Maria(sqlx::MySqlConnection::connect(&url).await.unwrap()),
        Sqlite => Asked::Sqlite(rusqlite::Connection::open_in_memory().unwrap()),
    };
    let mut runner = TestRunner::deterministic();
    let (mut read, mut refused) = (0, 0);
    for _ in 0..1500 {
        let select = selects().new_tree(&mut runner).unwrap().current();
        // Names with a dollar, parameters: refused whatever the engine makes of them.
        let is_odd = engine != Pg && select.contains(['$', '#']);
        let is_taken = Source::parse(&url, &select, Path::new(""), CONNECTIONS).is_ok();
        match asked.ask(&select).await {
            Answer::Answers => {
                assert!(!is_taken, "{engine:?} takes fecha's words for its own: {select}");
            }
            Answer::MissesTheColumn => {
                read += 1;
                assert!(is_taken || is_odd, "{engine:?} reads it, fecha does not: {select}");
            }
            Answer::Refuses => refused += u32::from(!is_taken),
        }
    }
    assert!(read > 200 && refused > 200, "{engine:?}: {read} were read, {refused} refused by both");
}

/// In another mode, which a server may have, this text would end.
#[tokio::test]
async fn the_mode_of_the_server_is_heeded() {
    let database = MessageDb::new(Maria);
    let relation = r"(SELECT dealership_id, contact, direction, kind, '\' AS template, status, sent_at FROM message)";
    let error = super::read(&database.source(relation)).await.unwrap_err().to_string();
    assert!(error.contains("does not close"), "{error}");
}
