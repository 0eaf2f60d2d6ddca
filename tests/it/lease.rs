//! Leadership on a PostgreSQL ledger, and alerts, at the ledger itself.

use chrono::{DateTime, TimeDelta, Utc};
use fecha::ledger::audit::{Action, Deed};
use fecha::ledger::{Ledger, LedgerError};
use fecha_core::letter::{Addressing, Alert, Content, Letter, Matter};
use rstest::rstest;

use crate::support::postgres::Postgres;
use crate::support::reseller::LedgerKind;

async fn postgres() -> Ledger {
    Ledger::make(&Postgres::shared().create_database("lease")).await.unwrap()
}

fn deed() -> Deed<'static> {
    let at = "2026-11-01T03:00:00Z".parse().unwrap();
    Deed { at, actor: "test", action: Action::Issue, month: None, dealership_id: None, detail: "" }
}

#[tokio::test]
async fn a_leader_of_an_older_epoch_writes_nothing() {
    let ledger = postgres().await;
    let mut first = ledger.session().await.unwrap();
    assert_eq!(first.take_over(0).await.unwrap(), Some(1));
    let paused = ledger.fenced(1);
    paused.log(&deed()).await.unwrap();
    first.beat(1).await.unwrap();

    let mut second = ledger.session().await.unwrap();
    assert!(!second.is_gone(1).await.unwrap(), "the session of the first is there");
    assert_eq!(second.take_over(1).await.unwrap(), Some(2));
    assert!(matches!(paused.log(&deed()).await, Err(LedgerError::Deposed)));
    assert!(matches!(first.beat(1).await, Err(LedgerError::Deposed)));
    ledger.fenced(2).log(&deed()).await.unwrap();
    // A command is no daemon: it is never fenced.
    ledger.log(&deed()).await.unwrap();
}

#[tokio::test]
async fn one_of_many_leads_and_its_end_is_seen_at_once() {
    let ledger = postgres().await;
    let mut sessions = Vec::new();
    for _ in 0..5 {
        sessions.push(ledger.session().await.unwrap());
    }
    let mut elected = Vec::new();
    for session in &mut sessions {
        elected.extend(session.take_over(0).await.unwrap());
    }
    assert_eq!(elected, [1]);
    let mut waiting = sessions.pop().unwrap();
    assert!(!waiting.is_gone(1).await.unwrap());
    let leader = sessions.remove(0);
    leader.close().await;
    // The server ends a session a moment after its line.
    let mut gone = false;
    for _ in 0..50 {
        gone = waiting.is_gone(1).await.unwrap();
        if gone {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert!(gone);
    assert_eq!(waiting.take_over(1).await.unwrap(), Some(2));
}

#[rstest]
#[tokio::test]
async fn a_cause_is_told_once_an_hour_at_most(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] kind: LedgerKind,
) {
    let folder = tempfile::tempdir().unwrap();
    let url = match kind {
        LedgerKind::Sqlite => format!("sqlite:{}", folder.path().join("fecha.db").display()),
        LedgerKind::Postgres => Postgres::shared().create_database("alerts"),
    };
    let ledger = Ledger::make(&url).await.unwrap();
    let start: DateTime<Utc> = "2026-11-01T03:00:00Z".parse().unwrap();
    let day = Some(TimeDelta::days(1));
    let mut ids = 0;
    let mut tell = async |minutes: i64, cause: &str, happened: &str, reminder| {
        ids += 1;
        let letters = vec![letter(cause, happened, ids)];
        ledger.alert(letters, reminder, start + TimeDelta::minutes(minutes)).await.unwrap()
    };
    assert!(tell(0, "late", "a", day).await);
    assert!(!tell(1, "late", "a", day).await);
    assert!(tell(1, "held", "a", day).await, "another cause");
    assert!(!tell(59, "late", "b", day).await, "news, but too soon");
    assert!(tell(60, "late", "b", day).await, "news");
    assert!(!tell(120, "late", "b", day).await);
    assert!(tell(60 + 24 * 60, "late", "b", day).await, "a reminder");
    assert!(!tell(90 * 24 * 60, "held", "a", None).await, "no reminder");
}

fn letter(cause: &str, happened: &str, id: u32) -> Letter {
    let alert = Alert {
        subject: "aviso".to_owned(),
        happened: happened.to_owned(),
        todo: String::new(),
        issuer: String::new(),
    };
    let matter = Matter {
        cause: cause.to_owned(),
        subject: "aviso".to_owned(),
        content: Content::Alert { alert },
    };
    let to = fecha::letters::mailbox::address("ti@example.com").unwrap();
    Addressing::default().letter(matter, to, format!("<{id}@example.com>"))
}
