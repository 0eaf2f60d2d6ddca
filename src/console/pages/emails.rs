//! E-mails: the outbox by state, failed ones first; why one failed, and sending it again.

use axum::extract::{Form, Path, Query, State};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::invoices::Tab;
use crate::actions::resend;
use crate::console::ways::Ways;
use crate::console::words::email;
use crate::console::words::invoice::Badge;
use crate::console::words::money::{self, Why};
use crate::console::{Console, Done, Oops, Page, Section, Signed, address, typed};
use crate::ledger::outbox::ListedEmail;
use crate::ledger::pages::{InHand, Slice};
use fecha_core::bill::invoice::Number;
use fecha_core::letter::LetterState;
use fecha_core::party::person::Role;
use fecha_core::party::register::EmailAddress;

/// This page and its forms.
pub fn ways(ways: Ways) -> Ways {
    ways.get("/emails", list).post("/emails/again", Role::Finance, all_again).post(
        "/emails/{id}/again",
        Role::Finance,
        one_again,
    )
}

/// The tabs: the key in the address, its words.
const TABS: [(&str, Option<LetterState>, &str); 6] = [
    ("failed", Some(LetterState::Failed), "Não entregues"),
    ("pending", Some(LetterState::Pending), "Na fila"),
    ("sending", Some(LetterState::Sending), "Em envio"),
    ("sent", Some(LetterState::Sent), "Enviados"),
    ("withdrawn", Some(LetterState::Withdrawn), "Retirados"),
    ("all", None, "Todos"),
];

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct AskedFor {
    state: String,
    after: String,
    /// The email whose form is shown, where there are many.
    one: String,
}

/// What was typed for one email, and why it was not taken.
#[derive(Debug, Default, Serialize)]
struct Typed {
    id: String,
    to: String,
    error: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct AgainForm {
    to: String,
}

#[derive(Debug, Serialize)]
struct List {
    tabs: Vec<Tab>,
    state: &'static str,
    rows: Vec<Row>,
    failed: u64,
    next: String,
    first: String,
    typed: Typed,
    /// The email whose form is shown, where there are many.
    chosen: String,
}

#[derive(Debug, Serialize)]
struct Row {
    id: String,
    kind: &'static str,
    number: Option<Number>,
    to: String,
    /// For whom it is, where another gets it.
    instead_of: String,
    subject: String,
    state: Badge,
    queued_at: DateTime<Utc>,
    sent_at: Option<DateTime<Utc>>,
    next_attempt_at: Option<DateTime<Utc>>,
    attempts: u32,
    /// In Portuguese, where it failed.
    why: &'static str,
    /// The server's own words.
    error: String,
    has_failed: bool,
}

impl Row {
    fn of(listed: ListedEmail) -> Self {
        let has_failed = listed.state == LetterState::Failed;
        let error = listed.last_error.clone().filter(|_| listed.state != LetterState::Sent);
        let error = error.unwrap_or_default();
        Self {
            kind: email::kind(listed.kind),
            number: listed.number,
            to: listed.to().to_string(),
            instead_of: listed
                .redirected_to
                .as_ref()
                .map(|_| listed.recipient.to_string())
                .unwrap_or_default(),
            state: email::state(listed.state),
            queued_at: listed.queued_at,
            sent_at: listed.sent_at,
            next_attempt_at: listed.next_attempt_at,
            attempts: listed.attempts,
            why: if has_failed { email::why(&error) } else { "" },
            error,
            has_failed,
            id: listed.id,
            subject: listed.subject,
        }
    }
}

async fn list(
    State(console): State<Console>,
    signed: Signed,
    Query(asked): Query<AskedFor>,
) -> Result<Page, Oops> {
    shown(&console, &signed, &asked, Typed::default()).await
}

async fn shown(
    console: &Console,
    signed: &Signed,
    asked: &AskedFor,
    typed: Typed,
) -> Result<Page, Oops> {
    let ledger = &console.office.ledger;
    let InHand { failed, waiting } = ledger.emails_in_hand().await?;
    // What needs a person comes first.
    let default = if failed > 0 { "failed" } else { "all" };
    let asked_for = if asked.state.is_empty() { default } else { &asked.state };
    let tab = TABS.iter().find(|(key, ..)| *key == asked_for);
    let &(state, wanted, _) = tab.unwrap_or(&TABS[TABS.len() - 1]);
    let after = Some(asked.after.as_str()).filter(|after| !after.is_empty());
    let page = ledger.emails_page(wanted, after, Slice::default()).await?;
    let path =
        |state: &str, after: &str| address::with("/emails", &[("state", state), ("after", after)]);
    let tab = |(key, wanted, words): &(&'static str, Option<LetterState>, &'static str)| Tab {
        path: path(key, ""),
        words,
        current: *key == state,
        count: match wanted {
            Some(LetterState::Failed) => Some(failed),
            Some(LetterState::Pending) => Some(waiting),
            _ => None,
        },
    };
    let view = List {
        tabs: TABS.iter().filter(|(key, ..)| *key != "sending" || *key == state).map(tab).collect(),
        state,
        rows: page.rows.into_iter().map(Row::of).collect(),
        failed,
        next: page.next.map(|id| path(state, &id)).unwrap_or_default(),
        first: after.map(|_| path(state, "")).unwrap_or_default(),
        typed,
        chosen: asked.one.clone(),
    };
    console.page(signed, Section::Emails, "E-mails", "emails.html", &view).await
}

async fn one_again(
    State(console): State<Console>,
    signed: Signed,
    Path(id): Path<String>,
    Form(form): Form<AgainForm>,
) -> Result<Response, Oops> {
    let sent = match typed::address(&form.to) {
        Err(words) => Err(Why::Said(words)),
        Ok(to) => resend::one(&console.office, &id, to, &signed.name).await.map_err(money::resend),
    };
    match sent {
        Ok(sent) => {
            console.bell.post.notify_waiters();
            let to: Vec<&str> = sent.queued.iter().map(EmailAddress::as_str).collect();
            let words = format!("Na fila de novo para {}.", to.join(", "));
            Ok(Done::see("/emails", &words).into_response())
        }
        Err(Why::Oops(oops)) => Err(oops),
        Err(Why::Said(error)) => {
            let typed = Typed { id, to: form.to, error };
            let asked = AskedFor { state: "failed".to_owned(), ..AskedFor::default() };
            Ok(shown(&console, &signed, &asked, typed).await?.refused().into_response())
        }
    }
}

async fn all_again(State(console): State<Console>, signed: Signed) -> Result<Response, Oops> {
    let sent = resend::failed(&console.office, None, &signed.name).await;
    match sent.map_err(money::resend) {
        Ok(sent) => {
            console.bell.post.notify_waiters();
            let number: usize = sent.iter().map(|one| one.message_ids.len()).sum();
            let words = match number {
                0 => "Nenhum e-mail foi posto na fila: ninguém que ainda o espera tem endereço."
                    .to_owned(),
                1 => "1 e-mail está na fila de novo.".to_owned(),
                number => format!("{number} e-mails estão na fila de novo."),
            };
            Ok(Done::see("/emails", &words).into_response())
        }
        Err(Why::Oops(oops)) => Err(oops),
        Err(Why::Said(words)) => Err(Oops::Failed(words)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::page::tests::renders;

    #[test]
    fn it_is_drawn_empty_and_full() {
        let tab = Tab {
            path: "/emails?state=failed".to_owned(),
            words: "Não entregues",
            current: true,
            count: Some(1),
        };
        let empty = List {
            tabs: vec![tab],
            state: "failed",
            rows: Vec::new(),
            failed: 0,
            next: String::new(),
            first: String::new(),
            typed: Typed::default(),
            chosen: String::new(),
        };
        assert!(renders("emails.html", &empty).contains("Nenhum e-mail"));
        let at = "2026-11-01T03:00:01Z".parse().unwrap();
        let row = |id: &str, has_failed| Row {
            id: id.to_owned(),
            kind: "Fatura",
            number: Some("2026-000001".parse().unwrap()),
            to: format!("{}@example.com", "x".repeat(200)),
            instead_of: "loja@example.com".to_owned(),
            subject: "<b>".repeat(100),
            state: email::state(LetterState::Failed),
            queued_at: at,
            sent_at: Some(at),
            next_attempt_at: None,
            attempts: 3,
            why: "O endereço não existe.",
            error: "550 5.1.1 <no such user>".to_owned(),
            has_failed,
        };
        let typed = Typed { id: "e1".to_owned(), to: "loja".to_owned(), error: "Não.".to_owned() };
        let full =
            List { rows: vec![row("e1", true), row("e2", false)], failed: 1, typed, ..empty };
        let html = renders("emails.html", &full);
        assert!(html.contains("/emails/e1/again?once=") && !html.contains("/emails/e2/again"));
        assert!(html.contains("Não."));
    }
}
