//! How many connections read, and that it makes no difference.

use std::num::NonZeroU8;
use std::path::Path;

use fecha::messages::Source;

use super::{count, generated, read};
use crate::support::message_db::Engine::{MariaDb as Maria, Postgres as Pg};
use crate::support::message_db::MessageDb;
use crate::support::postgres::Postgres;

/// A login that may hold one connection is read by one, and what it reads is the same.
#[tokio::test]
async fn postgres_is_read_by_as_many_connections_as_are_to_be_had() {
    let database = MessageDb::new(Pg);
    database.insert(&generated(600));
    let role = Postgres::shared().unique("single");
    database.sql(&format!(
        "CREATE ROLE {role} LOGIN CONNECTION LIMIT 1; GRANT SELECT ON message TO {role}"
    ));
    let url = Postgres::shared().url_of(&role, &database.name);
    let expected = count(&database).await;
    for connections in [1, 2, 7] {
        let connections = NonZeroU8::new(connections).unwrap();
        let all = Source::parse(&database.url(), "message", Path::new(""), connections).unwrap();
        let one = Source::parse(&url, "message", Path::new(""), connections).unwrap();
        for source in [all, one] {
            let found = read(&source).await.unwrap().count;
            assert_eq!(found.tallies, expected.tallies);
            assert_eq!(found.windows, expected.windows);
        }
    }
}

/// Those that began at the same place of the binary log share the month.
#[tokio::test]
async fn mariadb_is_read_by_several_connections_with_one_snapshot() {
    let database = MessageDb::new(Maria);
    database.insert(&generated(600));
    let one = NonZeroU8::MIN;
    let alone = Source::parse(&database.url(), "message", Path::new(""), one).unwrap();
    let expected = read(&alone).await.unwrap().count;
    database.sql("SET GLOBAL log_output = 'TABLE'; SET GLOBAL general_log = 1");
    let found = count(&database).await;
    database.sql("SET GLOBAL general_log = 0");
    assert_eq!(found.tallies, expected.tallies);
    assert_eq!(found.windows, expected.windows);
    let readers = database.sql(
        "SELECT COUNT(DISTINCT thread_id) FROM mysql.general_log
          WHERE argument LIKE 'SELECT dealership_id, contact%WHERE sent_at >=%'",
    );
    assert_eq!(readers, "2");
}
