//! Which emails a worker gets, in which order, and that it takes no longer where many wait.

use std::time::{Duration, Instant};

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use fecha::ledger::Ledger;
use fecha::ledger::delivery::Wanted;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use rstest::rstest;

use crate::support::reseller::{LedgerKind, Reseller};

fn now() -> DateTime<Utc> {
    "2026-11-02T12:00:00Z".parse().unwrap()
}

fn text(instant: DateTime<Utc>) -> String {
    instant.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// A ledger with emails that are queued, of which others are copied.
fn queued(ledger: LedgerKind) -> Reseller {
    let reseller = Reseller::new(ledger);
    reseller.register(&[("d1", "", "5000")]);
    reseller.add_contacts("d1", 3, "2026-10-31T12:00:00Z");
    reseller.run(&["close"]).expect(0);
    reseller.ledger_sql("DELETE FROM outbox WHERE kind <> 'invoice'");
    reseller
}

async fn open(reseller: &Reseller, kind: LedgerKind) -> Ledger {
    let url = match kind {
        LedgerKind::Sqlite => format!("sqlite:{}", reseller.path("fecha.db").display()),
        LedgerKind::Postgres => reseller.ledger_url().to_owned(),
    };
    Ledger::open(&url).await.unwrap()
}

/// As the outbox keeps it.
#[derive(Debug)]
struct Waiting {
    id: String,
    state: &'static str,
    attempts: u32,
    next_attempt_at: DateTime<Utc>,
    lease_until: DateTime<Utc>,
}

impl Waiting {
    fn any(random: &mut ChaCha8Rng, index: usize) -> Self {
        // Few instants, so that ids decide often; some before, some after now.
        let mut near = || now() + TimeDelta::minutes(random.random_range(-3..=3));
        let (next_attempt_at, lease_until) = (near(), near());
        Self {
            // Ids in another order than that of insertion.
            id: format!("{:03}", index * 37 % 101),
            state: ["pending", "pending", "sending", "sent", "withdrawn"]
                [random.random_range(0..5)],
            attempts: random.random_range(0..3),
            next_attempt_at,
            lease_until,
        }
    }

    fn insert(&self) -> String {
        let Self { id, state, attempts, next_attempt_at, lease_until } = self;
        let [next, lease] = [next_attempt_at, lease_until].map(|instant| text(*instant));
        let lease = if *state == "sending" { format!("'{lease}'") } else { "NULL".to_owned() };
        copies(
            "FROM outbox WHERE cause NOT LIKE 'copy%'",
            [&format!("'{id}'"), state, &attempts.to_string(), &format!("'{next}'"), &lease],
        )
    }

    /// The rule: due by its time, a first attempt, or left by a worker whose lease is over.
    fn is_due(&self, in_hand: &[String]) -> bool {
        match self.state {
            "pending" => self.attempts == 0 || self.next_attempt_at <= now(),
            "sending" => self.lease_until <= now() && !in_hand.contains(&self.id),
            _ => false,
        }
    }
}

/// Copies of the email that is there.
fn copies(from: &str, [id, state, attempts, next, lease]: [&str; 5]) -> String {
    format!(
        "INSERT INTO outbox (id, kind, cause, recipient, redirected_to, resend, number, content, subject,
             message_id, state, attempts, created_at, next_attempt_at, lease_until, maybe_twice)
         SELECT {id}, kind, 'copy ' || {id}, recipient, redirected_to, resend, number, content, subject,
             'copy ' || {id}, '{state}', {attempts}, created_at, {next}, {lease}, 0 {from};"
    )
}

#[rstest]
#[tokio::test]
async fn are_given_out_in_the_order_in_which_they_fell_due(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] kind: LedgerKind,
) {
    let reseller = queued(kind);
    reseller.ledger_sql("UPDATE outbox SET state = 'sent', attempts = 1, next_attempt_at = NULL");
    let ledger = open(&reseller, kind).await;
    for seed in 0..25 {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut emails: Vec<Waiting> =
            (0..random.random_range(1..40)).map(|index| Waiting::any(&mut random, index)).collect();
        let inserts: String = emails.iter().map(Waiting::insert).collect();
        reseller.ledger_sql(&format!("DELETE FROM outbox WHERE cause LIKE 'copy%'; {inserts}"));
        let in_hand: Vec<String> =
            emails.iter().filter(|_| random.random_bool(0.3)).map(|e| e.id.clone()).collect();
        let most = random.random_range(1..12);
        emails.sort_by(|a, b| (a.next_attempt_at, &a.id).cmp(&(b.next_attempt_at, &b.id)));
        let due: Vec<&str> =
            emails.iter().filter(|e| e.is_due(&in_hand)).map(|e| e.id.as_str()).collect();
        let wanted = Wanted { most, due: now() + TimeDelta::hours(1), in_hand };
        let claimed = ledger.exchange_emails(&[], &wanted, now()).await.unwrap();
        let claimed: Vec<&str> = claimed.iter().map(|email| email.id.as_str()).collect();
        assert_eq!(claimed, due[..most.min(due.len())], "seed {seed}: {emails:#?}");
    }
}

/// How long the fastest of some claims takes where so many emails wait for a first attempt, and as many for another one later.
async fn claim(kind: LedgerKind, waiting: usize) -> Duration {
    let reseller = queued(kind);
    let numbers = format!(
        "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {waiting})"
    );
    let from = "FROM outbox, n WHERE cause NOT LIKE 'copy%'";
    let (due, later) = (text(now()), text(now() + TimeDelta::hours(1)));
    for (name, attempts, next) in [("new", "0", due), ("later", "1", later)] {
        let id = format!("'{name} ' || (1000000 + n)");
        let sql = copies(from, [&id, "pending", attempts, &format!("'{next}'"), "NULL"]);
        reseller.ledger_sql(&sql.replace(" SELECT ", &format!(" {numbers} SELECT ")));
    }
    let ledger = open(&reseller, kind).await;
    let wanted = Wanted { most: 1, due: now(), in_hand: Vec::new() };
    let mut fastest = Duration::MAX;
    for _ in 0..50 {
        let started = Instant::now();
        assert_eq!(ledger.exchange_emails(&[], &wanted, now()).await.unwrap().len(), 1);
        fastest = fastest.min(started.elapsed());
    }
    fastest
}

/// All that waits was once sorted at each claim, which took fifty times as long here.
#[rstest]
#[tokio::test]
async fn take_no_longer_where_many_wait(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] kind: LedgerKind,
) {
    let few = claim(kind, 200).await;
    let many = claim(kind, 40_000).await;
    assert!(many < 5 * few, "{few:?} with 200, {many:?} with 40,000");
}
