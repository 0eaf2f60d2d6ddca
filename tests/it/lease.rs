//! Leadership on a PostgreSQL ledger, and alerts, at the ledger itself.

use chrono::{DateTime, TimeDelta, Utc};
use fecha::ledger::audit::Entry;
use fecha::ledger::outbox::{Content, Kind, NewEmail};
use fecha::ledger::{Ledger, LedgerError};
use fecha::mail::template::Alert;
use rstest::rstest;

use crate::support::postgres::Postgres;
use crate::support::reseller::LedgerKind;

async fn postgres() -> Ledger {
    Ledger::open(&Postgres::shared().create_database("lease")).await.unwrap()
}

fn entry() -> Entry<'static> {
    let at = "2026-11-01T03:00:00Z".parse().unwrap();
    Entry { at, actor: "test", action: "issue", month: None, dealership_id: None, detail: "" }
}

#[tokio::test]
async fn a_leader_of_an_older_epoch_writes_nothing() {
    let ledger = postgres().await;
    let mut first = ledger.session().await.unwrap();
    assert_eq!(first.take_over(0).await.unwrap(), Some(1));
    let paused = ledger.fenced(1);
    paused.log(&entry()).await.unwrap();
    first.beat(1).await.unwrap();

    let mut second = ledger.session().await.unwrap();
    assert!(!second.is_gone(1).await.unwrap(), "the session of the first is there");
    assert_eq!(second.take_over(1).await.unwrap(), Some(2));
    assert!(matches!(paused.log(&entry()).await, Err(LedgerError::Deposed)));
    assert!(matches!(first.beat(1).await, Err(LedgerError::Deposed)));
    ledger.fenced(2).log(&entry()).await.unwrap();
    // A command is no daemon: it is never fenced.
    ledger.log(&entry()).await.unwrap();
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
    let ledger = Ledger::open(&url).await.unwrap();
    let start: DateTime<Utc> = "2026-11-01T03:00:00Z".parse().unwrap();
    let day = Some(TimeDelta::days(1));
    let mut ids = 0;
    let mut tell = async |minutes: i64, cause: &str, happened: &str, reminder| {
        ids += 1;
        let emails = vec![email(cause, happened, ids)];
        ledger.alert(emails, reminder, start + TimeDelta::minutes(minutes)).await.unwrap()
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

fn email(cause: &str, happened: &str, id: u32) -> NewEmail {
    let alert = Alert {
        subject: "aviso".to_owned(),
        happened: happened.to_owned(),
        todo: String::new(),
        issuer: String::new(),
    };
    NewEmail {
        kind: Kind::Alert,
        cause: cause.to_owned(),
        recipient: fecha::mail::address("ti@example.com").unwrap(),
        redirected_to: None,
        resend: 0,
        number: None,
        content: Content::Alert { alert },
        subject: "aviso".to_owned(),
        message_id: format!("<{id}@example.com>"),
    }
}
