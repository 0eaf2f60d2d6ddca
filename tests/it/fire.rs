//! A close while messages pour into the month that it closes: it sees one snapshot, and what came later
//! is shown by `verify`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use rstest::rstest;
use serde_json::{Value, json};
use sqlx::{AnyConnection, AssertSqlSafe, Connection as _, Executor as _};
use tokio::task::{JoinHandle, block_in_place};

use crate::support::message_db::{Engine, MessageDb};
use crate::support::reseller::{LedgerKind, Reseller};

/// 2026-10-31 in both zones, an hour and a half before the month ends in Brasília.
const LAST_EVENING: i64 = 1_793_496_600_000;
/// In the last second of Brasília's month.
const LAST_SECOND: i64 = 1_793_501_999_500;
/// What [`MessageDb::fill`] adds, all of one contact.
const FILLED: u64 = 100_000;

/// Writes pairs of messages, one of d1 and one of d2, as fast as the database takes them.
struct Writer {
    /// How many pairs are committed.
    pairs: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
    task: JoinHandle<()>,
}

impl Writer {
    fn start(messages: &Arc<MessageDb>) -> Self {
        let (pairs, stop) = (Arc::<AtomicU64>::default(), Arc::<AtomicBool>::default());
        let (messages, written, stopped) = (messages.clone(), pairs.clone(), stop.clone());
        let task = tokio::spawn(async move {
            let mut database = connect(&messages).await;
            while !stopped.load(Ordering::SeqCst) {
                let contact = 80_000_000 + written.load(Ordering::SeqCst);
                let rows =
                    ["d1", "d2"].map(|id| row(&messages, id, contact, LAST_EVENING)).join(", ");
                run(&mut database, format!("INSERT INTO message VALUES {rows}")).await;
                written.fetch_add(1, Ordering::SeqCst);
            }
        });
        Self { pairs, stop, task }
    }

    fn pairs(&self) -> u64 {
        self.pairs.load(Ordering::SeqCst)
    }

    /// Waits until some more are written.
    async fn writes(&self, more: u64) {
        let enough = self.pairs() + more;
        while self.pairs() < enough {
            assert!(!self.task.is_finished(), "the writer failed");
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
    }

    /// How many pairs were written in all.
    async fn end(self) -> u64 {
        self.stop.store(true, Ordering::SeqCst);
        self.task.await.unwrap();
        self.pairs.load(Ordering::SeqCst)
    }
}

async fn connect(messages: &MessageDb) -> AnyConnection {
    sqlx::any::install_default_drivers();
    let mut database = AnyConnection::connect(&messages.url()).await.unwrap();
    if messages.engine == Engine::Sqlite {
        run(&mut database, "PRAGMA synchronous = OFF".to_owned()).await;
    }
    database
}

async fn run(database: &mut AnyConnection, sql: String) {
    database.execute(AssertSqlSafe(sql)).await.unwrap();
}

fn row(messages: &MessageDb, id: &str, contact: u64, at: i64) -> String {
    format!("('{id}', '55489{contact}', 'in', 'session', NULL, NULL, {})", messages.instant(at))
}

/// A reseller whose messages are there.
fn reseller(messages: &MessageDb) -> Reseller {
    let mut reseller = Reseller::new(LedgerKind::Sqlite);
    reseller.variables.push(("FECHA_MESSAGES__URL".into(), messages.url()));
    // Two zones, so two spans of time; the pairs lie in both.
    reseller.register(&[("d1", "", "5000"), ("d2", "America/Noronha", "5000")]);
    reseller
}

fn of<'a>(list: &'a [Value], id: &str) -> &'a Value {
    list.iter()
        .find(|one| one["dealership_id"] == id)
        .unwrap_or_else(|| panic!("no {id}: {list:?}"))
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_close_under_fire(
    #[values(Engine::Sqlite, Engine::Postgres, Engine::MariaDb)] engine: Engine,
) {
    let messages = Arc::new(block_in_place(|| MessageDb::new(engine)));
    block_in_place(|| messages.fill());
    let reseller = block_in_place(|| reseller(&messages));

    // Open before the close begins, committed after it has ended.
    let mut late = connect(&messages).await;
    let mut late = late.begin().await.unwrap();
    let late_rows = (0..3).map(|n| row(&messages, "d1", 90_000_000 + n, LAST_SECOND));
    let late_rows =
        format!("INSERT INTO message VALUES {}", late_rows.collect::<Vec<_>>().join(", "));
    // SQLite has one writer at a time: there the transaction writes when the other has stopped.
    if engine != Engine::Sqlite {
        run(&mut late, late_rows.clone()).await;
    }

    let writer = Writer::start(&messages);
    writer.writes(1).await;
    let before = writer.pairs();
    let closed = block_in_place(|| reseller.run(&["close", "--json"])).expect(0).json();
    let after = writer.pairs();
    writer.writes(1).await;
    let written = writer.end().await;
    if engine == Engine::Sqlite {
        run(&mut late, late_rows).await;
    }
    late.commit().await.unwrap();

    // One snapshot: of each pair both or none, all that was committed before, nothing of what was late.
    let invoices = block_in_place(|| reseller.invoices(&[]));
    let seen = of(&invoices, "d2")["uam"].as_u64().unwrap();
    assert_eq!(
        of(&invoices, "d1")["uam"],
        json!(seen + 1),
        "the contact that fills, and the pairs"
    );
    assert!(before <= seen && seen <= after + 1, "{before} <= {seen} <= {after}");
    // Zero residual: the close would have failed; and its buckets are the snapshot's messages.
    assert_eq!(closed["messages"]["total"], json!(FILLED + 2 * seen));
    assert_eq!(closed["messages"]["counted"], closed["messages"]["total"]);

    // What was committed later is late, and nothing else is.
    let verify = ["verify", "--month", "2026-10", "--json"];
    let found = block_in_place(|| reseller.run(&verify)).expect(1).json();
    let differs = found["differs"].as_array().unwrap();
    for (id, late) in [("d1", 3), ("d2", 0)] {
        let difference = of(differs, id);
        let new = json!({"new": written - seen + late, "gone": 0, "more": 0, "fewer": 0});
        assert_eq!(difference["contacts"], new, "{id}");
        assert_eq!(difference["causes"], json!(["late"]), "{id}");
    }
}
