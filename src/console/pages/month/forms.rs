//! What is asked for on the page of a month.

use axum::Form;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::{Asked, capital, current, eyes, look, parsed};
use crate::actions::status::beginning;
use crate::actions::task::{AskError, Asker, Wish, ask};
use crate::console::words::task::not_asked;
use crate::console::{Console, Done, Oops, Signed};
use crate::ledger::tasks::Asked as Task;
use fecha_core::bill::plan::PlanHash;
use fecha_core::calendar::month::Month;

/// A release that was not taken, to be shown with what was typed.
#[derive(Debug, Clone)]
pub(super) struct Refused {
    pub(super) reason: String,
    pub(super) error: String,
}

/// The words of a person: on one line, not too long.
///
/// # Errors
/// What is wrong with them.
pub fn said(text: &str) -> Result<String, &'static str> {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match text.chars().count() {
        0 => Err("Escreva por quê: fica na auditoria."),
        1..=500 => Ok(text),
        _ => Err("Use no máximo 500 letras."),
    }
}

/// Asks for something of a month and wakes the daemon.
///
/// # Errors
/// [`AskError`].
pub async fn asked(console: &Console, signed: &Signed, wish: &Wish) -> Result<Task, AskError> {
    let by = Asker { person: Some(&signed.person), name: &signed.name };
    let asked = ask(&console.office, wish, by, eyes(console)).await?;
    console.bell.tasks.notify_one();
    Ok(asked)
}

/// Where a task is seen, with a sentence.
#[must_use]
pub fn leads_to(task: &Task, words: &str) -> Done {
    let path = format!("/tasks/{}", task.id());
    match task {
        Task::New(_) => Done::see(&path, words),
        Task::Unfinished(_) => Done::see(&path, "Já tinha sido pedido: é este."),
    }
}

/// A month that there may be messages and invoices of.
async fn in_the_books(console: &Console, month: Month) -> Result<Month, Oops> {
    if month > current(console) {
        let month = capital(month);
        return Err(Oops::Bad(format!("{month} ainda não começou. Nada foi pedido.")));
    }
    let books = beginning(&console.office).await?.books;
    if month >= books {
        return Ok(month);
    }
    let (month, books) = (capital(month), books.in_words());
    Err(Oops::Bad(format!("{month} é anterior ao livro, que começa em {books}. Nada foi pedido.")))
}

/// Nothing is closed by it: what would be issued is counted, to be read first.
pub(super) async fn close(
    State(console): State<Console>,
    signed: Signed,
    Path(month): Path<String>,
) -> Result<Done, Oops> {
    let month = in_the_books(&console, parsed(&month)?).await?;
    let wish = Wish::Look { month };
    let task = asked(&console, &signed, &wish).await.map_err(not_asked)?;
    Ok(leads_to(&task, "Contagem pedida. Nada é emitido por ela."))
}

pub(super) async fn preview(
    State(console): State<Console>,
    signed: Signed,
    Path(month): Path<String>,
) -> Result<Done, Oops> {
    let month = in_the_books(&console, parsed(&month)?).await?;
    let wish = Wish::Preview { month };
    let task = asked(&console, &signed, &wish).await.map_err(not_asked)?;
    Ok(leads_to(&task, "Contagem pedida. Nada é emitido por ela."))
}

pub(super) async fn compare(
    State(console): State<Console>,
    signed: Signed,
    Path(month): Path<String>,
) -> Result<Done, Oops> {
    let wish = Wish::Compare { month: in_the_books(&console, parsed(&month)?).await? };
    let task = asked(&console, &signed, &wish).await.map_err(not_asked)?;
    Ok(leads_to(&task, "Recontagem pedida. Nada é emitido por ela."))
}

#[derive(Debug, Deserialize)]
pub(super) struct Release {
    plan: PlanHash,
    #[serde(default)]
    reason: String,
}

pub(super) async fn release(
    State(console): State<Console>,
    signed: Signed,
    Path(month): Path<String>,
    Form(form): Form<Release>,
) -> Result<Response, Oops> {
    let month = parsed(&month)?;
    let refused = |error: String| Some(Refused { reason: form.reason.clone(), error });
    let shown = Asked::default();
    let again = |error: String| look(&console, &signed, month, &shown, refused(error));
    let reason = match said(&form.reason) {
        Ok(reason) => reason,
        Err(error) => return Ok(again(error.to_owned()).await?.into_response()),
    };
    let wish = Wish::Release { month, plan: form.plan.clone(), reason };
    match asked(&console, &signed, &wish).await {
        Ok(task) => {
            let words =
                "Liberado: as faturas estão sendo emitidas, se o mês ainda for o que você leu.";
            Ok(leads_to(&task, words).into_response())
        }
        // What is another plan now is shown, with what was typed.
        Err(error @ (AskError::AnotherPlan { .. } | AskError::FourEyes { .. })) => {
            let words = match not_asked(error) {
                Oops::Bad(words) => words,
                other => return Err(other),
            };
            Ok(again(words).await?.into_response())
        }
        Err(error) => Err(not_asked(error)),
    }
}
