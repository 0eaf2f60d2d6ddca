//! How the month is found and read: on how many connections, and in which order. It makes no difference
//! to what is counted.

use std::collections::HashSet;
use std::num::NonZeroU8;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread::{self, ThreadId};
use std::time::Duration;

use fecha::messages::Source;
use rstest::rstest;

use super::{DAY, count, counter, generated, now, october, read, start};
use crate::support::mariadb::MariaDb;
use crate::support::message_db::Engine::{MariaDb as Maria, Postgres as Pg, Sqlite};
use crate::support::message_db::MessageDb;
use crate::support::postgres::Postgres;

fn source(url: &str, relation: &str, connections: u8) -> Source {
    let connections = NonZeroU8::new(connections).unwrap();
    Source::parse(url, relation, Path::new(""), connections).unwrap()
}

/// A login that may hold one connection is read by one, and what it reads is the same.
#[tokio::test]
async fn postgres_is_read_by_as_many_connections_as_are_to_be_had() {
    let database = MessageDb::new(Pg);
    database.insert(&generated(600));
    let role = Postgres::shared().unique("single");
    database.sql(&format!(
        "CREATE ROLE {role} LOGIN CONNECTION LIMIT 1; GRANT SELECT ON message TO {role}"
    ));
    let single = Postgres::shared().url_of(&role, &database.name);
    let expected = count(&database).await;
    for connections in [1, 2, 7] {
        for url in [&database.url(), &single] {
            let found = read(&source(url, "message", connections)).await.unwrap().count;
            assert_eq!(found.tallies, expected.tallies);
            assert_eq!(found.windows, expected.windows);
        }
    }
}

/// The threads that read, which report what they have read.
async fn threads_that_read(source: &Source) -> usize {
    let threads: Arc<Mutex<HashSet<ThreadId>>> = Arc::default();
    let seen = Arc::clone(&threads);
    let progress = move |_rows| {
        seen.lock().unwrap().insert(thread::current().id());
    };
    source.count(counter(), now(), progress).await.unwrap();
    let mut threads = threads.lock().unwrap();
    threads.remove(&thread::current().id()); // reports the rest, at the end
    threads.len()
}

#[rstest]
#[case("DELETE")]
#[case("WAL")]
#[tokio::test]
async fn sqlite_is_read_by_several_connections_where_an_index_leads_to_the_month(
    #[case] journal: &str,
) {
    let database = MessageDb::new(Sqlite);
    database.sql(&format!("PRAGMA journal_mode = {journal}"));
    database.insert(&generated(600));
    database.sql(&format!(
        "INSERT INTO message SELECT 'd1', '55489' || (80000000 + n.i % 700), 'in', 'session', NULL, NULL,
                {} + n.i % 30 * {DAY}
         FROM (WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 60000)
               SELECT i FROM n) AS n",
        start()
    ));
    let url = database.url();
    let expected = read(&source(&url, "message", 1)).await.unwrap().count;
    let threads = threads_that_read(&source(&url, "message", 3)).await;
    assert_eq!(threads, 1, "each would look through the whole table");
    database.sql("CREATE INDEX message_sent_at ON message (sent_at)");
    for connections in [1, 2, 3] {
        let source = source(&url, "message", connections);
        let found = read(&source).await.unwrap().count;
        assert_eq!(found.tallies, expected.tallies);
        assert_eq!(found.windows, expected.windows);
        assert_eq!(threads_that_read(&source).await, usize::from(connections));
    }
}

/// Whatever a table is kept in the order of, and whatever its columns are called.
#[rstest]
#[case::as_they_were_sent("ORDER BY sent_at", "")]
#[case::in_any_order("ORDER BY contact, sent_at", "")]
#[case::a_column_hides_the_rowid("ORDER BY sent_at", "rowid")]
#[case::it_is_hidden_by_all_names("ORDER BY sent_at", "rowid, _rowid_, OID")]
#[case::numbered("ORDER BY sent_at", "number INTEGER PRIMARY KEY")]
#[case::without_rowids("ORDER BY sent_at", "WITHOUT ROWID")]
#[tokio::test]
async fn sqlites_tables_of_any_kind_are_read_whole(#[case] order: &str, #[case] columns: &str) {
    let database = MessageDb::new(Sqlite);
    database.insert(&generated(600));
    let columns_of = "dealership_id, contact, direction, kind, template, status, sent_at INTEGER";
    let names = columns_of.replace(" INTEGER", "");
    let create = match columns {
        "" => format!("CREATE TABLE other ({columns_of})"),
        "WITHOUT ROWID" => format!(
            "CREATE TABLE other (number INTEGER PRIMARY KEY DEFAULT (abs(random())), {columns_of}) WITHOUT ROWID"
        ),
        own => format!("CREATE TABLE other ({columns_of}, {own})"),
    };
    database.sql(&create);
    database.sql(&format!("INSERT INTO other ({names}) SELECT {names} FROM message {order}"));
    // Some were deleted since, some are of other months.
    database
        .sql("DELETE FROM other WHERE sent_at % 7 = 3; DELETE FROM message WHERE sent_at % 7 = 3");
    database.sql(
        "CREATE INDEX other_sent_at ON other (sent_at); CREATE VIEW view AS SELECT * FROM other",
    );
    let url = database.url();
    let expected = count(&database).await;
    assert!(expected.buckets().total() > 100);
    for (relation, connections) in
        [("other", 1), ("other", 2), ("OTHER", 5), ("main.other", 2), ("view", 2)]
    {
        let found = read(&source(&url, relation, connections)).await.unwrap().count;
        assert_eq!(found.tallies, expected.tallies, "{relation}");
        assert_eq!(found.windows, expected.windows, "{relation}");
    }
}

/// A writer adds a message at the start of the month and one at its end, always both at once. Readers
/// of the two slices that saw different moments would count more of one than of the other.
#[rstest]
#[case("DELETE")]
#[case("WAL")]
#[tokio::test]
async fn sqlites_readers_see_the_same_moment(#[case] journal: &str) {
    const PAIRS: u64 = 1_500;
    let database = MessageDb::new(Sqlite);
    database.sql("CREATE INDEX message_sent_at ON message (sent_at)");
    let path = database.path();
    let set_up = format!("PRAGMA journal_mode = {journal}; PRAGMA synchronous = OFF");
    let pair = [start(), october().end.timestamp_millis() - 1]
        .map(|at| format!("('D1', '5548999990001', 'in', 'session', NULL, NULL, {at})"));
    let insert = format!("INSERT INTO message VALUES {}", pair.join(", "));
    // Before anybody reads: who changes the journal waits for nobody.
    let connection = rusqlite::Connection::open(path).unwrap();
    connection.busy_timeout(Duration::from_secs(30)).unwrap();
    connection.execute_batch(&set_up).unwrap();
    let writer = thread::spawn(move || {
        for _ in 0..PAIRS {
            connection.execute_batch(&insert).unwrap();
            thread::sleep(Duration::from_micros(100));
        }
    });
    let source = source(&database.url(), "message", 2);
    let mut moments = HashSet::new();
    while !writer.is_finished() {
        let buckets = read(&source).await.unwrap().count.buckets();
        assert_eq!(buckets.total() % 2, 0, "{buckets:?}");
        moments.insert(buckets.total());
    }
    writer.join().unwrap();
    assert_eq!(read(&source).await.unwrap().count.buckets().total(), 2 * PAIRS);
    assert!(moments.len() > 10, "{moments:?}");
}

/// The query for messages that MariaDB was asked while `relation` was counted, by a login that has this
/// right alone; the count equals `message`'s.
async fn query_for(database: &MessageDb, relation: &str, right: &str) -> String {
    let expected = count(database).await;
    let login = MariaDb::shared().unique("counts");
    let name = &database.name;
    database.sql(&format!("CREATE USER {login}; GRANT {right} TO {login}"));
    // Other tests may do the same at the same server: nobody turns it off.
    database.sql("SET GLOBAL log_output = 'TABLE'; SET GLOBAL general_log = 1");
    let url = MariaDb::shared().url_of(&login, name);
    let found = read(&source(&url, relation, 1)).await.unwrap().count;
    assert_eq!(found.tallies, expected.tallies, "{relation}");
    assert_eq!(found.windows, expected.windows, "{relation}");
    let queries = database.sql(&format!(
        "SELECT argument FROM mysql.general_log WHERE user_host LIKE '{login}[%'
            AND argument LIKE 'SELECT dealership_id, contact%WHERE%'"
    ));
    assert_eq!(queries.lines().count(), 1, "{queries}");
    queries
}

/// A table as it is in real life: numbered as the messages are sent.
fn numbered(database: &MessageDb, name: &str, key: &str) {
    database.sql(&format!(
        "CREATE TABLE {name} ({key}, INDEX (sent_at)) SELECT message.* FROM message ORDER BY sent_at"
    ));
}

const ID: &str = "id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY";

#[rstest]
#[case::plain(ID)]
#[case::signed("`n``o` INT NOT NULL AUTO_INCREMENT PRIMARY KEY")]
#[case::first_of_two(
    "id BIGINT NOT NULL AUTO_INCREMENT, shard INT NOT NULL DEFAULT 1, PRIMARY KEY (id, shard)"
)]
#[tokio::test]
async fn mariadb_reads_the_range_of_numbers_that_the_month_has(#[case] key: &str) {
    let database = MessageDb::new(Maria);
    database.insert(&generated(2000));
    numbered(&database, "numbered", key);
    let name = &database.name;
    for relation in ["numbered", &format!("{name}.numbered")] {
        let query = query_for(&database, relation, &format!("SELECT ON {name}.*")).await;
        assert!(query.contains("FORCE INDEX (PRIMARY) WHERE"), "{query}");
        let plan = database.sql(&format!("EXPLAIN {query}"));
        assert!(plan.contains("range\tPRIMARY\tPRIMARY"), "{plan}");
    }
}

#[rstest]
#[case::no_key("index_only INT NULL")]
#[case::text("id VARCHAR(36) NOT NULL DEFAULT UUID() PRIMARY KEY")]
#[case::second(
    "shard INT NOT NULL DEFAULT 1, id CHAR(36) NOT NULL DEFAULT UUID(), PRIMARY KEY (id, shard)"
)]
#[tokio::test]
async fn mariadb_finds_the_month_by_its_time_where_there_are_no_numbers(#[case] key: &str) {
    let database = MessageDb::new(Maria);
    database.insert(&generated(600));
    numbered(&database, "numbered", key);
    let all = format!("SELECT ON {}.*", database.name);
    let query = query_for(&database, "numbered", &all).await;
    assert!(!query.contains("PRIMARY"), "{query}");
}

/// Views, numbers that are not ours to read, a month that is strewn over the table.
#[tokio::test]
async fn mariadb_finds_the_month_by_its_time_where_numbers_do_not_help() {
    let database = MessageDb::new(Maria);
    database.insert(&generated(600));
    numbered(&database, "numbered", ID);
    let name = &database.name;
    let all = format!("SELECT ON {name}.*");
    database.sql("CREATE VIEW seen AS SELECT * FROM numbered");
    for relation in ["seen", "(SELECT * FROM numbered)"] {
        let query = query_for(&database, relation, &all).await;
        assert!(!query.contains("PRIMARY"), "{query}");
    }

    let columns = "dealership_id, contact, direction, kind, template, status, sent_at";
    let some = format!("SELECT ({columns}) ON {name}.numbered");
    let query = query_for(&database, "numbered", &some).await;
    assert!(!query.contains("PRIMARY"), "{query}");

    // One message that was added years later.
    database.sql(
        "UPDATE numbered SET id = 18446744073709551000
         WHERE sent_at BETWEEN '2026-10-10' AND '2026-10-11' ORDER BY sent_at LIMIT 1",
    );
    let query = query_for(&database, "numbered", &all).await;
    assert!(!query.contains("PRIMARY"), "{query}");
}
