//! Messages spread over three PostgreSQL servers: they are grouped there, and the invoices are those
//! that one server gives.

use serde_json::Value;

use crate::support::message_db::{Engine, MessageDb};
use crate::support::postgres::Postgres;
use crate::support::reseller::{LedgerKind, Reseller};

/// 24 dealerships with 288 contacts in several spellings, the edges of four zones, every bucket.
const MESSAGES: &str = "INSERT INTO message
    SELECT 'd' || n % 24,
           CASE n % 7 WHEN 0 THEN 'whatsapp:+55489' ELSE '55489' END || 90000000 + n % 288,
           CASE n / 288 % 2 WHEN 0 THEN 'in' ELSE 'out' END,
           CASE n / 576 % 5 WHEN 0 THEN 'carrier pigeon' WHEN 1 THEN 'session' ELSE 'hsm' END,
           CASE WHEN n / 576 % 5 > 1 THEN 'revisao_' || n / 576 % 5 END,
           CASE n / 2880 % 4 WHEN 0 THEN 'failed' WHEN 1 THEN NULL ELSE 'delivered' END,
           timestamptz '2026-10-01 00:00:00+00' + n * interval '100 seconds'
      FROM generate_series(0, 27999) AS n";

/// The coordinator's table has a partition on each of these.
struct Shards(Vec<Postgres>);

impl Shards {
    /// Three servers, and `coordinator` made to see them as one table.
    fn behind(coordinator: &MessageDb) -> Self {
        coordinator.sql(
            "CREATE EXTENSION postgres_fdw;
             CREATE TABLE message (dealership_id text, contact text, direction text, kind text,
                 template text, status text, sent_at timestamptz) PARTITION BY HASH (dealership_id)",
        );
        let shards: Vec<Postgres> = (0..3).map(|_| Postgres::start()).collect();
        for (number, shard) in shards.iter().enumerate() {
            shard.sql(
                "postgres",
                "CREATE TABLE message (dealership_id text, contact text, direction text, kind text,
                     template text, status text, sent_at timestamptz NOT NULL)",
            );
            shard.sql("postgres", "ALTER SYSTEM SET log_statement = 'all'");
            shard.sql("postgres", "SELECT pg_reload_conf()");
            let port = shard.port();
            coordinator.sql(&format!(
                "CREATE SERVER shard{number} FOREIGN DATA WRAPPER postgres_fdw
                     OPTIONS (host '127.0.0.1', port '{port}', dbname 'postgres', async_capable 'true',
                              fetch_size '10000', batch_size '1000', use_remote_estimate 'true');
                 CREATE USER MAPPING FOR postgres SERVER shard{number} OPTIONS (user 'postgres');
                 CREATE FOREIGN TABLE message{number} PARTITION OF message
                     FOR VALUES WITH (MODULUS 3, REMAINDER {number})
                     SERVER shard{number} OPTIONS (table_name 'message')"
            ));
        }
        Self(shards)
    }

    /// How many statements with this in them the shards ran.
    fn ran(&self, part: &str) -> Vec<usize> {
        let lines = |shard: &Postgres| shard.log().lines().filter(|l| l.contains(part)).count();
        self.0.iter().map(lines).collect()
    }
}

fn reseller(messages: &MessageDb) -> Reseller {
    let mut reseller = Reseller::new(LedgerKind::Sqlite);
    reseller.variables.push(("FECHA_MESSAGES__URL".into(), messages.url()));
    let ids: Vec<String> = (0..23).map(|n| format!("d{n}")).collect(); // d23 is unknown
    let zones = ["", "America/Manaus", "America/Rio_Branco", "America/Noronha"];
    let register: Vec<(&str, &str, &str)> = ids
        .iter()
        .zip(zones.iter().cycle())
        .map(|(id, zone)| (id.as_str(), *zone, if id == "d7" { "" } else { "5000" }))
        .collect();
    reseller.register(&register);
    // What cannot be read, and what is alike, is much of so strange a month.
    for limit in ["UNREAD", "ALIKE"] {
        reseller.variables.push((format!("FECHA_CLOSE__AT_MOST_{limit}_PERCENT"), "100".into()));
    }
    reseller
}

/// What of an invoice does not depend on the run: no instant, no key.
fn essence(invoice: &Value) -> Value {
    let keys = ["number", "dealership_id", "month", "uam", "hsm", "package", "total"];
    keys.iter().map(|key| (key.to_string(), invoice[key].clone())).collect()
}

#[test]
fn three_servers_group_their_messages_and_give_the_invoices_of_one() {
    let one = MessageDb::new(Engine::Postgres);
    one.sql(MESSAGES);
    let coordinator = MessageDb::without_table(Engine::Postgres);
    let shards = Shards::behind(&coordinator);
    coordinator.sql(MESSAGES);
    shards.0.iter().for_each(|shard| drop(shard.sql("postgres", "ANALYZE message")));

    let plan = coordinator.sql(
        "SET enable_partitionwise_aggregate = on;
         EXPLAIN (VERBOSE, COSTS OFF)
         SELECT dealership_id, contact, direction, kind, template, status, MIN(sent_at), COUNT(*)
           FROM message WHERE sent_at >= '2026-10-01 03:00+00' AND sent_at < '2026-11-01 03:00+00'
            AND (direction IS NULL OR kind IS NULL OR direction::text <> 'out' OR kind::text <> 'hsm')
          GROUP BY dealership_id, contact, direction, kind, template, status",
    );
    let on_shards = plan.lines().filter(|line| line.contains("Remote SQL")).collect::<Vec<_>>();
    assert_eq!(on_shards.len(), 3, "{plan}");
    assert!(on_shards.iter().all(|sql| sql.contains("GROUP BY")), "{plan}");
    assert_eq!(plan.matches("Async Foreign Scan").count(), 3, "all at once: {plan}");

    let [alone, spread] = [&one, &coordinator].map(reseller);
    let [report, same] = [&alone, &spread].map(|r| r.run(&["close", "--json"]).expect(1).json());
    assert_eq!((&report["held"], &same["held"]), (&Value::Null, &Value::Null));
    assert_eq!(same["messages"], report["messages"]);
    assert_eq!(same["exceptions"], report["exceptions"]);
    let [expected, found] =
        [&alone, &spread].map(|r| r.invoices(&[]).iter().map(essence).collect::<Vec<_>>());
    assert_eq!(expected.len(), 22);
    assert_eq!(found, expected);
    // The bulk of the month and the hours in which only some zones are in it, each grouped.
    assert!(shards.ran("GROUP BY").iter().all(|times| *times >= 3), "{:?}", shards.ran("GROUP BY"));

    // Contact by contact: what one server says today agrees with what three said at the close.
    let mut spread = spread;
    spread.variables.push(("FECHA_MESSAGES__URL".into(), one.url()));
    let verified = spread.run(&["verify", "--month", "2026-10", "--json"]).expect(0).json();
    assert_eq!(verified["agrees"], 22);
}
