//! A task: how far it is, for whoever watches, and what came of it.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::response::Sse;
use axum::response::sse::{Event, KeepAlive};
use futures::Stream;
use futures::stream::unfold;
use serde::Serialize;
use tokio::time::sleep;

use super::import;
use crate::actions::task::{ClosedMonth, Outcome, Rerun};
use crate::console::words::task::{Running, progress};
use crate::console::{Console, Oops, Page, Section, Signed, ways::Ways};
use crate::ledger::tasks::{Task, TaskId, TaskState};
use fecha_core::bill::hold::Held;
use fecha_core::calendar::month::Month;
use fecha_core::price::money::{Money, grouped};

/// How soon a browser asks again where the line was lost: the daemon was started anew.
const ASK_AGAIN: Duration = Duration::from_millis(500);
/// How often a watcher is told.
const TELL: Duration = Duration::from_millis(700);

/// This page.
pub fn ways(ways: Ways) -> Ways {
    ways.get("/tasks/{id}", show).get("/tasks/{id}/events", events)
}

#[derive(Debug, Serialize)]
struct TaskPage {
    task: Running,
    month: Option<Month>,
    state: &'static str,
    over: bool,
    ended_at: Option<String>,
    /// What came of it, sentence by sentence.
    said: Vec<String>,
    /// Whether a person has to look at it again.
    warns: bool,
    rows: Vec<Row>,
    more: usize,
    /// Where it goes on: the address, and what that is called.
    links: Vec<(String, &'static str)>,
}

/// A revision that was issued, or would be.
#[derive(Debug, Serialize)]
struct Row {
    number: String,
    id: String,
    before: Option<Money>,
    now: Option<Money>,
}

async fn found(console: &Console, id: &str) -> Result<Task, Oops> {
    let task = console.office.ledger.task(&TaskId::from_outside(id)).await?;
    task.ok_or_else(|| Oops::NotFound("Não há esta tarefa.".to_owned()))
}

async fn show(
    State(console): State<Console>,
    signed: Signed,
    Path(id): Path<String>,
) -> Result<Page, Oops> {
    let task = found(&console, &id).await?;
    let view = view(&task, Outcome::of(&task)?);
    let section = if task.month.is_some() { Section::Months } else { Section::System };
    console.page(&signed, section, view.task.what, "task.html", &view).await
}

fn view(task: &Task, outcome: Option<Outcome>) -> TaskPage {
    let mut page = TaskPage {
        task: Running::of(task),
        month: task.month,
        state: task.state.key(),
        over: task.state.is_over(),
        ended_at: task.ended_at.map(|at| at.to_rfc3339()),
        said: Vec::new(),
        warns: task.state == TaskState::Failed,
        rows: Vec::new(),
        more: 0,
        links: Vec::new(),
    };
    if let Some(month) = task.month {
        page.links.push((format!("/months/{month}"), "Ver o mês"));
    }
    match outcome {
        Some(Outcome::Looked(look)) => looked_in_words(&mut page, look.as_deref(), task.month),
        Some(Outcome::Closed(closed)) => closed_in_words(&mut page, &closed, task.month),
        Some(Outcome::Rerun(rerun)) => rerun_in_words(&mut page, &rerun, task.month),
        Some(Outcome::Compared(compared)) => {
            page.said.push(format!(
                "{}, {}. Nada foi emitido.",
                counted(compared.unchanged, "fatura igual", "faturas iguais"),
                counted(compared.differing.len(), "que hoje seria outra", "que hoje seriam outras")
            ));
            let month = compared.month;
            page.links.insert(0, (format!("/months/{month}/differences"), "Ver as diferenças"));
        }
        Some(Outcome::Previewed(preview)) => page.said.push(format!(
            "{}. Nada foi emitido.",
            counted(
                preview.dealerships.len(),
                "concessionária contada",
                "concessionárias contadas"
            )
        )),
        Some(Outcome::Imported { dealerships, contracts, numbers }) => {
            page.said.push(imported(dealerships, contracts, numbers));
            page.links.push(("/dealerships".to_owned(), "Ver as concessionárias"));
        }
        Some(Outcome::AnotherImport) => {
            page.warns = true;
            page.said.push("Nada foi importado: o cadastro mudou desde a conferência, e o arquivo faria outra coisa. Confira de novo.".to_owned());
            page.links.push((import::again(task), "Conferir de novo"));
        }
        Some(Outcome::BadImport(_)) => {
            page.warns = true;
            page.said.push("Nada foi importado: pelo cadastro como está agora, há linhas com erro. Confira de novo: a página mostra cada uma.".to_owned());
            page.links.push((import::again(task), "Conferir de novo"));
        }
        Some(Outcome::Simulated(_)) => {
            page.said.push("Simulação pronta.".to_owned());
            page.links.push((format!("/simulate?task={}", task.id), "Ver o resultado"));
        }
        None => {}
    }
    page
}

/// How many rows of the files are in the register now.
fn imported(dealerships: u64, contracts: u64, numbers: u64) -> String {
    let count = |number: u64, one: &str, many: &str| {
        (number > 0).then(|| counted(usize::try_from(number).unwrap_or(usize::MAX), one, many))
    };
    let rows = [
        count(dealerships, "concessionária", "concessionárias"),
        count(contracts, "contrato", "contratos"),
        count(numbers, "número", "números"),
    ];
    let mut rows: Vec<String> = rows.into_iter().flatten().collect();
    let last = rows.pop().unwrap_or_else(|| "nada".to_owned());
    let all = if rows.is_empty() { last } else { format!("{} e {last}", rows.join(", ")) };
    format!("Está no cadastro o que os arquivos dizem: {all}.")
}

fn looked_in_words(page: &mut TaskPage, look: Option<&Held>, month: Option<Month>) {
    let Some(look) = look else {
        let said =
            "Nada foi emitido. O mês está retido: a página dele mostra o plano a que chega agora.";
        page.said.push(said.to_owned());
        return;
    };
    let rows = &look.digest.invoices;
    page.said.push(match rows.len() {
        0 => "Nada a emitir, com o que está no cadastro e no banco de mensagens agora.".to_owned(),
        number => format!(
            "Nada foi emitido ainda. {}: {} ({}).",
            if number == 1 { "Seria emitida" } else { "Seriam emitidas" },
            invoices(number),
            look.digest.total().brl()
        ),
    });
    if let Some(month) = month {
        page.links = vec![(format!("/months/{month}#plan"), "Ver o plano")];
    }
}

fn closed_in_words(page: &mut TaskPage, closed: &ClosedMonth, month: Option<Month>) {
    let stands = match closed.already_issued {
        0 => String::new(),
        before => format!(" O que já estava emitido fica como está: {}.", invoices(before)),
    };
    if closed.is_another_plan {
        page.warns = true;
        page.said.push(format!("Nada foi emitido: o mês já não é o que foi lido. A página do mês mostra o que mudou; confira e libere de novo.{stands}"));
        return;
    }
    if closed.held.is_some() {
        page.warns = true;
        let said = "Nada foi emitido: o fechamento espera por uma pessoa.";
        page.said.push(format!("{said}{stands}"));
        return;
    }
    let issued = closed.issued + closed.already_issued;
    let all = invoices(issued);
    page.said.push(match closed.issued {
        0 => format!("Não havia mais o que emitir. Ao todo o mês tem {all}."),
        now => {
            format!("Agora: {} ({}). Ao todo o mês tem {all}.", invoices(now), closed.total.brl())
        }
    });
    if closed.open > 0 {
        page.said.push(format!(
            "{} o fim do mês no seu fuso.",
            counted(closed.open, "concessionária espera", "concessionárias esperam")
        ));
    }
    if closed.exceptions > 0 {
        page.said.push(format!(
            "Exceções que precisam de uma pessoa: {}.",
            grouped(closed.exceptions as u64)
        ));
    }
    if let Some(month) = month {
        page.links.push((format!("/emails?month={month}"), "Ver os e-mails"));
    }
}

fn rerun_in_words(page: &mut TaskPage, rerun: &Rerun, month: Option<Month>) {
    const SHOWN: usize = 50;
    if rerun.is_another_plan {
        page.warns = true;
        page.said.push("Nada foi emitido: as faturas já não dariam o que foi lido. Abaixo está o que dariam agora; compare de novo e confira.".to_owned());
    } else {
        page.said.push(format!(
            "{}; o mês muda {}.",
            counted(rerun.revised.len(), "revisão emitida", "revisões emitidas"),
            signed(rerun.change)
        ));
    }
    if rerun.unchanged > 0 {
        page.said.push(format!("Já como deviam: {}.", invoices(rerun.unchanged)));
    }
    for (id, _) in rerun.refused.iter().take(SHOWN) {
        page.warns = true;
        page.said.push(format!(
            "{id}: não foi emitida; algo mudou nela neste meio-tempo. Compare de novo."
        ));
    }
    page.more = rerun.revised.len().saturating_sub(SHOWN);
    page.rows = rerun
        .revised
        .iter()
        .take(SHOWN)
        .map(|row| Row {
            number: row.number.to_string(),
            id: row.dealership_id.clone(),
            before: row.before,
            now: row.now,
        })
        .collect();
    if let Some(month) = month {
        page.links.insert(0, (format!("/months/{month}/differences"), "Ver as diferenças"));
        page.links.push((format!("/emails?month={month}"), "Ver os e-mails"));
    }
}

fn invoices(number: usize) -> String {
    counted(number, "fatura", "faturas")
}

/// `1 fatura`, `12.345 faturas`.
fn counted(number: usize, one: &str, many: &str) -> String {
    format!("{} {}", grouped(number as u64), if number == 1 { one } else { many })
}

/// `+ R$ 35,67`, `− R$ 35,67`.
#[must_use]
pub fn signed(money: Money) -> String {
    let (sign, amount) = if money < Money::ZERO { ('−', -money) } else { ('+', money) };
    format!("{sign}\u{a0}{}", amount.brl())
}

/// What a watcher is told.
#[derive(Debug, Serialize)]
struct Told {
    phase: String,
    done: u64,
    of: u64,
}

/// Tells how far it is, until it is over; whoever is cut off asks again.
async fn events(
    State(console): State<Console>,
    _signed: Signed,
    Path(id): Path<String>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Oops> {
    found(&console, &id).await?;
    let id = TaskId::from_outside(&id);
    let stream = unfold(Some((console, id, None::<String>)), async |watching| {
        let (console, id, mut last) = watching?;
        loop {
            // A ledger that is away is waited for.
            if let Ok(Some(task)) = console.office.ledger.task(&id).await {
                if task.state.is_over() {
                    // Browsers drop an event without data.
                    return Some((Ok(Event::default().event("end").data("over")), None));
                }
                let (done, of) = task.step.map_or((0, 0), |step| (step.done, step.of));
                let told = Told { phase: progress(&task), done, of };
                let told = serde_json::to_string(&told).unwrap_or_default();
                if last.as_ref() != Some(&told) {
                    last = Some(told.clone());
                    let event = Event::default().event("progress").retry(ASK_AGAIN).data(told);
                    return Some((Ok(event), Some((console, id, last))));
                }
            }
            sleep(TELL).await;
        }
    });
    Ok(Sse::new(stream).keep_alive(KeepAlive::default()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::page::tests::renders;
    use crate::console::words::task::kind;
    use crate::ledger::tasks::{Phase, Step};

    fn task(state: TaskState) -> Task {
        Task {
            id: TaskId::from_outside("0192"),
            kind: "release".to_owned(),
            month: Some("2026-10".parse().unwrap()),
            wish: String::new(),
            asked_by: "A".repeat(300),
            person: None,
            asked_at: "2026-11-01T03:00:00Z".parse().unwrap(),
            state,
            tries: 1,
            begun_at: None,
            step: Some(Step { phase: Phase::Issuing, done: 12, of: 1500 }),
            ended_at: state.is_over().then(|| "2026-11-01T03:10:00Z".parse().unwrap()),
            outcome: None,
            error: (state == TaskState::Failed).then(|| "<b>x</b>".to_owned()),
        }
    }

    #[test]
    fn it_is_drawn_in_every_state() {
        let running = renders("task.html", &view(&task(TaskState::Running), None));
        assert!(running.contains("Emitindo: 12 de 1.500"), "{running}");
        assert!(running.contains("<noscript><meta http-equiv=\"refresh\""));
        let failed = renders("task.html", &view(&task(TaskState::Failed), None));
        assert!(failed.contains("&lt;b&gt;x"));
        let closed = ClosedMonth {
            issued: 12,
            total: Money::from_centavos(2_063_638),
            already_issued: 0,
            open: 1,
            exceptions: 2,
            held: None,
            is_another_plan: false,
            plan: None,
            instead: None,
        };
        let outcome = |closed: &ClosedMonth| Some(Outcome::Closed(closed.clone()));
        let done = renders("task.html", &view(&task(TaskState::Done), outcome(&closed)));
        assert!(done.contains("Agora: 12 faturas"), "{done}");
        let other = ClosedMonth { is_another_plan: true, ..closed };
        let done = renders("task.html", &view(&task(TaskState::Done), outcome(&other)));
        assert!(done.contains("já não é o que foi lido"), "{done}");
        let looked = Some(Outcome::Looked(None));
        let done = renders("task.html", &view(&task(TaskState::Done), looked));
        assert!(done.contains("está retido"), "{done}");
    }

    #[test]
    fn kinds_have_names() {
        assert_eq!(kind("rerun"), "Emissão de revisões");
    }
}
