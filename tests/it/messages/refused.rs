//! What is refused, and what the admin is told.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use fecha::messages::{CONNECTIONS, Source, SourceError};
use rstest::rstest;

use super::{DAY, counter, generated, now, read, row, start, uam};
use crate::support::mariadb::MariaDb;
use crate::support::message_db::Engine::{self, MariaDb as Maria, Postgres as Pg, Sqlite};
use crate::support::message_db::{MessageDb, Row};
use crate::support::postgres::Postgres;

async fn error_of(database: &MessageDb, relation: &str) -> SourceError {
    let source = database.source(relation);
    let error = read(&source).await.unwrap_err();
    let checked = source.check().await.unwrap_err();
    assert_eq!(error.to_string(), checked.to_string(), "check says what count would say");
    let text = error.to_string();
    assert!(text.contains(&database.url()), "{text}");
    error
}

#[rstest]
#[tokio::test]
async fn a_missing_relation_is_named(#[values(Sqlite, Pg, Maria)] engine: Engine) {
    let database = MessageDb::without_table(engine);
    for relation in ["mensagens", "(SELECT * FROM mensagens)"] {
        let error = error_of(&database, relation).await;
        assert!(matches!(error, SourceError::NoSuchRelation { .. }), "{error}");
        assert!(error.to_string().contains("mensagens") && !error.is_unreachable(), "{error}");
    }
}

#[rstest]
#[tokio::test]
async fn all_missing_columns_are_named_at_once(#[values(Sqlite, Pg, Maria)] engine: Engine) {
    let database = MessageDb::new(engine);
    let select = "(SELECT dealership_id, contact AS phone, direction, kind, template FROM message)";
    let error = error_of(&database, select).await;
    let SourceError::MissingColumns { columns, .. } = &error else { panic!("{error}") };
    assert_eq!(columns, &["contact", "status", "sent_at"]);
    assert!(error.to_string().contains("contact, status, sent_at"), "{error}");

    // A table that is called like the column it lacks.
    database.sql("CREATE TABLE contact AS SELECT * FROM message");
    database.sql("ALTER TABLE contact DROP COLUMN contact");
    let error = error_of(&database, "contact").await;
    let SourceError::MissingColumns { columns, .. } = &error else { panic!("{error}") };
    assert_eq!(columns, &["contact"]);
}

#[rstest]
#[case(Pg, "timestamp(3)", "'2026-10-02 00:00:00'", "timestamp without time zone")]
#[case(Pg, "bigint", "1791000000000", "bigint")]
#[case(Pg, "text", "'2026-10-02T00:00:00Z'", "text")]
#[case(Pg, "date", "'2026-10-02'", "date")]
#[case(Maria, "BIGINT", "1791000000000", "BIGINT")]
#[case(Maria, "VARCHAR(30)", "'2026-10-02 00:00:00'", "VARCHAR")]
#[case(Maria, "DATE", "'2026-10-02'", "DATE")]
#[case(
    Sqlite,
    "TEXT",
    "'2026-10-02T00:00:00Z'",
    "text in 1 row(s), such as '2026-10-02T00:00:00Z'"
)]
#[case(Sqlite, "TEXT", "1791000000000", "text in 1 row(s), such as '1791000000000'")]
#[case(Sqlite, "DATETIME", "'2026-10-02 00:00'", "text in 1 row(s)")]
#[case(Sqlite, "BLOB", "x'00'", "blob in 1 row(s), such as X'00'")]
#[case(Sqlite, "INTEGER", "1791000000000.5", "Real(1791000000000.5)")]
#[tokio::test]
async fn another_type_of_sent_at_is_refused(
    #[case] engine: Engine,
    #[case] of_type: &str,
    #[case] value: &str,
    #[case] found: &str,
) {
    let database = MessageDb::without_table(engine);
    database.create_table("message", of_type);
    database.sql(&format!(
        "INSERT INTO message VALUES ('d1', '5548999990001', 'in', 'session', NULL, NULL, {value})"
    ));
    let error = read(&database.source("message")).await.unwrap_err();
    assert!(matches!(error, SourceError::WrongType { .. }), "{error}");
    assert!(error.to_string().contains(&format!("is {found}")), "{error}");
}

/// What the message about a wrong type advises does work.
#[rstest]
#[case(Pg, "timestamp(3)", "'2026-10-02 00:00:00'", "sent_at AT TIME ZONE 'UTC'")]
#[case(Pg, "bigint", "1790899200000", "to_timestamp(sent_at / 1000.0)")]
#[case(Maria, "BIGINT", "1790899200000", "FROM_UNIXTIME(sent_at / 1000)")]
#[case(Sqlite, "TEXT", "'2026-10-02T00:00:00Z'", "CAST(strftime('%s', sent_at) AS INTEGER) * 1000")]
#[tokio::test]
async fn another_type_of_sent_at_can_be_converted(
    #[case] engine: Engine,
    #[case] of_type: &str,
    #[case] value: &str,
    #[case] conversion: &str,
) {
    let database = MessageDb::without_table(engine);
    database.create_table("message", of_type);
    database.sql(&format!(
        "INSERT INTO message VALUES ('d1', '5548999990001', 'in', 'session', NULL, NULL, {value})"
    ));
    let refused = read(&database.source("message")).await.unwrap_err().to_string();
    assert!(refused.contains(conversion), "{refused}");
    let relation = format!(
        "(SELECT dealership_id, contact, direction, kind, template, status,
          {conversion} AS sent_at FROM message)"
    );
    let reading = read(&database.source(&relation)).await.unwrap();
    assert_eq!(uam(&reading.count), [1, 0, 0]);
    assert_eq!(reading.sources[0].newest, Some("2026-10-02T00:00:00Z".parse().unwrap()));
}

#[rstest]
#[case(Sqlite, "NULL")]
#[case(Pg, "NULL")]
#[case(Maria, "NULL")]
#[case(Maria, "'0000-00-00 00:00:00'")]
#[tokio::test]
async fn a_message_without_its_time_is_refused(#[case] engine: Engine, #[case] no_time: &str) {
    let database = MessageDb::new(engine);
    database.insert(&[row("d1", "5548999990001", start())]);
    let mode = if engine == Maria { "SET sql_mode = '';" } else { "" };
    database.sql(&format!(
        "{mode} INSERT INTO message (dealership_id, direction, sent_at) VALUES ('x', 'in', {no_time}), ('y', 'out', {no_time})"
    ));
    let error = error_of(&database, "message").await;
    assert!(matches!(error, SourceError::NullSentAt { messages: 2, incoming: 1, .. }), "{error}");
    let relation = "(SELECT * FROM message WHERE sent_at IS NOT NULL)";
    if no_time == "NULL" {
        assert_eq!(uam(&read(&database.source(relation)).await.unwrap().count), [1, 0, 0]);
    }
}

#[rstest]
#[tokio::test]
async fn a_relation_that_gives_other_rows_each_time_is_found_out(
    #[values(Sqlite, Pg, Maria)] engine: Engine,
) {
    let database = MessageDb::new(engine);
    let rows: Vec<Row> =
        generated(2000).into_iter().map(|row| Row { sent_at: start() + DAY, ..row }).collect();
    database.insert(&rows);
    let half = match engine {
        Sqlite => "random() % 2 = 0",
        Pg => "random() < 0.5",
        Maria => "RAND() < 0.5",
    };
    let source = database.source(&format!("(SELECT * FROM message WHERE {half})"));
    // One time in eighty two halves are as large as each other.
    let mut found = Vec::new();
    for _ in 0..4 {
        found.push(read(&source).await.err());
    }
    let is_residual = |error: &SourceError| matches!(error, SourceError::Residual { .. });
    assert!(found.iter().flatten().any(is_residual), "{found:?}");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_is_lost_midway_is_a_server_away(#[values(Pg, Maria)] engine: Engine) {
    let database = Arc::new(MessageDb::new(engine));
    database.fill();
    let killer = Arc::clone(&database);
    let progress = move |rows| {
        if rows != 8192 {
            return;
        }
        let name = &killer.name;
        if engine == Pg {
            killer.sql(&format!(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                 WHERE datname = '{name}' AND application_name = 'fecha'"
            ));
        } else {
            let id = killer.sql(&format!(
                "SELECT id FROM information_schema.processlist
                 WHERE db = '{name}' AND id <> CONNECTION_ID()"
            ));
            killer.sql(&format!("KILL {id}"));
        }
    };
    let error = database.source("message").count(counter(), now(), progress).await.unwrap_err();
    assert!(error.is_unreachable(), "{error}");
}

#[rstest]
#[case("postgres://127.0.0.1:1/wa")]
#[case("mysql://127.0.0.1:1/wa")]
#[case("postgres://fecha:s3cret@no-such-host.invalid/wa")]
#[case("mysql://fecha:s3cret@no-such-host.invalid/wa")]
#[tokio::test]
async fn a_server_that_is_away_is_unreachable(#[case] url: &str) {
    let source = Source::parse(url, "message", Path::new(""), CONNECTIONS).unwrap();
    for error in [read(&source).await.unwrap_err(), source.check().await.unwrap_err()] {
        assert!(error.is_unreachable(), "{error}");
        assert!(error.to_string().contains(&source.place().database), "{error}");
        assert!(!error.to_string().contains("s3cret"), "{error}");
    }
}

#[rstest]
#[case(Pg)]
#[case(Maria)]
#[tokio::test]
async fn a_login_without_rights_is_refused(#[case] engine: Engine) {
    let database = MessageDb::new(engine);
    let (login, url) = if engine == Pg {
        let login = Postgres::shared().unique("reader");
        database.sql(&format!("CREATE ROLE {login} LOGIN"));
        let url = Postgres::shared().url_of(&login, &database.name);
        (login, url)
    } else {
        let login = MariaDb::shared().unique("reader");
        database.sql(&format!("CREATE USER {login}; GRANT INSERT ON message TO {login}"));
        let url = MariaDb::shared().url_of(&login, &database.name);
        (login, url)
    };
    let source = Source::parse(&url, "message", Path::new(""), CONNECTIONS).unwrap();
    let error = source.check().await.unwrap_err();
    assert!(
        matches!(error, SourceError::AccessDenied { .. }) && !error.is_unreachable(),
        "{error}"
    );

    // The columns alone are enough.
    let columns = "dealership_id, contact, direction, kind, template, status, sent_at";
    database.sql("ALTER TABLE message ADD COLUMN body VARCHAR(20)");
    database.sql(&format!("GRANT SELECT ({columns}) ON message TO {login}"));
    read(&source).await.unwrap();
}

/// A policy hides a dealership: counted without a word, it would be invoiced with no use.
#[tokio::test]
async fn row_security_that_hides_rows_is_refused() {
    let database = MessageDb::new(Pg);
    database.insert(&[row("d1", "5548999990001", start()), row("D1", "5548999990002", start())]);
    let login = Postgres::shared().unique("reader");
    database.sql(&format!(
        "CREATE ROLE {login} LOGIN; GRANT SELECT ON message TO {login};
         CREATE POLICY only_d1 ON message FOR SELECT TO {login} USING (dealership_id = 'd1');
         CREATE VIEW of_the_owner AS SELECT * FROM message; GRANT SELECT ON of_the_owner TO {login};
         ALTER TABLE message ENABLE ROW LEVEL SECURITY"
    ));
    let url = Postgres::shared().url_of(&login, &database.name);
    let source = |relation| Source::parse(&url, relation, Path::new(""), CONNECTIONS).unwrap();
    for relation in ["message", "(SELECT * FROM message)"] {
        let source = source(relation);
        for error in [read(&source).await.unwrap_err(), source.check().await.unwrap_err()] {
            assert!(matches!(error, SourceError::RowSecurity { .. }), "{error}");
            let text = error.to_string();
            assert!(text.contains("BYPASSRLS") && text.contains(relation), "{text}");
            assert!(!error.is_unreachable(), "{text}");
        }
    }
    // What the error advises does work.
    assert_eq!(uam(&read(&source("of_the_owner")).await.unwrap().count), [1, 1, 0]);
    database.sql(&format!("ALTER ROLE {login} BYPASSRLS"));
    assert_eq!(uam(&read(&source("message")).await.unwrap().count), [1, 1, 0]);
}

/// A limit that the login is given cuts the rows, and not the database's own count of them.
#[tokio::test]
async fn a_limit_of_rows_is_found_out() {
    let database = MessageDb::new(Maria);
    let rows: Vec<Row> =
        generated(200).into_iter().map(|row| Row { sent_at: start() + DAY, ..row }).collect();
    database.insert(&rows);
    let login = MariaDb::shared().unique("limited");
    database.sql(&format!("CREATE USER {login}; GRANT SELECT ON message TO {login}"));
    MariaDb::shared().sql("", &format!("SET GLOBAL init_connect = \"SET SESSION sql_select_limit = IF(USER() LIKE '{login}@%', 100, 18446744073709551615)\""));
    let url = MariaDb::shared().url_of(&login, &database.name);
    let source = Source::parse(&url, "message", Path::new(""), CONNECTIONS).unwrap();
    let error = read(&source).await.unwrap_err();
    MariaDb::shared().sql("", "SET GLOBAL init_connect = ''");
    assert!(matches!(error, SourceError::Residual { .. }), "{error}");
}

#[tokio::test]
async fn a_wrong_password_is_refused() {
    let maria = MariaDb::shared();
    let login = maria.unique("login");
    maria.sql("", &format!("CREATE USER {login} IDENTIFIED BY 'right'"));
    let postgres = Postgres::start(); // of our own: it is to ask for passwords
    postgres.sql("postgres", "CREATE ROLE login LOGIN PASSWORD 'right'");
    let rules = postgres.data().join("pg_hba.conf");
    fs::write(rules, "host all login all scram-sha-256\nhost all all all trust\n").unwrap();
    postgres.sql("postgres", "SELECT pg_reload_conf()");
    for url in [
        maria.url_of(&format!("{login}:s3cret"), "mysql"),
        maria.url_of("nobody", "mysql"),
        postgres.url_of("login:s3cret", "postgres"),
        postgres.url_of("login", "postgres"),
        postgres.url_of("nobody", "postgres"),
    ] {
        let source = Source::parse(&url, "message", Path::new(""), CONNECTIONS).unwrap();
        let error = source.check().await.unwrap_err();
        assert!(matches!(error, SourceError::AccessDenied { .. }), "{url}: {error}");
        assert!(!error.to_string().contains("s3cret"), "{error}");
    }
}

#[rstest]
#[case(Postgres::shared().url("no_such_database"))]
#[case(MariaDb::shared().url("no_such_database"))]
#[case("sqlite:/nowhere/messages.db".to_owned())]
#[tokio::test]
async fn a_missing_database_is_named(#[case] url: String) {
    let source = Source::parse(&url, "message", Path::new(""), CONNECTIONS).unwrap();
    let error = source.check().await.unwrap_err();
    assert!(matches!(error, SourceError::NoSuchDatabase { .. }), "{error}");
    assert!(error.to_string().contains(&url) && !error.is_unreachable(), "{error}");
}

#[tokio::test]
async fn a_missing_file_is_not_created_and_another_file_is_no_database() {
    let folder = tempfile::tempdir().unwrap();
    let source = |file: &str| {
        Source::parse(&format!("sqlite:{file}"), "message", folder.path(), CONNECTIONS)
    };
    let missing = source("messages.db").unwrap();
    assert!(matches!(read(&missing).await, Err(SourceError::NoSuchDatabase { .. })));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);

    fs::write(folder.path().join("notes.txt"), "no database, ".repeat(100)).unwrap();
    let error = read(&source("notes.txt").unwrap()).await.unwrap_err().to_string();
    assert!(error.contains("sqlite:notes.txt") && error.contains("not a database"), "{error}");

    let error = read(&source(".").unwrap()).await.unwrap_err();
    assert!(error.to_string().contains("is a folder"), "{error}");
    assert!(matches!(error, SourceError::NoSuchDatabase { .. }), "{error}");
}

#[rstest]
#[case(
    Pg,
    "CREATE FUNCTION log_read() RETURNS text LANGUAGE plpgsql AS
     $$ BEGIN INSERT INTO message VALUES ('x'); RETURN 'in'; END $$"
)]
#[case(
    Maria,
    "DELIMITER //
     CREATE FUNCTION log_read() RETURNS VARCHAR(20) MODIFIES SQL DATA
     BEGIN INSERT INTO log VALUES (1); RETURN 'in'; END //"
)]
#[tokio::test]
async fn a_relation_that_writes_is_refused(#[case] engine: Engine, #[case] function: &str) {
    let database = MessageDb::new(engine);
    database.insert(&[row("d1", "5548999990001", start())]);
    database.sql("CREATE TABLE log (n INTEGER)");
    database.sql(function);
    let relation = "(SELECT dealership_id, contact, log_read() AS direction, kind, template,
                     status, sent_at FROM message)";
    let error = read(&database.source(relation)).await.unwrap_err();
    assert!(error.to_string().to_lowercase().contains("read"), "{error}");
    assert!(matches!(error, SourceError::Other { .. }), "{error}");
    assert_eq!(database.sql("SELECT COUNT(*) FROM message"), "1");
    assert_eq!(database.sql("SELECT COUNT(*) FROM log"), "0");
}

#[rstest]
#[tokio::test]
async fn a_select_that_is_no_sql_shows_what_the_database_says(
    #[values(Sqlite, Pg, Maria)] engine: Engine,
) {
    let database = MessageDb::new(engine);
    let error = error_of(&database, "(SELECT FROM FROM message)").await;
    assert!(matches!(error, SourceError::Other { .. }), "{error}");
    assert!(error.to_string().contains("syntax"), "{error}");
    let error = database.try_source("message; DROP TABLE message").unwrap_err();
    assert!(matches!(error, SourceError::BadRelation { .. }), "{error}");
}
